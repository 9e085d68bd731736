//! Twin of `matmul_tile` in its form that multiplies quants by quants.

use super::Args;
use super::bytes::{largest, step};
use super::dequant::{Coded, Planes};
use super::matmul::{Epilogue, floats, planes};
use crate::ops::matmul_many::ManyParams;

/// A chunk of activations: what the products of quants are multiplied by, quants, and sums of the values of each half.
struct Chunk {
    scale: f32,
    quants: [i8; 32],
    totals: [f32; 2],
}

/// Activations in signed bytes. Products are integers and exact, so that devices differ by the sums over chunks alone.
pub(super) fn dot(args: &Args<'_>) {
    let &[wq, ws, x, bias, y, step] = args.bindings else { return };
    let p: ManyParams = args.params();
    let Some(planes) = planes(args, wq, ws, p.w_chunk, p.n_unit) else { return };
    let epilogue = Epilogue::new(bias, y, (p.act, p.flags, p.softcap));
    let n = step[usize::from(p.count_from == 1)].get().min(p.max_rows) as usize;
    let n_chunk = p.n_chunk as usize;
    let x = floats(&x[..n * n_chunk * 32]);
    let columns: Vec<Chunk> = x.as_chunks::<32>().0.iter().map(bytes).collect();
    for row in 0..p.n_rows as usize {
        let weights = row_of(&planes, row, n_chunk);
        for (m, column) in columns.chunks_exact(n_chunk).enumerate() {
            let mut sum = 0.0f32;
            for (w, x) in weights.iter().zip(column) {
                let [lo, hi] = [0, 16].map(|h| product(&w.quants[h..h + 16], &x.quants[h..h + 16]));
                sum += x.scale * (w.scales[0] * lo + w.scales[1] * hi);
                if let Some([lo, hi]) = w.offsets {
                    sum += lo * x.totals[0] + hi * x.totals[1];
                }
            }
            let row = p.row0 as usize + row;
            epilogue.store(sum, row, m * p.y_stride as usize + row);
        }
    }
}

fn product(a: &[i8], b: &[i8]) -> f32 {
    let sum: i32 = a.iter().zip(b).map(|(a, b)| i32::from(*a) * i32::from(*b)).sum();
    sum as f32
}

fn row_of(planes: &Planes<'_>, row: usize, n_chunk: usize) -> Vec<Coded> {
    (0..n_chunk).map(|c| planes.coded(row / 8, c, row % 8)).collect()
}

/// As `put_x` of `shaders/common/tile/coded.wgsl`, operation by operation.
fn bytes(v: &[f32; 32]) -> Chunk {
    let most = largest(v);
    let (inverse, scale) = step(most).unwrap_or((0.0, f32::from_bits(most)));
    let quants = v.map(|v| (v * inverse).round_ties_even() as i8);
    let total = |half: &[i8]| scale * half.iter().map(|q| i32::from(*q)).sum::<i32>() as f32;
    Chunk { scale, quants, totals: [total(&quants[..16]), total(&quants[16..])] }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_use_their_range_and_err_by_half_a_step() {
        for magnitude in [1e-30f32, 3e-5, 0.99, 1.0, 1.5, 127.0, 6e4, 1e30] {
            let v: [f32; 32] = std::array::from_fn(|i| magnitude * (i as f32 / 31.0 - 0.3) / 0.7);
            let Chunk { scale, quants, totals } = bytes(&v);
            let most = quants.iter().map(|q| q.unsigned_abs()).max();
            assert!((125..=127).contains(&most.unwrap_or(0)), "{magnitude}: {most:?}");
            for (v, q) in v.iter().zip(quants) {
                assert!((v - scale * f32::from(q)).abs() <= 0.5001 * scale, "{magnitude}");
            }
            let sum: f32 = quants[..16].iter().map(|q| scale * f32::from(*q)).sum();
            assert!((sum - totals[0]).abs() <= 1e-4 * magnitude, "{magnitude}");
        }
    }

    #[test]
    fn what_is_no_number_does_not_become_one() {
        for bad in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
            let v: [f32; 32] = std::array::from_fn(|i| if i == 9 { bad } else { 1.0 });
            assert!(!(bytes(&v).scale * 0.0).is_finite(), "{bad}");
        }
        assert_eq!(bytes(&[0.0; 32]).totals, [0.0, 0.0]);
    }
}
