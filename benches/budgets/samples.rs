//! Many measurements of one thing, and what they say together.

use std::time::{SystemTime, UNIX_EPOCH};

/// Measurements in ascending order. All of them are kept, so a percentile is one of them and no estimate.
pub struct Samples(Vec<f64>);

impl Samples {
    /// Puts measurements into their order.
    pub fn of(mut measured: Vec<f64>) -> Self {
        measured.sort_by(f64::total_cmp);
        Samples(measured)
    }

    /// The smallest measurement that this share of them does not exceed; not a number where there is none.
    pub fn at(&self, share: f64) -> f64 {
        let rank = (share * self.0.len() as f64).ceil() as usize;
        self.0.get(rank.saturating_sub(1)).copied().unwrap_or(f64::NAN)
    }

    /// The one in the middle.
    pub fn median(&self) -> f64 {
        self.at(0.5)
    }
}

/// Now, in nanoseconds since 1970: the one clock that all processes of a measurement share.
pub fn now_ns() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_nanos()).unwrap_or(u64::MAX)
}

/// How long ago that was, in milliseconds.
pub fn since_ms(ns: u64) -> f64 {
    now_ns().saturating_sub(ns) as f64 / 1e6
}
