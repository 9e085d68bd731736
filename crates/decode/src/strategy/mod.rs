//! The strategies, one a file, and the list of their names.

mod a_star;
mod adadec;
mod against_prompts;
mod beam;
mod best_of_n;
mod conditional_beam;
mod contrastive_decoding;
mod contrastive_search;
mod diverse_beam;
mod dola;
mod energy_routing;
mod entropy_adaptive;
mod first_finish;
mod icn;
mod just_read_twice;
mod lower_layer;
mod momentum;
mod pg_td;
mod plan_then_write;
mod prompt_amplification;
mod remote_cascade;
mod sample;
mod self_consistency;
mod superposed;
mod transfer_q;

pub use a_star::AStar;
pub use adadec::AdaDec;
pub use against_prompts::{ContextAware, DebiasSampling, LeadingQuery};
pub use beam::Beam;
pub use best_of_n::BestOfN;
pub use conditional_beam::ConditionalBeam;
pub use contrastive_decoding::ContrastiveDecoding;
pub use contrastive_search::ContrastiveSearch;
pub use diverse_beam::DiverseBeam;
pub use dola::Dola;
pub use energy_routing::EnergyRouting;
pub use entropy_adaptive::EntropyAdaptive;
pub use first_finish::FirstFinish;
pub use icn::Icn;
pub use just_read_twice::JustReadTwice;
pub use lower_layer::LowerLayer;
pub use momentum::Momentum;
pub use pg_td::PgTd;
pub use plan_then_write::PlanThenWrite;
pub use prompt_amplification::PromptAmplification;
pub use remote_cascade::RemoteCascade;
pub use sample::Sample;
pub(crate) use sample::continue_plainly;
pub use self_consistency::SelfConsistency;
pub use superposed::Superposed;
pub use transfer_q::TransferQ;

use goldcrest_engine::Prompt;
use serde_json::Value;

use crate::speculate::Speculate;
use crate::{Args, DecodeError, Job, Lm};

/// How a strategy's answer is held to a form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FormBy {
    /// Every row is masked before the strategy sees it.
    Masks,
    /// The strategy takes [`crate::Resources::constraint`] and keeps to it.
    Itself,
    /// It cannot be.
    Nothing,
}

/// A way of making an answer.
#[allow(async_fn_in_trait, reason = "a strategy stays on its model's thread")]
pub trait Strategy: Sized {
    /// Its name on every surface.
    const NAME: &'static str;
    /// One line about it.
    const SUMMARY: &'static str;

    /// How its answer is held to a form. All that it writes was read from the rows of a sequence that began as the prompt, or
    /// it says otherwise.
    const FORM: FormBy = FormBy::Masks;

    /// Reads its parameters, each with default and range.
    ///
    /// # Errors
    /// [`DecodeError::InvalidParameter`].
    fn read(args: &mut Args) -> Result<Self, DecodeError>;

    /// The prompt that is run in the place of the one that was given.
    fn rewrite(&self, prompt: &Prompt) -> Prompt {
        prompt.clone()
    }

    /// Makes the answer.
    ///
    /// # Errors
    /// Any [`DecodeError`]; sequences are freed by the job.
    async fn run<L: Lm>(&self, job: &mut Job<'_, L>) -> Result<(), DecodeError>;
}

/// Makes the list: one line per strategy.
macro_rules! methods {
    ($($Name:ident),* $(,)?) => {
        /// Any strategy.
        #[derive(Clone, Debug, PartialEq)]
        pub enum Method {
            $(#[doc = concat!("[`", stringify!($Name), "`].")] $Name($Name)),*
        }

        impl Method {
            /// Name and one line of every strategy.
            pub const LIST: &[(&'static str, &'static str)] = &[$(($Name::NAME, $Name::SUMMARY)),*];

            fn read(args: &mut Args) -> Result<Self, DecodeError> {
                match args.method() {
                    $($Name::NAME => $Name::read(args).map(Self::$Name),)*
                    name => Err(unknown(name)),
                }
            }

            /// The strategy's name.
            #[must_use]
            pub const fn name(&self) -> &'static str {
                match self { $(Self::$Name(_) => $Name::NAME),* }
            }

            /// How the strategy's answer is held to a form.
            #[must_use]
            pub const fn form(&self) -> FormBy {
                match self { $(Self::$Name(_) => $Name::FORM),* }
            }

            /// The prompt that is run in the place of the one that was given.
            #[must_use]
            pub fn rewrite(&self, prompt: &Prompt) -> Prompt {
                match self { $(Self::$Name(method) => method.rewrite(prompt)),* }
            }

            /// Makes the answer.
            ///
            /// # Errors
            /// Any [`DecodeError`].
            pub async fn run<L: Lm>(&self, job: &mut Job<'_, L>) -> Result<(), DecodeError> {
                match self { $(Self::$Name(method) => method.run(job).await),* }
            }
        }
    };
}

methods!(
    Sample,
    BestOfN,
    SelfConsistency,
    FirstFinish,
    Momentum,
    ContrastiveSearch,
    Beam,
    DiverseBeam,
    ConditionalBeam,
    AdaDec,
    Superposed,
    AStar,
    PgTd,
    TransferQ,
    Icn,
    PlanThenWrite,
    Speculate,
    ContrastiveDecoding,
    ContextAware,
    DebiasSampling,
    LeadingQuery,
    PromptAmplification,
    Dola,
    LowerLayer,
    JustReadTwice,
    EntropyAdaptive,
    EnergyRouting,
    RemoteCascade,
);

impl Method {
    /// Reads `NAME` or `NAME:key=value,…`.
    ///
    /// # Errors
    /// [`DecodeError::UnknownMethod`], [`DecodeError::BadSpec`], [`DecodeError::UnknownParameter`],
    /// [`DecodeError::InvalidParameter`].
    pub fn parse(spec: &str) -> Result<Self, DecodeError> {
        let (name, list) = spec.split_once(':').unwrap_or((spec, ""));
        Self::checked(Args::from_text(known(name.trim())?, list)?)
    }

    /// Reads a name, or an object with `name` and parameters.
    ///
    /// # Errors
    /// As [`Method::parse`].
    pub fn from_json(value: &Value) -> Result<Self, DecodeError> {
        if let Some(spec) = value.as_str() {
            return Self::parse(spec);
        }
        let name = value.get("name").and_then(Value::as_str).unwrap_or_default();
        Self::checked(Args::from_json(known(name)?, value))
    }

    fn checked(mut args: Args) -> Result<Self, DecodeError> {
        let method = Self::read(&mut args)?;
        args.done()?;
        Ok(method)
    }
}

/// The name as the list has it; `-` may stand for `_`.
fn known(name: &str) -> Result<&'static str, DecodeError> {
    let plain = name.replace('-', "_");
    let found = Method::LIST.iter().find(|(known, _)| *known == plain);
    found.map(|(known, _)| *known).ok_or_else(|| unknown(name))
}

fn unknown(name: &str) -> DecodeError {
    let names = Method::LIST.iter().map(|(known, _)| (strsim::levenshtein(known, name), *known));
    let nearest = names.min().filter(|(distance, _)| *distance <= 3).map(|(_, known)| known);
    DecodeError::UnknownMethod { name: name.to_owned(), nearest }
}
