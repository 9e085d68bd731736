//! The text of a GBNF grammar to rules.

use std::collections::HashMap;
use std::iter::Peekable;
use std::str::Chars;

use super::{Node, Rule};
use crate::GrammarError;
use crate::limits::MAX_REPEATS;

/// All rules, in the order in which they are defined.
pub(super) fn parse(text: &str) -> Result<Vec<Rule>, GrammarError> {
    let mut parser =
        Parser { rest: text.chars().peekable(), line: 1, names: HashMap::new(), used: Vec::new() };
    let mut bodies: HashMap<usize, (usize, Node)> = HashMap::new();
    parser.space(true);
    while parser.rest.peek().is_some() {
        let line = parser.line;
        let name = parser.name()?;
        parser.space(false);
        for expected in "::=".chars() {
            if parser.rest.next() != Some(expected) {
                return Err(fault(line, format!("`::=` is missing behind `{name}`")));
            }
        }
        let index = parser.index(&name);
        parser.space(true);
        let body = parser.choice(false)?;
        if bodies.insert(index, (line, body)).is_some() {
            return Err(fault(line, format!("rule `{name}` is there already")));
        }
        parser.space(true);
    }
    let mut names: Vec<(String, usize)> = parser.names.into_iter().collect();
    names.sort_by_key(|(_, index)| *index);
    let rule = |(name, index): (String, usize)| match bodies.remove(&index) {
        Some((line, body)) => Ok(Rule { name, line, body }),
        None => {
            let line = parser.used.iter().find(|(used, _)| *used == index).map_or(1, |(_, line)| *line);
            Err(fault(line, format!("there is no rule `{name}`")))
        }
    };
    names.into_iter().map(rule).collect()
}

pub(super) fn fault(line: usize, reason: impl Into<String>) -> GrammarError {
    GrammarError::Gbnf { line, reason: reason.into() }
}

struct Parser<'a> {
    rest: Peekable<Chars<'a>>,
    line: usize,
    names: HashMap<String, usize>,
    /// Rules that are named, and where.
    used: Vec<(usize, usize)>,
}

