//! Trees that the device follows by itself, in whole answers of a real model on a device.
#![allow(clippy::unwrap_used, reason = "tests fail loudly")]

mod real;

use goldcrest_decode::speculate::Speculate;
use goldcrest_decode::{Ask, Method, Outcome, decode_with};
use goldcrest_engine::Runtime;
use goldcrest_sample::SamplerParams;

const N: usize = 48;

fn run(runtime: &mut Runtime, sampler: SamplerParams, method: &Method) -> Outcome {
    let ask = Ask { sampler, max_tokens: N, ..Ask::new(vec![1, 7, 30, 11, 200, 7, 30, 11]) };
    pollster::block_on(decode_with(runtime, ask, method)).unwrap()
}

fn drawn(seed: u64) -> SamplerParams {
    SamplerParams { seed, top_k: 4, temperature: 0.5, ..SamplerParams::neutral() }
}

#[test]
fn a_chain_brings_the_bytes_of_its_path_and_the_plain_answer() {
    let Some(engine) = real::tiny("llama") else { return };
    let mut runtime = engine.runtime().borrow_mut();
    // A row without guesses: its figures, and the token where one is drawn.
    for (sampler, alone) in [(SamplerParams::greedy(), 32), (drawn(3), 48), (drawn(4), 48)] {
        let plain = run(&mut runtime, sampler.clone(), &Method::parse("sample").unwrap());
        let before = runtime.counters().bytes_read;
        let method = Speculate::parse("suffix:shortest=1,plan=false").unwrap();
        let got = run(&mut runtime, sampler, &method);
        let bytes = runtime.counters().bytes_read - before;
        assert_eq!(got.tokens, plain.tokens);
        assert_eq!(got.tokens.len(), N);
        let count = |key: &str| got.report[key].as_u64().unwrap();
        let report = |key: &str| got.report["speculation"][key].as_u64().unwrap();
        // The first token, too, comes of a pass of one row.
        let (passes, rows, single) = (count("passes"), count("rows"), report("unassisted") + 1);
        assert_eq!(passes, report("steps") + 1);
        assert!(passes > single, "chains were verified");
        assert_eq!(bytes, 16 * (passes - single) + 12 * (rows - single) + alone * single);
    }
}
