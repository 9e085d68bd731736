//! Weight matrices, and their product with one column.

use bytemuck::{Pod, Zeroable};

use super::check::{holds, in_range};
use super::matmul_soft;
use super::matmul_variants::{VEC, VEC_SUBGROUP, pick};
use crate::dispatch::{Dispatch, Slice};
use crate::error::ShapeError;
use crate::format::{Format, PlaneLayout, ROWS_PER_GROUP};
use crate::profile::Profile;

/// Entry of the expert list that leaves its slot's output alone.
pub const NO_EXPERT: u32 = u32::MAX;
/// Most workgroups in one dimension.
const MAX_GRID: u64 = 65_535;

/// A weight matrix on the device: `n_rows` outputs of `k` inputs.
///
/// With `glu` it is two matrices of `n_rows` outputs each: row group `2i` holds gate rows `8i..8i + 8`, group `2i + 1`
/// the up rows of the same outputs. With experts, every part holds its rows of all experts, one expert after the other.
#[derive(Clone, Debug)]
pub struct Matrix<B> {
    /// Composition of the planes.
    pub format: Format,
    /// Outputs of [`matmul_vec`], per expert.
    pub n_rows: u32,
    /// Inputs: a multiple of 32, of 256 for the K formats.
    pub k: u32,
    /// Inputs that a row of the planes holds; more than `k` where only the first ones count.
    pub k_held: u32,
    /// The rows in ascending order; more than one where a plane would be larger than a binding.
    pub parts: Vec<MatrixPart<B>>,
    /// Experts; 0 or 1 for a plain matrix.
    pub experts: u32,
    /// Gate and up rows interleaved.
    pub glu: bool,
}

/// A run of a matrix's rows.
#[derive(Clone, Debug)]
pub struct MatrixPart<B> {
    /// First output; a multiple of eight.
    pub row0: u32,
    /// Outputs.
    pub n_rows: u32,
    /// Plane of quants.
    pub wq: Slice<B>,
    /// Plane of scales; any slice for formats without scales.
    pub ws: Slice<B>,
}

impl<B: Clone> Matrix<B> {
    /// The same planes as a matrix of their first `n` outputs; of a `glu` matrix a multiple of eight.
    #[must_use]
    pub fn first_rows(&self, n: u32) -> Self {
        let n_rows = n.min(self.n_rows);
        let within = self.parts.iter().filter(|part| part.row0 < n_rows);
        let parts =
            within.map(|part| MatrixPart { n_rows: part.n_rows.min(n_rows - part.row0), ..part.clone() });
        Self { n_rows, parts: parts.collect(), ..self.clone() }
    }

    /// The same planes as a matrix of the first `k` inputs of every output.
    #[must_use]
    pub fn first_columns(&self, k: u32) -> Self {
        Self { k: k.min(self.k), ..self.clone() }
    }
}

impl<B> Matrix<B> {
    /// Plane sizes of one expert within a part of `n_rows` outputs.
    #[must_use]
    pub const fn part_layout(&self, n_rows: u32) -> PlaneLayout {
        let one = self.format.planes(n_rows, self.k_held);
        PlaneLayout { n_group: if self.glu { 2 * one.n_group } else { one.n_group }, ..one }
    }

    /// Values per column that `matmul_many` writes: the outputs, or for `glu` the interleaved groups of eight gates and
    /// eight ups, padded.
    #[must_use]
    pub const fn many_width(&self) -> u32 {
        if self.glu { self.n_rows.div_ceil(ROWS_PER_GROUP) * 2 * ROWS_PER_GROUP } else { self.n_rows }
    }

    /// Checks everything about the weights that an operation relies on.
    pub(super) fn check(&self, op: &'static str) -> Result<(), ShapeError> {
        let multiple = if self.format.weights_per_unit() == 256 { 256 } else { 32 };
        if self.k == 0 || !self.k.is_multiple_of(multiple) {
            let multiple = multiple.into();
            return Err(ShapeError::NotAMultiple { op, what: "k", found: self.k.into(), multiple });
        }
        in_range(op, "k", self.k.into(), 1, self.k_held.into())?;
        in_range(op, "n_rows", self.n_rows.into(), 1, 1 << 24)?;
        let mut next = 0;
        for part in &self.parts {
            in_range(op, "row0 of a part", part.row0.into(), next, next)?;
            next += u64::from(part.n_rows);
            in_range(op, "rows of the parts", next, 1, self.n_rows.into())?;
            let multiple = ROWS_PER_GROUP.into();
            if !u64::from(part.row0).is_multiple_of(multiple) {
                let found = part.row0.into();
                return Err(ShapeError::NotAMultiple { op, what: "row0 of a part", found, multiple });
            }
            let layout = self.part_layout(part.n_rows);
            let experts = u64::from(self.experts.max(1));
            holds(op, "wq", &part.wq, layout.wq_bytes() * experts)?;
            holds(op, "ws", &part.ws, layout.ws_bytes() * experts)?;
        }
        in_range(op, "rows of the parts", next, self.n_rows.into(), self.n_rows.into())
    }
}

