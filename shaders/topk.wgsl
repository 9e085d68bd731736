// The best 256 logits of each wanted row, by logit descending, then id ascending; exact.
// Stage `first` sorts blocks of 1024 logits and keeps the best 256 of each; stage `merge` makes one list of four
// sorted ones. Dispatched until one list a row is left. Grid: lists left, wanted rows. List entries: id, logit bits.
import common/step;
import common/rank;

struct P {
  n_vocab: u32,
  n_list_in: u32,
  n_list_out: u32,
  reserved: u32,
}

@group(0) @binding(0) var<storage, read> step: Step;
@if(STAGE_FIRST)
@group(0) @binding(1) var<storage, read> logits: array<u32>;
@if(STAGE_MERGE)
@group(0) @binding(1) var<storage, read> lists: array<vec2<u32>>;
@group(0) @binding(2) var<storage, read_write> best: array<vec2<u32>>;
@group(0) @binding(3) var<uniform> p: P;

const THREADS = 128u;

@if(STAGE_FIRST)
fn load(slot: u32, row: u32, block: u32) {
  let id = block * 1024u + slot;
  if (id < p.n_vocab) {
    put(slot, logit_key(logits[row * p.n_vocab + id]), id);
  } else {
    put(slot, 0u, NO_ID);
  }
}

@if(STAGE_MERGE)
fn load(slot: u32, row: u32, block: u32) {
  let list = block * 4u + slot / CANDIDATES;
  if (list < p.n_list_in) {
    let entry = lists[(row * p.n_list_in + list) * CANDIDATES + slot % CANDIDATES];
    put(slot, select(order_key(entry.y), 0u, entry.x == NO_ID), entry.x);
  } else {
    put(slot, 0u, NO_ID);
  }
}

@compute @workgroup_size(THREADS)
fn main(@builtin(local_invocation_index) t: u32, @builtin(workgroup_id) wg: vec3<u32>) {
  if (wg.y >= step.n_want) {
    return;
  }
  for (var slot = t; slot < 1024u; slot += THREADS) {
    load(slot, wg.y, wg.x);
  }
  workgroupBarrier();
  @if(STAGE_FIRST) {
    sort_lists(t, 0u);
  }
  merge_lists(t);
  for (var slot = t; slot < CANDIDATES; slot += THREADS) {
    best[(wg.y * p.n_list_out + wg.x) * CANDIDATES + slot] = entry_of(slot);
  }
}
