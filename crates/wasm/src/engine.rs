//! A loaded model, for JavaScript.

use std::cell::RefCell;
use std::rc::Rc;

use goldcrest::decode::speculate::{DraftMemory, Learnt, SharedLearnt};
use goldcrest::gpu;
use goldcrest::prompt::ToolFormat;
use goldcrest::sample::Constraint;
use goldcrest::tokenizer::Encode;
use goldcrest::{EngineError, MemoryPlan, Runtime, Session, Text, selftest};
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
use crate::generating::Call;
use crate::options::LoadOptions;
use crate::other::{self, First};
use crate::plan::{header, weights};
use crate::report;
use crate::score;
use crate::source::{ByteSource, JsSource, Signal};
use crate::tokens::TokenTable;
use crate::trace::trace;
use crate::turn::Turn;

/// A model on a device, with one conversation's cache.
#[wasm_bindgen]
pub struct Engine {
    first: Rc<First>,
    text: Rc<Text>,
    session: Rc<RefCell<Session>>,
    other: Rc<RefCell<Option<Rc<RefCell<Runtime>>>>>,
    learnt: SharedLearnt,
    info: String,
}

#[wasm_bindgen]
impl Engine {
    /// Opens the device, reads the header, streams the weights. `options` is JSON with `backend`, `context_length`,
    /// `max_chunk`, `forced_kernels`, `deterministic` and `pre_tokenizer`.
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

    /// Loads a further model of the same vocabulary onto the same device, in place of one that was loaded so before: for strategies
    /// and drafters that want one. Resolves to JSON with `model` and `memory`.
    #[wasm_bindgen(js_name = loadOther, unchecked_return_type = "Promise<string>")]
    pub fn load_other(
        &self,
        source: ByteSource,
        #[wasm_bindgen(
            unchecked_param_type = "(phase: \"upload\" | \"compile\", loaded: number, total: number) => void"
        )]
        on_progress: Function,
        signal: Signal,
    ) -> Promise {
        let (first, other) = (Rc::clone(&self.first), Rc::clone(&self.other));
        future_to_promise(async move {
            // Its memory is wanted for the next.
            drop(other.borrow_mut().take());
            let source = JsSource::new(&source, Some(&signal));
            let (runtime, info) = other::load(&first, source, &on_progress).await?;
            other.borrow_mut().replace(runtime);
            Ok(info.to_string().into())
        })
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
        let (first, session, learnt) =
            (Rc::clone(&self.first), Rc::clone(&self.session), Rc::clone(&self.learnt));
        let text = Rc::clone(&self.text);
        let others = Vec::from_iter(self.other.borrow().clone());
        let blocking = self.first.device.info().backend == "cpu";
        future_to_promise(async move {
            let turn = blocking.then(Turn::new);
            let events = Rc::new(Events { on_event, signal, turn, thrown: RefCell::default() });
            let n_vocab = u32::try_from(text.tokenizer().n_vocab()).unwrap_or(u32::MAX);
            let constraint =
                constraint.map(|it| Box::new(Outside::new(it, n_vocab, &events)) as Box<dyn Constraint>);
            let call = Call { first, session, others, learnt, events: Rc::clone(&events) };
            let result = call.run(&request, constraint).await;
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

    /// What guessing learnt of the model's habits, as bytes; none if that is nothing.
    #[must_use]
    pub fn guesses(&self) -> Vec<u8> {
        let memory = self.learnt.borrow().memory();
        let memory = memory.borrow();
        if memory.is_empty() { Vec::new() } else { memory.to_bytes() }
    }

    /// Begins with what [`Engine::guesses`] gave another time.
    ///
    /// # Errors
    /// A JavaScript error with `code` and `help` for bytes that are nothing of the kind.
    pub fn remember(&self, guesses: &[u8]) -> Result<(), JsValue> {
        let n_vocab = u32::try_from(self.text.tokenizer().n_vocab()).unwrap_or(u32::MAX);
        let memory = DraftMemory::from_bytes(guesses, n_vocab).map_err(Failure::Strategy)?;
        *self.learnt.borrow_mut() = Learnt::remembering(memory);
        Ok(())
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
        let device = Rc::clone(&self.first.device);
        future_to_promise(async move {
            let tested = selftest(&device, &[]).await.map_err(Failure::from)?;
            Ok(report::selftest(&tested).to_string().into())
        })
    }

    /// Gives up the device with all its memory; whatever runs or is asked for next fails with `E_DEVICE_LOST`.
    #[wasm_bindgen(js_name = loseDevice)]
    pub fn lose_device(&self) {
        self.first.device.destroy();
    }
}

impl Engine {
    async fn open(
        mut source: JsSource<'_>,
        options: &LoadOptions,
        on_progress: &Function,
    ) -> Result<Self, Failure> {
        let (gguf, cfg) = header(&mut source).await?;
        let gpu::Opened { device, note } = gpu::open(&options.device()).await?;
        let mut setup = options.engine.clone();
        setup.notes.extend(note);
        let engine = weights(&gguf, &mut source, Rc::clone(&device), &setup, on_progress).await?;
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
        let text = Rc::clone(engine.text());
        setup.notes.clear();
        let template = (!template.is_empty()).then(|| template.to_owned());
        let first = Rc::new(First { engine, device, setup, template });
        let (other, learnt) = Default::default();
        Ok(Self { first, text, session, other, learnt, info: info.to_string() })
    }
}
