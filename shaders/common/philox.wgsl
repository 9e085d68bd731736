// Philox4x32 with ten rounds (Salmon, Moraes, Dror and Shaw, SC 2011), in 32-bit integers only.

// High half of a * b from 16-bit pieces; m1 is at most 0xffff * 0xffff + 0xffff, so nothing overflows.
fn mul_high(a: u32, b: u32) -> u32 {
  let al = a & 0xffffu;
  let ah = a >> 16u;
  let bl = b & 0xffffu;
  let bh = b >> 16u;
  let m1 = ah * bl + ((al * bl) >> 16u);
  let m2 = al * bh + (m1 & 0xffffu);
  return ah * bh + (m1 >> 16u) + (m2 >> 16u);
}

fn philox4x32_10(counter: vec4<u32>, key: vec2<u32>) -> vec4<u32> {
  var c = counter;
  var k = key;
  for (var round = 0u; round < 10u; round++) {
    let hi0 = mul_high(0xd2511f53u, c.x);
    let hi1 = mul_high(0xcd9e8d57u, c.z);
    c = vec4<u32>(hi1 ^ c.y ^ k.x, 0xcd9e8d57u * c.z, hi0 ^ c.w ^ k.y, 0xd2511f53u * c.x);
    k += vec2<u32>(0x9e3779b9u, 0xbb67ae85u);
  }
  return c;
}

// Uniform in [0, 1), a multiple of 2^-24: exact in f32.
fn uniform_draw(position: u32, sequence: u32, purpose: u32, key: vec2<u32>) -> f32 {
  return f32(philox4x32_10(vec4<u32>(position, sequence, purpose, 0u), key).x >> 8u) * 0x1p-24;
}
