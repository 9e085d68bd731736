//! Turns the named steps of a forward pass into dispatches.
//!
//! With one row a step is as few dispatches as possible: norms are folded into the products that follow. With many rows
//! they are kernels of their own.

use std::borrow::Cow;

use goldcrest_gpu::{Buffer, Dispatch, Slice};
use goldcrest_kernels::Profile;
use goldcrest_kernels::ops::act::{ActArgs, act as act_op};
use goldcrest_kernels::ops::add_rows::{AddRowsArgs, add_rows};
use goldcrest_kernels::ops::attention::{AttentionArgs, Entry, attention, attention_one, attention_split};
use goldcrest_kernels::ops::copy_rows::{CopyRowsArgs, copy_rows, gather_rows};
use goldcrest_kernels::ops::embed::{EmbedArgs, Source, embed};
use goldcrest_kernels::ops::kv_move::{KvMoveArgs, kv_move};
use goldcrest_kernels::ops::matmul::{
    Act, Epilogue, Experts as Selection, Matrix, Norm, VecArgs, matmul_vec,
};
use goldcrest_kernels::ops::matmul_many::{Count, ManyArgs, matmul_many};
use goldcrest_kernels::ops::moe_combine::{MoeCombineArgs, moe_combine};
use goldcrest_kernels::ops::moe_route::{MoeRouteArgs, Routing, moe_route};
use goldcrest_kernels::ops::norm::{NormArgs, NormKind, norm as norm_op};
use goldcrest_kernels::ops::rope_kv::{self, HeadShape, Rope, RopeKvArgs};
use goldcrest_kernels::step::{MAX_ROWS, MAX_WANT};

pub(crate) use goldcrest_kernels::ops::rope_kv::{KeyType, Pairing};

use crate::arch::feed_forward::{Experts, GatedFfn};
use crate::model::RopeTables;
use crate::scratch::MAX_MIX;
use crate::{Config, Linear, ModelError, Scratch};

/// The KV cache as buffers: one per layer, keys and values of a cell side by side.
#[derive(Debug)]
pub struct KvLayers {
    /// One slice per layer.
    pub layers: Vec<Slice<Buffer>>,
    /// Cells in each.
    pub n_cells: u32,
    /// Cell tables of sequences that are not runs of cells.
    pub table: Slice<Buffer>,
}

/// What a recording writes to.
#[derive(Clone, Copy)]
pub struct Targets<'a> {
    /// Hyper-parameters.
    pub cfg: &'a Config,
    /// Activations.
    pub scratch: &'a Scratch,
    /// Kernel forms.
    pub profile: &'a Profile,
    /// The KV cache.
    pub kv: &'a KvLayers,
    /// Tables of angles.
    pub rope: &'a RopeTables,
}

/// Which rows the head works on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum HeadRows {
    /// Row 0 of a step of one row.
    Direct,
    /// One wanted row of a larger step.
    One,
    /// Up to [`MAX_WANT`] wanted rows.
    Many,
}

impl HeadRows {
    /// Most rows.
    #[must_use]
    pub const fn max(self) -> u32 {
        match self {
            Self::Direct | Self::One => 1,
            Self::Many => MAX_WANT as u32,
        }
    }
}

/// Which positions a layer sees, and so which of the two tables of angles and starts of ranges apply.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum AttentionKind {
    Full,
    Sliding,
}

/// Norms of queries and keys.
pub(crate) struct QkNorm {
    /// Of the queries, then of the keys.
    pub(crate) weight: Slice<Buffer>,
    /// Over all heads together instead of each by itself.
    pub(crate) whole: bool,
}

/// Weight and bias of a layer norm.
pub(crate) struct LayerNorm {
    pub(crate) weight: Slice<Buffer>,
    pub(crate) bias: Slice<Buffer>,
}

/// Collects dispatches for steps of up to a number of rows.
pub struct Recorder<'a> {
    t: Targets<'a>,
    n_rows: u32,
    head: HeadRows,
    long: bool,
    n_ff: Option<u32>,
    dispatches: Vec<Dispatch<Buffer>>,
}

