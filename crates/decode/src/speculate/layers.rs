//! Drafting with some of the model's own layers: no second model, and the cells of the past are exact.
//!
//! - `exit`: the first layers and the head (Kangaroo with the identity for its adapter; Liu et al., arXiv 2404.18911);
//! - `skip`: layers at even distances, with the first and the last (unified layer skipping; Liu et al., arXiv 2404.06954);
//! - `del`: the exit layer and the number of guesses that pay best (DEL; Zarch et al., arXiv 2504.05598);
//! - `matformer`: all layers, with the first columns of their feed-forward blocks (Devvrit et al., arXiv 2310.07707).
//!
//! Guesses are written in a fork of the answer's sequence and dropped before the whole model verifies them. Ordinary
//! checkpoints do not agree with their own first layers; this is for those that were trained to.

use std::ops::Range;

use goldcrest_engine::batch::{Batch, BatchRow, Place, Source, Visible, Wants};
use goldcrest_engine::kv::SeqId;
use web_time::Instant;

use super::drafter::Turn;
use super::line::Round;
use super::scribe::{Scribe, planned};
use crate::{DecodeError, Lm, Row};

/// Class of its guesses.
const CLASS: usize = 21;
/// Share of a new observation in a layer's running acceptance.
const NEW: f32 = 0.1;

/// Which layers write.
#[derive(Clone, Debug, PartialEq)]
pub enum Layers {
    /// The first ones, up to this one; 0 for half of them.
    Exit(usize),
    /// As many as a speed-up of this factor leaves, at even distances.
    Skip(f32),
    /// The exit that pays best.
    Dynamic,
    /// All of them, in the nested width of this number, the smallest being 1.
    Slice(usize),
}

/// Some layers of the model, as a writer.
#[derive(Debug)]
pub(crate) struct OwnLayers {
    which: Layers,
    ff_width: Option<u32>,
    seq: Option<SeqId>,
    pass: f32,
    /// The exit that wrote the last guesses.
    wrote: usize,
    /// Running acceptance of the exits that are compared, with their layers.
    exits: Vec<(usize, f32)>,
}

impl OwnLayers {
    /// Of a model that nests these widths.
    pub(crate) fn new(which: Layers, nested_ff: &[u32]) -> Result<Self, DecodeError> {
        let ff_width = match which {
            Layers::Slice(slice) => Some(width(slice, nested_ff)?),
            _ => None,
        };
        Ok(Self { which, ff_width, seq: None, pass: 0.0, wrote: 0, exits: Vec::new() })
    }

    /// The layers to run, and for a dynamic exit the number of guesses.
    fn plan(&self, n_layer: u32) -> (Vec<Range<u32>>, usize) {
        let first = |n: u32| std::iter::once(0..n).collect();
        match &self.which {
            Layers::Exit(0) => (first(n_layer.div_ceil(2)), usize::MAX),
            Layers::Exit(layer) => (first((*layer as u32).min(n_layer)), usize::MAX),
            Layers::Skip(speed) => (runs(&kept(n_layer as usize, *speed)), usize::MAX),
            Layers::Dynamic => {
                let (layer, guesses, _) = best_exit(&self.exits, n_layer as usize);
                (first(layer as u32), guesses)
            }
            Layers::Slice(_) => (first(n_layer), usize::MAX),
        }
    }

    /// Runs one token through the layers that write, at the end of the fork.
    async fn pass<L: Lm>(&mut self, turn: &mut Turn<'_, '_, L>, token: u32) -> Result<Row, DecodeError> {
        let Some(seq) = self.seq else { return Ok(Row::default()) };
        let begun = Instant::now();
        let model = &mut turn.job.model;
        let (parts, _) = self.plan(model.shape().n_layer);
        let (entry, pos) = (model.len(seq)?, model.next_pos(seq)?);
        let wants = turn.line.wants(false);
        let mut row = Row::default();
        for (index, layers) in parts.iter().enumerate() {
            let last = index + 1 == parts.len();
            let (source, place) = match index {
                0 => (Source::Token(token), Place::Append),
                _ => (Source::Kept, Place::Entry(entry)),
            };
            let wants = if last { wants.clone() } else { Wants::default() };
            let rows = vec![BatchRow { source, pos, seq, place, visible: Visible::Causal, wants }];
            let (layers, ff_width) = (Some(layers.clone()), self.ff_width);
            let batch = Batch { rows, layers, ff_width, ..Batch::default() };
            row = model.forward(&batch).await?.rows.pop().map(Row::new).unwrap_or_default();
        }
        let took = begun.elapsed().as_secs_f32();
        self.pass = if self.pass > 0.0 { self.pass + 0.2 * (took - self.pass) } else { took };
        Ok(row)
    }
}

impl<L: Lm> Scribe<L> for OwnLayers {
    fn class(&self) -> usize {
        CLASS
    }

    fn length(&self, turn: &Turn<'_, '_, L>, most: usize) -> usize {
        let (_, guesses) = self.plan(turn.job.model.shape().n_layer);
        planned(turn, CLASS, most, self.pass).min(guesses)
    }

