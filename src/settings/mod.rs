//! The settings: one file or folder each, and the little that they share.
//!
//! A setting is its block in the file ([`block::Block`]) and, on top of that, observing and comparing
//! ([`setting::Setting`]). [`registry`] lists them all, [`survey`] asks all declared ones of all environments.
//!
//! Invariants: the line in [`registry::SETTINGS`] is the only place outside a setting's folder that knows its name, apart from
//! the hints of `aliases`, which decide nothing;
//! comparing is a function of its arguments.

pub(crate) mod aliases;
pub mod api_access;
pub mod attestation;
#[cfg(test)]
mod binding;
pub mod block;
pub mod blocks;
pub mod codes;
pub mod consent;
pub mod customer_managed_key;
pub mod customer_managed_keys;
pub mod data_lake;
pub mod declaration;
pub mod encryption_keys;
#[cfg(test)]
pub mod example;
pub mod geography;
mod held_back;
pub mod hosting;
pub mod key_vault;
pub mod lifecycle;
mod lifelines;
pub mod managed_environment;
mod moved;
mod names;
pub mod observation;
mod pasted;
pub mod private_links;
pub mod reach;
pub mod registry;
pub mod setting;
pub mod surface;
pub mod survey;
pub mod users;
mod vault_grants;
pub(crate) mod words;
