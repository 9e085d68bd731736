import type { Engine } from "goldcrest";
import type { VNode } from "preact";
import { Logo } from "../components/Logo.js";
import { bytes, count } from "../format.js";
import { send } from "../state/conversation.js";

const ASK = [
  { title: "Explain", text: "Why is the sky blue? Explain it to a child." },
  { title: "Write", text: "Write a short poem about a very small bird in a very large forest." },
  { title: "Plan", text: "Plan a quiet weekend without a phone. Use a list." },
  { title: "Learn", text: "Teach me three facts about honeybees." },
];

const BEGIN = [
  { title: "A tale", text: "Once upon a time, in the crown of the tallest spruce, there lived" },
  { title: "A recipe", text: "The secret of a good tomato soup is" },
  { title: "Science", text: "The sky is blue because" },
  { title: "Deutsch", text: "Der kleinste Vogel Europas wiegt nur" },
];

/** The empty conversation: an invitation. */
export function Suggestions({ engine }: { readonly engine: Engine }): VNode {
  const { model, memory, contextLength, backend } = engine.info;
  const chats = model.chatTemplate;
  return (
    <section class="suggestions">
      <Logo size={64} />
      <h1>{chats ? "Ask me something small." : "Begin a text, I go on."}</h1>
      <p class="quiet">
        {backend === "webgpu" ? "On your graphics card" : "On your processor"} · {bytes(memory.total)} of memory · {count(contextLength)} tokens
        of context
      </p>
      <ul>
        {(chats ? ASK : BEGIN).map(({ title, text }) => (
          <li key={title}>
            <button type="button" class="card" onClick={() => send(text)}>
              <strong>{title}</strong>
              <span class="card-text">{text}</span>
            </button>
          </li>
        ))}
      </ul>
      <p class="quiet small">
        Small models write well and know little: check what they claim. Everything stays on this device.
      </p>
    </section>
  );
}
