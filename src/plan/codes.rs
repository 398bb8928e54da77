//! The codes of the notes that deriving a plan brings.

use super::note::notes;

notes! {
    REQUIREMENT_CIRCLE = refusal "requirement-circle": "Changes require each other, so none of them can be made first.",
        "Each change of the circle must wait until another one of it is done and read back, also across settings and \
         environments. Palisade starts none of them. Make one of them by hand, or take one of them out of the file for now, \
         then plan again.";
}
