//! What keeps an environment from being linked, and what puts a linked one at risk.

use super::*;
use crate::azure::power_platform::policies::Hint;
use crate::settings::customer_managed_key::codes;

/// Something that isn't as it must be.
type Broken = fn(&mut Scene);

fn policy_with(scene: &mut Scene, change: fn(&mut Policy)) {
    let mut policy = policy("cmk-eu", &key("kv-cmk", "pp-key"));
    change(&mut policy);
    scene.chain().policy = Ok(Some(Rc::new(policy)));
}

fn version_with(scene: &mut Scene, change: fn(&mut KeyVersion)) {
    let mut version = version();
    change(&mut version);
    scene.chain().seen.version = Ok(Some(version));
}

fn unprotected(scene: &mut Scene) {
    scene.chain().seen.vault = Ok(Some(Rc::new(vault(&[("enablePurgeProtection", Json::Null)]))));
}

const SECOND: jiff::SignedDuration = jiff::SignedDuration::from_secs(1);

/// Each with its code, and with what its words must hold.
const FAULTS: &[(&str, &str, Broken)] = &[
    ("cmk-policy-unfit", "NetworkInjection", |it| policy_with(it, |it| it.kind = PolicyKind::NetworkInjection)),
    ("cmk-policy-unfit", "no system-assigned identity", |it| policy_with(it, |it| it.identity = Some("None".into()))),
    ("cmk-policy-unfit", "Disabled", |it| {
        policy_with(it, |it| it.key.as_mut().unwrap().state = Some("Disabled".into()));
    }),
    ("cmk-location", "the environment in europe", |it| policy_with(it, |it| it.location = "unitedstates".into())),
    ("cmk-vault-not-found", "az keyvault create --name kv-cmk", |it| it.chain().seen.vault = Ok(None)),
    ("cmk-vault-unfit", "--enable-purge-protection true", unprotected),
    ("cmk-key-not-found", "az keyvault key create --vault-name kv-cmk", |it| it.chain().seen.version = Ok(None)),
    ("cmk-key-unfit", "of the type EC, not RSA", |it| version_with(it, |it| it.kind = Some("EC".into()))),
    ("cmk-key-unfit", "4096 bits", |it| version_with(it, |it| it.size = Some(4096))),
    ("cmk-key-unfit", "doesn't allow unwrapKey", |it| {
        version_with(it, |it| it.operations = Some(vec!["wrapKey".into()]))
    }),
    ("cmk-key-unfit", "is disabled", |it| version_with(it, |it| it.enabled = Some(false))),
    ("cmk-key-unfit", "can't be used before", |it| version_with(it, |it| it.not_before = Some(now() + SECOND))),
    ("cmk-key-unfit", "expired at", |it| version_with(it, |it| it.expires = Some(now()))),
];

/// It refuses what is yet to be linked, and is a finding where the environment is linked already.
#[test]
fn every_fault_refuses_a_link_and_is_told_of_a_linked_environment() {
    for (code, says, broken) in FAULTS {
        let note = |scene: &Scene| {
            let all = scene.findings().notes;
            let error = all.iter().find(|note| note.severity == crate::plan::Severity::Error).cloned();
            error.unwrap_or_else(|| panic!("{says}: {}", scene.told()))
        };
        let refused = Scene::ready().with(broken);
        let found = note(&refused);
        let text = format!("{} {}", found.message, found.help.clone().unwrap_or_default());
        assert!(found.code.to_string() == *code && text.contains(says), "{says}: {text}");
        assert!(found.refuses() && refused.findings().changes.is_empty(), "{says}: {}", refused.told());
        let at_risk = note(&Scene::linked().with(broken));
        assert_eq!((at_risk.code.to_string().as_str(), at_risk.refuses()), ("cmk-at-risk", false), "{says}");
        let dated = ["deleted 30 days after that", "deleted on 2026-12-20"];
        assert!(dated.iter().any(|words| at_risk.message.contains(words)), "{says}: {}", at_risk.message);
    }
}

