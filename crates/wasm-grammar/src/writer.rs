//! The engine's tokenizer, called through JavaScript.

use std::cell::RefCell;
use std::collections::BTreeMap;

use js_sys::{Function, Uint32Array};
use wasm_bindgen::{JsCast, JsValue};

thread_local! {
    /// The functions of all writers. What a vocabulary holds has to be `Send`, and a function of JavaScript is not: it stays
    /// here, in the one thread that this module has.
    static FUNCTIONS: RefCell<BTreeMap<u32, Function>> = const { RefCell::new(BTreeMap::new()) };
}

/// Writes text as tokens by a function of JavaScript.
#[derive(Debug)]
pub(crate) struct Writer(u32);

impl Writer {
    pub(crate) fn new(function: Function) -> Self {
        FUNCTIONS.with_borrow_mut(|functions| {
            let id = functions.last_key_value().map_or(0, |(last, _)| last.wrapping_add(1));
            functions.insert(id, function);
            Self(id)
        })
    }

    /// The tokens; none if the function fails, which are then not those of the text.
    pub(crate) fn write(&self, text: &str) -> Vec<u32> {
        let function = FUNCTIONS.with_borrow(|functions| functions.get(&self.0).cloned());
        let written = function.and_then(|function| function.call1(&JsValue::UNDEFINED, &text.into()).ok());
        written
            .and_then(|list| list.dyn_into::<Uint32Array>().ok())
            .map(|list| list.to_vec())
            .unwrap_or_default()
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        FUNCTIONS.with_borrow_mut(|functions| functions.remove(&self.0));
    }
}
