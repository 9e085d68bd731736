//! `goldcrest tune`: which kernel forms are fast here.

use goldcrest::model::Config;
use goldcrest::{EngineError, Trial, Tuned};

use crate::context::Context;
use crate::error::CliError;
use crate::loading::{ModelArgs, Opened, describe};
use crate::output;
use crate::tuning::{Key, Tuning};

/// Find out which kernel forms are fast for a model on this adapter
///
/// What is found is kept for this adapter, driver and shape of model and used by every later load, unless --deterministic is given.
/// The self-test goes before it.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    model: ModelArgs,
    /// Forget what was found earlier, and try nothing
    #[arg(long)]
    forget: bool,
}

/// Starts from the untuned forms.
pub(crate) fn run(mut args: Args, context: &Context) -> Result<(), CliError> {
    // Neither an earlier choice nor a chunk size that was timed goes into it.
    args.model.deterministic = true;
    let options = args.model.options()?;
    let path = args.model.model.resolve(context)?;
    let (gguf, file) = describe(&path)?;
    let config = Config::from_gguf(&gguf).map_err(EngineError::from)?;
    let Opened { engine, .. } = args.model.open(&gguf, file, context, &mut |device| device)?;
    let mut runtime = engine.runtime().borrow_mut();
    let key = Key::new(runtime.device().info(), &gguf, &config);
    let tuned = match args.forget {
        true => Tuned::default(),
        false => {
            let mut tell = |trial: &Trial| {
                let ms = trial.step.as_secs_f64() * 1e3;
                let Trial { entry, value, rows, .. } = trial;
                context.report.notice(&format!("{rows:>4} rows, {entry}={value}: {ms:.2} ms"));
            };
            pollster::block_on(goldcrest::tune(&mut runtime, &gguf, &options.runtime.forced, &mut tell))?
        }
    };
    let kept = Tuning::of(context.store.home()).keep(&key, &tuned.forms);
    let failed = |cause| CliError::File { path: context.store.home().display().to_string(), cause };
    let path = kept.map_err(failed)?;
    if let Some(note) = &tuned.note {
        context.report.notice(note);
    }
    for (rows, before, after) in &tuned.steps {
        let ms = |time: &std::time::Duration| time.as_secs_f64() * 1e3;
        output::line(&format!("{rows:>4} rows: {:>9.2} ms before, {:>9.2} ms after", ms(before), ms(after)))?;
    }
    if tuned.forms.is_empty() {
        return output::line("the kernel forms that this adapter gets untuned are in use");
    }
    let forms: Vec<String> = tuned.forms.iter().map(|(entry, value)| format!("{entry}={value}")).collect();
    output::line(&format!("{}: kept in {}", forms.join(" "), path.display()))
}
