// A strategy of each group in headless Chromium, with the engine in a worker: search with a scorer of the page's, contrast, cascades,
// what a sampler chain makes of a distribution, and drafters.
import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { after, before, test } from "node:test";
import { launch } from "../../tests/browser/chromium.js";
import { hindrance, servePage, visit } from "./page.mjs";

if (hindrance !== undefined) {
  console.log(`skip: strategies in a browser: ${hindrance}`);
  process.exit(0);
}

const tiny = (name) => fileURLToPath(new URL(`../../tests/golden/tiny/${name}.gguf`, import.meta.url));
let browser, server;
before(async () => {
  [browser, server] = await Promise.all([launch(), servePage({ "tiny.gguf": tiny("llama"), "other.gguf": tiny("llama3_rope"), "stranger.gguf": tiny("gemma3") })]);
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

test("each group of methods answers in a worker on WebGPU", async () => {
  const { page, profile, faults } = await visit(browser, server);
  const told = await page.evaluate(async () => {
    const { Goldcrest } = window.goldcrest;
    const engine = await Goldcrest.load("/tiny.gguf", { backend: "webgpu", cache: "memory", contextLength: 512, deterministic: true });
    const base = { prompt: "Hello world", max_tokens: 8, temperature: 0, ignore_eos: true, return_token_ids: true };
    const ids = async (more) => (await engine.completions.create({ ...base, ...more })).choices[0].token_ids;
    const told = { plain: await ids({}), backend: engine.info.backend };
    const drawn = { temperature: 1.2, seed: 3, top_k: 0, top_p: 1, min_p: 0 };
    told.samplers = {};
    for (const [name, more] of Object.entries({
      free: {}, again: {}, top_h: { top_h: 0.3 }, mirostat: { mirostat: 2, mirostat_tau: 2 }, typical: { typical_p: 0.3 }, top_n_sigma: { top_n_sigma: 0.5 },
      one: { top_k: 1 }, dry: { dry_multiplier: 0.8 }, dynamic: { dynatemp_range: 0.5 },
    })) told.samplers[name] = await ids({ ...drawn, ...more });
    told.strategies = {};
    for (const strategy of [
      "contrastive_search:alpha=0", "contrastive_search", "momentum", "beam:beams=3", "diverse_beam", "adadec", "first_finish", "dola", "prompt_amplification",
      "self_consistency:n=2",
    ]) told.strategies[strategy] = await ids({ strategy, references: ["Hello"] });
    told.form = (await engine.completions.create({ ...base, max_tokens: 30, ignore_eos: false, response_format: { type: "regex", pattern: "[0-9]{2}-[a-c]" } })).choices[0].text;
    told.score = await engine.score({ prompt: "Hello", continuations: [" world", " moon"] });
    told.label = await engine.classify({ prompt: "{} is", inputs: ["Hello"], labels: [" good", " bad"], calibrate: "cc" });
    const recorded = { ...base, ...drawn, record: true };
    const [first, second] = [await engine.completions.create(recorded), await engine.completions.create(recorded)];
    told.records = [first.record, second.record].map(({ body }) => body);
    told.ids = first.choices[0].token_ids;
    await engine.dispose();
    return told;
  });
  assert.equal(told.backend, "webgpu");
  const { free, again, one, ...other } = told.samplers;
  assert.deepEqual([again, one], [free, told.plain]);
  for (const [name, ids] of Object.entries(other)) assert.equal(ids.length, 8, name);
  for (const name of ["top_h", "mirostat", "typical", "top_n_sigma"]) assert.notDeepEqual(other[name], free, name);
  const { "contrastive_search:alpha=0": neutral, ...strategies } = told.strategies;
  assert.deepEqual(neutral, told.plain);
  for (const [name, ids] of Object.entries(strategies)) assert.equal(ids.length, 8, name);
  assert.match(told.form, /^[0-9]{2}-[a-c]$/);
  assert.deepEqual(told.score.map(({ tokens, logprobs }) => tokens.length > 0 && tokens.length === logprobs.length), [true, true]);
  assert.ok([" good", " bad"].includes(told.label[0].label));
  assert.deepEqual(told.records[0], told.records[1]);
  assert.deepEqual([told.records[0].tokens, told.records[0].model.file, told.records[0].settings.deterministic], [told.ids, "tiny.gguf", true]);
  assert.deepEqual(faults, []);
  await profile.close();
});

test("drafters and a second model in a worker, on the CPU and on WebGPU", async () => {
  const { page, profile, faults } = await visit(browser, server);
  for (const backend of ["cpu", "webgpu"]) {
    const { plain, told, mismatch, other } = await page.evaluate(async (backend) => {
      const engine = await window.goldcrest.Goldcrest.load("/tiny.gguf", { backend, cache: "memory", contextLength: 512, other: "/other.gguf" });
      const base = { prompt: "one two three one two three one two", max_tokens: 16, temperature: 0, ignore_eos: true, return_token_ids: true };
      const make = async (more) => {
        const { choices, usage, strategy } = await engine.completions.create({ ...base, ...more });
        return { ids: choices[0].token_ids, usage, strategy };
      };
      const plain = await make({});
      const told = {};
      for (const name of ["copyspec", "recycling", "draft", "dyspec", "auto"]) told[name] = await make({ speculate: { name, plan: false } });
      told.contrast = await make({ strategy: "contrastive_decoding" });
      told.layers = await make({ strategy: "lower_layer" });
      told.cascade = await make({ strategy: "entropy_adaptive" });
      const other = engine.info.other.model.name;
      const mismatch = await engine.loadOther("/stranger.gguf").catch(({ code, message }) => ({ code, message }));
      await engine.dispose();
      return { plain, told, mismatch, other };
    }, backend);
    const { contrast, layers, cascade, ...guessed } = told;
    for (const [name, { ids, usage }] of Object.entries(guessed)) {
      assert.deepEqual(ids, plain.ids, `${backend} ${name}`);
      assert.deepEqual([usage.speculation.drafter, usage.speculation.steps > 0], [name, true]);
    }
    assert.notDeepEqual(contrast.ids, plain.ids);
    assert.deepEqual([cascade.ids.length, layers.ids.length], [16, 16]);
    assert.equal(other, "tiny random llama");
    assert.equal(mismatch.code, "E_VOCABULARY_MISMATCH");
    assert.match(mismatch.message, /^tiny random gemma3 beside tiny random llama: /);
  }
  assert.deepEqual(faults, []);
  await profile.close();
});
