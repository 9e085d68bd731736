//! Errors as JavaScript sees them.

use goldcrest::decode::DecodeError;
use goldcrest::record::RecordError;
use goldcrest::{ClassifyError, EngineError, ErrorCode};
use js_sys::Reflect;
use wasm_bindgen::{JsCast, JsValue};

/// A call failed.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The engine's words.
    Engine(EngineError),
    /// A strategy's words.
    Strategy(DecodeError),
    /// Labels that cannot be scored.
    Classify(ClassifyError),
    /// A parameter that cannot be.
    Parameter {
        /// Its name.
        name: String,
        /// What was given, as JSON.
        value: String,
        /// What may be given.
        allowed: &'static str,
    },
    /// Text that should be JSON and is not.
    Json(serde_json::Error),
    /// What the caller's own function threw, handed back as it is.
    Thrown(JsValue),
    /// A record that cannot be written.
    Record(RecordError),
    /// A failure that concerns two models.
    Beside {
        /// The model that answers, and the one that was to stand beside it.
        names: [String; 2],
        /// What failed.
        failure: Box<Self>,
    },
}

impl Failure {
    /// Names both models; what the caller threw, and an abort, stay as they are.
    pub(crate) fn beside(self, ours: &str, theirs: &str) -> Self {
        match self {
            Self::Thrown(_) | Self::Engine(EngineError::Aborted) => self,
            other => Self::Beside { names: [ours.to_owned(), theirs.to_owned()], failure: Box::new(other) },
        }
    }
}

impl<E: Into<EngineError>> From<E> for Failure {
    fn from(error: E) -> Self {
        Self::Engine(error.into())
    }
}

impl From<Failure> for JsValue {
    fn from(failure: Failure) -> Self {
        const PARAMETERS: &str = "the documentation says what each parameter may be";
        match failure {
            Failure::Engine(error) => {
                let row = ErrorCode::of(&error);
                js_error(row.code, &error.to_string(), row.help)
            }
            Failure::Strategy(error) => {
                let row = ErrorCode::of_strategy(&error);
                js_error(row.code, &error.to_string(), row.help)
            }
            Failure::Classify(error) => {
                let row = ErrorCode::of_classify(&error);
                js_error(row.code, &error.to_string(), row.help)
            }
            Failure::Parameter { name, value, allowed } => {
                let message = format!("{name} = {value} is not allowed; allowed: {allowed}");
                js_error("E_INVALID_PARAMETER", &message, PARAMETERS)
            }
            Failure::Json(error) => js_error("E_INVALID_PARAMETER", &error.to_string(), PARAMETERS),
            Failure::Record(error) => js_error("E_ENGINE", &error.to_string(), "leave the record out"),
            Failure::Thrown(value) => value,
            Failure::Beside { names: [ours, theirs], failure } => {
                let error = Self::from(*failure);
                if let Some(error) = error.dyn_ref::<js_sys::Error>() {
                    error.set_message(&format!("{theirs} beside {ours}: {}", String::from(error.message())));
                }
                error
            }
        }
    }
}

fn js_error(code: &str, message: &str, help: &str) -> JsValue {
    let error = js_sys::Error::new(message);
    for (name, value) in [("code", code), ("help", help)] {
        // An error object that was just made takes every property.
        let _set = Reflect::set(&error, &name.into(), &value.into());
    }
    error.into()
}
