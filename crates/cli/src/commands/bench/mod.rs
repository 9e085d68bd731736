//! `goldcrest bench`: how fast a model runs here.

mod bandwidth;
mod measure;
mod report;
mod speculate;
mod table;
mod watched;

use std::rc::Rc;

use goldcrest::EngineError;
use goldcrest::gguf::Gguf;
use goldcrest::gpu::{AdapterKind, Device};
use goldcrest::model::{WeightSource, active_weight_bytes};

use crate::context::Context;
use crate::error::CliError;
use crate::given::CountList;
use crate::loading::{ModelArgs, Opened, describe};
use crate::output;
use crate::synthetic::{Spec, Synthetic};
use measure::Bench;
use report::{AdapterReport, Kernels, Load, Memory, ModelReport, Report, Versions};
use watched::Watched;

/// Measure how fast a model runs here
///
/// Everything runs once to warm up and then as often as --reps says.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    model: ModelArgs,
    /// A model of a real shape with random weights that are made as they are read, in place of a file: SHAPE:TYPE, as in
    /// llama-1b:Q4_0
    #[arg(long, value_name = "SHAPE:TYPE", conflicts_with = "model")]
    synthetic: Option<Spec>,
    /// Lengths of prompts, in tokens, parted by commas [default: 128,512,1024; 128 without a GPU]
    #[arg(long, value_name = "LIST")]
    pp: Option<CountList>,
    /// Tokens to generate [default: 64; 32 without a GPU]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..1 << 20))]
    tg: Option<u32>,
    /// Tokens that are in the cache before the generated ones, parted by commas [default: 0,512,2048; 0 without a GPU]
    #[arg(long, value_name = "LIST")]
    depth: Option<CountList>,
    /// Also measure steps of 1 to 32 rows, as speculation runs them: one behind the other, and as a tree
    #[arg(long)]
    small_m: bool,
    /// Compare a drafter with plain decoding instead, by turns on the same prompts for chat, quoting, code edits and JSON;
    /// may be given several times, and without a name takes those that need no second model
    #[arg(long, value_name = "DRAFTER[:key=value,...]", num_args = 0..=1, default_missing_value = "", conflicts_with_all = ["synthetic", "pp", "depth", "small_m"])]
    speculate: Vec<String>,
    /// Repetitions
    #[arg(long, value_name = "R", default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..=1000))]
    reps: u32,
    /// Print one JSON object instead of a table
    #[arg(long)]
    json: bool,
}

/// What is measured is what `run` does: greedy generations of a session.
pub(crate) fn run(args: Args, context: &Context) -> Result<(), CliError> {
    args.model.options()?;
    let drafters = match args.speculate.is_empty() {
        true => Vec::new(),
        false => speculate::methods(&args.speculate)?,
    };
    match args.synthetic {
        None if !drafters.is_empty() => {
            let (gguf, file) = describe(&args.model.model.resolve(context)?)?;
            let Opened { engine, .. } = args.model.open(&gguf, file, context, &mut |device| device)?;
            let model = ModelReport::new(&engine, &gguf, None);
            let n = args.tg.unwrap_or(128) as usize;
            speculate::run(&engine, model, context, &drafters, (n, args.reps, args.json))
        }
        Some(spec) => {
            let started = std::time::Instant::now();
            let mut source = Synthetic::new(spec);
            let gguf = source.describe()?;
            measure_model(&args, context, &gguf, source, None, started)
        }
        None => {
            let path = args.model.model.resolve(context)?;
            let started = std::time::Instant::now();
            let (gguf, file) = describe(&path)?;
            let file_bytes = std::fs::metadata(&path).ok().map(|metadata| metadata.len());
            measure_model(&args, context, &gguf, file, file_bytes, started)
        }
    }
}

fn measure_model<S: WeightSource>(
    args: &Args,
    context: &Context,
    gguf: &Gguf,
    source: S,
    file_bytes: Option<u64>,
    started: std::time::Instant,
) -> Result<(), CliError> {
    let parse_ms = started.elapsed().as_secs_f64() * 1e3;
    let mut waited = None;
    let mut watch = |device: Rc<dyn Device>| -> Rc<dyn Device> {
        let watched = Watched::new(device);
        waited = Some(watched.waited());
        Rc::new(watched)
    };
    let Opened { engine, open_ms, forms } = args.model.open(gguf, source, context, &mut watch)?;
    let total_ms = started.elapsed().as_secs_f64() * 1e3;
    let device = Rc::clone(engine.runtime().borrow().device());
    let software = matches!(device.info().kind, AdapterKind::Software | AdapterKind::Cpu);
    let either = |given: &Option<CountList>, gpu: &[usize], software_only: &[usize]| {
        let default = if software { software_only } else { gpu };
        given.as_ref().map_or_else(|| default.to_vec(), |list| list.0.clone())
    };
    let prompts = either(&args.pp, &[128, 512, 1024], &[128]);
    let depths = either(&args.depth, &[0, 512, 2048], &[0]);
    let n_tokens = args.tg.unwrap_or(if software { 32 } else { 64 }) as usize;
    let longest = depths.iter().map(|depth| depth + n_tokens).chain(prompts.iter().copied()).max();
    let (n_ctx, n_prompt) = (engine.runtime().borrow().n_ctx(), longest.unwrap_or(0) + 1);
    if n_prompt > n_ctx as usize {
        return Err(EngineError::PromptTooLong { n_prompt, n_ctx }.into());
    }
    let memory = pollster::block_on(bandwidth::measure(device.as_ref())).map_err(EngineError::from)?;
    let weight_bytes = {
        let runtime = engine.runtime().borrow();
        active_weight_bytes(gguf, runtime.config()).map_err(EngineError::from)?
    };
    let bench = Bench {
        engine: &engine,
        context,
        reps: args.reps,
        waited: waited.unwrap_or_default(),
        weight_bytes,
        memory_bytes_per_s: memory.bytes_per_s,
    };
    let ms = |time: std::time::Duration| time.as_secs_f64() * 1e3;
    let times = engine.load_times();
    let load = Load {
        parse_ms,
        open_ms,
        text_ms: ms(times.text),
        selftest_ms: ms(times.selftest),
        allocate_ms: ms(times.allocate),
        compile_ms: ms(times.compile),
        upload_ms: ms(times.upload),
        latency_ms: ms(times.latency),
        total_ms,
        first_ttft_ms: bench.first_ttft()?,
    };
    let profile = *engine.runtime().borrow().profile();
    let report = Report {
        model: ModelReport::new(&engine, gguf, file_bytes),
        adapter: AdapterReport::new(device.as_ref()),
        versions: Versions::ours(),
        kernels: Kernels {
            profile: profile.name,
            tuned: forms.iter().map(|(entry, value)| format!("{entry}={value}")).collect(),
            forced: args.model.kernels.clone(),
            entries: format!("{profile:?}"),
        },
        threads: std::thread::available_parallelism().map_or(1, usize::from),
        load,
        reps: args.reps,
        prefill: prompts.iter().map(|n| bench.prefill(*n)).collect::<Result<_, _>>()?,
        decode: depths.iter().map(|depth| bench.decode(*depth, n_tokens)).collect::<Result<_, _>>()?,
        small_m: if args.small_m { bench.small_m(0)? } else { Vec::new() },
        memory: Memory { bytes_per_s: memory.bytes_per_s, method: memory.method },
        weight_bytes_per_token: weight_bytes,
    };
    if args.json { output::json(&report) } else { table::print(&report) }
}
