//! What a person must know of a change before agreeing to it.
//!
//! Invariants: what it says belongs to the setting, since only that knows what its values mean; the rest follows from the
//! impact.

use serde::{Deserialize, Serialize};

use super::change::Impact;

/// Something that a summary of a plan must name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Danger {
    /// What happens: `Gains Admin`.
    pub what: String,
    /// To whom or to what: `grace (user)`.
    pub who: String,
}

/// What a change does to people of which its setting says nothing more.
const INTERRUPTS: &str = "Interrupts";

/// What follows from an impact alone.
pub(super) fn of_impact(impact: Impact, subject: &str) -> Vec<Danger> {
    let what = match impact {
        Impact::None => return Vec::new(),
        Impact::Interrupts => INTERRUPTS,
        Impact::Outage => "Goes down",
        Impact::DataLoss => "Loses data for good",
    };
    vec![Danger { what: what.to_owned(), who: subject.to_owned() }]
}

/// Adds what the setting says. It tells more than that something is interrupted.
pub(super) fn add(dangers: &mut Vec<Danger>, what: &str, who: String) {
    dangers.retain(|danger| danger.what != INTERRUPTS);
    dangers.push(Danger { what: what.to_owned(), who });
}
