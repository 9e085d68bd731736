//! The tokenizer itself: one of two families over one vocabulary.

use crate::bpe::Bpe;
use crate::eog::{self, Ends};
use crate::literal::{self, Fragment, LiteralSet};
use crate::pre::Pre;
use crate::spm::Spm;
use crate::vocab::{Spelling, TokenType, Vocab};
use crate::{Encode, StreamDecoder, TokenizerError, TokenizerSpec};
use std::fmt;

/// Text to token ids and back. Immutable and `Send + Sync`: share it by reference.
pub struct Tokenizer {
    vocab: Vocab,
    family: Family,
    /// Tokens cut out of any text.
    user_defined: LiteralSet,
    /// Tokens cut out where special tokens are parsed: those and the control ones.
    special: LiteralSet,
    bos: Option<u32>,
    eos: Option<u32>,
    ends: Ends,
    unk: Option<u32>,
    sep: Option<u32>,
    pad: Option<u32>,
    add_bos: bool,
    add_eos: bool,
}

enum Family {
    Bpe(Bpe),
    Spm(Spm),
}

impl Tokenizer {
    /// Checks the tables and builds the tokenizer.
    ///
    /// # Errors
    /// A table that contradicts another, a family or pre-tokenizer that is not implemented: see [`TokenizerError`].
    /// Missing ids are no error: the tokenizer then has no such token, and does not add it.
    pub fn new(spec: TokenizerSpec<'_>) -> Result<Self, TokenizerError> {
        let spelling = match spec.model {
            "gpt2" => Spelling::ByteLevel,
            "llama" => Spelling::SentencePiece,
            model => return Err(TokenizerError::UnsupportedModel { model: model.to_owned() }),
        };
        let pre = match spelling {
            Spelling::ByteLevel => Some(find_pre(spec.pre)?),
            Spelling::SentencePiece => None,
        };
        let mut vocab = Vocab::build(spelling, spec.pieces, spec.token_types)?;
        let known = |name, id: Option<u32>| match id {
            Some(id) if id as usize >= vocab.len() => {
                Err(TokenizerError::SpecialIdOutOfRange { name, id, n_vocab: vocab.len() })
            }
            id => Ok(id),
        };
        // Old SentencePiece files leave out the ids that every Llama had.
        let usual = |id: u32| {
            let is_special = matches!(vocab.token_type(id), Some(TokenType::Control | TokenType::Unknown));
            (spelling == Spelling::SentencePiece && is_special).then_some(id)
        };
        let bos = known("bos", spec.bos)?.or_else(|| usual(1));
        let eos = known("eos", spec.eos)?.or_else(|| usual(2));
        let unk = known("unk", spec.unk)?.or_else(|| usual(0));
        let (eot, eom) = (known("eot", spec.eot)?, known("eom", spec.eom)?);
        let (sep, pad) = (known("sep", spec.sep)?, known("pad", spec.pad)?);
        let ends = eog::gather(&mut vocab, eos, eot, eom);
        let family = match pre {
            Some(pre) => {
                Family::Bpe(Bpe::build(&vocab, pre, spec.merges.ok_or(TokenizerError::MissingMerges)?)?)
            }
            None => Family::Spm(Spm::build(&vocab, spec.scores, spec.add_space_prefix.unwrap_or(true), unk)?),
        };
        let cut = |kinds: &[TokenType]| {
            let is_cut = |&id: &u32| {
                // Text is UTF-8: a token that is not cannot occur in it.
                vocab.token_type(id).is_some_and(|kind| kinds.contains(&kind))
                    && std::str::from_utf8(vocab.text(id)).is_ok()
            };
            LiteralSet::new(vocab.literals().ids().iter().copied().filter(is_cut).collect(), |id| {
                vocab.text(id)
            })
        };
        Ok(Self {
            user_defined: cut(&[TokenType::UserDefined])?,
            special: cut(&[TokenType::UserDefined, TokenType::Control, TokenType::Unknown])?,
            add_bos: bos.is_some() && spec.add_bos.unwrap_or(pre.is_none_or(|pre| pre.add_bos)),
            add_eos: eos.is_some() && spec.add_eos.unwrap_or(false),
            vocab,
            family,
            bos,
            eos,
            ends,
            unk,
            sep,
            pad,
        })
    }

