//! Counts of what follows what in a text: the memory that keeps superposed drafts apart.

use std::collections::HashMap;

/// Weights of contexts of one to five tokens in the interpolation, as Shen et al. 2024 tuned them.
const WEIGHTS: [f32; 5] = [0.01, 0.04, 0.15, 0.18, 0.12];

/// What followed each context of one to five tokens, and how often.
#[derive(Default)]
pub(crate) struct Ngrams {
    followers: HashMap<Vec<u32>, HashMap<u32, u32>>,
}

impl Ngrams {
    /// Counts a text.
    pub(crate) fn learn(&mut self, text: &[u32]) {
        for (at, token) in text.iter().enumerate() {
            for length in 1..=WEIGHTS.len().min(at) {
                let context = text[at - length..at].to_vec();
                *self.followers.entry(context).or_default().entry(*token).or_default() += 1;
            }
        }
    }

    /// Interpolated probability of `token` behind `context`; none if no context has been followed by it.
    pub(crate) fn probability(&self, context: &[u32], token: u32) -> Option<f32> {
        let mut sum = 0.0;
        for (length, weight) in (1..=context.len()).zip(WEIGHTS) {
            let Some(followers) = self.followers.get(&context[context.len() - length..]) else { break };
            let count = followers.get(&token).copied().unwrap_or(0);
            sum += weight * count as f32 / followers.values().sum::<u32>() as f32;
        }
        (sum > 0.0).then_some(sum)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn contexts_of_several_lengths_are_interpolated() {
        let mut ngrams = Ngrams::default();
        ngrams.learn(&[1, 2, 3, 1, 2, 4]);
        // Behind 2 came 3 and 4 once each; behind 3 1 2 only 4.
        let got = ngrams.probability(&[3, 1, 2], 4).map(|p| (p * 1000.0).round());
        assert_eq!(got, Some(5.0 + 20.0 + 150.0));
        assert_eq!(ngrams.probability(&[1, 2], 1), None);
        assert_eq!(ngrams.probability(&[9], 1), None);
    }
}
