//! What is kept: former keys for backups, and whatever keeps a linked environment alive.

use super::*;
use crate::azure::power_platform::operations::Kind;
use crate::settings::customer_managed_key::codes;

fn linked(until: &str) -> Scene {
    Scene::linked().retaining(until)
}

#[test]
fn former_keys_are_kept_watched_and_said_to_be_retirable() {
    assert_eq!(linked("2026-11-20").told(), "in sync");
    assert!(!linked("2026-11-20").codes().contains(&codes::CMK_RETIRABLE), "the last day counts");
    assert!(linked("2026-11-19").codes().contains(&codes::CMK_RETIRABLE));
    // The list of operations tells when the change was.
    let changed = |until: &str, days: i64| {
        let at = now() - jiff::SignedDuration::from_hours(24 * days);
        linked(until).with(|scene| {
            scene.observed.course = Ok(Course::Succeeded { what: Kind::RotateCustomerManagedKey, at: Some(at) })
        })
    };
    assert!(changed("2026-11-19", 10).codes().contains(&codes::CMK_RETAINED), "too early");
    assert!(!changed("2026-11-19", 10).codes().contains(&codes::CMK_RETIRABLE));
    assert!(changed("2026-11-19", 31).codes().contains(&codes::CMK_RETIRABLE));
    // For a version of the same key it is 28 days.
    let version =
        |days| changed("2026-11-01", days).with(|scene| scene.declared.retained[0].key = key("kv-cmk", "pp-key"));
    assert!(version(29).codes().contains(&codes::CMK_RETIRABLE));
    assert!(!changed("2026-11-01", 29).codes().contains(&codes::CMK_RETIRABLE));
}

/// Whoever follows the advice destroys the data of whatever still needs the key.
#[test]
fn nothing_is_called_no_longer_needed_while_something_needs_it() {
    let retirable = |scene: Scene| {
        let notes = scene.findings().notes;
        notes.into_iter().find(|note| note.code == codes::CMK_RETIRABLE).map(|note| note.message)
    };
    let pending = || Scene::swapping().retaining("2020-01-01");
    assert_eq!(retirable(pending()), None, "it is linked, and the swap is still to come");
    let elsewhere =
        |what: ResourceId| linked("2020-01-01").with(|scene| scene.elsewhere = vec![Elsewhere::of("test", what)]);
    let shared = elsewhere(policy_id("CMK-OLD")).findings().notes;
    let shared = shared.iter().find(|note| note.code == codes::CMK_RETIRABLE).unwrap();
    let help = shared.help.as_deref().unwrap();
    assert!(help.contains("named by test as well") && !help.contains("by hand"), "another one may need it: {help}");
    let key_in_use = key("kv-old", "old-key").resource().unwrap();
    assert_eq!(
        retirable(elsewhere(key_in_use)).unwrap(),
        "the policy cmk-old has not been needed by this environment since 2020-01-01",
        "another policy has its key"
    );
    let same_key = linked("2020-01-01").with(|scene| scene.declared.retained[0].key = key("KV-CMK", "PP-KEY"));
    assert_eq!(
        retirable(same_key).unwrap(),
        "the policy cmk-old has not been needed by this environment since 2020-01-01"
    );
    let reverting = linked("2020-01-01").with(|scene| scene.declared.wanted = Wanted::Microsoft);
    assert_eq!(retirable(reverting), None, "it is to be put back on Microsoft's key first");
    let under_way = linked("2020-01-01").with(|scene| scene.observed.course = Ok(Course::Unclear("x".into())));
    assert_eq!(retirable(under_way), None);
    assert!(retirable(linked("2020-01-01")).is_some());
}

#[test]
fn a_former_policy_that_is_declared_with_another_key_is_refused() {
    let wrong = |scene: Scene| scene.with(|scene| scene.declared.retained[0].key = key("kv-other", "other-key"));
    const REFUSED: &str = "refused cmk-policy-key at customerManagedKey/retained/cmk-old";
    assert_eq!(wrong(Scene::swapping().retaining("2026-12-31")).told(), REFUSED, "nothing is granted on another vault");
    assert_eq!(wrong(linked("2026-12-31")).told(), format!("{REFUSED}; in sync"));
    // Which key the new policy's identity needs has to be known.
    let unread = Scene::swapping().retaining("2026-12-31").with(|scene| {
        scene.observed.retained[0].policy = Err(unreadable());
    });
    assert_eq!(unread.told(), "unknown customerManagedKey/linked");
}

