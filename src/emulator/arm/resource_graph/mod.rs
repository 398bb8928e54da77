//! `Microsoft.ResourceGraph/resources`, for the query words that `query` knows.
//!
//! Words: a *row* is a resource as Resource Graph has it: type and location in lower case, the whole `properties` of its
//! provider. What must stay true: rows are behind the providers by the lag of the knob; a caller finds only what it may read.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD as BASE64;
use http::header::{HeaderName, HeaderValue, RETRY_AFTER};
use http::{Method, StatusCode};
use jiff::Timestamp;
use serde_json::{Value, json};
use url::Url;
use uuid::Uuid;

use super::error::ArmError;
use super::{Provider, Target, Visit, enterprise_policies, only, storage, synapse, vaults};
use crate::emulator::api_versions;
use crate::emulator::call::{Answer, guid};
use crate::emulator::rights::Plane;
use crate::emulator::unserved::NotServed;
use crate::emulator::views::{as_of, before};
use crate::emulator::world::{Earlier, World};

mod query;

/// The most rows of a page.
const MOST: usize = 1000;

pub(super) const PROVIDER: Provider = Provider {
    namespace: "Microsoft.ResourceGraph",
    types: &["resources"],
    locations: &[],
    api_versions: api_versions::RESOURCE_GRAPH,
    serve,
};

fn serve(visit: &Visit<'_>, target: &Target<'_>) -> Result<Answer, ArmError> {
    match target.rest.as_slice() {
        [word] if word.eq_ignore_ascii_case("resources") && target.scope.is_empty() => {
            only(visit.call, &[Method::POST])?;
            let limited = visit.shared.store.read(|w| w.behaviour.arm_throttling);
            let (left, seconds, fits) = visit.shared.arm_throttle.query(visit.caller.oid, visit.now);
            if limited && !fits {
                return Err(throttled(seconds));
            }
            let answer = visit.read(|world| answer(visit, world))?;
            Ok(with_quota(answer, left, seconds))
        }
        _ => Err(ArmError::not_served(visit.call)),
    }
}

fn with_quota(answer: Answer, left: u32, seconds: i64) -> Answer {
    let resets = HeaderValue::from_str(&format!("00:00:{seconds:02}"));
    let answer = answer.with(HeaderName::from_static("x-ms-user-quota-remaining"), HeaderValue::from(left));
    match resets {
        Ok(value) => answer.with(HeaderName::from_static("x-ms-user-quota-resets-after"), value),
        Err(_) => answer,
    }
}

fn throttled(seconds: i64) -> ArmError {
    let message = "Please provide below info when asking for support. The client application has been throttled and should \
                   not attempt to repeat the request until an amount of time has elapsed.";
    ArmError::new(StatusCode::TOO_MANY_REQUESTS, "RateLimiting", message)
        .with(RETRY_AFTER, HeaderValue::from(seconds.max(1)))
        .by_provider()
}

fn answer(visit: &Visit<'_>, world: &World) -> Result<Answer, ArmError> {
    let body = Value::Object(visit.body()?);
    let text = body["query"].as_str().ok_or_else(|| invalid("the body has no query"))?;
    let unserved = |reason: String| ArmError::from(NotServed::part(visit.call, &format!("this query: {reason}")));
    let query = query::Query::parse(text).map_err(unserved)?;
    let options = &body["options"];
    served(visit, &body)?;
    let number = |member: &str| options[member].as_u64().and_then(|n| usize::try_from(n).ok());
    let top = number("$top").unwrap_or(MOST);
    if !(1..=MOST).contains(&top) {
        return Err(invalid("$top is from 1 to 1000"));
    }
    let start = match options["$skipToken"].as_str() {
        Some(token) => skipped(token).ok_or_else(|| invalid("the $skipToken is invalid"))?,
        None => number("$skip").unwrap_or_default(),
    };
    let wanted: Option<Vec<Uuid>> =
        body["subscriptions"].as_array().map(|ids| ids.iter().filter_map(|id| guid(id.as_str()?)).collect());
    let current = rows(world, &visit.call.origin, visit.now);
    let seen = before(visit.now, world.behaviour.resource_graph_lag);
    let indexed = as_of(&world.earlier_resources, &current, seen);
    let readable = indexed.iter().filter(|row| {
        let (id, kind) = (row["id"].as_str().unwrap_or_default(), row["type"].as_str().unwrap_or_default());
        let subscription = row["subscriptionId"].as_str().and_then(guid);
        let asked = wanted.as_ref().is_none_or(|ids| subscription.is_some_and(|s| ids.contains(&s)));
        let action = format!("{kind}/read");
        asked && world.azure_allows(visit.caller.oid, Plane::Management, &action, id, visit.now)
    });
    let found = query.run(readable.cloned()).map_err(unserved)?;
    let total = found.len();
    // Paging needs the id in what is projected; without it the rest is cut off.
    let pages = found.iter().all(|row| row.get("id").is_some());
    let data: Vec<Value> = found.into_iter().skip(start).take(top).collect();
    let more = start + data.len() < total;
    let mut shown = json!({
        "totalRecords": total,
        "count": data.len(),
        "resultTruncated": if more { "true" } else { "false" },
        "facets": [],
        "data": data,
    });
    if more && pages {
        shown["$skipToken"] = json!(BASE64.encode((start + top).to_string()));
    }
    Ok(Answer::ok(shown))
}

