//! Masks of allowed tokens on their way to the device.

use goldcrest_kernels::ops::mask_logits::mask_bytes;
use goldcrest_sample::TokenMask;

use super::Runtime;
use crate::EngineError;
use crate::batch::{Batch, StepResult};

/// Makes a mask; called once.
pub(super) type LateMask<'m> = &'m mut dyn FnMut() -> Result<TokenMask, EngineError>;

impl Runtime {
    /// Runs a batch in which one row wants something. The device runs the layers while `mask` makes the mask of that row,
    /// which is then applied on the device before anything is reduced or read.
    ///
    /// # Errors
    /// As [`Runtime::forward`], and what `mask` fails with; sequences are then as before.
    pub async fn forward_masked(
        &mut self,
        batch: &Batch,
        mask: &mut dyn FnMut() -> Result<TokenMask, EngineError>,
    ) -> Result<StepResult, EngineError> {
        if batch.rows.iter().filter(|row| !row.wants.is_none()).count() != 1 {
            return Err(EngineError::BadBatch { reason: "a mask that comes late serves one row" });
        }
        self.forward_late(batch, Some(mask)).await
    }

    /// Writes the masks of wanted rows; a row without one may be any token.
    pub(super) fn write_masks(&self, masks: &[Option<&TokenMask>]) -> Result<(), EngineError> {
        let n_word = (mask_bytes(self.model.config.n_vocab) / 4) as usize;
        let mut words: Vec<u32> = Vec::with_capacity(masks.len() * n_word);
        for mask in masks {
            let start = words.len();
            match mask {
                // A tokenizer may know fewer tokens than the model has rows, never more that count.
                Some(mask) => words.extend(mask.words().iter().take(n_word)),
                None => words.resize(start + n_word, u32::MAX),
            }
            words.resize(start + n_word, 0);
        }
        self.device.write(&self.logits.allowed.buffer, 0, bytemuck::cast_slice(&words))?;
        Ok(())
    }
}
