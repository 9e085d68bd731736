//! Schemas: the official test suite, 60 real ones, hostile ones. No instance that a schema refuses may pass, whatever else.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests fail loudly")]

use std::collections::BTreeMap;
use std::path::Path;
use std::time::{Duration, Instant};

use goldcrest_grammar::{Compiler, Grammar, GrammarError, Layout, Vocabulary};
use goldcrest_sample::Constraint;
use serde_json::{Value, json};

/// Every byte is a token, token 256 ends the text.
fn bytes() -> Compiler {
    let pieces: Vec<Vec<u8>> = (0..=255).map(|byte| vec![byte]).chain([b"<eos>".to_vec()]).collect();
    let pieces: Vec<&[u8]> = pieces.iter().map(Vec::as_slice).collect();
    Compiler::new(&Vocabulary::from_pieces(&pieces, &[256]).unwrap()).unwrap()
}

fn schema(schema: &Value) -> Grammar {
    Grammar::JsonSchema { schema: schema.clone(), layout: Layout::Spaced }
}

/// JSON as [`Layout::Spaced`] has it.
fn spaced(value: &Value) -> String {
    match value {
        Value::Array(items) => format!("[{}]", items.iter().map(spaced).collect::<Vec<_>>().join(", ")),
        Value::Object(map) => {
            let pairs =
                map.iter().map(|(key, value)| format!("{}: {}", Value::from(key.as_str()), spaced(value)));
            format!("{{{}}}", pairs.collect::<Vec<_>>().join(", "))
        }
        other => other.to_string(),
    }
}

fn accepts(constraint: &dyn Constraint, text: &str) -> bool {
    let mut at = constraint.fork();
    text.bytes().all(|byte| at.commit(byte.into()).is_ok()) && at.is_accepting().unwrap()
}

/// What came of some instances.
#[derive(Debug, Default, PartialEq, Eq)]
struct Counts {
    compiled: usize,
    refused: usize,
    valid_accepted: usize,
    valid_refused: usize,
    invalid_refused: usize,
    invalid_accepted: usize,
}

impl Counts {
    fn schema(&mut self, compiler: &Compiler, given: &Value, name: &str) -> Option<Box<dyn Constraint>> {
        match compiler.compile(&schema(given)) {
            Ok(constraint) => {
                self.compiled += 1;
                Some(Box::new(constraint))
            }
            Err(error) => {
                // A schema that nothing satisfies has no place of its own.
                let named = match &error {
                    GrammarError::SchemaUnsupported { keyword, path, .. } => {
                        !keyword.is_empty() && path.starts_with('#')
                    }
                    GrammarError::SchemaInvalid { path, .. } => path.starts_with('#'),
                    GrammarError::Unsatisfiable { .. } => true,
                    _ => false,
                };
                assert!(named, "{name}: refused without keyword and path: {error}");
                self.refused += 1;
                None
            }
        }
    }

    fn instance(&mut self, constraint: &dyn Constraint, data: &Value, valid: bool, name: &str) {
        match (valid, accepts(constraint, &spaced(data))) {
            (true, true) => self.valid_accepted += 1,
            (true, false) => self.valid_refused += 1,
            (false, false) => self.invalid_refused += 1,
            (false, true) => {
                println!("{name}: accepted although invalid: {data}");
                self.invalid_accepted += 1;
            }
        }
    }

    /// More may be compiled and accepted than the baseline has, never less, and nothing that is invalid.
    fn hold(&self, name: &str) {
        let text = std::fs::read_to_string(data("baseline.json")).unwrap();
        let all: Value = serde_json::from_str(&text).unwrap();
        let least = |key: &str| all[name][key].as_u64().expect(key) as usize;
        println!("{name}: {self:?}");
        assert_eq!(self.invalid_accepted, 0, "{name}: {self:?}");
        assert!(self.compiled >= least("compiled"), "{name}: {self:?}");
        assert!(self.valid_accepted >= least("valid_accepted"), "{name}: {self:?}");
    }
}

fn data(name: &str) -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data").join(name)
}

