//! The first tokens of an answer, written by one model to see how sure it is.

use goldcrest_engine::batch::{BEST, Wants};
use goldcrest_engine::kv::SeqId;
use goldcrest_sample::Chain;

use crate::confidence::Sure;
use crate::job::choose;
use crate::strategy::continue_plainly;
use crate::{DecodeError, Job, Lm, Row};

/// The beginning of an answer that nobody has seen yet.
pub(crate) struct Probe {
    seq: SeqId,
    chain: Chain,
    /// The row behind the last token; none where the answer is whole.
    row: Option<Row>,
    tokens: Vec<u32>,
    logprobs: Vec<f32>,
    /// How sure the model was at each token.
    pub(crate) signals: Vec<f32>,
}

/// Lets a model (0 is the main one, 1 the first of the others) write up to `n` tokens; 0 is the whole answer.
pub(crate) async fn probe<L: Lm>(
    job: &mut Job<'_, L>,
    model: usize,
    n: usize,
    sure: &Sure,
) -> Result<Probe, DecodeError> {
    let wants = Wants { stats: true, top: BEST, row: true, ..Wants::default() };
    let prompt = job.prompt.clone();
    let mut chain = job.chain(0)?;
    let (seq, mut row) = job.sequences(model)?.open(&prompt, &wants).await?;
    let (mut tokens, mut logprobs, mut signals) = (Vec::new(), Vec::new(), Vec::new());
    loop {
        let (choice, logprob) = choose(&chain, &row, (prompt.len() + tokens.len()) as u32)?;
        chain.commit(&choice);
        let token = choice.id;
        signals.push(sure.of(&row.stats()));
        tokens.push(token);
        logprobs.push(logprob);
        if job.text(&tokens).1.is_some() {
            return Ok(Probe { seq, chain, row: None, tokens, logprobs, signals });
        }
        row = job.sequences(model)?.step(&[(seq, token)], &wants).await?.pop().unwrap_or_default();
        if tokens.len() == n {
            return Ok(Probe { seq, chain, row: Some(row), tokens, logprobs, signals });
        }
    }
}

impl Probe {
    /// The mean of the signals.
    pub(crate) fn mean(&self) -> f32 {
        self.signals.iter().sum::<f32>() / self.signals.len().max(1) as f32
    }

    /// Tokens of the beginning.
    pub(crate) const fn len(&self) -> usize {
        self.tokens.len()
    }

    /// Shows the beginning and lets its model write the rest.
    pub(crate) async fn go_on<L: Lm>(self, job: &mut Job<'_, L>, model: usize) -> Result<(), DecodeError> {
        job.write(&self.tokens, &self.logprobs).await;
        match self.row {
            Some(row) if job.out.room() > 0 => continue_plainly(job, model, self.seq, row, self.chain).await,
            _ => Ok(()),
        }
    }
}
