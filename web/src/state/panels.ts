import { signal } from "@preact/signals";
import { persisted } from "./persisted.js";

/** What can lie over the page. */
export type Panel = "settings" | "prompt" | "device" | "models" | "methods";

/** The method whose page is open: that of the page's own address, as `?method=beam`, to begin with. */
export const method = signal<string | null>(named(location.search));

/** The one that does. A link to a method opens its page. */
export const panel = signal<Panel | null>(method.value === null ? null : "methods");

/** Whether answers are shown token by token. */
export const tokenView = persisted<boolean>("tokenView", false, (stored) => (typeof stored === "boolean" ? stored : undefined));

/** The method that an address names; the words of a link may be parted by - too. */
function named(search: string): string | null {
  return new URLSearchParams(search).get("method")?.replaceAll("-", "_") || null;
}
