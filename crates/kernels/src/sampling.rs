//! Records that the sampling kernels and the host share; the WGSL twin is `shaders/common/sampling.wgsl`.
//!
//! The kernels run over the rows of a step whose logits are wanted, in this order: `mask_logits`, `penalize`, `row_stats`, `topk`,
//! `sample`, or for a single sequence `sample_next`. Plans are reusable because everything that a request sets lies in
//! small buffers: [`SampleParams`], a bias list, a history ring.

use bytemuck::{Pod, Zeroable};

/// Candidates that `topk` keeps of each row.
pub const CANDIDATES: u32 = 256;
/// A logit of a token that must not be chosen: finite, because WGSL lets a compiler assume that infinities do not occur.
pub const BANNED: f32 = -1e30;
/// Id of a slot of `topk`'s result that holds no token, because the vocabulary has fewer than [`CANDIDATES`].
pub const NO_ID: u32 = u32::MAX;
/// Words before the pairs of a list: the number of pairs, and one unused.
pub const LIST_HEADER: usize = 2;
/// Words before the tokens of a history ring: tokens ever appended, capacity, two unused.
pub const HISTORY_HEADER: usize = 4;

/// What a request sets. One for all rows, or one a row.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Pod, Zeroable)]
pub struct SampleParams {
    /// Repetition penalty; 1 is off.
    pub repeat: f32,
    /// Subtracted per occurrence; 0 is off.
    pub frequency: f32,
    /// Subtracted per distinct token; 0 is off.
    pub presence: f32,
    /// Newest tokens of the history that the penalties look at; 0 is off, `u32::MAX` all that the ring holds.
    pub last_n: u32,
    /// 1 / temperature; 1 is off.
    pub inv_temperature: f32,
    /// Candidates kept; 0 is off.
    pub top_k: u32,
    /// Nucleus mass; 1 is off.
    pub top_p: f32,
    /// Least share of the largest probability; 0 is off.
    pub min_p: f32,
    /// `ln min_p`, computed by the host so that all devices compare with the same number; not read when `min_p` is 0.
    pub log_min_p: f32,
    /// 1 takes the largest logit and reads no candidates, so that a greedy plan needs no `topk`.
    pub greedy: u32,
    /// Unused.
    pub reserved: [u32; 6],
}

impl SampleParams {
    /// One draw from the model's own distribution.
    pub const NEUTRAL: Self = Self {
        repeat: 1.0,
        frequency: 0.0,
        presence: 0.0,
        last_n: 0,
        inv_temperature: 1.0,
        top_k: 0,
        top_p: 1.0,
        min_p: 0.0,
        log_min_p: 0.0,
        greedy: 0,
        reserved: [0; 6],
    };

    /// The largest logit.
    pub const GREEDY: Self = Self { greedy: 1, ..Self::NEUTRAL };
}

/// Exact figures of one row of logits, over its finite ones.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Pod, Zeroable)]
pub struct RowStats {
    /// Lowest id that has the largest logit.
    pub argmax: u32,
    /// Largest logit; [`BANNED`] if none is finite.
    pub max: f32,
    /// `ln Σ exp(logit)`.
    pub log_sum_exp: f32,
    /// Entropy of the softmax, in nats.
    pub entropy: f32,
    /// Probability of `argmax`.
    pub max_p: f32,
    /// Largest logit minus the second largest, 0 on a tie, 1e30 if there is no second.
    pub top2_gap: f32,
    /// 1 + lowest id of a logit that is NaN or infinite; 0 if there is none.
    pub bad: u32,
    /// Unused.
    pub reserved: u32,
}

/// What `row_stats` knows of a part of a row. Logits are order keys (`order_key` in the WGSL twin); key 0 is "none".
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Pod, Zeroable)]
pub struct RowPartial {
    /// Of the largest logit.
    pub key: u32,
    /// Lowest id that has it.
    pub argmax: u32,
    /// Of the second largest logit.
    pub second: u32,
    /// As [`RowStats::bad`].
    pub bad: u32,
    /// Sum of `exp(l − max)`.
    pub sum: f32,
    /// Sum of `(l − max) · exp(l − max)`.
    pub dot: f32,
    /// Unused.
    pub reserved: [u32; 2],
}

/// The token chosen for one row.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Pod, Zeroable)]
pub struct Picked {
    /// Token id; the largest logit's when a flag is set.
    pub token: u32,
    /// 0, or one of [`Picked::OVERFLOW`], [`Picked::BAD`] and [`Picked::NONE`].
    pub flags: u32,
    /// Log-probability under the full distribution, penalties applied, before truncation and temperature.
    pub logprob: f32,
    /// Unused.
    pub reserved: u32,
}

impl Picked {
    /// The candidates did not settle the choice: the host repeats it with the whole row.
    pub const OVERFLOW: u32 = 1;
    /// The row has a logit that is NaN or infinite.
    pub const BAD: u32 = 2;
    /// Every token is banned.
    pub const NONE: u32 = 4;
}

