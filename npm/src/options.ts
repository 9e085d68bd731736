import type { EngineOptions, OpenOptions } from "./core/messages.js";
import { invalidParameter } from "./errors.js";
import { DEFAULT_HUB } from "./source/hub.js";
import type { LoadOptions, PlanOptions, SourceOptions } from "./types.js";

/** Checked options of `load`. */
export function readLoadOptions(options: LoadOptions): EngineOptions {
  const { backend = "auto", subgroups = true } = options;
  if (!["auto", "webgpu", "cpu"].includes(backend)) throw invalidParameter("backend", backend, "auto, webgpu, cpu");
  if (typeof subgroups !== "boolean") throw invalidParameter("subgroups", subgroups, "true or false");
  return { ...readOpenOptions(options), connections: connections(options.connections), backend, contextLength: readContext(options), subgroups };
}

/** Checked options of `plan`. */
export function readOpenOptions(options: SourceOptions): OpenOptions {
  const { wasmUrl, cache = "auto", hubUrl = DEFAULT_HUB, sha256 } = options;
  if (!["auto", "opfs", "memory"].includes(cache)) throw invalidParameter("cache", cache, "auto, opfs, memory");
  if (sha256 !== undefined && !/^[0-9a-fA-F]{64}$/.test(sha256)) throw invalidParameter("sha256", sha256, "64 hexadecimal digits");
  return {
    wasmUrl: wasmUrl === undefined ? undefined : absolute("wasmUrl", wasmUrl),
    grammarUrl: readGrammarUrl(options),
    cache,
    hubUrl: absolute("hubUrl", hubUrl).replace(/\/+$/, ""),
    sha256: sha256?.toLowerCase() ?? null,
    connections: 1,
  };
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
