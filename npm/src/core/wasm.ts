import { GoldcrestError } from "../errors.js";
import { fileBytes, isNode } from "../source/node.js";
import { VERSION } from "../version.js";
import type { ByteSource } from "./bytes.js";
import type { EventAnswer } from "./facts.js";

/** What the engine polls between steps. */
export interface WasmSignal {
  readonly aborted: boolean;
}

/** The engine as the wasm module exports it. Structured data crosses as JSON. */
export interface WasmEngine {
  info(): string;
  generate(request: string, onEvent: (event: string) => EventAnswer | Promise<EventAnswer>, signal: WasmSignal): Promise<string>;
  trace(request: string): Promise<string>;
  score(request: string): Promise<string>;
  classify(request: string): Promise<string>;
  tokenize(text: string, addSpecial: boolean, parseSpecial: boolean): Uint32Array;
  pieces(tokens: Uint32Array): string;
  detokenize(tokens: Uint32Array): string;
  applyChatTemplate(input: string): string;
  selftest(): Promise<string>;
  loseDevice(): void;
  free(): void;
}

/** The wasm module's exports. */
export interface WasmModule {
  readonly Engine: {
    load(
      source: ByteSource,
      options: string,
      onProgress: (phase: string, loaded: number, total: number) => void,
      signal: WasmSignal,
    ): Promise<WasmEngine>;
  };
  readonly Sha256: new () => { update(bytes: Uint8Array): void; digestHex(): string; free(): void };
  plan(source: ByteSource, contextLength: number | undefined): Promise<string>;
  strategies(): string;
  version(): string;
}

/** The module with its start function. */
export interface WasmGlue extends WasmModule {
  default(arg: { module_or_path: URL | Response | BufferSource | WebAssembly.Module }): Promise<unknown>;
}

/** Starts the wasm module when it is first needed, and a fresh one after a trap. */
export class WasmHost {
  #instance: Promise<WasmModule> | undefined;
  #traps = 0;

  /** The module; one instance for all engines of this realm. */
  get(wasmUrl: string | undefined): Promise<WasmModule> {
    this.#instance ??= this.#start(wasmUrl);
    const instance = this.#instance;
    instance.catch(() => {
      if (this.#instance === instance) this.#instance = undefined;
    });
    return instance;
  }

  /** Gives up an instance whose memory can no longer be trusted. Engines that share it fail, and are built anew by their owners. */
  async discard(module: WasmModule): Promise<void> {
    if (this.#instance === undefined || (await this.#instance.catch(() => undefined)) !== module) return;
    this.#instance = undefined;
    this.#traps += 1;
  }

  async #start(wasmUrl: string | undefined): Promise<WasmModule> {
    const url = wasmUrl === undefined ? new URL("../wasm/goldcrest_wasm_bg.wasm", import.meta.url) : new URL(wasmUrl, import.meta.url);
    let glue: WasmGlue;
    try {
      glue = this.#traps === 0 ? await import("../wasm/goldcrest_wasm.js") : await freshGlue(this.#traps);
      await glue.default({ module_or_path: url.protocol === "file:" && isNode() ? await fileBytes(url) : url });
    } catch (error) {
      throw new GoldcrestError("E_WASM", `the engine's code could not be loaded: ${error instanceof Error ? error.message : String(error)}`, {
        help: `${url.href} must be this package's goldcrest_wasm_bg.wasm (option wasmUrl), and the page's policy must allow 'wasm-unsafe-eval'`,
        cause: error,
      });
    }
    checkVersion(glue.version());
    return glue;
  }
}

/** The glue keeps its instance in module variables: another instance takes another copy of the module. */
async function freshGlue(number: number): Promise<WasmGlue> {
  const url = new URL("../wasm/goldcrest_wasm.js", import.meta.url);
  url.searchParams.set("instance", String(number));
  return import(/* webpackIgnore: true */ /* @vite-ignore */ url.href) as Promise<WasmGlue>;
}

function checkVersion(found: string): void {
  if (found === VERSION) return;
  throw new GoldcrestError("E_VERSION", `the wasm file is of version ${found}, this package of ${VERSION}`, {
    help: "serve the goldcrest_wasm_bg.wasm of the same version (option wasmUrl)",
    details: { found, expected: VERSION },
  });
}
