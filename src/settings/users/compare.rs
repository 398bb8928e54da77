//! Declared against observed, for users. Pure.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use serde_json::{Value as Json, json};

use super::block::{Assignment, Block, Declared, Match, PrincipalRef, Role};
use super::observe::{Assignments, Held, Observed, incomplete, same_role};
use super::principal::{self, Principal};
use super::steps::{GiveRole, TakeRoles};
use super::{administrators, notes, risks};
use crate::azure::Provenance;
use crate::azure::directory::Name;
use crate::azure::operations::{DELETE_ASSIGNMENT, LIST_ROLES, PUT_ASSIGNMENT};
use crate::plan::{Action, Address, Direction, Findings, Impact, Kind, Outline, Planned, Step};
use crate::settings::blocks::Block as _;
use crate::settings::observation::Unreadable;
use crate::settings::setting::Comparing;

/// A declared principal that is known.
pub(super) struct Target<'a> {
    pub(super) assignment: &'a Assignment,
    pub(super) principal: Principal,
}

/// What is known so far, and what was found.
pub(super) struct Comparison<'a> {
    pub(super) declared: &'a Declared,
    pub(super) observed: &'a Observed,
    pub(super) comparing: &'a Comparing<'a>,
    pub(super) list: &'a Assignments,
    pub(super) setting: Address,
    pub(super) findings: Findings,
    /// Object ids of everybody declared, as far as they are known.
    declared_ids: BTreeSet<String>,
    /// Declared principals whose object id isn't known.
    unresolved: Vec<String>,
}

/// Compares.
pub(super) fn compare(declared: &Declared, observed: &Observed, comparing: &Comparing<'_>) -> Findings {
    let setting = comparing.address(Block::KEY);
    let list = match &observed.assignments {
        Ok(list) => list,
        Err(unreadable) => return Findings { unknown: vec![unreadable.at(setting)], ..Findings::default() },
    };
    let mut comparison = Comparison {
        declared,
        observed,
        comparing,
        list,
        setting,
        findings: Findings::default(),
        declared_ids: BTreeSet::new(),
        unresolved: Vec::new(),
    };
    let targets = comparison.resolve();
    for target in &targets {
        comparison.compare_target(target);
    }
    comparison.compare_extras();
    comparison.grant_admins_first();
    comparison.findings.administrators = Some(administrators::of(&comparison));
    comparison.findings.collection = Some(list.held.len());
    if list.nameless == 0 {
        comparison.findings.complete.push(comparison.setting.clone());
    }
    comparison.findings
}

