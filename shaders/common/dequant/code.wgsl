// Four-bit code books with an f32 scale per chunk. Codes are computed: an indexed constant array may live in memory.
import common/chunk;
import common/dequant/planes;

// The IQ4 book, as signed bytes: -127 -104 -83 -65 | -49 -35 -22 -10 | 1 13 25 38 | 53 69 89 113.
@if(FORMAT_IQ4)
fn code(w: u32) -> vec4<f32> {
  let n = nibbles(w);
  let second = (n & vec4<u32>(4u)) != vec4<u32>(0u);
  let low = select(vec4<u32>(0xbfad9881u), vec4<u32>(0xf6eaddcfu), second);
  let high = select(vec4<u32>(0x26190d01u), vec4<u32>(0x71594535u), second);
  let word = select(low, high, n >= vec4<u32>(8u));
  let byte = word << (vec4<u32>(24u) - ((n & vec4<u32>(3u)) << vec4<u32>(3u)));
  return vec4<f32>(bitcast<vec4<i32>>(byte) >> vec4<u32>(24u));
}

// Twice the E2M1 values: 0 1 2 3 4 6 8 12, then their negatives; zero has no sign.
@if(FORMAT_MXFP4)
fn code(w: u32) -> vec4<f32> {
  let n = nibbles(w);
  let m = n & vec4<u32>(1u);
  let e = (n >> vec4<u32>(1u)) & vec4<u32>(3u);
  let normal = (vec4<u32>(2u) | m) << (max(e, vec4<u32>(1u)) - vec4<u32>(1u));
  let v = vec4<i32>(select(normal, m, e == vec4<u32>(0u)));
  return vec4<f32>(select(v, -v, n >= vec4<u32>(8u)));
}

@if(FORMAT_IQ4 || FORMAT_MXFP4)
fn coded(g: u32, c: u32, r: u32) -> Coded {
  let s = bitcast<f32>(scale_word(g, c, r, 1u, 0u));
  let q = quants(g, c, r, 1u, 0u);
  let h = q >> vec4<u32>(4u);
  let v = Chunk(code(q.x), code(q.y), code(q.z), code(q.w), code(h.x), code(h.y), code(h.z), code(h.w));
  return Coded(v, vec4<f32>(s, s, 0.0, 0.0));
}
