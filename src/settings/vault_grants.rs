//! Granting a principal rights in a vault, for every setting that does.
//!
//! A vault goes by Azure roles or by access policies; what is granted in the other way doesn't count at all. Invariants: a grant adds
//! to what a principal has and takes nothing from anybody; what a condition restricts proves nothing; a principal that the directory
//! doesn't know yet is waited for.

use std::collections::BTreeSet;
use std::time::Duration;

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use uuid::Uuid;

use crate::azure::authorization::{self, Grant, PrincipalType, RoleAssignment};
use crate::azure::operations::{CREATE_ROLE_ASSIGNMENT, Facts, VAULT_UPDATE_ACCESS_POLICY};
use crate::azure::rights::roles::Role;
use crate::azure::vaults::{self, Permissions, PolicyEntry, Vault};
use crate::azure::{CallError, Pause, Reader, Seen, Waited, Writer, wait_until};
use crate::plan::{Binds, Hold, ReadBack, Step, StepError};
use crate::terms::{AzureScope, ObjectId, ResourceId, VaultId};

/// Between two tries for a principal that the directory doesn't know yet.
const AGAIN: Duration = Duration::from_secs(5);

/// The operation that grants, by which of the two the vault goes.
pub(super) fn operation(vault: &Vault) -> &'static Facts {
    if vault.properties.goes_by_roles() { CREATE_ROLE_ASSIGNMENT.facts() } else { VAULT_UPDATE_ACCESS_POLICY.facts() }
}

/// The assignments that make a principal hold one of some roles, whatever the circumstances.
pub(super) fn with_role<'a>(held: &'a [RoleAssignment], roles: &[Role]) -> impl Iterator<Item = &'a RoleAssignment> {
    // When a condition lets an assignment count isn't known here.
    let always = |one: &&RoleAssignment| one.condition.as_deref().is_none_or(|text| text.trim().is_empty());
    held.iter().filter(always).filter(move |one| roles.iter().any(|role| role.id == one.role))
}

/// What a principal may do by access policies with keys, secrets and certificates, entries of one principal together.
pub(super) fn by_policies(vault: &Vault, principal: ObjectId) -> [BTreeSet<String>; 3] {
    let mut lists: [BTreeSet<String>; 3] = Default::default();
    let own = vault
        .properties
        .access_policies
        .iter()
        .filter(|policy| policy.object_id == Some(principal) && policy.application_id.is_none());
    for policy in own {
        let Permissions { keys, secrets, certificates } = &policy.permissions;
        for (list, permissions) in lists.iter_mut().zip([keys, secrets, certificates]) {
            list.extend(permissions.iter().map(|permission| permission.to_lowercase()));
        }
    }
    lists
}

/// Whether access policies that allow `lists` allow all that is needed.
pub(super) fn policies_suffice(lists: &[BTreeSet<String>; 3], needed: &Permissions) -> bool {
    let Permissions { keys, secrets, certificates } = needed;
    let has = |list: &BTreeSet<String>, needed: &[String]| {
        list.contains("all") || needed.iter().all(|needed| list.contains(&needed.to_lowercase()))
    };
    lists.iter().zip([keys, secrets, certificates]).all(|(list, needed)| has(list, needed))
}

/// To whom something is granted.
#[derive(Debug, Clone)]
pub(super) struct Grantee {
    /// Object id; none if it is yet to come into being, so that nothing can be granted now.
    pub(super) id: Option<ObjectId>,
    /// What an approval names: the id, or what the principal comes into being with.
    pub(super) bound: String,
    /// For a person: `Customer Insights`.
    pub(super) called: String,
}

impl Grantee {
    /// The object id, for a write.
    fn known(&self) -> Result<ObjectId, StepError> {
        let reason = || format!("there is no principal yet for {}", self.called);
        self.id.ok_or_else(|| StepError::Late { reason: reason(), wrote: false })
    }
}

/// Grants a role on a vault.
pub(super) struct GrantRole {
    pub(super) vault: VaultId,
    pub(super) role: Role,
    /// Roles that allow all of it, and more.
    pub(super) covered_by: &'static [Role],
    pub(super) to: Grantee,
    pub(super) description: String,
    /// How long a new assignment takes to count, where that is waited for.
    pub(super) counts_after: SignedDuration,
}

