//! Whose key encrypts the lake.

use super::*;
use crate::azure::rights::{Action as Doing, Right};
use crate::azure::storage::ActingIdentity;
use crate::plan::{Action, Direction, Impact, Risk};

#[test]
fn the_chain_is_identity_then_grant_then_encryption() {
    let table = [
        (
            Scene::bare(),
            "create identity; grant grants/kv-cmk after dataLake/identity; update encryption after dataLake/identity, dataLake/grants/kv-cmk",
        ),
        (
            Scene::granted().with(|scene| scene.key.granted.held = Ok(Rc::default())),
            "grant grants/kv-cmk; update encryption after dataLake/grants/kv-cmk",
        ),
        (Scene::granted(), "update encryption"),
        (Scene::in_force(), "in sync"),
    ];
    for (scene, expected) in table {
        assert_eq!(scene.told(), expected);
    }
    let change = Scene::granted().change("encryption");
    assert_eq!(
        (
            change.direction,
            change.risk,
            change.impact,
            change.before["status"].as_str(),
            change.after["status"].as_str()
        ),
        (Direction::Hardens, Risk::Critical, Impact::None, Some("Microsoft's key"), Some("lake-key in kv-cmk"))
    );
}

/// What is approved before the identity is there is what is done once it is.
#[test]
fn the_intents_stay_the_same_while_the_chain_comes_about() {
    let intent = |scene: &Scene, part: &str| scene.change(part).intent();
    let half = Scene::granted().with(|scene| scene.key.granted.held = Ok(Rc::default()));
    assert_eq!(intent(&Scene::bare(), "grants/kv-cmk"), intent(&half, "grants/kv-cmk"));
    for scene in [half, Scene::granted()] {
        assert_eq!(intent(&Scene::bare(), "encryption"), intent(&scene, "encryption"));
    }
    let done = Scene::in_force().findings();
    let shown: Vec<&str> = done.in_effect.iter().map(|address| part(address.within_scope())).collect();
    for part in ["identity", "grants/kv-cmk", "encryption"] {
        assert!(shown.contains(&part), "{part}: {shown:?}");
    }
}

#[test]
fn another_key_is_set_in_place_and_the_former_one_is_named() {
    for (live, named) in [
        (encrypted("kv-old", "lake-key", ""), "lake-key in kv-old"),
        (encrypted("kv-cmk", "old-key", ""), "old-key in kv-cmk"),
        (encrypted("kv-cmk", "lake-key", VERSION), &format!("lake-key in kv-cmk (version {VERSION})") as &str),
    ] {
        let scene = Scene::granted().with(|scene| scene.account.encryption = Some(live));
        // Nothing is known of the vault of the key that it is on until then.
        assert_eq!(scene.told(), "update encryption; warning lake-key-unwatched");
        let change = scene.change("encryption");
        assert!(change.reason.contains(&format!("keep {named} and the grant on it")), "{}", change.reason);
        assert_eq!((change.direction, change.before["status"].as_str()), (Direction::Neutral, Some(named)));
    }
    let pinned = Scene::granted().with(|scene| {
        scene.declared.wanted =
            Some(Wanted::Customer(KeyRef { version: Some(VERSION.into()), ..key("kv-cmk", "lake-key") }));
    });
    assert_eq!(pinned.told(), "update encryption; warning lake-key-pinned");
    let there =
        pinned.with(|scene| scene.account.encryption = Some(encrypted("kv-cmk", "lake-key", &VERSION.to_uppercase())));
    assert_eq!(there.told(), "warning lake-key-pinned; in sync");
}

