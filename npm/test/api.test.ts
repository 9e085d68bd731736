import assert from "node:assert/strict";
import test from "node:test";
import type { ChatCompletionChunk, ChatMessage } from "../dist/index.js";
import { KINDS, loadEngine, MODEL } from "./load.js";

const messages: ChatMessage[] = [{ role: "user", content: "Hello" }];

for (const kind of KINDS) {
  test(`${kind}: an answer has OpenAI's shape, usage and timings`, async () => {
    const { engine, realm } = await loadEngine(kind);
    const answer = await engine.chat.completions.create({ messages, max_tokens: 3, temperature: 0, repetition_penalty: 1.1, stop: "x" });
    assert.equal(answer.object, "chat.completion");
    assert.match(answer.id, /^chatcmpl-/);
    assert.equal(answer.model, "Fake");
    assert.deepEqual(answer.choices, [
      { index: 0, message: { role: "assistant", content: "word0 word1 word2 ." }, finish_reason: "length", logprobs: null },
    ]);
    assert.deepEqual(answer.usage, {
      prompt_tokens: 3, completion_tokens: 3, total_tokens: 6, prompt_tokens_details: { cached_tokens: 0 },
    });
    assert.equal(answer.timings.ttft_ms, 3);
    assert.equal(answer.timings.tokens_per_second, 300);
    const [asked] = realm.control.requests;
    assert.deepEqual(asked?.["prompt"], { messages: [{ role: "user", content: "Hello" }], add_generation_prompt: true });
    assert.deepEqual([asked?.["repeat_penalty"], asked?.["stop"], asked?.["temperature"]], [1.1, ["x"], 0]);
    assert.deepEqual(realm.control.bytes, MODEL);
    await engine.dispose();
  });

  test(`${kind}: chunks add up to the answer, and the last one has usage`, async () => {
    const { engine } = await loadEngine(kind);
    const chunks: ChatCompletionChunk[] = [];
    for await (const chunk of await engine.chat.completions.create({ messages, max_tokens: 3, stream: true })) chunks.push(chunk);
    assert.equal(chunks.map((chunk) => chunk.choices[0]?.delta.content ?? "").join(""), "word0 word1 word2 .");
    assert.equal(chunks[0]?.choices[0]?.delta.role, "assistant");
    assert.equal(chunks[1]?.choices[0]?.delta.role, undefined);
    assert.deepEqual(chunks.slice(0, -1).filter((chunk) => chunk.usage !== undefined), []);
    const last = chunks.at(-1);
    assert.equal(last?.choices[0]?.finish_reason, "length");
    assert.equal(last?.usage?.total_tokens, 6);
    assert.ok((last?.timings?.tokens_per_second ?? 0) > 0);
    await engine.dispose();
  });

  test(`${kind}: several answers run one after another, each with its own seed`, async () => {
    const { engine, realm } = await loadEngine(kind);
    const answer = await engine.chat.completions.create({ messages, max_tokens: 2, n: 3, seed: 40 });
    assert.deepEqual(answer.choices.map(({ index }) => index), [0, 1, 2]);
    assert.deepEqual(realm.control.requests.map(({ seed }) => seed), [40, 41, 42]);
    assert.equal(answer.usage.completion_tokens, 6);
    const stream = await engine.chat.completions.create({ messages, max_tokens: 2, n: 2, stream: true, stream_options: { include_usage: true } });
    const chunks: ChatCompletionChunk[] = [];
    for await (const chunk of stream) chunks.push(chunk);
    assert.deepEqual(chunks.at(-1)?.choices, []);
    assert.equal(chunks.at(-1)?.usage?.completion_tokens, 4);
    assert.equal(chunks.filter(({ usage }) => usage === null).length, chunks.length - 1);
    await engine.dispose();
  });
}

test("log-probabilities of chat", async () => {
  const { engine } = await loadEngine("local");
  const answer = await engine.chat.completions.create({ messages, max_tokens: 1, logprobs: true, top_logprobs: 2 });
  const [token] = answer.choices[0]?.logprobs?.content ?? [];
  assert.deepEqual([token?.id, token?.token, token?.logprob], [0, "word0 ", -0.5]);
  assert.deepEqual(token?.top_logprobs.map(({ token: text }) => text), ["word0 ", "other"]);
  assert.deepEqual(token?.bytes, Array.from(new TextEncoder().encode("word0 ")));
  const plain = await engine.chat.completions.create({ messages, max_tokens: 1, logprobs: true });
  assert.deepEqual(plain.choices[0]?.logprobs?.content[0]?.top_logprobs, []);
});

