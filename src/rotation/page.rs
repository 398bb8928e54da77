//! What a person can read about rotation, told by the code itself.
//!
//! The diagram and the crash matrix come out of assessing small cases and carrying moves out on them, step by step. What
//! must stay true: nothing in them is written by hand, so they can't say what the code doesn't do.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use jiff::{SignedDuration, Timestamp};

use super::assess;
use super::assessment::{Assessment, Move, State};
use super::checks::Run;
use super::declared::{Rotation, after};
use super::facts::{Access, Content, Facts, Published, Secret, Slots, VaultClock, Version};
use super::fingerprint::{Fingerprint, FingerprintKey};
use super::steps::{Check, Request, steps};
use super::tags::Tags;
use crate::terms::Slot;

const INSTANCE: &str = "6f2b1c34-0000-4000-8000-00000000a001";

/// What a move leaves behind if the run dies after one of its steps.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Crash {
    /// The move.
    pub planned: &'static str,
    /// The last step that was done.
    pub after: &'static str,
    /// What holds then.
    pub state: State,
    /// What the next run does.
    pub next: &'static str,
    /// Whether the next run regenerates a key.
    pub regenerates: bool,
}

impl State {
    /// The state's name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Settled => "settled",
            Self::InGrace => "inGrace",
            Self::Due => "due",
            Self::Unfinished => "unfinished",
            Self::Retirable => "retirable",
            Self::Unpublished => "unpublished",
            Self::Outage => "outage",
            Self::ConsumersBlocked => "consumersBlocked",
            Self::SoftDeleted => "softDeleted",
            Self::Foreign => "foreign",
            Self::AccessOff => "accessOff",
            Self::Inconsistent => "inconsistent",
            Self::AgeOnly => "ageOnly",
            Self::Unknown => "unknown",
        }
    }
}

impl Move {
    /// The move's name.
    pub fn name(self) -> &'static str {
        match self {
            Self::FirstPublication { .. } => "first publication",
            Self::PublishNewKeys { .. } => "switch on and publish",
            Self::Rotate { .. } => "rotate",
            Self::FinishRotation { .. } => "finish the rotation",
            Self::Repair { .. } => "repair",
            Self::Retire { .. } => "retire",
            Self::FinishRetirement { .. } => "finish the retirement",
            Self::RecoverSecret => "recover the secret",
            Self::Resolve => "look at the values when applying",
            Self::NoteLook => "note what the values showed",
            Self::AskPerson(_) => "ask a person",
        }
    }
}

/// A case that moves are carried out on.
#[derive(Clone)]
struct Case {
    declared: Rotation,
    facts: Facts,
    now: Timestamp,
    /// Values that came into being.
    issued: u8,
}

fn value(number: u8) -> Fingerprint {
    FingerprintKey::derive("tenant", "vault").fingerprint(&[number])
}

impl Case {
    /// API access on, and nothing published.
    fn new() -> Self {
        let slots = Slots::Read { primary: value(1), secondary: value(2) };
        Self {
            declared: Rotation { adopted_on: "2026-01-01".parse().ok(), ..Rotation::new(INSTANCE) },
            facts: Facts {
                access: Access::On,
                made: Vec::new(),
                slots,
                secret: Secret::Absent,
                clock: VaultClock::Agrees,
            },
            now: Timestamp::UNIX_EPOCH + SignedDuration::from_hours(24 * 365 * 57),
            issued: 2,
        }
    }

    /// Primary is published and has just replaced nothing.
    fn settled() -> Self {
        Self::new().done()
    }

    fn assess(&self) -> Assessment {
        assess(&self.declared, &self.facts, self.now)
    }

    /// The same, days later.
    fn days(mut self, days: i64) -> Self {
        self.now = after(self.now, SignedDuration::from_hours(24 * days));
        self
    }

    /// The same, after a complete run.
    fn done(mut self) -> Self {
        if let Some(planned) = self.assess().next {
            (0..steps(&planned).len()).for_each(|step| self.step(planned, step));
        }
        self
    }

    fn step(&mut self, planned: Move, step: usize) {
        let Some(kind) = steps(&planned).get(step) else { return };
        let run = Run::new(&self.declared, planned, "sha256:…");
        if let Check::Continue(request) = run.check(*kind, &self.facts, self.now) {
            self.take_effect(request);
        }
    }

