// x[row] += sum over s of w[row][s] * y[row * n_used + s].
// Grid: x covers the n columns in runs of SPAN, y the rows.
import common/step;

override T: u32 = 64u;
override SPAN: u32 = 256u;

struct P {
  n: u32,
  n_used: u32,
  x_stride: u32,
  y_stride: u32,
}

@group(0) @binding(0) var<storage, read_write> x: array<f32>;
@group(0) @binding(1) var<storage, read> y: array<f32>;
@group(0) @binding(2) var<storage, read> w: array<f32>;
@group(0) @binding(3) var<storage, read> step: Step;
@group(0) @binding(4) var<uniform> p: P;

@compute @workgroup_size(T)
fn main(@builtin(local_invocation_index) t: u32, @builtin(workgroup_id) wg: vec3<u32>) {
  let row = wg.y;
  if (row >= step.n_rows) {
    return;
  }
  let dst = row * p.x_stride;
  let end = min(p.n, (wg.x + 1u) * SPAN);
  for (var i = wg.x * SPAN + t; i < end; i += T) {
    var sum = 0.0;
    for (var s = 0u; s < p.n_used; s++) {
      let at = row * p.n_used + s;
      sum += w[at] * y[at * p.y_stride + i];
    }
    x[dst + i] += sum;
  }
}
