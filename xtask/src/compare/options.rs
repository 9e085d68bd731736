//! The arguments.

use std::path::PathBuf;

/// One line for the list of tasks.
pub const USAGE: &str = "\
cargo xtask compare --model FILE [--out FILE] [--rounds N] [--threads N] [--pp N] [--tg N] [--adapter NAME]
                    [--goldcrest FILE] [--llama-bench FILE] [--llama-bench-vulkan FILE] [--candle FILE]
                    [--candle-tokenizer FILE] [--wllama FOLDER] [--only PART]…
                             this and other runtimes in turns; JSON to --out";

/// What is compared, and with whom.
#[derive(Debug, PartialEq)]
pub(super) struct Options {
    pub(super) model: PathBuf,
    pub(super) out: Option<PathBuf>,
    pub(super) rounds: usize,
    pub(super) threads: usize,
    pub(super) pp: usize,
    pub(super) tg: usize,
    /// Our adapter beside the CPU; none for whichever Vulkan has.
    pub(super) adapter: String,
    /// Our command as it was built before; none to build it.
    pub(super) goldcrest: Option<PathBuf>,
    pub(super) llama: Option<PathBuf>,
    pub(super) llama_vulkan: Option<PathBuf>,
    pub(super) candle: Option<PathBuf>,
    pub(super) candle_tokenizer: Option<PathBuf>,
    /// The package's folder.
    pub(super) wllama: Option<PathBuf>,
    /// Parts of the names of those who take part; without any all do.
    pub(super) only: Vec<String>,
}

impl Options {
    /// Environment variables stand in for options that name programs.
    ///
    /// # Errors
    /// An option that there is not, or a value that it cannot have.
    pub(super) fn parse(args: &[&str]) -> Result<Self, String> {
        let path = |name: &str| std::env::var_os(name).filter(|v| !v.is_empty()).map(PathBuf::from);
        let mut options = Self {
            model: PathBuf::new(),
            out: None,
            rounds: 5,
            threads: std::thread::available_parallelism().map_or(1, usize::from),
            pp: 128,
            tg: 32,
            adapter: "vulkan".to_owned(),
            goldcrest: None,
            llama: path("GOLDCREST_LLAMA_BENCH").or_else(|| on_path("llama-bench")),
            llama_vulkan: path("GOLDCREST_LLAMA_BENCH_VULKAN"),
            candle: path("GOLDCREST_CANDLE"),
            candle_tokenizer: path("GOLDCREST_CANDLE_TOKENIZER"),
            wllama: path("GOLDCREST_WLLAMA"),
            only: Vec::new(),
        };
        for pair in args.chunks(2) {
            let [name, value] = pair else { return Err(format!("{} needs a value\n{USAGE}", pair[0])) };
            let number = || {
                let number = value.parse().ok().filter(|n| *n > 0);
                number.ok_or_else(|| format!("{name} {value}: it takes a whole number above 0"))
            };
            match *name {
                "--model" => options.model = value.into(),
                "--out" => options.out = Some(value.into()),
                "--rounds" => options.rounds = number()?,
                "--threads" => options.threads = number()?,
                "--pp" => options.pp = number()?,
                "--tg" => options.tg = number()?,
                "--adapter" => options.adapter = (*value).to_owned(),
                "--goldcrest" => options.goldcrest = Some(value.into()),
                "--llama-bench" => options.llama = Some(value.into()),
                "--llama-bench-vulkan" => options.llama_vulkan = Some(value.into()),
                "--candle" => options.candle = Some(value.into()),
                "--candle-tokenizer" => options.candle_tokenizer = Some(value.into()),
                "--wllama" => options.wllama = Some(value.into()),
                "--only" => options.only.push((*value).to_owned()),
                _ => return Err(format!("there is no option {name}\n{USAGE}")),
            }
        }
        Ok(options)
    }

    /// Whether whoever has this name takes part.
    pub(super) fn wants(&self, name: &str) -> bool {
        self.only.is_empty() || self.only.iter().any(|part| name.contains(part.as_str()))
    }
}

fn on_path(program: &str) -> Option<PathBuf> {
    let folders = std::env::var_os("PATH")?;
    std::env::split_paths(&folders).map(|folder| folder.join(program)).find(|path| path.is_file())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_are_pairs_of_known_names_and_values() {
        let parsed = Options::parse(&["--model", "a.gguf", "--rounds", "3", "--only", "wllama"]);
        let parsed = parsed.map(|o| (o.model.clone(), o.rounds, o.wants("wllama, x") && !o.wants("x"), o.pp));
        assert_eq!(parsed, Ok(("a.gguf".into(), 3, true, 128)));
        for wrong in [&["--model"][..], &["--rounds", "0"], &["--rounds", "x"], &["--mode", "a"]] {
            assert!(Options::parse(wrong).is_err(), "{wrong:?}");
        }
    }
}
