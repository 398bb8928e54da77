//! The rights of Customer Insights on the vault: what it needs, what it has, what is to be granted. Pure.
//!
//! A vault goes by access policies or by Azure roles; what counts in the other way doesn't count at all.

use std::collections::BTreeSet;
use std::rc::Rc;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value as Json, json};
use uuid::Uuid;

use super::block::{Block, Declared};
use super::risks;
use crate::azure::authorization::RoleAssignment;
use crate::azure::graph::DirectoryObject;
use crate::azure::operations::Facts;
use crate::azure::rights::roles::{self, Role};
use crate::azure::vaults::{Permissions, Vault};
use crate::plan::{Action, Address, Direction, Impact, Outline, Planned, Step, Work};
use crate::settings::block::Block as _;
use crate::settings::setting::Comparing;
use crate::settings::vault_grants::{self, AddPolicy, GrantRole, Grantee, by_policies, operation};

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

/// What it needs where access policies decide.
fn needed() -> Permissions {
    let list = || NEEDED.map(str::to_owned).to_vec();
    Permissions { keys: list(), secrets: list(), certificates: list() }
}

/// Whether access policies allow all that is needed.
fn policies_suffice(vault: &Vault, service: &DirectoryObject) -> bool {
    vault_grants::policies_suffice(&by_policies(vault, service.id), &needed())
}

/// The roles that are needed and not held.
pub(super) fn missing_roles(held: &[RoleAssignment]) -> impl Iterator<Item = &'static Needed> {
    ROLES.iter().filter(|role| !holds(held, role.role.id))
}

/// Whether a needed role, or one that allows more, is held.
fn holds(held: &[RoleAssignment], role: Uuid) -> bool {
    let needed = ROLES.iter().find(|one| one.role.id == role);
    let roles = needed.map(|needed| needed.covered_by.iter().copied().chain([needed.role]).collect::<Vec<_>>());
    roles.is_some_and(|roles| vault_grants::with_role(held, &roles).next().is_some())
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
    let policy = !roles && policies_suffice(vault, service);
    let parts: Vec<String> = granted.chain(policy.then(|| "access-policy".to_owned())).collect();
    parts.into_iter()
}

/// Whether something is to be granted.
pub(super) fn any_missing(vault: &Vault, service: &DirectoryObject, held: &[RoleAssignment]) -> bool {
    match vault.properties.goes_by_roles() {
        true => missing_roles(held).next().is_some(),
        false => !policies_suffice(vault, service),
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
    for Needed { role, part, covered_by } in missing_roles(held) {
        let requires = planned.last().map(|before| before.change.address.clone());
        let step = GrantRole {
            vault: declared.vault.clone(),
            role: *role,
            covered_by,
            to: grantee(service),
            description: format!("Granted by palisade for {}", comparing.head.label()),
            counts_after: SignedDuration::ZERO,
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
    let step = AddPolicy {
        vault: declared.vault.clone(),
        tenant: comparing.tenant,
        to: grantee(service),
        permissions: needed(),
    };
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

/// The service principal of Customer Insights.
fn grantee(service: &DirectoryObject) -> Grantee {
    Grantee { id: Some(service.id), bound: service.id.to_string(), called: "Customer Insights".to_owned() }
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