/// What follows a sum.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Act {
    /// Nothing.
    #[default]
    None,
    /// `v / (1 + e^-v)`
    Silu,
    /// GELU in its tanh form.
    GeluTanh,
}

/// What happens to a sum, in this order, before it is stored. A `glu` matrix takes `act` alone, and needs it.
#[derive(Clone, Debug)]
pub struct Epilogue<'a, B> {
    /// Added: f32 `[n_rows]`.
    pub bias: Option<&'a Slice<B>>,
    /// Applied to the sum, or to the gate.
    pub act: Act,
    /// `cap · tanh(v / cap)`; positive.
    pub softcap: Option<f32>,
    /// Added to what `y` holds instead of replacing it.
    pub add: bool,
}

impl<B> Default for Epilogue<'_, B> {
    fn default() -> Self {
        Self { bias: None, act: Act::None, softcap: None, add: false }
    }
}

impl<B> Epilogue<'_, B> {
    pub(super) fn check(&self, op: &'static str, n_rows: u32) -> Result<(), ShapeError> {
        if let Some(bias) = self.bias {
            holds(op, "bias", bias, u64::from(n_rows) * 4)?;
        }
        if self.softcap.is_some_and(|cap| !(cap.is_finite() && cap > 0.0)) {
            return Err(ShapeError::Unsupported { op, what: "a soft cap that is not a positive number" });
        }
        Ok(())
    }

    /// Nothing at all.
    pub(super) fn is_empty(&self) -> bool {
        self.act == Act::None && self.flags() == 0
    }

    /// The bits that `shaders/common/epilogue.wgsl` names.
    pub(super) fn flags(&self) -> u32 {
        let bit = |on: bool, bit: u32| if on { bit } else { 0 };
        bit(self.add, 1) | bit(self.bias.is_some(), 2) | bit(self.softcap.is_some(), 4)
    }
}

/// RMS normalisation of x on the way into a product.
#[derive(Debug)]
pub struct Norm<'a, B> {
    /// f32 `[k]`.
    pub weight: &'a Slice<B>,
    /// Added to the mean square.
    pub eps: f32,
}

/// Which expert serves which slot.
#[derive(Debug)]
pub struct Experts<'a, B> {
    /// u32 `[slots]`: expert ids; [`NO_EXPERT`] leaves the slot alone.
    pub sel: &'a Slice<B>,
    /// (row, choice) pairs.
    pub slots: u32,
    /// Slots that share a row of x: the experts used per row, or 1 where every slot has its own.
    pub slots_per_x: u32,
}

// Derived, these would ask for `B: Copy`.
impl<B> Clone for Norm<'_, B> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<B> Copy for Norm<'_, B> {}
impl<B> Clone for Experts<'_, B> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<B> Copy for Experts<'_, B> {}

/// What [`matmul_vec`] runs on.
#[derive(Clone, Copy, Debug)]
pub struct VecArgs<'a, B> {
    /// W.
    pub matrix: &'a Matrix<B>,
    /// f32 `[k]`, or `[slots / slots_per_x][k]`.
    pub x: &'a Slice<B>,
    /// f32 `[n_rows]`, or `[slots][n_rows]`; in another buffer than all else.
    pub y: &'a Slice<B>,
    /// Normalises x first.
    pub norm: Option<Norm<'a, B>>,
    /// What follows the sum.
    pub epilogue: &'a Epilogue<'a, B>,
    /// Runs the selected experts of a matrix that has them.
    pub experts: Option<Experts<'a, B>>,
    /// Bound in place of what is absent: a buffer of its own, 256 bytes.
    pub dummy: &'a Slice<B>,
}

/// Parameters of `matmul_vec`.
#[repr(C)]
#[derive(Clone, Copy, Debug, Pod, Zeroable)]
pub(crate) struct VecParams {
    pub(crate) n_chunk: u32,
    pub(crate) w_chunk: u32,
    pub(crate) n_unit: u32,
    pub(crate) n_group: u32,
    pub(crate) n_rows: u32,
    pub(crate) row0: u32,
    pub(crate) by_expert: u32,
    pub(crate) n_expert: u32,
    pub(crate) glu: u32,
    pub(crate) x_slot_div: u32,
    pub(crate) y_stride: u32,
    pub(crate) eps: f32,
    pub(crate) act: u32,
    pub(crate) flags: u32,
    pub(crate) softcap: f32,
}

