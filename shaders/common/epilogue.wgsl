// What a matrix product does with a sum before it is stored. Reads `bias`, `y` and p.act, p.flags, p.softcap of the kernel:
// parameters and not overrides, so that one pipeline serves them all.
import common/activation;

const ADD = 1u; // add to what y holds
const BIAS = 2u;
const SOFTCAP = 4u;

fn store(sum: f32, row: u32, at: u32) {
  var v = sum;
  if ((p.flags & BIAS) != 0u) {
    v += bias[row];
  }
  v = activate(p.act, v);
  if ((p.flags & SOFTCAP) != 0u) {
    v = p.softcap * soft_tanh(v / p.softcap);
  }
  if ((p.flags & ADD) != 0u) {
    v += y[at];
  }
  y[at] = v;
}
