import { GoldcrestError } from "../errors.js";
import { ChangedFault, hostOf, requestSpan, sameFile, strongTag, TransferFault, type Answer, type Span } from "../source/http.js";
import type { ChunkSet } from "./chunks.js";
import { spanOf, type Network } from "./network.js";
import type { Validators } from "./record.js";

/** What is fetched, and how. */
export interface FetchJob {
  readonly url: string;
  readonly validators: Validators;
  readonly connections: number;
  readonly network: Network;
  readonly signal: AbortSignal;
  /** Fetch only what somebody waits for: repairs of a complete model. */
  readonly onDemand: boolean;
  /** Bytes that are here or on their way. */
  readonly onProgress: (loaded: number) => void;
}

/** Brings missing chunks over several connections: first what somebody waits for, then from the front. */
export class Fetcher {
  readonly #job: FetchJob;
  readonly #chunks: ChunkSet;
  /** Chunks that a connection is bringing. */
  readonly #taken = new Set<number>();
  #active = 0;
  /** The server ignores ranges: one connection brings everything from the front. */
  #sequential = false;
  /** Bytes of chunks that are not whole yet. */
  #partial = 0;
  #first: Answer | undefined;
  #stopped = false;

  /** `first` is an answer whose body nobody has read yet. */
  constructor(chunks: ChunkSet, job: FetchJob, first?: Answer) {
    this.#chunks = chunks;
    this.#job = job;
    this.#first = first;
    this.#sequential = first?.ranged === false;
  }

  /** Starts as many transfers as may run. Called again whenever somebody waits for a chunk. */
  pump(): void {
    for (;;) {
      const allowed = this.#sequential ? 1 : this.#job.connections;
      if (this.#stopped || this.#job.signal.aborted || this.#active >= allowed) return;
      const span = this.#first === undefined ? this.#nextSpan() : this.#spanAt(this.#first.start / this.#chunkSize, false);
      if (span === undefined) return;
      this.#active += 1;
      void this.#transfer(span).then(
        () => {
          this.#active -= 1;
          this.pump();
        },
        (error: unknown) => {
          this.#stopped = true;
          this.#chunks.fail(asError(error));
        },
      );
    }
  }

  get #chunkSize(): number {
    return this.#chunks.layout.chunkSize;
  }

  #nextSpan(): readonly number[] | undefined {
    const free = (index: number): boolean => !this.#chunks.has(index) && !this.#taken.has(index);
    let first = this.#chunks.firstWanted((index) => !this.#taken.has(index));
    if (first === undefined && !this.#job.onDemand) {
      for (let index = 0; index < this.#chunks.count && first === undefined; index += 1) if (free(index)) first = index;
    }
    return first === undefined ? undefined : this.#spanAt(first, this.#job.onDemand);
  }

  /** Missing chunks in a row from `first` on, as many as one request asks for; `frugal` takes only those that are waited for. */
  #spanAt(first: number, frugal: boolean): readonly number[] {
    const span: number[] = [];
    const open = (index: number): boolean => !this.#chunks.has(index) && !this.#taken.has(index);
    const enough = (index: number): boolean => span.length > 0 && frugal && !this.#chunks.wanted(index);
    for (let index = first; index < this.#chunks.count && span.length < spanOf(this.#job.network, this.#job.connections); index += 1) {
      if (!open(index) || enough(index)) break;
      span.push(index);
    }
    for (const index of span) this.#taken.add(index);
    return span;
  }

  /** Brings the chunks of a span, with as many requests as it takes. */
  async #transfer(span: readonly number[]): Promise<void> {
    const { network, signal, url } = this.#job;
    const first = span[0] ?? 0;
    const state = new Assembly(first * this.#chunkSize, this.#chunks);
    const end = this.#chunks.layout.size;
    const spanEnd = Math.min(end, (first + span.length) * this.#chunkSize);
    let failures = 0;
    let before = this.#headway(state);
    try {
      while (this.#sequential ? !this.#chunks.complete : state.position < spanEnd) {
        try {
          await this.#attempt(state, { start: state.position, end: this.#sequential ? end : spanEnd });
        } catch (error) {
          if (error instanceof ChangedFault) throw changed(url);
          if (!(error instanceof TransferFault) || signal.aborted) throw error;
          const now = this.#headway(state);
          failures = now > before ? 1 : failures + 1;
          before = now;
          if (failures > network.attempts) throw unreachable(url, failures, error);
          await network.pause(failures, error.retryAfter, signal);
        }
      }
    } finally {
      this.#partial -= state.pending;
      for (const index of span) this.#taken.delete(index);
    }
  }

  /** What grows with every byte that need not come again. Chunks of other connections count: a server that answers those is there. */
  #headway(state: Assembly): number {
    return this.#chunks.bytes + (this.#sequential ? 0 : state.position);
  }

  async #attempt(state: Assembly, span: Span): Promise<void> {
    const { validators } = this.#job;
    const answer = this.#first ?? (await this.#request(span));
    this.#first = undefined;
    try {
      const { size } = this.#chunks.layout;
      const otherSize = answer.total !== null && answer.total !== size;
      if (otherSize || !sameFile(validators, answer.validators)) throw new ChangedFault("another file");
      if (!answer.ranged) {
        this.#sequential = true;
        this.#restart(state);
      }
      const end = answer.ranged ? span.end : size;
      for (;;) {
        const bytes = await answer.next();
        if (bytes === undefined) break;
        if (state.position + bytes.byteLength > end) {
          throw answer.ranged ? new TransferFault("the answer is longer than asked") : changedSize(this.#job.url);
        }
        const pending = state.pending;
        await state.take(bytes);
        this.#partial += state.pending - pending;
        this.#job.onProgress(Math.min(size, this.#chunks.bytes + this.#partial));
      }
      if (state.position < end) throw new TransferFault("the connection broke off");
    } finally {
      answer.cancel();
    }
  }

  #request(span: Span): Promise<Answer> {
    const { network, url, signal, validators } = this.#job;
    return requestSpan({
      fetch: network.fetch,
      url,
      span,
      ifRange: strongTag(validators),
      stall: network.stall,
      signal,
    });
  }

  /** The server sends the whole file: bytes of a chunk that is not whole are dropped. */
  #restart(state: Assembly): void {
    this.#partial -= state.pending;
    state.restart();
  }
}

