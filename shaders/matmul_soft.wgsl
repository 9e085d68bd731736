// The products for adapters that are CPUs. On lavapipe (Mesa 25) a load from a buffer costs some 70 instructions per value
// and vector, whatever the address, and a barrier more than that: so a thread reads a chunk of x once for many rows.
// Scales and offsets come after the products of the bare quants: 64 operations fewer a chunk, and fewer values that are alive.
// Loops stay loops here: their code compiles ten times faster than unrolled code, and runs as fast.
// COLUMNS_ONE: as matmul_vec. COLUMNS_EIGHT: as matmul_rows, by eight columns. SUBGROUP: the eight threads are a subgroup, and
// load a chunk of x together.
// Grid: (⌈groups/block⌉, slots, 1), or (⌈max_rows/8⌉, ⌈groups/block⌉, 1): lavapipe gives each core a run of workgroups, x first, and
// of the columns that a plan has room for often half are empty. Thread: row t%8 of `block` neighbouring groups.
import common/chunk;
import common/dequant/all;
import common/epilogue;
import common/step;
@if(COLUMNS_ONE)
import common/soft/dots;
@if(COLUMNS_ONE && !SUBGROUP)
import common/soft/column;
@if(COLUMNS_ONE && SUBGROUP)
import common/soft/column_lanes;
@if(COLUMNS_EIGHT && !SUBGROUP)
import common/soft/columns;
@if(COLUMNS_EIGHT && SUBGROUP)
import common/soft/columns_lanes;

const MAX_BLOCK = 64u;
const NONE = 0xffffffffu;
const NORM = 8u; // of p.flags
const ONE = vec4<f32>(1.0);

struct P {
  n_chunk: u32, // k / 32
  w_chunk: u32, // chunks of a row of weights; more than n_chunk where only its first columns count
  n_unit: u32,
  n_group: u32, // weight groups, of one expert
  n_rows: u32, // outputs
  row0: u32, // first output within y
  block: u32, // groups per thread, at most MAX_BLOCK; even with p.glu
  by_expert: u32, // 1 if sel is read
  n_expert: u32,
  glu: u32, // 1: groups alternate between gate and up rows
  x_slot_div: u32, // slots that share a row of x
  y_stride: u32, // floats from slot to slot, or from column to column
  count_from: u32, // what bounds the columns: 0 step.n_rows, 1 step.n_want
  max_rows: u32, // columns that the buffers hold
  eps: f32,
  act: u32,
  flags: u32,
  softcap: f32,
}

@group(0) @binding(0) var<storage, read> wq: array<vec4<u32>>;
@group(0) @binding(1) var<storage, read> ws: array<u32>;
@group(0) @binding(2) var<storage, read> x: array<vec4<f32>>;
@if(COLUMNS_ONE)
@group(0) @binding(3) var<storage, read> norm: array<vec4<f32>>;
@if(COLUMNS_EIGHT)
@group(0) @binding(3) var<storage, read> step: Step;
@group(0) @binding(4) var<storage, read> bias: array<f32>;
@group(0) @binding(5) var<storage, read_write> y: array<f32>;
@if(COLUMNS_ONE)
@group(0) @binding(6) var<storage, read> sel: array<u32>;
@if(COLUMNS_ONE)
@group(0) @binding(7) var<uniform> p: P;
@if(COLUMNS_EIGHT)
@group(0) @binding(6) var<uniform> p: P;

// Chunks of a row; no buffer has fewer words. Browsers bound every index by the length of its buffer, and SwiftShader divides to
// know it, four times an access, unless it has been asked for before the loop.
fn chunks() -> u32 {
  var n = min(p.n_chunk, min(arrayLength(&wq), arrayLength(&x)));
  @if(!FORMAT_F32 && !FORMAT_F16 && !FORMAT_BF16)
  n = min(n, arrayLength(&ws));
  return n;
}

@if(COLUMNS_EIGHT)
@compute @workgroup_size(8)
fn main(
  @if(!SUBGROUP)
  @builtin(local_invocation_index) r: u32,
  @if(SUBGROUP)
  @builtin(subgroup_invocation_id) r: u32,
  @builtin(workgroup_id) wg: vec3<u32>,
) {
  let n = min(select(step.n_rows, step.n_want, p.count_from == 1u), p.max_rows);
  let m0 = wg.x * 8u;
  if (m0 >= n) {
    return;
  }
  let wide = m0 + 4u < n;
  let first = wg.y * p.block;
  let end = min(p.block, p.n_group - first);
  let n_chunk = chunks();
  var sums = array<vec4<f32>, 2u * MAX_BLOCK>();
  for (var c = 0u; c < n_chunk; c++) {
    load_columns(m0, n, wide, c, r);
    var totals = array<vec4<f32>, 4>(); // [four columns][half of sixteen]
    if (OFFSETS) {
      totals = column_totals();
    }
    for (var b = 0u; b < end; b++) {
      let w = coded(first + b, c, r);
      sums[2u * b] += w.s.x * near_low(w.q) + w.s.y * near_high(w.q) + w.s.z * totals[0] + w.s.w * totals[1];
      if (wide) {
        sums[2u * b + 1u] += w.s.x * far_low(w.q) + w.s.y * far_high(w.q) + w.s.z * totals[2] + w.s.w * totals[3];
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

@if(COLUMNS_ONE)
@compute @workgroup_size(8)
fn main(
  @if(!SUBGROUP)
  @builtin(local_invocation_index) r: u32,
  @if(SUBGROUP)
  @builtin(subgroup_invocation_id) r: u32,
  @builtin(workgroup_id) wg: vec3<u32>,
) {
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
  let n_chunk = chunks();
  var sums = array<f32, MAX_BLOCK>();
  var square = 0.0;
  for (var c = 0u; c < n_chunk; c++) {
    square += load_column(x0 + c * 8u, c * 8u, r);
    let total = column_total;
    for (var b = 0u; b < end; b++) {
      let w = dots(g + b, c, r, column);
      // Not dot(w.s, …): lavapipe then takes twice as long on large matrices.
      sums[b] += w.s.x * w.halves.x + w.s.y * w.halves.y + w.s.z * total.x + w.s.w * total.y;
    }
  }
  let factor = select(1.0, inverseSqrt(whole_sum(square) / f32(p.n_chunk * 32u) + p.eps), (p.flags & NORM) != 0u);
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
