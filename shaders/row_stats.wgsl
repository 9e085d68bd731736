// Statistics of a tile of 4096 logits of one wanted row; row_stats_merge puts the tiles together.
// Grid: tiles, wanted rows. Partial results: [wanted row][tile]. Every sum has a fixed order.
import common/step;
import common/row_partial;

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
const THREADS = 64u;

var<workgroup> parts: array<Partial, THREADS>;

fn scan(row: u32, first: u32, end: u32) -> Partial {
  var r = no_partial();
  for (var i = first; i < end; i += THREADS) {
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
  for (var i = first; i < end; i += THREADS) {
    let bits = logits[row + i];
    if (is_finite(bits)) {
      let d = below_max(bitcast<f32>(bits), top);
      let w = exp(d);
      r.sum += w;
      r.dot += d * w;
    }
  }
  return r;
}

@compute @workgroup_size(THREADS)
fn main(@builtin(local_invocation_index) t: u32, @builtin(workgroup_id) wg: vec3<u32>) {
  if (wg.y >= step.n_want) {
    return;
  }
  let first = wg.x * TILE;
  parts[t] = scan(wg.y * p.n_vocab, first + t, min(first + TILE, p.n_vocab));
  workgroupBarrier();
  if (t < 8u) {
    var r = parts[8u * t];
    for (var i = 1u; i < 8u; i++) {
      r = merge_partial(r, parts[8u * t + i]);
    }
    parts[8u * t] = r;
  }
  workgroupBarrier();
  if (t == 0u) {
    var r = parts[0];
    for (var i = 8u; i < THREADS; i += 8u) {
      r = merge_partial(r, parts[i]);
    }
    partials[wg.y * p.n_tile + wg.x] = r;
  }
}
