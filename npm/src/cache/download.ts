import type { OpenSource } from "../core/bytes.js";
import { deferred } from "../core/deferred.js";
import { aborted, GoldcrestError, toGoldcrestError } from "../errors.js";
import { ChangedFault, hostOf, requestLength, requestSpan, sameFile, TransferFault, type Answer, type Span } from "../source/http.js";
import { ChunkSet } from "./chunks.js";
import type { Digest } from "./digest.js";
import { Fetcher } from "./fetcher.js";
import type { Lease, Locks } from "./locks.js";
import { MemoryStore } from "./memory.js";
import type { Network } from "./network.js";
import { checkQuota, isQuotaError, outOfQuota, type Estimate } from "./quota.js";
import { clearShelf, readShelf, touch, writeHeader, writeRecord, type CommitRecord, type Header } from "./record.js";
import type { ModelStore, Shelf } from "./store.js";

/** The SHA-256 of a whole file, piece by piece. */
export interface RunningSum {
  update(bytes: Uint8Array): void;
  digestHex(): string;
  free?(): void;
}

/** What a download needs of its realm. */
export interface DownloadTools {
  readonly network: Network;
  readonly store: ModelStore;
  readonly locks: Locks;
  readonly digest: Digest;
  readonly estimate: Estimate;
  newSum(): Promise<RunningSum>;
}

/** The place of a file, once it is known. */
export interface Place {
  readonly url: string;
  /** What the file must be, as far as somebody said so. */
  readonly size: number | null;
  readonly sha256: string | null;
}

/** A file on a server. */
export interface RemoteFile {
  /** The address as the user gave it: what the copy in the cache is known by. */
  readonly source: string;
  /** Asks where the file is; not called when a complete copy is in the cache. */
  locate(signal: AbortSignal): Promise<Place>;
}

/** How a download is watched and ended. */
export interface DownloadOptions {
  readonly connections: number;
  readonly signal: AbortSignal;
  readonly onProgress: (phase: "download" | "verify", loaded: number, total: number) => void;
  /** The SHA-256 that the caller demands. */
  readonly sha256: string | null;
  /** Fetch only what is read, and keep the model incomplete: to look at a header. */
  readonly headerOnly: boolean;
}

/** Opens a file on a server: from the cache, or while it is being fetched. */
export async function openRemote(file: RemoteFile, tools: DownloadTools, options: DownloadOptions): Promise<OpenSource> {
  const key = await shelfKey(file.source, tools.digest);
  const control = new AbortController();
  const { signal } = control;
  const forward = (): void => control.abort(aborted(options.signal.reason));
  if (options.signal.aborted) throw aborted(options.signal.reason);
  options.signal.addEventListener("abort", forward, { once: true });
  const kept = await tools.store.shelf(key);
  if (options.headerOnly) return openHeader(file, kept, key, tools, options, control);
  const lease = await tools.locks.acquire(key, signal, (loaded, total) => options.onProgress("download", loaded, total));
  try {
    const { record, chunks } = await readShelf(kept);
    if (record !== undefined && (options.sha256 === null || options.sha256 === record.sha256)) {
      lease.release();
      return new CachedFile(kept, record, chunks, tools, options, control);
    }
    if (record !== undefined) await clearShelf(kept);
    const place = await locate(file, options, signal);
    return await Download.start({ file, place, key, shelf: kept, lease, tools, options, control });
  } catch (error) {
    if ((await kept.names()).length === 0) await tools.store.remove(key);
    lease.release();
    throw error;
  }
}

/** A look at the start of a file: from the cache if it is complete there, else over the network, and nothing is kept. */
async function openHeader(
  file: RemoteFile,
  kept: Shelf,
  key: string,
  tools: DownloadTools,
  options: DownloadOptions,
  control: AbortController,
): Promise<OpenSource> {
  const { record, chunks } = await readShelf(kept);
  if (record !== undefined) return new CachedFile(kept, record, chunks, tools, options, control);
  if ((await kept.names()).length === 0) await tools.store.remove(key);
  const place = await locate(file, options, control.signal);
  const shelf = await new MemoryStore().shelf(key);
  const lease = { report: () => undefined, release: () => undefined };
  return Download.start({ file, place, key, shelf, lease, tools, options, control });
}

