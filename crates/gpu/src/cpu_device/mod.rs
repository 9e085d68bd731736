//! The CPU as a device: the executor where no adapter exists, and, on the twins alone, the oracle.

#[cfg(not(target_arch = "wasm32"))]
mod pool;
mod threads;
mod vectors;

use std::cell::Cell;
use std::rc::Rc;

use goldcrest_kernels::cpu::{Args, Twin, twin};
use goldcrest_kernels::{Dispatch, Slice};

use crate::counters::CounterCell;
use crate::device::{buffer_bytes, check_dispatch, check_range};
use crate::{AdapterInfo, AdapterKind, Buffer, Caps, Counters, Device, GpuError, Plan, Readback, Work};
use threads::Threads;
use vectors::Vectors;

type Words = Rc<[Cell<u32>]>;

/// Runs plans at submit, in order: what takes long in vector code on all cores, the rest on the CPU twins.
#[derive(Debug)]
pub struct CpuDevice {
    info: AdapterInfo,
    caps: Caps,
    /// None computes everything on the twins.
    vectors: Option<Vectors>,
    threads: Threads,
    counters: Rc<CounterCell>,
    destroyed: Cell<bool>,
}

struct CpuPlan(Vec<(Twin, Dispatch<Buffer>)>);

impl CpuDevice {
    /// A device with WebGPU's default limits, so that what runs here fits every browser.
    #[must_use]
    pub fn new() -> Self {
        Self::with_vectors(Vectors::all()[0])
    }

    /// A device for each kind of vector instructions that this processor has, the best first.
    #[must_use]
    pub fn each() -> Vec<Self> {
        Vectors::all().into_iter().map(Self::with_vectors).collect()
    }

    fn with_vectors(vectors: Vectors) -> Self {
        Self::with(format!("CPU ({})", vectors.name()), Some(vectors))
    }

    /// The CPU twins alone: slow, and what everything else is compared with.
    #[must_use]
    pub fn twins() -> Self {
        Self::with("CPU twins".to_owned(), None)
    }

    fn with(name: String, vectors: Option<Vectors>) -> Self {
        let info = AdapterInfo {
            name,
            backend: "cpu",
            kind: AdapterKind::Cpu,
            driver: concat!("goldcrest ", env!("CARGO_PKG_VERSION")).into(),
        };
        let caps = Caps {
            max_buffer: 256 << 20,
            max_binding: 128 << 20,
            max_workgroup_bytes: 16 << 10,
            max_invocations: 256,
            max_storage_buffers: 8,
            subgroups: None,
            f16: false,
            packed_dot: true,
        };
        Self {
            info,
            caps,
            vectors,
            threads: Threads::new(),
            counters: Rc::default(),
            destroyed: Cell::new(false),
        }
    }

    /// The same with a smaller largest binding, in bytes: for what has to be split on narrow devices.
    #[must_use]
    pub fn with_max_binding(bytes: u64) -> Self {
        let mut device = Self::new();
        device.caps.max_binding = bytes;
        device
    }

    fn check_alive(&self) -> Result<(), GpuError> {
        let lost = || Err(GpuError::Lost { reason: "it was destroyed on request".into() });
        if self.destroyed.get() { lost() } else { Ok(()) }
    }

    fn words<'a>(&self, buffer: &'a Buffer) -> Result<&'a Words, GpuError> {
        buffer
            .raw::<Words>()
            .ok_or_else(|| GpuError::Validation { message: format!("{buffer:?} belongs to another device") })
    }

    fn view<'a>(&self, slice: &'a Slice<Buffer>) -> Result<&'a [Cell<u32>], GpuError> {
        check_range(&slice.buffer, slice.offset, slice.size)?;
        let (first, n) = (slice.offset as usize / 4, slice.size as usize / 4);
        Ok(&self.words(&slice.buffer)?[first..first + n])
    }

    fn run(&self, twin: Twin, dispatch: &Dispatch<Buffer>) -> Result<(), GpuError> {
        let bindings = dispatch.bindings.iter().map(|s| self.view(s)).collect::<Result<Vec<_>, _>>()?;
        let args = Args {
            bindings: &bindings,
            uniform: &dispatch.uniform,
            overrides: &dispatch.overrides,
            shader: dispatch.shader,
            grid: dispatch.grid,
        };
        if !self.vectors.is_some_and(|vectors| vectors::run(&args, vectors, &self.threads)) {
            twin(&args);
        }
        Ok(())
    }
}

