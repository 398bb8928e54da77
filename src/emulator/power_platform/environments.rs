//! Environments as the two services show them.
//!
//! What must stay true: `protectionStatus.keyManagedBy` says `Microsoft` whatever the key; without Dataverse there is no
//! `linkedEnvironmentMetadata`; settings aren't shown of an environment in a group; reads count down what they show of the past.

use http::Method;
use serde_json::{Map, Value, json};

use super::error::PlatformError;
use super::page::{Way, page};
use super::{Face, Visit, lifecycle, only};
use crate::emulator::call::Answer;
use crate::emulator::unserved::NotServed;
use crate::emulator::world::{LinkKind, PlatformDataverse, PlatformEnvironment, PolicyLink, World};

/// What `$expand` may ask for: it is shown anyway.
const EXPANDED: [&str; 2] = ["properties/billingpolicy", "properties/copilotpolicies"];

/// How many environments are linked to a policy, or are being.
pub(crate) fn linked(world: &World, policy: &str) -> usize {
    let is = |link: &PolicyLink| {
        let held = link.in_force || link.status == "Linking" || link.status == "Linked";
        held && link.policy.eq_ignore_ascii_case(policy)
    };
    // While another policy is linked over it, the one before is still in force.
    let replaced = |environment: &PlatformEnvironment| {
        let key = environment.id.to_lowercase();
        let open = world.lifecycle_operations.values().filter(|one| one.environment == key && !one.applied);
        open.filter_map(|one| one.before.as_ref()).any(|link| link.in_force && link.policy.eq_ignore_ascii_case(policy))
    };
    let environments = world.power_platform_environments.values();
    environments.filter(|environment| environment.links.values().any(is) || replaced(environment)).count()
}

pub(super) fn list(visit: &Visit<'_>) -> Result<Answer, PlatformError> {
    only(visit.call, &[Method::GET])?;
    if !visit.administers {
        return Err(PlatformError::not_permitted(visit.call));
    }
    expanded(visit)?;
    visit.change(|world| {
        let items = world.power_platform_environments.values().map(|it| shown(visit, world, it)).collect();
        let answer = page(visit, world, items, Way::Link)?;
        let keys: Vec<String> = world.power_platform_environments.keys().cloned().collect();
        keys.iter().for_each(|key| count_down(world, key));
        Ok(answer)
    })
}

pub(super) fn get(visit: &Visit<'_>, id: &str) -> Result<Answer, PlatformError> {
    only(visit.call, &[Method::GET])?;
    expanded(visit)?;
    visit.change(|world| {
        let found = visit.find(world, id)?;
        let (answer, key) = (Answer::ok(shown(visit, world, found)), found.id.to_lowercase());
        count_down(world, &key);
        Ok(answer)
    })
}

fn expanded(visit: &Visit<'_>) -> Result<(), PlatformError> {
    let Some(asked) = visit.call.parameter("$expand") else { return Ok(()) };
    let known = |part: &str| EXPANDED.contains(&part.trim().to_lowercase().as_str());
    match asked.split(',').all(known) {
        true => Ok(()),
        false => Err(NotServed::part(visit.call, &format!("$expand={asked}")).into()),
    }
}

/// A read of the past was made.
fn count_down(world: &mut World, key: &str) {
    if world.power_platform_environments.get(key).is_none_or(|environment| environment.stale.is_none()) {
        return;
    }
    if let Some(environment) = world.power_platform_environments.get_mut(key)
        && let Some(stale) = &mut environment.stale
    {
        stale.left = stale.left.saturating_sub(1);
        if stale.left == 0 {
            environment.stale = None;
        }
    }
}

fn shown(visit: &Visit<'_>, world: &World, environment: &PlatformEnvironment) -> Value {
    match visit.face {
        Face::Admin => administered(visit, world, environment),
        Face::Published => published(visit, world, environment),
    }
}

/// States at this instant: management, runtime, and why the runtime is what it is. That a locked environment has a reason code
/// of its own isn't known.
fn states(visit: &Visit<'_>, world: &World, environment: &PlatformEnvironment) -> (&'static str, String) {
    let active = lifecycle::active(world, &environment.id, visit.now);
    let encrypting = active.is_some_and(|operation| operation.kind.contains("Key"));
    let runtime = if encrypting || environment.locked { "Disabled".to_owned() } else { environment.runtime.clone() };
    (if active.is_some() { "Running" } else { "Ready" }, runtime)
}

