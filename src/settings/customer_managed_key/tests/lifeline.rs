//! What locks an environment: each trigger, what is said of it, with which date, and what brings it back.

use jiff::{SignedDuration, Timestamp};

use super::*;
use crate::azure::keys::DeletedKey;
use crate::azure::vaults::DeletedVault;
use crate::plan::{Action, Mode, Note, Risk, Severity};
use crate::settings::customer_managed_key::watch;
use crate::settings::encryption_keys::observe::Kept;
use crate::settings::encryption_keys::{Rotation, upkeep};

const DAY: SignedDuration = SignedDuration::from_hours(24);
const NEWER: &str = "fedcba9876543210fedcba9876543210";

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn version_with(scene: &mut Scene, change: impl FnOnce(&mut KeyVersion)) {
    let mut changed = version();
    change(&mut changed);
    scene.chain().seen.versions = Ok([changed.clone()].into());
    scene.chain().seen.version = Ok(Some(changed));
}

/// The key has a version that was made `age` ago, after the usual one, which then is as `former` makes it.
fn rotated(scene: &mut Scene, age: SignedDuration, former: impl FnOnce(&mut KeyVersion)) {
    let mut before = version();
    former(&mut before);
    let newest = KeyVersion { version: Some(NEWER.into()), created: Some(now() - age), ..version() };
    scene.chain().seen.version = Ok(Some(newest.clone()));
    scene.chain().seen.versions = Ok([newest, before].into());
}

fn vault_with(scene: &mut Scene, properties: &[(&str, Json)]) {
    scene.chain().seen.vault = Ok(Some(Rc::new(vault(properties))));
}

/// What is broken, the words that say so, those that say when, and what a plan does about it.
type Row = (&'static str, fn(&mut Scene), &'static str, &'static str, &'static str);

const ON_DATE: &str = "deleted on 2026-12-18 at the earliest";
const OR_SOONER: &str = "deleted on 2026-12-18, or sooner";
const UNDATED: &str = "deleted 30 days after that";

const TRIGGERS: &[Row] = &[
    (
        "the key is disabled",
        |scene| {
            version_with(scene, |it| (it.enabled, it.updated) = (Some(false), Some(at("2026-11-18T08:00:00Z"))));
        },
        "is disabled, since 2026-11-18T08:00:00Z at the latest; the key has no other enabled version",
        OR_SOONER,
        "enable key/0123456789abcdef0123456789abcdef",
    ),
    (
        "the key expired",
        |scene| version_with(scene, |it| it.expires = Some(at("2026-11-18T08:00:00Z"))),
        "expired at 2026-11-18T08:00:00Z",
        ON_DATE,
        "",
    ),
    (
        "the key expires soon",
        |scene| version_with(scene, |it| it.expires = Some(now() + DAY * 30)),
        "expires at 2026-12-20T12:00:00Z, in 30 days",
        "deleted on 2027-01-19 at the earliest",
        "",
    ),
    (
        "the key isn't valid yet",
        |scene| version_with(scene, |it| it.not_before = Some(now() + DAY)),
        "can't be used before",
        UNDATED,
        "",
    ),
    (
        "the key was deleted",
        |scene| {
            let deleted =
                DeletedKey { deleted: Some(at("2026-11-18T08:00:00Z")), purged: Some(at("2027-02-16T08:00:00Z")) };
            scene.chain().seen.version = Ok(None);
            scene.chain().seen.kept = Some(Ok(Kept::Key(deleted)));
        },
        "was deleted at 2026-11-18T08:00:00Z; it can be recovered until 2027-02-16T08:00:00Z",
        ON_DATE,
        "recover key/recovered",
    ),
    (
        "the key is gone for good",
        |scene| {
            scene.chain().seen.version = Ok(None);
            scene.chain().seen.kept = Some(Ok(Kept::Nothing));
        },
        "has no key pp-key, nor a deleted one",
        UNDATED,
        "",
    ),
    (
        "the vault was deleted",
        |scene| {
            let deleted = DeletedVault {
                id: key("kv-cmk", "pp-key").vault,
                location: "northeurope".into(),
                deleted: Some(at("2026-11-18T08:00:00Z")),
                purged: None,
                purge_protected: Some(true),
            };
            scene.chain().seen.vault = Ok(None);
            scene.chain().seen.kept = Some(Ok(Kept::Vault(deleted)));
        },
        "the vault kv-cmk was deleted at 2026-11-18T08:00:00Z",
        ON_DATE,
        "recover key/vault",
    ),
    (
        "the grant is lost",
        |scene| scene.observed.grants[0].held = Ok(Rc::default()),
        "the identity of the policy cmk-eu may not use the keys in kv-cmk",
        UNDATED,
        "grant grants/kv-cmk",
    ),
    (
        "the vault goes by access policies now",
        |scene| {
            let switched = Rc::new(vault(&[("enableRbacAuthorization", json!(false))]));
            scene.chain().seen.vault = Ok(Some(switched.clone()));
            scene.observed.grants[0].vault = Ok(Some(switched));
        },
        "the vault goes by access policies, and none allows it; Azure roles don't count there",
        UNDATED,
        "grant grants/kv-cmk",
    ),
    (
        "the network is closed",
        |scene| vault_with(scene, &[("networkAcls", json!({ "bypass": "None", "defaultAction": "Deny" }))]),
        "trusted Microsoft services aren't let in",
        UNDATED,
        "",
    ),
    (
        "the policy is gone",
        |scene| scene.chain().policy = Ok(None),
        "Azure has no enterprise policy cmk-eu",
        UNDATED,
        "",
    ),
    (
        "purge protection is off",
        |scene| vault_with(scene, &[("enablePurgeProtection", Json::Null)]),
        "purge protection is off",
        UNDATED,
        "",
    ),
    (
        "a version that may be in use is disabled",
        |scene| {
            rotated(scene, DAY / 2, |it| (it.enabled, it.updated) = (Some(false), Some(at("2026-11-18T08:00:00Z"))))
        },
        "which may still be in use",
        OR_SOONER,
        "enable key/0123456789abcdef0123456789abcdef",
    ),
    (
        "a version that may be in use expired",
        |scene| rotated(scene, DAY / 2, |it| it.expires = Some(at("2026-11-18T08:00:00Z"))),
        "expired at 2026-11-18T08:00:00Z, which may still be in use",
        ON_DATE,
        "",
    ),
    (
        "a version that is still needed is disabled",
        |scene| rotated(scene, DAY * 27, |it| it.enabled = Some(false)),
        "a former version must stay enabled for 28 days",
        UNDATED,
        "enable key/0123456789abcdef0123456789abcdef",
    ),
];

