//! Runs small language models where the user is: the public Rust API.
//!
//! ```no_run
//! use goldcrest::{Event, LoadOptions, Prompt, Request};
//!
//! # async fn answer() -> Result<(), Box<dyn std::error::Error>> {
//! let engine = goldcrest::load("smollm2-135m.gguf", &LoadOptions::default(), &mut |_, _, _| {}).await?;
//! let mut session = engine.session();
//! let prompt = Prompt::Text { text: "The capital of France is".into(), parse_special: false };
//! let mut generation = session.generate(Request { max_tokens: Some(16), ..Request::greedy(prompt) })?;
//! while let Some(event) = generation.next().await? {
//!     if let Event::Token(token) = event {
//!         print!("{}", token.text);
//!     }
//! }
//! # Ok(())
//! # }
//! ```

#![forbid(unsafe_code)]

mod classify;
mod error_code;
mod file;
mod header;
pub mod record;
mod templates;

use std::path::Path;

pub use classify::{Calibrate, ClassifyError, Labelled, Question, SLOT, classify};
pub use error_code::ErrorCode;
pub use file::FileSource;
pub use goldcrest_engine::{
    CostOptions, DecodeRun, DecodedToken, Engine, EngineError, EngineOptions, Event, Finish, Generation,
    LoadTimes, MemoryPlan, ModelInfo, Phase, Prompt, Request, Runtime, RuntimeOptions, Scored, SelfTest,
    Session, Stats, StepCost, Text, TokenEvent, Trial, Tuned, batch, cost_curve, kv, selftest, tune,
};
#[cfg(not(target_family = "wasm"))]
pub use goldcrest_grammar as grammar;
pub use header::describe_source;
pub use templates::{Combine, Example, Panel, Verdict, classify_together};
pub use {
    goldcrest_decode as decode, goldcrest_gguf as gguf, goldcrest_gpu as gpu, goldcrest_kernels as kernels,
    goldcrest_model as model, goldcrest_prompt as prompt, goldcrest_sample as sample,
    goldcrest_score as score, goldcrest_tokenizer as tokenizer,
};

/// How [`load`] sets an engine up.
#[derive(Clone, Debug, Default)]
pub struct LoadOptions {
    /// Which adapter: `auto`, `cpu`, a backend or a part of an adapter's name; see [`gpu::Request`].
    pub adapter: String,
    /// Context, chunks, kernel forms, pre-tokenizer.
    pub engine: EngineOptions,
}

/// A model file could not be loaded.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LoadError {
    /// The file could not be opened or read.
    #[error("{path}: {source}")]
    Io {
        /// The file.
        path: String,
        /// Why.
        source: std::io::Error,
    },
    /// The file is not a model that can be run, or the device cannot run it.
    #[error(transparent)]
    Engine(#[from] EngineError),
}

/// Reads the description of a model file.
///
/// # Errors
/// [`LoadError::Io`], [`EngineError::Gguf`].
pub fn describe(path: impl AsRef<Path>) -> Result<gguf::Gguf, LoadError> {
    let mut source = FileSource::open(path.as_ref())?;
    source.describe()
}

/// Opens a device and loads a model file on it, reporting how much of each phase is done, and its total.
///
/// # Errors
/// [`LoadError::Io`], or any [`EngineError`].
pub async fn load(
    path: impl AsRef<Path>,
    options: &LoadOptions,
    progress: &mut dyn FnMut(Phase, u64, u64),
) -> Result<Engine, LoadError> {
    let mut source = FileSource::open(path.as_ref())?;
    let gguf = source.describe()?;
    // Refuse what cannot run before a device is opened.
    model::Config::from_gguf(&gguf).map_err(EngineError::from)?;
    let deterministic = options.engine.runtime.deterministic;
    let request = gpu::Request { adapter: options.adapter.clone(), deterministic };
    let opened = gpu::open(&request).await.map_err(EngineError::from)?;
    let mut engine = options.engine.clone();
    engine.notes.extend(opened.note);
    Ok(Engine::load(&gguf, &mut source, opened.device, &engine, progress).await?)
}
