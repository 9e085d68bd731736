//! Feed-forward blocks that several architectures share.

use goldcrest_gpu::Buffer;
use goldcrest_kernels::ops::matmul::Matrix;

use crate::rows::Rows;
use crate::{Config, Linear, Loader, ModelError, WeightSource};

/// `down(act(gate(x)) * up(x))`; gate and up rows take turns in one matrix.
#[derive(Debug)]
pub(crate) struct GatedFfn {
    pub(crate) gate_up: Matrix<Buffer>,
    pub(crate) down: Linear,
}

impl GatedFfn {
    pub(crate) async fn load<S: WeightSource>(
        loader: &mut Loader<'_, S>,
        cfg: &Config,
        il: u32,
    ) -> Result<Self, ModelError> {
        let names = (&*format!("blk.{il}.ffn_gate.weight"), &*format!("blk.{il}.ffn_up.weight"));
        let rows = Rows::gated(loader.gguf, names, cfg.n_embd, cfg.n_ff, 0)?;
        Self::with_gate_up(loader, cfg, il, &rows).await
    }

    /// From a file that holds the gate rows and then the up rows in one tensor `ffn_up`.
    pub(crate) async fn load_fused<S: WeightSource>(
        loader: &mut Loader<'_, S>,
        cfg: &Config,
        il: u32,
    ) -> Result<Self, ModelError> {
        let rows = Rows::gated_fused(loader.gguf, &format!("blk.{il}.ffn_up.weight"), cfg.n_embd, cfg.n_ff)?;
        Self::with_gate_up(loader, cfg, il, &rows).await
    }

    async fn with_gate_up<S: WeightSource>(
        loader: &mut Loader<'_, S>,
        cfg: &Config,
        il: u32,
        rows: &Rows<'_>,
    ) -> Result<Self, ModelError> {
        let gate_up = loader.matrix(rows).await?;
        let down = loader.linear(&[(format!("blk.{il}.ffn_down"), cfg.n_embd)], cfg.n_ff).await?;
        Ok(Self { gate_up, down })
    }
}

/// A router and its experts, each a gated feed-forward block.
#[derive(Debug)]
pub(crate) struct Experts {
    pub(crate) router: Linear,
    pub(crate) gate_up: Matrix<Buffer>,
    pub(crate) down: Matrix<Buffer>,
    /// Whether the weights of the chosen experts are scaled to sum to one.
    pub(crate) norm_weights: bool,
}

impl Experts {
    pub(crate) async fn load<S: WeightSource>(
        loader: &mut Loader<'_, S>,
        cfg: &Config,
        il: u32,
        norm_weights: bool,
    ) -> Result<Self, ModelError> {
        let name = |part: &str| format!("blk.{il}.ffn_{part}_exps.weight");
        let (gate, up) = (name("gate"), name("up"));
        let gate_up = Rows::gated(loader.gguf, (&gate, &up), cfg.n_embd, cfg.n_ff, cfg.n_expert)?;
        let down = Rows::experts(loader.gguf, &name("down"), cfg.n_ff, cfg.n_embd, cfg.n_expert)?;
        let router = loader.linear(&[(format!("blk.{il}.ffn_gate_inp"), cfg.n_expert)], cfg.n_embd).await?;
        Ok(Self {
            router,
            gate_up: loader.matrix(&gate_up).await?,
            down: loader.matrix(&down).await?,
            norm_weights,
        })
    }
}
