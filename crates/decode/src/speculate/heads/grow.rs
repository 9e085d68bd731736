//! Growing a tree of guesses: the best of each depth are looked behind, then the best of all are kept.
//!
//! EAGLE-2; Li et al., arXiv 2406.16858. A guess is never worth more than the one before it, so that with a guess everything
//! above it is kept.

use super::super::tree::Tree;

/// How far a tree grows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reach {
    /// Guesses of a depth that are looked behind, and guesses behind each.
    pub width: usize,
    /// Depth.
    pub depth: usize,
}

/// A tree of at most `total` guesses. `behind` gets the guesses of one depth, each as its place among all that were looked
/// behind (none for the root) and its token, and gives what may follow each, with probabilities, best first.
pub(crate) fn grown(
    root: u32,
    class: impl Fn(usize) -> usize,
    reach: Reach,
    total: usize,
    mut behind: impl FnMut(usize, &[(Option<usize>, u32)]) -> Vec<Vec<(u32, f32)>>,
) -> Tree {
    let mut tree = Tree::new(root);
    let mut level = vec![(0, None)];
    let mut looked = 0;
    for depth in 0..reach.depth {
        let guesses: Vec<(Option<usize>, u32)> =
            level.iter().map(|(node, parent)| (*parent, tree.nodes()[*node].token)).collect();
        let found = behind(depth, &guesses);
        let mut next = Vec::new();
        for (place, ((node, _), likely)) in (looked..).zip(level.iter().zip(&found)) {
            for (token, p) in likely.iter().take(reach.width) {
                next.push((tree.add(*node, *token, class(depth), *p), Some(place)));
            }
        }
        looked += level.len();
        // Behind a guess that is not among the best of all nothing is kept either.
        let least = tree.values().get(total.saturating_sub(1)).copied().unwrap_or(0.0);
        next.retain(|(node, _)| tree.nodes()[*node].value > least || least == 0.0);
        next.sort_by(|(a, _), (b, _)| tree.nodes()[*b].value.total_cmp(&tree.nodes()[*a].value));
        next.truncate(reach.width);
        level = next;
        if level.is_empty() {
            break;
        }
    }
    tree.pruned(total, reach.depth)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// a .6 and b .3; behind a .5 and .4, behind b .9 and .05.
    fn example(total: usize) -> Vec<Vec<u32>> {
        let tree = grown(
            9,
            |_| 0,
            Reach { width: 2, depth: 2 },
            total,
            |depth, guesses| {
                let behind = |(_, token): &(Option<usize>, u32)| match (depth, token) {
                    (0, 9) => vec![(1, 0.6), (2, 0.3)],
                    (_, 1) => vec![(1, 0.5), (2, 0.4)],
                    _ => vec![(1, 0.9), (2, 0.05)],
                };
                guesses.iter().map(behind).collect()
            },
        );
        let path = |mut node: usize| {
            let mut path = Vec::new();
            while node > 0 {
                path.insert(0, tree.nodes()[node].token);
                node = tree.nodes()[node].parent;
            }
            path
        };
        (1..tree.nodes().len()).map(path).collect()
    }

    #[test]
    fn the_best_of_all_depths_are_kept() {
        assert_eq!(example(4), [vec![1], vec![2], vec![1, 1], vec![2, 1]]);
        assert_eq!(example(6).len(), 6);
        assert_eq!(example(1), [vec![1]]);
    }
}
