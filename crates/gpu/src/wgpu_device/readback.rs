//! Reading results back: staging buffers are pooled, and a failed submit never yields zeros.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Waker};

use super::fault::Fault;
use super::platform;
use crate::GpuError;
use crate::counters::CounterCell;

/// Staging buffers that are not in flight.
#[derive(Default)]
pub(crate) struct StagingPool {
    free: Vec<wgpu::Buffer>,
}

impl StagingPool {
    /// The smallest free buffer of at least `bytes`, or a new one.
    pub(crate) fn take(&mut self, device: &wgpu::Device, bytes: u64, counters: &CounterCell) -> wgpu::Buffer {
        let fit = (0..self.free.len())
            .filter(|i| self.free[*i].size() >= bytes)
            .min_by_key(|i| self.free[*i].size());
        if let Some(index) = fit {
            return self.free.swap_remove(index);
        }
        counters.update(|c| c.buffers += 1);
        device.create_buffer(&wgpu::BufferDescriptor {
            label: Some("staging"),
            size: bytes.next_power_of_two().max(256),
            usage: wgpu::BufferUsages::MAP_READ | wgpu::BufferUsages::COPY_DST,
            mapped_at_creation: false,
        })
    }
}

/// Something that a callback of the driver tells once.
#[derive(Clone, Default)]
pub(crate) struct Signal(Arc<Mutex<SignalState>>);

#[derive(Default)]
struct SignalState {
    result: Option<bool>,
    waker: Option<Waker>,
}

impl Signal {
    pub(crate) fn set(&self, result: bool) {
        let waker = {
            let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            state.result = Some(result);
            state.waker.take()
        };
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    fn poll(&self, cx: &Context<'_>) -> Poll<bool> {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match state.result {
            Some(result) => Poll::Ready(result),
            None => {
                state.waker = Some(cx.waker().clone());
                Poll::Pending
            }
        }
    }
}

/// Maps the staging buffer once the submit is through and cuts it into the parts that were asked for.
///
/// The mapping is asked for at once, so that it overlaps whatever is submitted next.
pub(crate) fn read(
    device: wgpu::Device,
    queue: &wgpu::Queue,
    index: wgpu::SubmissionIndex,
    staging: Option<wgpu::Buffer>,
    sizes: Vec<u64>,
    pool: Rc<RefCell<StagingPool>>,
    fault: Fault,
) -> impl Future<Output = Result<Vec<Vec<u8>>, GpuError>> + use<> {
    let done = Signal::default();
    match &staging {
        Some(buffer) => {
            let done = done.clone();
            buffer.map_async(wgpu::MapMode::Read, .., move |result| done.set(result.is_ok()));
        }
        None => platform::on_work_done(queue, &done),
    }
    async move {
        let _watch = platform::Watch::start(&fault);
        platform::wait(&device, index)?;
        let ok = std::future::poll_fn(|cx| fault.or(done.poll(cx), cx)).await?;
        if !ok {
            let lost = GpuError::Lost { reason: "the result could not be mapped".into() };
            return Err(fault.get().unwrap_or(lost));
        }
        let Some(buffer) = staging else { return Ok(Vec::new()) };
        let parts = copy_out(&buffer, &sizes)?;
        buffer.unmap();
        pool.borrow_mut().free.push(buffer);
        Ok(parts)
    }
}

fn copy_out(buffer: &wgpu::Buffer, sizes: &[u64]) -> Result<Vec<Vec<u8>>, GpuError> {
    let view = buffer.get_mapped_range(..).map_err(|e| GpuError::Validation { message: e.to_string() })?;
    let mut rest: &[u8] = &view;
    let mut parts = Vec::with_capacity(sizes.len());
    for size in sizes {
        let (part, tail) = rest.split_at(*size as usize);
        parts.push(part.to_vec());
        rest = tail;
    }
    Ok(parts)
}
