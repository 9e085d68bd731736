//! A device that computes some kernel forms wrongly is given others, and is refused where none is right.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests fail loudly")]

mod common;

use std::rc::Rc;

use common::golden;
use goldcrest_engine::{Engine, EngineError, EngineOptions, Event, Prompt, Request};
use goldcrest_gguf::Gguf;
use goldcrest_gpu::{
    AdapterInfo, AdapterKind, Buffer, Caps, Counters, CpuDevice, Device, GpuError, Plan, Readback, Work,
};
use goldcrest_kernels::{BindingKind, Dispatch, Slice};

/// The CPU twins as a discrete adapter whose driver loses every dispatch of kernels with a certain name.
struct Lying {
    inner: CpuDevice,
    info: AdapterInfo,
    lost: &'static str,
}

impl Lying {
    fn about(lost: &'static str) -> Rc<dyn Device> {
        let inner = CpuDevice::new();
        let info =
            AdapterInfo { name: "Liar 9000".into(), kind: AdapterKind::Discrete, ..inner.info().clone() };
        Rc::new(Self { inner, info, lost })
    }
}

impl Device for Lying {
    fn info(&self) -> &AdapterInfo {
        &self.info
    }

    fn caps(&self) -> &Caps {
        self.inner.caps()
    }

    fn create_buffer(&self, label: &'static str, bytes: u64) -> Result<Buffer, GpuError> {
        self.inner.create_buffer(label, bytes)
    }

    fn write(&self, buffer: &Buffer, offset: u64, data: &[u8]) -> Result<(), GpuError> {
        self.inner.write(buffer, offset, data)
    }

    fn record(&self, dispatches: Vec<Dispatch<Buffer>>) -> Result<Plan, GpuError> {
        let kept = dispatches.into_iter().map(|mut dispatch| {
            let shader = dispatch.shader.shader();
            if shader.name.starts_with(self.lost) {
                let written = dispatch.bindings.iter_mut().zip(shader.bindings);
                for (slice, _) in written.filter(|(_, b)| b.kind == BindingKind::ReadWrite) {
                    *slice = self.inner.create_buffer("lost", slice.size).unwrap().whole();
                }
            }
            dispatch
        });
        self.inner.record(kept.collect())
    }

    fn submit(&self, work: &[Work<'_>], reads: &[Slice<Buffer>]) -> Result<Readback, GpuError> {
        self.inner.submit(work, reads)
    }

    fn destroy(&self) {
        self.inner.destroy();
    }

    fn counters(&self) -> Counters {
        self.inner.counters()
    }
}

fn answer(device: Rc<dyn Device>) -> Result<(Vec<u32>, &'static str, Vec<String>), EngineError> {
    tuned_answer(device, &[])
}

fn tuned_answer(
    device: Rc<dyn Device>,
    tuned: &[(&str, &str)],
) -> Result<(Vec<u32>, &'static str, Vec<String>), EngineError> {
    let file = golden("tiny/llama.gguf").unwrap();
    pollster::block_on(async {
        let gguf = Gguf::parse(&file)?;
        let tuned = tuned.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let options = EngineOptions { tuned, ..EngineOptions::default() };
        let engine = Engine::load(&gguf, &mut file.as_slice(), device, &options, &mut |_, _, _| {}).await?;
        let request =
            Request { max_tokens: Some(6), ..Request::greedy(Prompt::Tokens(vec![10, 200, 33, 7])) };
        let (mut session, mut tokens) = (engine.session(), Vec::new());
        let mut generation = session.generate(request)?;
        while let Some(event) = generation.next().await? {
            if let Event::Token(token) = event {
                tokens.push(token.token);
            }
        }
        drop(generation);
        let runtime = engine.runtime().borrow();
        Ok((tokens, runtime.profile().name, runtime.notes().to_vec()))
    })
}

#[test]
fn wrong_forms_are_passed_over_and_the_answer_is_right() {
    let (expected, ..) = answer(Rc::new(CpuDevice::new())).unwrap();
    let (tokens, profile, notes) = answer(Lying::about("nothing")).unwrap();
    assert_eq!((tokens, profile, notes.len()), (expected.clone(), "core", 0));
    let (tokens, profile, notes) = answer(Lying::about("matmul_vec")).unwrap();
    assert_eq!((tokens, profile), (expected, "software"));
    assert!(notes.iter().any(|n| n.contains("Liar 9000")), "{notes:?}");
}

#[test]
fn tuned_forms_of_many_rows_are_tested_although_the_test_has_few() {
    let tuned = [("flash_from", "64")];
    let (expected, _, notes) = tuned_answer(Lying::about("nothing"), &tuned).unwrap();
    assert!(notes.is_empty(), "{notes:?}");
    let (tokens, _, notes) = tuned_answer(Lying::about("attention_tile"), &tuned).unwrap();
    assert_eq!(tokens, expected);
    assert!(notes.iter().any(|n| n.contains("the tuned kernels")), "{notes:?}");
}

#[test]
fn a_device_that_is_never_right_is_refused() {
    let error = answer(Lying::about("attention")).unwrap_err();
    assert!(matches!(&error, EngineError::WrongResults { adapter, .. } if adapter == "Liar 9000"), "{error}");
}
