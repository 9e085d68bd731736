// The wasm in a page, with what tests ask of it; `?build=goldcrest_relaxed` is the build with relaxed vectors.

import initGrammar, * as grammar from "/wasm/goldcrest_grammar.js";
import { compilerOf, constraintOf, walk } from "./forms.js";
import { behindExpected, bytesSource, generate, greedy } from "./golden.js";

const build = new URL(import.meta.url).searchParams.get("build") ?? "goldcrest_wasm";
const border = await import(`/wasm/${build}.js`);
const { memory } = await border.default({ module_or_path: new URL(`/wasm/${build}_bg.wasm`, location.href) });

export { border, memory };
export const memoryAtStart = memory.buffer.byteLength;

/** Loads a model of the tests' server, from memory. */
export async function load(path, options = {}, signal = { aborted: false }) {
  const bytes = new Uint8Array(await (await fetch(path)).arrayBuffer());
  const given = JSON.stringify({ backend: "webgpu", ...options });
  return border.Engine.load(bytesSource(bytes), given, () => {}, signal);
}

/** Greedy tokens of a tiny model, and what the engine says of itself. */
export async function tinyPath(name, more = {}, folder = "/golden/tiny") {
  const { greedy: reference } = await (await fetch(`${folder}/${name}.json`)).json();
  const engine = await load(`${folder}/${name}.gguf`);
  const info = JSON.parse(engine.info());
  const found = await greedy(engine, reference, more);
  engine.free();
  return { info, found, reference };
}

/**
 * How far the expected token of a one-layer model is behind the best. Rows go one by one: the products with many columns take
 * a software adapter seconds to compile for each type, and the kernels' own tests run them.
 */
export async function typeBehind(type) {
  const { ids, types } = await (await fetch("/golden/tiny/quants.json")).json();
  const engine = await load(`/golden/tiny/q_${type}.gguf`, { max_chunk: 1 });
  const behind = await behindExpected(engine, ids, types[type].argmax_every_position.at(-1));
  engine.free();
  return behind;
}

/** A model behind ranged requests, as a download would come. */
export async function ranged(path, options = {}) {
  const size = Number((await fetch(path, { method: "HEAD" })).headers.get("Content-Length"));
  let reads = 0;
  const read = async (offset, length) => {
    reads += 1;
    const response = await fetch(path, { headers: { Range: `bytes=${offset}-${offset + length - 1}` } });
    return new Uint8Array(await response.arrayBuffer());
  };
  const given = JSON.stringify({ backend: "webgpu", ...options });
  let peak = 0;
  const progress = () => (peak = Math.max(peak, memory.buffer.byteLength));
  const engine = await border.Engine.load({ size, read }, given, progress, { aborted: false });
  return { engine, reads, peak };
}

/** Compiles shaders as the browser does; every message of its compiler, and every pipeline that is refused. */
export async function compile(shaders) {
  const adapter = await navigator.gpu.requestAdapter();
  const wanted = ["shader-f16", "subgroups"].filter((name) => adapter.features.has(name));
  const device = await adapter.requestDevice({ requiredFeatures: wanted });
  const complaints = [];
  let compiled = 0;
  for (const { name, needs, wgsl } of shaders) {
    const language = navigator.gpu.wgslLanguageFeatures;
    if (needs.some((feature) => !wanted.includes(feature) && !language.has(feature))) continue;
    device.pushErrorScope("validation");
    // naga refuses this directive, and browsers want it.
    const enable = needs.includes("subgroups") ? "enable subgroups;\n" : "";
    const module = device.createShaderModule({ code: enable + wgsl });
    const { messages } = await module.getCompilationInfo();
    complaints.push(...messages.map(({ lineNum, message }) => `${name}:${lineNum}: ${message}`));
    const compute = { module, entryPoint: "main" };
    const pipeline = device.createComputePipelineAsync({ layout: "auto", compute });
    await pipeline.catch((error) => complaints.push(`${name}: ${error}`));
    const error = await device.popErrorScope();
    if (error) complaints.push(`${name}: ${error.message}`);
    compiled += 1;
  }
  device.destroy();
  return { complaints, compiled };
}

export { generate };

/** Answers of a tiny model that have to fit a schema, greedy and drawn from the best candidates and from the whole row. */
export async function fitting(schema) {
  await initGrammar({ module_or_path: new URL("/wasm/goldcrest_grammar_bg.wasm", location.href) });
  const engine = await load("/golden/tiny/llama.gguf");
  const compiler = compilerOf(grammar, engine);
  const answers = [];
  for (const more of [{ temperature: 0 }, { temperature: 1, top_k: 40, seed: 1 }, { temperature: 1, top_k: 0, typical_p: 0.9, seed: 2 }]) {
    const form = compiler.compile(JSON.stringify({ type: "json_schema", schema }));
    const asked = { prompt: { text: "Once upon a time" }, max_tokens: 100, ...more };
    const { end, events, stats } = await generate(engine, asked, undefined, undefined, constraintOf(form));
    answers.push({ text: events.map((event) => event.text ?? "").join(""), finish: end.finish, passes: stats.forward_passes, tokens: stats.tokens.length });
  }
  const { backend } = JSON.parse(engine.info());
  engine.free();
  return { answers, backend };
}

/** Masks over the vocabulary of an engine's model, for real schemas: how long they take, and what becomes of the schemas. */
export async function maskTimes(engine, schemas) {
  await initGrammar({ module_or_path: new URL("/wasm/goldcrest_grammar_bg.wasm", location.href) });
  const begun = performance.now();
  const compiler = compilerOf(grammar, engine);
  const ready = performance.now() - begun;
  return { ready, ...walk(compiler, schemas, 300) };
}
