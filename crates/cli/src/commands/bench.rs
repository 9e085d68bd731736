//! `goldcrest bench`: how fast a model runs here.

use std::time::Instant;

use goldcrest::gguf::Gguf;
use goldcrest::gpu::{AdapterKind, Device, GpuError, Work};
use goldcrest::model::active_weight_bytes;
use goldcrest::{Engine, EngineError, Event, Prompt, Request, Session, Stats};
use serde::Serialize;

use crate::context::Context;
use crate::error::CliError;
use crate::given::CountList;
use crate::loading::{Loaded, ModelArgs, describe};
use crate::output::{self, size};

/// Measure how fast a model runs here
///
/// Everything runs once to warm up and then as often as --reps says.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    model: ModelArgs,
    /// Lengths of prompts, in tokens, parted by commas [default: 128,512; 32 without a GPU]
    #[arg(long, value_name = "LIST")]
    pp: Option<CountList>,
    /// Tokens to generate [default: 64; 16 without a GPU]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..1 << 20))]
    tg: Option<u32>,
    /// Tokens that are in the cache before the generated ones, parted by commas
    #[arg(long, value_name = "LIST", default_value = "0")]
    depth: CountList,
    /// Repetitions
    #[arg(long, value_name = "R", default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..=1000))]
    reps: u32,
    /// Print one JSON object instead of a table
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct Report {
    model: ModelReport,
    adapter: AdapterReport,
    load_ms: f64,
    reps: u32,
    prefill: Vec<Prefill>,
    decode: Vec<Decode>,
    /// Bytes read and written per second when the device copies a buffer.
    copy_bytes_per_s: f64,
    weight_bytes_per_token: u64,
}

#[derive(Serialize)]
struct ModelReport {
    name: String,
    arch: &'static str,
    file_type: String,
    n_params: u64,
    file_bytes: u64,
}

#[derive(Serialize)]
struct AdapterReport {
    name: String,
    backend: &'static str,
    #[serde(rename = "type")]
    kind: &'static str,
    driver: String,
}

#[derive(Serialize)]
struct Prefill {
    n_prompt: usize,
    tokens_per_s: Spread,
    ttft_ms: Spread,
}

#[derive(Serialize)]
struct Decode {
    depth: usize,
    n_tokens: usize,
    tokens_per_s: Spread,
    dispatches_per_token: f64,
    submits_per_token: f64,
    bytes_read_per_token: f64,
    /// Bytes of weights read per second, as a part of what a copy moves per second.
    bandwidth_share: f64,
}

/// Of the repetitions.
#[derive(Clone, Copy, Serialize)]
struct Spread {
    median: f64,
    min: f64,
    max: f64,
}

impl Spread {
    fn of(mut values: Vec<f64>) -> Self {
        values.sort_by(f64::total_cmp);
        let at = |index: usize| values.get(index).copied().unwrap_or(f64::NAN);
        let n = values.len();
        let median = (at(n.saturating_sub(1) / 2) + at(n / 2)) / 2.0;
        Self { median, min: at(0), max: at(n.saturating_sub(1)) }
    }
}

