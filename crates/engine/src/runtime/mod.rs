//! A model on a device with its KV cache: the step, the KV operations, and decoding without the host in the loop.

mod beside;
mod decode;
mod embeddings;
pub(crate) mod forms;
mod forward;
mod kv_buffers;
mod logits;
mod masks;
mod memory;
mod pacer;
mod plans;
mod score;
mod steps;
mod steps_pacer;
mod walk;

use std::rc::Rc;
use std::time::Duration;

use goldcrest_gpu::{AdapterKind, Counters, Device};
use goldcrest_kernels::Profile;
use goldcrest_model::{Config, KvLayers, Model, RopeTables, Scratch, Targets};
use web_time::Instant;

use crate::EngineError;
use crate::kv::KvPool;
use beside::Beside;
use forms::select_profile;
use logits::LogitBuffers;
use pacer::Pacer;
use plans::Plans;
use steps_pacer::StepsPacer;

pub use decode::{DecodeRun, DecodedToken};
pub use forward::Meanwhile;
pub use memory::MemoryPlan;

/// Cells that a new runtime starts with; the pool doubles when they are used up.
const FIRST_CELLS: u32 = 256;

/// How a runtime is set up.
#[derive(Clone, Debug, Default)]
pub struct RuntimeOptions {
    /// Context length; 0 takes the model's, but at most 4,096.
    pub n_ctx: u32,
    /// Most rows per prefill submit; 0 lets measured time decide.
    pub max_chunk: u32,
    /// Kernel forms forced by name, `entry=value`; see [`Profile::with`].
    pub forced: Vec<(String, String)>,
    /// Prefill in chunks of one size, so that nothing that was timed decides in which order numbers are added.
    pub deterministic: bool,
}

/// A model on a device with its KV cache.
pub struct Runtime {
    device: Rc<dyn Device>,
    model: Model,
    profile: Profile,
    n_ctx: u32,
    scratch: Scratch,
    logits: LogitBuffers,
    rope: RopeTables,
    kv: KvLayers,
    pool: KvPool,
    plans: Plans,
    pacer: Pacer,
    steps_pacer: StepsPacer,
    /// How long the result of an empty submit takes.
    latency: Duration,
    forward_passes: u64,
    deterministic: bool,
    beside: Beside,
}

impl Runtime {
    /// Allocates activations, tables and the first cells.
    ///
    /// # Errors
    /// [`EngineError::BadContext`], [`EngineError::Gpu`].
    pub fn new(device: Rc<dyn Device>, model: Model, options: &RuntimeOptions) -> Result<Self, EngineError> {
        let cfg = &model.config;
        let n_ctx = memory::context_length(cfg, options.n_ctx)?;
        let profile = select_profile(device.as_ref(), &options.forced)?;
        if options.deterministic {
            forms::check_exact(&profile)?;
        }
        let scratch = Scratch::new(device.as_ref(), cfg)?;
        let logits = LogitBuffers::new(device.as_ref(), cfg)?;
        let rope = model.rope_tables(device.as_ref(), n_ctx)?;
        let n_cells = FIRST_CELLS.min(n_ctx);
        let kv = kv_buffers::create(device.as_ref(), cfg, n_cells)?;
        let software = matches!(device.info().kind, AdapterKind::Software | AdapterKind::Cpu);
        let pacer = match options.deterministic {
            true => Pacer::fixed(options.max_chunk),
            false => Pacer::new(software, options.max_chunk),
        };
        let pool = KvPool::new(n_cells);
        let plans = Plans::default();
        Ok(Self {
            device,
            model,
            profile,
            n_ctx,
            scratch,
            logits,
            rope,
            kv,
            pool,
            plans,
            pacer,
            steps_pacer: StepsPacer::new(software),
            latency: Duration::ZERO,
            forward_passes: 0,
            deterministic: options.deterministic,
            beside: Beside::default(),
        })
    }

    /// Whether it was asked for that the same question gets the same answer, however long things take.
    #[must_use]
    pub const fn is_deterministic(&self) -> bool {
        self.deterministic
    }

    /// Measures how long results travel, so that chunks and steps per submit are not misjudged: 0.1 ms natively, about
    /// 100 ms in Firefox.
    ///
    /// # Errors
    /// [`EngineError::Gpu`], [`EngineError::BadResult`] if what comes back is not what was written.
    pub async fn measure_latency(&mut self) -> Result<Duration, EngineError> {
        let probe = self.scratch.dummy.buffer.slice(0, 16);
        let mut least = Duration::MAX;
        for round in 1..=3u8 {
            self.device.write(&probe.buffer, 0, &[round; 16])?;
            let started = Instant::now();
            let parts = self.device.submit(&[], std::slice::from_ref(&probe))?.await?;
            least = least.min(started.elapsed());
            if parts != [[round; 16]] {
                return Err(EngineError::BadResult);
            }
        }
        self.latency = least;
        self.steps_pacer.set_latency(least);
        Ok(least)
    }

    /// Decode steps per submit, and submits that should be under way, by what was measured so far.
    #[must_use]
    pub fn decode_pace(&self) -> (usize, usize) {
        self.steps_pacer.choose()
    }

    /// Hyper-parameters of the model.
    #[must_use]
    pub fn config(&self) -> &Config {
        &self.model.config
    }

    /// The device.
    #[must_use]
    pub fn device(&self) -> &Rc<dyn Device> {
        &self.device
    }

    /// Whether `other` can compute while a batch of this model runs: it is on another device, and this one's goes on by itself. The
    /// CPU's computes within the call that hands it a batch.
    #[must_use]
    pub fn works_beside(&self, other: &Self) -> bool {
        !Rc::ptr_eq(&self.device, &other.device) && self.device.info().kind != AdapterKind::Cpu
    }

    /// Whether positions are rotations, so that cells can be moved; see [`Runtime::rope_shift`].
    #[must_use]
    pub const fn rotates(&self) -> bool {
        self.model.rotates()
    }

    /// Which kernel forms run.
    #[must_use]
    pub fn profile(&self) -> &Profile {
        &self.profile
    }

    /// Takes other kernel forms from the next step on; `forced` as in [`RuntimeOptions::forced`].
    ///
    /// # Errors
    /// [`EngineError::Profile`] for forms that do not exist; then the forms are as they were.
    pub fn set_forms(&mut self, forced: &[(String, String)]) -> Result<(), EngineError> {
        self.profile = select_profile(self.device.as_ref(), forced)?;
        self.plans.clear();
        Ok(())
    }

    /// Context length.
    #[must_use]
    pub const fn n_ctx(&self) -> u32 {
        self.n_ctx
    }

    /// What loading had to do differently (re-encodings, kernel forms passed over), one sentence each.
    #[must_use]
    pub fn notes(&self) -> &[String] {
        &self.model.notes
    }

    /// Runs through the model so far, of any number of rows.
    #[must_use]
    pub const fn forward_passes(&self) -> u64 {
        self.forward_passes
    }

    /// Exact counts of what the device did.
    #[must_use]
    pub fn counters(&self) -> Counters {
        self.device.counters()
    }

    /// The sequences and their cells.
    #[must_use]
    pub fn pool(&self) -> &KvPool {
        &self.pool
    }

    /// The sequences, for the operations that move no data: fork, truncate, compact, free.
    pub fn pool_mut(&mut self) -> &mut KvPool {
        &mut self.pool
    }

    fn targets(&self) -> Targets<'_> {
        Targets {
            cfg: &self.model.config,
            scratch: &self.scratch,
            profile: &self.profile,
            kv: &self.kv,
            rope: &self.rope,
        }
    }
}
