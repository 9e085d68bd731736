//! Scores of continuations and labels of inputs, for JavaScript.

use std::cell::RefCell;

use goldcrest::score::Length;
use goldcrest::{Calibrate, EngineError, Question, Scored, Session, classify};
use serde_json::{Value, json};

use crate::error::Failure;
use crate::fields::{Fields, list};
use crate::request::prompt;

/// `{prompt, continuations}` to a list of `{tokens, logprobs, logprob}`.
#[allow(clippy::await_holding_refcell_ref, reason = "the borrow is tried: a second call is told Busy")]
pub(crate) async fn score(session: &RefCell<Session>, asked: &str) -> Result<Value, Failure> {
    let mut fields = Fields::parse(asked)?;
    let given = fields.any("prompt").unwrap_or_default();
    let prompt = prompt(Fields::of("prompt", given)?)?;
    let continuations = strings(&mut fields, "continuations")?;
    fields.end()?;
    let session = session.try_borrow().map_err(|_| EngineError::Busy)?;
    Ok(session.score(&prompt, &continuations).await?.iter().map(scored).collect())
}

/// `{prompt, inputs, labels, calibrate, length, chat}` to a list of `{input, label, p, calibrated, labels}`.
#[allow(clippy::await_holding_refcell_ref, reason = "the borrow is tried: a second call is told Busy")]
pub(crate) async fn label(session: &RefCell<Session>, asked: &str) -> Result<Value, Failure> {
    let mut fields = Fields::parse(asked)?;
    let calibrate = |v: &Value| Calibrate::named(v.as_str()?);
    let length = |v: &Value| match v.as_str()? {
        "sum" => Some(Length::Sum),
        "mean" => Some(Length::Mean),
        "first" => Some(Length::First),
        _ => None,
    };
    let question = Question {
        template: fields.text("prompt")?.unwrap_or_default(),
        inputs: strings(&mut fields, "inputs")?,
        labels: strings(&mut fields, "labels")?,
        chat: fields.flag("chat")?.unwrap_or(false),
        length: fields.take("length", "sum, mean or first", length)?.unwrap_or_default(),
        calibrate: fields.take("calibrate", "none, cbm, cc or pmi", calibrate)?.unwrap_or_default(),
    };
    fields.end()?;
    let session = session.try_borrow().map_err(|_| EngineError::Busy)?;
    let labelled = classify(&session, &question).await.map_err(Failure::Classify)?;
    let entry = |(index, found): (usize, goldcrest::Labelled)| {
        json!({
            "input": question.inputs.get(index),
            "best": found.best,
            "label": question.labels.get(found.best),
            "p": found.p,
            "calibrated": found.calibrated,
            "scored": found.scored.iter().map(scored).collect::<Value>(),
        })
    };
    Ok(labelled.into_iter().enumerate().map(entry).collect())
}

fn scored(scored: &Scored) -> Value {
    json!({ "tokens": scored.tokens, "logprobs": scored.logprobs, "logprob": scored.logprob() })
}

fn strings(fields: &mut Fields, name: &str) -> Result<Vec<String>, Failure> {
    let text = |v: &Value| v.as_str().map(str::to_owned);
    Ok(fields.take(name, "a list of strings", |v| list(v, text))?.unwrap_or_default())
}
