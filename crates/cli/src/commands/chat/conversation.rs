//! The messages of a conversation.

use goldcrest::Prompt;
use goldcrest::prompt::RenderInput;
use serde_json::{Value, json};

/// A system message and turns: a question and, but for the last, its answer.
#[derive(Debug, Default)]
pub(super) struct Conversation {
    pub(super) system: Option<String>,
    turns: Vec<(String, Option<String>)>,
}

impl Conversation {
    pub(super) fn new(system: Option<String>) -> Self {
        Self { system, turns: Vec::new() }
    }

    pub(super) fn ask(&mut self, question: &str) {
        self.turns.push((question.to_owned(), None));
    }

    pub(super) fn answered(&mut self, text: &str) {
        if let Some((_, answer)) = self.turns.last_mut() {
            *answer = Some(text.to_owned());
        }
    }

    /// Takes the last question back.
    pub(super) fn take_back(&mut self) {
        self.turns.pop();
    }

    /// Drops the oldest turn; false when only the question that is asked now is left.
    pub(super) fn drop_oldest(&mut self) -> bool {
        let more = self.turns.len() > 1;
        if more {
            self.turns.remove(0);
        }
        more
    }

    /// Drops all turns and keeps the system message.
    pub(super) fn forget(&mut self) {
        self.turns.clear();
    }

    pub(super) fn prompt(&self) -> Prompt {
        let message = |role: &str, content: &str| json!({ "role": role, "content": content });
        let system = self.system.iter().map(|text| message("system", text));
        let turns = self.turns.iter().flat_map(|(question, answer)| {
            let answer = answer.as_ref().map(|text| message("assistant", text));
            std::iter::once(message("user", question)).chain(answer)
        });
        let messages = Value::Array(system.chain(turns).collect());
        Prompt::Chat(Box::new(RenderInput {
            messages,
            add_generation_prompt: true,
            ..RenderInput::default()
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn roles(conversation: &Conversation) -> String {
        let Prompt::Chat(input) = conversation.prompt() else { return String::new() };
        let words = input.messages.as_array().into_iter().flatten();
        words
            .map(|m| format!("{}:{} ", m["role"].as_str().unwrap_or(""), m["content"].as_str().unwrap_or("")))
            .collect()
    }

    #[test]
    fn the_oldest_turn_goes_first_and_the_system_message_and_the_question_stay() {
        let mut c = Conversation::new(Some("s".to_owned()));
        c.ask("1");
        c.answered("one");
        c.ask("2");
        assert_eq!(roles(&c), "system:s user:1 assistant:one user:2 ");
        assert!(c.drop_oldest());
        assert_eq!(roles(&c), "system:s user:2 ");
        assert!(!c.drop_oldest());
        c.take_back();
        assert_eq!(roles(&c), "system:s ");
    }
}
