//! Samplers: the surprise that Mirostat holds, and what heat leaves of a text.

use goldcrest_engine::{Engine, Event, Prompt, Request};
use goldcrest_sample::{Order, SamplerParams};

use crate::{BEGINNINGS, Fallible};

/// Tokens over which the mean surprise is taken.
const TOKENS: usize = 200;
const SEEDS: [u64; 3] = [1, 2, 3];

/// Text of as many tokens, and the surprise of each in bits under the model without any sampler.
fn run(engine: &Engine, tokens: usize, sampler: SamplerParams) -> Fallible<(String, Vec<f64>)> {
    let prompt = Prompt::Text { text: BEGINNINGS[0].to_owned(), parse_special: false };
    // Alternatives are asked for so that log-probabilities are the model's own with every chain.
    let (max_tokens, logprobs) = (Some(tokens), Some(1));
    let request = Request { max_tokens, logprobs, ignore_eos: true, sampler, ..Request::greedy(prompt) };
    let mut session = engine.session();
    let mut generation = session.generate(request)?;
    let (mut text, mut bits) = (String::new(), Vec::new());
    while let Some(event) = pollster::block_on(generation.next())? {
        if let Event::Token(token) = event {
            text += &token.text;
            bits.push(-f64::from(token.logprob) / std::f64::consts::LN_2);
        }
    }
    Ok((text, bits))
}

fn mean(bits: &[f64]) -> f64 {
    bits.iter().sum::<f64>() / bits.len().max(1) as f64
}

pub(crate) fn mirostat(engine: &Engine) -> Fallible<()> {
    println!("| Mirostat, {} texts | target | rate | first {TOKENS} tokens | next {TOKENS} |", SEEDS.len());
    println!("|---|---|---|---|---|");
    for (version, tau) in [(2, 2.0), (2, 3.0), (2, 5.0), (1, 3.0)] {
        for mirostat_eta in [0.1, 1.0] {
            let (mut first, mut next) = (Vec::new(), Vec::new());
            for seed in SEEDS {
                let base = SamplerParams { mirostat: version, mirostat_tau: tau, ..SamplerParams::neutral() };
                let (_, bits) = run(engine, 2 * TOKENS, SamplerParams { mirostat_eta, seed, ..base })?;
                first.push(mean(&bits[..TOKENS]));
                next.push(mean(&bits[TOKENS..]));
            }
            let all = |means: &[f64]| means.iter().map(|m| format!("{m:.2}")).collect::<Vec<_>>().join(", ");
            println!("| {version} | {tau} | {mirostat_eta} | {} | {} |", all(&first), all(&next));
        }
    }
    Ok(())
}

pub(crate) fn heat(engine: &Engine) -> Fallible<()> {
    println!("| temperature 2, then | bits per token | text |\n|---|---|---|");
    let hot =
        SamplerParams { temperature: 2.0, order: Order::HuggingFace, seed: 1, ..SamplerParams::neutral() };
    for (name, sampler) in [
        ("top-H 0.4", SamplerParams { top_h: 0.4, ..hot.clone() }),
        ("min-p 0.05", SamplerParams { min_p: 0.05, ..hot.clone() }),
        ("top-p 0.95", SamplerParams { top_p: 0.95, ..hot }),
    ] {
        let (text, bits) = run(engine, TOKENS, sampler)?;
        let start: String = text.chars().take(160).collect();
        println!("| {name} | {:.2} | {} |", mean(&bits), start.replace(['\n', '|'], " "));
    }
    Ok(())
}
