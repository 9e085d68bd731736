// What topk gives, by one workgroup a row: radix selection. The entries of a row are read byte by byte of (key, ~id) from
// the top, and counted by the next byte of those that share the bytes so far with the last of the best 256; when few
// entries are left, they are collected and ranked; random logits need two or three bytes. Software adapters, which pay for
// every barrier and comparison, are several times faster than with topk.
// Grid: wanted rows.
import common/step;
import common/sampling;

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

const THREADS = 8u;
// Collected entries at most. Ranking takes its square; a smaller one, more passes over the logits.
const ROOM = 384u;
const LEVELS = 8u;

var<workgroup> bins: array<atomic<u32>, 256u * LEVELS>;
var<workgroup> found: array<vec2<u32>, ROOM>;
var<workgroup> counter: atomic<u32>;

// Ranks before others if it is larger, x first. A logit that is not finite counts as BANNED.
fn entry(row: u32, id: u32) -> vec2<u32> {
  let bits = logits[row + id];
  return vec2<u32>(order_key(select(bitcast<u32>(BANNED), bits, is_finite(bits))), ~id);
}

fn reaches(e: vec2<u32>, cut: vec2<u32>) -> bool {
  return e.x > cut.x || (e.x == cut.x && e.y >= cut.y);
}

// The bits that `level` counts by.
fn digit(level: u32, bits: u32) -> vec2<u32> {
  let at = bits << (24u - 8u * (level % 4u));
  return select(vec2<u32>(at, 0u), vec2<u32>(0u, at), level >= 4u);
}

fn count(t: u32, row: u32, level: u32, cut: vec2<u32>, mask: vec2<u32>) {
  let shift = 24u - 8u * (level % 4u);
  for (var id = t; id < p.n_vocab; id += THREADS) {
    let e = entry(row, id);
    if (all((e & mask) == cut)) {
      atomicAdd(&bins[256u * level + ((select(e.x, e.y, level >= 4u) >> shift) & 255u)], 1u);
    }
  }
}

@compute @workgroup_size(THREADS)
fn main(@builtin(local_invocation_index) t: u32, @builtin(workgroup_id) wg: vec3<u32>) {
  if (wg.x >= step.n_want) {
    return;
  }
  let row = wg.x * p.n_vocab;
  for (var i = t; i < 256u * LEVELS; i += THREADS) {
    atomicStore(&bins[i], 0u);
  }
  if (t == 0u) {
    atomicStore(&counter, 0u);
  }
  workgroupBarrier();
  // The best 256 are among the n entries that reach the cut; `mask` has the bits that are settled.
  var cut = vec2<u32>();
  var mask = vec2<u32>();
  var above = 0u;
  var n = p.n_vocab;
  for (var level = 0u; level < LEVELS; level++) {
    let go_on = n > ROOM;
    if (go_on) {
      count(t, row, level, cut, mask);
    }
    workgroupBarrier();
    if (go_on) {
      var bin = 256u;
      n = above;
      while (n < CANDIDATES && bin > 0u) {
        bin--;
        above = n;
        n += atomicLoad(&bins[256u * level + bin]);
      }
      cut |= digit(level, bin);
      mask |= digit(level, 255u);
    }
  }
  for (var id = t; id < p.n_vocab; id += THREADS) {
    let e = entry(row, id);
    if (reaches(e, cut)) {
      found[atomicAdd(&counter, 1u)] = e;
    }
  }
  workgroupBarrier();
  for (var i = t; i < n; i += THREADS) {
    let e = found[i];
    var rank = 0u;
    for (var k = 0u; k < n; k++) {
      rank += select(0u, 1u, reaches(found[k], e));
    }
    if (rank <= CANDIDATES) {
      best[wg.x * CANDIDATES + rank - 1u] = vec2<u32>(~e.y, bitcast<u32>(order_logit(e.x)));
    }
  }
  for (var i = n + t; i < CANDIDATES; i += THREADS) {
    best[wg.x * CANDIDATES + i] = vec2<u32>(NO_ID, bitcast<u32>(BANNED));
  }
}
