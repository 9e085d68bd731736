//! What `cargo xtask gen` knows of a shader after expansion, validation and reflection.

use crate::generated::SHADERS;

/// Index of a shader variant in [`SHADERS`]; the constants of `generated::id` name them all.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ShaderId(pub u16);

impl ShaderId {
    /// The reflected description of this variant.
    #[must_use]
    pub fn shader(self) -> &'static Shader {
        &SHADERS[self.0 as usize]
    }

    /// The variant called `name`, such as `matmul_vec_q4`; for forcing a variant from outside.
    #[must_use]
    pub fn by_name(name: &str) -> Option<Self> {
        SHADERS.iter().position(|s| s.name == name).and_then(|i| u16::try_from(i).ok()).map(Self)
    }
}

/// One validated variant of one kernel.
#[derive(Debug)]
pub struct Shader {
    /// Variant name: the kernel's name and the values of its axes, joined by `_`.
    pub name: &'static str,
    /// Kernel name: the file's stem, and the key of the CPU twin.
    pub kernel: &'static str,
    /// WGSL text with imports and conditions expanded; entry point `main`.
    pub wgsl: &'static str,
    /// Workgroup size with every override at its default.
    pub workgroup_size: [u32; 3],
    /// Bindings of group 0, ascending by index.
    pub bindings: &'static [Binding],
    /// Override constants, by name.
    pub overrides: &'static [Override],
    /// Optional device features that this variant cannot run without.
    pub needs: &'static [Feature],
    /// Workgroup memory in bytes with every override at its default.
    pub workgroup_bytes: u32,
    /// Fields of the uniform parameter struct, if there is one.
    pub uniform: &'static [UniformField],
}

/// One binding of group 0.
#[derive(Debug)]
pub struct Binding {
    /// `@binding(index)`.
    pub index: u32,
    /// Name in the WGSL text.
    pub name: &'static str,
    /// How the shader may touch it.
    pub kind: BindingKind,
    /// Smallest size in bytes that the type admits.
    pub min_size: u32,
}

/// How a shader may touch a binding.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BindingKind {
    /// `var<storage, read>`
    Read,
    /// `var<storage, read_write>`
    ReadWrite,
    /// `var<uniform>`
    Uniform,
}

/// One override constant.
#[derive(Debug)]
pub struct Override {
    /// Name in the WGSL text.
    pub name: &'static str,
    /// Default value; none means that every dispatch has to set it.
    pub default: Option<f64>,
}

/// A capability that a variant may need beyond WebGPU's core.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Feature {
    /// `shader-f16`
    F16,
    /// `subgroups`
    Subgroups,
    /// `packed_4x8_integer_dot_product`
    PackedDot,
}

/// One field of a uniform struct as reflected from WGSL; a test compares it with the Rust struct.
#[derive(Debug)]
pub struct UniformField {
    /// Field name.
    pub name: &'static str,
    /// Byte offset.
    pub offset: u32,
    /// Byte size.
    pub size: u32,
}
