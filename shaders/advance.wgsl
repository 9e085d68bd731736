// Makes the step buffer ready for the next token of a single sequence: row 0 moves to the token that sample picked,
// and the token goes to the output ring and to the history. One invocation.
import common/step;
import common/sampling;

struct P {
  ring_capacity: u32,
  history_words: u32,
  reserved0: u32,
  reserved1: u32,
}

@group(0) @binding(0) var<storage, read_write> step: Step;
@group(0) @binding(1) var<storage, read> picked: array<Picked>;
@group(0) @binding(2) var<storage, read> stats: array<RowStats>;
@group(0) @binding(3) var<storage, read> table: array<u32>;
@group(0) @binding(4) var<storage, read_write> history: array<u32>;
@group(0) @binding(5) var<storage, read_write> ring: array<OutToken>;
@group(0) @binding(6) var<uniform> p: P;

@compute @workgroup_size(1)
fn main() {
  let pick = picked[0];
  ring[step.n_out % p.ring_capacity] = OutToken(pick.token, pick.logprob, pick.flags, stats[0].entropy);
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
