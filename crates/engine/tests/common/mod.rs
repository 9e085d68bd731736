//! What the tests of this folder share: golden files, models, devices, loading, running.
#![allow(dead_code, reason = "each test binary uses its own part")]

use std::path::PathBuf;
use std::rc::Rc;

use goldcrest_engine::batch::{Batch, BatchRow, StepResult, Wants};
use goldcrest_engine::kv::SeqId;
use goldcrest_engine::{Engine, EngineOptions, Runtime, RuntimeOptions};
use goldcrest_gguf::Gguf;
use goldcrest_gpu::{AdapterKind, CpuDevice, Device, WgpuDevice};
use goldcrest_model::Model;
use goldcrest_sample::SamplerParams;
use serde_json::Value;

/// A path may part from another where the two best logits are closer than this: keys and values are stored as halves,
/// and forms of a kernel sum in different orders, which together move a logit by a few thousandths.
pub(crate) const TIE: f32 = 0.05;

/// A golden file from the repository, or from the full set beside it; says so when it is in neither.
pub(crate) fn golden(name: &str) -> Option<Vec<u8>> {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../..");
    let places = [root.join("tests/golden"), root.join("../shared/golden")];
    let found = places.iter().find_map(|place| std::fs::read(place.join(name)).ok());
    if found.is_none() {
        println!("skip: golden file {name} is not here");
    }
    found
}

pub(crate) fn golden_json(name: &str) -> Option<Value> {
    golden(name).map(|bytes| serde_json::from_slice(&bytes).unwrap())
}

/// The tiny Llama model.
pub(crate) fn tiny_engine(device: Rc<dyn Device>, n_ctx: u32) -> Engine {
    let file = golden("tiny/llama.gguf").unwrap();
    let gguf = Gguf::parse(&file).unwrap();
    let runtime = RuntimeOptions { n_ctx, ..RuntimeOptions::default() };
    let options = EngineOptions { runtime, ..EngineOptions::default() };
    pollster::block_on(Engine::load(&gguf, &mut file.as_slice(), device, &options, &mut |_, _, _| {}))
        .unwrap()
}

/// Whether the long conformance run is asked for.
pub(crate) fn full() -> bool {
    std::env::var_os("GOLDCREST_FULL").is_some_and(|v| v == "1")
}

/// The CPU, and the adapter that a GPU API offers.
pub(crate) fn devices() -> Vec<Rc<dyn Device>> {
    let mut devices: Vec<Rc<dyn Device>> = vec![Rc::new(CpuDevice::new())];
    devices.extend(gpu());
    devices
}

/// The adapter that a GPU API offers; its absence is a skip, or a failure where one is required.
pub(crate) fn gpu() -> Option<Rc<dyn Device>> {
    // By itself: `auto` may take the CPU where all adapters are software.
    let adapters = pollster::block_on(WgpuDevice::adapters());
    let best = adapters.into_iter().min_by_key(|(info, _)| info.kind == AdapterKind::Software);
    if let Some((info, adapter)) = best {
        return Some(Rc::new(pollster::block_on(WgpuDevice::open(info, &adapter)).unwrap()));
    }
    assert!(std::env::var_os("GOLDCREST_REQUIRE_GPU").is_none(), "no Vulkan, Metal or DX12 adapter");
    println!("skip: no Vulkan, Metal or DX12 adapter");
    None
}

pub(crate) fn load(file: &[u8], device: Rc<dyn Device>, options: &RuntimeOptions) -> Runtime {
    let gguf = Gguf::parse(file).unwrap();
    let model = pollster::block_on(Model::load(&gguf, &device, &mut &*file, &mut |_, _| {})).unwrap();
    Runtime::new(device, model, options).unwrap()
}

/// Tokens appended to a sequence, each wanting the same.
pub(crate) fn batch(runtime: &Runtime, seq: SeqId, tokens: &[u32], wants: &Wants) -> Batch {
    let pos = runtime.pool().sequence(seq).unwrap().next_pos();
    let rows = tokens.iter().zip(pos..).map(|(t, pos)| BatchRow::token(*t, pos, seq).wanting(wants.clone()));
    Batch { rows: rows.collect(), ..Batch::default() }
}

pub(crate) fn forward(runtime: &mut Runtime, batch: &Batch) -> StepResult {
    pollster::block_on(runtime.forward(batch)).unwrap()
}

/// `n` greedy tokens decoded on the device behind `last`, `k` steps per submit.
pub(crate) fn decode_greedy(runtime: &mut Runtime, seq: SeqId, last: u32, n: usize, k: usize) -> Vec<u32> {
    let mut run = runtime.start_decode(seq, last, &SamplerParams::greedy(), &[]).unwrap();
    let mut found = Vec::new();
    while found.len() < n {
        runtime.submit_decode(&mut run, k.min(n - found.len())).unwrap();
        found.extend(pollster::block_on(runtime.take_decoded(&mut run)).unwrap().iter().map(|t| t.token));
    }
    runtime.end_decode(run, n).unwrap();
    found
}

/// Largest distance between two rows of logits.
pub(crate) fn worst(a: &[f32], b: &[f32]) -> f32 {
    assert_eq!(a.len(), b.len());
    a.iter().zip(b).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max)
}

/// Numbers of reference files.
pub(crate) trait Golden {
    fn u32s(&self) -> Vec<u32>;
    fn f32s(&self) -> Vec<f32>;
}

impl Golden for Value {
    fn u32s(&self) -> Vec<u32> {
        self.as_array().unwrap().iter().map(|v| u32::try_from(v.as_u64().unwrap()).unwrap()).collect()
    }

    fn f32s(&self) -> Vec<f32> {
        self.as_array().unwrap().iter().map(|v| v.as_f64().unwrap() as f32).collect()
    }
}

/// The first of `files` in the folder that `GOLDCREST_MODELS` names, or else in the model store; says so when there is none.
pub(crate) fn model(files: &[&str]) -> Option<Vec<u8>> {
    let folders = model_folders();
    let mut paths = folders.iter().flat_map(|folder| files.iter().map(|file| folder.join(file)));
    let bytes = paths.find_map(|path| std::fs::read(path).ok());
    if bytes.is_none() {
        println!("skip: no model file {}; GOLDCREST_MODELS names the folder", files.join(" or "));
    }
    bytes
}

fn model_folders() -> Vec<PathBuf> {
    let var = |name| std::env::var_os(name).map(PathBuf::from);
    if let Some(folder) = var("GOLDCREST_MODELS") {
        return vec![folder];
    }
    let cache = || var("XDG_CACHE_HOME").or_else(|| std::env::home_dir().map(|home| home.join(".cache")));
    let home = var("GOLDCREST_HOME").or_else(|| cache().map(|cache| cache.join("goldcrest")));
    home.map(|home| home.join("models")).into_iter().collect()
}
