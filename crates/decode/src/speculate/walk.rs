//! The rules by which drafted tokens are accepted. They are pure: rows' answers in, the path out.
//!
//! - One draw per node ([`matching`]): at temperature 0 the argmax decides. The draw is made once however many paths
//!   share the node; a draw per path would prefer the tokens that several paths contain.
//! - The ratio test ([`Siblings::judge`] with one sibling): Leviathan, Kalman and Matias, arXiv 2211.17192; Chen et al.,
//!   arXiv 2302.01318.
//! - Recursive rejection among siblings drawn without replacement ([`Siblings::judge`]): Jeon et al., arXiv 2402.14160.

use super::dist::Dist;
use super::tree::Tree;

/// How far a tree was followed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Path {
    /// Accepted nodes, the root first.
    pub nodes: Vec<usize>,
    /// Tokens that follow the root: those of the accepted nodes, and one of the model's own behind the last of them.
    pub tokens: Vec<u32>,
}

/// Follows the tree along what `pick` says comes behind each node, asked once per node on the way; nothing ends it.
///
/// # Errors
/// What `pick` fails with; the path up to there is lost.
pub fn matching<E>(tree: &Tree, mut pick: impl FnMut(usize) -> Result<Option<u32>, E>) -> Result<Path, E> {
    let mut path = Path { nodes: vec![0], tokens: Vec::new() };
    let mut at = 0;
    loop {
        let Some(token) = pick(at)? else { return Ok(path) };
        path.tokens.push(token);
        match tree.child(at, token) {
            Some(child) => at = child,
            None => return Ok(path),
        }
        path.nodes.push(at);
    }
}

/// What became of siblings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The sibling at this index is accepted.
    Accepted(usize),
    /// None is; this token comes instead.
    Instead(u32),
}

/// Guesses drawn one after another without replacement from `q`, where the model draws from `p`.
#[derive(Clone, Copy, Debug)]
pub struct Siblings<'a> {
    /// The model's distribution.
    pub p: &'a Dist,
    /// What the guesses were drawn from.
    pub q: &'a Dist,
    /// The guesses in draw order.
    pub tokens: &'a [u32],
}

