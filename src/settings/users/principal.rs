//! Who a principal is: from the file's words and the directory's answer to one identity.

use std::collections::BTreeSet;

use super::block::{Declared, PrincipalRef};
use crate::azure::directory::Name;
use crate::azure::graph::{DirectoryObject, Key};
use crate::plan::Kind;
use crate::terms::{ObjectId, text::printable};

/// A principal that is known well enough to compare and to address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Principal {
    /// Object id.
    pub(super) id: ObjectId,
    /// The ids under which the service may list it: an app's application id as well.
    pub(super) listed_as: BTreeSet<ObjectId>,
    /// What it is.
    pub(super) kind: Kind,
    /// The part of an address that stands for it: the UPN of a user, else kind and id. Doesn't depend on how the file
    /// names it, so that an address stays the same when a principal is declared that was an extra before.
    pub(super) part: String,
    /// For a person.
    pub(super) label: String,
}

/// The principals that a declaration names.
pub(super) fn declared(declared: &Declared) -> impl Iterator<Item = &PrincipalRef> {
    let assigned = declared.assignments.iter().map(|assignment| &assignment.principal);
    assigned.chain(declared.break_glass.iter().map(|protected| &protected.principal))
}

/// The names under which they are looked up.
pub(super) fn names(block: &Declared) -> Vec<Name> {
    declared(block).map(name).collect()
}

/// The name under which one principal is looked up.
pub(in crate::settings) fn name(principal: &PrincipalRef) -> Name {
    match principal {
        PrincipalRef::User { upn, id: None } => Name::Key(Key::User(upn.to_lowercase())),
        PrincipalRef::User { id: Some(id), .. } => Name::Key(Key::Account(ObjectId::from(*id))),
        PrincipalRef::App { app_id, .. } => Name::Key(Key::App(*app_id)),
        PrincipalRef::Group { id, .. } | PrincipalRef::Principal { id } => Name::Id(ObjectId::from(*id)),
    }
}

/// The address part of a declared principal that could not be looked up.
pub(super) fn declared_part(principal: &PrincipalRef) -> String {
    match principal {
        PrincipalRef::User { upn, id: _ } => upn.to_lowercase(),
        PrincipalRef::Group { id, .. } => format!("group:{id}"),
        PrincipalRef::App { app_id, .. } => format!("app:{app_id}"),
        PrincipalRef::Principal { id } => id.to_string(),
    }
}

/// The ids under which a declared principal may be listed, as far as the file tells them.
pub(super) fn declared_ids(principal: &PrincipalRef) -> Option<ObjectId> {
    match principal {
        PrincipalRef::User { id, .. } => id.map(ObjectId::from),
        PrincipalRef::Group { id, .. } | PrincipalRef::Principal { id } => Some(ObjectId::from(*id)),
        PrincipalRef::App { app_id, .. } => Some(ObjectId::from(*app_id)),
    }
}

impl Principal {
    /// From the directory's answer; `kind` is what a look-up by type already says.
    pub(super) fn of(object: &DirectoryObject, kind: Option<Kind>) -> Self {
        let kind = kind.unwrap_or_else(|| kind_of(object));
        let id = object.id.to_string();
        let listed_as = object.app_id.map(ObjectId::from).into_iter().chain([object.id]).collect();
        let display = object.display_name.as_deref();
        let upn = object.user_principal_name.as_deref();
        let (part, fallback) = match (kind, upn, object.app_id) {
            (Kind::User, Some(upn), _) => (upn.to_lowercase(), upn.to_owned()),
            (Kind::App, _, Some(app_id)) => (format!("app:{app_id}"), id.clone()),
            (Kind::Group, ..) => (format!("group:{id}"), id.clone()),
            _ => (id.clone(), id.clone()),
        };
        // Names come from a directory that many can write to; a name must not steer a terminal.
        let name = display.map_or(fallback, printable);
        Self { id: object.id, listed_as, kind, part, label: label(&name, kind) }
    }

    /// A principal that only its id is known of; the service's own word says what it is. That the directory doesn't have it is
    /// said only where the directory said so: in an outage nothing is known to be missing.
    pub(super) fn nameless(id: ObjectId, kind: Kind, missing: bool) -> Self {
        let name = id.to_string();
        let label = match (missing, kind) {
            (false, kind) => label(&name, kind),
            (true, Kind::Unknown) => format!("{name} (not in the directory)"),
            (true, kind) => label(&name, kind).replace(')', ", not in the directory)"),
        };
        Self { id, listed_as: BTreeSet::from([id]), kind, part: id.to_string(), label }
    }

    /// The service's word for what it is; `None` for what can't hold a role.
    pub(super) fn wire_kind(&self) -> Option<&'static str> {
        match self.kind {
            Kind::User => Some("user"),
            Kind::Group => Some("group"),
            Kind::App => Some("app"),
            Kind::Unknown => None,
        }
    }
}

/// What a role assignment's `principalType` says.
pub(super) fn kind_of_wire(word: Option<&str>) -> Kind {
    match word.map(str::to_ascii_lowercase).as_deref() {
        Some("user") => Kind::User,
        Some("group") => Kind::Group,
        Some("app") => Kind::App,
        _ => Kind::Unknown,
    }
}

/// What a directory object is. Look-ups by type leave the type out; what they ask for tells it as well.
pub(super) fn kind_of(object: &DirectoryObject) -> Kind {
    match object.odata_type.as_deref() {
        Some("#microsoft.graph.user") => Kind::User,
        Some("#microsoft.graph.group") => Kind::Group,
        Some("#microsoft.graph.servicePrincipal") => Kind::App,
        None if object.user_principal_name.is_some() => Kind::User,
        None if object.app_id.is_some() => Kind::App,
        _ => Kind::Unknown,
    }
}

fn label(name: &str, kind: Kind) -> String {
    match kind {
        Kind::User => format!("{name} (user)"),
        Kind::Group => format!("{name} (group)"),
        Kind::App => format!("{name} (app)"),
        Kind::Unknown => name.to_owned(),
    }
}
