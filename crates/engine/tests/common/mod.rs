//! What the tests of this folder share: golden files, devices, loading.
#![allow(dead_code, reason = "each test binary uses its own part")]

use std::path::PathBuf;
use std::rc::Rc;

use goldcrest_engine::{Runtime, RuntimeOptions};
use goldcrest_gguf::Gguf;
use goldcrest_gpu::{CpuDevice, Device, Request};
use goldcrest_model::Model;
use serde_json::Value;

/// A golden file from the repository, or from the full set beside it; says so when it is in neither.
pub fn golden(name: &str) -> Option<Vec<u8>> {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../..");
    let places = [root.join("tests/golden"), root.join("../shared/golden")];
    let found = places.iter().find_map(|place| std::fs::read(place.join(name)).ok());
    if found.is_none() {
        println!("skip: golden file {name} is not here");
    }
    found
}

/// The CPU twins, and the adapter that a GPU API offers.
pub fn devices() -> Vec<Rc<dyn Device>> {
    let mut devices: Vec<Rc<dyn Device>> = vec![Rc::new(CpuDevice::new())];
    devices.extend(gpu());
    devices
}

/// The adapter that a GPU API offers; its absence is a skip, or a failure where one is required.
pub fn gpu() -> Option<Rc<dyn Device>> {
    let device = pollster::block_on(goldcrest_gpu::open(&Request::default())).unwrap();
    if device.info().backend != "cpu" {
        return Some(device);
    }
    assert!(std::env::var_os("GOLDCREST_REQUIRE_GPU").is_none(), "no Vulkan, Metal or DX12 adapter");
    println!("skip: no Vulkan, Metal or DX12 adapter");
    None
}

pub fn load(file: &[u8], device: Rc<dyn Device>, options: &RuntimeOptions) -> Runtime {
    let gguf = Gguf::parse(file).unwrap();
    let model = pollster::block_on(Model::load(&gguf, &device, &mut &*file, &mut |_, _| {})).unwrap();
    Runtime::new(device, model, options).unwrap()
}

/// Numbers of reference files.
pub trait Golden {
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
