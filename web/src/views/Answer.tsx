import type { VNode } from "preact";
import { CopyButton } from "../components/CopyButton.js";
import { Icon } from "../components/Icon.js";
import { ProblemCard } from "../components/ProblemCard.js";
import { Markdown } from "../markdown/Markdown.js";
import { regenerate, resume, writing } from "../state/conversation.js";
import type { Message } from "../state/message.js";
import { tokenView } from "../state/panels.js";
import { StatsLine } from "./StatsLine.js";
import { TokenView } from "./TokenView.js";

const ENDED = { stopped: "Stopped", length: "Reached the longest answer" } as const;

/** What the model wrote, is writing, or could not write. */
export function Answer({ message, last }: { readonly message: Message; readonly last: boolean }): VNode {
  const state = message.state.value;
  const text = message.text.value;
  const now = state === "writing";
  const problem = message.problem.value;
  return (
    <article class={now ? "answer writing" : "answer"} aria-label="Goldcrest" aria-busy={now}>
      {now && text === "" ? <Thinking /> : tokenView.value ? <TokenView message={message} last={last} /> : <Markdown text={text} />}
      {problem && (
        <ProblemCard problem={problem}>
          <button type="button" class="button" disabled={writing.value} onClick={() => void (text === "" ? regenerate(message) : resume(message))}>
            <Icon name="play" /> {text === "" ? "Try again" : "Continue"}
          </button>
        </ProblemCard>
      )}
      <footer class="answer-foot">
        {!now && (
          <div class="actions">
            <CopyButton text={() => text} label="Copy" />
            <button type="button" class="ghost" aria-label="Regenerate" title="Regenerate" disabled={writing.value} onClick={() => regenerate(message)}>
              <Icon name="again" />
            </button>
            {last && !problem && state !== "done" && (
              <button
                type="button"
                class="ghost"
                aria-label="Continue"
                title="Continue this answer"
                disabled={writing.value}
                onClick={() => void resume(message)}
              >
                <Icon name="play" />
              </button>
            )}
          </div>
        )}
        {(state === "stopped" || state === "length") && <small class="ended">{ENDED[state]}</small>}
        <StatsLine stats={message.stats.value} />
      </footer>
    </article>
  );
}

function Thinking(): VNode {
  return (
    <p class="thinking">
      <i />
      <i />
      <i />
      <span class="hidden">Reading your message</span>
    </p>
  );
}
