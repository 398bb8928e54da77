//! What observing brings: what the service said, or unknown with the reason.
//!
//! What must stay true: an absence is a value of its own type and rests on an answer that says so; whatever else went
//! wrong is [`Unreadable`], and comparing never treats unknown as absent or as fine.

use crate::azure::CallError;
use crate::azure::operations::Facts;
use crate::plan::{Address, Unknown};

/// What was found out about one thing.
pub type Observation<T> = Result<T, Unreadable>;

/// Why something isn't known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unreadable {
    /// The reason, for a person.
    pub reason: String,
    /// The operation that would have told; empty if there is none.
    pub operation: String,
}

impl Unreadable {
    /// A reason without an operation behind it.
    pub fn because(reason: impl Into<String>) -> Self {
        Self { reason: reason.into(), operation: String::new() }
    }

    /// What an operation would have told.
    pub fn from_operation(operation: &Facts, reason: impl Into<String>) -> Self {
        Self { reason: reason.into(), operation: operation.name.to_owned() }
    }

    /// As an entry of a plan.
    pub fn at(&self, address: Address) -> Unknown {
        Unknown { address, reason: self.reason.clone(), operation: self.operation.clone(), source: None }
    }
}

impl From<CallError> for Unreadable {
    fn from(error: CallError) -> Self {
        Self::from_operation(error.operation, error.to_string())
    }
}
