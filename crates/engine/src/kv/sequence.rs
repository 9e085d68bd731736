//! One sequence's table of cells.

use super::Cell;

/// One entry of a sequence: a cell and the position its key was rotated to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The cell.
    pub cell: Cell,
    /// The logical position.
    pub pos: u32,
}

/// The cells of one sequence in order of their positions.
#[derive(Clone, Debug, Default)]
pub struct Sequence {
    entries: Vec<Entry>,
    /// The first entries of which the `i`-th is cell `base + i`.
    in_line: usize,
    /// The first entries whose positions rise by one.
    in_step: usize,
    /// First entry that the device's copy of the table does not have yet.
    stale_from: usize,
    /// Which table of the table buffer is this sequence's, once it needed one.
    pub(super) slot: Option<u32>,
}

impl Sequence {
    pub(super) fn new() -> Self {
        Self { entries: Vec::new(), in_line: 0, in_step: 0, stale_from: 0, slot: None }
    }

    /// Number of entries.
    #[must_use]
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there are no entries.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// All entries in order.
    #[must_use]
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// Whether the device needs no table for this sequence.
    #[must_use]
    pub const fn is_identity(&self) -> bool {
        self.in_line == self.entries.len()
    }

    /// Whether the GPU may count positions and windows on by itself.
    #[must_use]
    pub const fn is_contiguous(&self) -> bool {
        self.in_step == self.entries.len()
    }

    /// First cell of an identity sequence.
    #[must_use]
    pub fn base(&self) -> u32 {
        self.entries.first().map_or(0, |e| e.cell.0)
    }

    /// The position that follows the last one.
    #[must_use]
    pub fn next_pos(&self) -> u32 {
        self.entries.last().map_or(0, |e| e.pos + 1)
    }

    /// First entry within `window` positions of `pos`; 0 without a window.
    #[must_use]
    pub fn window_start(&self, pos: u32, window: Option<u32>) -> u32 {
        let Some(window) = window else { return 0 };
        let first_visible = (pos + 1).saturating_sub(window);
        self.entries.partition_point(|e| e.pos < first_visible) as u32
    }

    pub(super) fn push(&mut self, entry: Entry) {
        let (last, n) = (self.entries.last(), self.entries.len());
        self.in_line += usize::from(self.in_line == n && last.is_none_or(|l| entry.cell.0 == l.cell.0 + 1));
        self.in_step += usize::from(self.in_step == n && last.is_none_or(|l| entry.pos == l.pos + 1));
        self.entries.push(entry);
    }

    pub(super) fn drain(&mut self, from: usize) -> impl Iterator<Item = Entry> + '_ {
        // What is left may be in order again: branches of a tree share positions, and go.
        self.in_line = self.in_line.min(from);
        self.in_step = self.in_step.min(from);
        self.stale_from = self.stale_from.min(from);
        self.entries.drain(from..)
    }

    pub(super) fn replace(&mut self, entries: Vec<Entry>) {
        *self = Self { slot: self.slot, ..Self::new() };
        for entry in entries {
            self.push(entry);
        }
    }

    pub(super) fn set(&mut self, index: usize, entry: Entry) {
        let mut entries = std::mem::take(&mut self.entries);
        if let Some(slot) = entries.get_mut(index) {
            *slot = entry;
        }
        self.replace(entries);
    }

    /// Table words that the device lacks, with the index of the first; marks them as sent.
    pub(super) fn take_stale(&mut self) -> Option<(usize, Vec<u32>)> {
        if self.is_identity() || self.stale_from >= self.entries.len() {
            return None;
        }
        let from = std::mem::replace(&mut self.stale_from, self.entries.len());
        Some((from, self.entries[from..].iter().map(|e| e.cell.0).collect()))
    }

    /// The device's copy of the table is gone.
    pub(super) const fn forget_table(&mut self) {
        self.stale_from = 0;
    }
}
