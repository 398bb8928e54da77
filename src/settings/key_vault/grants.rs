//! The rights of Customer Insights on the vault: what it needs, what it has, what is to be granted. Pure.
//!
//! A vault goes by access policies or by Azure roles; what counts in the other way doesn't count at all.

use std::collections::BTreeSet;
use std::rc::Rc;

use jiff::Timestamp;
use serde_json::{Value as Json, json};
use uuid::Uuid;

use super::block::{Block, Declared};
use super::risks;
use super::steps::{AddPolicy, GrantRole};
use crate::azure::authorization::RoleAssignment;
use crate::azure::graph::DirectoryObject;
use crate::azure::operations::{CREATE_ROLE_ASSIGNMENT, Facts, VAULT_UPDATE_ACCESS_POLICY};
use crate::azure::rights::roles::{self, Role};
use crate::azure::vaults::{Permissions, Vault};
use crate::plan::{Action, Address, Direction, Impact, Outline, Planned, Step, Work};
use crate::settings::block::Block as _;
use crate::settings::setting::Comparing;
use crate::terms::ObjectId;

/// What it needs on keys, on secrets and on certificates where access policies decide.
const NEEDED: [&str; 2] = ["get", "list"];

/// A role that it needs where roles decide.
pub(super) struct Needed {
    pub(super) role: Role,
    /// Its part of an address.
    part: &'static str,
    /// Roles that allow all of it, and more.
    covered_by: &'static [Role],
}

const ROLES: [Needed; 2] = [
    Needed { role: roles::KEY_VAULT_READER, part: "key-vault-reader", covered_by: &[roles::KEY_VAULT_ADMINISTRATOR] },
    Needed {
        role: roles::KEY_VAULT_SECRETS_USER,
        part: "key-vault-secrets-user",
        covered_by: &[roles::KEY_VAULT_ADMINISTRATOR, roles::KEY_VAULT_SECRETS_OFFICER],
    },
];

/// The operation that grants, by which of the two the vault goes.
pub(super) fn operation(vault: &Vault) -> &'static Facts {
    if vault.properties.goes_by_roles() { CREATE_ROLE_ASSIGNMENT.facts() } else { VAULT_UPDATE_ACCESS_POLICY.facts() }
}

/// What the service principal may do by access policies, entries of one principal together.
pub(super) fn by_policies(vault: &Vault, service: ObjectId) -> [BTreeSet<String>; 3] {
    let mut lists: [BTreeSet<String>; 3] = Default::default();
    let of_service = vault
        .properties
        .access_policies
        .iter()
        .filter(|policy| policy.object_id == Some(service) && policy.application_id.is_none());
    for policy in of_service {
        let Permissions { keys, secrets, certificates } = &policy.permissions;
        for (list, permissions) in lists.iter_mut().zip([keys, secrets, certificates]) {
            list.extend(permissions.iter().map(|permission| permission.to_lowercase()));
        }
    }
    lists
}

/// Whether access policies allow all that is needed.
pub(super) fn policies_suffice(lists: &[BTreeSet<String>; 3]) -> bool {
    lists.iter().all(|list| list.contains("all") || NEEDED.iter().all(|needed| list.contains(*needed)))
}

/// The roles that are needed and not held.
pub(super) fn missing_roles(held: &[RoleAssignment]) -> impl Iterator<Item = &'static Needed> {
    ROLES.iter().filter(|role| !holds(held, role.role.id))
}

/// Whether a needed role, or one that allows more, is held.
pub(super) fn holds(held: &[RoleAssignment], role: Uuid) -> bool {
    let more = ROLES.iter().find(|one| one.role.id == role).map_or(&[][..], |one| one.covered_by);
    // When a condition lets it count isn't known here, so what has one proves nothing.
    let always = |one: &&RoleAssignment| one.condition.as_deref().is_none_or(|text| text.trim().is_empty());
    held.iter().filter(always).any(|one| one.role == role || more.iter().any(|role| role.id == one.role))
}

/// The parts of the address under which what is held would have been granted.
pub(super) fn held_parts(
    vault: &Vault,
    service: &DirectoryObject,
    held: &[RoleAssignment],
) -> impl Iterator<Item = String> {
    let roles = vault.properties.goes_by_roles();
    let granted =
        ROLES.iter().filter(|role| roles && holds(held, role.role.id)).map(|role| format!("roles/{}", role.part));
    let policy = !roles && policies_suffice(&by_policies(vault, service.id));
    let parts: Vec<String> = granted.chain(policy.then(|| "access-policy".to_owned())).collect();
    parts.into_iter()
}

