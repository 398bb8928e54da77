//! ARM's own routes: tenants, subscriptions, resource groups, resources and providers.
//!
//! The shapes are those of `Azure/azure-rest-api-specs`, `Microsoft.Resources/stable/2022-12-01/subscriptions.json` and
//! `resources.json`, with their examples. Words: something is *in sight* of a caller who holds a role on it, above it or
//! below it. Invariants: a list has what is in sight and nothing else, and a subscription that isn't in sight is answered
//! like one that doesn't exist.

use http::{Method, StatusCode};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use uuid::Uuid;

use super::error::ArmError;
use super::page::page;
use super::{PROVIDERS, Provider, Visit, enterprise_policies, only};
use crate::emulator::arm::authorization::quoted;
use crate::emulator::arm::{storage, synapse, vaults};
use crate::emulator::call::{Answer, Call, guid};
use crate::emulator::rights::{Plane, covers};
use crate::emulator::unserved::NotServed;
use crate::emulator::world::{ResourceGroup, Subscription, World};

const READ_GROUP: &str = "Microsoft.Resources/subscriptions/resourceGroups/read";

/// What a path of ARM's own names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place<'c> {
    Tenants,
    Subscriptions,
    Subscription(&'c str),
    Groups(&'c str),
    Group(&'c str, &'c str),
    Resources(&'c str, Option<&'c str>),
    Providers(&'c str),
    Provider(&'c str, &'c str),
    Register(&'c str, &'c str),
}

impl<'c> Place<'c> {
    pub(super) fn parse(call: &'c Call) -> Option<Self> {
        let texts: Vec<&'c str> = call.segments.iter().map(String::as_str).collect();
        let lower: Vec<String> = texts.iter().map(|text| text.to_ascii_lowercase()).collect();
        let lower: Vec<&str> = lower.iter().map(String::as_str).collect();
        let at = |index: usize| texts.get(index).copied().unwrap_or_default();
        Some(match lower.as_slice() {
            ["tenants"] => Self::Tenants,
            ["subscriptions"] => Self::Subscriptions,
            ["subscriptions", _] => Self::Subscription(at(1)),
            ["subscriptions", _, "resourcegroups"] => Self::Groups(at(1)),
            ["subscriptions", _, "resourcegroups", _] => Self::Group(at(1), at(3)),
            ["subscriptions", _, "resources"] => Self::Resources(at(1), None),
            ["subscriptions", _, "resourcegroups", _, "resources"] => Self::Resources(at(1), Some(at(3))),
            ["subscriptions", _, "providers"] => Self::Providers(at(1)),
            ["subscriptions", _, "providers", _] => Self::Provider(at(1), at(3)),
            ["subscriptions", _, "providers", _, "register"] => Self::Register(at(1), at(3)),
            _ => return None,
        })
    }
}

pub(super) fn serve(visit: &Visit<'_>, place: Place<'_>) -> Result<Answer, ArmError> {
    let methods: &[Method] = match place {
        Place::Group(..) => &[Method::GET, Method::HEAD],
        Place::Register(..) => &[Method::POST],
        _ => &[Method::GET],
    };
    only(visit.call, methods)?;
    if let Place::Register(id, namespace) = place {
        return visit.change(|world| register(visit, world, id, namespace));
    }
    visit.read(|world| match place {
        Place::Tenants => tenants(visit, world),
        Place::Subscriptions => {
            let seen = world.subscriptions.iter().filter(|(id, _)| in_sight(visit, world, &scope(**id)));
            let items = seen.map(|(id, subscription)| shown(world, *id, subscription)).collect();
            page(visit, items, world.behaviour.empty_first_pages)
        }
        Place::Subscription(id) => {
            let (id, subscription) = find(visit, world, id)?;
            Ok(Answer::ok(shown(world, id, subscription)))
        }
        Place::Groups(id) => groups(visit, world, find(visit, world, id)?),
        Place::Group(id, name) => group(visit, world, find(visit, world, id)?, name),
        Place::Resources(id, name) => resources(visit, world, find(visit, world, id)?, name),
        Place::Providers(id) => {
            let (id, _) = find(visit, world, id)?;
            let items = PROVIDERS.iter().map(|provider| registered(visit, world, id, provider)).collect();
            page(visit, items, world.behaviour.empty_first_pages)
        }
        Place::Provider(id, namespace) | Place::Register(id, namespace) => {
            provider(visit, world, find(visit, world, id)?.0, namespace)
        }
    })
}

/// How long registering takes. Chosen; Microsoft's libraries look every ten seconds.
const REGISTERING: SignedDuration = SignedDuration::from_secs(10);

fn register(visit: &Visit<'_>, world: &mut World, id: &str, namespace: &str) -> Result<Answer, ArmError> {
    let (id, _) = find(visit, world, id)?;
    visit.require(world, &format!("{namespace}/register/action"), &scope(id))?;
    if let Some(ends) = world.unregistered_providers.get_mut(&registration(id, namespace)) {
        let _ = ends.get_or_insert(visit.now.saturating_add(REGISTERING).unwrap_or(Timestamp::MAX));
    }
    provider(visit, world, id, namespace)
}

/// The name of a registration in the world.
fn registration(subscription: Uuid, namespace: &str) -> String {
    format!("{subscription}/{namespace}").to_ascii_lowercase()
}

/// How a registration stands.
fn registration_state(world: &World, subscription: Uuid, namespace: &str, now: Timestamp) -> &'static str {
    match world.unregistered_providers.get(&registration(subscription, namespace)) {
        Some(None) => "NotRegistered",
        Some(Some(ends)) if now < *ends => "Registering",
        Some(Some(_)) | None => "Registered",
    }
}

/// Refuses what takes a registered provider.
pub(super) fn require_registered(
    world: &World,
    subscription: Uuid,
    namespace: &str,
    now: Timestamp,
) -> Result<(), ArmError> {
    if registration_state(world, subscription, namespace, now) == "Registered" {
        return Ok(());
    }
    let message = format!(
        "The subscription is not registered to use namespace '{namespace}'. See https://aka.ms/rps-not-found for how to \
         register subscriptions."
    );
    Err(ArmError::new(StatusCode::CONFLICT, "MissingSubscriptionRegistration", message))
}

fn scope(subscription: Uuid) -> String {
    format!("/subscriptions/{subscription}")
}

/// Whether the caller holds a role on a scope, above it or below it.
fn in_sight(visit: &Visit<'_>, world: &World, scope: &str) -> bool {
    let from_above = world.roles_held(visit.caller.oid, scope, visit.now).next().is_some();
    from_above || world.roles_below(visit.caller.oid, scope, visit.now)
}

fn find<'w>(visit: &Visit<'_>, world: &'w World, id: &str) -> Result<(Uuid, &'w Subscription), ArmError> {
    let found = guid(id).and_then(|id| Some((id, world.subscriptions.get(&id)?)));
    found.filter(|(id, _)| in_sight(visit, world, &scope(*id))).ok_or_else(|| ArmError::subscription_not_found(id))
}

