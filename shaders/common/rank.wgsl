// 1024 entries in workgroup memory and how they are sorted: by logit descending, then id ascending.
// The kernel declares THREADS, which divides 128.
import common/sampling;

// Key 0 ranks last: no token.
var<workgroup> keys: array<u32, 1024>;
var<workgroup> ids: array<u32, 1024>;

fn put(slot: u32, key: u32, id: u32) {
  keys[slot] = key;
  ids[slot] = id;
}

// A logit that is not finite counts as BANNED.
fn logit_key(bits: u32) -> u32 {
  return order_key(select(bitcast<u32>(BANNED), bits, is_finite(bits)));
}

fn entry_of(slot: u32) -> vec2<u32> {
  return vec2<u32>(ids[slot], select(bitcast<u32>(BANNED), bitcast<u32>(order_logit(keys[slot])), keys[slot] != 0u));
}

fn ranks_before(a: u32, b: u32) -> bool {
  return keys[a] > keys[b] || (keys[a] == keys[b] && ids[a] < ids[b]);
}

// Puts the better entry into slot a, or into slot b if `reverse`.
fn order(a: u32, b: u32, reverse: bool) {
  if (ranks_before(b, a) != reverse) {
    let key = keys[a];
    let id = ids[a];
    put(a, keys[b], ids[b]);
    put(b, key, id);
  }
}

// Slot a becomes the better of a and b. Over two sorted lists, one read backwards, that is the better half of both.
fn keep_better(a: u32, b: u32) {
  if (ranks_before(b, a)) {
    put(a, keys[b], ids[b]);
  }
}

// Sorts the lists of 256 slots from list `first` on.
fn sort_lists(t: u32, first: u32) {
  for (var run = 2u; run <= CANDIDATES; run <<= 1u) {
    for (var gap = run >> 1u; gap > 0u; gap >>= 1u) {
      for (var pair = 128u * first + t; pair < 512u; pair += THREADS) {
        let a = 2u * pair - (pair & (gap - 1u));
        order(a, a + gap, (a & run & (CANDIDATES - 1u)) != 0u);
      }
      workgroupBarrier();
    }
  }
}

// Sorts what keep_better left in the first `n` pairs: list 0, and list 2 from pair 128 on.
fn sort_halves(t: u32, n: u32) {
  for (var gap = 128u; gap > 0u; gap >>= 1u) {
    for (var pair = t; pair < n; pair += THREADS) {
      let a = 512u * (pair >> 7u) + 2u * (pair & 127u) - (pair & (gap - 1u));
      order(a, a + gap, false);
    }
    workgroupBarrier();
  }
}

// The best 256 of four sorted lists, sorted, in list 0.
fn merge_lists(t: u32) {
  for (var slot = t; slot < CANDIDATES; slot += THREADS) {
    keep_better(slot, 511u - slot);
    keep_better(512u + slot, 1023u - slot);
  }
  workgroupBarrier();
  sort_halves(t, 256u);
  for (var slot = t; slot < CANDIDATES; slot += THREADS) {
    keep_better(slot, 767u - slot);
  }
  workgroupBarrier();
  sort_halves(t, 128u);
}
