// Reductions over the T threads of a workgroup, which all get the result: each folds the parts of all in one order. One
// barrier each; between two of the same kind the kernel has another.
var<workgroup> max_parts: array<f32, T>;
var<workgroup> sum_parts: array<f32, T>;

fn max_over_threads(t: u32, own: f32) -> f32 {
  max_parts[t] = own;
  workgroupBarrier();
  var top = max_parts[0];
  for (var k = 1u; k < T; k++) {
    top = max(top, max_parts[k]);
  }
  return top;
}

fn sum_over_threads(t: u32, own: f32) -> f32 {
  sum_parts[t] = own;
  workgroupBarrier();
  var sum = 0.0;
  for (var k = 0u; k < T; k++) {
    sum += sum_parts[k];
  }
  return sum;
}
