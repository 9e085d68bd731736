//! How many rows a pass is worth: from the time that passes of this model took here, and from what guesses came to.
//!
//! A guess of estimated acceptance v is worth its row while v > tau * t'(M) / t(M). Times come in steps, so the best
//! number of rows is searched among all rather than stopped at the first guess that does not pay. What is learnt is kept
//! beside the model, so that only its first request finds it out.

use std::collections::BTreeMap;

use super::tree::MAX_ROWS;

/// Below this speed-up no guess is sent.
const WORTH: f32 = 1.02;
/// Plain passes that a request may lose to guesses that come to nothing, whatever earlier ones won.
const CARRIED: f32 = 0.75;
/// What every token adds to that, so that a change of subject or of the machine is noticed.
const SHARE: f32 = 0.01;
/// Share of a new time in a running one.
const NEW: f32 = 0.25;
/// The shortest and the longest a new time counts for, in running ones: what else the machine does at once makes a pass three
/// times as long now and then, and says nothing of the next.
const COUNTED: [f32; 2] = [0.5, 1.25];
/// Passes of one row whose mean says what such a pass takes more than a token does where nothing is guessed.
const SETTLED: usize = 4;
/// Passes of one row after which that is found out anew.
const AGAIN: usize = 32;
/// Supposed share of a plain pass that a further row takes, where no larger number of rows has been timed.
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

    /// Time of a pass of `rows` rows: between measured points on a line, behind them as if further rows cost half as
    /// much as those before, so that they are tried where times come in steps.
    #[must_use]
    pub fn at(&self, rows: usize) -> Option<f32> {
        let (first_rows, first) = self.times.first_key_value()?;
        let above = self.times.range(rows..).next();
        let below = self.times.range(..=rows).next_back();
        Some(match (below, above) {
            (Some((a, _)), Some((b, time))) if a == b => *time,
            // A pass of more rows is never taken to be quicker.
            (Some((a, ta)), Some((b, tb))) => {
                ta + (tb - ta).max(0.0) * (rows as f32 - *a as f32) / (*b as f32 - *a as f32)
            }
            (Some((last, time)), None) => {
                let mean = (time - first) / (*last as f32 - *first_rows as f32).max(1.0);
                time + (first * SUPPOSED_SLOPE).max(mean / 2.0) * (rows - last) as f32
            }
            (None, _) => *first,
        })
    }

    /// The largest number of rows that was timed.
    fn last(&self) -> usize {
        self.times.last_key_value().map_or(0, |(rows, _)| *rows)
    }

    fn learn(&mut self, rows: usize, time: f32) {
        let known = self.times.entry(rows).or_insert(time);
        *known = towards(*known, time);
    }
}

/// A running time with a new one in it.
fn towards(known: f32, time: f32) -> f32 {
    known + NEW * (time.clamp(COUNTED[0] * known, COUNTED[1] * known) - known)
}

/// Decides how many guesses a pass is given.
///
/// It keeps an account in plain passes: a token that came pays one in, a pass takes out what it costs. Guesses are sent
/// only while the account would stay above zero if none of them came true, so that a request never takes longer than
/// without them but for [`CARRIED`] passes and [`SHARE`] of its tokens.
#[derive(Clone, Debug)]
pub struct Planner {
    /// Times of passes; those that are learnt, in plain passes.
    curve: Curve,
    given: bool,
    /// Seconds of a plain pass.
    one: f32,
    /// Whether that is what decoding without guesses takes, not a pass of its own.
    plain: bool,
    /// Seconds of a pass of one row, where that is not `one`, and how many were timed since plain decoding was.
    host: (f32, usize),
    /// What such a pass takes, in plain passes; 0 if that was not found out yet.
    over: f32,
    /// What numbers of rows took the first time, which may include what is only made once.
    begun: BTreeMap<usize, f32>,
    account: f32,
}

impl Default for Planner {
    fn default() -> Self {
        Self::new(None)
    }
}

