//! The operation catalogue: every call that palisade can make, as data.
//!
//! Words: an operation's *effect* is what it does to the service; it is *repeatable* if sending it twice leaves what
//! sending it once leaves, so that it may be replayed when its answer got lost; its *provenance* is how far Microsoft has
//! published it. What must stay true: the marker type of an [`Operation`] agrees with its effect (checked when the
//! constant is compiled), and every constant stands in [`ALL`] (checked by a test).
//!
//! The entries stand in one file per family of services.

mod arm;
mod customer_insights;
mod directory;
mod key_vault;
mod power_platform;

use std::fmt;
use std::marker::PhantomData;

use serde::{Deserialize, Serialize};

use super::rights::Needs;

pub use arm::*;
pub use customer_insights::*;
pub use directory::*;
pub use key_vault::*;
pub use power_platform::*;

/// A service with hosts and an audience of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Service {
    /// Microsoft Entra ID: tokens.
    Entra,
    /// Microsoft Graph: who a principal is.
    Graph,
    /// Customer Insights - Data, on whichever face the configuration names.
    CustomerInsights,
    /// Customer Insights - Data on its scale unit, where its own user interface calls it.
    ScaleUnit,
    /// Customer Insights - Data on its gateway, whichever face the configuration names.
    Gateway,
    /// Azure Resource Manager.
    Arm,
    /// Power Platform administration ("BusinessAppPlatform"): environments, links of policies, lifecycle operations.
    PowerPlatformAdmin,
    /// The Power Platform API: the published contract, which has less.
    PowerPlatform,
    /// A key vault: each has a host of its own.
    KeyVault,
    /// Palisade's emulator about itself.
    Emulator,
}

impl fmt::Display for Service {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Service::Entra => "Microsoft Entra ID",
            Service::Graph => "Microsoft Graph",
            Service::CustomerInsights | Service::ScaleUnit | Service::Gateway => "Customer Insights",
            Service::Arm => "Azure Resource Manager",
            Service::PowerPlatformAdmin => "Power Platform administration",
            Service::PowerPlatform => "the Power Platform API",
            Service::KeyVault => "Azure Key Vault",
            Service::Emulator => "emulator",
        })
    }
}

/// How far an operation is public.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Provenance {
    /// Microsoft publishes it.
    Documented,
    /// Seen only in public code.
    Observed,
    /// The product does it, but no operation is known; served by the emulator in the product's house style.
    Undocumented,
}

/// What an operation does to the service.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Effect {
    /// Nothing.
    Read,
    /// Changes something.
    Write,
    /// Takes something away.
    Destructive,
}

/// Marks operations that only read.
#[derive(Debug, Clone, Copy)]
pub enum Read {}

/// Marks operations that write.
#[derive(Debug, Clone, Copy)]
pub enum Write {}

/// What is known about one operation.
#[derive(Debug, Clone, Copy)]
pub struct Facts {
    /// Its name: the service's own operation id where it has one.
    pub name: &'static str,
    /// The service.
    pub service: Service,
    /// The HTTP method.
    pub method: &'static str,
    /// The path below the service's base, parameters in braces.
    pub path: &'static str,
    /// What is sent as `api-version` with every call, where the client doesn't name one itself. Pinned: a new version is a
    /// change of palisade.
    pub api_version: Option<&'static str>,
    /// What it does.
    pub effect: Effect,
    /// Whether it may be replayed when its answer got lost.
    pub repeatable: bool,
    /// How far it is public.
    pub provenance: Provenance,
    /// Where that can be looked up.
    pub source: &'static str,
    /// The rights that a caller needs.
    pub needs: Needs,
    /// Where secrets may be.
    pub secrets: Secrets,
    /// Which statuses other than 200 a whole answer to a read may have.
    pub statuses: &'static [u16],
}

/// Where an operation may carry secrets besides the token that goes with every call. What may hold one is never recorded, and
/// of an error only its codes are told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Secrets {
    /// Nowhere.
    None,
    /// In its answers.
    Answer,
    /// In its requests.
    Request,
    /// In both.
    Both,
}

impl Secrets {
    /// Whether requests may hold one.
    pub const fn in_request(self) -> bool {
        matches!(self, Self::Request | Self::Both)
    }

