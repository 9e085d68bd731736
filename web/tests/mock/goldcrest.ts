/**
 * A stand-in for the package with its public types: the same shapes and errors, no model. Builds for tests put it in the package's
 * place; `window.mock` says how it shall behave.
 */
import type * as Real from "../../../npm/dist/index.js";
import { GoldcrestError } from "../../../npm/dist/errors.js";
import { createChat, createCompletion, type Speech } from "./generation.js";
import { cut } from "./answers.js";

export { GoldcrestError };

/** How the stand-in behaves. Times are milliseconds. */
export interface Behaviour {
  readonly tokenMs?: number;
  readonly downloadMs?: number;
  readonly backend?: "webgpu" | "cpu";
  /** The code that `load` fails with, halfway. */
  readonly failLoad?: string;
  readonly failPlan?: string;
  /** The code that an answer breaks off with, once, after this many tokens. */
  readonly failAnswer?: { readonly code: string; readonly after: number };
  readonly noAdapter?: boolean;
  readonly noRoom?: boolean;
}

declare global {
  interface Window {
    mock?: Behaviour;
  }
}

type Engine = { [Key in keyof Real.Engine]: Real.Engine[Key] };

const SIZE = { "smollm2-135m": 98_362_432, "gemma3-270m": 253_113_024 } as const;
const STORE = "mock.cached";

const behaviour = (): Behaviour => window.mock ?? {};

/** The stand-in of `Goldcrest`. */
export const Goldcrest = {
  async load(source: Real.ModelSource, options: Real.LoadOptions = {}): Promise<Engine> {
    const { onProgress = () => undefined, signal } = options;
    const total = sizeOf(source);
    const { downloadMs = 300, failLoad, backend = "webgpu" } = behaviour();
    const steps = Math.max(1, Math.round(downloadMs / 40));
    const key = String(source);
    for (let step = kept()[key] ?? 0; step <= steps; step += 1) {
      if (failLoad && step > steps / 2) throw failure(failLoad);
      await pause(downloadMs / steps, signal);
      keep(key, step);
      onProgress({ phase: "download", loaded: (total * step) / steps, total, file: key });
      onProgress({ phase: "upload", loaded: (total * 0.9 * step) / steps, total });
      onProgress({ phase: "compile", loaded: Math.min(30, step * 3), total: 30 });
    }
    keep(key, 1e9);
    onProgress({ phase: "verify", loaded: total, total });
    onProgress({ phase: "ready", loaded: total, total });
    return makeEngine(source, backend, options.contextLength);
  },
  async plan(source: Real.ModelSource, { contextLength, signal }: Real.PlanOptions = {}): Promise<Real.ModelPlan> {
    await pause(60, signal);
    const { failPlan, noAdapter, noRoom } = behaviour();
    if (failPlan) throw failure(failPlan);
    const model = modelInfo(source);
    const context = contextLength ?? model.nCtxTrain;
    const file = sizeOf(source);
    const memory = { weights: file * 0.99, kvPerToken: 23_040, kv: 23_040 * context, scratch: 9e6, contextLength: context };
    const local = typeof source !== "string" && !(source instanceof URL);
    const cached = (kept()[String(source)] ?? 0) >= 1e9;
    return {
      model,
      memory: { ...memory, total: memory.weights + memory.kv + memory.scratch },
      fileBytes: file,
      download: { remaining: local || cached ? 0 : file, free: noRoom ? 20e6 : 12e9, fits: !noRoom },
      adapter: noAdapter ? null : { maxBufferSize: 2 ** 31, maxStorageBufferBindingSize: 2 ** 30 },
    };
  },
  models: {
    async list(): Promise<Real.CachedModel[]> {
      return Object.entries(kept()).map(([name, step]) => {
        const size = sizeOf(name);
        const complete = step >= 1e9;
        return { name, source: `hf:example/${name}/${name}.gguf`, size, cached: complete ? size : size * 0.4, complete, lastUsed: new Date() };
      });
    },
    async remove(name: string): Promise<boolean> {
      const all = kept();
      const had = name in all;
      delete all[name];
      localStorage.setItem(STORE, JSON.stringify(all));
      return had;
    },
  },
  async forgetGuesses(): Promise<void> {},
} satisfies { [Key in keyof Real.GoldcrestApi]: unknown };

