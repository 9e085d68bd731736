//! Answers drawn out of texts by a rule, and the vote over them: what self-consistency and navigation share.

use crate::{Args, DecodeError};

/// Two weights this close are a tie: sums of floats come in any order.
const TIE: f32 = 1e-5;

/// How a text's final answer is found.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Extract {
    rule: &'static str,
    marker: Option<String>,
}

impl Extract {
    /// The parameters `answer` and `marker`.
    pub(crate) fn read(args: &mut Args, default: &'static str) -> Result<Self, DecodeError> {
        let rule = args.one_of("answer", default, &["last_number", "last_line", "last_token", "whole"])?;
        Ok(Self { rule, marker: args.text("marker") })
    }

    /// The answer, in the form in which equal answers are equal; `tokens` without the one that ends them.
    pub(crate) fn answer(&self, tokens: &[u32], text: &str) -> Option<String> {
        let text = match &self.marker {
            Some(marker) => text.rsplit_once(marker.as_str())?.1,
            None => text,
        };
        let found = match self.rule {
            "last_number" => return last_number(text),
            "last_token" => return tokens.last().map(u32::to_string),
            "last_line" => text.lines().rev().map(str::trim).find(|line| !line.is_empty())?,
            _ => text.trim(),
        };
        (!found.is_empty()).then(|| found.trim_end_matches('.').to_lowercase())
    }
}

/// One text's answer and what speaks for it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Ballot {
    /// The answer, if there is one.
    pub(crate) answer: Option<String>,
    /// What it counts.
    pub(crate) weight: f32,
    /// Sum of the text's log-probabilities.
    pub(crate) logprob: f32,
}

/// One answer with everything that speaks for it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Tally {
    pub(crate) answer: String,
    pub(crate) weight: f32,
    pub(crate) logprob: f32,
}

/// Counts: the heaviest answer first; among equals the one with the higher sum of log-probabilities, then the first seen.
pub(crate) fn tally(ballots: &[Ballot]) -> Vec<Tally> {
    let mut counted: Vec<Tally> = Vec::new();
    for ballot in ballots {
        let Some(answer) = &ballot.answer else { continue };
        match counted.iter_mut().find(|tally| tally.answer == *answer) {
            Some(tally) => {
                tally.weight += ballot.weight;
                tally.logprob += ballot.logprob;
            }
            None => {
                let (weight, logprob) = (ballot.weight, ballot.logprob);
                counted.push(Tally { answer: answer.clone(), weight, logprob });
            }
        }
    }
    let steps = |tally: &Tally| (tally.weight / TIE).round();
    counted.sort_by(|a, b| steps(b).total_cmp(&steps(a)).then(b.logprob.total_cmp(&a.logprob)));
    counted
}

/// Whether the leader stays the leader if all `left` votes of weight 1 go to the next.
pub(crate) fn is_decided(counted: &[Tally], left: usize) -> bool {
    let second = counted.get(1).map_or(0.0, |tally| tally.weight);
    counted.first().is_some_and(|first| first.weight > second + left as f32)
}

/// The last number of a text without the commas of its thousands and the zeros behind its point.
fn last_number(text: &str) -> Option<String> {
    let end = text.rfind(|c: char| c.is_ascii_digit())? + 1;
    let starts = text[..end].rfind(|c: char| !c.is_ascii_digit() && c != ',' && c != '.');
    let start = starts.map_or(0, |at| at + text[at..].chars().next().map_or(1, char::len_utf8));
    let digits = text[start..end].trim_start_matches([',', '.']);
    // A comma that is not before three digits parts a list, not a number.
    let (mut whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    while let Some(at) = whole.find(',') {
        let groups_of_three = whole[at + 1..].split(',').all(|group| group.len() == 3);
        if groups_of_three {
            break;
        }
        whole = &whole[at + 1..];
    }
    let before = text[..start].chars().rev();
    let negative =
        before.clone().next() == Some('-') && !before.clone().nth(1).is_some_and(char::is_alphanumeric);
    let whole = whole.replace(',', "");
    let whole = match whole.trim_start_matches('0') {
        "" => "0",
        digits => digits,
    };
    let fraction = fraction.trim_end_matches('0');
    let point = if fraction.is_empty() { "" } else { "." };
    let sign = if negative && (whole != "0" || !fraction.is_empty()) { "-" } else { "" };
    Some(format!("{sign}{whole}{point}{fraction}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ballots(list: &[(&str, f32, f32)]) -> Vec<Ballot> {
        let ballot = |(answer, weight, logprob): &(&str, f32, f32)| Ballot {
            answer: Some((*answer).to_owned()),
            weight: *weight,
            logprob: *logprob,
        };
        list.iter().map(ballot).collect()
    }

    #[test]
    fn the_worked_votes_hold() {
        let answers = ["42", "41", "42", "40", "42"];
        let rewards = [0.2, 0.7, 0.4, 0.6, 0.1];
        let list = |weight: fn(f32) -> f32| {
            let list: Vec<(&str, f32, f32)> = answers
                .into_iter()
                .zip(rewards)
                .map(|(answer, reward)| (answer, weight(reward), -1.0))
                .collect();
            tally(&ballots(&list))
        };
        let votes = list(|_| 1.0);
        assert_eq!((votes[0].answer.as_str(), votes[0].weight), ("42", 3.0));
        // Weighted, 42 and 41 tie at 0.7; the single one lost less log-probability.
        let weighted = list(|reward| reward);
        assert!((weighted[0].weight - 0.7).abs() < 1e-6 && (weighted[1].weight - 0.7).abs() < 1e-6);
        assert_eq!(weighted[0].answer, "41");
        let equal = tally(&ballots(&[("a", 1.0, -2.0), ("b", 1.0, -2.0)]));
        assert_eq!(equal[0].answer, "a");
    }

    #[test]
    fn a_vote_is_decided_when_it_cannot_turn() {
        let counted = tally(&ballots(&[("a", 1.0, 0.0), ("a", 1.0, 0.0), ("b", 1.0, 0.0)]));
        assert!(is_decided(&counted, 0) && !is_decided(&counted, 1));
        assert!(!is_decided(&[], 0));
    }

    #[test]
    fn numbers_have_one_form() {
        let cases = [
            ("so it is 1,234.50 dollars", Some("1234.5")),
            ("the answer is 42.", Some("42")),
            ("3,4", Some("4")),
            ("-7", Some("-7")),
            ("x-7", Some("7")),
            ("-0.0", Some("0")),
            ("007", Some("7")),
            ("= .5", Some("5")),
            ("none", None),
            ("é12", Some("12")),
        ];
        for (text, want) in cases {
            assert_eq!(last_number(text).as_deref(), want, "{text}");
        }
    }

    #[test]
    fn rules_and_markers() {
        let extract = |rule, marker: Option<&str>| Extract { rule, marker: marker.map(str::to_owned) };
        let text = "12 apples\nAnswer: Paris.\n";
        assert_eq!(extract("last_line", None).answer(&[], text).as_deref(), Some("answer: paris"));
        assert_eq!(extract("whole", Some("Answer:")).answer(&[], text).as_deref(), Some("paris"));
        assert_eq!(extract("last_number", Some("Answer:")).answer(&[], text), None);
        assert_eq!(extract("whole", Some("Result:")).answer(&[], text), None);
        assert_eq!(extract("last_token", None).answer(&[5, 6], "").as_deref(), Some("6"));
    }
}
