//! Comparing the Key Vault link: a table of what can be wrong, and of what is done about it.

mod attested;
mod written;

use std::rc::Rc;

use serde_json::{Value as Json, json};
use uuid::Uuid;

use super::block::Declared;
use super::compare::compare;
use super::observe::{Link, Observed};
use crate::azure::authorization::RoleAssignment;
use crate::azure::customer_insights::{AccessState, Instance, KeyVaultLink, SERVICE_APP};
use crate::azure::graph::DirectoryObject;
use crate::azure::rights::{Action, Doubt, Holding, Right, roles};
use crate::azure::vaults::Vault;
use crate::plan::{Findings, Impact, NoteCode, Severity, WaitingFor};
use crate::settings;
use crate::settings::attestation::Attestation;
use crate::settings::consent::Consent;
use crate::settings::key_vault::codes;
use crate::settings::observation::Unreadable;
use crate::settings::setting::Comparing;
use crate::settings::surface::Surface;
use crate::terms::{EnvironmentHead, Head, Place, VaultId};

const VAULT: &str = "/subscriptions/11110000-0000-4000-8000-00000000aaaa/resourceGroups/rg-ci/providers/Microsoft.KeyVault/vaults/kv-ci";
const TENANT: Uuid = Uuid::from_u128(0x7b1f_0c52_0000_4000_8000_0000_0000_00aa);
const SERVICE: Uuid = Uuid::from_u128(0x5e71_0000_0000_4000_8000_0000_0000_0001);

fn id(name: &str) -> VaultId {
    VAULT.replace("kv-ci", name).parse().unwrap()
}

fn place() -> Place {
    Place { file: "palisade.yaml".into(), line: 1, column: 1 }
}

fn linked(name: &str, access: AccessState) -> Link {
    let link = KeyVaultLink { vault: id(name), region: None, consent_accepted: Some(true), access };
    Link::Read(Ok(Some(link)))
}

fn holds(role: Uuid) -> RoleAssignment {
    RoleAssignment {
        name: Uuid::nil(),
        scope: VAULT.into(),
        role,
        principal_id: SERVICE.into(),
        principal_type: None,
        description: None,
        condition: None,
        created: None,
    }
}

struct Scene {
    declared: Declared,
    vault: Json,
    observed: Observed,
    surface: Surface,
    attested: Vec<Attestation>,
    region: Option<&'static str>,
}

impl Scene {
    /// Linked, with all rights, and nothing wrong.
    fn usual() -> Self {
        let consent = Consent { agreed_by: "ada@contoso.com".into(), agreed_on: "2026-03-02".parse().unwrap() };
        let service = DirectoryObject {
            id: SERVICE.into(),
            odata_type: Some("#microsoft.graph.servicePrincipal".into()),
            display_name: Some("Dynamics 365 AI for Customer Insights".into()),
            user_principal_name: None,
            app_id: Some(SERVICE_APP),
            account_enabled: None,
        };
        let vault = json!({ "id": VAULT, "location": "northeurope", "properties": {
            "tenantId": TENANT, "enableSoftDelete": true, "enableRbacAuthorization": true, "publicNetworkAccess": "enabled",
            "networkAcls": { "defaultAction": "Allow" } } });
        Self {
            declared: Declared { vault: id("kv-ci"), replaces: None, consent, place: place() },
            vault,
            observed: Observed {
                link: linked("KV-CI", AccessState::Accessible),
                vault: Ok(None),
                service: Ok(Some(service)),
                held: Ok([holds(roles::KEY_VAULT_READER.id), holds(roles::KEY_VAULT_SECRETS_USER.id)].into()),
                granting: None,
            },
            surface: Surface::EMULATOR,
            attested: Vec::new(),
            region: Some("westeurope"),
        }
    }

    /// The vault with other properties.
    fn with(mut self, properties: &[(&str, Json)]) -> Self {
        for (name, value) in properties {
            self.vault["properties"][*name] = value.clone();
        }
        self
    }

    fn ungranted(mut self) -> Self {
        self.observed.held = Ok(Rc::default());
        self.observed.granting = Some(Ok(Holding::Held));
        self
    }