impl Siblings<'_> {
    /// Accepts one or draws another token, so that what comes is distributed as `p`. `uniform` gives independent numbers
    /// in `[0, 1)`.
    pub fn judge(&self, mut uniform: impl FnMut() -> f32) -> Verdict {
        let (mut p, mut q) = (self.p.clone(), Some(self.q.clone()));
        for (index, token) in self.tokens.iter().enumerate() {
            let Some(from) = &q else { break };
            if f64::from(uniform()) * from.p(*token) < p.p(*token) {
                return Verdict::Accepted(index);
            }
            p = p.residual(from);
            q = from.without(*token);
        }
        Verdict::Instead(p.draw(uniform()))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests fail loudly")]
    use super::*;

    fn dist(weights: &[f64]) -> Dist {
        Dist::of_weights((0..).zip(weights.iter().copied())).unwrap()
    }

    /// Target and draft of the worked examples.
    fn pair() -> (Dist, Dist) {
        (dist(&[0.5, 0.3, 0.15, 0.05]), dist(&[0.25, 0.25, 0.40, 0.10]))
    }

    /// A table of recycled tokens: which two follow each token.
    const FOLLOW: [[u32; 2]; 5] = [[2, 3], [4, 5], [6, 2], [1, 9], [1, 2]];

    #[test]
    fn the_argmax_is_followed_down_the_tree() {
        let mut tree = Tree::new(1);
        for path in [&[0][..], &[1], &[0, 0], &[0, 1], &[1, 0], &[0, 0, 0]] {
            let (mut at, mut token) = (0, 1);
            for rank in path {
                token = FOLLOW[token as usize - 1][*rank];
                at = tree.add(at, token, 0, 0.5);
            }
        }
        let drafted: Vec<u32> = tree.nodes().iter().skip(1).map(|n| n.token).collect();
        assert_eq!(drafted, [2, 3, 4, 5, 6, 1]);
        let next = |node: usize| match tree.nodes()[node].token {
            1 => Ok::<_, ()>(Some(2)),
            2 => Ok(Some(5)),
            _ => Ok(Some(7)),
        };
        assert_eq!(matching(&tree, next).unwrap(), Path { nodes: vec![0, 1, 4], tokens: vec![2, 5, 7] });
    }

    #[test]
    fn the_ratio_test_accepts_and_corrects_as_computed() {
        let (p, q) = pair();
        let accepts = |token: u32, u: f32| {
            Siblings { p: &p, q: &q, tokens: &[token] }.judge(|| u) == Verdict::Accepted(0)
        };
        for (token, rate) in [(0, 1.0), (1, 1.0), (2, 0.375), (3, 0.5)] {
            assert!(accepts(token, rate - 1e-3), "{token}");
            assert_eq!(accepts(token, rate + 1e-3), rate == 1.0, "{token}");
        }
        let residual = p.residual(&q);
        assert!((residual.p(0) - 0.8333).abs() < 1e-4 && (residual.p(1) - 0.1667).abs() < 1e-4);
        assert_eq!((residual.p(2), residual.p(3)), (0.0, 0.0));
        let beta: f64 = (0..4).map(|t| p.p(t).min(q.p(t))).sum();
        assert!((beta - 0.70).abs() < 1e-12);
    }

    #[test]
    fn siblings_are_judged_in_the_order_in_which_they_were_drawn() {
        let (p, q) = pair();
        // Token 2 is accepted with 0.375; else token 0 with certainty, whatever the number.
        let mut numbers = [0.376, 0.999].into_iter();
        let verdict = Siblings { p: &p, q: &q, tokens: &[2, 0] }.judge(|| numbers.next().unwrap());
        assert_eq!(verdict, Verdict::Accepted(1));
        let (p2, q2) = (p.residual(&q), q.without(2).unwrap());
        assert!((p2.p(0) - 0.8333).abs() < 1e-4 && (q2.p(0) - 0.4167).abs() < 1e-4);
        assert!((q2.p(3) - 0.1667).abs() < 1e-4);
        // Equal distributions leave nothing by subtraction.
        assert_eq!(p.residual(&p), p);
    }

    /// Draws `k` siblings without replacement, judges them, and gives (token that comes, whether it was accepted).
    fn once(p: &Dist, q: &Dist, k: usize, mut uniform: impl FnMut() -> f32) -> (u32, bool) {
        let (mut left, mut tokens) = (Some(q.clone()), Vec::new());
        while let (Some(from), true) = (&left, tokens.len() < k) {
            tokens.push(from.draw(uniform()));
            left = from.without(tokens[tokens.len() - 1]);
        }
        match (Siblings { p, q, tokens: &tokens }).judge(uniform) {
            Verdict::Accepted(index) => (tokens[index], true),
            Verdict::Instead(token) => (token, false),
        }
    }

    #[test]
    fn every_rule_keeps_the_distribution_and_accepts_as_often_as_computed() {
        const N: u32 = 100_000;
        let (p, q) = pair();
        for (k, rate) in [(1, 0.70), (2, 0.868), (3, 0.946)] {
            let mut n = 0;
            let mut uniform = || {
                n += 1;
                goldcrest_sample::uniform(k as u64, 0, n, goldcrest_sample::Purpose::Policy)
            };
            let (mut counts, mut accepted) = ([0u32; 4], 0u32);
            for _ in 0..N {
                let (token, ok) = once(&p, &q, k, &mut uniform);
                counts[token as usize] += 1;
                accepted += u32::from(ok);
            }
            let chi: f64 = (0..4)
                .map(|t| {
                    let expected = p.p(t) * f64::from(N);
                    (f64::from(counts[t as usize]) - expected).powi(2) / expected
                })
                .sum();
            // Three degrees of freedom: 16.27 is passed by chance once in a thousand.
            assert!(chi < 16.27, "{k}: {chi}");
            let share = f64::from(accepted) / f64::from(N);
            assert!((share - rate).abs() < 0.005, "{k}: {share}");
        }
    }
}
