//! What an approval hangs on besides what people see: the ids that writes depend on.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::{Deserialize, Serialize};

/// Every id that the writes of a change depend on, by name. Part of what is approved.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Binds(BTreeMap<String, String>);

impl Binds {
    /// No ids.
    pub fn none() -> Self {
        Self::default()
    }

    /// These, and one more. A second value for a name is kept beside the first: none may get lost.
    #[must_use]
    pub fn and(mut self, name: &str, id: impl fmt::Display) -> Self {
        let id = id.to_string();
        self.0
            .entry(name.to_owned())
            .and_modify(|held| {
                if !held.split(", ").any(|one| one == id) {
                    *held += &format!(", {id}");
                }
            })
            .or_insert(id);
        self
    }

    /// Whether each of some ids is among these, under its name.
    pub fn covers(&self, others: &Self) -> bool {
        others.0.iter().all(|(name, id)| self.0.get(name) == Some(id))
    }

    /// In which ids these differ from `others`, in words.
    pub fn differences(&self, others: &Self) -> String {
        let names: BTreeSet<&String> = self.0.keys().chain(others.0.keys()).collect();
        let differ = names.into_iter().filter(|name| self.0.get(*name) != others.0.get(*name)).map(|name| {
            let shown = |binds: &Self| binds.0.get(name).map_or("none", String::as_str).to_owned();
            format!("{name} is {}, approved was {}", shown(self), shown(others))
        });
        differ.collect::<Vec<_>>().join("; ")
    }

    /// These and others.
    #[must_use]
    pub fn with(self, others: Self) -> Self {
        others.0.into_iter().fold(self, |all, (name, id)| all.and(&name, id))
    }
}
