// Reads of the two planes and the bit fields in their words (crates/kernels/src/format.rs states the layout).
// Bindings of the kernel: wq: array<vec4<u32>>, ws: array<u32>; sizes p.n_chunk, p.n_unit.
import common/chunk;

fn quants(g: u32, c: u32, r: u32, n_word: u32, word: u32) -> vec4<u32> {
  return wq[((g * p.n_chunk + c) * n_word + word) * 8u + r];
}

fn scale_word(g: u32, unit: u32, r: u32, n_word: u32, word: u32) -> u32 {
  return ws[((g * p.n_unit + unit) * n_word + word) * 8u + r];
}

// Low nibbles of the four bytes.
fn nibbles(w: u32) -> vec4<u32> {
  return (vec4<u32>(w) >> vec4<u32>(0u, 8u, 16u, 24u)) & vec4<u32>(15u);
}

fn signed_bytes(w: u32) -> vec4<i32> {
  return bitcast<vec4<i32>>(vec4<u32>(w) << vec4<u32>(24u, 16u, 8u, 0u)) >> vec4<u32>(24u);
}

fn signed_byte(b: u32) -> f32 {
  return f32(bitcast<i32>(b << 24u) >> 24u);
}

fn nibble_chunk(q: vec4<u32>) -> Chunk {
  let h = q >> vec4<u32>(4u);
  return Chunk(vec4<f32>(nibbles(q.x)), vec4<f32>(nibbles(q.y)), vec4<f32>(nibbles(q.z)), vec4<f32>(nibbles(q.w)),
    vec4<f32>(nibbles(h.x)), vec4<f32>(nibbles(h.y)), vec4<f32>(nibbles(h.z)), vec4<f32>(nibbles(h.w)));
}

// Four nibbles with a fifth bit from the low four of `bits`.
fn five(w: u32, bits: u32) -> vec4<f32> {
  return vec4<f32>(nibbles(w) | (((vec4<u32>(bits) >> vec4<u32>(0u, 1u, 2u, 3u)) & vec4<u32>(1u)) << vec4<u32>(4u)));
}

fn five_chunk(q: vec4<u32>, bits: u32) -> Chunk {
  let h = q >> vec4<u32>(4u);
  return Chunk(five(q.x, bits), five(q.y, bits >> 4u), five(q.z, bits >> 8u), five(q.w, bits >> 12u),
    five(h.x, bits >> 16u), five(h.y, bits >> 20u), five(h.z, bits >> 24u), five(h.w, bits >> 28u));
}
