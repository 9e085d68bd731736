//! Choosing an adapter.

use std::rc::Rc;

use crate::{AdapterInfo, AdapterKind, CpuDevice, Device, GpuError, WgpuDevice};

/// What the caller asks for.
#[derive(Clone, Debug, Default)]
pub struct Request {
    /// `auto` or empty: a hardware adapter, else a software one, else the CPU. `cpu`: the CPU without any graphics driver. A backend name
    /// (`vulkan`, `metal`, `dx12`, in a browser `webgpu`) or a part of an adapter's name, in any case: that adapter or an error.
    pub adapter: String,
}

/// All adapters of this machine, the CPU last.
pub async fn adapters() -> Vec<AdapterInfo> {
    let mut found: Vec<_> = WgpuDevice::adapters().await.into_iter().map(|(info, _)| info).collect();
    found.push(CpuDevice::new().info().clone());
    found
}

/// Opens the device that `request` names.
///
/// # Errors
/// [`GpuError::NoAdapter`] when nothing matches, [`GpuError::DeviceRefused`] when the adapter gives no device.
pub async fn open(request: &Request) -> Result<Rc<dyn Device>, GpuError> {
    let wanted = request.adapter.trim().to_lowercase();
    let auto = wanted.is_empty() || wanted == "auto";
    if wanted == "cpu" {
        return Ok(Rc::new(CpuDevice::new()));
    }
    let mut found = WgpuDevice::adapters().await;
    let names = found.iter().map(|(info, _)| info.name.clone()).collect();
    found.retain(|(info, _)| auto || info.backend == wanted || info.name.to_lowercase().contains(&wanted));
    found.sort_by_key(|(info, _)| rank(info.kind));
    match found.into_iter().next() {
        Some((info, adapter)) => Ok(Rc::new(WgpuDevice::open(info, &adapter).await?)),
        None if auto => Ok(Rc::new(CpuDevice::new())),
        None => Err(GpuError::NoAdapter { requested: request.adapter.clone(), found: names }),
    }
}

fn rank(kind: AdapterKind) -> u8 {
    match kind {
        AdapterKind::Discrete => 0,
        AdapterKind::Integrated => 1,
        AdapterKind::Virtual | AdapterKind::Unknown => 2,
        AdapterKind::Software | AdapterKind::Cpu => 3,
    }
}
