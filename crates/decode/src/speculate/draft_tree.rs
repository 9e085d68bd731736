//! Trees from a draft model: DySpec's dynamic tree, and the two of Recursive Speculative Decoding.
//!
//! - DySpec (Xiong et al., arXiv 2410.11744): the guess with the highest estimated value is added next, where a guess is
//!   worth its probability times its parent's worth, and a further sibling what the earlier ones leave over.
//! - RSD (Jeon et al., arXiv 2402.14160): siblings are drawn without replacement as the largest of `log q + Gumbel`;
//!   with constant branching, or as a stochastic beam of the whole tree.

use goldcrest_engine::batch::Wants;
use goldcrest_engine::kv::SeqId;
use goldcrest_sample::Chain;

use super::dist::Dist;
use super::drafter::{Drafter, Turn};
use super::follower::{Follower, wants_whole};
use super::line::{Line, Round};
use super::tree::Tree;
use crate::{DecodeError, Lm, Row};

/// Class of this drafter's guesses.
const CLASS: usize = 17;

/// How the tree grows.
#[derive(Clone, Debug, PartialEq)]
pub enum Shape {
    /// DySpec, up to this many guesses.
    Dynamic(usize),
    /// RSD with so many children of every node of each depth.
    Constant(Vec<usize>),
    /// RSD with a stochastic beam of this width and depth.
    Beam {
        /// Guesses of one depth.
        width: usize,
        /// Depth.
        depth: usize,
    },
}

/// The drafter. It drafts with the first of the job's further models.
#[derive(Debug)]
pub(crate) struct DraftTree {
    pub(crate) shape: Shape,
    pub(crate) follower: Follower,
}

/// A node whose children may be drawn.
struct Open {
    node: usize,
    seq: SeqId,
    chain: Chain,
    dist: Dist,
}

/// A guess of a stochastic beam: its parent's place in the beam, the token, log-probability and perturbed value.
struct Perturbed {
    parent: usize,
    token: u32,
    phi: f64,
    g: f64,
}

impl<L: Lm> Drafter<L> for DraftTree {
    async fn propose(&mut self, mut turn: Turn<'_, '_, L>) -> Result<Tree, DecodeError> {
        loop {
            let mut forks = Vec::new();
            let grown = self.grow(&mut turn, &mut forks).await;
            for seq in forks {
                turn.job.others[0].free(seq)?;
            }
            match grown {
                Err(error) if wants_whole(turn.line, &error) => {}
                other => return other,
            }
        }
    }

    fn observe(&mut self, _: &mut Line, _: &Tree, _: &Round) {}
}

impl DraftTree {
    async fn grow<L: Lm>(
        &mut self,
        turn: &mut Turn<'_, '_, L>,
        forks: &mut Vec<SeqId>,
    ) -> Result<Tree, DecodeError> {
        let wants = turn.line.wants(true);
        let (seq, row) = self.follower.follow(&mut turn.job.others[0], &turn.line.tokens, &wants).await?;
        let chain = turn.line.chain.fork(0);
        let dist = turn.line.guessing(&chain, &row)?;
        let root = Open { node: 0, seq, chain, dist };
        match self.shape.clone() {
            Shape::Dynamic(n) => dynamic(turn, root, n, &wants, forks).await,
            Shape::Constant(widths) => constant(turn, root, &widths, &wants, forks).await,
            Shape::Beam { width, depth } => beam(turn, root, (width, depth), &wants, forks).await,
        }
    }
}

/// A place where a guess may be drawn: what it is worth, from what, under which open node.
struct Slot {
    value: f64,
    left: Dist,
    open: usize,
}

async fn dynamic<L: Lm>(
    turn: &mut Turn<'_, '_, L>,
    root: Open,
    n: usize,
    wants: &Wants,
    forks: &mut Vec<SeqId>,
) -> Result<Tree, DecodeError> {
    let mut tree = Tree::new(turn.line.root());
    let mut slots = vec![Slot { value: 1.0, left: root.dist.clone(), open: 0 }];
    let mut opened = vec![root];
    turn.line.drawn_from(&mut tree, 0, opened[0].dist.clone());
    while tree.rows() <= n && tree.rows() < turn.limit.rows {
        let Some(best) = (0..slots.len()).max_by(|a, b| slots[*a].value.total_cmp(&slots[*b].value)) else {
            break;
        };
        let Slot { value, left, open } = slots.swap_remove(best);
        let token = match turn.line.greedy {
            true => left.best().0,
            false => left.draw(turn.line.dice.roll()),
        };
        let share = left.p(token);
        let parent = opened[open].node;
        let above = f64::from(tree.nodes()[parent].value);
        let rate = if above > 0.0 { value * share / above } else { 0.0 };
        let node = tree.add(parent, token, CLASS, rate as f32);
        if let Some(rest) = left.without(token) {
            slots.push(Slot { value: value * (1.0 - share), left: rest, open });
        }
        let deep = tree.nodes()[node].depth >= turn.limit.depth;
        if !deep && !turn.job.ends(token) && tree.rows() <= n && tree.rows() < turn.limit.rows {
            let mut more = step(turn, &opened, &[(open, token, node)], wants, forks).await?;
            if let Some(child) = more.pop() {
                turn.line.drawn_from(&mut tree, node, child.dist.clone());
                slots.push(Slot { value: value * share, left: child.dist.clone(), open: opened.len() });
                opened.push(child);
            }
        }
    }
    Ok(tree)
}

