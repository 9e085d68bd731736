//! Whether two models speak of the same tokens.

use goldcrest_tokenizer::Tokenizer;

use crate::DecodeError;

/// Refuses two tokenizers that give an id different pieces: rows of their models cannot be compared.
///
/// # Errors
/// [`DecodeError::VocabularyMismatch`], [`DecodeError::TokenMismatch`].
pub fn same_vocabulary(ours: &Tokenizer, theirs: &Tokenizer) -> Result<(), DecodeError> {
    let count = |tokenizer: &Tokenizer| u32::try_from(tokenizer.n_vocab()).unwrap_or(u32::MAX);
    let (n, m) = (count(ours), count(theirs));
    if n != m {
        return Err(DecodeError::VocabularyMismatch { ours: n, theirs: m });
    }
    match (0..n).find(|id| ours.piece(*id) != theirs.piece(*id)) {
        None => Ok(()),
        Some(token) => {
            let shown =
                |of: &Tokenizer| String::from_utf8_lossy(of.piece(token).unwrap_or_default()).into_owned();
            Err(DecodeError::TokenMismatch { token, ours: shown(ours), theirs: shown(theirs) })
        }
    }
}
