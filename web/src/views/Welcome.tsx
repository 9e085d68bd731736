import { useSignal } from "@preact/signals";
import type { VNode } from "preact";
import { Icon } from "../components/Icon.js";
import { Logo } from "../components/Logo.js";
import { ProblemCard } from "../components/ProblemCard.js";
import { ownFile } from "../engine/catalogue.js";
import { choose, modelProblem, stage } from "../state/model.js";
import { LoadingCard } from "./LoadingCard.js";
import { ModelCards } from "./ModelCards.js";
import { PlanCard } from "./PlanCard.js";

/** What one sees first: what this is, and which model shall answer. A file may be dropped anywhere on it. */
export function Welcome(): VNode {
  const over = useSignal(false);
  const now = stage.value;
  const choosing = now.at === "choose" || now.at === "planning";
  const drop = (event: DragEvent): void => {
    event.preventDefault();
    over.value = false;
    const file = event.dataTransfer?.files[0];
    if (file) void choose(ownFile(file));
  };
  return (
    <main
      id="main"
      tabIndex={-1}
      class={over.value ? "welcome over" : "welcome"}
      onDragOver={(event) => {
        event.preventDefault();
        over.value = true;
      }}
      onDragLeave={(event) => {
        if (event.target === event.currentTarget) over.value = false;
      }}
      onDrop={drop}
    >
      <section class={choosing ? "hero" : "hero small-hero"}>
        <Logo size={choosing ? 84 : 56} />
        <h1>A language model, in this tab.</h1>
        {choosing && <Promises />}
      </section>
      {modelProblem.value && <ProblemCard problem={modelProblem.value} />}
      {choosing && <ModelCards planning={now.at === "planning" ? now.choice : null} />}
      {now.at === "planned" && <PlanCard choice={now.choice} plan={now.plan} />}
      {(now.at === "loading" || now.at === "paused") && <LoadingCard stage={now} />}
    </main>
  );
}

function Promises(): VNode {
  return (
    <>
      <p>Goldcrest runs small models on your own graphics card, straight from their files. No account, no server, no installation.</p>
      <ul class="promises">
        <li>
          <Icon name="lock" /> What you write never leaves this page
        </li>
        <li>
          <Icon name="download" /> Works offline after the first visit
        </li>
        <li>
          <Icon name="models" /> Any GGUF model, unconverted
        </li>
      </ul>
    </>
  );
}
