//! In-context navigation: answers that differ from those before, because those before are in the context.
//!
//! After KeyNavi (in-context navigation of the vocabulary's key space, `KomeijiForce/KeyNavi`): tokens of middling rank are
//! look-alikes of the best, so sampling more from one distribution brings little news. The first token of each further
//! answer is what the model would put next in a list of the answers so far; the rest follows greedily from the prompt
//! itself. The vote, or the scorer, decides among them.

use goldcrest_engine::batch::{BEST, Wants};
use serde_json::{Value, json};

use super::{FormBy, Strategy};
use crate::greedy::{Draft, finish};
use crate::vote::{Ballot, Extract, tally};
use crate::{Args, DecodeError, Job, Lm};

/// Tokens of the list's row that are tried before navigation gives up.
const TRIED: usize = 100;

/// Answers by navigation.
#[derive(Clone, Debug, PartialEq)]
pub struct Icn {
    /// Answers.
    pub n: usize,
    /// Text between the prompt and the list of answers.
    pub lead: String,
    extract: Extract,
}

impl Strategy for Icn {
    const NAME: &'static str = "icn";
    const SUMMARY: &'static str = "answers that begin unlike those before, and a vote over them";
    // The list that proposes beginnings is not of the form.
    const FORM: FormBy = FormBy::Nothing;

    fn read(args: &mut Args) -> Result<Self, DecodeError> {
        let lead = args.text("lead").unwrap_or_else(|| "Here are several different answers:\n".to_owned());
        Ok(Self { n: args.count("n", 4, 1..=32)?, lead, extract: Extract::read(args, "whole")? })
    }

    async fn run<L: Lm>(&self, job: &mut Job<'_, L>) -> Result<(), DecodeError> {
        let wants = Wants { stats: true, top: BEST, ..Wants::default() };
        let (seq, first) = job.open(&wants).await?;
        let list = job.model.fork(seq)?;
        let mut lead = job.encode(&self.lead);
        let mut answers: Vec<Draft> = Vec::with_capacity(self.n);
        let mut explored: Vec<u32> = Vec::with_capacity(self.n);
        while answers.len() < self.n {
            let mut draft = Draft::new(job.model.fork(seq)?, first.clone());
            if let Some(previous) = answers.last() {
                lead.extend(job.encode(&format!("{}. ", answers.len())));
                lead.extend(previous.tokens.iter().filter(|token| !job.ends(**token)));
                lead.extend(job.encode(&format!("\n{}. ", answers.len() + 1)));
                let held = job.model.len(list)? + lead.len() + job.out.room();
                if held > job.model.shape().n_ctx as usize {
                    break;
                }
                let row = match lead.split_last() {
                    Some((last, before)) => {
                        job.model.extend(list, before, &Wants::default()).await?;
                        job.model.step(&[(list, *last)], &wants).await?.pop().unwrap_or_default()
                    }
                    None => first.clone(),
                };
                lead.clear();
                let fresh = |(token, _): &&(u32, f32)| !explored.contains(token) && !job.ends(*token);
                let Some((token, _)) = row.top(TRIED).iter().find(fresh).copied() else { break };
                draft.tokens.push(token);
                draft.logprobs.push(first.logprob(token));
                draft.row = job.model.step(&[(draft.seq, token)], &wants).await?.pop().unwrap_or_default();
            }
            let mut one = [draft];
            finish(job, &mut one, 0).await?;
            answers.extend(one);
            explored.extend(answers.last().and_then(|answer| answer.tokens.first()));
        }
        let best = self.choose(job, &answers).await?;
        let told = |draft: &Draft| json!({ "tokens": draft.tokens, "text": job.text(&draft.tokens).0 });
        let list: Vec<Value> = answers.iter().map(told).collect();
        job.report.insert("answers".into(), list.into());
        if let Some(draft) = answers.get(best) {
            job.write(&draft.tokens, &draft.logprobs).await;
        }
        Ok(())
    }
}

impl Icn {
    /// The best by the scorer, else the likeliest of those that give the answer most agree on.
    async fn choose<L: Lm>(&self, job: &mut Job<'_, L>, answers: &[Draft]) -> Result<usize, DecodeError> {
        let mean = |draft: &Draft| draft.logprobs.iter().sum::<f32>() / draft.logprobs.len().max(1) as f32;
        let mut worth = Vec::with_capacity(answers.len());
        if job.resources.scorer.is_some() {
            for draft in answers {
                worth.push(job.score(Self::NAME, &draft.tokens).await?);
            }
        } else {
            let said = |draft: &Draft| {
                let tokens: Vec<u32> =
                    draft.tokens.iter().copied().filter(|token| !job.ends(*token)).collect();
                self.extract.answer(&tokens, &job.text(&draft.tokens).0)
            };
            let ballot = |draft| Ballot { answer: said(draft), weight: 1.0, logprob: mean(draft) };
            let ballots: Vec<Ballot> = answers.iter().map(ballot).collect();
            let winner = tally(&ballots).into_iter().next().map(|tally| tally.answer);
            let share = |(draft, ballot): (&Draft, &Ballot)| {
                if ballot.answer == winner { mean(draft) } else { f32::NEG_INFINITY }
            };
            worth.extend(answers.iter().zip(&ballots).map(share));
        }
        Ok((0..worth.len()).fold(0, |best, i| if worth[i] > worth[best] { i } else { best }))
    }
}
