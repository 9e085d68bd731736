// What a matrix product does with a sum before it is stored. Reads `bias`, `y` and `p.softcap` of the kernel.
import common/activate;
import common/activation;

override ADD: bool = false; // add to what y holds
override BIAS: bool = false;
override SOFTCAP: bool = false;

fn store(sum: f32, row: u32, at: u32) {
  var v = sum;
  if (BIAS) {
    v += bias[row];
  }
  v = activate(v);
  if (SOFTCAP) {
    v = p.softcap * soft_tanh(v / p.softcap);
  }
  if (ADD) {
    v += y[at];
  }
  y[at] = v;
}
