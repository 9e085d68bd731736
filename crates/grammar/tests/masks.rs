//! Allowed tokens against worked numbers, and against every text that a small grammar accepts.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests fail loudly")]

use goldcrest_grammar::{
    Compiler, Grammar, Layout, MonitorConstraint, ToolChoice, ToolFormat, Tools, Vocabulary, is_identifier,
};
use goldcrest_sample::{Constraint, ConstraintError};
use proptest::prelude::*;
use serde_json::json;

/// Pieces, the last of which ends a text.
fn vocabulary(pieces: &[&str]) -> Vocabulary {
    let bytes: Vec<&[u8]> = pieces.iter().map(|piece| piece.as_bytes()).collect();
    Vocabulary::from_pieces(&bytes, &[pieces.len() as u32 - 1]).unwrap()
}

fn compile(vocabulary: &Vocabulary, grammar: Grammar) -> Box<dyn Constraint> {
    Box::new(Compiler::new(vocabulary).unwrap().compile(&grammar).unwrap())
}

/// Writes a text with the fewest tokens of `pieces`, from the left.
fn write(constraint: &mut dyn Constraint, pieces: &[&str], mut text: &str) {
    while !text.is_empty() {
        let fits = |(_, piece): &(usize, &&str)| text.starts_with(**piece);
        let (id, piece) = pieces.iter().enumerate().filter(fits).max_by_key(|(_, p)| p.len()).unwrap();
        constraint.commit(id as u32).unwrap();
        text = &text[piece.len()..];
    }
}

fn allowed<'a>(constraint: &mut dyn Constraint, pieces: &[&'a str]) -> Vec<&'a str> {
    let mut names: Vec<&str> = constraint.mask().unwrap().iter().map(|id| pieces[id as usize]).collect();
    names.sort_unstable();
    names
}

#[test]
fn an_object_with_one_integer() {
    let pieces = ["{", "}", "\"", "a", "\":", "{\"", "{\"a\":", "-", "0", "1", "10", "1}", "<eos>"];
    let vocabulary = vocabulary(&pieces);
    let schema = json!({
        "type": "object", "properties": { "a": { "type": "integer" } },
        "required": ["a"], "additionalProperties": false,
    });
    // `mask.json` of the worked numbers.
    for (text, expected) in [
        ("", vec!["{", "{\"", "{\"a\":"]),
        ("{", vec!["\""]),
        ("{\"", vec!["a"]),
        ("{\"a", vec!["\"", "\":"]),
        ("{\"a\":", vec!["-", "0", "1", "10", "1}"]),
        ("{\"a\":-", vec!["0", "1", "10", "1}"]),
        ("{\"a\":0", vec!["}"]),
        ("{\"a\":1", vec!["0", "1", "10", "1}", "}"]),
        ("{\"a\":1}", vec!["<eos>"]),
    ] {
        let grammar = Grammar::JsonSchema { schema: schema.clone(), layout: Layout::Compact };
        let mut constraint = compile(&vocabulary, grammar);
        write(constraint.as_mut(), &pieces, text);
        let mut expected = expected;
        expected.sort_unstable();
        assert_eq!(allowed(constraint.as_mut(), &pieces), expected, "behind {text:?}");
        assert_eq!(constraint.is_over(), text.ends_with('}'));
    }
}

#[test]
fn two_or_three_digits() {
    let pieces = ["a", "1", "2", "3", "12", "123", "b", "<eos>"];
    let vocabulary = vocabulary(&pieces);
    for (text, expected) in [
        ("", vec!["a"]),
        ("a1", vec!["1", "12", "2", "3"]),
        ("a12", vec!["1", "2", "3", "<eos>"]),
        ("a123", vec!["<eos>"]),
    ] {
        let grammar = Grammar::Gbnf("root ::= \"a\" [0-9]{2,3}".to_owned());
        let mut constraint = compile(&vocabulary, grammar);
        for piece in text.split("").filter(|c| !c.is_empty()) {
            let id = pieces.iter().position(|p| *p == piece).unwrap();
            constraint.commit(id as u32).unwrap();
        }
        assert_eq!(allowed(constraint.as_mut(), &pieces), expected, "behind {text:?}");
    }
}

