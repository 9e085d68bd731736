//! The product of a weight matrix with the rows of a batch.

use bytemuck::{Pod, Zeroable};

use super::check::{holds, in_range};
use super::matmul::{Epilogue, Matrix, MatrixPart, block, geometry, grid, lanes};
use super::matmul_soft;
use super::matmul_variants::{ROWS, ROWS_SUBGROUP, TILE, TILE_DOT, pick, pick_coded, pick_half};
use crate::dispatch::{Dispatch, Slice};
use crate::error::ShapeError;
use crate::format::{Format, ROWS_PER_GROUP};
use crate::profile::{ManyRows, Profile, TileForm};
use crate::shader::ShaderId;
use crate::step::{MAX_ROWS, STEP_BYTES};

/// Columns that one invocation of `matmul_rows` sums.
const COLUMNS_PER_THREAD: u32 = 4;
/// Rows and columns of a tile of `matmul_tile`.
const TILE_SIZE: u32 = 64;

/// What bounds the columns of a product.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Count {
    /// The rows of the step.
    Rows = 0,
    /// The rows of the step whose logits are wanted.
    Want = 1,
}

/// What [`matmul_many`] runs on.
#[derive(Clone, Copy, Debug)]
pub struct ManyArgs<'a, B> {
    /// W; without experts.
    pub matrix: &'a Matrix<B>,
    /// f32 `[max_rows][k]`.
    pub x: &'a Slice<B>,
    /// f32 `[max_rows][y_stride]`, of which [`Matrix::many_width`] are written; in another buffer than all else.
    pub y: &'a Slice<B>,
    /// Values from row to row of `y`, at least [`Matrix::many_width`].
    pub y_stride: u32,
    /// What follows the sum; nothing for a `glu` matrix, whose gates are applied by an operation of their own.
    pub epilogue: &'a Epilogue<'a, B>,
    /// The step buffer.
    pub step: &'a Slice<B>,
    /// Which of its counts bounds the columns.
    pub count: Count,
    /// Most columns of a step, 1..=[`MAX_ROWS`].
    pub max_rows: u32,
    /// Bound in place of what is absent: a buffer of its own, 256 bytes.
    pub dummy: &'a Slice<B>,
}

/// Parameters of `matmul_rows` and `matmul_tile`.
#[repr(C)]
#[derive(Clone, Copy, Debug, Pod, Zeroable)]
pub(crate) struct ManyParams {
    pub(crate) n_chunk: u32,
    pub(crate) w_chunk: u32,
    pub(crate) n_unit: u32,
    pub(crate) n_group: u32,
    pub(crate) n_rows: u32,
    pub(crate) row0: u32,
    pub(crate) y_stride: u32,
    pub(crate) count_from: u32,
    pub(crate) max_rows: u32,
    pub(crate) act: u32,
    pub(crate) flags: u32,
    pub(crate) softcap: f32,
}

/// `y[m] = epilogue(W x[m])` for the rows of a step, one dispatch per part.
///
/// # Errors
/// [`ShapeError`] if a size is out of range, a buffer too small, or the matrix has experts or an epilogue after a gate.
pub fn matmul_many<B: Clone>(
    profile: &Profile,
    args: &ManyArgs<'_, B>,
) -> Result<Vec<Dispatch<B>>, ShapeError> {
    let op = "matmul_many";
    let &ManyArgs { matrix, x, y, y_stride, epilogue, step, count, max_rows, dummy } = args;
    matrix.check(op)?;
    epilogue.check(op, matrix.n_rows)?;
    if matrix.experts > 1 {
        return Err(ShapeError::Unsupported { op, what: "a matrix of experts" });
    }
    if matrix.glu && !epilogue.is_empty() {
        return Err(ShapeError::Unsupported { op, what: "an epilogue of gate and up rows" });
    }
    in_range(op, "max_rows", max_rows.into(), 1, MAX_ROWS as u64)?;
    in_range(op, "y_stride", y_stride.into(), matrix.many_width().into(), u32::MAX.into())?;
    holds(op, "x", x, u64::from(max_rows) * u64::from(matrix.k) * 4)?;
    let last = u64::from(max_rows - 1) * u64::from(y_stride) + u64::from(matrix.many_width());
    in_range(op, "values of y", last, 1, u32::MAX.into())?;
    holds(op, "y", y, last * 4)?;
    holds(op, "step", step, STEP_BYTES)?;
    if profile.soft {
        return matmul_soft::eight(profile, args);
    }
    let form = profile.many_rows(max_rows);
    let part = |part: &MatrixPart<B>| {
        let layout = matrix.part_layout(part.n_rows);
        let (n_rows, row0) = many_rows(matrix, part);
        let params = ManyParams {
            n_chunk: matrix.k / 32,
            w_chunk: layout.n_chunk,
            n_unit: layout.n_unit,
            n_group: layout.n_group,
            n_rows,
            row0,
            y_stride,
            count_from: count as u32,
            max_rows,
            act: epilogue.act as u32,
            flags: epilogue.flags(),
            softcap: epilogue.softcap.unwrap_or(1.0),
        };
        let (shader, overrides, grid) = match form {
            ManyRows::Rows => {
                let (lanes, by_subgroups) = lanes(profile, profile.rows_lanes, matrix.k / 32);
                let variants = if by_subgroups { &ROWS_SUBGROUP } else { &ROWS };
                let block = block(profile.rows_block, profile, layout.n_group);
                let groups = grid(op, layout.n_group, block * profile.rows_groups)?;
                let overrides = geometry(lanes, profile.rows_groups, block);
                (pick(variants, matrix.format), overrides, [max_rows.div_ceil(COLUMNS_PER_THREAD), groups, 1])
            }
            ManyRows::Tile => {
                let rows = grid(op, layout.n_group * ROWS_PER_GROUP, TILE_SIZE)?;
                (tile(profile.tile_form, matrix.format), Vec::new(), [rows, max_rows.div_ceil(TILE_SIZE), 1])
            }
        };
        let bindings = [&part.wq, &part.ws, x, epilogue.bias.unwrap_or(dummy), y, step];
        Ok(Dispatch {
            shader,
            overrides,
            bindings: bindings.into_iter().cloned().collect(),
            uniform: bytemuck::cast_slice(&[params]).to_vec(),
            grid,
        })
    };
    matrix.parts.iter().map(part).collect()
}

/// The variant of `matmul_tile`: floats where the form has none for the weights.
fn tile(form: TileForm, format: Format) -> ShaderId {
    let special = match form {
        TileForm::Floats => None,
        TileForm::Dot => pick_coded(&TILE_DOT, format),
        TileForm::Half => pick_half(format),
    };
    special.unwrap_or_else(|| pick(&TILE, format))
}

/// Rows of a part and the first of them, as columns of y: `glu` matrices are written group by group.
pub(super) fn many_rows<B>(matrix: &Matrix<B>, part: &MatrixPart<B>) -> (u32, u32) {
    if matrix.glu {
        (matrix.part_layout(part.n_rows).n_group * ROWS_PER_GROUP, 2 * part.row0)
    } else {
        (part.n_rows, part.row0)
    }
}
