//! A tree of guesses that the device follows by itself: of all rows only the path comes back.

use goldcrest_gpu::{Plan, Work};
use goldcrest_kernels::step::{Header, MAX_WANT, Row};
use goldcrest_kernels::walking::{NO_ROW, Rule, TREE_ROWS, Tree, Trodden, Walked as Found, walked_bytes};
use goldcrest_model::HeadRows;
use goldcrest_sample::SamplerParams;

use super::Runtime;
use super::pacer::class_of;
use super::plans::Part;
use crate::EngineError;
use crate::batch::{BEST, Batch, Source, StepResult, Walk, Walked, Wants};

impl Runtime {
    /// Refuses a walk that the device could not do.
    pub(super) fn check_walk(&self, batch: &Batch, walk: &Walk) -> Result<(), EngineError> {
        let bad = |reason| Err(EngineError::BadBatch { reason });
        if batch.rows.len() > TREE_ROWS || batch.rows.len() != walk.parents.len() {
            return bad("a walk has at most 64 rows, and says of each which one it follows");
        }
        if (1..).zip(walk.parents.iter().skip(1)).any(|(row, parent)| *parent >= row) {
            return bad("a row of a walk stands before the one that it follows");
        }
        if !walk.lists.is_empty() && walk.lists.len() != batch.rows.len() {
            return bad("a walk says of each row or of none what its guesses were drawn from");
        }
        let listed =
            |list: &Vec<(u32, f32)>| list.len() > BEST as usize || !list.is_sorted_by(|a, b| a.0 < b.0);
        if walk.lists.iter().any(listed) {
            return bad("what guesses were drawn from is at most 256 tokens in ascending order");
        }
        let plain = |wants: &Wants| *wants == Wants { drawn: wants.drawn, ..Wants::default() };
        if batch.rows.iter().any(|row| row.wants.drawn.is_none() || !plain(&row.wants)) {
            return bad("every row of a walk wants a token drawn, and nothing else");
        }
        let tokens = batch.rows.iter().all(|row| matches!(row.source, Source::Token(_)));
        if !tokens || !batch.taps.is_empty() || batch.layers.is_some() {
            return bad("the rows of a walk are tokens, which run through all layers and are not read");
        }
        Ok(())
    }

    /// Runs the rows and follows their tree. Where it leads beyond the rows whose logits fit together, the head runs again,
    /// from there.
    pub(super) async fn run_walk(
        &mut self,
        batch: &Batch,
        walk: &Walk,
        sampler: &SamplerParams,
        words: &mut [Row],
    ) -> Result<StepResult, EngineError> {
        self.write_sources(&batch.rows, words)?;
        self.write_sampler(&sampler.gpu_plan())?;
        let n_seen = words.first().map_or(0, |row| row.hi as usize);
        let layers = self.layers_plan(class_of(words.len()), n_seen, batch.ff_width)?.plan;
        let mut layers = Some(layers);
        let depths = depths(&walk.parents);
        let mut walked = Walked { path: Vec::new(), thrown: walk.thrown };
        let mut at = 0;
        while at != NO_ROW {
            let wanted: Vec<u32> = (at..words.len() as u32).take(MAX_WANT).collect();
            let parts = self.prepare_walk((walk, walked.thrown), sampler, words, &wanted)?;
            let ran = layers.take();
            let work: Vec<Work<'_>> = ran.iter().chain(&parts).map(Work::all).collect();
            // Of each depth at most one row is on the path.
            let mut levels: Vec<u32> = wanted.iter().map(|row| depths[*row as usize]).collect();
            levels.dedup();
            let read = self.logits.walked.buffer.slice(0, walked_bytes(levels.len()));
            let found = self.device.submit(&work, &[read])?.await?;
            let bytes = found.first().ok_or(EngineError::BadResult)?;
            at = self.follow(batch, walk, at, bytes, &mut walked)?;
        }
        self.forward_passes += 1;
        Ok(StepResult { walked, ..StepResult::default() })
    }

