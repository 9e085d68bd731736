//! What commands that generate text share: sampling options, the loop over events, the line of times.

use std::hash::{BuildHasher, RandomState};
use std::io::{self, Write};

use goldcrest::decode::{DecodeError, Decoding};
use goldcrest::sample::{SamplerParams, StopMatcher};
use goldcrest::{EngineError, Event, Finish, Generation, Stats, TokenEvent};

use serde_json::{Map, Value};

use crate::context::Context;
use crate::error::CliError;
use crate::sampling::FurtherArgs;

/// Most alternatives per token: as many as the device sorts.
const MAX_LOGPROBS: usize = 256;

/// How tokens are chosen.
#[derive(Clone, Debug, Default, clap::Args)]
#[command(next_help_heading = "Choosing tokens")]
pub(crate) struct SamplingArgs {
    /// 0 always takes the likeliest token, higher is more varied [default: 0.7; 0 with --json]
    #[arg(long, value_name = "T", allow_negative_numbers = true)]
    temp: Option<f32>,
    /// Choose among the K likeliest tokens; 0 among all [default: 40]
    #[arg(long, value_name = "K", allow_negative_numbers = true)]
    top_k: Option<i32>,
    /// Choose among the likeliest tokens that together have this probability [default: 0.95]
    #[arg(long, value_name = "P", allow_negative_numbers = true)]
    top_p: Option<f32>,
    /// Leave out tokens less likely than this share of the likeliest one [default: 0.05]
    #[arg(long, value_name = "P", allow_negative_numbers = true)]
    min_p: Option<f32>,
    /// The same seed gives the same answer [default: a new one each time]
    #[arg(long, value_name = "S")]
    seed: Option<u64>,
    /// Over 1 makes tokens of the last 64 less likely [default: 1]
    #[arg(long, value_name = "R", allow_negative_numbers = true)]
    repeat_penalty: Option<f32>,
    /// End the answer before this text; may be given several times
    #[arg(long, value_name = "TEXT", allow_hyphen_values = true)]
    pub(crate) stop: Vec<String>,
    #[command(flatten)]
    pub(crate) further: FurtherArgs,
}

impl SamplingArgs {
    /// Checked parameters. `temperature` counts where none is given.
    pub(crate) fn params(&self, temperature: f32) -> Result<SamplerParams, CliError> {
        let mut params = SamplerParams {
            temperature: self.temp.unwrap_or(temperature),
            top_k: self.top_k.unwrap_or(40),
            top_p: self.top_p.unwrap_or(0.95),
            min_p: self.min_p.unwrap_or(0.05),
            repeat_penalty: self.repeat_penalty.unwrap_or(1.0),
            // 32 bits, so that a person can type it again.
            seed: self.seed.unwrap_or_else(|| RandomState::new().hash_one(0) >> 32),
            ..SamplerParams::neutral()
        };
        self.further.apply(&mut params)?;
        params.validate().map_err(EngineError::from)?;
        StopMatcher::new(&self.stop).map_err(EngineError::from)?;
        Ok(params)
    }
}

/// `-n`, which must not be negative.
pub(crate) fn max_tokens(n: Option<i64>) -> Result<Option<usize>, CliError> {
    n.map(|n| usize::try_from(n).map_err(|_| invalid("-n", n, "0 and up"))).transpose()
}

/// `--logprobs`, no more than the device sorts.
pub(crate) fn logprobs(k: Option<usize>) -> Result<Option<usize>, CliError> {
    match k {
        Some(k) if k > MAX_LOGPROBS => Err(invalid("--logprobs", k, "0 to 256")),
        k => Ok(k),
    }
}

fn invalid(name: &'static str, value: impl ToString, allowed: &str) -> CliError {
    CliError::InvalidParameter { name, value: value.to_string(), allowed: allowed.to_owned() }
}