async function locate(file: RemoteFile, options: DownloadOptions, signal: AbortSignal): Promise<Place> {
  const place = await file.locate(signal);
  return { ...place, sha256: options.sha256 ?? place.sha256 };
}

/** The name of a model's shelf. */
export async function shelfKey(source: string, digest: Digest): Promise<string> {
  return (await digest(new TextEncoder().encode(source))).slice(0, 32);
}

/** A complete model. Chunks that have been damaged since are fetched again. */
class CachedFile implements OpenSource {
  readonly size: number;
  readonly #chunks: ChunkSet;
  readonly #fetcher: Fetcher;
  readonly #control: AbortController;
  readonly #touched: Promise<void>;

  constructor(
    shelf: Shelf,
    record: CommitRecord,
    present: ReadonlyMap<number, string>,
    tools: DownloadTools,
    options: DownloadOptions,
    control: AbortController,
  ) {
    this.size = record.size;
    this.#control = control;
    this.#chunks = new ChunkSet(shelf, tools.digest, record, present, record.digests);
    this.#touched = touch(shelf, Date.now());
    this.#fetcher = new Fetcher(this.#chunks, {
      url: record.url,
      validators: record,
      connections: options.connections,
      network: tools.network,
      signal: control.signal,
      onDemand: true,
      onProgress: () => undefined,
    });
  }

  async read(offset: number, length: number): Promise<Uint8Array> {
    try {
      return await readChunks(this.#chunks, this.#fetcher, offset, length);
    } catch (error) {
      throw beyondRepair(error);
    }
  }

  async finished(): Promise<void> {
    await this.#touched;
  }

  close(reason: Error = aborted()): void {
    this.#control.abort(reason);
    this.#chunks.fail(reason);
  }
}

interface Start {
  readonly file: RemoteFile;
  readonly place: Place;
  readonly key: string;
  readonly shelf: Shelf;
  readonly lease: Lease;
  readonly tools: DownloadTools;
  readonly options: DownloadOptions;
  readonly control: AbortController;
}

/** A model that is being fetched. */
class Download implements OpenSource {
  readonly size: number;
  readonly #start: Start;
  readonly #header: Header;
  readonly #sha256: string | null;
  readonly #chunks: ChunkSet;
  readonly #fetcher: Fetcher;
  readonly #end = deferred<void>();

  static async start(start: Start): Promise<OpenSource> {
    const { shelf, place, tools, options, file, control } = start;
    const { network } = tools;
    let { header, chunks } = await readShelf(shelf);
    let answer = await probe(place, firstMissing(header, chunks, network.span), network, control.signal);
    const size = answer.total ?? (await lengthOf(answer, place.url, network, control.signal));
    if (place.size !== null && place.size !== size) {
      answer.cancel();
      throw new GoldcrestError("E_SIZE", `${hostOf(place.url)} has ${size} bytes, not the expected ${place.size}`, {
        help: "the file is another one; check the address",
      });
    }
    if (header === undefined || header.size !== size || !sameFile(header, answer.validators)) {
      await clearShelf(shelf);
      if (answer.start > 0) {
        answer.cancel();
        answer = await probe(place, { start: 0, end: span(network) }, network, control.signal);
      }
      chunks = new Map();
      header = { source: file.source, url: place.url, size, chunkSize: network.chunkSize, ...answer.validators };
    }
    const set = new ChunkSet(shelf, tools.digest, header, chunks);
    if (!options.headerOnly) await checkQuota(size - set.bytes, tools.store.kind, tools.estimate);
    await writeHeader(shelf, header);
    await touch(shelf, Date.now());
    return new Download(start, header, set, answer);
  }

