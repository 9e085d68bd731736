// The wasm in Node, on the CPU twins: the border, the golden paths, and everything that can go wrong at it.

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

import { compilerOf, constraintOf, tokensOf, walk } from "./page/forms.js";
import { MODELS, QUANT_TOLERANCE, TYPES, behindExpected, bytesSource, generate, greedy, partsFrom } from "./page/golden.js";

const root = new URL("../../", import.meta.url);
const wasm = new URL("npm/src/wasm/goldcrest_wasm_bg.wasm", root);
const border = await import(new URL("npm/src/wasm/goldcrest_wasm.js", root));
const { memory } = await border.default({ module_or_path: await readFile(wasm) });

const grammarWasm = new URL("npm/src/wasm/goldcrest_grammar_bg.wasm", root);
const grammar = await import(new URL("npm/src/wasm/goldcrest_grammar.js", root));
await grammar.default({ module_or_path: await readFile(grammarWasm) });

const golden = (name) => readFile(new URL(`tests/golden/tiny/${name}`, root));
const reference = async (name) => JSON.parse(await golden(`${name}.json`));
const idle = { aborted: false };

async function open(name, options = {}, onProgress = () => {}, signal = idle) {
  const source = bytesSource(await golden(`${name}.gguf`));
  return border.Engine.load(source, JSON.stringify({ backend: "cpu", ...options }), onProgress, signal);
}

const llama = await open("llama");
const path = (await reference("llama")).greedy;
const ask = (more) => ({ prompt: { tokens: path.prompt }, temperature: 0, max_tokens: 4, ignore_eos: true, ...more });

test("nothing is imported but what the bindings give", async () => {
  for (const [file, bindings] of [[wasm, "./goldcrest_wasm_bg.js"], [grammarWasm, "./goldcrest_grammar_bg.js"]]) {
    const module = await WebAssembly.compile(await readFile(file));
    const modules = new Set(WebAssembly.Module.imports(module).map((entry) => entry.module));
    assert.deepEqual([...modules], [bindings]);
  }
});

