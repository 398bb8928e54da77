//! The two API keys of an instance.

use std::fmt;

/// One of the two keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Slot {
    /// The primary key.
    Primary,
    /// The secondary key.
    Secondary,
}

impl Slot {
    /// The slot that this one isn't.
    #[must_use]
    pub fn other(self) -> Self {
        match self {
            Self::Primary => Self::Secondary,
            Self::Secondary => Self::Primary,
        }
    }

    /// As plans, tags and addresses write it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Primary => "primary",
            Self::Secondary => "secondary",
        }
    }

    /// The slot of this name.
    pub fn named(name: &str) -> Option<Self> {
        [Self::Primary, Self::Secondary].into_iter().find(|slot| slot.name() == name)
    }
}

impl fmt::Display for Slot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}
