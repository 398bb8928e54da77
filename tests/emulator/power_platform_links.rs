//! Linking environments to encryption policies: what is refused, how an operation goes, what it leaves behind.

use jiff::SignedDuration;
use palisade::emulator::{PlatformEnvironment, World};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::platform::{ENVIRONMENT, Scene, environment_of, key_version, refusal};
use crate::support::{Ask, STRANGER, vault_of};

fn path(verb: &str) -> String {
    format!("environments/{ENVIRONMENT}/enterprisePolicies/Encryption/{verb}")
}

fn ok(text: &str) -> (String, String) {
    ("Linked".into(), text.to_owned())
}

fn id(policy: &Value) -> &str {
    policy["id"].as_str().unwrap()
}

#[tokio::test]
async fn a_link_is_accepted_and_goes_through_its_stages() {
    let s = Scene::with(|world| world.behaviour.encryption_operation_time = SignedDuration::from_secs(10)).await;
    let policy = s.granted("cmk").await;
    let reply = s.link(&policy).await;
    assert_eq!((reply.status.as_u16(), reply.text.as_str(), reply.header("retry-after")), (202, "", Some("10")));
    let location = reply.header("location").unwrap().to_owned();
    assert_eq!(reply.header("operation-location"), Some(location.as_str()));
    assert!(
        location.starts_with(&s.f.url("/providers/Microsoft.BusinessAppPlatform/lifecycleOperations/")),
        "{location}"
    );
    let poll = async || s.f.get(&location, &s.admin).await.json();
    let stages = |operation: &Value| -> Vec<String> {
        let stages = operation["stages"].as_array().unwrap();
        stages.iter().map(|stage| format!("{} {}", stage["id"], stage["state"]["id"]).replace('"', "")).collect()
    };
    let first = poll().await;
    assert_eq!((&first["state"]["id"], stages(&first).len()), (&json!("NotStarted"), 0));
    assert_eq!(first["type"]["id"], "NewCustomerManagedKey");
    assert_eq!(first["requestedBy"]["type"], "ServicePrincipal");
    assert_eq!(s.standing().await, ("Linking".into(), id(&policy).into()));
    let states = &s.properties().await["states"];
    assert_eq!((&states["management"]["id"], &states["runtime"]["id"]), (&json!("Running"), &json!("Disabled")));
    s.advance(5);
    let middle = poll().await;
    assert_eq!(stages(&middle), ["Validate Succeeded", "Prepare Succeeded", "Run Running"]);
    s.advance(5);
    let last = poll().await;
    assert_eq!((&last["state"]["id"], stages(&last).len(), &last["error"]), (&json!("Succeeded"), 4, &json!(null)));
    assert_eq!(s.standing().await, ok(id(&policy)));
    let properties = s.properties().await;
    assert_eq!(properties["states"]["runtime"]["id"], "Enabled");
    // It stays so under a key of the customer's.
    assert_eq!(properties["protectionStatus"]["keyManagedBy"], "Microsoft");
    let published = s.publicly("GET", &format!("environments/{ENVIRONMENT}")).await.json();
    let link = &published["enterprisePolicies"]["encryption"];
    assert_eq!((&link["status"], &link["resourceId"], &link["error"]), (&json!("Linked"), &policy["id"], &json!(null)));
}

#[tokio::test]
async fn four_days_are_a_switch_and_waits_stay_short() {
    let s = Scene::with(|world| {
        world.behaviour.encryption_operation_time = SignedDuration::from_hours(96);
        // So that the test's one token outlives it.
        world.behaviour.token_lifetime = SignedDuration::from_hours(200);
    })
    .await;
    let policy = s.granted("cmk").await;
    assert_eq!(s.link(&policy).await.header("retry-after"), Some("60"));
    s.advance(96 * 3600 - 1);
    assert_eq!(s.operation().await["state"]["id"], "Running");
    s.advance(1);
    assert_eq!(s.operation().await["state"]["id"], "Succeeded");
}