#[test]
fn microsofts_key_is_gone_back_to_only_where_the_file_says_so() {
    let microsoft = |live| {
        Scene::granted().with(|scene| {
            scene.declared.wanted = Some(Wanted::Microsoft);
            scene.account.encryption = Some(live);
        })
    };
    assert_eq!(microsoft(microsofts()).told(), "in sync");
    let change = microsoft(encrypted("kv-cmk", "lake-key", "")).change("encryption");
    assert_eq!((change.action, change.direction, change.risk), (Action::Update, Direction::Weakens, Risk::High));
    assert!(change.reason.contains("the key and the grant on it stay"), "{}", change.reason);
    let undeclared = Scene::in_force().with(|scene| scene.declared.wanted = None);
    assert_eq!(undeclared.told(), "warning lake-key-unwatched; in sync");
}

/// Where Azure doesn't tell which key it is, it isn't taken for Microsoft's.
#[test]
fn a_key_that_azure_does_not_name_is_told() {
    let from = |source: &str| serde_json::from_value(json!({ "keySource": source })).unwrap();
    let table = [
        (Some(from("Microsoft.Keyvault")), "a key in a vault that Azure doesn't name"),
        (Some(from("Microsoft.Elsewhere")), "a key from `Microsoft.Elsewhere`, which isn't known here"),
        (None, "a key of which Azure tells nothing"),
    ];
    for (encryption, says) in table {
        let declared = Scene::granted().with(|scene| scene.account.encryption = encryption);
        assert_eq!(declared.told(), "unknown encryption");
        let undeclared = declared.with(|scene| scene.declared.wanted = None);
        assert_eq!(undeclared.told(), "warning lake-key-unwatched; in sync");
        let findings = undeclared.findings();
        let told = findings.notes.iter().any(|note| note.message.contains(&format!("is encrypted with {says}, ")));
        assert!(told, "{says}");
    }
}

/// Whoever uses the account goes offline with its key, whether or not the file declares the key there.
#[test]
fn all_that_name_the_account_live_on_its_key() {
    let shared = Scene::in_force().with(|scene| {
        scene.elsewhere = vec![Elsewhere { setting: "dataLake", ..Elsewhere::of("test", lake()) }];
    });
    let lifelines = shared.findings().lifelines;
    let of: Vec<&str> = lifelines.iter().map(|lifeline| lifeline.of.as_str()).collect();
    assert_eq!(of, ["prod", "test"]);
    assert!(lifelines.iter().all(|lifeline| lifeline.needs.contains(&lake()) && lifeline.needs.len() == 3));
}

#[test]
fn an_identity_that_is_in_use_is_kept_and_those_that_were_given_stay() {
    let granted =
        || Scene::bare().using_a_given_identity().with(|scene| scene.key.granted.held = Ok([assignment(GIVEN)].into()));
    assert_eq!(granted().told(), "update encryption");
    assert_eq!(
        Scene::bare().using_a_given_identity().told(),
        "grant grants/kv-cmk; update encryption after dataLake/grants/kv-cmk"
    );
    let grant = Scene::bare().using_a_given_identity().change("kv-cmk");
    assert!(grant.subject.contains("the user-assigned identity id-lake"), "{}", grant.subject);
    // Given, but not in use.
    let beside = Scene::bare().using_a_given_identity().with(|scene| scene.account.encryption = Some(microsofts()));
    assert!(beside.told().starts_with("create identity; grant"), "{}", beside.told());
    assert!(beside.change("identity").reason.ends_with("its user-assigned identity stays"));
    // One that it hasn't any more, and a vault of another tenant, are a person's.
    let gone = granted().with(|scene| scene.account.identity = Identity::default());
    assert_eq!(gone.told(), "refused lake-identity");
    let federated = Scene::granted().with(|scene| {
        let federated_identity_client_id = Some("a".to_owned());
        scene.account.encryption.as_mut().unwrap().identity =
            Some(ActingIdentity { federated_identity_client_id, ..ActingIdentity::default() });
    });
    assert_eq!(federated.told(), "refused lake-identity");
}

