// A cell of the cache: the keys of all heads, then their values, in pairs of neighbouring elements. Reads kv of the kernel.
// A pair of a value is one word, as halves; of a key KEY_WORDS words: one as halves, or two as floats.
import common/numeric;

override KEY_WORDS: u32 = 1u;

fn halves(v: vec2<f32>) -> u32 {
  return pack2x16float(clamp(v, vec2<f32>(-65504.0), vec2<f32>(65504.0)));
}

// Pair w of the key at `at`.
fn key(at: u32, w: u32) -> vec2<f32> {
  if (KEY_WORDS == 2u) {
    return bitcast<vec2<f32>>(vec2<u32>(kv[at + 2u * w], kv[at + 2u * w + 1u]));
  }
  return half2(kv[at + w]);
}

// `v` times the unit `c`, as complex numbers.
fn rotate(v: vec2<f32>, c: vec2<f32>) -> vec2<f32> {
  return vec2<f32>(v.x * c.x - v.y * c.y, v.x * c.y + v.y * c.x);
}
