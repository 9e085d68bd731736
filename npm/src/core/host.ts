import { aborted, GoldcrestError } from "../errors.js";
import type { SourceRef } from "../source/resolve.js";
import type { Progress } from "../types.js";
import { orAborted } from "./abort.js";
import type { Core } from "./core.js";
import type { EngineFacts, EventAnswer, OtherFacts } from "./facts.js";
import type { CallName, Calls, EngineOptions, OpenOptions } from "./messages.js";
import { Queue } from "./queue.js";

/** Errors after which the engine is made anew by the next call. */
const FATAL: ReadonlySet<string> = new Set(["E_DEVICE_LOST", "E_TRAPPED", "E_WORKER"]);
/** Calls that only read the tokenizer: they need not wait for a generation. */
const AT_ONCE: ReadonlySet<CallName> = new Set<CallName>(["tokenize", "pieces", "detokenize", "template", "strategies"]);

/** What an engine is made from, and made again from. */
export interface Recipe {
  /** A core that has loaded nothing. */
  readonly makeCore: () => Core;
  readonly ref: SourceRef;
  readonly options: EngineOptions;
}

/** Keeps an engine running: one call at a time, a new core when the old one has died, no call after the end. */
export class EngineHost {
  readonly #recipe: Recipe;
  readonly #queue = new Queue();
  readonly #disposal = new AbortController();
  #core: Core;
  #facts: EngineFacts;
  /** The further model, and what to load it from again. */
  #other: { readonly args: Calls["loadOther"]["args"]; readonly facts: OtherFacts } | undefined;
  /** Why the core has to be replaced before the next call. */
  #broken: GoldcrestError | undefined;

  private constructor(recipe: Recipe, core: Core, facts: EngineFacts) {
    this.#recipe = recipe;
    this.#core = core;
    this.#facts = facts;
  }

  static async load(recipe: Recipe, signal: AbortSignal | undefined, onProgress: (progress: Progress) => void): Promise<EngineHost> {
    if (signal?.aborted) throw aborted(signal.reason);
    const core = recipe.makeCore();
    const control = new AbortController();
    const loading = core.call("load", [recipe.ref, recipe.options], {
      signal: control.signal,
      onEvent: (progress) => {
        if (!control.signal.aborted) onProgress(progress);
      },
    });
    try {
      const facts = await orAborted(loading, signal);
      return new EngineHost(recipe, core, facts);
    } catch (error) {
      control.abort();
      // The caller hears of an abort at once; the core ends by itself.
      void loading.then(
        () => core.close(),
        () => core.close(),
      );
      throw error;
    }
  }

  get facts(): EngineFacts {
    return this.#facts;
  }

  get other(): OtherFacts | undefined {
    return this.#other?.facts;
  }

  /** How this engine's files are opened. */
  get options(): EngineOptions {
    return this.#recipe.options;
  }

  get disposed(): boolean {
    return this.#disposal.signal.aborted;
  }

  /** One call. An abort rejects at once; calls after it wait until the engine is at rest again. */
  call<Name extends CallName>(
    name: Name,
    args: Calls[Name]["args"],
    signal?: AbortSignal,
    onEvent?: (event: Calls[Name]["event"]) => EventAnswer | Promise<EventAnswer>,
  ): Promise<Calls[Name]["result"]> {
    if (this.disposed) return Promise.reject(disposed());
    if (signal?.aborted) return Promise.reject(aborted(signal.reason));
    const control = new AbortController();
    const abort = (): void => control.abort();
    signal?.addEventListener("abort", abort, { once: true });
    this.#disposal.signal.addEventListener("abort", abort, { once: true });
    const task = async (): Promise<Calls[Name]["result"]> => {
      try {
        if (control.signal.aborted) throw this.disposed ? disposed() : aborted();
        if (this.#broken !== undefined) await this.#rebuild(control.signal);
        const hooks = { signal: control.signal, ...(onEvent === undefined ? {} : { onEvent }) };
        return await this.#core.call(name, args, hooks);
      } catch (error) {
        if (error instanceof GoldcrestError && FATAL.has(error.code) && !this.disposed) this.#broken = error;
        throw error;
      } finally {
        signal?.removeEventListener("abort", abort);
        this.#disposal.signal.removeEventListener("abort", abort);
      }
    };
    const direct = AT_ONCE.has(name) && this.#broken === undefined;
    const running = direct ? orAborted(task(), signal) : this.#queue.run(signal, task);
    return this.#orDisposed(running);
  }

  /** Loads a further model in place of the one that there may be. */
  async loadOther(ref: SourceRef, options: OpenOptions, signal: AbortSignal | undefined, onProgress: (progress: Progress) => void): Promise<void> {
    // From here on there is none: the old one goes before the new one comes.
    const args = [ref, options] as const;
    const loading = this.call("loadOther", args, signal, onProgress);
    loading.catch(() => (this.#other = undefined));
    this.#other = { args, facts: await loading };
  }

  /** Takes the device away, also from a call under way: it rejects with `E_DEVICE_LOST`. */
  async loseDevice(): Promise<void> {
    if (this.disposed) throw disposed();
    if (this.#broken !== undefined) return;
    await this.#core.call("loseDevice", [], { signal: this.#disposal.signal });
    this.#broken ??= new GoldcrestError("E_DEVICE_LOST", "the device was given up");
  }

  /** Ends the engine. Calls under way and calls to come reject with `E_DISPOSED`. */
  async dispose(): Promise<void> {
    if (this.disposed) return;
    this.#disposal.abort();
    await this.#core.close();
  }

  /** Loads the same model again, from the cache if it came over the network. */
  async #rebuild(signal: AbortSignal): Promise<void> {
    const { makeCore, ref, options } = this.#recipe;
    if (this.#broken?.code !== "E_DEVICE_LOST") {
      await this.#core.close();
      this.#core = makeCore();
    }
    this.#facts = await this.#core.call("load", [ref, options], { signal });
    await this.#rebuildOther(signal);
    this.#broken = undefined;
  }

  /** A further model that cannot be had any more fails one call, not all that come. */
  async #rebuildOther(signal: AbortSignal): Promise<void> {
    if (this.#other === undefined) return;
    try {
      await this.#core.call("loadOther", this.#other.args, { signal });
    } catch (error) {
      if (!signal.aborted) this.#other = undefined;
      throw error;
    }
  }

  #orDisposed<T>(running: Promise<T>): Promise<T> {
    return orAborted(running, this.#disposal.signal).catch((error: unknown) => {
      throw this.disposed ? disposed() : error;
    });
  }
}

function disposed(): GoldcrestError {
  return new GoldcrestError("E_DISPOSED", "the engine was disposed", { help: "load the model again" });
}
