//! What an environment is linked to keeps it alive until it is somewhere else, whatever the file wants.

use jiff::Timestamp;

use super::*;
use crate::plan::{Note, Severity};
use crate::settings::encryption_keys::demands::Onset;

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn expired(chain: &mut Chain) {
    let version = KeyVersion { expires: Some(at("2026-11-18T08:00:00Z")), ..version() };
    chain.seen.version = Ok(Some(version));
}

fn lost(findings: &Findings) -> Vec<&Note> {
    findings.notes.iter().filter(|note| note.code == codes::CMK_AT_RISK).collect()
}

/// The linked key expired, and the file wants another one, Microsoft's, or names the linked policy as a former one.
#[test]
fn a_swap_or_a_revert_that_waits_blinds_nobody() {
    let swapping = || Scene::swapping().with(|scene| expired(scene.observed.former.as_mut().unwrap()));
    let retaining = Scene::swapping().retaining("2026-12-31").with(|scene| expired(&mut scene.observed.retained[0]));
    let reverting = swapping().with(|scene| scene.declared.wanted = Wanted::Microsoft);
    let list_unread = swapping().with(|scene| scene.observed.course = Err(unreadable()));
    for (what, scene) in [("swap", swapping()), ("retained", retaining), ("revert", reverting), ("list", list_unread)] {
        let findings = scene.findings();
        let [note] = lost(&findings)[..] else { panic!("{what}: {}", scene.told()) };
        assert_eq!(note.address.as_str(), "prod/customerManagedKey/linked", "{what}");
        assert!(note.message.contains("old-key in kv-old expired"), "{what}: {}", note.message);
        assert!(note.message.contains("deleted on 2026-12-18 at the earliest"), "{what}: {}", note.message);
        let needs = &findings.lifelines[0].needs;
        assert!(needs.contains(&policy_id("cmk-old")) && needs.contains(&key("kv-old", "x").vault.into()), "{what}");
    }
    assert!(lost(&Scene::swapping().findings()).is_empty());
}

/// The policy refers to another key than the file says: that one is what the environment is encrypted with.
#[test]
fn the_policys_own_key_is_watched_and_not_the_declared_one() {
    let other = key("kv-old", "old-key");
    let scene = Scene::linked().with(|scene| {
        scene.chain().policy = Ok(Some(Rc::new(policy("cmk-eu", &other))));
        let mut own = chain("cmk-eu", &other);
        expired(&mut own);
        scene.observed.former = Some(own);
        scene.live.runtime = Some(Runtime::Disabled);
    });
    let findings = scene.findings();
    assert!(lost(&findings)[0].message.contains("old-key in kv-old expired"), "{}", scene.told());
    assert!(findings.notes.iter().any(|note| note.code == codes::CMK_LOCKED));
    assert!(findings.changes.is_empty(), "nobody is asked to enable it: {}", scene.told());
    let needs = &findings.lifelines[0].needs;
    assert!(needs.contains(&other.vault.into()) && !needs.contains(&key("kv-cmk", "x").vault.into()), "{needs:?}");
}

/// While something goes on in an environment that is on Microsoft's key, nothing of the declared one can shut it down.
#[test]
fn nothing_is_at_risk_that_nothing_is_encrypted_with() {
    let busy = Course::Unclear("Reset goes on".into());
    let scene = Scene::bare().with(|scene| scene.observed.course = Ok(busy));
    assert_eq!(scene.told(), "unknown customerManagedKey");
    let broken = Scene::ready().with(|scene| {
        scene.observed.course = Ok(Course::Unclear("Reset goes on".into()));
        expired(scene.chain());
    });
    assert_eq!(broken.told(), "unknown customerManagedKey");
}