/// What is measured is what `run` does: greedy generations of a session.
pub(crate) fn run(args: Args, context: &Context) -> Result<(), CliError> {
    let Loaded { engine, load_ms, path } = args.model.load(context)?;
    let (gguf, _) = describe(&path)?;
    let device = std::rc::Rc::clone(engine.runtime().borrow().device());
    let software = matches!(device.info().kind, AdapterKind::Software | AdapterKind::Cpu);
    let prompts = args.pp.unwrap_or_else(|| CountList(if software { vec![32] } else { vec![128, 512] })).0;
    let n_tokens = args.tg.unwrap_or(if software { 16 } else { 64 }) as usize;
    let longest = args.depth.0.iter().map(|depth| depth + n_tokens).chain(prompts.iter().copied()).max();
    let (n_ctx, n_prompt) = (engine.runtime().borrow().n_ctx(), longest.unwrap_or(0) + 1);
    if n_prompt > n_ctx as usize {
        return Err(EngineError::PromptTooLong { n_prompt, n_ctx }.into());
    }
    let copy_bytes_per_s = pollster::block_on(copy_speed(device.as_ref())).map_err(EngineError::from)?;
    let config = engine.runtime().borrow().config().clone();
    let weight_bytes_per_token = active_weight_bytes(&gguf, &config).map_err(EngineError::from)?;
    let bench = Bench { engine: &engine, context, reps: args.reps };
    let mut report = Report {
        model: model_report(&engine, &gguf, &path),
        adapter: adapter_report(device.as_ref()),
        load_ms,
        reps: args.reps,
        prefill: prompts.iter().map(|n| bench.prefill(*n)).collect::<Result<_, _>>()?,
        decode: args.depth.0.iter().map(|depth| bench.decode(*depth, n_tokens)).collect::<Result<_, _>>()?,
        copy_bytes_per_s,
        weight_bytes_per_token,
    };
    for decode in &mut report.decode {
        decode.bandwidth_share =
            decode.tokens_per_s.median * weight_bytes_per_token as f64 / copy_bytes_per_s;
    }
    if args.json { output::json(&report) } else { print(&report) }
}

/// What the measurements share.
struct Bench<'a> {
    engine: &'a Engine,
    context: &'a Context,
    reps: u32,
}

impl Bench<'_> {
    /// Whole prompts of `n_prompt` tokens and one new token, each in an empty cache.
    fn prefill(&self, n_prompt: usize) -> Result<Prefill, CliError> {
        let mut session = self.engine.session();
        let (mut speeds, mut firsts) = (Vec::new(), Vec::new());
        for rep in 0..=self.reps {
            session.reset()?;
            let stats = self.generate(&mut session, n_prompt, 1)?;
            if rep > 0 {
                // The last token of a prompt runs with the first step of the answer.
                let alone = rate(1, stats.ttft_ms);
                speeds.push(if n_prompt > 1 { rate(n_prompt - 1, stats.prefill_ms) } else { alone });
                firsts.push(stats.ttft_ms);
            }
        }
        self.tell(&format!("prefill of {n_prompt}"), &speeds);
        Ok(Prefill { n_prompt, tokens_per_s: Spread::of(speeds), ttft_ms: Spread::of(firsts) })
    }

    /// Generations behind `depth` tokens that stay in the cache.
    fn decode(&self, depth: usize, n_tokens: usize) -> Result<Decode, CliError> {
        let device = std::rc::Rc::clone(self.engine.runtime().borrow().device());
        let mut session = self.engine.session();
        self.generate(&mut session, depth + 1, n_tokens)?;
        let before = device.counters();
        let mut speeds = Vec::new();
        for _ in 0..self.reps {
            let stats = self.generate(&mut session, depth + 1, n_tokens)?;
            speeds.push(rate(stats.decode_tokens, stats.decode_ms));
        }
        self.tell(&format!("decode behind {depth}"), &speeds);
        let after = device.counters();
        let per_token = |from: u64, to: u64| (to - from) as f64 / (n_tokens as f64 * f64::from(self.reps));
        Ok(Decode {
            depth,
            n_tokens,
            tokens_per_s: Spread::of(speeds),
            dispatches_per_token: per_token(before.dispatches, after.dispatches),
            submits_per_token: per_token(before.submits, after.submits),
            bytes_read_per_token: per_token(before.bytes_read, after.bytes_read),
            bandwidth_share: 0.0,
        })
    }

    fn generate(&self, session: &mut Session, n_prompt: usize, n_new: usize) -> Result<Stats, CliError> {
        let n_vocab = self.engine.runtime().borrow().config().n_vocab;
        // Any tokens do; they differ, so that experts are chosen as in text.
        let prompt = (0..n_prompt as u32).map(|i| i.wrapping_mul(7919).wrapping_add(17) % n_vocab).collect();
        let prompt = Prompt::Tokens(prompt);
        let request = Request { max_tokens: Some(n_new), ignore_eos: true, ..Request::greedy(prompt) };
        let mut generation = session.generate(request)?;
        while let Some(event) = pollster::block_on(generation.next())? {
            if self.context.interrupt.is_set() && !matches!(event, Event::End { .. }) {
                return Err(CliError::Interrupted);
            }
        }
        Ok(generation.stats()?)
    }

    fn tell(&self, what: &str, speeds: &[f64]) {
        let speed = Spread::of(speeds.to_vec()).median;
        self.context.report.notice(&format!("{what} tokens: {speed:.2} tok/s"));
    }
}

