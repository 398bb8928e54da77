//! Runners and people, and everything that either can do to a world.
//!
//! A runner reads the slots, reads the vault, asks the rotation under test what to send, and sends it: each its own
//! transition, so that anything can happen in between. It can die at any of them, its requests can fail without effect
//! or take effect and lose their answer. What it decides comes from `palisade::rotation` alone.

use std::fmt;

use palisade::rotation::{Check, Move, Request, Rules, Run, Slot, StepKind, Tags, assess_under, steps_under};

use super::world::{By, Notes, Shelf, Stored, Value, World, ago, index, now, value};

/// Times that one run may drop everything and heal.
const HEALS: u8 = 2;

/// Where a runner stands.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Runner {
    Idle,
    /// It read the slots; the vault is next, then the decision.
    Read {
        task: Task,
        slots: [Value; 2],
    },
    /// It is about to read.
    Ready(Task),
    /// It is about to send.
    Send {
        task: Task,
        request: Sending,
    },
}

/// What a run is about to decide on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Task {
    /// What to do.
    Assess,
    /// A step of a move.
    Step { planned: Planned, step: u8, heals: u8 },
    /// The last comparison of a run that waited in vain.
    Close { heals: u8 },
}

/// A move; an instant in it is kept as an age.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Planned {
    planned: Move,
    since: u8,
}

impl Planned {
    fn new(planned: Move) -> Self {
        Self { planned, since: 0 }
    }

    pub fn get(self) -> Move {
        match self.planned {
            Move::PublishNewKeys { slot, .. } => Move::PublishNewKeys { slot, since: ago(self.since) },
            other => other,
        }
    }
}

/// A request on its way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Sending {
    EnableAccess,
    /// The version is the one this far behind the newest.
    Tag {
        back: u8,
        notes: Notes,
    },
    Regenerate(Slot),
    Probe(Value),
    Publish {
        value: Value,
        notes: Notes,
    },
    Recover,
}

/// The world with its runners.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct State {
    pub world: World,
    pub runners: Vec<Runner>,
    /// How often people may still interfere.
    pub people: u8,
    /// Whether a runner died or a request failed since all was well.
    pub faulted: bool,
}

/// What must never happen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Harm {
    /// Palisade made a value die that a consumer may hold.
    Cut,
    /// Palisade regenerated both slots within grace.
    BothSlots,
    /// Palisade regenerated a slot again without having published or noted what it regenerated before.
    Again,
    /// A run ended by itself, alone, and left consumers with a dead value.
    LeftBroken,
    /// A complete run did not repair what a person broke, or regenerated for it.
    NotRepaired,
    /// Complete runs go on sending.
    Restless,
    /// Something unknown led to a regeneration or a publication.
    Blind,
}

/// What a runner did, for traces. Kept as parts, since most traces are never printed.
#[derive(Debug, Clone, Copy)]
pub enum What {
    Says(&'static str),
    Plans(Move),
    Step(&'static str, StepKind),
    Heals(Move),
    Sends(Sending, &'static str),
}

impl fmt::Display for What {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Says(what) => f.write_str(what),
            Self::Plans(planned) => write!(f, "plans {planned:?}"),
            Self::Step(how, step) => write!(f, "{how} `{}`", step.name()),
            Self::Heals(planned) => write!(f, "sees a dead key and heals: {planned:?}"),
            Self::Sends(Sending::Tag { .. }, outcome) => write!(f, "tags the current version: {outcome}"),
            Self::Sends(Sending::Publish { value, .. }, outcome) => write!(f, "publishes {value:?}: {outcome}"),
            Self::Sends(request, outcome) => write!(f, "sends {request:?}: {outcome}"),
        }
    }
}

/// What can happen to a runner.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Luck {
    /// All goes well.
    Fine,
    /// It dies.
    Dies,
    /// The request takes effect, then it dies.
    DiesAfterwards,
    /// The request fails without effect, and the runner goes on to the next step: a lost answer looks the same.
    Fails,
}

impl State {
    /// A world with runners that do nothing yet.
    pub fn new(world: World, runners: usize, people: u8) -> Self {
        Self { world, runners: vec![Runner::Idle; runners], people, faulted: false }
    }

