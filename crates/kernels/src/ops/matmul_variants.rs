//! The shader of every (kernel, format): one array per kernel, in the order of [`Format::ALL`].

use crate::format::Format;
use crate::generated::id;
use crate::shader::ShaderId;

type Variants = [ShaderId; Format::ALL.len()];
/// The formats behind the floats, whose weights are quants.
type Coded = [ShaderId; Format::ALL.len() - N_FLOATS];

/// Formats whose weights are floats: the first ones.
const N_FLOATS: usize = 3;

pub(crate) const VEC: Variants = [
    id::MATMUL_VEC_F32,
    id::MATMUL_VEC_F16,
    id::MATMUL_VEC_BF16,
    id::MATMUL_VEC_Q4,
    id::MATMUL_VEC_Q5,
    id::MATMUL_VEC_Q8,
    id::MATMUL_VEC_IQ4,
    id::MATMUL_VEC_MXFP4,
    id::MATMUL_VEC_Q4K,
    id::MATMUL_VEC_Q5K,
    id::MATMUL_VEC_Q6K,
    id::MATMUL_VEC_Q3K,
    id::MATMUL_VEC_Q2K,
];

pub(crate) const VEC_SUBGROUP: Variants = [
    id::MATMUL_VEC_F32_SUBGROUP,
    id::MATMUL_VEC_F16_SUBGROUP,
    id::MATMUL_VEC_BF16_SUBGROUP,
    id::MATMUL_VEC_Q4_SUBGROUP,
    id::MATMUL_VEC_Q5_SUBGROUP,
    id::MATMUL_VEC_Q8_SUBGROUP,
    id::MATMUL_VEC_IQ4_SUBGROUP,
    id::MATMUL_VEC_MXFP4_SUBGROUP,
    id::MATMUL_VEC_Q4K_SUBGROUP,
    id::MATMUL_VEC_Q5K_SUBGROUP,
    id::MATMUL_VEC_Q6K_SUBGROUP,
    id::MATMUL_VEC_Q3K_SUBGROUP,
    id::MATMUL_VEC_Q2K_SUBGROUP,
];

pub(crate) const ROWS: Variants = [
    id::MATMUL_ROWS_F32,
    id::MATMUL_ROWS_F16,
    id::MATMUL_ROWS_BF16,
    id::MATMUL_ROWS_Q4,
    id::MATMUL_ROWS_Q5,
    id::MATMUL_ROWS_Q8,
    id::MATMUL_ROWS_IQ4,
    id::MATMUL_ROWS_MXFP4,
    id::MATMUL_ROWS_Q4K,
    id::MATMUL_ROWS_Q5K,
    id::MATMUL_ROWS_Q6K,
    id::MATMUL_ROWS_Q3K,
    id::MATMUL_ROWS_Q2K,
];

pub(crate) const ROWS_SUBGROUP: Variants = [
    id::MATMUL_ROWS_F32_SUBGROUP,
    id::MATMUL_ROWS_F16_SUBGROUP,
    id::MATMUL_ROWS_BF16_SUBGROUP,
    id::MATMUL_ROWS_Q4_SUBGROUP,
    id::MATMUL_ROWS_Q5_SUBGROUP,
    id::MATMUL_ROWS_Q8_SUBGROUP,
    id::MATMUL_ROWS_IQ4_SUBGROUP,
    id::MATMUL_ROWS_MXFP4_SUBGROUP,
    id::MATMUL_ROWS_Q4K_SUBGROUP,
    id::MATMUL_ROWS_Q5K_SUBGROUP,
    id::MATMUL_ROWS_Q6K_SUBGROUP,
    id::MATMUL_ROWS_Q3K_SUBGROUP,
    id::MATMUL_ROWS_Q2K_SUBGROUP,
];

pub(crate) const TILE: Variants = [
    id::MATMUL_TILE_F32,
    id::MATMUL_TILE_F16,
    id::MATMUL_TILE_BF16,
    id::MATMUL_TILE_Q4,
    id::MATMUL_TILE_Q5,
    id::MATMUL_TILE_Q8,
    id::MATMUL_TILE_IQ4,
    id::MATMUL_TILE_MXFP4,
    id::MATMUL_TILE_Q4K,
    id::MATMUL_TILE_Q5K,
    id::MATMUL_TILE_Q6K,
    id::MATMUL_TILE_Q3K,
    id::MATMUL_TILE_Q2K,
];