#[test]
fn the_vault_is_judged_as_the_service_reaches_it() {
    let told = |properties: &[(&str, Json)]| {
        let vault = Rc::new(vault(properties));
        Scene::ready().with(|scene| scene.chain().seen.vault = Ok(Some(vault))).told()
    };
    let deny = |bypass: Json| json!({ "defaultAction": "Deny", "bypass": bypass });
    const FINE: &str = "link customerManagedKey";
    const REFUSED: &str = "refused cmk-vault-unfit at customerManagedKey/key";
    for (what, properties, expected) in [
        ("another tenant", vec![("tenantId", json!(Uuid::from_u128(1)))], REFUSED),
        ("no word about the tenant", vec![("tenantId", Json::Null)], "unknown customerManagedKey/key"),
        ("a perimeter", vec![("publicNetworkAccess", json!("SecuredByPerimeter"))], FINE),
        ("no soft delete", vec![("enableSoftDelete", json!(false))], REFUSED),
        ("a firewall that lets trusted services in", vec![("networkAcls", deny(json!("AzureServices")))], FINE),
        ("a firewall that says nothing of them", vec![("networkAcls", deny(Json::Null))], FINE),
        ("a firewall that keeps them out", vec![("networkAcls", deny(json!("None")))], REFUSED),
        ("closed, with the bypass", vec![("publicNetworkAccess", json!("Disabled"))], FINE),
        (
            "closed, without it",
            vec![("publicNetworkAccess", json!("Disabled")), ("networkAcls", json!({ "bypass": "None" }))],
            REFUSED,
        ),
        ("another geography", vec![("location", json!("eastus"))], "refused cmk-location at customerManagedKey/key"),
        ("a region that isn't known", vec![("location", json!("moonbase1"))], FINE),
    ] {
        assert_eq!(told(&properties), expected, "{what}");
    }
    let unknown = Scene::ready()
        .with(|scene| scene.chain().seen.vault = Ok(Some(Rc::new(vault(&[("location", json!("moonbase1"))])))));
    assert!(unknown.codes().contains(&settings::codes::REGION_MISMATCH), "said, not taken for right");
}

/// What decides whether a key can be used, and isn't said, is neither fine nor wrong.
#[test]
fn what_is_not_said_of_a_key_is_unknown() {
    type Unsaid = fn(&mut KeyVersion);
    let unsaid: [(&str, Unsaid); 3] =
        [("enabled", |it| it.enabled = None), ("type", |it| it.kind = None), ("size", |it| it.size = None)];
    for (what, change) in unsaid {
        for scene in [Scene::ready(), Scene::linked()] {
            let scene = scene.with(|it| version_with(it, change));
            assert!(scene.told().starts_with("unknown customerManagedKey/key"), "{what}: {}", scene.told());
            assert!(scene.findings().changes.is_empty(), "{what}");
        }
    }
    let perimeter = Scene::linked().with(|it| {
        it.chain().seen.vault = Ok(Some(Rc::new(vault(&[("publicNetworkAccess", json!("SecuredByPerimeter"))]))));
    });
    assert!(perimeter.codes().contains(&settings::encryption_keys::codes::CMK_PERIMETER));
}

#[test]
fn geographies_fit_with_two_exceptions() {
    let told = |environment: &str, location: &str| {
        let location = location.to_owned();
        let scene = Scene::ready().with(|scene| {
            scene.live.location = Some(environment.into());
            scene.live.azure_region = Some("northeurope".into());
            let policy = Policy { location, ..policy("cmk-eu", &key("kv-cmk", "pp-key")) };
            scene.chain().policy = Ok(Some(Rc::new(policy)));
        });
        scene.told()
    };
    for (environment, location, fits) in [
        ("europe", "Europe", true),
        ("unitedkingdom", "uk", true),
        ("unitedstates", "unitedstateseuap", true),
        ("uk", "unitedkingdom", false),
        ("unitedkingdom", "unitedkingdom", true),
        ("unitedstateseuap", "unitedstates", false),
        ("europe", "france", false),
    ] {
        assert_eq!(told(environment, location) == "link customerManagedKey", fits, "{environment} {location}");
    }
}

#[test]
fn not_every_environment_can_have_one() {
    let with = |change: fn(&mut Scene)| Scene::ready().with(change).told();
    let refused = "refused cmk-environment at customerManagedKey";
    assert_eq!(with(|scene| scene.live.sku = Some(Sku::Trial)), refused);
    assert_eq!(with(|scene| scene.live.sku = Some(Sku::SubscriptionBasedTrial)), refused);
    assert_eq!(with(|scene| scene.live.sku = Some(Sku::Teams)), refused);
    assert_eq!(with(|scene| scene.live.dataverse = None), refused);
    assert_eq!(with(|scene| scene.live.runtime = Some(Runtime::Disabled)), refused);
    assert_eq!(with(|scene| scene.live.sku = Some(Sku::Sandbox)), "link customerManagedKey");
    // Disputed: said, with what the service says beforehand, and not refused.
    let default = Scene::ready().with(|scene| {
        scene.live.sku = Some(Sku::Default);
        scene.observed.hint = Some(Ok(Hint::Disallowed(Some("not for Default".into()))));
    });
    assert_eq!(default.told(), "link customerManagedKey");
    let note = default.findings().notes.into_iter().find(|note| note.code == codes::CMK_DEFAULT_ENVIRONMENT).unwrap();
    assert!(note.message.contains("it wouldn't take it: not for Default, which is only a hint"), "{}", note.message);
}

