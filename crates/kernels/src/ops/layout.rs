//! Parameter structs against the uniform structs that the shaders declare.

use std::mem::offset_of;

use super::{advance, gather_logits, penalize, row_stats, sample, topk};
use crate::generated::id;
use crate::shader::ShaderId;

/// Asserts that the named fields and the size are those of the shader's uniform struct; all fields are words.
fn same_layout(shader: ShaderId, size: usize, fields: &[(&str, usize)]) {
    let shader = shader.shader();
    let declared: Vec<(&str, usize)> = shader
        .uniform
        .iter()
        .filter(|field| !field.name.starts_with("reserved"))
        .map(|field| (field.name, field.offset as usize))
        .collect();
    assert_eq!(declared, fields, "{}", shader.name);
    assert_eq!(shader.uniform.iter().map(|field| field.size as usize).sum::<usize>(), size, "{}", shader.name);
}

/// The layout of `$params` for fields `$field`, in the order of their declaration.
macro_rules! layout {
    ($shader:expr, $params:ty, $($field:ident),+) => {
        same_layout($shader, size_of::<$params>(), &[$((stringify!($field), offset_of!($params, $field))),+])
    };
}

#[test]
fn parameters_of_the_sampling_kernels() {
    layout!(id::ROW_STATS, row_stats::TileParams, n_vocab, n_tile);
    layout!(id::ROW_STATS_MERGE, row_stats::MergeParams, n_tile);
    for shader in [id::TOPK_FIRST, id::TOPK_MERGE] {
        layout!(shader, topk::Params, n_vocab, n_list_in, n_list_out);
    }
    layout!(id::GATHER_LOGITS, gather_logits::Params, n_vocab, n_row, capacity);
    layout!(id::PENALIZE, penalize::Params, n_vocab, n_set, bias_words, history_words);
    layout!(id::SAMPLE, sample::Params, n_vocab, n_set);
    layout!(id::ADVANCE, advance::Params, ring_capacity, history_words);
}
