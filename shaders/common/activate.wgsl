import common/activation;

override ACT: u32 = 0u; // 0 none, 1 SiLU, 2 GELU by tanh

fn activate(v: f32) -> f32 {
  if (ACT == 1u) {
    return silu(v);
  }
  if (ACT == 2u) {
    return gelu_tanh(v);
  }
  return v;
}
