//! Writes the first corpus of `gguf_parse`: one small file per value type and per tensor type, and a full one.

#[path = "../../crates/gguf/tests/container/raw.rs"]
#[allow(dead_code, reason = "the tests build more kinds of files")]
mod raw;

use std::path::Path;

use goldcrest_gguf::GgmlType;
use raw::{RawFile, array, string};

fn main() -> std::io::Result<()> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus/gguf_parse");
    std::fs::create_dir_all(&folder)?;
    let mut seeds = vec![
        ("empty".to_string(), RawFile::empty()),
        ("small".into(), RawFile::small()),
        ("version-2".into(), RawFile { version: 2, ..RawFile::small() }),
        ("sample".into(), RawFile::sample()),
    ];
    for ty in (0..13).filter(|&ty| ty != 9) {
        let value = if ty == 8 { string(b"text") } else { vec![1; 8] };
        // Scalars are 1, 2, 4 or 8 bytes wide; the array takes two of them.
        let width = [1, 1, 2, 2, 4, 4, 4, 1, value.len(), 0, 8, 8, 8][ty as usize];
        let value = &value[..width];
        let mut seed = RawFile::empty();
        seed.pair(b"k", ty, value).pair(b"a", 9, &array(ty, 2, &value.repeat(2)));
        seeds.push((format!("value-{ty}"), seed));
    }
    for &ty in GgmlType::ALL {
        let mut seed = RawFile::empty();
        seed.tensor(b"t", &[ty.block_len(), 2], ty).tensor(b"u", &[ty.block_len()], ty);
        seeds.push((format!("tensor-{ty}"), seed));
    }
    println!("{} seeds in {}", seeds.len(), folder.display());
    seeds.iter().try_for_each(|(name, seed)| std::fs::write(folder.join(name), seed.build()))
}
