//! Cells, reference counts and the operations on sequences.
//!
//! A cell holds the keys and values of one token in every layer. Tables make fork, rollback, eviction and prefix reuse
//! cheap: no operation here but [`KvPool::shift`] ever moves a cell's contents.

use goldcrest_kernels::step::IDENTITY;

use super::Sequence;
use super::sequence::Entry;
use crate::EngineError;

/// Index of a cell in the pool.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Cell(pub u32);

/// Handle of a sequence; never reused within a pool.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SeqId(pub u32);

/// A copy of one cell into another (or itself), keys rotated by `delta` positions on the way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CellMove {
    /// Read from.
    pub from: Cell,
    /// Written to.
    pub to: Cell,
    /// Positions to add.
    pub delta: i32,
}

/// All cells and the sequences that refer to them.
#[derive(Debug)]
pub struct KvPool {
    /// How many sequence entries refer to each cell.
    references: Vec<u32>,
    sequences: Vec<Option<Sequence>>,
    n_free: u32,
    free_slots: Vec<u32>,
}

/// Words of a cell table that the device has to be sent.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct TableUpdate {
    /// First word in the table buffer.
    pub(crate) at: u32,
    /// Cells.
    pub(crate) words: Vec<u32>,
}

/// Sequences that may at one time need a table of their own, because their cells are not a run.
pub(crate) const MAX_TABLES: u32 = 64;

impl KvPool {
    /// A pool of `n_cells` free cells.
    #[must_use]
    pub fn new(n_cells: u32) -> Self {
        let free_slots = (0..MAX_TABLES).rev().collect();
        Self { references: vec![0; n_cells as usize], sequences: Vec::new(), n_free: n_cells, free_slots }
    }

    /// Cells in all.
    #[must_use]
    pub fn n_cells(&self) -> u32 {
        self.references.len() as u32
    }

    /// Cells that no sequence refers to.
    #[must_use]
    pub const fn n_free(&self) -> u32 {
        self.n_free
    }

    /// Adds free cells up to `n_cells` in all.
    pub fn grow(&mut self, n_cells: u32) {
        self.n_free += n_cells.saturating_sub(self.n_cells());
        self.references.resize(self.references.len().max(n_cells as usize), 0);
    }

    /// A new empty sequence.
    pub fn create(&mut self) -> SeqId {
        self.sequences.push(Some(Sequence::new()));
        SeqId(self.sequences.len() as u32 - 1)
    }

    /// The table of a sequence.
    ///
    /// # Errors
    /// [`EngineError::UnknownSequence`] after [`KvPool::free`].
    pub fn sequence(&self, seq: SeqId) -> Result<&Sequence, EngineError> {
        self.sequences
            .get(seq.0 as usize)
            .and_then(Option::as_ref)
            .ok_or(EngineError::UnknownSequence { seq: seq.0 })
    }

    fn sequence_mut(&mut self, seq: SeqId) -> Result<&mut Sequence, EngineError> {
        let slot = self.sequences.get_mut(seq.0 as usize).and_then(Option::as_mut);
        slot.ok_or(EngineError::UnknownSequence { seq: seq.0 })
    }

    /// Appends one entry per position of `positions`, each with a fresh cell.
    ///
    /// # Errors
    /// [`EngineError::KvFull`] if too few cells are free; then nothing changes.
    pub fn append(&mut self, seq: SeqId, positions: &[u32]) -> Result<(), EngineError> {
        self.sequence(seq)?;
        if self.n_free < positions.len() as u32 {
            return Err(EngineError::KvFull { needed: positions.len() as u32, free: self.n_free });
        }
        for pos in positions {
            let cell = self.take_cell(seq)?;
            self.sequence_mut(seq)?.push(Entry { cell, pos: *pos });
        }
        Ok(())
    }

    /// Keeps the first `n` entries.
    ///
    /// # Errors
    /// [`EngineError::UnknownSequence`].
    pub fn truncate(&mut self, seq: SeqId, n: usize) -> Result<(), EngineError> {
        let table = self.sequence_mut(seq)?;
        let dropped: Vec<Entry> = if n < table.len() { table.drain(n).collect() } else { Vec::new() };
        self.release(&dropped);
        Ok(())
    }

    /// A new sequence that shares the first `n` entries; neither ever writes a shared cell.
    ///
    /// # Errors
    /// [`EngineError::UnknownSequence`].
    pub fn fork(&mut self, seq: SeqId, n: usize) -> Result<SeqId, EngineError> {
        let shared: Vec<Entry> = self.sequence(seq)?.entries().iter().take(n).copied().collect();
        for entry in &shared {
            self.references[entry.cell.0 as usize] += 1;
        }
        let copy = self.create();
        self.sequence_mut(copy)?.replace(shared);
        Ok(copy)
    }

