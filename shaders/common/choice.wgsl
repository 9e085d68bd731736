// What the sampler's cuts leave of a row's candidates: of the importing shader it takes `params`, `best`, `p.n_vocab` and T.
// Steps and f32 order are those of crates/sample.
import common/sampling;

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
