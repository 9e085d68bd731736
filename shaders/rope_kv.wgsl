// Per row and head: norm of q and k, rotation by the position, q back in place, k and v into the row's cell.
// qkv row: q heads, k heads, v heads.
// Grid: x = runs of q_span query heads, then one workgroup a key head, which also stores v; y = rows.
// QK_NORM 2 norms all heads together; q is overwritten, so there one workgroup must own every query head of a row.
import common/step;
import common/rope;
import common/cell_store;

override T: u32 = 64u;

struct P {
  n_head: u32,
  n_head_kv: u32,
  head_dim: u32,
  n_rot: u32,
  n_cells: u32,
  n_pos: u32,
  q_span: u32,
  stride: u32,
  eps: f32,
  reserved0: u32,
  reserved1: u32,
  reserved2: u32,
}

@group(0) @binding(0) var<storage, read_write> qkv: array<f32>;
@group(0) @binding(1) var<storage, read> qk_norm: array<f32>;
@group(0) @binding(2) var<storage, read> rope: array<vec2<f32>>;  // [position][n_rot / 2] cos, sin
@group(0) @binding(3) var<storage, read_write> kv: array<u32>;
@group(0) @binding(4) var<storage, read> step: Step;
@group(0) @binding(5) var<uniform> p: P;

var<workgroup> part: array<f32, T>;

// 1 / rms of the n values from `head`, for every thread; all have read them when it returns, so they may change.
fn inverse_rms(t: u32, head: u32, n: u32) -> f32 {
  var sum = 0.0;
  for (var i = t; i < n; i += T) {
    let v = qkv[head + i];
    sum += v * v;
  }
  workgroupBarrier();  // the partial sums of the head before have been read
  part[t] = sum;
  workgroupBarrier();
  sum = 0.0;
  for (var k = 0u; k < T; k++) {
    sum += part[k];
  }
  return inverseSqrt(sum / f32(n) + p.eps);
}

@compute @workgroup_size(T)
fn main(@builtin(local_invocation_index) t: u32, @builtin(workgroup_id) wg: vec3<u32>) {
  if (wg.y >= step.n_rows) {
    return;
  }
  let row = wg.y * p.stride;
  let pos = min(step.rows[wg.y].pos, p.n_pos - 1u);
  let n_q_run = (p.n_head + p.q_span - 1u) / p.q_span;
  if (wg.x < n_q_run) {
    var scale = 1.0;
    if (QK_NORM == 2u) {
      scale = inverse_rms(t, row, p.n_head * p.head_dim);
    }
    let end = min(p.n_head, (wg.x + 1u) * p.q_span);
    for (var h = wg.x * p.q_span; h < end; h++) {
      let head = row + h * p.head_dim;
      if (QK_NORM == 1u) {
        scale = inverse_rms(t, head, p.head_dim);
      }
      let weight = select(0u, h * p.head_dim, QK_NORM == 2u);
      for (var j = t; j < p.head_dim / 2u; j += T) {
        let e = pair(j);
        var v = vec2<f32>(qkv[head + e.x], qkv[head + e.y]);
        if (QK_NORM != 0u) {
          v *= scale * vec2<f32>(qk_norm[weight + e.x], qk_norm[weight + e.y]);
        }
        v = rotate_pair(v, pos, j);
        qkv[head + e.x] = v.x;
        qkv[head + e.y] = v.y;
      }
    }
    return;
  }
  let h = wg.x - n_q_run;
  let k_from = row + p.n_head * p.head_dim;
  let head = k_from + h * p.head_dim;
  var scale = 1.0;
  if (QK_NORM == 1u) {
    scale = inverse_rms(t, head, p.head_dim);
  }
  if (QK_NORM == 2u) {
    scale = inverse_rms(t, k_from, p.n_head_kv * p.head_dim);
  }
  let weight = select(p.head_dim, (p.n_head + h) * p.head_dim, QK_NORM == 2u);
  let words = p.head_dim / 2u;
  let cell = min(step.rows[wg.y].cell, p.n_cells - 1u);
  let cell_at = cell * (KEY_WORDS + 1u) * p.n_head_kv * words;
  let k_to = cell_at + h * words * KEY_WORDS;
  let v_from = head + p.n_head_kv * p.head_dim;
  let v_to = cell_at + (p.n_head_kv * KEY_WORDS + h) * words;
  for (var w = t; w < words; w += T) {
    let first = turned(head, weight, scale, pos, 2u * w);
    store_key(k_to, w, vec2<f32>(first, turned(head, weight, scale, pos, 2u * w + 1u)));
    kv[v_to + w] = halves(vec2<f32>(qkv[v_from + 2u * w], qkv[v_from + 2u * w + 1u]));
  }
}
