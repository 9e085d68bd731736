import assert from "node:assert/strict";
import type { Core } from "../dist/core/core.js";
import { EngineHost } from "../dist/core/host.js";
import { LocalCore } from "../dist/core/local.js";
import type { EngineOptions } from "../dist/core/messages.js";
import { makeEngine, type Engine } from "../dist/engine.js";
import { readLoadOptions } from "../dist/options.js";
import { resolveSource } from "../dist/source/resolve.js";
import type { LoadOptions, ModelSource, Progress } from "../dist/types.js";
import { portCore, testRealm, type TestRealm } from "./realm.js";

/** Both ways to run an engine: in this realm, and across a message port. */
export const KINDS = ["local", "worker"] as const;
export type Kind = (typeof KINDS)[number];

/** A model of 5000 bytes that begins as one. */
export const MODEL = new Uint8Array(5000).map((_, index) => (index < 4 ? "GGUF".charCodeAt(index) : (index * 7) % 251));

export interface Loaded {
  readonly engine: Engine;
  readonly realm: TestRealm;
  readonly progress: Progress[];
}

/** An engine over the fake wasm module. */
export async function loadEngine(
  kind: Kind,
  { source = MODEL, realm = testRealm(), options = {} }: { source?: ModelSource; realm?: TestRealm; options?: LoadOptions } = {},
): Promise<Loaded> {
  const progress: Progress[] = [];
  const makeCore = (): Core => (kind === "local" ? new LocalCore(realm) : portCore(realm).core);
  const checked: EngineOptions = readLoadOptions(options);
  const ref = await resolveSource(source, { signal: options.signal });
  const host = await EngineHost.load({ makeCore, ref, options: checked }, options.signal, (report) => progress.push(report));
  const planner = (): Promise<never> => Promise.reject(new Error("no planner"));
  return { engine: makeEngine(host, planner, kind === "worker"), realm, progress };
}

/** Waits a little. */
export function rest(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** Settles as `promise` does, and fails if that takes more than 100 ms; a machine that stands still meanwhile is not held against it. */
export async function soon<T>(promise: Promise<T>): Promise<T> {
  const begun = performance.now();
  let stalled = 0;
  let tick = begun;
  const timer = setInterval(() => {
    stalled += Math.max(0, performance.now() - tick - 5);
    tick = performance.now();
  }, 1);
  try {
    return await promise;
  } finally {
    clearInterval(timer);
    const took = performance.now() - begun - stalled - Math.max(0, performance.now() - tick - 5);
    assert.ok(took < 100, `it took ${took} ms`);
  }
}
