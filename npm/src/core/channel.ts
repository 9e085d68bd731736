import { deferred, type Deferred } from "./deferred.js";

/** Items that may wait for their reader before the writer has to. */
const DEPTH = 4;

/** A pipe from one writer to one reader. The writer waits while the reader does not read. */
export class Channel<T> {
  #items: T[] = [];
  #reader: Deferred<IteratorResult<T, undefined>> | undefined;
  #writers: Deferred<void>[] = [];
  #end: { readonly error?: unknown } | undefined;

  /** Fulfilled when there is room for the next item. After the end, items are dropped. */
  push(item: T): Promise<void> | void {
    if (this.#end !== undefined) return;
    if (this.#reader !== undefined) {
      this.#reader.resolve({ done: false, value: item });
      this.#reader = undefined;
      return;
    }
    this.#items.push(item);
    if (this.#items.length < DEPTH) return;
    const room = deferred<void>();
    this.#writers.push(room);
    return room.promise;
  }

  /** Nothing follows; the reader still gets what is in the pipe, then `failure.error` if there is one. */
  end(failure: { readonly error?: unknown } = {}): void {
    if (this.#end !== undefined) return;
    this.#end = failure;
    this.#release();
    if (this.#reader === undefined) return;
    if ("error" in failure) this.#reader.reject(failure.error);
    else this.#reader.resolve({ done: true, value: undefined });
    this.#reader = undefined;
  }

  /** As {@link end}, and what is in the pipe is dropped. */
  cut(failure: { readonly error?: unknown } = {}): void {
    this.#items = [];
    if (this.#end !== undefined && "error" in failure) this.#end = failure;
    this.end(failure);
  }

  /** The next item; one reader at a time. */
  async next(): Promise<IteratorResult<T, undefined>> {
    const item = this.#items.shift();
    if (item !== undefined) {
      if (this.#items.length < DEPTH) this.#release();
      return { done: false, value: item };
    }
    if (this.#end !== undefined) {
      const { error } = this.#end;
      const failed = "error" in this.#end;
      this.#end = {};
      if (failed) throw error;
      return { done: true, value: undefined };
    }
    this.#reader = deferred();
    return this.#reader.promise;
  }

  #release(): void {
    for (const writer of this.#writers) writer.resolve();
    this.#writers = [];
  }
}