    /// Writes the step for a group of rows, and gathers the parts that follow the tree through them.
    fn prepare_walk(
        &mut self,
        (walk, thrown): (&Walk, u32),
        sampler: &SamplerParams,
        words: &[Row],
        wanted: &[u32],
    ) -> Result<Vec<Plan>, EngineError> {
        let header = Header {
            n_rows: words.len() as u32,
            n_want: wanted.len() as u32,
            seed_lo: sampler.seed as u32,
            seed_hi: (sampler.seed >> 32) as u32,
            ..Header::default()
        };
        self.write_step(header, wanted, words)?;
        let rule = if sampler.is_greedy() { Rule::Argmax } else { Rule::Drawn };
        let at = wanted.first().copied().unwrap_or(NO_ROW);
        // Of rows that are not wanted now nothing is judged.
        let rows = (0..).zip(&walk.lists);
        let lists: Vec<&[(u32, f32)]> =
            rows.map(|(row, list)| if wanted.contains(&row) { list.as_slice() } else { &[] }).collect();
        let judged = rule == Rule::Drawn && lists.iter().any(|list| !list.is_empty());
        let Walk { parents, expected, stream, .. } = walk;
        let tree =
            Tree { at, thrown, rule, parents, lists: &lists, expected: *expected, stream: *stream }.words();
        self.device.write(&self.logits.tree.buffer, 0, bytemuck::cast_slice(&tree))?;
        let (rows, n_want) = match (words.len(), wanted.len()) {
            (1, _) => (HeadRows::Direct, 1),
            (_, 1) => (HeadRows::One, 1),
            _ => (HeadRows::Many, MAX_WANT as u32),
        };
        let mut parts = vec![self.part(Part::Head(rows))?, self.part(Part::Stats(n_want))?];
        if rule == Rule::Drawn {
            parts.extend([self.part(Part::Top(n_want))?, self.part(Part::Draw(n_want))?]);
        }
        parts.push(self.part(Part::Walk(judged))?);
        Ok(parts)
    }

    /// Takes the path from row `at` on, and gives the row at which it goes on. A path that is none of the tree's is refused.
    fn follow(
        &self,
        batch: &Batch,
        walk: &Walk,
        at: u32,
        bytes: &[u8],
        out: &mut Walked,
    ) -> Result<u32, EngineError> {
        let n_vocab = self.model.config.n_vocab;
        let (walked, rest) = bytes.split_at_checked(size_of::<Found>()).ok_or(EngineError::BadResult)?;
        let walked: Found = bytemuck::pod_read_unaligned(walked);
        match walked.bad {
            0 => {}
            u32::MAX => return Err(EngineError::NothingToSample),
            bad => return Err(EngineError::NonFiniteLogits { token: (bad - 1).min(n_vocab - 1) }),
        }
        let trodden = rest.chunks_exact(size_of::<Trodden>()).take(walked.n as usize);
        let mut next = at;
        for Trodden { row, token, logprob } in trodden.map(bytemuck::pod_read_unaligned) {
            if row != next || token >= n_vocab {
                return Err(EngineError::BadResult);
            }
            out.path.push((row as usize, token, logprob));
            let said = |r: &usize| matches!(batch.rows[*r].source, Source::Token(t) if t == token);
            let mut behind = (row as usize + 1..batch.rows.len()).filter(|r| walk.parents[*r] == row);
            next = behind.find(said).map_or(NO_ROW, |row| row as u32);
        }
        if walked.n == 0 || walked.next != next {
            return Err(EngineError::BadResult);
        }
        out.thrown = walked.thrown;
        Ok(next)
    }
}

/// How deep each row stands.
fn depths(parents: &[u32]) -> Vec<u32> {
    let mut depths: Vec<u32> = Vec::with_capacity(parents.len());
    for (row, parent) in parents.iter().enumerate() {
        depths.push(if row == 0 { 0 } else { depths[*parent as usize] + 1 });
    }
    depths
}
