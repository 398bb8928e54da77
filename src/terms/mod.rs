//! Small shared words: what the rooms above speak of, with no behaviour of its own.
//!
//! Words: a [`ResourceId`] is the id of an Azure resource, a [`VaultId`] that of a key
//! vault, an [`AzureScope`] what rights are granted on; an [`ObjectId`]
//! names a principal; a [`Scope`] is the tenant or an environment, and its [`Head`] says what that is; a [`Place`] is a position in a file; a [`Slot`] is one of an instance's two API keys.
//!
//! Invariants: nothing here asks a service, a clock or a file; nothing here imports from another room.

mod cloud;
pub mod digest;
mod environment;
pub mod geographies;
pub mod names;
pub(crate) mod object_id;
pub mod pasted;
mod place;
mod resource_id;
pub mod resource_kinds;
mod scope;
mod slot;
pub mod text;
mod vault_id;

pub use cloud::{Cloud, Face};
pub use environment::EnvironmentHead;
pub use object_id::ObjectId;
pub use place::Place;
pub use resource_id::{AzureScope, BadId, ResourceId};
pub use scope::{Head, Scope, ScopeKind, TenantHead};
pub use slot::Slot;
pub use vault_id::{BadVaultId, VaultId};
