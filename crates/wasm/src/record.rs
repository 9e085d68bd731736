//! The record of a generation, if one is wanted.

use goldcrest::record::{Body, Form, FormKind, Made, ModelHash, Record, Recorded, Step, Way};
use goldcrest::{EngineError, Event, Finish, Prompt, Request, Session};
use serde_json::{Value, json};

use crate::error::Failure;
use crate::fields::{Fields, list, refused};
use crate::other::First;

/// What goes into the record before the generation, and what is seen of it.
pub(crate) struct Recorder {
    model: ModelHash,
    way: Way,
    /// Alternatives that the caller wants to see.
    shown: usize,
    request: Request,
    steps: Vec<Step>,
    text: String,
    finish: Finish,
}

/// What JavaScript says of a record: the model's hash, and the form, which is another module's.
pub(crate) struct Wanted {
    model: ModelHash,
    others: Vec<ModelHash>,
    form: Option<Form>,
}

impl Wanted {
    /// `record`: `{model: {file, bytes, sha256, of}, others?: [the same], form?: {kind, text}}`.
    pub(crate) fn read(fields: &mut Fields) -> Result<Option<Self>, Failure> {
        let Some(given) = fields.any("record") else { return Ok(None) };
        let mut fields = Fields::of("record", given)?;
        let hash = model(fields.any("model").unwrap_or_default())?;
        let others = fields.take("others", "a list of models", |v| list(v, |one| Some(one.clone())))?;
        let others = others.unwrap_or_default().into_iter().map(model).collect::<Result<_, _>>()?;
        let form = fields.any("form").map(form).transpose()?;
        fields.end()?;
        Ok(Some(Self { model: hash, others, form }))
    }
}

impl Wanted {
    /// It, naming at most so many further models.
    pub(crate) fn of_others(mut self, most: usize) -> Self {
        self.others.truncate(most);
        self
    }

    /// How many further models the record names.
    pub(crate) fn n_others(&self) -> usize {
        self.others.len()
    }
}

fn model(given: Value) -> Result<ModelHash, Failure> {
    let mut fields = Fields::of("record.model", given)?;
    let hash = ModelHash {
        file: fields.text("file")?.unwrap_or_default(),
        bytes: fields.count("bytes")?.unwrap_or_default(),
        sha256: fields.text("sha256")?.unwrap_or_default(),
        of: fields.text("of")?.unwrap_or_default(),
    };
    fields.end()?;
    Ok(hash)
}

fn form(given: Value) -> Result<Form, Failure> {
    let mut fields = Fields::of("record.form", given)?;
    let kind = |v: &Value| {
        Some(match v.as_str()? {
            "json_schema" => FormKind::JsonSchema,
            "json_object" => FormKind::JsonObject,
            "regex" => FormKind::Regex,
            "grammar" => FormKind::Grammar,
            "asked" => FormKind::Asked,
            _ => return None,
        })
    };
    let found = fields.take("kind", "json_schema, json_object, regex, grammar or asked", kind)?;
    let kind = found.ok_or_else(|| refused("record.form.kind", &Value::Null, "a kind of form"))?;
    let text = fields.text("text")?.unwrap_or_default();
    fields.end()?;
    Ok(Form { kind, text })
}

impl Recorder {
    /// Makes the request one that can be repeated: its prompt tokens, with alternatives that show how close each choice was.
    pub(crate) fn begin(
        wanted: Wanted,
        request: &mut Request,
        strategy: Option<Recorded>,
        session: &Session,
    ) -> Result<Self, Failure> {
        request.prompt = Prompt::Tokens(session.encode(&request.prompt)?);
        let shown = request.logprobs.unwrap_or(0);
        request.logprobs = Some(shown.max(2));
        let strategy = strategy.map(|strategy| Recorded { others: wanted.others, ..strategy });
        let way = Way { form: wanted.form, strategy };
        let (steps, text, request) = (Vec::new(), String::new(), request.clone());
        Ok(Self { model: wanted.model, way, shown, request, steps, text, finish: Finish::Aborted })
    }

    /// Sees an event, and leaves of it what the caller asked for.
    pub(crate) fn see(&mut self, event: &mut Event) {
        match event {
            Event::Prefill { .. } | Event::Working { .. } => {}
            Event::Token(token) => {
                self.steps.push(Step::of(token));
                self.text.push_str(&token.text);
                token.top.truncate(self.shown);
            }
            Event::End { finish, text } => {
                self.finish = *finish;
                self.text.push_str(text);
            }
        }
    }

    /// The record, as of now.
    pub(crate) fn end(self, first: &First, tokens: &[u32]) -> Result<Value, Failure> {
        let made = Made {
            model: self.model,
            template: first.template.as_deref(),
            tokenizer: first.engine.text(),
            request: &self.request,
            way: &self.way,
            deterministic: first.setup.runtime.deterministic,
            steps: self.steps,
            tokens,
            text: &self.text,
            finish: self.finish,
        };
        let runtime = first.engine.runtime().try_borrow().map_err(|_| EngineError::Busy)?;
        let now = (js_sys::Date::now() / 1e3) as u64;
        let record = Record::new(Body::new(&runtime, made), now).map_err(Failure::Record)?;
        Ok(json!(record))
    }
}
