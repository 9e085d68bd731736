import { chatCompletions, readMessages } from "./api/chat.js";
import { completions } from "./api/completions.js";
import type { Model } from "./api/generation.js";
import { readClassify, readScore } from "./api/score.js";
import type { ChatMessage, Classified, ClassifyRequest, Scored, ScoreRequest } from "./api/types.js";
import { orAborted } from "./core/abort.js";
import type { EngineHost } from "./core/host.js";
import { invalidParameter } from "./errors.js";
import { toInfo } from "./info.js";
import { readOtherOptions } from "./options.js";
import { resolveSource } from "./source/resolve.js";
import type {
  CallOptions,
  ChatCompletions,
  Completions,
  EngineInfo,
  ModelPlan,
  ModelSource,
  OtherOptions,
  PlanOptions,
  SelfTestReport,
  StrategySummary,
  TokenizeOptions,
  Trace,
  TraceOptions,
} from "./types.js";

/** How an engine asks for the plan of another model. */
export type Planner = (source: ModelSource, options: PlanOptions) => Promise<ModelPlan>;

// Browsers without explicit resource management have no such symbol; `using` does not work in them either.
const asyncDispose: typeof Symbol.asyncDispose = Symbol.asyncDispose ?? Symbol.for("Symbol.asyncDispose");

/** Makes an engine; for this package only, since a host is nothing that users have. */
export let makeEngine: (host: EngineHost, planner: Planner, inWorker: boolean) => Engine;

/**
 * A loaded model. Requests run one after another, in the order in which they are made (a stream: in which it is first read).
 * When the GPU goes away, the request under way rejects with `E_DEVICE_LOST`, and the next one loads the model again from the
 * cache.
 */
export class Engine {
  /** The chat API of OpenAI's shape. */
  readonly chat: { readonly completions: ChatCompletions };
  /** The text API of OpenAI's shape. */
  readonly completions: Completions;
  readonly #host: EngineHost;
  readonly #planner: Planner;
  readonly #inWorker: boolean;

  static {
    makeEngine = (...parts) => new Engine(...parts);
  }

  private constructor(host: EngineHost, planner: Planner, inWorker: boolean) {
    this.#host = host;
    this.#planner = planner;
    this.#inWorker = inWorker;
    const model: Model = {
      name: () => host.facts.model.name,
      generate: (request, signal, onEvent) => host.call("generate", [request], signal, onEvent),
      toolFormat: () => host.facts.tool_format,
      pieces: (tokens) => host.call("pieces", [tokens]),
      detokenize: (tokens) => host.call("detokenize", [tokens]),
    };
    this.chat = { completions: chatCompletions(model) };
    this.completions = completions(model);
  }

