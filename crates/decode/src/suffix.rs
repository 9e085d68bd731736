//! Where the end of a history has stood before: what momentum, conditional beams and n-gram bans ask.

/// Length of the longest n-gram ending in `next` that `history` already contains, `next` taken to stand behind it; at
/// most `cap`, 0 where `next` is new.
#[must_use]
pub(crate) fn repeated(history: &[u32], next: u32, cap: usize) -> usize {
    let common = |at: usize| {
        let (before, end) = (history[..at].iter().rev(), history.iter().rev());
        1 + before.zip(end).take(cap.saturating_sub(1)).take_while(|(a, b)| a == b).count()
    };
    let places = history.iter().enumerate().filter(|(_, token)| **token == next);
    places.map(|(at, _)| common(at)).max().unwrap_or(0).min(cap)
}

/// Whether the last `n` tokens stood there before; never for `n` of 0.
#[must_use]
pub(crate) fn ends_in_repeat(tokens: &[u32], n: usize) -> bool {
    let Some((last, before)) = tokens.split_last() else { return false };
    n > 0 && repeated(before, *last, n) >= n
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_repeated_end_is_found() {
        let history = [1, 2, 3, 7, 8, 1, 2, 3];
        let lengths = [7, 9, 2, 3, 5].map(|next| repeated(&history, next, 5));
        assert_eq!(lengths, [4, 0, 1, 1, 0]);
        assert_eq!(repeated(&history, 7, 2), 2);
        assert_eq!(repeated(&[], 7, 5), 0);
        // Overlapping occurrences count: a run repeats itself.
        assert_eq!(repeated(&[4, 4, 4], 4, 5), 3);
    }

    #[test]
    fn a_repeated_n_gram_at_the_end_is_seen() {
        assert!(ends_in_repeat(&[1, 2, 3, 1, 2], 2));
        assert!(!ends_in_repeat(&[1, 2, 3, 1, 2], 3));
        assert!(!ends_in_repeat(&[1, 1, 1], 0));
        assert!(!ends_in_repeat(&[], 2));
    }
}
