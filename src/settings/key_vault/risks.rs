//! How bad each change of the Key Vault link would be as a mistake.

use crate::plan::{Rated, Risk};
use crate::settings::attestation::LOOK;

pub(super) const LINK: Rated = Rated { what: "link a Key Vault", risk: Risk::Elevated };
pub(super) const REPLACE: Rated =
    Rated { what: "link a Key Vault in place of another, whose connections may stop", risk: Risk::High };
pub(super) const GRANT: Rated = Rated { what: "grant Customer Insights rights on a vault", risk: Risk::High };

/// The table, for `explain risk`.
pub(super) const RISKS: &[Rated] = &[LINK, REPLACE, GRANT, LOOK];
