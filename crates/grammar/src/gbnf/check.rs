//! What a GBNF grammar must not be: left recursive, or without an end.

use super::parse::fault;
use super::{Node, Rule};
use crate::GrammarError;

/// Refuses rules that begin with themselves, as llama.cpp does.
pub(super) fn left_recursion(rules: &[Rule]) -> Result<(), GrammarError> {
    let empty = can_be_empty(rules);
    let first: Vec<Vec<usize>> = rules.iter().map(|rule| begins_with(&rule.body, &empty)).collect();
    // 0: not seen, 1: on the path, 2: done.
    let mut state = vec![0u8; rules.len()];
    for start in 0..rules.len() {
        let mut path = vec![(start, 0)];
        while let Some((at, next)) = path.last_mut() {
            let at = *at;
            if *next == 0 && state[at] == 2 {
                path.pop();
                continue;
            }
            state[at] = 1;
            let Some(&to) = first[at].get(*next) else {
                state[at] = 2;
                path.pop();
                continue;
            };
            *next += 1;
            if state[to] == 1 {
                let from = path.iter().position(|(on, _)| *on == to).unwrap_or(0);
                let mut names: Vec<&str> =
                    path[from..].iter().map(|(on, _)| rules[*on].name.as_str()).collect();
                names.push(&rules[to].name);
                let reason = format!(
                    "rule `{}` begins with itself (left recursion): {}",
                    rules[to].name,
                    names.join(" → ")
                );
                return Err(fault(rules[to].line, reason));
            }
            path.push((to, 0));
        }
    }
    Ok(())
}

/// Refuses rules that no text completes.
pub(super) fn endings(rules: &[Rule]) -> Result<(), GrammarError> {
    let ends = fixed_point(rules, &|node, known| ends(node, known));
    match ends.iter().position(|ends| !ends) {
        Some(rule) => Err(fault(rules[rule].line, format!("rule `{}` never ends", rules[rule].name))),
        None => Ok(()),
    }
}

fn can_be_empty(rules: &[Rule]) -> Vec<bool> {
    fixed_point(rules, &|node, known| is_empty(node, known))
}

/// What holds for each rule if it follows from what holds for the rules that it names.
fn fixed_point(rules: &[Rule], holds: &dyn Fn(&Node, &[bool]) -> bool) -> Vec<bool> {
    let mut known = vec![false; rules.len()];
    loop {
        let next: Vec<bool> = rules.iter().map(|rule| holds(&rule.body, &known)).collect();
        if next == known {
            return known;
        }
        known = next;
    }
}

fn is_empty(node: &Node, known: &[bool]) -> bool {
    match node {
        Node::Choice(options) => options.iter().any(|node| is_empty(node, known)),
        Node::Sequence(items) => items.iter().all(|node| is_empty(node, known)),
        Node::Literal(text) => text.is_empty(),
        Node::Class { .. } | Node::Any => false,
        Node::Rule(index, _) => known[*index],
        Node::Repeat { item, min, .. } => *min == 0 || is_empty(item, known),
    }
}

fn ends(node: &Node, known: &[bool]) -> bool {
    match node {
        Node::Choice(options) => options.iter().any(|node| ends(node, known)),
        Node::Sequence(items) => items.iter().all(|node| ends(node, known)),
        Node::Literal(_) | Node::Any => true,
        Node::Class { negated, ranges } => *negated || !ranges.is_empty(),
        Node::Rule(index, _) => known[*index],
        Node::Repeat { item, min, .. } => *min == 0 || ends(item, known),
    }
}

/// The rules that a text of this node may begin with.
fn begins_with(node: &Node, empty: &[bool]) -> Vec<usize> {
    match node {
        Node::Choice(options) => options.iter().flat_map(|node| begins_with(node, empty)).collect(),
        Node::Sequence(items) => {
            let until = items.iter().position(|node| !is_empty(node, empty)).unwrap_or(items.len());
            items.iter().take(until + 1).flat_map(|node| begins_with(node, empty)).collect()
        }
        Node::Rule(index, _) => vec![*index],
        Node::Repeat { item, .. } => begins_with(item, empty),
        Node::Literal(_) | Node::Class { .. } | Node::Any => Vec::new(),
    }
}