  /** What the engine is and uses. */
  get info(): EngineInfo {
    return toInfo(this.#host.facts, this.#host.other, this.#inWorker);
  }

  /**
   * Loads a further model onto the same device, in place of the one that there may be: for drafters and strategies that work with
   * two, such as `speculate: "draft"` (the other is the smaller one and guesses), `contrastive_decoding` (the amateur),
   * `entropy_adaptive` and `energy_routing` (the smaller one). Both must have the same vocabulary, else it rejects with
   * `E_VOCABULARY_MISMATCH`.
   */
  async loadOther(source: ModelSource, options: OtherOptions = {}): Promise<void> {
    const { signal, onProgress } = options;
    const { options: own } = this.#host;
    const checked = { ...own, ...readOtherOptions(options) };
    const ref = await orAborted(resolveSource(source, { signal }), signal);
    await this.#host.loadOther(ref, checked, signal, (progress) => onProgress?.(progress));
  }

  /** How likely texts are behind a prompt: one entry a continuation, in order. The prompt runs once. */
  async score(request: ScoreRequest): Promise<Scored[]> {
    return this.#host.call("score", [readScore(request)], request.signal);
  }

  /** Labels inputs by the labels' probability behind a prompt: one entry an input, in order. */
  async classify(request: ClassifyRequest): Promise<Classified[]> {
    return this.#host.call("classify", [readClassify(request)], request.signal);
  }

  /** The tokens of a text. */
  async tokenize(text: string, options: TokenizeOptions = {}): Promise<number[]> {
    if (typeof text !== "string") throw invalidParameter("text", text, "a string");
    const { addSpecial = false, parseSpecial = false, signal } = options;
    return this.#host.call("tokenize", [text, addSpecial, parseSpecial], signal);
  }

  /** The text of tokens. */
  async detokenize(tokens: readonly number[], options: CallOptions = {}): Promise<string> {
    return this.#host.call("detokenize", [readTokens(tokens)], options.signal);
  }

  /** The text of each token by itself. Bytes that are no whole character become U+FFFD. */
  async pieces(tokens: readonly number[], options: CallOptions = {}): Promise<string[]> {
    return this.#host.call("pieces", [readTokens(tokens)], options.signal);
  }

  /** How many tokens a text has; of a conversation, with all that the chat template puts around it. */
  async countTokens(input: string | readonly ChatMessage[], options: TokenizeOptions = {}): Promise<number> {
    if (typeof input === "string") return (await this.tokenize(input, options)).length;
    const text = await this.applyChatTemplate(input, options);
    return (await this.tokenize(text, { addSpecial: false, parseSpecial: true, signal: options.signal })).length;
  }

  /** A conversation as the model's chat template writes it. */
  async applyChatTemplate(
    messages: readonly ChatMessage[],
    options: CallOptions & { readonly addGenerationPrompt?: boolean | undefined } = {},
  ): Promise<string> {
    const { addGenerationPrompt = true, signal } = options;
    const input = { messages: readMessages(messages), add_generation_prompt: addGenerationPrompt };
    return this.#host.call("template", [input], signal);
  }

  /** The strategies that {@link SamplingRequest.strategy} takes. */
  async strategies(options: CallOptions = {}): Promise<readonly StrategySummary[]> {
    return this.#host.call("strategies", [], options.signal);
  }

  /** What a sampler makes of the distribution of the token behind a text or a conversation, stage by stage. */
  async trace(input: string | readonly ChatMessage[], options: TraceOptions = {}): Promise<Trace> {
    const { chain = "draw", seed = 0, listed = 10, signal } = options;
    const prompt = typeof input === "string" ? { text: input, parse_special: false } : { messages: readMessages(input), add_generation_prompt: true };
    const { stages, choice } = await this.#host.call("trace", [{ prompt, chain, seed, listed }], signal);
    return { stages: stages.map(({ stage, n_candidates, top }) => ({ stage, nCandidates: n_candidates, top })), choice };
  }

  /** What another model would need, before it is fetched. */
  plan(source: ModelSource, options: PlanOptions = {}): Promise<ModelPlan> {
    return this.#planner(source, options);
  }

  /** Runs the kernels on known data, and says which formats this device computes right. */
  selftest(options: CallOptions = {}): Promise<SelfTestReport> {
    return this.#host.call("selftest", [], options.signal);
  }

  /** Gives the GPU's memory back at once; the next request loads the model again from the cache. */
  async loseDevice(): Promise<void> {
    await this.#host.loseDevice();
  }

  /** Ends the engine and frees its memory. Calls under way and calls to come reject with `E_DISPOSED`. */
  async dispose(): Promise<void> {
    await this.#host.dispose();
  }

  /** As {@link Engine.dispose}, for `await using`. */
  async [asyncDispose](): Promise<void> {
    await this.dispose();
  }
}

function readTokens(tokens: unknown): readonly number[] {
  const list: unknown[] = ArrayBuffer.isView(tokens) ? Array.from(tokens as unknown as ArrayLike<unknown>) : Array.isArray(tokens) ? tokens : [null];
  const isId = (id: unknown): id is number => Number.isInteger(id) && (id as number) >= 0 && (id as number) < 2 ** 32;
  if (list.every(isId)) return list;
  throw invalidParameter("tokens", tokens, "a list of token ids");
}
