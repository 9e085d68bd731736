//! From MODEL and the common options to a loaded engine, the same way for every command.

use std::io::{self, IsTerminal};
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::time::{Duration, Instant};

use goldcrest::gguf::Gguf;
use goldcrest::gpu::Device;
use goldcrest::model::{Config, WeightSource};
use goldcrest::{Engine, EngineError, EngineOptions, FileSource, Phase, RuntimeOptions, gpu};

use crate::context::Context;
use crate::error::CliError;
use crate::interrupt::Interrupt;
use crate::tuning::{self, Tuning};

/// Which model.
#[derive(Clone, Debug, Default, clap::Args)]
pub(crate) struct ModelArg {
    /// A path, a name that `goldcrest list` shows, a URL or hf:org/repo[:quant]. Without it the default model is used, and
    /// fetched the first time
    #[arg(short = 'm', long = "model", value_name = "MODEL")]
    pub(crate) model: Option<String>,
}

/// Which model, and how it runs.
#[derive(Clone, Debug, Default, clap::Args)]
pub(crate) struct ModelArgs {
    #[command(flatten)]
    pub(crate) model: ModelArg,
    /// Tokens that prompt and answer may have together; without it what the model was trained for, but at most 4096
    #[arg(short = 'c', long = "ctx", value_name = "TOKENS", allow_negative_numbers = true)]
    pub(crate) ctx: Option<i64>,
    /// Where to compute: auto, cpu, vulkan, metal, dx12, or a part of an adapter's name (`goldcrest doctor` lists them)
    #[arg(long, value_name = "NAME", default_value = "auto")]
    pub(crate) adapter: String,
    /// Force a kernel form
    #[arg(long = "kernel", value_name = "ENTRY=VALUE", hide = true)]
    pub(crate) kernels: Vec<String>,
    /// Let nothing that was timed choose: neither adapter nor kernel forms nor the size of prompt chunks, so that the same adapter
    /// computes the same bits
    #[arg(long)]
    pub(crate) deterministic: bool,
}

/// A model file whose header was read and checked.
pub(crate) struct Found {
    pub(crate) path: PathBuf,
    pub(crate) gguf: Gguf,
    file: FileSource,
    /// Time that it took.
    read: Duration,
}

/// A model that is ready to run.
pub(crate) struct Loaded {
    pub(crate) engine: Engine,
    /// Milliseconds from opening the file to the first possible step.
    pub(crate) load_ms: f64,
}

/// A model that was opened from any source.
pub(crate) struct Opened {
    pub(crate) engine: Engine,
    /// Milliseconds for finding the adapter and opening the device.
    pub(crate) open_ms: f64,
    /// Kernel forms of an earlier `tune`.
    pub(crate) forms: Vec<(String, String)>,
}

impl ModelArg {
    /// The model's file, fetched on first use.
    pub(crate) fn resolve(&self, context: &Context) -> Result<PathBuf, CliError> {
        let default;
        let model = match &self.model {
            Some(model) => model,
            None => {
                default = context.store.catalogue()?.default;
                &default
            }
        };
        Ok(context.store.resolve(model)?)
    }
}

impl ModelArgs {
    /// The engine's options; call it before anything is fetched, so that a slip costs no download.
    pub(crate) fn options(&self) -> Result<EngineOptions, CliError> {
        let n_ctx = match self.ctx {
            None => 0,
            Some(requested) => {
                u32::try_from(requested).ok().filter(|n| *n > 0).ok_or(CliError::BadContext { requested })?
            }
        };
        let forced = self.kernels.iter().map(|text| kernel_entry(text)).collect::<Result<_, _>>()?;
        let deterministic = self.deterministic;
        let runtime = RuntimeOptions { n_ctx, forced, deterministic, ..RuntimeOptions::default() };
        Ok(EngineOptions { runtime, ..EngineOptions::default() })
    }

    /// Fetches the model if need be, opens the adapter and loads, with a bar on a terminal. What cannot run is refused before a
    /// device is opened.
    pub(crate) fn load(&self, context: &Context) -> Result<Loaded, CliError> {
        self.load_found(self.find(context)?, context)
    }

