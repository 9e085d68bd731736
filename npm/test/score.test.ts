import assert from "node:assert/strict";
import test from "node:test";
import type { ClassifyRequest, ScoreRequest } from "../dist/index.js";
import { FURTHER } from "../dist/api/sampling.js";
import { KINDS, loadEngine } from "./load.js";

for (const kind of KINDS) {
  test(`${kind}: scores and labels reach the engine and come back`, async () => {
    const { engine, realm } = await loadEngine(kind);
    const scored = await engine.score({ prompt: "a b", continuations: [" c", " dd"] });
    assert.deepEqual(scored.map(({ logprob }) => logprob), [-2, -3]);
    await engine.score({ prompt: [1, 2], continuations: [" c"] });
    const labelled = await engine.classify({ prompt: "Text: {} Label:", inputs: ["x", "y"], labels: [" a", " b"], calibrate: "cbm" });
    assert.deepEqual(labelled.map(({ input, label }) => [input, label]), [["x", " a"], ["y", " a"]]);
    assert.deepEqual(realm.control.requests, [
      { prompt: { text: "a b", parse_special: false }, continuations: [" c", " dd"] },
      { prompt: { tokens: [1, 2] }, continuations: [" c"] },
      { prompt: "Text: {} Label:", inputs: ["x", "y"], labels: [" a", " b"], calibrate: "cbm" },
    ]);
    await engine.dispose();
  });
}

test("what cannot be scored is refused by name, before anything runs", async () => {
  const { engine, realm } = await loadEngine("local");
  const score = (request: unknown): Promise<unknown> => engine.score(request as ScoreRequest);
  const classify = (request: unknown): Promise<unknown> => engine.classify(request as ClassifyRequest);
  const cases: [Promise<unknown>, string][] = [
    [score({ prompt: "", continuations: ["a"] }), "prompt"],
    [score({ prompt: [-1], continuations: ["a"] }), "prompt"],
    [score({ prompt: "x", continuations: [] }), "continuations"],
    [score({ prompt: "x", continuations: [""] }), "continuations"],
    [classify({ prompt: 5, labels: ["a"] }), "prompt"],
    [classify({ prompt: "x", labels: "a" }), "labels"],
    [classify({ prompt: "x", labels: ["a"], inputs: [5] }), "inputs"],
    [classify({ prompt: "x", labels: ["a"], calibrate: "all" }), "calibrate"],
    [classify({ prompt: "x", labels: ["a"], length: "min" }), "length"],
    [classify({ prompt: "x", labels: ["a"], chat: 1 }), "chat"],
  ];
  for (const [call, parameter] of cases) {
    await assert.rejects(call, (error: { code?: string; details?: { parameter?: string } }) => error.code === "E_INVALID_PARAMETER" && error.details?.parameter === parameter);
  }
  assert.equal(realm.control.requests.length, 0);
});

test("further settings reach the engine under their own names", async () => {
  const { engine, realm } = await loadEngine("local");
  const further = {
    order: "hf", dynatemp_range: 0.5, dynatemp_exponent: 2, typical_p: 0.9, top_n_sigma: 1, top_h: 0.4, top_h_variant: "paper", epsilon_cutoff: 0.001,
    eta_cutoff: 0.002, xtc_probability: 0.5, xtc_threshold: 0.2, penalty_last_n: -1, dry_multiplier: 0.8, dry_base: 1.5, dry_allowed_length: 3,
    dry_last_n: -1, dry_breakers: [[1, 2]], no_repeat_ngram: 3, no_cite_ngram: 6, no_cite_texts: [[1, 2, 3]], mirostat: 2, mirostat_tau: 3,
    mirostat_eta: 0.2, mirostat_surprise: "truncated", adaptive_target: 0.3, adaptive_decay: 0.5,
  } as const;
  assert.deepEqual(Object.keys(further).sort(), [...FURTHER].sort());
  await engine.completions.create({ prompt: "x", max_tokens: 1, ...further });
  const [asked] = realm.control.requests;
  for (const [name, value] of Object.entries(further)) assert.deepEqual(asked?.[name], value, name);
});
