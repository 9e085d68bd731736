//! What an adapter is and what it can do: values, probed once, never Cargo features.

/// Who the adapter says it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AdapterInfo {
    /// Name, such as `llvmpipe (LLVM 15.0.6, 256 bits)`.
    pub name: String,
    /// `vulkan`, `metal`, `dx12`, `webgpu` or `cpu`.
    pub backend: &'static str,
    /// Kind of hardware.
    pub kind: AdapterKind,
    /// Driver name and version, if known.
    pub driver: String,
}

/// Kind of hardware behind an adapter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AdapterKind {
    /// A card with its own memory.
    Discrete,
    /// A GPU that shares the system's memory.
    Integrated,
    /// A GPU of a virtual machine.
    Virtual,
    /// A software implementation of a GPU API.
    Software,
    /// The CPU by this project's own code.
    Cpu,
    /// Not said.
    Unknown,
}

impl AdapterKind {
    /// Lower-case name for reports.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Discrete => "discrete",
            Self::Integrated => "integrated",
            Self::Virtual => "virtual",
            Self::Software => "software",
            Self::Cpu => "cpu",
            Self::Unknown => "unknown",
        }
    }
}

/// Limits and optional features of an open device.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caps {
    /// Largest buffer in bytes.
    pub max_buffer: u64,
    /// Largest range of a buffer that one binding can show a shader, in bytes.
    pub max_binding: u64,
    /// Workgroup memory in bytes.
    pub max_workgroup_bytes: u32,
    /// Invocations per workgroup.
    pub max_invocations: u32,
    /// Storage buffers per shader stage.
    pub max_storage_buffers: u32,
    /// Smallest and largest subgroup, where the device has them.
    pub subgroups: Option<(u32, u32)>,
    /// 16-bit float arithmetic.
    pub f16: bool,
    /// Products of four bytes in one instruction's notation: WGSL's `packed_4x8_integer_dot_product`.
    pub packed_dot: bool,
}
