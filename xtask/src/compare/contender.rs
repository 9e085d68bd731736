//! Who takes part.

use std::path::Path;
use std::process::Command;

/// One way to run the model.
pub(super) struct Contender {
    pub(super) name: String,
    /// Measures once.
    pub(super) run: Box<dyn Fn() -> Result<Speeds, String>>,
}

/// Tokens per second.
#[derive(Debug, PartialEq)]
pub(super) struct Speeds {
    pub(super) prefill: f64,
    pub(super) decode: f64,
    /// Milliseconds from opening the file to the first token of a short prompt.
    pub(super) first_token_ms: Option<f64>,
    /// Version, device.
    pub(super) what: Option<String>,
}

/// Whoever takes part, or why he does not and what would change that.
pub(super) type Found = Vec<Result<Contender, String>>;

/// The standard output of a command, or its last line on standard error.
///
/// # Errors
/// Where it does not start or does not succeed.
pub(super) fn output(command: &mut Command) -> Result<String, String> {
    let program = command.get_program().to_string_lossy().into_owned();
    let output = command.output().map_err(|e| format!("{program}: {e}"))?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        let last = said.lines().rev().find(|line| !line.trim().is_empty()).unwrap_or("it said nothing");
        return Err(format!("{program}: {last}"));
    }
    String::from_utf8(output.stdout).map_err(|e| format!("{program}: {e}"))
}

/// The command on the first `threads` cores, where the system can hold it there.
pub(super) fn on_cores(program: &Path, threads: usize) -> Command {
    if !cfg!(target_os = "linux") {
        return Command::new(program);
    }
    let mut command = Command::new("taskset");
    command.args(["-c", &format!("0-{}", threads.saturating_sub(1))]).arg(program);
    command
}
