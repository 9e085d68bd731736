//! Typed operations: shapes checked, a variant chosen, a `Dispatch` returned.
