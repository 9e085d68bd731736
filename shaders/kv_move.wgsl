// Copies cells inside one layer's cache; keys are turned by `delta` positions on the way, values stay as they are.
// Every thread owns the same pairs of every cell, so with one workgroup in y the moves happen in their order, whatever cells
// they share. Grid: x covers the pairs of a cell, y splits the list for moves that share no cell.
import common/cell_store;

override T: u32 = 64u;
override ROPE: bool = true;
override NEOX: bool = false;

struct Move {
  src: u32,
  dst: u32,
  delta: i32,
  reserved: u32,
}

struct Moves {
  n: u32,
  reserved0: u32,
  reserved1: u32,
  reserved2: u32,
  list: array<Move>,
}

struct P {
  n_head_kv: u32,
  head_dim: u32,
  n_rot: u32,
  n_cells: u32,
  n_pos: u32,
  max_moves: u32,
  span: u32,  // moves per workgroup in y
  reserved: u32,
}

@group(0) @binding(0) var<storage, read_write> kv: array<u32>;
@group(0) @binding(1) var<storage, read> moves: Moves;
@group(0) @binding(2) var<storage, read> rope: array<vec2<f32>>;
@group(0) @binding(3) var<uniform> p: P;

// Cosine and sine of pair j over delta positions. A table may carry an attention factor, which the keys already have.
fn turn(delta: i32, j: u32) -> vec2<f32> {
  let c = rope[min(u32(abs(delta)), p.n_pos - 1u) * (p.n_rot / 2u) + j];
  let unit = c * inverseSqrt(max(dot(c, c), 1e-20));
  return vec2<f32>(unit.x, select(unit.y, -unit.y, delta < 0));
}

// The bits of a pair.
fn copy_pair(dst: u32, src: u32, n: u32) {
  kv[dst] = kv[src];
  if (n == 2u) {
    kv[dst + 1u] = kv[src + 1u];
  }
}

@compute @workgroup_size(T)
fn main(@builtin(local_invocation_index) t: u32, @builtin(workgroup_id) wg: vec3<u32>) {
  let words = p.head_dim / 2u;
  let n_keys = p.n_head_kv * words;
  let pair = wg.x * T + t;
  let w = pair % words;
  let is_key = pair < n_keys;
  let rotated = ROPE && is_key && w < p.n_rot / 2u;
  // With NEOX pairs the thread of the lower one also owns the one half the rotated width above it.
  let far = p.n_rot / 4u;
  if (pair >= 2u * n_keys || (NEOX && rotated && w >= far)) {
    return;
  }
  let n = select(1u, KEY_WORDS, is_key);
  let at = select(n_keys * (KEY_WORDS - 1u) + pair, pair * KEY_WORDS, is_key);
  let cell_words = (KEY_WORDS + 1u) * n_keys;
  let end = min(min(moves.n, p.max_moves), (wg.y + 1u) * p.span);
  for (var i = wg.y * p.span; i < end; i++) {
    let m = moves.list[i];
    let src = min(m.src, p.n_cells - 1u) * cell_words + at;
    let dst = min(m.dst, p.n_cells - 1u) * cell_words + at;
    if (!rotated || m.delta == 0) {
      copy_pair(dst, src, n);
      if (NEOX && rotated) {
        copy_pair(dst + far * n, src + far * n, n);
      }
      continue;
    }
    let low = key(src, 0u);
    if (!NEOX) {
      store_key(dst, 0u, rotate(low, turn(m.delta, w)));
      continue;
    }
    let high = key(src, far);
    let first = rotate(vec2<f32>(low.x, high.x), turn(m.delta, 2u * w));
    let second = rotate(vec2<f32>(low.y, high.y), turn(m.delta, 2u * w + 1u));
    store_key(dst, 0u, vec2<f32>(first.x, second.x));
    store_key(dst, far, vec2<f32>(first.y, second.y));
  }
}
