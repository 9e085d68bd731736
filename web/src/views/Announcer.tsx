import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import type { VNode } from "preact";
import { messages } from "../state/conversation.js";

/** Reads answers to those who listen: sentence by sentence, as a screen reader would stumble over single tokens. */
export function Announcer(): VNode {
  const said = useSignal("");
  const from = useRef<{ key: number; at: number }>({ key: -1, at: 0 });
  const last = messages.value.at(-1);
  const answer = last?.role === "assistant" ? last : undefined;
  const text = answer?.text.value ?? "";
  const state = answer?.state.value;

  useEffect(() => {
    if (!answer) return;
    if (from.current.key !== answer.key) {
      // An answer that was there when the page opened is read by the reader itself.
      from.current = { key: answer.key, at: state === "writing" ? 0 : text.length };
      if (state === "writing") said.value = "Answering";
    }
    const fresh = text.slice(from.current.at);
    const end = state === "writing" ? lastSentence(fresh) : fresh.length;
    if (end > 0) {
      said.value = fresh.slice(0, end);
      from.current.at += end;
    }
  }, [answer?.key, text, state]);

  return (
    <div class="hidden" aria-live="polite" role="status" data-testid="announcer">
      {said.value}
    </div>
  );
}

/** Where the last whole sentence of a text ends; 0 if there is none. */
function lastSentence(text: string): number {
  let end = 0;
  for (const match of text.matchAll(/[.!?…:]\s|\n/g)) end = match.index + match[0].length;
  return end;
}