    /// Keeps only the entries at the ascending indices `keep`; positions stay as they are.
    ///
    /// # Errors
    /// [`EngineError::BadKeepList`] if an index is out of range or out of order; then nothing changes.
    pub fn compact(&mut self, seq: SeqId, keep: &[usize]) -> Result<(), EngineError> {
        let entries = self.sequence(seq)?.entries().to_vec();
        let in_order =
            keep.is_sorted_by(|a, b| a < b) && keep.last().is_none_or(|last| *last < entries.len());
        if !in_order {
            return Err(EngineError::BadKeepList { len: entries.len() });
        }
        let mut kept = vec![false; entries.len()];
        keep.iter().for_each(|i| kept[*i] = true);
        let (stay, go): (Vec<_>, Vec<_>) = entries.iter().zip(kept).partition(|(_, keep)| *keep);
        self.release(&go.into_iter().map(|(e, _)| *e).collect::<Vec<_>>());
        self.sequence_mut(seq)?.replace(stay.into_iter().map(|(e, _)| *e).collect());
        Ok(())
    }

    /// Drops a sequence; its handle stays invalid for ever.
    ///
    /// # Errors
    /// [`EngineError::UnknownSequence`].
    pub fn free(&mut self, seq: SeqId) -> Result<(), EngineError> {
        self.truncate(seq, 0)?;
        let sequence = self.sequences[seq.0 as usize].take();
        self.free_slots.extend(sequence.and_then(|s| s.slot));
        Ok(())
    }

    /// What the device lacks of a sequence's table; nothing while its cells are a run.
    pub(crate) fn table_update(&mut self, seq: SeqId) -> Result<Option<TableUpdate>, EngineError> {
        let n_cells = self.n_cells();
        if self.sequence(seq)?.is_identity() {
            return Ok(None);
        }
        if self.sequence(seq)?.slot.is_none() {
            let slot = self.free_slots.pop().ok_or(EngineError::TooManyTables { max: MAX_TABLES })?;
            self.sequence_mut(seq)?.slot = Some(slot);
        }
        let sequence = self.sequence_mut(seq)?;
        let slot = sequence.slot.unwrap_or(0);
        Ok(sequence.take_stale().map(|(from, words)| TableUpdate { at: slot * n_cells + from as u32, words }))
    }

    /// `(table, base)` of a step row of this sequence.
    pub(crate) fn table_words(&self, seq: SeqId) -> Result<(u32, u32), EngineError> {
        let sequence = self.sequence(seq)?;
        let slot = sequence.slot.unwrap_or(0);
        Ok(if sequence.is_identity() { (IDENTITY, sequence.base()) } else { (slot * self.n_cells(), 0) })
    }

    /// The device's tables are gone, because the pool has grown.
    pub(crate) fn forget_tables(&mut self) {
        self.sequences.iter_mut().flatten().for_each(Sequence::forget_table);
    }

    /// Moves the positions of entries `range` by `delta`. Returns what the device has to do: shared cells are copied
    /// first, so that the other owners keep theirs.
    ///
    /// # Errors
    /// [`EngineError::BadShift`] if a position would become negative, [`EngineError::KvFull`] if a copy needs a cell.
    pub fn shift(
        &mut self,
        seq: SeqId,
        range: std::ops::Range<usize>,
        delta: i32,
    ) -> Result<Vec<CellMove>, EngineError> {
        let entries = self.sequence(seq)?.entries().to_vec();
        let moved = entries.get(range.clone()).ok_or(EngineError::BadShift { delta })?;
        let shifted = |e: &Entry| e.pos.checked_add_signed(delta);
        if moved.iter().any(|e| shifted(e).is_none()) {
            return Err(EngineError::BadShift { delta });
        }
        let copies = moved.iter().filter(|e| self.references[e.cell.0 as usize] > 1).count() as u32;
        if copies > self.n_free {
            return Err(EngineError::KvFull { needed: copies, free: self.n_free });
        }
        let mut moves = Vec::with_capacity(moved.len());
        for (index, entry) in range.zip(moved) {
            let shared = self.references[entry.cell.0 as usize] > 1;
            let to = if shared { self.take_cell(seq)? } else { entry.cell };
            if shared {
                self.references[entry.cell.0 as usize] -= 1;
            }
            let pos = shifted(entry).unwrap_or(entry.pos);
            self.sequence_mut(seq)?.set(index, Entry { cell: to, pos });
            moves.push(CellMove { from: entry.cell, to, delta });
        }
        Ok(moves)
    }

    fn release(&mut self, entries: &[Entry]) {
        for entry in entries {
            let references = &mut self.references[entry.cell.0 as usize];
            *references -= 1;
            self.n_free += u32::from(*references == 0);
        }
    }

