//! Reading something of every cache line of what comes next, so that it is on its way from memory while units multiply: what
//! fetches ahead by itself begins anew with every page, and waits for loads that come late where a chunk has many products.

use std::cell::Cell;
use std::hint::black_box;
use std::slice::Iter;

use crate::cpu::dequant::Planes;

/// Words of a cache line.
const LINE: usize = 16;

/// How a group and a chunk of it step through a plane, in words: groups lie one behind the other.
#[derive(Clone, Copy)]
struct Steps {
    group: usize,
    chunk: usize,
}

/// How far planes are stepped through.
pub(super) struct Strides {
    wq: Steps,
    /// Of units of several chunks a part.
    ws: Steps,
}

impl Strides {
    pub(super) fn of(planes: &Planes<'_>) -> Self {
        let n_chunk = planes.layout.n_chunk as usize;
        let steps = |group_bytes: u64| Steps {
            group: group_bytes as usize / 4,
            chunk: group_bytes as usize / 4 / n_chunk,
        };
        Self { wq: steps(planes.layout.wq_group_bytes()), ws: steps(planes.layout.ws_group_bytes()) }
    }
}

/// The lines of some chunks of two row groups that nobody has looked at yet, and how many are a chunk's.
pub(super) struct Ahead<'a> {
    lines: [(Iter<'a, [Cell<u32>; LINE]>, usize); 4],
}

impl<'a> Ahead<'a> {
    /// Those of `n` chunks from chunk `first` on, which may be of the next groups.
    #[inline(always)]
    pub(super) fn of(
        planes: &Planes<'a>,
        strides: &Strides,
        groups: [usize; 2],
        first: usize,
        n: usize,
    ) -> Self {
        let lines = |plane: &'a [Cell<u32>], steps: Steps, group: usize| {
            let from = group * steps.group + first * steps.chunk;
            let to = (from + n * steps.chunk).min(plane.len());
            let lines = plane.get(from..to).unwrap_or_default().as_chunks::<LINE>().0;
            (lines.iter(), steps.chunk.div_ceil(LINE))
        };
        let [a, b] = groups;
        let (wq, ws) = (strides.wq, strides.ws);
        Self {
            lines: [
                lines(planes.wq, wq, a),
                lines(planes.ws, ws, a),
                lines(planes.wq, wq, b),
                lines(planes.ws, ws, b),
            ],
        }
    }

    /// Looks at a chunk's share.
    #[inline(always)]
    pub(super) fn look(&mut self) {
        for (lines, share) in &mut self.lines {
            for line in lines.by_ref().take(*share) {
                // Each by itself: the compiler would gather several, which takes longer.
                black_box(line[0].get());
            }
        }
    }
}
