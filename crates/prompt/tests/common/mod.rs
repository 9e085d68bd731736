//! Golden files and inputs shared by the test programs.
#![allow(dead_code, reason = "each test program uses a part")]

use std::path::Path;

use goldcrest_prompt::{LocalTime, RenderInput};
use serde_json::{Map, Value};

/// A golden file of the repository or of the folder beside it; says so when it is in neither.
pub(crate) fn golden(name: &str) -> Option<Value> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let places = [root.join("tests/golden").join(name), root.join("../shared/golden").join(name)];
    match places.iter().find_map(|place| std::fs::read_to_string(place).ok()) {
        Some(text) => Some(serde_json::from_str(&text).expect("golden files are JSON")),
        None => {
            println!("skip: golden file {name} is not here");
            None
        }
    }
}

/// The engine's names into their fields, everything else into `extra`.
pub(crate) fn input_from(data: &Value) -> RenderInput {
    let mut extra: Map<String, Value> = data.as_object().expect("an object").clone();
    for known in ["text", "ids"] {
        extra.remove(known);
    }
    let mut text = |name: &str| extra.remove(name).and_then(|value| value.as_str().map(str::to_owned));
    let (bos_token, eos_token) = (text("bos_token"), text("eos_token"));
    RenderInput {
        messages: extra.remove("messages").expect("messages"),
        tools: extra.remove("tools"),
        documents: extra.remove("documents"),
        add_generation_prompt: extra.remove("add_generation_prompt").is_some_and(|flag| flag == true),
        bos_token,
        eos_token,
        extra,
        now: Some(LocalTime { year: 2026, month: 1, day: 2, hour: 3, minute: 4, second: 5 }),
    }
}
