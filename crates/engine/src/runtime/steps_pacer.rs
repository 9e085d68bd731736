//! How many decode steps go into one submit.

use std::time::Duration;

/// Most steps of a submit: what is behind a stop token is thrown away.
const MOST: usize = 16;
/// Before anything is known: enough for a desktop browser's read-back of 1 to 3 ms.
const FIRST: usize = 4;
/// Submits that are under way at the same time.
const AHEAD: usize = 2;

/// Chooses steps per submit so that the device is busy while results travel.
///
/// Firefox looks for finished work every 100 ms, a native driver answers in 0.1 ms: with k steps of t each and a second
/// submit under way, the way back is hidden when k · t is at least its length.
#[derive(Debug)]
pub(super) struct StepsPacer {
    /// The host's cores are the device: a step behind the end costs more than the host's turn between steps.
    software: bool,
    latency: Duration,
    per_step: Option<Duration>,
}

impl StepsPacer {
    pub(super) const fn new(software: bool) -> Self {
        Self { software, latency: Duration::ZERO, per_step: None }
    }

    /// Tells how long an empty submit's result takes.
    pub(super) const fn set_latency(&mut self, latency: Duration) {
        self.latency = latency;
    }

    /// Steps per submit, and submits that should be under way.
    pub(super) fn choose(&self) -> (usize, usize) {
        match (self.software, self.per_step) {
            (true, _) => (1, 1),
            (false, None) => (FIRST, AHEAD),
            (false, Some(step)) => {
                let steps = self.latency.as_secs_f64() / step.as_secs_f64().max(1e-6);
                ((steps.ceil() as usize).clamp(1, MOST), AHEAD)
            }
        }
    }

    /// Learns from the time between two results of `k` steps. Where results are waited for, a step seems longer than it
    /// is; the next choice is then too small but larger than the last, and so on up to the truth.
    pub(super) fn record(&mut self, k: usize, took: Duration) {
        let sample = took / u32::try_from(k.max(1)).unwrap_or(1);
        self.per_step = Some(match self.per_step {
            Some(known) if sample > known => known + (sample - known) / 8,
            _ => sample,
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Settles with a device that takes `step` per step and `latency` per result, two submits under way.
    fn settle(latency: Duration, step: Duration) -> usize {
        let mut pacer = StepsPacer::new(false);
        pacer.set_latency(latency);
        for _ in 0..32 {
            let (k, _) = pacer.choose();
            pacer.record(k, (step * k as u32).max((latency + step * k as u32) / 2));
        }
        pacer.choose().0
    }

    #[test]
    fn results_are_hidden_behind_steps() {
        let ms = Duration::from_millis;
        assert_eq!(StepsPacer::new(false).choose(), (4, 2));
        assert_eq!(settle(Duration::from_micros(100), ms(5)), 1);
        assert_eq!(settle(ms(3), ms(2)), 2);
        assert_eq!(settle(ms(100), ms(2)), MOST, "Firefox");
        assert_eq!(settle(ms(100), ms(50)), 2);
        assert_eq!(StepsPacer::new(true).choose(), (1, 1));
    }
}
