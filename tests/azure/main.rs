//! Palisade's clients against the emulator, without a command in between: what each answer is taken for.

#![expect(clippy::unwrap_used, clippy::panic, reason = "test helpers may fail loudly")]

mod api_keys;
mod echoes;
mod endpoints;
mod exchanges;
mod keys;
mod power_platform;
mod rights;
mod secrets;
mod subjects;
#[path = "../support/mod.rs"]
mod support;
mod vault_keys;
mod vaults;
