// out[row][head] = softmax(scale * q.k) v over the entries that the row sees, in one pass with a running maximum.
// Cell: k words of all heads, then v words; a word holds elements 2w and 2w + 1 as halves.
// Grid: x = query heads, y = rows. A tile is TILE keys: each thread scores its own keys, then the threads split the words of
// the head, GROUPS threads to a word, each taking every GROUPS-th key. Two barriers a tile.
// Statistics in f32. Masked scores hold a finite lowest value, so a row that sees nothing gives zeros.
import common/step;
import common/numeric;
import common/activation;

override T: u32 = 64u;
override TILE: u32 = 64u;
override HALF: u32 = 32u;    // head_dim / 2
override GROUPS: u32 = 2u;   // max(1, T / HALF)
override ACC: u32 = 64u;     // HALF * GROUPS

const LOWEST = -1e30;

struct P {
  n_head: u32,
  n_head_kv: u32,
  n_cells: u32,
  n_table: u32,
  stride: u32,
  out_stride: u32,
  sliding: u32,  // 1 starts at lo_swa
  scale: f32,
  softcap: f32,  // 0 for none
  reserved0: u32,
  reserved1: u32,
  reserved2: u32,
}

@group(0) @binding(0) var<storage, read> qkv: array<f32>;
@group(0) @binding(1) var<storage, read> kv: array<u32>;
@group(0) @binding(2) var<storage, read> table: array<u32>;
@group(0) @binding(3) var<storage, read> step: Step;
@group(0) @binding(4) var<storage, read_write> out: array<f32>;
@group(0) @binding(5) var<uniform> p: P;

var<workgroup> query: array<vec2<f32>, HALF>;
var<workgroup> scores: array<f32, TILE>;
var<workgroup> weights: array<f32, TILE>;
var<workgroup> cells: array<u32, TILE>;
var<workgroup> acc: array<vec2<f32>, ACC>;

// Cell of entry i, inside the cache whatever the row says.
fn cell_of(row: u32, i: u32) -> u32 {
  var cell = step.rows[row].base + i;
  if (step.rows[row].table != IDENTITY) {
    cell = table[min(step.rows[row].table + i, p.n_table - 1u)];
  }
  return min(cell, p.n_cells - 1u);
}

// Whether a candidate after `tree` is an ancestor of the row.
fn in_branch(row: u32, i: u32) -> bool {
  let tree = step.rows[row].tree;
  if (i < tree) {
    return true;
  }
  let bit = i - tree;
  let word = select(step.rows[row].ancestors_hi, step.rows[row].ancestors_lo, bit < 32u);
  return bit < 64u && ((word >> (bit & 31u)) & 1u) == 1u;
}

fn score(k_from: u32) -> f32 {
  var dots = vec2<f32>(0.0);
  for (var w = 0u; w < HALF; w++) {
    dots += half2(kv[k_from + w]) * query[w];
  }
  let s = (dots.x + dots.y) * p.scale;
  if (p.softcap > 0.0) {
    return p.softcap * soft_tanh(s / p.softcap);
  }
  return s;
}

@compute @workgroup_size(T)
fn main(@builtin(local_invocation_index) t: u32, @builtin(workgroup_id) wg: vec3<u32>) {
  let row = wg.y;
  if (row >= step.n_rows) {
    return;
  }
  let cell_words = 2u * p.n_head_kv * HALF;
  let k_at = (wg.x / (p.n_head / p.n_head_kv)) * HALF;
  let v_at = k_at + p.n_head_kv * HALF;
  let first = select(step.rows[row].lo, step.rows[row].lo_swa, p.sliding == 1u);
  let end = min(step.rows[row].hi, p.n_cells);  // bounds the loop for any hi

  for (var w = t; w < HALF; w += T) {
    let at = row * p.stride + wg.x * 2u * HALF + 2u * w;
    query[w] = vec2<f32>(qkv[at], qkv[at + 1u]);
  }
  for (var i = t; i < ACC; i += T) {
    acc[i] = vec2<f32>(0.0);
  }
  workgroupBarrier();

  var top = LOWEST;
  var sum = 0.0;
  for (var start = first; start < end; start += TILE) {
    let n = min(TILE, end - start);
    for (var k = t; k < n; k += T) {
      var s = LOWEST;
      if (in_branch(row, start + k)) {
        s = score(cell_of(row, start + k) * cell_words + k_at);
      }
      scores[k] = s;
    }
    workgroupBarrier();
    let last_top = top;
    for (var k = 0u; k < n; k++) {
      top = max(top, scores[k]);
    }
    for (var k = t; k < n; k += T) {
      weights[k] = select(0.0, exp(min(scores[k] - top, 0.0)), scores[k] > LOWEST);
      cells[k] = cell_of(row, start + k);
    }
    workgroupBarrier();
    let shrink = exp(last_top - top);
    sum *= shrink;
    for (var k = 0u; k < n; k++) {
      sum += weights[k];
    }
    for (var i = t; i < ACC; i += T) {
      var a = acc[i] * shrink;
      for (var k = i / HALF; k < n; k += GROUPS) {
        // A masked cell may never have been written, and zero times NaN is NaN.
        if (weights[k] > 0.0) {
          a += weights[k] * half2(kv[cells[k] * cell_words + v_at + i % HALF]);
        }
      }
      acc[i] = a;
    }
  }
  workgroupBarrier();
  let norm = select(0.0, 1.0 / max(sum, 1e-30), sum > 0.0);
  for (var w = t; w < HALF; w += T) {
    var a = vec2<f32>(0.0);
    for (var g = 0u; g < GROUPS; g++) {
      a += acc[g * HALF + w];
    }
    let at = row * p.out_stride + wg.x * 2u * HALF + 2u * w;
    out[at] = a.x * norm;
    out[at + 1u] = a.y * norm;
  }
}
