import { signal, type Signal } from "@preact/signals";
import type { Problem } from "../engine/problem.js";
import type { Token } from "../engine/stream.js";

/** How an answer stands: still written, ended by the model, at its longest, stopped by the user, or broken off. */
export type AnswerState = "writing" | "done" | "length" | "stopped" | "failed";

/** Times and counts of an answer. `final` once the engine itself has given them. */
export interface Stats {
  readonly ttftMs: number | null;
  readonly tokensPerSecond: number | null;
  readonly tokens: number;
  readonly promptTokens: number | null;
  readonly reusedTokens: number | null;
  readonly final: boolean;
}

/** A message. Its parts are signals, so that a streamed token redraws one message and nothing else. */
export interface Message {
  readonly key: number;
  readonly role: "user" | "assistant";
  readonly text: Signal<string>;
  readonly tokens: Signal<readonly Token[]>;
  readonly state: Signal<AnswerState>;
  readonly stats: Signal<Stats | null>;
  readonly problem: Signal<Problem | null>;
}

let keys = 0;

/** A new message. */
export function message(role: Message["role"], text = "", state: AnswerState = "done"): Message {
  keys += 1;
  return {
    key: keys,
    role,
    text: signal(text),
    tokens: signal([]),
    state: signal(state),
    stats: signal(null),
    problem: signal(null),
  };
}

/** Whether the tokens that are known make up the whole text, which is not so after a reload of the page. */
export function tokensComplete({ tokens, text }: Message): boolean {
  if (tokens.value.length === 0) return false;
  // Control tokens and halves of a character have no text of their own, so the known text may only be shorter at its end.
  const known = tokens.value.reduce((sum, token) => sum + token.text.length, 0);
  return known >= text.value.length;
}
