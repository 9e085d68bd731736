// Which entries of the cache a row sees, and the cells they lie in. Reads step, table and p of the kernel.
import common/step;
import common/activation;

// The score of what a row does not see: finite, so that nothing is subtracted from an infinity.
const LOWEST = -1e30;

// Cell of entry i, inside the cache whatever the row says.
fn cell_of(row: u32, i: u32) -> u32 {
  var cell = step.rows[row].base + i;
  if (step.rows[row].table != IDENTITY) {
    cell = table[min(step.rows[row].table + i, p.n_table - 1u)];
  }
  return min(cell, p.n_cells - 1u);
}

// Whether a candidate after `tree` is an ancestor of the row.
fn in_branch(row: u32, i: u32) -> bool {
  return is_ancestor(branch_of(row), i);
}

struct Branch {
  tree: u32,
  lo: u32,
  hi: u32,
}

fn branch_of(row: u32) -> Branch {
  return Branch(step.rows[row].tree, step.rows[row].ancestors_lo, step.rows[row].ancestors_hi);
}

fn is_ancestor(branch: Branch, i: u32) -> bool {
  if (i < branch.tree) {
    return true;
  }
  let bit = i - branch.tree;
  let word = select(branch.hi, branch.lo, bit < 32u);
  return bit < 64u && ((word >> (bit & 31u)) & 1u) == 1u;
}

fn first_entry(row: u32) -> u32 {
  return select(step.rows[row].lo, step.rows[row].lo_swa, p.sliding == 1u);
}

// The end bounds a loop for any hi.
fn end_entry(row: u32) -> u32 {
  return min(step.rows[row].hi, p.n_cells);
}

fn capped(s: f32) -> f32 {
  if (p.softcap > 0.0) {
    return p.softcap * soft_tanh(s / p.softcap);
  }
  return s;
}
