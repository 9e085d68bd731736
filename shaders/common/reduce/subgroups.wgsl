// Functions as in common/reduce/threads: over the lanes of a subgroup first, then over the subgroups in workgroup memory.
// Lanes of a subgroup are neighbours; WGSL does not promise it, the self-test shows it.
var<workgroup> max_parts: array<f32, T>;
var<workgroup> sum_parts: array<f32, T>;

fn max_over_threads(t: u32, own: f32) -> f32 {
  let lanes = subgroupAdd(1u);
  max_parts[t / lanes] = subgroupMax(own);
  workgroupBarrier();
  var top = max_parts[0];
  for (var k = 1u; k < T / lanes; k++) {
    top = max(top, max_parts[k]);
  }
  return top;
}

fn sum_over_threads(t: u32, own: f32) -> f32 {
  let lanes = subgroupAdd(1u);
  sum_parts[t / lanes] = subgroupAdd(own);
  workgroupBarrier();
  var sum = 0.0;
  for (var k = 0u; k < T / lanes; k++) {
    sum += sum_parts[k];
  }
  return sum;
}