#[test]
fn what_is_wrong_with_a_key_refuses_it_and_of_one_in_use_it_is_an_error() {
    type Spoil = fn(&mut Scene);
    let table: [(Spoil, &str); 9] = [
        (|scene| scene.key.seen.vault = Ok(None), "cmk-vault-not-found"),
        (|scene| scene.key.seen.version = Ok(None), "cmk-key-not-found"),
        (|scene| live(scene).size = Some(1024), "cmk-key-unfit"),
        (|scene| live(scene).kind = Some("EC".into()), "cmk-key-unfit"),
        (|scene| live(scene).enabled = Some(false), "cmk-key-unfit"),
        (|scene| live(scene).expires = Some(now()), "cmk-key-unfit"),
        (|scene| protect(scene, &[("enablePurgeProtection", Json::Null)]), "cmk-vault-unfit"),
        (|scene| protect(scene, &[("tenantId", json!(Uuid::from_u128(9)))]), "cmk-vault-unfit"),
        (
            |scene| protect(scene, &[("networkAcls", json!({ "bypass": "None", "defaultAction": "Deny" }))]),
            "cmk-vault-unfit",
        ),
    ];
    for (spoil, code) in table {
        assert_eq!(Scene::granted().with(spoil).told(), format!("refused {code}"));
        let used = Scene::in_force().with(spoil);
        let findings = used.findings();
        assert!(used.told().ends_with("error lake-at-risk; in sync"), "{code}: {}", used.told());
        // What an operation brings back is planned, as something that a person must approve.
        let disabled = matches!(&used.key.seen.version, Ok(Some(version)) if version.enabled == Some(false));
        let repairs: Vec<_> = findings.changes.iter().map(|one| (one.change.action, one.change.risk)).collect();
        let expected: &[_] = if disabled { &[(Action::Enable, Risk::Critical)] } else { &[] };
        assert_eq!(repairs, expected, "{code}");
        let note = findings.notes.iter().find(|note| note.severity == Severity::Error).unwrap();
        assert!(note.help.is_some() && note.message.contains("answers every read and write"), "{note:?}");
    }
    // All sizes of storage, in a vault of another region.
    for size in [2048, 3072, 4096] {
        assert_eq!(Scene::granted().with(|scene| live(scene).size = Some(size)).told(), "update encryption");
    }
    let help = Scene::granted().with(|scene| protect(scene, &[("enablePurgeProtection", Json::Null)])).findings().notes;
    let help = help.iter().find_map(|note| note.help.clone().filter(|_| note.refuses())).unwrap();
    assert!(help.contains("--subscription 11110000-0000-4000-8000-00000000aaaa"), "{help}");
}

fn live(scene: &mut Scene) -> &mut KeyVersion {
    scene.key.seen.version.as_mut().unwrap().as_mut().unwrap()
}

fn protect(scene: &mut Scene, properties: &[(&str, Json)]) {
    scene.key.seen.vault = Ok(Some(Rc::new(vault(properties))));
}

#[test]
fn a_lost_grant_or_identity_of_a_key_in_use_is_an_error() {
    let lost = Scene::in_force().with(|scene| scene.key.granted.held = Ok(Rc::default()));
    assert_eq!(lost.told(), "grant grants/kv-cmk; error lake-at-risk; in sync");
    assert_eq!(lost.change("grants/kv-cmk").risk, Risk::Critical);
    let gone = Scene::in_force().with(|scene| scene.account.identity = Identity::default());
    assert_eq!(gone.told(), "error lake-at-risk; in sync", "nothing is granted to nobody");
    let help =
        gone.findings().notes.iter().find_map(|note| note.help.clone().filter(|help| help.contains("az storage")));
    assert!(help.unwrap().contains("--identity-type SystemAssigned"));
}

#[test]
fn a_grant_that_cant_be_made_waits_for_a_person_with_the_command() {
    let scene = Scene::granted().with(|scene| {
        scene.key.granted.held = Ok(Rc::default());
        scene.key.granted.granting = Some(Ok(Holding::Lacking(vec![Right::Azure(Doing::WRITE_ASSIGNMENTS)])));
    });
    assert_eq!(scene.told(), "waits grants/kv-cmk");
    let detail = &scene.findings().waiting[0].detail;
    assert!(detail.contains("az role assignment create") && detail.contains(&OWN.to_string()), "{detail}");
}

