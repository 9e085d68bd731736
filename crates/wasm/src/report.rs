//! What is told about a model, an engine and a generation.

use goldcrest::gguf::Gguf;
use goldcrest::gpu::Device;
use goldcrest::model::Config;
use goldcrest::{Event, MemoryPlan, ModelInfo, SelfTest, Stats, Text, TokenEvent};
use serde_json::{Value, json};

pub(crate) fn model(gguf: &Gguf, cfg: &Config) -> Value {
    let info = ModelInfo::new(gguf, cfg);
    json!({
        "name": info.name,
        "arch": info.arch,
        "file_type": info.file_type,
        "n_params": info.n_params,
        "n_layers": cfg.n_layer,
        "n_ctx_train": cfg.n_ctx_train,
        "n_vocab": cfg.n_vocab,
        "chat_template": gguf.metadata.get_str("tokenizer.chat_template").is_ok(),
    })
}

pub(crate) fn memory(plan: &MemoryPlan) -> Value {
    json!({
        "weights": plan.weights,
        "kv_per_token": plan.kv_per_token,
        "kv": plan.kv_per_token * u64::from(plan.n_ctx),
        "scratch": plan.scratch,
        "total": plan.total,
        "context_length": plan.n_ctx,
    })
}

pub(crate) fn adapter(device: &dyn Device) -> Value {
    let info = device.info();
    json!({ "name": info.name, "backend": info.backend, "type": info.kind.name(), "driver": info.driver })
}

pub(crate) fn features(device: &dyn Device) -> Vec<&'static str> {
    let caps = device.caps();
    let named = [(caps.f16, "shader-f16"), (caps.subgroups.is_some(), "subgroups")];
    named.into_iter().filter_map(|(there, name)| there.then_some(name)).collect()
}

pub(crate) fn selftest(tested: &[SelfTest]) -> Value {
    tested.iter().map(|t| json!({ "name": t.name, "ok": t.ok, "sums": t.sums })).collect()
}

pub(crate) fn event(event: &Event, text: &Text) -> Value {
    match event {
        Event::Prefill { done, total } => json!({ "type": "prefill", "done": done, "total": total }),
        Event::Working { passes } => json!({ "type": "working", "passes": passes }),
        Event::Token(token) => token_event(token, text),
        Event::End { finish, text } => json!({ "type": "end", "finish": finish.name(), "text": text }),
    }
}

fn token_event(token: &TokenEvent, text: &Text) -> Value {
    let mut event =
        json!({ "type": "token", "id": token.token, "text": token.text, "logprob": token.logprob });
    if token.guessed {
        event["guessed"] = true.into();
    }
    if !token.top.is_empty() {
        let one =
            |(id, logprob): &(u32, f32)| json!({ "id": id, "text": piece(text, *id), "logprob": logprob });
        event["top"] = token.top.iter().map(one).collect();
    }
    event
}

pub(crate) fn stats(stats: &Stats, tokens: &[u32]) -> Value {
    json!({
        "tokens": tokens,
        "prefill_tokens": stats.prefill_tokens,
        "reused_tokens": stats.reused_tokens,
        "prefill_ms": stats.prefill_ms,
        "ttft_ms": stats.ttft_ms,
        "decode_tokens": stats.decode_tokens,
        "decode_ms": stats.decode_ms,
        "forward_passes": stats.forward_passes,
        "submits": stats.submits,
        "readbacks": stats.readbacks,
        "dispatches_per_token": stats.dispatches_per_token,
    })
}

/// The text of one token; bytes that are no UTF-8 by themselves become U+FFFD.
pub(crate) fn piece(text: &Text, id: u32) -> String {
    String::from_utf8_lossy(text.tokenizer().piece(id).unwrap_or_default()).into_owned()
}
