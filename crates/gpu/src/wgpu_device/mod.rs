//! The device over wgpu: Vulkan, Metal and DX12 natively, WebGPU in a browser.

mod fault;
mod pipelines;
#[cfg_attr(not(target_arch = "wasm32"), path = "native.rs")]
#[cfg_attr(target_arch = "wasm32", path = "web.rs")]
mod platform;
mod readback;

use std::cell::RefCell;
use std::rc::Rc;

use goldcrest_kernels::{Dispatch, Slice};

use crate::counters::CounterCell;
use crate::device::{buffer_bytes, check_dispatch, check_range};
use crate::{AdapterInfo, AdapterKind, Buffer, Caps, Counters, Device, GpuError, Plan, Readback, Work};
use fault::Fault;
use pipelines::{Pipelines, RecordedDispatch};
use readback::StagingPool;

/// Longest wait for one submit, in seconds. Software adapters compile kernels inside the first one, which took minutes on a
/// machine with a load of ten; a hung driver needs a limit.
const TIMEOUT_S: u64 = 600;
/// Uniform parameters lie at this stride: WebGPU's default offset alignment.
const UNIFORM_STRIDE: u64 = 256;

/// A wgpu device and everything it has compiled.
pub struct WgpuDevice {
    info: AdapterInfo,
    caps: Caps,
    device: wgpu::Device,
    queue: wgpu::Queue,
    counters: Rc<CounterCell>,
    pipelines: RefCell<Pipelines>,
    staging: Rc<RefCell<StagingPool>>,
    fault: Fault,
}

struct WgpuPlan {
    dispatches: Vec<RecordedDispatch>,
}

impl WgpuDevice {
    /// The adapters that wgpu finds.
    pub async fn adapters() -> Vec<(AdapterInfo, wgpu::Adapter)> {
        platform::adapters()
            .await
            .into_iter()
            .map(|adapter| (adapter_info(&adapter.get_info()), adapter))
            .collect()
    }

    /// Opens a device with the adapter's own limits, and installs the handlers for loss and for uncaught errors.
    ///
    /// # Errors
    /// [`GpuError::DeviceRefused`].
    pub async fn open(mut info: AdapterInfo, adapter: &wgpu::Adapter) -> Result<Self, GpuError> {
        let limits = adapter.limits();
        let wanted = wgpu::Features::SHADER_F16 | wgpu::Features::SUBGROUP | platform::FEATURES;
        let features = adapter.features() & wanted;
        let descriptor = wgpu::DeviceDescriptor {
            label: Some("goldcrest"),
            required_features: features,
            required_limits: limits.clone(),
            memory_hints: wgpu::MemoryHints::MemoryUsage,
            ..Default::default()
        };
        let refused = |e: wgpu::RequestDeviceError| GpuError::DeviceRefused {
            adapter: info.name.clone(),
            reason: e.to_string(),
        };
        let (device, queue) = adapter.request_device(&descriptor).await.map_err(refused)?;
        let fault = Fault::default();
        let lost = fault.clone();
        device.set_device_lost_callback(move |reason, message| {
            lost.set(GpuError::Lost { reason: format!("{reason:?}: {message}") });
        });
        platform::on_uncaught_error(&device, fault.clone());
        platform::name_adapter(&mut info, &device);
        let details = adapter.get_info();
        let lanes = (details.subgroup_min_size, details.subgroup_max_size);
        let caps = Caps {
            max_buffer: limits.max_buffer_size,
            max_binding: limits.max_storage_buffer_binding_size,
            max_workgroup_bytes: limits.max_compute_workgroup_storage_size,
            max_invocations: limits.max_compute_invocations_per_workgroup,
            max_storage_buffers: limits.max_storage_buffers_per_shader_stage,
            subgroups: platform::has_subgroups(&device).then_some(lanes),
            f16: features.contains(wgpu::Features::SHADER_F16),
            packed_dot: platform::packed_dot(),
        };
        Ok(Self {
            info,
            caps,
            device,
            queue,
            counters: Rc::default(),
            pipelines: RefCell::default(),
            staging: Rc::default(),
            fault,
        })
    }

