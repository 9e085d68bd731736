// x[row] = scale·E[token], or scale·Σ_j w_j·E[token_j] for a row with a mixture; SOURCE 1 looks up the position instead.
// A vocabulary matrix split by rows runs once per part: a token is written by the part that holds it, a mixture is written by
// the first part and added to by the others. A row with mix_len IDENTITY keeps what the host wrote, but still gets its
// position embedding. Ids beyond the table are clamped.
// Grid: (⌈w_chunk/T⌉, max_rows, 1). Thread: one chunk of one row.
import common/chunk;
import common/dequant/all;
import common/step;

override ADD: bool = false; // add to x
override SOURCE: u32 = 0u; // 0 token or mixture, 1 position
override T: u32 = 64u;

struct P {
  w_chunk: u32, // n_embd / 32
  n_unit: u32,
  row0: u32, // first id of this part
  n_rows: u32, // ids of this part
  n_vocab: u32,
  n_mix: u32, // pairs that the mixture buffer holds
  first: u32, // 1 in the first part
  scale: f32,
}

@group(0) @binding(0) var<storage, read> wq: array<vec4<u32>>;
@group(0) @binding(1) var<storage, read> ws: array<u32>;
@group(0) @binding(2) var<storage, read> mixes: array<vec2<u32>>; // token, bits of the f32 weight
@group(0) @binding(3) var<storage, read> step: Step;
@group(0) @binding(4) var<storage, read_write> x: array<vec4<f32>>;
@group(0) @binding(5) var<uniform> p: P;

fn zero() -> Chunk {
  let z = vec4<f32>();
  return Chunk(z, z, z, z, z, z, z, z);
}

// Row of an id within this part; beyond n_rows if another part holds it.
fn part_row(id: u32) -> u32 {
  return min(id, p.n_vocab - 1u) - p.row0;
}

// A loop from an address stays a loop, in a tenth of the code.
fn put(at: u32, add: bool, v: Chunk) {
  var words = array<vec4<f32>, 8>(v.v0, v.v1, v.v2, v.v3, v.v4, v.v5, v.v6, v.v7);
  for (var i = at; i < at + 8u; i++) {
    var word = words[i % 8u] * p.scale;
    if (add) {
      word += x[i];
    }
    x[i] = word;
  }
}

@compute @workgroup_size(T)
fn main(@builtin(local_invocation_index) t: u32, @builtin(workgroup_id) wg: vec3<u32>) {
  let c = wg.x * T + t;
  if (wg.y >= step.n_rows || c >= p.w_chunk) {
    return;
  }
  let at = (wg.y * p.w_chunk + c) * 8u;
  let mix_len = select(step.rows[wg.y].mix_len, 0u, SOURCE == 1u);
  if (mix_len == IDENTITY) {
    return;
  }
  // A token is a mixture of one: dequant is much code, and compiled once.
  let mixed = mix_len > 0u;
  var begin = 0u;
  var end = 1u;
  if (mixed) {
    begin = min(step.rows[wg.y].mix_start, p.n_mix);
    end = begin + min(mix_len, p.n_mix - begin);
  }
  var sum = zero();
  var here = mixed;
  for (var i = begin; i < end; i++) {
    var id = select(step.rows[wg.y].token, step.rows[wg.y].pos, SOURCE == 1u);
    var w = 1.0;
    if (mixed) {
      id = mixes[i].x;
      w = bitcast<f32>(mixes[i].y);
    }
    let row = part_row(id);
    if (row < p.n_rows) {
      here = true;
      sum = chunk_add(sum, chunk_scale(dequant(row / 8u, c, row % 8u), w, w));
    }
  }
  if (here) {
    put(at, ADD || (mixed && p.first == 0u), sum);
  }
}
