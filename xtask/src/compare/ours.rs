//! `goldcrest bench`, built here or before.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use super::contender::{Contender, Found, Speeds, on_cores, output};
use super::options::Options;

/// The CPU, and the adapter that the options name.
pub(super) fn find(root: &Path, options: &Options) -> Found {
    let wanted = [("goldcrest, CPU", "cpu"), ("goldcrest, Vulkan", options.adapter.as_str())];
    let wanted: Vec<_> = wanted.into_iter().filter(|(name, _)| options.wants(name)).collect();
    if wanted.is_empty() {
        return Vec::new();
    }
    let program = match options.goldcrest.clone().map_or_else(|| build(root), Ok) {
        Ok(program) => program,
        Err(why) => return vec![Err(format!("goldcrest: {why}"))],
    };
    wanted.into_iter().map(|(name, adapter)| Ok(contender(name, adapter, &program, options))).collect()
}

fn build(root: &Path) -> Result<PathBuf, String> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let build = ["build", "--release", "--locked", "--package", "goldcrest-cli"];
    output(Command::new(&cargo).args(build).current_dir(root))?;
    let about = ["metadata", "--no-deps", "--format-version", "1", "--locked"];
    let about = output(Command::new(&cargo).args(about).current_dir(root))?;
    let about: Value = serde_json::from_str(&about).map_err(|e| e.to_string())?;
    let target = about["target_directory"].as_str().ok_or("cargo names no target folder")?;
    Ok(Path::new(target).join("release").join("goldcrest").with_extension(std::env::consts::EXE_EXTENSION))
}

fn contender(name: &str, adapter: &str, program: &Path, options: &Options) -> Contender {
    let (program, threads) = (program.to_owned(), options.threads);
    let mut args = vec!["bench".to_owned(), "--adapter".into(), adapter.to_owned(), "--json".into()];
    for (option, value) in [("--pp", options.pp), ("--tg", options.tg), ("--depth", 0), ("--reps", 1)] {
        args.extend([option.to_owned(), value.to_string()]);
    }
    args.extend(["--model".to_owned(), options.model.display().to_string()]);
    let run = move || speeds(&output(on_cores(&program, threads).args(&args))?);
    Contender { name: name.to_owned(), run: Box::new(run) }
}

fn speeds(json: &str) -> Result<Speeds, String> {
    let found: Value = serde_json::from_str(json).map_err(|e| e.to_string())?;
    let speed = |part: &str| found[part][0]["tokens_per_s"]["median"].as_f64();
    let adapter = &found["adapter"];
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let what = format!(
        "{} on {} ({})",
        text(&found["versions"]["goldcrest"]),
        text(&adapter["name"]),
        text(&adapter["driver"])
    );
    let ms = |part: &str| found["load"][part].as_f64();
    let first_token_ms = ms("total_ms").zip(ms("first_ttft_ms")).map(|(load, first)| load + first);
    match (speed("prefill"), speed("decode")) {
        (Some(prefill), Some(decode)) => Ok(Speeds { prefill, decode, first_token_ms, what: Some(what) }),
        _ => Err("its report names no speeds".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_is_read() {
        let json = r#"{"adapter": {"name": "CPU", "driver": "d"}, "versions": {"goldcrest": "1"},
            "load": {"total_ms": 300.5, "first_ttft_ms": 20.0}, "prefill": [{"tokens_per_s": {"median": 9.5}}], "decode": [{"tokens_per_s": {"median": 2.5}}]}"#;
        let what = Some("1 on CPU (d)".to_owned());
        let expected = Speeds { prefill: 9.5, decode: 2.5, first_token_ms: Some(320.5), what };
        assert_eq!(speeds(json), Ok(expected));
        assert!(speeds("{}").is_err());
    }
}