#[tokio::test]
async fn one_operation_at_a_time_is_active_on_an_environment() {
    for empty in [false, true] {
        let s = Scene::with(|world| world.behaviour.empty_conflicts = empty).await;
        let policy = s.granted("cmk").await;
        assert_eq!(s.link(&policy).await.status, 202);
        for verb in ["link", "unlink"] {
            let reply = s.linking(verb, &policy).await;
            assert_eq!((reply.status.as_u16(), reply.text.is_empty()), (409, empty), "{verb}");
            if !empty {
                assert_eq!(refusal(&reply), (409, "OperationNotStartable".into()), "{verb}");
            }
        }
        // The published service has a body all the same.
        let other = s.publicly("POST", &format!("environments/{ENVIRONMENT}/governanceSetting/disableManaged")).await;
        assert_eq!(other.status, 409);
        s.advance(5);
        assert_eq!(s.link(&policy).await.status, 202);
    }
}

#[tokio::test]
async fn what_a_request_gets_wrong_is_refused_at_once() {
    let s = Scene::start().await;
    let policy = s.granted("cmk").await;
    let system = policy["properties"]["systemId"].clone();
    let with = |body: Value| Ask::token(&s.admin).json(&body);
    let full = |path: &str| format!("/providers/Microsoft.BusinessAppPlatform/{path}?api-version=2019-10-01");
    let reply = s.ask("POST", &format!("scopes/admin/{}", path("link")), Some(json!({ "SystemId": system }))).await;
    assert_eq!(refusal(&reply), (404, "NotFound".into()));
    let reply = s.ask("GET", path("").trim_end_matches('/'), None).await;
    assert_eq!(reply.status, 404);
    let body = json!({ "SystemId": system }).to_string();
    let bare = Ask { body: Some(body.clone()), ..Ask::token(&s.admin) };
    assert_eq!(
        refusal(&s.f.ask("POST", &full(&path("link")), bare.clone()).await),
        (415, "UnsupportedMediaType".into())
    );
    let text = bare.header("content-type", "text/plain");
    assert_eq!(s.f.ask("POST", &full(&path("link")), text).await.status, 415);
    for (body, code) in [
        (json!({ "SystemId": policy["id"] }), "EmulatedInvalidSystemId"),
        (json!({}), "EmulatedInvalidSystemId"),
        (json!({ "SystemId": format!("{}0", system.as_str().unwrap()) }), "EmulatedPolicyNotFound"),
        (json!({ "SystemId": system, "policyArmId": "x" }), "InvalidRequestContent"),
    ] {
        let reply = s.f.ask("POST", &full(&path("link")), with(body.clone())).await;
        assert_eq!(refusal(&reply), (400, code.to_owned()), "{body}");
    }
    let other = path("link").replace("Encryption", "NetworkInjection");
    assert_eq!(refusal(&s.f.ask("POST", &full(&other), with(json!({ "SystemId": system }))).await).0, 501);
    // Nothing was begun.
    assert_eq!(s.operation().await, json!(null));
    for (why, spoil) in [
        ("not managed", (|it| it.protection_level = "Basic".into()) as fn(&mut PlatformEnvironment)),
        ("trial", |it| it.sku = "Trial".into()),
        ("teams", |it| it.sku = "Teams".into()),
        ("no Dataverse", |it| it.dataverse = None),
    ] {
        let s = Scene::with(|world| spoil(environment_of(world))).await;
        let policy = s.granted("cmk").await;
        assert_eq!(refusal(&s.link(&policy).await), (400, "InvalidLifecycleOperationRequest".into()), "{why}");
    }
}

