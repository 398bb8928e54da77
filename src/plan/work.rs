//! The work that a change takes: steps that palisade carries out, or what a person does.
//!
//! Invariants: work is one or the other, never both and never neither; a person is always told where, what, with which values,
//! and what will show that it is done.

use std::collections::BTreeSet;
use std::rc::Rc;

use super::binds::Binds;
use super::change::{By, ManualStep, Mode};
use super::hold::Hold;
use super::step::Step;
use crate::terms::ResourceId;

/// Who makes a change, and how.
#[derive(Clone)]
pub enum Work {
    /// Palisade, by these writes, in order.
    Steps(Vec<Rc<dyn Step>>),
    /// A person.
    Person {
        /// What the person does.
        step: Box<ManualStep>,
        /// Every id that it depends on.
        binds: Binds,
    },
}

impl Work {
    /// These steps where `mode` lets palisade take them, else what a person does in their place. Either depends on the same ids.
    pub fn of(mode: Mode, steps: Vec<Rc<dyn Step>>, by_hand: impl FnOnce() -> ManualStep) -> Self {
        match mode {
            Mode::Automatic => Self::Steps(steps),
            Mode::Manual => Self::Person { step: Box::new(by_hand()), binds: binds(&steps) },
        }
    }

    /// What a person does where palisade has no steps at all.
    pub fn person(step: ManualStep) -> Self {
        Self::Person { step: Box::new(step), binds: Binds::none() }
    }

    /// A single step.
    pub fn step(step: Rc<dyn Step>) -> Self {
        Self::Steps(vec![step])
    }

    pub(super) fn by(&self) -> By {
        match self {
            Self::Steps(_) => By::Palisade,
            Self::Person { step, binds: _ } => By::Person { step: step.clone() },
        }
    }

    pub(super) fn binds(&self) -> Binds {
        match self {
            Self::Steps(steps) => binds(steps),
            Self::Person { step: _, binds } => binds.clone(),
        }
    }

    pub(super) fn steps(&self) -> &[Rc<dyn Step>] {
        match self {
            Self::Steps(steps) => steps,
            Self::Person { .. } => &[],
        }
    }

    pub(super) fn takes(&self) -> Vec<ResourceId> {
        self.steps().iter().flat_map(|step| step.takes()).collect()
    }

    pub(super) fn holds(&self) -> BTreeSet<Hold> {
        self.steps().iter().flat_map(|step| step.holds()).collect()
    }
}

fn binds(steps: &[Rc<dyn Step>]) -> Binds {
    steps.iter().fold(Binds::none(), |all, step| all.with(step.binds()))
}
