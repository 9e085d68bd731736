// Puts the tiles of row_stats together: one RowStats a wanted row, by one invocation: tiles are few, and once the
// largest logit is known their sums do not wait for each other. Grid: wanted rows.
import common/step;
import common/row_partial;

struct P {
  n_tile: u32,
  reserved0: u32,
  reserved1: u32,
  reserved2: u32,
}

@group(0) @binding(0) var<storage, read> step: Step;
@group(0) @binding(1) var<storage, read> partials: array<Partial>;
@group(0) @binding(2) var<storage, read_write> stats: array<RowStats>;
@group(0) @binding(3) var<uniform> p: P;

fn finish(r: Partial) -> RowStats {
  if (r.key == 0u) {
    return RowStats(0u, BANNED, BANNED, 0.0, 0.0, 0.0, r.bad, 0u);
  }
  let top = order_logit(r.key);
  let log_sum = log(r.sum);
  let entropy = max(log_sum - r.dot / r.sum, 0.0);
  var gap = -BANNED;
  if (r.second != 0u) {
    gap = top - order_logit(r.second);
  }
  return RowStats(r.argmax, top, top + log_sum, entropy, 1.0 / r.sum, gap, r.bad, 0u);
}

@compute @workgroup_size(1)
fn main(@builtin(workgroup_id) wg: vec3<u32>) {
  if (wg.x >= step.n_want) {
    return;
  }
  let first = wg.x * p.n_tile;
  let end = first + p.n_tile;
  // Ids rise from tile to tile: the first of equals has the lowest.
  var r = no_partial();
  for (var i = first; i < end; i++) {
    let key = partials[i].key;
    r.second = max(max(r.second, partials[i].second), min(r.key, key));
    if (key > r.key) {
      r.key = key;
      r.argmax = partials[i].argmax;
    }
    if (r.bad == 0u) {
      r.bad = partials[i].bad;
    }
  }
  let top = order_logit(r.key);
  for (var i = first; i < end; i++) {
    let key = partials[i].key;
    if (key != 0u) {
      let d = below_max(order_logit(key), top);
      let w = exp(d);
      r.sum += partials[i].sum * w;
      r.dot += (partials[i].dot + d * partials[i].sum) * w;
    }
  }
  stats[wg.x] = finish(r);
}