/// `y = epilogue(W x)` for one column, one dispatch per part.
///
/// # Errors
/// [`ShapeError`] if a size is out of range, a buffer too small, or the epilogue has no kernel.
pub fn matmul_vec<B: Clone>(
    profile: &Profile,
    args: &VecArgs<'_, B>,
) -> Result<Vec<Dispatch<B>>, ShapeError> {
    let op = "matmul_vec";
    let &VecArgs { matrix, x, y, norm, epilogue, experts, dummy } = args;
    matrix.check(op)?;
    epilogue.check(op, matrix.n_rows)?;
    let slots = experts.map_or(1, |e| e.slots);
    let per_x = experts.map_or(1, |e| e.slots_per_x);
    in_range(op, "slots", slots.into(), 1, MAX_GRID)?;
    in_range(op, "slots_per_x", per_x.into(), 1, slots.into())?;
    if experts.is_none() && matrix.experts > 1 {
        return Err(ShapeError::Unsupported { op, what: "a matrix of experts without a selection" });
    }
    if matrix.glu && (epilogue.bias.is_some() || epilogue.softcap.is_some() || epilogue.add) {
        return Err(ShapeError::Unsupported { op, what: "bias, soft cap or addition after a gate" });
    }
    holds(op, "x", x, u64::from(slots.div_ceil(per_x)) * u64::from(matrix.k) * 4)?;
    holds(op, "y", y, u64::from(slots) * u64::from(matrix.n_rows) * 4)?;
    if let Some(norm) = norm {
        holds(op, "norm", norm.weight, u64::from(matrix.k) * 4)?;
    }
    if let Some(experts) = experts {
        holds(op, "sel", experts.sel, u64::from(slots) * 4)?;
    }
    if profile.soft {
        return matmul_soft::one(profile, args);
    }
    let (lanes, by_subgroups) = lanes(profile, profile.vec_lanes, matrix.k / 32);
    let part = |part: &MatrixPart<B>| {
        let layout = matrix.part_layout(part.n_rows);
        let block = block(profile.vec_block, profile, layout.n_group).max(if matrix.glu { 2 } else { 1 });
        let mut overrides = geometry(lanes, profile.vec_groups, block);
        overrides.push(("NORM", f64::from(u8::from(norm.is_some()))));
        let params = VecParams {
            n_chunk: matrix.k / 32,
            w_chunk: layout.n_chunk,
            n_unit: layout.n_unit,
            n_group: layout.n_group,
            n_rows: part.n_rows,
            row0: part.row0,
            by_expert: u32::from(experts.is_some()),
            n_expert: matrix.experts.max(1),
            glu: u32::from(matrix.glu),
            x_slot_div: per_x,
            y_stride: matrix.n_rows,
            eps: norm.map_or(0.0, |n| n.eps),
            act: epilogue.act as u32,
            flags: epilogue.flags(),
            softcap: epilogue.softcap.unwrap_or(1.0),
        };
        let bindings = [
            Some(&part.wq),
            Some(&part.ws),
            Some(x),
            norm.map(|n| n.weight),
            epilogue.bias,
            Some(y),
            experts.map(|e| e.sel),
        ];
        Ok(Dispatch {
            shader: pick(if by_subgroups { &VEC_SUBGROUP } else { &VEC }, matrix.format),
            overrides,
            bindings: bindings.iter().map(|b| b.unwrap_or(dummy).clone()).collect(),
            uniform: bytemuck::cast_slice(&[params]).to_vec(),
            grid: [grid(op, layout.n_group, block * profile.vec_groups)?, slots, 1],
        })
    };
    matrix.parts.iter().map(part).collect()
}

/// Lanes per row, at most `most`: as few as finish in the same number of steps, and whether they add as part of a subgroup,
/// which wants a power of two.
pub(super) fn lanes(profile: &Profile, most: u32, n_chunk: u32) -> (u32, bool) {
    let steps = n_chunk.div_ceil(most.max(1)).max(1);
    let lanes = n_chunk.div_ceil(steps).max(1);
    let power = lanes.next_power_of_two();
    if lanes > 1 && power <= profile.subgroups { (power, true) } else { (lanes, false) }
}

/// Groups per thread, 1, 2 or 4: the most that still leave the machine enough threads.
pub(super) fn block(most: u32, profile: &Profile, n_group: u32) -> u32 {
    let fits = |block: &u32| *block <= most && n_group / block >= profile.min_blocks;
    [4, 2].into_iter().find(fits).unwrap_or(1)
}

/// The geometry overrides of a kernel with `lanes` per row, `groups` blocks of groups per workgroup and `block` groups per
/// thread.
pub(super) fn geometry(lanes: u32, groups: u32, block: u32) -> Vec<(&'static str, f64)> {
    let threads = ROWS_PER_GROUP * lanes * groups;
    vec![("L", lanes.into()), ("G", groups.into()), ("T", threads.into()), ("B", block.into())]
}

/// Workgroups for `n` items, `per` at a time.
pub(super) fn grid(op: &'static str, n: u32, per: u32) -> Result<u32, ShapeError> {
    let found = n.div_ceil(per);
    if u64::from(found) > MAX_GRID {
        return Err(ShapeError::GridTooLarge { op, found: found.into() });
    }
    Ok(found)
}
