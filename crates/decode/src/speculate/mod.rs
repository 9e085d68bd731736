//! Lossless speculation: several tokens a pass, the same answer.
//!
//! A drafter guesses tokens, one pass of the model verifies all of them, and what the model would have said is kept. The
//! guesses form a [`Tree`]; [`walk`] holds the rules of acceptance; a planner sends no more guesses than pay for
//! their rows on this device, and none while guessing does not pay.

#[cfg_attr(target_family = "wasm", allow(dead_code, reason = "no head reaches a browser"))]
mod adapted;
mod aded;
mod auto;
mod beside;
mod copying;
mod dist;
mod draft_model;
mod draft_tree;
mod drafter;
mod features;
mod follow;
mod follower;
mod form;
mod habits;
// The border to JavaScript takes no file of a head: what reads and runs one stays out of the wasm, which has a bound on its size.
#[cfg_attr(target_family = "wasm", allow(dead_code, reason = "no head reaches a browser"))]
mod heads;
mod jacobi;
mod layers;
mod learnt;
mod lenient;
mod line;
mod lookahead;
mod memory;
mod on_device;
#[cfg(test)]
mod oracles;
mod pearl;
mod planner;
mod rates;
mod recycling;
mod scribe;
mod sorted;
#[cfg_attr(target_family = "wasm", allow(dead_code, reason = "no head reaches a browser"))]
mod specee;
mod tally;
mod tree;
pub mod walk;

pub use copying::{Copying, Which};
pub use dist::Dist;
pub use draft_tree::Shape;
pub use drafter::{Limit, Pace};
pub use heads::{HeadError, HeadFile, Reach};
pub use layers::{Layers, best_exit, kept};
pub use learnt::{Learnt, SharedLearnt};
pub use lenient::{Lenience, typical};
pub use memory::{DraftMemory, SUCCESSORS, Seen, SharedMemory};
pub use planner::{Curve, Planner};
pub use scribe::{Stop, best_length, expected};
pub use sorted::Depths;
pub use tree::{Extra, Input, Layout, MAX_ROWS, Node, Tree};

use serde_json::Value;

use aded::Aded;
use auto::Auto;
use draft_model::DraftModel;
use draft_tree::DraftTree;
use drafter::assist;
pub(crate) use follow::follow;
use follower::Follower;
use heads::Acceptance;
use jacobi::Jacobi;
use layers::OwnLayers;
use lookahead::{Lookahead, Pool};
use pearl::Pearl;
use recycling::{Growth, Recycling};
use scribe::Chained;
use sorted::Sorted;

use crate::strategy::{FormBy, Strategy};
use crate::{Args, DecodeError, Job, Lm, Method};

/// Decoding with a drafter's help.
#[derive(Clone, Debug, PartialEq)]
pub struct Speculate {
    /// Who guesses.
    pub drafter: &'static str,
    /// Rows of a pass.
    pub pace: Pace,
    /// Which guesses come; all but [`Lenience::Exact`] change the answer.
    pub accept: Lenience,
    kind: Kind,
}

/// The drafters, with their parameters.
#[derive(Clone, Debug, PartialEq)]
enum Kind {
    Copying(Copying),
    Recycling { adapt: bool },
    Auto(Copying),
    Aded,
    Jacobi { window: usize },
    Lookahead { window: usize, ngram: usize, guesses: usize },
    Draft { tokens: usize, stop: Stop },
    Sorted { depths: Depths, tokens: usize },
    Pearl { tokens: usize },
    Tree(Shape),
    Layers { which: Layers, tokens: usize, stop: Stop },
    Head(Reach),
    SpecEe { threshold: f32 },
}

