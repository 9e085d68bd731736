//! Buffers and dispatches between the logits and what the host gets to see of them.

use goldcrest_gpu::{Buffer, Device, Dispatch, Slice};
use goldcrest_kernels::Profile;
use goldcrest_kernels::ops::gather_logits::{GatherLogitsArgs, gather_logits};
use goldcrest_kernels::ops::mask_logits::{MaskLogitsArgs, mask_bytes, mask_logits};
use goldcrest_kernels::ops::penalize::{PenalizeArgs, penalize};
use goldcrest_kernels::ops::row_stats::{RowStatsArgs, row_stats, row_stats_scratch_bytes};
use goldcrest_kernels::ops::sample::{SampleArgs, sample};
use goldcrest_kernels::ops::sample_next::{SampleNextArgs, sample_next};
use goldcrest_kernels::ops::topk::{TopkArgs, topk_bytes, topk_scratch_bytes, topk_with};
use goldcrest_kernels::ops::walk::{Judged, WalkArgs, walk};
use goldcrest_kernels::sampling::{OutToken, Picked, RowStats, SampleParams, history_bytes, list_bytes};
use goldcrest_kernels::step::MAX_WANT;
use goldcrest_kernels::walking::{TREE_BYTES, WALKED_BYTES};
use goldcrest_model::{Config, KvLayers, Scratch};

use crate::EngineError;

/// Tokens that the output ring holds: the most steps of one submit.
pub(super) const RING: u32 = 64;
/// Pairs of a logit bias that the device can apply.
pub(super) const MAX_BIAS: u32 = 1024;
/// Tokens of history that the device's penalties can look back on.
pub(super) const MAX_HISTORY: u32 = 1024;
/// (row, token) pairs whose logits one step can list.
pub(super) const MAX_LISTED: u32 = 4096;

/// Buffers of the reductions over logits.
pub(super) struct LogitBuffers {
    n_vocab: u32,
    partials: Slice<Buffer>,
    top_scratch: [Slice<Buffer>; 2],
    pub(super) stats: Slice<Buffer>,
    pub(super) best: Slice<Buffer>,
    pub(super) picked: Slice<Buffer>,
    pub(super) params: Slice<Buffer>,
    pub(super) bias: Slice<Buffer>,
    pub(super) history: Slice<Buffer>,
    pub(super) ring: Slice<Buffer>,
    pub(super) list: Slice<Buffer>,
    pub(super) listed: Slice<Buffer>,
    pub(super) allowed: Slice<Buffer>,
    pub(super) tree: Slice<Buffer>,
    pub(super) walked: Slice<Buffer>,
}

impl LogitBuffers {
    pub(super) fn new(device: &dyn Device, cfg: &Config) -> Result<Self, EngineError> {
        let buffer = |(label, bytes)| device.create_buffer(label, bytes).map(|b| b.whole());
        let [
            partials,
            first,
            second,
            stats,
            best,
            picked,
            params,
            bias,
            history,
            ring,
            list,
            listed,
            allowed,
            tree,
            walked,
        ] = sizes(cfg).map(buffer);
        Ok(Self {
            n_vocab: cfg.n_vocab,
            partials: partials?,
            top_scratch: [first?, second?],
            stats: stats?,
            best: best?,
            picked: picked?,
            params: params?,
            bias: bias?,
            history: history?,
            ring: ring?,
            list: list?,
            listed: listed?,
            allowed: allowed?,
            tree: tree?,
            walked: walked?,
        })
    }

    /// Bytes that [`LogitBuffers::new`] allocates.
    pub(super) fn bytes(cfg: &Config) -> u64 {
        sizes(cfg).iter().map(|(_, bytes)| goldcrest_gpu::buffer_bytes(*bytes)).sum()
    }

    pub(super) fn stats(
        &self,
        s: &Scratch,
        n_want: u32,
        profile: &Profile,
    ) -> Result<Vec<Dispatch<Buffer>>, EngineError> {
        let args = RowStatsArgs {
            step: &s.step,
            logits: &s.logits_of(n_want),
            partials: &self.partials,
            stats: &self.stats,
            n_vocab: self.n_vocab,
            n_want,
        };
        Ok(row_stats(&args, profile)?)
    }

