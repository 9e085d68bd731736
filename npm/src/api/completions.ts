import type { GenerateRequest } from "../core/facts.js";
import { invalidParameter } from "../errors.js";
import type { Completions } from "../types.js";
import { Gathering } from "./gather.js";
import { answer, type Model, type Totals } from "./generation.js";
import { newId } from "./ids.js";
import { checkNames, flag, integer, readSampling } from "./parameters.js";
import { AnswerStream } from "./stream.js";
import type { Completion, CompletionChunk, CompletionLogprobs, CompletionRequest, PromptTokens, TokenLogprob } from "./types.js";

const OWN = ["prompt", "logprobs", "echo", "parse_special"];

/** `engine.completions` over a model. */
export function completions(model: Model): Completions {
  async function create(request: CompletionRequest): Promise<unknown> {
    checkNames(request, OWN);
    const sampling = readSampling(request, (reference) => readPrompt(reference, false));
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
      const gathering = new Gathering(sampling.n, lead);
      const totals = await answer(model, prompt, sampling, logprobs, sampling.signal, gathering);
      return {
        ...frame,
        ...(sampling.tokenIds ? { prompt_token_ids: gathering.prompt } : {}),
        choices: gathering.answers.map(({ text, finish, ids, ...gathered }, index) => ({
          index,
          text,
          finish_reason: finish,
          logprobs: logprobs === undefined ? null : new LogprobLists(lead.length).add(gathered.logprobs).lists,
          ...(sampling.tokenIds ? { token_ids: ids } : {}),
        })),
        ...totals,
      } satisfies Completion;
    }
    return new AnswerStream<CompletionChunk>((push, signal) => {
      let prompted: PromptTokens = {};
      const chunk = (choices: CompletionChunk["choices"], totals?: Totals): CompletionChunk => {
        const made = { ...frame, ...prompted, choices };
        prompted = {};
        return { ...made, ...(totals ?? (sampling.includeUsage ? { usage: null } : {})) };
      };
      const offsets = new Map<number, number>();
      return answer(model, prompt, sampling, logprobs, signal, {
        onPrompt(tokens) {
          if (sampling.tokenIds) prompted = { prompt_token_ids: tokens };
        },
        onPiece(index, piece) {
          const begun = offsets.get(index);
          const lists = new LogprobLists(begun ?? lead.length).add(piece.logprobs ?? []);
          offsets.set(index, lists.offset);
          const text = begun === undefined ? lead + piece.text : piece.text;
          const ids = sampling.tokenIds ? { token_ids: piece.ids } : {};
          const guessed = piece.guessed ? { guessed: true as const } : {};
          return push(chunk([{ index, text, finish_reason: null, logprobs: piece.logprobs && lists.lists, ...ids, ...guessed }]));
        },
        async onEnd(index, finish, rest, totals) {
          const text = offsets.has(index) ? "" : lead;
          const ids = sampling.tokenIds ? { token_ids: rest } : {};
          await push(chunk([{ index, text, finish_reason: finish, logprobs: null, ...ids }], sampling.includeUsage ? undefined : totals));
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

  add(tokens: readonly TokenLogprob[]): this {
    for (const { token, logprob, top_logprobs } of tokens) {
      this.#tokens.push(token);
      this.#logprobs.push(logprob);
      this.#top.push(Object.fromEntries(top_logprobs.map((one) => [one.token, one.logprob])));
      this.#offsets.push(this.offset);
      this.offset += token.length;
    }
    return this;
  }
}

function readPrompt(prompt: unknown, parseSpecial: boolean): Exclude<GenerateRequest["prompt"], { messages: unknown }> {
  if (typeof prompt === "string") return { text: prompt, parse_special: parseSpecial };
  const isId = (id: unknown): id is number => Number.isInteger(id) && (id as number) >= 0 && (id as number) < 2 ** 32;
  if (Array.isArray(prompt) && prompt.length > 0 && prompt.every(isId)) return { tokens: prompt };
  throw invalidParameter("prompt", prompt, "a string or a list of token ids");
}