impl Speculate {
    /// Name and one line of every drafter.
    pub const DRAFTERS: &[(&'static str, &'static str)] = &[
        ("auto", "recycled tokens and copied text in one tree"),
        ("recycling", "what the model thought likely behind each token the last time"),
        ("suffix", "what followed the longest earlier match of the last tokens"),
        ("copyspec", "what followed the first earlier match of three tokens"),
        ("pld", "prompt lookup: matches of three tokens, then two, then one"),
        ("aded", "a tree search over what followed which two tokens"),
        ("lookahead", "runs read off parallel guesses"),
        ("jacobi", "the model's own answers to the last pass"),
        ("draft", "a second model writes a few tokens"),
        ("specdec_pp", "a second model writes until a rejection is likely"),
        ("s2d", "the first layers of a second model, and more of them where those are not sure"),
        ("pearl", "a second model writes on while its last guesses are verified"),
        ("dyspec", "a second model grows the tree of the likeliest guesses"),
        ("rsd_c", "a second model draws siblings without replacement, so many at each depth"),
        ("rsd_s", "a second model draws a stochastic beam"),
        ("exit", "the model's own first layers"),
        ("skip", "the model's own layers, some left out"),
        ("del", "the model's own first layers, up to the exit that pays best"),
        ("matformer", "the model's own layers in a narrower width, where it nests such"),
        (
            "specee",
            "nobody: tokens are taken at early layers where a trained predictor is sure (another answer)",
        ),
        ("head", "a head that was trained for the model: Medusa, Hydra, EAGLE and more"),
    ];

    /// Whether its guesses are draws where the answer is sampled, which is then another for another number of guesses.
    #[must_use]
    pub const fn draws(&self) -> bool {
        use Kind::{Draft, Jacobi, Layers, Pearl, Sorted, Tree};
        matches!(
            self.kind,
            Draft { .. } | Sorted { .. } | Pearl { .. } | Tree(_) | Layers { .. } | Jacobi { .. }
        )
    }

    /// Reads `NAME` or `NAME:key=value,…`, where NAME is a drafter.
    ///
    /// # Errors
    /// As [`Method::parse`].
    pub fn parse(spec: &str) -> Result<Method, DecodeError> {
        let (name, list) = spec.split_once(':').unwrap_or((spec, ""));
        Method::parse(&format!("speculate:drafter={},{list}", name.trim().replace('-', "_")))
    }

    /// What makes the answer another one than that of the model alone, if anything does.
    #[must_use]
    pub const fn lossy(&self) -> Option<&'static str> {
        match self.kind {
            Kind::SpecEe { .. } => Some("specee"),
            _ => self.accept.lossy(),
        }
    }

    /// Reads a drafter's name with its parameters, or an object with `name` and parameters.
    ///
    /// # Errors
    /// As [`Method::parse`].
    pub fn from_json(value: &Value) -> Result<Method, DecodeError> {
        if let Some(spec) = value.as_str() {
            return Self::parse(spec);
        }
        let mut object = value.as_object().cloned().unwrap_or_default();
        let drafter = object.insert("name".into(), Self::NAME.into());
        object.insert("drafter".into(), drafter.unwrap_or_else(|| "auto".into()));
        Method::from_json(&Value::Object(object))
    }
}

impl Strategy for Speculate {
    const NAME: &'static str = "speculate";
    const SUMMARY: &'static str = "plain decoding with guesses that are verified several at once";
    const FORM: FormBy = FormBy::Itself;

