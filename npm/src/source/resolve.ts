import { GoldcrestError, invalidParameter } from "../errors.js";
import type { ModelSource } from "../types.js";
import { spool } from "./blob.js";
import { CATALOGUE, findModel } from "./catalogue.js";
import { parseHub, type HubAddress } from "./hub.js";
import { isNode } from "./node.js";

/** A source in a form that can cross to a worker. */
export type SourceRef =
  | { readonly kind: "blob"; readonly blob: Blob; readonly file: string }
  | { readonly kind: "path"; readonly path: string; readonly file: string }
  | { readonly kind: "url"; readonly source: string; readonly url: string; readonly file: string }
  | {
      readonly kind: "hub";
      readonly source: string;
      readonly address: HubAddress;
      readonly file: string;
      /** Known for the catalogue. */
      readonly size: number | null;
      readonly sha256: string | null;
    };

/** How streams are read on the way. */
export interface ResolveOptions {
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((loaded: number) => void) | undefined;
}

/** What `source` means. Reads streams to their end; asks no server. */
export async function resolveSource(source: ModelSource, options: ResolveOptions = {}): Promise<SourceRef> {
  if (typeof source === "string") return resolveText(source);
  if (source instanceof URL) return resolveUrl(source);
  if (source instanceof Blob) return fromBlob(source);
  // The blob is a copy: what the caller does with the buffer afterwards changes nothing.
  if (source instanceof ArrayBuffer) return fromBlob(new Blob([source]));
  if (ArrayBuffer.isView(source)) return fromBlob(new Blob([new Uint8Array(source)]));
  if (source instanceof ReadableStream) return fromBlob(await spool(source, options.signal, options.onProgress ?? (() => undefined)));
  if (isHandle(source)) return fromBlob(await source.getFile());
  throw invalidParameter("source", source, "a name, a URL, hf:org/repo, File, Blob, ReadableStream, FileSystemFileHandle or ArrayBuffer");
}

/** The text that a model is known by in the cache; `undefined` for sources that are not kept. */
export function cacheText(name: string): string | undefined {
  const model = findModel(name);
  if (model !== undefined) return model.source;
  if (name.startsWith("hf:")) return name;
  const url = asUrl(name);
  return url === undefined ? undefined : withoutFragment(url);
}

async function resolveText(text: string): Promise<SourceRef> {
  const model = findModel(text);
  if (model !== undefined) return fromHub(model.source, model.size, model.sha256);
  if (text.startsWith("hf:")) return fromHub(text, null, null);
  const url = asUrl(text);
  if (url !== undefined) return resolveUrl(url);
  if (isNode() && (/[\\/]/.test(text) || text.toLowerCase().endsWith(".gguf"))) return fromPath(text);
  throw new GoldcrestError("E_UNKNOWN_MODEL", `\`${text}\` names no model`, {
    help: `the names are ${CATALOGUE.map(({ name }) => name).join(", ")}; else give a URL or hf:org/repo`,
  });
}

async function resolveUrl(url: URL): Promise<SourceRef> {
  if (url.protocol === "file:" && isNode()) return fromPath(url.href);
  if (url.protocol === "blob:" || url.protocol === "data:") return fromBlob(await (await fetch(url)).blob());
  if (url.protocol !== "http:" && url.protocol !== "https:") throw badUrl(url, `${url.protocol} is no way to fetch a file`);
  if (url.username !== "" || url.password !== "") throw badUrl(url, "a user name or password in it would be stored in the clear");
  const source = withoutFragment(url);
  return { kind: "url", source, url: source, file: lastPart(url.pathname) };
}

function fromHub(source: string, size: number | null, sha256: string | null): SourceRef {
  const address = parseHub(source);
  return { kind: "hub", source, address, file: lastPart(address.file ?? address.repo), size, sha256 };
}

function fromBlob(blob: Blob): SourceRef {
  const name: unknown = "name" in blob ? blob.name : undefined;
  return { kind: "blob", blob, file: typeof name === "string" ? name : "" };
}

/** A file of Node's: a path, or a `file:` address. */
function fromPath(path: string): SourceRef {
  return { kind: "path", path, file: lastPart(path) };
}

/** The address that a text is; one without a scheme is taken from the page's, if it looks like a path. */
function asUrl(text: string): URL | undefined {
  if (/^(https?|file|blob|data):/i.test(text)) {
    if (URL.canParse(text)) return new URL(text);
    throw new GoldcrestError("E_BAD_ADDRESS", `\`${text}\` is no well-formed URL`, { help: "check the address" });
  }
  const base = globalThis.document?.baseURI ?? globalThis.location?.href;
  const looksLikePath = /^\.{0,2}\//.test(text) || text.toLowerCase().endsWith(".gguf");
  return base !== undefined && looksLikePath && URL.canParse(text, base) ? new URL(text, base) : undefined;
}

function badUrl(url: URL, why: string): GoldcrestError {
  return new GoldcrestError("E_BAD_ADDRESS", `\`${url.protocol}//${url.host}${url.pathname}\` cannot be a model's address: ${why}`, {
    help: "give an http: or https: address, or the bytes themselves",
  });
}

function withoutFragment(url: URL): string {
  const copy = new URL(url);
  copy.hash = "";
  return copy.href;
}

function lastPart(path: string): string {
  return path.split(/[\\/]/).at(-1) ?? path;
}

function isHandle(source: unknown): source is { getFile(): Promise<Blob> } {
  return typeof source === "object" && source !== null && "getFile" in source && typeof source.getFile === "function";
}
