import type { ModelHash } from "../api/types.js";
import type { ByteSource } from "./bytes.js";

/** Longer files are known by their beginning and size. The command does the same. */
const WHOLE = 2 ** 32;
const BEGINNING = 2 ** 26;
const PIECE = 2 ** 22;

/** A SHA-256 under way. */
interface Sum {
  update(bytes: Uint8Array): void;
  digestHex(): string;
}

/** Which file this is; `going` is asked between two pieces, and may throw. */
export async function hashModel(source: ByteSource, file: string, sum: Sum, going: () => void): Promise<ModelHash> {
  const { size: bytes } = source;
  const whole = bytes <= WHOLE;
  const end = whole ? bytes : BEGINNING;
  for (let offset = 0; offset < end; offset += PIECE) {
    going();
    sum.update(await source.read(offset, Math.min(PIECE, end - offset)));
  }
  if (!whole) sum.update(new Uint8Array(BigUint64Array.of(BigInt(bytes)).buffer));
  return { file, bytes, sha256: sum.digestHex(), of: whole ? "file" : "first 64 MiB and size" };
}
