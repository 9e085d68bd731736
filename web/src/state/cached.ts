import { Goldcrest, type CachedModel } from "goldcrest";
import { signal } from "@preact/signals";

/** What the page has on this device. */
export const cached = signal<readonly CachedModel[]>([]);
/** Bytes used and allowed; `null` where the browser does not say. */
export const storage = signal<{ readonly used: number; readonly quota: number } | null>(null);

/** Asks again. A browser without storage simply has no models. */
export async function refreshCached(): Promise<void> {
  try {
    cached.value = await Goldcrest.models.list();
    const { usage, quota } = (await navigator.storage?.estimate()) ?? {};
    storage.value = usage === undefined || quota === undefined ? null : { used: usage, quota };
  } catch {
    cached.value = [];
    storage.value = null;
  }
}

/** Deletes one model. */
export async function removeCached(name: string): Promise<void> {
  await Goldcrest.models.remove(name);
  await refreshCached();
}
