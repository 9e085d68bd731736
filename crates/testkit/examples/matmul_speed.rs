//! How fast the matrix products are on an adapter, for choosing the numbers of a profile:
//! `cargo run --release -p goldcrest-testkit --example matmul_speed -- [ADAPTER [FORMAT [ROWSxK [core|software [ENTRY=VALUE]…]]]]`
//!
//! Wall time is the best of several submits. On Linux the time that the process's threads ran is given too: on a busy
//! machine with a software adapter, that time over the number of cores is what a quiet one would take.

use std::error::Error;
use std::time::Instant;

use goldcrest_gpu::{Buffer, Device, Dispatch, Request, Work, open};
use goldcrest_kernels::ops::matmul::{Epilogue, Matrix, MatrixPart, VecArgs, matmul_vec};
use goldcrest_kernels::ops::matmul_many::{Count, ManyArgs, matmul_many};
use goldcrest_kernels::{Format, Profile};

const REPEATS: usize = 9;

fn main() -> Result<(), Box<dyn Error>> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let arg = |i: usize, default: &'static str| args.get(i).map_or(default, String::as_str);
    let device =
        pollster::block_on(open(&Request { adapter: arg(0, "auto").into(), ..Request::default() }))?.device;
    let format = Format::ALL.into_iter().find(|f| f.name() == arg(1, "q4")).ok_or("no such format")?;
    let (n_rows, k) = arg(2, "49152x576").split_once('x').ok_or("write ROWSxK")?;
    let (n_rows, k): (u32, u32) = (n_rows.parse()?, k.parse()?);
    let mut profile = if arg(3, "software") == "core" { Profile::CORE } else { Profile::SOFTWARE };
    for entry in args.iter().skip(4) {
        let (name, value) = entry.split_once('=').ok_or("write ENTRY=VALUE")?;
        profile = profile.with(name, value)?;
    }
    println!("{}, {} of {n_rows} x {k}, profile {}", device.info().name, format.name(), profile.name);

    let layout = format.planes(n_rows, k);
    let wq = device.create_buffer("wq", layout.wq_bytes())?;
    let ws = device.create_buffer("ws", layout.ws_bytes().max(256))?;
    let part = MatrixPart { row0: 0, n_rows, wq: wq.whole(), ws: ws.whole() };
    let matrix = Matrix { format, n_rows, k, parts: vec![part], experts: 0, glu: false };
    let dummy = device.create_buffer("dummy", 256)?.whole();
    let step = device.create_buffer("step", goldcrest_kernels::step::STEP_BYTES)?;
    let epilogue = Epilogue::default();
    for m in [1, 2, 4, 8, 32, 128] {
        let x = device.create_buffer("x", u64::from(k * m) * 4)?.whole();
        let y = device.create_buffer("y", u64::from(n_rows) * u64::from(m) * 4)?;
        device.write(&step, 0, bytemuck::bytes_of(&m))?;
        let (x, y_all, step) = (&x, &y.whole(), &step.whole());
        let dispatches = if m == 1 {
            let args = VecArgs {
                matrix: &matrix,
                x,
                y: y_all,
                norm: None,
                epilogue: &epilogue,
                experts: None,
                dummy: &dummy,
            };
            matmul_vec(&profile, &args)?
        } else {
            let (count, max_rows) = (Count::Rows, m);
            let args = ManyArgs {
                matrix: &matrix,
                x,
                y: y_all,
                y_stride: n_rows,
                epilogue: &epilogue,
                step,
                count,
                max_rows,
                dummy: &dummy,
            };
            matmul_many(&profile, &args)?
        };
        let (wall, busy) = best(device.as_ref(), dispatches, &y)?;
        let bytes = (layout.wq_bytes() + layout.ws_bytes()) as f64 / 1e9;
        let flops = 2.0 * f64::from(n_rows) * f64::from(k) * f64::from(m) / 1e9;
        let busy = busy.map_or(String::new(), |s| format!(", threads ran {:.2} ms", s * 1e3));
        println!(
            "{m:4} columns {:9.2} ms{busy}: {:6.2} GB/s of weights, {:7.2} GFLOP/s",
            wall * 1e3,
            bytes / wall,
            flops / wall
        );
    }
    Ok(())
}

/// Best wall time and least time that threads ran.
fn best(
    device: &dyn Device,
    dispatches: Vec<Dispatch<Buffer>>,
    y: &Buffer,
) -> Result<(f64, Option<f64>), Box<dyn Error>> {
    let plan = device.record(dispatches)?;
    let (mut wall, mut busy) = (f64::MAX, None::<f64>);
    for _ in 0..REPEATS {
        let (start, ran) = (Instant::now(), thread_seconds());
        pollster::block_on(device.submit(&[Work::all(&plan)], &[y.slice(0, 16)])?)?;
        wall = wall.min(start.elapsed().as_secs_f64());
        let now = thread_seconds().zip(ran).map(|(now, before)| now - before);
        busy = now.map(|s| busy.map_or(s, |b| b.min(s)));
    }
    Ok((wall, busy))
}

/// Time on a core of all threads of this process.
fn thread_seconds() -> Option<f64> {
    let tasks = std::fs::read_dir("/proc/self/task").ok()?;
    let ran = |task: std::fs::DirEntry| {
        let text = std::fs::read_to_string(task.path().join("schedstat")).ok()?;
        text.split_whitespace().next()?.parse::<f64>().ok()
    };
    Some(tasks.filter_map(|task| ran(task.ok()?)).sum::<f64>() / 1e9)
}
