use super::draw;
use crate::candidates::{Candidate, Candidates};
use crate::error::SampleError;
use crate::known::Known;

/// Candidates that the first version fits Zipf's law to.
const FITTED: usize = 100;

/// How Mirostat bounds the candidates.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MirostatVersion {
    /// By a count, from an estimate of the exponent of Zipf's law.
    V1,
    /// By surprise: no candidate more surprising than the bound.
    V2,
}

/// Whose surprise is held at the target.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Surprise {
    /// The token's surprise before the truncation, as in the authors' program; the paper's claims hold for it. The first
    /// version then counts one candidate more than it rounds to.
    #[default]
    Original,
    /// The token's surprise among the candidates that were left, as in llama.cpp. The text's own surprise then settles
    /// above the target.
    Truncated,
}

impl Surprise {
    /// Every reading with its name in settings.
    pub const NAMES: [(&'static str, Self); 2] =
        [("original", Self::Original), ("truncated", Self::Truncated)];

    /// The name in settings.
    #[must_use]
    pub fn name(self) -> &'static str {
        if self == Self::Original { "original" } else { "truncated" }
    }
}

/// Mirostat: draws among as many candidates as hold the text's surprise at `tau` bits a token (Basu, Ramachandran,
/// Keskar and Varshney, 2021). Its bound begins at `2 · tau` and moves by `eta` times the error of every token taken.
///
/// In f64, but for the draw.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Mirostat {
    /// How the candidates are bounded.
    pub version: MirostatVersion,
    /// Target in bits a token.
    pub tau: f32,
    /// Learning rate.
    pub eta: f32,
    /// What is compared with the target.
    pub surprise: Surprise,
}

impl Mirostat {
    /// Number of candidates that the first version draws among with a bound of `mu` bits, before it is rounded.
    ///
    /// `k = (ε·2^μ / (1 − N^−ε))^(1/s)`, `ε = s − 1`, with N candidates and s fitted to the first 100 of them.
    #[must_use]
    pub fn zipf_count(candidates: &mut Candidates, mu: f64) -> f64 {
        candidates.sort();
        let list = candidates.as_slice();
        let (mut product, mut square) = (0.0, 0.0);
        for (rank, pair) in (1u32..).zip(list.windows(2).take(FITTED - 1)) {
            let [a, b] = pair else { continue };
            let t = ((f64::from(rank) + 1.0) / f64::from(rank)).ln();
            product += t * (f64::from(a.logit) - f64::from(b.logit));
            square += t * t;
        }
        if square == 0.0 {
            return 1.0;
        }
        let (s, n) = (product / square, list.len() as f64);
        let epsilon = s - 1.0;
        // At ε = 0 the quotient is 0 / 0; its limit is 1 / ln N.
        let share = if epsilon.abs() < 1e-9 { n.ln().recip() } else { epsilon / (1.0 - n.powf(-epsilon)) };
        (share * mu.exp2()).powf(s.recip())
    }

    pub(super) fn pick(
        &self,
        candidates: &mut Candidates,
        mu: f64,
        u: f32,
    ) -> Result<(Candidate, f64), SampleError> {
        if candidates.is_empty() {
            return Err(SampleError::NoCandidate);
        }
        let needs_row = Err(SampleError::NeedsFullRow { stage: self.name() });
        if !candidates.has_mass() || (self.version == MirostatVersion::V1 && !candidates.is_whole()) {
            return needs_row;
        }
        candidates.sort();
        let log_total = candidates.log_total();
        let bits = |log_total: f64, logit: f32| (log_total - f64::from(logit)) / std::f64::consts::LN_2;
        let kept = match self.version {
            MirostatVersion::V1 => self.rounded(Self::zipf_count(candidates, mu)),
            MirostatVersion::V2 => {
                let list = candidates.as_slice();
                let kept = list.iter().take_while(|c| bits(log_total, c.logit) <= mu).count();
                if kept == list.len() && !candidates.is_whole() {
                    return needs_row;
                }
                kept
            }
        };
        candidates.keep_first(kept.clamp(1, candidates.len()));
        let picked = draw(candidates, u)?;
        let log_total = match self.surprise {
            Surprise::Original => log_total,
            Surprise::Truncated => candidates.log_total(),
        };
        Ok((picked, bits(log_total, picked.logit)))
    }

    pub(super) fn learn(&self, mu: f64, surprise: f64) -> f64 {
        mu - f64::from(self.eta) * (surprise - f64::from(self.tau))
    }

    pub(super) fn can_do_with(&self, known: Known) -> bool {
        match self.version {
            MirostatVersion::V1 => known == Known::Whole,
            MirostatVersion::V2 => known.cut_by_mass().is_some(),
        }
    }

    pub(super) fn spec(&self) -> String {
        format!("{}(tau={},eta={},surprise={})", self.name(), self.tau, self.eta, self.surprise.name())
    }

    /// The authors' program takes one more than it rounds to, llama.cpp cuts the fraction off.
    fn rounded(&self, count: f64) -> usize {
        match self.surprise {
            Surprise::Original => (count.round() as usize).saturating_add(1),
            Surprise::Truncated => count as usize,
        }
    }

    const fn name(&self) -> &'static str {
        match self.version {
            MirostatVersion::V1 => "mirostat",
            MirostatVersion::V2 => "mirostat_v2",
        }
    }
}