#[test]
fn a_former_key_that_is_needed_must_be_usable() {
    type Broken = fn(&mut Chain);
    fn of_version(chain: &mut Chain, change: fn(&mut KeyVersion)) {
        let mut version = version();
        change(&mut version);
        chain.seen.version = Ok(Some(version));
    }
    let table: [(&str, Broken); 8] = [
        ("a former version is disabled too early", |chain| {
            let newest = KeyVersion {
                version: Some("f".repeat(32)),
                created: Some(now() - jiff::SignedDuration::from_hours(48)),
                ..version()
            };
            let before = KeyVersion { enabled: Some(false), ..version() };
            chain.seen.version = Ok(Some(newest.clone()));
            chain.seen.versions = Ok([newest, before].into());
        }),
        ("the policy is gone", |chain| chain.policy = Ok(None)),
        ("the vault is gone", |chain| chain.seen.vault = Ok(None)),
        ("the key is gone", |chain| chain.seen.version = Ok(None)),
        ("the key is disabled", |chain| of_version(chain, |it| it.enabled = Some(false))),
        ("it expired", |chain| of_version(chain, |it| it.expires = Some(now()))),
        ("its own grant is gone", |chain| chain.own.as_mut().unwrap().held = Ok(Rc::default())),
        ("its identity is gone", |chain| {
            let policy = Policy { identity: None, ..policy("cmk-old", &key("kv-old", "old-key")) };
            chain.policy = Ok(Some(Rc::new(policy)));
        }),
    ];
    for (what, broken) in table {
        let scene = linked("2026-12-31").with(|scene| broken(&mut scene.observed.retained[0]));
        assert_eq!(scene.told(), "finding cmk-retained at customerManagedKey/retained/cmk-old; in sync", "{what}");
        // After its last day, nobody asks.
        let over = linked("2026-11-19").with(|scene| broken(&mut scene.observed.retained[0]));
        assert_eq!(over.told(), "in sync", "{what}");
    }
    let unread = linked("2026-12-31").with(|scene| scene.observed.retained[0].seen.version = Err(unreadable()));
    assert_eq!(unread.told(), "unknown customerManagedKey/retained/cmk-old; in sync");
    let unsaid = linked("2026-12-31").with(|scene| of_version(&mut scene.observed.retained[0], |it| it.enabled = None));
    assert_eq!(unsaid.told(), "unknown customerManagedKey/retained/cmk-old; in sync", "that it is enabled isn't said");
    let ungranted = |until| linked(until).with(|scene| scene.observed.grants[1].held = Ok(Rc::default()));
    assert_eq!(ungranted("2026-12-31").told(), "finding cmk-retained at customerManagedKey/grants/kv-old; in sync");
    assert_eq!(ungranted("2026-11-19").told(), "in sync");
    let to_link =
        Scene::ready().retaining("2026-11-19").with(|scene| scene.observed.grants[1].held = Ok(Rc::default()));
    assert_eq!(to_link.told(), "link customerManagedKey", "nothing is granted for what is over");
    let last_day =
        Scene::ready().retaining("2026-11-20").with(|scene| scene.observed.grants[1].held = Ok(Rc::default()));
    assert!(last_day.told().starts_with("grant customerManagedKey/grants/kv-old"), "{}", last_day.told());
}

/// A key that is made anew under the old name decrypts nothing.
#[test]
fn what_a_linked_environment_lost_is_recovered_and_never_made_anew() {
    for broken in [
        (|scene| scene.chain().seen.version = Ok(None)) as fn(&mut Scene),
        |scene| scene.chain().seen.vault = Ok(None),
        |scene| scene.chain().policy = Ok(None),
    ] {
        let notes = Scene::linked().with(broken).findings().notes;
        let help = notes.into_iter().find(|note| note.code == codes::CMK_AT_RISK).unwrap().help.unwrap();
        assert!(!help.contains(" create --") && !help.contains("provision"), "{help}");
        assert!(help.contains("recover --") || help.contains("support request"), "{help}");
    }
}

#[test]
fn what_keeps_a_linked_environment_alive_is_looked_at_in_every_plan() {
    let with = |change: fn(&mut Scene)| Scene::linked().with(change).told();
    const NO_LONGER: &str = "finding cmk-no-longer-fit at customerManagedKey; in sync";
    assert_eq!(with(|scene| scene.live.protection_level = Some(ProtectionLevel::Basic)), NO_LONGER);
    assert_eq!(with(|scene| scene.live.sku = Some(Sku::Trial)), NO_LONGER);
    assert_eq!(with(|scene| scene.live.dataverse = None), NO_LONGER);
    assert_eq!(with(|scene| scene.managed = Some(false)), "refused cmk-not-managed at customerManagedKey");
    let unhealthy = Policy {
        health: Some(crate::azure::power_platform::policies::Health::Unhealthy),
        ..policy("cmk-eu", &key("kv-cmk", "pp-key"))
    };
    let scene = Scene::linked().with(|scene| scene.chain().policy = Ok(Some(Rc::new(unhealthy))));
    assert_eq!(scene.told(), "finding cmk-at-risk at customerManagedKey/policy; in sync");
    // The environment is on a policy of that name which was deleted.
    let anew = Policy { system_id: Some(system_id("another")), ..policy("cmk-eu", &key("kv-cmk", "pp-key")) };
    let scene = Scene::linked().with(|scene| scene.chain().policy = Ok(Some(Rc::new(anew))));
    assert_eq!(scene.told(), "refused cmk-policy-unfit at customerManagedKey");
    // What is wrong with a declared key that isn't the one in use says nothing.
    let other = Scene::linked().with(|scene| {
        scene.chain().policy = Ok(Some(Rc::new(policy("cmk-eu", &key("kv-cmk", "other")))));
        scene.chain().seen.version = Ok(None);
    });
    assert_eq!(other.told(), "refused cmk-policy-key at customerManagedKey/policy");
}

#[test]
fn two_former_policies_of_one_name_have_an_address_each() {
    let scene = linked("2026-12-31").with(|scene| {
        let elsewhere = policy_id("cmk-old").to_string().replace("rg-cmk", "rg-two").parse().unwrap();
        let second = Retained { policy: elsewhere, ..scene.declared.retained[0].clone() };
        scene.declared.retained.push(second);
        let chain = scene.observed.retained[0].clone();
        scene.observed.retained.push(chain);
        scene.observed.retained.iter_mut().for_each(|chain| chain.seen.version = Ok(None));
    });
    let told = scene.told();
    assert!(told.contains("retained/rg-cmk/cmk-old") && told.contains("retained/rg-two/cmk-old"), "{told}");
}
