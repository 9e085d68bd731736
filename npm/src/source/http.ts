import { GoldcrestError } from "../errors.js";
import type { Validators } from "../cache/record.js";

/** Bytes `start` to `end` (not included). */
export interface Span {
  readonly start: number;
  readonly end: number;
}

/** A server's answer whose body is still to be read. */
export interface Answer {
  /** Whether the server sends the span that was asked for; else the body is the whole file. */
  readonly ranged: boolean;
  /** Offset of the body's first byte in the file. */
  readonly start: number;
  /** Bytes of the whole file; `null` if the server does not say, or the page may not see it. */
  readonly total: number | null;
  readonly validators: Validators;
  /** The SHA-256 of the whole file, where the model hub names it. */
  readonly sha256: string | null;
  /** The next piece of the body; `undefined` at its end. */
  next(): Promise<Uint8Array | undefined>;
  /** Lets go of the connection. */
  cancel(): void;
}

/** A transfer that broke off and is worth another try. */
export class TransferFault extends Error {
  /** How long the server asks to be left alone, in milliseconds. */
  readonly retryAfter: number | undefined;

  constructor(message: string, retryAfter?: number, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.retryAfter = retryAfter;
  }
}

/** The server has less than was asked for, or another file than before. */
export class ChangedFault extends Error {}

/** One request. */
export interface RangeRequest {
  readonly fetch: typeof globalThis.fetch;
  readonly url: string;
  readonly span: Span;
  /** A strong validator; the server answers with the whole file when it does not hold any more. */
  readonly ifRange: string | null;
  /** How long a connection may stand still, in milliseconds. */
  readonly stall: number;
  readonly signal: AbortSignal;
}

/** Asks for a span of a file. Rejects with {@link TransferFault} or {@link ChangedFault}, or a final error. */
export async function requestSpan(request: RangeRequest): Promise<Answer> {
  const { url, span, signal } = request;
  const control = new AbortController();
  const abort = (): void => control.abort(signal.reason);
  if (signal.aborted) abort();
  signal.addEventListener("abort", abort, { once: true });
  const patience = new Patience(request.stall, control);
  const end = (): void => {
    patience.end();
    signal.removeEventListener("abort", abort);
  };
  const headers: Record<string, string> = { Range: `bytes=${span.start}-${span.end - 1}` };
  if (request.ifRange !== null && mayCondition(url)) headers["If-Range"] = request.ifRange;
  try {
    // The model's own cache is the store; a second copy in the browser's cache would only cost room.
    const response = await patience.during(request.fetch(url, { headers, signal: control.signal, cache: "no-store" }));
    judgeStatus(response);
    const body = response.body?.getReader();
    if (body === undefined) throw new TransferFault("the answer has no body");
    return {
      ...describe(response, span),
      async next() {
        try {
          const { done, value } = await patience.during(body.read());
          if (done) end();
          return done ? undefined : value;
        } catch (error) {
          end();
          throw asFault(error, signal);
        }
      },
      cancel() {
        end();
        control.abort();
      },
    };
  } catch (error) {
    end();
    control.abort();
    throw asFault(error, signal);
  }
}

/** The length that a server names when it is asked for nothing else; `null` if it does not. */
export async function requestLength(fetch: typeof globalThis.fetch, url: string, signal: AbortSignal): Promise<number | null> {
  try {
    const response = await fetch(url, { method: "HEAD", signal, cache: "no-store" });
    return response.ok && plain(response) ? count(response.headers.get("content-length")) : null;
  } catch (error) {
    if (signal.aborted) throw error;
    return null;
  }
}

/** Whether two answers can be about the same bytes. */
export function sameFile(a: Validators, b: Validators): boolean {
  if (a.etag !== null && b.etag !== null) return strip(a.etag) === strip(b.etag);
  if (a.lastModified !== null && b.lastModified !== null) return a.lastModified === b.lastModified;
  return true;
}

/** The validator that `If-Range` may carry: a strong tag, else none. */
export function strongTag(validators: Validators): string | null {
  return validators.etag?.startsWith('"') ? validators.etag : null;
}

/** The host of an address, for messages. */
export function hostOf(url: string): string {
  return URL.canParse(url) ? new URL(url).host : url;
}

function describe(response: Response, span: Span): Omit<Answer, "next" | "cancel"> {
  const { headers } = response;
  const validators = { etag: headers.get("etag"), lastModified: headers.get("last-modified") };
  const sha256 = /^"?([0-9a-f]{64})"?$/.exec(headers.get("x-linked-etag") ?? "")?.[1] ?? null;
  if (response.status !== 206) {
    const total = plain(response) ? count(headers.get("content-length")) : null;
    return { ranged: false, start: 0, total, validators, sha256 };
  }
  const [, start, , total] = /^bytes (\d+)-(\d+)\/(\d+|\*)$/.exec(headers.get("content-range") ?? "") ?? [];
  if (start !== undefined && Number(start) !== span.start) throw new TransferFault("the answer begins elsewhere than asked");
  return { ranged: true, start: span.start, total: count(total ?? null), validators, sha256 };
}

function judgeStatus(response: Response): void {
  const { status } = response;
  if (status === 200 || status === 206) return;
  if (status === 416) throw new ChangedFault("the server's file is shorter than it was");
  const host = hostOf(response.url);
  if (status === 408 || status === 429 || status >= 500) {
    const seconds = Number(response.headers.get("retry-after") ?? Number.NaN);
    throw new TransferFault(`${host} answered ${status}`, Number.isFinite(seconds) ? seconds * 1000 : undefined);
  }
  throw new GoldcrestError("E_STATUS", `${host} answered ${status}`, {
    help:
      status === 401 || status === 403
        ? "the file is not public; fetch it with your own credentials and pass the Blob or the stream"
        : "check the address of the model",
    details: { status, url: response.url },
  });
}

/** `If-Range` makes a request to another origin ask for permission first, which many file servers do not give. */
function mayCondition(url: string): boolean {
  const here = globalThis.location?.origin;
  return here === undefined || here === new URL(url).origin;
}

/** Whether lengths in the headers are those of the bytes that a reader sees. */
function plain(response: Response): boolean {
  return (response.headers.get("content-encoding") ?? "identity") === "identity";
}

function count(text: string | null): number | null {
  return text !== null && /^\d{1,15}$/.test(text) ? Number(text) : null;
}

function strip(etag: string): string {
  return etag.replace(/^W\//, "");
}

function asFault(error: unknown, signal: AbortSignal): unknown {
  if (signal.aborted || error instanceof TransferFault || error instanceof ChangedFault || error instanceof GoldcrestError) return error;
  return new TransferFault(error instanceof Error ? error.message : String(error), undefined, error);
}

/** Ends a connection that stands still. */
class Patience {
  readonly #limit: number;
  readonly #control: AbortController;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(limit: number, control: AbortController) {
    this.#limit = limit;
    this.#control = control;
  }

  async during<T>(step: Promise<T>): Promise<T> {
    this.#timer = setTimeout(() => this.#control.abort(new TransferFault("the connection stands still")), this.#limit);
    try {
      return await step;
    } finally {
      this.end();
    }
  }

  end(): void {
    clearTimeout(this.#timer);
  }
}
