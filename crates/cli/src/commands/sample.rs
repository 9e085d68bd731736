//! `goldcrest sample`: what a sampler chain does to a distribution.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use goldcrest::EngineError;
use goldcrest::sample::{Candidates, Chain, SampleError, StageTrace};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::context::Context;
use crate::error::CliError;
use crate::{given, output};

/// Candidates that are listed per stage.
const LISTED: usize = 10;

/// Show what a sampler chain does to a distribution, stage by stage
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// A JSON array of logits, one a token, or an object {"logits": […], "history": [token ids so far]}; - reads standard input
    #[arg(long, value_name = "FILE")]
    logits: PathBuf,
    /// Stages parted by |, as in "top_k(40) | top_p(0.95) | temp(0.8) | draw". Stages: bias, penalties, dry, no_repeat_ngram,
    /// no_cite, top_n_sigma, top_h, top_k, typical, top_p, min_p, epsilon, eta, xtc, temp, dynatemp; the end is draw, greedy,
    /// mirostat, mirostat_v2 or adaptive_p
    #[arg(long, value_name = "SPEC")]
    chain: String,
    /// Start of the random numbers
    #[arg(long, value_name = "S", default_value_t = 0)]
    seed: u64,
    /// How many tokens are chosen, each from the same distribution
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    draws: u32,
    /// Print one JSON object instead of tables
    #[arg(long)]
    json: bool,
}

#[derive(Deserialize)]
struct Given {
    logits: Vec<f32>,
    #[serde(default)]
    history: Vec<u32>,
}

/// No model is needed.
pub(crate) fn run(args: Args, _context: &Context) -> Result<(), CliError> {
    let given = read(&args.logits)?;
    let mut chain = Chain::parse(&args.chain, args.seed).map_err(EngineError::from)?;
    given.history.iter().for_each(|token| chain.accept(*token));
    let (traces, draws) = draw(&chain, &given.logits, args.draws).map_err(|error| match error {
        SampleError::NonFiniteLogits { .. } => given::bad_file(&args.logits, error.to_string()),
        other => EngineError::from(other).into(),
    })?;
    if args.json {
        return output::json(&json!({
            "chain": chain.spec(),
            "seed": args.seed,
            "stages": traces.iter().map(stage_json).collect::<Vec<Value>>(),
            "draws": draws,
            "counts": counts(&draws).iter().map(|(id, n)| json!({ "id": id, "n": n })).collect::<Vec<Value>>(),
        }));
    }
    for trace in &traces {
        output::line(&format!("{}: {} candidates", trace.stage, trace.n_candidates))?;
        for (candidate, p) in &trace.top {
            output::line(&format!(
                "  {:>7}  logit {:9.4}  {:6.2} %",
                candidate.id,
                candidate.logit,
                100.0 * p
            ))?;
        }
    }
    for (id, n) in counts(&draws) {
        output::line(&format!("chosen: {id:>7}  {n} of {}", draws.len()))?;
    }
    Ok(())
}

fn read(path: &Path) -> Result<Given, CliError> {
    let json = match given::json_file(path)? {
        Value::Array(logits) => json!({ "logits": logits }),
        other => other,
    };
    serde_json::from_value(json).map_err(|error| given::bad_file(path, format!("holds no logits: {error}")))
}

/// What the stages leave over, and tokens chosen at positions 0, 1, 2, … of which each has random numbers of its own.
fn draw(chain: &Chain, logits: &[f32], n: u32) -> Result<(Vec<StageTrace>, Vec<u32>), SampleError> {
    let row = Candidates::from_row(logits)?;
    let (choice, traces) = chain.choose_traced(&mut row.clone(), 0, LISTED)?;
    let others = (1..n).map(|position| Ok(chain.choose(&mut row.clone(), position)?.id));
    let draws = std::iter::once(Ok(choice.id)).chain(others).collect::<Result<_, SampleError>>()?;
    Ok((traces, draws))
}

fn stage_json(trace: &StageTrace) -> Value {
    let entry = |(candidate, p): &(goldcrest::sample::Candidate, f32)| json!({ "id": candidate.id, "logit": candidate.logit, "p": p });
    let top: Vec<Value> = trace.top.iter().map(entry).collect();
    json!({ "stage": trace.stage, "n_candidates": trace.n_candidates, "top": top })
}

/// How often each token was chosen, most often first.
fn counts(draws: &[u32]) -> Vec<(u32, usize)> {
    let mut counts = BTreeMap::new();
    for id in draws {
        *counts.entry(*id).or_insert(0) += 1;
    }
    let mut counts: Vec<_> = counts.into_iter().collect();
    counts.sort_by_key(|(_, n)| std::cmp::Reverse(*n));
    counts
}
