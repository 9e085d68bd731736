// The wasm in headless Chromium, on WebGPU: the golden paths, the shaders, loss and recovery, under a strict policy.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";

import { executablePath, launch, open } from "./chromium.js";
import { MODELS, QUANT_TOLERANCE, TYPES, partsFrom } from "./page/golden.js";
import { mounts, root, serve } from "./server.js";

if (executablePath === undefined) {
  console.log("skip: the wasm in a browser: install Chromium");
  process.exit(0);
}

/** What of the reference data does not fit the repository lies beside it. */
const BESIDE = join(root, "../shared/golden/tiny");
const MORE_MODELS = ["llama_spm", "mixtral"];

let browser, faults, page, server;

before(async () => {
  server = await serve({ folders: { ...mounts, "/beside/": BESIDE } });
  browser = await launch();
  ({ faults, page } = await open(browser, `${server.url}page/empty.html`));
});

after(async () => {
  await browser?.close();
  await server?.close();
});

/** Calls a function of `page/border.js` in the page. */
const call = (name, ...args) =>
  page.evaluate(async ([name, args]) => (await import("/page/border.js"))[name](...args), [name, args]);

test("every shader compiles without a word", async () => {
  const table = execFileSync("cargo", ["xtask", "gen", "--json"], { cwd: root, maxBuffer: 1 << 26 });
  const shaders = JSON.parse(table);
  const { complaints, compiled } = await call("compile", shaders);
  console.log(`${compiled} of ${shaders.length} shaders compiled`);
  assert.deepEqual(complaints, []);
  assert.ok(compiled >= 90);
});

for (const name of MODELS) {
  test(`${name}: greedy path`, async () => {
    const { found, info, reference } = await call("tinyPath", name);
    assert.equal(info.backend, "webgpu");
    assert.equal(info.adapter.type, "software");
    assert.equal(partsFrom(reference, found), undefined);
  });
}

for (const name of MORE_MODELS) {
  if (!existsSync(join(BESIDE, `${name}.gguf`))) {
    console.log(`skip: ${name} in a browser: it is not in the reference data beside the repository`);
    continue;
  }
  test(`${name}: greedy path`, async () => {
    const { found, reference } = await call("tinyPath", name, {}, "/beside");
    assert.equal(partsFrom(reference, found), undefined);
  });
}

test("greedy path with the kernels of hardware", async () => {
  const { found, reference } = await page.evaluate(async () => {
    const { greedy } = await import("/page/golden.js");
    const { load } = await import("/page/border.js");
    const { greedy: reference } = await (await fetch("/golden/tiny/llama.json")).json();
    const engine = await load("/golden/tiny/llama.gguf", { forced_kernels: [["profile", "core"]] });
    const found = await greedy(engine, reference, { steps_per_submit: 4 });
    engine.free();
    return { found, reference };
  });
  assert.equal(partsFrom(reference, found), undefined);
});

test("next token with every weight type", async () => {
  for (const type of TYPES) {
    const behind = await call("typeBehind", type);
    assert.ok(behind < 2 * QUANT_TOLERANCE, `${type}: ${behind}`);
  }
});

test("answers have their form", async () => {
  const schema = {
    type: "object",
    properties: { age: { type: "integer", minimum: 0, maximum: 99 }, kind: { enum: ["friend", "foe"] } },
    required: ["age", "kind"],
    additionalProperties: false,
  };
  const { answers, backend } = await call("fitting", schema);
  assert.equal(backend, "webgpu");
  for (const { text, finish, passes, tokens } of answers) {
    assert.equal(finish, "grammar_end");
    assert.match(text, /^\{"age": [0-9]{1,2}, "kind": "(friend|foe)"\}$/);
    assert.ok(passes < tokens, `${passes} passes for ${tokens} tokens: what is forced runs together`);
  }
});

test("a device lost in the middle rejects, and another one can be had", async () => {
  const codes = await page.evaluate(async () => {
    const { generate, load } = await import("/page/border.js");
    const engine = await load("/golden/tiny/llama.gguf");
    const ask = { prompt: { tokens: [10, 200, 33, 7] }, temperature: 0, max_tokens: 50, ignore_eos: true };
    const code = (error) => error.code;
    const running = generate(engine, ask, undefined, (event) => {
      if (event.type === "token") engine.loseDevice();
    });
    const codes = [await running.then(() => "no error", code), await generate(engine, ask).then(() => "no error", code)];
    engine.free();
    const next = await load("/golden/tiny/llama.gguf");
    codes.push((await generate(next, ask)).end.finish);
    next.free();
    return codes;
  });
  assert.deepEqual(codes, ["E_DEVICE_LOST", "E_DEVICE_LOST", "length"]);
});

test("a device that does not answer is given up after ten minutes", async () => {
  const code = await page.evaluate(async () => {
    const { generate, load } = await import("/page/border.js");
    const engine = await load("/golden/tiny/llama.gguf");
    const { mapAsync } = GPUBuffer.prototype;
    const { setTimeout: timer } = globalThis;
    const waits = [];
    // Results never come, and ten minutes are short.
    GPUBuffer.prototype.mapAsync = () => new Promise(() => {});
    globalThis.setTimeout = (work, ms, ...more) => {
      waits.push(ms);
      return timer(work, ms / 6000, ...more);
    };
    const ask = { prompt: { tokens: [10, 200, 33] }, temperature: 0, max_tokens: 4, ignore_eos: true };
    const error = await generate(engine, ask).catch((error) => error);
    Object.assign(globalThis, { setTimeout: timer });
    GPUBuffer.prototype.mapAsync = mapAsync;
    engine.free();
    return `${error.code} ${Math.max(...waits)}`;
  });
  assert.equal(code, "E_DEVICE_STALLED 600000");
});

test("nothing complained, and nothing was asked of other hosts", () => {
  assert.deepEqual(faults, []);
  assert.ok(server.requests.every(({ path }) => /^\/(page|wasm|golden|beside)\//.test(path)), JSON.stringify(server.requests));
});
