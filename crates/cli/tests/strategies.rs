//! `run --strategy` and `strategies` as processes: the same tokens as plain decoding where a strategy is neutral, the
//! report, a scorer that is a program, and what is refused.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests fail loudly")]

mod process;

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::sync::{Arc, Mutex};

use process::{json, refused, run, text, tiny};

const HELLO: [&str; 8] = ["--raw", "-p", "Hello world", "-n", "12", "--ignore-eos", "--adapter", "cpu"];

fn hello<'a>(path: &'a str, more: &[&'a str]) -> Vec<&'a str> {
    [&["run", "-m", path], &HELLO[..], more].concat()
}

#[test]
fn every_strategy_is_listed() {
    let listed = json(&["strategies"], "");
    let names: Vec<&str> =
        listed["strategies"].as_array().unwrap().iter().map(|s| s["name"].as_str().unwrap()).collect();
    assert!(names.contains(&"sample") && names.contains(&"best_of_n"), "{names:?}");
    let table = text(&["strategies"], "");
    let (strategies, drafters) = table.split_once("\nDrafters of --speculate:\n").unwrap();
    let first = |line: &str| line.split_whitespace().next().unwrap().to_owned();
    assert_eq!(strategies.lines().map(first).collect::<Vec<_>>(), names);
    assert_eq!(drafters.lines().count(), listed["drafters"].as_array().unwrap().len());
    assert!(drafters.lines().map(first).any(|name| name == "recycling"));
}

#[test]
fn guesses_give_the_plain_answer_and_are_reported() {
    let Some(path) = tiny("llama") else { return };
    let plain = json(&hello(&path, &[]), "");
    for spec in ["auto", "suffix:tokens=5,rows=4", "recycling:plan=false"] {
        let got = json(&hello(&path, &["--speculate", spec]), "");
        assert_eq!(got["tokens"], plain["tokens"], "{spec}");
        let said = &got["strategy"]["speculation"];
        assert_eq!(said["drafter"], spec.split(':').next().unwrap());
        assert!(said["tau"].as_f64().unwrap() >= 1.0, "{said}");
    }
    let draft = ["--speculate", "draft:plan=false", "--draft-model", &path];
    let got = json(&hello(&path, &draft), "");
    assert_eq!(got["tokens"], plain["tokens"]);
    assert!(got["strategy"]["speculation"]["tau"].as_f64().unwrap() > 3.0, "its twin is accepted");
}

#[test]
fn guesses_keep_to_the_form_of_the_answer() {
    let Some(path) = tiny("llama") else { return };
    let form = ["--regex", "[a-z]{3}(, [a-z]{3}){4}!"];
    let plain = json(&hello(&path, &form), "");
    for spec in ["auto:plan=false", "recycling", "suffix:rows=4"] {
        let got = json(&hello(&path, &[&form[..], &["--speculate", spec]].concat()), "");
        assert_eq!(got["text"], plain["text"], "{spec}");
        assert_eq!(got["finish_reason"], plain["finish_reason"], "{spec}");
    }
}

#[test]
fn what_was_learnt_is_kept_where_a_file_is_named() {
    let Some(path) = tiny("llama") else { return };
    let dir = std::env::temp_dir().join(format!("goldcrest-guesses-{}", std::process::id()));
    std::fs::create_dir_all(&dir).unwrap();
    let file = dir.join("memory");
    let name = file.to_str().unwrap();
    let with = ["--speculate", "recycling:plan=false", "--guess-memory", name];
    let tau = || json(&hello(&path, &with), "")["strategy"]["speculation"]["tau"].as_f64().unwrap();
    let (cold, hot) = (tau(), tau());
    assert!(hot > cold, "{hot} against {cold}");
    std::fs::write(&file, "something else").unwrap();
    refused(&hello(&path, &with), "", "E_BAD_MEMORY");
    std::fs::remove_dir_all(dir).unwrap();
}

#[test]
fn a_head_is_read_from_its_file_and_refused_by_name() {
    let Some(path) = tiny("llama") else { return };
    let head = |file: &str| format!("{}/../../tests/heads/{file}", env!("CARGO_MANIFEST_DIR"));
    let other = head("tiny/medusa.safetensors");
    refused(&hello(&path, &["--speculate", "head", "--head", &other]), "", "E_DRAFT_HEAD");
    refused(&hello(&path, &["--speculate", "head", "--head", &head("topics.json")]), "", "E_DRAFT_HEAD");
    refused(&hello(&path, &["--speculate", "head"]), "", "E_STRATEGY_NEEDS");
}

#[test]
fn a_neutral_strategy_gives_the_plain_answer_and_reports_itself() {
    let Some(path) = tiny("llama") else { return };
    let plain = json(&hello(&path, &[]), "");
    assert!(plain.get("strategy").is_none());
    for spec in ["sample", "best-of-n:n=1"] {
        let got = json(&hello(&path, &["--strategy", spec]), "");
        assert_eq!(got["tokens"], plain["tokens"], "{spec}");
        assert_eq!(got["text"], plain["text"], "{spec}");
        assert_eq!(got["strategy"]["name"], spec.split(':').next().unwrap().replace('-', "_"));
        assert!(got["strategy"]["passes"].as_u64().unwrap() >= 12, "{spec}");
        let shown = text(&hello(&path, &["--strategy", spec, "--temp", "0"]), "");
        assert_eq!(shown, format!("{}\n", plain["text"].as_str().unwrap()), "{spec}");
    }
}

#[cfg(unix)]
#[test]
fn a_program_is_a_scorer() {
    let Some(path) = tiny("llama") else { return };
    let sampled = ["--temp", "1", "--seed", "3", "--strategy", "best_of_n:n=4", "--scorer"];
    // The longest text is the best; `wc` counts what it reads from standard input.
    let got = json(&hello(&path, &[&sampled[..], &["wc -c"]].concat()), "");
    let scores: Vec<f64> =
        got["strategy"]["scores"].as_array().unwrap().iter().map(|s| s.as_f64().unwrap()).collect();
    assert_eq!(scores.len(), 4);
    let best = scores.iter().copied().fold(0.0, f64::max);
    assert_eq!(got["text"].as_str().unwrap().len() as f64, best);
    for broken in ["exit 3", "echo good"] {
        let (code, out, err) = run(&hello(&path, &[&sampled[..], &[broken]].concat()), "");
        assert_eq!((code, out.as_str()), (1, ""), "{err}");
        assert!(err.contains("error[E_SCORER]") && err.contains(broken), "{err}");
    }
}

#[test]
fn what_cannot_be_is_refused_with_its_name() {
    let Some(path) = tiny("llama") else { return };
    for (spec, code) in [
        ("best_of_m", "E_UNKNOWN_STRATEGY"),
        ("best_of_n:n", "E_BAD_STRATEGY"),
        ("best_of_n:n=0", "E_INVALID_PARAMETER"),
        ("best_of_n:m=4", "E_INVALID_PARAMETER"),
    ] {
        refused(&hello(&path, &["--strategy", spec]), "", code);
    }
    // Options that only a strategy reads.
    for option in ["--reference", "--other", "--draft-model", "--scorer"] {
        refused(&hello(&path, &[option, "x"]), "", "E_USAGE");
    }
    let Some(other) = tiny("gemma3") else { return };
    refused(&hello(&path, &["--strategy", "sample", "--other", &other]), "", "E_VOCABULARY_MISMATCH");
}

/// A server that counts requests and answers each with the same text.
struct Loopback {
    address: String,
    requests: Arc<Mutex<Vec<String>>>,
}

impl Loopback {
    fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("http://{}/v1", listener.local_addr().unwrap());
        let requests = Arc::new(Mutex::new(Vec::new()));
        let seen = Arc::clone(&requests);
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let mut stream = stream.unwrap();
                let mut reader = BufReader::new(stream.try_clone().unwrap());
                let (mut head, mut length) = (String::new(), 0);
                while !head.ends_with("\r\n\r\n") && reader.read_line(&mut head).unwrap() > 0 {}
                for line in head.to_ascii_lowercase().lines() {
                    length =
                        line.strip_prefix("content-length:").map_or(length, |n| n.trim().parse().unwrap());
                }
                let mut body = vec![0; length];
                reader.read_exact(&mut body).unwrap();
                seen.lock().unwrap().push(head + std::str::from_utf8(&body).unwrap());
                let answer = r#"{"choices":[{"message":{"role":"assistant","content":"Hello over there"}}]}"#;
                let length = answer.len();
                write!(
                    stream,
                    "HTTP/1.1 200 OK\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{answer}"
                )
                .unwrap();
            }
        });
        Self { address, requests }
    }

    fn requests(&self) -> Vec<String> {
        self.requests.lock().unwrap().clone()
    }
}

