import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import type { VNode } from "preact";
import { CopyButton } from "../components/CopyButton.js";
import { ProblemCard } from "../components/ProblemCard.js";
import { Sheet } from "../components/Sheet.js";
import { problem, type Problem } from "../engine/problem.js";
import { rawPrompt } from "../engine/request.js";
import { count } from "../format.js";
import { messages, turns } from "../state/conversation.js";
import { engine } from "../state/model.js";
import { settings } from "../state/settings.js";

interface Prompt {
  readonly text: string;
  readonly tokens: number;
}

/** Names of special tokens, as the common chat templates write them. */
const SPECIAL = /(<\|[^|<>]{1,60}\|>|<(?:s|\/s|bos|eos|start_of_turn|end_of_turn)>|\[\/?INST\])/;

/** What the model really reads: the conversation through the chat template. */
export function PromptPanel(): VNode {
  const prompt = useSignal<Prompt | null>(null);
  const failed = useSignal<Problem | null>(null);
  useEffect(() => {
    void read().then(
      (read) => (prompt.value = read),
      (thrown) => (failed.value = problem(thrown)),
    );
  }, []);
  return (
    <Sheet title="Raw prompt" wide>
      <p class="quiet">This text is what the model reads: the conversation, written down by the model's own template.</p>
      {failed.value && <ProblemCard problem={failed.value} />}
      {prompt.value && (
        <>
          <pre class="raw" tabIndex={0} aria-label="Raw prompt">
            {prompt.value.text.split(SPECIAL).map((part, at) => (at % 2 === 1 ? <mark key={at}>{part}</mark> : part))}
          </pre>
          <footer class="sheet-foot">
            <span class="quiet">
              {count(prompt.value.tokens)} of {count(engine()?.info.contextLength ?? 0)} tokens
            </span>
            <CopyButton wide text={() => prompt.value?.text ?? ""} label="Copy" />
          </footer>
        </>
      )}
    </Sheet>
  );
}

async function read(): Promise<Prompt> {
  const now = engine();
  if (!now) return { text: "", tokens: 0 };
  const said = turns(messages.value);
  // A finished conversation is shown up to the last question: that is what the last answer was made from.
  const asked = said.at(-1)?.role === "assistant" && now.info.model.chatTemplate ? said.slice(0, -1) : said;
  const text = await rawPrompt(now, asked, settings.value);
  const template = now.info.model.chatTemplate;
  const tokens = await now.tokenize(text, { parseSpecial: template, addSpecial: !template });
  return { text, tokens: tokens.length };
}
