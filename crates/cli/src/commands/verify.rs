//! `goldcrest verify`: repeats a recorded generation.

use std::path::PathBuf;

use goldcrest::Request;
use goldcrest::decode::{Decoding, Method, Resources};
use goldcrest::record::{Body, CLOSE_CALL, Recorded, Step, Way};
use serde_json::{Value, json};

use crate::context::Context;
use crate::error::CliError;
use crate::form::compile;
use crate::generating::Making;
use crate::loading::ModelArgs;
use crate::record;
use crate::{generating, output, strategy};

/// Repeat a generation from its record and say where it first differs
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// What `goldcrest run --record` wrote
    #[arg(value_name = "RECORD")]
    record: PathBuf,
    #[command(flatten)]
    model: ModelArgs,
    /// The further model of a record of two
    #[arg(long, value_name = "MODEL", visible_alias = "draft-model")]
    other: Option<String>,
    /// Print one JSON object instead of lines
    #[arg(long)]
    json: bool,
}

/// What is not as the record has it.
#[derive(Debug, Default, PartialEq)]
struct Differences {
    /// Facts around the model: another file, tokenizer, build, adapter.
    facts: Vec<&'static str>,
    /// The first token that differs.
    first: Option<usize>,
}

/// Exit code 0 if every token is as recorded, 1 if one is not, 2 for a record or a model that cannot be used.
pub(crate) fn run(mut args: Args, context: &Context) -> Result<(), CliError> {
    let record = record::read(&args.record)?;
    args.model.ctx = Some(i64::from(record.body.settings.n_ctx));
    args.model.deterministic |= record.body.settings.deterministic;
    let model = args.model.find(context)?;
    let way = &record.body.settings.way;
    let constraint = way.form.as_ref().map(|form| compile(form, &model.gguf)).transpose()?;
    let path = model.path.clone();
    let loaded = args.model.load_found(model, context)?;
    let request = Request { constraint, ..record.body.request()? };
    let (others, paths) = match &args.other {
        Some(model) => strategy::other(model, &loaded, &args.model, context)?,
        None => strategy::Others::default(),
    };
    check_others(way, paths.len())?;
    let mut session = loaded.engine.session();
    let mut way_again = way.clone();
    let making = match &way.strategy {
        None => Making::from(session.generate(request.clone())?),
        Some(recorded) => {
            let hashes = paths.iter().map(|path| record::hash(path)).collect::<Result<_, _>>()?;
            way_again.strategy = Some(Recorded { others: hashes, ..recorded.clone() });
            let resources = Resources { references: recorded.references.clone(), ..Resources::default() };
            let method = Method::parse(&recorded.spec)?;
            Making::from(Decoding::start(&mut session, &request, method, resources, others)?)
        }
    };
    let answer = generating::answer(making, false, context)?;
    let again = record::body(&path, &loaded, &request, &way_again, &answer, args.model.deterministic)?;
    let found = differences(&record.body, &again);
    if args.json {
        output::json(&report(&record.body, &again, &found))?;
    } else {
        for fact in &found.facts {
            context.report.notice(&format!("{fact} is not the one of the record"));
        }
        output::line(&sentence(&record.body, &again, &found))?;
    }
    match found.first {
        None => Ok(()),
        Some(step) => Err(CliError::Differs { step }),
    }
}

/// A record of two models needs both.
fn check_others(way: &Way, given: usize) -> Result<(), CliError> {
    let others = way.strategy.as_ref().map_or(&[][..], |strategy| &strategy.others);
    if others.len() == given {
        return Ok(());
    }
    let files = others.iter().map(|other| other.file.as_str()).collect::<Vec<_>>().join(", ");
    let (message, help) = match others.len() {
        0 => ("the record is of one model", "leave out --other".to_owned()),
        _ => ("the record is of two models", format!("give the further one with --other: {files}")),
    };
    Err(CliError::Usage { message: message.to_owned(), help })
}

fn differences(recorded: &Body, again: &Body) -> Differences {
    let others = |body: &Body| {
        let strategy = body.settings.way.strategy.as_ref();
        strategy.map(|strategy| strategy.others.iter().map(|other| other.sha256.clone()).collect::<Vec<_>>())
    };
    let facts = [
        ("the model file", recorded.model.sha256 != again.model.sha256),
        ("the further model's file", others(recorded) != others(again)),
        ("the tokenizer", recorded.tokenizer_sha256 != again.tokenizer_sha256),
        ("the chat template", recorded.template_sha256 != again.template_sha256),
        ("the build", recorded.build != again.build),
        ("the adapter", recorded.adapter != again.adapter),
    ];
    let pairs = recorded.tokens.iter().zip(&again.tokens);
    let shorter = recorded.tokens.len().min(again.tokens.len());
    let first = pairs.into_iter().position(|(a, b)| a != b);
    Differences {
        facts: facts.into_iter().filter(|(_, differs)| *differs).map(|(fact, _)| fact).collect(),
        first: first.or((recorded.tokens.len() != again.tokens.len()).then_some(shorter)),
    }
}

fn sentence(recorded: &Body, again: &Body, found: &Differences) -> String {
    let Some(step) = found.first else {
        return format!("all {} tokens are as recorded", recorded.tokens.len());
    };
    let token = |body: &Body| body.tokens.get(step).map_or("the end".to_owned(), |id| format!("token {id}"));
    let gap = recorded.steps.get(step).filter(|step| step.gap < f32::MAX).map_or(String::new(), |step| {
        let close = if step.gap < CLOSE_CALL { ", a close call" } else { "" };
        format!("; the two best logits were {} apart{close}", step.gap)
    });
    format!("step {step}: {} is recorded, {} came{gap}", token(recorded), token(again))
}

fn report(recorded: &Body, again: &Body, found: &Differences) -> Value {
    let step = |body: &Body, at: usize| body.steps.get(at).map(|step: &Step| json!(step));
    json!({
        "same": found.first.is_none(),
        "tokens": recorded.tokens.len(),
        "differing_facts": found.facts,
        "first_difference": found.first.map(|at| json!({
            "step": at,
            "recorded": { "token": recorded.tokens.get(at), "step": step(recorded, at) },
            "found": { "token": again.tokens.get(at), "step": step(again, at) },
        })),
    })
}
