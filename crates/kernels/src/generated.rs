//! Written by `cargo xtask gen` from `shaders/`; do not edit.

#![allow(clippy::approx_constant, clippy::excessive_precision, reason = "the numbers are the shaders'")]

use crate::shader::{Binding, BindingKind, Feature, Override, Shader, UniformField};

/// Every validated variant, in ascending order of its name.
#[rustfmt::skip]
pub static SHADERS: &[Shader] = &[
    Shader {
        name: "act",
        kernel: "act",
        workgroup_size: [64, 1, 1],
        bindings: &[
            Binding { index: 0, name: "x", kind: BindingKind::Read, min_size: 4 },
            Binding { index: 1, name: "out", kind: BindingKind::ReadWrite, min_size: 4 },
            Binding { index: 2, name: "step", kind: BindingKind::Read, min_size: 192 },
            Binding { index: 3, name: "p", kind: BindingKind::Uniform, min_size: 16 },
        ],
        overrides: &[
            Override { name: "T", default: Some(64.0) },
            Override { name: "SPAN", default: Some(256.0) },
            Override { name: "GATED", default: Some(1.0) },
            Override { name: "ACT", default: Some(0.0) },
        ],
        needs: &[],
        workgroup_bytes: 0,
        uniform: &[
            UniformField { name: "n", offset: 0, size: 4 },
            UniformField { name: "x_stride", offset: 4, size: 4 },
            UniformField { name: "out_stride", offset: 8, size: 4 },
            UniformField { name: "per_row", offset: 12, size: 4 },
        ],
        wgsl: r"struct Row {
 token: u32,
 pos: u32,
 cell: u32,
 table: u32,
 base: u32,
 lo: u32,
 hi: u32,
 lo_swa: u32,
 tree: u32,
 ancestors_lo: u32,
 ancestors_hi: u32,
 seq: u32,
 mix_start: u32,
 mix_len: u32,
 reserved0: u32,
 reserved1: u32,
}
struct Step {
 n_rows: u32,
 n_want: u32,
 seed_lo: u32,
 seed_hi: u32,
 window: u32,
 n_out: u32,
 reserved: array<u32, 10>,
 want: array<u32, 16>,
 rows: array<Row>,
}
fn soft_tanh(v: f32) -> f32 {
 let e = exp(-2.0 * min(abs(v), 15.0));
 return sign(v) * ((1.0 - e) / (1.0 + e));
}
fn silu(v: f32) -> f32 {
 return v / (1.0 + exp(clamp(-v, -80.0, 80.0)));
}
fn gelu_tanh(v: f32) -> f32 {
 return 0.5 * v * (1.0 + soft_tanh(0.7978845608 * (v + 0.044715 * v * v * v)));
}
fn activate(kind: u32, v: f32) -> f32 {
 if (kind == 1u) {
  return silu(v);
 }
 if (kind == 2u) {
  return gelu_tanh(v);
 }
 return v;
}
override T: u32 = 64u;
override SPAN: u32 = 256u;
override GATED: bool = true;
override ACT: u32 = 0u;
struct P {
 n: u32,
 x_stride: u32,
 out_stride: u32,
 per_row: u32,
}
@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read_write> out: array<f32>;
@group(0) @binding(2) var<storage, read> step: Step;
@group(0) @binding(3) var<uniform> p: P;
@compute @workgroup_size(T)
fn main(@builtin(local_invocation_index) t: u32, @builtin(workgroup_id) wg: vec3<u32>) {
 if (wg.y >= step.n_rows * p.per_row) {
  return;
 }
 let src = wg.y * p.x_stride;
 let dst = wg.y * p.out_stride;
 let end = min(p.n, (wg.x + 1u) * SPAN);
 for (var i = wg.x * SPAN + t; i < end; i += T) {
  if (GATED) {
   let at = src + (i >> 3u) * 16u + (i & 7u);
   out[dst + i] = activate(ACT, x[at]) * x[at + 8u];
  } else {
   out[dst + i] = activate(ACT, x[src + i]);
  }
 }
}
",
    },
    Shader {
        name: "add_rows",
        kernel: "add_rows",
        workgroup_size: [64, 1, 1],
        bindings: &[
            Binding { index: 0, name: "x", kind: BindingKind::ReadWrite, min_size: 4 },
            Binding { index: 1, name: "v", kind: BindingKind::Read, min_size: 4 },
            Binding { index: 2, name: "list", kind: BindingKind::Read, min_size: 4 },
            Binding { index: 3, name: "step", kind: BindingKind::Read, min_size: 192 },
            Binding { index: 4, name: "p", kind: BindingKind::Uniform, min_size: 32 },
        ],
        overrides: &[
            Override { name: "T", default: Some(64.0) },
            Override { name: "SPAN", default: Some(256.0) },
        ],
        needs: &[],
        workgroup_bytes: 0,
        uniform: &[
            UniformField { name: "n", offset: 0, size: 4 },
            UniformField { name: "x_stride", offset: 4, size: 4 },
            UniformField { name: "v_stride", offset: 8, size: 4 },
            UniformField { name: "n_v_rows", offset: 12, size: 4 },
            UniformField { name: "n_list", offset: 16, size: 4 },
            UniformField { name: "scale", offset: 20, size: 4 },
            UniformField { name: "reserved0", offset: 24, size: 4 },
            UniformField { name: "reserved1", offset: 28, size: 4 },
        ],
        wgsl: r"struct Row {
 token: u32,
 pos: u32,
 cell: u32,
 table: u32,
 base: u32,
 lo: u32,
 hi: u32,
 lo_swa: u32,
 tree: u32,
 ancestors_lo: u32,
 ancestors_hi: u32,
 seq: u32,
 mix_start: u32,
 mix_len: u32,
 reserved0: u32,
 reserved1: u32,
}
struct Step {
 n_rows: u32,
 n_want: u32,
 seed_lo: u32,
 seed_hi: u32,
 window: u32,
 n_out: u32,
 reserved: array<u32, 10>,
 want: array<u32, 16>,
 rows: array<Row>,
}
override T: u32 = 64u;
override SPAN: u32 = 256u;
const ALL = 0xffffffffu;
struct P {
 n: u32,
 x_stride: u32,
 v_stride: u32,
 n_v_rows: u32,
 n_list: u32,
 scale: f32,
 reserved0: u32,
 reserved1: u32,
}
@group(0) @binding(0) var<storage, read_write> x: array<f32>;
@group(0) @binding(1) var<storage, read> v: array<f32>;
@group(0) @binding(2) var<storage, read> list: array<u32>;
@group(0) @binding(3) var<storage, read> step: Step;
@group(0) @binding(4) var<uniform> p: P;
@compute @workgroup_size(T)
fn main(@builtin(local_invocation_index) t: u32, @builtin(workgroup_id) wg: vec3<u32>) {
 let row = wg.y;
 if (row >= step.n_rows) {
  return;
 }
 var entry = row;
 if (list[0] != ALL) {
  entry = 0u;
  while (entry < p.n_list && list[entry] != row) {
   entry++;
  }
  if (entry == p.n_list) {
   return;
  }
 }
 let src = min(entry, p.n_v_rows - 1u) * p.v_stride;
 let dst = row * p.x_stride;
 let end = min(p.n, (wg.x + 1u) * SPAN);
 for (var i = wg.x * SPAN + t; i < end; i += T) {
  x[dst + i] += p.scale * v[src + i];
 }
}
",
    },
    Shader {
        name: "attention_many",
        kernel: "attention",
        workgroup_size: [64, 1, 1],
        bindings: &[
            Binding { index: 0, name: "qkv", kind: BindingKind::Read, min_size: 4 },
            Binding { index: 1, name: "kv", kind: BindingKind::Read, min_size: 4 },
            Binding { index: 2, name: "table", kind: BindingKind::Read, min_size: 4 },
            Binding { index: 3, name: "step", kind: BindingKind::Read, min_size: 192 },
            Binding { index: 4, name: "out", kind: BindingKind::ReadWrite, min_size: 4 },
            Binding { index: 5, name: "p", kind: BindingKind::Uniform, min_size: 52 },
        ],
        overrides: &[
            Override { name: "KEY_WORDS", default: Some(1.0) },
            Override { name: "T", default: Some(64.0) },
            Override { name: "TILE", default: Some(64.0) },
            Override { name: "HALF", default: Some(32.0) },
            Override { name: "GROUPS", default: Some(2.0) },
            Override { name: "ACC", default: Some(64.0) },
        ],
        needs: &[],
        workgroup_bytes: 1536,
        uniform: &[
            UniformField { name: "n_head", offset: 0, size: 4 },
            UniformField { name: "n_head_kv", offset: 4, size: 4 },
            UniformField { name: "n_cells", offset: 8, size: 4 },
            UniformField { name: "n_table", offset: 12, size: 4 },
            UniformField { name: "stride", offset: 16, size: 4 },
            UniformField { name: "out_stride", offset: 20, size: 4 },
            UniformField { name: "sliding", offset: 24, size: 4 },
            UniformField { name: "scale", offset: 28, size: 4 },
            UniformField { name: "softcap", offset: 32, size: 4 },
            UniformField { name: "n_rot", offset: 36, size: 4 },
            UniformField { name: "n_pos", offset: 40, size: 4 },
            UniformField { name: "eps", offset: 44, size: 4 },
            UniformField { name: "max_rows", offset: 48, size: 4 },
        ],
        wgsl: r"const IDENTITY = 0xffffffffu;
struct Row {
 token: u32,
 pos: u32,
 cell: u32,
 table: u32,
 base: u32,
 lo: u32,
 hi: u32,
 lo_swa: u32,
 tree: u32,
 ancestors_lo: u32,
 ancestors_hi: u32,
 seq: u32,
 mix_start: u32,
 mix_len: u32,
 reserved0: u32,
 reserved1: u32,
}
struct Step {
 n_rows: u32,
 n_want: u32,
 seed_lo: u32,
 seed_hi: u32,
 window: u32,
 n_out: u32,
 reserved: array<u32, 10>,
 want: array<u32, 16>,
 rows: array<Row>,
}
fn half(h: u32) -> f32 {
 let m = h & 0x7fffu;
 let rebias = select(0x38000000u, 0x70000000u, m >= 0x7c00u);
 let v = select(bitcast<f32>((m << 13u) + rebias), f32(m) * 0x1p-24f, m < 0x400u);
 return bitcast<f32>(bitcast<u32>(v) | ((h & 0x8000u) << 16u));
}
fn half2(w: u32) -> vec2<f32> {
 return vec2<f32>(half(w & 0xffffu), half(w >> 16u));
}
override KEY_WORDS: u32 = 1u;
fn key(at: u32, w: u32) -> vec2<f32> {
 if (KEY_WORDS == 2u) {
  return bitcast<vec2<f32>>(vec2<u32>(kv[at + 2u * w], kv[at + 2u * w + 1u]));
 }
 return half2(kv[at + w]);
}
fn soft_tanh(v: f32) -> f32 {
 let e = exp(-2.0 * min(abs(v), 15.0));
 return sign(v) * ((1.0 - e) / (1.0 + e));
}
const LOWEST = -1e30;
fn cell_of(row: u32, i: u32) -> u32 {
 var cell = step.rows[row].base + i;
 if (step.rows[row].table != IDENTITY) {
  cell = table[min(step.rows[row].table + i, p.n_table - 1u)];
 }
 return min(cell, p.n_cells - 1u);
}
fn in_branch(row: u32, i: u32) -> bool {
 let tree = step.rows[row].tree;
 if (i < tree) {
  return true;
 }
 let bit = i - tree;
 let word = select(step.rows[row].ancestors_hi, step.rows[row].ancestors_lo, bit < 32u);
 return bit < 64u && ((word >> (bit & 31u)) & 1u) == 1u;
}
fn first_entry(row: u32) -> u32 {
 return select(step.rows[row].lo, step.rows[row].lo_swa, p.sliding == 1u);
}
fn end_entry(row: u32) -> u32 {
 return min(step.rows[row].hi, p.n_cells);
}
fn capped(s: f32) -> f32 {
 if (p.softcap > 0.0) {
  return p.softcap * soft_tanh(s / p.softcap);
 }
 return s;
}
override T: u32 = 64u;
override TILE: u32 = 64u;
override HALF: u32 = 32u;
override GROUPS: u32 = 2u;
override ACC: u32 = 64u;
struct P {
 n_head: u32,
 n_head_kv: u32,
 n_cells: u32,
 n_table: u32,
 stride: u32,
 out_stride: u32,
 sliding: u32,
 scale: f32,
 softcap: f32,
 n_rot: u32,
 n_pos: u32,
 eps: f32,
 max_rows: u32,
}
@group(0) @binding(0) var<storage, read> qkv: array<f32>;
@group(0) @binding(1) var<storage, read> kv: array<u32>;
@group(0) @binding(2) var<storage, read> table: array<u32>;
@group(0) @binding(3) var<storage, read> step: Step;
@group(0) @binding(4) var<storage, read_write> out: array<f32>;
@group(0) @binding(5) var<uniform> p: P;
var<workgroup> query: array<vec2<f32>, HALF>;
var<workgroup> scores: array<f32, TILE>;
var<workgroup> masses: array<f32, TILE>;
var<workgroup> cells: array<u32, TILE>;
var<workgroup> acc: array<vec2<f32>, ACC>;
fn score(cell: u32, k_from: u32) -> f32 {
 var dots = vec2<f32>(0.0);
 for (var w = 0u; w < HALF; w++) {
  dots += key(k_from, w) * query[w];
 }
 return capped((dots.x + dots.y) * p.scale);
}
fn value(cell: u32, v_from: u32, w: u32) -> vec2<f32> {
 return half2(kv[v_from + w]);
}
fn total(w: u32) -> vec2<f32> {
 var a = vec2<f32>(0.0);
 for (var g = 0u; g < GROUPS; g++) {
  a += acc[g * HALF + w];
 }
 return a;
}
@compute @workgroup_size(T)
fn main(@builtin(local_invocation_index) t: u32, @builtin(workgroup_id) wg: vec3<u32>) {
 let row = wg.y;
 if (row >= step.n_rows) {
  return;
 }
 let cell_words = (KEY_WORDS + 1u) * p.n_head_kv * HALF;
 let head_kv = wg.x / (p.n_head / p.n_head_kv);
 let k_at = head_kv * HALF * KEY_WORDS;
 let v_at = (p.n_head_kv * KEY_WORDS + head_kv) * HALF;
 let first = first_entry(row);
 let end = end_entry(row);
 for (var w = t; w < HALF; w += T) {
  let at = row * p.stride + wg.x * 2u * HALF + 2u * w;
  query[w] = vec2<f32>(qkv[at], qkv[at + 1u]);
 }
 for (var i = t; i < ACC; i += T) {
  acc[i] = vec2<f32>(0.0);
 }
 workgroupBarrier();
 var top = LOWEST;
 var sum = 0.0;
 let begin = first;
 let stride = TILE;
 for (var start = begin; start < end; start += stride) {
  let n = min(TILE, end - start);
  for (var k = t; k < n; k += T) {
   var s = LOWEST;
   if (in_branch(row, start + k)) {
    let cell = cell_of(row, start + k);
    s = score(cell, cell * cell_words + k_at);
   }
   scores[k] = s;
  }
  workgroupBarrier();
  let last_top = top;
  for (var k = 0u; k < n; k++) {
   top = max(top, scores[k]);
  }
  for (var k = t; k < n; k += T) {
   masses[k] = select(0.0, exp(min(scores[k] - top, 0.0)), scores[k] > LOWEST);
   cells[k] = cell_of(row, start + k);
  }
  workgroupBarrier();
  let shrink = exp(last_top - top);
  sum *= shrink;
  for (var k = 0u; k < n; k++) {
   sum += masses[k];
  }
  for (var i = t; i < ACC; i += T) {
   var a = acc[i] * shrink;
   for (var k = i / HALF; k < n; k += GROUPS) {
    if (masses[k] > 0.0) {
     a += masses[k] * value(cells[k], cells[k] * cell_words + v_at, i % HALF);
    }
   }
   acc[i] = a;
  }
 }
 workgroupBarrier();
              {
  let norm = select(0.0, 1.0 / max(sum, 1e-30), sum > 0.0);
  for (var w = t; w < HALF; w += T) {
   let a = total(w);
   let at = row * p.out_stride + wg.x * 2u * HALF + 2u * w;
   out[at] = a.x * norm;
   out[at + 1u] = a.y * norm;
  }
 }
}
",
    },
    Shader {
        name: "attention_merge",
        kernel: "attention_merge",
        workgroup_size: [64, 1, 1],
        bindings: &[
            Binding { index: 0, name: "parts", kind: BindingKind::Read, min_size: 4 },
            Binding { index: 1, name: "step", kind: BindingKind::Read, min_size: 192 },
            Binding { index: 2, name: "out", kind: BindingKind::ReadWrite, min_size: 4 },
            Binding { index: 3, name: "p", kind: BindingKind::Uniform, min_size: 8 },
        ],
        overrides: &[
            Override { name: "T", default: Some(64.0) },
            Override { name: "SPLITS", default: Some(8.0) },
        ],
        needs: &[],
        workgroup_bytes: 0,
        uniform: &[
            UniformField { name: "n_head", offset: 0, size: 4 },
            UniformField { name: "head_dim", offset: 4, size: 4 },
        ],
        wgsl: r"struct Row {
 token: u32,
 pos: u32,
 cell: u32,
 table: u32,
 base: u32,
 lo: u32,
 hi: u32,
 lo_swa: u32,
 tree: u32,
 ancestors_lo: u32,
 ancestors_hi: u32,
 seq: u32,
 mix_start: u32,
 mix_len: u32,
 reserved0: u32,
 reserved1: u32,
}
struct Step {
 n_rows: u32,
 n_want: u32,
 seed_lo: u32,
 seed_hi: u32,
 window: u32,
 n_out: u32,
 reserved: array<u32, 10>,
 want: array<u32, 16>,
 rows: array<Row>,
}
override T: u32 = 64u;
override SPLITS: u32 = 8u;
struct P {
 n_head: u32,
 head_dim: u32,
}
@group(0) @binding(0) var<storage, read> parts: array<f32>;
@group(0) @binding(1) var<storage, read> step: Step;
@group(0) @binding(2) var<storage, read_write> out: array<f32>;
@group(0) @binding(3) var<uniform> p: P;
@compute @workgroup_size(T)
fn main(@builtin(local_invocation_index) t: u32, @builtin(workgroup_id) wg: vec3<u32>) {
 if (step.n_rows == 0u) {
  return;
 }
 let size = p.head_dim + 2u;
 let first = wg.x * SPLITS * size;
 var top = -1e30;
 for (var s = 0u; s < SPLITS; s++) {
  top = max(top, parts[first + s * size + p.head_dim]);
 }
 var weight = 0.0;
 for (var s = 0u; s < SPLITS; s++) {
  let part = first + s * size + p.head_dim;
  weight += exp(min(parts[part] - top, 0.0)) * parts[part + 1u];
 }
 let norm = select(0.0, 1.0 / max(weight, 1e-30), weight > 0.0);
 for (var d = t; d < p.head_dim; d += T) {
  var sum = 0.0;
  for (var s = 0u; s < SPLITS; s++) {
   let part = first + s * size;
   sum += exp(min(parts[part + p.head_dim] - top, 0.0)) * parts[part + d];
  }
  out[wg.x * p.head_dim + d] = sum * norm;
 }
}
",
    },
    Shader {
        name: "attention_one",
        kernel: "attention",
        workgroup_size: [64, 1, 1],
        bindings: &[
            Binding { index: 0, name: "qkv", kind: BindingKind::Read, min_size: 4 },
            Binding { index: 1, name: "kv", kind: BindingKind::ReadWrite, min_size: 4 },
            Binding { index: 2, name: "table", kind: BindingKind::Read, min_size: 4 },
            Binding { index: 3, name: "step", kind: BindingKind::Read, min_size: 192 },
            Binding { index: 4, name: "out", kind: BindingKind::ReadWrite, min_size: 4 },
            Binding { index: 5, name: "qk_norm", kind: BindingKind::Read, min_size: 4 },
            Binding { index: 6, name: "rope", kind: BindingKind::Read, min_size: 8 },
            Binding { index: 7, name: "p", kind: BindingKind::Uniform, min_size: 52 },
        ],
        overrides: &[
            Override { name: "KEY_WORDS", default: Some(1.0) },
            Override { name: "QK_NORM", default: Some(0.0) },
            Override { name: "ROPE", default: Some(1.0) },
            Override { name: "NEOX", default: Some(0.0) },
            Override { name: "T", default: Some(64.0) },
            Override { name: "TILE", default: Some(64.0) },
            Override { name: "HALF", default: Some(32.0) },
            Override { name: "GROUPS", default: Some(2.0) },
            Override { name: "ACC", default: Some(64.0) },
        ],
        needs: &[],
        workgroup_bytes: 1920,
        uniform: &[
            UniformField { name: "n_head", offset: 0, size: 4 },
            UniformField { name: "n_head_kv", offset: 4, size: 4 },
            UniformField { name: "n_cells", offset: 8, size: 4 },
            UniformField { name: "n_table", offset: 12, size: 4 },
            UniformField { name: "stride", offset: 16, size: 4 },
            UniformField { name: "out_stride", offset: 20, size: 4 },
            UniformField { name: "sliding", offset: 24, size: 4 },
            UniformField { name: "scale", offset: 28, size: 4 },
            UniformField { name: "softcap", offset: 32, size: 4 },
            UniformField { name: "n_rot", offset: 36, size: 4 },
            UniformField { name: "n_pos", offset: 40, size: 4 },
            UniformField { name: "eps", offset: 44, size: 4 },
            UniformField { name: "max_rows", offset: 48, size: 4 },
        ],
        wgsl: r"const IDENTITY = 0xffffffffu;
struct Row {
 token: u32,
 pos: u32,
 cell: u32,
 table: u32,
 base: u32,
 lo: u32,
 hi: u32,
 lo_swa: u32,
 tree: u32,
 ancestors_lo: u32,
 ancestors_hi: u32,
 seq: u32,
 mix_start: u32,
 mix_len: u32,
 reserved0: u32,
 reserved1: u32,
}
struct Step {
 n_rows: u32,
 n_want: u32,
 seed_lo: u32,
 seed_hi: u32,
 window: u32,
 n_out: u32,
 reserved: array<u32, 10>,
 want: array<u32, 16>,
 rows: array<Row>,
}
fn half(h: u32) -> f32 {
 let m = h & 0x7fffu;
 let rebias = select(0x38000000u, 0x70000000u, m >= 0x7c00u);
 let v = select(bitcast<f32>((m << 13u) + rebias), f32(m) * 0x1p-24f, m < 0x400u);
 return bitcast<f32>(bitcast<u32>(v) | ((h & 0x8000u) << 16u));
}
fn half2(w: u32) -> vec2<f32> {
 return vec2<f32>(half(w & 0xffffu), half(w >> 16u));
}
override KEY_WORDS: u32 = 1u;
fn halves(v: vec2<f32>) -> u32 {
 return pack2x16float(clamp(v, vec2<f32>(-65504.0), vec2<f32>(65504.0)));
}
fn key(at: u32, w: u32) -> vec2<f32> {
 if (KEY_WORDS == 2u) {
  return bitcast<vec2<f32>>(vec2<u32>(kv[at + 2u * w], kv[at + 2u * w + 1u]));
 }
 return half2(kv[at + w]);
}
fn rotate(v: vec2<f32>, c: vec2<f32>) -> vec2<f32> {
 return vec2<f32>(v.x * c.x - v.y * c.y, v.x * c.y + v.y * c.x);
}
fn soft_tanh(v: f32) -> f32 {
 let e = exp(-2.0 * min(abs(v), 15.0));
 return sign(v) * ((1.0 - e) / (1.0 + e));
}
const LOWEST = -1e30;
fn cell_of(row: u32, i: u32) -> u32 {
 var cell = step.rows[row].base + i;
 if (step.rows[row].table != IDENTITY) {
  cell = table[min(step.rows[row].table + i, p.n_table - 1u)];
 }
 return min(cell, p.n_cells - 1u);
}
fn in_branch(row: u32, i: u32) -> bool {
 let tree = step.rows[row].tree;
 if (i < tree) {
  return true;
 }
 let bit = i - tree;
 let word = select(step.rows[row].ancestors_hi, step.rows[row].ancestors_lo, bit < 32u);
 return bit < 64u && ((word >> (bit & 31u)) & 1u) == 1u;
}
fn first_entry(row: u32) -> u32 {
 return select(step.rows[row].lo, step.rows[row].lo_swa, p.sliding == 1u);
}
fn end_entry(row: u32) -> u32 {
 return min(step.rows[row].hi, p.n_cells);
}
fn capped(s: f32) -> f32 {
 if (p.softcap > 0.0) {
  return p.softcap * soft_tanh(s / p.softcap);
 }
 return s;
}
fn store_key(at: u32, w: u32, v: vec2<f32>) {
 if (KEY_WORDS == 2u) {
  kv[at + 2u * w] = bitcast<u32>(v.x);
  kv[at + 2u * w + 1u] = bitcast<u32>(v.y);
 } else {
  kv[at + w] = halves(v);
 }
}
override QK_NORM: u32 = 0u;
override ROPE: bool = true;
override NEOX: bool = false;
fn rotate_pair(v: vec2<f32>, pos: u32, j: u32) -> vec2<f32> {
 if (!ROPE || j >= p.n_rot / 2u) {
  return v;
 }
 return rotate(v, rope[pos * (p.n_rot / 2u) + j]);
}
fn pair(j: u32) -> vec2<u32> {
 if (NEOX && j < p.n_rot / 2u) {
  return vec2<u32>(j, j + p.n_rot / 2u);
 }
 return vec2<u32>(2u * j, 2u * j + 1u);
}
fn turned(head: u32, weight: u32, scale: f32, pos: u32, d: u32) -> f32 {
 let half = p.n_rot / 2u;
 var j = d / 2u;
 var second = (d & 1u) == 1u;
 if (NEOX && d < p.n_rot) {
  second = d >= half;
  j = select(d, d - half, second);
 }
 let e = pair(j);
 var v = vec2<f32>(qkv[head + e.x], qkv[head + e.y]);
 if (QK_NORM != 0u) {
  v *= scale * vec2<f32>(qk_norm[weight + e.x], qk_norm[weight + e.y]);
 }
 v = rotate_pair(v, pos, j);
 return select(v.x, v.y, second);
}
override T: u32 = 64u;
override TILE: u32 = 64u;
override HALF: u32 = 32u;
override GROUPS: u32 = 2u;
override ACC: u32 = 64u;
struct P {
 n_head: u32,
 n_head_kv: u32,
 n_cells: u32,
 n_table: u32,
 stride: u32,
 out_stride: u32,
 sliding: u32,
 scale: f32,
 softcap: f32,
 n_rot: u32,
 n_pos: u32,
 eps: f32,
 max_rows: u32,
}
@group(0) @binding(0) var<storage, read> qkv: array<f32>;
@group(0) @binding(1) var<storage, read_write> kv: array<u32>;
@group(0) @binding(2) var<storage, read> table: array<u32>;
@group(0) @binding(3) var<storage, read> step: Step;
@group(0) @binding(4) var<storage, read_write> out: array<f32>;
@group(0) @binding(5) var<storage, read> qk_norm: array<f32>;
@group(0) @binding(6) var<storage, read> rope: array<vec2<f32>>;
@group(0) @binding(7) var<uniform> p: P;
var<workgroup> query: array<vec2<f32>, HALF>;
var<workgroup> scores: array<f32, TILE>;
var<workgroup> masses: array<f32, TILE>;
var<workgroup> cells: array<u32, TILE>;
var<workgroup> acc: array<vec2<f32>, ACC>;
var<workgroup> own_key: array<vec2<f32>, HALF>;
var<workgroup> own_value: array<u32, HALF>;
var<private> own_cell: u32;
fn score(cell: u32, k_from: u32) -> f32 {
 var dots = vec2<f32>(0.0);
 if (cell == own_cell) {
  for (var w = 0u; w < HALF; w++) {
   dots += own_key[w] * query[w];
  }
  return capped((dots.x + dots.y) * p.scale);
 }
 for (var w = 0u; w < HALF; w++) {
  dots += key(k_from, w) * query[w];
 }
 return capped((dots.x + dots.y) * p.scale);
}
fn value(cell: u32, v_from: u32, w: u32) -> vec2<f32> {
 if (cell == own_cell) {
  return half2(own_value[w]);
 }
 return half2(kv[v_from + w]);
}
fn inverse_rms(head: u32) -> f32 {
 var sum = 0.0;
 for (var d = 0u; d < 2u * HALF; d++) {
  sum += qkv[head + d] * qkv[head + d];
 }
 return inverseSqrt(sum / f32(2u * HALF) + p.eps);
}
fn prepare(t: u32, h: u32, stores: bool) {
 let dim = 2u * HALF;
 let group = p.n_head / p.n_head_kv;
 let pos = min(step.rows[0].pos, p.n_pos - 1u);
 let q_at = h * dim;
 let k_at = (p.n_head + h / group) * dim;
 let v_at = k_at + p.n_head_kv * dim;
 var q_scale = 1.0;
 var k_scale = 1.0;
 if (QK_NORM != 0u) {
  q_scale = inverse_rms(q_at);
  k_scale = inverse_rms(k_at);
 }
 own_cell = min(step.rows[0].cell, p.n_cells - 1u);
 let cell_at = own_cell * (KEY_WORDS + 1u) * p.n_head_kv * HALF;
 let k_to = cell_at + h / group * HALF * KEY_WORDS;
 let v_to = cell_at + (p.n_head_kv * KEY_WORDS + h / group) * HALF;
 for (var w = t; w < HALF; w += T) {
  let d = 2u * w;
  query[w] = vec2<f32>(turned(q_at, 0u, q_scale, pos, d), turned(q_at, 0u, q_scale, pos, d + 1u));
  let k = vec2<f32>(turned(k_at, dim, k_scale, pos, d), turned(k_at, dim, k_scale, pos, d + 1u));
  own_key[w] = k;
  if (KEY_WORDS == 1u) {
   own_key[w] = half2(halves(k));
  }
  own_value[w] = halves(vec2<f32>(qkv[v_at + d], qkv[v_at + d + 1u]));
  if (stores && h % group == 0u) {
   store_key(k_to, w, k);
   kv[v_to + w] = own_value[w];
  }
 }
}
fn total(w: u32) -> vec2<f32> {
 var a = vec2<f32>(0.0);
 for (var g = 0u; g < GROUPS; g++) {
  a += acc[g * HALF + w];
 }
 return a;
}
@compute @workgroup_size(T)
fn main(@builtin(local_invocation_index) t: u32, @builtin(workgroup_id) wg: vec3<u32>) {
 let row = wg.y;
 if (row >= step.n_rows) {
  return;
 }
 let cell_words = (KEY_WORDS + 1u) * p.n_head_kv * HALF;
 let head_kv = wg.x / (p.n_head / p.n_head_kv);
 let k_at = head_kv * HALF * KEY_WORDS;
 let v_at = (p.n_head_kv * KEY_WORDS + head_kv) * HALF;
 let first = first_entry(row);
 let end = end_entry(row);
               {
  prepare(t, wg.x, wg.z == 0u);
 }
 for (var i = t; i < ACC; i += T) {
  acc[i] = vec2<f32>(0.0);
 }
 workgroupBarrier();
 var top = LOWEST;
 var sum = 0.0;
 let begin = first;
 let stride = TILE;
 for (var start = begin; start < end; start += stride) {
  let n = min(TILE, end - start);
  for (var k = t; k < n; k += T) {
   var s = LOWEST;
   if (in_branch(row, start + k)) {
    let cell = cell_of(row, start + k);
    s = score(cell, cell * cell_words + k_at);
   }
   scores[k] = s;
  }
  workgroupBarrier();
  let last_top = top;
  for (var k = 0u; k < n; k++) {
   top = max(top, scores[k]);
  }
  for (var k = t; k < n; k += T) {
   masses[k] = select(0.0, exp(min(scores[k] - top, 0.0)), scores[k] > LOWEST);
   cells[k] = cell_of(row, start + k);
  }
  workgroupBarrier();
  let shrink = exp(last_top - top);
  sum *= shrink;
  for (var k = 0u; k < n; k++) {
   sum += masses[k];
  }
  for (var i = t; i < ACC; i += T) {
   var a = acc[i] * shrink;
   for (var k = i / HALF; k < n; k += GROUPS) {
    if (masses[k] > 0.0) {
     a += masses[k] * value(cells[k], cells[k] * cell_words + v_at, i % HALF);
    }
   }
   acc[i] = a;
  }
 }
 workgroupBarrier();
              {
  let norm = select(0.0, 1.0 / max(sum, 1e-30), sum > 0.0);
  for (var w = t; w < HALF; w += T) {
   let a = total(w);
   let at = row * p.out_stride + wg.x * 2u * HALF + 2u * w;
   out[at] = a.x * norm;
   out[at + 1u] = a.y * norm;
  }
 }
}
",
    },
    Shader {
        name: "attention_split",
        kernel: "attention",
        workgroup_size: [64, 1, 1],
        bindings: &[
            Binding { index: 0, name: "qkv", kind: BindingKind::Read, min_size: 4 },
            Binding { index: 1, name: "kv", kind: BindingKind::ReadWrite, min_size: 4 },
            Binding { index: 2, name: "table", kind: BindingKind::Read, min_size: 4 },
            Binding { index: 3, name: "step", kind: BindingKind::Read, min_size: 192 },
            Binding { index: 4, name: "out", kind: BindingKind::ReadWrite, min_size: 4 },
            Binding { index: 5, name: "qk_norm", kind: BindingKind::Read, min_size: 4 },
            Binding { index: 6, name: "rope", kind: BindingKind::Read, min_size: 8 },
            Binding { index: 7, name: "p", kind: BindingKind::Uniform, min_size: 52 },
        ],
        overrides: &[
            Override { name: "KEY_WORDS", default: Some(1.0) },
            Override { name: "QK_NORM", default: Some(0.0) },
            Override { name: "ROPE", default: Some(1.0) },
            Override { name: "NEOX", default: Some(0.0) },
            Override { name: "T", default: Some(64.0) },
            Override { name: "TILE", default: Some(64.0) },
            Override { name: "HALF", default: Some(32.0) },
            Override { name: "GROUPS", default: Some(2.0) },
            Override { name: "ACC", default: Some(64.0) },
            Override { name: "SPLITS", default: Some(8.0) },
        ],
        needs: &[],
        workgroup_bytes: 1920,
        uniform: &[
            UniformField { name: "n_head", offset: 0, size: 4 },
            UniformField { name: "n_head_kv", offset: 4, size: 4 },
            UniformField { name: "n_cells", offset: 8, size: 4 },
            UniformField { name: "n_table", offset: 12, size: 4 },
            UniformField { name: "stride", offset: 16, size: 4 },
            UniformField { name: "out_stride", offset: 20, size: 4 },
            UniformField { name: "sliding", offset: 24, size: 4 },
            UniformField { name: "scale", offset: 28, size: 4 },
            UniformField { name: "softcap", offset: 32, size: 4 },
            UniformField { name: "n_rot", offset: 36, size: 4 },
            UniformField { name: "n_pos", offset: 40, size: 4 },
            UniformField { name: "eps", offset: 44, size: 4 },
            UniformField { name: "max_rows", offset: 48, size: 4 },
        ],
        wgsl: r"const IDENTITY = 0xffffffffu;
struct Row {
 token: u32,
 pos: u32,
 cell: u32,
 table: u32,
 base: u32,
 lo: u32,
 hi: u32,
 lo_swa: u32,
 tree: u32,
 ancestors_lo: u32,
 ancestors_hi: u32,
 seq: u32,
 mix_start: u32,
 mix_len: u32,
 reserved0: u32,
 reserved1: u32,
}
struct Step {
 n_rows: u32,
 n_want: u32,
 seed_lo: u32,
 seed_hi: u32,
 window: u32,
 n_out: u32,
 reserved: array<u32, 10>,
 want: array<u32, 16>,
 rows: array<Row>,
}
fn half(h: u32) -> f32 {
 let m = h & 0x7fffu;
 let rebias = select(0x38000000u, 0x70000000u, m >= 0x7c00u);
 let v = select(bitcast<f32>((m << 13u) + rebias), f32(m) * 0x1p-24f, m < 0x400u);
 return bitcast<f32>(bitcast<u32>(v) | ((h & 0x8000u) << 16u));
}
fn half2(w: u32) -> vec2<f32> {
 return vec2<f32>(half(w & 0xffffu), half(w >> 16u));
}
override KEY_WORDS: u32 = 1u;
fn halves(v: vec2<f32>) -> u32 {
 return pack2x16float(clamp(v, vec2<f32>(-65504.0), vec2<f32>(65504.0)));
}
fn key(at: u32, w: u32) -> vec2<f32> {
 if (KEY_WORDS == 2u) {
  return bitcast<vec2<f32>>(vec2<u32>(kv[at + 2u * w], kv[at + 2u * w + 1u]));
 }
 return half2(kv[at + w]);
}
fn rotate(v: vec2<f32>, c: vec2<f32>) -> vec2<f32> {
 return vec2<f32>(v.x * c.x - v.y * c.y, v.x * c.y + v.y * c.x);
}
fn soft_tanh(v: f32) -> f32 {
 let e = exp(-2.0 * min(abs(v), 15.0));
 return sign(v) * ((1.0 - e) / (1.0 + e));
}
const LOWEST = -1e30;
fn cell_of(row: u32, i: u32) -> u32 {
 var cell = step.rows[row].base + i;
 if (step.rows[row].table != IDENTITY) {
  cell = table[min(step.rows[row].table + i, p.n_table - 1u)];
 }
 return min(cell, p.n_cells - 1u);
}
fn in_branch(row: u32, i: u32) -> bool {
 let tree = step.rows[row].tree;
 if (i < tree) {
  return true;
 }
 let bit = i - tree;
 let word = select(step.rows[row].ancestors_hi, step.rows[row].ancestors_lo, bit < 32u);
 return bit < 64u && ((word >> (bit & 31u)) & 1u) == 1u;
}
fn first_entry(row: u32) -> u32 {
 return select(step.rows[row].lo, step.rows[row].lo_swa, p.sliding == 1u);
}
fn end_entry(row: u32) -> u32 {
 return min(step.rows[row].hi, p.n_cells);
}
fn capped(s: f32) -> f32 {
 if (p.softcap > 0.0) {
  return p.softcap * soft_tanh(s / p.softcap);
 }
 return s;
}
fn store_key(at: u32, w: u32, v: vec2<f32>) {
 if (KEY_WORDS == 2u) {
  kv[at + 2u * w] = bitcast<u32>(v.x);
  kv[at + 2u * w + 1u] = bitcast<u32>(v.y);
 } else {
  kv[at + w] = halves(v);
 }
}
override QK_NORM: u32 = 0u;
override ROPE: bool = true;
override NEOX: bool = false;
fn rotate_pair(v: vec2<f32>, pos: u32, j: u32) -> vec2<f32> {
 if (!ROPE || j >= p.n_rot / 2u) {
  return v;
 }
 return rotate(v, rope[pos * (p.n_rot / 2u) + j]);
}
fn pair(j: u32) -> vec2<u32> {
 if (NEOX && j < p.n_rot / 2u) {
  return vec2<u32>(j, j + p.n_rot / 2u);
 }
 return vec2<u32>(2u * j, 2u * j + 1u);
}
fn turned(head: u32, weight: u32, scale: f32, pos: u32, d: u32) -> f32 {
 let half = p.n_rot / 2u;
 var j = d / 2u;
 var second = (d & 1u) == 1u;
 if (NEOX && d < p.n_rot) {
  second = d >= half;
  j = select(d, d - half, second);
 }
 let e = pair(j);
 var v = vec2<f32>(qkv[head + e.x], qkv[head + e.y]);
 if (QK_NORM != 0u) {
  v *= scale * vec2<f32>(qk_norm[weight + e.x], qk_norm[weight + e.y]);
 }
 v = rotate_pair(v, pos, j);
 return select(v.x, v.y, second);
}
override T: u32 = 64u;
override TILE: u32 = 64u;
override HALF: u32 = 32u;
override GROUPS: u32 = 2u;
override ACC: u32 = 64u;
override SPLITS: u32 = 8u;
struct P {
 n_head: u32,
 n_head_kv: u32,
 n_cells: u32,
 n_table: u32,
 stride: u32,
 out_stride: u32,
 sliding: u32,
 scale: f32,
 softcap: f32,
 n_rot: u32,
 n_pos: u32,
 eps: f32,
 max_rows: u32,
}
@group(0) @binding(0) var<storage, read> qkv: array<f32>;
@group(0) @binding(1) var<storage, read_write> kv: array<u32>;
@group(0) @binding(2) var<storage, read> table: array<u32>;
@group(0) @binding(3) var<storage, read> step: Step;
@group(0) @binding(4) var<storage, read_write> out: array<f32>;
@group(0) @binding(5) var<storage, read> qk_norm: array<f32>;
@group(0) @binding(6) var<storage, read> rope: array<vec2<f32>>;
@group(0) @binding(7) var<uniform> p: P;
var<workgroup> query: array<vec2<f32>, HALF>;
var<workgroup> scores: array<f32, TILE>;
var<workgroup> masses: array<f32, TILE>;
var<workgroup> cells: array<u32, TILE>;
var<workgroup> acc: array<vec2<f32>, ACC>;
var<workgroup> own_key: array<vec2<f32>, HALF>;
var<workgroup> own_value: array<u32, HALF>;
var<private> own_cell: u32;
fn score(cell: u32, k_from: u32) -> f32 {
 var dots = vec2<f32>(0.0);
 if (cell == own_cell) {
  for (var w = 0u; w < HALF; w++) {
   dots += own_key[w] * query[w];
  }
  return capped((dots.x + dots.y) * p.scale);
 }
 for (var w = 0u; w < HALF; w++) {
  dots += key(k_from, w) * query[w];
 }
 return capped((dots.x + dots.y) * p.scale);
}
fn value(cell: u32, v_from: u32, w: u32) -> vec2<f32> {
 if (cell == own_cell) {
  return half2(own_value[w]);
 }
 return half2(kv[v_from + w]);
}
fn inverse_rms(head: u32) -> f32 {
 var sum = 0.0;
 for (var d = 0u; d < 2u * HALF; d++) {
  sum += qkv[head + d] * qkv[head + d];
 }
 return inverseSqrt(sum / f32(2u * HALF) + p.eps);
}
fn prepare(t: u32, h: u32, stores: bool) {
 let dim = 2u * HALF;
 let group = p.n_head / p.n_head_kv;
 let pos = min(step.rows[0].pos, p.n_pos - 1u);
 let q_at = h * dim;
 let k_at = (p.n_head + h / group) * dim;
 let v_at = k_at + p.n_head_kv * dim;
 var q_scale = 1.0;
 var k_scale = 1.0;
 if (QK_NORM != 0u) {
  q_scale = inverse_rms(q_at);
  k_scale = inverse_rms(k_at);
 }
 own_cell = min(step.rows[0].cell, p.n_cells - 1u);
 let cell_at = own_cell * (KEY_WORDS + 1u) * p.n_head_kv * HALF;
 let k_to = cell_at + h / group * HALF * KEY_WORDS;
 let v_to = cell_at + (p.n_head_kv * KEY_WORDS + h / group) * HALF;
 for (var w = t; w < HALF; w += T) {
  let d = 2u * w;
  query[w] = vec2<f32>(turned(q_at, 0u, q_scale, pos, d), turned(q_at, 0u, q_scale, pos, d + 1u));
  let k = vec2<f32>(turned(k_at, dim, k_scale, pos, d), turned(k_at, dim, k_scale, pos, d + 1u));
  own_key[w] = k;
  if (KEY_WORDS == 1u) {
   own_key[w] = half2(halves(k));
  }
  own_value[w] = halves(vec2<f32>(qkv[v_at + d], qkv[v_at + d + 1u]));
  if (stores && h % group == 0u) {
   store_key(k_to, w, k);
   kv[v_to + w] = own_value[w];
  }
 }
}
fn total(w: u32) -> vec2<f32> {
 var a = vec2<f32>(0.0);
 for (var g = 0u; g < GROUPS; g++) {
  a += acc[g * HALF + w];
 }
 return a;
}
@compute @workgroup_size(T)
fn main(@builtin(local_invocation_index) t: u32, @builtin(workgroup_id) wg: vec3<u32>) {
 let row = wg.y;
 if (row >= step.n_rows) {
  return;
 }
 let cell_words = (KEY_WORDS + 1u) * p.n_head_kv * HALF;
 let head_kv = wg.x / (p.n_head / p.n_head_kv);
 let k_at = head_kv * HALF * KEY_WORDS;
 let v_at = (p.n_head_kv * KEY_WORDS + head_kv) * HALF;
 let first = first_entry(row);
 let end = end_entry(row);
               {
  prepare(t, wg.x, wg.z == 0u);
 }
 for (var i = t; i < ACC; i += T) {
  acc[i] = vec2<f32>(0.0);
 }
 workgroupBarrier();
 var top = LOWEST;
 var sum = 0.0;
 let begin = first + wg.z * TILE;
 let stride = SPLITS * TILE;
 for (var start = begin; start < end; start += stride) {
  let n = min(TILE, end - start);
  for (var k = t; k < n; k += T) {
   var s = LOWEST;
   if (in_branch(row, start + k)) {
    let cell = cell_of(row, start + k);
    s = score(cell, cell * cell_words + k_at);
   }
   scores[k] = s;
  }
  workgroupBarrier();
  let last_top = top;
  for (var k = 0u; k < n; k++) {
   top = max(top, scores[k]);
  }
  for (var k = t; k < n; k += T) {
   masses[k] = select(0.0, exp(min(scores[k] - top, 0.0)), scores[k] > LOWEST);
   cells[k] = cell_of(row, start + k);
  }
  workgroupBarrier();
  let shrink = exp(last_top - top);
  sum *= shrink;
  for (var k = 0u; k < n; k++) {
   sum += masses[k];
  }
  for (var i = t; i < ACC; i += T) {
   var a = acc[i] * shrink;
   for (var k = i / HALF; k < n; k += GROUPS) {
    if (masses[k] > 0.0) {
     a += masses[k] * value(cells[k], cells[k] * cell_words + v_at, i % HALF);
    }
   }
   acc[i] = a;
  }
 }
 workgroupBarrier();
         {
  let part = (wg.x * SPLITS + wg.z) * (2u * HALF + 2u);
  for (var w = t; w < HALF; w += T) {
   let a = total(w);
   out[part + 2u * w] = a.x;
   out[part + 2u * w + 1u] = a.y;
  }
  if (t == 0u) {
   out[part + 2u * HALF] = top;
   out[part + 2u * HALF + 1u] = sum;
  }
 }
}
",
    },
    Shader {
        name: "attention_tile",
        kernel: "attention_tile",
        workgroup_size: [64, 1, 1],
        bindings: &[
            Binding { index: 0, name: "qkv", kind: BindingKind::Read, min_size: 4 },
            Binding { index: 1, name: "kv", kind: BindingKind::Read, min_size: 4 },
            Binding { index: 2, name: "table", kind: BindingKind::Read, min_size: 4 },
            Binding { index: 3, name: "step", kind: BindingKind::Read, min_size: 192 },
            Binding { index: 4, name: "out", kind: BindingKind::ReadWrite, min_size: 4 },
            Binding { index: 5, name: "p", kind: BindingKind::Uniform, min_size: 52 },
        ],
        overrides: &[
            Override { name: "KEY_WORDS", default: Some(1.0) },
            Override { name: "HALF", default: Some(32.0) },
            Override { name: "QUERIES", default: Some(32.0) },
            Override { name: "KEYS", default: Some(16.0) },
            Override { name: "Q_WORDS", default: Some(1024.0) },
            Override { name: "K_WORDS", default: Some(528.0) },
            Override { name: "SCORES", default: Some(512.0) },
        ],
        needs: &[],
        workgroup_bytes: 14976,
        uniform: &[
            UniformField { name: "n_head", offset: 0, size: 4 },
            UniformField { name: "n_head_kv", offset: 4, size: 4 },
            UniformField { name: "n_cells", offset: 8, size: 4 },
            UniformField { name: "n_table", offset: 12, size: 4 },
            UniformField { name: "stride", offset: 16, size: 4 },
            UniformField { name: "out_stride", offset: 20, size: 4 },
            UniformField { name: "sliding", offset: 24, size: 4 },
            UniformField { name: "scale", offset: 28, size: 4 },
            UniformField { name: "softcap", offset: 32, size: 4 },
            UniformField { name: "n_rot", offset: 36, size: 4 },
            UniformField { name: "n_pos", offset: 40, size: 4 },
            UniformField { name: "eps", offset: 44, size: 4 },
            UniformField { name: "max_rows", offset: 48, size: 4 },
        ],
        wgsl: r"const IDENTITY = 0xffffffffu;
struct Row {
 token: u32,
 pos: u32,
 cell: u32,
 table: u32,
 base: u32,
 lo: u32,
 hi: u32,
 lo_swa: u32,
 tree: u32,
 ancestors_lo: u32,
 ancestors_hi: u32,
 seq: u32,
 mix_start: u32,
 mix_len: u32,
 reserved0: u32,
 reserved1: u32,
}
struct Step {
 n_rows: u32,
 n_want: u32,
 seed_lo: u32,
 seed_hi: u32,
 window: u32,
 n_out: u32,
 reserved: array<u32, 10>,
 want: array<u32, 16>,
 rows: array<Row>,
}
fn half(h: u32) -> f32 {
 let m = h & 0x7fffu;
 let rebias = select(0x38000000u, 0x70000000u, m >= 0x7c00u);
 let v = select(bitcast<f32>((m << 13u) + rebias), f32(m) * 0x1p-24f, m < 0x400u);
 return bitcast<f32>(bitcast<u32>(v) | ((h & 0x8000u) << 16u));
}
fn half2(w: u32) -> vec2<f32> {
 return vec2<f32>(half(w & 0xffffu), half(w >> 16u));
}
override KEY_WORDS: u32 = 1u;
fn key(at: u32, w: u32) -> vec2<f32> {
 if (KEY_WORDS == 2u) {
  return bitcast<vec2<f32>>(vec2<u32>(kv[at + 2u * w], kv[at + 2u * w + 1u]));
 }
 return half2(kv[at + w]);
}
fn soft_tanh(v: f32) -> f32 {
 let e = exp(-2.0 * min(abs(v), 15.0));
 return sign(v) * ((1.0 - e) / (1.0 + e));
}
const LOWEST = -1e30;
fn cell_of(row: u32, i: u32) -> u32 {
 var cell = step.rows[row].base + i;
 if (step.rows[row].table != IDENTITY) {
  cell = table[min(step.rows[row].table + i, p.n_table - 1u)];
 }
 return min(cell, p.n_cells - 1u);
}
fn in_branch(row: u32, i: u32) -> bool {
 let tree = step.rows[row].tree;
 if (i < tree) {
  return true;
 }
 let bit = i - tree;
 let word = select(step.rows[row].ancestors_hi, step.rows[row].ancestors_lo, bit < 32u);
 return bit < 64u && ((word >> (bit & 31u)) & 1u) == 1u;
}
fn first_entry(row: u32) -> u32 {
 return select(step.rows[row].lo, step.rows[row].lo_swa, p.sliding == 1u);
}
fn end_entry(row: u32) -> u32 {
 return min(step.rows[row].hi, p.n_cells);
}
fn capped(s: f32) -> f32 {
 if (p.softcap > 0.0) {
  return p.softcap * soft_tanh(s / p.softcap);
 }
 return s;
}
override HALF: u32 = 32u;
override QUERIES: u32 = 32u;
override KEYS: u32 = 16u;
override Q_WORDS: u32 = 1024u;
override K_WORDS: u32 = 528u;
override SCORES: u32 = 512u;
const T = 64u;
const OWNED = 16u;
struct P {
 n_head: u32,
 n_head_kv: u32,
 n_cells: u32,
 n_table: u32,
 stride: u32,
 out_stride: u32,
 sliding: u32,
 scale: f32,
 softcap: f32,
 n_rot: u32,
 n_pos: u32,
 eps: f32,
 max_rows: u32,
}
@group(0) @binding(0) var<storage, read> qkv: array<f32>;
@group(0) @binding(1) var<storage, read> kv: array<u32>;
@group(0) @binding(2) var<storage, read> table: array<u32>;
@group(0) @binding(3) var<storage, read> step: Step;
@group(0) @binding(4) var<storage, read_write> out: array<f32>;
@group(0) @binding(5) var<uniform> p: P;
var<workgroup> queries: array<vec2<f32>, Q_WORDS>;
var<workgroup> tile: array<vec2<f32>, K_WORDS>;
var<workgroup> scores: array<f32, SCORES>;
var<workgroup> shrinks: array<f32, T>;
var<workgroup> sums: array<f32, T>;
fn sees(row: u32, run: u32, end: u32, i: u32) -> bool {
 return row >= run && row < end && i >= first_entry(row) && i < end_entry(row) && in_branch(row, i);
}
@compute @workgroup_size(T)
fn main(@builtin(local_invocation_index) t: u32, @builtin(workgroup_id) wg: vec3<u32>) {
 let n_rows = min(step.n_rows, p.max_rows);
 let group = p.n_head / p.n_head_kv;
 let first = wg.y * QUERIES;
 if (first >= n_rows * group) {
  return;
 }
 let row_end = min((first + QUERIES - 1u) / group + 1u, n_rows);
 let cell_words = (KEY_WORDS + 1u) * p.n_head_kv * HALF;
 let k_at = wg.x * HALF * KEY_WORDS;
 let v_at = (p.n_head_kv * KEY_WORDS + wg.x) * HALF;
 for (var i = t; i < Q_WORDS; i += T) {
  let query = first + i / HALF;
  let row = min(query / group, n_rows - 1u);
  let at = row * p.stride + (wg.x * group + query % group) * 2u * HALF + 2u * (i % HALF);
  queries[i] = vec2<f32>(qkv[at], qkv[at + 1u]);
 }
 var acc: array<vec2<f32>, OWNED>;
 for (var o = 0u; o < OWNED; o++) {
  acc[o] = vec2<f32>(0.0);
 }
 var top = LOWEST;
 var sum = 0.0;
 var run = first / group;
 while (run < row_end) {
  var end = run + 1u;
  var lo = first_entry(run);
  var hi = end_entry(run);
  while (end < row_end && step.rows[end].table == step.rows[run].table && step.rows[end].base == step.rows[run].base) {
   lo = min(lo, first_entry(end));
   hi = max(hi, end_entry(end));
   end++;
  }
  for (var start = lo; start < hi; start += KEYS) {
   workgroupBarrier();
   for (var i = t; i < KEYS * HALF; i += T) {
    let cell = cell_of(run, start + i / HALF);
    tile[i / HALF * (HALF + 1u) + i % HALF] = key(cell * cell_words + k_at, i % HALF);
   }
   workgroupBarrier();
   for (var i = t; i < SCORES / 2u; i += T) {
    let k = i % KEYS;
    let q = i / KEYS * 2u;
    let from_k = k * (HALF + 1u);
    var even = vec2<f32>(0.0);
    var odd = vec2<f32>(0.0);
    for (var w = 0u; w < HALF; w++) {
     even += tile[from_k + w] * queries[q * HALF + w];
     odd += tile[from_k + w] * queries[(q + 1u) * HALF + w];
    }
    let a = capped((even.x + even.y) * p.scale);
    let b = capped((odd.x + odd.y) * p.scale);
    scores[q * KEYS + k] = select(LOWEST, a, sees((first + q) / group, run, end, start + k));
    scores[(q + 1u) * KEYS + k] = select(LOWEST, b, sees((first + q + 1u) / group, run, end, start + k));
   }
   workgroupBarrier();
   if (t < QUERIES) {
    let last_top = top;
    for (var k = 0u; k < KEYS; k++) {
     top = max(top, scores[t * KEYS + k]);
    }
    let shrink = exp(last_top - top);
    sum *= shrink;
    for (var k = 0u; k < KEYS; k++) {
     let s = scores[t * KEYS + k];
     let weight = select(0.0, exp(min(s - top, 0.0)), s > LOWEST);
     scores[t * KEYS + k] = weight;
     sum += weight;
    }
    shrinks[t] = shrink;
   }
   for (var i = t; i < KEYS * HALF; i += T) {
    let cell = cell_of(run, start + i / HALF);
    tile[i / HALF * (HALF + 1u) + i % HALF] = half2(kv[cell * cell_words + v_at + i % HALF]);
   }
   workgroupBarrier();
   for (var o = 0u; o < OWNED; o++) {
    let i = o * T + t;
    if (i < Q_WORDS) {
     let q = i / HALF;
     var a = acc[o] * shrinks[q];
     for (var k = 0u; k < KEYS; k++) {
      let weight = scores[q * KEYS + k];
      if (weight > 0.0) {
       a += weight * tile[k * (HALF + 1u) + i % HALF];
      }
     }
     acc[o] = a;
    }
   }
  }
  run = end;
 }
 sums[t] = sum;
 workgroupBarrier();
 for (var o = 0u; o < OWNED; o++) {
  let i = o * T + t;
  let query = first + i / HALF;
  if (i < Q_WORDS && query < n_rows * group) {
   let total = sums[i / HALF];
   let norm = select(0.0, 1.0 / max(total, 1e-30), total > 0.0);
   let at = query / group * p.out_stride + (wg.x * group + query % group) * 2u * HALF + 2u * (i % HALF);
   out[at] = acc[o].x * norm;
   out[at + 1u] = acc[o].y * norm;
  }
 }
}
",
    },
    Shader {
        name: "copy_rows",
        kernel: "copy_rows",
        workgroup_size: [64, 1, 1],
        bindings: &[
            Binding { index: 0, name: "x", kind: BindingKind::Read, min_size: 4 },
            Binding { index: 1, name: "out", kind: BindingKind::ReadWrite, min_size: 4 },
            Binding { index: 2, name: "step", kind: BindingKind::Read, min_size: 192 },
            Binding { index: 3, name: "p", kind: BindingKind::Uniform, min_size: 32 },
        ],
        overrides: &[
            Override { name: "T", default: Some(64.0) },
            Override { name: "SPAN", default: Some(256.0) },
        ],
        needs: &[],
        workgroup_bytes: 0,
        uniform: &[
            UniformField { name: "n", offset: 0, size: 4 },
            UniformField { name: "x_stride", offset: 4, size: 4 },
            UniformField { name: "out_stride", offset: 8, size: 4 },
            UniformField { name: "n_x_rows", offset: 12, size: 4 },
            UniformField { name: "mode", offset: 16, size: 4 },
            UniformField { name: "out_row", offset: 20, size: 4 },
            UniformField { name: "reserved0", offset: 24, size: 4 },
            UniformField { name: "reserved1", offset: 28, size: 4 },
        ],
        wgsl: r"struct Row {
 token: u32,
 pos: u32,
 cell: u32,
 table: u32,
 base: u32,
 lo: u32,
 hi: u32,
 lo_swa: u32,
 tree: u32,
 ancestors_lo: u32,
 ancestors_hi: u32,
 seq: u32,
 mix_start: u32,
 mix_len: u32,
 reserved0: u32,
 reserved1: u32,
}
struct Step {
 n_rows: u32,
 n_want: u32,
 seed_lo: u32,
 seed_hi: u32,
 window: u32,
 n_out: u32,
 reserved: array<u32, 10>,
 want: array<u32, 16>,
 rows: array<Row>,
}
override T: u32 = 64u;
override SPAN: u32 = 256u;
struct P {
 n: u32,
 x_stride: u32,
 out_stride: u32,
 n_x_rows: u32,
 mode: u32,
 out_row: u32,
 reserved0: u32,
 reserved1: u32,
}
@group(0) @binding(0) var<storage, read> x: array<u32>;
@group(0) @binding(1) var<storage, read_write> out: array<u32>;
@group(0) @binding(2) var<storage, read> step: Step;
@group(0) @binding(3) var<uniform> p: P;
@compute @workgroup_size(T)
fn main(@builtin(local_invocation_index) t: u32, @builtin(workgroup_id) wg: vec3<u32>) {
 let gather = p.mode == 0u;
 if (wg.y >= select(step.n_rows, min(step.n_want, 16u), gather)) {
  return;
 }
 let row = select(wg.y, step.want[min(wg.y, 15u)], gather);
 let src = min(row, p.n_x_rows - 1u) * p.x_stride;
 let dst = (p.out_row + wg.y) * p.out_stride;
 let end = min(p.n, (wg.x + 1u) * SPAN);
 for (var i = wg.x * SPAN + t; i < end; i += T) {
  out[dst + i] = x[src + i];
 }
}
",
    },
    Shader {
        name: "embed_bf16",
        kernel: "embed",
        workgroup_size: [64, 1, 1],
        bindings: &[
            Binding { index: 0, name: "wq", kind: BindingKind::Read, min_size: 16 },
            Binding { index: 1, name: "ws", kind: BindingKind::Read, min_size: 4 },
            Binding { index: 2, name: "mixes", kind: BindingKind::Read, min_size: 8 },
            Binding { index: 3, name: "step", kind: BindingKind::Read, min_size: 192 },
            Binding { index: 4, name: "x", kind: BindingKind::ReadWrite, min_size: 16 },
            Binding { index: 5, name: "p", kind: BindingKind::Uniform, min_size: 32 },
        ],
        overrides: &[
            Override { name: "ADD", default: Some(0.0) },
            Override { name: "SOURCE", default: Some(0.0) },
            Override { name: "T", default: Some(64.0) },
        ],
        needs: &[],
        workgroup_bytes: 0,
        uniform: &[
            UniformField { name: "n_chunk", offset: 0, size: 4 },
            UniformField { name: "n_unit", offset: 4, size: 4 },
            UniformField { name: "row0", offset: 8, size: 4 },
            UniformField { name: "n_rows", offset: 12, size: 4 },
            UniformField { name: "n_vocab", offset: 16, size: 4 },
            UniformField { name: "n_mix", offset: 20, size: 4 },
            UniformField { name: "first", offset: 24, size: 4 },
            UniformField { name: "scale", offset: 28, size: 4 },
        ],
        wgsl: r"struct Chunk {
 v0: vec4<f32>,
 v1: vec4<f32>,
 v2: vec4<f32>,
 v3: vec4<f32>,
 v4: vec4<f32>,
 v5: vec4<f32>,
 v6: vec4<f32>,
 v7: vec4<f32>,
}
struct Coded {
 q: Chunk,
 s: vec4<f32>,
}
fn chunk_scale(q: Chunk, lo: f32, hi: f32) -> Chunk {
 return Chunk(q.v0 * lo, q.v1 * lo, q.v2 * lo, q.v3 * lo, q.v4 * hi, q.v5 * hi, q.v6 * hi, q.v7 * hi);
}
fn chunk_add(a: Chunk, b: Chunk) -> Chunk {
 return Chunk(a.v0 + b.v0, a.v1 + b.v1, a.v2 + b.v2, a.v3 + b.v3, a.v4 + b.v4, a.v5 + b.v5, a.v6 + b.v6, a.v7 + b.v7);
}
fn quants(g: u32, c: u32, r: u32, n_word: u32, word: u32) -> vec4<u32> {
 return wq[((g * p.n_chunk + c) * n_word + word) * 8u + r];
}
fn as_stored(v: Chunk) -> Coded {
 return Coded(v, vec4<f32>(1.0, 1.0, 0.0, 0.0));
}
fn bfloat4(a: u32, b: u32) -> vec4<f32> {
 return bitcast<vec4<f32>>(vec4<u32>(a << 16u, a & 0xffff0000u, b << 16u, b & 0xffff0000u));
}
fn coded(g: u32, c: u32, r: u32) -> Coded {
 let a = quants(g, c, r, 4u, 0u);
 let b = quants(g, c, r, 4u, 1u);
 let d = quants(g, c, r, 4u, 2u);
 let e = quants(g, c, r, 4u, 3u);
 return as_stored(Chunk(bfloat4(a.x, a.y), bfloat4(a.z, a.w), bfloat4(b.x, b.y), bfloat4(b.z, b.w),
  bfloat4(d.x, d.y), bfloat4(d.z, d.w), bfloat4(e.x, e.y), bfloat4(e.z, e.w)));
}
fn dequant(g: u32, c: u32, r: u32) -> Chunk {
 let w = coded(g, c, r);
                       {
  return w.q;
 }
}
const IDENTITY = 0xffffffffu;
struct Row {
 token: u32,
 pos: u32,
 cell: u32,
 table: u32,
 base: u32,
 lo: u32,
 hi: u32,
 lo_swa: u32,
 tree: u32,
 ancestors_lo: u32,
 ancestors_hi: u32,
 seq: u32,
 mix_start: u32,
 mix_len: u32,
 reserved0: u32,
 reserved1: u32,
}
struct Step {
 n_rows: u32,
 n_want: u32,
 seed_lo: u32,
 seed_hi: u32,
 window: u32,
 n_out: u32,
 reserved: array<u32, 10>,
 want: array<u32, 16>,
 rows: array<Row>,
}
override ADD: bool = false;
override SOURCE: u32 = 0u;
override T: u32 = 64u;
struct P {
 n_chunk: u32,
 n_unit: u32,
 row0: u32,
 n_rows: u32,
 n_vocab: u32,
 n_mix: u32,
 first: u32,
 scale: f32,
}
@group(0) @binding(0) var<storage, read> wq: array<vec4<u32>>;
@group(0) @binding(1) var<storage, read> ws: array<u32>;
@group(0) @binding(2) var<storage, read> mixes: array<vec2<u32>>;
@group(0) @binding(3) var<storage, read> step: Step;
@group(0) @binding(4) var<storage, read_write> x: array<vec4<f32>>;
@group(0) @binding(5) var<uniform> p: P;
fn zero() -> Chunk {
 let z = vec4<f32>();
 return Chunk(z, z, z, z, z, z, z, z);
}
fn part_row(id: u32) -> u32 {
 return min(id, p.n_vocab - 1u) - p.row0;
}
fn put(at: u32, add: bool, v: Chunk) {
 var words = array<vec4<f32>, 8>(v.v0, v.v1, v.v2, v.v3, v.v4, v.v5, v.v6, v.v7);
 for (var i = at; i < at + 8u; i++) {
  var word = words[i % 8u] * p.scale;
  if (add) {
   word += x[i];
  }
  x[i] = word;
 }
}
@compute @workgroup_size(T)
fn main(@builtin(local_invocation_index) t: u32, @builtin(workgroup_id) wg: vec3<u32>) {
 let c = wg.x * T + t;
 if (wg.y >= step.n_rows || c >= p.n_chunk) {
  return;
 }
 let at = (wg.y * p.n_chunk + c) * 8u;
 let mix_len = select(step.rows[wg.y].mix_len, 0u, SOURCE == 1u);
 if (mix_len == IDENTITY) {
  return;
 }
 let mixed = mix_len > 0u;
 var begin = 0u;
 var end = 1u;
 if (mixed) {
  begin = min(step.rows[wg.y].mix_start, p.n_mix);
  end = begin + min(mix_len, p.n_mix - begin);
 }
 var sum = zero();
 var here = mixed;
 for (var i = begin; i < end; i++) {
  var id = select(step.rows[wg.y].token, step.rows[wg.y].pos, SOURCE == 1u);
  var w = 1.0;
  if (mixed) {
   id = mixes[i].x;
   w = bitcast<f32>(mixes[i].y);
  }
  let row = part_row(id);
  if (row < p.n_rows) {
   here = true;
   sum = chunk_add(sum, chunk_scale(dequant(row / 8u, c, row % 8u), w, w));
  }
 }
 if (here) {
  put(at, ADD || (mixed && p.first == 0u), sum);
 }
}
",
    },
    Shader {
        name: "embed_f16",
        kernel: "embed",
        workgroup_size: [64, 1, 1],
        bindings: &[
            Binding { index: 0, name: "wq", kind: BindingKind::Read, min_size: 16 },
            Binding { index: 1, name: "ws", kind: BindingKind::Read, min_size: 4 },
            Binding { index: 2, name: "mixes", kind: BindingKind::Read, min_size: 8 },
            Binding { index: 3, name: "step", kind: BindingKind::Read, min_size: 192 },
            Binding { index: 4, name: "x", kind: BindingKind::ReadWrite, min_size: 16 },
            Binding { index: 5, name: "p", kind: BindingKind::Uniform, min_size: 32 },
        ],
        overrides: &[
            Override { name: "ADD", default: Some(0.0) },
            Override { name: "SOURCE", default: Some(0.0) },
            Override { name: "T", default: Some(64.0) },
        ],
        needs: &[],
        workgroup_bytes: 0,
        uniform: &[
            UniformField { name: "n_chunk", offset: 0, size: 4 },
            UniformField { name: "n_unit", offset: 4, size: 4 },
            UniformField { name: "row0", offset: 8, size: 4 },
            UniformField { name: "n_rows", offset: 12, size: 4 },
            UniformField { name: "n_vocab", offset: 16, size: 4 },
            UniformField { name: "n_mix", offset: 20, size: 4 },
            UniformField { name: "first", offset: 24, size: 4 },
            UniformField { name: "scale", offset: 28, size: 4 },
        ],
        wgsl: r"struct Chunk {
 v0: vec4<f32>,
 v1: vec4<f32>,
 v2: vec4<f32>,
 v3: vec4<f32>,
 v4: vec4<f32>,
 v5: vec4<f32>,
 v6: vec4<f32>,
 v7: vec4<f32>,
}
struct Coded {
 q: Chunk,
 s: vec4<f32>,
}
fn chunk_scale(q: Chunk, lo: f32, hi: f32) -> Chunk {
 return Chunk(q.v0 * lo, q.v1 * lo, q.v2 * lo, q.v3 * lo, q.v4 * hi, q.v5 * hi, q.v6 * hi, q.v7 * hi);
}
fn chunk_add(a: Chunk, b: Chunk) -> Chunk {
 return Chunk(a.v0 + b.v0, a.v1 + b.v1, a.v2 + b.v2, a.v3 + b.v3, a.v4 + b.v4, a.v5 + b.v5, a.v6 + b.v6, a.v7 + b.v7);
}
fn quants(g: u32, c: u32, r: u32, n_word: u32, word: u32) -> vec4<u32> {
 return wq[((g * p.n_chunk + c) * n_word + word) * 8u + r];
}
fn half4(a: u32, b: u32) -> vec4<f32> {
 let h = vec4<u32>(a & 0xffffu, a >> 16u, b & 0xffffu, b >> 16u);
 let m = h & vec4<u32>(0x7fffu);
 let rebias = select(vec4<u32>(0x38000000u), vec4<u32>(0x70000000u), m >= vec4<u32>(0x7c00u));
 let normal = bitcast<vec4<f32>>((m << vec4<u32>(13u)) + rebias);
 let v = select(normal, vec4<f32>(m) * 0x1p-24f, m < vec4<u32>(0x400u));
 return bitcast<vec4<f32>>(bitcast<vec4<u32>>(v) | ((h & vec4<u32>(0x8000u)) << vec4<u32>(16u)));
}
fn as_stored(v: Chunk) -> Coded {
 return Coded(v, vec4<f32>(1.0, 1.0, 0.0, 0.0));
}
fn coded(g: u32, c: u32, r: u32) -> Coded {
 let a = quants(g, c, r, 4u, 0u);
 let b = quants(g, c, r, 4u, 1u);
 let d = quants(g, c, r, 4u, 2u);
 let e = quants(g, c, r, 4u, 3u);
 return as_stored(Chunk(half4(a.x, a.y), half4(a.z, a.w), half4(b.x, b.y), half4(b.z, b.w),
  half4(d.x, d.y), half4(d.z, d.w), half4(e.x, e.y), half4(e.z, e.w)));
}
fn dequant(g: u32, c: u32, r: u32) -> Chunk {
 let w = coded(g, c, r);
                       {
  return w.q;
 }
}
const IDENTITY = 0xffffffffu;
struct Row {
 token: u32,
 pos: u32,
 cell: u32,
 table: u32,
 base: u32,
 lo: u32,
 hi: u32,
 lo_swa: u32,
 tree: u32,
 ancestors_lo: u32,
 ancestors_hi: u32,
 seq: u32,
 mix_start: u32,
 mix_len: u32,
 reserved0: u32,
 reserved1: u32,
}
struct Step {
 n_rows: u32,
 n_want: u32,
 seed_lo: u32,
 seed_hi: u32,
 window: u32,
 n_out: u32,
 reserved: array<u32, 10>,
 want: array<u32, 16>,
 rows: array<Row>,
}
override ADD: bool = false;
override SOURCE: u32 = 0u;
override T: u32 = 64u;
struct P {
 n_chunk: u32,
 n_unit: u32,
 row0: u32,
 n_rows: u32,
 n_vocab: u32,
 n_mix: u32,
 first: u32,
 scale: f32,
}
@group(0) @binding(0) var<storage, read> wq: array<vec4<u32>>;
@group(0) @binding(1) var<storage, read> ws: array<u32>;
@group(0) @binding(2) var<storage, read> mixes: array<vec2<u32>>;
@group(0) @binding(3) var<storage, read> step: Step;
@group(0) @binding(4) var<storage, read_write> x: array<vec4<f32>>;
@group(0) @binding(5) var<uniform> p: P;
fn zero() -> Chunk {
 let z = vec4<f32>();
 return Chunk(z, z, z, z, z, z, z, z);
}
fn part_row(id: u32) -> u32 {
 return min(id, p.n_vocab - 1u) - p.row0;
}
fn put(at: u32, add: bool, v: Chunk) {
 var words = array<vec4<f32>, 8>(v.v0, v.v1, v.v2, v.v3, v.v4, v.v5, v.v6, v.v7);
 for (var i = at; i < at + 8u; i++) {
  var word = words[i % 8u] * p.scale;
  if (add) {
   word += x[i];
  }
  x[i] = word;
 }
}
@compute @workgroup_size(T)
fn main(@builtin(local_invocation_index) t: u32, @builtin(workgroup_id) wg: vec3<u32>) {
 let c = wg.x * T + t;
 if (wg.y >= step.n_rows || c >= p.n_chunk) {
  return;
 }
 let at = (wg.y * p.n_chunk + c) * 8u;
 let mix_len = select(step.rows[wg.y].mix_len, 0u, SOURCE == 1u);
 if (mix_len == IDENTITY) {
  return;
 }
 let mixed = mix_len > 0u;
 var begin = 0u;
 var end = 1u;
 if (mixed) {
  begin = min(step.rows[wg.y].mix_start, p.n_mix);
  end = begin + min(mix_len, p.n_mix - begin);
 }
 var sum = zero();
 var here = mixed;
 for (var i = begin; i < end; i++) {
  var id = select(step.rows[wg.y].token, step.rows[wg.y].pos, SOURCE == 1u);
  var w = 1.0;
  if (mixed) {
   id = mixes[i].x;
   w = bitcast<f32>(mixes[i].y);
  }
  let row = part_row(id);
  if (row < p.n_rows) {
   here = true;
   sum = chunk_add(sum, chunk_scale(dequant(row / 8u, c, row % 8u), w, w));
  }
 }
 if (here) {
  put(at, ADD || (mixed && p.first == 0u), sum);
 }
}
",
    },
    Shader {
        name: "embed_f32",
        kernel: "embed",
        workgroup_size: [64, 1, 1],
        bindings: &[
            Binding { index: 0, name: "wq", kind: BindingKind::Read, min_size: 16 },
            Binding { index: 1, name: "ws", kind: BindingKind::Read, min_size: 4 },
            Binding { index: 2, name: "mixes", kind: BindingKind::Read, min_size: 8 },
            Binding { index: 3, name: "step", kind: BindingKind::Read, min_size: 192 },
            Binding { index: 4, name: "x", kind: BindingKind::ReadWrite, min_size: 16 },
            Binding { index: 5, name: "p", kind: BindingKind::Uniform, min_size: 32 },
        ],
        overrides: &[
            Override { name: "ADD", default: Some(0.0) },
            Override { name: "SOURCE", default: Some(0.0) },
            Override { name: "T", default: Some(64.0) },
        ],
        needs: &[],
        workgroup_bytes: 0,
        uniform: &[
            UniformField { name: "n_chunk", offset: 0, size: 4 },
            UniformField { name: "n_unit", offset: 4, size: 4 },
            UniformField { name: "row0", offset: 8, size: 4 },
            UniformField { name: "n_rows", offset: 12, size: 4 },
            UniformField { name: "n_vocab", offset: 16, size: 4 },
            UniformField { name: "n_mix", offset: 20, size: 4 },
            UniformField { name: "first", offset: 24, size: 4 },
            UniformField { name: "scale", offset: 28, size: 4 },
        ],
        wgsl: r"struct Chunk {
 v0: vec4<f32>,
 v1: vec4<f32>,
 v2: vec4<f32>,
 v3: vec4<f32>,
 v4: vec4<f32>,
 v5: vec4<f32>,
 v6: vec4<f32>,
 v7: vec4<f32>,
}
struct Coded {
 q: Chunk,
 s: vec4<f32>,
}
fn chunk_scale(q: Chunk, lo: f32, hi: f32) -> Chunk {
 return Chunk(q.v0 * lo, q.v1 * lo, q.v2 * lo, q.v3 * lo, q.v4 * hi, q.v5 * hi, q.v6 * hi, q.v7 * hi);
}
fn chunk_add(a: Chunk, b: Chunk) -> Chunk {
 return Chunk(a.v0 + b.v0, a.v1 + b.v1, a.v2 + b.v2, a.v3 + b.v3, a.v4 + b.v4, a.v5 + b.v5, a.v6 + b.v6, a.v7 + b.v7);
}
fn quants(g: u32, c: u32, r: u32, n_word: u32, word: u32) -> vec4<u32> {
 return wq[((g * p.n_chunk + c) * n_word + word) * 8u + r];
}
fn as_stored(v: Chunk) -> Coded {
 return Coded(v, vec4<f32>(1.0, 1.0, 0.0, 0.0));
}
fn floats(g: u32, c: u32, r: u32, word: u32) -> vec4<f32> {
 return bitcast<vec4<f32>>(quants(g, c, r, 8u, word));
}
fn coded(g: u32, c: u32, r: u32) -> Coded {
 return as_stored(Chunk(floats(g, c, r, 0u), floats(g, c, r, 1u), floats(g, c, r, 2u), floats(g, c, r, 3u),
  floats(g, c, r, 4u), floats(g, c, r, 5u), floats(g, c, r, 6u), floats(g, c, r, 7u)));
}
fn dequant(g: u32, c: u32, r: u32) -> Chunk {
 let w = coded(g, c, r);
                       {
  return w.q;
 }
}
const IDENTITY = 0xffffffffu;
struct Row {
 token: u32,
 pos: u32,
 cell: u32,
 table: u32,
 base: u32,
 lo: u32,
 hi: u32,
 lo_swa: u32,
 tree: u32,
 ancestors_lo: u32,
 ancestors_hi: u32,
 seq: u32,
 mix_start: u32,
 mix_len: u32,
 reserved0: u32,
 reserved1: u32,
}
struct Step {
 n_rows: u32,
 n_want: u32,
 seed_lo: u32,
 seed_hi: u32,
 window: u32,
 n_out: u32,
 reserved: array<u32, 10>,
 want: array<u32, 16>,
 rows: array<Row>,
}
override ADD: bool = false;
override SOURCE: u32 = 0u;
override T: u32 = 64u;
struct P {
 n_chunk: u32,
 n_unit: u32,
 row0: u32,
 n_rows: u32,
 n_vocab: u32,
 n_mix: u32,
 first: u32,
 scale: f32,
}
@group(0) @binding(0) var<storage, read> wq: array<vec4<u32>>;
@group(0) @binding(1) var<storage, read> ws: array<u32>;
@group(0) @binding(2) var<storage, read> mixes: array<vec2<u32>>;
@group(0) @binding(3) var<storage, read> step: Step;
@group(0) @binding(4) var<storage, read_write> x: array<vec4<f32>>;
@group(0) @binding(5) var<uniform> p: P;
fn zero() -> Chunk {
 let z = vec4<f32>();
 return Chunk(z, z, z, z, z, z, z, z);
}
fn part_row(id: u32) -> u32 {
 return min(id, p.n_vocab - 1u) - p.row0;
}
fn put(at: u32, add: bool, v: Chunk) {
 var words = array<vec4<f32>, 8>(v.v0, v.v1, v.v2, v.v3, v.v4, v.v5, v.v6, v.v7);
 for (var i = at; i < at + 8u; i++) {
  var word = words[i % 8u] * p.scale;
  if (add) {
   word += x[i];
  }
  x[i] = word;
 }
}
@compute @workgroup_size(T)
fn main(@builtin(local_invocation_index) t: u32, @builtin(workgroup_id) wg: vec3<u32>) {
 let c = wg.x * T + t;
 if (wg.y >= step.n_rows || c >= p.n_chunk) {
  return;
 }
 let at = (wg.y * p.n_chunk + c) * 8u;
 let mix_len = select(step.rows[wg.y].mix_len, 0u, SOURCE == 1u);
 if (mix_len == IDENTITY) {
  return;
 }
 let mixed = mix_len > 0u;
 var begin = 0u;
 var end = 1u;
 if (mixed) {
  begin = min(step.rows[wg.y].mix_start, p.n_mix);
  end = begin + min(mix_len, p.n_mix - begin);
 }
 var sum = zero();
 var here = mixed;
 for (var i = begin; i < end; i++) {
  var id = select(step.rows[wg.y].token, step.rows[wg.y].pos, SOURCE == 1u);
  var w = 1.0;
  if (mixed) {
   id = mixes[i].x;
   w = bitcast<f32>(mixes[i].y);
  }
  let row = part_row(id);
  if (row < p.n_rows) {
   here = true;
   sum = chunk_add(sum, chunk_scale(dequant(row / 8u, c, row % 8u), w, w));
  }
 }
 if (here) {
  put(at, ADD || (mixed && p.first == 0u), sum);
 }
}
",
    },
    Shader {
        name: "embed_iq4",
        kernel: "embed",
        workgroup_size: [64, 1, 1],
        bindings: &[
            Binding { index: 0, name: "wq", kind: BindingKind::Read, min_size: 16 },
            Binding { index: 1, name: "ws", kind: BindingKind::Read, min_size: 4 },
            Binding { index: 2, name: "mixes", kind: BindingKind::Read, min_size: 8 },
            Binding { index: 3, name: "step", kind: BindingKind::Read, min_size: 192 },
            Binding { index: 4, name: "x", kind: BindingKind::ReadWrite, min_size: 16 },
            Binding { index: 5, name: "p", kind: BindingKind::Uniform, min_size: 32 },
        ],
        overrides: &[
            Override { name: "ADD", default: Some(0.0) },
            Override { name: "SOURCE", default: Some(0.0) },
            Override { name: "T", default: Some(64.0) },
        ],
        needs: &[],
        workgroup_bytes: 0,
        uniform: &[
            UniformField { name: "n_chunk", offset: 0, size: 4 },
            UniformField { name: "n_unit", offset: 4, size: 4 },
            UniformField { name: "row0", offset: 8, size: 4 },
            UniformField { name: "n_rows", offset: 12, size: 4 },
            UniformField { name: "n_vocab", offset: 16, size: 4 },
            UniformField { name: "n_mix", offset: 20, size: 4 },
            UniformField { name: "first", offset: 24, size: 4 },
            UniformField { name: "scale", offset: 28, size: 4 },
        ],
        wgsl: r"struct Chunk {
 v0: vec4<f32>,
 v1: vec4<f32>,
 v2: vec4<f32>,
 v3: vec4<f32>,
 v4: vec4<f32>,
 v5: vec4<f32>,
 v6: vec4<f32>,
 v7: vec4<f32>,
}
struct Coded {
 q: Chunk,
 s: vec4<f32>,
}
fn chunk_scale(q: Chunk, lo: f32, hi: f32) -> Chunk {
 return Chunk(q.v0 * lo, q.v1 * lo, q.v2 * lo, q.v3 * lo, q.v4 * hi, q.v5 * hi, q.v6 * hi, q.v7 * hi);
}
fn chunk_add(a: Chunk, b: Chunk) -> Chunk {
 return Chunk(a.v0 + b.v0, a.v1 + b.v1, a.v2 + b.v2, a.v3 + b.v3, a.v4 + b.v4, a.v5 + b.v5, a.v6 + b.v6, a.v7 + b.v7);
}
fn quants(g: u32, c: u32, r: u32, n_word: u32, word: u32) -> vec4<u32> {
 return wq[((g * p.n_chunk + c) * n_word + word) * 8u + r];
}
fn scale_word(g: u32, unit: u32, r: u32, n_word: u32, word: u32) -> u32 {
 return ws[((g * p.n_unit + unit) * n_word + word) * 8u + r];
}
fn nibbles(w: u32) -> vec4<u32> {
 return (vec4<u32>(w) >> vec4<u32>(0u, 8u, 16u, 24u)) & vec4<u32>(15u);
}
fn code(w: u32) -> vec4<f32> {
 let n = nibbles(w);
 let second = (n & vec4<u32>(4u)) != vec4<u32>(0u);
 let low = select(vec4<u32>(0xbfad9881u), vec4<u32>(0xf6eaddcfu), second);
 let high = select(vec4<u32>(0x26190d01u), vec4<u32>(0x71594535u), second);
 let word = select(low, high, n >= vec4<u32>(8u));
 let byte = word << (vec4<u32>(24u) - ((n & vec4<u32>(3u)) << vec4<u32>(3u)));
 return vec4<f32>(bitcast<vec4<i32>>(byte) >> vec4<u32>(24u));
}
fn coded(g: u32, c: u32, r: u32) -> Coded {
 let s = bitcast<f32>(scale_word(g, c, r, 1u, 0u));
 let q = quants(g, c, r, 1u, 0u);
 let h = q >> vec4<u32>(4u);
 let v = Chunk(code(q.x), code(q.y), code(q.z), code(q.w), code(h.x), code(h.y), code(h.z), code(h.w));
 return Coded(v, vec4<f32>(s, s, 0.0, 0.0));
}
fn dequant(g: u32, c: u32, r: u32) -> Chunk {
 let w = coded(g, c, r);
    {
  return chunk_scale(w.q, w.s.x, w.s.y);
 }
}
const IDENTITY = 0xffffffffu;
struct Row {
 token: u32,
 pos: u32,
 cell: u32,
 table: u32,
 base: u32,
 lo: u32,
 hi: u32,
 lo_swa: u32,
 tree: u32,
 ancestors_lo: u32,
 ancestors_hi: u32,
 seq: u32,
 mix_start: u32,
 mix_len: u32,
 reserved0: u32,
 reserved1: u32,
}
struct Step {
 n_rows: u32,
 n_want: u32,
 seed_lo: u32,
 seed_hi: u32,
 window: u32,
 n_out: u32,
 reserved: array<u32, 10>,
 want: array<u32, 16>,
 rows: array<Row>,
}
override ADD: bool = false;
override SOURCE: u32 = 0u;
override T: u32 = 64u;
struct P {
 n_chunk: u32,
 n_unit: u32,
 row0: u32,
 n_rows: u32,
 n_vocab: u32,
 n_mix: u32,
 first: u32,
 scale: f32,
}
@group(0) @binding(0) var<storage, read> wq: array<vec4<u32>>;
@group(0) @binding(1) var<storage, read> ws: array<u32>;
@group(0) @binding(2) var<storage, read> mixes: array<vec2<u32>>;
@group(0) @binding(3) var<storage, read> step: Step;
@group(0) @binding(4) var<storage, read_write> x: array<vec4<f32>>;
@group(0) @binding(5) var<uniform> p: P;
fn zero() -> Chunk {
 let z = vec4<f32>();
 return Chunk(z, z, z, z, z, z, z, z);
}
fn part_row(id: u32) -> u32 {
 return min(id, p.n_vocab - 1u) - p.row0;
}
fn put(at: u32, add: bool, v: Chunk) {
 var words = array<vec4<f32>, 8>(v.v0, v.v1, v.v2, v.v3, v.v4, v.v5, v.v6, v.v7);
 for (var i = at; i < at + 8u; i++) {
  var word = words[i % 8u] * p.scale;
  if (add) {
   word += x[i];
  }
  x[i] = word;
 }
}
@compute @workgroup_size(T)
fn main(@builtin(local_invocation_index) t: u32, @builtin(workgroup_id) wg: vec3<u32>) {
 let c = wg.x * T + t;
 if (wg.y >= step.n_rows || c >= p.n_chunk) {
  return;
 }
 let at = (wg.y * p.n_chunk + c) * 8u;
 let mix_len = select(step.rows[wg.y].mix_len, 0u, SOURCE == 1u);
 if (mix_len == IDENTITY) {
  return;
 }
 let mixed = mix_len > 0u;
 var begin = 0u;
 var end = 1u;
 if (mixed) {
  begin = min(step.rows[wg.y].mix_start, p.n_mix);
  end = begin + min(mix_len, p.n_mix - begin);
 }
 var sum = zero();
 var here = mixed;
 for (var i = begin; i < end; i++) {
  var id = select(step.rows[wg.y].token, step.rows[wg.y].pos, SOURCE == 1u);
  var w = 1.0;
  if (mixed) {
   id = mixes[i].x;
   w = bitcast<f32>(mixes[i].y);
  }
  let row = part_row(id);
  if (row < p.n_rows) {
   here = true;
   sum = chunk_add(sum, chunk_scale(dequant(row / 8u, c, row % 8u), w, w));
  }
 }
 if (here) {
  put(at, ADD || (mixed && p.first == 0u), sum);
 }
}
",
    },
    Shader {
        name: "embed_mxfp4",
        kernel: "embed",
        workgroup_size: [64, 1, 1],
        bindings: &[
            Binding { index: 0, name: "wq", kind: BindingKind::Read, min_size: 16 },
            Binding { index: 1, name: "ws", kind: BindingKind::Read, min_size: 4 },
            Binding { index: 2, name: "mixes", kind: BindingKind::Read, min_size: 8 },
            Binding { index: 3, name: "step", kind: BindingKind::Read, min_size: 192 },
            Binding { index: 4, name: "x", kind: BindingKind::ReadWrite, min_size: 16 },
            Binding { index: 5, name: "p", kind: BindingKind::Uniform, min_size: 32 },
        ],
        overrides: &[
            Override { name: "ADD", default: Some(0.0) },
            Override { name: "SOURCE", default: Some(0.0) },
            Override { name: "T", default: Some(64.0) },
        ],
        needs: &[],
        workgroup_bytes: 0,
        uniform: &[
            UniformField { name: "n_chunk", offset: 0, size: 4 },
            UniformField { name: "n_unit", offset: 4, size: 4 },
            UniformField { name: "row0", offset: 8, size: 4 },
            UniformField { name: "n_rows", offset: 12, size: 4 },
            UniformField { name: "n_vocab", offset: 16, size: 4 },
            UniformField { name: "n_mix", offset: 20, size: 4 },
            UniformField { name: "first", offset: 24, size: 4 },
            UniformField { name: "scale", offset: 28, size: 4 },
        ],
        wgsl: r"struct Chunk {
 v0: vec4<f32>,
 v1: vec4<f32>,
 v2: vec4<f32>,
 v3: vec4<f32>,
 v4: vec4<f32>,
 v5: vec4<f32>,
 v6: vec4<f32>,
 v7: vec4<f32>,
}
struct Coded {
 q: Chunk,
 s: vec4<f32>,
}
fn chunk_scale(q: Chunk, lo: f32, hi: f32) -> Chunk {
 return Chunk(q.v0 * lo, q.v1 * lo, q.v2 * lo, q.v3 * lo, q.v4 * hi, q.v5 * hi, q.v6 * hi, q.v7 * hi);
}
fn chunk_add(a: Chunk, b: Chunk) -> Chunk {
 return Chunk(a.v0 + b.v0, a.v1 + b.v1, a.v2 + b.v2, a.v3 + b.v3, a.v4 + b.v4, a.v5 + b.v5, a.v6 + b.v6, a.v7 + b.v7);
}
fn quants(g: u32, c: u32, r: u32, n_word: u32, word: u32) -> vec4<u32> {
 return wq[((g * p.n_chunk + c) * n_word + word) * 8u + r];
}
fn scale_word(g: u32, unit: u32, r: u32, n_word: u32, word: u32) -> u32 {
 return ws[((g * p.n_unit + unit) * n_word + word) * 8u + r];
}
fn nibbles(w: u32) -> vec4<u32> {
 return (vec4<u32>(w) >> vec4<u32>(0u, 8u, 16u, 24u)) & vec4<u32>(15u);
}
fn code(w: u32) -> vec4<f32> {
 let n = nibbles(w);
 let m = n & vec4<u32>(1u);
 let e = (n >> vec4<u32>(1u)) & vec4<u32>(3u);
 let normal = (vec4<u32>(2u) | m) << (max(e, vec4<u32>(1u)) - vec4<u32>(1u));
 let v = vec4<i32>(select(normal, m, e == vec4<u32>(0u)));
 return vec4<f32>(select(v, -v, n >= vec4<u32>(8u)));
}
fn coded(g: u32, c: u32, r: u32) -> Coded {
 let s = bitcast<f32>(scale_word(g, c, r, 1u, 0u));
 let q = quants(g, c, r, 1u, 0u);
 let h = q >> vec4<u32>(4u);
 let v = Chunk(code(q.x), code(q.y), code(q.z), code(q.w), code(h.x), code(h.y), code(h.z), code(h.w));
 return Coded(v, vec4<f32>(s, s, 0.0, 0.0));
}
fn dequant(g: u32, c: u32, r: u32) -> Chunk {
 let w = coded(g, c, r);
    {
  return chunk_scale(w.q, w.s.x, w.s.y);
 }
}
const IDENTITY = 0xffffffffu;
struct Row {
 token: u32,
 pos: u32,
 cell: u32,
 table: u32,
 base: u32,
 lo: u32,
 hi: u32,
 lo_swa: u32,
 tree: u32,
 ancestors_lo: u32,
 ancestors_hi: u32,
 seq: u32,
 mix_start: u32,
 mix_len: u32,
 reserved0: u32,
 reserved1: u32,
}
struct Step {
 n_rows: u32,
 n_want: u32,
 seed_lo: u32,
 seed_hi: u32,
 window: u32,
 n_out: u32,
 reserved: array<u32, 10>,
 want: array<u32, 16>,
 rows: array<Row>,
}
override ADD: bool = false;
override SOURCE: u32 = 0u;
override T: u32 = 64u;
struct P {
 n_chunk: u32,
 n_unit: u32,
 row0: u32,
 n_rows: u32,
 n_vocab: u32,
 n_mix: u32,
 first: u32,
 scale: f32,
}
@group(0) @binding(0) var<storage, read> wq: array<vec4<u32>>;
@group(0) @binding(1) var<storage, read> ws: array<u32>;
@group(0) @binding(2) var<storage, read> mixes: array<vec2<u32>>;
@group(0) @binding(3) var<storage, read> step: Step;
@group(0) @binding(4) var<storage, read_write> x: array<vec4<f32>>;
@group(0) @binding(5) var<uniform> p: P;
fn zero() -> Chunk {
 let z = vec4<f32>();
 return Chunk(z, z, z, z, z, z, z, z);
}
fn part_row(id: u32) -> u32 {
 return min(id, p.n_vocab - 1u) - p.row0;
}
fn put(at: u32, add: bool, v: Chunk) {
 var words = array<vec4<f32>, 8>(v.v0, v.v1, v.v2, v.v3, v.v4, v.v5, v.v6, v.v7);
 for (var i = at; i < at + 8u; i++) {
  var word = words[i % 8u] * p.scale;
  if (add) {
   word += x[i];
  }
  x[i] = word;
 }
}
@compute @workgroup_size(T)
fn main(@builtin(local_invocation_index) t: u32, @builtin(workgroup_id) wg: vec3<u32>) {
 let c = wg.x * T + t;
 if (wg.y >= step.n_rows || c >= p.n_chunk) {
  return;
 }
 let at = (wg.y * p.n_chunk + c) * 8u;
 let mix_len = select(step.rows[wg.y].mix_len, 0u, SOURCE == 1u);
 if (mix_len == IDENTITY) {
  return;
 }
 let mixed = mix_len > 0u;
 var begin = 0u;
 var end = 1u;
 if (mixed) {
  begin = min(step.rows[wg.y].mix_start, p.n_mix);
  end = begin + min(mix_len, p.n_mix - begin);
 }
 var sum = zero();
 var here = mixed;
 for (var i = begin; i < end; i++) {
  var id = select(step.rows[wg.y].token, step.rows[wg.y].pos, SOURCE == 1u);
  var w = 1.0;
  if (mixed) {
   id = mixes[i].x;
   w = bitcast<f32>(mixes[i].y);
  }
  let row = part_row(id);
  if (row < p.n_rows) {
   here = true;
   sum = chunk_add(sum, chunk_scale(dequant(row / 8u, c, row % 8u), w, w));
  }
 }
 if (here) {
  put(at, ADD || (mixed && p.first == 0u), sum);
 }
}
",
    },
    Shader {
        name: "embed_q2k",
        kernel: "embed",
        workgroup_size: [64, 1, 1],
        bindings: &[
            Binding { index: 0, name: "wq", kind: BindingKind::Read, min_size: 16 },
            Binding { index: 1, name: "ws", kind: BindingKind::Read, min_size: 4 },
            Binding { index: 2, name: "mixes", kind: BindingKind::Read, min_size: 8 },
            Binding { index: 3, name: "step", kind: BindingKind::Read, min_size: 192 },
            Binding { index: 4, name: "x", kind: BindingKind::ReadWrite, min_size: 16 },
            Binding { index: 5, name: "p", kind: BindingKind::Uniform, min_size: 32 },
        ],
        overrides: &[
            Override { name: "ADD", default: Some(0.0) },
            Override { name: "SOURCE", default: Some(0.0) },
            Override { name: "T", default: Some(64.0) },
        ],
        needs: &[],
        workgroup_bytes: 0,
        uniform: &[
            UniformField { name: "n_chunk", offset: 0, size: 4 },
            UniformField { name: "n_unit", offset: 4, size: 4 },
            UniformField { name: "row0", offset: 8, size: 4 },
            UniformField { name: "n_rows", offset: 12, size: 4 },
            UniformField { name: "n_vocab", offset: 16, size: 4 },
            UniformField { name: "n_mix", offset: 20, size: 4 },
            UniformField { name: "first", offset: 24, size: 4 },
            UniformField { name: "scale", offset: 28, size: 4 },
        ],
        wgsl: r"struct Chunk {
 v0: vec4<f32>,
 v1: vec4<f32>,
 v2: vec4<f32>,
 v3: vec4<f32>,
 v4: vec4<f32>,
 v5: vec4<f32>,
 v6: vec4<f32>,
 v7: vec4<f32>,
}
struct Coded {
 q: Chunk,
 s: vec4<f32>,
}
fn chunk_affine(q: Chunk, s: vec4<f32>) -> Chunk {
 let lo = vec4<f32>(s.z);
 let hi = vec4<f32>(s.w);
 return Chunk(q.v0 * s.x + lo, q.v1 * s.x + lo, q.v2 * s.x + lo, q.v3 * s.x + lo,
  q.v4 * s.y + hi, q.v5 * s.y + hi, q.v6 * s.y + hi, q.v7 * s.y + hi);
}
fn chunk_scale(q: Chunk, lo: f32, hi: f32) -> Chunk {
 return Chunk(q.v0 * lo, q.v1 * lo, q.v2 * lo, q.v3 * lo, q.v4 * hi, q.v5 * hi, q.v6 * hi, q.v7 * hi);
}
fn chunk_add(a: Chunk, b: Chunk) -> Chunk {
 return Chunk(a.v0 + b.v0, a.v1 + b.v1, a.v2 + b.v2, a.v3 + b.v3, a.v4 + b.v4, a.v5 + b.v5, a.v6 + b.v6, a.v7 + b.v7);
}
fn quants(g: u32, c: u32, r: u32, n_word: u32, word: u32) -> vec4<u32> {
 return wq[((g * p.n_chunk + c) * n_word + word) * 8u + r];
}
fn scale_word(g: u32, unit: u32, r: u32, n_word: u32, word: u32) -> u32 {
 return ws[((g * p.n_unit + unit) * n_word + word) * 8u + r];
}
fn nibbles(w: u32) -> vec4<u32> {
 return (vec4<u32>(w) >> vec4<u32>(0u, 8u, 16u, 24u)) & vec4<u32>(15u);
}
fn nibble_chunk(q: vec4<u32>) -> Chunk {
 let h = q >> vec4<u32>(4u);
 return Chunk(vec4<f32>(nibbles(q.x)), vec4<f32>(nibbles(q.y)), vec4<f32>(nibbles(q.z)), vec4<f32>(nibbles(q.w)),
  vec4<f32>(nibbles(h.x)), vec4<f32>(nibbles(h.y)), vec4<f32>(nibbles(h.z)), vec4<f32>(nibbles(h.w)));
}
fn half(h: u32) -> f32 {
 let m = h & 0x7fffu;
 let rebias = select(0x38000000u, 0x70000000u, m >= 0x7c00u);
 let v = select(bitcast<f32>((m << 13u) + rebias), f32(m) * 0x1p-24f, m < 0x400u);
 return bitcast<f32>(bitcast<u32>(v) | ((h & 0x8000u) << 16u));
}
fn half2(w: u32) -> vec2<f32> {
 return vec2<f32>(half(w & 0xffffu), half(w >> 16u));
}
fn byte_pair(g: u32, c: u32, r: u32, n_word: u32) -> u32 {
 return scale_word(g, c / 8u, r, n_word, 1u + (c % 8u) / 2u) >> (16u * (c % 2u));
}
fn coded(g: u32, c: u32, r: u32) -> Coded {
 let d = half2(scale_word(g, c / 8u, r, 5u, 0u));
 let f = vec4<u32>(byte_pair(g, c, r, 5u)) >> vec4<u32>(0u, 8u, 4u, 12u);
 let s = vec4<f32>(f & vec4<u32>(15u)) * vec4<f32>(d.x, d.x, -d.y, -d.y);
 return Coded(nibble_chunk(quants(g, c, r, 1u, 0u)), s);
}
fn dequant(g: u32, c: u32, r: u32) -> Chunk {
 let w = coded(g, c, r);
                                     {
  return chunk_affine(w.q, w.s);
 }
}
const IDENTITY = 0xffffffffu;
struct Row {
 token: u32,
 pos: u32,
 cell: u32,
 table: u32,
 base: u32,
 lo: u32,
 hi: u32,
 lo_swa: u32,
 tree: u32,
 ancestors_lo: u32,
 ancestors_hi: u32,
 seq: u32,
 mix_start: u32,
 mix_len: u32,
 reserved0: u32,
 reserved1: u32,
}
struct Step {
 n_rows: u32,
 n_want: u32,
 seed_lo: u32,
 seed_hi: u32,
 window: u32,
 n_out: u32,
 reserved: array<u32, 10>,
 want: array<u32, 16>,
 rows: array<Row>,
}
override ADD: bool = false;
override SOURCE: u32 = 0u;
override T: u32 = 64u;
struct P {
 n_chunk: u32,
 n_unit: u32,
 row0: u32,
 n_rows: u32,
 n_vocab: u32,
 n_mix: u32,
 first: u32,
 scale: f32,
}
@group(0) @binding(0) var<storage, read> wq: array<vec4<u32>>;
@group(0) @binding(1) var<storage, read> ws: array<u32>;
@group(0) @binding(2) var<storage, read> mixes: array<vec2<u32>>;
@group(0) @binding(3) var<storage, read> step: Step;
@group(0) @binding(4) var<storage, read_write> x: array<vec4<f32>>;
@group(0) @binding(5) var<uniform> p: P;
fn zero() -> Chunk {
 let z = vec4<f32>();
 return Chunk(z, z, z, z, z, z, z, z);
}
fn part_row(id: u32) -> u32 {
 return min(id, p.n_vocab - 1u) - p.row0;
}
fn put(at: u32, add: bool, v: Chunk) {
 var words = array<vec4<f32>, 8>(v.v0, v.v1, v.v2, v.v3, v.v4, v.v5, v.v6, v.v7);
 for (var i = at; i < at + 8u; i++) {
  var word = words[i % 8u] * p.scale;
  if (add) {
   word += x[i];
  }
  x[i] = word;
 }
}
@compute @workgroup_size(T)
fn main(@builtin(local_invocation_index) t: u32, @builtin(workgroup_id) wg: vec3<u32>) {
 let c = wg.x * T + t;
 if (wg.y >= step.n_rows || c >= p.n_chunk) {
  return;
 }
 let at = (wg.y * p.n_chunk + c) * 8u;
 let mix_len = select(step.rows[wg.y].mix_len, 0u, SOURCE == 1u);
 if (mix_len == IDENTITY) {
  return;
 }
 let mixed = mix_len > 0u;
 var begin = 0u;
 var end = 1u;
 if (mixed) {
  begin = min(step.rows[wg.y].mix_start, p.n_mix);
  end = begin + min(mix_len, p.n_mix - begin);
 }
 var sum = zero();
 var here = mixed;
 for (var i = begin; i < end; i++) {
  var id = select(step.rows[wg.y].token, step.rows[wg.y].pos, SOURCE == 1u);
  var w = 1.0;
  if (mixed) {
   id = mixes[i].x;
   w = bitcast<f32>(mixes[i].y);
  }
  let row = part_row(id);
  if (row < p.n_rows) {
   here = true;
   sum = chunk_add(sum, chunk_scale(dequant(row / 8u, c, row % 8u), w, w));
  }
 }
 if (here) {
  put(at, ADD || (mixed && p.first == 0u), sum);
 }
}
",
    },
    Shader {
        name: "embed_q3k",
        kernel: "embed",
        workgroup_size: [64, 1, 1],
        bindings: &[
            Binding { index: 0, name: "wq", kind: BindingKind::Read, min_size: 16 },
            Binding { index: 1, name: "ws", kind: BindingKind::Read, min_size: 4 },
            Binding { index: 2, name: "mixes", kind: BindingKind::Read, min_size: 8 },
            Binding { index: 3, name: "step", kind: BindingKind::Read, min_size: 192 },
            Binding { index: 4, name: "x", kind: BindingKind::ReadWrite, min_size: 16 },
            Binding { index: 5, name: "p", kind: BindingKind::Uniform, min_size: 32 },
        ],
        overrides: &[
            Override { name: "ADD", default: Some(0.0) },
            Override { name: "SOURCE", default: Some(0.0) },
            Override { name: "T", default: Some(64.0) },
        ],
        needs: &[],
        workgroup_bytes: 0,
        uniform: &[
            UniformField { name: "n_chunk", offset: 0, size: 4 },
            UniformField { name: "n_unit", offset: 4, size: 4 },
            UniformField { name: "row0", offset: 8, size: 4 },
            UniformField { name: "n_rows", offset: 12, size: 4 },
            UniformField { name: "n_vocab", offset: 16, size: 4 },
            UniformField { name: "n_mix", offset: 20, size: 4 },
            UniformField { name: "first", offset: 24, size: 4 },
            UniformField { name: "scale", offset: 28, size: 4 },
        ],
        wgsl: r"struct Chunk {
 v0: vec4<f32>,
 v1: vec4<f32>,
 v2: vec4<f32>,
 v3: vec4<f32>,
 v4: vec4<f32>,
 v5: vec4<f32>,
 v6: vec4<f32>,
 v7: vec4<f32>,
}
struct Coded {
 q: Chunk,
 s: vec4<f32>,
}
fn chunk_scale(q: Chunk, lo: f32, hi: f32) -> Chunk {
 return Chunk(q.v0 * lo, q.v1 * lo, q.v2 * lo, q.v3 * lo, q.v4 * hi, q.v5 * hi, q.v6 * hi, q.v7 * hi);
}
fn chunk_add(a: Chunk, b: Chunk) -> Chunk {
 return Chunk(a.v0 + b.v0, a.v1 + b.v1, a.v2 + b.v2, a.v3 + b.v3, a.v4 + b.v4, a.v5 + b.v5, a.v6 + b.v6, a.v7 + b.v7);
}
fn quants(g: u32, c: u32, r: u32, n_word: u32, word: u32) -> vec4<u32> {
 return wq[((g * p.n_chunk + c) * n_word + word) * 8u + r];
}
fn scale_word(g: u32, unit: u32, r: u32, n_word: u32, word: u32) -> u32 {
 return ws[((g * p.n_unit + unit) * n_word + word) * 8u + r];
}
fn nibbles(w: u32) -> vec4<u32> {
 return (vec4<u32>(w) >> vec4<u32>(0u, 8u, 16u, 24u)) & vec4<u32>(15u);
}
fn signed_byte(b: u32) -> f32 {
 return f32(bitcast<i32>(b << 24u) >> 24u);
}
fn half(h: u32) -> f32 {
 let m = h & 0x7fffu;
 let rebias = select(0x38000000u, 0x70000000u, m >= 0x7c00u);
 let v = select(bitcast<f32>((m << 13u) + rebias), f32(m) * 0x1p-24f, m < 0x400u);
 return bitcast<f32>(bitcast<u32>(v) | ((h & 0x8000u) << 16u));
}
fn byte_pair(g: u32, c: u32, r: u32, n_word: u32) -> u32 {
 return scale_word(g, c / 8u, r, n_word, 1u + (c % 8u) / 2u) >> (16u * (c % 2u));
}
fn centred(q: vec4<u32>, middle: i32) -> vec4<f32> {
 return vec4<f32>(vec4<i32>(q) - vec4<i32>(middle));
}
fn coded(g: u32, c: u32, r: u32) -> Coded {
 let d = half(scale_word(g, c / 8u, r, 5u, 0u) & 0xffffu);
 let f = byte_pair(g, c, r, 5u);
 let q = quants(g, c, r, 1u, 0u);
 let h = q >> vec4<u32>(4u);
 let v = Chunk(centred(nibbles(q.x), 4), centred(nibbles(q.y), 4), centred(nibbles(q.z), 4), centred(nibbles(q.w), 4),
  centred(nibbles(h.x), 4), centred(nibbles(h.y), 4), centred(nibbles(h.z), 4), centred(nibbles(h.w), 4));
 return Coded(v, vec4<f32>(d * signed_byte(f), d * signed_byte(f >> 8u), 0.0, 0.0));
}
fn dequant(g: u32, c: u32, r: u32) -> Chunk {
 let w = coded(g, c, r);
    {
  return chunk_scale(w.q, w.s.x, w.s.y);
 }
}
const IDENTITY = 0xffffffffu;
struct Row {
 token: u32,
 pos: u32,
 cell: u32,
 table: u32,
 base: u32,
 lo: u32,
 hi: u32,
 lo_swa: u32,
 tree: u32,
 ancestors_lo: u32,
 ancestors_hi: u32,
 seq: u32,
 mix_start: u32,
 mix_len: u32,
 reserved0: u32,
 reserved1: u32,
}
struct Step {
 n_rows: u32,
 n_want: u32,
 seed_lo: u32,
 seed_hi: u32,
 window: u32,
 n_out: u32,
 reserved: array<u32, 10>,
 want: array<u32, 16>,
 rows: array<Row>,
}
override ADD: bool = false;
override SOURCE: u32 = 0u;
override T: u32 = 64u;
struct P {
 n_chunk: u32,
 n_unit: u32,
 row0: u32,
 n_rows: u32,
 n_vocab: u32,
 n_mix: u32,
 first: u32,
 scale: f32,
}
@group(0) @binding(0) var<storage, read> wq: array<vec4<u32>>;
@group(0) @binding(1) var<storage, read> ws: array<u32>;
@group(0) @binding(2) var<storage, read> mixes: array<vec2<u32>>;
@group(0) @binding(3) var<storage, read> step: Step;
@group(0) @binding(4) var<storage, read_write> x: array<vec4<f32>>;
@group(0) @binding(5) var<uniform> p: P;
fn zero() -> Chunk {
 let z = vec4<f32>();
 return Chunk(z, z, z, z, z, z, z, z);
}
fn part_row(id: u32) -> u32 {
 return min(id, p.n_vocab - 1u) - p.row0;
}
fn put(at: u32, add: bool, v: Chunk) {
 var words = array<vec4<f32>, 8>(v.v0, v.v1, v.v2, v.v3, v.v4, v.v5, v.v6, v.v7);
 for (var i = at; i < at + 8u; i++) {
  var word = words[i % 8u] * p.scale;
  if (add) {
   word += x[i];
  }
  x[i] = word;
 }
}
@compute @workgroup_size(T)
fn main(@builtin(local_invocation_index) t: u32, @builtin(workgroup_id) wg: vec3<u32>) {
 let c = wg.x * T + t;
 if (wg.y >= step.n_rows || c >= p.n_chunk) {
  return;
 }
 let at = (wg.y * p.n_chunk + c) * 8u;
 let mix_len = select(step.rows[wg.y].mix_len, 0u, SOURCE == 1u);
 if (mix_len == IDENTITY) {
  return;
 }
 let mixed = mix_len > 0u;
 var begin = 0u;
 var end = 1u;
 if (mixed) {
  begin = min(step.rows[wg.y].mix_start, p.n_mix);
  end = begin + min(mix_len, p.n_mix - begin);
 }
 var sum = zero();
 var here = mixed;
 for (var i = begin; i < end; i++) {
  var id = select(step.rows[wg.y].token, step.rows[wg.y].pos, SOURCE == 1u);
  var w = 1.0;
  if (mixed) {
   id = mixes[i].x;
   w = bitcast<f32>(mixes[i].y);
  }
  let row = part_row(id);
  if (row < p.n_rows) {
   here = true;
   sum = chunk_add(sum, chunk_scale(dequant(row / 8u, c, row % 8u), w, w));
  }
 }
 if (here) {
  put(at, ADD || (mixed && p.first == 0u), sum);
 }
}
",
    },
    Shader {
        name: "embed_q4",
        kernel: "embed",
        workgroup_size: [64, 1, 1],
        bindings: &[
            Binding { index: 0, name: "wq", kind: BindingKind::Read, min_size: 16 },
            Binding { index: 1, name: "ws", kind: BindingKind::Read, min_size: 4 },
            Binding { index: 2, name: "mixes", kind: BindingKind::Read, min_size: 8 },
            Binding { index: 3, name: "step", kind: BindingKind::Read, min_size: 192 },
            Binding { index: 4, name: "x", kind: BindingKind::ReadWrite, min_size: 16 },
            Binding { index: 5, name: "p", kind: BindingKind::Uniform, min_size: 32 },
        ],
        overrides: &[
            Override { name: "ADD", default: Some(0.0) },
            Override { name: "SOURCE", default: Some(0.0) },
            Override { name: "T", default: Some(64.0) },
        ],
        needs: &[],
        workgroup_bytes: 0,
        uniform: &[
            UniformField { name: "n_chunk", offset: 0, size: 4 },
            UniformField { name: "n_unit", offset: 4, size: 4 },
            UniformField { name: "row0", offset: 8, size: 4 },
            UniformField { name: "n_rows", offset: 12, size: 4 },
            UniformField { name: "n_vocab", offset: 16, size: 4 },
            UniformField { name: "n_mix", offset: 20, size: 4 },
            UniformField { name: "first", offset: 24, size: 4 },
            UniformField { name: "scale", offset: 28, size: 4 },
        ],
        wgsl: r"struct Chunk {
 v0: vec4<f32>,
 v1: vec4<f32>,
 v2: vec4<f32>,
 v3: vec4<f32>,
 v4: vec4<f32>,
 v5: vec4<f32>,
 v6: vec4<f32>,
 v7: vec4<f32>,
}
struct Coded {
 q: Chunk,
 s: vec4<f32>,
}
fn chunk_affine(q: Chunk, s: vec4<f32>) -> Chunk {
 let lo = vec4<f32>(s.z);
 let hi = vec4<f32>(s.w);
 return Chunk(q.v0 * s.x + lo, q.v1 * s.x + lo, q.v2 * s.x + lo, q.v3 * s.x + lo,
  q.v4 * s.y + hi, q.v5 * s.y + hi, q.v6 * s.y + hi, q.v7 * s.y + hi);
}
fn chunk_scale(q: Chunk, lo: f32, hi: f32) -> Chunk {
 return Chunk(q.v0 * lo, q.v1 * lo, q.v2 * lo, q.v3 * lo, q.v4 * hi, q.v5 * hi, q.v6 * hi, q.v7 * hi);
}
fn chunk_add(a: Chunk, b: Chunk) -> Chunk {
 return Chunk(a.v0 + b.v0, a.v1 + b.v1, a.v2 + b.v2, a.v3 + b.v3, a.v4 + b.v4, a.v5 + b.v5, a.v6 + b.v6, a.v7 + b.v7);
}
fn quants(g: u32, c: u32, r: u32, n_word: u32, word: u32) -> vec4<u32> {
 return wq[((g * p.n_chunk + c) * n_word + word) * 8u + r];
}
fn scale_word(g: u32, unit: u32, r: u32, n_word: u32, word: u32) -> u32 {
 return ws[((g * p.n_unit + unit) * n_word + word) * 8u + r];
}
fn nibbles(w: u32) -> vec4<u32> {
 return (vec4<u32>(w) >> vec4<u32>(0u, 8u, 16u, 24u)) & vec4<u32>(15u);
}
fn nibble_chunk(q: vec4<u32>) -> Chunk {
 let h = q >> vec4<u32>(4u);
 return Chunk(vec4<f32>(nibbles(q.x)), vec4<f32>(nibbles(q.y)), vec4<f32>(nibbles(q.z)), vec4<f32>(nibbles(q.w)),
  vec4<f32>(nibbles(h.x)), vec4<f32>(nibbles(h.y)), vec4<f32>(nibbles(h.z)), vec4<f32>(nibbles(h.w)));
}
fn half(h: u32) -> f32 {
 let m = h & 0x7fffu;
 let rebias = select(0x38000000u, 0x70000000u, m >= 0x7c00u);
 let v = select(bitcast<f32>((m << 13u) + rebias), f32(m) * 0x1p-24f, m < 0x400u);
 return bitcast<f32>(bitcast<u32>(v) | ((h & 0x8000u) << 16u));
}
fn half2(w: u32) -> vec2<f32> {
 return vec2<f32>(half(w & 0xffffu), half(w >> 16u));
}
fn coded(g: u32, c: u32, r: u32) -> Coded {
 let s = half2(scale_word(g, c, r, 1u, 0u));
 return Coded(nibble_chunk(quants(g, c, r, 1u, 0u)), s.xxyy);
}
fn dequant(g: u32, c: u32, r: u32) -> Chunk {
 let w = coded(g, c, r);
                                     {
  return chunk_affine(w.q, w.s);
 }
}
const IDENTITY = 0xffffffffu;
struct Row {
 token: u32,
 pos: u32,
 cell: u32,
 table: u32,
 base: u32,
 lo: u32,
 hi: u32,
 lo_swa: u32,
 tree: u32,
 ancestors_lo: u32,
 ancestors_hi: u32,
 seq: u32,
 mix_start: u32,
 mix_len: u32,
 reserved0: u32,
 reserved1: u32,
}
struct Step {
 n_rows: u32,
 n_want: u32,
 seed_lo: u32,
 seed_hi: u32,
 window: u32,
 n_out: u32,
 reserved: array<u32, 10>,
 want: array<u32, 16>,
 rows: array<Row>,
}
override ADD: bool = false;
override SOURCE: u32 = 0u;
override T: u32 = 64u;
struct P {
 n_chunk: u32,
 n_unit: u32,
 row0: u32,
 n_rows: u32,
 n_vocab: u32,
 n_mix: u32,
 first: u32,
 scale: f32,
}
@group(0) @binding(0) var<storage, read> wq: array<vec4<u32>>;
@group(0) @binding(1) var<storage, read> ws: array<u32>;
@group(0) @binding(2) var<storage, read> mixes: array<vec2<u32>>;
@group(0) @binding(3) var<storage, read> step: Step;
@group(0) @binding(4) var<storage, read_write> x: array<vec4<f32>>;
@group(0) @binding(5) var<uniform> p: P;
fn zero() -> Chunk {
 let z = vec4<f32>();
 return Chunk(z, z, z, z, z, z, z, z);
}
fn part_row(id: u32) -> u32 {
 return min(id, p.n_vocab - 1u) - p.row0;
}
fn put(at: u32, add: bool, v: Chunk) {
 var words = array<vec4<f32>, 8>(v.v0, v.v1, v.v2, v.v3, v.v4, v.v5, v.v6, v.v7);
 for (var i = at; i < at + 8u; i++) {
  var word = words[i % 8u] * p.scale;
  if (add) {
   word += x[i];
  }
  x[i] = word;
 }
}
@compute @workgroup_size(T)
fn main(@builtin(local_invocation_index) t: u32, @builtin(workgroup_id) wg: vec3<u32>) {
 let c = wg.x * T + t;
 if (wg.y >= step.n_rows || c >= p.n_chunk) {
  return;
 }
 let at = (wg.y * p.n_chunk + c) * 8u;
 let mix_len = select(step.rows[wg.y].mix_len, 0u, SOURCE == 1u);
 if (mix_len == IDENTITY) {
  return;
 }
 let mixed = mix_len > 0u;
 var begin = 0u;
 var end = 1u;
 if (mixed) {
  begin = min(step.rows[wg.y].mix_start, p.n_mix);
  end = begin + min(mix_len, p.n_mix - begin);
 }
 var sum = zero();
 var here = mixed;
 for (var i = begin; i < end; i++) {
  var id = select(step.rows[wg.y].token, step.rows[wg.y].pos, SOURCE == 1u);
  var w = 1.0;
  if (mixed) {
   id = mixes[i].x;
   w = bitcast<f32>(mixes[i].y);
  }
  let row = part_row(id);
  if (row < p.n_rows) {
   here = true;
   sum = chunk_add(sum, chunk_scale(dequant(row / 8u, c, row % 8u), w, w));
  }
 }
 if (here) {
  put(at, ADD || (mixed && p.first == 0u), sum);
 }
}
",
    },
    Shader {
        name: "embed_q4k",
        kernel: "embed",
        workgroup_size: [64, 1, 1],
        bindings: &[
            Binding { index: 0, name: "wq", kind: BindingKind::Read, min_size: 16 },
            Binding { index: 1, name: "ws", kind: BindingKind::Read, min_size: 4 },
            Binding { index: 2, name: "mixes", kind: BindingKind::Read, min_size: 8 },
            Binding { index: 3, name: "step", kind: BindingKind::Read, min_size: 192 },
            Binding { index: 4, name: "x", kind: BindingKind::ReadWrite, min_size: 16 },
            Binding { index: 5, name: "p", kind: BindingKind::Uniform, min_size: 32 },
        ],
        overrides: &[
            Override { name: "ADD", default: Some(0.0) },
            Override { name: "SOURCE", default: Some(0.0) },
            Override { name: "T", default: Some(64.0) },
        ],
        needs: &[],
        workgroup_bytes: 0,
        uniform: &[
            UniformField { name: "n_chunk", offset: 0, size: 4 },
            UniformField { name: "n_unit", offset: 4, size: 4 },
            UniformField { name: "row0", offset: 8, size: 4 },
            UniformField { name: "n_rows", offset: 12, size: 4 },
            UniformField { name: "n_vocab", offset: 16, size: 4 },
            UniformField { name: "n_mix", offset: 20, size: 4 },
            UniformField { name: "first", offset: 24, size: 4 },
            UniformField { name: "scale", offset: 28, size: 4 },
        ],
        wgsl: r"struct Chunk {
 v0: vec4<f32>,
 v1: vec4<f32>,
 v2: vec4<f32>,
 v3: vec4<f32>,
 v4: vec4<f32>,
 v5: vec4<f32>,
 v6: vec4<f32>,
 v7: vec4<f32>,
}
struct Coded {
 q: Chunk,
 s: vec4<f32>,
}
fn chunk_affine(q: Chunk, s: vec4<f32>) -> Chunk {
 let lo = vec4<f32>(s.z);
 let hi = vec4<f32>(s.w);
 return Chunk(q.v0 * s.x + lo, q.v1 * s.x + lo, q.v2 * s.x + lo, q.v3 * s.x + lo,
  q.v4 * s.y + hi, q.v5 * s.y + hi, q.v6 * s.y + hi, q.v7 * s.y + hi);
}
fn chunk_scale(q: Chunk, lo: f32, hi: f32) -> Chunk {
 return Chunk(q.v0 * lo, q.v1 * lo, q.v2 * lo, q.v3 * lo, q.v4 * hi, q.v5 * hi, q.v6 * hi, q.v7 * hi);
}
fn chunk_add(a: Chunk, b: Chunk) -> Chunk {
 return Chunk(a.v0 + b.v0, a.v1 + b.v1, a.v2 + b.v2, a.v3 + b.v3, a.v4 + b.v4, a.v5 + b.v5, a.v6 + b.v6, a.v7 + b.v7);
}
fn quants(g: u32, c: u32, r: u32, n_word: u32, word: u32) -> vec4<u32> {
 return wq[((g * p.n_chunk + c) * n_word + word) * 8u + r];
}
fn scale_word(g: u32, unit: u32, r: u32, n_word: u32, word: u32) -> u32 {
 return ws[((g * p.n_unit + unit) * n_word + word) * 8u + r];
}
fn nibbles(w: u32) -> vec4<u32> {
 return (vec4<u32>(w) >> vec4<u32>(0u, 8u, 16u, 24u)) & vec4<u32>(15u);
}
fn nibble_chunk(q: vec4<u32>) -> Chunk {
 let h = q >> vec4<u32>(4u);
 return Chunk(vec4<f32>(nibbles(q.x)), vec4<f32>(nibbles(q.y)), vec4<f32>(nibbles(q.z)), vec4<f32>(nibbles(q.w)),
  vec4<f32>(nibbles(h.x)), vec4<f32>(nibbles(h.y)), vec4<f32>(nibbles(h.z)), vec4<f32>(nibbles(h.w)));
}
fn half(h: u32) -> f32 {
 let m = h & 0x7fffu;
 let rebias = select(0x38000000u, 0x70000000u, m >= 0x7c00u);
 let v = select(bitcast<f32>((m << 13u) + rebias), f32(m) * 0x1p-24f, m < 0x400u);
 return bitcast<f32>(bitcast<u32>(v) | ((h & 0x8000u) << 16u));
}
fn half2(w: u32) -> vec2<f32> {
 return vec2<f32>(half(w & 0xffffu), half(w >> 16u));
}
fn scale_min(g: u32, c: u32, r: u32, n_word: u32) -> vec4<f32> {
 let d = half2(scale_word(g, c / 8u, r, n_word, 0u));
 let f = scale_word(g, c / 8u, r, n_word, 1u + (c % 8u) / 2u) >> (16u * (c % 2u));
 let s = d * vec2<f32>(f32(f & 255u), f32((f >> 8u) & 255u));
 return vec4<f32>(s.x, s.x, -s.y, -s.y);
}
fn coded(g: u32, c: u32, r: u32) -> Coded {
 return Coded(nibble_chunk(quants(g, c, r, 1u, 0u)), scale_min(g, c, r, 5u));
}
fn dequant(g: u32, c: u32, r: u32) -> Chunk {
 let w = coded(g, c, r);
                                     {
  return chunk_affine(w.q, w.s);
 }
}
const IDENTITY = 0xffffffffu;
struct Row {
 token: u32,
 pos: u32,
 cell: u32,
 table: u32,
 base: u32,
 lo: u32,
 hi: u32,
 lo_swa: u32,
 tree: u32,
 ancestors_lo: u32,
 ancestors_hi: u32,
 seq: u32,
 mix_start: u32,
 mix_len: u32,
 reserved0: u32,
 reserved1: u32,
}
struct Step {
 n_rows: u32,
 n_want: u32,
 seed_lo: u32,
 seed_hi: u32,
 window: u32,
 n_out: u32,
 reserved: array<u32, 10>,
 want: array<u32, 16>,
 rows: array<Row>,
}
override ADD: bool = false;
override SOURCE: u32 = 0u;
override T: u32 = 64u;
struct P {
 n_chunk: u32,
 n_unit: u32,
 row0: u32,
 n_rows: u32,
 n_vocab: u32,
 n_mix: u32,
 first: u32,
 scale: f32,
}
@group(0) @binding(0) var<storage, read> wq: array<vec4<u32>>;
@group(0) @binding(1) var<storage, read> ws: array<u32>;
@group(0) @binding(2) var<storage, read> mixes: array<vec2<u32>>;
@group(0) @binding(3) var<storage, read> step: Step;
@group(0) @binding(4) var<storage, read_write> x: array<vec4<f32>>;
@group(0) @binding(5) var<uniform> p: P;
fn zero() -> Chunk {
 let z = vec4<f32>();
 return Chunk(z, z, z, z, z, z, z, z);
}
fn part_row(id: u32) -> u32 {
 return min(id, p.n_vocab - 1u) - p.row0;
}
fn put(at: u32, add: bool, v: Chunk) {
 var words = array<vec4<f32>, 8>(v.v0, v.v1, v.v2, v.v3, v.v4, v.v5, v.v6, v.v7);
 for (var i = at; i < at + 8u; i++) {
  var word = words[i % 8u] * p.scale;
  if (add) {
   word += x[i];
  }
  x[i] = word;
 }
}
@compute @workgroup_size(T)
fn main(@builtin(local_invocation_index) t: u32, @builtin(workgroup_id) wg: vec3<u32>) {
 let c = wg.x * T + t;
 if (wg.y >= step.n_rows || c >= p.n_chunk) {
  return;
 }
 let at = (wg.y * p.n_chunk + c) * 8u;
 let mix_len = select(step.rows[wg.y].mix_len, 0u, SOURCE == 1u);
 if (mix_len == IDENTITY) {
  return;
 }
 let mixed = mix_len > 0u;
 var begin = 0u;
 var end = 1u;
 if (mixed) {
  begin = min(step.rows[wg.y].mix_start, p.n_mix);
  end = begin + min(mix_len, p.n_mix - begin);
 }
 var sum = zero();
 var here = mixed;
 for (var i = begin; i < end; i++) {
  var id = select(step.rows[wg.y].token, step.rows[wg.y].pos, SOURCE == 1u);
  var w = 1.0;
  if (mixed) {
   id = mixes[i].x;
   w = bitcast<f32>(mixes[i].y);
  }
  let row = part_row(id);
  if (row < p.n_rows) {
   here = true;
   sum = chunk_add(sum, chunk_scale(dequant(row / 8u, c, row % 8u), w, w));
  }
 }
 if (here) {
  put(at, ADD || (mixed && p.first == 0u), sum);
 }
}
",
    },
    Shader {
        name: "embed_q5",
        kernel: "embed",
        workgroup_size: [64, 1, 1],
        bindings: &[
            Binding { index: 0, name: "wq", kind: BindingKind::Read, min_size: 16 },
            Binding { index: 1, name: "ws", kind: BindingKind::Read, min_size: 4 },
            Binding { index: 2, name: "mixes", kind: BindingKind::Read, min_size: 8 },
            Binding { index: 3, name: "step", kind: BindingKind::Read, min_size: 192 },
            Binding { index: 4, name: "x", kind: BindingKind::ReadWrite, min_size: 16 },
            Binding { index: 5, name: "p", kind: BindingKind::Uniform, min_size: 32 },
        ],
        overrides: &[
            Override { name: "ADD", default: Some(0.0) },
            Override { name: "SOURCE", default: Some(0.0) },
            Override { name: "T", default: Some(64.0) },
        ],
        needs: &[],
        workgroup_bytes: 0,
        uniform: &[
            UniformField { name: "n_chunk", offset: 0, size: 4 },
            UniformField { name: "n_unit", offset: 4, size: 4 },
            UniformField { name: "row0", offset: 8, size: 4 },
            UniformField { name: "n_rows", offset: 12, size: 4 },
            UniformField { name: "n_vocab", offset: 16, size: 4 },
            UniformField { name: "n_mix", offset: 20, size: 4 },
            UniformField { name: "first", offset: 24, size: 4 },
            UniformField { name: "scale", offset: 28, size: 4 },
        ],
        wgsl: r"struct Chunk {
 v0: vec4<f32>,
 v1: vec4<f32>,
 v2: vec4<f32>,
 v3: vec4<f32>,
 v4: vec4<f32>,
 v5: vec4<f32>,
 v6: vec4<f32>,
 v7: vec4<f32>,
}
struct Coded {
 q: Chunk,
 s: vec4<f32>,
}
fn chunk_affine(q: Chunk, s: vec4<f32>) -> Chunk {
 let lo = vec4<f32>(s.z);
 let hi = vec4<f32>(s.w);
 return Chunk(q.v0 * s.x + lo, q.v1 * s.x + lo, q.v2 * s.x + lo, q.v3 * s.x + lo,
  q.v4 * s.y + hi, q.v5 * s.y + hi, q.v6 * s.y + hi, q.v7 * s.y + hi);
}
fn chunk_scale(q: Chunk, lo: f32, hi: f32) -> Chunk {
 return Chunk(q.v0 * lo, q.v1 * lo, q.v2 * lo, q.v3 * lo, q.v4 * hi, q.v5 * hi, q.v6 * hi, q.v7 * hi);
}
fn chunk_add(a: Chunk, b: Chunk) -> Chunk {
 return Chunk(a.v0 + b.v0, a.v1 + b.v1, a.v2 + b.v2, a.v3 + b.v3, a.v4 + b.v4, a.v5 + b.v5, a.v6 + b.v6, a.v7 + b.v7);
}
fn quants(g: u32, c: u32, r: u32, n_word: u32, word: u32) -> vec4<u32> {
 return wq[((g * p.n_chunk + c) * n_word + word) * 8u + r];
}
fn scale_word(g: u32, unit: u32, r: u32, n_word: u32, word: u32) -> u32 {
 return ws[((g * p.n_unit + unit) * n_word + word) * 8u + r];
}
fn nibbles(w: u32) -> vec4<u32> {
 return (vec4<u32>(w) >> vec4<u32>(0u, 8u, 16u, 24u)) & vec4<u32>(15u);
}
fn five(w: u32, bits: u32) -> vec4<f32> {
 return vec4<f32>(nibbles(w) | (((vec4<u32>(bits) >> vec4<u32>(0u, 1u, 2u, 3u)) & vec4<u32>(1u)) << vec4<u32>(4u)));
}
fn five_chunk(q: vec4<u32>, bits: u32) -> Chunk {
 let h = q >> vec4<u32>(4u);
 return Chunk(five(q.x, bits), five(q.y, bits >> 4u), five(q.z, bits >> 8u), five(q.w, bits >> 12u),
  five(h.x, bits >> 16u), five(h.y, bits >> 20u), five(h.z, bits >> 24u), five(h.w, bits >> 28u));
}
fn half(h: u32) -> f32 {
 let m = h & 0x7fffu;
 let rebias = select(0x38000000u, 0x70000000u, m >= 0x7c00u);
 let v = select(bitcast<f32>((m << 13u) + rebias), f32(m) * 0x1p-24f, m < 0x400u);
 return bitcast<f32>(bitcast<u32>(v) | ((h & 0x8000u) << 16u));
}
fn half2(w: u32) -> vec2<f32> {
 return vec2<f32>(half(w & 0xffffu), half(w >> 16u));
}
fn coded(g: u32, c: u32, r: u32) -> Coded {
 let s = half2(scale_word(g, c, r, 2u, 0u));
 return Coded(five_chunk(quants(g, c, r, 1u, 0u), scale_word(g, c, r, 2u, 1u)), s.xxyy);
}
fn dequant(g: u32, c: u32, r: u32) -> Chunk {
 let w = coded(g, c, r);
                                     {
  return chunk_affine(w.q, w.s);
 }
}
const IDENTITY = 0xffffffffu;
struct Row {
 token: u32,
 pos: u32,
 cell: u32,
 table: u32,
 base: u32,
 lo: u32,
 hi: u32,
 lo_swa: u32,
 tree: u32,
 ancestors_lo: u32,
 ancestors_hi: u32,
 seq: u32,
 mix_start: u32,
 mix_len: u32,
 reserved0: u32,
 reserved1: u32,
}
struct Step {
 n_rows: u32,
 n_want: u32,
 seed_lo: u32,
 seed_hi: u32,
 window: u32,
 n_out: u32,
 reserved: array<u32, 10>,
 want: array<u32, 16>,
 rows: array<Row>,
}
override ADD: bool = false;
override SOURCE: u32 = 0u;
override T: u32 = 64u;
struct P {
 n_chunk: u32,
 n_unit: u32,
 row0: u32,
 n_rows: u32,
 n_vocab: u32,
 n_mix: u32,
 first: u32,
 scale: f32,
}
@group(0) @binding(0) var<storage, read> wq: array<vec4<u32>>;
@group(0) @binding(1) var<storage, read> ws: array<u32>;
@group(0) @binding(2) var<storage, read> mixes: array<vec2<u32>>;
@group(0) @binding(3) var<storage, read> step: Step;
@group(0) @binding(4) var<storage, read_write> x: array<vec4<f32>>;
@group(0) @binding(5) var<uniform> p: P;
fn zero() -> Chunk {
 let z = vec4<f32>();
 return Chunk(z, z, z, z, z, z, z, z);
}
fn part_row(id: u32) -> u32 {
 return min(id, p.n_vocab - 1u) - p.row0;
}
fn put(at: u32, add: bool, v: Chunk) {
 var words = array<vec4<f32>, 8>(v.v0, v.v1, v.v2, v.v3, v.v4, v.v5, v.v6, v.v7);
 for (var i = at; i < at + 8u; i++) {
  var word = words[i % 8u] * p.scale;
  if (add) {
   word += x[i];
  }
  x[i] = word;
 }
}
@compute @workgroup_size(T)
fn main(@builtin(local_invocation_index) t: u32, @builtin(workgroup_id) wg: vec3<u32>) {
 let c = wg.x * T + t;
 if (wg.y >= step.n_rows || c >= p.n_chunk) {
  return;
 }
 let at = (wg.y * p.n_chunk + c) * 8u;
 let mix_len = select(step.rows[wg.y].mix_len, 0u, SOURCE == 1u);
 if (mix_len == IDENTITY) {
  return;
 }
 let mixed = mix_len > 0u;
 var begin = 0u;
 var end = 1u;
 if (mixed) {
  begin = min(step.rows[wg.y].mix_start, p.n_mix);
  end = begin + min(mix_len, p.n_mix - begin);
 }
 var sum = zero();
 var here = mixed;
 for (var i = begin; i < end; i++) {
  var id = select(step.rows[wg.y].token, step.rows[wg.y].pos, SOURCE == 1u);
  var w = 1.0;
  if (mixed) {
   id = mixes[i].x;
   w = bitcast<f32>(mixes[i].y);
  }
  let row = part_row(id);
  if (row < p.n_rows) {
   here = true;
   sum = chunk_add(sum, chunk_scale(dequant(row / 8u, c, row % 8u), w, w));
  }
 }
 if (here) {
  put(at, ADD || (mixed && p.first == 0u), sum);
 }
}
",
    },
    Shader {
        name: "embed_q5k",
        kernel: "embed",
        workgroup_size: [64, 1, 1],
        bindings: &[
            Binding { index: 0, name: "wq", kind: BindingKind::Read, min_size: 16 },
            Binding { index: 1, name: "ws", kind: BindingKind::Read, min_size: 4 },
            Binding { index: 2, name: "mixes", kind: BindingKind::Read, min_size: 8 },
            Binding { index: 3, name: "step", kind: BindingKind::Read, min_size: 192 },
            Binding { index: 4, name: "x", kind: BindingKind::ReadWrite, min_size: 16 },
            Binding { index: 5, name: "p", kind: BindingKind::Uniform, min_size: 32 },
        ],
        overrides: &[
            Override { name: "ADD", default: Some(0.0) },
            Override { name: "SOURCE", default: Some(0.0) },
            Override { name: "T", default: Some(64.0) },
        ],
        needs: &[],
        workgroup_bytes: 0,
        uniform: &[
            UniformField { name: "n_chunk", offset: 0, size: 4 },
            UniformField { name: "n_unit", offset: 4, size: 4 },
            UniformField { name: "row0", offset: 8, size: 4 },
            UniformField { name: "n_rows", offset: 12, size: 4 },
            UniformField { name: "n_vocab", offset: 16, size: 4 },
            UniformField { name: "n_mix", offset: 20, size: 4 },
            UniformField { name: "first", offset: 24, size: 4 },
            UniformField { name: "scale", offset: 28, size: 4 },
        ],
        wgsl: r"struct Chunk {
 v0: vec4<f32>,
 v1: vec4<f32>,
 v2: vec4<f32>,
 v3: vec4<f32>,
 v4: vec4<f32>,
 v5: vec4<f32>,
 v6: vec4<f32>,
 v7: vec4<f32>,
}
struct Coded {
 q: Chunk,
 s: vec4<f32>,
}
fn chunk_affine(q: Chunk, s: vec4<f32>) -> Chunk {
 let lo = vec4<f32>(s.z);
 let hi = vec4<f32>(s.w);
 return Chunk(q.v0 * s.x + lo, q.v1 * s.x + lo, q.v2 * s.x + lo, q.v3 * s.x + lo,
  q.v4 * s.y + hi, q.v5 * s.y + hi, q.v6 * s.y + hi, q.v7 * s.y + hi);
}
fn chunk_scale(q: Chunk, lo: f32, hi: f32) -> Chunk {
 return Chunk(q.v0 * lo, q.v1 * lo, q.v2 * lo, q.v3 * lo, q.v4 * hi, q.v5 * hi, q.v6 * hi, q.v7 * hi);
}
fn chunk_add(a: Chunk, b: Chunk) -> Chunk {
 return Chunk(a.v0 + b.v0, a.v1 + b.v1, a.v2 + b.v2, a.v3 + b.v3, a.v4 + b.v4, a.v5 + b.v5, a.v6 + b.v6, a.v7 + b.v7);
}
fn quants(g: u32, c: u32, r: u32, n_word: u32, word: u32) -> vec4<u32> {
 return wq[((g * p.n_chunk + c) * n_word + word) * 8u + r];
}
fn scale_word(g: u32, unit: u32, r: u32, n_word: u32, word: u32) -> u32 {
 return ws[((g * p.n_unit + unit) * n_word + word) * 8u + r];
}
fn nibbles(w: u32) -> vec4<u32> {
 return (vec4<u32>(w) >> vec4<u32>(0u, 8u, 16u, 24u)) & vec4<u32>(15u);
}
fn five(w: u32, bits: u32) -> vec4<f32> {
 return vec4<f32>(nibbles(w) | (((vec4<u32>(bits) >> vec4<u32>(0u, 1u, 2u, 3u)) & vec4<u32>(1u)) << vec4<u32>(4u)));
}
fn five_chunk(q: vec4<u32>, bits: u32) -> Chunk {
 let h = q >> vec4<u32>(4u);
 return Chunk(five(q.x, bits), five(q.y, bits >> 4u), five(q.z, bits >> 8u), five(q.w, bits >> 12u),
  five(h.x, bits >> 16u), five(h.y, bits >> 20u), five(h.z, bits >> 24u), five(h.w, bits >> 28u));
}
fn half(h: u32) -> f32 {
 let m = h & 0x7fffu;
 let rebias = select(0x38000000u, 0x70000000u, m >= 0x7c00u);
 let v = select(bitcast<f32>((m << 13u) + rebias), f32(m) * 0x1p-24f, m < 0x400u);
 return bitcast<f32>(bitcast<u32>(v) | ((h & 0x8000u) << 16u));
}
fn half2(w: u32) -> vec2<f32> {
 return vec2<f32>(half(w & 0xffffu), half(w >> 16u));
}
fn scale_min(g: u32, c: u32, r: u32, n_word: u32) -> vec4<f32> {
 let d = half2(scale_word(g, c / 8u, r, n_word, 0u));
 let f = scale_word(g, c / 8u, r, n_word, 1u + (c % 8u) / 2u) >> (16u * (c % 2u));
 let s = d * vec2<f32>(f32(f & 255u), f32((f >> 8u) & 255u));
 return vec4<f32>(s.x, s.x, -s.y, -s.y);
}
fn coded(g: u32, c: u32, r: u32) -> Coded {
 let bits = scale_word(g, c / 8u, r, 13u, 5u + c % 8u);
 return Coded(five_chunk(quants(g, c, r, 1u, 0u), bits), scale_min(g, c, r, 13u));
}
fn dequant(g: u32, c: u32, r: u32) -> Chunk {
 let w = coded(g, c, r);
                                     {
  return chunk_affine(w.q, w.s);
 }
}
const IDENTITY = 0xffffffffu;
struct Row {
 token: u32,
 pos: u32,
 cell: u32,
 table: u32,
 base: u32,
 lo: u32,
 hi: u32,
 lo_swa: u32,
 tree: u32,
 ancestors_lo: u32,
 ancestors_hi: u32,
 seq: u32,
 mix_start: u32,
 mix_len: u32,
 reserved0: u32,
 reserved1: u32,
}
struct Step {
 n_rows: u32,
 n_want: u32,
 seed_lo: u32,
 seed_hi: u32,
 window: u32,
 n_out: u32,
 reserved: array<u32, 10>,
 want: array<u32, 16>,
 rows: array<Row>,
}
override ADD: bool = false;
override SOURCE: u32 = 0u;
override T: u32 = 64u;
struct P {
 n_chunk: u32,
 n_unit: u32,
 row0: u32,
 n_rows: u32,
 n_vocab: u32,
 n_mix: u32,
 first: u32,
 scale: f32,
}
@group(0) @binding(0) var<storage, read> wq: array<vec4<u32>>;
@group(0) @binding(1) var<storage, read> ws: array<u32>;
@group(0) @binding(2) var<storage, read> mixes: array<vec2<u32>>;
@group(0) @binding(3) var<storage, read> step: Step;
@group(0) @binding(4) var<storage, read_write> x: array<vec4<f32>>;
@group(0) @binding(5) var<uniform> p: P;
fn zero() -> Chunk {
 let z = vec4<f32>();
 return Chunk(z, z, z, z, z, z, z, z);
}
fn part_row(id: u32) -> u32 {
 return min(id, p.n_vocab - 1u) - p.row0;
}
fn put(at: u32, add: bool, v: Chunk) {
 var words = array<vec4<f32>, 8>(v.v0, v.v1, v.v2, v.v3, v.v4, v.v5, v.v6, v.v7);
 for (var i = at; i < at + 8u; i++) {
  var word = words[i % 8u] * p.scale;
  if (add) {
   word += x[i];
  }
  x[i] = word;
 }
}
@compute @workgroup_size(T)
fn main(@builtin(local_invocation_index) t: u32, @builtin(workgroup_id) wg: vec3<u32>) {
 let c = wg.x * T + t;
 if (wg.y >= step.n_rows || c >= p.n_chunk) {
  return;
 }
 let at = (wg.y * p.n_chunk + c) * 8u;
 let mix_len = select(step.rows[wg.y].mix_len, 0u, SOURCE == 1u);
 if (mix_len == IDENTITY) {
  return;
 }
 let mixed = mix_len > 0u;
 var begin = 0u;
 var end = 1u;
 if (mixed) {
  begin = min(step.rows[wg.y].mix_start, p.n_mix);
  end = begin + min(mix_len, p.n_mix - begin);
 }
 var sum = zero();
 var here = mixed;
 for (var i = begin; i < end; i++) {
  var id = select(step.rows[wg.y].token, step.rows[wg.y].pos, SOURCE == 1u);
  var w = 1.0;
  if (mixed) {
   id = mixes[i].x;
   w = bitcast<f32>(mixes[i].y);
  }
  let row = part_row(id);
  if (row < p.n_rows) {
   here = true;
   sum = chunk_add(sum, chunk_scale(dequant(row / 8u, c, row % 8u), w, w));
  }
 }
 if (here) {
  put(at, ADD || (mixed && p.first == 0u), sum);
 }
}
",
    },
    Shader {
        name: "embed_q6k",
        kernel: "embed",
        workgroup_size: [64, 1, 1],
        bindings: &[
            Binding { index: 0, name: "wq", kind: BindingKind::Read, min_size: 16 },
            Binding { index: 1, name: "ws", kind: BindingKind::Read, min_size: 4 },
            Binding { index: 2, name: "mixes", kind: BindingKind::Read, min_size: 8 },
            Binding { index: 3, name: "step", kind: BindingKind::Read, min_size: 192 },
            Binding { index: 4, name: "x", kind: BindingKind::ReadWrite, min_size: 16 },
            Binding { index: 5, name: "p", kind: BindingKind::Uniform, min_size: 32 },
        ],
        overrides: &[
            Override { name: "ADD", default: Some(0.0) },
            Override { name: "SOURCE", default: Some(0.0) },
            Override { name: "T", default: Some(64.0) },
        ],
        needs: &[],
        workgroup_bytes: 0,
        uniform: &[
            UniformField { name: "n_chunk", offset: 0, size: 4 },
            UniformField { name: "n_unit", offset: 4, size: 4 },
            UniformField { name: "row0", offset: 8, size: 4 },
            UniformField { name: "n_rows", offset: 12, size: 4 },
            UniformField { name: "n_vocab", offset: 16, size: 4 },
            UniformField { name: "n_mix", offset: 20, size: 4 },
            UniformField { name: "first", offset: 24, size: 4 },
            UniformField { name: "scale", offset: 28, size: 4 },
        ],
        wgsl: r"struct Chunk {
 v0: vec4<f32>,
 v1: vec4<f32>,
 v2: vec4<f32>,
 v3: vec4<f32>,
 v4: vec4<f32>,
 v5: vec4<f32>,
 v6: vec4<f32>,
 v7: vec4<f32>,
}
struct Coded {
 q: Chunk,
 s: vec4<f32>,
}
fn chunk_scale(q: Chunk, lo: f32, hi: f32) -> Chunk {
 return Chunk(q.v0 * lo, q.v1 * lo, q.v2 * lo, q.v3 * lo, q.v4 * hi, q.v5 * hi, q.v6 * hi, q.v7 * hi);
}
fn chunk_add(a: Chunk, b: Chunk) -> Chunk {
 return Chunk(a.v0 + b.v0, a.v1 + b.v1, a.v2 + b.v2, a.v3 + b.v3, a.v4 + b.v4, a.v5 + b.v5, a.v6 + b.v6, a.v7 + b.v7);
}
fn quants(g: u32, c: u32, r: u32, n_word: u32, word: u32) -> vec4<u32> {
 return wq[((g * p.n_chunk + c) * n_word + word) * 8u + r];
}
fn scale_word(g: u32, unit: u32, r: u32, n_word: u32, word: u32) -> u32 {
 return ws[((g * p.n_unit + unit) * n_word + word) * 8u + r];
}
fn nibbles(w: u32) -> vec4<u32> {
 return (vec4<u32>(w) >> vec4<u32>(0u, 8u, 16u, 24u)) & vec4<u32>(15u);
}
fn signed_byte(b: u32) -> f32 {
 return f32(bitcast<i32>(b << 24u) >> 24u);
}
fn half(h: u32) -> f32 {
 let m = h & 0x7fffu;
 let rebias = select(0x38000000u, 0x70000000u, m >= 0x7c00u);
 let v = select(bitcast<f32>((m << 13u) + rebias), f32(m) * 0x1p-24f, m < 0x400u);
 return bitcast<f32>(bitcast<u32>(v) | ((h & 0x8000u) << 16u));
}
fn byte_pair(g: u32, c: u32, r: u32, n_word: u32) -> u32 {
 return scale_word(g, c / 8u, r, n_word, 1u + (c % 8u) / 2u) >> (16u * (c % 2u));
}
fn centred(q: vec4<u32>, middle: i32) -> vec4<f32> {
 return vec4<f32>(vec4<i32>(q) - vec4<i32>(middle));
}
fn six(w: u32, bits: u32) -> vec4<f32> {
 let upper = (vec4<u32>(bits) >> vec4<u32>(0u, 2u, 4u, 6u)) & vec4<u32>(3u);
 return centred(nibbles(w) | (upper << vec4<u32>(4u)), 32);
}
fn coded(g: u32, c: u32, r: u32) -> Coded {
 let d = half(scale_word(g, c / 8u, r, 21u, 0u) & 0xffffu);
 let f = byte_pair(g, c, r, 21u);
 let a = scale_word(g, c / 8u, r, 21u, 5u + 2u * (c % 8u));
 let b = scale_word(g, c / 8u, r, 21u, 6u + 2u * (c % 8u));
 let q = quants(g, c, r, 1u, 0u);
 let h = q >> vec4<u32>(4u);
 let v = Chunk(six(q.x, a), six(q.y, a >> 8u), six(q.z, a >> 16u), six(q.w, a >> 24u),
  six(h.x, b), six(h.y, b >> 8u), six(h.z, b >> 16u), six(h.w, b >> 24u));
 return Coded(v, vec4<f32>(d * signed_byte(f), d * signed_byte(f >> 8u), 0.0, 0.0));
}
fn dequant(g: u32, c: u32, r: u32) -> Chunk {
 let w = coded(g, c, r);
    {
  return chunk_scale(w.q, w.s.x, w.s.y);
 }
}
const IDENTITY = 0xffffffffu;
struct Row {
 token: u32,
 pos: u32,
 cell: u32,
 table: u32,
 base: u32,
 lo: u32,
 hi: u32,
 lo_swa: u32,
 tree: u32,
 ancestors_lo: u32,
 ancestors_hi: u32,
 seq: u32,
 mix_start: u32,
 mix_len: u32,
 reserved0: u32,
 reserved1: u32,
}
struct Step {
 n_rows: u32,
 n_want: u32,
 seed_lo: u32,
 seed_hi: u32,
 window: u32,
 n_out: u32,
 reserved: array<u32, 10>,
 want: array<u32, 16>,
 rows: array<Row>,
}
override ADD: bool = false;
override SOURCE: u32 = 0u;
override T: u32 = 64u;
struct P {
 n_chunk: u32,
 n_unit: u32,
 row0: u32,
 n_rows: u32,
 n_vocab: u32,
 n_mix: u32,
 first: u32,
 scale: f32,
}
@group(0) @binding(0) var<storage, read> wq: array<vec4<u32>>;
@group(0) @binding(1) var<storage, read> ws: array<u32>;
@group(0) @binding(2) var<storage, read> mixes: array<vec2<u32>>;
@group(0) @binding(3) var<storage, read> step: Step;
@group(0) @binding(4) var<storage, read_write> x: array<vec4<f32>>;
@group(0) @binding(5) var<uniform> p: P;
fn zero() -> Chunk {
 let z = vec4<f32>();
 return Chunk(z, z, z, z, z, z, z, z);
}
fn part_row(id: u32) -> u32 {
 return min(id, p.n_vocab - 1u) - p.row0;
}
fn put(at: u32, add: bool, v: Chunk) {
 var words = array<vec4<f32>, 8>(v.v0, v.v1, v.v2, v.v3, v.v4, v.v5, v.v6, v.v7);
 for (var i = at; i < at + 8u; i++) {
  var word = words[i % 8u] * p.scale;
  if (add) {
   word += x[i];
  }
  x[i] = word;
 }
}
@compute @workgroup_size(T)
fn main(@builtin(local_invocation_index) t: u32, @builtin(workgroup_id) wg: vec3<u32>) {
 let c = wg.x * T + t;
 if (wg.y >= step.n_rows || c >= p.n_chunk) {
  return;
 }
 let at = (wg.y * p.n_chunk + c) * 8u;
 let mix_len = select(step.rows[wg.y].mix_len, 0u, SOURCE == 1u);
 if (mix_len == IDENTITY) {
  return;
 }
 let mixed = mix_len > 0u;
 var begin = 0u;
 var end = 1u;
 if (mixed) {
  begin = min(step.rows[wg.y].mix_start, p.n_mix);
  end = begin + min(mix_len, p.n_mix - begin);
 }
 var sum = zero();
 var here = mixed;
 for (var i = begin; i < end; i++) {
  var id = select(step.rows[wg.y].token, step.rows[wg.y].pos, SOURCE == 1u);
  var w = 1.0;
  if (mixed) {
   id = mixes[i].x;
   w = bitcast<f32>(mixes[i].y);
  }
  let row = part_row(id);
  if (row < p.n_rows) {
   here = true;
   sum = chunk_add(sum, chunk_scale(dequant(row / 8u, c, row % 8u), w, w));
  }
 }
 if (here) {
  put(at, ADD || (mixed && p.first == 0u), sum);
 }
}
",
    },
    Shader {
        name: "embed_q8",
        kernel: "embed",
        workgroup_size: [64, 1, 1],
        bindings: &[
            Binding { index: 0, name: "wq", kind: BindingKind::Read, min_size: 16 },
            Binding { index: 1, name: "ws", kind: BindingKind::Read, min_size: 4 },
            Binding { index: 2, name: "mixes", kind: BindingKind::Read, min_size: 8 },
            Binding { index: 3, name: "step", kind: BindingKind::Read, min_size: 192 },
            Binding { index: 4, name: "x", kind: BindingKind::ReadWrite, min_size: 16 },
            Binding { index: 5, name: "p", kind: BindingKind::Uniform, min_size: 32 },
        ],
        overrides: &[
            Override { name: "ADD", default: Some(0.0) },
            Override { name: "SOURCE", default: Some(0.0) },
            Override { name: "T", default: Some(64.0) },
        ],
        needs: &[],
        workgroup_bytes: 0,
        uniform: &[
            UniformField { name: "n_chunk", offset: 0, size: 4 },
            UniformField { name: "n_unit", offset: 4, size: 4 },
            UniformField { name: "row0", offset: 8, size: 4 },
            UniformField { name: "n_rows", offset: 12, size: 4 },
            UniformField { name: "n_vocab", offset: 16, size: 4 },
            UniformField { name: "n_mix", offset: 20, size: 4 },
            UniformField { name: "first", offset: 24, size: 4 },
            UniformField { name: "scale", offset: 28, size: 4 },
        ],
        wgsl: r"struct Chunk {
 v0: vec4<f32>,
 v1: vec4<f32>,
 v2: vec4<f32>,
 v3: vec4<f32>,
 v4: vec4<f32>,
 v5: vec4<f32>,
 v6: vec4<f32>,
 v7: vec4<f32>,
}
struct Coded {
 q: Chunk,
 s: vec4<f32>,
}
fn chunk_scale(q: Chunk, lo: f32, hi: f32) -> Chunk {
 return Chunk(q.v0 * lo, q.v1 * lo, q.v2 * lo, q.v3 * lo, q.v4 * hi, q.v5 * hi, q.v6 * hi, q.v7 * hi);
}
fn chunk_add(a: Chunk, b: Chunk) -> Chunk {
 return Chunk(a.v0 + b.v0, a.v1 + b.v1, a.v2 + b.v2, a.v3 + b.v3, a.v4 + b.v4, a.v5 + b.v5, a.v6 + b.v6, a.v7 + b.v7);
}
fn quants(g: u32, c: u32, r: u32, n_word: u32, word: u32) -> vec4<u32> {
 return wq[((g * p.n_chunk + c) * n_word + word) * 8u + r];
}
fn scale_word(g: u32, unit: u32, r: u32, n_word: u32, word: u32) -> u32 {
 return ws[((g * p.n_unit + unit) * n_word + word) * 8u + r];
}
fn signed_bytes(w: u32) -> vec4<i32> {
 return bitcast<vec4<i32>>(vec4<u32>(w) << vec4<u32>(24u, 16u, 8u, 0u)) >> vec4<u32>(24u);
}
fn half(h: u32) -> f32 {
 let m = h & 0x7fffu;
 let rebias = select(0x38000000u, 0x70000000u, m >= 0x7c00u);
 let v = select(bitcast<f32>((m << 13u) + rebias), f32(m) * 0x1p-24f, m < 0x400u);
 return bitcast<f32>(bitcast<u32>(v) | ((h & 0x8000u) << 16u));
}
fn coded(g: u32, c: u32, r: u32) -> Coded {
 let a = quants(g, c, r, 2u, 0u);
 let b = quants(g, c, r, 2u, 1u);
 let s = half((scale_word(g, c / 2u, r, 1u, 0u) >> (16u * (c % 2u))) & 0xffffu);
 let q = Chunk(vec4<f32>(signed_bytes(a.x)), vec4<f32>(signed_bytes(a.y)), vec4<f32>(signed_bytes(a.z)),
  vec4<f32>(signed_bytes(a.w)), vec4<f32>(signed_bytes(b.x)), vec4<f32>(signed_bytes(b.y)),
  vec4<f32>(signed_bytes(b.z)), vec4<f32>(signed_bytes(b.w)));
 return Coded(q, vec4<f32>(s, s, 0.0, 0.0));
}
fn dequant(g: u32, c: u32, r: u32) -> Chunk {
 let w = coded(g, c, r);
    {
  return chunk_scale(w.q, w.s.x, w.s.y);
 }
}
const IDENTITY = 0xffffffffu;
struct Row {
 token: u32,
 pos: u32,
 cell: u32,
 table: u32,
 base: u32,
 lo: u32,
 hi: u32,
 lo_swa: u32,
 tree: u32,
 ancestors_lo: u32,
 ancestors_hi: u32,
 seq: u32,
 mix_start: u32,
 mix_len: u32,
 reserved0: u32,
 reserved1: u32,
}
struct Step {
 n_rows: u32,
 n_want: u32,
 seed_lo: u32,
 seed_hi: u32,
 window: u32,
 n_out: u32,
 reserved: array<u32, 10>,
 want: array<u32, 16>,
 rows: array<Row>,
}
override ADD: bool = false;
override SOURCE: u32 = 0u;
override T: u32 = 64u;
struct P {
 n_chunk: u32,
 n_unit: u32,
 row0: u32,
 n_rows: u32,
 n_vocab: u32,
 n_mix: u32,
 first: u32,
 scale: f32,
}
@group(0) @binding(0) var<storage, read> wq: array<vec4<u32>>;
@group(0) @binding(1) var<storage, read> ws: array<u32>;
@group(0) @binding(2) var<storage, read> mixes: array<vec2<u32>>;
@group(0) @binding(3) var<storage, read> step: Step;
@group(0) @binding(4) var<storage, read_write> x: array<vec4<f32>>;
@group(0) @binding(5) var<uniform> p: P;
fn zero() -> Chunk {
 let z = vec4<f32>();
 return Chunk(z, z, z, z, z, z, z, z);
}
fn part_row(id: u32) -> u32 {
 return min(id, p.n_vocab - 1u) - p.row0;
}
fn put(at: u32, add: bool, v: Chunk) {
 var words = array<vec4<f32>, 8>(v.v0, v.v1, v.v2, v.v3, v.v4, v.v5, v.v6, v.v7);
 for (var i = at; i < at + 8u; i++) {
  var word = words[i % 8u] * p.scale;
  if (add) {
   word += x[i];
  }
  x[i] = word;
 }
}
@compute @workgroup_size(T)
fn main(@builtin(local_invocation_index) t: u32, @builtin(workgroup_id) wg: vec3<u32>) {
 let c = wg.x * T + t;
 if (wg.y >= step.n_rows || c >= p.n_chunk) {
  return;
 }
 let at = (wg.y * p.n_chunk + c) * 8u;
 let mix_len = select(step.rows[wg.y].mix_len, 0u, SOURCE == 1u);
 if (mix_len == IDENTITY) {
  return;
 }
 let mixed = mix_len > 0u;
 var begin = 0u;
 var end = 1u;
 if (mixed) {
  begin = min(step.rows[wg.y].mix_start, p.n_mix);
  end = begin + min(mix_len, p.n_mix - begin);
 }
 var sum = zero();
 var here = mixed;
 for (var i = begin; i < end; i++) {
  var id = select(step.rows[wg.y].token, step.rows[wg.y].pos, SOURCE == 1u);
  var w = 1.0;
  if (mixed) {
   id = mixes[i].x;
   w = bitcast<f32>(mixes[i].y);
  }
  let row = part_row(id);
  if (row < p.n_rows) {
   here = true;
   sum = chunk_add(sum, chunk_scale(dequant(row / 8u, c, row % 8u), w, w));
  }
 }
 if (here) {
  put(at, ADD || (mixed && p.first == 0u), sum);
 }
}
",
    },
    Shader {
        name: "gather_logits",
        kernel: "gather_logits",
        workgroup_size: [64, 1, 1],
        bindings: &[
            Binding { index: 0, name: "list", kind: BindingKind::Read, min_size: 4 },
            Binding { index: 1, name: "logits", kind: BindingKind::Read, min_size: 4 },
            Binding { index: 2, name: "out", kind: BindingKind::ReadWrite, min_size: 4 },
            Binding { index: 3, name: "p", kind: BindingKind::Uniform, min_size: 16 },
        ],
        overrides: &[],
        needs: &[],
        workgroup_bytes: 0,
        uniform: &[
            UniformField { name: "n_vocab", offset: 0, size: 4 },
            UniformField { name: "n_row", offset: 4, size: 4 },
            UniformField { name: "capacity", offset: 8, size: 4 },
            UniformField { name: "reserved", offset: 12, size: 4 },
        ],
        wgsl: r"const LIST_HEADER = 2u;
struct P {
 n_vocab: u32,
 n_row: u32,
 capacity: u32,
 reserved: u32,
}
@group(0) @binding(0) var<storage, read> list: array<u32>;
@group(0) @binding(1) var<storage, read> logits: array<u32>;
@group(0) @binding(2) var<storage, read_write> out: array<u32>;
@group(0) @binding(3) var<uniform> p: P;
@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) gid: vec3<u32>) {
 let i = gid.x;
 if (i >= min(list[0], p.capacity)) {
  return;
 }
 let row = min(list[LIST_HEADER + 2u * i], p.n_row - 1u);
 let id = min(list[LIST_HEADER + 2u * i + 1u], p.n_vocab - 1u);
 out[i] = logits[row * p.n_vocab + id];
}
",
    },
    Shader {
        name: "kv_move",
        kernel: "kv_move",
        workgroup_size: [64, 1, 1],
        bindings: &[
            Binding { index: 0, name: "kv", kind: BindingKind::ReadWrite, min_size: 4 },
            Binding { index: 1, name: "moves", kind: BindingKind::Read, min_size: 32 },
            Binding { index: 2, name: "rope", kind: BindingKind::Read, min_size: 8 },
            Binding { index: 3, name: "p", kind: BindingKind::Uniform, min_size: 32 },
        ],
        overrides: &[
            Override { name: "KEY_WORDS", default: Some(1.0) },
            Override { name: "T", default: Some(64.0) },
            Override { name: "ROPE", default: Some(1.0) },
            Override { name: "NEOX", default: Some(0.0) },
        ],
        needs: &[],
        workgroup_bytes: 0,
        uniform: &[
            UniformField { name: "n_head_kv", offset: 0, size: 4 },
            UniformField { name: "head_dim", offset: 4, size: 4 },
            UniformField { name: "n_rot", offset: 8, size: 4 },
            UniformField { name: "n_cells", offset: 12, size: 4 },
            UniformField { name: "n_pos", offset: 16, size: 4 },
            UniformField { name: "max_moves", offset: 20, size: 4 },
            UniformField { name: "span", offset: 24, size: 4 },
            UniformField { name: "reserved", offset: 28, size: 4 },
        ],
        wgsl: r"fn half(h: u32) -> f32 {
 let m = h & 0x7fffu;
 let rebias = select(0x38000000u, 0x70000000u, m >= 0x7c00u);
 let v = select(bitcast<f32>((m << 13u) + rebias), f32(m) * 0x1p-24f, m < 0x400u);
 return bitcast<f32>(bitcast<u32>(v) | ((h & 0x8000u) << 16u));
}
fn half2(w: u32) -> vec2<f32> {
 return vec2<f32>(half(w & 0xffffu), half(w >> 16u));
}
override KEY_WORDS: u32 = 1u;
fn halves(v: vec2<f32>) -> u32 {
 return pack2x16float(clamp(v, vec2<f32>(-65504.0), vec2<f32>(65504.0)));
}
fn key(at: u32, w: u32) -> vec2<f32> {
 if (KEY_WORDS == 2u) {
  return bitcast<vec2<f32>>(vec2<u32>(kv[at + 2u * w], kv[at + 2u * w + 1u]));
 }
 return half2(kv[at + w]);
}
fn rotate(v: vec2<f32>, c: vec2<f32>) -> vec2<f32> {
 return vec2<f32>(v.x * c.x - v.y * c.y, v.x * c.y + v.y * c.x);
}
fn store_key(at: u32, w: u32, v: vec2<f32>) {
 if (KEY_WORDS == 2u) {
  kv[at + 2u * w] = bitcast<u32>(v.x);
  kv[at + 2u * w + 1u] = bitcast<u32>(v.y);
 } else {
  kv[at + w] = halves(v);
 }
}
override T: u32 = 64u;
override ROPE: bool = true;
override NEOX: bool = false;
struct Move {
 src: u32,
 dst: u32,
 delta: i32,
 reserved: u32,
}
struct Moves {
 n: u32,
 reserved0: u32,
 reserved1: u32,
 reserved2: u32,
 list: array<Move>,
}
struct P {
 n_head_kv: u32,
 head_dim: u32,
 n_rot: u32,
 n_cells: u32,
 n_pos: u32,
 max_moves: u32,
 span: u32,
 reserved: u32,
}
@group(0) @binding(0) var<storage, read_write> kv: array<u32>;
@group(0) @binding(1) var<storage, read> moves: Moves;
@group(0) @binding(2) var<storage, read> rope: array<vec2<f32>>;
@group(0) @binding(3) var<uniform> p: P;
fn turn(delta: i32, j: u32) -> vec2<f32> {
 let c = rope[min(u32(abs(delta)), p.n_pos - 1u) * (p.n_rot / 2u) + j];
 let unit = c * inverseSqrt(max(dot(c, c), 1e-20));
 return vec2<f32>(unit.x, select(unit.y, -unit.y, delta < 0));
}
fn copy_pair(dst: u32, src: u32, n: u32) {
 kv[dst] = kv[src];
 if (n == 2u) {
  kv[dst + 1u] = kv[src + 1u];
 }
}
@compute @workgroup_size(T)
fn main(@builtin(local_invocation_index) t: u32, @builtin(workgroup_id) wg: vec3<u32>) {
 let words = p.head_dim / 2u;
 let n_keys = p.n_head_kv * words;
 let pair = wg.x * T + t;
 let w = pair % words;
 let is_key = pair < n_keys;
 let rotated = ROPE && is_key && w < p.n_rot / 2u;
 let far = p.n_rot / 4u;
 if (pair >= 2u * n_keys || (NEOX && rotated && w >= far)) {
  return;
 }
 let n = select(1u, KEY_WORDS, is_key);
 let at = select(n_keys * (KEY_WORDS - 1u) + pair, pair * KEY_WORDS, is_key);
 let cell_words = (KEY_WORDS + 1u) * n_keys;
 let end = min(min(moves.n, p.max_moves), (wg.y + 1u) * p.span);
 for (var i = wg.y * p.span; i < end; i++) {
  let m = moves.list[i];
  let src = min(m.src, p.n_cells - 1u) * cell_words + at;
  let dst = min(m.dst, p.n_cells - 1u) * cell_words + at;
  if (!rotated || m.delta == 0) {
   copy_pair(dst, src, n);
   if (NEOX && rotated) {
    copy_pair(dst + far * n, src + far * n, n);
   }
   continue;
  }
  let low = key(src, 0u);
  if (!NEOX) {
   store_key(dst, 0u, rotate(low, turn(m.delta, w)));
   continue;
  }
  let high = key(src, far);
  let first = rotate(vec2<f32>(low.x, high.x), turn(m.delta, 2u * w));
  let second = rotate(vec2<f32>(low.y, high.y), turn(m.delta, 2u * w + 1u));
  store_key(dst, 0u, vec2<f32>(first.x, second.x));
  store_key(dst, far, vec2<f32>(first.y, second.y));
 }
}
",
    },
    Shader {
        name: "mask_logits",
        kernel: "mask_logits",
        workgroup_size: [64, 1, 1],
        bindings: &[
            Binding { index: 0, name: "step", kind: BindingKind::Read, min_size: 192 },
            Binding { index: 1, name: "allowed", kind: BindingKind::Read, min_size: 4 },
            Binding { index: 2, name: "logits", kind: BindingKind::ReadWrite, min_size: 4 },
            Binding { index: 3, name: "p", kind: BindingKind::Uniform, min_size: 16 },
        ],
        overrides: &[],
        needs: &[],
        workgroup_bytes: 0,
        uniform: &[
            UniformField { name: "n_vocab", offset: 0, size: 4 },
            UniformField { name: "n_word", offset: 4, size: 4 },
            UniformField { name: "reserved0", offset: 8, size: 4 },
            UniformField { name: "reserved1", offset: 12, size: 4 },
        ],
        wgsl: r"struct Row {
 token: u32,
 pos: u32,
 cell: u32,
 table: u32,
 base: u32,
 lo: u32,
 hi: u32,
 lo_swa: u32,
 tree: u32,
 ancestors_lo: u32,
 ancestors_hi: u32,
 seq: u32,
 mix_start: u32,
 mix_len: u32,
 reserved0: u32,
 reserved1: u32,
}
struct Step {
 n_rows: u32,
 n_want: u32,
 seed_lo: u32,
 seed_hi: u32,
 window: u32,
 n_out: u32,
 reserved: array<u32, 10>,
 want: array<u32, 16>,
 rows: array<Row>,
}
const BANNED: f32 = -1e30;
fn is_finite(bits: u32) -> bool {
 return (bits & 0x7f800000u) != 0x7f800000u;
}
struct P {
 n_vocab: u32,
 n_word: u32,
 reserved0: u32,
 reserved1: u32,
}
@group(0) @binding(0) var<storage, read> step: Step;
@group(0) @binding(1) var<storage, read> allowed: array<u32>;
@group(0) @binding(2) var<storage, read_write> logits: array<u32>;
@group(0) @binding(3) var<uniform> p: P;
const THREADS = 64u;
const SPAN = 256u;
@compute @workgroup_size(THREADS)
fn main(@builtin(local_invocation_index) t: u32, @builtin(workgroup_id) wg: vec3<u32>) {
 if (wg.y >= step.n_want) {
  return;
 }
 let end = min((wg.x + 1u) * SPAN, p.n_vocab);
 for (var id = wg.x * SPAN + t; id < end; id += THREADS) {
  let word = allowed[wg.y * p.n_word + id / 32u];
  let at = wg.y * p.n_vocab + id;
  if (((word >> (id % 32u)) & 1u) == 0u && is_finite(logits[at])) {
   logits[at] = bitcast<u32>(BANNED);
  }
 }
}
",
    },
    Shader {
        name: "matmul_rows_bf16",
        kernel: "matmul_rows",
        workgroup_size: [64, 1, 1],
        bindings: &[
            Binding { index: 0, name: "wq", kind: BindingKind::Read, min_size: 16 },
            Binding { index: 1, name: "ws", kind: BindingKind::Read, min_size: 4 },
            Binding { index: 2, name: "x", kind: BindingKind::Read, min_size: 16 },
            Binding { index: 3, name: "bias", kind: BindingKind::Read, min_size: 4 },
            Binding { index: 4, name: "y", kind: BindingKind::ReadWrite, min_size: 4 },
            Binding { index: 5, name: "step", kind: BindingKind::Read, min_size: 192 },
            Binding { index: 6, name: "p", kind: BindingKind::Uniform, min_size: 44 },
        ],
        overrides: &[
            Override { name: "L", default: Some(8.0) },
            Override { name: "G", default: Some(1.0) },
            Override { name: "T", default: Some(64.0) },
            Override { name: "B", default: Some(1.0) },
        ],
        needs: &[],
        workgroup_bytes: 1024,
        uniform: &[
            UniformField { name: "n_chunk", offset: 0, size: 4 },
            UniformField { name: "n_unit", offset: 4, size: 4 },
            UniformField { name: "n_group", offset: 8, size: 4 },
            UniformField { name: "n_rows", offset: 12, size: 4 },
            UniformField { name: "row0", offset: 16, size: 4 },
            UniformField { name: "y_stride", offset: 20, size: 4 },
            UniformField { name: "count_from", offset: 24, size: 4 },
            UniformField { name: "max_rows", offset: 28, size: 4 },
            UniformField { name: "act", offset: 32, size: 4 },
            UniformField { name: "flags", offset: 36, size: 4 },
            UniformField { name: "softcap", offset: 40, size: 4 },
        ],
        wgsl: r"struct Chunk {
 v0: vec4<f32>,
 v1: vec4<f32>,
 v2: vec4<f32>,
 v3: vec4<f32>,
 v4: vec4<f32>,
 v5: vec4<f32>,
 v6: vec4<f32>,
 v7: vec4<f32>,
}
struct Coded {
 q: Chunk,
 s: vec4<f32>,
}
fn quants(g: u32, c: u32, r: u32, n_word: u32, word: u32) -> vec4<u32> {
 return wq[((g * p.n_chunk + c) * n_word + word) * 8u + r];
}
fn as_stored(v: Chunk) -> Coded {
 return Coded(v, vec4<f32>(1.0, 1.0, 0.0, 0.0));
}
fn bfloat4(a: u32, b: u32) -> vec4<f32> {
 return bitcast<vec4<f32>>(vec4<u32>(a << 16u, a & 0xffff0000u, b << 16u, b & 0xffff0000u));
}
fn coded(g: u32, c: u32, r: u32) -> Coded {
 let a = quants(g, c, r, 4u, 0u);
 let b = quants(g, c, r, 4u, 1u);
 let d = quants(g, c, r, 4u, 2u);
 let e = quants(g, c, r, 4u, 3u);
 return as_stored(Chunk(bfloat4(a.x, a.y), bfloat4(a.z, a.w), bfloat4(b.x, b.y), bfloat4(b.z, b.w),
  bfloat4(d.x, d.y), bfloat4(d.z, d.w), bfloat4(e.x, e.y), bfloat4(e.z, e.w)));
}
fn dequant(g: u32, c: u32, r: u32) -> Chunk {
 let w = coded(g, c, r);
                       {
  return w.q;
 }
}
fn soft_tanh(v: f32) -> f32 {
 let e = exp(-2.0 * min(abs(v), 15.0));
 return sign(v) * ((1.0 - e) / (1.0 + e));
}
fn silu(v: f32) -> f32 {
 return v / (1.0 + exp(clamp(-v, -80.0, 80.0)));
}
fn gelu_tanh(v: f32) -> f32 {
 return 0.5 * v * (1.0 + soft_tanh(0.7978845608 * (v + 0.044715 * v * v * v)));
}
fn activate(kind: u32, v: f32) -> f32 {
 if (kind == 1u) {
  return silu(v);
 }
 if (kind == 2u) {
  return gelu_tanh(v);
 }
 return v;
}
const ADD = 1u;
const BIAS = 2u;
const SOFTCAP = 4u;
fn store(sum: f32, row: u32, at: u32) {
 var v = sum;
 if ((p.flags & BIAS) != 0u) {
  v += bias[row];
 }
 v = activate(p.act, v);
 if ((p.flags & SOFTCAP) != 0u) {
  v = p.softcap * soft_tanh(v / p.softcap);
 }
 if ((p.flags & ADD) != 0u) {
  v += y[at];
 }
 y[at] = v;
}
struct Row {
 token: u32,
 pos: u32,
 cell: u32,
 table: u32,
 base: u32,
 lo: u32,
 hi: u32,
 lo_swa: u32,
 tree: u32,
 ancestors_lo: u32,
 ancestors_hi: u32,
 seq: u32,
 mix_start: u32,
 mix_len: u32,
 reserved0: u32,
 reserved1: u32,
}
struct Step {
 n_rows: u32,
 n_want: u32,
 seed_lo: u32,
 seed_hi: u32,
 window: u32,
 n_out: u32,
 reserved: array<u32, 10>,
 want: array<u32, 16>,
 rows: array<Row>,
}
struct P {
 n_chunk: u32,
 n_unit: u32,
 n_group: u32,
 n_rows: u32,
 row0: u32,
 y_stride: u32,
 count_from: u32,
 max_rows: u32,
 act: u32,
 flags: u32,
 softcap: f32,
}
@group(0) @binding(0) var<storage, read> wq: array<vec4<u32>>;
@group(0) @binding(1) var<storage, read> ws: array<u32>;
@group(0) @binding(2) var<storage, read> x: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read> bias: array<f32>;
@group(0) @binding(4) var<storage, read_write> y: array<f32>;
@group(0) @binding(5) var<storage, read> step: Step;
@group(0) @binding(6) var<uniform> p: P;
fn column_count() -> u32 {
 return min(select(step.n_rows, step.n_want, p.count_from == 1u), p.max_rows);
}
override L: u32 = 8u;
override G: u32 = 1u;
override T: u32 = 64u;
override B: u32 = 1u;
alias Sums = array<vec4<f32>, 4>;
var<workgroup> partial: array<vec4<f32>, T>;
fn add_word(sums: ptr<function, Sums>, a: vec4<f32>, b: vec4<f32>, c: vec4<f32>, d: vec4<f32>, at: vec4<u32>) {
 let columns = mat4x4<f32>(x[at.x], x[at.y], x[at.z], x[at.w]);
 (*sums)[0] += a * columns;
 if (B > 1u) {
  (*sums)[1] += b * columns;
 }
 if (B > 2u) {
  (*sums)[2] += c * columns;
  (*sums)[3] += d * columns;
 }
}
fn over_lanes(own: vec4<f32>, t: u32, lane: u32) -> vec4<f32> {
 var sum = own;
 partial[t] = own;
 workgroupBarrier();
 if (lane == 0u) {
  for (var l = 1u; l < L; l++) {
   sum += partial[t + 8u * l];
  }
 }
 workgroupBarrier();
 return sum;
}
fn write(sum: vec4<f32>, m0: u32, n: u32, row: u32) {
 if (row >= p.n_rows) {
  return;
 }
 for (var j = 0u; j < 4u; j++) {
  if (m0 + j < n) {
   store(sum[j], p.row0 + row, (m0 + j) * p.y_stride + p.row0 + row);
  }
 }
}
@compute @workgroup_size(T)
fn main(@builtin(local_invocation_index) t: u32, @builtin(workgroup_id) wg: vec3<u32>) {
 let n = column_count();
 let m0 = wg.x * 4u;
 if (m0 >= n) {
  return;
 }
 let r = t % 8u;
 let lane = (t / 8u) % L;
 let block = (wg.y * G + t / (8u * L)) * B;
 let four = vec4<u32>(0u, 1u, 2u, 3u);
 let g = min(vec4<u32>(block) + four, vec4<u32>(p.n_group - 1u));
 let x0 = min(vec4<u32>(m0) + four, vec4<u32>(n - 1u)) * p.n_chunk * 8u;
 var sums = Sums();
 for (var i = lane; i < p.n_chunk; i += L) {
  let a = dequant(g.x, i, r);
  var b = Chunk();
  var c = Chunk();
  var d = Chunk();
  if (B > 1u) {
   b = dequant(g.y, i, r);
  }
  if (B > 2u) {
   c = dequant(g.z, i, r);
   d = dequant(g.w, i, r);
  }
  let at = x0 + i * 8u;
  add_word(&sums, a.v0, b.v0, c.v0, d.v0, at);
  add_word(&sums, a.v1, b.v1, c.v1, d.v1, at + 1u);
  add_word(&sums, a.v2, b.v2, c.v2, d.v2, at + 2u);
  add_word(&sums, a.v3, b.v3, c.v3, d.v3, at + 3u);
  add_word(&sums, a.v4, b.v4, c.v4, d.v4, at + 4u);
  add_word(&sums, a.v5, b.v5, c.v5, d.v5, at + 5u);
  add_word(&sums, a.v6, b.v6, c.v6, d.v6, at + 6u);
  add_word(&sums, a.v7, b.v7, c.v7, d.v7, at + 7u);
 }
 if (L > 1u) {
  sums[0] = over_lanes(sums[0], t, lane);
  if (B > 1u) {
   sums[1] = over_lanes(sums[1], t, lane);
  }
  if (B > 2u) {
   sums[2] = over_lanes(sums[2], t, lane);
   sums[3] = over_lanes(sums[3], t, lane);
  }
 }
 if (lane > 0u) {
  return;
 }
 let row = 8u * block + r;
 write(sums[0], m0, n, row);
 if (B > 1u) {
  write(sums[1], m0, n, row + 8u);
 }
 if (B > 2u) {
  write(sums[2], m0, n, row + 16u);
  write(sums[3], m0, n, row + 24u);
 }
}
",
    },
    Shader {
        name: "matmul_rows_f16",
        kernel: "matmul_rows",
        workgroup_size: [64, 1, 1],
        bindings: &[
            Binding { index: 0, name: "wq", kind: BindingKind::Read, min_size: 16 },
            Binding { index: 1, name: "ws", kind: BindingKind::Read, min_size: 4 },
            Binding { index: 2, name: "x", kind: BindingKind::Read, min_size: 16 },
            Binding { index: 3, name: "bias", kind: BindingKind::Read, min_size: 4 },
            Binding { index: 4, name: "y", kind: BindingKind::ReadWrite, min_size: 4 },
            Binding { index: 5, name: "step", kind: BindingKind::Read, min_size: 192 },
            Binding { index: 6, name: "p", kind: BindingKind::Uniform, min_size: 44 },
        ],
        overrides: &[
            Override { name: "L", default: Some(8.0) },
            Override { name: "G", default: Some(1.0) },
            Override { name: "T", default: Some(64.0) },
            Override { name: "B", default: Some(1.0) },
        ],
        needs: &[],
        workgroup_bytes: 1024,
        uniform: &[
            UniformField { name: "n_chunk", offset: 0, size: 4 },
            UniformField { name: "n_unit", offset: 4, size: 4 },
            UniformField { name: "n_group", offset: 8, size: 4 },
            UniformField { name: "n_rows", offset: 12, size: 4 },
            UniformField { name: "row0", offset: 16, size: 4 },
            UniformField { name: "y_stride", offset: 20, size: 4 },
            UniformField { name: "count_from", offset: 24, size: 4 },
            UniformField { name: "max_rows", offset: 28, size: 4 },
            UniformField { name: "act", offset: 32, size: 4 },
            UniformField { name: "flags", offset: 36, size: 4 },
            UniformField { name: "softcap", offset: 40, size: 4 },
        ],
        wgsl: r"struct Chunk {
 v0: vec4<f32>,
 v1: vec4<f32>,
 v2: vec4<f32>,
 v3: vec4<f32>,
 v4: vec4<f32>,
 v5: vec4<f32>,
 v6: vec4<f32>,
 v7: vec4<f32>,
}
struct Coded {
 q: Chunk,
 s: vec4<f32>,
}
fn quants(g: u32, c: u32, r: u32, n_word: u32, word: u32) -> vec4<u32> {
 return wq[((g * p.n_chunk + c) * n_word + word) * 8u + r];
}
fn half4(a: u32, b: u32) -> vec4<f32> {
 let h = vec4<u32>(a & 0xffffu, a >> 16u, b & 0xffffu, b >> 16u);
 let m = h & vec4<u32>(0x7fffu);
 let rebias = select(vec4<u32>(0x38000000u), vec4<u32>(0x70000000u), m >= vec4<u32>(0x7c00u));
 let normal = bitcast<vec4<f32>>((m << vec4<u32>(13u)) + rebias);
 let v = select(normal, vec4<f32>(m) * 0x1p-24f, m < vec4<u32>(0x400u));
 return bitcast<vec4<f32>>(bitcast<vec4<u32>>(v) | ((h & vec4<u32>(0x8000u)) << vec4<u32>(16u)));
}
fn as_stored(v: Chunk) -> Coded {
 return Coded(v, vec4<f32>(1.0, 1.0, 0.0, 0.0));
}
fn coded(g: u32, c: u32, r: u32) -> Coded {
 let a = quants(g, c, r, 4u, 0u);
 let b = quants(g, c, r, 4u, 1u);
 let d = quants(g, c, r, 4u, 2u);
 let e = quants(g, c, r, 4u, 3u);
 return as_stored(Chunk(half4(a.x, a.y), half4(a.z, a.w), half4(b.x, b.y), half4(b.z, b.w),
  half4(d.x, d.y), half4(d.z, d.w), half4(e.x, e.y), half4(e.z, e.w)));
}
fn dequant(g: u32, c: u32, r: u32) -> Chunk {
 let w = coded(g, c, r);
                       {
  return w.q;
 }
}
fn soft_tanh(v: f32) -> f32 {
 let e = exp(-2.0 * min(abs(v), 15.0));
 return sign(v) * ((1.0 - e) / (1.0 + e));
}
fn silu(v: f32) -> f32 {
 return v / (1.0 + exp(clamp(-v, -80.0, 80.0)));
}
fn gelu_tanh(v: f32) -> f32 {
 return 0.5 * v * (1.0 + soft_tanh(0.7978845608 * (v + 0.044715 * v * v * v)));
}
fn activate(kind: u32, v: f32) -> f32 {
 if (kind == 1u) {
  return silu(v);
 }
 if (kind == 2u) {
  return gelu_tanh(v);
 }
 return v;
}
const ADD = 1u;
const BIAS = 2u;
const SOFTCAP = 4u;
fn store(sum: f32, row: u32, at: u32) {
 var v = sum;
 if ((p.flags & BIAS) != 0u) {
  v += bias[row];
 }
 v = activate(p.act, v);
 if ((p.flags & SOFTCAP) != 0u) {
  v = p.softcap * soft_tanh(v / p.softcap);
 }
 if ((p.flags & ADD) != 0u) {
  v += y[at];
 }
 y[at] = v;
}
struct Row {
 token: u32,
 pos: u32,
 cell: u32,
 table: u32,
 base: u32,
 lo: u32,
 hi: u32,
 lo_swa: u32,
 tree: u32,
 ancestors_lo: u32,
 ancestors_hi: u32,
 seq: u32,
 mix_start: u32,
 mix_len: u32,
 reserved0: u32,
 reserved1: u32,
}
struct Step {
 n_rows: u32,
 n_want: u32,
 seed_lo: u32,
 seed_hi: u32,
 window: u32,
 n_out: u32,
 reserved: array<u32, 10>,
 want: array<u32, 16>,
 rows: array<Row>,
}
struct P {
 n_chunk: u32,
 n_unit: u32,
 n_group: u32,
 n_rows: u32,
 row0: u32,
 y_stride: u32,
 count_from: u32,
 max_rows: u32,
 act: u32,
 flags: u32,
 softcap: f32,
}
@group(0) @binding(0) var<storage, read> wq: array<vec4<u32>>;
@group(0) @binding(1) var<storage, read> ws: array<u32>;
@group(0) @binding(2) var<storage, read> x: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read> bias: array<f32>;
@group(0) @binding(4) var<storage, read_write> y: array<f32>;
@group(0) @binding(5) var<storage, read> step: Step;
@group(0) @binding(6) var<uniform> p: P;
fn column_count() -> u32 {
 return min(select(step.n_rows, step.n_want, p.count_from == 1u), p.max_rows);
}
override L: u32 = 8u;
override G: u32 = 1u;
override T: u32 = 64u;
override B: u32 = 1u;
alias Sums = array<vec4<f32>, 4>;
var<workgroup> partial: array<vec4<f32>, T>;
fn add_word(sums: ptr<function, Sums>, a: vec4<f32>, b: vec4<f32>, c: vec4<f32>, d: vec4<f32>, at: vec4<u32>) {
 let columns = mat4x4<f32>(x[at.x], x[at.y], x[at.z], x[at.w]);
 (*sums)[0] += a * columns;
 if (B > 1u) {
  (*sums)[1] += b * columns;
 }
 if (B > 2u) {
  (*sums)[2] += c * columns;
  (*sums)[3] += d * columns;
 }
}
fn over_lanes(own: vec4<f32>, t: u32, lane: u32) -> vec4<f32> {
 var sum = own;
 partial[t] = own;
 workgroupBarrier();
 if (lane == 0u) {
  for (var l = 1u; l < L; l++) {
   sum += partial[t + 8u * l];
  }
 }
 workgroupBarrier();
 return sum;
}
fn write(sum: vec4<f32>, m0: u32, n: u32, row: u32) {
 if (row >= p.n_rows) {
  return;
 }
 for (var j = 0u; j < 4u; j++) {
  if (m0 + j < n) {
   store(sum[j], p.row0 + row, (m0 + j) * p.y_stride + p.row0 + row);
  }
 }
}
@compute @workgroup_size(T)
fn main(@builtin(local_invocation_index) t: u32, @builtin(workgroup_id) wg: vec3<u32>) {
 let n = column_count();
 let m0 = wg.x * 4u;
 if (m0 >= n) {
  return;
 }
 let r = t % 8u;
 let lane = (t / 8u) % L;
 let block = (wg.y * G + t / (8u * L)) * B;
 let four = vec4<u32>(0u, 1u, 2u, 3u);
 let g = min(vec4<u32>(block) + four, vec4<u32>(p.n_group - 1u));
 let x0 = min(vec4<u32>(m0) + four, vec4<u32>(n - 1u)) * p.n_chunk * 8u;
 var sums = Sums();
 for (var i = lane; i < p.n_chunk; i += L) {
  let a = dequant(g.x, i, r);
  var b = Chunk();
  var c = Chunk();
  var d = Chunk();
  if (B > 1u) {
   b = dequant(g.y, i, r);
  }
  if (B > 2u) {
   c = dequant(g.z, i, r);
   d = dequant(g.w, i, r);
  }
  let at = x0 + i * 8u;
  add_word(&sums, a.v0, b.v0, c.v0, d.v0, at);
  add_word(&sums, a.v1, b.v1, c.v1, d.v1, at + 1u);
  add_word(&sums, a.v2, b.v2, c.v2, d.v2, at + 2u);
  add_word(&sums, a.v3, b.v3, c.v3, d.v3, at + 3u);
  add_word(&sums, a.v4, b.v4, c.v4, d.v4, at + 4u);
  add_word(&sums, a.v5, b.v5, c.v5, d.v5, at + 5u);
  add_word(&sums, a.v6, b.v6, c.v6, d.v6, at + 6u);
  add_word(&sums, a.v7, b.v7, c.v7, d.v7, at + 7u);
 }
 if (L > 1u) {
  sums[0] = over_lanes(sums[0], t, lane);
  if (B > 1u) {
   sums[1] = over_lanes(sums[1], t, lane);
  }
  if (B > 2u) {
   sums[2] = over_lanes(sums[2], t, lane);
   sums[3] = over_lanes(sums[3], t, lane);
  }
 }
 if (lane > 0u) {
  return;
 }
 let row = 8u * block + r;
 write(sums[0], m0, n, row);
 if (B > 1u) {
  write(sums[1], m0, n, row + 8u);
 }
 if (B > 2u) {
  write(sums[2], m0, n, row + 16u);
  write(sums[3], m0, n, row + 24u);
 }
}
",
    },
    Shader {
        name: "matmul_rows_f32",
        kernel: "matmul_rows",
        workgroup_size: [64, 1, 1],
        bindings: &[
            Binding { index: 0, name: "wq", kind: BindingKind::Read, min_size: 16 },
            Binding { index: 1, name: "ws", kind: BindingKind::Read, min_size: 4 },
            Binding { index: 2, name: "x", kind: BindingKind::Read, min_size: 16 },
            Binding { index: 3, name: "bias", kind: BindingKind::Read, min_size: 4 },
            Binding { index: 4, name: "y", kind: BindingKind::ReadWrite, min_size: 4 },
            Binding { index: 5, name: "step", kind: BindingKind::Read, min_size: 192 },
            Binding { index: 6, name: "p", kind: BindingKind::Uniform, min_size: 44 },
        ],
        overrides: &[
            Override { name: "L", default: Some(8.0) },
            Override { name: "G", default: Some(1.0) },
            Override { name: "T", default: Some(64.0) },
            Override { name: "B", default: Some(1.0) },
        ],
        needs: &[],
        workgroup_bytes: 1024,
        uniform: &[
            UniformField { name: "n_chunk", offset: 0, size: 4 },
            UniformField { name: "n_unit", offset: 4, size: 4 },
            UniformField { name: "n_group", offset: 8, size: 4 },
            UniformField { name: "n_rows", offset: 12, size: 4 },
            UniformField { name: "row0", offset: 16, size: 4 },
            UniformField { name: "y_stride", offset: 20, size: 4 },
            UniformField { name: "count_from", offset: 24, size: 4 },
            UniformField { name: "max_rows", offset: 28, size: 4 },
            UniformField { name: "act", offset: 32, size: 4 },
            UniformField { name: "flags", offset: 36, size: 4 },
            UniformField { name: "softcap", offset: 40, size: 4 },
        ],
        wgsl: r"struct Chunk {
 v0: vec4<f32>,
 v1: vec4<f32>,
 v2: vec4<f32>,
 v3: vec4<f32>,
 v4: vec4<f32>,
 v5: vec4<f32>,
 v6: vec4<f32>,
 v7: vec4<f32>,
}
struct Coded {
 q: Chunk,
 s: vec4<f32>,
}
fn quants(g: u32, c: u32, r: u32, n_word: u32, word: u32) -> vec4<u32> {
 return wq[((g * p.n_chunk + c) * n_word + word) * 8u + r];
}
fn as_stored(v: Chunk) -> Coded {
 return Coded(v, vec4<f32>(1.0, 1.0, 0.0, 0.0));
}
fn floats(g: u32, c: u32, r: u32, word: u32) -> vec4<f32> {
 return bitcast<vec4<f32>>(quants(g, c, r, 8u, word));
}
fn coded(g: u32, c: u32, r: u32) -> Coded {
 return as_stored(Chunk(floats(g, c, r, 0u), floats(g, c, r, 1u), floats(g, c, r, 2u), floats(g, c, r, 3u),
  floats(g, c, r, 4u), floats(g, c, r, 5u), floats(g, c, r, 6u), floats(g, c, r, 7u)));
}
fn dequant(g: u32, c: u32, r: u32) -> Chunk {
 let w = coded(g, c, r);
                       {
  return w.q;
 }
}
fn soft_tanh(v: f32) -> f32 {
 let e = exp(-2.0 * min(abs(v), 15.0));
 return sign(v) * ((1.0 - e) / (1.0 + e));
}
fn silu(v: f32) -> f32 {
 return v / (1.0 + exp(clamp(-v, -80.0, 80.0)));
}
fn gelu_tanh(v: f32) -> f32 {
 return 0.5 * v * (1.0 + soft_tanh(0.7978845608 * (v + 0.044715 * v * v * v)));
}
fn activate(kind: u32, v: f32) -> f32 {
 if (kind == 1u) {
  return silu(v);
 }
 if (kind == 2u) {
  return gelu_tanh(v);
 }
 return v;
}
const ADD = 1u;
const BIAS = 2u;
const SOFTCAP = 4u;
fn store(sum: f32, row: u32, at: u32) {
 var v = sum;
 if ((p.flags & BIAS) != 0u) {
  v += bias[row];
 }
 v = activate(p.act, v);
 if ((p.flags & SOFTCAP) != 0u) {
  v = p.softcap * soft_tanh(v / p.softcap);
 }
 if ((p.flags & ADD) != 0u) {
  v += y[at];
 }
 y[at] = v;
}
struct Row {
 token: u32,
 pos: u32,
 cell: u32,
 table: u32,
 base: u32,
 lo: u32,
 hi: u32,
 lo_swa: u32,
 tree: u32,
 ancestors_lo: u32,
 ancestors_hi: u32,
 seq: u32,
 mix_start: u32,
 mix_len: u32,
 reserved0: u32,
 reserved1: u32,
}
struct Step {
 n_rows: u32,
 n_want: u32,
 seed_lo: u32,
 seed_hi: u32,
 window: u32,
 n_out: u32,
 reserved: array<u32, 10>,
 want: array<u32, 16>,
 rows: array<Row>,
}
struct P {
 n_chunk: u32,
 n_unit: u32,
 n_group: u32,
 n_rows: u32,
 row0: u32,
 y_stride: u32,
 count_from: u32,
 max_rows: u32,
 act: u32,
 flags: u32,
 softcap: f32,
}
@group(0) @binding(0) var<storage, read> wq: array<vec4<u32>>;
@group(0) @binding(1) var<storage, read> ws: array<u32>;
@group(0) @binding(2) var<storage, read> x: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read> bias: array<f32>;
@group(0) @binding(4) var<storage, read_write> y: array<f32>;
@group(0) @binding(5) var<storage, read> step: Step;
@group(0) @binding(6) var<uniform> p: P;
fn column_count() -> u32 {
 return min(select(step.n_rows, step.n_want, p.count_from == 1u), p.max_rows);
}
override L: u32 = 8u;
override G: u32 = 1u;
override T: u32 = 64u;
override B: u32 = 1u;
alias Sums = array<vec4<f32>, 4>;
var<workgroup> partial: array<vec4<f32>, T>;
fn add_word(sums: ptr<function, Sums>, a: vec4<f32>, b: vec4<f32>, c: vec4<f32>, d: vec4<f32>, at: vec4<u32>) {
 let columns = mat4x4<f32>(x[at.x], x[at.y], x[at.z], x[at.w]);
 (*sums)[0] += a * columns;
 if (B > 1u) {
  (*sums)[1] += b * columns;
 }
 if (B > 2u) {
  (*sums)[2] += c * columns;
  (*sums)[3] += d * columns;
 }
}
fn over_lanes(own: vec4<f32>, t: u32, lane: u32) -> vec4<f32> {
 var sum = own;
 partial[t] = own;
 workgroupBarrier();
 if (lane == 0u) {
  for (var l = 1u; l < L; l++) {
   sum += partial[t + 8u * l];
  }
 }
 workgroupBarrier();
 return sum;
}
fn write(sum: vec4<f32>, m0: u32, n: u32, row: u32) {
 if (row >= p.n_rows) {
  return;
 }
 for (var j = 0u; j < 4u; j++) {
  if (m0 + j < n) {
   store(sum[j], p.row0 + row, (m0 + j) * p.y_stride + p.row0 + row);
  }
 }
}
@compute @workgroup_size(T)
fn main(@builtin(local_invocation_index) t: u32, @builtin(workgroup_id) wg: vec3<u32>) {
 let n = column_count();
 let m0 = wg.x * 4u;
 if (m0 >= n) {
  return;
 }
 let r = t % 8u;
 let lane = (t / 8u) % L;
 let block = (wg.y * G + t / (8u * L)) * B;
 let four = vec4<u32>(0u, 1u, 2u, 3u);
 let g = min(vec4<u32>(block) + four, vec4<u32>(p.n_group - 1u));
 let x0 = min(vec4<u32>(m0) + four, vec4<u32>(n - 1u)) * p.n_chunk * 8u;
 var sums = Sums();
 for (var i = lane; i < p.n_chunk; i += L) {
  let a = dequant(g.x, i, r);
  var b = Chunk();
  var c = Chunk();
  var d = Chunk();
  if (B > 1u) {
   b = dequant(g.y, i, r);
  }
  if (B > 2u) {
   c = dequant(g.z, i, r);
   d = dequant(g.w, i, r);
  }
  let at = x0 + i * 8u;
  add_word(&sums, a.v0, b.v0, c.v0, d.v0, at);
  add_word(&sums, a.v1, b.v1, c.v1, d.v1, at + 1u);
  add_word(&sums, a.v2, b.v2, c.v2, d.v2, at + 2u);
  add_word(&sums, a.v3, b.v3, c.v3, d.v3, at + 3u);
  add_word(&sums, a.v4, b.v4, c.v4, d.v4, at + 4u);
  add_word(&sums, a.v5, b.v5, c.v5, d.v5, at + 5u);
  add_word(&sums, a.v6, b.v6, c.v6, d.v6, at + 6u);
  add_word(&sums, a.v7, b.v7, c.v7, d.v7, at + 7u);
 }
 if (L > 1u) {
  sums[0] = over_lanes(sums[0], t, lane);
  if (B > 1u) {
   sums[1] = over_lanes(sums[1], t, lane);
  }
  if (B > 2u) {
   sums[2] = over_lanes(sums[2], t, lane);
   sums[3] = over_lanes(sums[3], t, lane);
  }
 }
 if (lane > 0u) {
  return;
 }
 let row = 8u * block + r;
 write(sums[0], m0, n, row);
 if (B > 1u) {
  write(sums[1], m0, n, row + 8u);
 }
 if (B > 2u) {
  write(sums[2], m0, n, row + 16u);
  write(sums[3], m0, n, row + 24u);
 }
}
",
    },
    Shader {
        name: "matmul_rows_iq4",
        kernel: "matmul_rows",
        workgroup_size: [64, 1, 1],
        bindings: &[
            Binding { index: 0, name: "wq", kind: BindingKind::Read, min_size: 16 },
            Binding { index: 1, name: "ws", kind: BindingKind::Read, min_size: 4 },
            Binding { index: 2, name: "x", kind: BindingKind::Read, min_size: 16 },
            Binding { index: 3, name: "bias", kind: BindingKind::Read, min_size: 4 },
            Binding { index: 4, name: "y", kind: BindingKind::ReadWrite, min_size: 4 },
            Binding { index: 5, name: "step", kind: BindingKind::Read, min_size: 192 },
            Binding { index: 6, name: "p", kind: BindingKind::Uniform, min_size: 44 },
        ],
        overrides: &[
            Override { name: "L", default: Some(8.0) },
            Override { name: "G", default: Some(1.0) },
            Override { name: "T", default: Some(64.0) },
            Override { name: "B", default: Some(1.0) },
        ],
        needs: &[],
        workgroup_bytes: 1024,
        uniform: &[
            UniformField { name: "n_chunk", offset: 0, size: 4 },
            UniformField { name: "n_unit", offset: 4, size: 4 },
            UniformField { name: "n_group", offset: 8, size: 4 },
            UniformField { name: "n_rows", offset: 12, size: 4 },
            UniformField { name: "row0", offset: 16, size: 4 },
            UniformField { name: "y_stride", offset: 20, size: 4 },
            UniformField { name: "count_from", offset: 24, size: 4 },
            UniformField { name: "max_rows", offset: 28, size: 4 },
            UniformField { name: "act", offset: 32, size: 4 },
            UniformField { name: "flags", offset: 36, size: 4 },
            UniformField { name: "softcap", offset: 40, size: 4 },
        ],
        wgsl: r"struct Chunk {
 v0: vec4<f32>,
 v1: vec4<f32>,
 v2: vec4<f32>,
 v3: vec4<f32>,
 v4: vec4<f32>,
 v5: vec4<f32>,
 v6: vec4<f32>,
 v7: vec4<f32>,
}
struct Coded {
 q: Chunk,
 s: vec4<f32>,
}
fn chunk_scale(q: Chunk, lo: f32, hi: f32) -> Chunk {
 return Chunk(q.v0 * lo, q.v1 * lo, q.v2 * lo, q.v3 * lo, q.v4 * hi, q.v5 * hi, q.v6 * hi, q.v7 * hi);
}
fn quants(g: u32, c: u32, r: u32, n_word: u32, word: u32) -> vec4<u32> {
 return wq[((g * p.n_chunk + c) * n_word + word) * 8u + r];
}
fn scale_word(g: u32, unit: u32, r: u32, n_word: u32, word: u32) -> u32 {
 return ws[((g * p.n_unit + unit) * n_word + word) * 8u + r];
}
fn nibbles(w: u32) -> vec4<u32> {
 return (vec4<u32>(w) >> vec4<u32>(0u, 8u, 16u, 24u)) & vec4<u32>(15u);
}
fn code(w: u32) -> vec4<f32> {
 let n = nibbles(w);
 let second = (n & vec4<u32>(4u)) != vec4<u32>(0u);
 let low = select(vec4<u32>(0xbfad9881u), vec4<u32>(0xf6eaddcfu), second);
 let high = select(vec4<u32>(0x26190d01u), vec4<u32>(0x71594535u), second);
 let word = select(low, high, n >= vec4<u32>(8u));
 let byte = word << (vec4<u32>(24u) - ((n & vec4<u32>(3u)) << vec4<u32>(3u)));
 return vec4<f32>(bitcast<vec4<i32>>(byte) >> vec4<u32>(24u));
}
fn coded(g: u32, c: u32, r: u32) -> Coded {
 let s = bitcast<f32>(scale_word(g, c, r, 1u, 0u));
 let q = quants(g, c, r, 1u, 0u);
 let h = q >> vec4<u32>(4u);
 let v = Chunk(code(q.x), code(q.y), code(q.z), code(q.w), code(h.x), code(h.y), code(h.z), code(h.w));
 return Coded(v, vec4<f32>(s, s, 0.0, 0.0));
}
fn dequant(g: u32, c: u32, r: u32) -> Chunk {
 let w = coded(g, c, r);
    {
  return chunk_scale(w.q, w.s.x, w.s.y);
 }
}
fn soft_tanh(v: f32) -> f32 {
 let e = exp(-2.0 * min(abs(v), 15.0));
 return sign(v) * ((1.0 - e) / (1.0 + e));
}
fn silu(v: f32) -> f32 {
 return v / (1.0 + exp(clamp(-v, -80.0, 80.0)));
}
fn gelu_tanh(v: f32) -> f32 {
 return 0.5 * v * (1.0 + soft_tanh(0.7978845608 * (v + 0.044715 * v * v * v)));
}
fn activate(kind: u32, v: f32) -> f32 {
 if (kind == 1u) {
  return silu(v);
 }
 if (kind == 2u) {
  return gelu_tanh(v);
 }
 return v;
}
const ADD = 1u;
const BIAS = 2u;
const SOFTCAP = 4u;
fn store(sum: f32, row: u32, at: u32) {
 var v = sum;
 if ((p.flags & BIAS) != 0u) {
  v += bias[row];
 }
 v = activate(p.act, v);
 if ((p.flags & SOFTCAP) != 0u) {
  v = p.softcap * soft_tanh(v / p.softcap);
 }
 if ((p.flags & ADD) != 0u) {
  v += y[at];
 }
 y[at] = v;
}
struct Row {
 token: u32,
 pos: u32,
 cell: u32,
 table: u32,
 base: u32,
 lo: u32,
 hi: u32,
 lo_swa: u32,
 tree: u32,
 ancestors_lo: u32,
 ancestors_hi: u32,
 seq: u32,
 mix_start: u32,
 mix_len: u32,
 reserved0: u32,
 reserved1: u32,
}
struct Step {
 n_rows: u32,
 n_want: u32,
 seed_lo: u32,
 seed_hi: u32,
 window: u32,
 n_out: u32,
 reserved: array<u32, 10>,
 want: array<u32, 16>,
 rows: array<Row>,
}
struct P {
 n_chunk: u32,
 n_unit: u32,
 n_group: u32,
 n_rows: u32,
 row0: u32,
 y_stride: u32,
 count_from: u32,
 max_rows: u32,
 act: u32,
 flags: u32,
 softcap: f32,
}
@group(0) @binding(0) var<storage, read> wq: array<vec4<u32>>;
@group(0) @binding(1) var<storage, read> ws: array<u32>;
@group(0) @binding(2) var<storage, read> x: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read> bias: array<f32>;
@group(0) @binding(4) var<storage, read_write> y: array<f32>;
@group(0) @binding(5) var<storage, read> step: Step;
@group(0) @binding(6) var<uniform> p: P;
fn column_count() -> u32 {
 return min(select(step.n_rows, step.n_want, p.count_from == 1u), p.max_rows);
}
override L: u32 = 8u;
override G: u32 = 1u;
override T: u32 = 64u;
override B: u32 = 1u;
alias Sums = array<vec4<f32>, 4>;
var<workgroup> partial: array<vec4<f32>, T>;
fn add_word(sums: ptr<function, Sums>, a: vec4<f32>, b: vec4<f32>, c: vec4<f32>, d: vec4<f32>, at: vec4<u32>) {
 let columns = mat4x4<f32>(x[at.x], x[at.y], x[at.z], x[at.w]);
 (*sums)[0] += a * columns;
 if (B > 1u) {
  (*sums)[1] += b * columns;
 }
 if (B > 2u) {
  (*sums)[2] += c * columns;
  (*sums)[3] += d * columns;
 }
}
fn over_lanes(own: vec4<f32>, t: u32, lane: u32) -> vec4<f32> {
 var sum = own;
 partial[t] = own;
 workgroupBarrier();
 if (lane == 0u) {
  for (var l = 1u; l < L; l++) {
   sum += partial[t + 8u * l];
  }
 }
 workgroupBarrier();
 return sum;
}
fn write(sum: vec4<f32>, m0: u32, n: u32, row: u32) {
 if (row >= p.n_rows) {
  return;
 }
 for (var j = 0u; j < 4u; j++) {
  if (m0 + j < n) {
   store(sum[j], p.row0 + row, (m0 + j) * p.y_stride + p.row0 + row);
  }
 }
}
@compute @workgroup_size(T)
fn main(@builtin(local_invocation_index) t: u32, @builtin(workgroup_id) wg: vec3<u32>) {
 let n = column_count();
 let m0 = wg.x * 4u;
 if (m0 >= n) {
  return;
 }
 let r = t % 8u;
 let lane = (t / 8u) % L;
 let block = (wg.y * G + t / (8u * L)) * B;
 let four = vec4<u32>(0u, 1u, 2u, 3u);
 let g = min(vec4<u32>(block) + four, vec4<u32>(p.n_group - 1u));
 let x0 = min(vec4<u32>(m0) + four, vec4<u32>(n - 1u)) * p.n_chunk * 8u;
 var sums = Sums();
 for (var i = lane; i < p.n_chunk; i += L) {
  let a = dequant(g.x, i, r);
  var b = Chunk();
  var c = Chunk();
  var d = Chunk();
  if (B > 1u) {
   b = dequant(g.y, i, r);
  }
  if (B > 2u) {
   c = dequant(g.z, i, r);
   d = dequant(g.w, i, r);
  }
  let at = x0 + i * 8u;
  add_word(&sums, a.v0, b.v0, c.v0, d.v0, at);
  add_word(&sums, a.v1, b.v1, c.v1, d.v1, at + 1u);
  add_word(&sums, a.v2, b.v2, c.v2, d.v2, at + 2u);
  add_word(&sums, a.v3, b.v3, c.v3, d.v3, at + 3u);
  add_word(&sums, a.v4, b.v4, c.v4, d.v4, at + 4u);
  add_word(&sums, a.v5, b.v5, c.v5, d.v5, at + 5u);
  add_word(&sums, a.v6, b.v6, c.v6, d.v6, at + 6u);
  add_word(&sums, a.v7, b.v7, c.v7, d.v7, at + 7u);
 }
 if (L > 1u) {
  sums[0] = over_lanes(sums[0], t, lane);
  if (B > 1u) {
   sums[1] = over_lanes(sums[1], t, lane);
  }
  if (B > 2u) {
   sums[2] = over_lanes(sums[2], t, lane);
   sums[3] = over_lanes(sums[3], t, lane);
  }
 }
 if (lane > 0u) {
  return;
 }
 let row = 8u * block + r;
 write(sums[0], m0, n, row);
 if (B > 1u) {
  write(sums[1], m0, n, row + 8u);
 }
 if (B > 2u) {
  write(sums[2], m0, n, row + 16u);
  write(sums[3], m0, n, row + 24u);
 }
}
",
    },
    Shader {
        name: "matmul_rows_mxfp4",
        kernel: "matmul_rows",
        workgroup_size: [64, 1, 1],
        bindings: &[
            Binding { index: 0, name: "wq", kind: BindingKind::Read, min_size: 16 },
            Binding { index: 1, name: "ws", kind: BindingKind::Read, min_size: 4 },
            Binding { index: 2, name: "x", kind: BindingKind::Read, min_size: 16 },
            Binding { index: 3, name: "bias", kind: BindingKind::Read, min_size: 4 },
            Binding { index: 4, name: "y", kind: BindingKind::ReadWrite, min_size: 4 },
            Binding { index: 5, name: "step", kind: BindingKind::Read, min_size: 192 },
            Binding { index: 6, name: "p", kind: BindingKind::Uniform, min_size: 44 },
        ],
        overrides: &[
            Override { name: "L", default: Some(8.0) },
            Override { name: "G", default: Some(1.0) },
            Override { name: "T", default: Some(64.0) },
            Override { name: "B", default: Some(1.0) },
        ],
        needs: &[],
        workgroup_bytes: 1024,
        uniform: &[
            UniformField { name: "n_chunk", offset: 0, size: 4 },
            UniformField { name: "n_unit", offset: 4, size: 4 },
            UniformField { name: "n_group", offset: 8, size: 4 },
            UniformField { name: "n_rows", offset: 12, size: 4 },
            UniformField { name: "row0", offset: 16, size: 4 },
            UniformField { name: "y_stride", offset: 20, size: 4 },
            UniformField { name: "count_from", offset: 24, size: 4 },
            UniformField { name: "max_rows", offset: 28, size: 4 },
            UniformField { name: "act", offset: 32, size: 4 },
            UniformField { name: "flags", offset: 36, size: 4 },
            UniformField { name: "softcap", offset: 40, size: 4 },
        ],
        wgsl: r"struct Chunk {
 v0: vec4<f32>,
 v1: vec4<f32>,
 v2: vec4<f32>,
 v3: vec4<f32>,
 v4: vec4<f32>,
 v5: vec4<f32>,
 v6: vec4<f32>,
 v7: vec4<f32>,
}
struct Coded {
 q: Chunk,
 s: vec4<f32>,
}
fn chunk_scale(q: Chunk, lo: f32, hi: f32) -> Chunk {
 return Chunk(q.v0 * lo, q.v1 * lo, q.v2 * lo, q.v3 * lo, q.v4 * hi, q.v5 * hi, q.v6 * hi, q.v7 * hi);
}
fn quants(g: u32, c: u32, r: u32, n_word: u32, word: u32) -> vec4<u32> {
 return wq[((g * p.n_chunk + c) * n_word + word) * 8u + r];
}
fn scale_word(g: u32, unit: u32, r: u32, n_word: u32, word: u32) -> u32 {
 return ws[((g * p.n_unit + unit) * n_word + word) * 8u + r];
}
fn nibbles(w: u32) -> vec4<u32> {
 return (vec4<u32>(w) >> vec4<u32>(0u, 8u, 16u, 24u)) & vec4<u32>(15u);
}
fn code(w: u32) -> vec4<f32> {
 let n = nibbles(w);
 let m = n & vec4<u32>(1u);
 let e = (n >> vec4<u32>(1u)) & vec4<u32>(3u);
 let normal = (vec4<u32>(2u) | m) << (max(e, vec4<u32>(1u)) - vec4<u32>(1u));
 let v = vec4<i32>(select(normal, m, e == vec4<u32>(0u)));
 return vec4<f32>(select(v, -v, n >= vec4<u32>(8u)));
}
fn coded(g: u32, c: u32, r: u32) -> Coded {
 let s = bitcast<f32>(scale_word(g, c, r, 1u, 0u));
 let q = quants(g, c, r, 1u, 0u);
 let h = q >> vec4<u32>(4u);
 let v = Chunk(code(q.x), code(q.y), code(q.z), code(q.w), code(h.x), code(h.y), code(h.z), code(h.w));
 return Coded(v, vec4<f32>(s, s, 0.0, 0.0));
}
fn dequant(g: u32, c: u32, r: u32) -> Chunk {
 let w = coded(g, c, r);
    {
  return chunk_scale(w.q, w.s.x, w.s.y);
 }
}
fn soft_tanh(v: f32) -> f32 {
 let e = exp(-2.0 * min(abs(v), 15.0));
 return sign(v) * ((1.0 - e) / (1.0 + e));
}
fn silu(v: f32) -> f32 {
 return v / (1.0 + exp(clamp(-v, -80.0, 80.0)));
}
fn gelu_tanh(v: f32) -> f32 {
 return 0.5 * v * (1.0 + soft_tanh(0.7978845608 * (v + 0.044715 * v * v * v)));
}
fn activate(kind: u32, v: f32) -> f32 {
 if (kind == 1u) {
  return silu(v);
 }
 if (kind == 2u) {
  return gelu_tanh(v);
 }
 return v;
}
const ADD = 1u;
const BIAS = 2u;
const SOFTCAP = 4u;
fn store(sum: f32, row: u32, at: u32) {
 var v = sum;
 if ((p.flags & BIAS) != 0u) {
  v += bias[row];
 }
 v = activate(p.act, v);
 if ((p.flags & SOFTCAP) != 0u) {
  v = p.softcap * soft_tanh(v / p.softcap);
 }
 if ((p.flags & ADD) != 0u) {
  v += y[at];
 }
 y[at] = v;
}
struct Row {
 token: u32,
 pos: u32,
 cell: u32,
 table: u32,
 base: u32,
 lo: u32,
 hi: u32,
 lo_swa: u32,
 tree: u32,
 ancestors_lo: u32,
 ancestors_hi: u32,
 seq: u32,
 mix_start: u32,
 mix_len: u32,
 reserved0: u32,
 reserved1: u32,
}
struct Step {
 n_rows: u32,
 n_want: u32,
 seed_lo: u32,
 seed_hi: u32,
 window: u32,
 n_out: u32,
 reserved: array<u32, 10>,
 want: array<u32, 16>,
 rows: array<Row>,
}
struct P {
 n_chunk: u32,
 n_unit: u32,
 n_group: u32,
 n_rows: u32,
 row0: u32,
 y_stride: u32,
 count_from: u32,
 max_rows: u32,
 act: u32,
 flags: u32,
 softcap: f32,
}
@group(0) @binding(0) var<storage, read> wq: array<vec4<u32>>;
@group(0) @binding(1) var<storage, read> ws: array<u32>;
@group(0) @binding(2) var<storage, read> x: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read> bias: array<f32>;
@group(0) @binding(4) var<storage, read_write> y: array<f32>;
@group(0) @binding(5) var<storage, read> step: Step;
@group(0) @binding(6) var<uniform> p: P;
fn column_count() -> u32 {
 return min(select(step.n_rows, step.n_want, p.count_from == 1u), p.max_rows);
}
override L: u32 = 8u;
override G: u32 = 1u;
override T: u32 = 64u;
override B: u32 = 1u;
alias Sums = array<vec4<f32>, 4>;
var<workgroup> partial: array<vec4<f32>, T>;
fn add_word(sums: ptr<function, Sums>, a: vec4<f32>, b: vec4<f32>, c: vec4<f32>, d: vec4<f32>, at: vec4<u32>) {
 let columns = mat4x4<f32>(x[at.x], x[at.y], x[at.z], x[at.w]);
 (*sums)[0] += a * columns;
 if (B > 1u) {
  (*sums)[1] += b * columns;
 }
 if (B > 2u) {
  (*sums)[2] += c * columns;
  (*sums)[3] += d * columns;
 }
}
fn over_lanes(own: vec4<f32>, t: u32, lane: u32) -> vec4<f32> {
 var sum = own;
 partial[t] = own;
 workgroupBarrier();
 if (lane == 0u) {
  for (var l = 1u; l < L; l++) {
   sum += partial[t + 8u * l];
  }
 }
 workgroupBarrier();
 return sum;
}
fn write(sum: vec4<f32>, m0: u32, n: u32, row: u32) {
 if (row >= p.n_rows) {
  return;
 }
 for (var j = 0u; j < 4u; j++) {
  if (m0 + j < n) {
   store(sum[j], p.row0 + row, (m0 + j) * p.y_stride + p.row0 + row);
  }
 }
}
@compute @workgroup_size(T)
fn main(@builtin(local_invocation_index) t: u32, @builtin(workgroup_id) wg: vec3<u32>) {
 let n = column_count();
 let m0 = wg.x * 4u;
 if (m0 >= n) {
  return;
 }
 let r = t % 8u;
 let lane = (t / 8u) % L;
 let block = (wg.y * G + t / (8u * L)) * B;
 let four = vec4<u32>(0u, 1u, 2u, 3u);
 let g = min(vec4<u32>(block) + four, vec4<u32>(p.n_group - 1u));
 let x0 = min(vec4<u32>(m0) + four, vec4<u32>(n - 1u)) * p.n_chunk * 8u;
 var sums = Sums();
 for (var i = lane; i < p.n_chunk; i += L) {
  let a = dequant(g.x, i, r);
  var b = Chunk();
  var c = Chunk();
  var d = Chunk();
  if (B > 1u) {
   b = dequant(g.y, i, r);
  }
  if (B > 2u) {
   c = dequant(g.z, i, r);
   d = dequant(g.w, i, r);
  }
  let at = x0 + i * 8u;
  add_word(&sums, a.v0, b.v0, c.v0, d.v0, at);
  add_word(&sums, a.v1, b.v1, c.v1, d.v1, at + 1u);
  add_word(&sums, a.v2, b.v2, c.v2, d.v2, at + 2u);
  add_word(&sums, a.v3, b.v3, c.v3, d.v3, at + 3u);
  add_word(&sums, a.v4, b.v4, c.v4, d.v4, at + 4u);
  add_word(&sums, a.v5, b.v5, c.v5, d.v5, at + 5u);
  add_word(&sums, a.v6, b.v6, c.v6, d.v6, at + 6u);
  add_word(&sums, a.v7, b.v7, c.v7, d.v7, at + 7u);
 }
 if (L > 1u) {
  sums[0] = over_lanes(sums[0], t, lane);
  if (B > 1u) {
   sums[1] = over_lanes(sums[1], t, lane);
  }
  if (B > 2u) {
   sums[2] = over_lanes(sums[2], t, lane);
   sums[3] = over_lanes(sums[3], t, lane);
  }
 }
 if (lane > 0u) {
  return;
 }
 let row = 8u * block + r;
 write(sums[0], m0, n, row);
 if (B > 1u) {
  write(sums[1], m0, n, row + 8u);
 }
 if (B > 2u) {
  write(sums[2], m0, n, row + 16u);
  write(sums[3], m0, n, row + 24u);
 }
}
",
    },
    Shader {
        name: "matmul_rows_q2k",
        kernel: "matmul_rows",
        workgroup_size: [64, 1, 1],
        bindings: &[
            Binding { index: 0, name: "wq", kind: BindingKind::Read, min_size: 16 },
            Binding { index: 1, name: "ws", kind: BindingKind::Read, min_size: 4 },
            Binding { index: 2, name: "x", kind: BindingKind::Read, min_size: 16 },
            Binding { index: 3, name: "bias", kind: BindingKind::Read, min_size: 4 },
            Binding { index: 4, name: "y", kind: BindingKind::ReadWrite, min_size: 4 },
            Binding { index: 5, name: "step", kind: BindingKind::Read, min_size: 192 },
            Binding { index: 6, name: "p", kind: BindingKind::Uniform, min_size: 44 },
        ],
        overrides: &[
            Override { name: "L", default: Some(8.0) },
            Override { name: "G", default: Some(1.0) },
            Override { name: "T", default: Some(64.0) },
            Override { name: "B", default: Some(1.0) },
        ],
        needs: &[],
        workgroup_bytes: 1024,
        uniform: &[
            UniformField { name: "n_chunk", offset: 0, size: 4 },
            UniformField { name: "n_unit", offset: 4, size: 4 },
            UniformField { name: "n_group", offset: 8, size: 4 },
            UniformField { name: "n_rows", offset: 12, size: 4 },
            UniformField { name: "row0", offset: 16, size: 4 },
            UniformField { name: "y_stride", offset: 20, size: 4 },
            UniformField { name: "count_from", offset: 24, size: 4 },
            UniformField { name: "max_rows", offset: 28, size: 4 },
            UniformField { name: "act", offset: 32, size: 4 },
            UniformField { name: "flags", offset: 36, size: 4 },
            UniformField { name: "softcap", offset: 40, size: 4 },
        ],
        wgsl: r"struct Chunk {
 v0: vec4<f32>,
 v1: vec4<f32>,
 v2: vec4<f32>,
 v3: vec4<f32>,
 v4: vec4<f32>,
 v5: vec4<f32>,
 v6: vec4<f32>,
 v7: vec4<f32>,
}
struct Coded {
 q: Chunk,
 s: vec4<f32>,
}
fn chunk_affine(q: Chunk, s: vec4<f32>) -> Chunk {
 let lo = vec4<f32>(s.z);
 let hi = vec4<f32>(s.w);
 return Chunk(q.v0 * s.x + lo, q.v1 * s.x + lo, q.v2 * s.x + lo, q.v3 * s.x + lo,
  q.v4 * s.y + hi, q.v5 * s.y + hi, q.v6 * s.y + hi, q.v7 * s.y + hi);
}
fn quants(g: u32, c: u32, r: u32, n_word: u32, word: u32) -> vec4<u32> {
 return wq[((g * p.n_chunk + c) * n_word + word) * 8u + r];
}
fn scale_word(g: u32, unit: u32, r: u32, n_word: u32, word: u32) -> u32 {
 return ws[((g * p.n_unit + unit) * n_word + word) * 8u + r];
}
fn nibbles(w: u32) -> vec4<u32> {
 return (vec4<u32>(w) >> vec4<u32>(0u, 8u, 16u, 24u)) & vec4<u32>(15u);
}
fn nibble_chunk(q: vec4<u32>) -> Chunk {
 let h = q >> vec4<u32>(4u);
 return Chunk(vec4<f32>(nibbles(q.x)), vec4<f32>(nibbles(q.y)), vec4<f32>(nibbles(q.z)), vec4<f32>(nibbles(q.w)),
  vec4<f32>(nibbles(h.x)), vec4<f32>(nibbles(h.y)), vec4<f32>(nibbles(h.z)), vec4<f32>(nibbles(h.w)));
}
fn half(h: u32) -> f32 {
 let m = h & 0x7fffu;
 let rebias = select(0x38000000u, 0x70000000u, m >= 0x7c00u);
 let v = select(bitcast<f32>((m << 13u) + rebias), f32(m) * 0x1p-24f, m < 0x400u);
 return bitcast<f32>(bitcast<u32>(v) | ((h & 0x8000u) << 16u));
}
fn half2(w: u32) -> vec2<f32> {
 return vec2<f32>(half(w & 0xffffu), half(w >> 16u));
}
fn byte_pair(g: u32, c: u32, r: u32, n_word: u32) -> u32 {
 return scale_word(g, c / 8u, r, n_word, 1u + (c % 8u) / 2u) >> (16u * (c % 2u));
}
fn coded(g: u32, c: u32, r: u32) -> Coded {
 let d = half2(scale_word(g, c / 8u, r, 5u, 0u));
 let f = vec4<u32>(byte_pair(g, c, r, 5u)) >> vec4<u32>(0u, 8u, 4u, 12u);
 let s = vec4<f32>(f & vec4<u32>(15u)) * vec4<f32>(d.x, d.x, -d.y, -d.y);
 return Coded(nibble_chunk(quants(g, c, r, 1u, 0u)), s);
}
fn dequant(g: u32, c: u32, r: u32) -> Chunk {
 let w = coded(g, c, r);
                                     {
  return chunk_affine(w.q, w.s);
 }
}
fn soft_tanh(v: f32) -> f32 {
 let e = exp(-2.0 * min(abs(v), 15.0));
 return sign(v) * ((1.0 - e) / (1.0 + e));
}
fn silu(v: f32) -> f32 {
 return v / (1.0 + exp(clamp(-v, -80.0, 80.0)));
}
fn gelu_tanh(v: f32) -> f32 {
 return 0.5 * v * (1.0 + soft_tanh(0.7978845608 * (v + 0.044715 * v * v * v)));
}
fn activate(kind: u32, v: f32) -> f32 {
 if (kind == 1u) {
  return silu(v);
 }
 if (kind == 2u) {
  return gelu_tanh(v);
 }
 return v;
}
const ADD = 1u;
const BIAS = 2u;
const SOFTCAP = 4u;
fn store(sum: f32, row: u32, at: u32) {
 var v = sum;
 if ((p.flags & BIAS) != 0u) {
  v += bias[row];
 }
 v = activate(p.act, v);
 if ((p.flags & SOFTCAP) != 0u) {
  v = p.softcap * soft_tanh(v / p.softcap);
 }
 if ((p.flags & ADD) != 0u) {
  v += y[at];
 }
 y[at] = v;
}
struct Row {
 token: u32,
 pos: u32,
 cell: u32,
 table: u32,
 base: u32,
 lo: u32,
 hi: u32,
 lo_swa: u32,
 tree: u32,
 ancestors_lo: u32,
 ancestors_hi: u32,
 seq: u32,
 mix_start: u32,
 mix_len: u32,
 reserved0: u32,
 reserved1: u32,
}
struct Step {
 n_rows: u32,
 n_want: u32,
 seed_lo: u32,
 seed_hi: u32,
 window: u32,
 n_out: u32,
 reserved: array<u32, 10>,
 want: array<u32, 16>,
 rows: array<Row>,
}
struct P {
 n_chunk: u32,
 n_unit: u32,
 n_group: u32,
 n_rows: u32,
 row0: u32,
 y_stride: u32,
 count_from: u32,
 max_rows: u32,
 act: u32,
 flags: u32,
 softcap: f32,
}
@group(0) @binding(0) var<storage, read> wq: array<vec4<u32>>;
@group(0) @binding(1) var<storage, read> ws: array<u32>;
@group(0) @binding(2) var<storage, read> x: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read> bias: array<f32>;
@group(0) @binding(4) var<storage, read_write> y: array<f32>;
@group(0) @binding(5) var<storage, read> step: Step;
@group(0) @binding(6) var<uniform> p: P;
fn column_count() -> u32 {
 return min(select(step.n_rows, step.n_want, p.count_from == 1u), p.max_rows);
}
override L: u32 = 8u;
override G: u32 = 1u;
override T: u32 = 64u;
override B: u32 = 1u;
alias Sums = array<vec4<f32>, 4>;
var<workgroup> partial: array<vec4<f32>, T>;
fn add_word(sums: ptr<function, Sums>, a: vec4<f32>, b: vec4<f32>, c: vec4<f32>, d: vec4<f32>, at: vec4<u32>) {
 let columns = mat4x4<f32>(x[at.x], x[at.y], x[at.z], x[at.w]);
 (*sums)[0] += a * columns;
 if (B > 1u) {
  (*sums)[1] += b * columns;
 }
 if (B > 2u) {
  (*sums)[2] += c * columns;
  (*sums)[3] += d * columns;
 }
}
fn over_lanes(own: vec4<f32>, t: u32, lane: u32) -> vec4<f32> {
 var sum = own;
 partial[t] = own;
 workgroupBarrier();
 if (lane == 0u) {
  for (var l = 1u; l < L; l++) {
   sum += partial[t + 8u * l];
  }
 }
 workgroupBarrier();
 return sum;
}
fn write(sum: vec4<f32>, m0: u32, n: u32, row: u32) {
 if (row >= p.n_rows) {
  return;
 }
 for (var j = 0u; j < 4u; j++) {
  if (m0 + j < n) {
   store(sum[j], p.row0 + row, (m0 + j) * p.y_stride + p.row0 + row);
  }
 }
}
@compute @workgroup_size(T)
fn main(@builtin(local_invocation_index) t: u32, @builtin(workgroup_id) wg: vec3<u32>) {
 let n = column_count();
 let m0 = wg.x * 4u;
 if (m0 >= n) {
  return;
 }
 let r = t % 8u;
 let lane = (t / 8u) % L;
 let block = (wg.y * G + t / (8u * L)) * B;
 let four = vec4<u32>(0u, 1u, 2u, 3u);
 let g = min(vec4<u32>(block) + four, vec4<u32>(p.n_group - 1u));
 let x0 = min(vec4<u32>(m0) + four, vec4<u32>(n - 1u)) * p.n_chunk * 8u;
 var sums = Sums();
 for (var i = lane; i < p.n_chunk; i += L) {
  let a = dequant(g.x, i, r);
  var b = Chunk();
  var c = Chunk();
  var d = Chunk();
  if (B > 1u) {
   b = dequant(g.y, i, r);
  }
  if (B > 2u) {
   c = dequant(g.z, i, r);
   d = dequant(g.w, i, r);
  }
  let at = x0 + i * 8u;
  add_word(&sums, a.v0, b.v0, c.v0, d.v0, at);
  add_word(&sums, a.v1, b.v1, c.v1, d.v1, at + 1u);
  add_word(&sums, a.v2, b.v2, c.v2, d.v2, at + 2u);
  add_word(&sums, a.v3, b.v3, c.v3, d.v3, at + 3u);
  add_word(&sums, a.v4, b.v4, c.v4, d.v4, at + 4u);
  add_word(&sums, a.v5, b.v5, c.v5, d.v5, at + 5u);
  add_word(&sums, a.v6, b.v6, c.v6, d.v6, at + 6u);
  add_word(&sums, a.v7, b.v7, c.v7, d.v7, at + 7u);
 }
 if (L > 1u) {
  sums[0] = over_lanes(sums[0], t, lane);
  if (B > 1u) {
   sums[1] = over_lanes(sums[1], t, lane);
  }
  if (B > 2u) {
   sums[2] = over_lanes(sums[2], t, lane);
   sums[3] = over_lanes(sums[3], t, lane);
  }
 }
 if (lane > 0u) {
  return;
 }
 let row = 8u * block + r;
 write(sums[0], m0, n, row);
 if (B > 1u) {
  write(sums[1], m0, n, row + 8u);
 }
 if (B > 2u) {
  write(sums[2], m0, n, row + 16u);
  write(sums[3], m0, n, row + 24u);
 }
}
",
    },
    Shader {
        name: "matmul_rows_q3k",
        kernel: "matmul_rows",
        workgroup_size: [64, 1, 1],
        bindings: &[
            Binding { index: 0, name: "wq", kind: BindingKind::Read, min_size: 16 },
            Binding { index: 1, name: "ws", kind: BindingKind::Read, min_size: 4 },
            Binding { index: 2, name: "x", kind: BindingKind::Read, min_size: 16 },
            Binding { index: 3, name: "bias", kind: BindingKind::Read, min_size: 4 },
            Binding { index: 4, name: "y", kind: BindingKind::ReadWrite, min_size: 4 },
            Binding { index: 5, name: "step", kind: BindingKind::Read, min_size: 192 },
            Binding { index: 6, name: "p", kind: BindingKind::Uniform, min_size: 44 },
        ],
        overrides: &[
            Override { name: "L", default: Some(8.0) },
            Override { name: "G", default: Some(1.0) },
            Override { name: "T", default: Some(64.0) },
            Override { name: "B", default: Some(1.0) },
        ],
        needs: &[],
        workgroup_bytes: 1024,
        uniform: &[
            UniformField { name: "n_chunk", offset: 0, size: 4 },
            UniformField { name: "n_unit", offset: 4, size: 4 },
            UniformField { name: "n_group", offset: 8, size: 4 },
            UniformField { name: "n_rows", offset: 12, size: 4 },
            UniformField { name: "row0", offset: 16, size: 4 },
            UniformField { name: "y_stride", offset: 20, size: 4 },
            UniformField { name: "count_from", offset: 24, size: 4 },
            UniformField { name: "max_rows", offset: 28, size: 4 },
            UniformField { name: "act", offset: 32, size: 4 },
            UniformField { name: "flags", offset: 36, size: 4 },
            UniformField { name: "softcap", offset: 40, size: 4 },
        ],
        wgsl: r"struct Chunk {
 v0: vec4<f32>,
 v1: vec4<f32>,
 v2: vec4<f32>,
 v3: vec4<f32>,
 v4: vec4<f32>,
 v5: vec4<f32>,
 v6: vec4<f32>,
 v7: vec4<f32>,
}
struct Coded {
 q: Chunk,
 s: vec4<f32>,
}
fn chunk_scale(q: Chunk, lo: f32, hi: f32) -> Chunk {
 return Chunk(q.v0 * lo, q.v1 * lo, q.v2 * lo, q.v3 * lo, q.v4 * hi, q.v5 * hi, q.v6 * hi, q.v7 * hi);
}
fn quants(g: u32, c: u32, r: u32, n_word: u32, word: u32) -> vec4<u32> {
 return wq[((g * p.n_chunk + c) * n_word + word) * 8u + r];
}
fn scale_word(g: u32, unit: u32, r: u32, n_word: u32, word: u32) -> u32 {
 return ws[((g * p.n_unit + unit) * n_word + word) * 8u + r];
}
fn nibbles(w: u32) -> vec4<u32> {
 return (vec4<u32>(w) >> vec4<u32>(0u, 8u, 16u, 24u)) & vec4<u32>(15u);
}
fn signed_byte(b: u32) -> f32 {
 return f32(bitcast<i32>(b << 24u) >> 24u);
}
fn half(h: u32) -> f32 {
 let m = h & 0x7fffu;
 let rebias = select(0x38000000u, 0x70000000u, m >= 0x7c00u);
 let v = select(bitcast<f32>((m << 13u) + rebias), f32(m) * 0x1p-24f, m < 0x400u);
 return bitcast<f32>(bitcast<u32>(v) | ((h & 0x8000u) << 16u));
}
fn byte_pair(g: u32, c: u32, r: u32, n_word: u32) -> u32 {
 return scale_word(g, c / 8u, r, n_word, 1u + (c % 8u) / 2u) >> (16u * (c % 2u));
}
fn centred(q: vec4<u32>, middle: i32) -> vec4<f32> {
 return vec4<f32>(vec4<i32>(q) - vec4<i32>(middle));
}
fn coded(g: u32, c: u32, r: u32) -> Coded {
 let d = half(scale_word(g, c / 8u, r, 5u, 0u) & 0xffffu);
 let f = byte_pair(g, c, r, 5u);
 let q = quants(g, c, r, 1u, 0u);
 let h = q >> vec4<u32>(4u);
 let v = Chunk(centred(nibbles(q.x), 4), centred(nibbles(q.y), 4), centred(nibbles(q.z), 4), centred(nibbles(q.w), 4),
  centred(nibbles(h.x), 4), centred(nibbles(h.y), 4), centred(nibbles(h.z), 4), centred(nibbles(h.w), 4));
 return Coded(v, vec4<f32>(d * signed_byte(f), d * signed_byte(f >> 8u), 0.0, 0.0));
}
fn dequant(g: u32, c: u32, r: u32) -> Chunk {
 let w = coded(g, c, r);
    {
  return chunk_scale(w.q, w.s.x, w.s.y);
 }
}
fn soft_tanh(v: f32) -> f32 {
 let e = exp(-2.0 * min(abs(v), 15.0));
 return sign(v) * ((1.0 - e) / (1.0 + e));
}
fn silu(v: f32) -> f32 {
 return v / (1.0 + exp(clamp(-v, -80.0, 80.0)));
}
fn gelu_tanh(v: f32) -> f32 {
 return 0.5 * v * (1.0 + soft_tanh(0.7978845608 * (v + 0.044715 * v * v * v)));
}
fn activate(kind: u32, v: f32) -> f32 {
 if (kind == 1u) {
  return silu(v);
 }
 if (kind == 2u) {
  return gelu_tanh(v);
 }
 return v;
}
const ADD = 1u;
const BIAS = 2u;
const SOFTCAP = 4u;
fn store(sum: f32, row: u32, at: u32) {
 var v = sum;
 if ((p.flags & BIAS) != 0u) {
  v += bias[row];
 }
 v = activate(p.act, v);
 if ((p.flags & SOFTCAP) != 0u) {
  v = p.softcap * soft_tanh(v / p.softcap);
 }
 if ((p.flags & ADD) != 0u) {
  v += y[at];
 }
 y[at] = v;
}
struct Row {
 token: u32,
 pos: u32,
 cell: u32,
 table: u32,
 base: u32,
 lo: u32,
 hi: u32,
 lo_swa: u32,
 tree: u32,
 ancestors_lo: u32,
 ancestors_hi: u32,
 seq: u32,
 mix_start: u32,
 mix_len: u32,
 reserved0: u32,
 reserved1: u32,
}
struct Step {
 n_rows: u32,
 n_want: u32,
 seed_lo: u32,
 seed_hi: u32,
 window: u32,
 n_out: u32,
 reserved: array<u32, 10>,
 want: array<u32, 16>,
 rows: array<Row>,
}
struct P {
 n_chunk: u32,
 n_unit: u32,
 n_group: u32,
 n_rows: u32,
 row0: u32,
 y_stride: u32,
 count_from: u32,
 max_rows: u32,
 act: u32,
 flags: u32,
 softcap: f32,
}
@group(0) @binding(0) var<storage, read> wq: array<vec4<u32>>;
@group(0) @binding(1) var<storage, read> ws: array<u32>;
@group(0) @binding(2) var<storage, read> x: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read> bias: array<f32>;
@group(0) @binding(4) var<storage, read_write> y: array<f32>;
@group(0) @binding(5) var<storage, read> step: Step;
@group(0) @binding(6) var<uniform> p: P;
fn column_count() -> u32 {
 return min(select(step.n_rows, step.n_want, p.count_from == 1u), p.max_rows);
}
override L: u32 = 8u;
override G: u32 = 1u;
override T: u32 = 64u;
override B: u32 = 1u;
alias Sums = array<vec4<f32>, 4>;
var<workgroup> partial: array<vec4<f32>, T>;
fn add_word(sums: ptr<function, Sums>, a: vec4<f32>, b: vec4<f32>, c: vec4<f32>, d: vec4<f32>, at: vec4<u32>) {
 let columns = mat4x4<f32>(x[at.x], x[at.y], x[at.z], x[at.w]);
 (*sums)[0] += a * columns;
 if (B > 1u) {
  (*sums)[1] += b * columns;
 }
 if (B > 2u) {
  (*sums)[2] += c * columns;
  (*sums)[3] += d * columns;
 }
}
fn over_lanes(own: vec4<f32>, t: u32, lane: u32) -> vec4<f32> {
 var sum = own;
 partial[t] = own;
 workgroupBarrier();
 if (lane == 0u) {
  for (var l = 1u; l < L; l++) {
   sum += partial[t + 8u * l];
  }
 }
 workgroupBarrier();
 return sum;
}
fn write(sum: vec4<f32>, m0: u32, n: u32, row: u32) {
 if (row >= p.n_rows) {
  return;
 }
 for (var j = 0u; j < 4u; j++) {
  if (m0 + j < n) {
   store(sum[j], p.row0 + row, (m0 + j) * p.y_stride + p.row0 + row);
  }
 }
}
@compute @workgroup_size(T)
fn main(@builtin(local_invocation_index) t: u32, @builtin(workgroup_id) wg: vec3<u32>) {
 let n = column_count();
 let m0 = wg.x * 4u;
 if (m0 >= n) {
  return;
 }
 let r = t % 8u;
 let lane = (t / 8u) % L;
 let block = (wg.y * G + t / (8u * L)) * B;
 let four = vec4<u32>(0u, 1u, 2u, 3u);
 let g = min(vec4<u32>(block) + four, vec4<u32>(p.n_group - 1u));
 let x0 = min(vec4<u32>(m0) + four, vec4<u32>(n - 1u)) * p.n_chunk * 8u;
 var sums = Sums();
 for (var i = lane; i < p.n_chunk; i += L) {
  let a = dequant(g.x, i, r);
  var b = Chunk();
  var c = Chunk();
  var d = Chunk();
  if (B > 1u) {
   b = dequant(g.y, i, r);
  }
  if (B > 2u) {
   c = dequant(g.z, i, r);
   d = dequant(g.w, i, r);
  }
  let at = x0 + i * 8u;
  add_word(&sums, a.v0, b.v0, c.v0, d.v0, at);
  add_word(&sums, a.v1, b.v1, c.v1, d.v1, at + 1u);
  add_word(&sums, a.v2, b.v2, c.v2, d.v2, at + 2u);
  add_word(&sums, a.v3, b.v3, c.v3, d.v3, at + 3u);
  add_word(&sums, a.v4, b.v4, c.v4, d.v4, at + 4u);
  add_word(&sums, a.v5, b.v5, c.v5, d.v5, at + 5u);
  add_word(&sums, a.v6, b.v6, c.v6, d.v6, at + 6u);
  add_word(&sums, a.v7, b.v7, c.v7, d.v7, at + 7u);
 }
 if (L > 1u) {
  sums[0] = over_lanes(sums[0], t, lane);
  if (B > 1u) {
   sums[1] = over_lanes(sums[1], t, lane);
  }
  if (B > 2u) {
   sums[2] = over_lanes(sums[2], t, lane);
   sums[3] = over_lanes(sums[3], t, lane);
  }
 }
 if (lane > 0u) {
  return;
 }
 let row = 8u * block + r;
 write(sums[0], m0, n, row);
 if (B > 1u) {
  write(sums[1], m0, n, row + 8u);
 }
 if (B > 2u) {
  write(sums[2], m0, n, row + 16u);
  write(sums[3], m0, n, row + 24u);
 }
}
",
    },
    Shader {
        name: "matmul_rows_q4",
        kernel: "matmul_rows",
        workgroup_size: [64, 1, 1],
        bindings: &[
            Binding { index: 0, name: "wq", kind: BindingKind::Read, min_size: 16 },
            Binding { index: 1, name: "ws", kind: BindingKind::Read, min_size: 4 },
            Binding { index: 2, name: "x", kind: BindingKind::Read, min_size: 16 },
            Binding { index: 3, name: "bias", kind: BindingKind::Read, min_size: 4 },
            Binding { index: 4, name: "y", kind: BindingKind::ReadWrite, min_size: 4 },
            Binding { index: 5, name: "step", kind: BindingKind::Read, min_size: 192 },
            Binding { index: 6, name: "p", kind: BindingKind::Uniform, min_size: 44 },
        ],
        overrides: &[
            Override { name: "L", default: Some(8.0) },
            Override { name: "G", default: Some(1.0) },
            Override { name: "T", default: Some(64.0) },
            Override { name: "B", default: Some(1.0) },
        ],
        needs: &[],
        workgroup_bytes: 1024,
        uniform: &[
            UniformField { name: "n_chunk", offset: 0, size: 4 },
            UniformField { name: "n_unit", offset: 4, size: 4 },
            UniformField { name: "n_group", offset: 8, size: 4 },
            UniformField { name: "n_rows", offset: 12, size: 4 },
            UniformField { name: "row0", offset: 16, size: 4 },
            UniformField { name: "y_stride", offset: 20, size: 4 },
            UniformField { name: "count_from", offset: 24, size: 4 },
            UniformField { name: "max_rows", offset: 28, size: 4 },
            UniformField { name: "act", offset: 32, size: 4 },
            UniformField { name: "flags", offset: 36, size: 4 },
            UniformField { name: "softcap", offset: 40, size: 4 },
        ],
        wgsl: r"struct Chunk {
 v0: vec4<f32>,
 v1: vec4<f32>,
 v2: vec4<f32>,
 v3: vec4<f32>,
 v4: vec4<f32>,
 v5: vec4<f32>,
 v6: vec4<f32>,
 v7: vec4<f32>,
}
struct Coded {
 q: Chunk,
 s: vec4<f32>,
}
fn chunk_affine(q: Chunk, s: vec4<f32>) -> Chunk {
 let lo = vec4<f32>(s.z);
 let hi = vec4<f32>(s.w);
 return Chunk(q.v0 * s.x + lo, q.v1 * s.x + lo, q.v2 * s.x + lo, q.v3 * s.x + lo,
  q.v4 * s.y + hi, q.v5 * s.y + hi, q.v6 * s.y + hi, q.v7 * s.y + hi);
}
fn quants(g: u32, c: u32, r: u32, n_word: u32, word: u32) -> vec4<u32> {
 return wq[((g * p.n_chunk + c) * n_word + word) * 8u + r];
}
fn scale_word(g: u32, unit: u32, r: u32, n_word: u32, word: u32) -> u32 {
 return ws[((g * p.n_unit + unit) * n_word + word) * 8u + r];
}
fn nibbles(w: u32) -> vec4<u32> {
 return (vec4<u32>(w) >> vec4<u32>(0u, 8u, 16u, 24u)) & vec4<u32>(15u);
}
fn nibble_chunk(q: vec4<u32>) -> Chunk {
 let h = q >> vec4<u32>(4u);
 return Chunk(vec4<f32>(nibbles(q.x)), vec4<f32>(nibbles(q.y)), vec4<f32>(nibbles(q.z)), vec4<f32>(nibbles(q.w)),
  vec4<f32>(nibbles(h.x)), vec4<f32>(nibbles(h.y)), vec4<f32>(nibbles(h.z)), vec4<f32>(nibbles(h.w)));
}
fn half(h: u32) -> f32 {
 let m = h & 0x7fffu;
 let rebias = select(0x38000000u, 0x70000000u, m >= 0x7c00u);
 let v = select(bitcast<f32>((m << 13u) + rebias), f32(m) * 0x1p-24f, m < 0x400u);
 return bitcast<f32>(bitcast<u32>(v) | ((h & 0x8000u) << 16u));
}
fn half2(w: u32) -> vec2<f32> {
 return vec2<f32>(half(w & 0xffffu), half(w >> 16u));
}
fn coded(g: u32, c: u32, r: u32) -> Coded {
 let s = half2(scale_word(g, c, r, 1u, 0u));
 return Coded(nibble_chunk(quants(g, c, r, 1u, 0u)), s.xxyy);
}
fn dequant(g: u32, c: u32, r: u32) -> Chunk {
 let w = coded(g, c, r);
                                     {
  return chunk_affine(w.q, w.s);
 }
}
fn soft_tanh(v: f32) -> f32 {
 let e = exp(-2.0 * min(abs(v), 15.0));
 return sign(v) * ((1.0 - e) / (1.0 + e));
}
fn silu(v: f32) -> f32 {
 return v / (1.0 + exp(clamp(-v, -80.0, 80.0)));
}
fn gelu_tanh(v: f32) -> f32 {
 return 0.5 * v * (1.0 + soft_tanh(0.7978845608 * (v + 0.044715 * v * v * v)));
}
fn activate(kind: u32, v: f32) -> f32 {
 if (kind == 1u) {
  return silu(v);
 }
 if (kind == 2u) {
  return gelu_tanh(v);
 }
 return v;
}
const ADD = 1u;
const BIAS = 2u;
const SOFTCAP = 4u;
fn store(sum: f32, row: u32, at: u32) {
 var v = sum;
 if ((p.flags & BIAS) != 0u) {
  v += bias[row];
 }
 v = activate(p.act, v);
 if ((p.flags & SOFTCAP) != 0u) {
  v = p.softcap * soft_tanh(v / p.softcap);
 }
 if ((p.flags & ADD) != 0u) {
  v += y[at];
 }
 y[at] = v;
}
struct Row {
 token: u32,
 pos: u32,
 cell: u32,
 table: u32,
 base: u32,
 lo: u32,
 hi: u32,
 lo_swa: u32,
 tree: u32,
 ancestors_lo: u32,
 ancestors_hi: u32,
 seq: u32,
 mix_start: u32,
 mix_len: u32,
 reserved0: u32,
 reserved1: u32,
}
struct Step {
 n_rows: u32,
 n_want: u32,
 seed_lo: u32,
 seed_hi: u32,
 window: u32,
 n_out: u32,
 reserved: array<u32, 10>,
 want: array<u32, 16>,
 rows: array<Row>,
}
struct P {
 n_chunk: u32,
 n_unit: u32,
 n_group: u32,
 n_rows: u32,
 row0: u32,
 y_stride: u32,
 count_from: u32,
 max_rows: u32,
 act: u32,
 flags: u32,
 softcap: f32,
}
@group(0) @binding(0) var<storage, read> wq: array<vec4<u32>>;
@group(0) @binding(1) var<storage, read> ws: array<u32>;
@group(0) @binding(2) var<storage, read> x: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read> bias: array<f32>;
@group(0) @binding(4) var<storage, read_write> y: array<f32>;
@group(0) @binding(5) var<storage, read> step: Step;
@group(0) @binding(6) var<uniform> p: P;
fn column_count() -> u32 {
 return min(select(step.n_rows, step.n_want, p.count_from == 1u), p.max_rows);
}
override L: u32 = 8u;
override G: u32 = 1u;
override T: u32 = 64u;
override B: u32 = 1u;
alias Sums = array<vec4<f32>, 4>;
var<workgroup> partial: array<vec4<f32>, T>;
fn add_word(sums: ptr<function, Sums>, a: vec4<f32>, b: vec4<f32>, c: vec4<f32>, d: vec4<f32>, at: vec4<u32>) {
 let columns = mat4x4<f32>(x[at.x], x[at.y], x[at.z], x[at.w]);
 (*sums)[0] += a * columns;
 if (B > 1u) {
  (*sums)[1] += b * columns;
 }
 if (B > 2u) {
  (*sums)[2] += c * columns;
  (*sums)[3] += d * columns;
 }
}
fn over_lanes(own: vec4<f32>, t: u32, lane: u32) -> vec4<f32> {
 var sum = own;
 partial[t] = own;
 workgroupBarrier();
 if (lane == 0u) {
  for (var l = 1u; l < L; l++) {
   sum += partial[t + 8u * l];
  }
 }
 workgroupBarrier();
 return sum;
}
fn write(sum: vec4<f32>, m0: u32, n: u32, row: u32) {
 if (row >= p.n_rows) {
  return;
 }
 for (var j = 0u; j < 4u; j++) {
  if (m0 + j < n) {
   store(sum[j], p.row0 + row, (m0 + j) * p.y_stride + p.row0 + row);
  }
 }
}
@compute @workgroup_size(T)
fn main(@builtin(local_invocation_index) t: u32, @builtin(workgroup_id) wg: vec3<u32>) {
 let n = column_count();
 let m0 = wg.x * 4u;
 if (m0 >= n) {
  return;
 }
 let r = t % 8u;
 let lane = (t / 8u) % L;
 let block = (wg.y * G + t / (8u * L)) * B;
 let four = vec4<u32>(0u, 1u, 2u, 3u);
 let g = min(vec4<u32>(block) + four, vec4<u32>(p.n_group - 1u));
 let x0 = min(vec4<u32>(m0) + four, vec4<u32>(n - 1u)) * p.n_chunk * 8u;
 var sums = Sums();
 for (var i = lane; i < p.n_chunk; i += L) {
  let a = dequant(g.x, i, r);
  var b = Chunk();
  var c = Chunk();
  var d = Chunk();
  if (B > 1u) {
   b = dequant(g.y, i, r);
  }
  if (B > 2u) {
   c = dequant(g.z, i, r);
   d = dequant(g.w, i, r);
  }
  let at = x0 + i * 8u;
  add_word(&sums, a.v0, b.v0, c.v0, d.v0, at);
  add_word(&sums, a.v1, b.v1, c.v1, d.v1, at + 1u);
  add_word(&sums, a.v2, b.v2, c.v2, d.v2, at + 2u);
  add_word(&sums, a.v3, b.v3, c.v3, d.v3, at + 3u);
  add_word(&sums, a.v4, b.v4, c.v4, d.v4, at + 4u);
  add_word(&sums, a.v5, b.v5, c.v5, d.v5, at + 5u);
  add_word(&sums, a.v6, b.v6, c.v6, d.v6, at + 6u);
  add_word(&sums, a.v7, b.v7, c.v7, d.v7, at + 7u);
 }
 if (L > 1u) {
  sums[0] = over_lanes(sums[0], t, lane);
  if (B > 1u) {
   sums[1] = over_lanes(sums[1], t, lane);
  }
  if (B > 2u) {
   sums[2] = over_lanes(sums[2], t, lane);
   sums[3] = over_lanes(sums[3], t, lane);
  }
 }
 if (lane > 0u) {
  return;
 }
 let row = 8u * block + r;
 write(sums[0], m0, n, row);
 if (B > 1u) {
  write(sums[1], m0, n, row + 8u);
 }
 if (B > 2u) {
  write(sums[2], m0, n, row + 16u);
  write(sums[3], m0, n, row + 24u);
 }
}
",
    },
    Shader {
        name: "matmul_rows_q4k",
        kernel: "matmul_rows",
        workgroup_size: [64, 1, 1],
        bindings: &[
            Binding { index: 0, name: "wq", kind: BindingKind::Read, min_size: 16 },
            Binding { index: 1, name: "ws", kind: BindingKind::Read, min_size: 4 },
            Binding { index: 2, name: "x", kind: BindingKind::Read, min_size: 16 },
            Binding { index: 3, name: "bias", kind: BindingKind::Read, min_size: 4 },
            Binding { index: 4, name: "y", kind: BindingKind::ReadWrite, min_size: 4 },
            Binding { index: 5, name: "step", kind: BindingKind::Read, min_size: 192 },
            Binding { index: 6, name: "p", kind: BindingKind::Uniform, min_size: 44 },
        ],
        overrides: &[
            Override { name: "L", default: Some(8.0) },
            Override { name: "G", default: Some(1.0) },
            Override { name: "T", default: Some(64.0) },
            Override { name: "B", default: Some(1.0) },
        ],
        needs: &[],
        workgroup_bytes: 1024,
        uniform: &[
            UniformField { name: "n_chunk", offset: 0, size: 4 },
            UniformField { name: "n_unit", offset: 4, size: 4 },
            UniformField { name: "n_group", offset: 8, size: 4 },
            UniformField { name: "n_rows", offset: 12, size: 4 },
            UniformField { name: "row0", offset: 16, size: 4 },
            UniformField { name: "y_stride", offset: 20, size: 4 },
            UniformField { name: "count_from", offset: 24, size: 4 },
            UniformField { name: "max_rows", offset: 28, size: 4 },
            UniformField { name: "act", offset: 32, size: 4 },
            UniformField { name: "flags", offset: 36, size: 4 },
            UniformField { name: "softcap", offset: 40, size: 4 },
        ],
        wgsl: r"struct Chunk {
 v0: vec4<f32>,
 v1: vec4<f32>,
 v2: vec4<f32>,
 v3: vec4<f32>,
 v4: vec4<f32>,
 v5: vec4<f32>,
 v6: vec4<f32>,
 v7: vec4<f32>,
}
struct Coded {
 q: Chunk,
 s: vec4<f32>,
}
fn chunk_affine(q: Chunk, s: vec4<f32>) -> Chunk {
 let lo = vec4<f32>(s.z);
 let hi = vec4<f32>(s.w);
 return Chunk(q.v0 * s.x + lo, q.v1 * s.x + lo, q.v2 * s.x + lo, q.v3 * s.x + lo,
  q.v4 * s.y + hi, q.v5 * s.y + hi, q.v6 * s.y + hi, q.v7 * s.y + hi);
}
fn quants(g: u32, c: u32, r: u32, n_word: u32, word: u32) -> vec4<u32> {
 return wq[((g * p.n_chunk + c) * n_word + word) * 8u + r];
}
fn scale_word(g: u32, unit: u32, r: u32, n_word: u32, word: u32) -> u32 {
 return ws[((g * p.n_unit + unit) * n_word + word) * 8u + r];
}
fn nibbles(w: u32) -> vec4<u32> {
 return (vec4<u32>(w) >> vec4<u32>(0u, 8u, 16u, 24u)) & vec4<u32>(15u);
}
fn nibble_chunk(q: vec4<u32>) -> Chunk {
 let h = q >> vec4<u32>(4u);
 return Chunk(vec4<f32>(nibbles(q.x)), vec4<f32>(nibbles(q.y)), vec4<f32>(nibbles(q.z)), vec4<f32>(nibbles(q.w)),
  vec4<f32>(nibbles(h.x)), vec4<f32>(nibbles(h.y)), vec4<f32>(nibbles(h.z)), vec4<f32>(nibbles(h.w)));
}
fn half(h: u32) -> f32 {
 let m = h & 0x7fffu;
 let rebias = select(0x38000000u, 0x70000000u, m >= 0x7c00u);
 let v = select(bitcast<f32>((m << 13u) + rebias), f32(m) * 0x1p-24f, m < 0x400u);
 return bitcast<f32>(bitcast<u32>(v) | ((h & 0x8000u) << 16u));
}
fn half2(w: u32) -> vec2<f32> {
 return vec2<f32>(half(w & 0xffffu), half(w >> 16u));
}
fn scale_min(g: u32, c: u32, r: u32, n_word: u32) -> vec4<f32> {
 let d = half2(scale_word(g, c / 8u, r, n_word, 0u));
 let f = scale_word(g, c / 8u, r, n_word, 1u + (c % 8u) / 2u) >> (16u * (c % 2u));
 let s = d * vec2<f32>(f32(f & 255u), f32((f >> 8u) & 255u));
 return vec4<f32>(s.x, s.x, -s.y, -s.y);
}
fn coded(g: u32, c: u32, r: u32) -> Coded {
 return Coded(nibble_chunk(quants(g, c, r, 1u, 0u)), scale_min(g, c, r, 5u));
}
fn dequant(g: u32, c: u32, r: u32) -> Chunk {
 let w = coded(g, c, r);
                                     {
  return chunk_affine(w.q, w.s);
 }
}
fn soft_tanh(v: f32) -> f32 {
 let e = exp(-2.0 * min(abs(v), 15.0));
 return sign(v) * ((1.0 - e) / (1.0 + e));
}
fn silu(v: f32) -> f32 {
 return v / (1.0 + exp(clamp(-v, -80.0, 80.0)));
}
fn gelu_tanh(v: f32) -> f32 {
 return 0.5 * v * (1.0 + soft_tanh(0.7978845608 * (v + 0.044715 * v * v * v)));
}
fn activate(kind: u32, v: f32) -> f32 {
 if (kind == 1u) {
  return silu(v);
 }
 if (kind == 2u) {
  return gelu_tanh(v);
 }
 return v;
}
const ADD = 1u;
const BIAS = 2u;
const SOFTCAP = 4u;
fn store(sum: f32, row: u32, at: u32) {
 var v = sum;
 if ((p.flags & BIAS) != 0u) {
  v += bias[row];
 }
 v = activate(p.act, v);
 if ((p.flags & SOFTCAP) != 0u) {
  v = p.softcap * soft_tanh(v / p.softcap);
 }
 if ((p.flags & ADD) != 0u) {
  v += y[at];
 }
 y[at] = v;
}
struct Row {
 token: u32,
 pos: u32,
 cell: u32,
 table: u32,
 base: u32,
 lo: u32,
 hi: u32,
 lo_swa: u32,
 tree: u32,
 ancestors_lo: u32,
 ancestors_hi: u32,
 seq: u32,
 mix_start: u32,
 mix_len: u32,
 reserved0: u32,
 reserved1: u32,
}
struct Step {
 n_rows: u32,
 n_want: u32,
 seed_lo: u32,
 seed_hi: u32,
 window: u32,
 n_out: u32,
 reserved: array<u32, 10>,
 want: array<u32, 16>,
 rows: array<Row>,
}
struct P {
 n_chunk: u32,
 n_unit: u32,
 n_group: u32,
 n_rows: u32,
 row0: u32,
 y_stride: u32,
 count_from: u32,
 max_rows: u32,
 act: u32,
 flags: u32,
 softcap: f32,
}
@group(0) @binding(0) var<storage, read> wq: array<vec4<u32>>;
@group(0) @binding(1) var<storage, read> ws: array<u32>;
@group(0) @binding(2) var<storage, read> x: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read> bias: array<f32>;
@group(0) @binding(4) var<storage, read_write> y: array<f32>;
@group(0) @binding(5) var<storage, read> step: Step;
@group(0) @binding(6) var<uniform> p: P;
fn column_count() -> u32 {
 return min(select(step.n_rows, step.n_want, p.count_from == 1u), p.max_rows);
}
override L: u32 = 8u;
override G: u32 = 1u;
override T: u32 = 64u;
override B: u32 = 1u;
alias Sums = array<vec4<f32>, 4>;
var<workgroup> partial: array<vec4<f32>, T>;
fn add_word(sums: ptr<function, Sums>, a: vec4<f32>, b: vec4<f32>, c: vec4<f32>, d: vec4<f32>, at: vec4<u32>) {
 let columns = mat4x4<f32>(x[at.x], x[at.y], x[at.z], x[at.w]);
 (*sums)[0] += a * columns;
 if (B > 1u) {
  (*sums)[1] += b * columns;
 }
 if (B > 2u) {
  (*sums)[2] += c * columns;
  (*sums)[3] += d * columns;
 }
}
fn over_lanes(own: vec4<f32>, t: u32, lane: u32) -> vec4<f32> {
 var sum = own;
 partial[t] = own;
 workgroupBarrier();
 if (lane == 0u) {
  for (var l = 1u; l < L; l++) {
   sum += partial[t + 8u * l];
  }
 }
 workgroupBarrier();
 return sum;
}
fn write(sum: vec4<f32>, m0: u32, n: u32, row: u32) {
 if (row >= p.n_rows) {
  return;
 }
 for (var j = 0u; j < 4u; j++) {
  if (m0 + j < n) {
   store(sum[j], p.row0 + row, (m0 + j) * p.y_stride + p.row0 + row);
  }
 }
}
@compute @workgroup_size(T)
fn main(@builtin(local_invocation_index) t: u32, @builtin(workgroup_id) wg: vec3<u32>) {
 let n = column_count();
 let m0 = wg.x * 4u;
 if (m0 >= n) {
  return;
 }
 let r = t % 8u;
 let lane = (t / 8u) % L;
 let block = (wg.y * G + t / (8u * L)) * B;
 let four = vec4<u32>(0u, 1u, 2u, 3u);
 let g = min(vec4<u32>(block) + four, vec4<u32>(p.n_group - 1u));
 let x0 = min(vec4<u32>(m0) + four, vec4<u32>(n - 1u)) * p.n_chunk * 8u;
 var sums = Sums();
 for (var i = lane; i < p.n_chunk; i += L) {
  let a = dequant(g.x, i, r);
  var b = Chunk();
  var c = Chunk();
  var d = Chunk();
  if (B > 1u) {
   b = dequant(g.y, i, r);
  }
  if (B > 2u) {
   c = dequant(g.z, i, r);
   d = dequant(g.w, i, r);
  }
  let at = x0 + i * 8u;
  add_word(&sums, a.v0, b.v0, c.v0, d.v0, at);
  add_word(&sums, a.v1, b.v1, c.v1, d.v1, at + 1u);
  add_word(&sums, a.v2, b.v2, c.v2, d.v2, at + 2u);
  add_word(&sums, a.v3, b.v3, c.v3, d.v3, at + 3u);
  add_word(&sums, a.v4, b.v4, c.v4, d.v4, at + 4u);
  add_word(&sums, a.v5, b.v5, c.v5, d.v5, at + 5u);
  add_word(&sums, a.v6, b.v6, c.v6, d.v6, at + 6u);
  add_word(&sums, a.v7, b.v7, c.v7, d.v7, at + 7u);
 }
 if (L > 1u) {
  sums[0] = over_lanes(sums[0], t, lane);
  if (B > 1u) {
   sums[1] = over_lanes(sums[1], t, lane);
  }
  if (B > 2u) {
   sums[2] = over_lanes(sums[2], t, lane);
   sums[3] = over_lanes(sums[3], t, lane);
  }
 }
 if (lane > 0u) {
  return;
 }
 let row = 8u * block + r;
 write(sums[0], m0, n, row);
 if (B > 1u) {
  write(sums[1], m0, n, row + 8u);
 }
 if (B > 2u) {
  write(sums[2], m0, n, row + 16u);
  write(sums[3], m0, n, row + 24u);
 }
}
",
    },
    Shader {
        name: "matmul_rows_q5",
        kernel: "matmul_rows",
        workgroup_size: [64, 1, 1],
        bindings: &[
            Binding { index: 0, name: "wq", kind: BindingKind::Read, min_size: 16 },
            Binding { index: 1, name: "ws", kind: BindingKind::Read, min_size: 4 },
            Binding { index: 2, name: "x", kind: BindingKind::Read, min_size: 16 },
            Binding { index: 3, name: "bias", kind: BindingKind::Read, min_size: 4 },
            Binding { index: 4, name: "y", kind: BindingKind::ReadWrite, min_size: 4 },
            Binding { index: 5, name: "step", kind: BindingKind::Read, min_size: 192 },
            Binding { index: 6, name: "p", kind: BindingKind::Uniform, min_size: 44 },
        ],
        overrides: &[
            Override { name: "L", default: Some(8.0) },
            Override { name: "G", default: Some(1.0) },
            Override { name: "T", default: Some(64.0) },
            Override { name: "B", default: Some(1.0) },
        ],
        needs: &[],
        workgroup_bytes: 1024,
        uniform: &[
            UniformField { name: "n_chunk", offset: 0, size: 4 },
            UniformField { name: "n_unit", offset: 4, size: 4 },
            UniformField { name: "n_group", offset: 8, size: 4 },
            UniformField { name: "n_rows", offset: 12, size: 4 },
            UniformField { name: "row0", offset: 16, size: 4 },
            UniformField { name: "y_stride", offset: 20, size: 4 },
            UniformField { name: "count_from", offset: 24, size: 4 },
            UniformField { name: "max_rows", offset: 28, size: 4 },
            UniformField { name: "act", offset: 32, size: 4 },
            UniformField { name: "flags", offset: 36, size: 4 },
            UniformField { name: "softcap", offset: 40, size: 4 },
        ],
        wgsl: r"struct Chunk {
 v0: vec4<f32>,
 v1: vec4<f32>,
 v2: vec4<f32>,
 v3: vec4<f32>,
 v4: vec4<f32>,
 v5: vec4<f32>,
 v6: vec4<f32>,
 v7: vec4<f32>,
}
struct Coded {
 q: Chunk,
 s: vec4<f32>,
}
fn chunk_affine(q: Chunk, s: vec4<f32>) -> Chunk {
 let lo = vec4<f32>(s.z);
 let hi = vec4<f32>(s.w);
 return Chunk(q.v0 * s.x + lo, q.v1 * s.x + lo, q.v2 * s.x + lo, q.v3 * s.x + lo,
  q.v4 * s.y + hi, q.v5 * s.y + hi, q.v6 * s.y + hi, q.v7 * s.y + hi);
}
fn quants(g: u32, c: u32, r: u32, n_word: u32, word: u32) -> vec4<u32> {
 return wq[((g * p.n_chunk + c) * n_word + word) * 8u + r];
}
fn scale_word(g: u32, unit: u32, r: u32, n_word: u32, word: u32) -> u32 {
 return ws[((g * p.n_unit + unit) * n_word + word) * 8u + r];
}
fn nibbles(w: u32) -> vec4<u32> {
 return (vec4<u32>(w) >> vec4<u32>(0u, 8u, 16u, 24u)) & vec4<u32>(15u);
}
fn five(w: u32, bits: u32) -> vec4<f32> {
 return vec4<f32>(nibbles(w) | (((vec4<u32>(bits) >> vec4<u32>(0u, 1u, 2u, 3u)) & vec4<u32>(1u)) << vec4<u32>(4u)));
}
fn five_chunk(q: vec4<u32>, bits: u32) -> Chunk {
 let h = q >> vec4<u32>(4u);
 return Chunk(five(q.x, bits), five(q.y, bits >> 4u), five(q.z, bits >> 8u), five(q.w, bits >> 12u),
  five(h.x, bits >> 16u), five(h.y, bits >> 20u), five(h.z, bits >> 24u), five(h.w, bits >> 28u));
}
fn half(h: u32) -> f32 {
 let m = h & 0x7fffu;
 let rebias = select(0x38000000u, 0x70000000u, m >= 0x7c00u);
 let v = select(bitcast<f32>((m << 13u) + rebias), f32(m) * 0x1p-24f, m < 0x400u);
 return bitcast<f32>(bitcast<u32>(v) | ((h & 0x8000u) << 16u));
}
fn half2(w: u32) -> vec2<f32> {
 return vec2<f32>(half(w & 0xffffu), half(w >> 16u));
}
fn coded(g: u32, c: u32, r: u32) -> Coded {
 let s = half2(scale_word(g, c, r, 2u, 0u));
 return Coded(five_chunk(quants(g, c, r, 1u, 0u), scale_word(g, c, r, 2u, 1u)), s.xxyy);
}
fn dequant(g: u32, c: u32, r: u32) -> Chunk {
 let w = coded(g, c, r);
                                     {
  return chunk_affine(w.q, w.s);
 }
}
fn soft_tanh(v: f32) -> f32 {
 let e = exp(-2.0 * min(abs(v), 15.0));
 return sign(v) * ((1.0 - e) / (1.0 + e));
}
fn silu(v: f32) -> f32 {
 return v / (1.0 + exp(clamp(-v, -80.0, 80.0)));
}
fn gelu_tanh(v: f32) -> f32 {
 return 0.5 * v * (1.0 + soft_tanh(0.7978845608 * (v + 0.044715 * v * v * v)));
}
fn activate(kind: u32, v: f32) -> f32 {
 if (kind == 1u) {
  return silu(v);
 }
 if (kind == 2u) {
  return gelu_tanh(v);
 }
 return v;
}
const ADD = 1u;
const BIAS = 2u;
const SOFTCAP = 4u;
fn store(sum: f32, row: u32, at: u32) {
 var v = sum;
 if ((p.flags & BIAS) != 0u) {
  v += bias[row];
 }
 v = activate(p.act, v);
 if ((p.flags & SOFTCAP) != 0u) {
  v = p.softcap * soft_tanh(v / p.softcap);
 }
 if ((p.flags & ADD) != 0u) {
  v += y[at];
 }
 y[at] = v;
}
struct Row {
 token: u32,
 pos: u32,
 cell: u32,
 table: u32,
 base: u32,
 lo: u32,
 hi: u32,
 lo_swa: u32,
 tree: u32,
 ancestors_lo: u32,
 ancestors_hi: u32,
 seq: u32,
 mix_start: u32,
 mix_len: u32,
 reserved0: u32,
 reserved1: u32,
}
struct Step {
 n_rows: u32,
 n_want: u32,
 seed_lo: u32,
 seed_hi: u32,
 window: u32,
 n_out: u32,
 reserved: array<u32, 10>,
 want: array<u32, 16>,
 rows: array<Row>,
}
struct P {
 n_chunk: u32,
 n_unit: u32,
 n_group: u32,
 n_rows: u32,
 row0: u32,
 y_stride: u32,
 count_from: u32,
 max_rows: u32,
 act: u32,
 flags: u32,
 softcap: f32,
}
@group(0) @binding(0) var<storage, read> wq: array<vec4<u32>>;
@group(0) @binding(1) var<storage, read> ws: array<u32>;
@group(0) @binding(2) var<storage, read> x: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read> bias: array<f32>;
@group(0) @binding(4) var<storage, read_write> y: array<f32>;
@group(0) @binding(5) var<storage, read> step: Step;
@group(0) @binding(6) var<uniform> p: P;
fn column_count() -> u32 {
 return min(select(step.n_rows, step.n_want, p.count_from == 1u), p.max_rows);
}
override L: u32 = 8u;
override G: u32 = 1u;
override T: u32 = 64u;
override B: u32 = 1u;
alias Sums = array<vec4<f32>, 4>;
var<workgroup> partial: array<vec4<f32>, T>;
fn add_word(sums: ptr<function, Sums>, a: vec4<f32>, b: vec4<f32>, c: vec4<f32>, d: vec4<f32>, at: vec4<u32>) {
 let columns = mat4x4<f32>(x[at.x], x[at.y], x[at.z], x[at.w]);
 (*sums)[0] += a * columns;
 if (B > 1u) {
  (*sums)[1] += b * columns;
 }
 if (B > 2u) {
  (*sums)[2] += c * columns;
  (*sums)[3] += d * columns;
 }
}
fn over_lanes(own: vec4<f32>, t: u32, lane: u32) -> vec4<f32> {
 var sum = own;
 partial[t] = own;
 workgroupBarrier();
 if (lane == 0u) {
  for (var l = 1u; l < L; l++) {
   sum += partial[t + 8u * l];
  }
 }
 workgroupBarrier();
 return sum;
}
fn write(sum: vec4<f32>, m0: u32, n: u32, row: u32) {
 if (row >= p.n_rows) {
  return;
 }
 for (var j = 0u; j < 4u; j++) {
  if (m0 + j < n) {
   store(sum[j], p.row0 + row, (m0 + j) * p.y_stride + p.row0 + row);
  }
 }
}
@compute @workgroup_size(T)
fn main(@builtin(local_invocation_index) t: u32, @builtin(workgroup_id) wg: vec3<u32>) {
 let n = column_count();
 let m0 = wg.x * 4u;
 if (m0 >= n) {
  return;
 }
 let r = t % 8u;
 let lane = (t / 8u) % L;
 let block = (wg.y * G + t / (8u * L)) * B;
 let four = vec4<u32>(0u, 1u, 2u, 3u);
 let g = min(vec4<u32>(block) + four, vec4<u32>(p.n_group - 1u));
 let x0 = min(vec4<u32>(m0) + four, vec4<u32>(n - 1u)) * p.n_chunk * 8u;
 var sums = Sums();
 for (var i = lane; i < p.n_chunk; i += L) {
  let a = dequant(g.x, i, r);
  var b = Chunk();
  var c = Chunk();
  var d = Chunk();
  if (B > 1u) {
   b = dequant(g.y, i, r);
  }
  if (B > 2u) {
   c = dequant(g.z, i, r);
   d = dequant(g.w, i, r);
  }
  let at = x0 + i * 8u;
  add_word(&sums, a.v0, b.v0, c.v0, d.v0, at);
  add_word(&sums, a.v1, b.v1, c.v1, d.v1, at + 1u);
  add_word(&sums, a.v2, b.v2, c.v2, d.v2, at + 2u);
  add_word(&sums, a.v3, b.v3, c.v3, d.v3, at + 3u);
  add_word(&sums, a.v4, b.v4, c.v4, d.v4, at + 4u);
  add_word(&sums, a.v5, b.v5, c.v5, d.v5, at + 5u);
  add_word(&sums, a.v6, b.v6, c.v6, d.v6, at + 6u);
  add_word(&sums, a.v7, b.v7, c.v7, d.v7, at + 7u);
 }
 if (L > 1u) {
  sums[0] = over_lanes(sums[0], t, lane);
  if (B > 1u) {
   sums[1] = over_lanes(sums[1], t, lane);
  }
  if (B > 2u) {
   sums[2] = over_lanes(sums[2], t, lane);
   sums[3] = over_lanes(sums[3], t, lane);
  }
 }
 if (lane > 0u) {
  return;
 }
 let row = 8u * block + r;
 write(sums[0], m0, n, row);
 if (B > 1u) {
  write(sums[1], m0, n, row + 8u);
 }
 if (B > 2u) {
  write(sums[2], m0, n, row + 16u);
  write(sums[3], m0, n, row + 24u);
 }
}
",
    },
    Shader {
        name: "matmul_rows_q5k",
        kernel: "matmul_rows",
        workgroup_size: [64, 1, 1],
        bindings: &[
            Binding { index: 0, name: "wq", kind: BindingKind::Read, min_size: 16 },
            Binding { index: 1, name: "ws", kind: BindingKind::Read, min_size: 4 },
            Binding { index: 2, name: "x", kind: BindingKind::Read, min_size: 16 },
            Binding { index: 3, name: "bias", kind: BindingKind::Read, min_size: 4 },
            Binding { index: 4, name: "y", kind: BindingKind::ReadWrite, min_size: 4 },
            Binding { index: 5, name: "step", kind: BindingKind::Read, min_size: 192 },
            Binding { index: 6, name: "p", kind: BindingKind::Uniform, min_size: 44 },
        ],
        overrides: &[
            Override { name: "L", default: Some(8.0) },
            Override { name: "G", default: Some(1.0) },
            Override { name: "T", default: Some(64.0) },
            Override { name: "B", default: Some(1.0) },
        ],
        needs: &[],
        workgroup_bytes: 1024,
        uniform: &[
            UniformField { name: "n_chunk", offset: 0, size: 4 },
            UniformField { name: "n_unit", offset: 4, size: 4 },
            UniformField { name: "n_group", offset: 8, size: 4 },
            UniformField { name: "n_rows", offset: 12, size: 4 },
            UniformField { name: "row0", offset: 16, size: 4 },
            UniformField { name: "y_stride", offset: 20, size: 4 },
            UniformField { name: "count_from", offset: 24, size: 4 },
            UniformField { name: "max_rows", offset: 28, size: 4 },
            UniformField { name: "act", offset: 32, size: 4 },
            UniformField { name: "flags", offset: 36, size: 4 },
            UniformField { name: "softcap", offset: 40, size: 4 },
        ],
        wgsl: r"struct Chunk {
 v0: vec4<f32>,
 v1: vec4<f32>,
 v2: vec4<f32>,
 v3: vec4<f32>,
 v4: vec4<f32>,
 v5: vec4<f32>,
 v6: vec4<f32>,
 v7: vec4<f32>,
}
struct Coded {
 q: Chunk,
 s: vec4<f32>,
}
fn chunk_affine(q: Chunk, s: vec4<f32>) -> Chunk {
 let lo = vec4<f32>(s.z);
 let hi = vec4<f32>(s.w);
 return Chunk(q.v0 * s.x + lo, q.v1 * s.x + lo, q.v2 * s.x + lo, q.v3 * s.x + lo,
  q.v4 * s.y + hi, q.v5 * s.y + hi, q.v6 * s.y + hi, q.v7 * s.y + hi);
}
fn quants(g: u32, c: u32, r: u32, n_word: u32, word: u32) -> vec4<u32> {
 return wq[((g * p.n_chunk + c) * n_word + word) * 8u + r];
}
fn scale_word(g: u32, unit: u32, r: u32, n_word: u32, word: u32) -> u32 {
 return ws[((g * p.n_unit + unit) * n_word + word) * 8u + r];
}
fn nibbles(w: u32) -> vec4<u32> {
 return (vec4<u32>(w) >> vec4<u32>(0u, 8u, 16u, 24u)) & vec4<u32>(15u);
}
fn five(w: u32, bits: u32) -> vec4<f32> {
 return vec4<f32>(nibbles(w) | (((vec4<u32>(bits) >> vec4<u32>(0u, 1u, 2u, 3u)) & vec4<u32>(1u)) << vec4<u32>(4u)));
}
fn five_chunk(q: vec4<u32>, bits: u32) -> Chunk {
 let h = q >> vec4<u32>(4u);
 return Chunk(five(q.x, bits), five(q.y, bits >> 4u), five(q.z, bits >> 8u), five(q.w, bits >> 12u),
  five(h.x, bits >> 16u), five(h.y, bits >> 20u), five(h.z, bits >> 24u), five(h.w, bits >> 28u));
}
fn half(h: u32) -> f32 {
 let m = h & 0x7fffu;
 let rebias = select(0x38000000u, 0x70000000u, m >= 0x7c00u);
 let v = select(bitcast<f32>((m << 13u) + rebias), f32(m) * 0x1p-24f, m < 0x400u);
 return bitcast<f32>(bitcast<u32>(v) | ((h & 0x8000u) << 16u));
}
fn half2(w: u32) -> vec2<f32> {
 return vec2<f32>(half(w & 0xffffu), half(w >> 16u));
}
fn scale_min(g: u32, c: u32, r: u32, n_word: u32) -> vec4<f32> {
 let d = half2(scale_word(g, c / 8u, r, n_word, 0u));
 let f = scale_word(g, c / 8u, r, n_word, 1u + (c % 8u) / 2u) >> (16u * (c % 2u));
 let s = d * vec2<f32>(f32(f & 255u), f32((f >> 8u) & 255u));
 return vec4<f32>(s.x, s.x, -s.y, -s.y);
}
fn coded(g: u32, c: u32, r: u32) -> Coded {
 let bits = scale_word(g, c / 8u, r, 13u, 5u + c % 8u);
 return Coded(five_chunk(quants(g, c, r, 1u, 0u), bits), scale_min(g, c, r, 13u));
}
fn dequant(g: u32, c: u32, r: u32) -> Chunk {
 let w = coded(g, c, r);
                                     {
  return chunk_affine(w.q, w.s);
 }
}
fn soft_tanh(v: f32) -> f32 {
 let e = exp(-2.0 * min(abs(v), 15.0));
 return sign(v) * ((1.0 - e) / (1.0 + e));
}
fn silu(v: f32) -> f32 {
 return v / (1.0 + exp(clamp(-v, -80.0, 80.0)));
}
fn gelu_tanh(v: f32) -> f32 {
 return 0.5 * v * (1.0 + soft_tanh(0.7978845608 * (v + 0.044715 * v * v * v)));
}
fn activate(kind: u32, v: f32) -> f32 {
 if (kind == 1u) {
  return silu(v);
 }
 if (kind == 2u) {
  return gelu_tanh(v);
 }
 return v;
}
const ADD = 1u;
const BIAS = 2u;
const SOFTCAP = 4u;
fn store(sum: f32, row: u32, at: u32) {
 var v = sum;
 if ((p.flags & BIAS) != 0u) {
  v += bias[row];
 }
 v = activate(p.act, v);
 if ((p.flags & SOFTCAP) != 0u) {
  v = p.softcap * soft_tanh(v / p.softcap);
 }
 if ((p.flags & ADD) != 0u) {
  v += y[at];
 }
 y[at] = v;
}
struct Row {
 token: u32,
 pos: u32,
 cell: u32,
 table: u32,
 base: u32,
 lo: u32,
 hi: u32,
 lo_swa: u32,
 tree: u32,
 ancestors_lo: u32,
 ancestors_hi: u32,
 seq: u32,
 mix_start: u32,
 mix_len: u32,
 reserved0: u32,
 reserved1: u32,
}
struct Step {
 n_rows: u32,
 n_want: u32,
 seed_lo: u32,
 seed_hi: u32,
 window: u32,
 n_out: u32,
 reserved: array<u32, 10>,
 want: array<u32, 16>,
 rows: array<Row>,
}
struct P {
 n_chunk: u32,
 n_unit: u32,
 n_group: u32,
 n_rows: u32,
 row0: u32,
 y_stride: u32,
 count_from: u32,
 max_rows: u32,
 act: u32,
 flags: u32,
 softcap: f32,
}
@group(0) @binding(0) var<storage, read> wq: array<vec4<u32>>;
@group(0) @binding(1) var<storage, read> ws: array<u32>;
@group(0) @binding(2) var<storage, read> x: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read> bias: array<f32>;
@group(0) @binding(4) var<storage, read_write> y: array<f32>;
@group(0) @binding(5) var<storage, read> step: Step;
@group(0) @binding(6) var<uniform> p: P;
fn column_count() -> u32 {
 return min(select(step.n_rows, step.n_want, p.count_from == 1u), p.max_rows);
}
override L: u32 = 8u;
override G: u32 = 1u;
override T: u32 = 64u;
override B: u32 = 1u;
alias Sums = array<vec4<f32>, 4>;
var<workgroup> partial: array<vec4<f32>, T>;
fn add_word(sums: ptr<function, Sums>, a: vec4<f32>, b: vec4<f32>, c: vec4<f32>, d: vec4<f32>, at: vec4<u32>) {
 let columns = mat4x4<f32>(x[at.x], x[at.y], x[at.z], x[at.w]);
 (*sums)[0] += a * columns;
 if (B > 1u) {
  (*sums)[1] += b * columns;
 }
 if (B > 2u) {
  (*sums)[2] += c * columns;
  (*sums)[3] += d * columns;
 }
}
fn over_lanes(own: vec4<f32>, t: u32, lane: u32) -> vec4<f32> {
 var sum = own;
 partial[t] = own;
 workgroupBarrier();
 if (lane == 0u) {
  for (var l = 1u; l < L; l++) {
   sum += partial[t + 8u * l];
  }
 }
 workgroupBarrier();
 return sum;
}
fn write(sum: vec4<f32>, m0: u32, n: u32, row: u32) {
 if (row >= p.n_rows) {
  return;
 }
 for (var j = 0u; j < 4u; j++) {
  if (m0 + j < n) {
   store(sum[j], p.row0 + row, (m0 + j) * p.y_stride + p.row0 + row);
  }
 }
}
@compute @workgroup_size(T)
fn main(@builtin(local_invocation_index) t: u32, @builtin(workgroup_id) wg: vec3<u32>) {
 let n = column_count();
 let m0 = wg.x * 4u;
 if (m0 >= n) {
  return;
 }
 let r = t % 8u;
 let lane = (t / 8u) % L;
 let block = (wg.y * G + t / (8u * L)) * B;
 let four = vec4<u32>(0u, 1u, 2u, 3u);
 let g = min(vec4<u32>(block) + four, vec4<u32>(p.n_group - 1u));
 let x0 = min(vec4<u32>(m0) + four, vec4<u32>(n - 1u)) * p.n_chunk * 8u;
 var sums = Sums();
 for (var i = lane; i < p.n_chunk; i += L) {
  let a = dequant(g.x, i, r);
  var b = Chunk();
  var c = Chunk();
  var d = Chunk();
  if (B > 1u) {
   b = dequant(g.y, i, r);
  }
  if (B > 2u) {
   c = dequant(g.z, i, r);
   d = dequant(g.w, i, r);
  }
  let at = x0 + i * 8u;
  add_word(&sums, a.v0, b.v0, c.v0, d.v0, at);
  add_word(&sums, a.v1, b.v1, c.v1, d.v1, at + 1u);
  add_word(&sums, a.v2, b.v2, c.v2, d.v2, at + 2u);
  add_word(&sums, a.v3, b.v3, c.v3, d.v3, at + 3u);
  add_word(&sums, a.v4, b.v4, c.v4, d.v4, at + 4u);
  add_word(&sums, a.v5, b.v5, c.v5, d.v5, at + 5u);
  add_word(&sums, a.v6, b.v6, c.v6, d.v6, at + 6u);
  add_word(&sums, a.v7, b.v7, c.v7, d.v7, at + 7u);
 }
 if (L > 1u) {
  sums[0] = over_lanes(sums[0], t, lane);
  if (B > 1u) {
   sums[1] = over_lanes(sums[1], t, lane);
  }
  if (B > 2u) {
   sums[2] = over_lanes(sums[2], t, lane);
   sums[3] = over_lanes(sums[3], t, lane);
  }
 }
 if (lane > 0u) {
  return;
 }
 let row = 8u * block + r;
 write(sums[0], m0, n, row);
 if (B > 1u) {
  write(sums[1], m0, n, row + 8u);
 }
 if (B > 2u) {
  write(sums[2], m0, n, row + 16u);
  write(sums[3], m0, n, row + 24u);
 }
}
",
    },
    Shader {
        name: "matmul_rows_q6k",
        kernel: "matmul_rows",
        workgroup_size: [64, 1, 1],
        bindings: &[
            Binding { index: 0, name: "wq", kind: BindingKind::Read, min_size: 16 },
            Binding { index: 1, name: "ws", kind: BindingKind::Read, min_size: 4 },
            Binding { index: 2, name: "x", kind: BindingKind::Read, min_size: 16 },
            Binding { index: 3, name: "bias", kind: BindingKind::Read, min_size: 4 },
            Binding { index: 4, name: "y", kind: BindingKind::ReadWrite, min_size: 4 },
            Binding { index: 5, name: "step", kind: BindingKind::Read, min_size: 192 },
            Binding { index: 6, name: "p", kind: BindingKind::Uniform, min_size: 44 },
        ],
        overrides: &[
            Override { name: "L", default: Some(8.0) },
            Override { name: "G", default: Some(1.0) },
            Override { name: "T", default: Some(64.0) },
            Override { name: "B", default: Some(1.0) },
        ],
        needs: &[],
        workgroup_bytes: 1024,
        uniform: &[
            UniformField { name: "n_chunk", offset: 0, size: 4 },
            UniformField { name: "n_unit", offset: 4, size: 4 },
            UniformField { name: "n_group", offset: 8, size: 4 },
            UniformField { name: "n_rows", offset: 12, size: 4 },
            UniformField { name: "row0", offset: 16, size: 4 },
            UniformField { name: "y_stride", offset: 20, size: 4 },
            UniformField { name: "count_from", offset: 24, size: 4 },
            UniformField { name: "max_rows", offset: 28, size: 4 },
            UniformField { name: "act", offset: 32, size: 4 },
            UniformField { name: "flags", offset: 36, size: 4 },
            UniformField { name: "softcap", offset: 40, size: 4 },
        ],
        wgsl: r"struct Chunk {
 v0: vec4<f32>,
 v1: vec4<f32>,
 v2: vec4<f32>,
 v3: vec4<f32>,
 v4: vec4<f32>,
 v5: vec4<f32>,
 v6: vec4<f32>,
 v7: vec4<f32>,
}
struct Coded {
 q: Chunk,
 s: vec4<f32>,
}
fn chunk_scale(q: Chunk, lo: f32, hi: f32) -> Chunk {
 return Chunk(q.v0 * lo, q.v1 * lo, q.v2 * lo, q.v3 * lo, q.v4 * hi, q.v5 * hi, q.v6 * hi, q.v7 * hi);
}
fn quants(g: u32, c: u32, r: u32, n_word: u32, word: u32) -> vec4<u32> {
 return wq[((g * p.n_chunk + c) * n_word + word) * 8u + r];
}
fn scale_word(g: u32, unit: u32, r: u32, n_word: u32, word: u32) -> u32 {
 return ws[((g * p.n_unit + unit) * n_word + word) * 8u + r];
}
fn nibbles(w: u32) -> vec4<u32> {
 return (vec4<u32>(w) >> vec4<u32>(0u, 8u, 16u, 24u)) & vec4<u32>(15u);
}
fn signed_byte(b: u32) -> f32 {
 return f32(bitcast<i32>(b << 24u) >> 24u);
}
fn half(h: u32) -> f32 {
 let m = h & 0x7fffu;
 let rebias = select(0x38000000u, 0x70000000u, m >= 0x7c00u);
 let v = select(bitcast<f32>((m << 13u) + rebias), f32(m) * 0x1p-24f, m < 0x400u);
 return bitcast<f32>(bitcast<u32>(v) | ((h & 0x8000u) << 16u));
}
fn byte_pair(g: u32, c: u32, r: u32, n_word: u32) -> u32 {
 return scale_word(g, c / 8u, r, n_word, 1u + (c % 8u) / 2u) >> (16u * (c % 2u));
}
fn centred(q: vec4<u32>, middle: i32) -> vec4<f32> {
 return vec4<f32>(vec4<i32>(q) - vec4<i32>(middle));
}
fn six(w: u32, bits: u32) -> vec4<f32> {
 let upper = (vec4<u32>(bits) >> vec4<u32>(0u, 2u, 4u, 6u)) & vec4<u32>(3u);
 return centred(nibbles(w) | (upper << vec4<u32>(4u)), 32);
}
fn coded(g: u32, c: u32, r: u32) -> Coded {
 let d = half(scale_word(g, c / 8u, r, 21u, 0u) & 0xffffu);
 let f = byte_pair(g, c, r, 21u);
 let a = scale_word(g, c / 8u, r, 21u, 5u + 2u * (c % 8u));
 let b = scale_word(g, c / 8u, r, 21u, 6u + 2u * (c % 8u));
 let q = quants(g, c, r, 1u, 0u);
 let h = q >> vec4<u32>(4u);
 let v = Chunk(six(q.x, a), six(q.y, a >> 8u), six(q.z, a >> 16u), six(q.w, a >> 24u),
  six(h.x, b), six(h.y, b >> 8u), six(h.z, b >> 16u), six(h.w, b >> 24u));
 return Coded(v, vec4<f32>(d * signed_byte(f), d * signed_byte(f >> 8u), 0.0, 0.0));
}
fn dequant(g: u32, c: u32, r: u32) -> Chunk {
 let w = coded(g, c, r);
    {
  return chunk_scale(w.q, w.s.x, w.s.y);
 }
}
fn soft_tanh(v: f32) -> f32 {
 let e = exp(-2.0 * min(abs(v), 15.0));
 return sign(v) * ((1.0 - e) / (1.0 + e));
}
fn silu(v: f32) -> f32 {
 return v / (1.0 + exp(clamp(-v, -80.0, 80.0)));
}
fn gelu_tanh(v: f32) -> f32 {
 return 0.5 * v * (1.0 + soft_tanh(0.7978845608 * (v + 0.044715 * v * v * v)));
}
fn activate(kind: u32, v: f32) -> f32 {
 if (kind == 1u) {
  return silu(v);
 }
 if (kind == 2u) {
  return gelu_tanh(v);
 }
 return v;
}
const ADD = 1u;
const BIAS = 2u;
const SOFTCAP = 4u;
fn store(sum: f32, row: u32, at: u32) {
 var v = sum;
 if ((p.flags & BIAS) != 0u) {
  v += bias[row];
 }
 v = activate(p.act, v);
 if ((p.flags & SOFTCAP) != 0u) {
  v = p.softcap * soft_tanh(v / p.softcap);
 }
 if ((p.flags & ADD) != 0u) {
  v += y[at];
 }
 y[at] = v;
}
struct Row {
 token: u32,
 pos: u32,
 cell: u32,
 table: u32,
 base: u32,
 lo: u32,
 hi: u32,
 lo_swa: u32,
 tree: u32,
 ancestors_lo: u32,
 ancestors_hi: u32,
 seq: u32,
 mix_start: u32,
 mix_len: u32,
 reserved0: u32,
 reserved1: u32,
}
struct Step {
 n_rows: u32,
 n_want: u32,
 seed_lo: u32,
 seed_hi: u32,
 window: u32,
 n_out: u32,
 reserved: array<u32, 10>,
 want: array<u32, 16>,
 rows: array<Row>,
}
struct P {
 n_chunk: u32,
 n_unit: u32,
 n_group: u32,
 n_rows: u32,
 row0: u32,
 y_stride: u32,
 count_from: u32,
 max_rows: u32,
 act: u32,
 flags: u32,
 softcap: f32,
}
@group(0) @binding(0) var<storage, read> wq: array<vec4<u32>>;
@group(0) @binding(1) var<storage, read> ws: array<u32>;
@group(0) @binding(2) var<storage, read> x: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read> bias: array<f32>;
@group(0) @binding(4) var<storage, read_write> y: array<f32>;
@group(0) @binding(5) var<storage, read> step: Step;
@group(0) @binding(6) var<uniform> p: P;
fn column_count() -> u32 {
 return min(select(step.n_rows, step.n_want, p.count_from == 1u), p.max_rows);
}
override L: u32 = 8u;
override G: u32 = 1u;
override T: u32 = 64u;
override B: u32 = 1u;
alias Sums = array<vec4<f32>, 4>;
var<workgroup> partial: array<vec4<f32>, T>;
fn add_word(sums: ptr<function, Sums>, a: vec4<f32>, b: vec4<f32>, c: vec4<f32>, d: vec4<f32>, at: vec4<u32>) {
 let columns = mat4x4<f32>(x[at.x], x[at.y], x[at.z], x[at.w]);
 (*sums)[0] += a * columns;
 if (B > 1u) {
  (*sums)[1] += b * columns;
 }
 if (B > 2u) {
  (*sums)[2] += c * columns;
  (*sums)[3] += d * columns;
 }
}
fn over_lanes(own: vec4<f32>, t: u32, lane: u32) -> vec4<f32> {
 var sum = own;
 partial[t] = own;
 workgroupBarrier();
 if (lane == 0u) {
  for (var l = 1u; l < L; l++) {
   sum += partial[t + 8u * l];
  }
 }
 workgroupBarrier();
 return sum;
}
fn write(sum: vec4<f32>, m0: u32, n: u32, row: u32) {
 if (row >= p.n_rows) {
  return;
 }
 for (var j = 0u; j < 4u; j++) {
  if (m0 + j < n) {
   store(sum[j], p.row0 + row, (m0 + j) * p.y_stride + p.row0 + row);
  }
 }
}
@compute @workgroup_size(T)
fn main(@builtin(local_invocation_index) t: u32, @builtin(workgroup_id) wg: vec3<u32>) {
 let n = column_count();
 let m0 = wg.x * 4u;
 if (m0 >= n) {
  return;
 }
 let r = t % 8u;
 let lane = (t / 8u) % L;
 let block = (wg.y * G + t / (8u * L)) * B;
 let four = vec4<u32>(0u, 1u, 2u, 3u);
 let g = min(vec4<u32>(block) + four, vec4<u32>(p.n_group - 1u));
 let x0 = min(vec4<u32>(m0) + four, vec4<u32>(n - 1u)) * p.n_chunk * 8u;
 var sums = Sums();
 for (var i = lane; i < p.n_chunk; i += L) {
  let a = dequant(g.x, i, r);
  var b = Chunk();
  var c = Chunk();
  var d = Chunk();
  if (B > 1u) {
   b = dequant(g.y, i, r);
  }
  if (B > 2u) {
   c = dequant(g.z, i, r);
   d = dequant(g.w, i, r);
  }
  let at = x0 + i * 8u;
  add_word(&sums, a.v0, b.v0, c.v0, d.v0, at);
  add_word(&sums, a.v1, b.v1, c.v1, d.v1, at + 1u);
  add_word(&sums, a.v2, b.v2, c.v2, d.v2, at + 2u);
  add_word(&sums, a.v3, b.v3, c.v3, d.v3, at + 3u);
  add_word(&sums, a.v4, b.v4, c.v4, d.v4, at + 4u);
  add_word(&sums, a.v5, b.v5, c.v5, d.v5, at + 5u);
  add_word(&sums, a.v6, b.v6, c.v6, d.v6, at + 6u);
  add_word(&sums, a.v7, b.v7, c.v7, d.v7, at + 7u);
 }
 if (L > 1u) {
  sums[0] = over_lanes(sums[0], t, lane);
  if (B > 1u) {
   sums[1] = over_lanes(sums[1], t, lane);
  }
  if (B > 2u) {
   sums[2] = over_lanes(sums[2], t, lane);
   sums[3] = over_lanes(sums[3], t, lane);
  }
 }
 if (lane > 0u) {
  return;
 }
 let row = 8u * block + r;
 write(sums[0], m0, n, row);
 if (B > 1u) {
  write(sums[1], m0, n, row + 8u);
 }
 if (B > 2u) {
  write(sums[2], m0, n, row + 16u);
  write(sums[3], m0, n, row + 24u);
 }
}
",
    },
    Shader {
        name: "matmul_rows_q8",
        kernel: "matmul_rows",
        workgroup_size: [64, 1, 1],
        bindings: &[
            Binding { index: 0, name: "wq", kind: BindingKind::Read, min_size: 16 },
            Binding { index: 1, name: "ws", kind: BindingKind::Read, min_size: 4 },
            Binding { index: 2, name: "x", kind: BindingKind::Read, min_size: 16 },
            Binding { index: 3, name: "bias", kind: BindingKind::Read, min_size: 4 },
            Binding { index: 4, name: "y", kind: BindingKind::ReadWrite, min_size: 4 },
            Binding { index: 5, name: "step", kind: BindingKind::Read, min_size: 192 },
            Binding { index: 6, name: "p", kind: BindingKind::Uniform, min_size: 44 },
        ],
        overrides: &[
            Override { name: "L", default: Some(8.0) },
            Override { name: "G", default: Some(1.0) },
            Override { name: "T", default: Some(64.0) },
            Override { name: "B", default: Some(1.0) },
        ],
        needs: &[],
        workgroup_bytes: 1024,
        uniform: &[
            UniformField { name: "n_chunk", offset: 0, size: 4 },
            UniformField { name: "n_unit", offset: 4, size: 4 },
            UniformField { name: "n_group", offset: 8, size: 4 },
            UniformField { name: "n_rows", offset: 12, size: 4 },
            UniformField { name: "row0", offset: 16, size: 4 },
            UniformField { name: "y_stride", offset: 20, size: 4 },
            UniformField { name: "count_from", offset: 24, size: 4 },
            UniformField { name: "max_rows", offset: 28, size: 4 },
            UniformField { name: "act", offset: 32, size: 4 },
            UniformField { name: "flags", offset: 36, size: 4 },
            UniformField { name: "softcap", offset: 40, size: 4 },
        ],
        wgsl: r"struct Chunk {
 v0: vec4<f32>,
 v1: vec4<f32>,
 v2: vec4<f32>,
 v3: vec4<f32>,
 v4: vec4<f32>,
 v5: vec4<f32>,
 v6: vec4<f32>,
 v7: vec4<f32>,
}
struct Coded {
 q: Chunk,
 s: vec4<f32>,
}
fn chunk_scale(q: Chunk, lo: f32, hi: f32) -> Chunk {
 return Chunk(q.v0 * lo, q.v1 * lo, q.v2 * lo, q.v3 * lo, q.v4 * hi, q.v5 * hi, q.v6 * hi, q.v7 * hi);
}
fn quants(g: u32, c: u32, r: u32, n_word: u32, word: u32) -> vec4<u32> {
 return wq[((g * p.n_chunk + c) * n_word + word) * 8u + r];
}
fn scale_word(g: u32, unit: u32, r: u32, n_word: u32, word: u32) -> u32 {
 return ws[((g * p.n_unit + unit) * n_word + word) * 8u + r];
}
fn signed_bytes(w: u32) -> vec4<i32> {
 return bitcast<vec4<i32>>(vec4<u32>(w) << vec4<u32>(24u, 16u, 8u, 0u)) >> vec4<u32>(24u);
}
fn half(h: u32) -> f32 {
 let m = h & 0x7fffu;
 let rebias = select(0x38000000u, 0x70000000u, m >= 0x7c00u);
 let v = select(bitcast<f32>((m << 13u) + rebias), f32(m) * 0x1p-24f, m < 0x400u);
 return bitcast<f32>(bitcast<u32>(v) | ((h & 0x8000u) << 16u));
}
fn coded(g: u32, c: u32, r: u32) -> Coded {
 let a = quants(g, c, r, 2u, 0u);
 let b = quants(g, c, r, 2u, 1u);
 let s = half((scale_word(g, c / 2u, r, 1u, 0u) >> (16u * (c % 2u))) & 0xffffu);
 let q = Chunk(vec4<f32>(signed_bytes(a.x)), vec4<f32>(signed_bytes(a.y)), vec4<f32>(signed_bytes(a.z)),
  vec4<f32>(signed_bytes(a.w)), vec4<f32>(signed_bytes(b.x)), vec4<f32>(signed_bytes(b.y)),
  vec4<f32>(signed_bytes(b.z)), vec4<f32>(signed_bytes(b.w)));
 return Coded(q, vec4<f32>(s, s, 0.0, 0.0));
}
fn dequant(g: u32, c: u32, r: u32) -> Chunk {
 let w = coded(g, c, r);
    {
  return chunk_scale(w.q, w.s.x, w.s.y);
 }
}
fn soft_tanh(v: f32) -> f32 {
 let e = exp(-2.0 * min(abs(v), 15.0));
 return sign(v) * ((1.0 - e) / (1.0 + e));
}
fn silu(v: f32) -> f32 {
 return v / (1.0 + exp(clamp(-v, -80.0, 80.0)));
}
fn gelu_tanh(v: f32) -> f32 {
 return 0.5 * v * (1.0 + soft_tanh(0.7978845608 * (v + 0.044715 * v * v * v)));
}
fn activate(kind: u32, v: f32) -> f32 {
 if (kind == 1u) {
  return silu(v);
 }
 if (kind == 2u) {
  return gelu_tanh(v);
 }
 return v;
}
const ADD = 1u;
const BIAS = 2u;
const SOFTCAP = 4u;
fn store(sum: f32, row: u32, at: u32) {
 var v = sum;
 if ((p.flags & BIAS) != 0u) {
  v += bias[row];
 }
 v = activate(p.act, v);
 if ((p.flags & SOFTCAP) != 0u) {
  v = p.softcap * soft_tanh(v / p.softcap);
 }
 if ((p.flags & ADD) != 0u) {
  v += y[at];
 }
 y[at] = v;
}
struct Row {
 token: u32,
 pos: u32,
 cell: u32,
 table: u32,
 base: u32,
 lo: u32,
 hi: u32,
 lo_swa: u32,
 tree: u32,
 ancestors_lo: u32,
 ancestors_hi: u32,
 seq: u32,
 mix_start: u32,
 mix_len: u32,
 reserved0: u32,
 reserved1: u32,
}
struct Step {
 n_rows: u32,
 n_want: u32,
 seed_lo: u32,
 seed_hi: u32,
 window: u32,
 n_out: u32,
 reserved: array<u32, 10>,
 want: array<u32, 16>,
 rows: array<Row>,
}
struct P {
 n_chunk: u32,
 n_unit: u32,
 n_group: u32,
 n_rows: u32,
 row0: u32,
 y_stride: u32,
 count_from: u32,
 max_rows: u32,
 act: u32,
 flags: u32,
 softcap: f32,
}
@group(0) @binding(0) var<storage, read> wq: array<vec4<u32>>;
@group(0) @binding(1) var<storage, read> ws: array<u32>;
@group(0) @binding(2) var<storage, read> x: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read> bias: array<f32>;
@group(0) @binding(4) var<storage, read_write> y: array<f32>;
@group(0) @binding(5) var<storage, read> step: Step;
@group(0) @binding(6) var<uniform> p: P;
fn column_count() -> u32 {
 return min(select(step.n_rows, step.n_want, p.count_from == 1u), p.max_rows);
}
override L: u32 = 8u;
override G: u32 = 1u;
override T: u32 = 64u;
override B: u32 = 1u;
alias Sums = array<vec4<f32>, 4>;
var<workgroup> partial: array<vec4<f32>, T>;
fn add_word(sums: ptr<function, Sums>, a: vec4<f32>, b: vec4<f32>, c: vec4<f32>, d: vec4<f32>, at: vec4<u32>) {
 let columns = mat4x4<f32>(x[at.x], x[at.y], x[at.z], x[at.w]);
 (*sums)[0] += a * columns;
 if (B > 1u) {
  (*sums)[1] += b * columns;
 }
 if (B > 2u) {
  (*sums)[2] += c * columns;
  (*sums)[3] += d * columns;
 }
}
fn over_lanes(own: vec4<f32>, t: u32, lane: u32) -> vec4<f32> {
 var sum = own;
 partial[t] = own;
 workgroupBarrier();
 if (lane == 0u) {
  for (var l = 1u; l < L; l++) {
   sum += partial[t + 8u * l];
  }
 }
 workgroupBarrier();
 return sum;
}
fn write(sum: vec4<f32>, m0: u32, n: u32, row: u32) {
 if (row >= p.n_rows) {
  return;
 }
 for (var j = 0u; j < 4u; j++) {
  if (m0 + j < n) {
   store(sum[j], p.row0 + row, (m0 + j) * p.y_stride + p.row0 + row);
  }
 }
}
@compute @workgroup_size(T)
fn main(@builtin(local_invocation_index) t: u32, @builtin(workgroup_id) wg: vec3<u32>) {
 let n = column_count();
 let m0 = wg.x * 4u;
 if (m0 >= n) {
  return;
 }
 let r = t % 8u;
 let lane = (t / 8u) % L;
 let block = (wg.y * G + t / (8u * L)) * B;
 let four = vec4<u32>(0u, 1u, 2u, 3u);
 let g = min(vec4<u32>(block) + four, vec4<u32>(p.n_group - 1u));
 let x0 = min(vec4<u32>(m0) + four, vec4<u32>(n - 1u)) * p.n_chunk * 8u;
 var sums = Sums();
 for (var i = lane; i < p.n_chunk; i += L) {
  let a = dequant(g.x, i, r);
  var b = Chunk();
  var c = Chunk();
  var d = Chunk();
  if (B > 1u) {
   b = dequant(g.y, i, r);
  }
  if (B > 2u) {
   c = dequant(g.z, i, r);
   d = dequant(g.w, i, r);
  }
  let at = x0 + i * 8u;
  add_word(&sums, a.v0, b.v0, c.v0, d.v0, at);
  add_word(&sums, a.v1, b.v1, c.v1, d.v1, at + 1u);
  add_word(&sums, a.v2, b.v2, c.v2, d.v2, at + 2u);
  add_word(&sums, a.v3, b.v3, c.v3, d.v3, at + 3u);
  add_word(&sums, a.v4, b.v4, c.v4, d.v4, at + 4u);
  add_word(&sums, a.v5, b.v5, c.v5, d.v5, at + 5u);
  add_word(&sums, a.v6, b.v6, c.v6, d.v6, at + 6u);
  add_word(&sums, a.v7, b.v7, c.v7, d.v7, at + 7u);
 }
 if (L > 1u) {
  sums[0] = over_lanes(sums[0], t, lane);
  if (B > 1u) {
   sums[1] = over_lanes(sums[1], t, lane);
  }
  if (B > 2u) {
   sums[2] = over_lanes(sums[2], t, lane);
   sums[3] = over_lanes(sums[3], t, lane);
  }
 }
 if (lane > 0u) {
  return;
 }
 let row = 8u * block + r;
 write(sums[0], m0, n, row);
 if (B > 1u) {
  write(sums[1], m0, n, row + 8u);
 }
 if (B > 2u) {
  write(sums[2], m0, n, row + 16u);
  write(sums[3], m0, n, row + 24u);
 }
}
",
    },
    Shader {
        name: "matmul_soft_bf16_eight",
        kernel: "matmul_soft",
        workgroup_size: [8, 1, 1],
        bindings: &[
            Binding { index: 0, name: "wq", kind: BindingKind::Read, min_size: 16 },
            Binding { index: 1, name: "ws", kind: BindingKind::Read, min_size: 4 },
            Binding { index: 2, name: "x", kind: BindingKind::Read, min_size: 16 },
            Binding { index: 3, name: "step", kind: BindingKind::Read, min_size: 192 },
            Binding { index: 4, name: "bias", kind: BindingKind::Read, min_size: 4 },
            Binding { index: 5, name: "y", kind: BindingKind::ReadWrite, min_size: 4 },
            Binding { index: 6, name: "p", kind: BindingKind::Uniform, min_size: 68 },
        ],
        overrides: &[],
        needs: &[],
        workgroup_bytes: 0,
        uniform: &[
            UniformField { name: "n_chunk", offset: 0, size: 4 },
            UniformField { name: "n_unit", offset: 4, size: 4 },
            UniformField { name: "n_group", offset: 8, size: 4 },
            UniformField { name: "n_rows", offset: 12, size: 4 },
            UniformField { name: "row0", offset: 16, size: 4 },
            UniformField { name: "block", offset: 20, size: 4 },
            UniformField { name: "by_expert", offset: 24, size: 4 },
            UniformField { name: "n_expert", offset: 28, size: 4 },
            UniformField { name: "glu", offset: 32, size: 4 },
            UniformField { name: "x_slot_div", offset: 36, size: 4 },
            UniformField { name: "y_stride", offset: 40, size: 4 },
            UniformField { name: "count_from", offset: 44, size: 4 },
            UniformField { name: "max_rows", offset: 48, size: 4 },
            UniformField { name: "eps", offset: 52, size: 4 },
            UniformField { name: "act", offset: 56, size: 4 },
            UniformField { name: "flags", offset: 60, size: 4 },
            UniformField { name: "softcap", offset: 64, size: 4 },
        ],
        wgsl: r"struct Chunk {
 v0: vec4<f32>,
 v1: vec4<f32>,
 v2: vec4<f32>,
 v3: vec4<f32>,
 v4: vec4<f32>,
 v5: vec4<f32>,
 v6: vec4<f32>,
 v7: vec4<f32>,
}
struct Coded {
 q: Chunk,
 s: vec4<f32>,
}
fn quants(g: u32, c: u32, r: u32, n_word: u32, word: u32) -> vec4<u32> {
 return wq[((g * p.n_chunk + c) * n_word + word) * 8u + r];
}
fn as_stored(v: Chunk) -> Coded {
 return Coded(v, vec4<f32>(1.0, 1.0, 0.0, 0.0));
}
fn bfloat4(a: u32, b: u32) -> vec4<f32> {
 return bitcast<vec4<f32>>(vec4<u32>(a << 16u, a & 0xffff0000u, b << 16u, b & 0xffff0000u));
}
fn coded(g: u32, c: u32, r: u32) -> Coded {
 let a = quants(g, c, r, 4u, 0u);
 let b = quants(g, c, r, 4u, 1u);
 let d = quants(g, c, r, 4u, 2u);
 let e = quants(g, c, r, 4u, 3u);
 return as_stored(Chunk(bfloat4(a.x, a.y), bfloat4(a.z, a.w), bfloat4(b.x, b.y), bfloat4(b.z, b.w),
  bfloat4(d.x, d.y), bfloat4(d.z, d.w), bfloat4(e.x, e.y), bfloat4(e.z, e.w)));
}
const OFFSETS = false;
fn soft_tanh(v: f32) -> f32 {
 let e = exp(-2.0 * min(abs(v), 15.0));
 return sign(v) * ((1.0 - e) / (1.0 + e));
}
fn silu(v: f32) -> f32 {
 return v / (1.0 + exp(clamp(-v, -80.0, 80.0)));
}
fn gelu_tanh(v: f32) -> f32 {
 return 0.5 * v * (1.0 + soft_tanh(0.7978845608 * (v + 0.044715 * v * v * v)));
}
fn activate(kind: u32, v: f32) -> f32 {
 if (kind == 1u) {
  return silu(v);
 }
 if (kind == 2u) {
  return gelu_tanh(v);
 }
 return v;
}
const ADD = 1u;
const BIAS = 2u;
const SOFTCAP = 4u;
fn store(sum: f32, row: u32, at: u32) {
 var v = sum;
 if ((p.flags & BIAS) != 0u) {
  v += bias[row];
 }
 v = activate(p.act, v);
 if ((p.flags & SOFTCAP) != 0u) {
  v = p.softcap * soft_tanh(v / p.softcap);
 }
 if ((p.flags & ADD) != 0u) {
  v += y[at];
 }
 y[at] = v;
}
struct Row {
 token: u32,
 pos: u32,
 cell: u32,
 table: u32,
 base: u32,
 lo: u32,
 hi: u32,
 lo_swa: u32,
 tree: u32,
 ancestors_lo: u32,
 ancestors_hi: u32,
 seq: u32,
 mix_start: u32,
 mix_len: u32,
 reserved0: u32,
 reserved1: u32,
}
struct Step {
 n_rows: u32,
 n_want: u32,
 seed_lo: u32,
 seed_hi: u32,
 window: u32,
 n_out: u32,
 reserved: array<u32, 10>,
 want: array<u32, 16>,
 rows: array<Row>,
}
const MAX_BLOCK = 64u;
const ONE = vec4<f32>(1.0);
struct P {
 n_chunk: u32,
 n_unit: u32,
 n_group: u32,
 n_rows: u32,
 row0: u32,
 block: u32,
 by_expert: u32,
 n_expert: u32,
 glu: u32,
 x_slot_div: u32,
 y_stride: u32,
 count_from: u32,
 max_rows: u32,
 eps: f32,
 act: u32,
 flags: u32,
 softcap: f32,
}
@group(0) @binding(0) var<storage, read> wq: array<vec4<u32>>;
@group(0) @binding(1) var<storage, read> ws: array<u32>;
@group(0) @binding(2) var<storage, read> x: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read> step: Step;
@group(0) @binding(4) var<storage, read> bias: array<f32>;
@group(0) @binding(5) var<storage, read_write> y: array<f32>;
@group(0) @binding(6) var<uniform> p: P;
@compute @workgroup_size(8)
fn main(@builtin(local_invocation_index) r: u32, @builtin(workgroup_id) wg: vec3<u32>) {
 let n = min(select(step.n_rows, step.n_want, p.count_from == 1u), p.max_rows);
 let m0 = wg.y * 8u;
 if (m0 >= n) {
  return;
 }
 let wide = m0 + 4u < n;
 let n_column = select(4u, 8u, wide);
 let first = wg.x * p.block;
 let end = min(p.block, p.n_group - first);
 var sums = array<vec4<f32>, 2u * MAX_BLOCK>();
 var words = array<vec4<f32>, 64>();
 for (var c = 0u; c < p.n_chunk; c++) {
  for (var i = 0u; i < 8u * n_column; i++) {
   let m = i % n_column;
   let word = i / n_column;
   words[word * 8u + m] = x[(min(m0 + m, n - 1u) * p.n_chunk + c) * 8u + word];
  }
  var totals = array<vec4<f32>, 4>();
  if (OFFSETS) {
   for (var i = 0u; i < 8u; i++) {
    let w = 8u * i;
    totals[i / 4u] += ONE * mat4x4<f32>(words[w], words[w + 1u], words[w + 2u], words[w + 3u]);
    totals[2u + i / 4u] += ONE * mat4x4<f32>(words[w + 4u], words[w + 5u], words[w + 6u], words[w + 7u]);
   }
  }
  for (var b = 0u; b < end; b++) {
   let w = coded(first + b, c, r);
   let low = w.q.v0 * mat4x4<f32>(words[0], words[1], words[2], words[3])
    + w.q.v1 * mat4x4<f32>(words[8], words[9], words[10], words[11])
    + w.q.v2 * mat4x4<f32>(words[16], words[17], words[18], words[19])
    + w.q.v3 * mat4x4<f32>(words[24], words[25], words[26], words[27]);
   let high = w.q.v4 * mat4x4<f32>(words[32], words[33], words[34], words[35])
    + w.q.v5 * mat4x4<f32>(words[40], words[41], words[42], words[43])
    + w.q.v6 * mat4x4<f32>(words[48], words[49], words[50], words[51])
    + w.q.v7 * mat4x4<f32>(words[56], words[57], words[58], words[59]);
   sums[2u * b] += w.s.x * low + w.s.y * high + w.s.z * totals[0] + w.s.w * totals[1];
   if (wide) {
    let low = w.q.v0 * mat4x4<f32>(words[4], words[5], words[6], words[7])
     + w.q.v1 * mat4x4<f32>(words[12], words[13], words[14], words[15])
     + w.q.v2 * mat4x4<f32>(words[20], words[21], words[22], words[23])
     + w.q.v3 * mat4x4<f32>(words[28], words[29], words[30], words[31]);
    let high = w.q.v4 * mat4x4<f32>(words[36], words[37], words[38], words[39])
     + w.q.v5 * mat4x4<f32>(words[44], words[45], words[46], words[47])
     + w.q.v6 * mat4x4<f32>(words[52], words[53], words[54], words[55])
     + w.q.v7 * mat4x4<f32>(words[60], words[61], words[62], words[63]);
    sums[2u * b + 1u] += w.s.x * low + w.s.y * high + w.s.z * totals[2] + w.s.w * totals[3];
   }
  }
 }
 for (var b = 0u; b < end; b++) {
  let row = (first + b) * 8u + r;
  if (row < p.n_rows) {
   for (var m = m0; m < min(m0 + 8u, n); m++) {
    store(sums[2u * b + (m - m0) / 4u][m % 4u], p.row0 + row, m * p.y_stride + p.row0 + row);
   }
  }
 }
}
",
    },
    Shader {
        name: "matmul_soft_bf16_one",
        kernel: "matmul_soft",
        workgroup_size: [8, 1, 1],
        bindings: &[
            Binding { index: 0, name: "wq", kind: BindingKind::Read, min_size: 16 },
            Binding { index: 1, name: "ws", kind: BindingKind::Read, min_size: 4 },
            Binding { index: 2, name: "x", kind: BindingKind::Read, min_size: 16 },
            Binding { index: 3, name: "norm", kind: BindingKind::Read, min_size: 16 },
            Binding { index: 4, name: "bias", kind: BindingKind::Read, min_size: 4 },
            Binding { index: 5, name: "y", kind: BindingKind::ReadWrite, min_size: 4 },
            Binding { index: 6, name: "sel", kind: BindingKind::Read, min_size: 4 },
            Binding { index: 7, name: "p", kind: BindingKind::Uniform, min_size: 68 },
        ],
        overrides: &[],
        needs: &[],
        workgroup_bytes: 0,
        uniform: &[
            UniformField { name: "n_chunk", offset: 0, size: 4 },
            UniformField { name: "n_unit", offset: 4, size: 4 },
            UniformField { name: "n_group", offset: 8, size: 4 },
            UniformField { name: "n_rows", offset: 12, size: 4 },
            UniformField { name: "row0", offset: 16, size: 4 },
            UniformField { name: "block", offset: 20, size: 4 },
            UniformField { name: "by_expert", offset: 24, size: 4 },
            UniformField { name: "n_expert", offset: 28, size: 4 },
            UniformField { name: "glu", offset: 32, size: 4 },
            UniformField { name: "x_slot_div", offset: 36, size: 4 },
            UniformField { name: "y_stride", offset: 40, size: 4 },
            UniformField { name: "count_from", offset: 44, size: 4 },
            UniformField { name: "max_rows", offset: 48, size: 4 },
            UniformField { name: "eps", offset: 52, size: 4 },
            UniformField { name: "act", offset: 56, size: 4 },
            UniformField { name: "flags", offset: 60, size: 4 },
            UniformField { name: "softcap", offset: 64, size: 4 },
        ],
        wgsl: r"struct Chunk {
 v0: vec4<f32>,
 v1: vec4<f32>,
 v2: vec4<f32>,
 v3: vec4<f32>,
 v4: vec4<f32>,
 v5: vec4<f32>,
 v6: vec4<f32>,
 v7: vec4<f32>,
}
struct Coded {
 q: Chunk,
 s: vec4<f32>,
}
fn chunk_dot(a: Chunk, b: Chunk) -> f32 {
 return dot(a.v0, b.v0) + dot(a.v1, b.v1) + dot(a.v2, b.v2) + dot(a.v3, b.v3)
  + dot(a.v4, b.v4) + dot(a.v5, b.v5) + dot(a.v6, b.v6) + dot(a.v7, b.v7);
}
fn chunk_mul(a: Chunk, b: Chunk) -> Chunk {
 return Chunk(a.v0 * b.v0, a.v1 * b.v1, a.v2 * b.v2, a.v3 * b.v3,
  a.v4 * b.v4, a.v5 * b.v5, a.v6 * b.v6, a.v7 * b.v7);
}
fn half_dots(a: Chunk, b: Chunk) -> vec2<f32> {
 return vec2<f32>(dot(a.v0, b.v0) + dot(a.v1, b.v1) + dot(a.v2, b.v2) + dot(a.v3, b.v3),
  dot(a.v4, b.v4) + dot(a.v5, b.v5) + dot(a.v6, b.v6) + dot(a.v7, b.v7));
}
fn quants(g: u32, c: u32, r: u32, n_word: u32, word: u32) -> vec4<u32> {
 return wq[((g * p.n_chunk + c) * n_word + word) * 8u + r];
}
fn as_stored(v: Chunk) -> Coded {
 return Coded(v, vec4<f32>(1.0, 1.0, 0.0, 0.0));
}
fn bfloat4(a: u32, b: u32) -> vec4<f32> {
 return bitcast<vec4<f32>>(vec4<u32>(a << 16u, a & 0xffff0000u, b << 16u, b & 0xffff0000u));
}
fn coded(g: u32, c: u32, r: u32) -> Coded {
 let a = quants(g, c, r, 4u, 0u);
 let b = quants(g, c, r, 4u, 1u);
 let d = quants(g, c, r, 4u, 2u);
 let e = quants(g, c, r, 4u, 3u);
 return as_stored(Chunk(bfloat4(a.x, a.y), bfloat4(a.z, a.w), bfloat4(b.x, b.y), bfloat4(b.z, b.w),
  bfloat4(d.x, d.y), bfloat4(d.z, d.w), bfloat4(e.x, e.y), bfloat4(e.z, e.w)));
}
fn soft_tanh(v: f32) -> f32 {
 let e = exp(-2.0 * min(abs(v), 15.0));
 return sign(v) * ((1.0 - e) / (1.0 + e));
}
fn silu(v: f32) -> f32 {
 return v / (1.0 + exp(clamp(-v, -80.0, 80.0)));
}
fn gelu_tanh(v: f32) -> f32 {
 return 0.5 * v * (1.0 + soft_tanh(0.7978845608 * (v + 0.044715 * v * v * v)));
}
fn activate(kind: u32, v: f32) -> f32 {
 if (kind == 1u) {
  return silu(v);
 }
 if (kind == 2u) {
  return gelu_tanh(v);
 }
 return v;
}
const ADD = 1u;
const BIAS = 2u;
const SOFTCAP = 4u;
fn store(sum: f32, row: u32, at: u32) {
 var v = sum;
 if ((p.flags & BIAS) != 0u) {
  v += bias[row];
 }
 v = activate(p.act, v);
 if ((p.flags & SOFTCAP) != 0u) {
  v = p.softcap * soft_tanh(v / p.softcap);
 }
 if ((p.flags & ADD) != 0u) {
  v += y[at];
 }
 y[at] = v;
}
const MAX_BLOCK = 64u;
const NONE = 0xffffffffu;
const NORM = 8u;
const ONE = vec4<f32>(1.0);
const ONES = Chunk(ONE, ONE, ONE, ONE, ONE, ONE, ONE, ONE);
struct P {
 n_chunk: u32,
 n_unit: u32,
 n_group: u32,
 n_rows: u32,
 row0: u32,
 block: u32,
 by_expert: u32,
 n_expert: u32,
 glu: u32,
 x_slot_div: u32,
 y_stride: u32,
 count_from: u32,
 max_rows: u32,
 eps: f32,
 act: u32,
 flags: u32,
 softcap: f32,
}
@group(0) @binding(0) var<storage, read> wq: array<vec4<u32>>;
@group(0) @binding(1) var<storage, read> ws: array<u32>;
@group(0) @binding(2) var<storage, read> x: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read> norm: array<vec4<f32>>;
@group(0) @binding(4) var<storage, read> bias: array<f32>;
@group(0) @binding(5) var<storage, read_write> y: array<f32>;
@group(0) @binding(6) var<storage, read> sel: array<u32>;
@group(0) @binding(7) var<uniform> p: P;
@compute @workgroup_size(8)
fn main(@builtin(local_invocation_index) r: u32, @builtin(workgroup_id) wg: vec3<u32>) {
 var first = wg.x * p.block;
 let end = min(p.block, p.n_group - first);
 var expert = 0u;
 if (p.by_expert == 1u) {
  expert = sel[wg.y];
  if (expert == NONE) {
   return;
  }
  expert = min(expert, p.n_expert - 1u);
 }
 let g = first + expert * p.n_group;
 let x0 = wg.y / p.x_slot_div * p.n_chunk * 8u;
 var sums = array<f32, MAX_BLOCK>();
 var square = 0.0;
 for (var c = 0u; c < p.n_chunk; c++) {
  let at = x0 + c * 8u;
  var v = Chunk(x[at], x[at + 1u], x[at + 2u], x[at + 3u], x[at + 4u], x[at + 5u], x[at + 6u], x[at + 7u]);
  if ((p.flags & NORM) != 0u) {
   square += chunk_dot(v, v);
   let w = c * 8u;
   v = chunk_mul(v, Chunk(norm[w], norm[w + 1u], norm[w + 2u], norm[w + 3u],
    norm[w + 4u], norm[w + 5u], norm[w + 6u], norm[w + 7u]));
  }
  let total = half_dots(v, ONES);
  for (var b = 0u; b < end; b++) {
   let w = coded(g + b, c, r);
   let halves = half_dots(w.q, v);
   sums[b] += w.s.x * halves.x + w.s.y * halves.y + w.s.z * total.x + w.s.w * total.y;
  }
 }
 let factor = select(1.0, inverseSqrt(square / f32(p.n_chunk * 32u) + p.eps), (p.flags & NORM) != 0u);
 let y0 = wg.y * p.y_stride + p.row0;
 if (p.glu == 1u) {
  for (var b = 0u; b < end; b += 2u) {
   let row = (first + b) * 4u + r;
   if (row < p.n_rows) {
    y[y0 + row] = activate(p.act, sums[b] * factor) * (sums[b + 1u] * factor);
   }
  }
  return;
 }
 for (var b = 0u; b < end; b++) {
  let row = (first + b) * 8u + r;
  if (row < p.n_rows) {
   store(sums[b] * factor, p.row0 + row, y0 + row);
  }
 }
}
",
    },
    Shader {
        name: "matmul_soft_f16_eight",
        kernel: "matmul_soft",
        workgroup_size: [8, 1, 1],
        bindings: &[
            Binding { index: 0, name: "wq", kind: BindingKind::Read, min_size: 16 },
            Binding { index: 1, name: "ws", kind: BindingKind::Read, min_size: 4 },
            Binding { index: 2, name: "x", kind: BindingKind::Read, min_size: 16 },
            Binding { index: 3, name: "step", kind: BindingKind::Read, min_size: 192 },
            Binding { index: 4, name: "bias", kind: BindingKind::Read, min_size: 4 },
            Binding { index: 5, name: "y", kind: BindingKind::ReadWrite, min_size: 4 },
            Binding { index: 6, name: "p", kind: BindingKind::Uniform, min_size: 68 },
        ],
        overrides: &[],
        needs: &[],
        workgroup_bytes: 0,
        uniform: &[
            UniformField { name: "n_chunk", offset: 0, size: 4 },
            UniformField { name: "n_unit", offset: 4, size: 4 },
            UniformField { name: "n_group", offset: 8, size: 4 },
            UniformField { name: "n_rows", offset: 12, size: 4 },
            UniformField { name: "row0", offset: 16, size: 4 },
            UniformField { name: "block", offset: 20, size: 4 },
            UniformField { name: "by_expert", offset: 24, size: 4 },
            UniformField { name: "n_expert", offset: 28, size: 4 },
            UniformField { name: "glu", offset: 32, size: 4 },
            UniformField { name: "x_slot_div", offset: 36, size: 4 },
            UniformField { name: "y_stride", offset: 40, size: 4 },
            UniformField { name: "count_from", offset: 44, size: 4 },
            UniformField { name: "max_rows", offset: 48, size: 4 },
            UniformField { name: "eps", offset: 52, size: 4 },
            UniformField { name: "act", offset: 56, size: 4 },
            UniformField { name: "flags", offset: 60, size: 4 },
            UniformField { name: "softcap", offset: 64, size: 4 },
        ],
        wgsl: r"struct Chunk {
 v0: vec4<f32>,
 v1: vec4<f32>,
 v2: vec4<f32>,
 v3: vec4<f32>,
 v4: vec4<f32>,
 v5: vec4<f32>,
 v6: vec4<f32>,
 v7: vec4<f32>,
}
struct Coded {
 q: Chunk,
 s: vec4<f32>,
}
fn quants(g: u32, c: u32, r: u32, n_word: u32, word: u32) -> vec4<u32> {
 return wq[((g * p.n_chunk + c) * n_word + word) * 8u + r];
}
fn half4(a: u32, b: u32) -> vec4<f32> {
 let h = vec4<u32>(a & 0xffffu, a >> 16u, b & 0xffffu, b >> 16u);
 let m = h & vec4<u32>(0x7fffu);
 let rebias = select(vec4<u32>(0x38000000u), vec4<u32>(0x70000000u), m >= vec4<u32>(0x7c00u));
 let normal = bitcast<vec4<f32>>((m << vec4<u32>(13u)) + rebias);
 let v = select(normal, vec4<f32>(m) * 0x1p-24f, m < vec4<u32>(0x400u));
 return bitcast<vec4<f32>>(bitcast<vec4<u32>>(v) | ((h & vec4<u32>(0x8000u)) << vec4<u32>(16u)));
}
fn as_stored(v: Chunk) -> Coded {
 return Coded(v, vec4<f32>(1.0, 1.0, 0.0, 0.0));
}
fn coded(g: u32, c: u32, r: u32) -> Coded {
 let a = quants(g, c, r, 4u, 0u);
 let b = quants(g, c, r, 4u, 1u);
 let d = quants(g, c, r, 4u, 2u);
 let e = quants(g, c, r, 4u, 3u);
 return as_stored(Chunk(half4(a.x, a.y), half4(a.z, a.w), half4(b.x, b.y), half4(b.z, b.w),
  half4(d.x, d.y), half4(d.z, d.w), half4(e.x, e.y), half4(e.z, e.w)));
}
const OFFSETS = false;
fn soft_tanh(v: f32) -> f32 {
 let e = exp(-2.0 * min(abs(v), 15.0));
 return sign(v) * ((1.0 - e) / (1.0 + e));
}
fn silu(v: f32) -> f32 {
 return v / (1.0 + exp(clamp(-v, -80.0, 80.0)));
}
fn gelu_tanh(v: f32) -> f32 {
 return 0.5 * v * (1.0 + soft_tanh(0.7978845608 * (v + 0.044715 * v * v * v)));
}
fn activate(kind: u32, v: f32) -> f32 {
 if (kind == 1u) {
  return silu(v);
 }
 if (kind == 2u) {
  return gelu_tanh(v);
 }
 return v;
}
const ADD = 1u;
const BIAS = 2u;
const SOFTCAP = 4u;
fn store(sum: f32, row: u32, at: u32) {
 var v = sum;
 if ((p.flags & BIAS) != 0u) {
  v += bias[row];
 }
 v = activate(p.act, v);
 if ((p.flags & SOFTCAP) != 0u) {
  v = p.softcap * soft_tanh(v / p.softcap);
 }
 if ((p.flags & ADD) != 0u) {
  v += y[at];
 }
 y[at] = v;
}
struct Row {
 token: u32,
 pos: u32,
 cell: u32,
 table: u32,
 base: u32,
 lo: u32,
 hi: u32,
 lo_swa: u32,
 tree: u32,
 ancestors_lo: u32,
 ancestors_hi: u32,
 seq: u32,
 mix_start: u32,
 mix_len: u32,
 reserved0: u32,
 reserved1: u32,
}
struct Step {
 n_rows: u32,
 n_want: u32,
 seed_lo: u32,
 seed_hi: u32,
 window: u32,
 n_out: u32,
 reserved: array<u32, 10>,
 want: array<u32, 16>,
 rows: array<Row>,
}
const MAX_BLOCK = 64u;
const ONE = vec4<f32>(1.0);
struct P {
 n_chunk: u32,
 n_unit: u32,
 n_group: u32,
 n_rows: u32,
 row0: u32,
 block: u32,
 by_expert: u32,
 n_expert: u32,
 glu: u32,
 x_slot_div: u32,
 y_stride: u32,
 count_from: u32,
 max_rows: u32,
 eps: f32,
 act: u32,
 flags: u32,
 softcap: f32,
}
@group(0) @binding(0) var<storage, read> wq: array<vec4<u32>>;
@group(0) @binding(1) var<storage, read> ws: array<u32>;
@group(0) @binding(2) var<storage, read> x: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read> step: Step;
@group(0) @binding(4) var<storage, read> bias: array<f32>;
@group(0) @binding(5) var<storage, read_write> y: array<f32>;
@group(0) @binding(6) var<uniform> p: P;
@compute @workgroup_size(8)
fn main(@builtin(local_invocation_index) r: u32, @builtin(workgroup_id) wg: vec3<u32>) {
 let n = min(select(step.n_rows, step.n_want, p.count_from == 1u), p.max_rows);
 let m0 = wg.y * 8u;
 if (m0 >= n) {
  return;
 }
 let wide = m0 + 4u < n;
 let n_column = select(4u, 8u, wide);
 let first = wg.x * p.block;
 let end = min(p.block, p.n_group - first);
 var sums = array<vec4<f32>, 2u * MAX_BLOCK>();
 var words = array<vec4<f32>, 64>();
 for (var c = 0u; c < p.n_chunk; c++) {
  for (var i = 0u; i < 8u * n_column; i++) {
   let m = i % n_column;
   let word = i / n_column;
   words[word * 8u + m] = x[(min(m0 + m, n - 1u) * p.n_chunk + c) * 8u + word];
  }
  var totals = array<vec4<f32>, 4>();
  if (OFFSETS) {
   for (var i = 0u; i < 8u; i++) {
    let w = 8u * i;
    totals[i / 4u] += ONE * mat4x4<f32>(words[w], words[w + 1u], words[w + 2u], words[w + 3u]);
    totals[2u + i / 4u] += ONE * mat4x4<f32>(words[w + 4u], words[w + 5u], words[w + 6u], words[w + 7u]);
   }
  }
  for (var b = 0u; b < end; b++) {
   let w = coded(first + b, c, r);
   let low = w.q.v0 * mat4x4<f32>(words[0], words[1], words[2], words[3])
    + w.q.v1 * mat4x4<f32>(words[8], words[9], words[10], words[11])
    + w.q.v2 * mat4x4<f32>(words[16], words[17], words[18], words[19])
    + w.q.v3 * mat4x4<f32>(words[24], words[25], words[26], words[27]);
   let high = w.q.v4 * mat4x4<f32>(words[32], words[33], words[34], words[35])
    + w.q.v5 * mat4x4<f32>(words[40], words[41], words[42], words[43])
    + w.q.v6 * mat4x4<f32>(words[48], words[49], words[50], words[51])
    + w.q.v7 * mat4x4<f32>(words[56], words[57], words[58], words[59]);
   sums[2u * b] += w.s.x * low + w.s.y * high + w.s.z * totals[0] + w.s.w * totals[1];
   if (wide) {
    let low = w.q.v0 * mat4x4<f32>(words[4], words[5], words[6], words[7])
     + w.q.v1 * mat4x4<f32>(words[12], words[13], words[14], words[15])
     + w.q.v2 * mat4x4<f32>(words[20], words[21], words[22], words[23])
     + w.q.v3 * mat4x4<f32>(words[28], words[29], words[30], words[31]);
    let high = w.q.v4 * mat4x4<f32>(words[36], words[37], words[38], words[39])
     + w.q.v5 * mat4x4<f32>(words[44], words[45], words[46], words[47])
     + w.q.v6 * mat4x4<f32>(words[52], words[53], words[54], words[55])
     + w.q.v7 * mat4x4<f32>(words[60], words[61], words[62], words[63]);
    sums[2u * b + 1u] += w.s.x * low + w.s.y * high + w.s.z * totals[2] + w.s.w * totals[3];
   }
  }
 }
 for (var b = 0u; b < end; b++) {
  let row = (first + b) * 8u + r;
  if (row < p.n_rows) {
   for (var m = m0; m < min(m0 + 8u, n); m++) {
    store(sums[2u * b + (m - m0) / 4u][m % 4u], p.row0 + row, m * p.y_stride + p.row0 + row);
   }
  }
 }
}
",
    },
    Shader {
        name: "matmul_soft_f16_one",
        kernel: "matmul_soft",
        workgroup_size: [8, 1, 1],
        bindings: &[
            Binding { index: 0, name: "wq", kind: BindingKind::Read, min_size: 16 },
            Binding { index: 1, name: "ws", kind: BindingKind::Read, min_size: 4 },
            Binding { index: 2, name: "x", kind: BindingKind::Read, min_size: 16 },
            Binding { index: 3, name: "norm", kind: BindingKind::Read, min_size: 16 },
            Binding { index: 4, name: "bias", kind: BindingKind::Read, min_size: 4 },
            Binding { index: 5, name: "y", kind: BindingKind::ReadWrite, min_size: 4 },
            Binding { index: 6, name: "sel", kind: BindingKind::Read, min_size: 4 },
            Binding { index: 7, name: "p", kind: BindingKind::Uniform, min_size: 68 },
        ],
        overrides: &[],
        needs: &[],
        workgroup_bytes: 0,
        uniform: &[
            UniformField { name: "n_chunk", offset: 0, size: 4 },
            UniformField { name: "n_unit", offset: 4, size: 4 },
            UniformField { name: "n_group", offset: 8, size: 4 },
            UniformField { name: "n_rows", offset: 12, size: 4 },
            UniformField { name: "row0", offset: 16, size: 4 },
            UniformField { name: "block", offset: 20, size: 4 },
            UniformField { name: "by_expert", offset: 24, size: 4 },
            UniformField { name: "n_expert", offset: 28, size: 4 },
            UniformField { name: "glu", offset: 32, size: 4 },
            UniformField { name: "x_slot_div", offset: 36, size: 4 },
            UniformField { name: "y_stride", offset: 40, size: 4 },
            UniformField { name: "count_from", offset: 44, size: 4 },
            UniformField { name: "max_rows", offset: 48, size: 4 },
            UniformField { name: "eps", offset: 52, size: 4 },
            UniformField { name: "act", offset: 56, size: 4 },
            UniformField { name: "flags", offset: 60, size: 4 },
            UniformField { name: "softcap", offset: 64, size: 4 },
        ],
        wgsl: r"struct Chunk {
 v0: vec4<f32>,
 v1: vec4<f32>,
 v2: vec4<f32>,
 v3: vec4<f32>,
 v4: vec4<f32>,
 v5: vec4<f32>,
 v6: vec4<f32>,
 v7: vec4<f32>,
}
struct Coded {
 q: Chunk,
 s: vec4<f32>,
}
fn chunk_dot(a: Chunk, b: Chunk) -> f32 {
 return dot(a.v0, b.v0) + dot(a.v1, b.v1) + dot(a.v2, b.v2) + dot(a.v3, b.v3)
  + dot(a.v4, b.v4) + dot(a.v5, b.v5) + dot(a.v6, b.v6) + dot(a.v7, b.v7);
}
fn chunk_mul(a: Chunk, b: Chunk) -> Chunk {
 return Chunk(a.v0 * b.v0, a.v1 * b.v1, a.v2 * b.v2, a.v3 * b.v3,
  a.v4 * b.v4, a.v5 * b.v5, a.v6 * b.v6, a.v7 * b.v7);
}
fn half_dots(a: Chunk, b: Chunk) -> vec2<f32> {
 return vec2<f32>(dot(a.v0, b.v0) + dot(a.v1, b.v1) + dot(a.v2, b.v2) + dot(a.v3, b.v3),
  dot(a.v4, b.v4) + dot(a.v5, b.v5) + dot(a.v6, b.v6) + dot(a.v7, b.v7));
}
fn quants(g: u32, c: u32, r: u32, n_word: u32, word: u32) -> vec4<u32> {
 return wq[((g * p.n_chunk + c) * n_word + word) * 8u + r];
}
fn half4(a: u32, b: u32) -> vec4<f32> {
 let h = vec4<u32>(a & 0xffffu, a >> 16u, b & 0xffffu, b >> 16u);
 let m = h & vec4<u32>(0x7fffu);
 let rebias = select(vec4<u32>(0x38000000u), vec4<u32>(0x70000000u), m >= vec4<u32>(0x7c00u));
 let normal = bitcast<vec4<f32>>((m << vec4<u32>(13u)) + rebias);
 let v = select(normal, vec4<f32>(m) * 0x1p-24f, m < vec4<u32>(0x400u));
 return bitcast<vec4<f32>>(bitcast<vec4<u32>>(v) | ((h & vec4<u32>(0x8000u)) << vec4<u32>(16u)));
}
fn as_stored(v: Chunk) -> Coded {
 return Coded(v, vec4<f32>(1.0, 1.0, 0.0, 0.0));
}
fn coded(g: u32, c: u32, r: u32) -> Coded {
 let a = quants(g, c, r, 4u, 0u);
 let b = quants(g, c, r, 4u, 1u);
 let d = quants(g, c, r, 4u, 2u);
 let e = quants(g, c, r, 4u, 3u);
 return as_stored(Chunk(half4(a.x, a.y), half4(a.z, a.w), half4(b.x, b.y), half4(b.z, b.w),
  half4(d.x, d.y), half4(d.z, d.w), half4(e.x, e.y), half4(e.z, e.w)));
}
fn soft_tanh(v: f32) -> f32 {
 let e = exp(-2.0 * min(abs(v), 15.0));
 return sign(v) * ((1.0 - e) / (1.0 + e));
}
fn silu(v: f32) -> f32 {
 return v / (1.0 + exp(clamp(-v, -80.0, 80.0)));
}
fn gelu_tanh(v: f32) -> f32 {
 return 0.5 * v * (1.0 + soft_tanh(0.7978845608 * (v + 0.044715 * v * v * v)));
}
fn activate(kind: u32, v: f32) -> f32 {
 if (kind == 1u) {
  return silu(v);
 }
 if (kind == 2u) {
  return gelu_tanh(v);
 }
 return v;
}
const ADD = 1u;
const BIAS = 2u;
const SOFTCAP = 4u;
fn store(sum: f32, row: u32, at: u32) {
 var v = sum;
 if ((p.flags & BIAS) != 0u) {
  v += bias[row];
 }
 v = activate(p.act, v);
 if ((p.flags & SOFTCAP) != 0u) {
  v = p.softcap * soft_tanh(v / p.softcap);
 }
 if ((p.flags & ADD) != 0u) {
  v += y[at];
 }
 y[at] = v;
}
const MAX_BLOCK = 64u;
const NONE = 0xffffffffu;
const NORM = 8u;
const ONE = vec4<f32>(1.0);
const ONES = Chunk(ONE, ONE, ONE, ONE, ONE, ONE, ONE, ONE);
struct P {
 n_chunk: u32,
 n_unit: u32,
 n_group: u32,
 n_rows: u32,
 row0: u32,
 block: u32,
 by_expert: u32,
 n_expert: u32,
 glu: u32,
 x_slot_div: u32,
 y_stride: u32,
 count_from: u32,
 max_rows: u32,
 eps: f32,
 act: u32,
 flags: u32,
 softcap: f32,
}
@group(0) @binding(0) var<storage, read> wq: array<vec4<u32>>;
@group(0) @binding(1) var<storage, read> ws: array<u32>;
@group(0) @binding(2) var<storage, read> x: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read> norm: array<vec4<f32>>;
@group(0) @binding(4) var<storage, read> bias: array<f32>;
@group(0) @binding(5) var<storage, read_write> y: array<f32>;
@group(0) @binding(6) var<storage, read> sel: array<u32>;
@group(0) @binding(7) var<uniform> p: P;
@compute @workgroup_size(8)
fn main(@builtin(local_invocation_index) r: u32, @builtin(workgroup_id) wg: vec3<u32>) {
 var first = wg.x * p.block;
 let end = min(p.block, p.n_group - first);
 var expert = 0u;
 if (p.by_expert == 1u) {
  expert = sel[wg.y];
  if (expert == NONE) {
   return;
  }
  expert = min(expert, p.n_expert - 1u);
 }
 let g = first + expert * p.n_group;
 let x0 = wg.y / p.x_slot_div * p.n_chunk * 8u;
 var sums = array<f32, MAX_BLOCK>();
 var square = 0.0;
 for (var c = 0u; c < p.n_chunk; c++) {
  let at = x0 + c * 8u;
  var v = Chunk(x[at], x[at + 1u], x[at + 2u], x[at + 3u], x[at + 4u], x[at + 5u], x[at + 6u], x[at + 7u]);
  if ((p.flags & NORM) != 0u) {
   square += chunk_dot(v, v);
   let w = c * 8u;
   v = chunk_mul(v, Chunk(norm[w], norm[w + 1u], norm[w + 2u], norm[w + 3u],
    norm[w + 4u], norm[w + 5u], norm[w + 6u], norm[w + 7u]));
  }
  let total = half_dots(v, ONES);
  for (var b = 0u; b < end; b++) {
   let w = coded(g + b, c, r);
   let halves = half_dots(w.q, v);
   sums[b] += w.s.x * halves.x + w.s.y * halves.y + w.s.z * total.x + w.s.w * total.y;
  }
 }
 let factor = select(1.0, inverseSqrt(square / f32(p.n_chunk * 32u) + p.eps), (p.flags & NORM) != 0u);
 let y0 = wg.y * p.y_stride + p.row0;
 if (p.glu == 1u) {
  for (var b = 0u; b < end; b += 2u) {
   let row = (first + b) * 4u + r;
   if (row < p.n_rows) {
    y[y0 + row] = activate(p.act, sums[b] * factor) * (sums[b + 1u] * factor);
   }
  }
  return;
 }
 for (var b = 0u; b < end; b++) {
  let row = (first + b) * 8u + r;
  if (row < p.n_rows) {
   store(sums[b] * factor, p.row0 + row, y0 + row);
  }
 }
}
",
    },
    Shader {
        name: "matmul_soft_f32_eight",
        kernel: "matmul_soft",
        workgroup_size: [8, 1, 1],
        bindings: &[
            Binding { index: 0, name: "wq", kind: BindingKind::Read, min_size: 16 },
            Binding { index: 1, name: "ws", kind: BindingKind::Read, min_size: 4 },
            Binding { index: 2, name: "x", kind: BindingKind::Read, min_size: 16 },
            Binding { index: 3, name: "step", kind: BindingKind::Read, min_size: 192 },
            Binding { index: 4, name: "bias", kind: BindingKind::Read, min_size: 4 },
            Binding { index: 5, name: "y", kind: BindingKind::ReadWrite, min_size: 4 },
            Binding { index: 6, name: "p", kind: BindingKind::Uniform, min_size: 68 },
        ],
        overrides: &[],
        needs: &[],
        workgroup_bytes: 0,
        uniform: &[
            UniformField { name: "n_chunk", offset: 0, size: 4 },
            UniformField { name: "n_unit", offset: 4, size: 4 },
            UniformField { name: "n_group", offset: 8, size: 4 },
            UniformField { name: "n_rows", offset: 12, size: 4 },
            UniformField { name: "row0", offset: 16, size: 4 },
            UniformField { name: "block", offset: 20, size: 4 },
            UniformField { name: "by_expert", offset: 24, size: 4 },
            UniformField { name: "n_expert", offset: 28, size: 4 },
            UniformField { name: "glu", offset: 32, size: 4 },
            UniformField { name: "x_slot_div", offset: 36, size: 4 },
            UniformField { name: "y_stride", offset: 40, size: 4 },
            UniformField { name: "count_from", offset: 44, size: 4 },
            UniformField { name: "max_rows", offset: 48, size: 4 },
            UniformField { name: "eps", offset: 52, size: 4 },
            UniformField { name: "act", offset: 56, size: 4 },
            UniformField { name: "flags", offset: 60, size: 4 },
            UniformField { name: "softcap", offset: 64, size: 4 },
        ],
        wgsl: r"struct Chunk {
 v0: vec4<f32>,
 v1: vec4<f32>,
 v2: vec4<f32>,
 v3: vec4<f32>,
 v4: vec4<f32>,
 v5: vec4<f32>,
 v6: vec4<f32>,
 v7: vec4<f32>,
}
struct Coded {
 q: Chunk,
 s: vec4<f32>,
}
fn quants(g: u32, c: u32, r: u32, n_word: u32, word: u32) -> vec4<u32> {
 return wq[((g * p.n_chunk + c) * n_word + word) * 8u + r];
}
fn as_stored(v: Chunk) -> Coded {
 return Coded(v, vec4<f32>(1.0, 1.0, 0.0, 0.0));
}
fn floats(g: u32, c: u32, r: u32, word: u32) -> vec4<f32> {
 return bitcast<vec4<f32>>(quants(g, c, r, 8u, word));
}
fn coded(g: u32, c: u32, r: u32) -> Coded {
 return as_stored(Chunk(floats(g, c, r, 0u), floats(g, c, r, 1u), floats(g, c, r, 2u), floats(g, c, r, 3u),
  floats(g, c, r, 4u), floats(g, c, r, 5u), floats(g, c, r, 6u), floats(g, c, r, 7u)));
}
const OFFSETS = false;
fn soft_tanh(v: f32) -> f32 {
 let e = exp(-2.0 * min(abs(v), 15.0));
 return sign(v) * ((1.0 - e) / (1.0 + e));
}
fn silu(v: f32) -> f32 {
 return v / (1.0 + exp(clamp(-v, -80.0, 80.0)));
}
fn gelu_tanh(v: f32) -> f32 {
 return 0.5 * v * (1.0 + soft_tanh(0.7978845608 * (v + 0.044715 * v * v * v)));
}
fn activate(kind: u32, v: f32) -> f32 {
 if (kind == 1u) {
  return silu(v);
 }
 if (kind == 2u) {
  return gelu_tanh(v);
 }
 return v;
}
const ADD = 1u;
const BIAS = 2u;
const SOFTCAP = 4u;
fn store(sum: f32, row: u32, at: u32) {
 var v = sum;
 if ((p.flags & BIAS) != 0u) {
  v += bias[row];
 }
 v = activate(p.act, v);
 if ((p.flags & SOFTCAP) != 0u) {
  v = p.softcap * soft_tanh(v / p.softcap);
 }
 if ((p.flags & ADD) != 0u) {
  v += y[at];
 }
 y[at] = v;
}
struct Row {
 token: u32,
 pos: u32,
 cell: u32,
 table: u32,
 base: u32,
 lo: u32,
 hi: u32,
 lo_swa: u32,
 tree: u32,
 ancestors_lo: u32,
 ancestors_hi: u32,
 seq: u32,
 mix_start: u32,
 mix_len: u32,
 reserved0: u32,
 reserved1: u32,
}
struct Step {
 n_rows: u32,
 n_want: u32,
 seed_lo: u32,
 seed_hi: u32,
 window: u32,
 n_out: u32,
 reserved: array<u32, 10>,
 want: array<u32, 16>,
 rows: array<Row>,
}
const MAX_BLOCK = 64u;
const ONE = vec4<f32>(1.0);
struct P {
 n_chunk: u32,
 n_unit: u32,
 n_group: u32,
 n_rows: u32,
 row0: u32,
 block: u32,
 by_expert: u32,
 n_expert: u32,
 glu: u32,
 x_slot_div: u32,
 y_stride: u32,
 count_from: u32,
 max_rows: u32,
 eps: f32,
 act: u32,
 flags: u32,
 softcap: f32,
}
@group(0) @binding(0) var<storage, read> wq: array<vec4<u32>>;
@group(0) @binding(1) var<storage, read> ws: array<u32>;
@group(0) @binding(2) var<storage, read> x: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read> step: Step;
@group(0) @binding(4) var<storage, read> bias: array<f32>;
@group(0) @binding(5) var<storage, read_write> y: array<f32>;
@group(0) @binding(6) var<uniform> p: P;
@compute @workgroup_size(8)
fn main(@builtin(local_invocation_index) r: u32, @builtin(workgroup_id) wg: vec3<u32>) {
 let n = min(select(step.n_rows, step.n_want, p.count_from == 1u), p.max_rows);
 let m0 = wg.y * 8u;
 if (m0 >= n) {
  return;
 }
 let wide = m0 + 4u < n;
 let n_column = select(4u, 8u, wide);
 let first = wg.x * p.block;
 let end = min(p.block, p.n_group - first);
 var sums = array<vec4<f32>, 2u * MAX_BLOCK>();
 var words = array<vec4<f32>, 64>();
 for (var c = 0u; c < p.n_chunk; c++) {
  for (var i = 0u; i < 8u * n_column; i++) {
   let m = i % n_column;
   let word = i / n_column;
   words[word * 8u + m] = x[(min(m0 + m, n - 1u) * p.n_chunk + c) * 8u + word];
  }
  var totals = array<vec4<f32>, 4>();
  if (OFFSETS) {
   for (var i = 0u; i < 8u; i++) {
    let w = 8u * i;
    totals[i / 4u] += ONE * mat4x4<f32>(words[w], words[w + 1u], words[w + 2u], words[w + 3u]);
    totals[2u + i / 4u] += ONE * mat4x4<f32>(words[w + 4u], words[w + 5u], words[w + 6u], words[w + 7u]);
   }
  }
  for (var b = 0u; b < end; b++) {
   let w = coded(first + b, c, r);
   let low = w.q.v0 * mat4x4<f32>(words[0], words[1], words[2], words[3])
    + w.q.v1 * mat4x4<f32>(words[8], words[9], words[10], words[11])
    + w.q.v2 * mat4x4<f32>(words[16], words[17], words[18], words[19])
    + w.q.v3 * mat4x4<f32>(words[24], words[25], words[26], words[27]);
   let high = w.q.v4 * mat4x4<f32>(words[32], words[33], words[34], words[35])
    + w.q.v5 * mat4x4<f32>(words[40], words[41], words[42], words[43])
    + w.q.v6 * mat4x4<f32>(words[48], words[49], words[50], words[51])
    + w.q.v7 * mat4x4<f32>(words[56], words[57], words[58], words[59]);
   sums[2u * b] += w.s.x * low + w.s.y * high + w.s.z * totals[0] + w.s.w * totals[1];
   if (wide) {
    let low = w.q.v0 * mat4x4<f32>(words[4], words[5], words[6], words[7])
     + w.q.v1 * mat4x4<f32>(words[12], words[13], words[14], words[15])
     + w.q.v2 * mat4x4<f32>(words[20], words[21], words[22], words[23])
     + w.q.v3 * mat4x4<f32>(words[28], words[29], words[30], words[31]);
    let high = w.q.v4 * mat4x4<f32>(words[36], words[37], words[38], words[39])
     + w.q.v5 * mat4x4<f32>(words[44], words[45], words[46], words[47])
     + w.q.v6 * mat4x4<f32>(words[52], words[53], words[54], words[55])
     + w.q.v7 * mat4x4<f32>(words[60], words[61], words[62], words[63]);
    sums[2u * b + 1u] += w.s.x * low + w.s.y * high + w.s.z * totals[2] + w.s.w * totals[3];
   }
  }
 }
 for (var b = 0u; b < end; b++) {
  let row = (first + b) * 8u + r;
  if (row < p.n_rows) {
   for (var m = m0; m < min(m0 + 8u, n); m++) {
    store(sums[2u * b + (m - m0) / 4u][m % 4u], p.row0 + row, m * p.y_stride + p.row0 + row);
   }
  }
 }
}
",
    },
    Shader {
        name: "matmul_soft_f32_one",
        kernel: "matmul_soft",
        workgroup_size: [8, 1, 1],
        bindings: &[
            Binding { index: 0, name: "wq", kind: BindingKind::Read, min_size: 16 },
            Binding { index: 1, name: "ws", kind: BindingKind::Read, min_size: 4 },
            Binding { index: 2, name: "x", kind: BindingKind::Read, min_size: 16 },
            Binding { index: 3, name: "norm", kind: BindingKind::Read, min_size: 16 },
            Binding { index: 4, name: "bias", kind: BindingKind::Read, min_size: 4 },
            Binding { index: 5, name: "y", kind: BindingKind::ReadWrite, min_size: 4 },
            Binding { index: 6, name: "sel", kind: BindingKind::Read, min_size: 4 },
            Binding { index: 7, name: "p", kind: BindingKind::Uniform, min_size: 68 },
        ],
        overrides: &[],
        needs: &[],
        workgroup_bytes: 0,
        uniform: &[
            UniformField { name: "n_chunk", offset: 0, size: 4 },
            UniformField { name: "n_unit", offset: 4, size: 4 },
            UniformField { name: "n_group", offset: 8, size: 4 },
            UniformField { name: "n_rows", offset: 12, size: 4 },
            UniformField { name: "row0", offset: 16, size: 4 },
            UniformField { name: "block", offset: 20, size: 4 },
            UniformField { name: "by_expert", offset: 24, size: 4 },
            UniformField { name: "n_expert", offset: 28, size: 4 },
            UniformField { name: "glu", offset: 32, size: 4 },
            UniformField { name: "x_slot_div", offset: 36, size: 4 },
            UniformField { name: "y_stride", offset: 40, size: 4 },
            UniformField { name: "count_from", offset: 44, size: 4 },
            UniformField { name: "max_rows", offset: 48, size: 4 },
            UniformField { name: "eps", offset: 52, size: 4 },
            UniformField { name: "act", offset: 56, size: 4 },
            UniformField { name: "flags", offset: 60, size: 4 },
            UniformField { name: "softcap", offset: 64, size: 4 },
        ],
        wgsl: r"struct Chunk {
 v0: vec4<f32>,
 v1: vec4<f32>,
 v2: vec4<f32>,
 v3: vec4<f32>,
 v4: vec4<f32>,
 v5: vec4<f32>,
 v6: vec4<f32>,
 v7: vec4<f32>,
}
struct Coded {
 q: Chunk,
 s: vec4<f32>,
}
fn chunk_dot(a: Chunk, b: Chunk) -> f32 {
 return dot(a.v0, b.v0) + dot(a.v1, b.v1) + dot(a.v2, b.v2) + dot(a.v3, b.v3)
  + dot(a.v4, b.v4) + dot(a.v5, b.v5) + dot(a.v6, b.v6) + dot(a.v7, b.v7);
}
fn chunk_mul(a: Chunk, b: Chunk) -> Chunk {
 return Chunk(a.v0 * b.v0, a.v1 * b.v1, a.v2 * b.v2, a.v3 * b.v3,
  a.v4 * b.v4, a.v5 * b.v5, a.v6 * b.v6, a.v7 * b.v7);
}
fn half_dots(a: Chunk, b: Chunk) -> vec2<f32> {
 return vec2<f32>(dot(a.v0, b.v0) + dot(a.v1, b.v1) + dot(a.v2, b.v2) + dot(a.v3, b.v3),
  dot(a.v4, b.v4) + dot(a.v5, b.v5) + dot(a.v6, b.v6) + dot(a.v7, b.v7));
}
fn quants(g: u32, c: u32, r: u32, n_word: u32, word: u32) -> vec4<u32> {
 return wq[((g * p.n_chunk + c) * n_word + word) * 8u + r];
}
fn as_stored(v: Chunk) -> Coded {
 return Coded(v, vec4<f32>(1.0, 1.0, 0.0, 0.0));
}
fn floats(g: u32, c: u32, r: u32, word: u32) -> vec4<f32> {
 return bitcast<vec4<f32>>(quants(g, c, r, 8u, word));
}
fn coded(g: u32, c: u32, r: u32) -> Coded {
 return as_stored(Chunk(floats(g, c, r, 0u), floats(g, c, r, 1u), floats(g, c, r, 2u), floats(g, c, r, 3u),
  floats(g, c, r, 4u), floats(g, c, r, 5u), floats(g, c, r, 6u), floats(g, c, r, 7u)));
}
fn soft_tanh(v: f32) -> f32 {
 let e = exp(-2.0 * min(abs(v), 15.0));
 return sign(v) * ((1.0 - e) / (1.0 + e));
}
fn silu(v: f32) -> f32 {
 return v / (1.0 + exp(clamp(-v, -80.0, 80.0)));
}
fn gelu_tanh(v: f32) -> f32 {
 return 0.5 * v * (1.0 + soft_tanh(0.7978845608 * (v + 0.044715 * v * v * v)));
}
fn activate(kind: u32, v: f32) -> f32 {
 if (kind == 1u) {
  return silu(v);
 }
 if (kind == 2u) {
  return gelu_tanh(v);
 }
 return v;
}
const ADD = 1u;
const BIAS = 2u;
const SOFTCAP = 4u;
fn store(sum: f32, row: u32, at: u32) {
 var v = sum;
 if ((p.flags & BIAS) != 0u) {
  v += bias[row];
 }
 v = activate(p.act, v);
 if ((p.flags & SOFTCAP) != 0u) {
  v = p.softcap * soft_tanh(v / p.softcap);
 }
 if ((p.flags & ADD) != 0u) {
  v += y[at];
 }
 y[at] = v;
}
const MAX_BLOCK = 64u;
const NONE = 0xffffffffu;
const NORM = 8u;
const ONE = vec4<f32>(1.0);
const ONES = Chunk(ONE, ONE, ONE, ONE, ONE, ONE, ONE, ONE);
struct P {
 n_chunk: u32,
 n_unit: u32,
 n_group: u32,
 n_rows: u32,
 row0: u32,
 block: u32,
 by_expert: u32,
 n_expert: u32,
 glu: u32,
 x_slot_div: u32,
 y_stride: u32,
 count_from: u32,
 max_rows: u32,
 eps: f32,
 act: u32,
 flags: u32,
 softcap: f32,
}
@group(0) @binding(0) var<storage, read> wq: array<vec4<u32>>;
@group(0) @binding(1) var<storage, read> ws: array<u32>;
@group(0) @binding(2) var<storage, read> x: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read> norm: array<vec4<f32>>;
@group(0) @binding(4) var<storage, read> bias: array<f32>;
@group(0) @binding(5) var<storage, read_write> y: array<f32>;
@group(0) @binding(6) var<storage, read> sel: array<u32>;
@group(0) @binding(7) var<uniform> p: P;
@compute @workgroup_size(8)
fn main(@builtin(local_invocation_index) r: u32, @builtin(workgroup_id) wg: vec3<u32>) {
 var first = wg.x * p.block;
 let end = min(p.block, p.n_group - first);
 var expert = 0u;
 if (p.by_expert == 1u) {
  expert = sel[wg.y];
  if (expert == NONE) {
   return;
  }
  expert = min(expert, p.n_expert - 1u);
 }
 let g = first + expert * p.n_group;
 let x0 = wg.y / p.x_slot_div * p.n_chunk * 8u;
 var sums = array<f32, MAX_BLOCK>();
 var square = 0.0;
 for (var c = 0u; c < p.n_chunk; c++) {
  let at = x0 + c * 8u;
  var v = Chunk(x[at], x[at + 1u], x[at + 2u], x[at + 3u], x[at + 4u], x[at + 5u], x[at + 6u], x[at + 7u]);
  if ((p.flags & NORM) != 0u) {
   square += chunk_dot(v, v);
   let w = c * 8u;
   v = chunk_mul(v, Chunk(norm[w], norm[w + 1u], norm[w + 2u], norm[w + 3u],
    norm[w + 4u], norm[w + 5u], norm[w + 6u], norm[w + 7u]));
  }
  let total = half_dots(v, ONES);
  for (var b = 0u; b < end; b++) {
   let w = coded(g + b, c, r);
   let halves = half_dots(w.q, v);
   sums[b] += w.s.x * halves.x + w.s.y * halves.y + w.s.z * total.x + w.s.w * total.y;
  }
 }
 let factor = select(1.0, inverseSqrt(square / f32(p.n_chunk * 32u) + p.eps), (p.flags & NORM) != 0u);
 let y0 = wg.y * p.y_stride + p.row0;
 if (p.glu == 1u) {
  for (var b = 0u; b < end; b += 2u) {
   let row = (first + b) * 4u + r;
   if (row < p.n_rows) {
    y[y0 + row] = activate(p.act, sums[b] * factor) * (sums[b + 1u] * factor);
   }
  }
  return;
 }
 for (var b = 0u; b < end; b++) {
  let row = (first + b) * 8u + r;
  if (row < p.n_rows) {
   store(sums[b] * factor, p.row0 + row, y0 + row);
  }
 }
}
",
    },
    Shader {
        name: "matmul_soft_iq4_eight",
        kernel: "matmul_soft",
        workgroup_size: [8, 1, 1],
        bindings: &[
            Binding { index: 0, name: "wq", kind: BindingKind::Read, min_size: 16 },
            Binding { index: 1, name: "ws", kind: BindingKind::Read, min_size: 4 },
            Binding { index: 2, name: "x", kind: BindingKind::Read, min_size: 16 },
            Binding { index: 3, name: "step", kind: BindingKind::Read, min_size: 192 },
            Binding { index: 4, name: "bias", kind: BindingKind::Read, min_size: 4 },
            Binding { index: 5, name: "y", kind: BindingKind::ReadWrite, min_size: 4 },
            Binding { index: 6, name: "p", kind: BindingKind::Uniform, min_size: 68 },
        ],
        overrides: &[],
        needs: &[],
        workgroup_bytes: 0,
        uniform: &[
            UniformField { name: "n_chunk", offset: 0, size: 4 },
            UniformField { name: "n_unit", offset: 4, size: 4 },
            UniformField { name: "n_group", offset: 8, size: 4 },
            UniformField { name: "n_rows", offset: 12, size: 4 },
            UniformField { name: "row0", offset: 16, size: 4 },
            UniformField { name: "block", offset: 20, size: 4 },
            UniformField { name: "by_expert", offset: 24, size: 4 },
            UniformField { name: "n_expert", offset: 28, size: 4 },
            UniformField { name: "glu", offset: 32, size: 4 },
            UniformField { name: "x_slot_div", offset: 36, size: 4 },
            UniformField { name: "y_stride", offset: 40, size: 4 },
            UniformField { name: "count_from", offset: 44, size: 4 },
            UniformField { name: "max_rows", offset: 48, size: 4 },
            UniformField { name: "eps", offset: 52, size: 4 },
            UniformField { name: "act", offset: 56, size: 4 },
            UniformField { name: "flags", offset: 60, size: 4 },
            UniformField { name: "softcap", offset: 64, size: 4 },
        ],
        wgsl: r"struct Chunk {
 v0: vec4<f32>,
 v1: vec4<f32>,
 v2: vec4<f32>,
 v3: vec4<f32>,
 v4: vec4<f32>,
 v5: vec4<f32>,
 v6: vec4<f32>,
 v7: vec4<f32>,
}
struct Coded {
 q: Chunk,
 s: vec4<f32>,
}
fn quants(g: u32, c: u32, r: u32, n_word: u32, word: u32) -> vec4<u32> {
 return wq[((g * p.n_chunk + c) * n_word + word) * 8u + r];
}
fn scale_word(g: u32, unit: u32, r: u32, n_word: u32, word: u32) -> u32 {
 return ws[((g * p.n_unit + unit) * n_word + word) * 8u + r];
}
fn nibbles(w: u32) -> vec4<u32> {
 return (vec4<u32>(w) >> vec4<u32>(0u, 8u, 16u, 24u)) & vec4<u32>(15u);
}
fn code(w: u32) -> vec4<f32> {
 let n = nibbles(w);
 let second = (n & vec4<u32>(4u)) != vec4<u32>(0u);
 let low = select(vec4<u32>(0xbfad9881u), vec4<u32>(0xf6eaddcfu), second);
 let high = select(vec4<u32>(0x26190d01u), vec4<u32>(0x71594535u), second);
 let word = select(low, high, n >= vec4<u32>(8u));
 let byte = word << (vec4<u32>(24u) - ((n & vec4<u32>(3u)) << vec4<u32>(3u)));
 return vec4<f32>(bitcast<vec4<i32>>(byte) >> vec4<u32>(24u));
}
fn coded(g: u32, c: u32, r: u32) -> Coded {
 let s = bitcast<f32>(scale_word(g, c, r, 1u, 0u));
 let q = quants(g, c, r, 1u, 0u);
 let h = q >> vec4<u32>(4u);
 let v = Chunk(code(q.x), code(q.y), code(q.z), code(q.w), code(h.x), code(h.y), code(h.z), code(h.w));
 return Coded(v, vec4<f32>(s, s, 0.0, 0.0));
}
const OFFSETS = false;
fn soft_tanh(v: f32) -> f32 {
 let e = exp(-2.0 * min(abs(v), 15.0));
 return sign(v) * ((1.0 - e) / (1.0 + e));
}
fn silu(v: f32) -> f32 {
 return v / (1.0 + exp(clamp(-v, -80.0, 80.0)));
}
fn gelu_tanh(v: f32) -> f32 {
 return 0.5 * v * (1.0 + soft_tanh(0.7978845608 * (v + 0.044715 * v * v * v)));
}
fn activate(kind: u32, v: f32) -> f32 {
 if (kind == 1u) {
  return silu(v);
 }
 if (kind == 2u) {
  return gelu_tanh(v);
 }
 return v;
}
const ADD = 1u;
const BIAS = 2u;
const SOFTCAP = 4u;
fn store(sum: f32, row: u32, at: u32) {
 var v = sum;
 if ((p.flags & BIAS) != 0u) {
  v += bias[row];
 }
 v = activate(p.act, v);
 if ((p.flags & SOFTCAP) != 0u) {
  v = p.softcap * soft_tanh(v / p.softcap);
 }
 if ((p.flags & ADD) != 0u) {
  v += y[at];
 }
 y[at] = v;
}
struct Row {
 token: u32,
 pos: u32,
 cell: u32,
 table: u32,
 base: u32,
 lo: u32,
 hi: u32,
 lo_swa: u32,
 tree: u32,
 ancestors_lo: u32,
 ancestors_hi: u32,
 seq: u32,
 mix_start: u32,
 mix_len: u32,
 reserved0: u32,
 reserved1: u32,
}
struct Step {
 n_rows: u32,
 n_want: u32,
 seed_lo: u32,
 seed_hi: u32,
 window: u32,
 n_out: u32,
 reserved: array<u32, 10>,
 want: array<u32, 16>,
 rows: array<Row>,
}
const MAX_BLOCK = 64u;
const ONE = vec4<f32>(1.0);
struct P {
 n_chunk: u32,
 n_unit: u32,
 n_group: u32,
 n_rows: u32,
 row0: u32,
 block: u32,
 by_expert: u32,
 n_expert: u32,
 glu: u32,
 x_slot_div: u32,
 y_stride: u32,
 count_from: u32,
 max_rows: u32,
 eps: f32,
 act: u32,
 flags: u32,
 softcap: f32,
}
@group(0) @binding(0) var<storage, read> wq: array<vec4<u32>>;
@group(0) @binding(1) var<storage, read> ws: array<u32>;
@group(0) @binding(2) var<storage, read> x: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read> step: Step;
@group(0) @binding(4) var<storage, read> bias: array<f32>;
@group(0) @binding(5) var<storage, read_write> y: array<f32>;
@group(0) @binding(6) var<uniform> p: P;
@compute @workgroup_size(8)
fn main(@builtin(local_invocation_index) r: u32, @builtin(workgroup_id) wg: vec3<u32>) {
 let n = min(select(step.n_rows, step.n_want, p.count_from == 1u), p.max_rows);
 let m0 = wg.y * 8u;
 if (m0 >= n) {
  return;
 }
 let wide = m0 + 4u < n;
 let n_column = select(4u, 8u, wide);
 let first = wg.x * p.block;
 let end = min(p.block, p.n_group - first);
 var sums = array<vec4<f32>, 2u * MAX_BLOCK>();
 var words = array<vec4<f32>, 64>();
 for (var c = 0u; c < p.n_chunk; c++) {
  for (var i = 0u; i < 8u * n_column; i++) {
   let m = i % n_column;
   let word = i / n_column;
   words[word * 8u + m] = x[(min(m0 + m, n - 1u) * p.n_chunk + c) * 8u + word];
  }
  var totals = array<vec4<f32>, 4>();
  if (OFFSETS) {
   for (var i = 0u; i < 8u; i++) {
    let w = 8u * i;
    totals[i / 4u] += ONE * mat4x4<f32>(words[w], words[w + 1u], words[w + 2u], words[w + 3u]);
    totals[2u + i / 4u] += ONE * mat4x4<f32>(words[w + 4u], words[w + 5u], words[w + 6u], words[w + 7u]);
   }
  }
  for (var b = 0u; b < end; b++) {
   let w = coded(first + b, c, r);
   let low = w.q.v0 * mat4x4<f32>(words[0], words[1], words[2], words[3])
    + w.q.v1 * mat4x4<f32>(words[8], words[9], words[10], words[11])
    + w.q.v2 * mat4x4<f32>(words[16], words[17], words[18], words[19])
    + w.q.v3 * mat4x4<f32>(words[24], words[25], words[26], words[27]);
   let high = w.q.v4 * mat4x4<f32>(words[32], words[33], words[34], words[35])
    + w.q.v5 * mat4x4<f32>(words[40], words[41], words[42], words[43])
    + w.q.v6 * mat4x4<f32>(words[48], words[49], words[50], words[51])
    + w.q.v7 * mat4x4<f32>(words[56], words[57], words[58], words[59]);
   sums[2u * b] += w.s.x * low + w.s.y * high + w.s.z * totals[0] + w.s.w * totals[1];
   if (wide) {
    let low = w.q.v0 * mat4x4<f32>(words[4], words[5], words[6], words[7])
     + w.q.v1 * mat4x4<f32>(words[12], words[13], words[14], words[15])
     + w.q.v2 * mat4x4<f32>(words[20], words[21], words[22], words[23])
     + w.q.v3 * mat4x4<f32>(words[28], words[29], words[30], words[31]);
    let high = w.q.v4 * mat4x4<f32>(words[36], words[37], words[38], words[39])
     + w.q.v5 * mat4x4<f32>(words[44], words[45], words[46], words[47])
     + w.q.v6 * mat4x4<f32>(words[52], words[53], words[54], words[55])
     + w.q.v7 * mat4x4<f32>(words[60], words[61], words[62], words[63]);
    sums[2u * b + 1u] += w.s.x * low + w.s.y * high + w.s.z * totals[2] + w.s.w * totals[3];
   }
  }
 }
 for (var b = 0u; b < end; b++) {
  let row = (first + b) * 8u + r;
  if (row < p.n_rows) {
   for (var m = m0; m < min(m0 + 8u, n); m++) {
    store(sums[2u * b + (m - m0) / 4u][m % 4u], p.row0 + row, m * p.y_stride + p.row0 + row);
   }
  }
 }
}
",
    },
    Shader {
        name: "matmul_soft_iq4_one",
        kernel: "matmul_soft",
        workgroup_size: [8, 1, 1],
        bindings: &[
            Binding { index: 0, name: "wq", kind: BindingKind::Read, min_size: 16 },
            Binding { index: 1, name: "ws", kind: BindingKind::Read, min_size: 4 },
            Binding { index: 2, name: "x", kind: BindingKind::Read, min_size: 16 },
            Binding { index: 3, name: "norm", kind: BindingKind::Read, min_size: 16 },
            Binding { index: 4, name: "bias", kind: BindingKind::Read, min_size: 4 },
            Binding { index: 5, name: "y", kind: BindingKind::ReadWrite, min_size: 4 },
            Binding { index: 6, name: "sel", kind: BindingKind::Read, min_size: 4 },
            Binding { index: 7, name: "p", kind: BindingKind::Uniform, min_size: 68 },
        ],
        overrides: &[],
        needs: &[],
        workgroup_bytes: 0,
        uniform: &[
            UniformField { name: "n_chunk", offset: 0, size: 4 },
            UniformField { name: "n_unit", offset: 4, size: 4 },
            UniformField { name: "n_group", offset: 8, size: 4 },
            UniformField { name: "n_rows", offset: 12, size: 4 },
            UniformField { name: "row0", offset: 16, size: 4 },
            UniformField { name: "block", offset: 20, size: 4 },
            UniformField { name: "by_expert", offset: 24, size: 4 },
            UniformField { name: "n_expert", offset: 28, size: 4 },
            UniformField { name: "glu", offset: 32, size: 4 },
            UniformField { name: "x_slot_div", offset: 36, size: 4 },
            UniformField { name: "y_stride", offset: 40, size: 4 },
            UniformField { name: "count_from", offset: 44, size: 4 },
            UniformField { name: "max_rows", offset: 48, size: 4 },
            UniformField { name: "eps", offset: 52, size: 4 },
            UniformField { name: "act", offset: 56, size: 4 },
            UniformField { name: "flags", offset: 60, size: 4 },
            UniformField { name: "softcap", offset: 64, size: 4 },
        ],
        wgsl: r"struct Chunk {
 v0: vec4<f32>,
 v1: vec4<f32>,
 v2: vec4<f32>,
 v3: vec4<f32>,
 v4: vec4<f32>,
 v5: vec4<f32>,
 v6: vec4<f32>,
 v7: vec4<f32>,
}
struct Coded {
 q: Chunk,
 s: vec4<f32>,
}
fn chunk_dot(a: Chunk, b: Chunk) -> f32 {
 return dot(a.v0, b.v0) + dot(a.v1, b.v1) + dot(a.v2, b.v2) + dot(a.v3, b.v3)
  + dot(a.v4, b.v4) + dot(a.v5, b.v5) + dot(a.v6, b.v6) + dot(a.v7, b.v7);
}
fn chunk_mul(a: Chunk, b: Chunk) -> Chunk {
 return Chunk(a.v0 * b.v0, a.v1 * b.v1, a.v2 * b.v2, a.v3 * b.v3,
  a.v4 * b.v4, a.v5 * b.v5, a.v6 * b.v6, a.v7 * b.v7);
}
fn half_dots(a: Chunk, b: Chunk) -> vec2<f32> {
 return vec2<f32>(dot(a.v0, b.v0) + dot(a.v1, b.v1) + dot(a.v2, b.v2) + dot(a.v3, b.v3),
  dot(a.v4, b.v4) + dot(a.v5, b.v5) + dot(a.v6, b.v6) + dot(a.v7, b.v7));
}
fn quants(g: u32, c: u32, r: u32, n_word: u32, word: u32) -> vec4<u32> {
 return wq[((g * p.n_chunk + c) * n_word + word) * 8u + r];
}
fn scale_word(g: u32, unit: u32, r: u32, n_word: u32, word: u32) -> u32 {
 return ws[((g * p.n_unit + unit) * n_word + word) * 8u + r];
}
fn nibbles(w: u32) -> vec4<u32> {
 return (vec4<u32>(w) >> vec4<u32>(0u, 8u, 16u, 24u)) & vec4<u32>(15u);
}
fn code(w: u32) -> vec4<f32> {
 let n = nibbles(w);
 let second = (n & vec4<u32>(4u)) != vec4<u32>(0u);
 let low = select(vec4<u32>(0xbfad9881u), vec4<u32>(0xf6eaddcfu), second);
 let high = select(vec4<u32>(0x26190d01u), vec4<u32>(0x71594535u), second);
 let word = select(low, high, n >= vec4<u32>(8u));
 let byte = word << (vec4<u32>(24u) - ((n & vec4<u32>(3u)) << vec4<u32>(3u)));
 return vec4<f32>(bitcast<vec4<i32>>(byte) >> vec4<u32>(24u));
}
fn coded(g: u32, c: u32, r: u32) -> Coded {
 let s = bitcast<f32>(scale_word(g, c, r, 1u, 0u));
 let q = quants(g, c, r, 1u, 0u);
 let h = q >> vec4<u32>(4u);
 let v = Chunk(code(q.x), code(q.y), code(q.z), code(q.w), code(h.x), code(h.y), code(h.z), code(h.w));
 return Coded(v, vec4<f32>(s, s, 0.0, 0.0));
}
fn soft_tanh(v: f32) -> f32 {
 let e = exp(-2.0 * min(abs(v), 15.0));
 return sign(v) * ((1.0 - e) / (1.0 + e));
}
fn silu(v: f32) -> f32 {
 return v / (1.0 + exp(clamp(-v, -80.0, 80.0)));
}
fn gelu_tanh(v: f32) -> f32 {
 return 0.5 * v * (1.0 + soft_tanh(0.7978845608 * (v + 0.044715 * v * v * v)));
}
fn activate(kind: u32, v: f32) -> f32 {
 if (kind == 1u) {
  return silu(v);
 }
 if (kind == 2u) {
  return gelu_tanh(v);
 }
 return v;
}
const ADD = 1u;
const BIAS = 2u;
const SOFTCAP = 4u;
fn store(sum: f32, row: u32, at: u32) {
 var v = sum;
 if ((p.flags & BIAS) != 0u) {
  v += bias[row];
 }
 v = activate(p.act, v);
 if ((p.flags & SOFTCAP) != 0u) {
  v = p.softcap * soft_tanh(v / p.softcap);
 }
 if ((p.flags & ADD) != 0u) {
  v += y[at];
 }
 y[at] = v;
}
const MAX_BLOCK = 64u;
const NONE = 0xffffffffu;
const NORM = 8u;
const ONE = vec4<f32>(1.0);
const ONES = Chunk(ONE, ONE, ONE, ONE, ONE, ONE, ONE, ONE);
struct P {
 n_chunk: u32,
 n_unit: u32,
 n_group: u32,
 n_rows: u32,
 row0: u32,
 block: u32,
 by_expert: u32,
 n_expert: u32,
 glu: u32,
 x_slot_div: u32,
 y_stride: u32,
 count_from: u32,
 max_rows: u32,
 eps: f32,
 act: u32,
 flags: u32,
 softcap: f32,
}
@group(0) @binding(0) var<storage, read> wq: array<vec4<u32>>;
@group(0) @binding(1) var<storage, read> ws: array<u32>;
@group(0) @binding(2) var<storage, read> x: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read> norm: array<vec4<f32>>;
@group(0) @binding(4) var<storage, read> bias: array<f32>;
@group(0) @binding(5) var<storage, read_write> y: array<f32>;
@group(0) @binding(6) var<storage, read> sel: array<u32>;
@group(0) @binding(7) var<uniform> p: P;
@compute @workgroup_size(8)
fn main(@builtin(local_invocation_index) r: u32, @builtin(workgroup_id) wg: vec3<u32>) {
 var first = wg.x * p.block;
 let end = min(p.block, p.n_group - first);
 var expert = 0u;
 if (p.by_expert == 1u) {
  expert = sel[wg.y];
  if (expert == NONE) {
   return;
  }
  expert = min(expert, p.n_expert - 1u);
 }
 let g = first + expert * p.n_group;
 let x0 = wg.y / p.x_slot_div * p.n_chunk * 8u;
 var sums = array<f32, MAX_BLOCK>();
 var square = 0.0;
 for (var c = 0u; c < p.n_chunk; c++) {
  let at = x0 + c * 8u;
  var v = Chunk(x[at], x[at + 1u], x[at + 2u], x[at + 3u], x[at + 4u], x[at + 5u], x[at + 6u], x[at + 7u]);
  if ((p.flags & NORM) != 0u) {
   square += chunk_dot(v, v);
   let w = c * 8u;
   v = chunk_mul(v, Chunk(norm[w], norm[w + 1u], norm[w + 2u], norm[w + 3u],
    norm[w + 4u], norm[w + 5u], norm[w + 6u], norm[w + 7u]));
  }
  let total = half_dots(v, ONES);
  for (var b = 0u; b < end; b++) {
   let w = coded(g + b, c, r);
   let halves = half_dots(w.q, v);
   sums[b] += w.s.x * halves.x + w.s.y * halves.y + w.s.z * total.x + w.s.w * total.y;
  }
 }
 let factor = select(1.0, inverseSqrt(square / f32(p.n_chunk * 32u) + p.eps), (p.flags & NORM) != 0u);
 let y0 = wg.y * p.y_stride + p.row0;
 if (p.glu == 1u) {
  for (var b = 0u; b < end; b += 2u) {
   let row = (first + b) * 4u + r;
   if (row < p.n_rows) {
    y[y0 + row] = activate(p.act, sums[b] * factor) * (sums[b + 1u] * factor);
   }
  }
  return;
 }
 for (var b = 0u; b < end; b++) {
  let row = (first + b) * 8u + r;
  if (row < p.n_rows) {
   store(sums[b] * factor, p.row0 + row, y0 + row);
  }
 }
}
",
    },
    Shader {
        name: "matmul_soft_mxfp4_eight",
        kernel: "matmul_soft",
        workgroup_size: [8, 1, 1],
        bindings: &[
            Binding { index: 0, name: "wq", kind: BindingKind::Read, min_size: 16 },
            Binding { index: 1, name: "ws", kind: BindingKind::Read, min_size: 4 },
            Binding { index: 2, name: "x", kind: BindingKind::Read, min_size: 16 },
            Binding { index: 3, name: "step", kind: BindingKind::Read, min_size: 192 },
            Binding { index: 4, name: "bias", kind: BindingKind::Read, min_size: 4 },
            Binding { index: 5, name: "y", kind: BindingKind::ReadWrite, min_size: 4 },
            Binding { index: 6, name: "p", kind: BindingKind::Uniform, min_size: 68 },
        ],
        overrides: &[],
        needs: &[],
        workgroup_bytes: 0,
        uniform: &[
            UniformField { name: "n_chunk", offset: 0, size: 4 },
            UniformField { name: "n_unit", offset: 4, size: 4 },
            UniformField { name: "n_group", offset: 8, size: 4 },
            UniformField { name: "n_rows", offset: 12, size: 4 },
            UniformField { name: "row0", offset: 16, size: 4 },
            UniformField { name: "block", offset: 20, size: 4 },
            UniformField { name: "by_expert", offset: 24, size: 4 },
            UniformField { name: "n_expert", offset: 28, size: 4 },
            UniformField { name: "glu", offset: 32, size: 4 },
            UniformField { name: "x_slot_div", offset: 36, size: 4 },
            UniformField { name: "y_stride", offset: 40, size: 4 },
            UniformField { name: "count_from", offset: 44, size: 4 },
            UniformField { name: "max_rows", offset: 48, size: 4 },
            UniformField { name: "eps", offset: 52, size: 4 },
            UniformField { name: "act", offset: 56, size: 4 },
            UniformField { name: "flags", offset: 60, size: 4 },
            UniformField { name: "softcap", offset: 64, size: 4 },
        ],
        wgsl: r"struct Chunk {
 v0: vec4<f32>,
 v1: vec4<f32>,
 v2: vec4<f32>,
 v3: vec4<f32>,
 v4: vec4<f32>,
 v5: vec4<f32>,
 v6: vec4<f32>,
 v7: vec4<f32>,
}
struct Coded {
 q: Chunk,
 s: vec4<f32>,
}
fn quants(g: u32, c: u32, r: u32, n_word: u32, word: u32) -> vec4<u32> {
 return wq[((g * p.n_chunk + c) * n_word + word) * 8u + r];
}
fn scale_word(g: u32, unit: u32, r: u32, n_word: u32, word: u32) -> u32 {
 return ws[((g * p.n_unit + unit) * n_word + word) * 8u + r];
}
fn nibbles(w: u32) -> vec4<u32> {
 return (vec4<u32>(w) >> vec4<u32>(0u, 8u, 16u, 24u)) & vec4<u32>(15u);
}
fn code(w: u32) -> vec4<f32> {
 let n = nibbles(w);
 let m = n & vec4<u32>(1u);
 let e = (n >> vec4<u32>(1u)) & vec4<u32>(3u);
 let normal = (vec4<u32>(2u) | m) << (max(e, vec4<u32>(1u)) - vec4<u32>(1u));
 let v = vec4<i32>(select(normal, m, e == vec4<u32>(0u)));
 return vec4<f32>(select(v, -v, n >= vec4<u32>(8u)));
}
fn coded(g: u32, c: u32, r: u32) -> Coded {
 let s = bitcast<f32>(scale_word(g, c, r, 1u, 0u));
 let q = quants(g, c, r, 1u, 0u);
 let h = q >> vec4<u32>(4u);
 let v = Chunk(code(q.x), code(q.y), code(q.z), code(q.w), code(h.x), code(h.y), code(h.z), code(h.w));
 return Coded(v, vec4<f32>(s, s, 0.0, 0.0));
}
const OFFSETS = false;
fn soft_tanh(v: f32) -> f32 {
 let e = exp(-2.0 * min(abs(v), 15.0));
 return sign(v) * ((1.0 - e) / (1.0 + e));
}
fn silu(v: f32) -> f32 {
 return v / (1.0 + exp(clamp(-v, -80.0, 80.0)));
}
fn gelu_tanh(v: f32) -> f32 {
 return 0.5 * v * (1.0 + soft_tanh(0.7978845608 * (v + 0.044715 * v * v * v)));
}
fn activate(kind: u32, v: f32) -> f32 {
 if (kind == 1u) {
  return silu(v);
 }
 if (kind == 2u) {
  return gelu_tanh(v);
 }
 return v;
}
const ADD = 1u;
const BIAS = 2u;
const SOFTCAP = 4u;
fn store(sum: f32, row: u32, at: u32) {
 var v = sum;
 if ((p.flags & BIAS) != 0u) {
  v += bias[row];
 }
 v = activate(p.act, v);
 if ((p.flags & SOFTCAP) != 0u) {
  v = p.softcap * soft_tanh(v / p.softcap);
 }
 if ((p.flags & ADD) != 0u) {
  v += y[at];
 }
 y[at] = v;
}
struct Row {
 token: u32,
 pos: u32,
 cell: u32,
 table: u32,
 base: u32,
 lo: u32,
 hi: u32,
 lo_swa: u32,
 tree: u32,
 ancestors_lo: u32,
 ancestors_hi: u32,
 seq: u32,
 mix_start: u32,
 mix_len: u32,
 reserved0: u32,
 reserved1: u32,
}
struct Step {
 n_rows: u32,
 n_want: u32,
 seed_lo: u32,
 seed_hi: u32,
 window: u32,
 n_out: u32,
 reserved: array<u32, 10>,
 want: array<u32, 16>,
 rows: array<Row>,
}
const MAX_BLOCK = 64u;
const ONE = vec4<f32>(1.0);
struct P {
 n_chunk: u32,
 n_unit: u32,
 n_group: u32,
 n_rows: u32,
 row0: u32,
 block: u32,
 by_expert: u32,
 n_expert: u32,
 glu: u32,
 x_slot_div: u32,
 y_stride: u32,
 count_from: u32,
 max_rows: u32,
 eps: f32,
 act: u32,
 flags: u32,
 softcap: f32,
}
@group(0) @binding(0) var<storage, read> wq: array<vec4<u32>>;
@group(0) @binding(1) var<storage, read> ws: array<u32>;
@group(0) @binding(2) var<storage, read> x: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read> step: Step;
@group(0) @binding(4) var<storage, read> bias: array<f32>;
@group(0) @binding(5) var<storage, read_write> y: array<f32>;
@group(0) @binding(6) var<uniform> p: P;
@compute @workgroup_size(8)
fn main(@builtin(local_invocation_index) r: u32, @builtin(workgroup_id) wg: vec3<u32>) {
 let n = min(select(step.n_rows, step.n_want, p.count_from == 1u), p.max_rows);
 let m0 = wg.y * 8u;
 if (m0 >= n) {
  return;
 }
 let wide = m0 + 4u < n;
 let n_column = select(4u, 8u, wide);
 let first = wg.x * p.block;
 let end = min(p.block, p.n_group - first);
 var sums = array<vec4<f32>, 2u * MAX_BLOCK>();
 var words = array<vec4<f32>, 64>();
 for (var c = 0u; c < p.n_chunk; c++) {
  for (var i = 0u; i < 8u * n_column; i++) {
   let m = i % n_column;
   let word = i / n_column;
   words[word * 8u + m] = x[(min(m0 + m, n - 1u) * p.n_chunk + c) * 8u + word];
  }
  var totals = array<vec4<f32>, 4>();
  if (OFFSETS) {
   for (var i = 0u; i < 8u; i++) {
    let w = 8u * i;
    totals[i / 4u] += ONE * mat4x4<f32>(words[w], words[w + 1u], words[w + 2u], words[w + 3u]);
    totals[2u + i / 4u] += ONE * mat4x4<f32>(words[w + 4u], words[w + 5u], words[w + 6u], words[w + 7u]);
   }
  }
  for (var b = 0u; b < end; b++) {
   let w = coded(first + b, c, r);
   let low = w.q.v0 * mat4x4<f32>(words[0], words[1], words[2], words[3])
    + w.q.v1 * mat4x4<f32>(words[8], words[9], words[10], words[11])
    + w.q.v2 * mat4x4<f32>(words[16], words[17], words[18], words[19])
    + w.q.v3 * mat4x4<f32>(words[24], words[25], words[26], words[27]);
   let high = w.q.v4 * mat4x4<f32>(words[32], words[33], words[34], words[35])
    + w.q.v5 * mat4x4<f32>(words[40], words[41], words[42], words[43])
    + w.q.v6 * mat4x4<f32>(words[48], words[49], words[50], words[51])
    + w.q.v7 * mat4x4<f32>(words[56], words[57], words[58], words[59]);
   sums[2u * b] += w.s.x * low + w.s.y * high + w.s.z * totals[0] + w.s.w * totals[1];
   if (wide) {
    let low = w.q.v0 * mat4x4<f32>(words[4], words[5], words[6], words[7])
     + w.q.v1 * mat4x4<f32>(words[12], words[13], words[14], words[15])
     + w.q.v2 * mat4x4<f32>(words[20], words[21], words[22], words[23])
     + w.q.v3 * mat4x4<f32>(words[28], words[29], words[30], words[31]);
    let high = w.q.v4 * mat4x4<f32>(words[36], words[37], words[38], words[39])
     + w.q.v5 * mat4x4<f32>(words[44], words[45], words[46], words[47])
     + w.q.v6 * mat4x4<f32>(words[52], words[53], words[54], words[55])
     + w.q.v7 * mat4x4<f32>(words[60], words[61], words[62], words[63]);
    sums[2u * b + 1u] += w.s.x * low + w.s.y * high + w.s.z * totals[2] + w.s.w * totals[3];
   }
  }
 }
 for (var b = 0u; b < end; b++) {
  let row = (first + b) * 8u + r;
  if (row < p.n_rows) {
   for (var m = m0; m < min(m0 + 8u, n); m++) {
    store(sums[2u * b + (m - m0) / 4u][m % 4u], p.row0 + row, m * p.y_stride + p.row0 + row);
   }
  }
 }
}
",
    },
    Shader {
        name: "matmul_soft_mxfp4_one",
        kernel: "matmul_soft",
        workgroup_size: [8, 1, 1],
        bindings: &[
            Binding { index: 0, name: "wq", kind: BindingKind::Read, min_size: 16 },
            Binding { index: 1, name: "ws", kind: BindingKind::Read, min_size: 4 },
            Binding { index: 2, name: "x", kind: BindingKind::Read, min_size: 16 },
            Binding { index: 3, name: "norm", kind: BindingKind::Read, min_size: 16 },
            Binding { index: 4, name: "bias", kind: BindingKind::Read, min_size: 4 },
            Binding { index: 5, name: "y", kind: BindingKind::ReadWrite, min_size: 4 },
            Binding { index: 6, name: "sel", kind: BindingKind::Read, min_size: 4 },
            Binding { index: 7, name: "p", kind: BindingKind::Uniform, min_size: 68 },
        ],
        overrides: &[],
        needs: &[],
        workgroup_bytes: 0,
        uniform: &[
            UniformField { name: "n_chunk", offset: 0, size: 4 },
            UniformField { name: "n_unit", offset: 4, size: 4 },
            UniformField { name: "n_group", offset: 8, size: 4 },
            UniformField { name: "n_rows", offset: 12, size: 4 },
            UniformField { name: "row0", offset: 16, size: 4 },
            UniformField { name: "block", offset: 20, size: 4 },
            UniformField { name: "by_expert", offset: 24, size: 4 },
            UniformField { name: "n_expert", offset: 28, size: 4 },
            UniformField { name: "glu", offset: 32, size: 4 },
            UniformField { name: "x_slot_div", offset: 36, size: 4 },
            UniformField { name: "y_stride", offset: 40, size: 4 },
            UniformField { name: "count_from", offset: 44, size: 4 },
            UniformField { name: "max_rows", offset: 48, size: 4 },
            UniformField { name: "eps", offset: 52, size: 4 },
            UniformField { name: "act", offset: 56, size: 4 },
            UniformField { name: "flags", offset: 60, size: 4 },
            UniformField { name: "softcap", offset: 64, size: 4 },
        ],
        wgsl: r"struct Chunk {
 v0: vec4<f32>,
 v1: vec4<f32>,
 v2: vec4<f32>,
 v3: vec4<f32>,
 v4: vec4<f32>,
 v5: vec4<f32>,
 v6: vec4<f32>,
 v7: vec4<f32>,
}
struct Coded {
 q: Chunk,
 s: vec4<f32>,
}
fn chunk_dot(a: Chunk, b: Chunk) -> f32 {
 return dot(a.v0, b.v0) + dot(a.v1, b.v1) + dot(a.v2, b.v2) + dot(a.v3, b.v3)
  + dot(a.v4, b.v4) + dot(a.v5, b.v5) + dot(a.v6, b.v6) + dot(a.v7, b.v7);
}
fn chunk_mul(a: Chunk, b: Chunk) -> Chunk {
 return Chunk(a.v0 * b.v0, a.v1 * b.v1, a.v2 * b.v2, a.v3 * b.v3,
  a.v4 * b.v4, a.v5 * b.v5, a.v6 * b.v6, a.v7 * b.v7);
}
fn half_dots(a: Chunk, b: Chunk) -> vec2<f32> {
 return vec2<f32>(dot(a.v0, b.v0) + dot(a.v1, b.v1) + dot(a.v2, b.v2) + dot(a.v3, b.v3),
  dot(a.v4, b.v4) + dot(a.v5, b.v5) + dot(a.v6, b.v6) + dot(a.v7, b.v7));
}
fn quants(g: u32, c: u32, r: u32, n_word: u32, word: u32) -> vec4<u32> {
 return wq[((g * p.n_chunk + c) * n_word + word) * 8u + r];
}
fn scale_word(g: u32, unit: u32, r: u32, n_word: u32, word: u32) -> u32 {
 return ws[((g * p.n_unit + unit) * n_word + word) * 8u + r];
}
fn nibbles(w: u32) -> vec4<u32> {
 return (vec4<u32>(w) >> vec4<u32>(0u, 8u, 16u, 24u)) & vec4<u32>(15u);
}
fn code(w: u32) -> vec4<f32> {
 let n = nibbles(w);
 let m = n & vec4<u32>(1u);
 let e = (n >> vec4<u32>(1u)) & vec4<u32>(3u);
 let normal = (vec4<u32>(2u) | m) << (max(e, vec4<u32>(1u)) - vec4<u32>(1u));
 let v = vec4<i32>(select(normal, m, e == vec4<u32>(0u)));
 return vec4<f32>(select(v, -v, n >= vec4<u32>(8u)));
}
fn coded(g: u32, c: u32, r: u32) -> Coded {
 let s = bitcast<f32>(scale_word(g, c, r, 1u, 0u));
 let q = quants(g, c, r, 1u, 0u);
 let h = q >> vec4<u32>(4u);
 let v = Chunk(code(q.x), code(q.y), code(q.z), code(q.w), code(h.x), code(h.y), code(h.z), code(h.w));
 return Coded(v, vec4<f32>(s, s, 0.0, 0.0));
}
fn soft_tanh(v: f32) -> f32 {
 let e = exp(-2.0 * min(abs(v), 15.0));
 return sign(v) * ((1.0 - e) / (1.0 + e));
}
fn silu(v: f32) -> f32 {
 return v / (1.0 + exp(clamp(-v, -80.0, 80.0)));
}
fn gelu_tanh(v: f32) -> f32 {
 return 0.5 * v * (1.0 + soft_tanh(0.7978845608 * (v + 0.044715 * v * v * v)));
}
fn activate(kind: u32, v: f32) -> f32 {
 if (kind == 1u) {
  return silu(v);
 }
 if (kind == 2u) {
  return gelu_tanh(v);
 }
 return v;
}
const ADD = 1u;
const BIAS = 2u;
const SOFTCAP = 4u;
fn store(sum: f32, row: u32, at: u32) {
 var v = sum;
 if ((p.flags & BIAS) != 0u) {
  v += bias[row];
 }
 v = activate(p.act, v);
 if ((p.flags & SOFTCAP) != 0u) {
  v = p.softcap * soft_tanh(v / p.softcap);
 }
 if ((p.flags & ADD) != 0u) {
  v += y[at];
 }
 y[at] = v;
}
const MAX_BLOCK = 64u;
const NONE = 0xffffffffu;
const NORM = 8u;
const ONE = vec4<f32>(1.0);
const ONES = Chunk(ONE, ONE, ONE, ONE, ONE, ONE, ONE, ONE);
struct P {
 n_chunk: u32,
 n_unit: u32,
 n_group: u32,
 n_rows: u32,
 row0: u32,
 block: u32,
 by_expert: u32,
 n_expert: u32,
 glu: u32,
 x_slot_div: u32,
 y_stride: u32,
 count_from: u32,
 max_rows: u32,
 eps: f32,
 act: u32,
 flags: u32,
 softcap: f32,
}
@group(0) @binding(0) var<storage, read> wq: array<vec4<u32>>;
@group(0) @binding(1) var<storage, read> ws: array<u32>;
@group(0) @binding(2) var<storage, read> x: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read> norm: array<vec4<f32>>;
@group(0) @binding(4) var<storage, read> bias: array<f32>;
@group(0) @binding(5) var<storage, read_write> y: array<f32>;
@group(0) @binding(6) var<storage, read> sel: array<u32>;
@group(0) @binding(7) var<uniform> p: P;
@compute @workgroup_size(8)
fn main(@builtin(local_invocation_index) r: u32, @builtin(workgroup_id) wg: vec3<u32>) {
 var first = wg.x * p.block;
 let end = min(p.block, p.n_group - first);
 var expert = 0u;
 if (p.by_expert == 1u) {
  expert = sel[wg.y];
  if (expert == NONE) {
   return;
  }
  expert = min(expert, p.n_expert - 1u);
 }
 let g = first + expert * p.n_group;
 let x0 = wg.y / p.x_slot_div * p.n_chunk * 8u;
 var sums = array<f32, MAX_BLOCK>();
 var square = 0.0;
 for (var c = 0u; c < p.n_chunk; c++) {
  let at = x0 + c * 8u;
  var v = Chunk(x[at], x[at + 1u], x[at + 2u], x[at + 3u], x[at + 4u], x[at + 5u], x[at + 6u], x[at + 7u]);
  if ((p.flags & NORM) != 0u) {
   square += chunk_dot(v, v);
   let w = c * 8u;
   v = chunk_mul(v, Chunk(norm[w], norm[w + 1u], norm[w + 2u], norm[w + 3u],
    norm[w + 4u], norm[w + 5u], norm[w + 6u], norm[w + 7u]));
  }
  let total = half_dots(v, ONES);
  for (var b = 0u; b < end; b++) {
   let w = coded(g + b, c, r);
   let halves = half_dots(w.q, v);
   sums[b] += w.s.x * halves.x + w.s.y * halves.y + w.s.z * total.x + w.s.w * total.y;
  }
 }
 let factor = select(1.0, inverseSqrt(square / f32(p.n_chunk * 32u) + p.eps), (p.flags & NORM) != 0u);
 let y0 = wg.y * p.y_stride + p.row0;
 if (p.glu == 1u) {
  for (var b = 0u; b < end; b += 2u) {
   let row = (first + b) * 4u + r;
   if (row < p.n_rows) {
    y[y0 + row] = activate(p.act, sums[b] * factor) * (sums[b + 1u] * factor);
   }
  }
  return;
 }
 for (var b = 0u; b < end; b++) {
  let row = (first + b) * 8u + r;
  if (row < p.n_rows) {
   store(sums[b] * factor, p.row0 + row, y0 + row);
  }
 }
}
",
    },
    Shader {
        name: "matmul_soft_q2k_eight",
        kernel: "matmul_soft",
        workgroup_size: [8, 1, 1],
        bindings: &[
            Binding { index: 0, name: "wq", kind: BindingKind::Read, min_size: 16 },
            Binding { index: 1, name: "ws", kind: BindingKind::Read, min_size: 4 },
            Binding { index: 2, name: "x", kind: BindingKind::Read, min_size: 16 },
            Binding { index: 3, name: "step", kind: BindingKind::Read, min_size: 192 },
            Binding { index: 4, name: "bias", kind: BindingKind::Read, min_size: 4 },
            Binding { index: 5, name: "y", kind: BindingKind::ReadWrite, min_size: 4 },
            Binding { index: 6, name: "p", kind: BindingKind::Uniform, min_size: 68 },
        ],
        overrides: &[],
        needs: &[],
        workgroup_bytes: 0,
        uniform: &[
            UniformField { name: "n_chunk", offset: 0, size: 4 },
            UniformField { name: "n_unit", offset: 4, size: 4 },
            UniformField { name: "n_group", offset: 8, size: 4 },
            UniformField { name: "n_rows", offset: 12, size: 4 },
            UniformField { name: "row0", offset: 16, size: 4 },
            UniformField { name: "block", offset: 20, size: 4 },
            UniformField { name: "by_expert", offset: 24, size: 4 },
            UniformField { name: "n_expert", offset: 28, size: 4 },
            UniformField { name: "glu", offset: 32, size: 4 },
            UniformField { name: "x_slot_div", offset: 36, size: 4 },
            UniformField { name: "y_stride", offset: 40, size: 4 },
            UniformField { name: "count_from", offset: 44, size: 4 },
            UniformField { name: "max_rows", offset: 48, size: 4 },
            UniformField { name: "eps", offset: 52, size: 4 },
            UniformField { name: "act", offset: 56, size: 4 },
            UniformField { name: "flags", offset: 60, size: 4 },
            UniformField { name: "softcap", offset: 64, size: 4 },
        ],
        wgsl: r"struct Chunk {
 v0: vec4<f32>,
 v1: vec4<f32>,
 v2: vec4<f32>,
 v3: vec4<f32>,
 v4: vec4<f32>,
 v5: vec4<f32>,
 v6: vec4<f32>,
 v7: vec4<f32>,
}
struct Coded {
 q: Chunk,
 s: vec4<f32>,
}
fn quants(g: u32, c: u32, r: u32, n_word: u32, word: u32) -> vec4<u32> {
 return wq[((g * p.n_chunk + c) * n_word + word) * 8u + r];
}
fn scale_word(g: u32, unit: u32, r: u32, n_word: u32, word: u32) -> u32 {
 return ws[((g * p.n_unit + unit) * n_word + word) * 8u + r];
}
fn nibbles(w: u32) -> vec4<u32> {
 return (vec4<u32>(w) >> vec4<u32>(0u, 8u, 16u, 24u)) & vec4<u32>(15u);
}
fn nibble_chunk(q: vec4<u32>) -> Chunk {
 let h = q >> vec4<u32>(4u);
 return Chunk(vec4<f32>(nibbles(q.x)), vec4<f32>(nibbles(q.y)), vec4<f32>(nibbles(q.z)), vec4<f32>(nibbles(q.w)),
  vec4<f32>(nibbles(h.x)), vec4<f32>(nibbles(h.y)), vec4<f32>(nibbles(h.z)), vec4<f32>(nibbles(h.w)));
}
fn half(h: u32) -> f32 {
 let m = h & 0x7fffu;
 let rebias = select(0x38000000u, 0x70000000u, m >= 0x7c00u);
 let v = select(bitcast<f32>((m << 13u) + rebias), f32(m) * 0x1p-24f, m < 0x400u);
 return bitcast<f32>(bitcast<u32>(v) | ((h & 0x8000u) << 16u));
}
fn half2(w: u32) -> vec2<f32> {
 return vec2<f32>(half(w & 0xffffu), half(w >> 16u));
}
fn byte_pair(g: u32, c: u32, r: u32, n_word: u32) -> u32 {
 return scale_word(g, c / 8u, r, n_word, 1u + (c % 8u) / 2u) >> (16u * (c % 2u));
}
fn coded(g: u32, c: u32, r: u32) -> Coded {
 let d = half2(scale_word(g, c / 8u, r, 5u, 0u));
 let f = vec4<u32>(byte_pair(g, c, r, 5u)) >> vec4<u32>(0u, 8u, 4u, 12u);
 let s = vec4<f32>(f & vec4<u32>(15u)) * vec4<f32>(d.x, d.x, -d.y, -d.y);
 return Coded(nibble_chunk(quants(g, c, r, 1u, 0u)), s);
}
const OFFSETS = true;
fn soft_tanh(v: f32) -> f32 {
 let e = exp(-2.0 * min(abs(v), 15.0));
 return sign(v) * ((1.0 - e) / (1.0 + e));
}
fn silu(v: f32) -> f32 {
 return v / (1.0 + exp(clamp(-v, -80.0, 80.0)));
}
fn gelu_tanh(v: f32) -> f32 {
 return 0.5 * v * (1.0 + soft_tanh(0.7978845608 * (v + 0.044715 * v * v * v)));
}
fn activate(kind: u32, v: f32) -> f32 {
 if (kind == 1u) {
  return silu(v);
 }
 if (kind == 2u) {
  return gelu_tanh(v);
 }
 return v;
}
const ADD = 1u;
const BIAS = 2u;
const SOFTCAP = 4u;
fn store(sum: f32, row: u32, at: u32) {
 var v = sum;
 if ((p.flags & BIAS) != 0u) {
  v += bias[row];
 }
 v = activate(p.act, v);
 if ((p.flags & SOFTCAP) != 0u) {
  v = p.softcap * soft_tanh(v / p.softcap);
 }
 if ((p.flags & ADD) != 0u) {
  v += y[at];
 }
 y[at] = v;
}
struct Row {
 token: u32,
 pos: u32,
 cell: u32,
 table: u32,
 base: u32,
 lo: u32,
 hi: u32,
 lo_swa: u32,
 tree: u32,
 ancestors_lo: u32,
 ancestors_hi: u32,
 seq: u32,
 mix_start: u32,
 mix_len: u32,
 reserved0: u32,
 reserved1: u32,
}
struct Step {
 n_rows: u32,
 n_want: u32,
 seed_lo: u32,
 seed_hi: u32,
 window: u32,
 n_out: u32,
 reserved: array<u32, 10>,
 want: array<u32, 16>,
 rows: array<Row>,
}
const MAX_BLOCK = 64u;
const ONE = vec4<f32>(1.0);
struct P {
 n_chunk: u32,
 n_unit: u32,
 n_group: u32,
 n_rows: u32,
 row0: u32,
 block: u32,
 by_expert: u32,
 n_expert: u32,
 glu: u32,
 x_slot_div: u32,
 y_stride: u32,
 count_from: u32,
 max_rows: u32,
 eps: f32,
 act: u32,
 flags: u32,
 softcap: f32,
}
@group(0) @binding(0) var<storage, read> wq: array<vec4<u32>>;
@group(0) @binding(1) var<storage, read> ws: array<u32>;
@group(0) @binding(2) var<storage, read> x: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read> step: Step;
@group(0) @binding(4) var<storage, read> bias: array<f32>;
@group(0) @binding(5) var<storage, read_write> y: array<f32>;
@group(0) @binding(6) var<uniform> p: P;
@compute @workgroup_size(8)
fn main(@builtin(local_invocation_index) r: u32, @builtin(workgroup_id) wg: vec3<u32>) {
 let n = min(select(step.n_rows, step.n_want, p.count_from == 1u), p.max_rows);
 let m0 = wg.y * 8u;
 if (m0 >= n) {
  return;
 }
 let wide = m0 + 4u < n;
 let n_column = select(4u, 8u, wide);
 let first = wg.x * p.block;
 let end = min(p.block, p.n_group - first);
 var sums = array<vec4<f32>, 2u * MAX_BLOCK>();
 var words = array<vec4<f32>, 64>();
 for (var c = 0u; c < p.n_chunk; c++) {
  for (var i = 0u; i < 8u * n_column; i++) {
   let m = i % n_column;
   let word = i / n_column;
   words[word * 8u + m] = x[(min(m0 + m, n - 1u) * p.n_chunk + c) * 8u + word];
  }
  var totals = array<vec4<f32>, 4>();
  if (OFFSETS) {
   for (var i = 0u; i < 8u; i++) {
    let w = 8u * i;
    totals[i / 4u] += ONE * mat4x4<f32>(words[w], words[w + 1u], words[w + 2u], words[w + 3u]);
    totals[2u + i / 4u] += ONE * mat4x4<f32>(words[w + 4u], words[w + 5u], words[w + 6u], words[w + 7u]);
   }
  }
  for (var b = 0u; b < end; b++) {
   let w = coded(first + b, c, r);
   let low = w.q.v0 * mat4x4<f32>(words[0], words[1], words[2], words[3])
    + w.q.v1 * mat4x4<f32>(words[8], words[9], words[10], words[11])
    + w.q.v2 * mat4x4<f32>(words[16], words[17], words[18], words[19])
    + w.q.v3 * mat4x4<f32>(words[24], words[25], words[26], words[27]);
   let high = w.q.v4 * mat4x4<f32>(words[32], words[33], words[34], words[35])
    + w.q.v5 * mat4x4<f32>(words[40], words[41], words[42], words[43])
    + w.q.v6 * mat4x4<f32>(words[48], words[49], words[50], words[51])
    + w.q.v7 * mat4x4<f32>(words[56], words[57], words[58], words[59]);
   sums[2u * b] += w.s.x * low + w.s.y * high + w.s.z * totals[0] + w.s.w * totals[1];
   if (wide) {
    let low = w.q.v0 * mat4x4<f32>(words[4], words[5], words[6], words[7])
     + w.q.v1 * mat4x4<f32>(words[12], words[13], words[14], words[15])
     + w.q.v2 * mat4x4<f32>(words[20], words[21], words[22], words[23])
     + w.q.v3 * mat4x4<f32>(words[28], words[29], words[30], words[31]);
    let high = w.q.v4 * mat4x4<f32>(words[36], words[37], words[38], words[39])
     + w.q.v5 * mat4x4<f32>(words[44], words[45], words[46], words[47])
     + w.q.v6 * mat4x4<f32>(words[52], words[53], words[54], words[55])
     + w.q.v7 * mat4x4<f32>(words[60], words[61], words[62], words[63]);
    sums[2u * b + 1u] += w.s.x * low + w.s.y * high + w.s.z * totals[2] + w.s.w * totals[3];
   }
  }
 }
 for (var b = 0u; b < end; b++) {
  let row = (first + b) * 8u + r;
  if (row < p.n_rows) {
   for (var m = m0; m < min(m0 + 8u, n); m++) {
    store(sums[2u * b + (m - m0) / 4u][m % 4u], p.row0 + row, m * p.y_stride + p.row0 + row);
   }
  }
 }
}
",
    },
    Shader {
        name: "matmul_soft_q2k_one",
        kernel: "matmul_soft",
        workgroup_size: [8, 1, 1],
        bindings: &[
            Binding { index: 0, name: "wq", kind: BindingKind::Read, min_size: 16 },
            Binding { index: 1, name: "ws", kind: BindingKind::Read, min_size: 4 },
            Binding { index: 2, name: "x", kind: BindingKind::Read, min_size: 16 },
            Binding { index: 3, name: "norm", kind: BindingKind::Read, min_size: 16 },
            Binding { index: 4, name: "bias", kind: BindingKind::Read, min_size: 4 },
            Binding { index: 5, name: "y", kind: BindingKind::ReadWrite, min_size: 4 },
            Binding { index: 6, name: "sel", kind: BindingKind::Read, min_size: 4 },
            Binding { index: 7, name: "p", kind: BindingKind::Uniform, min_size: 68 },
        ],
        overrides: &[],
        needs: &[],
        workgroup_bytes: 0,
        uniform: &[
            UniformField { name: "n_chunk", offset: 0, size: 4 },
            UniformField { name: "n_unit", offset: 4, size: 4 },
            UniformField { name: "n_group", offset: 8, size: 4 },
            UniformField { name: "n_rows", offset: 12, size: 4 },
            UniformField { name: "row0", offset: 16, size: 4 },
            UniformField { name: "block", offset: 20, size: 4 },
            UniformField { name: "by_expert", offset: 24, size: 4 },
            UniformField { name: "n_expert", offset: 28, size: 4 },
            UniformField { name: "glu", offset: 32, size: 4 },
            UniformField { name: "x_slot_div", offset: 36, size: 4 },
            UniformField { name: "y_stride", offset: 40, size: 4 },
            UniformField { name: "count_from", offset: 44, size: 4 },
            UniformField { name: "max_rows", offset: 48, size: 4 },
            UniformField { name: "eps", offset: 52, size: 4 },
            UniformField { name: "act", offset: 56, size: 4 },
            UniformField { name: "flags", offset: 60, size: 4 },
            UniformField { name: "softcap", offset: 64, size: 4 },
        ],
        wgsl: r"struct Chunk {
 v0: vec4<f32>,
 v1: vec4<f32>,
 v2: vec4<f32>,
 v3: vec4<f32>,
 v4: vec4<f32>,
 v5: vec4<f32>,
 v6: vec4<f32>,
 v7: vec4<f32>,
}
struct Coded {
 q: Chunk,
 s: vec4<f32>,
}
fn chunk_dot(a: Chunk, b: Chunk) -> f32 {
 return dot(a.v0, b.v0) + dot(a.v1, b.v1) + dot(a.v2, b.v2) + dot(a.v3, b.v3)
  + dot(a.v4, b.v4) + dot(a.v5, b.v5) + dot(a.v6, b.v6) + dot(a.v7, b.v7);
}
fn chunk_mul(a: Chunk, b: Chunk) -> Chunk {
 return Chunk(a.v0 * b.v0, a.v1 * b.v1, a.v2 * b.v2, a.v3 * b.v3,
  a.v4 * b.v4, a.v5 * b.v5, a.v6 * b.v6, a.v7 * b.v7);
}
fn half_dots(a: Chunk, b: Chunk) -> vec2<f32> {
 return vec2<f32>(dot(a.v0, b.v0) + dot(a.v1, b.v1) + dot(a.v2, b.v2) + dot(a.v3, b.v3),
  dot(a.v4, b.v4) + dot(a.v5, b.v5) + dot(a.v6, b.v6) + dot(a.v7, b.v7));
}
fn quants(g: u32, c: u32, r: u32, n_word: u32, word: u32) -> vec4<u32> {
 return wq[((g * p.n_chunk + c) * n_word + word) * 8u + r];
}
fn scale_word(g: u32, unit: u32, r: u32, n_word: u32, word: u32) -> u32 {
 return ws[((g * p.n_unit + unit) * n_word + word) * 8u + r];
}
fn nibbles(w: u32) -> vec4<u32> {
 return (vec4<u32>(w) >> vec4<u32>(0u, 8u, 16u, 24u)) & vec4<u32>(15u);
}
fn nibble_chunk(q: vec4<u32>) -> Chunk {
 let h = q >> vec4<u32>(4u);
 return Chunk(vec4<f32>(nibbles(q.x)), vec4<f32>(nibbles(q.y)), vec4<f32>(nibbles(q.z)), vec4<f32>(nibbles(q.w)),
  vec4<f32>(nibbles(h.x)), vec4<f32>(nibbles(h.y)), vec4<f32>(nibbles(h.z)), vec4<f32>(nibbles(h.w)));
}
fn half(h: u32) -> f32 {
 let m = h & 0x7fffu;
 let rebias = select(0x38000000u, 0x70000000u, m >= 0x7c00u);
 let v = select(bitcast<f32>((m << 13u) + rebias), f32(m) * 0x1p-24f, m < 0x400u);
 return bitcast<f32>(bitcast<u32>(v) | ((h & 0x8000u) << 16u));
}
fn half2(w: u32) -> vec2<f32> {
 return vec2<f32>(half(w & 0xffffu), half(w >> 16u));
}
fn byte_pair(g: u32, c: u32, r: u32, n_word: u32) -> u32 {
 return scale_word(g, c / 8u, r, n_word, 1u + (c % 8u) / 2u) >> (16u * (c % 2u));
}
fn coded(g: u32, c: u32, r: u32) -> Coded {
 let d = half2(scale_word(g, c / 8u, r, 5u, 0u));
 let f = vec4<u32>(byte_pair(g, c, r, 5u)) >> vec4<u32>(0u, 8u, 4u, 12u);
 let s = vec4<f32>(f & vec4<u32>(15u)) * vec4<f32>(d.x, d.x, -d.y, -d.y);
 return Coded(nibble_chunk(quants(g, c, r, 1u, 0u)), s);
}
fn soft_tanh(v: f32) -> f32 {
 let e = exp(-2.0 * min(abs(v), 15.0));
 return sign(v) * ((1.0 - e) / (1.0 + e));
}
fn silu(v: f32) -> f32 {
 return v / (1.0 + exp(clamp(-v, -80.0, 80.0)));
}
fn gelu_tanh(v: f32) -> f32 {
 return 0.5 * v * (1.0 + soft_tanh(0.7978845608 * (v + 0.044715 * v * v * v)));
}
fn activate(kind: u32, v: f32) -> f32 {
 if (kind == 1u) {
  return silu(v);
 }
 if (kind == 2u) {
  return gelu_tanh(v);
 }
 return v;
}
const ADD = 1u;
const BIAS = 2u;
const SOFTCAP = 4u;
fn store(sum: f32, row: u32, at: u32) {
 var v = sum;
 if ((p.flags & BIAS) != 0u) {
  v += bias[row];
 }
 v = activate(p.act, v);
 if ((p.flags & SOFTCAP) != 0u) {
  v = p.softcap * soft_tanh(v / p.softcap);
 }
 if ((p.flags & ADD) != 0u) {
  v += y[at];
 }
 y[at] = v;
}
const MAX_BLOCK = 64u;
const NONE = 0xffffffffu;
const NORM = 8u;
const ONE = vec4<f32>(1.0);
const ONES = Chunk(ONE, ONE, ONE, ONE, ONE, ONE, ONE, ONE);
struct P {
 n_chunk: u32,
 n_unit: u32,
 n_group: u32,
 n_rows: u32,
 row0: u32,
 block: u32,
 by_expert: u32,
 n_expert: u32,
 glu: u32,
 x_slot_div: u32,
 y_stride: u32,
 count_from: u32,
 max_rows: u32,
 eps: f32,
 act: u32,
 flags: u32,
 softcap: f32,
}
@group(0) @binding(0) var<storage, read> wq: array<vec4<u32>>;
@group(0) @binding(1) var<storage, read> ws: array<u32>;
@group(0) @binding(2) var<storage, read> x: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read> norm: array<vec4<f32>>;
@group(0) @binding(4) var<storage, read> bias: array<f32>;
@group(0) @binding(5) var<storage, read_write> y: array<f32>;
@group(0) @binding(6) var<storage, read> sel: array<u32>;
@group(0) @binding(7) var<uniform> p: P;
@compute @workgroup_size(8)
fn main(@builtin(local_invocation_index) r: u32, @builtin(workgroup_id) wg: vec3<u32>) {
 var first = wg.x * p.block;
 let end = min(p.block, p.n_group - first);
 var expert = 0u;
 if (p.by_expert == 1u) {
  expert = sel[wg.y];
  if (expert == NONE) {
   return;
  }
  expert = min(expert, p.n_expert - 1u);
 }
 let g = first + expert * p.n_group;
 let x0 = wg.y / p.x_slot_div * p.n_chunk * 8u;
 var sums = array<f32, MAX_BLOCK>();
 var square = 0.0;
 for (var c = 0u; c < p.n_chunk; c++) {
  let at = x0 + c * 8u;
  var v = Chunk(x[at], x[at + 1u], x[at + 2u], x[at + 3u], x[at + 4u], x[at + 5u], x[at + 6u], x[at + 7u]);
  if ((p.flags & NORM) != 0u) {
   square += chunk_dot(v, v);
   let w = c * 8u;
   v = chunk_mul(v, Chunk(norm[w], norm[w + 1u], norm[w + 2u], norm[w + 3u],
    norm[w + 4u], norm[w + 5u], norm[w + 6u], norm[w + 7u]));
  }
  let total = half_dots(v, ONES);
  for (var b = 0u; b < end; b++) {
   let w = coded(g + b, c, r);
   let halves = half_dots(w.q, v);
   sums[b] += w.s.x * halves.x + w.s.y * halves.y + w.s.z * total.x + w.s.w * total.y;
  }
 }
 let factor = select(1.0, inverseSqrt(square / f32(p.n_chunk * 32u) + p.eps), (p.flags & NORM) != 0u);
 let y0 = wg.y * p.y_stride + p.row0;
 if (p.glu == 1u) {
  for (var b = 0u; b < end; b += 2u) {
   let row = (first + b) * 4u + r;
   if (row < p.n_rows) {
    y[y0 + row] = activate(p.act, sums[b] * factor) * (sums[b + 1u] * factor);
   }
  }
  return;
 }
 for (var b = 0u; b < end; b++) {
  let row = (first + b) * 8u + r;
  if (row < p.n_rows) {
   store(sums[b] * factor, p.row0 + row, y0 + row);
  }
 }
}
",
    },
    Shader {
        name: "matmul_soft_q3k_eight",
        kernel: "matmul_soft",
        workgroup_size: [8, 1, 1],
        bindings: &[
            Binding { index: 0, name: "wq", kind: BindingKind::Read, min_size: 16 },
            Binding { index: 1, name: "ws", kind: BindingKind::Read, min_size: 4 },
            Binding { index: 2, name: "x", kind: BindingKind::Read, min_size: 16 },
            Binding { index: 3, name: "step", kind: BindingKind::Read, min_size: 192 },
            Binding { index: 4, name: "bias", kind: BindingKind::Read, min_size: 4 },
            Binding { index: 5, name: "y", kind: BindingKind::ReadWrite, min_size: 4 },
            Binding { index: 6, name: "p", kind: BindingKind::Uniform, min_size: 68 },
        ],
        overrides: &[],
        needs: &[],
        workgroup_bytes: 0,
        uniform: &[
            UniformField { name: "n_chunk", offset: 0, size: 4 },
            UniformField { name: "n_unit", offset: 4, size: 4 },
            UniformField { name: "n_group", offset: 8, size: 4 },
            UniformField { name: "n_rows", offset: 12, size: 4 },
            UniformField { name: "row0", offset: 16, size: 4 },
            UniformField { name: "block", offset: 20, size: 4 },
            UniformField { name: "by_expert", offset: 24, size: 4 },
            UniformField { name: "n_expert", offset: 28, size: 4 },
            UniformField { name: "glu", offset: 32, size: 4 },
            UniformField { name: "x_slot_div", offset: 36, size: 4 },
            UniformField { name: "y_stride", offset: 40, size: 4 },
            UniformField { name: "count_from", offset: 44, size: 4 },
            UniformField { name: "max_rows", offset: 48, size: 4 },
            UniformField { name: "eps", offset: 52, size: 4 },
            UniformField { name: "act", offset: 56, size: 4 },
            UniformField { name: "flags", offset: 60, size: 4 },
            UniformField { name: "softcap", offset: 64, size: 4 },
        ],
        wgsl: r"struct Chunk {
 v0: vec4<f32>,
 v1: vec4<f32>,
 v2: vec4<f32>,
 v3: vec4<f32>,
 v4: vec4<f32>,
 v5: vec4<f32>,
 v6: vec4<f32>,
 v7: vec4<f32>,
}
struct Coded {
 q: Chunk,
 s: vec4<f32>,
}
fn quants(g: u32, c: u32, r: u32, n_word: u32, word: u32) -> vec4<u32> {
 return wq[((g * p.n_chunk + c) * n_word + word) * 8u + r];
}
fn scale_word(g: u32, unit: u32, r: u32, n_word: u32, word: u32) -> u32 {
 return ws[((g * p.n_unit + unit) * n_word + word) * 8u + r];
}
fn nibbles(w: u32) -> vec4<u32> {
 return (vec4<u32>(w) >> vec4<u32>(0u, 8u, 16u, 24u)) & vec4<u32>(15u);
}
fn signed_byte(b: u32) -> f32 {
 return f32(bitcast<i32>(b << 24u) >> 24u);
}
fn half(h: u32) -> f32 {
 let m = h & 0x7fffu;
 let rebias = select(0x38000000u, 0x70000000u, m >= 0x7c00u);
 let v = select(bitcast<f32>((m << 13u) + rebias), f32(m) * 0x1p-24f, m < 0x400u);
 return bitcast<f32>(bitcast<u32>(v) | ((h & 0x8000u) << 16u));
}
fn byte_pair(g: u32, c: u32, r: u32, n_word: u32) -> u32 {
 return scale_word(g, c / 8u, r, n_word, 1u + (c % 8u) / 2u) >> (16u * (c % 2u));
}
fn centred(q: vec4<u32>, middle: i32) -> vec4<f32> {
 return vec4<f32>(vec4<i32>(q) - vec4<i32>(middle));
}
fn coded(g: u32, c: u32, r: u32) -> Coded {
 let d = half(scale_word(g, c / 8u, r, 5u, 0u) & 0xffffu);
 let f = byte_pair(g, c, r, 5u);
 let q = quants(g, c, r, 1u, 0u);
 let h = q >> vec4<u32>(4u);
 let v = Chunk(centred(nibbles(q.x), 4), centred(nibbles(q.y), 4), centred(nibbles(q.z), 4), centred(nibbles(q.w), 4),
  centred(nibbles(h.x), 4), centred(nibbles(h.y), 4), centred(nibbles(h.z), 4), centred(nibbles(h.w), 4));
 return Coded(v, vec4<f32>(d * signed_byte(f), d * signed_byte(f >> 8u), 0.0, 0.0));
}
const OFFSETS = false;
fn soft_tanh(v: f32) -> f32 {
 let e = exp(-2.0 * min(abs(v), 15.0));
 return sign(v) * ((1.0 - e) / (1.0 + e));
}
fn silu(v: f32) -> f32 {
 return v / (1.0 + exp(clamp(-v, -80.0, 80.0)));
}
fn gelu_tanh(v: f32) -> f32 {
 return 0.5 * v * (1.0 + soft_tanh(0.7978845608 * (v + 0.044715 * v * v * v)));
}
fn activate(kind: u32, v: f32) -> f32 {
 if (kind == 1u) {
  return silu(v);
 }
 if (kind == 2u) {
  return gelu_tanh(v);
 }
 return v;
}
const ADD = 1u;
const BIAS = 2u;
const SOFTCAP = 4u;
fn store(sum: f32, row: u32, at: u32) {
 var v = sum;
 if ((p.flags & BIAS) != 0u) {
  v += bias[row];
 }
 v = activate(p.act, v);
 if ((p.flags & SOFTCAP) != 0u) {
  v = p.softcap * soft_tanh(v / p.softcap);
 }
 if ((p.flags & ADD) != 0u) {
  v += y[at];
 }
 y[at] = v;
}
struct Row {
 token: u32,
 pos: u32,
 cell: u32,
 table: u32,
 base: u32,
 lo: u32,
 hi: u32,
 lo_swa: u32,
 tree: u32,
 ancestors_lo: u32,
 ancestors_hi: u32,
 seq: u32,
 mix_start: u32,
 mix_len: u32,
 reserved0: u32,
 reserved1: u32,
}
struct Step {
 n_rows: u32,
 n_want: u32,
 seed_lo: u32,
 seed_hi: u32,
 window: u32,
 n_out: u32,
 reserved: array<u32, 10>,
 want: array<u32, 16>,
 rows: array<Row>,
}
const MAX_BLOCK = 64u;
const ONE = vec4<f32>(1.0);
struct P {
 n_chunk: u32,
 n_unit: u32,
 n_group: u32,
 n_rows: u32,
 row0: u32,
 block: u32,
 by_expert: u32,
 n_expert: u32,
 glu: u32,
 x_slot_div: u32,
 y_stride: u32,
 count_from: u32,
 max_rows: u32,
 eps: f32,
 act: u32,
 flags: u32,
 softcap: f32,
}
@group(0) @binding(0) var<storage, read> wq: array<vec4<u32>>;
@group(0) @binding(1) var<storage, read> ws: array<u32>;
@group(0) @binding(2) var<storage, read> x: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read> step: Step;
@group(0) @binding(4) var<storage, read> bias: array<f32>;
@group(0) @binding(5) var<storage, read_write> y: array<f32>;
@group(0) @binding(6) var<uniform> p: P;
@compute @workgroup_size(8)
fn main(@builtin(local_invocation_index) r: u32, @builtin(workgroup_id) wg: vec3<u32>) {
 let n = min(select(step.n_rows, step.n_want, p.count_from == 1u), p.max_rows);
 let m0 = wg.y * 8u;
 if (m0 >= n) {
  return;
 }
 let wide = m0 + 4u < n;
 let n_column = select(4u, 8u, wide);
 let first = wg.x * p.block;
 let end = min(p.block, p.n_group - first);
 var sums = array<vec4<f32>, 2u * MAX_BLOCK>();
 var words = array<vec4<f32>, 64>();
 for (var c = 0u; c < p.n_chunk; c++) {
  for (var i = 0u; i < 8u * n_column; i++) {
   let m = i % n_column;
   let word = i / n_column;
   words[word * 8u + m] = x[(min(m0 + m, n - 1u) * p.n_chunk + c) * 8u + word];
  }
  var totals = array<vec4<f32>, 4>();
  if (OFFSETS) {
   for (var i = 0u; i < 8u; i++) {
    let w = 8u * i;
    totals[i / 4u] += ONE * mat4x4<f32>(words[w], words[w + 1u], words[w + 2u], words[w + 3u]);
    totals[2u + i / 4u] += ONE * mat4x4<f32>(words[w + 4u], words[w + 5u], words[w + 6u], words[w + 7u]);
   }
  }
  for (var b = 0u; b < end; b++) {
   let w = coded(first + b, c, r);
   let low = w.q.v0 * mat4x4<f32>(words[0], words[1], words[2], words[3])
    + w.q.v1 * mat4x4<f32>(words[8], words[9], words[10], words[11])
    + w.q.v2 * mat4x4<f32>(words[16], words[17], words[18], words[19])
    + w.q.v3 * mat4x4<f32>(words[24], words[25], words[26], words[27]);
   let high = w.q.v4 * mat4x4<f32>(words[32], words[33], words[34], words[35])
    + w.q.v5 * mat4x4<f32>(words[40], words[41], words[42], words[43])
    + w.q.v6 * mat4x4<f32>(words[48], words[49], words[50], words[51])
    + w.q.v7 * mat4x4<f32>(words[56], words[57], words[58], words[59]);
   sums[2u * b] += w.s.x * low + w.s.y * high + w.s.z * totals[0] + w.s.w * totals[1];
   if (wide) {
    let low = w.q.v0 * mat4x4<f32>(words[4], words[5], words[6], words[7])
     + w.q.v1 * mat4x4<f32>(words[12], words[13], words[14], words[15])
     + w.q.v2 * mat4x4<f32>(words[20], words[21], words[22], words[23])
     + w.q.v3 * mat4x4<f32>(words[28], words[29], words[30], words[31]);
    let high = w.q.v4 * mat4x4<f32>(words[36], words[37], words[38], words[39])
     + w.q.v5 * mat4x4<f32>(words[44], words[45], words[46], words[47])
     + w.q.v6 * mat4x4<f32>(words[52], words[53], words[54], words[55])
     + w.q.v7 * mat4x4<f32>(words[60], words[61], words[62], words[63]);
    sums[2u * b + 1u] += w.s.x * low + w.s.y * high + w.s.z * totals[2] + w.s.w * totals[3];
   }
  }
 }
 for (var b = 0u; b < end; b++) {
  let row = (first + b) * 8u + r;
  if (row < p.n_rows) {
   for (var m = m0; m < min(m0 + 8u, n); m++) {
    store(sums[2u * b + (m - m0) / 4u][m % 4u], p.row0 + row, m * p.y_stride + p.row0 + row);
   }
  }
 }
}
",
    },
    Shader {
        name: "matmul_soft_q3k_one",
        kernel: "matmul_soft",
        workgroup_size: [8, 1, 1],
        bindings: &[
            Binding { index: 0, name: "wq", kind: BindingKind::Read, min_size: 16 },
            Binding { index: 1, name: "ws", kind: BindingKind::Read, min_size: 4 },
            Binding { index: 2, name: "x", kind: BindingKind::Read, min_size: 16 },
            Binding { index: 3, name: "norm", kind: BindingKind::Read, min_size: 16 },
            Binding { index: 4, name: "bias", kind: BindingKind::Read, min_size: 4 },
            Binding { index: 5, name: "y", kind: BindingKind::ReadWrite, min_size: 4 },
            Binding { index: 6, name: "sel", kind: BindingKind::Read, min_size: 4 },
            Binding { index: 7, name: "p", kind: BindingKind::Uniform, min_size: 68 },
        ],
        overrides: &[],
        needs: &[],
        workgroup_bytes: 0,
        uniform: &[
            UniformField { name: "n_chunk", offset: 0, size: 4 },
            UniformField { name: "n_unit", offset: 4, size: 4 },
            UniformField { name: "n_group", offset: 8, size: 4 },
            UniformField { name: "n_rows", offset: 12, size: 4 },
            UniformField { name: "row0", offset: 16, size: 4 },
            UniformField { name: "block", offset: 20, size: 4 },
            UniformField { name: "by_expert", offset: 24, size: 4 },
            UniformField { name: "n_expert", offset: 28, size: 4 },
            UniformField { name: "glu", offset: 32, size: 4 },
            UniformField { name: "x_slot_div", offset: 36, size: 4 },
            UniformField { name: "y_stride", offset: 40, size: 4 },
            UniformField { name: "count_from", offset: 44, size: 4 },
            UniformField { name: "max_rows", offset: 48, size: 4 },
            UniformField { name: "eps", offset: 52, size: 4 },
            UniformField { name: "act", offset: 56, size: 4 },
            UniformField { name: "flags", offset: 60, size: 4 },
            UniformField { name: "softcap", offset: 64, size: 4 },
        ],
        wgsl: r"struct Chunk {
 v0: vec4<f32>,
 v1: vec4<f32>,
 v2: vec4<f32>,
 v3: vec4<f32>,
 v4: vec4<f32>,
 v5: vec4<f32>,
 v6: vec4<f32>,
 v7: vec4<f32>,
}
struct Coded {
 q: Chunk,
 s: vec4<f32>,
}
fn chunk_dot(a: Chunk, b: Chunk) -> f32 {
 return dot(a.v0, b.v0) + dot(a.v1, b.v1) + dot(a.v2, b.v2) + dot(a.v3, b.v3)
  + dot(a.v4, b.v4) + dot(a.v5, b.v5) + dot(a.v6, b.v6) + dot(a.v7, b.v7);
}
fn chunk_mul(a: Chunk, b: Chunk) -> Chunk {
 return Chunk(a.v0 * b.v0, a.v1 * b.v1, a.v2 * b.v2, a.v3 * b.v3,
  a.v4 * b.v4, a.v5 * b.v5, a.v6 * b.v6, a.v7 * b.v7);
}
fn half_dots(a: Chunk, b: Chunk) -> vec2<f32> {
 return vec2<f32>(dot(a.v0, b.v0) + dot(a.v1, b.v1) + dot(a.v2, b.v2) + dot(a.v3, b.v3),
  dot(a.v4, b.v4) + dot(a.v5, b.v5) + dot(a.v6, b.v6) + dot(a.v7, b.v7));
}
fn quants(g: u32, c: u32, r: u32, n_word: u32, word: u32) -> vec4<u32> {
 return wq[((g * p.n_chunk + c) * n_word + word) * 8u + r];
}
fn scale_word(g: u32, unit: u32, r: u32, n_word: u32, word: u32) -> u32 {
 return ws[((g * p.n_unit + unit) * n_word + word) * 8u + r];
}
fn nibbles(w: u32) -> vec4<u32> {
 return (vec4<u32>(w) >> vec4<u32>(0u, 8u, 16u, 24u)) & vec4<u32>(15u);
}
fn signed_byte(b: u32) -> f32 {
 return f32(bitcast<i32>(b << 24u) >> 24u);
}
fn half(h: u32) -> f32 {
 let m = h & 0x7fffu;
 let rebias = select(0x38000000u, 0x70000000u, m >= 0x7c00u);
 let v = select(bitcast<f32>((m << 13u) + rebias), f32(m) * 0x1p-24f, m < 0x400u);
 return bitcast<f32>(bitcast<u32>(v) | ((h & 0x8000u) << 16u));
}
fn byte_pair(g: u32, c: u32, r: u32, n_word: u32) -> u32 {
 return scale_word(g, c / 8u, r, n_word, 1u + (c % 8u) / 2u) >> (16u * (c % 2u));
}
fn centred(q: vec4<u32>, middle: i32) -> vec4<f32> {
 return vec4<f32>(vec4<i32>(q) - vec4<i32>(middle));
}
fn coded(g: u32, c: u32, r: u32) -> Coded {
 let d = half(scale_word(g, c / 8u, r, 5u, 0u) & 0xffffu);
 let f = byte_pair(g, c, r, 5u);
 let q = quants(g, c, r, 1u, 0u);
 let h = q >> vec4<u32>(4u);
 let v = Chunk(centred(nibbles(q.x), 4), centred(nibbles(q.y), 4), centred(nibbles(q.z), 4), centred(nibbles(q.w), 4),
  centred(nibbles(h.x), 4), centred(nibbles(h.y), 4), centred(nibbles(h.z), 4), centred(nibbles(h.w), 4));
 return Coded(v, vec4<f32>(d * signed_byte(f), d * signed_byte(f >> 8u), 0.0, 0.0));
}
fn soft_tanh(v: f32) -> f32 {
 let e = exp(-2.0 * min(abs(v), 15.0));
 return sign(v) * ((1.0 - e) / (1.0 + e));
}
fn silu(v: f32) -> f32 {
 return v / (1.0 + exp(clamp(-v, -80.0, 80.0)));
}
fn gelu_tanh(v: f32) -> f32 {
 return 0.5 * v * (1.0 + soft_tanh(0.7978845608 * (v + 0.044715 * v * v * v)));
}
fn activate(kind: u32, v: f32) -> f32 {
 if (kind == 1u) {
  return silu(v);
 }
 if (kind == 2u) {
  return gelu_tanh(v);
 }
 return v;
}
const ADD = 1u;
const BIAS = 2u;
const SOFTCAP = 4u;
fn store(sum: f32, row: u32, at: u32) {
 var v = sum;
 if ((p.flags & BIAS) != 0u) {
  v += bias[row];
 }
 v = activate(p.act, v);
 if ((p.flags & SOFTCAP) != 0u) {
  v = p.softcap * soft_tanh(v / p.softcap);
 }
 if ((p.flags & ADD) != 0u) {
  v += y[at];
 }
 y[at] = v;
}
const MAX_BLOCK = 64u;
const NONE = 0xffffffffu;
const NORM = 8u;
const ONE = vec4<f32>(1.0);
const ONES = Chunk(ONE, ONE, ONE, ONE, ONE, ONE, ONE, ONE);
struct P {
 n_chunk: u32,
 n_unit: u32,
 n_group: u32,
 n_rows: u32,
 row0: u32,
 block: u32,
 by_expert: u32,
 n_expert: u32,
 glu: u32,
 x_slot_div: u32,
 y_stride: u32,
 count_from: u32,
 max_rows: u32,
 eps: f32,
 act: u32,
 flags: u32,
 softcap: f32,
}
@group(0) @binding(0) var<storage, read> wq: array<vec4<u32>>;
@group(0) @binding(1) var<storage, read> ws: array<u32>;
@group(0) @binding(2) var<storage, read> x: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read> norm: array<vec4<f32>>;
@group(0) @binding(4) var<storage, read> bias: array<f32>;
@group(0) @binding(5) var<storage, read_write> y: array<f32>;
@group(0) @binding(6) var<storage, read> sel: array<u32>;
@group(0) @binding(7) var<uniform> p: P;
@compute @workgroup_size(8)
fn main(@builtin(local_invocation_index) r: u32, @builtin(workgroup_id) wg: vec3<u32>) {
 var first = wg.x * p.block;
 let end = min(p.block, p.n_group - first);
 var expert = 0u;
 if (p.by_expert == 1u) {
  expert = sel[wg.y];
  if (expert == NONE) {
   return;
  }
  expert = min(expert, p.n_expert - 1u);
 }
 let g = first + expert * p.n_group;
 let x0 = wg.y / p.x_slot_div * p.n_chunk * 8u;
 var sums = array<f32, MAX_BLOCK>();
 var square = 0.0;
 for (var c = 0u; c < p.n_chunk; c++) {
  let at = x0 + c * 8u;
  var v = Chunk(x[at], x[at + 1u], x[at + 2u], x[at + 3u], x[at + 4u], x[at + 5u], x[at + 6u], x[at + 7u]);
  if ((p.flags & NORM) != 0u) {
   square += chunk_dot(v, v);
   let w = c * 8u;
   v = chunk_mul(v, Chunk(norm[w], norm[w + 1u], norm[w + 2u], norm[w + 3u],
    norm[w + 4u], norm[w + 5u], norm[w + 6u], norm[w + 7u]));
  }
  let total = half_dots(v, ONES);
  for (var b = 0u; b < end; b++) {
   let w = coded(g + b, c, r);
   let halves = half_dots(w.q, v);
   sums[b] += w.s.x * halves.x + w.s.y * halves.y + w.s.z * total.x + w.s.w * total.y;
  }
 }
 let factor = select(1.0, inverseSqrt(square / f32(p.n_chunk * 32u) + p.eps), (p.flags & NORM) != 0u);
 let y0 = wg.y * p.y_stride + p.row0;
 if (p.glu == 1u) {
  for (var b = 0u; b < end; b += 2u) {
   let row = (first + b) * 4u + r;
   if (row < p.n_rows) {
    y[y0 + row] = activate(p.act, sums[b] * factor) * (sums[b + 1u] * factor);
   }
  }
  return;
 }
 for (var b = 0u; b < end; b++) {
  let row = (first + b) * 8u + r;
  if (row < p.n_rows) {
   store(sums[b] * factor, p.row0 + row, y0 + row);
  }
 }
}
",
    },
    Shader {
        name: "matmul_soft_q4_eight",
        kernel: "matmul_soft",
        workgroup_size: [8, 1, 1],
        bindings: &[
            Binding { index: 0, name: "wq", kind: BindingKind::Read, min_size: 16 },
            Binding { index: 1, name: "ws", kind: BindingKind::Read, min_size: 4 },
            Binding { index: 2, name: "x", kind: BindingKind::Read, min_size: 16 },
            Binding { index: 3, name: "step", kind: BindingKind::Read, min_size: 192 },
            Binding { index: 4, name: "bias", kind: BindingKind::Read, min_size: 4 },
            Binding { index: 5, name: "y", kind: BindingKind::ReadWrite, min_size: 4 },
            Binding { index: 6, name: "p", kind: BindingKind::Uniform, min_size: 68 },
        ],
        overrides: &[],
        needs: &[],
        workgroup_bytes: 0,
        uniform: &[
            UniformField { name: "n_chunk", offset: 0, size: 4 },
            UniformField { name: "n_unit", offset: 4, size: 4 },
            UniformField { name: "n_group", offset: 8, size: 4 },
            UniformField { name: "n_rows", offset: 12, size: 4 },
            UniformField { name: "row0", offset: 16, size: 4 },
            UniformField { name: "block", offset: 20, size: 4 },
            UniformField { name: "by_expert", offset: 24, size: 4 },
            UniformField { name: "n_expert", offset: 28, size: 4 },
            UniformField { name: "glu", offset: 32, size: 4 },
            UniformField { name: "x_slot_div", offset: 36, size: 4 },
            UniformField { name: "y_stride", offset: 40, size: 4 },
            UniformField { name: "count_from", offset: 44, size: 4 },
            UniformField { name: "max_rows", offset: 48, size: 4 },
            UniformField { name: "eps", offset: 52, size: 4 },
            UniformField { name: "act", offset: 56, size: 4 },
            UniformField { name: "flags", offset: 60, size: 4 },
            UniformField { name: "softcap", offset: 64, size: 4 },
        ],
        wgsl: r"struct Chunk {
 v0: vec4<f32>,
 v1: vec4<f32>,
 v2: vec4<f32>,
 v3: vec4<f32>,
 v4: vec4<f32>,
 v5: vec4<f32>,
 v6: vec4<f32>,
 v7: vec4<f32>,
}
struct Coded {
 q: Chunk,
 s: vec4<f32>,
}
fn quants(g: u32, c: u32, r: u32, n_word: u32, word: u32) -> vec4<u32> {
 return wq[((g * p.n_chunk + c) * n_word + word) * 8u + r];
}
fn scale_word(g: u32, unit: u32, r: u32, n_word: u32, word: u32) -> u32 {
 return ws[((g * p.n_unit + unit) * n_word + word) * 8u + r];
}
fn nibbles(w: u32) -> vec4<u32> {
 return (vec4<u32>(w) >> vec4<u32>(0u, 8u, 16u, 24u)) & vec4<u32>(15u);
}
fn nibble_chunk(q: vec4<u32>) -> Chunk {
 let h = q >> vec4<u32>(4u);
 return Chunk(vec4<f32>(nibbles(q.x)), vec4<f32>(nibbles(q.y)), vec4<f32>(nibbles(q.z)), vec4<f32>(nibbles(q.w)),
  vec4<f32>(nibbles(h.x)), vec4<f32>(nibbles(h.y)), vec4<f32>(nibbles(h.z)), vec4<f32>(nibbles(h.w)));
}
fn half(h: u32) -> f32 {
 let m = h & 0x7fffu;
 let rebias = select(0x38000000u, 0x70000000u, m >= 0x7c00u);
 let v = select(bitcast<f32>((m << 13u) + rebias), f32(m) * 0x1p-24f, m < 0x400u);
 return bitcast<f32>(bitcast<u32>(v) | ((h & 0x8000u) << 16u));
}
fn half2(w: u32) -> vec2<f32> {
 return vec2<f32>(half(w & 0xffffu), half(w >> 16u));
}
fn coded(g: u32, c: u32, r: u32) -> Coded {
 let s = half2(scale_word(g, c, r, 1u, 0u));
 return Coded(nibble_chunk(quants(g, c, r, 1u, 0u)), s.xxyy);
}
const OFFSETS = true;
fn soft_tanh(v: f32) -> f32 {
 let e = exp(-2.0 * min(abs(v), 15.0));
 return sign(v) * ((1.0 - e) / (1.0 + e));
}
fn silu(v: f32) -> f32 {
 return v / (1.0 + exp(clamp(-v, -80.0, 80.0)));
}
fn gelu_tanh(v: f32) -> f32 {
 return 0.5 * v * (1.0 + soft_tanh(0.7978845608 * (v + 0.044715 * v * v * v)));
}
fn activate(kind: u32, v: f32) -> f32 {
 if (kind == 1u) {
  return silu(v);
 }
 if (kind == 2u) {
  return gelu_tanh(v);
 }
 return v;
}
const ADD = 1u;
const BIAS = 2u;
const SOFTCAP = 4u;
fn store(sum: f32, row: u32, at: u32) {
 var v = sum;
 if ((p.flags & BIAS) != 0u) {
  v += bias[row];
 }
 v = activate(p.act, v);
 if ((p.flags & SOFTCAP) != 0u) {
  v = p.softcap * soft_tanh(v / p.softcap);
 }
 if ((p.flags & ADD) != 0u) {
  v += y[at];
 }
 y[at] = v;
}
struct Row {
 token: u32,
 pos: u32,
 cell: u32,
 table: u32,
 base: u32,
 lo: u32,
 hi: u32,
 lo_swa: u32,
 tree: u32,
 ancestors_lo: u32,
 ancestors_hi: u32,
 seq: u32,
 mix_start: u32,
 mix_len: u32,
 reserved0: u32,
 reserved1: u32,
}
struct Step {
 n_rows: u32,
 n_want: u32,
 seed_lo: u32,
 seed_hi: u32,
 window: u32,
 n_out: u32,
 reserved: array<u32, 10>,
 want: array<u32, 16>,
 rows: array<Row>,
}
const MAX_BLOCK = 64u;
const ONE = vec4<f32>(1.0);
struct P {
 n_chunk: u32,
 n_unit: u32,
 n_group: u32,
 n_rows: u32,
 row0: u32,
 block: u32,
 by_expert: u32,
 n_expert: u32,
 glu: u32,
 x_slot_div: u32,
 y_stride: u32,
 count_from: u32,
 max_rows: u32,
 eps: f32,
 act: u32,
 flags: u32,
 softcap: f32,
}
@group(0) @binding(0) var<storage, read> wq: array<vec4<u32>>;
@group(0) @binding(1) var<storage, read> ws: array<u32>;
@group(0) @binding(2) var<storage, read> x: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read> step: Step;
@group(0) @binding(4) var<storage, read> bias: array<f32>;
@group(0) @binding(5) var<storage, read_write> y: array<f32>;
@group(0) @binding(6) var<uniform> p: P;
@compute @workgroup_size(8)
fn main(@builtin(local_invocation_index) r: u32, @builtin(workgroup_id) wg: vec3<u32>) {
 let n = min(select(step.n_rows, step.n_want, p.count_from == 1u), p.max_rows);
 let m0 = wg.y * 8u;
 if (m0 >= n) {
  return;
 }
 let wide = m0 + 4u < n;
 let n_column = select(4u, 8u, wide);
 let first = wg.x * p.block;
 let end = min(p.block, p.n_group - first);
 var sums = array<vec4<f32>, 2u * MAX_BLOCK>();
 var words = array<vec4<f32>, 64>();
 for (var c = 0u; c < p.n_chunk; c++) {
  for (var i = 0u; i < 8u * n_column; i++) {
   let m = i % n_column;
   let word = i / n_column;
   words[word * 8u + m] = x[(min(m0 + m, n - 1u) * p.n_chunk + c) * 8u + word];
  }
  var totals = array<vec4<f32>, 4>();
  if (OFFSETS) {
   for (var i = 0u; i < 8u; i++) {
    let w = 8u * i;
    totals[i / 4u] += ONE * mat4x4<f32>(words[w], words[w + 1u], words[w + 2u], words[w + 3u]);
    totals[2u + i / 4u] += ONE * mat4x4<f32>(words[w + 4u], words[w + 5u], words[w + 6u], words[w + 7u]);
   }
  }
  for (var b = 0u; b < end; b++) {
   let w = coded(first + b, c, r);
   let low = w.q.v0 * mat4x4<f32>(words[0], words[1], words[2], words[3])
    + w.q.v1 * mat4x4<f32>(words[8], words[9], words[10], words[11])
    + w.q.v2 * mat4x4<f32>(words[16], words[17], words[18], words[19])
    + w.q.v3 * mat4x4<f32>(words[24], words[25], words[26], words[27]);
   let high = w.q.v4 * mat4x4<f32>(words[32], words[33], words[34], words[35])
    + w.q.v5 * mat4x4<f32>(words[40], words[41], words[42], words[43])
    + w.q.v6 * mat4x4<f32>(words[48], words[49], words[50], words[51])
    + w.q.v7 * mat4x4<f32>(words[56], words[57], words[58], words[59]);
   sums[2u * b] += w.s.x * low + w.s.y * high + w.s.z * totals[0] + w.s.w * totals[1];
   if (wide) {
    let low = w.q.v0 * mat4x4<f32>(words[4], words[5], words[6], words[7])
     + w.q.v1 * mat4x4<f32>(words[12], words[13], words[14], words[15])
     + w.q.v2 * mat4x4<f32>(words[20], words[21], words[22], words[23])
     + w.q.v3 * mat4x4<f32>(words[28], words[29], words[30], words[31]);
    let high = w.q.v4 * mat4x4<f32>(words[36], words[37], words[38], words[39])
     + w.q.v5 * mat4x4<f32>(words[44], words[45], words[46], words[47])
     + w.q.v6 * mat4x4<f32>(words[52], words[53], words[54], words[55])
     + w.q.v7 * mat4x4<f32>(words[60], words[61], words[62], words[63]);
    sums[2u * b + 1u] += w.s.x * low + w.s.y * high + w.s.z * totals[2] + w.s.w * totals[3];
   }
  }
 }
 for (var b = 0u; b < end; b++) {
  let row = (first + b) * 8u + r;
  if (row < p.n_rows) {
   for (var m = m0; m < min(m0 + 8u, n); m++) {
    store(sums[2u * b + (m - m0) / 4u][m % 4u], p.row0 + row, m * p.y_stride + p.row0 + row);
   }
  }
 }
}
",
    },
    Shader {
        name: "matmul_soft_q4_one",
        kernel: "matmul_soft",
        workgroup_size: [8, 1, 1],
        bindings: &[
            Binding { index: 0, name: "wq", kind: BindingKind::Read, min_size: 16 },
            Binding { index: 1, name: "ws", kind: BindingKind::Read, min_size: 4 },
            Binding { index: 2, name: "x", kind: BindingKind::Read, min_size: 16 },
            Binding { index: 3, name: "norm", kind: BindingKind::Read, min_size: 16 },
            Binding { index: 4, name: "bias", kind: BindingKind::Read, min_size: 4 },
            Binding { index: 5, name: "y", kind: BindingKind::ReadWrite, min_size: 4 },
            Binding { index: 6, name: "sel", kind: BindingKind::Read, min_size: 4 },
            Binding { index: 7, name: "p", kind: BindingKind::Uniform, min_size: 68 },
        ],
        overrides: &[],
        needs: &[],
        workgroup_bytes: 0,
        uniform: &[
            UniformField { name: "n_chunk", offset: 0, size: 4 },
            UniformField { name: "n_unit", offset: 4, size: 4 },
            UniformField { name: "n_group", offset: 8, size: 4 },
            UniformField { name: "n_rows", offset: 12, size: 4 },
            UniformField { name: "row0", offset: 16, size: 4 },
            UniformField { name: "block", offset: 20, size: 4 },
            UniformField { name: "by_expert", offset: 24, size: 4 },
            UniformField { name: "n_expert", offset: 28, size: 4 },
            UniformField { name: "glu", offset: 32, size: 4 },
            UniformField { name: "x_slot_div", offset: 36, size: 4 },
            UniformField { name: "y_stride", offset: 40, size: 4 },
            UniformField { name: "count_from", offset: 44, size: 4 },
            UniformField { name: "max_rows", offset: 48, size: 4 },
            UniformField { name: "eps", offset: 52, size: 4 },
            UniformField { name: "act", offset: 56, size: 4 },
            UniformField { name: "flags", offset: 60, size: 4 },
            UniformField { name: "softcap", offset: 64, size: 4 },
        ],
        wgsl: r"struct Chunk {
 v0: vec4<f32>,
 v1: vec4<f32>,
 v2: vec4<f32>,
 v3: vec4<f32>,
 v4: vec4<f32>,
 v5: vec4<f32>,
 v6: vec4<f32>,
 v7: vec4<f32>,
}
struct Coded {
 q: Chunk,
 s: vec4<f32>,
}
fn chunk_dot(a: Chunk, b: Chunk) -> f32 {
 return dot(a.v0, b.v0) + dot(a.v1, b.v1) + dot(a.v2, b.v2) + dot(a.v3, b.v3)
  + dot(a.v4, b.v4) + dot(a.v5, b.v5) + dot(a.v6, b.v6) + dot(a.v7, b.v7);
}
fn chunk_mul(a: Chunk, b: Chunk) -> Chunk {
 return Chunk(a.v0 * b.v0, a.v1 * b.v1, a.v2 * b.v2, a.v3 * b.v3,
  a.v4 * b.v4, a.v5 * b.v5, a.v6 * b.v6, a.v7 * b.v7);
}
fn half_dots(a: Chunk, b: Chunk) -> vec2<f32> {
 return vec2<f32>(dot(a.v0, b.v0) + dot(a.v1, b.v1) + dot(a.v2, b.v2) + dot(a.v3, b.v3),
  dot(a.v4, b.v4) + dot(a.v5, b.v5) + dot(a.v6, b.v6) + dot(a.v7, b.v7));
}
fn quants(g: u32, c: u32, r: u32, n_word: u32, word: u32) -> vec4<u32> {
 return wq[((g * p.n_chunk + c) * n_word + word) * 8u + r];
}
fn scale_word(g: u32, unit: u32, r: u32, n_word: u32, word: u32) -> u32 {
 return ws[((g * p.n_unit + unit) * n_word + word) * 8u + r];
}
fn nibbles(w: u32) -> vec4<u32> {
 return (vec4<u32>(w) >> vec4<u32>(0u, 8u, 16u, 24u)) & vec4<u32>(15u);
}
fn nibble_chunk(q: vec4<u32>) -> Chunk {
 let h = q >> vec4<u32>(4u);
 return Chunk(vec4<f32>(nibbles(q.x)), vec4<f32>(nibbles(q.y)), vec4<f32>(nibbles(q.z)), vec4<f32>(nibbles(q.w)),
  vec4<f32>(nibbles(h.x)), vec4<f32>(nibbles(h.y)), vec4<f32>(nibbles(h.z)), vec4<f32>(nibbles(h.w)));
}
fn half(h: u32) -> f32 {
 let m = h & 0x7fffu;
 let rebias = select(0x38000000u, 0x70000000u, m >= 0x7c00u);
 let v = select(bitcast<f32>((m << 13u) + rebias), f32(m) * 0x1p-24f, m < 0x400u);
 return bitcast<f32>(bitcast<u32>(v) | ((h & 0x8000u) << 16u));
}
fn half2(w: u32) -> vec2<f32> {
 return vec2<f32>(half(w & 0xffffu), half(w >> 16u));
}
fn coded(g: u32, c: u32, r: u32) -> Coded {
 let s = half2(scale_word(g, c, r, 1u, 0u));
 return Coded(nibble_chunk(quants(g, c, r, 1u, 0u)), s.xxyy);
}
fn soft_tanh(v: f32) -> f32 {
 let e = exp(-2.0 * min(abs(v), 15.0));
 return sign(v) * ((1.0 - e) / (1.0 + e));
}
fn silu(v: f32) -> f32 {
 return v / (1.0 + exp(clamp(-v, -80.0, 80.0)));
}
fn gelu_tanh(v: f32) -> f32 {
 return 0.5 * v * (1.0 + soft_tanh(0.7978845608 * (v + 0.044715 * v * v * v)));
}
fn activate(kind: u32, v: f32) -> f32 {
 if (kind == 1u) {
  return silu(v);
 }
 if (kind == 2u) {
  return gelu_tanh(v);
 }
 return v;
}
const ADD = 1u;
const BIAS = 2u;
const SOFTCAP = 4u;
fn store(sum: f32, row: u32, at: u32) {
 var v = sum;
 if ((p.flags & BIAS) != 0u) {
  v += bias[row];
 }
 v = activate(p.act, v);
 if ((p.flags & SOFTCAP) != 0u) {
  v = p.softcap * soft_tanh(v / p.softcap);
 }
 if ((p.flags & ADD) != 0u) {
  v += y[at];
 }
 y[at] = v;
}
const MAX_BLOCK = 64u;
const NONE = 0xffffffffu;
const NORM = 8u;
const ONE = vec4<f32>(1.0);
const ONES = Chunk(ONE, ONE, ONE, ONE, ONE, ONE, ONE, ONE);
struct P {
 n_chunk: u32,
 n_unit: u32,
 n_group: u32,
 n_rows: u32,
 row0: u32,
 block: u32,
 by_expert: u32,
 n_expert: u32,
 glu: u32,
 x_slot_div: u32,
 y_stride: u32,
 count_from: u32,
 max_rows: u32,
 eps: f32,
 act: u32,
 flags: u32,
 softcap: f32,
}
@group(0) @binding(0) var<storage, read> wq: array<vec4<u32>>;
@group(0) @binding(1) var<storage, read> ws: array<u32>;
@group(0) @binding(2) var<storage, read> x: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read> norm: array<vec4<f32>>;
@group(0) @binding(4) var<storage, read> bias: array<f32>;
@group(0) @binding(5) var<storage, read_write> y: array<f32>;
@group(0) @binding(6) var<storage, read> sel: array<u32>;
@group(0) @binding(7) var<uniform> p: P;
@compute @workgroup_size(8)
fn main(@builtin(local_invocation_index) r: u32, @builtin(workgroup_id) wg: vec3<u32>) {
 var first = wg.x * p.block;
 let end = min(p.block, p.n_group - first);
 var expert = 0u;
 if (p.by_expert == 1u) {
  expert = sel[wg.y];
  if (expert == NONE) {
   return;
  }
  expert = min(expert, p.n_expert - 1u);
 }
 let g = first + expert * p.n_group;
 let x0 = wg.y / p.x_slot_div * p.n_chunk * 8u;
 var sums = array<f32, MAX_BLOCK>();
 var square = 0.0;
 for (var c = 0u; c < p.n_chunk; c++) {
  let at = x0 + c * 8u;
  var v = Chunk(x[at], x[at + 1u], x[at + 2u], x[at + 3u], x[at + 4u], x[at + 5u], x[at + 6u], x[at + 7u]);
  if ((p.flags & NORM) != 0u) {
   square += chunk_dot(v, v);
   let w = c * 8u;
   v = chunk_mul(v, Chunk(norm[w], norm[w + 1u], norm[w + 2u], norm[w + 3u],
    norm[w + 4u], norm[w + 5u], norm[w + 6u], norm[w + 7u]));
  }
  let total = half_dots(v, ONES);
  for (var b = 0u; b < end; b++) {
   let w = coded(g + b, c, r);
   let halves = half_dots(w.q, v);
   sums[b] += w.s.x * halves.x + w.s.y * halves.y + w.s.z * total.x + w.s.w * total.y;
  }
 }
 let factor = select(1.0, inverseSqrt(square / f32(p.n_chunk * 32u) + p.eps), (p.flags & NORM) != 0u);
 let y0 = wg.y * p.y_stride + p.row0;
 if (p.glu == 1u) {
  for (var b = 0u; b < end; b += 2u) {
   let row = (first + b) * 4u + r;
   if (row < p.n_rows) {
    y[y0 + row] = activate(p.act, sums[b] * factor) * (sums[b + 1u] * factor);
   }
  }
  return;
 }
 for (var b = 0u; b < end; b++) {
  let row = (first + b) * 8u + r;
  if (row < p.n_rows) {
   store(sums[b] * factor, p.row0 + row, y0 + row);
  }
 }
}
",
    },
    Shader {
        name: "matmul_soft_q4k_eight",
        kernel: "matmul_soft",
        workgroup_size: [8, 1, 1],
        bindings: &[
            Binding { index: 0, name: "wq", kind: BindingKind::Read, min_size: 16 },
            Binding { index: 1, name: "ws", kind: BindingKind::Read, min_size: 4 },
            Binding { index: 2, name: "x", kind: BindingKind::Read, min_size: 16 },
            Binding { index: 3, name: "step", kind: BindingKind::Read, min_size: 192 },
            Binding { index: 4, name: "bias", kind: BindingKind::Read, min_size: 4 },
            Binding { index: 5, name: "y", kind: BindingKind::ReadWrite, min_size: 4 },
            Binding { index: 6, name: "p", kind: BindingKind::Uniform, min_size: 68 },
        ],
        overrides: &[],
        needs: &[],
        workgroup_bytes: 0,
        uniform: &[
            UniformField { name: "n_chunk", offset: 0, size: 4 },
            UniformField { name: "n_unit", offset: 4, size: 4 },
            UniformField { name: "n_group", offset: 8, size: 4 },
            UniformField { name: "n_rows", offset: 12, size: 4 },
            UniformField { name: "row0", offset: 16, size: 4 },
            UniformField { name: "block", offset: 20, size: 4 },
            UniformField { name: "by_expert", offset: 24, size: 4 },
            UniformField { name: "n_expert", offset: 28, size: 4 },
            UniformField { name: "glu", offset: 32, size: 4 },
            UniformField { name: "x_slot_div", offset: 36, size: 4 },
            UniformField { name: "y_stride", offset: 40, size: 4 },
            UniformField { name: "count_from", offset: 44, size: 4 },
            UniformField { name: "max_rows", offset: 48, size: 4 },
            UniformField { name: "eps", offset: 52, size: 4 },
            UniformField { name: "act", offset: 56, size: 4 },
            UniformField { name: "flags", offset: 60, size: 4 },
            UniformField { name: "softcap", offset: 64, size: 4 },
        ],
        wgsl: r"struct Chunk {
 v0: vec4<f32>,
 v1: vec4<f32>,
 v2: vec4<f32>,
 v3: vec4<f32>,
 v4: vec4<f32>,
 v5: vec4<f32>,
 v6: vec4<f32>,
 v7: vec4<f32>,
}
struct Coded {
 q: Chunk,
 s: vec4<f32>,
}
fn quants(g: u32, c: u32, r: u32, n_word: u32, word: u32) -> vec4<u32> {
 return wq[((g * p.n_chunk + c) * n_word + word) * 8u + r];
}
fn scale_word(g: u32, unit: u32, r: u32, n_word: u32, word: u32) -> u32 {
 return ws[((g * p.n_unit + unit) * n_word + word) * 8u + r];
}
fn nibbles(w: u32) -> vec4<u32> {
 return (vec4<u32>(w) >> vec4<u32>(0u, 8u, 16u, 24u)) & vec4<u32>(15u);
}
fn nibble_chunk(q: vec4<u32>) -> Chunk {
 let h = q >> vec4<u32>(4u);
 return Chunk(vec4<f32>(nibbles(q.x)), vec4<f32>(nibbles(q.y)), vec4<f32>(nibbles(q.z)), vec4<f32>(nibbles(q.w)),
  vec4<f32>(nibbles(h.x)), vec4<f32>(nibbles(h.y)), vec4<f32>(nibbles(h.z)), vec4<f32>(nibbles(h.w)));
}
fn half(h: u32) -> f32 {
 let m = h & 0x7fffu;
 let rebias = select(0x38000000u, 0x70000000u, m >= 0x7c00u);
 let v = select(bitcast<f32>((m << 13u) + rebias), f32(m) * 0x1p-24f, m < 0x400u);
 return bitcast<f32>(bitcast<u32>(v) | ((h & 0x8000u) << 16u));
}
fn half2(w: u32) -> vec2<f32> {
 return vec2<f32>(half(w & 0xffffu), half(w >> 16u));
}
fn scale_min(g: u32, c: u32, r: u32, n_word: u32) -> vec4<f32> {
 let d = half2(scale_word(g, c / 8u, r, n_word, 0u));
 let f = scale_word(g, c / 8u, r, n_word, 1u + (c % 8u) / 2u) >> (16u * (c % 2u));
 let s = d * vec2<f32>(f32(f & 255u), f32((f >> 8u) & 255u));
 return vec4<f32>(s.x, s.x, -s.y, -s.y);
}
fn coded(g: u32, c: u32, r: u32) -> Coded {
 return Coded(nibble_chunk(quants(g, c, r, 1u, 0u)), scale_min(g, c, r, 5u));
}
const OFFSETS = true;
fn soft_tanh(v: f32) -> f32 {
 let e = exp(-2.0 * min(abs(v), 15.0));
 return sign(v) * ((1.0 - e) / (1.0 + e));
}
fn silu(v: f32) -> f32 {
 return v / (1.0 + exp(clamp(-v, -80.0, 80.0)));
}
fn gelu_tanh(v: f32) -> f32 {
 return 0.5 * v * (1.0 + soft_tanh(0.7978845608 * (v + 0.044715 * v * v * v)));
}
fn activate(kind: u32, v: f32) -> f32 {
 if (kind == 1u) {
  return silu(v);
 }
 if (kind == 2u) {
  return gelu_tanh(v);
 }
 return v;
}
const ADD = 1u;
const BIAS = 2u;
const SOFTCAP = 4u;
fn store(sum: f32, row: u32, at: u32) {
 var v = sum;
 if ((p.flags & BIAS) != 0u) {
  v += bias[row];
 }
 v = activate(p.act, v);
 if ((p.flags & SOFTCAP) != 0u) {
  v = p.softcap * soft_tanh(v / p.softcap);
 }
 if ((p.flags & ADD) != 0u) {
  v += y[at];
 }
 y[at] = v;
}
struct Row {
 token: u32,
 pos: u32,
 cell: u32,
 table: u32,
 base: u32,
 lo: u32,
 hi: u32,
 lo_swa: u32,
 tree: u32,
 ancestors_lo: u32,
 ancestors_hi: u32,
 seq: u32,
 mix_start: u32,
 mix_len: u32,
 reserved0: u32,
 reserved1: u32,
}
struct Step {
 n_rows: u32,
 n_want: u32,
 seed_lo: u32,
 seed_hi: u32,
 window: u32,
 n_out: u32,
 reserved: array<u32, 10>,
 want: array<u32, 16>,
 rows: array<Row>,
}
const MAX_BLOCK = 64u;
const ONE = vec4<f32>(1.0);
struct P {
 n_chunk: u32,
 n_unit: u32,
 n_group: u32,
 n_rows: u32,
 row0: u32,
 block: u32,
 by_expert: u32,
 n_expert: u32,
 glu: u32,
 x_slot_div: u32,
 y_stride: u32,
 count_from: u32,
 max_rows: u32,
 eps: f32,
 act: u32,
 flags: u32,
 softcap: f32,
}
@group(0) @binding(0) var<storage, read> wq: array<vec4<u32>>;
@group(0) @binding(1) var<storage, read> ws: array<u32>;
@group(0) @binding(2) var<storage, read> x: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read> step: Step;
@group(0) @binding(4) var<storage, read> bias: array<f32>;
@group(0) @binding(5) var<storage, read_write> y: array<f32>;
@group(0) @binding(6) var<uniform> p: P;
@compute @workgroup_size(8)
fn main(@builtin(local_invocation_index) r: u32, @builtin(workgroup_id) wg: vec3<u32>) {
 let n = min(select(step.n_rows, step.n_want, p.count_from == 1u), p.max_rows);
 let m0 = wg.y * 8u;
 if (m0 >= n) {
  return;
 }
 let wide = m0 + 4u < n;
 let n_column = select(4u, 8u, wide);
 let first = wg.x * p.block;
 let end = min(p.block, p.n_group - first);
 var sums = array<vec4<f32>, 2u * MAX_BLOCK>();
 var words = array<vec4<f32>, 64>();
 for (var c = 0u; c < p.n_chunk; c++) {
  for (var i = 0u; i < 8u * n_column; i++) {
   let m = i % n_column;
   let word = i / n_column;
   words[word * 8u + m] = x[(min(m0 + m, n - 1u) * p.n_chunk + c) * 8u + word];
  }
  var totals = array<vec4<f32>, 4>();
  if (OFFSETS) {
   for (var i = 0u; i < 8u; i++) {
    let w = 8u * i;
    totals[i / 4u] += ONE * mat4x4<f32>(words[w], words[w + 1u], words[w + 2u], words[w + 3u]);
    totals[2u + i / 4u] += ONE * mat4x4<f32>(words[w + 4u], words[w + 5u], words[w + 6u], words[w + 7u]);
   }
  }
  for (var b = 0u; b < end; b++) {
   let w = coded(first + b, c, r);
   let low = w.q.v0 * mat4x4<f32>(words[0], words[1], words[2], words[3])
    + w.q.v1 * mat4x4<f32>(words[8], words[9], words[10], words[11])
    + w.q.v2 * mat4x4<f32>(words[16], words[17], words[18], words[19])
    + w.q.v3 * mat4x4<f32>(words[24], words[25], words[26], words[27]);
   let high = w.q.v4 * mat4x4<f32>(words[32], words[33], words[34], words[35])
    + w.q.v5 * mat4x4<f32>(words[40], words[41], words[42], words[43])
    + w.q.v6 * mat4x4<f32>(words[48], words[49], words[50], words[51])
    + w.q.v7 * mat4x4<f32>(words[56], words[57], words[58], words[59]);
   sums[2u * b] += w.s.x * low + w.s.y * high + w.s.z * totals[0] + w.s.w * totals[1];
   if (wide) {
    let low = w.q.v0 * mat4x4<f32>(words[4], words[5], words[6], words[7])
     + w.q.v1 * mat4x4<f32>(words[12], words[13], words[14], words[15])
     + w.q.v2 * mat4x4<f32>(words[20], words[21], words[22], words[23])
     + w.q.v3 * mat4x4<f32>(words[28], words[29], words[30], words[31]);
    let high = w.q.v4 * mat4x4<f32>(words[36], words[37], words[38], words[39])
     + w.q.v5 * mat4x4<f32>(words[44], words[45], words[46], words[47])
     + w.q.v6 * mat4x4<f32>(words[52], words[53], words[54], words[55])
     + w.q.v7 * mat4x4<f32>(words[60], words[61], words[62], words[63]);
    sums[2u * b + 1u] += w.s.x * low + w.s.y * high + w.s.z * totals[2] + w.s.w * totals[3];
   }
  }
 }
 for (var b = 0u; b < end; b++) {
  let row = (first + b) * 8u + r;
  if (row < p.n_rows) {
   for (var m = m0; m < min(m0 + 8u, n); m++) {
    store(sums[2u * b + (m - m0) / 4u][m % 4u], p.row0 + row, m * p.y_stride + p.row0 + row);
   }
  }
 }
}
",
    },
    Shader {
        name: "matmul_soft_q4k_one",
        kernel: "matmul_soft",
        workgroup_size: [8, 1, 1],
        bindings: &[
            Binding { index: 0, name: "wq", kind: BindingKind::Read, min_size: 16 },
            Binding { index: 1, name: "ws", kind: BindingKind::Read, min_size: 4 },
            Binding { index: 2, name: "x", kind: BindingKind::Read, min_size: 16 },
            Binding { index: 3, name: "norm", kind: BindingKind::Read, min_size: 16 },
            Binding { index: 4, name: "bias", kind: BindingKind::Read, min_size: 4 },
            Binding { index: 5, name: "y", kind: BindingKind::ReadWrite, min_size: 4 },
            Binding { index: 6, name: "sel", kind: BindingKind::Read, min_size: 4 },
            Binding { index: 7, name: "p", kind: BindingKind::Uniform, min_size: 68 },
        ],
        overrides: &[],
        needs: &[],
        workgroup_bytes: 0,
        uniform: &[
            UniformField { name: "n_chunk", offset: 0, size: 4 },
            UniformField { name: "n_unit", offset: 4, size: 4 },
            UniformField { name: "n_group", offset: 8, size: 4 },
            UniformField { name: "n_rows", offset: 12, size: 4 },
            UniformField { name: "row0", offset: 16, size: 4 },
            UniformField { name: "block", offset: 20, size: 4 },
            UniformField { name: "by_expert", offset: 24, size: 4 },
            UniformField { name: "n_expert", offset: 28, size: 4 },
            UniformField { name: "glu", offset: 32, size: 4 },
            UniformField { name: "x_slot_div", offset: 36, size: 4 },
            UniformField { name: "y_stride", offset: 40, size: 4 },
            UniformField { name: "count_from", offset: 44, size: 4 },
            UniformField { name: "max_rows", offset: 48, size: 4 },
            UniformField { name: "eps", offset: 52, size: 4 },
            UniformField { name: "act", offset: 56, size: 4 },
            UniformField { name: "flags", offset: 60, size: 4 },
            UniformField { name: "softcap", offset: 64, size: 4 },
        ],
        wgsl: r"struct Chunk {
 v0: vec4<f32>,
 v1: vec4<f32>,
 v2: vec4<f32>,
 v3: vec4<f32>,
 v4: vec4<f32>,
 v5: vec4<f32>,
 v6: vec4<f32>,
 v7: vec4<f32>,
}
struct Coded {
 q: Chunk,
 s: vec4<f32>,
}
fn chunk_dot(a: Chunk, b: Chunk) -> f32 {
 return dot(a.v0, b.v0) + dot(a.v1, b.v1) + dot(a.v2, b.v2) + dot(a.v3, b.v3)
  + dot(a.v4, b.v4) + dot(a.v5, b.v5) + dot(a.v6, b.v6) + dot(a.v7, b.v7);
}
fn chunk_mul(a: Chunk, b: Chunk) -> Chunk {
 return Chunk(a.v0 * b.v0, a.v1 * b.v1, a.v2 * b.v2, a.v3 * b.v3,
  a.v4 * b.v4, a.v5 * b.v5, a.v6 * b.v6, a.v7 * b.v7);
}
fn half_dots(a: Chunk, b: Chunk) -> vec2<f32> {
 return vec2<f32>(dot(a.v0, b.v0) + dot(a.v1, b.v1) + dot(a.v2, b.v2) + dot(a.v3, b.v3),
  dot(a.v4, b.v4) + dot(a.v5, b.v5) + dot(a.v6, b.v6) + dot(a.v7, b.v7));
}
fn quants(g: u32, c: u32, r: u32, n_word: u32, word: u32) -> vec4<u32> {
 return wq[((g * p.n_chunk + c) * n_word + word) * 8u + r];
}
fn scale_word(g: u32, unit: u32, r: u32, n_word: u32, word: u32) -> u32 {
 return ws[((g * p.n_unit + unit) * n_word + word) * 8u + r];
}
fn nibbles(w: u32) -> vec4<u32> {
 return (vec4<u32>(w) >> vec4<u32>(0u, 8u, 16u, 24u)) & vec4<u32>(15u);
}
fn nibble_chunk(q: vec4<u32>) -> Chunk {
 let h = q >> vec4<u32>(4u);
 return Chunk(vec4<f32>(nibbles(q.x)), vec4<f32>(nibbles(q.y)), vec4<f32>(nibbles(q.z)), vec4<f32>(nibbles(q.w)),
  vec4<f32>(nibbles(h.x)), vec4<f32>(nibbles(h.y)), vec4<f32>(nibbles(h.z)), vec4<f32>(nibbles(h.w)));
}
fn half(h: u32) -> f32 {
 let m = h & 0x7fffu;
 let rebias = select(0x38000000u, 0x70000000u, m >= 0x7c00u);
 let v = select(bitcast<f32>((m << 13u) + rebias), f32(m) * 0x1p-24f, m < 0x400u);
 return bitcast<f32>(bitcast<u32>(v) | ((h & 0x8000u) << 16u));
}
fn half2(w: u32) -> vec2<f32> {
 return vec2<f32>(half(w & 0xffffu), half(w >> 16u));
}
fn scale_min(g: u32, c: u32, r: u32, n_word: u32) -> vec4<f32> {
 let d = half2(scale_word(g, c / 8u, r, n_word, 0u));
 let f = scale_word(g, c / 8u, r, n_word, 1u + (c % 8u) / 2u) >> (16u * (c % 2u));
 let s = d * vec2<f32>(f32(f & 255u), f32((f >> 8u) & 255u));
 return vec4<f32>(s.x, s.x, -s.y, -s.y);
}
fn coded(g: u32, c: u32, r: u32) -> Coded {
 return Coded(nibble_chunk(quants(g, c, r, 1u, 0u)), scale_min(g, c, r, 5u));
}
fn soft_tanh(v: f32) -> f32 {
 let e = exp(-2.0 * min(abs(v), 15.0));
 return sign(v) * ((1.0 - e) / (1.0 + e));
}
fn silu(v: f32) -> f32 {
 return v / (1.0 + exp(clamp(-v, -80.0, 80.0)));
}
fn gelu_tanh(v: f32) -> f32 {
 return 0.5 * v * (1.0 + soft_tanh(0.7978845608 * (v + 0.044715 * v * v * v)));
}
fn activate(kind: u32, v: f32) -> f32 {
 if (kind == 1u) {
  return silu(v);
 }
 if (kind == 2u) {
  return gelu_tanh(v);
 }
 return v;
}
const ADD = 1u;
const BIAS = 2u;
const SOFTCAP = 4u;
fn store(sum: f32, row: u32, at: u32) {
 var v = sum;
 if ((p.flags & BIAS) != 0u) {
  v += bias[row];
 }
 v = activate(p.act, v);
 if ((p.flags & SOFTCAP) != 0u) {
  v = p.softcap * soft_tanh(v / p.softcap);
 }
 if ((p.flags & ADD) != 0u) {
  v += y[at];
 }
 y[at] = v;
}
const MAX_BLOCK = 64u;
const NONE = 0xffffffffu;
const NORM = 8u;
const ONE = vec4<f32>(1.0);
const ONES = Chunk(ONE, ONE, ONE, ONE, ONE, ONE, ONE, ONE);
struct P {
 n_chunk: u32,
 n_unit: u32,
 n_group: u32,
 n_rows: u32,
 row0: u32,
 block: u32,
 by_expert: u32,
 n_expert: u32,
 glu: u32,
 x_slot_div: u32,
 y_stride: u32,
 count_from: u32,
 max_rows: u32,
 eps: f32,
 act: u32,
 flags: u32,
 softcap: f32,
}
@group(0) @binding(0) var<storage, read> wq: array<vec4<u32>>;
@group(0) @binding(1) var<storage, read> ws: array<u32>;
@group(0) @binding(2) var<storage, read> x: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read> norm: array<vec4<f32>>;
@group(0) @binding(4) var<storage, read> bias: array<f32>;
@group(0) @binding(5) var<storage, read_write> y: array<f32>;
@group(0) @binding(6) var<storage, read> sel: array<u32>;
@group(0) @binding(7) var<uniform> p: P;
@compute @workgroup_size(8)
fn main(@builtin(local_invocation_index) r: u32, @builtin(workgroup_id) wg: vec3<u32>) {
 var first = wg.x * p.block;
 let end = min(p.block, p.n_group - first);
 var expert = 0u;
 if (p.by_expert == 1u) {
  expert = sel[wg.y];
  if (expert == NONE) {
   return;
  }
  expert = min(expert, p.n_expert - 1u);
 }
 let g = first + expert * p.n_group;
 let x0 = wg.y / p.x_slot_div * p.n_chunk * 8u;
 var sums = array<f32, MAX_BLOCK>();
 var square = 0.0;
 for (var c = 0u; c < p.n_chunk; c++) {
  let at = x0 + c * 8u;
  var v = Chunk(x[at], x[at + 1u], x[at + 2u], x[at + 3u], x[at + 4u], x[at + 5u], x[at + 6u], x[at + 7u]);
  if ((p.flags & NORM) != 0u) {
   square += chunk_dot(v, v);
   let w = c * 8u;
   v = chunk_mul(v, Chunk(norm[w], norm[w + 1u], norm[w + 2u], norm[w + 3u],
    norm[w + 4u], norm[w + 5u], norm[w + 6u], norm[w + 7u]));
  }
  let total = half_dots(v, ONES);
  for (var b = 0u; b < end; b++) {
   let w = coded(g + b, c, r);
   let halves = half_dots(w.q, v);
   sums[b] += w.s.x * halves.x + w.s.y * halves.y + w.s.z * total.x + w.s.w * total.y;
  }
 }
 let factor = select(1.0, inverseSqrt(square / f32(p.n_chunk * 32u) + p.eps), (p.flags & NORM) != 0u);
 let y0 = wg.y * p.y_stride + p.row0;
 if (p.glu == 1u) {
  for (var b = 0u; b < end; b += 2u) {
   let row = (first + b) * 4u + r;
   if (row < p.n_rows) {
    y[y0 + row] = activate(p.act, sums[b] * factor) * (sums[b + 1u] * factor);
   }
  }
  return;
 }
 for (var b = 0u; b < end; b++) {
  let row = (first + b) * 8u + r;
  if (row < p.n_rows) {
   store(sums[b] * factor, p.row0 + row, y0 + row);
  }
 }
}
",
    },
    Shader {
        name: "matmul_soft_q5_eight",
        kernel: "matmul_soft",
        workgroup_size: [8, 1, 1],
        bindings: &[
            Binding { index: 0, name: "wq", kind: BindingKind::Read, min_size: 16 },
            Binding { index: 1, name: "ws", kind: BindingKind::Read, min_size: 4 },
            Binding { index: 2, name: "x", kind: BindingKind::Read, min_size: 16 },
            Binding { index: 3, name: "step", kind: BindingKind::Read, min_size: 192 },
            Binding { index: 4, name: "bias", kind: BindingKind::Read, min_size: 4 },
            Binding { index: 5, name: "y", kind: BindingKind::ReadWrite, min_size: 4 },
            Binding { index: 6, name: "p", kind: BindingKind::Uniform, min_size: 68 },
        ],
        overrides: &[],
        needs: &[],
        workgroup_bytes: 0,
        uniform: &[
            UniformField { name: "n_chunk", offset: 0, size: 4 },
            UniformField { name: "n_unit", offset: 4, size: 4 },
            UniformField { name: "n_group", offset: 8, size: 4 },
            UniformField { name: "n_rows", offset: 12, size: 4 },
            UniformField { name: "row0", offset: 16, size: 4 },
            UniformField { name: "block", offset: 20, size: 4 },
            UniformField { name: "by_expert", offset: 24, size: 4 },
            UniformField { name: "n_expert", offset: 28, size: 4 },
            UniformField { name: "glu", offset: 32, size: 4 },
            UniformField { name: "x_slot_div", offset: 36, size: 4 },
            UniformField { name: "y_stride", offset: 40, size: 4 },
            UniformField { name: "count_from", offset: 44, size: 4 },
            UniformField { name: "max_rows", offset: 48, size: 4 },
            UniformField { name: "eps", offset: 52, size: 4 },
            UniformField { name: "act", offset: 56, size: 4 },
            UniformField { name: "flags", offset: 60, size: 4 },
            UniformField { name: "softcap", offset: 64, size: 4 },
        ],
        wgsl: r"struct Chunk {
 v0: vec4<f32>,
 v1: vec4<f32>,
 v2: vec4<f32>,
 v3: vec4<f32>,
 v4: vec4<f32>,
 v5: vec4<f32>,
 v6: vec4<f32>,
 v7: vec4<f32>,
}
struct Coded {
 q: Chunk,
 s: vec4<f32>,
}
fn quants(g: u32, c: u32, r: u32, n_word: u32, word: u32) -> vec4<u32> {
 return wq[((g * p.n_chunk + c) * n_word + word) * 8u + r];
}
fn scale_word(g: u32, unit: u32, r: u32, n_word: u32, word: u32) -> u32 {
 return ws[((g * p.n_unit + unit) * n_word + word) * 8u + r];
}
fn nibbles(w: u32) -> vec4<u32> {
 return (vec4<u32>(w) >> vec4<u32>(0u, 8u, 16u, 24u)) & vec4<u32>(15u);
}
fn five(w: u32, bits: u32) -> vec4<f32> {
 return vec4<f32>(nibbles(w) | (((vec4<u32>(bits) >> vec4<u32>(0u, 1u, 2u, 3u)) & vec4<u32>(1u)) << vec4<u32>(4u)));
}
fn five_chunk(q: vec4<u32>, bits: u32) -> Chunk {
 let h = q >> vec4<u32>(4u);
 return Chunk(five(q.x, bits), five(q.y, bits >> 4u), five(q.z, bits >> 8u), five(q.w, bits >> 12u),
  five(h.x, bits >> 16u), five(h.y, bits >> 20u), five(h.z, bits >> 24u), five(h.w, bits >> 28u));
}
fn half(h: u32) -> f32 {
 let m = h & 0x7fffu;
 let rebias = select(0x38000000u, 0x70000000u, m >= 0x7c00u);
 let v = select(bitcast<f32>((m << 13u) + rebias), f32(m) * 0x1p-24f, m < 0x400u);
 return bitcast<f32>(bitcast<u32>(v) | ((h & 0x8000u) << 16u));
}
fn half2(w: u32) -> vec2<f32> {
 return vec2<f32>(half(w & 0xffffu), half(w >> 16u));
}
fn coded(g: u32, c: u32, r: u32) -> Coded {
 let s = half2(scale_word(g, c, r, 2u, 0u));
 return Coded(five_chunk(quants(g, c, r, 1u, 0u), scale_word(g, c, r, 2u, 1u)), s.xxyy);
}
const OFFSETS = true;
fn soft_tanh(v: f32) -> f32 {
 let e = exp(-2.0 * min(abs(v), 15.0));
 return sign(v) * ((1.0 - e) / (1.0 + e));
}
fn silu(v: f32) -> f32 {
 return v / (1.0 + exp(clamp(-v, -80.0, 80.0)));
}
fn gelu_tanh(v: f32) -> f32 {
 return 0.5 * v * (1.0 + soft_tanh(0.7978845608 * (v + 0.044715 * v * v * v)));
}
fn activate(kind: u32, v: f32) -> f32 {
 if (kind == 1u) {
  return silu(v);
 }
 if (kind == 2u) {
  return gelu_tanh(v);
 }
 return v;
}
const ADD = 1u;
const BIAS = 2u;
const SOFTCAP = 4u;
fn store(sum: f32, row: u32, at: u32) {
 var v = sum;
 if ((p.flags & BIAS) != 0u) {
  v += bias[row];
 }
 v = activate(p.act, v);
 if ((p.flags & SOFTCAP) != 0u) {
  v = p.softcap * soft_tanh(v / p.softcap);
 }
 if ((p.flags & ADD) != 0u) {
  v += y[at];
 }
 y[at] = v;
}
struct Row {
 token: u32,
 pos: u32,
 cell: u32,
 table: u32,
 base: u32,
 lo: u32,
 hi: u32,
 lo_swa: u32,
 tree: u32,
 ancestors_lo: u32,
 ancestors_hi: u32,
 seq: u32,
 mix_start: u32,
 mix_len: u32,
 reserved0: u32,
 reserved1: u32,
}
struct Step {
 n_rows: u32,
 n_want: u32,
 seed_lo: u32,
 seed_hi: u32,
 window: u32,
 n_out: u32,
 reserved: array<u32, 10>,
 want: array<u32, 16>,
 rows: array<Row>,
}
const MAX_BLOCK = 64u;
const ONE = vec4<f32>(1.0);
struct P {
 n_chunk: u32,
 n_unit: u32,
 n_group: u32,
 n_rows: u32,
 row0: u32,
 block: u32,
 by_expert: u32,
 n_expert: u32,
 glu: u32,
 x_slot_div: u32,
 y_stride: u32,
 count_from: u32,
 max_rows: u32,
 eps: f32,
 act: u32,
 flags: u32,
 softcap: f32,
}
@group(0) @binding(0) var<storage, read> wq: array<vec4<u32>>;
@group(0) @binding(1) var<storage, read> ws: array<u32>;
@group(0) @binding(2) var<storage, read> x: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read> step: Step;
@group(0) @binding(4) var<storage, read> bias: array<f32>;
@group(0) @binding(5) var<storage, read_write> y: array<f32>;
@group(0) @binding(6) var<uniform> p: P;
@compute @workgroup_size(8)
fn main(@builtin(local_invocation_index) r: u32, @builtin(workgroup_id) wg: vec3<u32>) {
 let n = min(select(step.n_rows, step.n_want, p.count_from == 1u), p.max_rows);
 let m0 = wg.y * 8u;
 if (m0 >= n) {
  return;
 }
 let wide = m0 + 4u < n;
 let n_column = select(4u, 8u, wide);
 let first = wg.x * p.block;
 let end = min(p.block, p.n_group - first);
 var sums = array<vec4<f32>, 2u * MAX_BLOCK>();
 var words = array<vec4<f32>, 64>();
 for (var c = 0u; c < p.n_chunk; c++) {
  for (var i = 0u; i < 8u * n_column; i++) {
   let m = i % n_column;
   let word = i / n_column;
   words[word * 8u + m] = x[(min(m0 + m, n - 1u) * p.n_chunk + c) * 8u + word];
  }
  var totals = array<vec4<f32>, 4>();
  if (OFFSETS) {
   for (var i = 0u; i < 8u; i++) {
    let w = 8u * i;
    totals[i / 4u] += ONE * mat4x4<f32>(words[w], words[w + 1u], words[w + 2u], words[w + 3u]);
    totals[2u + i / 4u] += ONE * mat4x4<f32>(words[w + 4u], words[w + 5u], words[w + 6u], words[w + 7u]);
   }
  }
  for (var b = 0u; b < end; b++) {
   let w = coded(first + b, c, r);
   let low = w.q.v0 * mat4x4<f32>(words[0], words[1], words[2], words[3])
    + w.q.v1 * mat4x4<f32>(words[8], words[9], words[10], words[11])
    + w.q.v2 * mat4x4<f32>(words[16], words[17], words[18], words[19])
    + w.q.v3 * mat4x4<f32>(words[24], words[25], words[26], words[27]);
   let high = w.q.v4 * mat4x4<f32>(words[32], words[33], words[34], words[35])
    + w.q.v5 * mat4x4<f32>(words[40], words[41], words[42], words[43])
    + w.q.v6 * mat4x4<f32>(words[48], words[49], words[50], words[51])
    + w.q.v7 * mat4x4<f32>(words[56], words[57], words[58], words[59]);
   sums[2u * b] += w.s.x * low + w.s.y * high + w.s.z * totals[0] + w.s.w * totals[1];
   if (wide) {
    let low = w.q.v0 * mat4x4<f32>(words[4], words[5], words[6], words[7])
     + w.q.v1 * mat4x4<f32>(words[12], words[13], words[14], words[15])
     + w.q.v2 * mat4x4<f32>(words[20], words[21], words[22], words[23])
     + w.q.v3 * mat4x4<f32>(words[28], words[29], words[30], words[31]);
    let high = w.q.v4 * mat4x4<f32>(words[36], words[37], words[38], words[39])
     + w.q.v5 * mat4x4<f32>(words[44], words[45], words[46], words[47])
     + w.q.v6 * mat4x4<f32>(words[52], words[53], words[54], words[55])
     + w.q.v7 * mat4x4<f32>(words[60], words[61], words[62], words[63]);
    sums[2u * b + 1u] += w.s.x * low + w.s.y * high + w.s.z * totals[2] + w.s.w * totals[3];
   }
  }
 }
 for (var b = 0u; b < end; b++) {
  let row = (first + b) * 8u + r;
  if (row < p.n_rows) {
   for (var m = m0; m < min(m0 + 8u, n); m++) {
    store(sums[2u * b + (m - m0) / 4u][m % 4u], p.row0 + row, m * p.y_stride + p.row0 + row);
   }
  }
 }
}
",
    },
    Shader {
        name: "matmul_soft_q5_one",
        kernel: "matmul_soft",
        workgroup_size: [8, 1, 1],
        bindings: &[
            Binding { index: 0, name: "wq", kind: BindingKind::Read, min_size: 16 },
            Binding { index: 1, name: "ws", kind: BindingKind::Read, min_size: 4 },
            Binding { index: 2, name: "x", kind: BindingKind::Read, min_size: 16 },
            Binding { index: 3, name: "norm", kind: BindingKind::Read, min_size: 16 },
            Binding { index: 4, name: "bias", kind: BindingKind::Read, min_size: 4 },
            Binding { index: 5, name: "y", kind: BindingKind::ReadWrite, min_size: 4 },
            Binding { index: 6, name: "sel", kind: BindingKind::Read, min_size: 4 },
            Binding { index: 7, name: "p", kind: BindingKind::Uniform, min_size: 68 },
        ],
        overrides: &[],
        needs: &[],
        workgroup_bytes: 0,
        uniform: &[
            UniformField { name: "n_chunk", offset: 0, size: 4 },
            UniformField { name: "n_unit", offset: 4, size: 4 },
            UniformField { name: "n_group", offset: 8, size: 4 },
            UniformField { name: "n_rows", offset: 12, size: 4 },
            UniformField { name: "row0", offset: 16, size: 4 },
            UniformField { name: "block", offset: 20, size: 4 },
            UniformField { name: "by_expert", offset: 24, size: 4 },
            UniformField { name: "n_expert", offset: 28, size: 4 },
            UniformField { name: "glu", offset: 32, size: 4 },
            UniformField { name: "x_slot_div", offset: 36, size: 4 },
            UniformField { name: "y_stride", offset: 40, size: 4 },
            UniformField { name: "count_from", offset: 44, size: 4 },
            UniformField { name: "max_rows", offset: 48, size: 4 },
            UniformField { name: "eps", offset: 52, size: 4 },
            UniformField { name: "act", offset: 56, size: 4 },
            UniformField { name: "flags", offset: 60, size: 4 },
            UniformField { name: "softcap", offset: 64, size: 4 },
        ],
        wgsl: r"struct Chunk {
 v0: vec4<f32>,
 v1: vec4<f32>,
 v2: vec4<f32>,
 v3: vec4<f32>,
 v4: vec4<f32>,
 v5: vec4<f32>,
 v6: vec4<f32>,
 v7: vec4<f32>,
}
struct Coded {
 q: Chunk,
 s: vec4<f32>,
}
fn chunk_dot(a: Chunk, b: Chunk) -> f32 {
 return dot(a.v0, b.v0) + dot(a.v1, b.v1) + dot(a.v2, b.v2) + dot(a.v3, b.v3)
  + dot(a.v4, b.v4) + dot(a.v5, b.v5) + dot(a.v6, b.v6) + dot(a.v7, b.v7);
}
fn chunk_mul(a: Chunk, b: Chunk) -> Chunk {
 return Chunk(a.v0 * b.v0, a.v1 * b.v1, a.v2 * b.v2, a.v3 * b.v3,
  a.v4 * b.v4, a.v5 * b.v5, a.v6 * b.v6, a.v7 * b.v7);
}
fn half_dots(a: Chunk, b: Chunk) -> vec2<f32> {
 return vec2<f32>(dot(a.v0, b.v0) + dot(a.v1, b.v1) + dot(a.v2, b.v2) + dot(a.v3, b.v3),
  dot(a.v4, b.v4) + dot(a.v5, b.v5) + dot(a.v6, b.v6) + dot(a.v7, b.v7));
}
fn quants(g: u32, c: u32, r: u32, n_word: u32, word: u32) -> vec4<u32> {
 return wq[((g * p.n_chunk + c) * n_word + word) * 8u + r];
}
fn scale_word(g: u32, unit: u32, r: u32, n_word: u32, word: u32) -> u32 {
 return ws[((g * p.n_unit + unit) * n_word + word) * 8u + r];
}
fn nibbles(w: u32) -> vec4<u32> {
 return (vec4<u32>(w) >> vec4<u32>(0u, 8u, 16u, 24u)) & vec4<u32>(15u);
}
fn five(w: u32, bits: u32) -> vec4<f32> {
 return vec4<f32>(nibbles(w) | (((vec4<u32>(bits) >> vec4<u32>(0u, 1u, 2u, 3u)) & vec4<u32>(1u)) << vec4<u32>(4u)));
}
fn five_chunk(q: vec4<u32>, bits: u32) -> Chunk {
 let h = q >> vec4<u32>(4u);
 return Chunk(five(q.x, bits), five(q.y, bits >> 4u), five(q.z, bits >> 8u), five(q.w, bits >> 12u),
  five(h.x, bits >> 16u), five(h.y, bits >> 20u), five(h.z, bits >> 24u), five(h.w, bits >> 28u));
}
fn half(h: u32) -> f32 {
 let m = h & 0x7fffu;
 let rebias = select(0x38000000u, 0x70000000u, m >= 0x7c00u);
 let v = select(bitcast<f32>((m << 13u) + rebias), f32(m) * 0x1p-24f, m < 0x400u);
 return bitcast<f32>(bitcast<u32>(v) | ((h & 0x8000u) << 16u));
}
fn half2(w: u32) -> vec2<f32> {
 return vec2<f32>(half(w & 0xffffu), half(w >> 16u));
}
fn coded(g: u32, c: u32, r: u32) -> Coded {
 let s = half2(scale_word(g, c, r, 2u, 0u));
 return Coded(five_chunk(quants(g, c, r, 1u, 0u), scale_word(g, c, r, 2u, 1u)), s.xxyy);
}
fn soft_tanh(v: f32) -> f32 {
 let e = exp(-2.0 * min(abs(v), 15.0));
 return sign(v) * ((1.0 - e) / (1.0 + e));
}
fn silu(v: f32) -> f32 {
 return v / (1.0 + exp(clamp(-v, -80.0, 80.0)));
}
fn gelu_tanh(v: f32) -> f32 {
 return 0.5 * v * (1.0 + soft_tanh(0.7978845608 * (v + 0.044715 * v * v * v)));
}
fn activate(kind: u32, v: f32) -> f32 {
 if (kind == 1u) {
  return silu(v);
 }
 if (kind == 2u) {
  return gelu_tanh(v);
 }
 return v;
}
const ADD = 1u;
const BIAS = 2u;
const SOFTCAP = 4u;
fn store(sum: f32, row: u32, at: u32) {
 var v = sum;
 if ((p.flags & BIAS) != 0u) {
  v += bias[row];
 }
 v = activate(p.act, v);
 if ((p.flags & SOFTCAP) != 0u) {
  v = p.softcap * soft_tanh(v / p.softcap);
 }
 if ((p.flags & ADD) != 0u) {
  v += y[at];
 }
 y[at] = v;
}
const MAX_BLOCK = 64u;
const NONE = 0xffffffffu;
const NORM = 8u;
const ONE = vec4<f32>(1.0);
const ONES = Chunk(ONE, ONE, ONE, ONE, ONE, ONE, ONE, ONE);
struct P {
 n_chunk: u32,
 n_unit: u32,
 n_group: u32,
 n_rows: u32,
 row0: u32,
 block: u32,
 by_expert: u32,
 n_expert: u32,
 glu: u32,
 x_slot_div: u32,
 y_stride: u32,
 count_from: u32,
 max_rows: u32,
 eps: f32,
 act: u32,
 flags: u32,
 softcap: f32,
}
@group(0) @binding(0) var<storage, read> wq: array<vec4<u32>>;
@group(0) @binding(1) var<storage, read> ws: array<u32>;
@group(0) @binding(2) var<storage, read> x: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read> norm: array<vec4<f32>>;
@group(0) @binding(4) var<storage, read> bias: array<f32>;
@group(0) @binding(5) var<storage, read_write> y: array<f32>;
@group(0) @binding(6) var<storage, read> sel: array<u32>;
@group(0) @binding(7) var<uniform> p: P;
@compute @workgroup_size(8)
fn main(@builtin(local_invocation_index) r: u32, @builtin(workgroup_id) wg: vec3<u32>) {
 var first = wg.x * p.block;
 let end = min(p.block, p.n_group - first);
 var expert = 0u;
 if (p.by_expert == 1u) {
  expert = sel[wg.y];
  if (expert == NONE) {
   return;
  }
  expert = min(expert, p.n_expert - 1u);
 }
 let g = first + expert * p.n_group;
 let x0 = wg.y / p.x_slot_div * p.n_chunk * 8u;
 var sums = array<f32, MAX_BLOCK>();
 var square = 0.0;
 for (var c = 0u; c < p.n_chunk; c++) {
  let at = x0 + c * 8u;
  var v = Chunk(x[at], x[at + 1u], x[at + 2u], x[at + 3u], x[at + 4u], x[at + 5u], x[at + 6u], x[at + 7u]);
  if ((p.flags & NORM) != 0u) {
   square += chunk_dot(v, v);
   let w = c * 8u;
   v = chunk_mul(v, Chunk(norm[w], norm[w + 1u], norm[w + 2u], norm[w + 3u],
    norm[w + 4u], norm[w + 5u], norm[w + 6u], norm[w + 7u]));
  }
  let total = half_dots(v, ONES);
  for (var b = 0u; b < end; b++) {
   let w = coded(g + b, c, r);
   let halves = half_dots(w.q, v);
   sums[b] += w.s.x * halves.x + w.s.y * halves.y + w.s.z * total.x + w.s.w * total.y;
  }
 }
 let factor = select(1.0, inverseSqrt(square / f32(p.n_chunk * 32u) + p.eps), (p.flags & NORM) != 0u);
 let y0 = wg.y * p.y_stride + p.row0;
 if (p.glu == 1u) {
  for (var b = 0u; b < end; b += 2u) {
   let row = (first + b) * 4u + r;
   if (row < p.n_rows) {
    y[y0 + row] = activate(p.act, sums[b] * factor) * (sums[b + 1u] * factor);
   }
  }
  return;
 }
 for (var b = 0u; b < end; b++) {
  let row = (first + b) * 8u + r;
  if (row < p.n_rows) {
   store(sums[b] * factor, p.row0 + row, y0 + row);
  }
 }
}
",
    },
    Shader {
        name: "matmul_soft_q5k_eight",
        kernel: "matmul_soft",
        workgroup_size: [8, 1, 1],
        bindings: &[
            Binding { index: 0, name: "wq", kind: BindingKind::Read, min_size: 16 },
            Binding { index: 1, name: "ws", kind: BindingKind::Read, min_size: 4 },
            Binding { index: 2, name: "x", kind: BindingKind::Read, min_size: 16 },
            Binding { index: 3, name: "step", kind: BindingKind::Read, min_size: 192 },
            Binding { index: 4, name: "bias", kind: BindingKind::Read, min_size: 4 },
            Binding { index: 5, name: "y", kind: BindingKind::ReadWrite, min_size: 4 },
            Binding { index: 6, name: "p", kind: BindingKind::Uniform, min_size: 68 },
        ],
        overrides: &[],
        needs: &[],
        workgroup_bytes: 0,
        uniform: &[
            UniformField { name: "n_chunk", offset: 0, size: 4 },
            UniformField { name: "n_unit", offset: 4, size: 4 },
            UniformField { name: "n_group", offset: 8, size: 4 },
            UniformField { name: "n_rows", offset: 12, size: 4 },
            UniformField { name: "row0", offset: 16, size: 4 },
            UniformField { name: "block", offset: 20, size: 4 },
            UniformField { name: "by_expert", offset: 24, size: 4 },
            UniformField { name: "n_expert", offset: 28, size: 4 },
            UniformField { name: "glu", offset: 32, size: 4 },
            UniformField { name: "x_slot_div", offset: 36, size: 4 },
            UniformField { name: "y_stride", offset: 40, size: 4 },
            UniformField { name: "count_from", offset: 44, size: 4 },
            UniformField { name: "max_rows", offset: 48, size: 4 },
            UniformField { name: "eps", offset: 52, size: 4 },
            UniformField { name: "act", offset: 56, size: 4 },
            UniformField { name: "flags", offset: 60, size: 4 },
            UniformField { name: "softcap", offset: 64, size: 4 },
        ],
        wgsl: r"struct Chunk {
 v0: vec4<f32>,
 v1: vec4<f32>,
 v2: vec4<f32>,
 v3: vec4<f32>,
 v4: vec4<f32>,
 v5: vec4<f32>,
 v6: vec4<f32>,
 v7: vec4<f32>,
}
struct Coded {
 q: Chunk,
 s: vec4<f32>,
}
fn quants(g: u32, c: u32, r: u32, n_word: u32, word: u32) -> vec4<u32> {
 return wq[((g * p.n_chunk + c) * n_word + word) * 8u + r];
}
fn scale_word(g: u32, unit: u32, r: u32, n_word: u32, word: u32) -> u32 {
 return ws[((g * p.n_unit + unit) * n_word + word) * 8u + r];
}
fn nibbles(w: u32) -> vec4<u32> {
 return (vec4<u32>(w) >> vec4<u32>(0u, 8u, 16u, 24u)) & vec4<u32>(15u);
}
fn five(w: u32, bits: u32) -> vec4<f32> {
 return vec4<f32>(nibbles(w) | (((vec4<u32>(bits) >> vec4<u32>(0u, 1u, 2u, 3u)) & vec4<u32>(1u)) << vec4<u32>(4u)));
}
fn five_chunk(q: vec4<u32>, bits: u32) -> Chunk {
 let h = q >> vec4<u32>(4u);
 return Chunk(five(q.x, bits), five(q.y, bits >> 4u), five(q.z, bits >> 8u), five(q.w, bits >> 12u),
  five(h.x, bits >> 16u), five(h.y, bits >> 20u), five(h.z, bits >> 24u), five(h.w, bits >> 28u));
}
fn half(h: u32) -> f32 {
 let m = h & 0x7fffu;
 let rebias = select(0x38000000u, 0x70000000u, m >= 0x7c00u);
 let v = select(bitcast<f32>((m << 13u) + rebias), f32(m) * 0x1p-24f, m < 0x400u);
 return bitcast<f32>(bitcast<u32>(v) | ((h & 0x8000u) << 16u));
}
fn half2(w: u32) -> vec2<f32> {
 return vec2<f32>(half(w & 0xffffu), half(w >> 16u));
}
fn scale_min(g: u32, c: u32, r: u32, n_word: u32) -> vec4<f32> {
 let d = half2(scale_word(g, c / 8u, r, n_word, 0u));
 let f = scale_word(g, c / 8u, r, n_word, 1u + (c % 8u) / 2u) >> (16u * (c % 2u));
 let s = d * vec2<f32>(f32(f & 255u), f32((f >> 8u) & 255u));
 return vec4<f32>(s.x, s.x, -s.y, -s.y);
}
fn coded(g: u32, c: u32, r: u32) -> Coded {
 let bits = scale_word(g, c / 8u, r, 13u, 5u + c % 8u);
 return Coded(five_chunk(quants(g, c, r, 1u, 0u), bits), scale_min(g, c, r, 13u));
}
const OFFSETS = true;
fn soft_tanh(v: f32) -> f32 {
 let e = exp(-2.0 * min(abs(v), 15.0));
 return sign(v) * ((1.0 - e) / (1.0 + e));
}
fn silu(v: f32) -> f32 {
 return v / (1.0 + exp(clamp(-v, -80.0, 80.0)));
}
fn gelu_tanh(v: f32) -> f32 {
 return 0.5 * v * (1.0 + soft_tanh(0.7978845608 * (v + 0.044715 * v * v * v)));
}
fn activate(kind: u32, v: f32) -> f32 {
 if (kind == 1u) {
  return silu(v);
 }
 if (kind == 2u) {
  return gelu_tanh(v);
 }
 return v;
}
const ADD = 1u;
const BIAS = 2u;
const SOFTCAP = 4u;
fn store(sum: f32, row: u32, at: u32) {
 var v = sum;
 if ((p.flags & BIAS) != 0u) {
  v += bias[row];
 }
 v = activate(p.act, v);
 if ((p.flags & SOFTCAP) != 0u) {
  v = p.softcap * soft_tanh(v / p.softcap);
 }
 if ((p.flags & ADD) != 0u) {
  v += y[at];
 }
 y[at] = v;
}
struct Row {
 token: u32,
 pos: u32,
 cell: u32,
 table: u32,
 base: u32,
 lo: u32,
 hi: u32,
 lo_swa: u32,
 tree: u32,
 ancestors_lo: u32,
 ancestors_hi: u32,
 seq: u32,
 mix_start: u32,
 mix_len: u32,
 reserved0: u32,
 reserved1: u32,
}
struct Step {
 n_rows: u32,
 n_want: u32,
 seed_lo: u32,
 seed_hi: u32,
 window: u32,
 n_out: u32,
 reserved: array<u32, 10>,
 want: array<u32, 16>,
 rows: array<Row>,
}
const MAX_BLOCK = 64u;
const ONE = vec4<f32>(1.0);
struct P {
 n_chunk: u32,
 n_unit: u32,
 n_group: u32,
 n_rows: u32,
 row0: u32,
 block: u32,
 by_expert: u32,
 n_expert: u32,
 glu: u32,
 x_slot_div: u32,
 y_stride: u32,
 count_from: u32,
 max_rows: u32,
 eps: f32,
 act: u32,
 flags: u32,
 softcap: f32,
}
@group(0) @binding(0) var<storage, read> wq: array<vec4<u32>>;
@group(0) @binding(1) var<storage, read> ws: array<u32>;
@group(0) @binding(2) var<storage, read> x: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read> step: Step;
@group(0) @binding(4) var<storage, read> bias: array<f32>;
@group(0) @binding(5) var<storage, read_write> y: array<f32>;
@group(0) @binding(6) var<uniform> p: P;
@compute @workgroup_size(8)
fn main(@builtin(local_invocation_index) r: u32, @builtin(workgroup_id) wg: vec3<u32>) {
 let n = min(select(step.n_rows, step.n_want, p.count_from == 1u), p.max_rows);
 let m0 = wg.y * 8u;
 if (m0 >= n) {
  return;
 }
 let wide = m0 + 4u < n;
 let n_column = select(4u, 8u, wide);
 let first = wg.x * p.block;
 let end = min(p.block, p.n_group - first);
 var sums = array<vec4<f32>, 2u * MAX_BLOCK>();
 var words = array<vec4<f32>, 64>();
 for (var c = 0u; c < p.n_chunk; c++) {
  for (var i = 0u; i < 8u * n_column; i++) {
   let m = i % n_column;
   let word = i / n_column;
   words[word * 8u + m] = x[(min(m0 + m, n - 1u) * p.n_chunk + c) * 8u + word];
  }
  var totals = array<vec4<f32>, 4>();
  if (OFFSETS) {
   for (var i = 0u; i < 8u; i++) {
    let w = 8u * i;
    totals[i / 4u] += ONE * mat4x4<f32>(words[w], words[w + 1u], words[w + 2u], words[w + 3u]);
    totals[2u + i / 4u] += ONE * mat4x4<f32>(words[w + 4u], words[w + 5u], words[w + 6u], words[w + 7u]);
   }
  }
  for (var b = 0u; b < end; b++) {
   let w = coded(first + b, c, r);
   let low = w.q.v0 * mat4x4<f32>(words[0], words[1], words[2], words[3])
    + w.q.v1 * mat4x4<f32>(words[8], words[9], words[10], words[11])
    + w.q.v2 * mat4x4<f32>(words[16], words[17], words[18], words[19])
    + w.q.v3 * mat4x4<f32>(words[24], words[25], words[26], words[27]);
   let high = w.q.v4 * mat4x4<f32>(words[32], words[33], words[34], words[35])
    + w.q.v5 * mat4x4<f32>(words[40], words[41], words[42], words[43])
    + w.q.v6 * mat4x4<f32>(words[48], words[49], words[50], words[51])
    + w.q.v7 * mat4x4<f32>(words[56], words[57], words[58], words[59]);
   sums[2u * b] += w.s.x * low + w.s.y * high + w.s.z * totals[0] + w.s.w * totals[1];
   if (wide) {
    let low = w.q.v0 * mat4x4<f32>(words[4], words[5], words[6], words[7])
     + w.q.v1 * mat4x4<f32>(words[12], words[13], words[14], words[15])
     + w.q.v2 * mat4x4<f32>(words[20], words[21], words[22], words[23])
     + w.q.v3 * mat4x4<f32>(words[28], words[29], words[30], words[31]);
    let high = w.q.v4 * mat4x4<f32>(words[36], words[37], words[38], words[39])
     + w.q.v5 * mat4x4<f32>(words[44], words[45], words[46], words[47])
     + w.q.v6 * mat4x4<f32>(words[52], words[53], words[54], words[55])
     + w.q.v7 * mat4x4<f32>(words[60], words[61], words[62], words[63]);
    sums[2u * b + 1u] += w.s.x * low + w.s.y * high + w.s.z * totals[2] + w.s.w * totals[3];
   }
  }
 }
 for (var b = 0u; b < end; b++) {
  let row = (first + b) * 8u + r;
  if (row < p.n_rows) {
   for (var m = m0; m < min(m0 + 8u, n); m++) {
    store(sums[2u * b + (m - m0) / 4u][m % 4u], p.row0 + row, m * p.y_stride + p.row0 + row);
   }
  }
 }
}
",
    },
    Shader {
        name: "matmul_soft_q5k_one",
        kernel: "matmul_soft",
        workgroup_size: [8, 1, 1],
        bindings: &[
            Binding { index: 0, name: "wq", kind: BindingKind::Read, min_size: 16 },
            Binding { index: 1, name: "ws", kind: BindingKind::Read, min_size: 4 },
            Binding { index: 2, name: "x", kind: BindingKind::Read, min_size: 16 },
            Binding { index: 3, name: "norm", kind: BindingKind::Read, min_size: 16 },
            Binding { index: 4, name: "bias", kind: BindingKind::Read, min_size: 4 },
            Binding { index: 5, name: "y", kind: BindingKind::ReadWrite, min_size: 4 },
            Binding { index: 6, name: "sel", kind: BindingKind::Read, min_size: 4 },
            Binding { index: 7, name: "p", kind: BindingKind::Uniform, min_size: 68 },
        ],
        overrides: &[],
        needs: &[],
        workgroup_bytes: 0,
        uniform: &[
            UniformField { name: "n_chunk", offset: 0, size: 4 },
            UniformField { name: "n_unit", offset: 4, size: 4 },
            UniformField { name: "n_group", offset: 8, size: 4 },
            UniformField { name: "n_rows", offset: 12, size: 4 },
            UniformField { name: "row0", offset: 16, size: 4 },
            UniformField { name: "block", offset: 20, size: 4 },
            UniformField { name: "by_expert", offset: 24, size: 4 },
            UniformField { name: "n_expert", offset: 28, size: 4 },
            UniformField { name: "glu", offset: 32, size: 4 },
            UniformField { name: "x_slot_div", offset: 36, size: 4 },
            UniformField { name: "y_stride", offset: 40, size: 4 },
            UniformField { name: "count_from", offset: 44, size: 4 },
            UniformField { name: "max_rows", offset: 48, size: 4 },
            UniformField { name: "eps", offset: 52, size: 4 },
            UniformField { name: "act", offset: 56, size: 4 },
            UniformField { name: "flags", offset: 60, size: 4 },
            UniformField { name: "softcap", offset: 64, size: 4 },
        ],
        wgsl: r"struct Chunk {
 v0: vec4<f32>,
 v1: vec4<f32>,
 v2: vec4<f32>,
 v3: vec4<f32>,
 v4: vec4<f32>,
 v5: vec4<f32>,
 v6: vec4<f32>,
 v7: vec4<f32>,
}
struct Coded {
 q: Chunk,
 s: vec4<f32>,
}
fn chunk_dot(a: Chunk, b: Chunk) -> f32 {
 return dot(a.v0, b.v0) + dot(a.v1, b.v1) + dot(a.v2, b.v2) + dot(a.v3, b.v3)
  + dot(a.v4, b.v4) + dot(a.v5, b.v5) + dot(a.v6, b.v6) + dot(a.v7, b.v7);
}
fn chunk_mul(a: Chunk, b: Chunk) -> Chunk {
 return Chunk(a.v0 * b.v0, a.v1 * b.v1, a.v2 * b.v2, a.v3 * b.v3,
  a.v4 * b.v4, a.v5 * b.v5, a.v6 * b.v6, a.v7 * b.v7);
}
fn half_dots(a: Chunk, b: Chunk) -> vec2<f32> {
 return vec2<f32>(dot(a.v0, b.v0) + dot(a.v1, b.v1) + dot(a.v2, b.v2) + dot(a.v3, b.v3),
  dot(a.v4, b.v4) + dot(a.v5, b.v5) + dot(a.v6, b.v6) + dot(a.v7, b.v7));
}
fn quants(g: u32, c: u32, r: u32, n_word: u32, word: u32) -> vec4<u32> {
 return wq[((g * p.n_chunk + c) * n_word + word) * 8u + r];
}
fn scale_word(g: u32, unit: u32, r: u32, n_word: u32, word: u32) -> u32 {
 return ws[((g * p.n_unit + unit) * n_word + word) * 8u + r];
}
fn nibbles(w: u32) -> vec4<u32> {
 return (vec4<u32>(w) >> vec4<u32>(0u, 8u, 16u, 24u)) & vec4<u32>(15u);
}
fn five(w: u32, bits: u32) -> vec4<f32> {
 return vec4<f32>(nibbles(w) | (((vec4<u32>(bits) >> vec4<u32>(0u, 1u, 2u, 3u)) & vec4<u32>(1u)) << vec4<u32>(4u)));
}
fn five_chunk(q: vec4<u32>, bits: u32) -> Chunk {
 let h = q >> vec4<u32>(4u);
 return Chunk(five(q.x, bits), five(q.y, bits >> 4u), five(q.z, bits >> 8u), five(q.w, bits >> 12u),
  five(h.x, bits >> 16u), five(h.y, bits >> 20u), five(h.z, bits >> 24u), five(h.w, bits >> 28u));
}
fn half(h: u32) -> f32 {
 let m = h & 0x7fffu;
 let rebias = select(0x38000000u, 0x70000000u, m >= 0x7c00u);
 let v = select(bitcast<f32>((m << 13u) + rebias), f32(m) * 0x1p-24f, m < 0x400u);
 return bitcast<f32>(bitcast<u32>(v) | ((h & 0x8000u) << 16u));
}
fn half2(w: u32) -> vec2<f32> {
 return vec2<f32>(half(w & 0xffffu), half(w >> 16u));
}
fn scale_min(g: u32, c: u32, r: u32, n_word: u32) -> vec4<f32> {
 let d = half2(scale_word(g, c / 8u, r, n_word, 0u));
 let f = scale_word(g, c / 8u, r, n_word, 1u + (c % 8u) / 2u) >> (16u * (c % 2u));
 let s = d * vec2<f32>(f32(f & 255u), f32((f >> 8u) & 255u));
 return vec4<f32>(s.x, s.x, -s.y, -s.y);
}
fn coded(g: u32, c: u32, r: u32) -> Coded {
 let bits = scale_word(g, c / 8u, r, 13u, 5u + c % 8u);
 return Coded(five_chunk(quants(g, c, r, 1u, 0u), bits), scale_min(g, c, r, 13u));
}
fn soft_tanh(v: f32) -> f32 {
 let e = exp(-2.0 * min(abs(v), 15.0));
 return sign(v) * ((1.0 - e) / (1.0 + e));
}
fn silu(v: f32) -> f32 {
 return v / (1.0 + exp(clamp(-v, -80.0, 80.0)));
}
fn gelu_tanh(v: f32) -> f32 {
 return 0.5 * v * (1.0 + soft_tanh(0.7978845608 * (v + 0.044715 * v * v * v)));
}
fn activate(kind: u32, v: f32) -> f32 {
 if (kind == 1u) {
  return silu(v);
 }
 if (kind == 2u) {
  return gelu_tanh(v);
 }
 return v;
}
const ADD = 1u;
const BIAS = 2u;
const SOFTCAP = 4u;
fn store(sum: f32, row: u32, at: u32) {
 var v = sum;
 if ((p.flags & BIAS) != 0u) {
  v += bias[row];
 }
 v = activate(p.act, v);
 if ((p.flags & SOFTCAP) != 0u) {
  v = p.softcap * soft_tanh(v / p.softcap);
 }
 if ((p.flags & ADD) != 0u) {
  v += y[at];
 }
 y[at] = v;
}
const MAX_BLOCK = 64u;
const NONE = 0xffffffffu;
const NORM = 8u;
const ONE = vec4<f32>(1.0);
const ONES = Chunk(ONE, ONE, ONE, ONE, ONE, ONE, ONE, ONE);
struct P {
 n_chunk: u32,
 n_unit: u32,
 n_group: u32,
 n_rows: u32,
 row0: u32,
 block: u32,
 by_expert: u32,
 n_expert: u32,
 glu: u32,
 x_slot_div: u32,
 y_stride: u32,
 count_from: u32,
 max_rows: u32,
 eps: f32,
 act: u32,
 flags: u32,
 softcap: f32,
}
@group(0) @binding(0) var<storage, read> wq: array<vec4<u32>>;
@group(0) @binding(1) var<storage, read> ws: array<u32>;
@group(0) @binding(2) var<storage, read> x: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read> norm: array<vec4<f32>>;
@group(0) @binding(4) var<storage, read> bias: array<f32>;
@group(0) @binding(5) var<storage, read_write> y: array<f32>;
@group(0) @binding(6) var<storage, read> sel: array<u32>;
@group(0) @binding(7) var<uniform> p: P;
@compute @workgroup_size(8)
fn main(@builtin(local_invocation_index) r: u32, @builtin(workgroup_id) wg: vec3<u32>) {
 var first = wg.x * p.block;
 let end = min(p.block, p.n_group - first);
 var expert = 0u;
 if (p.by_expert == 1u) {
  expert = sel[wg.y];
  if (expert == NONE) {
   return;
  }
  expert = min(expert, p.n_expert - 1u);
 }
 let g = first + expert * p.n_group;
 let x0 = wg.y / p.x_slot_div * p.n_chunk * 8u;
 var sums = array<f32, MAX_BLOCK>();
 var square = 0.0;
 for (var c = 0u; c < p.n_chunk; c++) {
  let at = x0 + c * 8u;
  var v = Chunk(x[at], x[at + 1u], x[at + 2u], x[at + 3u], x[at + 4u], x[at + 5u], x[at + 6u], x[at + 7u]);
  if ((p.flags & NORM) != 0u) {
   square += chunk_dot(v, v);
   let w = c * 8u;
   v = chunk_mul(v, Chunk(norm[w], norm[w + 1u], norm[w + 2u], norm[w + 3u],
    norm[w + 4u], norm[w + 5u], norm[w + 6u], norm[w + 7u]));
  }
  let total = half_dots(v, ONES);
  for (var b = 0u; b < end; b++) {
   let w = coded(g + b, c, r);
   let halves = half_dots(w.q, v);
   sums[b] += w.s.x * halves.x + w.s.y * halves.y + w.s.z * total.x + w.s.w * total.y;
  }
 }
 let factor = select(1.0, inverseSqrt(square / f32(p.n_chunk * 32u) + p.eps), (p.flags & NORM) != 0u);
 let y0 = wg.y * p.y_stride + p.row0;
 if (p.glu == 1u) {
  for (var b = 0u; b < end; b += 2u) {
   let row = (first + b) * 4u + r;
   if (row < p.n_rows) {
    y[y0 + row] = activate(p.act, sums[b] * factor) * (sums[b + 1u] * factor);
   }
  }
  return;
 }
 for (var b = 0u; b < end; b++) {
  let row = (first + b) * 8u + r;
  if (row < p.n_rows) {
   store(sums[b] * factor, p.row0 + row, y0 + row);
  }
 }
}
",
    },
    Shader {
        name: "matmul_soft_q6k_eight",
        kernel: "matmul_soft",
        workgroup_size: [8, 1, 1],
        bindings: &[
            Binding { index: 0, name: "wq", kind: BindingKind::Read, min_size: 16 },
            Binding { index: 1, name: "ws", kind: BindingKind::Read, min_size: 4 },
            Binding { index: 2, name: "x", kind: BindingKind::Read, min_size: 16 },
            Binding { index: 3, name: "step", kind: BindingKind::Read, min_size: 192 },
            Binding { index: 4, name: "bias", kind: BindingKind::Read, min_size: 4 },
            Binding { index: 5, name: "y", kind: BindingKind::ReadWrite, min_size: 4 },
            Binding { index: 6, name: "p", kind: BindingKind::Uniform, min_size: 68 },
        ],
        overrides: &[],
        needs: &[],
        workgroup_bytes: 0,
        uniform: &[
            UniformField { name: "n_chunk", offset: 0, size: 4 },
            UniformField { name: "n_unit", offset: 4, size: 4 },
            UniformField { name: "n_group", offset: 8, size: 4 },
            UniformField { name: "n_rows", offset: 12, size: 4 },
            UniformField { name: "row0", offset: 16, size: 4 },
            UniformField { name: "block", offset: 20, size: 4 },
            UniformField { name: "by_expert", offset: 24, size: 4 },
            UniformField { name: "n_expert", offset: 28, size: 4 },
            UniformField { name: "glu", offset: 32, size: 4 },
            UniformField { name: "x_slot_div", offset: 36, size: 4 },
            UniformField { name: "y_stride", offset: 40, size: 4 },
            UniformField { name: "count_from", offset: 44, size: 4 },
            UniformField { name: "max_rows", offset: 48, size: 4 },
            UniformField { name: "eps", offset: 52, size: 4 },
            UniformField { name: "act", offset: 56, size: 4 },
            UniformField { name: "flags", offset: 60, size: 4 },
            UniformField { name: "softcap", offset: 64, size: 4 },
        ],
        wgsl: r"struct Chunk {
 v0: vec4<f32>,
 v1: vec4<f32>,
 v2: vec4<f32>,
 v3: vec4<f32>,
 v4: vec4<f32>,
 v5: vec4<f32>,
 v6: vec4<f32>,
 v7: vec4<f32>,
}
struct Coded {
 q: Chunk,
 s: vec4<f32>,
}
fn quants(g: u32, c: u32, r: u32, n_word: u32, word: u32) -> vec4<u32> {
 return wq[((g * p.n_chunk + c) * n_word + word) * 8u + r];
}
fn scale_word(g: u32, unit: u32, r: u32, n_word: u32, word: u32) -> u32 {
 return ws[((g * p.n_unit + unit) * n_word + word) * 8u + r];
}
fn nibbles(w: u32) -> vec4<u32> {
 return (vec4<u32>(w) >> vec4<u32>(0u, 8u, 16u, 24u)) & vec4<u32>(15u);
}
fn signed_byte(b: u32) -> f32 {
 return f32(bitcast<i32>(b << 24u) >> 24u);
}
fn half(h: u32) -> f32 {
 let m = h & 0x7fffu;
 let rebias = select(0x38000000u, 0x70000000u, m >= 0x7c00u);
 let v = select(bitcast<f32>((m << 13u) + rebias), f32(m) * 0x1p-24f, m < 0x400u);
 return bitcast<f32>(bitcast<u32>(v) | ((h & 0x8000u) << 16u));
}
fn byte_pair(g: u32, c: u32, r: u32, n_word: u32) -> u32 {
 return scale_word(g, c / 8u, r, n_word, 1u + (c % 8u) / 2u) >> (16u * (c % 2u));
}
fn centred(q: vec4<u32>, middle: i32) -> vec4<f32> {
 return vec4<f32>(vec4<i32>(q) - vec4<i32>(middle));
}
fn six(w: u32, bits: u32) -> vec4<f32> {
 let upper = (vec4<u32>(bits) >> vec4<u32>(0u, 2u, 4u, 6u)) & vec4<u32>(3u);
 return centred(nibbles(w) | (upper << vec4<u32>(4u)), 32);
}
fn coded(g: u32, c: u32, r: u32) -> Coded {
 let d = half(scale_word(g, c / 8u, r, 21u, 0u) & 0xffffu);
 let f = byte_pair(g, c, r, 21u);
 let a = scale_word(g, c / 8u, r, 21u, 5u + 2u * (c % 8u));
 let b = scale_word(g, c / 8u, r, 21u, 6u + 2u * (c % 8u));
 let q = quants(g, c, r, 1u, 0u);
 let h = q >> vec4<u32>(4u);
 let v = Chunk(six(q.x, a), six(q.y, a >> 8u), six(q.z, a >> 16u), six(q.w, a >> 24u),
  six(h.x, b), six(h.y, b >> 8u), six(h.z, b >> 16u), six(h.w, b >> 24u));
 return Coded(v, vec4<f32>(d * signed_byte(f), d * signed_byte(f >> 8u), 0.0, 0.0));
}
const OFFSETS = false;
fn soft_tanh(v: f32) -> f32 {
 let e = exp(-2.0 * min(abs(v), 15.0));
 return sign(v) * ((1.0 - e) / (1.0 + e));
}
fn silu(v: f32) -> f32 {
 return v / (1.0 + exp(clamp(-v, -80.0, 80.0)));
}
fn gelu_tanh(v: f32) -> f32 {
 return 0.5 * v * (1.0 + soft_tanh(0.7978845608 * (v + 0.044715 * v * v * v)));
}
fn activate(kind: u32, v: f32) -> f32 {
 if (kind == 1u) {
  return silu(v);
 }
 if (kind == 2u) {
  return gelu_tanh(v);
 }
 return v;
}
const ADD = 1u;
const BIAS = 2u;
const SOFTCAP = 4u;
fn store(sum: f32, row: u32, at: u32) {
 var v = sum;
 if ((p.flags & BIAS) != 0u) {
  v += bias[row];
 }
 v = activate(p.act, v);
 if ((p.flags & SOFTCAP) != 0u) {
  v = p.softcap * soft_tanh(v / p.softcap);
 }
 if ((p.flags & ADD) != 0u) {
  v += y[at];
 }
 y[at] = v;
}
struct Row {
 token: u32,
 pos: u32,
 cell: u32,
 table: u32,
 base: u32,
 lo: u32,
 hi: u32,
 lo_swa: u32,
 tree: u32,
 ancestors_lo: u32,
 ancestors_hi: u32,
 seq: u32,
 mix_start: u32,
 mix_len: u32,
 reserved0: u32,
 reserved1: u32,
}
struct Step {
 n_rows: u32,
 n_want: u32,
 seed_lo: u32,
 seed_hi: u32,
 window: u32,
 n_out: u32,
 reserved: array<u32, 10>,
 want: array<u32, 16>,
 rows: array<Row>,
}
const MAX_BLOCK = 64u;
const ONE = vec4<f32>(1.0);
struct P {
 n_chunk: u32,
 n_unit: u32,
 n_group: u32,
 n_rows: u32,
 row0: u32,
 block: u32,
 by_expert: u32,
 n_expert: u32,
 glu: u32,
 x_slot_div: u32,
 y_stride: u32,
 count_from: u32,
 max_rows: u32,
 eps: f32,
 act: u32,
 flags: u32,
 softcap: f32,
}
@group(0) @binding(0) var<storage, read> wq: array<vec4<u32>>;
@group(0) @binding(1) var<storage, read> ws: array<u32>;
@group(0) @binding(2) var<storage, read> x: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read> step: Step;
@group(0) @binding(4) var<storage, read> bias: array<f32>;
@group(0) @binding(5) var<storage, read_write> y: array<f32>;
@group(0) @binding(6) var<uniform> p: P;
@compute @workgroup_size(8)
fn main(@builtin(local_invocation_index) r: u32, @builtin(workgroup_id) wg: vec3<u32>) {
 let n = min(select(step.n_rows, step.n_want, p.count_from == 1u), p.max_rows);
 let m0 = wg.y * 8u;
 if (m0 >= n) {
  return;
 }
 let wide = m0 + 4u < n;
 let n_column = select(4u, 8u, wide);
 let first = wg.x * p.block;
 let end = min(p.block, p.n_group - first);
 var sums = array<vec4<f32>, 2u * MAX_BLOCK>();
 var words = array<vec4<f32>, 64>();
 for (var c = 0u; c < p.n_chunk; c++) {
  for (var i = 0u; i < 8u * n_column; i++) {
   let m = i % n_column;
   let word = i / n_column;
   words[word * 8u + m] = x[(min(m0 + m, n - 1u) * p.n_chunk + c) * 8u + word];
  }
  var totals = array<vec4<f32>, 4>();
  if (OFFSETS) {
   for (var i = 0u; i < 8u; i++) {
    let w = 8u * i;
    totals[i / 4u] += ONE * mat4x4<f32>(words[w], words[w + 1u], words[w + 2u], words[w + 3u]);
    totals[2u + i / 4u] += ONE * mat4x4<f32>(words[w + 4u], words[w + 5u], words[w + 6u], words[w + 7u]);
   }
  }
  for (var b = 0u; b < end; b++) {
   let w = coded(first + b, c, r);
   let low = w.q.v0 * mat4x4<f32>(words[0], words[1], words[2], words[3])
    + w.q.v1 * mat4x4<f32>(words[8], words[9], words[10], words[11])
    + w.q.v2 * mat4x4<f32>(words[16], words[17], words[18], words[19])
    + w.q.v3 * mat4x4<f32>(words[24], words[25], words[26], words[27]);
   let high = w.q.v4 * mat4x4<f32>(words[32], words[33], words[34], words[35])
    + w.q.v5 * mat4x4<f32>(words[40], words[41], words[42], words[43])
    + w.q.v6 * mat4x4<f32>(words[48], words[49], words[50], words[51])
    + w.q.v7 * mat4x4<f32>(words[56], words[57], words[58], words[59]);
   sums[2u * b] += w.s.x * low + w.s.y * high + w.s.z * totals[0] + w.s.w * totals[1];
   if (wide) {
    let low = w.q.v0 * mat4x4<f32>(words[4], words[5], words[6], words[7])
     + w.q.v1 * mat4x4<f32>(words[12], words[13], words[14], words[15])
     + w.q.v2 * mat4x4<f32>(words[20], words[21], words[22], words[23])
     + w.q.v3 * mat4x4<f32>(words[28], words[29], words[30], words[31]);
    let high = w.q.v4 * mat4x4<f32>(words[36], words[37], words[38], words[39])
     + w.q.v5 * mat4x4<f32>(words[44], words[45], words[46], words[47])
     + w.q.v6 * mat4x4<f32>(words[52], words[53], words[54], words[55])
     + w.q.v7 * mat4x4<f32>(words[60], words[61], words[62], words[63]);
    sums[2u * b + 1u] += w.s.x * low + w.s.y * high + w.s.z * totals[2] + w.s.w * totals[3];
   }
  }
 }
 for (var b = 0u; b < end; b++) {
  let row = (first + b) * 8u + r;
  if (row < p.n_rows) {
   for (var m = m0; m < min(m0 + 8u, n); m++) {
    store(sums[2u * b + (m - m0) / 4u][m % 4u], p.row0 + row, m * p.y_stride + p.row0 + row);
   }
  }
 }
}
",
    },
    Shader {
        name: "matmul_soft_q6k_one",
        kernel: "matmul_soft",
        workgroup_size: [8, 1, 1],
        bindings: &[
            Binding { index: 0, name: "wq", kind: BindingKind::Read, min_size: 16 },
            Binding { index: 1, name: "ws", kind: BindingKind::Read, min_size: 4 },
            Binding { index: 2, name: "x", kind: BindingKind::Read, min_size: 16 },
            Binding { index: 3, name: "norm", kind: BindingKind::Read, min_size: 16 },
            Binding { index: 4, name: "bias", kind: BindingKind::Read, min_size: 4 },
            Binding { index: 5, name: "y", kind: BindingKind::ReadWrite, min_size: 4 },
            Binding { index: 6, name: "sel", kind: BindingKind::Read, min_size: 4 },
            Binding { index: 7, name: "p", kind: BindingKind::Uniform, min_size: 68 },
        ],
        overrides: &[],
        needs: &[],
        workgroup_bytes: 0,
        uniform: &[
            UniformField { name: "n_chunk", offset: 0, size: 4 },
            UniformField { name: "n_unit", offset: 4, size: 4 },
            UniformField { name: "n_group", offset: 8, size: 4 },
            UniformField { name: "n_rows", offset: 12, size: 4 },
            UniformField { name: "row0", offset: 16, size: 4 },
            UniformField { name: "block", offset: 20, size: 4 },
            UniformField { name: "by_expert", offset: 24, size: 4 },
            UniformField { name: "n_expert", offset: 28, size: 4 },
            UniformField { name: "glu", offset: 32, size: 4 },
            UniformField { name: "x_slot_div", offset: 36, size: 4 },
            UniformField { name: "y_stride", offset: 40, size: 4 },
            UniformField { name: "count_from", offset: 44, size: 4 },
            UniformField { name: "max_rows", offset: 48, size: 4 },
            UniformField { name: "eps", offset: 52, size: 4 },
            UniformField { name: "act", offset: 56, size: 4 },
            UniformField { name: "flags", offset: 60, size: 4 },
            UniformField { name: "softcap", offset: 64, size: 4 },
        ],
        wgsl: r"struct Chunk {
 v0: vec4<f32>,
 v1: vec4<f32>,
 v2: vec4<f32>,
 v3: vec4<f32>,
 v4: vec4<f32>,
 v5: vec4<f32>,
 v6: vec4<f32>,
 v7: vec4<f32>,
}
struct Coded {
 q: Chunk,
 s: vec4<f32>,
}
fn chunk_dot(a: Chunk, b: Chunk) -> f32 {
 return dot(a.v0, b.v0) + dot(a.v1, b.v1) + dot(a.v2, b.v2) + dot(a.v3, b.v3)
  + dot(a.v4, b.v4) + dot(a.v5, b.v5) + dot(a.v6, b.v6) + dot(a.v7, b.v7);
}
fn chunk_mul(a: Chunk, b: Chunk) -> Chunk {
 return Chunk(a.v0 * b.v0, a.v1 * b.v1, a.v2 * b.v2, a.v3 * b.v3,
  a.v4 * b.v4, a.v5 * b.v5, a.v6 * b.v6, a.v7 * b.v7);
}
fn half_dots(a: Chunk, b: Chunk) -> vec2<f32> {
 return vec2<f32>(dot(a.v0, b.v0) + dot(a.v1, b.v1) + dot(a.v2, b.v2) + dot(a.v3, b.v3),
  dot(a.v4, b.v4) + dot(a.v5, b.v5) + dot(a.v6, b.v6) + dot(a.v7, b.v7));
}
fn quants(g: u32, c: u32, r: u32, n_word: u32, word: u32) -> vec4<u32> {
 return wq[((g * p.n_chunk + c) * n_word + word) * 8u + r];
}
fn scale_word(g: u32, unit: u32, r: u32, n_word: u32, word: u32) -> u32 {
 return ws[((g * p.n_unit + unit) * n_word + word) * 8u + r];
}
fn nibbles(w: u32) -> vec4<u32> {
 return (vec4<u32>(w) >> vec4<u32>(0u, 8u, 16u, 24u)) & vec4<u32>(15u);
}
fn signed_byte(b: u32) -> f32 {
 return f32(bitcast<i32>(b << 24u) >> 24u);
}
fn half(h: u32) -> f32 {
 let m = h & 0x7fffu;
 let rebias = select(0x38000000u, 0x70000000u, m >= 0x7c00u);
 let v = select(bitcast<f32>((m << 13u) + rebias), f32(m) * 0x1p-24f, m < 0x400u);
 return bitcast<f32>(bitcast<u32>(v) | ((h & 0x8000u) << 16u));
}
fn byte_pair(g: u32, c: u32, r: u32, n_word: u32) -> u32 {
 return scale_word(g, c / 8u, r, n_word, 1u + (c % 8u) / 2u) >> (16u * (c % 2u));
}
fn centred(q: vec4<u32>, middle: i32) -> vec4<f32> {
 return vec4<f32>(vec4<i32>(q) - vec4<i32>(middle));
}
fn six(w: u32, bits: u32) -> vec4<f32> {
 let upper = (vec4<u32>(bits) >> vec4<u32>(0u, 2u, 4u, 6u)) & vec4<u32>(3u);
 return centred(nibbles(w) | (upper << vec4<u32>(4u)), 32);
}
fn coded(g: u32, c: u32, r: u32) -> Coded {
 let d = half(scale_word(g, c / 8u, r, 21u, 0u) & 0xffffu);
 let f = byte_pair(g, c, r, 21u);
 let a = scale_word(g, c / 8u, r, 21u, 5u + 2u * (c % 8u));
 let b = scale_word(g, c / 8u, r, 21u, 6u + 2u * (c % 8u));
 let q = quants(g, c, r, 1u, 0u);
 let h = q >> vec4<u32>(4u);
 let v = Chunk(six(q.x, a), six(q.y, a >> 8u), six(q.z, a >> 16u), six(q.w, a >> 24u),
  six(h.x, b), six(h.y, b >> 8u), six(h.z, b >> 16u), six(h.w, b >> 24u));
 return Coded(v, vec4<f32>(d * signed_byte(f), d * signed_byte(f >> 8u), 0.0, 0.0));
}
fn soft_tanh(v: f32) -> f32 {
 let e = exp(-2.0 * min(abs(v), 15.0));
 return sign(v) * ((1.0 - e) / (1.0 + e));
}
fn silu(v: f32) -> f32 {
 return v / (1.0 + exp(clamp(-v, -80.0, 80.0)));
}
fn gelu_tanh(v: f32) -> f32 {
 return 0.5 * v * (1.0 + soft_tanh(0.7978845608 * (v + 0.044715 * v * v * v)));
}
fn activate(kind: u32, v: f32) -> f32 {
 if (kind == 1u) {
  return silu(v);
 }
 if (kind == 2u) {
  return gelu_tanh(v);
 }
 return v;
}
const ADD = 1u;
const BIAS = 2u;
const SOFTCAP = 4u;
fn store(sum: f32, row: u32, at: u32) {
 var v = sum;
 if ((p.flags & BIAS) != 0u) {
  v += bias[row];
 }
 v = activate(p.act, v);
 if ((p.flags & SOFTCAP) != 0u) {
  v = p.softcap * soft_tanh(v / p.softcap);
 }
 if ((p.flags & ADD) != 0u) {
  v += y[at];
 }
 y[at] = v;
}
const MAX_BLOCK = 64u;
const NONE = 0xffffffffu;
const NORM = 8u;
const ONE = vec4<f32>(1.0);
const ONES = Chunk(ONE, ONE, ONE, ONE, ONE, ONE, ONE, ONE);
struct P {
 n_chunk: u32,
 n_unit: u32,
 n_group: u32,
 n_rows: u32,
 row0: u32,
 block: u32,
 by_expert: u32,
 n_expert: u32,
 glu: u32,
 x_slot_div: u32,
 y_stride: u32,
 count_from: u32,
 max_rows: u32,
 eps: f32,
 act: u32,
 flags: u32,
 softcap: f32,
}
@group(0) @binding(0) var<storage, read> wq: array<vec4<u32>>;
@group(0) @binding(1) var<storage, read> ws: array<u32>;
@group(0) @binding(2) var<storage, read> x: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read> norm: array<vec4<f32>>;
@group(0) @binding(4) var<storage, read> bias: array<f32>;
@group(0) @binding(5) var<storage, read_write> y: array<f32>;
@group(0) @binding(6) var<storage, read> sel: array<u32>;
@group(0) @binding(7) var<uniform> p: P;
@compute @workgroup_size(8)
fn main(@builtin(local_invocation_index) r: u32, @builtin(workgroup_id) wg: vec3<u32>) {
 var first = wg.x * p.block;
 let end = min(p.block, p.n_group - first);
 var expert = 0u;
 if (p.by_expert == 1u) {
  expert = sel[wg.y];
  if (expert == NONE) {
   return;
  }
  expert = min(expert, p.n_expert - 1u);
 }
 let g = first + expert * p.n_group;
 let x0 = wg.y / p.x_slot_div * p.n_chunk * 8u;
 var sums = array<f32, MAX_BLOCK>();
 var square = 0.0;
 for (var c = 0u; c < p.n_chunk; c++) {
  let at = x0 + c * 8u;
  var v = Chunk(x[at], x[at + 1u], x[at + 2u], x[at + 3u], x[at + 4u], x[at + 5u], x[at + 6u], x[at + 7u]);
  if ((p.flags & NORM) != 0u) {
   square += chunk_dot(v, v);
   let w = c * 8u;
   v = chunk_mul(v, Chunk(norm[w], norm[w + 1u], norm[w + 2u], norm[w + 3u],
    norm[w + 4u], norm[w + 5u], norm[w + 6u], norm[w + 7u]));
  }
  let total = half_dots(v, ONES);
  for (var b = 0u; b < end; b++) {
   let w = coded(g + b, c, r);
   let halves = half_dots(w.q, v);
   sums[b] += w.s.x * halves.x + w.s.y * halves.y + w.s.z * total.x + w.s.w * total.y;
  }
 }
 let factor = select(1.0, inverseSqrt(square / f32(p.n_chunk * 32u) + p.eps), (p.flags & NORM) != 0u);
 let y0 = wg.y * p.y_stride + p.row0;
 if (p.glu == 1u) {
  for (var b = 0u; b < end; b += 2u) {
   let row = (first + b) * 4u + r;
   if (row < p.n_rows) {
    y[y0 + row] = activate(p.act, sums[b] * factor) * (sums[b + 1u] * factor);
   }
  }
  return;
 }
 for (var b = 0u; b < end; b++) {
  let row = (first + b) * 8u + r;
  if (row < p.n_rows) {
   store(sums[b] * factor, p.row0 + row, y0 + row);
  }
 }
}
",
    },
    Shader {
        name: "matmul_soft_q8_eight",
        kernel: "matmul_soft",
        workgroup_size: [8, 1, 1],
        bindings: &[
            Binding { index: 0, name: "wq", kind: BindingKind::Read, min_size: 16 },
            Binding { index: 1, name: "ws", kind: BindingKind::Read, min_size: 4 },
            Binding { index: 2, name: "x", kind: BindingKind::Read, min_size: 16 },
            Binding { index: 3, name: "step", kind: BindingKind::Read, min_size: 192 },
            Binding { index: 4, name: "bias", kind: BindingKind::Read, min_size: 4 },
            Binding { index: 5, name: "y", kind: BindingKind::ReadWrite, min_size: 4 },
            Binding { index: 6, name: "p", kind: BindingKind::Uniform, min_size: 68 },
        ],
        overrides: &[],
        needs: &[],
        workgroup_bytes: 0,
        uniform: &[
            UniformField { name: "n_chunk", offset: 0, size: 4 },
            UniformField { name: "n_unit", offset: 4, size: 4 },
            UniformField { name: "n_group", offset: 8, size: 4 },
            UniformField { name: "n_rows", offset: 12, size: 4 },
            UniformField { name: "row0", offset: 16, size: 4 },
            UniformField { name: "block", offset: 20, size: 4 },
            UniformField { name: "by_expert", offset: 24, size: 4 },
            UniformField { name: "n_expert", offset: 28, size: 4 },
            UniformField { name: "glu", offset: 32, size: 4 },
            UniformField { name: "x_slot_div", offset: 36, size: 4 },
            UniformField { name: "y_stride", offset: 40, size: 4 },
            UniformField { name: "count_from", offset: 44, size: 4 },
            UniformField { name: "max_rows", offset: 48, size: 4 },
            UniformField { name: "eps", offset: 52, size: 4 },
            UniformField { name: "act", offset: 56, size: 4 },
            UniformField { name: "flags", offset: 60, size: 4 },
            UniformField { name: "softcap", offset: 64, size: 4 },
        ],
        wgsl: r"struct Chunk {
 v0: vec4<f32>,
 v1: vec4<f32>,
 v2: vec4<f32>,
 v3: vec4<f32>,
 v4: vec4<f32>,
 v5: vec4<f32>,
 v6: vec4<f32>,
 v7: vec4<f32>,
}
struct Coded {
 q: Chunk,
 s: vec4<f32>,
}
fn quants(g: u32, c: u32, r: u32, n_word: u32, word: u32) -> vec4<u32> {
 return wq[((g * p.n_chunk + c) * n_word + word) * 8u + r];
}
fn scale_word(g: u32, unit: u32, r: u32, n_word: u32, word: u32) -> u32 {
 return ws[((g * p.n_unit + unit) * n_word + word) * 8u + r];
}
fn signed_bytes(w: u32) -> vec4<i32> {
 return bitcast<vec4<i32>>(vec4<u32>(w) << vec4<u32>(24u, 16u, 8u, 0u)) >> vec4<u32>(24u);
}
fn half(h: u32) -> f32 {
 let m = h & 0x7fffu;
 let rebias = select(0x38000000u, 0x70000000u, m >= 0x7c00u);
 let v = select(bitcast<f32>((m << 13u) + rebias), f32(m) * 0x1p-24f, m < 0x400u);
 return bitcast<f32>(bitcast<u32>(v) | ((h & 0x8000u) << 16u));
}
fn coded(g: u32, c: u32, r: u32) -> Coded {
 let a = quants(g, c, r, 2u, 0u);
 let b = quants(g, c, r, 2u, 1u);
 let s = half((scale_word(g, c / 2u, r, 1u, 0u) >> (16u * (c % 2u))) & 0xffffu);
 let q = Chunk(vec4<f32>(signed_bytes(a.x)), vec4<f32>(signed_bytes(a.y)), vec4<f32>(signed_bytes(a.z)),
  vec4<f32>(signed_bytes(a.w)), vec4<f32>(signed_bytes(b.x)), vec4<f32>(signed_bytes(b.y)),
  vec4<f32>(signed_bytes(b.z)), vec4<f32>(signed_bytes(b.w)));
 return Coded(q, vec4<f32>(s, s, 0.0, 0.0));
}
const OFFSETS = false;
fn soft_tanh(v: f32) -> f32 {
 let e = exp(-2.0 * min(abs(v), 15.0));
 return sign(v) * ((1.0 - e) / (1.0 + e));
}
fn silu(v: f32) -> f32 {
 return v / (1.0 + exp(clamp(-v, -80.0, 80.0)));
}
fn gelu_tanh(v: f32) -> f32 {
 return 0.5 * v * (1.0 + soft_tanh(0.7978845608 * (v + 0.044715 * v * v * v)));
}
fn activate(kind: u32, v: f32) -> f32 {
 if (kind == 1u) {
  return silu(v);
 }
 if (kind == 2u) {
  return gelu_tanh(v);
 }
 return v;
}
const ADD = 1u;
const BIAS = 2u;
const SOFTCAP = 4u;
fn store(sum: f32, row: u32, at: u32) {
 var v = sum;
 if ((p.flags & BIAS) != 0u) {
  v += bias[row];
 }
 v = activate(p.act, v);
 if ((p.flags & SOFTCAP) != 0u) {
  v = p.softcap * soft_tanh(v / p.softcap);
 }
 if ((p.flags & ADD) != 0u) {
  v += y[at];
 }
 y[at] = v;
}
struct Row {
 token: u32,
 pos: u32,
 cell: u32,
 table: u32,
 base: u32,
 lo: u32,
 hi: u32,
 lo_swa: u32,
 tree: u32,
 ancestors_lo: u32,
 ancestors_hi: u32,
 seq: u32,
 mix_start: u32,
 mix_len: u32,
 reserved0: u32,
 reserved1: u32,
}
struct Step {
 n_rows: u32,
 n_want: u32,
 seed_lo: u32,
 seed_hi: u32,
 window: u32,
 n_out: u32,
 reserved: array<u32, 10>,
 want: array<u32, 16>,
 rows: array<Row>,
}
const MAX_BLOCK = 64u;
const ONE = vec4<f32>(1.0);
struct P {
 n_chunk: u32,
 n_unit: u32,
 n_group: u32,
 n_rows: u32,
 row0: u32,
 block: u32,
 by_expert: u32,
 n_expert: u32,
 glu: u32,
 x_slot_div: u32,
 y_stride: u32,
 count_from: u32,
 max_rows: u32,
 eps: f32,
 act: u32,
 flags: u32,
 softcap: f32,
}
@group(0) @binding(0) var<storage, read> wq: array<vec4<u32>>;
@group(0) @binding(1) var<storage, read> ws: array<u32>;
@group(0) @binding(2) var<storage, read> x: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read> step: Step;
@group(0) @binding(4) var<storage, read> bias: array<f32>;
@group(0) @binding(5) var<storage, read_write> y: array<f32>;
@group(0) @binding(6) var<uniform> p: P;
@compute @workgroup_size(8)
fn main(@builtin(local_invocation_index) r: u32, @builtin(workgroup_id) wg: vec3<u32>) {
 let n = min(select(step.n_rows, step.n_want, p.count_from == 1u), p.max_rows);
 let m0 = wg.y * 8u;
 if (m0 >= n) {
  return;
 }
 let wide = m0 + 4u < n;
 let n_column = select(4u, 8u, wide);
 let first = wg.x * p.block;
 let end = min(p.block, p.n_group - first);
 var sums = array<vec4<f32>, 2u * MAX_BLOCK>();
 var words = array<vec4<f32>, 64>();
 for (var c = 0u; c < p.n_chunk; c++) {
  for (var i = 0u; i < 8u * n_column; i++) {
   let m = i % n_column;
   let word = i / n_column;
   words[word * 8u + m] = x[(min(m0 + m, n - 1u) * p.n_chunk + c) * 8u + word];
  }
  var totals = array<vec4<f32>, 4>();
  if (OFFSETS) {
   for (var i = 0u; i < 8u; i++) {
    let w = 8u * i;
    totals[i / 4u] += ONE * mat4x4<f32>(words[w], words[w + 1u], words[w + 2u], words[w + 3u]);
    totals[2u + i / 4u] += ONE * mat4x4<f32>(words[w + 4u], words[w + 5u], words[w + 6u], words[w + 7u]);
   }
  }
  for (var b = 0u; b < end; b++) {
   let w = coded(first + b, c, r);
   let low = w.q.v0 * mat4x4<f32>(words[0], words[1], words[2], words[3])
    + w.q.v1 * mat4x4<f32>(words[8], words[9], words[10], words[11])
    + w.q.v2 * mat4x4<f32>(words[16], words[17], words[18], words[19])
    + w.q.v3 * mat4x4<f32>(words[24], words[25], words[26], words[27]);
   let high = w.q.v4 * mat4x4<f32>(words[32], words[33], words[34], words[35])
    + w.q.v5 * mat4x4<f32>(words[40], words[41], words[42], words[43])
    + w.q.v6 * mat4x4<f32>(words[48], words[49], words[50], words[51])
    + w.q.v7 * mat4x4<f32>(words[56], words[57], words[58], words[59]);
   sums[2u * b] += w.s.x * low + w.s.y * high + w.s.z * totals[0] + w.s.w * totals[1];
   if (wide) {
    let low = w.q.v0 * mat4x4<f32>(words[4], words[5], words[6], words[7])
     + w.q.v1 * mat4x4<f32>(words[12], words[13], words[14], words[15])
     + w.q.v2 * mat4x4<f32>(words[20], words[21], words[22], words[23])
     + w.q.v3 * mat4x4<f32>(words[28], words[29], words[30], words[31]);
    let high = w.q.v4 * mat4x4<f32>(words[36], words[37], words[38], words[39])
     + w.q.v5 * mat4x4<f32>(words[44], words[45], words[46], words[47])
     + w.q.v6 * mat4x4<f32>(words[52], words[53], words[54], words[55])
     + w.q.v7 * mat4x4<f32>(words[60], words[61], words[62], words[63]);
    sums[2u * b + 1u] += w.s.x * low + w.s.y * high + w.s.z * totals[2] + w.s.w * totals[3];
   }
  }
 }
 for (var b = 0u; b < end; b++) {
  let row = (first + b) * 8u + r;
  if (row < p.n_rows) {
   for (var m = m0; m < min(m0 + 8u, n); m++) {
    store(sums[2u * b + (m - m0) / 4u][m % 4u], p.row0 + row, m * p.y_stride + p.row0 + row);
   }
  }
 }
}
",
    },
    Shader {
        name: "matmul_soft_q8_one",
        kernel: "matmul_soft",
        workgroup_size: [8, 1, 1],
        bindings: &[
            Binding { index: 0, name: "wq", kind: BindingKind::Read, min_size: 16 },
            Binding { index: 1, name: "ws", kind: BindingKind::Read, min_size: 4 },
            Binding { index: 2, name: "x", kind: BindingKind::Read, min_size: 16 },
            Binding { index: 3, name: "norm", kind: BindingKind::Read, min_size: 16 },
            Binding { index: 4, name: "bias", kind: BindingKind::Read, min_size: 4 },
            Binding { index: 5, name: "y", kind: BindingKind::ReadWrite, min_size: 4 },
            Binding { index: 6, name: "sel", kind: BindingKind::Read, min_size: 4 },
            Binding { index: 7, name: "p", kind: BindingKind::Uniform, min_size: 68 },
        ],
        overrides: &[],
        needs: &[],
        workgroup_bytes: 0,
        uniform: &[
            UniformField { name: "n_chunk", offset: 0, size: 4 },
            UniformField { name: "n_unit", offset: 4, size: 4 },
            UniformField { name: "n_group", offset: 8, size: 4 },
            UniformField { name: "n_rows", offset: 12, size: 4 },
            UniformField { name: "row0", offset: 16, size: 4 },
            UniformField { name: "block", offset: 20, size: 4 },
            UniformField { name: "by_expert", offset: 24, size: 4 },
            UniformField { name: "n_expert", offset: 28, size: 4 },
            UniformField { name: "glu", offset: 32, size: 4 },
            UniformField { name: "x_slot_div", offset: 36, size: 4 },
            UniformField { name: "y_stride", offset: 40, size: 4 },
            UniformField { name: "count_from", offset: 44, size: 4 },
            UniformField { name: "max_rows", offset: 48, size: 4 },
            UniformField { name: "eps", offset: 52, size: 4 },
            UniformField { name: "act", offset: 56, size: 4 },
            UniformField { name: "flags", offset: 60, size: 4 },
            UniformField { name: "softcap", offset: 64, size: 4 },
        ],
        wgsl: r"struct Chunk {
 v0: vec4<f32>,
 v1: vec4<f32>,
 v2: vec4<f32>,
 v3: vec4<f32>,
 v4: vec4<f32>,
 v5: vec4<f32>,
 v6: vec4<f32>,
 v7: vec4<f32>,
}
struct Coded {
 q: Chunk,
 s: vec4<f32>,
}
fn chunk_dot(a: Chunk, b: Chunk) -> f32 {
 return dot(a.v0, b.v0) + dot(a.v1, b.v1) + dot(a.v2, b.v2) + dot(a.v3, b.v3)
  + dot(a.v4, b.v4) + dot(a.v5, b.v5) + dot(a.v6, b.v6) + dot(a.v7, b.v7);
}
fn chunk_mul(a: Chunk, b: Chunk) -> Chunk {
 return Chunk(a.v0 * b.v0, a.v1 * b.v1, a.v2 * b.v2, a.v3 * b.v3,
  a.v4 * b.v4, a.v5 * b.v5, a.v6 * b.v6, a.v7 * b.v7);
}
fn half_dots(a: Chunk, b: Chunk) -> vec2<f32> {
 return vec2<f32>(dot(a.v0, b.v0) + dot(a.v1, b.v1) + dot(a.v2, b.v2) + dot(a.v3, b.v3),
  dot(a.v4, b.v4) + dot(a.v5, b.v5) + dot(a.v6, b.v6) + dot(a.v7, b.v7));
}
fn quants(g: u32, c: u32, r: u32, n_word: u32, word: u32) -> vec4<u32> {
 return wq[((g * p.n_chunk + c) * n_word + word) * 8u + r];
}
fn scale_word(g: u32, unit: u32, r: u32, n_word: u32, word: u32) -> u32 {
 return ws[((g * p.n_unit + unit) * n_word + word) * 8u + r];
}
fn signed_bytes(w: u32) -> vec4<i32> {
 return bitcast<vec4<i32>>(vec4<u32>(w) << vec4<u32>(24u, 16u, 8u, 0u)) >> vec4<u32>(24u);
}
fn half(h: u32) -> f32 {
 let m = h & 0x7fffu;
 let rebias = select(0x38000000u, 0x70000000u, m >= 0x7c00u);
 let v = select(bitcast<f32>((m << 13u) + rebias), f32(m) * 0x1p-24f, m < 0x400u);
 return bitcast<f32>(bitcast<u32>(v) | ((h & 0x8000u) << 16u));
}
fn coded(g: u32, c: u32, r: u32) -> Coded {
 let a = quants(g, c, r, 2u, 0u);
 let b = quants(g, c, r, 2u, 1u);
 let s = half((scale_word(g, c / 2u, r, 1u, 0u) >> (16u * (c % 2u))) & 0xffffu);
 let q = Chunk(vec4<f32>(signed_bytes(a.x)), vec4<f32>(signed_bytes(a.y)), vec4<f32>(signed_bytes(a.z)),
  vec4<f32>(signed_bytes(a.w)), vec4<f32>(signed_bytes(b.x)), vec4<f32>(signed_bytes(b.y)),
  vec4<f32>(signed_bytes(b.z)), vec4<f32>(signed_bytes(b.w)));
 return Coded(q, vec4<f32>(s, s, 0.0, 0.0));
}
fn soft_tanh(v: f32) -> f32 {
 let e = exp(-2.0 * min(abs(v), 15.0));
 return sign(v) * ((1.0 - e) / (1.0 + e));
}
fn silu(v: f32) -> f32 {
 return v / (1.0 + exp(clamp(-v, -80.0, 80.0)));
}
fn gelu_tanh(v: f32) -> f32 {
 return 0.5 * v * (1.0 + soft_tanh(0.7978845608 * (v + 0.044715 * v * v * v)));
}
fn activate(kind: u32, v: f32) -> f32 {
 if (kind == 1u) {
  return silu(v);
 }
 if (kind == 2u) {
  return gelu_tanh(v);
 }
 return v;
}
const ADD = 1u;
const BIAS = 2u;
const SOFTCAP = 4u;
fn store(sum: f32, row: u32, at: u32) {
 var v = sum;
 if ((p.flags & BIAS) != 0u) {
  v += bias[row];
 }
 v = activate(p.act, v);
 if ((p.flags & SOFTCAP) != 0u) {
  v = p.softcap * soft_tanh(v / p.softcap);
 }
 if ((p.flags & ADD) != 0u) {
  v += y[at];
 }
 y[at] = v;
}
const MAX_BLOCK = 64u;
const NONE = 0xffffffffu;
const NORM = 8u;
const ONE = vec4<f32>(1.0);
const ONES = Chunk(ONE, ONE, ONE, ONE, ONE, ONE, ONE, ONE);
struct P {
 n_chunk: u32,
 n_unit: u32,
 n_group: u32,
 n_rows: u32,
 row0: u32,
 block: u32,
 by_expert: u32,
 n_expert: u32,
 glu: u32,
 x_slot_div: u32,
 y_stride: u32,
 count_from: u32,
 max_rows: u32,
 eps: f32,
 act: u32,
 flags: u32,
 softcap: f32,
}
@group(0) @binding(0) var<storage, read> wq: array<vec4<u32>>;
@group(0) @binding(1) var<storage, read> ws: array<u32>;
@group(0) @binding(2) var<storage, read> x: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read> norm: array<vec4<f32>>;
@group(0) @binding(4) var<storage, read> bias: array<f32>;
@group(0) @binding(5) var<storage, read_write> y: array<f32>;
@group(0) @binding(6) var<storage, read> sel: array<u32>;
@group(0) @binding(7) var<uniform> p: P;
@compute @workgroup_size(8)
fn main(@builtin(local_invocation_index) r: u32, @builtin(workgroup_id) wg: vec3<u32>) {
 var first = wg.x * p.block;
 let end = min(p.block, p.n_group - first);
 var expert = 0u;
 if (p.by_expert == 1u) {
  expert = sel[wg.y];
  if (expert == NONE) {
   return;
  }
  expert = min(expert, p.n_expert - 1u);
 }
 let g = first + expert * p.n_group;
 let x0 = wg.y / p.x_slot_div * p.n_chunk * 8u;
 var sums = array<f32, MAX_BLOCK>();
 var square = 0.0;
 for (var c = 0u; c < p.n_chunk; c++) {
  let at = x0 + c * 8u;
  var v = Chunk(x[at], x[at + 1u], x[at + 2u], x[at + 3u], x[at + 4u], x[at + 5u], x[at + 6u], x[at + 7u]);
  if ((p.flags & NORM) != 0u) {
   square += chunk_dot(v, v);
   let w = c * 8u;
   v = chunk_mul(v, Chunk(norm[w], norm[w + 1u], norm[w + 2u], norm[w + 3u],
    norm[w + 4u], norm[w + 5u], norm[w + 6u], norm[w + 7u]));
  }
  let total = half_dots(v, ONES);
  for (var b = 0u; b < end; b++) {
   let w = coded(g + b, c, r);
   let halves = half_dots(w.q, v);
   sums[b] += w.s.x * halves.x + w.s.y * halves.y + w.s.z * total.x + w.s.w * total.y;
  }
 }
 let factor = select(1.0, inverseSqrt(square / f32(p.n_chunk * 32u) + p.eps), (p.flags & NORM) != 0u);
 let y0 = wg.y * p.y_stride + p.row0;
 if (p.glu == 1u) {
  for (var b = 0u; b < end; b += 2u) {
   let row = (first + b) * 4u + r;
   if (row < p.n_rows) {
    y[y0 + row] = activate(p.act, sums[b] * factor) * (sums[b + 1u] * factor);
   }
  }
  return;
 }
 for (var b = 0u; b < end; b++) {
  let row = (first + b) * 8u + r;
  if (row < p.n_rows) {
   store(sums[b] * factor, p.row0 + row, y0 + row);
  }
 }
}
",
    },
    Shader {
        name: "matmul_tile_bf16",
        kernel: "matmul_tile",
        workgroup_size: [64, 1, 1],
        bindings: &[
            Binding { index: 0, name: "wq", kind: BindingKind::Read, min_size: 16 },
            Binding { index: 1, name: "ws", kind: BindingKind::Read, min_size: 4 },
            Binding { index: 2, name: "x", kind: BindingKind::Read, min_size: 16 },
            Binding { index: 3, name: "bias", kind: BindingKind::Read, min_size: 4 },
            Binding { index: 4, name: "y", kind: BindingKind::ReadWrite, min_size: 4 },
            Binding { index: 5, name: "step", kind: BindingKind::Read, min_size: 192 },
            Binding { index: 6, name: "p", kind: BindingKind::Uniform, min_size: 44 },
        ],
        overrides: &[],
        needs: &[],
        workgroup_bytes: 16384,
        uniform: &[
            UniformField { name: "n_chunk", offset: 0, size: 4 },
            UniformField { name: "n_unit", offset: 4, size: 4 },
            UniformField { name: "n_group", offset: 8, size: 4 },
            UniformField { name: "n_rows", offset: 12, size: 4 },
            UniformField { name: "row0", offset: 16, size: 4 },
            UniformField { name: "y_stride", offset: 20, size: 4 },
            UniformField { name: "count_from", offset: 24, size: 4 },
            UniformField { name: "max_rows", offset: 28, size: 4 },
            UniformField { name: "act", offset: 32, size: 4 },
            UniformField { name: "flags", offset: 36, size: 4 },
            UniformField { name: "softcap", offset: 40, size: 4 },
        ],
        wgsl: r"struct Chunk {
 v0: vec4<f32>,
 v1: vec4<f32>,
 v2: vec4<f32>,
 v3: vec4<f32>,
 v4: vec4<f32>,
 v5: vec4<f32>,
 v6: vec4<f32>,
 v7: vec4<f32>,
}
struct Coded {
 q: Chunk,
 s: vec4<f32>,
}
fn quants(g: u32, c: u32, r: u32, n_word: u32, word: u32) -> vec4<u32> {
 return wq[((g * p.n_chunk + c) * n_word + word) * 8u + r];
}
fn as_stored(v: Chunk) -> Coded {
 return Coded(v, vec4<f32>(1.0, 1.0, 0.0, 0.0));
}
fn bfloat4(a: u32, b: u32) -> vec4<f32> {
 return bitcast<vec4<f32>>(vec4<u32>(a << 16u, a & 0xffff0000u, b << 16u, b & 0xffff0000u));
}
fn coded(g: u32, c: u32, r: u32) -> Coded {
 let a = quants(g, c, r, 4u, 0u);
 let b = quants(g, c, r, 4u, 1u);
 let d = quants(g, c, r, 4u, 2u);
 let e = quants(g, c, r, 4u, 3u);
 return as_stored(Chunk(bfloat4(a.x, a.y), bfloat4(a.z, a.w), bfloat4(b.x, b.y), bfloat4(b.z, b.w),
  bfloat4(d.x, d.y), bfloat4(d.z, d.w), bfloat4(e.x, e.y), bfloat4(e.z, e.w)));
}
fn dequant(g: u32, c: u32, r: u32) -> Chunk {
 let w = coded(g, c, r);
                       {
  return w.q;
 }
}
fn soft_tanh(v: f32) -> f32 {
 let e = exp(-2.0 * min(abs(v), 15.0));
 return sign(v) * ((1.0 - e) / (1.0 + e));
}
fn silu(v: f32) -> f32 {
 return v / (1.0 + exp(clamp(-v, -80.0, 80.0)));
}
fn gelu_tanh(v: f32) -> f32 {
 return 0.5 * v * (1.0 + soft_tanh(0.7978845608 * (v + 0.044715 * v * v * v)));
}
fn activate(kind: u32, v: f32) -> f32 {
 if (kind == 1u) {
  return silu(v);
 }
 if (kind == 2u) {
  return gelu_tanh(v);
 }
 return v;
}
const ADD = 1u;
const BIAS = 2u;
const SOFTCAP = 4u;
fn store(sum: f32, row: u32, at: u32) {
 var v = sum;
 if ((p.flags & BIAS) != 0u) {
  v += bias[row];
 }
 v = activate(p.act, v);
 if ((p.flags & SOFTCAP) != 0u) {
  v = p.softcap * soft_tanh(v / p.softcap);
 }
 if ((p.flags & ADD) != 0u) {
  v += y[at];
 }
 y[at] = v;
}
struct Row {
 token: u32,
 pos: u32,
 cell: u32,
 table: u32,
 base: u32,
 lo: u32,
 hi: u32,
 lo_swa: u32,
 tree: u32,
 ancestors_lo: u32,
 ancestors_hi: u32,
 seq: u32,
 mix_start: u32,
 mix_len: u32,
 reserved0: u32,
 reserved1: u32,
}
struct Step {
 n_rows: u32,
 n_want: u32,
 seed_lo: u32,
 seed_hi: u32,
 window: u32,
 n_out: u32,
 reserved: array<u32, 10>,
 want: array<u32, 16>,
 rows: array<Row>,
}
struct P {
 n_chunk: u32,
 n_unit: u32,
 n_group: u32,
 n_rows: u32,
 row0: u32,
 y_stride: u32,
 count_from: u32,
 max_rows: u32,
 act: u32,
 flags: u32,
 softcap: f32,
}
@group(0) @binding(0) var<storage, read> wq: array<vec4<u32>>;
@group(0) @binding(1) var<storage, read> ws: array<u32>;
@group(0) @binding(2) var<storage, read> x: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read> bias: array<f32>;
@group(0) @binding(4) var<storage, read_write> y: array<f32>;
@group(0) @binding(5) var<storage, read> step: Step;
@group(0) @binding(6) var<uniform> p: P;
fn column_count() -> u32 {
 return min(select(step.n_rows, step.n_want, p.count_from == 1u), p.max_rows);
}
const STEPS = 8u;
alias Strip = vec4<f32>;
alias Block = mat4x4<f32>;
var<workgroup> w_tile: array<vec4<f32>, 512>;
var<workgroup> x_tile: array<vec4<f32>, 512>;
fn put_w(t: u32, g: u32, c: u32) {
 let v = dequant(g, c, t % 8u);
 let at = t * 8u;
 let s = t % 8u;
 w_tile[at + s] = v.v0;
 w_tile[at + (s ^ 1u)] = v.v1;
 w_tile[at + (s ^ 2u)] = v.v2;
 w_tile[at + (s ^ 3u)] = v.v3;
 w_tile[at + (s ^ 4u)] = v.v4;
 w_tile[at + (s ^ 5u)] = v.v5;
 w_tile[at + (s ^ 6u)] = v.v6;
 w_tile[at + (s ^ 7u)] = v.v7;
}
fn put_x(t: u32, from_word: u32) {
 for (var j = 0u; j < 8u; j++) {
  x_tile[t * 8u + (j ^ (t % 8u))] = x[from_word + j];
 }
}
fn row(a: u32, i: u32, j: u32) -> Strip {
 return w_tile[a * 8u + (j ^ a) + 64u * i];
}
fn block(b: u32, part: u32, j: u32) -> Block {
 let at = (b + 32u * part) * 8u + (j ^ b);
 return mat4x4<f32>(x_tile[at], x_tile[at + 64u], x_tile[at + 128u], x_tile[at + 192u]);
}
fn product(w: Strip, v: Block) -> vec4<f32> {
 return w * v;
}
fn write(sums: vec4<f32>, row: u32, m0: u32, n: u32) {
 for (var i = 0u; i < 4u; i++) {
  let m = m0 + 8u * i;
  if (m < n) {
   store(sums[i], p.row0 + row, m * p.y_stride + p.row0 + row);
  }
 }
}
@compute @workgroup_size(64)
fn main(@builtin(local_invocation_index) t: u32, @builtin(workgroup_id) wg: vec3<u32>) {
 let n = column_count();
 let m0 = wg.y * 64u;
 if (m0 >= n) {
  return;
 }
 let wide = m0 + 32u < n;
 let g = min(wg.x * 8u + t / 8u, p.n_group - 1u);
 let x0 = min(m0 + t, n - 1u) * p.n_chunk * 8u;
 let a = t % 8u;
 let b = t / 8u;
 var l0 = vec4<f32>();
 var l1 = vec4<f32>();
 var l2 = vec4<f32>();
 var l3 = vec4<f32>();
 var l4 = vec4<f32>();
 var l5 = vec4<f32>();
 var l6 = vec4<f32>();
 var l7 = vec4<f32>();
 var h0 = vec4<f32>();
 var h1 = vec4<f32>();
 var h2 = vec4<f32>();
 var h3 = vec4<f32>();
 var h4 = vec4<f32>();
 var h5 = vec4<f32>();
 var h6 = vec4<f32>();
 var h7 = vec4<f32>();
 for (var c = 0u; c < p.n_chunk; c++) {
  put_w(t, g, c);
  put_x(t, x0 + c * 8u);
  workgroupBarrier();
  for (var j = 0u; j < STEPS; j++) {
   let w0 = row(a, 0u, j);
   let w1 = row(a, 1u, j);
   let w2 = row(a, 2u, j);
   let w3 = row(a, 3u, j);
   let w4 = row(a, 4u, j);
   let w5 = row(a, 5u, j);
   let w6 = row(a, 6u, j);
   let w7 = row(a, 7u, j);
   let lo = block(b, 0u, j);
   l0 += product(w0, lo);
   l1 += product(w1, lo);
   l2 += product(w2, lo);
   l3 += product(w3, lo);
   l4 += product(w4, lo);
   l5 += product(w5, lo);
   l6 += product(w6, lo);
   l7 += product(w7, lo);
   if (wide) {
    let hi = block(b, 1u, j);
    h0 += product(w0, hi);
    h1 += product(w1, hi);
    h2 += product(w2, hi);
    h3 += product(w3, hi);
    h4 += product(w4, hi);
    h5 += product(w5, hi);
    h6 += product(w6, hi);
    h7 += product(w7, hi);
   }
  }
  workgroupBarrier();
 }
      {
  let own = a * 8u + (b ^ a);
  w_tile[own] = l0;
  w_tile[own + 64u] = l1;
  w_tile[own + 128u] = l2;
  w_tile[own + 192u] = l3;
  w_tile[own + 256u] = l4;
  w_tile[own + 320u] = l5;
  w_tile[own + 384u] = l6;
  w_tile[own + 448u] = l7;
  x_tile[own] = h0;
  x_tile[own + 64u] = h1;
  x_tile[own + 128u] = h2;
  x_tile[own + 192u] = h3;
  x_tile[own + 256u] = h4;
  x_tile[own + 320u] = h5;
  x_tile[own + 384u] = h6;
  x_tile[own + 448u] = h7;
  workgroupBarrier();
  let n_row = wg.x * 64u + t;
  if (n_row >= p.n_rows) {
   return;
  }
  for (var c = 0u; c < 8u; c++) {
   let at = t * 8u + (c ^ (t % 8u));
   write(w_tile[at], n_row, m0 + c, n);
   write(x_tile[at], n_row, m0 + c + 32u, n);
  }
 }
}
",
    },
    Shader {
        name: "matmul_tile_f16",
        kernel: "matmul_tile",
        workgroup_size: [64, 1, 1],
        bindings: &[
            Binding { index: 0, name: "wq", kind: BindingKind::Read, min_size: 16 },
            Binding { index: 1, name: "ws", kind: BindingKind::Read, min_size: 4 },
            Binding { index: 2, name: "x", kind: BindingKind::Read, min_size: 16 },
            Binding { index: 3, name: "bias", kind: BindingKind::Read, min_size: 4 },
            Binding { index: 4, name: "y", kind: BindingKind::ReadWrite, min_size: 4 },
            Binding { index: 5, name: "step", kind: BindingKind::Read, min_size: 192 },
            Binding { index: 6, name: "p", kind: BindingKind::Uniform, min_size: 44 },
        ],
        overrides: &[],
        needs: &[],
        workgroup_bytes: 16384,
        uniform: &[
            UniformField { name: "n_chunk", offset: 0, size: 4 },
            UniformField { name: "n_unit", offset: 4, size: 4 },
            UniformField { name: "n_group", offset: 8, size: 4 },
            UniformField { name: "n_rows", offset: 12, size: 4 },
            UniformField { name: "row0", offset: 16, size: 4 },
            UniformField { name: "y_stride", offset: 20, size: 4 },
            UniformField { name: "count_from", offset: 24, size: 4 },
            UniformField { name: "max_rows", offset: 28, size: 4 },
            UniformField { name: "act", offset: 32, size: 4 },
            UniformField { name: "flags", offset: 36, size: 4 },
            UniformField { name: "softcap", offset: 40, size: 4 },
        ],
        wgsl: r"struct Chunk {
 v0: vec4<f32>,
 v1: vec4<f32>,
 v2: vec4<f32>,
 v3: vec4<f32>,
 v4: vec4<f32>,
 v5: vec4<f32>,
 v6: vec4<f32>,
 v7: vec4<f32>,
}
struct Coded {
 q: Chunk,
 s: vec4<f32>,
}
fn quants(g: u32, c: u32, r: u32, n_word: u32, word: u32) -> vec4<u32> {
 return wq[((g * p.n_chunk + c) * n_word + word) * 8u + r];
}
fn half4(a: u32, b: u32) -> vec4<f32> {
 let h = vec4<u32>(a & 0xffffu, a >> 16u, b & 0xffffu, b >> 16u);
 let m = h & vec4<u32>(0x7fffu);
 let rebias = select(vec4<u32>(0x38000000u), vec4<u32>(0x70000000u), m >= vec4<u32>(0x7c00u));
 let normal = bitcast<vec4<f32>>((m << vec4<u32>(13u)) + rebias);
 let v = select(normal, vec4<f32>(m) * 0x1p-24f, m < vec4<u32>(0x400u));
 return bitcast<vec4<f32>>(bitcast<vec4<u32>>(v) | ((h & vec4<u32>(0x8000u)) << vec4<u32>(16u)));
}
fn as_stored(v: Chunk) -> Coded {
 return Coded(v, vec4<f32>(1.0, 1.0, 0.0, 0.0));
}
fn coded(g: u32, c: u32, r: u32) -> Coded {
 let a = quants(g, c, r, 4u, 0u);
 let b = quants(g, c, r, 4u, 1u);
 let d = quants(g, c, r, 4u, 2u);
 let e = quants(g, c, r, 4u, 3u);
 return as_stored(Chunk(half4(a.x, a.y), half4(a.z, a.w), half4(b.x, b.y), half4(b.z, b.w),
  half4(d.x, d.y), half4(d.z, d.w), half4(e.x, e.y), half4(e.z, e.w)));
}
fn dequant(g: u32, c: u32, r: u32) -> Chunk {
 let w = coded(g, c, r);
                       {
  return w.q;
 }
}
fn soft_tanh(v: f32) -> f32 {
 let e = exp(-2.0 * min(abs(v), 15.0));
 return sign(v) * ((1.0 - e) / (1.0 + e));
}
fn silu(v: f32) -> f32 {
 return v / (1.0 + exp(clamp(-v, -80.0, 80.0)));
}
fn gelu_tanh(v: f32) -> f32 {
 return 0.5 * v * (1.0 + soft_tanh(0.7978845608 * (v + 0.044715 * v * v * v)));
}
fn activate(kind: u32, v: f32) -> f32 {
 if (kind == 1u) {
  return silu(v);
 }
 if (kind == 2u) {
  return gelu_tanh(v);
 }
 return v;
}
const ADD = 1u;
const BIAS = 2u;
const SOFTCAP = 4u;
fn store(sum: f32, row: u32, at: u32) {
 var v = sum;
 if ((p.flags & BIAS) != 0u) {
  v += bias[row];
 }
 v = activate(p.act, v);
 if ((p.flags & SOFTCAP) != 0u) {
  v = p.softcap * soft_tanh(v / p.softcap);
 }
 if ((p.flags & ADD) != 0u) {
  v += y[at];
 }
 y[at] = v;
}
struct Row {
 token: u32,
 pos: u32,
 cell: u32,
 table: u32,
 base: u32,
 lo: u32,
 hi: u32,
 lo_swa: u32,
 tree: u32,
 ancestors_lo: u32,
 ancestors_hi: u32,
 seq: u32,
 mix_start: u32,
 mix_len: u32,
 reserved0: u32,
 reserved1: u32,
}
struct Step {
 n_rows: u32,
 n_want: u32,
 seed_lo: u32,
 seed_hi: u32,
 window: u32,
 n_out: u32,
 reserved: array<u32, 10>,
 want: array<u32, 16>,
 rows: array<Row>,
}
struct P {
 n_chunk: u32,
 n_unit: u32,
 n_group: u32,
 n_rows: u32,
 row0: u32,
 y_stride: u32,
 count_from: u32,
 max_rows: u32,
 act: u32,
 flags: u32,
 softcap: f32,
}
@group(0) @binding(0) var<storage, read> wq: array<vec4<u32>>;
@group(0) @binding(1) var<storage, read> ws: array<u32>;
@group(0) @binding(2) var<storage, read> x: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read> bias: array<f32>;
@group(0) @binding(4) var<storage, read_write> y: array<f32>;
@group(0) @binding(5) var<storage, read> step: Step;
@group(0) @binding(6) var<uniform> p: P;
fn column_count() -> u32 {
 return min(select(step.n_rows, step.n_want, p.count_from == 1u), p.max_rows);
}
const STEPS = 8u;
alias Strip = vec4<f32>;
alias Block = mat4x4<f32>;
var<workgroup> w_tile: array<vec4<f32>, 512>;
var<workgroup> x_tile: array<vec4<f32>, 512>;
fn put_w(t: u32, g: u32, c: u32) {
 let v = dequant(g, c, t % 8u);
 let at = t * 8u;
 let s = t % 8u;
 w_tile[at + s] = v.v0;
 w_tile[at + (s ^ 1u)] = v.v1;
 w_tile[at + (s ^ 2u)] = v.v2;
 w_tile[at + (s ^ 3u)] = v.v3;
 w_tile[at + (s ^ 4u)] = v.v4;
 w_tile[at + (s ^ 5u)] = v.v5;
 w_tile[at + (s ^ 6u)] = v.v6;
 w_tile[at + (s ^ 7u)] = v.v7;
}
fn put_x(t: u32, from_word: u32) {
 for (var j = 0u; j < 8u; j++) {
  x_tile[t * 8u + (j ^ (t % 8u))] = x[from_word + j];
 }
}
fn row(a: u32, i: u32, j: u32) -> Strip {
 return w_tile[a * 8u + (j ^ a) + 64u * i];
}
fn block(b: u32, part: u32, j: u32) -> Block {
 let at = (b + 32u * part) * 8u + (j ^ b);
 return mat4x4<f32>(x_tile[at], x_tile[at + 64u], x_tile[at + 128u], x_tile[at + 192u]);
}
fn product(w: Strip, v: Block) -> vec4<f32> {
 return w * v;
}
fn write(sums: vec4<f32>, row: u32, m0: u32, n: u32) {
 for (var i = 0u; i < 4u; i++) {
  let m = m0 + 8u * i;
  if (m < n) {
   store(sums[i], p.row0 + row, m * p.y_stride + p.row0 + row);
  }
 }
}
@compute @workgroup_size(64)
fn main(@builtin(local_invocation_index) t: u32, @builtin(workgroup_id) wg: vec3<u32>) {
 let n = column_count();
 let m0 = wg.y * 64u;
 if (m0 >= n) {
  return;
 }
 let wide = m0 + 32u < n;
 let g = min(wg.x * 8u + t / 8u, p.n_group - 1u);
 let x0 = min(m0 + t, n - 1u) * p.n_chunk * 8u;
 let a = t % 8u;
 let b = t / 8u;
 var l0 = vec4<f32>();
 var l1 = vec4<f32>();
 var l2 = vec4<f32>();
 var l3 = vec4<f32>();
 var l4 = vec4<f32>();
 var l5 = vec4<f32>();
 var l6 = vec4<f32>();
 var l7 = vec4<f32>();
 var h0 = vec4<f32>();
 var h1 = vec4<f32>();
 var h2 = vec4<f32>();
 var h3 = vec4<f32>();
 var h4 = vec4<f32>();
 var h5 = vec4<f32>();
 var h6 = vec4<f32>();
 var h7 = vec4<f32>();
 for (var c = 0u; c < p.n_chunk; c++) {
  put_w(t, g, c);
  put_x(t, x0 + c * 8u);
  workgroupBarrier();
  for (var j = 0u; j < STEPS; j++) {
   let w0 = row(a, 0u, j);
   let w1 = row(a, 1u, j);
   let w2 = row(a, 2u, j);
   let w3 = row(a, 3u, j);
   let w4 = row(a, 4u, j);
   let w5 = row(a, 5u, j);
   let w6 = row(a, 6u, j);
   let w7 = row(a, 7u, j);
   let lo = block(b, 0u, j);
   l0 += product(w0, lo);
   l1 += product(w1, lo);
   l2 += product(w2, lo);
   l3 += product(w3, lo);
   l4 += product(w4, lo);
   l5 += product(w5, lo);
   l6 += product(w6, lo);
   l7 += product(w7, lo);
   if (wide) {
    let hi = block(b, 1u, j);
    h0 += product(w0, hi);
    h1 += product(w1, hi);
    h2 += product(w2, hi);
    h3 += product(w3, hi);
    h4 += product(w4, hi);
    h5 += product(w5, hi);
    h6 += product(w6, hi);
    h7 += product(w7, hi);
   }
  }
  workgroupBarrier();
 }
      {
  let own = a * 8u + (b ^ a);
  w_tile[own] = l0;
  w_tile[own + 64u] = l1;
  w_tile[own + 128u] = l2;
  w_tile[own + 192u] = l3;
  w_tile[own + 256u] = l4;
  w_tile[own + 320u] = l5;
  w_tile[own + 384u] = l6;
  w_tile[own + 448u] = l7;
  x_tile[own] = h0;
  x_tile[own + 64u] = h1;
  x_tile[own + 128u] = h2;
  x_tile[own + 192u] = h3;
  x_tile[own + 256u] = h4;
  x_tile[own + 320u] = h5;
  x_tile[own + 384u] = h6;
  x_tile[own + 448u] = h7;
  workgroupBarrier();
  let n_row = wg.x * 64u + t;
  if (n_row >= p.n_rows) {
   return;
  }
  for (var c = 0u; c < 8u; c++) {
   let at = t * 8u + (c ^ (t % 8u));
   write(w_tile[at], n_row, m0 + c, n);
   write(x_tile[at], n_row, m0 + c + 32u, n);
  }
 }
}
",
    },
    Shader {
        name: "matmul_tile_f32",
        kernel: "matmul_tile",
        workgroup_size: [64, 1, 1],
        bindings: &[
            Binding { index: 0, name: "wq", kind: BindingKind::Read, min_size: 16 },
            Binding { index: 1, name: "ws", kind: BindingKind::Read, min_size: 4 },
            Binding { index: 2, name: "x", kind: BindingKind::Read, min_size: 16 },
            Binding { index: 3, name: "bias", kind: BindingKind::Read, min_size: 4 },
            Binding { index: 4, name: "y", kind: BindingKind::ReadWrite, min_size: 4 },
            Binding { index: 5, name: "step", kind: BindingKind::Read, min_size: 192 },
            Binding { index: 6, name: "p", kind: BindingKind::Uniform, min_size: 44 },
        ],
        overrides: &[],
        needs: &[],
        workgroup_bytes: 16384,
        uniform: &[
            UniformField { name: "n_chunk", offset: 0, size: 4 },
            UniformField { name: "n_unit", offset: 4, size: 4 },
            UniformField { name: "n_group", offset: 8, size: 4 },
            UniformField { name: "n_rows", offset: 12, size: 4 },
            UniformField { name: "row0", offset: 16, size: 4 },
            UniformField { name: "y_stride", offset: 20, size: 4 },
            UniformField { name: "count_from", offset: 24, size: 4 },
            UniformField { name: "max_rows", offset: 28, size: 4 },
            UniformField { name: "act", offset: 32, size: 4 },
            UniformField { name: "flags", offset: 36, size: 4 },
            UniformField { name: "softcap", offset: 40, size: 4 },
        ],
        wgsl: r"struct Chunk {
 v0: vec4<f32>,
 v1: vec4<f32>,
 v2: vec4<f32>,
 v3: vec4<f32>,
 v4: vec4<f32>,
 v5: vec4<f32>,
 v6: vec4<f32>,
 v7: vec4<f32>,
}
struct Coded {
 q: Chunk,
 s: vec4<f32>,
}
fn quants(g: u32, c: u32, r: u32, n_word: u32, word: u32) -> vec4<u32> {
 return wq[((g * p.n_chunk + c) * n_word + word) * 8u + r];
}
fn as_stored(v: Chunk) -> Coded {
 return Coded(v, vec4<f32>(1.0, 1.0, 0.0, 0.0));
}
fn floats(g: u32, c: u32, r: u32, word: u32) -> vec4<f32> {
 return bitcast<vec4<f32>>(quants(g, c, r, 8u, word));
}
fn coded(g: u32, c: u32, r: u32) -> Coded {
 return as_stored(Chunk(floats(g, c, r, 0u), floats(g, c, r, 1u), floats(g, c, r, 2u), floats(g, c, r, 3u),
  floats(g, c, r, 4u), floats(g, c, r, 5u), floats(g, c, r, 6u), floats(g, c, r, 7u)));
}
fn dequant(g: u32, c: u32, r: u32) -> Chunk {
 let w = coded(g, c, r);
                       {
  return w.q;
 }
}
fn soft_tanh(v: f32) -> f32 {
 let e = exp(-2.0 * min(abs(v), 15.0));
 return sign(v) * ((1.0 - e) / (1.0 + e));
}
fn silu(v: f32) -> f32 {
 return v / (1.0 + exp(clamp(-v, -80.0, 80.0)));
}
fn gelu_tanh(v: f32) -> f32 {
 return 0.5 * v * (1.0 + soft_tanh(0.7978845608 * (v + 0.044715 * v * v * v)));
}
fn activate(kind: u32, v: f32) -> f32 {
 if (kind == 1u) {
  return silu(v);
 }
 if (kind == 2u) {
  return gelu_tanh(v);
 }
 return v;
}
const ADD = 1u;
const BIAS = 2u;
const SOFTCAP = 4u;
fn store(sum: f32, row: u32, at: u32) {
 var v = sum;
 if ((p.flags & BIAS) != 0u) {
  v += bias[row];
 }
 v = activate(p.act, v);
 if ((p.flags & SOFTCAP) != 0u) {
  v = p.softcap * soft_tanh(v / p.softcap);
 }
 if ((p.flags & ADD) != 0u) {
  v += y[at];
 }
 y[at] = v;
}
struct Row {
 token: u32,
 pos: u32,
 cell: u32,
 table: u32,
 base: u32,
 lo: u32,
 hi: u32,
 lo_swa: u32,
 tree: u32,
 ancestors_lo: u32,
 ancestors_hi: u32,
 seq: u32,
 mix_start: u32,
 mix_len: u32,
 reserved0: u32,
 reserved1: u32,
}
struct Step {
 n_rows: u32,
 n_want: u32,
 seed_lo: u32,
 seed_hi: u32,
 window: u32,
 n_out: u32,
 reserved: array<u32, 10>,
 want: array<u32, 16>,
 rows: array<Row>,
}
struct P {
 n_chunk: u32,
 n_unit: u32,
 n_group: u32,
 n_rows: u32,
 row0: u32,
 y_stride: u32,
 count_from: u32,
 max_rows: u32,
 act: u32,
 flags: u32,
 softcap: f32,
}
@group(0) @binding(0) var<storage, read> wq: array<vec4<u32>>;
@group(0) @binding(1) var<storage, read> ws: array<u32>;
@group(0) @binding(2) var<storage, read> x: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read> bias: array<f32>;
@group(0) @binding(4) var<storage, read_write> y: array<f32>;
@group(0) @binding(5) var<storage, read> step: Step;
@group(0) @binding(6) var<uniform> p: P;
fn column_count() -> u32 {
 return min(select(step.n_rows, step.n_want, p.count_from == 1u), p.max_rows);
}
const STEPS = 8u;
alias Strip = vec4<f32>;
alias Block = mat4x4<f32>;
var<workgroup> w_tile: array<vec4<f32>, 512>;
var<workgroup> x_tile: array<vec4<f32>, 512>;
fn put_w(t: u32, g: u32, c: u32) {
 let v = dequant(g, c, t % 8u);
 let at = t * 8u;
 let s = t % 8u;
 w_tile[at + s] = v.v0;
 w_tile[at + (s ^ 1u)] = v.v1;
 w_tile[at + (s ^ 2u)] = v.v2;
 w_tile[at + (s ^ 3u)] = v.v3;
 w_tile[at + (s ^ 4u)] = v.v4;
 w_tile[at + (s ^ 5u)] = v.v5;
 w_tile[at + (s ^ 6u)] = v.v6;
 w_tile[at + (s ^ 7u)] = v.v7;
}
fn put_x(t: u32, from_word: u32) {
 for (var j = 0u; j < 8u; j++) {
  x_tile[t * 8u + (j ^ (t % 8u))] = x[from_word + j];
 }
}
fn row(a: u32, i: u32, j: u32) -> Strip {
 return w_tile[a * 8u + (j ^ a) + 64u * i];
}
fn block(b: u32, part: u32, j: u32) -> Block {
 let at = (b + 32u * part) * 8u + (j ^ b);
 return mat4x4<f32>(x_tile[at], x_tile[at + 64u], x_tile[at + 128u], x_tile[at + 192u]);
}
fn product(w: Strip, v: Block) -> vec4<f32> {
 return w * v;
}
fn write(sums: vec4<f32>, row: u32, m0: u32, n: u32) {
 for (var i = 0u; i < 4u; i++) {
  let m = m0 + 8u * i;
  if (m < n) {
   store(sums[i], p.row0 + row, m * p.y_stride + p.row0 + row);
  }
 }
}
@compute @workgroup_size(64)
fn main(@builtin(local_invocation_index) t: u32, @builtin(workgroup_id) wg: vec3<u32>) {
 let n = column_count();
 let m0 = wg.y * 64u;
 if (m0 >= n) {
  return;
 }
 let wide = m0 + 32u < n;
 let g = min(wg.x * 8u + t / 8u, p.n_group - 1u);
 let x0 = min(m0 + t, n - 1u) * p.n_chunk * 8u;
 let a = t % 8u;
 let b = t / 8u;
 var l0 = vec4<f32>();
 var l1 = vec4<f32>();
 var l2 = vec4<f32>();
 var l3 = vec4<f32>();
 var l4 = vec4<f32>();
 var l5 = vec4<f32>();
 var l6 = vec4<f32>();
 var l7 = vec4<f32>();
 var h0 = vec4<f32>();
 var h1 = vec4<f32>();
 var h2 = vec4<f32>();
 var h3 = vec4<f32>();
 var h4 = vec4<f32>();
 var h5 = vec4<f32>();
 var h6 = vec4<f32>();
 var h7 = vec4<f32>();
 for (var c = 0u; c < p.n_chunk; c++) {
  put_w(t, g, c);
  put_x(t, x0 + c * 8u);
  workgroupBarrier();
  for (var j = 0u; j < STEPS; j++) {
   let w0 = row(a, 0u, j);
   let w1 = row(a, 1u, j);
   let w2 = row(a, 2u, j);
   let w3 = row(a, 3u, j);
   let w4 = row(a, 4u, j);
   let w5 = row(a, 5u, j);
   let w6 = row(a, 6u, j);
   let w7 = row(a, 7u, j);
   let lo = block(b, 0u, j);
   l0 += product(w0, lo);
   l1 += product(w1, lo);
   l2 += product(w2, lo);
   l3 += product(w3, lo);
   l4 += product(w4, lo);
   l5 += product(w5, lo);
   l6 += product(w6, lo);
   l7 += product(w7, lo);
   if (wide) {
    let hi = block(b, 1u, j);
    h0 += product(w0, hi);
    h1 += product(w1, hi);
    h2 += product(w2, hi);
    h3 += product(w3, hi);
    h4 += product(w4, hi);
    h5 += product(w5, hi);
    h6 += product(w6, hi);
    h7 += product(w7, hi);
   }
  }
  workgroupBarrier();
 }
      {
  let own = a * 8u + (b ^ a);
  w_tile[own] = l0;
  w_tile[own + 64u] = l1;
  w_tile[own + 128u] = l2;
  w_tile[own + 192u] = l3;
  w_tile[own + 256u] = l4;
  w_tile[own + 320u] = l5;
  w_tile[own + 384u] = l6;
  w_tile[own + 448u] = l7;
  x_tile[own] = h0;
  x_tile[own + 64u] = h1;
  x_tile[own + 128u] = h2;
  x_tile[own + 192u] = h3;
  x_tile[own + 256u] = h4;
  x_tile[own + 320u] = h5;
  x_tile[own + 384u] = h6;
  x_tile[own + 448u] = h7;
  workgroupBarrier();
  let n_row = wg.x * 64u + t;
  if (n_row >= p.n_rows) {
   return;
  }
  for (var c = 0u; c < 8u; c++) {
   let at = t * 8u + (c ^ (t % 8u));
   write(w_tile[at], n_row, m0 + c, n);
   write(x_tile[at], n_row, m0 + c + 32u, n);
  }
 }
}
",
    },
    Shader {
        name: "matmul_tile_iq4",
        kernel: "matmul_tile",
        workgroup_size: [64, 1, 1],
        bindings: &[
            Binding { index: 0, name: "wq", kind: BindingKind::Read, min_size: 16 },
            Binding { index: 1, name: "ws", kind: BindingKind::Read, min_size: 4 },
            Binding { index: 2, name: "x", kind: BindingKind::Read, min_size: 16 },
            Binding { index: 3, name: "bias", kind: BindingKind::Read, min_size: 4 },
            Binding { index: 4, name: "y", kind: BindingKind::ReadWrite, min_size: 4 },
            Binding { index: 5, name: "step", kind: BindingKind::Read, min_size: 192 },
            Binding { index: 6, name: "p", kind: BindingKind::Uniform, min_size: 44 },
        ],
        overrides: &[],
        needs: &[],
        workgroup_bytes: 16384,
        uniform: &[
            UniformField { name: "n_chunk", offset: 0, size: 4 },
            UniformField { name: "n_unit", offset: 4, size: 4 },
            UniformField { name: "n_group", offset: 8, size: 4 },
            UniformField { name: "n_rows", offset: 12, size: 4 },
            UniformField { name: "row0", offset: 16, size: 4 },
            UniformField { name: "y_stride", offset: 20, size: 4 },
            UniformField { name: "count_from", offset: 24, size: 4 },
            UniformField { name: "max_rows", offset: 28, size: 4 },
            UniformField { name: "act", offset: 32, size: 4 },
            UniformField { name: "flags", offset: 36, size: 4 },
            UniformField { name: "softcap", offset: 40, size: 4 },
        ],
        wgsl: r"struct Chunk {
 v0: vec4<f32>,
 v1: vec4<f32>,
 v2: vec4<f32>,
 v3: vec4<f32>,
 v4: vec4<f32>,
 v5: vec4<f32>,
 v6: vec4<f32>,
 v7: vec4<f32>,
}
struct Coded {
 q: Chunk,
 s: vec4<f32>,
}
fn chunk_scale(q: Chunk, lo: f32, hi: f32) -> Chunk {
 return Chunk(q.v0 * lo, q.v1 * lo, q.v2 * lo, q.v3 * lo, q.v4 * hi, q.v5 * hi, q.v6 * hi, q.v7 * hi);
}
fn quants(g: u32, c: u32, r: u32, n_word: u32, word: u32) -> vec4<u32> {
 return wq[((g * p.n_chunk + c) * n_word + word) * 8u + r];
}
fn scale_word(g: u32, unit: u32, r: u32, n_word: u32, word: u32) -> u32 {
 return ws[((g * p.n_unit + unit) * n_word + word) * 8u + r];
}
fn nibbles(w: u32) -> vec4<u32> {
 return (vec4<u32>(w) >> vec4<u32>(0u, 8u, 16u, 24u)) & vec4<u32>(15u);
}
fn code(w: u32) -> vec4<f32> {
 let n = nibbles(w);
 let second = (n & vec4<u32>(4u)) != vec4<u32>(0u);
 let low = select(vec4<u32>(0xbfad9881u), vec4<u32>(0xf6eaddcfu), second);
 let high = select(vec4<u32>(0x26190d01u), vec4<u32>(0x71594535u), second);
 let word = select(low, high, n >= vec4<u32>(8u));
 let byte = word << (vec4<u32>(24u) - ((n & vec4<u32>(3u)) << vec4<u32>(3u)));
 return vec4<f32>(bitcast<vec4<i32>>(byte) >> vec4<u32>(24u));
}
fn coded(g: u32, c: u32, r: u32) -> Coded {
 let s = bitcast<f32>(scale_word(g, c, r, 1u, 0u));
 let q = quants(g, c, r, 1u, 0u);
 let h = q >> vec4<u32>(4u);
 let v = Chunk(code(q.x), code(q.y), code(q.z), code(q.w), code(h.x), code(h.y), code(h.z), code(h.w));
 return Coded(v, vec4<f32>(s, s, 0.0, 0.0));
}
fn dequant(g: u32, c: u32, r: u32) -> Chunk {
 let w = coded(g, c, r);
    {
  return chunk_scale(w.q, w.s.x, w.s.y);
 }
}
fn soft_tanh(v: f32) -> f32 {
 let e = exp(-2.0 * min(abs(v), 15.0));
 return sign(v) * ((1.0 - e) / (1.0 + e));
}
fn silu(v: f32) -> f32 {
 return v / (1.0 + exp(clamp(-v, -80.0, 80.0)));
}
fn gelu_tanh(v: f32) -> f32 {
 return 0.5 * v * (1.0 + soft_tanh(0.7978845608 * (v + 0.044715 * v * v * v)));
}
fn activate(kind: u32, v: f32) -> f32 {
 if (kind == 1u) {
  return silu(v);
 }
 if (kind == 2u) {
  return gelu_tanh(v);
 }
 return v;
}
const ADD = 1u;
const BIAS = 2u;
const SOFTCAP = 4u;
fn store(sum: f32, row: u32, at: u32) {
 var v = sum;
 if ((p.flags & BIAS) != 0u) {
  v += bias[row];
 }
 v = activate(p.act, v);
 if ((p.flags & SOFTCAP) != 0u) {
  v = p.softcap * soft_tanh(v / p.softcap);
 }
 if ((p.flags & ADD) != 0u) {
  v += y[at];
 }
 y[at] = v;
}
struct Row {
 token: u32,
 pos: u32,
 cell: u32,
 table: u32,
 base: u32,
 lo: u32,
 hi: u32,
 lo_swa: u32,
 tree: u32,
 ancestors_lo: u32,
 ancestors_hi: u32,
 seq: u32,
 mix_start: u32,
 mix_len: u32,
 reserved0: u32,
 reserved1: u32,
}
struct Step {
 n_rows: u32,
 n_want: u32,
 seed_lo: u32,
 seed_hi: u32,
 window: u32,
 n_out: u32,
 reserved: array<u32, 10>,
 want: array<u32, 16>,
 rows: array<Row>,
}
struct P {
 n_chunk: u32,
 n_unit: u32,
 n_group: u32,
 n_rows: u32,
 row0: u32,
 y_stride: u32,
 count_from: u32,
 max_rows: u32,
 act: u32,
 flags: u32,
 softcap: f32,
}
@group(0) @binding(0) var<storage, read> wq: array<vec4<u32>>;
@group(0) @binding(1) var<storage, read> ws: array<u32>;
@group(0) @binding(2) var<storage, read> x: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read> bias: array<f32>;
@group(0) @binding(4) var<storage, read_write> y: array<f32>;
@group(0) @binding(5) var<storage, read> step: Step;
@group(0) @binding(6) var<uniform> p: P;
fn column_count() -> u32 {
 return min(select(step.n_rows, step.n_want, p.count_from == 1u), p.max_rows);
}
const STEPS = 8u;
alias Strip = vec4<f32>;
alias Block = mat4x4<f32>;
var<workgroup> w_tile: array<vec4<f32>, 512>;
var<workgroup> x_tile: array<vec4<f32>, 512>;
fn put_w(t: u32, g: u32, c: u32) {
 let v = dequant(g, c, t % 8u);
 let at = t * 8u;
 let s = t % 8u;
 w_tile[at + s] = v.v0;
 w_tile[at + (s ^ 1u)] = v.v1;
 w_tile[at + (s ^ 2u)] = v.v2;
 w_tile[at + (s ^ 3u)] = v.v3;
 w_tile[at + (s ^ 4u)] = v.v4;
 w_tile[at + (s ^ 5u)] = v.v5;
 w_tile[at + (s ^ 6u)] = v.v6;
 w_tile[at + (s ^ 7u)] = v.v7;
}
fn put_x(t: u32, from_word: u32) {
 for (var j = 0u; j < 8u; j++) {
  x_tile[t * 8u + (j ^ (t % 8u))] = x[from_word + j];
 }
}
fn row(a: u32, i: u32, j: u32) -> Strip {
 return w_tile[a * 8u + (j ^ a) + 64u * i];
}
fn block(b: u32, part: u32, j: u32) -> Block {
 let at = (b + 32u * part) * 8u + (j ^ b);
 return mat4x4<f32>(x_tile[at], x_tile[at + 64u], x_tile[at + 128u], x_tile[at + 192u]);
}
fn product(w: Strip, v: Block) -> vec4<f32> {
 return w * v;
}
fn write(sums: vec4<f32>, row: u32, m0: u32, n: u32) {
 for (var i = 0u; i < 4u; i++) {
  let m = m0 + 8u * i;
  if (m < n) {
   store(sums[i], p.row0 + row, m * p.y_stride + p.row0 + row);
  }
 }
}
@compute @workgroup_size(64)
fn main(@builtin(local_invocation_index) t: u32, @builtin(workgroup_id) wg: vec3<u32>) {
 let n = column_count();
 let m0 = wg.y * 64u;
 if (m0 >= n) {
  return;
 }
 let wide = m0 + 32u < n;
 let g = min(wg.x * 8u + t / 8u, p.n_group - 1u);
 let x0 = min(m0 + t, n - 1u) * p.n_chunk * 8u;
 let a = t % 8u;
 let b = t / 8u;
 var l0 = vec4<f32>();
 var l1 = vec4<f32>();
 var l2 = vec4<f32>();
 var l3 = vec4<f32>();
 var l4 = vec4<f32>();
 var l5 = vec4<f32>();
 var l6 = vec4<f32>();
 var l7 = vec4<f32>();
 var h0 = vec4<f32>();
 var h1 = vec4<f32>();
 var h2 = vec4<f32>();
 var h3 = vec4<f32>();
 var h4 = vec4<f32>();
 var h5 = vec4<f32>();
 var h6 = vec4<f32>();
 var h7 = vec4<f32>();
 for (var c = 0u; c < p.n_chunk; c++) {
  put_w(t, g, c);
  put_x(t, x0 + c * 8u);
  workgroupBarrier();
  for (var j = 0u; j < STEPS; j++) {
   let w0 = row(a, 0u, j);
   let w1 = row(a, 1u, j);
   let w2 = row(a, 2u, j);
   let w3 = row(a, 3u, j);
   let w4 = row(a, 4u, j);
   let w5 = row(a, 5u, j);
   let w6 = row(a, 6u, j);
   let w7 = row(a, 7u, j);
   let lo = block(b, 0u, j);
   l0 += product(w0, lo);
   l1 += product(w1, lo);
   l2 += product(w2, lo);
   l3 += product(w3, lo);
   l4 += product(w4, lo);
   l5 += product(w5, lo);
   l6 += product(w6, lo);
   l7 += product(w7, lo);
   if (wide) {
    let hi = block(b, 1u, j);
    h0 += product(w0, hi);
    h1 += product(w1, hi);
    h2 += product(w2, hi);
    h3 += product(w3, hi);
    h4 += product(w4, hi);
    h5 += product(w5, hi);
    h6 += product(w6, hi);
    h7 += product(w7, hi);
   }
  }
  workgroupBarrier();
 }
      {
  let own = a * 8u + (b ^ a);
  w_tile[own] = l0;
  w_tile[own + 64u] = l1;
  w_tile[own + 128u] = l2;
  w_tile[own + 192u] = l3;
  w_tile[own + 256u] = l4;
  w_tile[own + 320u] = l5;
  w_tile[own + 384u] = l6;
  w_tile[own + 448u] = l7;
  x_tile[own] = h0;
  x_tile[own + 64u] = h1;
  x_tile[own + 128u] = h2;
  x_tile[own + 192u] = h3;
  x_tile[own + 256u] = h4;
  x_tile[own + 320u] = h5;
  x_tile[own + 384u] = h6;
  x_tile[own + 448u] = h7;
  workgroupBarrier();
  let n_row = wg.x * 64u + t;
  if (n_row >= p.n_rows) {
   return;
  }
  for (var c = 0u; c < 8u; c++) {
   let at = t * 8u + (c ^ (t % 8u));
   write(w_tile[at], n_row, m0 + c, n);
   write(x_tile[at], n_row, m0 + c + 32u, n);
  }
 }
}
",
    },
    Shader {
        name: "matmul_tile_iq4_dot",
        kernel: "matmul_tile",
        workgroup_size: [64, 1, 1],
        bindings: &[
            Binding { index: 0, name: "wq", kind: BindingKind::Read, min_size: 16 },
            Binding { index: 1, name: "ws", kind: BindingKind::Read, min_size: 4 },
            Binding { index: 2, name: "x", kind: BindingKind::Read, min_size: 16 },
            Binding { index: 3, name: "bias", kind: BindingKind::Read, min_size: 4 },
            Binding { index: 4, name: "y", kind: BindingKind::ReadWrite, min_size: 4 },
            Binding { index: 5, name: "step", kind: BindingKind::Read, min_size: 192 },
            Binding { index: 6, name: "p", kind: BindingKind::Uniform, min_size: 44 },
        ],
        overrides: &[],
        needs: &[Feature::PackedDot],
        workgroup_bytes: 6144,
        uniform: &[
            UniformField { name: "n_chunk", offset: 0, size: 4 },
            UniformField { name: "n_unit", offset: 4, size: 4 },
            UniformField { name: "n_group", offset: 8, size: 4 },
            UniformField { name: "n_rows", offset: 12, size: 4 },
            UniformField { name: "row0", offset: 16, size: 4 },
            UniformField { name: "y_stride", offset: 20, size: 4 },
            UniformField { name: "count_from", offset: 24, size: 4 },
            UniformField { name: "max_rows", offset: 28, size: 4 },
            UniformField { name: "act", offset: 32, size: 4 },
            UniformField { name: "flags", offset: 36, size: 4 },
            UniformField { name: "softcap", offset: 40, size: 4 },
        ],
        wgsl: r"requires packed_4x8_integer_dot_product;
struct Chunk {
 v0: vec4<f32>,
 v1: vec4<f32>,
 v2: vec4<f32>,
 v3: vec4<f32>,
 v4: vec4<f32>,
 v5: vec4<f32>,
 v6: vec4<f32>,
 v7: vec4<f32>,
}
struct Coded {
 q: Chunk,
 s: vec4<f32>,
}
fn quants(g: u32, c: u32, r: u32, n_word: u32, word: u32) -> vec4<u32> {
 return wq[((g * p.n_chunk + c) * n_word + word) * 8u + r];
}
fn scale_word(g: u32, unit: u32, r: u32, n_word: u32, word: u32) -> u32 {
 return ws[((g * p.n_unit + unit) * n_word + word) * 8u + r];
}
fn nibbles(w: u32) -> vec4<u32> {
 return (vec4<u32>(w) >> vec4<u32>(0u, 8u, 16u, 24u)) & vec4<u32>(15u);
}
fn code(w: u32) -> vec4<f32> {
 let n = nibbles(w);
 let second = (n & vec4<u32>(4u)) != vec4<u32>(0u);
 let low = select(vec4<u32>(0xbfad9881u), vec4<u32>(0xf6eaddcfu), second);
 let high = select(vec4<u32>(0x26190d01u), vec4<u32>(0x71594535u), second);
 let word = select(low, high, n >= vec4<u32>(8u));
 let byte = word << (vec4<u32>(24u) - ((n & vec4<u32>(3u)) << vec4<u32>(3u)));
 return vec4<f32>(bitcast<vec4<i32>>(byte) >> vec4<u32>(24u));
}
fn coded(g: u32, c: u32, r: u32) -> Coded {
 let s = bitcast<f32>(scale_word(g, c, r, 1u, 0u));
 let q = quants(g, c, r, 1u, 0u);
 let h = q >> vec4<u32>(4u);
 let v = Chunk(code(q.x), code(q.y), code(q.z), code(q.w), code(h.x), code(h.y), code(h.z), code(h.w));
 return Coded(v, vec4<f32>(s, s, 0.0, 0.0));
}
const OFFSETS = false;
const TWO_SCALES = false;
fn soft_tanh(v: f32) -> f32 {
 let e = exp(-2.0 * min(abs(v), 15.0));
 return sign(v) * ((1.0 - e) / (1.0 + e));
}
fn silu(v: f32) -> f32 {
 return v / (1.0 + exp(clamp(-v, -80.0, 80.0)));
}
fn gelu_tanh(v: f32) -> f32 {
 return 0.5 * v * (1.0 + soft_tanh(0.7978845608 * (v + 0.044715 * v * v * v)));
}
fn activate(kind: u32, v: f32) -> f32 {
 if (kind == 1u) {
  return silu(v);
 }
 if (kind == 2u) {
  return gelu_tanh(v);
 }
 return v;
}
const ADD = 1u;
const BIAS = 2u;
const SOFTCAP = 4u;
fn store(sum: f32, row: u32, at: u32) {
 var v = sum;
 if ((p.flags & BIAS) != 0u) {
  v += bias[row];
 }
 v = activate(p.act, v);
 if ((p.flags & SOFTCAP) != 0u) {
  v = p.softcap * soft_tanh(v / p.softcap);
 }
 if ((p.flags & ADD) != 0u) {
  v += y[at];
 }
 y[at] = v;
}
struct Row {
 token: u32,
 pos: u32,
 cell: u32,
 table: u32,
 base: u32,
 lo: u32,
 hi: u32,
 lo_swa: u32,
 tree: u32,
 ancestors_lo: u32,
 ancestors_hi: u32,
 seq: u32,
 mix_start: u32,
 mix_len: u32,
 reserved0: u32,
 reserved1: u32,
}
struct Step {
 n_rows: u32,
 n_want: u32,
 seed_lo: u32,
 seed_hi: u32,
 window: u32,
 n_out: u32,
 reserved: array<u32, 10>,
 want: array<u32, 16>,
 rows: array<Row>,
}
struct P {
 n_chunk: u32,
 n_unit: u32,
 n_group: u32,
 n_rows: u32,
 row0: u32,
 y_stride: u32,
 count_from: u32,
 max_rows: u32,
 act: u32,
 flags: u32,
 softcap: f32,
}
@group(0) @binding(0) var<storage, read> wq: array<vec4<u32>>;
@group(0) @binding(1) var<storage, read> ws: array<u32>;
@group(0) @binding(2) var<storage, read> x: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read> bias: array<f32>;
@group(0) @binding(4) var<storage, read_write> y: array<f32>;
@group(0) @binding(5) var<storage, read> step: Step;
@group(0) @binding(6) var<uniform> p: P;
fn column_count() -> u32 {
 return min(select(step.n_rows, step.n_want, p.count_from == 1u), p.max_rows);
}
struct Packed {
 lo: vec4<u32>,
 hi: vec4<u32>,
}
fn four_bytes(q: vec4<f32>) -> u32 {
 return pack4xI8(vec4<i32>(q));
}
fn packed(g: u32, c: u32, r: u32) -> Packed {
                        {
  let q = coded(g, c, r).q;
  return Packed(vec4<u32>(four_bytes(q.v0), four_bytes(q.v1), four_bytes(q.v2), four_bytes(q.v3)),
   vec4<u32>(four_bytes(q.v4), four_bytes(q.v5), four_bytes(q.v6), four_bytes(q.v7)));
 }
}
const STEPS = 1u;
alias Sixteen = vec4<u32>;
struct Strip {
 lo: Sixteen,
 hi: Sixteen,
 s: vec4<f32>,
}
struct Block {
 lo0: Sixteen,
 lo1: Sixteen,
 lo2: Sixteen,
 lo3: Sixteen,
 hi0: Sixteen,
 hi1: Sixteen,
 hi2: Sixteen,
 hi3: Sixteen,
 scale: vec4<f32>,
 total_lo: vec4<f32>,
 total_hi: vec4<f32>,
}
var<workgroup> w_tile: array<Sixteen, 128>;
var<workgroup> w_scales: array<vec4<f32>, 64>;
var<workgroup> x_tile: array<Sixteen, 128>;
var<workgroup> x_scales: array<vec4<f32>, 64>;
fn put_w(t: u32, g: u32, c: u32) {
 w_scales[t] = coded(g, c, t % 8u).s;
 let q = packed(g, c, t % 8u);
 w_tile[t] = q.lo;
 w_tile[t + 64u] = q.hi;
}
fn magnitudes(v: vec4<f32>) -> vec4<u32> {
 return bitcast<vec4<u32>>(v) & vec4<u32>(0x7fffffffu);
}
fn largest(v: Chunk) -> u32 {
 let m = max(max(max(magnitudes(v.v0), magnitudes(v.v1)), max(magnitudes(v.v2), magnitudes(v.v3))),
  max(max(magnitudes(v.v4), magnitudes(v.v5)), max(magnitudes(v.v6), magnitudes(v.v7))));
 return max(max(m.x, m.y), max(m.z, m.w));
}
fn bytes(v: vec4<f32>, inverse: f32) -> u32 {
 return pack4xI8(vec4<i32>(round(v * inverse)));
}
fn total(q: vec4<u32>) -> f32 {
 let ones = vec4<u32>(0x01010101u);
 return f32(dot16(q, ones));
}
fn put_x(t: u32, at: u32) {
 let v = Chunk(x[at], x[at + 1u], x[at + 2u], x[at + 3u], x[at + 4u], x[at + 5u], x[at + 6u], x[at + 7u]);
 let most = largest(v);
 let exponent = most >> 23u;
 let usable = exponent >= 16u && exponent < 245u;
 let steps = f32((127u << 16u) / (((most >> 16u) & 0x7fu) + 129u));
 let inverse = select(0.0, steps * bitcast<f32>((245u - min(exponent, 245u)) << 23u), usable);
 let scale = select(bitcast<f32>(most), 1.0 / inverse, usable);
 let lo = vec4<u32>(bytes(v.v0, inverse), bytes(v.v1, inverse), bytes(v.v2, inverse), bytes(v.v3, inverse));
 let hi = vec4<u32>(bytes(v.v4, inverse), bytes(v.v5, inverse), bytes(v.v6, inverse), bytes(v.v7, inverse));
 x_tile[t] = lo;
 x_tile[t + 64u] = hi;
 x_scales[t] = vec4<f32>(scale, scale * total(lo), scale * total(hi), 0.0);
}
fn row(a: u32, i: u32, j: u32) -> Strip {
 let at = a + 8u * i + j;
 return Strip(w_tile[at], w_tile[at + 64u], w_scales[at]);
}
fn block(b: u32, part: u32, j: u32) -> Block {
 let at = b + 32u * part + j;
 let s = mat4x4<f32>(x_scales[at], x_scales[at + 8u], x_scales[at + 16u], x_scales[at + 24u]);
 let by_kind = transpose(s);
 return Block(x_tile[at], x_tile[at + 8u], x_tile[at + 16u], x_tile[at + 24u],
  x_tile[at + 64u], x_tile[at + 72u], x_tile[at + 80u], x_tile[at + 88u], by_kind[0], by_kind[1], by_kind[2]);
}
fn dot16(a: vec4<u32>, b: vec4<u32>) -> i32 {
 return dot4I8Packed(a.x, b.x) + dot4I8Packed(a.y, b.y) + dot4I8Packed(a.z, b.z) + dot4I8Packed(a.w, b.w);
}
fn product(w: Strip, v: Block) -> vec4<f32> {
 let lo = vec4<i32>(dot16(w.lo, v.lo0), dot16(w.lo, v.lo1), dot16(w.lo, v.lo2), dot16(w.lo, v.lo3));
 let hi = vec4<i32>(dot16(w.hi, v.hi0), dot16(w.hi, v.hi1), dot16(w.hi, v.hi2), dot16(w.hi, v.hi3));
 var sum: vec4<f32>;
 if (TWO_SCALES) {
  sum = v.scale * (w.s.x * vec4<f32>(lo) + w.s.y * vec4<f32>(hi));
 } else {
  sum = (v.scale * w.s.x) * vec4<f32>(lo + hi);
 }
 if (OFFSETS) {
  sum += w.s.z * v.total_lo + w.s.w * v.total_hi;
 }
 return sum;
}
fn write(sums: vec4<f32>, row: u32, m0: u32, n: u32) {
 for (var i = 0u; i < 4u; i++) {
  let m = m0 + 8u * i;
  if (m < n) {
   store(sums[i], p.row0 + row, m * p.y_stride + p.row0 + row);
  }
 }
}
@compute @workgroup_size(64)
fn main(@builtin(local_invocation_index) t: u32, @builtin(workgroup_id) wg: vec3<u32>) {
 let n = column_count();
 let m0 = wg.y * 64u;
 if (m0 >= n) {
  return;
 }
 let wide = m0 + 32u < n;
 let g = min(wg.x * 8u + t / 8u, p.n_group - 1u);
 let x0 = min(m0 + t, n - 1u) * p.n_chunk * 8u;
 let a = t % 8u;
 let b = t / 8u;
 var l0 = vec4<f32>();
 var l1 = vec4<f32>();
 var l2 = vec4<f32>();
 var l3 = vec4<f32>();
 var l4 = vec4<f32>();
 var l5 = vec4<f32>();
 var l6 = vec4<f32>();
 var l7 = vec4<f32>();
 var h0 = vec4<f32>();
 var h1 = vec4<f32>();
 var h2 = vec4<f32>();
 var h3 = vec4<f32>();
 var h4 = vec4<f32>();
 var h5 = vec4<f32>();
 var h6 = vec4<f32>();
 var h7 = vec4<f32>();
 for (var c = 0u; c < p.n_chunk; c++) {
  put_w(t, g, c);
  put_x(t, x0 + c * 8u);
  workgroupBarrier();
  for (var j = 0u; j < STEPS; j++) {
   let w0 = row(a, 0u, j);
   let w1 = row(a, 1u, j);
   let w2 = row(a, 2u, j);
   let w3 = row(a, 3u, j);
   let w4 = row(a, 4u, j);
   let w5 = row(a, 5u, j);
   let w6 = row(a, 6u, j);
   let w7 = row(a, 7u, j);
   let lo = block(b, 0u, j);
   l0 += product(w0, lo);
   l1 += product(w1, lo);
   l2 += product(w2, lo);
   l3 += product(w3, lo);
   l4 += product(w4, lo);
   l5 += product(w5, lo);
   l6 += product(w6, lo);
   l7 += product(w7, lo);
   if (wide) {
    let hi = block(b, 1u, j);
    h0 += product(w0, hi);
    h1 += product(w1, hi);
    h2 += product(w2, hi);
    h3 += product(w3, hi);
    h4 += product(w4, hi);
    h5 += product(w5, hi);
    h6 += product(w6, hi);
    h7 += product(w7, hi);
   }
  }
  workgroupBarrier();
 }
     {
  let sums = array<vec4<f32>, 16>(l0, l1, l2, l3, l4, l5, l6, l7, h0, h1, h2, h3, h4, h5, h6, h7);
  for (var i = 0u; i < 8u; i++) {
   let n_row = wg.x * 64u + a + 8u * i;
   if (n_row < p.n_rows) {
    write(sums[i], n_row, m0 + b, n);
    write(sums[i + 8u], n_row, m0 + b + 32u, n);
   }
  }
 }
}
",
    },
    Shader {
        name: "matmul_tile_mxfp4",
        kernel: "matmul_tile",
        workgroup_size: [64, 1, 1],
        bindings: &[
            Binding { index: 0, name: "wq", kind: BindingKind::Read, min_size: 16 },
            Binding { index: 1, name: "ws", kind: BindingKind::Read, min_size: 4 },
            Binding { index: 2, name: "x", kind: BindingKind::Read, min_size: 16 },
            Binding { index: 3, name: "bias", kind: BindingKind::Read, min_size: 4 },
            Binding { index: 4, name: "y", kind: BindingKind::ReadWrite, min_size: 4 },
            Binding { index: 5, name: "step", kind: BindingKind::Read, min_size: 192 },
            Binding { index: 6, name: "p", kind: BindingKind::Uniform, min_size: 44 },
        ],
        overrides: &[],
        needs: &[],
        workgroup_bytes: 16384,
        uniform: &[
            UniformField { name: "n_chunk", offset: 0, size: 4 },
            UniformField { name: "n_unit", offset: 4, size: 4 },
            UniformField { name: "n_group", offset: 8, size: 4 },
            UniformField { name: "n_rows", offset: 12, size: 4 },
            UniformField { name: "row0", offset: 16, size: 4 },
            UniformField { name: "y_stride", offset: 20, size: 4 },
            UniformField { name: "count_from", offset: 24, size: 4 },
            UniformField { name: "max_rows", offset: 28, size: 4 },
            UniformField { name: "act", offset: 32, size: 4 },
            UniformField { name: "flags", offset: 36, size: 4 },
            UniformField { name: "softcap", offset: 40, size: 4 },
        ],
        wgsl: r"struct Chunk {
 v0: vec4<f32>,
 v1: vec4<f32>,
 v2: vec4<f32>,
 v3: vec4<f32>,
 v4: vec4<f32>,
 v5: vec4<f32>,
 v6: vec4<f32>,
 v7: vec4<f32>,
}
struct Coded {
 q: Chunk,
 s: vec4<f32>,
}
fn chunk_scale(q: Chunk, lo: f32, hi: f32) -> Chunk {
 return Chunk(q.v0 * lo, q.v1 * lo, q.v2 * lo, q.v3 * lo, q.v4 * hi, q.v5 * hi, q.v6 * hi, q.v7 * hi);
}
fn quants(g: u32, c: u32, r: u32, n_word: u32, word: u32) -> vec4<u32> {
 return wq[((g * p.n_chunk + c) * n_word + word) * 8u + r];
}
fn scale_word(g: u32, unit: u32, r: u32, n_word: u32, word: u32) -> u32 {
 return ws[((g * p.n_unit + unit) * n_word + word) * 8u + r];
}
fn nibbles(w: u32) -> vec4<u32> {
 return (vec4<u32>(w) >> vec4<u32>(0u, 8u, 16u, 24u)) & vec4<u32>(15u);
}
fn code(w: u32) -> vec4<f32> {
 let n = nibbles(w);
 let m = n & vec4<u32>(1u);
 let e = (n >> vec4<u32>(1u)) & vec4<u32>(3u);
 let normal = (vec4<u32>(2u) | m) << (max(e, vec4<u32>(1u)) - vec4<u32>(1u));
 let v = vec4<i32>(select(normal, m, e == vec4<u32>(0u)));
 return vec4<f32>(select(v, -v, n >= vec4<u32>(8u)));
}
fn coded(g: u32, c: u32, r: u32) -> Coded {
 let s = bitcast<f32>(scale_word(g, c, r, 1u, 0u));
 let q = quants(g, c, r, 1u, 0u);
 let h = q >> vec4<u32>(4u);
 let v = Chunk(code(q.x), code(q.y), code(q.z), code(q.w), code(h.x), code(h.y), code(h.z), code(h.w));
 return Coded(v, vec4<f32>(s, s, 0.0, 0.0));
}
fn dequant(g: u32, c: u32, r: u32) -> Chunk {
 let w = coded(g, c, r);
    {
  return chunk_scale(w.q, w.s.x, w.s.y);
 }
}
fn soft_tanh(v: f32) -> f32 {
 let e = exp(-2.0 * min(abs(v), 15.0));
 return sign(v) * ((1.0 - e) / (1.0 + e));
}
fn silu(v: f32) -> f32 {
 return v / (1.0 + exp(clamp(-v, -80.0, 80.0)));
}
fn gelu_tanh(v: f32) -> f32 {
 return 0.5 * v * (1.0 + soft_tanh(0.7978845608 * (v + 0.044715 * v * v * v)));
}
fn activate(kind: u32, v: f32) -> f32 {
 if (kind == 1u) {
  return silu(v);
 }
 if (kind == 2u) {
  return gelu_tanh(v);
 }
 return v;
}
const ADD = 1u;
const BIAS = 2u;
const SOFTCAP = 4u;
fn store(sum: f32, row: u32, at: u32) {
 var v = sum;
 if ((p.flags & BIAS) != 0u) {
  v += bias[row];
 }
 v = activate(p.act, v);
 if ((p.flags & SOFTCAP) != 0u) {
  v = p.softcap * soft_tanh(v / p.softcap);
 }
 if ((p.flags & ADD) != 0u) {
  v += y[at];
 }
 y[at] = v;
}
struct Row {
 token: u32,
 pos: u32,
 cell: u32,
 table: u32,
 base: u32,
 lo: u32,
 hi: u32,
 lo_swa: u32,
 tree: u32,
 ancestors_lo: u32,
 ancestors_hi: u32,
 seq: u32,
 mix_start: u32,
 mix_len: u32,
 reserved0: u32,
 reserved1: u32,
}
struct Step {
 n_rows: u32,
 n_want: u32,
 seed_lo: u32,
 seed_hi: u32,
 window: u32,
 n_out: u32,
 reserved: array<u32, 10>,
 want: array<u32, 16>,
 rows: array<Row>,
}
struct P {
 n_chunk: u32,
 n_unit: u32,
 n_group: u32,
 n_rows: u32,
 row0: u32,
 y_stride: u32,
 count_from: u32,
 max_rows: u32,
 act: u32,
 flags: u32,
 softcap: f32,
}
@group(0) @binding(0) var<storage, read> wq: array<vec4<u32>>;
@group(0) @binding(1) var<storage, read> ws: array<u32>;
@group(0) @binding(2) var<storage, read> x: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read> bias: array<f32>;
@group(0) @binding(4) var<storage, read_write> y: array<f32>;
@group(0) @binding(5) var<storage, read> step: Step;
@group(0) @binding(6) var<uniform> p: P;
fn column_count() -> u32 {
 return min(select(step.n_rows, step.n_want, p.count_from == 1u), p.max_rows);
}
const STEPS = 8u;
alias Strip = vec4<f32>;
alias Block = mat4x4<f32>;
var<workgroup> w_tile: array<vec4<f32>, 512>;
var<workgroup> x_tile: array<vec4<f32>, 512>;
fn put_w(t: u32, g: u32, c: u32) {
 let v = dequant(g, c, t % 8u);
 let at = t * 8u;
 let s = t % 8u;
 w_tile[at + s] = v.v0;
 w_tile[at + (s ^ 1u)] = v.v1;
 w_tile[at + (s ^ 2u)] = v.v2;
 w_tile[at + (s ^ 3u)] = v.v3;
 w_tile[at + (s ^ 4u)] = v.v4;
 w_tile[at + (s ^ 5u)] = v.v5;
 w_tile[at + (s ^ 6u)] = v.v6;
 w_tile[at + (s ^ 7u)] = v.v7;
}
fn put_x(t: u32, from_word: u32) {
 for (var j = 0u; j < 8u; j++) {
  x_tile[t * 8u + (j ^ (t % 8u))] = x[from_word + j];
 }
}
fn row(a: u32, i: u32, j: u32) -> Strip {
 return w_tile[a * 8u + (j ^ a) + 64u * i];
}
fn block(b: u32, part: u32, j: u32) -> Block {
 let at = (b + 32u * part) * 8u + (j ^ b);
 return mat4x4<f32>(x_tile[at], x_tile[at + 64u], x_tile[at + 128u], x_tile[at + 192u]);
}
fn product(w: Strip, v: Block) -> vec4<f32> {
 return w * v;
}
fn write(sums: vec4<f32>, row: u32, m0: u32, n: u32) {
 for (var i = 0u; i < 4u; i++) {
  let m = m0 + 8u * i;
  if (m < n) {
   store(sums[i], p.row0 + row, m * p.y_stride + p.row0 + row);
  }
 }
}
@compute @workgroup_size(64)
fn main(@builtin(local_invocation_index) t: u32, @builtin(workgroup_id) wg: vec3<u32>) {
 let n = column_count();
 let m0 = wg.y * 64u;
 if (m0 >= n) {
  return;
 }
 let wide = m0 + 32u < n;
 let g = min(wg.x * 8u + t / 8u, p.n_group - 1u);
 let x0 = min(m0 + t, n - 1u) * p.n_chunk * 8u;
 let a = t % 8u;
 let b = t / 8u;
 var l0 = vec4<f32>();
 var l1 = vec4<f32>();
 var l2 = vec4<f32>();
 var l3 = vec4<f32>();
 var l4 = vec4<f32>();
 var l5 = vec4<f32>();
 var l6 = vec4<f32>();
 var l7 = vec4<f32>();
 var h0 = vec4<f32>();
 var h1 = vec4<f32>();
 var h2 = vec4<f32>();
 var h3 = vec4<f32>();
 var h4 = vec4<f32>();
 var h5 = vec4<f32>();
 var h6 = vec4<f32>();
 var h7 = vec4<f32>();
 for (var c = 0u; c < p.n_chunk; c++) {
  put_w(t, g, c);
  put_x(t, x0 + c * 8u);
  workgroupBarrier();
  for (var j = 0u; j < STEPS; j++) {
   let w0 = row(a, 0u, j);
   let w1 = row(a, 1u, j);
   let w2 = row(a, 2u, j);
   let w3 = row(a, 3u, j);
   let w4 = row(a, 4u, j);
   let w5 = row(a, 5u, j);
   let w6 = row(a, 6u, j);
   let w7 = row(a, 7u, j);
   let lo = block(b, 0u, j);
   l0 += product(w0, lo);
   l1 += product(w1, lo);
   l2 += product(w2, lo);
   l3 += product(w3, lo);
   l4 += product(w4, lo);
   l5 += product(w5, lo);
   l6 += product(w6, lo);
   l7 += product(w7, lo);
   if (wide) {
    let hi = block(b, 1u, j);
    h0 += product(w0, hi);
    h1 += product(w1, hi);
    h2 += product(w2, hi);
    h3 += product(w3, hi);
    h4 += product(w4, hi);
    h5 += product(w5, hi);
    h6 += product(w6, hi);
    h7 += product(w7, hi);
   }
  }
  workgroupBarrier();
 }
      {
  let own = a * 8u + (b ^ a);
  w_tile[own] = l0;
  w_tile[own + 64u] = l1;
  w_tile[own + 128u] = l2;
  w_tile[own + 192u] = l3;
  w_tile[own + 256u] = l4;
  w_tile[own + 320u] = l5;
  w_tile[own + 384u] = l6;
  w_tile[own + 448u] = l7;
  x_tile[own] = h0;
  x_tile[own + 64u] = h1;
  x_tile[own + 128u] = h2;
  x_tile[own + 192u] = h3;
  x_tile[own + 256u] = h4;
  x_tile[own + 320u] = h5;
  x_tile[own + 384u] = h6;
  x_tile[own + 448u] = h7;
  workgroupBarrier();
  let n_row = wg.x * 64u + t;
  if (n_row >= p.n_rows) {
   return;
  }
  for (var c = 0u; c < 8u; c++) {
   let at = t * 8u + (c ^ (t % 8u));
   write(w_tile[at], n_row, m0 + c, n);
   write(x_tile[at], n_row, m0 + c + 32u, n);
  }
 }
}
",
    },
    Shader {
        name: "matmul_tile_mxfp4_dot",
        kernel: "matmul_tile",
        workgroup_size: [64, 1, 1],
        bindings: &[
            Binding { index: 0, name: "wq", kind: BindingKind::Read, min_size: 16 },
            Binding { index: 1, name: "ws", kind: BindingKind::Read, min_size: 4 },
            Binding { index: 2, name: "x", kind: BindingKind::Read, min_size: 16 },
            Binding { index: 3, name: "bias", kind: BindingKind::Read, min_size: 4 },
            Binding { index: 4, name: "y", kind: BindingKind::ReadWrite, min_size: 4 },
            Binding { index: 5, name: "step", kind: BindingKind::Read, min_size: 192 },
            Binding { index: 6, name: "p", kind: BindingKind::Uniform, min_size: 44 },
        ],
        overrides: &[],
        needs: &[Feature::PackedDot],
        workgroup_bytes: 6144,
        uniform: &[
            UniformField { name: "n_chunk", offset: 0, size: 4 },
            UniformField { name: "n_unit", offset: 4, size: 4 },
            UniformField { name: "n_group", offset: 8, size: 4 },
            UniformField { name: "n_rows", offset: 12, size: 4 },
            UniformField { name: "row0", offset: 16, size: 4 },
            UniformField { name: "y_stride", offset: 20, size: 4 },
            UniformField { name: "count_from", offset: 24, size: 4 },
            UniformField { name: "max_rows", offset: 28, size: 4 },
            UniformField { name: "act", offset: 32, size: 4 },
            UniformField { name: "flags", offset: 36, size: 4 },
            UniformField { name: "softcap", offset: 40, size: 4 },
        ],
        wgsl: r"requires packed_4x8_integer_dot_product;
struct Chunk {
 v0: vec4<f32>,
 v1: vec4<f32>,
 v2: vec4<f32>,
 v3: vec4<f32>,
 v4: vec4<f32>,
 v5: vec4<f32>,
 v6: vec4<f32>,
 v7: vec4<f32>,
}
struct Coded {
 q: Chunk,
 s: vec4<f32>,
}
fn quants(g: u32, c: u32, r: u32, n_word: u32, word: u32) -> vec4<u32> {
 return wq[((g * p.n_chunk + c) * n_word + word) * 8u + r];
}
fn scale_word(g: u32, unit: u32, r: u32, n_word: u32, word: u32) -> u32 {
 return ws[((g * p.n_unit + unit) * n_word + word) * 8u + r];
}
fn nibbles(w: u32) -> vec4<u32> {
 return (vec4<u32>(w) >> vec4<u32>(0u, 8u, 16u, 24u)) & vec4<u32>(15u);
}
fn code(w: u32) -> vec4<f32> {
 let n = nibbles(w);
 let m = n & vec4<u32>(1u);
 let e = (n >> vec4<u32>(1u)) & vec4<u32>(3u);
 let normal = (vec4<u32>(2u) | m) << (max(e, vec4<u32>(1u)) - vec4<u32>(1u));
 let v = vec4<i32>(select(normal, m, e == vec4<u32>(0u)));
 return vec4<f32>(select(v, -v, n >= vec4<u32>(8u)));
}
fn coded(g: u32, c: u32, r: u32) -> Coded {
 let s = bitcast<f32>(scale_word(g, c, r, 1u, 0u));
 let q = quants(g, c, r, 1u, 0u);
 let h = q >> vec4<u32>(4u);
 let v = Chunk(code(q.x), code(q.y), code(q.z), code(q.w), code(h.x), code(h.y), code(h.z), code(h.w));
 return Coded(v, vec4<f32>(s, s, 0.0, 0.0));
}
const OFFSETS = false;
const TWO_SCALES = false;
fn soft_tanh(v: f32) -> f32 {
 let e = exp(-2.0 * min(abs(v), 15.0));
 return sign(v) * ((1.0 - e) / (1.0 + e));
}
fn silu(v: f32) -> f32 {
 return v / (1.0 + exp(clamp(-v, -80.0, 80.0)));
}
fn gelu_tanh(v: f32) -> f32 {
 return 0.5 * v * (1.0 + soft_tanh(0.7978845608 * (v + 0.044715 * v * v * v)));
}
fn activate(kind: u32, v: f32) -> f32 {
 if (kind == 1u) {
  return silu(v);
 }
 if (kind == 2u) {
  return gelu_tanh(v);
 }
 return v;
}
const ADD = 1u;
const BIAS = 2u;
const SOFTCAP = 4u;
fn store(sum: f32, row: u32, at: u32) {
 var v = sum;
 if ((p.flags & BIAS) != 0u) {
  v += bias[row];
 }
 v = activate(p.act, v);
 if ((p.flags & SOFTCAP) != 0u) {
  v = p.softcap * soft_tanh(v / p.softcap);
 }
 if ((p.flags & ADD) != 0u) {
  v += y[at];
 }
 y[at] = v;
}
struct Row {
 token: u32,
 pos: u32,
 cell: u32,
 table: u32,
 base: u32,
 lo: u32,
 hi: u32,
 lo_swa: u32,
 tree: u32,
 ancestors_lo: u32,
 ancestors_hi: u32,
 seq: u32,
 mix_start: u32,
 mix_len: u32,
 reserved0: u32,
 reserved1: u32,
}
struct Step {
 n_rows: u32,
 n_want: u32,
 seed_lo: u32,
 seed_hi: u32,
 window: u32,
 n_out: u32,
 reserved: array<u32, 10>,
 want: array<u32, 16>,
 rows: array<Row>,
}
struct P {
 n_chunk: u32,
 n_unit: u32,
 n_group: u32,
 n_rows: u32,
 row0: u32,
 y_stride: u32,
 count_from: u32,
 max_rows: u32,
 act: u32,
 flags: u32,
 softcap: f32,
}
@group(0) @binding(0) var<storage, read> wq: array<vec4<u32>>;
@group(0) @binding(1) var<storage, read> ws: array<u32>;
@group(0) @binding(2) var<storage, read> x: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read> bias: array<f32>;
@group(0) @binding(4) var<storage, read_write> y: array<f32>;
@group(0) @binding(5) var<storage, read> step: Step;
@group(0) @binding(6) var<uniform> p: P;
fn column_count() -> u32 {
 return min(select(step.n_rows, step.n_want, p.count_from == 1u), p.max_rows);
}
struct Packed {
 lo: vec4<u32>,
 hi: vec4<u32>,
}
fn four_bytes(q: vec4<f32>) -> u32 {
 return pack4xI8(vec4<i32>(q));
}
fn packed(g: u32, c: u32, r: u32) -> Packed {
                        {
  let q = coded(g, c, r).q;
  return Packed(vec4<u32>(four_bytes(q.v0), four_bytes(q.v1), four_bytes(q.v2), four_bytes(q.v3)),
   vec4<u32>(four_bytes(q.v4), four_bytes(q.v5), four_bytes(q.v6), four_bytes(q.v7)));
 }
}
const STEPS = 1u;
alias Sixteen = vec4<u32>;
struct Strip {
 lo: Sixteen,
 hi: Sixteen,
 s: vec4<f32>,
}
struct Block {
 lo0: Sixteen,
 lo1: Sixteen,
 lo2: Sixteen,
 lo3: Sixteen,
 hi0: Sixteen,
 hi1: Sixteen,
 hi2: Sixteen,
 hi3: Sixteen,
 scale: vec4<f32>,
 total_lo: vec4<f32>,
 total_hi: vec4<f32>,
}
var<workgroup> w_tile: array<Sixteen, 128>;
var<workgroup> w_scales: array<vec4<f32>, 64>;
var<workgroup> x_tile: array<Sixteen, 128>;
var<workgroup> x_scales: array<vec4<f32>, 64>;
fn put_w(t: u32, g: u32, c: u32) {
 w_scales[t] = coded(g, c, t % 8u).s;
 let q = packed(g, c, t % 8u);
 w_tile[t] = q.lo;
 w_tile[t + 64u] = q.hi;
}
fn magnitudes(v: vec4<f32>) -> vec4<u32> {
 return bitcast<vec4<u32>>(v) & vec4<u32>(0x7fffffffu);
}
fn largest(v: Chunk) -> u32 {
 let m = max(max(max(magnitudes(v.v0), magnitudes(v.v1)), max(magnitudes(v.v2), magnitudes(v.v3))),
  max(max(magnitudes(v.v4), magnitudes(v.v5)), max(magnitudes(v.v6), magnitudes(v.v7))));
 return max(max(m.x, m.y), max(m.z, m.w));
}
fn bytes(v: vec4<f32>, inverse: f32) -> u32 {
 return pack4xI8(vec4<i32>(round(v * inverse)));
}
fn total(q: vec4<u32>) -> f32 {
 let ones = vec4<u32>(0x01010101u);
 return f32(dot16(q, ones));
}
fn put_x(t: u32, at: u32) {
 let v = Chunk(x[at], x[at + 1u], x[at + 2u], x[at + 3u], x[at + 4u], x[at + 5u], x[at + 6u], x[at + 7u]);
 let most = largest(v);
 let exponent = most >> 23u;
 let usable = exponent >= 16u && exponent < 245u;
 let steps = f32((127u << 16u) / (((most >> 16u) & 0x7fu) + 129u));
 let inverse = select(0.0, steps * bitcast<f32>((245u - min(exponent, 245u)) << 23u), usable);
 let scale = select(bitcast<f32>(most), 1.0 / inverse, usable);
 let lo = vec4<u32>(bytes(v.v0, inverse), bytes(v.v1, inverse), bytes(v.v2, inverse), bytes(v.v3, inverse));
 let hi = vec4<u32>(bytes(v.v4, inverse), bytes(v.v5, inverse), bytes(v.v6, inverse), bytes(v.v7, inverse));
 x_tile[t] = lo;
 x_tile[t + 64u] = hi;
 x_scales[t] = vec4<f32>(scale, scale * total(lo), scale * total(hi), 0.0);
}
fn row(a: u32, i: u32, j: u32) -> Strip {
 let at = a + 8u * i + j;
 return Strip(w_tile[at], w_tile[at + 64u], w_scales[at]);
}
fn block(b: u32, part: u32, j: u32) -> Block {
 let at = b + 32u * part + j;
 let s = mat4x4<f32>(x_scales[at], x_scales[at + 8u], x_scales[at + 16u], x_scales[at + 24u]);
 let by_kind = transpose(s);
 return Block(x_tile[at], x_tile[at + 8u], x_tile[at + 16u], x_tile[at + 24u],
  x_tile[at + 64u], x_tile[at + 72u], x_tile[at + 80u], x_tile[at + 88u], by_kind[0], by_kind[1], by_kind[2]);
}
fn dot16(a: vec4<u32>, b: vec4<u32>) -> i32 {
 return dot4I8Packed(a.x, b.x) + dot4I8Packed(a.y, b.y) + dot4I8Packed(a.z, b.z) + dot4I8Packed(a.w, b.w);
}
fn product(w: Strip, v: Block) -> vec4<f32> {
 let lo = vec4<i32>(dot16(w.lo, v.lo0), dot16(w.lo, v.lo1), dot16(w.lo, v.lo2), dot16(w.lo, v.lo3));
 let hi = vec4<i32>(dot16(w.hi, v.hi0), dot16(w.hi, v.hi1), dot16(w.hi, v.hi2), dot16(w.hi, v.hi3));
 var sum: vec4<f32>;
 if (TWO_SCALES) {
  sum = v.scale * (w.s.x * vec4<f32>(lo) + w.s.y * vec4<f32>(hi));
 } else {
  sum = (v.scale * w.s.x) * vec4<f32>(lo + hi);
 }
 if (OFFSETS) {
  sum += w.s.z * v.total_lo + w.s.w * v.total_hi;
 }
 return sum;
}
fn write(sums: vec4<f32>, row: u32, m0: u32, n: u32) {
 for (var i = 0u; i < 4u; i++) {
  let m = m0 + 8u * i;
  if (m < n) {
   store(sums[i], p.row0 + row, m * p.y_stride + p.row0 + row);
  }
 }
}
@compute @workgroup_size(64)
fn main(@builtin(local_invocation_index) t: u32, @builtin(workgroup_id) wg: vec3<u32>) {
 let n = column_count();
 let m0 = wg.y * 64u;
 if (m0 >= n) {
  return;
 }
 let wide = m0 + 32u < n;
 let g = min(wg.x * 8u + t / 8u, p.n_group - 1u);
 let x0 = min(m0 + t, n - 1u) * p.n_chunk * 8u;
 let a = t % 8u;
 let b = t / 8u;
 var l0 = vec4<f32>();
 var l1 = vec4<f32>();
 var l2 = vec4<f32>();
 var l3 = vec4<f32>();
 var l4 = vec4<f32>();
 var l5 = vec4<f32>();
 var l6 = vec4<f32>();
 var l7 = vec4<f32>();
 var h0 = vec4<f32>();
 var h1 = vec4<f32>();
 var h2 = vec4<f32>();
 var h3 = vec4<f32>();
 var h4 = vec4<f32>();
 var h5 = vec4<f32>();
 var h6 = vec4<f32>();
 var h7 = vec4<f32>();
 for (var c = 0u; c < p.n_chunk; c++) {
  put_w(t, g, c);
  put_x(t, x0 + c * 8u);
  workgroupBarrier();
  for (var j = 0u; j < STEPS; j++) {
   let w0 = row(a, 0u, j);
   let w1 = row(a, 1u, j);
   let w2 = row(a, 2u, j);
   let w3 = row(a, 3u, j);
   let w4 = row(a, 4u, j);
   let w5 = row(a, 5u, j);
   let w6 = row(a, 6u, j);
   let w7 = row(a, 7u, j);
   let lo = block(b, 0u, j);
   l0 += product(w0, lo);
   l1 += product(w1, lo);
   l2 += product(w2, lo);
   l3 += product(w3, lo);
   l4 += product(w4, lo);
   l5 += product(w5, lo);
   l6 += product(w6, lo);
   l7 += product(w7, lo);
   if (wide) {
    let hi = block(b, 1u, j);
    h0 += product(w0, hi);
    h1 += product(w1, hi);
    h2 += product(w2, hi);
    h3 += product(w3, hi);
    h4 += product(w4, hi);
    h5 += product(w5, hi);
    h6 += product(w6, hi);
    h7 += product(w7, hi);
   }
  }
  workgroupBarrier();
 }
     {
  let sums = array<vec4<f32>, 16>(l0, l1, l2, l3, l4, l5, l6, l7, h0, h1, h2, h3, h4, h5, h6, h7);
  for (var i = 0u; i < 8u; i++) {
   let n_row = wg.x * 64u + a + 8u * i;
   if (n_row < p.n_rows) {
    write(sums[i], n_row, m0 + b, n);
    write(sums[i + 8u], n_row, m0 + b + 32u, n);
   }
  }
 }
}
",
    },
    Shader {
        name: "matmul_tile_q2k",
        kernel: "matmul_tile",
        workgroup_size: [64, 1, 1],
        bindings: &[
            Binding { index: 0, name: "wq", kind: BindingKind::Read, min_size: 16 },
            Binding { index: 1, name: "ws", kind: BindingKind::Read, min_size: 4 },
            Binding { index: 2, name: "x", kind: BindingKind::Read, min_size: 16 },
            Binding { index: 3, name: "bias", kind: BindingKind::Read, min_size: 4 },
            Binding { index: 4, name: "y", kind: BindingKind::ReadWrite, min_size: 4 },
            Binding { index: 5, name: "step", kind: BindingKind::Read, min_size: 192 },
            Binding { index: 6, name: "p", kind: BindingKind::Uniform, min_size: 44 },
        ],
        overrides: &[],
        needs: &[],
        workgroup_bytes: 16384,
        uniform: &[
            UniformField { name: "n_chunk", offset: 0, size: 4 },
            UniformField { name: "n_unit", offset: 4, size: 4 },
            UniformField { name: "n_group", offset: 8, size: 4 },
            UniformField { name: "n_rows", offset: 12, size: 4 },
            UniformField { name: "row0", offset: 16, size: 4 },
            UniformField { name: "y_stride", offset: 20, size: 4 },
            UniformField { name: "count_from", offset: 24, size: 4 },
            UniformField { name: "max_rows", offset: 28, size: 4 },
            UniformField { name: "act", offset: 32, size: 4 },
            UniformField { name: "flags", offset: 36, size: 4 },
            UniformField { name: "softcap", offset: 40, size: 4 },
        ],
        wgsl: r"struct Chunk {
 v0: vec4<f32>,
 v1: vec4<f32>,
 v2: vec4<f32>,
 v3: vec4<f32>,
 v4: vec4<f32>,
 v5: vec4<f32>,
 v6: vec4<f32>,
 v7: vec4<f32>,
}
struct Coded {
 q: Chunk,
 s: vec4<f32>,
}
fn chunk_affine(q: Chunk, s: vec4<f32>) -> Chunk {
 let lo = vec4<f32>(s.z);
 let hi = vec4<f32>(s.w);
 return Chunk(q.v0 * s.x + lo, q.v1 * s.x + lo, q.v2 * s.x + lo, q.v3 * s.x + lo,
  q.v4 * s.y + hi, q.v5 * s.y + hi, q.v6 * s.y + hi, q.v7 * s.y + hi);
}
fn quants(g: u32, c: u32, r: u32, n_word: u32, word: u32) -> vec4<u32> {
 return wq[((g * p.n_chunk + c) * n_word + word) * 8u + r];
}
fn scale_word(g: u32, unit: u32, r: u32, n_word: u32, word: u32) -> u32 {
 return ws[((g * p.n_unit + unit) * n_word + word) * 8u + r];
}
fn nibbles(w: u32) -> vec4<u32> {
 return (vec4<u32>(w) >> vec4<u32>(0u, 8u, 16u, 24u)) & vec4<u32>(15u);
}
fn nibble_chunk(q: vec4<u32>) -> Chunk {
 let h = q >> vec4<u32>(4u);
 return Chunk(vec4<f32>(nibbles(q.x)), vec4<f32>(nibbles(q.y)), vec4<f32>(nibbles(q.z)), vec4<f32>(nibbles(q.w)),
  vec4<f32>(nibbles(h.x)), vec4<f32>(nibbles(h.y)), vec4<f32>(nibbles(h.z)), vec4<f32>(nibbles(h.w)));
}
fn half(h: u32) -> f32 {
 let m = h & 0x7fffu;
 let rebias = select(0x38000000u, 0x70000000u, m >= 0x7c00u);
 let v = select(bitcast<f32>((m << 13u) + rebias), f32(m) * 0x1p-24f, m < 0x400u);
 return bitcast<f32>(bitcast<u32>(v) | ((h & 0x8000u) << 16u));
}
fn half2(w: u32) -> vec2<f32> {
 return vec2<f32>(half(w & 0xffffu), half(w >> 16u));
}
fn byte_pair(g: u32, c: u32, r: u32, n_word: u32) -> u32 {
 return scale_word(g, c / 8u, r, n_word, 1u + (c % 8u) / 2u) >> (16u * (c % 2u));
}
fn coded(g: u32, c: u32, r: u32) -> Coded {
 let d = half2(scale_word(g, c / 8u, r, 5u, 0u));
 let f = vec4<u32>(byte_pair(g, c, r, 5u)) >> vec4<u32>(0u, 8u, 4u, 12u);
 let s = vec4<f32>(f & vec4<u32>(15u)) * vec4<f32>(d.x, d.x, -d.y, -d.y);
 return Coded(nibble_chunk(quants(g, c, r, 1u, 0u)), s);
}
fn dequant(g: u32, c: u32, r: u32) -> Chunk {
 let w = coded(g, c, r);
                                     {
  return chunk_affine(w.q, w.s);
 }
}
fn soft_tanh(v: f32) -> f32 {
 let e = exp(-2.0 * min(abs(v), 15.0));
 return sign(v) * ((1.0 - e) / (1.0 + e));
}
fn silu(v: f32) -> f32 {
 return v / (1.0 + exp(clamp(-v, -80.0, 80.0)));
}
fn gelu_tanh(v: f32) -> f32 {
 return 0.5 * v * (1.0 + soft_tanh(0.7978845608 * (v + 0.044715 * v * v * v)));
}
fn activate(kind: u32, v: f32) -> f32 {
 if (kind == 1u) {
  return silu(v);
 }
 if (kind == 2u) {
  return gelu_tanh(v);
 }
 return v;
}
const ADD = 1u;
const BIAS = 2u;
const SOFTCAP = 4u;
fn store(sum: f32, row: u32, at: u32) {
 var v = sum;
 if ((p.flags & BIAS) != 0u) {
  v += bias[row];
 }
 v = activate(p.act, v);
 if ((p.flags & SOFTCAP) != 0u) {
  v = p.softcap * soft_tanh(v / p.softcap);
 }
 if ((p.flags & ADD) != 0u) {
  v += y[at];
 }
 y[at] = v;
}
struct Row {
 token: u32,
 pos: u32,
 cell: u32,
 table: u32,
 base: u32,
 lo: u32,
 hi: u32,
 lo_swa: u32,
 tree: u32,
 ancestors_lo: u32,
 ancestors_hi: u32,
 seq: u32,
 mix_start: u32,
 mix_len: u32,
 reserved0: u32,
 reserved1: u32,
}
struct Step {
 n_rows: u32,
 n_want: u32,
 seed_lo: u32,
 seed_hi: u32,
 window: u32,
 n_out: u32,
 reserved: array<u32, 10>,
 want: array<u32, 16>,
 rows: array<Row>,
}
struct P {
 n_chunk: u32,
 n_unit: u32,
 n_group: u32,
 n_rows: u32,
 row0: u32,
 y_stride: u32,
 count_from: u32,
 max_rows: u32,
 act: u32,
 flags: u32,
 softcap: f32,
}
@group(0) @binding(0) var<storage, read> wq: array<vec4<u32>>;
@group(0) @binding(1) var<storage, read> ws: array<u32>;
@group(0) @binding(2) var<storage, read> x: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read> bias: array<f32>;
@group(0) @binding(4) var<storage, read_write> y: array<f32>;
@group(0) @binding(5) var<storage, read> step: Step;
@group(0) @binding(6) var<uniform> p: P;
fn column_count() -> u32 {
 return min(select(step.n_rows, step.n_want, p.count_from == 1u), p.max_rows);
}
const STEPS = 8u;
alias Strip = vec4<f32>;
alias Block = mat4x4<f32>;
var<workgroup> w_tile: array<vec4<f32>, 512>;
var<workgroup> x_tile: array<vec4<f32>, 512>;
fn put_w(t: u32, g: u32, c: u32) {
 let v = dequant(g, c, t % 8u);
 let at = t * 8u;
 let s = t % 8u;
 w_tile[at + s] = v.v0;
 w_tile[at + (s ^ 1u)] = v.v1;
 w_tile[at + (s ^ 2u)] = v.v2;
 w_tile[at + (s ^ 3u)] = v.v3;
 w_tile[at + (s ^ 4u)] = v.v4;
 w_tile[at + (s ^ 5u)] = v.v5;
 w_tile[at + (s ^ 6u)] = v.v6;
 w_tile[at + (s ^ 7u)] = v.v7;
}
fn put_x(t: u32, from_word: u32) {
 for (var j = 0u; j < 8u; j++) {
  x_tile[t * 8u + (j ^ (t % 8u))] = x[from_word + j];
 }
}
fn row(a: u32, i: u32, j: u32) -> Strip {
 return w_tile[a * 8u + (j ^ a) + 64u * i];
}
fn block(b: u32, part: u32, j: u32) -> Block {
 let at = (b + 32u * part) * 8u + (j ^ b);
 return mat4x4<f32>(x_tile[at], x_tile[at + 64u], x_tile[at + 128u], x_tile[at + 192u]);
}
fn product(w: Strip, v: Block) -> vec4<f32> {
 return w * v;
}
fn write(sums: vec4<f32>, row: u32, m0: u32, n: u32) {
 for (var i = 0u; i < 4u; i++) {
  let m = m0 + 8u * i;
  if (m < n) {
   store(sums[i], p.row0 + row, m * p.y_stride + p.row0 + row);
  }
 }
}
@compute @workgroup_size(64)
fn main(@builtin(local_invocation_index) t: u32, @builtin(workgroup_id) wg: vec3<u32>) {
 let n = column_count();
 let m0 = wg.y * 64u;
 if (m0 >= n) {
  return;
 }
 let wide = m0 + 32u < n;
 let g = min(wg.x * 8u + t / 8u, p.n_group - 1u);
 let x0 = min(m0 + t, n - 1u) * p.n_chunk * 8u;
 let a = t % 8u;
 let b = t / 8u;
 var l0 = vec4<f32>();
 var l1 = vec4<f32>();
 var l2 = vec4<f32>();
 var l3 = vec4<f32>();
 var l4 = vec4<f32>();
 var l5 = vec4<f32>();
 var l6 = vec4<f32>();
 var l7 = vec4<f32>();
 var h0 = vec4<f32>();
 var h1 = vec4<f32>();
 var h2 = vec4<f32>();
 var h3 = vec4<f32>();
 var h4 = vec4<f32>();
 var h5 = vec4<f32>();
 var h6 = vec4<f32>();
 var h7 = vec4<f32>();
 for (var c = 0u; c < p.n_chunk; c++) {
  put_w(t, g, c);
  put_x(t, x0 + c * 8u);
  workgroupBarrier();
  for (var j = 0u; j < STEPS; j++) {
   let w0 = row(a, 0u, j);
   let w1 = row(a, 1u, j);
   let w2 = row(a, 2u, j);
   let w3 = row(a, 3u, j);
   let w4 = row(a, 4u, j);
   let w5 = row(a, 5u, j);
   let w6 = row(a, 6u, j);
   let w7 = row(a, 7u, j);
   let lo = block(b, 0u, j);
   l0 += product(w0, lo);
   l1 += product(w1, lo);
   l2 += product(w2, lo);
   l3 += product(w3, lo);
   l4 += product(w4, lo);
   l5 += product(w5, lo);
   l6 += product(w6, lo);
   l7 += product(w7, lo);
   if (wide) {
    let hi = block(b, 1u, j);
    h0 += product(w0, hi);
    h1 += product(w1, hi);
    h2 += product(w2, hi);
    h3 += product(w3, hi);
    h4 += product(w4, hi);
    h5 += product(w5, hi);
    h6 += product(w6, hi);
    h7 += product(w7, hi);
   }
  }
  workgroupBarrier();
 }
      {
  let own = a * 8u + (b ^ a);
  w_tile[own] = l0;
  w_tile[own + 64u] = l1;
  w_tile[own + 128u] = l2;
  w_tile[own + 192u] = l3;
  w_tile[own + 256u] = l4;
  w_tile[own + 320u] = l5;
  w_tile[own + 384u] = l6;
  w_tile[own + 448u] = l7;
  x_tile[own] = h0;
  x_tile[own + 64u] = h1;
  x_tile[own + 128u] = h2;
  x_tile[own + 192u] = h3;
  x_tile[own + 256u] = h4;
  x_tile[own + 320u] = h5;
  x_tile[own + 384u] = h6;
  x_tile[own + 448u] = h7;
  workgroupBarrier();
  let n_row = wg.x * 64u + t;
  if (n_row >= p.n_rows) {
   return;
  }
  for (var c = 0u; c < 8u; c++) {
   let at = t * 8u + (c ^ (t % 8u));
   write(w_tile[at], n_row, m0 + c, n);
   write(x_tile[at], n_row, m0 + c + 32u, n);
  }
 }
}
",
    },
    Shader {
        name: "matmul_tile_q2k_dot",
        kernel: "matmul_tile",
        workgroup_size: [64, 1, 1],
        bindings: &[
            Binding { index: 0, name: "wq", kind: BindingKind::Read, min_size: 16 },
            Binding { index: 1, name: "ws", kind: BindingKind::Read, min_size: 4 },
            Binding { index: 2, name: "x", kind: BindingKind::Read, min_size: 16 },
            Binding { index: 3, name: "bias", kind: BindingKind::Read, min_size: 4 },
            Binding { index: 4, name: "y", kind: BindingKind::ReadWrite, min_size: 4 },
            Binding { index: 5, name: "step", kind: BindingKind::Read, min_size: 192 },
            Binding { index: 6, name: "p", kind: BindingKind::Uniform, min_size: 44 },
        ],
        overrides: &[],
        needs: &[Feature::PackedDot],
        workgroup_bytes: 6144,
        uniform: &[
            UniformField { name: "n_chunk", offset: 0, size: 4 },
            UniformField { name: "n_unit", offset: 4, size: 4 },
            UniformField { name: "n_group", offset: 8, size: 4 },
            UniformField { name: "n_rows", offset: 12, size: 4 },
            UniformField { name: "row0", offset: 16, size: 4 },
            UniformField { name: "y_stride", offset: 20, size: 4 },
            UniformField { name: "count_from", offset: 24, size: 4 },
            UniformField { name: "max_rows", offset: 28, size: 4 },
            UniformField { name: "act", offset: 32, size: 4 },
            UniformField { name: "flags", offset: 36, size: 4 },
            UniformField { name: "softcap", offset: 40, size: 4 },
        ],
        wgsl: r"requires packed_4x8_integer_dot_product;
struct Chunk {
 v0: vec4<f32>,
 v1: vec4<f32>,
 v2: vec4<f32>,
 v3: vec4<f32>,
 v4: vec4<f32>,
 v5: vec4<f32>,
 v6: vec4<f32>,
 v7: vec4<f32>,
}
struct Coded {
 q: Chunk,
 s: vec4<f32>,
}
fn quants(g: u32, c: u32, r: u32, n_word: u32, word: u32) -> vec4<u32> {
 return wq[((g * p.n_chunk + c) * n_word + word) * 8u + r];
}
fn scale_word(g: u32, unit: u32, r: u32, n_word: u32, word: u32) -> u32 {
 return ws[((g * p.n_unit + unit) * n_word + word) * 8u + r];
}
fn nibbles(w: u32) -> vec4<u32> {
 return (vec4<u32>(w) >> vec4<u32>(0u, 8u, 16u, 24u)) & vec4<u32>(15u);
}
fn nibble_chunk(q: vec4<u32>) -> Chunk {
 let h = q >> vec4<u32>(4u);
 return Chunk(vec4<f32>(nibbles(q.x)), vec4<f32>(nibbles(q.y)), vec4<f32>(nibbles(q.z)), vec4<f32>(nibbles(q.w)),
  vec4<f32>(nibbles(h.x)), vec4<f32>(nibbles(h.y)), vec4<f32>(nibbles(h.z)), vec4<f32>(nibbles(h.w)));
}
fn half(h: u32) -> f32 {
 let m = h & 0x7fffu;
 let rebias = select(0x38000000u, 0x70000000u, m >= 0x7c00u);
 let v = select(bitcast<f32>((m << 13u) + rebias), f32(m) * 0x1p-24f, m < 0x400u);
 return bitcast<f32>(bitcast<u32>(v) | ((h & 0x8000u) << 16u));
}
fn half2(w: u32) -> vec2<f32> {
 return vec2<f32>(half(w & 0xffffu), half(w >> 16u));
}
fn byte_pair(g: u32, c: u32, r: u32, n_word: u32) -> u32 {
 return scale_word(g, c / 8u, r, n_word, 1u + (c % 8u) / 2u) >> (16u * (c % 2u));
}
fn coded(g: u32, c: u32, r: u32) -> Coded {
 let d = half2(scale_word(g, c / 8u, r, 5u, 0u));
 let f = vec4<u32>(byte_pair(g, c, r, 5u)) >> vec4<u32>(0u, 8u, 4u, 12u);
 let s = vec4<f32>(f & vec4<u32>(15u)) * vec4<f32>(d.x, d.x, -d.y, -d.y);
 return Coded(nibble_chunk(quants(g, c, r, 1u, 0u)), s);
}
const OFFSETS = true;
const TWO_SCALES = true;
fn soft_tanh(v: f32) -> f32 {
 let e = exp(-2.0 * min(abs(v), 15.0));
 return sign(v) * ((1.0 - e) / (1.0 + e));
}
fn silu(v: f32) -> f32 {
 return v / (1.0 + exp(clamp(-v, -80.0, 80.0)));
}
fn gelu_tanh(v: f32) -> f32 {
 return 0.5 * v * (1.0 + soft_tanh(0.7978845608 * (v + 0.044715 * v * v * v)));
}
fn activate(kind: u32, v: f32) -> f32 {
 if (kind == 1u) {
  return silu(v);
 }
 if (kind == 2u) {
  return gelu_tanh(v);
 }
 return v;
}
const ADD = 1u;
const BIAS = 2u;
const SOFTCAP = 4u;
fn store(sum: f32, row: u32, at: u32) {
 var v = sum;
 if ((p.flags & BIAS) != 0u) {
  v += bias[row];
 }
 v = activate(p.act, v);
 if ((p.flags & SOFTCAP) != 0u) {
  v = p.softcap * soft_tanh(v / p.softcap);
 }
 if ((p.flags & ADD) != 0u) {
  v += y[at];
 }
 y[at] = v;
}
struct Row {
 token: u32,
 pos: u32,
 cell: u32,
 table: u32,
 base: u32,
 lo: u32,
 hi: u32,
 lo_swa: u32,
 tree: u32,
 ancestors_lo: u32,
 ancestors_hi: u32,
 seq: u32,
 mix_start: u32,
 mix_len: u32,
 reserved0: u32,
 reserved1: u32,
}
struct Step {
 n_rows: u32,
 n_want: u32,
 seed_lo: u32,
 seed_hi: u32,
 window: u32,
 n_out: u32,
 reserved: array<u32, 10>,
 want: array<u32, 16>,
 rows: array<Row>,
}
struct P {
 n_chunk: u32,
 n_unit: u32,
 n_group: u32,
 n_rows: u32,
 row0: u32,
 y_stride: u32,
 count_from: u32,
 max_rows: u32,
 act: u32,
 flags: u32,
 softcap: f32,
}
@group(0) @binding(0) var<storage, read> wq: array<vec4<u32>>;
@group(0) @binding(1) var<storage, read> ws: array<u32>;
@group(0) @binding(2) var<storage, read> x: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read> bias: array<f32>;
@group(0) @binding(4) var<storage, read_write> y: array<f32>;
@group(0) @binding(5) var<storage, read> step: Step;
@group(0) @binding(6) var<uniform> p: P;
fn column_count() -> u32 {
 return min(select(step.n_rows, step.n_want, p.count_from == 1u), p.max_rows);
}
struct Packed {
 lo: vec4<u32>,
 hi: vec4<u32>,
}
fn nibble_bytes(q: vec4<u32>) -> Packed {
 let mask = vec4<u32>(0x0f0f0f0fu);
 return Packed(q & mask, (q >> vec4<u32>(4u)) & mask);
}
fn packed(g: u32, c: u32, r: u32) -> Packed {
                      {
  return nibble_bytes(quants(g, c, r, 1u, 0u));
 }
}
const STEPS = 1u;
alias Sixteen = vec4<u32>;
struct Strip {
 lo: Sixteen,
 hi: Sixteen,
 s: vec4<f32>,
}
struct Block {
 lo0: Sixteen,
 lo1: Sixteen,
 lo2: Sixteen,
 lo3: Sixteen,
 hi0: Sixteen,
 hi1: Sixteen,
 hi2: Sixteen,
 hi3: Sixteen,
 scale: vec4<f32>,
 total_lo: vec4<f32>,
 total_hi: vec4<f32>,
}
var<workgroup> w_tile: array<Sixteen, 128>;
var<workgroup> w_scales: array<vec4<f32>, 64>;
var<workgroup> x_tile: array<Sixteen, 128>;
var<workgroup> x_scales: array<vec4<f32>, 64>;
fn put_w(t: u32, g: u32, c: u32) {
 w_scales[t] = coded(g, c, t % 8u).s;
 let q = packed(g, c, t % 8u);
 w_tile[t] = q.lo;
 w_tile[t + 64u] = q.hi;
}
fn magnitudes(v: vec4<f32>) -> vec4<u32> {
 return bitcast<vec4<u32>>(v) & vec4<u32>(0x7fffffffu);
}
fn largest(v: Chunk) -> u32 {
 let m = max(max(max(magnitudes(v.v0), magnitudes(v.v1)), max(magnitudes(v.v2), magnitudes(v.v3))),
  max(max(magnitudes(v.v4), magnitudes(v.v5)), max(magnitudes(v.v6), magnitudes(v.v7))));
 return max(max(m.x, m.y), max(m.z, m.w));
}
fn bytes(v: vec4<f32>, inverse: f32) -> u32 {
 return pack4xI8(vec4<i32>(round(v * inverse)));
}
fn total(q: vec4<u32>) -> f32 {
 let ones = vec4<u32>(0x01010101u);
 return f32(dot16(q, ones));
}
fn put_x(t: u32, at: u32) {
 let v = Chunk(x[at], x[at + 1u], x[at + 2u], x[at + 3u], x[at + 4u], x[at + 5u], x[at + 6u], x[at + 7u]);
 let most = largest(v);
 let exponent = most >> 23u;
 let usable = exponent >= 16u && exponent < 245u;
 let steps = f32((127u << 16u) / (((most >> 16u) & 0x7fu) + 129u));
 let inverse = select(0.0, steps * bitcast<f32>((245u - min(exponent, 245u)) << 23u), usable);
 let scale = select(bitcast<f32>(most), 1.0 / inverse, usable);
 let lo = vec4<u32>(bytes(v.v0, inverse), bytes(v.v1, inverse), bytes(v.v2, inverse), bytes(v.v3, inverse));
 let hi = vec4<u32>(bytes(v.v4, inverse), bytes(v.v5, inverse), bytes(v.v6, inverse), bytes(v.v7, inverse));
 x_tile[t] = lo;
 x_tile[t + 64u] = hi;
 x_scales[t] = vec4<f32>(scale, scale * total(lo), scale * total(hi), 0.0);
}
fn row(a: u32, i: u32, j: u32) -> Strip {
 let at = a + 8u * i + j;
 return Strip(w_tile[at], w_tile[at + 64u], w_scales[at]);
}
fn block(b: u32, part: u32, j: u32) -> Block {
 let at = b + 32u * part + j;
 let s = mat4x4<f32>(x_scales[at], x_scales[at + 8u], x_scales[at + 16u], x_scales[at + 24u]);
 let by_kind = transpose(s);
 return Block(x_tile[at], x_tile[at + 8u], x_tile[at + 16u], x_tile[at + 24u],
  x_tile[at + 64u], x_tile[at + 72u], x_tile[at + 80u], x_tile[at + 88u], by_kind[0], by_kind[1], by_kind[2]);
}
fn dot16(a: vec4<u32>, b: vec4<u32>) -> i32 {
 return dot4I8Packed(a.x, b.x) + dot4I8Packed(a.y, b.y) + dot4I8Packed(a.z, b.z) + dot4I8Packed(a.w, b.w);
}
fn product(w: Strip, v: Block) -> vec4<f32> {
 let lo = vec4<i32>(dot16(w.lo, v.lo0), dot16(w.lo, v.lo1), dot16(w.lo, v.lo2), dot16(w.lo, v.lo3));
 let hi = vec4<i32>(dot16(w.hi, v.hi0), dot16(w.hi, v.hi1), dot16(w.hi, v.hi2), dot16(w.hi, v.hi3));
 var sum: vec4<f32>;
 if (TWO_SCALES) {
  sum = v.scale * (w.s.x * vec4<f32>(lo) + w.s.y * vec4<f32>(hi));
 } else {
  sum = (v.scale * w.s.x) * vec4<f32>(lo + hi);
 }
 if (OFFSETS) {
  sum += w.s.z * v.total_lo + w.s.w * v.total_hi;
 }
 return sum;
}
fn write(sums: vec4<f32>, row: u32, m0: u32, n: u32) {
 for (var i = 0u; i < 4u; i++) {
  let m = m0 + 8u * i;
  if (m < n) {
   store(sums[i], p.row0 + row, m * p.y_stride + p.row0 + row);
  }
 }
}
@compute @workgroup_size(64)
fn main(@builtin(local_invocation_index) t: u32, @builtin(workgroup_id) wg: vec3<u32>) {
 let n = column_count();
 let m0 = wg.y * 64u;
 if (m0 >= n) {
  return;
 }
 let wide = m0 + 32u < n;
 let g = min(wg.x * 8u + t / 8u, p.n_group - 1u);
 let x0 = min(m0 + t, n - 1u) * p.n_chunk * 8u;
 let a = t % 8u;
 let b = t / 8u;
 var l0 = vec4<f32>();
 var l1 = vec4<f32>();
 var l2 = vec4<f32>();
 var l3 = vec4<f32>();
 var l4 = vec4<f32>();
 var l5 = vec4<f32>();
 var l6 = vec4<f32>();
 var l7 = vec4<f32>();
 var h0 = vec4<f32>();
 var h1 = vec4<f32>();
 var h2 = vec4<f32>();
 var h3 = vec4<f32>();
 var h4 = vec4<f32>();
 var h5 = vec4<f32>();
 var h6 = vec4<f32>();
 var h7 = vec4<f32>();
 for (var c = 0u; c < p.n_chunk; c++) {
  put_w(t, g, c);
  put_x(t, x0 + c * 8u);
  workgroupBarrier();
  for (var j = 0u; j < STEPS; j++) {
   let w0 = row(a, 0u, j);
   let w1 = row(a, 1u, j);
   let w2 = row(a, 2u, j);
   let w3 = row(a, 3u, j);
   let w4 = row(a, 4u, j);
   let w5 = row(a, 5u, j);
   let w6 = row(a, 6u, j);
   let w7 = row(a, 7u, j);
   let lo = block(b, 0u, j);
   l0 += product(w0, lo);
   l1 += product(w1, lo);
   l2 += product(w2, lo);
   l3 += product(w3, lo);
   l4 += product(w4, lo);
   l5 += product(w5, lo);
   l6 += product(w6, lo);
   l7 += product(w7, lo);
   if (wide) {
    let hi = block(b, 1u, j);
    h0 += product(w0, hi);
    h1 += product(w1, hi);
    h2 += product(w2, hi);
    h3 += product(w3, hi);
    h4 += product(w4, hi);
    h5 += product(w5, hi);
    h6 += product(w6, hi);
    h7 += product(w7, hi);
   }
  }
  workgroupBarrier();
 }
     {
  let sums = array<vec4<f32>, 16>(l0, l1, l2, l3, l4, l5, l6, l7, h0, h1, h2, h3, h4, h5, h6, h7);
  for (var i = 0u; i < 8u; i++) {
   let n_row = wg.x * 64u + a + 8u * i;
   if (n_row < p.n_rows) {
    write(sums[i], n_row, m0 + b, n);
    write(sums[i + 8u], n_row, m0 + b + 32u, n);
   }
  }
 }
}
",
    },
    Shader {
        name: "matmul_tile_q3k",
        kernel: "matmul_tile",
        workgroup_size: [64, 1, 1],
        bindings: &[
            Binding { index: 0, name: "wq", kind: BindingKind::Read, min_size: 16 },
            Binding { index: 1, name: "ws", kind: BindingKind::Read, min_size: 4 },
            Binding { index: 2, name: "x", kind: BindingKind::Read, min_size: 16 },
            Binding { index: 3, name: "bias", kind: BindingKind::Read, min_size: 4 },
            Binding { index: 4, name: "y", kind: BindingKind::ReadWrite, min_size: 4 },
            Binding { index: 5, name: "step", kind: BindingKind::Read, min_size: 192 },
            Binding { index: 6, name: "p", kind: BindingKind::Uniform, min_size: 44 },
        ],
        overrides: &[],
        needs: &[],
        workgroup_bytes: 16384,
        uniform: &[
            UniformField { name: "n_chunk", offset: 0, size: 4 },
            UniformField { name: "n_unit", offset: 4, size: 4 },
            UniformField { name: "n_group", offset: 8, size: 4 },
            UniformField { name: "n_rows", offset: 12, size: 4 },
            UniformField { name: "row0", offset: 16, size: 4 },
            UniformField { name: "y_stride", offset: 20, size: 4 },
            UniformField { name: "count_from", offset: 24, size: 4 },
            UniformField { name: "max_rows", offset: 28, size: 4 },
            UniformField { name: "act", offset: 32, size: 4 },
            UniformField { name: "flags", offset: 36, size: 4 },
            UniformField { name: "softcap", offset: 40, size: 4 },
        ],
        wgsl: r"struct Chunk {
 v0: vec4<f32>,
 v1: vec4<f32>,
 v2: vec4<f32>,
 v3: vec4<f32>,
 v4: vec4<f32>,
 v5: vec4<f32>,
 v6: vec4<f32>,
 v7: vec4<f32>,
}
struct Coded {
 q: Chunk,
 s: vec4<f32>,
}
fn chunk_scale(q: Chunk, lo: f32, hi: f32) -> Chunk {
 return Chunk(q.v0 * lo, q.v1 * lo, q.v2 * lo, q.v3 * lo, q.v4 * hi, q.v5 * hi, q.v6 * hi, q.v7 * hi);
}
fn quants(g: u32, c: u32, r: u32, n_word: u32, word: u32) -> vec4<u32> {
 return wq[((g * p.n_chunk + c) * n_word + word) * 8u + r];
}
fn scale_word(g: u32, unit: u32, r: u32, n_word: u32, word: u32) -> u32 {
 return ws[((g * p.n_unit + unit) * n_word + word) * 8u + r];
}
fn nibbles(w: u32) -> vec4<u32> {
 return (vec4<u32>(w) >> vec4<u32>(0u, 8u, 16u, 24u)) & vec4<u32>(15u);
}
fn signed_byte(b: u32) -> f32 {
 return f32(bitcast<i32>(b << 24u) >> 24u);
}
fn half(h: u32) -> f32 {
 let m = h & 0x7fffu;
 let rebias = select(0x38000000u, 0x70000000u, m >= 0x7c00u);
 let v = select(bitcast<f32>((m << 13u) + rebias), f32(m) * 0x1p-24f, m < 0x400u);
 return bitcast<f32>(bitcast<u32>(v) | ((h & 0x8000u) << 16u));
}
fn byte_pair(g: u32, c: u32, r: u32, n_word: u32) -> u32 {
 return scale_word(g, c / 8u, r, n_word, 1u + (c % 8u) / 2u) >> (16u * (c % 2u));
}
fn centred(q: vec4<u32>, middle: i32) -> vec4<f32> {
 return vec4<f32>(vec4<i32>(q) - vec4<i32>(middle));
}
fn coded(g: u32, c: u32, r: u32) -> Coded {
 let d = half(scale_word(g, c / 8u, r, 5u, 0u) & 0xffffu);
 let f = byte_pair(g, c, r, 5u);
 let q = quants(g, c, r, 1u, 0u);
 let h = q >> vec4<u32>(4u);
 let v = Chunk(centred(nibbles(q.x), 4), centred(nibbles(q.y), 4), centred(nibbles(q.z), 4), centred(nibbles(q.w), 4),
  centred(nibbles(h.x), 4), centred(nibbles(h.y), 4), centred(nibbles(h.z), 4), centred(nibbles(h.w), 4));
 return Coded(v, vec4<f32>(d * signed_byte(f), d * signed_byte(f >> 8u), 0.0, 0.0));
}
fn dequant(g: u32, c: u32, r: u32) -> Chunk {
 let w = coded(g, c, r);
    {
  return chunk_scale(w.q, w.s.x, w.s.y);
 }
}
fn soft_tanh(v: f32) -> f32 {
 let e = exp(-2.0 * min(abs(v), 15.0));
 return sign(v) * ((1.0 - e) / (1.0 + e));
}
fn silu(v: f32) -> f32 {
 return v / (1.0 + exp(clamp(-v, -80.0, 80.0)));
}
fn gelu_tanh(v: f32) -> f32 {
 return 0.5 * v * (1.0 + soft_tanh(0.7978845608 * (v + 0.044715 * v * v * v)));
}
fn activate(kind: u32, v: f32) -> f32 {
 if (kind == 1u) {
  return silu(v);
 }
 if (kind == 2u) {
  return gelu_tanh(v);
 }
 return v;
}
const ADD = 1u;
const BIAS = 2u;
const SOFTCAP = 4u;
fn store(sum: f32, row: u32, at: u32) {
 var v = sum;
 if ((p.flags & BIAS) != 0u) {
  v += bias[row];
 }
 v = activate(p.act, v);
 if ((p.flags & SOFTCAP) != 0u) {
  v = p.softcap * soft_tanh(v / p.softcap);
 }
 if ((p.flags & ADD) != 0u) {
  v += y[at];
 }
 y[at] = v;
}
struct Row {
 token: u32,
 pos: u32,
 cell: u32,
 table: u32,
 base: u32,
 lo: u32,
 hi: u32,
 lo_swa: u32,
 tree: u32,
 ancestors_lo: u32,
 ancestors_hi: u32,
 seq: u32,
 mix_start: u32,
 mix_len: u32,
 reserved0: u32,
 reserved1: u32,
}
struct Step {
 n_rows: u32,
 n_want: u32,
 seed_lo: u32,
 seed_hi: u32,
 window: u32,
 n_out: u32,
 reserved: array<u32, 10>,
 want: array<u32, 16>,
 rows: array<Row>,
}
struct P {
 n_chunk: u32,
 n_unit: u32,
 n_group: u32,
 n_rows: u32,
 row0: u32,
 y_stride: u32,
 count_from: u32,
 max_rows: u32,
 act: u32,
 flags: u32,
 softcap: f32,
}
@group(0) @binding(0) var<storage, read> wq: array<vec4<u32>>;
@group(0) @binding(1) var<storage, read> ws: array<u32>;
@group(0) @binding(2) var<storage, read> x: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read> bias: array<f32>;
@group(0) @binding(4) var<storage, read_write> y: array<f32>;
@group(0) @binding(5) var<storage, read> step: Step;
@group(0) @binding(6) var<uniform> p: P;
fn column_count() -> u32 {
 return min(select(step.n_rows, step.n_want, p.count_from == 1u), p.max_rows);
}
const STEPS = 8u;
alias Strip = vec4<f32>;
alias Block = mat4x4<f32>;
var<workgroup> w_tile: array<vec4<f32>, 512>;
var<workgroup> x_tile: array<vec4<f32>, 512>;
fn put_w(t: u32, g: u32, c: u32) {
 let v = dequant(g, c, t % 8u);
 let at = t * 8u;
 let s = t % 8u;
 w_tile[at + s] = v.v0;
 w_tile[at + (s ^ 1u)] = v.v1;
 w_tile[at + (s ^ 2u)] = v.v2;
 w_tile[at + (s ^ 3u)] = v.v3;
 w_tile[at + (s ^ 4u)] = v.v4;
 w_tile[at + (s ^ 5u)] = v.v5;
 w_tile[at + (s ^ 6u)] = v.v6;
 w_tile[at + (s ^ 7u)] = v.v7;
}
fn put_x(t: u32, from_word: u32) {
 for (var j = 0u; j < 8u; j++) {
  x_tile[t * 8u + (j ^ (t % 8u))] = x[from_word + j];
 }
}
fn row(a: u32, i: u32, j: u32) -> Strip {
 return w_tile[a * 8u + (j ^ a) + 64u * i];
}
fn block(b: u32, part: u32, j: u32) -> Block {
 let at = (b + 32u * part) * 8u + (j ^ b);
 return mat4x4<f32>(x_tile[at], x_tile[at + 64u], x_tile[at + 128u], x_tile[at + 192u]);
}
fn product(w: Strip, v: Block) -> vec4<f32> {
 return w * v;
}
fn write(sums: vec4<f32>, row: u32, m0: u32, n: u32) {
 for (var i = 0u; i < 4u; i++) {
  let m = m0 + 8u * i;
  if (m < n) {
   store(sums[i], p.row0 + row, m * p.y_stride + p.row0 + row);
  }
 }
}
@compute @workgroup_size(64)
fn main(@builtin(local_invocation_index) t: u32, @builtin(workgroup_id) wg: vec3<u32>) {
 let n = column_count();
 let m0 = wg.y * 64u;
 if (m0 >= n) {
  return;
 }
 let wide = m0 + 32u < n;
 let g = min(wg.x * 8u + t / 8u, p.n_group - 1u);
 let x0 = min(m0 + t, n - 1u) * p.n_chunk * 8u;
 let a = t % 8u;
 let b = t / 8u;
 var l0 = vec4<f32>();
 var l1 = vec4<f32>();
 var l2 = vec4<f32>();
 var l3 = vec4<f32>();
 var l4 = vec4<f32>();
 var l5 = vec4<f32>();
 var l6 = vec4<f32>();
 var l7 = vec4<f32>();
 var h0 = vec4<f32>();
 var h1 = vec4<f32>();
 var h2 = vec4<f32>();
 var h3 = vec4<f32>();
 var h4 = vec4<f32>();
 var h5 = vec4<f32>();
 var h6 = vec4<f32>();
 var h7 = vec4<f32>();
 for (var c = 0u; c < p.n_chunk; c++) {
  put_w(t, g, c);
  put_x(t, x0 + c * 8u);
  workgroupBarrier();
  for (var j = 0u; j < STEPS; j++) {
   let w0 = row(a, 0u, j);
   let w1 = row(a, 1u, j);
   let w2 = row(a, 2u, j);
   let w3 = row(a, 3u, j);
   let w4 = row(a, 4u, j);
   let w5 = row(a, 5u, j);
   let w6 = row(a, 6u, j);
   let w7 = row(a, 7u, j);
   let lo = block(b, 0u, j);
   l0 += product(w0, lo);
   l1 += product(w1, lo);
   l2 += product(w2, lo);
   l3 += product(w3, lo);
   l4 += product(w4, lo);
   l5 += product(w5, lo);
   l6 += product(w6, lo);
   l7 += product(w7, lo);
   if (wide) {
    let hi = block(b, 1u, j);
    h0 += product(w0, hi);
    h1 += product(w1, hi);
    h2 += product(w2, hi);
    h3 += product(w3, hi);
    h4 += product(w4, hi);
    h5 += product(w5, hi);
    h6 += product(w6, hi);
    h7 += product(w7, hi);
   }
  }
  workgroupBarrier();
 }
      {
  let own = a * 8u + (b ^ a);
  w_tile[own] = l0;
  w_tile[own + 64u] = l1;
  w_tile[own + 128u] = l2;
  w_tile[own + 192u] = l3;
  w_tile[own + 256u] = l4;
  w_tile[own + 320u] = l5;
  w_tile[own + 384u] = l6;
  w_tile[own + 448u] = l7;
  x_tile[own] = h0;
  x_tile[own + 64u] = h1;
  x_tile[own + 128u] = h2;
  x_tile[own + 192u] = h3;
  x_tile[own + 256u] = h4;
  x_tile[own + 320u] = h5;
  x_tile[own + 384u] = h6;
  x_tile[own + 448u] = h7;
  workgroupBarrier();
  let n_row = wg.x * 64u + t;
  if (n_row >= p.n_rows) {
   return;
  }
  for (var c = 0u; c < 8u; c++) {
   let at = t * 8u + (c ^ (t % 8u));
   write(w_tile[at], n_row, m0 + c, n);
   write(x_tile[at], n_row, m0 + c + 32u, n);
  }
 }
}
",
    },
    Shader {
        name: "matmul_tile_q3k_dot",
        kernel: "matmul_tile",
        workgroup_size: [64, 1, 1],
        bindings: &[
            Binding { index: 0, name: "wq", kind: BindingKind::Read, min_size: 16 },
            Binding { index: 1, name: "ws", kind: BindingKind::Read, min_size: 4 },
            Binding { index: 2, name: "x", kind: BindingKind::Read, min_size: 16 },
            Binding { index: 3, name: "bias", kind: BindingKind::Read, min_size: 4 },
            Binding { index: 4, name: "y", kind: BindingKind::ReadWrite, min_size: 4 },
            Binding { index: 5, name: "step", kind: BindingKind::Read, min_size: 192 },
            Binding { index: 6, name: "p", kind: BindingKind::Uniform, min_size: 44 },
        ],
        overrides: &[],
        needs: &[Feature::PackedDot],
        workgroup_bytes: 6144,
        uniform: &[
            UniformField { name: "n_chunk", offset: 0, size: 4 },
            UniformField { name: "n_unit", offset: 4, size: 4 },
            UniformField { name: "n_group", offset: 8, size: 4 },
            UniformField { name: "n_rows", offset: 12, size: 4 },
            UniformField { name: "row0", offset: 16, size: 4 },
            UniformField { name: "y_stride", offset: 20, size: 4 },
            UniformField { name: "count_from", offset: 24, size: 4 },
            UniformField { name: "max_rows", offset: 28, size: 4 },
            UniformField { name: "act", offset: 32, size: 4 },
            UniformField { name: "flags", offset: 36, size: 4 },
            UniformField { name: "softcap", offset: 40, size: 4 },
        ],
        wgsl: r"requires packed_4x8_integer_dot_product;
struct Chunk {
 v0: vec4<f32>,
 v1: vec4<f32>,
 v2: vec4<f32>,
 v3: vec4<f32>,
 v4: vec4<f32>,
 v5: vec4<f32>,
 v6: vec4<f32>,
 v7: vec4<f32>,
}
struct Coded {
 q: Chunk,
 s: vec4<f32>,
}
fn quants(g: u32, c: u32, r: u32, n_word: u32, word: u32) -> vec4<u32> {
 return wq[((g * p.n_chunk + c) * n_word + word) * 8u + r];
}
fn scale_word(g: u32, unit: u32, r: u32, n_word: u32, word: u32) -> u32 {
 return ws[((g * p.n_unit + unit) * n_word + word) * 8u + r];
}
fn nibbles(w: u32) -> vec4<u32> {
 return (vec4<u32>(w) >> vec4<u32>(0u, 8u, 16u, 24u)) & vec4<u32>(15u);
}
fn signed_byte(b: u32) -> f32 {
 return f32(bitcast<i32>(b << 24u) >> 24u);
}
fn half(h: u32) -> f32 {
 let m = h & 0x7fffu;
 let rebias = select(0x38000000u, 0x70000000u, m >= 0x7c00u);
 let v = select(bitcast<f32>((m << 13u) + rebias), f32(m) * 0x1p-24f, m < 0x400u);
 return bitcast<f32>(bitcast<u32>(v) | ((h & 0x8000u) << 16u));
}
fn byte_pair(g: u32, c: u32, r: u32, n_word: u32) -> u32 {
 return scale_word(g, c / 8u, r, n_word, 1u + (c % 8u) / 2u) >> (16u * (c % 2u));
}
fn centred(q: vec4<u32>, middle: i32) -> vec4<f32> {
 return vec4<f32>(vec4<i32>(q) - vec4<i32>(middle));
}
fn coded(g: u32, c: u32, r: u32) -> Coded {
 let d = half(scale_word(g, c / 8u, r, 5u, 0u) & 0xffffu);
 let f = byte_pair(g, c, r, 5u);
 let q = quants(g, c, r, 1u, 0u);
 let h = q >> vec4<u32>(4u);
 let v = Chunk(centred(nibbles(q.x), 4), centred(nibbles(q.y), 4), centred(nibbles(q.z), 4), centred(nibbles(q.w), 4),
  centred(nibbles(h.x), 4), centred(nibbles(h.y), 4), centred(nibbles(h.z), 4), centred(nibbles(h.w), 4));
 return Coded(v, vec4<f32>(d * signed_byte(f), d * signed_byte(f >> 8u), 0.0, 0.0));
}
const OFFSETS = false;
const TWO_SCALES = true;
fn soft_tanh(v: f32) -> f32 {
 let e = exp(-2.0 * min(abs(v), 15.0));
 return sign(v) * ((1.0 - e) / (1.0 + e));
}
fn silu(v: f32) -> f32 {
 return v / (1.0 + exp(clamp(-v, -80.0, 80.0)));
}
fn gelu_tanh(v: f32) -> f32 {
 return 0.5 * v * (1.0 + soft_tanh(0.7978845608 * (v + 0.044715 * v * v * v)));
}
fn activate(kind: u32, v: f32) -> f32 {
 if (kind == 1u) {
  return silu(v);
 }
 if (kind == 2u) {
  return gelu_tanh(v);
 }
 return v;
}
const ADD = 1u;
const BIAS = 2u;
const SOFTCAP = 4u;
fn store(sum: f32, row: u32, at: u32) {
 var v = sum;
 if ((p.flags & BIAS) != 0u) {
  v += bias[row];
 }
 v = activate(p.act, v);
 if ((p.flags & SOFTCAP) != 0u) {
  v = p.softcap * soft_tanh(v / p.softcap);
 }
 if ((p.flags & ADD) != 0u) {
  v += y[at];
 }
 y[at] = v;
}
struct Row {
 token: u32,
 pos: u32,
 cell: u32,
 table: u32,
 base: u32,
 lo: u32,
 hi: u32,
 lo_swa: u32,
 tree: u32,
 ancestors_lo: u32,
 ancestors_hi: u32,
 seq: u32,
 mix_start: u32,
 mix_len: u32,
 reserved0: u32,
 reserved1: u32,
}
struct Step {
 n_rows: u32,
 n_want: u32,
 seed_lo: u32,
 seed_hi: u32,
 window: u32,
 n_out: u32,
 reserved: array<u32, 10>,
 want: array<u32, 16>,
 rows: array<Row>,
}
struct P {
 n_chunk: u32,
 n_unit: u32,
 n_group: u32,
 n_rows: u32,
 row0: u32,
 y_stride: u32,
 count_from: u32,
 max_rows: u32,
 act: u32,
 flags: u32,
 softcap: f32,
}
@group(0) @binding(0) var<storage, read> wq: array<vec4<u32>>;
@group(0) @binding(1) var<storage, read> ws: array<u32>;
@group(0) @binding(2) var<storage, read> x: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read> bias: array<f32>;
@group(0) @binding(4) var<storage, read_write> y: array<f32>;
@group(0) @binding(5) var<storage, read> step: Step;
@group(0) @binding(6) var<uniform> p: P;
fn column_count() -> u32 {
 return min(select(step.n_rows, step.n_want, p.count_from == 1u), p.max_rows);
}
struct Packed {
 lo: vec4<u32>,
 hi: vec4<u32>,
}
fn nibble_bytes(q: vec4<u32>) -> Packed {
 let mask = vec4<u32>(0x0f0f0f0fu);
 return Packed(q & mask, (q >> vec4<u32>(4u)) & mask);
}
fn packed(g: u32, c: u32, r: u32) -> Packed {
         {
  let q = nibble_bytes(quants(g, c, r, 1u, 0u));
  let top = vec4<u32>(0x80808080u);
  let four = vec4<u32>(0x04040404u);
  return Packed(((q.lo | top) - four) ^ top, ((q.hi | top) - four) ^ top);
 }
}
const STEPS = 1u;
alias Sixteen = vec4<u32>;
struct Strip {
 lo: Sixteen,
 hi: Sixteen,
 s: vec4<f32>,
}
struct Block {
 lo0: Sixteen,
 lo1: Sixteen,
 lo2: Sixteen,
 lo3: Sixteen,
 hi0: Sixteen,
 hi1: Sixteen,
 hi2: Sixteen,
 hi3: Sixteen,
 scale: vec4<f32>,
 total_lo: vec4<f32>,
 total_hi: vec4<f32>,
}
var<workgroup> w_tile: array<Sixteen, 128>;
var<workgroup> w_scales: array<vec4<f32>, 64>;
var<workgroup> x_tile: array<Sixteen, 128>;
var<workgroup> x_scales: array<vec4<f32>, 64>;
fn put_w(t: u32, g: u32, c: u32) {
 w_scales[t] = coded(g, c, t % 8u).s;
 let q = packed(g, c, t % 8u);
 w_tile[t] = q.lo;
 w_tile[t + 64u] = q.hi;
}
fn magnitudes(v: vec4<f32>) -> vec4<u32> {
 return bitcast<vec4<u32>>(v) & vec4<u32>(0x7fffffffu);
}
fn largest(v: Chunk) -> u32 {
 let m = max(max(max(magnitudes(v.v0), magnitudes(v.v1)), max(magnitudes(v.v2), magnitudes(v.v3))),
  max(max(magnitudes(v.v4), magnitudes(v.v5)), max(magnitudes(v.v6), magnitudes(v.v7))));
 return max(max(m.x, m.y), max(m.z, m.w));
}
fn bytes(v: vec4<f32>, inverse: f32) -> u32 {
 return pack4xI8(vec4<i32>(round(v * inverse)));
}
fn total(q: vec4<u32>) -> f32 {
 let ones = vec4<u32>(0x01010101u);
 return f32(dot16(q, ones));
}
fn put_x(t: u32, at: u32) {
 let v = Chunk(x[at], x[at + 1u], x[at + 2u], x[at + 3u], x[at + 4u], x[at + 5u], x[at + 6u], x[at + 7u]);
 let most = largest(v);
 let exponent = most >> 23u;
 let usable = exponent >= 16u && exponent < 245u;
 let steps = f32((127u << 16u) / (((most >> 16u) & 0x7fu) + 129u));
 let inverse = select(0.0, steps * bitcast<f32>((245u - min(exponent, 245u)) << 23u), usable);
 let scale = select(bitcast<f32>(most), 1.0 / inverse, usable);
 let lo = vec4<u32>(bytes(v.v0, inverse), bytes(v.v1, inverse), bytes(v.v2, inverse), bytes(v.v3, inverse));
 let hi = vec4<u32>(bytes(v.v4, inverse), bytes(v.v5, inverse), bytes(v.v6, inverse), bytes(v.v7, inverse));
 x_tile[t] = lo;
 x_tile[t + 64u] = hi;
 x_scales[t] = vec4<f32>(scale, scale * total(lo), scale * total(hi), 0.0);
}
fn row(a: u32, i: u32, j: u32) -> Strip {
 let at = a + 8u * i + j;
 return Strip(w_tile[at], w_tile[at + 64u], w_scales[at]);
}
fn block(b: u32, part: u32, j: u32) -> Block {
 let at = b + 32u * part + j;
 let s = mat4x4<f32>(x_scales[at], x_scales[at + 8u], x_scales[at + 16u], x_scales[at + 24u]);
 let by_kind = transpose(s);
 return Block(x_tile[at], x_tile[at + 8u], x_tile[at + 16u], x_tile[at + 24u],
  x_tile[at + 64u], x_tile[at + 72u], x_tile[at + 80u], x_tile[at + 88u], by_kind[0], by_kind[1], by_kind[2]);
}
fn dot16(a: vec4<u32>, b: vec4<u32>) -> i32 {
 return dot4I8Packed(a.x, b.x) + dot4I8Packed(a.y, b.y) + dot4I8Packed(a.z, b.z) + dot4I8Packed(a.w, b.w);
}
fn product(w: Strip, v: Block) -> vec4<f32> {
 let lo = vec4<i32>(dot16(w.lo, v.lo0), dot16(w.lo, v.lo1), dot16(w.lo, v.lo2), dot16(w.lo, v.lo3));
 let hi = vec4<i32>(dot16(w.hi, v.hi0), dot16(w.hi, v.hi1), dot16(w.hi, v.hi2), dot16(w.hi, v.hi3));
 var sum: vec4<f32>;
 if (TWO_SCALES) {
  sum = v.scale * (w.s.x * vec4<f32>(lo) + w.s.y * vec4<f32>(hi));
 } else {
  sum = (v.scale * w.s.x) * vec4<f32>(lo + hi);
 }
 if (OFFSETS) {
  sum += w.s.z * v.total_lo + w.s.w * v.total_hi;
 }
 return sum;
}
fn write(sums: vec4<f32>, row: u32, m0: u32, n: u32) {
 for (var i = 0u; i < 4u; i++) {
  let m = m0 + 8u * i;
  if (m < n) {
   store(sums[i], p.row0 + row, m * p.y_stride + p.row0 + row);
  }
 }
}
@compute @workgroup_size(64)
fn main(@builtin(local_invocation_index) t: u32, @builtin(workgroup_id) wg: vec3<u32>) {
 let n = column_count();
 let m0 = wg.y * 64u;
 if (m0 >= n) {
  return;
 }
 let wide = m0 + 32u < n;
 let g = min(wg.x * 8u + t / 8u, p.n_group - 1u);
 let x0 = min(m0 + t, n - 1u) * p.n_chunk * 8u;
 let a = t % 8u;
 let b = t / 8u;
 var l0 = vec4<f32>();
 var l1 = vec4<f32>();
 var l2 = vec4<f32>();
 var l3 = vec4<f32>();
 var l4 = vec4<f32>();
 var l5 = vec4<f32>();
 var l6 = vec4<f32>();
 var l7 = vec4<f32>();
 var h0 = vec4<f32>();
 var h1 = vec4<f32>();
 var h2 = vec4<f32>();
 var h3 = vec4<f32>();
 var h4 = vec4<f32>();
 var h5 = vec4<f32>();
 var h6 = vec4<f32>();
 var h7 = vec4<f32>();
 for (var c = 0u; c < p.n_chunk; c++) {
  put_w(t, g, c);
  put_x(t, x0 + c * 8u);
  workgroupBarrier();
  for (var j = 0u; j < STEPS; j++) {
   let w0 = row(a, 0u, j);
   let w1 = row(a, 1u, j);
   let w2 = row(a, 2u, j);
   let w3 = row(a, 3u, j);
   let w4 = row(a, 4u, j);
   let w5 = row(a, 5u, j);
   let w6 = row(a, 6u, j);
   let w7 = row(a, 7u, j);
   let lo = block(b, 0u, j);
   l0 += product(w0, lo);
   l1 += product(w1, lo);
   l2 += product(w2, lo);
   l3 += product(w3, lo);
   l4 += product(w4, lo);
   l5 += product(w5, lo);
   l6 += product(w6, lo);
   l7 += product(w7, lo);
   if (wide) {
    let hi = block(b, 1u, j);
    h0 += product(w0, hi);
    h1 += product(w1, hi);
    h2 += product(w2, hi);
    h3 += product(w3, hi);
    h4 += product(w4, hi);
    h5 += product(w5, hi);
    h6 += product(w6, hi);
    h7 += product(w7, hi);
   }
  }
  workgroupBarrier();
 }
     {
  let sums = array<vec4<f32>, 16>(l0, l1, l2, l3, l4, l5, l6, l7, h0, h1, h2, h3, h4, h5, h6, h7);
  for (var i = 0u; i < 8u; i++) {
   let n_row = wg.x * 64u + a + 8u * i;
   if (n_row < p.n_rows) {
    write(sums[i], n_row, m0 + b, n);
    write(sums[i + 8u], n_row, m0 + b + 32u, n);
   }
  }
 }
}
",
    },
    Shader {
        name: "matmul_tile_q4",
        kernel: "matmul_tile",
        workgroup_size: [64, 1, 1],
        bindings: &[
            Binding { index: 0, name: "wq", kind: BindingKind::Read, min_size: 16 },
            Binding { index: 1, name: "ws", kind: BindingKind::Read, min_size: 4 },
            Binding { index: 2, name: "x", kind: BindingKind::Read, min_size: 16 },
            Binding { index: 3, name: "bias", kind: BindingKind::Read, min_size: 4 },
            Binding { index: 4, name: "y", kind: BindingKind::ReadWrite, min_size: 4 },
            Binding { index: 5, name: "step", kind: BindingKind::Read, min_size: 192 },
            Binding { index: 6, name: "p", kind: BindingKind::Uniform, min_size: 44 },
        ],
        overrides: &[],
        needs: &[],
        workgroup_bytes: 16384,
        uniform: &[
            UniformField { name: "n_chunk", offset: 0, size: 4 },
            UniformField { name: "n_unit", offset: 4, size: 4 },
            UniformField { name: "n_group", offset: 8, size: 4 },
            UniformField { name: "n_rows", offset: 12, size: 4 },
            UniformField { name: "row0", offset: 16, size: 4 },
            UniformField { name: "y_stride", offset: 20, size: 4 },
            UniformField { name: "count_from", offset: 24, size: 4 },
            UniformField { name: "max_rows", offset: 28, size: 4 },
            UniformField { name: "act", offset: 32, size: 4 },
            UniformField { name: "flags", offset: 36, size: 4 },
            UniformField { name: "softcap", offset: 40, size: 4 },
        ],
        wgsl: r"struct Chunk {
 v0: vec4<f32>,
 v1: vec4<f32>,
 v2: vec4<f32>,
 v3: vec4<f32>,
 v4: vec4<f32>,
 v5: vec4<f32>,
 v6: vec4<f32>,
 v7: vec4<f32>,
}
struct Coded {
 q: Chunk,
 s: vec4<f32>,
}
fn chunk_affine(q: Chunk, s: vec4<f32>) -> Chunk {
 let lo = vec4<f32>(s.z);
 let hi = vec4<f32>(s.w);
 return Chunk(q.v0 * s.x + lo, q.v1 * s.x + lo, q.v2 * s.x + lo, q.v3 * s.x + lo,
  q.v4 * s.y + hi, q.v5 * s.y + hi, q.v6 * s.y + hi, q.v7 * s.y + hi);
}
fn quants(g: u32, c: u32, r: u32, n_word: u32, word: u32) -> vec4<u32> {
 return wq[((g * p.n_chunk + c) * n_word + word) * 8u + r];
}
fn scale_word(g: u32, unit: u32, r: u32, n_word: u32, word: u32) -> u32 {
 return ws[((g * p.n_unit + unit) * n_word + word) * 8u + r];
}
fn nibbles(w: u32) -> vec4<u32> {
 return (vec4<u32>(w) >> vec4<u32>(0u, 8u, 16u, 24u)) & vec4<u32>(15u);
}
fn nibble_chunk(q: vec4<u32>) -> Chunk {
 let h = q >> vec4<u32>(4u);
 return Chunk(vec4<f32>(nibbles(q.x)), vec4<f32>(nibbles(q.y)), vec4<f32>(nibbles(q.z)), vec4<f32>(nibbles(q.w)),
  vec4<f32>(nibbles(h.x)), vec4<f32>(nibbles(h.y)), vec4<f32>(nibbles(h.z)), vec4<f32>(nibbles(h.w)));
}
fn half(h: u32) -> f32 {
 let m = h & 0x7fffu;
 let rebias = select(0x38000000u, 0x70000000u, m >= 0x7c00u);
 let v = select(bitcast<f32>((m << 13u) + rebias), f32(m) * 0x1p-24f, m < 0x400u);
 return bitcast<f32>(bitcast<u32>(v) | ((h & 0x8000u) << 16u));
}
fn half2(w: u32) -> vec2<f32> {
 return vec2<f32>(half(w & 0xffffu), half(w >> 16u));
}
fn coded(g: u32, c: u32, r: u32) -> Coded {
 let s = half2(scale_word(g, c, r, 1u, 0u));
 return Coded(nibble_chunk(quants(g, c, r, 1u, 0u)), s.xxyy);
}
fn dequant(g: u32, c: u32, r: u32) -> Chunk {
 let w = coded(g, c, r);
                                     {
  return chunk_affine(w.q, w.s);
 }
}
fn soft_tanh(v: f32) -> f32 {
 let e = exp(-2.0 * min(abs(v), 15.0));
 return sign(v) * ((1.0 - e) / (1.0 + e));
}
fn silu(v: f32) -> f32 {
 return v / (1.0 + exp(clamp(-v, -80.0, 80.0)));
}
fn gelu_tanh(v: f32) -> f32 {
 return 0.5 * v * (1.0 + soft_tanh(0.7978845608 * (v + 0.044715 * v * v * v)));
}
fn activate(kind: u32, v: f32) -> f32 {
 if (kind == 1u) {
  return silu(v);
 }
 if (kind == 2u) {
  return gelu_tanh(v);
 }
 return v;
}
const ADD = 1u;
const BIAS = 2u;
const SOFTCAP = 4u;
fn store(sum: f32, row: u32, at: u32) {
 var v = sum;
 if ((p.flags & BIAS) != 0u) {
  v += bias[row];
 }
 v = activate(p.act, v);
 if ((p.flags & SOFTCAP) != 0u) {
  v = p.softcap * soft_tanh(v / p.softcap);
 }
 if ((p.flags & ADD) != 0u) {
  v += y[at];
 }
 y[at] = v;
}
struct Row {
 token: u32,
 pos: u32,
 cell: u32,
 table: u32,
 base: u32,
 lo: u32,
 hi: u32,
 lo_swa: u32,
 tree: u32,
 ancestors_lo: u32,
 ancestors_hi: u32,
 seq: u32,
 mix_start: u32,
 mix_len: u32,
 reserved0: u32,
 reserved1: u32,
}
struct Step {
 n_rows: u32,
 n_want: u32,
 seed_lo: u32,
 seed_hi: u32,
 window: u32,
 n_out: u32,
 reserved: array<u32, 10>,
 want: array<u32, 16>,
 rows: array<Row>,
}
struct P {
 n_chunk: u32,
 n_unit: u32,
 n_group: u32,
 n_rows: u32,
 row0: u32,
 y_stride: u32,
 count_from: u32,
 max_rows: u32,
 act: u32,
 flags: u32,
 softcap: f32,
}
@group(0) @binding(0) var<storage, read> wq: array<vec4<u32>>;
@group(0) @binding(1) var<storage, read> ws: array<u32>;
@group(0) @binding(2) var<storage, read> x: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read> bias: array<f32>;
@group(0) @binding(4) var<storage, read_write> y: array<f32>;
@group(0) @binding(5) var<storage, read> step: Step;
@group(0) @binding(6) var<uniform> p: P;
fn column_count() -> u32 {
 return min(select(step.n_rows, step.n_want, p.count_from == 1u), p.max_rows);
}
const STEPS = 8u;
alias Strip = vec4<f32>;
alias Block = mat4x4<f32>;
var<workgroup> w_tile: array<vec4<f32>, 512>;
var<workgroup> x_tile: array<vec4<f32>, 512>;
fn put_w(t: u32, g: u32, c: u32) {
 let v = dequant(g, c, t % 8u);
 let at = t * 8u;
 let s = t % 8u;
 w_tile[at + s] = v.v0;
 w_tile[at + (s ^ 1u)] = v.v1;
 w_tile[at + (s ^ 2u)] = v.v2;
 w_tile[at + (s ^ 3u)] = v.v3;
 w_tile[at + (s ^ 4u)] = v.v4;
 w_tile[at + (s ^ 5u)] = v.v5;
 w_tile[at + (s ^ 6u)] = v.v6;
 w_tile[at + (s ^ 7u)] = v.v7;
}
fn put_x(t: u32, from_word: u32) {
 for (var j = 0u; j < 8u; j++) {
  x_tile[t * 8u + (j ^ (t % 8u))] = x[from_word + j];
 }
}
fn row(a: u32, i: u32, j: u32) -> Strip {
 return w_tile[a * 8u + (j ^ a) + 64u * i];
}
fn block(b: u32, part: u32, j: u32) -> Block {
 let at = (b + 32u * part) * 8u + (j ^ b);
 return mat4x4<f32>(x_tile[at], x_tile[at + 64u], x_tile[at + 128u], x_tile[at + 192u]);
}
fn product(w: Strip, v: Block) -> vec4<f32> {
 return w * v;
}
fn write(sums: vec4<f32>, row: u32, m0: u32, n: u32) {
 for (var i = 0u; i < 4u; i++) {
  let m = m0 + 8u * i;
  if (m < n) {
   store(sums[i], p.row0 + row, m * p.y_stride + p.row0 + row);
  }
 }
}
@compute @workgroup_size(64)
fn main(@builtin(local_invocation_index) t: u32, @builtin(workgroup_id) wg: vec3<u32>) {
 let n = column_count();
 let m0 = wg.y * 64u;
 if (m0 >= n) {
  return;
 }
 let wide = m0 + 32u < n;
 let g = min(wg.x * 8u + t / 8u, p.n_group - 1u);
 let x0 = min(m0 + t, n - 1u) * p.n_chunk * 8u;
 let a = t % 8u;
 let b = t / 8u;
 var l0 = vec4<f32>();
 var l1 = vec4<f32>();
 var l2 = vec4<f32>();
 var l3 = vec4<f32>();
 var l4 = vec4<f32>();
 var l5 = vec4<f32>();
 var l6 = vec4<f32>();
 var l7 = vec4<f32>();
 var h0 = vec4<f32>();
 var h1 = vec4<f32>();
 var h2 = vec4<f32>();
 var h3 = vec4<f32>();
 var h4 = vec4<f32>();
 var h5 = vec4<f32>();
 var h6 = vec4<f32>();
 var h7 = vec4<f32>();
 for (var c = 0u; c < p.n_chunk; c++) {
  put_w(t, g, c);
  put_x(t, x0 + c * 8u);
  workgroupBarrier();
  for (var j = 0u; j < STEPS; j++) {
   let w0 = row(a, 0u, j);
   let w1 = row(a, 1u, j);
   let w2 = row(a, 2u, j);
   let w3 = row(a, 3u, j);
   let w4 = row(a, 4u, j);
   let w5 = row(a, 5u, j);
   let w6 = row(a, 6u, j);
   let w7 = row(a, 7u, j);
   let lo = block(b, 0u, j);
   l0 += product(w0, lo);
   l1 += product(w1, lo);
   l2 += product(w2, lo);
   l3 += product(w3, lo);
   l4 += product(w4, lo);
   l5 += product(w5, lo);
   l6 += product(w6, lo);
   l7 += product(w7, lo);
   if (wide) {
    let hi = block(b, 1u, j);
    h0 += product(w0, hi);
    h1 += product(w1, hi);
    h2 += product(w2, hi);
    h3 += product(w3, hi);
    h4 += product(w4, hi);
    h5 += product(w5, hi);
    h6 += product(w6, hi);
    h7 += product(w7, hi);
   }
  }
  workgroupBarrier();
 }
      {
  let own = a * 8u + (b ^ a);
  w_tile[own] = l0;
  w_tile[own + 64u] = l1;
  w_tile[own + 128u] = l2;
  w_tile[own + 192u] = l3;
  w_tile[own + 256u] = l4;
  w_tile[own + 320u] = l5;
  w_tile[own + 384u] = l6;
  w_tile[own + 448u] = l7;
  x_tile[own] = h0;
  x_tile[own + 64u] = h1;
  x_tile[own + 128u] = h2;
  x_tile[own + 192u] = h3;
  x_tile[own + 256u] = h4;
  x_tile[own + 320u] = h5;
  x_tile[own + 384u] = h6;
  x_tile[own + 448u] = h7;
  workgroupBarrier();
  let n_row = wg.x * 64u + t;
  if (n_row >= p.n_rows) {
   return;
  }
  for (var c = 0u; c < 8u; c++) {
   let at = t * 8u + (c ^ (t % 8u));
   write(w_tile[at], n_row, m0 + c, n);
   write(x_tile[at], n_row, m0 + c + 32u, n);
  }
 }
}
",
    },
    Shader {
        name: "matmul_tile_q4_dot",
        kernel: "matmul_tile",
        workgroup_size: [64, 1, 1],
        bindings: &[
            Binding { index: 0, name: "wq", kind: BindingKind::Read, min_size: 16 },
            Binding { index: 1, name: "ws", kind: BindingKind::Read, min_size: 4 },
            Binding { index: 2, name: "x", kind: BindingKind::Read, min_size: 16 },
            Binding { index: 3, name: "bias", kind: BindingKind::Read, min_size: 4 },
            Binding { index: 4, name: "y", kind: BindingKind::ReadWrite, min_size: 4 },
            Binding { index: 5, name: "step", kind: BindingKind::Read, min_size: 192 },
            Binding { index: 6, name: "p", kind: BindingKind::Uniform, min_size: 44 },
        ],
        overrides: &[],
        needs: &[Feature::PackedDot],
        workgroup_bytes: 6144,
        uniform: &[
            UniformField { name: "n_chunk", offset: 0, size: 4 },
            UniformField { name: "n_unit", offset: 4, size: 4 },
            UniformField { name: "n_group", offset: 8, size: 4 },
            UniformField { name: "n_rows", offset: 12, size: 4 },
            UniformField { name: "row0", offset: 16, size: 4 },
            UniformField { name: "y_stride", offset: 20, size: 4 },
            UniformField { name: "count_from", offset: 24, size: 4 },
            UniformField { name: "max_rows", offset: 28, size: 4 },
            UniformField { name: "act", offset: 32, size: 4 },
            UniformField { name: "flags", offset: 36, size: 4 },
            UniformField { name: "softcap", offset: 40, size: 4 },
        ],
        wgsl: r"requires packed_4x8_integer_dot_product;
struct Chunk {
 v0: vec4<f32>,
 v1: vec4<f32>,
 v2: vec4<f32>,
 v3: vec4<f32>,
 v4: vec4<f32>,
 v5: vec4<f32>,
 v6: vec4<f32>,
 v7: vec4<f32>,
}
struct Coded {
 q: Chunk,
 s: vec4<f32>,
}
fn quants(g: u32, c: u32, r: u32, n_word: u32, word: u32) -> vec4<u32> {
 return wq[((g * p.n_chunk + c) * n_word + word) * 8u + r];
}
fn scale_word(g: u32, unit: u32, r: u32, n_word: u32, word: u32) -> u32 {
 return ws[((g * p.n_unit + unit) * n_word + word) * 8u + r];
}
fn nibbles(w: u32) -> vec4<u32> {
 return (vec4<u32>(w) >> vec4<u32>(0u, 8u, 16u, 24u)) & vec4<u32>(15u);
}
fn nibble_chunk(q: vec4<u32>) -> Chunk {
 let h = q >> vec4<u32>(4u);
 return Chunk(vec4<f32>(nibbles(q.x)), vec4<f32>(nibbles(q.y)), vec4<f32>(nibbles(q.z)), vec4<f32>(nibbles(q.w)),
  vec4<f32>(nibbles(h.x)), vec4<f32>(nibbles(h.y)), vec4<f32>(nibbles(h.z)), vec4<f32>(nibbles(h.w)));
}
fn half(h: u32) -> f32 {
 let m = h & 0x7fffu;
 let rebias = select(0x38000000u, 0x70000000u, m >= 0x7c00u);
 let v = select(bitcast<f32>((m << 13u) + rebias), f32(m) * 0x1p-24f, m < 0x400u);
 return bitcast<f32>(bitcast<u32>(v) | ((h & 0x8000u) << 16u));
}
fn half2(w: u32) -> vec2<f32> {
 return vec2<f32>(half(w & 0xffffu), half(w >> 16u));
}
fn coded(g: u32, c: u32, r: u32) -> Coded {
 let s = half2(scale_word(g, c, r, 1u, 0u));
 return Coded(nibble_chunk(quants(g, c, r, 1u, 0u)), s.xxyy);
}
const OFFSETS = true;
const TWO_SCALES = false;
fn soft_tanh(v: f32) -> f32 {
 let e = exp(-2.0 * min(abs(v), 15.0));
 return sign(v) * ((1.0 - e) / (1.0 + e));
}
fn silu(v: f32) -> f32 {
 return v / (1.0 + exp(clamp(-v, -80.0, 80.0)));
}
fn gelu_tanh(v: f32) -> f32 {
 return 0.5 * v * (1.0 + soft_tanh(0.7978845608 * (v + 0.044715 * v * v * v)));
}
fn activate(kind: u32, v: f32) -> f32 {
 if (kind == 1u) {
  return silu(v);
 }
 if (kind == 2u) {
  return gelu_tanh(v);
 }
 return v;
}
const ADD = 1u;
const BIAS = 2u;
const SOFTCAP = 4u;
fn store(sum: f32, row: u32, at: u32) {
 var v = sum;
 if ((p.flags & BIAS) != 0u) {
  v += bias[row];
 }
 v = activate(p.act, v);
 if ((p.flags & SOFTCAP) != 0u) {
  v = p.softcap * soft_tanh(v / p.softcap);
 }
 if ((p.flags & ADD) != 0u) {
  v += y[at];
 }
 y[at] = v;
}
struct Row {
 token: u32,
 pos: u32,
 cell: u32,
 table: u32,
 base: u32,
 lo: u32,
 hi: u32,
 lo_swa: u32,
 tree: u32,
 ancestors_lo: u32,
 ancestors_hi: u32,
 seq: u32,
 mix_start: u32,
 mix_len: u32,
 reserved0: u32,
 reserved1: u32,
}
struct Step {
 n_rows: u32,
 n_want: u32,
 seed_lo: u32,
 seed_hi: u32,
 window: u32,
 n_out: u32,
 reserved: array<u32, 10>,
 want: array<u32, 16>,
 rows: array<Row>,
}
struct P {
 n_chunk: u32,
 n_unit: u32,
 n_group: u32,
 n_rows: u32,
 row0: u32,
 y_stride: u32,
 count_from: u32,
 max_rows: u32,
 act: u32,
 flags: u32,
 softcap: f32,
}
@group(0) @binding(0) var<storage, read> wq: array<vec4<u32>>;
@group(0) @binding(1) var<storage, read> ws: array<u32>;
@group(0) @binding(2) var<storage, read> x: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read> bias: array<f32>;
@group(0) @binding(4) var<storage, read_write> y: array<f32>;
@group(0) @binding(5) var<storage, read> step: Step;
@group(0) @binding(6) var<uniform> p: P;
fn column_count() -> u32 {
 return min(select(step.n_rows, step.n_want, p.count_from == 1u), p.max_rows);
}
struct Packed {
 lo: vec4<u32>,
 hi: vec4<u32>,
}
fn nibble_bytes(q: vec4<u32>) -> Packed {
 let mask = vec4<u32>(0x0f0f0f0fu);
 return Packed(q & mask, (q >> vec4<u32>(4u)) & mask);
}
fn packed(g: u32, c: u32, r: u32) -> Packed {
                      {
  return nibble_bytes(quants(g, c, r, 1u, 0u));
 }
}
const STEPS = 1u;
alias Sixteen = vec4<u32>;
struct Strip {
 lo: Sixteen,
 hi: Sixteen,
 s: vec4<f32>,
}
struct Block {
 lo0: Sixteen,
 lo1: Sixteen,
 lo2: Sixteen,
 lo3: Sixteen,
 hi0: Sixteen,
 hi1: Sixteen,
 hi2: Sixteen,
 hi3: Sixteen,
 scale: vec4<f32>,
 total_lo: vec4<f32>,
 total_hi: vec4<f32>,
}
var<workgroup> w_tile: array<Sixteen, 128>;
var<workgroup> w_scales: array<vec4<f32>, 64>;
var<workgroup> x_tile: array<Sixteen, 128>;
var<workgroup> x_scales: array<vec4<f32>, 64>;
fn put_w(t: u32, g: u32, c: u32) {
 w_scales[t] = coded(g, c, t % 8u).s;
 let q = packed(g, c, t % 8u);
 w_tile[t] = q.lo;
 w_tile[t + 64u] = q.hi;
}
fn magnitudes(v: vec4<f32>) -> vec4<u32> {
 return bitcast<vec4<u32>>(v) & vec4<u32>(0x7fffffffu);
}
fn largest(v: Chunk) -> u32 {
 let m = max(max(max(magnitudes(v.v0), magnitudes(v.v1)), max(magnitudes(v.v2), magnitudes(v.v3))),
  max(max(magnitudes(v.v4), magnitudes(v.v5)), max(magnitudes(v.v6), magnitudes(v.v7))));
 return max(max(m.x, m.y), max(m.z, m.w));
}
fn bytes(v: vec4<f32>, inverse: f32) -> u32 {
 return pack4xI8(vec4<i32>(round(v * inverse)));
}
fn total(q: vec4<u32>) -> f32 {
 let ones = vec4<u32>(0x01010101u);
 return f32(dot16(q, ones));
}
fn put_x(t: u32, at: u32) {
 let v = Chunk(x[at], x[at + 1u], x[at + 2u], x[at + 3u], x[at + 4u], x[at + 5u], x[at + 6u], x[at + 7u]);
 let most = largest(v);
 let exponent = most >> 23u;
 let usable = exponent >= 16u && exponent < 245u;
 let steps = f32((127u << 16u) / (((most >> 16u) & 0x7fu) + 129u));
 let inverse = select(0.0, steps * bitcast<f32>((245u - min(exponent, 245u)) << 23u), usable);
 let scale = select(bitcast<f32>(most), 1.0 / inverse, usable);
 let lo = vec4<u32>(bytes(v.v0, inverse), bytes(v.v1, inverse), bytes(v.v2, inverse), bytes(v.v3, inverse));
 let hi = vec4<u32>(bytes(v.v4, inverse), bytes(v.v5, inverse), bytes(v.v6, inverse), bytes(v.v7, inverse));
 x_tile[t] = lo;
 x_tile[t + 64u] = hi;
 x_scales[t] = vec4<f32>(scale, scale * total(lo), scale * total(hi), 0.0);
}
fn row(a: u32, i: u32, j: u32) -> Strip {
 let at = a + 8u * i + j;
 return Strip(w_tile[at], w_tile[at + 64u], w_scales[at]);
}
fn block(b: u32, part: u32, j: u32) -> Block {
 let at = b + 32u * part + j;
 let s = mat4x4<f32>(x_scales[at], x_scales[at + 8u], x_scales[at + 16u], x_scales[at + 24u]);
 let by_kind = transpose(s);
 return Block(x_tile[at], x_tile[at + 8u], x_tile[at + 16u], x_tile[at + 24u],
  x_tile[at + 64u], x_tile[at + 72u], x_tile[at + 80u], x_tile[at + 88u], by_kind[0], by_kind[1], by_kind[2]);
}
fn dot16(a: vec4<u32>, b: vec4<u32>) -> i32 {
 return dot4I8Packed(a.x, b.x) + dot4I8Packed(a.y, b.y) + dot4I8Packed(a.z, b.z) + dot4I8Packed(a.w, b.w);
}
fn product(w: Strip, v: Block) -> vec4<f32> {
 let lo = vec4<i32>(dot16(w.lo, v.lo0), dot16(w.lo, v.lo1), dot16(w.lo, v.lo2), dot16(w.lo, v.lo3));
 let hi = vec4<i32>(dot16(w.hi, v.hi0), dot16(w.hi, v.hi1), dot16(w.hi, v.hi2), dot16(w.hi, v.hi3));
 var sum: vec4<f32>;
 if (TWO_SCALES) {
  sum = v.scale * (w.s.x * vec4<f32>(lo) + w.s.y * vec4<f32>(hi));
 } else {
  sum = (v.scale * w.s.x) * vec4<f32>(lo + hi);
 }
 if (OFFSETS) {
  sum += w.s.z * v.total_lo + w.s.w * v.total_hi;
 }
 return sum;
}
fn write(sums: vec4<f32>, row: u32, m0: u32, n: u32) {
 for (var i = 0u; i < 4u; i++) {
  let m = m0 + 8u * i;
  if (m < n) {
   store(sums[i], p.row0 + row, m * p.y_stride + p.row0 + row);
  }
 }
}
@compute @workgroup_size(64)
fn main(@builtin(local_invocation_index) t: u32, @builtin(workgroup_id) wg: vec3<u32>) {
 let n = column_count();
 let m0 = wg.y * 64u;
 if (m0 >= n) {
  return;
 }
 let wide = m0 + 32u < n;
 let g = min(wg.x * 8u + t / 8u, p.n_group - 1u);
 let x0 = min(m0 + t, n - 1u) * p.n_chunk * 8u;
 let a = t % 8u;
 let b = t / 8u;
 var l0 = vec4<f32>();
 var l1 = vec4<f32>();
 var l2 = vec4<f32>();
 var l3 = vec4<f32>();
 var l4 = vec4<f32>();
 var l5 = vec4<f32>();
 var l6 = vec4<f32>();
 var l7 = vec4<f32>();
 var h0 = vec4<f32>();
 var h1 = vec4<f32>();
 var h2 = vec4<f32>();
 var h3 = vec4<f32>();
 var h4 = vec4<f32>();
 var h5 = vec4<f32>();
 var h6 = vec4<f32>();
 var h7 = vec4<f32>();
 for (var c = 0u; c < p.n_chunk; c++) {
  put_w(t, g, c);
  put_x(t, x0 + c * 8u);
  workgroupBarrier();
  for (var j = 0u; j < STEPS; j++) {
   let w0 = row(a, 0u, j);
   let w1 = row(a, 1u, j);
   let w2 = row(a, 2u, j);
   let w3 = row(a, 3u, j);
   let w4 = row(a, 4u, j);
   let w5 = row(a, 5u, j);
   let w6 = row(a, 6u, j);
   let w7 = row(a, 7u, j);
   let lo = block(b, 0u, j);
   l0 += product(w0, lo);
   l1 += product(w1, lo);
   l2 += product(w2, lo);
   l3 += product(w3, lo);
   l4 += product(w4, lo);
   l5 += product(w5, lo);
   l6 += product(w6, lo);
   l7 += product(w7, lo);
   if (wide) {
    let hi = block(b, 1u, j);
    h0 += product(w0, hi);
    h1 += product(w1, hi);
    h2 += product(w2, hi);
    h3 += product(w3, hi);
    h4 += product(w4, hi);
    h5 += product(w5, hi);
    h6 += product(w6, hi);
    h7 += product(w7, hi);
   }
  }
  workgroupBarrier();
 }
     {
  let sums = array<vec4<f32>, 16>(l0, l1, l2, l3, l4, l5, l6, l7, h0, h1, h2, h3, h4, h5, h6, h7);
  for (var i = 0u; i < 8u; i++) {
   let n_row = wg.x * 64u + a + 8u * i;
   if (n_row < p.n_rows) {
    write(sums[i], n_row, m0 + b, n);
    write(sums[i + 8u], n_row, m0 + b + 32u, n);
   }
  }
 }
}
",
    },
    Shader {
        name: "matmul_tile_q4k",
        kernel: "matmul_tile",
        workgroup_size: [64, 1, 1],
        bindings: &[
            Binding { index: 0, name: "wq", kind: BindingKind::Read, min_size: 16 },
            Binding { index: 1, name: "ws", kind: BindingKind::Read, min_size: 4 },
            Binding { index: 2, name: "x", kind: BindingKind::Read, min_size: 16 },
            Binding { index: 3, name: "bias", kind: BindingKind::Read, min_size: 4 },
            Binding { index: 4, name: "y", kind: BindingKind::ReadWrite, min_size: 4 },
            Binding { index: 5, name: "step", kind: BindingKind::Read, min_size: 192 },
            Binding { index: 6, name: "p", kind: BindingKind::Uniform, min_size: 44 },
        ],
        overrides: &[],
        needs: &[],
        workgroup_bytes: 16384,
        uniform: &[
            UniformField { name: "n_chunk", offset: 0, size: 4 },
            UniformField { name: "n_unit", offset: 4, size: 4 },
            UniformField { name: "n_group", offset: 8, size: 4 },
            UniformField { name: "n_rows", offset: 12, size: 4 },
            UniformField { name: "row0", offset: 16, size: 4 },
            UniformField { name: "y_stride", offset: 20, size: 4 },
            UniformField { name: "count_from", offset: 24, size: 4 },
            UniformField { name: "max_rows", offset: 28, size: 4 },
            UniformField { name: "act", offset: 32, size: 4 },
            UniformField { name: "flags", offset: 36, size: 4 },
            UniformField { name: "softcap", offset: 40, size: 4 },
        ],
        wgsl: r"struct Chunk {
 v0: vec4<f32>,
 v1: vec4<f32>,
 v2: vec4<f32>,
 v3: vec4<f32>,
 v4: vec4<f32>,
 v5: vec4<f32>,
 v6: vec4<f32>,
 v7: vec4<f32>,
}
struct Coded {
 q: Chunk,
 s: vec4<f32>,
}
fn chunk_affine(q: Chunk, s: vec4<f32>) -> Chunk {
 let lo = vec4<f32>(s.z);
 let hi = vec4<f32>(s.w);
 return Chunk(q.v0 * s.x + lo, q.v1 * s.x + lo, q.v2 * s.x + lo, q.v3 * s.x + lo,
  q.v4 * s.y + hi, q.v5 * s.y + hi, q.v6 * s.y + hi, q.v7 * s.y + hi);
}
fn quants(g: u32, c: u32, r: u32, n_word: u32, word: u32) -> vec4<u32> {
 return wq[((g * p.n_chunk + c) * n_word + word) * 8u + r];
}
fn scale_word(g: u32, unit: u32, r: u32, n_word: u32, word: u32) -> u32 {
 return ws[((g * p.n_unit + unit) * n_word + word) * 8u + r];
}
fn nibbles(w: u32) -> vec4<u32> {
 return (vec4<u32>(w) >> vec4<u32>(0u, 8u, 16u, 24u)) & vec4<u32>(15u);
}
fn nibble_chunk(q: vec4<u32>) -> Chunk {
 let h = q >> vec4<u32>(4u);
 return Chunk(vec4<f32>(nibbles(q.x)), vec4<f32>(nibbles(q.y)), vec4<f32>(nibbles(q.z)), vec4<f32>(nibbles(q.w)),
  vec4<f32>(nibbles(h.x)), vec4<f32>(nibbles(h.y)), vec4<f32>(nibbles(h.z)), vec4<f32>(nibbles(h.w)));
}
fn half(h: u32) -> f32 {
 let m = h & 0x7fffu;
 let rebias = select(0x38000000u, 0x70000000u, m >= 0x7c00u);
 let v = select(bitcast<f32>((m << 13u) + rebias), f32(m) * 0x1p-24f, m < 0x400u);
 return bitcast<f32>(bitcast<u32>(v) | ((h & 0x8000u) << 16u));
}
fn half2(w: u32) -> vec2<f32> {
 return vec2<f32>(half(w & 0xffffu), half(w >> 16u));
}
fn scale_min(g: u32, c: u32, r: u32, n_word: u32) -> vec4<f32> {
 let d = half2(scale_word(g, c / 8u, r, n_word, 0u));
 let f = scale_word(g, c / 8u, r, n_word, 1u + (c % 8u) / 2u) >> (16u * (c % 2u));
 let s = d * vec2<f32>(f32(f & 255u), f32((f >> 8u) & 255u));
 return vec4<f32>(s.x, s.x, -s.y, -s.y);
}
fn coded(g: u32, c: u32, r: u32) -> Coded {
 return Coded(nibble_chunk(quants(g, c, r, 1u, 0u)), scale_min(g, c, r, 5u));
}
fn dequant(g: u32, c: u32, r: u32) -> Chunk {
 let w = coded(g, c, r);
                                     {
  return chunk_affine(w.q, w.s);
 }
}
fn soft_tanh(v: f32) -> f32 {
 let e = exp(-2.0 * min(abs(v), 15.0));
 return sign(v) * ((1.0 - e) / (1.0 + e));
}
fn silu(v: f32) -> f32 {
 return v / (1.0 + exp(clamp(-v, -80.0, 80.0)));
}
fn gelu_tanh(v: f32) -> f32 {
 return 0.5 * v * (1.0 + soft_tanh(0.7978845608 * (v + 0.044715 * v * v * v)));
}
fn activate(kind: u32, v: f32) -> f32 {
 if (kind == 1u) {
  return silu(v);
 }
 if (kind == 2u) {
  return gelu_tanh(v);
 }
 return v;
}
const ADD = 1u;
const BIAS = 2u;
const SOFTCAP = 4u;
fn store(sum: f32, row: u32, at: u32) {
 var v = sum;
 if ((p.flags & BIAS) != 0u) {
  v += bias[row];
 }
 v = activate(p.act, v);
 if ((p.flags & SOFTCAP) != 0u) {
  v = p.softcap * soft_tanh(v / p.softcap);
 }
 if ((p.flags & ADD) != 0u) {
  v += y[at];
 }
 y[at] = v;
}
struct Row {
 token: u32,
 pos: u32,
 cell: u32,
 table: u32,
 base: u32,
 lo: u32,
 hi: u32,
 lo_swa: u32,
 tree: u32,
 ancestors_lo: u32,
 ancestors_hi: u32,
 seq: u32,
 mix_start: u32,
 mix_len: u32,
 reserved0: u32,
 reserved1: u32,
}
struct Step {
 n_rows: u32,
 n_want: u32,
 seed_lo: u32,
 seed_hi: u32,
 window: u32,
 n_out: u32,
 reserved: array<u32, 10>,
 want: array<u32, 16>,
 rows: array<Row>,
}
struct P {
 n_chunk: u32,
 n_unit: u32,
 n_group: u32,
 n_rows: u32,
 row0: u32,
 y_stride: u32,
 count_from: u32,
 max_rows: u32,
 act: u32,
 flags: u32,
 softcap: f32,
}
@group(0) @binding(0) var<storage, read> wq: array<vec4<u32>>;
@group(0) @binding(1) var<storage, read> ws: array<u32>;
@group(0) @binding(2) var<storage, read> x: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read> bias: array<f32>;
@group(0) @binding(4) var<storage, read_write> y: array<f32>;
@group(0) @binding(5) var<storage, read> step: Step;
@group(0) @binding(6) var<uniform> p: P;
fn column_count() -> u32 {
 return min(select(step.n_rows, step.n_want, p.count_from == 1u), p.max_rows);
}
const STEPS = 8u;
alias Strip = vec4<f32>;
alias Block = mat4x4<f32>;
var<workgroup> w_tile: array<vec4<f32>, 512>;
var<workgroup> x_tile: array<vec4<f32>, 512>;
fn put_w(t: u32, g: u32, c: u32) {
 let v = dequant(g, c, t % 8u);
 let at = t * 8u;
 let s = t % 8u;
 w_tile[at + s] = v.v0;
 w_tile[at + (s ^ 1u)] = v.v1;
 w_tile[at + (s ^ 2u)] = v.v2;
 w_tile[at + (s ^ 3u)] = v.v3;
 w_tile[at + (s ^ 4u)] = v.v4;
 w_tile[at + (s ^ 5u)] = v.v5;
 w_tile[at + (s ^ 6u)] = v.v6;
 w_tile[at + (s ^ 7u)] = v.v7;
}
fn put_x(t: u32, from_word: u32) {
 for (var j = 0u; j < 8u; j++) {
  x_tile[t * 8u + (j ^ (t % 8u))] = x[from_word + j];
 }
}
fn row(a: u32, i: u32, j: u32) -> Strip {
 return w_tile[a * 8u + (j ^ a) + 64u * i];
}
fn block(b: u32, part: u32, j: u32) -> Block {
 let at = (b + 32u * part) * 8u + (j ^ b);
 return mat4x4<f32>(x_tile[at], x_tile[at + 64u], x_tile[at + 128u], x_tile[at + 192u]);
}
fn product(w: Strip, v: Block) -> vec4<f32> {
 return w * v;
}
fn write(sums: vec4<f32>, row: u32, m0: u32, n: u32) {
 for (var i = 0u; i < 4u; i++) {
  let m = m0 + 8u * i;
  if (m < n) {
   store(sums[i], p.row0 + row, m * p.y_stride + p.row0 + row);
  }
 }
}
@compute @workgroup_size(64)
fn main(@builtin(local_invocation_index) t: u32, @builtin(workgroup_id) wg: vec3<u32>) {
 let n = column_count();
 let m0 = wg.y * 64u;
 if (m0 >= n) {
  return;
 }
 let wide = m0 + 32u < n;
 let g = min(wg.x * 8u + t / 8u, p.n_group - 1u);
 let x0 = min(m0 + t, n - 1u) * p.n_chunk * 8u;
 let a = t % 8u;
 let b = t / 8u;
 var l0 = vec4<f32>();
 var l1 = vec4<f32>();
 var l2 = vec4<f32>();
 var l3 = vec4<f32>();
 var l4 = vec4<f32>();
 var l5 = vec4<f32>();
 var l6 = vec4<f32>();
 var l7 = vec4<f32>();
 var h0 = vec4<f32>();
 var h1 = vec4<f32>();
 var h2 = vec4<f32>();
 var h3 = vec4<f32>();
 var h4 = vec4<f32>();
 var h5 = vec4<f32>();
 var h6 = vec4<f32>();
 var h7 = vec4<f32>();
 for (var c = 0u; c < p.n_chunk; c++) {
  put_w(t, g, c);
  put_x(t, x0 + c * 8u);
  workgroupBarrier();
  for (var j = 0u; j < STEPS; j++) {
   let w0 = row(a, 0u, j);
   let w1 = row(a, 1u, j);
   let w2 = row(a, 2u, j);
   let w3 = row(a, 3u, j);
   let w4 = row(a, 4u, j);
   let w5 = row(a, 5u, j);
   let w6 = row(a, 6u, j);
   let w7 = row(a, 7u, j);
   let lo = block(b, 0u, j);
   l0 += product(w0, lo);
   l1 += product(w1, lo);
   l2 += product(w2, lo);
   l3 += product(w3, lo);
   l4 += product(w4, lo);
   l5 += product(w5, lo);
   l6 += product(w6, lo);
   l7 += product(w7, lo);
   if (wide) {
    let hi = block(b, 1u, j);
    h0 += product(w0, hi);
    h1 += product(w1, hi);
    h2 += product(w2, hi);
    h3 += product(w3, hi);
    h4 += product(w4, hi);
    h5 += product(w5, hi);
    h6 += product(w6, hi);
    h7 += product(w7, hi);
   }
  }
  workgroupBarrier();
 }
      {
  let own = a * 8u + (b ^ a);
  w_tile[own] = l0;
  w_tile[own + 64u] = l1;
  w_tile[own + 128u] = l2;
  w_tile[own + 192u] = l3;
  w_tile[own + 256u] = l4;
  w_tile[own + 320u] = l5;
  w_tile[own + 384u] = l6;
  w_tile[own + 448u] = l7;
  x_tile[own] = h0;
  x_tile[own + 64u] = h1;
  x_tile[own + 128u] = h2;
  x_tile[own + 192u] = h3;
  x_tile[own + 256u] = h4;
  x_tile[own + 320u] = h5;
  x_tile[own + 384u] = h6;
  x_tile[own + 448u] = h7;
  workgroupBarrier();
  let n_row = wg.x * 64u + t;
  if (n_row >= p.n_rows) {
   return;
  }
  for (var c = 0u; c < 8u; c++) {
   let at = t * 8u + (c ^ (t % 8u));
   write(w_tile[at], n_row, m0 + c, n);
   write(x_tile[at], n_row, m0 + c + 32u, n);
  }
 }
}
",
    },
    Shader {
        name: "matmul_tile_q4k_dot",
        kernel: "matmul_tile",
        workgroup_size: [64, 1, 1],
        bindings: &[
            Binding { index: 0, name: "wq", kind: BindingKind::Read, min_size: 16 },
            Binding { index: 1, name: "ws", kind: BindingKind::Read, min_size: 4 },
            Binding { index: 2, name: "x", kind: BindingKind::Read, min_size: 16 },
            Binding { index: 3, name: "bias", kind: BindingKind::Read, min_size: 4 },
            Binding { index: 4, name: "y", kind: BindingKind::ReadWrite, min_size: 4 },
            Binding { index: 5, name: "step", kind: BindingKind::Read, min_size: 192 },
            Binding { index: 6, name: "p", kind: BindingKind::Uniform, min_size: 44 },
        ],
        overrides: &[],
        needs: &[Feature::PackedDot],
        workgroup_bytes: 6144,
        uniform: &[
            UniformField { name: "n_chunk", offset: 0, size: 4 },
            UniformField { name: "n_unit", offset: 4, size: 4 },
            UniformField { name: "n_group", offset: 8, size: 4 },
            UniformField { name: "n_rows", offset: 12, size: 4 },
            UniformField { name: "row0", offset: 16, size: 4 },
            UniformField { name: "y_stride", offset: 20, size: 4 },
            UniformField { name: "count_from", offset: 24, size: 4 },
            UniformField { name: "max_rows", offset: 28, size: 4 },
            UniformField { name: "act", offset: 32, size: 4 },
            UniformField { name: "flags", offset: 36, size: 4 },
            UniformField { name: "softcap", offset: 40, size: 4 },
        ],
        wgsl: r"requires packed_4x8_integer_dot_product;
struct Chunk {
 v0: vec4<f32>,
 v1: vec4<f32>,
 v2: vec4<f32>,
 v3: vec4<f32>,
 v4: vec4<f32>,
 v5: vec4<f32>,
 v6: vec4<f32>,
 v7: vec4<f32>,
}
struct Coded {
 q: Chunk,
 s: vec4<f32>,
}
fn quants(g: u32, c: u32, r: u32, n_word: u32, word: u32) -> vec4<u32> {
 return wq[((g * p.n_chunk + c) * n_word + word) * 8u + r];
}
fn scale_word(g: u32, unit: u32, r: u32, n_word: u32, word: u32) -> u32 {
 return ws[((g * p.n_unit + unit) * n_word + word) * 8u + r];
}
fn nibbles(w: u32) -> vec4<u32> {
 return (vec4<u32>(w) >> vec4<u32>(0u, 8u, 16u, 24u)) & vec4<u32>(15u);
}
fn nibble_chunk(q: vec4<u32>) -> Chunk {
 let h = q >> vec4<u32>(4u);
 return Chunk(vec4<f32>(nibbles(q.x)), vec4<f32>(nibbles(q.y)), vec4<f32>(nibbles(q.z)), vec4<f32>(nibbles(q.w)),
  vec4<f32>(nibbles(h.x)), vec4<f32>(nibbles(h.y)), vec4<f32>(nibbles(h.z)), vec4<f32>(nibbles(h.w)));
}
fn half(h: u32) -> f32 {
 let m = h & 0x7fffu;
 let rebias = select(0x38000000u, 0x70000000u, m >= 0x7c00u);
 let v = select(bitcast<f32>((m << 13u) + rebias), f32(m) * 0x1p-24f, m < 0x400u);
 return bitcast<f32>(bitcast<u32>(v) | ((h & 0x8000u) << 16u));
}
fn half2(w: u32) -> vec2<f32> {
 return vec2<f32>(half(w & 0xffffu), half(w >> 16u));
}
fn scale_min(g: u32, c: u32, r: u32, n_word: u32) -> vec4<f32> {
 let d = half2(scale_word(g, c / 8u, r, n_word, 0u));
 let f = scale_word(g, c / 8u, r, n_word, 1u + (c % 8u) / 2u) >> (16u * (c % 2u));
 let s = d * vec2<f32>(f32(f & 255u), f32((f >> 8u) & 255u));
 return vec4<f32>(s.x, s.x, -s.y, -s.y);
}
fn coded(g: u32, c: u32, r: u32) -> Coded {
 return Coded(nibble_chunk(quants(g, c, r, 1u, 0u)), scale_min(g, c, r, 5u));
}
const OFFSETS = true;
const TWO_SCALES = false;
fn soft_tanh(v: f32) -> f32 {
 let e = exp(-2.0 * min(abs(v), 15.0));
 return sign(v) * ((1.0 - e) / (1.0 + e));
}
fn silu(v: f32) -> f32 {
 return v / (1.0 + exp(clamp(-v, -80.0, 80.0)));
}
fn gelu_tanh(v: f32) -> f32 {
 return 0.5 * v * (1.0 + soft_tanh(0.7978845608 * (v + 0.044715 * v * v * v)));
}
fn activate(kind: u32, v: f32) -> f32 {
 if (kind == 1u) {
  return silu(v);
 }
 if (kind == 2u) {
  return gelu_tanh(v);
 }
 return v;
}
const ADD = 1u;
const BIAS = 2u;
const SOFTCAP = 4u;
fn store(sum: f32, row: u32, at: u32) {
 var v = sum;
 if ((p.flags & BIAS) != 0u) {
  v += bias[row];
 }
 v = activate(p.act, v);
 if ((p.flags & SOFTCAP) != 0u) {
  v = p.softcap * soft_tanh(v / p.softcap);
 }
 if ((p.flags & ADD) != 0u) {
  v += y[at];
 }
 y[at] = v;
}
struct Row {
 token: u32,
 pos: u32,
 cell: u32,
 table: u32,
 base: u32,
 lo: u32,
 hi: u32,
 lo_swa: u32,
 tree: u32,
 ancestors_lo: u32,
 ancestors_hi: u32,
 seq: u32,
 mix_start: u32,
 mix_len: u32,
 reserved0: u32,
 reserved1: u32,
}
struct Step {
 n_rows: u32,
 n_want: u32,
 seed_lo: u32,
 seed_hi: u32,
 window: u32,
 n_out: u32,
 reserved: array<u32, 10>,
 want: array<u32, 16>,
 rows: array<Row>,
}
struct P {
 n_chunk: u32,
 n_unit: u32,
 n_group: u32,
 n_rows: u32,
 row0: u32,
 y_stride: u32,
 count_from: u32,
 max_rows: u32,
 act: u32,
 flags: u32,
 softcap: f32,
}
@group(0) @binding(0) var<storage, read> wq: array<vec4<u32>>;
@group(0) @binding(1) var<storage, read> ws: array<u32>;
@group(0) @binding(2) var<storage, read> x: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read> bias: array<f32>;
@group(0) @binding(4) var<storage, read_write> y: array<f32>;
@group(0) @binding(5) var<storage, read> step: Step;
@group(0) @binding(6) var<uniform> p: P;
fn column_count() -> u32 {
 return min(select(step.n_rows, step.n_want, p.count_from == 1u), p.max_rows);
}
struct Packed {
 lo: vec4<u32>,
 hi: vec4<u32>,
}
fn nibble_bytes(q: vec4<u32>) -> Packed {
 let mask = vec4<u32>(0x0f0f0f0fu);
 return Packed(q & mask, (q >> vec4<u32>(4u)) & mask);
}
fn packed(g: u32, c: u32, r: u32) -> Packed {
                      {
  return nibble_bytes(quants(g, c, r, 1u, 0u));
 }
}
const STEPS = 1u;
alias Sixteen = vec4<u32>;
struct Strip {
 lo: Sixteen,
 hi: Sixteen,
 s: vec4<f32>,
}
struct Block {
 lo0: Sixteen,
 lo1: Sixteen,
 lo2: Sixteen,
 lo3: Sixteen,
 hi0: Sixteen,
 hi1: Sixteen,
 hi2: Sixteen,
 hi3: Sixteen,
 scale: vec4<f32>,
 total_lo: vec4<f32>,
 total_hi: vec4<f32>,
}
var<workgroup> w_tile: array<Sixteen, 128>;
var<workgroup> w_scales: array<vec4<f32>, 64>;
var<workgroup> x_tile: array<Sixteen, 128>;
var<workgroup> x_scales: array<vec4<f32>, 64>;
fn put_w(t: u32, g: u32, c: u32) {
 w_scales[t] = coded(g, c, t % 8u).s;
 let q = packed(g, c, t % 8u);
 w_tile[t] = q.lo;
 w_tile[t + 64u] = q.hi;
}
fn magnitudes(v: vec4<f32>) -> vec4<u32> {
 return bitcast<vec4<u32>>(v) & vec4<u32>(0x7fffffffu);
}
fn largest(v: Chunk) -> u32 {
 let m = max(max(max(magnitudes(v.v0), magnitudes(v.v1)), max(magnitudes(v.v2), magnitudes(v.v3))),
  max(max(magnitudes(v.v4), magnitudes(v.v5)), max(magnitudes(v.v6), magnitudes(v.v7))));
 return max(max(m.x, m.y), max(m.z, m.w));
}
fn bytes(v: vec4<f32>, inverse: f32) -> u32 {
 return pack4xI8(vec4<i32>(round(v * inverse)));
}
fn total(q: vec4<u32>) -> f32 {
 let ones = vec4<u32>(0x01010101u);
 return f32(dot16(q, ones));
}
fn put_x(t: u32, at: u32) {
 let v = Chunk(x[at], x[at + 1u], x[at + 2u], x[at + 3u], x[at + 4u], x[at + 5u], x[at + 6u], x[at + 7u]);
 let most = largest(v);
 let exponent = most >> 23u;
 let usable = exponent >= 16u && exponent < 245u;
 let steps = f32((127u << 16u) / (((most >> 16u) & 0x7fu) + 129u));
 let inverse = select(0.0, steps * bitcast<f32>((245u - min(exponent, 245u)) << 23u), usable);
 let scale = select(bitcast<f32>(most), 1.0 / inverse, usable);
 let lo = vec4<u32>(bytes(v.v0, inverse), bytes(v.v1, inverse), bytes(v.v2, inverse), bytes(v.v3, inverse));
 let hi = vec4<u32>(bytes(v.v4, inverse), bytes(v.v5, inverse), bytes(v.v6, inverse), bytes(v.v7, inverse));
 x_tile[t] = lo;
 x_tile[t + 64u] = hi;
 x_scales[t] = vec4<f32>(scale, scale * total(lo), scale * total(hi), 0.0);
}
fn row(a: u32, i: u32, j: u32) -> Strip {
 let at = a + 8u * i + j;
 return Strip(w_tile[at], w_tile[at + 64u], w_scales[at]);
}
fn block(b: u32, part: u32, j: u32) -> Block {
 let at = b + 32u * part + j;
 let s = mat4x4<f32>(x_scales[at], x_scales[at + 8u], x_scales[at + 16u], x_scales[at + 24u]);
 let by_kind = transpose(s);
 return Block(x_tile[at], x_tile[at + 8u], x_tile[at + 16u], x_tile[at + 24u],
  x_tile[at + 64u], x_tile[at + 72u], x_tile[at + 80u], x_tile[at + 88u], by_kind[0], by_kind[1], by_kind[2]);
}
fn dot16(a: vec4<u32>, b: vec4<u32>) -> i32 {
 return dot4I8Packed(a.x, b.x) + dot4I8Packed(a.y, b.y) + dot4I8Packed(a.z, b.z) + dot4I8Packed(a.w, b.w);
}
fn product(w: Strip, v: Block) -> vec4<f32> {
 let lo = vec4<i32>(dot16(w.lo, v.lo0), dot16(w.lo, v.lo1), dot16(w.lo, v.lo2), dot16(w.lo, v.lo3));
 let hi = vec4<i32>(dot16(w.hi, v.hi0), dot16(w.hi, v.hi1), dot16(w.hi, v.hi2), dot16(w.hi, v.hi3));
 var sum: vec4<f32>;
 if (TWO_SCALES) {
  sum = v.scale * (w.s.x * vec4<f32>(lo) + w.s.y * vec4<f32>(hi));
 } else {
  sum = (v.scale * w.s.x) * vec4<f32>(lo + hi);
 }
 if (OFFSETS) {
  sum += w.s.z * v.total_lo + w.s.w * v.total_hi;
 }
 return sum;
}
fn write(sums: vec4<f32>, row: u32, m0: u32, n: u32) {
 for (var i = 0u; i < 4u; i++) {
  let m = m0 + 8u * i;
  if (m < n) {
   store(sums[i], p.row0 + row, m * p.y_stride + p.row0 + row);
  }
 }
}
@compute @workgroup_size(64)
fn main(@builtin(local_invocation_index) t: u32, @builtin(workgroup_id) wg: vec3<u32>) {
 let n = column_count();
 let m0 = wg.y * 64u;
 if (m0 >= n) {
  return;
 }
 let wide = m0 + 32u < n;
 let g = min(wg.x * 8u + t / 8u, p.n_group - 1u);
 let x0 = min(m0 + t, n - 1u) * p.n_chunk * 8u;
 let a = t % 8u;
 let b = t / 8u;
 var l0 = vec4<f32>();
 var l1 = vec4<f32>();
 var l2 = vec4<f32>();
 var l3 = vec4<f32>();
 var l4 = vec4<f32>();
 var l5 = vec4<f32>();
 var l6 = vec4<f32>();
 var l7 = vec4<f32>();
 var h0 = vec4<f32>();
 var h1 = vec4<f32>();
 var h2 = vec4<f32>();
 var h3 = vec4<f32>();
 var h4 = vec4<f32>();
 var h5 = vec4<f32>();
 var h6 = vec4<f32>();
 var h7 = vec4<f32>();
 for (var c = 0u; c < p.n_chunk; c++) {
  put_w(t, g, c);
  put_x(t, x0 + c * 8u);
  workgroupBarrier();
  for (var j = 0u; j < STEPS; j++) {
   let w0 = row(a, 0u, j);
   let w1 = row(a, 1u, j);
   let w2 = row(a, 2u, j);
   let w3 = row(a, 3u, j);
   let w4 = row(a, 4u, j);
   let w5 = row(a, 5u, j);
   let w6 = row(a, 6u, j);
   let w7 = row(a, 7u, j);
   let lo = block(b, 0u, j);
   l0 += product(w0, lo);
   l1 += product(w1, lo);
   l2 += product(w2, lo);
   l3 += product(w3, lo);
   l4 += product(w4, lo);
   l5 += product(w5, lo);
   l6 += product(w6, lo);
   l7 += product(w7, lo);
   if (wide) {
    let hi = block(b, 1u, j);
    h0 += product(w0, hi);
    h1 += product(w1, hi);
    h2 += product(w2, hi);
    h3 += product(w3, hi);
    h4 += product(w4, hi);
    h5 += product(w5, hi);
    h6 += product(w6, hi);
    h7 += product(w7, hi);
   }
  }
  workgroupBarrier();
 }
     {
  let sums = array<vec4<f32>, 16>(l0, l1, l2, l3, l4, l5, l6, l7, h0, h1, h2, h3, h4, h5, h6, h7);
  for (var i = 0u; i < 8u; i++) {
   let n_row = wg.x * 64u + a + 8u * i;
   if (n_row < p.n_rows) {
    write(sums[i], n_row, m0 + b, n);
    write(sums[i + 8u], n_row, m0 + b + 32u, n);
   }
  }
 }
}
",
    },
    Shader {
        name: "matmul_tile_q5",
        kernel: "matmul_tile",
        workgroup_size: [64, 1, 1],
        bindings: &[
            Binding { index: 0, name: "wq", kind: BindingKind::Read, min_size: 16 },
            Binding { index: 1, name: "ws", kind: BindingKind::Read, min_size: 4 },
            Binding { index: 2, name: "x", kind: BindingKind::Read, min_size: 16 },
            Binding { index: 3, name: "bias", kind: BindingKind::Read, min_size: 4 },
            Binding { index: 4, name: "y", kind: BindingKind::ReadWrite, min_size: 4 },
            Binding { index: 5, name: "step", kind: BindingKind::Read, min_size: 192 },
            Binding { index: 6, name: "p", kind: BindingKind::Uniform, min_size: 44 },
        ],
        overrides: &[],
        needs: &[],
        workgroup_bytes: 16384,
        uniform: &[
            UniformField { name: "n_chunk", offset: 0, size: 4 },
            UniformField { name: "n_unit", offset: 4, size: 4 },
            UniformField { name: "n_group", offset: 8, size: 4 },
            UniformField { name: "n_rows", offset: 12, size: 4 },
            UniformField { name: "row0", offset: 16, size: 4 },
            UniformField { name: "y_stride", offset: 20, size: 4 },
            UniformField { name: "count_from", offset: 24, size: 4 },
            UniformField { name: "max_rows", offset: 28, size: 4 },
            UniformField { name: "act", offset: 32, size: 4 },
            UniformField { name: "flags", offset: 36, size: 4 },
            UniformField { name: "softcap", offset: 40, size: 4 },
        ],
        wgsl: r"struct Chunk {
 v0: vec4<f32>,
 v1: vec4<f32>,
 v2: vec4<f32>,
 v3: vec4<f32>,
 v4: vec4<f32>,
 v5: vec4<f32>,
 v6: vec4<f32>,
 v7: vec4<f32>,
}
struct Coded {
 q: Chunk,
 s: vec4<f32>,
}
fn chunk_affine(q: Chunk, s: vec4<f32>) -> Chunk {
 let lo = vec4<f32>(s.z);
 let hi = vec4<f32>(s.w);
 return Chunk(q.v0 * s.x + lo, q.v1 * s.x + lo, q.v2 * s.x + lo, q.v3 * s.x + lo,
  q.v4 * s.y + hi, q.v5 * s.y + hi, q.v6 * s.y + hi, q.v7 * s.y + hi);
}
fn quants(g: u32, c: u32, r: u32, n_word: u32, word: u32) -> vec4<u32> {
 return wq[((g * p.n_chunk + c) * n_word + word) * 8u + r];
}
fn scale_word(g: u32, unit: u32, r: u32, n_word: u32, word: u32) -> u32 {
 return ws[((g * p.n_unit + unit) * n_word + word) * 8u + r];
}
fn nibbles(w: u32) -> vec4<u32> {
 return (vec4<u32>(w) >> vec4<u32>(0u, 8u, 16u, 24u)) & vec4<u32>(15u);
}
fn five(w: u32, bits: u32) -> vec4<f32> {
 return vec4<f32>(nibbles(w) | (((vec4<u32>(bits) >> vec4<u32>(0u, 1u, 2u, 3u)) & vec4<u32>(1u)) << vec4<u32>(4u)));
}
fn five_chunk(q: vec4<u32>, bits: u32) -> Chunk {
 let h = q >> vec4<u32>(4u);
 return Chunk(five(q.x, bits), five(q.y, bits >> 4u), five(q.z, bits >> 8u), five(q.w, bits >> 12u),
  five(h.x, bits >> 16u), five(h.y, bits >> 20u), five(h.z, bits >> 24u), five(h.w, bits >> 28u));
}
fn half(h: u32) -> f32 {
 let m = h & 0x7fffu;
 let rebias = select(0x38000000u, 0x70000000u, m >= 0x7c00u);
 let v = select(bitcast<f32>((m << 13u) + rebias), f32(m) * 0x1p-24f, m < 0x400u);
 return bitcast<f32>(bitcast<u32>(v) | ((h & 0x8000u) << 16u));
}
fn half2(w: u32) -> vec2<f32> {
 return vec2<f32>(half(w & 0xffffu), half(w >> 16u));
}
fn coded(g: u32, c: u32, r: u32) -> Coded {
 let s = half2(scale_word(g, c, r, 2u, 0u));
 return Coded(five_chunk(quants(g, c, r, 1u, 0u), scale_word(g, c, r, 2u, 1u)), s.xxyy);
}
fn dequant(g: u32, c: u32, r: u32) -> Chunk {
 let w = coded(g, c, r);
                                     {
  return chunk_affine(w.q, w.s);
 }
}
fn soft_tanh(v: f32) -> f32 {
 let e = exp(-2.0 * min(abs(v), 15.0));
 return sign(v) * ((1.0 - e) / (1.0 + e));
}
fn silu(v: f32) -> f32 {
 return v / (1.0 + exp(clamp(-v, -80.0, 80.0)));
}
fn gelu_tanh(v: f32) -> f32 {
 return 0.5 * v * (1.0 + soft_tanh(0.7978845608 * (v + 0.044715 * v * v * v)));
}
fn activate(kind: u32, v: f32) -> f32 {
 if (kind == 1u) {
  return silu(v);
 }
 if (kind == 2u) {
  return gelu_tanh(v);
 }
 return v;
}
const ADD = 1u;
const BIAS = 2u;
const SOFTCAP = 4u;
fn store(sum: f32, row: u32, at: u32) {
 var v = sum;
 if ((p.flags & BIAS) != 0u) {
  v += bias[row];
 }
 v = activate(p.act, v);
 if ((p.flags & SOFTCAP) != 0u) {
  v = p.softcap * soft_tanh(v / p.softcap);
 }
 if ((p.flags & ADD) != 0u) {
  v += y[at];
 }
 y[at] = v;
}
struct Row {
 token: u32,
 pos: u32,
 cell: u32,
 table: u32,
 base: u32,
 lo: u32,
 hi: u32,
 lo_swa: u32,
 tree: u32,
 ancestors_lo: u32,
 ancestors_hi: u32,
 seq: u32,
 mix_start: u32,
 mix_len: u32,
 reserved0: u32,
 reserved1: u32,
}
struct Step {
 n_rows: u32,
 n_want: u32,
 seed_lo: u32,
 seed_hi: u32,
 window: u32,
 n_out: u32,
 reserved: array<u32, 10>,
 want: array<u32, 16>,
 rows: array<Row>,
}
struct P {
 n_chunk: u32,
 n_unit: u32,
 n_group: u32,
 n_rows: u32,
 row0: u32,
 y_stride: u32,
 count_from: u32,
 max_rows: u32,
 act: u32,
 flags: u32,
 softcap: f32,
}
@group(0) @binding(0) var<storage, read> wq: array<vec4<u32>>;
@group(0) @binding(1) var<storage, read> ws: array<u32>;
@group(0) @binding(2) var<storage, read> x: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read> bias: array<f32>;
@group(0) @binding(4) var<storage, read_write> y: array<f32>;
@group(0) @binding(5) var<storage, read> step: Step;
@group(0) @binding(6) var<uniform> p: P;
fn column_count() -> u32 {
 return min(select(step.n_rows, step.n_want, p.count_from == 1u), p.max_rows);
}
const STEPS = 8u;
alias Strip = vec4<f32>;
alias Block = mat4x4<f32>;
var<workgroup> w_tile: array<vec4<f32>, 512>;
var<workgroup> x_tile: array<vec4<f32>, 512>;
fn put_w(t: u32, g: u32, c: u32) {
 let v = dequant(g, c, t % 8u);
 let at = t * 8u;
 let s = t % 8u;
 w_tile[at + s] = v.v0;
 w_tile[at + (s ^ 1u)] = v.v1;
 w_tile[at + (s ^ 2u)] = v.v2;
 w_tile[at + (s ^ 3u)] = v.v3;
 w_tile[at + (s ^ 4u)] = v.v4;
 w_tile[at + (s ^ 5u)] = v.v5;
 w_tile[at + (s ^ 6u)] = v.v6;
 w_tile[at + (s ^ 7u)] = v.v7;
}
fn put_x(t: u32, from_word: u32) {
 for (var j = 0u; j < 8u; j++) {
  x_tile[t * 8u + (j ^ (t % 8u))] = x[from_word + j];
 }
}
fn row(a: u32, i: u32, j: u32) -> Strip {
 return w_tile[a * 8u + (j ^ a) + 64u * i];
}
fn block(b: u32, part: u32, j: u32) -> Block {
 let at = (b + 32u * part) * 8u + (j ^ b);
 return mat4x4<f32>(x_tile[at], x_tile[at + 64u], x_tile[at + 128u], x_tile[at + 192u]);
}
fn product(w: Strip, v: Block) -> vec4<f32> {
 return w * v;
}
fn write(sums: vec4<f32>, row: u32, m0: u32, n: u32) {
 for (var i = 0u; i < 4u; i++) {
  let m = m0 + 8u * i;
  if (m < n) {
   store(sums[i], p.row0 + row, m * p.y_stride + p.row0 + row);
  }
 }
}
@compute @workgroup_size(64)
fn main(@builtin(local_invocation_index) t: u32, @builtin(workgroup_id) wg: vec3<u32>) {
 let n = column_count();
 let m0 = wg.y * 64u;
 if (m0 >= n) {
  return;
 }
 let wide = m0 + 32u < n;
 let g = min(wg.x * 8u + t / 8u, p.n_group - 1u);
 let x0 = min(m0 + t, n - 1u) * p.n_chunk * 8u;
 let a = t % 8u;
 let b = t / 8u;
 var l0 = vec4<f32>();
 var l1 = vec4<f32>();
 var l2 = vec4<f32>();
 var l3 = vec4<f32>();
 var l4 = vec4<f32>();
 var l5 = vec4<f32>();
 var l6 = vec4<f32>();
 var l7 = vec4<f32>();
 var h0 = vec4<f32>();
 var h1 = vec4<f32>();
 var h2 = vec4<f32>();
 var h3 = vec4<f32>();
 var h4 = vec4<f32>();
 var h5 = vec4<f32>();
 var h6 = vec4<f32>();
 var h7 = vec4<f32>();
 for (var c = 0u; c < p.n_chunk; c++) {
  put_w(t, g, c);
  put_x(t, x0 + c * 8u);
  workgroupBarrier();
  for (var j = 0u; j < STEPS; j++) {
   let w0 = row(a, 0u, j);
   let w1 = row(a, 1u, j);
   let w2 = row(a, 2u, j);
   let w3 = row(a, 3u, j);
   let w4 = row(a, 4u, j);
   let w5 = row(a, 5u, j);
   let w6 = row(a, 6u, j);
   let w7 = row(a, 7u, j);
   let lo = block(b, 0u, j);
   l0 += product(w0, lo);
   l1 += product(w1, lo);
   l2 += product(w2, lo);
   l3 += product(w3, lo);
   l4 += product(w4, lo);
   l5 += product(w5, lo);
   l6 += product(w6, lo);
   l7 += product(w7, lo);
   if (wide) {
    let hi = block(b, 1u, j);
    h0 += product(w0, hi);
    h1 += product(w1, hi);
    h2 += product(w2, hi);
    h3 += product(w3, hi);
    h4 += product(w4, hi);
    h5 += product(w5, hi);
    h6 += product(w6, hi);
    h7 += product(w7, hi);
   }
  }
  workgroupBarrier();
 }
      {
  let own = a * 8u + (b ^ a);
  w_tile[own] = l0;
  w_tile[own + 64u] = l1;
  w_tile[own + 128u] = l2;
  w_tile[own + 192u] = l3;
  w_tile[own + 256u] = l4;
  w_tile[own + 320u] = l5;
  w_tile[own + 384u] = l6;
  w_tile[own + 448u] = l7;
  x_tile[own] = h0;
  x_tile[own + 64u] = h1;
  x_tile[own + 128u] = h2;
  x_tile[own + 192u] = h3;
  x_tile[own + 256u] = h4;
  x_tile[own + 320u] = h5;
  x_tile[own + 384u] = h6;
  x_tile[own + 448u] = h7;
  workgroupBarrier();
  let n_row = wg.x * 64u + t;
  if (n_row >= p.n_rows) {
   return;
  }
  for (var c = 0u; c < 8u; c++) {
   let at = t * 8u + (c ^ (t % 8u));
   write(w_tile[at], n_row, m0 + c, n);
   write(x_tile[at], n_row, m0 + c + 32u, n);
  }
 }
}
",
    },
    Shader {
        name: "matmul_tile_q5_dot",
        kernel: "matmul_tile",
        workgroup_size: [64, 1, 1],
        bindings: &[
            Binding { index: 0, name: "wq", kind: BindingKind::Read, min_size: 16 },
            Binding { index: 1, name: "ws", kind: BindingKind::Read, min_size: 4 },
            Binding { index: 2, name: "x", kind: BindingKind::Read, min_size: 16 },
            Binding { index: 3, name: "bias", kind: BindingKind::Read, min_size: 4 },
            Binding { index: 4, name: "y", kind: BindingKind::ReadWrite, min_size: 4 },
            Binding { index: 5, name: "step", kind: BindingKind::Read, min_size: 192 },
            Binding { index: 6, name: "p", kind: BindingKind::Uniform, min_size: 44 },
        ],
        overrides: &[],
        needs: &[Feature::PackedDot],
        workgroup_bytes: 6144,
        uniform: &[
            UniformField { name: "n_chunk", offset: 0, size: 4 },
            UniformField { name: "n_unit", offset: 4, size: 4 },
            UniformField { name: "n_group", offset: 8, size: 4 },
            UniformField { name: "n_rows", offset: 12, size: 4 },
            UniformField { name: "row0", offset: 16, size: 4 },
            UniformField { name: "y_stride", offset: 20, size: 4 },
            UniformField { name: "count_from", offset: 24, size: 4 },
            UniformField { name: "max_rows", offset: 28, size: 4 },
            UniformField { name: "act", offset: 32, size: 4 },
            UniformField { name: "flags", offset: 36, size: 4 },
            UniformField { name: "softcap", offset: 40, size: 4 },
        ],
        wgsl: r"requires packed_4x8_integer_dot_product;
struct Chunk {
 v0: vec4<f32>,
 v1: vec4<f32>,
 v2: vec4<f32>,
 v3: vec4<f32>,
 v4: vec4<f32>,
 v5: vec4<f32>,
 v6: vec4<f32>,
 v7: vec4<f32>,
}
struct Coded {
 q: Chunk,
 s: vec4<f32>,
}
fn quants(g: u32, c: u32, r: u32, n_word: u32, word: u32) -> vec4<u32> {
 return wq[((g * p.n_chunk + c) * n_word + word) * 8u + r];
}
fn scale_word(g: u32, unit: u32, r: u32, n_word: u32, word: u32) -> u32 {
 return ws[((g * p.n_unit + unit) * n_word + word) * 8u + r];
}
fn nibbles(w: u32) -> vec4<u32> {
 return (vec4<u32>(w) >> vec4<u32>(0u, 8u, 16u, 24u)) & vec4<u32>(15u);
}
fn five(w: u32, bits: u32) -> vec4<f32> {
 return vec4<f32>(nibbles(w) | (((vec4<u32>(bits) >> vec4<u32>(0u, 1u, 2u, 3u)) & vec4<u32>(1u)) << vec4<u32>(4u)));
}
fn five_chunk(q: vec4<u32>, bits: u32) -> Chunk {
 let h = q >> vec4<u32>(4u);
 return Chunk(five(q.x, bits), five(q.y, bits >> 4u), five(q.z, bits >> 8u), five(q.w, bits >> 12u),
  five(h.x, bits >> 16u), five(h.y, bits >> 20u), five(h.z, bits >> 24u), five(h.w, bits >> 28u));
}
fn half(h: u32) -> f32 {
 let m = h & 0x7fffu;
 let rebias = select(0x38000000u, 0x70000000u, m >= 0x7c00u);
 let v = select(bitcast<f32>((m << 13u) + rebias), f32(m) * 0x1p-24f, m < 0x400u);
 return bitcast<f32>(bitcast<u32>(v) | ((h & 0x8000u) << 16u));
}
fn half2(w: u32) -> vec2<f32> {
 return vec2<f32>(half(w & 0xffffu), half(w >> 16u));
}
fn coded(g: u32, c: u32, r: u32) -> Coded {
 let s = half2(scale_word(g, c, r, 2u, 0u));
 return Coded(five_chunk(quants(g, c, r, 1u, 0u), scale_word(g, c, r, 2u, 1u)), s.xxyy);
}
const OFFSETS = true;
const TWO_SCALES = false;
fn soft_tanh(v: f32) -> f32 {
 let e = exp(-2.0 * min(abs(v), 15.0));
 return sign(v) * ((1.0 - e) / (1.0 + e));
}
fn silu(v: f32) -> f32 {
 return v / (1.0 + exp(clamp(-v, -80.0, 80.0)));
}
fn gelu_tanh(v: f32) -> f32 {
 return 0.5 * v * (1.0 + soft_tanh(0.7978845608 * (v + 0.044715 * v * v * v)));
}
fn activate(kind: u32, v: f32) -> f32 {
 if (kind == 1u) {
  return silu(v);
 }
 if (kind == 2u) {
  return gelu_tanh(v);
 }
 return v;
}
const ADD = 1u;
const BIAS = 2u;
const SOFTCAP = 4u;
fn store(sum: f32, row: u32, at: u32) {
 var v = sum;
 if ((p.flags & BIAS) != 0u) {
  v += bias[row];
 }
 v = activate(p.act, v);
 if ((p.flags & SOFTCAP) != 0u) {
  v = p.softcap * soft_tanh(v / p.softcap);
 }
 if ((p.flags & ADD) != 0u) {
  v += y[at];
 }
 y[at] = v;
}
struct Row {
 token: u32,
 pos: u32,
 cell: u32,
 table: u32,
 base: u32,
 lo: u32,
 hi: u32,
 lo_swa: u32,
 tree: u32,
 ancestors_lo: u32,
 ancestors_hi: u32,
 seq: u32,
 mix_start: u32,
 mix_len: u32,
 reserved0: u32,
 reserved1: u32,
}
struct Step {
 n_rows: u32,
 n_want: u32,
 seed_lo: u32,
 seed_hi: u32,
 window: u32,
 n_out: u32,
 reserved: array<u32, 10>,
 want: array<u32, 16>,
 rows: array<Row>,
}
struct P {
 n_chunk: u32,
 n_unit: u32,
 n_group: u32,
 n_rows: u32,
 row0: u32,
 y_stride: u32,
 count_from: u32,
 max_rows: u32,
 act: u32,
 flags: u32,
 softcap: f32,
}
@group(0) @binding(0) var<storage, read> wq: array<vec4<u32>>;
@group(0) @binding(1) var<storage, read> ws: array<u32>;
@group(0) @binding(2) var<storage, read> x: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read> bias: array<f32>;
@group(0) @binding(4) var<storage, read_write> y: array<f32>;
@group(0) @binding(5) var<storage, read> step: Step;
@group(0) @binding(6) var<uniform> p: P;
fn column_count() -> u32 {
 return min(select(step.n_rows, step.n_want, p.count_from == 1u), p.max_rows);
}
struct Packed {
 lo: vec4<u32>,
 hi: vec4<u32>,
}
fn nibble_bytes(q: vec4<u32>) -> Packed {
 let mask = vec4<u32>(0x0f0f0f0fu);
 return Packed(q & mask, (q >> vec4<u32>(4u)) & mask);
}
fn fifth_bits(bits: vec4<u32>) -> vec4<u32> {
 return ((bits & vec4<u32>(1u)) << vec4<u32>(4u)) | ((bits & vec4<u32>(2u)) << vec4<u32>(11u))
  | ((bits & vec4<u32>(4u)) << vec4<u32>(18u)) | ((bits & vec4<u32>(8u)) << vec4<u32>(25u));
}
fn five_bytes(q: vec4<u32>, bits: u32) -> Packed {
 let low = nibble_bytes(q);
 let shifts = vec4<u32>(0u, 4u, 8u, 12u);
 return Packed(low.lo | fifth_bits(vec4<u32>(bits) >> shifts),
  low.hi | fifth_bits(vec4<u32>(bits >> 16u) >> shifts));
}
fn packed(g: u32, c: u32, r: u32) -> Packed {
        {
  return five_bytes(quants(g, c, r, 1u, 0u), scale_word(g, c, r, 2u, 1u));
 }
}
const STEPS = 1u;
alias Sixteen = vec4<u32>;
struct Strip {
 lo: Sixteen,
 hi: Sixteen,
 s: vec4<f32>,
}
struct Block {
 lo0: Sixteen,
 lo1: Sixteen,
 lo2: Sixteen,
 lo3: Sixteen,
 hi0: Sixteen,
 hi1: Sixteen,
 hi2: Sixteen,
 hi3: Sixteen,
 scale: vec4<f32>,
 total_lo: vec4<f32>,
 total_hi: vec4<f32>,
}
var<workgroup> w_tile: array<Sixteen, 128>;
var<workgroup> w_scales: array<vec4<f32>, 64>;
var<workgroup> x_tile: array<Sixteen, 128>;
var<workgroup> x_scales: array<vec4<f32>, 64>;
fn put_w(t: u32, g: u32, c: u32) {
 w_scales[t] = coded(g, c, t % 8u).s;
 let q = packed(g, c, t % 8u);
 w_tile[t] = q.lo;
 w_tile[t + 64u] = q.hi;
}
fn magnitudes(v: vec4<f32>) -> vec4<u32> {
 return bitcast<vec4<u32>>(v) & vec4<u32>(0x7fffffffu);
}
fn largest(v: Chunk) -> u32 {
 let m = max(max(max(magnitudes(v.v0), magnitudes(v.v1)), max(magnitudes(v.v2), magnitudes(v.v3))),
  max(max(magnitudes(v.v4), magnitudes(v.v5)), max(magnitudes(v.v6), magnitudes(v.v7))));
 return max(max(m.x, m.y), max(m.z, m.w));
}
fn bytes(v: vec4<f32>, inverse: f32) -> u32 {
 return pack4xI8(vec4<i32>(round(v * inverse)));
}
fn total(q: vec4<u32>) -> f32 {
 let ones = vec4<u32>(0x01010101u);
 return f32(dot16(q, ones));
}
fn put_x(t: u32, at: u32) {
 let v = Chunk(x[at], x[at + 1u], x[at + 2u], x[at + 3u], x[at + 4u], x[at + 5u], x[at + 6u], x[at + 7u]);
 let most = largest(v);
 let exponent = most >> 23u;
 let usable = exponent >= 16u && exponent < 245u;
 let steps = f32((127u << 16u) / (((most >> 16u) & 0x7fu) + 129u));
 let inverse = select(0.0, steps * bitcast<f32>((245u - min(exponent, 245u)) << 23u), usable);
 let scale = select(bitcast<f32>(most), 1.0 / inverse, usable);
 let lo = vec4<u32>(bytes(v.v0, inverse), bytes(v.v1, inverse), bytes(v.v2, inverse), bytes(v.v3, inverse));
 let hi = vec4<u32>(bytes(v.v4, inverse), bytes(v.v5, inverse), bytes(v.v6, inverse), bytes(v.v7, inverse));
 x_tile[t] = lo;
 x_tile[t + 64u] = hi;
 x_scales[t] = vec4<f32>(scale, scale * total(lo), scale * total(hi), 0.0);
}
fn row(a: u32, i: u32, j: u32) -> Strip {
 let at = a + 8u * i + j;
 return Strip(w_tile[at], w_tile[at + 64u], w_scales[at]);
}
fn block(b: u32, part: u32, j: u32) -> Block {
 let at = b + 32u * part + j;
 let s = mat4x4<f32>(x_scales[at], x_scales[at + 8u], x_scales[at + 16u], x_scales[at + 24u]);
 let by_kind = transpose(s);
 return Block(x_tile[at], x_tile[at + 8u], x_tile[at + 16u], x_tile[at + 24u],
  x_tile[at + 64u], x_tile[at + 72u], x_tile[at + 80u], x_tile[at + 88u], by_kind[0], by_kind[1], by_kind[2]);
}
fn dot16(a: vec4<u32>, b: vec4<u32>) -> i32 {
 return dot4I8Packed(a.x, b.x) + dot4I8Packed(a.y, b.y) + dot4I8Packed(a.z, b.z) + dot4I8Packed(a.w, b.w);
}
fn product(w: Strip, v: Block) -> vec4<f32> {
 let lo = vec4<i32>(dot16(w.lo, v.lo0), dot16(w.lo, v.lo1), dot16(w.lo, v.lo2), dot16(w.lo, v.lo3));
 let hi = vec4<i32>(dot16(w.hi, v.hi0), dot16(w.hi, v.hi1), dot16(w.hi, v.hi2), dot16(w.hi, v.hi3));
 var sum: vec4<f32>;
 if (TWO_SCALES) {
  sum = v.scale * (w.s.x * vec4<f32>(lo) + w.s.y * vec4<f32>(hi));
 } else {
  sum = (v.scale * w.s.x) * vec4<f32>(lo + hi);
 }
 if (OFFSETS) {
  sum += w.s.z * v.total_lo + w.s.w * v.total_hi;
 }
 return sum;
}
fn write(sums: vec4<f32>, row: u32, m0: u32, n: u32) {
 for (var i = 0u; i < 4u; i++) {
  let m = m0 + 8u * i;
  if (m < n) {
   store(sums[i], p.row0 + row, m * p.y_stride + p.row0 + row);
  }
 }
}
@compute @workgroup_size(64)
fn main(@builtin(local_invocation_index) t: u32, @builtin(workgroup_id) wg: vec3<u32>) {
 let n = column_count();
 let m0 = wg.y * 64u;
 if (m0 >= n) {
  return;
 }
 let wide = m0 + 32u < n;
 let g = min(wg.x * 8u + t / 8u, p.n_group - 1u);
 let x0 = min(m0 + t, n - 1u) * p.n_chunk * 8u;
 let a = t % 8u;
 let b = t / 8u;
 var l0 = vec4<f32>();
 var l1 = vec4<f32>();
 var l2 = vec4<f32>();
 var l3 = vec4<f32>();
 var l4 = vec4<f32>();
 var l5 = vec4<f32>();
 var l6 = vec4<f32>();
 var l7 = vec4<f32>();
 var h0 = vec4<f32>();
 var h1 = vec4<f32>();
 var h2 = vec4<f32>();
 var h3 = vec4<f32>();
 var h4 = vec4<f32>();
 var h5 = vec4<f32>();
 var h6 = vec4<f32>();
 var h7 = vec4<f32>();
 for (var c = 0u; c < p.n_chunk; c++) {
  put_w(t, g, c);
  put_x(t, x0 + c * 8u);
  workgroupBarrier();
  for (var j = 0u; j < STEPS; j++) {
   let w0 = row(a, 0u, j);
   let w1 = row(a, 1u, j);
   let w2 = row(a, 2u, j);
   let w3 = row(a, 3u, j);
   let w4 = row(a, 4u, j);
   let w5 = row(a, 5u, j);
   let w6 = row(a, 6u, j);
   let w7 = row(a, 7u, j);
   let lo = block(b, 0u, j);
   l0 += product(w0, lo);
   l1 += product(w1, lo);
   l2 += product(w2, lo);
   l3 += product(w3, lo);
   l4 += product(w4, lo);
   l5 += product(w5, lo);
   l6 += product(w6, lo);
   l7 += product(w7, lo);
   if (wide) {
    let hi = block(b, 1u, j);
    h0 += product(w0, hi);
    h1 += product(w1, hi);
    h2 += product(w2, hi);
    h3 += product(w3, hi);
    h4 += product(w4, hi);
    h5 += product(w5, hi);
    h6 += product(w6, hi);
    h7 += product(w7, hi);
   }
  }
  workgroupBarrier();
 }
     {
  let sums = array<vec4<f32>, 16>(l0, l1, l2, l3, l4, l5, l6, l7, h0, h1, h2, h3, h4, h5, h6, h7);
  for (var i = 0u; i < 8u; i++) {
   let n_row = wg.x * 64u + a + 8u * i;
   if (n_row < p.n_rows) {
    write(sums[i], n_row, m0 + b, n);
    write(sums[i + 8u], n_row, m0 + b + 32u, n);
   }
  }
 }
}
",
    },
    Shader {
        name: "matmul_tile_q5k",
        kernel: "matmul_tile",
        workgroup_size: [64, 1, 1],
        bindings: &[
            Binding { index: 0, name: "wq", kind: BindingKind::Read, min_size: 16 },
            Binding { index: 1, name: "ws", kind: BindingKind::Read, min_size: 4 },
            Binding { index: 2, name: "x", kind: BindingKind::Read, min_size: 16 },
            Binding { index: 3, name: "bias", kind: BindingKind::Read, min_size: 4 },
            Binding { index: 4, name: "y", kind: BindingKind::ReadWrite, min_size: 4 },
            Binding { index: 5, name: "step", kind: BindingKind::Read, min_size: 192 },
            Binding { index: 6, name: "p", kind: BindingKind::Uniform, min_size: 44 },
        ],
        overrides: &[],
        needs: &[],
        workgroup_bytes: 16384,
        uniform: &[
            UniformField { name: "n_chunk", offset: 0, size: 4 },
            UniformField { name: "n_unit", offset: 4, size: 4 },
            UniformField { name: "n_group", offset: 8, size: 4 },
            UniformField { name: "n_rows", offset: 12, size: 4 },
            UniformField { name: "row0", offset: 16, size: 4 },
            UniformField { name: "y_stride", offset: 20, size: 4 },
            UniformField { name: "count_from", offset: 24, size: 4 },
            UniformField { name: "max_rows", offset: 28, size: 4 },
            UniformField { name: "act", offset: 32, size: 4 },
            UniformField { name: "flags", offset: 36, size: 4 },
            UniformField { name: "softcap", offset: 40, size: 4 },
        ],
        wgsl: r"struct Chunk {
 v0: vec4<f32>,
 v1: vec4<f32>,
 v2: vec4<f32>,
 v3: vec4<f32>,
 v4: vec4<f32>,
 v5: vec4<f32>,
 v6: vec4<f32>,
 v7: vec4<f32>,
}
struct Coded {
 q: Chunk,
 s: vec4<f32>,
}
fn chunk_affine(q: Chunk, s: vec4<f32>) -> Chunk {
 let lo = vec4<f32>(s.z);
 let hi = vec4<f32>(s.w);
 return Chunk(q.v0 * s.x + lo, q.v1 * s.x + lo, q.v2 * s.x + lo, q.v3 * s.x + lo,
  q.v4 * s.y + hi, q.v5 * s.y + hi, q.v6 * s.y + hi, q.v7 * s.y + hi);
}
fn quants(g: u32, c: u32, r: u32, n_word: u32, word: u32) -> vec4<u32> {
 return wq[((g * p.n_chunk + c) * n_word + word) * 8u + r];
}
fn scale_word(g: u32, unit: u32, r: u32, n_word: u32, word: u32) -> u32 {
 return ws[((g * p.n_unit + unit) * n_word + word) * 8u + r];
}
fn nibbles(w: u32) -> vec4<u32> {
 return (vec4<u32>(w) >> vec4<u32>(0u, 8u, 16u, 24u)) & vec4<u32>(15u);
}
fn five(w: u32, bits: u32) -> vec4<f32> {
 return vec4<f32>(nibbles(w) | (((vec4<u32>(bits) >> vec4<u32>(0u, 1u, 2u, 3u)) & vec4<u32>(1u)) << vec4<u32>(4u)));
}
fn five_chunk(q: vec4<u32>, bits: u32) -> Chunk {
 let h = q >> vec4<u32>(4u);
 return Chunk(five(q.x, bits), five(q.y, bits >> 4u), five(q.z, bits >> 8u), five(q.w, bits >> 12u),
  five(h.x, bits >> 16u), five(h.y, bits >> 20u), five(h.z, bits >> 24u), five(h.w, bits >> 28u));
}
fn half(h: u32) -> f32 {
 let m = h & 0x7fffu;
 let rebias = select(0x38000000u, 0x70000000u, m >= 0x7c00u);
 let v = select(bitcast<f32>((m << 13u) + rebias), f32(m) * 0x1p-24f, m < 0x400u);
 return bitcast<f32>(bitcast<u32>(v) | ((h & 0x8000u) << 16u));
}
fn half2(w: u32) -> vec2<f32> {
 return vec2<f32>(half(w & 0xffffu), half(w >> 16u));
}
fn scale_min(g: u32, c: u32, r: u32, n_word: u32) -> vec4<f32> {
 let d = half2(scale_word(g, c / 8u, r, n_word, 0u));
 let f = scale_word(g, c / 8u, r, n_word, 1u + (c % 8u) / 2u) >> (16u * (c % 2u));
 let s = d * vec2<f32>(f32(f & 255u), f32((f >> 8u) & 255u));
 return vec4<f32>(s.x, s.x, -s.y, -s.y);
}
fn coded(g: u32, c: u32, r: u32) -> Coded {
 let bits = scale_word(g, c / 8u, r, 13u, 5u + c % 8u);
 return Coded(five_chunk(quants(g, c, r, 1u, 0u), bits), scale_min(g, c, r, 13u));
}
fn dequant(g: u32, c: u32, r: u32) -> Chunk {
 let w = coded(g, c, r);
                                     {
  return chunk_affine(w.q, w.s);
 }
}
fn soft_tanh(v: f32) -> f32 {
 let e = exp(-2.0 * min(abs(v), 15.0));
 return sign(v) * ((1.0 - e) / (1.0 + e));
}
fn silu(v: f32) -> f32 {
 return v / (1.0 + exp(clamp(-v, -80.0, 80.0)));
}
fn gelu_tanh(v: f32) -> f32 {
 return 0.5 * v * (1.0 + soft_tanh(0.7978845608 * (v + 0.044715 * v * v * v)));
}
fn activate(kind: u32, v: f32) -> f32 {
 if (kind == 1u) {
  return silu(v);
 }
 if (kind == 2u) {
  return gelu_tanh(v);
 }
 return v;
}
const ADD = 1u;
const BIAS = 2u;
const SOFTCAP = 4u;
fn store(sum: f32, row: u32, at: u32) {
 var v = sum;
 if ((p.flags & BIAS) != 0u) {
  v += bias[row];
 }
 v = activate(p.act, v);
 if ((p.flags & SOFTCAP) != 0u) {
  v = p.softcap * soft_tanh(v / p.softcap);
 }
 if ((p.flags & ADD) != 0u) {
  v += y[at];
 }
 y[at] = v;
}
struct Row {
 token: u32,
 pos: u32,
 cell: u32,
 table: u32,
 base: u32,
 lo: u32,
 hi: u32,
 lo_swa: u32,
 tree: u32,
 ancestors_lo: u32,
 ancestors_hi: u32,
 seq: u32,
 mix_start: u32,
 mix_len: u32,
 reserved0: u32,
 reserved1: u32,
}
struct Step {
 n_rows: u32,
 n_want: u32,
 seed_lo: u32,
 seed_hi: u32,
 window: u32,
 n_out: u32,
 reserved: array<u32, 10>,
 want: array<u32, 16>,
 rows: array<Row>,
}
struct P {
 n_chunk: u32,
 n_unit: u32,
 n_group: u32,
 n_rows: u32,
 row0: u32,
 y_stride: u32,
 count_from: u32,
 max_rows: u32,
 act: u32,
 flags: u32,
 softcap: f32,
}
@group(0) @binding(0) var<storage, read> wq: array<vec4<u32>>;
@group(0) @binding(1) var<storage, read> ws: array<u32>;
@group(0) @binding(2) var<storage, read> x: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read> bias: array<f32>;
@group(0) @binding(4) var<storage, read_write> y: array<f32>;
@group(0) @binding(5) var<storage, read> step: Step;
@group(0) @binding(6) var<uniform> p: P;
fn column_count() -> u32 {
 return min(select(step.n_rows, step.n_want, p.count_from == 1u), p.max_rows);
}
const STEPS = 8u;
alias Strip = vec4<f32>;
alias Block = mat4x4<f32>;
var<workgroup> w_tile: array<vec4<f32>, 512>;
var<workgroup> x_tile: array<vec4<f32>, 512>;
fn put_w(t: u32, g: u32, c: u32) {
 let v = dequant(g, c, t % 8u);
 let at = t * 8u;
 let s = t % 8u;
 w_tile[at + s] = v.v0;
 w_tile[at + (s ^ 1u)] = v.v1;
 w_tile[at + (s ^ 2u)] = v.v2;
 w_tile[at + (s ^ 3u)] = v.v3;
 w_tile[at + (s ^ 4u)] = v.v4;
 w_tile[at + (s ^ 5u)] = v.v5;
 w_tile[at + (s ^ 6u)] = v.v6;
 w_tile[at + (s ^ 7u)] = v.v7;
}
fn put_x(t: u32, from_word: u32) {
 for (var j = 0u; j < 8u; j++) {
  x_tile[t * 8u + (j ^ (t % 8u))] = x[from_word + j];
 }
}
fn row(a: u32, i: u32, j: u32) -> Strip {
 return w_tile[a * 8u + (j ^ a) + 64u * i];
}
fn block(b: u32, part: u32, j: u32) -> Block {
 let at = (b + 32u * part) * 8u + (j ^ b);
 return mat4x4<f32>(x_tile[at], x_tile[at + 64u], x_tile[at + 128u], x_tile[at + 192u]);
}
fn product(w: Strip, v: Block) -> vec4<f32> {
 return w * v;
}
fn write(sums: vec4<f32>, row: u32, m0: u32, n: u32) {
 for (var i = 0u; i < 4u; i++) {
  let m = m0 + 8u * i;
  if (m < n) {
   store(sums[i], p.row0 + row, m * p.y_stride + p.row0 + row);
  }
 }
}
@compute @workgroup_size(64)
fn main(@builtin(local_invocation_index) t: u32, @builtin(workgroup_id) wg: vec3<u32>) {
 let n = column_count();
 let m0 = wg.y * 64u;
 if (m0 >= n) {
  return;
 }
 let wide = m0 + 32u < n;
 let g = min(wg.x * 8u + t / 8u, p.n_group - 1u);
 let x0 = min(m0 + t, n - 1u) * p.n_chunk * 8u;
 let a = t % 8u;
 let b = t / 8u;
 var l0 = vec4<f32>();
 var l1 = vec4<f32>();
 var l2 = vec4<f32>();
 var l3 = vec4<f32>();
 var l4 = vec4<f32>();
 var l5 = vec4<f32>();
 var l6 = vec4<f32>();
 var l7 = vec4<f32>();
 var h0 = vec4<f32>();
 var h1 = vec4<f32>();
 var h2 = vec4<f32>();
 var h3 = vec4<f32>();
 var h4 = vec4<f32>();
 var h5 = vec4<f32>();
 var h6 = vec4<f32>();
 var h7 = vec4<f32>();
 for (var c = 0u; c < p.n_chunk; c++) {
  put_w(t, g, c);
  put_x(t, x0 + c * 8u);
  workgroupBarrier();
  for (var j = 0u; j < STEPS; j++) {
   let w0 = row(a, 0u, j);
   let w1 = row(a, 1u, j);
   let w2 = row(a, 2u, j);
   let w3 = row(a, 3u, j);
   let w4 = row(a, 4u, j);
   let w5 = row(a, 5u, j);
   let w6 = row(a, 6u, j);
   let w7 = row(a, 7u, j);
   let lo = block(b, 0u, j);
   l0 += product(w0, lo);
   l1 += product(w1, lo);
   l2 += product(w2, lo);
   l3 += product(w3, lo);
   l4 += product(w4, lo);
   l5 += product(w5, lo);
   l6 += product(w6, lo);
   l7 += product(w7, lo);
   if (wide) {
    let hi = block(b, 1u, j);
    h0 += product(w0, hi);
    h1 += product(w1, hi);
    h2 += product(w2, hi);
    h3 += product(w3, hi);
    h4 += product(w4, hi);
    h5 += product(w5, hi);
    h6 += product(w6, hi);
    h7 += product(w7, hi);
   }
  }
  workgroupBarrier();
 }
      {
  let own = a * 8u + (b ^ a);
  w_tile[own] = l0;
  w_tile[own + 64u] = l1;
  w_tile[own + 128u] = l2;
  w_tile[own + 192u] = l3;
  w_tile[own + 256u] = l4;
  w_tile[own + 320u] = l5;
  w_tile[own + 384u] = l6;
  w_tile[own + 448u] = l7;
  x_tile[own] = h0;
  x_tile[own + 64u] = h1;
  x_tile[own + 128u] = h2;
  x_tile[own + 192u] = h3;
  x_tile[own + 256u] = h4;
  x_tile[own + 320u] = h5;
  x_tile[own + 384u] = h6;
  x_tile[own + 448u] = h7;
  workgroupBarrier();
  let n_row = wg.x * 64u + t;
  if (n_row >= p.n_rows) {
   return;
  }
  for (var c = 0u; c < 8u; c++) {
   let at = t * 8u + (c ^ (t % 8u));
   write(w_tile[at], n_row, m0 + c, n);
   write(x_tile[at], n_row, m0 + c + 32u, n);
  }
 }
}
",
    },
    Shader {
        name: "matmul_tile_q5k_dot",
        kernel: "matmul_tile",
        workgroup_size: [64, 1, 1],
        bindings: &[
            Binding { index: 0, name: "wq", kind: BindingKind::Read, min_size: 16 },
            Binding { index: 1, name: "ws", kind: BindingKind::Read, min_size: 4 },
            Binding { index: 2, name: "x", kind: BindingKind::Read, min_size: 16 },
            Binding { index: 3, name: "bias", kind: BindingKind::Read, min_size: 4 },
            Binding { index: 4, name: "y", kind: BindingKind::ReadWrite, min_size: 4 },
            Binding { index: 5, name: "step", kind: BindingKind::Read, min_size: 192 },
            Binding { index: 6, name: "p", kind: BindingKind::Uniform, min_size: 44 },
        ],
        overrides: &[],
        needs: &[Feature::PackedDot],
        workgroup_bytes: 6144,
        uniform: &[
            UniformField { name: "n_chunk", offset: 0, size: 4 },
            UniformField { name: "n_unit", offset: 4, size: 4 },
            UniformField { name: "n_group", offset: 8, size: 4 },
            UniformField { name: "n_rows", offset: 12, size: 4 },
            UniformField { name: "row0", offset: 16, size: 4 },
            UniformField { name: "y_stride", offset: 20, size: 4 },
            UniformField { name: "count_from", offset: 24, size: 4 },
            UniformField { name: "max_rows", offset: 28, size: 4 },
            UniformField { name: "act", offset: 32, size: 4 },
            UniformField { name: "flags", offset: 36, size: 4 },
            UniformField { name: "softcap", offset: 40, size: 4 },
        ],
        wgsl: r"requires packed_4x8_integer_dot_product;
struct Chunk {
 v0: vec4<f32>,
 v1: vec4<f32>,
 v2: vec4<f32>,
 v3: vec4<f32>,
 v4: vec4<f32>,
 v5: vec4<f32>,
 v6: vec4<f32>,
 v7: vec4<f32>,
}
struct Coded {
 q: Chunk,
 s: vec4<f32>,
}
fn quants(g: u32, c: u32, r: u32, n_word: u32, word: u32) -> vec4<u32> {
 return wq[((g * p.n_chunk + c) * n_word + word) * 8u + r];
}
fn scale_word(g: u32, unit: u32, r: u32, n_word: u32, word: u32) -> u32 {
 return ws[((g * p.n_unit + unit) * n_word + word) * 8u + r];
}
fn nibbles(w: u32) -> vec4<u32> {
 return (vec4<u32>(w) >> vec4<u32>(0u, 8u, 16u, 24u)) & vec4<u32>(15u);
}
fn five(w: u32, bits: u32) -> vec4<f32> {
 return vec4<f32>(nibbles(w) | (((vec4<u32>(bits) >> vec4<u32>(0u, 1u, 2u, 3u)) & vec4<u32>(1u)) << vec4<u32>(4u)));
}
fn five_chunk(q: vec4<u32>, bits: u32) -> Chunk {
 let h = q >> vec4<u32>(4u);
 return Chunk(five(q.x, bits), five(q.y, bits >> 4u), five(q.z, bits >> 8u), five(q.w, bits >> 12u),
  five(h.x, bits >> 16u), five(h.y, bits >> 20u), five(h.z, bits >> 24u), five(h.w, bits >> 28u));
}
fn half(h: u32) -> f32 {
 let m = h & 0x7fffu;
 let rebias = select(0x38000000u, 0x70000000u, m >= 0x7c00u);
 let v = select(bitcast<f32>((m << 13u) + rebias), f32(m) * 0x1p-24f, m < 0x400u);
 return bitcast<f32>(bitcast<u32>(v) | ((h & 0x8000u) << 16u));
}
fn half2(w: u32) -> vec2<f32> {
 return vec2<f32>(half(w & 0xffffu), half(w >> 16u));
}
fn scale_min(g: u32, c: u32, r: u32, n_word: u32) -> vec4<f32> {
 let d = half2(scale_word(g, c / 8u, r, n_word, 0u));
 let f = scale_word(g, c / 8u, r, n_word, 1u + (c % 8u) / 2u) >> (16u * (c % 2u));
 let s = d * vec2<f32>(f32(f & 255u), f32((f >> 8u) & 255u));
 return vec4<f32>(s.x, s.x, -s.y, -s.y);
}
fn coded(g: u32, c: u32, r: u32) -> Coded {
 let bits = scale_word(g, c / 8u, r, 13u, 5u + c % 8u);
 return Coded(five_chunk(quants(g, c, r, 1u, 0u), bits), scale_min(g, c, r, 13u));
}
const OFFSETS = true;
const TWO_SCALES = false;
fn soft_tanh(v: f32) -> f32 {
 let e = exp(-2.0 * min(abs(v), 15.0));
 return sign(v) * ((1.0 - e) / (1.0 + e));
}
fn silu(v: f32) -> f32 {
 return v / (1.0 + exp(clamp(-v, -80.0, 80.0)));
}
fn gelu_tanh(v: f32) -> f32 {
 return 0.5 * v * (1.0 + soft_tanh(0.7978845608 * (v + 0.044715 * v * v * v)));
}
fn activate(kind: u32, v: f32) -> f32 {
 if (kind == 1u) {
  return silu(v);
 }
 if (kind == 2u) {
  return gelu_tanh(v);
 }
 return v;
}
const ADD = 1u;
const BIAS = 2u;
const SOFTCAP = 4u;
fn store(sum: f32, row: u32, at: u32) {
 var v = sum;
 if ((p.flags & BIAS) != 0u) {
  v += bias[row];
 }
 v = activate(p.act, v);
 if ((p.flags & SOFTCAP) != 0u) {
  v = p.softcap * soft_tanh(v / p.softcap);
 }
 if ((p.flags & ADD) != 0u) {
  v += y[at];
 }
 y[at] = v;
}
struct Row {
 token: u32,
 pos: u32,
 cell: u32,
 table: u32,
 base: u32,
 lo: u32,
 hi: u32,
 lo_swa: u32,
 tree: u32,
 ancestors_lo: u32,
 ancestors_hi: u32,
 seq: u32,
 mix_start: u32,
 mix_len: u32,
 reserved0: u32,
 reserved1: u32,
}
struct Step {
 n_rows: u32,
 n_want: u32,
 seed_lo: u32,
 seed_hi: u32,
 window: u32,
 n_out: u32,
 reserved: array<u32, 10>,
 want: array<u32, 16>,
 rows: array<Row>,
}
struct P {
 n_chunk: u32,
 n_unit: u32,
 n_group: u32,
 n_rows: u32,
 row0: u32,
 y_stride: u32,
 count_from: u32,
 max_rows: u32,
 act: u32,
 flags: u32,
 softcap: f32,
}
@group(0) @binding(0) var<storage, read> wq: array<vec4<u32>>;
@group(0) @binding(1) var<storage, read> ws: array<u32>;
@group(0) @binding(2) var<storage, read> x: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read> bias: array<f32>;
@group(0) @binding(4) var<storage, read_write> y: array<f32>;
@group(0) @binding(5) var<storage, read> step: Step;
@group(0) @binding(6) var<uniform> p: P;
fn column_count() -> u32 {
 return min(select(step.n_rows, step.n_want, p.count_from == 1u), p.max_rows);
}
struct Packed {
 lo: vec4<u32>,
 hi: vec4<u32>,
}
fn nibble_bytes(q: vec4<u32>) -> Packed {
 let mask = vec4<u32>(0x0f0f0f0fu);
 return Packed(q & mask, (q >> vec4<u32>(4u)) & mask);
}
fn fifth_bits(bits: vec4<u32>) -> vec4<u32> {
 return ((bits & vec4<u32>(1u)) << vec4<u32>(4u)) | ((bits & vec4<u32>(2u)) << vec4<u32>(11u))
  | ((bits & vec4<u32>(4u)) << vec4<u32>(18u)) | ((bits & vec4<u32>(8u)) << vec4<u32>(25u));
}
fn five_bytes(q: vec4<u32>, bits: u32) -> Packed {
 let low = nibble_bytes(q);
 let shifts = vec4<u32>(0u, 4u, 8u, 12u);
 return Packed(low.lo | fifth_bits(vec4<u32>(bits) >> shifts),
  low.hi | fifth_bits(vec4<u32>(bits >> 16u) >> shifts));
}
fn packed(g: u32, c: u32, r: u32) -> Packed {
         {
  return five_bytes(quants(g, c, r, 1u, 0u), scale_word(g, c / 8u, r, 13u, 5u + c % 8u));
 }
}
const STEPS = 1u;
alias Sixteen = vec4<u32>;
struct Strip {
 lo: Sixteen,
 hi: Sixteen,
 s: vec4<f32>,
}
struct Block {
 lo0: Sixteen,
 lo1: Sixteen,
 lo2: Sixteen,
 lo3: Sixteen,
 hi0: Sixteen,
 hi1: Sixteen,
 hi2: Sixteen,
 hi3: Sixteen,
 scale: vec4<f32>,
 total_lo: vec4<f32>,
 total_hi: vec4<f32>,
}
var<workgroup> w_tile: array<Sixteen, 128>;
var<workgroup> w_scales: array<vec4<f32>, 64>;
var<workgroup> x_tile: array<Sixteen, 128>;
var<workgroup> x_scales: array<vec4<f32>, 64>;
fn put_w(t: u32, g: u32, c: u32) {
 w_scales[t] = coded(g, c, t % 8u).s;
 let q = packed(g, c, t % 8u);
 w_tile[t] = q.lo;
 w_tile[t + 64u] = q.hi;
}
fn magnitudes(v: vec4<f32>) -> vec4<u32> {
 return bitcast<vec4<u32>>(v) & vec4<u32>(0x7fffffffu);
}
fn largest(v: Chunk) -> u32 {
 let m = max(max(max(magnitudes(v.v0), magnitudes(v.v1)), max(magnitudes(v.v2), magnitudes(v.v3))),
  max(max(magnitudes(v.v4), magnitudes(v.v5)), max(magnitudes(v.v6), magnitudes(v.v7))));
 return max(max(m.x, m.y), max(m.z, m.w));
}
fn bytes(v: vec4<f32>, inverse: f32) -> u32 {
 return pack4xI8(vec4<i32>(round(v * inverse)));
}
fn total(q: vec4<u32>) -> f32 {
 let ones = vec4<u32>(0x01010101u);
 return f32(dot16(q, ones));
}
fn put_x(t: u32, at: u32) {
 let v = Chunk(x[at], x[at + 1u], x[at + 2u], x[at + 3u], x[at + 4u], x[at + 5u], x[at + 6u], x[at + 7u]);
 let most = largest(v);
 let exponent = most >> 23u;
 let usable = exponent >= 16u && exponent < 245u;
 let steps = f32((127u << 16u) / (((most >> 16u) & 0x7fu) + 129u));
 let inverse = select(0.0, steps * bitcast<f32>((245u - min(exponent, 245u)) << 23u), usable);
 let scale = select(bitcast<f32>(most), 1.0 / inverse, usable);
 let lo = vec4<u32>(bytes(v.v0, inverse), bytes(v.v1, inverse), bytes(v.v2, inverse), bytes(v.v3, inverse));
 let hi = vec4<u32>(bytes(v.v4, inverse), bytes(v.v5, inverse), bytes(v.v6, inverse), bytes(v.v7, inverse));
 x_tile[t] = lo;
 x_tile[t + 64u] = hi;
 x_scales[t] = vec4<f32>(scale, scale * total(lo), scale * total(hi), 0.0);
}
fn row(a: u32, i: u32, j: u32) -> Strip {
 let at = a + 8u * i + j;
 return Strip(w_tile[at], w_tile[at + 64u], w_scales[at]);
}
fn block(b: u32, part: u32, j: u32) -> Block {
 let at = b + 32u * part + j;
 let s = mat4x4<f32>(x_scales[at], x_scales[at + 8u], x_scales[at + 16u], x_scales[at + 24u]);
 let by_kind = transpose(s);
 return Block(x_tile[at], x_tile[at + 8u], x_tile[at + 16u], x_tile[at + 24u],
  x_tile[at + 64u], x_tile[at + 72u], x_tile[at + 80u], x_tile[at + 88u], by_kind[0], by_kind[1], by_kind[2]);
}
fn dot16(a: vec4<u32>, b: vec4<u32>) -> i32 {
 return dot4I8Packed(a.x, b.x) + dot4I8Packed(a.y, b.y) + dot4I8Packed(a.z, b.z) + dot4I8Packed(a.w, b.w);
}
fn product(w: Strip, v: Block) -> vec4<f32> {
 let lo = vec4<i32>(dot16(w.lo, v.lo0), dot16(w.lo, v.lo1), dot16(w.lo, v.lo2), dot16(w.lo, v.lo3));
 let hi = vec4<i32>(dot16(w.hi, v.hi0), dot16(w.hi, v.hi1), dot16(w.hi, v.hi2), dot16(w.hi, v.hi3));
 var sum: vec4<f32>;
 if (TWO_SCALES) {
  sum = v.scale * (w.s.x * vec4<f32>(lo) + w.s.y * vec4<f32>(hi));
 } else {
  sum = (v.scale * w.s.x) * vec4<f32>(lo + hi);
 }
 if (OFFSETS) {
  sum += w.s.z * v.total_lo + w.s.w * v.total_hi;
 }
 return sum;
}
fn write(sums: vec4<f32>, row: u32, m0: u32, n: u32) {
 for (var i = 0u; i < 4u; i++) {
  let m = m0 + 8u * i;
  if (m < n) {
   store(sums[i], p.row0 + row, m * p.y_stride + p.row0 + row);
  }
 }
}
@compute @workgroup_size(64)
fn main(@builtin(local_invocation_index) t: u32, @builtin(workgroup_id) wg: vec3<u32>) {
 let n = column_count();
 let m0 = wg.y * 64u;
 if (m0 >= n) {
  return;
 }
 let wide = m0 + 32u < n;
 let g = min(wg.x * 8u + t / 8u, p.n_group - 1u);
 let x0 = min(m0 + t, n - 1u) * p.n_chunk * 8u;
 let a = t % 8u;
 let b = t / 8u;
 var l0 = vec4<f32>();
 var l1 = vec4<f32>();
 var l2 = vec4<f32>();
 var l3 = vec4<f32>();
 var l4 = vec4<f32>();
 var l5 = vec4<f32>();
 var l6 = vec4<f32>();
 var l7 = vec4<f32>();
 var h0 = vec4<f32>();
 var h1 = vec4<f32>();
 var h2 = vec4<f32>();
 var h3 = vec4<f32>();
 var h4 = vec4<f32>();
 var h5 = vec4<f32>();
 var h6 = vec4<f32>();
 var h7 = vec4<f32>();
 for (var c = 0u; c < p.n_chunk; c++) {
  put_w(t, g, c);
  put_x(t, x0 + c * 8u);
  workgroupBarrier();
  for (var j = 0u; j < STEPS; j++) {
   let w0 = row(a, 0u, j);
   let w1 = row(a, 1u, j);
   let w2 = row(a, 2u, j);
   let w3 = row(a, 3u, j);
   let w4 = row(a, 4u, j);
   let w5 = row(a, 5u, j);
   let w6 = row(a, 6u, j);
   let w7 = row(a, 7u, j);
   let lo = block(b, 0u, j);
   l0 += product(w0, lo);
   l1 += product(w1, lo);
   l2 += product(w2, lo);
   l3 += product(w3, lo);
   l4 += product(w4, lo);
   l5 += product(w5, lo);
   l6 += product(w6, lo);
   l7 += product(w7, lo);
   if (wide) {
    let hi = block(b, 1u, j);
    h0 += product(w0, hi);
    h1 += product(w1, hi);
    h2 += product(w2, hi);
    h3 += product(w3, hi);
    h4 += product(w4, hi);
    h5 += product(w5, hi);
    h6 += product(w6, hi);
    h7 += product(w7, hi);
   }
  }
  workgroupBarrier();
 }
     {
  let sums = array<vec4<f32>, 16>(l0, l1, l2, l3, l4, l5, l6, l7, h0, h1, h2, h3, h4, h5, h6, h7);
  for (var i = 0u; i < 8u; i++) {
   let n_row = wg.x * 64u + a + 8u * i;
   if (n_row < p.n_rows) {
    write(sums[i], n_row, m0 + b, n);
    write(sums[i + 8u], n_row, m0 + b + 32u, n);
   }
  }
 }
}
",
    },
    Shader {
        name: "matmul_tile_q6k",
        kernel: "matmul_tile",
        workgroup_size: [64, 1, 1],
        bindings: &[
            Binding { index: 0, name: "wq", kind: BindingKind::Read, min_size: 16 },
            Binding { index: 1, name: "ws", kind: BindingKind::Read, min_size: 4 },
            Binding { index: 2, name: "x", kind: BindingKind::Read, min_size: 16 },
            Binding { index: 3, name: "bias", kind: BindingKind::Read, min_size: 4 },
            Binding { index: 4, name: "y", kind: BindingKind::ReadWrite, min_size: 4 },
            Binding { index: 5, name: "step", kind: BindingKind::Read, min_size: 192 },
            Binding { index: 6, name: "p", kind: BindingKind::Uniform, min_size: 44 },
        ],
        overrides: &[],
        needs: &[],
        workgroup_bytes: 16384,
        uniform: &[
            UniformField { name: "n_chunk", offset: 0, size: 4 },
            UniformField { name: "n_unit", offset: 4, size: 4 },
            UniformField { name: "n_group", offset: 8, size: 4 },
            UniformField { name: "n_rows", offset: 12, size: 4 },
            UniformField { name: "row0", offset: 16, size: 4 },
            UniformField { name: "y_stride", offset: 20, size: 4 },
            UniformField { name: "count_from", offset: 24, size: 4 },
            UniformField { name: "max_rows", offset: 28, size: 4 },
            UniformField { name: "act", offset: 32, size: 4 },
            UniformField { name: "flags", offset: 36, size: 4 },
            UniformField { name: "softcap", offset: 40, size: 4 },
        ],
        wgsl: r"struct Chunk {
 v0: vec4<f32>,
 v1: vec4<f32>,
 v2: vec4<f32>,
 v3: vec4<f32>,
 v4: vec4<f32>,
 v5: vec4<f32>,
 v6: vec4<f32>,
 v7: vec4<f32>,
}
struct Coded {
 q: Chunk,
 s: vec4<f32>,
}
fn chunk_scale(q: Chunk, lo: f32, hi: f32) -> Chunk {
 return Chunk(q.v0 * lo, q.v1 * lo, q.v2 * lo, q.v3 * lo, q.v4 * hi, q.v5 * hi, q.v6 * hi, q.v7 * hi);
}
fn quants(g: u32, c: u32, r: u32, n_word: u32, word: u32) -> vec4<u32> {
 return wq[((g * p.n_chunk + c) * n_word + word) * 8u + r];
}
fn scale_word(g: u32, unit: u32, r: u32, n_word: u32, word: u32) -> u32 {
 return ws[((g * p.n_unit + unit) * n_word + word) * 8u + r];
}
fn nibbles(w: u32) -> vec4<u32> {
 return (vec4<u32>(w) >> vec4<u32>(0u, 8u, 16u, 24u)) & vec4<u32>(15u);
}
fn signed_byte(b: u32) -> f32 {
 return f32(bitcast<i32>(b << 24u) >> 24u);
}
fn half(h: u32) -> f32 {
 let m = h & 0x7fffu;
 let rebias = select(0x38000000u, 0x70000000u, m >= 0x7c00u);
 let v = select(bitcast<f32>((m << 13u) + rebias), f32(m) * 0x1p-24f, m < 0x400u);
 return bitcast<f32>(bitcast<u32>(v) | ((h & 0x8000u) << 16u));
}
fn byte_pair(g: u32, c: u32, r: u32, n_word: u32) -> u32 {
 return scale_word(g, c / 8u, r, n_word, 1u + (c % 8u) / 2u) >> (16u * (c % 2u));
}
fn centred(q: vec4<u32>, middle: i32) -> vec4<f32> {
 return vec4<f32>(vec4<i32>(q) - vec4<i32>(middle));
}
fn six(w: u32, bits: u32) -> vec4<f32> {
 let upper = (vec4<u32>(bits) >> vec4<u32>(0u, 2u, 4u, 6u)) & vec4<u32>(3u);
 return centred(nibbles(w) | (upper << vec4<u32>(4u)), 32);
}
fn coded(g: u32, c: u32, r: u32) -> Coded {
 let d = half(scale_word(g, c / 8u, r, 21u, 0u) & 0xffffu);
 let f = byte_pair(g, c, r, 21u);
 let a = scale_word(g, c / 8u, r, 21u, 5u + 2u * (c % 8u));
 let b = scale_word(g, c / 8u, r, 21u, 6u + 2u * (c % 8u));
 let q = quants(g, c, r, 1u, 0u);
 let h = q >> vec4<u32>(4u);
 let v = Chunk(six(q.x, a), six(q.y, a >> 8u), six(q.z, a >> 16u), six(q.w, a >> 24u),
  six(h.x, b), six(h.y, b >> 8u), six(h.z, b >> 16u), six(h.w, b >> 24u));
 return Coded(v, vec4<f32>(d * signed_byte(f), d * signed_byte(f >> 8u), 0.0, 0.0));
}
fn dequant(g: u32, c: u32, r: u32) -> Chunk {
 let w = coded(g, c, r);
    {
  return chunk_scale(w.q, w.s.x, w.s.y);
 }
}
fn soft_tanh(v: f32) -> f32 {
 let e = exp(-2.0 * min(abs(v), 15.0));
 return sign(v) * ((1.0 - e) / (1.0 + e));
}
fn silu(v: f32) -> f32 {
 return v / (1.0 + exp(clamp(-v, -80.0, 80.0)));
}
fn gelu_tanh(v: f32) -> f32 {
 return 0.5 * v * (1.0 + soft_tanh(0.7978845608 * (v + 0.044715 * v * v * v)));
}
fn activate(kind: u32, v: f32) -> f32 {
 if (kind == 1u) {
  return silu(v);
 }
 if (kind == 2u) {
  return gelu_tanh(v);
 }
 return v;
}
const ADD = 1u;
const BIAS = 2u;
const SOFTCAP = 4u;
fn store(sum: f32, row: u32, at: u32) {
 var v = sum;
 if ((p.flags & BIAS) != 0u) {
  v += bias[row];
 }
 v = activate(p.act, v);
 if ((p.flags & SOFTCAP) != 0u) {
  v = p.softcap * soft_tanh(v / p.softcap);
 }
 if ((p.flags & ADD) != 0u) {
  v += y[at];
 }
 y[at] = v;
}
struct Row {
 token: u32,
 pos: u32,
 cell: u32,
 table: u32,
 base: u32,
 lo: u32,
 hi: u32,
 lo_swa: u32,
 tree: u32,
 ancestors_lo: u32,
 ancestors_hi: u32,
 seq: u32,
 mix_start: u32,
 mix_len: u32,
 reserved0: u32,
 reserved1: u32,
}
struct Step {
 n_rows: u32,
 n_want: u32,
 seed_lo: u32,
 seed_hi: u32,
 window: u32,
 n_out: u32,
 reserved: array<u32, 10>,
 want: array<u32, 16>,
 rows: array<Row>,
}
struct P {
 n_chunk: u32,
 n_unit: u32,
 n_group: u32,
 n_rows: u32,
 row0: u32,
 y_stride: u32,
 count_from: u32,
 max_rows: u32,
 act: u32,
 flags: u32,
 softcap: f32,
}
@group(0) @binding(0) var<storage, read> wq: array<vec4<u32>>;
@group(0) @binding(1) var<storage, read> ws: array<u32>;
@group(0) @binding(2) var<storage, read> x: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read> bias: array<f32>;
@group(0) @binding(4) var<storage, read_write> y: array<f32>;
@group(0) @binding(5) var<storage, read> step: Step;
@group(0) @binding(6) var<uniform> p: P;
fn column_count() -> u32 {
 return min(select(step.n_rows, step.n_want, p.count_from == 1u), p.max_rows);
}
const STEPS = 8u;
alias Strip = vec4<f32>;
alias Block = mat4x4<f32>;
var<workgroup> w_tile: array<vec4<f32>, 512>;
var<workgroup> x_tile: array<vec4<f32>, 512>;
fn put_w(t: u32, g: u32, c: u32) {
 let v = dequant(g, c, t % 8u);
 let at = t * 8u;
 let s = t % 8u;
 w_tile[at + s] = v.v0;
 w_tile[at + (s ^ 1u)] = v.v1;
 w_tile[at + (s ^ 2u)] = v.v2;
 w_tile[at + (s ^ 3u)] = v.v3;
 w_tile[at + (s ^ 4u)] = v.v4;
 w_tile[at + (s ^ 5u)] = v.v5;
 w_tile[at + (s ^ 6u)] = v.v6;
 w_tile[at + (s ^ 7u)] = v.v7;
}
fn put_x(t: u32, from_word: u32) {
 for (var j = 0u; j < 8u; j++) {
  x_tile[t * 8u + (j ^ (t % 8u))] = x[from_word + j];
 }
}
fn row(a: u32, i: u32, j: u32) -> Strip {
 return w_tile[a * 8u + (j ^ a) + 64u * i];
}
fn block(b: u32, part: u32, j: u32) -> Block {
 let at = (b + 32u * part) * 8u + (j ^ b);
 return mat4x4<f32>(x_tile[at], x_tile[at + 64u], x_tile[at + 128u], x_tile[at + 192u]);
}
fn product(w: Strip, v: Block) -> vec4<f32> {
 return w * v;
}
fn write(sums: vec4<f32>, row: u32, m0: u32, n: u32) {
 for (var i = 0u; i < 4u; i++) {
  let m = m0 + 8u * i;
  if (m < n) {
   store(sums[i], p.row0 + row, m * p.y_stride + p.row0 + row);
  }
 }
}
@compute @workgroup_size(64)
fn main(@builtin(local_invocation_index) t: u32, @builtin(workgroup_id) wg: vec3<u32>) {
 let n = column_count();
 let m0 = wg.y * 64u;
 if (m0 >= n) {
  return;
 }
 let wide = m0 + 32u < n;
 let g = min(wg.x * 8u + t / 8u, p.n_group - 1u);
 let x0 = min(m0 + t, n - 1u) * p.n_chunk * 8u;
 let a = t % 8u;
 let b = t / 8u;
 var l0 = vec4<f32>();
 var l1 = vec4<f32>();
 var l2 = vec4<f32>();
 var l3 = vec4<f32>();
 var l4 = vec4<f32>();
 var l5 = vec4<f32>();
 var l6 = vec4<f32>();
 var l7 = vec4<f32>();
 var h0 = vec4<f32>();
 var h1 = vec4<f32>();
 var h2 = vec4<f32>();
 var h3 = vec4<f32>();
 var h4 = vec4<f32>();
 var h5 = vec4<f32>();
 var h6 = vec4<f32>();
 var h7 = vec4<f32>();
 for (var c = 0u; c < p.n_chunk; c++) {
  put_w(t, g, c);
  put_x(t, x0 + c * 8u);
  workgroupBarrier();
  for (var j = 0u; j < STEPS; j++) {
   let w0 = row(a, 0u, j);
   let w1 = row(a, 1u, j);
   let w2 = row(a, 2u, j);
   let w3 = row(a, 3u, j);
   let w4 = row(a, 4u, j);
   let w5 = row(a, 5u, j);
   let w6 = row(a, 6u, j);
   let w7 = row(a, 7u, j);
   let lo = block(b, 0u, j);
   l0 += product(w0, lo);
   l1 += product(w1, lo);
   l2 += product(w2, lo);
   l3 += product(w3, lo);
   l4 += product(w4, lo);
   l5 += product(w5, lo);
   l6 += product(w6, lo);
   l7 += product(w7, lo);
   if (wide) {
    let hi = block(b, 1u, j);
    h0 += product(w0, hi);
    h1 += product(w1, hi);
    h2 += product(w2, hi);
    h3 += product(w3, hi);
    h4 += product(w4, hi);
    h5 += product(w5, hi);
    h6 += product(w6, hi);
    h7 += product(w7, hi);
   }
  }
  workgroupBarrier();
 }
      {
  let own = a * 8u + (b ^ a);
  w_tile[own] = l0;
  w_tile[own + 64u] = l1;
  w_tile[own + 128u] = l2;
  w_tile[own + 192u] = l3;
  w_tile[own + 256u] = l4;
  w_tile[own + 320u] = l5;
  w_tile[own + 384u] = l6;
  w_tile[own + 448u] = l7;
  x_tile[own] = h0;
  x_tile[own + 64u] = h1;
  x_tile[own + 128u] = h2;
  x_tile[own + 192u] = h3;
  x_tile[own + 256u] = h4;
  x_tile[own + 320u] = h5;
  x_tile[own + 384u] = h6;
  x_tile[own + 448u] = h7;
  workgroupBarrier();
  let n_row = wg.x * 64u + t;
  if (n_row >= p.n_rows) {
   return;
  }
  for (var c = 0u; c < 8u; c++) {
   let at = t * 8u + (c ^ (t % 8u));
   write(w_tile[at], n_row, m0 + c, n);
   write(x_tile[at], n_row, m0 + c + 32u, n);
  }
 }
}
",
    },
    Shader {
        name: "matmul_tile_q6k_dot",
        kernel: "matmul_tile",
        workgroup_size: [64, 1, 1],
        bindings: &[
            Binding { index: 0, name: "wq", kind: BindingKind::Read, min_size: 16 },
            Binding { index: 1, name: "ws", kind: BindingKind::Read, min_size: 4 },
            Binding { index: 2, name: "x", kind: BindingKind::Read, min_size: 16 },
            Binding { index: 3, name: "bias", kind: BindingKind::Read, min_size: 4 },
            Binding { index: 4, name: "y", kind: BindingKind::ReadWrite, min_size: 4 },
            Binding { index: 5, name: "step", kind: BindingKind::Read, min_size: 192 },
            Binding { index: 6, name: "p", kind: BindingKind::Uniform, min_size: 44 },
        ],
        overrides: &[],
        needs: &[Feature::PackedDot],
        workgroup_bytes: 6144,
        uniform: &[
            UniformField { name: "n_chunk", offset: 0, size: 4 },
            UniformField { name: "n_unit", offset: 4, size: 4 },
            UniformField { name: "n_group", offset: 8, size: 4 },
            UniformField { name: "n_rows", offset: 12, size: 4 },
            UniformField { name: "row0", offset: 16, size: 4 },
            UniformField { name: "y_stride", offset: 20, size: 4 },
            UniformField { name: "count_from", offset: 24, size: 4 },
            UniformField { name: "max_rows", offset: 28, size: 4 },
            UniformField { name: "act", offset: 32, size: 4 },
            UniformField { name: "flags", offset: 36, size: 4 },
            UniformField { name: "softcap", offset: 40, size: 4 },
        ],
        wgsl: r"requires packed_4x8_integer_dot_product;
struct Chunk {
 v0: vec4<f32>,
 v1: vec4<f32>,
 v2: vec4<f32>,
 v3: vec4<f32>,
 v4: vec4<f32>,
 v5: vec4<f32>,
 v6: vec4<f32>,
 v7: vec4<f32>,
}
struct Coded {
 q: Chunk,
 s: vec4<f32>,
}
fn quants(g: u32, c: u32, r: u32, n_word: u32, word: u32) -> vec4<u32> {
 return wq[((g * p.n_chunk + c) * n_word + word) * 8u + r];
}
fn scale_word(g: u32, unit: u32, r: u32, n_word: u32, word: u32) -> u32 {
 return ws[((g * p.n_unit + unit) * n_word + word) * 8u + r];
}
fn nibbles(w: u32) -> vec4<u32> {
 return (vec4<u32>(w) >> vec4<u32>(0u, 8u, 16u, 24u)) & vec4<u32>(15u);
}
fn signed_byte(b: u32) -> f32 {
 return f32(bitcast<i32>(b << 24u) >> 24u);
}
fn half(h: u32) -> f32 {
 let m = h & 0x7fffu;
 let rebias = select(0x38000000u, 0x70000000u, m >= 0x7c00u);
 let v = select(bitcast<f32>((m << 13u) + rebias), f32(m) * 0x1p-24f, m < 0x400u);
 return bitcast<f32>(bitcast<u32>(v) | ((h & 0x8000u) << 16u));
}
fn byte_pair(g: u32, c: u32, r: u32, n_word: u32) -> u32 {
 return scale_word(g, c / 8u, r, n_word, 1u + (c % 8u) / 2u) >> (16u * (c % 2u));
}
fn centred(q: vec4<u32>, middle: i32) -> vec4<f32> {
 return vec4<f32>(vec4<i32>(q) - vec4<i32>(middle));
}
fn six(w: u32, bits: u32) -> vec4<f32> {
 let upper = (vec4<u32>(bits) >> vec4<u32>(0u, 2u, 4u, 6u)) & vec4<u32>(3u);
 return centred(nibbles(w) | (upper << vec4<u32>(4u)), 32);
}
fn coded(g: u32, c: u32, r: u32) -> Coded {
 let d = half(scale_word(g, c / 8u, r, 21u, 0u) & 0xffffu);
 let f = byte_pair(g, c, r, 21u);
 let a = scale_word(g, c / 8u, r, 21u, 5u + 2u * (c % 8u));
 let b = scale_word(g, c / 8u, r, 21u, 6u + 2u * (c % 8u));
 let q = quants(g, c, r, 1u, 0u);
 let h = q >> vec4<u32>(4u);
 let v = Chunk(six(q.x, a), six(q.y, a >> 8u), six(q.z, a >> 16u), six(q.w, a >> 24u),
  six(h.x, b), six(h.y, b >> 8u), six(h.z, b >> 16u), six(h.w, b >> 24u));
 return Coded(v, vec4<f32>(d * signed_byte(f), d * signed_byte(f >> 8u), 0.0, 0.0));
}
const OFFSETS = false;
const TWO_SCALES = true;
fn soft_tanh(v: f32) -> f32 {
 let e = exp(-2.0 * min(abs(v), 15.0));
 return sign(v) * ((1.0 - e) / (1.0 + e));
}
fn silu(v: f32) -> f32 {
 return v / (1.0 + exp(clamp(-v, -80.0, 80.0)));
}
fn gelu_tanh(v: f32) -> f32 {
 return 0.5 * v * (1.0 + soft_tanh(0.7978845608 * (v + 0.044715 * v * v * v)));
}
fn activate(kind: u32, v: f32) -> f32 {
 if (kind == 1u) {
  return silu(v);
 }
 if (kind == 2u) {
  return gelu_tanh(v);
 }
 return v;
}
const ADD = 1u;
const BIAS = 2u;
const SOFTCAP = 4u;
fn store(sum: f32, row: u32, at: u32) {
 var v = sum;
 if ((p.flags & BIAS) != 0u) {
  v += bias[row];
 }
 v = activate(p.act, v);
 if ((p.flags & SOFTCAP) != 0u) {
  v = p.softcap * soft_tanh(v / p.softcap);
 }
 if ((p.flags & ADD) != 0u) {
  v += y[at];
 }
 y[at] = v;
}
struct Row {
 token: u32,
 pos: u32,
 cell: u32,
 table: u32,
 base: u32,
 lo: u32,
 hi: u32,
 lo_swa: u32,
 tree: u32,
 ancestors_lo: u32,
 ancestors_hi: u32,
 seq: u32,
 mix_start: u32,
 mix_len: u32,
 reserved0: u32,
 reserved1: u32,
}
struct Step {
 n_rows: u32,
 n_want: u32,
 seed_lo: u32,
 seed_hi: u32,
 window: u32,
 n_out: u32,
 reserved: array<u32, 10>,
 want: array<u32, 16>,
 rows: array<Row>,
}
struct P {
 n_chunk: u32,
 n_unit: u32,
 n_group: u32,
 n_rows: u32,
 row0: u32,
 y_stride: u32,
 count_from: u32,
 max_rows: u32,
 act: u32,
 flags: u32,
 softcap: f32,
}
@group(0) @binding(0) var<storage, read> wq: array<vec4<u32>>;
@group(0) @binding(1) var<storage, read> ws: array<u32>;
@group(0) @binding(2) var<storage, read> x: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read> bias: array<f32>;
@group(0) @binding(4) var<storage, read_write> y: array<f32>;
@group(0) @binding(5) var<storage, read> step: Step;
@group(0) @binding(6) var<uniform> p: P;
fn column_count() -> u32 {
 return min(select(step.n_rows, step.n_want, p.count_from == 1u), p.max_rows);
}
struct Packed {
 lo: vec4<u32>,
 hi: vec4<u32>,
}
fn four_bytes(q: vec4<f32>) -> u32 {
 return pack4xI8(vec4<i32>(q));
}
fn packed(g: u32, c: u32, r: u32) -> Packed {
                        {
  let q = coded(g, c, r).q;
  return Packed(vec4<u32>(four_bytes(q.v0), four_bytes(q.v1), four_bytes(q.v2), four_bytes(q.v3)),
   vec4<u32>(four_bytes(q.v4), four_bytes(q.v5), four_bytes(q.v6), four_bytes(q.v7)));
 }
}
const STEPS = 1u;
alias Sixteen = vec4<u32>;
struct Strip {
 lo: Sixteen,
 hi: Sixteen,
 s: vec4<f32>,
}
struct Block {
 lo0: Sixteen,
 lo1: Sixteen,
 lo2: Sixteen,
 lo3: Sixteen,
 hi0: Sixteen,
 hi1: Sixteen,
 hi2: Sixteen,
 hi3: Sixteen,
 scale: vec4<f32>,
 total_lo: vec4<f32>,
 total_hi: vec4<f32>,
}
var<workgroup> w_tile: array<Sixteen, 128>;
var<workgroup> w_scales: array<vec4<f32>, 64>;
var<workgroup> x_tile: array<Sixteen, 128>;
var<workgroup> x_scales: array<vec4<f32>, 64>;
fn put_w(t: u32, g: u32, c: u32) {
 w_scales[t] = coded(g, c, t % 8u).s;
 let q = packed(g, c, t % 8u);
 w_tile[t] = q.lo;
 w_tile[t + 64u] = q.hi;
}
fn magnitudes(v: vec4<f32>) -> vec4<u32> {
 return bitcast<vec4<u32>>(v) & vec4<u32>(0x7fffffffu);
}
fn largest(v: Chunk) -> u32 {
 let m = max(max(max(magnitudes(v.v0), magnitudes(v.v1)), max(magnitudes(v.v2), magnitudes(v.v3))),
  max(max(magnitudes(v.v4), magnitudes(v.v5)), max(magnitudes(v.v6), magnitudes(v.v7))));
 return max(max(m.x, m.y), max(m.z, m.w));
}
fn bytes(v: vec4<f32>, inverse: f32) -> u32 {
 return pack4xI8(vec4<i32>(round(v * inverse)));
}
fn total(q: vec4<u32>) -> f32 {
 let ones = vec4<u32>(0x01010101u);
 return f32(dot16(q, ones));
}
fn put_x(t: u32, at: u32) {
 let v = Chunk(x[at], x[at + 1u], x[at + 2u], x[at + 3u], x[at + 4u], x[at + 5u], x[at + 6u], x[at + 7u]);
 let most = largest(v);
 let exponent = most >> 23u;
 let usable = exponent >= 16u && exponent < 245u;
 let steps = f32((127u << 16u) / (((most >> 16u) & 0x7fu) + 129u));
 let inverse = select(0.0, steps * bitcast<f32>((245u - min(exponent, 245u)) << 23u), usable);
 let scale = select(bitcast<f32>(most), 1.0 / inverse, usable);
 let lo = vec4<u32>(bytes(v.v0, inverse), bytes(v.v1, inverse), bytes(v.v2, inverse), bytes(v.v3, inverse));
 let hi = vec4<u32>(bytes(v.v4, inverse), bytes(v.v5, inverse), bytes(v.v6, inverse), bytes(v.v7, inverse));
 x_tile[t] = lo;
 x_tile[t + 64u] = hi;
 x_scales[t] = vec4<f32>(scale, scale * total(lo), scale * total(hi), 0.0);
}
fn row(a: u32, i: u32, j: u32) -> Strip {
 let at = a + 8u * i + j;
 return Strip(w_tile[at], w_tile[at + 64u], w_scales[at]);
}
fn block(b: u32, part: u32, j: u32) -> Block {
 let at = b + 32u * part + j;
 let s = mat4x4<f32>(x_scales[at], x_scales[at + 8u], x_scales[at + 16u], x_scales[at + 24u]);
 let by_kind = transpose(s);
 return Block(x_tile[at], x_tile[at + 8u], x_tile[at + 16u], x_tile[at + 24u],
  x_tile[at + 64u], x_tile[at + 72u], x_tile[at + 80u], x_tile[at + 88u], by_kind[0], by_kind[1], by_kind[2]);
}
fn dot16(a: vec4<u32>, b: vec4<u32>) -> i32 {
 return dot4I8Packed(a.x, b.x) + dot4I8Packed(a.y, b.y) + dot4I8Packed(a.z, b.z) + dot4I8Packed(a.w, b.w);
}
fn product(w: Strip, v: Block) -> vec4<f32> {
 let lo = vec4<i32>(dot16(w.lo, v.lo0), dot16(w.lo, v.lo1), dot16(w.lo, v.lo2), dot16(w.lo, v.lo3));
 let hi = vec4<i32>(dot16(w.hi, v.hi0), dot16(w.hi, v.hi1), dot16(w.hi, v.hi2), dot16(w.hi, v.hi3));
 var sum: vec4<f32>;
 if (TWO_SCALES) {
  sum = v.scale * (w.s.x * vec4<f32>(lo) + w.s.y * vec4<f32>(hi));
 } else {
  sum = (v.scale * w.s.x) * vec4<f32>(lo + hi);
 }
 if (OFFSETS) {
  sum += w.s.z * v.total_lo + w.s.w * v.total_hi;
 }
 return sum;
}
fn write(sums: vec4<f32>, row: u32, m0: u32, n: u32) {
 for (var i = 0u; i < 4u; i++) {
  let m = m0 + 8u * i;
  if (m < n) {
   store(sums[i], p.row0 + row, m * p.y_stride + p.row0 + row);
  }
 }
}
@compute @workgroup_size(64)
fn main(@builtin(local_invocation_index) t: u32, @builtin(workgroup_id) wg: vec3<u32>) {
 let n = column_count();
 let m0 = wg.y * 64u;
 if (m0 >= n) {
  return;
 }
 let wide = m0 + 32u < n;
 let g = min(wg.x * 8u + t / 8u, p.n_group - 1u);
 let x0 = min(m0 + t, n - 1u) * p.n_chunk * 8u;
 let a = t % 8u;
 let b = t / 8u;
 var l0 = vec4<f32>();
 var l1 = vec4<f32>();
 var l2 = vec4<f32>();
 var l3 = vec4<f32>();
 var l4 = vec4<f32>();
 var l5 = vec4<f32>();
 var l6 = vec4<f32>();
 var l7 = vec4<f32>();
 var h0 = vec4<f32>();
 var h1 = vec4<f32>();
 var h2 = vec4<f32>();
 var h3 = vec4<f32>();
 var h4 = vec4<f32>();
 var h5 = vec4<f32>();
 var h6 = vec4<f32>();
 var h7 = vec4<f32>();
 for (var c = 0u; c < p.n_chunk; c++) {
  put_w(t, g, c);
  put_x(t, x0 + c * 8u);
  workgroupBarrier();
  for (var j = 0u; j < STEPS; j++) {
   let w0 = row(a, 0u, j);
   let w1 = row(a, 1u, j);
   let w2 = row(a, 2u, j);
   let w3 = row(a, 3u, j);
   let w4 = row(a, 4u, j);
   let w5 = row(a, 5u, j);
   let w6 = row(a, 6u, j);
   let w7 = row(a, 7u, j);
   let lo = block(b, 0u, j);
   l0 += product(w0, lo);
   l1 += product(w1, lo);
   l2 += product(w2, lo);
   l3 += product(w3, lo);
   l4 += product(w4, lo);
   l5 += product(w5, lo);
   l6 += product(w6, lo);
   l7 += product(w7, lo);
   if (wide) {
    let hi = block(b, 1u, j);
    h0 += product(w0, hi);
    h1 += product(w1, hi);
    h2 += product(w2, hi);
    h3 += product(w3, hi);
    h4 += product(w4, hi);
    h5 += product(w5, hi);
    h6 += product(w6, hi);
    h7 += product(w7, hi);
   }
  }
  workgroupBarrier();
 }
     {
  let sums = array<vec4<f32>, 16>(l0, l1, l2, l3, l4, l5, l6, l7, h0, h1, h2, h3, h4, h5, h6, h7);
  for (var i = 0u; i < 8u; i++) {
   let n_row = wg.x * 64u + a + 8u * i;
   if (n_row < p.n_rows) {
    write(sums[i], n_row, m0 + b, n);
    write(sums[i + 8u], n_row, m0 + b + 32u, n);
   }
  }
 }
}
",
    },
    Shader {
        name: "matmul_tile_q8",
        kernel: "matmul_tile",
        workgroup_size: [64, 1, 1],
        bindings: &[
            Binding { index: 0, name: "wq", kind: BindingKind::Read, min_size: 16 },
            Binding { index: 1, name: "ws", kind: BindingKind::Read, min_size: 4 },
            Binding { index: 2, name: "x", kind: BindingKind::Read, min_size: 16 },
            Binding { index: 3, name: "bias", kind: BindingKind::Read, min_size: 4 },
            Binding { index: 4, name: "y", kind: BindingKind::ReadWrite, min_size: 4 },
            Binding { index: 5, name: "step", kind: BindingKind::Read, min_size: 192 },
            Binding { index: 6, name: "p", kind: BindingKind::Uniform, min_size: 44 },
        ],
        overrides: &[],
        needs: &[],
        workgroup_bytes: 16384,
        uniform: &[
            UniformField { name: "n_chunk", offset: 0, size: 4 },
            UniformField { name: "n_unit", offset: 4, size: 4 },
            UniformField { name: "n_group", offset: 8, size: 4 },
            UniformField { name: "n_rows", offset: 12, size: 4 },
            UniformField { name: "row0", offset: 16, size: 4 },
            UniformField { name: "y_stride", offset: 20, size: 4 },
            UniformField { name: "count_from", offset: 24, size: 4 },
            UniformField { name: "max_rows", offset: 28, size: 4 },
            UniformField { name: "act", offset: 32, size: 4 },
            UniformField { name: "flags", offset: 36, size: 4 },
            UniformField { name: "softcap", offset: 40, size: 4 },
        ],
        wgsl: r"struct Chunk {
 v0: vec4<f32>,
 v1: vec4<f32>,
 v2: vec4<f32>,
 v3: vec4<f32>,
 v4: vec4<f32>,
 v5: vec4<f32>,
 v6: vec4<f32>,
 v7: vec4<f32>,
}
struct Coded {
 q: Chunk,
 s: vec4<f32>,
}
fn chunk_scale(q: Chunk, lo: f32, hi: f32) -> Chunk {
 return Chunk(q.v0 * lo, q.v1 * lo, q.v2 * lo, q.v3 * lo, q.v4 * hi, q.v5 * hi, q.v6 * hi, q.v7 * hi);
}
fn quants(g: u32, c: u32, r: u32, n_word: u32, word: u32) -> vec4<u32> {
 return wq[((g * p.n_chunk + c) * n_word + word) * 8u + r];
}
fn scale_word(g: u32, unit: u32, r: u32, n_word: u32, word: u32) -> u32 {
 return ws[((g * p.n_unit + unit) * n_word + word) * 8u + r];
}
fn signed_bytes(w: u32) -> vec4<i32> {
 return bitcast<vec4<i32>>(vec4<u32>(w) << vec4<u32>(24u, 16u, 8u, 0u)) >> vec4<u32>(24u);
}
fn half(h: u32) -> f32 {
 let m = h & 0x7fffu;
 let rebias = select(0x38000000u, 0x70000000u, m >= 0x7c00u);
 let v = select(bitcast<f32>((m << 13u) + rebias), f32(m) * 0x1p-24f, m < 0x400u);
 return bitcast<f32>(bitcast<u32>(v) | ((h & 0x8000u) << 16u));
}
fn coded(g: u32, c: u32, r: u32) -> Coded {
 let a = quants(g, c, r, 2u, 0u);
 let b = quants(g, c, r, 2u, 1u);
 let s = half((scale_word(g, c / 2u, r, 1u, 0u) >> (16u * (c % 2u))) & 0xffffu);
 let q = Chunk(vec4<f32>(signed_bytes(a.x)), vec4<f32>(signed_bytes(a.y)), vec4<f32>(signed_bytes(a.z)),
  vec4<f32>(signed_bytes(a.w)), vec4<f32>(signed_bytes(b.x)), vec4<f32>(signed_bytes(b.y)),
  vec4<f32>(signed_bytes(b.z)), vec4<f32>(signed_bytes(b.w)));
 return Coded(q, vec4<f32>(s, s, 0.0, 0.0));
}
fn dequant(g: u32, c: u32, r: u32) -> Chunk {
 let w = coded(g, c, r);
    {
  return chunk_scale(w.q, w.s.x, w.s.y);
 }
}
fn soft_tanh(v: f32) -> f32 {
 let e = exp(-2.0 * min(abs(v), 15.0));
 return sign(v) * ((1.0 - e) / (1.0 + e));
}
fn silu(v: f32) -> f32 {
 return v / (1.0 + exp(clamp(-v, -80.0, 80.0)));
}
fn gelu_tanh(v: f32) -> f32 {
 return 0.5 * v * (1.0 + soft_tanh(0.7978845608 * (v + 0.044715 * v * v * v)));
}
fn activate(kind: u32, v: f32) -> f32 {
 if (kind == 1u) {
  return silu(v);
 }
 if (kind == 2u) {
  return gelu_tanh(v);
 }
 return v;
}
const ADD = 1u;
const BIAS = 2u;
const SOFTCAP = 4u;
fn store(sum: f32, row: u32, at: u32) {
 var v = sum;
 if ((p.flags & BIAS) != 0u) {
  v += bias[row];
 }
 v = activate(p.act, v);
 if ((p.flags & SOFTCAP) != 0u) {
  v = p.softcap * soft_tanh(v / p.softcap);
 }
 if ((p.flags & ADD) != 0u) {
  v += y[at];
 }
 y[at] = v;
}
struct Row {
 token: u32,
 pos: u32,
 cell: u32,
 table: u32,
 base: u32,
 lo: u32,
 hi: u32,
 lo_swa: u32,
 tree: u32,
 ancestors_lo: u32,
 ancestors_hi: u32,
 seq: u32,
 mix_start: u32,
 mix_len: u32,
 reserved0: u32,
 reserved1: u32,
}
struct Step {
 n_rows: u32,
 n_want: u32,
 seed_lo: u32,
 seed_hi: u32,
 window: u32,
 n_out: u32,
 reserved: array<u32, 10>,
 want: array<u32, 16>,
 rows: array<Row>,
}
struct P {
 n_chunk: u32,
 n_unit: u32,
 n_group: u32,
 n_rows: u32,
 row0: u32,
 y_stride: u32,
 count_from: u32,
 max_rows: u32,
 act: u32,
 flags: u32,
 softcap: f32,
}
@group(0) @binding(0) var<storage, read> wq: array<vec4<u32>>;
@group(0) @binding(1) var<storage, read> ws: array<u32>;
@group(0) @binding(2) var<storage, read> x: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read> bias: array<f32>;
@group(0) @binding(4) var<storage, read_write> y: array<f32>;
@group(0) @binding(5) var<storage, read> step: Step;
@group(0) @binding(6) var<uniform> p: P;
fn column_count() -> u32 {
 return min(select(step.n_rows, step.n_want, p.count_from == 1u), p.max_rows);
}
const STEPS = 8u;
alias Strip = vec4<f32>;
alias Block = mat4x4<f32>;
var<workgroup> w_tile: array<vec4<f32>, 512>;
var<workgroup> x_tile: array<vec4<f32>, 512>;
fn put_w(t: u32, g: u32, c: u32) {
 let v = dequant(g, c, t % 8u);
 let at = t * 8u;
 let s = t % 8u;
 w_tile[at + s] = v.v0;
 w_tile[at + (s ^ 1u)] = v.v1;
 w_tile[at + (s ^ 2u)] = v.v2;
 w_tile[at + (s ^ 3u)] = v.v3;
 w_tile[at + (s ^ 4u)] = v.v4;
 w_tile[at + (s ^ 5u)] = v.v5;
 w_tile[at + (s ^ 6u)] = v.v6;
 w_tile[at + (s ^ 7u)] = v.v7;
}
fn put_x(t: u32, from_word: u32) {
 for (var j = 0u; j < 8u; j++) {
  x_tile[t * 8u + (j ^ (t % 8u))] = x[from_word + j];
 }
}
fn row(a: u32, i: u32, j: u32) -> Strip {
 return w_tile[a * 8u + (j ^ a) + 64u * i];
}
fn block(b: u32, part: u32, j: u32) -> Block {
 let at = (b + 32u * part) * 8u + (j ^ b);
 return mat4x4<f32>(x_tile[at], x_tile[at + 64u], x_tile[at + 128u], x_tile[at + 192u]);
}
fn product(w: Strip, v: Block) -> vec4<f32> {
 return w * v;
}
fn write(sums: vec4<f32>, row: u32, m0: u32, n: u32) {
 for (var i = 0u; i < 4u; i++) {
  let m = m0 + 8u * i;
  if (m < n) {
   store(sums[i], p.row0 + row, m * p.y_stride + p.row0 + row);
  }
 }
}
@compute @workgroup_size(64)
fn main(@builtin(local_invocation_index) t: u32, @builtin(workgroup_id) wg: vec3<u32>) {
 let n = column_count();
 let m0 = wg.y * 64u;
 if (m0 >= n) {
  return;
 }
 let wide = m0 + 32u < n;
 let g = min(wg.x * 8u + t / 8u, p.n_group - 1u);
 let x0 = min(m0 + t, n - 1u) * p.n_chunk * 8u;
 let a = t % 8u;
 let b = t / 8u;
 var l0 = vec4<f32>();
 var l1 = vec4<f32>();
 var l2 = vec4<f32>();
 var l3 = vec4<f32>();
 var l4 = vec4<f32>();
 var l5 = vec4<f32>();
 var l6 = vec4<f32>();
 var l7 = vec4<f32>();
 var h0 = vec4<f32>();
 var h1 = vec4<f32>();
 var h2 = vec4<f32>();
 var h3 = vec4<f32>();
 var h4 = vec4<f32>();
 var h5 = vec4<f32>();
 var h6 = vec4<f32>();
 var h7 = vec4<f32>();
 for (var c = 0u; c < p.n_chunk; c++) {
  put_w(t, g, c);
  put_x(t, x0 + c * 8u);
  workgroupBarrier();
  for (var j = 0u; j < STEPS; j++) {
   let w0 = row(a, 0u, j);
   let w1 = row(a, 1u, j);
   let w2 = row(a, 2u, j);
   let w3 = row(a, 3u, j);
   let w4 = row(a, 4u, j);
   let w5 = row(a, 5u, j);
   let w6 = row(a, 6u, j);
   let w7 = row(a, 7u, j);
   let lo = block(b, 0u, j);
   l0 += product(w0, lo);
   l1 += product(w1, lo);
   l2 += product(w2, lo);
   l3 += product(w3, lo);
   l4 += product(w4, lo);
   l5 += product(w5, lo);
   l6 += product(w6, lo);
   l7 += product(w7, lo);
   if (wide) {
    let hi = block(b, 1u, j);
    h0 += product(w0, hi);
    h1 += product(w1, hi);
    h2 += product(w2, hi);
    h3 += product(w3, hi);
    h4 += product(w4, hi);
    h5 += product(w5, hi);
    h6 += product(w6, hi);
    h7 += product(w7, hi);
   }
  }
  workgroupBarrier();
 }
      {
  let own = a * 8u + (b ^ a);
  w_tile[own] = l0;
  w_tile[own + 64u] = l1;
  w_tile[own + 128u] = l2;
  w_tile[own + 192u] = l3;
  w_tile[own + 256u] = l4;
  w_tile[own + 320u] = l5;
  w_tile[own + 384u] = l6;
  w_tile[own + 448u] = l7;
  x_tile[own] = h0;
  x_tile[own + 64u] = h1;
  x_tile[own + 128u] = h2;
  x_tile[own + 192u] = h3;
  x_tile[own + 256u] = h4;
  x_tile[own + 320u] = h5;
  x_tile[own + 384u] = h6;
  x_tile[own + 448u] = h7;
  workgroupBarrier();
  let n_row = wg.x * 64u + t;
  if (n_row >= p.n_rows) {
   return;
  }
  for (var c = 0u; c < 8u; c++) {
   let at = t * 8u + (c ^ (t % 8u));
   write(w_tile[at], n_row, m0 + c, n);
   write(x_tile[at], n_row, m0 + c + 32u, n);
  }
 }
}
",
    },
    Shader {
        name: "matmul_tile_q8_dot",
        kernel: "matmul_tile",
        workgroup_size: [64, 1, 1],
        bindings: &[
            Binding { index: 0, name: "wq", kind: BindingKind::Read, min_size: 16 },
            Binding { index: 1, name: "ws", kind: BindingKind::Read, min_size: 4 },
            Binding { index: 2, name: "x", kind: BindingKind::Read, min_size: 16 },
            Binding { index: 3, name: "bias", kind: BindingKind::Read, min_size: 4 },
            Binding { index: 4, name: "y", kind: BindingKind::ReadWrite, min_size: 4 },
            Binding { index: 5, name: "step", kind: BindingKind::Read, min_size: 192 },
            Binding { index: 6, name: "p", kind: BindingKind::Uniform, min_size: 44 },
        ],
        overrides: &[],
        needs: &[Feature::PackedDot],
        workgroup_bytes: 6144,
        uniform: &[
            UniformField { name: "n_chunk", offset: 0, size: 4 },
            UniformField { name: "n_unit", offset: 4, size: 4 },
            UniformField { name: "n_group", offset: 8, size: 4 },
            UniformField { name: "n_rows", offset: 12, size: 4 },
            UniformField { name: "row0", offset: 16, size: 4 },
            UniformField { name: "y_stride", offset: 20, size: 4 },
            UniformField { name: "count_from", offset: 24, size: 4 },
            UniformField { name: "max_rows", offset: 28, size: 4 },
            UniformField { name: "act", offset: 32, size: 4 },
            UniformField { name: "flags", offset: 36, size: 4 },
            UniformField { name: "softcap", offset: 40, size: 4 },
        ],
        wgsl: r"requires packed_4x8_integer_dot_product;
struct Chunk {
 v0: vec4<f32>,
 v1: vec4<f32>,
 v2: vec4<f32>,
 v3: vec4<f32>,
 v4: vec4<f32>,
 v5: vec4<f32>,
 v6: vec4<f32>,
 v7: vec4<f32>,
}
struct Coded {
 q: Chunk,
 s: vec4<f32>,
}
fn quants(g: u32, c: u32, r: u32, n_word: u32, word: u32) -> vec4<u32> {
 return wq[((g * p.n_chunk + c) * n_word + word) * 8u + r];
}
fn scale_word(g: u32, unit: u32, r: u32, n_word: u32, word: u32) -> u32 {
 return ws[((g * p.n_unit + unit) * n_word + word) * 8u + r];
}
fn signed_bytes(w: u32) -> vec4<i32> {
 return bitcast<vec4<i32>>(vec4<u32>(w) << vec4<u32>(24u, 16u, 8u, 0u)) >> vec4<u32>(24u);
}
fn half(h: u32) -> f32 {
 let m = h & 0x7fffu;
 let rebias = select(0x38000000u, 0x70000000u, m >= 0x7c00u);
 let v = select(bitcast<f32>((m << 13u) + rebias), f32(m) * 0x1p-24f, m < 0x400u);
 return bitcast<f32>(bitcast<u32>(v) | ((h & 0x8000u) << 16u));
}
fn coded(g: u32, c: u32, r: u32) -> Coded {
 let a = quants(g, c, r, 2u, 0u);
 let b = quants(g, c, r, 2u, 1u);
 let s = half((scale_word(g, c / 2u, r, 1u, 0u) >> (16u * (c % 2u))) & 0xffffu);
 let q = Chunk(vec4<f32>(signed_bytes(a.x)), vec4<f32>(signed_bytes(a.y)), vec4<f32>(signed_bytes(a.z)),
  vec4<f32>(signed_bytes(a.w)), vec4<f32>(signed_bytes(b.x)), vec4<f32>(signed_bytes(b.y)),
  vec4<f32>(signed_bytes(b.z)), vec4<f32>(signed_bytes(b.w)));
 return Coded(q, vec4<f32>(s, s, 0.0, 0.0));
}
const OFFSETS = false;
const TWO_SCALES = false;
fn soft_tanh(v: f32) -> f32 {
 let e = exp(-2.0 * min(abs(v), 15.0));
 return sign(v) * ((1.0 - e) / (1.0 + e));
}
fn silu(v: f32) -> f32 {
 return v / (1.0 + exp(clamp(-v, -80.0, 80.0)));
}
fn gelu_tanh(v: f32) -> f32 {
 return 0.5 * v * (1.0 + soft_tanh(0.7978845608 * (v + 0.044715 * v * v * v)));
}
fn activate(kind: u32, v: f32) -> f32 {
 if (kind == 1u) {
  return silu(v);
 }
 if (kind == 2u) {
  return gelu_tanh(v);
 }
 return v;
}
const ADD = 1u;
const BIAS = 2u;
const SOFTCAP = 4u;
fn store(sum: f32, row: u32, at: u32) {
 var v = sum;
 if ((p.flags & BIAS) != 0u) {
  v += bias[row];
 }
 v = activate(p.act, v);
 if ((p.flags & SOFTCAP) != 0u) {
  v = p.softcap * soft_tanh(v / p.softcap);
 }
 if ((p.flags & ADD) != 0u) {
  v += y[at];
 }
 y[at] = v;
}
struct Row {
 token: u32,
 pos: u32,
 cell: u32,
 table: u32,
 base: u32,
 lo: u32,
 hi: u32,
 lo_swa: u32,
 tree: u32,
 ancestors_lo: u32,
 ancestors_hi: u32,
 seq: u32,
 mix_start: u32,
 mix_len: u32,
 reserved0: u32,
 reserved1: u32,
}
struct Step {
 n_rows: u32,
 n_want: u32,
 seed_lo: u32,
 seed_hi: u32,
 window: u32,
 n_out: u32,
 reserved: array<u32, 10>,
 want: array<u32, 16>,
 rows: array<Row>,
}
struct P {
 n_chunk: u32,
 n_unit: u32,
 n_group: u32,
 n_rows: u32,
 row0: u32,
 y_stride: u32,
 count_from: u32,
 max_rows: u32,
 act: u32,
 flags: u32,
 softcap: f32,
}
@group(0) @binding(0) var<storage, read> wq: array<vec4<u32>>;
@group(0) @binding(1) var<storage, read> ws: array<u32>;
@group(0) @binding(2) var<storage, read> x: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read> bias: array<f32>;
@group(0) @binding(4) var<storage, read_write> y: array<f32>;
@group(0) @binding(5) var<storage, read> step: Step;
@group(0) @binding(6) var<uniform> p: P;
fn column_count() -> u32 {
 return min(select(step.n_rows, step.n_want, p.count_from == 1u), p.max_rows);
}
struct Packed {
 lo: vec4<u32>,
 hi: vec4<u32>,
}
fn packed(g: u32, c: u32, r: u32) -> Packed {
        {
  return Packed(quants(g, c, r, 2u, 0u), quants(g, c, r, 2u, 1u));
 }
}
const STEPS = 1u;
alias Sixteen = vec4<u32>;
struct Strip {
 lo: Sixteen,
 hi: Sixteen,
 s: vec4<f32>,
}
struct Block {
 lo0: Sixteen,
 lo1: Sixteen,
 lo2: Sixteen,
 lo3: Sixteen,
 hi0: Sixteen,
 hi1: Sixteen,
 hi2: Sixteen,
 hi3: Sixteen,
 scale: vec4<f32>,
 total_lo: vec4<f32>,
 total_hi: vec4<f32>,
}
var<workgroup> w_tile: array<Sixteen, 128>;
var<workgroup> w_scales: array<vec4<f32>, 64>;
var<workgroup> x_tile: array<Sixteen, 128>;
var<workgroup> x_scales: array<vec4<f32>, 64>;
fn put_w(t: u32, g: u32, c: u32) {
 w_scales[t] = coded(g, c, t % 8u).s;
 let q = packed(g, c, t % 8u);
 w_tile[t] = q.lo;
 w_tile[t + 64u] = q.hi;
}
fn magnitudes(v: vec4<f32>) -> vec4<u32> {
 return bitcast<vec4<u32>>(v) & vec4<u32>(0x7fffffffu);
}
fn largest(v: Chunk) -> u32 {
 let m = max(max(max(magnitudes(v.v0), magnitudes(v.v1)), max(magnitudes(v.v2), magnitudes(v.v3))),
  max(max(magnitudes(v.v4), magnitudes(v.v5)), max(magnitudes(v.v6), magnitudes(v.v7))));
 return max(max(m.x, m.y), max(m.z, m.w));
}
fn bytes(v: vec4<f32>, inverse: f32) -> u32 {
 return pack4xI8(vec4<i32>(round(v * inverse)));
}
fn total(q: vec4<u32>) -> f32 {
 let ones = vec4<u32>(0x01010101u);
 return f32(dot16(q, ones));
}
fn put_x(t: u32, at: u32) {
 let v = Chunk(x[at], x[at + 1u], x[at + 2u], x[at + 3u], x[at + 4u], x[at + 5u], x[at + 6u], x[at + 7u]);
 let most = largest(v);
 let exponent = most >> 23u;
 let usable = exponent >= 16u && exponent < 245u;
 let steps = f32((127u << 16u) / (((most >> 16u) & 0x7fu) + 129u));
 let inverse = select(0.0, steps * bitcast<f32>((245u - min(exponent, 245u)) << 23u), usable);
 let scale = select(bitcast<f32>(most), 1.0 / inverse, usable);
 let lo = vec4<u32>(bytes(v.v0, inverse), bytes(v.v1, inverse), bytes(v.v2, inverse), bytes(v.v3, inverse));
 let hi = vec4<u32>(bytes(v.v4, inverse), bytes(v.v5, inverse), bytes(v.v6, inverse), bytes(v.v7, inverse));
 x_tile[t] = lo;
 x_tile[t + 64u] = hi;
 x_scales[t] = vec4<f32>(scale, scale * total(lo), scale * total(hi), 0.0);
}
fn row(a: u32, i: u32, j: u32) -> Strip {
 let at = a + 8u * i + j;
 return Strip(w_tile[at], w_tile[at + 64u], w_scales[at]);
}
fn block(b: u32, part: u32, j: u32) -> Block {
 let at = b + 32u * part + j;
 let s = mat4x4<f32>(x_scales[at], x_scales[at + 8u], x_scales[at + 16u], x_scales[at + 24u]);
 let by_kind = transpose(s);
 return Block(x_tile[at], x_tile[at + 8u], x_tile[at + 16u], x_tile[at + 24u],
  x_tile[at + 64u], x_tile[at + 72u], x_tile[at + 80u], x_tile[at + 88u], by_kind[0], by_kind[1], by_kind[2]);
}
fn dot16(a: vec4<u32>, b: vec4<u32>) -> i32 {
 return dot4I8Packed(a.x, b.x) + dot4I8Packed(a.y, b.y) + dot4I8Packed(a.z, b.z) + dot4I8Packed(a.w, b.w);
}
fn product(w: Strip, v: Block) -> vec4<f32> {
 let lo = vec4<i32>(dot16(w.lo, v.lo0), dot16(w.lo, v.lo1), dot16(w.lo, v.lo2), dot16(w.lo, v.lo3));
 let hi = vec4<i32>(dot16(w.hi, v.hi0), dot16(w.hi, v.hi1), dot16(w.hi, v.hi2), dot16(w.hi, v.hi3));
 var sum: vec4<f32>;
 if (TWO_SCALES) {
  sum = v.scale * (w.s.x * vec4<f32>(lo) + w.s.y * vec4<f32>(hi));
 } else {
  sum = (v.scale * w.s.x) * vec4<f32>(lo + hi);
 }
 if (OFFSETS) {
  sum += w.s.z * v.total_lo + w.s.w * v.total_hi;
 }
 return sum;
}
fn write(sums: vec4<f32>, row: u32, m0: u32, n: u32) {
 for (var i = 0u; i < 4u; i++) {
  let m = m0 + 8u * i;
  if (m < n) {
   store(sums[i], p.row0 + row, m * p.y_stride + p.row0 + row);
  }
 }
}
@compute @workgroup_size(64)
fn main(@builtin(local_invocation_index) t: u32, @builtin(workgroup_id) wg: vec3<u32>) {
 let n = column_count();
 let m0 = wg.y * 64u;
 if (m0 >= n) {
  return;
 }
 let wide = m0 + 32u < n;
 let g = min(wg.x * 8u + t / 8u, p.n_group - 1u);
 let x0 = min(m0 + t, n - 1u) * p.n_chunk * 8u;
 let a = t % 8u;
 let b = t / 8u;
 var l0 = vec4<f32>();
 var l1 = vec4<f32>();
 var l2 = vec4<f32>();
 var l3 = vec4<f32>();
 var l4 = vec4<f32>();
 var l5 = vec4<f32>();
 var l6 = vec4<f32>();
 var l7 = vec4<f32>();
 var h0 = vec4<f32>();
 var h1 = vec4<f32>();
 var h2 = vec4<f32>();
 var h3 = vec4<f32>();
 var h4 = vec4<f32>();
 var h5 = vec4<f32>();
 var h6 = vec4<f32>();
 var h7 = vec4<f32>();
 for (var c = 0u; c < p.n_chunk; c++) {
  put_w(t, g, c);
  put_x(t, x0 + c * 8u);
  workgroupBarrier();
  for (var j = 0u; j < STEPS; j++) {
   let w0 = row(a, 0u, j);
   let w1 = row(a, 1u, j);
   let w2 = row(a, 2u, j);
   let w3 = row(a, 3u, j);
   let w4 = row(a, 4u, j);
   let w5 = row(a, 5u, j);
   let w6 = row(a, 6u, j);
   let w7 = row(a, 7u, j);
   let lo = block(b, 0u, j);
   l0 += product(w0, lo);
   l1 += product(w1, lo);
   l2 += product(w2, lo);
   l3 += product(w3, lo);
   l4 += product(w4, lo);
   l5 += product(w5, lo);
   l6 += product(w6, lo);
   l7 += product(w7, lo);
   if (wide) {
    let hi = block(b, 1u, j);
    h0 += product(w0, hi);
    h1 += product(w1, hi);
    h2 += product(w2, hi);
    h3 += product(w3, hi);
    h4 += product(w4, hi);
    h5 += product(w5, hi);
    h6 += product(w6, hi);
    h7 += product(w7, hi);
   }
  }
  workgroupBarrier();
 }
     {
  let sums = array<vec4<f32>, 16>(l0, l1, l2, l3, l4, l5, l6, l7, h0, h1, h2, h3, h4, h5, h6, h7);
  for (var i = 0u; i < 8u; i++) {
   let n_row = wg.x * 64u + a + 8u * i;
   if (n_row < p.n_rows) {
    write(sums[i], n_row, m0 + b, n);
    write(sums[i + 8u], n_row, m0 + b + 32u, n);
   }
  }
 }
}
",
    },
    Shader {
        name: "matmul_vec_bf16",
        kernel: "matmul_vec",
        workgroup_size: [64, 1, 1],
        bindings: &[
            Binding { index: 0, name: "wq", kind: BindingKind::Read, min_size: 16 },
            Binding { index: 1, name: "ws", kind: BindingKind::Read, min_size: 4 },
            Binding { index: 2, name: "x", kind: BindingKind::Read, min_size: 16 },
            Binding { index: 3, name: "norm", kind: BindingKind::Read, min_size: 16 },
            Binding { index: 4, name: "bias", kind: BindingKind::Read, min_size: 4 },
            Binding { index: 5, name: "y", kind: BindingKind::ReadWrite, min_size: 4 },
            Binding { index: 6, name: "sel", kind: BindingKind::Read, min_size: 4 },
            Binding { index: 7, name: "p", kind: BindingKind::Uniform, min_size: 56 },
        ],
        overrides: &[
            Override { name: "L", default: Some(8.0) },
            Override { name: "G", default: Some(1.0) },
            Override { name: "T", default: Some(64.0) },
            Override { name: "B", default: Some(1.0) },
            Override { name: "NORM", default: Some(0.0) },
        ],
        needs: &[],
        workgroup_bytes: 1280,
        uniform: &[
            UniformField { name: "n_chunk", offset: 0, size: 4 },
            UniformField { name: "n_unit", offset: 4, size: 4 },
            UniformField { name: "n_group", offset: 8, size: 4 },
            UniformField { name: "n_rows", offset: 12, size: 4 },
            UniformField { name: "row0", offset: 16, size: 4 },
            UniformField { name: "by_expert", offset: 20, size: 4 },
            UniformField { name: "n_expert", offset: 24, size: 4 },
            UniformField { name: "glu", offset: 28, size: 4 },
            UniformField { name: "x_slot_div", offset: 32, size: 4 },
            UniformField { name: "y_stride", offset: 36, size: 4 },
            UniformField { name: "eps", offset: 40, size: 4 },
            UniformField { name: "act", offset: 44, size: 4 },
            UniformField { name: "flags", offset: 48, size: 4 },
            UniformField { name: "softcap", offset: 52, size: 4 },
        ],
        wgsl: r"struct Chunk {
 v0: vec4<f32>,
 v1: vec4<f32>,
 v2: vec4<f32>,
 v3: vec4<f32>,
 v4: vec4<f32>,
 v5: vec4<f32>,
 v6: vec4<f32>,
 v7: vec4<f32>,
}
struct Coded {
 q: Chunk,
 s: vec4<f32>,
}
fn chunk_dot(a: Chunk, b: Chunk) -> f32 {
 return dot(a.v0, b.v0) + dot(a.v1, b.v1) + dot(a.v2, b.v2) + dot(a.v3, b.v3)
  + dot(a.v4, b.v4) + dot(a.v5, b.v5) + dot(a.v6, b.v6) + dot(a.v7, b.v7);
}
fn chunk_mul(a: Chunk, b: Chunk) -> Chunk {
 return Chunk(a.v0 * b.v0, a.v1 * b.v1, a.v2 * b.v2, a.v3 * b.v3,
  a.v4 * b.v4, a.v5 * b.v5, a.v6 * b.v6, a.v7 * b.v7);
}
fn quants(g: u32, c: u32, r: u32, n_word: u32, word: u32) -> vec4<u32> {
 return wq[((g * p.n_chunk + c) * n_word + word) * 8u + r];
}
fn as_stored(v: Chunk) -> Coded {
 return Coded(v, vec4<f32>(1.0, 1.0, 0.0, 0.0));
}
fn bfloat4(a: u32, b: u32) -> vec4<f32> {
 return bitcast<vec4<f32>>(vec4<u32>(a << 16u, a & 0xffff0000u, b << 16u, b & 0xffff0000u));
}
fn coded(g: u32, c: u32, r: u32) -> Coded {
 let a = quants(g, c, r, 4u, 0u);
 let b = quants(g, c, r, 4u, 1u);
 let d = quants(g, c, r, 4u, 2u);
 let e = quants(g, c, r, 4u, 3u);
 return as_stored(Chunk(bfloat4(a.x, a.y), bfloat4(a.z, a.w), bfloat4(b.x, b.y), bfloat4(b.z, b.w),
  bfloat4(d.x, d.y), bfloat4(d.z, d.w), bfloat4(e.x, e.y), bfloat4(e.z, e.w)));
}
fn dequant(g: u32, c: u32, r: u32) -> Chunk {
 let w = coded(g, c, r);
                       {
  return w.q;
 }
}
fn soft_tanh(v: f32) -> f32 {
 let e = exp(-2.0 * min(abs(v), 15.0));
 return sign(v) * ((1.0 - e) / (1.0 + e));
}
fn silu(v: f32) -> f32 {
 return v / (1.0 + exp(clamp(-v, -80.0, 80.0)));
}
fn gelu_tanh(v: f32) -> f32 {
 return 0.5 * v * (1.0 + soft_tanh(0.7978845608 * (v + 0.044715 * v * v * v)));
}
fn activate(kind: u32, v: f32) -> f32 {
 if (kind == 1u) {
  return silu(v);
 }
 if (kind == 2u) {
  return gelu_tanh(v);
 }
 return v;
}
const ADD = 1u;
const BIAS = 2u;
const SOFTCAP = 4u;
fn store(sum: f32, row: u32, at: u32) {
 var v = sum;
 if ((p.flags & BIAS) != 0u) {
  v += bias[row];
 }
 v = activate(p.act, v);
 if ((p.flags & SOFTCAP) != 0u) {
  v = p.softcap * soft_tanh(v / p.softcap);
 }
 if ((p.flags & ADD) != 0u) {
  v += y[at];
 }
 y[at] = v;
}
const NONE = 0xffffffffu;
override L: u32 = 8u;
override G: u32 = 1u;
override T: u32 = 64u;
override B: u32 = 1u;
override NORM: bool = false;
struct P {
 n_chunk: u32,
 n_unit: u32,
 n_group: u32,
 n_rows: u32,
 row0: u32,
 by_expert: u32,
 n_expert: u32,
 glu: u32,
 x_slot_div: u32,
 y_stride: u32,
 eps: f32,
 act: u32,
 flags: u32,
 softcap: f32,
}
@group(0) @binding(0) var<storage, read> wq: array<vec4<u32>>;
@group(0) @binding(1) var<storage, read> ws: array<u32>;
@group(0) @binding(2) var<storage, read> x: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read> norm: array<vec4<f32>>;
@group(0) @binding(4) var<storage, read> bias: array<f32>;
@group(0) @binding(5) var<storage, read_write> y: array<f32>;
@group(0) @binding(6) var<storage, read> sel: array<u32>;
@group(0) @binding(7) var<uniform> p: P;
var<workgroup> partial: array<vec4<f32>, T>;
var<workgroup> squares: array<f32, T>;
fn column(at: u32) -> Chunk {
 return Chunk(x[at], x[at + 1u], x[at + 2u], x[at + 3u], x[at + 4u], x[at + 5u], x[at + 6u], x[at + 7u]);
}
fn norm_weights(at: u32) -> Chunk {
 return Chunk(norm[at], norm[at + 1u], norm[at + 2u], norm[at + 3u],
  norm[at + 4u], norm[at + 5u], norm[at + 6u], norm[at + 7u]);
}
fn write(sum: f32, y0: u32, row: u32) {
 if (row < p.n_rows) {
  store(sum, p.row0 + row, y0 + row);
 }
}
fn gate(sum: f32, up: f32, y0: u32, row: u32) {
 if (row < p.n_rows) {
  y[y0 + row] = activate(p.act, sum) * up;
 }
}
@compute @workgroup_size(T)
fn main(@builtin(local_invocation_index) t: u32, @builtin(workgroup_id) wg: vec3<u32>) {
 var first = 0u;
 if (p.by_expert == 1u) {
  let expert = sel[wg.y];
  if (expert == NONE) {
   return;
  }
  first = min(expert, p.n_expert - 1u) * p.n_group;
 }
 let r = t % 8u;
 let lane = (t / 8u) % L;
 let block = (wg.x * G + t / (8u * L)) * B;
 let x0 = wg.y / p.x_slot_div * p.n_chunk * 8u;
 let g = first + min(vec4<u32>(block) + vec4<u32>(0u, 1u, 2u, 3u), vec4<u32>(p.n_group - 1u));
 var sum = vec4<f32>();
 var square = 0.0;
 for (var c = lane; c < p.n_chunk; c += L) {
  var v = column(x0 + c * 8u);
  if (NORM) {
   square += chunk_dot(v, v);
   v = chunk_mul(v, norm_weights(c * 8u));
  }
  sum.x += chunk_dot(dequant(g.x, c, r), v);
  if (B > 1u) {
   sum.y += chunk_dot(dequant(g.y, c, r), v);
  }
  if (B > 2u) {
   sum.z += chunk_dot(dequant(g.z, c, r), v);
   sum.w += chunk_dot(dequant(g.w, c, r), v);
  }
 }
 if (L > 1u) {
  partial[t] = sum;
  squares[t] = square;
  workgroupBarrier();
  if (lane == 0u) {
   for (var l = 1u; l < L; l++) {
    sum += partial[t + 8u * l];
    square += squares[t + 8u * l];
   }
  }
 }
 if (lane > 0u || block >= p.n_group) {
  return;
 }
 if (NORM) {
  sum *= inverseSqrt(square / f32(p.n_chunk * 32u) + p.eps);
 }
 let y0 = wg.y * p.y_stride + p.row0;
 if (p.glu == 1u) {
  gate(sum.x, sum.y, y0, 4u * block + r);
  if (B > 2u) {
   gate(sum.z, sum.w, y0, 4u * block + 8u + r);
  }
  return;
 }
 write(sum.x, y0, 8u * block + r);
 if (B > 1u) {
  write(sum.y, y0, 8u * block + 8u + r);
 }
 if (B > 2u) {
  write(sum.z, y0, 8u * block + 16u + r);
  write(sum.w, y0, 8u * block + 24u + r);
 }
}
",
    },
    Shader {
        name: "matmul_vec_f16",
        kernel: "matmul_vec",
        workgroup_size: [64, 1, 1],
        bindings: &[
            Binding { index: 0, name: "wq", kind: BindingKind::Read, min_size: 16 },
            Binding { index: 1, name: "ws", kind: BindingKind::Read, min_size: 4 },
            Binding { index: 2, name: "x", kind: BindingKind::Read, min_size: 16 },
            Binding { index: 3, name: "norm", kind: BindingKind::Read, min_size: 16 },
            Binding { index: 4, name: "bias", kind: BindingKind::Read, min_size: 4 },
            Binding { index: 5, name: "y", kind: BindingKind::ReadWrite, min_size: 4 },
            Binding { index: 6, name: "sel", kind: BindingKind::Read, min_size: 4 },
            Binding { index: 7, name: "p", kind: BindingKind::Uniform, min_size: 56 },
        ],
        overrides: &[
            Override { name: "L", default: Some(8.0) },
            Override { name: "G", default: Some(1.0) },
            Override { name: "T", default: Some(64.0) },
            Override { name: "B", default: Some(1.0) },
            Override { name: "NORM", default: Some(0.0) },
        ],
        needs: &[],
        workgroup_bytes: 1280,
        uniform: &[
            UniformField { name: "n_chunk", offset: 0, size: 4 },
            UniformField { name: "n_unit", offset: 4, size: 4 },
            UniformField { name: "n_group", offset: 8, size: 4 },
            UniformField { name: "n_rows", offset: 12, size: 4 },
            UniformField { name: "row0", offset: 16, size: 4 },
            UniformField { name: "by_expert", offset: 20, size: 4 },
            UniformField { name: "n_expert", offset: 24, size: 4 },
            UniformField { name: "glu", offset: 28, size: 4 },
            UniformField { name: "x_slot_div", offset: 32, size: 4 },
            UniformField { name: "y_stride", offset: 36, size: 4 },
            UniformField { name: "eps", offset: 40, size: 4 },
            UniformField { name: "act", offset: 44, size: 4 },
            UniformField { name: "flags", offset: 48, size: 4 },
            UniformField { name: "softcap", offset: 52, size: 4 },
        ],
        wgsl: r"struct Chunk {
 v0: vec4<f32>,
 v1: vec4<f32>,
 v2: vec4<f32>,
 v3: vec4<f32>,
 v4: vec4<f32>,
 v5: vec4<f32>,
 v6: vec4<f32>,
 v7: vec4<f32>,
}
struct Coded {
 q: Chunk,
 s: vec4<f32>,
}
fn chunk_dot(a: Chunk, b: Chunk) -> f32 {
 return dot(a.v0, b.v0) + dot(a.v1, b.v1) + dot(a.v2, b.v2) + dot(a.v3, b.v3)
  + dot(a.v4, b.v4) + dot(a.v5, b.v5) + dot(a.v6, b.v6) + dot(a.v7, b.v7);
}
fn chunk_mul(a: Chunk, b: Chunk) -> Chunk {
 return Chunk(a.v0 * b.v0, a.v1 * b.v1, a.v2 * b.v2, a.v3 * b.v3,
  a.v4 * b.v4, a.v5 * b.v5, a.v6 * b.v6, a.v7 * b.v7);
}
fn quants(g: u32, c: u32, r: u32, n_word: u32, word: u32) -> vec4<u32> {
 return wq[((g * p.n_chunk + c) * n_word + word) * 8u + r];
}
fn half4(a: u32, b: u32) -> vec4<f32> {
 let h = vec4<u32>(a & 0xffffu, a >> 16u, b & 0xffffu, b >> 16u);
 let m = h & vec4<u32>(0x7fffu);
 let rebias = select(vec4<u32>(0x38000000u), vec4<u32>(0x70000000u), m >= vec4<u32>(0x7c00u));
 let normal = bitcast<vec4<f32>>((m << vec4<u32>(13u)) + rebias);
 let v = select(normal, vec4<f32>(m) * 0x1p-24f, m < vec4<u32>(0x400u));
 return bitcast<vec4<f32>>(bitcast<vec4<u32>>(v) | ((h & vec4<u32>(0x8000u)) << vec4<u32>(16u)));
}
fn as_stored(v: Chunk) -> Coded {
 return Coded(v, vec4<f32>(1.0, 1.0, 0.0, 0.0));
}
fn coded(g: u32, c: u32, r: u32) -> Coded {
 let a = quants(g, c, r, 4u, 0u);
 let b = quants(g, c, r, 4u, 1u);
 let d = quants(g, c, r, 4u, 2u);
 let e = quants(g, c, r, 4u, 3u);
 return as_stored(Chunk(half4(a.x, a.y), half4(a.z, a.w), half4(b.x, b.y), half4(b.z, b.w),
  half4(d.x, d.y), half4(d.z, d.w), half4(e.x, e.y), half4(e.z, e.w)));
}
fn dequant(g: u32, c: u32, r: u32) -> Chunk {
 let w = coded(g, c, r);
                       {
  return w.q;
 }
}
fn soft_tanh(v: f32) -> f32 {
 let e = exp(-2.0 * min(abs(v), 15.0));
 return sign(v) * ((1.0 - e) / (1.0 + e));
}
fn silu(v: f32) -> f32 {
 return v / (1.0 + exp(clamp(-v, -80.0, 80.0)));
}
fn gelu_tanh(v: f32) -> f32 {
 return 0.5 * v * (1.0 + soft_tanh(0.7978845608 * (v + 0.044715 * v * v * v)));
}
fn activate(kind: u32, v: f32) -> f32 {
 if (kind == 1u) {
  return silu(v);
 }
 if (kind == 2u) {
  return gelu_tanh(v);
 }
 return v;
}
const ADD = 1u;
const BIAS = 2u;
const SOFTCAP = 4u;
fn store(sum: f32, row: u32, at: u32) {
 var v = sum;
 if ((p.flags & BIAS) != 0u) {
  v += bias[row];
 }
 v = activate(p.act, v);
 if ((p.flags & SOFTCAP) != 0u) {
  v = p.softcap * soft_tanh(v / p.softcap);
 }
 if ((p.flags & ADD) != 0u) {
  v += y[at];
 }
 y[at] = v;
}
const NONE = 0xffffffffu;
override L: u32 = 8u;
override G: u32 = 1u;
override T: u32 = 64u;
override B: u32 = 1u;
override NORM: bool = false;
struct P {
 n_chunk: u32,
 n_unit: u32,
 n_group: u32,
 n_rows: u32,
 row0: u32,
 by_expert: u32,
 n_expert: u32,
 glu: u32,
 x_slot_div: u32,
 y_stride: u32,
 eps: f32,
 act: u32,
 flags: u32,
 softcap: f32,
}
@group(0) @binding(0) var<storage, read> wq: array<vec4<u32>>;
@group(0) @binding(1) var<storage, read> ws: array<u32>;
@group(0) @binding(2) var<storage, read> x: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read> norm: array<vec4<f32>>;
@group(0) @binding(4) var<storage, read> bias: array<f32>;
@group(0) @binding(5) var<storage, read_write> y: array<f32>;
@group(0) @binding(6) var<storage, read> sel: array<u32>;
@group(0) @binding(7) var<uniform> p: P;
var<workgroup> partial: array<vec4<f32>, T>;
var<workgroup> squares: array<f32, T>;
fn column(at: u32) -> Chunk {
 return Chunk(x[at], x[at + 1u], x[at + 2u], x[at + 3u], x[at + 4u], x[at + 5u], x[at + 6u], x[at + 7u]);
}
fn norm_weights(at: u32) -> Chunk {
 return Chunk(norm[at], norm[at + 1u], norm[at + 2u], norm[at + 3u],
  norm[at + 4u], norm[at + 5u], norm[at + 6u], norm[at + 7u]);
}
fn write(sum: f32, y0: u32, row: u32) {
 if (row < p.n_rows) {
  store(sum, p.row0 + row, y0 + row);
 }
}
fn gate(sum: f32, up: f32, y0: u32, row: u32) {
 if (row < p.n_rows) {
  y[y0 + row] = activate(p.act, sum) * up;
 }
}
@compute @workgroup_size(T)
fn main(@builtin(local_invocation_index) t: u32, @builtin(workgroup_id) wg: vec3<u32>) {
 var first = 0u;
 if (p.by_expert == 1u) {
  let expert = sel[wg.y];
  if (expert == NONE) {
   return;
  }
  first = min(expert, p.n_expert - 1u) * p.n_group;
 }
 let r = t % 8u;
 let lane = (t / 8u) % L;
 let block = (wg.x * G + t / (8u * L)) * B;
 let x0 = wg.y / p.x_slot_div * p.n_chunk * 8u;
 let g = first + min(vec4<u32>(block) + vec4<u32>(0u, 1u, 2u, 3u), vec4<u32>(p.n_group - 1u));
 var sum = vec4<f32>();
 var square = 0.0;
 for (var c = lane; c < p.n_chunk; c += L) {
  var v = column(x0 + c * 8u);
  if (NORM) {
   square += chunk_dot(v, v);
   v = chunk_mul(v, norm_weights(c * 8u));
  }
  sum.x += chunk_dot(dequant(g.x, c, r), v);
  if (B > 1u) {
   sum.y += chunk_dot(dequant(g.y, c, r), v);
  }
  if (B > 2u) {
   sum.z += chunk_dot(dequant(g.z, c, r), v);
   sum.w += chunk_dot(dequant(g.w, c, r), v);
  }
 }
 if (L > 1u) {
  partial[t] = sum;
  squares[t] = square;
  workgroupBarrier();
  if (lane == 0u) {
   for (var l = 1u; l < L; l++) {
    sum += partial[t + 8u * l];
    square += squares[t + 8u * l];
   }
  }
 }
 if (lane > 0u || block >= p.n_group) {
  return;
 }
 if (NORM) {
  sum *= inverseSqrt(square / f32(p.n_chunk * 32u) + p.eps);
 }
 let y0 = wg.y * p.y_stride + p.row0;
 if (p.glu == 1u) {
  gate(sum.x, sum.y, y0, 4u * block + r);
  if (B > 2u) {
   gate(sum.z, sum.w, y0, 4u * block + 8u + r);
  }
  return;
 }
 write(sum.x, y0, 8u * block + r);
 if (B > 1u) {
  write(sum.y, y0, 8u * block + 8u + r);
 }
 if (B > 2u) {
  write(sum.z, y0, 8u * block + 16u + r);
  write(sum.w, y0, 8u * block + 24u + r);
 }
}
",
    },
    Shader {
        name: "matmul_vec_f32",
        kernel: "matmul_vec",
        workgroup_size: [64, 1, 1],
        bindings: &[
            Binding { index: 0, name: "wq", kind: BindingKind::Read, min_size: 16 },
            Binding { index: 1, name: "ws", kind: BindingKind::Read, min_size: 4 },
            Binding { index: 2, name: "x", kind: BindingKind::Read, min_size: 16 },
            Binding { index: 3, name: "norm", kind: BindingKind::Read, min_size: 16 },
            Binding { index: 4, name: "bias", kind: BindingKind::Read, min_size: 4 },
            Binding { index: 5, name: "y", kind: BindingKind::ReadWrite, min_size: 4 },
            Binding { index: 6, name: "sel", kind: BindingKind::Read, min_size: 4 },
            Binding { index: 7, name: "p", kind: BindingKind::Uniform, min_size: 56 },
        ],
        overrides: &[
            Override { name: "L", default: Some(8.0) },
            Override { name: "G", default: Some(1.0) },
            Override { name: "T", default: Some(64.0) },
            Override { name: "B", default: Some(1.0) },
            Override { name: "NORM", default: Some(0.0) },
        ],
        needs: &[],
        workgroup_bytes: 1280,
        uniform: &[
            UniformField { name: "n_chunk", offset: 0, size: 4 },
            UniformField { name: "n_unit", offset: 4, size: 4 },
            UniformField { name: "n_group", offset: 8, size: 4 },
            UniformField { name: "n_rows", offset: 12, size: 4 },
            UniformField { name: "row0", offset: 16, size: 4 },
            UniformField { name: "by_expert", offset: 20, size: 4 },
            UniformField { name: "n_expert", offset: 24, size: 4 },
            UniformField { name: "glu", offset: 28, size: 4 },
            UniformField { name: "x_slot_div", offset: 32, size: 4 },
            UniformField { name: "y_stride", offset: 36, size: 4 },
            UniformField { name: "eps", offset: 40, size: 4 },
            UniformField { name: "act", offset: 44, size: 4 },
            UniformField { name: "flags", offset: 48, size: 4 },
            UniformField { name: "softcap", offset: 52, size: 4 },
        ],
        wgsl: r"struct Chunk {
 v0: vec4<f32>,
 v1: vec4<f32>,
 v2: vec4<f32>,
 v3: vec4<f32>,
 v4: vec4<f32>,
 v5: vec4<f32>,
 v6: vec4<f32>,
 v7: vec4<f32>,
}
struct Coded {
 q: Chunk,
 s: vec4<f32>,
}
fn chunk_dot(a: Chunk, b: Chunk) -> f32 {
 return dot(a.v0, b.v0) + dot(a.v1, b.v1) + dot(a.v2, b.v2) + dot(a.v3, b.v3)
  + dot(a.v4, b.v4) + dot(a.v5, b.v5) + dot(a.v6, b.v6) + dot(a.v7, b.v7);
}
fn chunk_mul(a: Chunk, b: Chunk) -> Chunk {
 return Chunk(a.v0 * b.v0, a.v1 * b.v1, a.v2 * b.v2, a.v3 * b.v3,
  a.v4 * b.v4, a.v5 * b.v5, a.v6 * b.v6, a.v7 * b.v7);
}
fn quants(g: u32, c: u32, r: u32, n_word: u32, word: u32) -> vec4<u32> {
 return wq[((g * p.n_chunk + c) * n_word + word) * 8u + r];
}
fn as_stored(v: Chunk) -> Coded {
 return Coded(v, vec4<f32>(1.0, 1.0, 0.0, 0.0));
}
fn floats(g: u32, c: u32, r: u32, word: u32) -> vec4<f32> {
 return bitcast<vec4<f32>>(quants(g, c, r, 8u, word));
}
fn coded(g: u32, c: u32, r: u32) -> Coded {
 return as_stored(Chunk(floats(g, c, r, 0u), floats(g, c, r, 1u), floats(g, c, r, 2u), floats(g, c, r, 3u),
  floats(g, c, r, 4u), floats(g, c, r, 5u), floats(g, c, r, 6u), floats(g, c, r, 7u)));
}
fn dequant(g: u32, c: u32, r: u32) -> Chunk {
 let w = coded(g, c, r);
                       {
  return w.q;
 }
}
fn soft_tanh(v: f32) -> f32 {
 let e = exp(-2.0 * min(abs(v), 15.0));
 return sign(v) * ((1.0 - e) / (1.0 + e));
}
fn silu(v: f32) -> f32 {
 return v / (1.0 + exp(clamp(-v, -80.0, 80.0)));
}
fn gelu_tanh(v: f32) -> f32 {
 return 0.5 * v * (1.0 + soft_tanh(0.7978845608 * (v + 0.044715 * v * v * v)));
}
fn activate(kind: u32, v: f32) -> f32 {
 if (kind == 1u) {
  return silu(v);
 }
 if (kind == 2u) {
  return gelu_tanh(v);
 }
 return v;
}
const ADD = 1u;
const BIAS = 2u;
const SOFTCAP = 4u;
fn store(sum: f32, row: u32, at: u32) {
 var v = sum;
 if ((p.flags & BIAS) != 0u) {
  v += bias[row];
 }
 v = activate(p.act, v);
 if ((p.flags & SOFTCAP) != 0u) {
  v = p.softcap * soft_tanh(v / p.softcap);
 }
 if ((p.flags & ADD) != 0u) {
  v += y[at];
 }
 y[at] = v;
}
const NONE = 0xffffffffu;
override L: u32 = 8u;
override G: u32 = 1u;
override T: u32 = 64u;
override B: u32 = 1u;
override NORM: bool = false;
struct P {
 n_chunk: u32,
 n_unit: u32,
 n_group: u32,
 n_rows: u32,
 row0: u32,
 by_expert: u32,
 n_expert: u32,
 glu: u32,
 x_slot_div: u32,
 y_stride: u32,
 eps: f32,
 act: u32,
 flags: u32,
 softcap: f32,
}
@group(0) @binding(0) var<storage, read> wq: array<vec4<u32>>;
@group(0) @binding(1) var<storage, read> ws: array<u32>;
@group(0) @binding(2) var<storage, read> x: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read> norm: array<vec4<f32>>;
@group(0) @binding(4) var<storage, read> bias: array<f32>;
@group(0) @binding(5) var<storage, read_write> y: array<f32>;
@group(0) @binding(6) var<storage, read> sel: array<u32>;
@group(0) @binding(7) var<uniform> p: P;
var<workgroup> partial: array<vec4<f32>, T>;
var<workgroup> squares: array<f32, T>;
fn column(at: u32) -> Chunk {
 return Chunk(x[at], x[at + 1u], x[at + 2u], x[at + 3u], x[at + 4u], x[at + 5u], x[at + 6u], x[at + 7u]);
}
fn norm_weights(at: u32) -> Chunk {
 return Chunk(norm[at], norm[at + 1u], norm[at + 2u], norm[at + 3u],
  norm[at + 4u], norm[at + 5u], norm[at + 6u], norm[at + 7u]);
}
fn write(sum: f32, y0: u32, row: u32) {
 if (row < p.n_rows) {
  store(sum, p.row0 + row, y0 + row);
 }
}
fn gate(sum: f32, up: f32, y0: u32, row: u32) {
 if (row < p.n_rows) {
  y[y0 + row] = activate(p.act, sum) * up;
 }
}
@compute @workgroup_size(T)
fn main(@builtin(local_invocation_index) t: u32, @builtin(workgroup_id) wg: vec3<u32>) {
 var first = 0u;
 if (p.by_expert == 1u) {
  let expert = sel[wg.y];
  if (expert == NONE) {
   return;
  }
  first = min(expert, p.n_expert - 1u) * p.n_group;
 }
 let r = t % 8u;
 let lane = (t / 8u) % L;
 let block = (wg.x * G + t / (8u * L)) * B;
 let x0 = wg.y / p.x_slot_div * p.n_chunk * 8u;
 let g = first + min(vec4<u32>(block) + vec4<u32>(0u, 1u, 2u, 3u), vec4<u32>(p.n_group - 1u));
 var sum = vec4<f32>();
 var square = 0.0;
 for (var c = lane; c < p.n_chunk; c += L) {
  var v = column(x0 + c * 8u);
  if (NORM) {
   square += chunk_dot(v, v);
   v = chunk_mul(v, norm_weights(c * 8u));
  }
  sum.x += chunk_dot(dequant(g.x, c, r), v);
  if (B > 1u) {
   sum.y += chunk_dot(dequant(g.y, c, r), v);
  }
  if (B > 2u) {
   sum.z += chunk_dot(dequant(g.z, c, r), v);
   sum.w += chunk_dot(dequant(g.w, c, r), v);
  }
 }
 if (L > 1u) {
  partial[t] = sum;
  squares[t] = square;
  workgroupBarrier();
  if (lane == 0u) {
   for (var l = 1u; l < L; l++) {
    sum += partial[t + 8u * l];
    square += squares[t + 8u * l];
   }
  }
 }
 if (lane > 0u || block >= p.n_group) {
  return;
 }
 if (NORM) {
  sum *= inverseSqrt(square / f32(p.n_chunk * 32u) + p.eps);
 }
 let y0 = wg.y * p.y_stride + p.row0;
 if (p.glu == 1u) {
  gate(sum.x, sum.y, y0, 4u * block + r);
  if (B > 2u) {
   gate(sum.z, sum.w, y0, 4u * block + 8u + r);
  }
  return;
 }
 write(sum.x, y0, 8u * block + r);
 if (B > 1u) {
  write(sum.y, y0, 8u * block + 8u + r);
 }
 if (B > 2u) {
  write(sum.z, y0, 8u * block + 16u + r);
  write(sum.w, y0, 8u * block + 24u + r);
 }
}
",
    },
    Shader {
        name: "matmul_vec_iq4",
        kernel: "matmul_vec",
        workgroup_size: [64, 1, 1],
        bindings: &[
            Binding { index: 0, name: "wq", kind: BindingKind::Read, min_size: 16 },
            Binding { index: 1, name: "ws", kind: BindingKind::Read, min_size: 4 },
            Binding { index: 2, name: "x", kind: BindingKind::Read, min_size: 16 },
            Binding { index: 3, name: "norm", kind: BindingKind::Read, min_size: 16 },
            Binding { index: 4, name: "bias", kind: BindingKind::Read, min_size: 4 },
            Binding { index: 5, name: "y", kind: BindingKind::ReadWrite, min_size: 4 },
            Binding { index: 6, name: "sel", kind: BindingKind::Read, min_size: 4 },
            Binding { index: 7, name: "p", kind: BindingKind::Uniform, min_size: 56 },
        ],
        overrides: &[
            Override { name: "L", default: Some(8.0) },
            Override { name: "G", default: Some(1.0) },
            Override { name: "T", default: Some(64.0) },
            Override { name: "B", default: Some(1.0) },
            Override { name: "NORM", default: Some(0.0) },
        ],
        needs: &[],
        workgroup_bytes: 1280,
        uniform: &[
            UniformField { name: "n_chunk", offset: 0, size: 4 },
            UniformField { name: "n_unit", offset: 4, size: 4 },
            UniformField { name: "n_group", offset: 8, size: 4 },
            UniformField { name: "n_rows", offset: 12, size: 4 },
            UniformField { name: "row0", offset: 16, size: 4 },
            UniformField { name: "by_expert", offset: 20, size: 4 },
            UniformField { name: "n_expert", offset: 24, size: 4 },
            UniformField { name: "glu", offset: 28, size: 4 },
            UniformField { name: "x_slot_div", offset: 32, size: 4 },
            UniformField { name: "y_stride", offset: 36, size: 4 },
            UniformField { name: "eps", offset: 40, size: 4 },
            UniformField { name: "act", offset: 44, size: 4 },
            UniformField { name: "flags", offset: 48, size: 4 },
            UniformField { name: "softcap", offset: 52, size: 4 },
        ],
        wgsl: r"struct Chunk {
 v0: vec4<f32>,
 v1: vec4<f32>,
 v2: vec4<f32>,
 v3: vec4<f32>,
 v4: vec4<f32>,
 v5: vec4<f32>,
 v6: vec4<f32>,
 v7: vec4<f32>,
}
struct Coded {
 q: Chunk,
 s: vec4<f32>,
}
fn chunk_dot(a: Chunk, b: Chunk) -> f32 {
 return dot(a.v0, b.v0) + dot(a.v1, b.v1) + dot(a.v2, b.v2) + dot(a.v3, b.v3)
  + dot(a.v4, b.v4) + dot(a.v5, b.v5) + dot(a.v6, b.v6) + dot(a.v7, b.v7);
}
fn chunk_mul(a: Chunk, b: Chunk) -> Chunk {
 return Chunk(a.v0 * b.v0, a.v1 * b.v1, a.v2 * b.v2, a.v3 * b.v3,
  a.v4 * b.v4, a.v5 * b.v5, a.v6 * b.v6, a.v7 * b.v7);
}
fn chunk_scale(q: Chunk, lo: f32, hi: f32) -> Chunk {
 return Chunk(q.v0 * lo, q.v1 * lo, q.v2 * lo, q.v3 * lo, q.v4 * hi, q.v5 * hi, q.v6 * hi, q.v7 * hi);
}
fn quants(g: u32, c: u32, r: u32, n_word: u32, word: u32) -> vec4<u32> {
 return wq[((g * p.n_chunk + c) * n_word + word) * 8u + r];
}
fn scale_word(g: u32, unit: u32, r: u32, n_word: u32, word: u32) -> u32 {
 return ws[((g * p.n_unit + unit) * n_word + word) * 8u + r];
}
fn nibbles(w: u32) -> vec4<u32> {
 return (vec4<u32>(w) >> vec4<u32>(0u, 8u, 16u, 24u)) & vec4<u32>(15u);
}
fn code(w: u32) -> vec4<f32> {
 let n = nibbles(w);
 let second = (n & vec4<u32>(4u)) != vec4<u32>(0u);
 let low = select(vec4<u32>(0xbfad9881u), vec4<u32>(0xf6eaddcfu), second);
 let high = select(vec4<u32>(0x26190d01u), vec4<u32>(0x71594535u), second);
 let word = select(low, high, n >= vec4<u32>(8u));
 let byte = word << (vec4<u32>(24u) - ((n & vec4<u32>(3u)) << vec4<u32>(3u)));
 return vec4<f32>(bitcast<vec4<i32>>(byte) >> vec4<u32>(24u));
}
fn coded(g: u32, c: u32, r: u32) -> Coded {
 let s = bitcast<f32>(scale_word(g, c, r, 1u, 0u));
 let q = quants(g, c, r, 1u, 0u);
 let h = q >> vec4<u32>(4u);
 let v = Chunk(code(q.x), code(q.y), code(q.z), code(q.w), code(h.x), code(h.y), code(h.z), code(h.w));
 return Coded(v, vec4<f32>(s, s, 0.0, 0.0));
}
fn dequant(g: u32, c: u32, r: u32) -> Chunk {
 let w = coded(g, c, r);
    {
  return chunk_scale(w.q, w.s.x, w.s.y);
 }
}
fn soft_tanh(v: f32) -> f32 {
 let e = exp(-2.0 * min(abs(v), 15.0));
 return sign(v) * ((1.0 - e) / (1.0 + e));
}
fn silu(v: f32) -> f32 {
 return v / (1.0 + exp(clamp(-v, -80.0, 80.0)));
}
fn gelu_tanh(v: f32) -> f32 {
 return 0.5 * v * (1.0 + soft_tanh(0.7978845608 * (v + 0.044715 * v * v * v)));
}
fn activate(kind: u32, v: f32) -> f32 {
 if (kind == 1u) {
  return silu(v);
 }
 if (kind == 2u) {
  return gelu_tanh(v);
 }
 return v;
}
const ADD = 1u;
const BIAS = 2u;
const SOFTCAP = 4u;
fn store(sum: f32, row: u32, at: u32) {
 var v = sum;
 if ((p.flags & BIAS) != 0u) {
  v += bias[row];
 }
 v = activate(p.act, v);
 if ((p.flags & SOFTCAP) != 0u) {
  v = p.softcap * soft_tanh(v / p.softcap);
 }
 if ((p.flags & ADD) != 0u) {
  v += y[at];
 }
 y[at] = v;
}
const NONE = 0xffffffffu;
override L: u32 = 8u;
override G: u32 = 1u;
override T: u32 = 64u;
override B: u32 = 1u;
override NORM: bool = false;
struct P {
 n_chunk: u32,
 n_unit: u32,
 n_group: u32,
 n_rows: u32,
 row0: u32,
 by_expert: u32,
 n_expert: u32,
 glu: u32,
 x_slot_div: u32,
 y_stride: u32,
 eps: f32,
 act: u32,
 flags: u32,
 softcap: f32,
}
@group(0) @binding(0) var<storage, read> wq: array<vec4<u32>>;
@group(0) @binding(1) var<storage, read> ws: array<u32>;
@group(0) @binding(2) var<storage, read> x: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read> norm: array<vec4<f32>>;
@group(0) @binding(4) var<storage, read> bias: array<f32>;
@group(0) @binding(5) var<storage, read_write> y: array<f32>;
@group(0) @binding(6) var<storage, read> sel: array<u32>;
@group(0) @binding(7) var<uniform> p: P;
var<workgroup> partial: array<vec4<f32>, T>;
var<workgroup> squares: array<f32, T>;
fn column(at: u32) -> Chunk {
 return Chunk(x[at], x[at + 1u], x[at + 2u], x[at + 3u], x[at + 4u], x[at + 5u], x[at + 6u], x[at + 7u]);
}
fn norm_weights(at: u32) -> Chunk {
 return Chunk(norm[at], norm[at + 1u], norm[at + 2u], norm[at + 3u],
  norm[at + 4u], norm[at + 5u], norm[at + 6u], norm[at + 7u]);
}
fn write(sum: f32, y0: u32, row: u32) {
 if (row < p.n_rows) {
  store(sum, p.row0 + row, y0 + row);
 }
}
fn gate(sum: f32, up: f32, y0: u32, row: u32) {
 if (row < p.n_rows) {
  y[y0 + row] = activate(p.act, sum) * up;
 }
}
@compute @workgroup_size(T)
fn main(@builtin(local_invocation_index) t: u32, @builtin(workgroup_id) wg: vec3<u32>) {
 var first = 0u;
 if (p.by_expert == 1u) {
  let expert = sel[wg.y];
  if (expert == NONE) {
   return;
  }
  first = min(expert, p.n_expert - 1u) * p.n_group;
 }
 let r = t % 8u;
 let lane = (t / 8u) % L;
 let block = (wg.x * G + t / (8u * L)) * B;
 let x0 = wg.y / p.x_slot_div * p.n_chunk * 8u;
 let g = first + min(vec4<u32>(block) + vec4<u32>(0u, 1u, 2u, 3u), vec4<u32>(p.n_group - 1u));
 var sum = vec4<f32>();
 var square = 0.0;
 for (var c = lane; c < p.n_chunk; c += L) {
  var v = column(x0 + c * 8u);
  if (NORM) {
   square += chunk_dot(v, v);
   v = chunk_mul(v, norm_weights(c * 8u));
  }
  sum.x += chunk_dot(dequant(g.x, c, r), v);
  if (B > 1u) {
   sum.y += chunk_dot(dequant(g.y, c, r), v);
  }
  if (B > 2u) {
   sum.z += chunk_dot(dequant(g.z, c, r), v);
   sum.w += chunk_dot(dequant(g.w, c, r), v);
  }
 }
 if (L > 1u) {
  partial[t] = sum;
  squares[t] = square;
  workgroupBarrier();
  if (lane == 0u) {
   for (var l = 1u; l < L; l++) {
    sum += partial[t + 8u * l];
    square += squares[t + 8u * l];
   }
  }
 }
 if (lane > 0u || block >= p.n_group) {
  return;
 }
 if (NORM) {
  sum *= inverseSqrt(square / f32(p.n_chunk * 32u) + p.eps);
 }
 let y0 = wg.y * p.y_stride + p.row0;
 if (p.glu == 1u) {
  gate(sum.x, sum.y, y0, 4u * block + r);
  if (B > 2u) {
   gate(sum.z, sum.w, y0, 4u * block + 8u + r);
  }
  return;
 }
 write(sum.x, y0, 8u * block + r);
 if (B > 1u) {
  write(sum.y, y0, 8u * block + 8u + r);
 }
 if (B > 2u) {
  write(sum.z, y0, 8u * block + 16u + r);
  write(sum.w, y0, 8u * block + 24u + r);
 }
}
",
    },
    Shader {
        name: "matmul_vec_mxfp4",
        kernel: "matmul_vec",
        workgroup_size: [64, 1, 1],
        bindings: &[
            Binding { index: 0, name: "wq", kind: BindingKind::Read, min_size: 16 },
            Binding { index: 1, name: "ws", kind: BindingKind::Read, min_size: 4 },
            Binding { index: 2, name: "x", kind: BindingKind::Read, min_size: 16 },
            Binding { index: 3, name: "norm", kind: BindingKind::Read, min_size: 16 },
            Binding { index: 4, name: "bias", kind: BindingKind::Read, min_size: 4 },
            Binding { index: 5, name: "y", kind: BindingKind::ReadWrite, min_size: 4 },
            Binding { index: 6, name: "sel", kind: BindingKind::Read, min_size: 4 },
            Binding { index: 7, name: "p", kind: BindingKind::Uniform, min_size: 56 },
        ],
        overrides: &[
            Override { name: "L", default: Some(8.0) },
            Override { name: "G", default: Some(1.0) },
            Override { name: "T", default: Some(64.0) },
            Override { name: "B", default: Some(1.0) },
            Override { name: "NORM", default: Some(0.0) },
        ],
        needs: &[],
        workgroup_bytes: 1280,
        uniform: &[
            UniformField { name: "n_chunk", offset: 0, size: 4 },
            UniformField { name: "n_unit", offset: 4, size: 4 },
            UniformField { name: "n_group", offset: 8, size: 4 },
            UniformField { name: "n_rows", offset: 12, size: 4 },
            UniformField { name: "row0", offset: 16, size: 4 },
            UniformField { name: "by_expert", offset: 20, size: 4 },
            UniformField { name: "n_expert", offset: 24, size: 4 },
            UniformField { name: "glu", offset: 28, size: 4 },
            UniformField { name: "x_slot_div", offset: 32, size: 4 },
            UniformField { name: "y_stride", offset: 36, size: 4 },
            UniformField { name: "eps", offset: 40, size: 4 },
            UniformField { name: "act", offset: 44, size: 4 },
            UniformField { name: "flags", offset: 48, size: 4 },
            UniformField { name: "softcap", offset: 52, size: 4 },
        ],
        wgsl: r"struct Chunk {
 v0: vec4<f32>,
 v1: vec4<f32>,
 v2: vec4<f32>,
 v3: vec4<f32>,
 v4: vec4<f32>,
 v5: vec4<f32>,
 v6: vec4<f32>,
 v7: vec4<f32>,
}
struct Coded {
 q: Chunk,
 s: vec4<f32>,
}
fn chunk_dot(a: Chunk, b: Chunk) -> f32 {
 return dot(a.v0, b.v0) + dot(a.v1, b.v1) + dot(a.v2, b.v2) + dot(a.v3, b.v3)
  + dot(a.v4, b.v4) + dot(a.v5, b.v5) + dot(a.v6, b.v6) + dot(a.v7, b.v7);
}
fn chunk_mul(a: Chunk, b: Chunk) -> Chunk {
 return Chunk(a.v0 * b.v0, a.v1 * b.v1, a.v2 * b.v2, a.v3 * b.v3,
  a.v4 * b.v4, a.v5 * b.v5, a.v6 * b.v6, a.v7 * b.v7);
}
fn chunk_scale(q: Chunk, lo: f32, hi: f32) -> Chunk {
 return Chunk(q.v0 * lo, q.v1 * lo, q.v2 * lo, q.v3 * lo, q.v4 * hi, q.v5 * hi, q.v6 * hi, q.v7 * hi);
}
fn quants(g: u32, c: u32, r: u32, n_word: u32, word: u32) -> vec4<u32> {
 return wq[((g * p.n_chunk + c) * n_word + word) * 8u + r];
}
fn scale_word(g: u32, unit: u32, r: u32, n_word: u32, word: u32) -> u32 {
 return ws[((g * p.n_unit + unit) * n_word + word) * 8u + r];
}
fn nibbles(w: u32) -> vec4<u32> {
 return (vec4<u32>(w) >> vec4<u32>(0u, 8u, 16u, 24u)) & vec4<u32>(15u);
}
fn code(w: u32) -> vec4<f32> {
 let n = nibbles(w);
 let m = n & vec4<u32>(1u);
 let e = (n >> vec4<u32>(1u)) & vec4<u32>(3u);
 let normal = (vec4<u32>(2u) | m) << (max(e, vec4<u32>(1u)) - vec4<u32>(1u));
 let v = vec4<i32>(select(normal, m, e == vec4<u32>(0u)));
 return vec4<f32>(select(v, -v, n >= vec4<u32>(8u)));
}
fn coded(g: u32, c: u32, r: u32) -> Coded {
 let s = bitcast<f32>(scale_word(g, c, r, 1u, 0u));
 let q = quants(g, c, r, 1u, 0u);
 let h = q >> vec4<u32>(4u);
 let v = Chunk(code(q.x), code(q.y), code(q.z), code(q.w), code(h.x), code(h.y), code(h.z), code(h.w));
 return Coded(v, vec4<f32>(s, s, 0.0, 0.0));
}
fn dequant(g: u32, c: u32, r: u32) -> Chunk {
 let w = coded(g, c, r);
    {
  return chunk_scale(w.q, w.s.x, w.s.y);
 }
}
fn soft_tanh(v: f32) -> f32 {
 let e = exp(-2.0 * min(abs(v), 15.0));
 return sign(v) * ((1.0 - e) / (1.0 + e));
}
fn silu(v: f32) -> f32 {
 return v / (1.0 + exp(clamp(-v, -80.0, 80.0)));
}
fn gelu_tanh(v: f32) -> f32 {
 return 0.5 * v * (1.0 + soft_tanh(0.7978845608 * (v + 0.044715 * v * v * v)));
}
fn activate(kind: u32, v: f32) -> f32 {
 if (kind == 1u) {
  return silu(v);
 }
 if (kind == 2u) {
  return gelu_tanh(v);
 }
 return v;
}
const ADD = 1u;
const BIAS = 2u;
const SOFTCAP = 4u;
fn store(sum: f32, row: u32, at: u32) {
 var v = sum;
 if ((p.flags & BIAS) != 0u) {
  v += bias[row];
 }
 v = activate(p.act, v);
 if ((p.flags & SOFTCAP) != 0u) {
  v = p.softcap * soft_tanh(v / p.softcap);
 }
 if ((p.flags & ADD) != 0u) {
  v += y[at];
 }
 y[at] = v;
}
const NONE = 0xffffffffu;
override L: u32 = 8u;
override G: u32 = 1u;
override T: u32 = 64u;
override B: u32 = 1u;
override NORM: bool = false;
struct P {
 n_chunk: u32,
 n_unit: u32,
 n_group: u32,
 n_rows: u32,
 row0: u32,
 by_expert: u32,
 n_expert: u32,
 glu: u32,
 x_slot_div: u32,
 y_stride: u32,
 eps: f32,
 act: u32,
 flags: u32,
 softcap: f32,
}
@group(0) @binding(0) var<storage, read> wq: array<vec4<u32>>;
@group(0) @binding(1) var<storage, read> ws: array<u32>;
@group(0) @binding(2) var<storage, read> x: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read> norm: array<vec4<f32>>;
@group(0) @binding(4) var<storage, read> bias: array<f32>;
@group(0) @binding(5) var<storage, read_write> y: array<f32>;
@group(0) @binding(6) var<storage, read> sel: array<u32>;
@group(0) @binding(7) var<uniform> p: P;
var<workgroup> partial: array<vec4<f32>, T>;
var<workgroup> squares: array<f32, T>;
fn column(at: u32) -> Chunk {
 return Chunk(x[at], x[at + 1u], x[at + 2u], x[at + 3u], x[at + 4u], x[at + 5u], x[at + 6u], x[at + 7u]);
}
fn norm_weights(at: u32) -> Chunk {
 return Chunk(norm[at], norm[at + 1u], norm[at + 2u], norm[at + 3u],
  norm[at + 4u], norm[at + 5u], norm[at + 6u], norm[at + 7u]);
}
fn write(sum: f32, y0: u32, row: u32) {
 if (row < p.n_rows) {
  store(sum, p.row0 + row, y0 + row);
 }
}
fn gate(sum: f32, up: f32, y0: u32, row: u32) {
 if (row < p.n_rows) {
  y[y0 + row] = activate(p.act, sum) * up;
 }
}
@compute @workgroup_size(T)
fn main(@builtin(local_invocation_index) t: u32, @builtin(workgroup_id) wg: vec3<u32>) {
 var first = 0u;
 if (p.by_expert == 1u) {
  let expert = sel[wg.y];
  if (expert == NONE) {
   return;
  }
  first = min(expert, p.n_expert - 1u) * p.n_group;
 }
 let r = t % 8u;
 let lane = (t / 8u) % L;
 let block = (wg.x * G + t / (8u * L)) * B;
 let x0 = wg.y / p.x_slot_div * p.n_chunk * 8u;
 let g = first + min(vec4<u32>(block) + vec4<u32>(0u, 1u, 2u, 3u), vec4<u32>(p.n_group - 1u));
 var sum = vec4<f32>();
 var square = 0.0;
 for (var c = lane; c < p.n_chunk; c += L) {
  var v = column(x0 + c * 8u);
  if (NORM) {
   square += chunk_dot(v, v);
   v = chunk_mul(v, norm_weights(c * 8u));
  }
  sum.x += chunk_dot(dequant(g.x, c, r), v);
  if (B > 1u) {
   sum.y += chunk_dot(dequant(g.y, c, r), v);
  }
  if (B > 2u) {
   sum.z += chunk_dot(dequant(g.z, c, r), v);
   sum.w += chunk_dot(dequant(g.w, c, r), v);
  }
 }
 if (L > 1u) {
  partial[t] = sum;
  squares[t] = square;
  workgroupBarrier();
  if (lane == 0u) {
   for (var l = 1u; l < L; l++) {
    sum += partial[t + 8u * l];
    square += squares[t + 8u * l];
   }
  }
 }
 if (lane > 0u || block >= p.n_group) {
  return;
 }
 if (NORM) {
  sum *= inverseSqrt(square / f32(p.n_chunk * 32u) + p.eps);
 }
 let y0 = wg.y * p.y_stride + p.row0;
 if (p.glu == 1u) {
  gate(sum.x, sum.y, y0, 4u * block + r);
  if (B > 2u) {
   gate(sum.z, sum.w, y0, 4u * block + 8u + r);
  }
  return;
 }
 write(sum.x, y0, 8u * block + r);
 if (B > 1u) {
  write(sum.y, y0, 8u * block + 8u + r);
 }
 if (B > 2u) {
  write(sum.z, y0, 8u * block + 16u + r);
  write(sum.w, y0, 8u * block + 24u + r);
 }
}
",
    },
    Shader {
        name: "matmul_vec_q2k",
        kernel: "matmul_vec",
        workgroup_size: [64, 1, 1],
        bindings: &[
            Binding { index: 0, name: "wq", kind: BindingKind::Read, min_size: 16 },
            Binding { index: 1, name: "ws", kind: BindingKind::Read, min_size: 4 },
            Binding { index: 2, name: "x", kind: BindingKind::Read, min_size: 16 },
            Binding { index: 3, name: "norm", kind: BindingKind::Read, min_size: 16 },
            Binding { index: 4, name: "bias", kind: BindingKind::Read, min_size: 4 },
            Binding { index: 5, name: "y", kind: BindingKind::ReadWrite, min_size: 4 },
            Binding { index: 6, name: "sel", kind: BindingKind::Read, min_size: 4 },
            Binding { index: 7, name: "p", kind: BindingKind::Uniform, min_size: 56 },
        ],
        overrides: &[
            Override { name: "L", default: Some(8.0) },
            Override { name: "G", default: Some(1.0) },
            Override { name: "T", default: Some(64.0) },
            Override { name: "B", default: Some(1.0) },
            Override { name: "NORM", default: Some(0.0) },
        ],
        needs: &[],
        workgroup_bytes: 1280,
        uniform: &[
            UniformField { name: "n_chunk", offset: 0, size: 4 },
            UniformField { name: "n_unit", offset: 4, size: 4 },
            UniformField { name: "n_group", offset: 8, size: 4 },
            UniformField { name: "n_rows", offset: 12, size: 4 },
            UniformField { name: "row0", offset: 16, size: 4 },
            UniformField { name: "by_expert", offset: 20, size: 4 },
            UniformField { name: "n_expert", offset: 24, size: 4 },
            UniformField { name: "glu", offset: 28, size: 4 },
            UniformField { name: "x_slot_div", offset: 32, size: 4 },
            UniformField { name: "y_stride", offset: 36, size: 4 },
            UniformField { name: "eps", offset: 40, size: 4 },
            UniformField { name: "act", offset: 44, size: 4 },
            UniformField { name: "flags", offset: 48, size: 4 },
            UniformField { name: "softcap", offset: 52, size: 4 },
        ],
        wgsl: r"struct Chunk {
 v0: vec4<f32>,
 v1: vec4<f32>,
 v2: vec4<f32>,
 v3: vec4<f32>,
 v4: vec4<f32>,
 v5: vec4<f32>,
 v6: vec4<f32>,
 v7: vec4<f32>,
}
struct Coded {
 q: Chunk,
 s: vec4<f32>,
}
fn chunk_dot(a: Chunk, b: Chunk) -> f32 {
 return dot(a.v0, b.v0) + dot(a.v1, b.v1) + dot(a.v2, b.v2) + dot(a.v3, b.v3)
  + dot(a.v4, b.v4) + dot(a.v5, b.v5) + dot(a.v6, b.v6) + dot(a.v7, b.v7);
}
fn chunk_mul(a: Chunk, b: Chunk) -> Chunk {
 return Chunk(a.v0 * b.v0, a.v1 * b.v1, a.v2 * b.v2, a.v3 * b.v3,
  a.v4 * b.v4, a.v5 * b.v5, a.v6 * b.v6, a.v7 * b.v7);
}
fn chunk_affine(q: Chunk, s: vec4<f32>) -> Chunk {
 let lo = vec4<f32>(s.z);
 let hi = vec4<f32>(s.w);
 return Chunk(q.v0 * s.x + lo, q.v1 * s.x + lo, q.v2 * s.x + lo, q.v3 * s.x + lo,
  q.v4 * s.y + hi, q.v5 * s.y + hi, q.v6 * s.y + hi, q.v7 * s.y + hi);
}
fn quants(g: u32, c: u32, r: u32, n_word: u32, word: u32) -> vec4<u32> {
 return wq[((g * p.n_chunk + c) * n_word + word) * 8u + r];
}
fn scale_word(g: u32, unit: u32, r: u32, n_word: u32, word: u32) -> u32 {
 return ws[((g * p.n_unit + unit) * n_word + word) * 8u + r];
}
fn nibbles(w: u32) -> vec4<u32> {
 return (vec4<u32>(w) >> vec4<u32>(0u, 8u, 16u, 24u)) & vec4<u32>(15u);
}
fn nibble_chunk(q: vec4<u32>) -> Chunk {
 let h = q >> vec4<u32>(4u);
 return Chunk(vec4<f32>(nibbles(q.x)), vec4<f32>(nibbles(q.y)), vec4<f32>(nibbles(q.z)), vec4<f32>(nibbles(q.w)),
  vec4<f32>(nibbles(h.x)), vec4<f32>(nibbles(h.y)), vec4<f32>(nibbles(h.z)), vec4<f32>(nibbles(h.w)));
}
fn half(h: u32) -> f32 {
 let m = h & 0x7fffu;
 let rebias = select(0x38000000u, 0x70000000u, m >= 0x7c00u);
 let v = select(bitcast<f32>((m << 13u) + rebias), f32(m) * 0x1p-24f, m < 0x400u);
 return bitcast<f32>(bitcast<u32>(v) | ((h & 0x8000u) << 16u));
}
fn half2(w: u32) -> vec2<f32> {
 return vec2<f32>(half(w & 0xffffu), half(w >> 16u));
}
fn byte_pair(g: u32, c: u32, r: u32, n_word: u32) -> u32 {
 return scale_word(g, c / 8u, r, n_word, 1u + (c % 8u) / 2u) >> (16u * (c % 2u));
}
fn coded(g: u32, c: u32, r: u32) -> Coded {
 let d = half2(scale_word(g, c / 8u, r, 5u, 0u));
 let f = vec4<u32>(byte_pair(g, c, r, 5u)) >> vec4<u32>(0u, 8u, 4u, 12u);
 let s = vec4<f32>(f & vec4<u32>(15u)) * vec4<f32>(d.x, d.x, -d.y, -d.y);
 return Coded(nibble_chunk(quants(g, c, r, 1u, 0u)), s);
}
fn dequant(g: u32, c: u32, r: u32) -> Chunk {
 let w = coded(g, c, r);
                                     {
  return chunk_affine(w.q, w.s);
 }
}
fn soft_tanh(v: f32) -> f32 {
 let e = exp(-2.0 * min(abs(v), 15.0));
 return sign(v) * ((1.0 - e) / (1.0 + e));
}
fn silu(v: f32) -> f32 {
 return v / (1.0 + exp(clamp(-v, -80.0, 80.0)));
}
fn gelu_tanh(v: f32) -> f32 {
 return 0.5 * v * (1.0 + soft_tanh(0.7978845608 * (v + 0.044715 * v * v * v)));
}
fn activate(kind: u32, v: f32) -> f32 {
 if (kind == 1u) {
  return silu(v);
 }
 if (kind == 2u) {
  return gelu_tanh(v);
 }
 return v;
}
const ADD = 1u;
const BIAS = 2u;
const SOFTCAP = 4u;
fn store(sum: f32, row: u32, at: u32) {
 var v = sum;
 if ((p.flags & BIAS) != 0u) {
  v += bias[row];
 }
 v = activate(p.act, v);
 if ((p.flags & SOFTCAP) != 0u) {
  v = p.softcap * soft_tanh(v / p.softcap);
 }
 if ((p.flags & ADD) != 0u) {
  v += y[at];
 }
 y[at] = v;
}
const NONE = 0xffffffffu;
override L: u32 = 8u;
override G: u32 = 1u;
override T: u32 = 64u;
override B: u32 = 1u;
override NORM: bool = false;
struct P {
 n_chunk: u32,
 n_unit: u32,
 n_group: u32,
 n_rows: u32,
 row0: u32,
 by_expert: u32,
 n_expert: u32,
 glu: u32,
 x_slot_div: u32,
 y_stride: u32,
 eps: f32,
 act: u32,
 flags: u32,
 softcap: f32,
}
@group(0) @binding(0) var<storage, read> wq: array<vec4<u32>>;
@group(0) @binding(1) var<storage, read> ws: array<u32>;
@group(0) @binding(2) var<storage, read> x: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read> norm: array<vec4<f32>>;
@group(0) @binding(4) var<storage, read> bias: array<f32>;
@group(0) @binding(5) var<storage, read_write> y: array<f32>;
@group(0) @binding(6) var<storage, read> sel: array<u32>;
@group(0) @binding(7) var<uniform> p: P;
var<workgroup> partial: array<vec4<f32>, T>;
var<workgroup> squares: array<f32, T>;
fn column(at: u32) -> Chunk {
 return Chunk(x[at], x[at + 1u], x[at + 2u], x[at + 3u], x[at + 4u], x[at + 5u], x[at + 6u], x[at + 7u]);
}
fn norm_weights(at: u32) -> Chunk {
 return Chunk(norm[at], norm[at + 1u], norm[at + 2u], norm[at + 3u],
  norm[at + 4u], norm[at + 5u], norm[at + 6u], norm[at + 7u]);
}
fn write(sum: f32, y0: u32, row: u32) {
 if (row < p.n_rows) {
  store(sum, p.row0 + row, y0 + row);
 }
}
fn gate(sum: f32, up: f32, y0: u32, row: u32) {
 if (row < p.n_rows) {
  y[y0 + row] = activate(p.act, sum) * up;
 }
}
@compute @workgroup_size(T)
fn main(@builtin(local_invocation_index) t: u32, @builtin(workgroup_id) wg: vec3<u32>) {
 var first = 0u;
 if (p.by_expert == 1u) {
  let expert = sel[wg.y];
  if (expert == NONE) {
   return;
  }
  first = min(expert, p.n_expert - 1u) * p.n_group;
 }
 let r = t % 8u;
 let lane = (t / 8u) % L;
 let block = (wg.x * G + t / (8u * L)) * B;
 let x0 = wg.y / p.x_slot_div * p.n_chunk * 8u;
 let g = first + min(vec4<u32>(block) + vec4<u32>(0u, 1u, 2u, 3u), vec4<u32>(p.n_group - 1u));
 var sum = vec4<f32>();
 var square = 0.0;
 for (var c = lane; c < p.n_chunk; c += L) {
  var v = column(x0 + c * 8u);
  if (NORM) {
   square += chunk_dot(v, v);
   v = chunk_mul(v, norm_weights(c * 8u));
  }
  sum.x += chunk_dot(dequant(g.x, c, r), v);
  if (B > 1u) {
   sum.y += chunk_dot(dequant(g.y, c, r), v);
  }
  if (B > 2u) {
   sum.z += chunk_dot(dequant(g.z, c, r), v);
   sum.w += chunk_dot(dequant(g.w, c, r), v);
  }
 }
 if (L > 1u) {
  partial[t] = sum;
  squares[t] = square;
  workgroupBarrier();
  if (lane == 0u) {
   for (var l = 1u; l < L; l++) {
    sum += partial[t + 8u * l];
    square += squares[t + 8u * l];
   }
  }
 }
 if (lane > 0u || block >= p.n_group) {
  return;
 }
 if (NORM) {
  sum *= inverseSqrt(square / f32(p.n_chunk * 32u) + p.eps);
 }
 let y0 = wg.y * p.y_stride + p.row0;
 if (p.glu == 1u) {
  gate(sum.x, sum.y, y0, 4u * block + r);
  if (B > 2u) {
   gate(sum.z, sum.w, y0, 4u * block + 8u + r);
  }
  return;
 }
 write(sum.x, y0, 8u * block + r);
 if (B > 1u) {
  write(sum.y, y0, 8u * block + 8u + r);
 }
 if (B > 2u) {
  write(sum.z, y0, 8u * block + 16u + r);
  write(sum.w, y0, 8u * block + 24u + r);
 }
}
",
    },
    Shader {
        name: "matmul_vec_q3k",
        kernel: "matmul_vec",
        workgroup_size: [64, 1, 1],
        bindings: &[
            Binding { index: 0, name: "wq", kind: BindingKind::Read, min_size: 16 },
            Binding { index: 1, name: "ws", kind: BindingKind::Read, min_size: 4 },
            Binding { index: 2, name: "x", kind: BindingKind::Read, min_size: 16 },
            Binding { index: 3, name: "norm", kind: BindingKind::Read, min_size: 16 },
            Binding { index: 4, name: "bias", kind: BindingKind::Read, min_size: 4 },
            Binding { index: 5, name: "y", kind: BindingKind::ReadWrite, min_size: 4 },
            Binding { index: 6, name: "sel", kind: BindingKind::Read, min_size: 4 },
            Binding { index: 7, name: "p", kind: BindingKind::Uniform, min_size: 56 },
        ],
        overrides: &[
            Override { name: "L", default: Some(8.0) },
            Override { name: "G", default: Some(1.0) },
            Override { name: "T", default: Some(64.0) },
            Override { name: "B", default: Some(1.0) },
            Override { name: "NORM", default: Some(0.0) },
        ],
        needs: &[],
        workgroup_bytes: 1280,
        uniform: &[
            UniformField { name: "n_chunk", offset: 0, size: 4 },
            UniformField { name: "n_unit", offset: 4, size: 4 },
            UniformField { name: "n_group", offset: 8, size: 4 },
            UniformField { name: "n_rows", offset: 12, size: 4 },
            UniformField { name: "row0", offset: 16, size: 4 },
            UniformField { name: "by_expert", offset: 20, size: 4 },
            UniformField { name: "n_expert", offset: 24, size: 4 },
            UniformField { name: "glu", offset: 28, size: 4 },
            UniformField { name: "x_slot_div", offset: 32, size: 4 },
            UniformField { name: "y_stride", offset: 36, size: 4 },
            UniformField { name: "eps", offset: 40, size: 4 },
            UniformField { name: "act", offset: 44, size: 4 },
            UniformField { name: "flags", offset: 48, size: 4 },
            UniformField { name: "softcap", offset: 52, size: 4 },
        ],
        wgsl: r"struct Chunk {
 v0: vec4<f32>,
 v1: vec4<f32>,
 v2: vec4<f32>,
 v3: vec4<f32>,
 v4: vec4<f32>,
 v5: vec4<f32>,
 v6: vec4<f32>,
 v7: vec4<f32>,
}
struct Coded {
 q: Chunk,
 s: vec4<f32>,
}
fn chunk_dot(a: Chunk, b: Chunk) -> f32 {
 return dot(a.v0, b.v0) + dot(a.v1, b.v1) + dot(a.v2, b.v2) + dot(a.v3, b.v3)
  + dot(a.v4, b.v4) + dot(a.v5, b.v5) + dot(a.v6, b.v6) + dot(a.v7, b.v7);
}
fn chunk_mul(a: Chunk, b: Chunk) -> Chunk {
 return Chunk(a.v0 * b.v0, a.v1 * b.v1, a.v2 * b.v2, a.v3 * b.v3,
  a.v4 * b.v4, a.v5 * b.v5, a.v6 * b.v6, a.v7 * b.v7);
}
fn chunk_scale(q: Chunk, lo: f32, hi: f32) -> Chunk {
 return Chunk(q.v0 * lo, q.v1 * lo, q.v2 * lo, q.v3 * lo, q.v4 * hi, q.v5 * hi, q.v6 * hi, q.v7 * hi);
}
fn quants(g: u32, c: u32, r: u32, n_word: u32, word: u32) -> vec4<u32> {
 return wq[((g * p.n_chunk + c) * n_word + word) * 8u + r];
}
fn scale_word(g: u32, unit: u32, r: u32, n_word: u32, word: u32) -> u32 {
 return ws[((g * p.n_unit + unit) * n_word + word) * 8u + r];
}
fn nibbles(w: u32) -> vec4<u32> {
 return (vec4<u32>(w) >> vec4<u32>(0u, 8u, 16u, 24u)) & vec4<u32>(15u);
}
fn signed_byte(b: u32) -> f32 {
 return f32(bitcast<i32>(b << 24u) >> 24u);
}
fn half(h: u32) -> f32 {
 let m = h & 0x7fffu;
 let rebias = select(0x38000000u, 0x70000000u, m >= 0x7c00u);
 let v = select(bitcast<f32>((m << 13u) + rebias), f32(m) * 0x1p-24f, m < 0x400u);
 return bitcast<f32>(bitcast<u32>(v) | ((h & 0x8000u) << 16u));
}
fn byte_pair(g: u32, c: u32, r: u32, n_word: u32) -> u32 {
 return scale_word(g, c / 8u, r, n_word, 1u + (c % 8u) / 2u) >> (16u * (c % 2u));
}
fn centred(q: vec4<u32>, middle: i32) -> vec4<f32> {
 return vec4<f32>(vec4<i32>(q) - vec4<i32>(middle));
}
fn coded(g: u32, c: u32, r: u32) -> Coded {
 let d = half(scale_word(g, c / 8u, r, 5u, 0u) & 0xffffu);
 let f = byte_pair(g, c, r, 5u);
 let q = quants(g, c, r, 1u, 0u);
 let h = q >> vec4<u32>(4u);
 let v = Chunk(centred(nibbles(q.x), 4), centred(nibbles(q.y), 4), centred(nibbles(q.z), 4), centred(nibbles(q.w), 4),
  centred(nibbles(h.x), 4), centred(nibbles(h.y), 4), centred(nibbles(h.z), 4), centred(nibbles(h.w), 4));
 return Coded(v, vec4<f32>(d * signed_byte(f), d * signed_byte(f >> 8u), 0.0, 0.0));
}
fn dequant(g: u32, c: u32, r: u32) -> Chunk {
 let w = coded(g, c, r);
    {
  return chunk_scale(w.q, w.s.x, w.s.y);
 }
}
fn soft_tanh(v: f32) -> f32 {
 let e = exp(-2.0 * min(abs(v), 15.0));
 return sign(v) * ((1.0 - e) / (1.0 + e));
}
fn silu(v: f32) -> f32 {
 return v / (1.0 + exp(clamp(-v, -80.0, 80.0)));
}
fn gelu_tanh(v: f32) -> f32 {
 return 0.5 * v * (1.0 + soft_tanh(0.7978845608 * (v + 0.044715 * v * v * v)));
}
fn activate(kind: u32, v: f32) -> f32 {
 if (kind == 1u) {
  return silu(v);
 }
 if (kind == 2u) {
  return gelu_tanh(v);
 }
 return v;
}
const ADD = 1u;
const BIAS = 2u;
const SOFTCAP = 4u;
fn store(sum: f32, row: u32, at: u32) {
 var v = sum;
 if ((p.flags & BIAS) != 0u) {
  v += bias[row];
 }
 v = activate(p.act, v);
 if ((p.flags & SOFTCAP) != 0u) {
  v = p.softcap * soft_tanh(v / p.softcap);
 }
 if ((p.flags & ADD) != 0u) {
  v += y[at];
 }
 y[at] = v;
}
const NONE = 0xffffffffu;
override L: u32 = 8u;
override G: u32 = 1u;
override T: u32 = 64u;
override B: u32 = 1u;
override NORM: bool = false;
struct P {
 n_chunk: u32,
 n_unit: u32,
 n_group: u32,
 n_rows: u32,
 row0: u32,
 by_expert: u32,
 n_expert: u32,
 glu: u32,
 x_slot_div: u32,
 y_stride: u32,
 eps: f32,
 act: u32,
 flags: u32,
 softcap: f32,
}
@group(0) @binding(0) var<storage, read> wq: array<vec4<u32>>;
@group(0) @binding(1) var<storage, read> ws: array<u32>;
@group(0) @binding(2) var<storage, read> x: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read> norm: array<vec4<f32>>;
@group(0) @binding(4) var<storage, read> bias: array<f32>;
@group(0) @binding(5) var<storage, read_write> y: array<f32>;
@group(0) @binding(6) var<storage, read> sel: array<u32>;
@group(0) @binding(7) var<uniform> p: P;
var<workgroup> partial: array<vec4<f32>, T>;
var<workgroup> squares: array<f32, T>;
fn column(at: u32) -> Chunk {
 return Chunk(x[at], x[at + 1u], x[at + 2u], x[at + 3u], x[at + 4u], x[at + 5u], x[at + 6u], x[at + 7u]);
}
fn norm_weights(at: u32) -> Chunk {
 return Chunk(norm[at], norm[at + 1u], norm[at + 2u], norm[at + 3u],
  norm[at + 4u], norm[at + 5u], norm[at + 6u], norm[at + 7u]);
}
fn write(sum: f32, y0: u32, row: u32) {
 if (row < p.n_rows) {
  store(sum, p.row0 + row, y0 + row);
 }
}
fn gate(sum: f32, up: f32, y0: u32, row: u32) {
 if (row < p.n_rows) {
  y[y0 + row] = activate(p.act, sum) * up;
 }
}
@compute @workgroup_size(T)
fn main(@builtin(local_invocation_index) t: u32, @builtin(workgroup_id) wg: vec3<u32>) {
 var first = 0u;
 if (p.by_expert == 1u) {
  let expert = sel[wg.y];
  if (expert == NONE) {
   return;
  }
  first = min(expert, p.n_expert - 1u) * p.n_group;
 }
 let r = t % 8u;
 let lane = (t / 8u) % L;
 let block = (wg.x * G + t / (8u * L)) * B;
 let x0 = wg.y / p.x_slot_div * p.n_chunk * 8u;
 let g = first + min(vec4<u32>(block) + vec4<u32>(0u, 1u, 2u, 3u), vec4<u32>(p.n_group - 1u));
 var sum = vec4<f32>();
 var square = 0.0;
 for (var c = lane; c < p.n_chunk; c += L) {
  var v = column(x0 + c * 8u);
  if (NORM) {
   square += chunk_dot(v, v);
   v = chunk_mul(v, norm_weights(c * 8u));
  }
  sum.x += chunk_dot(dequant(g.x, c, r), v);
  if (B > 1u) {
   sum.y += chunk_dot(dequant(g.y, c, r), v);
  }
  if (B > 2u) {
   sum.z += chunk_dot(dequant(g.z, c, r), v);
   sum.w += chunk_dot(dequant(g.w, c, r), v);
  }
 }
 if (L > 1u) {
  partial[t] = sum;
  squares[t] = square;
  workgroupBarrier();
  if (lane == 0u) {
   for (var l = 1u; l < L; l++) {
    sum += partial[t + 8u * l];
    square += squares[t + 8u * l];
   }
  }
 }
 if (lane > 0u || block >= p.n_group) {
  return;
 }
 if (NORM) {
  sum *= inverseSqrt(square / f32(p.n_chunk * 32u) + p.eps);
 }
 let y0 = wg.y * p.y_stride + p.row0;
 if (p.glu == 1u) {
  gate(sum.x, sum.y, y0, 4u * block + r);
  if (B > 2u) {
   gate(sum.z, sum.w, y0, 4u * block + 8u + r);
  }
  return;
 }
 write(sum.x, y0, 8u * block + r);
 if (B > 1u) {
  write(sum.y, y0, 8u * block + 8u + r);
 }
 if (B > 2u) {
  write(sum.z, y0, 8u * block + 16u + r);
  write(sum.w, y0, 8u * block + 24u + r);
 }
}
",
    },
    Shader {
        name: "matmul_vec_q4",
        kernel: "matmul_vec",
        workgroup_size: [64, 1, 1],
        bindings: &[
            Binding { index: 0, name: "wq", kind: BindingKind::Read, min_size: 16 },
            Binding { index: 1, name: "ws", kind: BindingKind::Read, min_size: 4 },
            Binding { index: 2, name: "x", kind: BindingKind::Read, min_size: 16 },
            Binding { index: 3, name: "norm", kind: BindingKind::Read, min_size: 16 },
            Binding { index: 4, name: "bias", kind: BindingKind::Read, min_size: 4 },
            Binding { index: 5, name: "y", kind: BindingKind::ReadWrite, min_size: 4 },
            Binding { index: 6, name: "sel", kind: BindingKind::Read, min_size: 4 },
            Binding { index: 7, name: "p", kind: BindingKind::Uniform, min_size: 56 },
        ],
        overrides: &[
            Override { name: "L", default: Some(8.0) },
            Override { name: "G", default: Some(1.0) },
            Override { name: "T", default: Some(64.0) },
            Override { name: "B", default: Some(1.0) },
            Override { name: "NORM", default: Some(0.0) },
        ],
        needs: &[],
        workgroup_bytes: 1280,
        uniform: &[
            UniformField { name: "n_chunk", offset: 0, size: 4 },
            UniformField { name: "n_unit", offset: 4, size: 4 },
            UniformField { name: "n_group", offset: 8, size: 4 },
            UniformField { name: "n_rows", offset: 12, size: 4 },
            UniformField { name: "row0", offset: 16, size: 4 },
            UniformField { name: "by_expert", offset: 20, size: 4 },
            UniformField { name: "n_expert", offset: 24, size: 4 },
            UniformField { name: "glu", offset: 28, size: 4 },
            UniformField { name: "x_slot_div", offset: 32, size: 4 },
            UniformField { name: "y_stride", offset: 36, size: 4 },
            UniformField { name: "eps", offset: 40, size: 4 },
            UniformField { name: "act", offset: 44, size: 4 },
            UniformField { name: "flags", offset: 48, size: 4 },
            UniformField { name: "softcap", offset: 52, size: 4 },
        ],
        wgsl: r"struct Chunk {
 v0: vec4<f32>,
 v1: vec4<f32>,
 v2: vec4<f32>,
 v3: vec4<f32>,
 v4: vec4<f32>,
 v5: vec4<f32>,
 v6: vec4<f32>,
 v7: vec4<f32>,
}
struct Coded {
 q: Chunk,
 s: vec4<f32>,
}
fn chunk_dot(a: Chunk, b: Chunk) -> f32 {
 return dot(a.v0, b.v0) + dot(a.v1, b.v1) + dot(a.v2, b.v2) + dot(a.v3, b.v3)
  + dot(a.v4, b.v4) + dot(a.v5, b.v5) + dot(a.v6, b.v6) + dot(a.v7, b.v7);
}
fn chunk_mul(a: Chunk, b: Chunk) -> Chunk {
 return Chunk(a.v0 * b.v0, a.v1 * b.v1, a.v2 * b.v2, a.v3 * b.v3,
  a.v4 * b.v4, a.v5 * b.v5, a.v6 * b.v6, a.v7 * b.v7);
}
fn chunk_affine(q: Chunk, s: vec4<f32>) -> Chunk {
 let lo = vec4<f32>(s.z);
 let hi = vec4<f32>(s.w);
 return Chunk(q.v0 * s.x + lo, q.v1 * s.x + lo, q.v2 * s.x + lo, q.v3 * s.x + lo,
  q.v4 * s.y + hi, q.v5 * s.y + hi, q.v6 * s.y + hi, q.v7 * s.y + hi);
}
fn quants(g: u32, c: u32, r: u32, n_word: u32, word: u32) -> vec4<u32> {
 return wq[((g * p.n_chunk + c) * n_word + word) * 8u + r];
}
fn scale_word(g: u32, unit: u32, r: u32, n_word: u32, word: u32) -> u32 {
 return ws[((g * p.n_unit + unit) * n_word + word) * 8u + r];
}
fn nibbles(w: u32) -> vec4<u32> {
 return (vec4<u32>(w) >> vec4<u32>(0u, 8u, 16u, 24u)) & vec4<u32>(15u);
}
fn nibble_chunk(q: vec4<u32>) -> Chunk {
 let h = q >> vec4<u32>(4u);
 return Chunk(vec4<f32>(nibbles(q.x)), vec4<f32>(nibbles(q.y)), vec4<f32>(nibbles(q.z)), vec4<f32>(nibbles(q.w)),
  vec4<f32>(nibbles(h.x)), vec4<f32>(nibbles(h.y)), vec4<f32>(nibbles(h.z)), vec4<f32>(nibbles(h.w)));
}
fn half(h: u32) -> f32 {
 let m = h & 0x7fffu;
 let rebias = select(0x38000000u, 0x70000000u, m >= 0x7c00u);
 let v = select(bitcast<f32>((m << 13u) + rebias), f32(m) * 0x1p-24f, m < 0x400u);
 return bitcast<f32>(bitcast<u32>(v) | ((h & 0x8000u) << 16u));
}
fn half2(w: u32) -> vec2<f32> {
 return vec2<f32>(half(w & 0xffffu), half(w >> 16u));
}
fn coded(g: u32, c: u32, r: u32) -> Coded {
 let s = half2(scale_word(g, c, r, 1u, 0u));
 return Coded(nibble_chunk(quants(g, c, r, 1u, 0u)), s.xxyy);
}
fn dequant(g: u32, c: u32, r: u32) -> Chunk {
 let w = coded(g, c, r);
                                     {
  return chunk_affine(w.q, w.s);
 }
}
fn soft_tanh(v: f32) -> f32 {
 let e = exp(-2.0 * min(abs(v), 15.0));
 return sign(v) * ((1.0 - e) / (1.0 + e));
}
fn silu(v: f32) -> f32 {
 return v / (1.0 + exp(clamp(-v, -80.0, 80.0)));
}
fn gelu_tanh(v: f32) -> f32 {
 return 0.5 * v * (1.0 + soft_tanh(0.7978845608 * (v + 0.044715 * v * v * v)));
}
fn activate(kind: u32, v: f32) -> f32 {
 if (kind == 1u) {
  return silu(v);
 }
 if (kind == 2u) {
  return gelu_tanh(v);
 }
 return v;
}
const ADD = 1u;
const BIAS = 2u;
const SOFTCAP = 4u;
fn store(sum: f32, row: u32, at: u32) {
 var v = sum;
 if ((p.flags & BIAS) != 0u) {
  v += bias[row];
 }
 v = activate(p.act, v);
 if ((p.flags & SOFTCAP) != 0u) {
  v = p.softcap * soft_tanh(v / p.softcap);
 }
 if ((p.flags & ADD) != 0u) {
  v += y[at];
 }
 y[at] = v;
}
const NONE = 0xffffffffu;
override L: u32 = 8u;
override G: u32 = 1u;
override T: u32 = 64u;
override B: u32 = 1u;
override NORM: bool = false;
struct P {
 n_chunk: u32,
 n_unit: u32,
 n_group: u32,
 n_rows: u32,
 row0: u32,
 by_expert: u32,
 n_expert: u32,
 glu: u32,
 x_slot_div: u32,
 y_stride: u32,
 eps: f32,
 act: u32,
 flags: u32,
 softcap: f32,
}
@group(0) @binding(0) var<storage, read> wq: array<vec4<u32>>;
@group(0) @binding(1) var<storage, read> ws: array<u32>;
@group(0) @binding(2) var<storage, read> x: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read> norm: array<vec4<f32>>;
@group(0) @binding(4) var<storage, read> bias: array<f32>;
@group(0) @binding(5) var<storage, read_write> y: array<f32>;
@group(0) @binding(6) var<storage, read> sel: array<u32>;
@group(0) @binding(7) var<uniform> p: P;
var<workgroup> partial: array<vec4<f32>, T>;
var<workgroup> squares: array<f32, T>;
fn column(at: u32) -> Chunk {
 return Chunk(x[at], x[at + 1u], x[at + 2u], x[at + 3u], x[at + 4u], x[at + 5u], x[at + 6u], x[at + 7u]);
}
fn norm_weights(at: u32) -> Chunk {
 return Chunk(norm[at], norm[at + 1u], norm[at + 2u], norm[at + 3u],
  norm[at + 4u], norm[at + 5u], norm[at + 6u], norm[at + 7u]);
}
fn write(sum: f32, y0: u32, row: u32) {
 if (row < p.n_rows) {
  store(sum, p.row0 + row, y0 + row);
 }
}
fn gate(sum: f32, up: f32, y0: u32, row: u32) {
 if (row < p.n_rows) {
  y[y0 + row] = activate(p.act, sum) * up;
 }
}
@compute @workgroup_size(T)
fn main(@builtin(local_invocation_index) t: u32, @builtin(workgroup_id) wg: vec3<u32>) {
 var first = 0u;
 if (p.by_expert == 1u) {
  let expert = sel[wg.y];
  if (expert == NONE) {
   return;
  }
  first = min(expert, p.n_expert - 1u) * p.n_group;
 }
 let r = t % 8u;
 let lane = (t / 8u) % L;
 let block = (wg.x * G + t / (8u * L)) * B;
 let x0 = wg.y / p.x_slot_div * p.n_chunk * 8u;
 let g = first + min(vec4<u32>(block) + vec4<u32>(0u, 1u, 2u, 3u), vec4<u32>(p.n_group - 1u));
 var sum = vec4<f32>();
 var square = 0.0;
 for (var c = lane; c < p.n_chunk; c += L) {
  var v = column(x0 + c * 8u);
  if (NORM) {
   square += chunk_dot(v, v);
   v = chunk_mul(v, norm_weights(c * 8u));
  }
  sum.x += chunk_dot(dequant(g.x, c, r), v);
  if (B > 1u) {
   sum.y += chunk_dot(dequant(g.y, c, r), v);
  }
  if (B > 2u) {
   sum.z += chunk_dot(dequant(g.z, c, r), v);
   sum.w += chunk_dot(dequant(g.w, c, r), v);
  }
 }
 if (L > 1u) {
  partial[t] = sum;
  squares[t] = square;
  workgroupBarrier();
  if (lane == 0u) {
   for (var l = 1u; l < L; l++) {
    sum += partial[t + 8u * l];
    square += squares[t + 8u * l];
   }
  }
 }
 if (lane > 0u || block >= p.n_group) {
  return;
 }
 if (NORM) {
  sum *= inverseSqrt(square / f32(p.n_chunk * 32u) + p.eps);
 }
 let y0 = wg.y * p.y_stride + p.row0;
 if (p.glu == 1u) {
  gate(sum.x, sum.y, y0, 4u * block + r);
  if (B > 2u) {
   gate(sum.z, sum.w, y0, 4u * block + 8u + r);
  }
  return;
 }
 write(sum.x, y0, 8u * block + r);
 if (B > 1u) {
  write(sum.y, y0, 8u * block + 8u + r);
 }
 if (B > 2u) {
  write(sum.z, y0, 8u * block + 16u + r);
  write(sum.w, y0, 8u * block + 24u + r);
 }
}
",
    },
    Shader {
        name: "matmul_vec_q4k",
        kernel: "matmul_vec",
        workgroup_size: [64, 1, 1],
        bindings: &[
            Binding { index: 0, name: "wq", kind: BindingKind::Read, min_size: 16 },
            Binding { index: 1, name: "ws", kind: BindingKind::Read, min_size: 4 },
            Binding { index: 2, name: "x", kind: BindingKind::Read, min_size: 16 },
            Binding { index: 3, name: "norm", kind: BindingKind::Read, min_size: 16 },
            Binding { index: 4, name: "bias", kind: BindingKind::Read, min_size: 4 },
            Binding { index: 5, name: "y", kind: BindingKind::ReadWrite, min_size: 4 },
            Binding { index: 6, name: "sel", kind: BindingKind::Read, min_size: 4 },
            Binding { index: 7, name: "p", kind: BindingKind::Uniform, min_size: 56 },
        ],
        overrides: &[
            Override { name: "L", default: Some(8.0) },
            Override { name: "G", default: Some(1.0) },
            Override { name: "T", default: Some(64.0) },
            Override { name: "B", default: Some(1.0) },
            Override { name: "NORM", default: Some(0.0) },
        ],
        needs: &[],
        workgroup_bytes: 1280,
        uniform: &[
            UniformField { name: "n_chunk", offset: 0, size: 4 },
            UniformField { name: "n_unit", offset: 4, size: 4 },
            UniformField { name: "n_group", offset: 8, size: 4 },
            UniformField { name: "n_rows", offset: 12, size: 4 },
            UniformField { name: "row0", offset: 16, size: 4 },
            UniformField { name: "by_expert", offset: 20, size: 4 },
            UniformField { name: "n_expert", offset: 24, size: 4 },
            UniformField { name: "glu", offset: 28, size: 4 },
            UniformField { name: "x_slot_div", offset: 32, size: 4 },
            UniformField { name: "y_stride", offset: 36, size: 4 },
            UniformField { name: "eps", offset: 40, size: 4 },
            UniformField { name: "act", offset: 44, size: 4 },
            UniformField { name: "flags", offset: 48, size: 4 },
            UniformField { name: "softcap", offset: 52, size: 4 },
        ],
        wgsl: r"struct Chunk {
 v0: vec4<f32>,
 v1: vec4<f32>,
 v2: vec4<f32>,
 v3: vec4<f32>,
 v4: vec4<f32>,
 v5: vec4<f32>,
 v6: vec4<f32>,
 v7: vec4<f32>,
}
struct Coded {
 q: Chunk,
 s: vec4<f32>,
}
fn chunk_dot(a: Chunk, b: Chunk) -> f32 {
 return dot(a.v0, b.v0) + dot(a.v1, b.v1) + dot(a.v2, b.v2) + dot(a.v3, b.v3)
  + dot(a.v4, b.v4) + dot(a.v5, b.v5) + dot(a.v6, b.v6) + dot(a.v7, b.v7);
}
fn chunk_mul(a: Chunk, b: Chunk) -> Chunk {
 return Chunk(a.v0 * b.v0, a.v1 * b.v1, a.v2 * b.v2, a.v3 * b.v3,
  a.v4 * b.v4, a.v5 * b.v5, a.v6 * b.v6, a.v7 * b.v7);
}
fn chunk_affine(q: Chunk, s: vec4<f32>) -> Chunk {
 let lo = vec4<f32>(s.z);
 let hi = vec4<f32>(s.w);
 return Chunk(q.v0 * s.x + lo, q.v1 * s.x + lo, q.v2 * s.x + lo, q.v3 * s.x + lo,
  q.v4 * s.y + hi, q.v5 * s.y + hi, q.v6 * s.y + hi, q.v7 * s.y + hi);
}
fn quants(g: u32, c: u32, r: u32, n_word: u32, word: u32) -> vec4<u32> {
 return wq[((g * p.n_chunk + c) * n_word + word) * 8u + r];
}
fn scale_word(g: u32, unit: u32, r: u32, n_word: u32, word: u32) -> u32 {
 return ws[((g * p.n_unit + unit) * n_word + word) * 8u + r];
}
fn nibbles(w: u32) -> vec4<u32> {
 return (vec4<u32>(w) >> vec4<u32>(0u, 8u, 16u, 24u)) & vec4<u32>(15u);
}
fn nibble_chunk(q: vec4<u32>) -> Chunk {
 let h = q >> vec4<u32>(4u);
 return Chunk(vec4<f32>(nibbles(q.x)), vec4<f32>(nibbles(q.y)), vec4<f32>(nibbles(q.z)), vec4<f32>(nibbles(q.w)),
  vec4<f32>(nibbles(h.x)), vec4<f32>(nibbles(h.y)), vec4<f32>(nibbles(h.z)), vec4<f32>(nibbles(h.w)));
}
fn half(h: u32) -> f32 {
 let m = h & 0x7fffu;
 let rebias = select(0x38000000u, 0x70000000u, m >= 0x7c00u);
 let v = select(bitcast<f32>((m << 13u) + rebias), f32(m) * 0x1p-24f, m < 0x400u);
 return bitcast<f32>(bitcast<u32>(v) | ((h & 0x8000u) << 16u));
}
fn half2(w: u32) -> vec2<f32> {
 return vec2<f32>(half(w & 0xffffu), half(w >> 16u));
}
fn scale_min(g: u32, c: u32, r: u32, n_word: u32) -> vec4<f32> {
 let d = half2(scale_word(g, c / 8u, r, n_word, 0u));
 let f = scale_word(g, c / 8u, r, n_word, 1u + (c % 8u) / 2u) >> (16u * (c % 2u));
 let s = d * vec2<f32>(f32(f & 255u), f32((f >> 8u) & 255u));
 return vec4<f32>(s.x, s.x, -s.y, -s.y);
}
fn coded(g: u32, c: u32, r: u32) -> Coded {
 return Coded(nibble_chunk(quants(g, c, r, 1u, 0u)), scale_min(g, c, r, 5u));
}
fn dequant(g: u32, c: u32, r: u32) -> Chunk {
 let w = coded(g, c, r);
                                     {
  return chunk_affine(w.q, w.s);
 }
}
fn soft_tanh(v: f32) -> f32 {
 let e = exp(-2.0 * min(abs(v), 15.0));
 return sign(v) * ((1.0 - e) / (1.0 + e));
}
fn silu(v: f32) -> f32 {
 return v / (1.0 + exp(clamp(-v, -80.0, 80.0)));
}
fn gelu_tanh(v: f32) -> f32 {
 return 0.5 * v * (1.0 + soft_tanh(0.7978845608 * (v + 0.044715 * v * v * v)));
}
fn activate(kind: u32, v: f32) -> f32 {
 if (kind == 1u) {
  return silu(v);
 }
 if (kind == 2u) {
  return gelu_tanh(v);
 }
 return v;
}
const ADD = 1u;
const BIAS = 2u;
const SOFTCAP = 4u;
fn store(sum: f32, row: u32, at: u32) {
 var v = sum;
 if ((p.flags & BIAS) != 0u) {
  v += bias[row];
 }
 v = activate(p.act, v);
 if ((p.flags & SOFTCAP) != 0u) {
  v = p.softcap * soft_tanh(v / p.softcap);
 }
 if ((p.flags & ADD) != 0u) {
  v += y[at];
 }
 y[at] = v;
}
const NONE = 0xffffffffu;
override L: u32 = 8u;
override G: u32 = 1u;
override T: u32 = 64u;
override B: u32 = 1u;
override NORM: bool = false;
struct P {
 n_chunk: u32,
 n_unit: u32,
 n_group: u32,
 n_rows: u32,
 row0: u32,
 by_expert: u32,
 n_expert: u32,
 glu: u32,
 x_slot_div: u32,
 y_stride: u32,
 eps: f32,
 act: u32,
 flags: u32,
 softcap: f32,
}
@group(0) @binding(0) var<storage, read> wq: array<vec4<u32>>;
@group(0) @binding(1) var<storage, read> ws: array<u32>;
@group(0) @binding(2) var<storage, read> x: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read> norm: array<vec4<f32>>;
@group(0) @binding(4) var<storage, read> bias: array<f32>;
@group(0) @binding(5) var<storage, read_write> y: array<f32>;
@group(0) @binding(6) var<storage, read> sel: array<u32>;
@group(0) @binding(7) var<uniform> p: P;
var<workgroup> partial: array<vec4<f32>, T>;
var<workgroup> squares: array<f32, T>;
fn column(at: u32) -> Chunk {
 return Chunk(x[at], x[at + 1u], x[at + 2u], x[at + 3u], x[at + 4u], x[at + 5u], x[at + 6u], x[at + 7u]);
}
fn norm_weights(at: u32) -> Chunk {
 return Chunk(norm[at], norm[at + 1u], norm[at + 2u], norm[at + 3u],
  norm[at + 4u], norm[at + 5u], norm[at + 6u], norm[at + 7u]);
}
fn write(sum: f32, y0: u32, row: u32) {
 if (row < p.n_rows) {
  store(sum, p.row0 + row, y0 + row);
 }
}
fn gate(sum: f32, up: f32, y0: u32, row: u32) {
 if (row < p.n_rows) {
  y[y0 + row] = activate(p.act, sum) * up;
 }
}
@compute @workgroup_size(T)
fn main(@builtin(local_invocation_index) t: u32, @builtin(workgroup_id) wg: vec3<u32>) {
 var first = 0u;
 if (p.by_expert == 1u) {
  let expert = sel[wg.y];
  if (expert == NONE) {
   return;
  }
  first = min(expert, p.n_expert - 1u) * p.n_group;
 }
 let r = t % 8u;
 let lane = (t / 8u) % L;
 let block = (wg.x * G + t / (8u * L)) * B;
 let x0 = wg.y / p.x_slot_div * p.n_chunk * 8u;
 let g = first + min(vec4<u32>(block) + vec4<u32>(0u, 1u, 2u, 3u), vec4<u32>(p.n_group - 1u));
 var sum = vec4<f32>();
 var square = 0.0;
 for (var c = lane; c < p.n_chunk; c += L) {
  var v = column(x0 + c * 8u);
  if (NORM) {
   square += chunk_dot(v, v);
   v = chunk_mul(v, norm_weights(c * 8u));
  }
  sum.x += chunk_dot(dequant(g.x, c, r), v);
  if (B > 1u) {
   sum.y += chunk_dot(dequant(g.y, c, r), v);
  }
  if (B > 2u) {
   sum.z += chunk_dot(dequant(g.z, c, r), v);
   sum.w += chunk_dot(dequant(g.w, c, r), v);
  }
 }
 if (L > 1u) {
  partial[t] = sum;
  squares[t] = square;
  workgroupBarrier();
  if (lane == 0u) {
   for (var l = 1u; l < L; l++) {
    sum += partial[t + 8u * l];
    square += squares[t + 8u * l];
   }
  }
 }
 if (lane > 0u || block >= p.n_group) {
  return;
 }
 if (NORM) {
  sum *= inverseSqrt(square / f32(p.n_chunk * 32u) + p.eps);
 }
 let y0 = wg.y * p.y_stride + p.row0;
 if (p.glu == 1u) {
  gate(sum.x, sum.y, y0, 4u * block + r);
  if (B > 2u) {
   gate(sum.z, sum.w, y0, 4u * block + 8u + r);
  }
  return;
 }
 write(sum.x, y0, 8u * block + r);
 if (B > 1u) {
  write(sum.y, y0, 8u * block + 8u + r);
 }
 if (B > 2u) {
  write(sum.z, y0, 8u * block + 16u + r);
  write(sum.w, y0, 8u * block + 24u + r);
 }
}
",
    },
    Shader {
        name: "matmul_vec_q5",
        kernel: "matmul_vec",
        workgroup_size: [64, 1, 1],
        bindings: &[
            Binding { index: 0, name: "wq", kind: BindingKind::Read, min_size: 16 },
            Binding { index: 1, name: "ws", kind: BindingKind::Read, min_size: 4 },
            Binding { index: 2, name: "x", kind: BindingKind::Read, min_size: 16 },
            Binding { index: 3, name: "norm", kind: BindingKind::Read, min_size: 16 },
            Binding { index: 4, name: "bias", kind: BindingKind::Read, min_size: 4 },
            Binding { index: 5, name: "y", kind: BindingKind::ReadWrite, min_size: 4 },
            Binding { index: 6, name: "sel", kind: BindingKind::Read, min_size: 4 },
            Binding { index: 7, name: "p", kind: BindingKind::Uniform, min_size: 56 },
        ],
        overrides: &[
            Override { name: "L", default: Some(8.0) },
            Override { name: "G", default: Some(1.0) },
            Override { name: "T", default: Some(64.0) },
            Override { name: "B", default: Some(1.0) },
            Override { name: "NORM", default: Some(0.0) },
        ],
        needs: &[],
        workgroup_bytes: 1280,
        uniform: &[
            UniformField { name: "n_chunk", offset: 0, size: 4 },
            UniformField { name: "n_unit", offset: 4, size: 4 },
            UniformField { name: "n_group", offset: 8, size: 4 },
            UniformField { name: "n_rows", offset: 12, size: 4 },
            UniformField { name: "row0", offset: 16, size: 4 },
            UniformField { name: "by_expert", offset: 20, size: 4 },
            UniformField { name: "n_expert", offset: 24, size: 4 },
            UniformField { name: "glu", offset: 28, size: 4 },
            UniformField { name: "x_slot_div", offset: 32, size: 4 },
            UniformField { name: "y_stride", offset: 36, size: 4 },
            UniformField { name: "eps", offset: 40, size: 4 },
            UniformField { name: "act", offset: 44, size: 4 },
            UniformField { name: "flags", offset: 48, size: 4 },
            UniformField { name: "softcap", offset: 52, size: 4 },
        ],
        wgsl: r"struct Chunk {
 v0: vec4<f32>,
 v1: vec4<f32>,
 v2: vec4<f32>,
 v3: vec4<f32>,
 v4: vec4<f32>,
 v5: vec4<f32>,
 v6: vec4<f32>,
 v7: vec4<f32>,
}
struct Coded {
 q: Chunk,
 s: vec4<f32>,
}
fn chunk_dot(a: Chunk, b: Chunk) -> f32 {
 return dot(a.v0, b.v0) + dot(a.v1, b.v1) + dot(a.v2, b.v2) + dot(a.v3, b.v3)
  + dot(a.v4, b.v4) + dot(a.v5, b.v5) + dot(a.v6, b.v6) + dot(a.v7, b.v7);
}
fn chunk_mul(a: Chunk, b: Chunk) -> Chunk {
 return Chunk(a.v0 * b.v0, a.v1 * b.v1, a.v2 * b.v2, a.v3 * b.v3,
  a.v4 * b.v4, a.v5 * b.v5, a.v6 * b.v6, a.v7 * b.v7);
}
fn chunk_affine(q: Chunk, s: vec4<f32>) -> Chunk {
 let lo = vec4<f32>(s.z);
 let hi = vec4<f32>(s.w);
 return Chunk(q.v0 * s.x + lo, q.v1 * s.x + lo, q.v2 * s.x + lo, q.v3 * s.x + lo,
  q.v4 * s.y + hi, q.v5 * s.y + hi, q.v6 * s.y + hi, q.v7 * s.y + hi);
}
fn quants(g: u32, c: u32, r: u32, n_word: u32, word: u32) -> vec4<u32> {
 return wq[((g * p.n_chunk + c) * n_word + word) * 8u + r];
}
fn scale_word(g: u32, unit: u32, r: u32, n_word: u32, word: u32) -> u32 {
 return ws[((g * p.n_unit + unit) * n_word + word) * 8u + r];
}
fn nibbles(w: u32) -> vec4<u32> {
 return (vec4<u32>(w) >> vec4<u32>(0u, 8u, 16u, 24u)) & vec4<u32>(15u);
}
fn five(w: u32, bits: u32) -> vec4<f32> {
 return vec4<f32>(nibbles(w) | (((vec4<u32>(bits) >> vec4<u32>(0u, 1u, 2u, 3u)) & vec4<u32>(1u)) << vec4<u32>(4u)));
}
fn five_chunk(q: vec4<u32>, bits: u32) -> Chunk {
 let h = q >> vec4<u32>(4u);
 return Chunk(five(q.x, bits), five(q.y, bits >> 4u), five(q.z, bits >> 8u), five(q.w, bits >> 12u),
  five(h.x, bits >> 16u), five(h.y, bits >> 20u), five(h.z, bits >> 24u), five(h.w, bits >> 28u));
}
fn half(h: u32) -> f32 {
 let m = h & 0x7fffu;
 let rebias = select(0x38000000u, 0x70000000u, m >= 0x7c00u);
 let v = select(bitcast<f32>((m << 13u) + rebias), f32(m) * 0x1p-24f, m < 0x400u);
 return bitcast<f32>(bitcast<u32>(v) | ((h & 0x8000u) << 16u));
}
fn half2(w: u32) -> vec2<f32> {
 return vec2<f32>(half(w & 0xffffu), half(w >> 16u));
}
fn coded(g: u32, c: u32, r: u32) -> Coded {
 let s = half2(scale_word(g, c, r, 2u, 0u));
 return Coded(five_chunk(quants(g, c, r, 1u, 0u), scale_word(g, c, r, 2u, 1u)), s.xxyy);
}
fn dequant(g: u32, c: u32, r: u32) -> Chunk {
 let w = coded(g, c, r);
                                     {
  return chunk_affine(w.q, w.s);
 }
}
fn soft_tanh(v: f32) -> f32 {
 let e = exp(-2.0 * min(abs(v), 15.0));
 return sign(v) * ((1.0 - e) / (1.0 + e));
}
fn silu(v: f32) -> f32 {
 return v / (1.0 + exp(clamp(-v, -80.0, 80.0)));
}
fn gelu_tanh(v: f32) -> f32 {
 return 0.5 * v * (1.0 + soft_tanh(0.7978845608 * (v + 0.044715 * v * v * v)));
}
fn activate(kind: u32, v: f32) -> f32 {
 if (kind == 1u) {
  return silu(v);
 }
 if (kind == 2u) {
  return gelu_tanh(v);
 }
 return v;
}
const ADD = 1u;
const BIAS = 2u;
const SOFTCAP = 4u;
fn store(sum: f32, row: u32, at: u32) {
 var v = sum;
 if ((p.flags & BIAS) != 0u) {
  v += bias[row];
 }
 v = activate(p.act, v);
 if ((p.flags & SOFTCAP) != 0u) {
  v = p.softcap * soft_tanh(v / p.softcap);
 }
 if ((p.flags & ADD) != 0u) {
  v += y[at];
 }
 y[at] = v;
}
const NONE = 0xffffffffu;
override L: u32 = 8u;
override G: u32 = 1u;
override T: u32 = 64u;
override B: u32 = 1u;
override NORM: bool = false;
struct P {
 n_chunk: u32,
 n_unit: u32,
 n_group: u32,
 n_rows: u32,
 row0: u32,
 by_expert: u32,
 n_expert: u32,
 glu: u32,
 x_slot_div: u32,
 y_stride: u32,
 eps: f32,
 act: u32,
 flags: u32,
 softcap: f32,
}
@group(0) @binding(0) var<storage, read> wq: array<vec4<u32>>;
@group(0) @binding(1) var<storage, read> ws: array<u32>;
@group(0) @binding(2) var<storage, read> x: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read> norm: array<vec4<f32>>;
@group(0) @binding(4) var<storage, read> bias: array<f32>;
@group(0) @binding(5) var<storage, read_write> y: array<f32>;
@group(0) @binding(6) var<storage, read> sel: array<u32>;
@group(0) @binding(7) var<uniform> p: P;
var<workgroup> partial: array<vec4<f32>, T>;
var<workgroup> squares: array<f32, T>;
fn column(at: u32) -> Chunk {
 return Chunk(x[at], x[at + 1u], x[at + 2u], x[at + 3u], x[at + 4u], x[at + 5u], x[at + 6u], x[at + 7u]);
}
fn norm_weights(at: u32) -> Chunk {
 return Chunk(norm[at], norm[at + 1u], norm[at + 2u], norm[at + 3u],
  norm[at + 4u], norm[at + 5u], norm[at + 6u], norm[at + 7u]);
}
fn write(sum: f32, y0: u32, row: u32) {
 if (row < p.n_rows) {
  store(sum, p.row0 + row, y0 + row);
 }
}
fn gate(sum: f32, up: f32, y0: u32, row: u32) {
 if (row < p.n_rows) {
  y[y0 + row] = activate(p.act, sum) * up;
 }
}
@compute @workgroup_size(T)
fn main(@builtin(local_invocation_index) t: u32, @builtin(workgroup_id) wg: vec3<u32>) {
 var first = 0u;
 if (p.by_expert == 1u) {
  let expert = sel[wg.y];
  if (expert == NONE) {
   return;
  }
  first = min(expert, p.n_expert - 1u) * p.n_group;
 }
 let r = t % 8u;
 let lane = (t / 8u) % L;
 let block = (wg.x * G + t / (8u * L)) * B;
 let x0 = wg.y / p.x_slot_div * p.n_chunk * 8u;
 let g = first + min(vec4<u32>(block) + vec4<u32>(0u, 1u, 2u, 3u), vec4<u32>(p.n_group - 1u));
 var sum = vec4<f32>();
 var square = 0.0;
 for (var c = lane; c < p.n_chunk; c += L) {
  var v = column(x0 + c * 8u);
  if (NORM) {
   square += chunk_dot(v, v);
   v = chunk_mul(v, norm_weights(c * 8u));
  }
  sum.x += chunk_dot(dequant(g.x, c, r), v);
  if (B > 1u) {
   sum.y += chunk_dot(dequant(g.y, c, r), v);
  }
  if (B > 2u) {
   sum.z += chunk_dot(dequant(g.z, c, r), v);
   sum.w += chunk_dot(dequant(g.w, c, r), v);
  }
 }
 if (L > 1u) {
  partial[t] = sum;
  squares[t] = square;
  workgroupBarrier();
  if (lane == 0u) {
   for (var l = 1u; l < L; l++) {
    sum += partial[t + 8u * l];
    square += squares[t + 8u * l];
   }
  }
 }
 if (lane > 0u || block >= p.n_group) {
  return;
 }
 if (NORM) {
  sum *= inverseSqrt(square / f32(p.n_chunk * 32u) + p.eps);
 }
 let y0 = wg.y * p.y_stride + p.row0;
 if (p.glu == 1u) {
  gate(sum.x, sum.y, y0, 4u * block + r);
  if (B > 2u) {
   gate(sum.z, sum.w, y0, 4u * block + 8u + r);
  }
  return;
 }
 write(sum.x, y0, 8u * block + r);
 if (B > 1u) {
  write(sum.y, y0, 8u * block + 8u + r);
 }
 if (B > 2u) {
  write(sum.z, y0, 8u * block + 16u + r);
  write(sum.w, y0, 8u * block + 24u + r);
 }
}
",
    },
    Shader {
        name: "matmul_vec_q5k",
        kernel: "matmul_vec",
        workgroup_size: [64, 1, 1],
        bindings: &[
            Binding { index: 0, name: "wq", kind: BindingKind::Read, min_size: 16 },
            Binding { index: 1, name: "ws", kind: BindingKind::Read, min_size: 4 },
            Binding { index: 2, name: "x", kind: BindingKind::Read, min_size: 16 },
            Binding { index: 3, name: "norm", kind: BindingKind::Read, min_size: 16 },
            Binding { index: 4, name: "bias", kind: BindingKind::Read, min_size: 4 },
            Binding { index: 5, name: "y", kind: BindingKind::ReadWrite, min_size: 4 },
            Binding { index: 6, name: "sel", kind: BindingKind::Read, min_size: 4 },
            Binding { index: 7, name: "p", kind: BindingKind::Uniform, min_size: 56 },
        ],
        overrides: &[
            Override { name: "L", default: Some(8.0) },
            Override { name: "G", default: Some(1.0) },
            Override { name: "T", default: Some(64.0) },
            Override { name: "B", default: Some(1.0) },
            Override { name: "NORM", default: Some(0.0) },
        ],
        needs: &[],
        workgroup_bytes: 1280,
        uniform: &[
            UniformField { name: "n_chunk", offset: 0, size: 4 },
            UniformField { name: "n_unit", offset: 4, size: 4 },
            UniformField { name: "n_group", offset: 8, size: 4 },
            UniformField { name: "n_rows", offset: 12, size: 4 },
            UniformField { name: "row0", offset: 16, size: 4 },
            UniformField { name: "by_expert", offset: 20, size: 4 },
            UniformField { name: "n_expert", offset: 24, size: 4 },
            UniformField { name: "glu", offset: 28, size: 4 },
            UniformField { name: "x_slot_div", offset: 32, size: 4 },
            UniformField { name: "y_stride", offset: 36, size: 4 },
            UniformField { name: "eps", offset: 40, size: 4 },
            UniformField { name: "act", offset: 44, size: 4 },
            UniformField { name: "flags", offset: 48, size: 4 },
            UniformField { name: "softcap", offset: 52, size: 4 },
        ],
        wgsl: r"struct Chunk {
 v0: vec4<f32>,
 v1: vec4<f32>,
 v2: vec4<f32>,
 v3: vec4<f32>,
 v4: vec4<f32>,
 v5: vec4<f32>,
 v6: vec4<f32>,
 v7: vec4<f32>,
}
struct Coded {
 q: Chunk,
 s: vec4<f32>,
}
fn chunk_dot(a: Chunk, b: Chunk) -> f32 {
 return dot(a.v0, b.v0) + dot(a.v1, b.v1) + dot(a.v2, b.v2) + dot(a.v3, b.v3)
  + dot(a.v4, b.v4) + dot(a.v5, b.v5) + dot(a.v6, b.v6) + dot(a.v7, b.v7);
}
fn chunk_mul(a: Chunk, b: Chunk) -> Chunk {
 return Chunk(a.v0 * b.v0, a.v1 * b.v1, a.v2 * b.v2, a.v3 * b.v3,
  a.v4 * b.v4, a.v5 * b.v5, a.v6 * b.v6, a.v7 * b.v7);
}
fn chunk_affine(q: Chunk, s: vec4<f32>) -> Chunk {
 let lo = vec4<f32>(s.z);
 let hi = vec4<f32>(s.w);
 return Chunk(q.v0 * s.x + lo, q.v1 * s.x + lo, q.v2 * s.x + lo, q.v3 * s.x + lo,
  q.v4 * s.y + hi, q.v5 * s.y + hi, q.v6 * s.y + hi, q.v7 * s.y + hi);
}
fn quants(g: u32, c: u32, r: u32, n_word: u32, word: u32) -> vec4<u32> {
 return wq[((g * p.n_chunk + c) * n_word + word) * 8u + r];
}
fn scale_word(g: u32, unit: u32, r: u32, n_word: u32, word: u32) -> u32 {
 return ws[((g * p.n_unit + unit) * n_word + word) * 8u + r];
}
fn nibbles(w: u32) -> vec4<u32> {
 return (vec4<u32>(w) >> vec4<u32>(0u, 8u, 16u, 24u)) & vec4<u32>(15u);
}
fn five(w: u32, bits: u32) -> vec4<f32> {
 return vec4<f32>(nibbles(w) | (((vec4<u32>(bits) >> vec4<u32>(0u, 1u, 2u, 3u)) & vec4<u32>(1u)) << vec4<u32>(4u)));
}
fn five_chunk(q: vec4<u32>, bits: u32) -> Chunk {
 let h = q >> vec4<u32>(4u);
 return Chunk(five(q.x, bits), five(q.y, bits >> 4u), five(q.z, bits >> 8u), five(q.w, bits >> 12u),
  five(h.x, bits >> 16u), five(h.y, bits >> 20u), five(h.z, bits >> 24u), five(h.w, bits >> 28u));
}
fn half(h: u32) -> f32 {
 let m = h & 0x7fffu;
 let rebias = select(0x38000000u, 0x70000000u, m >= 0x7c00u);
 let v = select(bitcast<f32>((m << 13u) + rebias), f32(m) * 0x1p-24f, m < 0x400u);
 return bitcast<f32>(bitcast<u32>(v) | ((h & 0x8000u) << 16u));
}
fn half2(w: u32) -> vec2<f32> {
 return vec2<f32>(half(w & 0xffffu), half(w >> 16u));
}
fn scale_min(g: u32, c: u32, r: u32, n_word: u32) -> vec4<f32> {
 let d = half2(scale_word(g, c / 8u, r, n_word, 0u));
 let f = scale_word(g, c / 8u, r, n_word, 1u + (c % 8u) / 2u) >> (16u * (c % 2u));
 let s = d * vec2<f32>(f32(f & 255u), f32((f >> 8u) & 255u));
 return vec4<f32>(s.x, s.x, -s.y, -s.y);
}
fn coded(g: u32, c: u32, r: u32) -> Coded {
 let bits = scale_word(g, c / 8u, r, 13u, 5u + c % 8u);
 return Coded(five_chunk(quants(g, c, r, 1u, 0u), bits), scale_min(g, c, r, 13u));
}
fn dequant(g: u32, c: u32, r: u32) -> Chunk {
 let w = coded(g, c, r);
                                     {
  return chunk_affine(w.q, w.s);
 }
}
fn soft_tanh(v: f32) -> f32 {
 let e = exp(-2.0 * min(abs(v), 15.0));
 return sign(v) * ((1.0 - e) / (1.0 + e));
}
fn silu(v: f32) -> f32 {
 return v / (1.0 + exp(clamp(-v, -80.0, 80.0)));
}
fn gelu_tanh(v: f32) -> f32 {
 return 0.5 * v * (1.0 + soft_tanh(0.7978845608 * (v + 0.044715 * v * v * v)));
}
fn activate(kind: u32, v: f32) -> f32 {
 if (kind == 1u) {
  return silu(v);
 }
 if (kind == 2u) {
  return gelu_tanh(v);
 }
 return v;
}
const ADD = 1u;
const BIAS = 2u;
const SOFTCAP = 4u;
fn store(sum: f32, row: u32, at: u32) {
 var v = sum;
 if ((p.flags & BIAS) != 0u) {
  v += bias[row];
 }
 v = activate(p.act, v);
 if ((p.flags & SOFTCAP) != 0u) {
  v = p.softcap * soft_tanh(v / p.softcap);
 }
 if ((p.flags & ADD) != 0u) {
  v += y[at];
 }
 y[at] = v;
}
const NONE = 0xffffffffu;
override L: u32 = 8u;
override G: u32 = 1u;
override T: u32 = 64u;
override B: u32 = 1u;
override NORM: bool = false;
struct P {
 n_chunk: u32,
 n_unit: u32,
 n_group: u32,
 n_rows: u32,
 row0: u32,
 by_expert: u32,
 n_expert: u32,
 glu: u32,
 x_slot_div: u32,
 y_stride: u32,
 eps: f32,
 act: u32,
 flags: u32,
 softcap: f32,
}
@group(0) @binding(0) var<storage, read> wq: array<vec4<u32>>;
@group(0) @binding(1) var<storage, read> ws: array<u32>;
@group(0) @binding(2) var<storage, read> x: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read> norm: array<vec4<f32>>;
@group(0) @binding(4) var<storage, read> bias: array<f32>;
@group(0) @binding(5) var<storage, read_write> y: array<f32>;
@group(0) @binding(6) var<storage, read> sel: array<u32>;
@group(0) @binding(7) var<uniform> p: P;
var<workgroup> partial: array<vec4<f32>, T>;
var<workgroup> squares: array<f32, T>;
fn column(at: u32) -> Chunk {
 return Chunk(x[at], x[at + 1u], x[at + 2u], x[at + 3u], x[at + 4u], x[at + 5u], x[at + 6u], x[at + 7u]);
}
fn norm_weights(at: u32) -> Chunk {
 return Chunk(norm[at], norm[at + 1u], norm[at + 2u], norm[at + 3u],
  norm[at + 4u], norm[at + 5u], norm[at + 6u], norm[at + 7u]);
}
fn write(sum: f32, y0: u32, row: u32) {
 if (row < p.n_rows) {
  store(sum, p.row0 + row, y0 + row);
 }
}
fn gate(sum: f32, up: f32, y0: u32, row: u32) {
 if (row < p.n_rows) {
  y[y0 + row] = activate(p.act, sum) * up;
 }
}
@compute @workgroup_size(T)
fn main(@builtin(local_invocation_index) t: u32, @builtin(workgroup_id) wg: vec3<u32>) {
 var first = 0u;
 if (p.by_expert == 1u) {
  let expert = sel[wg.y];
  if (expert == NONE) {
   return;
  }
  first = min(expert, p.n_expert - 1u) * p.n_group;
 }
 let r = t % 8u;
 let lane = (t / 8u) % L;
 let block = (wg.x * G + t / (8u * L)) * B;
 let x0 = wg.y / p.x_slot_div * p.n_chunk * 8u;
 let g = first + min(vec4<u32>(block) + vec4<u32>(0u, 1u, 2u, 3u), vec4<u32>(p.n_group - 1u));
 var sum = vec4<f32>();
 var square = 0.0;
 for (var c = lane; c < p.n_chunk; c += L) {
  var v = column(x0 + c * 8u);
  if (NORM) {
   square += chunk_dot(v, v);
   v = chunk_mul(v, norm_weights(c * 8u));
  }
  sum.x += chunk_dot(dequant(g.x, c, r), v);
  if (B > 1u) {
   sum.y += chunk_dot(dequant(g.y, c, r), v);
  }
  if (B > 2u) {
   sum.z += chunk_dot(dequant(g.z, c, r), v);
   sum.w += chunk_dot(dequant(g.w, c, r), v);
  }
 }
 if (L > 1u) {
  partial[t] = sum;
  squares[t] = square;
  workgroupBarrier();
  if (lane == 0u) {
   for (var l = 1u; l < L; l++) {
    sum += partial[t + 8u * l];
    square += squares[t + 8u * l];
   }
  }
 }
 if (lane > 0u || block >= p.n_group) {
  return;
 }
 if (NORM) {
  sum *= inverseSqrt(square / f32(p.n_chunk * 32u) + p.eps);
 }
 let y0 = wg.y * p.y_stride + p.row0;
 if (p.glu == 1u) {
  gate(sum.x, sum.y, y0, 4u * block + r);
  if (B > 2u) {
   gate(sum.z, sum.w, y0, 4u * block + 8u + r);
  }
  return;
 }
 write(sum.x, y0, 8u * block + r);
 if (B > 1u) {
  write(sum.y, y0, 8u * block + 8u + r);
 }
 if (B > 2u) {
  write(sum.z, y0, 8u * block + 16u + r);
  write(sum.w, y0, 8u * block + 24u + r);
 }
}
",
    },
    Shader {
        name: "matmul_vec_q6k",
        kernel: "matmul_vec",
        workgroup_size: [64, 1, 1],
        bindings: &[
            Binding { index: 0, name: "wq", kind: BindingKind::Read, min_size: 16 },
            Binding { index: 1, name: "ws", kind: BindingKind::Read, min_size: 4 },
            Binding { index: 2, name: "x", kind: BindingKind::Read, min_size: 16 },
            Binding { index: 3, name: "norm", kind: BindingKind::Read, min_size: 16 },
            Binding { index: 4, name: "bias", kind: BindingKind::Read, min_size: 4 },
            Binding { index: 5, name: "y", kind: BindingKind::ReadWrite, min_size: 4 },
            Binding { index: 6, name: "sel", kind: BindingKind::Read, min_size: 4 },
            Binding { index: 7, name: "p", kind: BindingKind::Uniform, min_size: 56 },
        ],
        overrides: &[
            Override { name: "L", default: Some(8.0) },
            Override { name: "G", default: Some(1.0) },
            Override { name: "T", default: Some(64.0) },
            Override { name: "B", default: Some(1.0) },
            Override { name: "NORM", default: Some(0.0) },
        ],
        needs: &[],
        workgroup_bytes: 1280,
        uniform: &[
            UniformField { name: "n_chunk", offset: 0, size: 4 },
            UniformField { name: "n_unit", offset: 4, size: 4 },
            UniformField { name: "n_group", offset: 8, size: 4 },
            UniformField { name: "n_rows", offset: 12, size: 4 },
            UniformField { name: "row0", offset: 16, size: 4 },
            UniformField { name: "by_expert", offset: 20, size: 4 },
            UniformField { name: "n_expert", offset: 24, size: 4 },
            UniformField { name: "glu", offset: 28, size: 4 },
            UniformField { name: "x_slot_div", offset: 32, size: 4 },
            UniformField { name: "y_stride", offset: 36, size: 4 },
            UniformField { name: "eps", offset: 40, size: 4 },
            UniformField { name: "act", offset: 44, size: 4 },
            UniformField { name: "flags", offset: 48, size: 4 },
            UniformField { name: "softcap", offset: 52, size: 4 },
        ],
        wgsl: r"struct Chunk {
 v0: vec4<f32>,
 v1: vec4<f32>,
 v2: vec4<f32>,
 v3: vec4<f32>,
 v4: vec4<f32>,
 v5: vec4<f32>,
 v6: vec4<f32>,
 v7: vec4<f32>,
}
struct Coded {
 q: Chunk,
 s: vec4<f32>,
}
fn chunk_dot(a: Chunk, b: Chunk) -> f32 {
 return dot(a.v0, b.v0) + dot(a.v1, b.v1) + dot(a.v2, b.v2) + dot(a.v3, b.v3)
  + dot(a.v4, b.v4) + dot(a.v5, b.v5) + dot(a.v6, b.v6) + dot(a.v7, b.v7);
}
fn chunk_mul(a: Chunk, b: Chunk) -> Chunk {
 return Chunk(a.v0 * b.v0, a.v1 * b.v1, a.v2 * b.v2, a.v3 * b.v3,
  a.v4 * b.v4, a.v5 * b.v5, a.v6 * b.v6, a.v7 * b.v7);
}
fn chunk_scale(q: Chunk, lo: f32, hi: f32) -> Chunk {
 return Chunk(q.v0 * lo, q.v1 * lo, q.v2 * lo, q.v3 * lo, q.v4 * hi, q.v5 * hi, q.v6 * hi, q.v7 * hi);
}
fn quants(g: u32, c: u32, r: u32, n_word: u32, word: u32) -> vec4<u32> {
 return wq[((g * p.n_chunk + c) * n_word + word) * 8u + r];
}
fn scale_word(g: u32, unit: u32, r: u32, n_word: u32, word: u32) -> u32 {
 return ws[((g * p.n_unit + unit) * n_word + word) * 8u + r];
}
fn nibbles(w: u32) -> vec4<u32> {
 return (vec4<u32>(w) >> vec4<u32>(0u, 8u, 16u, 24u)) & vec4<u32>(15u);
}
fn signed_byte(b: u32) -> f32 {
 return f32(bitcast<i32>(b << 24u) >> 24u);
}
fn half(h: u32) -> f32 {
 let m = h & 0x7fffu;
 let rebias = select(0x38000000u, 0x70000000u, m >= 0x7c00u);
 let v = select(bitcast<f32>((m << 13u) + rebias), f32(m) * 0x1p-24f, m < 0x400u);
 return bitcast<f32>(bitcast<u32>(v) | ((h & 0x8000u) << 16u));
}
fn byte_pair(g: u32, c: u32, r: u32, n_word: u32) -> u32 {
 return scale_word(g, c / 8u, r, n_word, 1u + (c % 8u) / 2u) >> (16u * (c % 2u));
}
fn centred(q: vec4<u32>, middle: i32) -> vec4<f32> {
 return vec4<f32>(vec4<i32>(q) - vec4<i32>(middle));
}
fn six(w: u32, bits: u32) -> vec4<f32> {
 let upper = (vec4<u32>(bits) >> vec4<u32>(0u, 2u, 4u, 6u)) & vec4<u32>(3u);
 return centred(nibbles(w) | (upper << vec4<u32>(4u)), 32);
}
fn coded(g: u32, c: u32, r: u32) -> Coded {
 let d = half(scale_word(g, c / 8u, r, 21u, 0u) & 0xffffu);
 let f = byte_pair(g, c, r, 21u);
 let a = scale_word(g, c / 8u, r, 21u, 5u + 2u * (c % 8u));
 let b = scale_word(g, c / 8u, r, 21u, 6u + 2u * (c % 8u));
 let q = quants(g, c, r, 1u, 0u);
 let h = q >> vec4<u32>(4u);
 let v = Chunk(six(q.x, a), six(q.y, a >> 8u), six(q.z, a >> 16u), six(q.w, a >> 24u),
  six(h.x, b), six(h.y, b >> 8u), six(h.z, b >> 16u), six(h.w, b >> 24u));
 return Coded(v, vec4<f32>(d * signed_byte(f), d * signed_byte(f >> 8u), 0.0, 0.0));
}
fn dequant(g: u32, c: u32, r: u32) -> Chunk {
 let w = coded(g, c, r);
    {
  return chunk_scale(w.q, w.s.x, w.s.y);
 }
}
fn soft_tanh(v: f32) -> f32 {
 let e = exp(-2.0 * min(abs(v), 15.0));
 return sign(v) * ((1.0 - e) / (1.0 + e));
}
fn silu(v: f32) -> f32 {
 return v / (1.0 + exp(clamp(-v, -80.0, 80.0)));
}
fn gelu_tanh(v: f32) -> f32 {
 return 0.5 * v * (1.0 + soft_tanh(0.7978845608 * (v + 0.044715 * v * v * v)));
}
fn activate(kind: u32, v: f32) -> f32 {
 if (kind == 1u) {
  return silu(v);
 }
 if (kind == 2u) {
  return gelu_tanh(v);
 }
 return v;
}
const ADD = 1u;
const BIAS = 2u;
const SOFTCAP = 4u;
fn store(sum: f32, row: u32, at: u32) {
 var v = sum;
 if ((p.flags & BIAS) != 0u) {
  v += bias[row];
 }
 v = activate(p.act, v);
 if ((p.flags & SOFTCAP) != 0u) {
  v = p.softcap * soft_tanh(v / p.softcap);
 }
 if ((p.flags & ADD) != 0u) {
  v += y[at];
 }
 y[at] = v;
}
const NONE = 0xffffffffu;
override L: u32 = 8u;
override G: u32 = 1u;
override T: u32 = 64u;
override B: u32 = 1u;
override NORM: bool = false;
struct P {
 n_chunk: u32,
 n_unit: u32,
 n_group: u32,
 n_rows: u32,
 row0: u32,
 by_expert: u32,
 n_expert: u32,
 glu: u32,
 x_slot_div: u32,
 y_stride: u32,
 eps: f32,
 act: u32,
 flags: u32,
 softcap: f32,
}
@group(0) @binding(0) var<storage, read> wq: array<vec4<u32>>;
@group(0) @binding(1) var<storage, read> ws: array<u32>;
@group(0) @binding(2) var<storage, read> x: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read> norm: array<vec4<f32>>;
@group(0) @binding(4) var<storage, read> bias: array<f32>;
@group(0) @binding(5) var<storage, read_write> y: array<f32>;
@group(0) @binding(6) var<storage, read> sel: array<u32>;
@group(0) @binding(7) var<uniform> p: P;
var<workgroup> partial: array<vec4<f32>, T>;
var<workgroup> squares: array<f32, T>;
fn column(at: u32) -> Chunk {
 return Chunk(x[at], x[at + 1u], x[at + 2u], x[at + 3u], x[at + 4u], x[at + 5u], x[at + 6u], x[at + 7u]);
}
fn norm_weights(at: u32) -> Chunk {
 return Chunk(norm[at], norm[at + 1u], norm[at + 2u], norm[at + 3u],
  norm[at + 4u], norm[at + 5u], norm[at + 6u], norm[at + 7u]);
}
fn write(sum: f32, y0: u32, row: u32) {
 if (row < p.n_rows) {
  store(sum, p.row0 + row, y0 + row);
 }
}
fn gate(sum: f32, up: f32, y0: u32, row: u32) {
 if (row < p.n_rows) {
  y[y0 + row] = activate(p.act, sum) * up;
 }
}
@compute @workgroup_size(T)
fn main(@builtin(local_invocation_index) t: u32, @builtin(workgroup_id) wg: vec3<u32>) {
 var first = 0u;
 if (p.by_expert == 1u) {
  let expert = sel[wg.y];
  if (expert == NONE) {
   return;
  }
  first = min(expert, p.n_expert - 1u) * p.n_group;
 }
 let r = t % 8u;
 let lane = (t / 8u) % L;
 let block = (wg.x * G + t / (8u * L)) * B;
 let x0 = wg.y / p.x_slot_div * p.n_chunk * 8u;
 let g = first + min(vec4<u32>(block) + vec4<u32>(0u, 1u, 2u, 3u), vec4<u32>(p.n_group - 1u));
 var sum = vec4<f32>();
 var square = 0.0;
 for (var c = lane; c < p.n_chunk; c += L) {
  var v = column(x0 + c * 8u);
  if (NORM) {
   square += chunk_dot(v, v);
   v = chunk_mul(v, norm_weights(c * 8u));
  }
  sum.x += chunk_dot(dequant(g.x, c, r), v);
  if (B > 1u) {
   sum.y += chunk_dot(dequant(g.y, c, r), v);
  }
  if (B > 2u) {
   sum.z += chunk_dot(dequant(g.z, c, r), v);
   sum.w += chunk_dot(dequant(g.w, c, r), v);
  }
 }
 if (L > 1u) {
  partial[t] = sum;
  squares[t] = square;
  workgroupBarrier();
  if (lane == 0u) {
   for (var l = 1u; l < L; l++) {
    sum += partial[t + 8u * l];
    square += squares[t + 8u * l];
   }
  }
 }
 if (lane > 0u || block >= p.n_group) {
  return;
 }
 if (NORM) {
  sum *= inverseSqrt(square / f32(p.n_chunk * 32u) + p.eps);
 }
 let y0 = wg.y * p.y_stride + p.row0;
 if (p.glu == 1u) {
  gate(sum.x, sum.y, y0, 4u * block + r);
  if (B > 2u) {
   gate(sum.z, sum.w, y0, 4u * block + 8u + r);
  }
  return;
 }
 write(sum.x, y0, 8u * block + r);
 if (B > 1u) {
  write(sum.y, y0, 8u * block + 8u + r);
 }
 if (B > 2u) {
  write(sum.z, y0, 8u * block + 16u + r);
  write(sum.w, y0, 8u * block + 24u + r);
 }
}
",
    },
    Shader {
        name: "matmul_vec_q8",
        kernel: "matmul_vec",
        workgroup_size: [64, 1, 1],
        bindings: &[
            Binding { index: 0, name: "wq", kind: BindingKind::Read, min_size: 16 },
            Binding { index: 1, name: "ws", kind: BindingKind::Read, min_size: 4 },
            Binding { index: 2, name: "x", kind: BindingKind::Read, min_size: 16 },
            Binding { index: 3, name: "norm", kind: BindingKind::Read, min_size: 16 },
            Binding { index: 4, name: "bias", kind: BindingKind::Read, min_size: 4 },
            Binding { index: 5, name: "y", kind: BindingKind::ReadWrite, min_size: 4 },
            Binding { index: 6, name: "sel", kind: BindingKind::Read, min_size: 4 },
            Binding { index: 7, name: "p", kind: BindingKind::Uniform, min_size: 56 },
        ],
        overrides: &[
            Override { name: "L", default: Some(8.0) },
            Override { name: "G", default: Some(1.0) },
            Override { name: "T", default: Some(64.0) },
            Override { name: "B", default: Some(1.0) },
            Override { name: "NORM", default: Some(0.0) },
        ],
        needs: &[],
        workgroup_bytes: 1280,
        uniform: &[
            UniformField { name: "n_chunk", offset: 0, size: 4 },
            UniformField { name: "n_unit", offset: 4, size: 4 },
            UniformField { name: "n_group", offset: 8, size: 4 },
            UniformField { name: "n_rows", offset: 12, size: 4 },
            UniformField { name: "row0", offset: 16, size: 4 },
            UniformField { name: "by_expert", offset: 20, size: 4 },
            UniformField { name: "n_expert", offset: 24, size: 4 },
            UniformField { name: "glu", offset: 28, size: 4 },
            UniformField { name: "x_slot_div", offset: 32, size: 4 },
            UniformField { name: "y_stride", offset: 36, size: 4 },
            UniformField { name: "eps", offset: 40, size: 4 },
            UniformField { name: "act", offset: 44, size: 4 },
            UniformField { name: "flags", offset: 48, size: 4 },
            UniformField { name: "softcap", offset: 52, size: 4 },
        ],
        wgsl: r"struct Chunk {
 v0: vec4<f32>,
 v1: vec4<f32>,
 v2: vec4<f32>,
 v3: vec4<f32>,
 v4: vec4<f32>,
 v5: vec4<f32>,
 v6: vec4<f32>,
 v7: vec4<f32>,
}
struct Coded {
 q: Chunk,
 s: vec4<f32>,
}
fn chunk_dot(a: Chunk, b: Chunk) -> f32 {
 return dot(a.v0, b.v0) + dot(a.v1, b.v1) + dot(a.v2, b.v2) + dot(a.v3, b.v3)
  + dot(a.v4, b.v4) + dot(a.v5, b.v5) + dot(a.v6, b.v6) + dot(a.v7, b.v7);
}
fn chunk_mul(a: Chunk, b: Chunk) -> Chunk {
 return Chunk(a.v0 * b.v0, a.v1 * b.v1, a.v2 * b.v2, a.v3 * b.v3,
  a.v4 * b.v4, a.v5 * b.v5, a.v6 * b.v6, a.v7 * b.v7);
}
fn chunk_scale(q: Chunk, lo: f32, hi: f32) -> Chunk {
 return Chunk(q.v0 * lo, q.v1 * lo, q.v2 * lo, q.v3 * lo, q.v4 * hi, q.v5 * hi, q.v6 * hi, q.v7 * hi);
}
fn quants(g: u32, c: u32, r: u32, n_word: u32, word: u32) -> vec4<u32> {
 return wq[((g * p.n_chunk + c) * n_word + word) * 8u + r];
}
fn scale_word(g: u32, unit: u32, r: u32, n_word: u32, word: u32) -> u32 {
 return ws[((g * p.n_unit + unit) * n_word + word) * 8u + r];
}
fn signed_bytes(w: u32) -> vec4<i32> {
 return bitcast<vec4<i32>>(vec4<u32>(w) << vec4<u32>(24u, 16u, 8u, 0u)) >> vec4<u32>(24u);
}
fn half(h: u32) -> f32 {
 let m = h & 0x7fffu;
 let rebias = select(0x38000000u, 0x70000000u, m >= 0x7c00u);
 let v = select(bitcast<f32>((m << 13u) + rebias), f32(m) * 0x1p-24f, m < 0x400u);
 return bitcast<f32>(bitcast<u32>(v) | ((h & 0x8000u) << 16u));
}
fn coded(g: u32, c: u32, r: u32) -> Coded {
 let a = quants(g, c, r, 2u, 0u);
 let b = quants(g, c, r, 2u, 1u);
 let s = half((scale_word(g, c / 2u, r, 1u, 0u) >> (16u * (c % 2u))) & 0xffffu);
 let q = Chunk(vec4<f32>(signed_bytes(a.x)), vec4<f32>(signed_bytes(a.y)), vec4<f32>(signed_bytes(a.z)),
  vec4<f32>(signed_bytes(a.w)), vec4<f32>(signed_bytes(b.x)), vec4<f32>(signed_bytes(b.y)),
  vec4<f32>(signed_bytes(b.z)), vec4<f32>(signed_bytes(b.w)));
 return Coded(q, vec4<f32>(s, s, 0.0, 0.0));
}
fn dequant(g: u32, c: u32, r: u32) -> Chunk {
 let w = coded(g, c, r);
    {
  return chunk_scale(w.q, w.s.x, w.s.y);
 }
}
fn soft_tanh(v: f32) -> f32 {
 let e = exp(-2.0 * min(abs(v), 15.0));
 return sign(v) * ((1.0 - e) / (1.0 + e));
}
fn silu(v: f32) -> f32 {
 return v / (1.0 + exp(clamp(-v, -80.0, 80.0)));
}
fn gelu_tanh(v: f32) -> f32 {
 return 0.5 * v * (1.0 + soft_tanh(0.7978845608 * (v + 0.044715 * v * v * v)));
}
fn activate(kind: u32, v: f32) -> f32 {
 if (kind == 1u) {
  return silu(v);
 }
 if (kind == 2u) {
  return gelu_tanh(v);
 }
 return v;
}
const ADD = 1u;
const BIAS = 2u;
const SOFTCAP = 4u;
fn store(sum: f32, row: u32, at: u32) {
 var v = sum;
 if ((p.flags & BIAS) != 0u) {
  v += bias[row];
 }
 v = activate(p.act, v);
 if ((p.flags & SOFTCAP) != 0u) {
  v = p.softcap * soft_tanh(v / p.softcap);
 }
 if ((p.flags & ADD) != 0u) {
  v += y[at];
 }
 y[at] = v;
}
const NONE = 0xffffffffu;
override L: u32 = 8u;
override G: u32 = 1u;
override T: u32 = 64u;
override B: u32 = 1u;
override NORM: bool = false;
struct P {
 n_chunk: u32,
 n_unit: u32,
 n_group: u32,
 n_rows: u32,
 row0: u32,
 by_expert: u32,
 n_expert: u32,
 glu: u32,
 x_slot_div: u32,
 y_stride: u32,
 eps: f32,
 act: u32,
 flags: u32,
 softcap: f32,
}
@group(0) @binding(0) var<storage, read> wq: array<vec4<u32>>;
@group(0) @binding(1) var<storage, read> ws: array<u32>;
@group(0) @binding(2) var<storage, read> x: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read> norm: array<vec4<f32>>;
@group(0) @binding(4) var<storage, read> bias: array<f32>;
@group(0) @binding(5) var<storage, read_write> y: array<f32>;
@group(0) @binding(6) var<storage, read> sel: array<u32>;
@group(0) @binding(7) var<uniform> p: P;
var<workgroup> partial: array<vec4<f32>, T>;
var<workgroup> squares: array<f32, T>;
fn column(at: u32) -> Chunk {
 return Chunk(x[at], x[at + 1u], x[at + 2u], x[at + 3u], x[at + 4u], x[at + 5u], x[at + 6u], x[at + 7u]);
}
fn norm_weights(at: u32) -> Chunk {
 return Chunk(norm[at], norm[at + 1u], norm[at + 2u], norm[at + 3u],
  norm[at + 4u], norm[at + 5u], norm[at + 6u], norm[at + 7u]);
}
fn write(sum: f32, y0: u32, row: u32) {
 if (row < p.n_rows) {
  store(sum, p.row0 + row, y0 + row);
 }
}
fn gate(sum: f32, up: f32, y0: u32, row: u32) {
 if (row < p.n_rows) {
  y[y0 + row] = activate(p.act, sum) * up;
 }
}
@compute @workgroup_size(T)
fn main(@builtin(local_invocation_index) t: u32, @builtin(workgroup_id) wg: vec3<u32>) {
 var first = 0u;
 if (p.by_expert == 1u) {
  let expert = sel[wg.y];
  if (expert == NONE) {
   return;
  }
  first = min(expert, p.n_expert - 1u) * p.n_group;
 }
 let r = t % 8u;
 let lane = (t / 8u) % L;
 let block = (wg.x * G + t / (8u * L)) * B;
 let x0 = wg.y / p.x_slot_div * p.n_chunk * 8u;
 let g = first + min(vec4<u32>(block) + vec4<u32>(0u, 1u, 2u, 3u), vec4<u32>(p.n_group - 1u));
 var sum = vec4<f32>();
 var square = 0.0;
 for (var c = lane; c < p.n_chunk; c += L) {
  var v = column(x0 + c * 8u);
  if (NORM) {
   square += chunk_dot(v, v);
   v = chunk_mul(v, norm_weights(c * 8u));
  }
  sum.x += chunk_dot(dequant(g.x, c, r), v);
  if (B > 1u) {
   sum.y += chunk_dot(dequant(g.y, c, r), v);
  }
  if (B > 2u) {
   sum.z += chunk_dot(dequant(g.z, c, r), v);
   sum.w += chunk_dot(dequant(g.w, c, r), v);
  }
 }
 if (L > 1u) {
  partial[t] = sum;
  squares[t] = square;
  workgroupBarrier();
  if (lane == 0u) {
   for (var l = 1u; l < L; l++) {
    sum += partial[t + 8u * l];
    square += squares[t + 8u * l];
   }
  }
 }
 if (lane > 0u || block >= p.n_group) {
  return;
 }
 if (NORM) {
  sum *= inverseSqrt(square / f32(p.n_chunk * 32u) + p.eps);
 }
 let y0 = wg.y * p.y_stride + p.row0;
 if (p.glu == 1u) {
  gate(sum.x, sum.y, y0, 4u * block + r);
  if (B > 2u) {
   gate(sum.z, sum.w, y0, 4u * block + 8u + r);
  }
  return;
 }
 write(sum.x, y0, 8u * block + r);
 if (B > 1u) {
  write(sum.y, y0, 8u * block + 8u + r);
 }
 if (B > 2u) {
  write(sum.z, y0, 8u * block + 16u + r);
  write(sum.w, y0, 8u * block + 24u + r);
 }
}
",
    },
    Shader {
        name: "moe_combine",
        kernel: "moe_combine",
        workgroup_size: [64, 1, 1],
        bindings: &[
            Binding { index: 0, name: "x", kind: BindingKind::ReadWrite, min_size: 4 },
            Binding { index: 1, name: "y", kind: BindingKind::Read, min_size: 4 },
            Binding { index: 2, name: "w", kind: BindingKind::Read, min_size: 4 },
            Binding { index: 3, name: "step", kind: BindingKind::Read, min_size: 192 },
            Binding { index: 4, name: "p", kind: BindingKind::Uniform, min_size: 16 },
        ],
        overrides: &[
            Override { name: "T", default: Some(64.0) },
            Override { name: "SPAN", default: Some(256.0) },
        ],
        needs: &[],
        workgroup_bytes: 0,
        uniform: &[
            UniformField { name: "n", offset: 0, size: 4 },
            UniformField { name: "n_used", offset: 4, size: 4 },
            UniformField { name: "x_stride", offset: 8, size: 4 },
            UniformField { name: "y_stride", offset: 12, size: 4 },
        ],
        wgsl: r"struct Row {
 token: u32,
 pos: u32,
 cell: u32,
 table: u32,
 base: u32,
 lo: u32,
 hi: u32,
 lo_swa: u32,
 tree: u32,
 ancestors_lo: u32,
 ancestors_hi: u32,
 seq: u32,
 mix_start: u32,
 mix_len: u32,
 reserved0: u32,
 reserved1: u32,
}
struct Step {
 n_rows: u32,
 n_want: u32,
 seed_lo: u32,
 seed_hi: u32,
 window: u32,
 n_out: u32,
 reserved: array<u32, 10>,
 want: array<u32, 16>,
 rows: array<Row>,
}
override T: u32 = 64u;
override SPAN: u32 = 256u;
struct P {
 n: u32,
 n_used: u32,
 x_stride: u32,
 y_stride: u32,
}
@group(0) @binding(0) var<storage, read_write> x: array<f32>;
@group(0) @binding(1) var<storage, read> y: array<f32>;
@group(0) @binding(2) var<storage, read> w: array<f32>;
@group(0) @binding(3) var<storage, read> step: Step;
@group(0) @binding(4) var<uniform> p: P;
@compute @workgroup_size(T)
fn main(@builtin(local_invocation_index) t: u32, @builtin(workgroup_id) wg: vec3<u32>) {
 let row = wg.y;
 if (row >= step.n_rows) {
  return;
 }
 let dst = row * p.x_stride;
 let end = min(p.n, (wg.x + 1u) * SPAN);
 for (var i = wg.x * SPAN + t; i < end; i += T) {
  var sum = 0.0;
  for (var s = 0u; s < p.n_used; s++) {
   let at = row * p.n_used + s;
   sum += w[at] * y[at * p.y_stride + i];
  }
  x[dst + i] += sum;
 }
}
",
    },
    Shader {
        name: "moe_route",
        kernel: "moe_route",
        workgroup_size: [64, 1, 1],
        bindings: &[
            Binding { index: 0, name: "logits", kind: BindingKind::Read, min_size: 4 },
            Binding { index: 1, name: "sel", kind: BindingKind::ReadWrite, min_size: 4 },
            Binding { index: 2, name: "w", kind: BindingKind::ReadWrite, min_size: 4 },
            Binding { index: 3, name: "step", kind: BindingKind::Read, min_size: 192 },
            Binding { index: 4, name: "p", kind: BindingKind::Uniform, min_size: 16 },
        ],
        overrides: &[
            Override { name: "T", default: Some(64.0) },
            Override { name: "N_EXPERT", default: Some(64.0) },
            Override { name: "N_USED", default: Some(8.0) },
        ],
        needs: &[],
        workgroup_bytes: 288,
        uniform: &[
            UniformField { name: "stride", offset: 0, size: 4 },
            UniformField { name: "mode", offset: 4, size: 4 },
            UniformField { name: "norm_topk", offset: 8, size: 4 },
            UniformField { name: "reserved", offset: 12, size: 4 },
        ],
        wgsl: r"struct Row {
 token: u32,
 pos: u32,
 cell: u32,
 table: u32,
 base: u32,
 lo: u32,
 hi: u32,
 lo_swa: u32,
 tree: u32,
 ancestors_lo: u32,
 ancestors_hi: u32,
 seq: u32,
 mix_start: u32,
 mix_len: u32,
 reserved0: u32,
 reserved1: u32,
}
struct Step {
 n_rows: u32,
 n_want: u32,
 seed_lo: u32,
 seed_hi: u32,
 window: u32,
 n_out: u32,
 reserved: array<u32, 10>,
 want: array<u32, 16>,
 rows: array<Row>,
}
fn bad(v: f32) -> bool {
 return (bitcast<u32>(v) & 0x7f800000u) == 0x7f800000u;
}
override T: u32 = 64u;
override N_EXPERT: u32 = 64u;
override N_USED: u32 = 8u;
const LOWEST = -1e30;
struct P {
 stride: u32,
 mode: u32,
 norm_topk: u32,
 reserved: u32,
}
@group(0) @binding(0) var<storage, read> logits: array<f32>;
@group(0) @binding(1) var<storage, read_write> sel: array<u32>;
@group(0) @binding(2) var<storage, read_write> w: array<f32>;
@group(0) @binding(3) var<storage, read> step: Step;
@group(0) @binding(4) var<uniform> p: P;
var<workgroup> all: array<f32, N_EXPERT>;
var<workgroup> best: array<f32, N_USED>;
@compute @workgroup_size(T)
fn main(@builtin(local_invocation_index) t: u32, @builtin(workgroup_id) wg: vec3<u32>) {
 let row = wg.x;
 if (row >= step.n_rows) {
  return;
 }
 for (var e = t; e < N_EXPERT; e += T) {
  let v = logits[row * p.stride + e];
  all[e] = select(max(v, LOWEST), LOWEST, bad(v));
 }
 workgroupBarrier();
 var top = LOWEST;
 for (var e = 0u; e < N_EXPERT; e++) {
  top = max(top, all[e]);
 }
 var sum = 0.0;
 for (var e = 0u; e < N_EXPERT; e++) {
  sum += exp(all[e] - top);
 }
 for (var e = t; e < N_EXPERT; e += T) {
  var rank = 0u;
  for (var o = 0u; o < N_EXPERT; o++) {
   if (all[o] > all[e] || (all[o] == all[e] && o < e)) {
    rank++;
   }
  }
  if (rank < N_USED) {
   sel[row * N_USED + rank] = e;
   best[rank] = exp(all[e] - top);
  }
 }
 workgroupBarrier();
 if (p.mode == 1u || p.norm_topk == 1u) {
  sum = 0.0;
  for (var s = 0u; s < N_USED; s++) {
   sum += best[s];
  }
 }
 for (var s = t; s < N_USED; s += T) {
  w[row * N_USED + s] = best[s] / sum;
 }
}
",
    },
    Shader {
        name: "norm",
        kernel: "norm",
        workgroup_size: [64, 1, 1],
        bindings: &[
            Binding { index: 0, name: "x", kind: BindingKind::Read, min_size: 4 },
            Binding { index: 1, name: "g", kind: BindingKind::Read, min_size: 4 },
            Binding { index: 2, name: "b", kind: BindingKind::Read, min_size: 4 },
            Binding { index: 3, name: "out", kind: BindingKind::ReadWrite, min_size: 4 },
            Binding { index: 4, name: "step", kind: BindingKind::Read, min_size: 192 },
            Binding { index: 5, name: "p", kind: BindingKind::Uniform, min_size: 32 },
        ],
        overrides: &[
            Override { name: "T", default: Some(64.0) },
            Override { name: "LAYER", default: Some(0.0) },
            Override { name: "BIAS", default: Some(0.0) },
            Override { name: "ADD", default: Some(0.0) },
        ],
        needs: &[],
        workgroup_bytes: 512,
        uniform: &[
            UniformField { name: "n", offset: 0, size: 4 },
            UniformField { name: "x_stride", offset: 4, size: 4 },
            UniformField { name: "out_stride", offset: 8, size: 4 },
            UniformField { name: "count_from", offset: 12, size: 4 },
            UniformField { name: "eps", offset: 16, size: 4 },
            UniformField { name: "reserved0", offset: 20, size: 4 },
            UniformField { name: "reserved1", offset: 24, size: 4 },
            UniformField { name: "reserved2", offset: 28, size: 4 },
        ],
        wgsl: r"struct Row {
 token: u32,
 pos: u32,
 cell: u32,
 table: u32,
 base: u32,
 lo: u32,
 hi: u32,
 lo_swa: u32,
 tree: u32,
 ancestors_lo: u32,
 ancestors_hi: u32,
 seq: u32,
 mix_start: u32,
 mix_len: u32,
 reserved0: u32,
 reserved1: u32,
}
struct Step {
 n_rows: u32,
 n_want: u32,
 seed_lo: u32,
 seed_hi: u32,
 window: u32,
 n_out: u32,
 reserved: array<u32, 10>,
 want: array<u32, 16>,
 rows: array<Row>,
}
override T: u32 = 64u;
override LAYER: bool = false;
override BIAS: bool = false;
override ADD: bool = false;
struct P {
 n: u32,
 x_stride: u32,
 out_stride: u32,
 count_from: u32,
 eps: f32,
 reserved0: u32,
 reserved1: u32,
 reserved2: u32,
}
@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read> g: array<f32>;
@group(0) @binding(2) var<storage, read> b: array<f32>;
@group(0) @binding(3) var<storage, read_write> out: array<f32>;
@group(0) @binding(4) var<storage, read> step: Step;
@group(0) @binding(5) var<uniform> p: P;
var<workgroup> part_mean: array<f32, T>;
var<workgroup> part_square: array<f32, T>;
@compute @workgroup_size(T)
fn main(@builtin(local_invocation_index) t: u32, @builtin(workgroup_id) wg: vec3<u32>) {
 let row = wg.x;
 if (row >= select(step.n_rows, step.n_want, p.count_from == 1u)) {
  return;
 }
 let src = row * p.x_stride;
 var mean = 0.0;
 if (LAYER) {
  var sum = 0.0;
  for (var i = t; i < p.n; i += T) {
   sum += x[src + i];
  }
  part_mean[t] = sum;
  workgroupBarrier();
  for (var k = 0u; k < T; k++) {
   mean += part_mean[k];
  }
  mean /= f32(p.n);
 }
 var square = 0.0;
 for (var i = t; i < p.n; i += T) {
  let v = x[src + i] - mean;
  square += v * v;
 }
 part_square[t] = square;
 workgroupBarrier();
 square = 0.0;
 for (var k = 0u; k < T; k++) {
  square += part_square[k];
 }
 let scale = inverseSqrt(square / f32(p.n) + p.eps);
 let dst = row * p.out_stride;
 for (var i = t; i < p.n; i += T) {
  var v = (x[src + i] - mean) * scale * g[i];
  if (BIAS) {
   v += b[i];
  }
  if (ADD) {
   v += out[dst + i];
  }
  out[dst + i] = v;
 }
}
",
    },
    Shader {
        name: "penalize",
        kernel: "penalize",
        workgroup_size: [64, 1, 1],
        bindings: &[
            Binding { index: 0, name: "step", kind: BindingKind::Read, min_size: 192 },
            Binding { index: 1, name: "params", kind: BindingKind::Read, min_size: 64 },
            Binding { index: 2, name: "bias", kind: BindingKind::Read, min_size: 4 },
            Binding { index: 3, name: "history", kind: BindingKind::Read, min_size: 4 },
            Binding { index: 4, name: "logits", kind: BindingKind::ReadWrite, min_size: 4 },
            Binding { index: 5, name: "p", kind: BindingKind::Uniform, min_size: 16 },
        ],
        overrides: &[],
        needs: &[],
        workgroup_bytes: 0,
        uniform: &[
            UniformField { name: "n_vocab", offset: 0, size: 4 },
            UniformField { name: "n_set", offset: 4, size: 4 },
            UniformField { name: "bias_words", offset: 8, size: 4 },
            UniformField { name: "history_words", offset: 12, size: 4 },
        ],
        wgsl: r"struct Row {
 token: u32,
 pos: u32,
 cell: u32,
 table: u32,
 base: u32,
 lo: u32,
 hi: u32,
 lo_swa: u32,
 tree: u32,
 ancestors_lo: u32,
 ancestors_hi: u32,
 seq: u32,
 mix_start: u32,
 mix_len: u32,
 reserved0: u32,
 reserved1: u32,
}
struct Step {
 n_rows: u32,
 n_want: u32,
 seed_lo: u32,
 seed_hi: u32,
 window: u32,
 n_out: u32,
 reserved: array<u32, 10>,
 want: array<u32, 16>,
 rows: array<Row>,
}
const BANNED: f32 = -1e30;
const LIST_HEADER = 2u;
const HISTORY_HEADER = 4u;
struct SampleParams {
 repeat: f32,
 frequency: f32,
 presence: f32,
 last_n: u32,
 inv_temperature: f32,
 top_k: u32,
 top_p: f32,
 min_p: f32,
 log_min_p: f32,
 greedy: u32,
 reserved0: u32,
 reserved1: u32,
 reserved2: u32,
 reserved3: u32,
 reserved4: u32,
 reserved5: u32,
}
struct P {
 n_vocab: u32,
 n_set: u32,
 bias_words: u32,
 history_words: u32,
}
@group(0) @binding(0) var<storage, read> step: Step;
@group(0) @binding(1) var<storage, read> params: array<SampleParams>;
@group(0) @binding(2) var<storage, read> bias: array<u32>;
@group(0) @binding(3) var<storage, read> history: array<u32>;
@group(0) @binding(4) var<storage, read_write> logits: array<f32>;
@group(0) @binding(5) var<uniform> p: P;
const THREADS = 64u;
const MINUS_INFINITY = 0xff800000u;
fn token_at(base: u32, n: u32, capacity: u32, back: u32) -> u32 {
 return history[base + HISTORY_HEADER + (n - 1u - back) % capacity];
}
@compute @workgroup_size(THREADS)
fn main(@builtin(local_invocation_index) t: u32, @builtin(workgroup_id) wg: vec3<u32>) {
 if (wg.x >= step.n_want) {
  return;
 }
 let use_set = min(wg.x, p.n_set - 1u);
 let row = wg.x * p.n_vocab;
 let pairs = use_set * p.bias_words;
 let n_bias = min(bias[pairs], (p.bias_words - LIST_HEADER) / 2u);
 for (var i = t; i < n_bias; i += THREADS) {
  let id = bias[pairs + LIST_HEADER + 2u * i];
  let add = bias[pairs + LIST_HEADER + 2u * i + 1u];
  if (id < p.n_vocab) {
   logits[row + id] = select(logits[row + id] + bitcast<f32>(add), BANNED, add == MINUS_INFINITY);
  }
 }
 storageBarrier();
 let s = params[use_set];
 let base = use_set * p.history_words;
 let n = history[base];
 let capacity = min(history[base + 1u], p.history_words - HISTORY_HEADER);
 var window = min(s.last_n, min(n, capacity));
 if (s.repeat == 1.0 && s.frequency == 0.0 && s.presence == 0.0) {
  window = 0u;
 }
 for (var i = t; i < window; i += THREADS) {
  let token = token_at(base, n, capacity, i);
  var count = 0u;
  var first = token < p.n_vocab;
  for (var j = 0u; first && j < window; j++) {
   if (token_at(base, n, capacity, j) == token) {
    first = j >= i;
    count++;
   }
  }
  if (first) {
   let logit = logits[row + token];
   let scaled = select(logit / s.repeat, logit * s.repeat, logit <= 0.0);
   logits[row + token] = scaled - f32(count) * s.frequency - s.presence;
  }
 }
}
",
    },
    Shader {
        name: "rope_kv",
        kernel: "rope_kv",
        workgroup_size: [64, 1, 1],
        bindings: &[
            Binding { index: 0, name: "qkv", kind: BindingKind::ReadWrite, min_size: 4 },
            Binding { index: 1, name: "qk_norm", kind: BindingKind::Read, min_size: 4 },
            Binding { index: 2, name: "rope", kind: BindingKind::Read, min_size: 8 },
            Binding { index: 3, name: "kv", kind: BindingKind::ReadWrite, min_size: 4 },
            Binding { index: 4, name: "step", kind: BindingKind::Read, min_size: 192 },
            Binding { index: 5, name: "p", kind: BindingKind::Uniform, min_size: 48 },
        ],
        overrides: &[
            Override { name: "KEY_WORDS", default: Some(1.0) },
            Override { name: "QK_NORM", default: Some(0.0) },
            Override { name: "ROPE", default: Some(1.0) },
            Override { name: "NEOX", default: Some(0.0) },
            Override { name: "T", default: Some(64.0) },
        ],
        needs: &[],
        workgroup_bytes: 256,
        uniform: &[
            UniformField { name: "n_head", offset: 0, size: 4 },
            UniformField { name: "n_head_kv", offset: 4, size: 4 },
            UniformField { name: "head_dim", offset: 8, size: 4 },
            UniformField { name: "n_rot", offset: 12, size: 4 },
            UniformField { name: "n_cells", offset: 16, size: 4 },
            UniformField { name: "n_pos", offset: 20, size: 4 },
            UniformField { name: "q_span", offset: 24, size: 4 },
            UniformField { name: "stride", offset: 28, size: 4 },
            UniformField { name: "eps", offset: 32, size: 4 },
            UniformField { name: "reserved0", offset: 36, size: 4 },
            UniformField { name: "reserved1", offset: 40, size: 4 },
            UniformField { name: "reserved2", offset: 44, size: 4 },
        ],
        wgsl: r"struct Row {
 token: u32,
 pos: u32,
 cell: u32,
 table: u32,
 base: u32,
 lo: u32,
 hi: u32,
 lo_swa: u32,
 tree: u32,
 ancestors_lo: u32,
 ancestors_hi: u32,
 seq: u32,
 mix_start: u32,
 mix_len: u32,
 reserved0: u32,
 reserved1: u32,
}
struct Step {
 n_rows: u32,
 n_want: u32,
 seed_lo: u32,
 seed_hi: u32,
 window: u32,
 n_out: u32,
 reserved: array<u32, 10>,
 want: array<u32, 16>,
 rows: array<Row>,
}
fn half(h: u32) -> f32 {
 let m = h & 0x7fffu;
 let rebias = select(0x38000000u, 0x70000000u, m >= 0x7c00u);
 let v = select(bitcast<f32>((m << 13u) + rebias), f32(m) * 0x1p-24f, m < 0x400u);
 return bitcast<f32>(bitcast<u32>(v) | ((h & 0x8000u) << 16u));
}
override KEY_WORDS: u32 = 1u;
fn halves(v: vec2<f32>) -> u32 {
 return pack2x16float(clamp(v, vec2<f32>(-65504.0), vec2<f32>(65504.0)));
}
fn rotate(v: vec2<f32>, c: vec2<f32>) -> vec2<f32> {
 return vec2<f32>(v.x * c.x - v.y * c.y, v.x * c.y + v.y * c.x);
}
override QK_NORM: u32 = 0u;
override ROPE: bool = true;
override NEOX: bool = false;
fn rotate_pair(v: vec2<f32>, pos: u32, j: u32) -> vec2<f32> {
 if (!ROPE || j >= p.n_rot / 2u) {
  return v;
 }
 return rotate(v, rope[pos * (p.n_rot / 2u) + j]);
}
fn pair(j: u32) -> vec2<u32> {
 if (NEOX && j < p.n_rot / 2u) {
  return vec2<u32>(j, j + p.n_rot / 2u);
 }
 return vec2<u32>(2u * j, 2u * j + 1u);
}
fn turned(head: u32, weight: u32, scale: f32, pos: u32, d: u32) -> f32 {
 let half = p.n_rot / 2u;
 var j = d / 2u;
 var second = (d & 1u) == 1u;
 if (NEOX && d < p.n_rot) {
  second = d >= half;
  j = select(d, d - half, second);
 }
 let e = pair(j);
 var v = vec2<f32>(qkv[head + e.x], qkv[head + e.y]);
 if (QK_NORM != 0u) {
  v *= scale * vec2<f32>(qk_norm[weight + e.x], qk_norm[weight + e.y]);
 }
 v = rotate_pair(v, pos, j);
 return select(v.x, v.y, second);
}
fn store_key(at: u32, w: u32, v: vec2<f32>) {
 if (KEY_WORDS == 2u) {
  kv[at + 2u * w] = bitcast<u32>(v.x);
  kv[at + 2u * w + 1u] = bitcast<u32>(v.y);
 } else {
  kv[at + w] = halves(v);
 }
}
override T: u32 = 64u;
struct P {
 n_head: u32,
 n_head_kv: u32,
 head_dim: u32,
 n_rot: u32,
 n_cells: u32,
 n_pos: u32,
 q_span: u32,
 stride: u32,
 eps: f32,
 reserved0: u32,
 reserved1: u32,
 reserved2: u32,
}
@group(0) @binding(0) var<storage, read_write> qkv: array<f32>;
@group(0) @binding(1) var<storage, read> qk_norm: array<f32>;
@group(0) @binding(2) var<storage, read> rope: array<vec2<f32>>;
@group(0) @binding(3) var<storage, read_write> kv: array<u32>;
@group(0) @binding(4) var<storage, read> step: Step;
@group(0) @binding(5) var<uniform> p: P;
var<workgroup> part: array<f32, T>;
fn inverse_rms(t: u32, head: u32, n: u32) -> f32 {
 var sum = 0.0;
 for (var i = t; i < n; i += T) {
  let v = qkv[head + i];
  sum += v * v;
 }
 workgroupBarrier();
 part[t] = sum;
 workgroupBarrier();
 sum = 0.0;
 for (var k = 0u; k < T; k++) {
  sum += part[k];
 }
 return inverseSqrt(sum / f32(n) + p.eps);
}
@compute @workgroup_size(T)
fn main(@builtin(local_invocation_index) t: u32, @builtin(workgroup_id) wg: vec3<u32>) {
 if (wg.y >= step.n_rows) {
  return;
 }
 let row = wg.y * p.stride;
 let pos = min(step.rows[wg.y].pos, p.n_pos - 1u);
 let n_q_run = (p.n_head + p.q_span - 1u) / p.q_span;
 if (wg.x < n_q_run) {
  var scale = 1.0;
  if (QK_NORM == 2u) {
   scale = inverse_rms(t, row, p.n_head * p.head_dim);
  }
  let end = min(p.n_head, (wg.x + 1u) * p.q_span);
  for (var h = wg.x * p.q_span; h < end; h++) {
   let head = row + h * p.head_dim;
   if (QK_NORM == 1u) {
    scale = inverse_rms(t, head, p.head_dim);
   }
   let weight = select(0u, h * p.head_dim, QK_NORM == 2u);
   for (var j = t; j < p.head_dim / 2u; j += T) {
    let e = pair(j);
    var v = vec2<f32>(qkv[head + e.x], qkv[head + e.y]);
    if (QK_NORM != 0u) {
     v *= scale * vec2<f32>(qk_norm[weight + e.x], qk_norm[weight + e.y]);
    }
    v = rotate_pair(v, pos, j);
    qkv[head + e.x] = v.x;
    qkv[head + e.y] = v.y;
   }
  }
  return;
 }
 let h = wg.x - n_q_run;
 let k_from = row + p.n_head * p.head_dim;
 let head = k_from + h * p.head_dim;
 var scale = 1.0;
 if (QK_NORM == 1u) {
  scale = inverse_rms(t, head, p.head_dim);
 }
 if (QK_NORM == 2u) {
  scale = inverse_rms(t, k_from, p.n_head_kv * p.head_dim);
 }
 let weight = select(p.head_dim, (p.n_head + h) * p.head_dim, QK_NORM == 2u);
 let words = p.head_dim / 2u;
 let cell = min(step.rows[wg.y].cell, p.n_cells - 1u);
 let cell_at = cell * (KEY_WORDS + 1u) * p.n_head_kv * words;
 let k_to = cell_at + h * words * KEY_WORDS;
 let v_from = head + p.n_head_kv * p.head_dim;
 let v_to = cell_at + (p.n_head_kv * KEY_WORDS + h) * words;
 for (var w = t; w < words; w += T) {
  let first = turned(head, weight, scale, pos, 2u * w);
  store_key(k_to, w, vec2<f32>(first, turned(head, weight, scale, pos, 2u * w + 1u)));
  kv[v_to + w] = halves(vec2<f32>(qkv[v_from + 2u * w], qkv[v_from + 2u * w + 1u]));
 }
}
",
    },
    Shader {
        name: "row_stats",
        kernel: "row_stats",
        workgroup_size: [64, 1, 1],
        bindings: &[
            Binding { index: 0, name: "step", kind: BindingKind::Read, min_size: 192 },
            Binding { index: 1, name: "logits", kind: BindingKind::Read, min_size: 4 },
            Binding { index: 2, name: "partials", kind: BindingKind::ReadWrite, min_size: 32 },
            Binding { index: 3, name: "p", kind: BindingKind::Uniform, min_size: 16 },
        ],
        overrides: &[
            Override { name: "T", default: Some(64.0) },
            Override { name: "LANES", default: Some(64.0) },
        ],
        needs: &[],
        workgroup_bytes: 2048,
        uniform: &[
            UniformField { name: "n_vocab", offset: 0, size: 4 },
            UniformField { name: "n_tile", offset: 4, size: 4 },
            UniformField { name: "reserved0", offset: 8, size: 4 },
            UniformField { name: "reserved1", offset: 12, size: 4 },
        ],
        wgsl: r"struct Row {
 token: u32,
 pos: u32,
 cell: u32,
 table: u32,
 base: u32,
 lo: u32,
 hi: u32,
 lo_swa: u32,
 tree: u32,
 ancestors_lo: u32,
 ancestors_hi: u32,
 seq: u32,
 mix_start: u32,
 mix_len: u32,
 reserved0: u32,
 reserved1: u32,
}
struct Step {
 n_rows: u32,
 n_want: u32,
 seed_lo: u32,
 seed_hi: u32,
 window: u32,
 n_out: u32,
 reserved: array<u32, 10>,
 want: array<u32, 16>,
 rows: array<Row>,
}
const NO_ID = 0xffffffffu;
fn is_finite(bits: u32) -> bool {
 return (bits & 0x7f800000u) != 0x7f800000u;
}
fn order_key(bits: u32) -> u32 {
 let b = select(bits, 0u, bits == 0x80000000u);
 return select(b | 0x80000000u, ~b, (b >> 31u) == 1u);
}
fn order_logit(key: u32) -> f32 {
 return bitcast<f32>(select(~key, key & 0x7fffffffu, (key >> 31u) == 1u));
}
struct Partial {
 key: u32,
 argmax: u32,
 second: u32,
 bad: u32,
 sum: f32,
 dot: f32,
 reserved0: u32,
 reserved1: u32,
}
fn no_partial() -> Partial {
 return Partial(0u, NO_ID, 0u, 0u, 0.0, 0.0, 0u, 0u);
}
fn below_max(logit: f32, top: f32) -> f32 {
 return max(logit - top, -100.0);
}
fn merge_partial(a: Partial, b: Partial) -> Partial {
 var r = no_partial();
 r.key = max(a.key, b.key);
 r.argmax = select(a.argmax, b.argmax, b.key > a.key || (b.key == a.key && b.argmax < a.argmax));
 r.second = max(min(a.key, b.key), max(a.second, b.second));
 r.bad = select(min(a.bad, b.bad), max(a.bad, b.bad), a.bad == 0u || b.bad == 0u);
 let top = order_logit(r.key);
 if (a.key != 0u) {
  let d = below_max(order_logit(a.key), top);
  let w = exp(d);
  r.sum = a.sum * w;
  r.dot = (a.dot + d * a.sum) * w;
 }
 if (b.key != 0u) {
  let d = below_max(order_logit(b.key), top);
  let w = exp(d);
  r.sum += b.sum * w;
  r.dot += (b.dot + d * b.sum) * w;
 }
 return r;
}
override T: u32 = 64u;
override LANES: u32 = 64u;
struct P {
 n_vocab: u32,
 n_tile: u32,
 reserved0: u32,
 reserved1: u32,
}
@group(0) @binding(0) var<storage, read> step: Step;
@group(0) @binding(1) var<storage, read> logits: array<u32>;
@group(0) @binding(2) var<storage, read_write> partials: array<Partial>;
@group(0) @binding(3) var<uniform> p: P;
const TILE = 4096u;
const SUM = 64u;
var<workgroup> parts: array<Partial, T>;
fn scan(row: u32, first: u32, end: u32) -> Partial {
 var r = no_partial();
 for (var i = first; i < end; i += LANES) {
  let bits = logits[row + i];
  if (is_finite(bits)) {
   let key = order_key(bits);
   r.second = max(r.second, min(key, r.key));
   if (key > r.key) {
    r.key = key;
    r.argmax = i;
   }
  } else if (r.bad == 0u) {
   r.bad = i + 1u;
  }
 }
 let top = order_logit(r.key);
 for (var part = first; part < end; part += SUM * LANES) {
  var sum = 0.0;
  var dot = 0.0;
  for (var i = part; i < min(part + SUM * LANES, end); i += LANES) {
   let bits = logits[row + i];
   if (is_finite(bits)) {
    let d = below_max(bitcast<f32>(bits), top);
    let w = exp(d);
    sum += w;
    dot += d * w;
   }
  }
  r.sum += sum;
  r.dot += dot;
 }
 return r;
}
@compute @workgroup_size(T)
fn main(@builtin(local_invocation_index) t: u32, @builtin(workgroup_id) wg: vec3<u32>) {
 if (wg.y >= step.n_want) {
  return;
 }
 let lane = t % LANES;
 let tile = wg.x * (T / LANES) + t / LANES;
 var r = scan(wg.y * p.n_vocab, tile * TILE + lane, min((tile + 1u) * TILE, p.n_vocab));
 for (var gap = LANES / 2u; gap > 0u; gap >>= 1u) {
  if (lane < 2u * gap) {
   parts[t] = r;
  }
  workgroupBarrier();
  if (lane < gap) {
   r = merge_partial(r, parts[t + gap]);
  }
 }
 if (lane == 0u && tile < p.n_tile) {
  partials[wg.y * p.n_tile + tile] = r;
 }
}
",
    },
    Shader {
        name: "row_stats_merge",
        kernel: "row_stats_merge",
        workgroup_size: [1, 1, 1],
        bindings: &[
            Binding { index: 0, name: "step", kind: BindingKind::Read, min_size: 192 },
            Binding { index: 1, name: "partials", kind: BindingKind::Read, min_size: 32 },
            Binding { index: 2, name: "stats", kind: BindingKind::ReadWrite, min_size: 32 },
            Binding { index: 3, name: "p", kind: BindingKind::Uniform, min_size: 16 },
        ],
        overrides: &[],
        needs: &[],
        workgroup_bytes: 0,
        uniform: &[
            UniformField { name: "n_tile", offset: 0, size: 4 },
            UniformField { name: "reserved0", offset: 4, size: 4 },
            UniformField { name: "reserved1", offset: 8, size: 4 },
            UniformField { name: "reserved2", offset: 12, size: 4 },
        ],
        wgsl: r"struct Row {
 token: u32,
 pos: u32,
 cell: u32,
 table: u32,
 base: u32,
 lo: u32,
 hi: u32,
 lo_swa: u32,
 tree: u32,
 ancestors_lo: u32,
 ancestors_hi: u32,
 seq: u32,
 mix_start: u32,
 mix_len: u32,
 reserved0: u32,
 reserved1: u32,
}
struct Step {
 n_rows: u32,
 n_want: u32,
 seed_lo: u32,
 seed_hi: u32,
 window: u32,
 n_out: u32,
 reserved: array<u32, 10>,
 want: array<u32, 16>,
 rows: array<Row>,
}
const BANNED: f32 = -1e30;
const NO_ID = 0xffffffffu;
struct RowStats {
 argmax: u32,
 max: f32,
 log_sum_exp: f32,
 entropy: f32,
 max_p: f32,
 top2_gap: f32,
 bad: u32,
 reserved: u32,
}
fn order_logit(key: u32) -> f32 {
 return bitcast<f32>(select(~key, key & 0x7fffffffu, (key >> 31u) == 1u));
}
struct Partial {
 key: u32,
 argmax: u32,
 second: u32,
 bad: u32,
 sum: f32,
 dot: f32,
 reserved0: u32,
 reserved1: u32,
}
fn no_partial() -> Partial {
 return Partial(0u, NO_ID, 0u, 0u, 0.0, 0.0, 0u, 0u);
}
fn below_max(logit: f32, top: f32) -> f32 {
 return max(logit - top, -100.0);
}
struct P {
 n_tile: u32,
 reserved0: u32,
 reserved1: u32,
 reserved2: u32,
}
@group(0) @binding(0) var<storage, read> step: Step;
@group(0) @binding(1) var<storage, read> partials: array<Partial>;
@group(0) @binding(2) var<storage, read_write> stats: array<RowStats>;
@group(0) @binding(3) var<uniform> p: P;
fn finish(r: Partial) -> RowStats {
 if (r.key == 0u) {
  return RowStats(0u, BANNED, BANNED, 0.0, 0.0, 0.0, r.bad, 0u);
 }
 let top = order_logit(r.key);
 let log_sum = log(r.sum);
 let entropy = max(log_sum - r.dot / r.sum, 0.0);
 var gap = -BANNED;
 if (r.second != 0u) {
  gap = top - order_logit(r.second);
 }
 return RowStats(r.argmax, top, top + log_sum, entropy, 1.0 / r.sum, gap, r.bad, 0u);
}
@compute @workgroup_size(1)
fn main(@builtin(workgroup_id) wg: vec3<u32>) {
 if (wg.x >= step.n_want) {
  return;
 }
 let first = wg.x * p.n_tile;
 let end = first + p.n_tile;
 var r = no_partial();
 for (var i = first; i < end; i++) {
  let key = partials[i].key;
  r.second = max(max(r.second, partials[i].second), min(r.key, key));
  if (key > r.key) {
   r.key = key;
   r.argmax = partials[i].argmax;
  }
  if (r.bad == 0u) {
   r.bad = partials[i].bad;
  }
 }
 let top = order_logit(r.key);
 for (var i = first; i < end; i++) {
  let key = partials[i].key;
  if (key != 0u) {
   let d = below_max(order_logit(key), top);
   let w = exp(d);
   r.sum += partials[i].sum * w;
   r.dot += (partials[i].dot + d * partials[i].sum) * w;
  }
 }
 stats[wg.x] = finish(r);
}
",
    },
    Shader {
        name: "sample",
        kernel: "sample",
        workgroup_size: [64, 1, 1],
        bindings: &[
            Binding { index: 0, name: "step", kind: BindingKind::Read, min_size: 192 },
            Binding { index: 1, name: "params", kind: BindingKind::Read, min_size: 64 },
            Binding { index: 2, name: "stats", kind: BindingKind::Read, min_size: 32 },
            Binding { index: 3, name: "best", kind: BindingKind::Read, min_size: 8 },
            Binding { index: 4, name: "picked", kind: BindingKind::ReadWrite, min_size: 16 },
            Binding { index: 5, name: "p", kind: BindingKind::Uniform, min_size: 16 },
        ],
        overrides: &[
            Override { name: "T", default: Some(64.0) },
        ],
        needs: &[],
        workgroup_bytes: 5120,
        uniform: &[
            UniformField { name: "n_vocab", offset: 0, size: 4 },
            UniformField { name: "n_set", offset: 4, size: 4 },
            UniformField { name: "ring_capacity", offset: 8, size: 4 },
            UniformField { name: "history_words", offset: 12, size: 4 },
        ],
        wgsl: r"struct Row {
 token: u32,
 pos: u32,
 cell: u32,
 table: u32,
 base: u32,
 lo: u32,
 hi: u32,
 lo_swa: u32,
 tree: u32,
 ancestors_lo: u32,
 ancestors_hi: u32,
 seq: u32,
 mix_start: u32,
 mix_len: u32,
 reserved0: u32,
 reserved1: u32,
}
struct Step {
 n_rows: u32,
 n_want: u32,
 seed_lo: u32,
 seed_hi: u32,
 window: u32,
 n_out: u32,
 reserved: array<u32, 10>,
 want: array<u32, 16>,
 rows: array<Row>,
}
const BANNED: f32 = -1e30;
const CANDIDATES = 256u;
const PICK_OVERFLOW = 1u;
const PICK_BAD = 2u;
const PICK_NONE = 4u;
struct SampleParams {
 repeat: f32,
 frequency: f32,
 presence: f32,
 last_n: u32,
 inv_temperature: f32,
 top_k: u32,
 top_p: f32,
 min_p: f32,
 log_min_p: f32,
 greedy: u32,
 reserved0: u32,
 reserved1: u32,
 reserved2: u32,
 reserved3: u32,
 reserved4: u32,
 reserved5: u32,
}
struct RowStats {
 argmax: u32,
 max: f32,
 log_sum_exp: f32,
 entropy: f32,
 max_p: f32,
 top2_gap: f32,
 bad: u32,
 reserved: u32,
}
struct Picked {
 token: u32,
 flags: u32,
 logprob: f32,
 reserved: u32,
}
fn mul_high(a: u32, b: u32) -> u32 {
 let al = a & 0xffffu;
 let ah = a >> 16u;
 let bl = b & 0xffffu;
 let bh = b >> 16u;
 let m1 = ah * bl + ((al * bl) >> 16u);
 let m2 = al * bh + (m1 & 0xffffu);
 return ah * bh + (m1 >> 16u) + (m2 >> 16u);
}
fn philox4x32_10(counter: vec4<u32>, key: vec2<u32>) -> vec4<u32> {
 var c = counter;
 var k = key;
 for (var round = 0u; round < 10u; round++) {
  let hi0 = mul_high(0xd2511f53u, c.x);
  let hi1 = mul_high(0xcd9e8d57u, c.z);
  c = vec4<u32>(hi1 ^ c.y ^ k.x, 0xcd9e8d57u * c.z, hi0 ^ c.w ^ k.y, 0xd2511f53u * c.x);
  k += vec2<u32>(0x9e3779b9u, 0xbb67ae85u);
 }
 return c;
}
fn uniform_draw(position: u32, sequence: u32, purpose: u32, key: vec2<u32>) -> f32 {
 return f32(philox4x32_10(vec4<u32>(position, sequence, purpose, 0u), key).x >> 8u) * 0x1p-24;
}
override T: u32 = 64u;
struct P {
 n_vocab: u32,
 n_set: u32,
 ring_capacity: u32,
 history_words: u32,
}
@group(0) @binding(0) var<storage, read> step: Step;
@group(0) @binding(1) var<storage, read> params: array<SampleParams>;
@group(0) @binding(2) var<storage, read> stats: array<RowStats>;
@group(0) @binding(3) var<storage, read> best: array<vec2<u32>>;
@group(0) @binding(4) var<storage, read_write> picked: array<Picked>;
@group(0) @binding(5) var<uniform> p: P;
const PURPOSE_DRAW = 0u;
var<workgroup> ids: array<u32, CANDIDATES>;
var<workgroup> logit: array<f32, CANDIDATES>;
var<workgroup> cold: array<f32, CANDIDATES>;
var<workgroup> heated: array<f32, CANDIDATES>;
var<workgroup> hot: array<f32, CANDIDATES>;
struct Kept {
 n: u32,
 whole: bool,
 overflow: bool,
}
fn weight(d: f32) -> f32 {
 return select(exp(max(d, -104.0)), 0.0, d < -104.0);
}
fn load(t: u32, list: u32, inv_temperature: f32) {
 let first = bitcast<f32>(best[list].y);
 for (var i = t; i < min(CANDIDATES, p.n_vocab); i += T) {
  let entry = best[list + i];
  let l = bitcast<f32>(entry.y);
  ids[i] = entry.x;
  logit[i] = l;
  cold[i] = weight(l - first);
  heated[i] = l * inv_temperature;
 }
}
fn heat(t: u32) {
 for (var i = t; i < min(CANDIDATES, p.n_vocab); i += T) {
  hot[i] = weight(heated[i] - heated[0]);
 }
}
fn top_p(kept: Kept, top: f32, row_total: f32) -> Kept {
 var total = row_total;
 if (kept.whole) {
  total = 0.0;
  for (var i = 0u; i < kept.n; i++) {
   total += cold[i];
  }
 }
 let want = top * total;
 var sum = 0.0;
 for (var i = 0u; i < kept.n; i++) {
  sum += cold[i];
  if (sum >= want) {
   return Kept(i + 1u, true, false);
  }
 }
 return Kept(kept.n, kept.whole, !kept.whole);
}
fn min_p(kept: Kept, threshold: f32) -> Kept {
 for (var i = 0u; i < kept.n; i++) {
  if (logit[i] < threshold) {
   return Kept(i, true, false);
  }
 }
 return Kept(kept.n, kept.whole, !kept.whole);
}
fn truncate(s: SampleParams, row_total: f32) -> Kept {
 let n = min(CANDIDATES, p.n_vocab);
 var kept = Kept(n, p.n_vocab <= CANDIDATES, false);
 if (s.top_k != 0u && s.top_k <= n) {
  kept = Kept(s.top_k, true, false);
 } else if (s.top_k != 0u && !kept.whole) {
  kept.overflow = true;
 }
 if (!kept.overflow && s.top_p < 1.0) {
  kept = top_p(kept, s.top_p, row_total);
 }
 if (!kept.overflow && s.min_p > 0.0) {
  kept = min_p(kept, logit[0] + s.log_min_p);
 }
 if (!kept.whole && s.inv_temperature != 1.0) {
  kept.overflow = true;
 }
 return kept;
}
fn order_ties(n: u32) {
 for (var i = 1u; i < n; i++) {
  for (var j = i; j > 0u && heated[j - 1u] == heated[j] && ids[j - 1u] > ids[j]; j--) {
   let id = ids[j];
   ids[j] = ids[j - 1u];
   ids[j - 1u] = id;
   let l = logit[j];
   logit[j] = logit[j - 1u];
   logit[j - 1u] = l;
  }
 }
}
fn draw(kept: Kept, u: f32, row_total: f32) -> u32 {
 var total = row_total;
 if (kept.whole) {
  total = 0.0;
  for (var i = 0u; i < kept.n; i++) {
   total += hot[i];
  }
 }
 let want = u * total;
 var sum = 0.0;
 var last = 0u;
 for (var i = 0u; i < kept.n; i++) {
  sum += hot[i];
  if (sum > want) {
   return i;
  }
  if (hot[i] > 0.0) {
   last = i;
  }
 }
 return select(kept.n, last, kept.whole);
}
fn choose(w: u32, s: SampleParams, row: RowStats) -> Picked {
 var result = Picked(min(row.argmax, p.n_vocab - 1u), 0u, row.max - row.log_sum_exp, 0u);
 if (row.bad != 0u) {
  result.flags = PICK_BAD;
  return result;
 }
 if (row.max <= BANNED) {
  result.flags = PICK_NONE;
  return result;
 }
 if (s.greedy != 0u) {
  return result;
 }
 let row_total = exp(row.log_sum_exp - logit[0]);
 let kept = truncate(s, row_total);
 var i = kept.n;
 if (!kept.overflow) {
  if (s.inv_temperature != 1.0) {
   order_ties(kept.n);
  }
  let source = min(step.want[w], arrayLength(&step.rows) - 1u);
  let key = vec2<u32>(step.seed_lo, step.seed_hi);
  let u = uniform_draw(step.rows[source].pos + 1u, step.rows[source].seq, PURPOSE_DRAW, key);
  i = draw(kept, u, row_total);
 }
 if (i >= kept.n) {
  result.flags = PICK_OVERFLOW;
  return result;
 }
 result.token = min(ids[i], p.n_vocab - 1u);
 result.logprob = logit[i] - row.log_sum_exp;
 return result;
}
@compute @workgroup_size(T)
fn main(@builtin(local_invocation_index) t: u32, @builtin(workgroup_id) wg: vec3<u32>) {
 if (wg.x >= step.n_want) {
  return;
 }
 let s = params[min(wg.x, p.n_set - 1u)];
 if (s.greedy == 0u) {
  load(t, wg.x * CANDIDATES, s.inv_temperature);
 }
 if (T > 1u) {
  workgroupBarrier();
 }
 if (s.greedy == 0u) {
  heat(t);
 }
 if (T > 1u) {
  workgroupBarrier();
 }
 if (t == 0u) {
  let pick = choose(wg.x, s, stats[wg.x]);
  picked[wg.x] = pick;
 }
}
",
    },
    Shader {
        name: "sample_next",
        kernel: "sample",
        workgroup_size: [64, 1, 1],
        bindings: &[
            Binding { index: 0, name: "step", kind: BindingKind::ReadWrite, min_size: 192 },
            Binding { index: 1, name: "params", kind: BindingKind::Read, min_size: 64 },
            Binding { index: 2, name: "stats", kind: BindingKind::Read, min_size: 32 },
            Binding { index: 3, name: "best", kind: BindingKind::Read, min_size: 8 },
            Binding { index: 4, name: "table", kind: BindingKind::Read, min_size: 4 },
            Binding { index: 5, name: "history", kind: BindingKind::ReadWrite, min_size: 4 },
            Binding { index: 6, name: "ring", kind: BindingKind::ReadWrite, min_size: 16 },
            Binding { index: 7, name: "p", kind: BindingKind::Uniform, min_size: 16 },
        ],
        overrides: &[
            Override { name: "T", default: Some(64.0) },
        ],
        needs: &[],
        workgroup_bytes: 5120,
        uniform: &[
            UniformField { name: "n_vocab", offset: 0, size: 4 },
            UniformField { name: "n_set", offset: 4, size: 4 },
            UniformField { name: "ring_capacity", offset: 8, size: 4 },
            UniformField { name: "history_words", offset: 12, size: 4 },
        ],
        wgsl: r"const IDENTITY = 0xffffffffu;
struct Row {
 token: u32,
 pos: u32,
 cell: u32,
 table: u32,
 base: u32,
 lo: u32,
 hi: u32,
 lo_swa: u32,
 tree: u32,
 ancestors_lo: u32,
 ancestors_hi: u32,
 seq: u32,
 mix_start: u32,
 mix_len: u32,
 reserved0: u32,
 reserved1: u32,
}
struct Step {
 n_rows: u32,
 n_want: u32,
 seed_lo: u32,
 seed_hi: u32,
 window: u32,
 n_out: u32,
 reserved: array<u32, 10>,
 want: array<u32, 16>,
 rows: array<Row>,
}
const BANNED: f32 = -1e30;
const CANDIDATES = 256u;
const PICK_OVERFLOW = 1u;
const PICK_BAD = 2u;
const PICK_NONE = 4u;
const HISTORY_HEADER = 4u;
struct SampleParams {
 repeat: f32,
 frequency: f32,
 presence: f32,
 last_n: u32,
 inv_temperature: f32,
 top_k: u32,
 top_p: f32,
 min_p: f32,
 log_min_p: f32,
 greedy: u32,
 reserved0: u32,
 reserved1: u32,
 reserved2: u32,
 reserved3: u32,
 reserved4: u32,
 reserved5: u32,
}
struct RowStats {
 argmax: u32,
 max: f32,
 log_sum_exp: f32,
 entropy: f32,
 max_p: f32,
 top2_gap: f32,
 bad: u32,
 reserved: u32,
}
struct Picked {
 token: u32,
 flags: u32,
 logprob: f32,
 reserved: u32,
}
struct OutToken {
 token: u32,
 logprob: f32,
 flags: u32,
 entropy: f32,
}
fn mul_high(a: u32, b: u32) -> u32 {
 let al = a & 0xffffu;
 let ah = a >> 16u;
 let bl = b & 0xffffu;
 let bh = b >> 16u;
 let m1 = ah * bl + ((al * bl) >> 16u);
 let m2 = al * bh + (m1 & 0xffffu);
 return ah * bh + (m1 >> 16u) + (m2 >> 16u);
}
fn philox4x32_10(counter: vec4<u32>, key: vec2<u32>) -> vec4<u32> {
 var c = counter;
 var k = key;
 for (var round = 0u; round < 10u; round++) {
  let hi0 = mul_high(0xd2511f53u, c.x);
  let hi1 = mul_high(0xcd9e8d57u, c.z);
  c = vec4<u32>(hi1 ^ c.y ^ k.x, 0xcd9e8d57u * c.z, hi0 ^ c.w ^ k.y, 0xd2511f53u * c.x);
  k += vec2<u32>(0x9e3779b9u, 0xbb67ae85u);
 }
 return c;
}
fn uniform_draw(position: u32, sequence: u32, purpose: u32, key: vec2<u32>) -> f32 {
 return f32(philox4x32_10(vec4<u32>(position, sequence, purpose, 0u), key).x >> 8u) * 0x1p-24;
}
override T: u32 = 64u;
struct P {
 n_vocab: u32,
 n_set: u32,
 ring_capacity: u32,
 history_words: u32,
}
@group(0) @binding(0) var<storage, read_write> step: Step;
@group(0) @binding(1) var<storage, read> params: array<SampleParams>;
@group(0) @binding(2) var<storage, read> stats: array<RowStats>;
@group(0) @binding(3) var<storage, read> best: array<vec2<u32>>;
@group(0) @binding(4) var<storage, read> table: array<u32>;
@group(0) @binding(5) var<storage, read_write> history: array<u32>;
@group(0) @binding(6) var<storage, read_write> ring: array<OutToken>;
@group(0) @binding(7) var<uniform> p: P;
const PURPOSE_DRAW = 0u;
var<workgroup> ids: array<u32, CANDIDATES>;
var<workgroup> logit: array<f32, CANDIDATES>;
var<workgroup> cold: array<f32, CANDIDATES>;
var<workgroup> heated: array<f32, CANDIDATES>;
var<workgroup> hot: array<f32, CANDIDATES>;
struct Kept {
 n: u32,
 whole: bool,
 overflow: bool,
}
fn weight(d: f32) -> f32 {
 return select(exp(max(d, -104.0)), 0.0, d < -104.0);
}
fn load(t: u32, list: u32, inv_temperature: f32) {
 let first = bitcast<f32>(best[list].y);
 for (var i = t; i < min(CANDIDATES, p.n_vocab); i += T) {
  let entry = best[list + i];
  let l = bitcast<f32>(entry.y);
  ids[i] = entry.x;
  logit[i] = l;
  cold[i] = weight(l - first);
  heated[i] = l * inv_temperature;
 }
}
fn heat(t: u32) {
 for (var i = t; i < min(CANDIDATES, p.n_vocab); i += T) {
  hot[i] = weight(heated[i] - heated[0]);
 }
}
fn top_p(kept: Kept, top: f32, row_total: f32) -> Kept {
 var total = row_total;
 if (kept.whole) {
  total = 0.0;
  for (var i = 0u; i < kept.n; i++) {
   total += cold[i];
  }
 }
 let want = top * total;
 var sum = 0.0;
 for (var i = 0u; i < kept.n; i++) {
  sum += cold[i];
  if (sum >= want) {
   return Kept(i + 1u, true, false);
  }
 }
 return Kept(kept.n, kept.whole, !kept.whole);
}
fn min_p(kept: Kept, threshold: f32) -> Kept {
 for (var i = 0u; i < kept.n; i++) {
  if (logit[i] < threshold) {
   return Kept(i, true, false);
  }
 }
 return Kept(kept.n, kept.whole, !kept.whole);
}
fn truncate(s: SampleParams, row_total: f32) -> Kept {
 let n = min(CANDIDATES, p.n_vocab);
 var kept = Kept(n, p.n_vocab <= CANDIDATES, false);
 if (s.top_k != 0u && s.top_k <= n) {
  kept = Kept(s.top_k, true, false);
 } else if (s.top_k != 0u && !kept.whole) {
  kept.overflow = true;
 }
 if (!kept.overflow && s.top_p < 1.0) {
  kept = top_p(kept, s.top_p, row_total);
 }
 if (!kept.overflow && s.min_p > 0.0) {
  kept = min_p(kept, logit[0] + s.log_min_p);
 }
 if (!kept.whole && s.inv_temperature != 1.0) {
  kept.overflow = true;
 }
 return kept;
}
fn order_ties(n: u32) {
 for (var i = 1u; i < n; i++) {
  for (var j = i; j > 0u && heated[j - 1u] == heated[j] && ids[j - 1u] > ids[j]; j--) {
   let id = ids[j];
   ids[j] = ids[j - 1u];
   ids[j - 1u] = id;
   let l = logit[j];
   logit[j] = logit[j - 1u];
   logit[j - 1u] = l;
  }
 }
}
fn draw(kept: Kept, u: f32, row_total: f32) -> u32 {
 var total = row_total;
 if (kept.whole) {
  total = 0.0;
  for (var i = 0u; i < kept.n; i++) {
   total += hot[i];
  }
 }
 let want = u * total;
 var sum = 0.0;
 var last = 0u;
 for (var i = 0u; i < kept.n; i++) {
  sum += hot[i];
  if (sum > want) {
   return i;
  }
  if (hot[i] > 0.0) {
   last = i;
  }
 }
 return select(kept.n, last, kept.whole);
}
fn choose(w: u32, s: SampleParams, row: RowStats) -> Picked {
 var result = Picked(min(row.argmax, p.n_vocab - 1u), 0u, row.max - row.log_sum_exp, 0u);
 if (row.bad != 0u) {
  result.flags = PICK_BAD;
  return result;
 }
 if (row.max <= BANNED) {
  result.flags = PICK_NONE;
  return result;
 }
 if (s.greedy != 0u) {
  return result;
 }
 let row_total = exp(row.log_sum_exp - logit[0]);
 let kept = truncate(s, row_total);
 var i = kept.n;
 if (!kept.overflow) {
  if (s.inv_temperature != 1.0) {
   order_ties(kept.n);
  }
  let source = min(step.want[w], arrayLength(&step.rows) - 1u);
  let key = vec2<u32>(step.seed_lo, step.seed_hi);
  let u = uniform_draw(step.rows[source].pos + 1u, step.rows[source].seq, PURPOSE_DRAW, key);
  i = draw(kept, u, row_total);
 }
 if (i >= kept.n) {
  result.flags = PICK_OVERFLOW;
  return result;
 }
 result.token = min(ids[i], p.n_vocab - 1u);
 result.logprob = logit[i] - row.log_sum_exp;
 return result;
}
fn advance(pick: Picked, entropy: f32) {
 ring[step.n_out % p.ring_capacity] = OutToken(pick.token, pick.logprob, pick.flags, entropy);
 step.n_out += 1u;
 let hi = step.rows[0].hi + 1u;
 step.rows[0].token = pick.token;
 step.rows[0].mix_len = 0u;
 step.rows[0].pos += 1u;
 step.rows[0].hi = hi;
 let offset = step.rows[0].table;
 if (offset == IDENTITY) {
  step.rows[0].cell = step.rows[0].base + hi - 1u;
 } else {
  step.rows[0].cell = table[min(offset + hi - 1u, arrayLength(&table) - 1u)];
 }
 if (step.window > 0u && hi > step.window) {
  step.rows[0].lo_swa = max(step.rows[0].lo_swa, hi - step.window);
 }
 let capacity = min(history[1], p.history_words - HISTORY_HEADER);
 if (capacity > 0u) {
  history[HISTORY_HEADER + history[0] % capacity] = pick.token;
  history[0] += 1u;
 }
}
@compute @workgroup_size(T)
fn main(@builtin(local_invocation_index) t: u32, @builtin(workgroup_id) wg: vec3<u32>) {
 let s = params[min(wg.x, p.n_set - 1u)];
 if (s.greedy == 0u) {
  load(t, wg.x * CANDIDATES, s.inv_temperature);
 }
 if (T > 1u) {
  workgroupBarrier();
 }
 if (s.greedy == 0u) {
  heat(t);
 }
 if (T > 1u) {
  workgroupBarrier();
 }
 if (t == 0u) {
  let pick = choose(wg.x, s, stats[wg.x]);
  advance(pick, stats[wg.x].entropy);
 }
}
",
    },
    Shader {
        name: "topk_first",
        kernel: "topk",
        workgroup_size: [128, 1, 1],
        bindings: &[
            Binding { index: 0, name: "step", kind: BindingKind::Read, min_size: 192 },
            Binding { index: 1, name: "logits", kind: BindingKind::Read, min_size: 4 },
            Binding { index: 2, name: "best", kind: BindingKind::ReadWrite, min_size: 8 },
            Binding { index: 3, name: "p", kind: BindingKind::Uniform, min_size: 16 },
        ],
        overrides: &[],
        needs: &[],
        workgroup_bytes: 8192,
        uniform: &[
            UniformField { name: "n_vocab", offset: 0, size: 4 },
            UniformField { name: "n_list_in", offset: 4, size: 4 },
            UniformField { name: "n_list_out", offset: 8, size: 4 },
            UniformField { name: "reserved", offset: 12, size: 4 },
        ],
        wgsl: r"struct Row {
 token: u32,
 pos: u32,
 cell: u32,
 table: u32,
 base: u32,
 lo: u32,
 hi: u32,
 lo_swa: u32,
 tree: u32,
 ancestors_lo: u32,
 ancestors_hi: u32,
 seq: u32,
 mix_start: u32,
 mix_len: u32,
 reserved0: u32,
 reserved1: u32,
}
struct Step {
 n_rows: u32,
 n_want: u32,
 seed_lo: u32,
 seed_hi: u32,
 window: u32,
 n_out: u32,
 reserved: array<u32, 10>,
 want: array<u32, 16>,
 rows: array<Row>,
}
const BANNED: f32 = -1e30;
const CANDIDATES = 256u;
const NO_ID = 0xffffffffu;
fn is_finite(bits: u32) -> bool {
 return (bits & 0x7f800000u) != 0x7f800000u;
}
fn order_key(bits: u32) -> u32 {
 let b = select(bits, 0u, bits == 0x80000000u);
 return select(b | 0x80000000u, ~b, (b >> 31u) == 1u);
}
fn order_logit(key: u32) -> f32 {
 return bitcast<f32>(select(~key, key & 0x7fffffffu, (key >> 31u) == 1u));
}
var<workgroup> keys: array<u32, 1024>;
var<workgroup> ids: array<u32, 1024>;
fn put(slot: u32, key: u32, id: u32) {
 keys[slot] = key;
 ids[slot] = id;
}
fn logit_key(bits: u32) -> u32 {
 return order_key(select(bitcast<u32>(BANNED), bits, is_finite(bits)));
}
fn entry_of(slot: u32) -> vec2<u32> {
 return vec2<u32>(ids[slot], select(bitcast<u32>(BANNED), bitcast<u32>(order_logit(keys[slot])), keys[slot] != 0u));
}
fn ranks_before(a: u32, b: u32) -> bool {
 return keys[a] > keys[b] || (keys[a] == keys[b] && ids[a] < ids[b]);
}
fn order(a: u32, b: u32, reverse: bool) {
 if (ranks_before(b, a) != reverse) {
  let key = keys[a];
  let id = ids[a];
  put(a, keys[b], ids[b]);
  put(b, key, id);
 }
}
fn keep_better(a: u32, b: u32) {
 if (ranks_before(b, a)) {
  put(a, keys[b], ids[b]);
 }
}
fn sort_lists(t: u32, first: u32) {
 for (var run = 2u; run <= CANDIDATES; run <<= 1u) {
  for (var gap = run >> 1u; gap > 0u; gap >>= 1u) {
   for (var pair = 128u * first + t; pair < 512u; pair += THREADS) {
    let a = 2u * pair - (pair & (gap - 1u));
    order(a, a + gap, (a & run & (CANDIDATES - 1u)) != 0u);
   }
   workgroupBarrier();
  }
 }
}
fn sort_halves(t: u32, n: u32) {
 for (var gap = 128u; gap > 0u; gap >>= 1u) {
  for (var pair = t; pair < n; pair += THREADS) {
   let a = 512u * (pair >> 7u) + 2u * (pair & 127u) - (pair & (gap - 1u));
   order(a, a + gap, false);
  }
  workgroupBarrier();
 }
}
fn merge_lists(t: u32) {
 for (var slot = t; slot < CANDIDATES; slot += THREADS) {
  keep_better(slot, 511u - slot);
  keep_better(512u + slot, 1023u - slot);
 }
 workgroupBarrier();
 sort_halves(t, 256u);
 for (var slot = t; slot < CANDIDATES; slot += THREADS) {
  keep_better(slot, 767u - slot);
 }
 workgroupBarrier();
 sort_halves(t, 128u);
}
struct P {
 n_vocab: u32,
 n_list_in: u32,
 n_list_out: u32,
 reserved: u32,
}
@group(0) @binding(0) var<storage, read> step: Step;
@group(0) @binding(1) var<storage, read> logits: array<u32>;
@group(0) @binding(2) var<storage, read_write> best: array<vec2<u32>>;
@group(0) @binding(3) var<uniform> p: P;
const THREADS = 128u;
fn load(slot: u32, row: u32, block: u32) {
 let id = block * 1024u + slot;
 if (id < p.n_vocab) {
  put(slot, logit_key(logits[row * p.n_vocab + id]), id);
 } else {
  put(slot, 0u, NO_ID);
 }
}
@compute @workgroup_size(THREADS)
fn main(@builtin(local_invocation_index) t: u32, @builtin(workgroup_id) wg: vec3<u32>) {
 if (wg.y >= step.n_want) {
  return;
 }
 for (var slot = t; slot < 1024u; slot += THREADS) {
  load(slot, wg.y, wg.x);
 }
 workgroupBarrier();
         {
  sort_lists(t, 0u);
 }
 merge_lists(t);
 for (var slot = t; slot < CANDIDATES; slot += THREADS) {
  best[(wg.y * p.n_list_out + wg.x) * CANDIDATES + slot] = entry_of(slot);
 }
}
",
    },
    Shader {
        name: "topk_merge",
        kernel: "topk",
        workgroup_size: [128, 1, 1],
        bindings: &[
            Binding { index: 0, name: "step", kind: BindingKind::Read, min_size: 192 },
            Binding { index: 1, name: "lists", kind: BindingKind::Read, min_size: 8 },
            Binding { index: 2, name: "best", kind: BindingKind::ReadWrite, min_size: 8 },
            Binding { index: 3, name: "p", kind: BindingKind::Uniform, min_size: 16 },
        ],
        overrides: &[],
        needs: &[],
        workgroup_bytes: 8192,
        uniform: &[
            UniformField { name: "n_vocab", offset: 0, size: 4 },
            UniformField { name: "n_list_in", offset: 4, size: 4 },
            UniformField { name: "n_list_out", offset: 8, size: 4 },
            UniformField { name: "reserved", offset: 12, size: 4 },
        ],
        wgsl: r"struct Row {
 token: u32,
 pos: u32,
 cell: u32,
 table: u32,
 base: u32,
 lo: u32,
 hi: u32,
 lo_swa: u32,
 tree: u32,
 ancestors_lo: u32,
 ancestors_hi: u32,
 seq: u32,
 mix_start: u32,
 mix_len: u32,
 reserved0: u32,
 reserved1: u32,
}
struct Step {
 n_rows: u32,
 n_want: u32,
 seed_lo: u32,
 seed_hi: u32,
 window: u32,
 n_out: u32,
 reserved: array<u32, 10>,
 want: array<u32, 16>,
 rows: array<Row>,
}
const BANNED: f32 = -1e30;
const CANDIDATES = 256u;
const NO_ID = 0xffffffffu;
fn order_key(bits: u32) -> u32 {
 let b = select(bits, 0u, bits == 0x80000000u);
 return select(b | 0x80000000u, ~b, (b >> 31u) == 1u);
}
fn order_logit(key: u32) -> f32 {
 return bitcast<f32>(select(~key, key & 0x7fffffffu, (key >> 31u) == 1u));
}
var<workgroup> keys: array<u32, 1024>;
var<workgroup> ids: array<u32, 1024>;
fn put(slot: u32, key: u32, id: u32) {
 keys[slot] = key;
 ids[slot] = id;
}
fn entry_of(slot: u32) -> vec2<u32> {
 return vec2<u32>(ids[slot], select(bitcast<u32>(BANNED), bitcast<u32>(order_logit(keys[slot])), keys[slot] != 0u));
}
fn ranks_before(a: u32, b: u32) -> bool {
 return keys[a] > keys[b] || (keys[a] == keys[b] && ids[a] < ids[b]);
}
fn order(a: u32, b: u32, reverse: bool) {
 if (ranks_before(b, a) != reverse) {
  let key = keys[a];
  let id = ids[a];
  put(a, keys[b], ids[b]);
  put(b, key, id);
 }
}
fn keep_better(a: u32, b: u32) {
 if (ranks_before(b, a)) {
  put(a, keys[b], ids[b]);
 }
}
fn sort_halves(t: u32, n: u32) {
 for (var gap = 128u; gap > 0u; gap >>= 1u) {
  for (var pair = t; pair < n; pair += THREADS) {
   let a = 512u * (pair >> 7u) + 2u * (pair & 127u) - (pair & (gap - 1u));
   order(a, a + gap, false);
  }
  workgroupBarrier();
 }
}
fn merge_lists(t: u32) {
 for (var slot = t; slot < CANDIDATES; slot += THREADS) {
  keep_better(slot, 511u - slot);
  keep_better(512u + slot, 1023u - slot);
 }
 workgroupBarrier();
 sort_halves(t, 256u);
 for (var slot = t; slot < CANDIDATES; slot += THREADS) {
  keep_better(slot, 767u - slot);
 }
 workgroupBarrier();
 sort_halves(t, 128u);
}
struct P {
 n_vocab: u32,
 n_list_in: u32,
 n_list_out: u32,
 reserved: u32,
}
@group(0) @binding(0) var<storage, read> step: Step;
@group(0) @binding(1) var<storage, read> lists: array<vec2<u32>>;
@group(0) @binding(2) var<storage, read_write> best: array<vec2<u32>>;
@group(0) @binding(3) var<uniform> p: P;
const THREADS = 128u;
fn load(slot: u32, row: u32, block: u32) {
 let list = block * 4u + slot / CANDIDATES;
 if (list < p.n_list_in) {
  let entry = lists[(row * p.n_list_in + list) * CANDIDATES + slot % CANDIDATES];
  put(slot, select(order_key(entry.y), 0u, entry.x == NO_ID), entry.x);
 } else {
  put(slot, 0u, NO_ID);
 }
}
@compute @workgroup_size(THREADS)
fn main(@builtin(local_invocation_index) t: u32, @builtin(workgroup_id) wg: vec3<u32>) {
 if (wg.y >= step.n_want) {
  return;
 }
 for (var slot = t; slot < 1024u; slot += THREADS) {
  load(slot, wg.y, wg.x);
 }
 workgroupBarrier();
 merge_lists(t);
 for (var slot = t; slot < CANDIDATES; slot += THREADS) {
  best[(wg.y * p.n_list_out + wg.x) * CANDIDATES + slot] = entry_of(slot);
 }
}
",
    },
    Shader {
        name: "topk_scan",
        kernel: "topk_scan",
        workgroup_size: [8, 1, 1],
        bindings: &[
            Binding { index: 0, name: "step", kind: BindingKind::Read, min_size: 192 },
            Binding { index: 1, name: "logits", kind: BindingKind::Read, min_size: 4 },
            Binding { index: 2, name: "best", kind: BindingKind::ReadWrite, min_size: 8 },
            Binding { index: 3, name: "p", kind: BindingKind::Uniform, min_size: 16 },
        ],
        overrides: &[],
        needs: &[],
        workgroup_bytes: 11280,
        uniform: &[
            UniformField { name: "n_vocab", offset: 0, size: 4 },
            UniformField { name: "reserved0", offset: 4, size: 4 },
            UniformField { name: "reserved1", offset: 8, size: 4 },
            UniformField { name: "reserved2", offset: 12, size: 4 },
        ],
        wgsl: r"struct Row {
 token: u32,
 pos: u32,
 cell: u32,
 table: u32,
 base: u32,
 lo: u32,
 hi: u32,
 lo_swa: u32,
 tree: u32,
 ancestors_lo: u32,
 ancestors_hi: u32,
 seq: u32,
 mix_start: u32,
 mix_len: u32,
 reserved0: u32,
 reserved1: u32,
}
struct Step {
 n_rows: u32,
 n_want: u32,
 seed_lo: u32,
 seed_hi: u32,
 window: u32,
 n_out: u32,
 reserved: array<u32, 10>,
 want: array<u32, 16>,
 rows: array<Row>,
}
const BANNED: f32 = -1e30;
const CANDIDATES = 256u;
const NO_ID = 0xffffffffu;
fn is_finite(bits: u32) -> bool {
 return (bits & 0x7f800000u) != 0x7f800000u;
}
fn order_key(bits: u32) -> u32 {
 let b = select(bits, 0u, bits == 0x80000000u);
 return select(b | 0x80000000u, ~b, (b >> 31u) == 1u);
}
fn order_logit(key: u32) -> f32 {
 return bitcast<f32>(select(~key, key & 0x7fffffffu, (key >> 31u) == 1u));
}
struct P {
 n_vocab: u32,
 reserved0: u32,
 reserved1: u32,
 reserved2: u32,
}
@group(0) @binding(0) var<storage, read> step: Step;
@group(0) @binding(1) var<storage, read> logits: array<u32>;
@group(0) @binding(2) var<storage, read_write> best: array<vec2<u32>>;
@group(0) @binding(3) var<uniform> p: P;
const THREADS = 8u;
const ROOM = 384u;
const LEVELS = 8u;
var<workgroup> bins: array<atomic<u32>, 256u * LEVELS>;
var<workgroup> found: array<vec2<u32>, ROOM>;
var<workgroup> counter: atomic<u32>;
fn entry(row: u32, id: u32) -> vec2<u32> {
 let bits = logits[row + id];
 return vec2<u32>(order_key(select(bitcast<u32>(BANNED), bits, is_finite(bits))), ~id);
}
fn reaches(e: vec2<u32>, cut: vec2<u32>) -> bool {
 return e.x > cut.x || (e.x == cut.x && e.y >= cut.y);
}
fn digit(level: u32, bits: u32) -> vec2<u32> {
 let at = bits << (24u - 8u * (level % 4u));
 return select(vec2<u32>(at, 0u), vec2<u32>(0u, at), level >= 4u);
}
fn count(t: u32, row: u32, level: u32, cut: vec2<u32>, mask: vec2<u32>) {
 let shift = 24u - 8u * (level % 4u);
 for (var id = t; id < p.n_vocab; id += THREADS) {
  let e = entry(row, id);
  if (all((e & mask) == cut)) {
   atomicAdd(&bins[256u * level + ((select(e.x, e.y, level >= 4u) >> shift) & 255u)], 1u);
  }
 }
}
@compute @workgroup_size(THREADS)
fn main(@builtin(local_invocation_index) t: u32, @builtin(workgroup_id) wg: vec3<u32>) {
 if (wg.x >= step.n_want) {
  return;
 }
 let row = wg.x * p.n_vocab;
 for (var i = t; i < 256u * LEVELS; i += THREADS) {
  atomicStore(&bins[i], 0u);
 }
 if (t == 0u) {
  atomicStore(&counter, 0u);
 }
 workgroupBarrier();
 var cut = vec2<u32>();
 var mask = vec2<u32>();
 var above = 0u;
 var n = p.n_vocab;
 for (var level = 0u; level < LEVELS; level++) {
  let go_on = n > ROOM;
  if (go_on) {
   count(t, row, level, cut, mask);
  }
  workgroupBarrier();
  if (go_on) {
   var bin = 256u;
   n = above;
   while (n < CANDIDATES && bin > 0u) {
    bin--;
    above = n;
    n += atomicLoad(&bins[256u * level + bin]);
   }
   cut |= digit(level, bin);
   mask |= digit(level, 255u);
  }
 }
 for (var id = t; id < p.n_vocab; id += THREADS) {
  let e = entry(row, id);
  if (reaches(e, cut)) {
   found[atomicAdd(&counter, 1u)] = e;
  }
 }
 workgroupBarrier();
 for (var i = t; i < n; i += THREADS) {
  let e = found[i];
  var rank = 0u;
  for (var k = 0u; k < n; k++) {
   rank += select(0u, 1u, reaches(found[k], e));
  }
  if (rank <= CANDIDATES) {
   best[wg.x * CANDIDATES + rank - 1u] = vec2<u32>(~e.y, bitcast<u32>(order_logit(e.x)));
  }
 }
 for (var i = n + t; i < CANDIDATES; i += THREADS) {
  best[wg.x * CANDIDATES + i] = vec2<u32>(NO_ID, bitcast<u32>(BANNED));
 }
}
",
    },
];

/// The index of every variant.
#[rustfmt::skip]
pub mod id {
    use crate::shader::ShaderId;

    /// `act`.
    pub const ACT: ShaderId = ShaderId(0);
    /// `add_rows`.
    pub const ADD_ROWS: ShaderId = ShaderId(1);
    /// `attention` with rows = many.
    pub const ATTENTION_MANY: ShaderId = ShaderId(2);
    /// `attention_merge`.
    pub const ATTENTION_MERGE: ShaderId = ShaderId(3);
    /// `attention` with rows = one.
    pub const ATTENTION_ONE: ShaderId = ShaderId(4);
    /// `attention` with rows = split.
    pub const ATTENTION_SPLIT: ShaderId = ShaderId(5);
    /// `attention_tile`.
    pub const ATTENTION_TILE: ShaderId = ShaderId(6);
    /// `copy_rows`.
    pub const COPY_ROWS: ShaderId = ShaderId(7);
    /// `embed` with format = bf16.
    pub const EMBED_BF16: ShaderId = ShaderId(8);
    /// `embed` with format = f16.
    pub const EMBED_F16: ShaderId = ShaderId(9);
    /// `embed` with format = f32.
    pub const EMBED_F32: ShaderId = ShaderId(10);
    /// `embed` with format = iq4.
    pub const EMBED_IQ4: ShaderId = ShaderId(11);
    /// `embed` with format = mxfp4.
    pub const EMBED_MXFP4: ShaderId = ShaderId(12);
    /// `embed` with format = q2k.
    pub const EMBED_Q2K: ShaderId = ShaderId(13);
    /// `embed` with format = q3k.
    pub const EMBED_Q3K: ShaderId = ShaderId(14);
    /// `embed` with format = q4.
    pub const EMBED_Q4: ShaderId = ShaderId(15);
    /// `embed` with format = q4k.
    pub const EMBED_Q4K: ShaderId = ShaderId(16);
    /// `embed` with format = q5.
    pub const EMBED_Q5: ShaderId = ShaderId(17);
    /// `embed` with format = q5k.
    pub const EMBED_Q5K: ShaderId = ShaderId(18);
    /// `embed` with format = q6k.
    pub const EMBED_Q6K: ShaderId = ShaderId(19);
    /// `embed` with format = q8.
    pub const EMBED_Q8: ShaderId = ShaderId(20);
    /// `gather_logits`.
    pub const GATHER_LOGITS: ShaderId = ShaderId(21);
    /// `kv_move`.
    pub const KV_MOVE: ShaderId = ShaderId(22);
    /// `mask_logits`.
    pub const MASK_LOGITS: ShaderId = ShaderId(23);
    /// `matmul_rows` with format = bf16.
    pub const MATMUL_ROWS_BF16: ShaderId = ShaderId(24);
    /// `matmul_rows` with format = f16.
    pub const MATMUL_ROWS_F16: ShaderId = ShaderId(25);
    /// `matmul_rows` with format = f32.
    pub const MATMUL_ROWS_F32: ShaderId = ShaderId(26);
    /// `matmul_rows` with format = iq4.
    pub const MATMUL_ROWS_IQ4: ShaderId = ShaderId(27);
    /// `matmul_rows` with format = mxfp4.
    pub const MATMUL_ROWS_MXFP4: ShaderId = ShaderId(28);
    /// `matmul_rows` with format = q2k.
    pub const MATMUL_ROWS_Q2K: ShaderId = ShaderId(29);
    /// `matmul_rows` with format = q3k.
    pub const MATMUL_ROWS_Q3K: ShaderId = ShaderId(30);
    /// `matmul_rows` with format = q4.
    pub const MATMUL_ROWS_Q4: ShaderId = ShaderId(31);
    /// `matmul_rows` with format = q4k.
    pub const MATMUL_ROWS_Q4K: ShaderId = ShaderId(32);
    /// `matmul_rows` with format = q5.
    pub const MATMUL_ROWS_Q5: ShaderId = ShaderId(33);
    /// `matmul_rows` with format = q5k.
    pub const MATMUL_ROWS_Q5K: ShaderId = ShaderId(34);
    /// `matmul_rows` with format = q6k.
    pub const MATMUL_ROWS_Q6K: ShaderId = ShaderId(35);
    /// `matmul_rows` with format = q8.
    pub const MATMUL_ROWS_Q8: ShaderId = ShaderId(36);
    /// `matmul_soft` with format = bf16, columns = eight.
    pub const MATMUL_SOFT_BF16_EIGHT: ShaderId = ShaderId(37);
    /// `matmul_soft` with format = bf16, columns = one.
    pub const MATMUL_SOFT_BF16_ONE: ShaderId = ShaderId(38);
    /// `matmul_soft` with format = f16, columns = eight.
    pub const MATMUL_SOFT_F16_EIGHT: ShaderId = ShaderId(39);
    /// `matmul_soft` with format = f16, columns = one.
    pub const MATMUL_SOFT_F16_ONE: ShaderId = ShaderId(40);
    /// `matmul_soft` with format = f32, columns = eight.
    pub const MATMUL_SOFT_F32_EIGHT: ShaderId = ShaderId(41);
    /// `matmul_soft` with format = f32, columns = one.
    pub const MATMUL_SOFT_F32_ONE: ShaderId = ShaderId(42);
    /// `matmul_soft` with format = iq4, columns = eight.
    pub const MATMUL_SOFT_IQ4_EIGHT: ShaderId = ShaderId(43);
    /// `matmul_soft` with format = iq4, columns = one.
    pub const MATMUL_SOFT_IQ4_ONE: ShaderId = ShaderId(44);
    /// `matmul_soft` with format = mxfp4, columns = eight.
    pub const MATMUL_SOFT_MXFP4_EIGHT: ShaderId = ShaderId(45);
    /// `matmul_soft` with format = mxfp4, columns = one.
    pub const MATMUL_SOFT_MXFP4_ONE: ShaderId = ShaderId(46);
    /// `matmul_soft` with format = q2k, columns = eight.
    pub const MATMUL_SOFT_Q2K_EIGHT: ShaderId = ShaderId(47);
    /// `matmul_soft` with format = q2k, columns = one.
    pub const MATMUL_SOFT_Q2K_ONE: ShaderId = ShaderId(48);
    /// `matmul_soft` with format = q3k, columns = eight.
    pub const MATMUL_SOFT_Q3K_EIGHT: ShaderId = ShaderId(49);
    /// `matmul_soft` with format = q3k, columns = one.
    pub const MATMUL_SOFT_Q3K_ONE: ShaderId = ShaderId(50);
    /// `matmul_soft` with format = q4, columns = eight.
    pub const MATMUL_SOFT_Q4_EIGHT: ShaderId = ShaderId(51);
    /// `matmul_soft` with format = q4, columns = one.
    pub const MATMUL_SOFT_Q4_ONE: ShaderId = ShaderId(52);
    /// `matmul_soft` with format = q4k, columns = eight.
    pub const MATMUL_SOFT_Q4K_EIGHT: ShaderId = ShaderId(53);
    /// `matmul_soft` with format = q4k, columns = one.
    pub const MATMUL_SOFT_Q4K_ONE: ShaderId = ShaderId(54);
    /// `matmul_soft` with format = q5, columns = eight.
    pub const MATMUL_SOFT_Q5_EIGHT: ShaderId = ShaderId(55);
    /// `matmul_soft` with format = q5, columns = one.
    pub const MATMUL_SOFT_Q5_ONE: ShaderId = ShaderId(56);
    /// `matmul_soft` with format = q5k, columns = eight.
    pub const MATMUL_SOFT_Q5K_EIGHT: ShaderId = ShaderId(57);
    /// `matmul_soft` with format = q5k, columns = one.
    pub const MATMUL_SOFT_Q5K_ONE: ShaderId = ShaderId(58);
    /// `matmul_soft` with format = q6k, columns = eight.
    pub const MATMUL_SOFT_Q6K_EIGHT: ShaderId = ShaderId(59);
    /// `matmul_soft` with format = q6k, columns = one.
    pub const MATMUL_SOFT_Q6K_ONE: ShaderId = ShaderId(60);
    /// `matmul_soft` with format = q8, columns = eight.
    pub const MATMUL_SOFT_Q8_EIGHT: ShaderId = ShaderId(61);
    /// `matmul_soft` with format = q8, columns = one.
    pub const MATMUL_SOFT_Q8_ONE: ShaderId = ShaderId(62);
    /// `matmul_tile` with format = bf16.
    pub const MATMUL_TILE_BF16: ShaderId = ShaderId(63);
    /// `matmul_tile` with format = f16.
    pub const MATMUL_TILE_F16: ShaderId = ShaderId(64);
    /// `matmul_tile` with format = f32.
    pub const MATMUL_TILE_F32: ShaderId = ShaderId(65);
    /// `matmul_tile` with format = iq4.
    pub const MATMUL_TILE_IQ4: ShaderId = ShaderId(66);
    /// `matmul_tile` with format = iq4, dot = true.
    pub const MATMUL_TILE_IQ4_DOT: ShaderId = ShaderId(67);
    /// `matmul_tile` with format = mxfp4.
    pub const MATMUL_TILE_MXFP4: ShaderId = ShaderId(68);
    /// `matmul_tile` with format = mxfp4, dot = true.
    pub const MATMUL_TILE_MXFP4_DOT: ShaderId = ShaderId(69);
    /// `matmul_tile` with format = q2k.
    pub const MATMUL_TILE_Q2K: ShaderId = ShaderId(70);
    /// `matmul_tile` with format = q2k, dot = true.
    pub const MATMUL_TILE_Q2K_DOT: ShaderId = ShaderId(71);
    /// `matmul_tile` with format = q3k.
    pub const MATMUL_TILE_Q3K: ShaderId = ShaderId(72);
    /// `matmul_tile` with format = q3k, dot = true.
    pub const MATMUL_TILE_Q3K_DOT: ShaderId = ShaderId(73);
    /// `matmul_tile` with format = q4.
    pub const MATMUL_TILE_Q4: ShaderId = ShaderId(74);
    /// `matmul_tile` with format = q4, dot = true.
    pub const MATMUL_TILE_Q4_DOT: ShaderId = ShaderId(75);
    /// `matmul_tile` with format = q4k.
    pub const MATMUL_TILE_Q4K: ShaderId = ShaderId(76);
    /// `matmul_tile` with format = q4k, dot = true.
    pub const MATMUL_TILE_Q4K_DOT: ShaderId = ShaderId(77);
    /// `matmul_tile` with format = q5.
    pub const MATMUL_TILE_Q5: ShaderId = ShaderId(78);
    /// `matmul_tile` with format = q5, dot = true.
    pub const MATMUL_TILE_Q5_DOT: ShaderId = ShaderId(79);
    /// `matmul_tile` with format = q5k.
    pub const MATMUL_TILE_Q5K: ShaderId = ShaderId(80);
    /// `matmul_tile` with format = q5k, dot = true.
    pub const MATMUL_TILE_Q5K_DOT: ShaderId = ShaderId(81);
    /// `matmul_tile` with format = q6k.
    pub const MATMUL_TILE_Q6K: ShaderId = ShaderId(82);
    /// `matmul_tile` with format = q6k, dot = true.
    pub const MATMUL_TILE_Q6K_DOT: ShaderId = ShaderId(83);
    /// `matmul_tile` with format = q8.
    pub const MATMUL_TILE_Q8: ShaderId = ShaderId(84);
    /// `matmul_tile` with format = q8, dot = true.
    pub const MATMUL_TILE_Q8_DOT: ShaderId = ShaderId(85);
    /// `matmul_vec` with format = bf16.
    pub const MATMUL_VEC_BF16: ShaderId = ShaderId(86);
    /// `matmul_vec` with format = f16.
    pub const MATMUL_VEC_F16: ShaderId = ShaderId(87);
    /// `matmul_vec` with format = f32.
    pub const MATMUL_VEC_F32: ShaderId = ShaderId(88);
    /// `matmul_vec` with format = iq4.
    pub const MATMUL_VEC_IQ4: ShaderId = ShaderId(89);
    /// `matmul_vec` with format = mxfp4.
    pub const MATMUL_VEC_MXFP4: ShaderId = ShaderId(90);
    /// `matmul_vec` with format = q2k.
    pub const MATMUL_VEC_Q2K: ShaderId = ShaderId(91);
    /// `matmul_vec` with format = q3k.
    pub const MATMUL_VEC_Q3K: ShaderId = ShaderId(92);
    /// `matmul_vec` with format = q4.
    pub const MATMUL_VEC_Q4: ShaderId = ShaderId(93);
    /// `matmul_vec` with format = q4k.
    pub const MATMUL_VEC_Q4K: ShaderId = ShaderId(94);
    /// `matmul_vec` with format = q5.
    pub const MATMUL_VEC_Q5: ShaderId = ShaderId(95);
    /// `matmul_vec` with format = q5k.
    pub const MATMUL_VEC_Q5K: ShaderId = ShaderId(96);
    /// `matmul_vec` with format = q6k.
    pub const MATMUL_VEC_Q6K: ShaderId = ShaderId(97);
    /// `matmul_vec` with format = q8.
    pub const MATMUL_VEC_Q8: ShaderId = ShaderId(98);
    /// `moe_combine`.
    pub const MOE_COMBINE: ShaderId = ShaderId(99);
    /// `moe_route`.
    pub const MOE_ROUTE: ShaderId = ShaderId(100);
    /// `norm`.
    pub const NORM: ShaderId = ShaderId(101);
    /// `penalize`.
    pub const PENALIZE: ShaderId = ShaderId(102);
    /// `rope_kv`.
    pub const ROPE_KV: ShaderId = ShaderId(103);
    /// `row_stats`.
    pub const ROW_STATS: ShaderId = ShaderId(104);
    /// `row_stats_merge`.
    pub const ROW_STATS_MERGE: ShaderId = ShaderId(105);
    /// `sample`.
    pub const SAMPLE: ShaderId = ShaderId(106);
    /// `sample` with next = true.
    pub const SAMPLE_NEXT: ShaderId = ShaderId(107);
    /// `topk` with stage = first.
    pub const TOPK_FIRST: ShaderId = ShaderId(108);
    /// `topk` with stage = merge.
    pub const TOPK_MERGE: ShaderId = ShaderId(109);
    /// `topk_scan`.
    pub const TOPK_SCAN: ShaderId = ShaderId(110);
}
