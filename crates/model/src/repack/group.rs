//! Where a row's words go, and the bit fields in them.

use goldcrest_kernels::PlaneLayout;
use half::f16;

use super::RepackError;

/// The planes of one row group, and the row that is being written.
pub(super) struct Group<'a> {
    pub(super) layout: &'a PlaneLayout,
    pub(super) wq: &'a mut [u32],
    pub(super) ws: &'a mut [u32],
    pub(super) r: usize,
}

impl Group<'_> {
    /// Writes 16-byte word `word` of chunk `c`.
    pub(super) fn quants(&mut self, c: usize, word: usize, value: [u32; 4]) {
        let at = ((c * self.layout.format.words_per_chunk() as usize + word) * 8 + self.r) * 4;
        self.wq[at..at + 4].copy_from_slice(&value);
    }

    /// Writes scale word `word` of a unit.
    pub(super) fn scale(&mut self, unit: usize, word: usize, value: u32) {
        let at = (unit * self.layout.format.scale_words() as usize + word) * 8 + self.r;
        self.ws[at] |= value;
    }
}

/// The `N` bytes from `at` on.
pub(super) fn bytes<const N: usize, const BLOCK: usize>(block: &[u8; BLOCK], at: usize) -> [u8; N] {
    std::array::from_fn(|i| block[at + i])
}

pub(super) fn u16_at<const BLOCK: usize>(block: &[u8; BLOCK], at: usize) -> u32 {
    u16::from_le_bytes(bytes(block, at)).into()
}

pub(super) fn f16_at<const BLOCK: usize>(block: &[u8; BLOCK], at: usize) -> f32 {
    f16::from_le_bytes(bytes(block, at)).to_f32()
}

/// Sixteen bytes as they are.
pub(super) fn words(bytes: &[u8; 16]) -> [u32; 4] {
    std::array::from_fn(|i| {
        u32::from_le_bytes([bytes[4 * i], bytes[4 * i + 1], bytes[4 * i + 2], bytes[4 * i + 3]])
    })
}

/// Thirty-two numbers below 16 in the nibble order of the planes.
pub(super) fn nibbles(q: impl Fn(usize) -> u8) -> [u32; 4] {
    words(&std::array::from_fn(|b| (q(b) & 15) | (q(b + 16) & 15) << 4))
}

/// The halves (d, −middle·d): scale and offset of a type whose quants are centred on a power of two.
///
/// # Errors
/// [`RepackError::Inexact`] if the offset overflows a half, or d is not finite.
pub(super) fn centred(d: u32, middle: f32) -> Result<u32, RepackError> {
    let offset = f16::from_f32(f16::from_bits(d as u16).to_f32() * -middle);
    if offset.is_finite() { Ok(d | u32::from(offset.to_bits()) << 16) } else { Err(RepackError::Inexact) }
}