const PIECES: [&str; 12] = ["a", "b", "ab", "ba", "aab", "(", ")", "((", "))", "é", ",", "<eos>"];

/// Grammars, the characters of their texts, and whether a text belongs to them.
type Language = (&'static str, &'static str, fn(&str) -> bool);

fn balanced(text: &str) -> bool {
    let mut depth = 0i32;
    let rises = |c| {
        depth += if c == '(' { 1 } else { -1 };
        depth >= 0
    };
    text.chars().all(|c| "()".contains(c)) && text.chars().all(rises) && depth == 0
}

fn list(text: &str) -> bool {
    text.split(',').all(|item| ["a", "ab", "é"].contains(&item))
}

const LANGUAGES: [Language; 6] = [
    ("root ::= \"a\"* \"b\"", "ab", |t| t.strip_suffix('b').is_some_and(|t| t.chars().all(|c| c == 'a'))),
    ("root ::= \"ab\" | \"a\" \"bb\" | \"\"", "ab", |t| ["ab", "abb", ""].contains(&t)),
    ("root ::= pair*\npair ::= \"(\" root \")\"", "()", balanced),
    ("root ::= item (\",\" item)*\nitem ::= \"a\" \"b\"? | \"é\"", "abé,", list),
    ("root ::= \"a\" root \"b\" | \"ab\"", "ab", |t| {
        let n = t.chars().take_while(|c| *c == 'a').count();
        n > 0 && t == "a".repeat(n) + &"b".repeat(n)
    }),
    ("root ::= [^b(),]{1,3}", "aé", |t| {
        (1..=3).contains(&t.chars().count()) && !t.contains(['b', '(', ')', ','])
    }),
];

/// Whether some text of the language begins with `prefix`, by trying all short ones.
fn begins(language: fn(&str) -> bool, alphabet: &str, prefix: &str, most: usize) -> bool {
    let mut level = vec![prefix.to_owned()];
    for _ in 0..=most {
        if level.iter().any(|text| language(text)) {
            return true;
        }
        level = level.iter().flat_map(|text| alphabet.chars().map(move |c| format!("{text}{c}"))).collect();
    }
    false
}

