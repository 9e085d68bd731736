//! llama.cpp by its own `llama-bench`: on the CPU, and by its Vulkan backend.

use std::path::Path;

use serde_json::Value;

use super::contender::{Contender, Found, Speeds, on_cores, output};
use super::options::Options;

/// Which Vulkan devices it uses.
const DEVICES: &str = "GGML_VK_VISIBLE_DEVICES";

/// The builds that the options name.
pub(super) fn find(options: &Options) -> Found {
    let builds = [
        (
            "llama.cpp, CPU",
            &options.llama,
            "0",
            "build llama-bench of github.com/ggml-org/llama.cpp and put it on PATH, or name it with --llama-bench",
        ),
        (
            "llama.cpp, Vulkan",
            &options.llama_vulkan,
            "99",
            "build llama-bench with -DGGML_VULKAN=ON and name it with --llama-bench-vulkan",
        ),
    ];
    let builds = builds.into_iter().filter(|(name, ..)| options.wants(name));
    let found = builds.map(|(name, program, layers, advice)| match program {
        Some(program) if program.is_file() => Ok(contender(name, program, layers, options)),
        _ => Err(format!("{name}: {advice}")),
    });
    found.collect()
}

fn contender(name: &str, program: &Path, layers_on_gpu: &'static str, options: &Options) -> Contender {
    let (program, model, threads) = (program.to_owned(), options.model.clone(), options.threads);
    let (pp, tg) = (options.pp, options.tg);
    let run = move || {
        let mut command = on_cores(&program, threads);
        command.arg("-m").arg(&model).args(["-r", "1", "-o", "json", "-ngl", layers_on_gpu]);
        for (option, value) in [("-p", pp), ("-n", tg), ("-t", threads)] {
            command.args([option, &value.to_string()]);
        }
        // It passes over devices that are processors, such as llvmpipe, unless they are asked for by number.
        if std::env::var_os(DEVICES).is_none() {
            command.env(DEVICES, "0");
        }
        speeds(&output(&mut command)?, layers_on_gpu != "0")
    };
    Contender { name: name.to_owned(), run: Box::new(run) }
}

/// One object for the prompt, one for the generation. Without a device it runs on the processor and says nothing.
fn speeds(json: &str, on_gpu: bool) -> Result<Speeds, String> {
    let found: Vec<Value> = serde_json::from_str(json).map_err(|e| e.to_string())?;
    let speed = |count: &str| {
        let part = found.iter().find(|part| part[count].as_u64().is_some_and(|n| n > 0));
        part.and_then(|part| part["avg_ts"].as_f64())
    };
    let text = |name: &str| found.first().and_then(|part| part[name].as_str()).unwrap_or_default().to_owned();
    let device = [text("gpu_info"), text("cpu_info")].into_iter().find(|name| !name.is_empty());
    let what = format!("{} ({}) on {}", text("build_commit"), text("backends"), device.unwrap_or_default());
    if on_gpu && text("gpu_info").is_empty() {
        return Err("llama-bench found no Vulkan device".into());
    }
    match (speed("n_prompt"), speed("n_gen")) {
        (Some(prefill), Some(decode)) => {
            Ok(Speeds { prefill, decode, first_token_ms: None, what: Some(what) })
        }
        _ => Err("its report names no speeds".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_is_read() {
        let json = r#"[{"build_commit": "abc", "backends": "CPU", "cpu_info": "EPYC", "gpu_info": "",
            "n_prompt": 128, "n_gen": 0, "avg_ts": 200.5}, {"n_prompt": 0, "n_gen": 32, "avg_ts": 90.25}]"#;
        let what = Some("abc (CPU) on EPYC".to_owned());
        assert_eq!(
            speeds(json, false),
            Ok(Speeds { prefill: 200.5, decode: 90.25, first_token_ms: None, what })
        );
        assert!(speeds(json, true).is_err() && speeds("[]", false).is_err() && speeds("no", false).is_err());
    }
}