    fn wgpu_buffer<'a>(&self, buffer: &'a Buffer) -> Result<&'a wgpu::Buffer, GpuError> {
        buffer
            .raw::<wgpu::Buffer>()
            .ok_or_else(|| GpuError::Validation { message: format!("{buffer:?} belongs to another device") })
    }

    /// The pipeline of a dispatch, compiled to the end.
    ///
    /// lavapipe translates to machine code in the first dispatch, in some 20 to 50 MB of working memory. Doing that before
    /// weights are written keeps both from being resident together.
    fn pipeline(
        &self,
        dispatch: &Dispatch<Buffer>,
    ) -> Result<(wgpu::ComputePipeline, wgpu::BindGroupLayout), GpuError> {
        let mut pipelines = self.pipelines.borrow_mut();
        let n_before = pipelines.len();
        let (pipeline, layout) = pipelines.get(&self.device, &self.caps, dispatch, &self.counters)?;
        let lazy = self.info.kind == AdapterKind::Software && !cfg!(target_arch = "wasm32");
        if pipelines.len() > n_before && lazy {
            let shader = dispatch.shader.shader();
            let index = pipelines.force(&self.device, &self.queue, shader, &pipeline, &layout);
            platform::wait(&self.device, index)?;
            crate::shrink_heap();
        }
        Ok((pipeline, layout))
    }

    /// One buffer with the parameters of all dispatches of a plan.
    fn upload_uniforms(&self, dispatches: &[Dispatch<Buffer>]) -> wgpu::Buffer {
        let mut bytes = vec![0; dispatches.len().max(1) * UNIFORM_STRIDE as usize];
        for (slot, dispatch) in bytes.chunks_exact_mut(UNIFORM_STRIDE as usize).zip(dispatches) {
            let words: &[u8] = bytemuck::cast_slice(&dispatch.uniform);
            slot[..words.len()].copy_from_slice(words);
        }
        let buffer = self.device.create_buffer(&wgpu::BufferDescriptor {
            label: Some("plan parameters"),
            size: bytes.len() as u64,
            usage: wgpu::BufferUsages::UNIFORM | wgpu::BufferUsages::COPY_DST,
            mapped_at_creation: false,
        });
        self.queue.write_buffer(&buffer, 0, &bytes);
        self.counters.update(|c| c.buffers += 1);
        buffer
    }

    fn bind(
        &self,
        dispatch: &Dispatch<Buffer>,
        layout: &wgpu::BindGroupLayout,
        uniforms: &wgpu::Buffer,
        index: usize,
    ) -> Result<wgpu::BindGroup, GpuError> {
        let shader = dispatch.shader.shader();
        let mut entries = Vec::with_capacity(shader.bindings.len());
        for (slice, binding) in dispatch.bindings.iter().zip(shader.bindings) {
            let resource = wgpu::BindingResource::Buffer(wgpu::BufferBinding {
                buffer: self.wgpu_buffer(&slice.buffer)?,
                offset: slice.offset,
                size: wgpu::BufferSize::new(slice.size),
            });
            entries.push(wgpu::BindGroupEntry { binding: binding.index, resource });
        }
        if let (false, Some(binding)) = (dispatch.uniform.is_empty(), shader.bindings.last()) {
            let resource = wgpu::BindingResource::Buffer(wgpu::BufferBinding {
                buffer: uniforms,
                offset: index as u64 * UNIFORM_STRIDE,
                size: wgpu::BufferSize::new(UNIFORM_STRIDE),
            });
            entries.push(wgpu::BindGroupEntry { binding: binding.index, resource });
        }
        let descriptor = wgpu::BindGroupDescriptor { label: Some(shader.name), layout, entries: &entries };
        Ok(self.device.create_bind_group(&descriptor))
    }

    fn encode(&self, encoder: &mut wgpu::CommandEncoder, work: &[Work<'_>]) -> Result<u64, GpuError> {
        let mut n_dispatch = 0;
        let mut pass: Option<wgpu::ComputePass<'static>> = None;
        for item in work {
            match item {
                Work::Run { plan, range } => {
                    let foreign =
                        || GpuError::Validation { message: format!("{plan:?} belongs to another device") };
                    let recorded = plan.raw::<WgpuPlan>().ok_or_else(foreign)?;
                    let pass = pass.get_or_insert_with(|| {
                        encoder.begin_compute_pass(&wgpu::ComputePassDescriptor::default()).forget_lifetime()
                    });
                    for dispatch in &recorded.dispatches[range.clone()] {
                        pass.set_pipeline(&dispatch.pipeline);
                        pass.set_bind_group(0, &dispatch.bind_group, &[]);
                        pass.dispatch_workgroups(dispatch.grid[0], dispatch.grid[1], dispatch.grid[2]);
                        n_dispatch += 1;
                    }
                }
                Work::Copy { from, to } => {
                    pass = None;
                    check_range(&from.buffer, from.offset, from.size)?;
                    check_range(&to.buffer, to.offset, to.size)?;
                    let (source, target) = (self.wgpu_buffer(&from.buffer)?, self.wgpu_buffer(&to.buffer)?);
                    encoder.copy_buffer_to_buffer(source, from.offset, target, to.offset, from.size);
                }
            }
        }
        Ok(n_dispatch)
    }
}

