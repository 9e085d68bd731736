//! Parses GGUF model files into a checked description and decodes their block types.
