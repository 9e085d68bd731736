import type { GenerateRequest } from "../core/facts.js";
import { invalidParameter } from "../errors.js";
import type { Completions } from "../types.js";
import { newId } from "./chat.js";
import { answer, type Model, type Totals } from "./generation.js";
import { checkNames, flag, integer, readSampling } from "./parameters.js";
import { AnswerStream } from "./stream.js";
import type { Completion, CompletionChunk, CompletionLogprobs, CompletionRequest, FinishReason, TokenLogprob } from "./types.js";

const OWN = ["prompt", "logprobs", "echo", "parse_special"];

/** `engine.completions` over a model. */
export function completions(model: Model): Completions {
  async function create(request: CompletionRequest): Promise<unknown> {
    checkNames(request, OWN);
    const sampling = readSampling(request);
    const fields = request as unknown as Readonly<Record<string, unknown>>;
    const prompt = readPrompt(request.prompt, flag(fields, "parse_special") ?? false);
    const logprobs = integer(fields, "logprobs", 0, 256);
    const echo = flag(fields, "echo") ?? false;
    const lead = !echo ? "" : "text" in prompt ? prompt.text : "tokens" in prompt ? await model.detokenize(prompt.tokens) : "";
    const frame = {
      id: newId("cmpl"),
      object: "text_completion" as const,
      created: Math.floor(Date.now() / 1000),
      model: request.model ?? model.name(),
    };
    if (!sampling.stream) {
      const choices = Array.from({ length: sampling.n }, () => ({ text: lead, lists: new LogprobLists(lead.length), finish: "stop" as FinishReason }));
      const totals = await answer(model, prompt, sampling, logprobs, sampling.signal, {
        onPiece(index, text, tokens) {
          const choice = choices[index];
          if (choice === undefined) return;
          choice.text += text;
          choice.lists.add(tokens ?? []);
        },
        onEnd(index, finish) {
          const choice = choices[index];
          if (choice !== undefined) choice.finish = finish;
        },
      });
      return {
        ...frame,
        choices: choices.map(({ text, lists, finish }, index) => ({
          index,
          text,
          finish_reason: finish,
          logprobs: logprobs === undefined ? null : lists.lists,
        })),
        ...totals,
      } satisfies Completion;
    }
    return new AnswerStream<CompletionChunk>((push, signal) => {
      const chunk = (choices: CompletionChunk["choices"], totals?: Totals): CompletionChunk => ({
        ...frame,
        choices,
        ...(totals ?? (sampling.includeUsage ? { usage: null } : {})),
      });
      const offsets = new Map<number, number>();
      return answer(model, prompt, sampling, logprobs, signal, {
        onPiece(index, text, tokens) {
          const begun = offsets.get(index);
          const whole = begun === undefined ? lead + text : text;
          const lists = new LogprobLists(begun ?? lead.length);
          lists.add(tokens ?? []);
          offsets.set(index, lists.offset);
          return push(chunk([{ index, text: whole, finish_reason: null, logprobs: tokens && lists.lists }]));
        },
        async onEnd(index, finish, totals) {
          const text = offsets.has(index) ? "" : lead;
          await push(chunk([{ index, text, finish_reason: finish, logprobs: null }], sampling.includeUsage ? undefined : totals));
          if (sampling.includeUsage && totals !== undefined) await push(chunk([], totals));
        },
      });
    }, sampling.signal);
  }
  // The overloads say what comes back for which request; one body serves them all.
  return { create: create as Completions["create"] };
}

/** The lists that this API reports log-probabilities in. */
class LogprobLists {
  /** Where the next token begins. */
  offset: number;
  readonly #tokens: string[] = [];
  readonly #logprobs: number[] = [];
  readonly #top: Record<string, number>[] = [];
  readonly #offsets: number[] = [];

  constructor(offset: number) {
    this.offset = offset;
  }

  get lists(): CompletionLogprobs {
    return { tokens: this.#tokens, token_logprobs: this.#logprobs, top_logprobs: this.#top, text_offset: this.#offsets };
  }

  add(tokens: readonly TokenLogprob[]): void {
    for (const { token, logprob, top_logprobs } of tokens) {
      this.#tokens.push(token);
      this.#logprobs.push(logprob);
      this.#top.push(Object.fromEntries(top_logprobs.map((one) => [one.token, one.logprob])));
      this.#offsets.push(this.offset);
      this.offset += token.length;
    }
  }
}

function readPrompt(prompt: unknown, parseSpecial: boolean): Exclude<GenerateRequest["prompt"], { messages: unknown }> {
  if (typeof prompt === "string") return { text: prompt, parse_special: parseSpecial };
  const isId = (id: unknown): id is number => Number.isInteger(id) && (id as number) >= 0 && (id as number) < 2 ** 32;
  if (Array.isArray(prompt) && prompt.length > 0 && prompt.every(isId)) return { tokens: prompt };
  throw invalidParameter("prompt", prompt, "a string or a list of token ids");
}
