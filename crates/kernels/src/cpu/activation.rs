//! Twins of `shaders/common/activation.wgsl`.

/// `tanh`; the shader's own form of it errs by less than 2e-7.
pub(crate) fn soft_tanh(v: f32) -> f32 {
    v.tanh()
}

pub(crate) fn silu(v: f32) -> f32 {
    v / (1.0 + (-v).clamp(-80.0, 80.0).exp())
}

pub(crate) fn gelu_tanh(v: f32) -> f32 {
    0.5 * v * (1.0 + soft_tanh(0.797_884_6 * (v + 0.044_715 * v * v * v)))
}