    pub fn idle(&self) -> bool {
        self.runners.iter().all(|runner| *runner == Runner::Idle)
    }

    /// Lets a runner take its next step. None if there is nothing for it to do.
    pub fn advance(&self, rules: &Rules, runner: usize, luck: Luck) -> Option<(Self, What, Option<Harm>)> {
        let mut next = self.clone();
        next.faulted |= luck != Luck::Fine;
        let live = [Value::Live(Slot::Primary), Value::Live(Slot::Secondary)];
        let (place, what) = match (self.runners[runner].clone(), luck) {
            (Runner::Idle, Luck::Fine) => {
                (Runner::Read { task: Task::Assess, slots: live }, What::Says("reads the slots"))
            }
            (Runner::Idle, _) => return None,
            (_, Luck::Dies) => (Runner::Idle, What::Says("dies")),
            (Runner::Ready(task), Luck::Fine) => (Runner::Read { task, slots: live }, What::Says("reads the slots")),
            (Runner::Read { task, slots }, Luck::Fine) => next.decide(rules, task, slots),
            (Runner::Send { task, request }, luck) => {
                let harm = if luck == Luck::Fails { None } else { next.world_effect(&request) };
                let (place, outcome) = match luck {
                    Luck::DiesAfterwards => (Runner::Idle, "took effect, then the runner dies"),
                    // Only a key that works is published.
                    Luck::Fails if matches!(request, Sending::Probe(_)) => (Runner::Idle, "failed"),
                    Luck::Fails => (Runner::Ready(task.following(rules)), "failed, which the runner doesn't know"),
                    _ => match request {
                        Sending::Probe(Value::Dead(..)) => (Runner::Idle, "refused"),
                        _ => (Runner::Ready(task.following(rules)), "took effect"),
                    },
                };
                next.runners[runner] = place;
                next.canonical();
                return Some((next, What::Sends(request, outcome), harm));
            }
            _ => return None,
        };
        let ended = place == Runner::Idle && luck == Luck::Fine;
        next.runners[runner] = place;
        let left = ended && next.idle() && !next.faulted && broken_by_palisade(&next.world);
        let harm = left.then_some(Harm::LeftBroken);
        next.canonical();
        Some((next, what, harm))
    }

    fn decide(&self, rules: &Rules, task: Task, slots: [Value; 2]) -> (Runner, What) {
        let declared = self.world.declared();
        let facts = self.world.facts(slots);
        let begin = |planned: Move, heals| Runner::Ready(Task::Step { planned: Planned::new(planned), step: 0, heals });
        let (planned, step, heals) = match task {
            Task::Assess => {
                let next = assess_under(rules, &declared, &facts, now()).next;
                return match next {
                    Some(planned) if !steps_under(rules, &planned).is_empty() => {
                        (begin(planned, HEALS), What::Plans(planned))
                    }
                    _ => (Runner::Idle, What::Says("has nothing to do and ends")),
                };
            }
            Task::Step { planned, step, heals } => match steps_under(rules, &planned.get()).get(usize::from(step)) {
                Some(kind) => (planned, *kind, heals),
                None => return (Runner::Idle, What::Says("ends")),
            },
            // What the run was for makes no difference to a comparison.
            Task::Close { heals } => (Planned::new(Move::RecoverSecret), StepKind::CompareAgain, heals),
        };
        let run = Run { declared: &declared, planned: planned.get(), plan: "", rules: *rules };
        match run.check(step, &facts, now()) {
            Check::Continue(request) => match (self.sending(&request), task) {
                (Some(request), task) => (Runner::Send { task, request }, What::Step("checks", step)),
                (None, Task::Close { .. }) => (Runner::Idle, What::Says("compares again and ends")),
                (None, task) if task.is_last(rules) => (Runner::Idle, What::Step("ends with", step)),
                (None, task) => (Runner::Ready(task.following(rules)), What::Step("does", step)),
            },
            Check::Wait(_) => match task {
                Task::Close { .. } => (Runner::Idle, What::Says("waits in vain and ends")),
                _ => (Runner::Ready(Task::Close { heals }), What::Says("waits in vain")),
            },
            Check::Abort(_) => (Runner::Idle, What::Step("ends before", step)),
            Check::Heal(_) if heals == 0 => (Runner::Idle, What::Says("gives up healing")),
            Check::Heal(heal) => (begin(heal, heals - 1), What::Heals(heal)),
        }
    }

