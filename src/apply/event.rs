//! What happens while a plan is carried out, for whoever wants to show it.

use std::time::Duration;

use super::report::Outcome;
use crate::plan::Address;

/// Something that happened.
#[derive(Debug, Clone)]
pub enum Event<'a> {
    /// A write is about to be sent.
    Started {
        /// The change.
        address: &'a Address,
        /// What is done, as an imperative.
        title: &'a str,
    },
    /// The write was taken, and its effect doesn't show yet.
    Waiting {
        /// The change.
        address: &'a Address,
        /// What shows instead.
        detail: &'a str,
        /// When it is looked at again.
        wait: Duration,
    },
    /// A change ended.
    Ended {
        /// The change.
        address: &'a Address,
        /// How.
        outcome: &'a Outcome,
    },
}

/// Hears events, from all environments in the order in which they happen.
pub trait Listener {
    /// Called for each event.
    fn hear(&self, event: &Event<'_>);
}
