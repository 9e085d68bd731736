// Reads of the two planes and the bit fields in their words (crates/kernels/src/format.rs states the layout).
// Bindings of the kernel: wq: array<vec4<u32>>, ws: array<u32>; sizes p.w_chunk, p.n_unit.
import common/chunk;

fn quants(g: u32, c: u32, r: u32, n_word: u32, word: u32) -> vec4<u32> {
  return wq[((g * p.w_chunk + c) * n_word + word) * 8u + r];
}

fn scale_word(g: u32, unit: u32, r: u32, n_word: u32, word: u32) -> u32 {
  return ws[((g * p.n_unit + unit) * n_word + word) * 8u + r];
}

// Low nibbles of the four bytes.
fn nibbles(w: u32) -> vec4<u32> {
  return (vec4<u32>(w) >> vec4<u32>(0u, 8u, 16u, 24u)) & vec4<u32>(15u);
}

// Nibbles of the four bytes as floats, where they lie: in units of NIBBLES. Masked bits are whole numbers of a float's precision,
// and a product with a power of two is exact; shifts are not: SwiftShader takes a vector apart to shift it, with 20 instructions,
// and needs four more to convert unsigned numbers.
fn low_nibbles(w: u32) -> vec4<f32> {
  return vec4<f32>(bitcast<vec4<i32>>(vec4<u32>(w) & vec4<u32>(0xfu, 0xf00u, 0xf0000u, 0xf000000u)));
}

// In units of NIBBLES / 16. The last one holds the sign: less 8 it is a signed number.
fn high_nibbles(w: u32) -> vec4<f32> {
  let v = vec4<f32>(bitcast<vec4<i32>>(vec4<u32>(w ^ 0x80000000u) & vec4<u32>(0xf0u, 0xf000u, 0xf00000u, 0xf0000000u)));
  return vec4<f32>(v.xyz, v.w + 0x1p31);
}

const NIBBLES = vec4<f32>(1.0, 0x1p-8, 0x1p-16, 0x1p-24);

// What `masks` leaves of the word, times `units`.
fn fields(w: u32, masks: vec4<u32>, units: vec4<f32>) -> vec4<f32> {
  return vec4<f32>(bitcast<vec4<i32>>(vec4<u32>(w) & masks)) * units;
}

// The four signed bytes, times 2^24: each is moved to the top by a product, which keeps what is exact.
fn signed_bytes(w: u32) -> vec4<f32> {
  let n = vec4<u32>(w) * vec4<u32>(0x1000000u, 0x10000u, 0x100u, 1u);
  return vec4<f32>(bitcast<vec4<i32>>(n & vec4<u32>(0xff000000u)));
}

fn signed_byte(b: u32) -> f32 {
  return f32(bitcast<i32>(b << 24u) >> 24u);
}

fn nibble_chunk(q: vec4<u32>) -> Chunk {
  let low = NIBBLES;
  let high = NIBBLES * 0.0625;
  return Chunk(low_nibbles(q.x) * low, low_nibbles(q.y) * low, low_nibbles(q.z) * low, low_nibbles(q.w) * low,
    high_nibbles(q.x) * high, high_nibbles(q.y) * high, high_nibbles(q.z) * high, high_nibbles(q.w) * high);
}

// Four nibbles with a fifth bit from the low four of `bits`.
fn five(nibbles: vec4<f32>, bits: u32) -> vec4<f32> {
  return nibbles + fields(bits, vec4<u32>(1u, 2u, 4u, 8u), vec4<f32>(16.0, 8.0, 4.0, 2.0));
}

fn five_chunk(q: vec4<u32>, bits: u32) -> Chunk {
  let n = nibble_chunk(q);
  return Chunk(five(n.v0, bits), five(n.v1, bits >> 4u), five(n.v2, bits >> 8u), five(n.v3, bits >> 12u),
    five(n.v4, bits >> 16u), five(n.v5, bits >> 20u), five(n.v6, bits >> 24u), five(n.v7, bits >> 28u));
}
