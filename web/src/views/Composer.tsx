import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import type { VNode } from "preact";
import { Icon } from "../components/Icon.js";
import { stop, writing } from "../state/conversation.js";

/** Where one writes. Enter sends, Shift and Enter begin a line, Escape stops the answer. */
export function Composer(props: { readonly chats: boolean; readonly send: (text: string) => void }): VNode {
  const text = useSignal("");
  const area = useRef<HTMLTextAreaElement>(null);
  useEffect(() => area.current?.focus(), []);
  useEffect(() => {
    const { current } = area;
    if (!current) return;
    current.style.height = "auto";
    current.style.height = `${current.scrollHeight}px`;
  }, [text.value]);

  const submit = (): void => {
    if (writing.value || text.value.trim() === "") return;
    props.send(text.value);
    text.value = "";
  };
  const label = props.chats ? "Your message" : "Your text";
  return (
    <form
      class="composer"
      aria-label="Write"
      onSubmit={(event) => {
        event.preventDefault();
        submit();
      }}
    >
      <textarea
        ref={area}
        rows={1}
        aria-label={label}
        placeholder={props.chats ? "Write to the model" : "Begin a text"}
        value={text.value}
        onInput={(event) => (text.value = event.currentTarget.value)}
        onKeyDown={(event) => {
          // While a word is being composed (Chinese, Japanese, …) Enter belongs to the input method.
          if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
            event.preventDefault();
            submit();
          }
        }}
      />
      {writing.value ? (
        <button type="button" class="round" aria-label="Stop" title="Stop (Esc)" onClick={stop}>
          <Icon name="stop" />
        </button>
      ) : (
        <button type="submit" class="round" aria-label="Send" title="Send (Enter)" disabled={text.value.trim() === ""}>
          <Icon name="send" />
        </button>
      )}
    </form>
  );
}
