import type { OpenSource } from "../core/bytes.js";
import { deferred } from "../core/deferred.js";
import { aborted, GoldcrestError, toGoldcrestError } from "../errors.js";
import { hostOf, type Answer } from "../source/http.js";
import { CachedFile } from "./cached.js";
import { ChunkSet } from "./chunks.js";
import type { Digest } from "./digest.js";
import { Fetcher } from "./fetcher.js";
import type { Lease } from "./locks.js";
import { MemoryStore } from "./memory.js";
import { checkQuota, isQuotaError, outOfQuota } from "./quota.js";
import { reach } from "./reach.js";
import { chunkAt, readChunks } from "./reading.js";
import { chunkCount, clearShelf, dropRecord, readShelf, touch, writeHeader, writeRecord, type Header } from "./record.js";
import type { DownloadOptions, DownloadTools, Place, RemoteFile } from "./remote.js";
import type { Shelf } from "./store.js";

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
    // A sum that nobody had asked for so far is taken now; a copy with another one is none of this file.
    if (record?.sha256 === null) await dropRecord(kept);
    else if (record !== undefined) await clearShelf(kept);
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
    const { shelf, place, tools, options, control } = start;
    const content = await readShelf(shelf);
    let { header, chunks } = content;
    let answer: Answer | undefined;
    // With all chunks there, only the last step is missing.
    if (header === undefined || chunks.size < chunkCount(header)) {
      ({ header, chunks, answer } = await reach(start.file.source, place, shelf, content, tools.network, options.connections, control.signal));
    }
    const set = new ChunkSet(shelf, tools.digest, header, chunks);
    try {
      checkSize(place, header.size);
      if (!options.headerOnly) await checkQuota(header.size - set.bytes, tools.store.kind, tools.estimate);
      await writeHeader(shelf, header);
      await touch(shelf, Date.now());
    } catch (error) {
      answer?.cancel();
      throw isQuotaError(error) ? await outOfQuota(header.size, tools.estimate) : error;
    }
    if (control.signal.aborted) throw aborted(options.signal.reason);
    return new Download(start, header, set, answer);
  }

  private constructor(start: Start, header: Header, chunks: ChunkSet, answer: Answer | undefined) {
    this.size = header.size;
    this.#start = start;
    this.#header = header;
    this.#sha256 = start.place.sha256 ?? answer?.sha256 ?? null;
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
      answer,
    );
    void this.#run();
  }

  async read(offset: number, length: number): Promise<Uint8Array> {
    try {
      return await readChunks(this.#chunks, this.#fetcher, offset, length);
    } catch (error) {
      // The reason that ended the download says more than the read that hit upon it.
      if (this.#start.control.signal.aborted) throw toGoldcrestError(this.#start.control.signal.reason, "E_ABORTED");
      // A read may hear of a full disk before the download has found words for it.
      throw isQuotaError(error) ? await this.#outOfQuota() : error;
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
    const error = isQuotaError(thrown) ? await this.#outOfQuota() : toGoldcrestError(thrown, "E_CACHE_CORRUPT");
    this.#chunks.fail(error);
    if (["E_CHECKSUM", "E_NOT_GGUF", "E_CHANGED", "E_QUOTA", "E_SIZE"].includes(error.code)) {
      await clearShelf(shelf).catch(() => undefined);
      await tools.store.remove(key).catch(() => undefined);
    }
    return error;
  }

  #outOfQuota(): Promise<GoldcrestError> {
    return outOfQuota(this.size - this.#chunks.bytes, this.#start.tools.estimate);
  }
}

function checkSize(place: Place, size: number): void {
  if (place.size === null || place.size === size) return;
  throw new GoldcrestError("E_SIZE", `${hostOf(place.url)} has ${size} bytes, not the expected ${place.size}`, {
    help: "the file is another one; check the address",
  });
}

function wrongSum(url: string, expected: string | null, found: string | null): GoldcrestError {
  return new GoldcrestError("E_CHECKSUM", `the file from ${hostOf(url)} has the SHA-256 ${found ?? "?"}, not ${expected ?? "?"}`, {
    help: "the copy was deleted; load again, and if it happens again the server has another file than it should",
    details: { expected: expected ?? "", found: found ?? "" },
  });
}
