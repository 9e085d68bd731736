import { invalidParameter } from "../errors.js";
import type { ClassifyRequest, ScoreRequest } from "./types.js";

/** A call of `score` as the engine takes it. */
export interface ScoreCall {
  readonly prompt: { readonly tokens: readonly number[] } | { readonly text: string; readonly parse_special: boolean };
  readonly continuations: readonly string[];
}

/** A call of `classify` as the engine takes it. */
export interface ClassifyCall {
  readonly prompt: string;
  readonly inputs: readonly string[];
  readonly labels: readonly string[];
  readonly calibrate?: string;
  readonly length?: string;
  readonly chat?: boolean;
}

/** Checks a request to score continuations. */
export function readScore({ prompt, continuations }: ScoreRequest): ScoreCall {
  const isText = typeof prompt === "string" && prompt !== "";
  const isTokens = Array.isArray(prompt) && prompt.length > 0 && prompt.every((id) => Number.isInteger(id) && id >= 0 && id < 2 ** 32);
  if (!isText && !isTokens) throw invalidParameter("prompt", prompt, "a text, or a list of token ids");
  return {
    prompt: typeof prompt === "string" ? { text: prompt, parse_special: false } : { tokens: prompt },
    continuations: texts("continuations", continuations),
  };
}

/** Checks a request to label inputs. */
export function readClassify(request: ClassifyRequest): ClassifyCall {
  const { prompt, labels, inputs, calibrate, length, chat } = request;
  if (typeof prompt !== "string" || prompt === "") throw invalidParameter("prompt", prompt, "a text");
  const word = (name: string, value: unknown, words: readonly string[]): void => {
    if (value !== undefined && !words.includes(value as string)) throw invalidParameter(name, value, words.join(", "));
  };
  word("calibrate", calibrate, ["none", "cbm", "cc", "pmi"]);
  word("length", length, ["sum", "mean", "first"]);
  if (chat !== undefined && typeof chat !== "boolean") throw invalidParameter("chat", chat, "true or false");
  return {
    prompt,
    labels: texts("labels", labels),
    inputs: inputs === undefined ? [] : texts("inputs", inputs),
    ...(calibrate === undefined ? {} : { calibrate }),
    ...(length === undefined ? {} : { length }),
    ...(chat === undefined ? {} : { chat }),
  };
}

function texts(name: string, value: unknown): readonly string[] {
  if (Array.isArray(value) && value.length > 0 && value.every((text) => typeof text === "string" && text !== "")) return value as string[];
  throw invalidParameter(name, value, "a list of texts that are not empty");
}
