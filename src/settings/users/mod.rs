//! Users and roles.

pub mod block;

pub use block::{Assignment, Block, BreakGlass, Declared, Match, PrincipalRef, Role};
