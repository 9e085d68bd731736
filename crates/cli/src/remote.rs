//! A server that may answer instead of the model here: only where the user names it and consents.

use std::rc::Rc;
use std::sync::mpsc::{RecvTimeoutError, sync_channel};
use std::time::Duration;

use goldcrest::decode::{DecodeError, Remote, RemoteAnswer};
use goldcrest::tokenizer::Encode;
use goldcrest::{EngineError, Text};
use serde_json::{Value, json};
use ureq::Agent;

use crate::error::CliError;
use crate::interrupt::{Interrupt, TICK};

/// Patience with a server that thinks; a long answer of a large model takes minutes.
const PATIENCE: Duration = Duration::from_secs(600);

/// Most bytes of an answer that are read.
const MOST: u64 = 16 << 20;

/// Which server, and whether it may be sent anything.
#[derive(Clone, Debug, Default, clap::Args)]
#[command(next_help_heading = "Asking a server")]
pub(crate) struct RemoteArgs {
    /// An OpenAI-compatible server that a strategy may ask, such as http://127.0.0.1:8080/v1; with a key in the environment
    /// variable GOLDCREST_REMOTE_KEY if it wants one
    #[arg(long, value_name = "URL", requires = "strategy", conflicts_with = "tokens")]
    remote: Option<String>,
    /// Agree that system message and prompt are sent to that server; without it nothing is
    #[arg(long, requires = "remote")]
    consent_to_send: bool,
    /// The server's name of the model to ask
    #[arg(long, value_name = "NAME", default_value = "default", requires = "remote")]
    remote_model: String,
}

impl RemoteArgs {
    /// Refuses an address without consent; call it before anything is fetched.
    pub(crate) fn check(&self) -> Result<(), CliError> {
        match &self.remote {
            Some(address) if !self.consent_to_send => Err(CliError::NoConsent { address: address.clone() }),
            Some(address) if !address.starts_with("http://") && !address.starts_with("https://") => {
                let (value, allowed) = (address.clone(), "an address that begins with https:// or http://");
                Err(CliError::InvalidParameter { name: "--remote", value, allowed: allowed.to_owned() })
            }
            _ => Ok(()),
        }
    }

    /// The server, with the conversation that it is sent when it is asked.
    pub(crate) fn server(
        &self,
        messages: Value,
        text: &Rc<Text>,
        interrupt: &Interrupt,
    ) -> Option<Box<dyn Remote>> {
        let address = self.remote.as_ref().filter(|_| self.consent_to_send)?;
        let url = format!("{}/chat/completions", address.trim_end_matches('/'));
        let body = json!({ "model": self.remote_model, "messages": messages, "stream": false });
        let key = std::env::var("GOLDCREST_REMOTE_KEY").ok();
        Some(Box::new(Server { url, body, key, text: Rc::clone(text), interrupt: interrupt.clone() }))
    }
}

struct Server {
    url: String,
    body: Value,
    key: Option<String>,
    text: Rc<Text>,
    interrupt: Interrupt,
}

impl Remote for Server {
    fn answer(&mut self, max_tokens: usize) -> RemoteAnswer<'_> {
        Box::pin(async move {
            self.body["max_tokens"] = max_tokens.into();
            let answer = self.wait()?;
            let plain = Encode { add_special: false, parse_special: false };
            Ok(self.text.tokenizer().encode(&answer, plain))
        })
    }
}

impl Server {
    /// Asks on a thread of its own, so that Ctrl-C need not wait for the answer.
    fn wait(&self) -> Result<String, DecodeError> {
        let (sender, answers) = sync_channel(1);
        let (url, body, key) = (self.url.clone(), self.body.to_string(), self.key.clone());
        let asking = std::thread::Builder::new().name("remote".to_owned()).spawn(move || {
            // Nobody listens any more after Ctrl-C.
            let _gone = sender.send(ask(&url, &body, key.as_deref()));
        });
        let failed = |reason: String| DecodeError::Remote { reason: format!("{}: {reason}", self.url) };
        asking.map_err(|error| failed(error.to_string()))?;
        loop {
            match answers.recv_timeout(TICK) {
                Ok(answer) => return answer.map_err(failed),
                Err(RecvTimeoutError::Timeout) if self.interrupt.is_set() => {
                    return Err(EngineError::Aborted.into());
                }
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return Err(failed("the request ended".to_owned())),
            }
        }
    }
}

fn ask(url: &str, body: &str, key: Option<&str>) -> Result<String, String> {
    let config = Agent::config_builder().timeout_global(Some(PATIENCE)).http_status_as_error(false);
    let agent = Agent::new_with_config(config.build());
    let mut request = agent.post(url).header("Content-Type", "application/json");
    if let Some(key) = key {
        request = request.header("Authorization", &format!("Bearer {key}"));
    }
    let mut response = request.send(body).map_err(|error| error.to_string())?;
    let status = response.status();
    let text = response.body_mut().with_config().limit(MOST).read_to_string();
    let text = text.map_err(|error| error.to_string())?;
    if !status.is_success() {
        return Err(format!("status {status}: {}", text.chars().take(200).collect::<String>()));
    }
    let answer: Value = serde_json::from_str(&text).map_err(|error| format!("no JSON: {error}"))?;
    let content = answer["choices"][0]["message"]["content"].as_str();
    content.map(str::to_owned).ok_or_else(|| "an answer without choices[0].message.content".to_owned())
}