#[test]
fn a_new_grant_that_may_not_count_yet_holds_the_key_up() {
    let scene = Scene::granted().with(|scene| {
        scene.surface = Surface { roles_count_after: jiff::SignedDuration::from_mins(5), ..Surface::EMULATOR };
        scene.key.granted.held = Ok([RoleAssignment { created: Some(now()), ..assignment(OWN) }].into());
    });
    let reason = scene.change("encryption").reason;
    assert!(reason.contains("it has to wait: the grant on kv-cmk may take until 2026-11-20T12:05:00Z"), "{reason}");
}

#[test]
fn unknown_is_neither_microsofts_key_nor_a_fault() {
    type Spoil = fn(&mut Scene);
    let table: [(Spoil, &str); 8] = [
        (|scene| scene.account.encryption = None, "unknown encryption"),
        (|scene| scene.account.encryption.as_mut().unwrap().key_source = Some("Contoso".into()), "unknown encryption"),
        (
            |scene| scene.account.encryption.as_mut().unwrap().key_source = Some("Microsoft.Keyvault".into()),
            "unknown encryption",
        ),
        (|scene| scene.key.seen.vault = Err(unreadable()), "unknown key"),
        (|scene| scene.key.seen.version = Err(unreadable()), "unknown key"),
        (|scene| scene.key.granted.held = Err(unreadable()), "unknown grants/kv-cmk"),
        (|scene| scene.account.identity.principal_id = None, "waits identity"),
        (|scene| protect(scene, &[("vaultUri", Json::Null)]), "unknown encryption"),
    ];
    for (spoil, expected) in table {
        let told = Scene::granted().with(spoil).told();
        let encrypts = told.contains("update encryption");
        assert!(told.contains(expected) && !encrypts && !told.contains("in sync"), "{expected}: {told}");
    }
    let microsoft = Scene::granted().with(|scene| {
        scene.declared.wanted = Some(Wanted::Microsoft);
        scene.account.encryption = None;
    });
    assert_eq!(microsoft.told(), "unknown encryption");
}

#[test]
fn an_older_version_is_told_after_a_day_and_no_sooner() {
    let newer = |created: &str| {
        let newest = version("ffffffffffffffffffffffffffffffff", created);
        Scene::in_force().with(|scene| {
            scene.key.seen.versions = Ok([version(VERSION, "2026-01-01T00:00:00Z"), newest].into());
        })
    };
    assert_eq!(newer("2026-11-20T00:00:00Z").told(), "in sync");
    assert_eq!(newer("2026-11-19T11:00:00Z").told(), "in sync");
    assert_eq!(newer("2026-11-19T09:00:00Z").told(), "warning lake-key-behind; in sync");
    // A version that can't be used is none to move to.
    let disabled = newer("2026-11-01T00:00:00Z").with(|scene| {
        let versions = scene.key.seen.versions.as_mut().unwrap();
        let all = versions
            .iter()
            .cloned()
            .map(|one| KeyVersion { enabled: Some(one.version.as_deref() == Some(VERSION)), ..one });
        *versions = all.collect();
    });
    assert_eq!(disabled.told(), "in sync");
    let gone = Scene::in_force().with(|scene| {
        (scene.key.seen.version, scene.key.seen.versions) = (Ok(None), Err(unreadable()));
    });
    assert_eq!(gone.told(), "error lake-at-risk; in sync");
    let unread = Scene::in_force().with(|scene| scene.key.seen.versions = Err(unreadable()));
    assert_eq!(unread.told(), "unknown key; in sync");
    let silent = newer("2026-11-01T00:00:00Z").with(|scene| {
        scene.account.encryption.as_mut().unwrap().key.as_mut().unwrap().current = None;
    });
    assert_eq!(silent.told(), "unknown encryption/version; in sync");
}
