//! `bench --speculate`: drafters against plain decoding, on prompts for chat, quoting, code edits and JSON.

use std::collections::BTreeMap;
use std::time::Instant;

use goldcrest::decode::speculate::{SharedLearnt, Speculate};
use goldcrest::decode::{Decoding, Method, Resources};
use goldcrest::gpu::Device;
use goldcrest::prompt::RenderInput;
use goldcrest::{Engine, Event, Prompt, Request, Session};
use serde::Serialize;
use serde_json::{Map, Value, json};

use super::report::{AdapterReport, ModelReport, Spread, Versions};
use crate::context::Context;
use crate::error::CliError;
use crate::output;

/// Drafters that need no second model.
const USUAL: [&str; 6] = ["auto", "auto:plan=false", "recycling", "suffix", "copyspec", "pld"];

/// The prompts, by their kind.
const SETS: [(&str, &str); 4] = [
    ("chat", include_str!("../../../../../tests/prompts/chat.json")),
    ("quote", include_str!("../../../../../tests/prompts/quote.json")),
    ("edit", include_str!("../../../../../tests/prompts/edit.json")),
    ("json", include_str!("../../../../../tests/prompts/json.json")),
];

/// What the comparison found.
#[derive(Serialize)]
struct Report {
    model: ModelReport,
    adapter: AdapterReport,
    versions: Versions,
    threads: usize,
    max_tokens: usize,
    reps: u32,
    sets: Vec<Set>,
}

#[derive(Serialize)]
struct Set {
    set: &'static str,
    prompts: usize,
    tokens: usize,
    plain_ms_per_token: Spread,
    drafters: Vec<Drafted>,
}

#[derive(Serialize)]
struct Drafted {
    drafter: String,
    /// Tokens a pass.
    tau: f64,
    mean_rows: f64,
    accepted_histogram: Vec<u64>,
    unassisted: u64,
    draft_ms_per_pass: f64,
    verify_ms_per_pass: f64,
    /// Plain time by time with guesses, behind the first token; one value per prompt, its repetitions' median.
    speedup: Spread,
    /// Answers with the tokens of plain decoding; others part where passes of other sizes round a near tie differently.
    same: usize,
}

/// Sums over the answers of one drafter.
#[derive(Default)]
struct Sums {
    steps: f64,
    tokens: f64,
    rows: f64,
    draft_ms: f64,
    verify_ms: f64,
    unassisted: u64,
    accepted: BTreeMap<usize, u64>,
    speedups: Vec<f64>,
    same: usize,
}

/// One answer, timed.
struct Timed {
    tokens: Vec<u32>,
    ms_per_token: f64,
    report: Map<String, Value>,
}

/// The drafters asked for; an empty name stands for the usual ones.
pub(super) fn methods(names: &[String]) -> Result<Vec<(String, Method)>, CliError> {
    let given: Vec<&str> = names.iter().map(String::as_str).filter(|name| !name.is_empty()).collect();
    let names = if given.is_empty() { USUAL.to_vec() } else { given };
    names.into_iter().map(|name| Ok((name.to_owned(), Speculate::parse(name)?))).collect()
}

/// Runs all of it and prints what was found.
pub(super) fn run(
    engine: &Engine,
    model: ModelReport,
    context: &Context,
    methods: &[(String, Method)],
    (n, reps, as_json): (usize, u32, bool),
) -> Result<(), CliError> {
    let device = std::rc::Rc::clone(engine.runtime().borrow().device());
    let device: &dyn Device = device.as_ref();
    let mut session = engine.session();
    // Each drafter keeps what it learns from one answer to the next, as it would alone.
    let learnt: Vec<SharedLearnt> = methods.iter().map(|_| SharedLearnt::default()).collect();
    let mut sets = Vec::new();
    for (set, prompts) in SETS {
        let prompts: Vec<Value> = serde_json::from_str(prompts)
            .map_err(|error| CliError::BadFile { place: set.to_owned(), what: error.to_string() })?;
        let mut sums: Vec<Sums> = methods.iter().map(|_| Sums::default()).collect();
        let (mut plains, mut tokens) = (Vec::new(), 0);
        for entry in &prompts {
            let text = entry.get("prompt").and_then(Value::as_str).unwrap_or_default();
            let prompt = session.encode(&asked(engine, text))?;
            let mut ratios: Vec<Vec<f64>> = vec![Vec::new(); methods.len()];
            for _ in 0..reps {
                let plain = timed(&mut session, &prompt, n, None, context)?;
                plains.push(plain.ms_per_token);
                tokens += plain.tokens.len();
                for (index, (_, method)) in methods.iter().enumerate() {
                    let method = Some((method, &learnt[index]));
                    let with = timed(&mut session, &prompt, n, method, context)?;
                    ratios[index].push(plain.ms_per_token / with.ms_per_token);
                    sums[index].add(&with, &plain);
                }
            }
            for (sums, ratios) in sums.iter_mut().zip(ratios) {
                sums.speedups.push(Spread::of(ratios).median);
            }
            context.report.notice(&format!("{set}: {text:.40}"));
        }
        let drafters = methods.iter().zip(sums).map(|((name, _), sums)| sums.report(name)).collect();
        let plain_ms_per_token = Spread::of(plains);
        sets.push(Set { set, prompts: prompts.len(), tokens, plain_ms_per_token, drafters });
    }
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let (adapter, versions) = (AdapterReport::new(device), Versions::ours());
    let report = Report { model, adapter, versions, threads, max_tokens: n, reps, sets };
    if as_json { output::json(&report) } else { print(&report) }
}

