//! Declared against observed, for users. Pure.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use serde_json::{Value as Json, json};

use super::assignments::{Assignments, Held, incomplete};
use super::block::{Assignment, Block, Declared, Match, PrincipalRef, Role};
use super::observe::Observed;
use super::principal::{self, Principal};
use super::steps::{GiveRole, Subject, TakeRoles};
use super::{administrators, caller, notes, protection, reach, risks, steps};
use crate::azure::customer_insights::{Instance, same_role};
use crate::azure::directory::Name;
use crate::azure::operations::{DELETE_ASSIGNMENT, LIST_ROLES, PUT_ASSIGNMENT};
use crate::plan::{Action, Address, Direction, Findings, Impact, Kind, Outline, Planned, Stake, Step, Work};
use crate::settings::block::Block as _;
use crate::settings::observation::Unreadable;
use crate::settings::setting::Comparing;
use crate::terms::ObjectId;

/// A declared principal that is known.
pub(super) struct Target<'a> {
    pub(super) assignment: &'a Assignment,
    pub(super) principal: Principal,
}

/// What is known so far, and what was found.
pub(super) struct Comparison<'a> {
    pub(super) declared: &'a Declared,
    pub(super) observed: &'a Observed,
    instance: &'a Instance,
    pub(super) list: &'a Assignments,
    pub(super) setting: Address,
    pub(super) findings: Findings,
    /// The changes by the principal that they are about.
    pub(super) changed: BTreeMap<ObjectId, Address>,
    /// The ids under which everybody declared may be listed, as far as they are known.
    declared_ids: BTreeSet<ObjectId>,
    /// Declared principals whose object id isn't known.
    unresolved: Vec<String>,
}

/// Compares.
pub(super) fn compare(declared: &Declared, observed: &Observed, comparing: &Comparing<'_>) -> Findings {
    let setting = comparing.address(Block::KEY);
    let (list, instance) = match (&observed.assignments, comparing.instance) {
        (Ok(list), Ok(instance)) => (list, instance),
        (Err(unreadable), _) | (_, Err(unreadable)) => {
            return Findings { unknown: vec![unreadable.at(setting)], ..Findings::default() };
        }
    };
    let mut comparison = Comparison {
        declared,
        observed,
        instance,
        list,
        setting,
        findings: Findings::default(),
        changed: BTreeMap::new(),
        declared_ids: BTreeSet::new(),
        unresolved: Vec::new(),
    };
    let targets = comparison.resolve();
    for target in &targets {
        comparison.compare_target(target);
    }
    comparison.compare_extras(&targets);
    comparison.grant_admins_first();
    protection::report(&mut comparison);
    let stake = Stake::Administrators(administrators::of(&comparison));
    comparison.findings.stakes.push(stake);
    comparison.findings.collection = Some(list.held.len());
    let listed = list.held.keys().map(|id| steps::binds(*id, instance));
    comparison.findings.listed.extend(listed);
    if list.nameless == 0 && !comparison.may_be_listed_otherwise() {
        comparison.findings.complete.push(comparison.setting.clone());
    }
    comparison.findings
}

impl<'a> Comparison<'a> {
    /// Whether an entry may be any principal by another id: the service lists apps by their application ids as well, and the
    /// directory, which knows whose these are, doesn't tell. Such a list proves of nobody that it is gone.
    fn may_be_listed_otherwise(&self) -> bool {
        let told = self.observed.directory.values().filter_map(|found| found.as_ref().ok()?.as_ref());
        let told: BTreeSet<ObjectId> = told.map(|object| object.id).collect();
        let unclear = |held: &Held| matches!(held.kind, Kind::App | Kind::Unknown);
        self.list.held.iter().any(|(id, held)| unclear(held) && !told.contains(id))
    }

