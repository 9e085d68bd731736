// One column: y[n] = epilogue(Σ_k W[n][k]·x[k]); with NORM, x is RMS-normalised on the way: the weights multiply x, and the
// sum is scaled by 1/√(mean x² + eps), so no second pass over x is needed.
// A thread takes one row of each of B neighbouring groups, so that a word of x is read once for B rows.
// p.glu: weight groups 2i and 2i+1 hold gate and up rows of outputs 8i..8i+8; y = act(gate)·up.
// Experts: workgroup row = slot; sel[slot] names the expert, NONE leaves the slot alone.
// Grid: (⌈groups/(B·G)⌉, slots or 1, 1). Thread: row t%8 of its groups, lane (t/8)%L of the row; with SUBGROUP, whose
// subgroups have at least L lanes, the lanes of a row are neighbours and add without workgroup memory.
import common/chunk;
import common/dequant/all;
import common/epilogue;

const NONE = 0xffffffffu;

override L: u32 = 8u; // lanes per row; 1 needs no barrier
override G: u32 = 1u; // blocks of B groups per workgroup
override T: u32 = 64u; // 8·L·G
override B: u32 = 1u; // groups per thread: 1, 2 or 4; even with p.glu
override NORM: bool = false;

struct P {
  n_chunk: u32, // k / 32
  w_chunk: u32, // chunks of a row of weights; more than n_chunk where only its first columns count
  n_unit: u32,
  n_group: u32, // weight groups, of one expert
  n_rows: u32, // outputs
  row0: u32, // first output within y
  by_expert: u32, // 1 if sel is read
  n_expert: u32,
  glu: u32,
  x_slot_div: u32, // slots that share a row of x
  y_stride: u32, // floats from slot to slot
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

@if(!SUBGROUP)
var<workgroup> partial: array<vec4<f32>, T>;
@if(!SUBGROUP)
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
  @if(!SUBGROUP)
  let r = t % 8u;
  @if(!SUBGROUP)
  let lane = (t / 8u) % L;
  @if(SUBGROUP)
  let r = (t / L) % 8u;
  @if(SUBGROUP)
  let lane = t % L;
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
  @if(SUBGROUP)
  for (var gap = 1u; gap < L; gap <<= 1u) {
    sum += subgroupShuffleXor(sum, gap);
    square += subgroupShuffleXor(square, gap);
  }
  @if(!SUBGROUP)
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
