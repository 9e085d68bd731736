//! `goldcrest drift`: whether the same question gets the same answer.

use std::collections::BTreeMap;

use goldcrest::score::{Z_95, wilson};
use goldcrest::{Prompt, Request};
use serde_json::{Value, json};

use crate::context::Context;
use crate::error::CliError;
use crate::generating::{self, SamplingArgs};
use crate::loading::ModelArgs;
use crate::output;
use goldcrest::record::{CLOSE_CALL, Step, closest};

/// Run one prompt several times and say how often the answer is the same
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    model: ModelArgs,
    /// The prompt, continued as it is
    #[arg(short = 'p', long = "prompt", value_name = "TEXT", allow_hyphen_values = true)]
    prompt: String,
    /// How often
    #[arg(long, value_name = "N", default_value_t = 16, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    runs: u32,
    /// Tokens of each answer
    #[arg(
        short = 'n',
        long = "max-tokens",
        value_name = "N",
        allow_negative_numbers = true,
        default_value = "64"
    )]
    n: Option<i64>,
    /// Take another seed each time: how much sampling alone varies
    #[arg(long)]
    vary_seed: bool,
    /// Print one JSON object instead of lines
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    sampling: SamplingArgs,
}

/// What several runs of one prompt came to.
struct Drift {
    /// Runs that gave the most frequent answer.
    modal: u64,
    runs: u64,
    distinct: usize,
    /// First token at which a run leaves the most frequent answer, and how many of the runs do so there or later.
    first_difference: Option<usize>,
    /// Step and size of the smallest gap in any run.
    closest: Option<(usize, Step)>,
}

/// A new session each time, so that nothing of a run is left for the next.
pub(crate) fn run(args: Args, context: &Context) -> Result<(), CliError> {
    args.model.options()?;
    let mut sampler = args.sampling.params(0.0)?;
    let max_tokens = generating::max_tokens(args.n)?;
    if args.prompt.is_empty() {
        return Err(CliError::EmptyPrompt);
    }
    let loaded = args.model.load(context)?;
    args.sampling.further.apply_texts(&mut sampler, loaded.engine.text())?;
    let prompt = Prompt::Text { text: args.prompt.clone(), parse_special: false };
    let base = Request {
        max_tokens,
        sampler,
        stop: args.sampling.stop.clone(),
        logprobs: Some(2),
        ..Request::greedy(prompt)
    };
    let mut answers = Vec::new();
    for run in 0..args.runs {
        let mut request = base.clone();
        if args.vary_seed {
            request.sampler.seed = request.sampler.seed.wrapping_add(u64::from(run));
        }
        let mut session = loaded.engine.session();
        let answer = generating::answer(session.generate(request)?, false, context)?;
        if context.interrupt.is_set() {
            return Err(CliError::Interrupted);
        }
        answers.push((answer.ids, answer.tokens.iter().map(Step::of).collect()));
    }
    let drift = Drift::of(&answers);
    let (low, high) = wilson(drift.modal, drift.runs, Z_95).unwrap_or((0.0, 1.0));
    if args.json {
        return output::json(&drift.report(low, high));
    }
    let share = 100.0 * drift.modal as f64 / drift.runs as f64;
    output::line(&format!(
        "{} of {} runs agree ({share:.1} %, 95 % interval {:.1} to {:.1} %), {} distinct answers",
        drift.modal,
        drift.runs,
        100.0 * low,
        100.0 * high,
        drift.distinct
    ))?;
    if let Some(step) = drift.first_difference {
        output::line(&format!("the first difference is at token {step}"))?;
    }
    if let Some((at, step)) = drift.closest {
        let close = if step.gap < CLOSE_CALL { ": other devices may part here" } else { "" };
        output::line(&format!("the two best logits are closest at token {at}, {} apart{close}", step.gap))?;
    }
    Ok(())
}

impl Drift {
    /// Of at least one answer, each with its steps.
    fn of(answers: &[(Vec<u32>, Vec<Step>)]) -> Self {
        let mut counts: BTreeMap<&[u32], u64> = BTreeMap::new();
        for (tokens, _) in answers {
            *counts.entry(tokens).or_default() += 1;
        }
        let most = counts.values().copied().max().unwrap_or(0);
        let first = answers.iter().map(|(tokens, _)| tokens.as_slice());
        let modal = first.into_iter().find(|tokens| counts.get(tokens) == Some(&most)).unwrap_or_default();
        let parts = |tokens: &[u32]| {
            let differs = modal.iter().zip(tokens).position(|(a, b)| a != b);
            differs.or((modal.len() != tokens.len()).then_some(modal.len().min(tokens.len())))
        };
        let gaps = answers.iter().filter_map(|(_, steps)| closest(steps).map(|at| (at, steps[at])));
        Self {
            modal: most,
            runs: answers.len() as u64,
            distinct: counts.len(),
            first_difference: answers.iter().filter_map(|(tokens, _)| parts(tokens)).min(),
            closest: gaps.min_by(|a, b| a.1.gap.total_cmp(&b.1.gap)),
        }
    }

    fn report(&self, low: f64, high: f64) -> Value {
        json!({
            "runs": self.runs,
            "equal": self.modal,
            "share": self.modal as f64 / self.runs as f64,
            "interval": [low, high],
            "distinct": self.distinct,
            "first_difference": self.first_difference,
            "smallest_gap": self.closest.map(|(at, step)| json!({ "step": at, "gap": step.gap })),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(tokens: &[u32], gap: f32) -> (Vec<u32>, Vec<Step>) {
        (tokens.to_vec(), tokens.iter().map(|token| Step { token: *token, logprob: -1.0, gap }).collect())
    }

    #[test]
    fn answers_are_compared_with_the_most_frequent_one() {
        let answers =
            [answer(&[1, 2, 4], 0.5), answer(&[1, 2, 3], 0.5), answer(&[1, 2, 3], 0.1), answer(&[1, 2], 0.5)];
        let drift = Drift::of(&answers);
        assert_eq!((drift.modal, drift.runs, drift.distinct, drift.first_difference), (2, 4, 3, Some(2)));
        assert_eq!(drift.closest.map(|(at, step)| (at, step.gap)), Some((0, 0.1)));
        let same = Drift::of(&answers[1..3]);
        assert_eq!((same.modal, same.distinct, same.first_difference), (2, 1, None));
    }
}
