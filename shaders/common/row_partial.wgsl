// What row_stats and row_stats_merge know of a part of a row. Logits are kept as order keys; key 0 is "none".
import common/sampling;

struct Partial {
  key: u32,     // of the largest logit
  argmax: u32,  // the lowest id that has it
  second: u32,  // key of the second largest, equal to key on a tie
  bad: u32,     // 1 + lowest id of a logit that is not finite, or 0
  sum: f32,     // of exp(l - max)
  dot: f32,     // of (l - max) * exp(l - max)
  reserved0: u32,
  reserved1: u32,
}

fn no_partial() -> Partial {
  return Partial(0u, NO_ID, 0u, 0u, 0.0, 0.0, 0u, 0u);
}

// exp(-100) is below the smallest normal f32, so the clamp changes no sum.
fn below_max(logit: f32, top: f32) -> f32 {
  return max(logit - top, -100.0);
}

fn merge_partial(a: Partial, b: Partial) -> Partial {
  var r = no_partial();
  r.key = max(a.key, b.key);
  r.argmax = select(a.argmax, b.argmax, b.key > a.key || (b.key == a.key && b.argmax < a.argmax));
  r.second = max(min(a.key, b.key), max(a.second, b.second));
  r.bad = select(min(a.bad, b.bad), max(a.bad, b.bad), a.bad == 0u || b.bad == 0u);
  let top = order_logit(r.key);
  if (a.key != 0u) {
    let d = below_max(order_logit(a.key), top);
    let w = exp(d);
    r.sum = a.sum * w;
    r.dot = (a.dot + d * a.sum) * w;
  }
  if (b.key != 0u) {
    let d = below_max(order_logit(b.key), top);
    let w = exp(d);
    r.sum += b.sum * w;
    r.dot += (b.dot + d * b.sum) * w;
  }
  return r;
}