  private constructor(start: Start, header: Header, chunks: ChunkSet, answer: Answer) {
    this.size = header.size;
    this.#start = start;
    this.#header = header;
    this.#sha256 = start.place.sha256 ?? answer.sha256;
    this.#chunks = chunks;
    const { options, lease, control, tools } = start;
    this.#fetcher = new Fetcher(
      chunks,
      {
        url: start.place.url,
        validators: header,
        connections: options.connections,
        network: tools.network,
        signal: control.signal,
        onDemand: options.headerOnly,
        onProgress: (loaded) => {
          options.onProgress("download", loaded, header.size);
          lease.report(loaded, header.size);
        },
      },
      chunks.complete ? undefined : answer,
    );
    if (chunks.complete) answer.cancel();
    void this.#run();
  }

  async read(offset: number, length: number): Promise<Uint8Array> {
    try {
      return await readChunks(this.#chunks, this.#fetcher, offset, length);
    } catch (error) {
      // The reason that ended the download says more than the read that hit upon it.
      throw this.#start.control.signal.aborted ? toGoldcrestError(this.#start.control.signal.reason, "E_ABORTED") : error;
    }
  }

  finished(): Promise<void> {
    return this.#start.options.headerOnly ? Promise.resolve() : this.#end.promise;
  }

  close(reason: Error = aborted()): void {
    this.#start.control.abort(reason);
    this.#chunks.fail(reason);
  }

  async #run(): Promise<void> {
    const { lease, shelf, control } = this.#start;
    try {
      this.#fetcher.pump();
      if (this.#start.options.headerOnly) {
        await new Promise<void>((resolve) => control.signal.addEventListener("abort", () => resolve(), { once: true }));
        return;
      }
      await this.#check();
      await writeRecord(shelf, { ...this.#header, sha256: this.#sha256, digests: this.#chunks.digests() });
      this.#end.resolve();
    } catch (error) {
      const failure = await this.#giveUp(error);
      control.abort(failure);
      this.#chunks.fail(failure);
      this.#end.reject(failure);
    } finally {
      lease.release();
    }
  }

  /** Waits for all chunks, in order, and sums them where the sum is known. */
  async #check(): Promise<void> {
    const sum = this.#sha256 === null ? undefined : await this.#start.tools.newSum();
    try {
      let done = 0;
      for (let index = 0; index < this.#chunks.count; index += 1) {
        const bytes = await chunkAt(this.#chunks, this.#fetcher, index);
        done += bytes.byteLength;
        sum?.update(bytes);
        if (sum !== undefined) this.#start.options.onProgress("verify", done, this.size);
      }
      const found = sum?.digestHex() ?? null;
      if (found !== this.#sha256) throw wrongSum(this.#header.url, this.#sha256, found);
    } finally {
      sum?.free?.();
    }
  }

  /** What stays on the shelf after an error: whatever can be gone on from. */
  async #giveUp(thrown: unknown): Promise<GoldcrestError> {
    const { tools, key, shelf } = this.#start;
    const error = isQuotaError(thrown)
      ? await outOfQuota(this.size - this.#chunks.bytes, tools.estimate)
      : toGoldcrestError(thrown, "E_CACHE_CORRUPT");
    this.#chunks.fail(error);
    if (["E_CHECKSUM", "E_NOT_GGUF", "E_CHANGED", "E_QUOTA", "E_SIZE"].includes(error.code)) {
      await clearShelf(shelf).catch(() => undefined);
      await tools.store.remove(key).catch(() => undefined);
    }
    return error;
  }
}

/** The bytes of a span, waiting for the chunks that are not there. */
async function readChunks(chunks: ChunkSet, fetcher: Fetcher, offset: number, length: number): Promise<Uint8Array> {
  const { size, chunkSize } = chunks.layout;
  if (offset < 0 || length < 0 || offset + length > size) throw new RangeError(`${length} bytes at ${offset} of ${size}`);
  const out = new Uint8Array(length);
  for (let done = 0; done < length; ) {
    const index = Math.floor((offset + done) / chunkSize);
    const at = offset + done - index * chunkSize;
    const piece = (await chunkAt(chunks, fetcher, index)).subarray(at, at + length - done);
    out.set(piece, done);
    done += piece.byteLength;
  }
  return out;
}

async function chunkAt(chunks: ChunkSet, fetcher: Fetcher, index: number): Promise<Uint8Array<ArrayBuffer>> {
  for (;;) {
    const bytes = await chunks.get(index);
    if (bytes !== undefined) return bytes;
    const arrival = chunks.arrival(index);
    fetcher.pump();
    await arrival;
  }
}

/** The first answer of a server, after as many tries as it takes. */
async function probe(place: Place, asked: Span | undefined, network: Network, signal: AbortSignal): Promise<Answer> {
  for (let failures = 1; ; failures += 1) {
    try {
      return await requestSpan({
        fetch: network.fetch,
        url: place.url,
        span: asked ?? { start: 0, end: span(network) },
        ifRange: null,
        stall: network.stall,
        signal,
      });
    } catch (error) {
      if (error instanceof ChangedFault && asked !== undefined && asked.start > 0) {
        asked = undefined;
        continue;
      }
      if (error instanceof ChangedFault) {
        throw new GoldcrestError("E_NOT_GGUF", `the file on ${hostOf(place.url)} is empty`, { help: "check the address" });
      }
      if (!(error instanceof TransferFault) || signal.aborted) throw error;
      if (failures > network.attempts) {
        throw new GoldcrestError("E_NETWORK", `${hostOf(place.url)} cannot be reached: ${error.message}`, {
          help: "check the network, and that the server allows requests from this page (CORS)",
          cause: error,
        });
      }
      await network.pause(failures, error.retryAfter, signal);
    }
  }
}

function span(network: Network): number {
  return network.chunkSize * network.span;
}

/** The span that a resumed download asks for first: the same chunks that a fetcher takes for it. */
function firstMissing(header: Header | undefined, chunks: ReadonlyMap<number, string>, most: number): Span | undefined {
  if (header === undefined) return undefined;
  let index = 0;
  while (chunks.has(index)) index += 1;
  const start = Math.min(index * header.chunkSize, Math.max(0, header.size - 1));
  const limit = Math.min(header.size, start + most * header.chunkSize);
  let end = start;
  while (end < limit && !chunks.has(Math.floor(end / header.chunkSize))) end += header.chunkSize;
  return { start, end: Math.max(start + 1, Math.min(end, header.size)) };
}

async function lengthOf(answer: Answer, url: string, network: Network, signal: AbortSignal): Promise<number> {
  const length = await requestLength(network.fetch, url, signal);
  if (length !== null) return length;
  answer.cancel();
  throw new GoldcrestError("E_SIZE", `${hostOf(url)} does not say how long the file is`, {
    help: "have the server send Content-Length and expose Content-Range, or fetch the file yourself and pass the stream",
  });
}

function wrongSum(url: string, expected: string | null, found: string | null): GoldcrestError {
  return new GoldcrestError("E_CHECKSUM", `the file from ${hostOf(url)} has the SHA-256 ${found ?? "?"}, not ${expected ?? "?"}`, {
    help: "the copy was deleted; load again, and if it happens again the server has another file than it should",
    details: { expected: expected ?? "", found: found ?? "" },
  });
}

function beyondRepair(thrown: unknown): GoldcrestError {
  const error = toGoldcrestError(thrown, "E_CACHE_CORRUPT");
  if (error.code !== "E_NETWORK" && error.code !== "E_STATUS" && error.code !== "E_CHANGED") return error;
  return new GoldcrestError("E_CACHE_CORRUPT", `the cached model is damaged and could not be repaired: ${error.message}`, {
    help: "go online, or remove the model from the cache and load it again",
    cause: error,
  });
}
