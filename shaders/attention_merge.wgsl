// Joins the parts of `attention` in its form for long contexts: per head SPLITS sums, each with its maximum and its weight.
// Grid: x = heads. Sums relative to their own maxima become one relative to the largest. No barriers.
import common/step;

override T: u32 = 64u;
override SPLITS: u32 = 8u;

struct P {
  n_head: u32,
  head_dim: u32,
}

@group(0) @binding(0) var<storage, read> parts: array<f32>;  // [head][split][head_dim + 2]: sum, maximum, weight
@group(0) @binding(1) var<storage, read> step: Step;
@group(0) @binding(2) var<storage, read_write> out: array<f32>;
@group(0) @binding(3) var<uniform> p: P;

@compute @workgroup_size(T)
fn main(@builtin(local_invocation_index) t: u32, @builtin(workgroup_id) wg: vec3<u32>) {
  if (step.n_rows == 0u) {
    return;
  }
  let size = p.head_dim + 2u;
  let first = wg.x * SPLITS * size;
  var top = -1e30;
  for (var s = 0u; s < SPLITS; s++) {
    top = max(top, parts[first + s * size + p.head_dim]);
  }
  var weight = 0.0;
  for (var s = 0u; s < SPLITS; s++) {
    let part = first + s * size + p.head_dim;
    weight += exp(min(parts[part] - top, 0.0)) * parts[part + 1u];
  }
  let norm = select(0.0, 1.0 / max(weight, 1e-30), weight > 0.0);
  for (var d = t; d < p.head_dim; d += T) {
    var sum = 0.0;
    for (var s = 0u; s < SPLITS; s++) {
      let part = first + s * size;
      sum += exp(min(parts[part + p.head_dim] - top, 0.0)) * parts[part + d];
    }
    out[wg.x * p.head_dim + d] = sum * norm;
  }
}
