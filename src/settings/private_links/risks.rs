//! How bad each change of private links would be as a mistake.

use crate::plan::{Rated, Risk};
use crate::settings::attestation::LOOK;

pub(super) const ADD: Rated =
    Rated { what: "add a private link, whose connections stay pending", risk: Risk::Elevated };
pub(super) const ADD_AND_APPROVE: Rated =
    Rated { what: "add a private link and approve its connections from one subscription", risk: Risk::High };
pub(super) const APPROVE: Rated = Rated { what: "approve a private endpoint connection", risk: Risk::High };
pub(super) const RECREATE: Rated = Rated { what: "remove a private link and make it anew", risk: Risk::High };
pub(super) const REMOVE: Rated =
    Rated { what: "remove a private link to a resource that is open to the internet", risk: Risk::High };
pub(super) const REMOVE_ONLY_WAY: Rated =
    Rated { what: "remove a private link that may be the only way to a resource", risk: Risk::Critical };

/// The table, for `explain risk`.
pub(super) const RISKS: &[Rated] = &[ADD, ADD_AND_APPROVE, APPROVE, RECREATE, REMOVE, REMOVE_ONLY_WAY, LOOK];
