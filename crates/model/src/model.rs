//! A loaded model: weights on the device, and how its parts are recorded.

use std::collections::BTreeSet;
use std::rc::Rc;

use goldcrest_gguf::Gguf;
use goldcrest_gpu::{Buffer, Device, Slice};
use goldcrest_kernels::ops::matmul::Matrix;

use crate::arch::Layers;
use crate::config::{RopeConfig, RopeScaling};
use crate::recorder::{LayerNorm, Recorder};
use crate::rope::{self, RopeFactors};
use crate::rows::{Rows, require};
use crate::stream::read_values;
use crate::{Allocator, Arch, Config, ModelError, WeightSource, Weights};

/// Weights on a device.
pub struct Model {
    /// Hyper-parameters.
    pub config: Config,
    /// Re-encodings that loading made, one sentence each.
    pub notes: Vec<String>,
    token_embd: Matrix<Buffer>,
    position_embd: Option<Matrix<Buffer>>,
    output_norm: OutputNorm,
    /// None where the embedding serves as the head.
    output: Option<Matrix<Buffer>>,
    layers: Layers,
    factors: RopeFactors,
}

enum OutputNorm {
    Rms(Slice<Buffer>),
    Layer(LayerNorm),
}

/// Tables of angles for one context length.
#[derive(Debug)]
pub struct RopeTables {
    /// For layers that see everything.
    pub full: Slice<Buffer>,
    /// For sliding-window layers, where they have a base of their own.
    pub sliding: Slice<Buffer>,
    /// Positions covered.
    pub n_pos: u32,
}

impl RopeTables {
    /// Bytes that tables for positions `0..n_ctx` take.
    #[must_use]
    pub fn bytes(cfg: &Config, n_ctx: u32) -> u64 {
        let table = goldcrest_gpu::buffer_bytes(u64::from(n_ctx) * u64::from(cfg.rope.n_rot) * 4);
        if sliding_rope(cfg).is_some() { 2 * table } else { table }
    }
}

/// Base of the angles in sliding-window layers of Gemma 3.
const GEMMA3_SLIDING_BASE: f32 = 10_000.0;