impl<'a> Recorder<'a> {
    /// A recorder for steps of up to `n_rows` rows (at most [`MAX_ROWS`]), whose head works on `head`.
    #[must_use]
    pub fn new(targets: Targets<'a>, n_rows: u32, head: HeadRows) -> Self {
        Self {
            t: targets,
            n_rows: n_rows.clamp(1, MAX_ROWS as u32),
            head,
            long: false,
            n_ff: None,
            dispatches: Vec::new(),
        }
    }

    /// For one row with a long context: attention is spread over more workgroups.
    #[must_use]
    pub const fn for_long_context(mut self, long: bool) -> Self {
        self.long = long;
        self
    }

    /// With the first `n_ff` columns of every feed-forward block, which the model has to nest; none for all.
    #[must_use]
    pub const fn with_ff_width(mut self, n_ff: Option<u32>) -> Self {
        self.n_ff = n_ff;
        self
    }

    /// Dispatches so far.
    #[must_use]
    pub fn len(&self) -> usize {
        self.dispatches.len()
    }

    /// Whether nothing was recorded.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.dispatches.is_empty()
    }

    /// All dispatches.
    #[must_use]
    pub fn finish(self) -> Vec<Dispatch<Buffer>> {
        self.dispatches
    }

    /// Adds dispatches of the caller's own, such as reductions over the logits.
    pub fn extend(&mut self, dispatches: impl IntoIterator<Item = Dispatch<Buffer>>) {
        self.dispatches.extend(dispatches);
    }

    /// Copies the residual stream of all rows to `out`, from row `out_row` on.
    ///
    /// # Errors
    /// [`ModelError::Shape`] if `out` is too small.
    pub fn read_tap(&mut self, out: &Slice<Buffer>, out_row: u32) -> Result<(), ModelError> {
        let (s, n) = (self.t.scratch, self.t.cfg.n_embd);
        let args = CopyRowsArgs {
            step: &s.step,
            x: &s.x,
            out,
            n_rows: self.n_rows,
            out_row,
            n,
            x_stride: n,
            out_stride: n,
        };
        self.dispatches.push(copy_rows(&args, self.t.profile)?);
        Ok(())
    }

    /// Adds `scale · v` to the residual stream of the rows in `list` (see `add_rows`).
    ///
    /// # Errors
    /// [`ModelError::Shape`].
    pub fn add_tap(&mut self, v: &Slice<Buffer>, list: &Slice<Buffer>, scale: f32) -> Result<(), ModelError> {
        let (s, n) = (self.t.scratch, self.t.cfg.n_embd);
        let n_list = u32::try_from(list.size / 4).unwrap_or(u32::MAX).min(MAX_ROWS as u32);
        let n_v_rows = u32::try_from(v.size / 4 / u64::from(n)).unwrap_or(1);
        let args = AddRowsArgs {
            step: &s.step,
            x: &s.x,
            v,
            list,
            n_list,
            n_v_rows,
            scale,
            n_rows: self.n_rows,
            n,
            x_stride: n,
        };
        self.dispatches.push(add_rows(&args, self.t.profile)?);
        Ok(())
    }

    pub(crate) fn embed(&mut self, matrix: &Matrix<Buffer>, scale: f32) -> Result<(), ModelError> {
        self.embed_from(matrix, scale, Source::Token)
    }

    pub(crate) fn add_position_embd(&mut self, matrix: &Matrix<Buffer>) -> Result<(), ModelError> {
        self.embed_from(matrix, 1.0, Source::Position)
    }

    fn embed_from(&mut self, matrix: &Matrix<Buffer>, scale: f32, source: Source) -> Result<(), ModelError> {
        let s = self.t.scratch;
        let args = EmbedArgs {
            matrix,
            mix: &s.mix,
            n_mix: MAX_MIX,
            step: &s.step,
            x: &s.x,
            max_rows: self.n_rows,
            scale,
            source,
            add: source == Source::Position,
        };
        self.dispatches.extend(embed(&args)?);
        Ok(())
    }

    /// qkv = W · rms_norm(x) + bias
    pub(crate) fn norm_qkv(&mut self, weight: &Slice<Buffer>, qkv: &Linear) -> Result<(), ModelError> {
        let s = self.t.scratch;
        self.norm_linear(weight, qkv, &s.qkv)
    }

    /// qkv = W · layer_norm(x) + bias
    pub(crate) fn layer_norm_qkv(&mut self, norm: &LayerNorm, qkv: &Linear) -> Result<(), ModelError> {
        let s = self.t.scratch;
        self.layer_norm(norm)?;
        self.linear(qkv, &s.normed, &s.qkv, false, Act::None)
    }

    /// Copies cells of layer `il` and rotates their keys on; see `kv_move`.
    pub(crate) fn move_cells(&mut self, il: u32, moves: &Slice<Buffer>, n: u32) -> Result<(), ModelError> {
        let args = KvMoveArgs {
            kv: &self.t.kv.layers[il as usize],
            moves,
            rope: self.rope(il),
            shape: self.shape(),
            max_moves: n,
            ordered: false,
        };
        self.dispatches.push(kv_move(&args, self.t.profile)?);
        Ok(())
    }

    fn rope(&self, il: u32) -> Option<Rope<'a, Buffer>> {
        let cfg = self.t.cfg;
        let table = match cfg.arch.angles(il) {
            AttentionKind::Full => &self.t.rope.full,
            AttentionKind::Sliding => &self.t.rope.sliding,
        };
        let rope = |pairing| Rope { table, n_pos: self.t.rope.n_pos, n_rot: cfg.rope.n_rot, pairing };
        cfg.arch.pairing().map(rope)
    }

    /// Norms and rotates queries and keys, stores keys and values in the rows' cells, then
    /// attn = softmax(q·k) v over what each row sees
    pub(crate) fn attention(
        &mut self,
        il: u32,
        kind: AttentionKind,
        norm: Option<&QkNorm>,
    ) -> Result<(), ModelError> {
        let (s, cfg) = (self.t.scratch, self.t.cfg);
        let kv = &self.t.kv.layers[il as usize];
        let (shape, stride, n_rows, rope) = (self.shape(), cfg.n_qkv(), self.n_rows, self.rope(il));
        let eps = cfg.norm_eps;
        let norm = match norm {
            None => rope_kv::QkNorm::None,
            Some(QkNorm { weight, whole: false }) => rope_kv::QkNorm::Head { weight, eps },
            Some(QkNorm { weight, whole: true }) => rope_kv::QkNorm::All { weight, eps },
        };
        let args = AttentionArgs {
            step: &s.step,
            qkv: &s.qkv,
            kv,
            table: &self.t.kv.table,
            out: &s.attn,
            shape,
            n_rows,
            stride,
            out_stride: cfg.n_head * cfg.head_dim,
            sliding: kind == AttentionKind::Sliding,
            scale: cfg.attn_scale(),
            softcap: cfg.attn_softcap,
        };
        if n_rows == 1 && !matches!(norm, rope_kv::QkNorm::All { .. }) {
            let entry = Entry { norm, rope };
            if self.long {
                self.dispatches.extend(attention_split(&args, &entry, &s.attn_parts, self.t.profile)?);
            } else {
                self.dispatches.push(attention_one(&args, &entry, self.t.profile)?);
            }
            return Ok(());
        }
        let entries = RopeKvArgs { step: &s.step, qkv: &s.qkv, norm, rope, kv, shape, n_rows, stride };
        self.dispatches.push(rope_kv::rope_kv(&entries, self.t.profile)?);
        self.dispatches.push(attention(&args, self.t.profile)?);
        Ok(())
    }

    /// x += W · attn
    pub(crate) fn add_attn_output(&mut self, output: &Linear) -> Result<(), ModelError> {
        let s = self.t.scratch;
        self.linear(output, &s.attn, &s.x, true, Act::None)
    }

    /// branch = W · attn
    pub(crate) fn attn_output(&mut self, output: &Linear) -> Result<(), ModelError> {
        let s = self.t.scratch;
        self.linear(output, &s.attn, &s.branch, false, Act::None)
    }

    /// x += rms_norm(branch)
    pub(crate) fn add_normed(&mut self, weight: &Slice<Buffer>) -> Result<(), ModelError> {
        let s = self.t.scratch;
        self.norm(&s.branch, weight, None, &s.x, true, Count::Rows)
    }

    /// x += down(act(gate) · up) of rms_norm(x)
    pub(crate) fn add_gated_ffn(
        &mut self,
        norm: &Slice<Buffer>,
        ffn: &GatedFfn,
        act: Act,
    ) -> Result<(), ModelError> {
        let s = self.t.scratch;
        self.gate_up(norm, &ffn.gate_up, act)?;
        self.linear(&ffn.down.first_columns(self.n_ff), &s.ffn, &s.x, true, Act::None)
    }

    /// branch = down(act(gate) · up) of rms_norm(x)
    pub(crate) fn gated_ffn(
        &mut self,
        norm: &Slice<Buffer>,
        ffn: &GatedFfn,
        act: Act,
    ) -> Result<(), ModelError> {
        let s = self.t.scratch;
        self.gate_up(norm, &ffn.gate_up, act)?;
        self.linear(&ffn.down.first_columns(self.n_ff), &s.ffn, &s.branch, false, Act::None)
    }

    /// ffn = act(gate) · up of rms_norm(x)
    fn gate_up(
        &mut self,
        weight: &Slice<Buffer>,
        matrix: &Matrix<Buffer>,
        act: Act,
    ) -> Result<(), ModelError> {
        let s = self.t.scratch;
        let matrix = &*match self.n_ff {
            Some(n) => Cow::Owned(matrix.first_rows(n)),
            None => Cow::Borrowed(matrix),
        };
        if self.n_rows == 1 {
            let epilogue = Epilogue { act, ..Epilogue::default() };
            return self.vec(matrix, &s.x, &s.ffn, Some(weight), &epilogue, None);
        }
        self.norm(&s.x, weight, None, &s.normed, false, Count::Rows)?;
        self.many(matrix, &s.normed, &s.gate_up, matrix.many_width(), &Epilogue::default(), Count::Rows)?;
        let args = ActArgs {
            step: &s.step,
            x: &s.gate_up,
            out: &s.ffn,
            act,
            gated: true,
            n_rows: self.n_rows,
            per_row: 1,
            n: matrix.n_rows,
            x_stride: matrix.many_width(),
            out_stride: matrix.n_rows,
        };
        self.dispatches.push(act_op(&args, self.t.profile)?);
        Ok(())
    }

    /// x += down(act(up)) of layer_norm(x)
    pub(crate) fn add_plain_ffn(
        &mut self,
        norm: &LayerNorm,
        up: &Linear,
        down: &Linear,
        act: Act,
    ) -> Result<(), ModelError> {
        let s = self.t.scratch;
        self.layer_norm(norm)?;
        self.linear(&up.first_rows(self.n_ff), &s.normed, &s.ffn, false, act)?;
        self.linear(&down.first_columns(self.n_ff), &s.ffn, &s.x, true, Act::None)
    }

    /// x += Σ weight · expert(rms_norm(x)) over the experts that the router chooses
    pub(crate) fn add_experts(
        &mut self,
        norm: &Slice<Buffer>,
        experts: &Experts,
        act: Act,
    ) -> Result<(), ModelError> {
        let (s, cfg) = (self.t.scratch, self.t.cfg);
        self.norm(&s.x, norm, None, &s.normed, false, Count::Rows)?;
        self.linear(&experts.router, &s.normed, &s.router, false, Act::None)?;
        let normalized = Routing::SoftmaxTopKNormalized;
        let route = MoeRouteArgs {
            step: &s.step,
            logits: &s.router,
            selected: &s.expert_ids,
            weights: &s.expert_weights,
            routing: if experts.norm_weights { normalized } else { Routing::SoftmaxTopK },
            n_rows: self.n_rows,
            n_expert: cfg.n_expert,
            n_used: cfg.n_expert_used,
            stride: cfg.n_expert,
        };
        self.dispatches.push(moe_route(&route, self.t.profile)?);
        let slots = self.n_rows * cfg.n_expert_used;
        let shared = Selection { sel: &s.expert_ids, slots, slots_per_x: cfg.n_expert_used };
        let gated = Epilogue { act, ..Epilogue::default() };
        self.vec(&experts.gate_up, &s.normed, &s.ffn, None, &gated, Some(shared))?;
        let own = Selection { slots_per_x: 1, ..shared };
        self.vec(&experts.down, &s.ffn, &s.expert_out, None, &Epilogue::default(), Some(own))?;
        let combine = MoeCombineArgs {
            step: &s.step,
            x: &s.x,
            y: &s.expert_out,
            weights: &s.expert_weights,
            n_rows: self.n_rows,
            n_used: cfg.n_expert_used,
            n: cfg.n_embd,
            x_stride: cfg.n_embd,
            y_stride: cfg.n_embd,
        };
        self.dispatches.push(moe_combine(&combine, self.t.profile)?);
        Ok(())
    }

    /// logits = W · rms_norm(x) of the wanted rows
    pub(crate) fn head(&mut self, weight: &Slice<Buffer>, output: &Matrix<Buffer>) -> Result<(), ModelError> {
        let s = self.t.scratch;
        let rows = self.gather_wanted()?;
        if self.head == HeadRows::Many {
            self.norm(rows, weight, None, &s.wanted_normed, false, Count::Want)?;
            return self.logits_many(output);
        }
        let epilogue = self.logits_epilogue();
        self.vec(output, rows, &s.logits_of(1), Some(weight), &epilogue, None)
    }

    /// logits = W · layer_norm(x) of the wanted rows
    pub(crate) fn layer_norm_head(
        &mut self,
        norm: &LayerNorm,
        output: &Matrix<Buffer>,
    ) -> Result<(), ModelError> {
        let s = self.t.scratch;
        let rows = self.gather_wanted()?;
        self.norm(rows, &norm.weight, Some(&norm.bias), &s.wanted_normed, false, Count::Want)?;
        if self.head == HeadRows::Many {
            return self.logits_many(output);
        }
        let epilogue = self.logits_epilogue();
        self.vec(output, &s.wanted_normed, &s.logits_of(1), None, &epilogue, None)
    }

    fn logits_many(&mut self, output: &Matrix<Buffer>) -> Result<(), ModelError> {
        let s = self.t.scratch;
        let epilogue = self.logits_epilogue();
        self.many(output, &s.wanted_normed, &s.logits, self.t.cfg.n_vocab, &epilogue, Count::Want)
    }

    fn logits_epilogue(&self) -> Epilogue<'static, Buffer> {
        let cap = self.t.cfg.final_softcap;
        Epilogue { softcap: (cap > 0.0).then_some(cap), ..Epilogue::default() }
    }

    /// The wanted rows side by side: row 0 itself where there is only one.
    fn gather_wanted(&mut self) -> Result<&'a Slice<Buffer>, ModelError> {
        let (s, n) = (self.t.scratch, self.t.cfg.n_embd);
        if self.head == HeadRows::Direct {
            return Ok(&s.x);
        }
        let args = CopyRowsArgs {
            step: &s.step,
            x: &s.x,
            out: &s.wanted,
            n_rows: MAX_ROWS as u32,
            out_row: 0,
            n,
            x_stride: n,
            out_stride: n,
        };
        self.dispatches.push(gather_rows(&args, self.head.max(), self.t.profile)?);
        Ok(&s.wanted)
    }

    fn norm_linear(
        &mut self,
        weight: &Slice<Buffer>,
        linear: &Linear,
        y: &Slice<Buffer>,
    ) -> Result<(), ModelError> {
        let s = self.t.scratch;
        if self.n_rows > 1 {
            self.norm(&s.x, weight, None, &s.normed, false, Count::Rows)?;
            return self.linear(linear, &s.normed, y, false, Act::None);
        }
        self.linear_parts(linear, &s.x, y, Some(weight), false, Act::None)
    }

    fn linear(
        &mut self,
        linear: &Linear,
        x: &Slice<Buffer>,
        y: &Slice<Buffer>,
        add: bool,
        act: Act,
    ) -> Result<(), ModelError> {
        self.linear_parts(linear, x, y, None, add, act)
    }

    fn linear_parts(
        &mut self,
        linear: &Linear,
        x: &Slice<Buffer>,
        y: &Slice<Buffer>,
        norm: Option<&Slice<Buffer>>,
        add: bool,
        act: Act,
    ) -> Result<(), ModelError> {
        for (col, matrix) in &linear.parts {
            let y = from_column(y, *col);
            let bias = linear.bias.as_ref().map(|b| from_column(b, *col));
            let epilogue = Epilogue { bias: bias.as_ref(), act, softcap: None, add };
            if self.n_rows == 1 {
                self.vec(matrix, x, &y, norm, &epilogue, None)?;
            } else {
                self.many(matrix, x, &y, linear.n_out, &epilogue, Count::Rows)?;
            }
        }
        Ok(())
    }

    fn vec(
        &mut self,
        matrix: &Matrix<Buffer>,
        x: &Slice<Buffer>,
        y: &Slice<Buffer>,
        norm: Option<&Slice<Buffer>>,
        epilogue: &Epilogue<'_, Buffer>,
        experts: Option<Selection<'_, Buffer>>,
    ) -> Result<(), ModelError> {
        let norm = norm.map(|weight| Norm { weight, eps: self.t.cfg.norm_eps });
        let args = VecArgs { matrix, x, y, norm, epilogue, experts, dummy: &self.t.scratch.dummy };
        self.dispatches.extend(matmul_vec(self.t.profile, &args)?);
        Ok(())
    }

    fn many(
        &mut self,
        matrix: &Matrix<Buffer>,
        x: &Slice<Buffer>,
        y: &Slice<Buffer>,
        y_stride: u32,
        epilogue: &Epilogue<'_, Buffer>,
        count: Count,
    ) -> Result<(), ModelError> {
        let (s, max_rows) = (self.t.scratch, self.rows_of(count));
        let args =
            ManyArgs { matrix, x, y, y_stride, epilogue, step: &s.step, count, max_rows, dummy: &s.dummy };
        self.dispatches.extend(matmul_many(self.t.profile, &args)?);
        Ok(())
    }

    fn layer_norm(&mut self, norm: &LayerNorm) -> Result<(), ModelError> {
        let s = self.t.scratch;
        self.norm(&s.x, &norm.weight, Some(&norm.bias), &s.normed, false, Count::Rows)
    }

    fn norm(
        &mut self,
        x: &Slice<Buffer>,
        weight: &Slice<Buffer>,
        bias: Option<&Slice<Buffer>>,
        out: &Slice<Buffer>,
        add: bool,
        count: Count,
    ) -> Result<(), ModelError> {
        let (n, n_rows) = (self.t.cfg.n_embd, self.rows_of(count));
        let args = NormArgs {
            step: &self.t.scratch.step,
            x,
            weight,
            bias,
            out,
            kind: if bias.is_some() { NormKind::Layer } else { NormKind::Rms },
            add,
            count,
            n_rows,
            n,
            x_stride: n,
            out_stride: n,
            eps: self.t.cfg.norm_eps,
        };
        self.dispatches.push(norm_op(&args, self.t.profile)?);
        Ok(())
    }

    fn rows_of(&self, count: Count) -> u32 {
        match count {
            Count::Rows => self.n_rows,
            Count::Want => self.head.max(),
        }
    }

    fn shape(&self) -> HeadShape {
        let cfg = self.t.cfg;
        HeadShape {
            n_head: cfg.n_head,
            n_head_kv: cfg.n_head_kv,
            head_dim: cfg.head_dim,
            n_cells: self.t.kv.n_cells,
            keys: cfg.arch.keys(),
        }
    }
}

/// The part of an activation or bias from column `col` on.
fn from_column(slice: &Slice<Buffer>, col: u32) -> Slice<Buffer> {
    let skip = u64::from(col) * 4;
    slice.buffer.slice(slice.offset + skip, slice.size.saturating_sub(skip))
}
