//! Faults: rules that make calls fail on purpose, on the wire.
//!
//! A rule file is a list, in YAML or JSON:
//!
//! ```yaml
//! - operation: PUT */assignment          # method and path; `*` stands for anything, slashes included; either may be missing
//!   nth: 2                               # only the second matching call; without it, every one
//!   action: { status: { code: 503, headers: { Retry-After: "1" } } }
//! - operation: GET /v1.0/*
//!   action: { delay: { by: PT3S } }
//! - operation: DELETE
//!   action: loseAnswer                   # reset | truncate | loseAnswer | crash
//! - operation: PUT /secrets/*
//!   action: { quote: { code: 400 } }     # an error that quotes the request, credentials included
//! - operation: GET /secrets/*
//!   action: { headers: { Date: [] } }    # what the answer has of each header: nothing, or these values
//! ```
//!
//! What must stay true: each rule counts its own matching calls; of all rules that strike a call, delays add up, headers are
//! all changed, and the first other action decides.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU32, Ordering};

use http::header::{HeaderName, HeaderValue};
use jiff::SignedDuration;
use serde::Deserialize;
use serde_json::Value;

/// One rule.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Rule {
    /// Which calls: `METHOD`, `/path/pattern`, or both.
    pub operation: String,
    /// Which of the matching calls, from 1; all if none.
    #[serde(default)]
    pub nth: Option<u32>,
    /// What happens.
    pub action: Action,
}

/// What happens to a call.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub enum Action {
    /// Answered with this status, unhandled.
    Status {
        /// HTTP status.
        code: u16,
        /// Body; none if missing.
        #[serde(default)]
        body: Option<Value>,
        /// Headers, such as `Retry-After`.
        #[serde(default)]
        headers: BTreeMap<String, String>,
    },
    /// Answered with this status, unhandled, in words that quote the headers and the body of the request: as they are, encoded
    /// as in addresses, and in Base64. Services and what stands before them do that, and a client must not pass it on.
    Quote {
        /// HTTP status.
        code: u16,
    },
    /// Handled this much later, by the emulator's clock.
    Delay {
        /// How much.
        by: SignedDuration,
    },
    /// The connection is closed with no answer, and the request isn't handled.
    Reset,
    /// Handled; the answer's headers of these names are replaced by these values, as something between service and client
    /// may do. No value takes the header away.
    Headers(BTreeMap<String, Vec<String>>),
    /// Handled; the answer is cut in the middle of its body, with the full `Content-Length`.
    Truncate,
    /// Handled, took effect, is on disk; then the connection is closed with no answer.
    LoseAnswer,
    /// Handled, took effect, is on disk; then the whole process aborts: the way to show that a client which runs in
    /// another process, or the next run of this one, heals what a power cut leaves.
    Crash,
}

/// What a rule looks like.
const RULE: &str = "the file is a list of rules such as `- { operation: PUT /api/*, nth: 2, action: { status: { code: 503 } } }`; \
                    other actions are `reset`, `truncate`, `loseAnswer`, `crash`, `{ quote: { code: 400 } }`, `{ delay: { by: PT3S } }` \
                    and `{ headers: { NAME: [VALUE] } }`";

/// Reads the text of a rule file.
pub fn parse_rules(text: &str) -> Result<Vec<Rule>, String> {
    let rules: Vec<Rule> =
        serde_yaml::from_str(text).map_err(|error| format!("{}; {RULE}", error.without_snippet()))?;
    for (index, rule) in rules.iter().enumerate() {
        let wrong = |what: String| Err(format!("rule {}: {what}", index + 1));
        if !rule.is_well_formed() {
            return wrong("`operation` needs a method, a path pattern, or both, as in `PUT /api/*`".to_owned());
        }
        if rule.nth == Some(0) {
            return wrong("`nth` counts from 1".to_owned());
        }
        match &rule.action {
            Action::Status { code, .. } | Action::Quote { code } if !(200..=599).contains(code) => {
                return wrong(format!("{code} is not a status to answer with"));
            }
            Action::Delay { by } if by.is_negative() => return wrong("a delay can't be negative".to_owned()),
            Action::Headers(headers) => {
                let values = |values: &Vec<String>| values.iter().all(|value| value.parse::<HeaderValue>().is_ok());
                let bad = headers.iter().find(|(name, all)| name.parse::<HeaderName>().is_err() || !values(all));
                if let Some((name, _)) = bad {
                    return wrong(format!("`{name}` can't be a header with such values"));
                }
            }
            _ => {}
        }
    }
    Ok(rules)
}

