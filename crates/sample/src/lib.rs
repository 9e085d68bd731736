//! From logits to a token: sampler chains, stop rules, counter-based randomness.
