//! `goldcrest doctor`: what this machine can compute on.

use std::rc::Rc;

use goldcrest::gpu::{self, AdapterInfo, AdapterKind, Caps, Device};
use goldcrest::kernels::Profile;
use goldcrest::{EngineError, SelfTest};
use serde_json::{Value, json};

use crate::context::Context;
use crate::error::CliError;
use crate::output;

/// Show the adapters of this machine and what the chosen one can do
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Which adapter to open: auto, cpu, vulkan, metal, dx12, or a part of a name
    #[arg(long, value_name = "NAME", default_value = "auto")]
    adapter: String,
    /// Check every kernel on the device against the CPU
    #[arg(long)]
    selftest: bool,
    /// Print one JSON object instead of text
    #[arg(long)]
    json: bool,
}

/// Opens the adapter as a model would.
pub(crate) fn run(args: Args, _context: &Context) -> Result<(), CliError> {
    let adapters = pollster::block_on(gpu::adapters());
    let open = |adapter: String| {
        pollster::block_on(gpu::open(&gpu::Request { adapter, deterministic: false }))
            .map_err(EngineError::from)
    };
    let auto = open("auto".to_owned())?;
    let chosen = &auto.device.info().name;
    let why = auto.note.as_deref().unwrap_or("the best hardware");
    let is_auto = ["", "auto"].contains(&args.adapter.trim().to_lowercase().as_str());
    let device = if is_auto { Rc::clone(&auto.device) } else { open(args.adapter)?.device };
    let (info, caps) = (device.info(), device.caps());
    let profile = match info.kind {
        AdapterKind::Software | AdapterKind::Cpu => Profile::SOFTWARE,
        _ => Profile::CORE,
    };
    let tested = if args.selftest { run_selftest(&device)? } else { Vec::new() };
    if args.json {
        output::json(&json!({
            "adapter": described(info),
            "auto": { "adapter": chosen, "why": why },
            "adapters": adapters.iter().map(described).collect::<Vec<_>>(),
            "limits": {
                "max_buffer": caps.max_buffer,
                "max_binding": caps.max_binding,
                "max_workgroup_bytes": caps.max_workgroup_bytes,
                "max_invocations": caps.max_invocations,
                "max_storage_buffers": caps.max_storage_buffers,
            },
            "features": { "f16": caps.f16, "subgroups": caps.subgroups.map(|(min, max)| [min, max]) },
            "profile": profile.name,
            "selftest": args.selftest.then(|| tested.iter().map(outcome).collect::<Vec<_>>()),
        }))?;
        return verdict(&tested);
    }
    for adapter in &adapters {
        let mark = if adapter == info { "*" } else { " " };
        let AdapterInfo { name, backend, driver, .. } = adapter;
        output::line(&format!("{mark} {name} ({backend}, {}; {driver})", adapter.kind.name()))?;
    }
    output::line(&format!("\n{:<20}{chosen}: {why}", "auto takes"))?;
    output::line(&limits(caps))?;
    output::line(&format!("kernels             profile {}", profile.name))?;
    for test in &tested {
        let verdict = if test.ok { "ok" } else { "WRONG" };
        output::line(&format!("self-test  {:<16}{verdict}", test.name))?;
    }
    verdict(&tested)
}

fn run_selftest(device: &Rc<dyn Device>) -> Result<Vec<SelfTest>, CliError> {
    Ok(pollster::block_on(goldcrest::selftest(device, &[]))?)
}

fn outcome(test: &SelfTest) -> Value {
    json!({ "name": test.name, "ok": test.ok, "sums": test.sums })
}

fn verdict(tested: &[SelfTest]) -> Result<(), CliError> {
    let wrong: Vec<&str> = tested.iter().filter(|t| !t.ok).map(|t| t.name.as_str()).collect();
    if wrong.is_empty() { Ok(()) } else { Err(CliError::SelfTest { formats: wrong.join(", ") }) }
}

fn described(info: &AdapterInfo) -> Value {
    json!({ "name": info.name, "backend": info.backend, "type": info.kind.name(), "driver": info.driver })
}

fn limits(caps: &Caps) -> String {
    let subgroups = match caps.subgroups {
        Some((min, max)) => format!("{min} to {max} lanes"),
        None => "no".to_owned(),
    };
    let rows = [
        ("largest buffer", output::size(caps.max_buffer)),
        ("largest binding", output::size(caps.max_binding)),
        ("workgroup memory", format!("{} bytes", caps.max_workgroup_bytes)),
        ("workgroup size", caps.max_invocations.to_string()),
        ("storage buffers", caps.max_storage_buffers.to_string()),
        ("16-bit floats", if caps.f16 { "yes" } else { "no" }.to_owned()),
        ("subgroups", subgroups),
    ];
    rows.map(|(name, value)| format!("{name:<20}{value}")).join("\n")
}
