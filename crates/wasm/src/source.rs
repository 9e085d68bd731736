//! The caller's objects: where bytes come from, and whether they are still wanted.

use goldcrest::model::WeightSource;
use js_sys::{Promise, Uint8Array};
use wasm_bindgen::prelude::wasm_bindgen;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;

use crate::turn::Turn;

/// Most bytes of one read, so that what lies between source and device stays small.
const MAX_READ: usize = 16 << 20;

#[wasm_bindgen(typescript_custom_section)]
const TYPES: &str = "
/** Where the bytes of a model file come from. */
export interface ByteSource {
  /** Length of the file in bytes. */
  readonly size: number;
  /** Resolves to exactly `length` bytes, at most 16 MiB, from `offset` on, or rejects. */
  read(offset: number, length: number): Promise<Uint8Array>;
}

/** Asked between two steps; an `AbortSignal` is one. */
export interface Signal {
  /** Whether the result is not wanted any more. */
  readonly aborted: boolean;
}
";

#[wasm_bindgen]
extern "C" {
    /// Where the bytes of a model file come from.
    #[wasm_bindgen(typescript_type = "ByteSource")]
    pub type ByteSource;

    #[wasm_bindgen(method, getter)]
    fn size(this: &ByteSource) -> f64;

    #[wasm_bindgen(method, catch)]
    fn read(this: &ByteSource, offset: f64, length: f64) -> Result<Promise, JsValue>;

    /// Whether a result is still wanted.
    #[wasm_bindgen(typescript_type = "Signal")]
    pub type Signal;

    /// Whether the result is not wanted any more.
    #[wasm_bindgen(method, getter)]
    pub fn aborted(this: &Signal) -> bool;
}

/// A source of the caller, as the loader takes it.
pub(crate) struct JsSource<'a> {
    source: &'a ByteSource,
    signal: Option<&'a Signal>,
    turn: Turn,
    /// What the caller's function threw, to be handed back as it is.
    pub(crate) thrown: Option<JsValue>,
}

impl<'a> JsSource<'a> {
    pub(crate) fn new(source: &'a ByteSource, signal: Option<&'a Signal>) -> Self {
        Self { source, signal, turn: Turn::new(), thrown: None }
    }

    pub(crate) fn len(&self) -> u64 {
        self.source.size() as u64
    }

    pub(crate) fn is_aborted(&self) -> bool {
        self.signal.is_some_and(Signal::aborted)
    }

    async fn piece(&self, offset: u64, buf: &mut [u8]) -> Result<(), JsValue> {
        let promise = self.source.read(offset as f64, buf.len() as f64)?;
        let bytes: Uint8Array = JsFuture::from(promise).await?.dyn_into()?;
        if bytes.length() as usize != buf.len() {
            let message = format!("the source gave {} bytes instead of {}", bytes.length(), buf.len());
            return Err(js_sys::Error::new(&message).into());
        }
        bytes.copy_to(buf);
        Ok(())
    }
}

impl WeightSource for JsSource<'_> {
    async fn read_at(&mut self, offset: u64, buf: &mut [u8]) -> Result<(), String> {
        self.turn.give().await;
        let mut at = offset;
        for piece in buf.chunks_mut(MAX_READ) {
            if self.is_aborted() {
                return Err("aborted".to_owned());
            }
            if let Err(thrown) = self.piece(at, piece).await {
                let words = format!("{thrown:?}");
                self.thrown = Some(thrown);
                return Err(words);
            }
            at += piece.len() as u64;
        }
        Ok(())
    }
}
