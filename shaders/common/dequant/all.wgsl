// Chunk c of row r of row group g, by the format of the variant: fn coded(g, c, r) as it is stored, dequant its 32 weights.
import common/chunk;
import common/dequant/planes;
@if(FORMAT_F32 || FORMAT_F16 || FORMAT_BF16)
import common/dequant/float;
@if(FORMAT_Q4 || FORMAT_Q5 || FORMAT_Q8)
import common/dequant/block;
@if(FORMAT_IQ4 || FORMAT_MXFP4)
import common/dequant/code;
@if(FORMAT_Q4K || FORMAT_Q5K)
import common/dequant/super32;
@if(FORMAT_Q6K || FORMAT_Q3K || FORMAT_Q2K)
import common/dequant/super16;

// Whether chunks have offsets; else s.zw is 0.
@if(FORMAT_Q4 || FORMAT_Q5 || FORMAT_Q4K || FORMAT_Q5K || FORMAT_Q2K)
const OFFSETS = true;
@else
const OFFSETS = false;

// Whether the halves of a chunk have scales of their own.
@if(FORMAT_Q6K || FORMAT_Q3K || FORMAT_Q2K)
const TWO_SCALES = true;
@else
const TWO_SCALES = false;

// Formats of plain nibbles.
@if(FORMAT_Q4 || FORMAT_Q4K || FORMAT_Q2K)
fn coded(g: u32, c: u32, r: u32) -> Coded {
  return Coded(nibble_chunk(quants(g, c, r, 1u, 0u)), scales(g, c, r));
}

fn dequant(g: u32, c: u32, r: u32) -> Chunk {
  let w = coded(g, c, r);
  @if(FORMAT_F32 || FORMAT_F16 || FORMAT_BF16) {
    return w.q;
  }
  @elif(FORMAT_Q4 || FORMAT_Q5 || FORMAT_Q4K || FORMAT_Q5K || FORMAT_Q2K) {
    return chunk_affine(w.q, w.s);
  }
  @else {
    return chunk_scale(w.q, w.s.x, w.s.y);
  }
}