/// What a generation came to.
pub(crate) struct Answer {
    pub(crate) text: String,
    /// All new tokens, an end-of-generation token included.
    pub(crate) ids: Vec<u32>,
    /// What came with the tokens that are text.
    pub(crate) tokens: Vec<TokenEvent>,
    pub(crate) finish: Finish,
    pub(crate) stats: Stats,
    /// What a strategy says of itself.
    pub(crate) strategy: Option<Map<String, Value>>,
}

/// An answer in the making.
pub(crate) enum Making<'s> {
    /// One token after another, chosen on the device.
    Plain(Box<Generation<'s>>),
    /// By a strategy.
    Strategy(Box<Decoding<'s>>),
}

impl<'s> From<Generation<'s>> for Making<'s> {
    fn from(generation: Generation<'s>) -> Self {
        Self::Plain(Box::new(generation))
    }
}

impl<'s> From<Decoding<'s>> for Making<'s> {
    fn from(decoding: Decoding<'s>) -> Self {
        Self::Strategy(Box::new(decoding))
    }
}

impl Making<'_> {
    async fn next(&mut self) -> Result<Option<Event>, DecodeError> {
        match self {
            Self::Plain(generation) => Ok(generation.next().await?),
            Self::Strategy(decoding) => decoding.next().await,
        }
    }

    fn abort(&mut self) {
        match self {
            Self::Plain(generation) => generation.abort(),
            Self::Strategy(decoding) => decoding.abort(),
        }
    }
}

/// Runs a generation to its end; text goes to stdout as it comes if `shown`. Ctrl-C ends it with what there is.
pub(crate) fn answer<'s>(
    making: impl Into<Making<'s>>,
    shown: bool,
    context: &Context,
) -> Result<Answer, CliError> {
    let mut making = making.into();
    let (mut text, mut tokens) = (String::new(), Vec::new());
    let mut out = io::stdout().lock();
    let mut show = |piece: &str| -> Result<(), CliError> {
        text.push_str(piece);
        if !shown || piece.is_empty() {
            return Ok(());
        }
        out.write_all(piece.as_bytes()).and_then(|()| out.flush()).map_err(CliError::Stdout)
    };
    let mut finish = Finish::Aborted;
    loop {
        if context.interrupt.is_set() {
            making.abort();
        }
        match pollster::block_on(making.next())? {
            None => break,
            Some(Event::Prefill { .. } | Event::Working { .. }) => {}
            Some(Event::Token(token)) => {
                show(&token.text)?;
                tokens.push(token);
            }
            Some(Event::End { finish: reason, text }) => {
                show(&text)?;
                finish = reason;
            }
        }
    }
    Ok(match making {
        Making::Plain(generation) => {
            let (ids, stats) = (generation.tokens().to_vec(), generation.stats()?);
            Answer { text, ids, tokens, finish, stats, strategy: None }
        }
        Making::Strategy(decoding) => {
            let outcome = decoding.outcome().cloned().unwrap_or_default();
            let (ids, stats) = (outcome.tokens, decoding.stats());
            Answer { text, ids, tokens, finish, stats, strategy: Some(outcome.report) }
        }
    })
}

/// `31 prompt tokens in 0.12 s, 64 tokens in 2.10 s (30.5/s)`.
pub(crate) fn times(stats: &Stats) -> String {
    let seconds = stats.decode_ms / 1e3;
    let rate = if seconds > 0.0 {
        format!(" ({:.1}/s)", stats.decode_tokens as f64 / seconds)
    } else {
        String::new()
    };
    let (prompt, answer) =
        (counted(stats.prefill_tokens, "prompt token"), counted(stats.decode_tokens, "token"));
    format!("{prompt} in {:.2} s, {answer} in {seconds:.2} s{rate}", stats.prefill_ms / 1e3)
}

fn counted(n: usize, what: &str) -> String {
    format!("{n} {what}{}", if n == 1 { "" } else { "s" })
}
