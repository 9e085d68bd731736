//! How much a count of successes says.

use crate::error::ScoreError;

/// The normal quantile of 95 % intervals.
pub const Z_95: f64 = 1.959_963_984_540_054;

/// Wilson's interval for a share of `k` of `n`.
///
/// # Errors
/// [`ScoreError::Empty`] for no trials, [`ScoreError::Range`] for more successes than trials.
pub fn wilson(k: u64, n: u64, z: f64) -> Result<(f64, f64), ScoreError> {
    if n == 0 {
        return Err(ScoreError::Empty { what: "trials" });
    }
    if k > n {
        return Err(ScoreError::range("successes", k, "at most the number of trials"));
    }
    let (n, z2) = (n as f64, z * z);
    let share = k as f64 / n;
    let centre = share + z2 / (2.0 * n);
    let half = z * (share * (1.0 - share) / n + z2 / (4.0 * n * n)).sqrt();
    let scale = 1.0 + z2 / n;
    Ok((((centre - half) / scale).max(0.0), ((centre + half) / scale).min(1.0)))
}

/// Fisher's exact test, two-sided: how probable is a table at least as unlikely as `[[a, b], [c, d]]` if rows and columns
/// have nothing to do with each other.
#[must_use]
pub fn fisher_exact(table: [[u64; 2]; 2]) -> f64 {
    let [[a, b], [c, d]] = table;
    let (row, column, total) = (a + b, a + c, a + b + c + d);
    let log_p = |a: u64| log_choose(column, a) + log_choose(total - column, row - a) - log_choose(total, row);
    let own = log_p(a);
    let (least, most) = ((row + column).saturating_sub(total), row.min(column));
    // Tables that are equally likely must count whatever the rounding of their logarithms.
    (least..=most).map(log_p).filter(|other| *other <= own + 1e-7).map(f64::exp).sum::<f64>().min(1.0)
}

fn log_choose(n: u64, k: u64) -> f64 {
    let log_factorial = |n: u64| (2..=n).map(|i| (i as f64).ln()).sum::<f64>();
    log_factorial(n) - log_factorial(k) - log_factorial(n - k)
}