impl Rule {
    /// Method and path pattern. A word is a path pattern if it has a slash or a star.
    fn pattern(&self) -> (Option<&str>, Option<&str>) {
        let mut words = self.operation.split_whitespace();
        let (first, second) = (words.next(), words.next());
        match (first, second) {
            (Some(path), _) if path.contains(['/', '*']) => (None, Some(path)),
            other => other,
        }
    }

    /// A rule that can't match anything is a mistake, and would make a test pass that tests nothing.
    fn is_well_formed(&self) -> bool {
        const METHODS: [&str; 6] = ["GET", "PUT", "POST", "PATCH", "DELETE", "HEAD"];
        let (method, path) = self.pattern();
        let words = usize::from(method.is_some()) + usize::from(path.is_some());
        words > 0
            && words == self.operation.split_whitespace().count()
            && method.is_none_or(|m| METHODS.iter().any(|known| known.eq_ignore_ascii_case(m)))
            && path.is_none_or(|p| p.starts_with(['/', '*']))
    }

    fn matches(&self, method: &str, path: &str) -> bool {
        let (wanted_method, wanted_path) = self.pattern();
        wanted_method.is_none_or(|m| m.eq_ignore_ascii_case(method))
            && wanted_path.is_none_or(|p| wildcard(&p.to_ascii_lowercase(), &path.to_ascii_lowercase()))
    }
}

/// Whether `text` fits a pattern in which `*` stands for any run of characters.
pub(crate) fn wildcard(pattern: &str, text: &str) -> bool {
    let mut parts = pattern.split('*');
    let Some(mut rest) = parts.next().and_then(|first| text.strip_prefix(first)) else { return false };
    let mut parts: Vec<&str> = parts.collect();
    let Some(last) = parts.pop() else { return rest.is_empty() };
    for part in parts {
        match rest.find(part).and_then(|at| rest.get(at + part.len()..)) {
            Some(after) => rest = after,
            None => return false,
        }
    }
    rest.ends_with(last)
}

/// The rules with their counters.
#[derive(Debug)]
pub(crate) struct Faults(Vec<(Rule, AtomicU32)>);

/// Names of headers with what an answer has of them instead of its own.
pub(crate) type Headers = Vec<(String, Vec<String>)>;

/// What the rules do to one call.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Strike {
    pub(crate) delay: SignedDuration,
    pub(crate) headers: Headers,
    pub(crate) action: Option<Action>,
}

impl Faults {
    pub(crate) fn new(rules: Vec<Rule>) -> Self {
        Self(rules.into_iter().map(|rule| (rule, AtomicU32::new(0))).collect())
    }

