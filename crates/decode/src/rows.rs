//! What a model says of the next token.

use std::rc::Rc;

use goldcrest_engine::batch::RowResult;
use goldcrest_sample::{Candidates, Chain, Needs, RowStats, TokenMask, exp_f32};

use crate::DecodeError;

/// The distribution of the next token behind one row: its best candidates with the exact figures of the whole, or the
/// whole.
#[derive(Clone, Debug, Default)]
pub struct Row {
    inner: RowResult,
    /// The only tokens that count, if not all do.
    mask: Option<Rc<TokenMask>>,
}

impl Row {
    pub(crate) const fn new(inner: RowResult) -> Self {
        Self { inner, mask: None }
    }

    /// A row that was computed from others, of which `base` says what counts.
    pub(crate) fn mixed(logits: Vec<f32>, base: &Self) -> Self {
        let stats = Some(Self::stats_of(&logits));
        Self { inner: RowResult { stats, logits, ..RowResult::default() }, mask: base.mask.clone() }
    }

    /// The row of which a mask was asked, as far as the mask leaves it.
    pub(crate) fn masked(mut self, mask: Option<Rc<TokenMask>>) -> Self {
        if let Some(mask) = &mask {
            self.inner.top.retain(|(token, _)| mask.contains(*token));
        }
        self.mask = mask;
        self
    }

    /// The figures of the whole row.
    #[must_use]
    pub fn stats(&self) -> RowStats {
        let none =
            RowStats { max: 0.0, argmax: 0, log_sum_exp: 0.0, entropy: 0.0, max_p: 1.0, top2_gap: 0.0 };
        self.inner.stats.map_or(none, |s| RowStats {
            max: s.max,
            argmax: s.argmax,
            log_sum_exp: s.log_sum_exp,
            entropy: s.entropy,
            max_p: s.max_p,
            top2_gap: s.top2_gap,
        })
    }

    /// The likeliest token.
    #[must_use]
    pub fn argmax(&self) -> u32 {
        self.stats().argmax
    }

    /// The log-probability of the likeliest token, for which nothing but the figures is needed.
    #[must_use]
    pub fn best_logprob(&self) -> f32 {
        let stats = self.stats();
        stats.max - stats.log_sum_exp
    }

    /// The best `k` tokens with their log-probabilities, best first; at most as many as were asked for.
    #[must_use]
    pub fn top(&self, k: usize) -> Vec<(u32, f32)> {
        let lse = self.stats().log_sum_exp;
        self.inner.top.iter().take(k).map(|(id, logit)| (*id, logit - lse)).collect()
    }

    /// The token that the device drew, if it was asked to.
    #[must_use]
    pub const fn drawn(&self) -> Option<u32> {
        match self.inner.drawn {
            Some((token, _)) => Some(token),
            None => None,
        }
    }

    /// Log-probability of a token: exact for the best that were asked for and the one that was drawn, else negative infinity.
    #[must_use]
    pub fn logprob(&self, token: u32) -> f32 {
        let lse = self.stats().log_sum_exp;
        let listed = || self.inner.top.iter().find(|(id, _)| *id == token).map(|(_, logit)| *logit);
        let whole = self.inner.logits.get(token as usize).copied();
        let drawn = || self.inner.drawn.filter(|(id, _)| *id == token).map(|(_, logprob)| logprob);
        whole.or_else(listed).map(|logit| logit - lse).or_else(drawn).unwrap_or(f32::NEG_INFINITY)
    }

    /// All logits, if the row was asked for; else nothing.
    #[must_use]
    pub fn logits(&self) -> &[f32] {
        &self.inner.logits
    }

    /// Logits of the tokens in [`goldcrest_engine::batch::Wants::logits_at`].
    #[must_use]
    pub fn logits_at(&self) -> &[f32] {
        &self.inner.logits_at
    }

    /// The row after the final norm, if it was asked for.
    #[must_use]
    pub fn hidden(&self) -> &[f32] {
        &self.inner.hidden
    }

    /// The best of a row that is known as a whole, where they are fewer and may settle the chain's choice.
    pub(crate) fn best(&self, chain: &Chain) -> Result<Option<Candidates>, DecodeError> {
        let (n_best, n_row) = (self.inner.top.len(), self.inner.logits.len());
        if n_best == 0 || n_best >= n_row || chain.needs(n_best) == Needs::Row {
            return Ok(None);
        }
        Ok(Some(self.listed()?))
    }

    /// The row as a sampler chain wants it: whole where it is known, else its best.
    ///
    /// # Errors
    /// [`goldcrest_sample::SampleError::NonFiniteLogits`], [`goldcrest_sample::SampleError::NoCandidate`].
    pub fn candidates(&self) -> Result<Candidates, DecodeError> {
        let row = &self.inner.logits;
        match &self.mask {
            _ if row.is_empty() => self.listed(),
            None => Ok(Candidates::from_row(row)?),
            Some(mask) => Ok(Candidates::from_row_masked(row, mask.words())?),
        }
    }

    fn listed(&self) -> Result<Candidates, DecodeError> {
        let (ids, logits): (Vec<u32>, Vec<f32>) = self.inner.top.iter().copied().unzip();
        // The list is complete if it holds all that a mask left.
        let complete = self.mask.as_ref().is_some_and(|mask| ids.len() >= mask.count());
        Ok(match complete {
            true => Candidates::from_list(&ids, &logits)?,
            false => Candidates::from_top(&ids, &logits, Some(self.stats()))?,
        })
    }

    /// The figures that a device reports of a row of finite logits.
    pub(crate) fn stats_of(logits: &[f32]) -> goldcrest_engine::RawStats {
        let mut argmax = 0;
        for (id, logit) in logits.iter().enumerate() {
            if *logit > logits[argmax] {
                argmax = id;
            }
        }
        let max = logits.get(argmax).copied().unwrap_or(0.0);
        let second = logits.iter().enumerate().filter(|(id, _)| *id != argmax).map(|(_, l)| *l);
        let top2_gap = max - second.fold(f32::NEG_INFINITY, f32::max);
        let total: f64 = logits.iter().map(|l| f64::from(exp_f32(l - max))).sum();
        let log_sum_exp = max + total.ln() as f32;
        let p_ln_p = |l: &f32| {
            let ln_p = f64::from(l - max) - total.ln();
            if ln_p < -700.0 { 0.0 } else { ln_p.exp() * ln_p }
        };
        let entropy = -logits.iter().map(p_ln_p).sum::<f64>() as f32;
        let max_p = (1.0 / total) as f32;
        let argmax = argmax as u32;
        goldcrest_engine::RawStats { argmax, max, log_sum_exp, entropy, max_p, top2_gap, bad: 0, reserved: 0 }
    }
}
