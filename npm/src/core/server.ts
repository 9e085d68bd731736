import { isQuestion } from "../api/strategy.js";
import { toGoldcrestError } from "../errors.js";
import { VERSION } from "../version.js";
import type { Core } from "./core.js";
import { deferred, type Deferred } from "./deferred.js";
import type { EventAnswer } from "./facts.js";
import { WINDOW, type CallName, type Calls, type FromWorker, type ToWorker } from "./messages.js";

/** The worker's side of the border. */
export interface WorkerPort {
  onmessage: ((event: { readonly data: ToWorker }) => void) | null;
  postMessage(message: FromWorker): void;
}

interface Running {
  readonly control: AbortController;
  /** Events that the page has not taken yet. */
  underWay: number;
  /** Whoever waits for the page to take one. */
  waiting: Deferred<void> | undefined;
  /** Whoever waits for the answer to a question; there is one at a time. */
  asking: Deferred<EventAnswer> | undefined;
}

/** Answers the calls of a page with a core of this realm. */
export function serve(port: WorkerPort, core: Core): void {
  const running = new Map<number, Running>();
  port.onmessage = ({ data: message }) => {
    switch (message.kind) {
      case "hello":
        port.postMessage({ kind: "hello", version: VERSION });
        break;
      case "call":
        void answer(port, core, running, message);
        break;
      case "abort":
        running.get(message.id)?.control.abort();
        break;
      case "taken":
        take(running.get(message.id), message);
        break;
    }
  };
}

async function answer(
  port: WorkerPort,
  core: Core,
  running: Map<number, Running>,
  { id, name, args }: ToWorker & { kind: "call" },
): Promise<void> {
  const call: Running = { control: new AbortController(), underWay: 0, waiting: undefined, asking: undefined };
  running.set(id, call);
  const onEvent = (event: Calls[CallName]["event"]): EventAnswer | Promise<EventAnswer> => {
    port.postMessage({ kind: "event", id, event });
    call.underWay += 1;
    if (isQuestion(event) && !call.control.signal.aborted) {
      call.asking = deferred();
      return call.asking.promise;
    }
    if (call.underWay < WINDOW || call.control.signal.aborted) return;
    call.waiting = deferred();
    return call.waiting.promise;
  };
  const letGo = (): void => {
    call.waiting?.resolve();
    call.asking?.resolve(undefined);
  };
  call.control.signal.addEventListener("abort", letGo, { once: true });
  try {
    const value = await core.call(name, args, { onEvent, signal: call.control.signal });
    port.postMessage({ kind: "result", id, value });
  } catch (thrown) {
    port.postMessage({ kind: "error", id, error: toGoldcrestError(thrown, "E_WORKER").toJSON() });
  } finally {
    running.delete(id);
  }
}

function take(call: Running | undefined, message: ToWorker & { kind: "taken" }): void {
  if (call === undefined) return;
  if ("answer" in message) {
    call.asking?.resolve(message.answer);
    call.asking = undefined;
  }
  call.underWay -= 1;
  call.waiting?.resolve();
  call.waiting = undefined;
}
