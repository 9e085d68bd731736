// A strategy of each group in headless Chromium, with the engine in a worker: search with a scorer of the page's, contrast, a cascade
// that asks the page, and what a sampler chain makes of a distribution.
import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { after, before, test } from "node:test";
import { launch } from "../../tests/browser/chromium.js";
import { hindrance, servePage, visit } from "./page.mjs";

if (hindrance !== undefined) {
  console.log(`skip: strategies in a browser: ${hindrance}`);
  process.exit(0);
}

const tiny = fileURLToPath(new URL("../../tests/golden/tiny/llama.gguf", import.meta.url));
let browser, server;
before(async () => {
  [browser, server] = await Promise.all([launch(), servePage({ "tiny.gguf": tiny })]);
});
after(async () => {
  await browser?.close();
  await server?.close();
});

/** Runs requests one after another on one engine of the page; the scorer and the remote are functions of the page. */
async function answers(requests) {
  const { page, profile, faults } = await visit(browser, server);
  const told = await page.evaluate(async (requests) => {
    const engine = await window.goldcrest.Goldcrest.load("/tiny.gguf", { backend: "cpu", cache: "memory", contextLength: 512 });
    const seen = [];
    const hooks = { scorer: ({ text }) => seen.push(text), remote: async () => "Hello world" };
    const base = { prompt: "Hello world", max_tokens: 8, temperature: 0, ignore_eos: true, return_token_ids: true };
    const told = [];
    for (const { hook, ...request } of requests) {
      const made = await engine.completions.create({ ...base, ...request, ...(hook && { [hook]: hooks[hook] }) });
      told.push({ ids: made.choices[0].token_ids, text: made.choices[0].text, strategy: made.strategy });
    }
    const trace = await engine.trace("Hello world", { chain: "top_k(5) | temp(0.5) | greedy" });
    await engine.dispose();
    return { told, seen, trace, worker: engine.info.worker };
  }, requests);
  assert.deepEqual(faults, []);
  await profile.close();
  return told;
}

test("search, contrast, cascade and chain in a worker", async () => {
  const { told, seen, trace, worker } = await answers([
    {},
    { strategy: "beam:beams=1" },
    { strategy: { name: "context_aware", alpha: 0 }, references: ["Hello"] },
    { strategy: { name: "context_aware", alpha: 3 }, references: ["Hello"] },
    { strategy: "best_of_n:n=3", temperature: 1, seed: 1, hook: "scorer" },
    { strategy: "remote_cascade:by=entropy,threshold=0,probe=2", hook: "remote" },
  ]);
  const [plain, beam, neutral, contrast, best, remote] = told;
  assert.equal(worker, true);
  assert.deepEqual([beam.ids, neutral.ids], [plain.ids, plain.ids]);
  assert.notDeepEqual(contrast.ids, plain.ids);
  // The scorer counts up, so that the last text it saw is the best.
  assert.deepEqual([seen.length, best.text], [3, seen[2]]);
  assert.deepEqual([remote.text, remote.strategy.remote], ["Hello world", true]);
  assert.deepEqual(trace.stages.slice(0, 2).map(({ nCandidates }) => nCandidates), [384, 5]);
  assert.equal(trace.choice.id, plain.ids[0]);
});
