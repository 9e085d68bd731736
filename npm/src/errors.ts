/**
 * Codes that this package gives by itself. The engine adds its own, which are those of the command line
 * (`E_GGUF_…`, `E_MODEL_…`, `E_TEMPLATE_…`, `E_PROMPT_TOO_LONG`, `E_OUT_OF_GPU_MEMORY`, …).
 */
export type KnownErrorCode =
  /** An `AbortSignal` fired; the error's `name` is `AbortError`. */
  | "E_ABORTED"
  /** A parameter has a value that it may not have. */
  | "E_INVALID_PARAMETER"
  /** A parameter of the API that this version does not implement. */
  | "E_NOT_AVAILABLE"
  /** The engine was disposed. */
  | "E_DISPOSED"
  /** The GPU went away; the next call rebuilds the engine. */
  | "E_DEVICE_LOST"
  /** The adapter computes wrongly in every form of the kernels: it is not used. */
  | "E_WRONG_RESULTS"
  /** A fault of the engine without a code of its own. */
  | "E_ENGINE"
  /** The engine trapped; the next call starts a fresh one. */
  | "E_TRAPPED"
  /** Page, worker and wasm are of different versions of this package. */
  | "E_VERSION"
  /** The worker could not be started, or ended by itself. */
  | "E_WORKER"
  /** The wasm file could not be fetched or compiled. */
  | "E_WASM"
  /** Text that names no model. */
  | "E_UNKNOWN_MODEL"
  /** A URL or `hf:` address of a wrong shape. */
  | "E_BAD_ADDRESS"
  /** A repository has no file that fits. */
  | "E_NO_MATCH"
  /** A repository has several files that fit. */
  | "E_AMBIGUOUS"
  /** The server could not be reached, or broke off again and again. */
  | "E_NETWORK"
  /** The server answered with a status that is no file. */
  | "E_STATUS"
  /** The file is longer or shorter than it must be. */
  | "E_SIZE"
  /** The bytes are no GGUF file. */
  | "E_NOT_GGUF"
  /** The file on the server changed while it was being fetched. */
  | "E_CHANGED"
  /** All bytes arrived, and are not the expected ones. */
  | "E_CHECKSUM"
  /** The browser gives the page too little storage. */
  | "E_QUOTA"
  /** The cached copy is damaged and cannot be fetched again. */
  | "E_CACHE_CORRUPT"
  /** A local file could not be read. */
  | "E_READ";

/** A known code, or one that the engine gives. */
export type ErrorCode = KnownErrorCode | (string & {});

/** A {@link GoldcrestError} as plain data, for logs and for message ports. */
export interface ErrorData {
  readonly code: ErrorCode;
  readonly message: string;
  readonly help?: string;
  readonly details?: ErrorDetails;
  readonly cause?: string;
}

/** Numbers and names behind an error: `needed` and `free` bytes of `E_QUOTA`, `parameter` of `E_INVALID_PARAMETER`, … */
export type ErrorDetails = Readonly<Record<string, string | number>>;

/** The one class of errors that this package throws. */
export class GoldcrestError extends Error {
  /** A name that stays the same between releases. */
  readonly code: ErrorCode;
  /** What to do about it. */
  readonly help?: string;
  /** What a program may want to know beyond the code. */
  readonly details?: ErrorDetails;

  constructor(
    code: ErrorCode,
    message: string,
    more: { help?: string | undefined; details?: ErrorDetails | undefined; cause?: unknown } = {},
  ) {
    super(message, more.cause === undefined ? undefined : { cause: more.cause });
    // What the platform calls it, so that code written for `fetch` recognises it.
    this.name = code === "E_ABORTED" ? "AbortError" : "GoldcrestError";
    this.code = code;
    if (more.help !== undefined) this.help = more.help;
    if (more.details !== undefined) this.details = more.details;
  }

  /** The error as plain data. */
  toJSON(): ErrorData {
    return {
      code: this.code,
      message: this.message,
      ...(this.help === undefined ? {} : { help: this.help }),
      ...(this.details === undefined ? {} : { details: this.details }),
      ...(this.cause === undefined ? {} : { cause: String(this.cause) }),
    };
  }

  /** The error that `data` describes. */
  static from(data: ErrorData): GoldcrestError {
    return new GoldcrestError(data.code, data.message, data);
  }
}

/** The error of an abort, whatever reason the signal carries. */
export function aborted(reason?: unknown): GoldcrestError {
  return new GoldcrestError("E_ABORTED", "the operation was aborted", { cause: reason });
}

/** The error of a parameter outside its range. */
export function invalidParameter(parameter: string, value: unknown, allowed: string): GoldcrestError {
  return new GoldcrestError("E_INVALID_PARAMETER", `${parameter} = ${shown(value)} is not allowed; allowed: ${allowed}`, {
    help: `give ${parameter} one of the allowed values, or leave it out`,
    details: { parameter, allowed },
  });
}

/** The error of a parameter that this version does not implement. */
export function notAvailable(parameter: string, why = "is not available in this version"): GoldcrestError {
  return new GoldcrestError("E_NOT_AVAILABLE", `${parameter} ${why}`, {
    help: `leave ${parameter} out`,
    details: { parameter },
  });
}

/** Any thrown value as a {@link GoldcrestError}. */
export function toGoldcrestError(thrown: unknown, fallback: ErrorCode): GoldcrestError {
  if (thrown instanceof GoldcrestError) return thrown;
  if (thrown instanceof Error) {
    const { code, help } = thrown as { code?: unknown; help?: unknown };
    if (thrown.name === "AbortError") return aborted(thrown);
    if (typeof code === "string" && code.startsWith("E_")) {
      return new GoldcrestError(code, thrown.message, {
        help: typeof help === "string" ? help : undefined,
        cause: thrown.cause,
      });
    }
    return new GoldcrestError(fallback, thrown.message || thrown.name, { cause: thrown });
  }
  return new GoldcrestError(fallback, String(thrown));
}

function shown(value: unknown): string {
  if (typeof value === "number" || typeof value === "bigint") return String(value);
  const text = JSON.stringify(value) ?? String(value);
  return text.length > 80 ? `${text.slice(0, 77)}…` : text;
}
