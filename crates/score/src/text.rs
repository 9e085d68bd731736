//! How much a text repeats itself.

use std::collections::BTreeSet;

/// Distinct tokens per token; 0 for no tokens.
#[must_use]
pub fn type_token_ratio(tokens: &[u32]) -> f64 {
    distinct_n(tokens, 1)
}

/// Share of distinct n-grams among all n-grams; 0 where there are none.
#[must_use]
pub fn distinct_n(tokens: &[u32], n: usize) -> f64 {
    if n == 0 || tokens.len() < n {
        return 0.0;
    }
    let distinct: BTreeSet<&[u32]> = tokens.windows(n).collect();
    distinct.len() as f64 / (tokens.len() - n + 1) as f64
}

/// Share of n-grams that came before: `1 − distinct-n`; 0 where there are none.
#[must_use]
pub fn repetition_n(tokens: &[u32], n: usize) -> f64 {
    if n == 0 || tokens.len() < n { 0.0 } else { 1.0 - distinct_n(tokens, n) }
}
