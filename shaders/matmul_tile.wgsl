// Many columns: y[m][n] = epilogue(Σ_k W[n][k]·x[m][k]) by tiles of 64 rows and 64 columns in workgroup memory.
// Each of 64 threads unpacks one row and loads one column per step of 32, then sums eight rows by eight columns in
// registers: rows a, a+8, …, columns b, b+8, …. A tile with at most 32 columns leaves out the second half of the work.
// What the tiles hold is the form's: floats, with HALF halves, or with DOT quants of both sides (common/tile).
// Grid: (⌈rows/64⌉, ⌈max_rows/64⌉, 1).
import common/chunk;
import common/dequant/all;
import common/epilogue;
import common/many;
@if(DOT)
import common/tile/coded;
@if(HALF)
import common/tile/half;
@if(!DOT && !HALF)
import common/tile/float;

// Columns m0, m0+8, m0+16, m0+24 of one row.
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
  @if(DOT || HALF) {
    // The tiles have no room for the sums.
    let sums = array<vec4<f32>, 16>(l0, l1, l2, l3, l4, l5, l6, l7, h0, h1, h2, h3, h4, h5, h6, h7);
    for (var i = 0u; i < 8u; i++) {
      let n_row = wg.x * 64u + a + 8u * i;
      if (n_row < p.n_rows) {
        write(sums[i], n_row, m0 + b, n);
        write(sums[i + 8u], n_row, m0 + b + 32u, n);
      }
    }
  }
  @if(!DOT && !HALF) {
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