/// Nobody is asked to enable an environment of which it isn't known whether it can reach its key.
#[test]
fn what_is_unread_is_no_reason_to_enable() {
    type Unread = fn(&mut Scene);
    let table: [(&str, Unread); 4] = [
        ("the policy", |scene| scene.chain().policy = Err(unreadable())),
        ("the vault", |scene| scene.chain().seen.vault = Err(unreadable())),
        ("the key", |scene| scene.chain().seen.version = Err(unreadable())),
        ("the grant", |scene| scene.observed.grants[0].held = Err(unreadable())),
    ];
    for (what, unread) in table {
        let locked = Scene::linked().with(unread).with(|scene| scene.live.runtime = Some(Runtime::Disabled));
        let findings = locked.findings();
        assert!(findings.changes.is_empty(), "{what}: {}", locked.told());
        let note = findings.notes.iter().find(|note| note.code == codes::CMK_LOCKED).unwrap();
        assert!(note.message.contains("whether it can reach its key could not be read"), "{what}: {}", note.message);
    }
    // Nor where the policy itself is switched off.
    let off = Scene::linked().with(|scene| {
        let mut policy = policy("cmk-eu", &key("kv-cmk", "pp-key"));
        policy.key.as_mut().unwrap().state = Some("Disabled".into());
        scene.chain().policy = Ok(Some(Rc::new(policy)));
        scene.live.runtime = Some(Runtime::Disabled);
    });
    assert!(off.findings().changes.is_empty(), "{}", off.told());
    assert!(lost(&off.findings())[0].message.contains("deleted 30 days after that"), "{}", off.told());
}

/// A date is only told where nothing can have begun sooner.
#[test]
fn several_losses_are_dated_by_the_one_that_may_have_begun_first() {
    let (one, other) = (at("2026-11-01T00:00:00Z"), at("2026-11-10T00:00:00Z"));
    let table = [
        (Onset::Never, Onset::At(one), Onset::At(one)),
        (Onset::At(other), Onset::At(one), Onset::At(one)),
        (Onset::At(one), Onset::Within(other), Onset::Within(one)),
        (Onset::At(one), Onset::Untold, Onset::Untold),
        (Onset::Never, Onset::Never, Onset::Never),
    ];
    for (left, right, sooner) in table {
        assert_eq!((left.sooner(right), right.sooner(left)), (sooner, sooner));
    }
    // An expiry that is still to come says nothing of what is lost already.
    let scene = Scene::linked().with(|scene| {
        scene.live.runtime = Some(Runtime::Disabled);
        scene.observed.grants[0].held = Ok(Rc::default());
        let soon = KeyVersion { expires: Some(at("2026-12-01T00:00:00Z")), ..version() };
        scene.chain().seen.version = Ok(Some(soon));
    });
    let findings = scene.findings();
    let locked = findings.notes.iter().find(|note| note.code == codes::CMK_LOCKED).unwrap();
    assert!(locked.message.contains("deleted 30 days after it was locked") && locked.severity == Severity::Error);
}

/// A disabled key may be locked on purpose: no rotation makes a version of it that isn't.
#[test]
fn a_disabled_key_is_not_rotated() {
    let scene = Scene::linked().with(|scene| {
        scene.protection().upkeep.rotated_after = Some(at("2026-11-01T00:00:00Z"));
        scene.protection().provision = false;
        scene.chain().seen.version = Ok(Some(KeyVersion { enabled: Some(false), ..version() }));
    });
    assert!(scene.findings().changes.is_empty(), "{}", scene.told());
    // Nor is one of which it isn't known that it is the policy's.
    let unread = Scene::linked().with(|scene| {
        scene.protection().upkeep.rotated_after = Some(at("2026-11-01T00:00:00Z"));
        scene.chain().policy = Err(unreadable());
    });
    assert!(unread.findings().changes.is_empty(), "{}", unread.told());
}

/// An approval brings back what was lost when it was given, and nothing that is taken away later.
#[test]
fn a_repair_is_approved_for_one_loss() {
    let disabled = |updated: &str| {
        let updated = Some(at(updated));
        let scene = Scene::linked().with(|scene| {
            let version = KeyVersion { enabled: Some(false), updated, ..version() };
            scene.chain().seen.versions = Ok([version.clone()].into());
            scene.chain().seen.version = Ok(Some(version));
        });
        scene.findings().changes[0].change.intent()
    };
    assert_eq!(disabled("2026-11-18T08:00:00Z"), disabled("2026-11-18T08:00:00Z"));
    assert_ne!(disabled("2026-11-18T08:00:00Z"), disabled("2026-11-19T08:00:00Z"));
}

