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
