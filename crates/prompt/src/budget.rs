//! What one rendering may spend, and has spent.

use std::cell::Cell;

use crate::error::{Cost, PromptError};

/// Longest template source, in bytes.
pub const MAX_TEMPLATE_BYTES: usize = 256 * 1024;
/// Deepest nesting of statements, expressions, macro calls and values.
pub const MAX_DEPTH: usize = 100;
/// What appending to a string counts as bytes scanned besides its own: its time, in bytes of plain copying.
pub(crate) const APPEND_COST: usize = 32;
/// What a list item or a dict entry is charged, in bytes: its value twice, for the growth of the list.
pub(crate) const ITEM_BYTES: usize = 32;

/// The bounds of one rendering.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Budget {
    /// Statements and expressions evaluated: 20,000 + 1,000 per message + 2,000 per tool.
    pub steps: u64,
    /// Bytes of strings and lists created: 16 MiB + 8 times the input.
    pub bytes_created: u64,
    /// Bytes looked at: 64 MiB + 64 times the input, about a tenth of a second.
    pub bytes_scanned: u64,
}

impl Budget {
    /// The bounds for a conversation.
    #[must_use]
    pub fn for_input(n_messages: usize, n_tools: usize, input_bytes: usize) -> Self {
        const MIB: u64 = 1 << 20;
        let input = input_bytes as u64;
        Self {
            steps: 20_000 + 1_000 * n_messages as u64 + 2_000 * n_tools as u64,
            bytes_created: 16 * MIB + 8 * input,
            bytes_scanned: 64 * MIB + 64 * input,
        }
    }
}

/// What a rendering has spent, with its bounds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Usage {
    /// The bounds.
    pub budget: Budget,
    /// Statements and expressions evaluated.
    pub steps: u64,
    /// Bytes of strings and lists created.
    pub bytes_created: u64,
    /// Bytes looked at.
    pub bytes_scanned: u64,
    /// Deepest nesting reached.
    pub depth: usize,
}

/// Counts one rendering; every operation that costs anything announces it here first.
pub(crate) struct Meter {
    budget: Budget,
    steps: Cell<u64>,
    created: Cell<u64>,
    scanned: Cell<u64>,
    depth: Cell<usize>,
    deepest: Cell<usize>,
}

impl Meter {
    pub(crate) fn new(budget: Budget) -> Self {
        Self {
            budget,
            steps: Cell::new(0),
            created: Cell::new(0),
            scanned: Cell::new(0),
            depth: Cell::new(0),
            deepest: Cell::new(0),
        }
    }

    pub(crate) fn step(&self) -> Result<(), PromptError> {
        spend(&self.steps, 1, self.budget.steps, Cost::Steps)
    }

    /// Announces `bytes` that are about to be allocated. Writing them counts as looking at them.
    pub(crate) fn create(&self, bytes: usize) -> Result<(), PromptError> {
        spend(&self.created, bytes, self.budget.bytes_created, Cost::BytesCreated)?;
        self.scan(bytes)
    }

    pub(crate) fn create_items(&self, n: usize) -> Result<(), PromptError> {
        self.create(n.saturating_mul(ITEM_BYTES))
    }

    pub(crate) fn scan(&self, bytes: usize) -> Result<(), PromptError> {
        spend(&self.scanned, bytes, self.budget.bytes_scanned, Cost::BytesScanned)
    }

    pub(crate) fn enter(&self) -> Result<(), PromptError> {
        let depth = self.depth.get() + 1;
        if depth > MAX_DEPTH {
            return Err(PromptError::TooDeep { limit: MAX_DEPTH });
        }
        self.depth.set(depth);
        self.deepest.set(self.deepest.get().max(depth));
        Ok(())
    }

    pub(crate) fn leave(&self) {
        self.depth.set(self.depth.get().saturating_sub(1));
    }

    pub(crate) fn usage(&self) -> Usage {
        Usage {
            budget: self.budget,
            steps: self.steps.get(),
            bytes_created: self.created.get(),
            bytes_scanned: self.scanned.get(),
            depth: self.deepest.get(),
        }
    }
}

fn spend(spent: &Cell<u64>, amount: usize, limit: u64, what: Cost) -> Result<(), PromptError> {
    let total = spent.get().saturating_add(amount as u64);
    if total > limit {
        return Err(PromptError::TemplateTooExpensive { what, limit });
    }
    spent.set(total);
    Ok(())
}
