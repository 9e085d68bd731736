import { createHash } from "node:crypto";
import type { WasmEngine, WasmForm, WasmGrammars, WasmModule } from "../dist/core/wasm.js";
import { VERSION } from "../dist/version.js";

/** What the fake engine does beside answering, and what it saw. */
export interface FakeControl {
  /** Called with the backend before the device of a load is opened; may throw or wait. */
  beforeDevice?: (backend: string) => void | Promise<void>;
  /** Called before each token; may throw or wait. */
  beforeToken?: (index: number, engine: number) => void | Promise<void>;
  /** Called before each read of a load. */
  beforeRead?: (offset: number) => void | Promise<void>;
  /** Requests, as the engine got them. */
  requests: Record<string, unknown>[];
  /** Whether no further model fits. */
  refuseOther?: boolean;
  /** What engines were told to remember; the byte 255 at the start is refused. */
  remembered: Uint8Array[];
  /** Tokens made so far, over all requests. */
  tokens: number;
  /** Engines made and freed. */
  loaded: number;
  freed: number;
  /** Bytes of the last model. */
  bytes: Uint8Array;
  /** Further models that were loaded: the engine's number and the file's size. */
  others: (readonly [engine: number, size: number])[];
  running: number;
  /** Forms that were asked for, those of monitors as `null`. */
  forms: unknown[];
  /** Times that a vocabulary was handed over. */
  vocabularies: number;
  /** Forms made and not freed. */
  open: number;
  /** The answer so far, and the words that may come next. */
  said: string;
  words: readonly string[] | undefined;
  /** How the model writes calls; none by default. */
  toolFormat?: string;
  /** What the model says instead of `word0 word1 …`, token by token. */
  script?: readonly string[];
}

/** A module of grammars that keeps the contract and knows no grammar. */
export function fakeGrammars(control: FakeControl): WasmGrammars {
  return {
    Compiler: class {
      constructor() {
        control.vocabularies += 1;
      }
      compile(asked: string): WasmForm {
        const form = JSON.parse(asked) as { readonly text?: string };
        if (form.text === "no grammar") throw coded("E_GRAMMAR_SYNTAX", "it cannot be read");
        return fakeForm(control, form, false);
      }
      monitor(): WasmForm {
        return fakeForm(control, null, true);
      }
      free(): void {}
    },
    version: () => VERSION,
  };
}

function fakeForm(control: FakeControl, asked: unknown, asks: boolean): WasmForm {
  control.forms.push(asked);
  control.open += 1;
  const tokens: number[] = [];
  const form: WasmForm = {
    question: () => (asks ? { text: control.said, tokens: Uint32Array.from(tokens), free: () => undefined } : undefined),
    answer: (words) => void (control.words = words),
    mask: () => new Uint32Array(),
    commit: (token) => void tokens.push(token),
    rollback: (n) => void tokens.splice(tokens.length - n),
    forced: () => new Uint32Array(),
    isAccepting: () => true,
    isOver: () => false,
    fork: () => form,
    free: () => void (control.open -= 1),
  };
  return form;
}

/** Tokens are the bytes of the text. */
const encode = (text: string): number[] => Array.from(new TextEncoder().encode(text));
const decode = (tokens: Iterable<number>): string => new TextDecoder().decode(Uint8Array.from(tokens));

export function fakeControl(): FakeControl {
  return { requests: [], tokens: 0, loaded: 0, freed: 0, bytes: new Uint8Array(), others: [], remembered: [], running: 0, forms: [], vocabularies: 0, open: 0, said: "", words: undefined };
}

