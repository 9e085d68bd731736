//! States of a search in the order of their cost, with a bound on how many keep their cache.

use goldcrest_engine::kv::SeqId;

use crate::{DecodeError, Lm, Sequences};

/// A state of a search.
#[derive(Default)]
pub(crate) struct State {
    /// What it costs; the least is next.
    pub(crate) cost: f32,
    /// Steps from the root.
    pub(crate) depth: usize,
    /// Share of a good answer that the scorer sees in it.
    pub(crate) reward: f32,
    /// Tokens behind the prompt.
    pub(crate) tokens: Vec<u32>,
    /// Their log-probabilities.
    pub(crate) logprobs: Vec<f32>,
    /// Whether nothing follows.
    pub(crate) finished: bool,
    /// The stream that its newest step was drawn from.
    pub(crate) lineage: u32,
    /// The sequence that holds the prompt and all tokens but the last; dropped where there are too many.
    pub(crate) seq: Option<SeqId>,
}

/// The open states.
pub(crate) struct Frontier {
    open: Vec<State>,
    /// Most sequences that open states hold.
    sequences: usize,
}

impl Frontier {
    /// An empty frontier whose states hold at most so many sequences.
    pub(crate) const fn new(sequences: usize) -> Self {
        Self { open: Vec::new(), sequences }
    }

    /// Takes a state in; the most costly states lose their caches where there are too many.
    pub(crate) fn push<L: Lm>(
        &mut self,
        model: &mut Sequences<'_, L>,
        state: State,
    ) -> Result<(), DecodeError> {
        // Behind its equals: of two states of one cost the older comes first.
        let at = self.open.partition_point(|other| other.cost <= state.cost);
        self.open.insert(at, state);
        let held = self.open.iter().filter(|state| state.seq.is_some()).count();
        let dropped = self.open.iter_mut().rev().filter_map(|state| state.seq.take());
        dropped.take(held.saturating_sub(self.sequences)).try_for_each(|seq| model.free(seq))
    }

    /// The state of least cost.
    pub(crate) fn pop(&mut self) -> Option<State> {
        if self.open.is_empty() { None } else { Some(self.open.remove(0)) }
    }

    /// Everything still open.
    pub(crate) fn into_open(self) -> Vec<State> {
        self.open
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests fail loudly")]
    use std::rc::Rc;

    use super::*;
    use crate::TableLm;
    use crate::sequences::Wire;

    /// The worked tree: children of a name with their rewards; a finished state ends in `$`.
    fn children(name: &str) -> &'static [(&'static str, f32)] {
        match name {
            "root" => &[("A", 0.6), ("B", 0.8)],
            "A" => &[("AA", 0.9), ("AB", 0.3)],
            "B" => &[("BA", 0.5), ("BB", 0.45)],
            "AA" => &[("AA$", 0.95)],
            _ => &[],
        }
    }

    fn popped(step_cost: f32) -> Vec<(String, f32)> {
        let names = ["root", "A", "B", "AA", "AB", "BA", "BB", "AA$"];
        let state = |name: &str, depth: usize, reward: f32| State {
            cost: step_cost * depth as f32 + 1.0 - reward,
            depth,
            reward,
            tokens: vec![names.iter().position(|known| *known == name).unwrap() as u32],
            finished: name.ends_with('$'),
            ..State::default()
        };
        let mut lm = TableLm::new(1, |_| vec![0.0]);
        let mut model = Sequences::new(&mut lm, Rc::new(Wire::default()), None);
        let mut frontier = Frontier::new(4);
        frontier.push(&mut model, state("root", 0, 1.0)).unwrap();
        let mut order = Vec::new();
        while let Some(next) = frontier.pop() {
            let name = names[next.tokens[0] as usize];
            order.push((name.to_owned(), next.cost));
            if next.finished {
                break;
            }
            for (child, reward) in children(name) {
                frontier.push(&mut model, state(child, next.depth + 1, *reward)).unwrap();
            }
        }
        order
    }

    #[test]
    fn the_worked_tree_is_walked_in_order() {
        for (step_cost, costs) in [(0.0, [0.0, 0.2, 0.4, 0.1, 0.05]), (0.1, [0.0, 0.3, 0.5, 0.3, 0.35])] {
            let got = popped(step_cost);
            assert_eq!(
                got.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>(),
                ["root", "B", "A", "AA", "AA$"]
            );
            assert!(got.iter().zip(costs).all(|((_, a), b)| (a - b).abs() < 1e-6), "{got:?}");
        }
    }

    #[test]
    fn costly_states_lose_their_caches_first() {
        let mut lm = TableLm::new(1, |_| vec![0.0]);
        let mut model = Sequences::new(&mut lm, Rc::new(Wire::default()), None);
        let mut frontier = Frontier::new(2);
        for cost in [0.3, 0.1, 0.2] {
            let seq = Some(pollster::block_on(model.prefilled(&[0])).unwrap());
            let state = State { cost, seq, ..State::default() };
            frontier.push(&mut model, state).unwrap();
        }
        let held: Vec<bool> = frontier.into_open().iter().map(|state| state.seq.is_some()).collect();
        assert_eq!(held, [true, true, false]);
    }
}
