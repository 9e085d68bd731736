import { effect } from "@preact/signals";
import { persisted } from "./persisted.js";

/** `system` follows the device. */
export type Theme = "system" | "light" | "dark";

const THEMES: readonly Theme[] = ["system", "light", "dark"];

/** What the user wants to see. */
export const theme = persisted<Theme>("theme", "system", (stored) => THEMES.find((t) => t === stored));

/** The next of the three. */
export function nextTheme(): void {
  theme.value = THEMES[(THEMES.indexOf(theme.value) + 1) % THEMES.length] ?? "system";
}

/** Keeps the document's attribute and the colour of the browser's own bars in step with {@link theme}. */
export function applyTheme(): void {
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const apply = (): void => {
    const shown = theme.value === "system" ? (dark.matches ? "dark" : "light") : theme.value;
    document.documentElement.dataset["theme"] = shown;
    const bar = document.querySelector<HTMLMetaElement>('meta[name="theme-color"]');
    if (bar) bar.content = shown === "dark" ? "#141815" : "#f7f6f1";
  };
  effect(apply);
  dark.addEventListener("change", apply);
}
