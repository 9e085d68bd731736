//! Sums of model files, as their bytes go by.

use sha2::Digest;
use wasm_bindgen::prelude::wasm_bindgen;

/// SHA-256 of bytes that arrive in pieces.
#[wasm_bindgen]
#[derive(Debug, Default)]
pub struct Sha256(sha2::Sha256);

#[wasm_bindgen]
impl Sha256 {
    /// The sum of nothing yet.
    #[wasm_bindgen(constructor)]
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds bytes.
    pub fn update(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    /// The sum of all bytes so far, 64 hexadecimal digits.
    #[wasm_bindgen(js_name = digestHex)]
    #[must_use]
    pub fn digest_hex(&self) -> String {
        self.0.clone().finalize().iter().map(|byte| format!("{byte:02x}")).collect()
    }
}