impl Planner {
    /// With a measured curve, or one that is learnt on the way.
    #[must_use]
    pub fn new(curve: Option<Curve>) -> Self {
        let given = curve.is_some();
        let curve = curve.unwrap_or_default();
        let (one, plain, host, over) = (0.0, false, (0.0, 0), 0.0);
        Self { curve, given, one, plain, host, over, begun: BTreeMap::new(), account: CARRIED }
    }

    /// A request begins: what others won is not its to lose, and what they lost not its to win back.
    pub const fn begin(&mut self) {
        self.account = self.account.clamp(0.0, CARRIED);
    }

    /// Takes a measured curve for what it learns on.
    pub fn inform(&mut self, measured: &Curve) {
        if let Some(one) = measured.at(1).filter(|one| *one > 0.0) {
            self.one = one;
            self.begun = measured.times.iter().map(|(rows, time)| (*rows, time / one)).collect();
            self.curve.times = measured.times.iter().map(|(rows, time)| (*rows, time / one)).collect();
        }
    }

    /// How many of guesses with these values, best first, to verify.
    #[must_use]
    pub fn guesses(&self, values: &[f32]) -> usize {
        let rows = self.most_rows();
        let (mut best, mut most, mut tokens) = (0, WORTH, 1.0);
        for (n, value) in (1..rows).zip(values) {
            tokens += value;
            let speed = tokens / self.cost(n + 1);
            if speed > most {
                (best, most) = (n, speed);
            }
        }
        best
    }

    /// The most rows of a pass that the account can pay for; at least one.
    #[must_use]
    pub fn most_rows(&self) -> usize {
        // Beyond twice what was timed a time is a guess itself.
        let known = if self.given { MAX_ROWS } else { MAX_ROWS.min(2 * self.curve.last()) };
        (2..=known).take_while(|rows| self.cost(*rows) <= 1.0 + self.account).last().unwrap_or(1)
    }

    /// Passes without guesses until rows can be paid for; if they can now, none or a few that are there to be timed.
    #[must_use]
    pub fn rest(&self) -> usize {
        if self.most_rows() > 1 {
            return if self.host.1 < AGAIN { 0 } else { SETTLED };
        }
        let missing =
            if self.given || self.one > 0.0 { self.cost(2) - 1.0 - self.account } else { 4.0 * SHARE };
        (missing / SHARE).ceil().max(1.0) as usize
    }

    /// `n` tokens came without guesses in so many seconds, as they do where nothing is guessed.
    pub fn rested(&mut self, n: usize, took: f32) {
        let each = took / n.max(1) as f32;
        // The mean of a few is nearly as good as the running one, and newer.
        let share = 1.0 - (1.0 - NEW).powi(n.min(SETTLED) as i32);
        let counted = each.min(2.0 * self.one);
        self.one = if self.plain { self.one + share * (counted - self.one) } else { each };
        (self.plain, self.host) = (true, (0.0, 0));
        if !self.given {
            self.curve.learn(1, 1.0);
        }
        self.account += n as f32 * SHARE;
    }

    /// Seconds of a plain pass, if any was timed.
    #[must_use]
    pub fn pass(&self) -> Option<f32> {
        (self.one > 0.0).then_some(self.one)
    }

    /// The time of a pass of `rows` rows against one row; the supposed one if nothing was timed.
    #[must_use]
    pub fn cost(&self, rows: usize) -> f32 {
        match (self.curve.at(rows), self.curve.at(1)) {
            (Some(many), Some(one)) if one > 0.0 => many / one,
            _ => 1.0 + SUPPOSED_SLOPE * (rows.max(1) - 1) as f32,
        }
    }

    /// A pass of one row took so many seconds. Where it is not what plain decoding takes, that is followed by it: a machine that
    /// gets slower or faster does so for both.
    fn timed_one(&mut self, took: f32) {
        if !self.plain {
            self.one = if self.one > 0.0 { towards(self.one, took) } else { took };
            return;
        }
        let (known, n) = self.host;
        self.host.1 += 1;
        if n >= SETTLED {
            self.host.0 = towards(known, took);
        } else {
            self.host.0 += (took.min(2.0 * self.one) - known) / (n + 1) as f32;
            if n + 1 < SETTLED {
                return;
            }
            let over = (self.host.0 / self.one).max(1.0);
            self.over = if self.over > 0.0 { self.over + NEW * (over - self.over) } else { over };
        }
        self.one = self.host.0 / self.over;
    }

