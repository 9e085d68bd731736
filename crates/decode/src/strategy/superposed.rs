//! Superposed decoding: k drafts from one stream, whose input is the weighted sum of the drafts' last tokens.
//!
//! Shen et al., "Superposed Decoding: Multiple Generations from a Single Autoregressive Inference Pass", 2024. One row runs
//! per step however many drafts there are; counts of n-grams (of the prompt and of the references given) say which token
//! belongs to which draft; the model scores the finished drafts in one pass, and the likeliest is the answer.

use goldcrest_engine::batch::{BEST, Batch, BatchRow, Source, Wants};
use serde_json::{Value, json};

use super::{FormBy, Strategy};
use crate::continuations;
use crate::ngrams::Ngrams;
use crate::{Args, DecodeError, Job, Lm, Row};

/// What a draft loses whose n-grams know none of the candidates, in the place of negative infinity.
const UNKNOWN: f32 = 200.0;

/// Several drafts for the rows of one.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Superposed {
    /// Drafts.
    pub k: usize,
    /// Divides the logits of the mixed row.
    pub temperature: f32,
    /// Share of the n-grams in a draft's score.
    pub alpha: f32,
    /// Tokens of the mixed row that are considered.
    pub top: usize,
    /// Whether the model scores the finished drafts; without it the mixed rows' own figures stand.
    pub rescore: bool,
}

struct Draft {
    tokens: Vec<u32>,
    /// Log-probabilities of the tokens in the mixed rows.
    logprobs: Vec<f32>,
    score: f32,
    ended: bool,
}

impl Strategy for Superposed {
    const NAME: &'static str = "superposed";
    const SUMMARY: &'static str = "several drafts for the price of one, the likeliest of them";
    // One row speaks for drafts that stand at different points of a form.
    const FORM: FormBy = FormBy::Nothing;

    fn read(args: &mut Args) -> Result<Self, DecodeError> {
        Ok(Self {
            k: args.count("k", 3, 1..=16)?,
            temperature: args.number("temperature", 0.06, 0.001..=10.0)?,
            alpha: args.number("alpha", 0.54, 0.0..=1.0)?,
            top: args.count("top", 9, 1..=256)?,
            rescore: args.flag("rescore", true)?,
        })
    }

    async fn run<L: Lm>(&self, job: &mut Job<'_, L>) -> Result<(), DecodeError> {
        let wants = Wants { stats: true, top: BEST, ..Wants::default() };
        let (seq, first) = job.open(&wants).await?;
        let n_prompt = job.model.len(seq)?;
        let mut ngrams = Ngrams::default();
        ngrams.learn(&job.prompt);
        job.resources.references.iter().for_each(|text| ngrams.learn(text));
        let start = |(token, score): (u32, f32)| {
            let (tokens, logprobs) = (vec![token], vec![score]);
            Draft { tokens, logprobs, score, ended: false }
        };
        let mut drafts: Vec<Draft> = first.top(self.k).into_iter().map(start).collect();
        loop {
            drafts.iter_mut().for_each(|draft| draft.ended = job.text(&draft.tokens).1.is_some());
            let (mut ended, alive): (Vec<_>, Vec<_>) = drafts.into_iter().partition(|draft| draft.ended);
            if alive.is_empty() {
                drafts = ended;
                break;
            }
            let pos = job.model.lm().pool().sequence(seq)?.next_pos();
            let source = Source::Mixture(mixture(&alive));
            let row = BatchRow { source, ..BatchRow::token(0, pos, seq).wanting(wants.clone()) };
            let result = job.model.forward(&Batch { rows: vec![row], ..Batch::default() }).await?;
            let row = result.rows.into_iter().next().map(Row::new).unwrap_or_default();
            let known = |draft: usize, token: u32| {
                let context: Vec<u32> = job.prompt.iter().chain(&alive[draft].tokens).copied().collect();
                ngrams.probability(&context[context.len().saturating_sub(5)..], token)
            };
            let scores: Vec<f32> = alive.iter().map(|draft| draft.score).collect();
            let ranked = self.ranked(&scores, &self.heated(&row.top(self.top)), known);
            for (draft, token, score) in ranked.into_iter().take(self.k - ended.len()) {
                let tokens = alive[draft].tokens.iter().copied().chain([token]).collect();
                let logprobs = alive[draft].logprobs.iter().copied().chain([row.logprob(token)]).collect();
                ended.push(Draft { tokens, logprobs, score, ended: false });
            }
            // Ended drafts come back as they were: their text says so again.
            drafts = ended;
        }
        let mut logprobs: Vec<Vec<f32>> = drafts.iter().map(|draft| draft.logprobs.clone()).collect();
        if self.rescore {
            job.model.truncate(seq, n_prompt)?;
            let texts: Vec<&[u32]> = drafts.iter().map(|draft| draft.tokens.as_slice()).collect();
            logprobs = continuations::logprobs(&mut job.model, seq, &first, &texts).await?;
        }
        let mean = |list: &[f32]| list.iter().sum::<f32>() / list.len().max(1) as f32;
        let mut order: Vec<usize> = (0..drafts.len()).collect();
        order.sort_by(|a, b| mean(&logprobs[*b]).total_cmp(&mean(&logprobs[*a])));
        let told = |i: &usize| {
            let tokens = &drafts[*i].tokens;
            json!({ "tokens": tokens, "text": job.text(tokens).0, "mean_logprob": mean(&logprobs[*i]) })
        };
        let list: Vec<Value> = order.iter().map(told).collect();
        job.report.insert("drafts".into(), list.into());
        if let Some(best) = order.first() {
            job.write(&drafts[*best].tokens, &logprobs[*best]).await;
        }
        Ok(())
    }
}

