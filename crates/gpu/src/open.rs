//! Choosing an adapter.

use std::fmt;
use std::rc::Rc;

use crate::{AdapterInfo, AdapterKind, CpuDevice, Device, GpuError, WgpuDevice, probe};

/// What the caller asks for.
#[derive(Clone, Debug, Default)]
pub struct Request {
    /// `auto` or empty: a hardware adapter, else a software one or the CPU, whichever multiplies faster. `cpu`: the CPU without
    /// any graphics driver. A backend name (`vulkan`, `metal`, `dx12`, in a browser `webgpu`) or a part of an adapter's name, in
    /// any case: that adapter or an error.
    pub adapter: String,
    /// `auto` decides without measuring: a hardware adapter, else the CPU.
    pub deterministic: bool,
}

/// An open device.
#[derive(Clone)]
pub struct Opened {
    /// The device.
    pub device: Rc<dyn Device>,
    /// Why `auto` did not take, or did take, what only emulates a GPU; nothing where hardware computes or the caller chose.
    pub note: Option<String>,
}

impl fmt::Debug for Opened {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Opened").field("device", self.device.info()).field("note", &self.note).finish()
    }
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
pub async fn open(request: &Request) -> Result<Opened, GpuError> {
    let wanted = request.adapter.trim().to_lowercase();
    let auto = wanted.is_empty() || wanted == "auto";
    if wanted == "cpu" {
        return Ok(Opened { device: Rc::new(CpuDevice::new()), note: None });
    }
    let mut found = WgpuDevice::adapters().await;
    let names = found.iter().map(|(info, _)| info.name.clone()).collect();
    found.retain(|(info, _)| auto || info.backend == wanted || info.name.to_lowercase().contains(&wanted));
    found.sort_by_key(|(info, _)| rank(info.kind));
    let Some((info, adapter)) = found.into_iter().next() else {
        if auto {
            let device = CpuDevice::new();
            let note = format!("there is no graphics adapter: running on the {}", device.info().name);
            return Ok(Opened { device: Rc::new(device), note: Some(note) });
        }
        return Err(GpuError::NoAdapter { requested: request.adapter.clone(), found: names });
    };
    if auto && request.deterministic && info.kind == AdapterKind::Software {
        let device = CpuDevice::new();
        let note = format!("running on the {}: nothing is measured to choose", device.info().name);
        return Ok(Opened { device: Rc::new(device), note: Some(note) });
    }
    let device = WgpuDevice::open(info, &adapter).await?;
    if auto && device.info().kind == AdapterKind::Software {
        return Ok(faster(Rc::new(device), Rc::new(CpuDevice::new())).await);
    }
    Ok(Opened { device: Rc::new(device), note: None })
}

/// Takes the faster of an adapter that is software and the CPU.
async fn faster(software: Rc<dyn Device>, cpu: Rc<dyn Device>) -> Opened {
    let name = |device: &Rc<dyn Device>| match device.info().kind {
        AdapterKind::Cpu => format!("the {}", device.info().name),
        // What stands in brackets are versions.
        _ => device.info().name.split(" (").next().unwrap_or_default().to_owned(),
    };
    let (software_name, cpu_name) = (name(&software), name(&cpu));
    match (probe::time(software.as_ref()).await, probe::time(cpu.as_ref()).await) {
        (Err(error), _) => {
            let note = format!("running on {cpu_name}: {software_name} failed ({error})");
            Opened { device: cpu, note: Some(note) }
        }
        (Ok(taken), Ok(by_cpu)) if by_cpu < taken => {
            let note = format!("running on {cpu_name}: faster here than {software_name}");
            Opened { device: cpu, note: Some(note) }
        }
        _ => {
            let note = format!("running on {software_name}: faster here than {cpu_name}");
            Opened { device: software, note: Some(note) }
        }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_faster_one_is_taken_and_the_other_named() {
        // The twins take some 40 times as long as the loops with vectors, optimised or not.
        let (fast, slow): (Rc<dyn Device>, Rc<dyn Device>) =
            (Rc::new(CpuDevice::new()), Rc::new(CpuDevice::twins()));
        let took_cpu = pollster::block_on(faster(Rc::clone(&slow), Rc::clone(&fast)));
        let took_other = pollster::block_on(faster(Rc::clone(&fast), Rc::clone(&slow)));
        for took in [took_cpu, took_other] {
            assert_eq!(took.device.info().name, fast.info().name);
            let note = took.note.unwrap_or_default();
            assert!(note.starts_with(&format!("running on the {}: faster", fast.info().name)), "{note}");
            assert!(note.ends_with("than the CPU twins"), "{note}");
        }
    }

    #[test]
    fn an_adapter_that_fails_is_not_taken() {
        let broken: Rc<dyn Device> = Rc::new(CpuDevice::new());
        broken.destroy();
        let took = pollster::block_on(faster(broken, Rc::new(CpuDevice::twins())));
        assert_eq!(took.device.info().name, "CPU twins");
        assert!(took.note.unwrap_or_default().contains("failed (the GPU device was lost"));
    }
}