/// Whether something is to be granted.
pub(super) fn any_missing(vault: &Vault, service: &DirectoryObject, held: &[RoleAssignment]) -> bool {
    match vault.properties.goes_by_roles() {
        true => missing_roles(held).next().is_some(),
        false => !policies_suffice(&by_policies(vault, service.id)),
    }
}

/// Whether nothing at all of what is needed is held.
pub(super) fn none_held(vault: &Vault, service: &DirectoryObject, held: &[RoleAssignment]) -> bool {
    match vault.properties.goes_by_roles() {
        true => missing_roles(held).count() == ROLES.len(),
        false => by_policies(vault, service.id).iter().all(BTreeSet::is_empty),
    }
}

/// Since when any of what is needed is held, where roles decide and the service tells. Access policies tell nothing.
pub(super) fn held_since(vault: &Vault, held: &[RoleAssignment]) -> Option<Timestamp> {
    if !vault.properties.goes_by_roles() {
        return None;
    }
    let needed = |one: &&RoleAssignment| ROLES.iter().any(|role| holds(std::slice::from_ref(*one), role.role.id));
    let since: Option<Vec<Timestamp>> = held.iter().filter(needed).map(|one| one.created).collect();
    since?.into_iter().min()
}

/// What is missing, in words.
pub(super) fn words(vault: &Vault, held: &[RoleAssignment]) -> String {
    if vault.properties.goes_by_roles() {
        let names: Vec<&str> = missing_roles(held).map(|needed| needed.role.name).collect();
        return format!("the roles {}", names.join(" and "));
    }
    "an access policy with get and list on keys, secrets and certificates".to_owned()
}

/// The changes that grant what is missing, in order, each requiring the one before.
pub(super) fn plan(
    declared: &Declared,
    vault: &Vault,
    service: &DirectoryObject,
    held: &[RoleAssignment],
    comparing: &Comparing<'_>,
) -> Vec<Planned> {
    let setting = comparing.address(Block::KEY);
    if !vault.properties.goes_by_roles() {
        return vec![policy(declared, vault, service, comparing, setting.part("access-policy"))];
    }
    let mut planned: Vec<Planned> = Vec::new();
    for Needed { role, part, covered_by: _ } in missing_roles(held) {
        let requires = planned.last().map(|before| before.change.address.clone());
        let step = GrantRole {
            vault: declared.vault.clone(),
            role: *role,
            service: service.id,
            description: format!("Granted by palisade for {}", comparing.head.label()),
        };
        let wanted = Wanted {
            address: setting.part("roles").part(part),
            before: Json::Null,
            after: json!({ "status": role.name, "principal": service.id, "vault": declared.vault }),
            reason: format!("connections need the role {} on the vault", role.name),
            operation: operation(vault),
        };
        planned.push(grant(declared, wanted, requires, Rc::new(step)));
    }
    planned
}

fn policy(
    declared: &Declared,
    vault: &Vault,
    service: &DirectoryObject,
    comparing: &Comparing<'_>,
    address: Address,
) -> Planned {
    let lists = by_policies(vault, service.id);
    let [keys, secrets, certificates] = &lists;
    let step = AddPolicy { vault: declared.vault.clone(), tenant: comparing.tenant, service: service.id };
    let held = lists.iter().any(|list| !list.is_empty());
    let needed = || json!(NEEDED);
    let wanted = Wanted {
        address,
        before: match held {
            true => json!({ "keys": keys, "secrets": secrets, "certificates": certificates }),
            false => Json::Null,
        },
        after: json!({
            "status": "get and list", "keys": needed(), "secrets": needed(), "certificates": needed(),
            "principal": service.id, "vault": declared.vault,
        }),
        reason: "connections need get and list on keys, secrets and certificates of the vault".to_owned(),
        operation: operation(vault),
    };
    grant(declared, wanted, None, Rc::new(step))
}

struct Wanted {
    address: Address,
    before: Json,
    after: Json,
    reason: String,
    operation: &'static Facts,
}

fn grant(declared: &Declared, wanted: Wanted, requires: Option<Address>, step: Rc<dyn Step>) -> Planned {
    let Wanted { address, before, after, reason, operation } = wanted;
    let outline = Outline {
        address,
        setting: Block::KEY,
        subject: format!("Customer Insights on the vault {}", declared.vault.name()),
        action: Action::Grant,
        // One more principal reads the vault's secrets.
        direction: Direction::Weakens,
        risk: risks::GRANT,
        impact: Impact::None,
        before,
        after,
        reason,
        source: declared.place.clone(),
        operations: vec![operation],
    };
    Planned::new(outline, Work::step(step))
        .requiring(requires)
        .dangerous("Gives Customer Insights rights", format!("on {}", declared.vault.name()))
}