impl Model {
    /// Checks hyper-parameters and shapes and makes all buffers. What comes back with the model fills them.
    ///
    /// `wide` names tensors that have to be whole floats because [`Weights::stream`] said so.
    ///
    /// # Errors
    /// Any [`ModelError`]; buffers made so far are freed.
    pub async fn allocate<'a, S: WeightSource>(
        gguf: &'a Gguf,
        device: &'a dyn Device,
        source: &mut S,
        wide: &'a BTreeSet<String>,
    ) -> Result<(Self, Weights<'a>), ModelError> {
        let config = Config::from_gguf(gguf)?;
        let mut a = Allocator::new(gguf, device, wide);
        let (n_vocab, n_embd) = (config.n_vocab, config.n_embd);
        let token_embd = a.matrix(Rows::whole(gguf, "token_embd.weight", n_embd, n_vocab)?)?;
        let position_embd = match config.arch {
            Arch::Gpt2 => {
                Some(a.matrix(Rows::whole(gguf, "position_embd.weight", n_embd, config.n_ctx_train)?)?)
            }
            _ => None,
        };
        let layers = Layers::allocate(&mut a, &config)?;
        let output_norm = match config.arch {
            Arch::Gpt2 => OutputNorm::Layer(a.layer_norm("output_norm", n_embd)?),
            _ => OutputNorm::Rms(a.vector("output_norm.weight", n_embd)?),
        };
        let output = match a.has("output.weight") {
            true => Some(a.matrix(Rows::whole(gguf, "output.weight", n_embd, n_vocab)?)?),
            false => None,
        };
        let Allocator { jobs, notes, .. } = a;
        let factors = load_factors(gguf, source, &config).await?;
        let model = Self { config, notes, token_embd, position_embd, output_norm, output, layers, factors };
        Ok((model, Weights::new(gguf, jobs)))
    }

    /// Allocates a model and streams its weights to the device, reporting (done, total) bytes.
    ///
    /// # Errors
    /// Any [`ModelError`]; buffers made so far are freed.
    pub async fn load<S: WeightSource>(
        gguf: &Gguf,
        device: &Rc<dyn Device>,
        source: &mut S,
        progress: &mut dyn FnMut(u64, u64),
    ) -> Result<Self, ModelError> {
        let mut wide = BTreeSet::new();
        loop {
            let (model, weights) = Self::allocate(gguf, device.as_ref(), source, &wide).await?;
            match weights.stream(device.as_ref(), source, progress).await {
                Ok(()) => return Ok(model),
                Err(ModelError::Inexact { tensor }) if !wide.contains(&tensor) => wide.insert(tensor),
                Err(error) => return Err(error),
            };
        }
    }

    /// Tables of angles for positions `0..n_ctx`.
    ///
    /// # Errors
    /// [`ModelError::Gpu`].
    pub fn rope_tables(&self, device: &dyn Device, n_ctx: u32) -> Result<RopeTables, ModelError> {
        let upload = |rope: &RopeConfig| -> Result<Slice<Buffer>, ModelError> {
            let table = rope::table(rope, &self.factors, n_ctx);
            let buffer = device.create_buffer("rope table", table.len() as u64 * 4)?;
            device.write(&buffer, 0, bytemuck::cast_slice(&table))?;
            Ok(buffer.whole())
        };
        let full = upload(&self.config.rope)?;
        let sliding = sliding_rope(&self.config).map_or_else(|| Ok(full.clone()), |rope| upload(&rope))?;
        Ok(RopeTables { full, sliding, n_pos: n_ctx })
    }

    /// Records the rows of the step into the residual stream.
    ///
    /// # Errors
    /// [`ModelError::Shape`].
    pub fn record_embed(&self, r: &mut Recorder<'_>) -> Result<(), ModelError> {
        // Gemma multiplies its embeddings by √n_embd, which its files leave to the runtime.
        let scale = match self.config.arch {
            Arch::Gemma2 | Arch::Gemma3 => (self.config.n_embd as f32).sqrt(),
            _ => 1.0,
        };
        r.embed(&self.token_embd, scale)?;
        self.position_embd.as_ref().map_or(Ok(()), |m| r.add_position_embd(m))
    }

    /// Records the embeddings of the step's tokens as the file has them.
    ///
    /// # Errors
    /// [`ModelError::Shape`].
    pub fn record_token_rows(&self, r: &mut Recorder<'_>) -> Result<(), ModelError> {
        r.embed(&self.token_embd, 1.0)
    }

    /// Whether the embedding table is also the head.
    #[must_use]
    pub const fn ties_embeddings(&self) -> bool {
        self.output.is_none()
    }

    /// Records layer `il`.
    ///
    /// # Errors
    /// [`ModelError::Shape`].
    pub fn record_layer(&self, r: &mut Recorder<'_>, il: u32) -> Result<(), ModelError> {
        self.layers.record(r, il)
    }

    /// Whether positions are rotations, so that keys can be moved to other positions.
    #[must_use]
    pub const fn rotates(&self) -> bool {
        self.config.arch.pairing().is_some()
    }

    /// Records the moves of cells in layer `il`; see `kv_move`.
    ///
    /// # Errors
    /// [`ModelError::Shape`].
    pub fn record_moves(
        &self,
        r: &mut Recorder<'_>,
        il: u32,
        list: &Slice<Buffer>,
        n: u32,
    ) -> Result<(), ModelError> {
        r.move_cells(il, list, n)
    }

    /// Records final norm and head over the wanted rows.
    ///
    /// # Errors
    /// [`ModelError::Shape`].
    pub fn record_head(&self, r: &mut Recorder<'_>) -> Result<(), ModelError> {
        let output = self.output.as_ref().unwrap_or(&self.token_embd);
        match &self.output_norm {
            OutputNorm::Rms(weight) => r.head(weight, output),
            OutputNorm::Layer(norm) => r.layer_norm_head(norm, output),
        }
    }
}

/// The angles of sliding-window layers where they differ from those of the others.
fn sliding_rope(cfg: &Config) -> Option<RopeConfig> {
    let differs = cfg.arch == Arch::Gemma3;
    let (freq_base, scaling) = (GEMMA3_SLIDING_BASE, RopeScaling::None);
    differs.then(|| RopeConfig { freq_base, scaling, ..cfg.rope.clone() })
}

async fn load_factors<S: WeightSource>(
    gguf: &Gguf,
    source: &mut S,
    cfg: &Config,
) -> Result<RopeFactors, ModelError> {
    let mut factors = RopeFactors::default();
    let shape = [u64::from(cfg.rope.n_rot / 2)];
    for name in ["rope_freqs.weight", "rope_factors_short.weight", "rope_factors_long.weight"] {
        if gguf.tensors.get(name).is_none() {
            continue;
        }
        let values = read_values(gguf, source, require(gguf, name, &shape)?).await?;
        match name {
            "rope_factors_long.weight" => factors.long = values,
            _ => factors.short = values,
        }
    }
    Ok(factors)
}
