//! From settings to a chain.

use crate::chain::Chain;
use crate::end::{AdaptiveP, Choose, Mirostat, MirostatVersion};
use crate::error::SampleError;
use crate::params::{Order, SamplerParams};
use crate::stage::{
    Bias, Dry, DynamicTemperature, Epsilon, Eta, LogitStage, MinP, NoCite, NoRepeatNgram, Penalties,
    Temperature, TopH, TopK, TopNSigma, TopP, Typical, Xtc,
};

impl SamplerParams {
    /// The chain of the stages that are switched on, in [`SamplerParams::order`].
    ///
    /// # Errors
    /// As [`SamplerParams::validate`].
    pub fn to_chain(&self) -> Result<Chain, SampleError> {
        self.validate()?;
        let heat = self.heat();
        let mut stages = self.corrections();
        let choose = self.end();
        if let Choose::Mirostat(_) = choose {
            stages.extend(heat);
            return Ok(Chain::new(stages, choose, self.seed));
        }
        let top_k = on(self.top_k > 0, TopK { k: self.top_k.unsigned_abs() });
        let sigma = on(self.top_n_sigma > 0.0, TopNSigma { n: self.top_n_sigma });
        let typical = on(self.typical_p < 1.0, Typical { p: self.typical_p });
        let top_p = on(self.top_p < 1.0, TopP { p: self.top_p });
        let min_p = on(self.min_p > 0.0, MinP { p: self.min_p });
        let top_h = on(self.top_h > 0.0, TopH { share: self.top_h, variant: self.top_h_variant });
        let epsilon = on(self.epsilon_cutoff > 0.0, Epsilon { epsilon: self.epsilon_cutoff });
        let eta = on(self.eta_cutoff > 0.0, Eta { epsilon: self.eta_cutoff });
        let xtc = on(
            self.xtc_probability > 0.0 && self.xtc_threshold <= 0.5,
            Xtc { probability: self.xtc_probability, threshold: self.xtc_threshold },
        );
        let rest = match self.order {
            Order::LlamaCpp => [sigma, top_h, top_k, typical, top_p, min_p, epsilon, eta, xtc, heat],
            Order::HuggingFace => [heat, sigma, top_h, top_k, top_p, min_p, typical, epsilon, eta, xtc],
        };
        stages.extend(rest.into_iter().flatten());
        Ok(Chain::new(stages, choose, self.seed))
    }

    /// Stages that correct logits, before any truncation; the same in both orders.
    fn corrections(&self) -> Vec<Box<dyn LogitStage>> {
        let penalties = Penalties {
            last_n: self.penalty_last_n,
            repeat: self.repeat_penalty,
            frequency: self.frequency_penalty,
            presence: self.presence_penalty,
        };
        let dry = Dry {
            multiplier: self.dry_multiplier,
            base: self.dry_base,
            allowed_length: self.dry_allowed_length.unsigned_abs(),
            last_n: self.dry_last_n,
            breakers: self.dry_breakers.clone(),
        };
        [
            on(!self.logit_bias.is_empty(), Bias::new(&self.logit_bias)),
            on(self.has_penalties(), penalties),
            on(self.has_dry(), dry),
            on(self.no_repeat_ngram > 0, NoRepeatNgram { n: self.no_repeat_ngram.unsigned_abs() }),
            on(self.has_no_cite(), NoCite::new(self.no_cite_ngram.unsigned_abs(), &self.no_cite_texts)),
        ]
        .into_iter()
        .flatten()
        .collect()
    }

    fn end(&self) -> Choose {
        let mirostat = |version| {
            Choose::Mirostat(Mirostat {
                version,
                tau: self.mirostat_tau,
                eta: self.mirostat_eta,
                surprise: self.mirostat_surprise,
            })
        };
        match self.mirostat {
            _ if self.is_greedy() => Choose::Greedy,
            1 => mirostat(MirostatVersion::V1),
            2 => mirostat(MirostatVersion::V2),
            _ if self.adaptive_target >= 0.0 => {
                Choose::AdaptiveP(AdaptiveP { target: self.adaptive_target, decay: self.adaptive_decay })
            }
            _ => Choose::Draw,
        }
    }

    fn heat(&self) -> Option<Box<dyn LogitStage>> {
        if self.is_greedy() {
            return None;
        }
        let (t, range, exponent) = (self.temperature, self.dynatemp_range, self.dynatemp_exponent);
        if range > 0.0 {
            return on(true, DynamicTemperature { t, range, exponent });
        }
        on(t != 1.0, Temperature { t })
    }

    pub(crate) fn has_penalties(&self) -> bool {
        let neutral =
            self.repeat_penalty == 1.0 && self.frequency_penalty == 0.0 && self.presence_penalty == 0.0;
        !neutral && self.penalty_last_n != 0
    }

    pub(crate) fn has_no_cite(&self) -> bool {
        self.no_cite_ngram > 0 && self.no_cite_texts.iter().any(|text| !text.is_empty())
    }

    pub(crate) fn has_dry(&self) -> bool {
        self.dry_multiplier > 0.0 && self.dry_base >= 1.0 && self.dry_last_n != 0
    }
}

fn on(active: bool, stage: impl LogitStage + 'static) -> Option<Box<dyn LogitStage>> {
    active.then(|| Box::new(stage) as Box<dyn LogitStage>)
}
