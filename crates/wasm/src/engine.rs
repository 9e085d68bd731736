//! A loaded model, for JavaScript.

use std::cell::RefCell;
use std::rc::Rc;

use goldcrest::gpu::{self, Device};
use goldcrest::prompt::ToolFormat;
use goldcrest::sample::Constraint;
use goldcrest::tokenizer::Encode;
use goldcrest::{EngineError, MemoryPlan, Phase, Session, Text, selftest};
use js_sys::{Function, Promise};
use serde_json::{Value, json};
use wasm_bindgen::JsValue;
use wasm_bindgen::prelude::wasm_bindgen;
use wasm_bindgen_futures::future_to_promise;

use crate::constraint::{Outside, TokenConstraint};
use crate::conversation::conversation;
use crate::error::Failure;
use crate::events::Events;
use crate::fields::Fields;
use crate::options::LoadOptions;
use crate::plan::{header, or_source};
use crate::report;
use crate::request::request;
use crate::sampler;
use crate::score;
use crate::source::{ByteSource, JsSource, Signal};
use crate::tokens::TokenTable;
use crate::trace::trace;
use crate::turn::Turn;

/// A model on a device, with one conversation's cache.
#[wasm_bindgen]
pub struct Engine {
    text: Rc<Text>,
    device: Rc<dyn Device>,
    session: Rc<RefCell<Session>>,
    info: String,
}

#[wasm_bindgen]
impl Engine {
    /// Opens the device, reads the header, streams the weights. `options` is JSON with `backend`, `context_length`,
    /// `max_chunk`, `forced_kernels` and `pre_tokenizer`.
    ///
    /// # Errors
    /// A JavaScript error with `code` and `help`; what the source throws passes through.
    #[wasm_bindgen(unchecked_return_type = "Engine")]
    pub async fn load(
        source: ByteSource,
        options: String,
        #[wasm_bindgen(
            unchecked_param_type = "(phase: \"upload\" | \"compile\", loaded: number, total: number) => void"
        )]
        on_progress: Function,
        signal: Signal,
    ) -> Result<Self, JsValue> {
        let options = LoadOptions::parse(&options)?;
        Ok(Self::open(JsSource::new(&source, Some(&signal)), &options, &on_progress).await?)
    }

    /// JSON: `model`, `adapter`, `backend`, `features`, `profile`, `context_length`, `memory`, `notes`, `tool_format`.
    #[must_use]
    pub fn info(&self) -> String {
        self.info.clone()
    }

    /// Runs one generation and resolves to its statistics as JSON. Every event is a JSON string; a promise that the function
    /// returns is waited for before the next event. Tokens that `constraint` refuses do not come.
    #[wasm_bindgen(unchecked_return_type = "Promise<string>")]
    pub fn generate(
        &self,
        request: String,
        #[wasm_bindgen(unchecked_param_type = "(event: string) => void | Promise<void>")] on_event: Function,
        signal: Signal,
        #[wasm_bindgen(unchecked_param_type = "TokenConstraint | undefined")] constraint: Option<
            TokenConstraint,
        >,
    ) -> Promise {
        let (session, text) = (Rc::clone(&self.session), Rc::clone(&self.text));
        let blocking = self.device.info().backend == "cpu";
        future_to_promise(async move {
            let turn = blocking.then(Turn::new);
            let events = Rc::new(Events { on_event, signal, turn, thrown: RefCell::default() });
            let n_vocab = u32::try_from(text.tokenizer().n_vocab()).unwrap_or(u32::MAX);
            let constraint =
                constraint.map(|it| Box::new(Outside::new(it, n_vocab, &events)) as Box<dyn Constraint>);
            let result = run(&session, &text, &request, constraint, &events).await;
            match events.thrown.borrow_mut().take() {
                Some(thrown) => Err(thrown),
                None => Ok(result?.to_string().into()),
            }
        })
    }

    /// What a sampler chain makes of the token behind a prompt, stage by stage. `request` is JSON with `prompt`, `chain`, `seed`
    /// and `listed`; resolves to JSON with `stages` and `choice`.
    #[wasm_bindgen(unchecked_return_type = "Promise<string>")]
    pub fn trace(&self, request: String) -> Promise {
        let (session, text) = (Rc::clone(&self.session), Rc::clone(&self.text));
        future_to_promise(async move { Ok(trace(&session, &text, &request).await?.to_string().into()) })
    }

    /// Log-probabilities of continuations: JSON `{prompt, continuations}` to JSON, one entry a continuation.
    #[wasm_bindgen(unchecked_return_type = "Promise<string>")]
    pub fn score(&self, asked: String) -> Promise {
        let session = Rc::clone(&self.session);
        future_to_promise(async move { Ok(score::score(&session, &asked).await?.to_string().into()) })
    }

    /// Labels of inputs: JSON `{prompt, inputs, labels, calibrate, length, chat}` to JSON, one entry an input.
    #[wasm_bindgen(unchecked_return_type = "Promise<string>")]
    pub fn classify(&self, asked: String) -> Promise {
        let session = Rc::clone(&self.session);
        future_to_promise(async move { Ok(score::label(&session, &asked).await?.to_string().into()) })
    }

    /// Tokens of a text.
    #[must_use]
    pub fn tokenize(&self, text: &str, add_special: bool, parse_special: bool) -> Vec<u32> {
        self.text.tokenizer().encode(text, Encode { add_special, parse_special })
    }

    /// The tokens of text that goes on behind other text.
    #[must_use]
    pub fn continuation(&self, text: &str) -> Vec<u32> {
        self.text.tokenizer().encode_continuation(text)
    }

    /// The vocabulary, for the module of grammars.
    #[must_use]
    #[wasm_bindgen(js_name = tokenTable)]
    pub fn token_table(&self) -> TokenTable {
        TokenTable::new(self.text.tokenizer())
    }

    /// The texts of single tokens, a JSON list.
    #[must_use]
    pub fn pieces(&self, tokens: &[u32]) -> String {
        tokens.iter().map(|id| Value::String(report::piece(&self.text, *id))).collect::<Value>().to_string()
    }

    /// The text of tokens.
    #[must_use]
    pub fn detokenize(&self, tokens: &[u32]) -> String {
        self.text.tokenizer().decode(tokens, false)
    }

    /// A conversation as the model's chat template writes it.
    ///
    /// # Errors
    /// A JavaScript error with `code` and `help`.
    #[wasm_bindgen(js_name = applyChatTemplate)]
    pub fn apply_chat_template(&self, input: &str) -> Result<String, JsValue> {
        let input = conversation(Fields::parse(input)?)?;
        Ok(self.text.render(input).map_err(Failure::from)?.text)
    }

    /// Whether this device computes what it should: one JSON entry per kind of layer.
    #[wasm_bindgen(unchecked_return_type = "Promise<string>")]
    pub fn selftest(&self) -> Promise {
        let device = Rc::clone(&self.device);
        future_to_promise(async move {
            let tested = selftest(&device, &[]).await.map_err(Failure::from)?;
            Ok(report::selftest(&tested).to_string().into())
        })
    }

    /// Gives up the device with all its memory; whatever runs or is asked for next fails with `E_DEVICE_LOST`.
    #[wasm_bindgen(js_name = loseDevice)]
    pub fn lose_device(&self) {
        self.device.destroy();
    }
}

