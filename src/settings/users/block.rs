//! `users` in the file: who may use the instance, and in which role.
//!
//! What must stay true: two entries for the same principal are found whatever their spelling (letter case of user names
//! and ids doesn't count), and a list that would lock everybody out is never accepted.

use std::collections::HashMap;
use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::config::words::{Guid, PrincipalName, PrincipalText, Text, UserName};
use crate::config::{Code, Diagnostic, Diagnostics, EnvironmentHead, Located, Place, quoted};
use crate::settings::blocks;

/// Who may use the instance, and in which role. Without this block, palisade leaves users and roles as they are.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(rename = "Users")]
pub struct Block {
    /// Whether others may be there as well.
    #[serde(rename = "match", default)]
    matching: Match,
    /// Who has which role; a principal has exactly one. Required.
    assignments: Option<Vec<AssignmentBlock>>,
    /// Principals that palisade never removes and never downgrades, whatever the rest says: the accounts for an
    /// emergency. User principal names or object ids.
    #[serde(default)]
    break_glass: Vec<PrincipalName>,
}

/// Whether others than those listed may be there.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Match {
    /// The list is complete: palisade removes everybody else, except `breakGlass` and itself.
    Exact,
    /// Those listed have their roles; others are left alone.
    #[default]
    AtLeast,
}

/// A principal and its role. Exactly one of `user`, `group`, `app`, `principal` says who; groups and apps also need `id`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(rename = "Assignment", extend("oneOf" = [
    { "required": ["user"] }, { "required": ["group", "id"] }, { "required": ["app", "id"] }, { "required": ["principal"] }
]))]
pub(crate) struct AssignmentBlock {
    /// A person, by user principal name.
    user: Option<UserName>,
    /// A group, by its display name. The name is for readers; `id` decides.
    group: Option<Text>,
    /// An app (service principal), by its display name. The name is for readers; `id` decides.
    app: Option<Text>,
    /// Any principal, by object id.
    principal: Option<Guid>,
    /// The group's object id, or the app's application (client) id.
    id: Option<Guid>,
    /// The role. Required.
    role: Role,
}

/// A role in Customer Insights - Data.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize, Serialize, JsonSchema)]
pub enum Role {
    /// May do everything, including giving roles.
    Admin,
    /// May change data and configuration, but not give roles.
    Contributor,
    /// A contributor within a business unit. Needs `businessUnits: true`.
    #[serde(rename = "Marketing Contributor")]
    MarketingContributor,
    /// May look.
    Viewer,
}

impl Role {
    /// The role's name, as the service and the file write it.
    pub fn name(self) -> &'static str {
        match self {
            Role::Admin => "Admin",
            Role::Contributor => "Contributor",
            Role::MarketingContributor => "Marketing Contributor",
            Role::Viewer => "Viewer",
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

/// Who is meant. Equality looks at names as well; [`PrincipalRef::identity`] is what decides.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PrincipalRef {
    /// A person.
    User {
        /// The user principal name, as written.
        upn: String,
    },
    /// A group.
    Group {
        /// The display name, for readers.
        name: String,
        /// The object id.
        id: Uuid,
    },
    /// An app.
    App {
        /// The display name, for readers.
        name: String,
        /// The application (client) id.
        app_id: Uuid,
    },
    /// Any principal.
    Principal {
        /// The object id.
        id: Uuid,
    },
}

impl PrincipalRef {
    /// What two spellings of the same principal have in common. Application ids and object ids are different numbers
    /// for different things, so they never meet.
    pub fn identity(&self) -> String {
        match self {
            PrincipalRef::User { upn } => upn.to_lowercase(),
            PrincipalRef::Group { id, .. } | PrincipalRef::Principal { id } => id.to_string(),
            PrincipalRef::App { app_id, .. } => format!("app:{app_id}"),
        }
    }
}

impl fmt::Display for PrincipalRef {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            PrincipalRef::User { upn } => formatter.write_str(upn),
            PrincipalRef::Group { name, .. } | PrincipalRef::App { name, .. } => formatter.write_str(name),
            PrincipalRef::Principal { id } => write!(formatter, "{id}"),
        }
    }
}

/// A principal with its role.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Assignment {
    /// Who.
    pub principal: PrincipalRef,
    /// The role.
    pub role: Role,
    /// Where it is written.
    pub place: Place,
}

