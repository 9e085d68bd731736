import assert from "node:assert/strict";
import test from "node:test";
import { EngineHost } from "../dist/core/host.js";
import { LocalCore } from "../dist/core/local.js";
import { GoldcrestError, type ChatCompletionChunk, type ChatMessage } from "../dist/index.js";
import { readLoadOptions } from "../dist/options.js";
import { resolveSource } from "../dist/source/resolve.js";
import { coded } from "./fake-wasm.js";
import { KINDS, loadEngine, MODEL, rest, soon } from "./load.js";
import { portCore, testRealm } from "./realm.js";

const messages: ChatMessage[] = [{ role: "user", content: "Hello" }];
const chat = (max_tokens: number, signal?: AbortSignal) => ({ messages, max_tokens, signal });

async function rejects(promise: Promise<unknown>, code: string): Promise<GoldcrestError> {
  const error = await promise.then(() => assert.fail("it was fulfilled"), (thrown: unknown) => thrown);
  assert.ok(error instanceof GoldcrestError, String(error));
  assert.equal(error.code, code, error.message);
  assert.equal(error.name, code === "E_ABORTED" ? "AbortError" : "GoldcrestError");
  return error;
}

for (const kind of KINDS) {
  test(`${kind}: the engine waits while nobody reads, and leaving the loop ends the generation`, async () => {
    const { engine, realm } = await loadEngine(kind);
    const stream = await engine.chat.completions.create({ ...chat(1000), stream: true });
    let seen = 0;
    for await (const chunk of stream) {
      assert.ok(chunk.choices.length);
      seen += 1;
      await rest(10);
      // In the pipe 4, across the border 8, and what is being handed over.
      assert.ok(realm.control.tokens <= seen + 14, `${realm.control.tokens} tokens for ${seen} reads`);
      if (seen === 5) break;
    }
    await rest(20);
    const after = realm.control.tokens;
    await rest(20);
    assert.equal(realm.control.tokens, after);
    assert.equal(realm.control.running, 0);
    assert.equal((await engine.chat.completions.create(chat(1))).usage.completion_tokens, 1);
    await engine.dispose();
  });

  test(`${kind}: requests run in order, one at a time; streams that nobody reads hold up none`, async () => {
    const { engine, realm } = await loadEngine(kind);
    realm.control.beforeToken = () => rest(1);
    const unread = await engine.chat.completions.create({ ...chat(9), stream: true });
    const order: number[] = [];
    await Promise.all([3, 1, 2].map((n) => engine.chat.completions.create(chat(n)).then(() => order.push(n))));
    assert.deepEqual(order, [3, 1, 2]);
    const chunks: ChatCompletionChunk[] = [];
    for await (const chunk of unread) chunks.push(chunk);
    assert.equal(chunks.at(-1)?.usage?.completion_tokens, 9);
    await engine.dispose();
  });

  test(`${kind}: an abort rejects within 100 ms even while the engine is busy, and the next call works`, async () => {
    const { engine, realm } = await loadEngine(kind);
    realm.control.beforeToken = () => rest(400);
    const control = new AbortController();
    const running = engine.chat.completions.create(chat(50, control.signal));
    await rest(20);
    control.abort(new Error("enough"));
    const error = await soon(rejects(running, "E_ABORTED"));
    assert.equal((error.cause as Error).message, "enough");
    delete realm.control.beforeToken;
    assert.equal((await engine.chat.completions.create(chat(2))).usage.completion_tokens, 2);
    await engine.dispose();
  });

  test(`${kind}: aborts of streams, of waiting calls, and before the start`, async () => {
    const { engine, realm } = await loadEngine(kind);
    const control = new AbortController();
    const stream = await engine.chat.completions.create({ ...chat(500), stream: true, signal: control.signal });
    let seen = 0;
    const reading = (async () => {
      for await (const chunk of stream) {
        seen += chunk.choices.length;
        if (seen === 3) control.abort();
      }
    })();
    await rejects(reading, "E_ABORTED");
    assert.equal(seen, 3);
    const own = await engine.chat.completions.create({ ...chat(500), stream: true });
    await own[Symbol.asyncIterator]().next();
    own.abort();
    await rejects(own[Symbol.asyncIterator]().next(), "E_ABORTED");

    realm.control.beforeToken = () => rest(30);
    const first = engine.chat.completions.create(chat(3));
    const waiting = new AbortController();
    const second = engine.chat.completions.create(chat(7, waiting.signal));
    waiting.abort();
    await rejects(second, "E_ABORTED");
    await rejects(engine.chat.completions.create(chat(7, AbortSignal.abort())), "E_ABORTED");
    await first;
    assert.ok(!realm.control.requests.some(({ max_tokens }) => max_tokens === 7));
    await engine.dispose();
  });

  test(`${kind}: tokenizer calls do not wait for a generation`, async () => {
    const { engine, realm } = await loadEngine(kind);
    realm.control.beforeToken = () => rest(300);
    const answer = engine.chat.completions.create(chat(3));
    await soon(engine.countTokens("Hi"));
    await answer;
    await engine.dispose();
  });

  test(`${kind}: after a lost device the running call rejects and the next one rebuilds the engine`, async () => {
    const { engine, realm, progress } = await loadEngine(kind);
    assert.equal(progress.at(-1)?.phase, "ready");
    realm.control.beforeToken = (index, number) => {
      if (index === 2 && number === 1) throw coded("E_DEVICE_LOST", "the device is lost");
    };
    const error = await rejects(engine.chat.completions.create(chat(5)), "E_DEVICE_LOST");
    assert.equal(error.help, "help for E_DEVICE_LOST");
    assert.equal((await engine.chat.completions.create(chat(5))).usage.completion_tokens, 5);
    assert.equal(engine.info.profile, "engine 2");
    await engine.loseDevice();
    assert.deepEqual(await engine.tokenize("a"), [97]);
    assert.equal(realm.control.loaded, 3);
    assert.equal(realm.instances, 1);
    await engine.dispose();
    assert.equal(realm.control.freed, kind === "local" ? 3 : 2);
  });

  test(`${kind}: a trapped instance is replaced`, async () => {
    const { engine, realm } = await loadEngine(kind);
    realm.control.beforeToken = (_, number) => {
      if (number === 1) throw new WebAssembly.RuntimeError("unreachable");
    };
    await rejects(engine.chat.completions.create(chat(5)), "E_TRAPPED");
    const counted = engine.countTokens("Hi");
    assert.equal((await engine.chat.completions.create(chat(5))).usage.completion_tokens, 5);
    assert.equal(await counted, 2);
    assert.equal(realm.instances, 2);
    assert.equal(realm.control.loaded, 2);
    await engine.dispose();
  });

  test(`${kind}: a disposed engine refuses, and ends what runs`, async () => {
    const { engine, realm } = await loadEngine(kind);
    realm.control.beforeToken = () => rest(10);
    const running = rejects(engine.chat.completions.create(chat(500)), "E_DISPOSED");
    const queued = rejects(engine.chat.completions.create(chat(1)), "E_DISPOSED");
    await rest(30);
    await engine[Symbol.asyncDispose]();
    await Promise.all([running, queued]);
    await rejects(engine.tokenize("x"), "E_DISPOSED");
    await rejects(engine.chat.completions.create(chat(1)), "E_DISPOSED");
    await rejects(engine.loseDevice(), "E_DISPOSED");
    await engine.dispose();
    assert.equal(realm.control.requests.length, 1);
  });

  test(`${kind}: a load is aborted at once, and leaves nothing behind`, async () => {
    const realm = testRealm();
    realm.control.beforeRead = () => rest(150);
    const control = new AbortController();
    const loading = loadEngine(kind, { realm, options: { signal: control.signal } });
    await rest(20);
    control.abort();
    await soon(rejects(loading, "E_ABORTED"));
    await rest(400);
    assert.equal(realm.control.loaded, realm.control.freed);
    delete realm.control.beforeRead;
    const { engine } = await loadEngine(kind, { realm });
    await engine.dispose();
  });

  test(`${kind}: fifty engines come and go`, async () => {
    const realm = testRealm();
    for (let round = 0; round < 50; round += 1) {
      const { engine } = await loadEngine(kind, { realm });
      await engine.chat.completions.create(chat(1));
      await engine.dispose();
    }
    assert.equal(realm.control.loaded, 50);
    assert.equal(realm.control.freed, kind === "local" ? 50 : 0);
    assert.equal(realm.instances, 1);
  });
}