    /// As [`Self::new`], with the splitting rule of the pre-tokenizer `pre` whatever the file names, for files that
    /// name none or an unknown one.
    ///
    /// # Errors
    /// As [`Self::new`].
    pub fn with_pre<'a>(spec: TokenizerSpec<'a>, pre: &'a str) -> Result<Self, TokenizerError> {
        Self::new(TokenizerSpec { pre: Some(pre), ..spec })
    }

    /// The token ids of `text`. Time is O(n log n) in its length, whatever it contains.
    pub fn encode(&self, text: &str, options: Encode) -> Vec<u32> {
        let mut out = Vec::new();
        out.extend(self.bos.filter(|_| options.add_special && self.add_bos));
        let set = if options.parse_special { &self.special } else { &self.user_defined };
        // SentencePiece puts its space at the start and after every token that was cut out.
        let mut at_start = true;
        literal::split(
            text,
            set,
            |id| self.vocab.text(id),
            |fragment| match (fragment, &self.family) {
                (Fragment::Token(id), _) => {
                    out.push(id);
                    at_start = true;
                }
                (Fragment::Text(text), Family::Bpe(bpe)) => bpe.encode(&self.vocab, text, &mut out),
                (Fragment::Text(text), Family::Spm(spm)) => {
                    spm.encode(&self.vocab, text, at_start, &mut out);
                    at_start = false;
                }
            },
        );
        out.extend(self.eos.filter(|_| options.add_special && self.add_eos));
        out
    }

    /// The token ids of text that goes on behind other tokens: no space is put before it, and no token around it. Names of
    /// special tokens are text.
    pub fn encode_continuation(&self, text: &str) -> Vec<u32> {
        let mut out = Vec::new();
        literal::split(
            text,
            &self.user_defined,
            |id| self.vocab.text(id),
            |fragment| match (fragment, &self.family) {
                (Fragment::Token(id), _) => out.push(id),
                (Fragment::Text(text), Family::Bpe(bpe)) => bpe.encode(&self.vocab, text, &mut out),
                (Fragment::Text(text), Family::Spm(spm)) => spm.encode(&self.vocab, text, false, &mut out),
            },
        );
        out
    }

    /// The text of `ids`: the inverse of [`Self::encode`], without the space it may have put first. Bytes that are no
    /// UTF-8 become U+FFFD; ids outside the vocabulary are no text.
    pub fn decode(&self, ids: &[u32], skip_special: bool) -> String {
        let mut decoder = StreamDecoder::at_text_start(self, skip_special);
        let mut text = String::new();
        for &id in ids {
            text.push_str(decoder.push(id));
        }
        text.push_str(decoder.finish());
        text
    }

    /// The bytes of `ids`, end to end, as they continue a text: nothing is taken off, and they need not be UTF-8.
    pub fn decode_bytes(&self, ids: &[u32], skip_special: bool) -> Vec<u8> {
        ids.iter().flat_map(|&id| self.decoded_piece(id, skip_special)).copied().collect()
    }

    /// The bytes that token `id` stands for: spaces and bytes as themselves, special tokens by their name. `None`
    /// outside the vocabulary.
    pub fn piece(&self, id: u32) -> Option<&[u8]> {
        self.vocab.get(id)
    }

    /// The token whose [`Self::piece`] this is: a special or user-defined one, else an ordinary one, else a byte token.
    pub fn token_id(&self, piece: &[u8]) -> Option<u32> {
        let byte = || match piece {
            &[byte] => self.vocab.byte(byte),
            _ => None,
        };
        self.vocab.literal(piece).or_else(|| self.vocab.mergeable(piece)).or_else(byte)
    }

    /// How the vocabulary marks token `id`; `None` outside it.
    pub fn token_type(&self, id: u32) -> Option<TokenType> {
        self.vocab.token_type(id)
    }

    /// True for tokens that are no text: control, unknown and unused ones. False outside the vocabulary.
    pub fn is_special(&self, id: u32) -> bool {
        matches!(self.token_type(id), Some(TokenType::Control | TokenType::Unknown | TokenType::Unused))
    }

    /// Number of tokens; ids are below it.
    pub fn n_vocab(&self) -> usize {
        self.vocab.len()
    }

    /// Number of merge rules; 0 for SentencePiece.
    pub fn n_merges(&self) -> usize {
        match &self.family {
            Family::Bpe(bpe) => bpe.n_merges(),
            Family::Spm(_) => 0,
        }
    }

    /// Beginning of a text.
    pub fn bos(&self) -> Option<u32> {
        self.bos
    }

    /// End of a text.
    pub fn eos(&self) -> Option<u32> {
        self.eos
    }

    /// End of a turn, by key or by its well-known name.
    pub fn eot(&self) -> Option<u32> {
        self.ends.eot
    }

    /// End of a message within a turn, by key or by its well-known name.
    pub fn eom(&self) -> Option<u32> {
        self.ends.eom
    }

    /// Stands for text without a token.
    pub fn unk(&self) -> Option<u32> {
        self.unk
    }

    /// Separator between two texts.
    pub fn sep(&self) -> Option<u32> {
        self.sep
    }

    /// Filler.
    pub fn pad(&self) -> Option<u32> {
        self.pad
    }

    /// All tokens that end a generation, ascending: those the file names and those known by name.
    pub fn eog(&self) -> &[u32] {
        &self.ends.eog
    }

    /// True for a token of [`Self::eog`].
    pub fn is_eog(&self, id: u32) -> bool {
        self.ends.eog.binary_search(&id).is_ok()
    }

    /// [`Encode::add_special`] puts BOS first.
    pub fn adds_bos(&self) -> bool {
        self.add_bos
    }

    /// [`Encode::add_special`] puts EOS last.
    pub fn adds_eos(&self) -> bool {
        self.add_eos
    }

    /// Text gets a space before it, which [`Self::decode`] takes off.
    pub fn adds_space_prefix(&self) -> bool {
        matches!(&self.family, Family::Spm(spm) if spm.add_space_prefix)
    }

    pub(crate) fn decoded_piece(&self, id: u32, skip_special: bool) -> &[u8] {
        if skip_special && self.is_special(id) { &[] } else { self.vocab.text(id) }
    }
}

impl fmt::Debug for Tokenizer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tokenizer").field("n_vocab", &self.n_vocab()).finish_non_exhaustive()
    }
}

fn find_pre(name: Option<&str>) -> Result<Pre, TokenizerError> {
    let name = name.filter(|name| !name.is_empty()).ok_or(TokenizerError::MissingPreTokenizer)?;
    Pre::by_name(name).ok_or_else(|| TokenizerError::UnknownPreTokenizer { name: name.to_owned() })
}
