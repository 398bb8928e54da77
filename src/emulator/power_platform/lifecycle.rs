//! Lifecycle operations: how they begin, how far they are, and what they come to.
//!
//! Words: an operation is *due* when its time is over and its effect isn't there yet. Invariants: one operation at a time is
//! active on an environment; whether it fails is settled when it is accepted; effects appear at the first request after the end,
//! in the order of the ends; what locks environments is in `locks`.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use uuid::Uuid;

use super::locks;
use crate::emulator::Shared;
use crate::emulator::rotating;
use crate::emulator::seed::derived_id;
use crate::emulator::store::StoreError;
use crate::emulator::world::{
    LifecycleFailure, LifecycleOperation, LifecycleWork, LinkKind, PlatformEnvironment, PolicyLink, StaleReads, World,
};

/// The stages in their order, each with the tenth of the whole time at which it ends. Until the first tenth is over, an
/// operation isn't started. The times are chosen.
pub(super) const STAGES: [(&str, i32); 4] = [("Validate", 2), ("Prepare", 4), ("Run", 8), ("Finalize", 10)];
const STARTS: i32 = 1;

/// How far an operation or a stage is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    NotStarted,
    Running,
    Succeeded,
    Failed,
}

impl State {
    /// Administration's word.
    pub(super) const fn word(self) -> &'static str {
        match self {
            Self::NotStarted => "NotStarted",
            Self::Running => "Running",
            Self::Succeeded => "Succeeded",
            Self::Failed => "Failed",
        }
    }

    /// The Power Platform API's word for an operation.
    pub(super) const fn published(self) -> &'static str {
        match self {
            Self::NotStarted => "Queued",
            Self::Running => "InProgress",
            Self::Succeeded => "Succeeded",
            Self::Failed => "Failed",
        }
    }
}

/// A stage at an instant.
pub(super) struct Stage {
    pub(super) name: &'static str,
    pub(super) state: State,
    pub(super) began: Timestamp,
    pub(super) last: Timestamp,
}

impl LifecycleOperation {
    /// How far it is.
    pub(super) fn state(&self, now: Timestamp) -> State {
        match (now >= self.ends, &self.failure) {
            (true, None) => State::Succeeded,
            (true, Some(_)) => State::Failed,
            (false, _) if now < self.at(STARTS) => State::NotStarted,
            (false, _) => State::Running,
        }
    }

    /// When a tenth of its whole time is over. One that fails ends with its stage, so its own time is shorter than the whole.
    fn at(&self, tenths: i32) -> Timestamp {
        let own = self.failure.as_ref().map_or(10, |failure| ends(&failure.stage));
        let step = self.ends.duration_since(self.started).checked_div(own.max(1)).unwrap_or_default();
        self.started.saturating_add(step.saturating_mul(tenths)).unwrap_or(Timestamp::MAX)
    }

    /// The stages so far. The list ends at the one that is going on, or that failed.
    pub(super) fn stages(&self, now: Timestamp) -> Vec<Stage> {
        let mut shown = Vec::new();
        let mut began = self.at(STARTS);
        for (name, tenths) in STAGES {
            if now < began {
                break;
            }
            let end = self.at(tenths);
            let fails = self.failure.as_ref().is_some_and(|failure| failure.stage == name);
            let state = match (now >= end, fails) {
                (true, true) => State::Failed,
                (true, false) => State::Succeeded,
                (false, _) => State::Running,
            };
            shown.push(Stage { name, state, began, last: end.min(now) });
            if state != State::Succeeded {
                break;
            }
            began = end;
        }
        shown
    }
}

fn ends(stage: &str) -> i32 {
    STAGES.iter().find(|(name, _)| *name == stage).map_or(10, |(_, tenths)| *tenths)
}

/// The operation that is active on an environment.
pub(super) fn active<'w>(world: &'w World, environment: &str, now: Timestamp) -> Option<&'w LifecycleOperation> {
    let key = environment.to_lowercase();
    world.lifecycle_operations.values().find(|one| one.environment == key && now < one.ends)
}