impl Superposed {
    /// Log-probabilities of the candidates among themselves, heated.
    fn heated(&self, top: &[(u32, f32)]) -> Vec<(u32, f32)> {
        let most = top.first().map_or(0.0, |(_, ln_p)| *ln_p);
        let heat = |ln_p: f32| (ln_p - most) / self.temperature;
        let sum: f32 = top.iter().map(|(_, ln_p)| heat(*ln_p).exp()).sum();
        top.iter().map(|(token, ln_p)| (*token, heat(*ln_p) - sum.ln())).collect()
    }

    /// (draft, token, score) of every continuation, best first. `known` is the n-grams' probability of a token behind a
    /// draft.
    fn ranked(
        &self,
        scores: &[f32],
        candidates: &[(u32, f32)],
        known: impl Fn(usize, u32) -> Option<f32>,
    ) -> Vec<(usize, u32, f32)> {
        let mut ranked = Vec::with_capacity(scores.len() * candidates.len());
        for (draft, score) in scores.iter().enumerate() {
            let mixed = |(token, ln_p): &(u32, f32)| match known(draft, *token) {
                Some(p) if self.alpha > 0.0 => (1.0 - self.alpha) * ln_p + self.alpha * p.ln(),
                _ if self.alpha > 0.0 => f32::NEG_INFINITY,
                _ => *ln_p,
            };
            let mut own: Vec<f32> = candidates.iter().map(mixed).collect();
            if own.iter().all(|ln_p| *ln_p == f32::NEG_INFINITY) {
                own = candidates.iter().map(|(_, ln_p)| ln_p - UNKNOWN).collect();
            }
            ranked.extend(candidates.iter().zip(own).map(|((token, _), ln_p)| (draft, *token, score + ln_p)));
        }
        ranked.sort_by(|a, b| b.2.total_cmp(&a.2));
        ranked
    }
}

/// The last tokens of the drafts, each by its draft's share; equal tokens together.
fn mixture(drafts: &[Draft]) -> Vec<(u32, f32)> {
    let most = drafts.iter().map(|draft| draft.score).fold(f32::NEG_INFINITY, f32::max);
    let sum: f32 = drafts.iter().map(|draft| (draft.score - most).exp()).sum();
    let mut mixture: Vec<(u32, f32)> = Vec::with_capacity(drafts.len());
    for draft in drafts {
        let Some(last) = draft.tokens.last() else { continue };
        let weight = (draft.score - most).exp() / sum;
        match mixture.iter_mut().find(|(token, _)| token == last) {
            Some((_, shared)) => *shared += weight,
            None => mixture.push((*last, weight)),
        }
    }
    mixture
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_worked_numbers_hold() {
        let method = Superposed { k: 2, temperature: 0.5, alpha: 0.54, top: 3, rescore: true };
        let top: Vec<(u32, f32)> = (0..).zip([0.45_f32, 0.30, 0.15].map(f32::ln)).collect();
        let heated = method.heated(&top);
        for ((_, ln_p), want) in heated.iter().zip([0.642_857_f32, 0.285_714, 0.071_429]) {
            assert!((ln_p.exp() - want).abs() < 1e-6);
        }
        let known = |draft: usize, token: u32| match (draft, token) {
            (0, 0) => Some(0.2),
            (0, 1) => Some(0.8),
            (1, 0) => Some(0.9),
            (1, 2) => Some(0.1),
            _ => None,
        };
        let ranked = method.ranked(&[0.6_f32.ln(), 0.4_f32.ln()], &heated, known);
        let want = [(1, 0, -1.176_428), (0, 1, -1.207_594), (0, 0, -1.583_165), (1, 2, -3.373_653)];
        for (got, want) in ranked.iter().zip(want) {
            assert!((got.0, got.1) == (want.0, want.1) && (got.2 - want.2).abs() < 1e-5, "{ranked:?}");
        }
        let draft = |token, score| Draft { tokens: vec![token], logprobs: vec![score], score, ended: false };
        let mixed = mixture(&[draft(0, ranked[0].2), draft(1, ranked[1].2)]);
        assert!((mixed[0].1 - 0.507_791).abs() < 1e-5 && (mixed[1].1 - 0.492_209).abs() < 1e-5);
        // A draft whose n-grams know nothing falls back to the model, at a price.
        let lost = method.ranked(&[0.0], &heated, |_, _| None);
        assert!((lost[0].2 - (0.642_857_f32.ln() - UNKNOWN)).abs() < 1e-3);
    }
}