impl<'a> Comparison<'a> {
    /// Finds out who is declared. Whoever can't be looked up becomes unknown, whoever doesn't exist an error.
    fn resolve(&mut self) -> Vec<Target<'a>> {
        let mut targets: Vec<Target<'a>> = Vec::new();
        let mut first_by_id: BTreeMap<String, &Assignment> = BTreeMap::new();
        for assignment in &self.declared.assignments {
            let name = principal::name(&assignment.principal);
            if let Name::Id(id) = &name {
                self.declared_ids.insert(id.to_string());
            }
            let address = self.setting.part(&principal::declared_part(&assignment.principal));
            let object = match self.observed.directory.get(&name) {
                Some(Ok(Some(object))) => object,
                Some(Ok(None)) => {
                    self.findings.notes.push(notes::not_found(address, &assignment.principal));
                    continue;
                }
                Some(Err(reason)) => {
                    self.unresolved(address, &assignment.principal, reason);
                    continue;
                }
                None => {
                    self.unresolved(address, &assignment.principal, "it was not looked up");
                    continue;
                }
            };
            let principal = Principal::of(object, look_up_kind(&assignment.principal));
            self.declared_ids.insert(principal.id.clone());
            self.findings.notes.extend(notes::mismatch(&address, &assignment.principal, &principal, object));
            if let Some(first) = first_by_id.insert(principal.id.clone(), assignment) {
                self.findings.notes.push(notes::twice(address, first, assignment, &principal));
                continue;
            }
            targets.push(Target { assignment, principal });
        }
        targets
    }

    fn unresolved(&mut self, address: Address, principal: &PrincipalRef, reason: &str) {
        if !matches!(principal::name(principal), Name::Id(_)) {
            self.unresolved.push(principal.to_string());
        }
        let reason = format!("{principal} could not be looked up in the directory: {reason}");
        self.findings.unknown.push(Unreadable::because(reason).at(address));
    }

    fn compare_target(&mut self, target: &Target<'_>) {
        let Target { assignment, principal } = target;
        let held = self.list.held.get(&principal.id);
        if held.is_some_and(|held| held.is_exactly(assignment.role.name())) {
            self.findings.settled(self.setting.part(&principal.part));
            return;
        }
        let address = self.setting.part(&principal.part);
        if held.is_none() && self.list.nameless > 0 {
            self.findings.unknown.push(incomplete(self.list.nameless).at(address));
            return;
        }
        let roles = match &self.observed.roles {
            Ok(roles) => roles,
            Err(unreadable) => {
                let reason = format!("the environment's roles could not be read: {}", unreadable.reason);
                let unreadable = Unreadable::from_operation(LIST_ROLES.facts(), reason);
                self.findings.unknown.push(unreadable.at(address));
                return;
            }
        };
        let Some(role) = roles.iter().find(|role| same_role(role, assignment.role.name())) else {
            self.findings.notes.push(notes::role_unavailable(address, assignment.role, roles));
            return;
        };
        let Some(principal_type) = principal.wire_kind() else {
            self.findings.notes.push(notes::cannot_hold_roles(address, principal));
            return;
        };
        self.findings.notes.extend(notes::granting(self, &address, target));
        let step = GiveRole {
            instance: self.comparing.instance.clone(),
            principal_id: principal.id.clone(),
            principal_type,
            role: role.clone(),
            label: principal.label.clone(),
        };
        let planned = self.grant(target, address, held, role, Rc::new(step));
        self.findings.changes.push(planned);
    }

    fn grant(
        &self,
        target: &Target<'_>,
        address: Address,
        held: Option<&Held>,
        role: &str,
        step: Rc<dyn Step>,
    ) -> Planned {
        let wanted = target.assignment.role;
        let none = BTreeSet::new();
        let roles = held.map_or(&none, |held| &held.roles);
        let gains = !roles.iter().any(|held| rank(held) >= Some(wanted_rank(wanted)));
        let loses = roles.iter().any(|held| rank(held).is_none_or(|rank| rank > wanted_rank(wanted)));
        let (action, reason) = match held {
            None => (Action::Create, "declared, and not in the environment".to_owned()),
            Some(held) => (Action::Update, format!("declared as {wanted}, and has {}", spoken(&held.roles))),
        };
        let was_admin = held.is_some_and(Held::is_admin);
        let outline = Outline {
            address,
            setting: Block::KEY,
            subject: target.principal.label.clone(),
            action,
            direction: match (gains, loses) {
                (true, _) => Direction::Weakens,
                (false, true) => Direction::Hardens,
                (false, false) => Direction::Neutral,
            },
            risk: if gains { risks::granting(wanted) } else { risks::taking(was_admin) },
            impact: if loses { Impact::Interrupts } else { Impact::None },
            before: held.map_or(Json::Null, |held| as_json(&held.roles)),
            after: json!({ "role": role }),
            reason,
            source: target.assignment.place.clone(),
            operations: vec![PUT_ASSIGNMENT.facts()],
        };
        let removes = was_admin && wanted != Role::Admin;
        self.planned(outline, step).taking_away(loses).removing(removes)
    }

    /// Whoever loses the role Admin keeps it until those who are to get it have it. Other removals wait for nobody.
    fn grant_admins_first(&mut self) {
        let becomes = |planned: &&Planned| {
            planned.change.after["role"].as_str().is_some_and(|role| same_role(role, Role::Admin.name()))
        };
        let grants: Vec<Address> =
            self.findings.changes.iter().filter(becomes).map(|planned| planned.change.address.clone()).collect();
        let was = |planned: &&mut Planned| {
            let before = &planned.change.before;
            let held = before["roles"].as_array().map_or(std::slice::from_ref(&before["role"]), Vec::as_slice);
            planned.removes && held.iter().filter_map(Json::as_str).any(|role| same_role(role, Role::Admin.name()))
        };
        for planned in self.findings.changes.iter_mut().filter(was) {
            planned.requires.extend(grants.iter().cloned());
        }
    }

    /// Whoever is held and not declared.
    fn compare_extras(&mut self) {
        let extras: Vec<(&String, &Held)> =
            self.list.held.iter().filter(|(id, _)| !self.declared_ids.contains(*id)).collect();
        if self.declared.matching == Match::AtLeast {
            self.findings.notes.extend(notes::left_alone(&self.setting, extras.len()));
            return;
        }
        for (id, held) in extras {
            let principal = self.held_principal(id, held);
            let address = self.setting.part(&principal.part);
            if !self.unresolved.is_empty() {
                let names = self.unresolved.join(", ");
                let reason = format!(
                    "{} isn't removed: it may be one of those that could not be looked up ({names})",
                    principal.label
                );
                self.findings.unknown.push(Unreadable::because(reason).at(address));
                continue;
            }
            let step = TakeRoles {
                instance: self.comparing.instance.clone(),
                principal_id: id.clone(),
                label: principal.label.clone(),
            };
            let outline = Outline {
                address,
                setting: Block::KEY,
                subject: principal.label.clone(),
                action: Action::Delete,
                direction: Direction::Hardens,
                risk: risks::taking(held.is_admin()),
                impact: Impact::Interrupts,
                before: as_json(&held.roles),
                after: Json::Null,
                reason: "not declared, and `match: exact` removes everybody else".to_owned(),
                source: self.declared.place.clone(),
                operations: vec![DELETE_ASSIGNMENT.facts()],
            };
            let planned = self.planned(outline, Rc::new(step)).taking_away(true).removing(true);
            self.findings.changes.push(planned);
        }
        if self.list.nameless > 0 {
            self.findings.unknown.push(incomplete(self.list.nameless).at(self.setting.clone()));
        }
    }

    /// Somebody whom the service lists, named by the directory as far as it knows.
    pub(super) fn held_principal(&self, id: &str, held: &Held) -> Principal {
        let object = id.parse().ok().and_then(|id| self.observed.directory.get(&Name::Id(id)));
        match object {
            Some(Ok(Some(object))) => Principal::of(object, None),
            _ => Principal::nameless(id, held.kind),
        }
    }

    fn planned(&self, outline: Outline, step: Rc<dyn Step>) -> Planned {
        let provenance = outline.operations.iter().map(|operation| operation.provenance).max();
        let mode = self.comparing.surface.mode(provenance.unwrap_or(Provenance::Documented));
        Planned::new(outline, mode, vec![step])
    }
}

