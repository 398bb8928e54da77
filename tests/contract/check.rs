//! Compares what went through with what is published.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use serde_json::{Value, json};

use palisade::azure::Service;
use palisade::azure::operations::{ALL, Facts};

use super::documents::{ARM_TYPES, Documents, Operation, Place, fits};
use super::recorder::Exchange;
use super::schema::{Way, validator};

/// What was found.
#[derive(Default)]
pub(crate) struct Report {
    /// Statuses by operation: name and source.
    covered: BTreeMap<String, BTreeSet<String>>,
    /// Calls that no document describes, with their statuses.
    unpublished: BTreeMap<String, BTreeSet<u16>>,
    exchanges: usize,
    meant: BTreeSet<String>,
    /// How many operations of palisade's own catalogue were called.
    own: usize,
    pub(crate) violations: BTreeSet<String>,
}

/// Deviations of the services from their own documents, which the emulator shares: a part of the violation's text, and why.
const MEANT: &[(&str, &str)] = &[
    (
        "at `/error`: Unevaluated properties are not allowed ('namespace' was unexpected)",
        "the provider of enterprise policies was seen to name a part of itself in its errors",
    ),
    (
        "'principalId' was unexpected",
        "Microsoft's own modules read the principal of an enterprise policy's identity under this name, the document has another",
    ),
    (
        "200 at `/nextLink`: null is not of type \"string\"",
        "on the last page it is null, as the service is remembered to write it; the document knows no null, and clients stop at both",
    ),
    (
        "Resources: 200 at `/data`",
        "the schema says object, its description says that it is an array in the format that is asked for",
    ),
];

impl Report {
    /// Compares one exchange.
    pub(crate) fn add(&mut self, documents: &Documents, exchange: &Exchange) {
        let Exchange { method, host, path, query, status, .. } = exchange;
        let version = query.iter().find(|(n, _)| n.eq_ignore_ascii_case("api-version")).map(|(_, v)| v.as_str());
        let on_own_host = host.split(':').next().is_some_and(|name| name.ends_with(".vault.localhost"));
        let operation = documents.find(on_own_host, method, path, version.unwrap_or_default());
        self.exchanges += 1;
        let Some(operation) = operation else {
            // Without a known api-version there is no operation to compare with, so only the envelope is looked at.
            let arm = path.to_ascii_lowercase().starts_with("/subscriptions/") && *status >= 400;
            if arm {
                self.compare_error(documents, exchange, "ARM");
            }
            self.unpublished.entry(format!("{method} {}", anonymous(path))).or_default().insert(*status);
            return;
        };
        if !exchange.wrong {
            self.compare_request(documents, operation, exchange);
        }
        let how = self.compare_response(documents, operation, exchange);
        let announced = ["azure-asyncoperation", "location"].iter().any(|name| exchange.headers.contains_key(*name));
        if operation.long_running && matches!(status, 201 | 202) && !announced {
            self.violation(&operation.id, &format!("{status} says nowhere how the operation goes on"));
        }
        let name = format!("{} ({})", operation.id, operation.source());
        self.covered.entry(name).or_default().insert(how);
    }

    fn violation(&mut self, operation: &str, text: &str) {
        let text = format!("{operation}: {text}");
        match MEANT.iter().find(|(part, _)| text.contains(part)) {
            Some((_, why)) => drop(self.meant.insert(format!("{operation}: {why}"))),
            None => drop(self.violations.insert(text)),
        }
    }

    fn compare_request(&mut self, documents: &Documents, operation: &Operation, exchange: &Exchange) {
        let id = operation.id.as_str();
        let named =
            |place: &str| operation.parameters.iter().filter(|(_, p)| p["in"] == place).cloned().collect::<Vec<_>>();
        for (_, parameter) in named("query") {
            let name = parameter["name"].as_str().unwrap_or_default();
            let sent: Vec<&String> = exchange.query.iter().filter(|(n, _)| n == name).map(|(_, v)| v).collect();
            match sent.as_slice() {
                [] if parameter["required"] == true => self.violation(id, &format!("query `{name}` is missing")),
                [] => {}
                [value] => self.compare_parameter(documents, operation, &parameter, value),
                _ => self.violation(id, &format!("query `{name}` is sent twice")),
            }
        }
        let known: Vec<Value> = named("query").into_iter().map(|(_, p)| p["name"].clone()).collect();
        // A link is followed as it was given, and carries what the service put into it.
        for (name, _) in exchange.query.iter().filter(|(n, _)| !n.eq_ignore_ascii_case("$skiptoken")) {
            if !known.iter().any(|k| k == name.as_str()) {
                self.violation(id, &format!("query `{name}` isn't published"));
            }
        }
        let body = named("body").into_iter().next();
        match (body, exchange.sent.is_empty()) {
            (None, false) => self.violation(id, "a body is sent, and none is published"),
            (Some((_, p)), true) if p["required"] == true => self.violation(id, "the body is missing"),
            (Some((place, parameter)), false) => match serde_json::from_slice::<Value>(&exchange.sent) {
                Ok(sent) => {
                    let found = faults(documents, &place, &parameter["schema"], Way::Request, &sent);
                    found.iter().for_each(|text| self.violation(id, &format!("request {text}")));
                }
                Err(error) => self.violation(id, &format!("the request isn't JSON: {error}")),
            },
            _ => {}
        }
    }

