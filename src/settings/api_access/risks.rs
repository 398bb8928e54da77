//! How bad each change of API access and its keys would be as a mistake.

use crate::plan::{Rated, Risk};
use crate::settings::attestation::LOOK;

pub(super) const OPEN_ACCESS: Rated = Rated { what: "switch API access on", risk: Risk::High };
pub(super) const CLOSE_ACCESS: Rated =
    Rated { what: "switch API access off, which cuts off all of its clients", risk: Risk::Critical };
pub(super) const PUBLISH: Rated = Rated { what: "publish a key to its vault", risk: Risk::Elevated };
pub(super) const RECOVER: Rated = Rated { what: "recover the deleted secret of the key", risk: Risk::Low };
pub(super) const ROTATE: Rated = Rated { what: "replace the standby key and publish it", risk: Risk::Elevated };
pub(super) const RETIRE: Rated = Rated { what: "retire a replaced key after its grace", risk: Risk::High };
pub(super) const FINISH: Rated = Rated { what: "note that a key was retired", risk: Risk::Low };

/// The table, for `explain risk`.
pub(super) const RISKS: &[Rated] = &[OPEN_ACCESS, CLOSE_ACCESS, PUBLISH, RECOVER, ROTATE, RETIRE, FINISH, LOOK];
