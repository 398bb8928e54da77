//! Files that are something else than a configuration.
//!
//! Invariants: a file that says `version: 1` and has a key of a configuration is one, whatever else it holds; what a file looks
//! like is told once, in place of everything that a configuration would have in its stead.

use std::collections::BTreeMap;

use super::codes;
use super::diagnostic::{Diagnostic, quoted};
use super::fields::FieldHelp;
use super::homes;
use super::nearest::nearest;
use super::source::Span;
use super::tree::{Node, Value};

/// The keys of a configuration.
const OURS: [&str; 3] = ["tenant", "base", "environments"];

/// What a file looks like, by keys at its top that are all there.
const LOOKS: [(&[&str], &str); 12] = [
    (&["apiVersion", "kind"], "a Kubernetes manifest"),
    (&["apiVersion", "name"], "a Helm chart"),
    (&["terraform_version"], "a Terraform state"),
    (&["resource"], "a Terraform file in JSON"),
    (&["contentVersion", "resources"], "an ARM template"),
    (&["on", "jobs"], "a GitHub Actions workflow"),
    (&["stages", "script"], "a GitLab pipeline"),
    (&["trigger"], "an Azure pipeline"),
    (&["services"], "a Docker Compose file"),
    (&["_format_version"], "a decK file"),
    (&["openapi"], "an OpenAPI document"),
    (&["$schema", "$defs"], "a JSON Schema"),
];

/// What a tree is, if it isn't a configuration with these fields.
pub(super) fn of_tree(root: &Node, fields: &BTreeMap<String, FieldHelp>) -> Option<Diagnostic> {
    if root.entries().is_empty() || OURS.iter().any(|key| root.entry(key).is_some()) {
        return None;
    }
    let format = root.child("format").map(|node| &node.value);
    if let Some(Value::String(format)) =
        format.filter(|_| root.entry("tool").is_some() || root.entry("summary").is_some())
        && let Some(kind) = format.strip_prefix("palisade.")
    {
        let message = format!("this is a document that palisade wrote ({}), not a configuration", quoted(format));
        let help = match kind.split('/').next() {
            Some("plan") => {
                "a saved plan is what `palisade apply PLAN` takes, beside the configuration: `palisade apply \
                             PLAN -f palisade.yaml`"
            }
            _ => "give the file with `version: 1`, `tenant:` and `environments:`",
        };
        return Some(diagnostic(root.span, message, help));
    }
    let all = |keys: &&[&str]| keys.iter().all(|key| root.entry(key).is_some());
    if let Some((_, what)) = LOOKS.iter().find(|(keys, _)| all(keys)) {
        return Some(diagnostic(root.span, format!("this looks like {what}, not a palisade configuration"), GIVE));
    }
    // A key that is misspelt, or at the wrong level, is a mistake of a configuration.
    let known: Vec<&str> = fields.keys().filter_map(|path| path.rsplit('.').next()).collect();
    let ours = |key: &str| nearest(key, &known).is_some() || key.contains(':');
    // A few keys tell enough of a file with thousands of them.
    let strange =
        root.entries().iter().take(20).all(|entry| !ours(&entry.key) && !homes::has_home(fields, &entry.value));
    let message = "this doesn't look like a palisade configuration: no key at its top is one of a configuration";
    strange.then(|| diagnostic(root.span, message.to_owned(), GIVE))
}

const GIVE: &str = "give palisade files with `version: 1`, `tenant:` and `environments:`, or a folder that holds nothing else; \
                    `palisade schema` prints their JSON Schema";

/// What a text is that can't be read as a tree of keys.
pub(super) fn of_text(file: usize, text: &str) -> Option<Diagnostic> {
    let ours = |line: &str| line.starts_with("version:") || OURS.iter().any(|key| line.starts_with(&format!("{key}:")));
    if text.lines().any(ours) {
        return None;
    }
    let begins = |starts: &[&str]| {
        let code = |line: &&str| !line.trim().is_empty() && !line.trim_start().starts_with(['#', '/']);
        let first = text.lines().find(code).unwrap_or_default().trim_start();
        starts.iter().any(|start| first.to_ascii_lowercase().starts_with(start))
    };
    let has = |line: &str| text.lines().any(|other| other.trim_start().starts_with(line));
    let what = match () {
        () if begins(&[
            "resource \"",
            "provider \"",
            "terraform {",
            "variable \"",
            "module \"",
            "locals {",
            "data \"",
        ]) =>
        {
            "a Terraform file"
        }
        () if begins(&["targetscope", "param ", "@description", "metadata ", "var "])
            || has("resource ") && text.contains('@') =>
        {
            "a Bicep file"
        }
        () if text.contains("{{") && (has("{{") || has("apiVersion:") || has("kind:")) => "a Helm template",
        () if begins(&["<"]) => "HTML or XML",
        () => return None,
    };
    let message = format!("this looks like {what}, not a palisade configuration");
    let first = text.lines().next().unwrap_or_default().len();
    Some(diagnostic(Span { file, start: 0, end: first }, message, GIVE))
}

fn diagnostic(span: Span, message: String, help: &str) -> Diagnostic {
    Diagnostic::error(codes::NOT_A_CONFIGURATION, span, message).help(help)
}
