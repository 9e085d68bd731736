// Puts the tiles of row_stats together: one RowStats a wanted row. Grid: wanted rows.
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

const THREADS = 8u;

var<workgroup> parts: array<Partial, THREADS>;

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

@compute @workgroup_size(THREADS)
fn main(@builtin(local_invocation_index) t: u32, @builtin(workgroup_id) wg: vec3<u32>) {
  if (wg.x >= step.n_want) {
    return;
  }
  let share = (p.n_tile + THREADS - 1u) / THREADS;
  var r = no_partial();
  for (var i = t * share; i < min((t + 1u) * share, p.n_tile); i++) {
    r = merge_partial(r, partials[wg.x * p.n_tile + i]);
  }
  parts[t] = r;
  workgroupBarrier();
  if (t == 0u) {
    for (var i = 1u; i < THREADS; i++) {
      r = merge_partial(r, parts[i]);
    }
    stats[wg.x] = finish(r);
  }
}
