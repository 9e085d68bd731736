#!/usr/bin/env python3
"""Writes the block vectors <TYPE>.bin next to this script: random and extreme blocks of each type, decoded by the
Python `gguf` package, which is the reference.

    pip install gguf==0.19.0 numpy
    python make_vectors.py

Layout of a file, little-endian: u32 number of blocks n; u32 number of blocks m whose results follow in full;
n raw blocks; m times the block's elements as f32 bits; n FNV-1a 64-bit hashes of each block's result (its f32 bits
as bytes). The hashes keep the files small: full results would take five times the space.
Scales stored as f16 are finite; all other bytes are arbitrary. Element types have 64 "blocks" of 32 elements.
"""
import pathlib

import numpy as np
from gguf import GGMLQuantizationType as T
from gguf.constants import GGML_QUANT_SIZES
from gguf.quants import dequantize

# Byte offsets of the f16 fields in a block.
F16_FIELDS = {
    T.Q4_0: [0], T.Q4_1: [0, 2], T.Q5_0: [0], T.Q5_1: [0, 2], T.Q8_0: [0], T.Q2_K: [80, 82], T.Q3_K: [108],
    T.Q4_K: [0, 2], T.Q5_K: [0, 2], T.Q6_K: [208], T.IQ4_NL: [0], T.IQ4_XS: [0], T.TQ1_0: [52], T.TQ2_0: [64],
    T.MXFP4: [], T.NVFP4: [], T.F16: [0], T.BF16: [],
}
# Zero, minus zero, smallest subnormal, largest subnormal, smallest normal, one, largest, smallest negative.
F16_EXTREMES = [0x0000, 0x8000, 0x0001, 0x03FF, 0x0400, 0x3C00, 0x7BFF, 0xFBFF]
N_BLOCKS, N_FULL = 96, 4


def blocks_of(ty, rng):
    block_len, block_bytes = GGML_QUANT_SIZES[ty]
    n = N_BLOCKS * (32 if block_len == 1 else 1)
    raw = rng.integers(0, 256, (n, block_bytes), dtype=np.uint8)
    # All bits clear, all set, single ends of the byte: the corners of every packed field.
    for i, byte in enumerate([0x00, 0xFF, 0x80, 0x7F, 0x01, 0x0F, 0xF0, 0x55]):
        raw[i] = byte
    if ty == T.MXFP4:
        raw[:, 0] = np.arange(n) * 255 // n  # every region of the exponent
        raw[:8, 0] = [0, 1, 2, 3, 126, 127, 254, 255]  # the two subnormal results, and the ends
    for at in F16_FIELDS[ty]:
        half = raw[:, at].astype(np.uint16) | raw[:, at + 1].astype(np.uint16) << 8
        infinite = half & 0x7C00 == 0x7C00
        half[infinite] ^= 0x4000
        for i, value in enumerate(F16_EXTREMES):
            half[8 + i] = value
        raw[:, at], raw[:, at + 1] = half & 255, half >> 8
    return raw


def fnv1a(rows):
    h = np.full(rows.shape[0], 0xCBF29CE484222325, dtype=np.uint64)
    for column in rows.T:
        h = (h ^ column.astype(np.uint64)) * np.uint64(0x100000001B3)
    return h


def main():
    here = pathlib.Path(__file__).parent
    rng = np.random.default_rng(20_001)
    for ty in F16_FIELDS:
        block_len = max(GGML_QUANT_SIZES[ty][0], 32)
        raw = blocks_of(ty, rng)
        values = dequantize(raw, ty).astype("<f4").reshape(N_BLOCKS, block_len)
        counts = np.array([N_BLOCKS, N_FULL], dtype="<u4")
        hashes = fnv1a(values.view(np.uint8))
        parts = [counts, raw, values[:N_FULL], hashes.astype("<u8")]
        (here / f"{ty.name}.bin").write_bytes(b"".join(p.tobytes() for p in parts))


if __name__ == "__main__":
    np.seterr(over="ignore")
    main()
