// Absolute error below 2e-7; the built-in may err by 1e-5, or give NaN beyond 88.
fn soft_tanh(v: f32) -> f32 {
  let e = exp(-2.0 * min(abs(v), 15.0));
  return sign(v) * ((1.0 - e) / (1.0 + e));
}

fn silu(v: f32) -> f32 {
  return v / (1.0 + exp(clamp(-v, -80.0, 80.0)));
}

// The tanh form, as in GPT-2 and Gemma.
fn gelu_tanh(v: f32) -> f32 {
  return 0.5 * v * (1.0 + soft_tanh(0.7978845608 * (v + 0.044715 * v * v * v)));
}

// kind: 0 none, 1 SiLU, 2 GELU by tanh.
fn activate(kind: u32, v: f32) -> f32 {
  if (kind == 1u) {
    return silu(v);
  }
  if (kind == 2u) {
    return gelu_tanh(v);
  }
  return v;
}
