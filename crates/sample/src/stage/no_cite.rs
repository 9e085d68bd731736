use std::collections::BTreeSet;
use std::sync::Arc;

use super::{Ctx, LogitStage, require_some};
use crate::candidates::Candidates;
use crate::error::SampleError;
use crate::known::Known;

/// Citation blocker: bans every token that would complete an n-gram of given texts, so that none of them is repeated word
/// for word beyond n − 1 tokens.
#[derive(Debug, Clone, PartialEq)]
pub struct NoCite {
    n: usize,
    texts: Arc<Vec<Vec<u32>>>,
    /// (text, place) of every n-gram, in the order of the n-grams.
    grams: Arc<Vec<(u32, u32)>>,
}

impl NoCite {
    /// Blocks n-grams of `n` tokens of `texts`; an `n` of 0 is off.
    #[must_use]
    pub fn new(n: u32, texts: &[Vec<u32>]) -> Self {
        let n = n as usize;
        let places = texts.iter().zip(0u32..).flat_map(|(text, index)| {
            let count = if n == 0 { 0 } else { (text.len() + 1).saturating_sub(n) };
            (0..count as u32).map(move |place| (index, place))
        });
        let mut grams: Vec<(u32, u32)> = places.collect();
        grams.sort_by(|a, b| gram(texts, n, *a).cmp(gram(texts, n, *b)));
        Self { n, texts: Arc::new(texts.to_vec()), grams: Arc::new(grams) }
    }

    fn banned(&self, history: &[u32]) -> BTreeSet<u32> {
        let head = self.n.checked_sub(1).and_then(|head| history.get(history.len().checked_sub(head)?..));
        let Some(head) = head else { return BTreeSet::new() };
        let gram = |place: &(u32, u32)| gram(&self.texts, self.n, *place);
        let first = self.grams.partition_point(|place| gram(place).get(..head.len()) < Some(head));
        let rest = self.grams.get(first..).unwrap_or_default().iter().map(gram);
        rest.take_while(|gram| gram.starts_with(head)).filter_map(|gram| gram.last().copied()).collect()
    }
}

fn gram(texts: &[Vec<u32>], n: usize, (text, place): (u32, u32)) -> &[u32] {
    let place = place as usize;
    texts.get(text as usize).and_then(|text| text.get(place..place + n)).unwrap_or_default()
}

impl LogitStage for NoCite {
    fn name(&self) -> &'static str {
        "no_cite"
    }

    fn spec(&self) -> String {
        let mut spec = format!("no_cite(n={}", self.n);
        for text in self.texts.iter() {
            let ids: Vec<String> = text.iter().map(ToString::to_string).collect();
            spec += &format!(",text={}", ids.join("-"));
        }
        spec + ")"
    }

    fn apply(&self, candidates: &mut Candidates, ctx: &Ctx<'_>) -> Result<(), SampleError> {
        let banned = self.banned(ctx.history);
        if banned.is_empty() {
            return Ok(());
        }
        candidates.lower(self.name(), |candidate| !banned.contains(&candidate.id))?;
        require_some(candidates)
    }

    fn after(&self, known: Known) -> Option<Known> {
        Some(if self.grams.is_empty() { known } else { known.changed() })
    }

    fn fork(&self) -> Box<dyn LogitStage> {
        Box::new(self.clone())
    }
}
