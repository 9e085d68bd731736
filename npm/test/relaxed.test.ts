import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import test from "node:test";
import v8 from "node:v8";
import { Goldcrest, type LoadOptions } from "goldcrest";
import { EngineModules, hasRelaxedVectors } from "../dist/core/engine-modules.js";
import { readLoadOptions } from "../dist/options.js";

// Which of the engine's two builds a load takes.

const built = existsSync(new URL("../dist/wasm/goldcrest_relaxed_bg.wasm", import.meta.url));
const skip = built ? false : "src/wasm/ is empty: run `cargo xtask wasm` and `npm run build`";
const tiny = (name: string): URL => new URL(`../../tests/golden/tiny/${name}`, import.meta.url);

// Before the flag is set: Node has them by itself since 21.
const byItself = hasRelaxedVectors();
v8.setFlagsFromString("--experimental-wasm-relaxed-simd");

async function adapterOf(options: LoadOptions): Promise<string> {
  const engine = await Goldcrest.load(tiny("llama.gguf"), { backend: "cpu", ...options });
  const { adapter } = engine.info;
  await engine.dispose();
  return adapter.name;
}

test("the platform is asked for the instruction itself", () => {
  const [major = 0] = process.versions.node.split(".").map(Number);
  assert.equal(byItself, major > 20);
  assert.equal(hasRelaxedVectors(), true);
});

test("a load takes the build with relaxed vectors, unless it has to be the same bits everywhere or may not", { skip }, async () => {
  assert.equal(await adapterOf({}), "CPU (relaxed SIMD)");
  assert.equal(await adapterOf({ deterministic: true }), "CPU (SIMD128)");
  assert.equal(await adapterOf({ relaxedUrl: false }), "CPU (SIMD128)");
  assert.equal(await adapterOf({ relaxedUrl: new URL("../dist/wasm/goldcrest_relaxed_bg.wasm", import.meta.url) }), "CPU (relaxed SIMD)");
});

test("both give the reference's greedy tokens", { skip }, async () => {
  const { greedy } = JSON.parse(await readFile(tiny("gemma3.json"), "utf8")) as { greedy: { prompt: number[]; ids: number[] } };
  for (const relaxedUrl of [undefined, false] as const) {
    const engine = await Goldcrest.load(tiny("gemma3.gguf"), { backend: "cpu", relaxedUrl });
    const answer = await engine.completions.create({ prompt: greedy.prompt, max_tokens: greedy.ids.length, temperature: 0, ignore_eos: true, return_token_ids: true });
    assert.deepEqual(answer.choices[0]?.token_ids, greedy.ids);
    await engine.dispose();
  }
});

test("where one file is named, the other is not looked for", () => {
  assert.equal(readLoadOptions({}).relaxedUrl, undefined);
  assert.equal(readLoadOptions({ wasmUrl: "https://example.com/a.wasm" }).relaxedUrl, null);
  const both = { wasmUrl: "https://example.com/a.wasm", relaxedUrl: "https://example.com/b.wasm" };
  assert.equal(readLoadOptions(both).relaxedUrl, "https://example.com/b.wasm");
  assert.equal(readLoadOptions({ ...both, deterministic: true }).relaxedUrl, null);
});

test("a file that was named and is not there is an error with that option's name", { skip }, async () => {
  const relaxedUrl = new URL("none.wasm", import.meta.url).href;
  await assert.rejects(new EngineModules().get({ wasmUrl: undefined, relaxedUrl }), { code: "E_WASM", help: /relaxedUrl/ });
});
