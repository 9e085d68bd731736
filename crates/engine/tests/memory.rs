//! The memory plan, made from a file's description alone, against what loading and using the whole context takes.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests fail loudly")]

mod common;

use std::rc::Rc;

use common::{golden, load, model};
use goldcrest_engine::{EngineError, MemoryPlan, RuntimeOptions};
use goldcrest_gguf::Gguf;
use goldcrest_gpu::{CpuDevice, Device};

#[test]
fn the_plan_is_what_loading_and_the_whole_context_take() {
    let tiny = [
        "gemma2",
        "gemma3",
        "gpt2",
        "llama",
        "llama3_rope",
        "olmoe",
        "phi3",
        "qwen2",
        "qwen3",
        "q_Q4_1",
        "q_TQ1_0",
    ];
    for name in tiny {
        let Some(file) = golden(&format!("tiny/{name}.gguf")) else { continue };
        check(name, &file, 0);
        check(name, &file, 64);
    }
    let real: [&[&str]; 2] = [
        &["smollm2-135m.gguf", "SmolLM2-135M-Instruct.Q4_1.gguf"],
        &["gemma3-270m.gguf", "gemma-3-270m-q4_k_m.gguf"],
    ];
    for names in real {
        let Some(file) = model(names) else { continue };
        check(names[0], &file, 0);
    }
}

#[test]
fn a_context_beyond_the_trained_one_is_refused() {
    let Some(file) = golden("tiny/llama.gguf") else { return };
    let refused = MemoryPlan::new(&Gguf::parse(&file).unwrap(), 1 << 20);
    assert!(matches!(refused, Err(EngineError::BadContext { requested: 1_048_576, .. })), "{refused:?}");
}

fn check(name: &str, file: &[u8], n_ctx: u32) {
    let plan = MemoryPlan::new(&Gguf::parse(file).unwrap(), n_ctx).unwrap();
    let device: Rc<dyn Device> = Rc::new(CpuDevice::new());
    let mut runtime = load(file, Rc::clone(&device), &RuntimeOptions { n_ctx, ..RuntimeOptions::default() });
    assert_eq!(plan.n_ctx, runtime.n_ctx(), "{name}");
    runtime.reserve(plan.n_ctx).unwrap();
    let live = device.counters().live_bytes;
    println!("{name} at {} tokens: planned {}, live {live}: {plan:?}", plan.n_ctx, plan.total);
    // One part in a thousand: what is left out are tensors that a model does not use and paddings of fused biases.
    assert!(plan.total.abs_diff(live) <= live / 1000, "{name}: planned {}, live {live}", plan.total);
}
