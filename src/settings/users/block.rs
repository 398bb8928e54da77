//! `users` in the file: who may use the instance, and in which role.
//!
//! Invariants: two entries for the same principal are found whatever their spelling (letter case of user names and ids
//! doesn't count, and a user is known by name and by id), and a list that would lock everybody out is never accepted.

use std::collections::HashMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::break_glass;
pub use super::words::{PrincipalRef, Role};
use crate::config::words::{Guid, PrincipalName, Text, UserName};
use crate::config::{Diagnostic, Diagnostics, Located, Span, quoted};
use crate::settings::block;
use crate::settings::users::codes;
use crate::terms::{Head, Place};

/// Who may use the instance, and in which role. Without this block, palisade leaves users and roles as they are.
#[derive(Debug, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(rename = "Users")]
pub struct Block {
    /// Whether others may be there as well.
    #[serde(rename = "match", default)]
    matching: Match,
    /// Who has which role; a principal has exactly one. Required.
    #[serde(skip_serializing_if = "Option::is_none")]
    assignments: Option<Vec<AssignmentBlock>>,
    /// The accounts for an emergency. Palisade lowers no role that they have, directly or through a group, whatever the rest
    /// says, and reports every one that isn't Admin. User principal names or object ids.
    #[serde(default)]
    #[serde(skip_serializing_if = "Vec::is_empty")]
    break_glass: Vec<PrincipalName>,
}

/// Whether others than those listed may be there.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Match {
    /// The list is complete: everybody else is removed. A plan that would remove palisade itself, or a principal under
    /// `breakGlass`, is refused.
    Exact,
    /// Those listed have their roles; others are left alone.
    #[default]
    AtLeast,
}

/// A principal and its role. Exactly one of `user`, `group`, `app`, `principal` says who; groups and apps also need `id`, and
/// a user may have one.
#[derive(Debug, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(rename = "Assignment", extend("oneOf" = [
    { "required": ["user"] }, { "required": ["group", "id"] }, { "required": ["app", "id"] }, { "required": ["principal"] }
]))]
pub(crate) struct AssignmentBlock {
    /// A person, by user principal name. With `id`, the name is for readers and must be that person's; without, whoever has
    /// the name has the role.
    #[serde(skip_serializing_if = "Option::is_none")]
    user: Option<UserName>,
    /// A group, by its display name. The name is for readers; `id` decides.
    #[serde(skip_serializing_if = "Option::is_none")]
    group: Option<Text>,
    /// An app (service principal), by its display name. The name is for readers; `id` decides.
    #[serde(skip_serializing_if = "Option::is_none")]
    app: Option<Text>,
    /// Any principal, by object id.
    #[serde(skip_serializing_if = "Option::is_none")]
    principal: Option<Guid>,
    /// The user's or the group's object id, or the app's application (client) id.
    #[schemars(example = &"9d1e7a55-0000-4000-8000-00000000d001")]
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<Guid>,
    /// The role. Required.
    role: Role,
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

impl block::Block for Block {
    const KEY: &'static str = "users";
    type Declared = Declared;
    type Saw = block::Readable;

