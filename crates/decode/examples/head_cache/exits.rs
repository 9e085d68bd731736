//! What early layers say of the tokens that may come, for the predictors of SpecEE.
//!
//! `exits.bin` holds one record a token whose four candidates are known: the number of its text (`u32`), and for each layer in
//! ascending order six `f32`: the candidates' logits there, whether the layer's best token is one of them, and whether it is the best
//! of the whole model.

use std::fs::File;
use std::io::{BufWriter, Write};

use goldcrest_decode::speculate::{DraftMemory, SUCCESSORS, Seen};
use goldcrest_engine::Runtime;
use goldcrest_engine::batch::{Batch, BatchRow, Place, RowResult, Source, Wants};

use super::{Fallible, Text};

/// Tokens whose logits a predictor reads.
const CANDIDATES: usize = 4;

/// The layers that are looked at, and what is known of tokens so far.
pub(super) struct Exits {
    layers: Vec<u32>,
    memory: DraftMemory,
    out: BufWriter<File>,
}

impl Exits {
    /// Before these layers, parted by commas.
    pub(super) fn new(layers: &str, out: File) -> Fallible<Self> {
        let layers = layers.split(',').map(str::parse).collect::<Result<_, _>>()?;
        Ok(Self { layers, memory: DraftMemory::default(), out: BufWriter::new(out) })
    }

    /// Runs `rows`, one of each text, and gives what the whole model says of them.
    pub(super) fn pass(
        &mut self,
        runtime: &mut Runtime,
        open: &[Text],
        mut rows: Vec<BatchRow>,
    ) -> Fallible<Vec<RowResult>> {
        let n_layer = runtime.config().n_layer;
        let candidates: Vec<Vec<u32>> = open.iter().map(|text| self.candidates(text)).collect();
        let wanted: Vec<Wants> = rows.iter().map(|row| row.wants.clone()).collect();
        let mut looks: Vec<Vec<f32>> = vec![Vec::new(); rows.len()];
        let mut bests: Vec<Vec<u32>> = vec![Vec::new(); rows.len()];
        let (mut begin, mut whole) = (0, Vec::new());
        for end in self.layers.iter().copied().chain([n_layer]) {
            for (index, row) in rows.iter_mut().enumerate() {
                row.wants = match (end == n_layer, candidates[index].len()) {
                    (true, _) => Wants { top: SUCCESSORS as u32, ..wanted[index].clone() },
                    (_, CANDIDATES) => {
                        Wants { stats: true, logits_at: candidates[index].clone(), ..Wants::default() }
                    }
                    _ => Wants::default(),
                };
                if begin > 0 {
                    row.source = Source::Kept;
                    row.place = Place::Entry(runtime.pool().sequence(row.seq)?.len() - 1);
                }
            }
            let batch = Batch { rows: rows.clone(), layers: Some(begin..end), ..Batch::default() };
            let found = pollster::block_on(runtime.forward(&batch))?.rows;
            if end == n_layer {
                whole = found;
                break;
            }
            for row in found {
                looks[row.row].extend(&row.logits_at);
                bests[row.row].push(row.stats.map_or(0, |stats| stats.argmax));
            }
            begin = end;
        }
        for (index, (text, row)) in open.iter().zip(&whole).enumerate() {
            let best = row.stats.map_or(0, |stats| stats.argmax);
            if !bests[index].is_empty() {
                self.out.write_all(&text.number.to_le_bytes())?;
            }
            for (logits, early) in looks[index].chunks_exact(CANDIDATES).zip(&bests[index]) {
                let known =
                    [candidates[index].contains(early), *early == best].map(|is| f32::from(u8::from(is)));
                logits.iter().chain(&known).try_for_each(|v| self.out.write_all(&v.to_le_bytes()))?;
            }
            self.learn(text, row);
        }
        Ok(whole)
    }

    /// As `specee` finds them: what was likely behind the last two tokens the last time, or behind the last.
    fn candidates(&self, text: &Text) -> Vec<u32> {
        let pair = self.memory.after_pair((text.before, text.next));
        let seen = if pair.len() < CANDIDATES { self.memory.after(text.next) } else { pair };
        seen.iter().take(CANDIDATES).map(|seen| seen.token).collect()
    }

    fn learn(&mut self, text: &Text, row: &RowResult) {
        let Some(stats) = row.stats else { return };
        let seen: Vec<Seen> = row
            .top
            .iter()
            .map(|(token, logit)| Seen::new(*token, (logit - stats.log_sum_exp).exp()))
            .collect();
        self.memory.remember(text.next, &seen);
        self.memory.remember_pair((text.before, text.next), &seen);
    }
}
