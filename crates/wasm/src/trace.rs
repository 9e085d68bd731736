//! What a sampler chain makes of the next token's distribution.

use std::cell::RefCell;

use goldcrest::decode::row_behind;
use goldcrest::sample::{Candidate, Chain, StageTrace};
use goldcrest::{EngineError, Session, Text};
use serde_json::{Value, json};

use crate::error::Failure;
use crate::fields::Fields;
use crate::report;
use crate::request::prompt;

/// Candidates listed per stage where nothing is asked.
const LISTED: usize = 10;

/// `{prompt, chain, seed?, listed?}` to `{stages, choice}`. The model's own distribution is the first stage.
#[allow(clippy::await_holding_refcell_ref, reason = "the borrow is tried: another call is told Busy")]
pub(crate) async fn trace(session: &RefCell<Session>, text: &Text, asked: &str) -> Result<Value, Failure> {
    let mut fields = Fields::parse(asked)?;
    let given = fields.any("prompt").unwrap_or_default();
    let prompt = prompt(Fields::of("prompt", given)?)?;
    let seed = fields.count("seed")?.unwrap_or(0);
    let spec = fields.text("chain")?.unwrap_or_else(|| "draw".to_owned());
    let listed = fields.count("listed")?.unwrap_or(LISTED);
    fields.end()?;
    let mut chain = Chain::parse(&spec, seed)?;
    let session = session.try_borrow().map_err(|_| EngineError::Busy)?;
    let tokens = session.encode(&prompt)?;
    tokens.iter().for_each(|token| chain.accept(*token));
    let row = row_behind(&session, &prompt).await.map_err(Failure::Strategy)?;
    let (choice, stages) = chain.choose_traced(
        &mut row.candidates().map_err(Failure::Strategy)?,
        tokens.len() as u32,
        listed,
    )?;
    let one = |(Candidate { id, logit }, p): &(Candidate, f32)| json!({ "id": id, "text": report::piece(text, *id), "logit": logit, "p": p });
    let stage = |stage: &StageTrace| {
        let top: Vec<Value> = stage.top.iter().map(one).collect();
        json!({ "stage": stage.stage, "n_candidates": stage.n_candidates, "top": top })
    };
    let stages: Vec<Value> = stages.iter().map(stage).collect();
    Ok(json!({ "stages": stages, "choice": { "id": choice.id, "text": report::piece(text, choice.id) } }))
}
