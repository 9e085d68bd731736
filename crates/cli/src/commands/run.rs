//! `goldcrest run`: one generation.

use std::io::{self, IsTerminal};
use std::path::PathBuf;

use goldcrest::decode::strategy::FormBy;
use goldcrest::decode::{DecodeError, Decoding, Method};
use goldcrest::prompt::RenderInput;
use goldcrest::record::Way;
use goldcrest::{Finish, Prompt, Request};
use serde_json::{Value, json};

use super::tokenize::piece;
use crate::context::Context;
use crate::error::CliError;
use crate::form::{FormArgs, compile};
use crate::generating::{self, Answer, Making, SamplingArgs};
use crate::given::TokenList;
use crate::loading::{Loaded, ModelArgs};
use crate::output;
use crate::record;
use crate::strategy::StrategyArgs;

/// Answer one prompt
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    model: ModelArgs,
    /// The prompt; without it standard input is read
    #[arg(short = 'p', long = "prompt", value_name = "TEXT", allow_hyphen_values = true)]
    prompt: Option<String>,
    /// Exactly these token ids as the prompt, parted by commas
    #[arg(long, value_name = "LIST", conflicts_with_all = ["prompt", "system"])]
    tokens: Option<TokenList>,
    /// A message to the model ahead of the prompt, such as who it is to be
    #[arg(long, value_name = "TEXT", allow_hyphen_values = true, conflicts_with = "raw")]
    system: Option<String>,
    /// Continue the prompt as it is, without the model's chat template
    #[arg(long)]
    raw: bool,
    /// Most tokens of the answer; without it the model decides, up to the end of the context
    #[arg(short = 'n', long = "max-tokens", value_name = "N", allow_negative_numbers = true)]
    n: Option<i64>,
    /// Go on where the model would end
    #[arg(long)]
    ignore_eos: bool,
    /// With --json: log-probabilities of each token and its K best alternatives, which a strategy has none of
    #[arg(long, value_name = "K", requires = "json")]
    logprobs: Option<usize>,
    /// Print one JSON object at the end instead of text as it comes
    #[arg(long)]
    json: bool,
    /// Write all that is needed to repeat the answer to this file; `goldcrest verify` repeats it. The host then takes part in every
    /// step. Not for strategies that ask a scorer or a server
    #[arg(long, value_name = "FILE", conflicts_with = "remote")]
    record: Option<PathBuf>,
    #[command(flatten)]
    sampling: SamplingArgs,
    #[command(flatten)]
    strategy: StrategyArgs,
    #[command(flatten)]
    form: FormArgs,
}

/// Streams the answer to stdout, or prints it as JSON.
pub(crate) fn run(args: Args, context: &Context) -> Result<(), CliError> {
    args.model.options()?;
    let mut sampler = args.sampling.params(if args.json { 0.0 } else { 0.7 })?;
    let max_tokens = generating::max_tokens(args.n)?;
    let logprobs = generating::logprobs(args.logprobs)?;
    let method = args.strategy.method(args.model.deterministic)?;
    let form = args.form.read()?;
    let holds = |method: &&Method| form.is_none() || method.form() != FormBy::Nothing;
    if let Some(method) = method.as_ref().filter(|method| !holds(method)) {
        return Err(DecodeError::Unconstrained { method: method.name() }.into());
    }
    let given = Given::read(&args)?;
    let found = args.model.find(context)?;
    let constraint = form.as_ref().map(|form| compile(form, &found.gguf)).transpose()?;
    let model = found.path.clone();
    let loaded = args.model.load_found(found, context)?;
    args.sampling.further.apply_texts(&mut sampler, loaded.engine.text())?;
    let asked = given.messages(&args);
    let prompt = given.into_prompt(&args, &loaded, context)?;
    let (seed, greedy) = (sampler.seed, sampler.is_greedy());
    let stop = args.sampling.stop.clone();
    let ignore_eos = args.ignore_eos;
    let request =
        Request { max_tokens, sampler, stop, ignore_eos, logprobs, constraint, ..Request::greedy(prompt) };
    let mut session = loaded.engine.session();
    let prompt = session.encode(&request.prompt)?;
    // The record shows how close each choice was.
    let shown = args.record.as_ref().map_or(logprobs, |_| Some(logprobs.unwrap_or(0).max(2)));
    let request = Request { prompt: Prompt::Tokens(prompt.clone()), logprobs: shown, ..request };
    let strategy = method.as_ref().map(Method::name);
    let learnt = args.strategy.learnt(loaded.engine.runtime().borrow().config().n_vocab)?;
    let mut way = Way { form, strategy: None };
    let making = match method {
        None => Making::from(session.generate(request.clone())?),
        Some(method) => {
            let encode = |text: &String| session.encode(&as_prompt(text.clone(), &args, &loaded));
            let references: Vec<Vec<u32>> =
                args.strategy.references.iter().map(encode).collect::<Result<_, _>>()?;
            let (others, paths) = args.strategy.others(&loaded, &args.model, context)?;
            if args.record.is_some() {
                way.strategy = Some(args.strategy.recorded(&method, references.clone(), &paths, greedy)?);
            }
            let mut resources = args.strategy.resources(references)?;
            resources.learnt.clone_from(&learnt);
            let interrupt = &context.interrupt;
            resources.remote = args.strategy.remote.server(asked, session.text(), interrupt);
            Making::from(Decoding::start(&mut session, &request, method, resources, others)?)
        }
    };
    let answer = generating::answer(making, !args.json, context)?;
    args.strategy.keep(learnt.as_ref())?;
    if let Some(path) = &args.record {
        let body = record::body(&model, &loaded, &request, &way, &answer, args.model.deterministic)?;
        record::write(body, path)?;
    }
    if args.json {
        output::json(&report(&loaded, &prompt, &answer, logprobs, strategy))?;
    } else {
        output::line("")?;
        if io::stderr().is_terminal() {
            let seed = if greedy { String::new() } else { format!(", seed {seed}") };
            let adapter = &loaded.engine.runtime().borrow().device().info().name.clone();
            context.report.notice(&format!("\n[{} on {adapter}{seed}]", generating::times(&answer.stats)));
        }
    }
    if answer.finish == Finish::Aborted { Err(CliError::Interrupted) } else { Ok(()) }
}

