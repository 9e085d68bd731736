//! How fast memory is: what a model that reads all its weights for a token is measured against.

use std::hint::black_box;
use std::time::Instant;

use goldcrest::gpu::{AdapterKind, Device, GpuError, Work};

/// Attempts; the best counts, since others may use the same memory.
const TRIES: usize = 5;

/// Bytes per second, and what was done to find out.
pub(super) struct Bandwidth {
    pub(super) bytes_per_s: f64,
    pub(super) method: &'static str,
}

/// A card copies between two buffers. Where the cores of this machine compute, they read its memory, each its own part.
///
/// # Errors
/// Whatever the device fails with.
pub(super) async fn measure(device: &dyn Device) -> Result<Bandwidth, GpuError> {
    if matches!(device.info().kind, AdapterKind::Software | AdapterKind::Cpu) {
        return Ok(Bandwidth { bytes_per_s: read_on_all_cores(), method: "read by all cores" });
    }
    Ok(Bandwidth { bytes_per_s: copy(device).await?, method: "copied by the device, reads and writes" })
}

fn read_on_all_cores() -> f64 {
    let n_threads = std::thread::available_parallelism().map_or(1, usize::from);
    // Far larger than the last cache of a processor.
    let part = (256 << 20) / 8 / n_threads;
    // Written, so that every page is there and not the system's one page of zeros.
    let words: Vec<u64> = (0..(part * n_threads) as u64).collect();
    let mut best = 0.0f64;
    for _ in 0..TRIES {
        let started = Instant::now();
        std::thread::scope(|scope| {
            for part in words.chunks(part) {
                // Eight sums: one alone would wait for itself.
                scope.spawn(|| {
                    let mut sums = [0u64; 8];
                    for eight in part.as_chunks::<8>().0 {
                        sums.iter_mut().zip(eight).for_each(|(sum, word)| *sum = sum.wrapping_add(*word));
                    }
                    black_box(sums)
                });
            }
        });
        best = best.max((words.len() * 8) as f64 / started.elapsed().as_secs_f64());
    }
    best
}

async fn copy(device: &dyn Device) -> Result<f64, GpuError> {
    const COPIES: usize = 4;
    // Larger than the last cache of a card, where the memory allows it.
    let bytes = (256 << 20).min(device.caps().max_buffer);
    let (from, to) =
        (device.create_buffer("copy source", bytes)?, device.create_buffer("copy target", bytes)?);
    let mut best = 0.0f64;
    for _ in 0..TRIES {
        let work: Vec<Work<'_>> =
            (0..COPIES).map(|_| Work::Copy { from: from.whole(), to: to.whole() }).collect();
        let started = Instant::now();
        device.submit(&work, &[to.slice(0, 16)])?.await?;
        best = best.max((2 * bytes * COPIES as u64) as f64 / started.elapsed().as_secs_f64());
    }
    Ok(best)
}
