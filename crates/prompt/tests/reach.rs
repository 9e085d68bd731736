//! What templates can reach: the lists of names are complete, and callers cannot take over the engine's names.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests fail loudly")]

mod common;

use common::input_from;
use goldcrest_prompt::{ChatTemplate, PromptError, RESERVED_NAMES, RenderInput, allowed};
use serde_json::{Map, json};

fn render(source: &str) -> Result<String, PromptError> {
    let input = input_from(&json!({ "messages": [{ "role": "user", "content": "x" }] }));
    ChatTemplate::new(source)?.render(&input).map(|rendered| rendered.text)
}

/// Changing what templates can name is a decision about security: it has to change this test as well.
#[test]
fn the_lists_are_what_was_reviewed() {
    assert_eq!(allowed::FUNCTIONS, ["dict", "namespace", "raise_exception", "range", "strftime_now"]);
    assert_eq!(
        allowed::FILTERS.join(" "),
        "abs attr capitalize center count d default dictsort e escape first float format indent int items join last \
         length list lower map max min reject rejectattr replace reverse round safe select selectattr sort string \
         sum title tojson trim unique upper"
    );
    assert_eq!(
        allowed::TESTS.join(" "),
        "!= < <= == > >= boolean callable defined divisibleby eq equalto even false float ge greaterthan gt in \
         integer iterable le lessthan lower lt mapping ne none number odd sameas sequence string true undefined \
         upper filter test"
    );
    assert_eq!(
        allowed::STRING_METHODS.join(" "),
        "capitalize count endswith find format index isalnum isalpha isascii isdigit islower isnumeric isspace \
         isupper join lower lstrip removeprefix removesuffix replace rfind rsplit rstrip split splitlines startswith \
         strip title upper"
    );
    assert_eq!(allowed::DICT_METHODS, ["copy", "get", "items", "keys", "values"]);
    assert_eq!(allowed::LIST_METHODS, ["copy", "count", "index"]);
}

#[test]
fn listed_names_exist_and_no_others() {
    for filter in allowed::FILTERS {
        let result = render(&format!("{{{{ messages | {filter} }}}}"));
        assert!(!matches!(result, Err(PromptError::Unsupported { .. })), "{filter}: {result:?}");
    }
    for test in allowed::TESTS.iter().filter(|test| test.starts_with(char::is_alphabetic)) {
        let result = render(&format!("{{{{ 'x' is {test} }}}}{{{{ 'x' is {test}('y') }}}}"));
        assert!(!matches!(result, Err(PromptError::Unsupported { .. })), "{test}: {result:?}");
    }
    for filter in
        ["random", "pprint", "urlize", "filesizeformat", "xmlattr", "forceescape", "groupby", "batch"]
    {
        let result = render(&format!("{{{{ messages | {filter} }}}}"));
        assert!(matches!(result, Err(PromptError::Unsupported { .. })), "{filter}: {result:?}");
    }
    for name in
        ["lipsum", "cycler", "joiner", "open", "eval", "exec", "__import__", "os", "env", "debug", "self"]
    {
        assert_eq!(render(&format!("{{{{ {name} is defined }}}}")).unwrap(), "False", "{name}");
        assert!(render(&format!("{{{{ {name}() }}}}")).is_err(), "{name}");
    }
    for (target, names) in [
        ("'x'", &allowed::STRING_METHODS[..]),
        ("{'x': 1}", &allowed::DICT_METHODS[..]),
        ("[1]", &allowed::LIST_METHODS[..]),
    ] {
        for name in names {
            match render(&format!("{{{{ {target}.{name}() }}}}")) {
                Err(PromptError::Evaluation { message }) => {
                    assert!(!message.contains("no attribute"), "{name}: {message}");
                }
                result => assert!(result.is_ok(), "{name}: {result:?}"),
            }
        }
        for name in
            ["__class__", "__init__", "mro", "encode", "translate", "format_map", "append", "pop", "update"]
        {
            assert!(render(&format!("{{{{ {target}.{name}() }}}}")).is_err(), "{target}.{name}");
        }
    }
}

#[test]
fn the_clock_is_not_read() {
    let template = ChatTemplate::new("{{ strftime_now is defined }}").unwrap();
    let input = RenderInput { messages: json!([]), ..RenderInput::default() };
    assert_eq!(template.render(&input).unwrap().text, "False");
}

#[test]
fn parameters_cannot_take_the_engines_names() {
    let template = ChatTemplate::new("{{ add_generation_prompt }}{{ enable_thinking }}").unwrap();
    let with = |name: &str| {
        let extra: Map<_, _> = [(name.to_owned(), json!("mine"))].into_iter().collect();
        template.render(&RenderInput { messages: json!([]), extra, ..RenderInput::default() })
    };
    assert_eq!(with("enable_thinking").unwrap().text, "Falsemine");
    for name in RESERVED_NAMES.iter().chain(&allowed::FUNCTIONS) {
        assert_eq!(with(name), Err(PromptError::ReservedName { name: (*name).to_owned() }));
    }
}

#[test]
fn inputs_of_the_wrong_kind_are_refused() {
    let template = ChatTemplate::new("x").unwrap();
    let refused = |input: RenderInput| template.render(&input).unwrap_err();
    for wrong in [json!({}), json!("x"), json!(1)] {
        let messages = RenderInput { messages: wrong.clone(), ..RenderInput::default() };
        assert_eq!(refused(messages), PromptError::NotAList { name: "messages" });
        let tools = RenderInput { tools: Some(wrong.clone()), ..RenderInput::default() };
        assert_eq!(refused(tools), PromptError::NotAList { name: "tools" });
        let documents = RenderInput { documents: Some(wrong), ..RenderInput::default() };
        assert_eq!(refused(documents), PromptError::NotAList { name: "documents" });
    }
    let mut deep = json!([]);
    for _ in 0..120 {
        deep = json!([deep]);
    }
    let deep = RenderInput { messages: deep, ..RenderInput::default() };
    assert!(matches!(refused(deep), PromptError::TooDeep { .. }));
}
