//! One file per command: `Args` for its command line and `run`.

pub(crate) mod bench;
pub(crate) mod chat;
pub(crate) mod detokenize;
pub(crate) mod doctor;
pub(crate) mod drift;
pub(crate) mod inspect;
pub(crate) mod list;
pub(crate) mod logits;
pub(crate) mod perplexity;
pub(crate) mod pull;
pub(crate) mod rm;
pub(crate) mod run;
pub(crate) mod sample;
pub(crate) mod score;
pub(crate) mod strategies;
pub(crate) mod template;
pub(crate) mod tokenize;
pub(crate) mod tune;
pub(crate) mod verify;
