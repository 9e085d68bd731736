//! The border between the engine and JavaScript: values in, values out, nothing decided here.
//!
//! Structured data crosses as JSON text, bytes as `Uint8Array`. Every failure is a JavaScript `Error` with `code` and `help`,
//! from the same table as the command's. Nothing is fetched, logged or stored: bytes come through the caller's `ByteSource`.

mod constraint;
mod conversation;
mod engine;
mod error;
mod events;
mod fields;
mod generating;
mod options;
mod other;
mod plan;
mod record;
mod report;
mod request;
mod sampler;
mod score;
mod sha256;
mod source;
mod strategy;
mod tokens;
mod trace;
mod turn;

pub use constraint::TokenConstraint;
pub use engine::Engine;
pub use plan::plan;
pub use sha256::Sha256;
pub use source::{ByteSource, Signal};
pub use strategy::strategies;
pub use tokens::TokenTable;

use wasm_bindgen::prelude::wasm_bindgen;

/// The version of this build.
#[wasm_bindgen]
#[must_use]
pub fn version() -> String {
    env!("CARGO_PKG_VERSION").to_owned()
}
