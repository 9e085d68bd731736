import { useSignal } from "@preact/signals";
import type { VNode } from "preact";
import { Icon } from "./Icon.js";

/** Copies a text and says so for a moment. */
export function CopyButton(props: { readonly text: () => string | Promise<string>; readonly label: string; readonly wide?: boolean }): VNode {
  const done = useSignal(false);
  const copy = async (): Promise<void> => {
    await navigator.clipboard.writeText(await props.text());
    done.value = true;
    setTimeout(() => (done.value = false), 1600);
  };
  const label = done.value ? "Copied" : props.label;
  return (
    <button type="button" class={props.wide ? "button" : "ghost"} onClick={() => void copy()} title={label}>
      <Icon name={done.value ? "check" : "copy"} />
      <span class={props.wide ? undefined : "hidden"} aria-live="polite">
        {label}
      </span>
    </button>
  );
}
