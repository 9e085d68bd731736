//! How close is close enough.

use half::f16;
use serde::Deserialize;

/// What the words of an output are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Compare {
    /// Bits; ids, copies.
    Exact,
    /// f32 values, at the row's `limit`.
    Floats,
    /// Pairs of halves, at the row's `halves`.
    Halves,
    /// Cells of a cache: as many keys as floats, at the row's `limit`, then as many values as halves, at the row's `halves`.
    Cells {
        /// Keys of a cell.
        keys: usize,
    },
    /// Records of as many words, each [`Compare::Exact`] or [`Compare::Floats`]; a field is compared as a buffer of its own.
    Records(&'static [Compare]),
}

/// A tolerance, with its reason in the table.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Limit {
    /// Largest normalised mean squared error: Σ(a − b)² / Σb².
    pub nmse: f64,
    /// Largest error of one element, relative to the largest magnitude of the reference.
    pub max: f64,
    /// Why this much.
    pub reason: String,
}

impl Compare {
    /// Elements of the words.
    #[must_use]
    pub fn values(self, words: &[u32]) -> Vec<f64> {
        match self {
            Self::Exact => words.iter().map(|w| f64::from(*w)).collect(),
            Self::Floats => words.iter().map(|w| f32::from_bits(*w).into()).collect(),
            Self::Halves => words
                .iter()
                .flat_map(|w| [*w as u16, (*w >> 16) as u16])
                .map(|h| f16::from_bits(h).to_f64())
                .collect(),
            Self::Cells { keys } => {
                let cell = |cell: &[u32]| {
                    let (key, value) = cell.split_at(keys);
                    [Self::Floats.values(key), Self::Halves.values(value)].concat()
                };
                words.chunks_exact(keys + keys / 2).flat_map(cell).collect()
            }
            Self::Records(fields) => {
                fields.iter().cycle().zip(words).flat_map(|(field, word)| field.values(&[*word])).collect()
            }
        }
    }
}

/// The tolerances of a row.
#[derive(Clone, Copy, Debug)]
pub struct Limits<'a> {
    /// Of floats.
    pub floats: &'a Limit,
    /// Of halves.
    pub halves: &'a Limit,
}

/// The differences of two results, or why they are not within `limits` of each other.
///
/// # Errors
/// A sentence with the first offender.
pub fn agree(compare: Compare, found: &[f64], wanted: &[f64], limits: Limits<'_>) -> Result<Errors, String> {
    if found.len() != wanted.len() {
        return Err(format!("{} elements, {} expected", found.len(), wanted.len()));
    }
    let mut errors = Errors::default();
    match compare {
        Compare::Records(fields) => {
            for (i, field) in fields.iter().enumerate() {
                let column =
                    |values: &[f64]| values.iter().skip(i).step_by(fields.len()).copied().collect::<Vec<_>>();
                let of_field = agree(*field, &column(found), &column(wanted), limits);
                errors = errors.worse(of_field.map_err(|what| format!("field {i} of the records: {what}"))?);
            }
            return Ok(errors);
        }
        Compare::Cells { keys } => {
            for (i, (what, part)) in
                [("keys", Compare::Floats), ("values", Compare::Halves)].into_iter().enumerate()
            {
                let of_cells = |elements: &[f64]| -> Vec<f64> {
                    elements.chunks_exact(keys).skip(i).step_by(2).flatten().copied().collect()
                };
                let of_part = agree(part, &of_cells(found), &of_cells(wanted), limits);
                errors = errors.worse(of_part.map_err(|e| format!("{what}: {e}"))?);
            }
            return Ok(errors);
        }
        _ => {}
    }
    let limit = if compare == Compare::Halves { limits.halves } else { limits.floats };
    let (mut noise, mut signal, mut largest) = (0.0, 0.0, 0.0f64);
    for (i, (a, b)) in found.iter().zip(wanted).enumerate() {
        if a.to_bits() == b.to_bits() || a.is_nan() && b.is_nan() {
            signal += if b.is_nan() { 0.0 } else { b * b };
            largest = if b.is_nan() { largest } else { largest.max(b.abs()) };
            continue;
        }
        if compare == Compare::Exact || !a.is_finite() || !b.is_finite() {
            return Err(format!("element {i} is {a}, expected {b}"));
        }
        noise += (a - b) * (a - b);
        signal += b * b;
        largest = largest.max(b.abs());
        if (a - b).abs() > errors.max {
            (errors.max, errors.at) = ((a - b).abs(), i);
        }
    }
    errors.nmse = if noise == 0.0 { 0.0 } else { noise / signal.max(f64::MIN_POSITIVE) };
    errors.max /= largest.max(f64::MIN_POSITIVE);
    if errors.nmse > limit.nmse || errors.max > limit.max {
        return Err(format!(
            "nmse {:.1e} (limit {:.1e}), largest error {:.1e} (limit {:.1e}) at element {}: {} instead of {}",
            errors.nmse, limit.nmse, errors.max, limit.max, errors.at, found[errors.at], wanted[errors.at]
        ));
    }
    Ok(errors)
}

/// How far apart two results are.
#[derive(Clone, Copy, Debug, Default)]
pub struct Errors {
    /// Normalised mean squared error.
    pub nmse: f64,
    /// Largest relative error of an element.
    pub max: f64,
    /// Where that is.
    pub at: usize,
}

impl Errors {
    /// The larger of both.
    #[must_use]
    pub fn worse(self, other: Self) -> Self {
        Self { nmse: self.nmse.max(other.nmse), max: self.max.max(other.max), at: 0 }
    }
}
