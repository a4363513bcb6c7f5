//! How often an operation runs in a given time.

use super::module::Outcome;
use std::time::{Duration, Instant};

/// So many operations in so many nanoseconds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Rate {
    pub(crate) operations: u64,
    pub(crate) nanoseconds: u64,
}

impl Rate {
    pub(crate) fn per_second(self) -> f64 {
        self.operations as f64 * 1e9 / self.nanoseconds.max(1) as f64
    }
}

pub(crate) fn nanoseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

/// Runs the operation for about `budget`, and at least twice. The clock is read once per batch of
/// about 50 microseconds, so that its own cost does not show in the fast rows.
pub(crate) fn measure(
    budget: Duration,
    operation: &mut dyn FnMut() -> Outcome<()>,
) -> Outcome<Rate> {
    operation()?;
    let first = Instant::now();
    operation()?;
    let batch = (50_000 / nanoseconds(first.elapsed()).max(1)).clamp(1, 1_000);
    let start = Instant::now();
    let mut operations = 0;
    loop {
        for _ in 0..batch {
            operation()?;
        }
        operations += batch;
        let elapsed = start.elapsed();
        if elapsed >= budget {
            return Ok(Rate { operations, nanoseconds: nanoseconds(elapsed) });
        }
    }
}

/// The middle one; of an even number the lower middle one.
pub(crate) fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted.get(sorted.len().saturating_sub(1) / 2).copied().unwrap_or(f64::NAN)
}
