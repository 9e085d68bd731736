import type { ProgressPhase } from "goldcrest";
import type { VNode } from "preact";
import { Icon } from "../components/Icon.js";
import { bytes, duration } from "../format.js";
import { leave, load, loading, pause, type PhaseState, type Stage } from "../state/model.js";

const PHASES: readonly { readonly phase: ProgressPhase; readonly label: string }[] = [
  { phase: "download", label: "Download" },
  { phase: "verify", label: "Check every byte" },
  { phase: "upload", label: "Move to the graphics card" },
  { phase: "compile", label: "Prepare the kernels" },
];

/** A model on its way: the phases, which overlap, and the buttons to interrupt it. */
export function LoadingCard({ stage }: { readonly stage: Extract<Stage, { at: "loading" | "paused" }> }): VNode {
  const paused = stage.at === "paused";
  const { phases, bytesPerSecond } = loading.value;
  const fetch = paused ? { loaded: stage.loaded, total: stage.total } : phases.download;
  const fetching = fetch !== undefined && fetch.loaded < fetch.total;
  return (
    <section class="plan loading" aria-labelledby="loading-title">
      <header>
        <div>
          <h2 id="loading-title">
            {paused ? "Paused" : "Waking up"} {stage.choice.title}
          </h2>
          <p class="quiet" role="status">
            {paused ? "What has arrived is kept on this device." : sentence(fetch, fetching, bytesPerSecond)}
          </p>
        </div>
      </header>
      <ol class="phases">
        {PHASES.map(({ phase, label }) => (
          <Phase key={phase} label={label} state={phase === "download" ? fetch : phases[phase]} unit={phase === "compile" ? "count" : "bytes"} />
        ))}
      </ol>
      <footer>
        {paused ? (
          <button type="button" class="button primary" autofocus onClick={() => void load(stage.choice)}>
            <Icon name="play" /> Resume
          </button>
        ) : (
          fetching && (
            <button type="button" class="button" onClick={pause}>
              <Icon name="pause" /> Pause
            </button>
          )
        )}
        <button type="button" class="button" onClick={leave}>
          Cancel
        </button>
      </footer>
    </section>
  );
}

function sentence(state: PhaseState | undefined, fetching: boolean, speed: number | null): string {
  if (!state) return "Starting…";
  if (!fetching) return "Nearly there…";
  if (speed === null || speed <= 0) return `${bytes(state.loaded)} of ${bytes(state.total)}`;
  const left = duration((state.total - state.loaded) / speed);
  return `${bytes(state.loaded)} of ${bytes(state.total)} · ${bytes(speed)}/s · ${left} left`;
}

function Phase(props: { readonly label: string; readonly state: PhaseState | undefined; readonly unit: "bytes" | "count" }): VNode {
  const { loaded = 0, total = 0 } = props.state ?? {};
  const done = total > 0 && loaded >= total;
  const say = (value: number): string => (props.unit === "bytes" ? bytes(value) : String(value));
  return (
    <li class={done ? "done" : props.state ? "active" : "waiting"}>
      <span>
        {done && <Icon name="check" size={14} />}
        {props.label}
      </span>
      <small>{total > 0 ? (done ? say(total) : `${say(loaded)} of ${say(total)}`) : "waiting"}</small>
      <progress max={total || 1} value={loaded} aria-label={props.label} />
    </li>
  );
}