/// One entry of the output ring that `sample_next` writes. The host discards everything behind the first set flag.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Pod, Zeroable)]
pub struct OutToken {
    /// Token id.
    pub token: u32,
    /// As [`Picked::logprob`].
    pub logprob: f32,
    /// As [`Picked::flags`].
    pub flags: u32,
    /// As [`RowStats::entropy`].
    pub entropy: f32,
}

/// Words of a bias list: addends of a token named more than once are summed, −∞ bans. The kernel passes over ids outside
/// the vocabulary.
#[must_use]
pub fn bias_list(pairs: &[(u32, f32)]) -> Vec<u32> {
    let mut pairs = pairs.to_vec();
    pairs.sort_by_key(|pair| pair.0);
    pairs.dedup_by(|next, kept| {
        let same = next.0 == kept.0;
        if same {
            kept.1 += next.1;
        }
        same
    });
    list(pairs.iter().map(|(id, add)| [*id, add.to_bits()]))
}

/// Words of a `gather_logits` list: pairs of wanted row and token id.
#[must_use]
pub fn gather_list(pairs: &[(u32, u32)]) -> Vec<u32> {
    list(pairs.iter().map(|(row, id)| [*row, *id]))
}

/// Words of a history ring of `capacity` that `tokens`, oldest first, have been appended to.
#[must_use]
pub fn history_ring(tokens: &[u32], capacity: u32) -> Vec<u32> {
    let mut words = vec![0; HISTORY_HEADER + capacity as usize];
    words[0] = u32::try_from(tokens.len()).unwrap_or(u32::MAX);
    words[1] = capacity;
    if capacity > 0 {
        let ring = &mut words[HISTORY_HEADER..];
        let skipped = tokens.len().saturating_sub(ring.len());
        for (i, token) in tokens.iter().enumerate().skip(skipped) {
            ring[i % capacity as usize] = *token;
        }
    }
    words
}

/// Bytes of a list that can hold `pairs`.
#[must_use]
pub const fn list_bytes(pairs: u32) -> u64 {
    (LIST_HEADER as u64 + 2 * pairs as u64) * 4
}

/// Bytes of a history ring that can hold `tokens`.
#[must_use]
pub const fn history_bytes(tokens: u32) -> u64 {
    (HISTORY_HEADER as u64 + tokens as u64) * 4
}

fn list(pairs: impl ExactSizeIterator<Item = [u32; 2]>) -> Vec<u32> {
    let mut words = vec![u32::try_from(pairs.len()).unwrap_or(u32::MAX), 0];
    words.extend(pairs.flatten());
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bias_list_names_each_token_once() {
        let words = bias_list(&[(7, 1.0), (3, f32::NEG_INFINITY), (7, 0.5)]);
        assert_eq!(words, [2, 0, 3, f32::NEG_INFINITY.to_bits(), 7, 1.5f32.to_bits()]);
    }

    #[test]
    fn a_ring_holds_the_newest_tokens_where_appending_would_have_put_them() {
        assert_eq!(history_ring(&[1, 2, 3, 4, 5], 3), [5, 3, 0, 0, 4, 5, 3]);
        assert_eq!(history_ring(&[1], 3), [1, 3, 0, 0, 1, 0, 0]);
        assert_eq!(history_ring(&[1, 2], 0), [2, 0, 0, 0]);
    }

    /// Every record is made of 4-byte fields, so order and names are all there is to compare.
    #[test]
    fn records_are_those_of_the_shaders() {
        fn fields(text: &str, name: &str, open: &str) -> Vec<String> {
            let body =
                text.split(&format!("struct {name} {{{open}")).nth(1).and_then(|rest| rest.split('}').next());
            let lines = body.unwrap_or_default().lines().map(str::trim);
            lines
                .filter_map(|line| line.trim_start_matches("pub ").split_once(": "))
                .filter(|(field, _)| !field.starts_with("reserved") && !field.starts_with("//"))
                .map(|(field, rest)| format!("{field}: {}", rest.split(',').next().unwrap_or_default()))
                .collect()
        }
        let rust = include_str!("sampling.rs");
        let wgsl = include_str!("../../../shaders/common/sampling.wgsl");
        let partial = include_str!("../../../shaders/common/row_partial.wgsl");
        for (text, ours, theirs) in [
            (wgsl, "SampleParams", "SampleParams"),
            (wgsl, "RowStats", "RowStats"),
            (wgsl, "Picked", "Picked"),
            (wgsl, "OutToken", "OutToken"),
            (partial, "RowPartial", "Partial"),
        ] {
            let found = fields(rust, ours, "\n");
            assert!(found.len() >= 3, "{ours}");
            assert_eq!(found, fields(text, theirs, "\n"), "{ours}");
        }
        assert_eq!(size_of::<SampleParams>(), 64);
        assert_eq!([size_of::<RowStats>(), size_of::<RowPartial>()], [32; 2]);
        assert_eq!([size_of::<Picked>(), size_of::<OutToken>()], [16; 2]);
    }
}
