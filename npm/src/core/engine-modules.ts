import { WasmHost, type WasmModule } from "./wasm.js";

/** Where the two builds of the engine lie. */
export interface EngineUrls {
  readonly wasmUrl: string | undefined;
  /** The build with relaxed vectors; `null` if the other one is to be taken. */
  readonly relaxedUrl: string | null | undefined;
}

/** A function of the instruction that the build with relaxed vectors is made for, `i16x8.relaxed_dot_i8x16_i7x16_s` of two splats. */
const PROBE = Uint8Array.of(
  ...[0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00],
  ...[0x01, 0x05, 0x01, 0x60, 0x00, 0x01, 0x7b],
  ...[0x03, 0x02, 0x01, 0x00],
  ...[0x0a, 0x0f, 0x01, 0x0d, 0x00, 0x41, 0x00, 0xfd, 0x0f, 0x41, 0x00, 0xfd, 0x0f, 0xfd, 0x92, 0x02, 0x0b],
);

/** Whether this platform has relaxed vectors: Chrome since 114, Firefox since 145, Node since 21, not Safari. */
export function hasRelaxedVectors(): boolean {
  return WebAssembly.validate(PROBE);
}

/** The engine's module, in the build for this platform. */
export class EngineModules {
  readonly #plain = WasmHost.engine();
  readonly #relaxed = WasmHost.relaxed();

  /** A build with relaxed vectors that is not where the package has it, as after a copy by hand, is done without. */
  async get({ wasmUrl, relaxedUrl }: EngineUrls): Promise<WasmModule> {
    if (relaxedUrl === null || !hasRelaxedVectors()) return this.#plain.get(wasmUrl);
    if (relaxedUrl !== undefined) return this.#relaxed.get(relaxedUrl);
    return this.#relaxed.get(undefined).catch(() => this.#plain.get(wasmUrl));
  }

  /** Gives up an instance after a trap. */
  async discard(module: WasmModule): Promise<void> {
    await Promise.all([this.#plain.discard(module), this.#relaxed.discard(module)]);
  }
}
