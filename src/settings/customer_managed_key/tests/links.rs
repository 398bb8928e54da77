//! The chain that is built, the link, the swap, and the way back.

use super::*;
use crate::azure::rights::{Action, Right};
use crate::plan::{Direction, Impact, Risk};
use crate::settings::customer_managed_key::codes;

#[test]
fn the_chain_is_built_in_order_or_only_verified() {
    assert_eq!(Scene::ready().told(), "link customerManagedKey");
    assert_eq!(
        Scene::bare().told(),
        "create customerManagedKey/policy; grant customerManagedKey/grants/kv-cmk after customerManagedKey/policy; \
         link customerManagedKey after customerManagedKey/policy, customerManagedKey/grants/kv-cmk"
    );
    let ungranted = |scene: &mut Scene| scene.observed.grants[0].held = Ok(Rc::default());
    assert_eq!(
        Scene::ready().with(ungranted).told(),
        "grant customerManagedKey/grants/kv-cmk; link customerManagedKey after customerManagedKey/grants/kv-cmk"
    );
    let verify = |scene: &mut Scene| scene.protection().provision = false;
    assert_eq!(Scene::bare().with(verify).told(), "refused cmk-policy-not-found at customerManagedKey/policy");
    assert_eq!(
        Scene::ready().with(ungranted).with(verify).told(),
        "refused cmk-grant-missing at customerManagedKey/grants/kv-cmk"
    );
    let note = |scene: &Scene| scene.findings().notes.into_iter().find(|note| note.refuses()).unwrap().help.unwrap();
    let help = note(&Scene::ready().with(ungranted).with(verify));
    assert!(help.contains(&format!("--assignee-object-id {IDENTITY}")), "{help}");
    // A condition may keep the role from counting.
    let conditional = Scene::ready().with(|scene| {
        let assignment = RoleAssignment { condition: Some("@Resource[…]".into()), ..assignment() };
        scene.observed.grants[0].held = Ok([assignment].into());
    });
    assert!(conditional.told().starts_with("grant "), "{}", conditional.told());
}

/// An approval of the whole chain stays good while a part of it is on its way, or can't be read for a moment.
#[test]
fn what_rests_on_a_policy_that_is_not_there_yet_stays_asked_for() {
    let late = Scene::bare().with(|scene| {
        let policy = Policy { principal: None, ..policy("cmk-eu", &key("kv-cmk", "pp-key")) };
        scene.chain().policy = Ok(Some(Rc::new(policy)));
    });
    assert_eq!(
        late.told(),
        "grant customerManagedKey/grants/kv-cmk; link customerManagedKey after customerManagedKey/grants/kv-cmk; \
         waits customerManagedKey/policy Service"
    );
    let nameless = Scene::ready().with(|scene| {
        let policy = Policy { system_id: None, ..policy("cmk-eu", &key("kv-cmk", "pp-key")) };
        scene.chain().policy = Ok(Some(Rc::new(policy)));
    });
    assert_eq!(nameless.told(), "link customerManagedKey; waits customerManagedKey/policy Service");
    let reason = nameless.findings().changes[0].change.reason.clone();
    assert!(reason.contains("it has to wait: Azure doesn't name the system id"), "{reason}");
    let unread = Scene::bare().with(|scene| scene.chain().policy = Err(unreadable()));
    assert_eq!(unread.told(), "unknown customerManagedKey/policy; unknown customerManagedKey/grants/kv-cmk");
    let intents = |scene: &Scene| -> Vec<Json> {
        let changes = scene.findings().changes;
        changes
            .iter()
            .filter(|one| one.change.action != crate::plan::Action::Create)
            .map(|one| one.change.intent())
            .collect()
    };
    assert_eq!(intents(&late), intents(&Scene::bare()), "what was approved is what is still asked for");
}