fn rate(n: usize, ms: f64) -> f64 {
    n as f64 * 1e3 / ms
}

/// Bytes that the device reads and writes per second when it copies a buffer: the best of some tries.
async fn copy_speed(device: &dyn Device) -> Result<f64, GpuError> {
    const COPIES: usize = 4;
    let software = matches!(device.info().kind, AdapterKind::Software | AdapterKind::Cpu);
    // Larger than the last cache of a card or of a processor, where the memory allows it.
    let bytes = (if software { 32 << 20 } else { 256 << 20 }).min(device.caps().max_buffer);
    let (from, to) =
        (device.create_buffer("copy source", bytes)?, device.create_buffer("copy target", bytes)?);
    let mut best = 0.0f64;
    for _ in 0..4 {
        let work: Vec<Work<'_>> =
            (0..COPIES).map(|_| Work::Copy { from: from.whole(), to: to.whole() }).collect();
        let start = Instant::now();
        device.submit(&work, &[to.slice(0, 16)])?.await?;
        best = best.max((2 * bytes * COPIES as u64) as f64 / start.elapsed().as_secs_f64());
    }
    Ok(best)
}

fn model_report(engine: &Engine, gguf: &Gguf, path: &std::path::Path) -> ModelReport {
    let info = engine.info();
    let file_bytes = std::fs::metadata(path)
        .map_or_else(|_| gguf.tensors.iter().map(|tensor| tensor.n_bytes).sum(), |metadata| metadata.len());
    ModelReport {
        name: info.name.clone(),
        arch: info.arch,
        file_type: info.file_type.clone(),
        n_params: info.n_params,
        file_bytes,
    }
}

fn adapter_report(device: &dyn Device) -> AdapterReport {
    let info = device.info();
    AdapterReport {
        name: info.name.clone(),
        backend: info.backend,
        kind: info.kind.name(),
        driver: info.driver.clone(),
    }
}

fn print(report: &Report) -> Result<(), CliError> {
    let (model, adapter) = (&report.model, &report.adapter);
    let kind = format!("{}, {}", model.file_type, size(model.file_bytes));
    output::line(&format!(
        "{} ({kind}) on {} ({}, {})",
        model.name, adapter.name, adapter.backend, adapter.driver
    ))?;
    output::line(&format!(
        "loaded in {:.0} ms; copies {}/s; {} of weights per token",
        report.load_ms,
        size(report.copy_bytes_per_s as u64),
        size(report.weight_bytes_per_token)
    ))?;
    output::line(&format!("{:<20} {:>10} {:>10} {:>10}", "tok/s", "median", "min", "max"))?;
    let row = |name: String, s: Spread, rest: String| {
        output::line(&format!("{name:<20} {:>10.2} {:>10.2} {:>10.2}  {rest}", s.median, s.min, s.max))
    };
    for prefill in &report.prefill {
        let rest = format!("first token after {:.1} ms", prefill.ttft_ms.median);
        row(format!("prefill {}", prefill.n_prompt), prefill.tokens_per_s, rest)?;
    }
    for decode in &report.decode {
        let rest = format!(
            "{:.1} dispatches, {:.1} bytes read back per token; {:.1} % of copy bandwidth",
            decode.dispatches_per_token,
            decode.bytes_read_per_token,
            100.0 * decode.bandwidth_share
        );
        row(format!("decode {} at {}", decode.n_tokens, decode.depth), decode.tokens_per_s, rest)?;
    }
    Ok(())
}
