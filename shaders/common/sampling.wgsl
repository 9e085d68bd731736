// Records of the sampling kernels; their Rust twin is crates/kernels/src/sampling.rs.

// A logit of a token that must not be chosen: finite, because WGSL lets a compiler assume that infinities do not occur.
const BANNED: f32 = -1e30;
// Candidates that topk keeps of each row.
const CANDIDATES = 256u;
// Id of a slot without a token.
const NO_ID = 0xffffffffu;

const PICK_OVERFLOW = 1u;
const PICK_BAD = 2u;
const PICK_NONE = 4u;

// Words before the pairs of a list, and before the tokens of a history ring.
const LIST_HEADER = 2u;
const HISTORY_HEADER = 4u;

struct SampleParams {
  repeat: f32,
  frequency: f32,
  presence: f32,
  last_n: u32,
  inv_temperature: f32,
  top_k: u32,
  top_p: f32,
  min_p: f32,
  log_min_p: f32,
  greedy: u32,
  reserved0: u32,
  reserved1: u32,
  reserved2: u32,
  reserved3: u32,
  reserved4: u32,
  reserved5: u32,
}

struct RowStats {
  argmax: u32,
  max: f32,
  log_sum_exp: f32,
  entropy: f32,
  max_p: f32,
  top2_gap: f32,
  bad: u32,
  reserved: u32,
}

struct Picked {
  token: u32,
  flags: u32,
  logprob: f32,
  reserved: u32,
}

struct OutToken {
  token: u32,
  logprob: f32,
  flags: u32,
  entropy: f32,
}

fn is_finite(bits: u32) -> bool {
  return (bits & 0x7f800000u) != 0x7f800000u;
}

// Larger floats have larger keys, and the two zeros one key. Integers compare exactly where floats may flush.
fn order_key(bits: u32) -> u32 {
  let b = select(bits, 0u, bits == 0x80000000u);
  return select(b | 0x80000000u, ~b, (b >> 31u) == 1u);
}

fn order_logit(key: u32) -> f32 {
  return bitcast<f32>(select(~key, key & 0x7fffffffu, (key >> 31u) == 1u));
}
