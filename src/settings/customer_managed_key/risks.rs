//! How bad each change of an environment's key would be as a mistake.

use crate::plan::{Rated, Risk};
use crate::settings::encryption_keys::upkeep;

pub(super) const LINK: Rated = Rated {
    what: "link an environment to a customer-managed key, which locks its users out for up to four days and makes its data depend \
           on that key",
    risk: Risk::Critical,
};
pub(super) const SWAP: Rated = Rated {
    what: "link an environment to another customer-managed key, which locks its users out for up to four days",
    risk: Risk::Critical,
};
pub(super) const REVERT: Rated = Rated {
    what: "put an environment back on Microsoft's key, which locks its users out for up to four days",
    risk: Risk::Critical,
};
pub(super) const CREATE: Rated = Rated { what: "create an enterprise policy", risk: Risk::Low };
pub(super) const GRANT: Rated =
    Rated { what: "grant an enterprise policy's identity the use of the keys in a vault", risk: Risk::High };

/// The table, for `explain risk`.
pub(super) const RISKS: &[Rated] = &[LINK, SWAP, REVERT, CREATE, GRANT, upkeep::REPAIR, upkeep::ROTATE, upkeep::SET];
