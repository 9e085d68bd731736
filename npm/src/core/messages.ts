import type { ClassifyCall, ScoreCall } from "../api/score.js";
import type { Classified, Scored } from "../api/types.js";
import type { ErrorData } from "../errors.js";
import type { SourceRef } from "../source/resolve.js";
import type { BackendChoice, CacheKind, Progress, SelfTestReport, StrategySummary } from "../types.js";
import type { EngineFacts, EventAnswer, GenerateEvent, GenerateRequest, GenerateStats, OtherFacts, PlanFacts, TemplateInput, TraceFacts, TraceRequest } from "./facts.js";

/** How a source is opened. */
export interface OpenOptions {
  readonly wasmUrl: string | undefined;
  /** `null` if the plain build is to be taken. */
  readonly relaxedUrl: string | null | undefined;
  readonly grammarUrl: string | undefined;
  readonly cache: CacheKind;
  readonly hubUrl: string;
  readonly sha256: string | null;
  readonly connections: number;
}

/** How an engine is made. */
export interface EngineOptions extends OpenOptions {
  readonly backend: BackendChoice;
  readonly contextLength: number | undefined;
  readonly subgroups: boolean;
  readonly deterministic: boolean;
  readonly guessMemory: boolean;
}

/**
 * Every call of a core: what goes in, what comes back, and what is told on the way. The in-page core, the worker and its client
 * are typed from this table alone.
 */
export interface Calls {
  load: { args: readonly [SourceRef, EngineOptions]; result: EngineFacts; event: Progress };
  loadOther: { args: readonly [SourceRef, OpenOptions]; result: OtherFacts; event: Progress };
  plan: { args: readonly [SourceRef, OpenOptions, number | undefined]; result: PlanFacts; event: never };
  generate: { args: readonly [GenerateRequest]; result: GenerateStats; event: GenerateEvent };
  trace: { args: readonly [TraceRequest]; result: TraceFacts; event: never };
  strategies: { args: readonly []; result: readonly StrategySummary[]; event: never };
  score: { args: readonly [ScoreCall]; result: Scored[]; event: never };
  classify: { args: readonly [ClassifyCall]; result: Classified[]; event: never };
  tokenize: { args: readonly [text: string, addSpecial: boolean, parseSpecial: boolean]; result: number[]; event: never };
  pieces: { args: readonly [tokens: readonly number[]]; result: string[]; event: never };
  detokenize: { args: readonly [tokens: readonly number[]]; result: string; event: never };
  template: { args: readonly [TemplateInput]; result: string; event: never };
  selftest: { args: readonly []; result: SelfTestReport; event: never };
  loseDevice: { args: readonly []; result: null; event: never };
}

/** The name of a call. */
export type CallName = keyof Calls;

/** Events that a worker may send before the page has taken the first of them: the page's pace is the worker's. */
export const WINDOW = 8;

/** Page to worker. The first message is `hello`. */
export type ToWorker =
  | { readonly kind: "hello"; readonly version: string }
  | { [Name in CallName]: { readonly kind: "call"; readonly id: number; readonly name: Name; readonly args: Calls[Name]["args"] } }[CallName]
  | { readonly kind: "abort"; readonly id: number }
  /** The answer to an event that was a question comes with it. */
  | { readonly kind: "taken"; readonly id: number; readonly answer?: EventAnswer };

/** Worker to page. `hello` answers `hello`. */
export type FromWorker =
  | { readonly kind: "hello"; readonly version: string }
  | { readonly kind: "event"; readonly id: number; readonly event: Calls[CallName]["event"] }
  | { readonly kind: "result"; readonly id: number; readonly value: Calls[CallName]["result"] }
  | { readonly kind: "error"; readonly id: number; readonly error: ErrorData };