/// Accepts an operation on an environment that has none.
pub(super) fn begin(
    world: &mut World,
    environment: &str,
    (kind, work): (&str, LifecycleWork),
    failure: Option<LifecycleFailure>,
    (caller, now): (Uuid, Timestamp),
) -> Uuid {
    let key = environment.to_lowercase();
    let behaviour = &world.behaviour;
    let whole = match work {
        LifecycleWork::Link(_) | LifecycleWork::Unlink => behaviour.encryption_operation_time,
        LifecycleWork::Govern(..) | LifecycleWork::Enable => behaviour.lifecycle_operation_time,
    };
    let ours = || LifecycleFailure {
        stage: "Run".to_owned(),
        code: "EmulatedFailure".to_owned(),
        message: "The world says that lifecycle operations fail.".to_owned(),
    };
    let failure = failure.or_else(|| behaviour.lifecycle_operations_fail.then(ours));
    let tenths = failure.as_ref().map_or(10, |failure| ends(&failure.stage));
    let time = whole.checked_div(10).and_then(|step| step.checked_mul(tenths)).unwrap_or(SignedDuration::ZERO);
    let id = derived_id(world.world, "lifecycle-operation", &format!("{key}#{}", world.lifecycle_operations.len()));
    let before =
        world.power_platform_environments.get(&key).and_then(|it| it.links.get(&LinkKind::Encryption).cloned());
    let operation = LifecycleOperation {
        environment: key.clone(),
        kind: kind.to_owned(),
        started: now,
        ends: now.saturating_add(time).unwrap_or(Timestamp::MAX),
        requested_by: caller,
        before,
        failure,
        applied: false,
        work,
    };
    show_under_way(world, &key, &operation);
    world.lifecycle_operations.insert(id, operation);
    id
}

/// What the environment shows while the operation is going on.
fn show_under_way(world: &mut World, key: &str, operation: &LifecycleOperation) {
    let during = match &operation.work {
        LifecycleWork::Link(policy) => {
            let policy = world.enterprise_policies.get(&policy.to_lowercase());
            let in_force = operation.before.as_ref().is_some_and(|link| link.in_force);
            policy.map(|it| link(&it.id, it.system_id(), "Linking", None, in_force))
        }
        LifecycleWork::Unlink => {
            operation.before.clone().map(|link| PolicyLink { status: "Unlinking".into(), error: None, ..link })
        }
        LifecycleWork::Govern(..) | LifecycleWork::Enable => return,
    };
    if let (Some(environment), Some(during)) = (world.power_platform_environments.get_mut(key), during) {
        environment.links.insert(LinkKind::Encryption, during);
        environment.stale = None;
    }
}

fn link(policy: &str, system_id: String, status: &str, error: Option<String>, in_force: bool) -> PolicyLink {
    PolicyLink { policy: policy.to_owned(), system_id, status: status.to_owned(), error, in_force }
}

/// Brings the world to the present: keys rotate, what has ended takes effect, what has lost its key is locked, and what was locked
/// for too long is deleted.
pub(crate) fn settle(shared: &Shared, now: Timestamp) -> Result<(), StoreError> {
    rotating::settle(shared, now)?;
    if shared.store.read(|world| due(world, now).is_none() && !locks::pending(world, now)) {
        return Ok(());
    }
    shared.store.change(|world| {
        while let Some(id) = due(world, now) {
            apply(world, id);
        }
        locks::settle(world, now);
        Ok(())
    })
}

fn due(world: &World, now: Timestamp) -> Option<Uuid> {
    let over = world.lifecycle_operations.iter().filter(|(_, one)| !one.applied && one.ends <= now);
    over.min_by_key(|(_, one)| one.ends).map(|(id, _)| *id)
}