function makeEngine(source: Real.ModelSource, backend: "webgpu" | "cpu", contextLength: number | undefined): Engine {
  const model = modelInfo(source);
  const words: string[] = [];
  const speech: Speech = {
    model: model.name,
    tokenMs: () => behaviour().tokenMs ?? 12,
    fail: (after) => {
      const { failAnswer } = behaviour();
      if (!failAnswer || after < failAnswer.after) return null;
      const { failAnswer: _done, ...rest } = behaviour();
      window.mock = rest;
      return failure(failAnswer.code);
    },
    idOf: (text) => {
      if (!words.includes(text)) words.push(text);
      return words.indexOf(text);
    },
    textOf: (ids) => ids.map((id) => words[id] ?? "").join(""),
  };
  const template = (messages: readonly Real.ChatMessage[]): string =>
    `${messages.map(({ role, content }) => `<|im_start|>${role}\n${String(content)}<|im_end|>\n`).join("")}<|im_start|>assistant\n`;
  const engine: Engine & { info: { other: Real.EngineInfo["other"] } } = {
    info: {
      model,
      adapter: { name: backend === "cpu" ? "CPU twins" : "Example Graphics 9000", backend, type: backend === "cpu" ? "cpu" : "discrete", driver: "" },
      backend,
      features: backend === "cpu" ? [] : ["subgroups"],
      profile: backend === "cpu" ? "cpu" : "discrete",
      contextLength: contextLength ?? model.nCtxTrain,
      memory: { weights: 97e6, kvPerToken: 23_040, scratch: 9e6, total: 153e6 },
      other: null,
      notes: backend === "cpu" ? ["This browser offers no WebGPU adapter"] : [],
      worker: true,
    },
    chat: { completions: { create: createChat(speech) as Real.ChatCompletions["create"] } },
    completions: { create: createCompletion(speech) as Real.Completions["create"] },
    tokenize: async (text) => cut(text).map(speech.idOf),
    detokenize: async (tokens) => speech.textOf(tokens),
    pieces: async (tokens) => tokens.map((id) => speech.textOf([id])),
    countTokens: async (input) => cut(typeof input === "string" ? input : template(input)).length,
    applyChatTemplate: async (messages) => template(messages),
    strategies: async () => [
      { name: "sample", summary: "plain decoding, one token after another" },
      { name: "context_aware", summary: "the document against the memory" },
      { name: "beam", summary: "the likeliest of several answers" },
    ],
    trace: async (_input, { chain = "draw" } = {}) => ({
      stages: ["input", ...chain.split("|").map((stage) => stage.trim()).slice(0, -1)].map((stage, at) => ({
        stage,
        nCandidates: at === 0 ? 49_152 : 40 >> at,
        top: [0.5, 0.3, 0.2].map((p, id) => ({ id, text: ["Paris", " Lyon", "\n"][id] ?? "", logit: Math.log(p), p })),
      })),
      choice: { id: 0, text: "Paris" },
    }),
    score: async ({ continuations }) =>
      continuations.map((text) => ({ tokens: cut(text).map(speech.idOf), logprobs: cut(text).map(() => -1), logprob: -cut(text).length })),
    classify: async ({ labels, inputs }) =>
      (inputs ?? [null]).map((input) => ({
        input,
        best: 0,
        label: labels[0] ?? "",
        p: labels.map(() => 1 / labels.length),
        calibrated: labels.map(() => 1 / labels.length),
        scored: [],
      })),
    loadOther: async (other) => {
      engine.info.other = { model: modelInfo(other), memory: engine.info.memory };
    },
    plan: (other, options) => Goldcrest.plan(other, options),
    selftest: async () => ({ selftest: ["F16", "Q4_1", "Q4_K", "Q6_K", "Q8_0"].map((format) => ({ format, ok: true, sums: [1, 2] })) }),
    loseDevice: async () => undefined,
    dispose: async () => undefined,
    [Symbol.asyncDispose]: async () => undefined,
  };
  return engine;
}

function modelInfo(source: Real.ModelSource): Real.ModelInfo {
  const gemma = String(source).includes("gemma");
  return gemma
    ? { name: "Gemma 3 270m", arch: "gemma3", fileType: "Q4_K_M", nParams: 268e6, nLayers: 18, nCtxTrain: 32_768, nVocab: 262_144, chatTemplate: false }
    : { name: "SmolLM2 135M Instruct", arch: "llama", fileType: "Q4_1", nParams: 135e6, nLayers: 30, nCtxTrain: 2048, nVocab: 49_152, chatTemplate: true };
}

function sizeOf(source: Real.ModelSource): number {
  if (source instanceof Blob) return source.size;
  return SIZE[String(source) as keyof typeof SIZE] ?? 500e6;
}

function failure(code: string): GoldcrestError {
  const details = code === "E_QUOTA" ? { needed: 98e6, free: 20e6 } : undefined;
  return new GoldcrestError(code, `the stand-in was told to fail with ${code}`, { help: "do as the test says", details });
}

function kept(): Record<string, number> {
  return JSON.parse(localStorage.getItem(STORE) ?? "{}") as Record<string, number>;
}

function keep(name: string, step: number): void {
  if (!(name in SIZE)) return;
  localStorage.setItem(STORE, JSON.stringify({ ...kept(), [name]: step }));
}

async function pause(ms: number, signal: AbortSignal | undefined): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, ms));
  if (signal?.aborted) throw new GoldcrestError("E_ABORTED", "the operation was aborted");
}
