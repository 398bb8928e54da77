//! Numbers from a seed: splitmix64, so that a seed means the same world for ever, whatever a library does.

pub(crate) struct Dice(u64);

impl Dice {
    pub(crate) fn seeded(seed: u64) -> Self {
        let mut dice = Self(seed);
        // Neighbouring seeds begin alike.
        dice.next();
        dice
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// Below `sides`.
    pub(crate) fn roll(&mut self, sides: usize) -> usize {
        usize::try_from(self.next() % sides as u64).unwrap()
    }

    /// True in so many of a hundred cases.
    pub(crate) fn chance(&mut self, percent: usize) -> bool {
        self.roll(100) < percent
    }

    pub(crate) fn pick<T: Clone>(&mut self, from: &[T]) -> T {
        from[self.roll(from.len())].clone()
    }

    /// One of several, each as often as its weight says.
    pub(crate) fn weighted<T: Clone>(&mut self, from: &[(usize, T)]) -> T {
        let mut rest = self.roll(from.iter().map(|(weight, _)| weight).sum());
        for (weight, one) in from {
            if rest < *weight {
                return one.clone();
            }
            rest -= weight;
        }
        unreachable!("a roll is below the sum of all weights")
    }
}
