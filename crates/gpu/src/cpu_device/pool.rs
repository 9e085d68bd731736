//! Threads that share the parts of one piece of work. A token is some hundred pieces of some ten µs: a thread that slept in
//! between would come too late for most of them, so that threads look out for the next for a while before they sleep.

use std::cell::OnceCell;
use std::num::NonZero;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

/// How long a thread looks out: longer than what one thread does alone between two pieces of a token.
const LOOK_OUT: Duration = Duration::from_micros(60);
/// Looks between two at the clock.
const LOOKS: u32 = 64;

type Job = &'static (dyn Fn(usize) + Sync);

/// Threads that begin with the first piece of work and end with the pool.
#[derive(Debug)]
pub(super) struct Pool {
    n_thread: usize,
    workers: OnceCell<Vec<Worker>>,
    state: Arc<State>,
}

#[derive(Debug)]
struct Worker {
    asleep: Arc<AtomicBool>,
    /// None once it is being joined.
    handle: Option<JoinHandle<()>>,
}

#[derive(Default)]
struct State {
    /// Counts pieces of work.
    piece: AtomicUsize,
    /// 1 while a piece may be entered, plus 2 for every worker in it.
    gate: AtomicUsize,
    /// The next part, and how many there are.
    next: AtomicUsize,
    n_part: AtomicUsize,
    job: Mutex<Option<Job>>,
    panicked: AtomicBool,
    stop: AtomicBool,
}

impl std::fmt::Debug for State {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("State").field("piece", &self.piece).finish_non_exhaustive()
    }
}

impl Pool {
    /// As many threads as the process may use cores, the caller's among them.
    pub(super) fn new() -> Self {
        Self::of(thread::available_parallelism().map_or(1, NonZero::get))
    }

    /// `n_thread` threads, the caller's among them.
    pub(super) fn of(n_thread: usize) -> Self {
        Self { n_thread, workers: OnceCell::new(), state: Arc::default() }
    }

    pub(super) const fn n_thread(&self) -> usize {
        self.n_thread
    }

    /// Calls `part` once with each number below `n_part`, in any order on any thread, and returns when all calls have.
    pub(super) fn run(&self, n_part: usize, part: &(dyn Fn(usize) + Sync)) {
        let workers = if n_part < 2 { &[][..] } else { self.workers() };
        if workers.is_empty() {
            return (0..n_part).for_each(part);
        }
        // SAFETY: the reference is called only by workers inside the gate, and `Open` shuts it and waits until they have
        // left before this function returns or unwinds, within the reference's true life.
        let job: Job = unsafe { std::mem::transmute::<&(dyn Fn(usize) + Sync), Job>(part) };
        *self.state.job.lock().unwrap_or_else(PoisonError::into_inner) = Some(job);
        self.state.next.store(0, Ordering::Relaxed);
        self.state.n_part.store(n_part, Ordering::Relaxed);
        let open = Open::new(&self.state);
        for worker in workers {
            worker.wake();
        }
        self.state.take_parts(part);
        drop(open);
        if self.state.panicked.swap(false, Ordering::Relaxed) {
            resume_unwind(Box::new("a part of work on another thread panicked"));
        }
    }

    fn workers(&self) -> &[Worker] {
        self.workers.get_or_init(|| (1..self.n_thread).map_while(|_| Worker::begin(&self.state)).collect())
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        self.state.stop.store(true, Ordering::Release);
        self.state.piece.fetch_add(1, Ordering::SeqCst);
        for worker in self.workers.get_mut().into_iter().flatten() {
            worker.wake();
            if let Some(handle) = worker.handle.take() {
                // A part's panic was passed on when it happened.
                let _ = handle.join();
            }
        }
    }
}

/// A piece of work that workers may enter; shut when dropped.
struct Open<'a>(&'a State);

impl<'a> Open<'a> {
    fn new(state: &'a State) -> Self {
        state.gate.store(1, Ordering::Release);
        // In one order with what a worker says before it sleeps: one of both sees the other.
        state.piece.fetch_add(1, Ordering::SeqCst);
        Self(state)
    }
}

