// The quants of a chunk as signed bytes, four to a word, in order.
import common/chunk;
import common/dequant/all;
import common/dequant/planes;

struct Packed {
  lo: vec4<u32>,
  hi: vec4<u32>,
}

// The low nibbles of four words, then the high ones.
fn nibble_bytes(q: vec4<u32>) -> Packed {
  let mask = vec4<u32>(0x0f0f0f0fu);
  return Packed(q & mask, (q >> vec4<u32>(4u)) & mask);
}

// The low four of each lane's bits as bit 4 of its four bytes.
@if(FORMAT_Q5 || FORMAT_Q5K)
fn fifth_bits(bits: vec4<u32>) -> vec4<u32> {
  return ((bits & vec4<u32>(1u)) << vec4<u32>(4u)) | ((bits & vec4<u32>(2u)) << vec4<u32>(11u))
    | ((bits & vec4<u32>(4u)) << vec4<u32>(18u)) | ((bits & vec4<u32>(8u)) << vec4<u32>(25u));
}

@if(FORMAT_Q5 || FORMAT_Q5K)
fn five_bytes(q: vec4<u32>, bits: u32) -> Packed {
  let low = nibble_bytes(q);
  let shifts = vec4<u32>(0u, 4u, 8u, 12u);
  return Packed(low.lo | fifth_bits(vec4<u32>(bits) >> shifts),
    low.hi | fifth_bits(vec4<u32>(bits >> 16u) >> shifts));
}

@if(FORMAT_IQ4 || FORMAT_MXFP4 || FORMAT_Q6K)
fn four_bytes(q: vec4<f32>) -> u32 {
  return pack4xI8(vec4<i32>(q));
}

fn packed(g: u32, c: u32, r: u32) -> Packed {
  @if(FORMAT_Q4 || FORMAT_Q4K || FORMAT_Q2K) {
    return nibble_bytes(quants(g, c, r, 1u, 0u));
  }
  @if(FORMAT_Q5) {
    return five_bytes(quants(g, c, r, 1u, 0u), scale_word(g, c, r, 2u, 1u));
  }
  @if(FORMAT_Q5K) {
    return five_bytes(quants(g, c, r, 1u, 0u), scale_word(g, c / 8u, r, 13u, 5u + c % 8u));
  }
  @if(FORMAT_Q8) {
    return Packed(quants(g, c, r, 2u, 0u), quants(g, c, r, 2u, 1u));
  }
  @if(FORMAT_Q3K) {
    // Each byte less 4, without a borrow from its neighbour.
    let q = nibble_bytes(quants(g, c, r, 1u, 0u));
    let top = vec4<u32>(0x80808080u);
    let four = vec4<u32>(0x04040404u);
    return Packed(((q.lo | top) - four) ^ top, ((q.hi | top) - four) ^ top);
  }
  @if(FORMAT_IQ4 || FORMAT_MXFP4 || FORMAT_Q6K) {
    let q = coded(g, c, r).q;
    return Packed(vec4<u32>(four_bytes(q.v0), four_bytes(q.v1), four_bytes(q.v2), four_bytes(q.v3)),
      vec4<u32>(four_bytes(q.v4), four_bytes(q.v5), four_bytes(q.v6), four_bytes(q.v7)));
  }
}

// What bytes are scaled by.
fn packed_scales(g: u32, c: u32, r: u32) -> vec4<f32> {
  @if(FORMAT_Q8) {
    return scales(g, c, r);
  }
  @else {
    return coded(g, c, r).s;
  }
}