/// As administration shows it. Taken apart in full, so that a new member can't be forgotten.
fn administered(visit: &Visit<'_>, world: &World, environment: &PlatformEnvironment) -> Value {
    let PlatformEnvironment {
        id,
        display_name,
        location,
        azure_region,
        sku,
        protection_level,
        extended_settings,
        group,
        dataverse,
        created,
        runtime: _,
        locked: _,
        locked_since: _,
        links,
        stale,
    } = environment;
    let (management, runtime) = states(visit, world, environment);
    let links = stale.as_ref().map_or(links, |stale| &stale.links);
    let protection_level = stale.as_ref().map_or(protection_level, |stale| &stale.protection_level);
    let settings = group.is_none().then(|| json!({ "extendedSettings": extended_settings }));
    let mut properties = json!({
        "tenantId": world.tenant.as_ref().map(|tenant| tenant.id),
        "azureRegion": azure_region,
        "displayName": display_name,
        "createdTime": instant(*created),
        "createdBy": { "id": "SYSTEM", "displayName": "SYSTEM", "type": "NotSpecified" },
        "provisioningState": "Succeeded",
        "creationType": "User",
        "environmentSku": sku,
        "isDefault": sku == "Default",
        "runtimeEndpoints": { "microsoft.BusinessAppPlatform": visit.origin() },
        "databaseType": if dataverse.is_some() { "CommonDataService" } else { "None" },
        "states": {
            "management": { "id": management },
            "runtime": { "id": runtime, "runtimeReasonCode": "NotSpecified",
                         "requestedBy": { "displayName": "SYSTEM", "type": "NotSpecified" } },
        },
        "protectionStatus": { "keyManagedBy": "Microsoft" },
        "billingPolicy": { "id": "" },
        "copilotPolicies": { "crossGeoCopilotDataMovementEnabled": false, "crossBoundaryCopilotDataMovementEnabled": false },
        "governanceConfiguration": { "protectionLevel": protection_level, "settings": settings },
    });
    let optional = [
        ("linkedEnvironmentMetadata", dataverse.as_ref().map(organisation)),
        ("parentEnvironmentGroup", group.map(|id| json!({ "id": id }))),
        ("enterprisePolicies", (!links.is_empty()).then(|| linked_policies(location, links))),
    ];
    if let Some(members) = properties.as_object_mut() {
        members.extend(optional.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))));
    }
    json!({
        "id": format!("/providers/Microsoft.BusinessAppPlatform/scopes/admin/environments/{id}"),
        "type": "Microsoft.BusinessAppPlatform/scopes/environments",
        "location": location,
        "name": id,
        "properties": properties,
    })
}

fn organisation(dataverse: &PlatformDataverse) -> Value {
    let PlatformDataverse { resource_id, friendly_name, instance_url, instance_state } = dataverse;
    let host = instance_url.trim_end_matches('/').rsplit('/').next().unwrap_or_default();
    let domain = host.split('.').next().unwrap_or_default();
    let api = host.split_once('.').map(|(front, rest)| format!("https://{front}.api.{rest}"));
    json!({
        "resourceId": resource_id,
        "friendlyName": friendly_name,
        "uniqueName": domain,
        "domainName": domain,
        "version": "9.2.26072.00150",
        "instanceUrl": instance_url,
        "instanceApiUrl": api,
        "baseLanguage": 1033,
        "instanceState": instance_state,
        "backgroundOperationsState": "Enabled",
    })
}

fn linked_policies(location: &str, links: &std::collections::BTreeMap<LinkKind, PolicyLink>) -> Value {
    let mut shown = Map::new();
    for (kind, PolicyLink { policy, system_id, status, error: _, in_force: _ }) in links {
        let name = match kind {
            LinkKind::Encryption => "customerManagedKeys",
            LinkKind::NetworkInjection => "vNets",
            LinkKind::Identity => "identity",
        };
        let link = json!({
            "policyId": system_id.rsplit('/').next(),
            "location": location,
            "id": policy,
            "systemId": system_id,
            "linkStatus": status,
        });
        shown.insert(name.to_owned(), link);
    }
    Value::Object(shown)
}

/// As the published service shows it.
fn published(visit: &Visit<'_>, world: &World, environment: &PlatformEnvironment) -> Value {
    let PlatformEnvironment { id, display_name, location, azure_region, sku, group, dataverse, created, .. } =
        environment;
    let (_, runtime) = states(visit, world, environment);
    let links = environment.stale.as_ref().map_or(&environment.links, |stale| &stale.links);
    let level = environment.stale.as_ref().map_or(&environment.protection_level, |stale| &stale.protection_level);
    let policies = links.iter().map(|(kind, link)| {
        let PolicyLink { policy, system_id, status, error, in_force: _ } = link;
        let name = match kind {
            LinkKind::Encryption => "encryption",
            LinkKind::NetworkInjection => "networkInjection",
            LinkKind::Identity => "identity",
        };
        let mut shown = json!({ "id": system_id.rsplit('/').next(), "resourceId": policy, "status": status });
        if let Some(error) = error {
            shown["error"] = json!(error);
        }
        (name.to_owned(), shown)
    });
    json!({
        "id": id,
        "displayName": display_name,
        "type": sku,
        // The words of this member aren't known but for these two.
        "state": if runtime == "Disabled" { "Disabled" } else { "Enabled" },
        "geo": location,
        "azureRegion": azure_region,
        "tenantId": world.tenant.as_ref().map(|tenant| tenant.id),
        "protectionLevel": level,
        "enterprisePolicies": policies.collect::<Map<_, _>>(),
        "environmentGroupId": group,
        "dataverseId": dataverse.as_ref().map(|it| it.resource_id),
        "url": dataverse.as_ref().map(|it| &it.instance_url),
        "createdDateTime": instant(*created),
    })
}

/// An instant with seven digits after the second.
pub(super) fn instant(at: jiff::Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%S.%7fZ").to_string()
}
