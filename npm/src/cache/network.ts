import { aborted } from "../errors.js";

/** How a realm reaches servers, and how patient it is. */
export interface Network {
  readonly fetch: typeof globalThis.fetch;
  /** Bytes of a chunk: what is written at a time. */
  readonly chunkSize: number;
  /** Chunks on their way over all connections: what a reload may cost. */
  readonly window: number;
  /** How often a transfer may fail in a row without moving forward. */
  readonly attempts: number;
  /** How long a connection may stand still, in milliseconds. */
  readonly stall: number;
  /** Waits before another try: longer each time, and while the device is offline. */
  pause(failures: number, retryAfter: number | undefined, signal: AbortSignal): Promise<void>;
}

const MIB = 1 << 20;
/** A server that asks for a longer pause gets this one. */
const LONGEST_PAUSE = 30_000;

/** Chunks that one request asks for, so that all connections together keep to the window. */
export function spanOf(network: Network, connections: number): number {
  return Math.max(1, Math.floor(network.window / connections));
}

/** The platform's network. At most 4 MiB are asked for and not yet written: a reload costs no more, however fast the server is. */
export function platformNetwork(): Network {
  return {
    fetch: (...args) => globalThis.fetch(...args),
    chunkSize: MIB,
    window: 4,
    attempts: 6,
    stall: 30_000,
    async pause(failures, retryAfter, signal) {
      await sleep(Math.min(retryAfter ?? 500 * 2 ** (failures - 1), LONGEST_PAUSE), signal);
      while (isOffline()) await untilOnline(signal);
    },
  };
}

/** Waits; rejects when the signal fires. */
export function sleep(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) return reject(aborted(signal.reason));
    const end = (): void => {
      clearTimeout(timer);
      reject(aborted(signal.reason));
    };
    const timer = setTimeout(() => {
      signal.removeEventListener("abort", end);
      resolve();
    }, ms);
    signal.addEventListener("abort", end, { once: true });
  });
}

function isOffline(): boolean {
  return globalThis.navigator?.onLine === false;
}

/** The platform says when it is back; asked every second as well, since not every realm gets the event. */
async function untilOnline(signal: AbortSignal): Promise<void> {
  const woken = new AbortController();
  const wake = (): void => woken.abort();
  globalThis.addEventListener?.("online", wake, { once: true });
  signal.addEventListener("abort", wake, { once: true });
  await sleep(1000, woken.signal).catch(() => undefined);
  globalThis.removeEventListener?.("online", wake);
  signal.removeEventListener("abort", wake);
  if (signal.aborted) throw aborted(signal.reason);
}
