// Logit bias, then repetition, frequency and presence penalties over a window of the history, in place.
// Bias lists, histories and parameters come in sets: one for all rows, or one a row. Grid: wanted rows.
// Tokens outside the vocabulary are passed over. Ids of a bias list are distinct.
import common/step;
import common/sampling;

struct P {
  n_vocab: u32,
  n_set: u32,
  bias_words: u32,
  history_words: u32,
}

@group(0) @binding(0) var<storage, read> step: Step;
@group(0) @binding(1) var<storage, read> params: array<SampleParams>;
@group(0) @binding(2) var<storage, read> bias: array<u32>;
@group(0) @binding(3) var<storage, read> history: array<u32>;
@group(0) @binding(4) var<storage, read_write> logits: array<f32>;
@group(0) @binding(5) var<uniform> p: P;

const THREADS = 64u;
const MINUS_INFINITY = 0xff800000u;

// Token `back` places before the newest.
fn token_at(base: u32, n: u32, capacity: u32, back: u32) -> u32 {
  return history[base + HISTORY_HEADER + (n - 1u - back) % capacity];
}

@compute @workgroup_size(THREADS)
fn main(@builtin(local_invocation_index) t: u32, @builtin(workgroup_id) wg: vec3<u32>) {
  if (wg.x >= step.n_want) {
    return;
  }
  let use_set = min(wg.x, p.n_set - 1u);
  let row = wg.x * p.n_vocab;

  let pairs = use_set * p.bias_words;
  let n_bias = min(bias[pairs], (p.bias_words - LIST_HEADER) / 2u);
  for (var i = t; i < n_bias; i += THREADS) {
    let id = bias[pairs + LIST_HEADER + 2u * i];
    let add = bias[pairs + LIST_HEADER + 2u * i + 1u];
    if (id < p.n_vocab) {
      logits[row + id] = select(logits[row + id] + bitcast<f32>(add), BANNED, add == MINUS_INFINITY);
    }
  }
  storageBarrier();

  let s = params[use_set];
  let base = use_set * p.history_words;
  let n = history[base];
  let capacity = min(history[base + 1u], p.history_words - HISTORY_HEADER);
  var window = min(s.last_n, min(n, capacity));
  if (s.repeat == 1.0 && s.frequency == 0.0 && s.presence == 0.0) {
    window = 0u;
  }
  for (var i = t; i < window; i += THREADS) {
    let token = token_at(base, n, capacity, i);
    var count = 0u;
    var first = token < p.n_vocab;
    for (var j = 0u; first && j < window; j++) {
      if (token_at(base, n, capacity, j) == token) {
        first = j >= i;
        count++;
      }
    }
    if (first) {
      let logit = logits[row + token];
      let scaled = select(logit / s.repeat, logit * s.repeat, logit <= 0.0);
      logits[row + token] = scaled - f32(count) * s.frequency - s.presence;
    }
  }
}
