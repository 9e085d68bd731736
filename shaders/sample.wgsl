// One token for each wanted row: the largest logit, or top-k, top-p, min-p, temperature and a seeded draw over the
// candidates of topk. Where 256 candidates do not settle it, the flag says so and the host repeats with the whole row.
// Steps and f32 order are those of crates/sample, so that both draw the same token. Grid: wanted rows.
// NEXT serves a single sequence that decodes by itself: the step moves to the token, which goes to the output ring and to
// the history; one dispatch less than a kernel of its own. Grid: 1.
import common/step;
import common/choice;
import common/philox;

override T: u32 = 64u; // 1 needs no barrier

struct P {
  n_vocab: u32,
  n_set: u32,
  ring_capacity: u32, // both of NEXT alone
  history_words: u32,
}

@if(!NEXT)
@group(0) @binding(0) var<storage, read> step: Step;
@if(NEXT)
@group(0) @binding(0) var<storage, read_write> step: Step;
@group(0) @binding(1) var<storage, read> params: array<SampleParams>;
@group(0) @binding(2) var<storage, read> stats: array<RowStats>;
@group(0) @binding(3) var<storage, read> best: array<vec2<u32>>;
@if(!NEXT)
@group(0) @binding(4) var<storage, read_write> picked: array<Picked>;
@if(!NEXT)
@group(0) @binding(5) var<uniform> p: P;
@if(NEXT)
@group(0) @binding(4) var<storage, read> table: array<u32>;
@if(NEXT)
@group(0) @binding(5) var<storage, read_write> history: array<u32>;
@if(NEXT)
@group(0) @binding(6) var<storage, read_write> ring: array<OutToken>;
@if(NEXT)
@group(0) @binding(7) var<uniform> p: P;

const PURPOSE_DRAW = 0u;

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

@if(NEXT)
fn advance(pick: Picked, entropy: f32) {
  ring[step.n_out % p.ring_capacity] = OutToken(pick.token, pick.logprob, pick.flags, entropy);
  step.n_out += 1u;

  let hi = step.rows[0].hi + 1u;
  step.rows[0].token = pick.token;
  step.rows[0].mix_len = 0u;
  step.rows[0].pos += 1u;
  step.rows[0].hi = hi;
  let offset = step.rows[0].table;
  if (offset == IDENTITY) {
    step.rows[0].cell = step.rows[0].base + hi - 1u;
  } else {
    step.rows[0].cell = table[min(offset + hi - 1u, arrayLength(&table) - 1u)];
  }
  if (step.window > 0u && hi > step.window) {
    step.rows[0].lo_swa = max(step.rows[0].lo_swa, hi - step.window);
  }

  let capacity = min(history[1], p.history_words - HISTORY_HEADER);
  if (capacity > 0u) {
    history[HISTORY_HEADER + history[0] % capacity] = pick.token;
    history[0] += 1u;
  }
}

@compute @workgroup_size(T)
fn main(@builtin(local_invocation_index) t: u32, @builtin(workgroup_id) wg: vec3<u32>) {
  @if(!NEXT)
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
    let pick = choose(wg.x, s, stats[wg.x]);
    @if(!NEXT)
    picked[wg.x] = pick;
    @if(NEXT)
    advance(pick, stats[wg.x].entropy);
  }
}
