//! What every command is handed: the model store, the interrupt flag and the account of progress.

use std::sync::Arc;

use crate::error::CliError;
use crate::interrupt::Interrupt;
use crate::store::report::Report;
use crate::store::{Store, StoreConfig, report};

/// Made once per process.
#[derive(Debug)]
pub(crate) struct Context {
    /// Where models are kept and found.
    pub(crate) store: Store,
    /// Ctrl-C.
    pub(crate) interrupt: Interrupt,
    /// Progress and notices on stderr.
    pub(crate) report: Arc<dyn Report>,
}

impl Context {
    /// Reads the environment and takes over Ctrl-C. Fails when no folder for models can be named.
    pub(crate) fn new() -> Result<Self, CliError> {
        let interrupt = Interrupt::install();
        let report: Arc<dyn Report> = Arc::from(report::for_stderr());
        let store = Store::new(StoreConfig::from_env()?, Arc::clone(&report), interrupt.clone());
        Ok(Self { store, interrupt, report })
    }
}
