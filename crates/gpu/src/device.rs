//! The device trait and its handles.

use std::any::Any;
use std::fmt;
use std::future::Future;
use std::ops::Range;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

use goldcrest_kernels::{Dispatch, Slice};

use crate::{AdapterInfo, Caps, Counters, GpuError};

/// A device that runs plans. Single-threaded: handles are `Rc`, as browsers demand.
///
/// After a device is lost every call returns [`GpuError::Lost`]; no call ever returns zeros in place of a result.
pub trait Device {
    /// Who runs the work.
    fn info(&self) -> &AdapterInfo;

    /// Limits and optional features.
    fn caps(&self) -> &Caps;

    /// A zeroed storage buffer of `bytes` (rounded up to a multiple of 16), freed when its last handle drops.
    ///
    /// # Errors
    /// [`GpuError::BufferTooLarge`], [`GpuError::OutOfMemory`] or [`GpuError::Lost`].
    fn create_buffer(&self, label: &'static str, bytes: u64) -> Result<Buffer, GpuError>;

    /// Writes `data` at byte `offset`, ordered before every later submit. Both multiples of 4. The bytes are staged until
    /// a submit takes them: who writes much waits for an empty submit now and then.
    ///
    /// # Errors
    /// [`GpuError::BadRange`] or [`GpuError::Lost`].
    fn write(&self, buffer: &Buffer, offset: u64, data: &[u8]) -> Result<(), GpuError>;

    /// Takes up what an earlier process compiled: `read` is given a name and returns the bytes that
    /// [`Device::compiled_pipelines`] gave with it, or nothing. Call it before anything is compiled. Bytes that the driver cannot
    /// use are ignored.
    fn reuse_pipelines(&self, _read: &dyn Fn(&str) -> Option<Vec<u8>>) {}

    /// What has been compiled, for [`Device::reuse_pipelines`] of a later process: bytes, and a name that tells adapters apart.
    /// None where the driver gives nothing away.
    fn compiled_pipelines(&self) -> Option<(String, Vec<u8>)> {
        None
    }

    /// Compiles the pipeline of a dispatch, so that [`Device::record`] finds it. Devices without pipelines have nothing to do.
    ///
    /// # Errors
    /// As [`Device::record`].
    fn compile(&self, _dispatch: &Dispatch<Buffer>) -> Result<(), GpuError> {
        Ok(())
    }

    /// Compiles what is missing and binds everything, once.
    ///
    /// # Errors
    /// [`GpuError::BadDispatch`], [`GpuError::BindingTooLarge`], [`GpuError::MissingFeature`], [`GpuError::Validation`].
    fn record(&self, dispatches: Vec<Dispatch<Buffer>>) -> Result<Plan, GpuError>;

    /// Runs `work` in order in one submit, then reads `reads` back.
    ///
    /// # Errors
    /// [`GpuError::Lost`], [`GpuError::BadRange`]. Errors of the work itself arrive with the [`Readback`].
    fn submit(&self, work: &[Work<'_>], reads: &[Slice<Buffer>]) -> Result<Readback, GpuError>;

    /// Gives up the device with all its memory at once; what is in flight fails.
    fn destroy(&self);

    /// Exact counts since the device was opened.
    fn counters(&self) -> Counters;
}

/// A handle to device memory; clones share it.
#[derive(Clone)]
pub struct Buffer(Rc<BufferInner>);

struct BufferInner {
    label: &'static str,
    bytes: u64,
    raw: Box<dyn Any>,
    on_drop: Box<dyn Fn(u64)>,
}

impl Drop for BufferInner {
    fn drop(&mut self) {
        (self.on_drop)(self.bytes);
    }
}

impl Buffer {
    /// Wraps a device's own buffer; `on_drop` is told the size when the last handle goes. For implementors of [`Device`].
    pub fn new(label: &'static str, bytes: u64, raw: Box<dyn Any>, on_drop: Box<dyn Fn(u64)>) -> Self {
        Self(Rc::new(BufferInner { label, bytes, raw, on_drop }))
    }

    /// Size in bytes.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.0.bytes
    }

    /// What the buffer is for.
    #[must_use]
    pub fn label(&self) -> &'static str {
        self.0.label
    }

    /// All of it.
    #[must_use]
    pub fn whole(&self) -> Slice<Self> {
        self.slice(0, self.bytes())
    }

    /// `size` bytes from `offset`; checked by the device when used.
    #[must_use]
    pub fn slice(&self, offset: u64, size: u64) -> Slice<Self> {
        Slice { buffer: self.clone(), offset, size }
    }

    /// The device's own buffer, if it is of type `T`. For implementors of [`Device`].
    #[must_use]
    pub fn raw<T: 'static>(&self) -> Option<&T> {
        self.0.raw.downcast_ref()
    }
}

