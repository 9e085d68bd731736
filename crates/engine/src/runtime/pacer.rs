//! How many rows go into one prefill submit.

use std::time::Duration;

/// Row counts that plans are recorded for.
pub(super) const CLASSES: [u32; 4] = [1, 8, 32, 128];

/// GPU time per submit that keeps an interactive page smooth.
const BUDGET: Duration = Duration::from_millis(50);
/// On a software adapter nothing else waits for the GPU, and no watchdog bites below a second.
const SOFTWARE_BUDGET: Duration = Duration::from_millis(400);

/// Rows that share one pass over the weights: fewer would take hardly less time.
const LEAST: u32 = CLASSES[1];

/// Chooses chunk sizes by the time that earlier chunks took.
#[derive(Debug)]
pub(super) struct Pacer {
    budget: Duration,
    /// Most rows by the caller's wish.
    limit: u32,
    /// Rows that fit the budget, as far as known.
    rows: u32,
    /// Times change nothing.
    fixed: bool,
}

impl Pacer {
    pub(super) fn new(software: bool, max_chunk: u32) -> Self {
        let limit = if max_chunk == 0 { CLASSES[3] } else { max_chunk.clamp(1, CLASSES[3]) };
        let (budget, first) = if software { (SOFTWARE_BUDGET, CLASSES[1]) } else { (BUDGET, CLASSES[2]) };
        Self { budget, limit, rows: first, fixed: false }
    }

    /// Chunks of one size whatever they take, so that every run adds in the same order.
    pub(super) fn fixed(max_chunk: u32) -> Self {
        let rows = if max_chunk == 0 { CLASSES[2] } else { max_chunk.clamp(1, CLASSES[3]) };
        Self { budget: BUDGET, limit: rows, rows, fixed: true }
    }

    /// The class of a first chunk.
    pub(super) fn first_class(&self) -> u32 {
        class_of(self.rows.min(self.limit) as usize)
    }

    /// Rows of the next chunk when `left` are to come.
    pub(super) fn next_chunk(&self, left: usize) -> usize {
        left.min(self.rows.min(self.limit) as usize)
    }

    /// Learns from a chunk: halves or doubles as the time allows.
    pub(super) fn record(&mut self, rows: usize, took: Duration) {
        if self.fixed {
            return;
        }
        if took > self.budget && rows as u32 <= self.rows {
            self.rows = (rows as u32 / 2).max(LEAST);
        } else if rows as u32 >= self.rows && took * 5 < self.budget * 2 {
            self.rows = (self.rows * 2).min(CLASSES[3]);
        }
    }
}

/// The smallest class of at least `rows`.
pub(super) fn class_of(rows: usize) -> u32 {
    CLASSES.into_iter().find(|c| rows <= *c as usize).unwrap_or(CLASSES[3])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chunks_grow_while_they_are_quick_and_shrink_when_they_are_not() {
        let mut pacer = Pacer::new(false, 0);
        assert_eq!(pacer.next_chunk(1000), 32);
        pacer.record(32, Duration::from_millis(5));
        assert_eq!(pacer.next_chunk(1000), 64);
        pacer.record(64, Duration::from_millis(90));
        assert_eq!(pacer.next_chunk(1000), 32);
        pacer.record(3, Duration::from_millis(1));
        assert_eq!(pacer.next_chunk(1000), 32, "a short chunk says nothing about long ones");
        pacer.record(32, Duration::from_secs(9));
        pacer.record(16, Duration::from_secs(9));
        pacer.record(8, Duration::from_secs(9));
        assert_eq!(pacer.next_chunk(1000), 8);
        assert_eq!(Pacer::new(true, 7).next_chunk(100), 7);
        let mut fixed = Pacer::fixed(0);
        fixed.record(32, Duration::from_secs(9));
        fixed.record(32, Duration::ZERO);
        assert_eq!(fixed.next_chunk(1000), 32);
        assert_eq!([class_of(1), class_of(2), class_of(33), class_of(128)], [1, 8, 128, 128]);
    }
}
