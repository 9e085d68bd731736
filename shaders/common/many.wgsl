// Parameters and bindings of the products over many columns; x is [m][k], y is [m][y_stride].
import common/step;

struct P {
  n_chunk: u32, // k / 32
  w_chunk: u32, // chunks of a row of weights; more than n_chunk where only its first columns count
  n_unit: u32,
  n_group: u32, // weight groups
  n_rows: u32, // outputs
  row0: u32, // first output within a row of y
  y_stride: u32,
  count_from: u32, // what bounds the columns: 0 step.n_rows, 1 step.n_want
  max_rows: u32, // columns that the buffers hold
  act: u32,
  flags: u32,
  softcap: f32,
}

@group(0) @binding(0) var<storage, read> wq: array<vec4<u32>>;
@group(0) @binding(1) var<storage, read> ws: array<u32>;
@group(0) @binding(2) var<storage, read> x: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read> bias: array<f32>;
@group(0) @binding(4) var<storage, read_write> y: array<f32>;
@group(0) @binding(5) var<storage, read> step: Step;
@group(0) @binding(6) var<uniform> p: P;

fn column_count() -> u32 {
  return min(select(step.n_rows, step.n_want, p.count_from == 1u), p.max_rows);
}
