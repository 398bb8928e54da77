//! The configuration: what the files declare, typed and checked.

use std::collections::HashMap;

use serde_json::{Value as Json, json};
use uuid::Uuid;

use super::shape::{HeadShape, TenantShape, UnpublishedOperations};
use super::{attested, codes};
use crate::azure::power_platform::EnvironmentId;
use crate::config::codes::MISSING_KEY;
use crate::config::merge;
use crate::config::tree::{Entry, Value};
use crate::config::{Combined, Diagnostic, Diagnostics, Document, Format, Located, Node, Sources, Span, quoted, typed};
use crate::settings::block::Claim;
use crate::settings::declaration::Declaration;
use crate::settings::registry::Registry;
use crate::settings::setting::{Elsewhere, Need};
use crate::terms::{Cloud, EnvironmentHead, Face, Head, Place, Scope, ScopeKind, TenantHead, digest};

/// What the files declare. Exists only without mistakes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Configuration {
    /// The tenant, and how to reach its services.
    pub tenant: Tenant,
    /// What the tenant declares; none if it declares no setting.
    pub tenant_wide: Option<Declaration>,
    /// The environments, in the files' order.
    pub environments: Vec<Declaration>,
    /// `sha256:…` over the merged data: comments, spacing, quotes and the order of keys make no difference.
    pub digest: String,
}

impl Configuration {
    /// Every scope that declares something: the tenant first, then the environments in the files' order.
    pub fn scopes(&self) -> impl Iterator<Item = &Declaration> {
        self.tenant_wide.iter().chain(&self.environments)
    }
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
    /// Where it is written.
    pub place: Place,
}

/// Makes the configuration of what the files say together, with these settings.
pub(super) fn build(document: &mut Document, format: &Format, settings: Registry) -> Option<Configuration> {
    let Document { sources, diagnostics, combined, whole } = document;
    let (sources, whole) = (&*sources, *whole);
    let base = combined.base.as_ref().map(|entry| &entry.value);
    if whole && !diagnostics.has_errors() {
        check_presence(combined, diagnostics);
    }
    let tenant = combined.tenant.as_ref().and_then(|entry| tenant(entry, settings, sources, diagnostics));
    let mut environments = Vec::new();
    let mut merged = serde_json::Map::new();
    for entry in &combined.environments {
        if whole {
            merge::check_unmanaged(base, entry, format.blocks(), diagnostics);
        }
        let node = merge::environment(base, entry);
        environments.push(environment(entry, Located::new(&node, sources), settings, diagnostics));
        merged.insert(entry.key.clone(), data_of(&node));
    }
    check_ids(&combined.environments, diagnostics);
    check_claims(environments.iter().flatten(), diagnostics);
    if diagnostics.has_errors() {
        return None;
    }
    let (tenant, mut tenant_wide) = tenant?;
    let environments: Vec<Declaration> = environments.into_iter().collect::<Option<_>>()?;
    tenant_wide.environments_elsewhere = environments.iter().filter_map(in_platform).collect();
    let data = json!({ "tenant": combined.tenant.as_ref().map(|entry| entry.value.to_json()), "environments": merged });
    Some(Configuration {
        tenant,
        tenant_wide: Some(tenant_wide).filter(|declared| !declared.blocks.is_empty()),
        environments: aware_of_each_other(environments),
        digest: digest::of_json(&data),
    })
}

/// Which Power Platform environment a scope is.
fn in_platform(one: &Declaration) -> Option<EnvironmentId> {
    EnvironmentId::new(one.head.environment()?.environment_id.as_deref()?).ok()
}

/// Tells each environment which resources the others declare, and which instances and environments they are.
fn aware_of_each_other(mut environments: Vec<Declaration>) -> Vec<Declaration> {
    let instance = |one: &Declaration| one.head.environment().and_then(|head| head.instance_id);
    let named = |one: &Declaration| {
        let environment = one.head.scope();
        let resources = one.blocks.resources_by_setting();
        resources.map(|(setting, resource)| Elsewhere { environment: environment.clone(), setting, resource }).collect()
    };
    let declared: Vec<(Vec<Elsewhere>, Option<Uuid>, Option<EnvironmentId>)> =
        environments.iter().map(|one| (named(one), instance(one), in_platform(one))).collect();
    for (index, environment) in environments.iter_mut().enumerate() {
        let others = || declared.iter().enumerate().filter(|(other, _)| *other != index).map(|(_, declared)| declared);
        environment.elsewhere = others().flat_map(|(resources, ..)| resources.iter().cloned()).collect();
        environment.instances_elsewhere = others().filter_map(|(_, instance, _)| *instance).collect();
        environment.environments_elsewhere = others().filter_map(|(.., platform)| platform.clone()).collect();
    }
    environments
}

/// Two environments that both claim what only one may have, or that want it to be different, would undo each other.
fn check_claims<'a>(environments: impl Iterator<Item = &'a Declaration>, diagnostics: &mut Diagnostics) {
    let mut first: HashMap<String, (Scope, Span, Option<String>)> = HashMap::new();
    for environment in environments {
        for Claim { what, called, how, value, code, help, span } in environment.blocks.claims() {
            let scope = environment.head.scope();
            let Some((other, there, before)) = first.insert(what, (scope.clone(), span, value.clone())) else {
                continue;
            };
            let message = match (before, value) {
                (Some(before), Some(value)) if before.eq_ignore_ascii_case(&value) => continue,
                (Some(before), Some(value)) => {
                    format!("{called} is {how} {before} by `{other}` and {value} by `{scope}`")
                }
                _ => format!("{called} is {how} by `{other}` and by `{scope}`"),
            };
            diagnostics.push(Diagnostic::error(code, span, message).related(there, "first here").help(help));
        }
    }
}

