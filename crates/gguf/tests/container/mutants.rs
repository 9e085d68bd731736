//! 10,000 structure-aware mutants of the sample file.

use std::collections::BTreeMap;
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use goldcrest_gguf::Gguf;

use crate::mutate::{Choices, mutant};
use crate::raw::RawFile;
use crate::verdict::{check_promises, verdict};

const N_MUTANTS: u64 = 10_000;

/// What a mutant may take; they need microseconds.
const SLOW: Duration = Duration::from_secs(1);

/// When the test stops waiting: a loaded machine can stand still for seconds, a loop without end never moves on.
const HANG: Duration = Duration::from_secs(60);

#[test]
fn mutants_neither_panic_nor_hang_nor_allocate() {
    let (done, watchdog) = channel();
    let work = std::thread::spawn(move || {
        let base = RawFile::sample();
        let mut kinds = BTreeMap::new();
        for seed in 0..N_MUTANTS {
            done.send(seed).unwrap();
            let mut state = seed;
            let file = mutant(&base, &mut Choices(&mut || split_mix(&mut state)));
            let mut result = None;
            let start = Instant::now();
            let memory = allocation_counter::measure(|| result = Some(Gguf::parse(&file)));
            if start.elapsed() > SLOW {
                let again = Instant::now();
                drop(Gguf::parse(&file));
                assert!(again.elapsed() < SLOW, "seed {seed} took {:?} twice", again.elapsed());
            }
            let limit = 2 * file.len() as u64 + 65_536;
            assert!(memory.bytes_max <= limit, "seed {seed}: {memory:?} for {} bytes", file.len());
            let result = result.unwrap();
            if let Ok(gguf) = &result {
                check_promises(gguf, file.len() as u64);
            }
            // The other ways to parse take longer; a sample of the mutants goes through them too.
            if seed % 16 == 0 {
                assert_eq!(verdict(&file).is_ok(), result.is_ok());
            }
            let kind = result.map_or_else(|error| variant(&error), |_| "Ok".into());
            *kinds.entry(kind).or_insert(0) += 1;
        }
        kinds
    });
    let mut last = 0;
    loop {
        match watchdog.recv_timeout(HANG) {
            Ok(seed) => last = seed,
            Err(RecvTimeoutError::Timeout) => panic!("mutant {last} hangs"),
            Err(RecvTimeoutError::Disconnected) => break,
        }
    }
    let kinds = work.join().unwrap();
    // A mutator that only ever hits the first check would prove nothing.
    assert!(kinds.len() > 30, "{kinds:?}");
    assert!(kinds["Ok"] > 500, "{kinds:?}");
}

fn variant(error: &goldcrest_gguf::GgufError) -> String {
    format!("{error:?}").split(' ').next().unwrap().into()
}

/// Steele, Lea, Flood: "Fast splittable pseudorandom number generators", 2014.
fn split_mix(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
    let z = (*state ^ (*state >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}
