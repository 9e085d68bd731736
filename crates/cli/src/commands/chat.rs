//! `goldcrest chat`: a conversation in the terminal.

mod conversation;
mod lines;

use goldcrest::{EngineError, Finish, Prompt, Request, Session};

use self::conversation::Conversation;
use self::lines::{Line, Lines};
use crate::context::Context;
use crate::error::CliError;
use crate::generating::{self, Answer, SamplingArgs};
use crate::loading::ModelArgs;
use crate::output;

/// Talk to a model in the terminal
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    model: ModelArgs,
    /// A message to the model ahead of the conversation, such as who it is to be
    #[arg(long, value_name = "TEXT", allow_hyphen_values = true)]
    system: Option<String>,
    /// Most tokens of an answer; without it the model decides, up to the end of the context
    #[arg(short = 'n', long = "max-tokens", value_name = "N", allow_negative_numbers = true)]
    n: Option<i64>,
    #[command(flatten)]
    sampling: SamplingArgs,
}

const HELP: &str = "\
/help         this list
/system TEXT  tell the model who it is to be; without TEXT no more
/reset        forget the conversation
/stats        times of the last answer, room in the context
/exit         leave; so does Ctrl-D
Ctrl-C stops an answer.";

/// Reads lines and answers them until the input ends.
pub(crate) fn run(args: Args, context: &Context) -> Result<(), CliError> {
    args.model.options()?;
    let mut sampler = args.sampling.params(0.7)?;
    let max_tokens = generating::max_tokens(args.n)?;
    let loaded = args.model.load(context)?;
    if !loaded.engine.text().has_template() {
        return Err(EngineError::NoChatTemplate.into());
    }
    args.sampling.further.apply_texts(&mut sampler, loaded.engine.text())?;
    let n_ctx = loaded.engine.runtime().borrow().n_ctx();
    let model = Request {
        max_tokens,
        sampler,
        stop: args.sampling.stop,
        ..Request::greedy(Prompt::Tokens(Vec::new()))
    };
    let mut chat = Chat {
        session: loaded.engine.session(),
        conversation: Conversation::new(args.system),
        model,
        n_ctx: n_ctx as usize,
        last: None,
        context,
    };
    let mut lines = Lines::new()?;
    if lines.is_terminal() {
        chat.tell(&format!("{}, /help lists the commands", loaded.engine.info().name));
    }
    loop {
        match lines.next()? {
            Line::End => return Ok(()),
            Line::Interrupted => chat.tell("/exit or Ctrl-D leaves"),
            Line::Text(text) => match text.trim() {
                "" => {}
                "/exit" | "/quit" => return Ok(()),
                command if command.starts_with('/') => chat.command(command)?,
                message => chat.say(message)?,
            },
        }
    }
}

struct Chat<'a> {
    session: Session,
    conversation: Conversation,
    /// How to generate; the prompt is filled in.
    model: Request,
    n_ctx: usize,
    last: Option<Answer>,
    context: &'a Context,
}

impl Chat<'_> {
    fn command(&mut self, line: &str) -> Result<(), CliError> {
        let (name, rest) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
        match name {
            "/help" => self.tell(HELP),
            "/reset" => {
                self.conversation.forget();
                self.session.reset()?;
                self.tell("the conversation starts anew");
            }
            "/system" => {
                let text = rest.trim();
                self.conversation.system = Some(text.to_owned()).filter(|text| !text.is_empty());
                self.tell(if text.is_empty() { "no system message any more" } else { "system message set" });
            }
            "/stats" => self.stats(),
            _ => self.tell(&format!("no command {name}; /help lists them")),
        }
        Ok(())
    }

    fn stats(&self) {
        if let Some(answer) = &self.last {
            self.tell(&generating::times(&answer.stats));
        }
        self.tell(&format!(
            "{} of {} tokens of the context are in use",
            self.session.cached().len(),
            self.n_ctx
        ));
    }

    fn say(&mut self, message: &str) -> Result<(), CliError> {
        // A Ctrl-C between two answers is none for the next one.
        self.context.interrupt.clear();
        self.conversation.ask(message);
        let prompt = match self.fitting() {
            Ok(prompt) => prompt,
            // The conversation goes on without a message that cannot be asked.
            Err(error @ (EngineError::PromptTooLong { .. } | EngineError::Prompt(_))) => {
                self.conversation.take_back();
                let error = CliError::from(error);
                self.tell(&format!("error[{}]: {error}\nhelp: {}", error.code(), error.help()));
                return Ok(());
            }
            Err(error) => return Err(error.into()),
        };
        let request = Request { prompt: Prompt::Tokens(prompt), ..self.model.clone() };
        let answer = generating::answer(self.session.generate(request)?, true, self.context)?;
        output::line("")?;
        match answer.finish {
            Finish::Aborted => self.tell("(stopped)"),
            Finish::Length if self.model.max_tokens != Some(answer.ids.len()) => {
                self.tell("(the context is full; /reset starts anew, -c gives more room)");
            }
            _ => {}
        }
        self.context.interrupt.clear();
        self.conversation.answered(&answer.text);
        self.model.sampler.seed = self.model.sampler.seed.wrapping_add(1);
        self.last = Some(answer);
        Ok(())
    }

    /// The conversation's tokens; the oldest turns go when they leave no room for an answer.
    fn fitting(&mut self) -> Result<Vec<u32>, EngineError> {
        let room = self.n_ctx - (self.n_ctx / 4).min(256);
        let mut dropped = 0;
        loop {
            let tokens = self.session.encode(&self.conversation.prompt())?;
            if tokens.len() <= room {
                if dropped > 0 {
                    let turns =
                        if dropped == 1 { "turn is".to_owned() } else { format!("{dropped} turns are") };
                    self.tell(&format!("(the context is full: the oldest {turns} forgotten)"));
                }
                return Ok(tokens);
            }
            if !self.conversation.drop_oldest() {
                let too_long = tokens.len() > self.n_ctx;
                let error = EngineError::PromptTooLong { n_prompt: tokens.len(), n_ctx: self.n_ctx as u32 };
                return if too_long { Err(error) } else { Ok(tokens) };
            }
            dropped += 1;
        }
    }

    fn tell(&self, text: &str) {
        self.context.report.notice(text);
    }
}
