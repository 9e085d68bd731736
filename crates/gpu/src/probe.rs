//! How fast a device multiplies, for the choice between a software adapter and the CPU.

use std::time::Duration;

use goldcrest_kernels::ops::matmul::{Epilogue, Matrix, MatrixPart, VecArgs, matmul_vec};
use goldcrest_kernels::{Format, Profile};
use web_time::Instant;

use crate::{Device, GpuError, Work};

/// Rows and columns of a layer's matrix of a model with some 500M weights.
const SHAPE: (u32, u32) = (4096, 512);
/// Products per submit: with one alone, SwiftShader would be judged by its read-back.
const PRODUCTS: usize = 8;
/// Submits that are timed; the best counts, since others may use the same cores.
const SUBMITS: usize = 3;

/// The least time for products of a quantized matrix with one column. Compiling is not in it.
///
/// # Errors
/// Whatever the device reports.
pub(crate) async fn time(device: &dyn Device) -> Result<Duration, GpuError> {
    let (n_rows, k) = SHAPE;
    let layout = Format::Q4.planes(n_rows, k);
    let wq = device.create_buffer("probe quants", layout.wq_bytes())?.whole();
    let ws = device.create_buffer("probe scales", layout.ws_bytes())?.whole();
    let x = device.create_buffer("probe x", u64::from(k) * 4)?.whole();
    let y = device.create_buffer("probe y", u64::from(n_rows) * 4)?.whole();
    let dummy = device.create_buffer("probe dummy", 256)?.whole();
    let part = MatrixPart { row0: 0, n_rows, wq, ws };
    let matrix =
        Matrix { format: Format::Q4, n_rows, k, k_held: k, parts: vec![part], experts: 0, glu: false };
    let epilogue = Epilogue::default();
    let args = VecArgs {
        matrix: &matrix,
        x: &x,
        y: &y,
        norm: None,
        epilogue: &epilogue,
        experts: None,
        dummy: &dummy,
    };
    let product = matmul_vec(&Profile::SOFTWARE, &args)
        .map_err(|error| GpuError::Validation { message: error.to_string() })?;
    let plan = device.record(vec![product; PRODUCTS].concat())?;
    let result = y.buffer.slice(0, 16);
    let mut least = Duration::MAX;
    // The first submit may compile.
    for submit in 0..=SUBMITS {
        let started = Instant::now();
        device.submit(&[Work::all(&plan)], std::slice::from_ref(&result))?.await?;
        if submit > 0 {
            least = least.min(started.elapsed());
        }
    }
    Ok(least)
}
