//! Grammars for JavaScript, apart from the engine: what most requests never need is fetched by the first that does.
//!
//! A [`Compiler`] knows the tokens of one model, which the engine hands over once. It makes [`Form`]s, which say token by token
//! what may come. Nothing here knows a device, a model or a network.
#![forbid(unsafe_code)]

mod compiler;
mod error;
mod form;
mod request;
mod words;
mod writer;

pub use compiler::Compiler;
pub use form::{Form, Question};

use wasm_bindgen::prelude::wasm_bindgen;

/// The version of this build.
#[wasm_bindgen]
#[must_use]
pub fn version() -> String {
    env!("CARGO_PKG_VERSION").to_owned()
}
