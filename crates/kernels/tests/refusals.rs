//! Shapes that the layer operations refuse, and the largest that they take.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests fail loudly")]

use goldcrest_kernels::ops::act::{ActArgs, act};
use goldcrest_kernels::ops::attention::{AttentionArgs, Entry, attention, attention_one};
use goldcrest_kernels::ops::copy_rows::{CopyRowsArgs, copy_rows, gather_rows};
use goldcrest_kernels::ops::kv_move::{KvMoveArgs, kv_move};
use goldcrest_kernels::ops::matmul::Act;
use goldcrest_kernels::ops::matmul_many::Count;
use goldcrest_kernels::ops::moe_route::{MoeRouteArgs, Routing, moe_route};
use goldcrest_kernels::ops::norm::{NormArgs, NormKind, norm};
use goldcrest_kernels::ops::rope_kv::{HeadShape, KeyType, Pairing, QkNorm, Rope, RopeKvArgs, rope_kv};
use goldcrest_kernels::step::STEP_BYTES;
use goldcrest_kernels::{Profile, ShapeError, Slice};

const fn slice(size: u64) -> Slice<()> {
    Slice { buffer: (), offset: 0, size }
}

const BIG: Slice<()> = slice(1 << 34);
const HEADS: HeadShape =
    HeadShape { n_head: 4, n_head_kv: 2, head_dim: 64, n_cells: 100, keys: KeyType::F16 };

fn norm_args() -> NormArgs<'static, ()> {
    NormArgs {
        step: &BIG,
        x: &BIG,
        weight: &BIG,
        bias: None,
        out: &BIG,
        kind: NormKind::Rms,
        add: false,
        count: Count::Rows,
        n_rows: 4,
        n: 64,
        x_stride: 64,
        out_stride: 64,
        eps: 1e-6,
    }
}

fn rope(n_rot: u32, pairing: Pairing) -> Option<Rope<'static, ()>> {
    Some(Rope { table: &BIG, n_pos: 10, n_rot, pairing })
}

fn rope_args(shape: HeadShape) -> RopeKvArgs<'static, ()> {
    let (norm, rope, stride) = (QkNorm::None, rope(64, Pairing::Neox), shape.qkv_width());
    RopeKvArgs { step: &BIG, qkv: &BIG, norm, rope, kv: &BIG, shape, n_rows: 4, stride }
}

fn attention_args(shape: HeadShape) -> AttentionArgs<'static, ()> {
    AttentionArgs {
        step: &BIG,
        qkv: &BIG,
        kv: &BIG,
        table: &BIG,
        out: &BIG,
        shape,
        n_rows: 4,
        stride: shape.qkv_width(),
        out_stride: shape.n_head * shape.head_dim,
        sliding: false,
        scale: 1.0,
        softcap: 0.0,
    }
}

/// The name of the size that was refused.
fn refused<T: std::fmt::Debug>(result: Result<T, ShapeError>) -> &'static str {
    match result.unwrap_err() {
        ShapeError::OutOfRange { what, .. }
        | ShapeError::NotAMultiple { what, .. }
        | ShapeError::BufferTooSmall { what, .. } => what,
        ShapeError::GridTooLarge { .. } => "grid",
        other => panic!("{other}"),
    }
}

