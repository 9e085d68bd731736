//! Tokens whose text is cut out of the input whole: control and user-defined ones.

use crate::TokenizerError;
use std::ops::Range;

/// Token ids sorted by their text, so that the longest one at a place is found by narrowing a range byte by byte.
#[derive(Default)]
pub(crate) struct LiteralSet {
    ids: Vec<u32>,
    /// `ids[first[b]..first[b + 1]]` are those whose text begins with byte `b`; empty when there are no ids.
    first: Vec<u32>,
}

impl LiteralSet {
    pub(crate) fn new<'a>(mut ids: Vec<u32>, text: impl Fn(u32) -> &'a [u8]) -> Result<Self, TokenizerError> {
        ids.sort_by(|&a, &b| text(a).cmp(text(b)).then(a.cmp(&b)));
        for pair in ids.windows(2) {
            if let &[first, second] = pair
                && text(first) == text(second)
            {
                return Err(TokenizerError::DuplicatePiece { first, second });
            }
        }
        let begin = |byte: u16| {
            ids.partition_point(|&id| text(id).first().is_some_and(|&first| u16::from(first) < byte)) as u32
        };
        let first = (0..=256).map(begin).collect();
        Ok(Self { ids, first })
    }

    pub(crate) fn ids(&self) -> &[u32] {
        &self.ids
    }

    pub(crate) fn get<'a>(&self, text: &[u8], text_of: impl Fn(u32) -> &'a [u8]) -> Option<u32> {
        let at = self.ids.binary_search_by(|&id| text_of(id).cmp(text)).ok()?;
        self.ids.get(at).copied()
    }

    /// The longest token that `rest` begins with.
    pub(crate) fn longest<'a>(&self, rest: &[u8], text: impl Fn(u32) -> &'a [u8]) -> Option<u32> {
        let mut best = None;
        let mut range = self.starting_with(*rest.first()?);
        let mut depth = 1;
        while !range.is_empty() {
            let ids = self.ids.get(range.clone())?;
            // Sorted, so that the token which ends here, if any, is the first of its range.
            let head = *ids.first()?;
            if text(head).len() == depth {
                best = Some(head);
            }
            if let &[only] = ids {
                return if rest.starts_with(text(only)) { Some(only) } else { best };
            }
            let Some(&next) = rest.get(depth) else { break };
            let byte = |id: u32| text(id).get(depth).copied();
            let low = ids.partition_point(|&id| byte(id) < Some(next));
            let high = ids.partition_point(|&id| byte(id) <= Some(next));
            range = range.start + low..range.start + high;
            depth += 1;
        }
        best
    }

    fn starting_with(&self, byte: u8) -> Range<usize> {
        let at = |i: usize| self.first.get(i).map_or(0, |&n| n as usize);
        at(usize::from(byte))..at(usize::from(byte) + 1)
    }
}

/// A stretch of input after the literals were cut out.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Fragment<'t> {
    Text(&'t str),
    Token(u32),
}

/// Cuts the literals out of `text`, leftmost first and the longest of those that begin at one place.
pub(crate) fn split<'t, 'v>(
    text: &'t str,
    set: &LiteralSet,
    text_of: impl Fn(u32) -> &'v [u8],
    mut emit: impl FnMut(Fragment<'t>),
) {
    let (mut begin, mut at) = (0, 0);
    while let Some(rest) = text.as_bytes().get(at..).filter(|rest| !rest.is_empty()) {
        let Some(id) = set.longest(rest, &text_of) else {
            at += 1;
            continue;
        };
        // Only tokens that are UTF-8 themselves are in the set, so that a match begins and ends at characters.
        if let Some(before) = text.get(begin..at).filter(|before| !before.is_empty()) {
            emit(Fragment::Text(before));
        }
        emit(Fragment::Token(id));
        at += text_of(id).len().max(1);
        begin = at;
    }
    if let Some(tail) = text.get(begin..).filter(|tail| !tail.is_empty()) {
        emit(Fragment::Text(tail));
    }
}
