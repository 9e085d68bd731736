//! Runs a case between guards.

use std::collections::{BTreeMap, BTreeSet};

use goldcrest_gpu::{AdapterKind, Buffer, Device, GpuError, Work};
use goldcrest_kernels::{Activations, Profile, SOFT_LANES, ShapeError};

use super::case::{Bound, Case};
use super::compare::{Compare, Errors, Limit, Limits, agree};
use super::row::Row;

/// Words before and after each buffer; with 4 bytes a word the offset stays a multiple of 256.
pub const GUARD: usize = 1024;

/// Word `i` of a buffer's surroundings: a NaN as float and as halves, far beyond every end as an index, and no two
/// neighbours alike.
const fn sentinel(i: usize) -> u32 {
    0x7fc0_7e00 | (i as u32 & 0xff)
}

/// Why a case failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Failure {
    /// The operation refused the shape.
    #[error(transparent)]
    Shape(#[from] ShapeError),
    /// The device refused the work.
    #[error(transparent)]
    Gpu(#[from] GpuError),
    /// A result is not what it has to be.
    #[error("{profile} on {device}: {buffer}: {what}")]
    Result {
        /// The profile.
        profile: String,
        /// The device.
        device: String,
        /// The buffer.
        buffer: &'static str,
        /// What is wrong with it.
        what: String,
    },
    /// A profile of the row does not exist.
    #[error("profile `{0}` does not exist")]
    Profile(String),
}

/// What a case has shown.
#[derive(Debug, Default)]
pub struct Outcome {
    /// Largest errors: of the twins from the formula, then of each adapter from the twins.
    pub errors: BTreeMap<String, Errors>,
    /// Variants that ran.
    pub shaders: BTreeSet<&'static str>,
}

/// Runs `case` under each profile of `row` on each device, of which the first is the CPU twins.
///
/// # Errors
/// The first [`Failure`].
pub fn run(
    row: &Row,
    case: &Case,
    devices: &[std::rc::Rc<dyn Device>],
    limits: &BTreeMap<String, Limit>,
) -> Result<Outcome, Failure> {
    let mut outcome = Outcome::default();
    // Reading the table has shown that its limits exist.
    let among_devices = Limits { floats: &limits[&row.limit], halves: &limits[&row.halves] };
    let of_formula = Limits { floats: &limits[&row.formula], ..among_devices };
    for text in &row.profiles {
        let profile = profile(text)?;
        let mut twins: Option<Vec<Vec<u32>>> = None;
        for device in devices {
            let lanes = device.caps().subgroups;
            if profile.soft_subgroup && lanes.is_some_and(|lanes| lanes != (SOFT_LANES, SOFT_LANES))
                || lanes.is_some_and(|(least, _)| least < profile.subgroups)
            {
                continue;
            }
            // The engine refuses it on other adapters.
            if profile.activations == Activations::Int8 && device.info().kind != AdapterKind::Cpu {
                continue;
            }
            let name = &device.info().name;
            let fail =
                |buffer, what| Failure::Result { profile: text.clone(), device: name.clone(), buffer, what };
            let rig = Rig::new(device.as_ref(), case)?;
            let plan = match rig.record(&profile, &mut outcome.shaders) {
                // A form for devices that can do more.
                Err(Failure::Gpu(GpuError::MissingFeature { .. })) => continue,
                plan => plan?,
            };
            let found = rig.pass(&plan).map_err(|e| e.name(&fail))?;
            let again = rig.pass(&plan).map_err(|e| e.name(&fail))?;
            for ((bound, a), b) in case.bound.iter().zip(&found).zip(&again) {
                if let Some(i) = a.iter().zip(b).position(|(a, b)| a != b) {
                    return Err(fail(bound.name, format!("a second run gave other bits in word {i}")));
                }
            }
            let mut worst = Errors::default();
            let mut check = |bound: &Bound, words: &[u32], wanted: &[f64], limits: Limits<'_>| {
                let compare = bound.output.unwrap_or(Compare::Exact);
                let errors = agree(compare, &compare.values(words), wanted, limits);
                worst = worst.worse(errors.map_err(|what| fail(bound.name, what))?);
                Ok::<_, Failure>(())
            };
            if let Some(twins) = &twins {
                for ((bound, words), wanted) in case.bound.iter().zip(&found).zip(twins) {
                    let compare = bound.output.unwrap_or(Compare::Exact);
                    check(bound, words, &compare.values(wanted), among_devices)?;
                }
            } else {
                for (index, wanted) in &case.expected {
                    let (bound, words) = (&case.bound[*index], &found[*index]);
                    check(bound, words, &kept(bound, wanted), of_formula)?;
                }
                twins = Some(found);
            }
            let entry = outcome.errors.entry(name.clone()).or_default();
            *entry = entry.worse(worst);
        }
    }
    Ok(outcome)
}