fn check_presence(combined: &Combined, diagnostics: &mut Diagnostics) {
    let top = Span::start_of(0);
    if combined.tenant.is_none() {
        diagnostics.push(
            Diagnostic::error(codes::MISSING_TENANT, top, "the configuration doesn't say which tenant it is for")
                .help("add `tenant:` with the tenant's `id`"),
        );
    }
    if combined.environments.is_empty() {
        diagnostics.push(
            Diagnostic::error(
                codes::NO_ENVIRONMENTS,
                combined.environments_key.unwrap_or(top),
                "the configuration declares no environment",
            )
            .help("write `environments:`, and below it a key for each environment"),
        );
    }
}

/// The tenant, and what it declares as a scope.
fn tenant(
    entry: &Entry,
    settings: Registry,
    sources: &Sources,
    diagnostics: &mut Diagnostics,
) -> Option<(Tenant, Declaration)> {
    let at = Located::new(&entry.value, sources);
    let place = sources.place(entry.key_span);
    let shape: Option<TenantShape> = typed(at, diagnostics);
    let id = shape.as_ref().map(|shape| shape.id.0).unwrap_or_default();
    let head = Head::Tenant(TenantHead { id, place: place.clone() });
    let declaration = declaration(at, head, digest_of(&entry.value), settings, diagnostics);
    let TenantShape { id, cloud, customer_insights, unpublished_operations, .. } = shape?;
    let (face, unpublished) = (customer_insights.face, unpublished_operations);
    Some((Tenant { id: id.0, cloud, face, unpublished, place }, declaration))
}

fn environment(
    entry: &Entry,
    at: Located<'_>,
    settings: Registry,
    diagnostics: &mut Diagnostics,
) -> Option<Declaration> {
    let head: Option<HeadShape> = typed(at, diagnostics);
    let complete = head.is_some();
    let HeadShape { instance_id, environment_id, name, business_units } = head.unwrap_or_default();
    let head = EnvironmentHead {
        key: entry.key.clone(),
        instance_id: instance_id.map(|id| id.0),
        environment_id: environment_id.map(|id| id.0),
        name: name.map(|name| name.0),
        business_units,
        place: at.sources.place(entry.key_span),
    };
    check_reach(entry, at, &head, settings, diagnostics);
    let declared = declaration(at, Head::Environment(head), digest_of(at.node), settings, diagnostics);
    complete.then_some(declared)
}

fn declaration(
    at: Located<'_>,
    head: Head,
    digest: String,
    settings: Registry,
    diagnostics: &mut Diagnostics,
) -> Declaration {
    let blocks = settings.declare(at, &head, diagnostics);
    let attested = attested::read(at, head.kind(), &blocks, settings, diagnostics);
    Declaration {
        head,
        attested,
        blocks,
        elsewhere: Vec::new(),
        instances_elsewhere: Vec::new(),
        environments_elsewhere: Vec::new(),
        digest,
    }
}

/// The hash of what a scope declares, without what people attest.
fn digest_of(scope: &Node) -> String {
    let mut data = data_of(scope);
    data.as_object_mut().map(|data| data.remove("attested"));
    digest::of_json(&data)
}

/// What a scope declares. What it leaves out of `base` has gone into that.
fn data_of(scope: &Node) -> Json {
    let mut data = scope.to_json();
    data.as_object_mut().map(|data| data.remove("unmanaged"));
    data
}

/// The ids of an environment.
const IDS: [&str; 2] = ["instanceId", "environmentId"];

/// An environment is reached by its ids: one at least, and those that its settings need.
fn check_reach(
    entry: &Entry,
    at: Located<'_>,
    head: &EnvironmentHead,
    settings: Registry,
    diagnostics: &mut Diagnostics,
) {
    let written = |key: &str| at.node.entry(key).is_some();
    // An id that was wrong, or a key that was meant as one, was dropped after it was reported.
    if IDS.iter().any(|id| diagnostics.lost(entry.value.span, "*", id)) {
        return;
    }
    if head.instance_id.is_none() && head.environment_id.is_none() {
        let message = format!("{} has neither `instanceId` nor `environmentId`", quoted(&entry.key));
        diagnostics.push(
            Diagnostic::error(MISSING_KEY, entry.key_span, message)
                .help("add the id of the Customer Insights instance, of the Power Platform environment, or both"),
        );
        return;
    }
    for setting in settings.in_scope(ScopeKind::Environment).filter(|setting| written(setting.key())) {
        let lacks = |need: &&Need| match need {
            Need::Instance => head.instance_id.is_none(),
            Need::Environment => head.environment_id.is_none(),
        };
        let Some(need) = setting.needs().iter().find(lacks) else { continue };
        let (id, service) = match need {
            Need::Instance => ("instanceId", "Customer Insights"),
            Need::Environment => ("environmentId", "Power Platform"),
        };
        let key = setting.key();
        let message = format!("`{key}` is a setting of {service}, and {} has no `{id}`", quoted(&entry.key));
        diagnostics.push(
            Diagnostic::error(MISSING_KEY, at.key_span(key), message)
                .help(format!("add `{id}`, or remove `{key}`; a block of `base` is left out by `unmanaged: [{key}]`")),
        );
    }
}

/// An id stands for one thing: two environments with the same one would undo each other's changes.
fn check_ids(environments: &[Entry], diagnostics: &mut Diagnostics) {
    for (key, code) in
        [("instanceId", codes::DUPLICATE_INSTANCE_ID), ("environmentId", codes::DUPLICATE_ENVIRONMENT_ID)]
    {
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
                    .help("each of them can be declared once; copy the id of the right one, or keep one of the two")
            });
        }
    }
}