    /// Finds out who is declared. Whoever can't be looked up becomes unknown, whoever doesn't exist an error.
    fn resolve(&mut self) -> Vec<Target<'a>> {
        let mut targets: Vec<Target<'a>> = Vec::new();
        let mut first_by_id: BTreeMap<ObjectId, &Assignment> = BTreeMap::new();
        for assignment in &self.declared.assignments {
            let name = principal::name(&assignment.principal);
            self.declared_ids.extend(principal::declared_ids(&assignment.principal));
            let address = self.setting.part(&principal::declared_part(&assignment.principal));
            let object = match self.observed.directory.get(&name) {
                Some(Ok(Some(object))) => object,
                Some(Ok(None)) => {
                    let namesake = self.namesake(&assignment.principal);
                    let note = notes::not_found(address, &assignment.principal, namesake.as_ref());
                    self.findings.notes.push(note);
                    // The file means that person: whoever has the name is not one that the file doesn't know.
                    self.declared_ids.extend(namesake.into_iter().flat_map(|namesake| namesake.listed_as));
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
            self.declared_ids.extend(&principal.listed_as);
            self.findings.notes.extend(notes::mismatch(&address, &assignment.principal, &principal, object));
            if let Some(first) = first_by_id.insert(principal.id, assignment) {
                self.findings.notes.push(notes::twice(address, first, assignment, &principal));
                continue;
            }
            targets.push(Target { assignment, principal });
        }
        targets
    }

    /// Who has the name of a declared user whose id nobody has.
    fn namesake(&self, principal: &PrincipalRef) -> Option<Principal> {
        let PrincipalRef::User { upn, id: Some(id) } = principal else { return None };
        let mut known = self.observed.directory.values().filter_map(|found| found.as_ref().ok()?.as_ref());
        known
            .find(|object| notes::is_named(object, upn) && object.id != ObjectId::from(*id))
            .map(|object| Principal::of(object, None))
    }

    fn unresolved(&mut self, address: Address, principal: &PrincipalRef, reason: &str) {
        if matches!(principal, PrincipalRef::User { id: None, .. } | PrincipalRef::App { .. }) {
            self.unresolved.push(principal.to_string());
        }
        let reason = format!("{principal} could not be looked up in the directory: {reason}");
        self.findings.unknown.push(Unreadable::because(reason).at(address));
    }

    fn compare_target(&mut self, target: &Target<'_>) {
        let Target { assignment, principal } = target;
        let held = self.list.held.get(&principal.id);
        if held.is_some_and(|held| held.is_exactly(assignment.role.name())) {
            let address = self.setting.part(&principal.part);
            self.findings.behind.push((address.clone(), steps::binds(principal.id, self.instance)));
            self.findings.settled(address);
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
            instance: self.instance.clone(),
            subject: self.subject(principal, held),
            principal_type,
            role: role.clone(),
            reach: reach::of(self.observed, principal).map(|reach| reach.bound),
        };
        let planned = self.grant(target, address.clone(), held, role, Rc::new(step));
        self.changed.insert(principal.id, address);
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
        let planned = Planned::new(outline, Work::step(step)).taking_away(loses).removing(removes);
        match (was_admin, wanted == Role::Admin) {
            (false, true) => planned.dangerous(risks::GAINS_ADMIN, &target.principal.label),
            (true, false) => planned.dangerous(risks::LOSES_ADMIN, &target.principal.label),
            (true, true) | (false, false) => planned,
        }
    }

    /// Whoever loses the role Admin keeps it until those who are to get it have it. Other removals wait for nobody.
    fn grant_admins_first(&mut self) {
        let grants = self.findings.changes.iter().filter(|planned| administrators::becomes_admin(planned));
        let grants: Vec<Address> = grants.map(|planned| planned.change.address.clone()).collect();
        let was = |planned: &&mut Planned| {
            let before = &planned.change.before;
            let held = before["roles"].as_array().map_or(std::slice::from_ref(&before["role"]), Vec::as_slice);
            planned.removes && held.iter().filter_map(Json::as_str).any(|role| same_role(role, Role::Admin.name()))
        };
        for planned in self.findings.changes.iter_mut().filter(was) {
            planned.change.requires.extend(grants.iter().cloned());
        }
    }

    /// Whoever is held and not declared.
    fn compare_extras(&mut self, targets: &[Target<'_>]) {
        let extras: Vec<(ObjectId, &Held)> = self.list.held.iter().map(|(id, held)| (*id, held)).collect();
        let extras: Vec<(ObjectId, &Held)> =
            extras.into_iter().filter(|(id, _)| !self.declared_ids.contains(id)).collect();
        if self.declared.matching == Match::AtLeast {
            self.findings.notes.extend(notes::left_alone(&self.setting, extras.len()));
            return;
        }
        let extras: Vec<(Principal, &Held)> =
            extras.into_iter().map(|(id, held)| (self.held_principal(id, held), held)).collect();
        let named = targets.iter().map(|target| &target.principal).chain(extras.iter().map(|(principal, _)| principal));
        let mut names: BTreeMap<String, usize> = BTreeMap::new();
        named.for_each(|principal| *names.entry(principal.part.clone()).or_default() += 1);
        for (principal, held) in extras {
            let address = self.setting.part(&principal.part);
            if let Some(reason) = self.keeps(&principal, names[&principal.part] > 1) {
                self.findings.unknown.push(Unreadable::because(reason).at(address));
                continue;
            }
            let step = TakeRoles { instance: self.instance.clone(), subject: self.subject(&principal, Some(held)) };
            self.changed.insert(principal.id, address.clone());
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
            let planned = Planned::new(outline, Work::step(Rc::new(step))).taking_away(true).removing(true);
            let loses = if held.is_admin() { risks::LOSES_ADMIN } else { risks::LOSES_ACCESS };
            self.findings.changes.push(planned.dangerous(loses, &principal.label));
        }
        if self.list.nameless > 0 {
            self.findings.unknown.push(incomplete(self.list.nameless).at(self.setting.clone()));
        }
    }

    fn subject(&self, principal: &Principal, held: Option<&Held>) -> Subject {
        let caller = self.observed.caller.as_ref().ok();
        let witnesses = caller.map(|ids| caller::witnesses(self.list, ids, &self.observed.members));
        Subject {
            id: principal.id,
            listed_as: principal.listed_as.clone(),
            spellings: held.map(|held| held.spellings.clone()).unwrap_or_default(),
            witnesses: witnesses.unwrap_or_default(),
            label: principal.label.clone(),
        }
    }

    /// Why an extra isn't removed, if it isn't. Its name may lead to another principal as well, `shared`.
    fn keeps(&self, extra: &Principal, shared: bool) -> Option<String> {
        let label = &extra.label;
        if !self.unresolved.is_empty() {
            let names = self.unresolved.join(", ");
            return Some(format!(
                "{label} isn't removed: it may be one of those that could not be looked up ({names})"
            ));
        }
        shared.then(|| format!("{label} isn't removed: the directory gives the name {} to two principals", extra.part))
    }

    /// Somebody whom the service lists, named by the directory as far as it knows.
    pub(super) fn held_principal(&self, id: ObjectId, held: &Held) -> Principal {
        let found = self.observed.directory.get(&Name::Id(id));
        match found {
            Some(Ok(Some(object))) => Principal::of(object, None),
            _ => self
                .by_any_name(id)
                .unwrap_or_else(|| Principal::nameless(id, held.kind, matches!(found, Some(Ok(None))))),
        }
    }

    /// Somebody whom the directory knows by application id only: as the service lists it.
    fn by_any_name(&self, id: ObjectId) -> Option<Principal> {
        let mut found = self.observed.directory.values().filter_map(|found| found.as_ref().ok()?.as_ref());
        found.find(|object| object.id == id).map(|object| Principal::of(object, None))
    }
}

/// Whom a step writes about.
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
pub(super) fn rank(name: &str) -> Option<u8> {
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
