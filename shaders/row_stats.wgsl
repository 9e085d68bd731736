// Statistics of tiles of 4096 logits of one wanted row; row_stats_merge puts the tiles together.
// Grid: tiles by T / LANES, wanted rows. Partial results: [wanted row][tile]. Every sum has a fixed order.
import common/step;
import common/row_partial;

override T: u32 = 64u;
override LANES: u32 = 64u; // invocations that share a tile, a divisor of T; 1 needs no barrier

struct P {
  n_vocab: u32,
  n_tile: u32,
  reserved0: u32,
  reserved1: u32,
}

@group(0) @binding(0) var<storage, read> step: Step;
@group(0) @binding(1) var<storage, read> logits: array<u32>;
@group(0) @binding(2) var<storage, read_write> partials: array<Partial>;
@group(0) @binding(3) var<uniform> p: P;

const TILE = 4096u;
// Logits of one sum.
const SUM = 64u;

var<workgroup> parts: array<Partial, T>;

@if(SUBGROUP)
fn from_lane(r: Partial, gap: u32) -> Partial {
  return Partial(subgroupShuffleXor(r.key, gap), subgroupShuffleXor(r.argmax, gap), subgroupShuffleXor(r.second, gap),
    subgroupShuffleXor(r.bad, gap), subgroupShuffleXor(r.sum, gap), subgroupShuffleXor(r.dot, gap), 0u, 0u);
}

fn scan(row: u32, first: u32, end: u32) -> Partial {
  var r = no_partial();
  for (var i = first; i < end; i += LANES) {
    let bits = logits[row + i];
    if (is_finite(bits)) {
      let key = order_key(bits);
      r.second = max(r.second, min(key, r.key));
      if (key > r.key) {
        r.key = key;
        r.argmax = i;
      }
    } else if (r.bad == 0u) {
      r.bad = i + 1u;
    }
  }
  let top = order_logit(r.key);
  // Sums of sums: one f32 sum of thousands of terms is a digit short.
  for (var part = first; part < end; part += SUM * LANES) {
    var sum = 0.0;
    var dot = 0.0;
    for (var i = part; i < min(part + SUM * LANES, end); i += LANES) {
      let bits = logits[row + i];
      if (is_finite(bits)) {
        let d = below_max(bitcast<f32>(bits), top);
        let w = exp(d);
        sum += w;
        dot += d * w;
      }
    }
    r.sum += sum;
    r.dot += dot;
  }
  return r;
}

@compute @workgroup_size(T)
fn main(@builtin(local_invocation_index) t: u32, @builtin(workgroup_id) wg: vec3<u32>) {
  if (wg.y >= step.n_want) {
    return;
  }
  let lane = t % LANES;
  let tile = wg.x * (T / LANES) + t / LANES;
  var r = scan(wg.y * p.n_vocab, tile * TILE + lane, min((tile + 1u) * TILE, p.n_vocab));
  @if(!SUBGROUP)
  for (var gap = LANES / 2u; gap > 0u; gap >>= 1u) {
    // Lanes from 2·gap on may still be read.
    if (lane < 2u * gap) {
      parts[t] = r;
    }
    workgroupBarrier();
    if (lane < gap) {
      r = merge_partial(r, parts[t + gap]);
    }
  }
  @if(SUBGROUP) {
    let joined = min(subgroupAdd(1u), LANES);
    for (var gap = 1u; gap < joined; gap <<= 1u) {
      r = merge_partial(r, from_lane(r, gap));
    }
    parts[t] = r;
    workgroupBarrier();
    if (lane == 0u) {
      for (var other = joined; other < LANES; other += joined) {
        r = merge_partial(r, parts[t + other]);
      }
    }
  }
  if (lane == 0u && tile < p.n_tile) {
    partials[wg.y * p.n_tile + tile] = r;
  }
}