#[test]
fn it_takes_a_managed_environment_which_may_be_planned_before() {
    let with = |level: Option<ProtectionLevel>, managed: Option<bool>| {
        let scene = Scene::ready().with(|scene| {
            scene.live.protection_level = level;
            scene.managed = managed;
        });
        scene.told()
    };
    let basic = || Some(ProtectionLevel::Basic);
    assert_eq!(with(basic(), Some(true)), "link customerManagedKey after managedEnvironment");
    assert_eq!(with(basic(), Some(false)), "refused cmk-not-managed at customerManagedKey");
    assert_eq!(with(basic(), None), "refused cmk-not-managed at customerManagedKey");
    assert_eq!(with(None, Some(true)), "unknown customerManagedKey");
    assert_eq!(with(Some(ProtectionLevel::Other("Odd".into())), Some(true)), "unknown customerManagedKey");
    assert_eq!(with(Some(ProtectionLevel::Standard), None), "link customerManagedKey");
}

#[test]
fn a_policy_with_another_key_is_refused_with_the_text_to_write() {
    let pinned = KeyRef { version: Some(VERSION.into()), ..key("kv-cmk", "pp-key") };
    for (own, says) in [
        (key("kv-cmk", "other"), "it refers to other in kv-cmk"),
        (key("kv-two", "pp-key"), "it refers to pp-key in kv-two"),
        (pinned, "it refers to pp-key in kv-cmk (version 0123456789abcdef0123456789abcdef)"),
    ] {
        for scene in [Scene::ready(), Scene::linked()] {
            let scene = scene.with(|scene| scene.chain().policy = Ok(Some(Rc::new(policy("cmk-eu", &own)))));
            let findings = scene.findings();
            let note = findings.notes.iter().find(|note| note.code == codes::CMK_POLICY_KEY).unwrap();
            assert!(note.refuses() && note.message.contains(says), "{}", note.message);
            let help = note.help.as_deref().unwrap();
            let version = own.version.as_ref().map(|it| format!(", version: '{it}'")).unwrap_or_default();
            let entry = format!(
                "retained: [{{ policy: {}, key: {{ vault: {}, name: {}{version} }}, until: 2026-12-25 }}]",
                policy_id("cmk-eu"),
                own.vault,
                own.name
            );
            assert!(help.contains(&entry) && help.contains("new policy"), "{help}");
            assert_eq!((findings.changes.len(), findings.in_sync), (0, 0), "{}", scene.told());
        }
    }
    // The case of names makes no difference in Azure.
    let shouted = Scene::ready().with(|scene| {
        scene.chain().policy = Ok(Some(Rc::new(policy("cmk-eu", &key("KV-CMK", "PP-KEY")))));
    });
    assert_eq!(shouted.told(), "link customerManagedKey");
}

#[test]
fn what_cannot_be_read_is_neither_missing_nor_fine() {
    for (what, change, expected) in [
        (
            "the policy",
            (|scene| scene.chain().policy = Err(unreadable())) as fn(&mut Scene),
            "unknown customerManagedKey/policy",
        ),
        ("the vault", |scene| scene.chain().seen.vault = Err(unreadable()), "unknown customerManagedKey/key"),
        ("the key", |scene| scene.chain().seen.version = Err(unreadable()), "unknown customerManagedKey/key"),
        (
            "the grants",
            |scene| scene.observed.grants[0].held = Err(unreadable()),
            "unknown customerManagedKey/grants/kv-cmk",
        ),
        ("what goes on", |scene| scene.observed.course = Err(unreadable()), "unknown customerManagedKey"),
    ] {
        assert_eq!(Scene::ready().with(change).told(), expected, "{what}");
    }
    // Linked, the declared key is known by the policy alone; what its vault says is missing, and told as such.
    let linked = Scene::linked().with(|scene| scene.chain().seen.vault = Err(unreadable()));
    assert_eq!(linked.told(), "unknown customerManagedKey/key; in sync");
    let linked = Scene::linked().with(|scene| scene.chain().policy = Err(unreadable()));
    assert_eq!(linked.told(), "unknown customerManagedKey/policy");
}
