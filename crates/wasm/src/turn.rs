//! Turns of the event loop. Promises that are settled already keep it from turning, and a signal from being heard.

use std::cell::Cell;

use js_sys::{Function, Promise, Reflect};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;

/// Longest time without a turn. A timer costs up to 4 ms, an answer to an abort is due after 100.
const INTERVAL_MS: f64 = 50.0;

/// When the last turn was.
pub(crate) struct Turn(Cell<f64>);

impl Turn {
    pub(crate) fn new() -> Self {
        Self(Cell::new(js_sys::Date::now()))
    }

    /// Waits for a timer if there was no turn for long.
    pub(crate) async fn give(&self) {
        if js_sys::Date::now() - self.0.get() < INTERVAL_MS {
            return;
        }
        let timer = Reflect::get(&js_sys::global(), &"setTimeout".into()).ok();
        let Some(timer) = timer.and_then(|f| f.dyn_into::<Function>().ok()) else { return };
        let promise = Promise::new(&mut |resolve, _| {
            // A timer that cannot be set leaves things as they would be without it.
            if timer.call1(&JsValue::UNDEFINED, &resolve).is_err() {
                let _resolved = resolve.call0(&JsValue::UNDEFINED);
            }
        });
        let _turned = JsFuture::from(promise).await;
        self.0.set(js_sys::Date::now());
    }
}
