//! Medians and ratios.

use serde::Serialize;

use super::contender::Speeds;
use super::options::Options;

/// Ours, and what it is measured against.
const PAIRS: &[(&str, &str)] = &[
    ("goldcrest, CPU", "llama.cpp, CPU"),
    ("goldcrest, Vulkan", "llama.cpp, Vulkan"),
    ("goldcrest, Chromium CPU", "goldcrest, Chromium CPU, plain vectors"),
    ("goldcrest, Chromium CPU", "wllama, Chromium CPU"),
    ("goldcrest, Chromium WebGPU", "wllama, Chromium CPU"),
];

/// What a contender reached, a value for each round.
#[derive(Debug, Serialize)]
pub(super) struct Entry {
    pub(super) name: String,
    pub(super) what: Option<String>,
    /// Why it was out.
    pub(super) failed: Option<String>,
    pub(super) prefill: Vec<f64>,
    pub(super) decode: Vec<f64>,
    /// From opening the file to the first token of a prompt of eight, in milliseconds; ours only.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) first_token_ms: Vec<f64>,
}

/// All of it, as the file has it. Speeds are tokens per second.
#[derive(Debug, Serialize)]
pub(super) struct Report {
    model: String,
    prompt_tokens: usize,
    new_tokens: usize,
    threads: usize,
    cores: usize,
    cpu: String,
    load_average: String,
    rounds: usize,
    entries: Vec<Entry>,
    medians: Vec<Median>,
    ratios: Vec<Ratio>,
    skipped: Vec<String>,
}

#[derive(Debug, Serialize)]
struct Median {
    name: String,
    prefill: f64,
    decode: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    first_token_ms: Option<f64>,
}

#[derive(Debug, PartialEq, Serialize)]
struct Ratio {
    ours: String,
    peer: String,
    /// Medians of the ratios within a round.
    prefill: f64,
    decode: f64,
}

impl Entry {
    pub(super) const fn new(name: String) -> Self {
        Self {
            name,
            what: None,
            failed: None,
            prefill: Vec::new(),
            decode: Vec::new(),
            first_token_ms: Vec::new(),
        }
    }

    pub(super) fn add(&mut self, speeds: Speeds) {
        self.prefill.push(speeds.prefill);
        self.decode.push(speeds.decode);
        self.first_token_ms.extend(speeds.first_token_ms);
        self.what = speeds.what.or(self.what.take());
    }
}

impl Report {
    pub(super) fn new(options: &Options, entries: Vec<Entry>, skipped: Vec<String>) -> Self {
        let model = options.model.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let medians = entries.iter().filter(|entry| !entry.decode.is_empty()).map(|entry| Median {
            name: entry.name.clone(),
            prefill: median(&entry.prefill),
            decode: median(&entry.decode),
            first_token_ms: (!entry.first_token_ms.is_empty()).then(|| median(&entry.first_token_ms)),
        });
        let load = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
        Self {
            model,
            prompt_tokens: options.pp,
            new_tokens: options.tg,
            threads: options.threads,
            cores: std::thread::available_parallelism().map_or(1, usize::from),
            cpu: cpu(),
            load_average: load.split(' ').take(3).collect::<Vec<_>>().join(" "),
            rounds: options.rounds,
            medians: medians.collect(),
            ratios: ratios(&entries),
            entries,
            skipped,
        }
    }

    pub(super) fn table(&self) -> String {
        let mut lines = vec![format!("{:<28} {:>10} {:>10}   tok/s, median", "", "prefill", "decode")];
        for m in &self.medians {
            let first =
                m.first_token_ms.map_or(String::new(), |ms| format!("   first token after {ms:.0} ms"));
            lines.push(format!("{:<28} {:>10.1} {:>10.1}{first}", m.name, m.prefill, m.decode));
        }
        for r in &self.ratios {
            let name = format!("{} ÷ {}", r.ours, r.peer);
            lines.push(format!("{name:<52} {:>6.2} {:>6.2}", r.prefill, r.decode));
        }
        lines.join("\n")
    }
}

/// Of each pair that has values: the rounds are compared one by one, since they saw the same machine.
fn ratios(entries: &[Entry]) -> Vec<Ratio> {
    let entry = |name: &str| entries.iter().find(|entry| entry.name == name);
    let of = |a: &[f64], b: &[f64]| median(&a.iter().zip(b).map(|(a, b)| a / b).collect::<Vec<_>>());
    let pairs = PAIRS.iter().filter_map(|(ours, peer)| entry(ours).zip(entry(peer)));
    let pairs = pairs.filter(|(ours, peer)| !ours.decode.is_empty() && !peer.decode.is_empty());
    let ratio = |(ours, peer): (&Entry, &Entry)| Ratio {
        ours: ours.name.clone(),
        peer: peer.name.clone(),
        prefill: of(&ours.prefill, &peer.prefill),
        decode: of(&ours.decode, &peer.decode),
    };
    pairs.map(ratio).collect()
}

fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let at = |index: usize| sorted.get(index).copied().unwrap_or(f64::NAN);
    (at(sorted.len().saturating_sub(1) / 2) + at(sorted.len() / 2)) / 2.0
}

/// The processor's name, where the system tells it.
fn cpu() -> String {
    let text = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let name = text.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": "));
    name.map_or_else(|| std::env::consts::ARCH.to_owned(), |(_, name)| name.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ratios_are_of_the_same_round() {
        let entry = |name: &str, speeds: &[f64]| {
            let mut entry = Entry::new(name.to_owned());
            for speed in speeds {
                entry.add(Speeds { prefill: *speed, decode: 2.0 * speed, first_token_ms: None, what: None });
            }
            entry
        };
        // The machine was half as fast in the second round.
        let ours = entry("goldcrest, CPU", &[10.0, 5.0, 10.0]);
        let peer = entry("llama.cpp, CPU", &[20.0, 10.0, 25.0]);
        let found = ratios(&[peer, ours, entry("goldcrest, Vulkan", &[1.0])]);
        assert_eq!(found.len(), 1);
        assert_eq!((found[0].prefill, found[0].decode), (0.5, 0.5));
        assert_eq!(median(&[4.0, 1.0, 3.0, 2.0]), 2.5);
    }
}
