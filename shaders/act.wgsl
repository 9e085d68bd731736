// out[row][i] = activate(gate) * up (GATED), or activate(x[row][i]).
// GATED input: gate and up alternate in groups of eight columns: 16j.. are gates 8j.., 16j + 8.. their ups.
// Grid: x covers the n outputs in runs of SPAN, y the rows: step.n_rows * p.per_row.
import common/step;
import common/activation;

override T: u32 = 64u;
override SPAN: u32 = 256u;
override GATED: bool = true;
override ACT: u32 = 0u; // see activate

struct P {
  n: u32,
  x_stride: u32,
  out_stride: u32,
  per_row: u32,
}

@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read_write> out: array<f32>;
@group(0) @binding(2) var<storage, read> step: Step;
@group(0) @binding(3) var<uniform> p: P;

@compute @workgroup_size(T)
fn main(@builtin(local_invocation_index) t: u32, @builtin(workgroup_id) wg: vec3<u32>) {
  if (wg.y >= step.n_rows * p.per_row) {
    return;
  }
  let src = wg.y * p.x_stride;
  let dst = wg.y * p.out_stride;
  let end = min(p.n, (wg.x + 1u) * SPAN);
  for (var i = wg.x * SPAN + t; i < end; i += T) {
    if (GATED) {
      let at = src + (i >> 3u) * 16u + (i & 7u);
      out[dst + i] = activate(ACT, x[at]) * x[at + 8u];
    } else {
      out[dst + i] = activate(ACT, x[src + i]);
    }
  }
}
