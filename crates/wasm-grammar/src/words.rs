//! Questions that are answered outside.

use std::cell::RefCell;
use std::rc::Rc;
use std::task::{Context, Poll};

use goldcrest_grammar::Monitor;

use crate::form::Question;

/// A monitor that waits for its answer. Copies share it: one question is asked, and answered, at a time.
#[derive(Clone, Debug, Default)]
pub(crate) struct Words(Rc<RefCell<State>>);

#[derive(Debug, Default)]
struct State {
    asked: (String, Vec<u32>),
    /// The answer, until the monitor takes it.
    given: Option<Option<Vec<String>>>,
}

impl Words {
    /// What was asked last.
    pub(crate) fn question(&self) -> Question {
        let (text, tokens) = self.0.borrow().asked.clone();
        Question { text, tokens }
    }

    /// Answers it.
    pub(crate) fn give(&self, words: Option<Vec<String>>) {
        self.0.borrow_mut().given = Some(words);
    }
}

impl Monitor for Words {
    fn poll_words(
        &mut self,
        text: &[u8],
        tokens: &[u32],
        _context: &mut Context<'_>,
    ) -> Poll<Result<Option<Vec<String>>, String>> {
        let mut state = self.0.borrow_mut();
        if let Some(words) = state.given.take() {
            return Poll::Ready(Ok(words));
        }
        state.asked = (String::from_utf8_lossy(text).into_owned(), tokens.to_vec());
        Poll::Pending
    }

    fn fork(&self) -> Box<dyn Monitor> {
        Box::new(self.clone())
    }
}
