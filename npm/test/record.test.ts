import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import test from "node:test";
import { hashModel } from "../dist/core/model-hash.js";
import { Goldcrest, type CompletionRequest } from "../dist/index.js";
import { KINDS, MODEL, loadEngine } from "./load.js";
import { testRealm } from "./realm.js";

const sha256 = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex");

for (const kind of KINDS) {
  test(`${kind}: a record is asked for with the file's hash and the form, and comes with the answer`, async () => {
    const { engine, realm } = await loadEngine(kind, { source: new File([MODEL], "tiny.gguf") });
    const response_format = { type: "regex", pattern: "[a-z]+" } as const;
    const answer = await engine.completions.create({ prompt: "x", max_tokens: 2, record: true, response_format });
    const model = { file: "tiny.gguf", bytes: MODEL.length, sha256: sha256(MODEL), of: "file" };
    assert.deepEqual(realm.control.requests[0]?.["record"], { form: { kind: "regex", text: "[a-z]+" }, model });
    assert.deepEqual(answer.record?.body.model, model);
    const chunks = [];
    for await (const chunk of await engine.chat.completions.create({ messages: [{ role: "user", content: "x" }], record: true, stream: true })) chunks.push(chunk.record);
    assert.deepEqual(chunks.map((record) => record !== undefined), [...chunks.slice(1).map(() => false), true]);
    const schema = { type: "object" };
    await engine.completions.create({ prompt: "x", record: true, response_format: { type: "json_schema", json_schema: { schema } } });
    assert.deepEqual(realm.control.requests[2]?.["record"], { form: { kind: "json_schema", text: '{"type":"object"}' }, model });
    await engine.completions.create({ prompt: "x", record: true, response_format: { type: "json_object", layout: "compact" } });
    assert.deepEqual(realm.control.requests[3]?.["record"], { form: { kind: "asked", text: '{"type":"json_object","layout":"compact"}' }, model });
    await engine.completions.create({ prompt: "x", record: true, response_format: { type: "grammar", grammar: "a", syntax: "gbnf" } });
    assert.deepEqual(realm.control.requests[4]?.["record"], { form: { kind: "asked", text: '{"type":"grammar","text":"a","syntax":"gbnf"}' }, model });
    const other = new File([MODEL, "x"], "other.gguf");
    await engine.loadOther(other);
    await engine.completions.create({ prompt: "x", record: true, speculate: "draft:tokens=2" });
    const second = { file: "other.gguf", bytes: MODEL.length + 1, sha256: sha256(new Uint8Array(await other.arrayBuffer())), of: "file" };
    assert.deepEqual(realm.control.requests[5]?.["record"], { model, others: [second] });
    assert.equal(realm.control.requests[5]?.["strategy"], "speculate:drafter=draft,tokens=2");
    await engine.completions.create({ prompt: "x", record: true });
    assert.deepEqual(realm.control.requests[6]?.["record"], { model }, "plain decoding has one model");
    assert.equal((await engine.completions.create({ prompt: "x", record: false })).record, undefined);
    await engine.dispose();
  });
}

test("tools are recorded as the form that they are", async () => {
  const its = testRealm();
  Object.assign(its.control, { toolFormat: "hermes", script: ["Hi"] });
  const { engine } = await loadEngine("local", { realm: its });
  const tools = [{ type: "function", function: { name: "weather", parameters: { type: "object" } } }] as const;
  const answer = await engine.chat.completions.create({ messages: [{ role: "user", content: "x" }], tools, record: true });
  assert.ok(answer.record !== undefined);
  const { form } = its.control.requests[0]?.["record"] as { form: { kind: string; text: string } };
  assert.equal(form.kind, "asked");
  assert.deepEqual(JSON.parse(form.text), { type: "tools", tools, format: "hermes", choice: "auto", parallel: true });
  assert.deepEqual(JSON.parse(form.text), its.control.forms[0], "what the grammars were asked for");
  await engine.dispose();
});

test("what a record could not repeat is refused", async () => {
  const { engine } = await loadEngine("local");
  const base = { prompt: "x", record: true };
  for (const more of [
    { n: 2 }, { strategy: "best_of_n", scorer: () => 1 }, { strategy: "remote_cascade", remote: () => "x" }, { constraint: () => null }, { record: 1 },
  ]) {
    await assert.rejects(engine.completions.create({ ...base, ...more } as unknown as CompletionRequest), (error: { details?: { parameter?: string } }) => {
      assert.equal(error.details?.parameter, "record", JSON.stringify(more));
      return true;
    });
  }
  await engine.dispose();
});