/// A principal that is never removed or downgraded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BreakGlass {
    /// Who: a user or an object id.
    pub principal: PrincipalRef,
    /// Where it is written.
    pub place: Place,
}

/// What the file says about users.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Declared {
    /// Whether others may be there.
    pub matching: Match,
    /// Who has which role, in the file's order.
    pub assignments: Vec<Assignment>,
    /// Who is never removed or downgraded.
    pub break_glass: Vec<BreakGlass>,
    /// Where the block is written.
    pub place: Place,
}

impl blocks::Block for Block {
    const KEY: &'static str = "users";
    type Declared = Declared;

    fn declare(self, at: Located<'_>, environment: &EnvironmentHead, diagnostics: &mut Diagnostics) -> Declared {
        if self.assignments.is_none() {
            let help = "list who has which role: `assignments: [{ user: ada@contoso.com, role: Admin }]`";
            blocks::missing(at, Self::KEY, "assignments", help, diagnostics);
        }
        let listed = self.assignments.is_some();
        let list = at.at(&["assignments"]);
        let mut assignments = Vec::new();
        for (index, written) in self.assignments.unwrap_or_default().into_iter().enumerate() {
            let item = list.at(&[&index.to_string()]);
            check_role(written.role, item, environment, diagnostics);
            let role = written.role;
            if let Some(principal) = written.principal(item, diagnostics) {
                assignments.push(Assignment { principal, role, place: item.place() });
            }
        }
        let principals: Vec<&PrincipalRef> = assignments.iter().map(|assignment| &assignment.principal).collect();
        if principals.len() == list.node.items().len() {
            check_duplicates(&principals, list, diagnostics);
            check_names(&principals, list, diagnostics);
        }
        if listed && self.matching == Match::Exact && !diagnostics.error_within(list.span()) {
            check_somebody_remains(&assignments, at, diagnostics);
        }
        let break_glass = declare_break_glass(self.break_glass, at.at(&["breakGlass"]), diagnostics);
        Declared { matching: self.matching, assignments, break_glass, place: at.place() }
    }
}

impl AssignmentBlock {
    fn principal(self, item: Located<'_>, diagnostics: &mut Diagnostics) -> Option<PrincipalRef> {
        let Self { user, group, app, principal, id, role: _ } = self;
        match (user, group, app, principal, id) {
            (Some(user), None, None, None, None) => Some(PrincipalRef::User { upn: user.0 }),
            (None, Some(name), None, None, Some(id)) => Some(PrincipalRef::Group { name: name.0, id: id.0 }),
            (None, None, Some(name), None, Some(id)) => Some(PrincipalRef::App { name: name.0, app_id: id.0 }),
            (None, None, None, Some(id), None) => Some(PrincipalRef::Principal { id: id.0 }),
            _ => {
                diagnostics.push(unclear(item));
                None
            }
        }
    }
}

const KINDS: [&str; 4] = ["user", "group", "app", "principal"];

/// Says what is wrong with an entry that doesn't name its principal in one of the four ways.
fn unclear(item: Located<'_>) -> Diagnostic {
    let named: Vec<&str> = KINDS.into_iter().filter(|kind| item.node.entry(kind).is_some()).collect();
    match named.as_slice() {
        [kind @ ("group" | "app")] => {
            let which = if *kind == "group" { "the group's object id" } else { "the app's application (client) id" };
            let message = format!("the {kind} has no `id`; names aren't unique, ids decide");
            Diagnostic::error(Code::MissingPrincipalId, item.key_span(kind), message).help(format!("add `id:` with {which}"))
        }
        [kind] => {
            let help = format!("remove `id`: the value of `{kind}` already says who it is");
            let message = format!("`id` has no place beside `{kind}`");
            Diagnostic::error(Code::SurplusPrincipalId, item.key_span("id"), message).help(help)
        }
        [] => Diagnostic::error(Code::UnclearPrincipal, item.span(), "this assignment doesn't say whose role it is")
            .help("add one of `user: ada@contoso.com`, `group: NAME` with `id`, `app: NAME` with `id`, `principal: OBJECT ID`"),
        [first, second, ..] => {
            let message = format!("`{first}` and `{second}` in one assignment: it must name one principal");
            Diagnostic::error(Code::UnclearPrincipal, item.key_span(second), message)
                .related(item.key_span(first), "named here first")
                .help("write one assignment for each")
        }
    }
}

