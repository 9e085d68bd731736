//! A device that fails on request: lost, out of memory, stalled, or returning garbage.

use std::cell::Cell;
use std::rc::Rc;

use goldcrest_gpu::{AdapterInfo, Buffer, Caps, Counters, CpuDevice, Device, GpuError, Plan, Readback, Work};
use goldcrest_kernels::{Dispatch, Slice};

/// How the device fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// It is gone: this call and all later ones fail, results in flight included.
    Lost,
    /// One allocation fails; the device lives on.
    OutOfMemory,
    /// One result never comes.
    Stall,
    /// One result is nothing but set bits.
    Garbage,
}

/// The CPU twins behind a switch that makes a chosen call fail.
#[derive(Debug)]
pub struct FakeGpu {
    inner: CpuDevice,
    calls: Cell<u64>,
    plan: Cell<Option<(u64, Fault)>>,
    lost: Rc<Cell<bool>>,
}

impl FakeGpu {
    /// A device that fails at call number `at` (counted from 0 over all calls that can fail); `Stall` and `Garbage` strike
    /// at the first submit with results from there on, `OutOfMemory` at the first allocation.
    #[must_use]
    pub fn failing(at: u64, fault: Fault) -> Self {
        let device = Self::sound();
        device.plan.set(Some((at, fault)));
        device
    }

    /// A device that does not fail until [`FakeGpu::fail_next`].
    #[must_use]
    pub fn sound() -> Self {
        Self { inner: CpuDevice::new(), calls: Cell::new(0), plan: Cell::new(None), lost: Rc::default() }
    }

    /// Makes the next call fail.
    pub fn fail_next(&self, fault: Fault) {
        self.plan.set(Some((self.calls.get(), fault)));
    }

    /// Calls so far.
    #[must_use]
    pub fn calls(&self) -> u64 {
        self.calls.get()
    }

    /// Counts a call; the fault that strikes it, if it is one of `kinds`.
    fn call(&self, kinds: &[Fault]) -> Result<Option<Fault>, GpuError> {
        let n = self.calls.replace(self.calls.get() + 1);
        if let Some((at, fault)) = self.plan.get()
            && n >= at
            && kinds.contains(&fault)
        {
            self.plan.set(None);
            self.lost.set(fault == Fault::Lost);
            if fault != Fault::Lost {
                return Ok(Some(fault));
            }
        }
        if self.lost.get() { Err(lost()) } else { Ok(None) }
    }
}

fn lost() -> GpuError {
    GpuError::Lost { reason: "the test took the device away".into() }
}

impl Device for FakeGpu {
    fn info(&self) -> &AdapterInfo {
        self.inner.info()
    }

    fn caps(&self) -> &Caps {
        self.inner.caps()
    }

    fn create_buffer(&self, label: &'static str, bytes: u64) -> Result<Buffer, GpuError> {
        match self.call(&[Fault::Lost, Fault::OutOfMemory])? {
            Some(_) => Err(GpuError::OutOfMemory { label: label.into(), needed: bytes }),
            None => self.inner.create_buffer(label, bytes),
        }
    }

    fn write(&self, buffer: &Buffer, offset: u64, data: &[u8]) -> Result<(), GpuError> {
        self.call(&[Fault::Lost])?;
        self.inner.write(buffer, offset, data)
    }

    fn compile(&self, dispatch: &Dispatch<Buffer>) -> Result<(), GpuError> {
        self.call(&[Fault::Lost])?;
        self.inner.compile(dispatch)
    }

    fn record(&self, dispatches: Vec<Dispatch<Buffer>>) -> Result<Plan, GpuError> {
        self.call(&[Fault::Lost])?;
        self.inner.record(dispatches)
    }

    fn submit(&self, work: &[Work<'_>], reads: &[Slice<Buffer>]) -> Result<Readback, GpuError> {
        let kinds: &[Fault] =
            if reads.is_empty() { &[Fault::Lost] } else { &[Fault::Lost, Fault::Stall, Fault::Garbage] };
        let fault = self.call(kinds)?;
        let readback = self.inner.submit(work, reads)?;
        let is_lost = Rc::clone(&self.lost);
        Ok(Readback::new(async move {
            let mut parts = readback.await?;
            match fault {
                _ if is_lost.get() => return Err(lost()),
                Some(Fault::Stall) => return Err(GpuError::Stalled { seconds: 1 }),
                Some(_) => parts.iter_mut().for_each(|part| part.fill(0xff)),
                None => {}
            }
            Ok(parts)
        }))
    }

    fn destroy(&self) {
        self.lost.set(true);
        self.inner.destroy();
    }

    fn counters(&self) -> Counters {
        self.inner.counters()
    }
}
