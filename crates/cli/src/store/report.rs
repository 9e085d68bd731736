//! Progress and notices, always on stderr: a moving bar on a terminal, a few plain lines elsewhere.

use std::fmt::Debug;
use std::io::{self, IsTerminal, Write};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

use crate::output::size;

/// What the store tells while it works.
pub(crate) trait Report: Debug + Send + Sync {
    /// One line the user should see.
    fn notice(&self, text: &str);
    /// Starts the account of one piece of work, `total` bytes long if that is known, of which `done` are already there.
    fn begin(&self, label: &str, total: Option<u64>, done: u64);
    /// Where the work stands, in bytes.
    fn at(&self, done: u64);
    /// The work is over; a bar disappears.
    fn end(&self);
}

/// A bar when stderr is a terminal, lines when it is not.
pub(crate) fn for_stderr() -> Box<dyn Report> {
    if io::stderr().is_terminal() { Box::new(Bar::default()) } else { Box::new(Lines::default()) }
}

#[derive(Debug, Default)]
struct Bar(Mutex<Option<ProgressBar>>);

impl Report for Bar {
    fn notice(&self, text: &str) {
        match &*self.0.lock().unwrap_or_else(PoisonError::into_inner) {
            Some(bar) => bar.suspend(|| say(text)),
            None => say(text),
        }
    }

    fn begin(&self, label: &str, total: Option<u64>, done: u64) {
        let (bar, template) = match total {
            Some(total) => (
                ProgressBar::new(total),
                "{msg} [{bar:30}] {percent:>3}% {decimal_bytes}/{decimal_total_bytes} {decimal_bytes_per_sec} {eta} left",
            ),
            None => (ProgressBar::new_spinner(), "{msg} {spinner} {decimal_bytes} {decimal_bytes_per_sec}"),
        };
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style.progress_chars("=> "));
        }
        bar.set_message(label.to_owned());
        // What was there before counts for the share, not for the speed.
        bar.set_position(done);
        bar.reset_eta();
        bar.enable_steady_tick(Duration::from_millis(200));
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(bar);
    }

    fn at(&self, done: u64) {
        if let Some(bar) = &*self.0.lock().unwrap_or_else(PoisonError::into_inner) {
            bar.set_position(done);
        }
    }

    fn end(&self) {
        if let Some(bar) = self.0.lock().unwrap_or_else(PoisonError::into_inner).take() {
            bar.finish_and_clear();
        }
    }
}

#[derive(Debug, Default)]
struct Lines(Mutex<Option<Counter>>);

#[derive(Debug)]
struct Counter {
    label: String,
    total: Option<u64>,
    next: u64,
}

impl Counter {
    /// A tenth of the whole; 50 MB where the whole is unknown.
    fn step(&self) -> u64 {
        self.total.map_or(50_000_000, |total| (total / 10).max(1))
    }
}

impl Report for Lines {
    fn notice(&self, text: &str) {
        say(text);
    }

    fn begin(&self, label: &str, total: Option<u64>, done: u64) {
        let mut counter = Counter { label: label.to_owned(), total, next: 0 };
        counter.next = done + counter.step();
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(counter);
        say(&match total {
            Some(total) if done > 0 => format!("{label}: going on at {} of {}", size(done), size(total)),
            Some(total) => format!("{label}: {}", size(total)),
            None => label.to_owned(),
        });
    }

    fn at(&self, done: u64) {
        let mut guard = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(counter) = guard.as_mut().filter(|counter| done >= counter.next) else { return };
        counter.next = done + counter.step();
        say(&match counter.total {
            Some(total) => {
                let percent = u128::from(done) * 100 / u128::from(total.max(1));
                format!("{}: {percent} %, {} of {}", counter.label, size(done), size(total))
            }
            None => format!("{}: {}", counter.label, size(done)),
        });
    }

    fn end(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }
}

/// Progress is a courtesy: a closed stderr does not stop the work.
fn say(text: &str) {
    let _ = writeln!(io::stderr(), "{text}");
}