    fn sending(&self, request: &Request) -> Option<Sending> {
        Some(match request {
            Request::Nothing => return None,
            Request::EnableAccess => Sending::EnableAccess,
            Request::Tag { version, tags } => {
                let number: usize = version[1..].parse().unwrap();
                let back = u8::try_from(self.world.versions.len() - number).unwrap();
                Sending::Tag { back, notes: Notes::from_tags(tags) }
            }
            Request::Regenerate { slot } => Sending::Regenerate(*slot),
            Request::Probe { value: print, .. } => Sending::Probe(value(*print)),
            Request::Publish { value: print, tags, .. } => {
                Sending::Publish { value: value(*print), notes: Notes::from_tags(tags) }
            }
            Request::Recover => Sending::Recover,
        })
    }

    /// A request takes effect. What the service would refuse has none.
    fn world_effect(&mut self, request: &Sending) -> Option<Harm> {
        match *request {
            Sending::EnableAccess if !self.world.access => {
                self.world.access = true;
                self.world.own_keys = false;
            }
            Sending::Tag { back, notes } if self.world.shelf == Shelf::Present => {
                if let Some(version) = self.world.versions.get_mut(usize::from(back)) {
                    version.notes = notes;
                    if notes.retired.is_some() {
                        self.world.loose = [false; 2];
                    }
                }
            }
            Sending::Regenerate(slot) if self.world.access => return self.regenerate(slot),
            Sending::Publish { value, notes } if self.world.shelf != Shelf::Deleted => {
                self.store(value, notes);
                if let Value::Live(slot) = value {
                    self.world.loose[index(slot)] = false;
                }
            }
            Sending::Recover if self.world.shelf == Shelf::Deleted => self.world.shelf = Shelf::Present,
            _ => {}
        }
        None
    }

    fn regenerate(&mut self, slot: Slot) -> Option<Harm> {
        let world = &mut self.world;
        let harm = if world.regenerated[index(slot.other())] < world.scale.cache {
            Some(Harm::BothSlots)
        } else if world.own_keys && world.adopted < world.scale.cache as i8 {
            Some(Harm::Cut)
        } else if world.loose[index(slot)] {
            Some(Harm::Again)
        } else {
            None
        };
        world.regenerated[index(slot)] = 0;
        world.loose[index(slot)] = true;
        self.kill(slot, By::Palisade);
        harm
    }

    /// A new version becomes the current one.
    pub fn store(&mut self, value: Value, notes: Notes) {
        self.world.versions.insert(0, Stored { value, age: 0, notes });
        self.world.shelf = Shelf::Present;
        for runner in &mut self.runners {
            if let Runner::Send { request: Sending::Tag { back, .. }, .. } = runner {
                *back += 1;
            }
        }
    }

    /// The value in a slot dies, wherever it is held, and another one takes its place.
    pub fn kill(&mut self, slot: Slot, by: By) {
        let mut used = 0;
        self.values(|value| {
            if let Value::Dead(id, _) = value {
                used = used.max(*id + 1);
            }
        });
        self.values(|value| {
            if *value == Value::Live(slot) {
                *value = Value::Dead(used, by);
            }
        });
    }

    /// Every place that holds a value, in a fixed order.
    fn values(&mut self, mut visit: impl FnMut(&mut Value)) {
        self.world.values_mut().for_each(&mut visit);
        for runner in &mut self.runners {
            match runner {
                Runner::Read { slots, .. } => slots.iter_mut().for_each(&mut visit),
                Runner::Send { request: Sending::Publish { value, notes }, .. } => {
                    visit(value);
                    notes.values_mut().for_each(&mut visit);
                }
                Runner::Send { request: Sending::Tag { notes, .. }, .. } => notes.values_mut().for_each(&mut visit),
                Runner::Send { request: Sending::Probe(value), .. } => visit(value),
                _ => {}
            }
        }
    }

