//! A device, and the records of the sampling kernels.

use std::rc::Rc;

use goldcrest_gpu::{Buffer, Device, Dispatch, Slice, Work};
use goldcrest_kernels::Profile;
use goldcrest_kernels::sampling::{CANDIDATES, Picked, RowStats, SampleParams};
use goldcrest_kernels::step::{Header, IDENTITY, MAX_ROWS, MAX_WANT, NO_TREE, Row};
use goldcrest_sample::SamplerParams;
use goldcrest_testkit::kernels::adapters::devices;
use goldcrest_testkit::kernels::random::Random;

/// Written everywhere before a kernel runs: a NaN, so that a word left unwritten shows.
pub(crate) const POISON: u32 = 0x7fc0_0000;

pub(crate) struct Rig {
    pub(crate) device: Rc<dyn Device>,
    pub(crate) profile: Profile,
}

impl Rig {
    /// The CPU twins, and every adapter of this machine, with the kernel forms of both profiles.
    pub(crate) fn all() -> Vec<Self> {
        let both = |device: Rc<dyn Device>| {
            [Profile::CORE, Profile::SOFTWARE].map(|profile| Self { device: Rc::clone(&device), profile })
        };
        devices().unwrap().into_iter().flat_map(both).collect()
    }

    pub(crate) fn is_twin(&self) -> bool {
        self.device.info().backend == "cpu"
    }

    pub(crate) fn name(&self) -> String {
        format!("{} ({})", self.device.info().name, self.profile.name)
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

/// One of `choices`.
pub(crate) fn pick<T: Copy>(random: &mut Random, choices: &[T]) -> T {
    choices[random.below(choices.len() as u32) as usize]
}

/// The kernels' form of settings that they can run.
pub(crate) fn kernel_params(params: &SamplerParams) -> SampleParams {
    let plan = params.gpu_plan();
    assert!(plan.complete);
    SampleParams {
        repeat: plan.repeat,
        frequency: plan.freq,
        presence: plan.present,
        last_n: plan.last_n as u32,
        inv_temperature: plan.inv_temperature,
        top_k: plan.top_k,
        top_p: plan.top_p,
        min_p: plan.min_p,
        log_min_p: plan.min_p_log,
        greedy: u32::from(plan.greedy),
        reserved: [0; 6],
    }
}
