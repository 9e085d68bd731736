// out[row] = norm(x[row]) * g (+ b): RMSNorm, or LayerNorm with the mean subtracted first (LAYER).
// ADD adds the result to out instead of storing it: a post-norm into the residual stream.
// Grid: one workgroup a row.
import common/step;
@if(!SUBGROUP)
import common/reduce/threads;
@if(SUBGROUP)
import common/reduce/subgroups;

override T: u32 = 64u;
override LAYER: bool = false;
override BIAS: bool = false;
override ADD: bool = false;

struct P {
  n: u32,
  x_stride: u32,
  out_stride: u32,
  count_from: u32,  // 0: step.n_rows, 1: step.n_want
  eps: f32,
  reserved0: u32,
  reserved1: u32,
  reserved2: u32,
}

@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read> g: array<f32>;
@group(0) @binding(2) var<storage, read> b: array<f32>;
@group(0) @binding(3) var<storage, read_write> out: array<f32>;
@group(0) @binding(4) var<storage, read> step: Step;
@group(0) @binding(5) var<uniform> p: P;

@compute @workgroup_size(T)
fn main(@builtin(local_invocation_index) t: u32, @builtin(workgroup_id) wg: vec3<u32>) {
  let row = wg.x;
  if (row >= select(step.n_rows, step.n_want, p.count_from == 1u)) {
    return;
  }
  let src = row * p.x_stride;
  var mean = 0.0;
  if (LAYER) {
    var sum = 0.0;
    for (var i = t; i < p.n; i += T) {
      sum += x[src + i];
    }
    mean = sum_over_threads(t, sum) / f32(p.n);
    workgroupBarrier();
  }
  var square = 0.0;
  for (var i = t; i < p.n; i += T) {
    let v = x[src + i] - mean;
    square += v * v;
  }
  let scale = inverseSqrt(sum_over_threads(t, square) / f32(p.n) + p.eps);
  let dst = row * p.out_stride;
  for (var i = t; i < p.n; i += T) {
    var v = (x[src + i] - mean) * scale * g[i];
    if (BIAS) {
      v += b[i];
    }
    if (ADD) {
      v += out[dst + i];
    }
    out[dst + i] = v;
  }
}