impl Drop for Open<'_> {
    fn drop(&mut self) {
        // If parts are left, this thread is unwinding: nobody shall begin another.
        self.0.next.store(usize::MAX / 2, Ordering::Relaxed);
        let mut inside = self.0.gate.fetch_sub(1, Ordering::Acquire) > 1;
        let mut looks = 0u32;
        while inside {
            looks += 1;
            if looks.is_multiple_of(LOOKS * 16) {
                thread::yield_now()
            } else {
                std::hint::spin_loop()
            }
            inside = self.0.gate.load(Ordering::Acquire) > 0;
        }
    }
}

impl State {
    fn take_parts(&self, part: &(dyn Fn(usize) + Sync)) {
        let n_part = self.n_part.load(Ordering::Relaxed);
        loop {
            let i = self.next.fetch_add(1, Ordering::Relaxed);
            if i >= n_part {
                return;
            }
            part(i);
        }
    }

    /// Takes part in the open piece of work, if there is one.
    fn enter(&self) {
        let more = |gate: usize| (gate & 1 == 1).then_some(gate + 2);
        if self.gate.fetch_update(Ordering::Acquire, Ordering::Relaxed, more).is_err() {
            return;
        }
        let job = *self.job.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(job) = job
            && catch_unwind(AssertUnwindSafe(|| self.take_parts(job))).is_err()
        {
            self.panicked.store(true, Ordering::Relaxed);
        }
        self.gate.fetch_sub(2, Ordering::Release);
    }
}

impl Worker {
    /// None where the system has no thread for it: the others do its parts.
    fn begin(state: &Arc<State>) -> Option<Self> {
        let asleep = Arc::new(AtomicBool::new(false));
        let (state, flag) = (Arc::clone(state), Arc::clone(&asleep));
        let body = move || work(&state, &flag);
        let handle = thread::Builder::new().name("goldcrest-cpu".into()).spawn(body).ok()?;
        Some(Self { asleep, handle: Some(handle) })
    }

    fn wake(&self) {
        if self.asleep.load(Ordering::SeqCst)
            && let Some(handle) = &self.handle
        {
            handle.thread().unpark();
        }
    }
}

fn work(state: &State, asleep: &AtomicBool) {
    let mut last = 0;
    loop {
        last = next_piece(state, asleep, last);
        if state.stop.load(Ordering::Acquire) {
            return;
        }
        state.enter();
    }
}

/// Waits for a piece after `last`.
fn next_piece(state: &State, asleep: &AtomicBool, last: usize) -> usize {
    let begin = Instant::now();
    loop {
        for _ in 0..LOOKS {
            let piece = state.piece.load(Ordering::Acquire);
            if piece != last {
                return piece;
            }
            std::hint::spin_loop();
        }
        if begin.elapsed() > LOOK_OUT {
            asleep.store(true, Ordering::SeqCst);
            while state.piece.load(Ordering::SeqCst) == last {
                thread::park();
            }
            asleep.store(false, Ordering::SeqCst);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};
    use std::time::Duration;

    use super::Pool;

    #[test]
    fn every_part_is_done_once_however_long_the_threads_slept() {
        let pool = Pool::of(4);
        for round in 0..3000 {
            let n_part = round % 40;
            let calls: Vec<AtomicU32> = (0..n_part).map(|_| AtomicU32::new(0)).collect();
            pool.run(n_part, &|i| {
                calls[i].fetch_add(1, Ordering::Relaxed);
            });
            assert!(calls.iter().all(|c| c.load(Ordering::Relaxed) == 1), "round {round}");
            if round % 500 == 0 {
                std::thread::sleep(Duration::from_millis(2));
            }
        }
    }

    #[test]
    fn a_panic_of_a_part_is_passed_on_and_the_pool_goes_on() {
        let pool = Pool::of(3);
        for bad in 0..20 {
            let failing = || pool.run(20, &|i| assert!(i != bad, "part {bad}"));
            assert!(std::panic::catch_unwind(std::panic::AssertUnwindSafe(failing)).is_err());
            let done = AtomicU32::new(0);
            pool.run(50, &|_| {
                done.fetch_add(1, Ordering::Relaxed);
            });
            assert_eq!(done.into_inner(), 50);
        }
    }
}
