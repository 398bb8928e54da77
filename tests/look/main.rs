//! Observations as a library: what is asked how often, what a service that doesn't answer hides, and what is looked at again
//! before a write.

#![expect(clippy::unwrap_used, reason = "a test may fail loudly")]

mod export;
mod fleet;
mod reach;
mod scene;
mod writes;
