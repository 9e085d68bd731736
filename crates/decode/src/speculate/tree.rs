//! The draft tree: tokens that may follow, each under the token it would follow.

use std::cmp::Reverse;
use std::rc::Rc;

use super::dist::Dist;

/// Most rows of one verifying pass: one bit each in [`goldcrest_engine::batch::Visible::Tree`].
pub const MAX_ROWS: usize = 64;

/// One drafted token.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Node {
    /// The token.
    pub token: u32,
    /// Index of the token it follows; the root follows itself.
    pub parent: usize,
    /// Tokens between it and the root, itself included; 0 for the root.
    pub depth: usize,
    /// Estimated probability that it is accepted, its ancestors included; never above its parent's.
    pub value: f32,
    /// Which of the drafter's kinds of guess it is, for the running rates.
    pub class: usize,
}

/// What a row is made from.
#[derive(Clone, Debug, PartialEq)]
pub enum Input {
    /// The embedding of a token.
    Token(u32),
    /// This row in the place of an embedding.
    Row(Rc<[f32]>),
    /// What a transfer makes of the row of the node it stands behind, before a later layer; the number is the transfer's.
    Transferred(usize),
}

/// A row that runs along without being a guess: it sees what it is told to see, and the drafter reads its answer.
#[derive(Clone, Debug, PartialEq)]
pub struct Extra {
    /// What it is made from.
    pub input: Input,
    /// The node it stands behind: it sees that one and its ancestors.
    pub behind: usize,
    /// Positions behind the root.
    pub depth: usize,
    /// Indices of the extra rows it sees, itself included.
    pub sees: Vec<usize>,
}

/// Guesses behind the newest token. Node 0 is that token; parents stand before children; no two children of a node
/// have the same token.
#[derive(Clone, Debug, Default)]
pub struct Tree {
    nodes: Vec<Node>,
    /// Per node: what its children were drawn from without replacement, in the order in which they stand.
    drawn: Vec<Option<Dist>>,
    /// A guess behind the last node that has no row of its own.
    expected: Option<u32>,
    extras: Vec<Extra>,
}

/// A tree as rows of a batch, in order of depth so that positions never fall.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Layout {
    /// Per row: the node, or the number of nodes plus the extra row.
    pub order: Vec<usize>,
    /// Per row: positions behind the root.
    pub depths: Vec<usize>,
    /// Per row: bits of the rows it sees.
    pub sees: Vec<u64>,
    /// Whether every row sees all rows before it, so that a plain causal batch says the same.
    pub chain: bool,
}

impl Tree {
    /// A root without guesses.
    #[must_use]
    pub fn new(root: u32) -> Self {
        let root = Node { token: root, parent: 0, depth: 0, value: 1.0, class: 0 };
        Self { nodes: vec![root], drawn: vec![None], expected: None, extras: Vec::new() }
    }

    /// All nodes, the root first.
    #[must_use]
    pub fn nodes(&self) -> &[Node] {
        &self.nodes
    }

    /// What a row is made from: that of a node, or behind the nodes of an extra row.
    #[must_use]
    pub fn input(&self, item: usize) -> Input {
        match self.nodes.get(item) {
            Some(node) => Input::Token(node.token),
            None => self.extras[item - self.nodes.len()].input.clone(),
        }
    }

    /// Rows of the pass: nodes and extra rows.
    #[must_use]
    pub const fn rows(&self) -> usize {
        self.nodes.len() + self.extras.len()
    }

    /// Adds a guess that follows `parent` with probability `rate`, and gives its index. A guess that is there already
    /// keeps the better rate.
    pub fn add(&mut self, parent: usize, token: u32, class: usize, rate: f32) -> usize {
        let above = self.nodes[parent];
        let value = above.value * rate.clamp(0.0, 1.0);
        if let Some(same) = self.child(parent, token) {
            let node = &mut self.nodes[same];
            if value > node.value {
                (node.value, node.class) = (value, class);
            }
            return same;
        }
        self.nodes.push(Node { token, parent, depth: above.depth + 1, value, class });
        self.drawn.push(None);
        self.nodes.len() - 1
    }

    /// Says that the children of a node come from a distribution, in draw order without replacement.
    pub fn draw_from(&mut self, node: usize, dist: Dist) {
        self.drawn[node] = Some(dist);
    }

