//! What is at stake: what a setting knows of the harm that its changes could do, for the guards to judge.
//!
//! Invariants: a stake tells what was observed and what the changes would make of it, and judges nothing; what isn't known
//! is told as not known.

use std::collections::BTreeSet;

use super::change::Address;
use super::only::Only;
use crate::terms::ObjectId;

/// Something that a setting's changes could put at risk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Stake {
    /// Who administers an environment.
    Administrators(Administrators),
}

/// How much of something would be lost at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Share {
    /// Who or what, and what becomes of it: `Admins would lose the role`.
    pub what: &'static str,
    /// How many would be lost.
    pub lost: usize,
    /// Of how many.
    pub of: usize,
}

impl Stake {
    /// The same at the moment of a removal, when promises don't count: what is still to come into being may never do so.
    #[must_use]
    pub fn without_promises(&self) -> Self {
        match self {
            Self::Administrators(administrators) => Self::Administrators(administrators.without_promises()),
        }
    }

    /// How much of it the changes within a limit would take away.
    pub fn share(&self, only: &Only) -> Share {
        match self {
            Self::Administrators(Administrators { losses, before, .. }) => {
                let lost = losses.iter().filter(|loss| loss.was_admin && only.allows(&loss.address)).count();
                Share { what: "Admins would lose the role", lost, of: before.len() }
            }
        }
    }
}

/// Who administers an environment, before and after its changes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Administrators {
    /// The setting that decides it.
    pub setting: Address,
    /// Every id that names the identity that runs palisade; empty if it isn't known.
    pub caller: BTreeSet<ObjectId>,
    /// Why it isn't known.
    pub caller_unknown: Option<String>,
    /// Whether the caller has the role Admin now.
    pub caller_is_admin: bool,
    /// Admins now.
    pub before: Vec<Administrator>,
    /// Admins after all changes of the plan.
    pub after: Vec<Administrator>,
    /// Whose role goes or shrinks.
    pub losses: Vec<Loss>,
    /// Protected principals that aren't there, or could not be looked up.
    pub unprotected: Vec<Unprotected>,
}

/// An entry of `breakGlass` that protects nobody, or nobody that is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unprotected {
    /// Its own address.
    pub address: Address,
    /// As the file names it.
    pub name: String,
    /// Why it could not be looked up; none if the directory answered that there is no such principal.
    pub reason: Option<String>,
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
    /// Object id.
    pub id: ObjectId,
    /// What it is.
    pub kind: Kind,
    /// For a person.
    pub label: String,
    /// Why it isn't known who they are, if the directory didn't tell.
    pub unread: Option<String>,
    /// The people who exist, may sign in and are Admin by this: the user, or the members of the group. What isn't known
    /// isn't among them.
    pub persons: BTreeSet<ObjectId>,
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
    /// Object id.
    pub id: ObjectId,
    /// What it is.
    pub kind: Kind,
    /// For a person.
    pub label: String,
    /// Whether it is Admin now.
    pub was_admin: bool,
    /// Protected principals whose effective role it lowers.
    pub lowers: Vec<String>,
    /// Protected principals whose effective role it may lower: whether they are members could not be read.
    pub may_lower: Vec<String>,
}
