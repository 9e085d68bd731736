//! What to make of log-probabilities: labels, calibration, ensembles, votes, and how far to trust them.
//!
//! Pure functions in f64 over plain numbers; an engine is needed only for the log-probabilities that go in.
//!
//! ```
//! use goldcrest_score::{Length, Mode, label_probabilities, recalibrate};
//!
//! // Two labels, of one and of two tokens, behind a prompt; and behind a prompt without content.
//! let p = label_probabilities(&[vec![-0.4], vec![-0.9, -0.3]], Length::Sum)?;
//! let neutral = label_probabilities(&[vec![-0.2], vec![-1.5, -0.4]], Length::Sum)?;
//! let fair = recalibrate(&p, &neutral, Mode::Diag)?;
//! assert!(p[0] > p[1] && fair[0] < fair[1]);
//! # Ok::<(), goldcrest_score::ScoreError>(())
//! ```
#![forbid(unsafe_code)]

mod aggregate;
mod calibration_error;
mod ensemble;
mod error;
mod intervals;
mod isotonic;
mod labels;
mod platt;
mod recalibrate;
mod selection;
mod temperature;
mod text;
mod transport;

pub use aggregate::{Sampled, best_of, length_normalised, text_weights, vote, weighted_vote};
pub use calibration_error::{Bin, Reliability, event_gaps, reliability};
pub use ensemble::{majority, max_probability, mean_probability};
pub use error::ScoreError;
pub use intervals::{Z_95, fisher_exact, wilson};
pub use isotonic::Isotonic;
pub use labels::{Length, argmax, entropy, label_probabilities, log_softmax, normalise, softmax};
pub use platt::Platt;
pub use recalibrate::{Mode, calibrate_by_marginal, marginal, recalibrate};
pub use selection::{Information, Template, information, select_by_confidence, select_template};
pub use temperature::{TemperatureFit, fit_temperature, negative_log_likelihood};
pub use text::{distinct_n, repetition_n, type_token_ratio};
pub use transport::{Plan, cosine_costs, multi_prompt, sinkhorn};
