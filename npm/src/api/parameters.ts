import type { GenerateRequest } from "../core/facts.js";
import { invalidParameter, notAvailable } from "../errors.js";
import { readResponseFormat } from "./form.js";
import { readRecord } from "./record.js";
import { FURTHER, readFurther } from "./sampling.js";
import { readStrategy, type StrategyUse } from "./strategy.js";
import type { Monitor, SamplingRequest } from "./types.js";

/** Parameters that are part of the API's design and of no released version yet. */
const PLANNED: ReadonlySet<string> = new Set([
  "functions", "function_call", "best_of",
  "suffix", "prediction", "reasoning_effort", "verbosity", "modalities", "audio", "web_search_options",
]);
/** What both kinds of request share. */
const SHARED = [
  "signal", "model", "max_tokens", "temperature", "top_k", "top_p", "min_p", "seed", "repetition_penalty", "frequency_penalty",
  "presence_penalty", "logit_bias", "stop", "n", "ignore_eos", "response_format", "constraint", "stream", "stream_options",
  "return_token_ids", "user", "strategy", "speculate", "references", "scorer", "remote", "record",
] as const;

type Fields = Readonly<Record<string, unknown>>;

/** What a request asks of each of its answers; the seed is that of the first. */
export interface Sampling {
  readonly request: Omit<GenerateRequest, "prompt" | "seed" | "logprobs">;
  readonly seed: number;
  readonly n: number;
  readonly stream: boolean;
  readonly includeUsage: boolean;
  /** Whether ids of tokens are reported. */
  readonly tokenIds: boolean;
  readonly signal: AbortSignal | undefined;
  readonly strategy: StrategyUse;
  readonly monitor: Monitor | undefined;
}

/** Refuses names that mean nothing here: a parameter is obeyed or refused, never ignored. */
export function checkNames(request: unknown, own: readonly string[]): asserts request is Fields {
  if (typeof request !== "object" || request === null) throw invalidParameter("request", request, "an object");
  for (const [name, value] of Object.entries(request)) {
    if (value === undefined || (SHARED as readonly string[]).includes(name) || FURTHER.includes(name) || own.includes(name)) continue;
    if (PLANNED.has(name)) throw notAvailable(name);
    throw notAvailable(name, "is no parameter of this call");
  }
}

/** Checks what both kinds of request share. */
export function readSampling(request: SamplingRequest, readReference: (value: unknown) => GenerateRequest["prompt"]): Sampling {
  const fields = request as unknown as Fields;
  const options = fields["stream_options"];
  if (!isNone(options) && typeof options !== "object") throw invalidParameter("stream_options", options, "an object");
  const signal = fields["signal"];
  if (!isNone(signal) && !(signal instanceof AbortSignal)) throw invalidParameter("signal", signal, "an AbortSignal");
  for (const name of ["model", "user"]) if (!isNone(fields[name]) && typeof fields[name] !== "string") throw invalidParameter(name, fields[name], "a string");
  const maxTokens = integer(fields, "max_tokens", 0) ?? integer(fields, "max_completion_tokens", 0);
  const stop = readStop(fields["stop"]);
  const bias = readBias(fields["logit_bias"]);
  const monitor = fields["constraint"];
  if (!isNone(monitor) && typeof monitor !== "function") throw invalidParameter("constraint", typeof monitor, "a function");
  const form = readResponseFormat(fields["response_format"]);
  if (form !== undefined && !isNone(monitor)) throw invalidParameter("constraint", "a function", "none beside response_format");
  const strategy = readStrategy(fields, readReference);
  // Guesses run ahead of the callback, which may answer late.
  if (!isNone(monitor) && strategy.request.strategy !== undefined) throw invalidParameter("constraint", "a function", "none beside a strategy");
  const seed = integer(fields, "seed", 0);
  const n = integer(fields, "n", 1, 128) ?? 1;
  return {
    request: {
      ...given("max_tokens", maxTokens),
      ...given("temperature", number(fields, "temperature", 0, 100)),
      ...given("top_k", integer(fields, "top_k", 0, 2 ** 31 - 1)),
      ...given("top_p", number(fields, "top_p", 0, 1)),
      ...given("min_p", number(fields, "min_p", 0, 1)),
      ...given("repeat_penalty", number(fields, "repetition_penalty", 0.01, 100)),
      ...given("frequency_penalty", number(fields, "frequency_penalty", -100, 100)),
      ...given("presence_penalty", number(fields, "presence_penalty", -100, 100)),
      ...given("logit_bias", bias),
      ...given("stop", stop),
      ...given("ignore_eos", flag(fields, "ignore_eos")),
      ...given("form", form),
      ...given("monitored", isNone(monitor) ? undefined : true),
      ...given("record", readRecord(fields, { form, n })),
      ...readFurther(fields),
    },
    // 32 bits, so that a person can type it again.
    seed: seed ?? Math.floor(Math.random() * 2 ** 32),
    n,
    stream: flag(fields, "stream") ?? false,
    includeUsage: flag((options ?? {}) as Fields, "include_usage") ?? false,
    tokenIds: flag(fields, "return_token_ids") ?? false,
    signal: signal instanceof AbortSignal ? signal : undefined,
    strategy,
    monitor: isNone(monitor) ? undefined : (monitor as Monitor),
  };
}