    fn compare_parameter(&mut self, documents: &Documents, operation: &Operation, parameter: &Value, value: &str) {
        let typed = match parameter["type"].as_str() {
            Some("integer") => value.parse::<i64>().map(|n| json!(n)).unwrap_or(json!(value)),
            Some("boolean") => value.parse::<bool>().map(|b| json!(b)).unwrap_or(json!(value)),
            _ => json!(value),
        };
        for text in faults(documents, &operation.place, parameter, Way::Request, &typed) {
            self.violation(&operation.id, &format!("parameter {} {text}", parameter["name"]));
        }
    }

    /// Compares the answer; says how its status is published.
    fn compare_response(&mut self, documents: &Documents, operation: &Operation, exchange: &Exchange) -> String {
        let Exchange { status, got, .. } = exchange;
        let id = operation.id.as_str();
        let exact = operation.responses.get(&status.to_string());
        let fallback = operation.responses.get("default").filter(|_| *status >= 400);
        let Some(response) = exact.or(fallback) else {
            if *status < 400 {
                self.violation(id, &format!("status {status} isn't published"));
            } else {
                self.compare_error(documents, exchange, id);
            }
            return format!("{status} (no schema)");
        };
        let (place, response) = documents.resolve(&operation.place, response);
        let how = if exact.is_some() { status.to_string() } else { format!("{status} (default)") };
        match (response.get("schema"), got.is_empty()) {
            (None, true) => {}
            (None, false) if *status < 400 => {
                self.violation(id, &format!("{status} has a body, and none is published"))
            }
            (None, false) => {}
            (Some(_), true) => self.violation(id, &format!("{status} has no body")),
            (Some(schema), false) => match serde_json::from_slice::<Value>(got) {
                Ok(got) => {
                    let found = faults(documents, &place, schema, Way::Response, &got);
                    found.iter().for_each(|text| self.violation(id, &format!("{status} {text}")));
                }
                Err(error) => self.violation(id, &format!("{status} isn't JSON: {error}")),
            },
        }
        let json = exchange.headers.get("content-type").and_then(|v| v.to_str().ok());
        if !got.is_empty() && !json.is_some_and(|v| v.starts_with("application/json")) {
            self.violation(id, &format!("{status} isn't application/json"));
        }
        how
    }

    /// An error that the operation doesn't publish: ARM's own envelope.
    fn compare_error(&mut self, documents: &Documents, exchange: &Exchange, id: &str) {
        let place = Place { file: ARM_TYPES.to_owned(), pointer: "/definitions/ErrorResponse".to_owned() };
        let schema = documents.at(&place).clone();
        match serde_json::from_slice::<Value>(&exchange.got) {
            Ok(got) => {
                let found = faults(documents, &place, &schema, Way::Response, &got);
                found.iter().for_each(|text| self.violation(id, &format!("{} {text}", exchange.status)));
                if !got["error"]["code"].is_string() {
                    self.violation(id, &format!("{} has no error.code", exchange.status));
                }
            }
            Err(error) => self.violation(id, &format!("{} isn't JSON: {error}", exchange.status)),
        }
    }

    /// Every operation of the catalogue whose service publishes documents must have been called.
    pub(crate) fn compare_catalogue(&mut self, exchanges: &[Exchange]) {
        let published = |f: &&&Facts| matches!(f.service, Service::Arm | Service::KeyVault);
        for facts in ALL.iter().filter(published) {
            let is_path = |name: &str| matches!(name, "scope" | "operation");
            let called = exchanges.iter().any(|e| e.method == facts.method && fits(facts.path, &e.path, &is_path));
            if called {
                self.own += 1;
            } else {
                self.violation(facts.name, "no client called it");
            }
        }
    }

    /// The report as text.
    pub(crate) fn text(&self) -> String {
        let mut text = format!("{} exchanges\n\noperations covered: {}\n", self.exchanges, self.covered.len());
        for (operation, statuses) in &self.covered {
            let statuses: Vec<&str> = statuses.iter().map(String::as_str).collect();
            let _ = writeln!(text, "  {operation}: {}", statuses.join(", "));
        }
        let _ = writeln!(text, "\ncalls with no published document: {}", self.unpublished.len());
        for (call, statuses) in &self.unpublished {
            let statuses: Vec<String> = statuses.iter().map(u16::to_string).collect();
            let _ = writeln!(text, "  {call}: {}", statuses.join(", "));
        }
        let _ = writeln!(text, "\noperations of palisade's catalogue that were called: {}", self.own);
        let _ = writeln!(text, "\nknown deviations of the services from their documents: {}", self.meant.len());
        for deviation in &self.meant {
            let _ = writeln!(text, "  {deviation}");
        }
        let _ = writeln!(text, "\nviolations: {}", self.violations.len());
        for violation in &self.violations {
            let _ = writeln!(text, "  {violation}");
        }
        text
    }
}

fn faults(documents: &Documents, place: &Place, schema: &Value, way: Way, value: &Value) -> Vec<String> {
    let validator = validator(documents, place, schema, way);
    validator.iter_errors(value).map(|error| format!("at `{}`: {error}", error.instance_path())).collect()
}

/// A path with its ids left out.
fn anonymous(path: &str) -> String {
    let shown = |segment: &str| {
        let id = uuid::Uuid::parse_str(segment).is_ok() || segment.len() == 32;
        if id { "{id}".to_owned() } else { segment.to_owned() }
    };
    path.split('/').map(shown).collect::<Vec<_>>().join("/")
}