impl Device for WgpuDevice {
    fn info(&self) -> &AdapterInfo {
        &self.info
    }

    fn caps(&self) -> &Caps {
        &self.caps
    }

    fn create_buffer(&self, label: &'static str, bytes: u64) -> Result<Buffer, GpuError> {
        self.fault.check()?;
        let bytes = buffer_bytes(bytes);
        if bytes > self.caps.max_buffer {
            return Err(GpuError::BufferTooLarge {
                label: label.into(),
                needed: bytes,
                limit: self.caps.max_buffer,
            });
        }
        let usage = wgpu::BufferUsages::STORAGE | wgpu::BufferUsages::COPY_SRC | wgpu::BufferUsages::COPY_DST;
        let descriptor =
            wgpu::BufferDescriptor { label: Some(label), size: bytes, usage, mapped_at_creation: false };
        let raw = self.device.create_buffer(&descriptor);
        if let Some(GpuError::OutOfMemory { .. }) = self.fault.take_out_of_memory() {
            return Err(GpuError::OutOfMemory { label: label.into(), needed: bytes });
        }
        self.fault.check()?;
        self.counters.update(|c| {
            c.buffers += 1;
            c.live_bytes += bytes;
        });
        let counters = Rc::clone(&self.counters);
        let released = raw.clone();
        let on_drop = move |bytes| {
            platform::release(&released);
            counters.update(|c| c.live_bytes -= bytes);
        };
        Ok(Buffer::new(label, bytes, Box::new(raw), Box::new(on_drop)))
    }

    fn write(&self, buffer: &Buffer, offset: u64, data: &[u8]) -> Result<(), GpuError> {
        self.fault.check()?;
        check_range(buffer, offset, data.len() as u64)?;
        self.queue.write_buffer(self.wgpu_buffer(buffer)?, offset, data);
        self.counters.update(|c| {
            c.writes += 1;
            c.bytes_written += data.len() as u64;
        });
        Ok(())
    }

    fn reuse_pipelines(&self, read: &dyn Fn(&str) -> Option<Vec<u8>>) {
        self.pipelines.borrow_mut().cache = platform::pipeline_cache(&self.device, read);
    }

    fn compiled_pipelines(&self) -> Option<(String, Vec<u8>)> {
        let pipelines = self.pipelines.borrow();
        Some((platform::cache_name(&self.device)?, pipelines.cache.as_ref()?.get_data()?))
    }

    fn compile(&self, dispatch: &Dispatch<Buffer>) -> Result<(), GpuError> {
        self.fault.check()?;
        check_dispatch(dispatch, &self.caps)?;
        self.pipeline(dispatch).map(drop)
    }

