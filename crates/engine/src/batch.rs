//! The step: what goes in, what may be asked for, what comes out.

use std::ops::Range;
use std::rc::Rc;

use goldcrest_kernels::sampling::{CANDIDATES, RowStats};
use goldcrest_sample::{SamplerParams, TokenMask};

use crate::kv::SeqId;

/// Most tokens that [`Wants::top`] can ask for.
pub const BEST: u32 = CANDIDATES;

/// Rows that run through the model together.
#[derive(Clone, Debug, Default)]
pub struct Batch {
    /// The rows, in order; rows of one sequence follow each other.
    pub rows: Vec<BatchRow>,
    /// Layers to run; none runs all. A range that does not begin at 0 continues from hidden rows that an earlier step
    /// left, so it needs [`Source::Kept`] and, like a range that ends early, fits one chunk.
    pub layers: Option<Range<u32>>,
    /// Columns of the feed-forward blocks to run, one of the model's nested widths; none runs all.
    pub ff_width: Option<u32>,
    /// Points of the residual stream to read or to add to.
    pub taps: Vec<Tap>,
    /// How the rows that want it draw a token, see [`Wants::drawn`].
    pub sampler: Option<SamplerParams>,
    /// The rows are a tree of guesses, of which only the path comes back.
    pub walk: Option<Walk>,
}

/// A tree of guesses that the device follows along the tokens which [`Batch::sampler`] gives its rows. Each row is a token, wants
/// one drawn and nothing else.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Walk {
    /// Per row the one that it follows, which stands before it; what is said of the first row does not count.
    pub parents: Vec<u32>,
    /// Per row what the guesses that follow it were drawn from, one after another without replacement in the order of their rows:
    /// tokens in ascending order, at most [`BEST`], with their probabilities. Such guesses are judged by their ratio, so that what
    /// comes is distributed as the sampler draws. Empty for guesses that were not drawn; no list at all where none was.
    pub lists: Vec<Vec<(u32, f32)>>,
    /// A guess behind the last row that has no row itself, for that one's list.
    pub expected: Option<u32>,
    /// Stream of the random numbers for judging, under the sampler's seed.
    pub stream: u32,
    /// How many of them were used before.
    pub thrown: u32,
}

/// A path through [`Batch::walk`].
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Walked {
    /// Rows from the first one on, each but the last followed by the row that is the token behind it, with that token and its
    /// log-probability before the sampler's cuts and temperature.
    pub path: Vec<(usize, u32, f32)>,
    /// Random numbers used so far.
    pub thrown: u32,
}

/// One row of a batch.
#[derive(Clone, Debug)]
pub struct BatchRow {
    /// What it is made from.
    pub source: Source,
    /// Position that rotation sees.
    pub pos: u32,
    /// Sequence it belongs to.
    pub seq: SeqId,
    /// Where its keys and values go.
    pub place: Place,
    /// What it may see.
    pub visible: Visible,
    /// What is asked of its logits.
    pub wants: Wants,
}

impl BatchRow {
    /// A token appended to a sequence that sees everything before it and wants nothing.
    #[must_use]
    pub fn token(token: u32, pos: u32, seq: SeqId) -> Self {
        let (place, visible) = (Place::Append, Visible::Causal);
        Self { source: Source::Token(token), pos, seq, place, visible, wants: Wants::default() }
    }

    /// The same row with other wishes.
    #[must_use]
    pub fn wanting(mut self, wants: Wants) -> Self {
        self.wants = wants;
        self
    }
}

/// What a row is made from.
#[derive(Clone, Debug)]
pub enum Source {
    /// The embedding of a token.
    Token(u32),
    /// A weighted sum of token embeddings.
    Mixture(Vec<(u32, f32)>),
    /// A hidden row of `n_embd` values (after any scaling of embeddings).
    Embedding(Vec<f32>),
    /// The hidden row that the step before left at this index.
    Kept,
}

/// Where a row's keys and values go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// Into a fresh cell at the end of the sequence.
    Append,
    /// Into the cell of entry `i`, replacing what it holds.
    Entry(usize),
}

/// Which entries of its sequence a row sees. Entries are counted from 0; rows of the same batch are among them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Visible {
    /// Everything up to and including itself, or the window of it.
    Causal,
    /// Entries `lo..hi`: a prefix, a block seen from both sides, a range.
    Range {
        /// First entry.
        lo: u32,
        /// One past the last.
        hi: u32,
    },
    /// Everything that stood before this batch, and of this batch's rows those whose bits are set (bit `i` = row `i` of
    /// this sequence in this batch, which may be the row itself).
    Tree {
        /// The bits.
        ancestors: u64,
    },
}

/// What is asked of a row's logits; reduced on the device, so that few bytes come back.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Wants {
    /// Argmax, log-sum-exp, entropy, largest probability, gap of the best two.
    pub stats: bool,
    /// So many of the best, sorted, at most [`BEST`]; 0 for none.
    pub top: u32,
    /// A token for the position behind the row, drawn on the device by [`Batch::sampler`] from the random numbers of this stream: the
    /// token that the host's chain of that stream would choose.
    pub drawn: Option<u32>,
    /// Logits of listed tokens.
    pub logits_at: Vec<u32>,
    /// All logits.
    pub row: bool,
    /// The row after the final norm.
    pub hidden: bool,
    /// Tokens that count: the logits of all others are [`goldcrest_kernels::sampling::BANNED`] in everything above. None
    /// masks nothing.
    pub allowed: Option<Rc<TokenMask>>,
}

impl Wants {
    /// Whether nothing is asked for.
    #[must_use]
    pub fn is_none(&self) -> bool {
        *self == Self::default()
    }
}

/// A point of the residual stream.
#[derive(Clone, Debug)]
pub enum Tap {
    /// Read all rows before layer `layer` (0: the embeddings; `n_layer`: after the last layer).
    Read {
        /// The layer.
        layer: u32,
    },
    /// Add a vector before layer `layer`.
    Add {
        /// The layer.
        layer: u32,
        /// Rows of the batch; none for all.
        rows: Option<Vec<u32>>,
        /// `n_embd` values.
        vector: Vec<f32>,
        /// Factor of the vector.
        scale: f32,
    },
}

/// What a step gave.
#[derive(Clone, Debug, Default)]
pub struct StepResult {
    /// One entry per batch row that wanted something, in order.
    pub rows: Vec<RowResult>,
    /// For every [`Tap::Read`], in order: `[rows][n_embd]`.
    pub taps: Vec<Vec<f32>>,
    /// For [`Batch::walk`].
    pub walked: Walked,
}

/// What was asked of one row.
#[derive(Clone, Debug, Default)]
pub struct RowResult {
    /// Index in the batch.
    pub row: usize,
    /// [`Wants::stats`]; also filled for every other wish that reads logits.
    pub stats: Option<RowStats>,
    /// [`Wants::top`]: (token, logit), best first.
    pub top: Vec<(u32, f32)>,
    /// [`Wants::drawn`]: the token and its log-probability before the sampler's cuts and temperature.
    pub drawn: Option<(u32, f32)>,
    /// [`Wants::logits_at`].
    pub logits_at: Vec<f32>,
    /// [`Wants::row`].
    pub logits: Vec<f32>,
    /// [`Wants::hidden`].
    pub hidden: Vec<f32>,
}
