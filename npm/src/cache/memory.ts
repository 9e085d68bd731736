import type { ModelStore, Shelf } from "./store.js";

/** Keeps models for as long as the page, the worker or the process lives. */
export class MemoryStore implements ModelStore {
  readonly kind: ModelStore["kind"] = "memory";
  readonly #shelves = new Map<string, MemoryShelf>();

  async keys(): Promise<string[]> {
    return [...this.#shelves.keys()];
  }

  async shelf(key: string): Promise<Shelf> {
    const found = this.#shelves.get(key) ?? new MemoryShelf();
    this.#shelves.set(key, found);
    return found;
  }

  async remove(key: string): Promise<boolean> {
    return this.#shelves.delete(key);
  }
}

class MemoryShelf implements Shelf {
  readonly #files = new Map<string, Uint8Array<ArrayBuffer>>();

  async names(): Promise<string[]> {
    return [...this.#files.keys()];
  }

  async read(name: string): Promise<Uint8Array<ArrayBuffer> | undefined> {
    return this.#files.get(name);
  }

  async write(name: string, bytes: Uint8Array<ArrayBuffer>): Promise<void> {
    this.#files.set(name, bytes);
  }

  async remove(name: string): Promise<void> {
    this.#files.delete(name);
  }
}
