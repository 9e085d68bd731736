//! The vocabulary: one byte arena with the text of every token, and the way back from text to id.

use crate::{TokenizerError, byte_level, eog, literal::LiteralSet, spec::ByteStrings};
use hashbrown::{DefaultHashBuilder, HashTable};
use std::{borrow::Cow, hash::BuildHasher};

/// Longest piece accepted, in bytes. The longest known in the wild are runs of 512 spaces; the limit bounds the work
/// of a lookup, whatever a file says.
pub const MAX_PIECE_BYTES: usize = 4096;

/// How a vocabulary marks a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TokenType {
    /// Ordinary text.
    Normal,
    /// Stands for text that has no token.
    Unknown,
    /// Steers the model and is no text: BOS, end of turn.
    Control,
    /// Text that is cut out before anything else.
    UserDefined,
    /// A hole in the vocabulary.
    Unused,
    /// One byte, written `<0xHH>`.
    Byte,
}

/// How the pieces of a file are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Spelling {
    /// Bytes in GPT-2's alphabet.
    ByteLevel,
    /// UTF-8 with U+2581 for the space, and byte tokens.
    SentencePiece,
}

/// U+2581, which SentencePiece writes for a space.
pub(crate) const SPACE_MARK: &str = "\u{2581}";

pub(crate) struct Vocab {
    spelling: Spelling,
    /// The text of every token as it appears in decoded output, end to end.
    arena: Vec<u8>,
    /// End of each token's text in the arena.
    ends: Vec<u32>,
    types: Vec<TokenType>,
    /// Ids of mergeable tokens by their text.
    by_text: HashTable<u32>,
    hasher: DefaultHashBuilder,
    /// Ids of all tokens whose text is taken literally: control, user-defined, and what the alphabet cannot spell.
    literals: LiteralSet,
    /// Id of the token for each single byte: `<0xHH>` or the byte-level letter.
    bytes: [Option<u32>; 256],
    max_mergeable: usize,
}

impl Vocab {
    pub(crate) fn build(
        spelling: Spelling,
        pieces: ByteStrings<'_>,
        token_types: Option<&[i32]>,
    ) -> Result<Self, TokenizerError> {
        // The hint spares growing; no vocabulary in the wild has a million pieces.
        let capacity = pieces.size_hint().0.min(1 << 20);
        let mut vocab = Self {
            spelling,
            arena: Vec::new(),
            ends: Vec::with_capacity(capacity),
            types: Vec::with_capacity(capacity),
            by_text: HashTable::with_capacity(capacity),
            hasher: DefaultHashBuilder::default(),
            literals: LiteralSet::default(),
            bytes: [None; 256],
            max_mergeable: 0,
        };
        let mut literals = Vec::new();
        for piece in pieces {
            let id = u32::try_from(vocab.ends.len()).map_err(|_| TokenizerError::VocabularyTooLarge)?;
            let value = token_types.map_or(Some(1), |types| types.get(vocab.ends.len()).copied());
            // A short type table is reported with its true length below, once the pieces are counted.
            let kind = match token_type(id, value.unwrap_or(1))? {
                TokenType::Normal if eog::is_unmistakable(piece) => TokenType::Control,
                kind => kind,
            };
            vocab.push(id, piece, kind, &mut literals)?;
        }
        let expected = vocab.ends.len();
        if expected == 0 {
            return Err(TokenizerError::EmptyVocabulary);
        }
        match token_types.map(<[i32]>::len) {
            Some(actual) if actual != expected => {
                return Err(TokenizerError::LengthMismatch { table: "token_types", expected, actual });
            }
            _ => {}
        }
        vocab.literals = LiteralSet::new(literals, |id| vocab.text(id))?;
        vocab.refuse_double_spellings()?;
        Ok(vocab)
    }

    fn push(
        &mut self,
        id: u32,
        piece: &[u8],
        kind: TokenType,
        literals: &mut Vec<u32>,
    ) -> Result<(), TokenizerError> {
        if piece.is_empty() {
            return Err(TokenizerError::EmptyPiece { id });
        }
        if piece.len() > MAX_PIECE_BYTES {
            return Err(TokenizerError::PieceTooLong { id, len: piece.len(), max: MAX_PIECE_BYTES });
        }
        let start = self.arena.len();
        let mergeable = match kind {
            TokenType::Byte => {
                let byte = parse_byte_token(piece).ok_or(TokenizerError::InvalidByteToken { id })?;
                self.arena.push(byte);
                // A byte-level vocabulary has a letter for every byte, and that is what text becomes.
                if self.spelling == Spelling::SentencePiece
                    && let Some(first) = self.bytes[usize::from(byte)].replace(id)
                {
                    return Err(TokenizerError::DuplicatePiece { first, second: id });
                }
                false
            }
            TokenType::Normal | TokenType::Unused => decode_piece(self.spelling, piece, &mut self.arena),
            TokenType::Control | TokenType::Unknown | TokenType::UserDefined => false,
        };
        if self.arena.len() == start {
            self.arena.extend_from_slice(piece);
        }
        self.ends.push(u32::try_from(self.arena.len()).map_err(|_| TokenizerError::VocabularyTooLarge)?);
        self.types.push(kind);
        if mergeable {
            self.index(id)?;
        } else if kind != TokenType::Byte {
            literals.push(id);
        }
        Ok(())
    }