#[tokio::test]
async fn a_caller_who_may_not_read_the_policy_does_not_link_it() {
    let s = Scene::start().await;
    let policy = s.granted("cmk").await;
    s.change(|world| {
        let registered = palisade::emulator::AdminApplication { registered: crate::support::start_of_time() };
        world.admin_applications.insert(STRANGER.app_id, registered);
    });
    let admin = s.f.token(STRANGER, crate::platform::ADMIN).await;
    let full = format!("/providers/Microsoft.BusinessAppPlatform/{}?api-version=2019-10-01", path("link"));
    let body = json!({ "SystemId": policy["properties"]["systemId"] });
    let reply = s.f.ask("POST", &full, Ask::token(&admin).json(&body)).await;
    assert_eq!(refusal(&reply), (403, "Forbidden".into()));
}

/// What has to do with policy and key fails the operation; the code is one of the emulator's own.
async fn fails(spoil: impl FnOnce(&mut World), code: &str, stage: &str) {
    let s = Scene::start().await;
    let policy = s.granted("cmk").await;
    s.change(spoil);
    assert_eq!(s.link(&policy).await.status, 202, "{code}");
    s.advance(5);
    let operation = s.operation().await;
    assert_eq!((&operation["state"]["id"], &operation["error"]["code"]), (&json!("Failed"), &json!(code)));
    let stages = operation["stages"].as_array().unwrap();
    assert_eq!(
        (&stages.last().unwrap()["id"], &stages.last().unwrap()["state"]["id"]),
        (&json!(stage), &json!("Failed"))
    );
    // The environment is on Microsoft's key, and says that a link failed.
    assert_eq!(s.standing().await.0, "Failed", "{code}");
    assert_eq!(s.properties().await["states"]["runtime"]["id"], "Enabled");
    let published = s.publicly("GET", &format!("environments/{ENVIRONMENT}")).await.json();
    let link = &published["enterprisePolicies"]["encryption"];
    assert_eq!((&link["status"], &link["error"]), (&json!("Failed"), &operation["error"]["message"]));
}

#[tokio::test]
async fn what_policy_and_key_get_wrong_fails_the_operation() {
    fails(|world| environment_of(world).location = "unitedstates".into(), "EmulatedRegionMismatch", "Validate").await;
    let prepare = "Prepare";
    fails(|world| vault_of(world).enable_purge_protection = false, "EmulatedKeyVaultNotProtected", prepare).await;
    fails(|world| vault_of(world).enable_soft_delete = false, "EmulatedKeyVaultNotProtected", prepare).await;
    fails(|world| drop(world.vaults.remove("kv-ci-prod")), "EmulatedKeyVaultNotFound", prepare).await;
    fails(|world| vault_of(world).keys.clear(), "EmulatedKeyNotFound", prepare).await;
    let first = |world: &mut World, change: fn(&mut palisade::emulator::KeyVersion)| {
        change(&mut vault_of(world).keys.get_mut("pp-key").unwrap().versions[0]);
    };
    fails(|world| first(world, |version| version.attributes.enabled = false), "EmulatedKeyDisabled", prepare).await;
    fails(|world| first(world, |version| version.key_size = Some(4096)), "EmulatedKeyNotSupported", prepare).await;
    fails(|world| first(world, |version| version.kty = "EC".into()), "EmulatedKeyNotSupported", prepare).await;
    let expired = |world: &mut World| first(world, |it| it.attributes.expires = Some(it.attributes.created));
    fails(expired, "EmulatedKeyNotActive", prepare).await;
    fails(
        |world| world.role_assignments.retain(|it| !it.scope.ends_with("kv-CI-prod")),
        "EmulatedKeyAccessDenied",
        prepare,
    )
    .await;
    // Each of the three rights is needed, by both vocabularies.
    for missing in ["keys/read", "keys/wrap/action", "keys/unwrap/action"] {
        let less = |world: &mut World| {
            let role = Uuid::from_u128(7);
            let denied = palisade::emulator::Permission {
                data_actions: vec!["Microsoft.KeyVault/vaults/keys/*".into()],
                not_data_actions: vec![format!("Microsoft.KeyVault/vaults/{missing}")],
                ..Default::default()
            };
            let custom = palisade::emulator::CustomRole { role_name: "less".into(), permissions: vec![denied] };
            world.custom_roles.insert(role, custom);
            let encryption: Uuid = crate::platform::ENCRYPTION_USER.parse().unwrap();
            let at = world.role_assignments.iter().position(|it| it.role_definition == encryption).unwrap();
            world.role_assignments[at].role_definition = role;
        };
        fails(less, "EmulatedKeyAccessDenied", prepare).await;
    }
    for granted in [["get", "wrapKey"], ["get", "unwrapKey"], ["wrapKey", "unwrapKey"]] {
        let less = |world: &mut World| {
            let identity = world.enterprise_policies.values().next().unwrap().system_identity.unwrap();
            let keys = granted.map(str::to_owned).into();
            let vault = vault_of(world);
            vault.enable_rbac_authorization = Some(false);
            vault.access_policies.push(palisade::emulator::AccessPolicy {
                tenant_id: crate::support::TENANT,
                object_id: identity,
                application_id: None,
                permissions: palisade::emulator::PolicyPermissions { keys, ..Default::default() },
            });
        };
        fails(less, "EmulatedKeyAccessDenied", prepare).await;
    }
    let shut = |world: &mut World| {
        vault_of(world).network_acls = Some(palisade::emulator::NetworkAcls {
            bypass: "None".into(),
            default_action: palisade::emulator::DefaultAction::Deny,
            ip_rules: Vec::new(),
            virtual_network_rules: Vec::new(),
        });
    };
    fails(shut, "EmulatedKeyVaultNotReachable", prepare).await;
}