fn apply(world: &mut World, id: Uuid) {
    let Some(operation) = world.lifecycle_operations.get_mut(&id) else { return };
    operation.applied = true;
    let LifecycleOperation { environment, work, before, failure, .. } = operation.clone();
    let stale = world.behaviour.lifecycle_stale_reads;
    let target = match &work {
        LifecycleWork::Link(policy) => world.enterprise_policies.get(&policy.to_lowercase()).cloned(),
        _ => None,
    };
    let Some(environment) = world.power_platform_environments.get_mut(&environment) else { return };
    let was = (environment.links.clone(), environment.protection_level.clone());
    match (work, failure) {
        (LifecycleWork::Link(_) | LifecycleWork::Unlink, Some(failure)) => {
            let in_force = before.filter(|link| link.in_force);
            let target = target.map(|it| link(&it.id, it.system_id(), "Failed", None, false));
            match in_force.or(target) {
                Some(link) => {
                    let failed = PolicyLink { status: "Failed".into(), error: Some(failure.message), ..link };
                    environment.links.insert(LinkKind::Encryption, failed);
                }
                None => drop(environment.links.remove(&LinkKind::Encryption)),
            }
            return;
        }
        (LifecycleWork::Govern(..) | LifecycleWork::Enable, Some(_)) => return,
        (LifecycleWork::Link(_), None) => {
            let linked = target.map(|it| link(&it.id, it.system_id(), "Linked", None, true));
            environment.links.extend(linked.map(|link| (LinkKind::Encryption, link)));
            environment.unlock();
        }
        (LifecycleWork::Unlink, None) => {
            environment.links.remove(&LinkKind::Encryption);
            environment.unlock();
        }
        (LifecycleWork::Govern(level, settings), None) => govern(environment, level, settings),
        (LifecycleWork::Enable, None) => environment.unlock(),
    }
    let (links, protection_level) = was;
    environment.stale = (stale > 0).then_some(StaleReads { left: stale, links, protection_level });
}

/// Settings that aren't given stay.
fn govern(environment: &mut PlatformEnvironment, level: String, settings: BTreeMap<String, String>) {
    environment.protection_level = level;
    environment.extended_settings.extend(settings);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_operation_goes_through_its_stages_by_the_clock() {
        let at = |second: i64| Timestamp::from_second(second).unwrap();
        let failure = |stage: &str| LifecycleFailure { stage: stage.into(), code: "C".into(), message: "m".into() };
        let operation = |failure: Option<LifecycleFailure>, ends| LifecycleOperation {
            environment: "e".into(),
            kind: "NewCustomerManagedKey".into(),
            started: at(0),
            ends: at(ends),
            requested_by: Uuid::nil(),
            work: LifecycleWork::Unlink,
            before: None,
            failure,
            applied: false,
        };
        let shown = |operation: &LifecycleOperation, second| {
            let stages = operation.stages(at(second));
            let words: Vec<&str> = stages.iter().map(|stage| stage.state.word()).collect();
            (operation.state(at(second)).word(), words.join(" "))
        };
        let good = operation(None, 100);
        for (second, state, stages) in [
            (0, "NotStarted", ""),
            (9, "NotStarted", ""),
            (10, "Running", "Running"),
            (20, "Running", "Succeeded Running"),
            (40, "Running", "Succeeded Succeeded Running"),
            (80, "Running", "Succeeded Succeeded Succeeded Running"),
            (100, "Succeeded", "Succeeded Succeeded Succeeded Succeeded"),
        ] {
            assert_eq!(shown(&good, second), (state, stages.to_owned()), "{second}");
        }
        let bad = operation(Some(failure("Prepare")), 40);
        assert_eq!(shown(&bad, 15), ("Running", "Running".to_owned()));
        assert_eq!(shown(&bad, 39), ("Running", "Succeeded Running".to_owned()));
        assert_eq!(shown(&bad, 40), ("Failed", "Succeeded Failed".to_owned()));
    }
}
