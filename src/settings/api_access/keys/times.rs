//! The times of a rotation that can't all be kept, told at the value that a person would change.
//!
//! Invariants: a value that is wrong is one mistake, however many rules it breaks; what isn't written has a default, which is
//! named.

use crate::config::words::{Written as _, parse_duration};
use crate::config::{Code, Diagnostic, Diagnostics, Located, Span};
use crate::rotation::{Problem, Rotation};
use crate::settings::api_access::codes;

/// As many months at most are written for the life of a key.
const MOST_MONTHS: i64 = 24;

/// What is wrong with one value.
struct Fault {
    code: Code,
    span: Span,
    message: String,
    help: String,
}

/// Reports the problems of a rotation that is written at `at`.
pub(super) fn judge(rotation: &Rotation, at: Located<'_>, diagnostics: &mut Diagnostics) {
    let mut faults: Vec<Fault> = Vec::new();
    for problem in rotation.problems() {
        let fault = fault(&problem, rotation, at);
        match faults.iter_mut().find(|known| known.span == fault.span && known.code == fault.code) {
            Some(known) if known.message == fault.message => {}
            Some(known) => {
                known.message = format!("{}; and {}", known.message, fault.message);
                known.help = format!("{}; {}", known.help, fault.help);
            }
            None => faults.push(fault),
        }
    }
    let faults = faults.into_iter();
    faults.for_each(|fault| {
        diagnostics.push(Diagnostic::error(fault.code, fault.span, fault.message).help(fault.help));
    });
}

fn fault(problem: &Problem, rotation: &Rotation, at: Located<'_>) -> Fault {
    let consumer = |name: &str| rotation.consumers.iter().rposition(|consumer| consumer.name == name);
    let (code, fields, help): (Code, &[&str], &str) = match problem {
        Problem::NotPositive(field) => (codes::BAD_ROTATION, &[*field][..], "write a duration such as `7d`"),
        Problem::GraceAboveMaxAge => {
            (codes::BAD_ROTATION, &["grace", "maxAge"], "make `grace` shorter, or `maxAge` longer")
        }
        Problem::RenewBeforeAboveMaxAge => {
            (codes::BAD_ROTATION, &["renewBefore", "maxAge"], "make `renewBefore` shorter, or `maxAge` longer")
        }
        Problem::GraceBelowCache(_) => {
            (codes::BAD_ROTATION, &["consumers", "grace"], "make `grace` at least as long as every `maxCache`")
        }
        Problem::DuplicateConsumer(_) => (codes::DUPLICATE_CONSUMER, &["consumers"], "keep one of the two"),
        Problem::DuplicateWindow(_) => (codes::BAD_WINDOW, &["windows"], "keep one of the two"),
    };
    if let Some((field, months)) = fields.iter().find_map(|field| Some((*field, months(at, field)?))) {
        let (message, help) = of_months(field, months);
        return Fault { code, span: at.at(&[field]).span(), message, help };
    }
    let written = fields.iter().find(|field| at.node.entry(field).is_some());
    let span = match (problem, written) {
        (Problem::GraceBelowCache(name), Some(&"consumers")) => {
            let index = consumer(name).unwrap_or_default().to_string();
            at.at(&["consumers", &index, "maxCache"]).span()
        }
        (Problem::DuplicateConsumer(name), Some(field)) => {
            at.at(&[field, &consumer(name).unwrap_or_default().to_string(), "name"]).span()
        }
        (_, Some(field)) => at.at(&[field]).span(),
        (_, None) => at.spot(),
    };
    let defaults = [("grace", rotation.grace), ("renewBefore", rotation.renew_before), ("maxAge", rotation.max_age)];
    let unwritten = defaults.iter().filter(|(key, _)| fields.contains(key) && at.node.entry(key).is_none());
    let told: String = unwritten.map(|(key, value)| format!(" (`{key}` is {} if left out)", value.written())).collect();
    Fault { code, span, message: format!("{problem}{told}"), help: help.to_owned() }
}

/// How many months a field seems to say: `3m` is three minutes, and hardly meant as such.
fn months(at: Located<'_>, field: &str) -> Option<i64> {
    at.node.entry(field)?;
    let text = at.at(&[field]).text().trim_matches(['"', '\'']);
    let minutes = parse_duration(text).ok().filter(|_| text.ends_with('m'))?.as_mins();
    (minutes <= MOST_MONTHS).then_some(minutes)
}

fn of_months(field: &str, count: i64) -> (String, String) {
    let (minutes, months) = if count == 1 { ("minute", "month") } else { ("minutes", "months") };
    let message = format!("`{field}: {count}m` is {count} {minutes}, which is too short here");
    (message, format!("for {count} {months} write `{field}: {}d`: a month has no fixed length", count * 30))
}