#[test]
fn a_policy_is_created_in_no_group_that_there_is_not() {
    let scene = Scene::bare().with(|scene| scene.observed.creation.as_mut().unwrap().creating = Ok(None));
    assert_eq!(scene.told(), "refused cmk-policy-not-found at customerManagedKey/policy");
    let findings = scene.findings();
    let note = findings.notes.iter().find(|note| note.refuses()).unwrap();
    assert!(note.message.contains("has no resource group rg-cmk"), "{}", note.message);
    assert!(note.help.as_ref().unwrap().contains("az group create --name rg-cmk"), "{note:?}");
}

/// What the environment leaves is to be kept: the plan says what to write, or that it is kept too short.
#[test]
fn a_policy_that_is_left_is_to_be_retained_for_long_enough() {
    let help = |scene: &Scene| {
        let findings = scene.findings();
        let about = |note: &&crate::plan::Note| {
            [codes::CMK_FORMER_UNWATCHED, codes::CMK_RETAINED].iter().any(|it| note.code == *it)
        };
        findings.notes.iter().find(about).and_then(|note| note.help.clone()).unwrap_or_default()
    };
    let write = format!(
        "write `retained: [{{ policy: {}, key: {{ vault: {}, name: old-key }}, until: 2026-12-25 }}]`",
        policy_id("cmk-old"),
        key("kv-old", "old-key").vault
    );
    assert_eq!(help(&Scene::swapping()), write);
    let back = Scene::swapping().with(|scene| scene.declared.wanted = Wanted::Microsoft);
    assert_eq!(back.told(), "unlink customerManagedKey");
    assert_eq!(help(&back), write);
    let kept = |until: &str| {
        Scene::swapping().with(|scene| {
            let former = key("kv-old", "old-key");
            scene.declared.retained = vec![Retained {
                policy: policy_id("cmk-old"),
                key: former.clone(),
                until: until.parse().unwrap(),
                place: place(),
            }];
            scene.observed.retained = vec![chain("cmk-old", &former)];
            scene.observed.former = None;
        })
    };
    assert_eq!(help(&kept("2026-12-01")), "write `until: 2026-12-24`, or a later day");
    assert_eq!(help(&kept("2026-12-25")), "");
}

#[test]
fn what_the_caller_may_not_do_waits_for_a_person() {
    let lacking = || Ok(Holding::Lacking(vec![Right::Azure(Action::ENTERPRISE_POLICY_WRITE)]));
    let scene = Scene::bare().with(|scene| scene.observed.creation.as_mut().unwrap().creating = lacking().map(Some));
    assert_eq!(
        scene.told(),
        "waits customerManagedKey/policy Person; waits customerManagedKey/grants/kv-cmk Person",
        "nothing is linked, and no policy is created, nor anything granted to one that isn't there"
    );
    let scene = Scene::ready().with(|scene| {
        scene.observed.grants[0].held = Ok(Rc::default());
        scene.observed.grants[0].granting = Some(lacking());
    });
    assert_eq!(scene.told(), "waits customerManagedKey/grants/kv-cmk Person");
    let detail = &scene.findings().waiting[0].detail;
    assert!(detail.contains("az role assignment create") && detail.contains("this identity lacks"), "{detail}");
    for (state, expected) in [
        (Registered::No, "refused cmk-provider at customerManagedKey/policy"),
        (Registered::Registering, "waits customerManagedKey/policy Service"),
    ] {
        let scene = Scene::bare().with(|scene| {
            scene.observed.creation.as_mut().unwrap().provider = Ok(Registration { state, locations: Vec::new() });
        });
        assert!(scene.told().contains(expected) && !scene.told().contains("create "), "{}", scene.told());
    }
    let elsewhere = Scene::bare().with(|scene| {
        let provider = Registration { state: Registered::Yes, locations: vec!["france".into()] };
        scene.observed.creation.as_mut().unwrap().provider = Ok(provider);
    });
    assert!(elsewhere.told().contains("refused cmk-location at customerManagedKey/policy"), "{}", elsewhere.told());
}

