//! Which scope is worked on when.
//!
//! Words: a *turn* is a part of the run that is over before the next one begins: the tenant, each environment of `--first`, all
//! the others; a *place* lets one of them work among those side by side.
//!
//! Invariants: a scope that waits for another one has no place meanwhile, so that the other one can have it; whatever happens,
//! every change of a scope ends, on the board and in the account.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;

use futures_util::stream::{self, StreamExt as _};
use tokio::sync::{Semaphore, SemaphorePermit};

use super::board::Board;
use super::engine::Engine;
use super::event::Event;
use super::holds::Holds;
use super::preflight;
use super::progress::Progress;
use super::report::{Applied, Outcome, Status};
use crate::plan::{Address, Change, Clearance, Plan, ScopePlan, Verdict};
use crate::terms::Scope;

/// One run, with what its scopes share.
pub(super) struct Run<'a> {
    pub(super) engine: &'a Engine<'a>,
    pub(super) plan: &'a Plan,
    pub(super) board: Board,
    pub(super) holds: Holds,
    clearances: &'a [Clearance],
    places: Semaphore,
    failed: Cell<usize>,
    halted: RefCell<Option<String>>,
    applied: RefCell<BTreeMap<&'a Scope, Vec<Applied>>>,
}

/// One of the places side by side; none while its scope waits for another one.
pub(super) struct Place<'a> {
    places: &'a Semaphore,
    permit: Option<SemaphorePermit<'a>>,
    /// Whether its scope has waited for another one.
    left: bool,
}

impl<'a> Place<'a> {
    async fn among(places: &'a Semaphore) -> Self {
        Self { places, permit: places.acquire().await.ok(), left: false }
    }

    /// Lets others have the place while something is waited for.
    pub(super) async fn while_away<T>(&mut self, waiting: impl Future<Output = T>) -> T {
        (self.permit, self.left) = (None, true);
        let outcome = waiting.await;
        self.permit = self.places.acquire().await.ok();
        outcome
    }
}

impl<'a> Run<'a> {
    pub(super) fn new(engine: &'a Engine<'a>, plan: &'a Plan, clearances: &'a [Clearance]) -> Self {
        // No more at a time than may fail: of those that were begun already, each may.
        let side_by_side = engine.fleet.side_by_side.min(engine.fleet.stop_after).max(1);
        let turns = turns(plan, &engine.fleet.first).into_iter().enumerate();
        let turns = turns.flat_map(|(turn, scopes)| scopes.into_iter().map(move |scope| (scope.scope.clone(), turn)));
        Self {
            engine,
            plan,
            board: Board::new(taken_up(plan, clearances), turns.collect()),
            holds: Holds::default(),
            clearances,
            places: Semaphore::new(side_by_side),
            failed: Cell::new(0),
            halted: RefCell::default(),
            applied: RefCell::default(),
        }
    }

    /// Works on all scopes; the account of each change, in the plan's order.
    pub(super) async fn carry_out(self) -> Vec<Applied> {
        for scopes in turns(self.plan, &self.engine.fleet.first) {
            // Whoever comes for a place comes alone, in the plan's order: those who come back to theirs needn't queue behind all.
            let placed = stream::iter(&scopes).then(async |scope| (*scope, Place::among(&self.places).await));
            placed.for_each_concurrent(None, async |(scope, place)| self.scope(scope, place).await).await;
            for scope in scopes.iter().filter(|scope| self.engine.fleet.first.contains(&scope.scope)) {
                self.halt_unless_well(scope);
            }
        }
        let mut applied = self.applied.into_inner();
        self.plan.scopes.iter().filter_map(|scope| applied.remove(&scope.scope)).flatten().collect()
    }

    fn halt_unless_well(&self, scope: &ScopePlan) {
        let key = &scope.scope;
        let went_well = self.applied.borrow().get(key).is_some_and(|all| all.iter().all(Applied::went_well));
        let proceeded = self.clearance(key).is_some_and(|clearance| clearance.verdict == Verdict::Proceeds);
        // What could not be read may be what was to be tried out there.
        if !went_well || !proceeded || !scope.unknown.is_empty() {
            let reason = format!("not begun, since {key} goes first (`--first`) and didn't get done");
            self.halted.borrow_mut().get_or_insert(reason);
        }
    }

