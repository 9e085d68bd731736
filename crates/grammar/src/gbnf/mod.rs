//! llama.cpp's GBNF, translated to Lark.

mod check;
mod parse;
mod write;

use crate::GrammarError;
use crate::limits::{MAX_BYTES, MAX_DEPTH, bracket_depth};

/// An expression of a rule.
#[derive(Debug, Clone, PartialEq)]
enum Node {
    /// One of several.
    Choice(Vec<Node>),
    /// One after the other.
    Sequence(Vec<Node>),
    /// These characters.
    Literal(String),
    /// One character of these ranges, or of none of them.
    Class { negated: bool, ranges: Vec<(char, char)> },
    /// Any character.
    Any,
    /// Another rule, by its index, named in this line.
    Rule(usize, usize),
    /// Between `min` and `max` times; without `max` any number.
    Repeat { item: Box<Node>, min: u32, max: Option<u32> },
}

/// A rule.
#[derive(Debug, Clone, PartialEq)]
struct Rule {
    name: String,
    line: usize,
    body: Node,
}

/// The same language as a Lark grammar.
pub(crate) fn to_lark(text: &str) -> Result<String, GrammarError> {
    if text.len() > MAX_BYTES {
        return Err(GrammarError::TooLarge { what: "length", found: text.len(), max: MAX_BYTES });
    }
    let depth = bracket_depth(text);
    if depth > MAX_DEPTH {
        return Err(GrammarError::TooLarge { what: "nesting", found: depth, max: MAX_DEPTH });
    }
    let rules = parse::parse(text)?;
    let root = rules
        .iter()
        .position(|rule| rule.name == "root")
        .ok_or_else(|| GrammarError::Gbnf { line: 1, reason: "there is no rule `root`".to_owned() })?;
    check::left_recursion(&rules)?;
    check::endings(&rules)?;
    Ok(write::lark(&rules, root))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests fail loudly")]
    use super::*;

    fn refusal(text: &str) -> String {
        to_lark(text).unwrap_err().to_string()
    }

    #[test]
    fn regular_grammars_become_one_expression() {
        let lark = to_lark("root ::= \"a\" digits\ndigits ::= [0-9]{2,3} # two or three\n").unwrap();
        assert_eq!(lark, "start: R0\nR0: \"a\" R1\nR1: /[0-9]/{2,3}\n");
    }

    #[test]
    fn recursive_grammars_are_read_character_by_character() {
        let lark = to_lark("root ::= \"((\" root? \")\" |\n  \"x\"").unwrap();
        assert_eq!(lark, "start: r0\nr0: (/[(]/ /[(]/) r0? /[)]/ | /[x]/\n");
    }

    #[test]
    fn what_is_wrong_is_named_with_its_line() {
        for (text, said) in [
            ("a ::= \"x\"", "line 1: there is no rule `root`"),
            ("root ::= \"x\"\na ::= b", "line 2: there is no rule `b`"),
            ("root ::= \"x\"\n\nroot ::= \"y\"", "line 3: rule `root` is there already"),
            (
                "root ::= root \"x\" | \"y\"",
                "line 1: rule `root` begins with itself (left recursion): root → root",
            ),
            (
                "root ::= a \"x\"\na ::= \"\"? b | \"z\"\nb ::= root",
                "line 1: rule `root` begins with itself (left recursion): root → a → b → root",
            ),
            ("root ::= \"x\" root", "line 1: rule `root` never ends"),
            ("root ::= \"x", "line 1: the text in quotes does not end"),
            ("root ::= [a", "line 1: the character class does not end"),
            ("root ::= [z-a]", "line 1: the range z-a is empty"),
            ("root ::= (\"a\"", "line 1: `)` is missing"),
            ("root ::= \"a\" )", "line 1: `)` is not expected here"),
            ("root ::= *", "line 1: `*` has nothing to repeat"),
            ("root ::= \"a\"{3,2}", "line 1: {3,2} is an empty range"),
            ("root ::= \"a\"{2001}", "line 1: 2001 repetitions are more than 2000"),
            ("root ::= <think>", "line 1: token names (`<…>`) are not supported"),
            ("root \"a\"", "line 1: `::=` is missing behind `root`"),
            ("root ::= \"\\q\"", "line 1: the escape \\q is not known"),
        ] {
            let found = refusal(text);
            assert!(found.contains(said), "{text:?}: {found}");
        }
        assert!(refusal(&"(".repeat(100_000)).contains("nesting"));
        assert!(refusal(&"root ::= \"a\"\n".repeat(100_000)).contains("length"));
    }
}
