//! One step: any batch, cut into chunks of bounded time, with everything that was asked for reduced on the device.

use std::ops::Range;
use std::pin::Pin;

use goldcrest_gpu::{Buffer, Slice, Work};
use goldcrest_kernels::sampling::{NO_ID, Picked, RowStats, gather_list};
use goldcrest_kernels::step::{Header, MAX_WANT, Row};
use goldcrest_model::{HeadRows, Recorder};
use goldcrest_sample::{SamplerParams, TokenMask};
use web_time::Instant;

use super::Runtime;
use super::logits::MAX_LISTED;
use super::masks::LateMask;
use super::pacer::class_of;
use super::plans::{LayersPlan, Part};
use crate::EngineError;
use crate::batch::{BEST, Batch, BatchRow, Place, RowResult, StepResult, Tap, Visible, Wants};
use crate::kv::SeqId;

/// Work of the caller's own while a batch runs.
pub type Meanwhile<'a> = Pin<&'a mut dyn Future<Output = ()>>;

impl Runtime {
    /// Runs a batch. Sequences grow by the rows that append; on an error they are as before.
    ///
    /// # Errors
    /// [`EngineError::BadBatch`] and its kin for what cannot run, [`EngineError::Gpu`] for a device that fails,
    /// [`EngineError::NonFiniteLogits`].
    pub async fn forward(&mut self, batch: &Batch) -> Result<StepResult, EngineError> {
        self.forward_late(batch, None).await
    }

    /// [`Runtime::forward`] with work of the caller's own between the submit and the reading: another device can do it meanwhile. It
    /// is not begun where the submit fails, and comes behind a walk, which submits as often as its path asks.
    ///
    /// # Errors
    /// As [`Runtime::forward`].
    pub async fn forward_beside(
        &mut self,
        batch: &Batch,
        work: Meanwhile<'_>,
    ) -> Result<StepResult, EngineError> {
        self.forward_with(batch, None, Some(work)).await
    }

    /// [`Runtime::forward`] with masks that are made while the device runs the layers.
    pub(super) async fn forward_late(
        &mut self,
        batch: &Batch,
        late: Option<LateMask<'_>>,
    ) -> Result<StepResult, EngineError> {
        self.forward_with(batch, late, None).await
    }

    async fn forward_with(
        &mut self,
        batch: &Batch,
        late: Option<LateMask<'_>>,
        beside: Option<Meanwhile<'_>>,
    ) -> Result<StepResult, EngineError> {
        self.check_batch(batch)?;
        let before = self.lengths(batch)?;
        let mut words = self.place_rows(batch)?;
        let result = match (&batch.walk, &batch.sampler) {
            (Some(walk), Some(sampler)) => {
                let walked = self.run_walk(batch, walk, sampler, &mut words).await;
                if let (Ok(_), Some(beside)) = (&walked, beside) {
                    beside.await;
                }
                walked
            }
            _ => self.run_chunks(batch, &mut words, late, beside).await,
        };
        if result.is_err() {
            self.restore(&before)?;
        }
        result
    }

    /// Appends tokens to a sequence without asking for anything; time per submit stays bounded.
    ///
    /// # Errors
    /// As [`Runtime::forward`]. `keep_going` is asked before every chunk; if it says no, what was prefilled stays and
    /// [`EngineError::Aborted`] is returned.
    pub async fn prefill(
        &mut self,
        seq: SeqId,
        tokens: &[u32],
        keep_going: &mut dyn FnMut(usize) -> bool,
    ) -> Result<(), EngineError> {
        let mut done = 0;
        while done < tokens.len() {
            if !keep_going(done) {
                return Err(EngineError::Aborted);
            }
            let n = self.pacer.next_chunk(tokens.len() - done);
            let pos = self.pool.sequence(seq)?.next_pos();
            let rows = tokens[done..done + n].iter().zip(pos..).map(|(t, pos)| BatchRow::token(*t, pos, seq));
            self.forward(&Batch { rows: rows.collect(), ..Batch::default() }).await?;
            done += n;
        }
        Ok(())
    }

