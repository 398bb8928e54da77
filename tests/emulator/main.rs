//! Contract tests of the emulator's routes, with a plain HTTP client: what the published documents promise, and nothing of
//! palisade's own clients.

#![expect(clippy::unwrap_used, clippy::panic, reason = "test helpers may fail loudly")]

mod api_keys;
mod api_versions;
mod authorization;
mod customer_insights;
mod deleted_vaults;
mod enterprise_policies;
mod entra;
mod faults;
mod graph;
mod keys;
mod links;
mod locks;
mod platform;
mod power_platform;
mod power_platform_links;
mod power_platform_managed;
mod rotation;
mod secrets;
mod seeded_keys;
mod storage;
mod storage_encryption;
mod subscriptions;
mod support;
mod synapse;
mod unserved;
mod vault_access;
mod vaults;
mod worlds;
