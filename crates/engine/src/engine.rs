//! A loaded model with its tokenizer and template, and the sessions that talk to it.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::rc::Rc;
use std::time::Duration;

use goldcrest_gguf::Gguf;
use goldcrest_gpu::Device;
use goldcrest_model::{Config, Model, ModelError, WeightSource};
use web_time::Instant;

use crate::selftest::select_forms;
use crate::{EngineError, Runtime, RuntimeOptions, Session, Text};

/// How an engine is set up.
#[derive(Clone, Debug, Default)]
pub struct EngineOptions {
    /// Context, chunks, kernel forms.
    pub runtime: RuntimeOptions,
    /// Overrides the name of the pre-tokenizer, for files that name one that is not built in.
    pub pre_tokenizer: Option<String>,
    /// Kernel forms that were measured to be fast on this adapter, as [`tune`](crate::tune) gives them. They are dropped where the
    /// self-test finds them wrong; [`RuntimeOptions::forced`] goes before them.
    pub tuned: Vec<(String, String)>,
    /// Leaves out the self-test, which otherwise runs at every start on adapters that are not known to be right.
    pub skip_selftest: bool,
    /// What the engine's notes begin with, such as why this device was chosen.
    pub notes: Vec<String>,
}

/// What a model file says of itself.
#[derive(Clone, Debug, PartialEq)]
pub struct ModelInfo {
    /// `general.name`, or the architecture.
    pub name: String,
    /// Architecture.
    pub arch: &'static str,
    /// The type most of the weights have.
    pub file_type: String,
    /// Number of weights.
    pub n_params: u64,
}

impl ModelInfo {
    /// Reads it from a file's description.
    #[must_use]
    pub fn new(gguf: &Gguf, cfg: &Config) -> Self {
        let arch = cfg.arch.name();
        let name = gguf.metadata.get_str("general.name").unwrap_or(arch).to_owned();
        let mut by_type: Vec<(&'static str, u64)> = Vec::new();
        for tensor in gguf.tensors.iter().filter(|t| t.n_dims > 1) {
            let ty = tensor.ty.name();
            match by_type.iter_mut().find(|(name, _)| *name == ty) {
                Some((_, n)) => *n += tensor.n_elements(),
                None => by_type.push((ty, tensor.n_elements())),
            }
        }
        let most = by_type.iter().max_by_key(|(_, n)| *n);
        let file_type = most.map_or_else(String::new, |(name, _)| (*name).to_owned());
        Self { name, arch, file_type, n_params: gguf.tensors.iter().map(|t| t.n_elements()).sum() }
    }
}

/// What a load is at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Phase {
    /// Pipelines are compiled; counted one by one.
    Compile,
    /// Weights are on their way to the device; counted in bytes.
    Upload,
}

impl Phase {
    /// Lower-case name for reports.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Compile => "compile",
            Self::Upload => "upload",
        }
    }
}

/// How long the parts of a load took, one after another.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LoadTimes {
    /// Tokenizer and chat template.
    pub text: Duration,
    /// Small models through the kernels, where the adapter is not known to be right.
    pub selftest: Duration,
    /// Buffers for weights, activations and the cache.
    pub allocate: Duration,
    /// Pipelines compiled, plans recorded.
    pub compile: Duration,
    /// Weights read, repacked and written.
    pub upload: Duration,
    /// The way of an empty submit, measured.
    pub latency: Duration,
}

/// A loaded model.
pub struct Engine {
    runtime: Rc<RefCell<Runtime>>,
    text: Rc<Text>,
    info: ModelInfo,
    load_times: LoadTimes,
}

impl Engine {
    /// Loads weights, tokenizer and template, reporting how much of each phase is done, and its total.
    ///
    /// # Errors
    /// Any [`EngineError`]; nothing stays allocated.
    pub async fn load<S: WeightSource>(
        gguf: &Gguf,
        source: &mut S,
        device: Rc<dyn Device>,
        options: &EngineOptions,
        progress: &mut dyn FnMut(Phase, u64, u64),
    ) -> Result<Self, EngineError> {
        let mut times = LoadTimes::default();
        let mut clock = Instant::now();
        let mut lap = |part: &mut Duration| {
            let now = Instant::now();
            *part += now - std::mem::replace(&mut clock, now);
        };
        let text = Text::from_gguf(gguf, options.pre_tokenizer.as_deref())?;
        lap(&mut times.text);
        let mut runtime_options = options.runtime.clone();
        let mut found = Vec::new();
        if options.skip_selftest {
            runtime_options.forced = [&options.tuned[..], &options.runtime.forced].concat();
        } else {
            (runtime_options.forced, found) =
                select_forms(&device, gguf, &options.tuned, &options.runtime.forced).await?;
        }
        lap(&mut times.selftest);
        let mut wide = BTreeSet::new();
        let mut runtime = loop {
            let (mut model, weights) = Model::allocate(gguf, device.as_ref(), source, &wide).await?;
            model.notes.splice(0..0, options.notes.iter().chain(&found).cloned());
            let mut runtime = Runtime::new(Rc::clone(&device), model, &runtime_options)?;
            lap(&mut times.allocate);
            // Pipelines compile while the weights are on their way, and before they take up memory.
            runtime.prepare(&mut |done, total| progress(Phase::Compile, done, total)).await?;
            lap(&mut times.compile);
            let mut upload = |done, total| progress(Phase::Upload, done, total);
            let streamed = weights.stream(device.as_ref(), source, &mut upload).await;
            lap(&mut times.upload);
            match streamed {
                Ok(()) => break runtime,
                Err(ModelError::Inexact { tensor }) if !wide.contains(&tensor) => wide.insert(tensor),
                Err(error) => return Err(error.into()),
            };
        };
        runtime.measure_latency().await?;
        lap(&mut times.latency);
        let info = ModelInfo::new(gguf, runtime.config());
        let (runtime, text) = (Rc::new(RefCell::new(runtime)), Rc::new(text));
        Ok(Self { runtime, text, info, load_times: times })
    }

    /// How long the parts of the load took.
    #[must_use]
    pub const fn load_times(&self) -> LoadTimes {
        self.load_times
    }

    /// What the file says of itself.
    #[must_use]
    pub const fn info(&self) -> &ModelInfo {
        &self.info
    }

    /// Tokenizer and template.
    #[must_use]
    pub const fn text(&self) -> &Rc<Text> {
        &self.text
    }

    /// The step, the KV operations and decoding, for methods that need more than a session.
    #[must_use]
    pub const fn runtime(&self) -> &Rc<RefCell<Runtime>> {
        &self.runtime
    }

    /// A new conversation with an empty cache.
    #[must_use]
    pub fn session(&self) -> Session {
        Session::new(Rc::clone(&self.runtime), Rc::clone(&self.text))
    }
}
