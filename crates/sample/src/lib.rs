//! From logits to a token: sampler chains, stop rules, counter-based randomness.
//!
//! The crate is pure: distributions in, decisions out. It does no I/O, knows no GPU and keeps no clock, so the
//! same inputs give the same token on every platform.
//!
//! A row of logits becomes [`Candidates`]; a [`Chain`] of [`LogitStage`]s narrows and reshapes them; its end, a
//! [`Choose`], picks one. [`SamplerParams`] is the flat form that users fill in; [`SamplerParams::to_chain`] turns
//! it into a chain and [`SamplerParams::gpu_plan`] says which part a GPU kernel can run with the same result.
//!
//! ```
//! use goldcrest_sample::{Candidates, SamplerParams};
//!
//! let params = SamplerParams { seed: 42, ..SamplerParams::default() };
//! let mut chain = params.to_chain()?;
//! let mut row = Candidates::from_row(&[0.1, 2.0, -1.0])?;
//! let choice = chain.choose(&mut row, 0)?;
//! chain.commit(&choice);
//! # Ok::<(), goldcrest_sample::SampleError>(())
//! ```
//!
//! # Rules that hold everywhere
//!
//! 1. Candidates are ordered by logit, descending; equal logits by id, ascending. `-0.0` equals `0.0`.
//! 2. NaN and infinities in a model's row are an error ([`SampleError::NonFiniteLogits`]). A token that a mask or a
//!    ban removes leaves the candidates; it is never kept with a logit of −∞.
//! 3. No candidate left is an error ([`SampleError::NoCandidate`]), never token 0.
//! 4. Every stage is the identity, bit for bit, at its neutral setting.
//! 5. When only the top K of a row are known, a stage that cannot be exact says so
//!    ([`SampleError::NeedsFullRow`]) and changes nothing; the caller repeats the step with the whole row.
#![forbid(unsafe_code)]

mod assemble;
mod candidates;
mod chain;
mod constraint;
pub mod end;
mod error;
mod gpu_plan;
mod known;
mod math;
mod params;
mod rng;
mod settings;
mod spec;
pub mod stage;
mod stop;

pub use candidates::{Candidate, Candidates, RowStats};
pub use chain::{Chain, Choice, StageTrace};
pub use constraint::{Constraint, ConstraintError, TokenMask};
pub use end::{Choose, draw, greedy};
pub use error::SampleError;
pub use gpu_plan::GpuChain;
pub use known::{Known, Needs};
pub use math::exp_f32;
pub use params::{Order, SamplerParams};
pub use rng::{Purpose, philox4x32_10, uniform};
pub use stage::{Ctx, LogitStage};
pub use stop::{StopMatcher, StopPush, StopText};
