//! What differs from a browser: adapters can be listed, a thread can wait, and errors come with a type.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use goldcrest_kernels::Shader;

use super::TIMEOUT_S;
use super::fault::Fault;
use super::readback::Signal;
use crate::{AdapterInfo, GpuError};

pub(super) async fn adapters() -> Vec<wgpu::Adapter> {
    crate::shrink_heap();
    let instance = wgpu::Instance::new(wgpu::InstanceDescriptor::new_without_display_handle());
    instance.enumerate_adapters(wgpu::Backends::all()).await
}

/// Features of the device beside those of WebGPU.
pub(super) const FEATURES: wgpu::Features = wgpu::Features::PIPELINE_CACHE;

/// naga writes the products of four bytes out where the driver has no instruction for them.
pub(super) const fn packed_dot() -> bool {
    true
}

/// Whether shaders may work by subgroups.
pub(super) fn has_subgroups(device: &wgpu::Device) -> bool {
    device.features().contains(wgpu::Features::SUBGROUP)
}

/// naga takes subgroups without a directive, and refuses the directive.
pub(super) const fn text(shader: &Shader) -> Cow<'static, str> {
    Cow::Borrowed(shader.wgsl)
}

/// A cache that begins with what `read` finds under the adapter's name, and that name; none where there are no such caches.
pub(super) fn pipeline_cache(
    device: &wgpu::Device,
    read: &dyn Fn(&str) -> Option<Vec<u8>>,
) -> Option<wgpu::PipelineCache> {
    let data = read(&cache_name(device)?);
    let descriptor = wgpu::PipelineCacheDescriptor {
        label: Some("goldcrest"),
        data: data.as_deref(),
        // Without this, bytes of another driver version are an error instead of no bytes.
        fallback: true,
    };
    // SAFETY: the bytes have to be what `PipelineCache::get_data` returned. `Device::reuse_pipelines` asks callers for just
    // those, kept whole under this adapter's name; the command keeps them with their SHA-256 in the user's own cache folder and
    // gives none whose sum is wrong. wgpu compares adapter, driver version and length before the driver sees them.
    Some(unsafe { device.create_pipeline_cache(&descriptor) })
}

/// The name of this adapter's cache; none where pipelines cannot be kept.
pub(super) fn cache_name(device: &wgpu::Device) -> Option<String> {
    let kept = device.features().contains(FEATURES);
    kept.then(|| wgpu::util::pipeline_cache_key(&device.adapter_info())).flatten()
}

/// The name and kind that the adapter gave are all there is.
pub(super) fn name_adapter(_info: &mut AdapterInfo, _device: &wgpu::Device) {}

/// wgpu's default handler panics, which is wrong for a library.
pub(super) fn on_uncaught_error(device: &wgpu::Device, fault: Fault) {
    device.on_uncaptured_error(Arc::new(move |error| {
        fault.set(match error {
            wgpu::Error::OutOfMemory { .. } => {
                GpuError::OutOfMemory { label: "a GPU resource".into(), needed: 0 }
            }
            wgpu::Error::Validation { description, .. } | wgpu::Error::Internal { description, .. } => {
                GpuError::Validation { message: description }
            }
        });
    }));
}

/// Waits until a submit is through.
pub(super) fn wait(device: &wgpu::Device, index: wgpu::SubmissionIndex) -> Result<(), GpuError> {
    let poll =
        wgpu::PollType::Wait { submission_index: Some(index), timeout: Some(Duration::from_secs(TIMEOUT_S)) };
    match device.poll(poll) {
        Ok(_) => Ok(()),
        Err(wgpu::PollError::Timeout) => Err(GpuError::Stalled { seconds: TIMEOUT_S }),
        Err(error) => Err(GpuError::Validation { message: error.to_string() }),
    }
}

/// What ends a wait that lasts too long: natively [`wait`] does.
pub(super) struct Watch;

impl Watch {
    pub(super) const fn start(_fault: &Fault) -> Self {
        Self
    }
}

/// [`wait`] has waited for it.
pub(super) fn on_work_done(_queue: &wgpu::Queue, done: &Signal) {
    done.set(true);
}

/// wgpu frees a buffer with its last user.
pub(super) fn release(_buffer: &wgpu::Buffer) {}
