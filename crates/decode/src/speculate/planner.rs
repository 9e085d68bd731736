//! How many rows a pass is worth: from the time that passes of this model took here, and from what guesses came to.
//!
//! A guess of estimated acceptance v is worth its row while v > tau * t'(M) / t(M). Times come in steps, so the best
//! number of rows is searched among all rather than stopped at the first guess that does not pay.

use std::collections::BTreeMap;

/// Passes without guesses once speculation has stopped paying; doubled each time it does not pay again.
const REST: usize = 16;
/// Longest rest, so that a change of subject is noticed.
const LONGEST_REST: usize = 128;
/// Below this speed-up speculation rests.
const WORTH: f32 = 1.02;
/// Passes with guesses before the speed-up is judged.
const TRIAL: usize = 6;
/// Share of a new time in a running one.
const NEW: f32 = 0.25;
/// Supposed share of a pass's time that a further row takes, until two numbers of rows have been timed.
const SUPPOSED_SLOPE: f32 = 0.05;

/// Time of a pass by its number of rows.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Curve {
    times: BTreeMap<usize, f32>,
}

impl Curve {
    /// A curve through measured points, in any unit of time.
    #[must_use]
    pub fn new(points: &[(usize, f32)]) -> Self {
        Self { times: points.iter().copied().collect() }
    }

    /// Time of a pass of `rows` rows: between measured points on a line, behind them on the last line.
    #[must_use]
    pub fn at(&self, rows: usize) -> Option<f32> {
        let (first_rows, first) = self.times.first_key_value()?;
        let above = self.times.range(rows..).next();
        let below = self.times.range(..=rows).next_back();
        let line = |(x0, y0): (usize, f32), (x1, y1): (usize, f32)| {
            // A pass of more rows is never taken to be quicker.
            y0 + (y1 - y0).max(0.0) * (rows as f32 - x0 as f32) / (x1 as f32 - x0 as f32)
        };
        Some(match (below, above) {
            (Some((a, _)), Some((b, time))) if a == b => *time,
            (Some((a, ta)), Some((b, tb))) => line((*a, *ta), (*b, *tb)),
            (Some((last, time)), None) if last == first_rows => {
                time * (1.0 + SUPPOSED_SLOPE * (rows - last) as f32)
            }
            (Some((last, time)), None) => {
                let (a, ta) = self.times.range(..*last).next_back()?;
                line((*a, *ta), (*last, *time))
            }
            (None, _) => *first,
        })
    }

    fn learn(&mut self, rows: usize, time: f32) {
        let known = self.times.entry(rows).or_insert(time);
        // One pass that something else held up says nothing of the next.
        *known += NEW * (time.min(4.0 * *known) - *known);
    }
}

/// Decides how many guesses a pass is given.
#[derive(Clone, Debug)]
pub struct Planner {
    curve: Curve,
    given: bool,
    tau: f32,
    pass: f32,
    steps: usize,
    resting: usize,
    rest: usize,
}

impl Planner {
    /// With a measured curve, or one that is learnt on the way.
    #[must_use]
    pub fn new(curve: Option<Curve>) -> Self {
        let given = curve.is_some();
        let curve = curve.unwrap_or_default();
        Self { curve, given, tau: 1.0, pass: 0.0, steps: 0, resting: 0, rest: REST }
    }

    /// How many of guesses with these values, best first, to verify; none while speculation rests.
    #[must_use]
    pub fn guesses(&self, values: &[f32]) -> usize {
        if self.resting > 0 {
            return 0;
        }
        let (mut best, mut most, mut tokens) = (0, 0.0, 1.0);
        for (n, value) in std::iter::once(&0.0).chain(values).enumerate() {
            tokens += value;
            let speed = self.curve.at(n + 1).map_or(tokens, |time| tokens / time);
            if speed > most {
                (best, most) = (n, speed);
            }
        }
        best
    }

