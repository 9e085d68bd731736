//! Any bytes: no panic, little memory, the same verdict from all ways to parse, and an accepted file keeps its
//! promises.
#![no_main]

#[path = "../../crates/gguf/tests/container/verdict.rs"]
mod verdict;

use libfuzzer_sys::fuzz_target;

fuzz_target!(|file: &[u8]| {
    let memory = allocation_counter::measure(|| drop(goldcrest_gguf::Gguf::parse(file)));
    assert!(memory.bytes_max <= 2 * file.len() as u64 + 65_536, "{memory:?}");
    let _ = verdict::verdict(file);
});
