//! How long masks take over SmolLM2's vocabulary, for real schemas: the report of `cargo test --release -p goldcrest-grammar --test
//! times -- --nocapture`. Held to its bound with `GOLDCREST_TIMES=1`, on a machine that does nothing else.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests fail loudly")]

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use goldcrest_gguf::{ByteSource, Gguf, StringArray};
use goldcrest_grammar::{Compiler, Grammar, Layout, Vocabulary};
use goldcrest_sample::Constraint;
use goldcrest_tokenizer::{Tokenizer, TokenizerSpec};
use serde_json::Value;

struct Header(File);

impl ByteSource for Header {
    type Error = std::io::Error;

    fn len(&self) -> u64 {
        self.0.metadata().map_or(0, |metadata| metadata.len())
    }

    fn read_at(&mut self, offset: u64, buf: &mut [u8]) -> std::io::Result<()> {
        self.0.seek(SeekFrom::Start(offset))?;
        self.0.read_exact(buf)
    }
}

fn tokenizer(path: &Path) -> Tokenizer {
    let gguf = Gguf::from_source(&mut Header(File::open(path).unwrap())).unwrap();
    let key = |name: &str| format!("tokenizer.ggml.{name}");
    let meta = &gguf.metadata;
    let pieces: &StringArray = meta.get_strings(&key("tokens")).unwrap();
    let merges: &StringArray = meta.get_strings(&key("merges")).unwrap();
    Tokenizer::new(TokenizerSpec {
        model: "gpt2",
        pieces: Box::new(pieces.iter()),
        pre: meta.get_opt(&key("pre")).unwrap(),
        token_types: meta.get_opt(&key("token_type")).unwrap(),
        merges: Some(Box::new(merges.iter())),
        eos: meta.get_opt(&key("eos_token_id")).unwrap(),
        ..TokenizerSpec::default()
    })
    .unwrap()
}

fn percentile(times: &mut [Duration], of: usize) -> Duration {
    times.sort_unstable();
    times[(times.len() * of / 100).min(times.len() - 1)]
}

#[test]
fn masks_are_made_within_a_step() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let cases =
        ["tests/golden", "../shared/golden"].map(|f| root.join(f).join("public/jsonschemabench_60.jsonl"));
    let folder = std::env::var_os("GOLDCREST_MODELS").map(PathBuf::from);
    let names = ["smollm2-135m.gguf", "SmolLM2-135M-Instruct.Q4_1.gguf"];
    let model = folder.and_then(|f| names.into_iter().map(|name| f.join(name)).find(|path| path.exists()));
    let (Some(cases), Some(model)) = (cases.into_iter().find(|p| p.exists()), model.filter(|p| p.exists()))
    else {
        println!("skip: needs jsonschemabench_60.jsonl and SmolLM2 (GOLDCREST_MODELS)");
        return;
    };
    let started = Instant::now();
    let compiler = Compiler::new(&Vocabulary::new(Arc::new(tokenizer(&model))).unwrap()).unwrap();
    let ready = started.elapsed();
    let (mut compiles, mut masks) = (Vec::new(), Vec::new());
    for line in std::fs::read_to_string(cases).unwrap().lines() {
        let case: Value = serde_json::from_str(line).unwrap();
        let started = Instant::now();
        let grammar = Grammar::JsonSchema { schema: case["schema"].clone(), layout: Layout::Spaced };
        let Ok(mut constraint) = compiler.compile(&grammar) else { continue };
        compiles.push(started.elapsed());
        let mut pick = 1u32;
        for _ in 0..300 {
            let forced = constraint.forced().unwrap();
            if constraint.is_over() {
                break;
            }
            if !forced.is_empty() {
                forced.iter().for_each(|token| constraint.commit(*token).unwrap());
                continue;
            }
            let started = Instant::now();
            let mask = constraint.mask().unwrap();
            masks.push(started.elapsed());
            // Any of the allowed tokens, the same in every run.
            pick = pick.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let token = mask.iter().nth(pick as usize % mask.count()).unwrap();
            constraint.commit(token).unwrap();
        }
    }
    let (p50, p99) = (percentile(&mut masks, 50), percentile(&mut masks, 99));
    println!("vocabulary of {} tokens prepared in {ready:?}", compiler.vocabulary().n_vocab());
    println!(
        "{} schemas compiled: p50 {:?}, p99 {:?}",
        compiles.len(),
        percentile(&mut compiles, 50),
        percentile(&mut compiles, 99)
    );
    println!("{} masks: p50 {p50:?}, p99 {p99:?}, most {:?}", masks.len(), percentile(&mut masks, 100));
    if std::env::var_os("GOLDCREST_TIMES").is_some_and(|v| v == "1") {
        assert!(p99 < Duration::from_millis(1), "p99 {p99:?}");
    }
}
