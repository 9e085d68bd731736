//! Files as lists of parts, each of which can be made to lie.

use goldcrest_gguf::GgmlType;

pub(crate) const ALIGNMENT: u64 = 32;

/// A file; `build` writes it as it is, checking nothing.
#[derive(Clone, Debug)]
pub(crate) struct RawFile {
    pub(crate) magic: [u8; 4],
    pub(crate) version: u32,
    /// What the header claims; the real counts without a claim.
    pub(crate) n_tensors: Option<u64>,
    pub(crate) n_kv: Option<u64>,
    pub(crate) pairs: Vec<RawPair>,
    pub(crate) tensors: Vec<RawTensor>,
    /// The alignment the header is padded to.
    pub(crate) alignment: u64,
    pub(crate) data: Vec<u8>,
}

#[derive(Clone, Debug)]
pub(crate) struct RawPair {
    pub(crate) key_len: Option<u64>,
    pub(crate) key: Vec<u8>,
    pub(crate) ty: u32,
    /// What follows the type.
    pub(crate) value: Vec<u8>,
}

#[derive(Clone, Debug)]
pub(crate) struct RawTensor {
    pub(crate) name_len: Option<u64>,
    pub(crate) name: Vec<u8>,
    pub(crate) n_dims: Option<u32>,
    pub(crate) dims: Vec<u64>,
    pub(crate) ty: u32,
    pub(crate) offset: u64,
}

impl RawFile {
    /// No metadata and no tensors.
    pub(crate) fn empty() -> Self {
        Self {
            magic: *b"GGUF",
            version: 3,
            n_tensors: None,
            n_kv: None,
            pairs: Vec::new(),
            tensors: Vec::new(),
            alignment: ALIGNMENT,
            data: Vec::new(),
        }
    }

    /// One pair; tensors `a` (F32, 16 bytes), `b` (Q4_0, 36 bytes), `c` (F32, 16 bytes) at offsets 0, 32, 96.
    pub(crate) fn small() -> Self {
        let mut file = Self::empty();
        file.pair(b"general.architecture", 8, &string(b"llama"));
        file.tensor(b"a", &[4], GgmlType::F32).tensor(b"b", &[32, 2], GgmlType::Q4_0);
        file.tensor(b"c", &[2, 2], GgmlType::F32);
        file
    }

    /// Some 30 kB: every value type, arrays of every type, a vocabulary, tensors of many types.
    pub(crate) fn sample() -> Self {
        let mut file = Self::empty();
        file.pair(b"general.architecture", 8, &string(b"llama"));
        file.pair(b"general.alignment", 4, &32u32.to_le_bytes());
        file.pair(b"general.name", 8, &string("Zaunkönig".as_bytes()));
        let scalars: [(u32, &[u8]); 11] = [
            (0, &[200]),
            (1, &[200]),
            (2, &[1, 2]),
            (3, &[1, 200]),
            (4, &[1, 2, 3, 4]),
            (5, &[1, 2, 3, 200]),
            (6, &[0, 0, 128, 63]),
            (7, &[1]),
            (10, &[1, 2, 3, 4, 5, 6, 7, 8]),
            (11, &[1, 2, 3, 4, 5, 6, 7, 200]),
            (12, &[0, 0, 0, 0, 0, 0, 240, 63]),
        ];
        for (ty, value) in scalars {
            file.pair(format!("test.scalar.{ty}").as_bytes(), ty, value);
            file.pair(format!("test.array.{ty}").as_bytes(), 9, &array(ty, 3, &value.repeat(3)));
        }
        let pieces: Vec<Vec<u8>> = (0..1000).map(|i| format!("piece{i}").into_bytes()).collect();
        file.pair(b"tokenizer.ggml.tokens", 9, &strings(&pieces));
        file.pair(b"tokenizer.ggml.scores", 9, &array(6, 1000, &1f32.to_le_bytes().repeat(1000)));
        file.pair(b"tokenizer.ggml.token_type", 9, &array(5, 1000, &1i32.to_le_bytes().repeat(1000)));
        file.pair(b"tokenizer.ggml.merges", 9, &strings(&[b"p i".to_vec(), b"pi e".to_vec()]));
        let types =
            [GgmlType::F32, GgmlType::Q4_0, GgmlType::Q8_0, GgmlType::F16, GgmlType::Q5_1, GgmlType::IQ4_NL];
        for il in 0..4 {
            for ty in types {
                file.tensor(format!("blk.{il}.{ty}.weight").as_bytes(), &[32, 3], ty);
            }
            file.tensor(format!("blk.{il}.attn_norm.weight").as_bytes(), &[32], GgmlType::F32);
        }
        file.tensor(b"experts", &[32, 2, 3], GgmlType::Q4_1).tensor(b"k", &[256, 2, 1, 2], GgmlType::Q4_K);
        file
    }