    fn take_effect(&mut self, request: Request) {
        match request {
            Request::Nothing | Request::Probe { .. } => {}
            Request::EnableAccess => {
                self.facts.access = Access::On;
                self.facts.made = vec![self.now; 2];
            }
            Request::Reserve { tags } => self.store(Content::Disabled, tags),
            Request::Recover => self.facts.secret = Self::settled().facts.secret,
            Request::Regenerate { slot } => self.regenerate(slot),
            Request::Tag { tags, .. } => {
                if let Secret::Present(published) = &mut self.facts.secret {
                    published.current.tags = tags;
                }
            }
            Request::Publish { value, tags, .. } => self.publish(value, tags),
        }
    }

    fn regenerate(&mut self, slot: Slot) {
        self.issued += 1;
        if let Slots::Read { primary, secondary } = &mut self.facts.slots {
            let place = if slot == Slot::Primary { primary } else { secondary };
            *place = value(self.issued);
        }
    }

    fn publish(&mut self, value: Fingerprint, tags: Tags) {
        self.store(Content::Read(value), tags);
    }

    fn store(&mut self, content: Content, tags: Tags) {
        let mut history = match std::mem::replace(&mut self.facts.secret, Secret::Absent) {
            Secret::Present(published) => {
                let Published { current, history } = *published;
                std::iter::once(current).chain(history.into_iter().flatten()).collect()
            }
            _ => Vec::new(),
        };
        history.truncate(8);
        let previous = history.first().map(|version: &Version| version.id.clone());
        let id = format!("{:032x}", history.len() + 1);
        let current = Version { id, created: self.now, content, tags, previous };
        self.facts.secret = Secret::Present(Box::new(Published { current, history: Ok(history) }));
    }

    fn change_current(mut self, change: impl FnOnce(&mut Version)) -> Self {
        if let Secret::Present(published) = &mut self.facts.secret {
            change(&mut published.current);
        }
        self
    }
}

/// Moves that the crash matrix looks at, each with a case that asks for it.
fn cases() -> Vec<Case> {
    let due = Case::settled().days(200);
    let mut broken = Case::settled();
    broken.regenerate(Slot::Primary);
    let mut deleted = Case::settled();
    deleted.facts.secret = Secret::SoftDeleted;
    vec![Case::new(), due.clone(), due.done().days(30), broken, untouched(), switched_off(), deleted]
}

/// The API is off, and nothing was ever published.
fn untouched() -> Case {
    let mut untouched = Case::new();
    untouched.facts.access = Access::Off;
    untouched
}

/// The API was switched off, and the keys didn't outlive it: that is the harder one of two cases, of which no document says
/// which one happens.
fn switched_off() -> Case {
    let mut off = Case::settled();
    off.facts.access = Access::Off;
    (1..=2).for_each(|_| [Slot::Primary, Slot::Secondary].into_iter().for_each(|slot| off.regenerate(slot)));
    off
}

/// What the next run finds and does if a run dies: before the first step and after each.
pub fn crash_matrix() -> Vec<Crash> {
    let mut rows = Vec::new();
    for mut case in cases() {
        let Some(planned) = case.assess().next else { continue };
        let mut row = |after: &'static str, case: &Case| {
            let Assessment { state, next, .. } = case.assess();
            let regenerates = next.is_some_and(Move::regenerates);
            let next = next.map_or("nothing", Move::name);
            rows.push(Crash { planned: planned.name(), after, state, next, regenerates });
        };
        row("the plan", &case);
        for (number, step) in steps(&planned).iter().enumerate() {
            case.step(planned, number);
            row(step.name(), &case);
        }
    }
    rows
}

/// The crash matrix as a table in Markdown.
pub fn crash_table() -> String {
    let mut table = String::from(
        "| Move | The run dies after | What holds then | The next run does | It regenerates |\n|---|---|---|---|---|\n",
    );
    for Crash { planned, after, state, next, regenerates } in crash_matrix() {
        let regenerates = if regenerates { "yes" } else { "no" };
        let _ = writeln!(table, "| {planned} | {after} | {} | {next} | {regenerates} |", state.name());
    }
    table
}

