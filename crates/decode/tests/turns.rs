//! Answers of one session, one after the other: what guesses leave in the cache serves plain decoding.
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "tests fail loudly and say what they leave out")]

use goldcrest_decode::{Decoding, Method, Resources};
use goldcrest_engine::{Prompt, Request, Session};

mod real;

fn plain(session: &mut Session, request: &Request) -> Vec<u32> {
    let mut generation = session.generate(request.clone()).unwrap();
    while pollster::block_on(generation.next()).unwrap().is_some() {}
    generation.tokens().to_vec()
}

fn guessed(session: &mut Session, request: &Request, method: Method) -> Vec<u32> {
    let mut decoding = Decoding::start(session, request, method, Resources::default(), Vec::new()).unwrap();
    while pollster::block_on(decoding.next()).unwrap().is_some() {}
    decoding.outcome().unwrap().tokens.clone()
}

#[test]
fn a_plain_answer_follows_a_guessed_one() {
    let Some(engine) = real::tiny("llama") else { return };
    let n_vocab = engine.runtime().borrow().config().n_vocab;
    let prompt: Vec<u32> = (0..24).map(|i| (i * i * 7 + 3) % n_vocab).collect();
    let request = |n| Request {
        max_tokens: Some(n),
        ignore_eos: true,
        ..Request::greedy(Prompt::Tokens(prompt.clone()))
    };
    let expected = plain(&mut engine.session(), &request(40));
    for drafter in ["auto", "recycling", "suffix", "lookahead"] {
        let method = Method::parse(&format!("speculate:drafter={drafter},plan=false")).unwrap();
        let mut session = engine.session();
        for n in (1..=40).step_by(3) {
            assert_eq!(
                guessed(&mut session, &request(n), method.clone()),
                expected[..n],
                "{drafter}, {n} tokens"
            );
            assert_eq!(plain(&mut session, &request(40)), expected, "behind {n} tokens of {drafter}");
        }
    }
}
