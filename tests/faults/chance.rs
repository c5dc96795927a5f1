//! Decisions by a seed. Each actor has a stream of its own, so that what it decides does not hang on what the others do.
//! It knows nothing of what is decided; when things happen is the machine's business, and is not repeated by a seed.

use std::{
    hash::{BuildHasher, RandomState},
    time::Duration,
};

/// A stream of decisions: SplitMix64 (Steele, Lea and Flood, 2014), which is small and good enough for this.
#[derive(Clone, Debug)]
pub struct Chance(u64);

impl Chance {
    /// The stream of one actor.
    pub fn of(seed: u64, actor: &str) -> Self {
        // FNV-1a: the same on every machine and with every compiler.
        let name = actor
            .bytes()
            .fold(0xcbf2_9ce4_8422_2325, |hash: u64, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3));
        let mut chance = Chance(seed ^ name);
        chance.next();
        chance
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number from `least` to `most`, both included.
    pub fn between(&mut self, least: u64, most: u64) -> u64 {
        least + self.next() % (most - least + 1)
    }

    /// True once in so many times.
    pub fn one_in(&mut self, times: u64) -> bool {
        self.between(1, times) == 1
    }

    /// One of these.
    pub fn pick<T: Copy>(&mut self, of: &[T]) -> T {
        of[usize::try_from(self.between(0, of.len() as u64 - 1)).unwrap()]
    }

    /// A length of time of up to `most` milliseconds.
    pub fn millis(&mut self, most: u64) -> Duration {
        Duration::from_millis(self.between(0, most))
    }

    /// Paces the load: how long somebody waits before they try again, or how slowly they read. Nothing is ever taken to
    /// have happened because this is over.
    pub async fn pause(&mut self, most_millis: u64) {
        tokio::time::sleep(self.millis(most_millis)).await;
    }
}

/// A seed for a run that was given none.
pub fn fresh_seed() -> u64 {
    // Short enough to be typed.
    RandomState::new().hash_one("a seed") % 1_000_000_000
}
