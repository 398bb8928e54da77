//! Lists of a vault: pages of at most 25.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use serde_json::{Value, json};
use url::Url;

use super::Visit;
use super::error::VaultError;
use crate::emulator::call::Answer;

/// The most items of a page, and as many as there are without `maxresults`.
const MOST: usize = 25;

/// The page of `items` that the call asks for. `nextLink` is null on the last page, and always names its port. Only what is on
/// the page is written out: a list of hundreds of versions is read page by page.
pub(super) fn page<T>(
    visit: &Visit<'_>,
    items: Vec<T>,
    show: impl Fn(T) -> Value,
    empty_first: bool,
) -> Result<Answer, VaultError> {
    let size = match visit.call.parameter("maxresults").map(str::parse::<usize>) {
        None => MOST,
        Some(Ok(size)) if (1..=MOST).contains(&size) => size,
        Some(_) => {
            let message = format!("The value of maxresults must be between 1 and {MOST}.");
            return Err(VaultError::bad_parameter(message));
        }
    };
    let start = match visit.call.parameter("$skiptoken").map(decode) {
        None if empty_first => return Ok(answer(Vec::new(), Some(next_link(visit, 0, size)))),
        None => 0,
        Some(Some(start)) => start,
        Some(None) => return Err(VaultError::bad_parameter("The skiptoken is invalid.")),
    };
    let next = (items.len() > start.saturating_add(size)).then(|| next_link(visit, start + size, size));
    Ok(answer(items.into_iter().skip(start).take(size).map(show).collect(), next))
}

fn answer(value: Vec<Value>, next: Option<String>) -> Answer {
    Answer::ok(json!({ "value": value, "nextLink": next }))
}

fn decode(token: &str) -> Option<usize> {
    let text = String::from_utf8(BASE64.decode(token).ok()?).ok()?;
    text.strip_prefix("start=")?.parse().ok()
}

/// Written by hand, since [`Url`] leaves a port out where it is the scheme's own, and the real service doesn't.
fn next_link(visit: &Visit<'_>, start: usize, size: usize) -> String {
    let origin: &Url = &visit.call.origin;
    let host = origin.host_str().unwrap_or_default();
    let port = origin.port_or_known_default().unwrap_or_default();
    let version = visit.call.parameter("api-version").unwrap_or_default();
    let query = url::form_urlencoded::Serializer::new(String::new())
        .append_pair("api-version", version)
        .append_pair("$skiptoken", &BASE64.encode(format!("start={start}")))
        .append_pair("maxresults", &size.to_string())
        .finish();
    format!("{}://{host}:{port}/{}?{query}", origin.scheme(), visit.call.segments.join("/"))
}
