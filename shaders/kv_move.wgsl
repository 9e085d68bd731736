// Copies cells inside one layer's cache; keys are turned by `delta` positions on the way, values stay as they are.
// Every thread owns the same words of every cell, so with one workgroup in y the moves happen in their order, whatever cells
// they share. Grid: x covers the words of a cell, y splits the list for moves that share no cell.
import common/numeric;

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

fn rotate(v: vec2<f32>, c: vec2<f32>) -> vec2<f32> {
  return vec2<f32>(v.x * c.x - v.y * c.y, v.x * c.y + v.y * c.x);
}

fn halves(v: vec2<f32>) -> u32 {
  return pack2x16float(clamp(v, vec2<f32>(-65504.0), vec2<f32>(65504.0)));
}

@compute @workgroup_size(T)
fn main(@builtin(local_invocation_index) t: u32, @builtin(workgroup_id) wg: vec3<u32>) {
  let words = p.head_dim / 2u;
  let k_words = p.n_head_kv * words;
  let at = wg.x * T + t;
  let w = at % words;
  let rotated = ROPE && at < k_words && w < p.n_rot / 2u;
  // With NEOX pairs the thread of the lower word also owns the word half the rotated width above it.
  let far = p.n_rot / 4u;
  if (at >= 2u * k_words || (NEOX && rotated && w >= far)) {
    return;
  }
  let end = min(min(moves.n, p.max_moves), (wg.y + 1u) * p.span);
  for (var i = wg.y * p.span; i < end; i++) {
    let m = moves.list[i];
    let src = min(m.src, p.n_cells - 1u) * 2u * k_words + at;
    let dst = min(m.dst, p.n_cells - 1u) * 2u * k_words + at;
    let a = kv[src];
    if (!rotated) {
      kv[dst] = a;
      continue;
    }
    if (!NEOX) {
      var moved = a;
      if (m.delta != 0) {
        moved = halves(rotate(half2(a), turn(m.delta, w)));
      }
      kv[dst] = moved;
      continue;
    }
    let b = kv[src + far];
    var moved = vec2<u32>(a, b);
    if (m.delta != 0) {
      let low = half2(a);
      let high = half2(b);
      let first = rotate(vec2<f32>(low.x, high.x), turn(m.delta, 2u * w));
      let second = rotate(vec2<f32>(low.y, high.y), turn(m.delta, 2u * w + 1u));
      moved = vec2<u32>(halves(vec2<f32>(first.x, second.x)), halves(vec2<f32>(first.y, second.y)));
    }
    kv[dst] = moved.x;
    kv[dst + far] = moved.y;
  }
}
