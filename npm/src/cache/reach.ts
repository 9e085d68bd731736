import { GoldcrestError } from "../errors.js";
import { ChangedFault, hostOf, requestLength, requestSpan, sameFile, TransferFault, type Answer, type Span } from "../source/http.js";
import { spanOf, type Network } from "./network.js";
import { clearShelf, type Header, type ShelfContent } from "./record.js";
import type { Place } from "./remote.js";
import type { Shelf } from "./store.js";

/** A shelf that fits the server's file, and the answer that says so. */
export interface Reached {
  readonly header: Header;
  readonly chunks: ReadonlyMap<number, string>;
  readonly answer: Answer;
}

/** Asks the server for the first missing bytes, and drops what is on the shelf if it is of another file. */
export async function reach(
  source: string,
  place: Place,
  shelf: Shelf,
  { header, chunks }: ShelfContent,
  network: Network,
  connections: number,
  signal: AbortSignal,
): Promise<Reached> {
  const most = spanOf(network, connections);
  const start = { start: 0, end: most * network.chunkSize };
  let answer = await probe(place, firstMissing(header, chunks, most) ?? start, network, signal);
  const size = answer.total ?? (await lengthOf(answer, place.url, network, signal));
  if (header !== undefined && header.size === size && sameFile(header, answer.validators)) return { header, chunks, answer };
  await clearShelf(shelf);
  if (answer.start > 0) {
    answer.cancel();
    answer = await probe(place, start, network, signal);
  }
  const { validators } = answer;
  return { header: { source, url: place.url, size, chunkSize: network.chunkSize, ...validators }, chunks: new Map(), answer };
}

/** The first answer of a server, after as many tries as it takes. */
async function probe(place: Place, asked: Span, network: Network, signal: AbortSignal): Promise<Answer> {
  for (let failures = 1; ; failures += 1) {
    try {
      return await requestSpan({
        fetch: network.fetch,
        url: place.url,
        span: asked,
        ifRange: null,
        stall: network.stall,
        signal,
      });
    } catch (error) {
      if (error instanceof ChangedFault && asked.start > 0) {
        asked = { start: 0, end: asked.end - asked.start };
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
