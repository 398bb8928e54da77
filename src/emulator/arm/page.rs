//! Lists of ARM: `{value, nextLink}`.

use serde_json::{Value, json};

use super::Visit;
use super::error::ArmError;
use crate::emulator::call::Answer;

/// Items of a page without `$top`. Chosen: no document gives a number for vaults.
const PAGE: usize = 100;

/// The page of `items` that the call asks for. `nextLink` is absolute, has the call's own api-version, and is missing on the
/// last page; a page may be empty and still have one.
pub(super) fn page(visit: &Visit<'_>, items: Vec<Value>, empty_first: bool) -> Result<Answer, ArmError> {
    let number = |name: &'static str| match visit.call.parameter(name).map(str::parse::<usize>) {
        None => Ok(None),
        Some(Ok(number)) => Ok(Some(number)),
        Some(Err(_)) => Err(ArmError::bad_request("InvalidQueryParameter", format!("The value of {name} is invalid."))),
    };
    let top = number("$top")?.unwrap_or(PAGE).clamp(1, PAGE);
    let token = number("$skiptoken")?;
    if token.is_none() && empty_first {
        return Ok(Answer::ok(json!({ "value": [], "nextLink": next_link(visit, 0) })));
    }
    let start = token.unwrap_or_default();
    let more = items.len() > start.saturating_add(top);
    let value: Vec<Value> = items.into_iter().skip(start).take(top).collect();
    if more {
        return Ok(Answer::ok(json!({ "value": value, "nextLink": next_link(visit, start + top) })));
    }
    Ok(Answer::ok(json!({ "value": value })))
}

fn next_link(visit: &Visit<'_>, start: usize) -> String {
    let mut link = visit.call.origin.clone();
    if let Ok(mut path) = link.path_segments_mut() {
        path.clear().extend(&visit.call.segments);
    }
    let kept = visit.call.query.without("$skiptoken");
    link.query_pairs_mut().extend_pairs(kept).append_pair("$skiptoken", &start.to_string());
    link.into()
}
