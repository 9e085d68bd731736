// A chunk of the one column of matmul_soft, loaded by every thread for itself.
// Bindings of the kernel: x, norm; p.flags.
import common/chunk;

var<private> column: Chunk; // times the norm's weights
var<private> column_total: vec2<f32>; // sums of its halves

const ONES = Chunk(ONE, ONE, ONE, ONE, ONE, ONE, ONE, ONE);

// Words from `at` of x and from `w` of the norm. Returns what this thread adds to the sum of squares.
fn load_column(at: u32, w: u32, r: u32) -> f32 {
  var v = Chunk(x[at], x[at + 1u], x[at + 2u], x[at + 3u], x[at + 4u], x[at + 5u], x[at + 6u], x[at + 7u]);
  var square = 0.0;
  if ((p.flags & NORM) != 0u) {
    square = chunk_dot(v, v);
    v = chunk_mul(v, Chunk(norm[w], norm[w + 1u], norm[w + 2u], norm[w + 3u],
      norm[w + 4u], norm[w + 5u], norm[w + 6u], norm[w + 7u]));
  }
  column = v;
  column_total = half_dots(v, ONES);
  return square;
}

// The sum over what all threads have of a column.
fn whole_sum(part: f32) -> f32 {
  return part;
}
