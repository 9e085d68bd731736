// The best 256 logits of each wanted row, by logit descending, then id ascending; exact.
// Stage `first` sorts blocks of 1024 logits and keeps the best 256 of each; stage `merge` makes one list of four
// sorted ones. Dispatched until one list a row is left. Grid: lists left, wanted rows. List entries: id, logit bits.
import common/step;
import common/sampling;

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

const THREADS = 256u;

// Slots of four lists; key 0 ranks last: no token.
var<workgroup> keys: array<u32, 1024>;
var<workgroup> ids: array<u32, 1024>;

@if(STAGE_FIRST)
fn load(slot: u32, row: u32, block: u32) -> vec2<u32> {
  let id = block * 1024u + slot;
  if (id >= p.n_vocab) {
    return vec2<u32>(0u, NO_ID);
  }
  let bits = logits[row * p.n_vocab + id];
  return vec2<u32>(order_key(select(bitcast<u32>(BANNED), bits, is_finite(bits))), id);
}

@if(STAGE_MERGE)
fn load(slot: u32, row: u32, block: u32) -> vec2<u32> {
  let list = block * 4u + slot / CANDIDATES;
  if (list >= p.n_list_in) {
    return vec2<u32>(0u, NO_ID);
  }
  let entry = lists[(row * p.n_list_in + list) * CANDIDATES + slot % CANDIDATES];
  return vec2<u32>(select(order_key(entry.y), 0u, entry.x == NO_ID), entry.x);
}

fn ranks_before(a: u32, b: u32) -> bool {
  return keys[a] > keys[b] || (keys[a] == keys[b] && ids[a] < ids[b]);
}

// Puts the better entry into slot a, or into slot b if `reverse`.
fn order(a: u32, b: u32, reverse: bool) {
  if (ranks_before(b, a) != reverse) {
    let key = keys[a];
    let id = ids[a];
    keys[a] = keys[b];
    ids[a] = ids[b];
    keys[b] = key;
    ids[b] = id;
  }
}

// Slot a becomes the better of a and b. Over two sorted lists, one read backwards, that is the better half of both.
fn keep_better(a: u32, b: u32) {
  if (ranks_before(b, a)) {
    keys[a] = keys[b];
    ids[a] = ids[b];
  }
}

@compute @workgroup_size(THREADS)
fn main(@builtin(local_invocation_index) t: u32, @builtin(workgroup_id) wg: vec3<u32>) {
  if (wg.y >= step.n_want) {
    return;
  }
  for (var slot = t; slot < 1024u; slot += THREADS) {
    let entry = load(slot, wg.y, wg.x);
    keys[slot] = entry.x;
    ids[slot] = entry.y;
  }
  workgroupBarrier();

  @if(STAGE_FIRST) {
    for (var run = 2u; run <= CANDIDATES; run <<= 1u) {
      for (var gap = run >> 1u; gap > 0u; gap >>= 1u) {
        for (var pair = t; pair < 512u; pair += THREADS) {
          let a = 2u * pair - (pair & (gap - 1u));
          order(a, a + gap, (a & run & (CANDIDATES - 1u)) != 0u);
        }
        workgroupBarrier();
      }
    }
  }

  // Lists 0 and 1 into slots 0.., lists 2 and 3 into slots 512..: each half of the workgroup sorts one.
  keep_better(t, 511u - t);
  keep_better(512u + t, 1023u - t);
  workgroupBarrier();
  for (var gap = 128u; gap > 0u; gap >>= 1u) {
    let pair = t & 127u;
    let a = 512u * (t >> 7u) + 2u * pair - (pair & (gap - 1u));
    order(a, a + gap, false);
    workgroupBarrier();
  }
  keep_better(t, 767u - t);
  workgroupBarrier();
  for (var gap = 128u; gap > 0u; gap >>= 1u) {
    if (t < 128u) {
      let a = 2u * t - (t & (gap - 1u));
      order(a, a + gap, false);
    }
    workgroupBarrier();
  }

  let bits = select(bitcast<u32>(BANNED), bitcast<u32>(order_logit(keys[t])), keys[t] != 0u);
  best[(wg.y * p.n_list_out + wg.x) * CANDIDATES + t] = vec2<u32>(ids[t], bits);
}