test("text completions: prompts of text and tokens, echo, log-probabilities in lists", async () => {
  const { engine, realm } = await loadEngine("worker");
  const answer = await engine.completions.create({ prompt: "Once", max_tokens: 2, echo: true, logprobs: 1 });
  assert.equal(answer.object, "text_completion");
  assert.equal(answer.choices[0]?.text, "Onceword0 word1 .");
  assert.deepEqual(answer.choices[0]?.logprobs, {
    tokens: ["word0 ", "word1 "], token_logprobs: [-0.5, -0.5], top_logprobs: [{ "word0 ": -0.5 }, { "word1 ": -0.5 }], text_offset: [4, 10],
  });
  assert.deepEqual(realm.control.requests[0]?.["prompt"], { text: "Once", parse_special: false });
  let text = "";
  for await (const chunk of await engine.completions.create({ prompt: [72, 105], max_tokens: 1, echo: true, stream: true })) {
    text += chunk.choices[0]?.text ?? "";
  }
  assert.equal(text, "Hiword0 .");
  assert.deepEqual(realm.control.requests[1]?.["prompt"], { tokens: [72, 105] });
  await engine.dispose();
});

test("ids of tokens, on request", async () => {
  const { engine } = await loadEngine("worker");
  const request = { messages, max_tokens: 3, return_token_ids: true };
  const whole = await engine.chat.completions.create(request);
  assert.deepEqual([whole.prompt_token_ids, whole.choices[0]?.token_ids], [[1, 2, 3], [0, 1, 2]]);
  const prompts: unknown[] = [];
  const ids: number[] = [];
  for await (const chunk of await engine.completions.create({ prompt: "x", max_tokens: 3, return_token_ids: true, stream: true })) {
    prompts.push(chunk.prompt_token_ids);
    ids.push(...(chunk.choices[0]?.token_ids ?? []));
  }
  assert.deepEqual(ids, [0, 1, 2]);
  assert.deepEqual(prompts.filter((one) => one !== undefined), [[1, 2, 3]]);
  assert.ok(!("token_ids" in ((await engine.completions.create({ prompt: "x", max_tokens: 1 })).choices[0] ?? {})));
  await engine.dispose();
});

test("tokenizer calls", async () => {
  const { engine } = await loadEngine("worker");
  assert.deepEqual(await engine.tokenize("Hi"), [72, 105]);
  assert.equal(await engine.detokenize([72, 105]), "Hi");
  assert.deepEqual(await engine.pieces([72, 105]), ["H", "i"]);
  assert.equal(await engine.countTokens("Hi!"), 3);
  assert.equal(await engine.applyChatTemplate(messages), "<user>Hello");
  assert.equal(await engine.countTokens(messages), "<user>Hello".length);
  assert.deepEqual(await engine.selftest(), [{ format: "q4", ok: true }]);
  await engine.dispose();
});

test("text parts are joined, and the developer speaks as the system", async () => {
  const { engine, realm } = await loadEngine("local");
  await engine.chat.completions.create({
    messages: [
      { role: "developer", content: "Be brief." },
      { role: "user", content: [{ type: "text", text: "a" }, { type: "text", text: "b" }] },
    ],
    max_tokens: 1,
  });
  assert.deepEqual((realm.control.requests[0]?.["prompt"] as { messages: unknown }).messages, [
    { role: "system", content: "Be brief." },
    { role: "user", content: "ab" },
  ]);
});

test("a stream of the platform holds the same chunks", async () => {
  const { engine } = await loadEngine("local");
  const stream = await engine.chat.completions.create({ messages, max_tokens: 2, stream: true });
  const reader = stream.toReadableStream().getReader();
  let text = "";
  for (let read = await reader.read(); !read.done; read = await reader.read()) text += read.value.choices[0]?.delta.content ?? "";
  assert.equal(text, "word0 word1 .");
});

test("info has this package's spelling", async () => {
  const { engine } = await loadEngine("worker", { options: { contextLength: 512 } });
  const { info } = engine;
  assert.equal(info.contextLength, 512);
  assert.equal(info.model.nCtxTrain, 2048);
  assert.equal(info.memory.kvPerToken, 2);
  assert.equal(info.worker, true);
  await engine.dispose();
});