fn check_role(role: Role, item: Located<'_>, environment: &EnvironmentHead, diagnostics: &mut Diagnostics) {
    if role == Role::MarketingContributor && !environment.business_units {
        let message = "the role Marketing Contributor exists only where business unit separation is on";
        diagnostics.push(
            Diagnostic::error(Code::MarketingContributorUnavailable, item.at(&["role"]).span(), message)
                .help("add `businessUnits: true` to the environment if it is on there, or use `Contributor`"),
        );
    }
}

/// The place in an entry that says who it is.
fn who(item: Located<'_>) -> crate::config::Span {
    let keys = ["user", "id", "principal"];
    keys.into_iter().find(|key| item.node.entry(key).is_some()).map_or(item.span(), |key| item.at(&[key]).span())
}

fn check_duplicates(principals: &[&PrincipalRef], list: Located<'_>, diagnostics: &mut Diagnostics) {
    let mut seen = HashMap::new();
    for (index, principal) in principals.iter().enumerate() {
        let span = who(list.at(&[&index.to_string()]));
        if let Some(first) = seen.get(&principal.identity()) {
            let message = format!("{} stands twice in this list", quoted(&principal.to_string()));
            diagnostics.push(
                Diagnostic::error(Code::DuplicatePrincipal, span, message)
                    .related(*first, "first here")
                    .help("a principal has one role; letter case makes no difference. Keep one of the two"),
            );
        } else {
            seen.insert(principal.identity(), span);
        }
    }
}

fn check_names(principals: &[&PrincipalRef], list: Located<'_>, diagnostics: &mut Diagnostics) {
    let mut seen: HashMap<(&str, String), (crate::config::Span, String)> = HashMap::new();
    for (index, principal) in principals.iter().enumerate() {
        let (kind, name) = match principal {
            PrincipalRef::Group { name, .. } => ("group", name),
            PrincipalRef::App { name, .. } => ("app", name),
            PrincipalRef::User { .. } | PrincipalRef::Principal { .. } => continue,
        };
        let span = list.at(&[&index.to_string(), kind]).span();
        match seen.get(&(kind, name.to_lowercase())) {
            Some((first, identity)) if *identity != principal.identity() => diagnostics.push(
                Diagnostic::warning(Code::SameName, span, format!("two different ids for the {kind} {}", quoted(name)))
                    .related(*first, "the other one")
                    .help("ids decide. If both are right, tell readers apart by a longer name"),
            ),
            Some(_) => {}
            None => drop(seen.insert((kind, name.to_lowercase()), (span, principal.identity()))),
        }
    }
}

/// Under `exact`, whoever isn't listed is removed.
fn check_somebody_remains(assignments: &[Assignment], at: Located<'_>, diagnostics: &mut Diagnostics) {
    if assignments.iter().any(|assignment| assignment.role == Role::Admin) {
        return;
    }
    let list = at.at(&["assignments"]);
    let exact = at.at(&["match"]).span();
    let diagnostic = if assignments.is_empty() {
        Diagnostic::error(
            Code::ExactWithoutAssignments,
            list.span(),
            "`match: exact` with an empty list would remove everybody",
        )
        .help("list who stays, or write `match: atLeast`; to leave users alone, remove the block")
    } else {
        Diagnostic::error(
            Code::ExactWithoutAdmin,
            at.key_span("assignments"),
            "`match: exact` without an Admin would lock everybody out",
        )
        .help("list at least one Admin, and the identity that runs palisade with the role Admin")
    };
    diagnostics.push(diagnostic.related(exact, "removes whoever isn't listed"));
}

fn declare_break_glass(
    written: Vec<PrincipalName>,
    list: Located<'_>,
    diagnostics: &mut Diagnostics,
) -> Vec<BreakGlass> {
    let mut seen = HashMap::new();
    let mut declared = Vec::new();
    for (index, name) in written.into_iter().enumerate() {
        let item = list.at(&[&index.to_string()]);
        let principal = match name.0 {
            PrincipalText::User(upn) => PrincipalRef::User { upn },
            PrincipalText::Id(id) => PrincipalRef::Principal { id },
        };
        if let Some(first) = seen.insert(principal.identity(), item.span()) {
            let message = format!("{} stands twice in this list", quoted(&principal.to_string()));
            diagnostics.push(
                Diagnostic::error(Code::DuplicatePrincipal, item.span(), message)
                    .related(first, "first here")
                    .help("keep one of the two"),
            );
        }
        declared.push(BreakGlass { principal, place: item.place() });
    }
    declared
}
