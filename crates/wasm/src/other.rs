//! A further model beside the one that answers: a draft, an amateur, a smaller or larger sibling.

use std::cell::RefCell;
use std::rc::Rc;

use goldcrest::decode::same_vocabulary;
use goldcrest::gpu::Device;
use goldcrest::model::Config;
use goldcrest::{Engine, EngineOptions, MemoryPlan, ModelInfo, Runtime, Text};
use js_sys::Function;
use serde_json::{Value, json};

use crate::error::Failure;
use crate::plan::{header, weights};
use crate::report;
use crate::source::JsSource;

/// The model that answers, as far as a further one has to fit it.
pub(crate) struct First {
    pub(crate) engine: Engine,
    pub(crate) device: Rc<dyn Device>,
    pub(crate) setup: EngineOptions,
    pub(crate) template: Option<String>,
}

/// Loads a further model onto the device of the first, in the same context or the most that it was trained for. A vocabulary
/// that does not fit is refused before the weights are read.
pub(crate) async fn load(
    first: &First,
    mut source: JsSource<'_>,
    on_progress: &Function,
) -> Result<(Rc<RefCell<Runtime>>, Value), Failure> {
    let (gguf, cfg) = header(&mut source).await?;
    let beside =
        |failure: Failure| failure.beside(&first.engine.info().name, &ModelInfo::new(&gguf, &cfg).name);
    let theirs = Text::from_gguf(&gguf, None)?;
    same_vocabulary(first.engine.text().tokenizer(), theirs.tokenizer())
        .map_err(|error| beside(Failure::Strategy(error)))?;
    drop(theirs);
    let mut setup = first.setup.clone();
    setup.runtime.n_ctx = context(first, &cfg)?;
    let memory = report::memory(&MemoryPlan::new(&gguf, setup.runtime.n_ctx)?);
    let device = Rc::clone(&first.device);
    let engine = weights(&gguf, &mut source, device, &setup, on_progress).await.map_err(beside)?;
    let info = json!({ "model": report::model(&gguf, &cfg), "memory": memory });
    Ok((Rc::clone(engine.runtime()), info))
}

fn context(first: &First, cfg: &Config) -> Result<u32, Failure> {
    let runtime = first.engine.runtime().try_borrow().map_err(|_| goldcrest::EngineError::Busy)?;
    Ok(runtime.n_ctx().min(cfg.n_ctx_train))
}
