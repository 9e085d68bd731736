// Chunks with a scale of their own.
import common/chunk;
import common/dequant/planes;
import common/numeric;

@if(FORMAT_Q4)
fn coded(g: u32, c: u32, r: u32) -> Coded {
  let s = half2(scale_word(g, c, r, 1u, 0u));
  return Coded(nibble_chunk(quants(g, c, r, 1u, 0u)), s.xxyy);
}

@if(FORMAT_Q5)
fn coded(g: u32, c: u32, r: u32) -> Coded {
  let s = half2(scale_word(g, c, r, 2u, 0u));
  return Coded(five_chunk(quants(g, c, r, 1u, 0u), scale_word(g, c, r, 2u, 1u)), s.xxyy);
}

@if(FORMAT_Q8)
fn coded(g: u32, c: u32, r: u32) -> Coded {
  let a = quants(g, c, r, 2u, 0u);
  let b = quants(g, c, r, 2u, 1u);
  let s = half((scale_word(g, c / 2u, r, 1u, 0u) >> (16u * (c % 2u))) & 0xffffu);
  let q = Chunk(vec4<f32>(signed_bytes(a.x)), vec4<f32>(signed_bytes(a.y)), vec4<f32>(signed_bytes(a.z)),
    vec4<f32>(signed_bytes(a.w)), vec4<f32>(signed_bytes(b.x)), vec4<f32>(signed_bytes(b.y)),
    vec4<f32>(signed_bytes(b.z)), vec4<f32>(signed_bytes(b.w)));
  return Coded(q, vec4<f32>(s, s, 0.0, 0.0));
}
