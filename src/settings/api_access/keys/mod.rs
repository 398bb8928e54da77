//! `apiAccess.keys`: publishing the key in force, and replacing keys in turn.
//!
//! The rules are a pure function in [`rotation`](crate::rotation); here it gets its facts (`look`) and its moves become
//! changes (`compare`) and steps (`steps`). What must stay true: a value lives only as a secret between reading it and
//! storing it; everything else sees fingerprints; each step looks again before it acts.
//! What people do by hand stands in `publish` and `revoke`, with the guards of both in `emergency`.

mod alone;
mod block;
mod compare;
mod emergency;
mod look;
mod notes;
mod overview;
mod probe;
mod publish;
mod revoke;
mod shelf;
mod steps;
#[cfg(test)]
mod tests;
mod times;
mod words;

pub(super) use alone::{compare_alone, secret_alone};
pub(super) use block::KeysBlock;
pub use block::{Keys, SecretPlace};
pub(super) use compare::compare;
pub use emergency::{Ended, Witness};
pub use look::{Look, Observed};
pub use overview::{Age, Overview, SlotView, Standing};
pub use publish::Pasted;
pub(super) use words::WORDS;
