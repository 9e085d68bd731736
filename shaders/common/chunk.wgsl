// Thirty-two consecutive values of a row. Fields and not an array: some compilers keep arrays in memory.
struct Chunk {
  v0: vec4<f32>,
  v1: vec4<f32>,
  v2: vec4<f32>,
  v3: vec4<f32>,
  v4: vec4<f32>,
  v5: vec4<f32>,
  v6: vec4<f32>,
  v7: vec4<f32>,
}

// A chunk as it is stored: scale·q + offset, by halves of sixteen: s.xy scales them, s.zw is added.
struct Coded {
  q: Chunk,
  s: vec4<f32>,
}

fn chunk_dot(a: Chunk, b: Chunk) -> f32 {
  return dot(a.v0, b.v0) + dot(a.v1, b.v1) + dot(a.v2, b.v2) + dot(a.v3, b.v3)
    + dot(a.v4, b.v4) + dot(a.v5, b.v5) + dot(a.v6, b.v6) + dot(a.v7, b.v7);
}

fn chunk_mul(a: Chunk, b: Chunk) -> Chunk {
  return Chunk(a.v0 * b.v0, a.v1 * b.v1, a.v2 * b.v2, a.v3 * b.v3,
    a.v4 * b.v4, a.v5 * b.v5, a.v6 * b.v6, a.v7 * b.v7);
}

// Products of the two halves of sixteen.
fn half_dots(a: Chunk, b: Chunk) -> vec2<f32> {
  return vec2<f32>(dot(a.v0, b.v0) + dot(a.v1, b.v1) + dot(a.v2, b.v2) + dot(a.v3, b.v3),
    dot(a.v4, b.v4) + dot(a.v5, b.v5) + dot(a.v6, b.v6) + dot(a.v7, b.v7));
}

fn chunk_affine(q: Chunk, s: vec4<f32>) -> Chunk {
  let lo = vec4<f32>(s.z);
  let hi = vec4<f32>(s.w);
  return Chunk(q.v0 * s.x + lo, q.v1 * s.x + lo, q.v2 * s.x + lo, q.v3 * s.x + lo,
    q.v4 * s.y + hi, q.v5 * s.y + hi, q.v6 * s.y + hi, q.v7 * s.y + hi);
}

fn chunk_scale(q: Chunk, lo: f32, hi: f32) -> Chunk {
  return Chunk(q.v0 * lo, q.v1 * lo, q.v2 * lo, q.v3 * lo, q.v4 * hi, q.v5 * hi, q.v6 * hi, q.v7 * hi);
}

fn chunk_add(a: Chunk, b: Chunk) -> Chunk {
  return Chunk(a.v0 + b.v0, a.v1 + b.v1, a.v2 + b.v2, a.v3 + b.v3, a.v4 + b.v4, a.v5 + b.v5, a.v6 + b.v6, a.v7 + b.v7);
}
