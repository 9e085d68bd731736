//! One readable file per architecture, and the loading of weights.
