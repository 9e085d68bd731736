// Blocks of 256 with a byte per sixteen weights.
import common/chunk;
import common/dequant/planes;
import common/numeric;

// The two bytes of chunk c, in the low 16 bits, in a block of n_word scale words.
fn byte_pair(g: u32, c: u32, r: u32, n_word: u32) -> u32 {
  return scale_word(g, c / 8u, r, n_word, 1u + (c % 8u) / 2u) >> (16u * (c % 2u));
}

// q minus its middle value.
fn centred(q: vec4<u32>, middle: i32) -> vec4<f32> {
  return vec4<f32>(vec4<i32>(q) - vec4<i32>(middle));
}

// Four nibbles with two upper bits from the low byte of `bits`, less 32.
@if(FORMAT_Q6K)
fn six(w: u32, bits: u32) -> vec4<f32> {
  let upper = (vec4<u32>(bits) >> vec4<u32>(0u, 2u, 4u, 6u)) & vec4<u32>(3u);
  return centred(nibbles(w) | (upper << vec4<u32>(4u)), 32);
}

@if(FORMAT_Q6K)
fn coded(g: u32, c: u32, r: u32) -> Coded {
  let d = half(scale_word(g, c / 8u, r, 21u, 0u) & 0xffffu);
  let f = byte_pair(g, c, r, 21u);
  let a = scale_word(g, c / 8u, r, 21u, 5u + 2u * (c % 8u));
  let b = scale_word(g, c / 8u, r, 21u, 6u + 2u * (c % 8u));
  let q = quants(g, c, r, 1u, 0u);
  let h = q >> vec4<u32>(4u);
  let v = Chunk(six(q.x, a), six(q.y, a >> 8u), six(q.z, a >> 16u), six(q.w, a >> 24u),
    six(h.x, b), six(h.y, b >> 8u), six(h.z, b >> 16u), six(h.w, b >> 24u));
  return Coded(v, vec4<f32>(d * signed_byte(f), d * signed_byte(f >> 8u), 0.0, 0.0));
}

@if(FORMAT_Q3K)
fn coded(g: u32, c: u32, r: u32) -> Coded {
  let d = half(scale_word(g, c / 8u, r, 5u, 0u) & 0xffffu);
  let f = byte_pair(g, c, r, 5u);
  let q = quants(g, c, r, 1u, 0u);
  let h = q >> vec4<u32>(4u);
  let v = Chunk(centred(nibbles(q.x), 4), centred(nibbles(q.y), 4), centred(nibbles(q.z), 4), centred(nibbles(q.w), 4),
    centred(nibbles(h.x), 4), centred(nibbles(h.y), 4), centred(nibbles(h.z), 4), centred(nibbles(h.w), 4));
  return Coded(v, vec4<f32>(d * signed_byte(f), d * signed_byte(f >> 8u), 0.0, 0.0));
}

@if(FORMAT_Q2K)
fn coded(g: u32, c: u32, r: u32) -> Coded {
  let d = half2(scale_word(g, c / 8u, r, 5u, 0u));
  let f = vec4<u32>(byte_pair(g, c, r, 5u)) >> vec4<u32>(0u, 8u, 4u, 12u);
  let s = vec4<f32>(f & vec4<u32>(15u)) * vec4<f32>(d.x, d.x, -d.y, -d.y);
  return Coded(nibble_chunk(quants(g, c, r, 1u, 0u)), s);
}