/// The one tenant, to everybody who has a token of it.
fn tenants(visit: &Visit<'_>, world: &World) -> Result<Answer, ArmError> {
    let shown = world.tenant.iter().map(|tenant| {
        json!({
            "id": format!("/tenants/{}", tenant.id),
            "tenantId": tenant.id,
            "countryCode": "NL",
            "displayName": tenant.name,
            "domains": [tenant.domain],
            "tenantCategory": "Home",
            "defaultDomain": tenant.domain,
            "tenantType": "AAD",
        })
    });
    page(visit, shown.collect(), world.behaviour.empty_first_pages)
}

fn shown(world: &World, id: Uuid, subscription: &Subscription) -> Value {
    let Subscription { display_name, resource_groups: _ } = subscription;
    json!({
        "id": scope(id),
        "subscriptionId": id,
        "tenantId": world.tenant.as_ref().map(|tenant| tenant.id),
        "displayName": display_name,
        "state": "Enabled",
        "subscriptionPolicies": {
            "locationPlacementId": "Public_2014-09-01",
            "quotaId": "PayAsYouGo_2014-09-01",
            "spendingLimit": "Off",
        },
        "authorizationSource": "RoleBased",
        "managedByTenants": [],
    })
}

fn shown_group(subscription: Uuid, group: &ResourceGroup) -> Value {
    let ResourceGroup { name, location } = group;
    json!({
        "id": format!("{}/resourceGroups/{name}", scope(subscription)),
        "name": name,
        "type": "Microsoft.Resources/resourceGroups",
        "location": location,
        "properties": { "provisioningState": "Succeeded" },
    })
}

fn groups(visit: &Visit<'_>, world: &World, (id, found): (Uuid, &Subscription)) -> Result<Answer, ArmError> {
    let at = |group: &ResourceGroup| format!("{}/resourceGroups/{}", scope(id), group.name);
    let seen = found.resource_groups.values().filter(|group| in_sight(visit, world, &at(group)));
    let items = seen.map(|group| shown_group(id, group)).collect();
    page(visit, items, world.behaviour.empty_first_pages)
}

/// GET shows a group; HEAD says whether it is there: 204 or 404, both without a body.
fn group(visit: &Visit<'_>, world: &World, (id, found): (Uuid, &Subscription), name: &str) -> Result<Answer, ArmError> {
    visit.require(world, READ_GROUP, &format!("{}/resourceGroups/{name}", scope(id)))?;
    let group = found.resource_groups.get(&name.to_ascii_lowercase());
    match (group, &visit.call.method) {
        (Some(_), &Method::HEAD) => Ok(Answer::empty(StatusCode::NO_CONTENT)),
        (None, &Method::HEAD) => Ok(Answer::empty(StatusCode::NOT_FOUND)),
        (Some(group), _) => Ok(Answer::ok(shown_group(id, group))),
        (None, _) => Err(ArmError::group_not_found(name)),
    }
}

