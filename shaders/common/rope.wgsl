// Norm and rotation of single elements of a head. Reads qkv, qk_norm, rope and p.n_rot of the kernel.
import common/cell;

override QK_NORM: u32 = 0u;  // 0 none, 1 each head, 2 all heads together; qk_norm holds the query's weights, then the key's
override ROPE: bool = true;
override NEOX: bool = false;  // pairs (j, j + n_rot/2), else (2j, 2j + 1)

fn rotate_pair(v: vec2<f32>, pos: u32, j: u32) -> vec2<f32> {
  if (!ROPE || j >= p.n_rot / 2u) {
    return v;
  }
  return rotate(v, rope[pos * (p.n_rot / 2u) + j]);
}

// The two elements of pair j; beyond n_rot both pairings are neighbours.
fn pair(j: u32) -> vec2<u32> {
  if (NEOX && j < p.n_rot / 2u) {
    return vec2<u32>(j, j + p.n_rot / 2u);
  }
  return vec2<u32>(2u * j, 2u * j + 1u);
}

// Element d of the head at `head` in qkv after norm, by weights from `weight` on, and rotation.
fn turned(head: u32, weight: u32, scale: f32, pos: u32, d: u32) -> f32 {
  let half = p.n_rot / 2u;
  var j = d / 2u;
  var second = (d & 1u) == 1u;
  if (NEOX && d < p.n_rot) {
    second = d >= half;
    j = select(d, d - half, second);
  }
  let e = pair(j);
  var v = vec2<f32>(qkv[head + e.x], qkv[head + e.y]);
  if (QK_NORM != 0u) {
    v *= scale * vec2<f32>(qk_norm[weight + e.x], qk_norm[weight + e.y]);
  }
  v = rotate_pair(v, pos, j);
  return select(v.x, v.y, second);
}