    fn read(args: &mut Args) -> Result<Self, DecodeError> {
        let names: Vec<&'static str> = Self::DRAFTERS.iter().map(|(name, _)| *name).collect();
        let drafter = args.one_of("drafter", "auto", &names)?;
        let copying = |args: &mut Args, longest, shortest, tokens, which| -> Result<Copying, DecodeError> {
            let tokens = args.count("tokens", tokens, 1..=MAX_ROWS - 1)?;
            Ok(Copying { longest, shortest, tokens, which, branches: 1 })
        };
        let (rows, kind) = match drafter {
            "suffix" => {
                let longest = args.count("longest", 8, 1..=64)?;
                let shortest = args.count("shortest", 2, 1..=longest)?;
                (12, Kind::Copying(copying(args, longest, shortest, 10, Which::Recent)?))
            }
            "copyspec" => {
                let gamma = args.count("gamma", 3, 1..=64)?;
                (12, Kind::Copying(copying(args, gamma, gamma, 10, Which::First)?))
            }
            "pld" => {
                let longest = args.count("longest", 3, 1..=64)?;
                (12, Kind::Copying(copying(args, longest, 1, 10, Which::First)?))
            }
            "recycling" => (8, Kind::Recycling { adapt: args.flag("adapt", true)? }),
            "aded" => (25, Kind::Aded),
            "lookahead" => {
                let (window, ngram) = (args.count("window", 7, 1..=31)?, args.count("ngram", 5, 2..=16)?);
                (MAX_ROWS, Kind::Lookahead { window, ngram, guesses: args.count("guesses", 7, 1..=64)? })
            }
            "jacobi" => (MAX_ROWS, Kind::Jacobi { window: args.count("window", 7, 0..=MAX_ROWS - 1)? }),
            "draft" => {
                let tokens = args.count("tokens", 4, 1..=20)?;
                (MAX_ROWS, Kind::Draft { tokens, stop: Stop::Never })
            }
            "specdec_pp" => {
                let (least, tokens) = (args.count("min", 2, 1..=20)?, args.count("max", 20, 1..=20)?);
                let threshold = args.number("threshold", 0.3, 0.0..=1.0)?;
                (MAX_ROWS, Kind::Draft { tokens, stop: Stop::Doubt { threshold, least } })
            }
            "s2d" => {
                let (depths, tokens) = (Depths::read(args)?, args.count("tokens", 4, 1..=20)?);
                (MAX_ROWS, Kind::Sorted { depths, tokens })
            }
            "pearl" => (MAX_ROWS, Kind::Pearl { tokens: args.count("tokens", 4, 1..=20)? }),
            "dyspec" => (MAX_ROWS, Kind::Tree(Shape::Dynamic(args.count("tokens", 8, 1..=MAX_ROWS - 1)?))),
            "rsd_c" => (MAX_ROWS, Kind::Tree(Shape::Constant(branching(args)?))),
            "rsd_s" => {
                let (width, depth) = (args.count("width", 3, 1..=16)?, args.count("depth", 3, 1..=16)?);
                (MAX_ROWS, Kind::Tree(Shape::Beam { width, depth }))
            }
            "exit" => {
                let layer = args.count("layer", 0, 0..=1024)?;
                let stop = Stop::Unsure(args.number("eta", 0.6, 0.0..=1.0)?);
                let tokens = args.count("tokens", 6, 1..=20)?;
                (MAX_ROWS, Kind::Layers { which: Layers::Exit(layer), tokens, stop })
            }
            "skip" => {
                let which = Layers::Skip(args.number("speed", 1.25, 1.0..=16.0)?);
                let tokens = args.count("tokens", 4, 1..=20)?;
                (MAX_ROWS, Kind::Layers { which, tokens, stop: Stop::Never })
            }
            "del" => {
                let tokens = args.count("tokens", 16, 1..=20)?;
                (MAX_ROWS, Kind::Layers { which: Layers::Dynamic, tokens, stop: Stop::Never })
            }
            "matformer" => {
                let (slice, tokens) = (args.count("slice", 1, 1..=64)?, args.count("tokens", 4, 1..=20)?);
                (MAX_ROWS, Kind::Layers { which: Layers::Slice(slice), tokens, stop: Stop::Never })
            }
            "specee" => (1, Kind::SpecEe { threshold: args.number("threshold", 0.5, 0.0..=1.0)? }),
            "head" => {
                let (width, depth) = (args.count("width", 4, 1..=16)?, args.count("depth", 5, 1..=16)?);
                (12, Kind::Head(Reach { width, depth }))
            }
            _ => {
                let copying = copying(args, 8, 1, 10, Which::Recent)?;
                (12, Kind::Auto(Copying { branches: 3, ..copying }))
            }
        };
        if let Kind::SpecEe { .. } = kind {
            let (pace, accept) = (Pace { rows, plan: false }, Lenience::Exact);
            return Ok(Self { drafter, pace, accept, kind });
        }
        let pace = Pace { rows: args.count("rows", rows, 1..=MAX_ROWS)?, plan: args.flag("plan", true)? };
        let accept = Lenience::read(args)?;
        Ok(Self { drafter, pace, accept, kind })
    }

