//! Lists of Power Platform, each with its own word for the next page.
//!
//! What must stay true: links are absolute and keep the call's own query; the last page has no word at all.

use serde_json::{Value, json};

use super::error::PlatformError;
use super::{Face, Visit};
use crate::emulator::call::Answer;
use crate::emulator::world::World;

/// How a list goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Way {
    /// A link in `nextLink`, or, of the published service, in `@odata.nextlink`.
    Link,
    /// A token in `continuationToken`, beside `collection`.
    Token,
}

/// The page of `items` that the call asks for.
pub(super) fn page(visit: &Visit<'_>, world: &World, items: Vec<Value>, way: Way) -> Result<Answer, PlatformError> {
    let (at, size) = match (way, visit.face) {
        (Way::Token, _) => ("continuationToken", "limit"),
        (Way::Link, Face::Published) => ("$skip", "$top"),
        (Way::Link, Face::Admin) => ("$skiptoken", "$top"),
    };
    let number = |name: &str| match visit.call.parameter(name).map(str::parse::<usize>) {
        None => Ok(None),
        Some(Ok(number)) => Ok(Some(number)),
        Some(Err(_)) => Err(PlatformError::bad_request("BadRequest", format!("The value of {name} is invalid."))),
    };
    let most = usize::try_from(world.behaviour.power_platform_page).unwrap_or(usize::MAX).max(1);
    let size = number(size)?.unwrap_or(most).clamp(1, most);
    let start = number(at)?;
    // An empty page that goes on, as the real ones may begin with.
    let (taken, next) = match (start, world.behaviour.empty_first_pages && way == Way::Link) {
        (None, true) => (Vec::new(), Some(0)),
        (start, _) => {
            let start = start.unwrap_or_default();
            let more = items.len() > start.saturating_add(size);
            (items.into_iter().skip(start).take(size).collect(), more.then_some(start + size))
        }
    };
    let mut body = match way {
        Way::Link => json!({ "value": taken }),
        Way::Token => json!({ "collection": taken }),
    };
    if let Some(next) = next {
        match (way, visit.face) {
            (Way::Token, _) => body["continuationToken"] = json!(next.to_string()),
            (Way::Link, Face::Admin) => body["nextLink"] = json!(link(visit, at, next)),
            (Way::Link, Face::Published) => body["@odata.nextlink"] = json!(link(visit, at, next)),
        }
    }
    Ok(Answer::ok(body))
}

fn link(visit: &Visit<'_>, name: &str, start: usize) -> String {
    let mut link = visit.call.origin.clone();
    if let Ok(mut path) = link.path_segments_mut() {
        path.clear().extend(&visit.call.segments);
    }
    let kept = visit.call.query.without(name);
    link.query_pairs_mut().extend_pairs(kept).append_pair(name, &start.to_string());
    link.into()
}
