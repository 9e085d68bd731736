//! What a grammar may cost. Real schemas stay far below: of the 60 of JSONSchemaBench that the tests use, the largest has
//! 2,000 values.

use llguidance::api::ParserLimits;

/// Bytes of a grammar's text, or of a schema's strings together.
pub(crate) const MAX_BYTES: usize = 512 * 1024;
/// Bytes of a regular expression, alone or in a schema.
pub(crate) const MAX_REGEX_BYTES: usize = 16 * 1024;
/// Values of a schema.
pub(crate) const MAX_VALUES: usize = 20_000;
/// Brackets within brackets. The parsers behind recurse, on a stack that may have 512 KiB.
pub(crate) const MAX_DEPTH: usize = 48;
/// Bounds of lengths and counts in a schema.
pub(crate) const MAX_COUNT: u64 = 100_000;
/// Repetitions of one GBNF item, as llama.cpp has it.
pub(crate) const MAX_REPEATS: u32 = 2_000;

/// The parser's own budgets: counts of work, so that they mean the same on every machine. A unit of lexer work is about
/// 20 to 70 ns, an item 50 ns.
pub(crate) fn parser() -> ParserLimits {
    ParserLimits {
        initial_lexer_fuel: 1_000_000,
        step_lexer_fuel: 200_000,
        step_max_items: 50_000,
        max_items_in_row: 2_000,
        max_lexer_states: 50_000,
        max_grammar_size: 200_000,
        precompute_large_lexemes: true,
        verbose_errors: false,
    }
}

/// The deepest nesting of `(`, `[` and `{` in a text, whatever they stand for.
pub(crate) fn bracket_depth(text: &str) -> usize {
    let (mut depth, mut deepest) = (0usize, 0);
    for byte in text.bytes() {
        match byte {
            b'(' | b'[' | b'{' => {
                depth += 1;
                deepest = deepest.max(depth);
            }
            b')' | b']' | b'}' => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    deepest
}