    /// A pass of `rows` rows took `verify` seconds and finding its guesses `draft`, and `tokens` came of it.
    pub fn learn(&mut self, rows: usize, tokens: usize, draft: f32, verify: f32) {
        if rows == 1 {
            self.timed_one(verify);
        }
        let mut cost = self.cost(rows);
        if !self.given && self.one > 0.0 {
            let took = verify / self.one;
            if rows == 1 {
                self.curve.learn(1, 1.0);
                cost = if self.over > 0.0 { self.over } else { took.clamp(1.0, 2.0) };
            } else if let Some(first) = self.begun.insert(rows, f32::INFINITY) {
                // Laid to the guesses is what such passes take, not what other work added to this one.
                self.curve.learn(rows, took.min(first).max(1.0));
                cost = self.cost(rows);
            } else {
                self.begun.insert(rows, took);
                cost = took.clamp(1.0, 2.0 * cost);
            }
            cost += draft / self.one;
        }
        self.account += tokens as f32 * (1.0 + SHARE) - cost;
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
        assert!((curve.at(12).unwrap() - 3.6 - 4.0 * 1.6 / 14.0).abs() < 1e-6);
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
    }

    /// Runs `n` tokens on a device where a pass of `rows` rows takes `time(rows)`, with guesses that are thought to come true
    /// with 0.9 and do so as `hit` says. Gives the time that it took, and the passes with guesses.
    fn simulate(planner: &mut Planner, n: usize, time: impl Fn(usize) -> f32, hit: bool) -> (f32, usize) {
        planner.begin();
        let (mut tokens, mut took, mut assisted) = (0, 0.0, 0);
        while tokens < n {
            let rows = 1 + planner.guesses(&[0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3]);
            let came = if hit { rows } else { 1 };
            planner.learn(rows, came, 0.0, time(rows));
            took += time(rows);
            tokens += came;
            assisted += usize::from(rows > 1);
        }
        (took, assisted)
    }

    #[test]
    fn where_a_row_costs_a_pass_it_tries_and_stops() {
        let steep = |rows: usize| rows as f32;
        let mut planner = Planner::new(None);
        let (took, assisted) = simulate(&mut planner, 400, steep, false);
        assert!(assisted <= 3 && took <= 404.0, "{assisted} passes with guesses, {took}");
        let (took, assisted) = simulate(&mut planner, 400, steep, false);
        assert!(assisted <= 1 && took <= 402.0, "{assisted} passes with guesses, {took}");
    }

    #[test]
    fn guesses_that_never_come_true_cost_next_to_nothing() {
        for slope in [0.0, 0.05, 0.1, 0.4, 1.0, 3.0] {
            let time = |rows: usize| 1.0 + slope * (rows - 1) as f32;
            let mut planner = Planner::new(None);
            for request in 0..5 {
                let (took, assisted) = simulate(&mut planner, 64, time, false);
                let most = 64.0 * (1.0 + SHARE) + CARRIED + if request == 0 { 2.0 * slope } else { 0.0 };
                assert!(took <= most + 1e-3, "a row costs {slope}: {took} after {assisted}");
            }
        }
    }

    #[test]
    fn rows_that_pay_are_found_and_kept() {
        let mut planner = Planner::new(None);
        let step = |rows: usize| if rows == 1 { 1.0 } else { 1.4 };
        let (took, _) = simulate(&mut planner, 200, step, true);
        assert!(took < 70.0, "{took}");
        let dear = |rows: usize| 0.63 + 0.37 * rows as f32;
        let (took, _) = simulate(&mut Planner::new(None), 200, dear, true);
        assert!(took < 110.0, "{took}");
    }

