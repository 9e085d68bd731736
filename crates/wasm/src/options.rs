//! How an engine is set up.

use goldcrest::gpu;
use goldcrest::{EngineOptions, RuntimeOptions};
use serde_json::Value;

use crate::error::Failure;
use crate::fields::{Fields, list, refused};

/// The options of `Engine.load`.
pub(crate) struct LoadOptions {
    /// `auto`, `webgpu` or `cpu`.
    pub(crate) backend: String,
    pub(crate) engine: EngineOptions,
}

impl LoadOptions {
    pub(crate) fn parse(text: &str) -> Result<Self, Failure> {
        let mut fields = Fields::parse(text)?;
        let backend = fields.text("backend")?.unwrap_or_else(|| "auto".to_owned());
        if !["auto", "webgpu", "cpu"].contains(&backend.as_str()) {
            return Err(refused("backend", &Value::String(backend), "auto, webgpu or cpu"));
        }
        let pair = |v: &Value| match list(v, |s| s.as_str().map(str::to_owned))?.as_slice() {
            [entry, value] => Some((entry.clone(), value.clone())),
            _ => None,
        };
        let runtime = RuntimeOptions {
            n_ctx: fields.count("context_length")?.unwrap_or(0),
            max_chunk: fields.count("max_chunk")?.unwrap_or(0),
            forced: fields
                .take("forced_kernels", "a list of [entry, value]", |v| list(v, pair))?
                .unwrap_or_default(),
            deterministic: fields.flag("deterministic")?.unwrap_or(false),
        };
        let engine = EngineOptions {
            runtime,
            pre_tokenizer: fields.text("pre_tokenizer")?,
            ..EngineOptions::default()
        };
        fields.end()?;
        Ok(Self { backend, engine })
    }

    /// Which device is asked for.
    pub(crate) fn device(&self) -> gpu::Request {
        gpu::Request { adapter: self.backend.clone(), deterministic: self.engine.runtime.deterministic }
    }
}
