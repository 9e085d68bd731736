//! Models of real shapes with random weights, for measuring what nobody wants to download.
//!
//! A model is a GGUF file that exists only as far as somebody reads it: its header is in memory, its blocks are made for each
//! read. It goes through the same parser and loader as a file.

mod blocks;
mod shapes;

use std::convert::Infallible;
use std::ops::Range;

use goldcrest::EngineError;
use goldcrest::gguf::limits::DEFAULT_ALIGNMENT;
use goldcrest::gguf::write::GgufWriter;
use goldcrest::gguf::{ByteSource, GgmlType, Gguf, SourceError, StringArray};
use goldcrest::model::WeightSource;

use crate::error::CliError;
use blocks::{Blocks, TYPES};
use shapes::{SHAPES, Shape};

/// `SHAPE:TYPE` as an argument.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Spec {
    shape: Shape,
    ty: GgmlType,
}

impl std::str::FromStr for Spec {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (shape, ty) = text.split_once(':').unwrap_or((text, "Q4_0"));
        let names = || SHAPES.iter().map(|shape| shape.name).collect::<Vec<_>>().join(", ");
        let types = || TYPES.iter().map(|ty| ty.name()).collect::<Vec<_>>().join(", ");
        let known = SHAPES.iter().find(|known| known.name == shape);
        let shape = *known.ok_or_else(|| format!("no shape is called {shape}; there are {}", names()))?;
        let ty = TYPES.iter().find(|known| known.name().eq_ignore_ascii_case(ty));
        let ty = *ty.ok_or_else(|| format!("weights are made in the types {}", types()))?;
        Ok(Self { shape, ty })
    }
}

impl std::fmt::Display for Spec {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}", self.shape.name, self.ty.name())
    }
}

/// A model file without a file.
#[derive(Debug)]
pub(crate) struct Synthetic {
    header: Vec<u8>,
    tensors: Vec<Span>,
    len: u64,
}

#[derive(Debug)]
struct Span {
    bytes: Range<u64>,
    content: Content,
}

#[derive(Debug)]
enum Content {
    Blocks(Blocks),
    /// F32, all the same: norms, biases.
    Constant(f32),
}

impl Synthetic {
    /// Writes the header.
    pub(crate) fn new(spec: Spec) -> Self {
        let mut file = GgufWriter::new();
        describe(&mut file, spec);
        let tensors = tensors(&spec.shape, spec.ty);
        for tensor in &tensors {
            file.tensor_elsewhere(&tensor.name, &tensor.dims, tensor.ty);
        }
        let header = file.header();
        let mut at = header.len() as u64;
        let span = |tensor: &Tensor| {
            let n_bytes = tensor.ty.size_of(tensor.dims.iter().product()).unwrap_or(0);
            let bytes = at..at + n_bytes;
            at = bytes.end.next_multiple_of(DEFAULT_ALIGNMENT);
            let content = match tensor.constant {
                Some(value) => Content::Constant(value),
                None => Content::Blocks(Blocks::new(tensor.ty, tensor.dims[0])),
            };
            Span { bytes, content }
        };
        let tensors = tensors.iter().map(span).collect();
        Self { header, tensors, len: at }
    }

    /// The checked header, by the parser that files go through.
    ///
    /// # Errors
    /// [`CliError::Engine`].
    pub(crate) fn describe(&mut self) -> Result<Gguf, CliError> {
        Gguf::from_source(self).map_err(|error| match error {
            SourceError::Read(never) => match never {},
            SourceError::Gguf(error) => EngineError::from(error).into(),
        })
    }

