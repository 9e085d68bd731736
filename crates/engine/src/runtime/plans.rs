//! Recorded plans, made when first needed and kept until the KV cache moves.

use std::collections::{HashMap, HashSet, VecDeque};

use goldcrest_gpu::{Buffer, Dispatch, Plan};
use goldcrest_model::{HeadRows, Recorder};

use super::Runtime;
use crate::EngineError;

/// Embedding and layers for steps of up to a class of rows.
#[derive(Clone)]
pub(super) struct LayersPlan {
    pub(super) plan: Plan,
    /// First dispatch of every layer, and the end.
    pub(super) starts: std::rc::Rc<[usize]>,
    /// Where a range that ends before a layer ends: behind what is read of the rows before it.
    pub(super) ends: std::rc::Rc<[usize]>,
}

/// The parts that steps are put together from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Part {
    /// Final norm and logits.
    Head(HeadRows),
    /// Row statistics of up to this many wanted rows.
    Stats(u32),
    /// The best 256 of up to this many wanted rows.
    Top(u32),
    /// Allowed tokens of up to this many wanted rows.
    Mask(u32),
    /// Listed logits.
    Gather,
    /// Bias and penalties of one row.
    Penalize,
    /// A token for each of up to this many wanted rows.
    Draw(u32),
    /// The path through a tree, with or without guesses that are judged by their ratio.
    Walk(bool),
    /// The choice of one row, and the next step of its sequence.
    SampleNext,
}

/// Pipelines that a browser compiles while the next ones are asked for: Firefox answers once in 100 ms, so that waiting for
/// each would take longer than compiling it.
const COMPILING: usize = 4;

#[derive(Default)]
pub(super) struct Plans {
    /// By class, whether the context is long, and the width of feed-forward blocks where that is not the whole.
    layers: HashMap<(u32, bool, Option<u32>), LayersPlan>,
    parts: HashMap<Part, Plan>,
}

impl Plans {
    pub(super) fn clear(&mut self) {
        self.layers.clear();
        self.parts.clear();
    }
}

impl Runtime {
    /// Embedding and layers for up to `class` rows, of which the last sees `n_seen` entries.
    pub(super) fn layers_plan(
        &mut self,
        class: u32,
        n_seen: usize,
        ff_width: Option<u32>,
    ) -> Result<LayersPlan, EngineError> {
        let key = (class, class == 1 && n_seen >= self.profile.split_from as usize, ff_width);
        if let Some(plan) = self.plans.layers.get(&key) {
            return Ok(plan.clone());
        }
        let (dispatches, starts) = self.layers(class, key.1, ff_width)?;
        let starts: std::rc::Rc<[usize]> = starts.into();
        let plan = LayersPlan { plan: self.device.record(dispatches)?, ends: starts.clone(), starts };
        self.plans.layers.insert(key, plan.clone());
        Ok(plan)
    }

    /// Compiles what the first chunk of a prompt and sampled decoding need, be the context short or long, and records it for a
    /// short one, reporting (done, total) pipelines. In a browser the event loop turns meanwhile.
    ///
    /// # Errors
    /// [`EngineError::Gpu`].
    pub async fn prepare(&mut self, progress: &mut dyn FnMut(u64, u64)) -> Result<(), EngineError> {
        let classes = [self.pacer.first_class(), 1];
        let parts = [Part::Head(HeadRows::Direct), Part::Stats(1), Part::Top(1), Part::SampleNext];
        let mut dispatches = Vec::new();
        for class in classes {
            dispatches.append(&mut self.layers(class, false, None)?.0);
        }
        if self.profile.split_from <= self.n_ctx {
            dispatches.append(&mut self.layers(1, true, None)?.0);
        }
        for part in parts {
            dispatches.append(&mut self.dispatches(part)?);
        }
        let mut known = HashSet::new();
        dispatches.retain(|d| {
            let overrides: Vec<_> =
                d.overrides.iter().map(|(name, value)| (*name, value.to_bits())).collect();
            known.insert((d.shader, overrides))
        });
        let (mut done, total) = (0, dispatches.len() as u64);
        let mut compiling = VecDeque::with_capacity(COMPILING);
        for dispatch in &dispatches {
            self.device.compile(dispatch)?;
            // A submit of nothing is through when what was asked for before it is.
            compiling.push_back(self.device.submit(&[], &[])?);
            if compiling.len() == COMPILING
                && let Some(first) = compiling.pop_front()
            {
                first.await?;
                done += 1;
                progress(done, total);
            }
        }
        for rest in compiling {
            rest.await?;
            done += 1;
            progress(done, total);
        }
        for class in classes {
            self.layers_plan(class, 0, None)?;
        }
        parts.into_iter().try_for_each(|part| self.part(part).map(drop))
    }

    /// One of the parts behind the layers.
    pub(super) fn part(&mut self, part: Part) -> Result<Plan, EngineError> {
        if let Some(plan) = self.plans.parts.get(&part) {
            return Ok(plan.clone());
        }
        let plan = self.device.record(self.dispatches(part)?)?;
        self.plans.parts.insert(part, plan.clone());
        Ok(plan)
    }

    /// Embedding and layers for up to `class` rows of a short or long context, with the first dispatch of every layer, and the end.
    fn layers(
        &self,
        class: u32,
        long: bool,
        ff_width: Option<u32>,
    ) -> Result<(Vec<Dispatch<Buffer>>, Vec<usize>), EngineError> {
        let mut r = Recorder::new(self.targets(), class, HeadRows::Direct)
            .for_long_context(long)
            .with_ff_width(ff_width);
        self.model.record_embed(&mut r)?;
        let mut starts = vec![r.len()];
        for il in 0..self.model.config.n_layer {
            self.model.record_layer(&mut r, il)?;
            starts.push(r.len());
        }
        Ok((r.finish(), starts))
    }

    fn dispatches(&self, part: Part) -> Result<Vec<Dispatch<Buffer>>, EngineError> {
        Ok(match part {
            Part::Head(rows) => {
                let mut r = Recorder::new(self.targets(), 1, rows);
                self.model.record_head(&mut r)?;
                r.finish()
            }
            Part::Stats(n_want) => self.logits.stats(&self.scratch, n_want, &self.profile)?,
            Part::Top(n_want) => self.logits.top(&self.scratch, n_want, &self.profile)?,
            Part::Mask(n_want) => vec![self.logits.mask(&self.scratch, n_want)?],
            Part::Gather => vec![self.logits.gather(&self.scratch)?],
            Part::Penalize => vec![self.logits.penalize(&self.scratch)?],
            Part::Draw(n_want) => vec![self.logits.draw(&self.scratch, n_want, &self.profile)?],
            Part::Walk(judged) => vec![self.logits.walk(&self.scratch, judged)?],
            Part::SampleNext => vec![self.logits.sample_next(&self.scratch, &self.kv, &self.profile)?],
        })
    }
}