test("large files are known by their beginning and size", async () => {
  const size = 2 ** 32 + 5;
  const reads: number[] = [];
  const read = async (offset: number, length: number): Promise<Uint8Array> => {
    reads.push(offset + length);
    return new Uint8Array(length);
  };
  const hash = createHash("sha256");
  const sum = { update: (bytes: Uint8Array) => void hash.update(bytes), digestHex: () => hash.digest("hex") };
  const found = await hashModel({ size, read }, "big.gguf", sum, () => undefined);
  const expected = createHash("sha256").update(new Uint8Array(2 ** 26)).update(Uint8Array.of(5, 0, 0, 0, 1, 0, 0, 0)).digest("hex");
  assert.deepEqual([found.sha256, found.of, Math.max(...reads)], [expected, "first 64 MiB and size", 2 ** 26]);
});

// The engine is built by `cargo xtask wasm`, which needs a Rust toolchain; the suite builds it before these tests.
const built = existsSync(new URL("../dist/wasm/goldcrest_wasm_bg.wasm", import.meta.url));
const skip = built ? false : "src/wasm/ is empty: run `cargo xtask wasm` and `npm run build`";

test("a real record says everything, and a second one the same", { skip }, async () => {
  const url = new URL("../../tests/golden/tiny/llama.gguf", import.meta.url);
  const engine = await Goldcrest.load(url, { backend: "cpu", deterministic: true });
  const asked = { prompt: "Hello world", max_tokens: 8, temperature: 0.9, seed: 7, return_token_ids: true, logprobs: 1, record: true };
  const [first, second] = [await engine.completions.create(asked), await engine.completions.create(asked)];
  const body = first.record?.body;
  assert.deepEqual(body, second.record?.body);
  assert.ok(body !== undefined);
  const file = readFileSync(url);
  assert.deepEqual(body.model, { file: "llama.gguf", bytes: file.length, sha256: sha256(file), of: "file" });
  assert.deepEqual([body.prompt_tokens, body.tokens], [first.prompt_token_ids, first.choices[0]?.token_ids]);
  assert.equal(body.prompt_sha256, sha256(new Uint8Array(Uint32Array.from(body.prompt_tokens).buffer)));
  assert.deepEqual([body.text, body.finish_reason], [first.choices[0]?.text, "length"]);
  assert.deepEqual([body.settings.seed, body.settings.deterministic, body.settings.n_ctx], [7, true, engine.info.contextLength]);
  assert.equal((body.settings["numbers"] as Record<string, number>)["temperature"]?.toFixed(6), "0.900000");
  assert.deepEqual([body.adapter["backend"], body.adapter["kernels"], body.build["arch"]], ["cpu", engine.info.profile, "wasm32"]);
  assert.equal(body.steps.length, 8);
  const gaps = body.steps.map(({ gap }) => gap);
  assert.equal(gaps[body.closest ?? -1], Math.min(...gaps));
  // The one alternative that was asked for, though the record takes two.
  assert.deepEqual(first.choices[0]?.logprobs?.top_logprobs.map((top) => Object.keys(top).length), Array(8).fill(1));
  const strategy = await engine.completions.create({ ...asked, strategy: { name: "context_aware", alpha: 0.5 }, references: ["Hello"] });
  const { spec, references } = strategy.record?.body.settings["strategy"] as { spec: string; references: number[][] };
  assert.deepEqual([spec, references], ["context_aware:alpha=0.5", [await engine.tokenize("Hello")]]);
  // Guesses change no token; a drafter whose guesses are draws changes them by how many there are.
  const guessed = await engine.completions.create({ ...asked, speculate: "auto:plan=false" });
  assert.deepEqual(guessed.record?.body.tokens, body.tokens);
  assert.deepEqual(guessed.record?.body.settings["strategy"], { spec: "speculate:drafter=auto,plan=false", references: [] });
  for (const speculate of ["jacobi", "auto:accept=typical"]) {
    await assert.rejects(engine.completions.create({ ...asked, speculate }), { code: "E_INVALID_PARAMETER" });
  }
  await engine.loadOther(url);
  const two = await engine.completions.create({ ...asked, strategy: "entropy_adaptive" });
  assert.deepEqual((two.record?.body.settings["strategy"] as { others: unknown[] }).others, [body.model]);
  const one = await engine.completions.create({ ...asked, strategy: "best_of_n:n=2" });
  assert.equal("others" in (one.record?.body.settings["strategy"] as object), false, "it takes no further model");
  await engine.dispose();
});