    fn fill(&self, offset: u64, buf: &mut [u8]) {
        let end = offset + buf.len() as u64;
        buf.fill(0);
        let head = self.header.get(offset as usize..).unwrap_or_default();
        buf.iter_mut().zip(head).for_each(|(byte, known)| *byte = *known);
        let first = self.tensors.partition_point(|tensor| tensor.bytes.end <= offset);
        for tensor in self.tensors[first..].iter().take_while(|tensor| tensor.bytes.start < end) {
            let (from, to) = (offset.max(tensor.bytes.start), end.min(tensor.bytes.end));
            let part = &mut buf[(from - offset) as usize..(to - offset) as usize];
            tensor.fill(from - tensor.bytes.start, part);
        }
    }
}

impl Span {
    /// The bytes from `offset` of the tensor on.
    fn fill(&self, offset: u64, part: &mut [u8]) {
        let (size, seed) = match self.content {
            Content::Blocks(blocks) => (blocks.unit_bytes(), self.bytes.start << 24),
            Content::Constant(_) => (4, 0),
        };
        let (mut index, mut skip, mut done) = (offset / size, (offset % size) as usize, 0);
        let mut block = vec![0; size as usize];
        while done < part.len() {
            let n = (block.len() - skip).min(part.len() - done);
            let target = &mut part[done..done + n];
            match &self.content {
                Content::Constant(value) => target.copy_from_slice(&value.to_le_bytes()[skip..skip + n]),
                Content::Blocks(blocks) if n == block.len() => blocks.write(seed + index, target),
                Content::Blocks(blocks) => {
                    blocks.write(seed + index, &mut block);
                    target.copy_from_slice(&block[skip..skip + n]);
                }
            }
            (index, skip, done) = (index + 1, 0, done + n);
        }
    }
}

impl ByteSource for Synthetic {
    type Error = Infallible;

    fn len(&self) -> u64 {
        self.len
    }

    fn read_at(&mut self, offset: u64, buf: &mut [u8]) -> Result<(), Infallible> {
        self.fill(offset, buf);
        Ok(())
    }
}

impl WeightSource for Synthetic {
    async fn read_at(&mut self, offset: u64, buf: &mut [u8]) -> Result<(), String> {
        self.fill(offset, buf);
        Ok(())
    }
}

struct Tensor {
    name: String,
    dims: Vec<u64>,
    ty: GgmlType,
    constant: Option<f32>,
}

fn describe(file: &mut GgufWriter, spec: Spec) {
    let shape = &spec.shape;
    file.set("general.architecture", shape.arch).set("general.name", format!("random {spec}"));
    for (key, value) in [
        ("context_length", shape.n_ctx),
        ("embedding_length", shape.n_embd),
        ("block_count", shape.n_layer),
        ("feed_forward_length", shape.n_ff),
        ("attention.head_count", shape.n_head),
        ("attention.head_count_kv", shape.n_head_kv),
        ("attention.key_length", shape.head_dim),
        ("attention.value_length", shape.head_dim),
        ("attention.sliding_window", shape.window),
    ] {
        file.set(&format!("{}.{key}", shape.arch), value);
    }
    file.set(&format!("{}.attention.layer_norm_rms_epsilon", shape.arch), 1e-5f32);
    // Any words do: a benchmark gives tokens, not text.
    let words: Vec<String> = (0..shape.n_vocab).map(|id| format!("t{id}")).collect();
    let words = words.iter().map(String::as_bytes).collect::<StringArray>();
    file.set("tokenizer.ggml.model", "gpt2").set("tokenizer.ggml.pre", "gpt-2");
    file.set("tokenizer.ggml.tokens", words);
    file.set("tokenizer.ggml.merges", StringArray::new());
}

