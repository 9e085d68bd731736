//! The products in their form for adapters that are CPUs; arguments are checked by the callers.

use bytemuck::{Pod, Zeroable};

use super::matmul::{MatrixPart, VecArgs, grid};
use super::matmul_many::{ManyArgs, many_rows};
use super::matmul_variants::{SOFT_EIGHT, SOFT_EIGHT_SUBGROUP, SOFT_ONE, SOFT_ONE_SUBGROUP, pick};
use crate::dispatch::Dispatch;
use crate::error::ShapeError;
use crate::profile::{Activations, Profile};

/// Most row groups that a thread takes: the length of its array of sums.
const MAX_BLOCK: u32 = 64;
/// Bit of [`SoftParams::flags`] beside those of the epilogue.
pub(crate) const NORM: u32 = 8;
/// Another: activations in bytes, on the CPU alone.
pub(crate) const INT8: u32 = 16;
/// Columns that a thread takes.
const COLUMNS: u32 = 8;

/// Parameters of `matmul_soft`.
#[repr(C)]
#[derive(Clone, Copy, Debug, Pod, Zeroable)]
pub(crate) struct SoftParams {
    pub(crate) n_chunk: u32,
    pub(crate) w_chunk: u32,
    pub(crate) n_unit: u32,
    pub(crate) n_group: u32,
    pub(crate) n_rows: u32,
    pub(crate) row0: u32,
    pub(crate) block: u32,
    pub(crate) by_expert: u32,
    pub(crate) n_expert: u32,
    pub(crate) glu: u32,
    pub(crate) x_slot_div: u32,
    pub(crate) y_stride: u32,
    pub(crate) count_from: u32,
    pub(crate) max_rows: u32,
    pub(crate) eps: f32,
    pub(crate) act: u32,
    pub(crate) flags: u32,
    pub(crate) softcap: f32,
}

/// One column per slot.
pub(super) fn one<B: Clone>(
    profile: &Profile,
    args: &VecArgs<'_, B>,
) -> Result<Vec<Dispatch<B>>, ShapeError> {
    let &VecArgs { matrix, x, y, norm, epilogue, experts, dummy } = args;
    let slots = experts.map_or(1, |e| e.slots);
    let part = |part: &MatrixPart<B>| {
        let layout = matrix.part_layout(part.n_rows);
        // Even, so that a gate and its up row meet.
        let block = block(profile, layout.n_group, slots).next_multiple_of(2);
        let params = SoftParams {
            n_chunk: matrix.k / 32,
            w_chunk: layout.n_chunk,
            n_unit: layout.n_unit,
            n_group: layout.n_group,
            n_rows: part.n_rows,
            row0: part.row0,
            block,
            by_expert: u32::from(experts.is_some()),
            n_expert: matrix.experts.max(1),
            glu: u32::from(matrix.glu),
            x_slot_div: experts.map_or(1, |e| e.slots_per_x),
            y_stride: matrix.n_rows,
            count_from: 0,
            max_rows: 1,
            eps: norm.map_or(0.0, |n| n.eps),
            act: epilogue.act as u32,
            flags: epilogue.flags() | int8(profile) | if norm.is_some() { NORM } else { 0 },
            softcap: epilogue.softcap.unwrap_or(1.0),
        };
        let (norm, sel) = (norm.map_or(dummy, |n| n.weight), experts.map_or(dummy, |e| e.sel));
        let bindings = [&part.wq, &part.ws, x, norm, epilogue.bias.unwrap_or(dummy), y, sel];
        Ok(Dispatch {
            shader: pick(if profile.soft_subgroup { &SOFT_ONE_SUBGROUP } else { &SOFT_ONE }, matrix.format),
            overrides: Vec::new(),
            bindings: bindings.into_iter().cloned().collect(),
            uniform: bytemuck::cast_slice(&[params]).to_vec(),
            grid: [grid("matmul_vec", layout.n_group, block)?, slots, 1],
        })
    };
    matrix.parts.iter().map(part).collect()
}

/// The rows of a step, by eight columns.
pub(super) fn eight<B: Clone>(
    profile: &Profile,
    args: &ManyArgs<'_, B>,
) -> Result<Vec<Dispatch<B>>, ShapeError> {
    let &ManyArgs { matrix, x, y, y_stride, epilogue, step, count, max_rows, dummy } = args;
    let part = |part: &MatrixPart<B>| {
        let layout = matrix.part_layout(part.n_rows);
        let (n_rows, row0) = many_rows(matrix, part);
        let by_column = max_rows.div_ceil(COLUMNS);
        let block = block(profile, layout.n_group, by_column);
        let params = SoftParams {
            n_chunk: matrix.k / 32,
            w_chunk: layout.n_chunk,
            n_unit: layout.n_unit,
            n_group: layout.n_group,
            n_rows,
            row0,
            block,
            by_expert: 0,
            n_expert: 1,
            glu: 0,
            x_slot_div: 1,
            y_stride,
            count_from: count as u32,
            max_rows,
            eps: 0.0,
            act: epilogue.act as u32,
            flags: epilogue.flags() | int8(profile),
            softcap: epilogue.softcap.unwrap_or(1.0),
        };
        let bindings = [&part.wq, &part.ws, x, step, epilogue.bias.unwrap_or(dummy), y];
        Ok(Dispatch {
            shader: pick(
                if profile.soft_subgroup { &SOFT_EIGHT_SUBGROUP } else { &SOFT_EIGHT },
                matrix.format,
            ),
            overrides: Vec::new(),
            bindings: bindings.into_iter().cloned().collect(),
            uniform: bytemuck::cast_slice(&[params]).to_vec(),
            grid: [by_column, grid("matmul_many", layout.n_group, block)?, 1],
        })
    };
    matrix.parts.iter().map(part).collect()
}

fn int8(profile: &Profile) -> u32 {
    if profile.activations == Activations::Int8 { INT8 } else { 0 }
}

/// Groups per thread: as many as leave [`Profile::min_blocks`] blocks, `times` being made of each.
fn block(profile: &Profile, n_group: u32, times: u32) -> u32 {
    let blocks = profile.min_blocks.div_ceil(times);
    (n_group / blocks).clamp(1, MAX_BLOCK)
}