    /// Counts the call and says what happens to it.
    pub(crate) fn strike(&self, method: &str, path: &str) -> Strike {
        let mut strike = Strike::default();
        for (rule, count) in self.0.iter().filter(|(rule, _)| rule.matches(method, path)) {
            let call = count.fetch_add(1, Ordering::Relaxed).saturating_add(1);
            if rule.nth.is_some_and(|nth| nth != call) {
                continue;
            }
            match &rule.action {
                Action::Delay { by } => strike.delay = strike.delay.saturating_add(*by),
                Action::Headers(headers) => strike.headers.extend(headers.clone()),
                other => {
                    strike.action.get_or_insert_with(|| other.clone());
                }
            }
        }
        strike
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_match_methods_and_paths() {
        let cases = [
            ("GET", "GET", "/v1/instances", true),
            ("PUT", "GET", "/v1/instances", false),
            ("/v1/instances", "GET", "/v1/Instances", true),
            ("/v1/instances", "GET", "/v1/instances/a", false),
            ("PUT */assignment", "PUT", "/api/instances/a/rbac/principals/b/assignment", true),
            ("PUT */assignment", "DELETE", "/api/instances/a/rbac/principals/b/assignment", false),
            ("/api/*/rbac/*", "GET", "/api/instances/a/rbac/roles", true),
            ("/a*a", "GET", "/a", false),
            ("*", "GET", "/", true),
        ];
        for (operation, method, path, expected) in cases {
            let rule = Rule { operation: operation.into(), nth: None, action: Action::Reset };
            assert_eq!(rule.matches(method, path), expected, "{operation} on {method} {path}");
        }
    }

    #[test]
    fn rules_are_read_from_yaml_and_json() {
        let yaml = "- operation: PUT */assignment\n  nth: 2\n  action: { status: { code: 503, headers: { Retry-After: \"1\" } } }\n\
                    - { operation: GET, action: { delay: { by: PT3S } } }\n- { operation: GET, action: loseAnswer }\n";
        let json = r#"[{"operation":"PUT */assignment","nth":2,"action":{"status":{"code":503,"headers":{"Retry-After":"1"}}}},
            {"operation":"GET","action":{"delay":{"by":"PT3S"}}},{"operation":"GET","action":"loseAnswer"}]"#;
        let rules = parse_rules(yaml).unwrap();
        assert_eq!(rules, parse_rules(json).unwrap());
        assert_eq!(rules[2].action, Action::LoseAnswer);
    }

    #[test]
    fn wrong_rules_are_refused_with_their_number() {
        let cases = [
            ("- { operation: '', action: reset }", "rule 1"),
            ("- { operation: GET, action: reset }\n- { operation: users, action: reset }", "rule 2"),
            ("- { operation: GET users, action: reset }", "rule 1"),
            ("- { operation: GET /a /b, action: reset }", "rule 1"),
            ("- { operation: /a GET, action: reset }", "rule 1"),
            ("- { operation: GET, nth: 0, action: reset }", "nth"),
            ("- { operation: GET, action: { status: { code: 99 } } }", "99"),
            ("- { operation: GET, action: { quote: { code: 600 } } }", "600"),
            ("- { operation: GET, action: { delay: { by: -PT1S } } }", "negative"),
            ("- { operation: GET, action: explode }", "explode"),
            ("- { operation: GET, action: { headers: { 'no name': [] } } }", "no name"),
            ("- { operation: GET, action: { headers: { Date: [\"a\\nb\"] } } }", "Date"),
            ("- { operation: GET, action: reset, often: 1 }", "often"),
            ("- { operation: GET, action: explode }", "the file is a list of rules such as `- { operation:"),
            ("operation: GET\naction: reset", "at line 1, column 1; the file is a list of rules"),
        ];
        for (text, expected) in cases {
            let error = parse_rules(text).unwrap_err();
            assert!(error.contains(expected), "{text}: {error}");
            assert!(error.lines().count() == 1 && !error.contains("error:"), "{text}: {error}");
        }
    }

    #[test]
    fn the_nth_call_is_struck_and_delays_add_up() {
        let rule = |nth, action| Rule { operation: "GET".into(), nth, action };
        let second = SignedDuration::from_secs(1);
        let faults = Faults::new(vec![
            rule(Some(2), Action::Reset),
            rule(None, Action::Delay { by: second }),
            rule(Some(2), Action::Delay { by: second }),
            rule(None, Action::Truncate),
        ]);
        let strikes: Vec<Strike> = (0..3).map(|_| faults.strike("GET", "/")).collect();
        let delays = strikes.iter().map(|s| s.delay.as_secs()).collect::<Vec<_>>();
        assert_eq!(delays, [1, 2, 1]);
        let actions: Vec<_> = strikes.into_iter().map(|s| s.action).collect();
        assert_eq!(actions, [Some(Action::Truncate), Some(Action::Reset), Some(Action::Truncate)]);
    }
}
