import { persisted } from "./persisted.js";

/** What the user can set. `seed` and `contextLength` are empty until somebody wants a certain one. */
export interface Settings {
  readonly temperature: number;
  readonly topK: number;
  readonly topP: number;
  readonly minP: number;
  readonly repetitionPenalty: number;
  readonly seed: number | null;
  readonly maxTokens: number;
  readonly systemPrompt: string;
  readonly contextLength: number | null;
  readonly backend: "auto" | "webgpu" | "cpu";
  readonly alternatives: number;
}

/** What a first visitor gets: lively, and short enough to stay on the point. */
export const DEFAULTS: Settings = {
  temperature: 0.7,
  topK: 40,
  topP: 0.95,
  minP: 0.05,
  repetitionPenalty: 1.1,
  seed: null,
  maxTokens: 512,
  systemPrompt: "",
  contextLength: null,
  backend: "auto",
  alternatives: 5,
};

/** A setting that is a number on a line. */
export interface RangeField {
  readonly key: "temperature" | "topK" | "topP" | "minP" | "repetitionPenalty" | "maxTokens" | "alternatives";
  readonly label: string;
  readonly explain: string;
  readonly min: number;
  readonly max: number;
  readonly step: number;
  /** The value at which the setting does nothing, and what to call it. */
  readonly off?: { readonly at: number; readonly say: string };
}

/** The numbers, in the order in which they act on a token. */
export const RANGES: readonly RangeField[] = [
  {
    key: "temperature",
    label: "Temperature",
    explain: "How adventurous: 0 always takes the likeliest word, higher dares more.",
    min: 0,
    max: 2,
    step: 0.05,
    off: { at: 0, say: "0, always the likeliest" },
  },
  {
    key: "topK",
    label: "Top-k",
    explain: "Only this many of the likeliest tokens may be drawn.",
    min: 0,
    max: 200,
    step: 1,
    off: { at: 0, say: "off" },
  },
  {
    key: "topP",
    label: "Top-p",
    explain: "Only the likeliest tokens that together reach this share may be drawn.",
    min: 0.05,
    max: 1,
    step: 0.01,
    off: { at: 1, say: "off" },
  },
  {
    key: "minP",
    label: "Min-p",
    explain: "Drops tokens less likely than this share of the best one. Good against nonsense.",
    min: 0,
    max: 0.5,
    step: 0.01,
    off: { at: 0, say: "off" },
  },
  {
    key: "repetitionPenalty",
    label: "Repetition penalty",
    explain: "Makes words that were said already less likely. Small models need a little of it.",
    min: 1,
    max: 1.5,
    step: 0.01,
    off: { at: 1, say: "off" },
  },
  {
    key: "maxTokens",
    label: "Longest answer",
    explain: "Tokens after which the answer pauses; “Continue” goes on. A token is about ¾ of a word.",
    min: 16,
    max: 4096,
    step: 16,
  },
  {
    key: "alternatives",
    label: "Alternatives kept",
    explain: "How many other tokens are remembered at each place, for the token view.",
    min: 0,
    max: 20,
    step: 1,
    off: { at: 0, say: "none, fastest" },
  },
];

/** Three ways to be, for those who would rather not think about the numbers. */
export const PRESETS: readonly { readonly name: string; readonly values: Partial<Settings> }[] = [
  { name: "Careful", values: { temperature: 0, topK: 40, topP: 0.95, minP: 0.05, repetitionPenalty: 1.1 } },
  { name: "Balanced", values: { temperature: 0.7, topK: 40, topP: 0.95, minP: 0.05, repetitionPenalty: 1.1 } },
  { name: "Inventive", values: { temperature: 1.1, topK: 100, topP: 0.98, minP: 0.05, repetitionPenalty: 1.15 } },
];

/** The settings in force. */
export const settings = persisted<Settings>("settings", DEFAULTS, read);

/** Changes some of them. */
export function change(values: Partial<Settings>): void {
  settings.value = { ...settings.value, ...values };
}

function read(stored: unknown): Settings | undefined {
  if (typeof stored !== "object" || stored === null) return undefined;
  const from = stored as Record<string, unknown>;
  const out: Record<string, unknown> = { ...DEFAULTS };
  for (const { key, min, max } of RANGES) {
    const value = from[key];
    if (typeof value === "number" && value >= min && value <= max) out[key] = value;
  }
  for (const key of ["seed", "contextLength"] as const) {
    const value = from[key];
    if (Number.isSafeInteger(value) && (value as number) >= 0) out[key] = value;
  }
  if (typeof from["systemPrompt"] === "string") out["systemPrompt"] = from["systemPrompt"];
  if (["auto", "webgpu", "cpu"].includes(from["backend"] as string)) out["backend"] = from["backend"];
  return out as unknown as Settings;
}
