//! Text to token ids and back, from the tables a GGUF file carries.
