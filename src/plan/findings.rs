//! What comparing one setting of one environment brought.

use std::rc::Rc;

use super::change::{Address, Change};
use super::document::{Unknown, Waiting};
use super::note::Note;
use super::step::Step;

/// Everything that there is to say about one setting of one environment.
#[derive(Default)]
pub struct Findings {
    /// Differences to be closed.
    pub changes: Vec<Planned>,
    /// What was declared and could not be read.
    pub unknown: Vec<Unknown>,
    /// What is under way, or waits for a person.
    pub waiting: Vec<Waiting>,
    /// How many declared things are as declared.
    pub in_sync: usize,
    /// What the comparison noticed.
    pub notes: Vec<Note>,
    /// Who administers the environment, if this setting decides it; the guards look at it.
    pub administrators: Option<Administrators>,
}

impl Findings {
    /// These and others of the same setting.
    #[must_use]
    pub fn and(mut self, others: Findings) -> Self {
        let Findings { changes, unknown, waiting, in_sync, notes, administrators } = others;
        self.changes.extend(changes);
        self.unknown.extend(unknown);
        self.waiting.extend(waiting);
        self.in_sync += in_sync;
        self.notes.extend(notes);
        self.administrators = self.administrators.or(administrators);
        self
    }
}

/// A change with the steps that carry it out.
#[derive(Clone)]
pub struct Planned {
    /// What plans show.
    pub change: Change,
    /// Whether somebody or something has less afterwards; such changes come last.
    pub takes_away: bool,
    /// The change of the same environment that must be made before this one, if there is one.
    pub requires: Option<Address>,
    /// The writes, in order; none for a manual change.
    pub steps: Vec<Rc<dyn Step>>,
}

/// Who administers an environment, before and after its changes.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Administrators {
    /// The object id of the identity that runs palisade; `None` if the service didn't say.
    pub caller: Option<String>,
    /// Whether the caller has the role Admin now.
    pub caller_is_admin: bool,
    /// Admins now.
    pub before: Vec<Administrator>,
    /// Admins after all changes of the plan.
    pub after: Vec<Administrator>,
    /// Whose role goes or shrinks.
    pub losses: Vec<Loss>,
    /// Protected principals that could not be looked up.
    pub unresolved_break_glass: Vec<String>,
}

impl Administrators {
    /// Who stays Admin of those who are it now. Whoever only becomes it later is left out.
    #[must_use]
    pub fn without_promises(&self) -> Self {
        let is_admin = |admin: &&Administrator| self.before.iter().any(|now| now.id == admin.id);
        let after = self.after.iter().filter(is_admin).cloned().collect();
        Self { after, ..self.clone() }
    }
}

/// One principal with the role Admin.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Administrator {
    /// Object id, lower case.
    pub id: String,
    /// What it is.
    pub kind: Kind,
    /// For a person.
    pub label: String,
    /// For a group: how many principals it reaches, if that could be read.
    pub members: Option<u64>,
}

/// What a principal is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// A person.
    User,
    /// A group of principals.
    Group,
    /// An application's service principal.
    App,
    /// The directory didn't say.
    Unknown,
}

/// A principal whose role goes or shrinks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Loss {
    /// The change.
    pub address: Address,
    /// Object id, lower case.
    pub id: String,
    /// What it is.
    pub kind: Kind,
    /// For a person.
    pub label: String,
    /// Whether it is Admin now.
    pub was_admin: bool,
    /// Whether the configuration protects it.
    pub break_glass: bool,
}
