import type { Progress, ProgressPhase } from "../types.js";

/** Milliseconds between two reports of progress: 20 a second. */
const INTERVAL = 50;

/** Passes on what a listener can follow: the newest report of each phase, and the last one of each without fail. */
export class ProgressPace {
  readonly #listener: (progress: Progress) => void;
  readonly #held = new Map<ProgressPhase, Progress>();
  #last = Number.NEGATIVE_INFINITY;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(listener: (progress: Progress) => void) {
    this.#listener = listener;
  }

  report(progress: Progress): void {
    this.#held.set(progress.phase, progress);
    const wait = this.#last + INTERVAL - performance.now();
    if (wait <= 0) this.#send();
    else this.#timer ??= setTimeout(() => this.#send(), wait);
  }

  /** Sends what is held back, at the end. */
  flush(): void {
    while (this.#held.size > 0) this.#send();
  }

  #send(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const [next] = this.#held.values();
    if (next === undefined) return;
    this.#held.delete(next.phase);
    this.#last = performance.now();
    if (this.#held.size > 0) this.#timer = setTimeout(() => this.#send(), INTERVAL);
    this.#listener(next);
  }
}

/** Lets the realm's other work run: timers, messages, input. */
export function breathe(): Promise<void> {
  return new Promise((resolve) => {
    if (typeof globalThis.setImmediate === "function") {
      globalThis.setImmediate(resolve);
      return;
    }
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => {
      port1.close();
      resolve();
    };
    port2.postMessage(null);
  });
}
