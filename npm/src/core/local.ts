import { Guesses } from "../cache/guesses.js";
import { shelfKey } from "../cache/download.js";
import type { DownloadOptions } from "../cache/remote.js";
import { freeBytes } from "../cache/quota.js";
import { chunkCount, readShelf } from "../cache/record.js";
import type { Classified, ModelHash, Scored } from "../api/types.js";
import { aborted, GoldcrestError, toGoldcrestError } from "../errors.js";
import { useSubgroups } from "../gpu/subgroups.js";
import { openSource } from "../source/open.js";
import type { SourceRef } from "../source/resolve.js";
import type { ProgressPhase, SelfTestReport, StrategySummary } from "../types.js";
import type { ByteSource } from "./bytes.js";
import type { CallHooks, Core } from "./core.js";
import { Constraints, type AskWords } from "./constraint.js";
import { deferred } from "./deferred.js";
import { nextAttempt, type Attempt } from "./fallback.js";
import type { EngineFacts, EventAnswer, GenerateEvent, GenerateStats, OtherFacts, PlanFacts, RecordRequest, TraceFacts } from "./facts.js";
import type { CallName, Calls, OpenOptions } from "./messages.js";
import { hashModel } from "./model-hash.js";
import { breathe, ProgressPace } from "./pace.js";
import { downloadTools, type Realm } from "./realm.js";
import type { WasmEngine, WasmGrammars, WasmModule } from "./wasm.js";

/** Longest stretch of work, in milliseconds, after which a generation lets the realm hear of aborts. */
const BREATH = 8;
/** How often a load begins anew because the file changed meanwhile. */
const RESTARTS = 2;

/** The engine in this realm. */
export class LocalCore implements Core {
  readonly #realm: Realm;
  #wasm: WasmModule | undefined;
  #engine: WasmEngine | undefined;
  #grammars: WasmGrammars | undefined;
  #constraints: Constraints | undefined;
  #guesses: Guesses | undefined;
  #origin: Origin | undefined;
  /** The same of the model beside it. */
  #otherOrigin: Origin | undefined;
  /** Calls that have not ended; none after a trap, since those never end. */
  readonly #running = new Set<Promise<void>>();

  constructor(realm: Realm) {
    this.#realm = realm;
  }