    /// All logits of the wanted row `slot` of the step that ran last; they stay on the device until the next one.
    ///
    /// # Errors
    /// [`EngineError::BadBatch`] for a slot that no step has, [`EngineError::Gpu`].
    pub async fn kept_logits(&mut self, slot: usize) -> Result<Vec<f32>, EngineError> {
        if slot >= MAX_WANT {
            return Err(EngineError::BadBatch { reason: "a step has no wanted row of that number" });
        }
        let bytes = u64::from(self.model.config.n_vocab) * 4;
        let row = self.scratch.logits.buffer.slice(slot as u64 * bytes, bytes);
        let parts = self.device.submit(&[], std::slice::from_ref(&row))?.await?;
        Ok(parts.first().map(|row| floats(row)).unwrap_or_default())
    }

    fn lengths(&self, batch: &Batch) -> Result<Vec<(SeqId, usize)>, EngineError> {
        batch.rows.iter().map(|r| Ok((r.seq, self.pool.sequence(r.seq)?.len()))).collect()
    }

    async fn run_chunks(
        &mut self,
        batch: &Batch,
        words: &mut [Row],
        mut late: Option<LateMask<'_>>,
        mut beside: Option<Meanwhile<'_>>,
    ) -> Result<StepResult, EngineError> {
        let mut result = StepResult { taps: vec![Vec::new(); n_read_taps(batch)], ..StepResult::default() };
        let whole = batch.rows.iter().any(|r| r.visible != Visible::Causal || r.place != Place::Append)
            || batch.layers.is_some();
        let mut done = 0;
        while done < batch.rows.len() {
            let left = batch.rows.len() - done;
            let n = if whole { left } else { self.pacer.next_chunk(left) };
            let chunk = done..done + n;
            let meanwhile = (&mut late, beside.take());
            self.run_chunk(batch, chunk.clone(), &mut words[chunk], meanwhile, &mut result).await?;
            done += n;
        }
        Ok(result)
    }

    async fn run_chunk(
        &mut self,
        batch: &Batch,
        chunk: Range<usize>,
        words: &mut [Row],
        (late, beside): (&mut Option<LateMask<'_>>, Option<Meanwhile<'_>>),
        result: &mut StepResult,
    ) -> Result<(), EngineError> {
        let rows = &batch.rows[chunk.clone()];
        self.write_sources(rows, words)?;
        let (layers, tap_reads) = match batch.taps.is_empty() {
            true => {
                let n_seen = words.first().map_or(0, |row| row.hi as usize);
                (self.layers_plan(class_of(rows.len()), n_seen, batch.ff_width)?, Vec::new())
            }
            false => self.tapped_plan(batch, rows.len())?,
        };
        let range = dispatch_range(&layers, batch.layers.as_ref());
        let wanted: Vec<u32> =
            (0..rows.len()).filter(|i| !rows[*i].wants.is_none()).map(|i| i as u32).collect();
        let first_group = &wanted[..wanted.len().min(MAX_WANT)];
        let started = Instant::now();
        let mut work = vec![Work::Run { plan: &layers.plan, range }];
        let sampler = batch.sampler.as_ref();
        let head = self.prepare_head(rows, words, first_group, sampler)?;
        let mask_part = if late.is_some() { Some(self.part(Part::Mask(1))?) } else { None };
        let mut running = None;
        match late.as_mut().filter(|_| !wanted.is_empty()) {
            None => work.extend(head.parts.iter().map(Work::all)),
            Some(mask) => {
                let (logits, reductions) = head.parts.split_at(head.parts.len().min(1));
                work.extend(logits.iter().map(Work::all));
                running = Some(self.device.submit(&work, &[])?);
                let mask = mask()?;
                self.write_masks(&[Some(&mask)])?;
                work = mask_part.iter().map(Work::all).collect();
                work.extend(reductions.iter().map(Work::all));
            }
        }
        let mut reads = tap_reads.clone();
        reads.extend(head.reads.iter().cloned());
        let readback = self.device.submit(&work, &reads)?;
        if let Some(beside) = beside {
            beside.await;
        }
        if let Some(running) = running {
            running.await?;
        }
        let mut parts = readback.await?;
        self.forward_passes += 1;
        if wanted.is_empty() && batch.taps.is_empty() {
            self.pacer.record(rows.len(), started.elapsed().saturating_sub(self.latency));
        }
        let head_parts = parts.split_off(tap_reads.len());
        let taps = result.taps.iter_mut().zip(parts);
        taps.for_each(|(tap, bytes)| tap.extend(floats(&bytes)));
        head.collect(self.model.config.n_vocab, rows, chunk.start, &head_parts, &mut result.rows)?;
        for group in wanted[first_group.len()..].chunks(MAX_WANT) {
            let head = self.prepare_head(rows, words, group, sampler)?;
            let work: Vec<Work<'_>> = head.parts.iter().map(Work::all).collect();
            let parts = self.device.submit(&work, &head.reads)?.await?;
            head.collect(self.model.config.n_vocab, rows, chunk.start, &parts, &mut result.rows)?;
        }
        Ok(())
    }