fn tensors(shape: &Shape, ty: GgmlType) -> Vec<Tensor> {
    let (n_embd, n_ff) = (u64::from(shape.n_embd), u64::from(shape.n_ff));
    let n_q = u64::from(shape.n_head * shape.head_dim);
    let n_kv = u64::from(shape.n_head_kv * shape.head_dim);
    let matrix = |name: String, k: u64, n: u64| Tensor {
        // Rows that are no whole blocks of 256 get what llama.cpp's converter gives them.
        ty: if k.is_multiple_of(ty.block_len()) { ty } else { GgmlType::Q5_0 },
        name: format!("{name}.weight"),
        dims: vec![k, n],
        constant: None,
    };
    let vector = |name: String, n: u64, value: f32| Tensor {
        name,
        dims: vec![n],
        ty: GgmlType::F32,
        constant: Some(value),
    };
    let head_dim = u64::from(shape.head_dim);
    let mut out = vec![matrix("token_embd".into(), n_embd, u64::from(shape.n_vocab))];
    for il in 0..shape.n_layer {
        let name = |part: &str| format!("blk.{il}.{part}");
        let norm = |part: &str, n: u64| vector(name(&format!("{part}.weight")), n, 1.0);
        out.push(norm("attn_norm", n_embd));
        for (part, n) in [("attn_q", n_q), ("attn_k", n_kv), ("attn_v", n_kv)] {
            out.push(matrix(name(part), n_embd, n));
            if shape.arch == "qwen2" {
                out.push(vector(name(&format!("{part}.bias")), n, 0.125));
            }
        }
        if matches!(shape.arch, "qwen3" | "gemma3") {
            out.extend([norm("attn_q_norm", head_dim), norm("attn_k_norm", head_dim)]);
        }
        out.push(matrix(name("attn_output"), n_q, n_embd));
        if shape.arch == "gemma3" {
            out.extend([norm("post_attention_norm", n_embd), norm("post_ffw_norm", n_embd)]);
        }
        out.push(norm("ffn_norm", n_embd));
        out.push(matrix(name("ffn_gate"), n_embd, n_ff));
        out.push(matrix(name("ffn_up"), n_embd, n_ff));
        out.push(matrix(name("ffn_down"), n_ff, n_embd));
    }
    out.push(vector("output_norm.weight".into(), n_embd, 1.0));
    out
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests fail loudly")]
    use super::*;
    use goldcrest::model::Config;

    #[test]
    fn every_shape_is_a_model_of_its_size() {
        for (shape, millions) in SHAPES.iter().zip([135, 362, 1236, 3213, 494, 1544, 596, 4022, 268, 1000]) {
            for ty in TYPES {
                let mut model = Synthetic::new(Spec { shape: *shape, ty: *ty });
                let gguf = model.describe().unwrap();
                let config = Config::from_gguf(&gguf).unwrap();
                assert_eq!(config.head_dim, shape.head_dim, "{}", shape.name);
                let n: u64 = gguf.tensors.iter().map(|tensor| tensor.n_elements()).sum();
                assert_eq!((n + 500_000) / 1_000_000, millions, "{}", shape.name);
            }
        }
    }

    #[test]
    fn bytes_do_not_depend_on_how_they_are_read() {
        let model = Synthetic::new("llama-135m:Q4_K".parse().unwrap());
        // Over the end of the header, and over the border of the first two tensors.
        for start in [model.header.len() as u64 - 200, model.tensors[0].bytes.end - 333] {
            let mut whole = vec![0; 1000];
            model.fill(start, &mut whole);
            let mut pieces = vec![0; 1000];
            for (index, piece) in pieces.chunks_mut(7).enumerate() {
                model.fill(start + 7 * index as u64, piece);
            }
            assert_eq!(whole, pieces);
            assert!(whole[..200].iter().any(|byte| *byte != 0));
            assert!(whole[700..].iter().any(|byte| *byte != 0));
        }
    }

    #[test]
    fn what_is_wrong_with_a_name_is_said() {
        let wrong = |text: &str| text.parse::<Spec>().unwrap_err();
        assert!(wrong("llama-9b:Q4_0").contains("llama-1b"));
        assert!(wrong("llama-1b:Q9").contains("Q4_K"));
        assert_eq!("llama-1b:q8_0".parse::<Spec>().unwrap().to_string(), "llama-1b:Q8_0");
    }
}