  async call<Name extends CallName>(name: Name, args: Calls[Name]["args"], hooks: CallHooks<Name>): Promise<Calls[Name]["result"]> {
    const trap = watchTraps();
    const running = this.#handlers[name](args, hooks);
    const settled = running.then(ignore, ignore);
    this.#running.add(settled);
    void settled.then(() => this.#running.delete(settled));
    try {
      return await Promise.race([running, trap.happened]);
    } catch (thrown) {
      if (!isTrap(thrown)) throw toGoldcrestError(thrown, "E_ENGINE");
      // Which of the two trapped is not known.
      if (this.#wasm !== undefined) await this.#realm.wasm.discard(this.#wasm);
      if (this.#grammars !== undefined) await this.#realm.grammars.discard(this.#grammars);
      this.#running.clear();
      this.#engine = undefined;
      this.#constraints = undefined;
      this.#wasm = undefined;
      this.#grammars = undefined;
      throw new GoldcrestError("E_TRAPPED", `the engine trapped: ${String((thrown as Error).message)}`, {
        help: "the next call starts a fresh engine; please report it with engine.info",
        cause: thrown,
      });
    } finally {
      trap.end();
    }
  }

  async close(): Promise<void> {
    await Promise.all(this.#running);
    await this.#guesses?.written();
    this.#free();
  }

  #free(): void {
    this.#constraints?.free();
    this.#constraints = undefined;
    this.#engine?.free();
    this.#engine = undefined;
  }

  readonly #handlers: Handlers = {
    load: (args, hooks) => this.#load(args, hooks),
    loadOther: (args, hooks) => this.#loadOther(args, hooks),
    plan: (args, hooks) => this.#plan(args, hooks),
    generate: (args, hooks) => this.#generate(args, hooks),
    trace: async ([request]) => JSON.parse(await this.#loaded.trace(JSON.stringify(request))) as TraceFacts,
    strategies: async () => JSON.parse(this.#module.strategies()) as StrategySummary[],
    score: async ([request]) => JSON.parse(await this.#loaded.score(JSON.stringify(request))) as Scored[],
    classify: async ([request]) => JSON.parse(await this.#loaded.classify(JSON.stringify(request))) as Classified[],
    tokenize: async ([text, addSpecial, parseSpecial]) => Array.from(this.#loaded.tokenize(text, addSpecial, parseSpecial)),
    pieces: async ([tokens]) => JSON.parse(this.#loaded.pieces(Uint32Array.from(tokens))) as string[],
    detokenize: async ([tokens]) => this.#loaded.detokenize(Uint32Array.from(tokens)),
    template: async ([input]) => this.#loaded.applyChatTemplate(JSON.stringify(input)),
    selftest: async () => JSON.parse(await this.#loaded.selftest()) as SelfTestReport,
    loseDevice: async () => {
      this.#loaded.loseDevice();
      return null;
    },
  };

  get #module(): WasmModule {
    if (this.#wasm === undefined) throw new GoldcrestError("E_DISPOSED", "the engine is not loaded");
    return this.#wasm;
  }

  get #loaded(): WasmEngine {
    if (this.#engine === undefined) throw new GoldcrestError("E_DISPOSED", "the engine is not loaded");
    return this.#engine;
  }

  /**
   * A model that changes on the server while it is fetched begins anew; one that changes all the time is given up. So does one
   * whose device turns out unfit, on the next best: what was fetched is in the cache by then.
   */
  async #load([ref, options]: Calls["load"]["args"], hooks: CallHooks<"load">): Promise<EngineFacts> {
    let attempt: Attempt = { backend: options.backend, subgroups: options.subgroups, notes: [] };
    for (let restarts = 0; ; ) {
      try {
        const facts = await this.#loadOnce(ref, options, attempt, hooks);
        return { ...facts, notes: [...attempt.notes, ...facts.notes] };
      } catch (thrown) {
        const error = toGoldcrestError(thrown, "E_ENGINE");
        if (error.code === "E_CHANGED" && restarts < RESTARTS) {
          restarts += 1;
          continue;
        }
        const next = hooks.signal.aborted ? undefined : nextAttempt(attempt, error);
        if (next === undefined) throw thrown;
        attempt = next;
      }
    }
  }

  async #loadOnce(
    ref: SourceRef,
    options: Calls["load"]["args"][1],
    { backend, subgroups }: Attempt,
    hooks: CallHooks<"load">,
  ): Promise<EngineFacts> {
    this.#free();
    // The wasm file arrives while the first bytes of the model do.
    const starting = this.#realm.wasm.get(options);
    starting.catch(() => undefined);
    const made: Promise<WasmEngine>[] = [];
    let size = 0;
    try {
      const engine = await this.#feed(ref, options, hooks, async (source, report) => {
        this.#wasm = await starting;
        useSubgroups(subgroups);
        ({ size } = source);
        const asked = JSON.stringify({ backend, context_length: options.contextLength, deterministic: options.deterministic });
        const making = this.#wasm.Engine.load(source, asked, report, hooks.signal);
        made.push(making);
        return making;
      });
      this.#engine = engine;
      this.#constraints = new Constraints(engine, async () => (this.#grammars = await this.#realm.grammars.get(options.grammarUrl)));
      this.#origin = { ref, options };
      this.#otherOrigin = undefined;
      const facts = JSON.parse(engine.info()) as EngineFacts;
      const lost = await this.#recall(engine, options, JSON.stringify([facts.model, size]));
      return lost === undefined ? facts : { ...facts, notes: [...facts.notes, lost] };
    } catch (error) {
      // An engine whose file turned out wrong.
      for (const making of made) void making.then((engine) => engine.free(), ignore);
      throw error;
    }
  }

  /** Begins with what guessing learnt of this model before, if that is kept. */
  async #recall(engine: WasmEngine, options: Calls["load"]["args"][1], model: string): Promise<string | undefined> {
    this.#guesses = undefined;
    if (!options.guessMemory) return undefined;
    const { store, digest } = await downloadTools(this.#realm, options.cache, options);
    this.#guesses = new Guesses(store, await shelfKey(model, digest));
    return this.#guesses.load((bytes) => engine.remember(bytes));
  }

  /** Which files an answer is from. */
  async #hashes(strategy: boolean, signal: AbortSignal): Promise<Pick<RecordRequest, "model" | "others">> {
    if (this.#origin === undefined) throw new GoldcrestError("E_DISPOSED", "the engine is not loaded");
    const model = await this.#hash(this.#origin, signal);
    const other = strategy ? this.#otherOrigin : undefined;
    return other === undefined ? { model } : { model, others: [await this.#hash(other, signal)] };
  }

  /** Which file a model is from: it is read once more. */
  async #hash(origin: Origin, signal: AbortSignal): Promise<ModelHash> {
    if (origin.hash !== undefined) return origin.hash;
    const { source, control } = await this.#open(origin.ref, origin.options, { signal, onProgress: () => undefined, headerOnly: false });
    const sum = new this.#module.Sha256();
    const going = (): void => {
      if (signal.aborted) throw aborted(signal.reason);
    };
    try {
      return (origin.hash = await hashModel(source, origin.ref.file, sum, going));
    } finally {
      sum.free();
      source.close();
      control.abort();
    }
  }

  async #loadOther([ref, options]: Calls["loadOther"]["args"], hooks: CallHooks<"loadOther">): Promise<OtherFacts> {
    const engine = this.#loaded;
    const facts = JSON.parse(await this.#feed(ref, options, hooks, (source, report) => engine.loadOther(source, report, hooks.signal))) as OtherFacts;
    this.#otherOrigin = { ref, options };
    return facts;
  }

  /** Reads a model's file into the engine, and tells how far that is. */
  async #feed<Made>(
    ref: SourceRef,
    options: OpenOptions,
    { onEvent, signal }: CallHooks<"load"> | CallHooks<"loadOther">,
    make: (source: ByteSource, report: (phase: string, loaded: number, total: number) => void) => Promise<Made>,
  ): Promise<Made> {
    const pace = new ProgressPace((progress) => void onEvent?.(progress));
    const report = (phase: ProgressPhase, loaded: number, total: number): void =>
      pace.report({ phase, loaded, total, ...(ref.file === "" ? {} : { file: ref.file }) });
    const { source, control } = await this.#open(ref, options, { signal, onProgress: report, headerOnly: false });
    try {
      const making = make(source, (phase, loaded, total) => report(phase as ProgressPhase, loaded, total));
      // A download that fails ends the reads of the engine, too; its own reason is the better one.
      making.catch(() => undefined);
      const made = await Promise.race([making, source.finished().then(() => making)]);
      await source.finished();
      if (signal.aborted) throw aborted(signal.reason);
      report("ready", source.size, source.size);
      pace.flush();
      return made;
    } finally {
      source.close();
      control.abort();
    }
  }

  async #plan([ref, options, contextLength]: Calls["plan"]["args"], { signal }: CallHooks<"plan">): Promise<PlanFacts> {
    const wasm = await this.#realm.wasm.get(options);
    const { source, control } = await this.#open(ref, options, { signal, onProgress: () => undefined, headerOnly: true });
    try {
      const facts = JSON.parse(await wasm.plan(source, contextLength)) as Omit<PlanFacts, "remaining" | "free" | "adapter">;
      const tools = await downloadTools(this.#realm, options.cache, options);
      const kept = ref.kind === "url" || ref.kind === "hub" ? await tools.store.shelf(await shelfKey(ref.source, tools.digest)) : undefined;
      const content = kept && (await readShelf(kept));
      const missing = content?.header === undefined ? source.size : missingBytes(content.header, content.chunks);
      return {
        ...facts,
        remaining: content === undefined ? 0 : missing,
        free: await freeBytes(this.#realm.estimate),
        adapter: await adapterLimits(),
      };
    } finally {
      source.close();
      control.abort();
    }
  }

  /** Opens a source; what it holds ends with `control`. */
  async #open(
    ref: SourceRef,
    options: Calls["plan"]["args"][1],
    watched: Pick<DownloadOptions, "signal" | "onProgress" | "headerOnly">,
  ): Promise<{ source: Awaited<ReturnType<typeof openSource>>; control: AbortController }> {
    const control = new AbortController();
    const end = (): void => control.abort(watched.signal.reason);
    if (watched.signal.aborted) throw aborted(watched.signal.reason);
    watched.signal.addEventListener("abort", end, { once: true });
    const source = await openSource(ref, options.hubUrl, () => downloadTools(this.#realm, options.cache, options), {
      ...watched,
      signal: control.signal,
      connections: options.connections,
      sha256: options.sha256,
    });
    control.signal.addEventListener("abort", () => watched.signal.removeEventListener("abort", end), { once: true });
    return { source, control };
  }

  async #generate([request]: Calls["generate"]["args"], { onEvent, signal }: CallHooks<"generate">): Promise<GenerateStats> {
    let breath = performance.now();
    const told = async (text: string): Promise<EventAnswer> => {
      const event = JSON.parse(text) as GenerateEvent;
      const answer = await onEvent?.(event);
      if (performance.now() - breath >= BREATH) {
        await breathe();
        breath = performance.now();
      }
      return answer;
    };
    const { form, monitored, record, ...asked } = request;
    const ask: AskWords = async (text, tokens) => (await onEvent?.({ type: "words", text, tokens })) as readonly string[] | null;
    const engine = this.#loaded;
    const constraint = await this.#constraints?.make(form, monitored === true ? ask : undefined);
    try {
      const wanted = record === undefined ? {} : { record: { ...record, ...(await this.#hashes(asked.strategy !== undefined, signal)) } };
      if (signal.aborted) throw aborted(signal.reason);
      const stats = JSON.parse(await engine.generate(JSON.stringify({ ...asked, ...wanted }), told, signal, constraint)) as GenerateStats;
      if (stats.strategy?.["speculation"] !== undefined) this.#guesses?.keep(new Uint8Array(engine.guesses()));
      if (signal.aborted) throw aborted(signal.reason);
      return stats;
    } finally {
      constraint?.free();
    }
  }
}

/** What a model was loaded from, and its hash once that was asked for. */
interface Origin {
  readonly ref: SourceRef;
  readonly options: OpenOptions;
  hash?: ModelHash;
}

type Handlers = {
  readonly [Name in CallName]: (args: Calls[Name]["args"], hooks: CallHooks<Name>) => Promise<Calls[Name]["result"]>;
};

function missingBytes(header: { size: number; chunkSize: number }, chunks: ReadonlyMap<number, string>): number {
  let missing = 0;
  for (let index = 0; index < chunkCount(header); index += 1) {
    if (!chunks.has(index)) missing += Math.min(header.chunkSize, header.size - index * header.chunkSize);
  }
  return missing;
}

async function adapterLimits(): Promise<PlanFacts["adapter"]> {
  const adapter = await globalThis.navigator?.gpu?.requestAdapter().catch(() => null);
  if (adapter === null || adapter === undefined) return null;
  const { maxBufferSize, maxStorageBufferBindingSize } = adapter.limits;
  return { maxBufferSize, maxStorageBufferBindingSize };
}

/** A trap inside a future of the engine reaches nobody's promise, only the realm's error event. */
function watchTraps(): { readonly happened: Promise<never>; end(): void } {
  const trap = deferred<never>();
  const onError = (event: Event): void => {
    const error: unknown = "error" in event ? event.error : undefined;
    if (isTrap(error)) trap.reject(error);
  };
  globalThis.addEventListener?.("error", onError);
  return { happened: trap.promise, end: () => globalThis.removeEventListener?.("error", onError) };
}

function ignore(): void {}

function isTrap(thrown: unknown): boolean {
  return thrown instanceof WebAssembly.RuntimeError;
}
