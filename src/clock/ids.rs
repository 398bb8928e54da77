//! Ids: random ones, or the same ones each time.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use sha2::{Digest as _, Sha256};
use uuid::{Builder, Uuid};

/// A stream of ids of version 4. Clones share it: none of them is given the same id twice.
#[derive(Debug, Clone)]
pub struct Ids(Source);

#[derive(Debug, Clone)]
enum Source {
    Random,
    Seeded { seed: u64, given: Arc<AtomicU64> },
}

impl Ids {
    /// Ids that nobody can guess and nobody else is given.
    pub fn random() -> Self {
        Self(Source::Random)
    }

    /// The ids of a seed: the same ones in the same order each time.
    pub fn seeded(seed: u64) -> Self {
        Self(Source::Seeded { seed, given: Arc::default() })
    }

    /// The next one.
    #[expect(clippy::disallowed_methods, reason = "the one place that makes random ids")]
    pub fn new_id(&self) -> Uuid {
        match &self.0 {
            Source::Random => Uuid::new_v4(),
            Source::Seeded { seed, given } => {
                let number = given.fetch_add(1, Ordering::Relaxed);
                let hash = Sha256::new().chain_update(seed.to_be_bytes()).chain_update(number.to_be_bytes()).finalize();
                let mut bytes = [0; 16];
                bytes.copy_from_slice(&hash[..16]);
                Builder::from_random_bytes(bytes).into_uuid()
            }
        }
    }
}
