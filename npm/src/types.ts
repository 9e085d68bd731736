import type { ChatCompletion, ChatCompletionChunk, ChatCompletionRequest, Completion, CompletionChunk, CompletionRequest } from "./api/types.js";

/** A picked file: what a browser's `FileSystemFileHandle` offers of itself. */
export interface FileHandle {
  readonly kind: "file";
  getFile(): Promise<Blob>;
}

/**
 * Where a model comes from: a name of the catalogue (`smollm2-135m`, `gemma3-270m`), an address (`https://…`,
 * `hf:org/repo[@revision][:quant]`, `hf:org/repo/file.gguf`; in Node also `file:` and paths), or the bytes in any of the forms
 * that a platform hands out.
 */
export type ModelSource =
  | "smollm2-135m"
  | "gemma3-270m"
  | (string & {})
  | URL
  | Blob
  | ReadableStream<Uint8Array>
  | FileHandle
  | ArrayBuffer
  | Uint8Array;

/** What is going on while a model loads. Phases overlap: weights are uploaded while the rest is still being fetched. */
export type ProgressPhase = "download" | "verify" | "upload" | "compile" | "ready";

/** One report of progress. */
export interface Progress {
  readonly phase: ProgressPhase;
  /** Bytes done; pipelines in the phase `compile`. */
  readonly loaded: number;
  /** Bytes in all, 0 while unknown; pipelines in the phase `compile`. */
  readonly total: number;
  /** The file's name. */
  readonly file?: string;
}

/** Where fetched models are kept. `auto` is `opfs` where the platform has it, else `memory`. */
export type CacheKind = "auto" | "opfs" | "memory";

/**
 * What computes. `auto` is WebGPU where a GPU stands behind it and computes rightly, else the CPU; where the adapter is only
 * software, a quick probe takes the faster of both. {@link EngineInfo.notes} says why.
 */
export type BackendChoice = "auto" | "webgpu" | "cpu";

/** What every call that opens a model understands. */
export interface SourceOptions {
  /** Ends the call: it rejects with an `AbortError` within 100 ms. */
  readonly signal?: AbortSignal | undefined;
  /** Run in a worker. Default: true where the platform has workers, else (Node) false. */
  readonly worker?: boolean | undefined;
  /** The wasm file, if it does not lie beside this package's code. */
  readonly wasmUrl?: string | URL | undefined;
  /**
   * The wasm file that takes its place where the platform has relaxed vectors, `goldcrest_relaxed_bg.wasm`: faster where the CPU
   * computes. Default: beside this package's code, or none where `wasmUrl` is given. `false` takes the plain one everywhere, and so does
   * {@link LoadOptions.deterministic}.
   */
  readonly relaxedUrl?: string | URL | false | undefined;
  /**
   * The wasm file of grammars, `goldcrest_grammar_bg.wasm`, which the first request for an answer in a form fetches. Default:
   * beside the other one.
   */
  readonly grammarUrl?: string | URL | undefined;
  /** The worker's code (`goldcrest/worker`), if it does not lie beside this package's code. */
  readonly workerUrl?: string | URL | undefined;
  /** Where fetched models are kept. Default: `auto`. */
  readonly cache?: CacheKind | undefined;
  /** The server that `hf:` addresses and catalogue names mean. Default: `https://huggingface.co`. */
  readonly hubUrl?: string | URL | undefined;
  /** The SHA-256 that the file must have, 64 hexadecimal digits; for addresses. Known already for the catalogue and `hf:`. */
  readonly sha256?: string | undefined;
}

/** Options of {@link Goldcrest.load}. */
export interface LoadOptions extends SourceOptions {
  /** Called at most about 20 times a second. */
  readonly onProgress?: ((progress: Progress) => void) | undefined;
  /** What computes. Default: `auto`. */
  readonly backend?: BackendChoice | undefined;
  /** Most tokens of prompt and answer together. Default: what the model was trained for, within the device's limits. */
  readonly contextLength?: number | undefined;
  /** Connections of a download, 1 to 16. Default: 4. */
  readonly connections?: number | undefined;
  /**
   * Let nothing that is timed choose, neither where to compute nor the size of prompt chunks, so that the same device computes the same
   * bits. Default: false.
   */
  readonly deterministic?: boolean | undefined;
  /**
   * Keep what guessing (`speculate`) learns of the model's habits, for the next time that the page loads it: a file for each model, at
   * most 16 MiB and eight of them, where models are kept. It tells which tokens stood behind which; {@link Goldcrest.forgetGuesses}
   * deletes them all. Default: false.
   */
  readonly guessMemory?: boolean | undefined;
  /** A further model of the same vocabulary, as {@link Engine.loadOther} loads it once the first is there. */
  readonly other?: ModelSource | undefined;
  /** Ask the device for subgroup operations where the adapter has them. Default: true. */
  readonly subgroups?: boolean | undefined;
}

/** Options of {@link Engine.loadOther}; what is not said here is as the engine was loaded. */
export interface OtherOptions extends CallOptions, Pick<LoadOptions, "onProgress" | "connections" | "sha256"> {}

/** Options of {@link Goldcrest.plan}. */
export interface PlanOptions extends SourceOptions {
  /** The context whose memory is asked for. Default: what the model was trained for. */
  readonly contextLength?: number | undefined;
}

/** What a model file says of itself. */
export interface ModelInfo {
  readonly name: string;
  readonly arch: string;
  readonly fileType: string;
  readonly nParams: number;
  readonly nLayers: number;
  readonly nCtxTrain: number;
  readonly nVocab: number;
  /** Whether the file brings a chat template; without one, `chat.completions` is refused. */
  readonly chatTemplate: boolean;
}

