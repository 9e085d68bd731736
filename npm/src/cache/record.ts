import type { Shelf } from "./store.js";

/** Changes when the files on a shelf change their meaning; shelves of another format are cleared. */
const FORMAT = 1;
const HEADER = "source.json";
const RECORD = "record.json";
const USED = "used.json";
const CHUNK = /^c(\d{6})-([0-9a-f]{64})$/;

/** What a server says of a file, so that a later answer can be compared. */
export interface Validators {
  readonly etag: string | null;
  readonly lastModified: string | null;
}

/** Written before the first chunk: what the chunks on the shelf are pieces of. */
export interface Header extends Validators {
  /** The address as the user gave it. */
  readonly source: string;
  /** Where the bytes come from. */
  readonly url: string;
  readonly size: number;
  readonly chunkSize: number;
}

/** Written last: with it the model is complete. */
export interface CommitRecord extends Header {
  /** Of the whole file; `null` if nobody said what it should be. */
  readonly sha256: string | null;
  /** SHA-256 of each chunk, in order. */
  readonly digests: readonly string[];
}

/** What a shelf holds. */
export interface ShelfContent {
  readonly header: Header | undefined;
  readonly record: CommitRecord | undefined;
  /** Digest of each chunk that is there, by its number. */
  readonly chunks: ReadonlyMap<number, string>;
}

/** Reads a shelf. Files that do not belong together are not reported. */
export async function readShelf(shelf: Shelf): Promise<ShelfContent> {
  const names = await shelf.names();
  const header = await readJson(shelf, names, HEADER, isHeader);
  const record = await readJson(shelf, names, RECORD, isRecord);
  const chunks = new Map<number, string>();
  for (const name of names) {
    const [, index, digest] = CHUNK.exec(name) ?? [];
    if (index !== undefined && digest !== undefined) chunks.set(Number(index), digest);
  }
  const whole = record !== undefined && record.digests.length === chunkCount(record);
  return { header, record: whole ? record : undefined, chunks };
}

/** Chunks of a whole file. */
export function chunkCount(header: { readonly size: number; readonly chunkSize: number }): number {
  return Math.ceil(header.size / header.chunkSize);
}

/** The name of a chunk's file. The digest in it makes a torn write visible. */
export function chunkName(index: number, digest: string): string {
  return `c${String(index).padStart(6, "0")}-${digest}`;
}

/** Empties a shelf. The record goes first, so that a crash in between leaves no complete model without chunks. */
export async function clearShelf(shelf: Shelf): Promise<void> {
  await dropRecord(shelf);
  for (const name of await shelf.names()) await shelf.remove(name);
}

/** Makes a model incomplete again, with all its chunks. */
export async function dropRecord(shelf: Shelf): Promise<void> {
  await shelf.remove(RECORD);
}

/** Says what the chunks to come are pieces of. */
export async function writeHeader(shelf: Shelf, header: Header): Promise<void> {
  await writeJson(shelf, HEADER, header);
}

/** Makes the model complete. */
export async function writeRecord(shelf: Shelf, record: CommitRecord): Promise<void> {
  await writeJson(shelf, RECORD, record);
}

/** Notes that the model is being used now. */
export async function touch(shelf: Shelf, now: number): Promise<void> {
  await writeJson(shelf, USED, { at: now });
}

/** When the model was last used, in milliseconds since 1970; 0 if that is unknown. */
export async function lastUsed(shelf: Shelf): Promise<number> {
  const used = await readJson(shelf, [USED], USED, isUsed);
  return used?.at ?? 0;
}

async function writeJson(shelf: Shelf, name: string, value: object): Promise<void> {
  await shelf.write(name, new TextEncoder().encode(JSON.stringify({ format: FORMAT, ...value })));
}

async function readJson<T>(
  shelf: Shelf,
  names: readonly string[],
  name: string,
  is: (value: Fields) => value is T & Fields,
): Promise<T | undefined> {
  if (!names.includes(name)) return undefined;
  const bytes = await shelf.read(name);
  if (bytes === undefined) return undefined;
  try {
    const value: unknown = JSON.parse(new TextDecoder().decode(bytes));
    return isFields(value) && value["format"] === FORMAT && is(value) ? value : undefined;
  } catch {
    // A torn write: as good as none.
    return undefined;
  }
}

type Fields = Readonly<Record<string, unknown>>;

function isFields(value: unknown): value is Fields {
  return typeof value === "object" && value !== null;
}

function isHeader(value: Fields): value is Header & Fields {
  const texts = ["source", "url"].every((name) => typeof value[name] === "string");
  const validators = ["etag", "lastModified"].every((name) => value[name] === null || typeof value[name] === "string");
  return texts && validators && isCount(value["size"]) && isCount(value["chunkSize"]) && value["chunkSize"] !== 0;
}

function isRecord(value: Fields): value is CommitRecord & Fields {
  const { sha256, digests } = value;
  const sums = Array.isArray(digests) && digests.every((digest) => typeof digest === "string");
  return sums && (sha256 === null || typeof sha256 === "string") && isHeader(value);
}

function isUsed(value: Fields): value is { at: number } & Fields {
  return typeof value["at"] === "number";
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}
