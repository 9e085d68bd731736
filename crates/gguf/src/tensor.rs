use crate::cursor::{Cursor, Stop};
use crate::index::NameIndex;
use crate::limits::{MAX_DIMS, MAX_TENSOR_NAME_BYTES};
use crate::{GgmlType, GgufError};

/// Smallest tensor description: name length 8, name 1, dimension count 4, one dimension 8, type 4, offset 8.
pub(crate) const MIN_TENSOR_INFO_BYTES: u64 = 33;

/// One tensor of the file; everything about it is checked.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct TensorInfo {
    /// Name, e.g. `blk.0.attn_q.weight`; 1 to 64 bytes.
    pub name: Box<str>,
    /// Elements along each axis, the contiguous one first; 1 from `n_dims` on. None is zero.
    pub dims: [u64; 4],
    /// Axes the file declares, 1 to 4.
    pub n_dims: u32,
    /// How the elements are stored.
    pub ty: GgmlType,
    /// Bytes from the start of the data section ([`Gguf::data_offset`](crate::Gguf::data_offset)) to the first block.
    pub offset: u64,
    /// Bytes of all blocks.
    pub n_bytes: u64,
}

impl TensorInfo {
    /// Elements along the contiguous axis; a multiple of the block length.
    pub fn ne0(&self) -> u64 {
        let [ne0, ..] = self.dims;
        ne0
    }

    /// Rows along the contiguous axis: the product of the other axes.
    pub fn n_rows(&self) -> u64 {
        let [_, others @ ..] = self.dims;
        others.iter().fold(1, |product, &dim| product.saturating_mul(dim))
    }

    /// Bytes of one row.
    pub fn row_bytes(&self) -> u64 {
        self.ty.size_of(self.ne0()).unwrap_or(0)
    }

    /// Elements in all.
    pub fn n_elements(&self) -> u64 {
        self.ne0().saturating_mul(self.n_rows())
    }

    /// Reads one description and checks all of it that does not depend on the other tensors.
    pub(crate) fn read(cur: &mut Cursor<'_>) -> Result<Self, Stop> {
        let name = read_name(cur)?;
        let n_dims = read_n_dims(cur, name)?;
        let mut dims = [1u64; 4];
        for (axis, dim) in (0..n_dims).zip(&mut dims) {
            *dim = cur.u64("tensor dimension")?;
            if *dim == 0 {
                return Err(GgufError::ZeroDim { name: name.into(), axis }.into());
            }
        }
        let ty = read_type(cur, name)?;
        let offset = cur.u64("tensor offset")?;
        let n_bytes = checked_size(name, dims, ty)?;
        Ok(Self { name: name.into(), dims, n_dims, ty, offset, n_bytes })
    }
}

/// The tensors of a file, in file order, which is also the order of their data.
#[derive(Debug, Clone, Default)]
pub struct Tensors {
    infos: Vec<TensorInfo>,
    index: NameIndex,
}

impl Tensors {
    /// Number of tensors.
    pub fn len(&self) -> usize {
        self.infos.len()
    }

    /// Whether there is no tensor.
    pub fn is_empty(&self) -> bool {
        self.infos.is_empty()
    }

