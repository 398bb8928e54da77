//! Users and roles.

pub mod block;
pub mod principal;

pub use block::{Assignment, Block, BreakGlass, Declared, Match};
pub use principal::{PrincipalRef, Role};
