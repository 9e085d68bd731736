//! Searches: what they do to repetition and variety, and their times.

use std::collections::HashSet;
use std::time::Instant;

use goldcrest_decode::{Decoding, Method, Outcome, Resources};
use goldcrest_engine::{Engine, Prompt, Request};
use goldcrest_sample::SamplerParams;
use serde_json::Value;

use crate::{BEGINNINGS, Fallible};

fn run(engine: &Engine, spec: &str, text: &str, tokens: usize, sampler: SamplerParams) -> Fallible<Outcome> {
    let prompt = Prompt::Text { text: text.to_owned(), parse_special: false };
    let request = Request { max_tokens: Some(tokens), ignore_eos: true, sampler, ..Request::greedy(prompt) };
    let (mut session, method) = (engine.session(), Method::parse(spec)?);
    let mut decoding = Decoding::start(&mut session, &request, method, Resources::default(), Vec::new())?;
    while pollster::block_on(decoding.next())?.is_some() {}
    Ok(decoding.outcome().cloned().unwrap_or_default())
}

/// Share of the n-grams that stood before.
fn repeated(tokens: &[u32], n: usize) -> f64 {
    let grams: Vec<&[u32]> = tokens.windows(n).collect();
    1.0 - grams.iter().collect::<HashSet<_>>().len() as f64 / grams.len().max(1) as f64
}

pub(crate) fn repetition(engine: &Engine) -> Fallible<()> {
    println!("| 4 x 96 tokens | rep-4 | types per token | bits per token | passes |\n|---|---|---|---|---|");
    for spec in ["sample", "momentum", "contrastive_search", "contrastive_search:alpha=0.3", "adadec"] {
        let (mut rep, mut types, mut bits, mut passes) = (0.0, 0.0, 0.0, 0);
        for text in BEGINNINGS {
            let got = run(engine, spec, text, 96, SamplerParams::greedy())?;
            rep += repeated(&got.tokens, 4) / 4.0;
            types += got.tokens.iter().collect::<HashSet<_>>().len() as f64 / got.tokens.len() as f64 / 4.0;
            let mean = got.logprobs.iter().map(|p| f64::from(*p)).sum::<f64>() / got.logprobs.len() as f64;
            bits -= mean / std::f64::consts::LN_2 / 4.0;
            passes += got.report["passes"].as_u64().unwrap_or(0);
        }
        println!("| `{spec}` | {rep:.3} | {types:.3} | {bits:.2} | {passes} |");
    }
    Ok(())
}

pub(crate) fn diversity(engine: &Engine) -> Fallible<()> {
    println!("| 4 x 4 outputs of 16 tokens | distinct-2 | mean score of the best |\n|---|---|---|");
    for spec in ["beam:beams=4", "diverse_beam:beams=4,groups=4"] {
        let (mut distinct, mut score) = (0.0, 0.0);
        for text in BEGINNINGS {
            let got = run(engine, spec, text, 16, SamplerParams::greedy())?;
            let beams = got.report["beams"].as_array().cloned().unwrap_or_default();
            let ids = |beam: &Value| -> Vec<u64> {
                beam["tokens"].as_array().into_iter().flatten().filter_map(Value::as_u64).collect()
            };
            let pairs: Vec<[u64; 2]> = beams
                .iter()
                .flat_map(|beam| ids(beam).windows(2).map(|p| [p[0], p[1]]).collect::<Vec<_>>())
                .collect();
            distinct += pairs.iter().collect::<HashSet<_>>().len() as f64 / pairs.len().max(1) as f64 / 4.0;
            score += beams[0]["score"].as_f64().unwrap_or(0.0) / 4.0;
        }
        println!("| `{spec}` | {distinct:.2} | {score:.3} |");
    }
    Ok(())
}

pub(crate) fn times(engine: &Engine) -> Fallible<()> {
    println!("| 48 tokens, median of 5, alternating | ms | of plain |\n|---|---|---|");
    let drawn = || SamplerParams { seed: 7, ..SamplerParams::neutral() };
    for (spec, sampler) in [
        ("best_of_n:n=4", drawn as fn() -> SamplerParams),
        ("superposed", SamplerParams::greedy),
        ("superposed:rescore=false", SamplerParams::greedy),
        ("momentum", SamplerParams::greedy),
        ("contrastive_search", SamplerParams::greedy),
        ("beam:beams=4", SamplerParams::greedy),
    ] {
        let (mut plain, mut other) = (Vec::new(), Vec::new());
        for _ in 0..5 {
            for (spec, times) in [("sample", &mut plain), (spec, &mut other)] {
                let started = Instant::now();
                run(engine, spec, BEGINNINGS[0], 48, sampler())?;
                times.push(started.elapsed().as_secs_f64() * 1e3);
            }
        }
        plain.sort_by(f64::total_cmp);
        other.sort_by(f64::total_cmp);
        println!("| `{spec}` | {:.0} beside {:.0} | {:.2} |", other[2], plain[2], other[2] / plain[2]);
    }
    Ok(())
}
