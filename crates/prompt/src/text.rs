//! Strings that remember which of their bytes came from outside the template.

use std::ops::Range;
use std::rc::Rc;

use crate::budget::{APPEND_COST, Meter};
use crate::error::PromptError;

/// An immutable string with the byte ranges that stem from the conversation rather than from the template.
#[derive(Debug, Clone)]
pub(crate) struct Text(Rc<Body>);

#[derive(Debug, Default)]
struct Body {
    string: String,
    /// Sorted, disjoint, not touching, not empty.
    user: Vec<Range<usize>>,
}

impl Text {
    /// Text of the template itself. Not charged: use for what the source or the program already holds.
    pub(crate) fn literal(string: &str) -> Self {
        Self(Rc::new(Body { string: string.to_owned(), user: Vec::new() }))
    }

    /// Text of the conversation.
    pub(crate) fn input(string: &str, from_user: bool) -> Self {
        let user = std::iter::once(0..string.len()).filter(|all| from_user && !all.is_empty()).collect();
        Self(Rc::new(Body { string: string.to_owned(), user }))
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0.string
    }

    /// Pieces of one origin each that make up `range`.
    pub(crate) fn pieces(&self, range: Range<usize>) -> impl Iterator<Item = (&str, bool)> {
        let user = &self.0.user;
        let mut next = user.partition_point(|marked| marked.end <= range.start);
        let mut at = range.start;
        std::iter::from_fn(move || {
            if at >= range.end {
                return None;
            }
            let (end, from_user) = match user.get(next) {
                Some(marked) if marked.start <= at => {
                    next += 1;
                    (marked.end.min(range.end), true)
                }
                Some(marked) => (marked.start.min(range.end), false),
                None => (range.end, false),
            };
            let piece = self.as_str().get(at..end).unwrap_or_default();
            at = end;
            Some((piece, from_user))
        })
    }

    /// The part `range`, a copy.
    pub(crate) fn slice(&self, range: Range<usize>, meter: &Meter) -> Result<Self, PromptError> {
        if range == (0..self.as_str().len()) {
            return Ok(self.clone());
        }
        let mut out = TextBuf::new(meter);
        out.push_range(self, range)?;
        Ok(out.finish())
    }

    /// Every piece of one origin through `change`.
    pub(crate) fn map(&self, meter: &Meter, change: impl Fn(&str) -> String) -> Result<Self, PromptError> {
        let mut out = TextBuf::new(meter);
        for (piece, from_user) in self.pieces(0..self.as_str().len()) {
            // Case mapping triples a string at most; announce before the allocation.
            meter.create(piece.len())?;
            out.push(&change(piece), from_user)?;
        }
        Ok(out.finish())
    }
}

/// A string being made; every byte is charged before it is written.
pub(crate) struct TextBuf<'m> {
    body: Body,
    meter: &'m Meter,
}

impl<'m> TextBuf<'m> {
    pub(crate) fn new(meter: &'m Meter) -> Self {
        Self { body: Body::default(), meter }
    }

    pub(crate) fn meter(&self) -> &'m Meter {
        self.meter
    }

    pub(crate) fn push(&mut self, piece: &str, from_user: bool) -> Result<(), PromptError> {
        if piece.is_empty() {
            return Ok(());
        }
        let start = self.body.string.len();
        let touches = self.body.user.last().is_some_and(|last| last.end == start);
        let range_bytes = if from_user && !touches { size_of::<Range<usize>>() } else { 0 };
        self.meter.create(piece.len() + range_bytes)?;
        self.meter.scan(APPEND_COST)?;
        self.body.string.push_str(piece);
        let end = self.body.string.len();
        match self.body.user.last_mut() {
            Some(last) if from_user && touches => last.end = end,
            _ if from_user => self.body.user.push(start..end),
            _ => {}
        }
        Ok(())
    }

    pub(crate) fn push_text(&mut self, text: &Text) -> Result<(), PromptError> {
        self.push_range(text, 0..text.as_str().len())
    }

    pub(crate) fn push_range(&mut self, text: &Text, range: Range<usize>) -> Result<(), PromptError> {
        text.pieces(range).try_for_each(|(piece, from_user)| self.push(piece, from_user))
    }

    pub(crate) fn finish(self) -> Text {
        Text(Rc::new(self.body))
    }
}
