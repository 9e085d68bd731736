//! Rows of the embedding table, for what computes with them on the host.

use bytemuck::Zeroable;
use goldcrest_gpu::Work;
use goldcrest_kernels::step::{Header, MAX_ROWS, Row};
use goldcrest_model::{HeadRows, Recorder};

use super::Runtime;
use crate::EngineError;

impl Runtime {
    /// The embeddings of tokens as the model's file has them, without the scaling of some architectures:
    /// `[tokens][n_embd]`. No sequence is touched.
    ///
    /// # Errors
    /// [`EngineError::BadToken`], [`EngineError::Gpu`].
    pub async fn embeddings(&mut self, tokens: &[u32]) -> Result<Vec<f32>, EngineError> {
        let (n_vocab, n_embd) = (self.model.config.n_vocab, u64::from(self.model.config.n_embd));
        if let Some(token) = tokens.iter().find(|token| **token >= n_vocab) {
            return Err(EngineError::BadToken { token: *token, n_vocab });
        }
        let most = tokens.len().min(MAX_ROWS);
        let mut r = Recorder::new(self.targets(), most as u32, HeadRows::Direct);
        self.model.record_token_rows(&mut r)?;
        let plan = self.device.record(r.finish())?;
        let mut found = Vec::with_capacity(tokens.len() * n_embd as usize);
        for chunk in tokens.chunks(MAX_ROWS) {
            let words: Vec<Row> = chunk.iter().map(|token| Row { token: *token, ..Row::zeroed() }).collect();
            self.write_step(Header { n_rows: chunk.len() as u32, ..Header::default() }, &[], &words)?;
            let x = &self.scratch.x;
            let read = x.buffer.slice(x.offset, chunk.len() as u64 * n_embd * 4);
            for part in self.device.submit(&[Work::all(&plan)], &[read])?.await? {
                found.extend(part.as_chunks::<4>().0.iter().map(|b| f32::from_le_bytes(*b)));
            }
        }
        Ok(found)
    }

    /// Whether the embedding table is also what turns the last hidden row into logits.
    #[must_use]
    pub const fn ties_embeddings(&self) -> bool {
        self.model.ties_embeddings()
    }
}
