import type * as Real from "../../../npm/dist/index.js";
import { GoldcrestError } from "../../../npm/dist/errors.js";
import { answerTo, chances, cut } from "./answers.js";

/** What the stand-in's calls share. */
export interface Speech {
  readonly model: string;
  tokenMs(): number;
  fail(after: number): GoldcrestError | null;
  idOf(text: string): number;
  textOf(ids: readonly number[]): string;
}

interface Step {
  readonly text: string;
  readonly others: readonly { readonly text: string; readonly logprob: number }[];
  readonly finish: Real.FinishReason | null;
  readonly made: number;
}

/** `chat.completions.create`, streaming only. */
export function createChat(speech: Speech): (request: Real.ChatCompletionRequest) => Promise<Real.CompletionStream<Real.ChatCompletionChunk>> {
  return async (request) => {
    const asked = String(request.messages.at(-1)?.content ?? "");
    const count = request.logprobs ? (request.top_logprobs ?? 0) : 0;
    const begun = performance.now();
    return stream(speak(speech, answerTo(asked), "", count, request), ({ text, others, finish, made }) => ({
      id: "chat-1",
      object: "chat.completion.chunk",
      created: 0,
      model: speech.model,
      choices: [
        {
          index: 0,
          delta: { content: text },
          finish_reason: finish,
          logprobs: count > 0 && !finish ? { content: [tokenOf(speech, text, others)] } : null,
        },
      ],
      ...(finish ? { usage: usage(asked, made), timings: timings(begun, made), ...reported(request, made) } : {}),
    }));
  };
}

/** What a strategy would say of itself, and a record that says hardly anything. */
function reported({ strategy, record }: Real.SamplingRequest, passes: number): { strategy?: Real.StrategyReport; record?: Real.GenerationRecord } {
  const recorded = record === true ? { record: { body: { version: 1 }, chain: {} } as unknown as Real.GenerationRecord } : {};
  if (strategy === undefined || strategy === null) return recorded;
  const name = typeof strategy === "string" ? (strategy.split(":")[0] ?? "") : strategy.name;
  return { ...recorded, strategy: { name, passes, rows: passes } };
}

/** `completions.create`, streaming only: goes on where the prompt leaves the answer that it belongs to. */
export function createCompletion(speech: Speech): (request: Real.CompletionRequest) => Promise<Real.CompletionStream<Real.CompletionChunk>> {
  return async (request) => {
    const prompt = typeof request.prompt === "string" ? request.prompt : speech.textOf(request.prompt);
    const [asked = "", written = ""] = prompt.split("<|im_start|>assistant\n");
    const count = request.logprobs ?? 0;
    const begun = performance.now();
    return stream(speak(speech, answerTo(asked), written, count, request), ({ text, others, finish, made }) => ({
      id: "text-1",
      object: "text_completion",
      created: 0,
      model: speech.model,
      choices: [
        {
          index: 0,
          text,
          finish_reason: finish,
          ...(request.return_token_ids && !finish ? { token_ids: [speech.idOf(text)] } : {}),
          logprobs:
            count > 0 && !finish
              ? {
                  tokens: [text],
                  token_logprobs: [others.find((other) => other.text === text)?.logprob ?? 0],
                  top_logprobs: [Object.fromEntries(others.map((other) => [other.text, other.logprob]))],
                  text_offset: [0],
                }
              : null,
        },
      ],
      ...(finish ? { usage: usage(prompt, made), timings: timings(begun, made) } : {}),
    }));
  };
}

async function* speak(speech: Speech, whole: string, written: string, count: number, request: Real.SamplingRequest): AsyncGenerator<Step> {
  // A branch leaves the text that the stand-in knows; it goes on with the same number of letters behind it.
  const pieces = cut(whole.slice(Math.min(written.length, whole.length)));
  const most = request.max_tokens ?? Number.POSITIVE_INFINITY;
  await pause(80, request.signal);
  let made = 0;
  for (const text of pieces) {
    if (made >= most) break;
    await pause(speech.tokenMs(), request.signal);
    const error = speech.fail(made);
    if (error) throw error;
    made += 1;
    yield { text, others: chances(text, made, Math.max(1, count)), finish: null, made };
  }
  yield { text: "", others: [], finish: made >= most ? "length" : "stop", made };
}

function stream<Chunk>(steps: AsyncGenerator<Step>, toChunk: (step: Step) => Chunk): Real.CompletionStream<Chunk> {
  async function* chunks(): AsyncGenerator<Chunk> {
    for await (const step of steps) yield toChunk(step);
  }
  return {
    [Symbol.asyncIterator]: () => chunks(),
    abort: () => void steps.return(undefined),
    toReadableStream: () => new ReadableStream(),
  };
}

function tokenOf(speech: Speech, text: string, others: Step["others"]): Real.TokenLogprob {
  const full = (other: { text: string; logprob: number }): Real.TopLogprob => ({
    id: speech.idOf(other.text),
    token: other.text,
    logprob: other.logprob,
    bytes: [...new TextEncoder().encode(other.text)],
  });
  const own = others.find((other) => other.text === text) ?? { text, logprob: 0 };
  return { ...full(own), top_logprobs: others.map(full) };
}

function usage(prompt: string, made: number): Real.Usage {
  const read = cut(prompt).length;
  return { prompt_tokens: read, completion_tokens: made, total_tokens: read + made, prompt_tokens_details: { cached_tokens: 0 } };
}

function timings(begun: number, made: number): Real.Timings {
  const ms = performance.now() - begun;
  return {
    ttft_ms: 84,
    prefill_tokens: 31,
    prefill_ms: 80,
    prefill_tokens_per_second: 387,
    decode_tokens: made,
    decode_ms: ms,
    tokens_per_second: (made * 1000) / ms,
    reused_tokens: 0,
    forward_passes: made,
    submits: made,
    readbacks: made,
    dispatches_per_token: 186,
  };
}

async function pause(ms: number, signal: AbortSignal | undefined): Promise<void> {
  if (ms > 0) await new Promise((resolve) => setTimeout(resolve, ms));
  if (signal?.aborted) throw new GoldcrestError("E_ABORTED", "the operation was aborted");
}
