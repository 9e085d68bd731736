import type { FileHandle } from "node:fs/promises";
import type { OpenSource } from "../core/bytes.js";
import { aborted, GoldcrestError } from "../errors.js";

/** Whether files can be opened by path. */
export function isNode(): boolean {
  const versions: unknown = globalThis.process?.versions;
  return typeof versions === "object" && versions !== null && "node" in versions;
}

/** A file that is read where it lies. */
export class FileSource implements OpenSource {
  readonly size: number;
  readonly #file: FileHandle;
  readonly #path: string;
  #closed: Error | undefined;

  private constructor(file: FileHandle, size: number, path: string) {
    this.#file = file;
    this.size = size;
    this.#path = path;
  }

  static async open(path: string): Promise<FileSource> {
    try {
      const fs = await nodeModule<typeof import("node:fs/promises")>("node:fs/promises");
      const file = await fs.open(path.startsWith("file:") ? new URL(path) : path);
      return new FileSource(file, (await file.stat()).size, path);
    } catch (error) {
      throw cannotRead(path, error);
    }
  }

  async read(offset: number, length: number): Promise<Uint8Array> {
    if (this.#closed !== undefined) throw this.#closed;
    const bytes = new Uint8Array(length);
    for (let done = 0; done < length; ) {
      const { bytesRead } = await this.#file.read(bytes, done, length - done, offset + done);
      if (bytesRead === 0) throw cannotRead(this.#path, new RangeError(`${length} bytes at ${offset} of ${this.size}`));
      done += bytesRead;
    }
    return bytes;
  }

  async finished(): Promise<void> {}

  close(reason: Error = aborted()): void {
    if (this.#closed === undefined) void this.#file.close().catch(() => undefined);
    this.#closed = reason;
  }
}

/** All of a file. */
export async function fileBytes(path: string | URL): Promise<Uint8Array<ArrayBuffer>> {
  try {
    const fs = await nodeModule<typeof import("node:fs/promises")>("node:fs/promises");
    return new Uint8Array(await fs.readFile(path));
  } catch (error) {
    throw cannotRead(path, error);
  }
}

/** A module of Node, by a name that bundlers for pages do not follow. */
function nodeModule<T>(name: string): Promise<T> {
  return import(/* webpackIgnore: true */ /* @vite-ignore */ name) as Promise<T>;
}

function cannotRead(path: string | URL, cause: unknown): GoldcrestError {
  return new GoldcrestError("E_READ", `${String(path)} cannot be read: ${cause instanceof Error ? cause.message : String(cause)}`, {
    help: "check the path; it is taken from the current folder",
    cause,
  });
}