#[test]
fn buffers_that_end_one_word_early() {
    let core = &Profile::CORE;
    let (rows, short) = (slice(4 * 64 * 4), slice(4 * 64 * 4 - 4));
    assert!(norm(&NormArgs { x: &rows, out: &rows, ..norm_args() }, core).is_ok());
    assert_eq!(refused(norm(&NormArgs { x: &short, ..norm_args() }, core)), "x");
    assert_eq!(refused(norm(&NormArgs { out: &short, ..norm_args() }, core)), "out");
    assert_eq!(refused(norm(&NormArgs { weight: &slice(252), ..norm_args() }, core)), "weight");
    assert_eq!(refused(norm(&NormArgs { bias: Some(&slice(252)), ..norm_args() }, core)), "bias");
    assert_eq!(refused(norm(&NormArgs { step: &slice(STEP_BYTES - 4), ..norm_args() }, core)), "step");

    let wide = HeadShape { keys: KeyType::F32, ..HEADS };
    let kv = slice(HEADS.kv_bytes());
    assert!(rope_kv(&RopeKvArgs { kv: &kv, ..rope_args(HEADS) }, core).is_ok());
    assert_eq!(refused(rope_kv(&RopeKvArgs { kv: &kv, ..rope_args(wide) }, core)), "kv");
    let kv = slice(HEADS.kv_bytes() - 4);
    assert_eq!(refused(rope_kv(&RopeKvArgs { kv: &kv, ..rope_args(HEADS) }, core)), "kv");
    assert_eq!(refused(attention(&AttentionArgs { kv: &kv, ..attention_args(HEADS) }, core)), "kv");
    let table = slice(10 * 32 * 8 - 4);
    let short_table = Some(Rope { table: &table, n_pos: 10, n_rot: 64, pairing: Pairing::Neox });
    assert_eq!(refused(rope_kv(&RopeKvArgs { rope: short_table, ..rope_args(HEADS) }, core)), "rope");
    let weight = slice(6 * 64 * 4 - 4);
    let all = QkNorm::All { weight: &weight, eps: 0.0 };
    assert_eq!(refused(rope_kv(&RopeKvArgs { norm: all, ..rope_args(HEADS) }, core)), "qk_norm");
    let one = AttentionArgs { n_rows: 1, ..attention_args(HEADS) };
    let entry = |norm, rope| Entry { norm, rope };
    assert!(attention_one(&one, &entry(QkNorm::None, None), core).is_ok());
    assert_eq!(refused(attention_one(&one, &entry(QkNorm::None, short_table), core)), "rope");
    let short = slice(2 * 64 * 4 - 4);
    let head = QkNorm::Head { weight: &short, eps: 0.0 };
    assert_eq!(refused(attention_one(&one, &entry(head, None), core)), "qk_norm");
    let all = QkNorm::All { weight: &BIG, eps: 0.0 };
    assert_eq!(refused(attention_one(&one, &entry(all, None), core)), "mode of the norm");
    let two = AttentionArgs { n_rows: 2, ..one };
    assert_eq!(refused(attention_one(&two, &entry(QkNorm::None, None), core)), "n_rows");
}

