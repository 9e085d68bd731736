//! The architectures: what each calls itself, what weights its layers have, and how one layer runs.

pub(crate) mod feed_forward;
mod gemma2;
mod gemma3;
mod gpt2;
mod llama;
mod olmoe;
mod phi3;
mod qwen2;
mod qwen3;

use crate::recorder::{AttentionKind, KeyType, Pairing};
use crate::{Allocator, Config, ModelError, Recorder};

macro_rules! architectures {
    ($($variant:ident = $name:literal in $module:ident, $doc:literal;)*) => {
        /// A model family, by the name it has in `general.architecture`.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum Arch {
            $(#[doc = $doc] $variant,)*
        }

        impl Arch {
            /// All families that can be run.
            pub const ALL: &[Self] = &[$(Self::$variant),*];

            /// The name in `general.architecture`, which prefixes the family's keys.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name),* }
            }
        }

        /// The weights of all layers.
        pub(crate) enum Layers {
            $($variant(Vec<$module::Layer>)),*
        }

        impl Layers {
            /// Allocates every layer in turn.
            pub(crate) fn allocate(
                a: &mut Allocator<'_>,
                cfg: &Config,
            ) -> Result<Self, ModelError> {
                match cfg.arch {
                    $(Arch::$variant => {
                        let mut layers = Vec::with_capacity(cfg.n_layer as usize);
                        for il in 0..cfg.n_layer {
                            layers.push($module::Layer::allocate(a, cfg, il)?);
                        }
                        Ok(Self::$variant(layers))
                    })*
                }
            }

            /// Records layer `il`.
            pub(crate) fn record(&self, r: &mut Recorder<'_>, il: u32) -> Result<(), ModelError> {
                match self { $(Self::$variant(layers) => layers[il as usize].forward(r, il)),* }
            }
        }
    };
}

architectures! {
    Llama = "llama" in llama, "Llama 1 to 3, `SmolLM2`, Yi, Mistral, `TinyLlama`, Mixtral.";
    Qwen2 = "qwen2" in qwen2, "Qwen 2 and 2.5.";
    Qwen3 = "qwen3" in qwen3, "Qwen 3.";
    Gemma2 = "gemma2" in gemma2, "Gemma 2.";
    Gemma3 = "gemma3" in gemma3, "Gemma 3.";
    Phi3 = "phi3" in phi3, "Phi 3 and 3.5.";
    Gpt2 = "gpt2" in gpt2, "GPT-2.";
    Olmoe = "olmoe" in olmoe, "`OLMoE`.";
}

impl Arch {
    /// The family called `name`.
    ///
    /// # Errors
    /// [`ModelError::UnsupportedArchitecture`], which lists the names that would do.
    pub fn from_name(name: &str) -> Result<Self, ModelError> {
        let supported = || Self::ALL.iter().map(|a| a.name()).collect::<Vec<_>>().join(", ");
        let unsupported =
            || ModelError::UnsupportedArchitecture { found: name.into(), supported: supported() };
        Self::ALL.iter().copied().find(|a| a.name() == name).ok_or_else(unsupported)
    }

    /// Whether some or all layers see only a window of the last positions.
    pub(crate) const fn has_sliding_layers(self) -> bool {
        matches!(self, Self::Gemma2 | Self::Gemma3 | Self::Phi3)
    }

    /// Whether layer `il` sees only the window, in models that have one.
    pub(crate) const fn slides(self, il: u32) -> bool {
        let kind = match self {
            Self::Gemma2 => gemma2::kind(il),
            Self::Gemma3 => gemma3::kind(il),
            Self::Phi3 => AttentionKind::Sliding,
            _ => AttentionKind::Full,
        };
        matches!(kind, AttentionKind::Sliding)
    }

    /// Which elements of a head rotate together; none in models with learned positions.
    pub(crate) const fn pairing(self) -> Option<Pairing> {
        match self {
            // Converters permute the rows of Llama's projections so that pairs lie side by side.
            Self::Llama => Some(Pairing::Adjacent),
            Self::Qwen2 | Self::Qwen3 | Self::Gemma2 | Self::Gemma3 | Self::Phi3 | Self::Olmoe => {
                Some(Pairing::Neox)
            }
            Self::Gpt2 => None,
        }
    }

    /// How the cache holds keys.
    pub(crate) const fn keys(self) -> KeyType {
        match self {
            // Its keys carry biases of up to 211, where halves are 0.125 apart: docs/conformance.md.
            Self::Qwen2 => KeyType::F32,
            _ => KeyType::F16,
        }
    }

    /// Which table of angles layer `il` uses.
    pub(crate) const fn angles(self, il: u32) -> AttentionKind {
        match self {
            Self::Gemma3 => gemma3::kind(il),
            _ => AttentionKind::Full,
        }
    }
}