    /// Writes the step for one group of wanted rows and gathers the parts and reads that serve it.
    fn prepare_head(
        &mut self,
        rows: &[BatchRow],
        words: &[Row],
        wanted: &[u32],
        sampler: Option<&SamplerParams>,
    ) -> Result<Head, EngineError> {
        let seed = sampler.map_or(0, |sampler| sampler.seed);
        let header = Header {
            n_rows: rows.len() as u32,
            n_want: wanted.len() as u32,
            seed_lo: seed as u32,
            seed_hi: (seed >> 32) as u32,
            ..Header::default()
        };
        self.write_step(header, wanted, words)?;
        let mut head = Head { wanted: wanted.to_vec(), ..Head::default() };
        if wanted.is_empty() {
            return Ok(head);
        }
        for index in wanted {
            head.wants.merge(&rows[*index as usize].wants);
        }
        let head_rows = match (rows.len(), wanted.len(), head.wants.hidden) {
            (_, _, true) => HeadRows::Many,
            (1, _, _) => HeadRows::Direct,
            (_, 1, _) => HeadRows::One,
            _ => HeadRows::Many,
        };
        let n_want = if wanted.len() == 1 { 1 } else { MAX_WANT as u32 };
        head.parts.push(self.part(Part::Head(head_rows))?);
        let masks: Vec<Option<&TokenMask>> =
            wanted.iter().map(|index| rows[*index as usize].wants.allowed.as_deref()).collect();
        if masks.iter().any(Option::is_some) {
            self.write_masks(&masks)?;
            head.parts.push(self.part(Part::Mask(n_want))?);
        }
        head.parts.push(self.part(Part::Stats(n_want))?);
        let n = wanted.len() as u64;
        head.reads.push(self.logits.stats.buffer.slice(0, n * size_of::<RowStats>() as u64));
        let drawing = sampler.filter(|_| head.wants.drawn.is_some());
        if head.wants.top > 0 || drawing.is_some_and(|sampler| !sampler.is_greedy()) {
            head.parts.push(self.part(Part::Top(n_want))?);
        }
        if head.wants.top > 0 {
            let list = |slot| slot * u64::from(BEST) * 8;
            let read = |slot| self.logits.best.buffer.slice(list(slot), u64::from(head.wants.top) * 8);
            head.reads.extend((0..n).map(read));
        }
        if let Some(sampler) = drawing {
            self.write_sampler(&sampler.gpu_plan())?;
            head.parts.push(self.part(Part::Draw(n_want))?);
            head.reads.push(self.logits.picked.buffer.slice(0, n * size_of::<Picked>() as u64));
        }
        if !head.wants.logits_at.is_empty() {
            self.list_logits(rows, &mut head)?;
        }
        if head.wants.row {
            let bytes = n * u64::from(self.model.config.n_vocab) * 4;
            head.reads.push(self.scratch.logits.buffer.slice(0, bytes));
        }
        if head.wants.hidden {
            let bytes = n * u64::from(self.model.config.n_embd) * 4;
            head.reads.push(self.scratch.wanted_normed.buffer.slice(0, bytes));
        }
        Ok(head)
    }

