//! Which twin belongs to which kernel.

use super::Twin;
use crate::shader::ShaderId;

/// The CPU twin of a variant's kernel.
#[must_use]
pub fn twin(shader: ShaderId) -> Option<Twin> {
    match shader.shader().kernel {
        _ => None,
    }
}
