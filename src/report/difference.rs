//! What a change makes of a value: on one line, or line by line where a value takes several.
//!
//! Invariants: a difference can be read without colours, since each line has its sign: `-` goes, `+` comes, and what stays
//! has none; two values that differ are never shown as the same.

use std::fmt::Write as _;

use serde_json::Value as Json;
use similar::{ChangeTag, TextDiff};

use super::colour::{DANGER, DIM, GOOD, paint};
use crate::plan::{Change, Plan};
use crate::terms::{Scope, text::printable};

/// Lines that stay and are shown around those that differ.
const CONTEXT: usize = 3;

/// A change of a value on one line: `off -> on`. None where a side takes several lines, or one line wouldn't show what differs.
pub(super) fn on_one_line(before: &Json, after: &Json) -> Option<String> {
    // Where one side has several members, names tell them apart; a lone member speaks for itself.
    let named = [before, after].iter().any(|side| side.as_object().is_some_and(|members| members.len() > 1));
    let text = match (before, after) {
        (Json::Null, one) | (one, Json::Null) => match has_line_breaks(one) {
            true => return None,
            false => value(one, named),
        },
        _ => {
            let (from, to) = (value(before, named), value(after, named));
            let hidden = from == to && before != after;
            if hidden || [before, after].iter().any(|side| !has_status(side) && takes_lines(side)) {
                return None;
            }
            format!("{from} -> {to}")
        }
    };
    Some(printable(&text))
}

/// A change of a value line by line, each line indented.
pub(super) fn of_values(before: &Json, after: &Json, indent: &str) -> String {
    let text = |side: &Json| match side {
        Json::Null => String::new(),
        side => lines(side).iter().fold(String::new(), |text, line| text + line + "\n"),
    };
    of_texts(&text(before), &text(after), indent)
}

/// What differs between two texts, with a few lines around it.
pub fn of_texts(before: &str, after: &str, indent: &str) -> String {
    let difference = TextDiff::from_lines(before, after);
    let mut out = String::new();
    for (index, group) in difference.grouped_ops(CONTEXT).iter().enumerate() {
        if index > 0 {
            let _ = writeln!(out, "{indent}  {}", paint(DIM, "…"));
        }
        for line in group.iter().flat_map(|operation| difference.iter_changes(operation)) {
            let text = printable(line.value().trim_end_matches(['\n', '\r']));
            let shown = match line.tag() {
                ChangeTag::Delete => paint(DANGER, format!("- {text}")),
                ChangeTag::Insert => paint(GOOD, format!("+ {text}")),
                ChangeTag::Equal => paint(DIM, format!("  {text}")),
            };
            let _ = writeln!(out, "{indent}{shown}");
        }
    }
    out
}

/// Where an approved change and a wanted one are about the same and differ in a value of several lines: what differs. Only
/// in some scopes.
pub fn of_plans(approved: &Plan, fresh: &Plan, which: impl Fn(&Scope) -> bool) -> String {
    let approved = approved.scopes.iter().filter(|scope| which(&scope.scope));
    let pairs = approved.filter_map(|was| Some((was, fresh.scopes.iter().find(|now| now.scope == was.scope)?)));
    pairs.map(|(was, now)| of_changes(&was.changes, &now.changes)).collect()
}

fn of_changes(approved: &[Change], fresh: &[Change]) -> String {
    let mut out = String::new();
    for was in approved {
        let same = |one: &&Change| one.approved_address() == was.approved_address() && one.action == was.action;
        let Some(is) = fresh.iter().find(same) else { continue };
        let several = |change: &Change| change.due.is_none() && on_one_line(&change.before, &change.after).is_none();
        let (was_text, is_text) = (both_sides(was), both_sides(is));
        if (several(was) || several(is)) && was_text != is_text {
            let _ = writeln!(out, "{} {}:", is.action, is.address);
            out += &of_texts(&was_text, &is_text, "  ");
        }
    }
    out
}

/// What a change starts from and leads to, as one text.
fn both_sides(change: &Change) -> String {
    let mut text = String::new();
    for (name, side) in [("before:", &change.before), ("after:", &change.after)] {
        text += &format!("{name}\n");
        for line in lines(side) {
            text += &format!("  {line}\n");
        }
    }
    text
}

fn has_line_breaks(json: &Json) -> bool {
    match json {
        Json::String(text) => text.trim_end().contains('\n'),
        Json::Array(items) => items.iter().any(has_line_breaks),
        Json::Object(members) => members.values().any(has_line_breaks),
        Json::Null | Json::Bool(_) | Json::Number(_) => false,
    }
}

/// Whether a value is better read line by line: it has line breaks, or lists several things. A few named members are not.
fn takes_lines(json: &Json) -> bool {
    match json {
        Json::Array(items) => items.len() > 1 || items.iter().any(takes_lines),
        Json::Object(members) => members.values().any(|member| member.is_object() || takes_lines(member)),
        other => has_line_breaks(other),
    }
}

/// Whether a value says where something stands; the rest of it is in the subject.
fn has_status(json: &Json) -> bool {
    json.get("status").is_some_and(Json::is_string)
}

/// A value in a person's words, on one line.
fn value(json: &Json, named: bool) -> String {
    match json {
        Json::Object(members) if has_status(json) => value(&members["status"], false),
        Json::Object(members) => {
            let member = |(name, member): (&String, &Json)| match named {
                true => format!("{name} {}", value(member, true)),
                false => value(member, false),
            };
            members.iter().map(member).collect::<Vec<_>>().join(", ")
        }
        Json::Array(items) if !items.is_empty() => {
            items.iter().map(|item| value(item, named)).collect::<Vec<_>>().join(" and ")
        }
        other => word(other),
    }
}

