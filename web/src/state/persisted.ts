import { effect, signal, type Signal } from "@preact/signals";

/**
 * A signal whose value outlives the page. Storage may be full, forbidden or hold what an older version wrote: then the value
 * is `initial`, and lives as long as the page.
 */
export function persisted<T>(key: string, initial: T, read: (stored: unknown) => T | undefined): Signal<T> {
  const name = `goldcrest.${key}`;
  const value = signal(stored(name, read) ?? initial);
  effect(() => {
    const text = JSON.stringify(value.value);
    try {
      localStorage.setItem(name, text);
    } catch {
      // Private windows refuse; nothing is lost but the memory of this value.
    }
  });
  return value;
}

function stored<T>(name: string, read: (stored: unknown) => T | undefined): T | undefined {
  try {
    const text = localStorage.getItem(name);
    return text === null ? undefined : read(JSON.parse(text));
  } catch {
    return undefined;
  }
}