    /// Says what is guessed behind the last node, for its row to judge: nothing is verified behind it.
    pub(crate) const fn expect(&mut self, token: u32) {
        self.expected = Some(token);
    }

    /// The guess behind the last node that has no row of its own.
    pub(crate) const fn expected(&self) -> Option<u32> {
        self.expected
    }

    /// The guesses behind a node that its row judges.
    pub(crate) fn judged(&self, node: usize) -> Vec<u32> {
        let last = self.expected.filter(|_| node + 1 == self.nodes.len());
        self.children(node).map(|child| self.nodes[child].token).chain(last).collect()
    }

    /// What the children of a node were drawn from.
    #[must_use]
    pub fn drawn(&self, node: usize) -> Option<&Dist> {
        self.drawn.get(node).and_then(Option::as_ref)
    }

    /// Adds a row that is no guess, and gives its index among those rows.
    pub fn add_extra(&mut self, extra: Extra) -> usize {
        self.extras.push(extra);
        self.extras.len() - 1
    }

    /// The rows that are no guesses.
    #[must_use]
    pub fn extras(&self) -> &[Extra] {
        &self.extras
    }

    /// The child of a node with a token.
    #[must_use]
    pub fn child(&self, parent: usize, token: u32) -> Option<usize> {
        self.children(parent).find(|child| self.nodes[*child].token == token)
    }

