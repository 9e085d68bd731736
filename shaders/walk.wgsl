// Follows a tree of guesses along what its rows say: each row has a token behind it, the likeliest (rule 0) or the one that
// `sample` drew (rule 1), and the guess under the row with that token is the next row. What comes out is the path: its rows,
// their tokens and log-probabilities. Where it leads to a row that is not among the wanted ones it ends, and `next` says where
// to take it up. Layout of `tree`: crates/kernels/src/walking.rs. One invocation: a tree has at most 64 rows. Grid: 1.
// JUDGED judges guesses that were drawn from a list, see common/judge.
import common/step;
import common/sampling;
@if(JUDGED)
import common/judge;

// Words of a tree before the parents of its rows, most rows of it, and where its lists are counted.
const TREE_HEADER = 8u;
const TREE_ROWS = 64u;
const TREE_LISTS = 72u;

struct Trodden {
  row: u32,
  token: u32,
  logprob: f32,
}

struct Walked {
  n: u32,
  next: u32,
  thrown: u32,
  bad: u32,
  path: array<Trodden, 16>,
}

struct P {
  n_vocab: u32,
  n_want: u32,
  n_word: u32, // of the tree
  reserved: u32,
}

@group(0) @binding(0) var<storage, read> step: Step;
@group(0) @binding(1) var<storage, read> stats: array<RowStats>;
@group(0) @binding(2) var<storage, read> picked: array<Picked>;
@group(0) @binding(3) var<storage, read> tree: array<u32>;
@if(!JUDGED)
@group(0) @binding(4) var<storage, read_write> walked: Walked;
@if(!JUDGED)
@group(0) @binding(5) var<uniform> p: P;
@if(JUDGED)
@group(0) @binding(4) var<storage, read> params: array<SampleParams>;
@if(JUDGED)
@group(0) @binding(5) var<storage, read> best: array<vec2<u32>>;
@if(JUDGED)
@group(0) @binding(6) var<storage, read_write> walked: Walked;
@if(JUDGED)
@group(0) @binding(7) var<uniform> p: P;

var<private> thrown: u32;

// Place of a row among the wanted ones; n if it is not there.
fn slot(row: u32, n: u32) -> u32 {
  for (var w = 0u; w < n; w++) {
    if (step.want[w] == row) {
      return w;
    }
  }
  return n;
}

// The guess under a row with a token; rows stand behind the row that they follow.
fn child(row: u32, token: u32) -> u32 {
  for (var r = row + 1u; r < min(step.n_rows, TREE_ROWS); r++) {
    if (tree[TREE_HEADER + r] == row && step.rows[r].token == token) {
      return r;
    }
  }
  return NO_ID;
}

@compute @workgroup_size(1)
fn main() {
  let n_want = min(step.n_want, p.n_want);
  var bad = 0u;
  for (var w = 0u; w < n_want && bad == 0u; w++) {
    bad = stats[w].bad;
  }
  var at = tree[0];
  var n = 0u;
  thrown = tree[1];
  while (n < n_want) {
    let w = slot(at, n_want);
    if (w == n_want) {
      break;
    }
    var token = stats[w].argmax;
    var logprob = stats[w].max - stats[w].log_sum_exp;
    if (tree[2] != 0u) {
      token = picked[w].token;
      logprob = picked[w].logprob;
      bad = select(bad, NO_ID, bad == 0u && picked[w].flags != 0u);
    }
    @if(JUDGED)
    {
      let row = min(at, TREE_ROWS - 1u);
      let first = min(tree[TREE_LISTS + row], p.n_word);
      let last = min(tree[TREE_LISTS + row + 1u], p.n_word);
      if (first < last) {
        token = judge(at, w, first, min((last - first) / 2u, CANDIDATES));
        logprob = logprob_of(w, token);
      }
    }
    token = min(token, p.n_vocab - 1u);
    walked.path[n] = Trodden(at, token, logprob);
    n++;
    at = child(at, token);
  }
  walked.n = n;
  walked.next = at;
  walked.thrown = thrown;
  walked.bad = bad;
}