/// When an assignment counts, if that lies ahead. One whose age isn't known is taken for an old one.
pub(super) fn counts_at(one: &RoleAssignment, counts_after: SignedDuration, now: Timestamp) -> Option<Timestamp> {
    let counts = one.created?.saturating_add(counts_after).ok()?;
    (counts > now).then_some(counts)
}

#[async_trait(?Send)]
impl Step for GrantRole {
    fn title(&self) -> String {
        format!("grant {} on {} to {}", self.role, self.vault.name(), self.to.called)
    }

    fn operation(&self) -> &'static Facts {
        CREATE_ROLE_ASSIGNMENT.facts()
    }

    fn on(&self) -> Option<ResourceId> {
        Some(self.vault.resource().clone())
    }

    fn binds(&self) -> Binds {
        let Self { vault, role, covered_by: _, to, description: _, counts_after: _ } = self;
        let Grantee { id: _, bound, called: _ } = to;
        Binds::none().and("vault", vault).and("role", role.id).and("principal", bound)
    }

    fn holds(&self) -> Vec<Hold> {
        vec![Hold::resource(self.vault.resource())]
    }

    async fn write(&self, writer: &Writer) -> Result<(), StepError> {
        let grant = Grant {
            scope: AzureScope::Resource(self.vault.resource().clone()),
            role: self.role.id,
            principal_id: self.to.known()?,
            principal_type: PrincipalType::ServicePrincipal,
        };
        let attempt = async || match authorization::grant(writer, &grant, &self.description).await {
            Err(error) if error.code() == Some("PrincipalNotFound") => Ok(Seen::NotYet((), Pause::Chosen(AGAIN))),
            other => other.map(Seen::Shown),
        };
        match wait_until(writer.reader(), writer.patience(), attempt).await? {
            Waited::Shown(()) => Ok(()),
            Waited::Late(()) | Waited::Stopped(()) => Err(StepError::Late {
                reason: format!(
                    "Azure doesn't know the principal of {} yet (PrincipalNotFound), which passes within minutes",
                    self.to.called
                ),
                wrote: false,
            }),
        }
    }

    async fn read_back(&self, reader: &Reader) -> Result<ReadBack, CallError> {
        let scope = AzureScope::Resource(self.vault.resource().clone());
        let held = match self.to.id {
            Some(id) => authorization::assigned_to(reader, &scope, id).await?,
            None => Vec::new(),
        };
        let roles: Vec<Role> = self.covered_by.iter().copied().chain([self.role]).collect();
        let counts = with_role(&held, &roles).map(|one| counts_at(one, self.counts_after, reader.now())).min();
        Ok(match counts {
            Some(None) => ReadBack::Shown,
            Some(Some(at)) => ReadBack::NotYet(format!("it may take until {at:.0} to count everywhere")),
            None => ReadBack::NotYet("the vault's role assignments don't show it".to_owned()),
        })
    }
}

/// Adds what is missing to an access policy.
pub(super) struct AddPolicy {
    pub(super) vault: VaultId,
    pub(super) tenant: Uuid,
    pub(super) to: Grantee,
    pub(super) permissions: Permissions,
}

#[async_trait(?Send)]
impl Step for AddPolicy {
    fn title(&self) -> String {
        format!("add an access policy for {} to {}", self.to.called, self.vault.name())
    }

    fn operation(&self) -> &'static Facts {
        VAULT_UPDATE_ACCESS_POLICY.facts()
    }

    fn on(&self) -> Option<ResourceId> {
        Some(self.vault.resource().clone())
    }

    fn binds(&self) -> Binds {
        let Self { vault, tenant, to, permissions: _ } = self;
        let Grantee { id: _, bound, called: _ } = to;
        Binds::none().and("vault", vault).and("tenant", tenant).and("principal", bound)
    }

    fn holds(&self) -> Vec<Hold> {
        vec![Hold::resource(self.vault.resource())]
    }

    /// Adding unites with what the principal has; nobody else's entry is touched.
    async fn write(&self, writer: &Writer) -> Result<(), StepError> {
        let Self { vault, tenant, to, permissions } = self;
        let entry = PolicyEntry { tenant_id: *tenant, object_id: to.known()?, permissions: permissions.clone() };
        Ok(vaults::add_policy(writer, vault, &entry).await?)
    }

    async fn read_back(&self, reader: &Reader) -> Result<ReadBack, CallError> {
        let vault = vaults::get(reader, &self.vault).await?;
        let suffices = |(vault, id): (Vault, ObjectId)| policies_suffice(&by_policies(&vault, id), &self.permissions);
        Ok(match vault.zip(self.to.id).is_some_and(suffices) {
            true => ReadBack::Shown,
            false => ReadBack::NotYet("the vault's access policies don't show it".to_owned()),
        })
    }
}

