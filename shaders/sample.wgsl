// One token for each wanted row: the largest logit, or top-k, top-p, min-p, temperature and a seeded draw over the
// candidates of topk. Where 256 candidates do not settle it, the flag says so and the host repeats with the whole row.
// Steps and f32 order are those of crates/sample, so that both draw the same token. Grid: wanted rows.
import common/step;
import common/sampling;
import common/philox;

override T: u32 = 64u; // 1 needs no barrier

struct P {
  n_vocab: u32,
  n_set: u32,
  reserved0: u32,
  reserved1: u32,
}

@group(0) @binding(0) var<storage, read> step: Step;
@group(0) @binding(1) var<storage, read> params: array<SampleParams>;
@group(0) @binding(2) var<storage, read> stats: array<RowStats>;
@group(0) @binding(3) var<storage, read> best: array<vec2<u32>>;
@group(0) @binding(4) var<storage, read_write> picked: array<Picked>;
@group(0) @binding(5) var<uniform> p: P;

const PURPOSE_DRAW = 0u;

var<workgroup> ids: array<u32, CANDIDATES>;
var<workgroup> logit: array<f32, CANDIDATES>;   // as topk gave them
var<workgroup> cold: array<f32, CANDIDATES>;    // exp(logit - logit[0])
var<workgroup> heated: array<f32, CANDIDATES>;  // logit * inv_temperature
var<workgroup> hot: array<f32, CANDIDATES>;     // exp(heated - heated[0])

struct Kept {
  n: u32,
  whole: bool,     // nothing outside the first n has any probability
  overflow: bool,
}

fn weight(d: f32) -> f32 {
  return select(exp(max(d, -104.0)), 0.0, d < -104.0);
}

fn load(t: u32, list: u32, inv_temperature: f32) {
  let first = bitcast<f32>(best[list].y);
  for (var i = t; i < min(CANDIDATES, p.n_vocab); i += T) {
    let entry = best[list + i];
    let l = bitcast<f32>(entry.y);
    ids[i] = entry.x;
    logit[i] = l;
    cold[i] = weight(l - first);
    heated[i] = l * inv_temperature;
  }
}

fn heat(t: u32) {
  for (var i = t; i < min(CANDIDATES, p.n_vocab); i += T) {
    hot[i] = weight(heated[i] - heated[0]);
  }
}

fn top_p(kept: Kept, top: f32, row_total: f32) -> Kept {
  var total = row_total;
  if (kept.whole) {
    total = 0.0;
    for (var i = 0u; i < kept.n; i++) {
      total += cold[i];
    }
  }
  let want = top * total;
  var sum = 0.0;
  for (var i = 0u; i < kept.n; i++) {
    sum += cold[i];
    if (sum >= want) {
      return Kept(i + 1u, true, false);
    }
  }
  return Kept(kept.n, kept.whole, !kept.whole);
}

fn min_p(kept: Kept, threshold: f32) -> Kept {
  for (var i = 0u; i < kept.n; i++) {
    if (logit[i] < threshold) {
      return Kept(i, true, false);
    }
  }
  return Kept(kept.n, kept.whole, !kept.whole);
}

fn truncate(s: SampleParams, row_total: f32) -> Kept {
  let n = min(CANDIDATES, p.n_vocab);
  var kept = Kept(n, p.n_vocab <= CANDIDATES, false);
  if (s.top_k != 0u && s.top_k <= n) {
    kept = Kept(s.top_k, true, false);
  } else if (s.top_k != 0u && !kept.whole) {
    kept.overflow = true;
  }
  if (!kept.overflow && s.top_p < 1.0) {
    kept = top_p(kept, s.top_p, row_total);
  }
  if (!kept.overflow && s.min_p > 0.0) {
    kept = min_p(kept, logit[0] + s.log_min_p);
  }
  if (!kept.whole && s.inv_temperature != 1.0) {
    kept.overflow = true;
  }
  return kept;
}

// Logits that temperature made equal are ordered by id again.
fn order_ties(n: u32) {
  for (var i = 1u; i < n; i++) {
    for (var j = i; j > 0u && heated[j - 1u] == heated[j] && ids[j - 1u] > ids[j]; j--) {
      let id = ids[j];
      ids[j] = ids[j - 1u];
      ids[j - 1u] = id;
      let l = logit[j];
      logit[j] = logit[j - 1u];
      logit[j - 1u] = l;
    }
  }
}

// Index of the drawn candidate, or kept.n if the draw falls outside of them.
fn draw(kept: Kept, u: f32, row_total: f32) -> u32 {
  var total = row_total;
  if (kept.whole) {
    total = 0.0;
    for (var i = 0u; i < kept.n; i++) {
      total += hot[i];
    }
  }
  let want = u * total;
  var sum = 0.0;
  var last = 0u;
  for (var i = 0u; i < kept.n; i++) {
    sum += hot[i];
    if (sum > want) {
      return i;
    }
    if (hot[i] > 0.0) {
      last = i;
    }
  }
  return select(kept.n, last, kept.whole);
}

fn choose(w: u32, s: SampleParams, row: RowStats) -> Picked {
  var result = Picked(min(row.argmax, p.n_vocab - 1u), 0u, row.max - row.log_sum_exp, 0u);
  if (row.bad != 0u) {
    result.flags = PICK_BAD;
    return result;
  }
  if (row.max <= BANNED) {
    result.flags = PICK_NONE;
    return result;
  }
  if (s.greedy != 0u) {
    return result;
  }
  let row_total = exp(row.log_sum_exp - logit[0]);
  let kept = truncate(s, row_total);
  var i = kept.n;
  if (!kept.overflow) {
    if (s.inv_temperature != 1.0) {
      order_ties(kept.n);
    }
    let source = min(step.want[w], arrayLength(&step.rows) - 1u);
    let key = vec2<u32>(step.seed_lo, step.seed_hi);
    let u = uniform_draw(step.rows[source].pos + 1u, step.rows[source].seq, PURPOSE_DRAW, key);
    i = draw(kept, u, row_total);
  }
  if (i >= kept.n) {
    result.flags = PICK_OVERFLOW;
    return result;
  }
  result.token = min(ids[i], p.n_vocab - 1u);
  result.logprob = logit[i] - row.log_sum_exp;
  return result;
}

@compute @workgroup_size(T)
fn main(@builtin(local_invocation_index) t: u32, @builtin(workgroup_id) wg: vec3<u32>) {
  if (wg.x >= step.n_want) {
    return;
  }
  let s = params[min(wg.x, p.n_set - 1u)];
  if (s.greedy == 0u) {
    load(t, wg.x * CANDIDATES, s.inv_temperature);
  }
  if (T > 1u) {
    workgroupBarrier();
  }
  if (s.greedy == 0u) {
    heat(t);
  }
  if (T > 1u) {
    workgroupBarrier();
  }
  if (t == 0u) {
    picked[wg.x] = choose(wg.x, s, stats[wg.x]);
  }
}
