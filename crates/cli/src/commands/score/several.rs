//! `goldcrest score` with several prompts.

use goldcrest::{Combine, Example, Panel, Question, classify_together};
use serde_json::{Value, json};

use super::Args;
use crate::context::Context;
use crate::error::CliError;
use crate::{given, output};

/// How several prompts are combined.
pub(super) struct Several {
    combine: Combine,
    examples: Vec<Example>,
}

impl Several {
    /// None for a single prompt.
    pub(super) fn read(args: &Args, question: &Question) -> Result<Option<Self>, CliError> {
        let names: Vec<&str> = Combine::NAMES.iter().map(|(name, _)| *name).collect();
        let invalid = |value: &str, allowed: String| CliError::InvalidParameter {
            name: "--combine",
            value: value.to_owned(),
            allowed,
        };
        let Some(name) = &args.combine else {
            return match args.prompt.len() {
                1 => Ok(None),
                n => Err(invalid("not given", format!("{} for {n} prompts", names.join(", ")))),
            };
        };
        let combine = Combine::named(name).ok_or_else(|| invalid(name, names.join(", ")))?;
        if args.prompt.len() < 2 {
            return Err(invalid(name, "several prompts: give -p more than once".to_owned()));
        }
        let mut examples = Vec::new();
        if let Some(path) = &args.examples {
            for (i, line) in given::text_file(path)?.lines().enumerate() {
                let bad = |what: &str| given::bad_file(path, format!("line {}: {what}", i + 1));
                let (label, input) =
                    line.split_once('\t').ok_or_else(|| bad("is no choice, tab and input"))?;
                let label = question.labels.iter().position(|known| known.trim() == label.trim());
                let label = label.ok_or_else(|| bad("begins with none of the choices"))?;
                examples.push(Example { input: input.to_owned(), label });
            }
        }
        Ok(Some(Self { combine, examples }))
    }

    pub(super) fn run(&self, args: &Args, question: &Question, context: &Context) -> Result<(), CliError> {
        let loaded = args.model.load(context)?;
        let session = loaded.engine.session();
        let panel = classify_together(&session, question, &args.prompt, self.combine, &self.examples);
        let panel = pollster::block_on(panel)?;
        if args.json {
            return output::json(&report(args, question, &panel, &loaded.engine.info().name));
        }
        for (i, verdict) in panel.verdicts.iter().enumerate() {
            let (value, label) = (verdict.values[verdict.best], &question.labels[verdict.best]);
            let input = question.inputs.get(i).map(String::as_str).unwrap_or_default();
            output::line(&format!("{value:8.4}  {label:?}  {input}"))?;
        }
        Ok(())
    }
}

fn report(args: &Args, question: &Question, panel: &Panel, model: &str) -> Value {
    let prompts = args.prompt.iter().zip(&panel.information).map(|(prompt, found)| {
        json!({
            "prompt": prompt,
            "mi": found.mi(),
            "mi_g": found.mi_g(),
            "ge": found.global,
            "le": found.local,
        })
    });
    let result = |(i, verdict): (usize, &goldcrest::Verdict)| {
        let choice = |(label, value): (&String, &f64)| json!({ "text": label, "value": value });
        let said = panel.members.iter().filter_map(|rows| rows.get(i)).map(|one| &one.calibrated);
        json!({
            "input": question.inputs.get(i),
            "best": question.labels[verdict.best],
            "prompt": verdict.template,
            "choices": question.labels.iter().zip(&verdict.values).map(choice).collect::<Vec<_>>(),
            "by_prompt": said.collect::<Vec<_>>(),
        })
    };
    json!({
        "model": model,
        "combine": args.combine,
        "calibrate": args.calibrate,
        "prompts": prompts.collect::<Vec<_>>(),
        "results": panel.verdicts.iter().enumerate().map(result).collect::<Vec<_>>(),
    })
}
