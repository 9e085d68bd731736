import type { Alternative, EventAnswer, GenerateEvent, GenerateRequest, GenerateStats, ToolFormat } from "../core/facts.js";
import { readWords } from "./form.js";
import type { Sampling } from "./parameters.js";
import { sumSpeculation } from "./speculation.js";
import { answerQuestion } from "./strategy.js";
import type { FinishReason, GenerationRecord, StrategyReport, Timings, TokenLogprob, TopLogprob, Usage } from "./types.js";

/** The model that answers. */
export interface Model {
  /** The name in answers to requests that give none. */
  name(): string;
  generate(
    request: GenerateRequest,
    signal: AbortSignal | undefined,
    onEvent: (event: GenerateEvent) => EventAnswer | Promise<EventAnswer>,
  ): Promise<GenerateStats>;
  /** How the model writes calls of tools; `null` if its chat template takes none. */
  toolFormat(): ToolFormat | null;
  pieces(tokens: readonly number[]): Promise<string[]>;
  detokenize(tokens: readonly number[]): Promise<string>;
}

/** A piece of an answer. */
export interface Piece {
  readonly text: string;
  /** Its tokens; `null` unless log-probabilities were asked for. */
  readonly logprobs: readonly TokenLogprob[] | null;
  /** Ids of its tokens; empty unless they were asked for. */
  readonly ids: readonly number[];
  /** Whether its tokens were guessed. */
  readonly guessed: boolean;
}

/** What is told of the answers of one request, in order. */
export interface AnswerEvents {
  /** The prompt as the model sees it; once. */
  onPrompt(tokens: readonly number[]): void;
  /** A piece of the answer with this index. */
  onPiece(index: number, piece: Piece): void | Promise<void>;
  /** The end of the answer with this index: ids that no piece had; `totals` only with the last answer. */
  onEnd(index: number, finish: FinishReason, ids: readonly number[], totals: Totals | undefined): void | Promise<void>;
}

/** Counts and times over all answers of a request. */
export interface Totals {
  readonly usage: Usage;
  readonly timings: Timings;
  readonly strategy?: StrategyReport;
  readonly record?: GenerationRecord;
}

/** Runs the answers of a request one after another. */
export async function answer(
  model: Model,
  prompt: GenerateRequest["prompt"],
  sampling: Sampling,
  logprobs: number | undefined,
  signal: AbortSignal | undefined,
  events: AnswerEvents,
): Promise<Totals> {
  const runs: { promptTokens: number; stats: GenerateStats }[] = [];
  for (let index = 0; ; index += 1) {
    const request: GenerateRequest = {
      ...sampling.request,
      ...sampling.strategy.request,
      prompt,
      seed: (sampling.seed + index) % 2 ** 53,
      // One alternative more than none: it brings the text of most tokens.
      ...(logprobs === undefined ? {} : { logprobs: Math.max(1, logprobs) }),
    };
    let finish: FinishReason = "stop";
    let promptTokens = 0;
    let told = 0;
    const stats = await model.generate(request, signal, (event) => {
      switch (event.type) {
        case "prompt":
          promptTokens = event.tokens.length;
          if (index === 0) events.onPrompt(event.tokens);
          return undefined;
        case "token": {
          const ids = sampling.tokenIds ? [event.id] : [];
          told += ids.length;
          if (logprobs !== undefined) return tell(model, event, index, logprobs, ids, events);
          return event.text === "" && ids.length === 0 ? undefined : events.onPiece(index, { text: event.text, logprobs: null, ids, guessed: event.guessed ?? false });
        }
        case "end":
          finish = event.finish === "length" ? "length" : "stop";
          if (event.text === "") return undefined;
          return events.onPiece(index, { text: event.text, logprobs: logprobs === undefined ? null : [], ids: [], guessed: false });
        case "score":
        case "remote":
          return answerQuestion(sampling.strategy, event);
        case "words":
          return readWords(sampling.monitor, event.text, event.tokens);
        case "prefill":
        case "working":
          return undefined;
      }
    });
    runs.push({ promptTokens, stats });
    const totals = index + 1 === sampling.n ? sumUp(runs) : undefined;
    await events.onEnd(index, finish, sampling.tokenIds ? stats.tokens.slice(told) : [], totals);
    if (totals !== undefined) return totals;
  }
}

async function tell(
  model: Model,
  event: GenerateEvent & { type: "token" },
  index: number,
  logprobs: number,
  ids: readonly number[],
  events: AnswerEvents,
): Promise<void> {
  const top = event.top ?? [];
  // The text of the event is what is certain to be part of the answer: it may hold back some, and bring what was held back.
  const own = top.find(({ id }) => id === event.id)?.text ?? (await model.pieces([event.id]))[0] ?? "";
  const token = { ...shown({ id: event.id, text: own, logprob: event.logprob }), top_logprobs: top.slice(0, logprobs).map(shown) };
  await events.onPiece(index, { text: event.text, logprobs: [token], ids, guessed: event.guessed ?? false });
}

function shown({ id, text, logprob }: Alternative): TopLogprob {
  return { id, token: text, logprob, bytes: Array.from(new TextEncoder().encode(text)) };
}

function sumUp(runs: readonly { readonly promptTokens: number; readonly stats: GenerateStats }[]): Totals {
  const sum = (of: (stats: GenerateStats) => number): number => runs.reduce((total, { stats }) => total + of(stats), 0);
  // As in OpenAI's API, several answers share one prompt.
  const prompt = runs[0]?.promptTokens ?? 0;
  const completion = sum(({ tokens }) => tokens.length);
  const first = runs[0]?.stats;
  const decoded = sum(({ decode_tokens }) => decode_tokens);
  const decodeMs = sum(({ decode_ms }) => decode_ms);
  const prefilled = sum(({ prefill_tokens }) => prefill_tokens);
  const prefillMs = sum(({ prefill_ms }) => prefill_ms);
  const { strategy, record } = runs.at(-1)?.stats ?? {};
  const speculation = sumSpeculation(runs.map(({ stats }) => stats.strategy));
  return {
    ...(strategy === undefined ? {} : { strategy }),
    ...(record === undefined ? {} : { record }),
    usage: {
      prompt_tokens: prompt,
      completion_tokens: completion,
      total_tokens: prompt + completion,
      prompt_tokens_details: { cached_tokens: first?.reused_tokens ?? 0 },
      ...(speculation === undefined ? {} : { speculation }),
    },
    timings: {
      ttft_ms: first?.ttft_ms ?? 0,
      prefill_tokens: prefilled,
      prefill_ms: prefillMs,
      prefill_tokens_per_second: rate(prefilled, prefillMs),
      decode_tokens: decoded,
      decode_ms: decodeMs,
      tokens_per_second: rate(decoded, decodeMs),
      reused_tokens: sum(({ reused_tokens }) => reused_tokens),
      forward_passes: sum(({ forward_passes }) => forward_passes),
      submits: sum(({ submits }) => submits),
      readbacks: sum(({ readbacks }) => readbacks),
      dispatches_per_token: first?.dispatches_per_token ?? 0,
    },
  };
}

function rate(count: number, ms: number): number {
  return ms > 0 ? (count * 1000) / ms : 0;
}
