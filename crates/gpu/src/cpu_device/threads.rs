//! Work on buffers, cut into parts for threads.

use std::ops::Range;

#[cfg(not(target_arch = "wasm32"))]
use super::pool::Pool;

/// Parts for each thread, so that one that began late or was held up does fewer.
#[cfg(not(target_arch = "wasm32"))]
const PARTS_EACH: usize = 4;

/// The threads of a device; in a browser the one that there is.
#[derive(Debug)]
pub(super) struct Threads {
    #[cfg(not(target_arch = "wasm32"))]
    pool: Pool,
}

impl Threads {
    pub(super) fn new() -> Self {
        Self {
            #[cfg(not(target_arch = "wasm32"))]
            pool: Pool::new(),
        }
    }

    /// Does all of `0..n` in ranges of at least `least`, on several threads at once.
    ///
    /// # Safety
    /// `work` holds buffers, whose words one thread only may write while no other reads them: calls of `part` for ranges that
    /// do not overlap have to read and write so.
    #[cfg(not(target_arch = "wasm32"))]
    pub(super) unsafe fn split<T>(
        &self,
        n: usize,
        least: usize,
        work: &T,
        part: impl Fn(&T, Range<usize>) + Sync,
    ) {
        let size = least.max(n.div_ceil(self.pool.n_thread() * PARTS_EACH)).max(1);
        let shared = Shared(work);
        self.pool.run(n.div_ceil(size), &|i| part(shared.get(), i * size..n.min((i + 1) * size)));
    }

    /// As natively, on one thread.
    ///
    /// # Safety
    /// As natively.
    #[cfg(target_arch = "wasm32")]
    pub(super) unsafe fn split<T>(&self, n: usize, _: usize, work: &T, part: impl Fn(&T, Range<usize>)) {
        part(work, 0..n);
    }
}

/// Work that several threads see.
#[cfg(not(target_arch = "wasm32"))]
struct Shared<'a, T>(&'a T);

#[cfg(not(target_arch = "wasm32"))]
impl<'a, T> Shared<'a, T> {
    const fn get(&self) -> &'a T {
        self.0
    }
}

// SAFETY: only `split` makes one, whose caller promises that threads do not meet in a word. They have ended their parts
// before `split` returns to the only thread that knows the buffers.
#[cfg(not(target_arch = "wasm32"))]
unsafe impl<T> Sync for Shared<'_, T> {}
