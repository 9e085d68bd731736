//! Sorted drafts: one draft model whose first layers are drafts themselves; each guess goes as deep as it has to.
//!
//! S2D (Kavehzadeh et al., arXiv 2407.01955): a guess of which the first layers are sure is taken, else more layers are asked,
//! and the deepest are believed. How sure is enough is chosen for each target, so that one draft serves several. Each depth keeps
//! cells of its own and catches up when it is asked.

use goldcrest_engine::batch::Wants;

use super::drafter::Turn;
use super::follower::Follower;
use super::line::Round;
use super::scribe::{Scribe, planned};
use crate::{Args, DecodeError, Lm, Row};

/// Class of its guesses.
const CLASS: usize = 19;
/// How sure is enough where nothing is said.
const SURE: f32 = 0.7;

/// How deep guesses go.
#[derive(Clone, Debug, PartialEq)]
pub struct Depths {
    /// Numbers of layers, ascending; none for a quarter, half and all of them.
    pub layers: Vec<u32>,
    /// How likely a guess of each depth but the last has to be; the last number counts for the depths behind it.
    pub sure: Vec<f32>,
}

impl Depths {
    /// Reads `layers` and `sure`, numbers with - between.
    pub(super) fn read(args: &mut Args) -> Result<Self, DecodeError> {
        let layers = match args.text("layers") {
            None => Vec::new(),
            Some(text) => numbers(&text, |n: &u32| *n > 0)
                .filter(|l| l.is_sorted_by(|a, b| a < b))
                .ok_or_else(|| args.invalid("layers", &text, "ascending numbers of layers with - between"))?,
        };
        let sure = match args.text("sure") {
            None => vec![SURE],
            Some(text) => numbers(&text, |p: &f32| (0.0..=1.0).contains(p))
                .ok_or_else(|| args.invalid("sure", &text, "numbers from 0 to 1 with - between"))?,
        };
        Ok(Self { layers, sure })
    }
}

/// Numbers with - between, all of which are good.
fn numbers<T: std::str::FromStr>(text: &str, good: impl Fn(&T) -> bool) -> Option<Vec<T>> {
    text.split('-').map(|n| n.trim().parse().ok().filter(&good)).collect()
}

/// The first of the job's further models, as a writer.
#[derive(Debug)]
pub(crate) struct Sorted {
    depths: Vec<Follower>,
    sure: Vec<f32>,
    text: Vec<u32>,
}

impl Sorted {
    /// Followers of each depth of a draft of `n_layer` layers.
    pub(crate) fn new(Depths { mut layers, sure }: Depths, n_layer: u32) -> Result<Self, DecodeError> {
        if layers.is_empty() {
            layers = vec![n_layer.div_ceil(4), n_layer.div_ceil(2), n_layer];
            layers.dedup();
        }
        if let Some(value) = layers.iter().find(|n| **n > n_layer) {
            let (value, allowed) = (value.to_string(), format!("up to the draft model's {n_layer} layers"));
            return Err(DecodeError::InvalidParameter {
                method: "speculate",
                name: "layers",
                value,
                allowed,
            });
        }
        let depths = layers.into_iter().map(|n| Follower::of_layers(0..n)).collect();
        Ok(Self { depths, sure, text: Vec::new() })
    }

    /// The row of the first depth that is sure.
    async fn row<L: Lm>(&mut self, turn: &mut Turn<'_, '_, L>, wants: &Wants) -> Result<Row, DecodeError> {
        let mut said = Row::default();
        for (depth, follower) in self.depths.iter_mut().enumerate() {
            said = follower.follow(&mut turn.job.others[0], &self.text, wants).await?.1;
            let enough = self.sure.get(depth).or(self.sure.last()).copied().unwrap_or(SURE);
            if said.best_logprob().exp() >= enough {
                break;
            }
        }
        Ok(said)
    }
}

impl<L: Lm> Scribe<L> for Sorted {
    fn class(&self) -> usize {
        CLASS
    }

    fn length(&self, turn: &Turn<'_, '_, L>, most: usize) -> usize {
        // What the depths took together is more than what a guess takes that ends at the first of them.
        planned(turn, CLASS, most, self.depths.first().map_or(0.0, |depth| depth.pass))
    }

    async fn begin(&mut self, turn: &mut Turn<'_, '_, L>) -> Result<Row, DecodeError> {
        self.text.clone_from(&turn.line.tokens);
        let wants = turn.line.wants(false);
        self.row(turn, &wants).await
    }

    async fn next(&mut self, turn: &mut Turn<'_, '_, L>, token: u32) -> Result<Row, DecodeError> {
        self.text.push(token);
        let wants = turn.line.wants(false);
        self.row(turn, &wants).await
    }

    fn end(&mut self, _: &mut Turn<'_, '_, L>) -> Result<(), DecodeError> {
        Ok(())
    }

    fn learn(&mut self, _: usize, _: usize, _: &Round) {}
}
