import type { VNode } from "preact";

/** Texts with their probabilities, as lines of bars. */
export function Bars({ top }: { readonly top: readonly { readonly id: number; readonly text: string; readonly p: number }[] }): VNode {
  return (
    <ul class="bars">
      {top.map(({ id, text, p }) => (
        <li key={id}>
          <code>{shown(text)}</code>
          <svg viewBox="0 0 100 10" preserveAspectRatio="none" aria-hidden="true">
            <rect width={100 * p} height="10" />
          </svg>
          <span>{(100 * p).toFixed(1)} %</span>
        </li>
      ))}
    </ul>
  );
}

/** A token's text with its blanks to be seen. */
export function shown(text: string): string {
  return text.replaceAll(" ", "␣").replaceAll("\n", "⏎") || "∅";
}
