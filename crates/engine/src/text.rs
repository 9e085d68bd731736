//! Tokenizer and chat template of a model file.

use std::sync::Arc;

use goldcrest_gguf::{Array, Gguf, GgufError, Metadata, StringArray, ValueType};
use goldcrest_prompt::{ChatTemplate, LocalTime, RenderInput, Rendered};
use goldcrest_tokenizer::{Encode, Tokenizer, TokenizerSpec};
use web_time::SystemTime;

use crate::EngineError;

/// Text to tokens and back, and conversations to text.
pub struct Text {
    tokenizer: Arc<Tokenizer>,
    template: Option<ChatTemplate>,
}

impl Text {
    /// Builds both from a file's metadata. `pre` overrides the name of the pre-tokenizer.
    ///
    /// # Errors
    /// [`EngineError::Gguf`] for mistyped keys, [`EngineError::Tokenizer`] for tables that contradict each other.
    pub fn from_gguf(gguf: &Gguf, pre: Option<&str>) -> Result<Self, EngineError> {
        let meta = &gguf.metadata;
        let spec = spec(meta)?;
        let tokenizer = match pre {
            Some(pre) => Tokenizer::with_pre(spec, pre)?,
            None => Tokenizer::new(spec)?,
        };
        let template = meta.get_opt::<&str>("tokenizer.chat_template")?.map(ChatTemplate::new).transpose()?;
        Ok(Self { tokenizer: Arc::new(tokenizer), template })
    }

    /// The tokenizer.
    #[must_use]
    pub const fn tokenizer(&self) -> &Arc<Tokenizer> {
        &self.tokenizer
    }

    /// Whether the file brought a chat template.
    #[must_use]
    pub const fn has_template(&self) -> bool {
        self.template.is_some()
    }

    /// Renders a conversation; the tokens that the template may name and the time are filled in.
    ///
    /// # Errors
    /// [`EngineError::NoChatTemplate`], [`EngineError::Prompt`].
    pub fn render(&self, mut input: RenderInput) -> Result<Rendered, EngineError> {
        let template = self.template.as_ref().ok_or(EngineError::NoChatTemplate)?;
        input.bos_token = self.special_text(self.tokenizer.bos());
        input.eos_token = self.special_text(self.tokenizer.eos());
        // Llama 3's templates print the date. The zone is not known everywhere, so that it is UTC's.
        let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        input.now.get_or_insert_with(|| LocalTime::from_unix(since.as_secs()));
        Ok(template.render(&input)?)
    }

    /// Tokens of a rendered conversation. What users wrote never becomes a control token.
    #[must_use]
    pub fn encode_rendered(&self, rendered: &Rendered) -> Vec<u32> {
        let text = &rendered.text;
        let parsed = Encode { add_special: false, parse_special: true };
        let names_special =
            |part: &str| self.tokenizer.encode(part, parsed).iter().any(|id| self.tokenizer.is_special(*id));
        let hostile = rendered.segments.iter().any(|s| s.from_user && names_special(&text[s.range.clone()]));
        let mut ids = if hostile {
            // Only here are the borders of segments borders of tokens: merges across them are lost.
            let encode = |s: &goldcrest_prompt::Segment| {
                let options = Encode { add_special: false, parse_special: !s.from_user };
                self.tokenizer.encode(&text[s.range.clone()], options)
            };
            rendered.segments.iter().flat_map(encode).collect()
        } else {
            self.tokenizer.encode(text, parsed)
        };
        // Many templates write the first token themselves.
        if let Some(bos) = self.tokenizer.bos().filter(|_| self.tokenizer.adds_bos())
            && ids.first() != Some(&bos)
        {
            ids.insert(0, bos);
        }
        ids
    }

    /// Texts across which DRY counts no repetition, unless others are given: llama.cpp's.
    pub const DRY_BREAKERS: [&'static str; 4] = ["\n", ":", "\"", "*"];

    /// Token sequences that hold one of `texts`: every token with the text in it, or the text's own tokens where there is none.
    #[must_use]
    pub fn breakers(&self, texts: &[&str]) -> Vec<Vec<u32>> {
        let n_vocab = u32::try_from(self.tokenizer.n_vocab()).unwrap_or(u32::MAX);
        let holding = |text: &&str| {
            let holds =
                |id: &u32| String::from_utf8_lossy(&self.tokenizer.decode_bytes(&[*id], true)).contains(text);
            let tokens: Vec<Vec<u32>> = (0..n_vocab).filter(holds).map(|id| vec![id]).collect();
            if tokens.is_empty() { vec![self.plain_tokens(text)] } else { tokens }
        };
        texts.iter().filter(|text| !text.is_empty()).flat_map(holding).collect()
    }

    /// Tokens of a text that stands somewhere inside another.
    #[must_use]
    pub fn plain_tokens(&self, text: &str) -> Vec<u32> {
        self.tokenizer.encode(text, Encode { add_special: false, parse_special: false })
    }

    fn special_text(&self, id: Option<u32>) -> Option<String> {
        id.and_then(|id| self.tokenizer.piece(id)).map(|piece| String::from_utf8_lossy(piece).into_owned())
    }
}

fn spec(meta: &Metadata) -> Result<TokenizerSpec<'_>, EngineError> {
    let key = |name: &str| format!("tokenizer.ggml.{name}");
    let id = |name: &str| meta.get_opt::<u32>(&key(name));
    let flag = |name: &str| meta.get_opt::<bool>(&key(name));
    let pieces: &StringArray = meta.get_strings(&key("tokens"))?;
    let merges = meta.get_opt::<&StringArray>(&key("merges"))?;
    Ok(TokenizerSpec {
        model: meta.get_str(&key("model"))?,
        pre: meta.get_opt(&key("pre"))?,
        pieces: Box::new(pieces.iter()),
        scores: floats(meta, &key("scores"))?,
        token_types: ints(meta, &key("token_type"))?,
        merges: merges.map(|m| Box::new(m.iter()) as Box<dyn Iterator<Item = &[u8]>>),
        bos: id("bos_token_id")?,
        eos: id("eos_token_id")?,
        eot: id("eot_token_id")?,
        eom: id("eom_token_id")?,
        unk: id("unknown_token_id")?,
        sep: id("seperator_token_id")?,
        pad: id("padding_token_id")?,
        add_bos: flag("add_bos_token")?,
        add_eos: flag("add_eos_token")?,
        add_space_prefix: flag("add_space_prefix")?,
    })
}

fn floats<'a>(meta: &'a Metadata, key: &str) -> Result<Option<&'a [f32]>, EngineError> {
    match meta.get_opt::<&Array>(key)? {
        None => Ok(None),
        Some(Array::F32(values)) => Ok(Some(values)),
        Some(other) => Err(wrong_elements(key, ValueType::F32, other)),
    }
}

fn ints<'a>(meta: &'a Metadata, key: &str) -> Result<Option<&'a [i32]>, EngineError> {
    match meta.get_opt::<&Array>(key)? {
        None => Ok(None),
        Some(Array::I32(values)) => Ok(Some(values)),
        Some(other) => Err(wrong_elements(key, ValueType::I32, other)),
    }
}

fn wrong_elements(key: &str, expected: ValueType, found: &Array) -> EngineError {
    let (expected, found) = (expected.array_name(), found.element_type().array_name());
    GgufError::WrongType { key: key.into(), expected, found }.into()
}