/// The states and what leads from one to the other, as a Mermaid diagram.
pub fn diagram() -> String {
    let mut edges = BTreeSet::new();
    let mut known = cases();
    for (from, event, to) in outside() {
        edges.insert((from.assess().state, event, to.assess().state));
        known.extend([from, to]);
    }
    for case in known {
        let Assessment { state, next: Some(next), .. } = case.assess() else { continue };
        if !matches!(next, Move::AskPerson(_)) {
            edges.insert((state, next.name(), case.done().assess().state));
        }
    }
    let mut text = String::from("stateDiagram-v2\n    [*] --> unpublished\n");
    for (from, event, to) in edges {
        let _ = writeln!(text, "    {} --> {}: {event}", from.name(), to.name());
    }
    text
}

/// What time and people do to a case.
fn outside() -> Vec<(Case, &'static str, Case)> {
    let settled = Case::settled();
    let due = settled.clone().days(200);
    let flipped = due.clone().done();
    let mut broken = settled.clone();
    broken.regenerate(Slot::Primary);
    let mut begun = untouched();
    if let Some(planned) = begun.assess().next {
        (0..2).for_each(|step| begun.step(planned, step));
    }
    let with = |secret: Secret| Case { facts: Facts { secret, ..settled.facts.clone() }, ..settled.clone() };
    let disabled = settled.clone().change_current(|version| version.content = Content::Disabled);
    let foreign = with(foreign_secret(settled.now));
    let mut unfinished = due.clone();
    if let Some(planned) = due.assess().next {
        (0..2).for_each(|step| unfinished.step(planned, step));
    }
    vec![
        (settled.clone(), "the key comes of age", due.clone()),
        (flipped.clone(), "grace ends", flipped.days(8)),
        (due, "a run dies after regenerating", unfinished),
        (untouched(), "a run dies after switching on", begun),
        (settled.clone(), "somebody regenerates the published key", broken),
        (settled.clone(), "somebody disables the version", disabled.clone()),
        (disabled, "a person enables it", settled.clone()),
        (settled.clone(), "somebody deletes the secret", with(Secret::SoftDeleted)),
        (settled.clone(), "somebody stores something else", foreign),
        (settled.clone(), "somebody switches the API off", switched_off()),
        (settled.clone(), "something can't be read", with(Secret::Unknown("403".to_owned()))),
    ]
}

fn foreign_secret(now: Timestamp) -> Secret {
    let tags = Tags::default();
    let current = Version { id: "f".to_owned(), created: now, content: Content::Read(value(99)), tags, previous: None };
    Secret::Present(Box::new(Published { current, history: Ok(Vec::new()) }))
}

/// The page that `palisade explain rotation` shows.
pub fn explanation() -> String {
    let mut page = String::from(EXPLANATION);
    page += "\nThe steps of a rotation:\n";
    for (number, step) in steps(&Move::Rotate { slot: Slot::Secondary }).iter().enumerate() {
        let _ = writeln!(page, "  {}. {}", number + 1, step.name());
    }
    page += "\nThe steps of a retirement:\n";
    for (number, step) in steps(&Move::Retire { slot: Slot::Secondary }).iter().enumerate() {
        let _ = writeln!(page, "  {}. {}", number + 1, step.name());
    }
    page += "\nIf a run dies, the next one goes on from what it finds:\n";
    let rows = crash_matrix();
    let width = rows.iter().map(|row| row.planned.len() + row.after.len()).max().unwrap_or(0) + 2;
    for Crash { planned, after, next, .. } in rows {
        let _ = writeln!(page, "  {:<width$}  then: {next}", format!("{planned}: {after}"));
    }
    page
}

const EXPLANATION: &str = "\
An environment has two API keys, and consumers read one of them from a secret in a vault. The slot
whose value the secret holds is active, the other one is standby. Palisade finds out which is which
by comparing values; tags are notes, never the reason for anything that could cut a consumer off.

When the published key comes of age (`maxAge` less `renewBefore`, spread by environment), or when
`rotatedAfter` says that it is compromised, the standby slot is regenerated and published. The
former key stays valid for `grace`; then, in a later run, it is retired by regenerating its slot.
One slot is regenerated per run. What can't be read is unknown, and then nothing is regenerated or
published.

If somebody regenerates the published key in the portal, consumers hold a dead key. The next run
publishes the other one, which is alive, and regenerates nothing; neither `windows` nor `grace` hold
that up.
";
