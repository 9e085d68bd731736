//! One file per command: `Args` for its command line and `run`.

pub(crate) mod list;
pub(crate) mod pull;
pub(crate) mod rm;