    async fn run<L: Lm>(&self, job: &mut Job<'_, L>) -> Result<(), DecodeError> {
        let memory = job.learnt().borrow().memory();
        let (name, pace) = (self.drafter, (self.pace, self.accept));
        match self.kind.clone() {
            Kind::Copying(mut copying) => assist(job, name, pace, &mut copying).await,
            Kind::Recycling { adapt } => {
                let growth = if adapt { Growth::Ranks } else { Growth::Fixed };
                assist(job, name, pace, &mut Recycling { memory, growth }).await
            }
            Kind::Auto(copying) => {
                let recycling = Recycling { memory, growth: Growth::Chances };
                assist(job, name, pace, &mut Auto { copying, recycling }).await
            }
            Kind::Aded => assist(job, name, pace, &mut Aded::default()).await,
            Kind::Jacobi { window } => {
                assist(job, name, pace, &mut Jacobi { window, guesses: Vec::new() }).await
            }
            Kind::Lookahead { window, ngram, guesses } => {
                let (levels, pool) = (Vec::new(), Pool::default());
                assist(job, name, pace, &mut Lookahead { window, ngram, guesses, levels, pool }).await
            }
            Kind::Draft { tokens, stop } => {
                check_draft(job)?;
                let head = acceptance(job, stop)?;
                let scribe = DraftModel::new(head.is_some());
                assist(job, name, pace, &mut Chained { scribe, tokens, stop, head }).await
            }
            Kind::Sorted { depths, tokens } => {
                check_draft(job)?;
                let scribe = Sorted::new(depths, job.others[0].shape().n_layer)?;
                assist(job, name, pace, &mut Chained { scribe, tokens, stop: Stop::Never, head: None }).await
            }
            Kind::Pearl { tokens } => {
                check_draft(job)?;
                assist(job, name, pace, &mut Pearl::new(tokens)).await
            }
            Kind::Tree(shape) => {
                check_draft(job)?;
                assist(job, name, pace, &mut DraftTree { shape, follower: Follower::default() }).await
            }
            Kind::Layers { which, tokens, stop } => {
                #[cfg(not(target_family = "wasm"))]
                if let (Layers::Exit(layer), true) = (&which, job.resources.head.is_some()) {
                    let scribe = adapted::Adapted::read(job, *layer).await?;
                    let mut chained = Chained { scribe, tokens, stop, head: None };
                    return assist(job, name, pace, &mut chained).await;
                }
                let scribe = OwnLayers::new(which, job.model.lm().nested_ff())?;
                assist(job, name, pace, &mut Chained { scribe, tokens, stop, head: None }).await
            }
            #[cfg(not(target_family = "wasm"))]
            Kind::Head(reach) => heads::run(job, name, pace, reach).await,
            #[cfg(not(target_family = "wasm"))]
            Kind::SpecEe { threshold } => specee::run(job, threshold).await,
            #[cfg(target_family = "wasm")]
            Kind::Head(_) | Kind::SpecEe { .. } => Err(heads::missing()),
        }
    }
}

/// Children of every node of each depth, as `2-2-1`.
fn branching(args: &mut Args) -> Result<Vec<usize>, DecodeError> {
    let text = args.text("branching").unwrap_or_else(|| "2-2-1".to_owned());
    let widths: Option<Vec<usize>> =
        text.split('-').map(|w| w.parse().ok().filter(|w| (1..=16).contains(w))).collect();
    widths.ok_or_else(|| args.invalid("branching", text, "numbers from 1 to 16 with - between"))
}

/// The head that was given for a draft model whose writing ends when a rejection is likely.
fn acceptance<L: Lm>(job: &Job<'_, L>, stop: Stop) -> Result<Option<Acceptance>, DecodeError> {
    // The border to JavaScript takes no file of a head.
    let ends = matches!(stop, Stop::Doubt { .. }) && cfg!(not(target_family = "wasm"));
    let file = job.resources.head.as_deref().filter(|_| ends);
    let read = file.map(|file| Acceptance::read(file, job.others[0].shape())).transpose();
    Ok(read?)
}

/// Refuses a draft model that is missing, speaks another vocabulary or is the larger one.
fn check_draft<L: Lm>(job: &Job<'_, L>) -> Result<(), DecodeError> {
    let Some(draft) = job.others.first().map(crate::Sequences::shape) else {
        return Err(DecodeError::MissingResource { method: Speculate::NAME, what: "a draft model" });
    };
    let target = job.model.shape();
    if draft.n_vocab != target.n_vocab {
        return Err(DecodeError::VocabularyMismatch { ours: target.n_vocab, theirs: draft.n_vocab });
    }
    let size = |shape: crate::Shape| u64::from(shape.n_layer) * u64::from(shape.n_embd).pow(2);
    if size(draft) > size(target) {
        return Err(DecodeError::DraftTooLarge {
            draft: (draft.n_layer, draft.n_embd),
            target: (target.n_layer, target.n_embd),
        });
    }
    Ok(())
}