    /// The tensors in file order.
    pub fn iter(&self) -> std::slice::Iter<'_, TensorInfo> {
        self.infos.iter()
    }

    /// The tensor of this name, or `None`.
    pub fn get(&self, name: &str) -> Option<&TensorInfo> {
        let position = self.index.find(name.as_bytes(), |i| name_of(&self.infos, i))?;
        self.infos.get(position)
    }

    /// The tensor of this name.
    ///
    /// # Errors
    /// [`GgufError::MissingTensor`].
    pub fn require(&self, name: &str) -> Result<&TensorInfo, GgufError> {
        self.get(name).ok_or_else(|| GgufError::MissingTensor { name: name.into() })
    }

    /// Takes over descriptions in file order; a name that occurs twice is an error.
    pub(crate) fn new(infos: Vec<TensorInfo>) -> Result<Self, GgufError> {
        match NameIndex::new(infos.len(), |i| name_of(&infos, i)) {
            Ok(index) => Ok(Self { infos, index }),
            Err(twice) => {
                let name = String::from_utf8_lossy(name_of(&infos, twice)).into_owned();
                Err(GgufError::DuplicateTensor { name })
            }
        }
    }

    /// Checks that the data lies aligned, ascending, without overlap, and inside the file.
    pub(crate) fn check_layout(
        &self,
        data_offset: u64,
        alignment: u64,
        file_len: u64,
    ) -> Result<(), GgufError> {
        let (mut previous, mut previous_end) = (0, 0);
        for info in &self.infos {
            let TensorInfo { name, offset, n_bytes, .. } = info;
            let (name, offset, n_bytes) = (|| String::from(&**name), *offset, *n_bytes);
            if !offset.is_multiple_of(alignment) {
                return Err(GgufError::OffsetNotAligned { name: name(), offset, alignment });
            }
            if offset < previous {
                return Err(GgufError::OffsetNotAscending { name: name(), offset, previous });
            }
            if offset < previous_end {
                return Err(GgufError::TensorsOverlap { name: name(), offset, previous_end });
            }
            let end = offset.checked_add(n_bytes);
            let in_file = end.and_then(|end| data_offset.checked_add(end)).is_some_and(|end| end <= file_len);
            match end {
                Some(end) if in_file => (previous, previous_end) = (offset, end),
                _ => return Err(GgufError::TensorOutsideFile { name: name(), offset, n_bytes, file_len }),
            }
        }
        Ok(())
    }
}

impl<'a> IntoIterator for &'a Tensors {
    type Item = &'a TensorInfo;
    type IntoIter = std::slice::Iter<'a, TensorInfo>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

fn read_name<'a>(cur: &mut Cursor<'a>) -> Result<&'a str, Stop> {
    let offset = cur.at();
    let len = cur.u64("tensor name length")?;
    if len == 0 {
        return Err(GgufError::EmptyTensorName { offset }.into());
    }
    if len > MAX_TENSOR_NAME_BYTES {
        let limit = MAX_TENSOR_NAME_BYTES;
        return Err(GgufError::TensorNameTooLong { offset, found: len, limit }.into());
    }
    let name = cur.take(len, "tensor name")?;
    std::str::from_utf8(name).map_err(|_| GgufError::TensorNameNotUtf8 { offset }.into())
}

fn read_n_dims(cur: &mut Cursor<'_>, name: &str) -> Result<u32, Stop> {
    let offset = cur.at();
    match cur.u32("tensor dimension count")? {
        n @ 1..=MAX_DIMS => Ok(n),
        found => Err(GgufError::BadDimCount { name: name.into(), offset, found, limit: MAX_DIMS }.into()),
    }
}

fn read_type(cur: &mut Cursor<'_>, name: &str) -> Result<GgmlType, Stop> {
    let id = cur.u32("tensor type")?;
    GgmlType::from_id(id).ok_or_else(|| {
        let name = name.into();
        match GgmlType::is_removed_id(id) {
            true => GgufError::RemovedTensorType { name, id }.into(),
            false => GgufError::UnknownTensorType { name, id }.into(),
        }
    })
}

/// Bytes of a tensor with these axes, none of which is zero.
fn checked_size(name: &str, dims: [u64; 4], ty: GgmlType) -> Result<u64, GgufError> {
    let [ne0, ..] = dims;
    let block_len = ty.block_len();
    if !ne0.is_multiple_of(block_len) {
        return Err(GgufError::RowNotWholeBlocks { name: name.into(), ty, ne0, block_len });
    }
    let n_elements = dims
        .iter()
        .try_fold(1u64, |product, &dim| product.checked_mul(dim))
        .ok_or_else(|| GgufError::TooManyElements { name: name.into(), dims })?;
    ty.size_of(n_elements).ok_or_else(|| GgufError::TensorTooLarge { name: name.into(), ty, n_elements })
}

fn name_of(infos: &[TensorInfo], i: u32) -> &[u8] {
    usize::try_from(i).ok().and_then(|i| infos.get(i)).map(|info| info.name.as_bytes()).unwrap_or_default()
}
