//! The models of the self-test, made from a fixed sequence of bits.

use goldcrest_gguf::GgmlType;
use goldcrest_gguf::write::GgufWriter;
use goldcrest_model::Arch;

use crate::EngineError;

const N_VOCAB: u64 = 256;
const WIDTH: u64 = 256;
const N_CTX: u64 = 64;
const N_EXPERT: u64 = 4;
const HEAD_DIM: u64 = 64;

/// A model of one layer of family `arch` whose matrices have type `ty`; `scales` says where a block of that type keeps
/// the halves that scale it.
pub(super) fn model(arch: Arch, ty: GgmlType, scales: &[usize]) -> Result<Vec<u8>, EngineError> {
    let mut file = GgufWriter::new();
    file.set("general.architecture", arch.name());
    describe(&mut file, arch);
    for (name, n) in vectors(arch) {
        let weights: Vec<f32> = (0..n).map(|i| 0.5 + (i % 7) as f32 / 7.0).collect();
        file.tensor_f32(name, &[n], &weights);
    }
    let mut bits = 1u32;
    for (name, shape) in matrices(arch) {
        let n: u64 = shape.iter().product();
        let bytes = blocks(ty, scales, n / ty.block_len(), &mut bits);
        file.tensor(&format!("{name}.weight"), &shape, ty, &bytes);
    }
    Ok(file.finish()?)
}

fn describe(file: &mut GgufWriter, arch: Arch) {
    let n_head_kv = if arch == Arch::Gpt2 { 4u32 } else { 2 };
    let mut set = |key: &str, value: u32| {
        file.set(&format!("{}.{key}", arch.name()), value);
    };
    for (key, value) in [
        ("context_length", N_CTX as u32),
        ("embedding_length", WIDTH as u32),
        ("block_count", 1),
        ("feed_forward_length", WIDTH as u32),
        ("attention.head_count", 4),
        ("attention.head_count_kv", n_head_kv),
    ] {
        set(key, value);
    }
    match arch {
        Arch::Olmoe => {
            set("expert_count", N_EXPERT as u32);
            set("expert_used_count", 2);
        }
        Arch::Gemma2 => set("attention.sliding_window", 4),
        _ => {}
    }
    let mut set = |key: &str, value: f32| {
        file.set(&format!("{}.{key}", arch.name()), value);
    };
    match arch {
        Arch::Gpt2 => set("attention.layer_norm_epsilon", 1e-5),
        _ => set("attention.layer_norm_rms_epsilon", 1e-5),
    }
    if arch == Arch::Gemma2 {
        set("attn_logit_softcapping", 50.0);
        set("final_logit_softcapping", 30.0);
    }
}

fn vectors(arch: Arch) -> Vec<(&'static str, u64)> {
    let mut vectors = vec![
        ("output_norm.weight", WIDTH),
        ("blk.0.attn_norm.weight", WIDTH),
        ("blk.0.ffn_norm.weight", WIDTH),
    ];
    vectors.extend(match arch {
        Arch::Gpt2 => vec![
            ("output_norm.bias", WIDTH),
            ("blk.0.attn_norm.bias", WIDTH),
            ("blk.0.ffn_norm.bias", WIDTH),
            ("blk.0.attn_qkv.bias", 3 * WIDTH),
            ("blk.0.attn_output.bias", WIDTH),
            ("blk.0.ffn_up.bias", WIDTH),
            ("blk.0.ffn_down.bias", WIDTH),
        ],
        Arch::Gemma2 => {
            vec![("blk.0.post_attention_norm.weight", WIDTH), ("blk.0.post_ffw_norm.weight", WIDTH)]
        }
        Arch::Qwen3 => vec![("blk.0.attn_q_norm.weight", HEAD_DIM), ("blk.0.attn_k_norm.weight", HEAD_DIM)],
        Arch::Olmoe => vec![("blk.0.attn_q_norm.weight", WIDTH), ("blk.0.attn_k_norm.weight", WIDTH / 2)],
        _ => vec![],
    });
    vectors
}

fn matrices(arch: Arch) -> Vec<(&'static str, Vec<u64>)> {
    let square = || vec![WIDTH, WIDTH];
    let mut matrices = vec![("token_embd", vec![WIDTH, N_VOCAB])];
    matrices.extend(match arch {
        Arch::Gpt2 => vec![("position_embd", vec![WIDTH, N_CTX]), ("blk.0.attn_qkv", vec![WIDTH, 3 * WIDTH])],
        _ => vec![
            ("blk.0.attn_q", square()),
            ("blk.0.attn_k", vec![WIDTH, WIDTH / 2]),
            ("blk.0.attn_v", vec![WIDTH, WIDTH / 2]),
        ],
    });
    matrices.push(("blk.0.attn_output", square()));
    let experts = || vec![WIDTH, WIDTH, N_EXPERT];
    matrices.extend(match arch {
        Arch::Gpt2 => vec![("blk.0.ffn_up", square()), ("blk.0.ffn_down", square())],
        Arch::Olmoe => vec![
            ("blk.0.ffn_gate_inp", vec![WIDTH, N_EXPERT]),
            ("blk.0.ffn_gate_exps", experts()),
            ("blk.0.ffn_up_exps", experts()),
            ("blk.0.ffn_down_exps", experts()),
        ],
        _ => vec![("blk.0.ffn_gate", square()), ("blk.0.ffn_up", square()), ("blk.0.ffn_down", square())],
    });
    matrices
}

/// Blocks of pseudo-random bytes whose scales are small.
fn blocks(ty: GgmlType, scales: &[usize], n: u64, bits: &mut u32) -> Vec<u8> {
    let size = ty.block_bytes() as usize;
    let mut next = || {
        *bits = bits.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (*bits >> 24) as u8
    };
    let mut out = Vec::with_capacity(n as usize * size);
    for _ in 0..n {
        let mut block: Vec<u8> = (0..size).map(|_| next()).collect();
        match ty {
            // Floats between 2^-5 and 2^-4 of either sign: sign and mantissa are random, the exponent is not.
            GgmlType::F32 => exponent(&mut block[2..4], [0x7f, 0x80], 0x3d),
            GgmlType::BF16 => exponent(&mut block[..2], [0x7f, 0x80], 0x3d),
            GgmlType::F16 => exponent(&mut block[..2], [0xff, 0x83], 0x28),
            GgmlType::MXFP4 => block[0] = 122,
            _ => {}
        }
        for at in scales {
            // 2^-9, with a sign and three bits of mantissa.
            exponent(&mut block[*at..], [0xff, 0x83], 0x18);
        }
        out.extend(block);
    }
    out
}

/// Keeps the bits of a little-endian pair that `mask` names, and sets the exponent in the upper byte.
fn exponent(pair: &mut [u8], mask: [u8; 2], upper: u8) {
    pair[0] &= mask[0];
    pair[1] = upper | (pair[1] & mask[1]);
}