    fn list_logits(&mut self, rows: &[BatchRow], head: &mut Head) -> Result<(), EngineError> {
        let listed = |(slot, index): (usize, &u32)| {
            let tokens = rows[*index as usize].wants.logits_at.iter();
            tokens.map(|token| (slot as u32, *token)).collect::<Vec<_>>()
        };
        let pairs: Vec<(u32, u32)> = head.wanted.iter().enumerate().flat_map(listed).collect();
        if pairs.len() > MAX_LISTED as usize {
            return Err(EngineError::BadBatch { reason: "it lists the logits of too many tokens" });
        }
        self.device.write(&self.logits.list.buffer, 0, bytemuck::cast_slice(&gather_list(&pairs)))?;
        head.parts.push(self.part(Part::Gather)?);
        head.reads.push(self.logits.listed.buffer.slice(0, pairs.len() as u64 * 4));
        Ok(())
    }

    /// A plan of its own for a batch with taps, and the reads of the points that it copies out.
    fn tapped_plan(
        &mut self,
        batch: &Batch,
        n_rows: usize,
    ) -> Result<(LayersPlan, Vec<Slice<Buffer>>), EngineError> {
        let cfg = &self.model.config;
        let row_bytes = u64::from(cfg.n_embd) * 4;
        let class = class_of(n_rows);
        let mut r = Recorder::new(self.targets(), class, HeadRows::Direct).with_ff_width(batch.ff_width);
        self.model.record_embed(&mut r)?;
        let (mut starts, mut ends, mut reads) = (Vec::new(), Vec::new(), Vec::new());
        for il in 0..=cfg.n_layer {
            starts.push(r.len());
            let (mut end, mut added) = (r.len(), 0);
            for tap in &batch.taps {
                match tap {
                    Tap::Read { layer } if *layer == il => {
                        let out = self.device.create_buffer("tap", u64::from(class) * row_bytes)?;
                        r.read_tap(&out.whole(), 0)?;
                        reads.push((tap, out.slice(0, n_rows as u64 * row_bytes)));
                        if added == 0 {
                            end = r.len();
                        }
                    }
                    Tap::Add { layer, rows, vector, scale } if *layer == il => {
                        let list = rows.clone().unwrap_or_else(|| vec![u32::MAX]);
                        let (v, list) = (self.upload_floats(vector)?, self.upload_words(&list)?);
                        r.add_tap(&v, &list, *scale)?;
                        added += 1;
                    }
                    _ => {}
                }
            }
            ends.push(end);
            if il < cfg.n_layer {
                self.model.record_layer(&mut r, il)?;
            }
        }
        // A layer range ends behind what is read of the rows before the next layer, and before what is added there; what is
        // added after the last layer belongs to the end.
        if let Some(last) = ends.last_mut() {
            *last = r.len();
        }
        let in_order = batch.taps.iter().filter_map(|t| reads.iter().find(|(tap, _)| std::ptr::eq(*tap, t)));
        let reads = in_order.map(|(_, slice)| slice.clone()).collect();
        Ok((
            LayersPlan { plan: self.device.record(r.finish())?, starts: starts.into(), ends: ends.into() },
            reads,
        ))
    }

    fn upload_floats(&self, values: &[f32]) -> Result<Slice<Buffer>, EngineError> {
        if values.len() != self.model.config.n_embd as usize {
            return Err(EngineError::BadBatch { reason: "a tap's vector has another width than the model" });
        }
        let buffer = self.device.create_buffer("tap vector", values.len() as u64 * 4)?;
        self.device.write(&buffer, 0, bytemuck::cast_slice(values))?;
        Ok(buffer.slice(0, values.len() as u64 * 4))
    }

    fn upload_words(&self, words: &[u32]) -> Result<Slice<Buffer>, EngineError> {
        let buffer = self.device.create_buffer("tap rows", words.len() as u64 * 4)?;
        self.device.write(&buffer, 0, bytemuck::cast_slice(words))?;
        Ok(buffer.slice(0, words.len() as u64 * 4))
    }
}

/// What runs behind the layers for one group of wanted rows.
#[derive(Default)]
struct Head {
    wanted: Vec<u32>,
    wants: Wants,
    parts: Vec<goldcrest_gpu::Plan>,
    reads: Vec<Slice<Buffer>>,
}

