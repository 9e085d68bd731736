import type { ModelPlan } from "goldcrest";
import type { VNode } from "preact";
import { Icon } from "../components/Icon.js";
import { MemoryBar } from "../components/MemoryBar.js";
import type { Choice } from "../engine/catalogue.js";
import { verdict } from "../engine/verdict.js";
import { bytes, count, parameters } from "../format.js";
import { choose, leave, load } from "../state/model.js";
import { change, settings } from "../state/settings.js";

/** What a model would need, before a byte of its weights is fetched. */
export function PlanCard({ choice, plan }: { readonly choice: Choice; readonly plan: ModelPlan }): VNode {
  const { model, memory, download } = plan;
  const says = verdict(plan, (navigator as { deviceMemory?: number }).deviceMemory);
  const start = download.remaining > 0 ? `Download ${bytes(download.remaining)} and start` : "Start";
  return (
    <section class="plan" aria-labelledby="plan-title">
      <header>
        <div>
          <h2 id="plan-title">{choice.title}</h2>
          <p class="quiet">
            {parameters(model.nParams)} parameters · {model.arch} · {model.fileType} · {bytes(plan.fileBytes)}
            {choice.host ? ` from ${choice.host}` : " from your disk"}
          </p>
        </div>
        <button type="button" class="ghost" aria-label="Back to the models" onClick={leave}>
          <Icon name="close" />
        </button>
      </header>
      <MemoryBar memory={memory} />
      <label class="context">
        <span>Context length</span>
        <select
          value={settings.value.contextLength ?? ""}
          onChange={(event) => {
            const value = event.currentTarget.value;
            change({ contextLength: value === "" ? null : Number(value) });
            void choose(choice);
          }}
        >
          <option value="">automatic</option>
          {lengths(model.nCtxTrain, settings.value.contextLength).map((length) => (
            <option key={length} value={length}>
              {count(length)} tokens
            </option>
          ))}
        </select>
      </label>
      <p class={`verdict ${says.level}`}>
        <Icon name={says.level === "good" ? "check" : "warn"} />
        <span>
          <strong>{says.title}.</strong> {says.because}
        </span>
      </p>
      {!model.chatTemplate && (
        <p class="quiet">This is a base model: it was not taught to answer. Begin a text, and it goes on with it.</p>
      )}
      <footer>
        <button type="button" class="button primary" autofocus onClick={() => void load(choice)}>
          <Icon name={download.remaining > 0 ? "download" : "play"} /> {start}
        </button>
        <button type="button" class="button" onClick={leave}>
          Another model
        </button>
      </footer>
    </section>
  );
}

/** Powers of two up to what the model was trained for, and whatever is set. */
function lengths(trained: number, set: number | null): number[] {
  const usual = [512, 1024, 2048, 4096, 8192, 16_384, 32_768].filter((length) => length < trained);
  return [...new Set([...usual, trained, ...(set === null ? [] : [set])])].sort((a, b) => a - b);
}
