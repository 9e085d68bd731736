// Few columns: y[m][n] = epilogue(Σ_k W[n][k]·x[m][k]), register blocked: a thread dequantises a chunk of its row once
// and multiplies it with eight columns, or with four where the last block has no more.
// Grid: (⌈groups/G⌉, ⌈max_rows/8⌉, 1). Thread: row t%8 of a group, lane (t/8)%L of the row.
import common/chunk;
import common/dequant/all;
import common/epilogue;
import common/many;

override L: u32 = 8u; // lanes per row; 1 needs no barrier
override G: u32 = 1u; // row groups per workgroup
override T: u32 = 64u; // 8·L·G

var<workgroup> partial: array<array<vec4<f32>, 2>, T>;

// Products of a chunk with the same chunk of four columns, whose words begin at `at`.
fn columns(w: Chunk, at: vec4<u32>) -> vec4<f32> {
  return w.v0 * block(at) + w.v1 * block(at + 1u) + w.v2 * block(at + 2u) + w.v3 * block(at + 3u)
    + w.v4 * block(at + 4u) + w.v5 * block(at + 5u) + w.v6 * block(at + 6u) + w.v7 * block(at + 7u);
}

fn block(at: vec4<u32>) -> mat4x4<f32> {
  return mat4x4<f32>(x[at.x], x[at.y], x[at.z], x[at.w]);
}

fn write(sum: vec4<f32>, m0: u32, n: u32, row: u32) {
  for (var j = 0u; j < 4u; j++) {
    if (m0 + j < n) {
      store(sum[j], p.row0 + row, (m0 + j) * p.y_stride + p.row0 + row);
    }
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
  let g = wg.x * G + t / (8u * L);
  let four = vec4<u32>(m0) + vec4<u32>(0u, 1u, 2u, 3u);
  let x_lo = min(four, vec4<u32>(n - 1u)) * p.n_chunk * 8u;
  let x_hi = min(four + 4u, vec4<u32>(n - 1u)) * p.n_chunk * 8u;
  var lo = vec4<f32>();
  var hi = vec4<f32>();
  if (g < p.n_group) {
    for (var c = lane; c < p.n_chunk; c += L) {
      let w = dequant(g, c, r);
      lo += columns(w, x_lo + c * 8u);
      if (wide) {
        hi += columns(w, x_hi + c * 8u);
      }
    }
  }
  if (L > 1u) {
    partial[t] = array<vec4<f32>, 2>(lo, hi);
    workgroupBarrier();
    if (lane == 0u) {
      for (var l = 1u; l < L; l++) {
        lo += partial[t + 8u * l][0];
        hi += partial[t + 8u * l][1];
      }
    }
  }
  let row = 8u * g + r;
  if (lane == 0u && row < p.n_rows) {
    write(lo, m0, n, row);
    write(hi, m0 + 4u, n, row);
  }
}
