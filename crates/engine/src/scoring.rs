//! Scores of texts behind a prompt.

use goldcrest_tokenizer::Encode;

use crate::{EngineError, Prompt, Session};

/// A continuation's tokens and how likely each is behind those before it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Scored {
    /// The tokens.
    pub tokens: Vec<u32>,
    /// Their log-probabilities.
    pub logprobs: Vec<f32>,
}

impl Scored {
    /// Log-probability of the whole continuation.
    #[must_use]
    pub fn logprob(&self) -> f64 {
        self.logprobs.iter().map(|lp| f64::from(*lp)).sum()
    }
}

impl Session {
    /// How likely each of `continuations` is behind `prompt`. What the session has cached stays.
    ///
    /// A continuation is text as it stands: it begins with a space where the text has one there.
    ///
    /// # Errors
    /// As [`crate::Runtime::score`], [`EngineError::Busy`], and errors of the prompt.
    #[allow(
        clippy::await_holding_refcell_ref,
        reason = "every borrow is tried: who comes meanwhile is told Busy"
    )]
    pub async fn score(&self, prompt: &Prompt, continuations: &[String]) -> Result<Vec<Scored>, EngineError> {
        let prefix = self.encode(prompt)?;
        let tokens: Vec<Vec<u32>> =
            continuations.iter().map(|text| self.encode_behind(prompt, &prefix, text)).collect();
        let mut runtime = self.runtime.try_borrow_mut().map_err(|_| EngineError::Busy)?;
        let logprobs = runtime.score(&prefix, &tokens).await?;
        Ok(tokens.into_iter().zip(logprobs).map(|(tokens, logprobs)| Scored { tokens, logprobs }).collect())
    }

    /// Tokens of a text behind a prompt: as the tokenizer cuts the two together where that leaves the prompt's tokens as
    /// they are, else as it cuts the text alone.
    fn encode_behind(&self, prompt: &Prompt, prefix: &[u32], continuation: &str) -> Vec<u32> {
        let tokenizer = self.text.tokenizer();
        if let Prompt::Text { text, parse_special } = prompt {
            let options = Encode { add_special: true, parse_special: *parse_special };
            let whole = tokenizer.encode(&format!("{text}{continuation}"), options);
            if let Some(rest) = whole.strip_prefix(prefix) {
                return rest.to_vec();
            }
        }
        tokenizer.encode(continuation, Encode { add_special: false, parse_special: false })
    }
}
