import { toGoldcrestError } from "../errors.js";
import type { ModelStore } from "./store.js";

/** The shelf of what guessing learnt; models' shelves are called by hexadecimal digits. */
const SHELF = "guesses";
/** Most bytes of a file: more than the largest vocabulary that there is fills. */
const MOST = 16 << 20;
/** Files that are kept. */
const FILES = 8;
/** How often a deletion is tried, and the milliseconds between. */
const PATIENCE = 30;
const PAUSE = 100;
/** Models in the order of their use, the last one first. */
const INDEX = "order.json";

/** What guessing learns of one model, from one time to the next. Nothing here fails: what is lost is learnt again. */
export class Guesses {
  readonly #store: ModelStore;
  readonly #name: string;
  #writing: Promise<void> = Promise.resolve();
  /** Bytes that came while others were being written. */
  #next: Uint8Array<ArrayBuffer> | undefined;

  constructor(store: ModelStore, name: string) {
    this.#store = store;
    this.#name = name;
  }

  /** Hands what was kept to `take`; what it refuses is deleted. A note for the user, if something was lost. */
  async load(take: (bytes: Uint8Array) => void): Promise<string | undefined> {
    try {
      const shelf = await this.#store.shelf(SHELF);
      const bytes = await shelf.read(this.#name);
      if (bytes === undefined) return undefined;
      try {
        take(bytes);
      } catch (thrown) {
        await shelf.remove(this.#name);
        throw thrown;
      }
      return undefined;
    } catch (thrown) {
      return `what was kept for guessing is not used: ${toGoldcrestError(thrown, "E_BAD_MEMORY").message}`;
    }
  }

  /** Writes in the background; of what comes meanwhile, only the last. */
  keep(bytes: Uint8Array<ArrayBuffer>): void {
    if (bytes.byteLength > MOST) return;
    const idle = this.#next === undefined;
    this.#next = bytes;
    if (idle) this.#writing = this.#writing.then(() => this.#write());
  }

  /** Waits until all is written. */
  written(): Promise<void> {
    return this.#writing;
  }

  async #write(): Promise<void> {
    const bytes = this.#next;
    this.#next = undefined;
    if (bytes === undefined) return;
    try {
      const shelf = await this.#store.shelf(SHELF);
      await shelf.write(this.#name, bytes);
      const order = [this.#name, ...names(await shelf.read(INDEX)).filter((name) => name !== this.#name)];
      for (const name of await shelf.names()) {
        if (name !== INDEX && !order.slice(0, FILES).includes(name)) await shelf.remove(name);
      }
      await shelf.write(INDEX, new TextEncoder().encode(JSON.stringify(order.slice(0, FILES))));
    } catch {
      // A full storage, or one that was taken away: guessing goes on without.
    }
  }
}

/** Deletes what was kept of all models. */
export async function forgetGuesses(store: ModelStore): Promise<void> {
  for (let tries = 1; ; tries += 1) {
    try {
      await store.remove(SHELF);
      return;
    } catch (error) {
      // A file that is being written, by another page or by a worker that has just ended, is locked for a moment.
      if (tries === PATIENCE) throw error;
      await new Promise((resolve) => setTimeout(resolve, PAUSE));
    }
  }
}

function names(bytes: Uint8Array | undefined): readonly string[] {
  try {
    const list: unknown = JSON.parse(new TextDecoder().decode(bytes));
    return Array.isArray(list) ? list.filter((name) => typeof name === "string") : [];
  } catch {
    return [];
  }
}
