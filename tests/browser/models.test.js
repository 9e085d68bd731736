// Real models in headless Chromium: the reference's greedy tokens, and what the wasm's memory grows to.
// GOLDCREST_MODELS names the folder with the models. GOLDCREST_FULL=1 runs more prompts.

import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";

import { executablePath, launch, open } from "./chromium.js";
import { partsFrom } from "./page/golden.js";
import { mounts, root, serve } from "./server.js";

const folder = process.env.GOLDCREST_MODELS;
const full = process.env.GOLDCREST_FULL === "1";

if (executablePath === undefined || folder === undefined) {
  console.log("skip: real models in a browser: install Chromium, name the models' folder in GOLDCREST_MODELS");
  process.exit(0);
}

/** What loading and running may add to the wasm's memory: weights pass through in pieces. */
const MAX_GROWTH = 64 << 20;
/** Real schemas: of the repository, or beside it. */
const SCHEMAS = ["tests/golden/public", "../shared/golden/public"].map((folder) => join(root, folder, "jsonschemabench_60.jsonl")).find(existsSync);
/** A model, its references, prompts and tokens of a short run. */
const MODELS = [
  { file: "smollm2-135m.gguf", golden: "smollm2_logits_greedy.json", prompts: 2, tokens: 16 },
  { file: "gemma3-270m.gguf", golden: "gemma3_logits_greedy.json", prompts: 1, tokens: 8 },
];

let browser, server;

before(async () => {
  server = await serve({ folders: { ...mounts, "/models/": folder } });
  browser = await launch();
});

after(async () => {
  await browser?.close();
  await server?.close();
});

for (const { file, golden, prompts, tokens } of MODELS) {
  if (!existsSync(join(folder, file))) {
    console.log(`skip: ${file} in a browser: it is not in GOLDCREST_MODELS`);
    continue;
  }
  test(`${file} from ranges`, async () => {
    const { cases } = JSON.parse(readFileSync(join(root, "tests/golden/public", golden), "utf8"));
    const asked = cases.filter(({ kind }) => full || kind === "raw").slice(0, full ? cases.length : prompts);
    const { faults, page, profile } = await open(browser, `${server.url}page/empty.html`);
    const loaded = await page.evaluate(async (path) => {
      const { memory, memoryAtStart, ranged } = await import("/page/border.js");
      const begun = performance.now();
      const { engine, peak, reads } = await ranged(path);
      globalThis.engine = engine;
      const seconds = (performance.now() - begun) / 1e3;
      return { seconds, reads, peak: peak - memoryAtStart, now: memory.buffer.byteLength - memoryAtStart };
    }, `/models/${file}`);
    const mib = (bytes) => `${(bytes / 2 ** 20).toFixed(1)} MiB`;
    console.log(`${file}: loaded in ${loaded.seconds.toFixed(1)} s by ${loaded.reads} reads, peak ${mib(loaded.peak)}`);
    for (const { ids, greedy } of asked) {
      const n = full ? greedy.ids.length : Math.min(tokens, greedy.ids.length);
      const reference = { ids: greedy.ids.slice(0, n), gaps: greedy.steps.slice(0, n).map((step) => step.gap) };
      const { stats, grown } = await page.evaluate(
        async ([ids, n]) => {
          const { generate, memory, memoryAtStart } = await import("/page/border.js");
          const ask = { prompt: { tokens: ids }, temperature: 0, max_tokens: n };
          const { stats } = await generate(globalThis.engine, ask);
          return { stats, grown: memory.buffer.byteLength - memoryAtStart };
        },
        [ids, n],
      );
      const rate = (1e3 * stats.decode_tokens) / stats.decode_ms;
      console.log(`${file}: ${rate.toFixed(1)} tokens/s, prompt of ${ids.length} in ${stats.prefill_ms.toFixed(0)} ms, ${mib(grown)}`);
      assert.equal(partsFrom(reference, stats.tokens), undefined);
      assert.ok(grown < MAX_GROWTH, mib(grown));
    }
    assert.ok(loaded.peak < MAX_GROWTH, mib(loaded.peak));
    assert.deepEqual(faults, []);
    await profile.close();
  });
}

if (SCHEMAS === undefined || !existsSync(join(folder, "smollm2-135m.gguf"))) {
  console.log("skip: times of masks: they need jsonschemabench_60.jsonl and smollm2-135m.gguf");
} else {
  test("masks over the vocabulary of SmolLM2", async () => {
    const schemas = readFileSync(SCHEMAS, "utf8").trim().split("\n").map((line) => JSON.parse(line).schema);
    const { faults, page, profile } = await open(browser, `${server.url}page/empty.html`);
    const { ready, times, compiled, refused } = await page.evaluate(async (schemas) => {
      const { maskTimes, ranged } = await import("/page/border.js");
      const { engine } = await ranged("/models/smollm2-135m.gguf", { backend: "cpu", context_length: 64 });
      return maskTimes(engine, schemas);
    }, schemas);
    const at = (part) => `${times[Math.min(times.length - 1, Math.floor(times.length * part))].toFixed(2)} ms`;
    console.log(`vocabulary prepared in ${ready.toFixed(0)} ms; ${compiled} of ${schemas.length} schemas compiled`);
    console.log(`${times.length} masks: p50 ${at(0.5)}, p99 ${at(0.99)}, most ${at(1)}`);
    assert.equal(compiled + refused.length, schemas.length);
    for (const { code, keyword, path } of refused) {
      assert.match(code, /^E_(SCHEMA|GRAMMAR)_/);
      if (code === "E_SCHEMA_UNSUPPORTED") assert.ok(keyword.length > 0 && path.startsWith("#"), path);
    }
    // A count: how long they take is for people to read, since machines differ.
    assert.ok(times.length > 1000, `${times.length} masks`);
    assert.deepEqual(faults, []);
    await profile.close();
  });
}