/// What a vault rotates in time needs nobody: neither where the file declares its rotation nor where it says nothing.
#[test]
fn a_key_that_its_vault_rotates_in_time_is_no_alarm() {
    use crate::azure::keys::{IsoDuration, RotationPolicy, Trigger};
    type Policy = fn(&mut RotationPolicy);
    // The key is 2000 hours (83 days) old, and expires in 10 days.
    let told = |rotation: Option<Policy>| {
        let scene = Scene::linked().with(|scene| {
            let soon = KeyVersion { expires: Some(at("2026-11-30T12:00:00Z")), ..version() };
            scene.chain().seen.version = Ok(Some(soon));
            scene.chain().seen.rotation = rotation.map(|change| {
                let mut policy = RotationPolicy::default();
                change(&mut policy);
                Ok(Rc::new(policy))
            });
        });
        let expires = |note: &&Note| note.code == codes::CMK_KEY_EXPIRES;
        scene.findings().notes.iter().find(expires).map(|note| note.message.clone())
    };
    assert!(told(None).is_some());
    assert!(told(Some(|_| {})).is_some(), "it doesn't rotate by itself");
    assert_eq!(told(Some(|it| it.rotate = Some(Trigger::AfterCreation(IsoDuration::of_days(90))))), None);
    assert_eq!(told(Some(|it| it.rotate = Some(Trigger::BeforeExpiry(IsoDuration::of_days(7))))), None);
    assert!(
        told(Some(|it| it.rotate = Some(Trigger::AfterCreation(IsoDuration::of_days(80))))).is_some(),
        "it is overdue"
    );
    assert!(told(Some(|it| it.rotate = Some(Trigger::AfterCreation(IsoDuration::of_days(100))))).is_some(), "too late");
    let unread = Scene::linked().with(|scene| {
        let soon = KeyVersion { expires: Some(at("2026-11-30T12:00:00Z")), ..version() };
        scene.chain().seen.version = Ok(Some(soon));
        scene.chain().seen.rotation = Some(Err(unreadable()));
    });
    let note = unread.findings().notes.into_iter().find(|note| note.code == codes::CMK_KEY_EXPIRES).unwrap();
    assert!(note.message.contains("whether the vault rotates it before that could not be read"), "{}", note.message);
}

/// A version of the last day isn't in use yet: what is wrong with it is told for when it will be.
#[test]
fn a_new_version_that_cannot_be_used_is_told_before_it_is_in_use() {
    let newest = |change: fn(&mut KeyVersion)| {
        Scene::linked().with(|scene| {
            let made = now() - jiff::SignedDuration::from_hours(1);
            let mut newest =
                KeyVersion { version: Some("f".repeat(32)), created: Some(made), updated: Some(made), ..version() };
            change(&mut newest);
            scene.chain().seen.version = Ok(Some(newest.clone()));
            scene.chain().seen.versions = Ok([newest, version()].into());
        })
    };
    for change in
        [(|it| it.enabled = Some(false)) as fn(&mut KeyVersion), |it| it.not_before = Some(at("2027-01-01T00:00:00Z"))]
    {
        let findings = newest(change).findings();
        let note = lost(&findings)[0];
        assert!(note.message.contains("it isn't in use yet"), "{}", note.message);
        assert!(note.message.contains("is shut down then, and deleted on 2026-12-21"), "{}", note.message);
    }
}

