//! A generation by a decoding strategy.

use std::rc::Rc;
use std::sync::Arc;

use goldcrest::decode::{Decoding, Method, Remote, Resources, Scorer};
use goldcrest::record::Recorded;
use goldcrest::{Prompt, Request, Session};
use serde_json::{Value, json};

use crate::error::Failure;
use crate::events::{AskedRemote, AskedScorer};
use crate::fields::{Fields, list, refused};
use crate::generating::Call;
use crate::record::Recorder;
use crate::report;
use crate::request::prompt;

/// Which strategy, and what it is given.
pub(crate) struct Strategy {
    method: Method,
    /// `NAME:key=value,…`, for records.
    spec: String,
    references: Vec<Prompt>,
    scored: bool,
    remote: bool,
}

impl Strategy {
    /// `strategy` (a name with parameters, or an object), `references` (prompts), and whether the events `score` and `remote` are
    /// answered.
    pub(crate) fn read(fields: &mut Fields) -> Result<Option<Self>, Failure> {
        let references =
            fields.take("references", "a list of prompts", |v| list(v, |one| Some(one.clone())))?;
        let references = references.unwrap_or_default().into_iter();
        let references =
            references.map(|one| prompt(Fields::of("references", one)?)).collect::<Result<_, _>>()?;
        let scored = fields.flag("scored")?.unwrap_or(false);
        let remote = fields.flag("remote")?.unwrap_or(false);
        let Some(given) = fields.any("strategy") else { return Ok(None) };
        Ok(Some(Self {
            method: Method::from_json(&given).map_err(Failure::Strategy)?,
            spec: spec(&given),
            references,
            scored,
            remote,
        }))
    }

    /// Whether it works with a further model.
    pub(crate) fn takes_model(&self) -> bool {
        Recorded::takes_model(&self.method)
    }

    /// It as a record has it, but for the further models; what could not be repeated is refused.
    pub(crate) fn recorded(&self, session: &Session, greedy: bool) -> Result<Recorded, Failure> {
        if let Some(why) = Recorded::hindrance(&self.method, greedy) {
            return Err(refused("record", &Value::Bool(true), why));
        }
        let (spec, references) = (self.spec.clone(), self.references(session)?);
        Ok(Recorded { spec, references, others: Vec::new() })
    }

    fn references(&self, session: &Session) -> Result<Vec<Vec<u32>>, Failure> {
        Ok(self.references.iter().map(|one| session.encode(one)).collect::<Result<_, _>>()?)
    }

    /// Runs it, and gives the statistics with the strategy's report, and the tokens.
    pub(crate) async fn run(
        self,
        session: &mut Session,
        request: &Request,
        call: &Call,
        recorder: &mut Option<Recorder>,
    ) -> Result<(Value, Vec<u32>), Failure> {
        let name = self.method.name();
        let events = &call.events;
        let references = self.references(session)?;
        let scorer = self.scored.then(|| Box::new(AskedScorer(Rc::clone(events))) as Box<dyn Scorer>);
        let remote = self.remote.then(|| {
            let tokenizer = Arc::clone(session.text().tokenizer());
            Box::new(AskedRemote { events: Rc::clone(events), tokenizer }) as Box<dyn Remote>
        });
        let learnt = Some(Rc::clone(&call.learnt));
        let resources = Resources { references, scorer, remote, learnt, ..Resources::default() };
        let decoding = Decoding::start(session, request, self.method, resources, call.others.clone());
        let mut decoding = decoding.map_err(Failure::Strategy)?;
        events.emit(json!({ "type": "prompt", "tokens": decoding.prompt() })).await?;
        loop {
            if events.signal.aborted() {
                decoding.abort();
            }
            match decoding.next().await.map_err(Failure::Strategy)? {
                Some(event) => call.tell(event, recorder).await?,
                None => break,
            }
        }
        let outcome = decoding.outcome().cloned().unwrap_or_default();
        let mut stats = report::stats(&decoding.stats(), &outcome.tokens);
        stats["strategy"] = json!({ "name": name });
        outcome.report.into_iter().for_each(|(key, value)| stats["strategy"][key] = value);
        Ok((stats, outcome.tokens))
    }
}

/// An object with name and parameters as text.
fn spec(given: &Value) -> String {
    let word = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let Some(object) = given.as_object() else { return word(given) };
    let name = object.get("name").map(word).unwrap_or_default();
    let rest = object.iter().filter(|(key, _)| *key != "name");
    let list: Vec<String> = rest.map(|(key, value)| format!("{key}={}", word(value))).collect();
    if list.is_empty() { name } else { format!("{name}:{}", list.join(",")) }
}

/// The strategies, a JSON list of `name` and `summary`.
#[must_use]
#[wasm_bindgen::prelude::wasm_bindgen]
pub fn strategies() -> String {
    let one = |(name, summary): &(&str, &str)| json!({ "name": name, "summary": summary });
    Method::LIST.iter().map(one).collect::<Value>().to_string()
}
