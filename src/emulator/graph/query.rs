//! OData query options: `$filter` (one `eq`), `$select`, `$top`, `$skiptoken`, `$count`.
//!
//! A filter that isn't served is never ignored, since that would answer a question that nobody asked.

use http::StatusCode;
use serde_json::{Map, Value, json};

use super::object::{Object, context, unselected};
use super::{GraphError, VERSION, Visit};
use crate::emulator::call::{Answer, Call};

/// Items per page without `$top`, and the most that `$top` may ask for.
const PAGE: usize = 100;
const MOST: usize = 999;

/// Whether the client asked for the eventually consistent index.
pub(super) fn is_eventual(call: &Call) -> bool {
    call.header("consistencylevel").is_some_and(|v| v.eq_ignore_ascii_case("eventual"))
}

/// One object.
pub(super) fn one(call: &Call, object: &Object<'_>) -> Result<Answer, GraphError> {
    let collection = object.kind().collection();
    let body = select(call, call.parameter("$select"), object.json())?;
    let mut map = Map::from_iter([("@odata.context".to_owned(), json!(format!("{}/$entity", context(collection))))]);
    map.extend(body);
    Ok(Answer::ok(Value::Object(map)))
}

/// A page of a collection. `mixed` collections name the type of each item.
pub(super) fn page(
    visit: &Visit<'_>,
    call: &Call,
    collection: &str,
    objects: Vec<Object<'_>>,
    mixed: bool,
) -> Result<Answer, GraphError> {
    let filter = call.parameter("$filter").map(|text| Filter::parse(call, text)).transpose()?;
    let selected = call.parameter("$select");
    let mut found = Vec::new();
    for object in objects {
        let json = if mixed { object.json_with_type() } else { object.json() };
        if filter.as_ref().map_or(Ok(true), |f| f.matches(call, &json))? {
            found.push(json);
        }
    }
    let top = number(call, "$top", PAGE)?;
    if !(1..=MOST).contains(&top) {
        let message = format!("Invalid page size specified: '{top}'. Must be between 1 and {MOST} inclusive.");
        return Err(GraphError::new(StatusCode::BAD_REQUEST, "Request_UnsupportedQuery", message));
    }
    let start = number(call, "$skiptoken", 0)?;
    let total = found.len();
    let mut items = Vec::new();
    for item in found.into_iter().skip(start).take(top) {
        items.push(Value::Object(select(call, selected, item)?));
    }
    let mut body = Map::from_iter([("@odata.context".to_owned(), json!(context(collection)))]);
    if call.parameter("$count") == Some("true") && is_eventual(call) {
        body.insert("@odata.count".to_owned(), json!(total));
    }
    if start.saturating_add(top) < total {
        body.insert("@odata.nextLink".to_owned(), json!(next_link(visit, call, start + top)));
    }
    body.insert("value".to_owned(), Value::Array(items));
    Ok(Answer::ok(Value::Object(body)))
}

fn number(call: &Call, name: &str, default: usize) -> Result<usize, GraphError> {
    call.parameter(name).map_or(Ok(default), |text| {
        let message = format!("Invalid value '{text}' for {name}.");
        text.parse().map_err(|_| GraphError::new(StatusCode::BAD_REQUEST, "Request_UnsupportedQuery", message))
    })
}

fn next_link(visit: &Visit<'_>, call: &Call, start: usize) -> String {
    let mut link = visit.origin.clone();
    if let Ok(mut path) = link.path_segments_mut() {
        path.clear().push(VERSION.trim_start_matches('/')).extend(call.segments.iter().skip(1));
    }
    let kept = call.query.without("$skiptoken");
    link.query_pairs_mut().extend_pairs(kept).append_pair("$skiptoken", &start.to_string());
    link.into()
}

fn select(call: &Call, names: Option<&str>, mut object: Map<String, Value>) -> Result<Map<String, Value>, GraphError> {
    let Some(names) = names else { return Ok(unselected(object)) };
    let mut selected = Map::new();
    if let Some(kind) = object.remove("@odata.type") {
        selected.insert("@odata.type".to_owned(), kind);
    }
    for name in names.split(',').map(str::trim) {
        match object.remove_entry(name) {
            Some((name, value)) => {
                selected.insert(name, value);
            }
            None if selected.contains_key(name) => {}
            // In a collection of mixed kinds not every object has every member.
            None if selected.contains_key("@odata.type") => {}
            None => {
                return Err(GraphError::unserved(call, &format!("$select={name}")));
            }
        }
    }
    Ok(selected)
}

/// `member eq 'text'`, or `member/any(v:v eq 'text')`.
struct Filter {
    member: String,
    text: String,
    /// Whether the member is a list, of which one is to have the text.
    any: bool,
}

impl Filter {
    fn parse(call: &Call, text: &str) -> Result<Self, GraphError> {
        let parsed = || {
            // `servicePrincipalNames/any(c:c eq 'text')`: a list that has the text.
            let any = text.trim().split_once("/any(").and_then(|(member, rest)| {
                let (variable, condition) = rest.strip_suffix(')')?.split_once(':')?;
                Some(format!("{member} {}", condition.trim().strip_prefix(variable.trim())?.trim_start()))
            });
            let text = any.as_deref().unwrap_or(text);
            let (member, rest) = text.trim().split_once(' ')?;
            let value = rest.trim().strip_prefix("eq ")?.trim();
            let quoted = value.strip_prefix('\'')?.strip_suffix('\'')?;
            // A quote inside is doubled; a single one would end the text, so something else follows.
            let alone = quoted.replace("''", "").contains('\'');
            let (member, text) = (member.to_owned(), quoted.replace("''", "'"));
            (!alone).then(|| Self { member, text, any: any.is_some() })
        };
        parsed().ok_or_else(|| GraphError::unserved(call, &format!("$filter={text}")))
    }

    /// Whether an object has the text. Graph compares without regard to case.
    fn matches(&self, call: &Call, object: &Map<String, Value>) -> Result<bool, GraphError> {
        let same = |text: &str| text.to_lowercase() == self.text.to_lowercase();
        match object.get(&self.member) {
            Some(Value::String(text)) if !self.any => Ok(same(text)),
            Some(Value::Array(texts)) if self.any => Ok(texts.iter().filter_map(Value::as_str).any(same)),
            _ => Err(GraphError::unserved(call, &format!("a $filter on {}", self.member))),
        }
    }
}
