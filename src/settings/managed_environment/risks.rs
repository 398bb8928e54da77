//! How bad a change of Managed Environments would be as a mistake.

use crate::plan::{Rated, Risk};

pub(super) const ENABLE: Rated = Rated {
    what: "make an environment a Managed Environment, whose users need premium licences",
    risk: Risk::Elevated,
};

/// The table, for `explain risk`.
pub(super) const RISKS: &[Rated] = &[ENABLE];
