// Many columns: y[m][n] = epilogue(Σ_k W[n][k]·x[m][k]) by tiles of 64 rows and 64 columns in workgroup memory.
// Each of 64 threads dequantises one row and loads one column per step of 32, then sums eight rows by eight columns in
// registers: rows a, a+8, …, columns b, b+8, …. A tile with at most 32 columns leaves out the second half of the work.
// Words of a row are stored at word ^ (row%8), which spreads the reads of eight rows over all banks.
// Grid: (⌈rows/64⌉, ⌈max_rows/64⌉, 1).
import common/chunk;
import common/dequant/all;
import common/epilogue;
import common/many;

var<workgroup> w_tile: array<vec4<f32>, 512>; // [64 rows][8 words]
var<workgroup> x_tile: array<vec4<f32>, 512>; // [64 columns][8 words]

fn put_w(t: u32, v: Chunk) {
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

// Columns b + 32·part + {0, 8, 16, 24}, word j.
fn block(b: u32, part: u32, j: u32) -> mat4x4<f32> {
  let at = (b + 32u * part) * 8u + (j ^ b);
  return mat4x4<f32>(x_tile[at], x_tile[at + 64u], x_tile[at + 128u], x_tile[at + 192u]);
}

// Columns c, c+8, c+16, c+24 of one row, from the swizzled tile.
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
    put_w(t, dequant(g, c, t % 8u));
    for (var j = 0u; j < 8u; j++) {
      x_tile[t * 8u + (j ^ (t % 8u))] = x[x0 + c * 8u + j];
    }
    workgroupBarrier();
    for (var j = 0u; j < 8u; j++) {
      let at = a * 8u + (j ^ a);
      let w0 = w_tile[at];
      let w1 = w_tile[at + 64u];
      let w2 = w_tile[at + 128u];
      let w3 = w_tile[at + 192u];
      let w4 = w_tile[at + 256u];
      let w5 = w_tile[at + 320u];
      let w6 = w_tile[at + 384u];
      let w7 = w_tile[at + 448u];
      let lo = block(b, 0u, j);
      l0 += w0 * lo;
      l1 += w1 * lo;
      l2 += w2 * lo;
      l3 += w3 * lo;
      l4 += w4 * lo;
      l5 += w5 * lo;
      l6 += w6 * lo;
      l7 += w7 * lo;
      if (wide) {
        let hi = block(b, 1u, j);
        h0 += w0 * hi;
        h1 += w1 * hi;
        h2 += w2 * hi;
        h3 += w3 * hi;
        h4 += w4 * hi;
        h5 += w5 * hi;
        h6 += w6 * hi;
        h7 += w7 * hi;
      }
    }
    workgroupBarrier();
  }
  // Through the tiles again, so that neighbours write neighbouring rows.
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
  let row = wg.x * 64u + t;
  if (row >= p.n_rows) {
    return;
  }
  for (var c = 0u; c < 8u; c++) {
    let at = t * 8u + (c ^ (t % 8u));
    write(w_tile[at], row, m0 + c, n);
    write(x_tile[at], row, m0 + c + 32u, n);
  }
}
