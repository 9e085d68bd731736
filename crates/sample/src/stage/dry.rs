use std::collections::BTreeMap;

use super::{Ctx, LogitStage};
use crate::candidates::Candidates;
use crate::error::SampleError;
use crate::known::Known;

/// DRY: penalises a token that would lengthen a repetition of the last `m` tokens, by
/// `multiplier · base^(m − allowed_length)`.
#[derive(Debug, Clone, PartialEq)]
pub struct Dry {
    /// Size of the penalty; 0 is off.
    pub multiplier: f32,
    /// Growth per token of the repetition; below 1 is off.
    pub base: f32,
    /// Shortest repetition that is penalised, in tokens; at least 1.
    pub allowed_length: u32,
    /// Tokens looked back at; 0 is off, −1 means all accepted tokens.
    pub last_n: i32,
    /// Token sequences across which no repetition is counted, such as line ends.
    pub breakers: Vec<Vec<u32>>,
}

impl LogitStage for Dry {
    fn name(&self) -> &'static str {
        "dry"
    }

    fn spec(&self) -> String {
        let Self { multiplier, base, allowed_length, last_n, breakers } = self;
        let mut spec = format!("dry(mult={multiplier},base={base},allowed={allowed_length},last_n={last_n}");
        for breaker in breakers {
            let ids: Vec<String> = breaker.iter().map(ToString::to_string).collect();
            spec += &format!(",breaker={}", ids.join("-"));
        }
        spec + ")"
    }

    fn apply(&self, candidates: &mut Candidates, ctx: &Ctx<'_>) -> Result<(), SampleError> {
        let penalties = self.penalties(ctx.window(self.last_n));
        if penalties.is_empty() {
            return Ok(());
        }
        candidates.lower(self.name(), |candidate| {
            candidate.logit -= penalties.get(&candidate.id).copied().unwrap_or(0.0);
            true
        })
    }

    fn after(&self, known: Known) -> Option<Known> {
        let off = self.multiplier == 0.0 || self.base < 1.0 || self.last_n == 0;
        Some(if off { known } else { known.changed() })
    }

    fn fork(&self) -> Box<dyn LogitStage> {
        Box::new(self.clone())
    }
}

impl Dry {
    /// What is subtracted from each token after `window`.
    #[must_use]
    pub fn penalties(&self, window: &[u32]) -> BTreeMap<u32, f32> {
        let allowed = self.allowed_length.max(1) as usize;
        let mut longest: BTreeMap<u32, usize> = BTreeMap::new();
        if self.multiplier == 0.0 || self.base < 1.0 || window.len() <= allowed {
            return BTreeMap::new();
        }
        let limit = self.tokens_after_breaker(window);
        if limit < allowed {
            return BTreeMap::new();
        }
        let reversed: Vec<u32> = window.iter().rev().copied().collect();
        // reversed[i − 1] is the token that followed an earlier copy of the end, of length common[i].
        for (follower, common) in reversed.iter().zip(common_prefixes(&reversed).iter().skip(1)) {
            let length = (*common).min(limit);
            if length >= allowed && !self.is_lone_breaker(*follower) {
                let entry = longest.entry(*follower).or_default();
                *entry = length.max(*entry);
            }
        }
        // f32 overflows at e^88.72.
        let max_exponent = if self.base > 1.0 { 88.722_8 / self.base.ln() } else { f32::MAX };
        longest
            .into_iter()
            .map(|(token, length)| {
                let exponent = ((length - allowed) as f32).min(max_exponent);
                (token, (self.multiplier * self.base.powf(exponent)).min(f32::MAX / 4.0))
            })
            .collect()
    }

    /// Number of tokens behind the last breaker, or the whole window.
    fn tokens_after_breaker(&self, window: &[u32]) -> usize {
        let after = |start: usize| {
            let rest = window.get(start..)?;
            let breaker = self
                .breakers
                .iter()
                .filter(|breaker| !breaker.is_empty() && rest.starts_with(breaker))
                .max_by_key(|breaker| breaker.len())?;
            Some(rest.len() - breaker.len())
        };
        (0..window.len()).rev().find_map(after).unwrap_or(window.len())
    }

    fn is_lone_breaker(&self, token: u32) -> bool {
        self.breakers.iter().any(|breaker| breaker.as_slice() == [token])
    }
}

/// Z-array: for each `i`, how many items of `items[i..]` equal the beginning of `items`. Linear time.
fn common_prefixes(items: &[u32]) -> Vec<usize> {
    let mut z = vec![0usize; items.len()];
    let (mut left, mut right) = (0, 0);
    for i in 1..items.len() {
        let mut length = if i < right { z.get(i - left).copied().unwrap_or(0).min(right - i) } else { 0 };
        while items.get(i + length).is_some_and(|item| items.get(length) == Some(item)) {
            length += 1;
        }
        if i + length > right {
            (left, right) = (i, i + length);
        }
        if let Some(slot) = z.get_mut(i) {
            *slot = length;
        }
    }
    z
}

#[cfg(test)]
mod tests {
    use super::common_prefixes;

    #[test]
    fn z_array_equals_the_plain_count() {
        let mut x = 1u32;
        for n in 0..60 {
            let items: Vec<u32> = (0..n)
                .map(|_| {
                    x = x.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                    x >> 30
                })
                .collect();
            let got = common_prefixes(&items);
            for i in 1..items.len() {
                let plain = items[i..].iter().zip(&items).take_while(|(a, b)| a == b).count();
                assert_eq!(got[i], plain, "{items:?} at {i}");
            }
        }
    }
}
