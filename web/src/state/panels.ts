import { signal } from "@preact/signals";
import { persisted } from "./persisted.js";

/** What can lie over the page. */
export type Panel = "settings" | "prompt" | "device" | "models" | "methods";

/** The one that does. */
export const panel = signal<Panel | null>(null);

/** Whether answers are shown token by token. */
export const tokenView = persisted<boolean>("tokenView", false, (stored) => (typeof stored === "boolean" ? stored : undefined));
