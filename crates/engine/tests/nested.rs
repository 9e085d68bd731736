//! Feed-forward blocks that hold narrower ones: a slice of a model is the model of a file whose tensors were cut.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests fail loudly")]

mod common;

use common::{batch, devices, forward, golden, load, worst};
use goldcrest_engine::batch::{Batch, Wants};
use goldcrest_engine::{EngineError, RuntimeOptions};
use goldcrest_gguf::write::GgufWriter;
use goldcrest_gguf::{Array, Gguf, TensorInfo, Value};
use goldcrest_gpu::{AdapterKind, CpuDevice};
use goldcrest_model::{Model, ModelError};

const TOKENS: [u32; 20] = [10, 200, 33, 7, 301, 42, 5, 9, 88, 120, 4, 44, 17, 211, 93, 6, 250, 31, 77, 2];

/// Models with widths that they are cut to, the last one whole.
const MODELS: [(&str, [u32; 3]); 7] = [
    ("llama", [32, 96, 128]),
    ("q_Q8_0", [96, 160, 256]),
    ("gemma3", [32, 64, 128]),
    ("phi3", [64, 96, 128]),
    ("gpt2", [64, 160, 256]),
    ("q_Q4_0", [32, 128, 256]),
    ("q_Q5_1", [64, 224, 256]),
];

/// A golden model with the widths it nests named in its metadata, and its feed-forward blocks cut to `n_ff`, if that is given.
fn model(name: &str, widths: Array, n_ff: Option<u32>) -> Vec<u8> {
    let file = golden(&format!("tiny/{name}.gguf")).unwrap();
    let gguf = Gguf::parse(&file).unwrap();
    let mut written = GgufWriter::new();
    for (key, value) in gguf.metadata.iter() {
        written.set(key, value.clone());
    }
    let arch = gguf.metadata.get_str("general.architecture").unwrap();
    let whole = gguf.metadata.get_u32(&format!("{arch}.feed_forward_length")).unwrap();
    written.set(&format!("{arch}.matformer.feed_forward_lengths"), Value::Array(Box::new(widths)));
    if let Some(n_ff) = n_ff {
        written.set(&format!("{arch}.feed_forward_length"), n_ff);
        written.set(
            &format!("{arch}.matformer.feed_forward_lengths"),
            Value::Array(Box::new(Array::U32(vec![n_ff]))),
        );
    }
    for tensor in gguf.tensors.iter() {
        let range = gguf.tensor_range(tensor);
        let data = &file[range.start as usize..range.end as usize];
        let (dims, data) = cut(tensor, data, u64::from(whole), u64::from(n_ff.unwrap_or(whole)));
        written.tensor(&tensor.name, &dims, tensor.ty, &data);
    }
    written.finish().unwrap()
}

/// The first `n` rows of what makes `whole` activations, twice where gate and up lie in one tensor, and the first `n` columns of
/// what reads them.
fn cut(tensor: &TensorInfo, data: &[u8], whole: u64, n: u64) -> (Vec<u64>, Vec<u8>) {
    let mut dims = tensor.dims[..tensor.n_dims as usize].to_vec();
    let bytes = |n: u64| tensor.ty.size_of(n).unwrap() as usize;
    let made = ["ffn_gate.", "ffn_up."].iter().any(|part| tensor.name.contains(part));
    if made {
        let last = dims.last_mut().unwrap();
        let halves = *last / whole;
        *last = halves * n;
        let row = data.len() / (halves * whole) as usize;
        let halves = data.chunks_exact(whole as usize * row);
        return (dims, halves.flat_map(|half| half[..n as usize * row].to_vec()).collect());
    }
    if tensor.name.contains("ffn_down.weight") {
        dims[0] = n;
        let rows = data.chunks_exact(bytes(whole));
        return (dims, rows.flat_map(|row| row[..bytes(n)].to_vec()).collect());
    }
    (dims, data.to_vec())
}

fn sliced(widths: &[u32]) -> Array {
    Array::U32(widths.to_vec())
}

