import type { Engine } from "goldcrest";
import { useSignal } from "@preact/signals";
import type { VNode } from "preact";
import { ProblemCard } from "../components/ProblemCard.js";
import { OFFERS } from "../engine/catalogue.js";
import { problem, type Problem } from "../engine/problem.js";
import { bytes } from "../format.js";

/** The model beside the one that answers: it guesses, is an amateur, or does the easy part. */
export function SecondModel({ engine, busy }: { readonly engine: Engine; readonly busy: boolean }): VNode {
  const name = useSignal(OFFERS[0]?.name ?? "");
  const there = useSignal(engine.info.other);
  const part = useSignal<number | null>(null);
  const failed = useSignal<Problem | null>(null);
  const load = async (): Promise<void> => {
    failed.value = null;
    part.value = 0;
    try {
      await engine.loadOther(name.value, {
        onProgress: ({ phase, loaded, total }) => {
          if (phase === "upload" && total > 0) part.value = loaded / total;
        },
      });
    } catch (thrown) {
      failed.value = problem(thrown);
    }
    part.value = null;
    there.value = engine.info.other;
  };
  return (
    <div class="field">
      <label for="second">Second model</label>
      <div class="presets">
        <select id="second" value={name.value} aria-describedby="second-about" onChange={(event) => (name.value = event.currentTarget.value)}>
          {OFFERS.map((offer) => (
            <option key={offer.name} value={offer.name}>
              {offer.title}, {bytes(offer.bytes)}
            </option>
          ))}
        </select>
        <button type="button" class="button" disabled={busy || part.value !== null} onClick={() => void load()}>
          {part.value === null ? "Load it beside" : `Loading, ${Math.round(100 * part.value)} %`}
        </button>
      </div>
      <p id="second-about">
        {there.value
          ? `${there.value.model.name} is there, ${bytes(there.value.memory.total)}.`
          : "For methods of two models, which must have the same tokenizer. The model itself will do: as a draft it is always right."}
      </p>
      {failed.value && <ProblemCard problem={failed.value} />}
    </div>
  );
}
