// One column: y[n] = epilogue(Σ_k W[n][k]·x[k]); with NORM, x is RMS-normalised on the way: the weights multiply x, and the
// sum is scaled by 1/√(mean x² + eps), so no second pass over x is needed.
// GLU: weight groups 2i and 2i+1 hold gate and up rows of outputs 8i..8i+8; y = act(gate)·up.
// Experts: workgroup row = slot; sel[slot] names the expert, NONE leaves the slot alone.
// Grid: (⌈groups/G⌉, slots or 1, 1). Thread: row t%8 of a group, lane (t/8)%L of the row.
import common/activate;
import common/chunk;
import common/dequant/all;
@if(!GLU)
import common/epilogue;

const NONE = 0xffffffffu;

override L: u32 = 8u; // lanes per row; 1 needs no barrier
override G: u32 = 1u; // row groups per workgroup
override T: u32 = 64u; // 8·L·G
override NORM: bool = false;

struct P {
  n_chunk: u32, // k / 32
  n_unit: u32,
  n_group: u32, // groups of eight outputs
  n_rows: u32, // outputs
  row0: u32, // first output within y
  groups_per_expert: u32, // weight groups; 0 without experts
  n_expert: u32,
  x_slot_div: u32, // slots that share a row of x
  y_stride: u32, // floats from slot to slot
  eps: f32,
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

fn column(at: u32) -> Chunk {
  return Chunk(x[at], x[at + 1u], x[at + 2u], x[at + 3u], x[at + 4u], x[at + 5u], x[at + 6u], x[at + 7u]);
}

fn norm_weights(at: u32) -> Chunk {
  return Chunk(norm[at], norm[at + 1u], norm[at + 2u], norm[at + 3u],
    norm[at + 4u], norm[at + 5u], norm[at + 6u], norm[at + 7u]);
}

@compute @workgroup_size(T)
fn main(@builtin(local_invocation_index) t: u32, @builtin(workgroup_id) wg: vec3<u32>) {
  var first = 0u;
  if (p.groups_per_expert > 0u) {
    let expert = sel[wg.y];
    if (expert == NONE) {
      return;
    }
    first = min(expert, p.n_expert - 1u) * p.groups_per_expert;
  }
  let r = t % 8u;
  let lane = (t / 8u) % L;
  let i = wg.x * G + t / (8u * L);
  let x0 = wg.y / p.x_slot_div * p.n_chunk * 8u;
  var sum = vec4<f32>(); // product, product of the up row, squares of x
  if (i < p.n_group) {
    for (var c = lane; c < p.n_chunk; c += L) {
      var v = column(x0 + c * 8u);
      if (NORM) {
        sum.z += chunk_dot(v, v);
        v = chunk_mul(v, norm_weights(c * 8u));
      }
      @if(GLU) {
        sum.x += chunk_dot(dequant(first + 2u * i, c, r), v);
        sum.y += chunk_dot(dequant(first + 2u * i + 1u, c, r), v);
      }
      @else {
        sum.x += chunk_dot(dequant(first + i, c, r), v);
      }
    }
  }
  if (L > 1u) {
    partial[t] = sum;
    workgroupBarrier();
    if (lane == 0u) {
      for (var l = 1u; l < L; l++) {
        sum += partial[t + 8u * l];
      }
    }
  }
  let row = 8u * i + r;
  if (lane == 0u && row < p.n_rows) {
    if (NORM) {
      sum *= inverseSqrt(sum.z / f32(p.n_chunk * 32u) + p.eps);
    }
    let at = wg.y * p.y_stride + p.row0 + row;
    @if(GLU) {
      y[at] = activate(sum.x) * sum.y;
    }
    @else {
      store(sum.x, p.row0 + row, at);
    }
  }
}
