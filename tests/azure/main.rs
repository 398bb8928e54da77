//! Palisade's clients against the emulator, without a command in between: what each answer is taken for.

#![expect(clippy::unwrap_used, reason = "test helpers may fail loudly")]

mod api_keys;
mod echoes;
mod endpoints;
mod exchanges;
mod rights;
mod secrets;
mod subjects;
#[path = "../support/mod.rs"]
mod support;
mod vaults;
