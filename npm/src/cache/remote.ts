import type { Digest } from "./digest.js";
import type { Locks } from "./locks.js";
import type { Network } from "./network.js";
import type { Estimate } from "./quota.js";
import type { ModelStore } from "./store.js";

/** The SHA-256 of a whole file, piece by piece. */
export interface RunningSum {
  update(bytes: Uint8Array): void;
  digestHex(): string;
  free?(): void;
}

/** What a download needs of its realm. */
export interface DownloadTools {
  readonly network: Network;
  readonly store: ModelStore;
  readonly locks: Locks;
  readonly digest: Digest;
  readonly estimate: Estimate;
  newSum(): Promise<RunningSum>;
}

/** The place of a file, once it is known. */
export interface Place {
  readonly url: string;
  /** What the file must be, as far as somebody said so. */
  readonly size: number | null;
  readonly sha256: string | null;
}

/** A file on a server. */
export interface RemoteFile {
  /** The address as the user gave it: what the copy in the cache is known by. */
  readonly source: string;
  /** Asks where the file is; not called when a complete copy is in the cache. */
  locate(signal: AbortSignal): Promise<Place>;
}

/** How a download is watched and ended. */
export interface DownloadOptions {
  readonly connections: number;
  readonly signal: AbortSignal;
  readonly onProgress: (phase: "download" | "verify", loaded: number, total: number) => void;
  /** The SHA-256 that the caller demands. */
  readonly sha256: string | null;
  /** Fetch only what is read, and keep the model incomplete: to look at a header. */
  readonly headerOnly: boolean;
}
