//! A draft model on another device writes while the pass of the first one runs: the same answers as in turns.
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "tests fail loudly and say what they leave out")]

mod common;
mod real;

use common::{ask, far_sighted, row_of, sampled};
use goldcrest_decode::speculate::Speculate;
use goldcrest_decode::{Ask, DecodeError, Lm, Outcome, TableLm, decode_among};
use goldcrest_engine::Finish;
use goldcrest_sample::SamplerParams;

/// The model of the tests, but for every fifth context.
fn draft() -> TableLm {
    TableLm::new(8, |context| {
        let mut row = row_of(context);
        if context.len().is_multiple_of(5) {
            row.rotate_left(1);
        }
        row
    })
}

fn run(mut model: TableLm, mut draft: TableLm, ask: Ask, spec: &str) -> Result<Outcome, DecodeError> {
    let method = Speculate::parse(spec).unwrap();
    let got = pollster::block_on(decode_among(&mut model, vec![&mut draft], ask, &method));
    for (lm, which) in [(&model, "the model"), (&draft, "the draft")] {
        assert_eq!(lm.pool().n_free(), lm.pool().n_cells(), "{spec}: {which}");
    }
    got
}

/// Whether a request is greedy, and the request of a seed.
type Kind = (bool, fn(u64) -> Ask);

fn overlapped(outcome: &Outcome) -> u64 {
    outcome.report["speculation"]["overlapped"].as_u64().unwrap()
}

#[test]
fn what_is_written_beside_a_pass_is_what_is_written_in_turns() {
    let cool = |seed| Ask {
        sampler: SamplerParams { seed, temperature: 0.7, top_k: 5, ..SamplerParams::neutral() },
        ..ask(60)
    };
    for spec in ["pearl:plan=false", "pearl:tokens=1,plan=false", "pearl:tokens=7,rows=4,plan=false", "pearl"]
    {
        for seed in 0..20 {
            let kinds: [Kind; 3] = [(true, |_| ask(60)), (false, |seed| sampled(60, seed)), (false, cool)];
            for (greedy, ask) in kinds {
                let turns = run(far_sighted(), draft(), ask(seed), spec).unwrap();
                let beside = run(far_sighted().on_device(1), draft(), ask(seed), spec).unwrap();
                // How many guesses are drawn decides a sampled answer, and times may decide that; never the likeliest tokens.
                let unplanned = spec.contains("plan=false");
                if unplanned || greedy {
                    assert_eq!(beside.tokens, turns.tokens, "{spec}, seed {seed}");
                }
                if unplanned {
                    assert_eq!(beside.logprobs, turns.logprobs, "{spec}, seed {seed}");
                    let [a, b] =
                        [&beside, &turns].map(|outcome| &outcome.report["speculation"]["accepted_histogram"]);
                    assert_eq!(a, b, "{spec}, seed {seed}");
                    assert!(overlapped(&beside) >= 5, "{spec}, seed {seed}: {}", overlapped(&beside));
                }
                assert_eq!((overlapped(&turns), &turns.report["speculation"]["hidden_ms"]), (0, &0.0.into()));
            }
        }
    }
}

#[test]
fn a_draft_that_fails_beside_a_pass_ends_the_answer_with_its_error() {
    let failing = || {
        TableLm::new(8, |context| match context.len() {
            0..12 => row_of(context),
            _ => vec![f32::NAN; 8],
        })
    };
    for device in [0, 1] {
        let error = run(far_sighted().on_device(device), failing(), sampled(40, 3), "pearl:plan=false");
        assert!(matches!(error, Err(DecodeError::Engine(_))), "device {device}: {error:?}");
    }
}

#[test]
fn an_abort_beside_a_pass_ends_the_answer() {
    for after in 0..30 {
        let asked = ask(60);
        let (abort, rows) = (asked.abort.clone(), std::cell::Cell::new(0));
        let draft = TableLm::new(8, move |context| {
            rows.set(rows.get() + 1);
            abort.set(rows.get() > after);
            row_of(context)
        });
        let got = run(far_sighted().on_device(1), draft, asked, "pearl:plan=false").unwrap();
        assert_eq!(got.finish, Some(Finish::Aborted), "{after}");
        assert!(got.tokens.len() < 60, "{after}");
    }
}

#[test]
fn a_draft_on_the_cpu_writes_while_an_adapter_computes() {
    let Some([model, beside_itself, draft]) = real::tiny_on_two_devices("llama") else { return };
    let n_vocab = model.runtime().borrow().config().n_vocab;
    let prompt: Vec<u32> = (0..24).map(|i| (i * i * 7 + 3) % n_vocab).collect();
    let method = Speculate::parse("pearl:plan=false").unwrap();
    let answer = |model: &goldcrest_engine::Engine, draft: &goldcrest_engine::Engine, ask: Ask| {
        let (mut model, mut draft) = (model.runtime().borrow_mut(), draft.runtime().borrow_mut());
        pollster::block_on(decode_among(&mut *model, vec![&mut *draft], ask, &method)).unwrap()
    };
    for seed in 0..4 {
        let sampler = match seed {
            0 => SamplerParams::greedy(),
            _ => SamplerParams { seed, top_k: 40, ..SamplerParams::neutral() },
        };
        let asked = || Ask { max_tokens: 40, sampler: sampler.clone(), ..Ask::new(prompt.clone()) };
        let beside = answer(&model, &draft, asked());
        let report = &beside.report["speculation"];
        println!(
            "seed {seed}: {} of {} passes overlapped, {} ms hidden of {} ms",
            report["overlapped"], report["steps"], report["hidden_ms"], report["verify_ms"]
        );
        assert!(overlapped(&beside) > 4, "seed {seed}: {report}");
        // One device has one queue.
        let turns = answer(&beside_itself, &model, asked());
        assert_eq!(overlapped(&turns), 0, "seed {seed}");
        // The CPU's device computes within the call, whatever the other one is.
        assert_eq!(overlapped(&answer(&draft, &model, asked())), 0, "seed {seed}");
        if seed == 0 {
            assert_eq!(beside.tokens, turns.tokens);
        }
    }
}
