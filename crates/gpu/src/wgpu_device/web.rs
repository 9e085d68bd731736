//! What differs in a browser: one adapter for the asking, nothing can wait, and errors are JavaScript's.

use std::borrow::Cow;

use goldcrest_kernels::{Feature, Shader};
use js_sys::{Function, Object, Reflect};
use wasm_bindgen::{JsCast, JsValue, closure::Closure};

use super::fault::Fault;
use super::readback::Signal;
use super::{TIMEOUT_S, is_software};
use crate::{AdapterInfo, AdapterKind, GpuError};

/// The adapter that the browser offers; none where there is no WebGPU.
pub(super) async fn adapters() -> Vec<wgpu::Adapter> {
    let Some(instance) = instance() else { return Vec::new() };
    let options = wgpu::RequestAdapterOptions {
        power_preference: wgpu::PowerPreference::HighPerformance,
        ..Default::default()
    };
    instance.request_adapter(&options).await.into_iter().collect()
}

/// wgpu looks for `navigator.gpu` in windows and workers only, and panics elsewhere. Node is neither, and has WebGPU where
/// the program brought it: for the moment of looking, Node passes for a worker.
fn instance() -> Option<wgpu::Instance> {
    let global = js_sys::global();
    let has = |name: &str| Reflect::get(&global, &name.into()).is_ok_and(|v| !v.is_undefined());
    let new = || wgpu::Instance::new(wgpu::InstanceDescriptor::new_without_display_handle());
    if has("Window") || has("WorkerGlobalScope") {
        return Some(new());
    }
    let navigator = Reflect::get(&global, &"navigator".into()).ok().filter(JsValue::is_object)?;
    Reflect::get(&navigator, &"gpu".into()).ok().filter(JsValue::is_object)?;
    let name = JsValue::from("WorkerGlobalScope");
    Reflect::set(&global, &name, &Object::new()).ok()?;
    let instance = new();
    // The name was free, so that it can be taken away again.
    let _removed = Reflect::delete_property(&global, &name);
    Some(instance)
}

/// Browsers keep pipelines themselves.
pub(super) const FEATURES: wgpu::Features = wgpu::Features::empty();

/// A feature of the browser's language, and not of the device.
pub(super) fn packed_dot() -> bool {
    let gpu = property(&property(&js_sys::global(), "navigator"), "gpu");
    has(&property(&gpu, "wgslLanguageFeatures"), "packed_4x8_integer_dot_product")
}

/// wgpu does not know the feature in browsers; the page asks for it behind its back.
pub(super) fn has_subgroups(device: &wgpu::Device) -> bool {
    device.as_webgpu().is_some_and(|device| has(&property(device, "features"), "subgroups"))
}

/// Browsers want a directive for subgroups.
pub(super) fn text(shader: &Shader) -> Cow<'static, str> {
    if shader.needs.contains(&Feature::Subgroups) {
        return format!("enable subgroups;\n{}", shader.wgsl).into();
    }
    shader.wgsl.into()
}

/// See [`FEATURES`].
pub(super) fn pipeline_cache(
    _device: &wgpu::Device,
    _read: &dyn Fn(&str) -> Option<Vec<u8>>,
) -> Option<wgpu::PipelineCache> {
    None
}

/// See [`FEATURES`].
pub(super) fn cache_name(_device: &wgpu::Device) -> Option<String> {
    None
}

/// wgpu hands on the description alone, which most browsers leave empty; vendor and architecture are at the device.
pub(super) fn name_adapter(info: &mut AdapterInfo, device: &wgpu::Device) {
    let details = device.as_webgpu().map_or(JsValue::UNDEFINED, |d| property(d, "adapterInfo"));
    let word = |name: &str| property(&details, name).as_string().unwrap_or_default();
    let maker = format!("{} {}", word("vendor"), word("architecture")).trim().to_owned();
    if is_software(&maker) || property(&details, "isFallbackAdapter").is_truthy() {
        info.kind = AdapterKind::Software;
    }
    if info.name.is_empty() {
        info.name = if maker.is_empty() { "WebGPU".to_owned() } else { maker };
    } else {
        info.driver = maker;
    }
}

/// Notes errors by the names of their classes. wgpu's own handler panics on classes it does not find in the global scope.
pub(super) fn on_uncaught_error(device: &wgpu::Device, fault: Fault) {
    let Some(device) = device.as_webgpu() else { return };
    let handler = Closure::<dyn FnMut(JsValue)>::new(move |event: JsValue| {
        let error = property(&event, "error");
        let class = property(&property(&error, "constructor"), "name").as_string().unwrap_or_default();
        fault.set(match class.as_str() {
            "GPUOutOfMemoryError" => GpuError::OutOfMemory { label: "a GPU resource".into(), needed: 0 },
            _ => GpuError::Validation {
                message: property(&error, "message").as_string().unwrap_or_else(|| class.clone()),
            },
        });
    });
    let function: Function = handler.into_js_value().unchecked_into();
    // A device that takes no handler reports loss and failed mappings all the same.
    let _set = Reflect::set(device, &"onuncapturederror".into(), &function);
}

/// A browser never lets a program wait: the promises of the read-back tell when a submit is through.
pub(super) fn wait(_device: &wgpu::Device, _index: wgpu::SubmissionIndex) -> Result<(), GpuError> {
    Ok(())
}

/// A timer that takes a device which does not answer for stalled, until this drops. A realm without timers has no limit.
pub(super) struct Watch {
    timer: JsValue,
    /// What the timer calls; it must outlive the timer.
    _fires: Closure<dyn FnMut()>,
}

impl Watch {
    pub(super) fn start(fault: &Fault) -> Option<Self> {
        let fault = fault.clone();
        let fires = Closure::<dyn FnMut()>::new(move || fault.set(GpuError::Stalled { seconds: TIMEOUT_S }));
        let set: Function = property(&js_sys::global(), "setTimeout").dyn_into().ok()?;
        let ms = JsValue::from(TIMEOUT_S as f64 * 1e3);
        let timer = set.call2(&JsValue::UNDEFINED, fires.as_ref(), &ms).ok()?;
        Some(Self { timer, _fires: fires })
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        let clear = property(&js_sys::global(), "clearTimeout").dyn_into::<Function>();
        // Where it cannot be cleared, it fires into a closure that is gone, which is an error of the page's console alone.
        let _cleared = clear.map(|clear| clear.call1(&JsValue::UNDEFINED, &self.timer));
    }
}

/// Tells when everything that was submitted is through.
pub(super) fn on_work_done(queue: &wgpu::Queue, done: &Signal) {
    let done = done.clone();
    queue.on_submitted_work_done(move || done.set(true));
}

/// A browser frees a buffer when it collects garbage, which may be far too late for a gigabyte of weights.
pub(super) fn release(buffer: &wgpu::Buffer) {
    buffer.destroy();
}

/// Whether a set of JavaScript has an entry.
fn has(set: &JsValue, name: &str) -> bool {
    let has = property(set, "has").dyn_into::<Function>();
    has.and_then(|has| has.call1(set, &name.into())).is_ok_and(|answer| answer.is_truthy())
}

fn property(of: &JsValue, name: &str) -> JsValue {
    Reflect::get(of, &name.into()).unwrap_or(JsValue::UNDEFINED)
}
