//! The weights of a chunk from the two planes, in the f32 operation order of the formulas in [`crate::Format`].

use std::cell::Cell;

use half::f16;

use crate::format::{Format, PlaneLayout};

/// Planes of a matrix, as a kernel sees them.
#[derive(Clone, Copy)]
pub struct Planes<'a> {
    /// Words of plane `wq`.
    pub wq: &'a [Cell<u32>],
    /// Words of plane `ws`; anything for the float formats.
    pub ws: &'a [Cell<u32>],
    /// Sizes; `n_group` is not read.
    pub layout: PlaneLayout,
}

/// A chunk as it is stored: `scale · quant + offset`, by halves of sixteen.
#[derive(Clone, Copy, Debug)]
pub struct Coded {
    /// The quants.
    pub quants: [i8; 32],
    /// What they are multiplied by.
    pub scales: [f32; 2],
    /// What is added; none where the format has no offsets.
    pub offsets: Option<[f32; 2]>,
}

/// The IQ4 code book.
pub(super) const IQ4: [f32; 16] = [
    -127.0, -104.0, -83.0, -65.0, -49.0, -35.0, -22.0, -10.0, 1.0, 13.0, 25.0, 38.0, 53.0, 69.0, 89.0, 113.0,
];
/// Twice the E2M1 values.
pub(super) const E2M1: [f32; 16] =
    [0.0, 1.0, 2.0, 3.0, 4.0, 6.0, 8.0, 12.0, 0.0, -1.0, -2.0, -3.0, -4.0, -6.0, -8.0, -12.0];

