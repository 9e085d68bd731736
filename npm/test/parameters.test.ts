import assert from "node:assert/strict";
import test from "node:test";
import { GoldcrestError, type ChatCompletionRequest, type CompletionRequest } from "../dist/index.js";
import { readLoadOptions } from "../dist/options.js";
import { loadEngine } from "./load.js";

const messages = [{ role: "user", content: "Hello" }];

async function refused(call: () => Promise<unknown>, code: string, parameter: string): Promise<GoldcrestError> {
  const error = await call().then(() => assert.fail(`${parameter} was taken`), (thrown: unknown) => thrown);
  assert.ok(error instanceof GoldcrestError, String(error));
  assert.equal(error.code, code, error.message);
  assert.equal(error.details?.["parameter"], parameter);
  assert.ok(error.message.includes(parameter) && error.help, error.message);
  return error;
}

const BAD: [string, unknown[]][] = [
  ["temperature", [-1, 101, Number.NaN, Number.POSITIVE_INFINITY, "1", {}]],
  ["top_p", [-0.1, 1.1, Number.NaN, "1"]],
  ["min_p", [-0.1, 1.1]],
  ["top_k", [-1, 1.5, 2 ** 31, Number.NaN]],
  ["seed", [-1, 0.5, 2 ** 53, "1"]],
  ["max_tokens", [-1, 1.5, "5", Number.POSITIVE_INFINITY]],
  ["max_completion_tokens", [-1]],
  ["repetition_penalty", [0, -1, 101]],
  ["frequency_penalty", [-101, 101]],
  ["presence_penalty", [-101, 101, "0"]],
  ["top_h", [-0.1, 1.1, "0.4"]],
  ["top_h_variant", ["all", 1]],
  ["order", ["openai"]],
  ["mirostat", [-1, 3, 1.5, "2"]],
  ["mirostat_tau", [-1, 101]],
  ["mirostat_surprise", ["none"]],
  ["adaptive_decay", [-0.1, 1]],
  ["dry_allowed_length", [0, 1.5]],
  ["penalty_last_n", [-2, 0.5]],
  ["no_repeat_ngram", [-1, 2 ** 31]],
  ["no_cite_texts", ["text", [5], [["a"]], [[-1]]]],
  ["dry_breakers", [[[1.5]]]],
  ["logit_bias", [{ x: 1 }, { 1: 10_001 }, { 1: Number.NaN }, "1", Object.fromEntries(Array.from({ length: 1025 }, (_, id) => [id, 1]))]],
  ["stop", ["", ["a", ""], 5, Array.from({ length: 65 }, () => "a"), "x".repeat(1025)]],
  ["n", [0, -1, 1.5, 129]],
  ["logprobs", [1, "true"]],
  ["top_logprobs", [1]],
  ["stream", ["yes", 1]],
  ["ignore_eos", [1]],
  ["signal", [5]],
  ["model", [5]],
  ["messages", [undefined, [], "Hello", {}]],
];

test("every parameter out of range is refused by name, before anything runs", async () => {
  const { engine, realm } = await loadEngine("local");
  for (const [name, values] of BAD) {
    for (const value of values) {
      const request = { messages, [name]: value } as unknown as ChatCompletionRequest;
      await refused(() => engine.chat.completions.create(request), "E_INVALID_PARAMETER", name);
    }
  }
  assert.equal(realm.control.requests.length, 0);
});

test("null and undefined leave a parameter out, as in OpenAI's API", async () => {
  const { engine } = await loadEngine("local");
  const request = { messages, temperature: null, top_p: undefined, stop: null, seed: null, max_tokens: 1 } as unknown as ChatCompletionRequest;
  await engine.chat.completions.create(request);
});

test("messages are checked one by one", async () => {
  const { engine } = await loadEngine("local");
  const bad: [unknown, string, string][] = [
    [{ role: "robot", content: "x" }, "E_INVALID_PARAMETER", "messages[0].role"],
    [{ content: "x" }, "E_INVALID_PARAMETER", "messages[0].role"],
    [{ role: "user", content: 5 }, "E_INVALID_PARAMETER", "messages[0].content"],
    [{ role: "user" }, "E_INVALID_PARAMETER", "messages[0].content"],
    [{ role: "user", content: [{ type: "image_url", image_url: {} }] }, "E_NOT_AVAILABLE", "messages[0].content[0] of type image_url"],
    [{ role: "user", content: [{ type: "text" }] }, "E_INVALID_PARAMETER", "messages[0].content[0]"],
    [{ role: "assistant", content: "", tool_calls: {} }, "E_INVALID_PARAMETER", "messages[0].tool_calls"],
    [{ role: "assistant", content: "", tool_calls: [{}] }, "E_INVALID_PARAMETER", "messages[0].tool_calls[0]"],
    [{ role: "assistant", content: "", function_call: {} }, "E_NOT_AVAILABLE", "messages[0].function_call"],
    ["Hello", "E_INVALID_PARAMETER", "messages[0]"],
  ];
  for (const [message, code, parameter] of bad) {
    const request = { messages: [message] } as unknown as ChatCompletionRequest;
    await refused(() => engine.chat.completions.create(request), code, parameter);
  }
});

test("what is planned or unknown is refused, never ignored", async () => {
  const { engine } = await loadEngine("local");
  for (const name of ["functions", "best_of", "temprature"]) {
    const request = { messages, [name]: {} } as unknown as ChatCompletionRequest;
    await refused(() => engine.chat.completions.create(request), "E_NOT_AVAILABLE", name);
  }
  await refused(() => engine.completions.create({ prompt: "x", messages } as unknown as CompletionRequest), "E_NOT_AVAILABLE", "messages");
  for (const prompt of [undefined, 5, [], [1.5], [-1]]) {
    await refused(() => engine.completions.create({ prompt } as unknown as CompletionRequest), "E_INVALID_PARAMETER", "prompt");
  }
  await refused(() => engine.tokenize(5 as unknown as string), "E_INVALID_PARAMETER", "text");
  await refused(() => engine.detokenize([-1]), "E_INVALID_PARAMETER", "tokens");
});

test("options of load are checked by name", async () => {
  const bad: [string, unknown][] = [
    ["backend", "cuda"], ["contextLength", 0], ["contextLength", 1.5], ["connections", 0], ["connections", 17], ["cache", "disk"],
    ["sha256", "abc"], ["subgroups", 1], ["deterministic", "yes"], ["guessMemory", 1], ["hubUrl", "not a url"], ["wasmUrl", "::"], ["relaxedUrl", "::"],
  ];
  for (const [name, value] of bad) await refused(async () => readLoadOptions({ [name]: value }), "E_INVALID_PARAMETER", name);
});
