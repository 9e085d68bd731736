//! From a request to a form, for the tokens of one model.

use goldcrest_grammar::{self as grammar, MonitorConstraint, Vocabulary};
use js_sys::Function;
use wasm_bindgen::JsValue;
use wasm_bindgen::prelude::wasm_bindgen;

use crate::error::Failure;
use crate::form::Form;
use crate::request;
use crate::words::Words;
use crate::writer::Writer;

/// Makes forms for the tokens of one model. Making one takes tens of milliseconds; it serves any number of requests.
#[wasm_bindgen]
#[derive(Debug)]
pub struct Compiler {
    inner: grammar::Compiler,
}

#[wasm_bindgen]
impl Compiler {
    /// `pieces` holds the bytes of all tokens one after another, `lengths` how many each has. `special` tokens stand for no text,
    /// `ends` end one. `write` gives the tokens of a text as the model's tokenizer writes it behind other text.
    ///
    /// # Errors
    /// A JavaScript error with `code` and `help`.
    #[wasm_bindgen(constructor)]
    pub fn new(
        pieces: &[u8],
        lengths: &[u32],
        special: &[u32],
        ends: &[u32],
        #[wasm_bindgen(unchecked_param_type = "(text: string) => Uint32Array")] write: Function,
    ) -> Result<Self, JsValue> {
        let mut rest = pieces;
        let mut words = Vec::with_capacity(lengths.len());
        for length in lengths {
            let (word, behind) = rest.split_at_checked(*length as usize).ok_or(Failure::Table)?;
            words.push(word);
            rest = behind;
        }
        let writer = Writer::new(write);
        let vocabulary =
            Vocabulary::with_writer(&words, special, ends, Box::new(move |text| writer.write(text)));
        let compiler = vocabulary.and_then(|known| grammar::Compiler::new(&known));
        Ok(Self { inner: compiler.map_err(Failure::Grammar)? })
    }

    /// The form that a request asks for: JSON with `type` `json_schema`, `json_object`, `regex`, `grammar` or `tools`.
    ///
    /// # Errors
    /// A JavaScript error with `code` and `help`; of a schema that cannot be enforced, with keyword and path.
    pub fn compile(&self, asked: &str) -> Result<Form, JsValue> {
        let grammar = request::grammar(asked)?;
        let compiled = self.inner.compile(&grammar).map_err(Failure::Grammar)?;
        Ok(Form::new(Box::new(compiled), None))
    }

    /// A form whose [`Form::question`]s somebody answers with words.
    #[must_use]
    pub fn monitor(&self) -> Form {
        let words = Words::default();
        let monitor = MonitorConstraint::new(self.inner.vocabulary(), Box::new(words.clone()));
        Form::new(Box::new(monitor), Some(words))
    }
}
