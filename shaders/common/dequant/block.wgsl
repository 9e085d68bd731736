// Chunks with a scale of their own.
import common/chunk;
import common/dequant/planes;
import common/numeric;

@if(FORMAT_Q4)
fn scales(g: u32, c: u32, r: u32) -> vec4<f32> {
  return half2(scale_word(g, c, r, 1u, 0u)).xxyy;
}

@if(FORMAT_Q5)
fn coded(g: u32, c: u32, r: u32) -> Coded {
  let s = half2(scale_word(g, c, r, 2u, 0u));
  return Coded(five_chunk(quants(g, c, r, 1u, 0u), scale_word(g, c, r, 2u, 1u)), s.xxyy);
}

@if(FORMAT_Q8)
fn scales(g: u32, c: u32, r: u32) -> vec4<f32> {
  let s = half((scale_word(g, c / 2u, r, 1u, 0u) >> (16u * (c % 2u))) & 0xffffu);
  return vec4<f32>(s, s, 0.0, 0.0);
}

@if(FORMAT_Q8)
fn coded(g: u32, c: u32, r: u32) -> Coded {
  let a = quants(g, c, r, 2u, 0u);
  let b = quants(g, c, r, 2u, 1u);
  let q = Chunk(signed_bytes(a.x), signed_bytes(a.y), signed_bytes(a.z), signed_bytes(a.w),
    signed_bytes(b.x), signed_bytes(b.y), signed_bytes(b.z), signed_bytes(b.w));
  return Coded(q, scales(g, c, r) * 0x1p-24);
}
