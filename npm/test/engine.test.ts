import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import test from "node:test";
import { fileURLToPath } from "node:url";
import { Goldcrest, GoldcrestError } from "goldcrest";

// The engine is built by `cargo xtask wasm`, which needs a Rust toolchain; the suite builds it before these tests.
const built = existsSync(new URL("../dist/wasm/goldcrest_wasm_bg.wasm", import.meta.url));
const skip = built ? false : "src/wasm/ is empty: run `cargo xtask wasm` and `npm run build`";
const tiny = (name: string): URL => new URL(`../../tests/golden/tiny/${name}`, import.meta.url);

/** What the reference says of a tiny model. */
interface Golden {
  readonly greedy: { readonly prompt: readonly number[]; readonly ids: readonly number[] };
  readonly tokenize: readonly { readonly text: string; readonly ids: readonly number[] }[];
}

for (const name of ["llama", "gemma3", "qwen3"]) {
  test(`${name}: greedy tokens and the tokenizer are those of the reference`, { skip }, async () => {
    const golden = JSON.parse(await readFile(tiny(`${name}.json`), "utf8")) as Golden;
    const engine = await Goldcrest.load(tiny(`${name}.gguf`), { backend: "cpu" });
    const { prompt, ids } = golden.greedy;
    const answer = await engine.completions.create({ prompt, max_tokens: ids.length, temperature: 0, ignore_eos: true, return_token_ids: true });
    assert.deepEqual(answer.choices[0]?.token_ids, ids);
    assert.deepEqual(answer.prompt_token_ids, prompt);
    for (const { text, ids: tokens } of golden.tokenize) {
      assert.deepEqual(await engine.tokenize(text, { addSpecial: true, parseSpecial: true }), tokens);
    }
    await engine.dispose();
  });
}

test("a model without a chat template refuses chats, and still completes text", { skip }, async () => {
  const engine = await Goldcrest.load(tiny("gemma3.gguf"), { backend: "cpu" });
  assert.equal(engine.info.model.chatTemplate, false);
  await assert.rejects(engine.chat.completions.create({ messages: [{ role: "user", content: "x" }] }), { code: "E_NO_CHAT_TEMPLATE" });
  assert.equal((await engine.completions.create({ prompt: "x", max_tokens: 1 })).choices.length, 1);
  await engine.dispose();
});

test("a real model, on the CPU: tokens, text, streaming, abort, a lost device, disposal", { skip }, async () => {
  const engine = await Goldcrest.load(fileURLToPath(tiny("llama.gguf")), { backend: "cpu" });
  assert.equal(engine.info.backend, "cpu");
  assert.equal(engine.info.model.arch, "llama");
  const tokens = await engine.tokenize("Hello world");
  assert.equal(await engine.detokenize(tokens), "Hello world");

  const whole = await engine.completions.create({ prompt: tokens, max_tokens: 8, temperature: 0, ignore_eos: true });
  assert.equal(whole.usage.completion_tokens, 8);
  assert.equal(whole.usage.prompt_tokens, tokens.length);
  let streamed = "";
  for await (const chunk of await engine.completions.create({ prompt: tokens, max_tokens: 8, temperature: 0, ignore_eos: true, stream: true })) {
    streamed += chunk.choices[0]?.text ?? "";
  }
  assert.equal(streamed, whole.choices[0]?.text);

  const control = new AbortController();
  const endless = engine.completions.create({ prompt: "x", max_tokens: 400, ignore_eos: true, signal: control.signal });
  setTimeout(() => control.abort(), 30);
  await assert.rejects(endless, { name: "AbortError", code: "E_ABORTED" });
  assert.equal((await engine.completions.create({ prompt: tokens, max_tokens: 1, temperature: 0 })).usage.completion_tokens, 1);

  await engine.loseDevice();
  const again = await engine.completions.create({ prompt: tokens, max_tokens: 8, temperature: 0, ignore_eos: true });
  assert.equal(again.choices[0]?.text, whole.choices[0]?.text);
  await assert.rejects(engine.completions.create({ prompt: Array.from({ length: 5000 }, () => 1) }), { code: "E_PROMPT_TOO_LONG" });
  await engine.dispose();
  await assert.rejects(engine.tokenize("x"), { code: "E_DISPOSED" });
});

test("a file that is no model, and one that is cut off", { skip }, async () => {
  const bytes = await readFile(tiny("llama.gguf"));
  for (const [source, code] of [
    [new TextEncoder().encode("not a model, just text"), /^E_GGUF_/],
    [new Uint8Array(bytes.subarray(0, bytes.length >> 1)), /^E_GGUF_/],
  ] as const) {
    const error: unknown = await Goldcrest.load(source, { backend: "cpu" }).catch((thrown: unknown) => thrown);
    assert.ok(error instanceof GoldcrestError, String(error));
    assert.match(error.code, code);
    assert.ok(error.help);
  }
});

test("plans read the header alone", { skip }, async () => {
  const plan = await Goldcrest.plan(fileURLToPath(tiny("qwen3.gguf")), { contextLength: 128 });
  assert.equal(plan.memory.contextLength, 128);
  assert.equal(plan.memory.kv, 128 * plan.memory.kvPerToken);
  assert.ok(plan.memory.total >= plan.memory.weights + plan.memory.kv);
});