    fn compare(&self, observed: &Observed) -> Findings {
        let head = Head::Environment(EnvironmentHead {
            key: "prod".into(),
            instance_id: Some(Uuid::from_u128(1)),
            environment_id: Some("e".into()),
            name: None,
            business_units: false,
            place: place(),
        });
        let instance = Instance { id: Uuid::from_u128(1), scale_unit: None };
        let comparing = Comparing {
            head: &head,
            instance: Ok(&instance),
            hosting: Err(&crate::settings::hosting::not_asked()),
            tenant: TENANT,
            region: self.region,
            created: None,
            attested: &self.attested,
            elsewhere: &[],
            beside: &crate::settings::blocks::Blocks::default(),
            surface: self.surface,
            now: "2026-11-20T12:00:00Z".parse().unwrap(),
        };
        compare(&self.declared, observed, &comparing)
    }

    fn findings(&self) -> Findings {
        let vault: Vault = serde_json::from_value(self.vault.clone()).unwrap();
        self.compare(&Observed { vault: Ok(Some(Rc::new(vault))), ..self.observed.clone() })
    }

    fn changes(&self) -> Vec<String> {
        let changes = self.findings().changes;
        changes.iter().map(|planned| format!("{} {}", planned.change.action, planned.change.address)).collect()
    }
}

fn codes(findings: &Findings) -> Vec<(NoteCode, Severity)> {
    findings.notes.iter().map(|note| (settings::codes::of(note), note.severity)).collect()
}

#[test]
fn what_is_linked_with_its_rights_is_in_sync_and_silent() {
    let findings = Scene::usual().findings();
    assert_eq!((findings.changes.len(), findings.in_sync, codes(&findings)), (0, 2, vec![]));
}

/// Each demand, whether it fails before linking or later.
#[test]
fn every_demand_of_the_product_is_checked_at_each_plan() {
    let cases: Vec<(&str, Json, Option<NoteCode>)> = vec![
        ("publicNetworkAccess", json!("Disabled"), Some(codes::VAULT_FIREWALL)),
        ("publicNetworkAccess", json!("SecuredByPerimeter"), Some(codes::VAULT_FIREWALL)),
        ("publicNetworkAccess", json!("ENABLED"), None),
        ("publicNetworkAccess", Json::Null, None),
        ("networkAcls", json!({ "defaultAction": "Deny" }), Some(codes::VAULT_FIREWALL)),
        ("networkAcls", Json::Null, None),
        ("enableSoftDelete", json!(false), Some(codes::VAULT_SOFT_DELETE)),
        ("enableSoftDelete", Json::Null, Some(codes::VAULT_SOFT_DELETE)),
        ("tenantId", json!(Uuid::from_u128(3)), Some(codes::VAULT_TENANT)),
        ("tenantId", Json::Null, Some(codes::VAULT_TENANT)),
    ];
    for (property, value, code) in cases {
        for link in [linked("kv-ci", AccessState::Accessible), Link::Read(Ok(None))] {
            let mut scene = Scene::usual().with(&[(property, value.clone())]);
            scene.observed.link = link;
            let expected: Vec<_> = code.into_iter().map(|code| (code, Severity::Error)).collect();
            assert_eq!(codes(&scene.findings()), expected, "{property} {value}");
        }
    }
}

#[test]
fn another_geography_is_refused_and_an_unknown_one_is_said() {
    for (location, region, expected) in [
        ("westeurope", Some("northeurope"), None),
        ("eastus", Some("westeurope"), Some((codes::VAULT_GEOGRAPHY, Severity::Error))),
        ("atlantis", Some("westeurope"), Some((settings::codes::REGION_MISMATCH, Severity::Warning))),
        ("westeurope", None, Some((settings::codes::REGION_MISMATCH, Severity::Warning))),
    ] {
        let mut scene = Scene::usual();
        scene.vault["location"] = json!(location);
        scene.region = region;
        assert_eq!(codes(&scene.findings()), Vec::from_iter(expected), "{location}");
    }
}