fn worst(findings: &Findings) -> &Note {
    let is_error = |note: &&Note| note.severity == Severity::Error;
    findings.notes.iter().find(is_error).unwrap_or_else(|| panic!("nothing was found: {:?}", findings.notes))
}

#[test]
fn every_trigger_is_told_with_its_date_and_repaired_only_as_something_critical() {
    for (name, broken, says, when, repair) in TRIGGERS {
        let findings = Scene::linked().with(broken).findings();
        let note = worst(&findings);
        assert!(note.message.contains(says) && note.message.contains(when), "{name}: {}", note.message);
        assert!(!note.refuses(), "{name} must not hold back what has nothing to do with it");
        let changes: Vec<String> = findings
            .changes
            .iter()
            .map(|one| {
                format!(
                    "{} {}",
                    one.change.action,
                    one.change.address.within_scope().replace("customerManagedKey/", "")
                )
            })
            .collect();
        assert_eq!(changes.join("; "), *repair, "{name}");
        for planned in &findings.changes {
            assert_eq!(planned.change.risk, Risk::Critical, "{name}");
            assert!(planned.change.reason.starts_with(upkeep::LOCKDOWN), "{name}: {}", planned.change.reason);
            assert_eq!(note.bearing.repaired_by.as_ref(), Some(&planned.change.address), "{name}");
        }
        // Without `provision`, palisade only looks; while something goes on there as well.
        let looks = Scene::linked().with(broken).with(|scene| scene.protection().provision = false);
        assert!(looks.findings().changes.is_empty(), "{name}");
        let busy = Course::UnderWay(crate::settings::lifecycle::UnderWay {
            what: "NewCustomerManagedKey".into(),
            stage: None,
            since: None,
        });
        let busy = Scene::linked().with(broken).with(|scene| scene.observed.course = Ok(busy));
        assert!(busy.findings().changes.is_empty(), "{name}");
    }
}

/// The same is told of an environment whose file says nothing of keys, and nothing is planned there.
#[test]
fn an_environment_that_declares_nothing_is_watched_as_well() {
    for (name, broken, says, when, _) in TRIGGERS {
        let scene = Scene::linked().with(broken);
        let mut chain = scene.observed.wanted.clone().unwrap();
        let granted = scene.observed.grants[0].clone();
        let observed = Observed {
            former: Some(Chain {
                own: Some(granted),
                id: std::mem::replace(&mut chain.id, policy_id("cmk-eu")),
                ..chain
            }),
            wanted: None,
            ..scene.observed.clone()
        };
        let findings = scene.watched(&observed);
        let note = worst(&findings);
        assert!(note.message.contains(says) && note.message.contains(when), "{name}: {}", note.message);
        assert!(findings.changes.is_empty() && findings.unknown.is_empty() && findings.in_sync == 0, "{name}");
        assert_eq!(findings.lifelines[0].needs.len(), 3, "{name}");
    }
    // On Microsoft's key, there is nothing to say; and what can't be read is told, as loud as it deserves.
    let ready = Scene::ready();
    assert!(ready.watched(&ready.observed).notes.is_empty());
    let unread = Scene::linked().with(|scene| scene.observed.former = Some(chain("cmk-eu", &key("kv-cmk", "pp-key"))));
    let unread = unread.with(|scene| scene.observed.former.as_mut().unwrap().policy = Err(unreadable()));
    let told = unread.watched(&unread.observed);
    assert_eq!((told.notes[0].code == codes::CMK_UNWATCHED, told.notes[0].severity), (true, Severity::Error));
}

