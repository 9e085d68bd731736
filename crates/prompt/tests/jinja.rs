//! Small templates of every part of the language, against Python's Jinja2 set up as transformers sets it up.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests fail loudly")]

mod common;

use common::input_from;
use goldcrest_prompt::{ChatTemplate, PromptError};
use serde_json::Value;

#[test]
fn renders_as_python_does() {
    let golden: Value = serde_json::from_str(include_str!("data/jinja_cases.json")).unwrap();
    let input = input_from(&golden["data"]);
    let mut faults = Vec::new();
    let cases = golden["cases"].as_array().unwrap();
    assert!(cases.len() > 300);
    for case in cases {
        let source = case["template"].as_str().unwrap();
        let got = ChatTemplate::new(source).and_then(|template| template.render(&input));
        match (got, case["target"].as_str(), case["error"].as_str()) {
            (Ok(rendered), Some(want), _) if rendered.text == want => {}
            (Err(PromptError::Raised { .. }), _, Some("TemplateError")) => {}
            (Err(PromptError::Evaluation { .. } | PromptError::Unsupported { .. }), _, Some(error))
                if error != "TemplateError" => {}
            (got, want, error) => faults.push(format!(
                "{source}\n  want {:?}\n  got  {:?}",
                want.or(error),
                got.map(|rendered| rendered.text)
            )),
        }
    }
    assert!(faults.is_empty(), "{} of {} differ:\n{}", faults.len(), cases.len(), faults.join("\n"));
}
