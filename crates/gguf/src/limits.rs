//! Every limit of the container, in one place. A file that passes them can still be refused by the model, which
//! checks the hyper-parameters and the tensor shapes.
//!
//! No real file comes near these numbers; each one bounds what a hostile file can make the reader do.

/// Bytes from the start of the file to the end of the last tensor description. The largest tokenizers take 20 MB.
pub const MAX_HEADER_BYTES: u64 = 256 << 20;

/// Metadata key-value pairs in one file.
pub const MAX_KEYS: u64 = 65_536;

/// Tensors in one file.
pub const MAX_TENSORS: u64 = 65_536;

/// Bytes in a metadata key, from the GGUF specification (2¹⁶ - 1).
pub const MAX_KEY_BYTES: u64 = 65_535;

/// Bytes in a tensor name, from the GGUF specification.
pub const MAX_TENSOR_NAME_BYTES: u64 = 64;

/// Bytes in one string value or one element of a string array.
pub const MAX_STRING_BYTES: u64 = 16 << 20;

/// Elements in one metadata array.
pub const MAX_ARRAY_LEN: u64 = 4 << 20;

/// Axes of a tensor; at least one.
pub const MAX_DIMS: u32 = 4;

/// Smallest accepted `general.alignment`, bytes.
pub const MIN_ALIGNMENT: u64 = 8;

/// Largest accepted `general.alignment`, bytes.
pub const MAX_ALIGNMENT: u64 = 65_536;

/// Alignment of a file without a `general.alignment` key, bytes.
pub const DEFAULT_ALIGNMENT: u64 = 32;