impl Parser<'_> {
    fn next(&mut self) -> Option<char> {
        let c = self.rest.next();
        self.line += usize::from(c == Some('\n'));
        c
    }

    /// Passes over spaces and comments, and over line ends where a rule cannot end.
    fn space(&mut self, line_ends: bool) {
        while let Some(&c) = self.rest.peek() {
            match c {
                ' ' | '\t' => {}
                '\n' | '\r' if line_ends => {}
                '#' => {
                    while self.rest.peek().is_some_and(|c| *c != '\n') {
                        self.next();
                    }
                    continue;
                }
                _ => return,
            }
            self.next();
        }
    }

    fn name(&mut self) -> Result<String, GrammarError> {
        let mut name = String::new();
        while let Some(&c) =
            self.rest.peek().filter(|c| c.is_ascii_alphanumeric() || **c == '-' || **c == '_')
        {
            name.push(c);
            self.next();
        }
        match self.rest.peek() {
            _ if !name.is_empty() => Ok(name),
            Some(c) => Err(fault(self.line, format!("`{c}` is not expected here"))),
            None => Err(fault(self.line, "the grammar ends within a rule")),
        }
    }

    fn index(&mut self, name: &str) -> usize {
        let next = self.names.len();
        *self.names.entry(name.to_owned()).or_insert(next)
    }

    fn choice(&mut self, nested: bool) -> Result<Node, GrammarError> {
        let mut options = vec![self.sequence(nested)?];
        while self.rest.peek() == Some(&'|') {
            self.next();
            self.space(true);
            options.push(self.sequence(nested)?);
        }
        Ok(match options.pop() {
            Some(only) if options.is_empty() => only,
            last => Node::Choice(options.into_iter().chain(last).collect()),
        })
    }

    fn sequence(&mut self, nested: bool) -> Result<Node, GrammarError> {
        let mut items: Vec<Node> = Vec::new();
        while let Some(&c) = self.rest.peek() {
            let item = match c {
                '|' | '\n' | '\r' => break,
                ')' if nested => break,
                '*' | '+' | '?' | '{' => {
                    let item = items
                        .pop()
                        .ok_or_else(|| fault(self.line, format!("`{c}` has nothing to repeat")))?;
                    self.repeat(item)?
                }
                _ => self.item()?,
            };
            items.push(item);
            self.space(nested);
        }
        Ok(match items.pop() {
            Some(only) if items.is_empty() => only,
            last => Node::Sequence(items.into_iter().chain(last).collect()),
        })
    }

    fn item(&mut self) -> Result<Node, GrammarError> {
        let line = self.line;
        match self.rest.peek() {
            Some('"') => self.literal(),
            Some('[') => self.class(),
            Some('.') => {
                self.next();
                Ok(Node::Any)
            }
            Some('(') => {
                self.next();
                self.space(true);
                let inner = self.choice(true)?;
                self.space(true);
                match self.next() {
                    Some(')') => Ok(inner),
                    _ => Err(fault(line, "`)` is missing")),
                }
            }
            Some('<' | '!') => {
                Err(fault(line, "token names (`<…>`) are not supported: write the token's text"))
            }
            _ => {
                let name = self.name()?;
                let index = self.index(&name);
                self.used.push((index, line));
                Ok(Node::Rule(index, line))
            }
        }
    }

    fn repeat(&mut self, item: Node) -> Result<Node, GrammarError> {
        let (min, max) = match self.next() {
            Some('*') => (0, None),
            Some('+') => (1, None),
            Some('?') => (0, Some(1)),
            _ => self.bounds()?,
        };
        Ok(Node::Repeat { item: Box::new(item), min, max })
    }

    /// Behind `{`.
    fn bounds(&mut self) -> Result<(u32, Option<u32>), GrammarError> {
        let mut text = String::new();
        loop {
            match self.next() {
                Some('}') => break,
                Some(c) if c.is_ascii_digit() || c == ',' => text.push(c),
                Some(' ' | '\t') => {}
                _ => return Err(fault(self.line, "a repetition is written {m}, {m,} or {m,n}")),
            }
        }
        let number = |digits: &str| {
            let n = digits
                .parse::<u32>()
                .map_err(|_| fault(self.line, format!("{{{text}}} is no repetition")))?;
            match n {
                n if n > MAX_REPEATS => {
                    Err(fault(self.line, format!("{n} repetitions are more than {MAX_REPEATS}")))
                }
                n => Ok(n),
            }
        };
        let (min, max) = match text.split_once(',') {
            None => (number(&text)?, Some(number(&text)?)),
            Some((min, "")) => (number(min)?, None),
            Some((min, max)) => (number(min)?, Some(number(max)?)),
        };
        match max {
            Some(max) if max < min => Err(fault(self.line, format!("{{{text}}} is an empty range"))),
            max => Ok((min, max)),
        }
    }

    fn literal(&mut self) -> Result<Node, GrammarError> {
        let line = self.line;
        self.next();
        let mut text = String::new();
        loop {
            match self.next() {
                Some('"') => return Ok(Node::Literal(text)),
                Some('\\') => text.push(self.escape()?),
                Some('\n') | None => return Err(fault(line, "the text in quotes does not end")),
                Some(c) => text.push(c),
            }
        }
    }

    fn class(&mut self) -> Result<Node, GrammarError> {
        let line = self.line;
        self.next();
        let negated = self.rest.peek() == Some(&'^');
        if negated {
            self.next();
        }
        let mut ranges = Vec::new();
        loop {
            let from = match self.next() {
                Some(']') => return Ok(Node::Class { negated, ranges }),
                Some('\\') => self.escape()?,
                Some('\n') | None => return Err(fault(line, "the character class does not end")),
                Some(c) => c,
            };
            let mut ahead = self.rest.clone();
            let is_range = ahead.next() == Some('-') && ahead.next().is_some_and(|c| c != ']');
            if !is_range {
                ranges.push((from, from));
                continue;
            }
            self.next();
            let to = match self.next() {
                Some('\\') => self.escape()?,
                Some(c) => c,
                None => return Err(fault(line, "the character class does not end")),
            };
            if to < from {
                return Err(fault(line, format!("the range {from}-{to} is empty")));
            }
            ranges.push((from, to));
        }
    }

    /// Behind a backslash.
    fn escape(&mut self) -> Result<char, GrammarError> {
        let line = self.line;
        let digits = match self.next() {
            Some('x') => 2,
            Some('u') => 4,
            Some('U') => 8,
            Some('n') => return Ok('\n'),
            Some('r') => return Ok('\r'),
            Some('t') => return Ok('\t'),
            Some(c @ ('\\' | '"' | '[' | ']' | '-' | '^' | '/' | '.' | '\'')) => return Ok(c),
            Some(c) => return Err(fault(line, format!("the escape \\{c} is not known"))),
            None => return Err(fault(line, "the grammar ends within an escape")),
        };
        let text: String = (0..digits).filter_map(|_| self.next()).collect();
        let code = u32::from_str_radix(&text, 16).ok().and_then(char::from_u32);
        code.ok_or_else(|| fault(line, format!("{text:?} is no character's number")))
    }
}
