/** The SHA-256 of a piece of memory, in lower-case hexadecimal. */
export type Digest = (bytes: Uint8Array<ArrayBuffer>) => Promise<string>;

/** By the platform, off the thread; `undefined` in insecure contexts, where it is left out. */
export function platformDigest(): Digest | undefined {
  const subtle = globalThis.crypto?.subtle;
  return subtle && (async (bytes) => hex(new Uint8Array(await subtle.digest("SHA-256", bytes))));
}

function hex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
