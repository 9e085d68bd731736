//! Changes that keep a file's structure but make its parts lie. Shared with the structured fuzz target.

use crate::raw::{RawFile, RawTensor};

/// Where the choices come from: a seeded generator, or the fuzzer's bytes.
pub(crate) struct Choices<'a>(pub(crate) &'a mut dyn FnMut() -> u64);

impl Choices<'_> {
    pub(crate) fn below(&mut self, n: usize) -> usize {
        ((self.0)() % n.max(1) as u64) as usize
    }

    fn pick<T: Clone>(&mut self, options: &[T]) -> T {
        options[self.below(options.len())].clone()
    }

    /// A number that breaks things more often than a random one: edges of the limits and of the integer types.
    fn evil(&mut self) -> u64 {
        let near = self.pick(&[
            0,
            1,
            4,
            8,
            32,
            64,
            255,
            256,
            65_535,
            65_536,
            4 << 20,
            16 << 20,
            256 << 20,
            1 << 31,
            1 << 32,
            1 << 61,
            1 << 62,
            1 << 63,
            u64::MAX,
        ]);
        match self.below(4) {
            0 => near.wrapping_sub(1),
            1 => near.wrapping_add(1),
            2 => (self.0)(),
            _ => near,
        }
    }
}

/// Applies one to three changes and writes the file. Of a hundred, 35 change metadata, 35 tensors, 10 the counts,
/// 10 the agreement between parts, 5 the alignment, 5 plain bytes.
pub(crate) fn mutant(base: &RawFile, choices: &mut Choices<'_>) -> Vec<u8> {
    let mut file = base.clone();
    let mut flips = 0;
    for _ in 0..1 + choices.below(3) {
        match choices.below(100) {
            0..35 => change_pair(&mut file, choices),
            35..70 => change_tensor(&mut file, choices),
            70..80 => change_header(&mut file, choices),
            80..90 => break_agreement(&mut file, choices),
            90..95 => change_alignment(&mut file, choices),
            _ => flips += 1,
        }
    }
    let mut bytes = file.build();
    for _ in 0..flips {
        change_bytes(&mut bytes, choices);
    }
    bytes
}

fn change_pair(file: &mut RawFile, choices: &mut Choices<'_>) {
    let i = choices.below(file.pairs.len());
    let Some(pair) = file.pairs.get_mut(i) else { return };
    match choices.below(8) {
        0 => pair.key_len = Some(choices.evil()),
        1 => pair.ty = choices.pick(&[0, 4, 6, 7, 8, 9, 10, 12, 13, 255, u32::MAX]),
        // The length of a string, or element type and length of an array.
        2 => overwrite(&mut pair.value, 0, &choices.evil().to_le_bytes()),
        3 => overwrite(&mut pair.value, 4, &choices.evil().to_le_bytes()),
        4 => overwrite(&mut pair.value, 12, &choices.evil().to_le_bytes()),
        5 => {
            let at = choices.below(pair.value.len());
            overwrite(&mut pair.value, at, &choices.evil().to_le_bytes());
        }
        6 => pair.value.truncate(choices.below(pair.value.len())),
        _ => overwrite(&mut pair.key, 0, &choices.evil().to_le_bytes()),
    }
}

fn change_tensor(file: &mut RawFile, choices: &mut Choices<'_>) {
    let i = choices.below(file.tensors.len());
    let Some(tensor) = file.tensors.get_mut(i) else { return };
    match choices.below(8) {
        0 => tensor.name_len = Some(choices.evil()),
        1 => tensor.n_dims = Some(choices.evil() as u32),
        2 | 3 => {
            let axis = choices.below(tensor.dims.len());
            let dim = choices.evil();
            tensor.dims.get_mut(axis).into_iter().for_each(|d| *d = dim);
        }
        4 => tensor.ty = choices.below(45) as u32,
        5 => tensor.ty = choices.evil() as u32,
        6 => tensor.offset = choices.evil(),
        _ => tensor.offset = tensor.offset.wrapping_add(choices.pick(&[1, 32, 64, u64::MAX, u64::MAX - 31])),
    }
}

fn change_header(file: &mut RawFile, choices: &mut Choices<'_>) {
    match choices.below(4) {
        0 => file.n_tensors = Some(choices.evil()),
        1 => file.n_kv = Some(choices.evil()),
        2 => file.version = choices.pick(&[0, 1, 2, 3, 4, 0x0300_0000, u32::MAX]),
        _ => overwrite(&mut file.magic, 0, &[choices.below(256) as u8]),
    }
}

fn break_agreement(file: &mut RawFile, choices: &mut Choices<'_>) {
    let n = file.tensors.len();
    let (a, b) = (choices.below(n), choices.below(n));
    match choices.below(7) {
        0 => file.tensors.extend(file.tensors.get(a).cloned()),
        1 => file.pairs.extend(file.pairs.get(choices.below(file.pairs.len())).cloned()),
        2 if n > 0 => file.tensors.swap(a, b),
        3 if n > 0 => {
            let RawTensor { name, .. } = file.tensors[a].clone();
            file.tensors[b].name = name;
        }
        4 if n > 0 => file.tensors[b].offset = file.tensors[a].offset,
        5 => file.data.truncate(choices.below(file.data.len())),
        _ => file.tensors.truncate(a),
    }
}

fn change_alignment(file: &mut RawFile, choices: &mut Choices<'_>) {
    let alignment = choices.pick(&[0u32, 1, 2, 4, 8, 16, 33, 64, 4096, 65_536, 131_072, 1 << 31, u32::MAX]);
    file.pairs.retain(|pair| pair.key != b"general.alignment");
    let ty = choices.pick(&[4, 4, 4, 5, 6, 8, 9]);
    file.pair(b"general.alignment", ty, &alignment.to_le_bytes());
    if choices.below(2) == 0 && alignment <= 4096 {
        file.alignment = u64::from(alignment.max(1));
    }
}

fn change_bytes(bytes: &mut Vec<u8>, choices: &mut Choices<'_>) {
    let at = choices.below(bytes.len());
    match choices.below(4) {
        0 => overwrite(bytes, at, &[choices.below(256) as u8]),
        1 => overwrite(bytes, at, &choices.evil().to_le_bytes()),
        2 => drop(bytes.drain(at..(at + 1 + choices.below(64)).min(bytes.len()))),
        _ => bytes.truncate(at),
    }
}

/// Writes as much of `new` over `bytes` as fits.
fn overwrite(bytes: &mut [u8], at: usize, new: &[u8]) {
    if let Some(rest) = bytes.get_mut(at..) {
        rest.iter_mut().zip(new).for_each(|(old, new)| *old = *new);
    }
}
