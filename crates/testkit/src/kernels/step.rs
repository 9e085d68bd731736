//! Step buffers.

use goldcrest_kernels::step::{Header, IDENTITY, MAX_ROWS, MAX_WANT, NO_TREE, Row};

/// A row that sees nothing, at position 0 of cell 0.
#[must_use]
pub fn row() -> Row {
    Row { table: IDENTITY, tree: NO_TREE, ..bytemuck::Zeroable::zeroed() }
}

/// The words of a step buffer.
#[must_use]
pub fn step(rows: &[Row], want: &[u32]) -> Vec<u32> {
    let count = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
    let header = Header { n_rows: count(rows.len()), n_want: count(want.len()), ..Header::default() };
    let mut wanted = want.to_vec();
    wanted.resize(MAX_WANT, u32::MAX);
    // Rows that the step does not have must not be read: as indices they are beyond every end.
    let mut all = bytemuck::cast_slice::<Row, u32>(rows).to_vec();
    all.resize(MAX_ROWS * size_of::<Row>() / 4, u32::MAX);
    [bytemuck::cast_slice(&[header]), wanted.as_slice(), all.as_slice()].concat()
}

/// A step of `n` rows for kernels that read nothing of them.
#[must_use]
pub fn rows(n: u32) -> Vec<u32> {
    step(&vec![row(); n as usize], &[])
}
