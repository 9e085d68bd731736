//! What this machine has, and what may be installed on it.

use std::process::{Command, Stdio};

/// Whether a command starts and succeeds; its output is dropped.
pub(crate) fn succeeds(command: &mut Command) -> bool {
    command.stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok_and(|status| status.success())
}

/// The standard output of a command that succeeds.
pub(crate) fn output_of(command: &mut Command) -> Option<String> {
    let output = command.stderr(Stdio::null()).output().ok().filter(|o| o.status.success())?;
    String::from_utf8(output.stdout).ok()
}

/// Whether packages of Debian can be installed: there is `apt-get`, and it may.
pub(crate) fn installs_packages() -> bool {
    let is_root = output_of(Command::new("id").arg("-u")).is_some_and(|id| id.trim() == "0");
    is_root && succeeds(Command::new("apt-get").arg("--version"))
}

/// `apt-get` that asks nothing.
pub(crate) fn apt_get() -> Command {
    let mut command = Command::new("apt-get");
    command.env("DEBIAN_FRONTEND", "noninteractive");
    command
}

/// Installs packages where that is possible. True if it went well.
pub(crate) fn install(packages: &[&str]) -> bool {
    if !installs_packages() {
        return false;
    }
    println!("apt-get install {}", packages.join(" "));
    succeeds(apt_get().arg("update"))
        && succeeds(apt_get().args(["install", "-y", "--no-install-recommends"]).args(packages))
}
