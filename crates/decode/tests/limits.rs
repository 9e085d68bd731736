//! Whatever the method: an answer ends at its stop text, at its limit and at its end, and an abort stops the work.
#![allow(clippy::unwrap_used, reason = "tests fail loudly")]

mod common;

use std::cell::Cell;
use std::rc::Rc;
use std::sync::Arc;

use common::{far_sighted, row_of};
use goldcrest_decode::{Ask, Lm, Method, Outcome, TableLm, decode_among};
use goldcrest_engine::{AnswerText, Finish};
use goldcrest_tokenizer::{Tokenizer, TokenizerSpec};

/// Strategies that write what they are given, here `b`, `c`, `d` of a server.
const GIVEN: &str = "remote_cascade";

/// Seven letters and an end.
fn letters() -> Arc<Tokenizer> {
    let pieces: [&[u8]; 8] = [b"a", b"b", b"c", b"d", b"e", b"f", b"g", b"<|end|>"];
    let merges: [&[u8]; 0] = [];
    let spec = TokenizerSpec {
        model: "gpt2",
        pre: Some("gpt-2"),
        pieces: Box::new(pieces.into_iter()),
        merges: Some(Box::new(merges.into_iter())),
        token_types: Some(&[1, 1, 1, 1, 1, 1, 1, 3]),
        ..TokenizerSpec::default()
    };
    Arc::new(Tokenizer::new(spec).unwrap())
}

fn lettered(first: u32, max_tokens: usize, stop: &[&str], ignore_eos: bool) -> Ask {
    let stop: Vec<String> = stop.iter().map(|text| (*text).to_owned()).collect();
    let answer = AnswerText::new(&letters(), &stop, ignore_eos).unwrap();
    Ask { prompt: vec![first], answer: Some(answer), ..common::equipped(max_tokens) }
}

/// The outcome with a further model of the same letters beside.
fn run(model: &mut TableLm, ask: Ask, name: &str) -> Outcome {
    let (method, mut other) = (Method::parse(name).unwrap(), far_sighted());
    let outcome = pollster::block_on(decode_among(model, vec![&mut other], ask, &method)).unwrap();
    assert_eq!(other.pool().n_free(), other.pool().n_cells(), "{name}: the further model");
    outcome
}

#[test]
fn every_method_ends_at_a_stop_text() {
    let (mut stopped, mut whole) = (0, 0);
    for (name, _) in Method::LIST {
        for first in 0..6 {
            let free = run(&mut far_sighted(), lettered(first, 12, &[], true), name);
            let text = letters().decode(&free.tokens, true);
            for stop in ["ab", "c", "dd", "ga"] {
                let got = run(&mut far_sighted(), lettered(first, 12, &[stop], true), name);
                let text_there = letters().decode(&got.tokens, true);
                // The stop text may begin anywhere, and nothing comes behind the token that completes it.
                let at = text_there.find(stop);
                assert_eq!(at.is_some(), got.finish == Some(Finish::StopString), "{name}: {text_there}");
                let ends_there = at.is_none_or(|at| at + stop.len() == text_there.len());
                assert!(ends_there, "{name}: {text_there} beyond {stop}");
                stopped += usize::from(at.is_some());
                whole += usize::from(!text.contains(stop) && got.tokens == free.tokens);
            }
        }
    }
    assert!(stopped > Method::LIST.len() && whole > Method::LIST.len(), "{stopped} {whole}");
}

#[test]
fn every_method_ends_at_its_limit_and_at_its_end() {
    for (name, _) in Method::LIST {
        let mut ended = 0;
        for first in 0..6 {
            for limit in [1, 2, 9] {
                let got = run(&mut far_sighted(), lettered(first, limit, &[], false), name);
                let end = got.tokens.iter().position(|token| *token == 7);
                assert!(end.is_none_or(|at| at + 1 == got.tokens.len()), "{name}: {:?}", got.tokens);
                assert!(got.tokens.len() <= limit, "{name}: {:?}", got.tokens);
                assert_eq!(got.tokens.len(), got.logprobs.len(), "{name}");
                let full = got.tokens.len() == limit;
                let finish = if end.is_some() || !full { Finish::Stop } else { Finish::Length };
                assert_eq!(got.finish, Some(finish), "{name}: {:?} of {limit}", got.tokens);
                ended += usize::from(end.is_some());
                let on = run(&mut far_sighted(), lettered(first, limit, &[], true), name);
                assert_eq!(on.finish == Some(Finish::Length), on.tokens.len() == limit, "{name}");
                assert!(on.tokens.len() == limit || *name == GIVEN, "{name}: {:?}", on.tokens);
            }
        }
        assert!(ended > 0 || *name == GIVEN, "{name} never ends");
    }
}

/// Aborted while a row is computed: no pass over that model comes after it, what is written stays, nothing is left behind.
#[test]
fn every_method_stops_when_it_is_aborted() {
    for (name, _) in Method::LIST {
        let whole = run(&mut far_sighted(), lettered(0, 24, &[], true), name);
        let mut cut = 0;
        for after in [1, 2, 4, 7] {
            let (rows, abort) = (Rc::new(Cell::new(0)), Rc::new(Cell::new(false)));
            let (counted, signal) = (Rc::clone(&rows), Rc::clone(&abort));
            let mut model = TableLm::new(8, move |context| {
                counted.set(counted.get() + 1);
                signal.set(signal.get() || counted.get() >= after);
                row_of(context)
            });
            let ask = Ask { abort, ..lettered(0, 24, &[], true) };
            let got = run(&mut model, ask, name);
            assert_eq!(model.pool().n_free(), model.pool().n_cells(), "{name}: cells are left");
            // Rows of one pass are computed together, so that some may come after the signal.
            assert!(rows.get() < after + 64, "{name}: {} rows", rows.get());
            match got.finish {
                Some(Finish::Aborted) => cut += 1,
                other => assert_eq!((other, got.tokens.len()), (whole.finish, whole.tokens.len()), "{name}"),
            }
            assert!(got.tokens.len() <= whole.tokens.len(), "{name}");
        }
        assert!(cut > 1 || *name == GIVEN, "{name} goes on");
    }
}