/// The expected values, with the initial ones where nothing is to be written.
fn kept(bound: &Bound, wanted: &[f64]) -> Vec<f64> {
    let initial = bound.output.unwrap_or(Compare::Exact).values(&bound.words);
    wanted.iter().zip(initial).map(|(w, before)| if w.is_nan() { before } else { *w }).collect()
}

fn profile(text: &str) -> Result<Profile, Failure> {
    let unknown = || Failure::Profile(text.to_owned());
    let mut words = text.split_whitespace();
    let mut profile = match words.next() {
        Some("core") => Profile::CORE,
        Some("software") => Profile::SOFTWARE,
        _ => return Err(unknown()),
    };
    for entry in words {
        let (name, value) = entry.split_once('=').ok_or_else(unknown)?;
        profile = profile.with(name, value).map_err(|_| unknown())?;
    }
    Ok(profile)
}

/// A case's buffers on a device.
struct Rig<'a> {
    device: &'a dyn Device,
    case: &'a Case,
    buffers: Vec<Buffer>,
}

enum PassError {
    Gpu(GpuError),
    Guard { buffer: &'static str, what: String },
}

impl From<GpuError> for PassError {
    fn from(error: GpuError) -> Self {
        Self::Gpu(error)
    }
}

impl PassError {
    fn name(self, fail: &dyn Fn(&'static str, String) -> Failure) -> Failure {
        match self {
            Self::Gpu(error) => error.into(),
            Self::Guard { buffer, what } => fail(buffer, what),
        }
    }
}

impl<'a> Rig<'a> {
    fn new(device: &'a dyn Device, case: &'a Case) -> Result<Self, GpuError> {
        let make = |b: &Bound| device.create_buffer(b.name, (b.words.len() + 2 * GUARD) as u64 * 4);
        Ok(Self { device, case, buffers: case.bound.iter().map(make).collect::<Result<_, _>>()? })
    }

    fn record(
        &self,
        profile: &Profile,
        shaders: &mut BTreeSet<&'static str>,
    ) -> Result<goldcrest_gpu::Plan, Failure> {
        let slices: Vec<_> = self
            .buffers
            .iter()
            .zip(&self.case.bound)
            .map(|(buffer, bound)| buffer.slice(GUARD as u64 * 4, bound.words.len() as u64 * 4))
            .collect();
        let dispatches = (self.case.build)(&slices, profile)?;
        shaders.extend(dispatches.iter().map(|d| d.shader.shader().name));
        Ok(self.device.record(dispatches)?)
    }

    /// Writes everything, runs once, reads everything and checks what must not have changed.
    fn pass(&self, plan: &goldcrest_gpu::Plan) -> Result<Vec<Vec<u32>>, PassError> {
        for (buffer, bound) in self.buffers.iter().zip(&self.case.bound) {
            self.device.write(buffer, 0, bytemuck::cast_slice(&surrounded(&bound.words)))?;
        }
        let reads: Vec<_> = self
            .buffers
            .iter()
            .zip(&self.case.bound)
            .map(|(buffer, bound)| buffer.slice(0, (bound.words.len() + 2 * GUARD) as u64 * 4))
            .collect();
        let read = pollster::block_on(self.device.submit(&[Work::all(plan)], &reads)?)?;
        let mut results = Vec::new();
        for (bytes, bound) in read.iter().zip(&self.case.bound) {
            let words: Vec<u32> = bytes.as_chunks::<4>().0.iter().map(|b| u32::from_le_bytes(*b)).collect();
            let wanted = surrounded(&bound.words);
            let inside = GUARD..GUARD + bound.words.len();
            let fixed = |i: &usize| bound.output.is_none() || !inside.contains(i);
            if let Some(i) = (0..words.len()).filter(fixed).find(|i| words[*i] != wanted[*i]) {
                let at = i as i64 - GUARD as i64;
                let what = format!(
                    "word {at} of {} changed from {:#x} to {:#x}",
                    bound.words.len(),
                    wanted[i],
                    words[i]
                );
                return Err(PassError::Guard { buffer: bound.name, what });
            }
            results.push(words[inside].to_vec());
        }
        Ok(results)
    }
}

fn surrounded(words: &[u32]) -> Vec<u32> {
    let guard = |first: usize| (first..first + GUARD).map(sentinel);
    guard(0).chain(words.iter().copied()).chain(guard(GUARD)).collect()
}
