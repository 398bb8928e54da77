//! `Microsoft.PowerPlatform/enterprisePolicies`.
//!
//! What must stay true: a policy that an environment is linked to is neither changed nor deleted, with the two codes that were
//! seen; the principal of its identity has both names, the one that the service answers with and the one that is published;
//! what Power Platform calls it is made anew with each policy, also under an old name.

use http::{Method, StatusCode};
use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::error::ArmError;
use super::page::page;
use super::{Provider, Target, Visit, only, subscriptions};
use crate::emulator::api_versions;
use crate::emulator::call::Answer;
use crate::emulator::power_platform::{self, keys};
use crate::emulator::rights::covers;
use crate::emulator::seed::derived_id;
use crate::emulator::world::{Application, EnterprisePolicy, LinkKind, PolicyKey, World};

/// The type on the wire.
pub(super) const TYPE: &str = "Microsoft.PowerPlatform/enterprisePolicies";
/// What the provider's refusals name.
const NAMESPACE: &str = "Quartz.EnterprisePolicy";
/// The kinds that are published.
const KINDS: [&str; 5] = ["Lockbox", "PrivateEndpoint", "Encryption", "NetworkInjection", "Identity"];
/// The geographies that Power Platform's own page lists.
const LOCATIONS: &[&str] = &[
    "unitedstates",
    "southafrica",
    "uk",
    "japan",
    "india",
    "france",
    "europe",
    "germany",
    "switzerland",
    "canada",
    "brazil",
    "australia",
    "asia",
    "uae",
    "korea",
    "norway",
    "singapore",
    "sweden",
    "unitedstateseuap",
];

pub(super) const PROVIDER: Provider = Provider {
    namespace: "Microsoft.PowerPlatform",
    types: &["enterprisePolicies"],
    locations: LOCATIONS,
    api_versions: api_versions::ENTERPRISE_POLICIES,
    serve,
};

fn serve(visit: &Visit<'_>, target: &Target<'_>) -> Result<Answer, ArmError> {
    power_platform::settle(visit.shared, visit.now)?;
    let lower: Vec<String> = target.rest.iter().map(|s| s.to_ascii_lowercase()).collect();
    let lower: Vec<&str> = lower.iter().map(String::as_str).collect();
    let in_group = target.group.is_some();
    match lower.as_slice() {
        ["enterprisepolicies"] => {
            only(visit.call, &[Method::GET])?;
            visit.read(|world| list(visit, world, target))
        }
        ["enterprisepolicies", _] if in_group => match visit.call.method {
            Method::PUT => visit.change(|world| put(visit, world, target)),
            Method::PATCH => visit.change(|world| patch(visit, world, target)),
            Method::DELETE => visit.change(|world| delete(visit, world, target)),
            _ => {
                only(visit.call, &[Method::GET, Method::PUT, Method::PATCH, Method::DELETE])?;
                visit.read(|world| get(visit, world, target))
            }
        },
        _ => Err(ArmError::not_served(visit.call)),
    }
}

fn right(action: &str) -> String {
    format!("{TYPE}/{action}")
}

fn refused(status: StatusCode, code: &'static str, message: impl Into<String>) -> ArmError {
    ArmError::new(status, code, message).by_provider().in_namespace(NAMESPACE)
}

fn invalid(message: &str) -> ArmError {
    refused(StatusCode::BAD_REQUEST, "InputValidationError", message)
}

/// Chosen: a list needs the right on the whole scope that it is of.
fn list(visit: &Visit<'_>, world: &World, target: &Target<'_>) -> Result<Answer, ArmError> {
    visit.require(world, &right("read"), &target.scope)?;
    if target.group.is_some() {
        visit.group(world, target)?;
    }
    let below = world.enterprise_policies.values().filter(|policy| covers(&target.scope, &policy.id));
    let items = below.map(|policy| resource(policy, world, visit.now)).collect();
    page(visit, items, world.behaviour.empty_first_pages)
}

fn find<'w>(visit: &Visit<'_>, world: &'w World, target: &Target<'_>) -> Result<&'w EnterprisePolicy, ArmError> {
    let group = visit.group(world, target)?;
    let name = target.rest.last().copied().unwrap_or_default();
    let found = world.enterprise_policies.get(&target.id().to_lowercase());
    found.ok_or_else(|| ArmError::resource_not_found(TYPE, name, &group.name))
}

fn get(visit: &Visit<'_>, world: &World, target: &Target<'_>) -> Result<Answer, ArmError> {
    visit.require(world, &right("read"), &target.id())?;
    Ok(Answer::ok(resource(find(visit, world, target)?, world, visit.now)))
}

