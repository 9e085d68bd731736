//! The KV pool: which cells hold the keys and values of which sequence.

mod pool;
mod sequence;

pub(crate) use pool::MAX_TABLES;
pub use pool::{Cell, CellMove, KvPool, SeqId};
pub use sequence::{Entry, Sequence};
