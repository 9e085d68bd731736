// A tile of halves: as common/tile/float, in half of its memory. Both sides are rounded to 11 bits on their way into it, products
// and sums are floats. What is beyond 65504 becomes infinite, and so an error of its own instead of a wrong token.
import common/chunk;
import common/dequant/all;
import common/many;

const STEPS = 8u;

alias Strip = vec4<f32>;
alias Block = mat4x4<f32>;

var<workgroup> w_tile: array<vec4<f16>, 512>; // [64 rows][8 words]
var<workgroup> x_tile: array<vec4<f16>, 512>; // [64 columns][8 words]

fn put_w(t: u32, g: u32, c: u32) {
  let v = dequant(g, c, t % 8u);
  let at = t * 8u;
  let s = t % 8u;
  w_tile[at + s] = vec4<f16>(v.v0);
  w_tile[at + (s ^ 1u)] = vec4<f16>(v.v1);
  w_tile[at + (s ^ 2u)] = vec4<f16>(v.v2);
  w_tile[at + (s ^ 3u)] = vec4<f16>(v.v3);
  w_tile[at + (s ^ 4u)] = vec4<f16>(v.v4);
  w_tile[at + (s ^ 5u)] = vec4<f16>(v.v5);
  w_tile[at + (s ^ 6u)] = vec4<f16>(v.v6);
  w_tile[at + (s ^ 7u)] = vec4<f16>(v.v7);
}

fn put_x(t: u32, from_word: u32) {
  for (var j = 0u; j < 8u; j++) {
    x_tile[t * 8u + (j ^ (t % 8u))] = vec4<f16>(x[from_word + j]);
  }
}

// Strip a + 8·i, word j.
fn row(a: u32, i: u32, j: u32) -> Strip {
  return vec4<f32>(w_tile[a * 8u + (j ^ a) + 64u * i]);
}

// Columns b + 32·part + {0, 8, 16, 24}, word j.
fn block(b: u32, part: u32, j: u32) -> Block {
  let at = (b + 32u * part) * 8u + (j ^ b);
  return mat4x4<f32>(vec4<f32>(x_tile[at]), vec4<f32>(x_tile[at + 64u]), vec4<f32>(x_tile[at + 128u]), vec4<f32>(x_tile[at + 192u]));
}

fn product(w: Strip, v: Block) -> vec4<f32> {
  return w * v;
}
