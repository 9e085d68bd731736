//! Options of decoding strategies: which one, and what it may need beside the prompt.

use std::cell::RefCell;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::rc::Rc;

use goldcrest::Runtime;
use goldcrest::decode::speculate::{DraftMemory, HeadFile, Learnt, SharedLearnt, Speculate};
use goldcrest::decode::{Candidate, DecodeError, Method, Resources, Score, Scorer, same_vocabulary};
use goldcrest::record::Recorded;

use crate::context::Context;
use crate::error::CliError;
use crate::loading::{Loaded, ModelArg, ModelArgs};
use crate::record;
use crate::remote::RemoteArgs;

/// Which strategy, and what it needs.
#[derive(Clone, Debug, Default, clap::Args)]
#[command(next_help_heading = "Strategies")]
pub(crate) struct StrategyArgs {
    /// Another way of making the answer than one token after another; `goldcrest strategies` lists them
    #[arg(long, value_name = "NAME[:key=value,...]", group = "way")]
    pub(crate) strategy: Option<String>,
    /// Guess several tokens at once and verify them in one pass: the same answer in fewer passes. `auto` and `recycling`,
    /// `suffix` and more need no second model; `goldcrest strategies` lists them
    #[arg(long, value_name = "NAME[:key=value,...]", conflicts_with = "strategy", group = "way")]
    speculate: Option<String>,
    /// A prompt to contrast with, such as the question without its document; may be given several times
    #[arg(long = "reference", value_name = "TEXT", allow_hyphen_values = true, requires = "strategy")]
    pub(crate) references: Vec<String>,
    /// A further model with the same vocabulary: an amateur, a draft, a larger sibling
    #[arg(long, value_name = "MODEL", visible_alias = "draft-model", requires = "way")]
    other: Option<String>,
    /// Where the further model computes, if not where the first one does: as --adapter. `pearl` writes with it while the first one
    /// verifies
    #[arg(
        long,
        value_name = "NAME",
        visible_alias = "draft-adapter",
        requires = "other",
        conflicts_with = "record"
    )]
    other_adapter: Option<String>,
    /// With --speculate: keep what is learnt of the model's habits in this file, for the next time. It tells which words stood
    /// behind which
    #[arg(long, value_name = "FILE", requires = "speculate")]
    guess_memory: Option<PathBuf>,
    /// A draft head for `--speculate head`: a safetensors file that was trained for this model
    #[arg(long, value_name = "FILE", requires = "speculate", conflicts_with = "record")]
    head: Option<PathBuf>,
    /// A judge for `accept=judge`: a safetensors file that was trained for this model
    #[arg(long, value_name = "FILE", requires = "speculate", conflicts_with = "record")]
    judge: Option<PathBuf>,
    /// A shell command that judges an answer: it reads the text from its standard input and prints a number, more is better
    #[arg(
        long,
        value_name = "COMMAND",
        allow_hyphen_values = true,
        requires = "strategy",
        conflicts_with = "record"
    )]
    scorer: Option<String>,
    #[command(flatten)]
    pub(crate) remote: RemoteArgs,
}

impl StrategyArgs {
    /// The strategy; call it before anything is fetched, so that a slip costs no download.
    pub(crate) fn method(&self, deterministic: bool) -> Result<Option<Method>, CliError> {
        self.remote.check()?;
        let method = match &self.speculate {
            Some(spec) => Some(Speculate::parse(spec)?),
            None => self.strategy.as_deref().map(Method::parse).transpose()?,
        };
        if let (true, Some(Method::Speculate(speculate))) = (deterministic, &method)
            && let Some(rule) = speculate.lossy()
        {
            return Err(CliError::Usage {
                message: format!(
                    "{rule} makes the answer depend on how many guesses there is time for and what was seen before"
                ),
                help: "leave out --deterministic, or what makes the answer another one".into(),
            });
        }
        Ok(method)
    }

    /// The strategy as a record has it; what could not be repeated is refused.
    pub(crate) fn recorded(
        &self,
        method: &Method,
        references: Vec<Vec<u32>>,
        others: &[PathBuf],
        greedy: bool,
    ) -> Result<Recorded, CliError> {
        if let Some(why) = Recorded::hindrance(method, greedy) {
            return Err(CliError::Usage {
                message: format!("--record is possible {why}"),
                help: "leave out --record, or change that".into(),
            });
        }
        let spec = match &self.speculate {
            Some(drafter) => format!("speculate:drafter={}", drafter.replacen(':', ",", 1)),
            None => self.strategy.clone().unwrap_or_default(),
        };
        let others = others.iter().map(|path| record::hash(path)).collect::<Result<_, _>>()?;
        Ok(Recorded { spec, references, others })
    }

