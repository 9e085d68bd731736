//! `goldcrest logits`: what the model expects after a text.

use goldcrest::batch::{Batch, BatchRow, RowResult, Wants};
use goldcrest::prompt::RenderInput;
use goldcrest::{Engine, EngineError, Prompt};
use serde_json::{Value, json};

use super::tokenize::piece;
use crate::context::Context;
use crate::error::CliError;
use crate::given::{self, TokenList};
use crate::loading::ModelArgs;
use crate::output;

/// Candidates that the device sorts by itself; for more the whole row comes back.
const SORTED: usize = 256;

/// Show what the model expects after a text
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    model: ModelArgs,
    /// The text, as a user's message; without it standard input is read
    #[arg(short = 'p', long = "prompt", value_name = "TEXT", allow_hyphen_values = true)]
    prompt: Option<String>,
    /// Exactly these token ids, parted by commas, in place of a text
    #[arg(long, value_name = "LIST", conflicts_with = "prompt")]
    tokens: Option<TokenList>,
    /// Take the text as it is, without the model's chat template
    #[arg(long)]
    raw: bool,
    /// How many of the likeliest tokens
    #[arg(long, value_name = "K", default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..))]
    top: u32,
    /// Print one JSON object instead of a table
    #[arg(long)]
    json: bool,
}

/// Runs the text through the model once.
pub(crate) fn run(args: Args, context: &Context) -> Result<(), CliError> {
    args.model.options()?;
    let prompt = match (args.tokens, args.raw) {
        (Some(tokens), _) => Prompt::Tokens(tokens.0),
        (None, raw) => {
            let text = given::text_or_stdin(args.prompt, context)?;
            if raw { Prompt::Text { text, parse_special: false } } else { chat(&text) }
        }
    };
    let engine = args.model.load(context)?.engine;
    let tokens = engine.session().encode(&prompt)?;
    let top = best(&engine, &tokens, args.top as usize, context)?;
    let text = engine.text();
    if args.json {
        let entry =
            |(id, logprob): &(u32, f32)| json!({ "id": id, "piece": piece(text, *id), "logprob": logprob });
        return output::json(
            &json!({ "tokens": tokens, "top": top.iter().map(entry).collect::<Vec<Value>>() }),
        );
    }
    for (id, logprob) in top {
        output::line(&format!(
            "{logprob:9.4}  {:6.2} %  {id:>7}  {:?}",
            100.0 * logprob.exp(),
            piece(text, id)
        ))?;
    }
    Ok(())
}

/// A conversation of one message.
fn chat(text: &str) -> Prompt {
    let messages = json!([{ "role": "user", "content": text }]);
    Prompt::Chat(Box::new(RenderInput { messages, add_generation_prompt: true, ..RenderInput::default() }))
}

/// The likeliest tokens behind `tokens` with their log-probabilities, best first.
fn best(engine: &Engine, tokens: &[u32], n: usize, context: &Context) -> Result<Vec<(u32, f32)>, CliError> {
    let mut runtime = engine.runtime().borrow_mut();
    let Some((last, before)) = tokens.split_last() else { return Err(EngineError::EmptyPrompt.into()) };
    let n_ctx = runtime.n_ctx();
    if tokens.len() > n_ctx as usize {
        return Err(EngineError::PromptTooLong { n_prompt: tokens.len(), n_ctx }.into());
    }
    let wants = Wants { top: if n > SORTED { 0 } else { n as u32 }, row: n > SORTED, ..Wants::default() };
    let seq = runtime.pool_mut().create();
    let row = BatchRow::token(*last, before.len() as u32, seq).wanting(wants);
    pollster::block_on(runtime.prefill(seq, before, &mut |_| !context.interrupt.is_set()))?;
    let batch = Batch { rows: vec![row], ..Batch::default() };
    let result = pollster::block_on(runtime.forward(&batch))?.rows;
    Ok(result.into_iter().next().map(|row| ranked(row, n)).unwrap_or_default())
}

fn ranked(row: RowResult, n: usize) -> Vec<(u32, f32)> {
    let log_sum_exp = row.stats.map_or(0.0, |stats| stats.log_sum_exp);
    let mut top = row.top;
    if top.is_empty() {
        top = (0..).zip(row.logits).collect();
        top.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
    }
    top.truncate(n);
    top.into_iter().map(|(id, logit)| (id, logit - log_sum_exp)).collect()
}
