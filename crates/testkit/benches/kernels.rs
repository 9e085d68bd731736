//! The hot kernels one by one, with the bytes per second that they move: `cargo bench -p goldcrest-testkit`, and behind `--` a part
//! of a name.
//!
//! `GOLDCREST_ADAPTER` names the adapter, `GOLDCREST_KERNELS=soft=false,vec_lanes=8` forces entries of its profile. What a number
//! of a profile does is seen here; whether it helps a model, `goldcrest tune` and `goldcrest bench` say.

use std::error::Error;
use std::hint::black_box;
use std::rc::Rc;
use std::time::Duration;

use bytemuck::Zeroable;
use criterion::{BenchmarkId, Criterion, Throughput};
use goldcrest_gpu::{AdapterKind, Buffer, Device, Dispatch, Request, Slice, Work, open};
use goldcrest_kernels::ops::attention::{AttentionArgs, attention};
use goldcrest_kernels::ops::matmul::{Epilogue, Matrix, MatrixPart, VecArgs, matmul_vec};
use goldcrest_kernels::ops::matmul_many::{Count, ManyArgs, matmul_many};
use goldcrest_kernels::ops::rope_kv::{HeadShape, KeyType};
use goldcrest_kernels::ops::row_stats::{RowStatsArgs, row_stats, row_stats_scratch_bytes};
use goldcrest_kernels::sampling::RowStats;
use goldcrest_kernels::step::{Header, IDENTITY, NO_TREE, ROWS_OFFSET, Row, STEP_BYTES};
use goldcrest_kernels::{Format, Profile};

/// Dispatches of a submit, so that its way to the device and back is a small part of what is timed.
const REPEATS: usize = 8;
/// Rows and columns of a matrix: 18 MB as Q4, more than the caches that one core has to itself.
const SHAPE: (u32, u32) = (32_768, 1024);
/// Rows, columns of a matrix in a prefill: each weight is used so often that its way from memory does not count.
const PREFILL_SHAPE: (u32, u32) = (1024, 1024);
/// Rows of a step of a prefill, and the entries that they see.
const PREFILL: (u32, u32) = (128, 512);
/// Words of SmolLM2.
const N_VOCAB: u32 = 49_152;

fn main() -> Result<(), Box<dyn Error>> {
    let rig = Rig::open()?;
    println!("{}, profile {:?}", rig.device.info().name, rig.profile);
    let mut criterion = Criterion::default()
        .sample_size(10)
        .warm_up_time(Duration::from_millis(300))
        .measurement_time(Duration::from_secs(2))
        .configure_from_args();
    for format in Format::ALL {
        rig.product(&mut criterion, "product", SHAPE, format, 1)?;
    }
    for n_cols in [2, 4, 8, 32, 128] {
        rig.product(&mut criterion, "product of columns", SHAPE, Format::Q4, n_cols)?;
    }
    for format in [Format::Q4, Format::Q8] {
        rig.product(&mut criterion, "prefill", PREFILL_SHAPE, format, PREFILL.0)?;
    }
    for depth in [64, 512, 2048] {
        rig.attention(&mut criterion, "attention", 1, depth)?;
    }
    rig.attention(&mut criterion, "prefill attention", PREFILL.0, PREFILL.1)?;
    rig.statistics(&mut criterion)?;
    criterion.final_summary();
    Ok(())
}

/// A device with the forms that it gets.
struct Rig {
    device: Rc<dyn Device>,
    profile: Profile,
}

impl Rig {
    fn open() -> Result<Self, Box<dyn Error>> {
        let variable = |name| std::env::var(name).unwrap_or_default();
        let request = Request { adapter: variable("GOLDCREST_ADAPTER"), ..Request::default() };
        let device = pollster::block_on(open(&request))?.device;
        let software = matches!(device.info().kind, AdapterKind::Software | AdapterKind::Cpu);
        let mut profile = if software { Profile::SOFTWARE } else { Profile::CORE };
        for entry in variable("GOLDCREST_KERNELS").split(',').filter(|entry| !entry.is_empty()) {
            let (name, value) = entry.split_once('=').ok_or("GOLDCREST_KERNELS is ENTRY=VALUE,…")?;
            profile = profile.with(name, value)?;
        }
        Ok(Self { device, profile })
    }

    fn buffer(&self, bytes: u64) -> Result<Slice<Buffer>, Box<dyn Error>> {
        Ok(self.device.create_buffer("bench", bytes)?.whole())
    }

    /// A step of `n_rows` rows that see `depth` entries each and are all wanted.
    fn step(&self, n_rows: u32, depth: u32) -> Result<Slice<Buffer>, Box<dyn Error>> {
        let step = self.buffer(STEP_BYTES)?;
        let header = Header { n_rows, n_want: 1, ..Header::default() };
        self.device.write(&step.buffer, 0, bytemuck::bytes_of(&header))?;
        let row = Row { pos: depth - 1, table: IDENTITY, hi: depth, tree: NO_TREE, ..Row::zeroed() };
        let rows = vec![row; n_rows as usize];
        self.device.write(&step.buffer, ROWS_OFFSET, bytemuck::cast_slice(&rows))?;
        Ok(step)
    }