    fn declare(self, at: Located<'_>, head: &Head, diagnostics: &mut Diagnostics) -> Declared {
        if self.assignments.is_none() {
            let help = "list who has which role: `assignments: [{ user: ada@contoso.com, role: Admin }]`";
            block::missing(at, Self::KEY, "assignments", help, diagnostics);
        }
        let listed = self.assignments.is_some();
        let list = at.at(&["assignments"]);
        let mut assignments = Vec::new();
        let mut items = Vec::new();
        for (index, written) in self.assignments.unwrap_or_default().into_iter().enumerate() {
            let item = list.at(&[&index.to_string()]);
            let role = written.role;
            check_role(role, item, head, diagnostics);
            if let Some(principal) = written.principal(item, diagnostics) {
                assignments.push(Assignment { principal, role, place: item.place() });
                items.push(item);
            }
        }
        check_ids_of_admins(&assignments, &items, diagnostics);
        let written: Vec<Written<'_>> = assignments.iter().map(|assignment| &assignment.principal).zip(items).collect();
        check_duplicates(&written, diagnostics);
        check_names(&written, diagnostics);
        if listed && self.matching == Match::Exact && !diagnostics.error_within(list.span()) {
            check_somebody_remains(&assignments, at, diagnostics);
        }
        let list = (self.matching, assignments.as_slice());
        let break_glass = break_glass::declare(self.break_glass, at.at(&["breakGlass"]), list, diagnostics);
        Declared { matching: self.matching, assignments, break_glass, place: at.place() }
    }
}

impl AssignmentBlock {
    fn principal(self, item: Located<'_>, diagnostics: &mut Diagnostics) -> Option<PrincipalRef> {
        let Self { user, group, app, principal, id, role: _ } = self;
        match (user, group, app, principal, id) {
            (Some(user), None, None, None, id) => Some(PrincipalRef::User { upn: user.0, id: id.map(|id| id.0) }),
            (None, Some(name), None, None, Some(id)) => Some(PrincipalRef::Group { name: name.0, id: id.0 }),
            (None, None, Some(name), None, Some(id)) => Some(PrincipalRef::App { name: name.0, app_id: id.0 }),
            (None, None, None, Some(id), None) => Some(PrincipalRef::Principal { id: id.0 }),
            _ => {
                // A key that isn't known here may be the one that is missing.
                if !diagnostics.lost_in(item.span(), &WHO) {
                    diagnostics.push(unclear(item));
                }
                None
            }
        }
    }
}

const KINDS: [&str; 4] = ["user", "group", "app", "principal"];
/// The keys that say who it is.
const WHO: [&str; 5] = ["user", "group", "app", "principal", "id"];

/// Says what is wrong with an entry that doesn't name its principal in one of the four ways.
fn unclear(item: Located<'_>) -> Diagnostic {
    let named: Vec<&str> = KINDS.into_iter().filter(|kind| item.node.entry(kind).is_some()).collect();
    match named.as_slice() {
        [kind @ ("group" | "app")] => {
            let which = if *kind == "group" { "the group's object id" } else { "the app's application (client) id" };
            let message = format!("the {kind} has no `id`; names aren't unique, ids decide");
            let text = item.at(&[kind]).text().trim_matches(['"', '\'']);
            let help = match uuid::Uuid::try_parse(text) {
                Ok(id) => format!("a GUID belongs under `id`: write `{kind}: NAME, id: {id}` with the {kind}'s name"),
                Err(_) => format!("add `id:` with {which}"),
            };
            Diagnostic::error(codes::MISSING_PRINCIPAL_ID, item.key_span(kind), message).help(help)
        }
        [kind] => {
            let help = format!("remove `id`: the value of `{kind}` is an id already");
            let message = format!("`id` has no place beside `{kind}`");
            Diagnostic::error(codes::SURPLUS_PRINCIPAL_ID, item.key_span("id"), message).help(help)
        }
        [] => Diagnostic::error(codes::UNCLEAR_PRINCIPAL, item.span(), "this assignment doesn't say whose role it is")
            .help("add one of `user: ada@contoso.com` (with or without `id`), `group: NAME` with `id`, `app: NAME` with `id`, `principal: OBJECT ID`"),
        [first, second, ..] => {
            let message = format!("`{first}` and `{second}` in one assignment: it must name one principal");
            Diagnostic::error(codes::UNCLEAR_PRINCIPAL, item.key_span(second), message)
                .related(item.key_span(first), "named here first")
                .help("write one assignment for each")
        }
    }
}

fn check_role(role: Role, item: Located<'_>, head: &Head, diagnostics: &mut Diagnostics) {
    let separated = head.environment().is_some_and(|environment| environment.business_units);
    if role == Role::MarketingContributor && !separated {
        let message = format!(
            "the role Marketing Contributor isn't available in {}, where business unit separation is off",
            quoted(head.scope().as_str())
        );
        diagnostics.push(
            Diagnostic::error(codes::MARKETING_CONTRIBUTOR_UNAVAILABLE, item.at(&["role"]).span(), message)
                .help("write `businessUnits: true` there if it is on after all, or use `Contributor`"),
        );
    }
}

/// A principal and the entry that names it.
type Written<'a> = (&'a PrincipalRef, Located<'a>);

/// The place in an entry that says who it is.
fn who(item: Located<'_>) -> Span {
    let keys = ["user", "id", "principal"];
    keys.into_iter().find(|key| item.node.entry(key).is_some()).map_or(item.span(), |key| item.at(&[key]).span())
}

fn check_duplicates(written: &[Written<'_>], diagnostics: &mut Diagnostics) {
    let mut seen = HashMap::new();
    for (principal, item) in written {
        let span = who(*item);
        if let Some(first) = principal.identities().iter().find_map(|identity| seen.get(identity)) {
            let message = format!("{} is listed twice", quoted(&principal.to_string()));
            diagnostics.push(
                Diagnostic::error(codes::DUPLICATE_PRINCIPAL, span, message)
                    .related(*first, "first here")
                    .help("a principal has one role; letter case makes no difference. Keep one of the two"),
            );
        }
        for identity in principal.identities() {
            seen.entry(identity).or_insert(span);
        }
    }
}

/// A name can be given to another person; for an Admin that would be a way in.
fn check_ids_of_admins(assignments: &[Assignment], items: &[Located<'_>], diagnostics: &mut Diagnostics) {
    for (assignment, item) in assignments.iter().zip(items) {
        if let PrincipalRef::User { upn, id: None } = &assignment.principal
            && assignment.role == Role::Admin
            && !diagnostics.lost_in(item.span(), &WHO)
        {
            let message = format!("{} is granted Admin by name only", quoted(upn));
            diagnostics.push(
                Diagnostic::warning(codes::ADMIN_WITHOUT_ID, item.at(&["user"]).span(), message).help(
                    "add `id:` with the user's object id: a name that moved to another person then stops the plan",
                ),
            );
        }
    }
}

fn check_names(written: &[Written<'_>], diagnostics: &mut Diagnostics) {
    let mut seen: HashMap<(&str, String), (Span, String)> = HashMap::new();
    for (principal, item) in written {
        let (kind, name) = match principal {
            PrincipalRef::Group { name, .. } => ("group", name),
            PrincipalRef::App { name, .. } => ("app", name),
            PrincipalRef::User { .. } | PrincipalRef::Principal { .. } => continue,
        };
        let span = item.at(&[kind]).span();
        let identity = principal.identities().concat();
        let (first, known) = seen.entry((kind, name.to_lowercase())).or_insert_with(|| (span, identity.clone()));
        if *known != identity {
            let message = format!("two different ids for the {kind} {}", quoted(name));
            diagnostics.push(
                Diagnostic::warning(codes::SAME_NAME, span, message)
                    .related(*first, "the other one")
                    .help("ids decide. If both are right, tell readers apart by a longer name"),
            );
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
            codes::EXACT_WITHOUT_ASSIGNMENTS,
            list.span(),
            "`match: exact` with an empty list would remove everybody",
        )
        .help("list who stays, or write `match: atLeast`; to leave users alone, remove the block")
    } else {
        Diagnostic::error(
            codes::EXACT_WITHOUT_ADMIN,
            at.key_span("assignments"),
            "`match: exact` without an Admin would lock everybody out",
        )
        .help("list at least one Admin, and the identity that runs palisade with the role Admin")
    };
    diagnostics.push(diagnostic.related(exact, "removes whoever isn't listed"));
}
