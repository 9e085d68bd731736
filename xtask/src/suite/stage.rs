//! Stages of the suite: each is timed, none stops the next, and their `skip:` lines are gathered.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

pub(super) struct Stages<'a> {
    pub(super) root: &'a Path,
    done: Vec<Done>,
    skips: BTreeMap<String, usize>,
}

struct Done {
    name: String,
    ok: bool,
    time: Duration,
    /// Lines that tell of what failed.
    complaints: Vec<String>,
}

/// Lines of one stage that the summary repeats.
const MAX_COMPLAINTS: usize = 60;

/// Lines kept after one that begins a complaint: the message, and where it came from.
const LINES_OF_COMPLAINT: usize = 6;

impl<'a> Stages<'a> {
    pub(super) fn new(root: &'a Path) -> Self {
        Self { root, done: Vec::new(), skips: BTreeMap::new() }
    }

    /// A stage that is a function: its line, or its complaints. True if it succeeds.
    pub(super) fn inside(&mut self, name: &str, work: impl FnOnce() -> Result<String, String>) -> bool {
        println!("\n== {name}");
        let start = Instant::now();
        let outcome = work();
        let complaints = outcome.as_ref().err().into_iter().flat_map(|text| text.lines());
        let complaints = complaints.take(MAX_COMPLAINTS).map(str::to_owned).collect();
        let ok = outcome.is_ok();
        println!("{}", outcome.unwrap_or_else(|complaints| complaints));
        self.end(name, ok, start, complaints);
        ok
    }

    /// A stage that is one cargo command.
    pub(super) fn cargo(&mut self, name: &str, args: &[&str]) {
        let mut command = self.cargo_command();
        command.args(args);
        self.command(name, &mut command);
    }

    /// A stage that is one command. True if it succeeds.
    pub(super) fn command(&mut self, name: &str, command: &mut Command) -> bool {
        println!("\n== {name}");
        let start = Instant::now();
        let mut complaints = Vec::new();
        let ok = self.follow(command, &mut complaints);
        self.end(name, ok, start, complaints);
        ok
    }

    /// `cargo test` on a selection of packages, every test binary of it. What passing tests print is shown, because it
    /// says what they skipped.
    pub(super) fn tests(&mut self, name: &str, selection: &[&str], env: &[(&str, String)]) {
        let mut command = self.cargo_command();
        command.args(["test", "--release", "--locked", "--no-fail-fast"]);
        command.args(selection).args(["--", "--show-output"]);
        command.envs(env.iter().map(|(key, value)| (key, value)));
        self.command(name, &mut command);
    }

    pub(super) fn cargo_command(&self) -> Command {
        let cargo: OsString = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let mut command = Command::new(cargo);
        command.current_dir(self.root);
        command
    }

    /// Something that this machine cannot do, and what would change that.
    pub(super) fn skip(&mut self, why: String) {
        println!("skip: {why}");
        *self.skips.entry(why).or_default() += 1;
    }

    /// Prints what ran, for how long, and what did not. True if nothing failed.
    pub(super) fn summary(&self) -> bool {
        for Done { name, complaints, .. } in self.done.iter().filter(|stage| !stage.ok) {
            println!("\n== what failed in {name}");
            complaints.iter().for_each(|line| println!("{line}"));
        }
        println!("\n== summary");
        for Done { name, ok, time, .. } in &self.done {
            println!("{:>7.1} s  {}  {name}", time.as_secs_f64(), if *ok { "ok    " } else { "FAILED" });
        }
        let n: usize = self.skips.values().sum();
        println!("skipped: {n}");
        for (why, times) in &self.skips {
            println!("{times:>5} x  {why}");
        }
        self.done.iter().all(|stage| stage.ok)
    }

    fn note(&mut self, line: &str) {
        if let Some(why) = reason(line) {
            *self.skips.entry(why.to_owned()).or_default() += 1;
        }
    }

    fn end(&mut self, name: &str, ok: bool, start: Instant, complaints: Vec<String>) {
        let time = start.elapsed();
        self.done.push(Done { name: name.to_owned(), ok, time, complaints });
    }

