//! Which tokens end a generation.
//!
//! Files name one EOS, rarely an end of turn, yet models end with others; the names are those that llama.cpp gathers
//! (`llama-vocab.cpp`, 2026-10). Unlike there, a piece that the file calls ordinary text and that could be ordinary
//! text, such as `</s>` in Qwen's vocabulary, stays ordinary text.

use crate::vocab::{TokenType, Vocab};

/// Ends of turn, the likelier first.
const END_OF_TURN: [&str; 11] = [
    "<|eot_id|>",
    "<|im_end|>",
    "<|end|>",
    "<end_of_turn>",
    "<|endoftext|>",
    "<|end_of_text|>",
    "<EOT>",
    "_<EOT>",
    "[EOT]",
    "<\u{ff5c}end\u{2581}of\u{2581}sentence\u{ff5c}>",
    "<end_of_utterance>",
];

const END_OF_MESSAGE: &str = "<|eom_id|>";

const OTHER_ENDS: [&str; 10] = [
    "<|return|>",
    "<|call|>",
    "<|flush|>",
    "<|calls|>",
    "</s>",
    "[EOS]",
    "<eos>",
    "<turn|>",
    "<|tool_response>",
    "[e~[",
];

/// A model that fills in the middle writes one of these when the middle is done; one name of each line counts.
const FILL_IN_THE_MIDDLE: [&[&str]; 3] = [
    &["<|fim_pad|>", "<fim-pad>", "<fim_pad>", "<PAD>", "[PAD]"],
    &["<|fim_repo|>", "<|repo_name|>", "<fim-repo>", "<REPO>", "<reponame>"],
    &["<|file_sep|>"],
];

/// True for a name that cannot be ordinary text: where a file calls it that, the converter was wrong.
pub(crate) fn is_unmistakable(piece: &[u8]) -> bool {
    let named = || END_OF_TURN.iter().chain([&END_OF_MESSAGE]).any(|name| name.as_bytes() == piece);
    piece.starts_with(b"<") && piece != b"<EOT>" && named()
}

pub(crate) struct Ends {
    pub(crate) eot: Option<u32>,
    pub(crate) eom: Option<u32>,
    /// Ascending, without repetition.
    pub(crate) eog: Vec<u32>,
}

/// Gathers the set, given the ids that the file names.
pub(crate) fn gather(vocab: &mut Vocab, eos: Option<u32>, eot: Option<u32>, eom: Option<u32>) -> Ends {
    let eot = eot.or_else(|| END_OF_TURN.iter().find_map(|name| special(vocab, name)));
    let eom = eom.or_else(|| special(vocab, END_OF_MESSAGE));
    let mut eog: Vec<u32> = [eos, eot, eom].into_iter().flatten().collect();
    eog.extend(
        END_OF_TURN
            .iter()
            .chain([&END_OF_MESSAGE])
            .chain(&OTHER_ENDS)
            .filter_map(|name| special(vocab, name)),
    );
    eog.extend(
        FILL_IN_THE_MIDDLE.iter().filter_map(|names| names.iter().find_map(|name| special(vocab, name))),
    );
    // Harmony and Solar end a message of many with <|end|>, and the answer with another token.
    let has = |name| special(vocab, name).is_some();
    if has("<|call|>") && (has("<|return|>") || has("<|flush|>")) || has("<|calls|>") && has("<|flush|>") {
        let end = special(vocab, "<|end|>");
        eog.retain(|&id| Some(id) != end || Some(id) == eos);
    }
    eog.sort_unstable();
    eog.dedup();
    for &id in &eog {
        // An end of generation is no text, even where the file lets users type it.
        if vocab.token_type(id) == Some(TokenType::UserDefined) {
            vocab.set_token_type(id, TokenType::Control);
        }
    }
    Ends { eot, eom, eog }
}

fn special(vocab: &Vocab, name: &str) -> Option<u32> {
    let id = vocab.literal(name.as_bytes())?;
    matches!(vocab.token_type(id)?, TokenType::Control | TokenType::UserDefined).then_some(id)
}
