//! The first error that the driver reported outside a call's own result, and who waits to hear of it.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use crate::GpuError;

/// Shared by the device, the driver's callbacks and every read-back in flight.
#[derive(Clone, Default)]
pub(crate) struct Fault(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    error: Option<GpuError>,
    waiting: Vec<Waker>,
}

impl Fault {
    /// Takes note of an error, unless an earlier one stands, and wakes everyone who waits for results.
    pub(crate) fn set(&self, error: GpuError) {
        let waiting = {
            let mut state = self.lock();
            state.error.get_or_insert(error);
            std::mem::take(&mut state.waiting)
        };
        waiting.into_iter().for_each(Waker::wake);
    }

    pub(crate) fn get(&self) -> Option<GpuError> {
        self.lock().error.clone()
    }

    pub(crate) fn check(&self) -> Result<(), GpuError> {
        self.get().map_or(Ok(()), Err)
    }

    /// A failed allocation leaves the device usable: take its fault away and report it from the call.
    pub(crate) fn take_out_of_memory(&self) -> Option<GpuError> {
        self.lock().error.take_if(|e| matches!(e, GpuError::OutOfMemory { .. }))
    }

    /// Polls a result that is overtaken by any fault: a browser may leave a lost device's promises open.
    pub(crate) fn or<T>(&self, result: Poll<T>, cx: &Context<'_>) -> Poll<Result<T, GpuError>> {
        let mut state = self.lock();
        state.waiting.retain(|waker| !waker.will_wake(cx.waker()));
        if let Some(error) = &state.error {
            return Poll::Ready(Err(error.clone()));
        }
        if result.is_pending() {
            state.waiting.push(cx.waker().clone());
        }
        result.map(Ok)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
