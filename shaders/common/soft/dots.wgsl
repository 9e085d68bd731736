// Products of a chunk of weights with the one column of matmul_soft: word after word where words have a form of their own, so
// that SwiftShader, which computes in the order of the text, has few values to keep.
import common/chunk;
import common/dequant/all;
import common/dequant/planes;

// Products of the halves of sixteen, and what the chunk is scaled by and shifted.
struct Dots {
  halves: vec2<f32>,
  s: vec4<f32>,
}

@if(FORMAT_Q4 || FORMAT_Q4K || FORMAT_Q2K)
fn dots(g: u32, c: u32, r: u32, x: Chunk) -> Dots {
  let q = quants(g, c, r, 1u, 0u);
  var low = low_nibbles(q.x) * x.v0;
  var high = high_nibbles(q.x) * x.v4;
  low += low_nibbles(q.y) * x.v1;
  high += high_nibbles(q.y) * x.v5;
  low += low_nibbles(q.z) * x.v2;
  high += high_nibbles(q.z) * x.v6;
  low += low_nibbles(q.w) * x.v3;
  high += high_nibbles(q.w) * x.v7;
  return Dots(vec2<f32>(dot(low, NIBBLES), dot(high, NIBBLES) * 0.0625), scales(g, c, r));
}

@if(FORMAT_Q8)
fn dots(g: u32, c: u32, r: u32, x: Chunk) -> Dots {
  let a = quants(g, c, r, 2u, 0u);
  var halves = vec2<f32>(dot(signed_bytes(a.x), x.v0), 0.0);
  halves.x += dot(signed_bytes(a.y), x.v1);
  halves.x += dot(signed_bytes(a.z), x.v2);
  halves.x += dot(signed_bytes(a.w), x.v3);
  let b = quants(g, c, r, 2u, 1u);
  halves.y = dot(signed_bytes(b.x), x.v4);
  halves.y += dot(signed_bytes(b.y), x.v5);
  halves.y += dot(signed_bytes(b.z), x.v6);
  halves.y += dot(signed_bytes(b.w), x.v7);
  return Dots(halves * 0x1p-24, scales(g, c, r));
}

@if(!FORMAT_Q8 && !FORMAT_Q4 && !FORMAT_Q4K && !FORMAT_Q2K)
fn dots(g: u32, c: u32, r: u32, x: Chunk) -> Dots {
  let w = coded(g, c, r);
  return Dots(half_dots(w.q, x), w.s);
}
