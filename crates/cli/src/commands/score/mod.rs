//! `goldcrest score`: how likely given texts are behind a prompt.

mod several;

use std::path::PathBuf;

use goldcrest::score::Length;
use goldcrest::{Calibrate, Labelled, Question, SLOT, classify};
use serde_json::{Value, json};

use self::several::Several;
use super::tokenize::piece;
use crate::context::Context;
use crate::error::CliError;
use crate::loading::ModelArgs;
use crate::{given, output};

/// Say how likely given continuations of a prompt are
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    pub(super) model: ModelArgs,
    /// The prompt, continued as it is; {} in it is where the inputs go. Several are combined as --combine says
    #[arg(short = 'p', long = "prompt", value_name = "TEXT", allow_hyphen_values = true, required = true)]
    pub(super) prompt: Vec<String>,
    /// The continuations, each with the space that stands before it; one that is the name of a file stands for its lines
    #[arg(long, value_name = "TEXT_OR_FILE", num_args = 1.., required = true)]
    choices: Vec<String>,
    /// A text for the {} of the prompt; may be given several times
    #[arg(long, value_name = "TEXT", allow_hyphen_values = true)]
    input: Vec<String>,
    /// A file with an input a line
    #[arg(long, value_name = "FILE")]
    inputs: Option<PathBuf>,
    /// Put the prompt into the model's chat template, as the user's message
    #[arg(long)]
    chat: bool,
    /// Divide by what the prompt says anyway: cbm (the mean over the inputs), cc (inputs without content), pmi (no input)
    #[arg(long, value_name = "NAME", default_value = "none")]
    pub(super) calibrate: String,
    /// What several prompts come to: one of them, chosen without knowing a label (mi, mi_g, ge, le, mdl; mi_l for each input), or
    /// all of them (mean, max, majority, mpd)
    #[arg(long, value_name = "NAME")]
    pub(super) combine: Option<String>,
    /// For --combine mpd: a file of inputs whose choice is known, a line each: the choice, a tab, the input
    #[arg(long, value_name = "FILE")]
    pub(super) examples: Option<PathBuf>,
    /// What the length of a choice does to its score: sum, mean, first (of its tokens' log-probabilities)
    #[arg(long, value_name = "NAME", default_value = "sum")]
    length: String,
    /// Print one JSON object instead of lines
    #[arg(long)]
    pub(super) json: bool,
}

/// One line a choice, the likeliest first; with several inputs, one line an input.
pub(crate) fn run(args: Args, context: &Context) -> Result<(), CliError> {
    args.model.options()?;
    let question = question(&args)?;
    if let Some(several) = Several::read(&args, &question)? {
        return several.run(&args, &question, context);
    }
    let loaded = args.model.load(context)?;
    let labelled = pollster::block_on(classify(&loaded.engine.session(), &question))?;
    if args.json {
        let text = loaded.engine.text();
        let tokens = |scored: &goldcrest::Scored| -> Value {
            let token =
                |(id, lp): (&u32, &f32)| json!({ "id": id, "piece": piece(text, *id), "logprob": lp });
            scored.tokens.iter().zip(&scored.logprobs).map(token).collect()
        };
        let entry = |(index, found): (usize, &Labelled)| {
            let choice = |(place, label): (usize, &String)| {
                json!({
                    "text": label,
                    "logprob": found.scored[place].logprob(),
                    "p": found.p[place],
                    "calibrated": found.calibrated[place],
                    "tokens": tokens(&found.scored[place]),
                })
            };
            json!({
                "input": question.inputs.get(index),
                "best": question.labels[found.best],
                "choices": question.labels.iter().enumerate().map(choice).collect::<Vec<_>>(),
            })
        };
        let results: Vec<Value> = labelled.iter().enumerate().map(entry).collect();
        let model = &loaded.engine.info().name;
        return output::json(&json!({
            "model": model, "prompt": question.template, "calibrate": args.calibrate, "length": args.length, "results": results,
        }));
    }
    match labelled.as_slice() {
        [one] if question.inputs.is_empty() => ranked(&question, one),
        all => all.iter().zip(&question.inputs).try_for_each(|(found, input)| {
            let best = &question.labels[found.best];
            output::line(&format!("{:8.4}  {best:?}  {input}", found.calibrated[found.best]))
        }),
    }
}

fn ranked(question: &Question, found: &Labelled) -> Result<(), CliError> {
    let mut order: Vec<usize> = (0..question.labels.len()).collect();
    order.sort_by(|a, b| found.calibrated[*b].total_cmp(&found.calibrated[*a]));
    order.iter().try_for_each(|place| {
        let (logprob, label) = (found.scored[*place].logprob(), &question.labels[*place]);
        output::line(&format!("{:8.4}  log-probability {logprob:9.4}  {label:?}", found.calibrated[*place]))
    })
}

fn question(args: &Args) -> Result<Question, CliError> {
    let invalid = |name, value: &str, allowed: &str| CliError::InvalidParameter {
        name,
        value: value.to_owned(),
        allowed: allowed.to_owned(),
    };
    if args.prompt.iter().any(String::is_empty) {
        return Err(CliError::EmptyPrompt);
    }
    let calibrate = Calibrate::named(&args.calibrate)
        .ok_or_else(|| invalid("--calibrate", &args.calibrate, "none, cbm, cc or pmi"))?;
    let length = match args.length.as_str() {
        "sum" => Length::Sum,
        "mean" => Length::Mean,
        "first" => Length::First,
        other => return Err(invalid("--length", other, "sum, mean or first")),
    };
    let mut labels = Vec::new();
    for choice in &args.choices {
        let path = PathBuf::from(choice);
        match path.is_file() {
            true => labels.extend(given::text_file(&path)?.lines().map(str::to_owned)),
            false => labels.push(choice.clone()),
        }
    }
    let mut inputs = args.input.clone();
    if let Some(path) = &args.inputs {
        inputs.extend(given::text_file(path)?.lines().map(str::to_owned));
    }
    let template = args.prompt.first().cloned().unwrap_or_default();
    if template.contains(SLOT) && inputs.is_empty() {
        return Err(goldcrest::ClassifyError::NoInput.into());
    }
    Ok(Question { template, inputs, labels, chat: args.chat, length, calibrate })
}