    /// The cell after the sequence's last one if it is free, so that the sequence stays a run of cells; otherwise the
    /// start of the longest free run, or its middle if another sequence may grow into it.
    fn take_cell(&mut self, seq: SeqId) -> Result<Cell, EngineError> {
        let after_last = self.sequence(seq)?.entries().last().map(|e| e.cell.0 + 1);
        let next = after_last.filter(|c| self.references.get(*c as usize) == Some(&0));
        let cell = match next {
            Some(cell) => cell,
            None => self.longest_free_run().ok_or(EngineError::KvFull { needed: 1, free: 0 })?,
        };
        self.references[cell as usize] = 1;
        self.n_free -= 1;
        Ok(Cell(cell))
    }

    fn longest_free_run(&self) -> Option<u32> {
        let (mut best, mut run) = (0..0, 0..0);
        for (cell, references) in (0..).zip(&self.references) {
            run = if *references > 0 { cell + 1..cell + 1 } else { run.start..cell + 1 };
            if run.len() > best.len() {
                best = run.clone();
            }
        }
        let grown_into = best.start > 0 && best.len() > 1;
        (!best.is_empty()).then(|| if grown_into { best.start + best.len() as u32 / 2 } else { best.start })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests fail loudly")]
    use super::*;

    fn cells(pool: &KvPool, seq: SeqId) -> Vec<u32> {
        pool.sequence(seq).unwrap().entries().iter().map(|e| e.cell.0).collect()
    }

    #[test]
    fn a_lone_sequence_is_a_run_of_cells_through_truncation_and_growth() {
        let mut pool = KvPool::new(4);
        let seq = pool.create();
        pool.append(seq, &[0, 1, 2, 3]).unwrap();
        assert!(matches!(pool.append(seq, &[4]), Err(EngineError::KvFull { needed: 1, free: 0 })));
        pool.grow(8);
        pool.truncate(seq, 2).unwrap();
        pool.append(seq, &[2, 3, 4]).unwrap();
        assert_eq!(cells(&pool, seq), [0, 1, 2, 3, 4]);
        assert!(pool.sequence(seq).unwrap().is_identity());
        assert_eq!(pool.n_free(), 3);
    }

    #[test]
    fn forks_share_cells_and_never_write_them() {
        let mut pool = KvPool::new(16);
        let a = pool.create();
        pool.append(a, &[0, 1, 2]).unwrap();
        let b = pool.fork(a, 2).unwrap();
        pool.append(b, &[2]).unwrap();
        assert_eq!(cells(&pool, b)[..2], [0, 1]);
        assert_ne!(cells(&pool, b)[2], 2);
        assert!(!pool.sequence(b).unwrap().is_identity());
        pool.free(a).unwrap();
        assert_eq!(pool.n_free(), 13);
        assert!(matches!(pool.sequence(a), Err(EngineError::UnknownSequence { .. })));
        pool.free(b).unwrap();
        assert_eq!(pool.n_free(), 16);
    }

    #[test]
    fn compaction_keeps_positions_and_windows_count_positions() {
        let mut pool = KvPool::new(8);
        let seq = pool.create();
        pool.append(seq, &[0, 1, 2, 3, 4, 5]).unwrap();
        pool.compact(seq, &[0, 1, 4, 5]).unwrap();
        let table = pool.sequence(seq).unwrap();
        assert_eq!(table.entries().iter().map(|e| e.pos).collect::<Vec<_>>(), [0, 1, 4, 5]);
        assert!(!table.is_identity() && !table.is_contiguous());
        assert_eq!(table.window_start(5, Some(2)), 2);
        assert_eq!(table.window_start(5, None), 0);
        assert!(matches!(pool.compact(seq, &[2, 1]), Err(EngineError::BadKeepList { .. })));
        assert_eq!(pool.n_free(), 4);
    }

    #[test]
    fn without_its_branches_a_sequence_is_in_order_again() {
        let mut pool = KvPool::new(8);
        let seq = pool.create();
        pool.append(seq, &[0, 1, 2, 3, 3, 4]).unwrap();
        assert!(!pool.sequence(seq).unwrap().is_contiguous());
        pool.truncate(seq, 4).unwrap();
        assert!(pool.sequence(seq).unwrap().is_contiguous());
        pool.append(seq, &[5]).unwrap();
        assert!(!pool.sequence(seq).unwrap().is_contiguous());
    }

    #[test]
    fn shifting_shared_cells_copies_them_first() {
        let mut pool = KvPool::new(8);
        let a = pool.create();
        pool.append(a, &[0, 1, 2, 3]).unwrap();
        let b = pool.fork(a, 4).unwrap();
        let moves = pool.shift(b, 2..4, -2).unwrap();
        assert!(moves.iter().all(|m| m.from != m.to && m.delta == -2));
        assert_eq!(cells(&pool, a), [0, 1, 2, 3]);
        let own = pool.shift(b, 2..4, 2).unwrap();
        assert!(own.iter().all(|m| m.from == m.to));
        assert!(matches!(pool.shift(b, 0..1, -1), Err(EngineError::BadShift { .. })));
    }
}
