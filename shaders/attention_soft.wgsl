// As attention with many rows, for lavapipe: a thread is a query, the eight threads are a subgroup, and the lanes load words of
// eight keys, which they pass round. There a load from a buffer costs some 70 instructions whatever the address, and as much
// work follows it here as eight queries have; attention by heads spends a load on each word of each key of each query.
// Heads that share a key head are neighbours: query i of the key head is row i / group, head i % group of it.
// Rows of one sequence that follow each other see the same cells: the keys are gone through once for each such run, from the
// first entry that a row of the run sees to the last. Statistics in f32.
// ROWS_ONE serves a step of one row: it norms and rotates query and key first, and stores key and value. No other workgroup waits
// for the store: the row's own entry is taken from where it was made.
// Grid: x = key heads, y = ⌈max_rows·group/8⌉.
import common/step;
import common/cell;
import common/visible;
@if(ROWS_ONE)
import common/own_entry;

const LANES = 8u;
@if(ROWS_ONE)
const T = LANES;
const HALF = 128u; // most pairs of a head

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
@if(ROWS_MANY)
@group(0) @binding(1) var<storage, read> kv: array<u32>;
@if(ROWS_ONE)
@group(0) @binding(1) var<storage, read_write> kv: array<u32>;
@group(0) @binding(2) var<storage, read> table: array<u32>;
@group(0) @binding(3) var<storage, read> step: Step;
@group(0) @binding(4) var<storage, read_write> out: array<f32>;
@if(ROWS_MANY)
@group(0) @binding(5) var<uniform> p: P;
@if(ROWS_ONE)
@group(0) @binding(5) var<storage, read> qk_norm: array<f32>;
@if(ROWS_ONE)
@group(0) @binding(6) var<storage, read> rope: array<vec2<f32>>;  // [position][n_rot / 2] cos, sin
@if(ROWS_ONE)
@group(0) @binding(7) var<uniform> p: P;

// Of eight keys, one number each.
struct Eight {
  a: vec4<f32>,
  b: vec4<f32>,
}

// What the lanes hold, in every lane.
fn spread(v: f32) -> Eight {
  return Eight(
    vec4<f32>(subgroupBroadcast(v, 0u), subgroupBroadcast(v, 1u), subgroupBroadcast(v, 2u), subgroupBroadcast(v, 3u)),
    vec4<f32>(subgroupBroadcast(v, 4u), subgroupBroadcast(v, 5u), subgroupBroadcast(v, 6u), subgroupBroadcast(v, 7u)),
  );
}

// Entries that a query sees.
struct Sight {
  lo: u32,
  hi: u32,
  branch: Branch,
}

fn sees(sight: Sight, i: u32) -> bool {
  return i >= sight.lo && i < sight.hi && is_ancestor(sight.branch, i);
}

