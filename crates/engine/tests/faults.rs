//! A device that is lost, runs out of memory, stalls or returns garbage gives a typed error, never wrong tokens; on a new
//! device the same request gives the same tokens.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests fail loudly")]

mod common;

use std::rc::Rc;

use common::golden;
use goldcrest_engine::{Engine, EngineError, EngineOptions, Event, Prompt, Request};
use goldcrest_gguf::Gguf;
use goldcrest_gpu::{CpuDevice, Device, GpuError};
use goldcrest_model::ModelError;
use goldcrest_testkit::fake_gpu::{FakeGpu, Fault};

const PROMPT: [u32; 12] = [10, 200, 33, 7, 301, 42, 5, 9, 88, 120, 3, 17];

fn answer(file: &[u8], device: Rc<dyn Device>) -> Result<Vec<u32>, EngineError> {
    pollster::block_on(async {
        let gguf = Gguf::parse(file)?;
        let options = EngineOptions::default();
        let engine = Engine::load(&gguf, &mut &*file, device, &options, &mut |_, _, _| {}).await?;
        let prompt = Prompt::Tokens(PROMPT.to_vec());
        let request = Request { max_tokens: Some(6), ignore_eos: true, ..Request::greedy(prompt) };
        let mut session = engine.session();
        let mut generation = session.generate(request)?;
        while generation.next().await?.is_some() {}
        Ok(generation.tokens().to_vec())
    })
}

fn gpu_error(error: &EngineError) -> Option<&GpuError> {
    match error {
        EngineError::Gpu(error) | EngineError::Model(ModelError::Gpu(error)) => Some(error),
        _ => None,
    }
}

#[test]
fn every_point_of_loss_is_a_typed_error_and_a_new_device_gives_the_same_tokens() {
    let file = golden("tiny/llama.gguf").unwrap();
    let expected = answer(&file, Rc::new(CpuDevice::new())).unwrap();
    let sound = Rc::new(FakeGpu::sound());
    assert_eq!(answer(&file, Rc::clone(&sound) as Rc<dyn Device>).unwrap(), expected);
    let calls = sound.calls();
    assert!(calls > 50, "the request makes {calls} calls");
    for at in (0..calls).step_by((calls as usize / 60).max(1)) {
        let error = answer(&file, Rc::new(FakeGpu::failing(at, Fault::Lost))).unwrap_err();
        assert!(matches!(gpu_error(&error), Some(GpuError::Lost { .. })), "call {at}: {error}");
    }
    assert_eq!(answer(&file, Rc::new(CpuDevice::new())).unwrap(), expected);
}

#[test]
fn a_failed_allocation_is_out_of_memory_and_frees_what_was_made() {
    let file = golden("tiny/llama.gguf").unwrap();
    for at in [0, 7, 30] {
        let device = Rc::new(FakeGpu::failing(at, Fault::OutOfMemory));
        let error = answer(&file, Rc::clone(&device) as Rc<dyn Device>).unwrap_err();
        assert!(matches!(gpu_error(&error), Some(GpuError::OutOfMemory { .. })), "{error}");
        assert_eq!(device.counters().live_bytes, 0, "buffers outlive the failed load");
        assert!(answer(&file, device).is_ok(), "the device can still be used");
    }
}

#[test]
fn a_stalled_or_garbled_result_is_never_a_token() {
    let file = golden("tiny/llama.gguf").unwrap();
    let stalled = answer(&file, Rc::new(FakeGpu::failing(0, Fault::Stall))).unwrap_err();
    assert!(matches!(gpu_error(&stalled), Some(GpuError::Stalled { .. })), "{stalled}");
    let garbled = answer(&file, Rc::new(FakeGpu::failing(0, Fault::Garbage))).unwrap_err();
    assert!(matches!(garbled, EngineError::BadResult), "{garbled}");
}

#[test]
fn a_generation_ends_at_a_loss_and_says_so_once() {
    let file = golden("tiny/llama.gguf").unwrap();
    let device = Rc::new(FakeGpu::sound());
    pollster::block_on(async {
        let gguf = Gguf::parse(&file).unwrap();
        let options = EngineOptions::default();
        let dynamic = Rc::clone(&device) as Rc<dyn Device>;
        let engine = Engine::load(&gguf, &mut &*file, dynamic, &options, &mut |_, _, _| {}).await.unwrap();
        let mut session = engine.session();
        let mut generation = session.generate(Request::greedy(Prompt::Tokens(PROMPT.to_vec()))).unwrap();
        assert!(matches!(generation.next().await.unwrap(), Some(Event::Prefill { .. })));
        device.fail_next(Fault::Lost);
        let error = generation.next().await.unwrap_err();
        assert!(matches!(gpu_error(&error), Some(GpuError::Lost { .. })), "{error}");
        assert!(generation.next().await.unwrap().is_none(), "nothing follows an error");
    });
}
