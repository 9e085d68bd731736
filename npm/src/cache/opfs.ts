import type { ModelStore, Shelf } from "./store.js";

const FOLDER = "goldcrest-models";

/**
 * The store in the origin's private file system. Workers write through access handles, which every browser with the file system
 * has; pages, where those do not exist, through writable streams.
 */
export class OpfsStore implements ModelStore {
  readonly kind = "opfs";
  readonly #root: FileSystemDirectoryHandle;

  private constructor(root: FileSystemDirectoryHandle) {
    this.#root = root;
  }

  /** The store; `undefined` where the platform has none that this realm can write to. */
  static async open(): Promise<OpfsStore | undefined> {
    const storage = globalThis.navigator?.storage;
    if (typeof storage?.getDirectory !== "function" || !canWrite()) return undefined;
    try {
      const origin = await storage.getDirectory();
      return new OpfsStore(await origin.getDirectoryHandle(FOLDER, { create: true }));
    } catch {
      // Private windows of some browsers offer the call and refuse it.
      return undefined;
    }
  }

  async keys(): Promise<string[]> {
    const found: string[] = [];
    for await (const [name, handle] of entries(this.#root)) if (handle.kind === "directory") found.push(name);
    return found;
  }

  async shelf(key: string): Promise<Shelf> {
    return new OpfsShelf(await this.#root.getDirectoryHandle(key, { create: true }));
  }

  async remove(key: string): Promise<boolean> {
    return deleteEntry(this.#root, key, true);
  }
}

class OpfsShelf implements Shelf {
  readonly #folder: FileSystemDirectoryHandle;

  constructor(folder: FileSystemDirectoryHandle) {
    this.#folder = folder;
  }

  async names(): Promise<string[]> {
    const found: string[] = [];
    for await (const [name, handle] of entries(this.#folder)) if (handle.kind === "file") found.push(name);
    return found;
  }

  async read(name: string): Promise<Uint8Array<ArrayBuffer> | undefined> {
    try {
      const file = await (await this.#folder.getFileHandle(name)).getFile();
      return new Uint8Array(await file.arrayBuffer());
    } catch (error) {
      if (isNotFound(error)) return undefined;
      throw error;
    }
  }

  async write(name: string, bytes: Uint8Array<ArrayBuffer>): Promise<void> {
    const handle: WritableHandle = await this.#folder.getFileHandle(name, { create: true });
    if (handle.createSyncAccessHandle === undefined) return writeStream(handle, bytes);
    const access = await handle.createSyncAccessHandle();
    try {
      access.truncate(0);
      const written = access.write(bytes, { at: 0 });
      if (written !== bytes.byteLength) throw new DOMException("a write came out short", "QuotaExceededError");
      access.flush();
    } finally {
      access.close();
    }
  }

  async remove(name: string): Promise<void> {
    await deleteEntry(this.#folder, name, false);
  }
}

/** What the worker's type library knows of a file handle and the page's does not. */
interface WritableHandle extends FileSystemFileHandle {
  createSyncAccessHandle?(): Promise<{
    truncate(size: number): void;
    write(bytes: Uint8Array<ArrayBuffer>, options: { at: number }): number;
    flush(): void;
    close(): void;
  }>;
}

function canWrite(): boolean {
  const prototype = globalThis.FileSystemFileHandle?.prototype;
  return prototype !== undefined && ("createSyncAccessHandle" in prototype || "createWritable" in prototype);
}

async function writeStream(handle: FileSystemFileHandle, bytes: Uint8Array<ArrayBuffer>): Promise<void> {
  const stream = await handle.createWritable();
  try {
    await stream.write(bytes);
  } catch (error) {
    await stream.abort();
    throw error;
  }
  await stream.close();
}

async function deleteEntry(folder: FileSystemDirectoryHandle, name: string, recursive: boolean): Promise<boolean> {
  try {
    await folder.removeEntry(name, { recursive });
    return true;
  } catch (error) {
    if (isNotFound(error)) return false;
    throw error;
  }
}

/** The entries of a folder; the type libraries leave the iterator out. */
function entries(folder: FileSystemDirectoryHandle): AsyncIterable<[string, FileSystemHandle]> {
  return folder as unknown as AsyncIterable<[string, FileSystemHandle]>;
}

function isNotFound(error: unknown): boolean {
  return error instanceof DOMException && error.name === "NotFoundError";
}
