/**
 * Where fetched models are kept: a shelf per model, small files on each. Nothing is changed in place, so a crash leaves either
 * a whole file or one whose digest is wrong.
 */
export interface ModelStore {
  readonly kind: "opfs" | "memory";
  /** Keys of all shelves. */
  keys(): Promise<string[]>;
  /** The shelf with this key; an empty one if there is none. */
  shelf(key: string): Promise<Shelf>;
  /** Deletes a shelf with all that is on it. False if there is none. */
  remove(key: string): Promise<boolean>;
}

/** The files of one model. */
export interface Shelf {
  /** Names of all files. */
  names(): Promise<string[]>;
  /** A whole file; `undefined` if there is none. */
  read(name: string): Promise<Uint8Array<ArrayBuffer> | undefined>;
  /** Writes a whole file. Rejects with an error named `QuotaExceededError` when the storage is full. */
  write(name: string, bytes: Uint8Array<ArrayBuffer>): Promise<void>;
  /** Deletes a file if it is there. */
  remove(name: string): Promise<void>;
}