    /// The children of a node, in the order in which they were added.
    pub fn children(&self, parent: usize) -> impl Iterator<Item = usize> + '_ {
        let of = move |(_, node): &(usize, &Node)| node.parent == parent;
        self.nodes.iter().enumerate().skip(1).filter(of).map(|(index, _)| index)
    }

    /// Takes the guesses of another drafter in: equal paths become one.
    pub fn merge(&mut self, other: &Self) {
        let mut here = vec![0];
        for node in other.nodes.iter().skip(1) {
            let above = other.nodes[node.parent].value;
            let rate = if above > 0.0 { node.value / above } else { 0.0 };
            here.push(self.add(here[node.parent], node.token, node.class, rate));
        }
        let here: Vec<Option<usize>> = here.into_iter().map(Some).collect();
        self.take_extras(other, &here);
    }

    /// Takes the rows of another tree that are no guesses. `here` says where each of its nodes is in this one; rows behind
    /// a node that is not here are left out.
    pub(crate) fn take_extras(&mut self, other: &Self, here: &[Option<usize>]) {
        let mut place = vec![None; other.extras.len()];
        for (index, extra) in other.extras.iter().enumerate() {
            let Some(behind) = here[extra.behind] else { continue };
            place[index] = Some(self.extras.len());
            let sees = extra.sees.iter().filter_map(|seen| place[*seen]).collect();
            self.extras.push(Extra { behind, sees, ..extra.clone() });
        }
    }

    /// Values of the guesses, best first.
    #[must_use]
    pub fn values(&self) -> Vec<f32> {
        self.ranked().into_iter().map(|index| self.nodes[index].value).collect()
    }

    /// Whether guesses were drawn by chance: then none may be left out for being what it is.
    #[must_use]
    pub fn is_drawn(&self) -> bool {
        self.drawn.iter().any(Option::is_some)
    }

    /// Keeps the `n` best guesses no deeper than `depth`; with a guess its ancestors stay, which are never worse. Rows that
    /// stand behind a guess go with it.
    #[must_use]
    pub fn pruned(&self, n: usize, depth: usize) -> Self {
        let fits = |index: &usize| self.nodes[*index].depth <= depth;
        let mut kept: Vec<usize> = self.ranked().into_iter().filter(fits).take(n).collect();
        kept.sort_unstable();
        let mut small = Self::new(self.nodes.first().map_or(0, |root| root.token));
        small.drawn.clone_from_slice(&self.drawn[..1]);
        let mut here = vec![None; self.nodes.len()];
        here[0] = Some(0);
        for index in kept {
            let node = self.nodes[index];
            here[index] = Some(small.nodes.len());
            small.nodes.push(Node { parent: here[node.parent].unwrap_or(0), ..node });
            small.drawn.push(self.drawn[index].clone());
        }
        small.take_extras(self, &here);
        small
    }

    /// The tree as rows of a batch.
    #[must_use]
    pub fn layout(&self) -> Layout {
        let n = self.nodes.len();
        let depth =
            |item: usize| self.nodes.get(item).map_or_else(|| self.extras[item - n].depth, |x| x.depth);
        let mut order: Vec<usize> = (0..self.rows()).collect();
        order.sort_by_key(|item| depth(*item));
        let mut row_of = vec![0; order.len()];
        order.iter().enumerate().for_each(|(row, item)| row_of[*item] = row);
        let above = |node: usize| self.line(node).map(|node| 1 << row_of[node]).sum::<u64>();
        let sees = |item: &usize| match self.extras.get(item.wrapping_sub(n)) {
            None => above(*item),
            Some(extra) => {
                above(extra.behind) | extra.sees.iter().map(|seen| 1 << row_of[n + seen]).sum::<u64>()
            }
        };
        let sees: Vec<u64> = order.iter().map(sees).collect();
        let chain = sees.iter().enumerate().all(|(row, bits)| *bits == u64::MAX >> (63 - row.min(63)));
        Layout { depths: order.iter().map(|item| depth(*item)).collect(), order, sees, chain }
    }

    /// A node and its ancestors, up to the root.
    fn line(&self, node: usize) -> impl Iterator<Item = usize> + '_ {
        std::iter::successors(Some(node), |at| (*at > 0).then(|| self.nodes[*at].parent))
    }

    /// Guesses, best first, earlier ones first among equals.
    fn ranked(&self) -> Vec<usize> {
        let mut order: Vec<usize> = (1..self.nodes.len()).collect();
        // Values are between 0 and 1, whose bits are in their order.
        order.sort_by_key(|index| Reverse(self.nodes[*index].value.to_bits()));
        order
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_paths_of_two_drafters_become_one() {
        let mut a = Tree::new(1);
        let two = a.add(0, 2, 0, 0.5);
        a.add(two, 4, 0, 0.5);
        let mut b = Tree::new(1);
        let two = b.add(0, 2, 7, 0.8);
        b.add(two, 5, 7, 0.5);
        b.add(0, 3, 7, 0.1);
        a.merge(&b);
        let found: Vec<_> = a.nodes().iter().map(|n| (n.token, n.parent, n.depth, n.class)).collect();
        assert_eq!(found, [(1, 0, 0, 0), (2, 0, 1, 7), (4, 1, 2, 0), (5, 1, 2, 7), (3, 0, 1, 7)]);
        assert_eq!(a.nodes()[3].value, 0.4);
    }

    #[test]
    fn rows_stand_in_order_of_depth_and_see_their_ancestors() {
        let mut tree = Tree::new(1);
        let a = tree.add(0, 2, 0, 0.9);
        tree.add(a, 3, 0, 0.9);
        tree.add(0, 4, 0, 0.1);
        let rows = tree.layout();
        assert_eq!((rows.order, rows.depths), (vec![0, 1, 3, 2], vec![0, 1, 1, 2]));
        assert_eq!(rows.sees, [0b1, 0b11, 0b101, 0b1011]);
        assert!(!rows.chain);
        let small = tree.pruned(2, 8);
        assert_eq!(small.nodes().iter().map(|n| n.token).collect::<Vec<_>>(), [1, 2, 3]);
        assert!(small.layout().chain);
        assert_eq!(tree.pruned(3, 1).rows(), 3);
    }

    #[test]
    fn extra_rows_see_the_root_and_each_other() {
        let mut tree = Tree::new(1);
        tree.add(0, 2, 0, 0.9);
        let extra = |token, behind, depth, sees| Extra { input: Input::Token(token), behind, depth, sees };
        tree.add_extra(extra(5, 0, 1, vec![0]));
        tree.add_extra(extra(6, 0, 2, vec![0, 1]));
        let rows = tree.layout();
        assert_eq!(rows.order, [0, 1, 2, 3]);
        assert_eq!(rows.sees, [0b1, 0b11, 0b101, 0b1101]);
        tree.add_extra(extra(7, 1, 2, vec![2]));
        assert_eq!(tree.layout().sees, [0b1, 0b11, 0b101, 0b1101, 0b10011]);
        // Without the guess that it stands behind a row is gone.
        assert_eq!(tree.pruned(0, 8).layout().sees, [0b1, 0b11, 0b111]);
        let mut both = tree.pruned(0, 8);
        both.merge(&tree);
        assert_eq!((both.nodes().len(), both.extras().len()), (2, 5));
        assert_eq!(both.extras()[4], extra(7, 1, 2, vec![4]));
    }
}