    /// Whether answers may hold one.
    pub const fn in_answer(self) -> bool {
        matches!(self, Self::Answer | Self::Both)
    }
}

impl Facts {
    /// Whether an answer with this status is one to believe. Part of an answer (206) isn't one, nor what a proxy made of it
    /// (203).
    pub(super) fn is_answered_by(&self, status: u16) -> bool {
        match self.effect {
            Effect::Read => status == 200 || self.statuses.contains(&status),
            Effect::Write | Effect::Destructive => matches!(status, 200 | 201 | 202 | 204),
        }
    }

    /// The same operation, with secrets.
    const fn with_secrets(self, secrets: Secrets) -> Self {
        Self { secrets, ..self }
    }
}

/// An entry of the catalogue, marked [`Read`] or [`Write`].
pub struct Operation<E> {
    facts: Facts,
    effect: PhantomData<E>,
}

impl Operation<Read> {
    /// An operation that only reads; refuses to compile for facts that say otherwise.
    #[expect(clippy::panic, reason = "evaluated by the compiler: a wrong entry is a build error")]
    const fn read(facts: Facts) -> Self {
        match facts.effect {
            Effect::Read => Self { facts, effect: PhantomData },
            Effect::Write | Effect::Destructive => panic!("this operation writes"),
        }
    }
}

impl Operation<Write> {
    /// An operation that writes; refuses to compile for facts that say otherwise.
    #[expect(clippy::panic, reason = "evaluated by the compiler: a wrong entry is a build error")]
    const fn write(facts: Facts) -> Self {
        match facts.effect {
            Effect::Write | Effect::Destructive => Self { facts, effect: PhantomData },
            Effect::Read => panic!("this operation only reads"),
        }
    }
}

impl<E> Operation<E> {
    /// What is known about it.
    pub const fn facts(&self) -> &Facts {
        &self.facts
    }
}

impl<E> fmt::Debug for Operation<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.facts.method, self.facts.path)
    }
}

/// The source of what Microsoft hasn't published.
const HOUSE_STYLE: &str = "none: Microsoft publishes no operation; the emulator serves it in the product's house style";

/// A published read that may be replayed; the other kinds are made from it.
const fn documented(
    service: Service,
    source: &'static str,
    name: &'static str,
    method: &'static str,
    path: &'static str,
    needs: Needs,
) -> Facts {
    let (effect, repeatable, provenance, api_version) = (Effect::Read, true, Provenance::Documented, None);
    let (secrets, statuses) = (Secrets::None, &[]);
    Facts { name, service, method, path, api_version, effect, repeatable, provenance, source, needs, secrets, statuses }
}

/// Which world an emulator serves.
pub const EMULATOR_ABOUT: Operation<Read> = Operation::read(documented(
    Service::Emulator,
    "palisade's own emulator",
    "emulator-about",
    "GET",
    "/_emulator",
    Needs::Nothing,
));

