//! Runners and people, and everything that either can do to a world.
//!
//! A runner reads the slots, reads the vault, asks the rotation under test what to send, and sends it: each its own
//! transition, so that anything can happen in between. It can die at any of them, its requests can fail without effect
//! or take effect and lose their answer. What it decides comes from `palisade::rotation` alone.

use std::fmt;

use palisade::rotation::{
    Check, Facts, Hold, Move, Request, Resolved, Rotation, Rules, Run, StepKind, Tags, Verify, Warning, assess_under,
    resolve, steps_under,
};

use super::world::{By, Notes, Value, World, now, value};
use palisade::terms::Slot;

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
    Step { planned: Move, step: u8, heals: u8 },
    /// The last comparison of a run that waited in vain.
    Close { heals: u8 },
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
    Reserve(Notes),
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
    /// Complete runs go on sending, or asking for a look.
    Restless,
    /// Complete runs wait for a person to say whose keys these are, though palisade made them.
    Stuck,
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
        let begin = |planned: Move, heals| Runner::Ready(Task::Step { planned, step: 0, heals });
        let (planned, step, heals) = match task {
            Task::Assess => {
                return match self.next(rules, &facts) {
                    Some(planned) if !steps_under(rules, &planned).is_empty() => {
                        (begin(planned, HEALS), What::Plans(planned))
                    }
                    _ => (Runner::Idle, What::Says("has nothing to do and ends")),
                };
            }
            Task::Step { planned, step, heals } => match steps_under(rules, &planned).get(usize::from(step)) {
                Some(kind) => (planned, *kind, heals),
                None => return (Runner::Idle, What::Says("ends")),
            },
            // What the run was for makes no difference to a comparison.
            Task::Close { heals } => (Move::RecoverSecret, StepKind::CompareAgain, heals),
        };
        let run = Run { declared: &declared, planned, plan: "", rules: *rules };
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
            Check::Abort(_) | Check::Unread(_) => (Runner::Idle, What::Step("ends before", step)),
            Check::Heal(_) if heals == 0 => (Runner::Idle, What::Says("gives up healing")),
            Check::Heal(heal) => (begin(heal, heals - 1), What::Heals(heal)),
        }
    }

    /// What a run does that begins now. One that looks at dates only finds out about values as it applies.
    fn next(&self, rules: &Rules, facts: &Facts) -> Option<Move> {
        let declared = self.world.declared();
        if !self.world.scale.dates {
            return assess_under(rules, &declared, facts, now()).next;
        }
        let by_dates = Rotation { verify: Verify::Metadata, ..(*declared).clone() };
        let seen = assess_under(rules, &by_dates, &self.world.dates(), now());
        let retires = seen.due.is_none_or(|due| due > now());
        match seen.next {
            Some(Move::Resolve) => match resolve(&declared, facts, retires, now()) {
                Resolved::Do(planned) => Some(planned),
                Resolved::Person(_) | Resolved::Unread(_) => None,
            },
            other => other,
        }
    }

    /// What is wrong with a state in which complete runs send nothing.
    pub fn unrest(&self, rules: &Rules) -> Option<(Harm, String)> {
        let World { scale, ours, own_keys, .. } = self.world;
        let facts = self.world.facts([Value::Live(Slot::Primary), Value::Live(Slot::Secondary)]);
        let declared = self.world.declared();
        if scale.dates {
            let by_dates = Rotation { verify: Verify::Metadata, ..(*declared).clone() };
            let next = assess_under(rules, &by_dates, &self.world.dates(), now()).next;
            let person = matches!(resolve(&declared, &facts, true, now()), Resolved::Person(_));
            return (next == Some(Move::Resolve) && !person).then(|| (Harm::Restless, "\n  and asks again".to_owned()));
        }
        let seen = assess_under(rules, &declared, &facts, now());
        let held = seen.holds.iter().any(|hold| matches!(hold, Hold::Adoption { .. }));
        let stuck = ours && !own_keys && (held || seen.warnings.contains(&Warning::AdoptionUndeclared));
        stuck.then(|| (Harm::Stuck, "\n  and waits for `adoptedOn`".to_owned()))
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
            Request::Reserve { tags } => Sending::Reserve(Notes::from_tags(tags)),
            Request::Recover => Sending::Recover,
        })
    }
}

impl Task {
    fn following(self, rules: &Rules) -> Self {
        let steps = |planned: &Move| steps_under(rules, planned);
        match self {
            Self::Step { planned, step, heals } => {
                let step = step + 1;
                // The last steps of what is finished and of what is done in one go are the same.
                let (other, skipped) = match planned {
                    Move::Rotate { slot } => (Move::FinishRotation { slot }, 3),
                    Move::Retire { slot } => (Move::FinishRetirement { slot }, 3),
                    _ => (planned, 0),
                };
                let both = (steps(&planned), steps(&other));
                match step >= skipped && skipped > 0 && both.0[usize::from(skipped)..] == *both.1 {
                    true => Self::Step { planned: other, step: step - skipped, heals },
                    false => Self::Step { planned, step, heals },
                }
            }
            other => other,
        }
    }

    fn is_last(self, rules: &Rules) -> bool {
        matches!(self, Self::Step { planned, step, .. } if usize::from(step) + 1 == steps_under(rules, &planned).len())
    }
}

/// Whether consumers who ask now get a value that palisade made die.
pub fn broken_by_palisade(world: &World) -> bool {
    world.is_broken() && matches!(world.current(), Some(Value::Dead(_, By::Palisade)))
}

/// Tags of a key that palisade issued itself.
pub fn issued_notes(slot: Slot) -> Notes {
    Notes { issued: Some(0), ..Notes::from_tags(&Tags { slot: Some(slot), ..Tags::default() }) }
}