    /// One day passes.
    pub fn tick(&mut self) {
        self.world.tick();
        let cap = self.world.scale.cap;
        for runner in &mut self.runners {
            let (Runner::Ready(task) | Runner::Read { task, .. } | Runner::Send { task, .. }) = runner else {
                continue;
            };
            if let Task::Step { planned, .. } = task
                && matches!(planned.planned, Move::PublishNewKeys { .. })
            {
                planned.since = (planned.since + 1).min(cap);
            }
        }
    }

    /// Brings a state into the one form that all states of its kind have. What nothing can tell apart any more is made
    /// equal: notes that only the current version's count for, dead values that nobody remembers, dead old versions.
    pub fn canonical(&mut self) {
        self.faulted &= !self.idle() || self.world.is_broken();
        self.forget();
        let mut remembered: Vec<u8> = Vec::new();
        for runner in &self.runners {
            let Runner::Read { slots, .. } = runner else { continue };
            for value in slots {
                if let Value::Dead(id, _) = value
                    && !remembered.contains(id)
                {
                    remembered.push(*id);
                }
            }
        }
        self.values(|value| {
            if let Value::Dead(id, _) = value {
                let place = remembered.iter().position(|known| known == id);
                *id = place.map_or(0, |place| u8::try_from(place + 1).unwrap());
            }
        });
    }

    fn forget(&mut self) {
        let World { scale, versions, adopted, own_keys, .. } = &mut self.world;
        // Once no consumer can have a key of its own, it no longer matters who issued the keys.
        let adopted = *adopted >= scale.cache as i8 && !*own_keys;
        for version in versions.iter_mut().skip(1) {
            (version.notes.intent, version.notes.retired) = (None, None);
            if adopted && matches!(version.value, Value::Dead(..)) {
                version.notes.issued = None;
            }
        }
        for (_, _, replaces, _) in versions.iter_mut().filter_map(|version| version.notes.intent.as_mut()) {
            if let Value::Dead(_, by) = replaces {
                *by = By::Person;
            }
        }
        if self.runners.iter().any(|runner| matches!(runner, Runner::Send { request: Sending::Tag { .. }, .. })) {
            return;
        }
        // A dead version counts only for what its consumers still hold. One made in the same tick as its successor
        // says nothing about when its predecessor was superseded.
        let forgotten = |at: usize, versions: &[Stored]| {
            matches!(versions[at].value, Value::Dead(..))
                && (versions[at - 1].age >= scale.cache || self.runners.len() > 1)
                && (at + 1 == versions.len() || versions[at].age == versions[at - 1].age)
        };
        // Of a value that was stored three times in a row, the first tells its age and the last until when it counted.
        let repeated = |at: usize, versions: &[Stored]| {
            at + 1 < versions.len()
                && versions[at].value == versions[at - 1].value
                && versions[at].value == versions[at + 1].value
                && versions[at].notes.slot == versions[at + 1].notes.slot
        };
        let mut at = 2;
        while adopted && at < versions.len() {
            match forgotten(at, versions) || repeated(at, versions) {
                true => drop(versions.remove(at)),
                false => at += 1,
            }
        }
    }
}

impl Task {
    fn following(self, rules: &Rules) -> Self {
        let steps = |planned: &Move| steps_under(rules, planned);
        match self {
            Self::Step { planned, step, heals } => {
                let step = step + 1;
                // The last steps of what is finished and of what is done in one go are the same.
                let (other, skipped) = match planned.planned {
                    Move::Rotate { slot } => (Move::FinishRotation { slot }, 3),
                    Move::Retire { slot } => (Move::FinishRetirement { slot }, 3),
                    _ => (planned.planned, 0),
                };
                let both = (steps(&planned.planned), steps(&other));
                match step >= skipped && skipped > 0 && both.0[usize::from(skipped)..] == *both.1 {
                    true => Self::Step { planned: Planned::new(other), step: step - skipped, heals },
                    false => Self::Step { planned, step, heals },
                }
            }
            other => other,
        }
    }

