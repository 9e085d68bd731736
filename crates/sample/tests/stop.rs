//! Stop strings: exact cuts wherever the stream is split.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests fail loudly")]

use goldcrest_sample::{Purpose, StopMatcher, uniform};

/// What the documentation promises, by looking at every end in turn.
fn naive(text: &str, stops: &[String]) -> (String, Option<usize>) {
    let bytes = text.as_bytes();
    for end in 1..=bytes.len() {
        let mut best: Option<(usize, usize)> = None;
        for (index, stop) in stops.iter().enumerate() {
            let longer = best.is_none_or(|(length, _)| stop.len() > length);
            if bytes[..end].ends_with(stop.as_bytes()) && longer {
                best = Some((stop.len(), index));
            }
        }
        if let Some((length, index)) = best {
            return (String::from_utf8(bytes[..end - length].to_vec()).unwrap(), Some(index));
        }
    }
    (text.to_owned(), None)
}

/// Numbers of one case, drawn from the crate's own generator.
struct Case {
    number: u32,
    drawn: u32,
}

impl Case {
    fn below(&mut self, n: usize) -> usize {
        self.drawn += 1;
        (uniform(0xC0FFEE, self.number, self.drawn, Purpose::Policy) * n as f32) as usize
    }

    /// Few letters, so that overlaps are common; two of them share their first byte.
    fn text(&mut self, longest: usize) -> String {
        let letters = ['a', 'b', 'é', 'è', '🙂', '🙃'];
        (0..=self.below(longest)).map(|_| letters[self.below(letters.len())]).collect()
    }
}

#[test]
fn a_hundred_thousand_random_cases_equal_the_naive_search() {
    let mut matched_cases = 0;
    for number in 0..100_000 {
        let mut case = Case { number, drawn: 0 };
        let text = case.text(24);
        let stops: Vec<String> = (0..case.below(4)).map(|_| case.text(4)).collect();
        let (want, want_index) = naive(&text, &stops);

        let mut matcher = StopMatcher::new(&stops).unwrap();
        let mut got = Vec::new();
        let mut rest = text.as_bytes();
        let mut matched = None;
        while !rest.is_empty() && matched.is_none() {
            let (piece, tail) = rest.split_at((1 + case.below(5)).min(rest.len()));
            let step = matcher.push(piece);
            got.extend(step.emit);
            matched = step.matched;
            // Nothing may ever come out that the cut would take back.
            assert!(want.as_bytes().starts_with(&got), "case {number}: {text:?} {stops:?}");
            rest = tail;
        }
        got.extend(matcher.finish());
        assert_eq!(got, want.as_bytes(), "case {number}: {text:?} {stops:?}");
        matched_cases += u32::from(matched.is_some());
        assert_eq!(matched, want_index, "case {number}: {text:?} {stops:?}");

        // As text, one character at a time.
        let mut matcher = StopMatcher::new(&stops).unwrap();
        let mut got = String::new();
        for character in text.chars() {
            got += &matcher.push_str(character.encode_utf8(&mut [0; 4])).emit;
        }
        got += &matcher.finish_str();
        assert_eq!(got, want, "case {number}: {text:?} {stops:?}");
        assert!(!got.contains('\u{fffd}'));
    }
    assert!((20_000..95_000).contains(&matched_cases), "{matched_cases} cases matched");
}

#[test]
fn holds_back_no_more_than_a_possible_beginning() {
    let mut matcher = StopMatcher::new(&["</s>", "\n\nUser:"]).unwrap();
    assert_eq!(matcher.push_str("Hello <").emit, "Hello ");
    assert_eq!(matcher.push_str("b> \n").emit, "<b> ");
    assert_eq!(matcher.push_str("\n").emit, "");
    assert_eq!(matcher.push_str("\n").emit, "\n");
    let last = matcher.push_str("User: and more");
    assert_eq!((last.emit.as_str(), last.matched), ("", Some(1)));
    assert_eq!(matcher.push_str("x").emit, "");
    assert_eq!(matcher.finish_str(), "");
}

#[test]
fn the_longest_of_those_that_end_together_cuts() {
    let mut matcher = StopMatcher::new(&["b", "ab", "xab"]).unwrap();
    let step = matcher.push_str("1ab");
    assert_eq!((step.emit.as_str(), step.matched), ("1", Some(1)));
    let mut matcher = StopMatcher::new(&["abcd", "bc"]).unwrap();
    let step = matcher.push_str("xabcd");
    assert_eq!((step.emit.as_str(), step.matched), ("xa", Some(1)));
}

#[test]
fn without_stops_everything_passes_at_once() {
    let mut matcher = StopMatcher::new::<&str>(&[]).unwrap();
    assert_eq!(matcher.push(&[0xff, 0xc3]).emit, [0xff, 0xc3]);
    assert!(matcher.finish().is_empty());
}
