// The package in headless Chromium: what only a browser has. `npm run test:browser`; `npm ci` in tests/browser installs what drives it.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, before, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { launch } from "../../tests/browser/chromium.js";
import { hindrance, servePage, visit as visitOf } from "./page.mjs";

if (hindrance !== undefined) {
  console.log(`skip: the npm package in a browser: ${hindrance}`);
  process.exit(0);
}

const MIB = 1 << 20;
const golden = JSON.parse(readFileSync(new URL("../../tests/golden/tiny/llama.json", import.meta.url), "utf8")).greedy;
const tiny = readFileSync(new URL("../../tests/golden/tiny/llama.gguf", import.meta.url));
// Bytes behind the weights make the download as long as a real one without making the rest slow.
const model = new Uint8Array(tiny.length + 40 * MIB).map((_, at) => (at * 31 + (at >> 12)) & 255);
model.set(tiny);

let browser, server;
/** How long the body of each answer with the model waits. */
let delay = 0;
before(async () => {
  const held = (path) => (path === "/model.gguf" && delay > 0 ? sleep(delay) : undefined);
  [browser, server] = await Promise.all([launch(), servePage({ "model.gguf": model }, held)]);
});
after(async () => {
  await browser?.close();
  await server?.close();
});

const visit = () => visitOf(browser, server);

/** The requests for the model since `forget()`, and how many of its bytes they were promised. */
const fetched = () => server.requests.filter(({ path }) => path === "/model.gguf");
const sent = () => fetched().reduce((sum, { bytes }) => sum + bytes, 0);
const forget = () => (server.requests.length = 0);

/** Loads the model in the page and has it go on along the reference; what came of it. */
const answer = (page, options = {}) =>
  page.evaluate(
    async ([prompt, options]) => {
      const { Goldcrest } = window.goldcrest;
      const engine = await Goldcrest.load("/model.gguf", { backend: "cpu", ...options, onProgress: (p) => (window.progress = p) });
      const request = { prompt, max_tokens: 5, temperature: 0, ignore_eos: true, return_token_ids: true };
      const { choices } = await engine.completions.create(request);
      const { backend, worker } = engine.info;
      await engine.dispose();
      return { tokens: choices[0].token_ids, backend, worker };
    },
    [golden.prompt, options],
  );

const EXPECTED = { tokens: golden.ids.slice(0, 5), backend: "cpu", worker: true };

test("a download that is cut by reloads at 20 points goes on, and at most 4 MiB come twice for each", async () => {
  const { page, profile } = await visit();
  let state = 7;
  forget();
  delay = 20;
  for (let cut = 0; cut < 20; cut += 1) {
    state = (state * 1103515245 + 12345) % 2 ** 31;
    const point = ((cut + state / 2 ** 31) / 20) * model.length;
    await page.evaluate((point) => {
      window.cut = new Promise((reached) => {
        const onProgress = ({ phase, loaded }) => phase === "download" && loaded >= point && reached();
        void window.goldcrest.Goldcrest.load("/model.gguf", { backend: "cpu", onProgress }).then(reached, reached);
      });
      return window.cut;
    }, point);
    await page.reload();
    await page.waitForFunction(() => window.goldcrest);
  }
  assert.deepEqual(await answer(page), EXPECTED);
  delay = 0;
  const twice = sent() - model.length;
  console.log(`${(twice / 20 / MIB).toFixed(2)} MiB came twice per cut`);
  assert.ok(twice <= 20 * 4 * MIB, `${twice} bytes came twice`);
  await profile.close();
});

