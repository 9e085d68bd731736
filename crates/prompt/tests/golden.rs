//! Renders of real templates, byte for byte as transformers makes them.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests fail loudly")]

mod common;

use common::{golden, input_from};
use goldcrest_prompt::{ChatTemplate, PromptError, Rendered};
use serde_json::Value;

/// Segments must cover the text, in order, alternating, none empty, on character borders.
#[track_caller]
fn check_segments(name: &str, rendered: &Rendered) {
    let mut at = 0;
    let mut before = None;
    for segment in &rendered.segments {
        assert_eq!(segment.range.start, at, "{name}");
        assert!(segment.range.end > at, "{name}");
        assert!(rendered.text.get(segment.range.clone()).is_some(), "{name}");
        assert_ne!(before, Some(segment.from_user), "{name}: two segments of one origin touch");
        before = Some(segment.from_user);
        at = segment.range.end;
    }
    assert_eq!(at, rendered.text.len(), "{name}");
}

/// The pass figure for legitimate templates: a quarter of each budget.
#[track_caller]
fn check_budget(name: &str, rendered: &Rendered) {
    let usage = &rendered.usage;
    let percent = |spent: u64, budget: u64| spent as f64 * 100.0 / budget as f64;
    println!(
        "{name}: steps {:.1} %, created {:.1} %, scanned {:.1} %, depth {}",
        percent(usage.steps, usage.budget.steps),
        percent(usage.bytes_created, usage.budget.bytes_created),
        percent(usage.bytes_scanned, usage.budget.bytes_scanned),
        usage.depth
    );
    assert!(usage.steps * 4 <= usage.budget.steps, "{name}: {usage:?}");
    assert!(usage.bytes_created * 4 <= usage.budget.bytes_created, "{name}: {usage:?}");
    assert!(usage.bytes_scanned * 4 <= usage.budget.bytes_scanned, "{name}: {usage:?}");
    assert!(usage.depth * 4 <= goldcrest_prompt::MAX_DEPTH, "{name}: {usage:?}");
}

#[test]
fn chat_templates_of_the_golden_set() {
    let Some(golden) = golden("public/chat_templates.json") else { return };
    let cases = golden["cases"].as_array().unwrap();
    assert_eq!(cases.len(), 133);
    let mut faults = Vec::new();
    for case in cases {
        let name = case["name"].as_str().unwrap();
        let source = match case.get("template") {
            Some(source) => source.as_str().unwrap(),
            None => golden["templates"][case["template_ref"].as_str().unwrap()].as_str().unwrap(),
        };
        let result =
            ChatTemplate::new(source).and_then(|template| template.render(&input_from(&case["data"])));
        match (&result, case.get("error").and_then(Value::as_str)) {
            (Ok(rendered), None) => {
                check_segments(name, rendered);
                check_budget(name, rendered);
                // Where Jinja in Python and in JavaScript differ, the file holds both; ours is Python's.
                let want = case.get("python_jinja2_target").unwrap_or(&case["target"]).as_str().unwrap();
                if rendered.text != want {
                    faults.push(format!("{name}:\n--- want\n{want}\n--- got\n{}", rendered.text));
                }
            }
            (Err(PromptError::Raised { message }), Some(want)) if message == want => {}
            _ => faults.push(format!("{name}: {result:?}")),
        }
    }
    assert!(faults.is_empty(), "{} of 133 differ:\n{}", faults.len(), faults.join("\n\n"));
}

#[test]
fn conversations_of_two_models() {
    for file in ["public/smollm2_chat.json", "public/qwen25coder_chat.json"] {
        let Some(golden) = golden(file) else { continue };
        let template = ChatTemplate::new(golden["template"].as_str().unwrap()).unwrap();
        let cases = golden["cases"].as_array().unwrap();
        assert!(!cases.is_empty());
        for (i, case) in cases.iter().enumerate() {
            let rendered = template.render(&input_from(case)).unwrap();
            assert_eq!(rendered.text, case["text"].as_str().unwrap(), "{file}, case {i}");
            check_segments(file, &rendered);
            check_budget(file, &rendered);
        }
    }
}

/// A thousand messages and sixty tools, and one message of a megabyte, stay within a quarter as well.
#[test]
fn long_conversations_stay_within_a_quarter() {
    let Some(golden) = golden("public/chat_templates.json") else { return };
    let turn = |role: &str, content: &str| serde_json::json!({ "role": role, "content": content });
    let tool = serde_json::json!({ "type": "function", "function": { "name": "f", "description": "d".repeat(300),
        "parameters": { "type": "object", "properties": { "a": { "type": "string", "description": "x" } } } } });
    for (name, source) in golden["templates"].as_object().unwrap() {
        let template = ChatTemplate::new(source.as_str().unwrap()).unwrap();
        let pair = [turn("user", "How are you?"), turn("assistant", "Well.\n</think>\nThanks.")];
        let many: Vec<Value> = pair.iter().cycle().take(999).cloned().collect();
        let tools = vec![tool.clone(); 60];
        let data = serde_json::json!({ "messages": many, "tools": tools, "add_generation_prompt": true,
            "bos_token": "<bos>" });
        check_budget(name, &template.render(&input_from(&data)).unwrap());
        let long = serde_json::json!({ "messages": [turn("user", &"lorem ipsum ".repeat(90_000))],
            "bos_token": "<bos>" });
        check_budget(name, &template.render(&input_from(&long)).unwrap());
    }
}