    fn record(&self, dispatches: Vec<Dispatch<Buffer>>) -> Result<Plan, GpuError> {
        self.fault.check()?;
        let uniforms = self.upload_uniforms(&dispatches);
        let mut recorded = Vec::with_capacity(dispatches.len());
        for (index, dispatch) in dispatches.iter().enumerate() {
            check_dispatch(dispatch, &self.caps)?;
            let (pipeline, layout) = self.pipeline(dispatch)?;
            let bind_group = self.bind(dispatch, &layout, &uniforms, index)?;
            recorded.push(RecordedDispatch { pipeline, bind_group, grid: dispatch.grid });
        }
        self.fault.check()?;
        self.counters.update(|c| {
            c.plans += 1;
            c.bind_groups += recorded.len() as u64;
        });
        Ok(Plan::new(recorded.len(), Box::new(WgpuPlan { dispatches: recorded })))
    }

    fn submit(&self, work: &[Work<'_>], reads: &[Slice<Buffer>]) -> Result<Readback, GpuError> {
        self.fault.check()?;
        let mut encoder = self.device.create_command_encoder(&wgpu::CommandEncoderDescriptor::default());
        let n_dispatch = self.encode(&mut encoder, work)?;
        let sizes: Vec<u64> = reads.iter().map(|s| s.size).collect();
        let staging = (!reads.is_empty())
            .then(|| self.staging.borrow_mut().take(&self.device, sizes.iter().sum(), &self.counters));
        let mut offset = 0;
        for slice in reads {
            check_range(&slice.buffer, slice.offset, slice.size)?;
            if let Some(staging) = &staging {
                let source = self.wgpu_buffer(&slice.buffer)?;
                encoder.copy_buffer_to_buffer(source, slice.offset, staging, offset, slice.size);
            }
            offset += slice.size;
        }
        let index = self.queue.submit([encoder.finish()]);
        self.counters.update(|c| {
            c.submits += 1;
            c.dispatches += n_dispatch;
            c.readbacks += u64::from(!reads.is_empty());
            c.bytes_read += offset;
        });
        let pool = Rc::clone(&self.staging);
        Ok(Readback::new(readback::read(
            self.device.clone(),
            &self.queue,
            index,
            staging,
            sizes,
            pool,
            self.fault.clone(),
        )))
    }

    fn destroy(&self) {
        self.fault.set(GpuError::Lost { reason: "it was destroyed on request".into() });
        self.device.destroy();
    }

    fn counters(&self) -> Counters {
        self.counters.get()
    }
}

impl Drop for WgpuDevice {
    fn drop(&mut self) {
        // Whatever plans and bind groups still hold, the memory goes back now.
        if cfg!(target_arch = "wasm32") {
            self.device.destroy();
        }
    }
}

fn adapter_info(info: &wgpu::AdapterInfo) -> AdapterInfo {
    let software = is_software(&info.name);
    let kind = match info.device_type {
        wgpu::DeviceType::Cpu => AdapterKind::Software,
        _ if software => AdapterKind::Software,
        wgpu::DeviceType::DiscreteGpu => AdapterKind::Discrete,
        wgpu::DeviceType::IntegratedGpu => AdapterKind::Integrated,
        wgpu::DeviceType::VirtualGpu => AdapterKind::Virtual,
        wgpu::DeviceType::Other => AdapterKind::Unknown,
    };
    let backend = match info.backend {
        wgpu::Backend::Vulkan => "vulkan",
        wgpu::Backend::Metal => "metal",
        wgpu::Backend::Dx12 => "dx12",
        wgpu::Backend::BrowserWebGpu => "webgpu",
        wgpu::Backend::Gl => "gl",
        wgpu::Backend::Noop => "noop",
    };
    let driver = format!("{} {}", info.driver, info.driver_info).trim().to_owned();
    AdapterInfo { name: info.name.clone(), backend, kind, driver }
}

/// Whether a name belongs to a software implementation.
fn is_software(name: &str) -> bool {
    let name = name.to_lowercase();
    ["llvmpipe", "swiftshader", "basic render"].iter().any(|n| name.contains(n))
}
