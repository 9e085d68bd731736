//! Ctrl-C as a flag that long work looks at.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// Cheap to clone; all clones see the same flag.
#[derive(Clone, Debug, Default)]
pub(crate) struct Interrupt(Arc<AtomicBool>);

/// Work that waits looks at the flag at least this often, so that Ctrl-C feels immediate.
pub(crate) const TICK: Duration = Duration::from_millis(50);

const ECHO: Duration = Duration::from_millis(500);

impl Interrupt {
    /// Takes over Ctrl-C and the termination signals. The first one sets the flag; another one, while the flag is still set,
    /// ends the process at once with exit code 130. Some wrappers signal both the process and its group, so an echo within
    /// half a second is not another one.
    pub(crate) fn install() -> Self {
        let interrupt = Self::default();
        let flag = interrupt.clone();
        // Without a handler Ctrl-C ends the process the ordinary way; the store survives that too.
        let mut first = Instant::now();
        let _ = ctrlc::set_handler(move || {
            if !flag.0.swap(true, Ordering::SeqCst) {
                first = Instant::now();
            } else if first.elapsed() > ECHO {
                std::process::exit(130);
            }
        });
        interrupt
    }

    /// Whether Ctrl-C was pressed.
    pub(crate) fn is_set(&self) -> bool {
        self.0.load(Ordering::SeqCst)
    }

    /// Forgets a Ctrl-C that was dealt with.
    pub(crate) fn clear(&self) {
        self.0.store(false, Ordering::SeqCst);
    }

    /// Sets the flag, as Ctrl-C does.
    #[cfg(test)]
    pub(crate) fn set(&self) {
        self.0.store(true, Ordering::SeqCst);
    }

    /// Sleeps for `time` or until the flag is set; true when it is set.
    pub(crate) fn wait(&self, time: Duration) -> bool {
        let end = Instant::now() + time;
        while !self.is_set() {
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return false;
            }
            std::thread::sleep(left.min(TICK));
        }
        true
    }
}
