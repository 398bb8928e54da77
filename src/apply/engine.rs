//! The engine: what a run needs, and its account of all that was planned.

use std::time::Duration;

use super::event::Listener;
use super::journal::Journal;
use super::looks::Looks;
use super::report::{Left, RefusedScope, Report};
use super::schedule::Run;
use super::stop::Stop;
use crate::azure::Writer;
use crate::clock::Clock;
use crate::plan::{Change, Clearance, Plan, Verdict};
use crate::terms::Scope;

/// Everything that carrying out a plan needs.
pub struct Engine<'a> {
    /// Reads afresh before each write.
    pub looks: &'a dyn Looks,
    /// Writes.
    pub writer: &'a Writer,
    /// Time.
    pub clock: &'a Clock,
    /// How long the effect of a write is waited for.
    pub patience: Duration,
    /// How long an operation is waited for that the service accepted and works on; zero leaves it at once.
    pub patience_under_way: Duration,
    /// In which order environments are worked on, and when no further one is begun.
    pub fleet: Fleet,
    /// Whether to stop.
    pub stop: Stop,
    /// Hears what happens.
    pub listener: &'a dyn Listener,
    /// Keeps what happened.
    pub journal: &'a Journal,
    /// The name of this run in the journal.
    pub run: String,
}

/// Environments worked on side by side, unless something else is said.
const SIDE_BY_SIDE: usize = 8;

/// How a run goes about many environments.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fleet {
    /// Environments that go before the others, one after the other. If one of them fails, no other one is begun.
    pub first: Vec<Scope>,
    /// After so many failed environments no further one is begun.
    pub stop_after: usize,
    /// So many are worked on side by side.
    pub side_by_side: usize,
}

impl Default for Fleet {
    fn default() -> Self {
        Self { first: Vec::new(), stop_after: 3, side_by_side: SIDE_BY_SIDE }
    }
}

impl Engine<'_> {
    /// Carries out what was cleared, and accounts for every change of the plan.
    pub async fn run(&self, plan: &Plan, clearances: &[Clearance]) -> Report {
        let applied = Run::new(self, plan, clearances).carry_out().await;
        Report::of(plan, applied, refused(clearances), left(plan, clearances))
    }
}

fn refused(clearances: &[Clearance]) -> Vec<RefusedScope> {
    let reasons = |clearance: &Clearance| match &clearance.verdict {
        Verdict::Refused(reasons) => Some(RefusedScope { scope: clearance.scope.clone(), reasons: reasons.clone() }),
        Verdict::Proceeds | Verdict::Unread(_) => None,
    };
    clearances.iter().filter_map(reasons).collect()
}

/// What this run leaves for another one.
fn left(plan: &Plan, clearances: &[Clearance]) -> Vec<Left> {
    let is_left = |change: &&Change| clearances.iter().any(|clearance| clearance.left.contains(&change.address));
    let left = |change: &Change| Left {
        address: change.address.clone(),
        action: change.action,
        reason: "it fell due after the approval; it needs a new one".to_owned(),
    };
    plan.changes().filter(is_left).map(left).collect()
}
