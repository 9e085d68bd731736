import { GoldcrestError, type ChatMessage, type Engine, type GenerationRecord, type SamplingRequest, type StrategyReport, type Trace } from "goldcrest";

/** What is tried of a strategy. */
export interface Trial {
  readonly name: string;
  /** `key=value`, parted by commas. */
  readonly parameters: string;
  readonly prompt: string;
  readonly reference: string;
  /** A word whose frequency is the score; nothing is no scorer. */
  readonly word: string;
  /** A JSON schema that the answer has to fit, instead of a strategy; nothing is any text. */
  readonly schema: string;
  /** Labels, parted by commas: the prompt gets the likeliest, and nothing is written. */
  readonly labels: string;
  /** Whether a record of the answer is wanted. */
  readonly record: boolean;
  /** The sampler's settings, `name=value` parted by commas, by their names in a request; the others stand at their defaults. */
  readonly settings: string;
}

/** What came of a trial beside its text. */
export interface Found {
  /** What a strategy says of itself. */
  readonly report: StrategyReport | null;
  readonly record: GenerationRecord | null;
  /** Labels with their probabilities. */
  readonly labels: readonly { readonly id: number; readonly text: string; readonly p: number }[];
}

/** Tokens of a trial: enough to see what a method does, few enough to wait for. */
const LENGTH = 64;

/** Runs a method on a prompt of its own, beside the conversation, and gives what it says of itself. */
export async function runMethod(engine: Engine, trial: Trial, signal: AbortSignal, onText: (piece: string, guessed: boolean) => void): Promise<Found> {
  if (trial.labels.trim() !== "") return { report: null, record: null, labels: await labelled(engine, trial, signal) };
  const way = trial.schema.trim() === "" ? byStrategy(trial) : inForm(trial);
  const request = { signal, max_tokens: LENGTH, stream: true, record: trial.record, ...way } as const;
  let report: StrategyReport | null = null;
  let record: GenerationRecord | null = null;
  if (engine.info.model.chatTemplate) {
    for await (const chunk of await engine.chat.completions.create({ ...request, messages: asked(trial.prompt) })) {
      onText(chunk.choices[0]?.delta.content ?? "", chunk.choices[0]?.guessed ?? false);
      report = chunk.strategy ?? report;
      record = chunk.record ?? record;
    }
  } else {
    for await (const chunk of await engine.completions.create({ ...request, prompt: trial.prompt })) {
      onText(chunk.choices[0]?.text ?? "", chunk.choices[0]?.guessed ?? false);
      report = chunk.strategy ?? report;
      record = chunk.record ?? record;
    }
  }
  return { report, record, labels: [] };
}

/** The labels of a prompt by their probability, as continuations with a space before them. */
async function labelled(engine: Engine, { prompt, labels }: Trial, signal: AbortSignal): Promise<Found["labels"]> {
  const texts = labels.split(",").map((label) => label.trim()).filter((label) => label !== "");
  const [found] = await engine.classify({ prompt, labels: texts.map((label) => ` ${label}`), signal });
  return texts.map((text, id) => ({ id, text, p: found?.p[id] ?? 0 })).sort((a, b) => b.p - a.p);
}

function byStrategy(trial: Trial): Omit<SamplingRequest, "stream"> {
  const parameters = trial.parameters.trim();
  const word = trial.word.trim().toLowerCase();
  return {
    ...settingsOf(trial.settings),
    strategy: parameters === "" ? trial.name : `${trial.name}:${parameters}`,
    ...(trial.reference.trim() === "" ? {} : { references: [trial.reference] }),
    ...(word === "" ? {} : { scorer: ({ text }: { readonly text: string }) => score(text, word) }),
  };
}

/** `temperature=0, order=hf` as settings of a request, which checks names and values. */
function settingsOf(text: string): Readonly<Record<string, number | string>> {
  const pairs = text.split(",").filter((part) => part.trim() !== "").map((part): [string, number | string] => {
    const [name = "", value = ""] = part.split("=").map((word) => word.trim());
    return [name, value === "" || Number.isNaN(Number(value)) ? value : Number(value)];
  });
  return Object.fromEntries(pairs);
}

function inForm({ schema }: Trial): Omit<SamplingRequest, "stream"> {
  return { temperature: 0, response_format: { type: "json_schema", json_schema: { schema: parsed(schema) } } };
}

function parsed(schema: string): unknown {
  try {
    return JSON.parse(schema) as unknown;
  } catch (error) {
    throw new GoldcrestError("E_SCHEMA_INVALID", `the schema is no JSON: ${error instanceof Error ? error.message : String(error)}`, { help: "Correct it, or leave the field empty." });
  }
}

/** What a sampler makes of the first token behind a prompt. */
export function traceOf(engine: Engine, prompt: string, chain: string): Promise<Trace> {
  return engine.trace(engine.info.model.chatTemplate ? asked(prompt) : prompt, { chain, listed: 8 });
}

/** The share of a text's words that are `word`. */
function score(text: string, word: string): number {
  const words = text.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? [];
  return words.filter((one) => one === word).length / Math.max(1, words.length);
}

function asked(prompt: string): ChatMessage[] {
  return [{ role: "user", content: prompt }];
}
