//! Counts the calls of each vault, where a knob limits them.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use jiff::{SignedDuration, Timestamp};

use crate::emulator::world::Bucket;

/// The calls of the present window, by vault.
#[derive(Debug, Default)]
pub(crate) struct Throttle(Mutex<HashMap<String, (Timestamp, u32)>>);

impl Throttle {
    /// Takes a call out of a vault's bucket, or says how many seconds are left until it is full again.
    pub(super) fn take(&self, vault: &str, bucket: Bucket, now: Timestamp) -> Result<(), i64> {
        let Bucket { calls, per } = bucket;
        let mut windows = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (since, taken) = windows.entry(vault.to_owned()).or_insert((now, 0));
        let gone = now.duration_since(*since);
        if gone >= per || gone.is_negative() {
            (*since, *taken) = (now, 0);
        }
        if *taken < calls {
            *taken += 1;
            return Ok(());
        }
        let left = per - now.duration_since(*since);
        // Rounded up: a client that waits so long gets in.
        Err((left + SignedDuration::from_nanos(999_999_999)).as_secs().max(1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bucket_fills_up_again_all_at_once() {
        let throttle = Throttle::default();
        let bucket = Bucket { calls: 2, per: SignedDuration::from_secs(10) };
        let at = |second: i64| Timestamp::from_second(second).unwrap();
        let takes = [(0, Ok(())), (3, Ok(())), (4, Err(6)), (9, Err(1)), (10, Ok(())), (10, Ok(())), (10, Err(10))];
        for (second, expected) in takes {
            assert_eq!(throttle.take("kv", bucket, at(second)), expected, "at {second}");
        }
        assert_eq!(throttle.take("other", bucket, at(10)), Ok(()));
    }
}
