//! The step buffer: everything that changes from one step to the next, in one small GPU buffer.
//!
//! Layout in words: the [`Header`] (16), [`MAX_WANT`] row indices whose logits are wanted, then [`MAX_ROWS`] rows of
//! 16. The WGSL twin is `shaders/common/step.wgsl`; a test compares the two.

use bytemuck::{Pod, Zeroable};

/// Most rows in one step: the largest prefill chunk.
pub const MAX_ROWS: usize = 128;
/// Most rows of one step whose logits can be asked for at once.
pub const MAX_WANT: usize = 16;
/// `Row::table` of a sequence whose cells lie in a row: entry `i` is cell `base + i`.
pub const IDENTITY: u32 = u32::MAX;
/// `Row::tree` of a row that sees every entry of its range.
pub const NO_TREE: u32 = u32::MAX;

/// First 16 words of the step buffer.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, Pod, Zeroable)]
pub struct Header {
    /// Rows of this step, 1..=[`MAX_ROWS`].
    pub n_rows: u32,
    /// Rows whose logits are wanted, 0..=[`MAX_WANT`].
    pub n_want: u32,
    /// Low half of the sampling seed.
    pub seed_lo: u32,
    /// High half of the sampling seed.
    pub seed_hi: u32,
    /// Sliding window in positions, 0 for none; for advancing [`Row::lo_swa`] on the GPU.
    pub window: u32,
    /// Tokens written to the output ring since the host wrote the header.
    pub n_out: u32,
    /// Unused.
    pub reserved: [u32; 10],
}

/// One row: what it reads, where it stands, and what it may see.
///
/// Entry `i` of a sequence is visible when `lo <= i < hi` (`lo_swa` in sliding-window layers) and either `i < tree` or bit
/// `i - tree` of the ancestor bits is set.
#[repr(C)]
#[derive(Clone, Copy, Debug, Pod, Zeroable)]
pub struct Row {
    /// Token id (ignored when `mix_len > 0` or when the hidden row was written by the host).
    pub token: u32,
    /// Position that RoPE sees.
    pub pos: u32,
    /// Cell that receives this row's keys and values.
    pub cell: u32,
    /// Word offset of the sequence's cell table in the table buffer, or [`IDENTITY`].
    pub table: u32,
    /// First cell of an identity sequence.
    pub base: u32,
    /// First visible entry in layers with full attention.
    pub lo: u32,
    /// One past the last visible entry.
    pub hi: u32,
    /// First visible entry in sliding-window layers.
    pub lo_swa: u32,
    /// First entry that the ancestor bits speak of, or [`NO_TREE`].
    pub tree: u32,
    /// Ancestor bits 0..32.
    pub ancestors_lo: u32,
    /// Ancestor bits 32..64.
    pub ancestors_hi: u32,
    /// Random stream of the row's draw.
    pub seq: u32,
    /// First entry of this row's weighted token mixture in the mixture buffer (pairs: token, f32 weight bits).
    pub mix_start: u32,
    /// Entries of the mixture; 0 reads `token`, [`IDENTITY`] keeps the hidden row as the host wrote it.
    pub mix_len: u32,
    /// Unused.
    pub reserved: [u32; 2],
}

/// Bytes of the step buffer.
pub const STEP_BYTES: u64 = ((16 + MAX_WANT + MAX_ROWS * 16) * 4) as u64;
/// Byte offset of the wanted row indices.
pub const WANT_OFFSET: u64 = 64;
/// Byte offset of the rows.
pub const ROWS_OFFSET: u64 = WANT_OFFSET + (MAX_WANT as u64) * 4;