    /// Whether the next pass is one without guesses.
    #[must_use]
    pub const fn rests(&self) -> bool {
        self.resting > 0
    }

    /// The time of a pass of `rows` rows, if any was timed.
    #[must_use]
    pub fn time(&self, rows: usize) -> Option<f32> {
        self.curve.at(rows)
    }

    /// The time of a pass of `rows` rows against one row; the supposed one if nothing was timed.
    #[must_use]
    pub fn cost(&self, rows: usize) -> f32 {
        match (self.curve.at(rows), self.curve.at(1)) {
            (Some(many), Some(one)) if one > 0.0 => many / one,
            _ => 1.0 + SUPPOSED_SLOPE * rows as f32,
        }
    }

    /// A pass of `rows` rows took `verify` behind `draft`, and `tokens` came of it.
    pub fn learn(&mut self, rows: usize, tokens: usize, draft: f32, verify: f32) {
        let verify = match self.given {
            true => self.curve.at(rows).unwrap_or(verify),
            false => {
                self.curve.learn(rows, verify);
                verify
            }
        };
        if self.resting > 0 {
            self.resting -= 1;
            return;
        }
        // While nothing is known the first passes count in full.
        let share = (1.0 / (self.steps + 1) as f32).max(1.0 / 16.0);
        self.tau += share * (tokens as f32 - self.tau);
        self.pass += share * (if self.given { verify } else { draft + verify } - self.pass);
        self.steps += 1;
        let one = self.curve.at(1).unwrap_or(verify);
        if self.steps >= TRIAL && self.tau * one < WORTH * self.pass {
            (self.resting, self.steps) = (self.rest, 0);
            self.rest = (self.rest * 2).min(LONGEST_REST);
        } else if self.steps >= 2 * TRIAL {
            self.rest = REST;
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests fail loudly")]
    use super::*;

    #[test]
    fn a_curve_is_lines_between_what_was_measured() {
        let curve = Curve::new(&[(1, 2.0), (4, 2.6), (8, 3.6)]);
        assert!((curve.at(2).unwrap() - 2.2).abs() < 1e-6);
        assert!((curve.at(8).unwrap() - 3.6).abs() < 1e-6);
        assert!((curve.at(12).unwrap() - 4.6).abs() < 1e-6);
        assert_eq!(Curve::default().at(3), None);
        assert!((Curve::new(&[(1, 1.0)]).at(3).unwrap() - 1.1).abs() < 1e-6);
    }

    #[test]
    fn a_guess_is_taken_while_it_is_worth_its_row() {
        // t(8) = 3.6 ms and 0.22 ms a row from there: at 1.83 tokens a pass a guess has to come true 11 times in 100.
        let curve = Curve::new(&[(1, 3.0), (4, 3.0), (7, 3.38), (8, 3.6), (32, 8.88)]);
        let planner = Planner::new(Some(curve));
        let mut values = vec![0.118; 7];
        values.extend([0.100; 8]);
        assert_eq!(planner.guesses(&values), 7);
        assert_eq!(Planner::new(Some(Curve::new(&[(1, 1.0), (2, 2.0)]))).guesses(&[0.9]), 0);
        assert_eq!(Planner::new(None).guesses(&[0.9, 0.01]), 2);
    }

    #[test]
    fn it_rests_when_passes_cost_more_than_they_bring() {
        let mut planner = Planner::new(None);
        planner.learn(1, 1, 0.0, 1.0);
        for _ in 1..TRIAL {
            assert!(!planner.rests());
            planner.learn(4, 1, 0.1, 1.2);
        }
        let mut rested = 0;
        while planner.rests() {
            assert_eq!(planner.guesses(&[0.9; 4]), 0);
            planner.learn(1, 1, 0.0, 1.0);
            rested += 1;
        }
        assert_eq!(rested, REST);
        for _ in 0..40 {
            planner.learn(4, 3, 0.1, 1.2);
            assert!(!planner.rests());
        }
    }
}
