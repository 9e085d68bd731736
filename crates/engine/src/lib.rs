//! Sessions, the step, the KV pool and the generation loop.
//!
//! [`Runtime`] is the small set of primitives that every decoding method is written against: [`Runtime::forward`] for
//! any batch, the KV operations of [`kv::KvPool`], and decoding without the host in the loop.

#![forbid(unsafe_code)]

mod answer;
pub mod batch;
mod engine;
mod error;
mod generation;
pub mod kv;
mod request;
mod runtime;
mod selftest;
mod session;
mod text;

pub use answer::{AnswerText, Taken};
pub use engine::{Engine, EngineOptions, ModelInfo, Phase};
pub use error::EngineError;
pub use generation::Generation;
pub use goldcrest_kernels::sampling::RowStats as RawStats;
pub use request::{Event, Finish, Prompt, Request, Stats, TokenEvent};
pub use runtime::{DecodeRun, DecodedToken, MemoryPlan, Runtime, RuntimeOptions};
pub use selftest::{SelfTest, selftest};
pub use session::Session;
pub use text::Text;