impl Head {
    /// Cuts what was read into one result per wanted row.
    fn collect(
        &self,
        n_vocab: u32,
        rows: &[BatchRow],
        first_row: usize,
        parts: &[Vec<u8>],
        out: &mut Vec<RowResult>,
    ) -> Result<(), EngineError> {
        let mut parts = parts.iter();
        let mut next =
            |asked: bool| if asked { parts.next().map(Vec::as_slice).unwrap_or_default() } else { &[] };
        let stats = next(!self.wanted.is_empty());
        let top: Vec<&[u8]> = self.wanted.iter().map(|_| next(self.wants.top > 0)).collect();
        let drawn = next(self.wants.drawn.is_some());
        let listed = floats(next(!self.wants.logits_at.is_empty()));
        let logits = floats(next(self.wants.row));
        let hidden = floats(next(self.wants.hidden));
        let mut listed = listed.into_iter();
        let n = self.wanted.len().max(1);
        let part = |values: &[f32], slot: usize| {
            values[slot * values.len() / n..(slot + 1) * values.len() / n].to_vec()
        };
        for (slot, index) in self.wanted.iter().enumerate() {
            let wants = &rows[*index as usize].wants;
            let size = size_of::<RowStats>();
            let stats: RowStats = bytemuck::pod_read_unaligned(&stats[slot * size..(slot + 1) * size]);
            if stats.bad != 0 {
                return Err(EngineError::NonFiniteLogits { token: (stats.bad - 1).min(n_vocab - 1) });
            }
            out.push(RowResult {
                row: first_row + *index as usize,
                stats: Some(stats),
                top: candidates(top[slot], wants.top),
                drawn: wants.drawn.map(|_| draw(drawn, slot, n_vocab)).transpose()?,
                logits_at: listed.by_ref().take(wants.logits_at.len()).collect(),
                logits: if wants.row { part(&logits, slot) } else { Vec::new() },
                hidden: if wants.hidden { part(&hidden, slot) } else { Vec::new() },
            });
        }
        Ok(())
    }
}

impl Wants {
    /// Asks for what either asks for; lists keep only whether there is one.
    fn merge(&mut self, other: &Self) {
        self.stats |= other.stats;
        self.top = self.top.max(other.top.min(BEST));
        self.drawn = self.drawn.or(other.drawn);
        self.row |= other.row;
        self.hidden |= other.hidden;
        self.logits_at.extend(&other.logits_at);
    }
}

fn candidates(list: &[u8], n: u32) -> Vec<(u32, f32)> {
    let pair = |pair: &[u8; 8]| {
        let [a, b, c, d, e, f, g, h] = *pair;
        (u32::from_le_bytes([a, b, c, d]), f32::from_le_bytes([e, f, g, h]))
    };
    let pairs = list.as_chunks::<8>().0.iter().take(n as usize);
    pairs.map(pair).filter(|(id, _)| *id != NO_ID).collect()
}

/// The token that the device drew for a row.
fn draw(bytes: &[u8], slot: usize, n_vocab: u32) -> Result<(u32, f32), EngineError> {
    let entry = bytes.chunks_exact(size_of::<Picked>()).nth(slot).ok_or(EngineError::BadResult)?;
    let picked: Picked = bytemuck::pod_read_unaligned(entry);
    match picked.flags {
        0 if picked.token < n_vocab => Ok((picked.token, picked.logprob)),
        Picked::NONE => Err(EngineError::NothingToSample),
        // Only parameters that the device decides exactly are let in, so that it never passes a choice on.
        _ => Err(EngineError::BadResult),
    }
}

fn floats(bytes: &[u8]) -> Vec<f32> {
    bytes.as_chunks::<4>().0.iter().map(|b| f32::from_le_bytes(*b)).collect()
}

fn n_read_taps(batch: &Batch) -> usize {
    batch.taps.iter().filter(|t| matches!(t, Tap::Read { .. })).count()
}

/// Dispatches of a layer range; the embedding belongs to a range that begins at 0.
fn dispatch_range(plan: &LayersPlan, layers: Option<&Range<u32>>) -> Range<usize> {
    let Some(layers) = layers else { return 0..plan.plan.len() };
    let first = if layers.start == 0 { 0 } else { plan.starts[layers.start as usize] };
    first..plan.ends[layers.end as usize]
}
