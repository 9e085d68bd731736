import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import test from "node:test";
import { Goldcrest } from "goldcrest";
import type { OtherOptions, Progress } from "../dist/index.js";
import { KINDS, MODEL, loadEngine } from "./load.js";

for (const kind of KINDS) {
  test(`${kind}: a further model is loaded, told of, replaced, and loaded again with the engine`, async () => {
    const { engine, realm } = await loadEngine(kind);
    assert.equal(JSON.stringify(engine.info.other), "null");
    const seen: Progress[] = [];
    await engine.loadOther(MODEL, { onProgress: (progress) => seen.push(progress) });
    assert.deepEqual([engine.info.other?.model.name, engine.info.other?.memory.weights], ["Other", MODEL.length]);
    assert.equal(engine.info.model.name, "Fake");
    assert.equal(seen.at(-1)?.phase, "ready");
    const longer = new Uint8Array(MODEL.length + 8);
    longer.set(MODEL);
    await engine.loadOther(longer);
    await engine.loseDevice();
    await engine.completions.create({ prompt: "x", max_tokens: 1 });
    assert.deepEqual(realm.control.others, [[1, 5000], [1, 5008], [2, 5008]]);
    await engine.loseDevice();
    realm.control.refuseOther = true;
    await assert.rejects(engine.completions.create({ prompt: "x", max_tokens: 1 }), { code: "E_VOCABULARY_MISMATCH" });
    assert.equal((await engine.completions.create({ prompt: "x", max_tokens: 1 })).choices.length, 1, "it goes on without");
    assert.equal(JSON.stringify(engine.info.other), "null");
    await engine.dispose();
  });

  test(`${kind}: a further model that does not fit leaves none, and the engine goes on`, async () => {
    const { engine, realm } = await loadEngine(kind);
    await engine.loadOther(MODEL);
    await assert.rejects(engine.loadOther(MODEL.slice(0, 64)), { code: "E_VOCABULARY_MISMATCH", message: /Other beside Fake/ });
    assert.equal(engine.info.other, null);
    await engine.loseDevice();
    await engine.completions.create({ prompt: "x", max_tokens: 1 });
    assert.equal(realm.control.others.length, 1);
    const control = new AbortController();
    const loading = engine.loadOther(MODEL, { signal: control.signal });
    control.abort();
    await assert.rejects(loading, { name: "AbortError" });
    assert.equal((await engine.completions.create({ prompt: "x", max_tokens: 1 })).choices.length, 1);
    await engine.dispose();
  });
}

test("options of a further model are checked", async () => {
  const { engine } = await loadEngine("local");
  for (const [parameter, options] of [["sha256", { sha256: "abc" }], ["connections", { connections: 0 }], ["onProgress", { onProgress: 5 }]] as const) {
    const loading = engine.loadOther(MODEL, options as unknown as OtherOptions);
    await assert.rejects(loading, (error: { details?: { parameter?: string } }) => error.details?.parameter === parameter);
  }
  await engine.dispose();
});

// The engine is built by `cargo xtask wasm`, which needs a Rust toolchain; the suite builds it before these tests.
const built = existsSync(new URL("../dist/wasm/goldcrest_wasm_bg.wasm", import.meta.url));
const skip = built ? false : "src/wasm/ is empty: run `cargo xtask wasm` and `npm run build`";

test("two real models draft, contrast and share the work", { skip }, async () => {
  const tiny = (name: string): URL => new URL(`../../tests/golden/tiny/${name}.gguf`, import.meta.url);
  const engine = await Goldcrest.load(tiny("llama"), { backend: "cpu", other: tiny("llama") });
  const base = { prompt: "Hello world", max_tokens: 12, temperature: 0, ignore_eos: true, return_token_ids: true };
  const plain = await engine.completions.create(base);
  // A draft that is the model itself is always right.
  const draft = await engine.completions.create({ ...base, speculate: "draft:tokens=3,plan=false" });
  assert.deepEqual(draft.choices[0]?.token_ids, plain.choices[0]?.token_ids);
  assert.ok((draft.usage.speculation?.tau ?? 0) >= 3, JSON.stringify(draft.usage.speculation));
  for (const strategy of ["entropy_adaptive", "energy_routing"]) {
    const got = await engine.completions.create({ ...base, strategy });
    assert.deepEqual(got.choices[0]?.token_ids, plain.choices[0]?.token_ids, strategy);
  }
  await engine.loadOther(tiny("llama3_rope"));
  const amateur = await engine.completions.create({ ...base, strategy: "contrastive_decoding" });
  assert.notDeepEqual(amateur.choices[0]?.token_ids, plain.choices[0]?.token_ids);
  const other = await engine.completions.create({ ...base, speculate: "draft:plan=false" });
  assert.deepEqual(other.choices[0]?.token_ids, plain.choices[0]?.token_ids);

  await engine.loadOther(tiny("q_Q4_0"));
  await assert.rejects(engine.completions.create({ ...base, speculate: "draft" }), { code: "E_DRAFT_TOO_LARGE", message: /1 layers of 256.*2 layers of 64/ });
  const mismatch = { code: "E_VOCABULARY_MISMATCH", message: /^tiny random gemma3 beside tiny random llama: .*token \d+ is/ };
  await assert.rejects(engine.loadOther(tiny("gemma3")), mismatch);
  await assert.rejects(engine.completions.create({ ...base, speculate: "draft" }), { code: "E_STRATEGY_NEEDS" });
  await engine.dispose();
  await assert.rejects(Goldcrest.load(tiny("llama"), { backend: "cpu", other: tiny("gemma3") }), mismatch);
});