test("errors cross the border whole", async () => {
  const { engine, realm } = await loadEngine("worker");
  realm.control.beforeToken = () => {
    throw coded("E_PROMPT_TOO_LONG", "too long");
  };
  const error = await rejects(engine.chat.completions.create(chat(1)), "E_PROMPT_TOO_LONG");
  assert.equal(error.message, "too long");
  assert.equal(error.help, "help for E_PROMPT_TOO_LONG");
  const copy = GoldcrestError.from(JSON.parse(JSON.stringify(error)));
  assert.deepEqual(copy.toJSON(), error.toJSON());
  await engine.dispose();
});

test("a worker of another version is refused", async () => {
  const { core, page, terminated } = portCore(testRealm());
  page.onmessage?.({ data: { kind: "hello", version: "0.0.1" } } as MessageEvent);
  const error = await rejects(core.call("tokenize", ["x", false, false], { signal: new AbortController().signal }), "E_VERSION");
  assert.equal(error.details?.["found"], "0.0.1");
  assert.ok(terminated());
});

test("a worker that fails is replaced by the next call", async () => {
  const realm = testRealm();
  const cores: ReturnType<typeof portCore>[] = [];
  const makeCore = () => {
    const made = portCore(realm);
    cores.push(made);
    return made.core;
  };
  const ref = await resolveSource(MODEL);
  const host = await EngineHost.load({ makeCore, ref, options: readLoadOptions({}) }, undefined, () => undefined);
  realm.control.beforeToken = () => rest(50);
  const running = host.call("generate", [{ prompt: { text: "x", parse_special: false } }]);
  await rest(20);
  cores[0]?.page.onerror?.({ message: "out of memory" } as ErrorEvent);
  await rejects(running, "E_WORKER");
  delete realm.control.beforeToken;
  realm.control.running = 0;
  assert.equal((await host.call("generate", [{ prompt: { text: "x", parse_special: false }, max_tokens: 2 }])).tokens.length, 2);
  assert.equal(cores.length, 2);
  await host.dispose();
});

test("an engine that never ends an aborted load is ended from outside", async () => {
  const realm = testRealm();
  let hang!: () => void;
  realm.control.beforeRead = () => new Promise((resolve) => (hang = resolve));
  const { core, terminated } = portCore(realm);
  const control = new AbortController();
  const host = EngineHost.load({ makeCore: () => core, ref: await resolveSource(MODEL), options: readLoadOptions({}) }, control.signal, () => undefined);
  await rest(20);
  control.abort();
  await rejects(host, "E_ABORTED");
  await rest(2300);
  assert.ok(terminated());
  hang();
});

test("calls of the in-page core that run wait for their end before the memory is freed", async () => {
  const realm = testRealm();
  const core = new LocalCore(realm);
  const ref = await resolveSource(MODEL);
  const signal = new AbortController().signal;
  await core.call("load", [ref, readLoadOptions({})], { signal });
  realm.control.beforeToken = () => rest(20);
  const running = core.call("generate", [{ prompt: { tokens: [1] }, max_tokens: 2 }], { signal });
  const closing = core.close();
  assert.equal(realm.control.freed, 0);
  await running;
  await closing;
  assert.equal(realm.control.freed, 1);
});
