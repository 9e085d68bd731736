//! Documents that contradict what the model remembers: whether contrast with the question alone brings the document's answer.

use goldcrest_decode::{mix, row_behind};
use goldcrest_engine::{Engine, Prompt};

use crate::Fallible;

/// A line each: the document, the question, the document's answer, the remembered one, parted by tabs.
const CONFLICTS: &str = include_str!("conflicts.tsv");

pub(crate) fn against_memory(engine: &Engine) -> Fallible<()> {
    let conflicts: Vec<Vec<&str>> = CONFLICTS.lines().map(|line| line.split('\t').collect()).collect();
    let n = conflicts.len() as f64;
    println!(
        "| `context_aware`, {n} conflicts | the document's answer | the remembered one | raised | first |"
    );
    println!("|---|---|---|---|---|");
    let session = engine.session();
    let row = |text: &str| -> Fallible<Vec<f32>> {
        let prompt = Prompt::Text { text: text.to_owned(), parse_special: false };
        Ok(pollster::block_on(row_behind(&session, &prompt))?.logits().to_vec())
    };
    let mut rows = Vec::new();
    for conflict in &conflicts {
        let [document, question, new, old] = conflict[..] else { return Err("four columns a line".into()) };
        let first = |answer: &str| engine.text().plain_tokens(answer).first().copied().unwrap_or(0) as usize;
        rows.push((row(&format!("{document} {question}"))?, row(question)?, first(new), first(old)));
    }
    let plain: Vec<f64> = rows.iter().map(|(with, _, new, _)| probability(with, *new)).collect();
    for alpha in [0.0, 0.5, 1.0] {
        let (mut new_p, mut old_p, mut raised, mut first) = (0.0, 0.0, 0, 0);
        for ((with, without, new, old), plain) in rows.iter().zip(&plain) {
            let mixed = mix(with, &[(1.0 + alpha, with), (-alpha, without)], 0.0);
            let p = probability(&mixed, *new);
            new_p += p / n;
            old_p += probability(&mixed, *old) / n;
            raised += usize::from(p > *plain);
            first += usize::from(mixed.iter().all(|logit| *logit <= mixed[*new]));
        }
        println!("| `alpha={alpha}` | {new_p:.3} | {old_p:.3} | {raised} | {first} |");
    }
    let [new, old]: [f64; 2] = [true, false].map(|new| {
        let p = rows.iter().map(|row| probability(&row.1, if new { row.2 } else { row.3 }));
        p.sum::<f64>() / n
    });
    println!("| the question alone | {new:.3} | {old:.3} | | |");
    Ok(())
}

fn probability(row: &[f32], token: usize) -> f64 {
    let best = row.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let total: f64 = row.iter().map(|logit| f64::from(logit - best).exp()).sum();
    f64::from(row[token] - best).exp() / total
}