impl Planes<'_> {
    /// The 32 weights of chunk `c` of row `r` of group `g`.
    #[must_use]
    pub fn dequant(&self, g: usize, c: usize, r: usize) -> [f32; 32] {
        match self.layout.format {
            Format::F32 => self.words(g, c, r).map(f32::from_bits),
            Format::F16 => pairs(self.words(g, c, r), half),
            Format::Bf16 => pairs(self.words(g, c, r), |h| f32::from_bits(u32::from(h) << 16)),
            _ => {
                let Coded { quants, scales, offsets } = self.coded(g, c, r);
                std::array::from_fn(|e| {
                    let v = scales[e / 16] * f32::from(quants[e]);
                    // An offset of 0 would make a negative zero positive.
                    offsets.map_or(v, |o| v + o[e / 16])
                })
            }
        }
    }

    /// As [`Self::dequant`], before quants are scaled; zeros for the float formats.
    #[must_use]
    pub fn coded(&self, g: usize, c: usize, r: usize) -> Coded {
        let one = |quants, scale: f32| Coded { quants, scales: [scale; 2], offsets: None };
        let affine =
            |quants, scale: f32, offset: f32| Coded { offsets: Some([offset; 2]), ..one(quants, scale) };
        match self.layout.format {
            Format::F32 | Format::F16 | Format::Bf16 => one([0; 32], 0.0),
            Format::Q4 => {
                let (scale, offset) = halves(self.scale(g, c, r, 0));
                affine(nibbles(self.words(g, c, r)).map(u8::cast_signed), scale, offset)
            }
            Format::Q5 => {
                let (scale, offset) = halves(self.scale(g, c, r, 0));
                let quants = fives(self.words(g, c, r), self.scale(g, c, r, 1));
                affine(quants.map(u8::cast_signed), scale, offset)
            }
            Format::Q8 => {
                let scale = half((self.scale(g, c / 2, r, 0) >> (16 * (c % 2))) as u16);
                one(bytes::<8, 32>(self.words(g, c, r)).map(u8::cast_signed), scale)
            }
            Format::Iq4 => {
                let scale = f32::from_bits(self.scale(g, c, r, 0));
                one(nibbles(self.words(g, c, r)).map(|q| IQ4[usize::from(q)] as i8), scale)
            }
            Format::Mxfp4 => {
                let scale = f32::from_bits(self.scale(g, c, r, 0));
                one(nibbles(self.words(g, c, r)).map(|q| E2M1[usize::from(q)] as i8), scale)
            }
            Format::Q4K => {
                let (scale, min) = self.scale_min(g, c, r);
                affine(nibbles(self.words(g, c, r)).map(u8::cast_signed), scale, -min)
            }
            Format::Q5K => {
                let (scale, min) = self.scale_min(g, c, r);
                let quants = fives(self.words(g, c, r), self.scale(g, c / 8, r, 5 + c % 8));
                affine(quants.map(u8::cast_signed), scale, -min)
            }
            Format::Q6K => {
                let upper = [0, 1].map(|h| self.scale(g, c / 8, r, 5 + 2 * (c % 8) + h));
                let q = nibbles(self.words(g, c, r));
                let six = |e: usize| q[e] | (((upper[e / 16] >> (2 * (e % 16))) & 3) as u8) << 4;
                let quants = std::array::from_fn(|e| six(e).cast_signed() - 32);
                Coded { quants, scales: self.signed_scales(g, c, r), offsets: None }
            }
            Format::Q3K => {
                let quants = nibbles(self.words(g, c, r)).map(|q| q.cast_signed() - 4);
                Coded { quants, scales: self.signed_scales(g, c, r), offsets: None }
            }
            Format::Q2K => {
                let (d, dmin) = halves(self.scale(g, c / 8, r, 0));
                let pair = self.byte_pair(g, c, r);
                let quants = nibbles(self.words(g, c, r)).map(u8::cast_signed);
                let scales = pair.map(|b| d * f32::from(b & 15));
                Coded { quants, scales, offsets: Some(pair.map(|b| -(dmin * f32::from(b >> 4)))) }
            }
        }
    }

    /// The words of a chunk's quants; `N` is four times the words per chunk.
    fn words<const N: usize>(&self, g: usize, c: usize, r: usize) -> [u32; N] {
        let first = (g * self.layout.n_chunk as usize + c) * (N / 4);
        std::array::from_fn(|i| self.wq[((first + i / 4) * 8 + r) * 4 + i % 4].get())
    }

    fn scale(&self, g: usize, unit: usize, r: usize, word: usize) -> u32 {
        let n_word = self.layout.format.scale_words() as usize;
        self.ws[((g * self.layout.n_unit as usize + unit) * n_word + word) * 8 + r].get()
    }

    /// The two bytes of a chunk in a block of 256.
    fn byte_pair(&self, g: usize, c: usize, r: usize) -> [u8; 2] {
        ((self.scale(g, c / 8, r, 1 + c % 8 / 2) >> (16 * (c % 2))) as u16).to_le_bytes()
    }

    fn scale_min(&self, g: usize, c: usize, r: usize) -> (f32, f32) {
        let (d, dmin) = halves(self.scale(g, c / 8, r, 0));
        let [scale, min] = self.byte_pair(g, c, r);
        (d * f32::from(scale), dmin * f32::from(min))
    }

    fn signed_scales(&self, g: usize, c: usize, r: usize) -> [f32; 2] {
        let (d, _) = halves(self.scale(g, c / 8, r, 0));
        self.byte_pair(g, c, r).map(|b| d * f32::from(b.cast_signed()))
    }
}

fn half(bits: u16) -> f32 {
    f16::from_bits(bits).to_f32()
}

fn halves(word: u32) -> (f32, f32) {
    (half(word as u16), half((word >> 16) as u16))
}

fn pairs(words: [u32; 16], value: impl Fn(u16) -> f32) -> [f32; 32] {
    std::array::from_fn(|e| value((words[e / 2] >> (16 * (e % 2))) as u16))
}

fn bytes<const W: usize, const N: usize>(words: [u32; W]) -> [u8; N] {
    std::array::from_fn(|e| (words[e / 4] >> (8 * (e % 4))) as u8)
}

fn nibbles(words: [u32; 4]) -> [u8; 32] {
    let bytes: [u8; 16] = bytes(words);
    std::array::from_fn(|e| (bytes[e % 16] >> (4 * (e / 16))) & 15)
}

fn fives(words: [u32; 4], fifth: u32) -> [u8; 32] {
    let low = nibbles(words);
    std::array::from_fn(|e| low[e] | (((fifth >> e) & 1) as u8) << 4)
}