    /// Writes `n` tokens, by turns 20 that guesses hit with `hit` each and 20 that they hit with 0.1, on a machine whose passes of
    /// `rows` rows take `time(rows)`: half of the time one and a half times as long, each by chance up to half as long again,
    /// and one of twenty three times as long. Gives how many times as fast as without guesses that would be in quiet.
    fn beside_other_work(
        planner: &mut Planner,
        (n, hit, seed): (usize, f32, u64),
        time: impl Fn(usize) -> f32,
    ) -> f32 {
        planner.begin();
        let dice =
            |n: u32, at: u32| goldcrest_sample::uniform(seed, at, n, goldcrest_sample::Purpose::Policy);
        let (mut tokens, mut took, mut pass) = (0, 0.0, 0);
        let mut busy = || {
            pass += 1;
            let phase = if pass / 300 % 2 == 1 { 1.5 } else { 1.0 };
            phase * (1.0 + 0.5 * dice(pass, 1)) * if dice(pass, 2) < 0.05 { 3.0 } else { 1.0 }
        };
        let mut thrown = 0;
        while tokens < n {
            let rest = planner.rest().min(16).min(n - tokens);
            if rest > 0 {
                planner.rested(rest, (0..rest).map(|_| busy()).sum());
                (tokens, took) = (tokens + rest, took + rest as f32);
                continue;
            }
            let p = if tokens / 20 % 2 == 0 { hit } else { 0.1 };
            let values: Vec<f32> = (1..8).map(|i| p.powi(i)).collect();
            let rows = 1 + planner.guesses(&values);
            let mut hits = || {
                thrown += 1;
                dice(thrown, 3) < p
            };
            let came = 1 + (1..rows).take_while(|_| hits()).count();
            planner.learn(rows, came, 0.0, time(rows) * busy());
            (tokens, took) = (tokens + came, took + time(rows));
        }
        tokens as f32 / took
    }

    #[test]
    fn what_other_work_adds_is_not_laid_to_the_guesses() {
        let measured = [(1, 1.0), (2, 1.2), (3, 1.7), (4, 2.0), (6, 2.5), (8, 3.1), (12, 4.8)];
        let curve = Curve::new(&measured);
        let time = |rows: usize| curve.at(rows).unwrap();
        let mean = |given: Option<&Curve>, hit: f32, time: &dyn Fn(usize) -> f32| {
            let over = |seed: u64| {
                let mut planner = Planner::new(given.cloned());
                (0..20).map(|i| beside_other_work(&mut planner, (100, hit, 20 * seed + i), time)).sum::<f32>()
            };
            (0..10).map(over).sum::<f32>() / 200.0
        };
        for (hit, kept) in [(0.7, 0.93), (0.9, 0.96)] {
            let (known, learnt) = (mean(Some(&curve), hit, &time), mean(None, hit, &time));
            assert!(learnt > known * kept, "{hit}: {learnt} where {known} is known");
            // Where every row costs a pass hardly anything is lost.
            let steep = mean(None, hit, &|rows| rows as f32);
            assert!(steep > 0.99, "{hit}: {steep}");
        }
    }

    #[test]
    fn a_time_that_is_made_up_of_preparations_is_forgotten() {
        let mut planner = Planner::new(None);
        planner.learn(1, 1, 0.0, 1.0);
        planner.learn(2, 1, 0.0, 50.0);
        assert!((planner.cost(2) - 1.05).abs() < 1e-6);
        planner.learn(2, 1, 0.0, 1.2);
        assert!((planner.cost(2) - 1.2).abs() < 1e-6);
        // Nor does it count where other work held the second one up.
        planner.learn(3, 1, 0.0, 1.5);
        planner.learn(3, 1, 0.0, 7.0);
        assert!((planner.cost(3) - 1.5).abs() < 1e-6);
    }

    #[test]
    fn a_measured_curve_is_where_it_begins() {
        let mut planner = Planner::new(None);
        planner.inform(&Curve::new(&[(1, 0.02), (8, 0.03)]));
        assert_eq!(planner.pass(), Some(0.02));
        assert!((planner.cost(8) - 1.5).abs() < 1e-6);
        assert!(planner.most_rows() > 8);
    }
}
