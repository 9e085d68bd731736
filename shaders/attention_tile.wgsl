// As attention with many rows, by tiles: QUERIES queries of one key head by KEYS keys in workgroup memory, so that keys and
// values are read once for as many queries. A query is a head of a row; heads that share a key head are neighbours:
// query i of the key head is row i / group, head i % group of it.
// Rows of one sequence that follow each other see the same cells: a tile goes through its keys once for each such run, from
// the first entry that a row of the run sees to the last. Statistics in f32, one thread a query; keys and values take turns
// in one tile. Its rows are a word longer than they need, which spreads the reads of neighbouring keys over the banks.
// Bounds of loops with barriers come from workgroup ids and read-only storage alone: they are uniform.
// Grid: x = key heads, y = ⌈max_rows·group/QUERIES⌉.
import common/step;
import common/cell;
import common/visible;

override HALF: u32 = 32u;      // head_dim / 2
override QUERIES: u32 = 32u;   // even, at most T
override KEYS: u32 = 16u;
override Q_WORDS: u32 = 1024u; // QUERIES * HALF, at most 16 * T
override K_WORDS: u32 = 528u;  // KEYS * (HALF + 1)
override SCORES: u32 = 512u;   // QUERIES * KEYS

const T = 64u;
const OWNED = 16u; // pairs of sums a thread

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
  max_rows: u32,
  half: u32,
}

@group(0) @binding(0) var<storage, read> qkv: array<f32>;
@group(0) @binding(1) var<storage, read> kv: array<u32>;
@group(0) @binding(2) var<storage, read> table: array<u32>;
@group(0) @binding(3) var<storage, read> step: Step;
@group(0) @binding(4) var<storage, read_write> out: array<f32>;
@group(0) @binding(5) var<uniform> p: P;

var<workgroup> queries: array<vec2<f32>, Q_WORDS>;
var<workgroup> tile: array<vec2<f32>, K_WORDS>;  // keys, then values
var<workgroup> scores: array<f32, SCORES>;       // [query][key], then their weights
var<workgroup> shrinks: array<f32, T>;
var<workgroup> sums: array<f32, T>;

// Whether row, of the run [run, end), sees entry i.
fn sees(row: u32, run: u32, end: u32, i: u32) -> bool {
  return row >= run && row < end && i >= first_entry(row) && i < end_entry(row) && in_branch(row, i);
}

@compute @workgroup_size(T)
fn main(@builtin(local_invocation_index) t: u32, @builtin(workgroup_id) wg: vec3<u32>) {
  let n_rows = min(step.n_rows, p.max_rows);
  let group = p.n_head / p.n_head_kv;
  let first = wg.y * QUERIES;
  if (first >= n_rows * group) {
    return;
  }
  let row_end = min((first + QUERIES - 1u) / group + 1u, n_rows);
  let cell_words = (KEY_WORDS + 1u) * p.n_head_kv * HALF;
  let k_at = wg.x * HALF * KEY_WORDS;
  let v_at = (p.n_head_kv * KEY_WORDS + wg.x) * HALF;

  for (var i = t; i < Q_WORDS; i += T) {
    let query = first + i / HALF;
    // Behind the last row: the last row again, which is not stored.
    let row = min(query / group, n_rows - 1u);
    let at = row * p.stride + (wg.x * group + query % group) * 2u * HALF + 2u * (i % HALF);
    queries[i] = vec2<f32>(qkv[at], qkv[at + 1u]);
  }
  var acc: array<vec2<f32>, OWNED>;
  for (var o = 0u; o < OWNED; o++) {
    acc[o] = vec2<f32>(0.0);
  }
  // Of query t.
  var top = LOWEST;
  var sum = 0.0;

  var run = first / group;
  while (run < row_end) {
    var end = run + 1u;
    var lo = first_entry(run);
    var hi = end_entry(run);
    while (end < row_end && step.rows[end].table == step.rows[run].table && step.rows[end].base == step.rows[run].base) {
      lo = min(lo, first_entry(end));
      hi = max(hi, end_entry(end));
      end++;
    }
    for (var start = lo; start < hi; start += KEYS) {
      // Nobody still reads the tile and the weights of the last one.
      workgroupBarrier();
      for (var i = t; i < KEYS * HALF; i += T) {
        let cell = cell_of(run, start + i / HALF);
        tile[i / HALF * (HALF + 1u) + i % HALF] = key(cell * cell_words + k_at, i % HALF);
      }
      workgroupBarrier();
      // Two queries a key: a word of the key is read once for both.
      for (var i = t; i < SCORES / 2u; i += T) {
        let k = i % KEYS;
        let q = i / KEYS * 2u;
        let from_k = k * (HALF + 1u);
        var even = vec2<f32>(0.0);
        var odd = vec2<f32>(0.0);
        for (var w = 0u; w < HALF; w++) {
          even += tile[from_k + w] * queries[q * HALF + w];
          odd += tile[from_k + w] * queries[(q + 1u) * HALF + w];
        }
        let a = capped((even.x + even.y) * p.scale);
        let b = capped((odd.x + odd.y) * p.scale);
        scores[q * KEYS + k] = select(LOWEST, a, sees((first + q) / group, run, end, start + k));
        scores[(q + 1u) * KEYS + k] = select(LOWEST, b, sees((first + q + 1u) / group, run, end, start + k));
      }
      workgroupBarrier();
      if (t < QUERIES) {
        let last_top = top;
        for (var k = 0u; k < KEYS; k++) {
          top = max(top, scores[t * KEYS + k]);
        }
        let shrink = exp(last_top - top);
        sum *= shrink;
        for (var k = 0u; k < KEYS; k++) {
          let s = scores[t * KEYS + k];
          let weight = select(0.0, exp(min(s - top, 0.0)), s > LOWEST);
          scores[t * KEYS + k] = weight;
          sum += weight;
        }
        shrinks[t] = shrink;
      }
      for (var i = t; i < KEYS * HALF; i += T) {
        let cell = cell_of(run, start + i / HALF);
        tile[i / HALF * (HALF + 1u) + i % HALF] = half2(kv[cell * cell_words + v_at + i % HALF]);
      }
      workgroupBarrier();
      for (var o = 0u; o < OWNED; o++) {
        let i = o * T + t;
        if (i < Q_WORDS) {
          let q = i / HALF;
          var a = acc[o] * shrinks[q];
          for (var k = 0u; k < KEYS; k++) {
            let weight = scores[q * KEYS + k];
            // A masked cell may never have been written, and zero times NaN is NaN.
            if (weight > 0.0) {
              a += weight * tile[k * (HALF + 1u) + i % HALF];
            }
          }
          acc[o] = a;
        }
      }
    }
    run = end;
  }
  sums[t] = sum;
  workgroupBarrier();
  for (var o = 0u; o < OWNED; o++) {
    let i = o * T + t;
    let query = first + i / HALF;
    if (i < Q_WORDS && query < n_rows * group) {
      let total = sums[i / HALF];
      let norm = select(0.0, 1.0 / max(total, 1e-30), total > 0.0);
      let at = query / group * p.out_stride + (wg.x * group + query % group) * 2u * HALF + 2u * (i % HALF);
      out[at] = acc[o].x * norm;
      out[at + 1u] = acc[o].y * norm;
    }
  }
}
