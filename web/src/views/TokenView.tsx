import { useComputed, useSignal } from "@preact/signals";
import { useRef } from "preact/hooks";
import type { VNode } from "preact";
import type { Candidate, Token } from "../engine/stream.js";
import { percent } from "../format.js";
import { branch, writing } from "../state/conversation.js";
import type { Message } from "../state/message.js";

/** Shares of probability from which a token counts as surer; the classes are `sure-0` (a guess) to `sure-4`. */
const STEPS = [0.15, 0.4, 0.7, 0.92] as const;

/** An answer token by token: coloured by how sure the model was, each with what else it might have said. */
export function TokenView({ message, last }: { readonly message: Message; readonly last: boolean }): VNode {
  const chosen = useSignal<number | null>(null);
  const list = useRef<HTMLDivElement>(null);
  const tokens = message.tokens.value;
  const current = useComputed(() => (chosen.value === null ? null : (message.tokens.value[chosen.value] ?? null)));
  if (tokens.length === 0) {
    return (
      <p class="quiet">
        {message.text.value}
        <small class="no-tokens">No probabilities were kept for this answer. Regenerate it to see them.</small>
      </p>
    );
  }
  const focus = (at: number): void => {
    const to = Math.max(0, Math.min(tokens.length - 1, at));
    chosen.value = to;
    list.current?.querySelectorAll<HTMLElement>(".token")[to]?.focus();
  };
  const keys = (event: KeyboardEvent): void => {
    const at = chosen.value ?? 0;
    const to = { ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0, End: tokens.length - 1 }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    focus(to);
  };
  return (
    <div class="token-view">
      <div ref={list} class="tokens" role="listbox" aria-label="Tokens of the answer" aria-orientation="horizontal" onKeyDown={keys}>
        {tokens.map((token, at) => (
          <span
            key={at}
            role="option"
            class={`token sure-${sureness(token)}`}
            tabIndex={at === (chosen.value ?? 0) ? 0 : -1}
            aria-selected={at === chosen.value}
            aria-label={`${spoken(token.text)}, ${percent(Math.exp(token.logprob))}`}
            onFocus={() => (chosen.value = at)}
            onMouseEnter={() => (chosen.value = at)}
            onClick={() => (chosen.value = at)}
          >
            {token.text === "" ? "·" : token.text}
          </span>
        ))}
      </div>
      {(last || current.value) && <Inspector message={message} at={chosen.value} token={current.value} />}
    </div>
  );
}

function Inspector(props: { readonly message: Message; readonly at: number | null; readonly token: Token | null }): VNode {
  const { message, at, token } = props;
  if (at === null || token === null) {
    return (
      <div class="inspector empty">
        <p class="quiet">Point at a token, or step through them with the arrow keys, to see what else it might have been.</p>
        <p class="legend" aria-hidden="true">
          guess {STEPS.map((step, level) => <i key={step} class={`sure-${level}`} />)}
          <i class="sure-4" /> sure
        </p>
      </div>
    );
  }
  const others = token.others.some(({ text }) => text === token.text) ? token.others : [token, ...token.others];
  return (
    <div class="inspector" aria-live="polite">
      <p class="quiet">
        Token {at + 1} of {message.tokens.value.length}
        {others.length > 1 ? " · choose another to go on from there" : ""}
      </p>
      <ol>
        {others.map((other, rank) => (
          <li key={rank}>
            <Alternative
              other={other}
              taken={other.text === token.text}
              take={!writing.value ? () => void branch(message, at, other) : null}
            />
          </li>
        ))}
      </ol>
    </div>
  );
}

function Alternative(props: { readonly other: Candidate; readonly taken: boolean; readonly take: (() => void) | null }): VNode {
  const { other, taken, take } = props;
  const share = Math.exp(other.logprob);
  const choosable = !taken && take !== null;
  const inside = (
    <>
      <span class="hidden">{`${choosable ? "Go on with " : ""}${spoken(other.text)}, `}</span>
      <code aria-hidden="true">{visible(other.text)}</code>
      <meter min={0} max={1} value={share} aria-hidden="true" />
      <span>{percent(share)}</span>
    </>
  );
  if (!choosable) return <div class={taken ? "alternative taken" : "alternative"}>{inside}</div>;
  return (
    <button type="button" class="alternative" onClick={take}>
      {inside}
    </button>
  );
}

function sureness({ logprob }: Token): number {
  const share = Math.exp(logprob);
  return STEPS.filter((step) => share >= step).length;
}

/** A token with its blanks made visible. */
function visible(text: string): string {
  if (text === "") return "(no text)";
  return text.replaceAll(" ", "␣").replaceAll("\n", "⏎").replaceAll("\t", "⇥");
}

/** A token as a voice says it. */
function spoken(text: string): string {
  if (text === "") return "no text";
  const trimmed = text.trim();
  if (trimmed !== "") return trimmed;
  return text.includes("\n") ? "line break" : "space";
}