    pub(crate) fn pair(&mut self, key: &[u8], ty: u32, value: &[u8]) -> &mut Self {
        self.pairs.push(RawPair { key_len: None, key: key.into(), ty, value: value.into() });
        self
    }

    /// Appends a correct tensor with its data, at the next aligned offset.
    pub(crate) fn tensor(&mut self, name: &[u8], dims: &[u64], ty: GgmlType) -> &mut Self {
        let offset = self.data.len() as u64;
        let size = ty.size_of(dims.iter().product()).unwrap();
        let tensor = RawTensor {
            name_len: None,
            name: name.into(),
            n_dims: None,
            dims: dims.into(),
            ty: ty.id(),
            offset,
        };
        self.tensors.push(tensor);
        self.data.resize((offset + size).next_multiple_of(self.alignment) as usize, 0x3C);
        self
    }

    /// Appends only a description.
    pub(crate) fn claim(&mut self, name: &[u8], dims: &[u64], ty: u32, offset: u64) -> &mut Self {
        self.tensors.push(RawTensor {
            name_len: None,
            name: name.into(),
            n_dims: None,
            dims: dims.into(),
            ty,
            offset,
        });
        self
    }

    /// The same file after `change`.
    pub(crate) fn with(mut self, change: impl FnOnce(&mut Self)) -> Self {
        change(&mut self);
        self
    }

    /// Metadata and tensor descriptions, without padding.
    pub(crate) fn header(&self) -> Vec<u8> {
        let mut out = self.magic.to_vec();
        out.extend(self.version.to_le_bytes());
        out.extend(self.n_tensors.unwrap_or(self.tensors.len() as u64).to_le_bytes());
        out.extend(self.n_kv.unwrap_or(self.pairs.len() as u64).to_le_bytes());
        for pair in &self.pairs {
            out.extend(pair.key_len.unwrap_or(pair.key.len() as u64).to_le_bytes());
            out.extend(&pair.key);
            out.extend(pair.ty.to_le_bytes());
            out.extend(&pair.value);
        }
        for tensor in &self.tensors {
            out.extend(tensor.name_len.unwrap_or(tensor.name.len() as u64).to_le_bytes());
            out.extend(&tensor.name);
            out.extend(tensor.n_dims.unwrap_or(tensor.dims.len() as u32).to_le_bytes());
            out.extend(tensor.dims.iter().flat_map(|dim| dim.to_le_bytes()));
            out.extend(tensor.ty.to_le_bytes());
            out.extend(tensor.offset.to_le_bytes());
        }
        out
    }

    pub(crate) fn build(&self) -> Vec<u8> {
        let mut out = self.header();
        out.resize(out.len().next_multiple_of(self.alignment.max(1) as usize), 0);
        out.extend(&self.data);
        out
    }
}

/// A string value.
pub(crate) fn string(text: &[u8]) -> Vec<u8> {
    [&(text.len() as u64).to_le_bytes(), text].concat()
}

/// An array value with a claimed element type and length.
pub(crate) fn array(ty: u32, len: u64, elements: &[u8]) -> Vec<u8> {
    [&ty.to_le_bytes()[..], &len.to_le_bytes(), elements].concat()
}

/// An array of strings.
pub(crate) fn strings(texts: &[Vec<u8>]) -> Vec<u8> {
    array(8, texts.len() as u64, &texts.iter().flat_map(|text| string(text)).collect::<Vec<_>>())
}
