//! Decoding without the host in the loop: k steps per submit, the token chosen and fed back on the device.

use std::collections::VecDeque;

use bytemuck::Zeroable;
use goldcrest_gpu::{Plan, Readback, Work};
use goldcrest_kernels::sampling::{OutToken, Picked, SampleParams, bias_list, history_ring};
use goldcrest_kernels::step::{Header, NO_TREE, ROWS_OFFSET, Row};
use goldcrest_model::HeadRows;
use goldcrest_sample::{GpuChain, SamplerParams};
use web_time::Instant;

use super::Runtime;
use super::logits::{MAX_BIAS, MAX_HISTORY, RING};
use super::plans::Part;
use crate::EngineError;
use crate::kv::SeqId;

/// Candidates that the device's chain works on.
const K_MAX: usize = 256;

/// A token chosen on the device.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct DecodedToken {
    /// Its id.
    pub token: u32,
    /// Log-probability under the model's distribution, penalties applied.
    pub logprob: f32,
    /// Entropy of that distribution in nats.
    pub entropy: f32,
}

/// A sequence that decodes on the device.
pub struct DecodeRun {
    seq: SeqId,
    /// Entries of the sequence before the first step.
    start: usize,
    first_token: u32,
    window: u32,
    seed: u64,
    penalized: bool,
    greedy: bool,
    /// Steps submitted.
    submitted: usize,
    in_flight: VecDeque<(Readback, usize)>,
    last_result: Option<Instant>,
}

impl DecodeRun {
    /// Steps submitted so far.
    #[must_use]
    pub const fn submitted(&self) -> usize {
        self.submitted
    }

    /// Steps whose tokens have not been taken yet.
    #[must_use]
    pub fn in_flight(&self) -> usize {
        self.in_flight.iter().map(|(_, k)| k).sum()
    }
}

impl Runtime {
    /// Whether the device can run these parameters exactly.
    #[must_use]
    pub fn decodes_on_device(&self, params: &SamplerParams) -> bool {
        let chain = params.gpu_plan();
        let history = chain.last_n >= 0 && chain.last_n <= MAX_HISTORY as i32;
        chain.exact_with(K_MAX) && history && chain.n_bias <= MAX_BIAS
    }

    /// Whether the device can draw tokens for the rows of a batch by these parameters, see [`Batch::sampler`]: those of
    /// [`Runtime::decodes_on_device`] that do not look back, as each row of a batch may have a past of its own.
    ///
    /// [`Batch::sampler`]: crate::batch::Batch::sampler
    #[must_use]
    pub fn draws_on_device(&self, params: &SamplerParams) -> bool {
        let chain = params.gpu_plan();
        chain.exact_with(K_MAX) && !chain.looks_back() && chain.n_bias == 0
    }

    /// Prepares to decode `seq` from `token`, which is not in the cache yet. `history` is what penalties look back on.
    ///
    /// # Errors
    /// [`EngineError::BadBatch`] if the sequence's positions have gaps or the parameters need the host.
    pub fn start_decode(
        &mut self,
        seq: SeqId,
        token: u32,
        params: &SamplerParams,
        history: &[u32],
    ) -> Result<DecodeRun, EngineError> {
        let sequence = self.pool.sequence(seq)?;
        if !sequence.is_contiguous() || !self.decodes_on_device(params) {
            return Err(EngineError::BadBatch {
                reason: "this sequence or sampler needs the host in the loop",
            });
        }
        let start = sequence.len();
        let chain = params.gpu_plan();
        self.write_sampler(&chain)?;
        self.device.write(
            &self.logits.bias.buffer,
            0,
            bytemuck::cast_slice(&bias_list(&params.logit_bias)),
        )?;
        let ring = history_ring(history, MAX_HISTORY);
        self.device.write(&self.logits.history.buffer, 0, bytemuck::cast_slice(&ring))?;
        Ok(DecodeRun {
            seq,
            start,
            first_token: token,
            window: self.model.config.sliding_window.unwrap_or(0),
            seed: params.seed,
            penalized: chain.looks_back() || chain.n_bias > 0,
            greedy: chain.greedy,
            submitted: 0,
            in_flight: VecDeque::new(),
            last_result: None,
        })
    }

    /// Submits `k` steps (at most 64 in flight); their read-back overlaps whatever is submitted next.
    ///
    /// # Errors
    /// [`EngineError::PromptTooLong`] if the context cannot hold them, [`EngineError::KvFull`], [`EngineError::Gpu`].
    pub fn submit_decode(&mut self, run: &mut DecodeRun, k: usize) -> Result<(), EngineError> {
        let k = k.min(RING as usize - run.in_flight()).max(1);
        let pos = self.pool.sequence(run.seq)?.next_pos();
        if pos as usize + k > self.n_ctx as usize {
            return Err(EngineError::PromptTooLong { n_prompt: pos as usize + k, n_ctx: self.n_ctx });
        }
        self.reserve(k as u32)?;
        let first_entry = self.pool.sequence(run.seq)?.len();
        self.pool.append(run.seq, &(pos..pos + k as u32).collect::<Vec<_>>())?;
        self.write_decode_state(run, first_entry)?;
        let layers = self.layers_plan(1, first_entry + k, None)?.plan;
        let mut step: Vec<Plan> = vec![layers, self.part(Part::Head(HeadRows::Direct))?];
        if run.penalized {
            step.push(self.part(Part::Penalize)?);
        }
        step.push(self.part(Part::Stats(1))?);
        if !run.greedy {
            step.push(self.part(Part::Top(1))?);
        }
        step.push(self.part(Part::SampleNext)?);
        let work: Vec<Work<'_>> = (0..k).flat_map(|_| step.iter().map(Work::all)).collect();
        let reads = ring_reads(&self.logits.ring.buffer, run.submitted, k);
        let readback = self.device.submit(&work, &reads)?;
        run.in_flight.push_back((readback, k));
        run.submitted += k;
        self.forward_passes += k as u64;
        Ok(())
    }

