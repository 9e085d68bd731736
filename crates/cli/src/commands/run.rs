//! `goldcrest run`: one generation.

use std::io::{self, IsTerminal};
use std::path::PathBuf;

use goldcrest::prompt::RenderInput;
use goldcrest::{Finish, Prompt, Request};
use serde_json::{Value, json};

use super::tokenize::piece;
use crate::context::Context;
use crate::error::CliError;
use crate::generating::{self, Answer, SamplingArgs};
use crate::given::TokenList;
use crate::loading::{Loaded, ModelArgs};
use crate::output;
use crate::record::{Body, Record};

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
    /// With --json: log-probabilities of each token and its K best alternatives
    #[arg(long, value_name = "K", requires = "json")]
    logprobs: Option<usize>,
    /// Print one JSON object at the end instead of text as it comes
    #[arg(long)]
    json: bool,
    /// Write all that is needed to repeat the answer to this file; `goldcrest verify` repeats it. The host then takes part in every
    /// step
    #[arg(long, value_name = "FILE")]
    record: Option<PathBuf>,
    #[command(flatten)]
    sampling: SamplingArgs,
    #[command(flatten)]
    later: Later,
}

/// Options of methods that come with later versions.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Not available in this version")]
struct Later {
    /// An answer in JSON that fits a schema
    #[arg(long, value_name = "FILE_OR_TEXT", allow_hyphen_values = true)]
    json_schema: Option<String>,
    /// An answer that matches a regular expression
    #[arg(long, value_name = "R", allow_hyphen_values = true)]
    regex: Option<String>,
    /// An answer that fits a grammar
    #[arg(long, value_name = "FILE")]
    grammar: Option<String>,
    /// A way of searching for the answer
    #[arg(long, value_name = "NAME[:key=value,...]")]
    strategy: Option<String>,
    /// A way of guessing several tokens at once
    #[arg(long, value_name = "NAME[:key=value,...]")]
    speculate: Option<String>,
}

impl Later {
    fn refuse(&self) -> Result<(), CliError> {
        let given = [
            ("--json-schema", &self.json_schema),
            ("--regex", &self.regex),
            ("--grammar", &self.grammar),
            ("--strategy", &self.strategy),
            ("--speculate", &self.speculate),
        ];
        match given.into_iter().find(|(_, value)| value.is_some()) {
            Some((option, _)) => Err(CliError::NotAvailable { option }),
            None => Ok(()),
        }
    }
}

/// Streams the answer to stdout, or prints it as JSON.
pub(crate) fn run(args: Args, context: &Context) -> Result<(), CliError> {
    args.later.refuse()?;
    args.model.options()?;
    let mut sampler = args.sampling.params(if args.json { 0.0 } else { 0.7 })?;
    let max_tokens = generating::max_tokens(args.n)?;
    let logprobs = generating::logprobs(args.logprobs)?;
    let given = Given::read(&args)?;
    let loaded = args.model.load(context)?;
    args.sampling.further.apply_texts(&mut sampler, loaded.engine.text())?;
    let prompt = given.into_prompt(&args, &loaded, context)?;
    let (seed, greedy) = (sampler.seed, sampler.is_greedy());
    let stop = args.sampling.stop.clone();
    let ignore_eos = args.ignore_eos;
    let request = Request { max_tokens, sampler, stop, ignore_eos, logprobs, ..Request::greedy(prompt) };
    let mut session = loaded.engine.session();
    let prompt = session.encode(&request.prompt)?;
    // The record shows how close each choice was.
    let shown = args.record.as_ref().map_or(logprobs, |_| Some(logprobs.unwrap_or(0).max(2)));
    let request = Request { prompt: Prompt::Tokens(prompt.clone()), logprobs: shown, ..request };
    let generation = session.generate(request.clone())?;
    let answer = generating::answer(generation, !args.json, context)?;
    if let Some(path) = &args.record {
        let model = args.model.model.resolve(context)?;
        Record::new(Body::new(&model, &loaded, &request, &answer)?)?.write(path)?;
    }
    if args.json {
        output::json(&report(&loaded, &prompt, &answer, logprobs))?;
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

    fn into_prompt(self, args: &Args, loaded: &Loaded, context: &Context) -> Result<Prompt, CliError> {
        let text = match self {
            Self::Tokens(tokens) => return Ok(Prompt::Tokens(tokens)),
            Self::Text(text) => text,
        };
        let untaught = !loaded.engine.text().has_template() && args.system.is_none();
        if args.raw || untaught {
            if !args.raw {
                context.report.notice("this model has no chat template: it continues the prompt as it is");
            }
            return Ok(Prompt::Text { text, parse_special: false });
        }
        let user = json!({ "role": "user", "content": text });
        let messages = match &args.system {
            Some(system) => json!([{ "role": "system", "content": system }, user]),
            None => json!([user]),
        };
        let input = RenderInput { messages, add_generation_prompt: true, ..RenderInput::default() };
        Ok(Prompt::Chat(Box::new(input)))
    }
}

fn report(loaded: &Loaded, prompt: &[u32], answer: &Answer, logprobs: Option<usize>) -> Value {
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
