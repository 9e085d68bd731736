//! Just read twice: the prompt stands twice before the answer, so that it is read a second time knowing the question.
//!
//! Arora et al., "Just read twice: closing the recall gap for recurrent language models", 2024. It costs prefill only.

use goldcrest_engine::Prompt;

use super::{Sample, Strategy};
use crate::{Args, DecodeError, Job, Lm};

/// Plain decoding behind a repeated prompt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct JustReadTwice {
    /// How often the prompt is read.
    pub times: usize,
}

impl Strategy for JustReadTwice {
    const NAME: &'static str = "just_read_twice";
    const SUMMARY: &'static str = "the prompt stands twice before the answer (JRT)";

    fn read(args: &mut Args) -> Result<Self, DecodeError> {
        Ok(Self { times: args.count("times", 2, 1..=8)? })
    }

    fn rewrite(&self, prompt: &Prompt) -> Prompt {
        match prompt.clone() {
            Prompt::Tokens(tokens) => Prompt::Tokens(tokens.repeat(self.times)),
            Prompt::Text { text, parse_special } => {
                Prompt::Text { text: vec![text.trim_end(); self.times].join("\n"), parse_special }
            }
            Prompt::Chat(mut input) => {
                let messages = input.messages.as_array_mut();
                let asked = messages.and_then(|all| all.iter_mut().rfind(|one| one["role"] == "user"));
                if let Some(asked) = asked
                    && let Some(text) = asked["content"].as_str()
                {
                    asked["content"] = vec![text; self.times].join("\n").into();
                }
                Prompt::Chat(input)
            }
        }
    }

    async fn run<L: Lm>(&self, job: &mut Job<'_, L>) -> Result<(), DecodeError> {
        Sample.run(job).await
    }
}
