import type { Engine, Trace } from "goldcrest";
import { useSignal, type Signal } from "@preact/signals";
import type { VNode } from "preact";
import { Bars, shown } from "../components/Bars.js";
import { Icon } from "../components/Icon.js";
import { ProblemCard } from "../components/ProblemCard.js";
import { traceOf } from "../engine/method.js";
import { problem, type Problem } from "../engine/problem.js";
import { count } from "../format.js";

/** The distribution of the token behind a prompt, before and after each stage of a sampler. */
export function Stages(props: { readonly engine: Engine; readonly prompt: string; readonly chain: Signal<string>; readonly busy: boolean }): VNode {
  const { chain } = props;
  const trace = useSignal<Trace | null>(null);
  const failed = useSignal<Problem | null>(null);
  const look = async (): Promise<void> => {
    failed.value = null;
    try {
      trace.value = await traceOf(props.engine, props.prompt, chain.value);
    } catch (thrown) {
      trace.value = null;
      failed.value = problem(thrown);
    }
  };
  return (
    <section class="stages" aria-live="polite">
      <h3>The sampler, stage by stage</h3>
      <div class="field">
        <label for="chain">Stages</label>
        <input id="chain" type="text" value={chain.value} onInput={(event) => (chain.value = event.currentTarget.value)} />
        <p>
          Parted by |: top_k, top_p, min_p, top_h, typical, temp, penalties and more; at the end draw or greedy. The distribution is that
          of the first token behind the prompt.
        </p>
      </div>
      <button type="button" class="button" disabled={props.busy} onClick={() => void look()}>
        <Icon name="tokens" /> Draw the distributions
      </button>
      {failed.value && <ProblemCard problem={failed.value} />}
      {trace.value && (
        <>
          <ol class="stage-list">
            {trace.value.stages.map((stage, at) => (
              <li key={at}>
                <h4>
                  {stage.stage === "input" ? "The model" : stage.stage} <small>{count(stage.nCandidates)} candidates</small>
                </h4>
                <Bars top={stage.top} />
              </li>
            ))}
          </ol>
          <p>
            Chosen: <mark>{shown(trace.value.choice.text)}</mark>
          </p>
        </>
      )}
    </section>
  );
}
