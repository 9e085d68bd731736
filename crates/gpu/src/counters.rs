//! Exact counts of what a device was asked to do; tests assert them.

use std::cell::Cell;

/// Totals since the device was opened.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Buffers created, staging included.
    pub buffers: u64,
    /// Bind groups created.
    pub bind_groups: u64,
    /// Pipelines compiled.
    pub pipelines: u64,
    /// Plans recorded.
    pub plans: u64,
    /// Host writes into buffers.
    pub writes: u64,
    /// Bytes of those writes.
    pub bytes_written: u64,
    /// Submits.
    pub submits: u64,
    /// Dispatches in those submits.
    pub dispatches: u64,
    /// Submits whose results were read back.
    pub readbacks: u64,
    /// Bytes read back.
    pub bytes_read: u64,
    /// Bytes in live buffers, staging excluded.
    pub live_bytes: u64,
}

/// Interior-mutable counters of a single-threaded device.
#[derive(Debug, Default)]
pub(crate) struct CounterCell(Cell<Counters>);

impl CounterCell {
    pub(crate) fn get(&self) -> Counters {
        self.0.get()
    }

    pub(crate) fn update(&self, change: impl FnOnce(&mut Counters)) {
        let mut counters = self.0.get();
        change(&mut counters);
        self.0.set(counters);
    }
}
