import { GoldcrestError, type ChatMessage, type Engine, type SamplingRequest, type StrategyReport, type Trace } from "goldcrest";

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
}

/** Tokens of a trial: enough to see what a method does, few enough to wait for. */
const LENGTH = 64;

/** Runs a strategy on a prompt of its own, beside the conversation, and gives what it says of itself. */
export async function runMethod(engine: Engine, trial: Trial, signal: AbortSignal, onText: (piece: string, guessed: boolean) => void): Promise<StrategyReport | null> {
  const request = { signal, max_tokens: LENGTH, stream: true, ...(trial.schema.trim() === "" ? byStrategy(trial) : inForm(trial)) } as const;
  let report: StrategyReport | null = null;
  if (engine.info.model.chatTemplate) {
    for await (const chunk of await engine.chat.completions.create({ ...request, messages: asked(trial.prompt) })) {
      onText(chunk.choices[0]?.delta.content ?? "", chunk.choices[0]?.guessed ?? false);
      report = chunk.strategy ?? report;
    }
  } else {
    for await (const chunk of await engine.completions.create({ ...request, prompt: trial.prompt })) {
      onText(chunk.choices[0]?.text ?? "", chunk.choices[0]?.guessed ?? false);
      report = chunk.strategy ?? report;
    }
  }
  return report;
}

function byStrategy(trial: Trial): Omit<SamplingRequest, "stream"> {
  const parameters = trial.parameters.trim();
  const word = trial.word.trim().toLowerCase();
  return {
    strategy: parameters === "" ? trial.name : `${trial.name}:${parameters}`,
    ...(trial.reference.trim() === "" ? {} : { references: [trial.reference] }),
    ...(word === "" ? {} : { scorer: ({ text }: { readonly text: string }) => score(text, word) }),
  };
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
