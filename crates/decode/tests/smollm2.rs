//! On a real model: every neutral setting gives the tokens of plain greedy decoding.
#![allow(clippy::unwrap_used, reason = "tests fail loudly")]

use std::path::PathBuf;

use goldcrest_decode::{Candidate, Decoding, Method, Resources};
use goldcrest_engine::{Engine, EngineOptions, Event, Prompt, Request, RuntimeOptions};
use goldcrest_gguf::Gguf;
use goldcrest_testkit::kernels::adapters::cpu;

const NEUTRAL: &[&str] = &[
    "sample",
    "momentum:alpha=0",
    "contrastive_search:alpha=0",
    "contrastive_search:k=1",
    "beam:beams=1",
    "conditional_beam:beams=1,min_length=0,no_repeat_ngram=0",
    "self_consistency:n=1",
    "first_finish:n=1",
    "adadec:candidates=1",
    "superposed:k=1,alpha=0",
    "a_star:width=1,step_tokens=8",
    "pg_td:rollouts=1",
    "transfer_q:weight=0,candidates=3,lookahead=2",
    "icn:n=1",
    "plan_then_write:no_repeat_ngram=0",
];

/// Those that compare with another prompt, and one that reads the model between its layers.
const CONTRASTS: &[&str] = &[
    "context_aware:alpha=0",
    "debias_sampling:alpha=0,beta=0",
    "leading_query:alpha=0,beta=0",
    "prompt_amplification:lambda=0,beta=0",
    "dola:weight=0,beta=0,layer=15",
    "just_read_twice:times=1",
];

/// The model in the folder that `GOLDCREST_MODELS` names, or in the store.
fn model() -> Option<Vec<u8>> {
    let var = |name| std::env::var_os(name).map(PathBuf::from);
    let cache = || var("XDG_CACHE_HOME").or_else(|| std::env::home_dir().map(|home| home.join(".cache")));
    let home = var("GOLDCREST_HOME").or_else(|| cache().map(|cache| cache.join("goldcrest")));
    let folder = var("GOLDCREST_MODELS").or_else(|| home.map(|home| home.join("models")))?;
    let names = ["smollm2-135m.gguf", "SmolLM2-135M-Instruct.Q4_1.gguf"];
    let bytes = names.iter().find_map(|name| std::fs::read(folder.join(name)).ok());
    if bytes.is_none() {
        println!(
            "skip: no {} in {}; GOLDCREST_MODELS names the folder",
            names.join(" or "),
            folder.display()
        );
    }
    bytes
}

#[test]
fn neutral_settings_are_plain_greedy_decoding() {
    let Some(file) = model() else { return };
    let gguf = Gguf::parse(&file).unwrap();
    let runtime = RuntimeOptions { n_ctx: 256, ..RuntimeOptions::default() };
    let options = EngineOptions { runtime, skip_selftest: true, ..EngineOptions::default() };
    let (mut source, mut quiet) = (file.as_slice(), |_, _, _| {});
    let loading = Engine::load(&gguf, &mut source, cpu(), &options, &mut quiet);
    let engine = pollster::block_on(loading).unwrap();
    let prompt = Prompt::Text { text: "The lighthouse stood on the".into(), parse_special: false };
    let request = Request { max_tokens: Some(8), ..Request::greedy(prompt) };
    let plain = pollster::block_on(async {
        let mut session = engine.session();
        let mut generation = session.generate(request.clone()).unwrap();
        while let Some(event) = generation.next().await.unwrap() {
            if matches!(event, Event::End { .. }) {
                break;
            }
        }
        generation.tokens().to_vec()
    });
    for spec in NEUTRAL.iter().chain(CONTRASTS) {
        let scorer = |_: Candidate<'_>| 0.5;
        let references = if CONTRASTS.contains(spec) { vec![vec![504, 2365, 338]] } else { Vec::new() };
        let resources = Resources { references, scorer: Some(Box::new(scorer)), ..Resources::default() };
        // A search of scored votes weighs them by the score, which is the same for all here.
        let (mut session, method) = (engine.session(), Method::parse(spec).unwrap());
        let mut decoding = Decoding::start(&mut session, &request, method, resources, Vec::new()).unwrap();
        let mut text = String::new();
        while let Some(event) = pollster::block_on(decoding.next()).unwrap() {
            match event {
                Event::Token(token) => text += &token.text,
                Event::End { text: tail, .. } => text += &tail,
                Event::Prefill { .. } | Event::Working { .. } => {}
            }
        }
        assert_eq!(decoding.outcome().unwrap().tokens, plain, "{spec}");
        assert!(!text.is_empty(), "{spec}");
    }
}
