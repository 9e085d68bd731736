//! candle by its example `quantized`, on the CPU.

use std::path::Path;

use super::contender::{Contender, Found, Speeds, on_cores, output};
use super::options::Options;

const NAME: &str = "candle, CPU";

/// The example, where the options name it and a tokenizer for the model: candle does not read the one in a GGUF file.
pub(super) fn find(options: &Options) -> Found {
    if !options.wants(NAME) {
        return Vec::new();
    }
    vec![match (&options.candle, &options.candle_tokenizer) {
        (Some(program), Some(tokenizer)) if program.is_file() && tokenizer.is_file() => {
            Ok(contender(program, tokenizer, options))
        }
        _ => Err(format!(
            "{NAME}: build the example `quantized` of github.com/huggingface/candle and name it with --candle, and the model's \
             tokenizer.json with --candle-tokenizer"
        )),
    }]
}

fn contender(program: &Path, tokenizer: &Path, options: &Options) -> Contender {
    let (program, tokenizer, model) = (program.to_owned(), tokenizer.to_owned(), options.model.clone());
    let (threads, pp, tg) = (options.threads, options.pp, options.tg);
    let run = move || {
        let mut command = on_cores(&program, threads);
        command.env("RAYON_NUM_THREADS", threads.to_string());
        command.arg("--model").arg(&model).arg("--tokenizer").arg(&tokenizer);
        // The name decides nothing but the token that ends a text.
        command.args(["--which", "SmoLM2-360M-Instruct", "--temperature", "0", "--repeat-penalty", "1"]);
        // A token a word; the first of the sample comes with the prompt.
        command.args(["--prompt", &vec!["the"; pp].join(" "), "--sample-len", &(tg + 1).to_string()]);
        speeds(&output(&mut command)?)
    };
    Contender { name: NAME.to_owned(), run: Box::new(run) }
}

/// From its two last lines.
fn speeds(said: &str) -> Result<Speeds, String> {
    let speed = |what: &str| -> Option<f64> {
        let rest = said.lines().rev().find_map(|line| line.split_once(what))?.1;
        rest.split_whitespace().next()?.parse().ok()
    };
    match (speed("prompt tokens processed:"), speed("tokens generated:")) {
        (Some(prefill), Some(decode)) => Ok(Speeds { prefill, decode, first_token_ms: None, what: None }),
        _ => Err("its report names no speeds".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_is_read() {
        let said = "the the\n\n\n 128 prompt tokens processed: 152.61 token/s\n  32 tokens generated: 40.25 token/s\n";
        let speeds = |said| speeds(said).map(|s| (s.prefill, s.decode));
        assert_eq!(speeds(said), Ok((152.61, 40.25)));
        assert!(speeds("model built").is_err());
    }
}
