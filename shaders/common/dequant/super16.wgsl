// Blocks of 256 with a byte per sixteen weights.
import common/chunk;
import common/dequant/planes;
import common/numeric;

// The two bytes of chunk c, in the low 16 bits, in a block of n_word scale words.
fn byte_pair(g: u32, c: u32, r: u32, n_word: u32) -> u32 {
  return scale_word(g, c / 8u, r, n_word, 1u + (c % 8u) / 2u) >> (16u * (c % 2u));
}

// Four nibbles with two upper bits from the low byte of `bits`, less 32.
@if(FORMAT_Q6K)
fn six(nibbles: vec4<f32>, bits: u32) -> vec4<f32> {
  return nibbles + fields(bits, vec4<u32>(3u, 12u, 48u, 192u), vec4<f32>(16.0, 4.0, 1.0, 0.25)) - vec4<f32>(32.0);
}

@if(FORMAT_Q6K)
fn coded(g: u32, c: u32, r: u32) -> Coded {
  let d = half(scale_word(g, c / 8u, r, 21u, 0u) & 0xffffu);
  let f = byte_pair(g, c, r, 21u);
  let a = scale_word(g, c / 8u, r, 21u, 5u + 2u * (c % 8u));
  let b = scale_word(g, c / 8u, r, 21u, 6u + 2u * (c % 8u));
  let n = nibble_chunk(quants(g, c, r, 1u, 0u));
  let v = Chunk(six(n.v0, a), six(n.v1, a >> 8u), six(n.v2, a >> 16u), six(n.v3, a >> 24u),
    six(n.v4, b), six(n.v5, b >> 8u), six(n.v6, b >> 16u), six(n.v7, b >> 24u));
  return Coded(v, vec4<f32>(d * signed_byte(f), d * signed_byte(f >> 8u), 0.0, 0.0));
}

@if(FORMAT_Q3K)
fn coded(g: u32, c: u32, r: u32) -> Coded {
  let d = half(scale_word(g, c / 8u, r, 5u, 0u) & 0xffffu);
  let f = byte_pair(g, c, r, 5u);
  let n = nibble_chunk(quants(g, c, r, 1u, 0u));
  let four = vec4<f32>(4.0);
  let v = Chunk(n.v0 - four, n.v1 - four, n.v2 - four, n.v3 - four, n.v4 - four, n.v5 - four, n.v6 - four, n.v7 - four);
  return Coded(v, vec4<f32>(d * signed_byte(f), d * signed_byte(f >> 8u), 0.0, 0.0));
}

@if(FORMAT_Q2K)
fn scales(g: u32, c: u32, r: u32) -> vec4<f32> {
  let d = half2(scale_word(g, c / 8u, r, 5u, 0u));
  let f = vec4<u32>(byte_pair(g, c, r, 5u)) >> vec4<u32>(0u, 8u, 4u, 12u);
  return vec4<f32>(f & vec4<u32>(15u)) * vec4<f32>(d.x, d.x, -d.y, -d.y);
}
