//! Sessions, the step, the KV pool and the generation loop.