/// What a look-up by type already says about the result.
pub(super) fn look_up_kind(principal: &PrincipalRef) -> Option<Kind> {
    match principal {
        PrincipalRef::User { .. } => Some(Kind::User),
        PrincipalRef::App { .. } => Some(Kind::App),
        PrincipalRef::Group { .. } | PrincipalRef::Principal { .. } => None,
    }
}

fn wanted_rank(role: Role) -> u8 {
    match role {
        Role::Viewer => 1,
        Role::MarketingContributor => 2,
        Role::Contributor => 3,
        Role::Admin => 4,
    }
}

/// How much a role may do; `None` for names that palisade doesn't know, which may allow anything.
fn rank(name: &str) -> Option<u8> {
    [Role::Viewer, Role::MarketingContributor, Role::Contributor, Role::Admin]
        .into_iter()
        .find(|role| same_role(role.name(), name))
        .map(wanted_rank)
}

/// One role is the rule (the product's pages offer one); several are shown as they are.
fn as_json(roles: &BTreeSet<String>) -> Json {
    let mut names = roles.iter();
    match (names.next(), names.next()) {
        (Some(role), None) => json!({ "role": role }),
        _ => json!({ "roles": roles }),
    }
}

fn spoken(roles: &BTreeSet<String>) -> String {
    let names: Vec<&str> = roles.iter().map(String::as_str).collect();
    if names.is_empty() { "no role".to_owned() } else { names.join(" and ") }
}
