//! Progress and notices, always on stderr: a moving bar on a terminal, a few plain lines elsewhere.

use std::fmt::Debug;
use std::io::{self, IsTerminal, Write};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

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
struct Bar(Mutex<Option<Shown>>);

#[derive(Debug)]
struct Shown {
    bar: ProgressBar,
    /// Where it began, until the first step away from there.
    standing_at: Option<u64>,
}

/// Before anything has moved there is no speed and no time left to speak of.
const STANDING: &str = "{msg} [{wide_bar}] {percent:>3}% {decimal_bytes}/{decimal_total_bytes}";
const MOVING: &str = "{msg} [{wide_bar}] {percent:>3}% {decimal_bytes}/{decimal_total_bytes} {decimal_bytes_per_sec} {eta} left";
const UNBOUNDED: &str = "{msg} {spinner} {decimal_bytes} {decimal_bytes_per_sec}";

impl Bar {
    fn shown(&self) -> MutexGuard<'_, Option<Shown>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Report for Bar {
    fn notice(&self, text: &str) {
        match &*self.shown() {
            Some(shown) => shown.bar.suspend(|| say(text)),
            None => say(text),
        }
    }

    fn begin(&self, label: &str, total: Option<u64>, done: u64) {
        let bar = total.map_or_else(ProgressBar::new_spinner, ProgressBar::new);
        bar.set_style(style(if total.is_some() { STANDING } else { UNBOUNDED }));
        bar.set_message(shortened(label));
        // What was there before counts for the share, not for the speed.
        bar.set_position(done);
        bar.reset_eta();
        bar.enable_steady_tick(Duration::from_millis(200));
        *self.shown() = Some(Shown { bar, standing_at: total.map(|_| done) });
    }

    fn at(&self, done: u64) {
        let mut shown = self.shown();
        let Some(shown) = shown.as_mut() else { return };
        if shown.standing_at.is_some_and(|start| done > start) {
            shown.standing_at = None;
            shown.bar.set_style(style(MOVING));
        }
        shown.bar.set_position(done);
    }

    fn end(&self) {
        if let Some(shown) = self.shown().take() {
            shown.bar.finish_and_clear();
        }
    }
}

fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template)
        .unwrap_or_else(|_| ProgressStyle::default_bar())
        .progress_chars("=> ")
}

/// The end of a long address tells more than its beginning; the bar needs its place on a narrow terminal.
fn shortened(label: &str) -> String {
    const WIDTH: usize = 28;
    let length = label.chars().count();
    if length <= WIDTH {
        return label.to_owned();
    }
    let tail: String = label.chars().skip(length + 3 - WIDTH).collect();
    format!("...{tail}")
}

#[derive(Debug, Default)]
struct Lines(Mutex<Option<Counter>>);

/// What takes no time needs no account.
const SPACING: Duration = Duration::from_secs(1);

#[derive(Debug)]
struct Counter {
    label: String,
    total: Option<u64>,
    next: u64,
    last_line: Instant,
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
        let mut counter = Counter { label: label.to_owned(), total, next: 0, last_line: Instant::now() };
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
        let due = |counter: &&mut Counter| done >= counter.next && counter.last_line.elapsed() >= SPACING;
        let Some(counter) = guard.as_mut().filter(due) else { return };
        counter.next = done + counter.step();
        counter.last_line = Instant::now();
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