/// The prompt as it was given, complete before anything is fetched or loaded.
enum Given {
    Tokens(Vec<u32>),
    Text(String),
}

impl Given {
    fn read(args: &Args) -> Result<Self, CliError> {
        let given = match (&args.tokens, &args.prompt) {
            (Some(tokens), _) => Self::Tokens(tokens.0.clone()),
            (None, Some(text)) => Self::Text(text.clone()),
            (None, None) if io::stdin().is_terminal() => return Err(CliError::EmptyPrompt),
            (None, None) => {
                let mut text = io::read_to_string(io::stdin()).map_err(CliError::Stdin)?;
                // The line end that every command writes is no part of what is asked.
                if !args.raw && text.ends_with('\n') {
                    text.pop();
                }
                Self::Text(text)
            }
        };
        let empty = match &given {
            Self::Tokens(tokens) => tokens.is_empty(),
            Self::Text(text) => text.is_empty(),
        };
        if empty { Err(CliError::EmptyPrompt) } else { Ok(given) }
    }

    /// The prompt as a conversation.
    fn messages(&self, args: &Args) -> Value {
        match self {
            Self::Tokens(_) => Value::Null,
            Self::Text(text) => messages(text, args),
        }
    }

    fn into_prompt(self, args: &Args, loaded: &Loaded, context: &Context) -> Result<Prompt, CliError> {
        let text = match self {
            Self::Tokens(tokens) => return Ok(Prompt::Tokens(tokens)),
            Self::Text(text) => text,
        };
        if !args.raw && as_it_is(args, loaded) {
            context.report.notice("this model has no chat template: it continues the prompt as it is");
        }
        Ok(as_prompt(text, args, loaded))
    }
}

/// Whether the model continues the text itself, without a template around it.
fn as_it_is(args: &Args, loaded: &Loaded) -> bool {
    args.raw || (!loaded.engine.text().has_template() && args.system.is_none())
}

fn as_prompt(text: String, args: &Args, loaded: &Loaded) -> Prompt {
    // Beside a prompt of exact tokens a template would be something that the prompt does not have.
    if as_it_is(args, loaded) || args.tokens.is_some() {
        return Prompt::Text { text, parse_special: false };
    }
    let messages = messages(&text, args);
    let input = RenderInput { messages, add_generation_prompt: true, ..RenderInput::default() };
    Prompt::Chat(Box::new(input))
}

fn messages(text: &str, args: &Args) -> Value {
    let user = json!({ "role": "user", "content": text });
    match &args.system {
        Some(system) => json!([{ "role": "system", "content": system }, user]),
        None => json!([user]),
    }
}

fn report(
    loaded: &Loaded,
    prompt: &[u32],
    answer: &Answer,
    logprobs: Option<usize>,
    strategy: Option<&str>,
) -> Value {
    let (info, text) = (loaded.engine.info(), loaded.engine.text());
    let runtime = loaded.engine.runtime().borrow();
    let adapter = runtime.device().info();
    let stats = &answer.stats;
    let mut report = json!({
        "model": { "name": info.name, "arch": info.arch, "file_type": info.file_type, "n_params": info.n_params },
        "adapter": { "name": adapter.name, "backend": adapter.backend, "type": adapter.kind.name() },
        "prompt_tokens": prompt,
        "tokens": answer.ids,
        "text": answer.text,
        "finish_reason": answer.finish.name(),
        "stats": {
            "load_ms": loaded.load_ms,
            "prefill_tokens": stats.prefill_tokens,
            "prefill_ms": stats.prefill_ms,
            "ttft_ms": stats.ttft_ms,
            "decode_tokens": stats.decode_tokens,
            "decode_ms": stats.decode_ms,
            "forward_passes": stats.forward_passes,
            "submits": stats.submits,
            "readbacks": stats.readbacks,
            "dispatches_per_token": stats.dispatches_per_token,
        },
    });
    if let (Some(name), Some(said)) = (strategy, &answer.strategy) {
        let mut entry = json!({ "name": name });
        said.iter().for_each(|(key, value)| entry[key] = value.clone());
        report["strategy"] = entry;
    }
    if logprobs.is_some() {
        let entry =
            |(id, logprob): &(u32, f32)| json!({ "id": id, "piece": piece(text, *id), "logprob": logprob });
        let token = |token: &goldcrest::TokenEvent| {
            json!({
                "token": token.token,
                "piece": piece(text, token.token),
                "logprob": token.logprob,
                "top": token.top.iter().take(logprobs.unwrap_or(0)).map(entry).collect::<Vec<_>>(),
            })
        };
        report["logprobs"] = answer.tokens.iter().map(token).collect();
    }
    report
}
