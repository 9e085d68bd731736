import { isQuestion } from "../api/strategy.js";
import { GoldcrestError } from "../errors.js";
import { VERSION, versionMismatch } from "../version.js";
import type { CallHooks, Core } from "./core.js";
import { deferred, type Deferred } from "./deferred.js";
import type { EventAnswer } from "./facts.js";
import type { CallName, Calls, FromWorker, ToWorker } from "./messages.js";

/** The page's side of the border; a `Worker` is one. */
export interface PagePort {
  onmessage: ((event: MessageEvent<FromWorker>) => void) | null;
  onerror: ((event: ErrorEvent) => void) | null;
  onmessageerror: ((event: MessageEvent) => void) | null;
  postMessage(message: ToWorker): void;
  terminate(): void;
}

interface Pending {
  readonly name: CallName;
  readonly answer: Deferred<Calls[CallName]["result"]>;
  readonly onEvent: ((event: Calls[CallName]["event"]) => EventAnswer | Promise<EventAnswer>) | undefined;
  /** What the caller's function threw: the call rejects with it once the worker has ended it, so that the next finds it at rest. */
  thrown: { readonly error: unknown } | undefined;
}

/** How long a worker may take to end a download or a load by itself before it is ended from outside, in milliseconds. */
const GRACE = 2000;

/** The engine in a worker. */
export class WorkerCore implements Core {
  readonly #port: PagePort;
  readonly #greeting = deferred<void>();
  readonly #pending = new Map<number, Pending>();
  #nextId = 0;
  #dead: GoldcrestError | undefined;

  constructor(port: PagePort) {
    this.#port = port;
    port.onmessage = ({ data }) => this.#hear(data);
    port.onerror = (event) => {
      event.preventDefault?.();
      this.#die(workerError(event.message));
    };
    port.onmessageerror = () => this.#die(workerError("a message could not be read"));
    port.postMessage({ kind: "hello", version: VERSION });
  }

  async call<Name extends CallName>(name: Name, args: Calls[Name]["args"], hooks: CallHooks<Name>): Promise<Calls[Name]["result"]> {
    await this.#greeting.promise;
    if (this.#dead !== undefined) throw this.#dead;
    const id = this.#nextId;
    this.#nextId += 1;
    const answer = deferred<Calls[CallName]["result"]>();
    this.#pending.set(id, { name, answer, onEvent: hooks.onEvent as Pending["onEvent"], thrown: undefined });
    let patience: ReturnType<typeof setTimeout> | undefined;
    const abort = (): void => {
      this.#port.postMessage({ kind: "abort", id });
      if (name !== "load" && name !== "plan") return;
      // Nothing is lost with a worker that has loaded nothing yet.
      patience = setTimeout(() => this.#die(workerError("it did not end a load that was aborted")), GRACE);
    };
    this.#port.postMessage({ kind: "call", id, name, args } as ToWorker);
    if (hooks.signal.aborted) abort();
    hooks.signal.addEventListener("abort", abort, { once: true });
    try {
      return (await answer.promise) as Calls[Name]["result"];
    } finally {
      clearTimeout(patience);
      hooks.signal.removeEventListener("abort", abort);
      this.#pending.delete(id);
    }
  }

  async close(): Promise<void> {
    this.#die(new GoldcrestError("E_DISPOSED", "the engine was disposed"));
  }

  #hear(message: FromWorker): void {
    if (message.kind === "hello") {
      if (message.version === VERSION) this.#greeting.resolve();
      else this.#die(versionMismatch(message.version));
      return;
    }
    const call = this.#pending.get(message.id);
    if (message.kind !== "event" && call?.thrown !== undefined) call.answer.reject(call.thrown.error);
    else if (message.kind === "result") call?.answer.resolve(message.value);
    else if (message.kind === "error") call?.answer.reject(GoldcrestError.from(message.error));
    else void this.#pass(message.id, call, message.event);
  }

  /** Hands an event on, and tells the worker when it has been taken. */
  async #pass(id: number, call: Pending | undefined, event: Calls[CallName]["event"]): Promise<void> {
    let answer: EventAnswer;
    try {
      if (call?.thrown === undefined) answer = await call?.onEvent?.(event);
    } catch (error) {
      if (call !== undefined) call.thrown = { error };
      if (this.#dead === undefined) this.#port.postMessage({ kind: "abort", id });
    }
    if (this.#dead !== undefined) return;
    this.#port.postMessage(isQuestion(event) ? { kind: "taken", id, answer } : { kind: "taken", id });
  }

  #die(reason: GoldcrestError): void {
    if (this.#dead !== undefined) return;
    this.#dead = reason;
    this.#port.terminate();
    this.#greeting.reject(reason);
    for (const { answer } of this.#pending.values()) answer.reject(reason);
  }
}

/** Starts a worker of this package. */
export function startWorker(workerUrl: string | URL | undefined): PagePort {
  try {
    // Bundlers know this very form, and only this one.
    if (workerUrl === undefined) return new Worker(new URL("./worker.js", import.meta.url), { type: "module" });
    return new Worker(workerUrl, { type: "module" });
  } catch (error) {
    throw workerError(error instanceof Error ? error.message : String(error));
  }
}

function workerError(why: string | undefined): GoldcrestError {
  // A trap ends the worker's instance of the engine; everything else is the worker's own.
  if (why !== undefined && /RuntimeError|unreachable/.test(why)) {
    return new GoldcrestError("E_TRAPPED", `the engine trapped: ${why}`, {
      help: "the next call starts a fresh engine; please report it with engine.info",
    });
  }
  return new GoldcrestError("E_WORKER", `the worker failed: ${why ?? "its code could not be loaded"}`, {
    help: "it must come from the page's own origin and be allowed by the page's policy (worker-src); see workerUrl, or pass worker: false",
  });
}