    /// What the strategy gets. `references` are the encoded prompts of `--reference`.
    pub(crate) fn resources(&self, references: Vec<Vec<u32>>) -> Result<Resources, CliError> {
        let scorer =
            self.scorer.clone().map(|command| Box::new(CommandScorer { command }) as Box<dyn Scorer>);
        let [head, judge] = [&self.head, &self.judge].map(|path| path.as_deref().map(read_head).transpose());
        let (head, judge) = (head?.map(Rc::new), judge?.map(Rc::new));
        Ok(Resources { references, scorer, head, judge, ..Resources::default() })
    }

    /// What speculation begins with: what the file of `--guess-memory` has, if there is one.
    pub(crate) fn learnt(&self, n_vocab: u32) -> Result<Option<SharedLearnt>, CliError> {
        let Some(path) = &self.guess_memory else { return Ok(None) };
        let memory = match std::fs::read(path) {
            Ok(bytes) => DraftMemory::from_bytes(&bytes, n_vocab)?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => DraftMemory::default(),
            Err(cause) => return Err(CliError::File { path: path.display().to_string(), cause }),
        };
        Ok(Some(Rc::new(RefCell::new(Learnt::remembering(memory)))))
    }

    /// Writes what speculation learnt to the file of `--guess-memory`.
    pub(crate) fn keep(&self, learnt: Option<&SharedLearnt>) -> Result<(), CliError> {
        let (Some(path), Some(learnt)) = (&self.guess_memory, learnt) else { return Ok(()) };
        let bytes = learnt.borrow().memory().borrow().to_bytes();
        let failed = |cause| CliError::File { path: path.display().to_string(), cause };
        std::fs::write(path, bytes).map_err(failed)
    }

    /// The further model, loaded as the first one was, with its file.
    pub(crate) fn others(
        &self,
        first: &Loaded,
        args: &ModelArgs,
        context: &Context,
    ) -> Result<Others, CliError> {
        let Some(model) = &self.other else { return Ok(Others::default()) };
        let mut args = args.clone();
        args.adapter = self.other_adapter.clone().unwrap_or(args.adapter);
        other(model, first, &args, context)
    }
}

/// Further models, and the files they are of.
pub(crate) type Others = (Vec<Rc<RefCell<Runtime>>>, Vec<PathBuf>);

/// A further model, loaded as the first one was, with its file.
pub(crate) fn other(
    model: &str,
    first: &Loaded,
    args: &ModelArgs,
    context: &Context,
) -> Result<Others, CliError> {
    let args = ModelArgs { model: ModelArg { model: Some(model.to_owned()) }, ..args.clone() };
    let found = args.find(context)?;
    let path = found.path.clone();
    let other = args.load_found(found, context)?;
    same_vocabulary(first.engine.text().tokenizer(), other.engine.text().tokenizer())?;
    Ok((vec![Rc::clone(other.engine.runtime())], vec![path]))
}

fn read_head(path: &Path) -> Result<HeadFile, CliError> {
    let told = |cause| CliError::File { path: path.display().to_string(), cause };
    Ok(HeadFile::parse(std::fs::read(path).map_err(told)?).map_err(DecodeError::from)?)
}

/// A program that judges.
struct CommandScorer {
    command: String,
}

impl Scorer for CommandScorer {
    fn score<'a>(&'a mut self, candidate: Candidate<'a>) -> Score<'a> {
        let score = self.run(candidate.text);
        Box::pin(async move { score.map_err(|reason| DecodeError::Scorer { reason }) })
    }
}

impl CommandScorer {
    fn run(&self, text: &str) -> Result<f32, String> {
        let (shell, option) = if cfg!(windows) { ("cmd", "/C") } else { ("sh", "-c") };
        let mut command = Command::new(shell);
        command.args([option, &self.command]).stdin(Stdio::piped()).stdout(Stdio::piped());
        let told = |error: io::Error| format!("{}: {error}", self.command);
        let mut child = command.spawn().map_err(told)?;
        if let Some(mut stdin) = child.stdin.take()
            && let Err(error) = stdin.write_all(text.as_bytes())
            // A program may judge without reading everything.
            && error.kind() != io::ErrorKind::BrokenPipe
        {
            return Err(told(error));
        }
        let output = child.wait_with_output().map_err(told)?;
        if !output.status.success() {
            return Err(format!("{}: {}", self.command, output.status));
        }
        let printed = String::from_utf8_lossy(&output.stdout);
        let number = printed.trim().parse().ok().filter(|score: &f32| score.is_finite());
        number.ok_or_else(|| format!("{} printed {:?}, not a number", self.command, printed.trim()))
    }
}
