// The n_used experts of each row and their weights, best first; of equal logits the lowest id wins.
// mode 0: softmax over all experts, then the best, normalised to sum 1 if norm_topk. mode 1: softmax over the best alone.
// An expert's rank is the number of experts before it, so no thread waits for another's choice. Grid: one workgroup a row.
import common/step;
import common/numeric;

override T: u32 = 64u;
override N_EXPERT: u32 = 64u;
override N_USED: u32 = 8u;

const LOWEST = -1e30;

struct P {
  stride: u32,
  mode: u32,
  norm_topk: u32,
  reserved: u32,
}

@group(0) @binding(0) var<storage, read> logits: array<f32>;
@group(0) @binding(1) var<storage, read_write> sel: array<u32>;  // [row][n_used]
@group(0) @binding(2) var<storage, read_write> w: array<f32>;    // [row][n_used]
@group(0) @binding(3) var<storage, read> step: Step;
@group(0) @binding(4) var<uniform> p: P;

var<workgroup> all: array<f32, N_EXPERT>;
var<workgroup> best: array<f32, N_USED>;

@compute @workgroup_size(T)
fn main(@builtin(local_invocation_index) t: u32, @builtin(workgroup_id) wg: vec3<u32>) {
  let row = wg.x;
  if (row >= step.n_rows) {
    return;
  }
  for (var e = t; e < N_EXPERT; e += T) {
    let v = logits[row * p.stride + e];
    all[e] = select(max(v, LOWEST), LOWEST, bad(v));
  }
  workgroupBarrier();
  var top = LOWEST;
  for (var e = 0u; e < N_EXPERT; e++) {
    top = max(top, all[e]);
  }
  var sum = 0.0;
  for (var e = 0u; e < N_EXPERT; e++) {
    sum += exp(all[e] - top);
  }
  for (var e = t; e < N_EXPERT; e += T) {
    var rank = 0u;
    for (var o = 0u; o < N_EXPERT; o++) {
      if (all[o] > all[e] || (all[o] == all[e] && o < e)) {
        rank++;
      }
    }
    if (rank < N_USED) {
      sel[row * N_USED + rank] = e;
      best[rank] = exp(all[e] - top);
    }
  }
  workgroupBarrier();
  if (p.mode == 1u || p.norm_topk == 1u) {
    sum = 0.0;
    for (var s = 0u; s < N_USED; s++) {
      sum += best[s];
    }
  }
  for (var s = t; s < N_USED; s += T) {
    w[row * N_USED + s] = best[s] / sum;
  }
}