pub(crate) const TILE_DOT: Coded = [
    id::MATMUL_TILE_Q4_DOT,
    id::MATMUL_TILE_Q5_DOT,
    id::MATMUL_TILE_Q8_DOT,
    id::MATMUL_TILE_IQ4_DOT,
    id::MATMUL_TILE_MXFP4_DOT,
    id::MATMUL_TILE_Q4K_DOT,
    id::MATMUL_TILE_Q5K_DOT,
    id::MATMUL_TILE_Q6K_DOT,
    id::MATMUL_TILE_Q3K_DOT,
    id::MATMUL_TILE_Q2K_DOT,
];

/// Tiles of halves, for the formats that have them.
pub(crate) const TILE_HALF: [(Format, ShaderId); 5] = [
    (Format::F16, id::MATMUL_TILE_F16_HALF),
    (Format::Q4, id::MATMUL_TILE_Q4_HALF),
    (Format::Q8, id::MATMUL_TILE_Q8_HALF),
    (Format::Q4K, id::MATMUL_TILE_Q4K_HALF),
    (Format::Q6K, id::MATMUL_TILE_Q6K_HALF),
];

pub(crate) const SOFT_ONE: Variants = [
    id::MATMUL_SOFT_F32_ONE,
    id::MATMUL_SOFT_F16_ONE,
    id::MATMUL_SOFT_BF16_ONE,
    id::MATMUL_SOFT_Q4_ONE,
    id::MATMUL_SOFT_Q5_ONE,
    id::MATMUL_SOFT_Q8_ONE,
    id::MATMUL_SOFT_IQ4_ONE,
    id::MATMUL_SOFT_MXFP4_ONE,
    id::MATMUL_SOFT_Q4K_ONE,
    id::MATMUL_SOFT_Q5K_ONE,
    id::MATMUL_SOFT_Q6K_ONE,
    id::MATMUL_SOFT_Q3K_ONE,
    id::MATMUL_SOFT_Q2K_ONE,
];

pub(crate) const SOFT_EIGHT: Variants = [
    id::MATMUL_SOFT_F32_EIGHT,
    id::MATMUL_SOFT_F16_EIGHT,
    id::MATMUL_SOFT_BF16_EIGHT,
    id::MATMUL_SOFT_Q4_EIGHT,
    id::MATMUL_SOFT_Q5_EIGHT,
    id::MATMUL_SOFT_Q8_EIGHT,
    id::MATMUL_SOFT_IQ4_EIGHT,
    id::MATMUL_SOFT_MXFP4_EIGHT,
    id::MATMUL_SOFT_Q4K_EIGHT,
    id::MATMUL_SOFT_Q5K_EIGHT,
    id::MATMUL_SOFT_Q6K_EIGHT,
    id::MATMUL_SOFT_Q3K_EIGHT,
    id::MATMUL_SOFT_Q2K_EIGHT,
];

pub(crate) const SOFT_ONE_SUBGROUP: Variants = [
    id::MATMUL_SOFT_F32_ONE_SUBGROUP,
    id::MATMUL_SOFT_F16_ONE_SUBGROUP,
    id::MATMUL_SOFT_BF16_ONE_SUBGROUP,
    id::MATMUL_SOFT_Q4_ONE_SUBGROUP,
    id::MATMUL_SOFT_Q5_ONE_SUBGROUP,
    id::MATMUL_SOFT_Q8_ONE_SUBGROUP,
    id::MATMUL_SOFT_IQ4_ONE_SUBGROUP,
    id::MATMUL_SOFT_MXFP4_ONE_SUBGROUP,
    id::MATMUL_SOFT_Q4K_ONE_SUBGROUP,
    id::MATMUL_SOFT_Q5K_ONE_SUBGROUP,
    id::MATMUL_SOFT_Q6K_ONE_SUBGROUP,
    id::MATMUL_SOFT_Q3K_ONE_SUBGROUP,
    id::MATMUL_SOFT_Q2K_ONE_SUBGROUP,
];

