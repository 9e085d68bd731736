//! Reads GGUF model files (versions 2 and 3, little-endian): a checked description of the header, and the CPU
//! decoders of its block types.
//!
//! A file is hostile until proved otherwise. Every count and length is a `u64` which is compared with a limit of
//! [`limits`] and with the bytes left in the file before anything is allocated for it; a [`Gguf`] exists only
//! after every check has passed, so its ranges can be read and uploaded without further thought.
//! Meaning is not checked here: which keys and tensors an architecture needs, and in which shapes, is the
//! business of the model.
//!
//! ```
//! use goldcrest_gguf::{GgmlType, Gguf, write::GgufWriter};
//!
//! let mut file = GgufWriter::new();
//! file.set("general.architecture", "llama");
//! file.tensor("output_norm.weight", &[2], GgmlType::F32, &[0, 0, 128, 63, 0, 0, 0, 64]);
//! let bytes = file.finish()?;
//!
//! let gguf = Gguf::parse(&bytes)?;
//! let norm = gguf.tensors.require("output_norm.weight")?;
//! let mut weights = [0.0; 2];
//! let range = gguf.tensor_range(norm);
//! goldcrest_gguf::dequantize(norm.ty, &bytes[range.start as usize..range.end as usize], &mut weights)?;
//! assert_eq!(weights, [1.0, 2.0]);
//! # Ok::<(), goldcrest_gguf::GgufError>(())
//! ```
#![forbid(unsafe_code)]
#![deny(
    clippy::arithmetic_side_effects,
    clippy::as_conversions,
    clippy::cast_possible_truncation,
    clippy::indexing_slicing
)]

mod blocks;
mod cursor;
mod error;
mod from_value;
mod gguf;
mod index;
mod kv;
pub mod limits;
mod metadata;
mod parser;
mod source;
mod strings;
mod tensor;
mod types;
mod value;
pub mod write;

pub use blocks::dequantize;
pub use error::{GgufError, SourceError};
pub use from_value::FromValue;
pub use gguf::Gguf;
pub use metadata::Metadata;
pub use parser::{Parser, Progress};
pub use source::ByteSource;
pub use strings::StringArray;
pub use tensor::{TensorInfo, Tensors};
pub use types::GgmlType;
pub use value::{Array, Value, ValueType};