@compute @workgroup_size(8)
fn main(@builtin(subgroup_invocation_id) t: u32, @builtin(workgroup_id) wg: vec3<u32>) {
  let n_rows = min(step.n_rows, p.max_rows);
  let group = p.n_head / p.n_head_kv;
  let first = wg.y * LANES;
  if (first >= n_rows * group) {
    return;
  }
  // Behind the last query: the last one again, which is not stored.
  let query = min(first + t, n_rows * group - 1u);
  let row = query / group;
  let row_end = (min(first + LANES, n_rows * group) - 1u) / group + 1u;

  // A bound that no compiler knows: unrolled, the loops below take lavapipe seconds to compile.
  let half = p.half;
  let cell_words = (KEY_WORDS + 1u) * p.n_head_kv * half;
  let k_at = wg.x * half * KEY_WORDS;
  let v_at = (p.n_head_kv * KEY_WORDS + wg.x) * half;
  var q: array<vec2<f32>, HALF>;
  var acc: array<vec2<f32>, HALF>;
  let q_at = row * p.stride + (wg.x * group + query % group) * 2u * half;
  @if(ROWS_ONE) {
    prepare_own(t, wg.x, wg.y == 0u);
    workgroupBarrier();
  }
  @if(ROWS_ONE)
  let q_scale = inverse_rms(q_at);
  for (var w = 0u; w < half; w++) {
    @if(ROWS_ONE) {
      q[w] = turned_pair(q_at, 0u, q_scale, w);
    }
    @if(ROWS_MANY) {
      q[w] = vec2<f32>(qkv[q_at + 2u * w], qkv[q_at + 2u * w + 1u]);
    }
    acc[w] = vec2<f32>(0.0);
  }
  // Entries in the row's own cell: one, unless a table names it twice.
  @if(ROWS_ONE)
  var own = 0.0;
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
    let in_run = row >= run && row < end;
    let sight = Sight(first_entry(row), select(0u, end_entry(row), in_run), branch_of(row));
    for (var start = lo; start < hi; start += LANES) {
      let entry = cell_of(run, start + t);
      let cell = entry * cell_words;
      var s = Eight();
      for (var w = 0u; w < half; w++) {
        let k = key(cell + k_at, w);
        let x = spread(k.x);
        let y = spread(k.y);
        s.a += x.a * q[w].x + y.a * q[w].y;
        s.b += x.b * q[w].x + y.b * q[w].y;
      }
      @if(ROWS_ONE)
      let owned = spread(select(0.0, 1.0, entry == own_cell));
      var weights = Eight();
      var tops = top;
      for (var i = 0u; i < 4u; i++) {
        var sees_a = sees(sight, start + i);
        var sees_b = sees(sight, start + 4u + i);
        @if(ROWS_ONE) {
          own += select(0.0, owned.a[i], sees_a) + select(0.0, owned.b[i], sees_b);
          sees_a = sees_a && owned.a[i] == 0.0;
          sees_b = sees_b && owned.b[i] == 0.0;
        }
        weights.a[i] = select(LOWEST, capped(s.a[i] * p.scale), sees_a);
        weights.b[i] = select(LOWEST, capped(s.b[i] * p.scale), sees_b);
        tops = max(tops, max(weights.a[i], weights.b[i]));
      }
      let shrink = exp(top - tops);
      top = tops;
      weights.a = select(vec4<f32>(0.0), exp(min(weights.a - top, vec4<f32>(0.0))), weights.a > vec4<f32>(LOWEST));
      weights.b = select(vec4<f32>(0.0), exp(min(weights.b - top, vec4<f32>(0.0))), weights.b > vec4<f32>(LOWEST));
      sum = sum * shrink + dot(weights.a + weights.b, vec4<f32>(1.0));
      for (var w = 0u; w < half; w++) {
        let word = half2(kv[cell + v_at + w]);
        // A masked cell may never have been written, and zero times NaN is NaN.
        let v = select(vec2<f32>(0.0), word, abs(word) <= vec2<f32>(65504.0));
        let x = spread(v.x);
        let y = spread(v.y);
        acc[w] = acc[w] * shrink
          + vec2<f32>(dot(weights.a, x.a) + dot(weights.b, x.b), dot(weights.a, y.a) + dot(weights.b, y.b));
      }
    }
    run = end;
  }
  @if(ROWS_ONE)
  if (own > 0.0) {
    var dots = vec2<f32>(0.0);
    for (var w = 0u; w < half; w++) {
      dots += own_key[w] * q[w];
    }
    let s = capped((dots.x + dots.y) * p.scale);
    if (s > LOWEST) {
      let shrink = exp(min(top - s, 0.0));
      let weight = own * exp(min(s - top, 0.0));
      sum = sum * shrink + weight;
      for (var w = 0u; w < half; w++) {
        acc[w] = acc[w] * shrink + weight * half2(own_value[w]);
      }
    }
  }
  if (first + t < n_rows * group) {
    let norm = select(0.0, 1.0 / max(sum, 1e-30), sum > 0.0);
    let at = row * p.out_stride + (wg.x * group + query % group) * 2u * half;
    for (var w = 0u; w < half; w++) {
      out[at + 2u * w] = acc[w].x * norm;
      out[at + 2u * w + 1u] = acc[w].y * norm;
    }
  }
}
