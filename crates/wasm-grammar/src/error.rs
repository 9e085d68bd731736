//! Errors as JavaScript sees them.

use goldcrest_grammar::GrammarError;
use goldcrest_sample::ConstraintError;
use js_sys::Reflect;
use wasm_bindgen::JsValue;

/// A call failed.
#[derive(Debug)]
pub(crate) enum Failure {
    /// A form that cannot be honoured.
    Grammar(GrammarError),
    /// A form that cannot go on.
    Constraint(ConstraintError),
    /// A request that is none.
    Request(String),
    /// Lengths of tokens that are not those of their bytes.
    Table,
}

impl From<Failure> for JsValue {
    fn from(failure: Failure) -> Self {
        const REQUEST: &str = "the documentation says what each parameter may be";
        match failure {
            Failure::Grammar(error) => {
                let made = js_error(error.code(), &error.to_string(), error.help());
                if let GrammarError::SchemaUnsupported { keyword, path, .. } = &error {
                    set(&made, "keyword", keyword);
                    set(&made, "path", path);
                }
                made
            }
            Failure::Constraint(error) => js_error(error.code(), &error.to_string(), error.help()),
            Failure::Request(reason) => js_error("E_INVALID_PARAMETER", &reason, REQUEST),
            Failure::Table => {
                js_error("E_GRAMMAR_VOCABULARY", "the bytes of the tokens are not all there", REQUEST)
            }
        }
    }
}

fn js_error(code: &str, message: &str, help: &str) -> JsValue {
    let error = js_sys::Error::new(message).into();
    set(&error, "code", code);
    set(&error, "help", help);
    error
}

fn set(error: &JsValue, name: &str, value: &str) {
    // An error object that was just made takes every property.
    let _set = Reflect::set(error, &name.into(), &value.into());
}
