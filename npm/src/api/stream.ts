import { Channel } from "../core/channel.js";
import { aborted } from "../errors.js";
import type { CompletionStream } from "../types.js";

/** Makes the chunks of an answer; `push` resolves when the reader is ready for the next one. */
export type Writer<Chunk> = (push: (chunk: Chunk) => void | Promise<void>, signal: AbortSignal) => Promise<unknown>;

/**
 * An answer that is being written. The work begins with the first read, so that a stream that nobody reads keeps no other
 * request waiting.
 */
export class AnswerStream<Chunk> implements CompletionStream<Chunk>, AsyncIterator<Chunk, undefined> {
  readonly #write: Writer<Chunk>;
  readonly #outer: AbortSignal | undefined;
  readonly #channel = new Channel<Chunk>();
  readonly #control = new AbortController();
  #started = false;

  constructor(write: Writer<Chunk>, signal: AbortSignal | undefined) {
    this.#write = write;
    this.#outer = signal;
    if (signal === undefined) return;
    if (signal.aborted) this.#abort(signal.reason);
    else signal.addEventListener("abort", this.#onAbort, { once: true });
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  next(): Promise<IteratorResult<Chunk, undefined>> {
    if (!this.#started) {
      this.#started = true;
      void this.#run();
    }
    return this.#channel.next();
  }

  /** The loop was left: the generation ends, quietly. */
  async return(): Promise<IteratorResult<Chunk, undefined>> {
    this.#started = true;
    this.#control.abort();
    this.#channel.cut();
    this.#forget();
    return { done: true, value: undefined };
  }

  abort(): void {
    this.#abort(undefined);
  }

  toReadableStream(): ReadableStream<Chunk> {
    return new ReadableStream<Chunk>(
      {
        pull: async (controller) => {
          const { done, value } = await this.next();
          if (done) controller.close();
          else controller.enqueue(value);
        },
        cancel: async () => {
          await this.return();
        },
      },
      // Nothing is made ahead of the reader beyond what the channel holds.
      { highWaterMark: 0 },
    );
  }

  async #run(): Promise<void> {
    if (this.#control.signal.aborted) return;
    try {
      await this.#write((chunk) => this.#channel.push(chunk), this.#control.signal);
      this.#channel.end();
    } catch (error) {
      this.#channel.end({ error });
    } finally {
      this.#forget();
    }
  }

  readonly #onAbort = (): void => this.#abort(this.#outer?.reason);

  /** What waits in the channel is dropped: the reader hears of the abort at once. */
  #abort(reason: unknown): void {
    this.#control.abort();
    this.#channel.cut({ error: aborted(reason) });
    this.#forget();
  }

  #forget(): void {
    this.#outer?.removeEventListener("abort", this.#onAbort);
  }
}
