//! Which form of each kernel runs, as plain values.

use crate::shader::ShaderId;

/// How products with several columns run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ManyRows {
    /// Register blocked: best for few columns.
    Rows,
    /// Tiles of 64 × 64 in workgroup memory: best for many columns.
    Tile,
}

/// What the tiles of a product with many columns hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TileForm {
    /// Floats: exact up to the order of sums.
    Floats,
    /// Quants of both sides in signed bytes, multiplied by fours in integers. Activations lose all but 7 bits, so that this
    /// form is never a default; weights that are floats are multiplied as floats.
    Dot,
    /// Halves: both sides rounded to 11 bits, summed as floats; for the formats that have such tiles.
    Half,
}

/// How products of the CPU's executor take activations.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Activations {
    /// As precisely as floats are added.
    Exact,
    /// In signed bytes with a step for every 32: 7 bits of each, so that this form is never a default. Weights that are floats
    /// are multiplied as floats.
    Int8,
}

/// Lanes that a subgroup must have for [`Profile::soft_subgroup`]: as many as a row group has rows.
pub const SOFT_LANES: u32 = 8;

/// The choice of kernel forms for one device. Every entry can be forced by name with [`Profile::with`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Profile {
    /// Name of the profile this one was derived from.
    pub name: &'static str,
    /// Most lanes that share a weight row in `matmul_vec`; 1 needs no barrier.
    pub vec_lanes: u32,
    /// Blocks of row groups per workgroup of `matmul_vec`.
    pub vec_groups: u32,
    /// Most row groups per thread of `matmul_vec`: 1, 2 or 4.
    pub vec_block: u32,
    /// Most lanes that share a weight row in `matmul_rows`.
    pub rows_lanes: u32,
    /// Blocks of row groups per workgroup of `matmul_rows`.
    pub rows_groups: u32,
    /// Most row groups per thread of `matmul_rows`: 1, 2 or 4.
    pub rows_block: u32,
    /// Blocks that a product is cut into at least, before threads take several row groups each.
    pub min_blocks: u32,
    /// `matmul_soft` computes every product.
    pub soft: bool,
    /// The threads of `matmul_soft` are a subgroup and load activations together, those of attention are queries and load keys
    /// together: where subgroups have [`SOFT_LANES`] lanes.
    pub soft_subgroup: bool,
    /// What the products of `matmul_soft` make of activations; the shaders have no other than the exact form.
    pub activations: Activations,
    /// A forced form of the products with several columns, without `soft`; none chooses by [`Profile::tile_from`].
    pub many: Option<ManyRows>,
    /// Columns from which tiles are used.
    pub tile_from: u32,
    /// What tiles hold.
    pub tile_form: TileForm,
    /// Lanes that every subgroup has at least, where products of one and few rows, attention, norms and statistics add and
    /// compare by subgroups; 1 where they do so through workgroup memory alone.
    pub subgroups: u32,
    /// Invocations per row of norms and other row reductions.
    pub norm_threads: u32,
    /// Invocations per workgroup of attention.
    pub attention_threads: u32,
    /// Rows from which attention goes by tiles of queries and keys.
    pub flash_from: u32,
    /// Entries from which one row's attention is spread over several workgroups a head. Cores are few: they are busy
    /// with a workgroup a head.
    pub split_from: u32,
    /// Invocations that share a tile of logits in `row_stats`, 64 at most; 1 needs no barrier.
    pub stats_lanes: u32,
    /// The best candidates of a row by one workgroup that scans it, instead of by a tree of sorted blocks.
    pub scan_topk: bool,
    /// Invocations that prepare the candidates of a row for `sample`; 1 needs no barrier.
    pub sample_threads: u32,
}

/// An entry of a profile that does not exist, or a value it cannot take.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ProfileError {
    /// No such entry.
    #[error("a profile has no entry `{entry}`")]
    UnknownEntry {
        /// The name given.
        entry: String,
    },
    /// Not a value of this entry.
    #[error("profile entry `{entry}` cannot be `{value}`: {expected}")]
    BadValue {
        /// The entry.
        entry: &'static str,
        /// The value given.
        value: String,
        /// What it takes.
        expected: &'static str,
    },
    /// A form that this device cannot have.
    #[error("profile entry `{entry}` cannot be `{value}`: that needs {feature}, which this device lacks")]
    Lacking {
        /// The entry.
        entry: &'static str,
        /// The value given.
        value: String,
        /// What the device lacks.
        feature: &'static str,
    },
    /// A form that loses accuracy where results are pinned.
    #[error("profile entry `{entry}` cannot be `{value}` under `deterministic`, which keeps products exact")]
    Inexact {
        /// The entry.
        entry: &'static str,
        /// The value given.
        value: &'static str,
    },
}

impl Profile {
    /// GPUs: many lanes per row, so that small matrices fill the machine.
    pub const CORE: Self = Self {
        name: "core",
        vec_lanes: 8,
        vec_groups: 1,
        vec_block: 2,
        rows_lanes: 8,
        rows_groups: 1,
        rows_block: 2,
        min_blocks: 256,
        soft: false,
        soft_subgroup: false,
        activations: Activations::Exact,
        many: None,
        tile_from: 9,
        tile_form: TileForm::Floats,
        subgroups: 1,
        norm_threads: 128,
        attention_threads: 64,
        flash_from: u32::MAX,
        split_from: 512,
        stats_lanes: 64,
        scan_topk: false,
        sample_threads: 64,
    };

