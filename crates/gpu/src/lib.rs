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
mod heap;
mod open;
mod probe;
mod wgpu_device;

/// wgpu's version, for reports. A test compares it with the lock file.
pub const WGPU_VERSION: &str = "30.0.1";

pub use caps::{AdapterInfo, AdapterKind, Caps};
pub use counters::Counters;
pub use cpu_device::CpuDevice;
pub use device::{Buffer, Device, Plan, Readback, Work, buffer_bytes};
pub use error::GpuError;
pub use goldcrest_kernels::{Dispatch, Slice};
pub use heap::shrink_heap;
pub use open::{Opened, Request, adapters, open};
pub use wgpu_device::WgpuDevice;

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests fail loudly")]

    #[test]
    fn the_version_of_wgpu_is_the_lock_file_s() {
        let lock = concat!(env!("CARGO_MANIFEST_DIR"), "/../../Cargo.lock");
        let lock = std::fs::read_to_string(lock).unwrap();
        let entry = lock.split("[[package]]").find(|entry| entry.starts_with("\nname = \"wgpu\"\n")).unwrap();
        assert!(entry.contains(&format!("version = \"{}\"", super::WGPU_VERSION)), "{entry}");
    }
}