/// The whole catalogue.
pub const ALL: &[&Facts] = &[
    LIST_INSTANCES.facts(),
    GET_INSTANCE.facts(),
    LIST_ROLES.facts(),
    GET_MY_ROLE.facts(),
    LIST_ASSIGNMENTS.facts(),
    PUT_ASSIGNMENT.facts(),
    DELETE_ASSIGNMENT.facts(),
    GET_API_SUBSCRIPTION.facts(),
    ACTIVATE_API_SUBSCRIPTION.facts(),
    DEACTIVATE_API_SUBSCRIPTION.facts(),
    LIST_API_KEYS.facts(),
    REGENERATE_PRIMARY_KEY.facts(),
    REGENERATE_SECONDARY_KEY.facts(),
    TRY_API_KEY.facts(),
    GET_KEY_VAULT.facts(),
    PUT_KEY_VAULT.facts(),
    DELETE_KEY_VAULT.facts(),
    LIST_PRIVATE_LINKS.facts(),
    ADD_PRIVATE_LINK.facts(),
    GET_PRIVATE_LINK.facts(),
    DELETE_PRIVATE_LINK.facts(),
    VALIDATE_PRIVATE_LINK.facts(),
    GET_VAULT.facts(),
    LIST_DELETED_VAULTS.facts(),
    RECOVER_VAULT.facts(),
    GET_VAULT_KEY.facts(),
    LIST_VAULT_KEY_VERSIONS.facts(),
    STORAGE_GET_ACCOUNT.facts(),
    STORAGE_LIST_IN_GROUP.facts(),
    STORAGE_LIST.facts(),
    STORAGE_UPDATE_ACCOUNT.facts(),
    STORAGE_LIST_CONNECTIONS.facts(),
    STORAGE_GET_CONNECTION.facts(),
    STORAGE_PUT_CONNECTION.facts(),
    STORAGE_DELETE_CONNECTION.facts(),
    SYNAPSE_GET_WORKSPACE.facts(),
    SYNAPSE_LIST_IN_GROUP.facts(),
    SYNAPSE_LIST.facts(),
    SYNAPSE_UPDATE_WORKSPACE.facts(),
    SYNAPSE_LIST_CONNECTIONS.facts(),
    SYNAPSE_GET_CONNECTION.facts(),
    SYNAPSE_PUT_CONNECTION.facts(),
    SYNAPSE_DELETE_CONNECTION.facts(),
    VAULT_UPDATE.facts(),
    VAULT_UPDATE_ACCESS_POLICY.facts(),
    VAULT_REMOVE_ACCESS_POLICY.facts(),
    VAULT_LIST_CONNECTIONS.facts(),
    VAULT_GET_CONNECTION.facts(),
    VAULT_PUT_CONNECTION.facts(),
    VAULT_DELETE_CONNECTION.facts(),
    LIST_ROLE_ASSIGNMENTS.facts(),
    GET_ROLE_ASSIGNMENT.facts(),
    CREATE_ROLE_ASSIGNMENT.facts(),
    DELETE_ROLE_ASSIGNMENT.facts(),
    LIST_ROLE_DEFINITIONS.facts(),
    LIST_PERMISSIONS.facts(),
    QUERY_RESOURCE_GRAPH.facts(),
    GET_OPERATION_STATUS.facts(),
    GET_PROVIDER.facts(),
    LIST_ENTERPRISE_POLICIES.facts(),
    GET_ENTERPRISE_POLICY.facts(),
    PUT_ENTERPRISE_POLICY.facts(),
    ADMIN_LIST_ENVIRONMENTS.facts(),
    ADMIN_GET_ENVIRONMENT.facts(),
    ADMIN_GET_ENFORCEMENT.facts(),
    ADMIN_LINK_ENCRYPTION.facts(),
    ADMIN_UNLINK_ENCRYPTION.facts(),
    ADMIN_LIST_LIFECYCLE_OPERATIONS.facts(),
    ADMIN_GET_LIFECYCLE_OPERATION.facts(),
    PLATFORM_LIST_ENVIRONMENTS.facts(),
    PLATFORM_GET_ENVIRONMENT.facts(),
    PLATFORM_ENABLE_MANAGED.facts(),
    PLATFORM_DISABLE_MANAGED.facts(),
    PLATFORM_LIST_OPERATIONS.facts(),
    PLATFORM_GET_OPERATION.facts(),
    GET_SECRET.facts(),
    GET_SECRET_VERSION.facts(),
    LIST_SECRET_VERSIONS.facts(),
    GET_DELETED_SECRET.facts(),
    SET_SECRET.facts(),
    UPDATE_SECRET.facts(),
    RECOVER_SECRET.facts(),
    GET_ROTATION_POLICY.facts(),
    SET_ROTATION_POLICY.facts(),
    ROTATE_KEY.facts(),
    UPDATE_KEY.facts(),
    GET_DELETED_KEY.facts(),
    RECOVER_KEY.facts(),
    GRAPH_BATCH.facts(),
    GRAPH_GET_BY_IDS.facts(),
    GRAPH_GET_USER.facts(),
    GRAPH_GET_SERVICE_PRINCIPAL.facts(),
    GRAPH_COUNT_MEMBERS.facts(),
    GRAPH_LIST_MEMBERS.facts(),
    ENTRA_TOKEN.facts(),
    EMULATOR_ABOUT.facts(),
];

#[cfg(test)]
mod tests;