#[test]
fn nobody_agrees_in_the_future() {
    for (day, expected) in
        [("2026-11-21", vec![]), ("2026-11-22", vec![(settings::codes::CONSENT_AHEAD, Severity::Error)])]
    {
        let mut scene = Scene::usual();
        scene.declared.consent.agreed_on = day.parse().unwrap();
        assert_eq!(codes(&scene.findings()), expected, "{day}");
    }
}

#[test]
fn missing_roles_are_granted_one_after_the_other_and_then_the_vault_is_linked() {
    let mut scene = Scene::usual().ungranted();
    scene.observed.link = Link::Read(Ok(None));
    assert_eq!(scene.changes(), grants_and_link());
    let findings = scene.findings();
    let requires: Vec<_> =
        findings.changes.iter().map(|one| one.change.requires.first().map(|one| one.as_str())).collect();
    let expected =
        [None, Some("prod/keyVault/roles/key-vault-reader"), Some("prod/keyVault/roles/key-vault-secrets-user")];
    assert_eq!(requires, expected);
    scene.observed.held = Ok([holds(roles::KEY_VAULT_READER.id)].into());
    assert_eq!(scene.changes(), ["grant prod/keyVault/roles/key-vault-secrets-user", "link prod/keyVault"]);
    let administrator: Uuid = "00482a5a-887f-4fb3-b363-3b7fe8e74483".parse().unwrap();
    scene.observed.held = Ok([holds(administrator)].into());
    assert_eq!(scene.changes(), ["link prod/keyVault"]);
    let conditional = RoleAssignment { condition: Some("@Resource[…]".into()), ..holds(administrator) };
    scene.observed.held = Ok([conditional].into());
    assert_eq!(scene.changes(), grants_and_link(), "what counts only under a condition proves nothing");
}

fn grants_and_link() -> [&'static str; 3] {
    [
        "grant prod/keyVault/roles/key-vault-reader",
        "grant prod/keyVault/roles/key-vault-secrets-user",
        "link prod/keyVault",
    ]
}

#[test]
fn a_grant_that_was_taken_away_later_is_drift() {
    let mut scene = Scene::usual().ungranted();
    scene.observed.link = linked("kv-ci", AccessState::PermissionsMissing);
    assert_eq!(scene.changes().len(), 2);
    assert_eq!(scene.findings().in_sync, 0);
}

#[test]
fn access_policies_count_where_the_vault_goes_by_them() {
    let policy = |object: Uuid, keys: &[&str], others: &[&str], application: Option<Uuid>| {
        let permissions = json!({ "keys": keys, "secrets": others, "certificates": others });
        json!([{ "tenantId": TENANT, "objectId": object, "applicationId": application, "permissions": permissions }])
    };
    let cases = [
        (policy(SERVICE, &["Get", "LIST"], &["get", "list", "set"], None), true),
        (policy(SERVICE, &["all"], &["All"], None), true),
        (policy(SERVICE, &["get"], &["get", "list"], None), false),
        (policy(SERVICE, &["get", "list"], &["get", "list"], Some(Uuid::from_u128(8))), false),
        (policy(Uuid::from_u128(9), &["all"], &["all"], None), false),
        (json!([]), false),
    ];
    for (policies, enough) in cases {
        // Roles count for nothing here.
        let mut scene =
            Scene::usual().with(&[("enableRbacAuthorization", json!(false)), ("accessPolicies", policies.clone())]);
        scene.observed.granting = Some(Ok(Holding::Held));
        let expected: &[&str] = if enough { &[] } else { &["grant prod/keyVault/access-policy"] };
        assert_eq!(scene.changes(), expected, "{policies}");
    }
}

#[test]
fn whoever_may_not_grant_waits_for_somebody_who_may() {
    for (rbac, role) in [(true, "User Access Administrator"), (false, "Key Vault Contributor")] {
        let mut scene = Scene::usual().with(&[("enableRbacAuthorization", json!(rbac))]).ungranted();
        scene.observed.granting = Some(Ok(Holding::Lacking(vec![Right::Azure(Action::WRITE_ASSIGNMENTS)])));
        scene.observed.link = Link::Read(Ok(None));
        let findings = scene.findings();
        assert_eq!((findings.changes.len(), codes(&findings)), (0, vec![]));
        assert_eq!(findings.waiting[0].waiting_for, WaitingFor::Person);
        let detail = &findings.waiting[0].detail;
        assert!(detail.contains(&format!("somebody with the role {role} on {VAULT}")), "{detail}");
        assert!(detail.contains(&SERVICE.to_string()), "{detail}");
    }
}

