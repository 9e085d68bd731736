import type { FurtherSettings } from "../api/sampling.js";
import type { GenerationRecord, ModelHash, StrategyReport } from "../api/types.js";
import type { AdapterInfo } from "../types.js";

/** What the engine says of the model, in its own spelling. */
export interface ModelFacts {
  readonly name: string;
  readonly arch: string;
  readonly file_type: string;
  readonly n_params: number;
  readonly n_layers: number;
  readonly n_ctx_train: number;
  readonly n_vocab: number;
  readonly chat_template: boolean;
}

/** `Engine.info` of the wasm module. */
export interface EngineFacts {
  readonly model: ModelFacts;
  readonly adapter: AdapterInfo;
  readonly backend: "webgpu" | "cpu";
  readonly features: readonly string[];
  readonly profile: string;
  readonly context_length: number;
  readonly memory: { readonly weights: number; readonly kv_per_token: number; readonly scratch: number; readonly total: number };
  readonly notes: readonly string[];
  /** How the model writes calls of tools; `null` if its chat template takes none. */
  readonly tool_format: ToolFormat | null;
}

/** What the wasm module says of a further model. */
export interface OtherFacts {
  readonly model: ModelFacts;
  readonly memory: PlanFacts["memory"];
}

/** A way of writing calls of tools. */
export type ToolFormat = "hermes" | "llama3" | "json";

/** What an answer has to look like. */
export type FormRequest =
  | { readonly type: "json_schema"; readonly schema: unknown; readonly layout?: "spaced" | "compact" }
  | { readonly type: "json_object"; readonly layout?: "spaced" | "compact" }
  | { readonly type: "regex"; readonly pattern: string }
  | { readonly type: "grammar"; readonly text: string; readonly syntax?: "lark" | "gbnf" }
  | {
      readonly type: "tools";
      readonly tools: readonly unknown[];
      readonly format: ToolFormat;
      readonly choice: "auto" | "required" | { readonly name: string };
      readonly parallel: boolean;
    };

/** `plan` of the wasm module, with what the core knows of storage and adapter. */
export interface PlanFacts {
  readonly model: ModelFacts;
  readonly memory: {
    readonly weights: number;
    readonly kv_per_token: number;
    readonly kv: number;
    readonly scratch: number;
    readonly total: number;
    readonly context_length: number;
  };
  readonly file_bytes: number;
  readonly remaining: number;
  readonly free: number | null;
  readonly adapter: { readonly maxBufferSize: number; readonly maxStorageBufferBindingSize: number } | null;
}

/** A conversation to render. */
export interface TemplateInput {
  readonly messages: readonly Readonly<Record<string, unknown>>[];
  readonly tools?: readonly unknown[];
  readonly add_generation_prompt?: boolean;
}

/** A request to `generate` of the wasm module. */
export interface GenerateRequest extends FurtherSettings {
  readonly prompt:
    | { readonly tokens: readonly number[] }
    | { readonly text: string; readonly parse_special: boolean }
    | TemplateInput;
  readonly max_tokens?: number;
  readonly temperature?: number;
  readonly top_k?: number;
  readonly top_p?: number;
  readonly min_p?: number;
  readonly seed?: number;
  readonly repeat_penalty?: number;
  readonly frequency_penalty?: number;
  readonly presence_penalty?: number;
  readonly logit_bias?: Readonly<Record<string, number>>;
  readonly stop?: readonly string[];
  readonly ignore_eos?: boolean;
  readonly logprobs?: number;
  /** What the answer has to look like. */
  readonly form?: FormRequest;
  /** Whether somebody answers the event `words`. */
  readonly monitored?: boolean;
  /** A name with parameters, or an object. */
  readonly strategy?: string | Readonly<Record<string, unknown>>;
  readonly references?: readonly GenerateRequest["prompt"][];
  /** Whether somebody answers the event `score`. */
  readonly scored?: boolean;
  /** Whether somebody answers the event `remote`. */
  readonly remote?: boolean;
  /** What a record says of the form; present if one is wanted. */
  readonly record?: RecordRequest;
}

/** A record that is asked for. */
export interface RecordRequest {
  /** The form as records have it. */
  readonly form?: { readonly kind: "json_schema" | "json_object" | "regex" | "grammar" | "asked"; readonly text: string };
  /** The core's to know. */
  readonly model?: ModelHash;
  /** Of further models, if a strategy may take one. */
  readonly others?: readonly ModelHash[];
}

/** A token that might have been chosen. */
export interface Alternative {
  readonly id: number;
  readonly text: string;
  readonly logprob: number;
}

/** What is asked of the caller: a number for an answer, a text in the place of the model's own, the words that may come. */
export type Question =
  | { readonly type: "words"; readonly text: string; readonly tokens: readonly number[] }
  | { readonly type: "score"; readonly text: string; readonly tokens: readonly number[]; readonly finished: boolean }
  | { readonly type: "remote"; readonly max_tokens: number };

/** What an event is answered with: questions with a number, a text or words. */
export type EventAnswer = number | string | readonly string[] | null | undefined | void;

/** One thing that happened in a generation. */
export type GenerateEvent =
  | Question
  | { readonly type: "working"; readonly passes: number }
  | { readonly type: "prompt"; readonly tokens: readonly number[] }
  | { readonly type: "prefill"; readonly done: number; readonly total: number }
  | {
      readonly type: "token";
      readonly id: number;
      readonly text: string;
      readonly logprob: number;
      readonly top?: readonly Alternative[];
      /** It was guessed, and the model agreed. */
      readonly guessed?: true;
    }
  | { readonly type: "end"; readonly finish: "stop" | "length" | "stop_string" | "grammar_end" | "aborted"; readonly text: string };

/** A request to `trace` of the wasm module. */
export interface TraceRequest {
  readonly prompt: GenerateRequest["prompt"];
  readonly chain: string;
  readonly seed: number;
  readonly listed: number;
}

/** What `trace` of the wasm module says. */
export interface TraceFacts {
  readonly stages: readonly {
    readonly stage: string;
    readonly n_candidates: number;
    readonly top: readonly { readonly id: number; readonly text: string; readonly logit: number; readonly p: number }[];
  }[];
  readonly choice: { readonly id: number; readonly text: string };
}

/** Counts and times of a generation. */
export interface GenerateStats {
  readonly tokens: readonly number[];
  readonly prefill_tokens: number;
  readonly reused_tokens: number;
  readonly prefill_ms: number;
  readonly ttft_ms: number;
  readonly decode_tokens: number;
  readonly decode_ms: number;
  readonly forward_passes: number;
  readonly submits: number;
  readonly readbacks: number;
  readonly dispatches_per_token: number;
  /** What a strategy says of itself, its name included. */
  readonly strategy?: StrategyReport;
  readonly record?: GenerationRecord;
}
