//! Tokens on their way to text: whole characters, stop texts, the tokens that end a generation.

use std::sync::Arc;

use goldcrest_sample::StopMatcher;
use goldcrest_tokenizer::{StreamDecoder, Tokenizer};

use crate::{EngineError, Finish};

/// The text of an answer as its tokens come.
#[derive(Clone)]
pub struct AnswerText {
    decoder: Option<StreamDecoder<Arc<Tokenizer>>>,
    stop: StopMatcher,
    ends: Ends,
}

/// Which tokens end an answer.
#[derive(Clone)]
enum Ends {
    Never,
    Model(Arc<Tokenizer>),
    Listed(Vec<u32>),
}

/// What a token came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Taken {
    /// Text that is certain now.
    pub text: String,
    /// Why the answer ends with this token, if it does.
    pub finish: Option<Finish>,
}

impl AnswerText {
    /// The text of a model's tokens.
    ///
    /// # Errors
    /// [`EngineError::Sample`] for stop texts that are empty, too long or too many.
    pub fn new(tokenizer: &Arc<Tokenizer>, stop: &[String], ignore_eos: bool) -> Result<Self, EngineError> {
        let ends = if ignore_eos { Ends::Never } else { Ends::Model(Arc::clone(tokenizer)) };
        let decoder = Some(StreamDecoder::new(Arc::clone(tokenizer), true));
        Ok(Self { decoder, stop: StopMatcher::new(stop)?, ends })
    }

    /// Tokens that are no text, ended by the listed ones.
    ///
    /// # Errors
    /// None today; the same signature as [`AnswerText::new`].
    pub fn without_text(ends: Vec<u32>) -> Result<Self, EngineError> {
        Ok(Self { decoder: None, stop: StopMatcher::new::<&str>(&[])?, ends: Ends::Listed(ends) })
    }

    /// Whether the token ends a generation.
    #[must_use]
    pub fn ends(&self, token: u32) -> bool {
        match &self.ends {
            Ends::Never => false,
            Ends::Model(tokenizer) => tokenizer.is_eog(token),
            Ends::Listed(listed) => listed.contains(&token),
        }
    }

    /// What its tokens are made with; none for tokens that are no text.
    #[must_use]
    pub fn tokenizer(&self) -> Option<&Tokenizer> {
        self.decoder.as_ref().map(StreamDecoder::tokenizer)
    }

    /// Takes a token.
    pub fn push(&mut self, token: u32) -> Taken {
        let ends = self.ends(token);
        let piece = match &mut self.decoder {
            Some(decoder) if !ends => decoder.push(token),
            _ => "",
        };
        let pushed = self.stop.push_str(piece);
        let finish = match (ends, pushed.matched) {
            (true, _) => Some(Finish::Stop),
            (false, Some(_)) => Some(Finish::StopString),
            (false, None) => None,
        };
        Taken { text: pushed.emit, finish }
    }

    /// What was held back, once nothing follows. Nothing stands behind a stop text.
    pub fn finish(&mut self, finish: Finish) -> String {
        if finish == Finish::StopString {
            return String::new();
        }
        let tail = self.decoder.as_mut().map_or_else(String::new, |decoder| decoder.finish().to_owned());
        self.stop.push_str(&tail).emit + &self.stop.finish_str()
    }
}
