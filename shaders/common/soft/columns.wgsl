// A chunk of up to eight columns of matmul_soft, loaded by every thread for itself.
// Bindings of the kernel: x; p.n_chunk.
import common/chunk;

var<private> words: array<vec4<f32>, 64>; // [word of the chunk][column]

// Chunk c of the columns from m0 on, four of them or with `wide` eight; the last one of n stands for those behind it.
fn load_columns(m0: u32, n: u32, wide: bool, c: u32, r: u32) {
  let n_column = select(4u, 8u, wide);
  for (var i = 0u; i < 8u * n_column; i++) {
    let m = i % n_column;
    let word = i / n_column;
    words[word * 8u + m] = x[(min(m0 + m, n - 1u) * p.n_chunk + c) * 8u + word];
  }
}

// Sums of the halves of sixteen: of the near four columns, then of the far ones.
fn column_totals() -> array<vec4<f32>, 4> {
  var totals = array<vec4<f32>, 4>();
  for (var i = 0u; i < 8u; i++) {
    let w = 8u * i;
    totals[i / 4u] += ONE * mat4x4<f32>(words[w], words[w + 1u], words[w + 2u], words[w + 3u]);
    totals[2u + i / 4u] += ONE * mat4x4<f32>(words[w + 4u], words[w + 5u], words[w + 6u], words[w + 7u]);
  }
  return totals;
}

// Products with the near and the far four columns, by halves of sixteen.
fn near_low(q: Chunk) -> vec4<f32> {
  return q.v0 * mat4x4<f32>(words[0], words[1], words[2], words[3])
    + q.v1 * mat4x4<f32>(words[8], words[9], words[10], words[11])
    + q.v2 * mat4x4<f32>(words[16], words[17], words[18], words[19])
    + q.v3 * mat4x4<f32>(words[24], words[25], words[26], words[27]);
}

fn near_high(q: Chunk) -> vec4<f32> {
  return q.v4 * mat4x4<f32>(words[32], words[33], words[34], words[35])
    + q.v5 * mat4x4<f32>(words[40], words[41], words[42], words[43])
    + q.v6 * mat4x4<f32>(words[48], words[49], words[50], words[51])
    + q.v7 * mat4x4<f32>(words[56], words[57], words[58], words[59]);
}

fn far_low(q: Chunk) -> vec4<f32> {
  return q.v0 * mat4x4<f32>(words[4], words[5], words[6], words[7])
    + q.v1 * mat4x4<f32>(words[12], words[13], words[14], words[15])
    + q.v2 * mat4x4<f32>(words[20], words[21], words[22], words[23])
    + q.v3 * mat4x4<f32>(words[28], words[29], words[30], words[31]);
}

fn far_high(q: Chunk) -> vec4<f32> {
  return q.v4 * mat4x4<f32>(words[36], words[37], words[38], words[39])
    + q.v5 * mat4x4<f32>(words[44], words[45], words[46], words[47])
    + q.v6 * mat4x4<f32>(words[52], words[53], words[54], words[55])
    + q.v7 * mat4x4<f32>(words[60], words[61], words[62], words[63]);
}
