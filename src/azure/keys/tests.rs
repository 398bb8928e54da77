//! Policies: what is read of one, and what is written back.

use super::*;

fn read(policy: &Json) -> Result<RotationPolicy, &'static str> {
    RotationPolicy::read(policy.as_object().unwrap().clone())
}

fn days(count: u32) -> IsoDuration {
    IsoDuration::of_days(count)
}

#[test]
fn what_is_read_is_written_back_and_only_what_is_meant_changes() {
    let notify = json!({ "trigger": { "timeBeforeExpiry": "P30D" }, "action": { "type": "Notify" }, "new": 1 });
    let rotate = json!({ "trigger": { "timeAfterCreate": "P90D" }, "action": { "type": "rotate", "x": 2 }, "y": 3 });
    let policy = json!({
        "id": "https://kv/keys/k/rotationpolicy", "lifetimeActions": [rotate.clone(), notify.clone()], "z": 4,
        "attributes": { "expiryTime": "P2Y", "created": 1, "updated": 2, "w": 5 },
    });
    let mut read = read(&policy).unwrap();
    assert_eq!(read.rotate, Some(Trigger::AfterCreation(days(90))));
    assert_eq!(read.expiry.as_ref().map(IsoDuration::text), Some("P2Y"));
    let written =
        |actions: Json, attributes: Json| json!({ "lifetimeActions": actions, "attributes": attributes, "z": 4 });
    assert_eq!(read.write(), written(json!([notify, rotate]), json!({ "expiryTime": "P2Y", "w": 5 })));
    read.rotate = Some(Trigger::BeforeExpiry(days(40)));
    read.expiry = None;
    let rotate = json!({ "trigger": { "timeBeforeExpiry": "P40D" }, "action": { "type": "rotate", "x": 2 }, "y": 3 });
    assert_eq!(read.write(), written(json!([notify, rotate]), json!({ "w": 5 })));
    read.rotate = None;
    assert_eq!(read.write(), written(json!([notify]), json!({ "w": 5 })));
}

#[test]
fn a_policy_that_is_made_has_what_the_service_needs() {
    let policy = RotationPolicy {
        rotate: Some(Trigger::AfterCreation(days(90))),
        expiry: Some(days(120)),
        ..Default::default()
    };
    let rotate = json!({ "trigger": { "timeAfterCreate": "P90D" }, "action": { "type": "Rotate" } });
    assert_eq!(policy.write(), json!({ "lifetimeActions": [rotate], "attributes": { "expiryTime": "P120D" } }));
    let duration = policy.rotate.unwrap().duration().days();
    assert_eq!(duration, Some(90));
}

#[test]
fn what_a_policy_leaves_out_is_none_and_what_is_odd_is_refused() {
    for nothing in [
        json!({}),
        json!({ "lifetimeActions": null, "attributes": null }),
        json!({ "lifetimeActions": [], "attributes": { "expiryTime": null } }),
    ] {
        assert_eq!(read(&nothing), Ok(RotationPolicy::default()), "{nothing}");
    }
    let action = |action: Json| json!({ "lifetimeActions": [action] });
    let rotate = |trigger: Json| json!({ "trigger": trigger, "action": { "type": "Rotate" } });
    let ninety = rotate(json!({ "timeAfterCreate": "P90D", "timeBeforeExpiry": null }));
    assert_eq!(read(&action(ninety.clone())).unwrap().rotate, Some(Trigger::AfterCreation(days(90))));
    for odd in [
        json!({ "lifetimeActions": {} }),
        json!({ "attributes": [] }),
        json!({ "attributes": { "expiryTime": 90 } }),
        json!({ "attributes": { "expiryTime": "soon" } }),
        json!({ "lifetimeActions": [ninety.clone(), ninety] }),
        action(json!("Rotate")),
        action(json!({ "trigger": { "timeAfterCreate": "P90D" } })),
        action(json!({ "action": { "type": "Rotate" } })),
        action(rotate(json!({}))),
        action(rotate(json!({ "timeAfterCreate": "P90D", "timeBeforeExpiry": "P30D" }))),
        action(rotate(json!({ "timeAfterCreate": 90 }))),
        action(rotate(json!({ "timeAfterCreate": "" }))),
    ] {
        assert!(read(&odd).is_err(), "{odd}");
    }
}
