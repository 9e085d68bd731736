//! Compiled pipelines, one per variant and set of override values.

use std::collections::HashMap;

use goldcrest_kernels::{BindingKind, Dispatch, Feature, Shader, ShaderId};

use super::platform;
use crate::counters::CounterCell;
use crate::{Buffer, Caps, GpuError};

/// A dispatch with everything it needs at replay.
pub(crate) struct RecordedDispatch {
    pub(crate) pipeline: wgpu::ComputePipeline,
    pub(crate) bind_group: wgpu::BindGroup,
    pub(crate) grid: [u32; 3],
}

/// A variant with the bit patterns of its override values.
type PipelineKey = (ShaderId, Vec<(&'static str, u64)>);

struct Compiled {
    module: wgpu::ShaderModule,
    bind_layout: wgpu::BindGroupLayout,
    pipeline_layout: wgpu::PipelineLayout,
}

#[derive(Default)]
pub(crate) struct Pipelines {
    shaders: HashMap<ShaderId, Compiled>,
    pipelines: HashMap<PipelineKey, wgpu::ComputePipeline>,
    /// What the driver keeps of compiled pipelines, from process to process.
    pub(crate) cache: Option<wgpu::PipelineCache>,
    /// Bound in [`Pipelines::force`], one for each binding.
    blank: Vec<wgpu::Buffer>,
}

impl Pipelines {
    /// Pipelines made so far.
    pub(crate) fn len(&self) -> usize {
        self.pipelines.len()
    }

    pub(crate) fn get(
        &mut self,
        device: &wgpu::Device,
        caps: &Caps,
        dispatch: &Dispatch<Buffer>,
        counters: &CounterCell,
    ) -> Result<(wgpu::ComputePipeline, wgpu::BindGroupLayout), GpuError> {
        let shader = dispatch.shader.shader();
        check_features(shader, caps)?;
        let compiled = self.shaders.entry(dispatch.shader).or_insert_with(|| compile(device, shader));
        let cache = self.cache.as_ref();
        let key = (dispatch.shader, dispatch.overrides.iter().map(|(n, v)| (*n, v.to_bits())).collect());
        let pipeline = self.pipelines.entry(key).or_insert_with(|| {
            counters.update(|c| c.pipelines += 1);
            device.create_compute_pipeline(&wgpu::ComputePipelineDescriptor {
                label: Some(shader.name),
                layout: Some(&compiled.pipeline_layout),
                module: &compiled.module,
                entry_point: Some("main"),
                compilation_options: wgpu::PipelineCompilationOptions {
                    constants: &dispatch.overrides,
                    // Kernels write what they read; zeroes would cost a barrier, which lavapipe compiles slowly.
                    zero_initialize_workgroup_memory: false,
                },
                cache,
            })
        });
        Ok((pipeline.clone(), compiled.bind_layout.clone()))
    }

    /// Makes a driver compile a pipeline that it would compile in its first dispatch, by a dispatch of no workgroups.
    pub(crate) fn force(
        &mut self,
        device: &wgpu::Device,
        queue: &wgpu::Queue,
        shader: &Shader,
        pipeline: &wgpu::ComputePipeline,
        layout: &wgpu::BindGroupLayout,
    ) -> wgpu::SubmissionIndex {
        while self.blank.len() < shader.bindings.len() {
            self.blank.push(device.create_buffer(&wgpu::BufferDescriptor {
                label: Some("blank"),
                size: 1024,
                usage: wgpu::BufferUsages::STORAGE | wgpu::BufferUsages::UNIFORM,
                mapped_at_creation: false,
            }));
        }
        let entries: Vec<_> = shader
            .bindings
            .iter()
            .zip(&self.blank)
            .map(|(binding, buffer)| wgpu::BindGroupEntry {
                binding: binding.index,
                resource: buffer.as_entire_binding(),
            })
            .collect();
        let group = device.create_bind_group(&wgpu::BindGroupDescriptor {
            label: Some(shader.name),
            layout,
            entries: &entries,
        });
        let mut encoder = device.create_command_encoder(&wgpu::CommandEncoderDescriptor::default());
        let mut pass = encoder.begin_compute_pass(&wgpu::ComputePassDescriptor::default());
        pass.set_pipeline(pipeline);
        pass.set_bind_group(0, &group, &[]);
        pass.dispatch_workgroups(0, 0, 0);
        drop(pass);
        queue.submit([encoder.finish()])
    }
}

fn check_features(shader: &Shader, caps: &Caps) -> Result<(), GpuError> {
    for need in shader.needs {
        let (present, feature) = match need {
            Feature::F16 => (caps.f16, "shader-f16"),
            Feature::Subgroups => (caps.subgroups.is_some(), "subgroups"),
            Feature::PackedDot => (caps.packed_dot, "packed_4x8_integer_dot_product"),
        };
        if !present {
            return Err(GpuError::MissingFeature { shader: shader.name, feature });
        }
    }
    Ok(())
}

fn compile(device: &wgpu::Device, shader: &Shader) -> Compiled {
    let module = device.create_shader_module(wgpu::ShaderModuleDescriptor {
        label: Some(shader.name),
        source: wgpu::ShaderSource::Wgsl(platform::text(shader)),
    });
    let entries: Vec<_> = shader
        .bindings
        .iter()
        .map(|binding| wgpu::BindGroupLayoutEntry {
            binding: binding.index,
            visibility: wgpu::ShaderStages::COMPUTE,
            ty: wgpu::BindingType::Buffer {
                ty: match binding.kind {
                    BindingKind::Read => wgpu::BufferBindingType::Storage { read_only: true },
                    BindingKind::ReadWrite => wgpu::BufferBindingType::Storage { read_only: false },
                    BindingKind::Uniform => wgpu::BufferBindingType::Uniform,
                },
                has_dynamic_offset: false,
                min_binding_size: None,
            },
            count: None,
        })
        .collect();
    let bind_layout = device.create_bind_group_layout(&wgpu::BindGroupLayoutDescriptor {
        label: Some(shader.name),
        entries: &entries,
    });
    let pipeline_layout = device.create_pipeline_layout(&wgpu::PipelineLayoutDescriptor {
        label: Some(shader.name),
        bind_group_layouts: &[Some(&bind_layout)],
        immediate_size: 0,
    });
    Compiled { module, bind_layout, pipeline_layout }
}
