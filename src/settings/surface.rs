//! Which operations this run may use, as data.

use jiff::SignedDuration;

use crate::azure::Provenance;
use crate::plan::Mode;

/// Whether unpublished operations are called or left to people.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Surface {
    /// Operations that are only seen in public code.
    pub observed: Mode,
    /// Operations that nobody has published. Automatic only where the emulator serves them.
    pub undocumented: Mode,
    /// How long a role that was granted in Azure takes to count everywhere: up to five minutes, as Microsoft's module for enterprise
    /// policies says. In the emulator it counts at once, unless its world says otherwise.
    pub roles_count_after: SignedDuration,
}

/// See [`Surface::roles_count_after`].
const ROLES_COUNT_AFTER: SignedDuration = SignedDuration::from_mins(5);

impl Surface {
    /// The emulator serves everything.
    pub const EMULATOR: Self =
        Self { observed: Mode::Automatic, undocumented: Mode::Automatic, roles_count_after: SignedDuration::ZERO };

    /// A real cloud, or an emulator that is to be treated as one.
    pub fn cloud(observed: Mode) -> Self {
        Self { observed, undocumented: Mode::Manual, roles_count_after: ROLES_COUNT_AFTER }
    }

    /// Who carries out an operation of this provenance.
    pub fn mode(self, provenance: Provenance) -> Mode {
        match provenance {
            Provenance::Documented => Mode::Automatic,
            Provenance::Observed => self.observed,
            Provenance::Undocumented => self.undocumented,
        }
    }
}