    fn clearance(&self, scope: &Scope) -> Option<&'a Clearance> {
        self.clearances.iter().find(|clearance| clearance.scope == *scope)
    }

    /// Why no further environment is begun.
    fn not_begun(&self) -> Option<String> {
        self.halted.borrow().clone().or_else(|| Some(format!("not begun, since {}", self.too_many()?)))
    }

    /// Why a scope that came back to its place isn't gone on with: without a write, it is as good as one that wasn't begun.
    pub(super) fn not_resumed(&self, progress: &Progress, place: &Place<'_>) -> Option<Outcome> {
        let reason = self.too_many().filter(|_| place.left && !progress.wrote)?;
        Some(Outcome::unsent(Status::NotStarted, format!("not begun, since {reason}")))
    }

    /// That too many environments failed.
    fn too_many(&self) -> Option<String> {
        let (failed, stop_after) = (self.failed.get(), self.engine.fleet.stop_after);
        (failed >= stop_after.max(1)).then(|| {
            let environments = if failed == 1 { "1 environment".to_owned() } else { format!("{failed} environments") };
            format!("{environments} failed (`--stop-after {stop_after}`)")
        })
    }

    async fn scope(&self, scope: &'a ScopePlan, mut place: Place<'_>) {
        let applied = match self.not_begun() {
            Some(reason) => all(scope, &Outcome::unsent(Status::NotStarted, reason)),
            None => self.work(scope, &mut place).await,
        };
        for one in &applied {
            self.board.post(&one.address, one.status);
        }
        // The tenant is no environment: what fails there stops what requires it.
        if scope.scope != Scope::Tenant && applied.iter().any(Applied::failed) {
            self.failed.set(self.failed.get() + 1);
        }
        self.applied.borrow_mut().insert(&scope.scope, applied);
    }

    async fn work(&self, scope: &ScopePlan, place: &mut Place<'_>) -> Vec<Applied> {
        let Some(clearance) = self.clearance(&scope.scope) else {
            return all(scope, &Outcome::unsent(Status::Refused, "it wasn't approved"));
        };
        let Clearance { scope: _, verdict, left, in_effect, unread, waiting, stopped: _ } = clearance;
        let of = |change: &Change, outcome: Outcome| Applied::of(&scope.scope, change, outcome);
        let already = || Outcome::unsent(Status::Done, "already in effect; nothing was sent");
        let mut applied: Vec<Applied> = in_effect.iter().map(|change| of(change, already())).collect();
        applied.extend(waiting.iter().map(|(change, held)| of(change, Outcome::held(held))));
        let not_read = |reason: &str| Outcome::unread(format!("whether it is in effect could not be read: {reason}"));
        applied.extend(unread.iter().map(|(change, reason)| of(change, not_read(reason))));
        match verdict {
            Verdict::Proceeds => {}
            Verdict::Refused(reasons) => {
                applied.extend(all(scope, &Outcome::unsent(Status::Refused, reasons.join("; "))));
                return applied;
            }
            Verdict::Unread(reasons) => {
                let reason = format!("an approved change could not be read: {}", reasons.join("; "));
                applied.extend(all(scope, &Outcome::unread(reason)));
                return applied;
            }
        }
        let mut progress = Progress::default();
        for (change, held) in waiting {
            progress.ended(change, &Outcome::held(held));
        }
        let changes = scope.changes.iter().filter(|change| !left.contains(&change.address));
        let mut held_back = preflight::held_back(self.engine.writer.reader(), changes.clone()).await;
        for change in changes {
            let stopped = clearance.stopped(&change.address).map(|reason| Outcome::unsent(Status::Refused, reason));
            let outcome = match stopped.or_else(|| held_back.remove(&change.address)) {
                Some(outcome) => outcome,
                None => self.change(scope, change, &progress, place).await,
            };
            // What is left to others isn't done, and holds up nothing.
            progress.ended(change, &outcome);
            self.board.post(&change.address, outcome.status);
            self.engine.listener.hear(&Event::Ended { address: &change.address, outcome: &outcome });
            applied.push(of(change, outcome));
        }
        applied
    }
}

/// The tenant, then each environment that goes first, then the others.
fn turns<'a>(plan: &'a Plan, first: &[Scope]) -> Vec<Vec<&'a ScopePlan>> {
    let named = |key: &Scope| plan.scopes.iter().filter(|scope| scope.scope == *key).collect::<Vec<_>>();
    let apart: Vec<&Scope> = [&Scope::Tenant].into_iter().chain(first).collect();
    let others = plan.scopes.iter().filter(|scope| !apart.contains(&&scope.scope)).collect();
    apart.iter().map(|key| named(key)).chain([others]).collect()
}

/// The changes that this run takes up, and how those ended that it needn't make.
fn taken_up(plan: &Plan, clearances: &[Clearance]) -> BTreeMap<Address, Option<Status>> {
    let mut changes = BTreeMap::new();
    for Clearance { in_effect, waiting, unread, .. } in clearances {
        changes.extend(in_effect.iter().map(|change| (change.address.clone(), Some(Status::Done))));
        changes.extend(waiting.iter().map(|(change, _)| (change.address.clone(), Some(Status::Waiting))));
        changes.extend(unread.iter().map(|(change, _)| (change.address.clone(), Some(Status::NotStarted))));
    }
    let left = |change: &&Change| clearances.iter().any(|clearance| clearance.left.contains(&change.address));
    changes.extend(plan.changes().filter(|change| !left(change)).map(|change| (change.address.clone(), None)));
    changes
}

/// Every change of a scope, each with this outcome.
fn all(scope: &ScopePlan, outcome: &Outcome) -> Vec<Applied> {
    scope.changes.iter().map(|change| Applied::of(&scope.scope, change, outcome.clone())).collect()
}
