//! What people and programs read: one file per format.
//!
//! What must stay true: everything here is a function of its arguments and gives the same bytes for the same input;
//! nothing that a service or a directory said reaches a terminal as a control character.

pub mod applied;
pub mod colour;
pub mod dangers;
pub mod diagnostics;
pub mod difference;
mod notes;
pub mod operations;
pub mod plan;
pub mod risks;
pub mod seeded;
#[cfg(test)]
mod tests;