/// Creates a policy, or replaces one: absent members are absent then.
fn put(visit: &Visit<'_>, world: &mut World, target: &Target<'_>) -> Result<Answer, ArmError> {
    visit.require(world, &right("write"), &target.id())?;
    visit.group(world, target)?;
    subscriptions::require_registered(world, target.subscription, PROVIDER.namespace, visit.now)?;
    let body = visit.body()?;
    let known = world.enterprise_policies.get(&target.id().to_lowercase()).cloned();
    if let Some(known) = &known {
        require_unlinked(world, known, "EnterprisePolicyUpdateNotAllowed", "updated")?;
    }
    let new = known.is_none();
    let name = target.rest.last().copied().unwrap_or_default();
    let id = format!("{}/providers/{TYPE}/{name}", target.scope);
    let mut policy = known.unwrap_or_else(|| EnterprisePolicy {
        guid: derived_id(world.world, "enterprise-policy", &format!("{id}@{}", visit.now)),
        id,
        location: String::new(),
        kind: String::new(),
        tags: Default::default(),
        system_identity: None,
        encryption: None,
        network_injection: None,
        created: visit.now,
        created_by: visit.caller.oid,
    });
    let kind = body.get("kind").and_then(Value::as_str).unwrap_or_default();
    if !new && kind != policy.kind {
        return Err(invalid("The kind of an enterprise policy can't be changed."));
    }
    if !KINDS.contains(&kind) {
        return Err(invalid("The kind of the enterprise policy is missing or unknown."));
    }
    kind.clone_into(&mut policy.kind);
    (policy.encryption, policy.network_injection) = (None, None);
    policy.tags.clear();
    set(&mut policy, &body)?;
    complete(visit, world, &mut policy)?;
    let status = if new { StatusCode::CREATED } else { StatusCode::OK };
    let answer = Answer::json(status, resource(&policy, world, visit.now));
    world.enterprise_policies.insert(policy.id.to_lowercase(), policy);
    Ok(answer)
}

fn patch(visit: &Visit<'_>, world: &mut World, target: &Target<'_>) -> Result<Answer, ArmError> {
    visit.require(world, &right("write"), &target.id())?;
    let mut policy = find(visit, world, target)?.clone();
    let body = visit.body()?;
    if body.keys().any(|member| member != "tags") {
        require_unlinked(world, &policy, "EnterprisePolicyUpdateNotAllowed", "updated")?;
    }
    set(&mut policy, &body)?;
    complete(visit, world, &mut policy)?;
    let answer = Answer::ok(resource(&policy, world, visit.now));
    world.enterprise_policies.insert(policy.id.to_lowercase(), policy);
    Ok(answer)
}

fn delete(visit: &Visit<'_>, world: &mut World, target: &Target<'_>) -> Result<Answer, ArmError> {
    visit.require(world, &right("delete"), &target.id())?;
    visit.group(world, target)?;
    let Some(policy) = world.enterprise_policies.get(&target.id().to_lowercase()).cloned() else {
        return Ok(Answer::empty(StatusCode::NO_CONTENT));
    };
    require_unlinked(world, &policy, "EnterprisePolicyDeleteNotAllowed", "deleted")?;
    world.enterprise_policies.remove(&policy.id.to_lowercase());
    // Its identity goes with it; what was granted to it stays behind, as in Azure.
    if let Some(identity) = policy.system_identity {
        world.applications.remove(&identity);
    }
    Ok(Answer::empty(StatusCode::OK))
}

/// An environment counts as linked also while it is being linked, or as long as a failed link is in force.
fn require_unlinked(world: &World, policy: &EnterprisePolicy, code: &'static str, verb: &str) -> Result<(), ArmError> {
    let count = power_platform::linked(world, &policy.id);
    if count == 0 {
        return Ok(());
    }
    let message = format!("The enterprise policy cannot be {verb} since it is linked to {count} environment(s).");
    Err(refused(StatusCode::BAD_REQUEST, code, message))
}

/// Sets the members that a body has. What only the service sets may be sent back, and is passed over.
fn set(policy: &mut EnterprisePolicy, body: &Map<String, Value>) -> Result<(), ArmError> {
    for (member, value) in body {
        match (member.as_str(), value) {
            ("id" | "name" | "type" | "systemData" | "identity", _) | (_, Value::Null) => {}
            ("kind", kind) if *kind == json!(policy.kind) => {}
            ("location", Value::String(location)) => {
                let known = LOCATIONS.iter().find(|known| known.eq_ignore_ascii_case(location));
                let known = known.ok_or_else(|| {
                    let message = format!(
                        "The provided location '{location}' is not available for resource type '{TYPE}'. List of available \
                         regions for the resource type is '{}'.",
                        LOCATIONS.join(",")
                    );
                    ArmError::bad_request("LocationNotAvailableForResourceType", message)
                })?;
                (*known).clone_into(&mut policy.location);
            }
            ("tags", tags) => {
                policy.tags = serde_json::from_value(tags.clone()).map_err(|_| invalid("The tags are invalid."))?;
            }
            ("properties", Value::Object(properties)) => set_properties(policy, properties)?,
            (other, _) => return Err(invalid(&format!("The member '{other}' is unknown or invalid."))),
        }
    }
    Ok(())
}

