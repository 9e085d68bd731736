import assert from "node:assert/strict";
import test from "node:test";
import { partialJson, type ChatCompletionChunk, type ChatMessage, type Monitor, type Tool, type ToolCallDelta } from "../dist/index.js";
import { CallReader } from "../dist/api/calls.js";
import { KINDS, loadEngine } from "./load.js";
import { testRealm } from "./realm.js";

const messages: ChatMessage[] = [{ role: "user", content: "Hello" }];
const tools: Tool[] = [{ type: "function", function: { name: "weather", parameters: { type: "object" } } }];
const CALL = "<tool_call>\n{\"name\": \"weather\", \"arguments\": {\"city\": \"Rome </tool_call> }\"}}\n</tool_call>";

test("the beginning of a JSON text has a value", () => {
  const text = "{\"a\": [1, -2.5e3, true, null, \"x\\n\\u00e9\\\\\"], \"b\": {\"c\": \"\\ud83d\\ude00!\"}}";
  const whole = JSON.parse(text) as unknown;
  assert.deepEqual(partialJson(text), whole);
  for (let length = 0; length < text.length; length += 1) {
    // Each beginning is readable, and what it says of texts stays.
    const known = JSON.stringify(partialJson(text.slice(0, length)) ?? null);
    assert.ok(known.length <= JSON.stringify(whole).length, known);
  }
  for (const [begun, value] of [
    ["", undefined], ["  ", undefined], ["{", {}], ["{\"a", {}], ["{\"a\":", {}], ["{\"a\": \"b", { a: "b" }], ["{\"a\": \"b\\", { a: "b" }],
    ["{\"a\": 1", { a: 1 }], ["{\"a\": 1.", { a: 1 }], ["{\"a\": -", {}], ["{\"a\": tr", {}], ["{\"a\": true", { a: true }], ["[1, ", [1]],
    ["[[\"x", [["x"]]], ["\"\\ud83d\\ude", ""], ["12e", 12], ["\"a\\\\\"", "a\\"], ["\"a\\u00", "a"],
  ] as const) {
    assert.deepEqual(partialJson(begun), value, begun);
  }
  for (const wrong of ["x", "{a", "[1 2", "{\"a\" 1", "{} x", "trux", "{,", "-x"]) assert.throws(() => partialJson(wrong), SyntaxError, wrong);
});

/** What a reader makes of a text that comes in pieces of `size`. */
function read(format: "hermes" | "llama3" | "json", text: string, size: number): { content: string; calls: [string, string][] } {
  const reader = new CallReader(format);
  const calls: [string, string][] = [];
  let content = "";
  const take = (part: { content: string; calls: readonly ToolCallDelta[] }): void => {
    content += part.content;
    for (const { index, id, function: { name, arguments: more = "" } } of part.calls) {
      const call = (calls[index] ??= [name ?? "", ""]);
      assert.equal(id !== undefined, call[1] === "" && name !== undefined);
      call[1] += more;
    }
  };
  for (let at = 0; at < text.length; at += size) take(reader.push(text.slice(at, at + size)));
  take(reader.finish());
  assert.equal(reader.called, calls.length > 0);
  return { content, calls };
}

test("calls are found however the text is cut", () => {
  const args = "{\"city\": \"Rome </tool_call> }\"}";
  for (let size = 1; size < 40; size += 1) {
    assert.deepEqual(read("hermes", CALL, size), { content: "", calls: [["weather", args]] });
    assert.deepEqual(read("hermes", `One <moment. ${CALL}\n${CALL} Done`, size), {
      content: "One <moment. Done", calls: [["weather", args], ["weather", args]],
    });
    assert.deepEqual(read("hermes", "<tool_call>\n{\"arguments\": {\"a\": 1}, \"name\": \"f\"}\n</tool_call>", size).calls, [["f", "{\"a\":1}"]]);
    assert.deepEqual(read("llama3", "<|python_tag|>{\"name\": \"f\", \"parameters\": {\"a\": [1]} }", size), { content: "", calls: [["f", "{\"a\": [1]}"]] });
    assert.deepEqual(read("json", "{\"name\": \"f\", \"arguments\": {}}", size).calls, [["f", "{}"]]);
    assert.deepEqual(read("json", "It is {x}.", size), { content: "It is {x}.", calls: [] });
    assert.deepEqual(read("hermes", "a <tool_call> b", size), { content: "a <tool_call> b", calls: [] });
    assert.deepEqual(read("hermes", "<tool_call>{\"n\": 1}", size).calls, []);
    // Cut off within the arguments: what there is was passed on.
    assert.deepEqual(read("hermes", CALL.slice(0, 60), size).calls[0]?.[0], "weather");
  }
});

