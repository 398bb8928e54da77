//! Keys in vaults that encrypt something: what a file says of them, what Azure says, what must be so, and who may use them.
//!
//! Words: a *key* is a name in a vault with its versions; whoever encrypts uses its newest enabled version, or the one that is pinned; the
//! *holder* is the resource whose identity uses it.
//!
//! Invariants: palisade creates no key and no vault, and takes no grant, key or version away.

mod block;
pub mod codes;
pub mod demands;
pub mod grants;
pub mod lifeline;
pub mod observe;
pub mod steps;
pub mod upkeep;
mod words;

pub use block::{KeyBlock, KeyRef, LiveKeyBlock, Rotation, Upkeep, declare_key, declare_live_key, same_key};
pub use observe::{Granted, Seen};
pub(crate) use words::WORDS;
