// Few columns: y[m][n] = epilogue(Σ_k W[n][k]·x[m][k]), register blocked: a thread dequantises a chunk of one row of each
// of B neighbouring groups, and multiplies them with eight columns, or with four where the last block has no more.
// Grid: (⌈groups/(B·G)⌉, ⌈max_rows/8⌉, 1). Thread: row t%8 of its groups, lane (t/8)%L of the row.
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

fn add_chunk(sums: ptr<function, Sums>, a: Chunk, b: Chunk, c: Chunk, d: Chunk, at: vec4<u32>) {
  add_word(sums, a.v0, b.v0, c.v0, d.v0, at);
  add_word(sums, a.v1, b.v1, c.v1, d.v1, at + 1u);
  add_word(sums, a.v2, b.v2, c.v2, d.v2, at + 2u);
  add_word(sums, a.v3, b.v3, c.v3, d.v3, at + 3u);
  add_word(sums, a.v4, b.v4, c.v4, d.v4, at + 4u);
  add_word(sums, a.v5, b.v5, c.v5, d.v5, at + 5u);
  add_word(sums, a.v6, b.v6, c.v6, d.v6, at + 6u);
  add_word(sums, a.v7, b.v7, c.v7, d.v7, at + 7u);
}

// Sum over the lanes, in lane 0. Two barriers: the next sum uses the same memory.
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

fn finish(own: Sums, t: u32, lane: u32, m0: u32, n: u32, row: u32) {
  var sums = own;
  if (L > 1u) {
    sums[0] = over_lanes(own[0], t, lane);
    if (B > 1u) {
      sums[1] = over_lanes(own[1], t, lane);
    }
    if (B > 2u) {
      sums[2] = over_lanes(own[2], t, lane);
      sums[3] = over_lanes(own[3], t, lane);
    }
  }
  if (lane > 0u) {
    return;
  }
  write(sums[0], m0, n, row);
  if (B > 1u) {
    write(sums[1], m0, n, row + 8u);
  }
  if (B > 2u) {
    write(sums[2], m0, n, row + 16u);
    write(sums[3], m0, n, row + 24u);
  }
}

@compute @workgroup_size(T)
fn main(@builtin(local_invocation_index) t: u32, @builtin(workgroup_id) wg: vec3<u32>) {
  let n = column_count();
  let m0 = wg.y * 8u;
  if (m0 >= n) {
    return;
  }
  let wide = m0 + 4u < n;
  let r = t % 8u;
  let lane = (t / 8u) % L;
  let block = (wg.x * G + t / (8u * L)) * B;
  let g = min(vec4<u32>(block) + vec4<u32>(0u, 1u, 2u, 3u), vec4<u32>(p.n_group - 1u));
  let four = vec4<u32>(m0) + vec4<u32>(0u, 1u, 2u, 3u);
  let x_lo = min(four, vec4<u32>(n - 1u)) * p.n_chunk * 8u;
  let x_hi = min(four + 4u, vec4<u32>(n - 1u)) * p.n_chunk * 8u;
  var lo = Sums();
  var hi = Sums();
  for (var c = lane; c < p.n_chunk; c += L) {
    let w0 = dequant(g.x, c, r);
    var w1 = Chunk();
    var w2 = Chunk();
    var w3 = Chunk();
    if (B > 1u) {
      w1 = dequant(g.y, c, r);
    }
    if (B > 2u) {
      w2 = dequant(g.z, c, r);
      w3 = dequant(g.w, c, r);
    }
    add_chunk(&lo, w0, w1, w2, w3, x_lo + c * 8u);
    if (wide) {
      add_chunk(&hi, w0, w1, w2, w3, x_hi + c * 8u);
    }
  }
  finish(lo, t, lane, m0, n, 8u * block + r);
  finish(hi, t, lane, m0 + 4u, n, 8u * block + r);
}
