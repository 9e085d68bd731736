// The engine's two builds beside each other in Node, on the CPU: the golden paths, every weight type, rows alone and beside others.

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { test } from "node:test";
import v8 from "node:v8";

import { MODELS, QUANT_TOLERANCE, TYPES, behindExpected, bytesSource, generate, greedy, partsFrom } from "./page/golden.js";

// Node has relaxed vectors by itself since 21.
v8.setFlagsFromString("--experimental-wasm-relaxed-simd");

/**
 * How far apart log-probabilities of the two builds may be. The plain build differs by 2.4e-3 from itself where it has two forms, of
 * one row and of several; one digit instead of three makes 0.4.
 */
const APART = 5e-3;
/** Types whose products stay what they are in the plain build: eight bits, books of sixteen values, floats. */
const AS_BEFORE = new Set(["BF16", "Q8_0", "IQ4_NL", "IQ4_XS"]);

const root = new URL("../../", import.meta.url);
const file = (name) => new URL(`npm/src/wasm/${name}`, root);
const reference = async (name) => JSON.parse(await readFile(new URL(`tests/golden/tiny/${name}.json`, root), "utf8"));

async function build(name) {
  const border = await import(file(`${name}.js`));
  await border.default({ module_or_path: await readFile(file(`${name}_bg.wasm`)) });
  return async (model, options = {}) => {
    const source = bytesSource(await readFile(new URL(`tests/golden/tiny/${model}.gguf`, root)));
    return border.Engine.load(source, JSON.stringify({ backend: "cpu", ...options }), () => {}, { aborted: false });
  };
}

const plain = await build("goldcrest_wasm");
const relaxed = await build("goldcrest_relaxed");

/** Log-probabilities behind a prompt, by token. */
async function logprobs(engine, tokens) {
  const { events } = await generate(engine, { prompt: { tokens }, temperature: 0, max_tokens: 1, ignore_eos: true, logprobs: 256 });
  const { top } = events.find((event) => event.type === "token");
  engine.free();
  return new Map(top.map(({ id, logprob }) => [id, logprob]));
}

test("each build says what it is", async () => {
  for (const [open, name] of [[plain, "CPU (SIMD128)"], [relaxed, "CPU (relaxed SIMD)"]]) {
    const engine = await open("llama");
    assert.equal(JSON.parse(engine.info()).adapter.name, name);
    engine.free();
  }
});

for (const name of MODELS) {
  test(`${name}: both builds give the reference's greedy tokens`, async () => {
    const { greedy: expected } = await reference(name);
    for (const open of [plain, relaxed]) {
      const engine = await open(name);
      assert.equal(partsFrom(expected, await greedy(engine, expected)), undefined);
      engine.free();
    }
  });
}

for (const type of TYPES) {
  test(`${type}: the builds agree, and a row is the same alone and beside others`, async () => {
    const { ids, types } = await reference("quants");
    const engine = await relaxed(`q_${type}`);
    const behind = await behindExpected(engine, ids, types[type].argmax_every_position.at(-1));
    assert.ok(behind < 2 * QUANT_TOLERANCE, `${behind}`);
    engine.free();
    const [before, together, alone] = [
      await logprobs(await plain(`q_${type}`), ids),
      await logprobs(await relaxed(`q_${type}`), ids),
      await logprobs(await relaxed(`q_${type}`, { max_chunk: 1 }), ids),
    ];
    const common = [...together].filter(([id]) => before.has(id));
    assert.ok(common.length > 200, `${common.length}`);
    const apart = Math.max(...common.map(([id, logprob]) => Math.abs(logprob - before.get(id))));
    assert.ok(apart < APART, `${apart}`);
    if (!AS_BEFORE.has(type)) assert.deepEqual([...together], [...alone]);
  });
}

test("activations in bytes", async () => {
  const { greedy: expected } = await reference("llama");
  const forced = { forced_kernels: [["activations", "int8"]] };
  const prompt = expected.prompt;
  const found = [];
  for (const more of [{}, { max_chunk: 1 }]) found.push([...(await logprobs(await relaxed("llama", { ...forced, ...more }), prompt))]);
  assert.deepEqual(found[0], found[1]);
  const before = await logprobs(await plain("llama", forced), prompt);
  // Integers are exact in both: only the order in which floats are added differs.
  const apart = Math.max(...found[0].filter(([id]) => before.has(id)).map(([id, logprob]) => Math.abs(logprob - before.get(id))));
  assert.ok(apart < APART, `${apart}`);
});