/** A wasm module that keeps the contract and knows no model: its answers are `word0 word1 …`. */
export function fakeWasm(control: FakeControl): WasmModule {
  return {
    Engine: {
      async load(source, options, onProgress, signal) {
        const { backend, context_length } = JSON.parse(options) as { backend: string; context_length?: number };
        await control.beforeDevice?.(backend);
        const bytes = new Uint8Array(source.size);
        const step = 3000;
        for (let offset = 0; offset < source.size; offset += step) {
          await control.beforeRead?.(offset);
          if (signal.aborted) throw coded("E_ABORTED", "aborted");
          const length = Math.min(step, source.size - offset);
          bytes.set(await source.read(offset, length), offset);
          onProgress("upload", offset + length, source.size);
        }
        onProgress("compile", 1, 1);
        control.bytes = bytes;
        control.loaded += 1;
        return engine(control, control.loaded, backend, context_length ?? 2048);
      },
    },
    Sha256: class {
      readonly #hash = createHash("sha256");
      update(bytes: Uint8Array): void {
        this.#hash.update(bytes);
      }
      digestHex(): string {
        return this.#hash.digest("hex");
      }
      free(): void {}
    },
    async plan(source, contextLength) {
      await source.read(0, Math.min(64, source.size));
      const n = contextLength ?? 2048;
      return JSON.stringify({
        model: MODEL,
        memory: { weights: source.size, kv_per_token: 10, kv: 10 * n, scratch: 5, total: source.size + 10 * n + 5, context_length: n },
        file_bytes: source.size,
      });
    },
    strategies: () => JSON.stringify([{ name: "beam", summary: "several at once" }]),
    version: () => VERSION,
  };
}

const MODEL = {
  name: "Fake", arch: "llama", file_type: "Q4_0", n_params: 1, n_layers: 1, n_ctx_train: 2048, n_vocab: 256, chat_template: true,
};

