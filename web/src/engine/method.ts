import type { ChatMessage, Engine, SamplingRequest, StrategyReport, Trace } from "goldcrest";

/** What is tried of a strategy. */
export interface Trial {
  readonly name: string;
  /** `key=value`, parted by commas. */
  readonly parameters: string;
  readonly prompt: string;
  readonly reference: string;
  /** A word whose frequency is the score; nothing is no scorer. */
  readonly word: string;
}

/** Tokens of a trial: enough to see what a method does, few enough to wait for. */
const LENGTH = 64;

/** Runs a strategy on a prompt of its own, beside the conversation, and gives what it says of itself. */
export async function runMethod(engine: Engine, trial: Trial, signal: AbortSignal, onText: (piece: string, guessed: boolean) => void): Promise<StrategyReport | null> {
  const parameters = trial.parameters.trim();
  const word = trial.word.trim().toLowerCase();
  const request = {
    signal,
    max_tokens: LENGTH,
    stream: true,
    strategy: parameters === "" ? trial.name : `${trial.name}:${parameters}`,
    ...(trial.reference.trim() === "" ? {} : { references: [trial.reference] }),
    ...(word === "" ? {} : { scorer: ({ text }: { readonly text: string }) => score(text, word) }),
  } as const satisfies SamplingRequest;
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
