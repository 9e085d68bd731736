//! Rules as Lark.
//!
//! llguidance reads text in lexemes, the longest match first and never back. GBNF knows no lexemes: a rule may end
//! anywhere. So a grammar without recursion becomes one lexeme, an expression of its own; any other is written with one
//! lexeme for every character, none of which can be the beginning of another.

use std::fmt::Write;

use super::{Node, Rule};

/// The grammar as Lark, beginning at the rule `root`.
pub(super) fn lark(rules: &[Rule], root: usize) -> String {
    let order = reachable(rules, root);
    let regular = !is_recursive(rules, root);
    let prefix = if regular { 'R' } else { 'r' };
    let mut out = format!("start: {prefix}{root}\n");
    for index in order {
        // Writing to a string cannot fail.
        let _written =
            writeln!(out, "{prefix}{index}: {}", Writer { regular, prefix }.top(&rules[index].body));
    }
    out
}

struct Writer {
    regular: bool,
    prefix: char,
}

impl Writer {
    fn top(&self, node: &Node) -> String {
        match node {
            Node::Choice(options) => {
                options.iter().map(|node| self.sequence(node)).collect::<Vec<_>>().join(" | ")
            }
            other => self.sequence(other),
        }
    }

    fn sequence(&self, node: &Node) -> String {
        match node {
            Node::Sequence(items) if !items.is_empty() => {
                items.iter().map(|node| self.item(node)).collect::<Vec<_>>().join(" ")
            }
            Node::Literal(text) if !self.regular && !text.is_empty() => characters(text),
            other => self.item(other),
        }
    }

    fn item(&self, node: &Node) -> String {
        match node {
            Node::Choice(_) => format!("({})", self.top(node)),
            Node::Sequence(items) if items.is_empty() => "\"\"".to_owned(),
            Node::Sequence(_) => format!("({})", self.sequence(node)),
            Node::Literal(text) if text.is_empty() => "\"\"".to_owned(),
            Node::Literal(text) if self.regular => quoted(text),
            Node::Literal(text) if text.chars().count() == 1 => characters(text),
            Node::Literal(text) => format!("({})", characters(text)),
            Node::Class { negated, ranges } => class(*negated, ranges),
            Node::Any => "/(?s:.)/".to_owned(),
            Node::Rule(index, _) => format!("{}{index}", self.prefix),
            Node::Repeat { item, min, max } => {
                let times = match (min, max) {
                    (0, None) => "*".to_owned(),
                    (1, None) => "+".to_owned(),
                    (0, Some(1)) => "?".to_owned(),
                    (min, None) => format!("{{{min},}}"),
                    (min, Some(max)) if min == max => format!("{{{min}}}"),
                    (min, Some(max)) => format!("{{{min},{max}}}"),
                };
                let inner = self.item(item);
                let repeated = matches!(**item, Node::Repeat { .. });
                if repeated { format!("({inner}){times}") } else { format!("{inner}{times}") }
            }
        }
    }
}

/// One lexeme for every character.
fn characters(text: &str) -> String {
    text.chars().map(|c| class(false, &[(c, c)])).collect::<Vec<_>>().join(" ")
}

fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

fn class(negated: bool, ranges: &[(char, char)]) -> String {
    if ranges.is_empty() {
        return if negated { "/(?s:.)/".to_owned() } else { "/[^\\x00-\\u{10FFFF}]/".to_owned() };
    }
    let range = |(from, to): &(char, char)| {
        if from == to { in_class(*from) } else { format!("{}-{}", in_class(*from), in_class(*to)) }
    };
    let ranges: String = ranges.iter().map(range).collect();
    format!("/[{}{ranges}]/", if negated { "^" } else { "" })
}

fn in_class(c: char) -> String {
    match c {
        c if c.is_ascii_alphanumeric() || "(){}_ ,:;\"'<>=!@%*+?.|".contains(c) => c.to_string(),
        c => format!("\\u{{{:X}}}", u32::from(c)),
    }
}

fn reachable(rules: &[Rule], root: usize) -> Vec<usize> {
    let (mut order, mut seen) = (vec![root], vec![false; rules.len()]);
    seen[root] = true;
    let mut next = 0;
    while let Some(&at) = order.get(next) {
        next += 1;
        for to in names(&rules[at].body) {
            if !std::mem::replace(&mut seen[to], true) {
                order.push(to);
            }
        }
    }
    order
}

fn is_recursive(rules: &[Rule], root: usize) -> bool {
    // Rules are taken away whose own are all taken away; what is left goes in circles.
    let mut left = reachable(rules, root);
    loop {
        let (stay, go): (Vec<usize>, Vec<usize>) =
            left.iter().partition(|rule| names(&rules[**rule].body).iter().any(|to| left.contains(to)));
        if go.is_empty() || stay.is_empty() {
            return !stay.is_empty();
        }
        left = stay;
    }
}

fn names(node: &Node) -> Vec<usize> {
    match node {
        Node::Choice(nodes) | Node::Sequence(nodes) => nodes.iter().flat_map(names).collect(),
        Node::Rule(index, _) => vec![*index],
        Node::Repeat { item, .. } => names(item),
        Node::Literal(_) | Node::Class { .. } | Node::Any => Vec::new(),
    }
}
