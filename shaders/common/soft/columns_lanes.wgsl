// A chunk of up to eight columns of matmul_soft, loaded by the eight lanes of a subgroup: a word each, of every column.
// Functions as in common/soft/columns. Bindings of the kernel: x; p.n_chunk.
import common/chunk;

// This lane's word of four columns.
struct Four {
  x0: vec4<f32>,
  x1: vec4<f32>,
  x2: vec4<f32>,
  x3: vec4<f32>,
}

// All words of four columns.
struct Words {
  w0: mat4x4<f32>,
  w1: mat4x4<f32>,
  w2: mat4x4<f32>,
  w3: mat4x4<f32>,
  w4: mat4x4<f32>,
  w5: mat4x4<f32>,
  w6: mat4x4<f32>,
  w7: mat4x4<f32>,
}

var<private> near: Words;
var<private> far: Words;
var<private> sums_of_near: vec4<f32>; // of this lane's word
var<private> sums_of_far: vec4<f32>;

fn load_columns(m0: u32, n: u32, wide: bool, c: u32, r: u32) {
  let last = n - 1u;
  let at = c * 8u + r;
  let four = load_four(m0, last, at);
  sums_of_near = ONE * mat4x4<f32>(four.x0, four.x1, four.x2, four.x3);
  // Always so. What is set under a condition stays in memory; else lavapipe spreads it again for every group of rows.
  if (p.n_chunk != 0u) {
    near = spread(four);
  }
  if (wide) {
    let four = load_four(m0 + 4u, last, at);
    sums_of_far = ONE * mat4x4<f32>(four.x0, four.x1, four.x2, four.x3);
    far = spread(four);
  }
}

fn load_four(m: u32, last: u32, at: u32) -> Four {
  let k = p.n_chunk * 8u;
  return Four(x[min(m, last) * k + at], x[min(m + 1u, last) * k + at],
    x[min(m + 2u, last) * k + at], x[min(m + 3u, last) * k + at]);
}

fn spread(f: Four) -> Words {
  return Words(word0(f), word1(f), word2(f), word3(f), word4(f), word5(f), word6(f), word7(f));
}

// Browsers want the lane to be a constant.
fn word0(f: Four) -> mat4x4<f32> {
  return mat4x4<f32>(subgroupBroadcast(f.x0, 0u), subgroupBroadcast(f.x1, 0u), subgroupBroadcast(f.x2, 0u), subgroupBroadcast(f.x3, 0u));
}

fn word1(f: Four) -> mat4x4<f32> {
  return mat4x4<f32>(subgroupBroadcast(f.x0, 1u), subgroupBroadcast(f.x1, 1u), subgroupBroadcast(f.x2, 1u), subgroupBroadcast(f.x3, 1u));
}

fn word2(f: Four) -> mat4x4<f32> {
  return mat4x4<f32>(subgroupBroadcast(f.x0, 2u), subgroupBroadcast(f.x1, 2u), subgroupBroadcast(f.x2, 2u), subgroupBroadcast(f.x3, 2u));
}

fn word3(f: Four) -> mat4x4<f32> {
  return mat4x4<f32>(subgroupBroadcast(f.x0, 3u), subgroupBroadcast(f.x1, 3u), subgroupBroadcast(f.x2, 3u), subgroupBroadcast(f.x3, 3u));
}

fn word4(f: Four) -> mat4x4<f32> {
  return mat4x4<f32>(subgroupBroadcast(f.x0, 4u), subgroupBroadcast(f.x1, 4u), subgroupBroadcast(f.x2, 4u), subgroupBroadcast(f.x3, 4u));
}

fn word5(f: Four) -> mat4x4<f32> {
  return mat4x4<f32>(subgroupBroadcast(f.x0, 5u), subgroupBroadcast(f.x1, 5u), subgroupBroadcast(f.x2, 5u), subgroupBroadcast(f.x3, 5u));
}

fn word6(f: Four) -> mat4x4<f32> {
  return mat4x4<f32>(subgroupBroadcast(f.x0, 6u), subgroupBroadcast(f.x1, 6u), subgroupBroadcast(f.x2, 6u), subgroupBroadcast(f.x3, 6u));
}

fn word7(f: Four) -> mat4x4<f32> {
  return mat4x4<f32>(subgroupBroadcast(f.x0, 7u), subgroupBroadcast(f.x1, 7u), subgroupBroadcast(f.x2, 7u), subgroupBroadcast(f.x3, 7u));
}

fn column_totals() -> array<vec4<f32>, 4> {
  return array<vec4<f32>, 4>(low_lanes(sums_of_near), high_lanes(sums_of_near), low_lanes(sums_of_far), high_lanes(sums_of_far));
}

fn low_lanes(v: vec4<f32>) -> vec4<f32> {
  return subgroupBroadcast(v, 0u) + subgroupBroadcast(v, 1u) + subgroupBroadcast(v, 2u) + subgroupBroadcast(v, 3u);
}

fn high_lanes(v: vec4<f32>) -> vec4<f32> {
  return subgroupBroadcast(v, 4u) + subgroupBroadcast(v, 5u) + subgroupBroadcast(v, 6u) + subgroupBroadcast(v, 7u);
}

fn near_low(q: Chunk) -> vec4<f32> {
  return q.v0 * near.w0 + q.v1 * near.w1 + q.v2 * near.w2 + q.v3 * near.w3;
}

fn near_high(q: Chunk) -> vec4<f32> {
  return q.v4 * near.w4 + q.v5 * near.w5 + q.v6 * near.w6 + q.v7 * near.w7;
}

fn far_low(q: Chunk) -> vec4<f32> {
  return q.v0 * far.w0 + q.v1 * far.w1 + q.v2 * far.w2 + q.v3 * far.w3;
}

fn far_high(q: Chunk) -> vec4<f32> {
  return q.v4 * far.w4 + q.v5 * far.w5 + q.v6 * far.w6 + q.v7 * far.w7;
}
