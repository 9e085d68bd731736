//! `goldcrest inspect`: what a model file holds and how much memory it will take.

use std::collections::BTreeMap;

use goldcrest::gguf::{Gguf, TensorInfo};
use goldcrest::model::Config;
use goldcrest::{EngineError, MemoryPlan, ModelInfo, Text};
use serde::Serialize;

use crate::context::Context;
use crate::error::CliError;
use crate::loading::{ModelArg, describe};
use crate::output::{self, size};

/// Show what a model file holds and how much memory it will take
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// A path, a name that `goldcrest list` shows, a URL or hf:org/repo[:quant]
    #[arg(value_name = "MODEL")]
    file: Option<String>,
    #[command(flatten)]
    model: ModelArg,
    /// Context to plan memory for, in tokens; without it what the model was trained for, but at most 4096
    #[arg(short = 'c', long = "ctx", value_name = "TOKENS", value_parser = clap::value_parser!(u32).range(1..))]
    ctx: Option<u32>,
    /// List every tensor
    #[arg(long)]
    tensors: bool,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct Report<'a> {
    name: String,
    arch: &'static str,
    file_type: String,
    n_params: u64,
    n_ctx_train: u32,
    n_vocab: u32,
    n_layer: u32,
    n_embd: u32,
    n_head: u32,
    n_head_kv: u32,
    head_dim: u32,
    sliding_window: Option<u32>,
    tokenizer: Option<&'a str>,
    pre_tokenizer: Option<&'a str>,
    chat_template: bool,
    license: Option<&'a str>,
    types: BTreeMap<&'static str, TypeSum>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tensors: Option<Vec<Tensor<'a>>>,
    memory: Memory,
}

#[derive(Default, Serialize)]
struct TypeSum {
    tensors: u64,
    params: u64,
    bytes: u64,
}

#[derive(Serialize)]
struct Tensor<'a> {
    name: &'a str,
    #[serde(rename = "type")]
    ty: &'static str,
    shape: &'a [u64],
    bytes: u64,
}

#[derive(Serialize)]
struct Memory {
    weights: u64,
    kv_per_token: u64,
    scratch: u64,
    total: u64,
    n_ctx: u32,
}

/// Only the header of the file is read; a file that cannot be run is an error that says why.
pub(crate) fn run(args: Args, context: &Context) -> Result<(), CliError> {
    if args.file.is_some() && args.model.model.is_some() {
        let message = "the model is given twice".to_owned();
        return Err(CliError::Usage { message, help: "give it once, with or without -m".to_owned() });
    }
    let model = ModelArg { model: args.file.or(args.model.model) };
    let (gguf, _) = describe(&model.resolve(context)?)?;
    let report = report(&gguf, args.ctx.unwrap_or(0), args.tensors)?;
    if args.json { output::json(&report) } else { print(&report) }
}

fn report(gguf: &Gguf, n_ctx: u32, tensors: bool) -> Result<Report<'_>, EngineError> {
    let cfg = Config::from_gguf(gguf)?;
    let text = Text::from_gguf(gguf, None)?;
    let info = ModelInfo::new(gguf, &cfg);
    let plan = MemoryPlan::new(gguf, n_ctx)?;
    let word = |key: &str| gguf.metadata.get_str(key).ok();
    let mut types = BTreeMap::<_, TypeSum>::new();
    for tensor in &gguf.tensors {
        let sum = types.entry(tensor.ty.name()).or_default();
        sum.tensors += 1;
        sum.params += tensor.n_elements();
        sum.bytes += tensor.n_bytes;
    }
    Ok(Report {
        name: info.name,
        arch: info.arch,
        file_type: info.file_type,
        n_params: info.n_params,
        n_ctx_train: cfg.n_ctx_train,
        n_vocab: cfg.n_vocab,
        n_layer: cfg.n_layer,
        n_embd: cfg.n_embd,
        n_head: cfg.n_head,
        n_head_kv: cfg.n_head_kv,
        head_dim: cfg.head_dim,
        sliding_window: cfg.sliding_window,
        tokenizer: word("tokenizer.ggml.model"),
        pre_tokenizer: word("tokenizer.ggml.pre"),
        chat_template: text.has_template(),
        license: word("general.license"),
        types,
        tensors: tensors.then(|| gguf.tensors.iter().map(tensor).collect()),
        memory: Memory {
            weights: plan.weights,
            kv_per_token: plan.kv_per_token,
            scratch: plan.scratch,
            total: plan.total,
            n_ctx: plan.n_ctx,
        },
    })
}

fn tensor(info: &TensorInfo) -> Tensor<'_> {
    let shape = info.dims.get(..info.n_dims as usize).unwrap_or_default();
    Tensor { name: &info.name, ty: info.ty.name(), shape, bytes: info.n_bytes }
}

fn print(report: &Report<'_>) -> Result<(), CliError> {
    let row = |name: &str, value: String| output::line(&format!("{name:<13} {value}"));
    row("name", report.name.clone())?;
    row("architecture", report.arch.to_owned())?;
    row("parameters", format!("{:.1} million, mostly {}", report.n_params as f64 / 1e6, report.file_type))?;
    row("layers", format!("{} of width {}", report.n_layer, report.n_embd))?;
    let heads = format!("{} of {}, {} for keys and values", report.n_head, report.head_dim, report.n_head_kv);
    row("heads", heads)?;
    let window = report.sliding_window.map_or_else(String::new, |n| format!(", sliding window {n}"));
    row("context", format!("{} tokens{window}", report.n_ctx_train))?;
    let rule = report.pre_tokenizer.map_or_else(String::new, |pre| format!(" ({pre})"));
    row("vocabulary", format!("{} tokens, {}{rule}", report.n_vocab, report.tokenizer.unwrap_or("unknown")))?;
    row("chat template", if report.chat_template { "yes" } else { "no" }.to_owned())?;
    row("licence", report.license.unwrap_or("not stated").to_owned())?;
    output::line("")?;
    for (name, sum) in &report.types {
        row(
            name,
            format!("{:>4} tensors {:>12} parameters {:>10}", sum.tensors, sum.params, size(sum.bytes)),
        )?;
    }
    output::line("")?;
    let memory = &report.memory;
    output::line(&format!("memory at a context of {} tokens", memory.n_ctx))?;
    row("  weights", format!("{:>10}", size(memory.weights)))?;
    let kv = memory.kv_per_token * u64::from(memory.n_ctx);
    row("  context", format!("{:>10}  ({} per token)", size(kv), size(memory.kv_per_token)))?;
    row("  scratch", format!("{:>10}", size(memory.scratch)))?;
    row("  total", format!("{:>10}", size(memory.total)))?;
    let Some(tensors) = &report.tensors else { return Ok(()) };
    output::line("")?;
    for tensor in tensors {
        let shape = tensor.shape.iter().map(u64::to_string).collect::<Vec<_>>().join("×");
        output::line(&format!(
            "{:<32} {:<7} {shape:<16} {:>10}",
            tensor.name,
            tensor.ty,
            size(tensor.bytes)
        ))?;
    }
    Ok(())
}
