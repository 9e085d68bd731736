/** Bytes that can be read anywhere: what the engine takes its weights from. */
export interface ByteSource {
  /** Bytes in all. */
  readonly size: number;
  /** Exactly `length` bytes from `offset`, once they are there. At most 16 MiB are asked for at a time. */
  read(offset: number, length: number): Promise<Uint8Array>;
}

/** A source that the engine's owner has to wait for, and to close. */
export interface OpenSource extends ByteSource {
  /** Fulfilled when all bytes are here, checked and kept. */
  finished(): Promise<void>;
  /** Ends what is under way; reads that wait reject with `reason`. */
  close(reason?: Error): void;
}