/// What changes the answer and isn't served.
fn served(visit: &Visit<'_>, body: &Value) -> Result<(), ArmError> {
    let options = &body["options"];
    let is = |value: &Value, usual: &str| value.as_str().is_none_or(|word| word.eq_ignore_ascii_case(usual));
    let parts = [
        ("options.resultFormat", is(&options["resultFormat"], "objectArray")),
        ("options.authorizationScopeFilter", is(&options["authorizationScopeFilter"], "AtScopeAndBelow")),
        ("managementGroups", body["managementGroups"].as_array().is_none_or(Vec::is_empty)),
        ("facets", body["facets"].as_array().is_none_or(Vec::is_empty)),
    ];
    match parts.iter().find(|(_, served)| !served) {
        Some((part, _)) => Err(NotServed::part(visit.call, part).into()),
        None => Ok(()),
    }
}

fn skipped(token: &str) -> Option<usize> {
    String::from_utf8(BASE64.decode(token).ok()?).ok()?.parse().ok()
}

fn invalid(reason: &str) -> ArmError {
    let message = format!("Query is invalid: {reason}.");
    ArmError::bad_request("BadRequest", message).by_provider()
}

/// All resources as Resource Graph has them, in the order of their ids.
fn rows(world: &World, origin: &Url, now: Timestamp) -> Vec<Value> {
    let accounts = world.storage_accounts.values().map(|a| storage::resource(a, world, now));
    let workspaces = world.synapse_workspaces.values().map(|w| synapse::resource(w, world, now));
    let vaults = world.vaults.values().map(|v| vaults::resource(v, origin, now));
    let policies = world.enterprise_policies.values().map(|p| enterprise_policies::resource(p, world, now));
    let tenant = world.tenant.as_ref().map(|t| t.id);
    let all = accounts.chain(workspaces).chain(vaults).chain(policies);
    let mut rows: Vec<Value> = all.map(|resource| row(resource, tenant)).collect();
    rows.sort_by_key(|row| row["id"].as_str().unwrap_or_default().to_ascii_lowercase());
    rows
}

fn row(mut resource: Value, tenant: Option<Uuid>) -> Value {
    let id = resource["id"].as_str().unwrap_or_default().to_owned();
    let segments: Vec<&str> = id.split('/').collect();
    let lower = |value: &Value| json!(value.as_str().unwrap_or_default().to_ascii_lowercase());
    let (kind, location) = (lower(&resource["type"]), lower(&resource["location"]));
    (resource["type"], resource["location"]) = (kind, location);
    resource["subscriptionId"] = json!(segments.get(2));
    resource["resourceGroup"] = json!(segments.get(4).map(|group| group.to_ascii_lowercase()));
    resource["tenantId"] = json!(tenant);
    resource
}

/// Runs a change and remembers, where the knob asks for it, what Resource Graph found before.
pub(in crate::emulator) fn remembering<R, E>(
    world: &mut World,
    origin: &Url,
    now: Timestamp,
    change: impl FnOnce(&mut World) -> Result<R, E>,
) -> Result<R, E> {
    let lag = world.behaviour.resource_graph_lag;
    if lag.is_zero() {
        return change(world);
    }
    let was = rows(world, origin, now);
    let result = change(world)?;
    if rows(world, origin, now) != was {
        let horizon = before(now, lag);
        world.earlier_resources.push(Earlier { until: now, was });
        world.earlier_resources.retain(|earlier| earlier.until > horizon);
    }
    Ok(result)
}