    pub(super) fn top(
        &self,
        s: &Scratch,
        n_want: u32,
        profile: &Profile,
    ) -> Result<Vec<Dispatch<Buffer>>, EngineError> {
        let [first, second] = topk_scratch_bytes(self.n_vocab, n_want);
        let args = TopkArgs {
            step: &s.step,
            logits: &s.logits_of(n_want),
            // Only the lists of these rows, for the reason that `logits_of` gives.
            scratch: [
                &self.top_scratch[0].buffer.slice(0, first),
                &self.top_scratch[1].buffer.slice(0, second),
            ],
            best: &self.best,
            n_vocab: self.n_vocab,
            n_want,
        };
        Ok(topk_with(&args, profile)?)
    }

    pub(super) fn gather(&self, s: &Scratch) -> Result<Dispatch<Buffer>, EngineError> {
        Ok(gather_logits(&GatherLogitsArgs {
            list: &self.list,
            logits: &s.logits,
            out: &self.listed,
            n_vocab: self.n_vocab,
            n_want: MAX_WANT as u32,
            capacity: MAX_LISTED,
        })?)
    }

    pub(super) fn mask(&self, s: &Scratch, n_want: u32) -> Result<Dispatch<Buffer>, EngineError> {
        let (allowed, logits) = (&self.allowed, &s.logits_of(n_want));
        Ok(mask_logits(&MaskLogitsArgs { step: &s.step, allowed, logits, n_vocab: self.n_vocab, n_want })?)
    }

    pub(super) fn penalize(&self, s: &Scratch) -> Result<Dispatch<Buffer>, EngineError> {
        Ok(penalize(&PenalizeArgs {
            step: &s.step,
            params: &self.params,
            bias: &self.bias,
            history: &self.history,
            logits: &s.logits_of(1),
            n_vocab: self.n_vocab,
            n_want: 1,
            per_row: false,
            bias_capacity: MAX_BIAS,
            history_capacity: MAX_HISTORY,
        })?)
    }

    pub(super) fn draw(
        &self,
        s: &Scratch,
        n_want: u32,
        profile: &Profile,
    ) -> Result<Dispatch<Buffer>, EngineError> {
        let args = SampleArgs {
            step: &s.step,
            params: &self.params,
            stats: &self.stats,
            best: &self.best,
            picked: &self.picked,
            n_vocab: self.n_vocab,
            n_want,
            per_row: false,
        };
        Ok(sample(&args, profile)?)
    }

    pub(super) fn walk(&self, s: &Scratch, judged: bool) -> Result<Dispatch<Buffer>, EngineError> {
        Ok(walk(&WalkArgs {
            step: &s.step,
            stats: &self.stats,
            picked: &self.picked,
            tree: &self.tree,
            judged: judged.then_some(Judged { params: &self.params, best: &self.best }),
            walked: &self.walked,
            n_vocab: self.n_vocab,
            n_want: MAX_WANT as u32,
        })?)
    }

    pub(super) fn sample_next(
        &self,
        s: &Scratch,
        kv: &KvLayers,
        profile: &Profile,
    ) -> Result<Dispatch<Buffer>, EngineError> {
        let args = SampleNextArgs {
            step: &s.step,
            params: &self.params,
            stats: &self.stats,
            best: &self.best,
            table: &kv.table,
            history: &self.history,
            ring: &self.ring,
            n_vocab: self.n_vocab,
            history_capacity: MAX_HISTORY,
            ring_capacity: RING,
        };
        Ok(sample_next(&args, profile)?)
    }
}

/// Name and size of every buffer.
fn sizes(cfg: &Config) -> [(&'static str, u64); 15] {
    let (n_vocab, want) = (cfg.n_vocab, MAX_WANT as u32);
    let [first, second] = topk_scratch_bytes(n_vocab, want);
    [
        ("row statistics", row_stats_scratch_bytes(n_vocab, want)),
        ("top lists", first),
        ("top lists", second),
        ("stats", u64::from(want) * size_of::<RowStats>() as u64),
        ("best", topk_bytes(want)),
        ("picked", u64::from(want) * size_of::<Picked>() as u64),
        ("sample params", size_of::<SampleParams>() as u64),
        ("bias", list_bytes(MAX_BIAS)),
        ("history", history_bytes(MAX_HISTORY)),
        ("ring", u64::from(RING) * size_of::<OutToken>() as u64),
        ("listed ids", list_bytes(MAX_LISTED)),
        ("listed logits", u64::from(MAX_LISTED) * 4),
        ("allowed tokens", u64::from(want) * mask_bytes(n_vocab)),
        ("tree", TREE_BYTES),
        ("walked", WALKED_BYTES),
    ]
}