    fn product(
        &self,
        c: &mut Criterion,
        name: &str,
        (n_rows, k): (u32, u32),
        format: Format,
        n_cols: u32,
    ) -> Result<(), Box<dyn Error>> {
        let layout = format.planes(n_rows, k);
        let (wq, ws) = (self.buffer(layout.wq_bytes())?, self.buffer(layout.ws_bytes().max(256))?);
        let part = MatrixPart { row0: 0, n_rows, wq, ws };
        let matrix = Matrix { format, n_rows, k, k_held: k, parts: vec![part], experts: 0, glu: false };
        let (x, y) = (self.buffer(u64::from(k * n_cols) * 4)?, self.buffer(u64::from(n_rows * n_cols) * 4)?);
        let (dummy, step, epilogue) = (self.buffer(256)?, self.step(n_cols, 1)?, Epilogue::default());
        let (matrix, x, y, dummy, step, epilogue) = (&matrix, &x, &y, &dummy, &step, &epilogue);
        let dispatches = match n_cols {
            1 => {
                let args = VecArgs { matrix, x, y, norm: None, epilogue, experts: None, dummy };
                matmul_vec(&self.profile, &args)?
            }
            _ => {
                let (count, max_rows, y_stride) = (Count::Rows, n_cols, n_rows);
                let args = ManyArgs { matrix, x, y, y_stride, epilogue, step, count, max_rows, dummy };
                matmul_many(&self.profile, &args)?
            }
        };
        let id = if name == "product of columns" {
            n_cols.case()
        } else {
            BenchmarkId::from_parameter(format.name())
        };
        self.time(c, name, id, layout.wq_bytes() + layout.ws_bytes(), dispatches, y)
    }

    /// Rows of SmolLM2's heads.
    fn attention(
        &self,
        c: &mut Criterion,
        name: &str,
        n_rows: u32,
        depth: u32,
    ) -> Result<(), Box<dyn Error>> {
        let shape = HeadShape { n_head: 9, n_head_kv: 3, head_dim: 64, n_cells: depth, keys: KeyType::F16 };
        let (step, table) = (self.step(n_rows, depth)?, self.buffer(256)?);
        let (qkv, kv) =
            (self.buffer(u64::from(n_rows * shape.qkv_width()) * 4)?, self.buffer(shape.kv_bytes())?);
        let width = shape.n_head * shape.head_dim;
        let out = self.buffer(u64::from(n_rows * width) * 4)?;
        let args = AttentionArgs {
            step: &step,
            qkv: &qkv,
            kv: &kv,
            table: &table,
            out: &out,
            shape,
            n_rows,
            stride: shape.qkv_width(),
            out_stride: width,
            sliding: false,
            scale: 0.125,
            softcap: 0.0,
        };
        let dispatches = vec![attention(&args, &self.profile)?];
        self.time(c, name, depth.case(), shape.kv_bytes(), dispatches, &out)
    }

    fn statistics(&self, c: &mut Criterion) -> Result<(), Box<dyn Error>> {
        let bytes = u64::from(N_VOCAB) * 4;
        let (step, logits) = (self.step(1, 1)?, self.buffer(bytes)?);
        let partials = self.buffer(row_stats_scratch_bytes(N_VOCAB, 1))?;
        let stats = self.buffer(size_of::<RowStats>() as u64)?;
        let args = RowStatsArgs {
            step: &step,
            logits: &logits,
            partials: &partials,
            stats: &stats,
            n_vocab: N_VOCAB,
            n_want: 1,
        };
        let dispatches = row_stats(&args, &self.profile)?;
        self.time(c, "statistics", N_VOCAB.case(), bytes, dispatches, &stats)
    }

    /// `bytes` are what the dispatches read once.
    fn time(
        &self,
        c: &mut Criterion,
        name: &str,
        id: BenchmarkId,
        bytes: u64,
        dispatches: Vec<Dispatch<Buffer>>,
        result: &Slice<Buffer>,
    ) -> Result<(), Box<dyn Error>> {
        let plan = self.device.record(vec![dispatches; REPEATS].concat())?;
        let read = [result.buffer.slice(result.offset, 16)];
        let submit = || pollster::block_on(self.device.submit(&[Work::all(&plan)], &read)?);
        // What fails here would fail in every repetition.
        submit()?;
        let mut group = c.benchmark_group(name);
        group.throughput(Throughput::Bytes(bytes * REPEATS as u64));
        group.bench_function(id, |b| b.iter(|| black_box(submit().is_ok())));
        group.finish();
        Ok(())
    }
}

/// A number as the name of a case.
trait Case {
    fn case(self) -> BenchmarkId;
}

impl Case for u32 {
    fn case(self) -> BenchmarkId {
        BenchmarkId::from_parameter(self)
    }
}