test("a complete model is loaded without a request, listed, repaired chunk by chunk, and removed", async () => {
  const { page, profile, faults } = await visit();
  assert.deepEqual(await answer(page), EXPECTED);
  forget();
  assert.deepEqual(await answer(page), EXPECTED);
  assert.deepEqual(await answer(page, { worker: false }), { ...EXPECTED, worker: false });
  assert.equal(fetched().length, 0);
  const [kept] = await page.evaluate(() => window.goldcrest.Goldcrest.models.list());
  assert.deepEqual([kept.name, kept.size, kept.complete], [`${server.url}model.gguf`, model.length, true]);
  await page.evaluate(async () => {
    const folder = await (await navigator.storage.getDirectory()).getDirectoryHandle("goldcrest-models");
    for await (const shelf of folder.values()) {
      for await (const [name, handle] of shelf) {
        if (!name.startsWith("c000000-")) continue;
        const bytes = new Uint8Array(await (await handle.getFile()).arrayBuffer());
        bytes[300_000] ^= 1;
        const writer = await handle.createWritable();
        await writer.write(bytes);
        await writer.close();
      }
    }
  });
  forget();
  assert.deepEqual(await answer(page), EXPECTED);
  assert.equal(sent(), MIB);
  assert.ok(await page.evaluate(() => window.goldcrest.Goldcrest.models.remove("/model.gguf")));
  assert.deepEqual(await page.evaluate(() => window.goldcrest.Goldcrest.models.list()), []);
  assert.deepEqual(faults, []);
  await profile.close();
});

test("two tabs fetch once", async () => {
  const { page, profile } = await visit();
  const other = await profile.newPage();
  await other.goto(server.url);
  await other.waitForFunction(() => window.goldcrest);
  forget();
  assert.deepEqual(await Promise.all([answer(page), answer(other)]), [EXPECTED, EXPECTED]);
  assert.equal(sent(), model.length);
  await profile.close();
});

test("a second tab takes over when the first one is closed", async () => {
  const { page, profile } = await visit();
  const other = await profile.newPage();
  await other.goto(server.url);
  await other.waitForFunction(() => window.goldcrest);
  forget();
  delay = 50;
  void answer(other).catch(() => undefined);
  await other.waitForFunction(() => window.progress?.loaded > 5_000_000);
  const answering = answer(page);
  await page.waitForFunction(() => window.progress?.loaded > 5_000_000);
  await other.close();
  delay = 0;
  assert.deepEqual(await answering, EXPECTED);
  assert.ok(sent() <= model.length + 4 * MIB);
  await profile.close();
});

test("a full disk is said with a code, and leaves nothing behind", async () => {
  const { page, profile } = await visit();
  const devtools = await profile.newCDPSession(page);
  const quota = { origin: new URL(server.url).origin };
  await devtools.send("Storage.overrideQuotaForOrigin", { ...quota, quotaSize: 15 * MIB });
  const code = await page.evaluate(() => window.goldcrest.Goldcrest.load("/model.gguf").catch(({ code, help }) => [code, help]));
  assert.equal(code[0], "E_QUOTA");
  assert.match(code[1], /memory/);
  assert.deepEqual(await page.evaluate(() => window.goldcrest.Goldcrest.models.list()), []);
  assert.deepEqual(await answer(page, { cache: "memory" }), EXPECTED);
  await devtools.send("Storage.overrideQuotaForOrigin", quota);
  await profile.close();
});

test("an abort rejects within 100 ms while it downloads, and while it writes; the next call works", async () => {
  const { page, profile } = await visit();
  delay = 100;
  const aborted = await page.evaluate(async () => {
    const { Goldcrest } = window.goldcrest;
    /** What a promise rejects with, and after how long, when a signal is raised. */
    const timed = async (control, running) => {
      const begun = performance.now();
      control.abort();
      return [await running.catch((error) => error.name), performance.now() - begun];
    };
    const download = new AbortController();
    const running = Goldcrest.load("/model.gguf", { signal: download.signal, backend: "cpu" });
    running.catch(() => undefined);
    await new Promise((resolve) => setTimeout(resolve, 300));
    const loading = await timed(download, running);
    const engine = await Goldcrest.load("/model.gguf", { backend: "cpu" });
    // The first chunk is there, 400 are asked for, and the engine waits for whoever reads: it cannot have ended.
    const answer = new AbortController();
    const request = { prompt: "x", max_tokens: 400, ignore_eos: true, stream: true, signal: answer.signal };
    const chunks = (await engine.completions.create(request))[Symbol.asyncIterator]();
    await chunks.next();
    const rest = async () => {
      while (!(await chunks.next()).done);
    };
    const writing = await timed(answer, rest());
    const { usage } = await engine.completions.create({ prompt: "x", max_tokens: 2, ignore_eos: true });
    await engine.dispose();
    return { loading, writing, tokens: usage.completion_tokens };
  });
  delay = 0;
  for (const [name, took] of [aborted.loading, aborted.writing]) {
    assert.equal(name, "AbortError");
    assert.ok(took < 100, `${took} ms`);
  }
  assert.equal(aborted.tokens, 2);
  await profile.close();
});