/// While it is being put on another policy, an environment lives on what it leaves as well.
#[test]
fn what_is_being_left_is_watched_until_the_change_is_over() {
    let swapping = |scene: Scene| {
        scene.with(|scene| {
            scene.live.links.encryption = Some(link("cmk-eu", Some(LinkStatus::Linking)));
            scene.observed.former = None;
            scene.observed.course = Ok(Course::UnderWay(crate::settings::lifecycle::UnderWay {
                what: "RotateCustomerManagedKey".into(),
                stage: None,
                since: None,
            }));
        })
    };
    let retaining =
        swapping(Scene::swapping().retaining("2026-12-31")).with(|scene| expired(&mut scene.observed.retained[0]));
    let findings = retaining.findings();
    let note = lost(&findings)[0];
    assert_eq!(note.address.as_str(), "prod/customerManagedKey/retained/cmk-old");
    assert!(note.message.contains("deleted on 2026-12-18 at the earliest"), "{}", note.message);
    assert!(findings.lifelines.iter().any(|lifeline| lifeline.needs.contains(&policy_id("cmk-old"))));
    // What can't be read of it is said.
    type Unread = fn(&mut Chain);
    let table: [(&str, Unread); 4] = [
        ("the policy", |chain| chain.policy = Err(unreadable())),
        ("the vault", |chain| chain.seen.vault = Err(unreadable())),
        ("the key", |chain| chain.seen.version = Err(unreadable())),
        ("the grant", |chain| chain.own.as_mut().unwrap().held = Err(unreadable())),
    ];
    for (what, unread) in table {
        let blind = swapping(Scene::swapping().retaining("2026-12-31"));
        let told = blind.with(|scene| unread(&mut scene.observed.retained[0])).told();
        assert!(told.contains("unknown customerManagedKey/retained/cmk-old"), "{what}: {told}");
    }
    // An entry that leads nowhere, or is over, is none that is being left.
    let misspelt =
        swapping(Scene::swapping().retaining("2026-12-31")).with(|scene| scene.observed.retained[0].policy = Ok(None));
    let over =
        swapping(Scene::swapping().retaining("2026-11-01")).with(|scene| expired(&mut scene.observed.retained[0]));
    for unseen in [swapping(Scene::swapping()), misspelt, over] {
        let findings = unseen.findings();
        assert!(findings.notes.iter().any(|note| note.code == codes::CMK_UNWATCHED), "{}", unseen.told());
        assert!(lost(&findings).is_empty(), "{}", unseen.told());
    }
}

/// Whether an identity that Azure doesn't name may use the key can't be told, and isn't taken for granted.
#[test]
fn an_identity_that_azure_does_not_name_is_told() {
    let nameless = |chain: &mut Chain| {
        let key = chain.key.clone().unwrap();
        chain.policy = Ok(Some(Rc::new(Policy { principal: None, ..policy("cmk-old", &key) })));
        chain.own = None;
    };
    let left = Scene::swapping().with(|scene| nameless(scene.observed.former.as_mut().unwrap()));
    assert!(left.told().contains("unknown customerManagedKey/linked"), "{}", left.told());
    let former = Scene::linked().retaining("2026-12-31").with(|scene| nameless(&mut scene.observed.retained[0]));
    assert!(former.told().contains("unknown customerManagedKey/retained/cmk-old"), "{}", former.told());
}

/// A former version that is still needed, and of which Azure doesn't say whether it is enabled, isn't fine.
#[test]
fn a_former_version_of_which_nothing_is_said_is_unknown() {
    let rotated = |hours| {
        Scene::linked().with(|scene| {
            let made = now() - jiff::SignedDuration::from_hours(hours);
            let newest = KeyVersion { version: Some("f".repeat(32)), created: Some(made), ..version() };
            let before = KeyVersion { enabled: None, ..version() };
            scene.chain().seen.version = Ok(Some(newest.clone()));
            scene.chain().seen.versions = Ok([newest, before].into());
        })
    };
    for hours in [1, 27 * 24] {
        let findings = rotated(hours).findings();
        let [unknown] = &findings.unknown[..] else { panic!("{hours}: {}", rotated(hours).told()) };
        let why = &unknown.reason;
        assert!(why.contains(&format!("whether the version {VERSION}")) && why.contains("is enabled"), "{why}");
    }
    assert!(rotated(28 * 24).findings().unknown.is_empty(), "nothing needs it any more");
}

/// What can't be used is out of reach, whichever way it came to that.
#[test]
fn nobody_is_asked_to_enable_what_cannot_use_its_key() {
    type Unfit = fn(&mut KeyVersion);
    let table: [Unfit; 3] =
        [|it| it.operations = Some(vec!["sign".into()]), |it| it.size = Some(4096), |it| it.kind = Some("EC".into())];
    for unfit in table {
        let scene = Scene::linked().with(|scene| {
            let mut changed = version();
            unfit(&mut changed);
            scene.chain().seen.version = Ok(Some(changed));
            scene.live.runtime = Some(Runtime::Disabled);
        });
        let findings = scene.findings();
        assert!(findings.changes.is_empty(), "{}", scene.told());
        let locked = findings.notes.iter().find(|note| note.code == codes::CMK_LOCKED).unwrap();
        assert!(locked.message.contains("it can't reach its key"), "{}", locked.message);
    }
}
