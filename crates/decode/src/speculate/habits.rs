//! What usually comes, for tokens that never came before: a word that is new in the text is followed by what followed other words
//! in its place.
//!
//! Two counts say it: what the model thought likely two places behind each token, and what it thought likely anywhere of late.
//! More than half of the passes that accept nothing begin at a token of which nothing else is known.

use std::collections::BTreeMap;

/// Guesses behind one token.
const GUESSES: usize = 8;
/// Tokens of the general count that are looked at.
const LOOKED_AT: usize = 2 * GUESSES;
/// The general count as one of so many tokens behind each place.
const GENERAL: f32 = 4.0;
/// Tokens after which half of the general count is forgotten.
const MEMORY: f32 = 512.0;
/// What is left of a token's count when it is dropped.
const DROPPED: f32 = 0.2;
/// Tokens counted behind one place.
const OF_A_PLACE: usize = 16;
/// Places that are counted for; then it begins anew. About 1 MB.
const PLACES: usize = 8192;

/// The counts. They are rebuilt within an answer and not stored.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Habits {
    general: BTreeMap<u32, f32>,
    total: f32,
    /// By the token two places before: counts, and their sum.
    places: BTreeMap<u32, (Vec<(u32, f32)>, f32)>,
}

impl Habits {
    /// The model thought these tokens likely, with their probabilities, two places behind `before`.
    pub(super) fn learn(&mut self, before: Option<u32>, likely: &[(u32, f32)]) {
        for (token, p) in likely {
            *self.general.entry(*token).or_default() += p;
            self.total += p;
        }
        if self.total > MEMORY {
            self.general.values_mut().for_each(|count| *count /= 2.0);
            self.general.retain(|_, count| *count >= DROPPED);
            self.total = self.general.values().sum();
        }
        let Some(before) = before else { return };
        if self.places.len() >= PLACES && !self.places.contains_key(&before) {
            self.places.clear();
        }
        let (counts, sum) = self.places.entry(before).or_default();
        for (token, p) in likely {
            *sum += p;
            match counts.iter_mut().find(|(known, _)| known == token) {
                Some((_, count)) => *count += p,
                None => counts.push((*token, *p)),
            }
        }
        counts.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
        counts.truncate(OF_A_PLACE);
    }

    /// The tokens that come most, most first.
    pub(super) fn usual(&self) -> Vec<(u32, f32)> {
        let mut usual: Vec<(u32, f32)> = self.general.iter().map(|(token, count)| (*token, *count)).collect();
        let more = |a: &(u32, f32), b: &(u32, f32)| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0));
        // Thousands may be counted between two times that little ones are dropped; they are not all sorted in every pass.
        if usual.len() > LOOKED_AT {
            usual.select_nth_unstable_by(LOOKED_AT, more);
            usual.truncate(LOOKED_AT);
        }
        usual.sort_by(more);
        usual
    }

    /// What comes two places behind `before`, with estimated probabilities, likeliest first; `usual` is [`Habits::usual`].
    pub(super) fn behind(&self, before: u32, usual: &[(u32, f32)]) -> Vec<(u32, f32)> {
        let nothing = (Vec::new(), 0.0);
        let (counts, sum) = self.places.get(&before).unwrap_or(&nothing);
        let here = |token: u32| counts.iter().find(|(known, _)| *known == token).map_or(0.0, |(_, n)| *n);
        let general = |token: u32| self.general.get(&token).copied().unwrap_or(0.0) / self.total.max(1.0);
        let mut tokens: Vec<u32> = usual.iter().chain(counts).map(|(token, _)| *token).collect();
        tokens.sort_unstable();
        tokens.dedup();
        let estimate = |token: &u32| (*token, (here(*token) + GENERAL * general(*token)) / (sum + GENERAL));
        let mut guesses: Vec<(u32, f32)> = tokens.iter().map(estimate).collect();
        guesses.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
        guesses.truncate(GUESSES);
        guesses
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_came_in_a_place_counts_more_than_what_came_anywhere() {
        let mut habits = Habits::default();
        habits.learn(Some(1), &[(7, 0.75), (8, 0.25)]);
        habits.learn(Some(2), &[(9, 1.0)]);
        let usual = habits.usual();
        assert_eq!(usual, [(9, 1.0), (7, 0.75), (8, 0.25)]);
        // (0.75 + 4 * 0.75 / 2) / 5, (0 + 4 / 2) / 5, (0.25 + 4 * 0.25 / 2) / 5.
        assert_eq!(habits.behind(1, &usual), [(7, 0.45), (9, 0.4), (8, 0.15)]);
        // In a place of which nothing is known only the general count says something.
        assert_eq!(habits.behind(3, &usual), [(9, 0.5), (7, 0.375), (8, 0.125)]);
        assert_eq!(Habits::default().behind(3, &[]), []);
    }

    #[test]
    fn old_habits_are_forgotten_and_little_is_kept() {
        let mut habits = Habits::default();
        (0..600).for_each(|_| habits.learn(None, &[(1, 1.0)]));
        habits.learn(None, &[(2, 0.3)]);
        (0..600).for_each(|_| habits.learn(None, &[(3, 1.0)]));
        assert_eq!(habits.usual().iter().map(|(token, _)| *token).collect::<Vec<_>>(), [3, 1]);
        (0..50).for_each(|token| habits.learn(Some(5), &[(token, 1.0)]));
        assert_eq!(habits.places[&5].0.len(), OF_A_PLACE);
    }
}
