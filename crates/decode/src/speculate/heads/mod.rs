//! Trained heads: small networks that guess from the model's hidden rows, on the host.
//!
//! A [`HeadFile`] holds one in safetensors. What the kinds share is here: the draft vocabulary, a decoder layer, the growing
//! of the tree. Their guesses are fixed by the text, so that a seed gives the same answer with and without them.

mod acceptance;
mod ahead;
mod attention;
mod chimera;
mod clover;
mod drafter;
mod eagle;
mod error;
mod exits;
mod file;
#[cfg(test)]
mod golden;
mod grow;
mod hydra;
mod judge;
mod kangaroo;
mod layer;
mod matrix;
mod medusa;
mod vocabulary;

pub(crate) use acceptance::Acceptance;
pub use error::HeadError;
pub(crate) use exits::{CANDIDATES, Exits, shares};
pub use file::HeadFile;
pub use grow::Reach;
pub(crate) use judge::Judge;
pub(crate) use kangaroo::Adapter;
pub(crate) use matrix::Matrix;

use super::drafter::{Pace, assist};
use super::lenient::Lenience;
use super::tree::Tree;
use crate::{DecodeError, Job, Lm};
use ahead::Ahead;
use chimera::Chimera;
use clover::Clover;
use drafter::Headed;
use eagle::Eagle;
pub(crate) use file::Reader;
use hydra::Hydra;
use medusa::Medusa;
pub(crate) use vocabulary::{Embeddings, Outputs};

/// First class of the guesses of heads; one per depth, the last for all deeper ones.
const CLASS: usize = 24;
/// Classes of the guesses of heads.
const CLASSES: usize = 6;

/// What a file may hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Medusa,
    Hydra,
    Clover,
    Chimera,
    HiddenTransfer,
    Ppd,
    Eagle,
    Eagle3,
    Fspad,
    Judge,
    Acceptance,
    Exits,
    Kangaroo,
}

/// Their names in the metadata.
pub(crate) const KINDS: &[(&str, Kind)] = &[
    ("medusa", Kind::Medusa),
    ("hydra", Kind::Hydra),
    ("clover", Kind::Clover),
    ("chimera", Kind::Chimera),
    ("hidden_transfer", Kind::HiddenTransfer),
    ("ppd", Kind::Ppd),
    ("eagle", Kind::Eagle),
    ("eagle3", Kind::Eagle3),
    ("fspad", Kind::Fspad),
    ("judge", Kind::Judge),
    ("specdec_pp", Kind::Acceptance),
    ("specee", Kind::Exits),
    ("kangaroo", Kind::Kangaroo),
];

/// A committed row of the model, and the token that came behind it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Fed<'r> {
    /// The row behind the final norm, or the rows before the layers that the head reads, one behind another.
    pub(crate) hidden: &'r [f32],
    /// The embedding of the token behind it.
    pub(crate) embedding: &'r [f32],
}

/// A token that may follow.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Guess<'r> {
    /// Which of the guesses that were looked behind since the last rollback it follows; none for the newest committed
    /// token, which comes first.
    pub(crate) parent: Option<usize>,
    /// Its embedding.
    pub(crate) embedding: &'r [f32],
}

/// A trained head: it is fed committed rows, proposes guesses behind them, and rolls back what it made of guesses.
pub(crate) trait DraftHead {
    /// Takes committed rows in order. What it made of guesses has been rolled back.
    fn feed(&mut self, rows: &[Fed<'_>]);

    /// The row for the output matrix behind each of several guesses of one depth.
    fn behind(&mut self, guesses: &[Guess<'_>]) -> Vec<Vec<f32>>;

    /// Keeps the first `len` committed rows, and nothing of guesses.
    fn rollback(&mut self, len: usize);

    /// Whether it wants the rows of the prompt too.
    fn reads_prompt(&self) -> bool {
        false
    }

    /// The layers before which it reads rows; none for the row behind the final norm.
    fn reads_before(&self) -> &[u32] {
        &[]
    }

    /// Width of the rows for the output matrix, where the model's rows have `width`.
    fn columns(&self, width: usize) -> usize {
        width
    }

    /// Deepest guess.
    fn deepest(&self) -> usize {
        usize::MAX
    }

    /// Whether all guesses of a depth have the same row behind them, which is then given once.
    fn one_for_all(&self) -> bool {
        false
    }

    /// A tree of at most `total` guesses behind `root`, whose row was fed.
    fn propose(
        &mut self,
        root: u32,
        reach: Reach,
        total: usize,
        outputs: &Outputs,
        embeddings: &Embeddings,
    ) -> Tree {
        let reach = Reach { depth: reach.depth.min(self.deepest()), ..reach };
        grow::grown(root, class, reach, total, |depth, guesses| {
            let asked = if self.one_for_all() { &guesses[..1] } else { guesses };
            let guess = |(parent, token): &(Option<usize>, u32)| Guess {
                parent: *parent,
                embedding: embeddings.of_token(*token),
            };
            let asked: Vec<Guess<'_>> = asked.iter().map(guess).collect();
            let logits = outputs.logits(depth, &self.behind(&asked));
            let mut found: Vec<_> = logits.iter().map(|l| outputs.best(l, reach.width)).collect();
            if let ([one], true) = (found.as_slice(), self.one_for_all()) {
                found = vec![one.clone(); guesses.len()];
            }
            found
        })
    }
}

/// The class of guesses of a depth.
fn class(depth: usize) -> usize {
    CLASS + depth.min(CLASSES - 1)
}

/// The head that computes on the host, if the file holds such a one.
fn hosted(reader: &Reader<'_>) -> Result<Option<Box<dyn DraftHead>>, HeadError> {
    Ok(Some(match reader.file.kind() {
        Kind::Medusa => Box::new(Medusa::read(reader)?),
        Kind::Hydra => Box::new(Hydra::read(reader)?),
        Kind::Clover => Box::new(Clover::read(reader)?),
        Kind::Chimera => Box::new(Chimera::read(reader)?),
        Kind::Eagle => Box::new(Eagle::read(reader)?),
        Kind::Eagle3 => Box::new(Eagle::read_third(reader)?),
        Kind::Fspad => Box::new(Eagle::read_fspad(reader)?),
        Kind::HiddenTransfer | Kind::Ppd => return Ok(None),
        Kind::Judge | Kind::Acceptance | Kind::Exits | Kind::Kangaroo => {
            let (kind, wanted) = (reader.file.name(), "a head that guesses");
            return Err(HeadError::WrongKind { kind, wanted });
        }
    }))
}

/// No head was given.
pub(crate) const fn missing() -> DecodeError {
    DecodeError::MissingResource { method: "speculate", what: "the file of a draft head" }
}

/// Writes the answer with the help of the head that the job was given.
pub(crate) async fn run<L: Lm>(
    job: &mut Job<'_, L>,
    name: &str,
    pace: (Pace, Lenience),
    reach: Reach,
) -> Result<(), DecodeError> {
    let file = job.resources.head.clone().ok_or_else(missing)?;
    let reader = Reader { file: &file, shape: job.model.shape() };
    let Some(head) = hosted(&reader)? else {
        return assist(job, name, pace, &mut Ahead::read(&reader, reach)?).await;
    };
    let tokens = reader.draft_tokens()?;
    let lm = job.model.lm();
    let embeddings = Embeddings::fetch(lm, tokens).await?;
    let columns = head.columns(reader.width());
    let outputs = Outputs::read(&reader, columns, &embeddings, lm.ties_embeddings())?;
    assist(job, name, pace, &mut Headed::new(head, outputs, embeddings, reach)).await
}
