//! The configuration: what the files declare, typed and checked.

use std::collections::HashMap;

use jiff::SignedDuration;
use jiff::civil::Date;
use serde::de::DeserializeOwned;
use serde_json::{Value as Json, json};
use uuid::Uuid;

use super::codes::Code;
use super::diagnostic::{Diagnostic, Diagnostics, quoted};
use super::entry;
use super::merge::{self, Combined};
use super::shape::{AttestationShape, HeadShape, TenantShape, UnpublishedOperations};
use super::source::{Sources, Span};
use super::tree::{Entry, Located, Node, Value};
use crate::settings::blocks::{self, Claim, DeclaredBlocks};
use crate::terms::{Cloud, EnvironmentHead, Face, Place, ResourceId, digest};

/// What the files declare. Exists only without mistakes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Configuration {
    /// The tenant.
    pub tenant: Tenant,
    /// The environments, in the files' order.
    pub environments: Vec<Environment>,
    /// `sha256:…` over the merged data: comments, spacing, quotes and the order of keys make no difference.
    pub digest: String,
}

/// The tenant, and how to reach its services.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tenant {
    /// Its id.
    pub id: Uuid,
    /// The cloud it is in.
    pub cloud: Cloud,
    /// Which front of Customer Insights - Data to call.
    pub face: Face,
    /// What to do with operations that Microsoft hasn't published.
    pub unpublished: UnpublishedOperations,
    /// What people saw of tenant settings that no operation can read. None yet: the tenant has no such setting.
    pub attested: Vec<Attestation>,
    /// Where it is written.
    pub place: Place,
}

/// One environment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Environment {
    /// Its names and ids.
    pub head: EnvironmentHead,
    /// What people saw of settings that no operation can read.
    pub attested: Vec<Attestation>,
    /// What it declares.
    pub blocks: DeclaredBlocks,
    /// The Azure resources that other environments declare: what shows on one of them may be theirs.
    pub elsewhere: Vec<ResourceId>,
    /// `sha256:…` over its merged data, without what people attest: what an approval of its changes rests on.
    pub digest: String,
}

/// What a person saw of a setting.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attestation {
    /// The setting's name, as in files.
    pub setting: String,
    /// What was seen, in the words of the setting's block, which checked it.
    pub saw: Json,
    /// Who looked.
    pub by: String,
    /// When they looked.
    pub on: Date,
    /// How long it holds.
    pub valid_for: SignedDuration,
    /// Where it is written.
    pub place: Place,
}

/// Makes the configuration of what the files say together. `whole` is false if a file couldn't be read, so that what
/// seems to be missing may well be in it.
pub(super) fn build(
    combined: &Combined,
    whole: bool,
    sources: &Sources,
    diagnostics: &mut Diagnostics,
) -> Option<Configuration> {
    let base = combined.base.as_ref().map(|entry| &entry.value);
    if whole && !diagnostics.has_errors() {
        check_presence(combined, diagnostics);
    }
    let tenant = combined.tenant.as_ref().and_then(|entry| tenant(entry, sources, diagnostics));
    let mut environments = Vec::new();
    let mut merged = serde_json::Map::new();
    for entry in &combined.environments {
        if whole {
            merge::check_unmanaged(base, entry, diagnostics);
        }
        let node = merge::environment(base, entry);
        let mut data = node.to_json();
        data.as_object_mut().map(|data| data.remove("unmanaged"));
        let mut declaration = data.clone();
        declaration.as_object_mut().map(|data| data.remove("attested"));
        environments.push(environment(entry, &node, digest::of_json(&declaration), sources, diagnostics));
        merged.insert(entry.key.clone(), data);
    }
    check_ids(&combined.environments, diagnostics);
    check_claims(environments.iter().flatten(), diagnostics);
    if diagnostics.has_errors() {
        return None;
    }
    let data = json!({ "tenant": combined.tenant.as_ref().map(|entry| entry.value.to_json()), "environments": merged });
    Some(Configuration {
        tenant: tenant?,
        environments: aware_of_each_other(environments.into_iter().collect::<Option<_>>()?),
        digest: digest::of_json(&data),
    })
}