/// The same, a line for each part.
fn lines(json: &Json) -> Vec<String> {
    match json {
        Json::Object(members) if members.len() == 1 => members.values().flat_map(lines).collect(),
        Json::Object(members) => members.iter().flat_map(|(name, member)| named(name, member)).collect(),
        Json::Array(items) if !items.is_empty() => items.iter().flat_map(lines).collect(),
        Json::String(text) => text.lines().map(str::to_owned).collect(),
        other => vec![word(other)],
    }
}

/// A list is one item a line even if it has only one, so that the next one is a line more and nothing else.
fn named(name: &str, member: &Json) -> Vec<String> {
    let lines = lines(member);
    let is_list = member.as_array().is_some_and(|items| !items.is_empty());
    match lines.as_slice() {
        [line] if !is_list => vec![format!("{name}: {line}")],
        lines => {
            let head = std::iter::once(format!("{name}:"));
            head.chain(lines.iter().map(|line| format!("  {line}"))).collect()
        }
    }
}

fn word(json: &Json) -> String {
    match json {
        Json::Bool(on) => if *on { "on" } else { "off" }.to_owned(),
        Json::String(text) => text.clone(),
        Json::Array(_) => "none".to_owned(),
        Json::Null => "nothing".to_owned(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;
    use serde_json::json;

    use super::*;
    use crate::plan::{Action, Address, Direction, Impact, Outline, Planned, Rated, Risk, Work};
    use crate::terms::Place;

    fn change(before: Json, after: Json) -> Change {
        let outline = Outline {
            address: Address::written("prod/doors/back"),
            setting: "doors",
            subject: "the back door".to_owned(),
            action: Action::Update,
            direction: Direction::Neutral,
            risk: Rated { what: "change a door", risk: Risk::Low },
            impact: Impact::None,
            before,
            after,
            reason: String::new(),
            source: Place { file: "palisade.yaml".into(), line: 1, column: 1 },
            operations: Vec::new(),
        };
        Planned::new(outline, Work::Steps(Vec::new())).change
    }

    fn shown(before: &Json, after: &Json) -> String {
        let text = on_one_line(before, after).unwrap_or_else(|| of_values(before, after, ""));
        anstream::adapter::strip_str(&text).to_string()
    }

    #[test]
    fn what_fits_on_a_line_stays_on_it() {
        let table = [
            (json!({ "enabled": false }), json!({ "enabled": true }), "off -> on"),
            (json!({ "role": "Viewer" }), json!({ "role": "Admin" }), "Viewer -> Admin"),
            (Json::Null, json!({ "keys": ["get"], "secrets": ["get", "list"] }), "keys get, secrets get and list"),
            (json!({ "status": "Pending", "connection": "c" }), json!({ "status": "Approved" }), "Pending -> Approved"),
        ];
        for (before, after, expected) in table {
            assert_eq!(shown(&before, &after), expected);
        }
    }

    #[test]
    fn lists_and_members_are_shown_line_by_line() {
        let before = json!({ "keys": [], "secrets": ["get"], "certificates": ["get", "list"] });
        let after = json!({ "keys": ["get", "list"], "secrets": ["get", "list"], "certificates": ["get", "list"] });
        assert_snapshot!(shown(&before, &after), @"
          certificates:
            get
            list
        - keys: none
        + keys:
        +   get
        +   list
          secrets:
            get
        +   list
        ");
    }

    #[test]
    fn far_apart_lines_leave_out_what_is_between() {
        let text = |second: &str| {
            (1..=12).map(|number| if number % 10 == 2 { second.to_owned() } else { number.to_string() }).collect()
        };
        let (before, after): (Vec<String>, Vec<String>) = (text("x"), text("y"));
        assert_snapshot!(shown(&json!(before.join("\n")), &json!(after.join("\n"))), @"
          1
        - x
        + y
          3
          4
          5
          …
          9
          10
          11
        - x
        + y
        ");
    }

    #[test]
    fn what_differs_only_beside_its_status_is_not_shown_as_the_same() {
        let link = |endpoint: &str| json!({ "status": "Approved", "endpoint": endpoint });
        assert_snapshot!(shown(&link("pe-1"), &link("pe-2")), @"
        - endpoint: pe-1
        + endpoint: pe-2
          status: Approved
        ");
    }

    #[test]
    fn a_text_of_several_lines_keeps_them_and_steers_no_terminal() {
        let note = json!({ "note": "one\ntwo\u{1b}[31m\n" });
        assert_snapshot!(shown(&Json::Null, &note), @"
        + one
        + two�[31m
        ");
    }

    #[test]
    fn what_was_approved_and_what_is_wanted_are_compared_where_they_take_several_lines() {
        let keepers = |names: &[&str]| json!({ "keepers": names, "lock": "new" });
        let approved = change(keepers(&["ada"]), keepers(&["ada", "grace"]));
        let fresh = change(keepers(&["ada", "eve"]), keepers(&["ada", "grace"]));
        let text = |one: &Change, other: &Change| {
            let text = of_changes(std::slice::from_ref(one), std::slice::from_ref(other));
            anstream::adapter::strip_str(&text).to_string()
        };
        assert_snapshot!(text(&approved, &fresh), @"
        update prod/doors/back:
            before:
              keepers:
                ada
          +     eve
              lock: new
            after:
              keepers:
        ");
        assert_eq!(text(&approved, &approved), "");
        let (open, shut) = (change(json!("open"), json!("shut")), change(json!("shut"), json!("open")));
        assert_eq!(text(&open, &shut), "", "the reasons say it on one line");
    }
}