#[test]
fn a_token_is_allowed_if_and_only_if_a_text_goes_on_with_it() {
    let vocabulary = vocabulary(&PIECES);
    for (grammar, alphabet, language) in LANGUAGES {
        let mut todo = vec![(compile(&vocabulary, Grammar::Gbnf(grammar.to_owned())), String::new())];
        let mut seen = 0;
        while let Some((mut constraint, text)) = todo.pop() {
            seen += 1;
            let mask = constraint.mask().unwrap();
            assert_eq!(constraint.is_accepting().unwrap(), language(&text), "{grammar}: {text:?}");
            assert_eq!(mask.contains(11), language(&text), "{grammar}: end behind {text:?}");
            for (id, piece) in PIECES[..11].iter().enumerate() {
                let next = format!("{text}{piece}");
                let expected = begins(language, alphabet, &next, 6);
                assert_eq!(mask.contains(id as u32), expected, "{grammar}: {piece:?} behind {text:?}");
                if expected && next.chars().count() <= 3 {
                    let mut further = constraint.fork();
                    further.commit(id as u32).unwrap();
                    todo.push((further, next));
                } else if !expected {
                    let refused = ConstraintError::Refused { token: id as u32, at: 0 };
                    let found = constraint.fork().commit(id as u32).unwrap_err();
                    assert_eq!(std::mem::discriminant(&found), std::mem::discriminant(&refused));
                }
            }
        }
        assert!(seen > 3, "{grammar}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(64) })]

    /// Random walks: what is taken back leaves no trace, forks go their own way, refused tokens change nothing.
    #[test]
    fn commit_and_rollback_cancel(which in 0..LANGUAGES.len(), choices in prop::collection::vec((any::<u16>(), 0..4usize), 1..12)) {
        let vocabulary = vocabulary(&PIECES);
        let mut constraint = compile(&vocabulary, Grammar::Gbnf(LANGUAGES[which].0.to_owned()));
        for (pick, back) in choices {
            let before = constraint.mask().unwrap();
            let mut fork = constraint.fork();
            let mut taken = 0;
            for step in 0..back {
                let mask = fork.mask().unwrap();
                let tokens: Vec<u32> = mask.iter().filter(|id| *id != 11).collect();
                let Some(token) = tokens.get((pick as usize + step) % tokens.len().max(1)) else { break };
                fork.commit(*token).unwrap();
                taken += 1;
            }
            prop_assert_eq!(constraint.mask().unwrap(), before.clone(), "a fork shows in its origin");
            fork.rollback(taken).unwrap();
            prop_assert_eq!(fork.mask().unwrap(), before.clone());
            prop_assert!(fork.rollback(1000).is_err());
            let tokens: Vec<u32> = before.iter().filter(|id| *id != 11).collect();
            let Some(token) = tokens.get(pick as usize % tokens.len().max(1)) else { break };
            constraint.commit(*token).unwrap();
        }
    }
}

#[test]
fn tools_are_called_as_the_model_writes_them() {
    let pieces: Vec<Vec<u8>> = (0..=255).map(|byte| vec![byte]).chain([b"<eos>".to_vec()]).collect();
    let pieces: Vec<&[u8]> = pieces.iter().map(Vec::as_slice).collect();
    let compiler = Compiler::new(&Vocabulary::from_pieces(&pieces, &[256]).unwrap()).unwrap();
    let city = json!({ "type": "object", "properties": { "city": { "$ref": "#/$defs/city" } }, "required": ["city"],
        "additionalProperties": false, "$defs": { "city": { "enum": ["Rome", "Oslo"] } } });
    let tools = json!([
        { "type": "function", "function": { "name": "weather", "parameters": city } },
        { "type": "function", "function": { "name": "time" } },
    ]);
    let accepts = |format, choice: &ToolChoice, parallel, text: &str| {
        let given = Tools { tools: tools.clone(), format, choice: choice.clone(), parallel };
        let mut constraint = compiler.compile(&Grammar::Tools(given)).unwrap();
        text.bytes().all(|byte| constraint.commit(byte.into()).is_ok()) && constraint.is_accepting().unwrap()
    };
    let rome = "<tool_call>\n{\"name\": \"weather\", \"arguments\": {\"city\": \"Rome\"}}\n</tool_call>";
    let time = "<tool_call>\n{\"name\": \"time\", \"arguments\": {}}\n</tool_call>";
    let paris = rome.replace("Rome", "Paris");
    let (hermes, named) = (ToolFormat::Hermes, ToolChoice::Named("time".to_owned()));
    for (choice, parallel, text, expected) in [
        (&ToolChoice::Required, true, rome, true),
        (&ToolChoice::Required, true, paris.as_str(), false),
        (&ToolChoice::Required, true, "It rains.", false),
        (&ToolChoice::Required, true, &format!("{rome}\n{time}"), true),
        (&ToolChoice::Required, false, &format!("{rome}\n{time}"), false),
        (&named, false, time, true),
        (&named, false, rome, false),
        (&ToolChoice::Auto, true, "It rains < here.", true),
        (&ToolChoice::Auto, true, &format!("Let me see.\n{rome}\n{time}"), true),
        (&ToolChoice::Auto, true, &format!("Let me see. {paris}"), false),
        (&ToolChoice::Auto, true, "Let me see. <tool_call>", false),
        (&ToolChoice::Auto, false, rome, true),
    ] {
        assert_eq!(accepts(hermes, choice, parallel, text), expected, "{choice:?}: {text}");
    }
    let llama = "{\"name\": \"weather\", \"parameters\": {\"city\": \"Oslo\"}}";
    for (format, choice, text, expected) in [
        (ToolFormat::Llama3, &ToolChoice::Required, llama, true),
        (ToolFormat::Llama3, &ToolChoice::Auto, llama, true),
        (ToolFormat::Llama3, &ToolChoice::Auto, "It rains.", true),
        (ToolFormat::Llama3, &ToolChoice::Auto, "{\"name\": 1}", false),
        (ToolFormat::Json, &ToolChoice::Required, llama, false),
        (ToolFormat::Json, &ToolChoice::Required, &llama.replace("parameters", "arguments"), true),
    ] {
        assert_eq!(accepts(format, choice, true, text), expected, "{format:?} {choice:?}: {text}");
    }
    for (tools, choice) in [
        (tools.clone(), ToolChoice::Named("x".to_owned())),
        (json!([]), ToolChoice::Auto),
        (json!([{}]), ToolChoice::Auto),
    ] {
        let given = Tools { tools, format: hermes, choice, parallel: true };
        assert!(compiler.compile(&Grammar::Tools(given)).is_err());
    }
}

fn members(text: &str, _: &[u32]) -> Option<Vec<String>> {
    text.ends_with('.').then(|| ["name", "nameLen", "next"].map(str::to_owned).to_vec())
}

#[test]
fn a_monitor_allows_members_only() {
    let pieces = [
        "n", "na", "name", "names", "name(", "ne", "next;", "x", "nameLen ", "Len", "; ", "(", "node.",
        "<eos>",
    ];
    let vocabulary = vocabulary(&pieces);
    let mut monitor = MonitorConstraint::new(&vocabulary, Box::new(members));
    assert_eq!(monitor.mask().unwrap().count(), pieces.len(), "nothing to complete");
    monitor.commit(12).unwrap();
    // `monitor` of the worked numbers.
    assert_eq!(allowed(&mut monitor, &pieces), ["n", "na", "name", "name(", "nameLen ", "ne", "next;"]);
    let mut done = monitor.fork();
    done.commit(4).unwrap();
    assert_eq!(done.mask().unwrap().count(), pieces.len(), "behind the break everything may come");
    monitor.commit(2).unwrap();
    // A break ends `name`; the end of the text does, too.
    assert_eq!(allowed(&mut monitor, &pieces), ["(", "; ", "<eos>", "Len"]);
    assert!(monitor.is_accepting().unwrap() && !monitor.is_over());
    assert_eq!(monitor.commit(7), Err(ConstraintError::Refused { token: 7, at: 2 }));
    monitor.rollback(1).unwrap();
    assert_eq!(allowed(&mut monitor, &pieces).len(), 7);
    monitor.rollback(1).unwrap();
    assert_eq!(monitor.mask().unwrap().count(), pieces.len());
    assert!(is_identifier('é') && is_identifier('_') && !is_identifier('.'));
}

#[test]
fn a_monitor_that_knows_no_word_or_none_that_can_be_written() {
    let pieces = ["a", ".", "<eos>"];
    let vocabulary = vocabulary(&pieces);
    let nothing = |text: &str, _: &[u32]| text.ends_with('.').then(Vec::new);
    let mut monitor = MonitorConstraint::new(&vocabulary, Box::new(nothing));
    monitor.commit(1).unwrap();
    assert_eq!(monitor.mask().unwrap().count(), 3, "an empty list is no dead end");
    let strange = |_: &str, _: &[u32]| Some(vec!["z".to_owned()]);
    let mut monitor = MonitorConstraint::new(&vocabulary, Box::new(strange));
    assert_eq!(monitor.mask(), Err(ConstraintError::Stuck { at: 0 }));
}
