//! From source to syntax tree, with the bounds that the parser itself does not set.

use std::borrow::Cow;

use minijinja::ErrorKind;
use minijinja::machinery::ast::Stmt;
use minijinja::machinery::{Token, parse, tokenize};
use minijinja::syntax::SyntaxConfig;

use crate::budget::{MAX_DEPTH, MAX_TEMPLATE_BYTES};
use crate::error::{Cost, PromptError};

/// Most tokens of a template: one for every four bytes of the longest source.
const MAX_TOKENS: usize = 65_536;
/// Most tokens between one pair of tag brackets. A chain of operators becomes a tree as deep as the chain is long,
/// and freeing it recurses.
const MAX_TAG_TOKENS: usize = 2048;
/// Most `elif` branches of one `if`: the parser recurses into each.
const MAX_BRANCHES: usize = 64;
/// Most signs or `not` in a row: the parser recurses into each.
const MAX_PREFIXES: usize = 16;

/// The source as transformers reads it: `\n` line ends, and `{% generation %}`, which only marks a region for
/// training, as a condition that always holds.
pub(crate) fn normalise(source: &str) -> Result<String, PromptError> {
    if source.len() > MAX_TEMPLATE_BYTES {
        return Err(PromptError::TemplateTooLarge { bytes: source.len(), limit: MAX_TEMPLATE_BYTES });
    }
    let mut source: Cow<'_, str> = Cow::Borrowed(source);
    if source.contains('\r') {
        source = Cow::Owned(source.replace("\r\n", "\n").replace('\r', "\n"));
    }
    Ok(replace_tag(&replace_tag(&source, "generation", "if true"), "endgeneration", "endif"))
}

/// The syntax tree of a source that [`check`] has passed.
pub(crate) fn tree(source: &str) -> Result<Stmt<'_>, PromptError> {
    parse(source, "", syntax()?).map_err(|error| syntax_error(&error))
}

fn syntax() -> Result<SyntaxConfig, PromptError> {
    SyntaxConfig::builder()
        .trim_blocks(true)
        .lstrip_blocks(true)
        .build()
        .map_err(|error| syntax_error(&error))
}

/// Sets the bounds that the parser, which recurses and builds without limit, relies on.
pub(crate) fn check(source: &str) -> Result<(), PromptError> {
    let expensive = |what, limit: usize| PromptError::TemplateTooExpensive { what, limit: limit as u64 };
    let (mut in_tag, mut prefixes) = (0, 0);
    let mut opens_block = false;
    let mut branches: Vec<usize> = Vec::new();
    for (place, token) in tokenize(source, false, syntax()?).enumerate() {
        if place >= MAX_TOKENS {
            return Err(expensive(Cost::Tokens, MAX_TOKENS));
        }
        let (token, _) = token.map_err(|error| syntax_error(&error))?;
        in_tag = match token {
            Token::TemplateData(_) | Token::VariableStart | Token::BlockStart => 0,
            _ => in_tag + 1,
        };
        prefixes = match token {
            Token::Minus | Token::Plus | Token::Ident("not") => prefixes + 1,
            _ => 0,
        };
        if in_tag > MAX_TAG_TOKENS {
            return Err(expensive(Cost::TokensPerTag, MAX_TAG_TOKENS));
        }
        if prefixes > MAX_PREFIXES {
            return Err(PromptError::TooDeep { limit: MAX_PREFIXES });
        }
        match token {
            Token::Ident("if" | "for") if opens_block => branches.push(0),
            Token::Ident("elif") if opens_block => {
                if let Some(count) = branches.last_mut() {
                    *count += 1;
                    if *count > MAX_BRANCHES {
                        return Err(expensive(Cost::Branches, MAX_BRANCHES));
                    }
                }
            }
            Token::Ident("endif" | "endfor") if opens_block => drop(branches.pop()),
            _ => {}
        }
        if branches.len() > MAX_DEPTH {
            return Err(PromptError::TooDeep { limit: MAX_DEPTH });
        }
        opens_block = matches!(token, Token::BlockStart);
    }
    Ok(())
}

fn syntax_error(error: &minijinja::Error) -> PromptError {
    let message = error.detail().map_or_else(|| error.to_string(), str::to_owned);
    if error.kind() == ErrorKind::SyntaxError && message.contains("recursion limit") {
        return PromptError::TooDeep { limit: MAX_DEPTH };
    }
    PromptError::Syntax { line: error.line().unwrap_or(0), message }
}

/// Replaces the word of every `{% word %}`, keeping the white-space marks.
fn replace_tag(source: &str, word: &str, replacement: &str) -> String {
    let mut out = String::with_capacity(source.len());
    let mut rest = source;
    while let Some(open) = rest.find("{%") {
        let (before, tag) = rest.split_at(open + 2);
        out.push_str(before);
        let body = tag.trim_start_matches(['-', '+']).trim_start();
        let skipped = tag.len() - body.len();
        let is_word = body
            .strip_prefix(word)
            .is_some_and(|after| after.trim_start().trim_start_matches(['-', '+']).starts_with("%}"));
        rest = tag;
        if is_word {
            out.push_str(tag.get(..skipped).unwrap_or_default());
            out.push_str(replacement);
            rest = tag.get(skipped + word.len()..).unwrap_or_default();
        }
    }
    out + rest
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests fail loudly")]
    use super::normalise;

    #[test]
    fn generation_tags_become_conditions() {
        let source =
            "{%- generation -%}a{% endgeneration %}{%generation+%}{% generations %}{{ generation }}\r\n";
        let want = "{%- if true -%}a{% endif %}{%if true+%}{% generations %}{{ generation }}\n";
        assert_eq!(normalise(source).unwrap(), want);
    }
}