    fn is_last(self, rules: &Rules) -> bool {
        matches!(self, Self::Step { planned, step, .. } if usize::from(step) + 1 == steps_under(rules, &planned.get()).len())
    }
}

/// Whether consumers who ask now get a value that palisade made die.
pub fn broken_by_palisade(world: &World) -> bool {
    world.is_broken() && matches!(world.current(), Some(Value::Dead(_, By::Palisade)))
}

/// What people do from outside.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Deed {
    RegenerateInPortal(Slot),
    /// Stores a slot's value by hand, with the former version's tags or with none.
    StoreByHand {
        slot: Slot,
        copies_tags: bool,
    },
    Disable,
    Enable,
    Delete,
    Purge,
    SwitchAccessOff,
    SwitchAccessOn,
    DeclareRotatedAfter,
}

impl Deed {
    pub const ALL: [Self; 13] = [
        Self::RegenerateInPortal(Slot::Primary),
        Self::RegenerateInPortal(Slot::Secondary),
        Self::StoreByHand { slot: Slot::Primary, copies_tags: true },
        Self::StoreByHand { slot: Slot::Secondary, copies_tags: true },
        Self::StoreByHand { slot: Slot::Primary, copies_tags: false },
        Self::StoreByHand { slot: Slot::Secondary, copies_tags: false },
        Self::Disable,
        Self::Enable,
        Self::Delete,
        Self::Purge,
        Self::SwitchAccessOff,
        Self::SwitchAccessOn,
        Self::DeclareRotatedAfter,
    ];
}

impl State {
    /// Somebody interferes; none if that deed can't be done here.
    pub fn interfere(&self, deed: Deed) -> Option<Self> {
        let mut next = self.clone();
        let world = &mut next.world;
        let there = !world.versions.is_empty();
        match deed {
            Deed::RegenerateInPortal(slot) if world.access => next.kill(slot, By::Person),
            Deed::StoreByHand { slot, copies_tags } if world.access && world.shelf != Shelf::Deleted => {
                let copied = world.versions.first().filter(|_| copies_tags).map(|version| version.notes);
                if copies_tags && copied.is_none() {
                    return None;
                }
                next.store(Value::Live(slot), copied.unwrap_or_default());
            }
            Deed::Disable if there && world.shelf == Shelf::Present => world.shelf = Shelf::Disabled,
            Deed::Enable if world.shelf == Shelf::Disabled => world.shelf = Shelf::Present,
            Deed::Delete if there && world.shelf == Shelf::Present => world.shelf = Shelf::Deleted,
            Deed::Purge if world.shelf == Shelf::Deleted => next.purge(),
            Deed::SwitchAccessOff if world.access => {
                world.access = false;
                next.kill(Slot::Primary, By::Person);
                next.kill(Slot::Secondary, By::Person);
            }
            Deed::SwitchAccessOn if !world.access => {
                world.access = true;
                world.own_keys = false;
            }
            Deed::DeclareRotatedAfter if world.rotated_after.is_none() => world.rotated_after = Some(0),
            _ => return None,
        }
        // What a person did since may be why a run does something again.
        next.world.loose = [false; 2];
        next.canonical();
        Some(next)
    }

    fn purge(&mut self) {
        let world = &mut self.world;
        let (mut superseded, cache) = (0, world.scale.cache);
        for version in &world.versions {
            if superseded < cache && !world.lingering.contains(&(version.value, superseded)) {
                world.lingering.push((version.value, superseded));
            }
            superseded = version.age;
        }
        world.versions.clear();
        world.shelf = Shelf::Present;
        for runner in &mut self.runners {
            if let Runner::Send { request: Sending::Tag { back, .. }, .. } = runner {
                *back = u8::MAX / 2;
            }
        }
    }
}

/// Tags of a key that palisade issued itself.
pub fn issued_notes(slot: Slot) -> Notes {
    Notes { issued: Some(0), ..Notes::from_tags(&Tags { slot: Some(slot), ..Tags::default() }) }
}
