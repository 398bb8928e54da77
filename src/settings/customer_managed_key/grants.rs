//! The rights of a policy's identity on the keys that it needs: what is held, and what is to be granted. Pure.
//!
//! An identity comes into being with its policy, so an approval names it by the policy's id. Invariants: a grant is made on the vault,
//! as Microsoft's page says; rights on the key alone, or above the vault, count as well; nothing is taken away.

use std::rc::Rc;

use jiff::Timestamp;
use serde_json::{Value as Json, json};

use super::block::{Block, Protection};
use super::observe::Granted;
use super::{codes, demands::Fault, risks};
use crate::azure::authorization::RoleAssignment;
use crate::azure::rights::roles::{self, Role};
use crate::azure::vaults::{Permissions, Vault};
use crate::plan::{Action, Address, Direction, Impact, Outline, Planned, Step, Work};
use crate::settings::block::Block as _;
use crate::settings::observation::Observation;
use crate::settings::setting::Comparing;
use crate::settings::vault_grants::{self, AddPolicy, GrantRole, Grantee, by_policies, counts_at, with_role};
use crate::terms::{ObjectId, Place, ResourceId, VaultId};

/// A vault, and the keys in it that an identity needs.
#[derive(Clone, Copy)]
pub(super) struct InVault<'a> {
    pub(super) id: &'a VaultId,
    pub(super) vault: &'a Vault,
    pub(super) keys: &'a [&'a Granted],
}

const ROLE: Role = roles::KEY_VAULT_CRYPTO_ENCRYPTION_USER;
/// Roles that allow all of it, and more.
const COVERED_BY: &[Role] =
    &[roles::KEY_VAULT_ADMINISTRATOR, roles::KEY_VAULT_CRYPTO_OFFICER, roles::KEY_VAULT_CRYPTO_USER];
const SUFFICIENT: [Role; 4] =
    [ROLE, roles::KEY_VAULT_ADMINISTRATOR, roles::KEY_VAULT_CRYPTO_OFFICER, roles::KEY_VAULT_CRYPTO_USER];

/// What is needed where access policies decide.
fn needed() -> Permissions {
    let keys = ["get", "wrapKey", "unwrapKey"].map(str::to_owned).to_vec();
    Permissions { keys, ..Permissions::default() }
}

/// Whether the identity may use the key. What could not be read suffices for nothing.
pub(super) fn suffice(vault: &Vault, identity: Option<ObjectId>, held: &Observation<Rc<[RoleAssignment]>>) -> bool {
    match (vault.properties.goes_by_roles(), held, identity) {
        (true, Ok(held), _) => with_role(held, &SUFFICIENT).next().is_some(),
        (true, Err(_), _) | (false, _, None) => false,
        (false, _, Some(identity)) => vault_grants::policies_suffice(&by_policies(vault, identity), &needed()),
    }
}

/// Until when what is held may not count everywhere yet.
pub(super) fn counts_late(granted: &Granted, comparing: &Comparing<'_>) -> Option<Timestamp> {
    let held = granted.held.as_ref().ok()?;
    let after = comparing.surface.roles_count_after;
    with_role(held, &SUFFICIENT).map(|one| counts_at(one, after, comparing.now)).min().flatten()
}

/// The part of the setting's address that a grant on a vault has.
pub(super) fn part(vault: &VaultId) -> String {
    format!("grants/{}", vault.name().to_lowercase())
}

/// That it is missing, where palisade isn't to grant it, or can't.
pub(super) fn missing(vault: &Vault, id: &VaultId, policy: &ResourceId, identity: Option<ObjectId>) -> Fault {
    let who = identity.map_or("OBJECT-ID".to_owned(), |identity| identity.to_string());
    let command = match vault.properties.goes_by_roles() {
        true => format!(
            "`az role assignment create --role \"{ROLE}\" --assignee-object-id {who} --assignee-principal-type \
             ServicePrincipal --scope {id}`"
        ),
        false => format!(
            "`az keyvault set-policy --name {} --object-id {who} --key-permissions get wrapKey unwrapKey`",
            id.name()
        ),
    };
    let what = format!("the identity of the policy {} may not use the keys in {}", policy.name(), id.name());
    Fault::new(codes::CMK_GRANT_MISSING, what, format!("grant it: {command}"))
}

/// The change that grants. Without an identity, there is none to grant to yet, and a later look has one.
pub(super) fn plan(
    protection: &Protection,
    InVault { id, vault, keys }: InVault<'_>,
    identity: Option<ObjectId>,
    comparing: &Comparing<'_>,
    source: &Place,
) -> Planned {
    let policy = &protection.policy;
    let to = Grantee {
        id: identity,
        bound: format!("identity of {}", policy.as_str().to_lowercase()),
        called: format!("the identity of the policy {}", policy.name()),
    };
    let step: Rc<dyn Step> = match vault.properties.goes_by_roles() {
        true => Rc::new(GrantRole {
            vault: id.clone(),
            role: ROLE,
            covered_by: COVERED_BY,
            to,
            description: format!("Granted by palisade for {}", comparing.head.label()),
            counts_after: comparing.surface.roles_count_after,
        }),
        false => Rc::new(AddPolicy { vault: id.clone(), tenant: comparing.tenant, to, permissions: needed() }),
    };
    let status = if vault.properties.goes_by_roles() { ROLE.name } else { "get, wrapKey and unwrapKey" };
    let outline = Outline {
        address: address(id, comparing),
        setting: Block::KEY,
        subject: format!("the policy {} on the vault {}", policy.name(), id.name()),
        action: Action::Grant,
        // One more identity uses the vault's keys.
        direction: Direction::Weakens,
        risk: risks::GRANT,
        impact: Impact::None,
        before: Json::Null,
        after: json!({ "status": status, "principal": format!("identity of {policy}"), "vault": id }),
        reason: reason(protection, keys),
        source: source.clone(),
        operations: vec![vault_grants::operation(vault)],
    };
    Planned::new(outline, Work::step(step))
        .dangerous("Grants the use of keys", format!("to the policy {} on {}", policy.name(), id.name()))
}

/// Which keys it is for, and why.
fn reason(protection: &Protection, keys: &[&Granted]) -> String {
    let own = |granted: &&&Granted| {
        granted.key.vault == protection.key.vault && granted.key.name.eq_ignore_ascii_case(&protection.key.name)
    };
    let names = |keys: Vec<&&Granted>| keys.into_iter().map(|granted| granted.key.name.clone()).collect::<Vec<_>>();
    let (own, former): (Vec<&&Granted>, Vec<&&Granted>) = keys.iter().partition(own);
    let own = names(own).into_iter().map(|key| format!("Power Platform uses {key} as the identity of the policy"));
    let former = match names(former) {
        former if former.is_empty() => None,
        former => Some(format!("backups need the former key {}, under the new policy as well", former.join(" and "))),
    };
    own.chain(former).collect::<Vec<_>>().join("; ")
}

/// The address of a grant on a vault.
pub(super) fn address(vault: &VaultId, comparing: &Comparing<'_>) -> Address {
    comparing.address(Block::KEY).part(&part(vault))
}