#[test]
fn only_linked_to_the_declared_policy_is_in_sync() {
    assert_eq!(Scene::linked().told(), "in sync");
    assert!(Scene::linked().codes().contains(&codes::CMK_SERVICES), "what can't be read is said");
    let status = |status: Option<LinkStatus>| {
        Scene::ready().with(|scene| scene.live.links.encryption = Some(link("cmk-eu", status))).told()
    };
    for under_way in
        [LinkStatus::Linking, LinkStatus::LinkingOnline, LinkStatus::Unlinking, LinkStatus::UnlinkingOnline]
    {
        assert_eq!(status(Some(under_way)), "waits customerManagedKey Service");
    }
    assert_eq!(status(Some(LinkStatus::Failed)), "waits customerManagedKey Person", "on which key is it?");
    assert_eq!(status(Some(LinkStatus::Other("Odd".into()))), "unknown customerManagedKey");
    assert_eq!(status(None), "unknown customerManagedKey");
    // The published contract doesn't tell what Power Platform calls the policy, and administration may leave the id out.
    let by_system_id = Scene::ready().with(|scene| {
        let link = Link { policy: None, ..link("cmk-eu", Some(LinkStatus::Linked)) };
        scene.live.links.encryption = Some(link);
    });
    assert_eq!(by_system_id.told(), "in sync");
    let nameless = Scene::ready().with(|scene| {
        let link = Link { policy: None, ..link("cmk-other", Some(LinkStatus::Linked)) };
        scene.live.links.encryption = Some(link);
    });
    assert_eq!(nameless.told(), "unknown customerManagedKey", "over what would it be linked?");
}

#[test]
fn a_failed_link_shows_why() {
    let scene = Scene::ready().with(|scene| {
        scene.live.links.encryption = Some(link("cmk-eu", Some(LinkStatus::Failed)));
        scene.observed.error = Some(Ok(Some("The key vault could not be reached.".into())));
        scene.observed.course =
            Ok(Course::Failed { times: 1, why: "NewCustomerManagedKey failed at the stage Prepare".into() });
    });
    let findings = scene.findings();
    let reason = &findings.changes[0].change.reason;
    assert!(
        reason.contains("The key vault could not be reached") && reason.contains("at the stage Prepare"),
        "{reason}"
    );
}

#[test]
fn another_policy_is_linked_over_the_one_before_in_place() {
    let scene = Scene::swapping();
    assert_eq!(scene.told(), "link customerManagedKey");
    let findings = scene.findings();
    let change = &findings.changes[0].change;
    assert_eq!((change.risk, change.impact, change.direction), (Risk::Critical, Impact::Outage, Direction::Neutral));
    assert!(change.reason.starts_with("linked over the policy cmk-old, in place"), "{}", change.reason);
    // A person does it in two steps, and the plan doesn't call that one.
    let by_hand = Scene::swapping().with(|scene| scene.surface = Surface::cloud(crate::plan::Mode::Manual)).findings();
    let reason = &by_hand.changes[0].change.reason;
    assert!(reason.contains("two outages") && !reason.contains("in place"), "{reason}");
    assert!(scene.codes().contains(&codes::CMK_FORMER_UNWATCHED));
    assert!(!Scene::swapping().retaining("2027-01-01").codes().contains(&codes::CMK_FORMER_UNWATCHED));
    // The new policy's identity gets the old key as well, retained or not.
    for scene in [Scene::swapping(), Scene::swapping().retaining("2027-01-01")] {
        let scene = scene.with(|scene| scene.observed.grants[1].held = Ok(Rc::default()));
        assert_eq!(
            scene.told(),
            "grant customerManagedKey/grants/kv-old; link customerManagedKey after customerManagedKey/grants/kv-old"
        );
    }
    // Which key that is has to be known.
    let unread = Scene::swapping().with(|scene| scene.observed.former.as_mut().unwrap().policy = Err(unreadable()));
    assert_eq!(unread.told(), "unknown customerManagedKey/linked");
    let keyless = Scene::swapping().with(|scene| scene.observed.former.as_mut().unwrap().key = None);
    assert_eq!(keyless.told(), "unknown customerManagedKey/linked");
}

