//! `@if(…)`, `@elif(…)` and `@else`: which declarations, members and statements a variant keeps.

use super::scan::{self, Kind, Token};
use std::collections::{BTreeMap, BTreeSet};

/// The flags of one variant, and all that the table knows: a name outside `known` is a spelling mistake.
#[derive(Clone, Debug, Default)]
pub struct Flags {
    /// Set in this variant.
    pub on: BTreeSet<String>,
    /// Set in some variant of some kernel.
    pub known: BTreeSet<String>,
}

/// What is wrong, and at which byte of the file.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Fault {
    /// Byte offset.
    pub at: usize,
    /// One sentence.
    pub message: String,
}

impl Fault {
    /// A fault at a byte offset.
    pub(super) fn new(at: usize, message: impl Into<String>) -> Self {
        Self { at, message: message.into() }
    }
}

/// Blanks every condition and whatever its flags exclude. Input is free of comments; length and lines are kept.
///
/// # Errors
/// On a condition that cannot be read, names an unknown flag, governs nothing, or an `@else` that follows no `@if`.
pub(super) fn resolve(source: &str, flags: &Flags) -> Result<String, Fault> {
    let tokens = scan::tokens(source);
    let mut out = source.as_bytes().to_vec();
    let mut lists = Vec::new(); // for each open bracket: does it hold a comma-separated list?
    let mut chains = BTreeMap::new(); // token after a governed item -> has a branch been taken?
    let mut i = 0;
    while i < tokens.len() {
        let token = tokens[i];
        match token.kind {
            Kind::Punct(b'(' | b'[') => lists.push(true),
            Kind::Punct(b'{') => lists.push(is_struct_body(source, &tokens, i)),
            Kind::Punct(b')' | b']' | b'}') => {
                lists.pop();
            }
            _ => {}
        }
        let word = tokens.get(i + 1).map_or("", |t| t.text(source));
        if !token.is(b'@') || !matches!(word, "if" | "elif" | "else") {
            i += 1;
            continue;
        }
        let taken = match (word, chains.remove(&i)) {
            ("if", _) => false,
            (_, Some(taken)) => taken,
            _ => return Err(Fault::new(token.start, format!("@{word} does not follow what an @if governs"))),
        };
        let (body, holds) = if word == "else" {
            (i + 2, true)
        } else {
            let end = scan::group_end(&tokens, i + 2)
                .filter(|_| tokens.get(i + 2).is_some_and(|t| t.is(b'(')))
                .ok_or_else(|| {
                    Fault::new(token.start, format!("@{word} wants a condition in parentheses"))
                })?;
            (end, Parser { source, tokens: &tokens[i + 3..end - 1], at: token.start, flags }.parse()?)
        };
        if tokens.get(body).is_some_and(|t| t.is(b'@'))
            && matches!(tokens.get(body + 1).map_or("", |t| t.text(source)), "if" | "elif" | "else")
        {
            return Err(Fault::new(token.start, "two conditions on one item: join them with &&"));
        }
        let end = if lists.last().copied().unwrap_or(false) {
            scan::list_item_end(&tokens, body)
        } else {
            scan::statement_end(source, &tokens, body)
        }
        .ok_or_else(|| Fault::new(token.start, format!("@{word} governs no complete item")))?;
        let keep = holds && !taken;
        let last = if keep { body } else { end };
        scan::blank(&mut out, token.start..tokens[last - 1].end);
        if word != "else" {
            chains.insert(end, taken || keep);
        }
        i = last;
    }
    Ok(String::from_utf8_lossy(&out).into_owned())
}

fn is_struct_body(source: &str, tokens: &[Token], open: usize) -> bool {
    open >= 2 && tokens[open - 2].text(source) == "struct"
}

/// `or := and ("||" and)*`, `and := not ("&&" not)*`, `not := "!" not | "(" or ")" | FLAG`.
struct Parser<'a> {
    source: &'a str,
    tokens: &'a [Token],
    at: usize,
    flags: &'a Flags,
}

impl Parser<'_> {
    fn parse(mut self) -> Result<bool, Fault> {
        let value = self.or()?;
        match self.tokens.first() {
            None => Ok(value),
            Some(t) => Err(Fault::new(t.start, format!("`{}` is not understood here", t.text(self.source)))),
        }
    }

    fn or(&mut self) -> Result<bool, Fault> {
        let mut value = self.and()?;
        while self.take_pair(b'|') {
            value |= self.and()?;
        }
        Ok(value)
    }

    fn and(&mut self) -> Result<bool, Fault> {
        let mut value = self.not()?;
        while self.take_pair(b'&') {
            value &= self.not()?;
        }
        Ok(value)
    }

    fn not(&mut self) -> Result<bool, Fault> {
        let Some((token, rest)) = self.tokens.split_first() else {
            return Err(Fault::new(self.at, "the condition ends too early"));
        };
        self.tokens = rest;
        match token.kind {
            Kind::Punct(b'!') => Ok(!self.not()?),
            Kind::Punct(b'(') => {
                let value = self.or()?;
                let Some((close, rest)) = self.tokens.split_first() else {
                    return Err(Fault::new(self.at, "the condition ends too early"));
                };
                self.tokens = rest;
                if close.is(b')') { Ok(value) } else { Err(Fault::new(close.start, "expected )")) }
            }
            Kind::Word => {
                let flag = token.text(self.source);
                if !self.flags.known.contains(flag) {
                    let message = format!("no kernel in kernels.toml has the flag {flag}");
                    return Err(Fault::new(token.start, message));
                }
                Ok(self.flags.on.contains(flag))
            }
            _ => Err(Fault::new(token.start, "expected a flag")),
        }
    }

    fn take_pair(&mut self, byte: u8) -> bool {
        let found = matches!(self.tokens, [a, b, ..] if a.is(byte) && b.is(byte) && a.end == b.start);
        if found {
            self.tokens = &self.tokens[2..];
        }
        found
    }
}