#[cfg(test)]
mod tests {
    use std::rc::Rc;

    use super::*;
    use crate::azure::rights::roles;
    use crate::settings::binding::{each_input_counts, resource};
    use crate::terms::resource_kinds;

    fn vault(name: &str) -> VaultId {
        resource(resource_kinds::VAULT, name).try_into().unwrap()
    }

    fn to(bound: &str) -> Grantee {
        Grantee { id: Some(Uuid::from_u128(1).into()), bound: bound.to_owned(), called: "Customer Insights".to_owned() }
    }

    fn role(vault: VaultId, role: u128, bound: &str, words: &str) -> GrantRole {
        GrantRole {
            vault,
            role: Role { id: Uuid::from_u128(role), ..roles::KEY_VAULT_READER },
            covered_by: &[],
            to: to(bound),
            description: words.to_owned(),
            counts_after: SignedDuration::ZERO,
        }
    }

    fn policy(vault: VaultId, tenant: u128, bound: &str) -> AddPolicy {
        AddPolicy { vault, tenant: Uuid::from_u128(tenant), to: to(bound), permissions: Permissions::default() }
    }

    #[test]
    fn an_approval_hangs_on_what_is_granted_to_whom_and_where() {
        each_input_counts(
            Rc::new(role(vault("one"), 1, "a", "")),
            vec![
                ("vault", Rc::new(role(vault("two"), 1, "a", ""))),
                ("role", Rc::new(role(vault("one"), 2, "a", ""))),
                ("principal", Rc::new(role(vault("one"), 1, "b", ""))),
            ],
            vec![Rc::new(role(vault("one"), 1, "a", "for prod"))],
        );
        each_input_counts(
            Rc::new(policy(vault("one"), 1, "a")),
            vec![
                ("vault", Rc::new(policy(vault("two"), 1, "a"))),
                ("tenant", Rc::new(policy(vault("one"), 2, "a"))),
                ("principal", Rc::new(policy(vault("one"), 1, "b"))),
            ],
            vec![],
        );
    }

    /// Environments share a vault: each that grants has it to itself, by whatever way, and however its id is spelt.
    #[test]
    fn grants_on_one_vault_are_made_one_after_the_other() {
        let shouted = resource("microsoft.keyvault/vaults", "ONE").try_into().unwrap();
        let holds = vec![Hold::resource(vault("one").resource())];
        assert_eq!(role(shouted, 1, "a", "").holds(), holds);
        assert_eq!(policy(vault("one"), 1, "a").holds(), holds);
    }

    #[test]
    fn a_new_assignment_counts_late_and_one_under_a_condition_never() {
        let now: Timestamp = "2026-11-20T12:00:00Z".parse().unwrap();
        let assignment = |created: Option<Timestamp>, condition: Option<&str>| RoleAssignment {
            name: Uuid::nil(),
            scope: String::new(),
            role: roles::KEY_VAULT_READER.id,
            principal_id: Uuid::from_u128(1).into(),
            principal_type: None,
            description: None,
            condition: condition.map(str::to_owned),
            created,
        };
        let minutes = SignedDuration::from_mins;
        let at = |created| counts_at(&assignment(created, None), minutes(5), now);
        assert_eq!(at(Some(now)), Some(now + minutes(5)));
        assert_eq!(at(Some(now - minutes(5))), None);
        assert_eq!(at(None), None);
        let held = [assignment(None, Some("@Resource[…]"))];
        assert_eq!(with_role(&held, &[roles::KEY_VAULT_READER]).count(), 0);
        assert_eq!(with_role(&[assignment(None, Some(" "))], &[roles::KEY_VAULT_READER]).count(), 1);
    }
}