fn asked(engine: &Engine, text: &str) -> Prompt {
    if !engine.text().has_template() {
        return Prompt::Text { text: text.to_owned(), parse_special: false };
    }
    let messages = json!([{ "role": "user", "content": text }]);
    Prompt::Chat(Box::new(RenderInput { messages, add_generation_prompt: true, ..RenderInput::default() }))
}

/// One greedy answer; the time runs from its first token to its last.
fn timed(
    session: &mut Session,
    prompt: &[u32],
    n: usize,
    method: Option<(&Method, &SharedLearnt)>,
    context: &Context,
) -> Result<Timed, CliError> {
    let request = Request { max_tokens: Some(n), ..Request::greedy(Prompt::Tokens(prompt.to_vec())) };
    let (mut first, mut last) = (None, None);
    let mut take = |event: &Event| -> Result<(), CliError> {
        if matches!(event, Event::Token(_)) {
            last = Some(Instant::now());
            first = first.or(last);
        }
        if context.interrupt.is_set() { Err(CliError::Interrupted) } else { Ok(()) }
    };
    let (tokens, report) = match method {
        None => {
            let mut generation = session.generate(request)?;
            while let Some(event) = pollster::block_on(generation.next())? {
                take(&event)?;
            }
            (generation.tokens().to_vec(), Map::new())
        }
        Some((method, learnt)) => {
            let resources = Resources { learnt: Some(SharedLearnt::clone(learnt)), ..Resources::default() };
            let mut decoding = Decoding::start(session, &request, method.clone(), resources, Vec::new())?;
            while let Some(event) = pollster::block_on(decoding.next())? {
                take(&event)?;
            }
            let outcome = decoding.outcome().cloned().unwrap_or_default();
            (outcome.tokens, outcome.report)
        }
    };
    let took = first.zip(last).map_or(0.0, |(first, last)| (last - first).as_secs_f64() * 1e3);
    // The last token may have come with the end, and the first is not in the time.
    let ms_per_token = took / tokens.len().saturating_sub(1).max(1) as f64;
    Ok(Timed { tokens, ms_per_token, report })
}

impl Sums {
    fn add(&mut self, with: &Timed, plain: &Timed) {
        let said = with.report.get("speculation").cloned().unwrap_or_default();
        let number = |name: &str| said.get(name).and_then(Value::as_f64).unwrap_or_default();
        let steps = number("steps");
        self.steps += steps;
        self.tokens += number("tau") * steps;
        self.rows += number("mean_rows") * steps;
        self.draft_ms += number("draft_ms");
        self.verify_ms += number("verify_ms");
        self.unassisted += number("unassisted") as u64;
        let accepted = said.get("accepted_histogram").and_then(Value::as_array);
        for (index, count) in accepted.into_iter().flatten().enumerate() {
            *self.accepted.entry(index).or_default() += count.as_u64().unwrap_or_default();
        }
        self.same += usize::from(with.tokens == plain.tokens);
    }

    fn report(self, name: &str) -> Drafted {
        let longest = self.accepted.last_key_value().map_or(0, |(index, _)| index + 1);
        let steps = self.steps.max(1.0);
        Drafted {
            drafter: name.to_owned(),
            tau: self.tokens / steps,
            mean_rows: self.rows / steps,
            accepted_histogram: (0..longest).map(|i| self.accepted.get(&i).copied().unwrap_or(0)).collect(),
            unassisted: self.unassisted,
            draft_ms_per_pass: self.draft_ms / steps,
            verify_ms_per_pass: self.verify_ms / steps,
            speedup: Spread::of(self.speedups),
            same: self.same,
        }
    }
}

fn print(report: &Report) -> Result<(), CliError> {
    output::line(&format!("{} on {}", report.model.name, report.adapter.name))?;
    for set in &report.sets {
        let (prompts, ms) = (set.prompts, set.plain_ms_per_token.median);
        output::line(&format!("\n{}: {prompts} prompts, {ms:.1} ms a token without guesses", set.set))?;
        output::line(
            "  drafter              tokens a pass   rows   guessing ms   pass ms   times as fast   same",
        )?;
        for one in &set.drafters {
            output::line(&format!(
                "  {:<20} {:>13.2} {:>6.1} {:>13.2} {:>9.1} {:>8.2} ({:.2}) {:>6}",
                one.drafter,
                one.tau,
                one.mean_rows,
                one.draft_ms_per_pass,
                one.verify_ms_per_pass,
                one.speedup.median,
                one.speedup.min,
                one.same,
            ))?;
        }
    }
    Ok(())
}
