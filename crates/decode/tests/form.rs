//! Speculation under a constraint: the tokens of decoding one by one with the same masks, in fewer passes.
#![allow(clippy::unwrap_used, reason = "tests fail loudly")]

mod common;

use common::{ask, sampled};
use goldcrest_decode::speculate::Speculate;
use goldcrest_decode::{Ask, Lm, Outcome, Resources, TableLm, decode_among, decode_with};
use goldcrest_engine::Finish;
use goldcrest_sample::{Candidates, Constraint, ConstraintError, SamplerParams, TokenMask};

/// Tokens of the table.
const N: u32 = 8;

/// Neighbours differ by no multiple of three, behind a 4 come 1 and 6, and a 7 is the end where at least `least` tokens stand.
#[derive(Clone, Debug)]
struct Steps {
    tokens: Vec<u32>,
    least: usize,
}

impl Steps {
    fn new(least: usize) -> Self {
        Self { tokens: Vec::new(), least }
    }

    fn may(&self, token: u32) -> bool {
        match self.tokens[..] {
            [.., 7] => false,
            [.., 4] => token == 1,
            [.., 4, 1] => token == 6,
            [.., last] if token != 7 => last.abs_diff(token) % 3 != 0,
            _ => token != 7 || self.tokens.len() >= self.least,
        }
    }
}

impl Constraint for Steps {
    fn mask(&mut self) -> Result<TokenMask, ConstraintError> {
        let mut mask = TokenMask::none(N);
        (0..N).filter(|token| self.may(*token)).for_each(|token| mask.allow(token));
        Ok(mask)
    }

    fn commit(&mut self, token: u32) -> Result<(), ConstraintError> {
        if !self.may(token) {
            return Err(ConstraintError::Refused { token, at: self.tokens.len() });
        }
        self.tokens.push(token);
        Ok(())
    }

    fn rollback(&mut self, n: usize) -> Result<(), ConstraintError> {
        self.tokens.truncate(self.tokens.len() - n);
        Ok(())
    }

    fn forced(&mut self) -> Result<Vec<u32>, ConstraintError> {
        Ok(match self.tokens[..] {
            [.., 4] => vec![1, 6],
            [.., 4, 1] => vec![6],
            _ => Vec::new(),
        })
    }

    fn is_accepting(&mut self) -> Result<bool, ConstraintError> {
        Ok(self.may(7))
    }

    fn is_over(&self) -> bool {
        self.tokens.last() == Some(&7)
    }

    fn fork(&self) -> Box<dyn Constraint> {
        Box::new(self.clone())
    }
}

/// What follows depends on the last two tokens, and on how many there are.
fn logits(context: &[u32]) -> Vec<f32> {
    let at = |back: usize| context.len().checked_sub(back).map_or(0, |i| context[i]);
    let mix = |id: u32| (at(1) * 7 + at(2) * 3 + id * id * 5 + context.len() as u32 / 9) % 11;
    (0..N).map(|id| mix(id) as f32 / 3.0).collect()
}

fn table() -> TableLm {
    TableLm::new(N, logits)
}

/// One token after another, by the masks and tokens without alternative.
fn one_by_one(prompt: &[u32], sampler: &SamplerParams, n: usize, least: usize) -> Vec<u32> {
    let mut chain = sampler.to_chain().unwrap().fork(0);
    let (mut form, mut all) = (Steps::new(least), prompt.to_vec());
    prompt.iter().for_each(|token| chain.accept(*token));
    while all.len() < prompt.len() + n && !form.is_over() {
        let token = match form.forced().unwrap().first() {
            Some(token) => {
                chain.accept(*token);
                *token
            }
            None => {
                let mask = form.mask().unwrap();
                let mut row = Candidates::from_row_masked(&logits(&all), mask.words()).unwrap();
                let choice = chain.choose(&mut row, all.len() as u32).unwrap();
                chain.commit(&choice);
                choice.id
            }
        };
        form.commit(token).unwrap();
        all.push(token);
    }
    all.split_off(prompt.len())
}

fn outcome_of(model: &mut TableLm, ask: Ask, spec: &str) -> Outcome {
    pollster::block_on(decode_with(model, ask, &Speculate::parse(spec).unwrap())).unwrap()
}

fn held(ask: Ask, least: usize) -> Ask {
    let resources = Resources { constraint: Some(Box::new(Steps::new(least))), ..Resources::default() };
    Ask { resources, ..ask }
}

#[test]
fn every_seed_has_the_answer_that_masks_alone_give() {
    let mut seen = [0; 2];
    for name in ["auto", "recycling", "suffix", "copyspec", "pld", "aded", "lookahead"] {
        for plan in [true, false] {
            for seed in 0..20 {
                let greedy = if seed == 0 { ask(40) } else { sampled(40, seed) };
                let (prompt, sampler) = (greedy.prompt.clone(), greedy.sampler.clone());
                for least in [5, 100] {
                    let want = one_by_one(&prompt, &sampler, 40, least);
                    let ask = Ask { sampler: sampler.clone(), prompt: prompt.clone(), ..ask(40) };
                    let mut model = table();
                    let got = outcome_of(&mut model, held(ask, least), &format!("{name}:plan={plan}"));
                    assert_eq!(got.tokens, want, "{name}, plan={plan}, seed {seed}, {least}");
                    let over = want.last() == Some(&7) && want.len() < 40;
                    assert_eq!(got.finish == Some(Finish::GrammarEnd), over, "{:?}", got.finish);
                    assert_eq!(model.pool().n_free(), model.pool().n_cells());
                    seen[usize::from(over)] += 1;
                }
            }
        }
    }
    assert!(seen.iter().all(|n| *n > 50), "both ends came: {seen:?}");
}

#[test]
fn tokens_without_alternative_cost_no_pass() {
    // Two in three tokens of this form are forced, and nothing else can be guessed of the first request.
    let mut model = TableLm::new(N, |_| (0..N).map(|id| f32::from(u8::from(id == 4))).collect());
    let got = outcome_of(&mut model, held(Ask::new(vec![0]), 100), "suffix:rows=1");
    assert_eq!(&got.tokens[..7], [4, 1, 6, 4, 1, 6, 4]);
    assert!(got.report["passes"].as_u64().unwrap() <= 23, "{:?}", got.report);
}

#[test]
fn drafts_keep_to_the_form() {
    for spec in ["draft:tokens=4,plan=false", "dyspec:plan=false", "rsd_s:plan=false", "jacobi:plan=false"] {
        for seed in 0..30 {
            let (mut model, mut twin) = (table(), table());
            let ask = if seed == 0 { ask(40) } else { sampled(40, seed) };
            let (prompt, greedy) = (ask.prompt.clone(), seed == 0);
            let method = Speculate::parse(spec).unwrap();
            let got = decode_among(&mut model, vec![&mut twin], held(ask, 100), &method);
            let got = pollster::block_on(got).unwrap();
            let mut form = Steps::new(100);
            got.tokens.iter().for_each(|token| form.commit(*token).unwrap());
            assert_eq!(got.tokens.len(), 40, "{spec}, seed {seed}");
            let tau = got.report["speculation"]["tau"].as_f64().unwrap();
            assert!(
                !spec.starts_with("draft") || tau > 4.0,
                "its twin is always right under the same form: {tau}"
            );
            assert!(
                !greedy || got.tokens == one_by_one(&prompt, &SamplerParams::greedy(), 40, 100),
                "{spec}"
            );
        }
    }
}