test("WebGPU: the reference's tokens; a device that is lost while it writes; the next answer is the same", async () => {
  const { page, profile, faults } = await visit();
  const seen = await page.evaluate(async (prompt) => {
    const engine = await window.goldcrest.Goldcrest.load("/model.gguf", { backend: "webgpu" });
    const request = { prompt, max_tokens: 5, temperature: 0, ignore_eos: true, return_token_ids: true };
    const first = (await engine.completions.create(request)).choices[0].token_ids;
    const doomed = engine.completions.create({ prompt, max_tokens: 400, ignore_eos: true }).catch(({ code }) => code);
    await new Promise((resolve) => setTimeout(resolve, 50));
    await engine.loseDevice();
    const lost = await doomed;
    const again = (await engine.completions.create(request)).choices[0].token_ids;
    const { backend } = engine.info;
    await engine.dispose();
    return { first, lost, again, backend };
  }, golden.prompt);
  assert.deepEqual(seen, { first: EXPECTED.tokens, lost: "E_DEVICE_LOST", again: EXPECTED.tokens, backend: "webgpu" });
  assert.deepEqual(faults, []);
  await profile.close();
});

test("the engine has subgroups where the adapter has them, unless they are not wanted", async () => {
  const { page, profile } = await visit();
  const [has, found] = await page.evaluate(async () => {
    const adapter = await navigator.gpu.requestAdapter();
    const found = [];
    for (const subgroups of [true, false]) {
      const engine = await window.goldcrest.Goldcrest.load("/model.gguf", { backend: "webgpu", subgroups });
      found.push(engine.info.features.includes("subgroups"));
      await engine.dispose();
    }
    return [adapter.features.has("subgroups"), found];
  });
  assert.deepEqual(found, [has, false]);
  await profile.close();
});

test("the CPU's two builds give the same greedy tokens", async () => {
  const { page, profile } = await visit();
  const found = await page.evaluate(async (prompt) => {
    const found = [];
    for (const options of [{}, { relaxedUrl: false }, { deterministic: true }]) {
      const engine = await window.goldcrest.Goldcrest.load("/model.gguf", { backend: "cpu", ...options });
      const { choices } = await engine.completions.create({ prompt, max_tokens: 5, temperature: 0, ignore_eos: true, return_token_ids: true });
      found.push([engine.info.adapter.name, choices[0].token_ids]);
      await engine.dispose();
    }
    return found;
  }, golden.prompt);
  const names = ["CPU (relaxed SIMD)", "CPU (SIMD128)", "CPU (SIMD128)"];
  assert.deepEqual(found, names.map((name) => [name, EXPECTED.tokens]));
  await profile.close();
});

test("fifty engines come and go, and no worker stays", async () => {
  const { page, profile } = await visit();
  await page.evaluate(async () => {
    for (let round = 0; round < 50; round += 1) {
      const engine = await window.goldcrest.Goldcrest.load("/model.gguf", { backend: "cpu" });
      await engine.dispose();
    }
  });
  await page.waitForTimeout(100);
  assert.equal(page.workers().length, 0);
  await profile.close();
});

test("a worker that is not there is an error with a code", async () => {
  const { page, profile } = await visit();
  const code = await page.evaluate(() => window.goldcrest.Goldcrest.load("/model.gguf", { workerUrl: "/none.js" }).catch(({ code }) => code));
  assert.equal(code, "E_WORKER");
  const wasm = await page.evaluate(() => window.goldcrest.Goldcrest.load("/model.gguf", { wasmUrl: "/none.wasm" }).catch(({ code }) => code));
  assert.equal(wasm, "E_WASM");
  await profile.close();
});
