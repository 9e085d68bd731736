// A chunk of the one column of matmul_soft, loaded by the eight lanes of a subgroup: a word each.
// Bindings of the kernel: x, norm; p.flags, p.n_chunk.
import common/chunk;

// Variables and functions as in common/soft/column.
var<private> column: Chunk;
var<private> column_total: vec2<f32>;

// Here a lane knows the squares of its own word.
fn load_column(at: u32, w: u32, r: u32) -> f32 {
  var own = x[at + r];
  var square = 0.0;
  if ((p.flags & NORM) != 0u) {
    square = dot(own, own);
    own *= norm[w + r];
  }
  let sum = dot(own, ONE);
  column_total.x = subgroupBroadcast(sum, 0u) + subgroupBroadcast(sum, 1u) + subgroupBroadcast(sum, 2u) + subgroupBroadcast(sum, 3u);
  column_total.y = subgroupBroadcast(sum, 4u) + subgroupBroadcast(sum, 5u) + subgroupBroadcast(sum, 6u) + subgroupBroadcast(sum, 7u);
  // Always so. What is set under a condition stays in memory; else lavapipe spreads it again for every group of rows.
  if (p.n_chunk != 0u) {
    column = Chunk(subgroupBroadcast(own, 0u), subgroupBroadcast(own, 1u), subgroupBroadcast(own, 2u), subgroupBroadcast(own, 3u),
      subgroupBroadcast(own, 4u), subgroupBroadcast(own, 5u), subgroupBroadcast(own, 6u), subgroupBroadcast(own, 7u));
  }
  return square;
}

fn whole_sum(part: f32) -> f32 {
  return subgroupAdd(part);
}
