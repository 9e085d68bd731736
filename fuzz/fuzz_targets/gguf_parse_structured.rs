//! The fuzzer's bytes choose changes to a valid file; the result is held to the rules of `gguf_parse`. This gets
//! past the counts and lengths, which random bytes seldom do.
#![no_main]

#[path = "../../crates/gguf/tests/container/mutate.rs"]
mod mutate;
#[path = "../../crates/gguf/tests/container/raw.rs"]
#[allow(dead_code, reason = "the tests build more kinds of files")]
mod raw;
#[path = "../../crates/gguf/tests/container/verdict.rs"]
mod verdict;

use libfuzzer_sys::fuzz_target;

fuzz_target!(|choices: &[u8]| {
    // Two bytes a choice, and zeros when they run out. The numbers among the choices are wanted in full width.
    let mut rest = choices.chunks_exact(2);
    let mut next = || {
        let [low, high] = rest.next().map_or([0, 0], |pair| [pair[0], pair[1]]);
        u64::from_le_bytes([low, high, low, high, low, high, low, high])
    };
    let file = mutate::mutant(&raw::RawFile::sample(), &mut mutate::Choices(&mut next));
    let memory = allocation_counter::measure(|| drop(goldcrest_gguf::Gguf::parse(&file)));
    assert!(memory.bytes_max <= 2 * file.len() as u64 + 65_536, "{memory:?}");
    let _ = verdict::verdict(&file);
});
