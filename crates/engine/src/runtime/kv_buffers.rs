//! The KV cache on the device: growth, and the moves that keys need when their positions change.

use goldcrest_gpu::{Buffer, Device, Slice, Work};
use goldcrest_kernels::ops::kv_move::{Move, move_list, move_list_bytes};
use goldcrest_model::{Config, KvLayers, Recorder};

use super::Runtime;
use crate::EngineError;
use crate::kv::{CellMove, MAX_TABLES, SeqId};

const TABLE_BYTES_PER_CELL: u64 = MAX_TABLES as u64 * 4;

/// Bytes that one cell takes in all layers and in the tables.
pub(super) fn bytes_per_cell(cfg: &Config) -> u64 {
    u64::from(cfg.n_layer) * cfg.kv_bytes_per_cell() + TABLE_BYTES_PER_CELL
}

/// Zeroed buffers for `n_cells` cells in every layer.
pub(super) fn create(device: &dyn Device, cfg: &Config, n_cells: u32) -> Result<KvLayers, EngineError> {
    check_cells(device, cfg, n_cells)?;
    let bytes = cfg.kv_bytes_per_cell() * u64::from(n_cells);
    let layer = |_| device.create_buffer("kv", bytes).map(|b| b.whole());
    let layers = (0..cfg.n_layer).map(layer).collect::<Result<_, _>>()?;
    let table = device.create_buffer("cell tables", TABLE_BYTES_PER_CELL * u64::from(n_cells))?.whole();
    Ok(KvLayers { layers, n_cells, table })
}

fn check_cells(device: &dyn Device, cfg: &Config, n_cells: u32) -> Result<(), EngineError> {
    let max = device.caps().max_binding / cfg.kv_bytes_per_cell();
    if u64::from(n_cells) > max {
        return Err(EngineError::KvTooLarge { needed: n_cells, max: u32::try_from(max).unwrap_or(u32::MAX) });
    }
    Ok(())
}

impl Runtime {
    /// Makes sure that `n` more cells are free: doubles the pool up to the context length per live sequence.
    ///
    /// Growing copies the cache once and drops the recorded plans; it happens a few times in the life of a context.
    ///
    /// # Errors
    /// [`EngineError::KvTooLarge`], [`EngineError::Gpu`]; then the cache is as it was.
    pub fn reserve(&mut self, n: u32) -> Result<(), EngineError> {
        let (free, have) = (self.pool.n_free(), self.pool.n_cells());
        if free >= n {
            return Ok(());
        }
        let needed = have + (n - free);
        let wanted = needed.max(have.saturating_mul(2)).next_multiple_of(64);
        let most = u32::try_from(self.device.caps().max_binding / self.model.config.kv_bytes_per_cell());
        let n_cells = wanted.min(most.unwrap_or(u32::MAX)).max(needed);
        check_cells(self.device.as_ref(), &self.model.config, n_cells)?;
        let table = self.device.create_buffer("cell tables", TABLE_BYTES_PER_CELL * u64::from(n_cells))?;
        self.plans.clear();
        // Layer by layer: never is more than one layer's cache there twice. If a later one fails, larger buffers for
        // the same number of cells do no harm.
        for layer in &mut self.kv.layers {
            let bytes = self.model.config.kv_bytes_per_cell() * u64::from(n_cells);
            let grown = self.device.create_buffer("kv", bytes)?;
            let copy = Work::Copy { from: layer.clone(), to: grown.slice(0, layer.size) };
            drop(self.device.submit(&[copy], &[])?);
            *layer = grown.whole();
        }
        self.kv.table = table.whole();
        self.kv.n_cells = n_cells;
        self.pool.grow(n_cells);
        self.pool.forget_tables();
        Ok(())
    }

    /// Moves the positions of entries `range` of a sequence by `delta`: keys are rotated on, shared cells copied first.
    ///
    /// # Errors
    /// [`EngineError::BadShift`] also for models without rotary positions, [`EngineError::KvFull`], [`EngineError::Gpu`].
    pub async fn rope_shift(
        &mut self,
        seq: SeqId,
        range: std::ops::Range<usize>,
        delta: i32,
    ) -> Result<(), EngineError> {
        let rotated = self.model.rotates() && delta.unsigned_abs() < self.n_ctx;
        if !rotated {
            return Err(EngineError::BadShift { delta });
        }
        self.reserve(range.len() as u32)?;
        let moves = self.pool.shift(seq, range, delta)?;
        self.run_moves(&moves).await
    }

    async fn run_moves(&mut self, moves: &[CellMove]) -> Result<(), EngineError> {
        if moves.is_empty() {
            return Ok(());
        }
        let list: Vec<Move> =
            moves.iter().map(|m| Move { src: m.from.0, dst: m.to.0, delta: m.delta, reserved: 0 }).collect();
        let buffer = self.device.create_buffer("cell moves", move_list_bytes(list.len() as u32))?;
        self.device.write(&buffer, 0, bytemuck::cast_slice(&move_list(&list)))?;
        let list: Slice<Buffer> = buffer.whole();
        let mut recorder = Recorder::new(self.targets(), 1, goldcrest_model::HeadRows::Direct);
        for il in 0..self.model.config.n_layer {
            self.model.record_moves(&mut recorder, il, &list, moves.len() as u32)?;
        }
        let plan = self.device.record(recorder.finish())?;
        self.device.submit(&[Work::all(&plan)], &[])?.await?;
        Ok(())
    }
}