/// A right that can't be seen to be held is tried, and the plan says so.
#[test]
fn whoever_may_be_able_to_grant_tries() {
    let mut scene = Scene::usual().ungranted();
    let rights = vec![Right::Azure(Action::WRITE_ASSIGNMENTS)];
    scene.observed.granting =
        Some(Ok(Holding::Unproved(Doubt { rights, why: "it may not read its own rights there".into() })));
    scene.observed.link = Link::Read(Ok(None));
    assert_eq!(scene.changes(), grants_and_link());
    let findings = scene.findings();
    for grant in &findings.changes[..2] {
        assert!(
            grant.change.reason.ends_with(
                "tried, although palisade could not confirm that this identity has \
                 Microsoft.Authorization/roleAssignments/write: it may not read its own rights there"
            ),
            "{}",
            grant.change.reason
        );
    }
    assert!(!findings.changes[2].change.reason.contains("tried"), "the link is no matter of Azure's rights");
}

#[test]
fn another_vault_is_replaced_only_if_the_file_names_it() {
    let mut scene = Scene::usual();
    scene.observed.link = linked("kv-old", AccessState::Accessible);
    assert_eq!(codes(&scene.findings()), [(codes::OTHER_VAULT_LINKED, Severity::Error)]);
    scene.declared.replaces = Some(id("kv-older"));
    assert_eq!(codes(&scene.findings()), [(codes::OTHER_VAULT_LINKED, Severity::Error)]);
    scene.declared.replaces = Some(id("KV-Old"));
    let findings = scene.findings();
    assert_eq!(scene.changes(), ["link prod/keyVault"]);
    assert!(findings.changes[0].takes_away);
    assert_eq!(findings.changes[0].change.impact, Impact::Interrupts);
    assert_eq!(findings.changes[0].change.before["vault"], id("kv-old").to_string());
}

#[test]
fn unknown_is_not_absent() {
    let unreadable = || Unreadable::because("503");
    let scene = Scene::usual();
    let findings = scene.compare(&Observed { vault: Err(unreadable()), ..scene.observed.clone() });
    assert_eq!((findings.unknown.len(), findings.changes.len(), findings.in_sync), (1, 0, 0));
    let findings = scene.compare(&scene.observed);
    assert_eq!(codes(&findings), [(codes::VAULT_NOT_FOUND, Severity::Error)]);

    let mut dark: Vec<Scene> = (0..4).map(|_| Scene::usual()).collect();
    dark[0].observed.link = Link::Read(Err(unreadable()));
    dark[1].observed.held = Err(unreadable());
    dark[2].observed.service = Err("503".into());
    dark[3].observed =
        Observed { granting: Some(Err(unreadable())), held: Ok(Rc::default()), ..dark[3].observed.clone() };
    for scene in &mut dark {
        if !matches!(scene.observed.link, Link::Read(Err(_))) {
            scene.observed.link = Link::Read(Ok(None));
        }
        let findings = scene.findings();
        assert_eq!((findings.unknown.len(), findings.changes.len()), (1, 0), "{:?}", findings.unknown);
    }
    let mut scene = Scene::usual();
    scene.observed.service = Ok(None);
    assert_eq!(codes(&scene.findings()), [(codes::SERVICE_PRINCIPAL_MISSING, Severity::Error)]);
}

#[test]
fn what_customer_insights_says_about_access_is_not_ignored() {
    let mut scene = Scene::usual();
    scene.observed.link = linked("kv-ci", AccessState::PermissionsMissing);
    let findings = scene.findings();
    assert_eq!((findings.in_sync, findings.waiting[0].waiting_for), (1, WaitingFor::Service));
    scene.observed.link = linked("kv-ci", AccessState::SecretMissing);
    assert_eq!(codes(&scene.findings()), [(codes::VAULT_SECRET_MISSING, Severity::Warning)]);
}
