//! Runs small language models where the user is: the public Rust API.
