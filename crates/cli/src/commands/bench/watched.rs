//! A device that keeps account of how long the host waits for it.

use std::cell::Cell;
use std::rc::Rc;
use std::time::{Duration, Instant};

use goldcrest::gpu::{
    AdapterInfo, AdapterKind, Buffer, Caps, Counters, Device, Dispatch, GpuError, Plan, Readback, Slice, Work,
};

/// Hands every call on. What the host does between the calls, and in those that only prepare work, is its own time; the rest is
/// the device's.
pub(super) struct Watched {
    device: Rc<dyn Device>,
    waited: Rc<Cell<Duration>>,
}

impl Watched {
    pub(super) fn new(device: Rc<dyn Device>) -> Self {
        Self { device, waited: Rc::default() }
    }

    /// Time so far in which the device worked and the host waited.
    pub(super) fn waited(&self) -> Rc<Cell<Duration>> {
        Rc::clone(&self.waited)
    }
}

fn add(waited: &Cell<Duration>, started: Instant) {
    waited.set(waited.get() + started.elapsed());
}

impl Device for Watched {
    fn info(&self) -> &AdapterInfo {
        self.device.info()
    }

    fn caps(&self) -> &Caps {
        self.device.caps()
    }

    fn create_buffer(&self, label: &'static str, bytes: u64) -> Result<Buffer, GpuError> {
        self.device.create_buffer(label, bytes)
    }

    fn write(&self, buffer: &Buffer, offset: u64, data: &[u8]) -> Result<(), GpuError> {
        self.device.write(buffer, offset, data)
    }

    fn compile(&self, dispatch: &Dispatch<Buffer>) -> Result<(), GpuError> {
        self.device.compile(dispatch)
    }

    fn record(&self, dispatches: Vec<Dispatch<Buffer>>) -> Result<Plan, GpuError> {
        self.device.record(dispatches)
    }

    fn submit(&self, work: &[Work<'_>], reads: &[Slice<Buffer>]) -> Result<Readback, GpuError> {
        let started = Instant::now();
        let readback = self.device.submit(work, reads)?;
        // The CPU computes within the call; everybody else only takes note of the work.
        if self.info().kind == AdapterKind::Cpu {
            add(&self.waited, started);
        }
        let waited = Rc::clone(&self.waited);
        Ok(Readback::new(async move {
            let started = Instant::now();
            let results = readback.await;
            add(&waited, started);
            results
        }))
    }

    fn destroy(&self) {
        self.device.destroy();
    }

    fn counters(&self) -> Counters {
        self.device.counters()
    }
}
