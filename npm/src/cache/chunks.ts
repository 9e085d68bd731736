import { GoldcrestError } from "../errors.js";
import { deferred, type Deferred } from "../core/deferred.js";
import type { Digest } from "./digest.js";
import { chunkCount, chunkName } from "./record.js";
import type { Shelf } from "./store.js";

/** Chunks kept in memory behind those on the shelf: the engine mostly reads what has just arrived. */
const RECENT = 8;

/** What the chunks are pieces of. */
export interface ChunkLayout {
  readonly size: number;
  readonly chunkSize: number;
}

/** The chunks of one file: which are on the shelf, who waits for which. */
export class ChunkSet {
  readonly layout: ChunkLayout;
  readonly count: number;
  readonly #shelf: Shelf;
  readonly #digest: Digest;
  /** What each chunk must be; known for complete models. */
  readonly #expected: readonly string[] | undefined;
  readonly #present: Map<number, string>;
  /** Chunks whose digest has been seen to be right since this set was made. */
  readonly #verified = new Set<number>();
  readonly #recent = new Map<number, Uint8Array<ArrayBuffer>>();
  readonly #waiting = new Map<number, Deferred<void>>();
  #bytes = 0;
  #failure: Error | undefined;

  constructor(
    shelf: Shelf,
    digest: Digest,
    layout: ChunkLayout,
    present: ReadonlyMap<number, string>,
    expected?: readonly string[],
  ) {
    this.layout = layout;
    this.count = chunkCount(layout);
    this.#shelf = shelf;
    this.#digest = digest;
    this.#expected = expected;
    const fits = ([index, sum]: [number, string]): boolean => index < this.count && (expected === undefined || expected[index] === sum);
    this.#present = new Map([...present].filter(fits));
    for (const index of this.#present.keys()) this.#bytes += this.length(index);
  }

  has(index: number): boolean {
    return this.#present.has(index);
  }

  /** Bytes of the chunks that are there. */
  get bytes(): number {
    return this.#bytes;
  }

  get complete(): boolean {
    return this.#present.size === this.count;
  }

  /** Digests in order; only for complete sets. */
  digests(): string[] {
    return Array.from({ length: this.count }, (_, index) => this.#present.get(index) ?? "");
  }

  length(index: number): number {
    const { size, chunkSize } = this.layout;
    return Math.min(chunkSize, size - index * chunkSize);
  }

  /** Whether somebody waits for a chunk that is not there. */
  wanted(index: number): boolean {
    return this.#waiting.has(index);
  }

  /** The first chunk that somebody waits for, of those that `free` lets through. */
  firstWanted(free: (index: number) => boolean): number | undefined {
    for (const index of this.#waiting.keys()) if (!this.has(index) && free(index)) return index;
    return undefined;
  }

  /** Puts a chunk on the shelf. Rejects if it is not the one that a complete model had here. */
  async put(index: number, bytes: Uint8Array<ArrayBuffer>): Promise<void> {
    if (index === 0) checkMagic(bytes);
    const sum = await this.#digest(bytes);
    const expected = this.#expected?.[index];
    if (expected !== undefined && expected !== sum) {
      throw new GoldcrestError("E_CACHE_CORRUPT", `chunk ${index} of the cached model is damaged, and the server has other bytes`, {
        help: "the file on the server has changed: remove the model from the cache and load it again",
        details: { chunk: index },
      });
    }
    if (this.#failure !== undefined) throw this.#failure;
    await this.#shelf.write(chunkName(index, sum), bytes);
    if (!this.has(index)) this.#bytes += bytes.byteLength;
    this.#present.set(index, sum);
    this.#verified.add(index);
    this.#remember(index, bytes);
    this.#waiting.get(index)?.resolve();
    this.#waiting.delete(index);
  }

  /** The bytes of a chunk that is there; `undefined` if they turn out to be damaged or gone, and it is missing from now on. */
  async get(index: number): Promise<Uint8Array<ArrayBuffer> | undefined> {
    if (this.#failure !== undefined) throw this.#failure;
    const kept = this.#recent.get(index);
    const sum = this.#present.get(index);
    if (kept !== undefined || sum === undefined) return kept;
    const bytes = await this.#shelf.read(chunkName(index, sum));
    const right =
      bytes?.byteLength === this.length(index) && (this.#verified.has(index) || (await this.#digest(bytes)) === sum);
    if (right) {
      this.#verified.add(index);
      return bytes;
    }
    if (this.#present.delete(index)) this.#bytes -= this.length(index);
    await this.#shelf.remove(chunkName(index, sum));
    return undefined;
  }

  /** Fulfilled once the chunk is there. */
  async arrival(index: number): Promise<void> {
    if (this.#failure !== undefined) throw this.#failure;
    if (this.has(index)) return;
    const waiting = this.#waiting.get(index) ?? deferred<void>();
    this.#waiting.set(index, waiting);
    await waiting.promise;
  }

  /** Nothing more will come: whoever waits gets `reason`. */
  fail(reason: Error): void {
    this.#failure ??= reason;
    for (const waiting of this.#waiting.values()) waiting.reject(reason);
    this.#waiting.clear();
    this.#recent.clear();
  }

  #remember(index: number, bytes: Uint8Array<ArrayBuffer>): void {
    this.#recent.set(index, bytes);
    const [oldest] = this.#recent.keys();
    if (this.#recent.size > RECENT && oldest !== undefined) this.#recent.delete(oldest);
  }
}

/** Error pages and pointers to other storage come with status 200: what does not begin as a model is none. */
function checkMagic(start: Uint8Array): void {
  const text = new TextDecoder("latin1").decode(start.subarray(0, 24));
  if (text.startsWith("GGUF")) return;
  const page = /^\s*<(!doctype|html)/i.test(text);
  throw new GoldcrestError("E_NOT_GGUF", `the file is no GGUF model: it begins with ${JSON.stringify(text)}${page ? ", a web page" : ""}`, {
    help: "the address must be that of the .gguf file itself, not of a page about it",
  });
}
