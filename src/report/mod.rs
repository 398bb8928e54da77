//! What people and programs read: one file per format.
//!
//! What must stay true: everything here is a function of its arguments and gives the same bytes for the same input;
//! nothing that a service or a directory said reaches a terminal as a control character.

pub mod applied;
pub mod colour;
pub mod diagnostics;
pub mod plan;

use crate::config::visible;

/// Text on one line, in which nothing moves the cursor, starts an escape sequence or reorders what is read: names and
/// messages come from services and from directories that many can write to.
pub fn printable(text: &str) -> String {
    text.chars().map(visible).collect()
}