#[test]
fn the_official_suite() {
    let text = std::fs::read_to_string(data("json-schema-suite.json")).unwrap();
    let files: BTreeMap<String, Vec<Value>> = serde_json::from_str(&text).unwrap();
    let (compiler, mut counts) = (bytes(), Counts::default());
    for (file, groups) in &files {
        for group in groups {
            let name = format!("{file}: {}", group["description"]);
            let Some(constraint) = counts.schema(&compiler, &group["schema"], &name) else { continue };
            for test in group["tests"].as_array().unwrap() {
                let valid = test["valid"].as_bool().unwrap();
                counts.instance(constraint.as_ref(), &test["data"], valid, &name);
            }
        }
    }
    counts.hold("suite");
}

#[test]
fn sixty_real_schemas() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let places = ["tests/golden", "../shared/golden"]
        .map(|dir| root.join(dir).join("public/jsonschemabench_60.jsonl"));
    let Some(path) = places.into_iter().find(|path| path.exists()) else {
        println!("skip: no jsonschemabench_60.jsonl");
        return;
    };
    let (compiler, mut counts, mut slowest) = (bytes(), Counts::default(), Duration::ZERO);
    for line in std::fs::read_to_string(path).unwrap().lines() {
        let case: Value = serde_json::from_str(line).unwrap();
        let name = case["id"].as_str().unwrap();
        let started = Instant::now();
        let compiled = counts.schema(&compiler, &case["schema"], name);
        slowest = slowest.max(started.elapsed());
        let Some(constraint) = compiled else { continue };
        for test in case["tests"].as_array().unwrap() {
            counts.instance(constraint.as_ref(), &test["data"], test["valid"] == true, name);
        }
    }
    assert_eq!(counts.compiled + counts.refused, 60);
    println!("slowest to compile: {slowest:?}");
    counts.hold("jsonschemabench");
}

#[test]
fn what_cannot_be_enforced_is_refused_with_keyword_and_place() {
    let compiler = bytes();
    let deep = |inner: Value| json!({ "properties": { "a/b": { "items": inner } } });
    for (given, keyword, place) in [
        (json!({ "not": { "type": "null" } }), "not", "not"),
        (json!({ "if": {}, "then": {} }), "if", "if"),
        (json!({ "type": "array", "contains": { "type": "null" } }), "contains", "contains"),
        (json!({ "uniqueItems": true }), "uniqueItems", "uniqueItems"),
        (json!({ "dependentRequired": { "a": ["b"] } }), "dependentRequired", "dependentRequired"),
        (json!({ "unevaluatedProperties": false }), "unevaluatedProperties", "unevaluatedProperties"),
        (json!({ "propertyNames": { "maxLength": 3 } }), "propertyNames", "propertyNames"),
        (json!({ "$dynamicRef": "#a" }), "$dynamicRef", "$dynamicRef"),
        (json!({ "oneOf": [{ "type": "integer" }, { "type": "number" }] }), "oneOf", "oneOf"),
        (json!({ "type": "string", "format": "idn-email" }), "format", "format"),
        (json!({ "type": "string", "pattern": "a(?!b)" }), "pattern", "pattern"),
        (json!({ "type": "string", "pattern": "(" }), "pattern", "pattern"),
        (json!({ "patternProperties": { "(?=a)": {} } }), "patternProperties", "patternProperties"),
        (json!({ "$ref": "other.json" }), "$ref", "$ref"),
        (json!({ "$ref": "#/$defs/none" }), "$ref", "$ref"),
        (json!({ "minProperties": 2 }), "minProperties", "minProperties"),
        (json!({ "maxLength": u64::MAX }), "maxLength", "maxLength"),
        (json!({ "maxItems": 1_000_000 }), "maxItems", "maxItems"),
        (json!({ "enum": ["a\u{0}b"] }), "enum", "enum"),
        (json!({ "const": 9_007_199_254_740_993u64 }), "const", "const"),
    ] {
        let error = compiler.compile(&schema(&deep(given.clone()))).unwrap_err();
        let GrammarError::SchemaUnsupported { keyword: found, path, .. } = &error else {
            panic!("{given}: {error}");
        };
        assert_eq!(
            (found.as_str(), path.as_str()),
            (keyword, format!("#/properties/a~1b/items/{place}").as_str())
        );
    }
    for (given, place) in [
        (json!({ "properties": [] }), "#/properties/a~1b/items"),
        (json!({ "anyOf": {} }), "#/properties/a~1b/items"),
        (json!({ "minItems": -1 }), "#/properties/a~1b/items"),
        // A list is the old form of `items`, and its entries are schemas.
        (json!(["string"]), "#/properties/a~1b/items/0"),
    ] {
        match compiler.compile(&schema(&deep(given.clone()))).unwrap_err() {
            GrammarError::SchemaInvalid { path, .. } => assert_eq!(path, place, "{given}"),
            other => panic!("{given}: {other}"),
        }
    }
    let inner =
        json!({ "properties": { "a": { "$id": "http://x/y", "$ref": "#/$defs/b" } }, "$defs": { "b": {} } });
    let error = compiler.compile(&schema(&inner)).unwrap_err().to_string();
    assert!(error.contains("`$id` at #/properties/a/$id"), "{error}");
    for never in [json!(false), json!({ "type": "string", "minLength": 3, "maxLength": 2 })] {
        assert!(
            matches!(compiler.compile(&schema(&never)), Err(GrammarError::Unsatisfiable { .. })),
            "{never}"
        );
    }
}

