//! How often each kind of guess came true, for the values of the next ones.

/// Kinds of guess there may be.
const CLASSES: usize = 72;

/// Running rates. A rate begins at what its drafter supposes, which counts as [`Rates::WEIGHT`] guesses.
#[derive(Clone, Debug)]
pub(crate) struct Rates {
    hits: [f32; CLASSES],
    tries: [f32; CLASSES],
}

impl Default for Rates {
    fn default() -> Self {
        Self { hits: [0.0; CLASSES], tries: [0.0; CLASSES] }
    }
}

impl Rates {
    /// Guesses that the supposed rate counts for.
    const WEIGHT: f32 = 16.0;
    /// Guesses after which half of what was seen is forgotten, so that a change of subject shows.
    const MEMORY: f32 = 256.0;

    /// The rate of a class of guesses whose drafter supposes `supposed`.
    #[must_use]
    pub(crate) fn rate(&self, class: usize, supposed: f32) -> f32 {
        (self.hits[class] + Self::WEIGHT * supposed) / (self.tries[class] + Self::WEIGHT)
    }

    /// A guess of a class was judged.
    pub(crate) fn learn(&mut self, class: usize, hit: bool) {
        if self.tries[class] >= Self::MEMORY {
            (self.hits[class], self.tries[class]) = (self.hits[class] / 2.0, self.tries[class] / 2.0);
        }
        self.hits[class] += f32::from(u8::from(hit));
        self.tries[class] += 1.0;
    }
}
