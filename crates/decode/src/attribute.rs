//! What an answer must be, by rules that need no training: long enough, not repetitive, with a word in it.

use crate::suffix::ends_in_repeat;

/// Rules about an answer.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Attribute {
    /// Least tokens before the end.
    pub(crate) min_length: usize,
    /// No n-gram of this length stands twice; 0 allows all.
    pub(crate) no_repeat_ngram: usize,
    /// Text that must occur.
    pub(crate) keyword: Option<String>,
}

impl Attribute {
    /// Whether the newest token breaks a rule that nothing behind it can mend.
    pub(crate) fn broken_by_last(&self, tokens: &[u32]) -> bool {
        ends_in_repeat(tokens, self.no_repeat_ngram)
    }

    /// Whether a whole answer keeps the rules; `tokens` without the one that ends it.
    pub(crate) fn holds(&self, tokens: &[u32], text: &str) -> bool {
        tokens.len() >= self.min_length
            && (1..=tokens.len()).all(|n| !self.broken_by_last(&tokens[..n]))
            && self.keyword.as_ref().is_none_or(|word| text.contains(word.as_str()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_rule_can_fail() {
        let rules = Attribute { min_length: 3, no_repeat_ngram: 2, keyword: Some("rain".into()) };
        assert!(rules.holds(&[1, 2, 3], "of rain"));
        assert!(!rules.holds(&[1, 2], "of rain"));
        assert!(!rules.holds(&[1, 2, 1, 2], "of rain"));
        assert!(!rules.holds(&[1, 2, 3], "of snow"));
    }
}