impl Default for CpuDevice {
    fn default() -> Self {
        Self::new()
    }
}

impl Device for CpuDevice {
    fn info(&self) -> &AdapterInfo {
        &self.info
    }

    fn caps(&self) -> &Caps {
        &self.caps
    }

    fn create_buffer(&self, label: &'static str, bytes: u64) -> Result<Buffer, GpuError> {
        self.check_alive()?;
        let bytes = buffer_bytes(bytes);
        if bytes > self.caps.max_buffer {
            return Err(GpuError::BufferTooLarge {
                label: label.into(),
                needed: bytes,
                limit: self.caps.max_buffer,
            });
        }
        // What cannot be allocated ends the program, unless it is tried first.
        let mut room = Vec::<u32>::new();
        let needed = bytes as usize / 4;
        if std::hint::black_box(&mut room).try_reserve_exact(needed).is_err() {
            return Err(GpuError::OutOfMemory { label: label.into(), needed: bytes });
        }
        drop(std::hint::black_box(room));
        // Collected in its place: a vector would be filled first and copied then, twice the time of a large weight.
        let words: Words = (0..needed).map(|_| Cell::new(0)).collect();
        self.counters.update(|c| {
            c.buffers += 1;
            c.live_bytes += bytes;
        });
        let counters = Rc::clone(&self.counters);
        let on_drop = move |bytes| counters.update(|c| c.live_bytes -= bytes);
        Ok(Buffer::new(label, bytes, Box::new(words), Box::new(on_drop)))
    }

    fn write(&self, buffer: &Buffer, offset: u64, data: &[u8]) -> Result<(), GpuError> {
        self.check_alive()?;
        check_range(buffer, offset, data.len() as u64)?;
        let words = &self.words(buffer)?[offset as usize / 4..];
        for (word, bytes) in words.iter().zip(data.as_chunks::<4>().0) {
            word.set(u32::from_le_bytes(*bytes));
        }
        self.counters.update(|c| {
            c.writes += 1;
            c.bytes_written += data.len() as u64;
        });
        Ok(())
    }

    fn record(&self, dispatches: Vec<Dispatch<Buffer>>) -> Result<Plan, GpuError> {
        self.check_alive()?;
        let mut steps = Vec::with_capacity(dispatches.len());
        for dispatch in dispatches {
            check_dispatch(&dispatch, &self.caps)?;
            let shader = dispatch.shader.shader().name;
            let missing = || GpuError::BadDispatch { shader, reason: "no CPU twin".into() };
            steps.push((twin(dispatch.shader).ok_or_else(missing)?, dispatch));
        }
        self.counters.update(|c| c.plans += 1);
        Ok(Plan::new(steps.len(), Box::new(CpuPlan(steps))))
    }

    fn submit(&self, work: &[Work<'_>], reads: &[Slice<Buffer>]) -> Result<Readback, GpuError> {
        self.check_alive()?;
        let mut n_dispatch = 0;
        for item in work {
            match item {
                Work::Run { plan, range } => {
                    let foreign =
                        || GpuError::Validation { message: format!("{plan:?} belongs to another device") };
                    let steps = &plan.raw::<CpuPlan>().ok_or_else(foreign)?.0[range.clone()];
                    for (twin, dispatch) in steps {
                        self.run(*twin, dispatch)?;
                    }
                    n_dispatch += steps.len() as u64;
                }
                Work::Copy { from, to } => {
                    for (to, from) in self.view(to)?.iter().zip(self.view(from)?) {
                        to.set(from.get());
                    }
                }
            }
        }
        let results = reads
            .iter()
            .map(|s| Ok(self.view(s)?.iter().flat_map(|w| w.get().to_le_bytes()).collect()))
            .collect::<Result<Vec<Vec<u8>>, GpuError>>()?;
        self.counters.update(|c| {
            c.submits += 1;
            c.dispatches += n_dispatch;
            c.readbacks += u64::from(!reads.is_empty());
            c.bytes_read += reads.iter().map(|s| s.size).sum::<u64>();
        });
        Ok(Readback::new(std::future::ready(Ok(results))))
    }

    fn destroy(&self) {
        self.destroyed.set(true);
    }

    fn counters(&self) -> Counters {
        self.counters.get()
    }
}
