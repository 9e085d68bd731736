//! Decoding strategies: search, contrast, cascades, speculation.
//!
//! A strategy is a small file that drives a [`Job`]: it opens sequences, asks for rows, forks, and writes the tokens it
//! decided on. It never sees a device, so that the same code runs on a [`TableLm`] in a test and on a real model.
//!
//! ```
//! use goldcrest_decode::{Ask, Method, TableLm, decode_with};
//!
//! // A model of three tokens that always prefers the one after the last.
//! let mut model = TableLm::new(3, |context| {
//!     let next = context.last().map_or(0, |last| (last + 1) % 3);
//!     (0..3).map(|id| if id == next { 2.0 } else { 0.0 }).collect()
//! });
//! let method = Method::parse("best_of_n:n=3")?;
//! let ask = Ask { max_tokens: 4, ..Ask::new(vec![0]) };
//! let outcome = pollster::block_on(decode_with(&mut model, ask, &method))?;
//! assert_eq!(outcome.tokens.len(), 4);
//! # Ok::<(), goldcrest_decode::DecodeError>(())
//! ```

#![forbid(unsafe_code)]

/// The guide's code, compiled and run.
#[cfg(doctest)]
#[doc = include_str!("../../../docs/methods/add-your-own.md")]
mod guide {}

mod args;
mod attribute;
mod beams;
pub mod confidence;
mod continuations;
mod decoding;
mod error;
mod form;
mod frontier;
mod greedy;
mod job;
mod lm;
mod lockstep;
mod lookahead;
mod mix;
mod ngrams;
mod oracle;
mod probe;
mod resource;
mod rows;
mod sequences;
pub mod speculate;
pub mod strategy;
mod suffix;
mod table;
mod vocabulary;
mod vote;
mod writer;

pub use args::Args;
pub use decoding::{Decoding, decode_among, decode_by, decode_with, row_behind, state_behind};
pub use error::DecodeError;
pub use job::{Ask, Job, Outcome};
pub use lm::{Lm, Shape};
pub use mix::mix;
pub use resource::{Candidate, Remote, RemoteAnswer, Resources, Score, Scorer};
pub use rows::Row;
pub use sequences::Sequences;
pub use strategy::{Method, Strategy};
pub use table::TableLm;
pub use vocabulary::same_vocabulary;
