//! How bad each change of users would be as a mistake.

use super::block::Role;
use crate::plan::{Rated, Risk};

const GRANT_ADMIN: Rated = Rated { what: "grant Admin", risk: Risk::High };
const GRANT_CONTRIBUTOR: Rated = Rated { what: "grant Contributor or Marketing Contributor", risk: Risk::Elevated };
const GRANT_VIEWER: Rated = Rated { what: "grant Viewer", risk: Risk::Low };
const TAKE_ADMIN: Rated = Rated { what: "remove or downgrade an Admin", risk: Risk::High };
const TAKE_OTHER: Rated = Rated { what: "remove or downgrade a principal that isn't Admin", risk: Risk::Elevated };

/// The table, for `explain risk`.
pub(in crate::settings) const RISKS: &[Rated] = &[GRANT_ADMIN, GRANT_CONTRIBUTOR, GRANT_VIEWER, TAKE_ADMIN, TAKE_OTHER];

/// A principal gets a role that allows more than it has.
pub(super) fn granting(role: Role) -> Rated {
    match role {
        Role::Admin => GRANT_ADMIN,
        Role::Contributor | Role::MarketingContributor => GRANT_CONTRIBUTOR,
        Role::Viewer => GRANT_VIEWER,
    }
}

/// A principal loses a role, or gets one that allows less.
pub(super) fn taking(was_admin: bool) -> Rated {
    if was_admin { TAKE_ADMIN } else { TAKE_OTHER }
}

/// What a summary says of somebody who becomes Admin.
pub(super) const GAINS_ADMIN: &str = "Gains Admin";
/// What it says of somebody who stays, or goes, without it.
pub(super) const LOSES_ADMIN: &str = "Loses Admin";
/// What it says of somebody else who goes.
pub(super) const LOSES_ACCESS: &str = "Loses access";