pub(crate) const SOFT_EIGHT_SUBGROUP: Variants = [
    id::MATMUL_SOFT_F32_EIGHT_SUBGROUP,
    id::MATMUL_SOFT_F16_EIGHT_SUBGROUP,
    id::MATMUL_SOFT_BF16_EIGHT_SUBGROUP,
    id::MATMUL_SOFT_Q4_EIGHT_SUBGROUP,
    id::MATMUL_SOFT_Q5_EIGHT_SUBGROUP,
    id::MATMUL_SOFT_Q8_EIGHT_SUBGROUP,
    id::MATMUL_SOFT_IQ4_EIGHT_SUBGROUP,
    id::MATMUL_SOFT_MXFP4_EIGHT_SUBGROUP,
    id::MATMUL_SOFT_Q4K_EIGHT_SUBGROUP,
    id::MATMUL_SOFT_Q5K_EIGHT_SUBGROUP,
    id::MATMUL_SOFT_Q6K_EIGHT_SUBGROUP,
    id::MATMUL_SOFT_Q3K_EIGHT_SUBGROUP,
    id::MATMUL_SOFT_Q2K_EIGHT_SUBGROUP,
];

pub(crate) const EMBED: Variants = [
    id::EMBED_F32,
    id::EMBED_F16,
    id::EMBED_BF16,
    id::EMBED_Q4,
    id::EMBED_Q5,
    id::EMBED_Q8,
    id::EMBED_IQ4,
    id::EMBED_MXFP4,
    id::EMBED_Q4K,
    id::EMBED_Q5K,
    id::EMBED_Q6K,
    id::EMBED_Q3K,
    id::EMBED_Q2K,
];

/// The variant for `format`.
pub(crate) fn pick(of: &Variants, format: Format) -> ShaderId {
    of[format as usize]
}

/// The variant of the tiles of quants for `format`; none for floats.
pub(crate) fn pick_coded(of: &Coded, format: Format) -> Option<ShaderId> {
    (format as usize).checked_sub(N_FLOATS).map(|at| of[at])
}

/// The variant of the tiles of halves for `format`; none where there is none.
pub(crate) fn pick_half(format: Format) -> Option<ShaderId> {
    TILE_HALF.iter().find(|(of, _)| *of == format).map(|(_, shader)| *shader)
}

/// The format of a variant: for the twins, which are told no more than the shader.
pub(crate) fn format_of(shader: ShaderId) -> Option<Format> {
    if let Some((format, _)) = TILE_HALF.iter().find(|(_, half)| *half == shader) {
        return Some(*format);
    }
    let soft = [&SOFT_ONE, &SOFT_EIGHT, &SOFT_ONE_SUBGROUP, &SOFT_EIGHT_SUBGROUP];
    let whole = [&VEC, &VEC_SUBGROUP, &ROWS, &ROWS_SUBGROUP, &TILE, &EMBED]
        .into_iter()
        .chain(soft)
        .map(|v| (0, v.as_slice()));
    let at = whole
        .chain([(N_FLOATS, TILE_DOT.as_slice())])
        .find_map(|(first, v)| v.iter().position(|s| *s == shader).map(|i| first + i))?;
    Format::ALL.get(at).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_agree_with_formats() {
        let kernels = [
            (VEC, "matmul_vec", ""),
            (VEC_SUBGROUP, "matmul_vec", "_subgroup"),
            (ROWS, "matmul_rows", ""),
            (ROWS_SUBGROUP, "matmul_rows", "_subgroup"),
            (TILE, "matmul_tile", ""),
            (SOFT_ONE, "matmul_soft", "_one"),
            (SOFT_EIGHT, "matmul_soft", "_eight"),
            (SOFT_ONE_SUBGROUP, "matmul_soft", "_one_subgroup"),
            (SOFT_EIGHT_SUBGROUP, "matmul_soft", "_eight_subgroup"),
            (EMBED, "embed", ""),
        ];
        for format in Format::ALL {
            for (variants, kernel, suffix) in kernels {
                let shader = pick(&variants, format);
                assert_eq!(shader.shader().name, format!("{kernel}_{}{suffix}", format.name()));
                assert_eq!(format_of(shader), Some(format));
            }
            if let Some(shader) = pick_half(format) {
                assert_eq!(shader.shader().name, format!("matmul_tile_{}_half", format.name()));
                assert_eq!(format_of(shader), Some(format));
            }
            let Some(shader) = pick_coded(&TILE_DOT, format) else { continue };
            assert_eq!(shader.shader().name, format!("matmul_tile_{}_dot", format.name()));
            assert_eq!(format_of(shader), Some(format));
        }
    }
}
