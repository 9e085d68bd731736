//! What holds for any drafter: a bad one changes nothing, a wrong one costs nothing but rows, an oracle is taken whole.

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests fail loudly")]

    use std::rc::Rc;

    use goldcrest_engine::{AnswerText, Finish};
    use goldcrest_sample::{Purpose, SamplerParams, uniform};

    use crate::sequences::Wire;
    use crate::speculate::drafter::{Limit, Lookup, Pace, assist};
    use crate::speculate::lenient::Lenience;
    use crate::speculate::rates::Rates;
    use crate::speculate::tree::Tree;
    use crate::writer::Writer;
    use crate::{Ask, Job, Lm, Method, Outcome, Sequences, TableLm, decode_with};

    /// Six tokens; what follows depends on the last two, and on how many there are.
    fn order_two() -> TableLm {
        TableLm::new(6, |context| {
            let at = |back: usize| context.len().checked_sub(back).map_or(0, |i| context[i]);
            (0..6)
                .map(|id| ((at(1) * 7 + at(2) * 3 + id * id + context.len() as u32) % 11) as f32 / 3.0)
                .collect()
        })
    }

    fn ask(sampler: SamplerParams, max_tokens: usize) -> Ask {
        Ask { max_tokens, sampler, ..Ask::new(vec![0, 3]) }
    }

    /// Runs a drafter and gives the outcome with the tokens that the kept sequence's cells hold.
    fn drafted(model: &mut TableLm, ask: Ask, rows: usize, mut drafter: impl Lookup) -> (Outcome, Vec<u32>) {
        let answer = || AnswerText::without_text(vec![5]).unwrap();
        let wire = Rc::new(Wire::default());
        let out = Writer::new(answer(), ask.max_tokens, Rc::clone(&wire));
        let mut job = Job::new(ask, Sequences::new(model, wire, None), answer(), out);
        pollster::block_on(assist(
            &mut job,
            "oracle",
            (Pace { rows, plan: false }, Lenience::Exact),
            &mut drafter,
        ))
        .unwrap();
        let (outcome, kept) = job.finish();
        let (seq, named) = kept.unwrap();
        let held = model.tokens(seq).unwrap();
        assert_eq!(held, named, "the cells hold what is said of them");
        model.pool_mut().free(seq).unwrap();
        assert_eq!(model.pool().n_free(), model.pool().n_cells());
        (outcome, held)
    }

    fn plain(ask: Ask) -> Vec<u32> {
        let ask = Ask { answer: Some(AnswerText::without_text(vec![5]).unwrap()), ..ask };
        pollster::block_on(decode_with(&mut order_two(), ask, &Method::parse("sample").unwrap()))
            .unwrap()
            .tokens
    }

    /// Guesses at random: a tree of random shape.
    struct Random {
        thrown: u32,
    }

    impl Random {
        fn below(&mut self, n: usize) -> usize {
            self.thrown += 1;
            (uniform(9, 0, self.thrown, Purpose::Policy) * n as f32) as usize
        }
    }

    impl Lookup for Random {
        fn propose(&mut self, tokens: &[u32], _: &Rates, limit: Limit) -> Tree {
            let mut tree = Tree::new(tokens[tokens.len() - 1]);
            for _ in 0..self.below(16) {
                let parent = self.below(tree.nodes().len());
                if tree.rows() < limit.rows && tree.nodes()[parent].depth < limit.depth {
                    let token = self.below(6) as u32;
                    tree.add(parent, token, 0, 0.9);
                }
            }
            tree
        }
    }

    /// Guesses from a text: right, or with every token changed.
    struct Told {
        text: Vec<u32>,
        shift: u32,
    }

    impl Lookup for Told {
        fn propose(&mut self, tokens: &[u32], _: &Rates, limit: Limit) -> Tree {
            let mut tree = Tree::new(tokens[tokens.len() - 1]);
            let (next, mut at) = (tokens.len() - 2, 0);
            for token in self.text.iter().skip(next).take(limit.depth.min(limit.rows - 1)) {
                at = tree.add(at, (token + self.shift) % 6, 0, 1.0);
            }
            tree
        }
    }

    fn samplers() -> Vec<SamplerParams> {
        let seeds = (0..12).map(|seed| SamplerParams { seed, ..SamplerParams::neutral() });
        let penalised = (0..4).map(|seed| SamplerParams {
            seed,
            repeat_penalty: 1.3,
            top_k: 3,
            ..SamplerParams::default()
        });
        // The device draws these.
        let cut = (0..4).map(|seed| SamplerParams { seed, top_k: 4, top_p: 0.9, ..SamplerParams::neutral() });
        let steered = SamplerParams { mirostat: 2, mirostat_tau: 2.0, ..SamplerParams::neutral() };
        [SamplerParams::greedy()]
            .into_iter()
            .chain(seeds)
            .chain(penalised)
            .chain(cut)
            .chain([steered])
            .collect()
    }

    #[test]
    fn a_random_drafter_changes_nothing() {
        for sampler in samplers() {
            if sampler.mirostat > 0 {
                continue;
            }
            let want = plain(ask(sampler.clone(), 24));
            let (got, held) = drafted(&mut order_two(), ask(sampler.clone(), 24), 64, Random { thrown: 0 });
            assert_eq!(got.tokens, want, "{sampler:?}");
            let all: Vec<u32> = [0, 3].into_iter().chain(want).collect();
            assert_eq!(held, all[..held.len()]);
        }
    }

    #[test]
    fn a_drafter_that_is_always_wrong_gives_one_token_a_pass_and_an_oracle_all_it_may() {
        for sampler in samplers() {
            let (text, _) = drafted(&mut order_two(), ask(sampler.clone(), 61), 1, Random { thrown: 0 });
            let text = text.tokens;
            if text.len() < 61 {
                continue;
            }
            let wrong = Told { text: text.clone(), shift: 1 };
            let (got, _) = drafted(&mut order_two(), ask(sampler.clone(), 61), 5, wrong);
            assert_eq!(got.tokens, text);
            assert_eq!(got.report["speculation"]["tau"], 1.0);
            let right = Told { text: text.clone(), shift: 0 };
            let (got, _) = drafted(&mut order_two(), ask(sampler.clone(), 61), 5, right);
            assert_eq!(got.tokens, text);
            // The first token is the prompt's; then 12 passes of 4 + 1.
            assert_eq!(got.report["speculation"]["tau"], 5.0);
            assert_eq!(
                got.report["speculation"]["accepted_histogram"].as_array().unwrap().last().unwrap(),
                12
            );
        }
    }

    #[test]
    fn an_end_within_an_accepted_run_ends_it_there() {
        let mut seen = [0; 2];
        for seed in 0..60 {
            let sampler = SamplerParams { seed, ..SamplerParams::neutral() };
            for max_tokens in 1..9 {
                let want = plain(ask(sampler.clone(), max_tokens));
                let told = Told { text: [want.clone(), vec![1; 8]].concat(), shift: 0 };
                let (got, held) = drafted(&mut order_two(), ask(sampler.clone(), max_tokens), 6, told);
                assert_eq!(got.tokens, want, "seed {seed}, {max_tokens}");
                assert!(held.len() <= 2 + want.len());
                seen[usize::from(got.finish == Some(Finish::Stop))] += 1;
            }
        }
        assert!(seen.iter().all(|n| *n > 20), "both ends came: {seen:?}");
    }
}
