//! The `goldcrest` command: data on stdout, progress and notices on stderr, exit codes 0 (done), 1 (failed while running),
//! 2 (bad usage or bad input) and 130 (interrupted).
#![forbid(unsafe_code)]

mod commands;
mod context;
mod error;
mod error_codes;
mod form;
mod generating;
mod given;
mod interrupt;
mod loading;
mod output;
mod record;
mod remote;
mod sampling;
mod store;
mod strategy;
mod synthetic;
mod tuning;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::commands::{
    bench, chat, detokenize, doctor, drift, inspect, list, logits, perplexity, pull, rm, run, sample, score,
    strategies, template, tokenize, tune, verify,
};
use crate::context::Context;
use crate::error::CliError;

/// Runs small language models where you are.
#[derive(Debug, Parser)]
#[command(name = "goldcrest", version)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Run(Box<run::Args>),
    Chat(chat::Args),
    Tokenize(tokenize::Args),
    Detokenize(detokenize::Args),
    Template(template::Args),
    Logits(logits::Args),
    Perplexity(perplexity::Args),
    Inspect(inspect::Args),
    Bench(bench::Args),
    Tune(tune::Args),
    Sample(sample::Args),
    Score(score::Args),
    Verify(verify::Args),
    Drift(drift::Args),
    Strategies(strategies::Args),
    Doctor(doctor::Args),
    Pull(pull::Args),
    List(list::Args),
    Rm(rm::Args),
}

fn main() -> ExitCode {
    let outcome = match Cli::try_parse() {
        Ok(cli) => dispatch(cli.command),
        Err(error) => error::from_clap(&error),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => error.report(),
    }
}

fn dispatch(command: Command) -> Result<(), CliError> {
    let context = Context::new()?;
    match command {
        Command::Run(args) => run::run(*args, &context),
        Command::Chat(args) => chat::run(args, &context),
        Command::Tokenize(args) => tokenize::run(args, &context),
        Command::Detokenize(args) => detokenize::run(args, &context),
        Command::Template(args) => template::run(args, &context),
        Command::Logits(args) => logits::run(args, &context),
        Command::Perplexity(args) => perplexity::run(args, &context),
        Command::Bench(args) => bench::run(args, &context),
        Command::Tune(args) => tune::run(args, &context),
        Command::Inspect(args) => inspect::run(args, &context),
        Command::Sample(args) => sample::run(args, &context),
        Command::Score(args) => score::run(args, &context),
        Command::Verify(args) => verify::run(args, &context),
        Command::Drift(args) => drift::run(args, &context),
        Command::Strategies(args) => strategies::run(args, &context),
        Command::Doctor(args) => doctor::run(args, &context),
        Command::Pull(args) => pull::run(args, &context),
        Command::List(args) => list::run(args, &context),
        Command::Rm(args) => rm::run(args, &context),
    }
}