for (const kind of KINDS) {
  test(`${kind}: an answer that calls tools`, async () => {
    const { engine } = await loadEngine(kind);
    await assert.rejects(engine.chat.completions.create({ messages, tools }), { code: "E_NOT_AVAILABLE" });
    await engine.dispose();
    const its = testRealm();
    Object.assign(its.control, { toolFormat: "hermes", script: CALL.match(/.{1,5}/gs) });
    const { engine: able } = await loadEngine(kind, { realm: its });
    const answer = await able.chat.completions.create({ messages, tools, max_tokens: 100, tool_choice: { type: "function", function: { name: "weather" } } });
    const [choice] = answer.choices;
    assert.equal(choice?.finish_reason, "tool_calls");
    assert.equal(choice?.message.content, "");
    assert.deepEqual(choice?.message.tool_calls?.map(({ type, function: called }) => [type, called]), [
      ["function", { name: "weather", arguments: "{\"city\": \"Rome </tool_call> }\"}" }],
    ]);
    const [asked] = its.control.requests;
    assert.equal(asked?.["form"], undefined, "the form goes to the module of grammars");
    assert.deepEqual(its.control.forms, [{ type: "tools", tools, format: "hermes", choice: { name: "weather" }, parallel: true }]);
    assert.deepEqual((asked?.["prompt"] as { tools: unknown }).tools, tools);
    const chunks: ChatCompletionChunk[] = [];
    for await (const chunk of await able.chat.completions.create({ messages, tools, max_tokens: 100, stream: true })) chunks.push(chunk);
    const deltas = chunks.flatMap((chunk) => chunk.choices[0]?.delta.tool_calls ?? []);
    assert.equal(deltas[0]?.function.name, "weather");
    assert.match(deltas[0]?.id ?? "", /^call-/);
    assert.equal(deltas.map((delta) => delta.function.arguments ?? "").join(""), choice?.message.tool_calls?.[0]?.function.arguments);
    assert.ok(deltas.length > 4, "arguments come as they are written");
    assert.equal(chunks.at(-1)?.choices[0]?.finish_reason, "tool_calls");
    // The answer goes back with what the tool says.
    const history: ChatMessage[] = [
      ...messages,
      { role: "assistant", content: null, tool_calls: choice?.message.tool_calls },
      { role: "tool", tool_call_id: "x", content: "20 degrees" },
    ];
    await able.chat.completions.create({ messages: history, tools, tool_choice: "none", max_tokens: 1 });
    const last = its.control.requests.at(-1);
    assert.equal(its.control.forms.length, 2, "no form where no tool may be called");
    assert.deepEqual([its.control.vocabularies, its.control.open], [1, 0]);
    assert.deepEqual((last?.["prompt"] as { messages: { tool_calls?: { function: unknown }[] }[] }).messages[1]?.tool_calls?.[0]?.function, {
      name: "weather", arguments: { city: "Rome </tool_call> }" },
    });
    await able.dispose();
  });

  test(`${kind}: a callback restricts the next word`, async () => {
    const { engine } = await loadEngine(kind);
    const seen: string[] = [];
    const answer = await engine.completions.create({
      prompt: "x",
      max_tokens: 3,
      constraint: async (text) => {
        seen.push(text);
        await Promise.resolve();
        return text === "" ? ["first "] : null;
      },
    });
    assert.equal(answer.choices[0]?.text, "first word1 word2 .");
    assert.deepEqual(seen, ["", "first ", "first word1 "]);
    const wrong = (() => "first") as unknown as Monitor;
    await assert.rejects(engine.completions.create({ prompt: "x", max_tokens: 1, constraint: wrong }), { code: "E_INVALID_PARAMETER" });
    const failing = engine.completions.create({ prompt: "x", max_tokens: 1, constraint: () => { throw new Error("no server"); } });
    await assert.rejects(failing, /no server/);
    await engine.dispose();
  });
}

test("response_format is checked, and passed on", async () => {
  const { engine, realm } = await loadEngine("local");
  const schema = { type: "object" };
  for (const [given, passed] of [
    [{ type: "text" }, undefined],
    [{ type: "json_object" }, { type: "json_object" }],
    [{ type: "json_schema", json_schema: { name: "x", schema, strict: true }, layout: "compact" }, { type: "json_schema", schema, layout: "compact" }],
    [{ type: "regex", pattern: /a+/ }, { type: "regex", pattern: "a+" }],
    [{ type: "grammar", grammar: "root ::= \"a\"" }, { type: "grammar", text: "root ::= \"a\"" }],
    [{ type: "grammar", grammar: "start: /a/", syntax: "lark" }, { type: "grammar", text: "start: /a/", syntax: "lark" }],
  ] as const) {
    await engine.chat.completions.create({ messages, max_tokens: 1, response_format: given });
    assert.deepEqual(realm.control.forms.pop(), passed);
  }
  for (const wrong of [{ type: "xml" }, { type: "json_schema" }, { type: "regex", pattern: /a/i }, { type: "regex" }, "json_object", { type: "json_object", layout: "wide" }, { type: "grammar", grammar: "", syntax: "ebnf" }]) {
    const request = { messages, response_format: wrong } as unknown as Parameters<typeof engine.chat.completions.create>[0];
    await assert.rejects(engine.chat.completions.create(request), { code: "E_INVALID_PARAMETER" }, JSON.stringify(wrong));
  }
  const both = { messages, response_format: { type: "json_object" as const }, constraint: () => null };
  await assert.rejects(engine.chat.completions.create(both), { code: "E_INVALID_PARAMETER" });
  const guessed = { messages, constraint: () => null, speculate: "auto" };
  await assert.rejects(engine.chat.completions.create(guessed), { code: "E_INVALID_PARAMETER" });
  const wrong = { messages, max_tokens: 1, response_format: { type: "grammar" as const, grammar: "no grammar" } };
  await assert.rejects(engine.chat.completions.create(wrong), { code: "E_GRAMMAR_SYNTAX" });
  assert.equal((await engine.chat.completions.create({ messages, max_tokens: 1 })).choices.length, 1, "the engine goes on");
  await assert.rejects(engine.chat.completions.create({ messages, tool_choice: "required" }), { code: "E_INVALID_PARAMETER" });
});
