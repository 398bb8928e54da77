//! The program from outside: the binary with its arguments, files, streams, signals and exit codes.
//!
//! Nothing here sleeps, and nothing depends on a fixed port or on another test: what has to happen in an order is held by
//! an emulator in the test's own process, and waits are waits of a simulated clock.

#![cfg(unix)]
#![expect(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test may fail loudly")]

#[path = "cli/attested.rs"]
mod attested;
#[path = "cli/basics.rs"]
mod basics;
#[path = "cli/callers.rs"]
mod callers;
#[path = "cli/customer_key/mod.rs"]
mod customer_key;
#[path = "cli/cycle.rs"]
mod cycle;
#[path = "cli/exits.rs"]
mod exits;
#[path = "cli/input.rs"]
mod input;
#[path = "cli/intents.rs"]
mod intents;
#[path = "cli/keys.rs"]
mod keys;
#[path = "cli/lake/mod.rs"]
mod lake;
#[path = "cli/links.rs"]
mod links;
#[allow(dead_code, reason = "shared with the tests of keys")]
#[path = "cli/live.rs"]
mod live;
#[path = "cli/managed.rs"]
mod managed;
#[path = "cli/midway.rs"]
mod midway;
#[path = "cli/names.rs"]
mod names;
#[path = "cli/partial.rs"]
mod partial;
#[allow(dead_code, reason = "shared with the tests of keys")]
#[path = "cli/process.rs"]
mod process;
#[path = "cli/rights.rs"]
mod rights;
#[path = "cli/saved.rs"]
mod saved;
#[path = "cli/scopes.rs"]
mod scopes;
#[path = "cli/secrets.rs"]
mod secrets;
#[path = "cli/server.rs"]
mod server;
#[path = "cli/support.rs"]
mod support;
#[path = "cli/surface.rs"]
mod surface;
#[path = "cli/unknown.rs"]
mod unknown;
#[path = "cli/vault.rs"]
mod vault;
#[path = "cli/waits.rs"]
mod waits;
#[path = "cli/worlds.rs"]
mod worlds;
