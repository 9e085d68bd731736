import { Goldcrest, GoldcrestError, type Engine, type ModelPlan, type Progress, type ProgressPhase } from "goldcrest";
import { batch, signal } from "@preact/signals";
import { HUB, type Choice } from "../engine/catalogue.js";
import { problem, type Problem } from "../engine/problem.js";
import { Speed } from "../engine/speed.js";
import { refreshCached } from "./cached.js";
import { settings } from "./settings.js";

/** Where the page is between a first look and a running model. */
export type Stage =
  | { readonly at: "choose" }
  | { readonly at: "planning"; readonly choice: Choice }
  | { readonly at: "planned"; readonly choice: Choice; readonly plan: ModelPlan }
  | { readonly at: "loading"; readonly choice: Choice }
  | { readonly at: "paused"; readonly choice: Choice; readonly loaded: number; readonly total: number }
  | { readonly at: "ready"; readonly choice: Choice; readonly engine: Engine };

/** How far one phase of loading is. */
export interface PhaseState {
  readonly loaded: number;
  readonly total: number;
}

/** The phases that have said something, and the speed of the download. */
export interface Loading {
  readonly phases: Readonly<Partial<Record<ProgressPhase, PhaseState>>>;
  readonly bytesPerSecond: number | null;
}

const NOTHING: Loading = { phases: {}, bytesPerSecond: null };

/** The stage. */
export const stage = signal<Stage>({ at: "choose" });
/** What loading has reached. */
export const loading = signal<Loading>(NOTHING);
/** What went wrong while a model was chosen or loaded. */
export const modelProblem = signal<Problem | null>(null);

let running: AbortController | null = null;

/** Reads a model's header and shows what it would need. */
export async function choose(choice: Choice): Promise<void> {
  const { signal: abort } = restart();
  batch(() => {
    stage.value = { at: "planning", choice };
    modelProblem.value = null;
  });
  try {
    const plan = await Goldcrest.plan(choice.source, {
      signal: abort,
      hubUrl: HUB,
      contextLength: settings.value.contextLength ?? undefined,
    });
    if (!abort.aborted) stage.value = { at: "planned", choice, plan };
  } catch (thrown) {
    if (!abort.aborted) failed(thrown);
  }
}

/** Fetches and starts the model that is planned or paused; a running one makes room first. */
export async function load(choice: Choice): Promise<void> {
  const old = stage.value;
  const { signal: abort } = restart();
  batch(() => {
    stage.value = { at: "loading", choice };
    loading.value = NOTHING;
    modelProblem.value = null;
  });
  if (old.at === "ready") await old.engine.dispose();
  const speed = new Speed();
  try {
    const engine = await Goldcrest.load(choice.source, {
      signal: abort,
      hubUrl: HUB,
      backend: settings.value.backend,
      contextLength: settings.value.contextLength ?? undefined,
      onProgress: (progress) => {
        if (!abort.aborted) note(progress, speed);
      },
    });
    if (abort.aborted) await engine.dispose();
    else stage.value = { at: "ready", choice, engine };
  } catch (thrown) {
    if (!abort.aborted) failed(thrown);
  }
  void refreshCached();
}

/** Stops the download and keeps what has arrived. */
export function pause(): void {
  const now = stage.value;
  if (now.at !== "loading") return;
  const { loaded = 0, total = 0 } = loading.value.phases.download ?? {};
  running?.abort();
  stage.value = { at: "paused", choice: now.choice, loaded, total };
  void refreshCached();
}

/** Back to the choice of a model. What has arrived stays until it is deleted under “Models”. */
export function leave(): void {
  running?.abort();
  batch(() => {
    stage.value = { at: "choose" };
    modelProblem.value = null;
  });
  void refreshCached();
}

/** Ends the running model and goes back to the choice. */
export async function unload(): Promise<void> {
  const now = stage.value;
  leave();
  if (now.at === "ready") await now.engine.dispose();
}

/** The engine that answers, if one does. */
export function engine(): Engine | null {
  return stage.value.at === "ready" ? stage.value.engine : null;
}

function restart(): AbortController {
  running?.abort();
  running = new AbortController();
  return running;
}

function note({ phase, loaded, total }: Progress, speed: Speed): void {
  if (phase === "download") speed.add(loaded);
  loading.value = {
    phases: { ...loading.value.phases, [phase]: { loaded, total } },
    bytesPerSecond: speed.bytesPerSecond(),
  };
}

function failed(thrown: unknown): void {
  const now = stage.value;
  const { loaded = 0, total = 0 } = loading.value.phases.download ?? {};
  const resumable = thrown instanceof GoldcrestError && thrown.code === "E_NETWORK" && now.at === "loading" && loaded > 0;
  batch(() => {
    modelProblem.value = problem(thrown);
    stage.value = resumable ? { at: "paused", choice: now.choice, loaded, total } : { at: "choose" };
  });
}
