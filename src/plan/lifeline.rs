//! What an environment can't live without.

use crate::terms::ResourceId;

/// The resources without which an environment goes offline: no change of any scope may take one of them from it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lifeline {
    /// The environment, as people know it: its key in the file, or the name of one that no file declares.
    pub of: String,
    /// Its policy, the vault of its key, and the key.
    pub needs: Vec<ResourceId>,
}
