//! The shapes of models that people run, from their published configurations.

/// What a model's speed depends on. In all of them the embedding serves as the head.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Shape {
    pub(crate) name: &'static str,
    pub(crate) arch: &'static str,
    pub(crate) n_vocab: u32,
    pub(crate) n_embd: u32,
    pub(crate) n_layer: u32,
    pub(crate) n_head: u32,
    pub(crate) n_head_kv: u32,
    pub(crate) head_dim: u32,
    pub(crate) n_ff: u32,
    pub(crate) n_ctx: u32,
    /// Width of sliding-window layers; 0 without such.
    pub(crate) window: u32,
}

impl Shape {
    const fn new(name: &'static str, arch: &'static str, n_vocab: u32, n_embd: u32, n_layer: u32) -> Self {
        let (n_head, n_head_kv, head_dim, n_ff, n_ctx, window) = (0, 0, 0, 0, 8192, 0);
        Self { name, arch, n_vocab, n_embd, n_layer, n_head, n_head_kv, head_dim, n_ff, n_ctx, window }
    }

    const fn heads(self, n_head: u32, n_head_kv: u32, head_dim: u32) -> Self {
        Self { n_head, n_head_kv, head_dim, ..self }
    }

    const fn ff(self, n_ff: u32) -> Self {
        Self { n_ff, ..self }
    }

    const fn window(self, window: u32) -> Self {
        Self { window, ..self }
    }
}

/// SmolLM2, Llama 3.2, Qwen 2.5, Qwen 3 and Gemma 3.
pub(crate) const SHAPES: &[Shape] = &[
    Shape::new("llama-135m", "llama", 49_152, 576, 30).heads(9, 3, 64).ff(1536),
    Shape::new("llama-360m", "llama", 49_152, 960, 32).heads(15, 5, 64).ff(2560),
    Shape::new("llama-1b", "llama", 128_256, 2048, 16).heads(32, 8, 64).ff(8192),
    Shape::new("llama-3b", "llama", 128_256, 3072, 28).heads(24, 8, 128).ff(8192),
    Shape::new("qwen-0.5b", "qwen2", 151_936, 896, 24).heads(14, 2, 64).ff(4864),
    Shape::new("qwen-1.5b", "qwen2", 151_936, 1536, 28).heads(12, 2, 128).ff(8960),
    Shape::new("qwen-0.6b", "qwen3", 151_936, 1024, 28).heads(16, 8, 128).ff(3072),
    Shape::new("qwen-4b", "qwen3", 151_936, 2560, 36).heads(32, 8, 128).ff(9728),
    Shape::new("gemma-270m", "gemma3", 262_144, 640, 18).heads(4, 1, 256).ff(2048).window(512),
    Shape::new("gemma-1b", "gemma3", 262_144, 1152, 26).heads(4, 1, 256).ff(6912).window(512),
];