/** The adapter that computes. */
export interface AdapterInfo {
  readonly name: string;
  readonly backend: string;
  readonly type: string;
  readonly driver: string;
}

/** What a loaded engine is and uses. Memory is in bytes. */
export interface EngineInfo {
  readonly model: ModelInfo;
  readonly adapter: AdapterInfo;
  readonly backend: "webgpu" | "cpu";
  /** Optional features of the device that are in use. */
  readonly features: readonly string[];
  /** The set of kernels chosen for the adapter. */
  readonly profile: string;
  readonly contextLength: number;
  readonly memory: {
    readonly weights: number;
    readonly kvPerToken: number;
    readonly scratch: number;
    readonly total: number;
  };
  /** The model that {@link Engine.loadOther} loaded. */
  readonly other: { readonly model: ModelInfo; readonly memory: EngineInfo["memory"] } | null;
  /** What a user should know: why the CPU computes, which kernels are avoided, … */
  readonly notes: readonly string[];
  /** Whether the engine runs in a worker. */
  readonly worker: boolean;
}

/** What a model would need, from its header alone. In bytes. */
export interface ModelPlan {
  readonly model: ModelInfo;
  readonly memory: {
    readonly weights: number;
    readonly kvPerToken: number;
    readonly kv: number;
    readonly scratch: number;
    readonly total: number;
    readonly contextLength: number;
  };
  readonly fileBytes: number;
  readonly download: {
    /** Bytes that loading would still fetch; 0 for local and for cached models. */
    readonly remaining: number;
    /** Bytes that the browser would still let the page store; `null` where it does not say. */
    readonly free: number | null;
    /** Whether the rest fits into what is free; `null` where that is unknown. */
    readonly fits: boolean | null;
  };
  /** The WebGPU adapter's limits; `null` without one. */
  readonly adapter: { readonly maxBufferSize: number; readonly maxStorageBufferBindingSize: number } | null;
}

/** A model in the cache. */
export interface CachedModel {
  /** What {@link Models.remove} takes. */
  readonly name: string;
  /** The address that it came from. */
  readonly source: string;
  /** Bytes of the whole file. */
  readonly size: number;
  /** Bytes that are here. */
  readonly cached: number;
  /** Whether all of it is here. */
  readonly complete: boolean;
  readonly lastUsed: Date;
}

/** The models that the page has kept. */
export interface Models {
  /** All of them, complete or not. */
  list(options?: { readonly cache?: CacheKind | undefined }): Promise<CachedModel[]>;
  /** Deletes one, by {@link CachedModel.name} or by the source that it was loaded from. False if there is none. */
  remove(name: string, options?: { readonly cache?: CacheKind | undefined }): Promise<boolean>;
}

/** An answer that is being written. One loop may read it; leaving the loop ends the generation. */
export interface CompletionStream<Chunk> extends AsyncIterable<Chunk> {
  /** Ends the generation; the loop that reads it gets an `AbortError`. */
  abort(): void;
  /** The same as a stream of the platform. */
  toReadableStream(): ReadableStream<Chunk>;
}

/** Options of single calls. */
export interface CallOptions {
  /** Ends the call: it rejects with an `AbortError` within 100 ms. */
  readonly signal?: AbortSignal | undefined;
}

/** Options of {@link Engine.tokenize}. */
export interface TokenizeOptions extends CallOptions {
  /** Add the tokens that the model wants around a text. Default: false. */
  readonly addSpecial?: boolean | undefined;
  /** Read the names of special tokens in the text as those tokens. Default: false. */
  readonly parseSpecial?: boolean | undefined;
}

/** A strategy that this build has. */
export interface StrategySummary {
  readonly name: string;
  readonly summary: string;
}

/** Options of {@link Engine.trace}. */
export interface TraceOptions extends CallOptions {
  /** Stages of the sampler, as in `top_k(40) | top_p(0.95) | temp(0.8) | draw`. Default: `draw`. */
  readonly chain?: string | undefined;
  /** Start of the random numbers. Default: 0. */
  readonly seed?: number | undefined;
  /** Candidates listed per stage. Default: 10. */
  readonly listed?: number | undefined;
}

/** What a sampler makes of the next token's distribution. */
export interface Trace {
  /** The distribution before the first stage (`input`), then behind each. */
  readonly stages: readonly {
    readonly stage: string;
    /** Candidates that are left. */
    readonly nCandidates: number;
    /** The best of them, with their probabilities. */
    readonly top: readonly { readonly id: number; readonly text: string; readonly logit: number; readonly p: number }[];
  }[];
  /** The token that was chosen. */
  readonly choice: { readonly id: number; readonly text: string };
}

/** The self-test of the device: every kernel form against known answers. */
export type SelfTestReport = Readonly<Record<string, unknown>>;

/** The calls of `engine.chat.completions`. */
export interface ChatCompletions {
  create(request: ChatCompletionRequest & { readonly stream: true }): Promise<CompletionStream<ChatCompletionChunk>>;
  create(request: ChatCompletionRequest & { readonly stream?: false | undefined }): Promise<ChatCompletion>;
  create(request: ChatCompletionRequest): Promise<ChatCompletion | CompletionStream<ChatCompletionChunk>>;
}

/** The calls of `engine.completions`. */
export interface Completions {
  create(request: CompletionRequest & { readonly stream: true }): Promise<CompletionStream<CompletionChunk>>;
  create(request: CompletionRequest & { readonly stream?: false | undefined }): Promise<Completion>;
  create(request: CompletionRequest): Promise<Completion | CompletionStream<CompletionChunk>>;
}
