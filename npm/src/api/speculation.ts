import type { SpeculationUsage, StrategyReport } from "./types.js";

/** What guessing came to over the answers of a request; nothing where none was guessed at. */
export function sumSpeculation(reports: readonly (StrategyReport | undefined)[]): SpeculationUsage | undefined {
  const all = reports.map((report) => report?.["speculation"] as SpeculationUsage | undefined).filter((one) => one !== undefined);
  const [first] = all;
  if (first === undefined) return undefined;
  const sum = (of: (one: SpeculationUsage) => number): number => all.reduce((total, one) => total + of(one), 0);
  const steps = sum((one) => one.steps);
  const longest = Math.max(...all.map((one) => one.accepted_histogram.length));
  return {
    drafter: first.drafter,
    steps,
    tau: steps > 0 ? sum((one) => one.tau * one.steps) / steps : 0,
    accepted_histogram: Array.from({ length: longest }, (_, at) => sum((one) => one.accepted_histogram[at] ?? 0)),
    draft_ms: sum((one) => one.draft_ms),
    verify_ms: sum((one) => one.verify_ms),
    ...(first.lossy === undefined ? {} : { lossy: { rule: first.lossy.rule, taken: sum((one) => one.lossy?.taken ?? 0) } }),
  };
}
