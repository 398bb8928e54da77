//! The services: what can be called, and the only way to call it.
//!
//! The way of a call: an entry of the catalogue ([`operations`]) → a [`Call`] with its parameters → a [`Reader`] or a
//! [`Writer`] → the [`transport`](Transport), which checks the host, fetches a token, retries and logs → an [`exchange`], which
//! carries it over the wire → an [`Answer`], which a typed client ([`customer_insights`], [`graph`], [`vaults`],
//! [`key_vault`], [`keys`], [`power_platform`]) parses.
//!
//! What must stay true: a [`Reader`] can't send a write (a compile error, not a check); a token goes only to hosts that
//! [`hosts`] allows for its audience; an answer that can't be read whole is an error, never an empty value.

mod access;
pub mod arm;
pub mod authorization;
mod call;
pub mod customer_insights;
pub mod directory;
mod error;
pub mod exchange;
pub mod graph;
pub mod hosts;
mod identity;
pub mod key_vault;
pub mod keys;
mod look;
mod once;
pub mod operations;
mod outgoing;
mod pace;
mod pages;
pub mod power_platform;
pub mod private_endpoints;
mod refusal;
pub mod resource_graph;
pub mod retry;
pub mod rights;
mod secrets;
pub mod storage;
mod subject;
pub mod synapse;
#[cfg(test)]
pub(crate) mod testing;
mod token;
mod transport;
pub mod vault_keys;
pub mod vaults;
mod wait;

pub use access::{Reader, Writer};
pub use call::{Answer, Call};
pub use error::{CallError, Failure};
pub use identity::{Bearers, Claims, Identity};
pub use look::{Anew, Fresh, Look, Recent, Shared};
pub use operations::{Operation, Provenance, Service};
pub use token::{ClientCredentials, Token, TokenError, TokenSource};
pub use transport::{Notices, Quiet, REQUEST_LOG, Settings, Transport, Waiting};
pub use wait::{Pause, Seen, Waited, Waits, wait_until};
