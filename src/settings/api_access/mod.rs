//! Whether the instance's API can be called.

pub mod block;

pub use block::{Block, Declared};
