//! Trees of guesses through the kernels behind the logits, for tests of crates that know no device.

use std::rc::Rc;

use goldcrest_gpu::{Buffer, Device, GpuError, Plan, Slice, Work};
use goldcrest_kernels::ops::row_stats::{RowStatsArgs, row_stats, row_stats_scratch_bytes};
use goldcrest_kernels::ops::sample::{SampleArgs, sample};
use goldcrest_kernels::ops::topk::{TopkArgs, topk_bytes, topk_scratch_bytes, topk_with};
use goldcrest_kernels::ops::walk::{Judged, WalkArgs, walk};
use goldcrest_kernels::sampling::{Picked, RowStats, SampleParams};
use goldcrest_kernels::step::{Header, MAX_WANT, Row, STEP_BYTES};
use goldcrest_kernels::walking::{NO_ROW, Rule, TREE_BYTES, Tree, Trodden, WALKED_BYTES, Walked};
use goldcrest_kernels::{Profile, ShapeError};

/// Why a tree was not followed.
#[derive(Debug, thiserror::Error)]
pub enum WalkError {
    /// An operation refused its sizes.
    #[error(transparent)]
    Shape(#[from] ShapeError),
    /// The device failed.
    #[error(transparent)]
    Gpu(#[from] GpuError),
    /// The kernels found no token; see [`Walked::bad`].
    #[error("no token behind a row: {0}")]
    Bad(u32),
}

/// The cuts of a sampler; see [`SampleParams`].
#[derive(Clone, Copy, Debug)]
pub struct Cuts {
    /// 1 / temperature.
    pub inv_temperature: f32,
    /// Candidates kept.
    pub top_k: u32,
    /// Nucleus mass.
    pub top_p: f32,
    /// Least share of the largest probability, and its logarithm.
    pub min_p: f32,
    /// See there.
    pub log_min_p: f32,
    /// The likeliest token comes.
    pub greedy: bool,
}

/// A tree; see [`Tree`].
#[derive(Clone, Debug)]
pub struct Guesses {
    /// Of all random numbers.
    pub seed: u64,
    /// Per row token, position and stream of its draw.
    pub rows: Vec<(u32, u32, u32)>,
    /// Per row the one that it follows.
    pub parents: Vec<u32>,
    /// Per row what the guesses that follow it were drawn from.
    pub lists: Vec<Vec<(u32, f32)>>,
    /// A guess behind the last row that has no row.
    pub expected: Option<u32>,
    /// Stream of the numbers for judging.
    pub stream: u32,
    /// How many of them were used before.
    pub thrown: u32,
}

/// A path, as rows with the tokens behind them and their log-probabilities, and how many random numbers were used.
pub type Found = (Vec<(usize, u32, f32)>, u32);

/// The kernels from logits to path, recorded for one vocabulary.
pub struct Kernels {
    device: Rc<dyn Device>,
    plan: Plan,
    step: Slice<Buffer>,
    logits: Slice<Buffer>,
    params: Slice<Buffer>,
    tree: Slice<Buffer>,
    walked: Slice<Buffer>,
}

impl Kernels {
    /// Records them.
    ///
    /// # Errors
    /// [`WalkError`].
    pub fn new(device: &Rc<dyn Device>, n_vocab: u32) -> Result<Self, WalkError> {
        let (want, profile) = (MAX_WANT as u32, &Profile::CORE);
        let buffer = |bytes: u64| device.create_buffer("walk", bytes).map(|buffer| buffer.whole());
        let [first, second] = topk_scratch_bytes(n_vocab, want);
        let scratch = [&buffer(first)?, &buffer(second)?];
        let (step, logits) = (&buffer(STEP_BYTES)?, &buffer(u64::from(n_vocab * want) * 4)?);
        let (partials, stats) = (
            &buffer(row_stats_scratch_bytes(n_vocab, want))?,
            &buffer(u64::from(want) * size_of::<RowStats>() as u64)?,
        );
        let (best, picked) =
            (&buffer(topk_bytes(want))?, &buffer(u64::from(want) * size_of::<Picked>() as u64)?);
        let (params, tree, walked) =
            (&buffer(size_of::<SampleParams>() as u64)?, &buffer(TREE_BYTES)?, &buffer(WALKED_BYTES)?);
        let n_want = want;
        let mut work = row_stats(&RowStatsArgs { step, logits, partials, stats, n_vocab, n_want }, profile)?;
        work.extend(topk_with(&TopkArgs { step, logits, scratch, best, n_vocab, n_want }, profile)?);
        let drawing = SampleArgs { step, params, stats, best, picked, n_vocab, n_want, per_row: false };
        work.push(sample(&drawing, profile)?);
        let judged = Some(Judged { params, best });
        work.push(walk(&WalkArgs { step, stats, picked, tree, judged, walked, n_vocab, n_want })?);
        let plan = device.record(work)?;
        let [step, logits, params, tree, walked] = [step, logits, params, tree, walked].map(Slice::clone);
        Ok(Self { device: Rc::clone(device), plan, step, logits, params, tree, walked })
    }

    /// The path through a tree whose rows have these logits, as many of them at a time as fit.
    ///
    /// # Errors
    /// [`WalkError`].
    pub async fn follow(
        &self,
        cuts: &Cuts,
        guesses: &Guesses,
        logits: &[Vec<f32>],
    ) -> Result<Found, WalkError> {
        let &Cuts { inv_temperature, top_k, top_p, min_p, log_min_p, greedy } = cuts;
        let greedy = u32::from(greedy);
        let params =
            SampleParams { inv_temperature, top_k, top_p, min_p, log_min_p, greedy, ..SampleParams::NEUTRAL };
        self.write(&self.params, bytemuck::bytes_of(&params))?;
        let (mut path, mut thrown, mut at) = (Vec::new(), guesses.thrown, 0);
        while at != NO_ROW {
            let want: Vec<u32> = (at..guesses.rows.len() as u32).take(MAX_WANT).collect();
            self.write(&self.step, bytemuck::cast_slice(&step_words(guesses, &want)))?;
            let rows: Vec<f32> = logits.iter().skip(at as usize).take(MAX_WANT).flatten().copied().collect();
            self.write(&self.logits, bytemuck::cast_slice(&rows))?;
            let lists = (0..).zip(&guesses.lists);
            let lists: Vec<&[(u32, f32)]> =
                lists.map(|(row, list)| if want.contains(&row) { list.as_slice() } else { &[] }).collect();
            let rule = if cuts.greedy { Rule::Argmax } else { Rule::Drawn };
            let Guesses { parents, expected, stream, .. } = guesses;
            let tree =
                Tree { at, thrown, rule, parents, lists: &lists, expected: *expected, stream: *stream };
            self.write(&self.tree, bytemuck::cast_slice(&tree.words()))?;
            let reads = std::slice::from_ref(&self.walked);
            let bytes = self.device.submit(&[Work::all(&self.plan)], reads)?.await?.concat();
            let (head, steps) = bytes.split_at(size_of::<Walked>());
            let found: Walked = bytemuck::pod_read_unaligned(head);
            if found.bad != 0 || found.n == 0 {
                return Err(WalkError::Bad(found.bad));
            }
            let steps = steps.chunks_exact(size_of::<Trodden>()).take(found.n as usize);
            path.extend(steps.map(|step| {
                let Trodden { row, token, logprob } = bytemuck::pod_read_unaligned(step);
                (row as usize, token, logprob)
            }));
            (at, thrown) = (found.next, found.thrown);
        }
        Ok((path, thrown))
    }

    fn write(&self, to: &Slice<Buffer>, bytes: &[u8]) -> Result<(), GpuError> {
        self.device.write(&to.buffer, 0, bytes)
    }
}

/// The step for some of a tree's rows.
fn step_words(guesses: &Guesses, want: &[u32]) -> Vec<u32> {
    let header = Header {
        n_rows: guesses.rows.len() as u32,
        n_want: want.len() as u32,
        seed_lo: guesses.seed as u32,
        seed_hi: (guesses.seed >> 32) as u32,
        ..Header::default()
    };
    let mut words = bytemuck::cast_slice(&[header]).to_vec();
    words.extend(want.iter().copied().chain(std::iter::repeat(0)).take(MAX_WANT));
    for (token, pos, seq) in &guesses.rows {
        let row = Row { token: *token, pos: *pos, seq: *seq, ..bytemuck::Zeroable::zeroed() };
        words.extend(bytemuck::cast_slice::<Row, u32>(&[row]));
    }
    words
}