#[test]
fn what_is_fine_is_not_told() {
    type Change = (&'static str, fn(&mut Scene));
    let fine: &[Change] = &[
        ("expires later", |scene| version_with(scene, |it| it.expires = Some(now() + DAY * 31))),
        ("was replaced long ago", |scene| rotated(scene, DAY * 28, |it| it.enabled = Some(false))),
        ("both versions are enabled", |scene| rotated(scene, DAY * 2, |_| {})),
        ("a smaller margin is declared", |scene| {
            version_with(scene, |it| it.expires = Some(now() + DAY * 20));
            scene.protection().upkeep.warn_before = Some(DAY * 10);
        }),
    ];
    for (name, change) in fine {
        let findings = Scene::linked().with(change).findings();
        assert!(findings.notes.iter().all(|note| note.severity != Severity::Error), "{name}: {:?}", findings.notes);
    }
}

/// The dates are those of the environment's type.
#[test]
fn a_sandbox_is_deleted_sooner_and_of_other_types_no_date_is_told() {
    let expired = |scene: &mut Scene| version_with(scene, |it| it.expires = Some(at("2026-11-18T08:00:00Z")));
    let told = |sku: Sku| {
        let scene = Scene::linked().with(expired).with(|scene| scene.live.sku = Some(sku));
        worst(&scene.findings()).message.clone()
    };
    assert!(told(Sku::Sandbox).contains("deleted on 2026-11-25 at the earliest"), "{}", told(Sku::Sandbox));
    assert!(
        told(Sku::Developer).contains("when isn't documented for environments of its type"),
        "{}",
        told(Sku::Developer)
    );
}

/// Whoever is locked is asked to enable the environment once what was lost is back, and not before.
#[test]
fn a_locked_environment_is_enabled_by_a_person_after_the_repairs() {
    let locked = |broken: fn(&mut Scene)| {
        Scene::linked().with(broken).with(|scene| scene.live.runtime = Some(Runtime::Disabled)).findings()
    };
    let disabled = locked(|scene| version_with(scene, |it| it.enabled = Some(false)));
    let runtime = &disabled
        .changes
        .iter()
        .find(|one| one.change.action == Action::Resume && one.change.mode() == Mode::Manual)
        .unwrap()
        .change;
    assert_eq!(runtime.address.as_str(), "prod/customerManagedKey/runtime");
    assert_eq!(runtime.requires.len(), 1, "the repair comes first");
    assert!(runtime.manual().unwrap().shown_by.contains("Enabled") && runtime.risk == Risk::Critical);
    let first: Vec<&Note> = disabled.notes.iter().filter(|note| note.bearing.first.is_some()).collect();
    assert!(first.len() == 1 && first[0].code == codes::CMK_LOCKED);
    // What no change brings back keeps it locked.
    let lost = locked(|scene| scene.chain().policy = Ok(None));
    assert!(lost.changes.is_empty() && lost.notes.iter().any(|note| note.code == codes::CMK_LOCKED));
    // The date is the earliest that is told.
    let dated = locked(|scene| version_with(scene, |it| it.expires = Some(at("2026-11-18T08:00:00Z"))));
    let note = dated.notes.iter().find(|note| note.code == codes::CMK_LOCKED).unwrap();
    assert!(note.message.contains(OR_SOONER), "{}", note.message);
}

/// Once all is back, nobody is told any more that the key is out of reach.
#[test]
fn an_environment_that_can_reach_its_key_again_is_still_to_be_enabled() {
    let back = Scene::linked().with(|scene| scene.live.runtime = Some(Runtime::Disabled)).findings();
    let note = back.notes.iter().find(|note| note.code == codes::CMK_LOCKED).unwrap();
    assert!(note.message.contains("nothing that was read is known to keep it from its key"), "{}", note.message);
    assert!(note.message.contains("deleted 30 days after it was locked"), "{}", note.message);
    assert_eq!(back.changes.len(), 1);
    // A key that only may expire keeps nobody from it.
    let soon = Scene::linked().with(|scene| version_with(scene, |it| it.expires = Some(now() + DAY)));
    let soon = soon.with(|scene| scene.live.runtime = Some(Runtime::Disabled)).findings();
    let note = soon.notes.iter().find(|note| note.code == codes::CMK_LOCKED).unwrap();
    assert!(note.message.contains("nothing that was read is known to keep it"), "{}", note.message);
}

/// Only `Unhealthy` is a fault; what else Azure says of a policy's health is passed on.
#[test]
fn a_policys_health_is_told_as_what_it_is() {
    use crate::azure::power_platform::policies::Health;
    let told = |health: Health| {
        let scene = Scene::linked().with(|scene| {
            let mut policy = policy("cmk-eu", &key("kv-cmk", "pp-key"));
            policy.health = Some(health.clone());
            scene.chain().policy = Ok(Some(Rc::new(policy)));
        });
        let findings = scene.findings();
        let about = |note: &&Note| note.message.contains("health of the policy") || note.message.contains("Unhealthy");
        findings.notes.iter().find(about).map(|note| (note.code.to_string(), note.severity))
    };
    assert_eq!(told(Health::Healthy), None);
    assert_eq!(told(Health::Undetermined), Some(("cmk-health".into(), Severity::Info)));
    assert_eq!(told(Health::Warning), Some(("cmk-health".into(), Severity::Warning)));
    assert_eq!(told(Health::Other("Odd".into())), Some(("cmk-health".into(), Severity::Warning)));
    assert_eq!(told(Health::Unhealthy), Some(("cmk-at-risk".into(), Severity::Error)));
}

#[test]
fn a_key_is_rotated_once_for_all_that_ask() {
    let asking = |after: &str| {
        let after = at(after);
        Scene::linked().with(|scene| scene.protection().upkeep.rotated_after = Some(after))
    };
    // The usual version is 2000 hours old.
    assert_eq!(asking("2026-11-01T00:00:00Z").told(), "rotate customerManagedKey/key/version; in sync");
    assert_eq!(asking("2026-01-01T00:00:00Z").told(), "in sync", "it is younger");
    assert_eq!(asking("2026-12-01T00:00:00Z").told(), "in sync", "that is still to come");
    let done = asking("2026-11-01T00:00:00Z").with(|scene| rotated(scene, DAY / 2, |_| {}));
    assert_eq!(done.told(), "waits customerManagedKey/key/version Service; in sync", "picked up within a day");
    let later = asking("2026-11-01T00:00:00Z").with(|scene| rotated(scene, DAY * 2, |_| {}));
    assert_eq!(later.told(), "in sync");
    let unread = asking("2026-11-01T00:00:00Z").with(|scene| scene.chain().seen.versions = Err(unreadable()));
    assert!(unread.findings().changes.is_empty() && unread.told().contains("unknown"), "{}", unread.told());
}

#[test]
fn the_rotation_policy_is_the_vaults_own_and_keeps_what_is_not_declared() {
    use crate::azure::keys::{IsoDuration, RotationPolicy, Trigger};
    let rotating = |live: RotationPolicy, expire_after: Option<u32>| {
        Scene::linked().with(|scene| {
            scene.protection().upkeep.rotation = Some(Rotation { rotate_after: 90, expire_after });
            scene.observed.rotation = Some(Ok(Rc::new(live)));
        })
    };
    let policy = |days: Option<u32>, expiry: Option<&str>| {
        let mut policy = RotationPolicy::default();
        policy.rotate = days.map(|days| Trigger::AfterCreation(IsoDuration::of_days(days)));
        policy.expiry = expiry.map(|text| text.parse().unwrap());
        policy
    };
    let set = "update customerManagedKey/key/rotationPolicy; in sync";
    assert_eq!(rotating(policy(None, None), None).told(), set);
    assert_eq!(rotating(policy(Some(30), None), None).told(), set);
    assert_eq!(rotating(policy(Some(90), None), None).told(), "in sync");
    assert_eq!(rotating(policy(Some(90), Some("P2Y")), None).told(), "in sync", "its expiry isn't declared");
    assert_eq!(rotating(policy(Some(90), Some("P2Y")), Some(180)).told(), set);
    assert!(
        rotating(policy(Some(90), Some("P180D")), Some(180))
            .codes()
            .iter()
            .any(|code| code.name() == "cmk-versions-expire")
    );
    let refused = "refused cmk-rotation-policy at customerManagedKey/key/rotationPolicy; in sync";
    assert_eq!(rotating(policy(None, Some("P96D")), None).told(), refused, "it would expire within the last 7 days");
    let unread = rotating(policy(None, None), None).with(|scene| scene.observed.rotation = Some(Err(unreadable())));
    assert_eq!(unread.told(), "unknown customerManagedKey/key/rotationPolicy; in sync");
}

impl Scene {
    fn watched(&self, observed: &Observed) -> Findings {
        self.comparing(|comparing| watch::compare(observed, comparing))
    }
}