    async fn begin(&mut self, turn: &mut Turn<'_, '_, L>) -> Result<Row, DecodeError> {
        if self.which == Layers::Dynamic && self.exits.is_empty() {
            // Every tenth of the depth is compared; a few guesses of each decide.
            let n = turn.job.model.shape().n_layer as usize;
            self.exits = (1..=8).map(|i| (n * i).div_ceil(10)).filter(|l| *l < n).map(|l| (l, 0.5)).collect();
            self.exits.dedup_by_key(|(layer, _)| *layer);
        }
        self.wrote = best_exit(&self.exits, turn.job.model.shape().n_layer as usize).0;
        self.seq = Some(turn.job.model.fork(turn.line.seq)?);
        let root = turn.line.root();
        self.pass(turn, root).await
    }

    async fn next(&mut self, turn: &mut Turn<'_, '_, L>, token: u32) -> Result<Row, DecodeError> {
        self.pass(turn, token).await
    }

    fn end(&mut self, turn: &mut Turn<'_, '_, L>) -> Result<(), DecodeError> {
        self.seq.take().map_or(Ok(()), |seq| turn.job.model.free(seq))
    }

    fn learn(&mut self, accepted: usize, made: usize, _: &Round) {
        if self.which != Layers::Dynamic || made == 0 {
            return;
        }
        // Behind the first rejection no guess was judged.
        let judged = made.min(accepted + 1) as f32;
        if let Some((_, rate)) = self.exits.iter_mut().find(|(exit, _)| *exit == self.wrote) {
            *rate += NEW * (accepted as f32 / judged - *rate);
        }
    }
}

/// The nested width of number `slice`.
fn width(slice: usize, nested_ff: &[u32]) -> Result<u32, DecodeError> {
    if nested_ff.is_empty() {
        let what =
            "a model whose file names nested feed-forward widths (ARCH.matformer.feed_forward_lengths)";
        return Err(DecodeError::MissingResource { method: "matformer", what });
    }
    let width = slice.checked_sub(1).and_then(|at| nested_ff.get(at)).copied();
    width.ok_or_else(|| {
        let allowed = format!("1 to {}, for the widths {nested_ff:?}", nested_ff.len());
        DecodeError::InvalidParameter {
            method: "matformer",
            name: "slice",
            value: slice.to_string(),
            allowed,
        }
    })
}

/// Exit layer and number of guesses with the most tokens per layer run, and those tokens times the depth:
/// `(1 - a^(d+1)) / (1 - a) / (d l + L)`.
#[must_use]
pub fn best_exit(exits: &[(usize, f32)], n_layer: usize) -> (usize, usize, f32) {
    let worth = |(layer, rate): &(usize, f32)| {
        let per_layer =
            |d: usize| super::scribe::expected(*rate, d) * n_layer as f32 / (d * layer + n_layer) as f32;
        let d = (1..=16).max_by(|a, b| per_layer(*a).total_cmp(&per_layer(*b)).then(b.cmp(a))).unwrap_or(1);
        (*layer, d, per_layer(d))
    };
    exits.iter().map(worth).max_by(|a, b| a.2.total_cmp(&b.2)).unwrap_or((1, 1, 0.0))
}

/// Layers that a speed-up of `speed` leaves of `n`: the first, the last, and between them one at every step.
#[must_use]
pub fn kept(n: usize, speed: f32) -> Vec<usize> {
    let left = ((n as f32 / speed) as usize).clamp(2, n.max(2));
    let step = (n / (left - 1)).max(1);
    let mut kept: Vec<usize> = (0..n.saturating_sub(1)).step_by(step).take(left - 1).collect();
    kept.extend(n.checked_sub(1).filter(|last| kept.last() != Some(last)));
    kept
}

/// Ascending layers as ranges.
fn runs(layers: &[usize]) -> Vec<Range<u32>> {
    let mut runs: Vec<Range<u32>> = Vec::new();
    for layer in layers {
        let layer = *layer as u32;
        match runs.last_mut() {
            Some(run) if run.end == layer => run.end += 1,
            _ => runs.push(layer..layer + 1),
        }
    }
    runs
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn layers_are_left_at_even_distances() {
        assert_eq!(kept(30, 5.0), [0, 6, 12, 18, 24, 29]);
        assert_eq!(kept(24, 2.0), [0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 23]);
        assert_eq!(kept(5, 1.0), [0, 1, 2, 3, 4]);
        assert_eq!(runs(&kept(5, 1.0)), std::iter::once(0..5).collect::<Vec<_>>());
        assert_eq!(runs(&[0, 1, 3]), [0..2, 3..4]);
    }

    #[test]
    fn the_exit_that_pays_best_is_found() {
        let exits = [(3, 0.35), (6, 0.5), (9, 0.62), (12, 0.7), (15, 0.77)];
        for (exit, (guesses, worth)) in
            exits.into_iter().zip([(1, 1.227), (1, 1.250), (2, 1.253), (2, 1.217), (2, 1.181)])
        {
            let (_, d, tokens) = best_exit(&[exit], 30);
            assert!(d == guesses && (tokens - worth).abs() < 1e-3, "{exit:?}: {d} {tokens}");
        }
        assert_eq!(best_exit(&exits, 30).0, 9);
    }
}
