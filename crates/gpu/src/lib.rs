//! The only crate that names `wgpu`: devices, buffers, plans, read-back and loss.
//!
//! A [`Device`] is about a dozen calls. Two stand here: wgpu's ([`open`]) and the CPU's ([`CpuDevice`]); tests add
//! one that can be lost, run out of memory or stall. Work is recorded once into a [`Plan`] and replayed; a step
//! makes no pipeline, bind group or buffer.

mod caps;
mod counters;
mod cpu_device;
mod device;
mod error;
mod open;
mod probe;
mod wgpu_device;

pub use caps::{AdapterInfo, AdapterKind, Caps};
pub use counters::Counters;
pub use cpu_device::CpuDevice;
pub use device::{Buffer, Device, Plan, Readback, Work, buffer_bytes};
pub use error::GpuError;
pub use goldcrest_kernels::{Dispatch, Slice};
pub use open::{Opened, Request, adapters, open};
pub use wgpu_device::WgpuDevice;
