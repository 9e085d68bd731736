//! A compiler for wasm32: rustup's where it has the standard library, else Debian's with the sources of one.

use std::env;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::machine::{install, output_of, succeeds};

const TARGET: &str = "wasm32-unknown-unknown";
/// Debian's compiler for browsers, the standard library's sources, and a linker for wasm.
const PACKAGES: &[&str] = &["rustc-web", "cargo-web", "rust-web-src", "lld-19"];
/// The standard library that Debian's compiler builds along: without unwinding, a panic ends the program.
const BUILD_STD: &str = "-Zbuild-std=std,panic_abort";

/// Which vectors a program may use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Vectors {
    /// Of 128 bits. Every browser with WebGPU has them: Chrome and Firefox since 2021, Safari since 2023, all before WebGPU.
    /// The CPU twins and the repacking of weights are loops that the compiler turns into them.
    Plain,
    /// With products of bytes too: Chrome since 114, Firefox since 145, not Safari.
    Relaxed,
}

impl Vectors {
    const fn flags(self) -> &'static str {
        match self {
            Self::Plain => "-Ctarget-feature=+simd128",
            Self::Relaxed => "-Ctarget-feature=+simd128,+relaxed-simd",
        }
    }

    /// Apart from the native programs and from each other, so that builds do not undo each other's work.
    fn target_dir(self, root: &Path) -> PathBuf {
        let all = env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), PathBuf::from);
        all.join(match self {
            Self::Plain => "wasm",
            Self::Relaxed => "wasm-relaxed",
        })
    }
}

/// How to call cargo for wasm32.
#[derive(Clone, Debug)]
pub enum Compiler {
    /// The toolchain that runs this.
    Rustup,
    /// Debian's, with the linker it needs.
    Debian {
        /// `rust-lld` or `wasm-ld`.
        linker: PathBuf,
    },
}

impl Compiler {
    /// The first that works here. What is missing is installed where that is possible.
    pub fn find() -> Option<Self> {
        if has_std() {
            return Some(Self::Rustup);
        }
        // rustup may believe that the target is there when its files are not: what counts is the library.
        if succeeds(Command::new("rustup").args(["target", "add", TARGET])) && has_std() {
            return Some(Self::Rustup);
        }
        if !debian_is_complete() {
            install(PACKAGES);
        }
        let linker = linker().filter(|_| debian_is_complete())?;
        Some(Self::Debian { linker })
    }

    /// `cargo SUBCOMMAND` for wasm32, in a target folder of its own.
    pub fn cargo(&self, root: &Path, subcommand: &str, vectors: Vectors) -> Command {
        let mut command = match self {
            Self::Rustup => Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into())),
            Self::Debian { linker } => {
                let mut command = Command::new("/usr/bin/cargo");
                let path = env::var_os("PATH").unwrap_or_default();
                let paths = [OsString::from("/usr/bin:"), path].into_iter().collect::<OsString>();
                command.env("PATH", paths).env("RUSTC", "/usr/bin/rustc").env("RUSTC_BOOTSTRAP", "1");
                command.env("CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER", linker);
                // Left by the cargo that runs this: they would lead Debian's compiler to another's libraries.
                command.env_remove("RUSTUP_TOOLCHAIN").env_remove("LD_LIBRARY_PATH");
                command
            }
        };
        command.current_dir(root).env("CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUSTFLAGS", vectors.flags());
        command.args([subcommand, "--profile", "wasm", "--locked", "--target", TARGET, "--target-dir"]);
        command.arg(vectors.target_dir(root));
        if matches!(self, Self::Debian { .. }) {
            command.arg(BUILD_STD);
        }
        command
    }

    /// Where built programs lie.
    pub fn output(&self, root: &Path, vectors: Vectors) -> PathBuf {
        vectors.target_dir(root).join(TARGET).join("wasm")
    }
}

fn has_std() -> bool {
    let folder = output_of(Command::new("rustc").args(["--print", "target-libdir", "--target", TARGET]));
    let entries = folder.and_then(|folder| std::fs::read_dir(folder.trim()).ok());
    entries
        .into_iter()
        .flatten()
        .flatten()
        .any(|entry| entry.file_name().to_string_lossy().starts_with("libstd-"))
}

fn debian_is_complete() -> bool {
    let rustc = |what: &str| output_of(Command::new("/usr/bin/rustc").args(["--print", what]));
    let sources =
        |sysroot: String| Path::new(sysroot.trim()).join("lib/rustlib/src/rust/library/std").exists();
    Path::new("/usr/bin/cargo").exists() && rustc("sysroot").is_some_and(sources)
}

/// rustup brings a linker along even where it lacks the library.
fn linker() -> Option<PathBuf> {
    let sysroot = output_of(Command::new("rustc").args(["--print", "sysroot"]));
    let host = output_of(Command::new("rustc").args(["--print", "host-tuple"]));
    let bundled = sysroot.zip(host).map(|(sysroot, host)| {
        Path::new(sysroot.trim()).join("lib/rustlib").join(host.trim()).join("bin/rust-lld")
    });
    let debian = ["/usr/bin/wasm-ld", "/usr/bin/wasm-ld-19"].map(PathBuf::from);
    bundled.into_iter().chain(debian).find(|path| path.exists())
}
