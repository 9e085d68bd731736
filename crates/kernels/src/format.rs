//! How a weight matrix lies in GPU memory after repacking.
//!
//! Every row of `k` weights is cut into chunks of 32; rows are grouped by [`ROWS_PER_GROUP`], and within a group the
//! same 16-byte word of the eight rows lies side by side, so that consecutive invocations read consecutive words
//! whatever `k` is. A matrix has two planes:
//!
//! * `wq`, an `array<vec4<u32>>`: word `v` of chunk `c` of row `8g + r` is at `((g·n_chunk + c)·V + v)·8 + r`;
//! * `ws`, an `array<u32>`: scale word `s` of unit `u` of row `8g + r` is at `((g·n_unit + u)·S + s)·8 + r`, where a unit is
//!   one chunk, two chunks or one block of 256 weights.
//!
//! Four-bit quants: byte `b` of a chunk's 16 holds element `b` in its low and `b + 16` in its high nibble.
//! Rows are padded to a multiple of eight with zero words.

/// Rows whose words are interleaved.
pub const ROWS_PER_GROUP: u32 = 8;

/// Plane composition of one weight matrix. Every format reproduces the decoder's f32 values bit for bit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Format {
    /// 32-bit floats: V = 8, no scales.
    F32,
    /// Packed pairs of IEEE halves, V = 4, no scales.
    F16,
    /// Packed pairs of bfloat16, V = 4, no scales.
    Bf16,
    /// `scale·q + offset`, q in 0..16. V = 1; S = 1 per chunk: half scale low, half offset high. From `Q4_0`, `Q4_1`, `TQ1_0`, `TQ2_0`.
    Q4,
    /// As [`Format::Q4`] with q in 0..32; S = 2: the scale pair, then the fifth bits (bit i = element i). From `Q5_0`, `Q5_1`.
    Q5,
    /// `scale·q`, q signed bytes in element order. V = 2; S = 1 per two chunks: half scale of the even chunk low, of the odd high. From `Q8_0`.
    Q8,
    /// `scale·KV[q]` with the IQ4 code book, S = 1 per chunk: the f32 scale. From `IQ4_NL`, `IQ4_XS`.
    Iq4,
    /// `scale·E2[q]` with twice the E2M1 values, S = 1 per chunk: the f32 scale. From `MXFP4`.
    Mxfp4,
    /// `d·sc·q − dmin·mn`. S = 5 per 256: halves d, dmin; then word i = bytes sc[2i], mn[2i], sc[2i+1], mn[2i+1]. From `Q4_K`.
    Q4K,
    /// As [`Format::Q4K`] plus 8 words of fifth bits, one per chunk (S = 13). From `Q5_K`.
    Q5K,
    /// `d·sc·(q − 32)`. S = 21 per 256: d as half; 4 words of sixteen signed bytes sc; 16 words of upper two bits, two a chunk
    /// (element e of the chunk in word e/16 at bit 2·(e%16)). From `Q6_K`.
    Q6K,
    /// `d·sc·(q − 4)`, q in 0..8 as a nibble. S = 5 per 256: d as half; 4 words of sixteen signed bytes. From `Q3_K`.
    Q3K,
    /// `d·(b & 15)·q − dmin·(b >> 4)`, q in 0..4 as a nibble. S = 5 per 256: halves d, dmin; 4 words of sixteen bytes b. From `Q2_K`.
    Q2K,
}

impl Format {
    /// All formats, in the order of the `format` axis in `kernels.toml`.
    pub const ALL: [Self; 13] = [
        Self::F32,
        Self::F16,
        Self::Bf16,
        Self::Q4,
        Self::Q5,
        Self::Q8,
        Self::Iq4,
        Self::Mxfp4,
        Self::Q4K,
        Self::Q5K,
        Self::Q6K,
        Self::Q3K,
        Self::Q2K,
    ];

    /// The value of the `format` axis in `kernels.toml` and the suffix of variant names.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::F32 => "f32",
            Self::F16 => "f16",
            Self::Bf16 => "bf16",
            Self::Q4 => "q4",
            Self::Q5 => "q5",
            Self::Q8 => "q8",
            Self::Iq4 => "iq4",
            Self::Mxfp4 => "mxfp4",
            Self::Q4K => "q4k",
            Self::Q5K => "q5k",
            Self::Q6K => "q6k",
            Self::Q3K => "q3k",
            Self::Q2K => "q2k",
        }
    }

    /// V: 16-byte words of quants per chunk of 32.
    #[must_use]
    pub const fn words_per_chunk(self) -> u32 {
        match self {
            Self::F32 => 8,
            Self::F16 | Self::Bf16 => 4,
            Self::Q8 => 2,
            _ => 1,
        }
    }

    /// Weights that share one unit of scales; 0 if there are none.
    #[must_use]
    pub const fn weights_per_unit(self) -> u32 {
        match self {
            Self::F32 | Self::F16 | Self::Bf16 => 0,
            Self::Q4 | Self::Q5 | Self::Iq4 | Self::Mxfp4 => 32,
            Self::Q8 => 64,
            Self::Q4K | Self::Q5K | Self::Q6K | Self::Q3K | Self::Q2K => 256,
        }
    }

    /// S: scale words per unit.
    #[must_use]
    pub const fn scale_words(self) -> u32 {
        match self {
            Self::F32 | Self::F16 | Self::Bf16 => 0,
            Self::Q4 | Self::Q8 | Self::Iq4 | Self::Mxfp4 => 1,
            Self::Q5 => 2,
            Self::Q4K | Self::Q3K | Self::Q2K => 5,
            Self::Q5K => 13,
            Self::Q6K => 21,
        }
    }

    /// Plane sizes of `n_rows` rows of `k` weights; `k` a multiple of 32 (of 256 for the K formats).
    #[must_use]
    pub const fn planes(self, n_rows: u32, k: u32) -> PlaneLayout {
        let n_chunk = k / 32;
        let n_unit = match self.weights_per_unit() {
            0 => 0,
            w => k.div_ceil(w),
        };
        PlaneLayout { n_group: n_rows.div_ceil(ROWS_PER_GROUP), n_chunk, n_unit, format: self }
    }
}

/// Sizes of the two planes of a matrix, or of a run of its row groups.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PlaneLayout {
    /// Groups of eight rows.
    pub n_group: u32,
    /// Chunks of 32 weights per row.
    pub n_chunk: u32,
    /// Scale units per row.
    pub n_unit: u32,
    /// The composition.
    pub format: Format,
}

impl PlaneLayout {
    /// Bytes of plane `wq`.
    #[must_use]
    pub const fn wq_bytes(&self) -> u64 {
        self.n_group as u64 * self.wq_group_bytes()
    }

    /// Bytes of plane `ws`; 0 for the float formats.
    #[must_use]
    pub const fn ws_bytes(&self) -> u64 {
        self.n_group as u64 * self.ws_group_bytes()
    }

    /// Bytes of plane `wq` per row group.
    #[must_use]
    pub const fn wq_group_bytes(&self) -> u64 {
        self.n_chunk as u64 * self.format.words_per_chunk() as u64 * 16 * ROWS_PER_GROUP as u64
    }

    /// Bytes of plane `ws` per row group.
    #[must_use]
    pub const fn ws_group_bytes(&self) -> u64 {
        self.n_unit as u64 * self.format.scale_words() as u64 * 4 * ROWS_PER_GROUP as u64
    }
}
