import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import type { VNode } from "preact";
import { CopyButton } from "../components/CopyButton.js";
import { Icon } from "../components/Icon.js";
import { edit, writing } from "../state/conversation.js";
import type { Message } from "../state/message.js";

/** What the user wrote, with a way to write it anew. */
export function Question({ message }: { readonly message: Message }): VNode {
  const editing = useSignal(false);
  if (editing.value) return <Editor message={message} close={() => (editing.value = false)} />;
  return (
    <article class="question" aria-label="You">
      <p>{message.text.value}</p>
      <div class="actions">
        <CopyButton text={() => message.text.value} label="Copy" />
        <button type="button" class="ghost" aria-label="Edit" title="Edit and ask again" disabled={writing.value} onClick={() => (editing.value = true)}>
          <Icon name="edit" />
        </button>
      </div>
    </article>
  );
}

function Editor({ message, close }: { readonly message: Message; readonly close: () => void }): VNode {
  const text = useSignal(message.text.value);
  const area = useRef<HTMLTextAreaElement>(null);
  useEffect(() => area.current?.focus(), []);
  const submit = (): void => {
    close();
    edit(message, text.value);
  };
  return (
    <form
      class="question editing"
      onSubmit={(event) => {
        event.preventDefault();
        submit();
      }}
    >
      <textarea
        ref={area}
        rows={Math.min(10, text.value.split("\n").length + 1)}
        aria-label="Edit your message"
        value={text.value}
        onInput={(event) => (text.value = event.currentTarget.value)}
        onKeyDown={(event) => {
          if (event.key === "Escape") close();
          if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
            event.preventDefault();
            submit();
          }
        }}
      />
      <footer>
        <button type="button" class="button" onClick={close}>
          Cancel
        </button>
        <button type="submit" class="button primary">
          Ask again
        </button>
      </footer>
    </form>
  );
}
