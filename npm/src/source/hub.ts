import { aborted, GoldcrestError } from "../errors.js";
import type { Network } from "../cache/network.js";
import type { Place } from "../cache/remote.js";
import { hostOf } from "./http.js";

/** The server that `hf:` means unless the caller names another. */
export const DEFAULT_HUB = "https://huggingface.co";

/** `hf:org/repo[@revision]` with one file, or with what the caller wants of its files. */
export interface HubAddress {
  /** `org/repo`. */
  readonly repo: string;
  readonly revision: string | null;
  readonly file: string | null;
  readonly quant: string | null;
}

/** The first of these that a repository has is taken when the caller names none: small and good first, then the plain ones. */
const PREFERENCE = [
  "Q4_K_M", "Q4_0", "Q8_0", "Q4_1", "Q4_K_S", "Q5_K_M", "Q5_K_S", "Q6_K", "Q5_0", "Q5_1", "IQ4_NL", "IQ4_XS", "Q3_K_M", "F16",
  "BF16", "F32",
];
const WORD = /^[A-Za-z0-9_-][A-Za-z0-9._-]*$/;

/** Reads what stands behind `hf:`. */
export function parseHub(text: string): HubAddress {
  const bad = (why: string): GoldcrestError =>
    new GoldcrestError("E_BAD_ADDRESS", `\`${text}\` is no model address: ${why}`, {
      help: "the forms are hf:org/repo, hf:org/repo:Q4_K_M and hf:org/repo/file.gguf; @revision may follow repo",
    });
  const rest = text.replace(/^hf:/, "");
  const [, org = "", tail = ""] = /^([^/]*)\/(.*)$/s.exec(rest) ?? [];
  const [, name = "", mark = "", more = ""] = /^([^/:]*)([/:]?)(.*)$/s.exec(tail) ?? [];
  const at = name.indexOf("@");
  const repo = at < 0 ? name : name.slice(0, at);
  const revision = at < 0 ? null : name.slice(at + 1);
  if (![org, repo, revision ?? "main"].every((part) => WORD.test(part))) throw bad("org/repo is needed");
  const address = { repo: `${org}/${repo}`, revision };
  if (mark === "") return { ...address, file: null, quant: null };
  if (mark === ":") {
    if (!WORD.test(more)) throw bad("no quantization stands behind the colon");
    return { ...address, file: null, quant: more };
  }
  const climbs = more.split("/").some((part) => part === "" || part === "." || part === "..");
  if (climbs || !isGguf(more)) throw bad("the file must be a .gguf file inside the repository");
  return { ...address, file: more, quant: null };
}

/** Asks the hub for the file that an address means, with its size and sum. */
export async function locateOnHub(address: HubAddress, hub: string, network: Network, signal: AbortSignal): Promise<Place> {
  const revision = address.revision ?? "main";
  const files = await list(`${hub}/api/models/${address.repo}/tree/${revision}?recursive=true`, network, signal);
  const file = choose(address, files);
  return { url: hubFileUrl(address, file.path, hub), size: file.size, sha256: file.sha256 };
}

/** Where the hub keeps a file. */
export function hubFileUrl(address: HubAddress, file: string, hub: string): string {
  const path = file.split("/").map(encodeURIComponent).join("/");
  return `${hub}/${address.repo}/resolve/${address.revision ?? "main"}/${path}`;
}

interface HubFile {
  readonly path: string;
  readonly size: number | null;
  readonly sha256: string | null;
}

function choose(address: HubAddress, files: readonly HubFile[]): HubFile {
  const models = files.filter(({ path }) => isModel(path));
  const candidates = candidatesFor(address, files, models);
  const [one] = candidates;
  if (one !== undefined && candidates.length === 1) return one;
  const names = (candidates.length > 0 ? candidates : models).map(({ path }) => path);
  const place = `hf:${address.repo}`;
  if (candidates.length > 1) {
    throw new GoldcrestError("E_AMBIGUOUS", `${place} has several model files that fit: ${names.join(", ")}`, {
      help: `name one: ${place}/${names[0] ?? "file.gguf"}`,
    });
  }
  const wanted = address.file ?? (address.quant === null ? "GGUF file" : `GGUF file for ${address.quant}`);
  throw new GoldcrestError("E_NO_MATCH", `${place} has no ${wanted}; it has ${names.join(", ") || "none"}`, {
    help: "check the address against the files of the repository",
  });
}

function candidatesFor(address: HubAddress, files: readonly HubFile[], models: readonly HubFile[]): readonly HubFile[] {
  if (address.file !== null) return files.filter(({ path }) => path === address.file);
  const fitting = (quant: string): HubFile[] => models.filter(({ path }) => hasQuant(path, quant));
  if (address.quant !== null) return fitting(address.quant);
  if (models.length === 1) return models;
  return PREFERENCE.map(fitting).find((found) => found.length > 0) ?? models;
}

/** Whether `quant` stands in the file name as a whole word. `_` ends no word, since `Q4_K` is another type than `Q4_K_M`. */
function hasQuant(path: string, quant: string): boolean {
  const escaped = quant.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
  return new RegExp(`(^|[-._])${escaped}($|[-.])`, "i").test(path.split("/").at(-1) ?? path);
}

/** Files in pieces and side files (image projectors, importance matrices) are no models by themselves. */
function isModel(path: string): boolean {
  const name = (path.split("/").at(-1) ?? path).toLowerCase();
  return isGguf(name) && !name.startsWith("mmproj") && !name.includes("imatrix") && !/-\d{5}-of-\d{5}\.gguf$/.test(name);
}

function isGguf(path: string): boolean {
  return path.toLowerCase().endsWith(".gguf");
}

async function list(url: string, network: Network, signal: AbortSignal): Promise<HubFile[]> {
  const host = hostOf(url);
  for (let failures = 1; ; failures += 1) {
    let why: string;
    try {
      const response = await network.fetch(url, { signal });
      if (response.ok) return readListing(await response.json(), host);
      if (response.status < 500 && response.status !== 429) throw refused(host, response.status);
      why = `it answered ${response.status}`;
    } catch (error) {
      if (signal.aborted) throw aborted(signal.reason);
      if (error instanceof GoldcrestError) throw error;
      why = error instanceof Error ? error.message : String(error);
    }
    if (failures > network.attempts) {
      throw new GoldcrestError("E_NETWORK", `${host} cannot be reached: ${why}`, { help: "check the network" });
    }
    await network.pause(failures, undefined, signal);
  }
}

function readListing(listing: unknown, host: string): HubFile[] {
  if (!Array.isArray(listing)) {
    throw new GoldcrestError("E_STATUS", `${host} answered with something that is no list of files`, {
      help: "check hubUrl: it must be a model hub",
    });
  }
  return (listing as unknown[]).flatMap((entry) => {
    const { type, path, size, lfs } = fields(entry);
    const { oid, size: stored } = fields(lfs);
    if (type === "directory" || typeof path !== "string") return [];
    const sha256 = typeof oid === "string" && /^[0-9a-f]{64}$/.test(oid) ? oid : null;
    return [{ path, size: firstNumber(stored, size), sha256 }];
  });
}

function fields(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null ? (value as Readonly<Record<string, unknown>>) : {};
}

function firstNumber(...values: unknown[]): number | null {
  return values.find((value): value is number => typeof value === "number") ?? null;
}

function refused(host: string, status: number): GoldcrestError {
  return new GoldcrestError("E_STATUS", `${host} answered ${status}`, {
    help: "check the address; repositories that need an account cannot be read from a page",
    details: { status },
  });
}
