// What a page still draws while an engine in a worker writes. A bound on responsiveness, not on speed: what jams the page's thread, or
// the browser's GPU process with one long submission, fails it on any machine.
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { launch } from "../../tests/browser/chromium.js";
import { hindrance, servePage, visit } from "./page.mjs";

if (hindrance !== undefined) {
  console.log(`skip: frames of a page while the package writes: ${hindrance}`);
  process.exit(0);
}

/** Two frames of a 60 Hz display: with every second one a page still feels alive. */
const MEDIAN_MS = 34;
/** A gap that a visitor notices. An engine that jams the page makes one for every token; a busy machine makes a stray one. */
const GAP_MS = 250;
/**
 * Gaps forgiven, as a share of the tokens. On the CPU one in all. SwiftShader computes in the process that also puts the page together,
 * on the same cores: a submission that takes long holds a frame up there, as it would not on a GPU.
 */
const FORGIVEN = { cpu: () => 1, webgpu: (tokens) => tokens / 4 };

const tiny = fileURLToPath(new URL("../../tests/golden/tiny/llama.gguf", import.meta.url));
const real = process.env.GOLDCREST_MODELS && join(process.env.GOLDCREST_MODELS, "smollm2-135m.gguf");
const models = { "tiny.gguf": tiny, ...(real && existsSync(real) && { "smollm2.gguf": real }) };
if (!models["smollm2.gguf"]) console.log("skip: frames while SmolLM2 writes: GOLDCREST_MODELS=FOLDER names where it is");

let browser, server;
before(async () => {
  [browser, server] = await Promise.all([launch(), servePage(models)]);
});
after(async () => {
  await browser?.close();
  await server?.close();
});

/** Intervals between the frames of a page: with nothing to do for a second, then from the first token to the last. */
async function intervals(name, options, tokens) {
  const { page, profile } = await visit(browser, server);
  const seen = await page.evaluate(
    async ([name, options, tokens]) => {
      const frames = [];
      requestAnimationFrame(function frame(at) {
        frames.push(at);
        requestAnimationFrame(frame);
      });
      const between = (from, to) => {
        const inside = frames.filter((at) => at >= from && at <= to);
        return inside.slice(1).map((at, index) => at - inside[index]);
      };
      const resting = performance.now();
      await new Promise((resolve) => setTimeout(resolve, 1000));
      const idle = between(resting, performance.now());
      const engine = await window.goldcrest.Goldcrest.load(`/${name}`, { ...options, cache: "memory", contextLength: 512 });
      const request = { prompt: "Once upon a time", max_tokens: tokens, ignore_eos: true, stream: true };
      let first;
      let written = 0;
      let busy = [];
      // The tiny model is done within a few frames: it writes again until there is something to judge by.
      while (busy.length < 30) {
        for await (const _ of await engine.completions.create(request)) {
          first ??= performance.now();
          written += 1;
        }
        busy = between(first, performance.now());
      }
      const { backend, worker } = engine.info;
      await engine.dispose();
      return { idle, busy, written, backend, worker };
    },
    [name, options, tokens],
  );
  await profile.close();
  return seen;
}

const median = (list) => list.toSorted((a, b) => a - b)[list.length >> 1];
const said = (list) => `${list.length} frames, median ${median(list).toFixed(1)} ms, longest ${Math.max(...list).toFixed(1)} ms`;

for (const [name, tokens] of [["tiny.gguf", 300], ["smollm2.gguf", 24]].filter(([name]) => models[name])) {
  for (const backend of ["cpu", "webgpu"]) {
    test(`${name} on ${backend}`, async () => {
      const seen = await intervals(name, { backend }, tokens);
      console.log(`${name} on ${backend}: idle ${said(seen.idle)}; writing ${said(seen.busy)}`);
      assert.deepEqual([seen.backend, seen.worker], [backend, true]);
      assert.ok(median(seen.busy) <= MEDIAN_MS, "every second frame has to come");
      const gaps = seen.busy.filter((ms) => ms > GAP_MS);
      assert.ok(gaps.length <= FORGIVEN[backend](seen.written), `gaps of ${gaps.map(Math.round).join(", ")} ms`);
    });
  }
}
