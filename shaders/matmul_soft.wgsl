// The products for adapters that are CPUs. On lavapipe (Mesa 25) a load from a buffer costs some 70 instructions per value
// and vector, whatever the address, and a barrier more than that: so a thread reads a chunk of x once for many rows.
// Scales and offsets come after the products of the bare quants: 64 operations fewer a chunk, and fewer values that are alive.
// Loops stay loops here: their code compiles ten times faster than unrolled code, and runs as fast.
// COLUMNS_ONE: as matmul_vec. COLUMNS_EIGHT: as matmul_rows, by eight columns.
// Grid: (⌈groups/block⌉, slots or ⌈max_rows/8⌉, 1). Thread: row t%8 of `block` neighbouring groups.
import common/chunk;
import common/dequant/all;
import common/epilogue;
import common/step;

const MAX_BLOCK = 64u;
const NONE = 0xffffffffu;
const NORM = 8u; // of p.flags
const ONE = vec4<f32>(1.0);
const ONES = Chunk(ONE, ONE, ONE, ONE, ONE, ONE, ONE, ONE);

struct P {
  n_chunk: u32, // k / 32
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

@if(COLUMNS_EIGHT)
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
  var words = array<vec4<f32>, 64>(); // [word of the chunk][column]
  for (var c = 0u; c < p.n_chunk; c++) {
    for (var i = 0u; i < 8u * n_column; i++) {
      let m = i % n_column;
      let word = i / n_column;
      words[word * 8u + m] = x[(min(m0 + m, n - 1u) * p.n_chunk + c) * 8u + word];
    }
    var totals = array<vec4<f32>, 4>(); // [four columns][half of sixteen]
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

@if(COLUMNS_ONE)
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
      // Not dot(w.s, …): lavapipe then takes twice as long on large matrices.
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
