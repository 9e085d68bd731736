//! What a model will take, before its weights are fetched, and the fetching of them.

use std::rc::Rc;

use goldcrest::gguf::Gguf;
use goldcrest::gpu::Device;
use goldcrest::model::Config;
use goldcrest::{Engine, EngineError, EngineOptions, MemoryPlan, Phase, describe_source};
use js_sys::Function;
use serde_json::json;
use wasm_bindgen::JsValue;
use wasm_bindgen::prelude::wasm_bindgen;

use crate::error::Failure;
use crate::report;
use crate::source::{ByteSource, JsSource};

/// Reads the header alone. Resolves to JSON with `model`, `memory` and `file_bytes`.
///
/// # Errors
/// A JavaScript error with `code` and `help`; what the source throws passes through.
#[wasm_bindgen(unchecked_return_type = "string")]
pub async fn plan(source: ByteSource, context_length: Option<u32>) -> Result<String, JsValue> {
    let mut source = JsSource::new(&source, None);
    let (gguf, cfg) = header(&mut source).await?;
    let memory = MemoryPlan::new(&gguf, context_length.unwrap_or(0)).map_err(Failure::from)?;
    Ok(json!({
        "model": report::model(&gguf, &cfg),
        "memory": report::memory(&memory),
        "file_bytes": source.len(),
    })
    .to_string())
}

/// The checked description of a model that can run.
pub(crate) async fn header(source: &mut JsSource<'_>) -> Result<(Gguf, Config), Failure> {
    let len = source.len();
    let gguf = or_source(describe_source(source, len).await, source)?;
    let cfg = Config::from_gguf(&gguf)?;
    Ok((gguf, cfg))
}

/// Loads the rest of a model onto a device.
pub(crate) async fn weights(
    gguf: &Gguf,
    source: &mut JsSource<'_>,
    device: Rc<dyn Device>,
    setup: &EngineOptions,
    on_progress: &Function,
) -> Result<Engine, Failure> {
    let mut progress = |phase: Phase, loaded: u64, total: u64| {
        // Whoever watches may fail without stopping the work.
        let _shown = on_progress.call3(
            &JsValue::UNDEFINED,
            &phase.name().into(),
            &(loaded as f64).into(),
            &(total as f64).into(),
        );
    };
    let loaded = Engine::load(gguf, source, device, setup, &mut progress).await;
    or_source(loaded, source)
}

/// Tells a failure of the source and an abort from a failure of the engine.
fn or_source<T>(result: Result<T, EngineError>, source: &mut JsSource<'_>) -> Result<T, Failure> {
    result.map_err(|error| match source.thrown.take() {
        Some(thrown) => Failure::Thrown(thrown),
        None if source.is_aborted() => EngineError::Aborted.into(),
        None => error.into(),
    })
}