    /// The model's file, fetched if need be, with nothing read but its header.
    pub(crate) fn find(&self, context: &Context) -> Result<Found, CliError> {
        self.options()?;
        let path = self.model.resolve(context)?;
        let start = Instant::now();
        let (gguf, file) = describe(&path)?;
        Ok(Found { path, gguf, file, read: start.elapsed() })
    }

    /// Loads what [`ModelArgs::find`] found.
    pub(crate) fn load_found(&self, found: Found, context: &Context) -> Result<Loaded, CliError> {
        let start = Instant::now();
        let engine = self.open(&found.gguf, found.file, context, &mut |device| device)?.engine;
        // The vocabulary and merges as the file has them.
        drop(found.gguf);
        gpu::shrink_heap();
        Ok(Loaded { engine, load_ms: (found.read + start.elapsed()).as_secs_f64() * 1e3 })
    }

    /// The same for a model from any source. `wrap` is handed the device before anything uses it.
    pub(crate) fn open<S: WeightSource>(
        &self,
        gguf: &Gguf,
        source: S,
        context: &Context,
        wrap: &mut dyn FnMut(Rc<dyn Device>) -> Rc<dyn Device>,
    ) -> Result<Opened, CliError> {
        let mut options = self.options()?;
        let config = Config::from_gguf(gguf).map_err(EngineError::from)?;
        let (requested, max) = (options.runtime.n_ctx, config.n_ctx_train);
        if requested > max {
            return Err(EngineError::BadContext { requested, max }.into());
        }
        let start = Instant::now();
        let request = gpu::Request { adapter: self.adapter.clone(), deterministic: self.deterministic };
        let opened = pollster::block_on(gpu::open(&request)).map_err(EngineError::from)?;
        opened.device.reuse_pipelines(&|name| context.store.pipelines(name));
        let device = wrap(Rc::clone(&opened.device));
        let open_ms = start.elapsed().as_secs_f64() * 1e3;
        options.notes.extend(opened.note);
        if !self.deterministic {
            let key = tuning::Key::new(device.info(), gguf, &config);
            options.tuned = Tuning::of(context.store.home()).find(&key).unwrap_or_default();
        }
        let engine = pollster::block_on(upload(gguf, source, device, &options, context))?;
        if let Some((name, bytes)) = opened.device.compiled_pipelines() {
            context.store.keep_pipelines(&name, &bytes);
        }
        for note in engine.runtime().borrow().notes() {
            context.report.notice(note);
        }
        Ok(Opened { engine, open_ms, forms: options.tuned })
    }
}

async fn upload<S: WeightSource>(
    gguf: &Gguf,
    source: S,
    device: Rc<dyn Device>,
    options: &EngineOptions,
    context: &Context,
) -> Result<Engine, CliError> {
    let shown = io::stderr().is_terminal();
    let mut begun = false;
    let mut progress = |phase, done, total| {
        // A bar is in bytes; what comes before them takes a moment natively.
        if phase != Phase::Upload {
            return;
        }
        if shown && !begun {
            context.report.begin("loading", Some(total), 0);
            begun = true;
        }
        context.report.at(done);
    };
    let mut source = Interruptible { source, interrupt: context.interrupt.clone() };
    let engine = Engine::load(gguf, &mut source, device, options, &mut progress).await;
    context.report.end();
    if context.interrupt.is_set() {
        return Err(CliError::Interrupted);
    }
    Ok(engine?)
}

/// The checked header of a model file, and the file for reading on.
pub(crate) fn describe(path: &Path) -> Result<(Gguf, FileSource), CliError> {
    let mut file = FileSource::open(path)?;
    Ok((file.describe()?, file))
}

/// Ctrl-C ends the reading of weights.
struct Interruptible<S> {
    source: S,
    interrupt: Interrupt,
}

impl<S: WeightSource> WeightSource for Interruptible<S> {
    async fn read_at(&mut self, offset: u64, buf: &mut [u8]) -> Result<(), String> {
        if self.interrupt.is_set() {
            return Err("interrupted".to_owned());
        }
        self.source.read_at(offset, buf).await
    }
}

fn kernel_entry(text: &str) -> Result<(String, String), CliError> {
    let (entry, value) = text.split_once('=').ok_or_else(|| CliError::InvalidParameter {
        name: "--kernel",
        value: text.to_owned(),
        allowed: "ENTRY=VALUE".to_owned(),
    })?;
    Ok((entry.to_owned(), value.to_owned()))
}
