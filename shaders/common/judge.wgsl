// Judges the guesses under a row that were drawn one after another without replacement from a list q, where the sampler draws
// from p: one comes with min(1, p/q), else p becomes norm(max(p - q, 0)) and q loses it; where none comes, p is drawn from
// (Jeon et al., arXiv 2402.14160; of one guess the ratio test of arXiv 2211.17192). One invocation, f32, sums in order. Of the
// importing shader it takes its bindings and `thrown`.
import common/choice;
import common/philox;

const T = 1u;
const PURPOSE_POLICY = 3u;

var<workgroup> left: array<f32, CANDIDATES>;  // of the candidates' p
var<workgroup> q: array<f32, CANDIDATES>;     // of the list's pairs

fn throw_one() -> f32 {
  thrown++;
  return uniform_draw(thrown, tree[4], PURPOSE_POLICY, vec2<u32>(step.seed_lo, step.seed_hi));
}

// Index of a token among the n pairs that begin at a word, ascending; n if it is not there.
fn listed(token: u32, first: u32, n: u32) -> u32 {
  var lo = 0u;
  var hi = n;
  while (lo < hi) {
    let mid = (lo + hi) / 2u;
    if (tree[first + 2u * mid] < token) {
      lo = mid + 1u;
    } else {
      hi = mid;
    }
  }
  if (lo < n && tree[first + 2u * lo] == token) {
    return lo;
  }
  return n;
}

// Takes q from what is left, and gives what the rest sums to.
fn subtract(kept: u32, first: u32, n: u32, sum_q: f32) {
  var sum = 0.0;
  for (var i = 0u; i < kept; i++) {
    let j = listed(ids[i], first, n);
    var rest = left[i];
    if (j < n) {
      rest = max(rest - q[j] / sum_q, 0.0);
    }
    cold[i] = rest;
    sum += rest;
  }
  // By rounding nothing may be left.
  if (sum > 0.0) {
    for (var i = 0u; i < kept; i++) {
      left[i] = cold[i] / sum;
    }
  }
}

// The token at a share u of what is left, ascending by id.
fn draw_left(kept: u32, u: f32) -> u32 {
  for (var i = 1u; i < kept; i++) {
    for (var j = i; j > 0u && ids[j - 1u] > ids[j]; j--) {
      let id = ids[j];
      ids[j] = ids[j - 1u];
      ids[j - 1u] = id;
      let l = left[j];
      left[j] = left[j - 1u];
      left[j - 1u] = l;
    }
  }
  var sum = 0.0;
  var last = 0u;
  for (var i = 0u; i < kept; i++) {
    sum += left[i];
    if (left[i] > 0.0) {
      last = i;
    }
    if (sum > u) {
      break;
    }
  }
  return ids[last];
}

// The token behind a row whose guesses were drawn from the n pairs that begin at a word.
fn judge(row: u32, w: u32, first: u32, n: u32) -> u32 {
  let s = params[0];
  load(0u, w * CANDIDATES, s.inv_temperature);
  heat(0u);
  let kept = truncate(s, exp(stats[w].log_sum_exp - logit[0])).n;
  var total = 0.0;
  for (var i = 0u; i < kept; i++) {
    total += hot[i];
  }
  for (var i = 0u; i < kept; i++) {
    left[i] = hot[i] / total;
  }
  for (var j = 0u; j < n; j++) {
    q[j] = bitcast<f32>(tree[first + 2u * j + 1u]);
  }
  var sum_q = 1.0;
  let rows = min(step.n_rows, TREE_ROWS);
  for (var r = row + 1u; r <= rows; r++) {
    // Behind the last row there may be one more guess, which has no row.
    var token = tree[3];
    if (r < rows) {
      token = step.rows[r].token;
      if (tree[TREE_HEADER + r] != row) {
        continue;
      }
    } else if (row + 1u != rows || token == NO_ID) {
      break;
    }
    let j = listed(token, first, n);
    var guessed = 0.0;
    if (j < n) {
      guessed = q[j] / sum_q;
    }
    var ours = 0.0;
    for (var i = 0u; i < kept; i++) {
      if (ids[i] == token) {
        ours = left[i];
      }
    }
    if (throw_one() * guessed < ours) {
      return token;
    }
    subtract(kept, first, n, sum_q);
    if (j < n) {
      q[j] = 0.0;
    }
    sum_q = 0.0;
    for (var i = 0u; i < n; i++) {
      sum_q += q[i];
    }
    if (sum_q <= 0.0) {
      break;
    }
  }
  return draw_left(kept, throw_one());
}

// What the candidates of a wanted row say of a token's log-probability.
fn logprob_of(w: u32, token: u32) -> f32 {
  for (var i = 0u; i < min(CANDIDATES, p.n_vocab); i++) {
    let entry = best[w * CANDIDATES + i];
    if (entry.x == token) {
      return bitcast<f32>(entry.y) - stats[w].log_sum_exp;
    }
  }
  return BANNED;
}