/// Tells each environment which resources the others declare.
fn aware_of_each_other(mut environments: Vec<Environment>) -> Vec<Environment> {
    let declared: Vec<Vec<ResourceId>> = environments.iter().map(|one| one.blocks.resources()).collect();
    for (index, environment) in environments.iter_mut().enumerate() {
        let others = declared.iter().enumerate().filter(|(other, _)| *other != index);
        environment.elsewhere = others.flat_map(|(_, resources)| resources.iter().cloned()).collect();
    }
    environments
}

/// Two environments that publish to the same secret would undo each other.
fn check_claims<'a>(environments: impl Iterator<Item = &'a Environment>, diagnostics: &mut Diagnostics) {
    let mut first: HashMap<String, (&str, Span)> = HashMap::new();
    for environment in environments {
        for Claim { what, called, span } in environment.blocks.claims() {
            let Some((other, there)) = first.insert(what, (&environment.head.key, span)) else { continue };
            let message = format!("{called} is published to by `{other}` and by `{}`", environment.head.key);
            diagnostics.push(
                Diagnostic::error(Code::SharedSecret, span, message).related(there, "there for the first").help(
                    "give each environment a secret of its own; in `base`, `${environment}` makes the difference",
                ),
            );
        }
    }
}

fn check_presence(combined: &Combined, diagnostics: &mut Diagnostics) {
    let top = Span::start_of(0);
    if combined.tenant.is_none() {
        diagnostics.push(
            Diagnostic::error(Code::MissingTenant, top, "the configuration doesn't say which tenant it is for")
                .help("add `tenant:` with the tenant's `id`"),
        );
    }
    if combined.environments.is_empty() {
        diagnostics.push(
            Diagnostic::error(
                Code::NoEnvironments,
                combined.environments_key.unwrap_or(top),
                "the configuration declares no environment",
            )
            .help("write `environments:`, and below it a key for each environment"),
        );
    }
}

/// Reads a value whose shape the schema check has looked at. Returns none only together with an error: a value that is
/// neither read nor reported would be taken for one that isn't declared.
pub(crate) fn typed<T: DeserializeOwned>(at: Located<'_>, diagnostics: &mut Diagnostics) -> Option<T> {
    let read = serde_json::from_value(at.node.to_json()).ok();
    if read.is_none() && !diagnostics.has_errors() {
        diagnostics.push(
            Diagnostic::error(Code::WrongType, at.spot(), "something in here can't be read")
                .help("`palisade explain FIELD` describes each field"),
        );
    }
    read
}

fn tenant(entry: &Entry, sources: &Sources, diagnostics: &mut Diagnostics) -> Option<Tenant> {
    let TenantShape { id, cloud, customer_insights, unpublished_operations, attested } =
        typed(Located::new(&entry.value, sources), diagnostics)?;
    // The schema knows no tenant setting that could be attested, and refuses every entry.
    debug_assert!(attested.is_empty() || diagnostics.has_errors());
    Some(Tenant {
        id: id.0,
        cloud,
        face: customer_insights.face,
        unpublished: unpublished_operations,
        attested: Vec::new(),
        place: sources.place(entry.key_span),
    })
}

fn environment(
    entry: &Entry,
    node: &Node,
    digest: String,
    sources: &Sources,
    diagnostics: &mut Diagnostics,
) -> Option<Environment> {
    let at = Located::new(node, sources);
    let head: Option<HeadShape> = typed(at, diagnostics);
    let complete = head.is_some();
    let head = head.unwrap_or_default();
    let head = EnvironmentHead {
        key: entry.key.clone(),
        instance_id: head.instance_id.map(|id| id.0).unwrap_or_default(),
        environment_id: head.environment_id.map(|id| id.0).unwrap_or_default(),
        name: head.name.map(|name| name.0),
        business_units: head.business_units,
        place: sources.place(entry.key_span),
    };
    let blocks = DeclaredBlocks::declare(at, &head, diagnostics);
    let attested = attestations(at, &blocks, diagnostics);
    complete.then_some(Environment { head, attested, blocks, elsewhere: Vec::new(), digest })
}

