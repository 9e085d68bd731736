// Writes keys in the form that `cell` reads. Writes kv of the kernel.
import common/cell;

// Pair w of the key at `at`.
fn store_key(at: u32, w: u32, v: vec2<f32>) {
  if (KEY_WORDS == 2u) {
    kv[at + 2u * w] = bitcast<u32>(v.x);
    kv[at + 2u * w + 1u] = bitcast<u32>(v.y);
  } else {
    kv[at + w] = halves(v);
  }
}
