//! Parameter structs against the uniform structs that the shaders declare.

use std::mem::offset_of;

use super::{
    act, add_rows, attention, copy_rows, embed, gather_logits, kv_move, mask_logits, matmul, matmul_many,
    matmul_soft, moe_combine, moe_route, norm, penalize, rope_kv, row_stats, sample, topk, walk,
};
use crate::generated::{SHADERS, id};
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
    assert_eq!(
        shader.uniform.iter().map(|field| field.size as usize).sum::<usize>(),
        size,
        "{}",
        shader.name
    );
}

/// The layout of `$params` for fields `$field`, in the order of their declaration.
macro_rules! layout {
    ($shader:expr, $params:ty, $($field:ident),+) => {
        same_layout($shader, size_of::<$params>(), &[$((stringify!($field), offset_of!($params, $field))),+])
    };
}

#[test]
fn parameters_of_the_layer_kernels() {
    for shader in [id::NORM, id::NORM_SUBGROUP] {
        layout!(shader, norm::Params, n, x_stride, out_stride, count_from, eps);
    }
    layout!(id::ACT, act::Params, n, x_stride, out_stride, per_row);
    layout!(
        id::ROPE_KV,
        rope_kv::Params,
        n_head,
        n_head_kv,
        head_dim,
        n_rot,
        n_cells,
        n_pos,
        q_span,
        stride,
        eps
    );
    let attention = [
        id::ATTENTION_MANY,
        id::ATTENTION_MANY_SUBGROUP,
        id::ATTENTION_TILE,
        id::ATTENTION_SOFT_MANY,
        id::ATTENTION_SOFT_ONE,
        id::ATTENTION_ONE,
        id::ATTENTION_ONE_SUBGROUP,
        id::ATTENTION_SPLIT,
        id::ATTENTION_SPLIT_SUBGROUP,
    ];
    for shader in attention {
        #[rustfmt::skip]
        layout!(
            shader, attention::Params,
            n_head, n_head_kv, n_cells, n_table, stride, out_stride, sliding, scale, softcap, n_rot, n_pos, eps,
            max_rows, half
        );
    }
    layout!(id::ATTENTION_MERGE, attention::MergeParams, n_head, head_dim);
    layout!(id::KV_MOVE, kv_move::Params, n_head_kv, head_dim, n_rot, n_cells, n_pos, max_moves, span);
    layout!(id::COPY_ROWS, copy_rows::Params, n, x_stride, out_stride, n_x_rows, mode, out_row);
    layout!(id::ADD_ROWS, add_rows::Params, n, x_stride, v_stride, n_v_rows, n_list, scale);
    layout!(id::MOE_ROUTE, moe_route::Params, stride, mode, norm_topk);
    layout!(id::MOE_COMBINE, moe_combine::Params, n, n_used, x_stride, y_stride);
}

#[test]
fn parameters_of_the_weight_kernels() {
    for (i, shader) in SHADERS.iter().enumerate() {
        let id = ShaderId(u16::try_from(i).unwrap_or(u16::MAX));
        match shader.kernel {
            "embed" => {
                layout!(id, embed::EmbedParams, w_chunk, n_unit, row0, n_rows, n_vocab, n_mix, first, scale)
            }
            #[rustfmt::skip]
            "matmul_vec" => layout!(
                id, matmul::VecParams,
                n_chunk, w_chunk, n_unit, n_group, n_rows, row0, by_expert, n_expert, glu, x_slot_div, y_stride,
                eps, act, flags, softcap
            ),
            #[rustfmt::skip]
            "matmul_rows" | "matmul_tile" => layout!(
                id, matmul_many::ManyParams,
                n_chunk, w_chunk, n_unit, n_group, n_rows, row0, y_stride, count_from, max_rows, act, flags,
                softcap
            ),
            #[rustfmt::skip]
            "matmul_soft" => layout!(
                id, matmul_soft::SoftParams,
                n_chunk, w_chunk, n_unit, n_group, n_rows, row0, block, by_expert, n_expert, glu, x_slot_div,
                y_stride, count_from, max_rows, eps, act, flags, softcap
            ),
            _ => {}
        }
    }
}

/// A kernel that no test above names would pass unseen.
#[test]
fn every_parameter_struct_is_tested() {
    let text = include_str!("layout.rs").to_lowercase();
    for shader in SHADERS.iter().filter(|shader| !shader.uniform.is_empty()) {
        let named = [
            format!("id::{},", shader.name),
            format!("id::{}]", shader.name),
            format!("\"{}\"", shader.kernel),
        ];
        assert!(named.iter().any(|name| text.contains(name)), "{}", shader.name);
    }
}

#[test]
fn parameters_of_the_sampling_kernels() {
    for shader in [id::ROW_STATS, id::ROW_STATS_SUBGROUP] {
        layout!(shader, row_stats::TileParams, n_vocab, n_tile);
    }
    layout!(id::ROW_STATS_MERGE, row_stats::MergeParams, n_tile);
    for shader in [id::TOPK_FIRST, id::TOPK_MERGE] {
        layout!(shader, topk::Params, n_vocab, n_list_in, n_list_out);
    }
    layout!(id::TOPK_SCAN, topk::ScanParams, n_vocab);
    layout!(id::GATHER_LOGITS, gather_logits::Params, n_vocab, n_row, capacity);
    layout!(id::MASK_LOGITS, mask_logits::Params, n_vocab, n_word);
    layout!(id::PENALIZE, penalize::Params, n_vocab, n_set, bias_words, history_words);
    for shader in [id::SAMPLE, id::SAMPLE_NEXT] {
        layout!(shader, sample::Params, n_vocab, n_set, ring_capacity, history_words);
    }
    for shader in [id::WALK, id::WALK_JUDGED] {
        layout!(shader, walk::Params, n_vocab, n_want, n_word);
    }
}
