//! What the approval of each step hangs on.

use super::*;
use crate::plan::{Hold, Step as _};
use crate::settings::binding::each_input_counts;
use crate::settings::customer_managed_key::steps::{CreatePolicy, LinkPolicy, Linking, UnlinkPolicy};

fn linking(environment: &str, busy: Option<&str>) -> Linking {
    Linking::new(&EnvironmentId::new(environment).unwrap(), Surface::EMULATOR, busy.map(str::to_owned))
}

#[test]
fn creating_a_policy() {
    let step = |name: &str, location: &str, key: KeyRef| {
        Rc::new(CreatePolicy { policy: policy_id(name), location: location.into(), key })
    };
    let pinned = |version: &str| KeyRef { version: Some(version.into()), ..key("kv-one", "k") };
    each_input_counts(
        step("one", "europe", key("kv-one", "k")),
        vec![
            ("policy", step("two", "europe", key("kv-one", "k"))),
            ("location", step("one", "france", key("kv-one", "k"))),
            ("vault", step("one", "europe", key("kv-two", "k"))),
            ("key", step("one", "europe", key("kv-one", "l"))),
            ("version", step("one", "europe", pinned("1"))),
            ("other version", step("one", "europe", pinned("2"))),
        ],
        vec![],
    );
    assert_eq!(step("ONE", "europe", key("kv-one", "k")).holds(), vec![Hold::resource(&policy_id("one"))]);
}

#[test]
fn linking_a_policy() {
    let step = |environment: &str, policy: &str, over: Option<&str>, system: Option<&str>, busy: Option<&str>| {
        Rc::new(LinkPolicy {
            linking: linking(environment, busy),
            policy: policy_id(policy),
            system_id: system.map(system_id),
            over: over.map(policy_id),
        })
    };
    each_input_counts(
        step("e", "one", None, None, None),
        vec![
            ("environment", step("f", "one", None, None, None)),
            ("policy", step("e", "two", None, None, None)),
            ("replaced policy", step("e", "one", Some("old"), None, None)),
            ("other replaced policy", step("e", "one", Some("older"), None, None)),
        ],
        vec![step("E", "one", None, Some("one"), Some("something goes on"))],
    );
    assert_eq!(step("e", "one", None, None, None).holds(), step("E", "two", None, None, None).holds());
}

#[test]
fn unlinking_a_policy() {
    let step = |environment: &str, policy: Option<&str>, system: &str| {
        Rc::new(UnlinkPolicy {
            linking: linking(environment, None),
            policy: policy.map(policy_id),
            system_id: system_id(system),
        })
    };
    each_input_counts(
        step("e", None, "one"),
        vec![
            ("environment", step("f", None, "one")),
            ("policy", step("e", Some("one"), "one")),
            ("system id", step("e", None, "two")),
        ],
        vec![step("E", None, "ONE")],
    );
}
