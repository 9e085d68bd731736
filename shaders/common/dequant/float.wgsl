// Weights stored as floats.
import common/chunk;
import common/dequant/planes;
import common/numeric;

fn as_stored(v: Chunk) -> Coded {
  return Coded(v, vec4<f32>(1.0, 1.0, 0.0, 0.0));
}

@if(FORMAT_F32)
fn floats(g: u32, c: u32, r: u32, word: u32) -> vec4<f32> {
  return bitcast<vec4<f32>>(quants(g, c, r, 8u, word));
}

@if(FORMAT_F32)
fn coded(g: u32, c: u32, r: u32) -> Coded {
  return as_stored(Chunk(floats(g, c, r, 0u), floats(g, c, r, 1u), floats(g, c, r, 2u), floats(g, c, r, 3u),
    floats(g, c, r, 4u), floats(g, c, r, 5u), floats(g, c, r, 6u), floats(g, c, r, 7u)));
}

@if(FORMAT_BF16)
fn bfloat4(a: u32, b: u32) -> vec4<f32> {
  return bitcast<vec4<f32>>(vec4<u32>(a << 16u, a & 0xffff0000u, b << 16u, b & 0xffff0000u));
}

@if(FORMAT_BF16)
fn coded(g: u32, c: u32, r: u32) -> Coded {
  let a = quants(g, c, r, 4u, 0u);
  let b = quants(g, c, r, 4u, 1u);
  let d = quants(g, c, r, 4u, 2u);
  let e = quants(g, c, r, 4u, 3u);
  return as_stored(Chunk(bfloat4(a.x, a.y), bfloat4(a.z, a.w), bfloat4(b.x, b.y), bfloat4(b.z, b.w),
    bfloat4(d.x, d.y), bfloat4(d.z, d.w), bfloat4(e.x, e.y), bfloat4(e.z, e.w)));
}

@if(FORMAT_F16)
fn coded(g: u32, c: u32, r: u32) -> Coded {
  let a = quants(g, c, r, 4u, 0u);
  let b = quants(g, c, r, 4u, 1u);
  let d = quants(g, c, r, 4u, 2u);
  let e = quants(g, c, r, 4u, 3u);
  return as_stored(Chunk(half4(a.x, a.y), half4(a.z, a.w), half4(b.x, b.y), half4(b.z, b.w),
    half4(d.x, d.y), half4(d.z, d.w), half4(e.x, e.y), half4(e.z, e.w)));
}
