import { GoldcrestError } from "../errors.js";

/** What the platform says of the storage left; `undefined` where it says nothing. */
export type Estimate = () => Promise<{ readonly quota: number; readonly usage: number } | undefined>;

/** The platform's own estimate. */
export async function platformEstimate(): Promise<{ quota: number; usage: number } | undefined> {
  const found = await globalThis.navigator?.storage?.estimate?.().catch(() => undefined);
  return found?.quota === undefined || found.usage === undefined ? undefined : { quota: found.quota, usage: found.usage };
}

/** Bytes that may still be stored; `null` where the platform does not say. */
export async function freeBytes(estimate: Estimate): Promise<number | null> {
  const found = await estimate();
  return found === undefined ? null : Math.max(0, found.quota - found.usage);
}

/** Refuses a download that the storage cannot take. */
export async function checkQuota(needed: number, kind: "opfs" | "memory", estimate: Estimate): Promise<void> {
  if (kind === "memory") return;
  const free = await freeBytes(estimate);
  if (free !== null && needed > free) throw tooLittle(needed, free);
}

/** Whether a write failed for want of room. */
export function isQuotaError(error: unknown): boolean {
  return error instanceof Error && error.name === "QuotaExceededError";
}

/** The error of a write that failed for want of room, whatever the platform had estimated. */
export async function outOfQuota(needed: number, estimate: Estimate): Promise<GoldcrestError> {
  const free = (await freeBytes(estimate)) ?? 0;
  return free < needed ? tooLittle(needed, free) : noRoom(`the browser's storage is full: ${mib(needed)} of the model found no room`, needed, 0);
}

function tooLittle(needed: number, free: number): GoldcrestError {
  return noRoom(`the model needs ${mib(needed)} more of storage, and the browser gives ${mib(free)}`, needed, free);
}

function noRoom(message: string, needed: number, free: number): GoldcrestError {
  return new GoldcrestError("E_QUOTA", message, {
    help: "free disk space, remove other models (Goldcrest.models), or pass cache: \"memory\" to keep nothing",
    details: { needed, free },
  });
}

function mib(bytes: number): string {
  return `${(bytes / (1 << 20)).toFixed(1)} MiB`;
}