#[test]
fn one_grant_on_a_vault_is_for_all_keys_in_it() {
    let scene = Scene::swapping().with(|scene| {
        let old = key("kv-cmk", "old-key");
        scene.observed.former = Some(chain("cmk-old", &old));
        scene.observed.grants[1] = Granted { held: Ok(Rc::default()), ..granted(&old) };
    });
    // It is held for one of the keys alone.
    assert_eq!(
        scene.told(),
        "grant customerManagedKey/grants/kv-cmk; link customerManagedKey after customerManagedKey/grants/kv-cmk"
    );
}

#[test]
fn a_pinned_version_is_planned_as_what_it_is() {
    let pinned = KeyRef { version: Some(VERSION.into()), ..key("kv-cmk", "pp-key") };
    let scene = Scene::bare().with(|scene| scene.protection().key = pinned.clone());
    let findings = scene.findings();
    assert_eq!(findings.changes[0].change.after["key"]["version"], VERSION);
    assert_eq!(findings.changes.last().unwrap().change.after["key"]["version"], VERSION);
    assert!(scene.codes().contains(&codes::CMK_PINNED));
    let missing = scene.with(|scene| scene.chain().seen.version = Ok(None));
    let note = missing.findings().notes.into_iter().find(|note| note.refuses()).unwrap();
    assert!(note.message.contains(&format!("has no version {VERSION}")), "{}", note.message);
}

#[test]
fn microsofts_key_is_what_the_file_says_and_nothing_else() {
    let microsoft = |scene: &mut Scene| {
        scene.declared.wanted = Wanted::Microsoft;
        scene.observed.former = scene.observed.wanted.take();
    };
    assert_eq!(Scene::ready().with(microsoft).told(), "in sync");
    let scene = Scene::linked().with(microsoft);
    assert_eq!(scene.told(), "unlink customerManagedKey");
    let findings = scene.findings();
    let planned = &findings.changes[0];
    assert_eq!((planned.change.risk, planned.change.impact), (Risk::Critical, Impact::Outage));
    assert!(planned.takes_away && planned.change.direction == Direction::Weakens);
    assert!(planned.change.reason.contains("policy, key and grant stay"), "{}", planned.change.reason);
    let status = |status: Option<LinkStatus>, course: Course| {
        let scene = Scene::linked().with(microsoft).with(|scene| {
            scene.live.links.encryption.as_mut().unwrap().status = status;
            scene.observed.course = Ok(course);
        });
        scene.told()
    };
    let failed = |times| Course::Failed { times, why: "RevertToMicrosoftKey failed".into() };
    assert_eq!(status(Some(LinkStatus::Failed), failed(1)), "unlink customerManagedKey");
    assert_eq!(status(Some(LinkStatus::Failed), failed(2)), "waits customerManagedKey Person");
    assert_eq!(
        status(Some(LinkStatus::Failed), Course::Idle),
        "waits customerManagedKey Person",
        "a first link failed"
    );
    assert_eq!(status(Some(LinkStatus::Unlinking), Course::Idle), "waits customerManagedKey Service");
    assert_eq!(status(None, Course::Idle), "unknown customerManagedKey");
    // What Power Platform calls the policy may be known from Azure alone.
    let nameless = |policy: Option<Policy>| {
        let scene = Scene::linked().with(microsoft).with(|scene| {
            scene.live.links.encryption.as_mut().unwrap().system_id = None;
            scene.observed.former.as_mut().unwrap().policy = Ok(policy.map(Rc::new));
        });
        scene.told()
    };
    assert_eq!(nameless(Some(policy("cmk-eu", &key("kv-cmk", "pp-key")))), "unlink customerManagedKey");
    assert_eq!(nameless(None), "finding cmk-at-risk at customerManagedKey/linked; unknown customerManagedKey");
}
