// One measurement for `cargo xtask compare`: node compare.mjs cpu|plain|webgpu|wllama MODEL PROMPT_TOKENS NEW_TOKENS [WLLAMA_FOLDER].
// Prints {prefill, decode, what}, in tokens per second.

import { basename, dirname } from "node:path";

import { executablePath, launch, open } from "./chromium.js";
import { mounts, serve } from "./server.js";

const [part, model, nPrompt, nNew, wllama] = process.argv.slice(2);
if (executablePath === undefined) {
  console.error("there is no Chromium: install it, or name it in GOLDCREST_CHROMIUM");
  process.exit(1);
}

/** Our engine: a short prompt, the prompt once to warm up, and once measured; they share nothing. */
async function ours([path, part, nPrompt, nNew]) {
  const { border, load } = await import(part === "plain" ? "/page/border.js" : "/page/border.js?build=goldcrest_relaxed");
  const backend = part === "webgpu" ? "webgpu" : "cpu";
  const { generate } = await import("/page/golden.js");
  const begun = performance.now();
  const engine = await load(path, { backend });
  const loadMs = performance.now() - begun;
  const ask = (length, first) => {
    const tokens = Array.from({ length }, (_, i) => (i * 7919 + first) % 20000);
    return generate(engine, { prompt: { tokens }, temperature: 0, max_tokens: nNew, ignore_eos: true });
  };
  const first = await ask(8, 3);
  await ask(nPrompt, 17);
  const { stats } = await ask(nPrompt, 5000);
  const { adapter } = JSON.parse(engine.info());
  return {
    prefill: (1e3 * stats.prefill_tokens) / stats.prefill_ms,
    decode: (1e3 * stats.decode_tokens) / stats.decode_ms,
    what: `${border.version?.() ?? ""} on ${adapter?.name ?? backend}`.trim(),
    first_token_ms: loadMs + first.stats.ttft_ms,
  };
}

/** wllama's build for one thread, without its WebGPU. */
async function peer([path, nPrompt, nNew]) {
  const { Wllama, LoggerWithoutDebug } = await import("/wllama/esm/index.js");
  const engine = new Wllama({ default: "/wllama/esm/wasm/wllama.wasm" }, { logger: LoggerWithoutDebug });
  const blob = await (await fetch(path)).blob();
  await engine.loadModel([blob], { n_threads: 1, n_gpu_layers: 0, n_ctx: 1024, n_batch: 512 });
  const ask = (word) =>
    engine.createCompletion({
      prompt: Array.from({ length: nPrompt }, () => word).join(" "),
      max_tokens: nNew,
      temperature: 0,
      ignore_eos: true,
      cache_prompt: false,
    });
  await ask("tree");
  const { timings } = await ask("house");
  return {
    prefill: timings.prompt_per_second,
    decode: timings.predicted_per_second,
    what: `wllama with llama.cpp ${Wllama.getLibllamaVersion()}, ${engine.getNumThreads()} thread, prompt of ${timings.prompt_n}`,
  };
}

const folders = { ...mounts, "/models/": dirname(model), ...(wllama ? { "/wllama/": wllama } : {}) };
// wllama makes its worker from a blob, which the tests' policy forbids.
const server = await serve({ folders, headers: {} });
const browser = await launch();
try {
  const { page } = await open(browser, `${server.url}page/empty.html`);
  const path = `/models/${basename(model)}`;
  const found =
    part === "wllama"
      ? await page.evaluate(peer, [path, Number(nPrompt), Number(nNew)])
      : await page.evaluate(ours, [path, part, Number(nPrompt), Number(nNew)]);
  console.log(JSON.stringify(found));
} finally {
  await browser.close();
  await server.close();
}