    /// Runs a command, passes its output on, and gathers the reasons of `skip:` lines and what failed.
    fn follow(&mut self, command: &mut Command, complaints: &mut Vec<String>) -> bool {
        let mut child = match command.stdout(Stdio::piped()).spawn() {
            Ok(child) => child,
            Err(error) => {
                println!("{}: {error}", command.get_program().to_string_lossy());
                return false;
            }
        };
        // What passing tests print may speak of failures that they caused on purpose.
        let (mut following, mut passed) = (0, false);
        for line in child.stdout.take().into_iter().flat_map(|out| BufReader::new(out).lines()) {
            let Ok(line) = line else { continue };
            println!("{line}");
            self.note(&line);
            passed =
                line == "successes:" || passed && line != "failures:" && !line.starts_with("test result:");
            following = match begins_complaint(&line) && !passed {
                true => LINES_OF_COMPLAINT,
                false => following.saturating_sub(1),
            };
            if following > 0 && complaints.len() < MAX_COMPLAINTS {
                complaints.push(line);
            }
        }
        child.wait().is_ok_and(|status| status.success())
    }
}

/// The reason that a line of output gives for a test that did not run.
fn reason(line: &str) -> Option<&str> {
    line.trim_start().strip_prefix("skip: ")
}

/// Whether a line of a test runner (cargo's, Node's) or of a build says that something failed.
fn begins_complaint(line: &str) -> bool {
    let line = line.trim_start();
    line.contains("panicked at")
        || (line.starts_with("test ") && line.ends_with("FAILED"))
        || ["not ok ", "\u{2716} ", "error", "Error"].iter().any(|start| line.starts_with(start))
}

#[cfg(all(test, unix))] // for its shell
mod tests {
    use super::{Stages, begins_complaint, reason};
    use std::path::Path;
    use std::process::Command;

    #[test]
    fn reasons_stand_at_the_start_of_a_line() {
        assert_eq!(reason("skip: no model"), Some("no model"));
        assert_eq!(reason("  skip: no model"), Some("no model"));
        assert_eq!(reason("to skip: a sentence"), None);
        let mut stages = Stages::new(Path::new("."));
        for line in ["skip: no model", "running 1 test", "skip: no model"] {
            stages.note(line);
        }
        assert_eq!(stages.skips.into_iter().collect::<Vec<_>>(), [("no model".to_owned(), 2)]);
    }

    #[test]
    fn complaints_of_every_runner_are_known() {
        for line in [
            "test a::b ... FAILED",
            "thread 'a' panicked at src/a.rs:1:2:",
            "    not ok 3 - name",
            "error: no",
        ] {
            assert!(begins_complaint(line), "{line}");
        }
        for line in ["test a::b ... ok", "ok 3 - name", "test result: FAILED. 1 passed"] {
            assert!(!begins_complaint(line), "{line}");
        }
    }

    #[test]
    fn what_passing_tests_print_is_no_complaint() {
        let printed =
            "successes:\nthread 'a' panicked at on purpose\nfailures:\nthread 'b' panicked at b.rs\n";
        let mut complaints = Vec::new();
        let mut echo = Command::new("printf");
        assert!(Stages::new(Path::new(".")).follow(echo.arg(printed), &mut complaints));
        assert_eq!(complaints, ["thread 'b' panicked at b.rs"]);
    }

    #[test]
    fn one_failure_fails_the_whole() {
        let mut stages = Stages::new(Path::new("."));
        assert!(stages.command("works", Command::new("sh").args(["-c", "echo fine"])));
        stages.inside("works too", || Ok("fine".into()));
        assert!(stages.summary());
        assert!(!stages.command("fails", Command::new("sh").args(["-c", "exit 3"])));
        assert!(!stages.summary());
        let mut stages = Stages::new(Path::new("."));
        stages.inside("complains", || Err("why".into()));
        assert!(!stages.summary());
        assert!(!stages.command("is not there", &mut Command::new("no-such-command-anywhere")));
    }
}
