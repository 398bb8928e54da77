//! The settings: one file or folder each, and the little that they share.
//!
//! A setting is its block in the file ([`blocks::Block`]) and, on top of that, observing and comparing
//! ([`setting::Setting`]). [`survey`] asks all declared settings of all environments. What must stay true: the registry
//! line in [`blocks`] is the only place outside a setting's folder that knows its name; comparing is a function of its
//! arguments.

pub mod api_access;
mod attestation;
#[cfg(test)]
mod binding;
pub mod blocks;
pub mod consent;
pub mod geography;
pub mod key_vault;
pub mod observation;
pub mod private_links;
pub mod setting;
pub mod surface;
pub mod survey;
pub mod users;
