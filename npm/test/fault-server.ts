import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

/** A file on a server of this machine, with faults. */
export interface FaultFile {
  bytes: Uint8Array;
  etag: string | null;
  /** Whether `Range` is understood. */
  ranges: boolean;
  /** Called for each request before anything is sent. */
  onRequest?: (request: IncomingMessage, number: number) => Fault | undefined;
}

/** What goes wrong with one answer. */
export interface Fault {
  /** Answer with this status and nothing else. */
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** Break the connection after as many bytes of the body. */
  readonly cutAfter?: number;
  /** Send these bytes instead. */
  readonly body?: Uint8Array;
  /** Leave the length out. */
  readonly noLength?: boolean;
  /** Wait with the answer, in milliseconds. */
  readonly delay?: number;
  /** Send nothing and keep the connection. */
  readonly hang?: boolean;
}

export interface FaultServer {
  readonly url: string;
  readonly file: FaultFile;
  /** Bytes of bodies sent, and requests answered. */
  sent: number;
  requests: { range: string | undefined; path: string; method: string }[];
  close(): Promise<void>;
}

export async function faultServer(bytes: Uint8Array, more: Partial<FaultFile> = {}): Promise<FaultServer> {
  const file: FaultFile = { bytes, etag: '"one"', ranges: true, ...more };
  const server: Server = createServer((request, response) => {
    const number = state.requests.length;
    state.requests.push({ range: request.headers.range, path: request.url ?? "", method: request.method ?? "" });
    const fault = file.onRequest?.(request, number) ?? {};
    if (fault.hang) return;
    setTimeout(() => answer(file, fault, request, response), fault.delay ?? 0);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  const state: FaultServer = {
    url: `http://127.0.0.1:${port}`,
    file,
    sent: 0,
    requests: [],
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
  const answer = (from: FaultFile, fault: Fault, request: IncomingMessage, response: ServerResponse): void => {
    if (fault.status !== undefined) {
      response.writeHead(fault.status, fault.headers).end();
      return;
    }
    const all = fault.body ?? from.bytes;
    const [, first, last] = /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? "") ?? [];
    const condition = request.headers["if-range"];
    const ranged = from.ranges && first !== undefined && (condition === undefined || condition === from.etag);
    const start = ranged ? Number(first) : 0;
    const end = ranged ? Math.min(Number(last) + 1, all.length) : all.length;
    if (start >= end) {
      response.writeHead(416).end();
      return;
    }
    const body = all.subarray(start, end);
    response.writeHead(ranged ? 206 : 200, {
      ...(fault.noLength ? {} : { "content-length": body.length }),
      ...(ranged ? { "content-range": `bytes ${start}-${end - 1}/${all.length}` } : {}),
      ...(from.etag === null ? {} : { etag: from.etag }),
      ...fault.headers,
    });
    if (request.method === "HEAD") {
      response.end();
      return;
    }
    const part = body.subarray(0, fault.cutAfter ?? body.length);
    state.sent += part.length;
    if (part.length === body.length) response.end(part);
    // What was sent has to arrive before the connection breaks.
    else response.write(part, () => setTimeout(() => response.destroy(), 5));
  };
  return state;
}

/** Bytes that begin as a model does; no two chunks are equal. */
export function modelBytes(length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  let state = 12345;
  for (let index = 0; index < length; index += 1) {
    state = (Math.imul(state, 1103515245) + 12345) >>> 0;
    bytes[index] = state >>> 24;
  }
  bytes.set(new TextEncoder().encode("GGUF").subarray(0, length));
  return bytes;
}

/** Numbers from 0 to 1 that a seed decides. */
export function randomNumbers(seed: number): () => number {
  let state = seed * 2654435761 + 1;
  return () => {
    state = (Math.imul(state ^ (state >>> 15), 2246822519) + 3266489917) >>> 0;
    return ((state ^ (state >>> 13)) >>> 0) / 2 ** 32;
  };
}
