//! From the block types of GGUF files to the planes of the kernels, one group of eight rows at a time.
//!
//! Every native encoding is lossless: the kernels reproduce the decoder's f32 values bit for bit, but for the sign of
//! zeros (`d·(8 − 8)` is −0 for a negative d, `8d − 8d` is +0).

mod codes;
mod group;
mod k_quants;
mod legacy;
mod plain;
mod ternary;

use goldcrest_gguf::{GgmlType, GgufError};
use goldcrest_kernels::{Format, PlaneLayout};

use group::Group;

/// The format that a type is repacked into, and what that costs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Encoding {
    /// The kernels' format.
    pub format: Format,
    /// Whether every value of the type survives.
    pub lossless: bool,
    /// What a user should know, if anything.
    pub note: Option<Note>,
}

/// Why an encoding deserves a notice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Note {
    /// There is no kernel for the type; it takes more memory than in the file.
    Expanded,
    /// Integers and doubles beyond 24 bits are rounded.
    Rounded,
}

impl std::fmt::Display for Note {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Expanded => "has no kernel of its own and takes more memory than in the file",
            Self::Rounded => "is rounded to 32-bit floats",
        })
    }
}

/// A group of rows that cannot be repacked as asked.
#[derive(Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum RepackError {
    /// A scale that the format cannot hold exactly: the tensor has to be repacked as [`Format::F32`], which holds all.
    #[error("a scale does not fit the format; F32 holds it")]
    Inexact,
    /// No path from the type to the format.
    #[error("type {ty} cannot be repacked as {}", format.name())]
    UnsupportedType {
        /// Type in the file.
        ty: GgmlType,
        /// Format asked for.
        format: Format,
    },
    /// The rows are not whole blocks of the layout's length.
    #[error(transparent)]
    Gguf(#[from] GgufError),
}

/// The native format of a type; none if neither a kernel nor the decoder knows it.
#[must_use]
pub fn target(ty: GgmlType) -> Option<Encoding> {
    let exact = |format, note| Some(Encoding { format, lossless: true, note });
    match ty {
        GgmlType::F32 => exact(Format::F32, None),
        GgmlType::F16 => exact(Format::F16, None),
        GgmlType::BF16 => exact(Format::Bf16, None),
        GgmlType::Q4_0 | GgmlType::Q4_1 => exact(Format::Q4, None),
        GgmlType::TQ1_0 | GgmlType::TQ2_0 => exact(Format::Q4, Some(Note::Expanded)),
        GgmlType::Q5_0 | GgmlType::Q5_1 => exact(Format::Q5, None),
        GgmlType::Q8_0 => exact(Format::Q8, None),
        GgmlType::IQ4_NL | GgmlType::IQ4_XS => exact(Format::Iq4, None),
        GgmlType::MXFP4 => exact(Format::Mxfp4, None),
        GgmlType::Q4_K => exact(Format::Q4K, None),
        GgmlType::Q5_K => exact(Format::Q5K, None),
        GgmlType::Q6_K => exact(Format::Q6K, None),
        GgmlType::Q3_K => exact(Format::Q3K, None),
        GgmlType::Q2_K => exact(Format::Q2K, None),
        // Four significant bits of scale times two of element fit the eight of a bfloat16.
        GgmlType::NVFP4 => exact(Format::Bf16, Some(Note::Expanded)),
        GgmlType::I8 | GgmlType::I16 => exact(Format::F32, Some(Note::Expanded)),
        GgmlType::I32 | GgmlType::I64 | GgmlType::F64 => {
            Some(Encoding { format: Format::F32, lossless: false, note: Some(Note::Rounded) })
        }
        _ => None,
    }
}

/// Writes the planes of one group of eight rows.
///
/// `rows` are the rows' bytes as in the file, absent ones become zeros. `layout` names the format, and its `n_chunk` the
/// length; `wq` and `ws` are this group's words, of [`PlaneLayout::wq_group_bytes`] and
/// [`PlaneLayout::ws_group_bytes`].
///
/// # Errors
/// [`RepackError::Inexact`] if the format cannot hold a scale (never for F32), [`RepackError::UnsupportedType`] if the
/// format is neither the type's own nor F32, [`RepackError::Gguf`] if a row has another length.
///
/// # Panics
/// If `wq` or `ws` are shorter than the layout says.
pub fn repack_group(
    ty: GgmlType,
    rows: [Option<&[u8]>; 8],
    layout: &PlaneLayout,
    wq: &mut [u32],
    ws: &mut [u32],
) -> Result<(), RepackError> {
    wq.fill(0);
    ws.fill(0);
    let write =
        writer(ty, layout.format).ok_or(RepackError::UnsupportedType { ty, format: layout.format })?;
    let n_elements = u64::from(layout.n_chunk) * 32;
    let mut group = Group { layout, wq, ws, r: 0 };
    for (r, row) in rows.into_iter().enumerate() {
        let Some(row) = row else { continue };
        if ty.size_of(n_elements) != Some(row.len() as u64) {
            return Err(GgufError::BlockSizeMismatch { ty, n_bytes: row.len() as u64, n_elements }.into());
        }
        group.r = r;
        write(ty, row, &mut group)?;
    }
    Ok(())
}

/// Writes one row of a type into row `r` of a group.
type Write = fn(GgmlType, &[u8], &mut Group<'_>) -> Result<(), RepackError>;

fn writer(ty: GgmlType, format: Format) -> Option<Write> {
    match (ty, format) {
        (GgmlType::F16, Format::F16) | (GgmlType::BF16, Format::Bf16) => Some(plain::pairs),
        (GgmlType::NVFP4, Format::Bf16) => Some(plain::to_bf16),
        (GgmlType::Q4_0, Format::Q4) => Some(legacy::q4_0),
        (GgmlType::Q4_1, Format::Q4) => Some(legacy::q4_1),
        (GgmlType::Q5_0, Format::Q5) => Some(legacy::q5_0),
        (GgmlType::Q5_1, Format::Q5) => Some(legacy::q5_1),
        (GgmlType::Q8_0, Format::Q8) => Some(legacy::q8_0),
        (GgmlType::TQ1_0, Format::Q4) => Some(ternary::tq1_0),
        (GgmlType::TQ2_0, Format::Q4) => Some(ternary::tq2_0),
        (GgmlType::IQ4_NL, Format::Iq4) => Some(codes::iq4_nl),
        (GgmlType::IQ4_XS, Format::Iq4) => Some(codes::iq4_xs),
        (GgmlType::MXFP4, Format::Mxfp4) => Some(codes::mxfp4),
        (GgmlType::Q4_K, Format::Q4K) => Some(k_quants::q4_k),
        (GgmlType::Q5_K, Format::Q5K) => Some(k_quants::q5_k),
        (GgmlType::Q6_K, Format::Q6K) => Some(k_quants::q6_k),
        (GgmlType::Q3_K, Format::Q3K) => Some(k_quants::q3_k),
        (GgmlType::Q2_K, Format::Q2K) => Some(k_quants::q2_k),
        (ty, Format::F32) if target(ty).is_some() => Some(plain::to_f32),
        _ => None,
    }
}
