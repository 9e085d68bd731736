// Copies rows bit for bit. mode 0: out[i] = x[want[i]], the rows whose logits are wanted; mode 1: out[out_row + row] = x[row].
// Grid: x covers the n columns in runs of SPAN, y the rows.
import common/step;

override T: u32 = 64u;
override SPAN: u32 = 256u;

struct P {
  n: u32,
  x_stride: u32,
  out_stride: u32,
  n_x_rows: u32,
  mode: u32,
  out_row: u32,
  reserved0: u32,
  reserved1: u32,
}

@group(0) @binding(0) var<storage, read> x: array<u32>;
@group(0) @binding(1) var<storage, read_write> out: array<u32>;
@group(0) @binding(2) var<storage, read> step: Step;
@group(0) @binding(3) var<uniform> p: P;

@compute @workgroup_size(T)
fn main(@builtin(local_invocation_index) t: u32, @builtin(workgroup_id) wg: vec3<u32>) {
  let gather = p.mode == 0u;
  if (wg.y >= select(step.n_rows, min(step.n_want, 16u), gather)) {
    return;
  }
  let row = select(wg.y, step.want[min(wg.y, 15u)], gather);
  let src = min(row, p.n_x_rows - 1u) * p.x_stride;
  let dst = (p.out_row + wg.y) * p.out_stride;
  let end = min(p.n, (wg.x + 1u) * SPAN);
  for (var i = wg.x * SPAN + t; i < end; i += T) {
    out[dst + i] = x[src + i];
  }
}
