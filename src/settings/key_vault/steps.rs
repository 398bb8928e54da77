//! The writes of `keyVault`, and how to see that they took effect.

use async_trait::async_trait;
use uuid::Uuid;

use super::grants;
use crate::azure::authorization::{self, Grant, PrincipalType};
use crate::azure::customer_insights::{self as ci, AccessState, Instance};
use crate::azure::operations::{CREATE_ROLE_ASSIGNMENT, Facts, PUT_KEY_VAULT, VAULT_UPDATE_ACCESS_POLICY};
use crate::azure::rights::roles::Role;
use crate::azure::vaults::{self, Permissions, PolicyEntry};
use crate::azure::{CallError, Reader, Writer};
use crate::plan::{Binds, Hold, ReadBack, Step, StepError};
use crate::terms::{AzureScope, ObjectId, ResourceId, VaultId};

/// Grants a role on the vault.
pub(super) struct GrantRole {
    pub(super) vault: VaultId,
    pub(super) role: Role,
    pub(super) service: ObjectId,
    pub(super) description: String,
}

/// Adds what is missing to the access policy.
pub(super) struct AddPolicy {
    pub(super) vault: VaultId,
    pub(super) tenant: Uuid,
    pub(super) service: ObjectId,
}

/// Links the vault.
pub(super) struct LinkVault {
    pub(super) instance: Instance,
    pub(super) vault: VaultId,
    /// The vault that may be linked before; any other one stops the step.
    pub(super) instead_of: Option<VaultId>,
}

#[async_trait(?Send)]
impl Step for GrantRole {
    fn title(&self) -> String {
        format!("grant {} on {} to Customer Insights", self.role, self.vault.name())
    }

    fn operation(&self) -> &'static Facts {
        CREATE_ROLE_ASSIGNMENT.facts()
    }

    fn on(&self) -> Option<ResourceId> {
        Some(self.vault.resource().clone())
    }

    fn binds(&self) -> Binds {
        let Self { vault, role, service, description: _ } = self;
        Binds::none().and("vault", vault).and("role", role.id).and("principal", service)
    }

    fn holds(&self) -> Vec<Hold> {
        vec![Hold::resource(self.vault.resource())]
    }

    async fn write(&self, writer: &Writer) -> Result<(), StepError> {
        let grant = Grant {
            scope: AzureScope::Resource(self.vault.resource().clone()),
            role: self.role.id,
            principal_id: self.service,
            principal_type: PrincipalType::ServicePrincipal,
        };
        Ok(authorization::grant(writer, &grant, &self.description).await?)
    }

    async fn read_back(&self, reader: &Reader) -> Result<ReadBack, CallError> {
        let scope = AzureScope::Resource(self.vault.resource().clone());
        let held = authorization::assigned_to(reader, &scope, self.service).await?;
        Ok(match grants::holds(&held, self.role.id) {
            true => ReadBack::Shown,
            false => ReadBack::NotYet("the vault's role assignments don't show it".to_owned()),
        })
    }
}

#[async_trait(?Send)]
impl Step for AddPolicy {
    fn title(&self) -> String {
        format!("add an access policy for Customer Insights to {}", self.vault.name())
    }

    fn operation(&self) -> &'static Facts {
        VAULT_UPDATE_ACCESS_POLICY.facts()
    }

    fn on(&self) -> Option<ResourceId> {
        Some(self.vault.resource().clone())
    }

    fn binds(&self) -> Binds {
        let Self { vault, tenant, service } = self;
        Binds::none().and("vault", vault).and("tenant", tenant).and("principal", service)
    }

    fn holds(&self) -> Vec<Hold> {
        vec![Hold::resource(self.vault.resource())]
    }

    /// Adding unites with what the principal has; nobody else's entry is touched.
    async fn write(&self, writer: &Writer) -> Result<(), StepError> {
        let list = || vec!["get".to_owned(), "list".to_owned()];
        let permissions = Permissions { keys: list(), secrets: list(), certificates: list() };
        let entry = PolicyEntry { tenant_id: self.tenant, object_id: self.service, permissions };
        Ok(vaults::add_policy(writer, &self.vault, &entry).await?)
    }

    async fn read_back(&self, reader: &Reader) -> Result<ReadBack, CallError> {
        let vault = vaults::get(reader, &self.vault).await?;
        let shown = vault.is_some_and(|vault| grants::policies_suffice(&grants::by_policies(&vault, self.service)));
        Ok(match shown {
            true => ReadBack::Shown,
            false => ReadBack::NotYet("the vault's access policies don't show it".to_owned()),
        })
    }
}

#[async_trait(?Send)]
impl Step for LinkVault {
    fn title(&self) -> String {
        format!("link the vault {}", self.vault.name())
    }

    fn operation(&self) -> &'static Facts {
        PUT_KEY_VAULT.facts()
    }

    fn binds(&self) -> Binds {
        let Self { instance, vault, instead_of } = self;
        let binds = Binds::none().and("instance", instance.id).and("vault", vault);
        instead_of.iter().fold(binds, |binds, vault| binds.and("replaces", vault))
    }

    /// A link replaces the one before, so what is linked is read once more.
    async fn write(&self, writer: &Writer) -> Result<(), StepError> {
        let linked = ci::key_vault(writer.reader(), &self.instance).await?.map(|link| link.vault);
        if let Some(other) = linked.filter(|linked| *linked != self.vault && Some(linked) != self.instead_of.as_ref()) {
            return Err(StepError::Stopped(format!("another vault is linked by now, {other}")));
        }
        Ok(ci::link_key_vault(writer, &self.instance, &self.vault).await?)
    }

    async fn read_back(&self, reader: &Reader) -> Result<ReadBack, CallError> {
        let linked = ci::key_vault(reader, &self.instance).await?;
        Ok(match linked {
            Some(link) if link.vault == self.vault && link.access == AccessState::Accessible => ReadBack::Shown,
            Some(link) if link.vault == self.vault => {
                ReadBack::NotYet(format!("Customer Insights can't use it: {}", link.access))
            }
            Some(link) => ReadBack::NotYet(format!("{} is linked", link.vault.name())),
            None => ReadBack::NotYet("Customer Insights shows no linked vault".to_owned()),
        })
    }
}
