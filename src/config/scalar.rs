//! What an unquoted scalar means: YAML 1.2's core schema with strict booleans.
//!
//! Only `true` and `false` are booleans. `yes`, `no`, `on`, `off` stay text, so that a place that wants a boolean can
//! say so, and a place that wants text can ask for quotes ([`other_readers_disagree`]).

use super::tree::Value;

/// The value of an unquoted scalar.
pub(super) fn plain(text: &str) -> Value {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => return Value::Null,
        "true" => return Value::Bool(true),
        "false" => return Value::Bool(false),
        ".inf" | "+.inf" | ".Inf" | ".INF" => return Value::Float(f64::INFINITY),
        "-.inf" | "-.Inf" | "-.INF" => return Value::Float(f64::NEG_INFINITY),
        ".nan" | ".NaN" | ".NAN" => return Value::Float(f64::NAN),
        _ => {}
    }
    number(text).unwrap_or_else(|| Value::String(text.to_owned()))
}

fn number(text: &str) -> Option<Value> {
    for (prefix, radix) in [("0o", 8), ("0x", 16)] {
        if let Some(digits) = text.strip_prefix(prefix) {
            return i64::from_str_radix(digits, radix).ok().map(Value::Integer);
        }
    }
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    let starts_like_one = unsigned.strip_prefix('.').unwrap_or(unsigned).starts_with(|c: char| c.is_ascii_digit());
    if !starts_like_one || !unsigned.bytes().all(|byte| byte.is_ascii_digit() || b".eE+-".contains(&byte)) {
        return None;
    }
    if let Ok(whole) = text.parse::<i64>() {
        return Some(Value::Integer(whole));
    }
    text.parse::<f64>().ok().map(Value::Float)
}

/// What another YAML reader, following YAML 1.1, would make of this unquoted text, if not text.
pub(super) fn other_readers_disagree(text: &str) -> Option<&'static str> {
    let lower = text.to_ascii_lowercase();
    match lower.as_str() {
        "y" | "yes" | "on" | "true" => return Some("true"),
        "n" | "no" | "off" | "false" => return Some("false"),
        _ => {}
    }
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    let parts: Vec<&str> = text.split('-').collect();
    if parts.len() == 3 && parts[0].len() == 4 && parts.iter().all(|part| digits(part)) {
        return Some("a date");
    }
    if text.contains(':') && text.split(':').all(digits) {
        return Some("a number in base 60");
    }
    if text.contains('_') && digits(&text.replace('_', "")) {
        return Some("a number");
    }
    None
}
