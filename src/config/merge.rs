//! From files to environments: what several files say together, and what `base` adds to each environment.
//!
//! What must stay true: maps merge by key, lists are replaced; merging a tree with itself gives the same data; each
//! merged value keeps the place where it is written.

use std::collections::HashMap;

use super::codes::Code;
use super::diagnostic::{Diagnostic, Diagnostics, quoted};
use super::source::{Sources, Span};
use super::texts::ENVIRONMENT;
use super::tree::{Entry, Node, Value};
use crate::config::codes;

/// What all files say together.
#[derive(Debug, Default)]
pub(crate) struct Combined {
    pub(crate) tenant: Option<Entry>,
    pub(crate) base: Option<Entry>,
    pub(crate) environments: Vec<Entry>,
    /// Where the first `environments:` is written.
    pub(crate) environments_key: Option<Span>,
}

/// Puts the files' trees together, each part in one file only.
pub(super) fn combine(roots: Vec<Node>, sources: &Sources, diagnostics: &mut Diagnostics) -> Combined {
    let mut combined = Combined::default();
    let mut seen = HashMap::new();
    for entry in roots.into_iter().flat_map(Node::into_entries) {
        match entry.key.as_str() {
            "tenant" => take(&mut combined.tenant, entry, codes::DUPLICATE_TENANT, sources, diagnostics),
            "base" => take(&mut combined.base, entry, codes::DUPLICATE_BASE, sources, diagnostics),
            "environments" => {
                combined.environments_key.get_or_insert(entry.key_span);
                for environment in entry.value.into_entries() {
                    if let Some(first) = seen.get(&environment.key) {
                        let what = format!("the environment {}", quoted(&environment.key));
                        diagnostics.push(twice(codes::DUPLICATE_ENVIRONMENT, &what, &environment, *first, sources));
                    } else {
                        seen.insert(environment.key.clone(), environment.key_span);
                        combined.environments.push(environment);
                    }
                }
            }
            _ => {}
        }
    }
    combined
}

fn take(slot: &mut Option<Entry>, entry: Entry, code: Code, sources: &Sources, diagnostics: &mut Diagnostics) {
    match slot {
        Some(first) => diagnostics.push(twice(code, &quoted(&entry.key), &entry, first.key_span, sources)),
        None => *slot = Some(entry),
    }
}

fn twice(code: Code, what: &str, second: &Entry, first: Span, sources: &Sources) -> Diagnostic {
    let message = format!("{what} is defined in two files");
    let place = sources.place(first);
    Diagnostic::error(code, second.key_span, message)
        .related(first, "first here")
        .help(format!("keep one of them; the first is at {}:{}:{}", place.file, place.line, place.column))
}

/// The environment with what `base` adds to it, `${environment}` replaced.
pub(crate) fn environment(base: Option<&Node>, entry: &Entry) -> Node {
    let unmanaged = unmanaged(&entry.value);
    let mut merged = match base {
        Some(base) => over(&without(base, &unmanaged), &entry.value),
        None => entry.value.clone(),
    };
    expand(&mut merged, &entry.key);
    merged
}

/// The blocks that an environment leaves out.
fn unmanaged(environment: &Node) -> Vec<&str> {
    let listed = environment.entry("unmanaged").map_or(&[][..], |entry| entry.value.items());
    listed
        .iter()
        .filter_map(|item| if let Value::String(name) = &item.value { Some(name.as_str()) } else { None })
        .collect()
}

fn without(base: &Node, unmanaged: &[&str]) -> Node {
    let kept = base.entries().iter().filter(|entry| !unmanaged.contains(&entry.key.as_str())).cloned().collect();
    Node { span: base.span, value: Value::Map(kept) }
}

/// `upper` with what only `lower` has; maps at the same key merge in turn.
pub(super) fn over(lower: &Node, upper: &Node) -> Node {
    let (Value::Map(below), Value::Map(above)) = (&lower.value, &upper.value) else {
        return upper.clone();
    };
    let mut entries: Vec<Entry> = above
        .iter()
        .map(|entry| match lower.entry(&entry.key) {
            Some(under) => Entry { value: over(&under.value, &entry.value), ..entry.clone() },
            None => entry.clone(),
        })
        .collect();
    entries.extend(below.iter().filter(|entry| upper.entry(&entry.key).is_none()).cloned());
    Node { span: upper.span, value: Value::Map(entries) }
}

fn expand(node: &mut Node, key: &str) {
    match &mut node.value {
        Value::String(text) if text.contains(ENVIRONMENT) => *text = text.replace(ENVIRONMENT, key),
        Value::List(items) => items.iter_mut().for_each(|item| expand(item, key)),
        Value::Map(entries) => entries.iter_mut().for_each(|entry| expand(&mut entry.value, key)),
        _ => {}
    }
}

/// Reports blocks that are left out without effect, or declared all the same.
pub(crate) fn check_unmanaged(
    base: Option<&Node>,
    environment: &Entry,
    blocks: &[&'static str],
    diagnostics: &mut Diagnostics,
) {
    let Some(list) = environment.value.entry("unmanaged") else {
        return;
    };
    for item in list.value.items() {
        let Value::String(name) = &item.value else {
            continue;
        };
        if !blocks.contains(&name.as_str()) {
            continue;
        }
        if let Some(block) = environment.value.entry(name) {
            let message = format!("{} is listed as unmanaged, and declared as well", quoted(name));
            diagnostics.push(
                Diagnostic::error(codes::UNMANAGED_BUT_DECLARED, item.span, message)
                    .related(block.key_span, "declared here")
                    .help("remove one of the two; a block of the environment itself already goes before the one in `base`"),
            );
        } else if base.is_none_or(|base| base.entry(name).is_none() && !diagnostics.error_within(base.span)) {
            let message = format!("`base` has no {} that could be left out", quoted(name));
            diagnostics.push(
                Diagnostic::error(codes::UNMANAGED_NOT_IN_BASE, item.span, message)
                    .help("remove it from the list: what isn't declared isn't managed anyway"),
            );
        }
    }
}
