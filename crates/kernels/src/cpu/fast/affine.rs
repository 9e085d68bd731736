//! Scales and offsets of a chunk, over vectors of eight floats: one for each row of a group.

/// Defines `affine` with what its module calls `V`, `zero`, `splat`, `load`, `mul`, `low_halves`.
macro_rules! affine {
    ($(#[$feature:meta])*) => {
        /// Scales and offsets of the eight rows of a chunk: `weight = scale · q + offset` in each half.
        #[inline]
        $(#[$feature])*
        pub(super) fn affine<const FORMAT: usize>(planes: &Planes<'_>, g: usize, c: usize) -> ([V; 2], [V; 2]) {
            let format = const { Format::ALL[FORMAT] };
            match format {
                Format::F32 | Format::F16 | Format::Bf16 => ([splat(1.0); 2], [zero(); 2]),
                Format::Q4 | Format::Q5 => {
                    let words = scales(planes, g, c, 0);
                    ([low_halves(words); 2], [low_halves(shifted(words, 16)); 2])
                }
                Format::Q8 => {
                    let words = shifted(scales(planes, g, c / 2, 0), 16 * (c % 2) as u32);
                    ([low_halves(words); 2], [zero(); 2])
                }
                Format::Iq4 | Format::Mxfp4 => {
                    ([load(&bytemuck::cast(scales(planes, g, c, 0))); 2], [zero(); 2])
                }
                Format::Q4K | Format::Q5K => {
                    let (d, pair) = (scales(planes, g, c / 8, 0), byte_pairs(planes, g, c));
                    let (mut scale, mut min) = ([0.0; 8], [0.0; 8]);
                    for r in 0..8 {
                        scale[r] = (pair[r] & 255).cast_signed() as f32;
                        min[r] = -((pair[r] >> 8).cast_signed() as f32);
                    }
                    let dmin = low_halves(shifted(d, 16));
                    ([mul(low_halves(d), load(&scale)); 2], [mul(dmin, load(&min)); 2])
                }
                Format::Q6K | Format::Q3K => {
                    let (d, pair) = (low_halves(scales(planes, g, c / 8, 0)), byte_pairs(planes, g, c));
                    let zero_point = if format == Format::Q6K { -32.0 } else { -4.0 };
                    let mut scale = [[0.0; 8]; 2];
                    for r in 0..8 {
                        scale[0][r] = (pair[r] << 24).cast_signed().wrapping_shr(24) as f32;
                        scale[1][r] = (pair[r] << 16).cast_signed().wrapping_shr(24) as f32;
                    }
                    let scale = [mul(d, load(&scale[0])), mul(d, load(&scale[1]))];
                    (scale, [mul(splat(zero_point), scale[0]), mul(splat(zero_point), scale[1])])
                }
                Format::Q2K => {
                    let (d, pair) = (scales(planes, g, c / 8, 0), byte_pairs(planes, g, c));
                    let (mut scale, mut min) = ([[0.0; 8]; 2], [[0.0; 8]; 2]);
                    for h in 0..2 {
                        for r in 0..8 {
                            let byte = pair[r] >> (8 * h);
                            scale[h][r] = (byte & 15).cast_signed() as f32;
                            min[h][r] = -(((byte >> 4) & 15).cast_signed() as f32);
                        }
                    }
                    let (d, dmin) = (low_halves(d), low_halves(shifted(d, 16)));
                    let scale = [mul(d, load(&scale[0])), mul(d, load(&scale[1]))];
                    (scale, [mul(dmin, load(&min[0])), mul(dmin, load(&min[1]))])
                }
            }
        }
    };
}
pub(super) use affine;
