// The wasm in Node, on the CPU twins: the border, the golden paths, and everything that can go wrong at it.

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { test } from "node:test";

import { MODELS, QUANT_TOLERANCE, TYPES, behindExpected, bytesSource, generate, greedy, partsFrom } from "./page/golden.js";

const root = new URL("../../", import.meta.url);
const wasm = new URL("npm/src/wasm/goldcrest_wasm_bg.wasm", root);
const border = await import(new URL("npm/src/wasm/goldcrest_wasm.js", root));
const { memory } = await border.default({ module_or_path: await readFile(wasm) });

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
  const module = await WebAssembly.compile(await readFile(wasm));
  const modules = new Set(WebAssembly.Module.imports(module).map((entry) => entry.module));
  assert.deepEqual([...modules], ["./goldcrest_wasm_bg.js"]);
});

test("no text becomes code", async () => {
  const glue = await readFile(new URL("npm/src/wasm/goldcrest_wasm.js", root), "utf8");
  assert.doesNotMatch(glue, /\beval\(|new Function\(|SharedArrayBuffer/);
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
