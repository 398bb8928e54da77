//! Properties that no sample can show: what holds for all texts and all trees.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

use super::schema::{FieldHelp, Lookup, field_help, schema};
use super::source::Span;
use super::tree::{Entry, Node, Value};
use super::words::WORDS;
use super::{Loaded, Source, fields, load_sources, merge};
use crate::report::diagnostics::{self, Style};
use crate::terms::digest;

fn loaded(text: &str) -> Loaded {
    load_sources(vec![Source::new("palisade.yaml", text)])
}

/// Reads and renders; a refusal must come with a reason, and an acceptance without an error.
fn consistent(text: &str) {
    let loaded = loaded(text);
    assert_eq!(loaded.configuration.is_none(), loaded.diagnostics.has_errors(), "{text}");
    for style in [Style::Plain, Style::Colour] {
        diagnostics::text(&loaded.sources, &loaded.diagnostics, style);
    }
    diagnostics::json(&loaded.sources, &loaded.diagnostics);
}

/// Pieces that configurations and mistakes in them are made of.
const PIECES: &[&str] = &[
    "version: 1\n",
    "tenant:\n",
    "  id: 7b1f0c52-0000-4000-8000-0000000000aa\n",
    "base:\n",
    "environments:\n",
    "  prod:\n",
    "  prod: &p\n",
    "    instanceId: 6f2b1c34-0000-4000-8000-00000000a001\n",
    "    environmentId: 1bd6bd98-0000-4000-8000-00000000e001\n",
    "    users:\n",
    "      assignments:\n",
    "        - { user: ada@contoso.com, role: Admin }\n",
    "        - role: Viewer\n",
    "      match: exact\n",
    "      breakGlass: [ada@contoso.com]\n",
    "    apiAccess: { enabled: true }\n",
    "    apiAccess:\n",
    "      enabled: no\n",
    "    unmanaged: [users]\n",
    "    attested:\n",
    "      - { setting: users, on: 2026-02-30, validFor: 9d }\n",
    "    <<: *p\n",
    "    <<: [*p, {a: 1}]\n",
    "*p",
    "&p ",
    "---\n",
    "...\n",
    "# comment\n",
    "\n",
    "\r\n",
    "\t",
    " ",
    ": ",
    "- ",
    "{",
    "}",
    "[",
    "]",
    "\"",
    "'",
    "|\n",
    ">\n",
    "!!str ",
    "!x ",
    "? ",
    "${environment}",
    "${x",
    "~",
    "ä",
    "\u{202e}",
    "%YAML 1.2\n",
    "\u{feff}",
    "@",
    "`",
    "0x1F",
    ".inf",
    "1e9",
    "\\x",
    "null",
];

fn yamlish() -> impl Strategy<Value = String> {
    vec(select(PIECES), 0..40).prop_map(|pieces| pieces.concat())
}

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
    fn no_text_makes_the_loader_panic(text in ".{0,200}") {
        consistent(&text);
    }

    #[test]
    fn no_mixture_of_yaml_makes_the_loader_panic(text in yamlish()) {
        consistent(&text);
    }

    #[test]
    fn no_damage_to_an_example_makes_the_loader_panic(at in any::<prop::sample::Index>(), length in 0_usize..40, piece in yamlish()) {
        let mut text: Vec<char> = include_str!("../../examples/contoso.yaml").chars().collect();
        let at = at.index(text.len());
        let end = (at + length).min(text.len());
        text.splice(at..end, piece.chars().take(60));
        consistent(&text.into_iter().collect::<String>());
    }

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

    #[test]
    fn what_a_pattern_accepts_the_parser_accepts(text in word()) {
        let schema = schema();
        for word in WORDS {
            let keywords = &schema["$defs"][word.name];
            let date = keywords.get("format").is_some();
            let accepted = jsonschema::is_valid(keywords, &serde_json::Value::from(text.as_str()));
            let parsed = (word.check)(&text).is_none();
            prop_assert!(accepted == parsed || (date && accepted), "{} and {text:?}: {accepted}, {parsed}", word.name);
        }
    }
}

/// Texts close to the words of the format.
fn word() -> impl Strategy<Value = String> {
    prop_oneof![
        "[0-9A-Fa-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}",
        "([dD]efault-)?0{8}-0{4}-0{4}-0{4}-0{11}[01]",
        "\\{?[0-9a-f]{32}\\}?",
        "[a-z@. ]{0,12}",
        "[a-z]{1,3}@[a-z]{0,3}\\.{0,2}[a-z]{0,3}",
        "[0-9]{0,6}[dhms]?",
        "[0-9]{4}-[0-9]{2}-[0-9]{2}",
        "\\PC{0,4}",
    ]
}

fn found(path: &str) -> FieldHelp {
    match field_help(path) {
        Lookup::Found(help) => *help,
        other => unreachable!("{path}: {other:?}"),
    }
}

#[test]
fn a_field_is_found_by_any_end_of_its_path_that_only_it_has() {
    for path in ["environments.*.users.match", "users.match"] {
        assert_eq!(found(path).path, "environments.*.users.match");
    }
    let help = found("users.match");
    assert_eq!(help.values.iter().map(|(value, _)| value.as_str()).collect::<Vec<_>>(), ["exact", "atLeast"]);
    assert_eq!(help.default.as_deref(), Some("atLeast"));
    assert_eq!(found("users").fields, ["assignments", "breakGlass", "match"]);
    assert_eq!(found("apiAccess.enabled").kind, "`true` or `false`");
    assert_eq!(found("environments.*.instanceId").example.as_deref(), Some("6f2b1c34-0000-4000-8000-00000000a001"));
    assert_eq!(found("breakGlass").path, "environments.*.users.breakGlass");
    assert_eq!(found("assignments.role").path, "environments.*.users.assignments.role");
}

#[test]
fn a_path_that_several_fields_end_with_or_none_gives_candidates() {
    let Lookup::Ambiguous(candidates) = field_help("id") else { unreachable!("`id` is one field") };
    assert_eq!(candidates, ["environments.*.keyVault.id", "environments.*.users.assignments.id", "tenant.id"]);
    let near = ["environments.*.privateLinks.match", "environments.*.users.match"].map(str::to_owned).to_vec();
    assert_eq!(field_help("users.mach"), Lookup::Unknown(near));
    assert_eq!(field_help("users.breakGlas"), Lookup::Unknown(vec!["environments.*.users.breakGlass".to_owned()]));
    assert_eq!(field_help("zzzzzz"), Lookup::Unknown(Vec::new()));
}

#[test]
fn every_field_is_described() {
    for field in fields::all().values() {
        assert!(!field.description.is_empty(), "{} has no description", field.path);
    }
}

#[test]
fn the_schema_itself_is_sound() {
    assert!(jsonschema::options().should_validate_formats(true).build(&schema()).is_ok());
}

#[test]
fn no_files_are_a_mistake_too() {
    let loaded = super::load(&[]);
    assert!(loaded.configuration.is_none());
    let text = diagnostics::text(&loaded.sources, &loaded.diagnostics, Style::Plain);
    assert!(text.contains("no file or folder was given"), "{text}");
}
