// Blocks of 256 with a scale and a minimum byte per chunk.
import common/chunk;
import common/dequant/planes;
import common/numeric;

// Scale and minus the minimum of chunk c, in a block of n_word scale words.
@if(FORMAT_Q4K || FORMAT_Q5K)
fn scale_min(g: u32, c: u32, r: u32, n_word: u32) -> vec4<f32> {
  let d = half2(scale_word(g, c / 8u, r, n_word, 0u));
  let f = scale_word(g, c / 8u, r, n_word, 1u + (c % 8u) / 2u) >> (16u * (c % 2u));
  let s = d * vec2<f32>(f32(f & 255u), f32((f >> 8u) & 255u));
  return vec4<f32>(s.x, s.x, -s.y, -s.y);
}

@if(FORMAT_Q4K)
fn scales(g: u32, c: u32, r: u32) -> vec4<f32> {
  return scale_min(g, c, r, 5u);
}

@if(FORMAT_Q5K)
fn coded(g: u32, c: u32, r: u32) -> Coded {
  let bits = scale_word(g, c / 8u, r, 13u, 5u + c % 8u);
  return Coded(five_chunk(quants(g, c, r, 1u, 0u), bits), scale_min(g, c, r, 13u));
}
