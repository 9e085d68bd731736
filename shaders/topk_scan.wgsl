// What topk gives, by one workgroup a row: it collects the logits that rank before the worst of the best 256 so far, and
// sorts when there is no room for more. Of logits in no particular order few are collected, so software adapters,
// which pay for every comparison, are some ten times faster than with topk. Grid: wanted rows.
import common/step;
import common/rank;

struct P {
  n_vocab: u32,
  reserved0: u32,
  reserved1: u32,
  reserved2: u32,
}

@group(0) @binding(0) var<storage, read> step: Step;
@group(0) @binding(1) var<storage, read> logits: array<u32>;
@group(0) @binding(2) var<storage, read_write> best: array<vec2<u32>>;
@group(0) @binding(3) var<uniform> p: P;

const THREADS = 32u;
// Slots behind those of the best.
const ROOM = 768u;
const LARGEST = 16384u;

var<workgroup> counter: atomic<u32>;
var<workgroup> n_found: u32;

// Ids rise from scan to scan, so an equal logit ranks behind the worst.
fn ranks(key: u32) -> bool {
  return key > keys[CANDIDATES - 1u];
}

fn clear(t: u32, first: u32) {
  for (var slot = first + t; slot < 1024u; slot += THREADS) {
    put(slot, 0u, NO_ID);
  }
  workgroupBarrier();
}

// How many of the logits from `first` to `end` are to be collected; uniform.
fn count(t: u32, row: u32, first: u32, end: u32) -> u32 {
  if (t == 0u) {
    atomicStore(&counter, 0u);
  }
  workgroupBarrier();
  var n = 0u;
  for (var id = first + t; id < end; id += THREADS) {
    n += select(0u, 1u, ranks(logit_key(logits[row + id])));
  }
  atomicAdd(&counter, n);
  workgroupBarrier();
  if (t == 0u) {
    n_found = atomicLoad(&counter);
  }
  return workgroupUniformLoad(&n_found);
}

// Their order depends on timing; the sort that follows does not.
fn collect(t: u32, row: u32, first: u32, end: u32, slot: u32) {
  for (var id = first + t; id < end; id += THREADS) {
    let key = logit_key(logits[row + id]);
    if (ranks(key)) {
      put(slot + atomicAdd(&counter, 1u), key, id);
    }
  }
  workgroupBarrier();
}

@compute @workgroup_size(THREADS)
fn main(@builtin(local_invocation_index) t: u32, @builtin(workgroup_id) wg: vec3<u32>) {
  if (wg.x >= step.n_want) {
    return;
  }
  let row = wg.x * p.n_vocab;
  clear(t, 0u);
  var first = 0u;
  var size = ROOM;
  var collected = 0u;
  while (first < p.n_vocab) {
    let end = min(first + size, p.n_vocab);
    let n = count(t, row, first, end);
    if (collected + n <= ROOM) {
      collect(t, row, first, end, CANDIDATES + collected - n);
      collected += n;
      first = end;
      size = min(2u * size, LARGEST);
    } else {
      // With nothing collected, ROOM logits always fit.
      size = ROOM;
      if (collected > 0u) {
        sort_lists(t, 1u);
        merge_lists(t);
        clear(t, CANDIDATES);
        collected = 0u;
      }
    }
  }
  sort_lists(t, 1u);
  merge_lists(t);
  for (var slot = t; slot < CANDIDATES; slot += THREADS) {
    best[wg.x * CANDIDATES + slot] = entry_of(slot);
  }
}