fn attestations(
    environment: Located<'_>,
    declared: &DeclaredBlocks,
    diagnostics: &mut Diagnostics,
) -> Vec<Attestation> {
    let list = environment.node.entry("attested").map_or(&[][..], |entry| entry.value.items());
    let located = list.iter().map(|item| Located::new(item, environment.sources));
    located.filter_map(|item| attestation(item, declared, diagnostics)).collect()
}

/// One entry, with what was seen in the words of its setting. None only together with an error.
fn attestation(item: Located<'_>, declared: &DeclaredBlocks, diagnostics: &mut Diagnostics) -> Option<Attestation> {
    if let Some(Value::String(setting)) = item.node.child("setting").map(|node| &node.value)
        && item.node.entry("saw").is_none()
        && let Some((place, example)) = blocks::look_at(setting)
    {
        let (saw, when) = match declared.to_see(setting) {
            Some(saw) => (entry::flow(&saw), "if it is as declared"),
            None => (example.to_owned(), "say"),
        };
        diagnostics.push(missing_saw(item, setting, (place, &saw, when)));
        return None;
    }
    let AttestationShape { setting, by, on, valid_for, .. } = typed(item, diagnostics)?;
    let saw = blocks::check_saw(&setting.0, item.at(&["saw"]), diagnostics)?;
    let (by, on, valid_for) = (by.0, on.0, valid_for.0);
    Some(Attestation { setting: setting.0, saw, by, on, valid_for, place: item.place() })
}

fn missing_saw(item: Located<'_>, setting: &str, (place, saw, when): (&str, &str, &str)) -> Diagnostic {
    let written = |key: &str, usual: &str| match item.node.child(key).map(|node| &node.value) {
        Some(Value::String(text)) => text.clone(),
        _ => usual.to_owned(),
    };
    let entry = entry::text(
        setting,
        saw,
        &written("by", entry::SOMEBODY),
        &written("on", "2026-10-01"),
        &written("validFor", "90d"),
    );
    let message = format!("the entry about {} has no `saw`: it doesn't say what was seen", quoted(setting));
    Diagnostic::error(Code::MissingSaw, item.spot(), message)
        .help(format!("look under {place}, and write what you see there and on which day; {when}: `- {entry}`"))
}

/// An id stands for one thing: two environments with the same one would undo each other's changes.
fn check_ids(environments: &[Entry], diagnostics: &mut Diagnostics) {
    for (key, code) in [("instanceId", Code::DuplicateInstanceId), ("environmentId", Code::DuplicateEnvironmentId)] {
        let mut seen: HashMap<String, (Span, &str)> = HashMap::new();
        for environment in environments {
            let Some(node) = environment.value.child(key) else {
                continue;
            };
            let Value::String(id) = &node.value else {
                continue;
            };
            let Some((first, name)) = seen.get(&id.to_lowercase()) else {
                seen.insert(id.to_lowercase(), (node.span, &environment.key));
                continue;
            };
            let names = (quoted(name), quoted(&environment.key));
            let message = format!("{} and {} have the same `{key}`", names.0, names.1);
            let diagnostic = Diagnostic::error(code, node.span, message);
            diagnostics.push(if *first == node.span {
                diagnostic
                    .help("an alias repeats ids as well; give each environment its own, and share the rest in `base`")
            } else {
                diagnostic
                    .related(*first, "first here")
                    .help("each environment is one instance; copy the id of the right one")
            });
        }
    }
}
