import type { Engine, SelfTestReport } from "goldcrest";
import { bytes } from "../format.js";

/** A line of the report. */
export type Fact = readonly [name: string, value: string];

const LIMITS = [
  ["maxBufferSize", "Largest buffer"],
  ["maxStorageBufferBindingSize", "Largest binding"],
  ["maxComputeInvocationsPerWorkgroup", "Threads of a workgroup"],
  ["maxComputeWorkgroupStorageSize", "Memory of a workgroup"],
  ["maxStorageBuffersPerShaderStage", "Buffers of a kernel"],
] as const;

/** What the browser says of the machine, and the engine of itself. */
export async function deviceFacts(engine: Engine | null): Promise<Fact[]> {
  return [...browserFacts(), ...(await adapterFacts()), ...(engine ? engineFacts(engine) : [])];
}

/** The report as text for an issue: facts as a list, the self-test as JSON. */
export function reportText(facts: readonly Fact[], selfTest: SelfTestReport | null): string {
  const list = facts.map(([name, value]) => `- ${name}: ${value}`).join("\n");
  if (!selfTest) return `${list}\n`;
  return `${list}\n\nself-test\n\`\`\`json\n${JSON.stringify(selfTest, null, 1)}\n\`\`\`\n`;
}

function browserFacts(): Fact[] {
  const { deviceMemory } = navigator as { deviceMemory?: number };
  return [
    ["Browser", navigator.userAgent],
    ["Processor threads", String(navigator.hardwareConcurrency)],
    ["Memory", deviceMemory === undefined ? "not told" : `${deviceMemory} GB${deviceMemory === 8 ? " or more" : ""}`],
    ["Page", `${isSecureContext ? "secure" : "not secure"}, ${crossOriginIsolated ? "isolated" : "not isolated"}`],
  ];
}

async function adapterFacts(): Promise<Fact[]> {
  if (!navigator.gpu) return [["WebGPU", "not offered by this browser"]];
  const adapter = await navigator.gpu.requestAdapter();
  if (!adapter) return [["WebGPU", "offered, but there is no adapter"]];
  const { vendor, architecture, device, description } = adapter.info;
  const names = [vendor, architecture, device, description].filter((name) => name !== "");
  return [
    ["WebGPU adapter", names.join(", ") || "nameless"],
    ["Features", [...adapter.features].sort().join(", ") || "none"],
    ...LIMITS.map(([limit, name]): Fact => [name, limit.endsWith("Size") ? bytes(adapter.limits[limit]) : String(adapter.limits[limit])]),
  ];
}

function engineFacts({ info }: Engine): Fact[] {
  const { model, adapter, memory } = info;
  return [
    ["Model", `${model.name} (${model.arch}, ${model.fileType})`],
    ["Computed by", `${adapter.name} (${info.backend}, ${adapter.type}${adapter.driver ? `, ${adapter.driver}` : ""})`],
    ["Kernels", `${info.profile}${info.features.length ? ` with ${info.features.join(", ")}` : ""}`],
    ["Memory in use", `${bytes(memory.total)} for ${info.contextLength} tokens`],
    ["Worker", info.worker ? "yes" : "no"],
    ...info.notes.map((note): Fact => ["Note", note]),
  ];
}
