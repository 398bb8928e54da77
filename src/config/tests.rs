//! Properties that no sample can show: what holds for all trees.

use proptest::collection::vec;
use proptest::prelude::*;

use super::merge;
use super::source::Span;
use super::tree::{Entry, Node, Value};
use crate::terms::digest;

fn tree() -> impl Strategy<Value = Node> {
    let span = Span::start_of(0);
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::Bool),
        any::<i64>().prop_map(Value::Integer),
        "[a-z$\"\\\\]{0,6}".prop_map(Value::String),
    ];
    let tree = leaf.prop_recursive(4, 32, 5, move |inner| {
        let node = inner.prop_map(move |value| Node { span, value });
        let map = proptest::collection::btree_map("[a-d]", node.clone(), 0..4).prop_map(move |map| {
            let entry = |(key, value)| Entry { key, key_span: span, value };
            Value::Map(map.into_iter().map(entry).collect())
        });
        prop_oneof![vec(node, 0..4).prop_map(Value::List), map]
    });
    tree.prop_map(move |value| Node { span, value })
}

fn reversed(node: &Node) -> Node {
    let value = match &node.value {
        Value::List(items) => Value::List(items.iter().map(reversed).collect()),
        Value::Map(entries) => {
            let entry = |entry: &Entry| Entry { value: reversed(&entry.value), ..entry.clone() };
            Value::Map(entries.iter().rev().map(entry).collect())
        }
        scalar => scalar.clone(),
    };
    Node { value, ..*node }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn merging_a_tree_over_itself_changes_nothing(tree in tree()) {
        prop_assert_eq!(merge::over(&tree, &tree).to_json(), tree.to_json());
    }

    #[test]
    fn merging_twice_is_merging_once(lower in tree(), upper in tree()) {
        let once = merge::over(&lower, &upper);
        prop_assert_eq!(merge::over(&lower, &once).to_json(), once.to_json());
    }

    #[test]
    fn the_digest_does_not_depend_on_the_order_of_keys(tree in tree(), other in tree()) {
        let same = digest::of_json(&tree.to_json()) == digest::of_json(&reversed(&tree).to_json());
        prop_assert!(same);
        let equal = digest::of_json(&tree.to_json()) == digest::of_json(&other.to_json());
        prop_assert_eq!(equal, tree.to_json() == other.to_json());
    }

}