#[tokio::test]
async fn some_geographies_fit_although_they_differ_and_access_policies_count() {
    let s = Scene::with(|world| {
        environment_of(world).location = "unitedkingdom".into();
        vault_of(world).enable_rbac_authorization = None;
    })
    .await;
    let policy = s.policy("cmk", "pp-key").await;
    s.change(|world| {
        let key = id(&policy).to_lowercase();
        world.enterprise_policies.get_mut(&key).unwrap().location = "uk".into();
        let keys = ["GET", "wrapKey", "unwrapKey"].map(str::to_owned).into();
        vault_of(world).access_policies.push(palisade::emulator::AccessPolicy {
            tenant_id: crate::support::TENANT,
            object_id: policy["identity"]["principalId"].as_str().unwrap().parse().unwrap(),
            application_id: None,
            permissions: palisade::emulator::PolicyPermissions { keys, ..Default::default() },
        });
    });
    let mut renamed = policy.clone();
    renamed["properties"]["systemId"] =
        json!(policy["properties"]["systemId"].as_str().unwrap().replace("europe", "uk"));
    assert_eq!(s.link(&renamed).await.status, 202);
    s.advance(5);
    assert_eq!(s.standing().await.0, "Linked");
}

#[tokio::test]
async fn a_link_over_another_one_swaps_and_a_failed_one_leaves_the_old_key() {
    let s = Scene::start().await;
    let (one, two) = (s.granted("one").await, s.policy("two", "pp-key").await);
    s.linked(&one).await;
    // The identity of the second policy has no right yet.
    assert_eq!(s.link(&two).await.status, 202);
    assert_eq!(s.operation().await["type"]["id"], "RotateCustomerManagedKey");
    assert_eq!(s.standing().await, ("Linking".into(), id(&two).into()));
    s.advance(5);
    assert_eq!(s.standing().await, ("Failed".into(), id(&one).into()));
    s.grant(&two);
    s.linked(&two).await;
    // The same again is a swap that changes nothing.
    assert_eq!(s.link(&two).await.status, 202);
    assert_eq!(s.operation().await["type"]["id"], "RotateCustomerManagedKey");
    s.advance(5);
    assert_eq!(s.standing().await, ok(id(&two)));
}

