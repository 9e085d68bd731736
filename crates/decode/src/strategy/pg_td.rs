//! Planning-guided decoding: a tree search over tokens, led by how well greedy completions do in tests.
//!
//! Zhang et al., "Planning with Large Language Models for Code Generation", 2023. The greedy answer is the first that is
//! judged, so the search never does worse by its own scorer. Rows and completions that were met are not run again.

use super::Strategy;
use crate::oracle::{Answer, Oracle};
use crate::{Args, DecodeError, Job, Lm};

/// Monte-Carlo tree search with P-UCB.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PgTd {
    /// Children of a node.
    pub width: usize,
    /// Exploration.
    pub c: f32,
    /// How slowly exploration grows with visits.
    pub base: f32,
    /// Answers looked at.
    pub rollouts: usize,
    /// Score at which the search stops.
    pub enough: f32,
}

#[derive(Default)]
struct Node {
    token: u32,
    logprob: f32,
    prior: f32,
    visits: u32,
    value: f32,
    children: Vec<usize>,
}

impl PgTd {
    /// P-UCB of an action taken `visits` times with best return `value`, in a state that counts `state_visits`.
    fn p_ucb(&self, value: f32, prior: f32, state_visits: u32, visits: u32) -> f32 {
        let n = state_visits as f32;
        let beta = ((n + self.base + 1.0) / self.base).ln() + self.c;
        value + beta * prior * n.ln().sqrt() / (1.0 + visits as f32)
    }

    /// Nodes from the root to a leaf, by the highest P-UCB.
    fn select(&self, nodes: &[Node]) -> Vec<usize> {
        let mut path = vec![0];
        loop {
            let node = &nodes[path[path.len() - 1]];
            let mut best: Option<(f32, usize)> = None;
            for child in &node.children {
                let (value, prior) = (nodes[*child].value, nodes[*child].prior);
                let bound = self.p_ucb(value, prior, node.visits + 1, nodes[*child].visits);
                if best.is_none_or(|(most, _)| bound > most) {
                    best = Some((bound, *child));
                }
            }
            match best {
                Some((_, child)) => path.push(child),
                None => return path,
            }
        }
    }
}

impl Strategy for PgTd {
    const NAME: &'static str = "pg_td";
    const SUMMARY: &'static str = "a tree search over tokens, led by a scorer of whole answers";

    fn read(args: &mut Args) -> Result<Self, DecodeError> {
        Ok(Self {
            width: args.count("width", 3, 1..=64)?,
            c: args.number("c", 4.0, 0.0..=1000.0)?,
            base: args.number("base", 10.0, 0.001..=100_000.0)?,
            rollouts: args.count("rollouts", 16, 1..=65536)?,
            enough: args.number("enough", 1.0, f32::MIN..=f32::MAX)?,
        })
    }

    async fn run<L: Lm>(&self, job: &mut Job<'_, L>) -> Result<(), DecodeError> {
        let mut oracle = Oracle::new(job, self.width).await?;
        let mut nodes = vec![Node::default()];
        let mut best: Option<(f32, Answer)> = None;
        let (mut rollouts, mut judged) = (0, Vec::<(Vec<u32>, f32)>::new());
        while rollouts < self.rollouts && best.as_ref().is_none_or(|(score, _)| *score < self.enough) {
            rollouts += 1;
            let path = self.select(&nodes);
            let (leaf, steps) = (path[path.len() - 1], &path[1..]);
            let tokens: Vec<u32> = steps.iter().map(|i| nodes[*i].token).collect();
            let logprobs = steps.iter().map(|i| nodes[*i].logprob).collect();
            if job.text(&tokens).1.is_none() {
                let top = oracle.top(job, &tokens).await?;
                let sum: f32 = top.iter().map(|(_, ln_p)| ln_p.exp()).sum();
                for (token, logprob) in top {
                    let (prior, children) = (logprob.exp() / sum, nodes.len());
                    nodes[leaf].children.push(children);
                    nodes.push(Node { token, logprob, prior, ..Node::default() });
                }
            }
            let answer = oracle.complete(job, Answer { tokens, logprobs }).await?;
            let score = match judged.iter().find(|(tokens, _)| *tokens == answer.tokens) {
                Some((_, score)) => *score,
                None => job.score(Self::NAME, &answer.tokens).await?,
            };
            for i in path {
                let node = &mut nodes[i];
                node.value = if node.visits == 0 { score } else { node.value.max(score) };
                node.visits += 1;
            }
            judged.push((answer.tokens.clone(), score));
            if best.as_ref().is_none_or(|(most, _)| score > *most) {
                best = Some((score, answer));
            }
        }
        job.report.insert("rollouts".into(), rollouts.into());
        job.report.insert("reused_rows".into(), oracle.reused_rows().into());
        job.report.insert("reused_answers".into(), oracle.reused_answers().into());
        if let Some((score, answer)) = best {
            job.report.insert("score".into(), score.into());
            job.write(&answer.tokens, &answer.logprobs).await;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_worked_numbers_hold() {
        let method = PgTd { width: 3, c: 4.0, base: 10.0, rollouts: 16, enough: 1.0 };
        let got = [(0.0, 0.3, 0), (0.5, 0.6, 3), (1.0, 0.1, 1)].map(|(q, p, n)| method.p_ucb(q, p, 5, n));
        for (got, want) in got.iter().zip([1.701_243, 1.350_621, 1.283_54]) {
            assert!((got - want).abs() < 1e-5, "{got} for {want}");
        }
    }
}
