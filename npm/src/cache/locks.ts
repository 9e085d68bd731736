import { orAborted } from "../core/abort.js";
import { aborted } from "../errors.js";

/** The right to fetch one model. */
export interface Lease {
  /** Tells those who wait how far the download is. */
  report(loaded: number, total: number): void;
  release(): void;
}

/** Sees to it that a model is fetched once, however many tabs want it. */
export interface Locks {
  /** Waits for the right to fetch `key`; `onProgress` hears what its present holder reports. */
  acquire(key: string, signal: AbortSignal, onProgress: (loaded: number, total: number) => void): Promise<Lease>;
}

/** The platform's locks where it has them, else those of this realm. */
export function platformLocks(): Locks {
  const manager = globalThis.navigator?.locks;
  return manager === undefined ? new RealmLocks() : new TabLocks(manager);
}

/** Locks across the tabs and workers of an origin. The platform releases those of a tab that ends. */
class TabLocks implements Locks {
  readonly #manager: LockManager;

  constructor(manager: LockManager) {
    this.#manager = manager;
  }

  acquire(key: string, signal: AbortSignal, onProgress: (loaded: number, total: number) => void): Promise<Lease> {
    const name = `goldcrest:${key}`;
    const channel = new BroadcastChannel(name);
    channel.onmessage = ({ data }: MessageEvent<unknown>) => {
      const [loaded, total] = Array.isArray(data) ? (data as unknown[]) : [];
      if (typeof loaded === "number" && typeof total === "number") onProgress(loaded, total);
    };
    return new Promise((resolve, reject) => {
      const held = this.#manager.request(name, { signal }, () => {
        channel.onmessage = null;
        return new Promise<void>((release) => {
          resolve({
            report: (loaded, total) => channel.postMessage([loaded, total]),
            release: () => {
              channel.close();
              release();
            },
          });
        });
      });
      held.catch((error: unknown) => {
        channel.close();
        reject(signal.aborted ? aborted(signal.reason) : error);
      });
    });
  }
}

/** Locks between the calls of one realm. */
export class RealmLocks implements Locks {
  readonly #held = new Map<string, { readonly freed: Promise<void>; readonly listeners: Set<(loaded: number, total: number) => void> }>();

  async acquire(key: string, signal: AbortSignal, onProgress: (loaded: number, total: number) => void): Promise<Lease> {
    for (let held = this.#held.get(key); held !== undefined; held = this.#held.get(key)) {
      held.listeners.add(onProgress);
      try {
        await orAborted(held.freed, signal);
      } finally {
        held.listeners.delete(onProgress);
      }
    }
    let free!: () => void;
    const freed = new Promise<void>((resolve) => (free = resolve));
    const listeners = new Set<(loaded: number, total: number) => void>();
    this.#held.set(key, { freed, listeners });
    return {
      report: (loaded, total) => {
        for (const listener of listeners) listener(loaded, total);
      },
      release: () => {
        this.#held.delete(key);
        free();
      },
    };
  }
}