/** A whole number from `least` to `most`; `undefined` if it is left out. */
export function integer(fields: Fields, name: string, least: number, most: number = Number.MAX_SAFE_INTEGER): number | undefined {
  const value = fields[name];
  if (isNone(value)) return undefined;
  if (Number.isSafeInteger(value) && (value as number) >= least && (value as number) <= most) return value as number;
  const up = most === Number.MAX_SAFE_INTEGER ? `an integer, ${least} and up` : `an integer, ${least} to ${most}`;
  throw invalidParameter(name, value, up);
}

/** `true` or `false`; `undefined` if it is left out. */
export function flag(fields: Fields, name: string): boolean | undefined {
  const value = fields[name];
  if (isNone(value)) return undefined;
  if (typeof value === "boolean") return value;
  throw invalidParameter(name, value, "true or false");
}

function number(fields: Fields, name: string, least: number, most: number): number | undefined {
  const value = fields[name];
  if (isNone(value)) return undefined;
  if (typeof value === "number" && value >= least && value <= most) return value;
  throw invalidParameter(name, value, `${least} to ${most}`);
}

function readStop(value: unknown): readonly string[] | undefined {
  if (isNone(value)) return undefined;
  const allowed = "a string or at most 64 strings, each of 1 to 1024 bytes";
  const stops: unknown[] = Array.isArray(value) ? value : [value];
  const isStop = (stop: unknown): stop is string => {
    if (typeof stop !== "string") return false;
    const { length } = new TextEncoder().encode(stop);
    return length >= 1 && length <= 1024;
  };
  if (stops.length > 64 || !stops.every(isStop)) throw invalidParameter("stop", value, allowed);
  return stops;
}

function readBias(value: unknown): Readonly<Record<string, number>> | undefined {
  if (isNone(value)) return undefined;
  const allowed = "an object of at most 1024 token ids, each with a number from -10000 to 10000";
  if (typeof value !== "object") throw invalidParameter("logit_bias", value, allowed);
  const entries = Object.entries(value as object) as [string, unknown][];
  const right = ([id, bias]: [string, unknown]): boolean =>
    /^\d{1,10}$/.test(id) && typeof bias === "number" && bias >= -10_000 && bias <= 10_000;
  if (entries.length > 1024 || !entries.every(right)) throw invalidParameter("logit_bias", value, allowed);
  return Object.fromEntries(entries) as Record<string, number>;
}

function given<Name extends string, Value>(name: Name, value: Value | undefined): { [N in Name]?: Value } {
  return (value === undefined ? {} : { [name]: value }) as { [N in Name]?: Value };
}

function isNone(value: unknown): value is null | undefined {
  return value === null || value === undefined;
}
