//! Which rows of which tensors make up a matrix on the device, in groups of eight.

use goldcrest_gguf::{Gguf, TensorInfo};
use goldcrest_kernels::ROWS_PER_GROUP;

use crate::ModelError;

/// Rows of one weight matrix: fused matrices take them from several tensors or from several places of one.
#[derive(Clone, Debug)]
pub(crate) struct Rows<'a> {
    /// The tensors that are read from.
    pub(crate) tensors: Vec<&'a TensorInfo>,
    /// For every group of eight weight rows: the tensor, and its first row.
    pub(crate) groups: Vec<(usize, u64)>,
    /// Outputs of the matrix, or of one of its experts.
    pub(crate) n_rows: u32,
    /// Experts; 1 in a dense matrix.
    pub(crate) experts: u32,
    /// Whether groups of gate and up rows take turns, two for every eight outputs.
    pub(crate) glu: bool,
    /// Length of a row.
    pub(crate) k: u32,
}

const GROUP: u64 = ROWS_PER_GROUP as u64;

impl<'a> Rows<'a> {
    /// All rows of one tensor of shape `[k, n]`.
    pub(crate) fn whole(gguf: &'a Gguf, name: &str, k: u32, n_rows: u32) -> Result<Self, ModelError> {
        let tensor = require(gguf, name, &[u64::from(k), u64::from(n_rows)])?;
        let groups = (0..u64::from(n_rows).div_ceil(GROUP)).map(|g| (0, g * GROUP)).collect();
        Ok(Self { tensors: vec![tensor], groups, n_rows, experts: 1, glu: false, k })
    }

    /// The rows of `self`, then those of `next`; only if both have the same type and `self` needs no padding.
    pub(crate) fn then(mut self, next: &Self) -> Result<Self, Self> {
        let same_type = self.tensors.iter().chain(&next.tensors).all(|t| t.ty == self.tensors[0].ty);
        if !same_type || !self.n_rows.is_multiple_of(ROWS_PER_GROUP) {
            return Err(self);
        }
        let first = self.tensors.len();
        self.tensors.extend(&next.tensors);
        self.groups.extend(next.groups.iter().map(|(t, row)| (first + t, *row)));
        self.n_rows += next.n_rows;
        Ok(self)
    }

    /// Gate and up rows taking turns by groups, expert after expert: each of `gate` and `up` is `[k, n_ff, n_expert]`.
    pub(crate) fn gated(
        gguf: &'a Gguf,
        (gate, up): (&str, &str),
        k: u32,
        n_ff: u32,
        n_expert: u32,
    ) -> Result<Self, ModelError> {
        let shape: &[u64] = &[u64::from(k), u64::from(n_ff), u64::from(n_expert.max(1))];
        let shape = if n_expert == 0 { &shape[..2] } else { shape };
        let tensors = vec![require(gguf, gate, shape)?, require(gguf, up, shape)?];
        check_width("n_ff", n_ff)?;
        let n = u64::from(n_ff) * u64::from(n_expert.max(1));
        let groups = (0..n / GROUP).flat_map(|g| [(0, g * GROUP), (1, g * GROUP)]).collect();
        Ok(Self { tensors, groups, n_rows: n_ff, experts: n_expert.max(1), glu: true, k })
    }

    /// As [`Rows::gated`] from one tensor `[k, 2·n_ff]` that holds the gate rows and then the up rows.
    pub(crate) fn gated_fused(gguf: &'a Gguf, name: &str, k: u32, n_ff: u32) -> Result<Self, ModelError> {
        let tensor = require(gguf, name, &[u64::from(k), 2 * u64::from(n_ff)])?;
        check_width("n_ff", n_ff)?;
        let n = u64::from(n_ff);
        let groups = (0..n / GROUP).flat_map(|g| [(0, g * GROUP), (0, n + g * GROUP)]).collect();
        Ok(Self { tensors: vec![tensor], groups, n_rows: n_ff, experts: 1, glu: true, k })
    }

    /// All rows of all experts of a tensor `[k, n, n_expert]`.
    pub(crate) fn experts(
        gguf: &'a Gguf,
        name: &str,
        k: u32,
        n: u32,
        n_expert: u32,
    ) -> Result<Self, ModelError> {
        let tensor = require(gguf, name, &[u64::from(k), u64::from(n), u64::from(n_expert)])?;
        check_width("rows of an expert", n)?;
        let groups = (0..u64::from(n) * u64::from(n_expert) / GROUP).map(|g| (0, g * GROUP)).collect();
        Ok(Self { tensors: vec![tensor], groups, n_rows: n, experts: n_expert, glu: false, k })
    }
}

/// The tensor `name` with exactly `shape`, the contiguous axis first.
pub(crate) fn require<'a>(gguf: &'a Gguf, name: &str, shape: &[u64]) -> Result<&'a TensorInfo, ModelError> {
    let tensor = gguf.tensors.get(name).ok_or_else(|| ModelError::MissingTensor { tensor: name.into() })?;
    let same = (0..4).all(|axis| tensor.dims[axis] == shape.get(axis).copied().unwrap_or(1));
    if same {
        return Ok(tensor);
    }
    let found = tensor.dims[..tensor.n_dims as usize].to_vec();
    Err(ModelError::WrongShape { tensor: name.into(), found, expected: shape.to_vec() })
}

fn check_width(what: &str, n: u32) -> Result<(), ModelError> {
    if n.is_multiple_of(ROWS_PER_GROUP) {
        return Ok(());
    }
    Err(ModelError::BadHyperParameter {
        key: what.into(),
        found: n.to_string(),
        allowed: "a multiple of 8".into(),
    })
}