#[test]
fn sizes_out_of_range() {
    let core = &Profile::CORE;
    assert_eq!(refused(norm(&NormArgs { n_rows: 0, ..norm_args() }, core)), "n_rows");
    assert_eq!(refused(norm(&NormArgs { n_rows: 129, ..norm_args() }, core)), "n_rows");
    assert_eq!(refused(norm(&NormArgs { n: 0, ..norm_args() }, core)), "n");
    assert_eq!(refused(norm(&NormArgs { x_stride: 63, ..norm_args() }, core)), "stride");

    let heads = |n_head, n_head_kv, head_dim| HeadShape { n_head, n_head_kv, head_dim, ..HEADS };
    for (shape, what) in [
        (heads(4, 0, 64), "n_head_kv"),
        (heads(4, 3, 64), "n_head"),
        (heads(4, 8, 64), "n_head"),
        (heads(4, 2, 63), "head_dim"),
        (heads(4, 2, 1026), "head_dim"),
        (HeadShape { n_cells: 0, ..HEADS }, "n_cells"),
        (HeadShape { n_cells: 1 << 24, ..HEADS }, "bytes of the cache"),
        (HeadShape { n_cells: 6 << 20, keys: KeyType::F32, ..HEADS }, "bytes of the cache"),
    ] {
        assert_eq!(refused(attention(&attention_args(shape), core)), what, "{shape:?}");
        assert_eq!(refused(rope_kv(&rope_args(shape), core)), what, "{shape:?}");
    }
    for n_rot in [0, 63, 66] {
        let args = RopeKvArgs { rope: rope(n_rot, Pairing::Adjacent), ..rope_args(HEADS) };
        assert_eq!(refused(rope_kv(&args, core)), "n_rot", "{n_rot}");
    }

    let act_args = |n, x_stride| ActArgs {
        step: &BIG,
        x: &BIG,
        out: &BIG,
        act: Act::Silu,
        gated: true,
        n_rows: 4,
        per_row: 1,
        n,
        x_stride,
        out_stride: n,
    };
    assert!(act(&act_args(9, 32), core).is_ok());
    assert_eq!(refused(act(&act_args(9, 18), core)), "stride");

    let copy = |n_rows| CopyRowsArgs {
        step: &BIG,
        x: &BIG,
        out: &BIG,
        n_rows,
        out_row: 0,
        n: 64,
        x_stride: 64,
        out_stride: 64,
    };
    assert!(copy_rows(&copy(128), core).is_ok());
    assert_eq!(refused(gather_rows(&copy(128), 17, core)), "n_want");

    let experts = |n_expert, n_used| MoeRouteArgs {
        step: &BIG,
        logits: &BIG,
        selected: &BIG,
        weights: &BIG,
        routing: Routing::SoftmaxTopK,
        n_rows: 4,
        n_expert,
        n_used,
        stride: n_expert,
    };
    assert!(moe_route(&experts(1024, 64), core).is_ok());
    assert_eq!(refused(moe_route(&experts(1025, 8), core)), "n_expert");
    assert_eq!(refused(moe_route(&experts(8, 9), core)), "n_used");
}

#[test]
fn moves_of_pairs_that_share_no_word_are_refused() {
    let args =
        |shape, rope, max_moves| KvMoveArgs { kv: &BIG, moves: &BIG, rope, shape, max_moves, ordered: false };
    let core = &Profile::CORE;
    assert!(kv_move(&args(HEADS, rope(64, Pairing::Neox), 100), core).is_ok());
    assert!(kv_move(&args(HEADS, rope(62, Pairing::Adjacent), 100), core).is_ok());
    assert_eq!(refused(kv_move(&args(HEADS, rope(62, Pairing::Neox), 100), core)), "n_rot");
    assert_eq!(refused(kv_move(&args(HEADS, None, 0), core)), "max_moves");
    let wide = HeadShape { n_head: 1024, n_head_kv: 1024, head_dim: 1024, n_cells: 1, ..HEADS };
    assert_eq!(refused(kv_move(&args(wide, None, 1), &Profile::SOFTWARE)), "grid");
}

/// Workgroup memory by the declarations in `attention.wgsl`.
#[test]
fn attention_fits_the_workgroup_memory_of_every_device() {
    for threads in ["8", "64", "256"] {
        let profile = Profile::CORE.with("attention_threads", threads).unwrap();
        for head_dim in (2..=1024).step_by(2) {
            let shape = HeadShape { n_head: 2, n_head_kv: 1, head_dim, ..HEADS };
            let args = attention_args(shape);
            let dispatch = attention(&args, &profile).unwrap();
            let value = |name| dispatch.overrides.iter().find(|(n, _)| *n == name).unwrap().1;
            let bytes = 8.0 * (value("HALF") + value("ACC") + value("T")) + 12.0 * value("TILE");
            assert!(bytes <= 16384.0, "{head_dim} with {threads}");
            assert_eq!(value("HALF") * 2.0, f64::from(head_dim));
            assert_eq!(value("ACC"), value("HALF") * value("GROUPS"));
            // One row alone keeps its key as floats and its value as halves as well.
            let one = AttentionArgs { n_rows: 1, ..args };
            let fits = attention_one(&one, &Entry { norm: QkNorm::None, rope: None }, &profile).is_ok();
            assert_eq!(fits, bytes + 12.0 * value("HALF") <= 16384.0, "{head_dim} with {threads}");
            assert!(fits || threads == "256", "{head_dim} with {threads}");
        }
    }
}
