// A row's own query, and the key and value of its own cell, from its row of qkv: for attention over one row, which norms and
// rotates them itself. Reads qkv, qk_norm, rope and p of the kernel, writes kv; takes HALF, room for pairs, and T from it. Loops end at
// p.half, which no compiler knows: unrolled, they take lavapipe seconds to compile.
import common/cell_store;
import common/rope;
import common/step;

var<workgroup> own_key: array<vec2<f32>, HALF>;
var<workgroup> own_value: array<u32, HALF>;
var<private> own_cell: u32;

fn own_pos() -> u32 {
  return min(step.rows[0].pos, p.n_pos - 1u);
}

fn inverse_rms(head: u32) -> f32 {
  if (QK_NORM == 0u) {
    return 1.0;
  }
  var sum = 0.0;
  for (var d = 0u; d < 2u * p.half; d++) {
    sum += qkv[head + d] * qkv[head + d];
  }
  return inverseSqrt(sum / f32(2u * p.half) + p.eps);
}

// Pair w of the head at `head`, whose weights of the norm begin at `weight`.
fn turned_pair(head: u32, weight: u32, scale: f32, w: u32) -> vec2<f32> {
  let d = 2u * w;
  return vec2<f32>(turned(head, weight, scale, own_pos(), d), turned(head, weight, scale, own_pos(), d + 1u));
}

// Leaves key and value of the key head behind, and stores them in the cache.
fn prepare_own(t: u32, head_kv: u32, stores: bool) {
  let dim = 2u * p.half;
  let k_at = (p.n_head + head_kv) * dim;
  let v_at = k_at + p.n_head_kv * dim;
  let scale = inverse_rms(k_at);
  own_cell = min(step.rows[0].cell, p.n_cells - 1u);
  let cell_at = own_cell * (KEY_WORDS + 1u) * p.n_head_kv * p.half;
  let k_to = cell_at + head_kv * p.half * KEY_WORDS;
  let v_to = cell_at + (p.n_head_kv * KEY_WORDS + head_kv) * p.half;
  for (var w = t; w < p.half; w += T) {
    let k = turned_pair(k_at, dim, scale, w);
    own_key[w] = k;
    if (KEY_WORDS == 1u) {
      own_key[w] = half2(halves(k));
    }
    own_value[w] = halves(vec2<f32>(qkv[v_at + 2u * w], qkv[v_at + 2u * w + 1u]));
    if (stores) {
      store_key(k_to, w, k);
      kv[v_to + w] = own_value[w];
    }
  }
}