#[tokio::test]
async fn unlinking_takes_the_policy_that_is_linked() {
    let s = Scene::start().await;
    let (one, two) = (s.granted("one").await, s.granted("two").await);
    assert_eq!(refusal(&s.linking("unlink", &one).await), (400, "InvalidLifecycleOperationRequest".into()));
    s.linked(&one).await;
    assert_eq!(refusal(&s.linking("unlink", &two).await), (400, "EmulatedPolicyNotLinked".into()));
    assert_eq!(s.linking("unlink", &one).await.status, 202);
    assert_eq!(
        (s.standing().await.0, &s.operation().await["type"]["id"]),
        ("Unlinking".into(), &json!("RevertToMicrosoftKey"))
    );
    s.advance(5);
    assert_eq!(s.standing().await, (String::new(), String::new()));
}

#[tokio::test]
async fn operations_fail_and_reads_are_late_where_the_world_says_so() {
    let s = Scene::with(|world| world.behaviour.lifecycle_operations_fail = true).await;
    let policy = s.granted("cmk").await;
    assert_eq!(s.link(&policy).await.status, 202);
    s.advance(5);
    let operation = s.operation().await;
    assert_eq!(
        (&operation["error"]["code"], &operation["type"]["id"]),
        (&json!("EmulatedFailure"), &json!("NewCustomerManagedKey"))
    );
    // Again: the first link isn't in force, so this isn't a swap.
    s.change(|world| {
        world.behaviour.lifecycle_operations_fail = false;
        world.behaviour.lifecycle_stale_reads = 2;
    });
    assert_eq!(s.link(&policy).await.status, 202);
    s.advance(5);
    let operation = s.operation().await;
    assert_eq!(
        (&operation["state"]["id"], &operation["type"]["id"]),
        (&json!("Succeeded"), &json!("NewCustomerManagedKey"))
    );
    let seen = [s.standing().await.0, s.standing().await.0, s.standing().await.0];
    assert_eq!(seen, ["Linking", "Linking", "Linked"]);
}

#[tokio::test]
async fn what_would_be_taken_is_said_beforehand() {
    let s = Scene::start().await;
    let hint = async || {
        let body =
            s.ask("GET", &format!("environments/{ENVIRONMENT}/lifecycleOperationsEnforcement"), None).await.json();
        let kinds = |member: &str| -> Vec<String> {
            let rules = body[member].as_array().unwrap();
            rules.iter().map(|rule| rule["type"]["id"].as_str().unwrap().to_owned()).collect()
        };
        let reason = body["disallowedOperations"][0]["reason"]["type"].as_str().unwrap_or_default().to_owned();
        (kinds("allowedOperations"), kinds("disallowedOperations"), reason)
    };
    let (new, rotate, revert) = ("NewCustomerManagedKey", "RotateCustomerManagedKey", "RevertToMicrosoftKey");
    let (allowed, disallowed, reason) = hint().await;
    assert_eq!(
        (allowed, disallowed, reason.as_str()),
        (vec![new.to_owned()], vec![rotate.into(), revert.into()], "EnvironmentCmkLinked")
    );
    let policy = s.granted("cmk").await;
    s.linked(&policy).await;
    let (allowed, disallowed, _) = hint().await;
    assert_eq!((allowed, disallowed), (vec![rotate.to_owned(), revert.into()], vec![new.to_owned()]));
    s.change(|world| environment_of(world).protection_level = "Basic".into());
    assert_eq!(hint().await.2, "GovernanceConfig");
}

#[tokio::test]
async fn the_newest_enabled_version_is_used_unless_one_is_pinned() {
    let s = Scene::with(|world| {
        let key = vault_of(world).keys.get_mut("pp-key").unwrap();
        let mut newest = key_version(2, "RSA-HSM", 3072);
        newest.attributes.enabled = false;
        key.versions.push(newest);
    })
    .await;
    let policy = s.granted("cmk").await;
    s.linked(&policy).await;
    s.change(|world| {
        let key = id(&policy).to_lowercase();
        let encryption = world.enterprise_policies.get_mut(&key).unwrap().encryption.as_mut().unwrap();
        encryption.version = Some(format!("{:032x}", 2));
    });
    assert_eq!(s.properties().await["states"]["runtime"]["id"], "Disabled");
}
