import type { EngineOptions, OpenOptions } from "./core/messages.js";
import { invalidParameter } from "./errors.js";
import { DEFAULT_HUB } from "./source/hub.js";
import type { LoadOptions, OtherOptions, PlanOptions, SourceOptions } from "./types.js";

/** Checked options of `load`. */
export function readLoadOptions(options: LoadOptions): EngineOptions {
  const { backend = "auto", subgroups = true, deterministic = false, guessMemory = false } = options;
  if (!["auto", "webgpu", "cpu"].includes(backend)) throw invalidParameter("backend", backend, "auto, webgpu, cpu");
  const switches = { subgroups, deterministic, guessMemory };
  for (const [name, value] of Object.entries(switches)) if (typeof value !== "boolean") throw invalidParameter(name, value, "true or false");
  const opened = readOpenOptions(options);
  // The builds round differently: the same bits wherever the file runs are those of the plain one.
  const relaxedUrl = deterministic ? null : opened.relaxedUrl;
  return { ...opened, relaxedUrl, connections: connections(options.connections), backend, contextLength: readContext(options), ...switches };
}

/** Checked options of `loadOther`; the rest is the engine's. */
export function readOtherOptions({ onProgress, sha256, connections: most }: OtherOptions): Pick<OpenOptions, "sha256" | "connections"> {
  if (onProgress !== undefined && typeof onProgress !== "function") throw invalidParameter("onProgress", onProgress, "a function");
  return { sha256: readSum(sha256), connections: connections(most) };
}

/** Checked options of `plan`. */
export function readOpenOptions(options: SourceOptions): OpenOptions {
  const { wasmUrl, cache = "auto", hubUrl = DEFAULT_HUB, sha256 } = options;
  if (!["auto", "opfs", "memory"].includes(cache)) throw invalidParameter("cache", cache, "auto, opfs, memory");
  return {
    wasmUrl: wasmUrl === undefined ? undefined : absolute("wasmUrl", wasmUrl),
    relaxedUrl: readRelaxedUrl(options),
    grammarUrl: readGrammarUrl(options),
    cache,
    hubUrl: absolute("hubUrl", hubUrl).replace(/\/+$/, ""),
    sha256: readSum(sha256),
    connections: 1,
  };
}

/** Whoever says where the one build lies may have only that. */
function readRelaxedUrl({ wasmUrl, relaxedUrl }: SourceOptions): string | null | undefined {
  if (relaxedUrl === false) return null;
  if (relaxedUrl !== undefined) return absolute("relaxedUrl", relaxedUrl);
  return wasmUrl === undefined ? undefined : null;
}

/** Whoever says where the one wasm file lies has put the other beside it, or says where. */
function readGrammarUrl({ wasmUrl, grammarUrl }: SourceOptions): string | undefined {
  if (grammarUrl !== undefined) return absolute("grammarUrl", grammarUrl);
  return wasmUrl === undefined ? undefined : new URL("goldcrest_grammar_bg.wasm", absolute("wasmUrl", wasmUrl)).href;
}

/** The checked context length. */
export function readContext({ contextLength }: LoadOptions | PlanOptions): number | undefined {
  if (contextLength === undefined || (Number.isSafeInteger(contextLength) && contextLength >= 1 && contextLength < 2 ** 31)) return contextLength;
  throw invalidParameter("contextLength", contextLength, "an integer, 1 and up");
}

function readSum(sha256: string | undefined): string | null {
  if (sha256 === undefined || /^[0-9a-fA-F]{64}$/.test(sha256)) return sha256?.toLowerCase() ?? null;
  throw invalidParameter("sha256", sha256, "64 hexadecimal digits");
}

function connections(value = 4): number {
  if (Number.isInteger(value) && value >= 1 && value <= 16) return value;
  throw invalidParameter("connections", value, "an integer, 1 to 16");
}

/** Addresses are the page's: in a worker a relative one would mean something else. */
function absolute(name: string, url: string | URL): string {
  const base = globalThis.document?.baseURI ?? globalThis.location?.href;
  if (!URL.canParse(String(url), base)) throw invalidParameter(name, url, "a URL");
  return new URL(url, base).href;
}