    fn index(&mut self, id: u32) -> Result<(), TokenizerError> {
        let Self { arena, ends, by_text, hasher, .. } = self;
        let text = slice(arena, ends, id);
        let hash_of = |&id: &u32| hasher.hash_one(slice(arena, ends, id));
        let entry = by_text.entry(hasher.hash_one(text), |&other| slice(arena, ends, other) == text, hash_of);
        match entry {
            hashbrown::hash_table::Entry::Occupied(other) => {
                return Err(TokenizerError::DuplicatePiece { first: *other.get(), second: id });
            }
            hashbrown::hash_table::Entry::Vacant(place) => {
                place.insert(id);
            }
        }
        self.max_mergeable = self.max_mergeable.max(text.len());
        if let (Spelling::ByteLevel, &[byte]) = (self.spelling, text) {
            self.bytes[usize::from(byte)] = Some(id);
        }
        Ok(())
    }

    /// Two tokens of different type may not have been written with the same bytes either.
    fn refuse_double_spellings(&self) -> Result<(), TokenizerError> {
        let mut text = Vec::new();
        for &second in self.literals.ids() {
            text.clear();
            if decode_piece(self.spelling, self.text(second), &mut text)
                && let Some(first) = self.mergeable(&text)
            {
                return Err(TokenizerError::DuplicatePiece { first, second });
            }
        }
        Ok(())
    }

    pub(crate) fn len(&self) -> usize {
        self.ends.len()
    }

    /// The text of a token; empty outside the vocabulary.
    pub(crate) fn text(&self, id: u32) -> &[u8] {
        slice(&self.arena, &self.ends, id)
    }

    pub(crate) fn get(&self, id: u32) -> Option<&[u8]> {
        ((id as usize) < self.len()).then(|| self.text(id))
    }

    pub(crate) fn token_type(&self, id: u32) -> Option<TokenType> {
        self.types.get(id as usize).copied()
    }

    pub(crate) fn set_token_type(&mut self, id: u32, kind: TokenType) {
        if let Some(slot) = self.types.get_mut(id as usize) {
            *slot = kind;
        }
    }

    /// The token that merging may arrive at for `text`.
    pub(crate) fn mergeable(&self, text: &[u8]) -> Option<u32> {
        if text.len() > self.max_mergeable {
            return None;
        }
        self.by_text.find(self.hasher.hash_one(text), |&id| self.text(id) == text).copied()
    }

    pub(crate) fn literals(&self) -> &LiteralSet {
        &self.literals
    }

    pub(crate) fn literal(&self, text: &[u8]) -> Option<u32> {
        self.literals.get(text, |id| self.text(id))
    }

    /// The token for one byte, if there is one.
    pub(crate) fn byte(&self, byte: u8) -> Option<u32> {
        self.bytes[usize::from(byte)]
    }

    /// The token a merge rule means by `piece`, spelt as in the file; `text` is scratch.
    pub(crate) fn resolve(&self, piece: &[u8], text: &mut Vec<u8>) -> Option<u32> {
        text.clear();
        let spelt = decode_piece(self.spelling, piece, text);
        spelt.then(|| self.mergeable(text)).flatten().or_else(|| self.literal(piece))
    }

    /// Bytes of all pieces together.
    pub(crate) fn n_bytes(&self) -> usize {
        self.arena.len()
    }
}

/// `text` with U+2581 replaced by the space it stands for.
pub(crate) fn unmark_spaces(text: &str) -> Cow<'_, str> {
    if text.contains(SPACE_MARK) { Cow::Owned(text.replace(SPACE_MARK, " ")) } else { Cow::Borrowed(text) }
}

fn slice<'a>(arena: &'a [u8], ends: &[u32], id: u32) -> &'a [u8] {
    let id = id as usize;
    let end = ends.get(id).copied().unwrap_or(0) as usize;
    let start = id.checked_sub(1).and_then(|before| ends.get(before)).copied().unwrap_or(0) as usize;
    arena.get(start..end).unwrap_or_default()
}

/// Appends the text that an ordinary piece stands for. On `false` the piece cannot arise by merging; `out` is as it was.
fn decode_piece(spelling: Spelling, piece: &[u8], out: &mut Vec<u8>) -> bool {
    match spelling {
        Spelling::ByteLevel => byte_level::decode_into(piece, out),
        // Text has its spaces marked before merging, so that a piece with a bare space is out of reach.
        Spelling::SentencePiece if piece.contains(&b' ') => false,
        Spelling::SentencePiece => {
            let mut rest = piece;
            while let Some((&first, tail)) = rest.split_first() {
                match rest.strip_prefix(SPACE_MARK.as_bytes()) {
                    Some(after) => {
                        out.push(b' ');
                        rest = after;
                    }
                    None => {
                        out.push(first);
                        rest = tail;
                    }
                }
            }
            true
        }
    }
}

fn token_type(id: u32, value: i32) -> Result<TokenType, TokenizerError> {
    Ok(match value {
        // 0 is "undefined": old converters left it on ordinary pieces.
        0 | 1 => TokenType::Normal,
        2 => TokenType::Unknown,
        3 => TokenType::Control,
        4 => TokenType::UserDefined,
        5 => TokenType::Unused,
        6 => TokenType::Byte,
        _ => return Err(TokenizerError::UnknownTokenType { id, value }),
    })
}

fn parse_byte_token(piece: &[u8]) -> Option<u8> {
    let &[b'<', b'0', b'x', high, low, b'>'] = piece else { return None };
    let digit = |c: u8| char::from(c).to_digit(16);
    u8::try_from(digit(high)? * 16 + digit(low)?).ok()
}
