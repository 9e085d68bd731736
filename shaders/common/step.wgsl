// The step buffer; its Rust twin is crates/kernels/src/step.rs.
const IDENTITY = 0xffffffffu;
const NO_TREE = 0xffffffffu;

struct Row {
  token: u32,
  pos: u32,
  cell: u32,
  table: u32,
  base: u32,
  lo: u32,
  hi: u32,
  lo_swa: u32,
  tree: u32,
  ancestors_lo: u32,
  ancestors_hi: u32,
  seq: u32,
  mix_start: u32,
  mix_len: u32,
  reserved0: u32,
  reserved1: u32,
}

struct Step {
  n_rows: u32,
  n_want: u32,
  seed_lo: u32,
  seed_hi: u32,
  window: u32,
  n_out: u32,
  reserved: array<u32, 10>,
  want: array<u32, 16>,
  rows: array<Row>,
}
