// out[row][head] = softmax(scale * q.k) v over the entries that the row sees, in one pass with a running maximum.
// Grid: x = query heads, y = rows. A tile is TILE keys: each thread scores its own keys, then the threads split the words of
// the head, GROUPS threads to a word, each taking every GROUPS-th key. Two barriers a tile, in its two reductions.
// ROWS_ONE serves a step of one row: it norms and rotates the query and its own key first, and stores key and value. Other
// workgroups do not wait for the store: each makes its own entry by itself and reads all others from the cache.
// ROWS_SPLIT is ROWS_ONE for long contexts: grid z = SPLITS workgroups share a head's tiles, and attention_merge joins them.
// Statistics in f32. Masked scores hold a finite lowest value, so a row that sees nothing gives zeros.
import common/step;
import common/cell;
import common/visible;
@if(!SUBGROUP)
import common/reduce/threads;
@if(SUBGROUP)
import common/reduce/subgroups;
@if(ROWS_ONE || ROWS_SPLIT)
import common/own_entry;

override T: u32 = 64u;
override TILE: u32 = 64u;
override HALF: u32 = 32u;    // head_dim / 2
override GROUPS: u32 = 2u;   // max(1, T / HALF)
override ACC: u32 = 64u;     // HALF * GROUPS
@if(ROWS_SPLIT)
override SPLITS: u32 = 8u;

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
  n_rot: u32,
  n_pos: u32,
  eps: f32,
  max_rows: u32, // the grid has as many
  half: u32,     // head_dim / 2
}

@group(0) @binding(0) var<storage, read> qkv: array<f32>;
@if(ROWS_MANY)
@group(0) @binding(1) var<storage, read> kv: array<u32>;
@if(ROWS_ONE || ROWS_SPLIT)
@group(0) @binding(1) var<storage, read_write> kv: array<u32>;
@group(0) @binding(2) var<storage, read> table: array<u32>;
@group(0) @binding(3) var<storage, read> step: Step;
@group(0) @binding(4) var<storage, read_write> out: array<f32>;
@if(ROWS_MANY)
@group(0) @binding(5) var<uniform> p: P;
@if(ROWS_ONE || ROWS_SPLIT)
@group(0) @binding(5) var<storage, read> qk_norm: array<f32>;
@if(ROWS_ONE || ROWS_SPLIT)
@group(0) @binding(6) var<storage, read> rope: array<vec2<f32>>;  // [position][n_rot / 2] cos, sin
@if(ROWS_ONE || ROWS_SPLIT)
@group(0) @binding(7) var<uniform> p: P;

var<workgroup> query: array<vec2<f32>, HALF>;
var<workgroup> scores: array<f32, TILE>;
var<workgroup> masses: array<f32, TILE>;
var<workgroup> cells: array<u32, TILE>;
var<workgroup> acc: array<vec2<f32>, ACC>;

fn score(cell: u32, k_from: u32) -> f32 {
  var dots = vec2<f32>(0.0);
  @if(ROWS_ONE || ROWS_SPLIT)
  if (cell == own_cell) {
    for (var w = 0u; w < HALF; w++) {
      dots += own_key[w] * query[w];
    }
    return capped((dots.x + dots.y) * p.scale);
  }
  for (var w = 0u; w < HALF; w++) {
    dots += key(k_from, w) * query[w];
  }
  return capped((dots.x + dots.y) * p.scale);
}

fn value(cell: u32, v_from: u32, w: u32) -> vec2<f32> {
  @if(ROWS_ONE || ROWS_SPLIT)
  if (cell == own_cell) {
    return half2(own_value[w]);
  }
  return half2(kv[v_from + w]);
}

// Word w of the sum over the groups of threads.
fn total(w: u32) -> vec2<f32> {
  var a = vec2<f32>(0.0);
  for (var g = 0u; g < GROUPS; g++) {
    a += acc[g * HALF + w];
  }
  return a;
}

@compute @workgroup_size(T)
fn main(@builtin(local_invocation_index) t: u32, @builtin(workgroup_id) wg: vec3<u32>) {
  let row = wg.y;
  if (row >= step.n_rows) {
    return;
  }
  let cell_words = (KEY_WORDS + 1u) * p.n_head_kv * HALF;
  let head_kv = wg.x / (p.n_head / p.n_head_kv);
  let k_at = head_kv * HALF * KEY_WORDS;
  let v_at = (p.n_head_kv * KEY_WORDS + head_kv) * HALF;
  let first = first_entry(row);
  let end = end_entry(row);

  @if(ROWS_ONE || ROWS_SPLIT) {
    prepare_own(t, head_kv, wg.z == 0u && wg.x % (p.n_head / p.n_head_kv) == 0u);
    let q_at = wg.x * 2u * HALF;
    let q_scale = inverse_rms(q_at);
    for (var w = t; w < HALF; w += T) {
      query[w] = turned_pair(q_at, 0u, q_scale, w);
    }
  }
  @if(ROWS_MANY)
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
  @if(ROWS_SPLIT)
  let begin = first + wg.z * TILE;
  @if(ROWS_SPLIT)
  let stride = SPLITS * TILE;
  @if(ROWS_MANY || ROWS_ONE)
  let begin = first;
  @if(ROWS_MANY || ROWS_ONE)
  let stride = TILE;
  for (var start = begin; start < end; start += stride) {
    let n = min(TILE, end - start);
    var own_top = top;
    for (var k = t; k < n; k += T) {
      var s = LOWEST;
      if (in_branch(row, start + k)) {
        let cell = cell_of(row, start + k);
        s = score(cell, cell * cell_words + k_at);
      }
      scores[k] = s;
      own_top = max(own_top, s);
    }
    let last_top = top;
    top = max_over_threads(t, own_top);
    var own_mass = 0.0;
    for (var k = t; k < n; k += T) {
      let mass = select(0.0, exp(min(scores[k] - top, 0.0)), scores[k] > LOWEST);
      masses[k] = mass;
      own_mass += mass;
      cells[k] = cell_of(row, start + k);
    }
    let shrink = exp(last_top - top);
    sum = sum * shrink + sum_over_threads(t, own_mass);
    for (var i = t; i < ACC; i += T) {
      var a = acc[i] * shrink;
      for (var k = i / HALF; k < n; k += GROUPS) {
        // A masked cell may never have been written, and zero times NaN is NaN.
        if (masses[k] > 0.0) {
          a += masses[k] * value(cells[k], cells[k] * cell_words + v_at, i % HALF);
        }
      }
      acc[i] = a;
    }
  }
  workgroupBarrier();
  @if(ROWS_SPLIT) {
    let part = (wg.x * SPLITS + wg.z) * (2u * HALF + 2u);
    for (var w = t; w < HALF; w += T) {
      let a = total(w);
      out[part + 2u * w] = a.x;
      out[part + 2u * w + 1u] = a.y;
    }
    if (t == 0u) {
      out[part + 2u * HALF] = top;
      out[part + 2u * HALF + 1u] = sum;
    }
  }
  @if(ROWS_MANY || ROWS_ONE) {
    let norm = select(0.0, 1.0 / max(sum, 1e-30), sum > 0.0);
    for (var w = t; w < HALF; w += T) {
      let a = total(w);
      let at = row * p.out_stride + wg.x * 2u * HALF + 2u * w;
      out[at] = a.x * norm;
      out[at + 1u] = a.y * norm;
    }
  }
}