#[test]
fn keywords_that_forbid_nothing_are_no_obstacle() {
    let compiler = bytes();
    for given in [
        json!(true),
        json!({ "uniqueItems": false, "propertyNames": {}, "dependencies": {}, "unevaluatedItems": true }),
        json!({ "x-guidance": { "whitespace_flexible": true }, "x-order": 1 }),
        json!({ "type": "integer", "format": "int32" }),
    ] {
        let constraint = compiler.compile(&schema(&given)).unwrap();
        assert!(accepts(&constraint, "12") && !accepts(&constraint, " 12"), "{given}");
    }
}

#[test]
fn references_with_escapes_and_recursion() {
    let compiler = bytes();
    let tree = json!({
        "$ref": "#/$defs/a~1%62",
        "$defs": { "a/b": {
            "type": "object",
            "properties": { "left": { "$ref": "#/$defs/a~1b" }, "n": { "type": "integer" } },
            "required": ["n"], "additionalProperties": false,
        } },
    });
    let constraint = compiler.compile(&schema(&tree)).unwrap();
    assert!(accepts(&constraint, "{\"left\": {\"left\": {\"n\": 1}, \"n\": 2}, \"n\": 3}"));
    assert!(!accepts(&constraint, "{\"left\": {\"left\": {}, \"n\": 2}, \"n\": 3}"));
}

#[test]
fn formats_are_exact() {
    let compiler = bytes();
    for (format, right, wrong) in [
        (
            "date",
            vec!["2024-02-29", "2000-02-29", "1999-12-31"],
            vec!["2023-02-29", "1900-02-29", "2024-04-31"],
        ),
        ("time", vec!["23:59:59Z", "00:00:00.123+05:30"], vec!["24:00:00Z", "12:00:60Z", "12:00:00"]),
        ("date-time", vec!["2024-02-29T12:00:00Z"], vec!["2024-02-29 12:00:00Z", "2023-02-29T12:00:00Z"]),
        (
            "ipv6",
            vec!["::", "::1", "1::", "1:2:3:4:5:6:7:8", "fe80::a:b"],
            vec!["1::2::3", "1:2:3:4:5:6:7", ":1"],
        ),
        ("email", vec!["a.b@example.org"], vec!["a@", "@b", "a b@c"]),
        ("uuid", vec!["2eb8aa08-aa98-11ea-b4aa-73b441d16380"], vec!["2eb8aa08aa9811eab4aa73b441d16380"]),
    ] {
        let constraint = compiler.compile(&schema(&json!({ "type": "string", "format": format }))).unwrap();
        for (texts, expected) in [(right, true), (wrong, false)] {
            for text in texts {
                assert_eq!(accepts(&constraint, &format!("\"{text}\"")), expected, "{format}: {text}");
            }
        }
    }
    let both = json!({ "type": "string", "format": "date", "pattern": "^2" });
    let constraint = compiler.compile(&schema(&both)).unwrap();
    assert!(accepts(&constraint, "\"2024-01-01\"") && !accepts(&constraint, "\"1999-01-01\""));
}

