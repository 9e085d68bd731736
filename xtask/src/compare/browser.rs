//! Headless Chromium: our wasm on the CPU and on WebGPU, and wllama on one thread.

use std::path::Path;
use std::process::Command;

use serde_json::Value;

use super::contender::{Contender, Found, Speeds, output};
use super::options::Options;

/// Whoever has what he needs.
pub(super) fn find(root: &Path, options: &Options) -> Found {
    let mut found: Found = Vec::new();
    let ours = [
        ("goldcrest, Chromium CPU", "cpu"),
        ("goldcrest, Chromium CPU, plain vectors", "plain"),
        ("goldcrest, Chromium WebGPU", "webgpu"),
    ];
    let built = root.join("npm/src/wasm/goldcrest_wasm_bg.wasm").is_file();
    for (name, backend) in ours.into_iter().filter(|(name, _)| options.wants(name)) {
        found.push(match built {
            true => Ok(contender(root, name, backend, None, options)),
            false => Err(format!("{name}: run `cargo xtask wasm`, and `npm ci` in tests/browser")),
        });
    }
    let name = "wllama, Chromium CPU";
    if options.wants(name) {
        let package = options.wllama.as_deref().filter(|folder| folder.join("esm/index.js").is_file());
        found.push(match package {
            Some(folder) => Ok(contender(root, name, "wllama", Some(folder), options)),
            None => Err(format!(
                "{name}: `npm install @wllama/wllama` somewhere and name its folder with --wllama"
            )),
        });
    }
    found
}

fn contender(root: &Path, name: &str, part: &str, package: Option<&Path>, options: &Options) -> Contender {
    let mut args = vec!["compare.mjs".to_owned(), part.to_owned()];
    let model = options.model.canonicalize().unwrap_or_else(|_| options.model.clone());
    args.extend([model.display().to_string(), options.pp.to_string(), options.tg.to_string()]);
    args.extend(package.map(|folder| folder.display().to_string()));
    let folder = root.join("tests/browser");
    let run = move || speeds(&output(Command::new("node").args(&args).current_dir(&folder))?);
    Contender { name: name.to_owned(), run: Box::new(run) }
}

fn speeds(json: &str) -> Result<Speeds, String> {
    let found: Value = serde_json::from_str(json).map_err(|e| e.to_string())?;
    match (found["prefill"].as_f64(), found["decode"].as_f64()) {
        (Some(prefill), Some(decode)) => {
            let first_token_ms = found["first_token_ms"].as_f64();
            Ok(Speeds { prefill, decode, first_token_ms, what: found["what"].as_str().map(str::to_owned) })
        }
        _ => Err("the page names no speeds".to_owned()),
    }
}
