// x[row] += scale * v for the rows that `list` names: row list[i] takes v[i], or the one vector v when v_stride is 0.
// list[0] = ALL takes every row, row r with v[r]. A row named twice takes its first entry; names past the end match nothing.
// Grid: x covers the n columns in runs of SPAN, y the rows.
import common/step;

override T: u32 = 64u;
override SPAN: u32 = 256u;

const ALL = 0xffffffffu;

struct P {
  n: u32,
  x_stride: u32,
  v_stride: u32,
  n_v_rows: u32,
  n_list: u32,
  scale: f32,
  reserved0: u32,
  reserved1: u32,
}

@group(0) @binding(0) var<storage, read_write> x: array<f32>;
@group(0) @binding(1) var<storage, read> v: array<f32>;
@group(0) @binding(2) var<storage, read> list: array<u32>;
@group(0) @binding(3) var<storage, read> step: Step;
@group(0) @binding(4) var<uniform> p: P;

@compute @workgroup_size(T)
fn main(@builtin(local_invocation_index) t: u32, @builtin(workgroup_id) wg: vec3<u32>) {
  let row = wg.y;
  if (row >= step.n_rows) {
    return;
  }
  var entry = row;
  if (list[0] != ALL) {
    entry = 0u;
    while (entry < p.n_list && list[entry] != row) {
      entry++;
    }
    if (entry == p.n_list) {
      return;
    }
  }
  let src = min(entry, p.n_v_rows - 1u) * p.v_stride;
  let dst = row * p.x_stride;
  let end = min(p.n, (wg.x + 1u) * SPAN);
  for (var i = wg.x * SPAN + t; i < end; i += T) {
    x[dst + i] += p.scale * v[src + i];
  }
}