/// A key spelt with escapes, or a second time, must not pass by what the schema says of it.
#[test]
fn declared_keys_cannot_be_written_otherwise() {
    let given = json!({
        "type": "object", "properties": { "a": { "type": "integer" } },
        "additionalProperties": { "type": "string" },
    });
    let constraint = bytes().compile(&schema(&given)).unwrap();
    assert!(accepts(&constraint, "{\"a\": 1, \"b\": \"x\"}"));
    assert!(!accepts(&constraint, "{\"\\u0061\": \"x\"}"));
    assert!(!accepts(&constraint, "{\"a\": 1, \"a\": \"x\"}"));
}

#[test]
fn a_schema_within_a_grammar_is_as_strict() {
    let compiler = bytes();
    let lark = |schema: &str| Grammar::Lark(format!("start: \"<\" json \">\"\njson: %json {schema}\n"));
    let constraint = compiler.compile(&lark("{\"enum\": [[1, 2]]}")).unwrap();
    assert!(accepts(&constraint, "<[1, 2]>") && !accepts(&constraint, "<[1,2]>"));
    let error = compiler.compile(&lark("{\"not\": {}}")).unwrap_err();
    assert!(matches!(error, GrammarError::SchemaUnsupported { .. }), "{error}");
}

/// On a stack of 512 KiB, as a worker may have; every one ends soon, in an error or in bounded work.
#[test]
fn hostile_input_ends_in_errors() {
    let hostile = || {
        let compiler = bytes();
        let nested = |n: usize| (0..n).fold(json!({}), |inner, _| json!({ "items": inner }));
        let long = "a".repeat(600_000);
        let wide: serde_json::Map<String, Value> =
            (0..30_000).map(|i| (format!("p{i}"), json!({}))).collect();
        let refused = [
            schema(&nested(60)),
            schema(&json!({ "const": long })),
            schema(&json!({ "properties": wide })),
            schema(&json!({ "$ref": "#" })),
            schema(
                &json!({ "$defs": { "a": { "$ref": "#/$defs/b" }, "b": { "$ref": "#/$defs/a" } }, "$ref": "#/$defs/a" }),
            ),
            schema(&json!({ "type": "array", "minItems": u64::MAX })),
            schema(&json!({ "type": "string", "pattern": "(".repeat(100_000) })),
            Grammar::Regex("(".repeat(100_000)),
            Grammar::Regex("a".repeat(100_000)),
            Grammar::Regex("(a|".to_owned()),
            Grammar::Lark("(".repeat(100_000)),
            Grammar::Lark("start: start2".to_owned()),
            Grammar::Lark(String::new()),
            Grammar::Gbnf("root ::= root".to_owned()),
            Grammar::Gbnf(String::new()),
        ];
        for grammar in refused {
            let started = Instant::now();
            let named: String = format!("{grammar:?}").chars().take(80).collect();
            let compiled = compiler.compile(&grammar);
            let stuck = compiled.map(|mut constraint| constraint.mask());
            assert!(matches!(stuck, Err(_) | Ok(Err(_))), "{named}");
            assert!(started.elapsed() < Duration::from_secs(2), "{named}: {:?}", started.elapsed());
        }
        let heavy = [
            Grammar::Regex("((a{1000}){1000})".to_owned()),
            Grammar::Regex("(.*a.*){40}b{2000}".to_owned()),
            Grammar::Regex("([a-z]*[0-9]){90,100}.{300}".to_owned()),
            Grammar::Lark("start: \"a\" start\n".to_owned()),
            Grammar::Lark("start: a a a a\na: a? \"x\"? a? \"y\"?\n".to_owned()),
            schema(
                &json!({ "type": "array", "items": { "type": "array", "minItems": 90_000 }, "minItems": 90_000 }),
            ),
        ];
        for grammar in heavy {
            let started = Instant::now();
            let named = format!("{grammar:?}");
            if let Ok(mut constraint) = compiler.compile(&grammar) {
                for _ in 0..50 {
                    let Ok(mask) = constraint.mask() else { break };
                    let Some(token) = mask.iter().find(|token| *token != 256) else { break };
                    constraint.commit(token).unwrap();
                }
            }
            println!("{named}: {:?}", started.elapsed());
            assert!(started.elapsed() < Duration::from_secs(10), "{named}: {:?}", started.elapsed());
        }
    };
    std::thread::Builder::new().stack_size(512 * 1024).spawn(hostile).unwrap().join().unwrap();
}
