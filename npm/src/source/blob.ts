import type { OpenSource } from "../core/bytes.js";
import { aborted, GoldcrestError } from "../errors.js";

/** A file that is at hand: picked, dropped, or read into memory. */
export class BlobSource implements OpenSource {
  readonly #blob: Blob;
  #closed: Error | undefined;

  constructor(blob: Blob) {
    this.#blob = blob;
  }

  get size(): number {
    return this.#blob.size;
  }

  async read(offset: number, length: number): Promise<Uint8Array> {
    if (this.#closed !== undefined) throw this.#closed;
    try {
      const bytes = new Uint8Array(await this.#blob.slice(offset, offset + length).arrayBuffer());
      if (bytes.byteLength === length) return bytes;
    } catch (error) {
      throw unreadable(error);
    }
    throw unreadable(new RangeError(`${length} bytes at ${offset} of ${this.size}`));
  }

  async finished(): Promise<void> {}

  close(reason: Error = aborted()): void {
    this.#closed = reason;
  }
}

/** All of a stream. A model is read here and there, so its bytes have to lie somewhere; browsers move large blobs to disk. */
export async function spool(
  stream: ReadableStream<Uint8Array>,
  signal: AbortSignal | undefined,
  onProgress: (loaded: number) => void,
): Promise<Blob> {
  const reader = stream.getReader();
  const end = (): void => void reader.cancel(signal?.reason).catch(() => undefined);
  signal?.addEventListener("abort", end, { once: true });
  try {
    let parts: BlobPart[] = [];
    let gathered = 0;
    let loaded = 0;
    let blob = new Blob([]);
    for (;;) {
      if (signal?.aborted) throw aborted(signal.reason);
      const { done, value } = await reader.read();
      if (done) break;
      parts.push(value.slice());
      gathered += value.byteLength;
      loaded += value.byteLength;
      onProgress(loaded);
      if (gathered < SPOOL_AT) continue;
      blob = new Blob([blob, ...parts]);
      parts = [];
      gathered = 0;
    }
    if (signal?.aborted) throw aborted(signal.reason);
    return new Blob([blob, ...parts]);
  } catch (error) {
    if (signal?.aborted) throw aborted(signal.reason);
    throw new GoldcrestError("E_READ", `the stream broke off: ${error instanceof Error ? error.message : String(error)}`, {
      help: "give a new stream",
      cause: error,
    });
  } finally {
    signal?.removeEventListener("abort", end);
  }
}

/** Bytes gathered in memory before they become part of a blob. */
const SPOOL_AT = 16 << 20;

function unreadable(cause: unknown): GoldcrestError {
  return new GoldcrestError("E_READ", `the file cannot be read: ${cause instanceof Error ? cause.message : String(cause)}`, {
    help: "it may have changed or been moved since it was picked; pick it again",
    cause,
  });
}
