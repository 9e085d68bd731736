//! A device with the buffers and plans of the sampling kernels, and random rows for it.

use std::rc::Rc;

use goldcrest_gpu::{Buffer, CpuDevice, Device, Dispatch, Request, Slice, Work, open};
use goldcrest_kernels::sampling::{CANDIDATES, Picked, RowStats};
use goldcrest_kernels::step::{Header, IDENTITY, MAX_ROWS, MAX_WANT, NO_TREE, Row};
use goldcrest_sample::philox4x32_10;

/// Written everywhere before a kernel runs: a NaN, so that a word left unwritten shows.
pub(crate) const POISON: u32 = 0x7fc0_0000;

pub(crate) struct Rig {
    pub(crate) device: Rc<dyn Device>,
}

impl Rig {
    /// The CPU twins, and the adapter of this machine.
    pub(crate) fn all() -> Vec<Self> {
        let mut devices: Vec<Rc<dyn Device>> = vec![Rc::new(CpuDevice::new())];
        let found = pollster::block_on(open(&Request::default())).unwrap();
        if found.info().backend == "cpu" {
            println!("skip: no adapter besides the CPU twins");
        } else {
            devices.push(found);
        }
        devices.into_iter().map(|device| Self { device }).collect()
    }

    pub(crate) fn is_twin(&self) -> bool {
        self.device.info().backend == "cpu"
    }

    pub(crate) fn name(&self) -> &str {
        &self.device.info().name
    }

    pub(crate) fn put(&self, words: &[u32]) -> Slice<Buffer> {
        let buffer = self.device.create_buffer("test", words.len() as u64 * 4).unwrap();
        self.device.write(&buffer, 0, bytemuck::cast_slice(words)).unwrap();
        buffer.slice(0, words.len() as u64 * 4)
    }

    pub(crate) fn poisoned(&self, bytes: u64) -> Slice<Buffer> {
        self.put(&vec![POISON; bytes as usize / 4])
    }

    pub(crate) fn write(&self, slice: &Slice<Buffer>, words: &[u32]) {
        self.device.write(&slice.buffer, slice.offset, bytemuck::cast_slice(words)).unwrap();
    }

    pub(crate) fn run(&self, dispatches: Vec<Dispatch<Buffer>>, reads: &[&Slice<Buffer>]) -> Vec<Vec<u32>> {
        let plan = self.device.record(dispatches).unwrap();
        self.submit(&[Work::all(&plan)], reads)
    }

    pub(crate) fn submit(&self, work: &[Work<'_>], reads: &[&Slice<Buffer>]) -> Vec<Vec<u32>> {
        let reads: Vec<Slice<Buffer>> = reads.iter().map(|slice| (*slice).clone()).collect();
        let results = pollster::block_on(self.device.submit(work, &reads).unwrap()).unwrap();
        results.iter().map(|bytes| bytemuck::pod_collect_to_vec(bytes)).collect()
    }
}

/// Words of a step buffer whose wanted row `w` is row `w`, at position `pos` of sequence `seq`.
pub(crate) fn step_words(n_want: u32, seed: u64, rows: &[(u32, u32)]) -> Vec<u32> {
    let header = Header {
        n_rows: rows.len() as u32,
        n_want,
        seed_lo: seed as u32,
        seed_hi: (seed >> 32) as u32,
        ..Header::default()
    };
    let mut words: Vec<u32> = bytemuck::cast_slice(&[header]).to_vec();
    words.extend(0..MAX_WANT as u32);
    for i in 0..MAX_ROWS {
        let (pos, seq) = rows.get(i).copied().unwrap_or((0, 0));
        words.extend(bytemuck::cast_slice::<_, u32>(&[row_at(pos, seq)]));
    }
    words
}

fn row_at(pos: u32, seq: u32) -> Row {
    Row {
        token: 0,
        pos,
        cell: 0,
        table: IDENTITY,
        base: 0,
        lo: 0,
        hi: pos + 1,
        lo_swa: 0,
        tree: NO_TREE,
        ancestors_lo: 0,
        ancestors_hi: 0,
        seq,
        mix_start: 0,
        mix_len: 0,
        reserved: [0; 2],
    }
}

pub(crate) fn stats_of(words: &[u32]) -> Vec<RowStats> {
    bytemuck::cast_slice(words).to_vec()
}

pub(crate) fn picked_of(words: &[u32]) -> Vec<Picked> {
    bytemuck::cast_slice(words).to_vec()
}

/// (id, logit) pairs of wanted row `w` of a topk result.
pub(crate) fn best_of(words: &[u32], w: usize) -> Vec<(u32, f32)> {
    let list = &words[w * CANDIDATES as usize * 2..][..CANDIDATES as usize * 2];
    list.chunks(2).map(|e| (e[0], f32::from_bits(e[1]))).collect()
}

/// A counter-based source of test data.
pub(crate) struct Dice {
    seed: u32,
    n: u32,
}

impl Dice {
    pub(crate) fn new(seed: u32) -> Self {
        Self { seed, n: 0 }
    }

    pub(crate) fn word(&mut self) -> u32 {
        self.n += 1;
        philox4x32_10([self.n, self.seed, 0, 77], [1, 2])[0]
    }

    pub(crate) fn below(&mut self, n: u32) -> u32 {
        self.word() % n
    }

    pub(crate) fn pick<T: Copy>(&mut self, choices: &[T]) -> T {
        choices[self.below(choices.len() as u32) as usize]
    }

    pub(crate) fn unit(&mut self) -> f32 {
        (self.word() >> 8) as f32 / 16_777_216.0
    }

    /// Roughly normal: the sum of four uniforms.
    pub(crate) fn normal(&mut self) -> f32 {
        (0..4).map(|_| self.unit()).sum::<f32>() * 1.732 - 3.464
    }
}

/// Kinds of rows: spread, ties, flat, one huge logit, banned tokens, both zeros and subnormals, far apart, neighbours.
pub(crate) fn row(dice: &mut Dice, kind: u32, n_vocab: usize) -> Vec<f32> {
    let mut row: Vec<f32> = (0..n_vocab).map(|_| dice.normal() * 3.0).collect();
    match kind % 8 {
        0 => {}
        1 => row.iter_mut().for_each(|l| *l = (*l * 2.0).round() / 2.0),
        2 => row.fill(dice.normal()),
        3 => row[dice.below(n_vocab as u32) as usize] = 1e4,
        // Neighbouring floats, which a factor of 1.25 makes equal here and there.
        7 => row.iter_mut().for_each(|l| *l = f32::from_bits(1.7f32.to_bits() + l.to_bits() % 9)),
        4 => row.iter_mut().step_by(3).for_each(|l| *l = -1e30),
        5 => row.iter_mut().for_each(|l| *l = [0.0, -0.0, 1e-40, -1e-40, -1.0][(l.to_bits() % 5) as usize]),
        _ => row.iter_mut().for_each(|l| *l *= 100.0),
    }
    row
}

pub(crate) fn bits(row: &[f32]) -> Vec<u32> {
    row.iter().map(|logit| logit.to_bits()).collect()
}
