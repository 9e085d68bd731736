//! Chat templates, rendered inside a budget.