    /// The tokens of the oldest submit, in order.
    ///
    /// # Errors
    /// [`EngineError::Gpu`] if the device failed, [`EngineError::NonFiniteLogits`], [`EngineError::NothingToSample`],
    /// [`EngineError::BadResult`].
    pub async fn take_decoded(&mut self, run: &mut DecodeRun) -> Result<Vec<DecodedToken>, EngineError> {
        let Some((readback, k)) = run.in_flight.pop_front() else { return Ok(Vec::new()) };
        let bytes = readback.await?.concat();
        let now = Instant::now();
        if let Some(last) = run.last_result.replace(now) {
            self.steps_pacer.record(k, now - last);
        }
        let mut tokens = Vec::new();
        for entry in bytes.chunks_exact(size_of::<OutToken>()) {
            let out: OutToken = bytemuck::pod_read_unaligned(entry);
            match out.flags {
                0 if out.token < self.model.config.n_vocab => {
                    tokens.push(DecodedToken { token: out.token, logprob: out.logprob, entropy: out.entropy })
                }
                Picked::BAD => return Err(EngineError::NonFiniteLogits { token: out.token }),
                Picked::NONE => return Err(EngineError::NothingToSample),
                // The parameters were checked to be exact on the device, so that it never passes a choice on.
                _ => return Err(EngineError::BadResult),
            }
        }
        Ok(tokens)
    }

    /// Ends a run after `n` of its tokens: the sequence keeps the first token and all but the last of those.
    ///
    /// # Errors
    /// [`EngineError::UnknownSequence`].
    pub fn end_decode(&mut self, run: DecodeRun, n: usize) -> Result<(), EngineError> {
        let keep = run.start + n.min(run.submitted);
        self.pool.truncate(run.seq, keep)
    }

    /// Tells the device how tokens are drawn.
    pub(super) fn write_sampler(&self, chain: &GpuChain) -> Result<(), EngineError> {
        let words = SampleParams {
            repeat: chain.repeat,
            frequency: chain.freq,
            presence: chain.present,
            last_n: chain.last_n as u32,
            inv_temperature: chain.inv_temperature,
            top_k: chain.top_k,
            top_p: chain.top_p,
            min_p: chain.min_p,
            log_min_p: chain.min_p_log,
            greedy: u32::from(chain.greedy),
            reserved: [0; 6],
        };
        Ok(self.device.write(&self.logits.params.buffer, 0, bytemuck::bytes_of(&words))?)
    }

    /// Writes the whole step before the first submit. Later the device counts on by itself, unless the sequence stopped
    /// being a run of cells: then it is told cell and table anew.
    fn write_decode_state(&mut self, run: &mut DecodeRun, first_entry: usize) -> Result<(), EngineError> {
        if let Some(update) = self.pool.table_update(run.seq)? {
            let table = &self.kv.table.buffer;
            self.device.write(table, u64::from(update.at) * 4, bytemuck::cast_slice(&update.words))?;
        }
        let (table, base) = self.pool.table_words(run.seq)?;
        let sequence = self.pool.sequence(run.seq)?;
        let entry = sequence.entries()[first_entry];
        if run.submitted > 0 {
            if !sequence.is_identity() {
                let offset = ROWS_OFFSET + std::mem::offset_of!(Row, cell) as u64;
                let words = [entry.cell.0, table, base];
                self.device.write(&self.scratch.step.buffer, offset, bytemuck::cast_slice(&words))?;
            }
            return Ok(());
        }
        let row = Row {
            token: run.first_token,
            pos: entry.pos,
            cell: entry.cell.0,
            table,
            base,
            lo: 0,
            hi: first_entry as u32 + 1,
            lo_swa: sequence.window_start(entry.pos, self.model.config.sliding_window),
            tree: NO_TREE,
            // The draws' stream: a request draws alike whatever else the runtime has done, and as the host's chain does.
            seq: 0,
            ..Row::zeroed()
        };
        let header = Header {
            n_rows: 1,
            n_want: 1,
            seed_lo: run.seed as u32,
            seed_hi: (run.seed >> 32) as u32,
            window: run.window,
            ..Header::default()
        };
        self.write_step(header, &[0], &[row])
    }
}

/// The slots that steps `first..first + k` write; two pieces where the ring wraps.
fn ring_reads(
    ring: &goldcrest_gpu::Buffer,
    first: usize,
    k: usize,
) -> Vec<goldcrest_gpu::Slice<goldcrest_gpu::Buffer>> {
    let (size, cap) = (size_of::<OutToken>(), RING as usize);
    let at = first % cap;
    let head = k.min(cap - at);
    let piece = |from: usize, n: usize| ring.slice((from * size) as u64, (n * size) as u64);
    let mut reads = vec![piece(at, head)];
    if head < k {
        reads.push(piece(0, k - head));
    }
    reads
}
