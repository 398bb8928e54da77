//! The rights of an identity on the keys that it encrypts with: what is held, and what is to be granted. Pure.
//!
//! Invariants: a grant is made on the vault, as Microsoft's pages say; rights on the key alone, or above the vault, count as well; nothing
//! is taken away.

use std::rc::Rc;

use jiff::Timestamp;
use serde_json::{Value as Json, json};

use super::codes;
use super::demands::{Fault, Onset};
use super::observe::Granted;
use crate::azure::authorization::RoleAssignment;
use crate::azure::rights::roles::{self, Role};
use crate::azure::vaults::{Permissions, Vault};
use crate::plan::{Action, Address, Direction, Impact, Outline, Planned, Rated, Step, Work};
use crate::settings::observation::Observation;
use crate::settings::setting::Comparing;
use crate::settings::vault_grants::{self, AddPolicy, GrantRole, Grantee, by_policies, counts_at, with_role};
use crate::terms::{ObjectId, Place, ResourceId, VaultId};

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
pub fn suffice(vault: &Vault, identity: Option<ObjectId>, held: &Observation<Rc<[RoleAssignment]>>) -> bool {
    match (vault.properties.goes_by_roles(), held, identity) {
        (true, Ok(held), _) => with_role(held, &SUFFICIENT).next().is_some(),
        (true, Err(_), _) | (false, _, None) => false,
        (false, _, Some(identity)) => vault_grants::policies_suffice(&by_policies(vault, identity), &needed()),
    }
}

/// Until when what is held may not count everywhere yet.
pub fn counts_late(granted: &Granted, comparing: &Comparing<'_>) -> Option<Timestamp> {
    let held = granted.held.as_ref().ok()?;
    let after = comparing.surface.roles_count_after;
    with_role(held, &SUFFICIENT).map(|one| counts_at(one, after, comparing.now)).min().flatten()
}

/// The part of the setting's address that a grant on a vault has.
pub fn part(vault: &VaultId) -> String {
    format!("grants/{}", vault.name().to_lowercase())
}

/// A resource whose identity uses keys: an enterprise policy, or a storage account.
pub struct Holder<'a> {
    /// The resource.
    pub resource: &'a ResourceId,
    /// For a person: `the policy cmk-eu`.
    pub called: String,
    /// Its identity, if it has one yet.
    pub identity: Option<ObjectId>,
}

/// That a right is missing, where palisade isn't to grant it, or can't.
pub fn missing(holder: &Holder<'_>, vault: &Vault, id: &VaultId) -> Fault {
    let who = holder.identity.map_or("OBJECT-ID".to_owned(), |identity| identity.to_string());
    let command = match vault.properties.goes_by_roles() {
        true => format!(
            "`az role assignment create --role \"{ROLE}\" --assignee-object-id {who} --assignee-principal-type \
             ServicePrincipal --scope {id}`"
        ),
        false => format!(
            "`az keyvault set-policy --name {} --subscription {} --object-id {who} --key-permissions get wrapKey unwrapKey`",
            id.name(),
            id.subscription()
        ),
    };
    let switched = match (vault.properties.goes_by_roles(), holder.identity) {
        (true, Some(identity)) if vault_grants::policies_suffice(&by_policies(vault, identity), &needed()) => {
            ": an access policy allows it, which doesn't count since the vault goes by Azure roles"
        }
        (true, _) => "",
        (false, _) => ": the vault goes by access policies, and none allows it; Azure roles don't count there",
    };
    let what = format!("the identity of {} may not use the keys in {}{switched}", holder.called, id.name());
    let fault = Fault::new(codes::CMK_GRANT_MISSING, what, format!("grant it: {command}"));
    fault.onset(Onset::Untold).of(Some(holder.resource.clone()))
}

/// What a setting says of a grant.
pub struct Granting<'a> {
    /// Whose identity gets it.
    pub holder: Holder<'a>,
    /// The setting.
    pub setting: &'static str,
    /// The address of the change.
    pub address: Address,
    /// How bad it would be as a mistake.
    pub risk: Rated,
    /// Why.
    pub reason: String,
    /// Where it is declared.
    pub source: &'a Place,
}

/// The change that grants. An approval names the identity by its resource, since it may come into being with it: without an identity,
/// there is none to grant to yet, and a later look has one.
pub fn plan(granting: Granting<'_>, vault: &Vault, id: &VaultId, comparing: &Comparing<'_>) -> Planned {
    let Granting { holder: Holder { resource, called, identity }, setting, address, risk, reason, source } = granting;
    let to = Grantee {
        id: identity,
        bound: format!("identity of {}", resource.as_str().to_lowercase()),
        called: format!("the identity of {called}"),
    };
    let by_roles = vault.properties.goes_by_roles();
    let step: Rc<dyn Step> = match by_roles {
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
    let status = if by_roles { ROLE.name } else { "get, wrapKey and unwrapKey" };
    let outline = Outline {
        address,
        setting,
        subject: format!("{called} on the vault {}", id.name()),
        action: Action::Grant,
        // One more identity uses the vault's keys.
        direction: Direction::Weakens,
        risk,
        impact: Impact::None,
        before: Json::Null,
        after: json!({ "status": status, "principal": format!("identity of {resource}"), "vault": id }),
        reason,
        source: source.clone(),
        operations: vec![vault_grants::operation(vault)],
    };
    Planned::new(outline, Work::step(step)).dangerous("Grants the use of keys", format!("to {called} on {}", id.name()))
}