impl Engine {
    async fn open(
        mut source: JsSource<'_>,
        options: &LoadOptions,
        on_progress: &Function,
    ) -> Result<Self, Failure> {
        let (gguf, cfg) = header(&mut source).await?;
        let gpu::Opened { device, note } =
            gpu::open(&gpu::Request { adapter: options.backend.clone(), ..gpu::Request::default() }).await?;
        let mut setup = options.engine.clone();
        setup.notes.extend(note);
        let mut progress = |phase: Phase, loaded: u64, total: u64| {
            // Whoever watches may fail without stopping the work.
            let _shown = on_progress.call3(
                &JsValue::UNDEFINED,
                &phase.name().into(),
                &(loaded as f64).into(),
                &(total as f64).into(),
            );
        };
        let loading = goldcrest::Engine::load(&gguf, &mut source, Rc::clone(&device), &setup, &mut progress);
        let loaded = loading.await;
        let engine = or_source(loaded, &mut source)?;
        let runtime = engine.runtime().try_borrow().map_err(|_| EngineError::Busy)?;
        let template = gguf.metadata.get_str("tokenizer.chat_template").unwrap_or_default();
        let info = json!({
            "model": report::model(&gguf, &cfg),
            "adapter": report::adapter(device.as_ref()),
            "backend": device.info().backend,
            "features": report::features(device.as_ref()),
            "profile": runtime.profile().name,
            "context_length": runtime.n_ctx(),
            "memory": report::memory(&MemoryPlan::new(&gguf, runtime.n_ctx())?),
            "notes": runtime.notes(),
            "tool_format": ToolFormat::of_template(template).map(ToolFormat::name),
        });
        drop(runtime);
        let session = Rc::new(RefCell::new(engine.session()));
        Ok(Self { text: Rc::clone(engine.text()), device, session, info: info.to_string() })
    }
}

#[allow(clippy::await_holding_refcell_ref, reason = "the borrow is tried: a second generation is told Busy")]
async fn run(
    session: &RefCell<Session>,
    text: &Text,
    asked: &str,
    constraint: Option<Box<dyn Constraint>>,
    events: &Rc<Events>,
) -> Result<Value, Failure> {
    let (mut request, strategy) = request(asked)?;
    request.constraint = constraint;
    sampler::complete(&mut request.sampler, text);
    let mut session = session.try_borrow_mut().map_err(|_| EngineError::Busy)?;
    if let Some(strategy) = strategy {
        return strategy.run(&mut session, text, &request, events).await;
    }
    let mut generation = session.generate(request)?;
    events.emit(json!({ "type": "prompt", "tokens": generation.prompt() })).await?;
    loop {
        if events.signal.aborted() {
            generation.abort();
        }
        match generation.next().await? {
            Some(event) => events.emit(report::event(&event, text)).await?,
            None => return Ok(report::stats(&generation.stats()?, generation.tokens())),
        }
    }
}