test("no text becomes code", async () => {
  for (const name of ["goldcrest_wasm", "goldcrest_grammar"]) {
    const glue = await readFile(new URL(`npm/src/wasm/${name}.js`, root), "utf8");
    assert.doesNotMatch(glue, /\beval\(|new Function\(|SharedArrayBuffer/);
  }
});

for (const name of MODELS) {
  test(`${name}: greedy path`, async () => {
    const engine = await open(name);
    const { greedy: expected } = await reference(name);
    for (const steps_per_submit of [0, 4]) {
      const found = await greedy(engine, expected, { steps_per_submit });
      assert.equal(partsFrom(expected, found), undefined);
    }
    engine.free();
  });
}

test("next token with every weight type", async () => {
  const { ids, types } = await reference("quants");
  for (const type of TYPES) {
    const engine = await open(`q_${type}`);
    const behind = await behindExpected(engine, ids, types[type].argmax_every_position.at(-1));
    assert.ok(behind < 2 * QUANT_TOLERANCE, `${type}: ${behind}`);
    engine.free();
  }
});

test("events come in order, with back-pressure", async () => {
  let waiting = false;
  const { events, stats } = await generate(llama, ask({ logprobs: 3 }), idle, async () => {
    assert.ok(!waiting, "an event came before the last one was done");
    waiting = true;
    await new Promise((resolve) => setTimeout(resolve, 2));
    waiting = false;
  });
  assert.deepEqual(events[0], { type: "prompt", tokens: path.prompt });
  const types = events.map((event) => event.type).join(" ");
  assert.match(types, /^prompt( prefill)* token token token token end$/);
  const tokens = events.filter((event) => event.type === "token");
  assert.deepEqual(tokens.map((event) => event.id), stats.tokens);
  for (const { id, top, logprob } of tokens) {
    assert.equal(top.length, 3);
    assert.equal(top[0].id, id);
    assert.ok(Math.abs(top[0].logprob - logprob) < 1e-4);
  }
  assert.equal(events.at(-1).finish, "length");
  assert.equal(stats.decode_tokens, 4);
});

test("what is in the cache is not run again", async () => {
  const engine = await open("llama");
  const first = await generate(engine, ask());
  assert.equal(first.stats.reused_tokens, 0);
  const tokens = [...path.prompt, ...first.stats.tokens, 5];
  const second = await generate(engine, ask({ prompt: { tokens } }));
  assert.ok(second.stats.reused_tokens >= path.prompt.length + 3, JSON.stringify(second.stats));
  const fresh = await generate(await open("llama"), ask({ prompt: { tokens } }));
  assert.deepEqual(second.stats.tokens, fresh.stats.tokens);
  assert.equal(second.stats.reused_tokens + second.stats.prefill_tokens, tokens.length);
});

test("an abort ends with what there is, and the next call works", async () => {
  const signal = { aborted: false };
  const { end, stats } = await generate(llama, ask({ max_tokens: 100 }), signal, (event) => {
    if (event.type === "token") signal.aborted = true;
  });
  assert.equal(end.finish, "aborted");
  assert.equal(stats.tokens.length, 1);
  assert.equal((await generate(llama, ask())).end.finish, "length");
});

test("one generation at a time", async () => {
  let second;
  const first = await generate(llama, ask(), idle, async (event) => {
    if (event.type === "prompt") second = await generate(llama, ask()).catch((error) => error);
  });
  assert.equal(second.code, "E_BUSY");
  assert.equal(first.end.finish, "length");
});

test("a stop text ends the answer before it", async () => {
  const whole = (await generate(llama, ask({ max_tokens: 12 }))).events.map((event) => event.text ?? "").join("");
  const stop = whole.slice(5, 8);
  const { events, end } = await generate(llama, ask({ max_tokens: 12, stop: [stop] }));
  assert.equal(end.finish, "stop_string");
  assert.equal(events.map((event) => event.text ?? "").join(""), whole.slice(0, whole.indexOf(stop)));
});

test("biased tokens", async () => {
  const { stats } = await generate(llama, ask({ logit_bias: { 77: 1000 } }));
  assert.deepEqual(stats.tokens, [77, 77, 77, 77]);
});

test("the same seed draws the same tokens, another one others", async () => {
  const draw = async (seed) => {
    const hot = ask({ max_tokens: 12, seed, temperature: 1.5, top_k: 0, min_p: 0 });
    return (await generate(llama, hot)).stats.tokens;
  };
  const [one, again, other] = [await draw(1), await draw(1), await draw(2)];
  assert.deepEqual(one, again);
  assert.notDeepEqual(one, other);
});

test("what the caller throws comes back", async () => {
  const mine = new RangeError("mine");
  await assert.rejects(generate(llama, ask(), idle, () => { throw mine; }), mine);
  await assert.rejects(generate(llama, ask(), idle, () => Promise.reject(mine)), mine);
  const source = { size: 1e6, read: async () => { throw mine; } };
  await assert.rejects(border.Engine.load(source, "{}", () => {}, idle), mine);
  await assert.rejects(border.plan(source), mine);
  assert.equal((await generate(llama, ask())).end.finish, "length");
});

test("errors have codes and help", async () => {
  const refused = async (code, work) => {
    await assert.rejects(work, (error) => {
      assert.equal(error.code, code, error.message);
      assert.ok(error instanceof Error && error.message.length > 0 && error.help.length > 0);
      return true;
    });
  };
  await refused("E_EMPTY_PROMPT", generate(llama, ask({ prompt: { tokens: [] } })));
  await refused("E_BAD_TOKEN", generate(llama, ask({ prompt: { tokens: [1e6] } })));
  const tokens = Array(5000).fill(1);
  await refused("E_PROMPT_TOO_LONG", generate(llama, ask({ prompt: { tokens } })));
  const slips = [
    { temperature: -1 }, { temperature: "hot" }, { top_k: 1.5 }, { logprobs: 257 }, { tempreature: 1 }, { prompt: {} },
    { stop: "x" },
  ];
  for (const wrong of slips) {
    await refused("E_INVALID_PARAMETER", generate(llama, ask(wrong)));
  }
  await refused("E_INVALID_PARAMETER", open("llama", { backend: "abacus" }));
  await refused("E_BAD_CONTEXT", open("llama", { context_length: 1 << 20 }));
  await refused("E_KERNEL_ENTRY", open("llama", { forced_kernels: [["lanes", "8"]] }));
  await refused("E_MODEL_UNSUPPORTED_TYPE", open("q_IQ1_S"));
  await refused("E_NO_ADAPTER", open("llama", { backend: "webgpu" }));
  const file = await golden("llama.gguf");
  const load = (bytes) => border.Engine.load(bytesSource(bytes), JSON.stringify({ backend: "cpu" }), () => {}, idle);
  const untaught = Buffer.from(file.toString("latin1").replace("chat_template", "chat_tomplate"), "latin1");
  await refused("E_NO_CHAT_TEMPLATE", generate(await load(untaught), ask({ prompt: { messages: [] } })));
  await refused("E_GGUF_TRUNCATED", load(file.subarray(0, 5000)));
  await refused("E_GGUF_MAGIC", load(Buffer.from("dear diary, nothing happened today")));
  await refused("E_ABORTED", open("llama", {}, () => {}, { aborted: true }));
});

test("a lost device ends what runs and what comes", async () => {
  const engine = await open("llama");
  const running = generate(engine, ask({ max_tokens: 50 }), idle, (event) => {
    if (event.type === "token") engine.loseDevice();
  });
  await assert.rejects(running, { code: "E_DEVICE_LOST" });
  await assert.rejects(generate(engine, ask()), { code: "E_DEVICE_LOST" });
  engine.free();
});

test("an engine may be freed while it runs", async () => {
  const engine = await open("llama");
  const running = generate(engine, ask());
  engine.free();
  assert.equal((await running).end.finish, "length");
});

test("progress and reports", async () => {
  const seen = [];
  const engine = await open("gemma3", { context_length: 64 }, (...progress) => seen.push(progress));
  const phases = [...new Set(seen.map(([phase]) => phase))];
  assert.deepEqual(phases, ["compile", "upload"]);
  const compiles = seen.filter(([phase]) => phase === "compile");
  assert.ok(compiles.length > 10);
  assert.deepEqual(compiles.map(([, done]) => done), compiles.map((_, i) => i + 1));
  assert.ok(compiles.every(([, , total]) => total === compiles.length));
  const uploads = seen.filter(([phase]) => phase === "upload");
  assert.deepEqual(uploads.at(-1)[1], uploads.at(-1)[2]);
  const info = JSON.parse(engine.info());
  assert.equal(info.backend, "cpu");
  assert.equal(info.profile, "software");
  assert.equal(info.context_length, 64);
  assert.equal(info.model.arch, "gemma3");
  const plan = JSON.parse(await border.plan(bytesSource(await golden("gemma3.gguf")), 64));
  assert.deepEqual(plan.memory, info.memory);
  assert.deepEqual(plan.model, info.model);
  assert.equal(plan.file_bytes, (await golden("gemma3.gguf")).byteLength);
  engine.free();
});

test("text to tokens and back", async () => {
  for (const { text, ids } of (await reference("llama")).tokenize) {
    const tokens = llama.tokenize(text, false, true);
    assert.deepEqual([...tokens], ids);
    assert.equal(llama.detokenize(tokens), text);
    assert.equal(JSON.parse(llama.pieces(tokens)).length, ids.length);
  }
});

test("sums", () => {
  const bytes = new Uint8Array(100_000).map((_, i) => i * 7);
  const sum = new border.Sha256();
  for (let at = 0; at < bytes.length; at += 4096) sum.update(bytes.subarray(at, at + 4096));
  assert.equal(sum.digestHex(), createHash("sha256").update(bytes).digest("hex"));
});

test("the self-test holds", async () => {
  const tested = JSON.parse(await llama.selftest());
  assert.ok(tested.length >= 13);
  assert.deepEqual(tested.filter((entry) => !entry.ok), []);
});

test("loading again and again does not grow", async () => {
  let before;
  for (let i = 0; i < 50; i += 1) {
    const engine = await open("llama");
    await generate(engine, ask());
    engine.free();
    if (i === 4) before = memory.buffer.byteLength;
  }
  assert.equal(memory.buffer.byteLength, before);
});

test("a record made here is repeated by the command", async () => {
  const url = new URL("tests/golden/tiny/llama.gguf", root);
  const made = await records(await readFile(url));
  const folder = await mkdtemp(join(tmpdir(), "goldcrest-"));
  const command = ["run", "--quiet", "--release", "--bin", "goldcrest", "--", "verify"];
  const verify = (file) => spawnSync("cargo", [...command, file, "-m", fileURLToPath(url), "--adapter", "cpu", "--json"], { cwd: root, encoding: "utf8" });
  for (const [at, one] of made.entries()) {
    const file = join(folder, `${at}.json`);
    await writeFile(file, JSON.stringify(one));
    const { status, stdout, stderr } = verify(file);
    assert.equal(status, 0, stderr);
    const { same, tokens, differing_facts } = JSON.parse(stdout);
    // Only what computed is another.
    assert.deepEqual([same, tokens, differing_facts.filter((fact) => !/build|adapter/.test(fact))], [true, one.body.tokens.length, []]);
  }
  const forged = structuredClone(made[0]);
  forged.body.settings.seed += 1;
  await writeFile(join(folder, "forged.json"), JSON.stringify(forged));
  assert.match(verify(join(folder, "forged.json")).stderr, /was changed after it was written/);
  await rm(folder, { recursive: true });
});

/** Records of answers in every way that a record knows. */
async function records(file) {
  const model = { file: "llama.gguf", bytes: file.length, sha256: createHash("sha256").update(file).digest("hex"), of: "file" };
  const engine = await open("llama", { deterministic: true });
  const made = [];
  for (const { form, ...more } of [
    {},
    { temperature: 0.9, seed: 7, top_k: 0, typical_p: 0.9 },
    { temperature: 1, seed: 8, mirostat: 2, stop: ["nothing of the kind"], logit_bias: { 5: -1.5 } },
    { strategy: { name: "context_aware", alpha: 0.5 }, references: [{ text: "Hello" }] },
    { temperature: 0.7, seed: 9, form: { type: "regex", pattern: "[a-f]{4,9}" }, ignore_eos: false },
  ]) {
    const constraint = form && constraintOf(forms.compile(JSON.stringify(form)));
    const asked = { ...ask({ max_tokens: 10, ...more }), record: { model, ...(form && { form: { kind: "regex", text: form.pattern } }) } };
    const { stats } = await generate(engine, asked, idle, () => {}, constraint);
    assert.deepEqual([stats.record.body.tokens, stats.record.body.prompt_tokens], [stats.tokens, path.prompt]);
    made.push(stats.record);
  }
  engine.free();
  return made;
}

test("a further model beside the first: what it is for, and what is refused", async () => {
  const load = async (engine, name) => engine.loadOther(bytesSource(await golden(`${name}.gguf`)), () => {}, idle);
  const engine = await open("llama");
  const draft = ask({ strategy: "speculate:drafter=draft,plan=false", max_tokens: 12 });
  await assert.rejects(generate(engine, draft), { code: "E_STRATEGY_NEEDS" });
  const { model, memory: plan } = JSON.parse(await load(engine, "llama"));
  assert.equal(model.arch, "llama");
  assert.equal(plan.context_length, JSON.parse(engine.info()).context_length);
  const { stats } = await generate(engine, draft);
  assert.deepEqual(stats.tokens, path.ids.slice(0, 12));
  assert.ok(stats.strategy.speculation.tau > 3, JSON.stringify(stats.strategy));
  await load(engine, "q_Q4_0");
  await assert.rejects(generate(engine, draft), { code: "E_DRAFT_TOO_LARGE" });
  await assert.rejects(load(engine, "gemma3"), { code: "E_VOCABULARY_MISMATCH", message: /^tiny random gemma3 beside tiny random llama: / });
  await assert.rejects(generate(engine, draft), { code: "E_STRATEGY_NEEDS" }, "the one before it is gone");
  const mine = new RangeError("mine");
  await assert.rejects(engine.loadOther({ size: 1e6, read: async () => { throw mine; } }, () => {}, idle), mine);
  engine.free();
});

test("a further model that memory has no room for is refused by name", async () => {
  const another = await import(new URL("npm/src/wasm/goldcrest_wasm.js?instance=2", root));
  const { memory: own } = await another.default({ module_or_path: await readFile(wasm) });
  const bytes = await golden("llama.gguf");
  const engine = await another.Engine.load(bytesSource(bytes), JSON.stringify({ backend: "cpu" }), () => {}, idle);
  // All addresses but 1 MiB are taken, which does for a header and for no cache.
  own.grow(65536 - own.buffer.byteLength / 65536 - 16);
  const full = await engine.loadOther(bytesSource(bytes), () => {}, idle).catch((error) => error);
  assert.equal(full.code, "E_OUT_OF_GPU_MEMORY", String(full));
  assert.match(full.message, /^tiny random llama beside tiny random llama: out of GPU memory/);
  assert.equal((await generate(engine, ask())).end.finish, "length");
});

const forms = compilerOf(grammar, llama);

/** The text that a generation in a form gives, with its end. */
async function formed(form, more = {}) {
  const compiled = forms.compile(JSON.stringify(form));
  const asked = ask({ max_tokens: 200, ignore_eos: false, ...more });
  const { events, end, stats } = await generate(llama, asked, idle, () => {}, constraintOf(compiled));
  return { text: events.map((event) => event.text ?? "").join(""), finish: end.finish, stats };
}

test("answers have the form that is asked for", async () => {
  const schema = {
    type: "object",
    properties: { name: { type: "string", maxLength: 6, pattern: "^[a-z]+$" }, age: { type: "integer", minimum: 0, maximum: 99 } },
    required: ["name", "age"],
    additionalProperties: false,
  };
  for (const more of [{}, { temperature: 1, seed: 3, top_k: 0 }, { temperature: 1, seed: 4, top_k: 40, repeat_penalty: 1.2 }]) {
    const { text, finish, stats } = await formed({ type: "json_schema", schema }, more);
    assert.equal(finish, "grammar_end");
    const { name, age } = JSON.parse(text);
    assert.match(name, /^[a-z]{1,6}$/);
    assert.ok(Number.isInteger(age) && age >= 0 && age <= 99, text);
    assert.ok(stats.forward_passes < stats.tokens.length, "tokens without alternative run together");
  }
  assert.match((await formed({ type: "json_schema", schema, layout: "compact" })).text, /^\{"name":"[a-z]{1,6}","age":[0-9]{1,2}\}$/);
  assert.match((await formed({ type: "regex", pattern: "[0-9]{3}-[a-f]{2}" })).text, /^[0-9]{3}-[a-f]{2}$/);
  assert.match((await formed({ type: "grammar", text: "root ::= \"yes\" | \"no\"" })).text, /^(yes|no)$/);
  assert.match((await formed({ type: "grammar", text: "start: \"y\" \"n\"", syntax: "lark" })).text, /^yn$/);
  const tool = (name) => ({ type: "function", function: { name, parameters: { type: "object", properties: {}, additionalProperties: false } } });
  const tools = { type: "tools", tools: [tool("a"), tool("b")], format: "hermes", choice: { name: "b" }, parallel: false };
  assert.equal((await formed(tools)).text, "<tool_call>\n{\"name\": \"b\", \"arguments\": {}}\n</tool_call>");
});

test("forms that cannot be enforced are refused with their place", () => {
  for (const [form, code, said, place] of [
    [{ type: "json_schema", schema: { properties: { a: { not: {} } } } }, "E_SCHEMA_UNSUPPORTED", /`not` at #\/properties\/a\/not/, "#/properties/a/not"],
    [{ type: "json_schema", schema: false }, "E_SCHEMA_UNSATISFIABLE", /./],
    [{ type: "regex", pattern: "(" }, "E_GRAMMAR_SYNTAX", /./],
    [{ type: "grammar", text: "root ::= root" }, "E_GRAMMAR_SYNTAX", /left recursion/],
    [{ type: "regex", pattern: "(".repeat(1000) }, "E_GRAMMAR_LIMIT", /nesting/],
    [{ type: "tools", tools: [], format: "hermes", choice: "auto" }, "E_SCHEMA_INVALID", /no tool/],
    [{ type: "tools", tools: [] }, "E_INVALID_PARAMETER", /choice/],
    [{ type: "xml" }, "E_INVALID_PARAMETER", /json_schema, json_object/],
  ]) {
    assert.throws(() => forms.compile(JSON.stringify(form)), (error) => {
      assert.equal(error.code, code, error.message);
      assert.match(error.message, said);
      assert.equal(error.path, place);
      return typeof error.help === "string";
    });
  }
});

test("a callback names the words that may come, at once or later", async () => {
  for (const later of [false, true]) {
    let asked = 0;
    const monitor = (text, tokens) => {
      asked += 1;
      assert.ok(tokens instanceof Uint32Array);
      const words = text === "" ? ["alpha", "beta"] : null;
      return later ? new Promise((resolve) => setTimeout(resolve, 1, words)) : words;
    };
    const { events } = await generate(llama, ask({ max_tokens: 20 }), idle, () => {}, constraintOf(forms.monitor(), monitor));
    assert.match(events.map((event) => event.text ?? "").join(""), /^(alpha|beta)(?![0-9A-Za-z_])/);
    assert.ok(asked > 1);
  }
});

test("what a constraint throws is what the caller gets, and the engine goes on", async () => {
  const thrown = new Error("no server");
  const throwing = { ...constraintOf(forms.monitor()), mask: () => { throw thrown; } };
  assert.equal(await generate(llama, ask(), idle, () => {}, throwing).catch((error) => error), thrown);
  const late = constraintOf(forms.monitor(), () => Promise.reject(thrown));
  assert.equal(await generate(llama, ask(), idle, () => {}, late).catch((error) => error), thrown);
  const { stats } = await generate(llama, ask());
  assert.deepEqual(stats.tokens, path.ids.slice(0, 4));
  const beside = generate(llama, ask({ strategy: "superposed" }), idle, () => {}, constraintOf(forms.monitor()));
  assert.equal((await beside.catch((error) => error)).code, "E_STRATEGY_WITH_FORM");
});

test("speculation holds to a form", async () => {
  const form = { type: "json_schema", schema: { type: "array", items: { enum: ["red", "green"] }, minItems: 3, maxItems: 5 } };
  const plain = await formed(form);
  const guessed = await formed(form, { strategy: "speculate:drafter=auto" });
  assert.equal(guessed.text, plain.text);
  assert.ok(JSON.parse(plain.text).length >= 3);
});

test("a form goes on, back, and two ways", () => {
  const form = forms.compile(JSON.stringify({ type: "regex", pattern: "ab|ac|b" }));
  const [a, b, c] = ["a", "b", "c"].map((letter) => llama.continuation(letter)[0]);
  const allowed = () => tokensOf(form.mask());
  assert.deepEqual([a, b, c].map((token) => allowed().includes(token)), [true, true, false]);
  form.commit(a);
  const other = form.fork();
  other.commit(b);
  assert.deepEqual([other.isOver(), form.isOver()], [true, false]);
  assert.throws(() => form.commit(a), { code: "E_CONSTRAINT" });
  assert.deepEqual([a, b, c].map((token) => allowed().includes(token)), [false, true, true]);
  form.rollback(1);
  assert.deepEqual([a, b, c].map((token) => allowed().includes(token)), [true, true, false]);
});

test("masks are made only where there is a choice", () => {
  const schema = { type: "object", properties: { first: { enum: ["x", "y"] }, second: { type: "boolean" } }, required: ["first", "second"], additionalProperties: false };
  const { times, compiled } = walk(forms, [schema], 300);
  // The rest of the text is forced: only the value of each property is chosen.
  assert.equal(compiled, 1);
  assert.ok(times.length >= 2 && times.length < 16, `${times.length} masks`);
});
