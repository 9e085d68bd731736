//! What a chain will need to know of a row, worked out before there is one.

/// What is known of a row at one point of a chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Known {
    /// Every token that still has probability.
    Whole,
    /// The best `n` logits, and with `figures` the exact figures of the untouched row ([`crate::RowStats`]).
    Best {
        /// How many.
        n: usize,
        /// Whether the row's figures still describe it.
        figures: bool,
    },
}

impl Known {
    /// The whole distribution stays whole; of less than that, nothing can be made.
    #[must_use]
    pub fn whole_only(self) -> Option<Self> {
        (self == Self::Whole).then_some(Self::Whole)
    }

    /// Exact probabilities suffice, and what is left is a whole distribution of its own.
    #[must_use]
    pub fn cut_by_mass(self) -> Option<Self> {
        match self {
            Self::Best { figures: false, .. } => None,
            _ => Some(Self::Whole),
        }
    }

    /// The best `least` suffice, and what is left is a whole distribution of its own.
    #[must_use]
    pub fn cut_by_rank(self, least: usize) -> Option<Self> {
        match self {
            Self::Best { n, .. } if n < least => None,
            _ => Some(Self::Whole),
        }
    }

    /// Logits have changed, and the order of the best with them at most as far as they are known.
    #[must_use]
    pub fn changed(self) -> Self {
        match self {
            Self::Whole => Self::Whole,
            Self::Best { n, .. } => Self::Best { n, figures: false },
        }
    }
}

/// What a chain has to be given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Needs {
    /// The best logits of the row with its figures; where they do not settle a step, [`crate::SampleError::NeedsFullRow`]
    /// asks for the row.
    Best,
    /// The whole row at every step: no set of best logits can settle one.
    Row,
}
