//! What a benchmark found, as its JSON has it; `bench/record/README.md` says what each field means.

use goldcrest::gguf::Gguf;
use goldcrest::gpu::{Device, WGPU_VERSION};
use goldcrest::{Engine, StepCost};
use serde::Serialize;

#[derive(Serialize)]
pub(super) struct Report {
    pub(super) model: ModelReport,
    pub(super) adapter: AdapterReport,
    pub(super) versions: Versions,
    pub(super) kernels: Kernels,
    /// Cores that the process may use.
    pub(super) threads: usize,
    pub(super) load: Load,
    pub(super) reps: u32,
    pub(super) prefill: Vec<Prefill>,
    pub(super) decode: Vec<Decode>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) small_m: Vec<SmallM>,
    pub(super) memory: Memory,
    pub(super) weight_bytes_per_token: u64,
}

#[derive(Serialize)]
pub(super) struct ModelReport {
    pub(super) name: String,
    pub(super) arch: &'static str,
    pub(super) file_type: String,
    pub(super) n_params: u64,
    pub(super) file_bytes: u64,
}

#[derive(Serialize)]
pub(super) struct AdapterReport {
    pub(super) name: String,
    pub(super) backend: &'static str,
    #[serde(rename = "type")]
    pub(super) kind: &'static str,
    pub(super) driver: String,
}

#[derive(Serialize)]
pub(super) struct Versions {
    pub(super) goldcrest: &'static str,
    pub(super) wgpu: &'static str,
    pub(super) rustc: String,
}

#[derive(Serialize)]
pub(super) struct Kernels {
    pub(super) profile: &'static str,
    pub(super) tuned: Vec<String>,
    pub(super) forced: Vec<String>,
    pub(super) entries: String,
}

/// Milliseconds of the parts of a load, one after another.
#[derive(Clone, Copy, Serialize)]
pub(super) struct Load {
    pub(super) parse_ms: f64,
    pub(super) open_ms: f64,
    pub(super) text_ms: f64,
    pub(super) selftest_ms: f64,
    pub(super) allocate_ms: f64,
    pub(super) compile_ms: f64,
    pub(super) upload_ms: f64,
    pub(super) latency_ms: f64,
    pub(super) total_ms: f64,
    /// The first prompt of this process: compiles what the load did not.
    pub(super) first_ttft_ms: f64,
}

#[derive(Serialize)]
pub(super) struct Memory {
    pub(super) bytes_per_s: f64,
    pub(super) method: &'static str,
}

#[derive(Serialize)]
pub(super) struct Prefill {
    pub(super) n_prompt: usize,
    pub(super) tokens_per_s: Spread,
    pub(super) ttft_ms: Spread,
}

#[derive(Serialize)]
pub(super) struct Decode {
    pub(super) depth: usize,
    pub(super) n_tokens: usize,
    pub(super) tokens_per_s: Spread,
    pub(super) host_ms_per_token: f64,
    pub(super) dispatches_per_token: f64,
    pub(super) submits_per_token: f64,
    pub(super) bytes_read_back_per_token: f64,
    /// Weights, and keys and values that the tokens see, on average.
    pub(super) bytes_moved_per_token: f64,
    pub(super) bandwidth_share: f64,
}

#[derive(Serialize)]
pub(super) struct SmallM {
    pub(super) rows: usize,
    pub(super) chain_ms: Spread,
    pub(super) chain_ratio: f64,
    pub(super) tree_ms: Spread,
    pub(super) tree_ratio: f64,
}

/// Of the repetitions.
#[derive(Clone, Copy, Serialize)]
pub(super) struct Spread {
    pub(super) median: f64,
    pub(super) min: f64,
    pub(super) max: f64,
    /// What lies between least and most, as a part of the median.
    pub(super) spread: f64,
}

impl Spread {
    pub(super) fn of(mut values: Vec<f64>) -> Self {
        values.sort_by(f64::total_cmp);
        let at = |index: usize| values.get(index).copied().unwrap_or(f64::NAN);
        let n = values.len();
        let median = (at(n.saturating_sub(1) / 2) + at(n / 2)) / 2.0;
        let (min, max) = (at(0), at(n.saturating_sub(1)));
        Self { median, min, max, spread: (max - min) / median }
    }
}

impl ModelReport {
    pub(super) fn new(engine: &Engine, gguf: &Gguf, file_bytes: Option<u64>) -> Self {
        let info = engine.info();
        let of_tensors = || gguf.tensors.iter().map(|tensor| tensor.n_bytes).sum();
        Self {
            name: info.name.clone(),
            arch: info.arch,
            file_type: info.file_type.clone(),
            n_params: info.n_params,
            file_bytes: file_bytes.unwrap_or_else(of_tensors),
        }
    }
}

impl AdapterReport {
    pub(super) fn new(device: &dyn Device) -> Self {
        let info = device.info();
        Self {
            name: info.name.clone(),
            backend: info.backend,
            kind: info.kind.name(),
            driver: info.driver.clone(),
        }
    }
}

impl Versions {
    pub(super) fn ours() -> Self {
        let rustc = compiler().unwrap_or_else(|| "unknown".to_owned());
        Self { goldcrest: env!("CARGO_PKG_VERSION"), wgpu: WGPU_VERSION, rustc }
    }
}

/// The compiler's version, by the note that it leaves in programs for ELF systems.
fn compiler() -> Option<String> {
    const NOTE: &[u8] = b"rustc version ";
    let program = std::fs::read(std::env::current_exe().ok()?).ok()?;
    let mut notes = program.windows(NOTE.len()).enumerate().filter(|(_, bytes)| *bytes == NOTE);
    // The words themselves are in the program, too.
    notes.find_map(|(at, _)| {
        let version = program.get(at + NOTE.len()..)?.split(|byte| *byte == 0).next()?;
        let version = std::str::from_utf8(version).ok().filter(|text| text.starts_with(char::is_numeric))?;
        Some(version.to_owned())
    })
}

impl SmallM {
    /// The ratios are to the chain of one row, which is the first cost.
    pub(super) fn all(costs: &[StepCost]) -> Vec<Self> {
        let ms = |times: &[std::time::Duration]| {
            Spread::of(times.iter().map(|time| time.as_secs_f64() * 1e3).collect())
        };
        let one = costs.first().map_or(f64::NAN, |cost| ms(&cost.chain).median);
        let row = |cost: &StepCost| {
            let (chain_ms, tree_ms) = (ms(&cost.chain), ms(&cost.tree));
            let (chain_ratio, tree_ratio) = (chain_ms.median / one, tree_ms.median / one);
            Self { rows: cost.rows, chain_ms, chain_ratio, tree_ms, tree_ratio }
        };
        costs.iter().map(row).collect()
    }
}