#[test]
fn a_slice_is_the_model_of_a_file_that_was_cut() {
    let wants = Wants { row: true, ..Wants::default() };
    for device in devices() {
        // Software adapters take seconds for the pipelines of each type.
        let models = if device.info().kind == AdapterKind::Cpu { &MODELS[..] } else { &MODELS[..2] };
        for (name, widths) in models.iter().copied() {
            let what = format!("{name} on {}", device.info().name);
            let options = RuntimeOptions { n_ctx: 64, ..RuntimeOptions::default() };
            let mut whole = load(&model(name, sliced(&widths), None), device.clone(), &options);
            let plain = |whole: &mut _, n: usize| {
                let seq = goldcrest_engine::Runtime::pool_mut(whole).create();
                forward(whole, &batch(whole, seq, &TOKENS[..n], &wants))
            };
            let before = plain(&mut whole, 4).rows;
            for width in widths {
                let mut small = load(&model(name, sliced(&[]), Some(width)), device.clone(), &options);
                for n in [1, 4, 20] {
                    let wanted = plain(&mut small, n);
                    let seq = whole.pool_mut().create();
                    let ff_width = Some(width);
                    let asked = Batch { ff_width, ..batch(&whole, seq, &TOKENS[..n], &wants) };
                    let got = forward(&mut whole, &asked);
                    for (got, want) in got.rows.iter().zip(&wanted.rows) {
                        assert_eq!(got.logits, want.logits, "{what}: {width} columns, {n} rows");
                    }
                    assert_eq!(got.rows.len(), n);
                }
            }
            let after = plain(&mut whole, 4).rows;
            assert!(before.iter().zip(&after).all(|(a, b)| a.logits == b.logits), "{what}: all columns");
            let seq = whole.pool_mut().create();
            let asked = Batch { ff_width: Some(widths[0]), ..batch(&whole, seq, &TOKENS[..4], &wants) };
            let narrow = forward(&mut whole, &asked).rows;
            assert!(worst(&narrow[3].logits, &before[3].logits) > 0.01, "{what}: a slice says the same");
        }
    }
}

#[test]
fn widths_that_no_file_could_be_cut_to_are_refused_by_name() {
    let refused = |name: &str, widths: Array| {
        let file = model(name, widths, None);
        let device: std::rc::Rc<dyn goldcrest_gpu::Device> = std::rc::Rc::new(CpuDevice::new());
        let gguf = Gguf::parse(&file).unwrap();
        match pollster::block_on(Model::load(&gguf, &device, &mut file.as_slice(), &mut |_, _| {})) {
            Err(ModelError::BadHyperParameter { key, found, allowed }) => {
                format!("{key}: {found}; {allowed}")
            }
            Err(other) => panic!("{other}"),
            Ok(_) => panic!("{name} was loaded"),
        }
    };
    let key = "matformer.feed_forward_lengths";
    for widths in [&[][..], &[64, 32], &[64, 64], &[0, 64], &[64, 160]] {
        let told = refused("llama", sliced(widths));
        assert!(told.starts_with(&format!("llama.{key}")) && told.contains("ascending"), "{told}");
    }
    let halves = refused("llama", sliced(&[48, 64]));
    assert!(halves.contains("48; multiples of 32, as blk.0.ffn_down.weight is F32"), "{halves}");
    let blocks = refused("q_Q6_K", sliced(&[128, 256]));
    assert!(blocks.contains("128; multiples of 256, as blk.0.ffn_down.weight is Q6_K"), "{blocks}");
    let floats = refused("llama", Array::F32(vec![64.0]));
    assert!(floats.contains("whole numbers"), "{floats}");
    let experts = refused("olmoe", sliced(&[32]));
    assert!(experts.contains("experts"), "{experts}");
}

#[test]
fn a_width_that_the_file_does_not_name_is_refused() {
    let device = std::rc::Rc::new(CpuDevice::new());
    let file = model("llama", sliced(&[32]), None);
    let mut runtime = load(&file, device, &RuntimeOptions::default());
    let seq = runtime.pool_mut().create();
    let asked = Batch { ff_width: Some(64), ..batch(&runtime, seq, &TOKENS[..4], &Wants::default()) };
    let error = pollster::block_on(runtime.forward(&asked)).unwrap_err();
    assert!(matches!(error, EngineError::BadBatch { .. }), "{error}");
    assert_eq!(runtime.pool().sequence(seq).unwrap().len(), 0);
}
