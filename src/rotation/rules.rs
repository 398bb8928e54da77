//! The rules that make rotation sound, each with a switch.
//!
//! Everything outside the proof uses [`Rules::ALL`]. The proof switches one off at a time and must then find the harm that
//! the rule prevents; a rule whose absence goes unnoticed would be a rule that nothing checks.

/// Which rules hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rules {
    /// The live slot is found by comparing values, not by a tag.
    pub values_decide: bool,
    /// A value that may still be held by somebody is not regenerated.
    pub spare_published: bool,
    /// An intent is noted before a regeneration, so that a later run sees from values whether it took place. Without
    /// this, a marker written afterwards decides.
    pub intent_first: bool,
    /// Each regeneration rests on facts read immediately before it.
    pub fresh_checks: bool,
    /// After each write the vault is compared with the slots again, and a dead value is replaced at once.
    pub compare_again: bool,
}

impl Rules {
    /// All of them.
    pub const ALL: Self = Self {
        values_decide: true,
        spare_published: true,
        intent_first: true,
        fresh_checks: true,
        compare_again: true,
    };
}

impl Default for Rules {
    fn default() -> Self {
        Self::ALL
    }
}
