//! The devices that cases run on.

use std::rc::Rc;

use goldcrest_gpu::{CpuDevice, Device, GpuError, WgpuDevice};

/// Set to 1 where a missing adapter is a failure.
pub const REQUIRE: &str = "GOLDCREST_REQUIRE_GPU";

/// The processor itself as a device, for tests of crates that know none.
#[must_use]
pub fn cpu() -> Rc<dyn Device> {
    Rc::new(CpuDevice::new())
}

/// The first adapter that a GPU API offers, for the same tests.
#[must_use]
pub fn adapter() -> Option<Rc<dyn Device>> {
    let (info, adapter) = pollster::block_on(WgpuDevice::adapters()).into_iter().next()?;
    let device = pollster::block_on(WgpuDevice::open(info, &adapter)).ok()?;
    Some(Rc::new(device))
}

/// The CPU twins first, then the CPU's products in each kind of its vectors, then every adapter.
///
/// # Errors
/// [`GpuError::NoAdapter`] if there is none and [`REQUIRE`] is set, or why one could not be opened.
pub fn devices() -> Result<Vec<Rc<dyn Device>>, GpuError> {
    let mut devices: Vec<Rc<dyn Device>> = vec![Rc::new(CpuDevice::twins())];
    devices.extend(CpuDevice::each().into_iter().map(|device| Rc::new(device) as Rc<dyn Device>));
    let n_cpu = devices.len();
    for (info, adapter) in pollster::block_on(WgpuDevice::adapters()) {
        devices.push(Rc::new(pollster::block_on(WgpuDevice::open(info, &adapter))?));
    }
    if devices.len() == n_cpu {
        if std::env::var(REQUIRE).is_ok_and(|v| v == "1") {
            return Err(GpuError::NoAdapter { requested: "any".into(), found: Vec::new() });
        }
        eprintln!("skip: no Vulkan adapter");
    }
    Ok(devices)
}
