import type { Engine } from "goldcrest";
import { useSignal } from "@preact/signals";
import { useEffect, useLayoutEffect, useRef } from "preact/hooks";
import type { VNode } from "preact";
import { Icon } from "../components/Icon.js";
import { messages, send, stop, writing } from "../state/conversation.js";
import { panel, tokenView } from "../state/panels.js";
import { Announcer } from "./Announcer.js";
import { Answer } from "./Answer.js";
import { Composer } from "./Composer.js";
import { Question } from "./Question.js";
import { Suggestions } from "./Suggestions.js";

/** How near the end, in pixels, counts as reading along. */
const NEAR = 120;

/** The conversation. It follows the answer as long as the reader does. */
export function Chat({ engine }: { readonly engine: Engine }): VNode {
  const log = useRef<HTMLElement>(null);
  const following = useSignal(true);
  const last = messages.value.at(-1);
  // Read here so that each token redraws and scrolls.
  const length = last?.text.value.length ?? 0;

  useLayoutEffect(() => {
    if (following.value && log.current) log.current.scrollTop = log.current.scrollHeight;
  }, [length, messages.value.length, following.value]);
  useEffect(() => {
    const escape = (event: KeyboardEvent): void => {
      if (event.key === "Escape" && panel.value === null && writing.value) stop();
    };
    addEventListener("keydown", escape);
    return () => removeEventListener("keydown", escape);
  }, []);

  const notes = engine.info.notes;
  return (
    <>
      <main
        id="main"
        class="chat"
        ref={log}
        tabIndex={-1}
        aria-label="Conversation"
        onScroll={({ currentTarget: { scrollHeight, scrollTop, clientHeight } }) => {
          following.value = scrollHeight - scrollTop - clientHeight < NEAR;
        }}
      >
        <div class="thread">
          {engine.info.backend === "cpu" && (
            <p class="notice">
              <Icon name="warn" />
              <span>
                The processor computes: correct, but slower than a graphics card. {notes.join(". ")}{" "}
                <button type="button" class="link" onClick={() => (panel.value = "device")}>
                  Why?
                </button>
              </span>
            </p>
          )}
          {messages.value.length === 0 ? <Suggestions engine={engine} /> : <h1 class="hidden">Conversation</h1>}
          {messages.value.map((message) =>
            message.role === "user" ? (
              <Question key={message.key} message={message} />
            ) : (
              <Answer key={message.key} message={message} last={message === last} />
            ),
          )}
        </div>
      </main>
      {!following.value && !tokenView.value && (
        <button type="button" class="button jump" onClick={() => (following.value = true)}>
          <Icon name="down" /> Latest
        </button>
      )}
      <Announcer />
      <Composer chats={engine.info.model.chatTemplate} send={send} />
    </>
  );
}