/** Puts the bytes of a connection together to chunks. */
class Assembly {
  /** Offset in the file of the next byte. */
  position: number;
  readonly #chunks: ChunkSet;
  #buffer: Uint8Array<ArrayBuffer> | undefined;

  constructor(position: number, chunks: ChunkSet) {
    this.position = position;
    this.#chunks = chunks;
  }

  /** Bytes of the chunk that is not whole yet. */
  get pending(): number {
    return this.#buffer === undefined ? 0 : this.position % this.#chunks.layout.chunkSize;
  }

  /** Back to the start of the file. */
  restart(): void {
    this.position = 0;
    this.#buffer = undefined;
  }

  async take(bytes: Uint8Array): Promise<void> {
    const { chunkSize } = this.#chunks.layout;
    for (let rest = bytes; rest.byteLength > 0; ) {
      const index = Math.floor(this.position / chunkSize);
      const at = this.position - index * chunkSize;
      const length = this.#chunks.length(index);
      const piece = rest.subarray(0, length - at);
      rest = rest.subarray(piece.byteLength);
      // Chunks that are there already come again only from servers without ranges.
      if (!this.#chunks.has(index)) {
        this.#buffer ??= new Uint8Array(length);
        this.#buffer.set(piece, at);
      }
      this.position += piece.byteLength;
      if (at + piece.byteLength < length) continue;
      const whole = this.#buffer;
      this.#buffer = undefined;
      if (whole !== undefined) await this.#chunks.put(index, whole);
    }
  }
}

function changed(url: string): GoldcrestError {
  return new GoldcrestError("E_CHANGED", `the file on ${hostOf(url)} changed while it was being fetched`, {
    help: "load it again",
  });
}

function changedSize(url: string): GoldcrestError {
  return new GoldcrestError("E_SIZE", `${hostOf(url)} sends more bytes than it announced`, {
    help: "the server may compress the file; have it send models as they are",
  });
}

function unreachable(url: string, times: number, cause: Error): GoldcrestError {
  return new GoldcrestError("E_NETWORK", `the transfer from ${hostOf(url)} failed ${times} times in a row: ${cause.message}`, {
    help: "what has arrived is kept: load again to go on; if it never works, check that the server allows requests from this page (CORS)",
    cause,
  });
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}
