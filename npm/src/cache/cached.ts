import type { OpenSource } from "../core/bytes.js";
import { aborted, GoldcrestError, toGoldcrestError } from "../errors.js";
import { ChunkSet } from "./chunks.js";
import { Fetcher } from "./fetcher.js";
import { readChunks } from "./reading.js";
import { touch, type CommitRecord } from "./record.js";
import type { DownloadOptions, DownloadTools } from "./remote.js";
import type { Shelf } from "./store.js";

/** A complete model. Chunks that have been damaged since are fetched again. */
export class CachedFile implements OpenSource {
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

function beyondRepair(thrown: unknown): GoldcrestError {
  const error = toGoldcrestError(thrown, "E_CACHE_CORRUPT");
  if (error.code !== "E_NETWORK" && error.code !== "E_STATUS" && error.code !== "E_CHANGED") return error;
  return new GoldcrestError("E_CACHE_CORRUPT", `the cached model is damaged and could not be repaired: ${error.message}`, {
    help: "go online, or remove the model from the cache and load it again",
    cause: error,
  });
}