impl fmt::Debug for Buffer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Buffer({}, {} bytes)", self.0.label, self.0.bytes)
    }
}

/// Recorded dispatches with their pipelines and bind groups; clones share them.
#[derive(Clone)]
pub struct Plan(Rc<PlanInner>);

struct PlanInner {
    n_dispatch: usize,
    raw: Box<dyn Any>,
}

impl Plan {
    /// Wraps a device's own recording. For implementors of [`Device`].
    #[must_use]
    pub fn new(n_dispatch: usize, raw: Box<dyn Any>) -> Self {
        Self(Rc::new(PlanInner { n_dispatch, raw }))
    }

    /// Number of dispatches.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.n_dispatch
    }

    /// Whether nothing was recorded.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The device's own recording, if it is of type `T`. For implementors of [`Device`].
    #[must_use]
    pub fn raw<T: 'static>(&self) -> Option<&T> {
        self.0.raw.downcast_ref()
    }
}

impl fmt::Debug for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Plan({} dispatches)", self.len())
    }
}

/// One item of a submit.
#[derive(Debug)]
pub enum Work<'a> {
    /// Replay the dispatches `range` of a plan.
    Run {
        /// The plan.
        plan: &'a Plan,
        /// Which of its dispatches.
        range: Range<usize>,
    },
    /// Copy bytes between two buffers.
    Copy {
        /// From here.
        from: Slice<Buffer>,
        /// To here; of equal size.
        to: Slice<Buffer>,
    },
}

impl<'a> Work<'a> {
    /// Replays a whole plan.
    #[must_use]
    pub fn all(plan: &'a Plan) -> Self {
        Self::Run { plan, range: 0..plan.len() }
    }
}

/// The bytes of every read of a submit, or what went wrong anywhere in it.
type Results = Result<Vec<Vec<u8>>, GpuError>;

/// The results of a submit, in the order of its reads. An error anywhere in the submit comes out here.
pub struct Readback(Pin<Box<dyn Future<Output = Results>>>);

impl Readback {
    /// Wraps a device's own future. For implementors of [`Device`].
    #[must_use]
    pub fn new(future: impl Future<Output = Results> + 'static) -> Self {
        Self(Box::pin(future))
    }
}

impl Future for Readback {
    type Output = Results;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        self.0.as_mut().poll(cx)
    }
}

impl fmt::Debug for Readback {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Readback")
    }
}

/// Bytes that [`Device::create_buffer`] allocates when asked for `bytes`: whole words of 16 bytes, at least one.
#[must_use]
pub fn buffer_bytes(bytes: u64) -> u64 {
    bytes.max(16).next_multiple_of(16)
}

/// Refuses ranges that are misaligned or leave the buffer.
pub(crate) fn check_range(buffer: &Buffer, offset: u64, size: u64) -> Result<(), GpuError> {
    let end = offset.checked_add(size);
    if offset.is_multiple_of(4) && size.is_multiple_of(4) && end.is_some_and(|e| e <= buffer.bytes()) {
        return Ok(());
    }
    Err(GpuError::BadRange { offset, size, len: buffer.bytes() })
}

/// Refuses dispatches that do not fit their shader or the device.
pub(crate) fn check_dispatch(dispatch: &Dispatch<Buffer>, caps: &Caps) -> Result<(), GpuError> {
    let shader = dispatch.shader.shader();
    let bad = |reason: String| Err(GpuError::BadDispatch { shader: shader.name, reason });
    let uniforms = usize::from(!dispatch.uniform.is_empty());
    if dispatch.bindings.len() + uniforms != shader.bindings.len() {
        return bad(format!(
            "{} bindings given, {} declared",
            dispatch.bindings.len() + uniforms,
            shader.bindings.len()
        ));
    }
    if let Some(n) = dispatch.grid.iter().find(|n| **n > 65_535 || **n == 0) {
        return bad(format!("{n} workgroups in one dimension"));
    }
    for slice in &dispatch.bindings {
        check_range(&slice.buffer, slice.offset, slice.size)?;
        if slice.size > caps.max_binding {
            return Err(GpuError::BindingTooLarge {
                shader: shader.name,
                needed: slice.size,
                limit: caps.max_binding,
            });
        }
        if !slice.offset.is_multiple_of(256) || slice.size == 0 {
            return bad(format!("binding at offset {} of size {}", slice.offset, slice.size));
        }
    }
    Ok(())
}