#[test]
fn a_server_is_asked_only_with_consent_and_need() {
    let Some(path) = tiny("llama") else { return };
    let server = Loopback::start();
    let unsure = "remote_cascade:by=entropy,threshold=0,probe=4";
    let sure = "remote_cascade:threshold=0,probe=4";
    let named = ["--remote", &server.address];
    let consenting = ["--remote", &server.address, "--consent-to-send"];

    refused(&hello(&path, &[&["--strategy", unsure][..], &named].concat()), "", "E_NO_CONSENT");
    refused(&hello(&path, &["--strategy", unsure]), "", "E_STRATEGY_NEEDS");
    let local = json(&hello(&path, &[&["--strategy", sure][..], &consenting].concat()), "");
    assert_eq!(local["strategy"]["remote"], false);
    assert_eq!(local["tokens"], json(&hello(&path, &[]), "")["tokens"]);
    assert_eq!(server.requests(), Vec::<String>::new());

    let asked = json(&hello(&path, &[&["--strategy", unsure][..], &consenting].concat()), "");
    assert_eq!(
        (&asked["strategy"]["remote"], asked["text"].as_str()),
        (&true.into(), Some("Hello over there"))
    );
    let requests = server.requests();
    assert_eq!(requests.len(), 1);
    let (head, body) = requests[0].split_once("\r\n\r\n").unwrap();
    assert!(head.starts_with("POST /v1/chat/completions "), "{head}");
    let body: serde_json::Value = serde_json::from_str(body).unwrap();
    assert_eq!(body["messages"], serde_json::json!([{ "role": "user", "content": "Hello world" }]));
    assert_eq!(body["max_tokens"], 12);
}

#[test]
fn a_server_that_is_not_there_is_named() {
    let Some(path) = tiny("llama") else { return };
    let spec = "remote_cascade:by=entropy,threshold=0";
    let more = ["--strategy", spec, "--remote", "http://127.0.0.1:1/v1", "--consent-to-send"];
    let (code, _, err) = run(&hello(&path, &more), "");
    assert!(code == 1 && err.contains("error[E_REMOTE]") && err.contains("127.0.0.1:1"), "{err}");
    let more = ["--strategy", spec, "--remote", "127.0.0.1:1", "--consent-to-send"];
    refused(&hello(&path, &more), "", "E_INVALID_PARAMETER");
}
