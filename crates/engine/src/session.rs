//! One conversation: what is in the cache, and the generations that continue it.

use std::cell::RefCell;
use std::rc::Rc;

use goldcrest_tokenizer::Encode;

use crate::generation::Generation;
use crate::kv::SeqId;
use crate::{EngineError, Prompt, Request, Runtime, Text};

/// One conversation's state. Sessions of an engine may take turns; their caches do not mix.
pub struct Session {
    pub(crate) runtime: Rc<RefCell<Runtime>>,
    pub(crate) text: Rc<Text>,
    /// Tokens whose keys and values are in the cache.
    pub(crate) cached: Vec<u32>,
    pub(crate) seq: Option<SeqId>,
}

impl Session {
    pub(crate) const fn new(runtime: Rc<RefCell<Runtime>>, text: Rc<Text>) -> Self {
        Self { runtime, text, cached: Vec::new(), seq: None }
    }

    /// Tokens in the cache.
    #[must_use]
    pub fn cached(&self) -> &[u32] {
        &self.cached
    }

    /// Tokens of a prompt, as [`Session::generate`] would run them.
    ///
    /// # Errors
    /// [`EngineError::NoChatTemplate`], [`EngineError::Prompt`].
    pub fn encode(&self, prompt: &Prompt) -> Result<Vec<u32>, EngineError> {
        match prompt {
            Prompt::Tokens(tokens) => Ok(tokens.clone()),
            Prompt::Text { text, parse_special } => {
                let options = Encode { add_special: true, parse_special: *parse_special };
                Ok(self.text.tokenizer().encode(text, options))
            }
            Prompt::Chat(input) => Ok(self.text.encode_rendered(&self.text.render((**input).clone())?)),
        }
    }

    /// Starts a generation. Cached tokens that the prompt begins with are not run again.
    ///
    /// # Errors
    /// [`EngineError::EmptyPrompt`], [`EngineError::PromptTooLong`], [`EngineError::BadToken`] and errors of parameters,
    /// all before the device does anything.
    pub fn generate(&mut self, request: Request) -> Result<Generation<'_>, EngineError> {
        let prompt = self.encode(&request.prompt)?;
        Generation::start(self, prompt, request)
    }

    /// Tokenizer and template.
    #[must_use]
    pub const fn text(&self) -> &Rc<Text> {
        &self.text
    }

    /// The model, for methods that drive it themselves.
    #[must_use]
    pub const fn runtime(&self) -> &Rc<RefCell<Runtime>> {
        &self.runtime
    }

    /// The sequence that holds [`Session::cached`], once there was a generation.
    #[must_use]
    pub const fn sequence(&self) -> Option<SeqId> {
        self.seq
    }

    /// Puts a sequence that holds exactly `tokens` in the place of what was cached.
    ///
    /// # Errors
    /// [`EngineError::UnknownSequence`].
    pub fn replace_cache(
        &mut self,
        runtime: &mut Runtime,
        seq: SeqId,
        tokens: Vec<u32>,
    ) -> Result<(), EngineError> {
        runtime.pool().sequence(seq)?;
        if let Some(old) = self.seq.replace(seq) {
            runtime.pool_mut().free(old)?;
        }
        self.cached = tokens;
        Ok(())
    }

    /// Forgets everything.
    ///
    /// # Errors
    /// [`EngineError::Busy`] while another session is at work.
    pub fn reset(&mut self) -> Result<(), EngineError> {
        if let Some(seq) = self.seq.take() {
            self.runtime.try_borrow_mut().map_err(|_| EngineError::Busy)?.pool_mut().free(seq)?;
        }
        self.cached.clear();
        Ok(())
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        if let (Some(seq), Ok(mut runtime)) = (self.seq, self.runtime.try_borrow_mut()) {
            // A sequence that is already gone needs no freeing.
            let _gone = runtime.pool_mut().free(seq);
        }
    }
}
