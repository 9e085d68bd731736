import { forgetGuesses } from "./cache/guesses.js";
import { orAborted } from "./core/abort.js";
import { startWorker, WorkerCore } from "./core/client.js";
import type { Core } from "./core/core.js";
import { EngineHost } from "./core/host.js";
import { LocalCore } from "./core/local.js";
import { ProgressPace } from "./core/pace.js";
import { platformRealm, type Realm } from "./core/realm.js";
import { makeEngine, type Engine } from "./engine.js";
import { invalidParameter } from "./errors.js";
import { toPlan } from "./info.js";
import { modelsOf } from "./models.js";
import { readContext, readLoadOptions, readOpenOptions } from "./options.js";
import { resolveSource } from "./source/resolve.js";
import type { CacheKind, LoadOptions, ModelPlan, Models, ModelSource, PlanOptions, SourceOptions } from "./types.js";

/** Loads models, tells what they need, and manages those that are kept. */
export interface GoldcrestApi {
  /** Loads a model: from the cache, or over the network into the cache and the device at once. */
  load(source: ModelSource, options?: LoadOptions): Promise<Engine>;
  /** Reads a model's header, a few hundred kilobytes, and says what the whole would need. */
  plan(source: ModelSource, options?: PlanOptions): Promise<ModelPlan>;
  /** The models that are kept. */
  readonly models: Models;
  /** Deletes what {@link LoadOptions.guessMemory} kept of all models. */
  forgetGuesses(options?: { readonly cache?: CacheKind | undefined }): Promise<void>;
}

/** The package for a realm. */
export function goldcrestFor(realm: Realm): GoldcrestApi {
  const api: GoldcrestApi = {
    async load(source, options = {}) {
      const { signal, onProgress } = options;
      const checked = readLoadOptions(options);
      const inWorker = readWorker(options);
      if (onProgress !== undefined && typeof onProgress !== "function") throw invalidParameter("onProgress", onProgress, "a function");
      const pace = new ProgressPace((progress) => onProgress?.(progress));
      const loading = resolveSource(source, { signal, onProgress: (loaded) => pace.report({ phase: "download", loaded, total: 0 }) });
      const ref = await orAborted(loading, signal);
      pace.flush();
      if ((ref.kind === "url" || ref.kind === "hub") && checked.cache !== "memory") askToKeep();
      const makeCore = coreMaker(realm, inWorker, options);
      const host = await EngineHost.load({ makeCore, ref, options: checked }, signal, (progress) => onProgress?.(progress));
      const planner = (other: ModelSource, more: PlanOptions): Promise<ModelPlan> => api.plan(other, { ...inherited(options), ...more });
      const engine = makeEngine(host, planner, inWorker);
      if (options.other !== undefined) await loadOther(engine, options.other, options);
      return engine;
    },
    async plan(source, options = {}) {
      const { signal } = options;
      const checked = readOpenOptions(options);
      const contextLength = readContext(options);
      const ref = await orAborted(resolveSource(source, { signal }), signal);
      const core = coreMaker(realm, readWorker(options), options)();
      const control = new AbortController();
      const planning = core.call("plan", [ref, checked, contextLength], { signal: control.signal });
      const closed = planning.catch(() => undefined).finally(() => core.close());
      try {
        return toPlan(await orAborted(planning, signal));
      } catch (error) {
        control.abort();
        throw error;
      } finally {
        if (!signal?.aborted) await closed;
      }
    },
    models: modelsOf(realm),
    async forgetGuesses({ cache = "auto" } = {}) {
      await forgetGuesses(await realm.store(cache));
    },
  };
  return api;
}

/** This package. */
export const Goldcrest: GoldcrestApi = /* @__PURE__ */ goldcrestFor(platformRealm());

function coreMaker(realm: Realm, inWorker: boolean, { workerUrl }: SourceOptions): () => Core {
  return () => (inWorker ? new WorkerCore(startWorker(workerUrl)) : new LocalCore(realm));
}

async function loadOther(engine: Engine, other: ModelSource, { signal, onProgress, connections }: LoadOptions): Promise<void> {
  try {
    await engine.loadOther(other, { signal, onProgress, connections });
  } catch (error) {
    await engine.dispose();
    throw error;
  }
}

function readWorker({ worker }: SourceOptions): boolean {
  if (worker !== undefined && typeof worker !== "boolean") throw invalidParameter("worker", worker, "true or false");
  return worker ?? typeof Worker === "function";
}

/** What a plan made through an engine takes over from its options. */
function inherited({ worker, wasmUrl, grammarUrl, workerUrl, cache, hubUrl }: LoadOptions): SourceOptions {
  return { worker, wasmUrl, grammarUrl, workerUrl, cache, hubUrl };
}

let asked = false;

/** Asks the browser, once, not to throw models away when it runs short of room; it decides by itself, and may say no. */
function askToKeep(): void {
  if (asked) return;
  asked = true;
  void globalThis.navigator?.storage?.persist?.().catch(() => false);
}
