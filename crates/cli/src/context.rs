//! What every command is handed: the model store and the interrupt flag.

use std::sync::Arc;

use crate::error::CliError;
use crate::interrupt::Interrupt;
use crate::store::{Store, StoreConfig, report};

/// Made once per process.
#[derive(Debug)]
pub(crate) struct Context {
    /// Where models are kept and found.
    pub(crate) store: Store,
}

impl Context {
    /// Reads the environment and takes over Ctrl-C. Fails when no folder for models can be named.
    pub(crate) fn new() -> Result<Self, CliError> {
        let interrupt = Interrupt::install();
        let store = Store::new(StoreConfig::from_env()?, Arc::from(report::for_stderr()), interrupt);
        Ok(Self { store })
    }
}