async fn constant<L: Lm>(
    turn: &mut Turn<'_, '_, L>,
    root: Open,
    widths: &[usize],
    wants: &Wants,
    forks: &mut Vec<SeqId>,
) -> Result<Tree, DecodeError> {
    let mut tree = Tree::new(turn.line.root());
    let mut level = vec![root];
    for (depth, width) in widths.iter().enumerate().take(turn.limit.depth) {
        let mut next = Vec::new();
        for (at, open) in level.iter().enumerate() {
            turn.line.drawn_from(&mut tree, open.node, open.dist.clone());
            let above = tree.nodes()[open.node].value;
            let mut noisy = perturb(&open.dist, 0.0, || turn.line.dice.roll());
            noisy.truncate(*width);
            for (token, phi, _) in noisy {
                if tree.rows() < turn.limit.rows && above > 0.0 {
                    next.push((at, token, tree.add(open.node, token, CLASS, phi.exp() as f32)));
                }
            }
        }
        if depth + 1 == widths.len() || next.is_empty() {
            break;
        }
        level = step(turn, &level, &next, wants, forks).await?;
    }
    Ok(tree)
}

async fn beam<L: Lm>(
    turn: &mut Turn<'_, '_, L>,
    root: Open,
    (width, depth): (usize, usize),
    wants: &Wants,
    forks: &mut Vec<SeqId>,
) -> Result<Tree, DecodeError> {
    let mut tree = Tree::new(turn.line.root());
    let mut level = vec![(root, 0.0, 0.0)];
    let depth = depth.min(turn.limit.depth);
    for at_depth in 0..depth {
        let mut all: Vec<Perturbed> = Vec::new();
        for (parent, (open, phi, g)) in level.iter().enumerate() {
            turn.line.drawn_from(&mut tree, open.node, open.dist.clone());
            let noisy = perturb(&open.dist, *phi, || turn.line.dice.roll());
            let bound = conditioned(*g, &noisy.iter().map(|(_, _, g)| *g).collect::<Vec<_>>());
            let children = noisy.into_iter().zip(bound);
            all.extend(children.map(|((token, phi, _), g)| Perturbed { parent, token, phi, g }));
        }
        all.sort_by(|a, b| b.g.total_cmp(&a.g));
        all.truncate(width.min(turn.limit.rows.saturating_sub(tree.rows())));
        let mut next = Vec::new();
        for guess in &all {
            let (open, phi, _) = &level[guess.parent];
            let node = tree.add(open.node, guess.token, CLASS, (guess.phi - phi).exp() as f32);
            next.push((guess.parent, guess.token, node));
        }
        if next.is_empty() || at_depth + 1 == depth {
            break;
        }
        let opened: Vec<Open> = level.into_iter().map(|(open, ..)| open).collect();
        let grown = step(turn, &opened, &next, wants, forks).await?;
        level = grown.into_iter().zip(&all).map(|(open, guess)| (open, guess.phi, guess.g)).collect();
    }
    Ok(tree)
}

/// Runs guesses `(place of the parent, token, node)` as one batch, each in a fork of its parent's sequence.
async fn step<L: Lm>(
    turn: &mut Turn<'_, '_, L>,
    parents: &[Open],
    guesses: &[(usize, u32, usize)],
    wants: &Wants,
    forks: &mut Vec<SeqId>,
) -> Result<Vec<Open>, DecodeError> {
    let model = &mut turn.job.others[0];
    let mut inputs = Vec::new();
    for (parent, token, _) in guesses {
        let seq = model.fork(parents[*parent].seq)?;
        forks.push(seq);
        inputs.push((seq, *token));
    }
    let rows: Vec<Row> = model.step(&inputs, wants).await?;
    let mut opened = Vec::new();
    for (((parent, token, node), (seq, _)), row) in guesses.iter().zip(inputs).zip(rows) {
        let mut chain = parents[*parent].chain.fork(0);
        chain.accept(*token);
        let dist = turn.line.guessing(&chain, &row)?;
        opened.push(Open { node: *node, seq, chain, dist });
    }
    Ok(opened)
}

/// Tokens with `phi + log q` and that with Gumbel noise, largest noisy value first.
fn perturb(dist: &Dist, phi: f64, mut uniform: impl FnMut() -> f32) -> Vec<(u32, f64, f64)> {
    // The middle of each step of the uniform numbers, so that no logarithm is taken of 0.
    let mut gumbel = || -(-(f64::from(uniform()) + f64::from(f32::EPSILON) / 4.0).ln()).ln();
    let noisy = |(token, q): &(u32, f64)| (*token, phi + q.ln(), phi + q.ln() + gumbel());
    let mut all: Vec<(u32, f64, f64)> = dist.pairs().iter().map(noisy).collect();
    all.sort_by(|a, b| b.2.total_cmp(&a.2));
    all
}

/// Children's perturbed values given that the largest of them is their parent's.
fn conditioned(parent: f64, children: &[f64]) -> Vec<f64> {
    let z = children.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let bound = |g: &f64| {
        let v = parent - g + (-(g - z).exp()).ln_1p();
        parent - v.max(0.0) - (-v.abs()).exp().ln_1p()
    };
    children.iter().map(bound).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_best_child_has_its_parents_value() {
        let found = conditioned(0.4, &[1.1, 0.2, -0.3]);
        for (found, want) in found.iter().zip([0.400, -0.145, -0.523]) {
            assert!((found - want).abs() < 5e-4, "{found} {want}");
        }
    }
}