fn set_properties(policy: &mut EnterprisePolicy, properties: &Map<String, Value>) -> Result<(), ArmError> {
    for (member, value) in properties {
        match (member.as_str(), value) {
            ("systemId" | "healthStatus", _) | (_, Value::Null) => {}
            ("encryption", encryption) => policy.encryption = Some(read_key(encryption)?),
            ("networkInjection", networks) if networks["virtualNetworks"].is_array() => {
                policy.network_injection = Some(networks.clone());
            }
            (other, _) => {
                return Err(invalid(&format!("The member '{other}' of the properties is unknown or invalid.")));
            }
        }
    }
    Ok(())
}

fn read_key(encryption: &Value) -> Result<PolicyKey, ArmError> {
    let text = |value: &Value| value.as_str().filter(|text| !text.is_empty()).map(str::to_owned);
    let vault = &encryption["keyVault"];
    let is_arm_id = |id: &String| {
        let id = id.to_ascii_lowercase();
        id.starts_with("/subscriptions/")
            && (id.contains("/microsoft.keyvault/vaults/") || id.contains("/microsoft.keyvault/managedhsms/"))
    };
    Ok(PolicyKey {
        state: text(&encryption["state"]).unwrap_or_else(|| "Enabled".to_owned()),
        vault: text(&vault["id"]).filter(is_arm_id).ok_or_else(|| invalid("The key vault is missing or invalid."))?,
        name: text(&vault["key"]["name"]).ok_or_else(|| invalid("The name of the key is missing."))?,
        version: text(&vault["key"]["version"]),
    })
}

/// What a whole policy must have, and its identity, which appears in the directory late.
fn complete(visit: &Visit<'_>, world: &mut World, policy: &mut EnterprisePolicy) -> Result<(), ArmError> {
    if policy.location.is_empty() {
        return Err(ArmError::bad_request(
            "LocationRequired",
            "The location property is required for this definition.",
        ));
    }
    let body = visit.body()?;
    let asked = body.get("identity").and_then(|identity| identity["type"].as_str());
    let needs_identity = ["Encryption", "Identity"].contains(&policy.kind.as_str());
    match (asked, policy.system_identity) {
        (Some("SystemAssigned"), None) => {
            let identity = derived_id(world.world, "policy-identity", &policy.guid.to_string());
            let app_id = derived_id(world.world, "policy-identity-application", &policy.guid.to_string());
            let name = policy.id.rsplit('/').next().unwrap_or_default().to_owned();
            world.applications.insert(identity, Application { app_id, display_name: name, client: None });
            let late = world.behaviour.policy_identity_replication;
            if late.is_positive() {
                let until = visit.now.saturating_add(late).unwrap_or(Timestamp::MAX);
                world.replicating_principals.insert(identity, until);
            }
            policy.system_identity = Some(identity);
        }
        (Some("SystemAssigned") | None, Some(_)) => {}
        (None | Some("None"), None) if !needs_identity => {}
        _ => return Err(invalid("The policy needs a system-assigned identity.")),
    }
    if policy.kind == "Encryption" && policy.encryption.is_none() {
        return Err(invalid("The encryption of the policy is missing."));
    }
    Ok(())
}

/// A policy as ARM shows it. Taken apart in full, so that a new member can't be forgotten.
pub(super) fn resource(policy: &EnterprisePolicy, world: &World, now: Timestamp) -> Value {
    let EnterprisePolicy {
        id,
        location,
        kind,
        tags,
        system_identity,
        guid: _,
        encryption,
        network_injection,
        created,
        created_by,
    } = policy;
    let encryption = encryption.as_ref().map(|PolicyKey { state, vault, name, version }| {
        let mut key = json!({ "name": name });
        if let Some(version) = version {
            key["version"] = json!(version);
        }
        json!({ "state": state, "keyVault": { "id": vault, "key": key } })
    });
    let mut properties = Map::from_iter([
        ("systemId".to_owned(), json!(policy.system_id())),
        ("healthStatus".to_owned(), json!(health(policy, world, now))),
    ]);
    let optional = [("encryption", encryption), ("networkInjection", network_injection.clone())];
    properties.extend(optional.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))));
    let mut shown = json!({
        "id": id,
        "name": id.rsplit('/').next(),
        "type": TYPE,
        "kind": kind,
        "location": location,
        "tags": tags,
        "properties": properties,
        "systemData": {
            "createdBy": created_by,
            "createdByType": "Application",
            "createdAt": created.to_string(),
        },
    });
    if let Some(identity) = system_identity {
        shown["identity"] = json!({
            "type": "SystemAssigned",
            "principalId": identity,
            "systemAssignedIdentityPrincipalId": identity,
            "tenantId": world.tenant.as_ref().map(|tenant| tenant.id),
        });
    }
    shown
}

/// Whether the key can be used is looked at only for environments that are encrypted with it.
fn health(policy: &EnterprisePolicy, world: &World, now: Timestamp) -> &'static str {
    let environments = world.power_platform_environments.values();
    let mut links = environments.filter_map(|environment| environment.links.get(&LinkKind::Encryption));
    let in_force = links.any(|link| link.in_force && link.policy.eq_ignore_ascii_case(&policy.id));
    match in_force {
        false => "Undetermined",
        true if keys::goes_on(world, policy, now).is_ok() => "Healthy",
        true => "Unhealthy",
    }
}
