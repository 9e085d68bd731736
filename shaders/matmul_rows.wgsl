// Few columns: y[m][n] = epilogue(Σ_k W[n][k]·x[m][k]), register blocked: a thread dequantises a chunk of one row of each
// of B neighbouring groups and multiplies them with four columns.
// Grid: (⌈max_rows/4⌉, ⌈groups/(B·G)⌉, 1): neighbours share their weights. Thread: row t%8 of its groups, lane (t/8)%L; with
// SUBGROUP, whose subgroups have at least L lanes, the lanes of a row are neighbours.
import common/chunk;
import common/dequant/all;
import common/epilogue;
import common/many;

override L: u32 = 8u; // lanes per row; 1 needs no barrier
override G: u32 = 1u; // blocks of B groups per workgroup
override T: u32 = 64u; // 8·L·G
override B: u32 = 1u; // groups per thread: 1, 2 or 4

// By group of a thread: sums of four columns.
alias Sums = array<vec4<f32>, 4>;

@if(!SUBGROUP)
var<workgroup> partial: array<vec4<f32>, T>;

// Adds the products of one word of each row with the same word of four columns.
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

// Sum over the lanes, in lane 0. Two barriers: the next sum uses the same memory.
@if(!SUBGROUP)
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

@if(SUBGROUP)
fn over_lanes(own: vec4<f32>, t: u32, lane: u32) -> vec4<f32> {
  var sum = own;
  for (var gap = 1u; gap < L; gap <<= 1u) {
    sum += subgroupShuffleXor(sum, gap);
  }
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
  @if(!SUBGROUP)
  let r = t % 8u;
  @if(!SUBGROUP)
  let lane = (t / 8u) % L;
  @if(SUBGROUP)
  let r = (t / L) % 8u;
  @if(SUBGROUP)
  let lane = t % L;
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
