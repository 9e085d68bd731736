// BANNED where a token's bit is not set, in place: bit id % 32 of word id / 32 of the wanted row's mask. Logits that are not
// finite stay, so that a fault of the model is seen behind a mask, too. Grid: tokens / 256, wanted rows.
// logits: u32 bits [n_want][n_vocab]; allowed: [n_want][n_word].
import common/step;
import common/sampling;

struct P {
  n_vocab: u32,
  n_word: u32,
  reserved0: u32,
  reserved1: u32,
}

@group(0) @binding(0) var<storage, read> step: Step;
@group(0) @binding(1) var<storage, read> allowed: array<u32>;
@group(0) @binding(2) var<storage, read_write> logits: array<u32>;
@group(0) @binding(3) var<uniform> p: P;

const THREADS = 64u;
const SPAN = 256u;

@compute @workgroup_size(THREADS)
fn main(@builtin(local_invocation_index) t: u32, @builtin(workgroup_id) wg: vec3<u32>) {
  if (wg.y >= step.n_want) {
    return;
  }
  let end = min((wg.x + 1u) * SPAN, p.n_vocab);
  for (var id = wg.x * SPAN + t; id < end; id += THREADS) {
    let word = allowed[wg.y * p.n_word + id / 32u];
    let at = wg.y * p.n_vocab + id;
    if (((word >> (id % 32u)) & 1u) == 0u && is_finite(logits[at])) {
      logits[at] = bitcast<u32>(BANNED);
    }
  }
}
