import type { ChunkSet } from "./chunks.js";
import type { Fetcher } from "./fetcher.js";

/** The bytes of a span, waiting for the chunks that are not there. */
export async function readChunks(chunks: ChunkSet, fetcher: Fetcher, offset: number, length: number): Promise<Uint8Array> {
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

/** The bytes of a chunk, once it is there. */
export async function chunkAt(chunks: ChunkSet, fetcher: Fetcher, index: number): Promise<Uint8Array<ArrayBuffer>> {
  for (;;) {
    const bytes = await chunks.get(index);
    if (bytes !== undefined) return bytes;
    const arrival = chunks.arrival(index);
    fetcher.pump();
    await arrival;
  }
}
