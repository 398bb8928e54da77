//! Rotation of API keys through the binary: what the model of the rotation promises must hold on the wire as well.
//!
//! The emulator runs in the test's own process, so that a test can hold each request, kill the binary there, look at what
//! consumers would get at that instant, and run it again. Nothing here sleeps; instants are given.

#![cfg(unix)]
#![expect(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test may fail loudly")]
#![expect(clippy::print_stdout, clippy::disallowed_macros, reason = "counts, for whoever runs them with --nocapture")]

#[path = "keys/annals.rs"]
mod annals;
#[path = "keys/by_hand.rs"]
mod by_hand;
#[path = "keys/calendar.rs"]
mod calendar;
#[path = "keys/finish.rs"]
mod finish;
#[path = "keys/kills.rs"]
mod kills;
#[allow(dead_code, reason = "shared with the tests of the command line")]
#[path = "cli/live.rs"]
mod live;
#[path = "keys/moves.rs"]
mod moves;
#[path = "keys/portal.rs"]
mod portal;
#[allow(dead_code, reason = "shared with the tests of the command line")]
#[path = "cli/process.rs"]
mod process;
#[path = "keys/refused.rs"]
mod refused;
#[path = "keys/rest.rs"]
mod rest;
#[path = "keys/room.rs"]
mod room;
#[path = "keys/runners.rs"]
mod runners;
#[path = "keys/secrets.rs"]
mod secrets;
#[allow(dead_code, reason = "shared with the tests of the command line")]
#[path = "cli/support.rs"]
mod support;
#[path = "keys/trouble.rs"]
mod trouble;
#[path = "keys/years.rs"]
mod years;
