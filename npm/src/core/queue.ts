import { orAborted } from "./abort.js";
import { aborted } from "../errors.js";

/** Runs tasks one after another, in the order in which they came. */
export class Queue {
  #tail: Promise<unknown> = Promise.resolve();

  /**
   * Runs `task` after those before it. The caller hears of an abort at once; the task after this one still waits until this one
   * has ended.
   */
  run<T>(signal: AbortSignal | undefined, task: () => Promise<T>): Promise<T> {
    const before = this.#tail;
    const running = before.then(() => {
      if (signal?.aborted) throw aborted(signal.reason);
      return task();
    });
    this.#tail = running.catch(() => undefined);
    return orAborted(running, signal);
  }
}
