import { GoldcrestError } from "../errors.js";
import { fileBytes, isNode } from "../source/node.js";
import { VERSION } from "../version.js";
import type { ByteSource } from "./bytes.js";
import type { EventAnswer } from "./facts.js";

/** What the engine polls between steps. */
export interface WasmSignal {
  readonly aborted: boolean;
}

/** Says token by token what may come. */
export interface WasmConstraint {
  /** Before each mask: a promise is waited for. */
  ready(): Promise<void> | undefined;
  /** The tokens that may come next: bit `i % 32` of word `i / 32` stands for token `i`. */
  mask(): Uint32Array;
  commit(token: number): void;
  rollback(n: number): void;
  /** Tokens that must follow; empty where there is a choice. */
  forced(): Uint32Array;
  isAccepting(): boolean;
  isOver(): boolean;
  fork(): WasmConstraint;
}

/** The engine as the wasm module exports it. Structured data crosses as JSON. */
export interface WasmEngine {
  info(): string;
  generate(
    request: string,
    onEvent: (event: string) => EventAnswer | Promise<EventAnswer>,
    signal: WasmSignal,
    constraint?: WasmConstraint,
  ): Promise<string>;
  loadOther(source: ByteSource, onProgress: (phase: string, loaded: number, total: number) => void, signal: WasmSignal): Promise<string>;
  /** What guessing learnt; no bytes if that is nothing. */
  guesses(): Uint8Array;
  /** Begins with what guessing learnt before; throws for bytes that are nothing of the kind. */
  remember(guesses: Uint8Array): void;
  continuation(text: string): Uint32Array;
  tokenTable(): { readonly pieces: Uint8Array; readonly lengths: Uint32Array; readonly special: Uint32Array; readonly ends: Uint32Array; free(): void };
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

/** A form at some point of a text, as the module of grammars exports it. Questions, if any, come before the mask. */
export interface WasmForm extends Omit<WasmConstraint, "ready" | "fork"> {
  question(): { readonly text: string; readonly tokens: Uint32Array; free(): void } | undefined;
  answer(words?: string[]): void;
  fork(): WasmForm;
  free(): void;
}

/** Makes forms for the tokens of one model. */
export interface WasmCompiler {
  compile(form: string): WasmForm;
  monitor(): WasmForm;
  free(): void;
}

/** The exports of the module of grammars. */
export interface WasmGrammars {
  readonly Compiler: new (
    pieces: Uint8Array,
    lengths: Uint32Array,
    special: Uint32Array,
    ends: Uint32Array,
    write: (text: string) => Uint32Array,
  ) => WasmCompiler;
  version(): string;
}

/** A module with its start function. */
export type WasmGlue<Module> = Module & {
  default(arg: { module_or_path: URL | Response | BufferSource | WebAssembly.Module }): Promise<unknown>;
};

/** Where a module lies, and what it is called. Bundlers follow these expressions only where they stand as they are. */
interface WasmFiles<Module> {
  /** The name of its file, and the option that says where that lies. */
  readonly file: string;
  readonly option: string;
  wasm(): URL;
  script(): URL;
  glue(): Promise<WasmGlue<Module>>;
}

const ENGINE: WasmFiles<WasmModule> = {
  file: "goldcrest_wasm_bg.wasm",
  option: "wasmUrl",
  wasm: () => new URL("../wasm/goldcrest_wasm_bg.wasm", import.meta.url),
  script: () => new URL("../wasm/goldcrest_wasm.js", import.meta.url),
  glue: () => import("../wasm/goldcrest_wasm.js"),
};

const RELAXED: WasmFiles<WasmModule> = {
  file: "goldcrest_relaxed_bg.wasm",
  option: "relaxedUrl",
  wasm: () => new URL("../wasm/goldcrest_relaxed_bg.wasm", import.meta.url),
  script: () => new URL("../wasm/goldcrest_relaxed.js", import.meta.url),
  glue: () => import("../wasm/goldcrest_relaxed.js"),
};

const GRAMMARS: WasmFiles<WasmGrammars> = {
  file: "goldcrest_grammar_bg.wasm",
  option: "grammarUrl",
  wasm: () => new URL("../wasm/goldcrest_grammar_bg.wasm", import.meta.url),
  script: () => new URL("../wasm/goldcrest_grammar.js", import.meta.url),
  glue: () => import("../wasm/goldcrest_grammar.js"),
};

/** Starts a wasm module when it is first needed, and a fresh one after a trap. */
export class WasmHost<Module extends { version(): string }> {
  readonly #files: WasmFiles<Module>;
  #instance: Promise<Module> | undefined;
  #traps = 0;

  private constructor(files: WasmFiles<Module>) {
    this.#files = files;
  }

  static engine(): WasmHost<WasmModule> {
    return new WasmHost(ENGINE);
  }

  static relaxed(): WasmHost<WasmModule> {
    return new WasmHost(RELAXED);
  }

  static grammars(): WasmHost<WasmGrammars> {
    return new WasmHost(GRAMMARS);
  }

  /** The module; one instance for all engines of this realm. */
  get(url: string | undefined): Promise<Module> {
    this.#instance ??= this.#start(url);
    const instance = this.#instance;
    instance.catch(() => {
      if (this.#instance === instance) this.#instance = undefined;
    });
    return instance;
  }

  /** Gives up an instance whose memory can no longer be trusted. Engines that share it fail, and are built anew by their owners. */
  async discard(module: Module): Promise<void> {
    if (this.#instance === undefined || (await this.#instance.catch(() => undefined)) !== module) return;
    this.#instance = undefined;
    this.#traps += 1;
  }

  async #start(given: string | undefined): Promise<Module> {
    const { file, option, wasm, script } = this.#files;
    const url = given === undefined ? wasm() : new URL(given, import.meta.url);
    let glue: WasmGlue<Module>;
    try {
      glue = this.#traps === 0 ? await this.#files.glue() : await freshGlue(script(), this.#traps);
      await glue.default({ module_or_path: url.protocol === "file:" && isNode() ? await fileBytes(url) : url });
    } catch (error) {
      throw new GoldcrestError("E_WASM", `the engine's code could not be loaded: ${error instanceof Error ? error.message : String(error)}`, {
        help: `${url.href} must be this package's ${file} (option ${option}), and the page's policy must allow 'wasm-unsafe-eval'`,
        cause: error,
      });
    }
    checkVersion(glue.version(), file, option);
    return glue;
  }
}

/** The glue keeps its instance in module variables: another instance takes another copy of the module. */
async function freshGlue<Module>(script: URL, number: number): Promise<WasmGlue<Module>> {
  const url = new URL(script);
  url.searchParams.set("instance", String(number));
  return import(/* webpackIgnore: true */ /* @vite-ignore */ url.href) as Promise<WasmGlue<Module>>;
}

function checkVersion(found: string, file: string, option: string): void {
  if (found === VERSION) return;
  throw new GoldcrestError("E_VERSION", `the wasm file is of version ${found}, this package of ${VERSION}`, {
    help: `serve the ${file} of the same version (option ${option})`,
    details: { found, expected: VERSION },
  });
}
