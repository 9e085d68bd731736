use super::{Ctx, LogitStage};
use crate::candidates::Candidates;
use crate::error::SampleError;
use crate::known::Known;

/// Keeps exactly the `k` first candidates. (Hugging Face also keeps those tied with the k-th.)
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TopK {
    /// Number kept; 0 is off.
    pub k: u32,
}

impl LogitStage for TopK {
    fn name(&self) -> &'static str {
        "top_k"
    }

    fn spec(&self) -> String {
        format!("top_k({})", self.k)
    }

    fn apply(&self, candidates: &mut Candidates, _ctx: &Ctx<'_>) -> Result<(), SampleError> {
        let k = self.k as usize;
        if k == 0 || (candidates.is_whole() && k >= candidates.len()) {
            return Ok(());
        }
        if k > candidates.len() {
            return Err(SampleError::NeedsFullRow { stage: self.name() });
        }
        candidates.keep_first(k);
        Ok(())
    }

    fn after(&self, known: Known) -> Option<Known> {
        if self.k == 0 { Some(known) } else { known.cut_by_rank(self.k as usize) }
    }

    fn fork(&self) -> Box<dyn LogitStage> {
        Box::new(*self)
    }
}
