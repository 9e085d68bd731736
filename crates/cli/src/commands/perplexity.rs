//! `goldcrest perplexity`: how well the model predicts a text.

use std::path::PathBuf;

use goldcrest::batch::{Batch, BatchRow, Wants};
use goldcrest::tokenizer::Encode;
use goldcrest::{EngineError, Runtime, Text};
use serde_json::{Value, json};

use crate::context::Context;
use crate::error::CliError;
use crate::loading::ModelArgs;
use crate::{given, output};

/// Rows between two looks at Ctrl-C; the engine cuts them further where a submit would take long.
const STEP: usize = 64;

/// Measure how well the model predicts a text
///
/// The text is cut into windows that do not overlap, and every token but the first of each is scored. Models that begin a text
/// with a token of their own get it at the start of every window. What is left over at the end is not scored.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    model: ModelArgs,
    /// The text, in UTF-8; - reads standard input
    #[arg(short = 'f', long, value_name = "FILE")]
    file: PathBuf,
    /// Tokens of a window
    #[arg(long, value_name = "TOKENS", default_value_t = 512, value_parser = clap::value_parser!(u32).range(2..1 << 24))]
    window: u32,
    /// Print one JSON object instead of one line
    #[arg(long)]
    json: bool,
}

/// Prints the perplexity; every window's figure goes to stderr as it comes.
pub(crate) fn run(mut args: Args, context: &Context) -> Result<(), CliError> {
    let words = given::text_file(&args.file)?;
    // More context than a window has would be memory for nothing.
    args.model.ctx = args.model.ctx.or(Some(i64::from(args.window)));
    let engine = args.model.load(context)?.engine;
    let mut runtime = engine.runtime().borrow_mut();
    let n_ctx = runtime.n_ctx();
    if args.window > n_ctx {
        return Err(EngineError::PromptTooLong { n_prompt: args.window as usize, n_ctx }.into());
    }
    let tokens =
        engine.text().tokenizer().encode(&words, Encode { add_special: false, parse_special: false });
    let windows = windows(engine.text(), &tokens, args.window as usize);
    if windows.is_empty() {
        let what = format!("has {} tokens, less than one window of {}", tokens.len(), args.window);
        return Err(given::bad_file(&args.file, what));
    }
    let (mut sums, mut n_scored) = (Vec::new(), 0);
    for (index, window) in windows.iter().enumerate() {
        let nll = pollster::block_on(score(&mut runtime, window, context))?;
        n_scored += window.len() - 1;
        sums.push(nll);
        let so_far = (sums.iter().sum::<f64>() / n_scored as f64).exp();
        context.report.notice(&format!(
            "window {} of {}: perplexity so far {so_far:.4}",
            index + 1,
            windows.len()
        ));
    }
    let nll_sum: f64 = sums.iter().sum();
    let perplexity = (nll_sum / n_scored as f64).exp();
    if args.json {
        return output::json(&json!({
            "n_tokens": tokens.len(),
            "n_scored": n_scored,
            "nll_sum": nll_sum,
            "perplexity": perplexity,
            "windows": sums.iter().map(|sum| json!({ "nll_sum": sum })).collect::<Vec<Value>>(),
        }));
    }
    output::line(&format!("perplexity {perplexity:.4} over {n_scored} tokens in {} windows", sums.len()))
}

fn windows(text: &Text, tokens: &[u32], size: usize) -> Vec<Vec<u32>> {
    let tokenizer = text.tokenizer();
    let first: Vec<u32> = tokenizer.bos().filter(|_| tokenizer.adds_bos()).into_iter().collect();
    tokens.chunks_exact(size - first.len()).map(|part| [&first, part].concat()).collect()
}

/// The sum of −ln p over all tokens of a window but the first.
async fn score(runtime: &mut Runtime, window: &[u32], context: &Context) -> Result<f64, CliError> {
    let seq = runtime.pool_mut().create();
    let targets = window.iter().skip(1);
    let rows: Vec<BatchRow> = (0..)
        .zip(window.iter().zip(targets))
        .map(|(pos, (token, target))| {
            let wants = Wants { logits_at: vec![*target], ..Wants::default() };
            BatchRow::token(*token, pos, seq).wanting(wants)
        })
        .collect();
    let mut nll = 0.0;
    for part in rows.chunks(STEP) {
        if context.interrupt.is_set() {
            return Err(CliError::Interrupted);
        }
        for row in runtime.forward(&Batch { rows: part.to_vec(), ..Batch::default() }).await?.rows {
            let log_sum_exp = row.stats.map_or(f32::NAN, |stats| stats.log_sum_exp);
            let logit = row.logits_at.first().copied().unwrap_or(f32::NAN);
            nll += f64::from(log_sum_exp) - f64::from(logit);
        }
    }
    runtime.pool_mut().free(seq)?;
    Ok(nll)
}
