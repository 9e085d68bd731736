// Exact and finite on devices that flush subnormals, assume no NaN or approximate tanh: kernels rely on these only.

// IEEE halves in the low 16 bits. unpack2x16float may flush subnormals, and tiny scales are subnormal.
// Products in place of shifts, and signed numbers: see common/dequant/planes.
fn half(h: u32) -> f32 {
  let m = bitcast<i32>(h & 0x7fffu);
  let rebias = select(0x38000000, 0x70000000, m >= 0x7c00);
  let v = select(bitcast<f32>(m * 0x2000 + rebias), f32(m) * 0x1p-24f, m < 0x400);
  return bitcast<f32>(bitcast<u32>(v) | ((h & 0x8000u) * 0x10000u));
}

fn half2(w: u32) -> vec2<f32> {
  return vec2<f32>(half(w & 0xffffu), half(w >> 16u));
}

// The four halves of two words, in order.
fn half4(a: u32, b: u32) -> vec4<f32> {
  let h = vec4<u32>(a & 0xffffu, a >> 16u, b & 0xffffu, b >> 16u);
  let m = bitcast<vec4<i32>>(h & vec4<u32>(0x7fffu));
  let rebias = select(vec4<i32>(0x38000000), vec4<i32>(0x70000000), m >= vec4<i32>(0x7c00));
  let normal = bitcast<vec4<f32>>(m * 0x2000 + rebias);
  let v = select(normal, vec4<f32>(m) * 0x1p-24f, m < vec4<i32>(0x400));
  return bitcast<vec4<f32>>(bitcast<vec4<u32>>(v) | ((h & vec4<u32>(0x8000u)) * 0x10000u));
}

// Infinite or not a number; a comparison with itself may be compiled away.
fn bad(v: f32) -> bool {
  return (bitcast<u32>(v) & 0x7f800000u) == 0x7f800000u;
}

// Larger floats have larger keys, as unsigned integers.
fn sort_key(v: f32) -> u32 {
  let b = bitcast<u32>(v);
  return select(b | 0x80000000u, ~b, (b >> 31u) == 1u);
}
