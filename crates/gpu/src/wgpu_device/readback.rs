//! Reading results back: staging buffers are pooled, and a failed submit never yields zeros.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Poll, Waker};
use std::time::Duration;

use super::{Fault, current_fault};
use crate::GpuError;
use crate::counters::CounterCell;

/// Longest wait for one submit. Software adapters compile kernels inside the first one, which took minutes on a machine
/// with a load of ten; a hung driver needs a limit.
const TIMEOUT_S: u64 = 600;

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

#[derive(Default)]
struct MapState {
    result: Option<bool>,
    waker: Option<Waker>,
}

/// Maps the staging buffer once the submit is through and cuts it into the parts that were asked for.
///
/// The mapping is asked for at once, so that it overlaps whatever is submitted next.
pub(crate) fn read(
    device: wgpu::Device,
    index: wgpu::SubmissionIndex,
    staging: Option<wgpu::Buffer>,
    sizes: Vec<u64>,
    pool: Rc<RefCell<StagingPool>>,
    fault: Fault,
) -> impl Future<Output = Result<Vec<Vec<u8>>, GpuError>> {
    let mapped = staging.as_ref().map(|buffer| {
        let state = Arc::new(Mutex::new(MapState::default()));
        let done = Arc::clone(&state);
        buffer.map_async(wgpu::MapMode::Read, .., move |result| {
            let mut state = done.lock().unwrap_or_else(PoisonError::into_inner);
            state.result = Some(result.is_ok());
            if let Some(waker) = state.waker.take() {
                waker.wake();
            }
        });
        state
    });
    async move {
        wait(&device, index)?;
        if let Some(fault) = current_fault(&fault) {
            return Err(fault);
        }
        let (Some(buffer), Some(state)) = (staging, mapped) else { return Ok(Vec::new()) };
        if !mapping(&state).await {
            let lost = GpuError::Lost { reason: "the result could not be mapped".into() };
            return Err(current_fault(&fault).unwrap_or(lost));
        }
        let parts = copy_out(&buffer, &sizes)?;
        buffer.unmap();
        pool.borrow_mut().free.push(buffer);
        Ok(parts)
    }
}

/// Waits for a submit natively; a browser has no blocking wait and resolves the mapping instead.
pub(crate) fn wait(device: &wgpu::Device, index: wgpu::SubmissionIndex) -> Result<(), GpuError> {
    let poll =
        wgpu::PollType::Wait { submission_index: Some(index), timeout: Some(Duration::from_secs(TIMEOUT_S)) };
    match device.poll(poll) {
        Ok(_) => Ok(()),
        Err(wgpu::PollError::Timeout) => Err(GpuError::Stalled { seconds: TIMEOUT_S }),
        Err(error) => Err(GpuError::Validation { message: error.to_string() }),
    }
}

async fn mapping(state: &Arc<Mutex<MapState>>) -> bool {
    std::future::poll_fn(|cx| {
        let mut state = state.lock().unwrap_or_else(PoisonError::into_inner);
        match state.result {
            Some(ok) => Poll::Ready(ok),
            None => {
                state.waker = Some(cx.waker().clone());
                Poll::Pending
            }
        }
    })
    .await
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
