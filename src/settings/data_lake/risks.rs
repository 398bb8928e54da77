//! How bad each change of a lake would be as a mistake.

use crate::plan::{Rated, Risk};
use crate::settings::encryption_keys::upkeep;

pub(super) const IDENTITY: Rated = Rated { what: "give a storage account an identity of its own", risk: Risk::Low };
pub(super) const GRANT: Rated =
    Rated { what: "grant a storage account's identity the use of the keys in a vault", risk: Risk::High };
pub(super) const ENCRYPT: Rated = Rated {
    what: "encrypt a storage account with a customer-managed key, without which its data can't be read",
    risk: Risk::Critical,
};
pub(super) const SWITCH: Rated =
    Rated { what: "encrypt a storage account with another customer-managed key", risk: Risk::Critical };
pub(super) const REVERT: Rated = Rated { what: "put a storage account back on Microsoft's key", risk: Risk::High };
pub(super) const CLOSE: Rated = Rated {
    what: "close public network access to a storage account, which cuts off everyone who comes over the internet",
    risk: Risk::Critical,
};
pub(super) const OPEN: Rated = Rated { what: "open public network access to a storage account", risk: Risk::Critical };

/// The table, for `explain risk`.
pub(super) const RISKS: &[Rated] = &[IDENTITY, GRANT, ENCRYPT, SWITCH, REVERT, CLOSE, OPEN, upkeep::REPAIR];