    /// Software adapters and the CPU twins: a barrier costs more than the work between two of them, so that one
    /// invocation takes a whole row.
    pub const SOFTWARE: Self = Self {
        name: "software",
        vec_lanes: 1,
        vec_groups: 1,
        vec_block: 4,
        rows_lanes: 1,
        rows_groups: 1,
        rows_block: 4,
        min_blocks: 8,
        soft: true,
        soft_subgroup: false,
        activations: Activations::Exact,
        many: None,
        tile_from: u32::MAX,
        tile_form: TileForm::Floats,
        subgroups: 1,
        norm_threads: 8,
        attention_threads: 8,
        flash_from: u32::MAX,
        split_from: u32::MAX,
        stats_lanes: 1,
        scan_topk: true,
        sample_threads: 1,
    };

    /// The profile with one entry forced: a number, `true` or `false`, or a form by its name.
    ///
    /// # Errors
    /// If there is no such entry, or it cannot take the value.
    pub fn with(mut self, entry: &str, value: &str) -> Result<Self, ProfileError> {
        let number = |entry: &'static str, max: u32| {
            let bad = || ProfileError::BadValue {
                entry,
                value: value.to_owned(),
                expected: "a power of two in range",
            };
            value.parse().ok().filter(|n: &u32| n.is_power_of_two() && *n <= max).ok_or_else(bad)
        };
        let flag = |entry: &'static str| {
            let bad =
                |_| ProfileError::BadValue { entry, value: value.to_owned(), expected: "true or false" };
            value.parse().map_err(bad)
        };
        match entry {
            "vec_lanes" => self.vec_lanes = number("vec_lanes", 32)?,
            "vec_groups" => self.vec_groups = number("vec_groups", 32)?,
            "vec_block" => self.vec_block = number("vec_block", 4)?,
            "rows_block" => self.rows_block = number("rows_block", 4)?,
            "min_blocks" => self.min_blocks = number("min_blocks", 1 << 16)?,
            "rows_lanes" => self.rows_lanes = number("rows_lanes", 32)?,
            "rows_groups" => self.rows_groups = number("rows_groups", 32)?,
            "subgroups" => self.subgroups = number("subgroups", 128)?,
            "norm_threads" => self.norm_threads = number("norm_threads", 256)?,
            "attention_threads" => self.attention_threads = number("attention_threads", 256)?,
            "stats_lanes" => self.stats_lanes = number("stats_lanes", 64)?,
            "sample_threads" => self.sample_threads = number("sample_threads", 256)?,
            "tile_from" => self.tile_from = number("tile_from", 1 << 20)?,
            "split_from" => self.split_from = number("split_from", 1 << 20)?,
            "flash_from" => self.flash_from = number("flash_from", 1 << 20)?,
            "soft" => self.soft = flag("soft")?,
            "soft_subgroup" => self.soft_subgroup = flag("soft_subgroup")?,
            "scan_topk" => self.scan_topk = flag("scan_topk")?,
            "activations" => {
                let forms = [("exact", Activations::Exact), ("int8", Activations::Int8)];
                self.activations = named("activations", value, "exact or int8", &forms)?;
            }
            "matmul_many" => {
                let forms = [("rows", Some(ManyRows::Rows)), ("tile", Some(ManyRows::Tile)), ("auto", None)];
                self.many = named("matmul_many", value, "rows, tile or auto", &forms)?;
            }
            "tile_form" => {
                let forms = [("floats", TileForm::Floats), ("dot", TileForm::Dot), ("half", TileForm::Half)];
                self.tile_form = named("tile_form", value, "floats, dot or half", &forms)?;
            }
            _ => return Err(ProfileError::UnknownEntry { entry: entry.to_owned() }),
        }
        Ok(self)
    }

    /// The form of a kernel that reduces over a workgroup.
    pub(crate) const fn reducing(&self, by_threads: ShaderId, by_subgroups: ShaderId) -> ShaderId {
        if self.subgroups > 1 { by_subgroups } else { by_threads }
    }

    /// The form for up to `max_rows` columns.
    #[must_use]
    pub fn many_rows(&self, max_rows: u32) -> ManyRows {
        let by_size = if max_rows >= self.tile_from { ManyRows::Tile } else { ManyRows::Rows };
        self.many.unwrap_or(by_size)
    }
}

/// The form that is called `value`.
fn named<T: Copy>(
    entry: &'static str,
    value: &str,
    expected: &'static str,
    forms: &[(&str, T)],
) -> Result<T, ProfileError> {
    let found = forms.iter().find(|(name, _)| *name == value).map(|(_, form)| *form);
    found.ok_or_else(|| ProfileError::BadValue { entry, value: value.to_owned(), expected })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_can_be_forced() {
        let forced = Profile::CORE.with("matmul_many", "tile").and_then(|p| p.with("vec_lanes", "4"));
        assert_eq!(forced.map(|p| (p.many_rows(1), p.vec_lanes)), Ok((ManyRows::Tile, 4)));
        assert!(matches!(Profile::CORE.with("nothing", "1"), Err(ProfileError::UnknownEntry { .. })));
        assert!(matches!(Profile::CORE.with("vec_lanes", "3"), Err(ProfileError::BadValue { .. })));
        assert!(matches!(Profile::CORE.with("matmul_many", "x"), Err(ProfileError::BadValue { .. })));
        assert_eq!(Profile::CORE.with("tile_form", "dot").map(|p| p.tile_form), Ok(TileForm::Dot));
        assert_eq!(Profile::CORE.with("activations", "int8").map(|p| p.activations), Ok(Activations::Int8));
        assert!(matches!(Profile::CORE.with("activations", "int4"), Err(ProfileError::BadValue { .. })));
        assert!(matches!(Profile::CORE.with("tile_form", "x"), Err(ProfileError::BadValue { .. })));
    }
}