/// What `$filter` narrows a list of resources to: `resourceType eq '…'` and `name eq '…'`, alone or joined by `and`.
#[derive(Debug, Default)]
struct Filter {
    kind: Option<String>,
    name: Option<String>,
}

impl Filter {
    fn parse(text: &str) -> Option<Self> {
        let mut filter = Self::default();
        for part in text.split(" and ").map(str::trim).filter(|part| !part.is_empty()) {
            match (quoted(part, "resourceType eq "), quoted(part, "name eq ")) {
                (Some(kind), _) => filter.kind = Some(kind),
                (_, Some(name)) => filter.name = Some(name),
                (None, None) => return None,
            }
        }
        Some(filter)
    }

    fn takes(&self, kind: &str, name: &str) -> bool {
        let fits = |wanted: &Option<String>, own: &str| wanted.as_ref().is_none_or(|w| w.eq_ignore_ascii_case(own));
        fits(&self.kind, kind) && fits(&self.name, name)
    }
}

/// The resources that the caller may read, in brief.
fn resources(
    visit: &Visit<'_>,
    world: &World,
    (id, found): (Uuid, &Subscription),
    group: Option<&str>,
) -> Result<Answer, ArmError> {
    let below = group.map_or_else(|| scope(id), |name| format!("{}/resourceGroups/{name}", scope(id)));
    if group.is_some_and(|name| !found.resource_groups.contains_key(&name.to_ascii_lowercase())) {
        return Err(ArmError::group_not_found(group.unwrap_or_default()));
    }
    let filter = visit.call.parameter("$filter").unwrap_or_default();
    let unserved = || NotServed::part(visit.call, &format!("$filter={filter}"));
    let wanted = Filter::parse(filter).ok_or_else(unserved)?;
    let origin = &visit.call.origin;
    let accounts = world.storage_accounts.values().map(|account| storage::resource(account, world, visit.now));
    let workspaces = world.synapse_workspaces.values().map(|workspace| synapse::resource(workspace, world, visit.now));
    let vaults = world.vaults.values().map(|vault| vaults::resource(vault, origin, visit.now));
    let text = |resource: &Value, member: &str| resource[member].as_str().unwrap_or_default().to_owned();
    let policies = world.enterprise_policies.values().map(|it| enterprise_policies::resource(it, world, visit.now));
    let seen = accounts.chain(workspaces).chain(vaults).chain(policies).filter(|resource| {
        let (id, own) = (text(resource, "id"), text(resource, "type"));
        let asked = wanted.takes(&own, &text(resource, "name")) && covers(&below, &id);
        asked && world.azure_allows(visit.caller.oid, Plane::Management, &format!("{own}/read"), &id, visit.now)
    });
    const BRIEF: [&str; 8] = ["id", "name", "type", "location", "tags", "kind", "sku", "identity"];
    let mut items: Vec<Value> = seen
        .map(|resource| {
            let kept = BRIEF.iter().filter_map(|name| Some(((*name).to_owned(), resource.get(*name)?.clone())));
            Value::Object(kept.collect())
        })
        .collect();
    items.sort_by_key(|item| text(item, "id").to_ascii_lowercase());
    page(visit, items, world.behaviour.empty_first_pages)
}

fn provider(visit: &Visit<'_>, world: &World, subscription: Uuid, namespace: &str) -> Result<Answer, ArmError> {
    let found = PROVIDERS.iter().find(|provider| provider.namespace.eq_ignore_ascii_case(namespace));
    match found {
        Some(provider) => Ok(Answer::ok(registered(visit, world, subscription, provider))),
        // It may well be registered; the emulator doesn't know.
        None => Err(ArmError::not_served(visit.call)),
    }
}

/// A provider, registered unless the world says otherwise.
fn registered(visit: &Visit<'_>, world: &World, subscription: Uuid, provider: &Provider) -> Value {
    let Provider { namespace, types, locations, api_versions, serve: _ } = provider;
    let versions: Vec<&str> = api_versions.versions().rev().collect();
    let types: Vec<Value> = types
        .iter()
        .map(|kind| {
            json!({
                "resourceType": kind,
                "locations": locations,
                "apiVersions": versions,
                "capabilities": "None",
            })
        })
        .collect();
    json!({
        "id": format!("{}/providers/{namespace}", scope(subscription)),
        "namespace": namespace,
        "registrationState": registration_state(world, subscription, namespace, visit.now),
        "registrationPolicy": "RegistrationRequired",
        "resourceTypes": types,
    })
}
