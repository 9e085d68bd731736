//! Products whose sums do not depend on what else is computed: a row has the same bits alone and beside others, so that what
//! speculation verifies is what plain decoding computes.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests fail loudly")]

mod common;

use std::rc::Rc;

use common::{batch, golden, load};
use goldcrest_engine::batch::Wants;
use goldcrest_engine::{Runtime, RuntimeOptions, tune};
use goldcrest_gguf::Gguf;
use goldcrest_gpu::{CpuDevice, Device};

/// Enough for the widest tile, and for two tiles.
const TOKENS: [u32; 19] = [10, 200, 33, 7, 301, 42, 5, 9, 88, 120, 11, 12, 13, 140, 15, 160, 17, 180, 19];

#[test]
fn a_row_of_activations_in_bytes_has_the_same_bits_alone_and_beside_others() {
    for device in CpuDevice::each() {
        check(device, &[("activations", "int8")]);
    }
}

#[test]
fn a_row_has_the_same_bits_alone_and_beside_others_where_the_processor_multiplies_bytes() {
    for device in CpuDevice::each() {
        if device.info().name.contains("AVX-512") {
            check(device, &[]);
        }
    }
}

#[test]
fn tuning_tries_bytes_where_weights_are_quants() {
    for (name, expected) in [("q_Q4_1", vec![("activations", "int8")]), ("llama", Vec::new())] {
        let file = golden(&format!("tiny/{name}.gguf")).unwrap();
        let mut runtime = load(&file, Rc::new(CpuDevice::new()), &RuntimeOptions::default());
        let gguf = Gguf::parse(&file).unwrap();
        let tuned = pollster::block_on(tune(&mut runtime, &gguf, &[], &mut |_| {})).unwrap();
        let tried: Vec<_> = tuned.trials.iter().map(|trial| (trial.entry, trial.value)).collect();
        assert_eq!(tried, expected, "{name}");
        assert_eq!(tuned.note, None);
    }
}

fn check(device: CpuDevice, forms: &[(&str, &str)]) {
    let device: Rc<dyn Device> = Rc::new(device);
    let forced = forms.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    let options = RuntimeOptions { forced, ..RuntimeOptions::default() };
    for ty in ["Q4_1", "Q8_0", "Q6_K", "Q4_K"] {
        let file = golden(&format!("tiny/q_{ty}.gguf")).unwrap();
        let mut runtime = load(&file, Rc::clone(&device), &options);
        let alone = logits(&mut runtime, 1);
        for n in [2, 3, 4, 5, 6, 7, 8, 9, 12, 15, 16, 17, 19] {
            let beside = logits(&mut runtime, n);
            let differs = alone.iter().zip(&beside).position(|(a, b)| a != b);
            assert_eq!(
                differs,
                None,
                "{}, {ty}, {n} rows at once: the first row that differs",
                device.info().name
            );
        }
    }
}

/// The bits of all rows' logits, `n` rows a step.
fn logits(runtime: &mut Runtime, n: usize) -> Vec<Vec<u32>> {
    let seq = runtime.pool_mut().create();
    let wants = Wants { row: true, ..Wants::default() };
    let mut found = Vec::new();
    for tokens in TOKENS.chunks(n) {
        let step = batch(runtime, seq, tokens, &wants);
        let result = pollster::block_on(runtime.forward(&step)).unwrap();
        found.extend(result.rows.iter().map(|row| row.logits.iter().map(|l| l.to_bits()).collect()));
    }
    runtime.pool_mut().free(seq).unwrap();
    found
}
