import type { GoldcrestError } from "../errors.js";
import { subgroupsAsked } from "../gpu/subgroups.js";
import type { EngineOptions } from "./messages.js";

/** On what a load is tried, and what is to be said of the tries before. */
export interface Attempt {
  readonly backend: EngineOptions["backend"];
  readonly subgroups: boolean;
  readonly notes: readonly string[];
}

/** A device that cannot be had, and one that computes wrongly in every form of the kernels. */
const UNFIT: ReadonlySet<string> = new Set(["E_DEVICE_REFUSED", "E_WRONG_RESULTS"]);

/**
 * What to try after `error`: the same adapter without subgroups where it was asked for them, then the CPU. Nothing when the
 * caller named the backend, or when something else went wrong.
 */
export function nextAttempt(attempt: Attempt, error: GoldcrestError): Attempt | undefined {
  if (attempt.backend !== "auto" || !UNFIT.has(error.code)) return undefined;
  const noted = (what: string): readonly string[] => [...attempt.notes, `${what}: ${error.message}`];
  if (attempt.subgroups && subgroupsAsked()) return { ...attempt, subgroups: false, notes: noted("without subgroups") };
  return { backend: "cpu", subgroups: false, notes: noted("the CPU computes") };
}
