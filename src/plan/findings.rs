//! What comparing one setting of one environment brought.

use std::collections::BTreeSet;
use std::rc::Rc;

use serde_json::Value as Json;

use super::binds::Binds;
use super::change::{Action, Address, Change, Direction, Impact, Mode, Rated};
use super::document::{Unknown, Waiting};
use super::hold::Hold;
use super::lifeline::Lifeline;
use super::note::Note;
use super::stake::Stake;
use super::step::Step;
use super::work::Work;
use super::{danger, demand};
use crate::azure::Provenance;
use crate::azure::operations::Facts;
use crate::azure::rights::Holding;
use crate::terms::{Place, ResourceId};

/// Everything that there is to say about one setting of one environment.
#[derive(Default)]
pub struct Findings {
    /// Differences to be closed.
    pub changes: Vec<Planned>,
    /// What was declared and could not be read.
    pub unknown: Vec<Unknown>,
    /// What is under way, or waits for a person.
    pub waiting: Vec<Waiting>,
    /// How many declared things are in sync.
    pub in_sync: usize,
    /// The addresses whose declared state was read: what an approved change must show in to be in effect.
    pub in_effect: Vec<Address>,
    /// The collection that was read completely, so that what it doesn't list is gone.
    pub complete: Vec<Address>,
    /// The members that the collection lists, each as what a removal of it binds: whatever it is called by now, it is there.
    pub listed: Vec<Binds>,
    /// What stands behind addresses in effect that are names, each as what a change of it binds at least: a name may lead
    /// elsewhere than when a change was approved.
    pub behind: Vec<(Address, Binds)>,
    /// What the comparison noticed.
    pub notes: Vec<Note>,
    /// What its changes put at stake, whoever asked for them; the guards look at it. Empty where it decides nothing of the kind,
    /// or where that could not be read.
    pub stakes: Vec<Stake>,
    /// How many members the collection has that this setting removes from; none if it removes nothing, or isn't one.
    pub collection: Option<usize>,
    /// What goes on in the environment as a whole, in words; meanwhile no key is rotated or retired.
    pub under_way: Option<String>,
    /// What environments can't live without.
    pub lifelines: Vec<Lifeline>,
}

impl Findings {
    /// Something declared that was read to be so.
    pub fn settled(&mut self, address: Address) {
        self.in_sync += 1;
        self.in_effect.push(address);
    }

    /// These and others of the same setting.
    #[must_use]
    pub fn and(mut self, others: Findings) -> Self {
        let Findings {
            changes,
            unknown,
            waiting,
            in_sync,
            in_effect,
            complete,
            listed,
            behind,
            notes,
            stakes,
            collection,
            under_way,
            lifelines,
        } = others;
        self.changes.extend(changes);
        self.unknown.extend(unknown);
        self.waiting.extend(waiting);
        self.in_sync += in_sync;
        self.in_effect.extend(in_effect);
        self.complete.extend(complete);
        self.listed.extend(listed);
        self.behind.extend(behind);
        self.notes.extend(notes);
        self.stakes.extend(stakes);
        self.collection = self.collection.or(collection);
        self.under_way = self.under_way.or(under_way);
        self.lifelines.extend(lifelines);
        self
    }
}

/// What a setting says of a change. The rest follows from its operations and its steps.
pub struct Outline {
    /// What it is about.
    pub address: Address,
    /// The setting's key.
    pub setting: &'static str,
    /// What the address stands for, in a person's words.
    pub subject: String,
    /// What is done.
    pub action: Action,
    /// What it does to security.
    pub direction: Direction,
    /// How bad it would be if it were a mistake: a row of the setting's table.
    pub risk: Rated,
    /// What it does to people.
    pub impact: Impact,
    /// What is observed; null if there is nothing.
    pub before: Json,
    /// What is declared; null if there is to be nothing.
    pub after: Json,
    /// Why.
    pub reason: String,
    /// Where it is declared.
    pub source: Place,
    /// The operations that its steps call.
    pub operations: Vec<&'static Facts>,
}

/// A change with the work that it takes.
#[derive(Clone)]
pub struct Planned {
    /// What plans show.
    pub change: Change,
    /// Whether a principal or the environment has less afterwards; such changes come last.
    pub takes_away: bool,
    /// Whether it takes a member out of a collection, or the role Admin from one. Such changes have a budget.
    pub removes: bool,
    /// The intents of what may be left of it if a run stops half-way: the approval of the whole is one of the rest.
    pub remainders: Vec<Json>,
    /// What `change.by` follows from.
    work: Work,
}

impl Planned {
    /// A change that takes this work. What its writes depend on is asked of the steps themselves, so that no setting can forget
    /// an id.
    pub fn new(outline: Outline, work: Work) -> Self {
        let Outline {
            address,
            setting,
            subject,
            action,
            direction,
            risk,
            impact,
            before,
            after,
            reason,
            source,
            operations,
        } = outline;
        let provenance = operations.iter().map(|operation| operation.provenance).max();
        let permissions = demand::permissions(&operations, work.steps());
        let dangers = danger::of_impact(impact, &subject);
        let change = Change {
            address,
            setting: setting.to_owned(),
            subject,
            action,
            direction,
            risk: risk.risk,
            impact,
            dangers,
            provenance: provenance.unwrap_or(Provenance::Documented),
            by: work.by(),
            preimage: Change::preimage_of(&before),
            before,
            after,
            binds: work.binds(),
            due: None,
            approved_as: None,
            shown_at: Vec::new(),
            reason,
            requires: Vec::new(),
            permissions,
            demands: demand::demands(work.steps()),
            source,
            finishes: Vec::new(),
            digest: String::new(),
        };
        Self { change, takes_away: false, removes: false, remainders: Vec::new(), work }
    }

    /// The same change, after which a principal or the environment has less.
    #[must_use]
    pub fn taking_away(self, takes_away: bool) -> Self {
        Self { takes_away, ..self }
    }

    /// The same change, which takes a member out of a collection, or the role Admin from one.
    #[must_use]
    pub fn removing(self, removes: bool) -> Self {
        Self { removes, ..self }
    }

    /// The writes, in order; none if a person makes the change.
    pub fn steps(&self) -> &[Rc<dyn Step>] {
        self.work.steps()
    }

    /// The resources that others lose by it, or that they lose the use of.
    pub fn takes(&self) -> Vec<ResourceId> {
        self.work.takes()
    }

    /// What the change must have to itself while it is made.
    pub fn holds(&self) -> BTreeSet<Hold> {
        self.work.holds()
    }

    /// The same change, of which a person must know this before agreeing.
    #[must_use]
    pub fn dangerous(mut self, what: &str, who: impl Into<String>) -> Self {
        danger::add(&mut self.change.dangers, what, who.into());
        self
    }

    /// The same change, before which others must be made: of this setting or another one, of this scope or another one.
    #[must_use]
    pub fn requiring(mut self, others: impl IntoIterator<Item = Address>) -> Self {
        self.change.requires.extend(others);
        self
    }

    /// The same change, of which `rest` may be left if a run stops half-way.
    #[must_use]
    pub fn leaving(mut self, rest: &Change) -> Self {
        self.remainders.push(rest.intent());
        self
    }

    /// The same change, tried although it could not be confirmed that the caller may make it.
    #[must_use]
    pub fn in_doubt(mut self, holding: &Holding) -> Self {
        if let Some(doubt) = holding.doubt().filter(|_| self.change.mode() == Mode::Automatic) {
            self.change.reason = format!("{}; tried, although palisade {doubt}", self.change.reason);
        }
        self
    }
}
