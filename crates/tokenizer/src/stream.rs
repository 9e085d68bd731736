//! Text from tokens as they come, whole characters only.

use crate::Tokenizer;
use std::borrow::Borrow;

/// Turns token ids into text one by one. What it returns, joined, is what [`Tokenizer::decode`] makes of all ids at once
/// (for a decoder made with [`StreamDecoder::new`]: of their bytes, with the leading space kept); at most 3 bytes are held back between calls.
///
/// `T` is `&Tokenizer`, `Arc<Tokenizer>` or the like.
#[derive(Debug, Clone)]
pub struct StreamDecoder<T> {
    tokenizer: T,
    skip_special: bool,
    /// The space that [`Tokenizer::encode`] put before the text is still to come.
    strip_space: bool,
    /// Beginning of a character whose end is still to come.
    pending: Vec<u8>,
    text: String,
}

impl<T: Borrow<Tokenizer>> StreamDecoder<T> {
    /// A decoder for tokens that continue a text, as generated ones do: a leading space is kept.
    pub fn new(tokenizer: T, skip_special: bool) -> Self {
        Self { tokenizer, skip_special, strip_space: false, pending: Vec::new(), text: String::new() }
    }

    /// A decoder for the tokens of a text from its start: a space that encoding put there is taken off.
    pub fn at_text_start(tokenizer: T, skip_special: bool) -> Self {
        let strip_space = tokenizer.borrow().adds_space_prefix();
        Self { strip_space, ..Self::new(tokenizer, skip_special) }
    }

    /// The tokenizer.
    pub fn tokenizer(&self) -> &Tokenizer {
        self.tokenizer.borrow()
    }

    /// The text that `id` completes; may be empty. Bytes that can never become a character are U+FFFD, as they are in
    /// the decoding of the whole. An id outside the vocabulary is no text.
    pub fn push(&mut self, id: u32) -> &str {
        let tokenizer = self.tokenizer.borrow();
        self.text.clear();
        let mut piece = tokenizer.decoded_piece(id, self.skip_special);
        if self.strip_space && !tokenizer.is_special(id) && !piece.is_empty() {
            self.strip_space = false;
            piece = piece.strip_prefix(b" ").unwrap_or(piece);
        }
        self.pending.extend_from_slice(piece);
        let held = take_characters(&self.pending, &mut self.text);
        self.pending.drain(..self.pending.len() - held);
        &self.text
    }

    /// What is held back, as U+FFFD; call at the end and when generation is cut short. The decoder can go on after it.
    pub fn finish(&mut self) -> &str {
        self.text.clear();
        self.text.push_str(&String::from_utf8_lossy(&self.pending));
        self.pending.clear();
        &self.text
    }

    /// Number of bytes held back: 0 to 3.
    pub fn n_pending(&self) -> usize {
        self.pending.len()
    }
}

/// Appends to `text` all of `bytes` but an incomplete character at the end, whose length is returned.
fn take_characters(mut bytes: &[u8], text: &mut String) -> usize {
    loop {
        let (valid, rest, broken) = match std::str::from_utf8(bytes) {
            Ok(all) => (all, &[][..], None),
            Err(error) => {
                let (valid, rest) = bytes.split_at(error.valid_up_to());
                (std::str::from_utf8(valid).unwrap_or_default(), rest, error.error_len())
            }
        };
        text.push_str(valid);
        let Some(broken) = broken else { return rest.len() };
        text.push(char::REPLACEMENT_CHARACTER);
        bytes = rest.get(broken..).unwrap_or_default();
    }
}
