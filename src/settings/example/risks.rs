//! How bad each change of the title would be as a mistake.

use crate::plan::{Rated, Risk};

pub(super) const RENAME: Rated = Rated { what: "rename an environment", risk: Risk::Low };

/// The table, for `explain risk`.
pub(super) const RISKS: &[Rated] = &[RENAME];
