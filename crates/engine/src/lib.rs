//! Sessions, the step, the KV pool and the generation loop.
//!
//! [`Runtime`] is the small set of primitives that every decoding method is written against: [`Runtime::forward`] for
//! any batch, the KV operations of [`kv::KvPool`], and decoding without the host in the loop.

#![forbid(unsafe_code)]

mod answer;
pub mod batch;
mod choosing;
mod cost;
mod engine;
mod error;
mod generation;
mod host_loop;
pub mod kv;
mod request;
mod runtime;
mod scoring;
mod selftest;
mod session;
mod text;
mod tune;

pub use answer::{AnswerText, Taken};
pub use cost::{CostOptions, StepCost, cost_curve};
pub use engine::{Engine, EngineOptions, LoadTimes, ModelInfo, Phase};
pub use error::EngineError;
pub use generation::Generation;
pub use goldcrest_kernels::sampling::RowStats as RawStats;
pub use request::{Event, Finish, Prompt, Request, Stats, TokenEvent};
pub use runtime::{DecodeRun, DecodedToken, Meanwhile, MemoryPlan, Runtime, RuntimeOptions};
pub use scoring::Scored;
pub use selftest::{SelfTest, selftest};
pub use session::Session;
pub use text::Text;
pub use tune::{Trial, Tuned, tune};