function engine(control: FakeControl, number: number, backend: string, contextLength: number): WasmEngine {
  let lost = false;
  return {
    info: () =>
      JSON.stringify({
        model: MODEL,
        adapter: { name: "fake", backend: "cpu", type: "cpu", driver: "" },
        backend: backend === "webgpu" ? "webgpu" : "cpu",
        features: [],
        profile: `engine ${number}`,
        context_length: contextLength,
        memory: { weights: 1, kv_per_token: 2, scratch: 3, total: 4 },
        notes: [],
        tool_format: control.toolFormat ?? null,
      }),
    async generate(request, onEvent, signal, constraint) {
      if (lost) throw coded("E_DEVICE_LOST", "the device is lost");
      if (control.running > 0) throw coded("E_BUSY", "busy");
      control.running += 1;
      try {
        const asked = JSON.parse(request) as Record<string, unknown>;
        control.requests.push(asked);
        const prompt = [1, 2, 3];
        await onEvent(JSON.stringify({ type: "prompt", tokens: prompt }));
        await onEvent(JSON.stringify({ type: "prefill", done: 3, total: 3 }));
        const most = Math.min((asked["max_tokens"] as number | undefined) ?? 4, control.script?.length ?? Infinity);
        const tokens: number[] = [];
        const guesses = String(asked["strategy"]).startsWith("speculate");
        let finish = control.script === undefined ? "length" : "stop";
        control.said = "";
        control.words = undefined;
        for (let index = 0; index < most; index += 1) {
          if (signal.aborted) {
            finish = "aborted";
            break;
          }
          await control.beforeToken?.(index, number);
          if (lost) throw coded("E_DEVICE_LOST", "the device is lost");
          tokens.push(index);
          control.tokens += 1;
          await constraint?.ready();
          const text = control.words?.[0] ?? control.script?.[index] ?? `word${index} `;
          constraint?.commit(index);
          control.said += text;
          const top = asked["logprobs"] === undefined ? undefined : [{ id: index, text, logprob: -0.5 }, { id: 99, text: "other", logprob: -1 }];
          await onEvent(JSON.stringify({ type: "token", id: index, text, logprob: -0.5, ...(guesses && index > 0 ? { guessed: true } : {}), top: top?.slice(0, asked["logprobs"] as number) }));
        }
        const strategy: Record<string, unknown> = { name: asked["strategy"], passes: 1, rows: 1 };
        if (guesses) strategy["speculation"] = { drafter: "auto", steps: 2, tau: 1.5, accepted_histogram: [1, 1], draft_ms: 1, verify_ms: 4 };
        if (asked["scored"] === true) strategy["score"] = await onEvent(JSON.stringify({ type: "score", text: "word0 ", tokens: [0], finished: false }));
        if (asked["remote"] === true) strategy["remote"] = await onEvent(JSON.stringify({ type: "remote", max_tokens: most }));
        await onEvent(JSON.stringify({ type: "end", finish, text: control.script === undefined ? "." : "" }));
        return JSON.stringify({
          tokens, prefill_tokens: 3, reused_tokens: 0, prefill_ms: 2, ttft_ms: 3, decode_tokens: tokens.length, decode_ms: 10,
          forward_passes: tokens.length, submits: 1, readbacks: 1, dispatches_per_token: 7,
          ...(asked["strategy"] === undefined ? {} : { strategy }),
          ...(asked["record"] === undefined ? {} : { record: { body: { model: (asked["record"] as { model: unknown }).model, tokens }, chain: {} } }),
        });
      } finally {
        control.running -= 1;
      }
    },
    async trace(request) {
      control.requests.push(JSON.parse(request) as Record<string, unknown>);
      const top = [{ id: 1, text: "a", logit: 2, p: 0.5 }];
      return JSON.stringify({ stages: [{ stage: "input", n_candidates: 256, top }], choice: { id: 1, text: "a" } });
    },
    async score(request) {
      const asked = JSON.parse(request) as { continuations: string[] };
      control.requests.push(asked);
      return JSON.stringify(asked.continuations.map((text) => ({ tokens: encode(text), logprobs: [-text.length], logprob: -text.length })));
    },
    async classify(request) {
      const asked = JSON.parse(request) as { labels: string[]; inputs: string[] };
      control.requests.push(asked as unknown as Record<string, unknown>);
      const inputs: (string | null)[] = asked.inputs.length === 0 ? [null] : asked.inputs;
      return JSON.stringify(inputs.map((input) => ({ input, best: 0, label: asked.labels[0], p: [1], calibrated: [1], scored: [] })));
    },
    async loadOther(source, onProgress, signal) {
      if (lost) throw coded("E_DEVICE_LOST", "the device is lost");
      await source.read(0, Math.min(64, source.size));
      if (signal.aborted) throw coded("E_ABORTED", "aborted");
      if (source.size === 64 || control.refuseOther) throw coded("E_VOCABULARY_MISMATCH", "Other beside Fake: different vocabularies");
      onProgress("upload", source.size, source.size);
      control.others.push([number, source.size]);
      const memory = { weights: source.size, kv_per_token: 1, kv: 2, scratch: 3, total: 4, context_length: 5 };
      return JSON.stringify({ model: { ...MODEL, name: "Other" }, memory });
    },
    guesses: () => Uint8Array.of(1, control.tokens),
    remember: (guesses) => {
      if (guesses[0] === 255) throw coded("E_BAD_MEMORY", "it does not begin as one");
      control.remembered.push(guesses);
    },
    continuation: (text) => Uint32Array.from(encode(text)),
    tokenTable: () => ({ pieces: new Uint8Array(), lengths: new Uint32Array(), special: new Uint32Array(), ends: new Uint32Array(), free: () => undefined }),
    tokenize: (text) => Uint32Array.from(encode(text)),
    pieces: (tokens) => JSON.stringify(Array.from(tokens, (token) => decode([token]))),
    detokenize: (tokens) => decode(tokens),
    applyChatTemplate: (input) => {
      const { messages } = JSON.parse(input) as { messages: { role: string; content: string }[] };
      return messages.map(({ role, content }) => `<${role}>${content}`).join("");
    },
    selftest: async () => JSON.stringify([{ format: "q4", ok: true }]),
    loseDevice: () => {
      lost = true;
    },
    free: () => {
      control.freed += 1;
    },
  };
}

export function coded(code: string, message: string): Error {
  return Object.assign(new Error(message), { code, help: `help for ${code}` });
}
