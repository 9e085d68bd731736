//! Several sources of rows that are fed the same tokens, and one answer drawn from the mixture of their rows.

use goldcrest_engine::batch::Wants;
use goldcrest_engine::kv::SeqId;

use crate::job::choose;
use crate::{DecodeError, Job, Lm, Row};

/// What is fed beside the prompt.
#[derive(Clone, Debug, Default)]
pub(crate) struct Feeds {
    /// Layers before which the model's row is read too, in ascending order.
    pub(crate) exits: Vec<u32>,
    /// Prompts of the same model, in a batch with the first.
    pub(crate) references: Vec<Vec<u32>>,
    /// The further model at the same prompt, and the layers at which its row is read.
    pub(crate) other: Option<Vec<u32>>,
}

/// Logits of one step.
pub(crate) struct Rows {
    /// The model at the prompt.
    pub(crate) base: Row,
    /// The same at [`Feeds::exits`].
    pub(crate) early: Vec<Row>,
    /// The model at [`Feeds::references`].
    pub(crate) references: Vec<Row>,
    /// The further model: at its exits, then at its end.
    pub(crate) other: Vec<Row>,
}

/// Draws the answer from what `mixed` makes of the rows of each step; its first argument counts the tokens so far.
pub(crate) async fn run<L: Lm>(
    job: &mut Job<'_, L>,
    feeds: Feeds,
    mut mixed: impl FnMut(usize, &Rows) -> Vec<f32>,
) -> Result<(), DecodeError> {
    let wants = Wants { stats: true, row: true, ..Wants::default() };
    let prompt = job.prompt.clone();
    let mut chain = job.chain(0)?;
    let (seq, early, base) = open(&mut job.model, &prompt, &feeds.exits, &wants).await?;
    let mut rows = Rows { base, early, references: Vec::new(), other: Vec::new() };
    let mut seqs = Vec::new();
    for reference in &feeds.references {
        let (seq, row) = job.model.open(reference, &wants).await?;
        seqs.push(seq);
        rows.references.push(row);
    }
    let mut their_seq = None;
    if let (Some(exits), Some(theirs)) = (&feeds.other, job.others.first_mut()) {
        let (seq, early, last) = open(theirs, &prompt, exits, &wants).await?;
        their_seq = Some(seq);
        rows.other = early.into_iter().chain([last]).collect();
    }
    loop {
        let written = job.out.tokens().len();
        let row = Row::mixed(mixed(written, &rows), &rows.base);
        let (choice, logprob) = choose(&chain, &row, (prompt.len() + written) as u32)?;
        chain.commit(&choice);
        let token = choice.id;
        if !job.out.push(token, logprob).await {
            break;
        }
        if feeds.exits.is_empty() {
            let inputs: Vec<(SeqId, u32)> = [seq].iter().chain(&seqs).map(|seq| (*seq, token)).collect();
            let mut stepped = job.model.step(&inputs, &wants).await?.into_iter();
            rows.base = stepped.next().unwrap_or_default();
            rows.references = stepped.collect();
        } else {
            (rows.early, rows.base) = job.model.step_through(seq, token, &feeds.exits, &wants).await?;
            if !seqs.is_empty() {
                let inputs: Vec<(SeqId, u32)> = seqs.iter().map(|seq| (*seq, token)).collect();
                rows.references = job.model.step(&inputs, &wants).await?;
            }
        }
        if let (Some(seq), Some(exits), Some(theirs)) = (their_seq, &feeds.other, job.others.first_mut()) {
            let (early, last) = theirs.step_through(seq, token, exits, &wants).await?;
            rows.other = early.into_iter().chain([last]).collect();
        }
    }
    let held = prompt.iter().chain(job.out.tokens()).copied().take(job.model.len(seq)?).collect();
    job.keep(seq, held);
    Ok(())
}

async fn open<L: Lm>(
    model: &mut crate::Sequences<'_, L>,
    prompt: &[u32],
    exits: &[u32],
    wants: &Wants,
) -> Result<(SeqId, Vec<Row>, Row), DecodeError> {
    let Some((last, before)) = prompt.split_last().filter(|_| !exits.is_empty()) else {
        let (seq, row) = model.open(prompt, wants).await?;
        return Ok((seq, Vec::new(), row));
    };
    let seq = model.prefilled(before).await?;
    let (early, row) = model.step_through(seq, *last, exits, wants).await?;
    Ok((seq, early, row))
}
