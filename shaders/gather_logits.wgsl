// out[i] = the logit of pair i of the list: (wanted row, token id), both clamped. Grid: pairs / 64.
import common/sampling;

struct P {
  n_vocab: u32,
  n_row: u32,
  capacity: u32,
  reserved: u32,
}

@group(0) @binding(0) var<storage, read> list: array<u32>;
@group(0) @binding(1) var<storage, read> logits: array<u32>;
@group(0) @binding(2) var<storage, read_write> out: array<u32>;
@group(0) @binding(3) var<uniform> p: P;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) gid: vec3<u32>) {
  let i = gid.x;
  if (i >= min(list[0], p.capacity)) {
    return;
  }
  let row = min(list[LIST_HEADER + 2u * i], p.n_row - 1u);
  let id = min(list[LIST_HEADER + 2u * i + 1u], p.n_vocab - 1u);
  out[i] = logits[row * p.n_vocab + id];
}
