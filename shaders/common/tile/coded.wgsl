// A tile of quants: weights as they are stored, and x quantised on its way in, each chunk of 32 of a column by a scale of its
// own. Scales and offsets come after the products of a chunk.
// Both are signed bytes, multiplied by four in integers, which are exact. The step of x is the chunk's largest magnitude over
// 127, rounded up to 7 bits by integer division, so that every device quantises alike: WGSL lets float division err.
// Each workgroup quantises its own columns: some 130 operations a thread and chunk, where its products take 700, and
// neither another dispatch nor a buffer for them.
import common/chunk;
import common/dequant/all;
import common/many;
import common/dequant/packed;

const STEPS = 1u;

alias Sixteen = vec4<u32>;

struct Strip {
  lo: Sixteen,
  hi: Sixteen,
  s: vec4<f32>, // as in Coded
}

// Four columns.
struct Block {
  lo0: Sixteen,
  lo1: Sixteen,
  lo2: Sixteen,
  lo3: Sixteen,
  hi0: Sixteen,
  hi1: Sixteen,
  hi2: Sixteen,
  hi3: Sixteen,
  scale: vec4<f32>,
  total_lo: vec4<f32>, // sums of the values of each half
  total_hi: vec4<f32>,
}

var<workgroup> w_tile: array<Sixteen, 128>; // [half][64 rows]
var<workgroup> w_scales: array<vec4<f32>, 64>;
var<workgroup> x_tile: array<Sixteen, 128>; // [half][64 columns]
var<workgroup> x_scales: array<vec4<f32>, 64>; // scale, sums of the values of each half

fn put_w(t: u32, g: u32, c: u32) {
  w_scales[t] = packed_scales(g, c, t % 8u);
  let q = packed(g, c, t % 8u);
  w_tile[t] = q.lo;
  w_tile[t + 64u] = q.hi;
}

// The bits of a magnitude are ordered as it is, and those of a NaN come last.
fn magnitudes(v: vec4<f32>) -> vec4<u32> {
  return bitcast<vec4<u32>>(v) & vec4<u32>(0x7fffffffu);
}

fn largest(v: Chunk) -> u32 {
  let m = max(max(max(magnitudes(v.v0), magnitudes(v.v1)), max(magnitudes(v.v2), magnitudes(v.v3))),
    max(max(magnitudes(v.v4), magnitudes(v.v5)), max(magnitudes(v.v6), magnitudes(v.v7))));
  return max(max(m.x, m.y), max(m.z, m.w));
}

fn bytes(v: vec4<f32>, inverse: f32) -> u32 {
  return pack4xI8(vec4<i32>(round(v * inverse)));
}

fn total(q: vec4<u32>) -> f32 {
  let ones = vec4<u32>(0x01010101u);
  return f32(dot16(q, ones));
}

fn put_x(t: u32, at: u32) {
  let v = Chunk(x[at], x[at + 1u], x[at + 2u], x[at + 3u], x[at + 4u], x[at + 5u], x[at + 6u], x[at + 7u]);
  let most = largest(v);
  let exponent = most >> 23u;
  // Below 2^-111 x is 0; from 2^118 it is 0 times what it is, which keeps infinities and NaNs from passing for numbers.
  let usable = exponent >= 16u && exponent < 245u;
  let steps = f32((127u << 16u) / (((most >> 16u) & 0x7fu) + 129u));
  let inverse = select(0.0, steps * bitcast<f32>((245u - min(exponent, 245u)) << 23u), usable);
  let scale = select(bitcast<f32>(most), 1.0 / inverse, usable);
  let lo = vec4<u32>(bytes(v.v0, inverse), bytes(v.v1, inverse), bytes(v.v2, inverse), bytes(v.v3, inverse));
  let hi = vec4<u32>(bytes(v.v4, inverse), bytes(v.v5, inverse), bytes(v.v6, inverse), bytes(v.v7, inverse));
  x_tile[t] = lo;
  x_tile[t + 64u] = hi;
  x_scales[t] = vec4<f32>(scale, scale * total(lo), scale * total(hi), 0.0);
}

// Strip a + 8·i; there is one step, 0.
fn row(a: u32, i: u32, j: u32) -> Strip {
  let at = a + 8u * i + j;
  return Strip(w_tile[at], w_tile[at + 64u], w_scales[at]);
}

// Columns b + 32·part + {0, 8, 16, 24}.
fn block(b: u32, part: u32, j: u32) -> Block {
  let at = b + 32u * part + j;
  let s = mat4x4<f32>(x_scales[at], x_scales[at + 8u], x_scales[at + 16u], x_scales[at + 24u]);
  let by_kind = transpose(s);
  return Block(x_tile[at], x_tile[at + 8u], x_tile[at + 16u], x_tile[at + 24u],
    x_tile[at + 64u], x_tile[at + 72u], x_tile[at + 80u], x_tile[at + 88u], by_kind[0], by_kind[1], by_kind[2]);
}

fn dot16(a: vec4<u32>, b: vec4<u32>) -> i32 {
  return dot4I8Packed(a.x, b.x) + dot4I8Packed(a.y, b.y) + dot4I8Packed(a.z, b.z) + dot4I8Packed(a.w, b.w);
}

fn product(w: Strip, v: Block) -> vec4<f32> {
  let lo = vec4<i32>(dot16(w.lo, v.lo0), dot16(w.lo, v.lo1), dot16(w.lo, v.lo2), dot16(w.lo, v.lo3));
  let hi = vec4<i32>(dot16(w.hi, v.hi0), dot16(w.hi, v.hi1), dot16(w.hi, v.hi2), dot16(w.hi, v.hi3));
  var sum: vec4<f32>;
  if (TWO_SCALES) {
    sum = v.scale * (w.s.x * vec4<f32>(lo) + w.s.y * vec4<f32>(hi));
  } else {
    sum = (v.scale * w.s.x) * vec4<f32>(lo + hi);
  }
  if (OFFSETS) {
    sum += w.s.z * v.total_lo + w.s.w * v.total_hi;
  }
  return sum;
}
